/* Varint and decimal: bytes to text and back. */
#include "tap.h"

#include "cql/value.h"

#include "number_vectors.h"

static TestMemory memory;
static const CqlAllocator allocator = TEST_ALLOCATOR(&memory);
static CqlError error;
static CqlWriter writer;

static CqlBytes
bytes_of(const void *data, int32_t length)
{
	CqlBytes	bytes = {data, length};

	return bytes;
}

static void
begin(void)
{
	memset(&error, 0, sizeof(error));
	cql_writer_free(&writer);
	cql_writer_init(&writer, &allocator, 1 << 20, &error);
}

/* What was written, as text; in a static buffer. */
static const char *
written(void)
{
	static char text[1 << 19];

	memcpy(text, writer.data, writer.length);
	text[		writer.length] = '\0';
	return text;
}

typedef CqlStatus (*Decode) (CqlBytes bytes, uint32_t max_digits,
							 CqlWriter *text, CqlError *error);
typedef CqlStatus (*Encode) (CqlWriter *writer, CqlString text,
							 uint32_t max_digits);

/* Decodes bytes that are alone in their memory. */
static CqlStatus
decode_hex(Decode decode, const char *hex, uint32_t max_digits)
{
	size_t		length;
	uint8_t    *data = from_hex(hex, &length);
	uint8_t    *exact = malloc(length + (length == 0));
	CqlStatus	status;

	memcpy(exact, data, length);
	begin();
	status = decode(bytes_of(exact, (int32_t) length), max_digits, &writer, &error);
	free(exact);
	free(data);
	return status;
}

/* Encodes text that is alone in its memory. */
static CqlStatus
encode_text(Encode encode, const char *text, uint32_t max_digits)
{
	size_t		length = strlen(text);
	char	   *exact = malloc(length + (length == 0));
	CqlString	string = {exact, (uint32_t) length};
	CqlStatus	status;

	memcpy(exact, text, length);
	begin();
	status = encode(&writer, string, max_digits);
	free(exact);
	return status;
}

static void
decodes(Decode decode, const char *hex, const char *text)
{
	if (!is_int(decode_hex(decode, hex, CQL_MAX_DIGITS), CQL_OK, "is decoded"))
		printf("# %s: %s\n", hex, error.message);
	else
		is_text(written(), text, text);
}

static void
encodes(Encode encode, const char *text, const char *hex)
{
	if (!is_int(encode_text(encode, text, CQL_MAX_DIGITS), CQL_OK, "is encoded"))
		printf("# %s: %s\n", text, error.message);
	else
		is_hex(writer.data, writer.length, hex, text);
}

/* Both ways */
static void
varint_is(const char *hex, const char *text)
{
	decodes(cql_decode_varint, hex, text);
	encodes(cql_encode_varint, text, hex);
}

static void
decimal_is(const char *hex, const char *text)
{
	decodes(cql_decode_decimal, hex, text);
	encodes(cql_encode_decimal, text, hex);
}

static void
test_vectors(void)
{
	/* those of the specification */
	varint_is("00", "0");
	varint_is("01", "1");
	varint_is("7f", "127");
	varint_is("0080", "128");
	varint_is("0081", "129");
	varint_is("ff", "-1");
	varint_is("80", "-128");
	varint_is("ff7f", "-129");
	for (size_t i = 0; i < sizeof(number_vectors) / sizeof(number_vectors[0]); i++)
	{
		const char *text = number_vectors[i][0];
		const char *hex = number_vectors[i][1];
		bool		good;

		good = decode_hex(cql_decode_varint, hex, CQL_MAX_DIGITS) == CQL_OK &&
			strcmp(written(), text) == 0;
		ok(good, "%.20s (%zu characters) is decoded", text, strlen(text));
		good = encode_text(cql_encode_varint, text, CQL_MAX_DIGITS) == CQL_OK;
		if (ok(good, "and encoded"))
			is_hex(writer.data, writer.length, hex, "to its bytes");
	}
}

static void
test_varint_forms(void)
{
	/* bytes that only repeat the sign */
	decodes(cql_decode_varint, "0000000000000000000000000000", "0");
	decodes(cql_decode_varint, "000000000000000000000001", "1");
	decodes(cql_decode_varint, "ffffffffffffffffffffffffff", "-1");
	decodes(cql_decode_varint, "ffffffffffffffffffffffff7f", "-129");
	decodes(cql_decode_varint, "ffffffffffffffffffffffff80", "-128");
	decodes(cql_decode_varint, "00000000000000ff", "255");

	encodes(cql_encode_varint, "-0", "00");
	encodes(cql_encode_varint, "000", "00");
	encodes(cql_encode_varint, "-00128", "80");
	encodes(cql_encode_varint, "00000000000000000000000000000000000128", "0080");

	is_int(decode_hex(cql_decode_varint, "", 10), CQL_MALFORMED, "no bytes");
	is_text(error.message, "value of type varint has no bytes", "message");
	begin();
	is_int(cql_decode_varint(bytes_of(NULL, CQL_LENGTH_NULL), 10, &writer, &error),
		   CQL_MALFORMED, "null");
}

static void
test_varint_invalid(void)
{
	static const char *const texts[] = {
		"", "-", "+1", "--1", "1-", "a", "1a", "1.0", "1e3", " 1", "1 ", "0x10",
		"NaN", "/", ":", "-.",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		char		message[100];

		is_int(encode_text(cql_encode_varint, texts[i], 10), CQL_INVALID, texts[i]);
		snprintf(message, sizeof(message), "not a number of type varint: \"%s\"", texts[i]);
		is_text(error.message, message, "message");
		is_int((long long) writer.length, 0, "nothing is written");
	}
	is_int(encode_text(cql_encode_varint,
					   "x234567890123456789012345678901234567890123", 10), CQL_INVALID,
		   "a long text");
	is_text(error.message,
			"not a number of type varint: \"x234567890123456789012345678901234567890\"",
			"is cut");
}

static void
test_decimal(void)
{
	decimal_is("00000000 00", "0");
	decimal_is("00000002 00", "0.00");
	decimal_is("00000002 04e2", "12.50");
	decimal_is("00000002 fb1e", "-12.50");
	decimal_is("fffffffd 7d", "125e3");
	decimal_is("fffffffd 83", "-125e3");
	decimal_is("00000003 7d", "0.125");
	decimal_is("00000004 83", "-0.0125");
	decimal_is("00000001 00ff", "25.5");
	decimal_is("0000002a 0a", "0.000000000000000000000000000000000000000010");
	decimal_is("0000002b 0a", "10e-43");
	decimal_is("00000029 01", "0.00000000000000000000000000000000000000001");
	decimal_is("0000002a 01", "1e-42");
	decimal_is("7fffffff 01", "1e-2147483647");
	decimal_is("80000000 01", "1e2147483648");
	decimal_is("80000000 00", "0e2147483648");
	decimal_is("7fffffff ff", "-1e-2147483647");
	decimal_is("00000009 3b9aca00", "1.000000000");
	decimal_is("00000012 0de0b6b3a7640000", "1.000000000000000000");

	encodes(cql_encode_decimal, "5.", "00000000 05");
	encodes(cql_encode_decimal, ".5", "00000001 05");
	encodes(cql_encode_decimal, "-.5", "00000001 fb");
	encodes(cql_encode_decimal, "1E+3", "fffffffd 01");
	encodes(cql_encode_decimal, "1.5e-3", "00000004 0f");
	encodes(cql_encode_decimal, "1.5e1", "00000000 0f");
	encodes(cql_encode_decimal, "0001.500", "00000003 05dc");
	encodes(cql_encode_decimal, "-0.00", "00000002 00");
	encodes(cql_encode_decimal, "0.1e2147483649", "80000000 01");
}

static void
test_decimal_invalid(void)
{
	static const char *const texts[] = {
		"", "-", ".", "-.", "e5", ".e5", "1e", "1e+", "1e-", "1e5x", "1x", "1..2",
		"1.2.3", "+1", " 1", "NaN", "Infinity", "1e2147483649", "1e-2147483648",
		"1e99999999999999999999999999", "1e-99999999999999999999999999", "1e+-5",
		"1e-+5",
	};
	static const char *const values[] = {
		"", "00", "00000000",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		char		message[100];

		is_int(encode_text(cql_encode_decimal, texts[i], 10), CQL_INVALID, texts[i]);
		snprintf(message, sizeof(message), "not a number of type decimal: \"%s\"", texts[i]);
		is_text(error.message, message, "message");
		is_int((long long) writer.length, 0, "nothing is written");
	}
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
	{
		char		message[100];

		is_int(decode_hex(cql_decode_decimal, values[i], 10), CQL_MALFORMED, "too short");
		snprintf(message, sizeof(message), "value of type decimal has %zu bytes, not 5 or more",
				 strlen(values[i]) / 2);
		is_text(error.message, message, "message");
	}
	begin();
	is_int(cql_decode_decimal(bytes_of(NULL, CQL_LENGTH_NULL), 10, &writer, &error),
		   CQL_MALFORMED, "null");
}

static void
test_limits(void)
{
	char	   *digits = malloc(CQL_MAX_DIGITS + 3);
	uint8_t    *bytes = malloc(1 << 20);
	int32_t		length;

	is_int(encode_text(cql_encode_varint, "123", 3), CQL_OK, "as many digits as may be");
	is_int(encode_text(cql_encode_varint, "000123", 3), CQL_OK, "zeroes before do not count");
	is_int(encode_text(cql_encode_varint, "-1234", 3), CQL_TOO_LARGE, "one more");
	is_text(error.message, "number has more than 3 digits", "message");
	is_int(encode_text(cql_encode_decimal, "0.000123e-1000", 3), CQL_OK,
		   "nor zeroes behind the point");
	is_int(encode_text(cql_encode_decimal, "1.000", 3), CQL_TOO_LARGE,
		   "but zeroes at the end do");
	is_int(decode_hex(cql_decode_varint, "03e7", 3), CQL_OK, "999");
	is_int(decode_hex(cql_decode_varint, "03e8", 3), CQL_TOO_LARGE, "1000");
	is_text(error.message, "number has more than 3 digits", "message");
	is_int(decode_hex(cql_decode_decimal, "00000003 03e8", 3), CQL_TOO_LARGE, "1.000");
	is_int(decode_hex(cql_decode_varint, "000000000000000000000000000000000001", 1), CQL_OK,
		   "1 in many bytes");
	is_int(memory.live, 1, "only the writer's memory is taken");

	/* refused without work: this would take minutes */
	begin();
	memset(bytes, 0x7f, 1 << 20);
	memory.requests = 0;
	is_int(cql_decode_varint(bytes_of(bytes, 1 << 20), CQL_MAX_DIGITS, &writer, &error),
		   CQL_TOO_LARGE, "a million bytes");
	is_int(memory.requests, 0, "no memory is taken for them");

	/* the most that there can be, and one more */
	memset(digits, '9', CQL_MAX_DIGITS + 1);
	digits[CQL_MAX_DIGITS + 1] = '\0';
	is_int(encode_text(cql_encode_varint, digits, CQL_MAX_DIGITS), CQL_TOO_LARGE,
		   "a digit too many");
	digits[CQL_MAX_DIGITS] = '\0';
	is_int(encode_text(cql_encode_varint, digits, CQL_MAX_DIGITS), CQL_OK,
		   "as many as there may be");
	length = (int32_t) writer.length;
	memcpy(bytes, writer.data, writer.length);
	begin();
	is_int(cql_decode_varint(bytes_of(bytes, length), CQL_MAX_DIGITS, &writer, &error),
		   CQL_OK, "and back");
	ok(strcmp(written(), digits) == 0, "they are the same");
	free(digits);
	free(bytes);
}

/* Fails each allocation in turn. */
static void
test_no_memory(void)
{
	const size_t last = sizeof(number_vectors) / sizeof(number_vectors[0]) - 1;
	CqlStatus	status = CQL_NO_MEMORY;
	long		k;

	for (k = 1; status != CQL_OK && k < 100; k++)
	{
		begin();
		memory.requests = 0;
		memory.fail_at = k;
		status = decode_hex(cql_decode_varint, number_vectors[last][1], CQL_MAX_DIGITS);
		memory.fail_at = 0;
	}
	ok(k == 4 && status == CQL_OK, "decoding: no memory at any of %ld places", k - 2);
	status = CQL_NO_MEMORY;
	for (k = 1; status != CQL_OK && k < 100; k++)
	{
		memory.requests = 0;
		memory.fail_at = k;
		status = encode_text(cql_encode_varint, number_vectors[last][0], CQL_MAX_DIGITS);
		memory.fail_at = 0;
	}
	ok(k == 4 && status == CQL_OK, "encoding: no memory at any of %ld places", k - 2);

	/* no room in the writer */
	begin();
	writer.max = 3;
	is_int(cql_encode_decimal(&writer, str("1.5"), 10), CQL_TOO_LARGE, "no room for a scale");
	begin();
	writer.max = 4;
	is_int(cql_encode_decimal(&writer, str("1.5"), 10), CQL_TOO_LARGE, "no room for digits");
	begin();
	writer.max = 5;
	is_int(cql_encode_decimal(&writer, str("1.5"), 10), CQL_OK, "room");
	begin();
	writer.max = 3;
	is_int(cql_decode_decimal(bytes_of("\0\0\0\1\1", 5), 10, &writer,
							  &error), CQL_OK, "room for 0.1");
	begin();
	writer.max = 4;
	is_int(cql_decode_decimal(bytes_of("\xff\xff\0\0\1", 5), 10, &writer,
							  &error), CQL_TOO_LARGE, "no room for an exponent");
	begin();
	writer.max = 1;
	is_int(cql_decode_decimal(bytes_of("\xff\xff\0\0\1", 5), 10, &writer,
							  &error), CQL_TOO_LARGE, "nor for a digit");
}

int
main(void)
{
	test_vectors();
	test_varint_forms();
	test_varint_invalid();
	test_decimal();
	test_decimal_invalid();
	test_limits();
	test_no_memory();
	cql_writer_free(&writer);
	is_int(memory.live, 0, "nothing leaks");
	return done_testing();
}
