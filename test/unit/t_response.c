/* Responses: every message, result, error and event, and rows. */
#include "tap.h"

#include "cql/protocol.h"
#include "cql/response.h"

#define RATE_LIMIT 0xF000

static TestMemory memory;
static const CqlAllocator allocator = TEST_ALLOCATOR(&memory);
static CqlError error;
static CqlLimits limits;
static CqlResponse *response;

/* ------
 * Helpers
 * ------
 */

/* Frees the last response, and makes a new one, empty. */
static bool
begin(void)
{
	if (response != NULL)
		cql_response_free(response);
	memset(&error, 0, sizeof(error));
	limits = cql_default_limits;
	response = test_alloc(&memory, sizeof(*response));
	if (response == NULL)
		return false;
	memset(response, 0, sizeof(*response));
	cql_arena_init(&response->arena, &allocator);
	return true;
}

/* Takes a body apart that is in memory of exactly its size. */
static CqlStatus
read_with_limits(uint8_t opcode, uint8_t flags, const char *hex)
{
	size_t		length;
	uint8_t    *bytes = from_hex(hex, &length);

	response->body = test_alloc(&memory, length + (length == 0));
	if (response->body == NULL)
	{
		free(bytes);
		return CQL_NO_MEMORY;
	}
	memcpy(response->body, bytes, length);
	free(bytes);
	return cql_response_read(response, opcode, flags, response->body, length,
							 RATE_LIMIT, &limits, &error);
}

static CqlStatus
read_hex(uint8_t opcode, uint8_t flags, const char *hex)
{
	return begin() ? read_with_limits(opcode, flags, hex) : CQL_NO_MEMORY;
}

/* Goes through the rows: lengths of cells are not looked at before. */
static CqlStatus
read_rows(const CqlRows *rows)
{
	CqlRowReader reader;
	CqlBytes	cells[10];
	CqlStatus	status;

	status = cql_rows_begin(&reader, rows, &rows->metadata, &limits, &error);
	while (status == CQL_OK && reader.left > 0)
		status = cql_rows_next(&reader, cells);
	return status;
}

/* Reads copies in which one byte is another; only sanitizers judge. */
static void
damage(uint8_t opcode, uint8_t flags, const uint8_t *bytes, size_t length)
{
	static const uint8_t others[] = {0x00, 0x01, 0x7f, 0x80, 0xff};

	for (size_t i = 0; i < length * sizeof(others); i++)
	{
		if (!begin())
			abort();
		response->body = test_alloc(&memory, length);
		memcpy(response->body, bytes, length);
		response->body[i / sizeof(others)] = others[i % sizeof(others)];
		if (cql_response_read(response, opcode, flags, response->body, length, RATE_LIMIT,
							  &limits, &error) == CQL_OK &&
			response->kind == CQL_RESPONSE_ROWS && response->u.rows.metadata.ncolumns <= 10)
			(void) read_rows(&response->u.rows);
	}
}

/* It is of this kind; all shorter ones are malformed, with nothing read beyond. */
static void
is_kind(uint8_t opcode, uint8_t flags, const char *hex, CqlResponseKind kind,
		const char *name)
{
	size_t		length;
	uint8_t    *bytes = from_hex(hex, &length);
	bool		good = true;

	for (size_t n = 0; n < length; n++)
	{
		CqlStatus	status;

		if (!begin())
			abort();
		response->body = test_alloc(&memory, n + (n == 0));
		memcpy(response->body, bytes, n);
		status = cql_response_read(response, opcode, flags, response->body, n,
								   RATE_LIMIT, &limits, &error);
		if (status == CQL_OK && response->kind == CQL_RESPONSE_ROWS)
			status = read_rows(&response->u.rows);
		if (status != CQL_MALFORMED || error.status != CQL_MALFORMED)
		{
			printf("# of %zu bytes the first %zu: %d\n", length, n, status);
			good = false;
		}
	}
	ok(good, "%s: shorter ones are malformed", name);
	damage(opcode, flags, bytes, length);
	free(bytes);
	if (!is_int(read_hex(opcode, flags, hex), CQL_OK, name))
		printf("# %s\n", error.message);
	is_int(response->kind, kind, "its kind");
}

static void
fails(uint8_t opcode, uint8_t flags, const char *hex, CqlStatus status,
	  const char *message)
{
	is_int(read_hex(opcode, flags, hex), status, message);
	is_text(error.message, message, "message");
}

static void
fails_with_limits(uint8_t opcode, const char *hex, const char *message)
{
	is_int(read_with_limits(opcode, 0, hex), CQL_TOO_LARGE, message);
	is_text(error.message, message, "message");
}

static void
is_string(CqlString got, const char *expected, const char *name)
{
	if (!ok(cql_string_equals(got, expected), "%s", name))
		printf("# got \"%.*s\"\n", (int) got.length, got.data);
}

static void
is_bytes(CqlBytes got, const char *hex, const char *name)
{
	if (ok(got.length >= 0, "%s is there", name))
		is_hex(got.data, (size_t) got.length, hex, name);
}

/* ------
 * Simple messages
 * ------
 */

static void
test_simple(void)
{
	is_kind(CQL_OP_READY, 0, "", CQL_RESPONSE_READY, "READY");
	is_kind(CQL_OP_AUTHENTICATE, 0, "0003 466f6f", CQL_RESPONSE_AUTHENTICATE,
			"AUTHENTICATE");
	is_string(response->u.authenticator, "Foo", "its class");
	is_kind(CQL_OP_AUTH_CHALLENGE, 0, "00000002 cafe", CQL_RESPONSE_AUTH_CHALLENGE,
			"AUTH_CHALLENGE");
	is_bytes(response->u.token, "cafe", "its token");
	is_kind(CQL_OP_AUTH_CHALLENGE, 0, "ffffffff", CQL_RESPONSE_AUTH_CHALLENGE,
			"AUTH_CHALLENGE without a token");
	is_int(response->u.token.length, CQL_LENGTH_NULL, "null");
	is_kind(CQL_OP_AUTH_SUCCESS, 0, "00000000", CQL_RESPONSE_AUTH_SUCCESS,
			"AUTH_SUCCESS with an empty token");
	is_int(response->u.token.length, 0, "empty");
	is_kind(CQL_OP_AUTH_SUCCESS, 0, "ffffffff", CQL_RESPONSE_AUTH_SUCCESS,
			"AUTH_SUCCESS");
	is_int(response->u.token.length, CQL_LENGTH_NULL, "null");
	is_int(read_hex(CQL_OP_READY, 0, "0102"), CQL_OK, "what is behind a message is ignored");

	fails(CQL_OP_QUERY, 0, "", CQL_MALFORMED,
		  "the server sent a message of unknown kind 0x07");
	fails(0xff, 0, "", CQL_MALFORMED,
		  "the server sent a message of unknown kind 0xff");
}

static void
test_supported(void)
{
	const CqlMultimapEntry *entries;

	is_kind(CQL_OP_SUPPORTED, 0, "0000", CQL_RESPONSE_SUPPORTED, "SUPPORTED, empty");
	is_int(response->u.supported.count, 0, "no entries");
	is_kind(CQL_OP_SUPPORTED, 0,
			"0002 000b 434f4d5052455353494f4e 0002 0003 6c7a34 0006 736e61707079"
			"0001 78 0000", CQL_RESPONSE_SUPPORTED, "SUPPORTED");
	is_int(response->u.supported.count, 2, "its entries");
	entries = response->u.supported.entries;
	is_string(entries[0].key, "COMPRESSION", "a key");
	is_int(entries[0].values.count, 2, "its values");
	is_string(entries[0].values.items[0], "lz4", "one");
	is_string(entries[0].values.items[1], "snappy", "another");
	is_string(entries[1].key, "x", "another key");
	is_int(entries[1].values.count, 0, "without a value");

	fails(CQL_OP_SUPPORTED, 0, "ffff 0000 0000", CQL_MALFORMED,
		  "message ends before its 65535 options");
	fails(CQL_OP_SUPPORTED, 0, "0001 0000 ffff 0000", CQL_MALFORMED,
		  "message ends before its 65535 strings");

	begin();
	limits.elements = 1;
	fails_with_limits(CQL_OP_SUPPORTED, "0002 0000 0000 0000 0000",
					  "message has more than 1 options");
	begin();
	limits.elements = 1;
	fails_with_limits(CQL_OP_SUPPORTED, "0001 0000 0002 0000 0000",
					  "message has more than 1 strings");
	begin();
	limits.elements = 3;
	fails_with_limits(CQL_OP_SUPPORTED, "0002 0000 0002 0000 0000 0000 0002 0000 0000",
					  "message has more than 3 values of options");
	begin();
	limits.frame_size = 3;
	fails_with_limits(CQL_OP_SUPPORTED, "0000 0000",
					  "message of 4 bytes is larger than 3 bytes");
	begin();
	is_int(cql_response_read(response, CQL_OP_READY, 0, NULL, (size_t) INT32_MAX + 1, -1,
							 &limits, &error), CQL_TOO_LARGE, "a body beyond all limits");
	begin();
	limits.frame_size = UINT32_MAX;
	is_int(cql_response_read(response, CQL_OP_READY, 0, NULL, (size_t) INT32_MAX + 1, -1,
							 &limits, &error), CQL_TOO_LARGE, "even if the limit is higher");
}

static void
test_extras(void)
{
	static const char tracing[] = "000102030405060708090a0b0c0d0e0f";
	static const char warnings[] = "0002 0001 61 0002 6262";
	static const char payload[] = "0002 0001 6b 00000003 010203 0001 6c ffffffff";
	char		all[400];

	is_kind(CQL_OP_READY, CQL_FRAME_TRACING, tracing, CQL_RESPONSE_READY, "traced");
	ok(response->has_tracing_id, "there is a tracing id");
	is_hex(response->tracing_id, 16, tracing, "it is this");
	is_kind(CQL_OP_READY, CQL_FRAME_WARNINGS, warnings, CQL_RESPONSE_READY, "warned");
	is_int(response->warnings.count, 2, "two warnings");
	is_string(response->warnings.items[1], "bb", "the second");
	ok(!response->has_tracing_id, "there is no tracing id");
	is_kind(CQL_OP_READY, CQL_FRAME_PAYLOAD, payload, CQL_RESPONSE_READY, "payload");
	is_int(response->npayload, 2, "two entries");
	is_string(response->payload[0].key, "k", "a key");
	is_bytes(response->payload[0].value, "010203", "its value");
	is_string(response->payload[1].key, "l", "another key");
	is_int(response->payload[1].value.length, CQL_LENGTH_NULL, "its null");
	fails(CQL_OP_READY, CQL_FRAME_PAYLOAD, "0002 0000 00000000 0000", CQL_MALFORMED,
		  "message ends before its 2 payload entries");

	/* all together, in this order, before the message */
	snprintf(all, sizeof(all), "%s %s %s 0003 466f6f", tracing, warnings, payload);
	is_kind(CQL_OP_AUTHENTICATE,
			CQL_FRAME_TRACING | CQL_FRAME_WARNINGS | CQL_FRAME_PAYLOAD |
			CQL_FRAME_COMPRESSED, all, CQL_RESPONSE_AUTHENTICATE,
			"all of them");
	is_hex(response->tracing_id, 16, tracing, "tracing id");
	is_string(response->warnings.items[0], "a", "warning");
	is_bytes(response->payload[0].value, "010203", "payload");
	is_string(response->u.authenticator, "Foo", "the message");
}

static void
test_events(void)
{
	const CqlServerEvent *event;

	is_kind(CQL_OP_EVENT, 0, "000f 544f504f4c4f47595f4348414e4745 0008 4e45575f4e4f4445"
			"04 7f000001 00002352", CQL_RESPONSE_EVENT, "TOPOLOGY_CHANGE");
	event = &response->u.event;
	is_string(event->type, "TOPOLOGY_CHANGE", "its type");
	is_string(event->change, "NEW_NODE", "its change");
	is_bytes(event->address, "7f000001", "its address");
	is_int(event->port, 9042, "its port");
	is_kind(CQL_OP_EVENT, 0, "000d 5354415455535f4348414e4745 0004 444f574e"
			"10 20010db8000000000000000000000001 00002352", CQL_RESPONSE_EVENT,
			"STATUS_CHANGE");
	event = &response->u.event;
	is_string(event->type, "STATUS_CHANGE", "its type");
	is_string(event->change, "DOWN", "its change");
	is_bytes(event->address, "20010db8000000000000000000000001", "its address");
	is_kind(CQL_OP_EVENT, 0, "000d 534348454d415f4348414e4745 0007 43524541544544"
			"0005 5441424c45 0002 6b73 0001 74", CQL_RESPONSE_EVENT, "SCHEMA_CHANGE");
	event = &response->u.event;
	is_string(event->type, "SCHEMA_CHANGE", "its type");
	is_string(event->schema.change, "CREATED", "its change");
	is_string(event->schema.target, "TABLE", "its target");
	is_string(event->schema.keyspace, "ks", "its keyspace");
	is_string(event->schema.name, "t", "its name");
	is_kind(CQL_OP_EVENT, 0, "0004 4f544852", CQL_RESPONSE_EVENT, "another event");
	is_string(response->u.event.type, "OTHR", "its type is all that is known");
	is_int(response->u.event.address.length, 0, "no address");
	fails(CQL_OP_EVENT, 0, "000d 5354415455535f4348414e4745 0002 5550 05 0000000000 00002352",
		  CQL_MALFORMED, "internet address has 5 bytes");
}

static void
test_schema_changes(void)
{
	const CqlSchemaChange *schema;

	is_kind(CQL_OP_RESULT, 0, "00000005 0007 44524f50504544 0008 4b45595350414345 0002 6b73",
			CQL_RESPONSE_SCHEMA_CHANGE, "a keyspace");
	schema = &response->u.schema;
	is_string(schema->change, "DROPPED", "its change");
	is_string(schema->target, "KEYSPACE", "its target");
	is_string(schema->keyspace, "ks", "its keyspace");
	is_int(schema->name.length, 0, "no name");
	is_kind(CQL_OP_RESULT, 0, "00000005 0007 55504441544544 0004 54595045 0002 6b73 0001 75",
			CQL_RESPONSE_SCHEMA_CHANGE, "a type");
	is_string(response->u.schema.name, "u", "its name");
	is_kind(CQL_OP_RESULT, 0, "00000005 0007 55504441544544 0008 46554e4354494f4e 0002 6b73"
			"0001 66 0002 0003 696e74 0004 74657874", CQL_RESPONSE_SCHEMA_CHANGE,
			"a function");
	schema = &response->u.schema;
	is_string(schema->name, "f", "its name");
	is_int(schema->argument_types.count, 2, "its arguments");
	is_string(schema->argument_types.items[1], "text", "the second");
	is_kind(CQL_OP_RESULT, 0, "00000005 0007 55504441544544 0009 414747524547415445"
			"0002 6b73 0001 61 0000", CQL_RESPONSE_SCHEMA_CHANGE, "an aggregate");
	is_int(response->u.schema.argument_types.count, 0, "without arguments");
	is_kind(CQL_OP_RESULT, 0, "00000005 0007 55504441544544 0004 56494557",
			CQL_RESPONSE_SCHEMA_CHANGE, "a target that is not known");
	is_string(response->u.schema.target, "VIEW", "is named");
	is_int(response->u.schema.keyspace.length, 0, "and no more is read");
}

/* ------
 * Errors
 * ------
 */

/* Reads an error of this code, whose fields are these. */
static const CqlServerError *
server_error(const char *code, const char *fields, const char *name)
{
	char		hex[400];

	snprintf(hex, sizeof(hex), "%s 0004 6f6f7073 %s", code, fields);
	is_kind(CQL_OP_ERROR, 0, hex, CQL_RESPONSE_ERROR, name);
	is_int(response->u.error.code, strtol(code, NULL, 16), "its code");
	is_string(response->u.error.message, "oops", "its message");
	return &response->u.error;
}

/* Nothing is set but code and message. */
static bool
is_bare(const CqlServerError *got)
{
	CqlServerError expected = {.code = got->code,.message = got->message};

	return memcmp(got, &expected, sizeof(expected)) == 0;
}

static void
test_errors_without_fields(void)
{
	static const char *const codes[] = {
		"00000000", "0000000A", "00000100", "00001001", "00001002",
		"00001003", "00001600", "00002000", "00002100", "00002200",
		"00002300", "0000F001", "7fffffff",
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
	{
		const CqlServerError *got = server_error(codes[i], "", codes[i]);

		ok(is_bare(got), "no fields");
	}
	/* one that no server has announced */
	if (!begin())
		abort();
	is_int(cql_response_read(response, CQL_OP_ERROR, 0,
							 (const uint8_t *) "\0\0\xf0\0\0\0\1\1", 8, -1, &limits, &error),
		   CQL_OK, "the rate limit error, not announced");
	ok(is_bare(&response->u.error), "is one without fields");
	is_int(read_hex(CQL_OP_ERROR, 0, "ffffffff 0000 01"), CQL_OK, "a negative code");
	is_int(response->u.error.code, -1, "is that");
}

static void
test_errors_with_fields(void)
{
	const CqlServerError *got;

	got = server_error("00001000", "0004 00000002 00000001", "Unavailable");
	is_int(got->consistency, CQL_CONSISTENCY_QUORUM, "consistency");
	is_int(got->required, 2, "required");
	is_int(got->received, 1, "alive");

	got = server_error("00001100", "0008 00000001 00000002 0003 434153", "Write timeout");
	is_int(got->consistency, CQL_CONSISTENCY_SERIAL, "consistency");
	is_int(got->received, 1, "received");
	is_int(got->required, 2, "block for");
	is_string(got->write_type, "CAS", "write type");

	got = server_error("00001200", "0001 00000003 00000004 01", "Read timeout");
	is_int(got->consistency, CQL_CONSISTENCY_ONE, "consistency");
	is_int(got->received, 3, "received");
	is_int(got->required, 4, "block for");
	ok(got->data_present, "data present");
	got = server_error("00001200", "0001 00000003 00000004 00", "Read timeout, no data");
	ok(!got->data_present, "no data present");

	got = server_error("00001300", "000a 00000003 00000004 00000005 02", "Read failure");
	is_int(got->received, 3, "received");
	is_int(got->required, 4, "block for");
	is_int(got->failures, 5, "failures");
	ok(got->data_present, "data present");

	got = server_error("00001400", "0002 6b73 0001 66 0001 0003 696e74", "Function failure");
	is_string(got->keyspace, "ks", "keyspace");
	is_string(got->function, "f", "function");
	is_int(got->argument_types.count, 1, "arguments");
	is_string(got->argument_types.items[0], "int", "the argument");

	got = server_error("00001500", "0006 00000001 00000002 00000003 0006 53494d504c45",
					   "Write failure");
	is_int(got->received, 1, "received");
	is_int(got->required, 2, "block for");
	is_int(got->failures, 3, "failures");
	is_string(got->write_type, "SIMPLE", "write type");

	got = server_error("00001700", "0008 00000001 00000002", "CAS write unknown");
	is_int(got->consistency, CQL_CONSISTENCY_SERIAL, "consistency");
	is_int(got->received, 1, "received");
	is_int(got->required, 2, "block for");

	got = server_error("00002400", "0002 6b73 0001 74", "Already exists");
	is_string(got->keyspace, "ks", "keyspace");
	is_string(got->table, "t", "table");
	got = server_error("00002400", "0002 6b73 0000", "Already exists: a keyspace");
	is_int(got->table.length, 0, "no table");

	got = server_error("00002500", "0003 010203", "Unprepared");
	is_bytes(got->statement_id, "010203", "statement id");

	got = server_error("0000F000", "01 00", "Rate limit");
	is_int(got->operation, 1, "a write");
	ok(!got->by_coordinator, "not by the coordinator");
	got = server_error("0000F000", "00 01", "Rate limit");
	is_int(got->operation, 0, "a read");
	ok(got->by_coordinator, "by the coordinator");
}

/* A code that is announced for rate limits, but means something else. */
static void
test_rate_limit_code_taken(void)
{
	if (!begin())
		abort();
	is_int(cql_response_read(response, CQL_OP_ERROR, 0,
							 (const uint8_t *) "\0\0\x25\0\0\0\0\1\7", 9, 0x2500, &limits,
							 &error), CQL_OK, "Unprepared stays what it is");
	is_bytes(response->u.error.statement_id, "07", "with its id");
}

/* ------
 * Results
 * ------
 */

static void
test_plain_results(void)
{
	is_kind(CQL_OP_RESULT, 0, "00000001", CQL_RESPONSE_VOID, "Void");
	is_kind(CQL_OP_RESULT, 0, "00000003 0002 6b73", CQL_RESPONSE_SET_KEYSPACE,
			"Set_keyspace");
	is_string(response->u.keyspace, "ks", "its name");
	fails(CQL_OP_RESULT, 0, "00000006", CQL_MALFORMED,
		  "the server sent a result of unknown kind 6");
	fails(CQL_OP_RESULT, 0, "ffffffff", CQL_MALFORMED,
		  "the server sent a result of unknown kind -1");
	fails(CQL_OP_RESULT, 0, "00000000", CQL_MALFORMED,
		  "the server sent a result of unknown kind 0");
}

/* Reads all rows; cells as text, those of a row separated by |. */
static const char *
rows_text(const CqlRows *rows, const CqlMetadata *metadata)
{
	static char text[4096];
	CqlRowReader reader;
	CqlBytes	cells[10];
	size_t		used = 0;

	text[		0] = '\0';

	if (cql_rows_begin(&reader, rows, metadata, &limits, &error) != CQL_OK)
		return error.message;
	while (reader.left > 0)
	{
		if (cql_rows_next(&reader, cells) != CQL_OK)
			return error.message;
		for (uint32_t i = 0; i < reader.ncolumns; i++)
		{
			used += (size_t) snprintf(text +used, sizeof(text) - used, "%s",
									  i == 0 ? "[" : "|");
			if (cells[i].length < 0)
				used += (size_t) snprintf(text +used, sizeof(text) - used, "null");
			for (int32_t j = 0; j < cells[i].length; j++)
				used += (size_t) snprintf(text +used, sizeof(text) - used, "%02x",
										  cells[i].data[j]);
		}
		used += (size_t) snprintf(text +used, sizeof(text) - used, "]");
	}
	return text;
}

static void
test_rows(void)
{
	const CqlRows *rows;
	CqlRowReader reader;
	CqlBytes	cells[2];

	is_kind(CQL_OP_RESULT, 0,
			"00000002 00000001 00000002 0002 6b73 0001 74"
			"0002 6964 0009 0004 6e616d65 0020 000d"
			"00000003"
			"00000004 00000001 00000001 61"
			"00000004 00000002 ffffffff"
			"00000000 fffffffe", CQL_RESPONSE_ROWS, "Rows, global table");
	rows = &response->u.rows;
	is_int(rows->count, 3, "rows");
	is_int(rows->metadata.ncolumns, 2, "columns");
	is_int(rows->metadata.flags, 1, "flags");
	is_string(rows->metadata.columns[0].keyspace, "ks", "keyspace");
	is_string(rows->metadata.columns[1].table, "t", "table");
	is_string(rows->metadata.columns[0].name, "id", "a column");
	is_string(rows->metadata.columns[1].name, "name", "another");
	is_int(rows->metadata.columns[0].type->id, CQL_TYPE_INT, "its type");
	is_int(rows->metadata.columns[1].type->id, CQL_TYPE_LIST, "its type");
	ok(!rows->metadata.has_more_pages, "no more pages");
	is_int(rows->metadata.paging_state.length, CQL_LENGTH_NULL, "no paging state");
	is_int(rows->metadata.npartition_key, 0, "no partition key");
	is_text(rows_text(rows, &rows->metadata), "[00000001|61][00000002|null][|null]",
			"the cells");

	is_int(cql_rows_begin(&reader, rows, &rows->metadata, &limits, &error), CQL_OK, "again");
	for (int i = 0; i < 3; i++)
		is_int(cql_rows_next(&reader, cells), CQL_OK, "a row");
	is_int(cql_rows_next(&reader, cells), CQL_INVALID, "there are three");
	is_text(error.message, "there are no more rows", "message");

	is_kind(CQL_OP_RESULT, 0,
			"00000002 00000000 00000002"
			"0001 61 0001 62 0001 63 0009 0001 64 0001 65 0001 66 0002"
			"00000000", CQL_RESPONSE_ROWS, "Rows, each column its table");
	rows = &response->u.rows;
	is_string(rows->metadata.columns[0].keyspace, "a", "keyspace");
	is_string(rows->metadata.columns[0].table, "b", "table");
	is_string(rows->metadata.columns[0].name, "c", "column");
	is_string(rows->metadata.columns[1].keyspace, "d", "keyspace");
	is_string(rows->metadata.columns[1].table, "e", "table");
	is_string(rows->metadata.columns[1].name, "f", "column");
	is_text(rows_text(rows, &rows->metadata), "", "no rows");

	is_kind(CQL_OP_RESULT, 0, "00000002 00000001 00000000 0000 0000 00000000",
			CQL_RESPONSE_ROWS, "Rows without columns, but none");
	is_int(response->u.rows.count, 0, "no rows");
}

static void
test_rows_pages(void)
{
	const CqlRows *rows;
	CqlColumn	columns[2];
	CqlMetadata metadata = {.ncolumns = 2,.columns = columns};

	is_kind(CQL_OP_RESULT, 0,
			"00000002 00000006 00000002 00000003 010203"
			"00000001 00000001 aa 00000001 bb", CQL_RESPONSE_ROWS,
			"Rows without metadata, more pages");
	rows = &response->u.rows;
	ok(rows->metadata.columns == NULL, "no columns");
	is_int(rows->metadata.ncolumns, 2, "but their number");
	ok(rows->metadata.has_more_pages, "more pages");
	is_bytes(rows->metadata.paging_state, "010203", "paging state");
	is_text(rows_text(rows, &metadata), "[aa|bb]", "read with the statement's metadata");
	metadata.ncolumns = 3;
	is_text(rows_text(rows, &metadata), "result has 2 columns, but its statement has 3",
			"a number of columns that differs");
	is_int(error.status, CQL_MALFORMED, "is malformed");

	fails(CQL_OP_RESULT, 0, "00000002 00000006 00000002 ffffffff 00000000", CQL_MALFORMED,
		  "result has more pages, but no paging state");
	fails(CQL_OP_RESULT, 0, "00000002 00000006 00000002 00000000 00000000", CQL_MALFORMED,
		  "result has more pages, but no paging state");
}

/* Cells whose lengths lie, though the number of bytes would do. */
static void
test_rows_malformed(void)
{
	is_int(read_hex(CQL_OP_RESULT, 0,
					"00000002 00000004 00000001 00000002 00000004 00000005 0000"),
		   CQL_OK, "rows");
	is_text(rows_text(&response->u.rows, &response->u.rows.metadata),
			"message ends 2 bytes too early", "a second row that is not whole");
	is_int(read_hex(CQL_OP_RESULT, 0, "00000002 00000004 00000001 00000001 7fffffff"),
		   CQL_OK, "rows");
	is_text(rows_text(&response->u.rows, &response->u.rows.metadata),
			"message ends 2147483647 bytes too early", "a length beyond the end");

	fails(CQL_OP_RESULT, 0, "00000002 00000004 ffffffff 00000000", CQL_MALFORMED,
		  "message has -1 columns");
	fails(CQL_OP_RESULT, 0, "00000002 00000004 00000001 ffffffff", CQL_MALFORMED,
		  "result has -1 rows of 1 columns");
	fails(CQL_OP_RESULT, 0, "00000002 00000004 00000000 7fffffff", CQL_MALFORMED,
		  "result has 2147483647 rows of 0 columns");
	fails(CQL_OP_RESULT, 0, "00000002 00000004 00000001 7fffffff", CQL_TOO_LARGE,
		  "2147483647 rows are more than 16777216");
	fails(CQL_OP_RESULT, 0, "00000002 00000004 00008000 01000000 00000000", CQL_MALFORMED,
		  "message ends before its 549755813888 cells");
	fails(CQL_OP_RESULT, 0, "00000002 00000004 00000001 00000002 00000000 000000",
		  CQL_MALFORMED, "message ends before its 2 cells");
	fails(CQL_OP_RESULT, 0, "00000002 00000000 00008001 0000", CQL_TOO_LARGE,
		  "32769 columns are more than 32768");
	fails(CQL_OP_RESULT, 0, "00000002 00000000 00008000 0000", CQL_MALFORMED,
		  "message ends before its 32768 columns");
	fails(CQL_OP_RESULT, 0, "00000002 00000001 00008000 0000 0000", CQL_MALFORMED,
		  "message ends before its 32768 columns");
	fails(CQL_OP_RESULT, 0, "00000002 00000001 00000001 0000 0000 0000 000a 00000000",
		  CQL_UNSUPPORTED, "the server uses a type of unknown number 0x000a");
	begin();
	limits.columns = 2;
	limits.nesting = 2;
	fails_with_limits(CQL_OP_RESULT, "00000002 00000001 00000002 0000 0000"
					  "0000 0021 0009 0009 0000 0020 0009 00000000",
					  "types have more than 4 parts");
}

static void
test_prepared(void)
{
	const CqlPreparedResult *prepared;

	is_kind(CQL_OP_RESULT, 0,
			"00000004 0002 cafe"
			"80000001 00000003 00000002 0002 0000 0002 6b73 0001 74"
			"0001 61 0009 0001 62 000d 0001 63 000c"
			"00000001 00000001 0002 6b73 0001 74 0001 76 0002",
			CQL_RESPONSE_PREPARED, "Prepared");
	prepared = &response->u.prepared;
	is_bytes(prepared->id, "cafe", "its id");
	is_int(prepared->markers.flags, 0x80000001, "flags, also those of others");
	is_int(prepared->markers.ncolumns, 3, "markers");
	is_string(prepared->markers.columns[2].name, "c", "the last");
	is_string(prepared->markers.columns[2].table, "t", "its table");
	is_int(prepared->markers.columns[2].type->id, CQL_TYPE_UUID, "its type");
	is_int(prepared->markers.npartition_key, 2, "key columns");
	is_int(prepared->markers.partition_key[0], 2, "the first");
	is_int(prepared->markers.partition_key[1], 0, "the second");
	is_int(prepared->markers.paging_state.length, CQL_LENGTH_NULL, "no paging state");
	is_int(prepared->result.ncolumns, 1, "columns of the result");
	is_string(prepared->result.columns[0].name, "v", "the column");

	is_kind(CQL_OP_RESULT, 0,
			"00000004 0001 aa 00000000 00000000 00000000 00000004 00000000",
			CQL_RESPONSE_PREPARED, "Prepared, of no markers and no result");
	prepared = &response->u.prepared;
	is_int(prepared->markers.ncolumns, 0, "no markers");
	ok(prepared->result.columns == NULL, "no columns");

	fails(CQL_OP_RESULT, 0, "00000004 0001 aa 00000004 00000001 00000000 00000004 00000000",
		  CQL_MALFORMED, "the server has prepared a statement without telling its 1 columns");
	fails(CQL_OP_RESULT, 0, "00000004 0001 aa 00000000 00000000 00000000 00000004 00000002",
		  CQL_MALFORMED, "the server has prepared a statement without telling its 2 columns");
	fails(CQL_OP_RESULT, 0, "00000004 0001 aa 00000000 00000001 00000001 0001",
		  CQL_MALFORMED, "statement has no marker 1, which is a key column");
	fails(CQL_OP_RESULT, 0, "00000004 0001 aa 00000000 00000001 ffffffff",
		  CQL_MALFORMED, "message has -1 columns");
	fails(CQL_OP_RESULT, 0, "00000004 0001 aa 00000000 00000001 00007fff 0000",
		  CQL_MALFORMED, "message ends before its 32767 key columns");
	fails(CQL_OP_RESULT, 0, "00000004 0001 aa 00000000 00000001 7fffffff 0000",
		  CQL_TOO_LARGE, "2147483647 columns are more than 32768");
}

/* ------
 * No memory
 * ------
 */

/* Fails each allocation in turn, until there are enough. */
static void
fails_each(uint8_t opcode, uint8_t flags, const char *hex, const char *name)
{
	CqlStatus	status = CQL_NO_MEMORY;
	bool		good = true;
	long		k;

	for (k = 1; status != CQL_OK && k < 1000; k++)
	{
		if (response != NULL)
			cql_response_free(response);
		response = NULL;
		memory.requests = 0;
		memory.fail_at = k;
		status = read_hex(opcode, flags, hex);
		memory.fail_at = 0;
		good &= status == CQL_OK || status == CQL_NO_MEMORY;
	}
	ok(good && status == CQL_OK && k > 4, "%s: no memory at any of %ld places", name, k - 2);
}

/* `count` times `entry`, after `head`; to be freed. */
static char *
repeat(const char *head, const char *entry, int count)
{
	char	   *hex = malloc(strlen(head) + strlen(entry) * (size_t) count + 1);
	char	   *at = stpcpy(hex, head);

	while (count-- > 0)
		at = stpcpy(at, entry);
	return hex;
}

/* Large enough that each array needs a chunk of its own. */
static void
test_no_memory(void)
{
	char	   *strings = repeat("0100", "0000", 256);
	char	   *payload = repeat("0100", "0000 00000000", 256);
	char	   *options = repeat("0100", "0000 0000", 255);
	char	   *columns = repeat("", "0000 0020 0009", 256);
	char	   *key = repeat("00000800", "0000", 2048);
	char	   *hex = malloc(100000);

	sprintf(hex, "%s %s 0000 %s", payload, options, strings);
	fails_each(CQL_OP_SUPPORTED, CQL_FRAME_PAYLOAD, hex, "payload and options");
	fails_each(CQL_OP_READY, CQL_FRAME_WARNINGS, strings, "warnings");
	sprintf(hex, "00001400 0000 0000 0000 %s", strings);
	fails_each(CQL_OP_ERROR, 0, hex, "function failure");
	sprintf(hex, "00000005 0000 0008 46554e4354494f4e 0000 0000 %s", strings);
	fails_each(CQL_OP_RESULT, 0, hex, "schema change");
	sprintf(hex, "00000002 00000001 00000100 0000 0000 %s 00000000", columns);
	fails_each(CQL_OP_RESULT, 0, hex, "rows");
	sprintf(hex, "00000004 0000 00000001 00000100 %s 0000 0000 %s"
			"00000001 00000100 0000 0000 %s", key, columns, columns);
	fails_each(CQL_OP_RESULT, 0, hex, "prepared");
	free(hex);
	free(strings);
	free(payload);
	free(options);
	free(columns);
	free(key);
}

int
main(void)
{
	test_simple();
	test_supported();
	test_extras();
	test_events();
	test_schema_changes();
	test_errors_without_fields();
	test_errors_with_fields();
	test_rate_limit_code_taken();
	test_plain_results();
	test_rows();
	test_rows_pages();
	test_rows_malformed();
	test_prepared();
	test_no_memory();
	cql_response_free(response);
	is_int(memory.live, 0, "nothing leaks");
	return done_testing();
}
