/*-------------------------------------------------------------------------
 *
 * session_parts.h
 *	  What a session consists of, and what its parts ask of each other.
 *
 * incoming.c makes responses of bytes, session.c finds out whom they concern,
 * handshake.c, statements.c and reprepare.c act on those that are not simply
 * the caller's, requests.c writes requests, streams.c keeps account of them.
 *
 * Functions that return a status record the error where they are told; those
 * without an argument for it, in session->error, and have failed the session.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CQL_SESSION_PARTS_H
#define CQL_SESSION_PARTS_H

#include "cql/session.h"

/*
 * The session's clock ticks whenever a statement was prepared: so requests can
 * be told from those that were made before.  It starts at 1.
 */
typedef uint64_t CqlTick;

/* A metadata's memory that callers may still look at. */
typedef struct CqlRetired
{
	struct CqlRetired *next;
	CqlResponse *response;
} CqlRetired;

/* ------
 * Statements: one for each text that was prepared, or is about to be
 * ------
 */

typedef struct CqlStatement
{
	CqlPrepared prepared;		/* the first member: callers have its address */
	CqlSession *session;
	struct CqlStatement *next;	/* of the same bucket */
	uint32_t	hash;			/* of the text */

	uint32_t	preparing;		/* PREPAREs of callers that are under way */
	bool		known;			/* the fields below, and `prepared`, are valid */
	CqlTick		prepared_at;
	CqlTick		changed_at;		/* its id or the types of its markers: what was
								 * encoded before cannot be sent any more */
	CqlResponse *owner;			/* has the memory of id and metadata */
	CqlRetired *retired;		/* had it before */

	bool		repreparing;
	int32_t		first_waiting;	/* streams that wait for that, by their `next` */
	int32_t		last_waiting;
} CqlStatement;

typedef struct CqlStatements
{
	CqlStatement **buckets;
	uint32_t	nbuckets;		/* a power of two, or 0 */
	uint32_t	count;
	CqlTick		changed_at;		/* the last of all statements' */
} CqlStatements;

/* ------
 * Streams
 * ------
 */

#define CQL_NO_STREAM (-1)

typedef enum CqlStreamState
{
	CQL_STREAM_FREE,
	CQL_STREAM_SENT,			/* its answer is expected */
	CQL_STREAM_REPREPARE,		/* met Unprepared; its stream now has the PREPARE */
	CQL_STREAM_WAITING,			/* met Unprepared; another stream has the PREPARE */
	CQL_STREAM_DONE				/* in the queue: its event is ready */
} CqlStreamState;

typedef struct CqlStream
{
	CqlStreamState state;
	CqlOpcode	opcode;			/* of the request */
	int32_t		next;			/* of those free, waiting or done */
	bool		abandoned;
	void	   *tag;
	CqlStatement *statement;	/* PREPARE, EXECUTE */

	/*
	 * DONE: the event's response, NULL for PREPARED.  REPREPARE, WAITING: the
	 * error that the request has met.
	 */
	CqlResponse *response;

	/* Requests that can meet Unprepared are kept.  The memory is reused. */
	uint8_t    *request;		/* the frame */
	size_t		request_length;
	size_t		request_size;
	CqlTick		encoded_at;
	CqlTick		sent_at;
	uint32_t	resends_left;
	CqlStatement *forgotten;	/* REPREPARE, WAITING: what waits; later, what it
								 * has met last */
} CqlStream;

typedef struct CqlStreams
{
	CqlStream  *items;
	uint32_t	count;			/* used so far */
	uint32_t	size;			/* allocated */
	uint32_t	max;
	uint32_t	in_flight;
	int32_t		first_free;		/* a stack */
	int32_t		first_done;		/* a queue */
	int32_t		last_done;
} CqlStreams;

/* ------
 * Bytes that came
 * ------
 */

typedef struct CqlIncoming
{
	uint8_t    *data;			/* CQL_INPUT_SIZE bytes */
	size_t		start;			/* of what was not taken yet */
	size_t		end;

	bool		has_header;		/* of a frame whose body is not complete */
	CqlFrameHeader header;
	uint32_t	skip;			/* bytes of a body that nobody wants */

	/*
	 * A large body is received into its response's memory, which grows with
	 * what comes.  NULL: none is.
	 */
	CqlResponse *large;
	size_t		large_size;		/* of the body's memory */
	size_t		large_end;		/* what came */
} CqlIncoming;

#define CQL_INPUT_SIZE (64 * 1024)

/* ------
 * The session
 * ------
 */

struct CqlSession
{
	CqlAllocator allocator;
	const CqlAllocator *lasting;	/* the caller's: responses outlive the session */
	CqlLimits	limits;
	CqlError	error;			/* the session has failed */
	CqlResponse *refusal;		/* ERROR of the handshake */

	bool		ready;
	bool		logged_in;		/* the server has asked for it */
	bool		want_compression;
	bool		compression;	/* agreed on */
	CqlServerOptions server;
	CqlArena	strings;		/* these four; without data if not given */
	CqlString	username;
	CqlString	password;		/* wiped when it is not needed any more */
	CqlString	driver_name;
	CqlString	driver_version;

	CqlTick		clock;
	CqlStreams	streams;
	CqlStatements statements;
	CqlIncoming incoming;

	CqlWriter	out;
	size_t		out_sent;		/* of out */
};

/* session.c */
extern void cql_session_wipe_password(CqlSession *session);
extern void cql_response_drop(CqlResponse *response);	/* may be NULL */

/* --- streams.c --- */

extern void cql_streams_init(CqlStreams *streams, uint32_t max);
extern void cql_streams_free(CqlSession *session);
/* CQL_BUSY if max are in flight.  The stream is SENT, its other fields empty. */
extern CqlStatus cql_stream_take(CqlSession *session, CqlOpcode opcode,
								 int32_t *stream, CqlError *error) CQL_MUST_USE;
/* Its response, if there is one, is the caller's by then. */
extern void cql_stream_release(CqlSession *session, int32_t stream);
/* The stream of an answer; NULL if there is no answer to come on it. */
extern CqlStream *cql_stream_answered(CqlSession *session, int32_t stream);
/* Keeps a copy of the request. */
extern CqlStatus cql_stream_keep(CqlSession *session, CqlStream *stream,
								 const uint8_t *request, size_t length,
								 CqlError *error) CQL_MUST_USE;
/* Its event comes next but for those that are in the queue. */
extern void cql_stream_done(CqlSession *session, int32_t stream,
							CqlResponse *response);
/* Out of the queue; CQL_NO_STREAM if it is empty. */
extern int32_t cql_stream_pop_done(CqlSession *session);

/* --- incoming.c --- */

/*
 * The next frame's response, or NULL if more bytes are needed.  The header says
 * what the response's body is, once it was expanded.
 */
extern CqlStatus cql_incoming_next(CqlSession *session, CqlResponse **response,
								   CqlFrameHeader *header) CQL_MUST_USE;
/* Another response that says the same; header as from cql_incoming_next. */
extern CqlStatus cql_incoming_copy(CqlSession *session,
								   const CqlFrameHeader *header,
								   CqlResponse *response,
								   CqlResponse **copy) CQL_MUST_USE;
extern void cql_incoming_free(CqlSession *session);

/* --- requests.c --- */

/*
 * A request that is being written to session->out.  After cql_outgoing_begin,
 * cql_outgoing_end is called with the status of what was written in between;
 * if that or itself fails, all is as it was before.
 */
typedef struct CqlOutgoing
{
	int32_t		stream;
	size_t		mark;
	CqlError   *error;
} CqlOutgoing;

extern CqlStatus cql_outgoing_begin(CqlSession *session, CqlOpcode opcode,
									const CqlParameters *parameters,
									CqlOutgoing *outgoing, CqlError *error) CQL_MUST_USE;
extern CqlStatus cql_outgoing_end(CqlSession *session, CqlOutgoing *outgoing,
								  CqlStatus status) CQL_MUST_USE;
/* Sends a request that was kept, again. */
extern CqlStatus cql_outgoing_resend(CqlSession *session, int32_t stream) CQL_MUST_USE;
/* Sends PREPARE for a stream that is in use. */
extern CqlStatus cql_outgoing_prepare(CqlSession *session, int32_t stream,
									  const CqlStatement *statement) CQL_MUST_USE;

/* --- handshake.c --- */

extern CqlStatus cql_handshake_begin(CqlSession *session, CqlError *error) CQL_MUST_USE;
/* The answer to a message of the handshake; takes the response. */
extern CqlStatus cql_handshake_answer(CqlSession *session, CqlResponse *response,
									  CqlEvent *event) CQL_MUST_USE;

/* --- supported.c --- */

/* What is said back of what a server offers. */
typedef struct CqlSupportedEcho
{
	CqlStringPair lwt;			/* key without data: not offered */
	CqlStringPair rate_limit;
} CqlSupportedEcho;

extern void cql_supported_read(const CqlResponse *response,
							   CqlServerOptions *server, CqlSupportedEcho *echo);

/* --- statements.c --- */

extern void cql_statements_free(CqlSession *session);
/* NULL if there is none, known or not. */
extern CqlStatement *cql_statement_find(const CqlSession *session, CqlString text);
/* The same, but made if there is none. */
extern CqlStatus cql_statement_get(CqlSession *session, CqlString text,
								   CqlStatement **statement, CqlError *error) CQL_MUST_USE;
/* Among those that are known. */
extern CqlStatement *cql_statement_by_id(const CqlSession *session, CqlBytes id);
extern bool cql_statement_has_id(const CqlStatement *statement, CqlBytes id);
/* Counts off a caller's PREPARE; a statement that is of no use then goes. */
extern void cql_statement_prepare_ended(CqlStatement *statement);
/* What the server says of a statement; takes the response. */
extern CqlStatus cql_statement_prepared(CqlStatement *statement,
										CqlResponse *response) CQL_MUST_USE;

/* --- reprepare.c --- */

/*
 * ERROR Unprepared has come for an EXECUTE or BATCH: *handled says that the
 * response was taken, and that the request goes on.
 */
extern CqlStatus cql_reprepare_begin(CqlSession *session, int32_t stream,
									 CqlResponse *response, bool *handled) CQL_MUST_USE;
/* The answer to the PREPARE on this stream has come; takes the response. */
extern CqlStatus cql_reprepare_end(CqlSession *session, int32_t stream,
								   CqlResponse *response,
								   const CqlFrameHeader *header) CQL_MUST_USE;

#endif							/* CQL_SESSION_PARTS_H */
