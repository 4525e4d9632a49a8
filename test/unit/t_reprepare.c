/* Statements that the server has forgotten. */
#include "peer.h"

/* Requests of P as they are sent: EXECUTE with one int. */
#define EXECUTE_ON(stream, id) \
	"04 00 " stream " 0a 00000011 0002 " id " 0001 01 0001 00000004 00000007"
#define PREPARE_ON(stream) "04 00 " stream " 09 00000005 00000001 50"

static const CqlBytes seven = {(const uint8_t *) "\0\0\0\7", 4};

/* ------
 * Helpers
 * ------
 */

/* A statement that is prepared. */
static const CqlPrepared *
prepare(const char *text, int id)
{
	int16_t		stream;

	if (cql_session_prepare(session, str(text), NULL, &stream, NULL) != CQL_OK)
		abort();
	drop_output();
	answer_prepared(stream, id, CQL_TYPE_INT, CQL_TYPE_VARCHAR);
	if (next() != CQL_OK || event.kind != CQL_EVENT_PREPARED)
		abort();
	return event.prepared;
}

/* A session of its own, with P prepared. */
static const CqlPrepared *
begin(void)
{
	set_options();
	must_connect();
	return prepare("P", 0xcafe);
}

static int16_t
execute(const CqlPrepared *prepared, int tag)
{
	int16_t		stream;

	if (cql_session_execute(session, prepared, 1, &seven, &one, TAG(tag), &stream,
							&error) != CQL_OK)
		abort();
	return stream;
}

static void
answer_unprepared(int stream, int id)
{
	body_error(CQL_ERR_UNPREPARED, "forgotten");
	body_u16(2);
	body_u16(id);
	answer(stream, CQL_OP_ERROR);
}

static void
got_unprepared(int tag, const char *name)
{
	if (!is_response(CQL_RESPONSE_ERROR, TAG(tag), name))
		return;
	is_int(event.response->u.error.code, CQL_ERR_UNPREPARED, name);
	is_int(event.response->u.error.statement_id.length, 2, "id of the statement");
	cql_response_free(event.response);
}

/* ------
 * An execute
 * ------
 */

static void
test_once(void)
{
	const CqlPrepared *prepared = begin();
	const CqlColumn *columns = prepared->markers.columns;

	execute(prepared, 1);
	is_output(EXECUTE_ON("0000", "cafe"), "EXECUTE");
	answer_unprepared(0, 0xcafe);
	is_event(CQL_EVENT_NONE, "the caller does not see it");
	is_output(PREPARE_ON("0000"), "PREPARE, on the same stream");
	is_int(cql_session_in_flight(session), 1, "it is under way");
	ok(cql_session_find_prepared(session, str("P")) == prepared, "still known");
	answer_prepared(0, 0xcafe, CQL_TYPE_INT, CQL_TYPE_VARCHAR);
	is_event(CQL_EVENT_NONE, "nor that");
	is_output(EXECUTE_ON("0000", "cafe"), "EXECUTE again");
	answer_row(0, 1);
	is_response(CQL_RESPONSE_ROWS, TAG(1), "rows");
	ok(event.prepared == prepared, "of the statement");
	cql_response_free(event.response);
	is_int(prepared->generation, 0, "it has not changed");
	ok(prepared->markers.columns == columns, "its metadata is the same");
	is_int(cql_session_in_flight(session), 0, "none is under way");

	/* another time it is the same */
	execute(prepared, 2);
	answer_unprepared(0, 0xcafe);
	is_event(CQL_EVENT_NONE, "forgotten once more");
	answer_prepared(0, 0xcafe, CQL_TYPE_INT, CQL_TYPE_VARCHAR);
	answer_void(0);
	got_response(CQL_RESPONSE_VOID, TAG(2), "known once more");
}

static void
test_twice(void)
{
	const CqlPrepared *prepared = begin();

	execute(prepared, 1);
	answer_unprepared(0, 0xcafe);
	answer_prepared(0, 0xcafe, CQL_TYPE_INT, CQL_TYPE_VARCHAR);
	answer_unprepared(0, 0xcafe);
	got_unprepared(1, "twice in a row is an error");
	is_int(cql_session_in_flight(session), 0, "none is under way");
	ok(cql_session_is_ready(session), "the session goes on");
}

static void
test_many(void)
{
	const CqlPrepared *prepared = begin();

	for (int i = 0; i < 3; i++)
		execute(prepared, i);
	drop_output();
	answer_unprepared(1, 0xcafe);
	answer_unprepared(0, 0xcafe);
	is_event(CQL_EVENT_NONE, "two of three");
	is_output(PREPARE_ON("0001"), "it is prepared once");
	answer_prepared(1, 0xcafe, CQL_TYPE_INT, CQL_TYPE_VARCHAR);
	is_event(CQL_EVENT_NONE, "known again");
	is_output(EXECUTE_ON("0001", "cafe") EXECUTE_ON("0000", "cafe"),
			  "both are sent again, in their order");
	/* the third was sent before, and its answer comes only now */
	answer_unprepared(2, 0xcafe);
	is_event(CQL_EVENT_NONE, "the third");
	is_output(EXECUTE_ON("0002", "cafe"), "is sent again at once");
	for (int i = 0; i < 3; i++)
	{
		answer_void(i);
		got_response(CQL_RESPONSE_VOID, TAG(i), "an answer");
	}
	is_int(cql_session_in_flight(session), 0, "none is under way");
}

/* All streams are in use: no further one is needed. */
static void
test_all_busy(void)
{
	const CqlPrepared *prepared;

	set_options();
	options.max_in_flight = 2;
	must_connect();
	prepared = prepare("P", 0xcafe);
	execute(prepared, 0);
	execute(prepared, 1);
	drop_output();
	answer_unprepared(1, 0xcafe);
	is_event(CQL_EVENT_NONE, "forgotten");
	is_output(PREPARE_ON("0001"), "PREPARE goes all the same");
	is_int(cql_session_options(session, NULL, NULL, NULL), CQL_BUSY, "busy as before");
}

static void
test_other_id(void)
{
	const CqlPrepared *prepared = begin();

	prepare("R", 0xbeef);
	execute(prepared, 1);
	answer_unprepared(0, 0xbeef);
	got_unprepared(1, "an id that is not the request's");
	execute(prepared, 2);
	body_error(CQL_ERR_UNPREPARED, "of no id");
	body_u16(0);
	answer(0, CQL_OP_ERROR);
	got_response(CQL_RESPONSE_ERROR, TAG(2), "an empty id");
}

/* ------
 * What it is prepared anew as
 * ------
 */

static void
test_prepare_fails(void)
{
	const CqlPrepared *prepared = begin();

	for (int i = 0; i < 3; i++)
		execute(prepared, i);
	for (int i = 0; i < 3; i++)
		answer_unprepared(i, 0xcafe);
	answer_error(0, CQL_ERR_INVALID, "unconfigured table t");
	for (int i = 0; i < 3; i++)
	{
		is_response(CQL_RESPONSE_ERROR, TAG(i), "each gets the reason");
		is_int(event.response->u.error.code, CQL_ERR_INVALID, "its code");
		ok(cql_string_equals(event.response->u.error.message, "unconfigured table t"),
		   "its words");
		is_int(event.response->stream, i, "its own stream");
		ok(event.prepared == prepared, "statement");
		cql_response_free(event.response);
	}
	is_int(cql_session_in_flight(session), 0, "none is under way");
	/* it may be possible later */
	execute(prepared, 4);
	drop_output();
	answer_void(2);
	got_response(CQL_RESPONSE_VOID, TAG(4), "later");
}

/* After `again` it is sent again, or the caller gets the error. */
static void
changes_to(int id, int marker, int column, bool sent_again, const char *name)
{
	const CqlPrepared *prepared = begin();
	const CqlMetadata markers = prepared->markers;
	const CqlMetadata result = prepared->result;

	execute(prepared, 1);
	answer_unprepared(0, 0xcafe);
	is_event(CQL_EVENT_NONE, name);
	drop_output();
	answer_prepared(0, id, marker, column);
	if (sent_again)
	{
		is_event(CQL_EVENT_NONE, name);
		is_output(EXECUTE_ON("0000", "cafe"), "it is sent again");
	}
	else
	{
		got_unprepared(1, "the caller gets the error");
		is_output("", "nothing is sent");
	}
	is_int(prepared->generation, 1, "generation");
	is_int(prepared->markers.columns[0].type->id, marker, "the new type");
	is_int(prepared->result.columns[0].type->id, column, "of the result, too");
	is_int(prepared->id.data[0] << 8 | prepared->id.data[1], id, "the new id");
	is_int(markers.columns[0].type->id, CQL_TYPE_INT, "the old one can be read still");
	is_int(result.columns[0].type->id, CQL_TYPE_VARCHAR, "of the result, too");
}

static void
test_changes(void)
{
	changes_to(0xcafe, CQL_TYPE_BIGINT, CQL_TYPE_VARCHAR, false, "type of a marker");
	changes_to(0xcafe, CQL_TYPE_INT, CQL_TYPE_BLOB, true, "type of a result");
	changes_to(0xbeef, CQL_TYPE_INT, CQL_TYPE_VARCHAR, false, "id");
}

/* PREPARED with metadata of other shapes: `markers` and `columns` ints. */
static void
answer_shape(int stream, int markers, int columns, const char *name, int key)
{
	body_i32(4);
	body_u16(2);
	body_u16(0xcafe);
	body_i32(1);
	body_i32(markers);
	body_i32(key >= 0);
	if (key >= 0)
		body_u16(key);
	body_text("ks");
	body_text("t");
	for (int i = 0; i < markers; i++)
	{
		body_text(name);
		body_u16(CQL_TYPE_INT);
	}
	body_i32(columns < 0 ? 4 : 1);
	body_i32(columns < 0 ? 0 : columns);
	if (columns >= 0)
	{
		body_text("ks");
		body_text("t");
		for (int i = 0; i < columns; i++)
		{
			body_text("v");
			body_u16(CQL_TYPE_VARCHAR);
		}
	}
	answer(stream, CQL_OP_RESULT);
}

static void
shape_changes(int markers, int columns, const char *marker, int key,
			  bool sent_again, const char *name)
{
	const CqlPrepared *prepared = begin();

	execute(prepared, 1);
	answer_unprepared(0, 0xcafe);
	is_event(CQL_EVENT_NONE, name);
	drop_output();
	answer_shape(0, markers, columns, marker, key);
	if (sent_again)
	{
		is_event(CQL_EVENT_NONE, name);
		is_output(EXECUTE_ON("0000", "cafe"), "it is sent again");
	}
	else
		got_unprepared(1, "the caller gets the error");
	is_int(prepared->generation, 1, "generation");
	is_int(prepared->markers.ncolumns, markers, "markers");
}

static void
test_shapes(void)
{
	shape_changes(2, 1, "k", 0, false, "one marker more");
	shape_changes(0, 1, "k", -1, false, "no marker");
	shape_changes(1, 2, "k", 0, true, "one column more");
	shape_changes(1, -1, "k", 0, true, "no columns are told");
	shape_changes(1, 1, "key", 0, true, "a marker has another name");
	shape_changes(1, 1, "k", -1, true, "the partition key is another");
}

/* A statement without rows: no columns are told, neither time. */
static void
test_no_columns(void)
{
	const CqlPrepared *prepared;

	set_options();
	must_connect();
	if (cql_session_prepare(session, str("P"), NULL, NULL, NULL) != CQL_OK)
		abort();
	answer_shape(0, 1, -1, "k", 0);
	is_event(CQL_EVENT_PREPARED, "prepared");
	prepared = event.prepared;
	ok(prepared->result.columns == NULL, "without columns");
	execute(prepared, 1);
	answer_unprepared(0, 0xcafe);
	answer_shape(0, 1, -1, "k", 0);
	answer_void(0);
	got_response(CQL_RESPONSE_VOID, TAG(1), "prepared anew, without columns");
	is_int(prepared->generation, 0, "it has not changed");
}

/* Changed in every respect, twice: what was before can be read. */
static void
test_generations(void)
{
	const CqlPrepared *prepared = begin();
	const CqlMetadata first = prepared->markers;
	CqlMetadata second;

	execute(prepared, 1);
	answer_unprepared(0, 0xcafe);
	answer_prepared(0, 0xcafe, CQL_TYPE_BLOB, CQL_TYPE_BLOB);
	got_unprepared(1, "changed");
	second = prepared->markers;
	execute(prepared, 2);
	answer_unprepared(0, 0xcafe);
	answer_prepared(0, 0xcafe, CQL_TYPE_UUID, CQL_TYPE_UUID);
	got_unprepared(2, "changed again");
	is_int(prepared->generation, 2, "generation");
	is_int(first.columns[0].type->id, CQL_TYPE_INT, "the first");
	is_int(second.columns[0].type->id, CQL_TYPE_BLOB, "the second");
	is_int(prepared->markers.columns[0].type->id, CQL_TYPE_UUID, "the third");

	/* nothing changes when it is merely prepared again */
	execute(prepared, 3);
	answer_unprepared(0, 0xcafe);
	answer_prepared(0, 0xcafe, CQL_TYPE_UUID, CQL_TYPE_UUID);
	answer_void(0);
	got_response(CQL_RESPONSE_VOID, TAG(3), "known again");
	is_int(prepared->generation, 2, "generation");
}

/* What was encoded before a change is not sent after it, however it learns. */
static void
test_outdated(void)
{
	const CqlPrepared *prepared = begin();

	execute(prepared, 1);
	execute(prepared, 2);
	answer_unprepared(0, 0xcafe);
	answer_prepared(0, 0xcafe, CQL_TYPE_BLOB, CQL_TYPE_BLOB);
	got_unprepared(1, "changed");
	answer_unprepared(1, 0xcafe);
	got_unprepared(2, "the other was encoded before");
	execute(prepared, 3);
	answer_unprepared(1, 0xcafe);
	is_event(CQL_EVENT_NONE, "encoded after it: it is prepared");
	is_int(cql_session_in_flight(session), 1, "it goes on");
}

/* Two callers prepare the same text at once, and the second brings a change. */
static void
test_prepared_twice(void)
{
	const CqlPrepared *prepared;

	set_options();
	must_connect();
	for (int i = 0; i < 2; i++)
		is_int(cql_session_prepare(session, str("P"), TAG(i), NULL, &error), CQL_OK,
			   "PREPARE");
	answer_prepared(0, 0xcafe, CQL_TYPE_INT, CQL_TYPE_INT);
	is_event(CQL_EVENT_PREPARED, "the first");
	prepared = event.prepared;
	execute(prepared, 3);
	answer_prepared(1, 0xcafe, CQL_TYPE_BLOB, CQL_TYPE_INT);
	is_event(CQL_EVENT_PREPARED, "the second");
	ok(event.prepared == prepared, "it is the same statement");
	is_int(prepared->generation, 1, "which has changed");
	answer_unprepared(0, 0xcafe);
	got_unprepared(3, "what was encoded before is not sent again");
}

/* ------
 * Abandoned ones
 * ------
 */

static void
test_abandoned(void)
{
	const CqlPrepared *prepared = begin();
	int16_t		first;
	int16_t		second;

	for (int i = 0; i < 3; i++)
		execute(prepared, i);
	for (int i = 0; i < 3; i++)
		answer_unprepared(i, 0xcafe);
	is_event(CQL_EVENT_NONE, "all have met it");
	drop_output();
	cql_session_abandon(session, 0);
	cql_session_abandon(session, 2);
	answer_prepared(0, 0xcafe, CQL_TYPE_INT, CQL_TYPE_VARCHAR);
	is_event(CQL_EVENT_NONE, "two of them, the one with the PREPARE too, are abandoned");
	is_output(EXECUTE_ON("0001", "cafe"), "the third is sent again");
	is_int(cql_session_in_flight(session), 1, "only it is under way");
	answer_void(1);
	got_response(CQL_RESPONSE_VOID, TAG(1), "its answer");

	execute(prepared, 4);
	answer_unprepared(1, 0xcafe);
	is_event(CQL_EVENT_NONE, "forgotten");
	cql_session_abandon_all(session);
	answer_error(1, CQL_ERR_SERVER, "no");
	is_event(CQL_EVENT_NONE, "abandoned, and the PREPARE failed");
	is_int(cql_session_in_flight(session), 0, "none is under way");

	/* its error is in the queue already */
	first = execute(prepared, 5);
	second = execute(prepared, 6);
	answer_unprepared(first, 0xcafe);
	answer_unprepared(second, 0xcafe);
	answer_error(first, CQL_ERR_SERVER, "no");
	got_response(CQL_RESPONSE_ERROR, TAG(5), "the first");
	cql_session_abandon_all(session);
	is_event(CQL_EVENT_NONE, "not the second");
	is_int(cql_session_in_flight(session), 0, "none is under way");
	/* freed in the midst of it */
	first = execute(prepared, 7);
	second = execute(prepared, 8);
	answer_unprepared(first, 0xcafe);
	answer_unprepared(second, 0xcafe);
	is_event(CQL_EVENT_NONE, "both wait");
}

/* Abandoned while the error is coming: it is not sent again. */
static void
test_abandoned_half(void)
{
	const CqlPrepared *prepared = begin();

	execute(prepared, 1);
	drop_output();
	answer_unprepared(0, 0xcafe);
	chunk = 12;
	if (receive_some() != CQL_OK || cql_session_next(session, &event) != CQL_OK)
		abort();
	cql_session_abandon(session, 0);
	chunk = SIZE_MAX;
	is_event(CQL_EVENT_NONE, "it is not told");
	is_output("", "nothing is sent");
	is_int(cql_session_in_flight(session), 0, "none is under way");
}

/* It was prepared anew since, but is forgotten already: waiting is better. */
static void
test_late(void)
{
	const CqlPrepared *prepared = begin();

	execute(prepared, 0);
	execute(prepared, 1);
	answer_unprepared(0, 0xcafe);
	answer_prepared(0, 0xcafe, CQL_TYPE_INT, CQL_TYPE_VARCHAR);
	answer_void(0);
	got_response(CQL_RESPONSE_VOID, TAG(0), "the first goes through");
	execute(prepared, 2);
	answer_unprepared(0, 0xcafe);
	is_event(CQL_EVENT_NONE, "forgotten again");
	drop_output();
	answer_unprepared(1, 0xcafe);
	is_event(CQL_EVENT_NONE, "the second hears of the first time");
	is_output("", "it waits");
	answer_prepared(0, 0xcafe, CQL_TYPE_INT, CQL_TYPE_VARCHAR);
	is_event(CQL_EVENT_NONE, "known");
	is_output(EXECUTE_ON("0000", "cafe") EXECUTE_ON("0001", "cafe"), "both go");
}

static void
test_wrong_answer(void)
{
	const CqlPrepared *prepared = begin();

	execute(prepared, 1);
	answer_unprepared(0, 0xcafe);
	answer_void(0);
	is_failure(CQL_MALFORMED, "the server answered message 0x09 with message 0x08");

	prepared = begin();
	execute(prepared, 1);
	execute(prepared, 2);
	answer_unprepared(0, 0xcafe);
	answer_unprepared(1, 0xcafe);
	answer_void(1);
	is_failure(CQL_MALFORMED,
			   "the server answered a request that was not made (stream 1)");
}

/* ------
 * Batches
 * ------
 */

/* Of both statements, and a text. */
static int16_t
batch(const CqlPrepared *a, const CqlPrepared *b, int tag)
{
	const CqlBatchEntry entries[3] = {
		{.prepared = a,.nvalues = 1,.values = &seven},
		{.text = {"T", 1}},
		{.prepared = b,.nvalues = 1,.values = &seven}
	};
	int16_t		stream;

	if (cql_session_batch(session, CQL_BATCH_LOGGED, 3, entries, &one, TAG(tag),
						  &stream, &error) != CQL_OK)
		abort();
	return stream;
}

#define BATCH_ON(stream) "04 00 " stream " 0d 0000002c 00 0003" \
	"01 0002 cafe 0001 00000004 00000007 00 00000001 54 0000" \
	"01 0002 beef 0001 00000004 00000007 0001 00"

static void
test_batch(void)
{
	const CqlPrepared *a = begin();
	const CqlPrepared *b = prepare("R", 0xbeef);

	batch(a, b, 1);
	is_output(BATCH_ON("0000"), "BATCH");
	answer_unprepared(0, 0xbeef);
	is_event(CQL_EVENT_NONE, "one is forgotten");
	is_output("04 00 0000 09 00000005 00000001 52", "it is prepared");
	answer_prepared(0, 0xbeef, CQL_TYPE_INT, CQL_TYPE_VARCHAR);
	is_event(CQL_EVENT_NONE, "known");
	is_output(BATCH_ON("0000"), "BATCH again");
	answer_unprepared(0, 0xcafe);
	is_event(CQL_EVENT_NONE, "the other is forgotten as well");
	is_output(PREPARE_ON("0000"), "it is prepared");
	answer_prepared(0, 0xcafe, CQL_TYPE_INT, CQL_TYPE_VARCHAR);
	is_event(CQL_EVENT_NONE, "known");
	is_output(BATCH_ON("0000"), "BATCH once more");
	answer_void(0);
	is_response(CQL_RESPONSE_VOID, TAG(1), "its answer");
	ok(event.prepared == NULL, "not of one statement");
	cql_response_free(event.response);
}

static void
test_batch_fails(void)
{
	const CqlPrepared *a = begin();
	const CqlPrepared *b = prepare("R", 0xbeef);

	batch(a, b, 1);
	answer_unprepared(0, 0xbeef);
	answer_prepared(0, 0xbeef, CQL_TYPE_INT, CQL_TYPE_VARCHAR);
	answer_unprepared(0, 0xbeef);
	got_unprepared(1, "the same twice in a row");

	batch(a, b, 2);
	answer_unprepared(0, 0xbeef);
	answer_prepared(0, 0xbeef, CQL_TYPE_INT, CQL_TYPE_VARCHAR);
	answer_unprepared(0, 0xcafe);
	answer_prepared(0, 0xcafe, CQL_TYPE_INT, CQL_TYPE_VARCHAR);
	answer_unprepared(0, 0xbeef);
	got_unprepared(2, "more often than it has statements");

	batch(a, b, 3);
	answer_unprepared(0, 0x1234);
	got_unprepared(3, "a statement that is not known");

	/* one of its statements changes while it is under way */
	batch(a, b, 4);
	execute(a, 5);
	answer_unprepared(1, 0xcafe);
	answer_prepared(1, 0xcafe, CQL_TYPE_BLOB, CQL_TYPE_VARCHAR);
	got_unprepared(5, "it changes");
	answer_unprepared(0, 0xbeef);
	got_unprepared(4, "the batch is not sent again");
}

/*
 * A statement that was prepared anew before the batch was sent again is
 * prepared anew once more, if it is forgotten after that.
 */
static void
test_batch_forgotten_again(void)
{
	const CqlPrepared *a = begin();
	const CqlPrepared *b = prepare("R", 0xbeef);

	batch(a, b, 1);
	execute(a, 2);
	answer_unprepared(1, 0xcafe);
	answer_prepared(1, 0xcafe, CQL_TYPE_INT, CQL_TYPE_VARCHAR);
	answer_unprepared(0, 0xbeef);
	answer_prepared(0, 0xbeef, CQL_TYPE_INT, CQL_TYPE_VARCHAR);
	is_event(CQL_EVENT_NONE, "one for the execute, one for the batch");
	drop_output();
	answer_unprepared(0, 0xcafe);
	is_event(CQL_EVENT_NONE, "the execute's is forgotten again");
	is_output(PREPARE_ON("0000"), "it is prepared again");
}

/* What a request has waited for may be needed again. */
static void
test_batch_needs(void)
{
	const CqlPrepared *a = begin();
	const CqlPrepared *b = prepare("R", 0xbeef);

	batch(a, b, 1);
	answer_unprepared(0, 0xbeef);
	is_event(CQL_EVENT_NONE, "forgotten");
	ok(!cql_session_forget(session, str("R")), "it is being prepared");
	answer_prepared(0, 0xbeef, CQL_TYPE_INT, CQL_TYPE_VARCHAR);
	is_event(CQL_EVENT_NONE, "known");
	ok(!cql_session_forget(session, str("R")), "the batch is under way");
	answer_void(0);
	got_response(CQL_RESPONSE_VOID, TAG(1), "the batch");
	ok(cql_session_forget(session, str("R")), "now it can be forgotten");
}

/* A batch and an execute wait for the same. */
static void
test_batch_waits(void)
{
	const CqlPrepared *a = begin();
	const CqlPrepared *b = prepare("R", 0xbeef);

	batch(a, b, 1);
	execute(a, 2);
	drop_output();
	answer_unprepared(1, 0xcafe);
	answer_unprepared(0, 0xcafe);
	is_event(CQL_EVENT_NONE, "both have met it");
	is_output(PREPARE_ON("0001"), "it is prepared once");
	answer_prepared(1, 0xcafe, CQL_TYPE_INT, CQL_TYPE_VARCHAR);
	is_event(CQL_EVENT_NONE, "known");
	is_output(EXECUTE_ON("0001", "cafe") BATCH_ON("0000"), "both are sent again");
}

/* What is kept of a large request is large; a later one finds its own. */
static void
test_large_request(void)
{
	const CqlPrepared *prepared = begin();
	CqlBytes	large = {(const uint8_t *) tags, sizeof(tags)};
	uint8_t    *first;
	uint8_t    *again;
	size_t		length;
	size_t		length_again;

	for (int compressed = 0; compressed < 2; compressed++)
	{
		set_options();
		options.compression = compressed;
		must_connect();
		prepared = prepare("P", 0xcafe);
		if (cql_session_execute(session, prepared, 1, &large, &one, TAG(1), NULL,
								&error) != CQL_OK)
			abort();
		first = take_output(&length);
		ok(compressed ? length < 1000 : length > sizeof(tags), "sent as %zu bytes",
		   length);
		answer_unprepared(0, 0xcafe);
		next();
		drop_output();
		answer_prepared(0, 0xcafe, CQL_TYPE_INT, CQL_TYPE_VARCHAR);
		next();
		again = take_output(&length_again);
		ok(length_again == length && memcmp(first, again, length) == 0,
		   "sent as the same bytes again");
		free(first);
		free(again);
		answer_void(0);
		got_response(CQL_RESPONSE_VOID, TAG(1), "its answer");
	}
	execute(prepared, 2);
	drop_output();
	answer_unprepared(0, 0xcafe);
	answer_prepared(0, 0xcafe, CQL_TYPE_INT, CQL_TYPE_VARCHAR);
	next();
	is_output(PREPARE_ON("0000") EXECUTE_ON("0000", "cafe"), "a small one behind it");
}

int
main(void)
{
	test_once();
	test_twice();
	test_many();
	test_all_busy();
	test_other_id();
	test_prepare_fails();
	test_changes();
	test_shapes();
	test_no_columns();
	test_generations();
	test_outdated();
	test_prepared_twice();
	test_abandoned();
	test_abandoned_half();
	test_late();
	test_wrong_answer();
	test_batch();
	test_batch_fails();
	test_batch_forgotten_again();
	test_batch_needs();
	test_batch_waits();
	test_large_request();
	close_session();
	is_int(memory.live, 0, "no memory is left");
	return done_testing();
}
