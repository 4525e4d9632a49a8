/*-------------------------------------------------------------------------
 *
 * session.c
 *	  A session's life, and whom a response concerns.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/session_parts.h"

#include <string.h>

void
cql_session_wipe_password(CqlSession *session)
{
	cql_wipe((void *) session->password.data, session->password.length);
	session->password.length = 0;
}

void
cql_response_drop(CqlResponse *response)
{
	if (response != NULL)
		cql_response_free(response);
}

/* ------
 * Beginning and end
 * ------
 */

/* A copy of a caller's text; without data if there is none. */
static CqlStatus
copy_text(CqlSession *session, const char *text, const char *what,
		  CqlString *copy, CqlError *error)
{
	size_t		length;
	char	   *data;

	if (text == NULL)
		return CQL_OK;
	length = strlen(text);
	if (length > UINT16_MAX)
		return cql_fail(error, CQL_INVALID, "%s is too long", what);
	data = cql_arena_alloc(&session->strings, length);
	if (data == NULL)
		return cql_fail(error, CQL_NO_MEMORY, "out of memory");
	memcpy(data, text, length);
	*copy = (CqlString) {data, (uint32_t) length};
	return CQL_OK;
}

static CqlStatus
copy_options(CqlSession *session, const CqlSessionOptions *options, CqlError *error)
{
	session->limits = options->limits;
	session->want_compression = options->compression;
	CQL_TRY(copy_text(session, options->username, "user name",
					  &session->username, error));
	CQL_TRY(copy_text(session, options->password, "password",
					  &session->password, error));
	CQL_TRY(copy_text(session, options->driver_name, "driver name",
					  &session->driver_name, error));
	return copy_text(session, options->driver_version, "driver version",
					 &session->driver_version, error);
}

/* A session that is empty. */
static void
init(CqlSession *session, const CqlAllocator *allocator, uint32_t max_in_flight)
{
	memset(session, 0, sizeof(*session));
	session->allocator = *allocator;
	session->lasting = allocator;
	session->clock = 1;
	session->server.rate_limit_code = -1;
	cql_arena_init(&session->strings, &session->allocator);
	cql_streams_init(&session->streams, max_in_flight);
	cql_writer_init(&session->out, &session->allocator, SIZE_MAX, NULL);
}

CqlSession *
cql_session_create(const CqlAllocator *allocator, const CqlSessionOptions *options,
				   CqlError *error)
{
	CqlSession *session;

	if (options->max_in_flight < 1 || options->max_in_flight > CQL_MAX_STREAMS)
	{
		cql_error_set(error, CQL_INVALID, "%u requests in flight are not possible",
					  (unsigned) options->max_in_flight);
		return NULL;
	}
	session = allocator->alloc(allocator->context, sizeof(*session));
	if (session == NULL)
	{
		cql_error_set(error, CQL_NO_MEMORY, "out of memory");
		return NULL;
	}
	init(session, allocator, options->max_in_flight);
	if (copy_options(session, options, error) != CQL_OK ||
		cql_handshake_begin(session, error) != CQL_OK)
	{
		cql_session_free(session);
		return NULL;
	}
	return session;
}

void
cql_session_free(CqlSession *session)
{
	CqlAllocator allocator = session->allocator;

	cql_session_wipe_password(session);
	cql_writer_free(&session->out);
	cql_streams_free(session);
	cql_statements_free(session);
	cql_incoming_free(session);
	cql_response_drop(session->refusal);
	cql_arena_free(&session->strings);
	allocator.release(allocator.context, session);
}

/* ------
 * What a response must be
 * ------
 */

#define KIND(kind) (1u << CQL_RESPONSE_##kind)

/* The kinds that answer a request, but for ERROR. */
static uint32_t
expected_kinds(CqlOpcode opcode)
{
	switch (opcode)
	{
		case CQL_OP_OPTIONS:
			return KIND(SUPPORTED);
		case CQL_OP_STARTUP:
			return KIND(READY) | KIND(AUTHENTICATE);
		case CQL_OP_AUTH_RESPONSE:
			return KIND(AUTH_SUCCESS) | KIND(AUTH_CHALLENGE);
		case CQL_OP_PREPARE:
			return KIND(PREPARED);
		case CQL_OP_REGISTER:
			return KIND(READY);
		default:
			return KIND(VOID) | KIND(ROWS) | KIND(SET_KEYSPACE) | KIND(SCHEMA_CHANGE);
	}
}

/* An error that answers no request; the server's words are all there is. */
static CqlStatus
unasked_error(CqlSession *session, const CqlResponse *response)
{
	CqlString	message = response->u.error.message;

	return cql_fail(&session->error, CQL_MALFORMED,
					"the server sent an error for a request that was not made (stream %d): %.*s",
					response->stream, (int) message.length, message.data);
}

/*
 * An error in a frame of another version of the protocol: what a server says
 * that does not speak ours.
 */
static CqlStatus
other_version(CqlSession *session, const CqlFrameHeader *header,
			  const CqlResponse *response)
{
	CqlString	message = response->u.error.message;

	return cql_fail(&session->error,
					session->ready ? CQL_MALFORMED : CQL_REFUSED,
					"the server speaks version %d of the protocol, not %d: %.*s",
					header->version & 0x7F, CQL_PROTOCOL_VERSION,
					(int) message.length, message.data);
}

/* Is it an answer to what was asked on its stream? */
static CqlStatus
check_response(CqlSession *session, const CqlFrameHeader *header,
			   const CqlResponse *response)
{
	const CqlStream *stream = cql_stream_answered(session, response->stream);
	CqlOpcode	opcode;

	if (header->version != CQL_VERSION_RESPONSE)
		return other_version(session, header, response);
	if (response->kind == CQL_RESPONSE_ERROR)
		return stream != NULL ? CQL_OK : unasked_error(session, response);
	if (stream == NULL)
		return CQL_OK;
	opcode = stream->state == CQL_STREAM_REPREPARE ? CQL_OP_PREPARE : stream->opcode;
	if (!(expected_kinds(opcode) & 1u << response->kind))
		return cql_fail(&session->error, CQL_MALFORMED,
						"the server answered message 0x%02x with message 0x%02x",
						opcode, header->opcode);
	return CQL_OK;
}

/* ------
 * Events
 * ------
 */

/* The end of a request: its event, unless nobody waits for it any more. */
static void
emit(CqlSession *session, int32_t stream, CqlResponse *response, CqlEvent *event)
{
	const CqlStream *item = &session->streams.items[stream];

	if (item->abandoned)
		cql_response_drop(response);
	else
	{
		event->kind = response != NULL ? CQL_EVENT_RESPONSE : CQL_EVENT_PREPARED;
		event->tag = item->tag;
		event->response = response;
		if (item->statement != NULL && item->statement->known)
			event->prepared = &item->statement->prepared;
	}
	cql_stream_release(session, stream);
}

/* The answer to a caller's PREPARE. */
static CqlStatus
end_prepare(CqlSession *session, int32_t stream, CqlResponse *response,
			CqlEvent *event)
{
	CqlStatement *statement = session->streams.items[stream].statement;

	if (response->kind == CQL_RESPONSE_ERROR)
	{
		session->streams.items[stream].statement = NULL;
		emit(session, stream, response, event);
		cql_statement_prepare_ended(statement);
		return CQL_OK;
	}
	CQL_TRY(cql_statement_prepared(statement, response));
	cql_statement_prepare_ended(statement);
	emit(session, stream, NULL, event);
	return CQL_OK;
}

/* ERROR Unprepared for a request that the session may send again? */
static bool
is_unprepared(const CqlStream *stream, const CqlResponse *response)
{
	return response->kind == CQL_RESPONSE_ERROR &&
		response->u.error.code == CQL_ERR_UNPREPARED &&
		(stream->opcode == CQL_OP_EXECUTE || stream->opcode == CQL_OP_BATCH);
}

/* The answer to a request. */
static CqlStatus
answered(CqlSession *session, CqlResponse *response,
		 const CqlFrameHeader *header, CqlEvent *event)
{
	int32_t		stream = response->stream;
	CqlStream  *item = &session->streams.items[stream];
	bool		handled = false;

	if (!session->ready)
	{
		cql_stream_release(session, stream);
		return cql_handshake_answer(session, response, event);
	}
	if (item->state == CQL_STREAM_REPREPARE)
		return cql_reprepare_end(session, stream, response, header);
	if (item->opcode == CQL_OP_PREPARE)
		return end_prepare(session, stream, response, event);
	if (is_unprepared(item, response))
		CQL_TRY(cql_reprepare_begin(session, stream, response, &handled));
	if (!handled)
		emit(session, stream, response, event);
	return CQL_OK;
}

/* What REGISTER has asked for; nothing else comes without being asked. */
static CqlStatus
server_event(CqlSession *session, CqlResponse *response, CqlEvent *event)
{
	if (!session->ready)
	{
		cql_response_free(response);
		return cql_fail(&session->error, CQL_MALFORMED,
						"the server sent an event during the handshake");
	}
	event->kind = CQL_EVENT_SERVER;
	event->response = response;
	return CQL_OK;
}

/* Brings a response to where it belongs; takes it. */
static CqlStatus
dispatch(CqlSession *session, CqlResponse *response,
		 const CqlFrameHeader *header, CqlEvent *event)
{
	CqlStatus	status = check_response(session, header, response);

	if (status != CQL_OK)
	{
		if (status == CQL_REFUSED)
			session->refusal = response;
		else
			cql_response_free(response);
		return status;
	}
	if (response->stream == CQL_EVENT_STREAM)
		return server_event(session, response, event);
	return answered(session, response, header, event);
}

CqlStatus
cql_session_next(CqlSession *session, CqlEvent *event)
{
	memset(event, 0, sizeof(*event));
	while (event->kind == CQL_EVENT_NONE)
	{
		CqlResponse *response;
		CqlFrameHeader header;
		int32_t		done;

		if (session->error.status != CQL_OK)
			return session->error.status;
		done = cql_stream_pop_done(session);
		if (done != CQL_NO_STREAM)
		{
			emit(session, done, session->streams.items[done].response, event);
			continue;
		}
		CQL_TRY(cql_incoming_next(session, &response, &header));
		if (response == NULL)
			break;
		CQL_TRY(dispatch(session, response, &header, event));
	}
	return CQL_OK;
}

/* ------
 * Abandoning
 * ------
 */

void
cql_session_abandon(CqlSession *session, int16_t stream)
{
	CqlStreams *streams = &session->streams;

	if (!session->ready || stream < 0 || (uint32_t) stream >= streams->count ||
		streams->items[stream].state == CQL_STREAM_FREE)
		return;
	streams->items[stream].abandoned = true;
}

void
cql_session_abandon_all(CqlSession *session)
{
	for (uint32_t i = 0; i < session->streams.count; i++)
		cql_session_abandon(session, (int16_t) i);
}

/* ------
 * State
 * ------
 */

const CqlServerError *
cql_session_refusal(const CqlSession *session)
{
	return session->refusal != NULL ? &session->refusal->u.error : NULL;
}

const CqlError *
cql_session_error(const CqlSession *session)
{
	return &session->error;
}

bool
cql_session_is_ready(const CqlSession *session)
{
	return session->ready && session->error.status == CQL_OK;
}

bool
cql_session_logged_in(const CqlSession *session)
{
	return session->logged_in;
}

uint32_t
cql_session_in_flight(const CqlSession *session)
{
	return session->streams.in_flight;
}

bool
cql_session_compression(const CqlSession *session)
{
	return session->compression;
}

const CqlServerOptions *
cql_session_server_options(const CqlSession *session)
{
	return &session->server;
}
