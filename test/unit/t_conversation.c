/*
 * One long conversation with a session, in pieces of any size, and with memory
 * that fails at each place: the same events come, or the failure is told and
 * nothing is left.
 */
#include "peer.h"

static const CqlBytes seven = {(const uint8_t *) "\0\0\0\7", 4};

/* What has happened, as text. */
static char story[20000];
static size_t story_length;

__attribute__((format(printf, 1, 2)))
static void
tell(const char *format,...)
{
	va_list		arguments;

	va_start(arguments, format);
	story_length += (size_t) vsnprintf(story + story_length,
									   sizeof(story) - story_length, format,
									   arguments);
	va_end(arguments);
	if (story_length >= sizeof(story))
		abort();
}

/* A sum over bytes. */
static unsigned
sum(const uint8_t *data, size_t length)
{
	unsigned	value = 1;

	for (size_t i = 0; i < length; i++)
		value = value * 31 + data[i];
	return value;
}

/* What is in a response. */
static void
tell_response(const CqlResponse *response)
{
	tell(" kind %d stream %d tracing %d warnings %u payload %u", response->kind,
		 response->stream, response->has_tracing_id, response->warnings.count,
		 response->npayload);
	if (response->kind == CQL_RESPONSE_ERROR)
		tell(" error %d %.*s", response->u.error.code,
			 (int) response->u.error.message.length, response->u.error.message.data);
	if (response->kind == CQL_RESPONSE_ROWS)
		tell(" rows %u sum %u", response->u.rows.count,
			 sum(response->u.rows.content.data,
				 (size_t) response->u.rows.content.length));
}

/* All events until there is none. */
static CqlStatus
tell_events(void)
{
	size_t		length;
	uint8_t    *sent;

	for (;;)
	{
		CQL_TRY(next());
		if (event.kind == CQL_EVENT_NONE)
			break;
		tell("event %d tag %ld", event.kind,
			 event.tag == NULL ? -1L : (long) ((char *) event.tag - tags));
		if (event.prepared != NULL)
			tell(" prepared %.*s generation %u", (int) event.prepared->text.length,
				 event.prepared->text.data, event.prepared->generation);
		if (event.response != NULL)
		{
			tell_response(event.response);
			cql_response_free(event.response);
		}
		tell("\n");
	}
	sent = take_output(&length);
	tell("sent %zu bytes, sum %u; %u under way\n", length, sum(sent, length),
		 cql_session_in_flight(session));
	free(sent);
	return CQL_OK;
}

static void
answer_unprepared(int stream, int id)
{
	body_error(CQL_ERR_UNPREPARED, "forgotten");
	body_u16(2);
	body_u16(id);
	answer(stream, CQL_OP_ERROR);
}

/* A row with a value of so many bytes. */
static void
answer_large(int stream, int32_t size)
{
	body_i32(2);
	body_i32(1);
	body_i32(1);
	body_text("ks");
	body_text("t");
	body_text("c");
	body_u16(3);
	body_i32(1);
	body_i32(size);
	for (int32_t i = 0; i < size; i++)
		body_u8(i * 7 >> 3);
	answer(stream, CQL_OP_RESULT);
}

/* A body that is one LZ4 sequence: "a" `length` times. */
static void
answer_compressed(int stream, int length)
{
	body_i32(31 + length);
	/* 32 literals */
	body_u8(0xff);
	body_u8(32 - 15);
	body_i32(2);
	body_i32(1);
	body_i32(1);
	body_text("k");
	body_text("t");
	body_text("c");
	body_u16(3);
	body_i32(1);
	body_i32(length);
	body_u8('a');
	/* a match one byte back of 19 + 255 n + rest */
	body_raw("\1\0", 2);
	for (int left = length - 1 - 5 - 19; left >= 0; left -= 255)
		body_u8(left >= 255 ? 255 : left);
	body_u8(0x50);
	body_raw("aaaaa", 5);
	answer_flags(stream, CQL_OP_RESULT, 1);
}

/* ------
 * Parts of the conversation; each ends with nothing under way
 * ------
 */

static CqlStatus
part_login(void)
{
	set_options();
	options.username = "cassandra";
	options.password = "cassandra";
	options.driver_name = "btm";
	options.compression = true;
	if (!open_session())
		return error.status;
	answer_supported();
	CQL_TRY(next());
	body_text("org.apache.cassandra.auth.PasswordAuthenticator");
	answer(0, CQL_OP_AUTHENTICATE);
	CQL_TRY(next());
	body_i32(-1);
	answer(0, CQL_OP_AUTH_SUCCESS);
	return tell_events();
}

static CqlStatus
part_queries(void)
{
	CqlParameters p = one;
	CqlString	type = str("STATUS_CHANGE");

	p.tracing = true;
	for (int i = 0; i < 40; i++)
		CQL_TRY(cql_session_query(session, str("SELECT"), 0, NULL, &p, TAG(i), NULL,
								  &error));
	CQL_TRY(cql_session_register(session, 1, &type, TAG(40), NULL, &error));
	CQL_TRY(cql_session_options(session, TAG(41), NULL, &error));
	cql_session_abandon(session, 17);
	answer(40, CQL_OP_READY);
	for (int i = 39; i >= 0; i--)
	{
		body_raw("0123456789abcdef", 16);
		body_u16(1);
		body_text("careful");
		body_u16(1);
		body_text("key");
		body_i32(0);
		body_i32(1);
		answer_flags(i, CQL_OP_RESULT, 0x0e);
		if (i % 10 == 5)
		{
			body_text("STATUS_CHANGE");
			body_text("UP");
			body_u8(4);
			body_i32(0x7f000001);
			body_i32(9042);
			answer(-1, CQL_OP_EVENT);
		}
	}
	body_u16(0);
	answer(41, CQL_OP_SUPPORTED);
	return tell_events();
}

static CqlStatus
part_large(void)
{
	static const int32_t sizes[] = {10, 16384, 20000, 70000, 200000, 5};
	char		text[1000];
	int16_t		stream[8];

	memset(text, ' ', sizeof(text));
	for (int i = 0; i < 8; i++)
		CQL_TRY(cql_session_query(session, (CqlString) {text, sizeof(text)}, 0, NULL,
								  &one, TAG(i), &stream[i], &error));
	for (int i = 0; i < 6; i++)
		answer_large(stream[i], sizes[i]);
	cql_session_abandon(session, stream[3]);
	answer_compressed(stream[6], 300);
	answer_compressed(stream[7], 300000);
	return tell_events();
}

static CqlStatus
part_prepare(const CqlPrepared **p, const CqlPrepared **r)
{
	int16_t		streams[3];

	CQL_TRY(cql_session_prepare(session, str("P"), TAG(1), &streams[0], &error));
	CQL_TRY(cql_session_prepare(session, str("R"), TAG(2), &streams[1], &error));
	CQL_TRY(cql_session_prepare(session, str("WRONG"), TAG(3), &streams[2], &error));
	answer_error(streams[2], CQL_ERR_SYNTAX, "wrong");
	answer_prepared(streams[1], 0xbeef, CQL_TYPE_INT, CQL_TYPE_INT);
	answer_prepared(streams[0], 0xcafe, CQL_TYPE_INT, CQL_TYPE_INT);
	CQL_TRY(tell_events());
	CQL_TRY(cql_session_prepare(session, str("P"), TAG(4), NULL, &error));
	CQL_TRY(tell_events());
	*p = cql_session_find_prepared(session, str("P"));
	*r = cql_session_find_prepared(session, str("R"));
	return CQL_OK;
}

/* Three executes and a batch meet Unprepared, and go on. */
static CqlStatus
part_forgotten(const CqlPrepared *p, const CqlPrepared *r)
{
	const CqlBatchEntry entries[] = {
		{.prepared = p,.nvalues = 1,.values = &seven},
		{.prepared = r,.nvalues = 1,.values = &seven}
	};
	int16_t		streams[4];

	for (int i = 0; i < 3; i++)
		CQL_TRY(cql_session_execute(session, p, 1, &seven, &one, TAG(i), &streams[i],
									&error));
	CQL_TRY(cql_session_batch(session, CQL_BATCH_LOGGED, 2, entries, &one, TAG(3),
							  &streams[3], &error));
	for (int i = 0; i < 4; i++)
		answer_unprepared(streams[i], 0xcafe);
	CQL_TRY(tell_events());
	answer_prepared(streams[0], 0xcafe, CQL_TYPE_INT, CQL_TYPE_BLOB);
	CQL_TRY(tell_events());
	for (int i = 0; i < 3; i++)
		answer_void(streams[i]);
	answer_unprepared(streams[3], 0xbeef);
	CQL_TRY(tell_events());
	answer_prepared(streams[3], 0xbeef, CQL_TYPE_INT, CQL_TYPE_INT);
	answer_void(streams[3]);
	return tell_events();
}

/* The same, but the statement is gone; then its types are others. */
static CqlStatus
part_gone(const CqlPrepared *p)
{
	int16_t		streams[3];

	for (int round = 0; round < 2; round++)
	{
		for (int i = 0; i < 3; i++)
			CQL_TRY(cql_session_execute(session, p, 1, &seven, &one, TAG(i),
										&streams[i], &error));
		for (int i = 0; i < 3; i++)
			answer_unprepared(streams[i], 0xcafe);
		if (round == 0)
			answer_error(streams[0], CQL_ERR_INVALID, "no such table");
		else
			answer_prepared(streams[0], 0xcafe, CQL_TYPE_UUID, CQL_TYPE_INT);
		CQL_TRY(tell_events());
	}
	return CQL_OK;
}

static CqlStatus
conversation(void)
{
	const CqlPrepared *p;
	const CqlPrepared *r;

	story_length = 0;
	story[0] = '\0';
	CQL_TRY(part_login());
	CQL_TRY(part_queries());
	CQL_TRY(part_large());
	CQL_TRY(part_prepare(&p, &r));
	CQL_TRY(part_forgotten(p, r));
	return part_gone(p);
}

/* ------
 * Tests
 * ------
 */

/* Some of the story is looked at; the rest is that of all the others. */
static void
test_story(void)
{
	is_int(conversation(), CQL_OK, "a conversation");
	ok(strstr(story, "event 1 tag -1\n") != NULL, "ready");
	ok(strstr(story, "event 2 tag 39 kind 6 stream 39 tracing 1 warnings 1 payload 1\n") != NULL,
	   "a query with all that a frame can have");
	ok(strstr(story, "tag 17 ") == NULL, "not the one that was abandoned");
	ok(strstr(story, "event 4 tag -1 kind 11 stream -1") != NULL, "an event");
	ok(strstr(story, "event 3 tag 4 prepared P generation 0\n") != NULL, "prepared");
	ok(strstr(story, "error 8192 wrong") != NULL, "not prepared");
	ok(strstr(story, "event 2 tag 2 prepared P generation 1 kind 6") != NULL,
	   "prepared anew, with another result");
	ok(strstr(story, "prepared P generation 2 kind 0 stream 3 tracing 0 warnings 0"
			  " payload 0 error 9472 forgotten") != NULL, "with other markers");
	ok(strstr(story, "error 8704 no such table") != NULL, "gone");
	is_int(cql_session_in_flight(session), 0, "nothing is under way");
}

/*
 * Sizes of pieces up to some bytes, and those around the sizes of buffers.
 * What is sent is put together before it is summed up, so it is the same too.
 */
static void
test_chunks(void)
{
	static const size_t more[] = {1000, 4095, 16383, 16384, 16385, 32767, 65535,
	65536, 65537, 100000};
	char	   *first = strdup(story);
	bool		good = true;

	for (size_t i = 0; i < 64 + sizeof(more) / sizeof(more[0]); i++)
	{
		chunk = i < 64 ? i + 1 : more[i - 64];
		if (conversation() != CQL_OK || strcmp(story, first) != 0)
		{
			printf("# pieces of %zu bytes: %s\n%s", chunk,
				   cql_session_error(session)->message, story);
			good = false;
			break;
		}
	}
	ok(good, "the same story, whatever the size of the pieces");
	chunk = SIZE_MAX;
	free(first);
}

/* No memory at the n-th place: that is told, and nothing else is wrong. */
static bool
fails_well(long at, CqlStatus *status)
{
	bool		good = true;

	close_session();
	memory.requests = 0;
	memory.fail_at = at;
	*status = conversation();
	memory.fail_at = 0;
	if (*status != CQL_OK)
	{
		good &= *status == CQL_NO_MEMORY;
		good &= error.status == CQL_NO_MEMORY ||
			(session != NULL && cql_session_error(session)->status == CQL_NO_MEMORY);
	}
	close_session();
	return good && memory.live == 0;
}

static void
test_memory(void)
{
	CqlStatus	status;
	bool		good = true;
	long		at = 0;

	chunk = 50000;
	do
	{
		if (!fails_well(++at, &status))
		{
			printf("# the %ld-th allocation: %d\n", at, status);
			good = false;
		}
	} while (status != CQL_OK && at < 2000);
	ok(good && at > 50 && at < 2000, "memory may fail at each of %ld places", at - 1);
	chunk = SIZE_MAX;
}

/* A large request of one of four kinds; P is prepared. */
static CqlStatus
request(int kind)
{
	const CqlPrepared *p = cql_session_find_prepared(session, str("P"));
	CqlBytes	large = {(const uint8_t *) tags, sizeof(tags)};
	CqlBatchEntry entry = {.prepared = p,.nvalues = 1,.values = &large};
	CqlString	text = {tags, 1000};

	switch (kind)
	{
		case 0:
			return cql_session_execute(session, p, 1, &large, &one, NULL, NULL, NULL);
		case 1:
			return cql_session_batch(session, CQL_BATCH_LOGGED, 1, &entry, &one, NULL,
									 NULL, NULL);
		case 2:
			return cql_session_prepare(session, text, NULL, NULL, NULL);
		default:
			return cql_session_query(session, text, 0, NULL, &one, NULL, NULL, NULL);
	}
}

/* A request adds to the output and to those under way; or, failing, to neither. */
static bool
all_or_nothing(int kind)
{
	const uint8_t *data;
	size_t		before;
	size_t		after;
	uint32_t	in_flight = cql_session_in_flight(session);
	CqlStatus	status;

	cql_session_output(session, &data, &before);
	status = request(kind);
	cql_session_output(session, &data, &after);
	if (status == CQL_OK)
		return after > before && cql_session_in_flight(session) == in_flight + 1;
	return status == CQL_NO_MEMORY && after == before &&
		cql_session_in_flight(session) == in_flight;
}

/*
 * A request for which there was no memory leaves the session as it was: with
 * memory, all of them go through.
 */
static void
test_again(void)
{
	bool		good = true;

	for (int round = 0; round < 4 * 2 * 10; round++)
	{
		set_options();
		options.compression = round / 4 % 2;
		must_connect();
		if (cql_session_prepare(session, str("P"), NULL, NULL, &error) != CQL_OK)
			abort();
		answer_prepared(0, 1, CQL_TYPE_BLOB, CQL_TYPE_BLOB);
		next();
		drop_output();
		memory.fail_at = memory.requests + round / 8 + 1;
		for (int i = 0; i < 4; i++)
			good &= all_or_nothing((round + i) % 4);
		memory.fail_at = 0;
		good &= cql_session_is_ready(session);
		for (int i = 0; i < 4; i++)
			good &= request(i) == CQL_OK;
	}
	ok(good, "a request without memory changes nothing");
}

int
main(void)
{
	test_story();
	test_chunks();
	test_memory();
	test_again();
	close_session();
	is_int(memory.live, 0, "no memory is left");
	return done_testing();
}
