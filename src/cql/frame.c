/*-------------------------------------------------------------------------
 *
 * frame.c
 *	  Frame headers, and LZ4 compression of bodies.
 *
 * Section numbers are those of the native protocol v4's specification.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/frame.h"

#include <string.h>

#include <lz4.h>

/* Where the parts of a header are, section 2. */
#define AT_VERSION 0
#define AT_FLAGS 1
#define AT_STREAM 2
#define AT_OPCODE 4
#define AT_LENGTH 5

#define DIRECTION_RESPONSE 0x80

/* The oldest version whose headers look like ours. */
#define OLDEST_SAME_HEADER 3

/* What stands before an LZ4 block: the length of what it expands to. */
#define LZ4_PREFIX 4

/* A byte of an LZ4 block expands to no more than this. */
#define LZ4_MAX_RATIO 255

/* Smaller bodies are sent as they are: compressing takes longer than sending. */
#define COMPRESS_MIN 256

/* A big-endian number of 32 bits. */
static uint32_t
get_u32(const uint8_t *bytes)
{
	return (uint32_t) bytes[0] << 24 | (uint32_t) bytes[1] << 16 |
		(uint32_t) bytes[2] << 8 | bytes[3];
}

static void
put_u32(uint8_t *bytes, uint32_t value)
{
	bytes[0] = (uint8_t) (value >> 24);
	bytes[1] = (uint8_t) (value >> 16);
	bytes[2] = (uint8_t) (value >> 8);
	bytes[3] = (uint8_t) value;
}

/*
 * Section 2.1.  A server that does not speak our version answers with an error
 * in a frame of its own (section 2.1, and 9 of error 0x000A).
 */
static CqlStatus
check_version(const CqlFrameHeader *header, CqlError *error)
{
	int			version = header->version & ~DIRECTION_RESPONSE;

	if (!(header->version & DIRECTION_RESPONSE))
		return cql_fail(error, CQL_MALFORMED,
						"the server sent a frame that is no response (version byte 0x%02x)",
						header->version);
	if (header->version == CQL_VERSION_RESPONSE)
		return CQL_OK;
	if (version >= OLDEST_SAME_HEADER && header->opcode == CQL_OP_ERROR)
		return CQL_OK;
	return cql_fail(error, CQL_MALFORMED,
					"the server speaks version %d of the protocol, not %d",
					version, CQL_PROTOCOL_VERSION);
}

CqlStatus
cql_frame_header_read(const uint8_t *bytes, const CqlLimits *limits,
					  CqlFrameHeader *header, CqlError *error)
{
	uint16_t	stream = (uint16_t) (bytes[AT_STREAM] << 8 | bytes[AT_STREAM + 1]);

	header->version = bytes[AT_VERSION];
	header->flags = bytes[AT_FLAGS];
	memcpy(&header->stream, &stream, sizeof(stream));
	header->opcode = bytes[AT_OPCODE];
	header->length = get_u32(bytes + AT_LENGTH);

	CQL_TRY(check_version(header, error));
	if (header->stream < CQL_EVENT_STREAM)
		return cql_fail(error, CQL_MALFORMED,
						"the server sent a frame for stream %d", header->stream);
	if (header->length > INT32_MAX)
		return cql_fail(error, CQL_MALFORMED,
						"the server sent a frame of a negative length");
	if (header->length > limits->frame_size)
		return cql_fail(error, CQL_TOO_LARGE,
						"frame of %u bytes is larger than %u bytes",
						(unsigned) header->length, (unsigned) limits->frame_size);
	return CQL_OK;
}

CqlStatus
cql_frame_begin(CqlWriter *writer, CqlOpcode opcode, uint8_t flags,
				int16_t stream, size_t *mark)
{
	uint8_t    *header;

	CQL_TRY(cql_writer_reserve(writer, CQL_HEADER_SIZE, &header));
	header[AT_VERSION] = CQL_VERSION_REQUEST;
	header[AT_FLAGS] = flags;
	header[AT_STREAM] = (uint8_t) ((uint16_t) stream >> 8);
	header[AT_STREAM + 1] = (uint8_t) stream;
	header[AT_OPCODE] = (uint8_t) opcode;
	put_u32(header + AT_LENGTH, 0);
	*mark = writer->length;
	cql_writer_advance(writer, CQL_HEADER_SIZE);
	return CQL_OK;
}

/*
 * Puts the LZ4 form in place of a body of `length` bytes at `start`, if it is
 * smaller.  It is made behind the body; if the writer has no room for that,
 * the body stays as it is.
 */
static CqlStatus
compress_body(CqlWriter *writer, size_t start, size_t length, bool *done)
{
	size_t		bound = (size_t) LZ4_compressBound((int) length);
	uint8_t    *block;
	int			size;

	*done = false;
	if (writer->max - writer->length < bound)
		return CQL_OK;
	CQL_TRY(cql_writer_reserve(writer, bound, &block));
	size = LZ4_compress_default((const char *) writer->data + start,
								(char *) block, (int) length, (int) bound);
	if (size <= 0 || (size_t) size + LZ4_PREFIX >= length)
		return CQL_OK;
	put_u32(writer->data + start, (uint32_t) length);
	memmove(writer->data + start + LZ4_PREFIX, block, (size_t) size);
	writer->length = start + LZ4_PREFIX + (size_t) size;
	*done = true;
	return CQL_OK;
}

/* Sections 2.2 and 2.5 */
CqlStatus
cql_frame_end(CqlWriter *writer, size_t mark, bool compress)
{
	size_t		start = mark + CQL_HEADER_SIZE;
	size_t		length = writer->length - start;
	bool		compressed = false;

	if (length > CQL_MAX_BODY_SIZE)
		return cql_fail(writer->error, CQL_TOO_LARGE,
						"request of %zu bytes is larger than %d bytes",
						length, CQL_MAX_BODY_SIZE);
	if (compress && length >= COMPRESS_MIN)
		CQL_TRY(compress_body(writer, start, length, &compressed));
	if (compressed)
		writer->data[mark + AT_FLAGS] |= CQL_FRAME_COMPRESSED;
	put_u32(writer->data + mark + AT_LENGTH, (uint32_t) (writer->length - start));
	return CQL_OK;
}

/* Section 5 */
CqlStatus
cql_lz4_length(const uint8_t *data, size_t size, const CqlLimits *limits,
			   size_t *length, CqlError *error)
{
	uint32_t	claimed;

	if (size < LZ4_PREFIX)
		return cql_fail(error, CQL_MALFORMED,
						"compressed frame has %zu bytes only", size);
	claimed = get_u32(data);
	if (claimed > INT32_MAX)
		return cql_fail(error, CQL_MALFORMED,
						"compressed frame has a negative length");
	if (claimed > limits->frame_size)
		return cql_fail(error, CQL_TOO_LARGE,
						"frame of %u bytes, once decompressed, is larger than %u bytes",
						(unsigned) claimed, (unsigned) limits->frame_size);
	if (claimed / LZ4_MAX_RATIO > size - LZ4_PREFIX)
		return cql_fail(error, CQL_MALFORMED,
						"compressed frame of %zu bytes cannot hold %u bytes",
						size, (unsigned) claimed);
	*length = claimed;
	return CQL_OK;
}

CqlStatus
cql_lz4_decompress(const uint8_t *data, size_t size, uint8_t *body,
				   size_t length, CqlError *error)
{
	int			got;

	if (size < LZ4_PREFIX || size > INT32_MAX || length > INT32_MAX)
		return cql_fail(error, CQL_MALFORMED,
						"compressed frame has %zu bytes", size);
	if (length == 0 && size == LZ4_PREFIX)
		return CQL_OK;
	got = LZ4_decompress_safe((const char *) data + LZ4_PREFIX, (char *) body,
							  (int) (size - LZ4_PREFIX), (int) length);
	if (got < 0 || (size_t) got != length)
		return cql_fail(error, CQL_MALFORMED,
						"compressed frame does not hold the %zu bytes that it claims",
						length);
	return CQL_OK;
}
