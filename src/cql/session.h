/*-------------------------------------------------------------------------
 *
 * session.h
 *	  One connection's protocol, without the connection: bytes in, events out.
 *
 * The caller moves bytes.  It receives into the room that cql_session_input
 * gives, says how much came, and then takes events with cql_session_next until
 * there is none; it sends what cql_session_output shows and says how much went.
 * A session starts by itself: once created, its output holds the first message
 * of the handshake (OPTIONS, STARTUP, SASL PLAIN), and CQL_EVENT_READY tells
 * its end.
 *
 * Requests are numbered by stream ids, many may be under way, and answers come
 * in any order.  Each request carries a `tag` of the caller's, which comes back
 * with its answer.  A request whose answer nobody waits for any more is
 * abandoned: its answer is swallowed, and its stream is free only then.
 *
 * A prepared statement is kept by the session, and prepared anew when the
 * server has forgotten it (ERROR Unprepared): the requests that met this are
 * sent again, and the caller sees nothing of it; but see reprepare.c.
 *
 * After a status that is not CQL_OK from input or next, the bytes are not
 * to be trusted any more: the session stays failed with that error, and the
 * connection must be closed.  Failures of a request function leave the session
 * as it was.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CQL_SESSION_H
#define CQL_SESSION_H

#include "cql/frame.h"
#include "cql/request.h"
#include "cql/response.h"

typedef struct CqlSession CqlSession;

typedef struct CqlSessionOptions
{
	CqlLimits	limits;
	bool		compression;	/* LZ4, if the server offers it */
	const char *username;		/* NULL: an authenticating server is an error */
	const char *password;
	const char *driver_name;
	const char *driver_version;
	uint32_t	max_in_flight;	/* 1 .. CQL_MAX_STREAMS */
} CqlSessionOptions;

/* What the server has told in SUPPORTED. */
typedef struct CqlServerOptions
{
	bool		lz4;			/* offered; session->compression tells if used */
	bool		scylla;			/* any SCYLLA_ option */
	uint32_t	shard;			/* of this connection */
	uint32_t	nr_shards;		/* 0: not a sharded server */
	uint32_t	sharding_ignore_msb;
	uint16_t	shard_aware_port;	/* 0: none */
	uint16_t	shard_aware_port_tls;
	int32_t		rate_limit_code;	/* -1: none */
	uint32_t	lwt_mask;		/* flag of prepared statements that are
								 * conditional; 0: not told */
} CqlServerOptions;

/*
 * Strings of `options` are copied; the password is wiped once it was sent.  The
 * allocator stays the caller's: responses refer to it, also when the session is
 * gone.
 * NULL when there is no memory (then `error` says so) or an option is wrong.
 */
extern CqlSession *cql_session_create(const CqlAllocator *allocator,
									  const CqlSessionOptions *options,
									  CqlError *error);
extern void cql_session_free(CqlSession *session);

/* --- bytes --- */

/*
 * Room for received bytes; at least one byte of it.  CQL_BUSY, which does not
 * fail the session, if there is none because events were not taken.
 */
extern CqlStatus cql_session_input(CqlSession *session, uint8_t **room,
								   size_t *size) CQL_MUST_USE;
extern CqlStatus cql_session_received(CqlSession *session, size_t length) CQL_MUST_USE;

/*
 * Bytes to be sent, *length 0 if there are none.  They may be elsewhere, though
 * the same, after a request or cql_session_next.
 */
extern void cql_session_output(CqlSession *session, const uint8_t **data,
							   size_t *length);
extern void cql_session_sent(CqlSession *session, size_t length);

/* --- events --- */

/*
 * A statement that the server knows.  Owned by the session, and what it points
 * to stays valid as long as the session, also what it has pointed to before.
 */
typedef struct CqlPrepared
{
	CqlString	text;
	CqlBytes	id;
	CqlMetadata markers;
	CqlMetadata result;
	bool		conditional;	/* known to be a lightweight transaction */
	uint32_t	generation;		/* grows when it was prepared anew and markers or
								 * result have changed */
} CqlPrepared;

typedef enum CqlEventKind
{
	CQL_EVENT_NONE,				/* more bytes are needed */
	CQL_EVENT_READY,			/* requests may be made now */
	CQL_EVENT_RESPONSE,			/* the answer to a request */
	CQL_EVENT_PREPARED,			/* the answer to cql_session_prepare */
	CQL_EVENT_SERVER			/* what REGISTER has asked for */
} CqlEventKind;

typedef struct CqlEvent
{
	CqlEventKind kind;
	void	   *tag;			/* RESPONSE, PREPARED */
	const CqlPrepared *prepared;	/* PREPARED; RESPONSE: of an execute, with the
									 * metadata that was skipped */
	CqlResponse *response;		/* RESPONSE, SERVER: the caller frees it.  The
								 * answer to a prepare that failed is a RESPONSE
								 * with the server's error */
} CqlEvent;

/*
 * The next event.  A server that refuses the handshake gives CQL_REFUSED, and
 * cql_session_refusal its error; if it wants a login and there is none, or an
 * unknown mechanism goes on, CQL_REFUSED without one.
 */
extern CqlStatus cql_session_next(CqlSession *session, CqlEvent *event) CQL_MUST_USE;

/* Valid as long as the session; NULL if there was none. */
extern const CqlServerError *cql_session_refusal(const CqlSession *session);

/* The error that the session has failed with; empty if it has not. */
extern const CqlError *cql_session_error(const CqlSession *session);

/* --- requests --- */

/*
 * Each puts one message into the output, and fails with CQL_BUSY when
 * max_in_flight requests are under way, with CQL_INVALID before
 * CQL_EVENT_READY, and with the session's own status after it has failed.
 * Arguments are copied.  *stream may be NULL.  `error` is the request's own.
 */
extern CqlStatus cql_session_query(CqlSession *session, CqlString text,
								   uint32_t nvalues, const CqlBytes *values,
								   const CqlParameters *parameters, void *tag,
								   int16_t *stream, CqlError *error) CQL_MUST_USE;
/*
 * Gives PREPARED at once from memory, as the next event, if it is known.  What
 * an abandoned prepare brings is kept all the same.
 */
extern CqlStatus cql_session_prepare(CqlSession *session, CqlString text,
									 void *tag, int16_t *stream,
									 CqlError *error) CQL_MUST_USE;
/* The number of values must be that of the markers (CQL_INVALID). */
extern CqlStatus cql_session_execute(CqlSession *session,
									 const CqlPrepared *prepared,
									 uint32_t nvalues, const CqlBytes *values,
									 const CqlParameters *parameters, void *tag,
									 int16_t *stream, CqlError *error) CQL_MUST_USE;

typedef struct CqlBatchEntry
{
	const CqlPrepared *prepared;	/* or NULL: */
	CqlString	text;
	uint32_t	nvalues;
	const CqlBytes *values;
} CqlBatchEntry;

extern CqlStatus cql_session_batch(CqlSession *session, CqlBatchType type,
								   uint32_t nentries, const CqlBatchEntry *entries,
								   const CqlParameters *parameters, void *tag,
								   int16_t *stream, CqlError *error) CQL_MUST_USE;
/* TOPOLOGY_CHANGE, STATUS_CHANGE, SCHEMA_CHANGE */
extern CqlStatus cql_session_register(CqlSession *session, uint32_t nevents,
									  const CqlString *events, void *tag,
									  int16_t *stream, CqlError *error) CQL_MUST_USE;
/* A heartbeat: the answer is a RESPONSE of kind SUPPORTED. */
extern CqlStatus cql_session_options(CqlSession *session, void *tag,
									 int16_t *stream, CqlError *error) CQL_MUST_USE;

/* The answer to this request will not be an event. */
extern void cql_session_abandon(CqlSession *session, int16_t stream);
/* The same for all requests under way. */
extern void cql_session_abandon_all(CqlSession *session);

/* The statement of that text if it is prepared, else NULL. */
extern const CqlPrepared *cql_session_find_prepared(const CqlSession *session,
													CqlString text);

/*
 * Forgets that statement; pointers to it end here.  False if a request under
 * way, abandoned or not, still needs it: then it stays.
 */
extern bool cql_session_forget(CqlSession *session, CqlString text);

/* --- state --- */

extern bool cql_session_is_ready(const CqlSession *session);
extern bool cql_session_logged_in(const CqlSession *session);	/* as the server wanted */
extern uint32_t cql_session_in_flight(const CqlSession *session);	/* with abandoned ones */
extern bool cql_session_compression(const CqlSession *session);
extern const CqlServerOptions *cql_session_server_options(const CqlSession *session);

#endif							/* CQL_SESSION_H */
