/* Bodies of requests, byte for byte as the specification has them. */
#include "tap.h"

#include "cql/request.h"

static TestMemory memory;
static const CqlAllocator allocator = TEST_ALLOCATOR(&memory);
static CqlError error;
static CqlWriter writer;

#define B(text) ((CqlBytes) {(const uint8_t *) (text), sizeof(text) - 1})
#define NULL_VALUE ((CqlBytes) {NULL, CQL_LENGTH_NULL})
#define UNSET_VALUE ((CqlBytes) {NULL, CQL_LENGTH_UNSET})

/* ------
 * Helpers
 * ------
 */

static void
begin(void)
{
	cql_writer_free(&writer);
	memset(&error, 0, sizeof(error));
	cql_writer_init(&writer, &allocator, 1024 * 1024, &error);
}

/* What was written is that; shorter memory always fails, leaving no leak. */
static void
is_body(CqlStatus status, const char *hex, const char *name)
{
	if (!is_int(status, CQL_OK, name))
		printf("# %s\n", error.message);
	is_hex(writer.data, writer.length, hex, name);
	begin();
}

static void
is_invalid(CqlStatus status, const char *message)
{
	is_int(status, CQL_INVALID, message);
	is_text(error.message, message, "message");
	begin();
}

static const CqlParameters one = {.consistency = CQL_CONSISTENCY_ONE};

/* Everything that a QUERY or EXECUTE can have. */
static CqlParameters
all_parameters(void)
{
	return (CqlParameters)
	{
		.consistency = CQL_CONSISTENCY_LOCAL_QUORUM,
		.has_serial_consistency = true,
		.serial_consistency = CQL_CONSISTENCY_LOCAL_SERIAL,
		.page_size = 5000,
		.paging_state = B("\x01\x02\x03"),
		.has_timestamp = true,
		.timestamp = 0x0005E2B3C4D5E6F7,
		.skip_metadata = true,
		.tracing = true			/* the frame's: not in the body */
	};
}

/* ------
 * Messages
 * ------
 */

/* A batch, of its pieces. */
static CqlStatus
batch(CqlWriter *to, CqlBatchType type, uint32_t nitems, const CqlBatchItem *items,
	  const CqlParameters *parameters)
{
	CQL_TRY(cql_request_batch_begin(to, type, nitems));
	for (uint32_t i = 0; i < nitems; i++)
		CQL_TRY(cql_request_batch_item(to, &items[i]));
	return cql_request_batch_end(to, parameters);
}

static void
test_startup(void)
{
	CqlStringPair options[] = {
		{{"CQL_VERSION", 11}, {"3.0.0", 5}},
		{{"COMPRESSION", 11}, {"lz4", 3}},
		{{"EMPTY", 5}, {"", 0}}
	};

	is_body(cql_request_startup(&writer, 0, NULL), "0000", "STARTUP without options");
	is_body(cql_request_startup(&writer, 3, options),
			"0003"
			"000b 43514c5f56455253494f4e 0005 332e302e30"
			"000b 434f4d5052455353494f4e 0003 6c7a34"
			"0005 454d505459 0000", "STARTUP");
	is_invalid(cql_request_startup(&writer, 65536, options),
			   "65536 options are more than the protocol can say (65535)");
	options[2].key.length = 65536;
	is_invalid(cql_request_startup(&writer, 3, options),
			   "string of 65536 bytes is too long for the protocol");
}

static void
test_auth(void)
{
	is_body(cql_request_auth_plain(&writer, str("cassandra"), str("s3cret")),
			"00000011 00 63617373616e647261 00 733363726574", "AUTH_RESPONSE");
	is_body(cql_request_auth_plain(&writer, str("u"), str("")),
			"00000003 00 75 00", "an empty password");
	is_body(cql_request_auth_plain(&writer, (CqlString) {NULL, 0}, (CqlString) {NULL, 0}),
			"00000002 00 00", "nothing at all");
	is_invalid(cql_request_auth_plain(&writer, (CqlString) {"a\0b", 3}, str("x")),
			   "user name has a NUL character");
	is_invalid(cql_request_auth_plain(&writer, str("a"), (CqlString) {"x\0", 2}),
			   "password has a NUL character");
}

static void
test_auth_too_long(void)
{
	char	   *text = malloc(0x7fffffff);

	if (text == NULL)
		return;
	memset(text, 'x', 0x7fffffff);
	is_invalid(cql_request_auth_plain(&writer, str("a"), (CqlString) {text, 0x7fffffff}),
			   "user name and password are too long for the protocol");
	free(text);
}

static void
test_register(void)
{
	CqlString	events[] = {str("TOPOLOGY_CHANGE"), str("STATUS_CHANGE"),
	str("SCHEMA_CHANGE")};

	is_body(cql_request_register(&writer, 3, events),
			"0003 000f 544f504f4c4f47595f4348414e4745"
			"000d 5354415455535f4348414e4745"
			"000d 534348454d415f4348414e4745", "REGISTER");
	is_invalid(cql_request_register(&writer, 65536, events),
			   "65536 event types are more than the protocol can say (65535)");
}

static void
test_query(void)
{
	CqlBytes	values[] = {B("\0\0\0\7"), NULL_VALUE, UNSET_VALUE, B("")};
	CqlParameters all = all_parameters();

	is_body(cql_request_query(&writer, str("SELECT 1"), 0, NULL, &one),
			"00000008 53454c4543542031 0001 00", "QUERY without anything");
	is_body(cql_request_query(&writer, str(""), 4, values, &one),
			"00000000 0001 01 0004"
			"00000004 00000007  ffffffff  fffffffe  00000000",
			"values: bytes, null, unset, empty");
	is_body(cql_request_query(&writer, str("Q"), 1, values, &all),
			"00000001 51 0006 3f"
			"0001 00000004 00000007"	/* values */
			"00001388"			/* page size */
			"00000003 010203"	/* paging state */
			"0009"				/* serial consistency */
			"0005e2b3c4d5e6f7", "all parameters");
}

/* Each parameter alone sets its own flag and no other. */
static void
test_flags(void)
{
	CqlParameters p = one;

	p.skip_metadata = true;
	is_body(cql_request_query(&writer, str("Q"), 0, NULL, &p),
			"00000001 51 0001 02", "skip metadata");
	p = one;
	p.page_size = 0x7fffffff;
	is_body(cql_request_query(&writer, str("Q"), 0, NULL, &p),
			"00000001 51 0001 04 7fffffff", "page size");
	p = one;
	p.paging_state = B("");
	is_body(cql_request_query(&writer, str("Q"), 0, NULL, &p),
			"00000001 51 0001 08 00000000", "an empty paging state");
	p = one;
	p.has_serial_consistency = true;
	p.serial_consistency = CQL_CONSISTENCY_SERIAL;
	is_body(cql_request_query(&writer, str("Q"), 0, NULL, &p),
			"00000001 51 0001 10 0008", "serial consistency");
	p = one;
	p.has_timestamp = true;
	p.timestamp = -1;
	is_body(cql_request_query(&writer, str("Q"), 0, NULL, &p),
			"00000001 51 0001 20 ffffffffffffffff", "timestamp");
}

static void
test_prepare_execute(void)
{
	CqlBytes	values[] = {B("a"), UNSET_VALUE};
	CqlParameters all = all_parameters();

	is_body(cql_request_prepare(&writer, str("INSERT")),
			"00000006 494e53455254", "PREPARE");
	is_body(cql_request_execute(&writer, B("\xca\xfe"), 0, NULL, &one),
			"0002 cafe 0001 00", "EXECUTE without anything");
	is_body(cql_request_execute(&writer, B("\xca\xfe"), 2, values, &all),
			"0002 cafe 0006 3f 0002 00000001 61 fffffffe"
			"00001388 00000003 010203 0009 0005e2b3c4d5e6f7",
			"EXECUTE with all parameters");
	is_invalid(cql_request_execute(&writer, NULL_VALUE, 0, NULL, &one),
			   "-1 bytes cannot be sent as short bytes");
}

static void
test_batch(void)
{
	CqlBytes	values[] = {B("\0\0\0\7"), UNSET_VALUE};
	CqlBatchItem items[] = {
		{.text = str("T"),.nvalues = 0},
		{.id = B("\xca\xfe"),.nvalues = 2,.values = values},
		{.text = str(""),.nvalues = 1,.values = values}
	};
	CqlParameters all = all_parameters();

	is_body(batch(&writer, CQL_BATCH_LOGGED, 0, NULL, &one),
			"00 0000 0001 00", "an empty BATCH");
	is_body(batch(&writer, CQL_BATCH_UNLOGGED, 3, items, &one),
			"01 0003"
			"00 00000001 54 0000"
			"01 0002 cafe 0002 00000004 00000007 fffffffe"
			"00 00000000 0001 00000004 00000007"
			"0001 00", "BATCH");
	/* a batch has no pages and no rows */
	is_body(batch(&writer, CQL_BATCH_COUNTER, 1, items, &all),
			"02 0001 00 00000001 54 0000 0006 30 0009 0005e2b3c4d5e6f7",
			"BATCH with all parameters");
}

static void
test_payload(void)
{
	CqlPayloadEntry entries[] = {
		{{"key", 3}, {(const uint8_t *) "\1\2", 2}},
		{{"", 0}, {NULL, CQL_LENGTH_NULL}}
	};

	is_body(cql_request_payload(&writer, 2, entries),
			"0002 0003 6b6579 00000002 0102 0000 ffffffff", "payload");
	is_invalid(cql_request_payload(&writer, 65536, entries),
			   "65536 payload entries are more than the protocol can say (65535)");
	entries[1].value.length = CQL_LENGTH_UNSET;
	is_invalid(cql_request_payload(&writer, 2, entries),
			   "payload entry 2 has a length of -2");
}

/* ------
 * What cannot be sent
 * ------
 */

static void
test_invalid(void)
{
	CqlBytes	bad[] = {B("x"), {NULL, -3}};
	CqlParameters p = one;
	CqlString	endless = {"x", 0x80000000u};
	CqlBatchItem item = {.text = str("T")};
	CqlBatchItem long_item = {.text = endless};

	is_invalid(cql_request_query(&writer, str("Q"), 65536, bad, &one),
			   "65536 values are more than the protocol can say (65535)");
	is_invalid(cql_request_query(&writer, str("Q"), 2, bad, &one),
			   "value 2 has a length of -3");
	is_invalid(cql_request_query(&writer, endless, 0, NULL, &one),
			   "string of 2147483648 bytes is too long for the protocol");
	is_invalid(cql_request_prepare(&writer, endless),
			   "string of 2147483648 bytes is too long for the protocol");
	is_invalid(batch(&writer, CQL_BATCH_LOGGED, 1, &long_item, &one),
			   "string of 2147483648 bytes is too long for the protocol");
	is_invalid(batch(&writer, CQL_BATCH_LOGGED, 65536, &item, &one),
			   "65536 statements are more than the protocol can say (65535)");
	is_invalid(batch(&writer, (CqlBatchType) 3, 1, &item, &one),
			   "there is no batch of type 3");
	is_invalid(batch(&writer, (CqlBatchType) -1, 1, &item, &one),
			   "there is no batch of type -1");
	p.page_size = -1;
	is_invalid(cql_request_query(&writer, str("Q"), 0, NULL, &p), "page size is -1");
	p = one;
	p.has_serial_consistency = true;
	p.serial_consistency = CQL_CONSISTENCY_QUORUM;
	is_invalid(batch(&writer, CQL_BATCH_LOGGED, 1, &item, &p),
			   "serial consistency 4 is neither SERIAL nor LOCAL_SERIAL");
}

/* 65,535 values can be said. */
static void
test_most_values(void)
{
	CqlBytes   *values = calloc(65535, sizeof(*values));

	is_int(cql_request_query(&writer, str("Q"), 65535, values, &one), CQL_OK,
		   "65,535 values");
	is_int((long long) writer.length, 4 + 1 + 2 + 1 + 2 + 4 * 65535, "its size");
	is_hex(writer.data, 10, "00000001 51 0001 01 ffff", "its beginning");
	free(values);
	begin();
}

/*
 * Every message with a writer that may hold too little for it fails, whatever
 * the place.
 */
typedef CqlStatus (*Message) (void);

static CqlStatus
message_startup(void)
{
	CqlStringPair option = {{"K", 1}, {"V", 1}};

	return cql_request_startup(&writer, 1, &option);
}

static CqlStatus
message_auth(void)
{
	return cql_request_auth_plain(&writer, str("u"), str("p"));
}

static CqlStatus
message_register(void)
{
	CqlString	event = str("E");

	return cql_request_register(&writer, 1, &event);
}

static CqlStatus
message_execute(void)
{
	CqlBytes	value = B("v");
	CqlParameters all = all_parameters();

	return cql_request_execute(&writer, B("id"), 1, &value, &all);
}

static CqlStatus
message_batch(void)
{
	CqlBytes	value = B("v");
	CqlBatchItem items[] = {{.text = str("T")},
	{.id = B("id"),.nvalues = 1,.values = &value}};
	CqlParameters all = all_parameters();

	return batch(&writer, CQL_BATCH_LOGGED, 2, items, &all);
}

static CqlStatus
message_payload(void)
{
	CqlPayloadEntry entry = {{"k", 1}, B("v")};

	return cql_request_payload(&writer, 1, &entry);
}

static void
test_no_room(void)
{
	const Message messages[] = {message_startup, message_auth, message_register,
		message_execute, message_batch, message_payload};
	bool		good = true;

	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
	{
		size_t		length;

		begin();
		good &= messages[i] () == CQL_OK;
		length = writer.length;
		for (size_t max = 0; max < length; max++)
		{
			begin();
			writer.max = max;
			good &= messages[i] () == CQL_TOO_LARGE && writer.length <= max;
		}
	}
	ok(good, "no message is written beyond the writer's limit");
}

int
main(void)
{
	begin();
	test_startup();
	test_auth();
	test_auth_too_long();
	test_register();
	test_query();
	test_flags();
	test_prepare_execute();
	test_batch();
	test_payload();
	test_invalid();
	test_most_values();
	test_no_room();
	cql_writer_free(&writer);
	is_int(memory.live, 0, "no memory is left");
	return done_testing();
}
