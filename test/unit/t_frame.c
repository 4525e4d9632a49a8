/* Frames: headers, and LZ4 both ways. */
#include "tap.h"

#include "cql/frame.h"

#include <lz4.h>

static TestMemory memory;
static const CqlAllocator allocator = TEST_ALLOCATOR(&memory);
static CqlError error;

/* ------
 * Headers that came
 * ------
 */

static CqlStatus
read_header(const char *hex, CqlFrameHeader *header)
{
	size_t		length;
	uint8_t    *bytes = from_hex(hex, &length);
	CqlStatus	status;

	memset(&error, 0, sizeof(error));
	memset(header, 0, sizeof(*header));
	status = cql_frame_header_read(bytes, &cql_default_limits, header, &error);
	free(bytes);
	return status;
}

static void
is_header(const char *hex, int version, int flags, int stream, int opcode,
		  long length)
{
	CqlFrameHeader header;

	is_int(read_header(hex, &header), CQL_OK, hex);
	is_int(header.version, version, "version");
	is_int(header.flags, flags, "flags");
	is_int(header.stream, stream, "stream");
	is_int(header.opcode, opcode, "opcode");
	is_int(header.length, length, "length");
}

static void
no_header(const char *hex, CqlStatus status, const char *message)
{
	CqlFrameHeader header;

	is_int(read_header(hex, &header), status, hex);
	is_text(error.message, message, "its message");
}

static void
test_headers(void)
{
	is_header("84 00 0000 02 00000000", 0x84, 0, 0, CQL_OP_READY, 0);
	is_header("84 0f 7fff 08 10000000", 0x84, 0x0f, 32767, CQL_OP_RESULT,
			  256 * 1024 * 1024);
	is_header("84 00 ffff 0c 01020304", 0x84, 0, -1, CQL_OP_EVENT, 0x01020304);
	/* a server's error in its own version */
	is_header("83 00 0000 00 00000010", 0x83, 0, 0, CQL_OP_ERROR, 16);
	is_header("85 00 0100 00 00000010", 0x85, 0, 256, CQL_OP_ERROR, 16);

	no_header("84 00 fffe 02 00000000", CQL_MALFORMED,
			  "the server sent a frame for stream -2");
	no_header("84 00 8000 02 00000000", CQL_MALFORMED,
			  "the server sent a frame for stream -32768");
	no_header("84 00 0000 02 80000000", CQL_MALFORMED,
			  "the server sent a frame of a negative length");
	no_header("84 00 0000 02 ffffffff", CQL_MALFORMED,
			  "the server sent a frame of a negative length");
	no_header("84 00 0000 02 10000001", CQL_TOO_LARGE,
			  "frame of 268435457 bytes is larger than 268435456 bytes");
	no_header("85 00 0000 02 00000000", CQL_MALFORMED,
			  "the server speaks version 5 of the protocol, not 4");
	no_header("83 00 0000 08 00000000", CQL_MALFORMED,
			  "the server speaks version 3 of the protocol, not 4");
	/* versions 1 and 2 have a header of 8 bytes */
	no_header("82 00 00 00 00000010 00", CQL_MALFORMED,
			  "the server speaks version 2 of the protocol, not 4");
	no_header("04 00 0000 02 00000000", CQL_MALFORMED,
			  "the server sent a frame that is no response (version byte 0x04)");
	no_header("48 54 5450 2f 312e3120", CQL_MALFORMED,
			  "the server sent a frame that is no response (version byte 0x48)");
}

/* ------
 * Frames that go
 * ------
 */

static void
write_frame(CqlWriter *writer, CqlOpcode opcode, uint8_t flags, int16_t stream,
			const void *body, size_t length, bool compress)
{
	size_t		mark;

	is_int(cql_frame_begin(writer, opcode, flags, stream, &mark), CQL_OK, "begin");
	is_int(cql_write_raw(writer, body, length), CQL_OK, "body");
	is_int(cql_frame_end(writer, mark, compress), CQL_OK, "end");
}

static void
test_writing(void)
{
	CqlWriter	writer;
	size_t		mark;

	cql_writer_init(&writer, &allocator, 1024, &error);
	write_frame(&writer, CQL_OP_OPTIONS, 0, 0, "", 0, false);
	is_hex(writer.data, writer.length, "04 00 0000 05 00000000", "without a body");
	write_frame(&writer, CQL_OP_QUERY, 0x06, 32767, "abc", 3, true);
	is_hex(writer.data, writer.length,
		   "04 00 0000 05 00000000  04 06 7fff 07 00000003 616263",
		   "behind it another");
	cql_writer_reset(&writer);
	write_frame(&writer, CQL_OP_OPTIONS, 0, 0, "", 0, true);
	is_hex(writer.data, writer.length, "04 00 0000 05 00000000",
		   "an empty body is not compressed");
	cql_writer_free(&writer);

	cql_writer_init(&writer, &allocator, 8, NULL);
	is_int(cql_frame_begin(&writer, CQL_OP_QUERY, 0, 0, &mark), CQL_TOO_LARGE,
		   "no room for a header");
	cql_writer_free(&writer);
}

/* A body one byte larger than the protocol allows, without touching it. */
static void
test_too_large(void)
{
	CqlWriter	writer;
	size_t		mark;
	uint8_t    *room;
	size_t		size = CQL_MAX_BODY_SIZE;

	memset(&error, 0, sizeof(error));
	cql_writer_init(&writer, &allocator, SIZE_MAX, &error);
	is_int(cql_frame_begin(&writer, CQL_OP_QUERY, 0, 0, &mark), CQL_OK, "begin");
	is_int(cql_writer_reserve(&writer, size + 1, &room), CQL_OK, "room");
	cql_writer_advance(&writer, size);
	is_int(cql_frame_end(&writer, mark, false), CQL_OK, "the largest body");
	is_hex(writer.data, CQL_HEADER_SIZE, "04 00 0000 07 10000000", "its header");
	cql_writer_advance(&writer, 1);
	is_int(cql_frame_end(&writer, mark, false), CQL_TOO_LARGE, "one byte more");
	is_text(error.message,
			"request of 268435457 bytes is larger than 268435456 bytes", "message");
	cql_writer_free(&writer);
}

/* ------
 * Compression
 * ------
 */

/* A frame's body, expanded; to be freed. */
static uint8_t *
expand(const uint8_t *frame, size_t size, size_t *length)
{
	const uint8_t *body = frame + CQL_HEADER_SIZE;
	uint8_t    *expanded;

	size -= CQL_HEADER_SIZE;
	is_int(cql_lz4_length(body, size, &cql_default_limits, length, &error), CQL_OK,
		   "length of a compressed body");
	expanded = malloc(*length + (*length == 0));
	is_int(cql_lz4_decompress(body, size, expanded, *length, &error), CQL_OK,
		   "expanding it");
	return expanded;
}

static void
test_compressible(void)
{
	CqlWriter	writer;
	uint8_t		body[1000];
	uint8_t    *expanded;
	size_t		length;

	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t) "belongs to many "[i % 16];
	memset(&error, 0, sizeof(error));
	cql_writer_init(&writer, &allocator, 10000, &error);
	write_frame(&writer, CQL_OP_OPTIONS, 0, 7, "", 0, true);
	write_frame(&writer, CQL_OP_QUERY, 0x02, 258, body, sizeof(body), true);
	/*
	 * 1000 bytes: 15 + 1 literals, a match 16 back of 15 + 3 * 255 + 195 + 4
	 * bytes, 5 literals
	 */
	is_hex(writer.data, writer.length,
		   "04 00 0007 05 00000000  04 03 0102 07 00000022 000003e8"
		   "ff 01 62656c6f6e677320746f206d616e7920 1000 ffffffc3"
		   "50 6f6e677320", "a compressed frame");
	expanded = expand(writer.data + 9, writer.length - 9, &length);
	is_int((long long) length, sizeof(body), "length");
	ok(memcmp(expanded, body, sizeof(body)) == 0, "the same body again");
	free(expanded);
	cql_writer_free(&writer);
}

/* Bytes without any order, from a linear congruential generator. */
static void
fill_random(uint8_t *bytes, size_t length)
{
	uint64_t	state = 42;

	for (size_t i = 0; i < length; i++)
	{
		state = state * 6364136223846793005u + 1442695040888963407u;
		bytes[i] = (uint8_t) (state >> 56);
	}
}

static void
test_incompressible(void)
{
	CqlWriter	writer;
	uint8_t		body[1000];

	fill_random(body, sizeof(body));
	memset(&error, 0, sizeof(error));
	cql_writer_init(&writer, &allocator, 10000, &error);
	write_frame(&writer, CQL_OP_QUERY, 0, 1, body, sizeof(body), true);
	is_hex(writer.data, 9, "04 00 0001 07 000003e8", "it stays as it is");
	is_int((long long) writer.length, 9 + sizeof(body), "nothing behind it");
	ok(memcmp(writer.data + 9, body, sizeof(body)) == 0, "the body is the same");
	cql_writer_free(&writer);
}

/* Where the writer has no room for compressing, a body goes as it is. */
static void
test_no_room_to_compress(void)
{
	CqlWriter	writer;
	uint8_t		body[1000] = {0};

	cql_writer_init(&writer, &allocator, 9 + sizeof(body) + 10, &error);
	write_frame(&writer, CQL_OP_QUERY, 0, 1, body, sizeof(body), true);
	is_int((long long) writer.length, 9 + sizeof(body), "not compressed");
	cql_writer_free(&writer);
}

static void
test_no_memory_to_compress(void)
{
	CqlWriter	writer;
	uint8_t		body[1000] = {0};
	size_t		mark;

	memset(&error, 0, sizeof(error));
	cql_writer_init(&writer, &allocator, 10000, &error);
	is_int(cql_frame_begin(&writer, CQL_OP_QUERY, 0, 1, &mark), CQL_OK, "begin");
	is_int(cql_write_raw(&writer, body, sizeof(body)), CQL_OK, "body");
	memory.fail_at = memory.requests + 1;
	is_int(cql_frame_end(&writer, mark, true), CQL_NO_MEMORY, "no memory");
	memory.fail_at = 0;
	cql_writer_free(&writer);
}

static void
test_empty_and_exact(void)
{
	uint8_t		body[8];
	size_t		length = 99;

	is_int(cql_lz4_length((const uint8_t *) "\0\0\0\0\0", 5, &cql_default_limits,
						  &length, &error), CQL_OK, "an empty body");
	is_int((long long) length, 0, "length");
	is_int(cql_lz4_decompress((const uint8_t *) "\0\0\0\0\0", 5, body, 0, &error),
		   CQL_OK, "an empty block of one byte");
	is_int(cql_lz4_decompress((const uint8_t *) "\0\0\0\0", 4, body, 0, &error),
		   CQL_OK, "an empty body without a block");
	is_int(cql_lz4_decompress((const uint8_t *) "\0\0\0\3\x30" "abc", 8, body, 3,
							  &error), CQL_OK, "three literals");
	is_hex(body, 3, "616263", "they are the body");
}

static void
fails_length(const char *hex, uint32_t limit, CqlStatus status, const char *message)
{
	size_t		size;
	uint8_t    *bytes = from_hex(hex, &size);
	CqlLimits	limits = cql_default_limits;
	size_t		length;

	limits.frame_size = limit;
	memset(&error, 0, sizeof(error));
	is_int(cql_lz4_length(bytes, size, &limits, &length, &error), status, message);
	is_text(error.message, message, "message");
	free(bytes);
}

static void
test_bad_lengths(void)
{
	fails_length("", 100, CQL_MALFORMED, "compressed frame has 0 bytes only");
	fails_length("000000", 100, CQL_MALFORMED, "compressed frame has 3 bytes only");
	fails_length("80000000 00", 100, CQL_MALFORMED,
				 "compressed frame has a negative length");
	fails_length("00000065 00", 100, CQL_TOO_LARGE,
				 "frame of 101 bytes, once decompressed, is larger than 100 bytes");
	/* a byte expands to 255 at most */
	fails_length("00000200 00", 1000, CQL_MALFORMED,
				 "compressed frame of 5 bytes cannot hold 512 bytes");
	fails_length("7fffffff 0000", 0x7fffffff, CQL_MALFORMED,
				 "compressed frame of 6 bytes cannot hold 2147483647 bytes");
}

static void
fails_block(const char *hex, size_t length)
{
	size_t		size;
	uint8_t    *bytes = from_hex(hex, &size);
	uint8_t    *body = malloc(length + (length == 0));

	memset(&error, 0, sizeof(error));
	is_int(cql_lz4_decompress(bytes, size, body, length, &error), CQL_MALFORMED, hex);
	free(body);
	free(bytes);
}

static void
test_bad_blocks(void)
{
	fails_block("00000004 30 616263", 4);	/* fewer bytes than claimed */
	fails_block("00000002 30 616263", 2);	/* more */
	fails_block("00000000 30 616263", 0);
	fails_block("00000003 40 616263", 3);	/* literals end early */
	fails_block("00000005 10 61 0000", 5);	/* a match at offset 0 */
	fails_block("00000009 10 61 ffff 50 6162636465", 9);	/* before the start */
	fails_block("00000003", 3);
	is_text(error.message, "compressed frame does not hold the 3 bytes that it claims",
			"message");
	fails_block("0000", 3);
	is_text(error.message, "compressed frame has 2 bytes", "message");
}

int
main(void)
{
	test_headers();
	test_writing();
	test_too_large();
	test_compressible();
	test_incompressible();
	test_no_room_to_compress();
	test_no_memory_to_compress();
	test_empty_and_exact();
	test_bad_lengths();
	test_bad_blocks();
	is_int(memory.live, 0, "no memory is left");
	return done_testing();
}
