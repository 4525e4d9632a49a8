/*-------------------------------------------------------------------------
 *
 * buffer.c
 *	  Reading and writing the protocol's notations.
 *
 * Section numbers are those of the native protocol v4's specification.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/buffer.h"

#include <limits.h>
#include <string.h>

/* The longest encoding of a 64-bit number as [vint]. */
#define MAX_VINT_SIZE 9

void
cql_reader_init(CqlReader *reader, const void *data, size_t length,
				const CqlLimits *limits, CqlError *error)
{
	reader->at = data;
	reader->end = length == 0 ? reader->at : reader->at + length;
	reader->limits = limits;
	reader->error = error;
}

size_t
cql_reader_left(const CqlReader *reader)
{
	return reader->at == NULL ? 0 : (size_t) (reader->end - reader->at);
}

CqlStatus
cql_read_raw(CqlReader *reader, size_t length, const uint8_t **data)
{
	if (cql_reader_left(reader) < length)
		return cql_fail(reader->error, CQL_MALFORMED,
						"message ends %zu bytes too early",
						length - cql_reader_left(reader));
	*data = reader->at;
	if (length > 0)
		reader->at += length;
	return CQL_OK;
}

CqlStatus
cql_read_skip(CqlReader *reader, size_t length)
{
	const uint8_t *data;

	return cql_read_raw(reader, length, &data);
}

/* A big-endian number of `size` bytes, at most eight. */
static CqlStatus
read_number(CqlReader *reader, size_t size, uint64_t *value)
{
	const uint8_t *data;
	uint64_t	number = 0;

	CQL_TRY(cql_read_raw(reader, size, &data));
	for (size_t i = 0; i < size; i++)
		number = number << 8 | data[i];
	*value = number;
	return CQL_OK;
}

CqlStatus
cql_read_u8(CqlReader *reader, uint8_t *value)
{
	uint64_t	number;

	CQL_TRY(read_number(reader, 1, &number));
	*value = (uint8_t) number;
	return CQL_OK;
}

/* [short], section 3 */
CqlStatus
cql_read_u16(CqlReader *reader, uint16_t *value)
{
	uint64_t	number;

	CQL_TRY(read_number(reader, 2, &number));
	*value = (uint16_t) number;
	return CQL_OK;
}

CqlStatus
cql_read_u32(CqlReader *reader, uint32_t *value)
{
	uint64_t	number;

	CQL_TRY(read_number(reader, 4, &number));
	*value = (uint32_t) number;
	return CQL_OK;
}

/* [int] */
CqlStatus
cql_read_i32(CqlReader *reader, int32_t *value)
{
	uint32_t	number;

	CQL_TRY(cql_read_u32(reader, &number));
	memcpy(value, &number, sizeof(*value));
	return CQL_OK;
}

/* [long] */
CqlStatus
cql_read_i64(CqlReader *reader, int64_t *value)
{
	uint64_t	number;

	CQL_TRY(read_number(reader, 8, &number));
	memcpy(value, &number, sizeof(*value));
	return CQL_OK;
}

CqlStatus
cql_read_string(CqlReader *reader, CqlString *value)
{
	uint16_t	length;
	const uint8_t *data;

	CQL_TRY(cql_read_u16(reader, &length));
	CQL_TRY(cql_read_raw(reader, length, &data));
	value->data = (const char *) data;
	value->length = length;
	return CQL_OK;
}

CqlStatus
cql_read_long_string(CqlReader *reader, CqlString *value)
{
	int32_t		length;
	const uint8_t *data;

	CQL_TRY(cql_read_i32(reader, &length));
	if (length < 0)
		return cql_fail(reader->error, CQL_MALFORMED,
						"string has a length of %d", (int) length);
	CQL_TRY(cql_read_raw(reader, (size_t) length, &data));
	value->data = (const char *) data;
	value->length = (uint32_t) length;
	return CQL_OK;
}

CqlStatus
cql_read_bytes(CqlReader *reader, CqlBytes *value)
{
	int32_t		length;
	const uint8_t *data = NULL;

	CQL_TRY(cql_read_i32(reader, &length));
	if (length >= 0)
		CQL_TRY(cql_read_raw(reader, (size_t) length, &data));
	value->data = data;
	value->length = length < 0 ? CQL_LENGTH_NULL : length;
	return CQL_OK;
}

CqlStatus
cql_read_short_bytes(CqlReader *reader, CqlBytes *value)
{
	uint16_t	length;
	const uint8_t *data;

	CQL_TRY(cql_read_u16(reader, &length));
	CQL_TRY(cql_read_raw(reader, length, &data));
	value->data = data;
	value->length = length;
	return CQL_OK;
}

CqlStatus
cql_read_inet(CqlReader *reader, CqlBytes *address, int32_t *port)
{
	uint8_t		length;
	const uint8_t *data;

	CQL_TRY(cql_read_u8(reader, &length));
	if (length != 4 && length != 16)
		return cql_fail(reader->error, CQL_MALFORMED,
						"internet address has %u bytes", (unsigned) length);
	CQL_TRY(cql_read_raw(reader, length, &data));
	CQL_TRY(cql_read_i32(reader, port));
	address->data = data;
	address->length = length;
	return CQL_OK;
}

/*
 * [unsigned vint] (native protocol v5, section 3; used by durations and
 * vectors in v4 too): as many bytes follow the first as it begins with one
 * bits.
 */
CqlStatus
cql_read_unsigned_vint(CqlReader *reader, uint64_t *value)
{
	uint8_t		first;
	int			extra = 0;
	uint64_t	rest;

	CQL_TRY(cql_read_u8(reader, &first));
	while (extra < 8 && (first & (0x80 >> extra)))
		extra++;
	CQL_TRY(read_number(reader, (size_t) extra, &rest));
	if (extra < 7)
		rest |= (uint64_t) (first & (0x7F >> extra)) << (8 * extra);
	*value = rest;
	return CQL_OK;
}

CqlStatus
cql_read_vint(CqlReader *reader, int64_t *value)
{
	uint64_t	zigzag;

	CQL_TRY(cql_read_unsigned_vint(reader, &zigzag));
	zigzag = (zigzag >> 1) ^ (0 - (zigzag & 1));
	memcpy(value, &zigzag, sizeof(*value));
	return CQL_OK;
}

void
cql_writer_init(CqlWriter *writer, const CqlAllocator *allocator, size_t max,
				CqlError *error)
{
	memset(writer, 0, sizeof(*writer));
	writer->allocator = allocator;
	writer->max = max;
	writer->error = error;
}

void
cql_writer_reset(CqlWriter *writer)
{
	writer->length = 0;
}

/* Gives memory of the writer back. */
static void
release(CqlWriter *writer)
{
	if (writer->data == NULL)
		return;
	if (writer->secret)
		cql_wipe(writer->data, writer->size);
	writer->allocator->release(writer->allocator->context, writer->data);
}

void
cql_writer_free(CqlWriter *writer)
{
	release(writer);
	writer->data = NULL;
	writer->length = writer->size = 0;
}

/* Other memory with the same contents; NULL if there is none. */
static uint8_t *
move(CqlWriter *writer, size_t size)
{
	uint8_t    *data = writer->allocator->alloc(writer->allocator->context, size);

	if (data == NULL)
		return NULL;
	if (writer->length > 0)
		memcpy(data, writer->data, writer->length);
	release(writer);
	return data;
}

/* Makes the writer's memory `needed` bytes at least, doubling it. */
static CqlStatus
grow(CqlWriter *writer, size_t needed)
{
	size_t		size = writer->size < 128 ? 128 : writer->size;
	uint8_t    *data;

	while (size < needed)
		size = size > writer->max / 2 ? writer->max : size * 2;
	if (writer->data == NULL || writer->secret)
		data = move(writer, size);
	else
		data = writer->allocator->resize(writer->allocator->context,
										 writer->data, size);
	if (data == NULL)
		return cql_fail(writer->error, CQL_NO_MEMORY, "out of memory");
	writer->data = data;
	writer->size = size;
	return CQL_OK;
}

CqlStatus
cql_writer_reserve(CqlWriter *writer, size_t more, uint8_t **data)
{
	if (more > writer->max || writer->length > writer->max - more)
		return cql_fail(writer->error, CQL_TOO_LARGE,
						"message would be larger than %zu bytes", writer->max);
	if (writer->size - writer->length < more || writer->data == NULL)
		CQL_TRY(grow(writer, writer->length + more));
	*data = writer->data + writer->length;
	return CQL_OK;
}

void
cql_writer_advance(CqlWriter *writer, size_t length)
{
	writer->length += length;
}

CqlStatus
cql_write_raw(CqlWriter *writer, const void *data, size_t length)
{
	uint8_t    *room;

	CQL_TRY(cql_writer_reserve(writer, length, &room));
	if (length > 0)
		memcpy(room, data, length);
	writer->length += length;
	return CQL_OK;
}

/* A big-endian number of `size` bytes. */
static CqlStatus
write_number(CqlWriter *writer, size_t size, uint64_t value)
{
	uint8_t    *room;

	CQL_TRY(cql_writer_reserve(writer, size, &room));
	for (size_t i = 0; i < size; i++)
		room[i] = (uint8_t) (value >> (8 * (size - 1 - i)));
	writer->length += size;
	return CQL_OK;
}

CqlStatus
cql_write_u8(CqlWriter *writer, uint8_t value)
{
	return write_number(writer, 1, value);
}

CqlStatus
cql_write_u16(CqlWriter *writer, uint16_t value)
{
	return write_number(writer, 2, value);
}

CqlStatus
cql_write_i32(CqlWriter *writer, int32_t value)
{
	return write_number(writer, 4, (uint64_t) value);
}

CqlStatus
cql_write_i64(CqlWriter *writer, int64_t value)
{
	return write_number(writer, 8, (uint64_t) value);
}

CqlStatus
cql_write_string(CqlWriter *writer, CqlString value)
{
	if (value.length > UINT16_MAX)
		return cql_fail(writer->error, CQL_INVALID,
						"string of %u bytes is too long for the protocol",
						(unsigned) value.length);
	CQL_TRY(cql_write_u16(writer, (uint16_t) value.length));
	return cql_write_raw(writer, value.data, value.length);
}

CqlStatus
cql_write_long_string(CqlWriter *writer, CqlString value)
{
	if (value.length > INT32_MAX)
		return cql_fail(writer->error, CQL_INVALID,
						"string of %u bytes is too long for the protocol",
						(unsigned) value.length);
	CQL_TRY(cql_write_i32(writer, (int32_t) value.length));
	return cql_write_raw(writer, value.data, value.length);
}

CqlStatus
cql_write_bytes(CqlWriter *writer, CqlBytes value)
{
	CQL_TRY(cql_write_i32(writer, value.length));
	if (value.length > 0)
		CQL_TRY(cql_write_raw(writer, value.data, (size_t) value.length));
	return CQL_OK;
}

CqlStatus
cql_write_short_bytes(CqlWriter *writer, CqlBytes value)
{
	if (value.length < 0 || value.length > UINT16_MAX)
		return cql_fail(writer->error, CQL_INVALID,
						"%d bytes cannot be sent as short bytes",
						(int) value.length);
	CQL_TRY(cql_write_u16(writer, (uint16_t) value.length));
	return cql_write_raw(writer, value.data, (size_t) value.length);
}

CqlStatus
cql_write_unsigned_vint(CqlWriter *writer, uint64_t value)
{
	uint8_t    *room;
	int			extra = 0;

	/* a byte of n further ones has 7 - n bits of its own */
	while (extra < 8 && value >> (7 + 7 * extra) != 0)
		extra++;
	CQL_TRY(cql_writer_reserve(writer, MAX_VINT_SIZE, &room));
	room[0] = (uint8_t) ~(0xFF >> extra);
	if (extra < 7)
		room[0] |= (uint8_t) (value >> (8 * extra));
	for (int i = 1; i <= extra; i++)
		room[i] = (uint8_t) (value >> (8 * (extra - i)));
	writer->length += (size_t) extra + 1;
	return CQL_OK;
}

CqlStatus
cql_write_vint(CqlWriter *writer, int64_t value)
{
	uint64_t	bits = (uint64_t) value;

	return cql_write_unsigned_vint(writer, bits << 1 ^ (0 - (bits >> 63)));
}

CqlStatus
cql_write_begin(CqlWriter *writer, size_t *mark)
{
	*mark = writer->length;
	return cql_write_i32(writer, 0);
}

CqlStatus
cql_write_end(CqlWriter *writer, size_t mark)
{
	size_t		length = writer->length - mark - 4;

	if (length > INT32_MAX)
		return cql_fail(writer->error, CQL_TOO_LARGE,
						"value of %zu bytes is too long for the protocol", length);
	for (int i = 0; i < 4; i++)
		writer->data[mark + i] = (uint8_t) (length >> (8 * (3 - i)));
	return CQL_OK;
}
