/* Requests of a session, their answers, and what else comes. */
#include "peer.h"

#include "cql/frame.h"

/* ------
 * Helpers
 * ------
 */

/* A session of its own for each test. */
static void
begin(void)
{
	set_options();
	must_connect();
}

static int16_t
query(const char *text, int tag)
{
	int16_t		stream = -99;

	memset(&error, 0, sizeof(error));
	if (cql_session_query(session, str(text), 0, NULL, &one, TAG(tag), &stream,
						  &error) != CQL_OK)
	{
		printf("# %s\n", error.message);
		return -99;
	}
	return stream;
}

/* The value of that row. */
static int
row_value(void)
{
	const CqlBytes content = event.response->u.rows.content;

	if (content.length != 8)
		return -1;
	return content.data[4] << 24 | content.data[5] << 16 |
		content.data[6] << 8 | content.data[7];
}

/* A statement that is prepared; nothing of it is left in the output. */
static const CqlPrepared *
prepare(const char *text, int id)
{
	int16_t		stream;

	if (cql_session_prepare(session, str(text), NULL, &stream, &error) != CQL_OK)
		abort();
	drop_output();
	answer_prepared(stream, id, CQL_TYPE_INT, CQL_TYPE_VARCHAR);
	if (next() != CQL_OK || event.kind != CQL_EVENT_PREPARED)
		abort();
	return event.prepared;
}

/* ------
 * Single requests
 * ------
 */

static void
test_query(void)
{
	CqlBytes	value = {(const uint8_t *) "\0\0\0\7", 4};
	CqlPayloadEntry payload = {{"k", 1}, {(const uint8_t *) "v", 1}};
	CqlParameters p = one;
	int16_t		stream;

	begin();
	is_int(query("SELECT 1", 1), 0, "the first stream");
	is_output("04 00 0000 07 0000000f 00000008 53454c4543542031 0001 00", "QUERY");
	is_int(cql_session_in_flight(session), 1, "one under way");
	answer_row(0, 42);
	is_response(CQL_RESPONSE_ROWS, TAG(1), "rows");
	is_int(row_value(), 42, "the value");
	ok(event.prepared == NULL, "not of a prepared statement");
	ok(event.response->body == NULL, "the body is in the response's own memory");
	is_int(event.response->stream, 0, "stream");
	cql_response_free(event.response);
	is_int(cql_session_in_flight(session), 0, "none under way");

	p.tracing = true;
	p.npayload = 1;
	p.payload = &payload;
	is_int(cql_session_query(session, str("Q"), 1, &value, &p, TAG(2), &stream, &error),
		   CQL_OK, "with tracing, payload and a value");
	is_output("04 06 0000 07 0000001c 0001 0001 6b 00000001 76"
			  "00000001 51 0001 01 0001 00000004 00000007", "QUERY");
	body_raw("0123456789abcdef", 16);
	body_u16(2);
	body_text("first");
	body_text("second");
	body_u16(1);
	body_text("key");
	body_i32(2);
	body_u16(0x0102);
	body_i32(1);
	answer_flags(0, CQL_OP_RESULT, 0x0e);
	is_response(CQL_RESPONSE_VOID, TAG(2), "void");
	ok(event.response->has_tracing_id &&
	   memcmp(event.response->tracing_id, "0123456789abcdef", 16) == 0, "tracing id");
	is_int(event.response->warnings.count, 2, "warnings");
	ok(cql_string_equals(event.response->warnings.items[1], "second"), "the second");
	is_int(event.response->npayload, 1, "payload");
	is_hex(event.response->payload[0].value.data, 2, "0102", "its value");
	cql_response_free(event.response);
}

static void
test_kinds_of_results(void)
{
	begin();
	query("USE ks", 1);
	body_i32(3);
	body_text("ks");
	answer(0, CQL_OP_RESULT);
	got_response(CQL_RESPONSE_SET_KEYSPACE, TAG(1), "USE");
	query("CREATE", 2);
	body_i32(5);
	body_text("CREATED");
	body_text("KEYSPACE");
	body_text("ks");
	answer(0, CQL_OP_RESULT);
	got_response(CQL_RESPONSE_SCHEMA_CHANGE, TAG(2), "CREATE");
	query("SELEC", 3);
	answer_error(0, CQL_ERR_SYNTAX, "line 1:0 no viable alternative");
	is_response(CQL_RESPONSE_ERROR, TAG(3), "an error");
	is_int(event.response->u.error.code, CQL_ERR_SYNTAX, "its code");
	cql_response_free(event.response);
	ok(cql_session_is_ready(session), "it is the request's, not the session's");
	/* ERROR Unprepared to what is not prepared is passed on as well */
	query("Q", 4);
	body_error(CQL_ERR_UNPREPARED, "?");
	body_u16(2);
	body_u16(1);
	answer(0, CQL_OP_ERROR);
	got_response(CQL_RESPONSE_ERROR, TAG(4), "unprepared");
}

static void
test_options_register(void)
{
	CqlString	events[] = {str("STATUS_CHANGE"), str("SCHEMA_CHANGE")};
	int16_t		stream;

	begin();
	is_int(cql_session_options(session, TAG(1), &stream, &error), CQL_OK, "OPTIONS");
	is_output("04 00 0000 05 00000000", "a heartbeat");
	answer_supported();
	got_response(CQL_RESPONSE_SUPPORTED, TAG(1), "its answer");

	is_int(cql_session_register(session, 2, events, TAG(2), NULL, &error), CQL_OK,
		   "REGISTER");
	is_output("04 00 0000 0b 00000020 0002 000d 5354415455535f4348414e4745"
			  "000d 534348454d415f4348414e4745", "REGISTER");
	answer(0, CQL_OP_READY);
	got_response(CQL_RESPONSE_READY, TAG(2), "its answer");

	body_text("STATUS_CHANGE");
	body_text("DOWN");
	body_u8(4);
	body_i32(0x7f000001);
	body_i32(9042);
	answer(-1, CQL_OP_EVENT);
	is_event(CQL_EVENT_SERVER, "an event");
	ok(event.tag == NULL && event.prepared == NULL, "without a tag");
	is_int(event.response->kind, CQL_RESPONSE_EVENT, "kind");
	ok(cql_string_equals(event.response->u.event.change, "DOWN"), "a node is down");
	cql_response_free(event.response);
	is_int(cql_session_register(session, 65536, events, NULL, NULL, &error),
		   CQL_INVALID, "too many events");
}

/* A request that cannot be written leaves the session as it was. */
static void
test_invalid_requests(void)
{
	CqlBytes	bad = {NULL, -3};
	CqlPayloadEntry payload = {{"k", 1}, {NULL, -2}};
	CqlParameters p = one;

	begin();
	query("Q", 1);
	is_int(cql_session_query(session, str("R"), 1, &bad, &one, NULL, NULL, &error),
		   CQL_INVALID, "a value that cannot be");
	is_text(error.message, "value 1 has a length of -3", "message");
	p.npayload = 1;
	p.payload = &payload;
	is_int(cql_session_query(session, str("R"), 0, NULL, &p, NULL, NULL, NULL),
		   CQL_INVALID, "a payload that cannot be");
	is_int(cql_session_prepare(session, (CqlString) {"x", 0x80000000u}, NULL, NULL, NULL),
		   CQL_INVALID, "a text that cannot be");
	is_int(cql_session_in_flight(session), 1, "one under way");
	is_output("04 00 0000 07 00000008 00000001 51 0001 00", "the one before");
	ok(cql_session_find_prepared(session, str("x")) == NULL, "nothing is prepared");
}

/* ------
 * Many requests
 * ------
 */

static void
test_out_of_order(void)
{
	begin();
	for (int i = 0; i < 100; i++)
		is_int(query("Q", i), i, "each has its stream");
	is_int(cql_session_in_flight(session), 100, "all are under way");
	for (int i = 0; i < 100; i++)
		answer_row((i * 37) % 100, (i * 37) % 100);
	for (int i = 0; i < 100; i++)
	{
		int			n = (i * 37) % 100;

		is_response(CQL_RESPONSE_ROWS, TAG(n), "an answer");
		is_int(row_value(), n, "its value");
		cql_response_free(event.response);
	}
	is_int(cql_session_in_flight(session), 0, "none is under way");
	is_int(query("Q", 0), (99 * 37) % 100, "the stream last freed is used first");
}

static void
test_busy(void)
{
	const CqlPrepared *prepared;

	set_options();
	options.max_in_flight = 3;
	must_connect();
	prepared = prepare("P", 1);
	for (int i = 0; i < 3; i++)
		query("Q", i);
	memset(&error, 0, sizeof(error));
	is_int(cql_session_options(session, NULL, NULL, &error), CQL_BUSY, "busy");
	is_text(error.message, "3 requests are under way already", "message");
	is_int(cql_session_prepare(session, str("P"), NULL, NULL, NULL), CQL_BUSY,
		   "also from memory");
	is_int(cql_session_execute(session, prepared, 1, &(CqlBytes) {NULL, -1}, &one, NULL,
							   NULL, NULL), CQL_BUSY, "an execute");
	answer_void(1);
	got_response(CQL_RESPONSE_VOID, TAG(1), "one is answered");
	is_int(query("Q", 4), 1, "its stream is free");
}

static void
test_all_streams(void)
{
	bool		good = true;

	begin();
	for (int i = 0; i < CQL_MAX_STREAMS; i++)
		good &= query("Q", i) == i;
	ok(good, "32,768 requests");
	is_int(cql_session_options(session, NULL, NULL, NULL), CQL_BUSY, "no more");
	answer_void(32767);
	got_response(CQL_RESPONSE_VOID, TAG(32767), "the last is answered first");
}

/* ------
 * What nobody waits for
 * ------
 */

static void
test_abandon(void)
{
	begin();
	query("Q", 0);
	query("Q", 1);
	query("Q", 2);
	cql_session_abandon(session, 1);
	cql_session_abandon(session, 1);
	cql_session_abandon(session, 3);
	cql_session_abandon(session, -1);
	is_int(cql_session_in_flight(session), 3, "three are under way");
	answer_row(1, 1);
	answer_row(2, 2);
	got_response(CQL_RESPONSE_ROWS, TAG(2), "the one behind it");
	is_int(cql_session_in_flight(session), 1, "the abandoned is gone");
	is_int(query("Q", 3), 2, "streams are free again");
	is_int(query("Q", 4), 1, "both of them");
	cql_session_abandon_all(session);
	answer_error(0, CQL_ERR_SERVER, "who cares");
	answer_void(2);
	answer_row(1, 1);
	is_event(CQL_EVENT_NONE, "no answer is told");
	is_int(cql_session_in_flight(session), 0, "none is under way");
	/* what is swallowed needs no memory: a large body neither */
	query("Q", 5);
	cql_session_abandon_all(session);
	drop_output();
	body_raw(tags, sizeof(tags));
	for (int i = 0; i < 10; i++)
		body_raw(tags, sizeof(tags));
	answer(1, CQL_OP_RESULT);
	memory.fail_at = memory.requests + 1;
	is_event(CQL_EVENT_NONE, "a large body is skipped");
	memory.fail_at = 0;
	is_int(cql_session_in_flight(session), 0, "its stream is free");
	query("Q", 6);
	answer_void(1);
	got_response(CQL_RESPONSE_VOID, TAG(6), "what follows is right");
}

/* While its body is coming. */
static void
test_abandon_half(void)
{
	size_t		room;
	uint8_t    *unused;

	begin();
	query("Q", 0);
	body_i32(2);
	body_i32(0);
	body_i32(1);
	body_text("ks");
	body_text("t");
	body_text("c");
	body_u16(3);
	body_i32(1);
	body_i32(100000);
	for (int i = 0; i < 10; i++)
		body_raw(tags, 10000);
	answer(0, CQL_OP_RESULT);
	chunk = 60000;
	if (receive_some() != CQL_OK || cql_session_next(session, &event) != CQL_OK)
		abort();
	is_int(event.kind, CQL_EVENT_NONE, "half of it has come");
	is_int(cql_session_input(session, &unused, &room), CQL_OK, "room");
	cql_session_abandon(session, 0);
	is_event(CQL_EVENT_NONE, "abandoned");
	is_int(cql_session_in_flight(session), 0, "all of it has come");
	chunk = SIZE_MAX;
}

/* ------
 * Bytes
 * ------
 */

/* A value of `size` bytes comes as it was sent. */
static void
answer_blob(int stream, size_t size)
{
	body_i32(2);
	body_i32(1);
	body_i32(1);
	body_text("ks");
	body_text("t");
	body_text("c");
	body_u16(3);
	body_i32(1);
	body_i32((int32_t) size);
	for (size_t i = 0; i < size; i++)
		body_u8((int) (i * i >> 8));
	answer(stream, CQL_OP_RESULT);
}

static bool
blob_is_right(size_t size)
{
	const CqlBytes content = event.response->u.rows.content;

	if ((size_t) content.length != size + 4)
		return false;
	for (size_t i = 0; i < size; i++)
		if (content.data[4 + i] != (uint8_t) (i * i >> 8))
			return false;
	return true;
}

static void
test_large(void)
{
	static const size_t sizes[] = {0, 1, 16000, 16384, 17000, 65000, 65536, 65537,
	131072, 1000000};
	static const size_t chunks[] = {1000, 65536, 99999, SIZE_MAX};
	bool		good = true;

	begin();
	for (size_t c = 0; c < sizeof(chunks) / sizeof(chunks[0]); c++)
	{
		chunk = chunks[c];
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
			query("Q", (int) i);
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
			answer_blob((int) i, sizes[i]);
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		{
			if (!is_response(CQL_RESPONSE_ROWS, TAG(i), "a body"))
				return;
			good &= blob_is_right(sizes[i]);
			cql_response_free(event.response);
		}
		/* the streams come back in another order */
		begin();
	}
	ok(good, "bodies of any size");
	chunk = SIZE_MAX;
}

/* Memory that is asked for, at most. */
static size_t largest;

static void *
watch_alloc(void *context, size_t size)
{
	if (size > largest)
		largest = size;
	return test_alloc(context, size);
}

static void *
watch_resize(void *context, void *old, size_t size)
{
	if (size > largest)
		largest = size;
	return test_resize(context, old, size);
}

/* A frame that claims 256 MiB and brings little takes little. */
static void
test_claims(void)
{
	const CqlAllocator watcher = {watch_alloc, watch_resize, test_release, &memory};

	set_options();
	close_session();
	session = cql_session_create(&watcher, &options, &error);
	answer_supported();
	answer(0, CQL_OP_READY);
	next();
	query("Q", 0);
	largest = 0;
	answer_header(0x84, 0, 0, CQL_OP_RESULT, 256 * 1024 * 1024);
	for (int i = 0; i < 20; i++)
		peer_raw(tags, 10000);
	is_event(CQL_EVENT_NONE, "200,000 bytes of it have come");
	ok(largest >= 200000 && largest < 300000, "memory of %zu bytes was taken", largest);
	answer_header(0x84, 0, 0, CQL_OP_RESULT, 0);

	begin();
	answer_header(0x84, 0, 0, CQL_OP_RESULT, 256 * 1024 * 1024 + 1);
	is_failure(CQL_TOO_LARGE,
			   "frame of 268435457 bytes is larger than 268435456 bytes");
}

/* Room that is full of answers which nobody has taken. */
static void
test_full(void)
{
	uint8_t    *room;
	size_t		size;

	begin();
	is_int(cql_session_input(session, &room, &size), CQL_OK, "room");
	ok(size > 0, "of %zu bytes", size);
	query("Q", 0);
	answer_void(0);
	peer_length -= 13;
	for (size_t left = size; left > 0;)
	{
		size_t		n = left < 13 ? left : 13;

		memcpy(room, peer_data + peer_length, n);
		room += n;
		left -= n;
	}
	is_int(cql_session_received(session, size), CQL_OK, "full");
	is_int(cql_session_input(session, &room, &size), CQL_BUSY, "there is no more");
	is_int(cql_session_error(session)->status, CQL_OK, "the session has not failed");
	is_int(cql_session_next(session, &event), CQL_OK, "an event is taken");
	cql_response_free(event.response);
	is_int(cql_session_input(session, &room, &size), CQL_OK, "now there is room");
	is_int(cql_session_received(session, size + 1), CQL_INVALID, "more than room");
	is_int(cql_session_error(session)->status, CQL_INVALID, "it is not to be used now");

	/* a large body that is complete, but was not taken */
	begin();
	query("Q", 0);
	answer_blob(0, 50000);
	chunk = 20000;
	is_int(receive_some(), CQL_OK, "some of it");
	is_int(cql_session_next(session, &event), CQL_OK, "it is not complete");
	is_int(receive_some(), CQL_OK, "some more");
	is_int(receive_some(), CQL_OK, "the rest");
	is_int(cql_session_input(session, &room, &size), CQL_BUSY, "no room behind it");
	is_int(cql_session_received(session, 1), CQL_INVALID, "nor is any received");
	chunk = SIZE_MAX;
	begin();
	is_int(cql_session_received(session, 70000), CQL_INVALID, "without asking for room");
}

/* Requests are added to an output of which a part has gone. */
static void
test_partly_sent(void)
{
	const uint8_t *data;
	size_t		size;

	begin();
	query("1", 0);
	query("2", 0);
	cql_session_sent(session, 30);
	query("3", 0);
	is_output("32 0001 00 04 00 0002 07 00000008 00000001 33 0001 00",
			  "the rest of the second, the third");
	cql_session_output(session, &data, &size);
	ok(data == NULL && size == 0, "all is sent");
	query("4", 0);
	cql_session_sent(session, 1000);
	cql_session_output(session, &data, &size);
	ok(size == 0, "no more is sent than there is");
}

/* An output that never is sent to the end stays as small as its rest. */
static void
test_never_all_sent(void)
{
	const CqlAllocator watcher = {watch_alloc, watch_resize, test_release, &memory};
	const uint8_t *data;
	size_t		size;
	bool		good = true;

	set_options();
	close_session();
	session = cql_session_create(&watcher, &options, &error);
	answer_supported();
	answer(0, CQL_OP_READY);
	next();
	drop_output();
	query("Q", 0);
	cql_session_sent(session, 12);
	largest = 0;
	for (int i = 0; i < 5000; i++)
	{
		good &= query("Q", 1) == 1;
		cql_session_output(session, &data, &size);
		good &= size == 17 + 5 && memcmp(data + 5, "\4\0\0\1\7", 5) == 0;
		cql_session_sent(session, 17);
		answer_void(1);
		good &= next() == CQL_OK && event.kind == CQL_EVENT_RESPONSE;
		cql_response_free(event.response);
	}
	ok(good, "5,000 requests");
	ok(largest < 65536, "no more than %zu bytes were taken", largest);
	close_session();
}

/* Requests need no memory of their own once there were others before. */
static void
test_allocations(void)
{
	const CqlPrepared *prepared;
	CqlBytes	value = {(const uint8_t *) tags, 500};
	bool		good = true;
	long		before;

	begin();
	prepared = prepare("P", 1);
	for (int i = 0; i < 100; i++)
	{
		before = memory.requests;
		good &= cql_session_execute(session, prepared, 1, &value, &one, NULL, NULL,
									NULL) == CQL_OK;
		good &= i == 0 || memory.requests == before;
		drop_output();
		answer_void(0);
		good &= next() == CQL_OK && event.kind == CQL_EVENT_RESPONSE;
		cql_response_free(event.response);
		good &= i == 0 || memory.requests == before + 1;
	}
	ok(good, "a request takes no memory, its response one piece");
	before = memory.live;
	value.length = sizeof(tags);
	good = cql_session_execute(session, prepared, 1, &value, &one, NULL, NULL, NULL) == CQL_OK;
	drop_output();
	answer_void(0);
	got_response(CQL_RESPONSE_VOID, NULL, "a large request");
	ok(good && memory.live < before, "its copy is not kept");
}

/* A large output gives its memory back. */
static void
test_large_output(void)
{
	char	   *text = malloc(2000000);
	size_t		length;
	uint8_t    *sent;
	long		live;

	memset(text, ' ', 2000000);
	begin();
	live = memory.live;
	is_int(cql_session_query(session, (CqlString) {text, 2000000}, 0, NULL, &one, NULL,
							 NULL, &error), CQL_OK, "a statement of 2 MB");
	sent = take_output(&length);
	is_int((long long) length, 9 + 4 + 2000000 + 3, "all of it");
	is_hex(sent, 13, "04 00 0000 07 001e8487 001e8480", "its beginning");
	ok(memory.live <= live, "the output's memory is given back");
	free(sent);
	free(text);
}

/* ------
 * Compression
 * ------
 */

static void
test_compression(void)
{
	char		text[1000];
	uint8_t    *sent;
	size_t		length;

	set_options();
	options.compression = true;
	must_connect();
	memset(text, ' ', sizeof(text));
	is_int(cql_session_query(session, (CqlString) {text, sizeof(text)}, 0, NULL, &one,
							 TAG(1), NULL, &error), CQL_OK, "a long statement");
	sent = take_output(&length);
	is_int(sent[1], 1, "is compressed");
	ok(length < 100, "to %zu bytes", length);
	free(sent);
	/* void, compressed: 4 bytes of length, a token of 4 literals */
	body_i32(4);
	body_u8(0x40);
	body_i32(1);
	answer_flags(0, CQL_OP_RESULT, 1);
	got_response(CQL_RESPONSE_VOID, TAG(1), "an answer that is compressed");
	query("Q", 2);
	is_output("04 00 0000 07 00000008 00000001 51 0001 00", "a short one is not");
	answer_void(0);
	got_response(CQL_RESPONSE_VOID, TAG(2), "an answer that is not");
}

/* A large body of one value, all of it the same byte. */
static void
test_large_compressed(void)
{
	static const char zeroes[100000];
	CqlWriter	writer;
	size_t		size = 100000;
	size_t		mark;
	size_t		at;

	set_options();
	options.compression = true;
	must_connect();
	query("Q", 3);
	at = peer_length + CQL_HEADER_SIZE;
	answer_blob(0, 40000);
	cql_writer_init(&writer, &allocator, 1000000, NULL);
	if (cql_frame_begin(&writer, CQL_OP_RESULT, 0, 0, &mark) != CQL_OK ||
		cql_write_raw(&writer, peer_data + at, peer_length - at) != CQL_OK ||
		cql_write_raw(&writer, zeroes, size) != CQL_OK ||
		cql_frame_end(&writer, mark, true) != CQL_OK)
		abort();
	writer.data[0] = 0x84;
	peer_length = peer_come;
	peer_raw(writer.data, writer.length);
	ok(writer.length > 20000, "compressed to %zu bytes", writer.length);
	cql_writer_free(&writer);
	chunk = 7000;
	is_response(CQL_RESPONSE_ROWS, TAG(3), "a large body that is compressed");
	is_int(event.response->u.rows.content.length, 4 + 40000 + (long long) size, "length");
	cql_response_free(event.response);
	chunk = SIZE_MAX;
}

static void
compressed_failure(bool agreed, const char *body, CqlStatus status,
				   const char *message)
{
	size_t		length;
	uint8_t    *bytes = from_hex(body, &length);

	set_options();
	options.compression = agreed;
	must_connect();
	query("Q", 0);
	body_raw(bytes, length);
	answer_flags(0, CQL_OP_RESULT, 1);
	is_failure(status, message);
	free(bytes);
}

static void
test_bad_compression(void)
{
	compressed_failure(false, "00000004 40 00000001", CQL_MALFORMED,
					   "the server sent a compressed frame, which was not agreed on");
	compressed_failure(true, "00000005 40 00000001", CQL_MALFORMED,
					   "compressed frame does not hold the 5 bytes that it claims");
	compressed_failure(true, "000000", CQL_MALFORMED, "compressed frame has 3 bytes only");
	compressed_failure(true, "", CQL_MALFORMED, "compressed frame has 0 bytes only");
	compressed_failure(true, "10000001 40 00000001", CQL_TOO_LARGE,
					   "frame of 268435457 bytes, once decompressed, is larger than 268435456 bytes");
	compressed_failure(true, "10000000 40 00000001", CQL_MALFORMED,
					   "compressed frame of 9 bytes cannot hold 268435456 bytes");
	/* it is right, but not a message */
	compressed_failure(true, "00000004 40 00000009", CQL_MALFORMED,
					   "the server sent a result of unknown kind 9");
}

/* ------
 * What no server should send
 * ------
 */

static void
test_unknown_stream(void)
{
	begin();
	query("Q", 0);
	answer_void(1);
	is_failure(CQL_MALFORMED,
			   "the server answered a request that was not made (stream 1)");
	begin();
	query("Q", 0);
	answer_void(0);
	got_response(CQL_RESPONSE_VOID, TAG(0), "an answer");
	answer_void(0);
	is_failure(CQL_MALFORMED,
			   "the server answered a request that was not made (stream 0)");
	begin();
	answer_error(5, CQL_ERR_SERVER, "something broke");
	is_failure(CQL_MALFORMED, "the server sent an error for a request that was not made"
			   " (stream 5): something broke");
	begin();
	answer_error(-1, CQL_ERR_OVERLOADED, "too much");
	is_failure(CQL_MALFORMED, "the server sent an error for a request that was not made"
			   " (stream -1): too much");
	begin();
	answer_void(-1);
	is_failure(CQL_MALFORMED,
			   "the server answered a request that was not made (stream -1)");
}

static void
test_wrong_kinds(void)
{
	begin();
	query("Q", 0);
	answer(0, CQL_OP_READY);
	is_failure(CQL_MALFORMED, "the server answered message 0x07 with message 0x02");
	begin();
	query("Q", 0);
	answer_prepared(0, 1, 9, 9);
	is_failure(CQL_MALFORMED, "the server answered message 0x07 with message 0x08");
	begin();
	query("Q", 0);
	body_text("STATUS_NEWS");
	answer(0, CQL_OP_EVENT);
	is_failure(CQL_MALFORMED, "the server answered message 0x07 with message 0x0c");
	begin();
	if (cql_session_prepare(session, str("P"), NULL, NULL, NULL) != CQL_OK)
		abort();
	answer_void(0);
	is_failure(CQL_MALFORMED, "the server answered message 0x09 with message 0x08");
	begin();
	if (cql_session_register(session, 0, NULL, NULL, NULL, NULL) != CQL_OK)
		abort();
	answer_void(0);
	is_failure(CQL_MALFORMED, "the server answered message 0x0b with message 0x08");
	begin();
	if (cql_session_options(session, NULL, NULL, NULL) != CQL_OK)
		abort();
	answer_void(0);
	is_failure(CQL_MALFORMED, "the server answered message 0x05 with message 0x08");
	begin();
	query("Q", 0);
	body_i32(99);
	answer(0, CQL_OP_RESULT);
	is_failure(CQL_MALFORMED, "the server sent a result of unknown kind 99");
	begin();
	query("Q", 0);
	answer(0, 0x42);
	is_failure(CQL_MALFORMED, "the server sent a message of unknown kind 0x42");
}

/* ------
 * Prepared statements
 * ------
 */

static void
test_prepare(void)
{
	const CqlPrepared *prepared;
	const CqlPrepared *again;
	int16_t		stream;

	begin();
	is_int(cql_session_prepare(session, str("SELECT"), TAG(1), &stream, &error), CQL_OK,
		   "PREPARE");
	is_output("04 00 0000 09 0000000a 00000006 53454c454354", "PREPARE");
	ok(cql_session_find_prepared(session, str("SELECT")) == NULL, "not known yet");
	answer_prepared(0, 0xcafe, CQL_TYPE_INT, CQL_TYPE_VARCHAR);
	is_event(CQL_EVENT_PREPARED, "prepared");
	ok(event.tag == TAG(1), "tag");
	ok(event.response == NULL, "no response");
	prepared = event.prepared;
	ok(cql_string_equals(prepared->text, "SELECT"), "text");
	is_hex(prepared->id.data, (size_t) prepared->id.length, "cafe", "id");
	is_int(prepared->markers.ncolumns, 1, "markers");
	is_int(prepared->markers.columns[0].type->id, CQL_TYPE_INT, "type");
	is_int(prepared->markers.npartition_key, 1, "partition key");
	is_int(prepared->result.columns[0].type->id, CQL_TYPE_VARCHAR, "type of the result");
	is_int(prepared->generation, 0, "generation");
	ok(!prepared->conditional, "not conditional");
	ok(cql_session_find_prepared(session, str("SELECT")) == prepared, "found");
	ok(cql_session_find_prepared(session, str("SELEC")) == NULL, "another is not");

	is_int(cql_session_prepare(session, str("SELECT"), TAG(2), &stream, &error), CQL_OK,
		   "the same again");
	is_output("", "nothing goes");
	is_int(cql_session_in_flight(session), 1, "it is under way");
	is_event(CQL_EVENT_PREPARED, "it comes at once");
	ok(event.tag == TAG(2) && event.prepared == prepared, "the same");
	is_int(cql_session_in_flight(session), 0, "no more");

	is_int(cql_session_prepare(session, str("SELECT"), TAG(3), &stream, &error), CQL_OK,
		   "abandoned before it comes");
	cql_session_abandon(session, stream);
	is_event(CQL_EVENT_NONE, "no event");
	is_int(cql_session_in_flight(session), 0, "no more");

	again = prepare("SELECT 2", 0xbeef);
	ok(again != prepared, "another statement");
	ok(cql_session_find_prepared(session, str("SELECT")) == prepared, "both are known");
}

static void
test_prepare_fails(void)
{
	begin();
	for (int i = 0; i < 2; i++)
	{
		is_int(cql_session_prepare(session, str("SELEC"), TAG(1), NULL, &error), CQL_OK,
			   "PREPARE");
		answer_error(0, CQL_ERR_SYNTAX, "no");
		is_response(CQL_RESPONSE_ERROR, TAG(1), "an error");
		ok(event.prepared == NULL, "no statement");
		cql_response_free(event.response);
		ok(cql_session_find_prepared(session, str("SELEC")) == NULL, "not known");
	}
	/* twice at once: one fails, the other does not */
	for (int i = 0; i < 2; i++)
		is_int(cql_session_prepare(session, str("P"), TAG(i), NULL, &error), CQL_OK,
			   "PREPARE");
	answer_error(1, CQL_ERR_OVERLOADED, "no");
	got_response(CQL_RESPONSE_ERROR, TAG(1), "the second fails");
	answer_prepared(0, 1, 9, 9);
	is_event(CQL_EVENT_PREPARED, "the first does not");
	/* the other way round */
	for (int i = 0; i < 2; i++)
		is_int(cql_session_prepare(session, str("R"), TAG(i), NULL, &error), CQL_OK,
			   "PREPARE");
	answer_prepared(1, 1, 9, 9);
	is_event(CQL_EVENT_PREPARED, "the second");
	answer_error(0, CQL_ERR_OVERLOADED, "no");
	got_response(CQL_RESPONSE_ERROR, TAG(0), "the first fails");
	ok(cql_session_find_prepared(session, str("R")) != NULL, "it is known all the same");
}

/* An abandoned prepare is remembered, if it succeeds. */
static void
test_prepare_abandoned(void)
{
	int16_t		stream;

	begin();
	if (cql_session_prepare(session, str("P"), NULL, &stream, NULL) != CQL_OK)
		abort();
	cql_session_abandon(session, stream);
	answer_prepared(0, 1, 9, 9);
	is_event(CQL_EVENT_NONE, "no event");
	ok(cql_session_find_prepared(session, str("P")) != NULL, "but it is known");
	if (cql_session_prepare(session, str("R"), NULL, &stream, NULL) != CQL_OK)
		abort();
	cql_session_abandon(session, stream);
	answer_error(0, CQL_ERR_SYNTAX, "no");
	is_event(CQL_EVENT_NONE, "no event");
	is_int(cql_session_in_flight(session), 0, "none is under way");
}

/* More statements than the table has places at first. */
static void
test_many_statements(void)
{
	const CqlPrepared *prepared[200];
	char		text[20];
	bool		good = true;

	begin();
	for (int i = 0; i < 200; i++)
	{
		sprintf(text, "SELECT %d", i);
		prepared[i] = prepare(text, i);
	}
	for (int i = 0; i < 200; i++)
	{
		sprintf(text, "SELECT %d", i);
		good &= cql_session_find_prepared(session, str(text)) == prepared[i] &&
			cql_string_equals(prepared[i]->text, text);
	}
	ok(good, "200 statements are found");
	/* as many that fail are not in the way of these */
	for (int i = 0; i < 200; i++)
	{
		sprintf(text, "WRONG %d", i);
		good &= cql_session_prepare(session, str(text), TAG(i), NULL, NULL) == CQL_OK;
	}
	for (int i = 0; i < 200; i++)
		answer_error(i, CQL_ERR_SYNTAX, "wrong");
	for (int i = 0; i < 200; i++)
	{
		good &= next() == CQL_OK && event.kind == CQL_EVENT_RESPONSE;
		cql_response_free(event.response);
	}
	for (int i = 0; i < 200; i++)
	{
		sprintf(text, "SELECT %d", i);
		good &= cql_session_find_prepared(session, str(text)) == prepared[i];
		sprintf(text, "WRONG %d", i);
		good &= cql_session_find_prepared(session, str(text)) == NULL;
	}
	ok(good, "200 that were found wrong are not");
}

/* ScyllaDB's mark of conditional statements. */
static void
test_conditional(void)
{
	set_options();
	open_session();
	body_u16(1);
	body_text("SCYLLA_LWT_ADD_METADATA_MARK");
	body_u16(1);
	body_text("LWT_OPTIMIZATION_META_BIT_MASK=2147483648");
	answer(0, CQL_OP_SUPPORTED);
	next();
	answer(0, CQL_OP_READY);
	is_event(CQL_EVENT_READY, "ScyllaDB");
	if (cql_session_prepare(session, str("IF"), NULL, NULL, NULL) != CQL_OK)
		abort();
	body_i32(4);
	body_u16(2);
	body_u16(1);
	body_i32((int32_t) 0x80000001);
	body_i32(0);
	body_i32(0);
	body_text("ks");
	body_text("t");
	body_i32(4);
	body_i32(0);
	answer(0, CQL_OP_RESULT);
	is_event(CQL_EVENT_PREPARED, "prepared");
	ok(event.prepared->conditional, "it is conditional");
	ok(!prepare("NO IF", 2)->conditional, "another is not");
}

static void
test_execute(void)
{
	CqlBytes	value = {(const uint8_t *) "\0\0\0\7", 4};
	const CqlPrepared *prepared;
	CqlParameters p = one;
	int16_t		stream;

	begin();
	prepared = prepare("P", 0xcafe);
	p.skip_metadata = true;
	is_int(cql_session_execute(session, prepared, 1, &value, &p, TAG(1), &stream, &error),
		   CQL_OK, "EXECUTE");
	is_output("04 00 0000 0a 00000011 0002 cafe 0001 03 0001 00000004 00000007", "EXECUTE");
	body_i32(2);
	body_i32(4);
	body_i32(1);
	body_i32(0);
	answer(0, CQL_OP_RESULT);
	is_response(CQL_RESPONSE_ROWS, TAG(1), "rows");
	ok(event.prepared == prepared, "of the prepared statement");
	ok(event.response->u.rows.metadata.columns == NULL, "without metadata");
	cql_response_free(event.response);

	is_int(cql_session_execute(session, prepared, 0, NULL, &one, NULL, NULL, &error),
		   CQL_INVALID, "too few values");
	is_text(error.message, "statement has 1 markers, but 0 values were given", "message");
	is_int(cql_session_execute(session, prepared, 2, &value, &one, NULL, NULL, NULL),
		   CQL_INVALID, "too many values");
	is_int(cql_session_in_flight(session), 0, "none is under way");
}

static void
test_forget(void)
{
	CqlBytes	value = {(const uint8_t *) "\0\0\0\7", 4};
	const CqlPrepared *prepared;
	int16_t		stream;

	begin();
	ok(cql_session_forget(session, str("nothing")), "a statement that is not known");
	is_int(cql_session_prepare(session, str("P"), TAG(1), NULL, &error), CQL_OK, "PREPARE");
	ok(!cql_session_forget(session, str("P")), "not while it is being prepared");
	answer_prepared(0, 0xcafe, CQL_TYPE_INT, CQL_TYPE_VARCHAR);
	is_event(CQL_EVENT_PREPARED, "prepared");
	prepared = event.prepared;
	prepare("Q", 0xbeef);
	is_int(cql_session_execute(session, prepared, 1, &value, &one, TAG(1), &stream, &error),
		   CQL_OK, "EXECUTE");
	ok(!cql_session_forget(session, str("P")), "nor while a request uses it");
	cql_session_abandon(session, stream);
	ok(!cql_session_forget(session, str("P")), "also an abandoned one");
	answer_row(stream, 1);
	is_event(CQL_EVENT_NONE, "swallowed");
	ok(cql_session_forget(session, str("P")), "now it can be forgotten");
	ok(cql_session_find_prepared(session, str("P")) == NULL, "it is not known");
	ok(cql_session_find_prepared(session, str("Q")) != NULL, "the other is");
	prepare("P", 0xcafe);
}

static void
test_response_outlives_session(void)
{
	CqlResponse *response;

	begin();
	query("Q", 1);
	answer_row(0, 42);
	is_response(CQL_RESPONSE_ROWS, TAG(1), "rows");
	response = event.response;
	close_session();
	is_int(response->u.rows.metadata.columns[0].type->id, CQL_TYPE_INT, "its type");
	is_int(response->u.rows.content.length, 8, "its rows");
	cql_response_free(response);
}

static void
test_other_session(void)
{
	CqlBytes	value = {NULL, CQL_LENGTH_NULL};
	CqlSession *first;
	const CqlPrepared *prepared;

	begin();
	prepared = prepare("P", 1);
	first = session;
	session = NULL;
	begin();
	is_int(cql_session_execute(session, prepared, 1, &value, &one, NULL, NULL, &error),
		   CQL_INVALID, "a statement of another session");
	is_text(error.message, "the statement was prepared on another connection", "message");
	cql_session_free(first);
}

static void
test_batch(void)
{
	CqlBytes	value = {(const uint8_t *) "\0\0\0\7", 4};
	CqlBatchEntry entries[2] = {{.text = {"T", 1}}};
	int16_t		stream;

	begin();
	entries[1] = (CqlBatchEntry)
	{
		.prepared = prepare("P", 0xcafe),.nvalues = 1,.values = &value
	};
	is_int(cql_session_batch(session, CQL_BATCH_UNLOGGED, 2, entries, &one, TAG(1),
							 &stream, &error), CQL_OK, "BATCH");
	is_output("04 00 0000 0d 0000001d 01 0002 00 00000001 54 0000"
			  "01 0002 cafe 0001 00000004 00000007 0001 00", "BATCH");
	answer_void(0);
	got_response(CQL_RESPONSE_VOID, TAG(1), "its answer");

	entries[1].nvalues = 0;
	is_int(cql_session_batch(session, CQL_BATCH_LOGGED, 2, entries, &one, NULL, NULL,
							 NULL), CQL_INVALID, "too few values");
	entries[0].text.data = NULL;
	is_int(cql_session_batch(session, CQL_BATCH_LOGGED, 2, entries, &one, NULL, NULL,
							 &error), CQL_INVALID, "no text");
	is_text(error.message, "statement of a batch has no text", "message");
	is_int(cql_session_batch(session, CQL_BATCH_LOGGED, 65536, entries, &one, NULL, NULL,
							 NULL), CQL_INVALID, "too many statements");
	is_int(cql_session_in_flight(session), 0, "none is under way");
	is_output("", "nothing goes");
}

int
main(void)
{
	test_query();
	test_kinds_of_results();
	test_options_register();
	test_invalid_requests();
	test_out_of_order();
	test_busy();
	test_all_streams();
	test_abandon();
	test_abandon_half();
	test_large();
	test_claims();
	test_full();
	test_partly_sent();
	test_never_all_sent();
	test_allocations();
	test_large_output();
	test_compression();
	test_large_compressed();
	test_bad_compression();
	test_unknown_stream();
	test_wrong_kinds();
	test_prepare();
	test_prepare_fails();
	test_prepare_abandoned();
	test_many_statements();
	test_conditional();
	test_execute();
	test_forget();
	test_response_outlives_session();
	test_other_session();
	test_batch();
	close_session();
	is_int(memory.live, 0, "no memory is left");
	return done_testing();
}
