/* The protocol's notations, both ways, at their boundaries. */
#include "tap.h"

#include "cql/buffer.h"

static TestMemory memory;
static CqlAllocator allocator = TEST_ALLOCATOR(&memory);

/* A reader of hexadecimal digits; its bytes end with the buffer. */
static uint8_t *
reader_of(CqlReader *reader, const char *digits, CqlError *error)
{
	size_t		length;
	uint8_t    *bytes = from_hex(digits, &length);

	/* of exactly this size, so that the sanitizer sees a read past the end */
	bytes = realloc(bytes, length > 0 ? length : 1);
	memset(error, 0, sizeof(*error));
	cql_reader_init(reader, bytes, length, &cql_default_limits, error);
	return bytes;
}

static void
test_numbers(void)
{
	CqlReader	reader;
	CqlError	error;
	uint8_t    *bytes = reader_of(&reader, "fe 1234 fffffffe 80000001 8000000000000000", &error);
	uint8_t		u8 = 0;
	uint16_t	u16 = 0;
	int32_t		i32 = 0;
	uint32_t	u32 = 0;
	int64_t		i64 = 0;

	is_int(cql_read_u8(&reader, &u8), CQL_OK, "byte");
	is_int(u8, 0xfe, "its value");
	is_int(cql_read_u16(&reader, &u16), CQL_OK, "short");
	is_int(u16, 0x1234, "its value");
	is_int(cql_read_i32(&reader, &i32), CQL_OK, "int");
	is_int(i32, -2, "its value");
	is_int(cql_read_u32(&reader, &u32), CQL_OK, "unsigned int");
	is_int(u32, 0x80000001, "its value");
	is_int(cql_read_i64(&reader, &i64), CQL_OK, "long");
	ok(i64 == INT64_MIN, "its value");
	is_int((long long) cql_reader_left(&reader), 0, "all is read");
	is_int(cql_read_u8(&reader, &u8), CQL_MALFORMED, "nothing is left");
	is_int(u8, 0xfe, "a failure leaves the value alone");
	is_text(error.message, "message ends 1 bytes too early", "message");
	free(bytes);

	bytes = reader_of(&reader, "010203", &error);
	is_int(cql_read_i32(&reader, &i32), CQL_MALFORMED, "three bytes are no int");
	is_int(cql_read_i64(&reader, &i64), CQL_MALFORMED, "nor a long");
	is_int(cql_read_skip(&reader, 4), CQL_MALFORMED, "nor are they four");
	is_int(cql_read_skip(&reader, 2), CQL_OK, "two are skipped");
	is_int(cql_read_u16(&reader, &u16), CQL_MALFORMED, "one byte is no short");
	is_int((long long) cql_reader_left(&reader), 1, "a failure reads nothing");
	free(bytes);

	cql_reader_init(&reader, NULL, 0, &cql_default_limits, NULL);
	is_int((long long) cql_reader_left(&reader), 0, "a reader of nothing");
	is_int(cql_read_u8(&reader, &u8), CQL_MALFORMED, "and without an error");
}

static void
test_strings(void)
{
	CqlReader	reader;
	CqlError	error;
	CqlString	string;
	CqlBytes	value;
	uint8_t    *bytes;

	bytes = reader_of(&reader, "0002 6869 0000 00000003 616263 00000000", &error);
	is_int(cql_read_string(&reader, &string), CQL_OK, "string");
	ok(cql_string_equals(string, "hi"), "its text");
	is_int(cql_read_string(&reader, &string), CQL_OK, "empty string");
	is_int(string.length, 0, "its length");
	is_int(cql_read_long_string(&reader, &string), CQL_OK, "long string");
	ok(cql_string_equals(string, "abc"), "its text");
	is_int(cql_read_long_string(&reader, &string), CQL_OK, "empty long string");
	free(bytes);

	bytes = reader_of(&reader, "0003 6869", &error);
	is_int(cql_read_string(&reader, &string), CQL_MALFORMED, "string too short");
	free(bytes);
	bytes = reader_of(&reader, "ffffffff 00", &error);
	is_int(cql_read_long_string(&reader, &string), CQL_MALFORMED, "negative length");
	is_text(error.message, "string has a length of -1", "message");
	free(bytes);
	bytes = reader_of(&reader, "7fffffff 00", &error);
	is_int(cql_read_long_string(&reader, &string), CQL_MALFORMED, "length beyond the end");
	free(bytes);

	bytes = reader_of(&reader, "00000002 0102 00000000 ffffffff fffffffe 80000000 0001 ff 0000", &error);
	is_int(cql_read_bytes(&reader, &value), CQL_OK, "bytes");
	is_hex(value.data, (size_t) value.length, "0102", "their value");
	is_int(cql_read_bytes(&reader, &value), CQL_OK, "empty bytes");
	ok(value.length == 0 && value.data != NULL, "are not null");
	for (int i = 0; i < 3; i++)
	{
		is_int(cql_read_bytes(&reader, &value), CQL_OK, "negative length");
		ok(value.length == CQL_LENGTH_NULL && value.data == NULL, "is null");
	}
	is_int(cql_read_short_bytes(&reader, &value), CQL_OK, "short bytes");
	is_hex(value.data, (size_t) value.length, "ff", "their value");
	is_int(cql_read_short_bytes(&reader, &value), CQL_OK, "empty short bytes");
	is_int(value.length, 0, "their length");
	free(bytes);

	bytes = reader_of(&reader, "00000003 0102", &error);
	is_int(cql_read_bytes(&reader, &value), CQL_MALFORMED, "bytes too short");
	free(bytes);
}

static void
test_inet(void)
{
	CqlReader	reader;
	CqlError	error;
	CqlBytes	address;
	int32_t		port;
	uint8_t    *bytes;

	bytes = reader_of(&reader, "04 7f000001 00002352 10 00000000000000000000000000000001 00000000", &error);
	is_int(cql_read_inet(&reader, &address, &port), CQL_OK, "address of 4 bytes");
	is_hex(address.data, (size_t) address.length, "7f000001", "its bytes");
	is_int(port, 9042, "its port");
	is_int(cql_read_inet(&reader, &address, &port), CQL_OK, "address of 16 bytes");
	is_int(address.length, 16, "its length");
	free(bytes);
	bytes = reader_of(&reader, "05 0102030405 00000000", &error);
	is_int(cql_read_inet(&reader, &address, &port), CQL_MALFORMED, "address of 5 bytes");
	is_text(error.message, "internet address has 5 bytes", "message");
	free(bytes);
	bytes = reader_of(&reader, "04 7f000001 0000", &error);
	is_int(cql_read_inet(&reader, &address, &port), CQL_MALFORMED, "half a port");
	free(bytes);
}

/* The examples are those of Cassandra's VIntCoding. */
static const struct
{
	uint64_t	value;
	const char *bytes;
}			vints[] = {
	{0, "00"}, {1, "01"}, {127, "7f"}, {128, "8080"}, {0x3fff, "bfff"},
	{0x4000, "c04000"}, {0x1fffff, "dfffff"}, {0x200000, "e0200000"},
	{0xfffffff, "efffffff"}, {0x10000000, "f010000000"},
	{UINT64_C(0x7ffffffff), "f7ffffffff"}, {UINT64_C(0x800000000), "f80800000000"},
	{UINT64_C(0x3ffffffffff), "fbffffffffff"}, {UINT64_C(0x40000000000), "fc040000000000"},
	{UINT64_C(0x1ffffffffffff), "fdffffffffffff"}, {UINT64_C(0x2000000000000), "fe02000000000000"},
	{UINT64_C(0xffffffffffffff), "feffffffffffffff"},
	{UINT64_C(0x100000000000000), "ff0100000000000000"}, {UINT64_MAX, "ffffffffffffffffff"}
};

static void
test_vints(void)
{
	for (size_t i = 0; i < sizeof(vints) / sizeof(vints[0]); i++)
	{
		CqlWriter	writer;
		CqlReader	reader;
		CqlError	error = {0};
		uint64_t	value = 0;
		uint8_t    *bytes;

		cql_writer_init(&writer, &allocator, 100, &error);
		is_int(cql_write_unsigned_vint(&writer, vints[i].value), CQL_OK, "unsigned vint");
		is_hex(writer.data, writer.length, vints[i].bytes, vints[i].bytes);
		cql_writer_free(&writer);
		bytes = reader_of(&reader, vints[i].bytes, &error);
		ok(cql_read_unsigned_vint(&reader, &value) == CQL_OK &&
		   value == vints[i].value && cql_reader_left(&reader) == 0, "is read back");
		free(bytes);
		/* and each of its beginnings is refused */
		bytes = from_hex(vints[i].bytes, &(size_t) {0});
		for (size_t length = 0; length < strlen(vints[i].bytes) / 2; length++)
		{
			cql_reader_init(&reader, bytes, length, &cql_default_limits, NULL);
			ok(cql_read_unsigned_vint(&reader, &value) == CQL_MALFORMED, "cut to %zu", length);
		}
		free(bytes);
	}
}

static void
test_zigzag(void)
{
	static const struct
	{
		int64_t		value;
		const char *bytes;
	}			cases[] = {
		{0, "00"}, {-1, "01"}, {1, "02"}, {-64, "7f"}, {64, "8080"},
		{INT64_MAX, "fffffffffffffffffe"}, {INT64_MIN, "ffffffffffffffffff"}
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		CqlWriter	writer;
		CqlReader	reader;
		CqlError	error = {0};
		int64_t		value = 0;
		uint8_t    *bytes = reader_of(&reader, cases[i].bytes, &error);

		ok(cql_read_vint(&reader, &value) == CQL_OK && value == cases[i].value,
		   "vint %s", cases[i].bytes);
		cql_writer_init(&writer, &allocator, 100, &error);
		is_int(cql_write_vint(&writer, cases[i].value), CQL_OK, "is written");
		is_hex(writer.data, writer.length, cases[i].bytes, "back");
		cql_writer_free(&writer);
		free(bytes);
	}
}

static void
test_writing(void)
{
	CqlWriter	writer;
	CqlError	error = {0};
	size_t		outer,
				inner;

	cql_writer_init(&writer, &allocator, 1000, &error);
	ok(cql_write_u8(&writer, 0xfe) == CQL_OK && cql_write_u16(&writer, 0x1234) == CQL_OK &&
	   cql_write_i32(&writer, -2) == CQL_OK && cql_write_i64(&writer, INT64_MIN) == CQL_OK,
	   "numbers are written");
	is_hex(writer.data, writer.length, "fe 1234 fffffffe 8000000000000000", "their bytes");

	cql_writer_reset(&writer);
	ok(cql_write_string(&writer, str("hi")) == CQL_OK &&
	   cql_write_long_string(&writer, str("abc")) == CQL_OK &&
	   cql_write_bytes(&writer, (CqlBytes) {(const uint8_t *) "x", 1}) == CQL_OK &&
	   cql_write_bytes(&writer, (CqlBytes) {NULL, CQL_LENGTH_NULL}) == CQL_OK &&
	   cql_write_bytes(&writer, (CqlBytes) {NULL, CQL_LENGTH_UNSET}) == CQL_OK &&
	   cql_write_bytes(&writer, (CqlBytes) {NULL, 0}) == CQL_OK &&
	   cql_write_short_bytes(&writer, (CqlBytes) {(const uint8_t *) "yz", 2}) == CQL_OK,
	   "strings are written");
	is_hex(writer.data, writer.length,
		   "0002 6869 00000003 616263 00000001 78 ffffffff fffffffe 00000000 0002 797a",
		   "their bytes");

	cql_writer_reset(&writer);
	ok(cql_write_begin(&writer, &outer) == CQL_OK && cql_write_u8(&writer, 1) == CQL_OK &&
	   cql_write_begin(&writer, &inner) == CQL_OK && cql_write_u16(&writer, 2) == CQL_OK &&
	   cql_write_end(&writer, inner) == CQL_OK && cql_write_end(&writer, outer) == CQL_OK,
	   "lengths that are known afterwards");
	is_hex(writer.data, writer.length, "00000007 01 00000002 0002", "nest");
	cql_writer_free(&writer);
	is_int(memory.live, 0, "all memory is released");
}

/* A value that has become too long; nothing of it is looked at. */
static void
test_long_value(void)
{
	CqlError	error = {0};
	CqlWriter	writer;

	cql_writer_init(&writer, &allocator, SIZE_MAX, &error);
	writer.length = (size_t) INT32_MAX + 10 + 4 + 1;
	is_int(cql_write_end(&writer, 10), CQL_TOO_LARGE, "a value of 2 GiB");
	is_text(error.message, "value of 2147483648 bytes is too long for the protocol", "message");
}

static void
test_refusals(void)
{
	CqlWriter	writer;
	CqlError	error = {0};
	char	   *text = calloc(70000, 1);
	uint8_t    *room;

	cql_writer_init(&writer, &allocator, 100000, &error);
	is_int(cql_write_string(&writer, (CqlString) {text, 65536}), CQL_INVALID, "string of 64 KiB");
	is_text(error.message, "string of 65536 bytes is too long for the protocol", "message");
	is_int(cql_write_string(&writer, (CqlString) {text, 65535}), CQL_OK, "one byte less");
	is_int(cql_write_long_string(&writer, (CqlString) {text, UINT32_MAX}), CQL_INVALID,
		   "long string of 4 GiB");
	is_int(cql_write_short_bytes(&writer, (CqlBytes) {(uint8_t *) text, 65536}), CQL_INVALID,
		   "short bytes of 64 KiB");
	is_int(cql_write_short_bytes(&writer, (CqlBytes) {NULL, -1}), CQL_INVALID,
		   "short bytes cannot be null");
	is_int(cql_write_raw(&writer, text, 70000), CQL_TOO_LARGE, "more than the writer's most");
	is_int((long long) writer.length, 65537, "what was refused was not written");
	is_int(cql_writer_reserve(&writer, SIZE_MAX, &room), CQL_TOO_LARGE, "room for everything");
	is_int(cql_writer_reserve(&writer, 100000 - 65537, &room), CQL_OK, "room up to the most");
	is_int(cql_writer_reserve(&writer, 100000 - 65536, &room), CQL_TOO_LARGE, "and no further");
	cql_writer_free(&writer);
	free(text);

	memory.requests = 0;
	for (memory.fail_at = 1; memory.fail_at <= 2; memory.fail_at++)
	{
		memset(&error, 0, sizeof(error));
		memory.requests = 0;
		cql_writer_init(&writer, &allocator, 100000, &error);
		if (memory.fail_at == 2)
			is_int(cql_write_i32(&writer, 5), CQL_OK, "a first piece");
		is_int(cql_writer_reserve(&writer, 5000, &room), CQL_NO_MEMORY, "no memory");
		is_text(error.message, "out of memory", "message");
		if (memory.fail_at == 2)
			is_hex(writer.data, writer.length, "00000005", "what was there is kept");
		cql_writer_free(&writer);
	}
	memory.fail_at = 0;
	is_int(memory.live, 0, "all memory is released");
}

int
main(void)
{
	test_numbers();
	test_strings();
	test_inet();
	test_vints();
	test_zigzag();
	test_writing();
	test_long_value();
	test_refusals();
	return done_testing();
}
