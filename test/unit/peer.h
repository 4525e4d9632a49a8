/*-------------------------------------------------------------------------
 *
 * peer.h
 *	  A session under test, and the server at its other end: a test says what
 *	  the server sends, and looks at what it was sent.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PEER_H
#define PEER_H

#include "tap.h"

#include "cql/session.h"

static TestMemory memory;
static const CqlAllocator allocator = TEST_ALLOCATOR(&memory);
static CqlError error;			/* of the last request */
static CqlSessionOptions options;
static CqlSession *session;
static CqlEvent event;			/* the last */

/* Parameters of requests for which they do not matter. */
__attribute__((unused))
static const CqlParameters one = {.consistency = CQL_CONSISTENCY_ONE};

/* Tags are addresses; these are as good as any. */
__attribute__((unused))
static char tags[40000];

#define TAG(n) ((void *) &tags[n])

/* At most so many bytes are received, and sent, at a time. */
static size_t chunk = SIZE_MAX;

/* What the server has sent, and how much of it has come. */
static uint8_t *peer_data;
static size_t peer_length;
static size_t peer_come;

/* ------
 * What the server sends: body_...() make a body, answer() sends it
 * ------
 */

static uint8_t *body_data;
static size_t body_length;
static size_t body_size;

__attribute__((unused))
static void
body_raw(const void *data, size_t length)
{
	if (body_length + length >= body_size)
	{
		body_size = 2 * (body_length + length + 1);
		body_data = realloc(body_data, body_size);
	}
	if (length > 0)
		memcpy(body_data + body_length, data, length);
	body_length += length;
}

__attribute__((unused))
static void
body_u8(int value)
{
	uint8_t		byte = (uint8_t) value;

	body_raw(&byte, 1);
}

__attribute__((unused))
static void
body_u16(int value)
{
	body_u8(value >> 8);
	body_u8(value);
}

__attribute__((unused))
static void
body_i32(int32_t value)
{
	body_u16(value >> 16);
	body_u16(value);
}

__attribute__((unused))
static void
body_text(const char *text)
{
	body_u16((int) strlen(text));
	body_raw(text, strlen(text));
}

/* ERROR, without what a code adds */
__attribute__((unused))
static void
body_error(int32_t code, const char *message)
{
	body_i32(code);
	body_text(message);
}

__attribute__((unused))
static void
peer_raw(const void *data, size_t length)
{
	peer_data = realloc(peer_data, peer_length + length + 1);
	if (length > 0)
		memcpy(peer_data + peer_length, data, length);
	peer_length += length;
}

__attribute__((unused))
static void
peer_hex(const char *hex)
{
	size_t		length;
	uint8_t    *bytes = from_hex(hex, &length);

	peer_raw(bytes, length);
	free(bytes);
}

/* A frame's header; the body is to follow, or never comes. */
__attribute__((unused))
static void
answer_header(int version, int flags, int stream, int opcode, uint32_t length)
{
	uint8_t		header[9] = {(uint8_t) version, (uint8_t) flags,
		(uint8_t) (stream >> 8), (uint8_t) stream, (uint8_t) opcode,
		(uint8_t) (length >> 24), (uint8_t) (length >> 16),
	(uint8_t) (length >> 8), (uint8_t) length};

	peer_raw(header, sizeof(header));
}

/* A frame with the body that was made; the next body is empty. */
__attribute__((unused))
static void
answer_flags(int stream, int opcode, int flags)
{
	answer_header(0x84, flags, stream, opcode, (uint32_t) body_length);
	peer_raw(body_data, body_length);
	body_length = 0;
}

__attribute__((unused))
static void
answer(int stream, int opcode)
{
	answer_flags(stream, opcode, 0);
}

__attribute__((unused))
static void
answer_void(int stream)
{
	body_i32(1);
	answer(stream, CQL_OP_RESULT);
}

__attribute__((unused))
static void
answer_error(int stream, int32_t code, const char *message)
{
	body_error(code, message);
	answer(stream, CQL_OP_ERROR);
}

/* RESULT Rows of one row of one column, an int */
__attribute__((unused))
static void
answer_row(int stream, int32_t value)
{
	body_i32(2);
	body_i32(1);
	body_i32(1);
	body_text("ks");
	body_text("t");
	body_text("c");
	body_u16(9);
	body_i32(1);
	body_i32(4);
	body_i32(value);
	answer(stream, CQL_OP_RESULT);
}

/*
 * RESULT Prepared: one marker, one column of a result.  `id` is two bytes,
 * types are ids of types without elements.
 */
__attribute__((unused))
static void
answer_prepared(int stream, int id, int marker, int column)
{
	body_i32(4);
	body_u16(2);
	body_u16(id);
	body_i32(1);				/* flags: one table for all */
	body_i32(1);
	body_i32(1);				/* the marker is the partition key */
	body_u16(0);
	body_text("ks");
	body_text("t");
	body_text("k");
	body_u16(marker);
	body_i32(1);
	body_i32(1);
	body_text("ks");
	body_text("t");
	body_text("v");
	body_u16(column);
	answer(stream, CQL_OP_RESULT);
}

/* ------
 * The session
 * ------
 */

/* Gives the session some of what the server has sent. */
__attribute__((unused))
static CqlStatus
receive_some(void)
{
	size_t		length = peer_length - peer_come;
	uint8_t    *room;
	size_t		size;

	CQL_TRY(cql_session_input(session, &room, &size));
	if (length > chunk)
		length = chunk;
	if (length > size)
		length = size;
	memcpy(room, peer_data + peer_come, length);
	peer_come += length;
	return cql_session_received(session, length);
}

/* The next event, as soon as enough has come; NONE once all has. */
__attribute__((unused))
static CqlStatus
next(void)
{
	for (;;)
	{
		CQL_TRY(cql_session_next(session, &event));
		if (event.kind != CQL_EVENT_NONE || peer_come == peer_length)
			return CQL_OK;
		CQL_TRY(receive_some());
	}
}

/* All of the output goes, in pieces; the server gets it. */
__attribute__((unused))
static uint8_t *
take_output(size_t *length)
{
	uint8_t    *taken = NULL;
	const uint8_t *data;
	size_t		size;

	*length = 0;
	for (cql_session_output(session, &data, &size); size > 0;
		 cql_session_output(session, &data, &size))
	{
		if (size > chunk)
			size = chunk;
		taken = realloc(taken, *length + size);
		memcpy(taken + *length, data, size);
		*length += size;
		cql_session_sent(session, size);
	}
	return taken;
}

__attribute__((unused))
static void
is_output(const char *hex, const char *name)
{
	size_t		length;
	uint8_t    *taken = take_output(&length);

	is_hex(taken, length, hex, name);
	free(taken);
}

__attribute__((unused))
static void
drop_output(void)
{
	size_t		length;

	free(take_output(&length));
}

/* An event of that kind comes. */
__attribute__((unused))
static bool
is_event(CqlEventKind kind, const char *name)
{
	CqlStatus	status = next();
	bool		passed = ok(status == CQL_OK && event.kind == kind, "%s", name);

	if (!passed)
		printf("# status %d, event %d: %s\n", status, event.kind,
			   cql_session_error(session)->message);
	return passed;
}

/* The answer to this request comes, of that kind; it stays in `event`. */
__attribute__((unused))
static bool
is_response(CqlResponseKind kind, void *tag, const char *name)
{
	if (!is_event(CQL_EVENT_RESPONSE, name))
		return false;
	ok(event.tag == tag, "%s: tag", name);
	return is_int(event.response->kind, kind, name);
}

/* The same, and that is all about it. */
__attribute__((unused))
static void
got_response(CqlResponseKind kind, void *tag, const char *name)
{
	if (is_response(kind, tag, name))
		cql_response_free(event.response);
}

/* The session fails, and stays failed. */
__attribute__((unused))
static void
is_failure(CqlStatus status, const char *message)
{
	uint8_t    *room;
	size_t		size;

	is_int(next(), status, message);
	is_text(cql_session_error(session)->message, message, "message");
	is_int(cql_session_error(session)->status, status, "status");
	is_int(cql_session_next(session, &event), status, "it stays failed: next");
	is_int(cql_session_input(session, &room, &size), status, "input");
	is_int(cql_session_received(session, 0), status, "received");
	ok(!cql_session_is_ready(session), "not ready");
	memset(&error, 0, sizeof(error));
	if (cql_session_options(session, NULL, NULL, &error) != CQL_INVALID)
		is_text(error.message, message, "a request says the same");
}

__attribute__((unused))
static void
close_session(void)
{
	if (session != NULL)
		cql_session_free(session);
	session = NULL;
	free(peer_data);
	peer_data = NULL;
	peer_length = peer_come = 0;
	free(body_data);
	body_data = NULL;
	body_length = body_size = 0;
	memset(&error, 0, sizeof(error));
}

__attribute__((unused))
static void
set_options(void)
{
	options = (CqlSessionOptions)
	{
		.limits = cql_default_limits,
		.max_in_flight = CQL_MAX_STREAMS
	};
}

/* A new session, by `options`; only its first message is there. */
__attribute__((unused))
static bool
open_session(void)
{
	close_session();
	session = cql_session_create(&allocator, &options, &error);
	return session != NULL;
}

/* A server that offers LZ4 and nothing else. */
__attribute__((unused))
static void
answer_supported(void)
{
	body_u16(1);
	body_text("COMPRESSION");
	body_u16(1);
	body_text("lz4");
	answer(0, CQL_OP_SUPPORTED);
}

/* A new session with the handshake behind it. */
__attribute__((unused))
static CqlStatus
connect_session(void)
{
	if (!open_session())
		return CQL_NO_MEMORY;
	answer_supported();
	CQL_TRY(next());
	answer(0, CQL_OP_READY);
	CQL_TRY(next());
	if (event.kind != CQL_EVENT_READY)
		abort();
	drop_output();
	return CQL_OK;
}

/* The same, for a test that needs it. */
__attribute__((unused))
static void
must_connect(void)
{
	if (connect_session() != CQL_OK)
		abort();
}

#endif							/* PEER_H */
