/* Values of types without elements, but numbers of any size. */
#include "tap.h"

#include <math.h>

#include "cql/value.h"

static TestMemory memory;
static const CqlAllocator allocator = TEST_ALLOCATOR(&memory);
static CqlError error;
static CqlWriter writer;
static uint8_t *input;

static void
begin(void)
{
	memset(&error, 0, sizeof(error));
	free(input);
	input = NULL;
	cql_writer_free(&writer);
	cql_writer_init(&writer, &allocator, 1 << 10, &error);
}

/* Bytes alone in their memory, until the next begin(), which this calls. */
static CqlBytes
bytes_of(const char *hex)
{
	CqlBytes	bytes;
	size_t		length;
	uint8_t    *data = from_hex(hex, &length);

	begin();
	/* at an odd address, since values are not aligned */
	input = malloc(length + 1);
	memcpy(input + 1, data, length);
	free(data);
	bytes.data = input + 1;
	bytes.length = (int32_t) length;
	return bytes;
}

static const CqlBytes null_value = {NULL, CQL_LENGTH_NULL};

static void
encoded(CqlStatus status, const char *hex, const char *name)
{
	if (is_int(status, CQL_OK, name))
		is_hex(writer.data, writer.length, hex, "its bytes");
}

static void
malformed(CqlStatus status, const char *message)
{
	is_int(status, CQL_MALFORMED, message);
	is_text(error.message, message, "message");
}

static void
invalid(CqlStatus status, const char *message)
{
	is_int(status, CQL_INVALID, message);
	is_text(error.message, message, "message");
	is_int((long long) writer.length, 0, "nothing is written");
}

static void
test_empty(void)
{
	static const CqlTypeId raw[] = {
		CQL_TYPE_ASCII, CQL_TYPE_VARCHAR, CQL_TYPE_BLOB, CQL_TYPE_CUSTOM,
	};
	static const CqlTypeId others[] = {
		CQL_TYPE_BIGINT, CQL_TYPE_BOOLEAN, CQL_TYPE_COUNTER, CQL_TYPE_DECIMAL,
		CQL_TYPE_DOUBLE, CQL_TYPE_FLOAT, CQL_TYPE_INT, CQL_TYPE_TIMESTAMP,
		CQL_TYPE_UUID, CQL_TYPE_VARINT, CQL_TYPE_TIMEUUID, CQL_TYPE_INET,
		CQL_TYPE_DATE, CQL_TYPE_TIME, CQL_TYPE_SMALLINT, CQL_TYPE_TINYINT,
		CQL_TYPE_DURATION, CQL_TYPE_LIST, CQL_TYPE_MAP, CQL_TYPE_SET,
		CQL_TYPE_UDT, CQL_TYPE_TUPLE, CQL_TYPE_VECTOR,
	};
	const CqlBytes none = {(const uint8_t *) "", 0};
	const CqlBytes some = {(const uint8_t *) "a", 1};

	for (size_t i = 0; i < sizeof(raw) / sizeof(raw[0]); i++)
	{
		CqlType		type = {.id = raw[i]};

		ok(!cql_value_is_empty(&type, none), "type 0x%x has values of no bytes",
		   (unsigned) raw[i]);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
	{
		CqlType		type = {.id = others[i]};

		ok(cql_value_is_empty(&type, none) && !cql_value_is_empty(&type, some) &&
		   !cql_value_is_empty(&type, null_value),
		   "type 0x%x has an empty value", (unsigned) others[i]);
	}
}

static void
test_boolean(void)
{
	bool		value = true;

	is_int(cql_decode_boolean(bytes_of("00"), &value, &error), CQL_OK, "boolean");
	ok(!value, "false");
	is_int(cql_decode_boolean(bytes_of("01"), &value, &error), CQL_OK, "boolean");
	ok(value, "true");
	value = false;
	is_int(cql_decode_boolean(bytes_of("80"), &value, &error), CQL_OK, "boolean");
	ok(value, "any other byte is true");
	malformed(cql_decode_boolean(bytes_of(""), &value, &error),
			  "value of type boolean has 0 bytes, not 1");
	malformed(cql_decode_boolean(bytes_of("0101"), &value, &error),
			  "value of type boolean has 2 bytes, not 1");
	begin();
	malformed(cql_decode_boolean(null_value, &value, &error),
			  "value of type boolean has -1 bytes, not 1");
	begin();
	encoded(cql_encode_boolean(&writer, true), "01", "true");
	begin();
	encoded(cql_encode_boolean(&writer, false), "00", "false");
}

static void
integer_is(CqlTypeId type, const char *hex, long long number)
{
	int64_t		value = 0;

	is_int(cql_decode_integer(type, bytes_of(hex), &value, &error), CQL_OK, hex);
	is_int(value, number, "the number");
	begin();
	encoded(cql_encode_integer(&writer, type, number), hex, "and back");
}

static void
integer_invalid(CqlTypeId type, long long number, const char *message)
{
	begin();
	invalid(cql_encode_integer(&writer, type, number), message);
}

static void
test_integers(void)
{
	int64_t		value;

	integer_is(CQL_TYPE_TINYINT, "00", 0);
	integer_is(CQL_TYPE_TINYINT, "7f", 127);
	integer_is(CQL_TYPE_TINYINT, "80", -128);
	integer_is(CQL_TYPE_TINYINT, "ff", -1);
	integer_is(CQL_TYPE_SMALLINT, "0102", 258);
	integer_is(CQL_TYPE_SMALLINT, "7fff", 32767);
	integer_is(CQL_TYPE_SMALLINT, "8000", -32768);
	integer_is(CQL_TYPE_INT, "01020304", 16909060);
	integer_is(CQL_TYPE_INT, "7fffffff", INT32_MAX);
	integer_is(CQL_TYPE_INT, "80000000", INT32_MIN);
	integer_is(CQL_TYPE_BIGINT, "0102030405060708", 72623859790382856);
	integer_is(CQL_TYPE_BIGINT, "7fffffffffffffff", INT64_MAX);
	integer_is(CQL_TYPE_BIGINT, "8000000000000000", INT64_MIN);
	integer_is(CQL_TYPE_COUNTER, "fffffffffffffffe", -2);

	integer_invalid(CQL_TYPE_TINYINT, 128, "128 is out of range for type tinyint");
	integer_invalid(CQL_TYPE_TINYINT, -129, "-129 is out of range for type tinyint");
	integer_invalid(CQL_TYPE_SMALLINT, 32768, "32768 is out of range for type smallint");
	integer_invalid(CQL_TYPE_SMALLINT, -32769, "-32769 is out of range for type smallint");
	integer_invalid(CQL_TYPE_INT, 2147483648, "2147483648 is out of range for type int");
	integer_invalid(CQL_TYPE_INT, -2147483649, "-2147483649 is out of range for type int");
	integer_invalid(CQL_TYPE_VARINT, 0, "type 0x000e is no integer type");

	malformed(cql_decode_integer(CQL_TYPE_TINYINT, bytes_of(""), &value, &error),
			  "value of type tinyint has 0 bytes, not 1");
	malformed(cql_decode_integer(CQL_TYPE_SMALLINT, bytes_of("000000"), &value, &error),
			  "value of type smallint has 3 bytes, not 2");
	malformed(cql_decode_integer(CQL_TYPE_INT, bytes_of("000000"), &value, &error),
			  "value of type int has 3 bytes, not 4");
	malformed(cql_decode_integer(CQL_TYPE_BIGINT, bytes_of("00000000"), &value, &error),
			  "value of type bigint has 4 bytes, not 8");
	malformed(cql_decode_integer(CQL_TYPE_COUNTER, bytes_of("00000000"), &value, &error),
			  "value of type counter has 4 bytes, not 8");
	is_int(cql_decode_integer(CQL_TYPE_FLOAT, bytes_of("00000000"), &value, &error),
		   CQL_INVALID, "a type that is no integer");
	is_text(error.message, "type 0x0008 is no integer type", "message");
}

static void
float_is(const char *hex, float number)
{
	float		value = 0;

	is_int(cql_decode_float(bytes_of(hex), &value, &error), CQL_OK, hex);
	ok(value == number || (isnan(value) && isnan(number)), "is %g", number);
	begin();
	encoded(cql_encode_float(&writer, number), hex, "and back");
}

static void
double_is(const char *hex, double number)
{
	double		value = 0;

	is_int(cql_decode_double(bytes_of(hex), &value, &error), CQL_OK, hex);
	ok(value == number || (isnan(value) && isnan(number)), "is %g", number);
	begin();
	encoded(cql_encode_double(&writer, number), hex, "and back");
}

static void
test_floats(void)
{
	float		single;
	double		value;

	float_is("00000000", 0.0f);
	float_is("80000000", -0.0f);
	float_is("3f800000", 1.0f);
	float_is("c0490fdb", -3.14159274f);
	float_is("7f800000", INFINITY);
	float_is("ff800000", -INFINITY);
	float_is("7fc00000", NAN);
	float_is("00000001", 1.4e-45f);
	double_is("0000000000000000", 0.0);
	double_is("8000000000000000", -0.0);
	double_is("3ff0000000000000", 1.0);
	double_is("c00921fb54442d18", -3.141592653589793);
	double_is("7ff0000000000000", INFINITY);
	double_is("fff0000000000000", -INFINITY);
	double_is("7ff8000000000000", NAN);
	malformed(cql_decode_float(bytes_of("000000"), &single, &error),
			  "value of type float has 3 bytes, not 4");
	malformed(cql_decode_double(bytes_of("00000000"), &value, &error),
			  "value of type double has 4 bytes, not 8");
}

static void
test_timestamp(void)
{
	int64_t		value = 0;

	is_int(cql_decode_timestamp(bytes_of("0000018bcfe56800"), &value, &error), CQL_OK,
		   "timestamp");
	is_int(value, INT64_C(1700000000000), "2023-11-14 22:13:20 UTC");
	is_int(cql_decode_timestamp(bytes_of("8000000000000000"), &value, &error), CQL_OK,
		   "the first");
	is_int(value, INT64_MIN, "is that");
	malformed(cql_decode_timestamp(bytes_of("00"), &value, &error),
			  "value of type timestamp has 1 bytes, not 8");
	begin();
	encoded(cql_encode_timestamp(&writer, -1), "ffffffffffffffff", "a millisecond before 1970");
}

static void
date_is(const char *hex, int32_t days)
{
	int32_t		value = 0;

	is_int(cql_decode_date(bytes_of(hex), &value, &error), CQL_OK, hex);
	is_int(value, days, "the day");
	begin();
	encoded(cql_encode_date(&writer, days), hex, "and back");
}

static void
test_date(void)
{
	int32_t		value;

	date_is("80000000", 0);
	date_is("80000001", 1);
	date_is("7fffffff", -1);
	date_is("00000000", INT32_MIN);
	date_is("ffffffff", INT32_MAX);
	malformed(cql_decode_date(bytes_of("8000000000"), &value, &error),
			  "value of type date has 5 bytes, not 4");
}

static void
test_time(void)
{
	int64_t		value = -1;

	is_int(cql_decode_time(bytes_of("0000000000000000"), &value, &error), CQL_OK, "midnight");
	is_int(value, 0, "is 0");
	is_int(cql_decode_time(bytes_of("00004e94914effff"), &value, &error), CQL_OK, "the last");
	is_int(value, INT64_C(86399999999999), "nanosecond of the day");
	malformed(cql_decode_time(bytes_of("00004e94914f0000"), &value, &error),
			  "value of type time is no time of day: 86400000000000 ns");
	malformed(cql_decode_time(bytes_of("ffffffffffffffff"), &value, &error),
			  "value of type time is no time of day: -1 ns");
	malformed(cql_decode_time(bytes_of("00"), &value, &error),
			  "value of type time has 1 bytes, not 8");
	is_int(value, INT64_C(86399999999999), "the value is left alone");
	begin();
	encoded(cql_encode_time(&writer, INT64_C(86399999999999)), "00004e94914effff", "and back");
	begin();
	invalid(cql_encode_time(&writer, INT64_C(86400000000000)), "86400000000000 ns are no time of day");
	begin();
	invalid(cql_encode_time(&writer, -1), "-1 ns are no time of day");
}

static void
test_uuid_inet(void)
{
	const uint8_t *value = NULL;

	is_int(cql_decode_uuid(bytes_of("000102030405060708090a0b0c0d0e0f"), &value, &error),
		   CQL_OK, "uuid");
	is_hex(value, 16, "000102030405060708090a0b0c0d0e0f", "its bytes");
	malformed(cql_decode_uuid(bytes_of("000102030405060708090a0b0c0d0e"), &value, &error),
			  "value of type uuid has 15 bytes, not 16");
	is_int(cql_decode_inet(bytes_of("7f000001"), &value, &error), CQL_OK, "inet");
	is_hex(value, 4, "7f000001", "its bytes");
	is_int(cql_decode_inet(bytes_of("00000000000000000000000000000001"), &value, &error),
		   CQL_OK, "inet of 16 bytes");
	is_hex(value, 16, "00000000000000000000000000000001", "its bytes");
	malformed(cql_decode_inet(bytes_of("0000000000"), &value, &error),
			  "value of type inet has 5 bytes, not 16");
	malformed(cql_decode_inet(bytes_of(""), &value, &error),
			  "value of type inet has 0 bytes, not 16");
}

static void
duration_is(const char *hex, int32_t months, int32_t days, int64_t nanoseconds)
{
	CqlDuration value = {7, 7, 7};

	is_int(cql_decode_duration(bytes_of(hex), &value, &error), CQL_OK, hex);
	is_int(value.months, months, "months");
	is_int(value.days, days, "days");
	is_int(value.nanoseconds, nanoseconds, "nanoseconds");
	begin();
	encoded(cql_encode_duration(&writer, &value), hex, "and back");
}

static void
test_duration(void)
{
	CqlDuration value;
	const CqlDuration mixed[] = {{1, -1, 0}, {0, 1, -1}, {-1, 0, 1}};

	duration_is("000000", 0, 0, 0);
	duration_is("020406", 1, 2, 3);
	duration_is("010305", -1, -2, -3);
	duration_is("000001", 0, 0, -1);
	duration_is("f0fffffffe f0fffffffe fffffffffffffffffe", INT32_MAX, INT32_MAX, INT64_MAX);
	duration_is("f0ffffffff f0ffffffff ffffffffffffffffff", INT32_MIN, INT32_MIN, INT64_MIN);

	malformed(cql_decode_duration(bytes_of(""), &value, &error),
			  "value of type duration has 0 bytes, not 3");
	begin();
	malformed(cql_decode_duration(null_value, &value, &error),
			  "value of type duration has -1 bytes, not 3");
	malformed(cql_decode_duration(bytes_of("00"), &value, &error),
			  "message ends 1 bytes too early");
	malformed(cql_decode_duration(bytes_of("0000"), &value, &error),
			  "message ends 1 bytes too early");
	malformed(cql_decode_duration(bytes_of("80"), &value, &error),
			  "message ends 1 bytes too early");
	malformed(cql_decode_duration(bytes_of("00000000"), &value, &error),
			  "value of type duration has 1 bytes too many");
	/* a month more than there can be, then days, then signs */
	malformed(cql_decode_duration(bytes_of("f100000000 00 00"), &value, &error),
			  "value of type duration is out of range");
	malformed(cql_decode_duration(bytes_of("00 f100000001 00"), &value, &error),
			  "value of type duration is out of range");
	malformed(cql_decode_duration(bytes_of("020100"), &value, &error),
			  "value of type duration is out of range");
	malformed(cql_decode_duration(bytes_of("000201"), &value, &error),
			  "value of type duration is out of range");
	for (size_t i = 0; i < sizeof(mixed) / sizeof(mixed[0]); i++)
	{
		begin();
		invalid(cql_encode_duration(&writer, &mixed[i]),
				"parts of a duration must have the same sign");
	}
}

static void
test_no_room(void)
{
	const CqlDuration duration = {1, 1, 1};

	begin();
	memory.fail_at = 1;
	memory.requests = 0;
	is_int(cql_encode_duration(&writer, &duration), CQL_NO_MEMORY, "no memory");
	memory.fail_at = 0;
	for (size_t max = 0; max < 3; max++)
	{
		begin();
		writer.max = max;
		is_int(cql_encode_duration(&writer, &duration), CQL_TOO_LARGE, "no room");
	}
}

int
main(void)
{
	test_empty();
	test_boolean();
	test_integers();
	test_floats();
	test_timestamp();
	test_date();
	test_time();
	test_uuid_inet();
	test_duration();
	test_no_room();
	begin();
	is_int(memory.live, 0, "nothing leaks");
	return done_testing();
}
