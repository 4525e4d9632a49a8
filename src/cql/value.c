/*-------------------------------------------------------------------------
 *
 * value.c
 *	  Values of types without elements (native protocol v4, section 6).
 *
 * Varint and decimal are in number.c, collections and the like in elements.c.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/value.h"

#include <string.h>

#define NANOSECONDS_PER_DAY INT64_C(86400000000000)

/* A date counts from this many days before 1970-01-01. */
#define DATE_EPOCH UINT32_C(0x80000000)

bool
cql_value_is_empty(const CqlType *type, CqlBytes value)
{
	return value.length == 0 && type->id != CQL_TYPE_ASCII &&
		type->id != CQL_TYPE_VARCHAR && type->id != CQL_TYPE_BLOB &&
		type->id != CQL_TYPE_CUSTOM;
}

/* ------
 * Decoding
 * ------
 */

/* CQL_MALFORMED if a value has another number of bytes. */
static CqlStatus
check_length(CqlBytes bytes, int32_t length, const char *name, CqlError *error)
{
	if (bytes.length != length)
		return cql_fail(error, CQL_MALFORMED, "value of type %s has %d bytes, not %d",
						name, (int) bytes.length, (int) length);
	return CQL_OK;
}

/* A big-endian number of all the bytes, which are eight at most. */
static uint64_t
big_endian(CqlBytes bytes)
{
	uint64_t	number = 0;

	for (int32_t i = 0; i < bytes.length; i++)
		number = number << 8 | bytes.data[i];
	return number;
}

/* The same in two's complement. */
static int64_t
signed_big_endian(CqlBytes bytes)
{
	int			unused = 64 - 8 * bytes.length;
	uint64_t	number = big_endian(bytes) << unused;
	int64_t		value;

	memcpy(&value, &number, sizeof(value));
	return value >> unused;
}

/* Section 6.4 */
CqlStatus
cql_decode_boolean(CqlBytes bytes, bool *value, CqlError *error)
{
	CQL_TRY(check_length(bytes, 1, "boolean", error));
	*value = bytes.data[0] != 0;
	return CQL_OK;
}

/* The size and the name of an integer type; 0, and no name, for any other. */
static int32_t
integer_size(CqlTypeId type, const char **name)
{
	switch (type)
	{
		case CQL_TYPE_TINYINT:
			*name = "tinyint";
			return 1;
		case CQL_TYPE_SMALLINT:
			*name = "smallint";
			return 2;
		case CQL_TYPE_INT:
			*name = "int";
			return 4;
		case CQL_TYPE_BIGINT:
			*name = "bigint";
			return 8;
		case CQL_TYPE_COUNTER:
			*name = "counter";
			return 8;
		default:
			return 0;
	}
}

/* Sections 6.2, 6.10, 6.14, 6.19 */
CqlStatus
cql_decode_integer(CqlTypeId type, CqlBytes bytes, int64_t *value, CqlError *error)
{
	const char *name;
	int32_t		size = integer_size(type, &name);

	if (size == 0)
		return cql_fail(error, CQL_INVALID, "type 0x%04x is no integer type",
						(unsigned) type);
	CQL_TRY(check_length(bytes, size, name, error));
	*value = signed_big_endian(bytes);
	return CQL_OK;
}

/* Section 6.8 */
CqlStatus
cql_decode_float(CqlBytes bytes, float *value, CqlError *error)
{
	uint32_t	bits;

	CQL_TRY(check_length(bytes, 4, "float", error));
	bits = (uint32_t) big_endian(bytes);
	memcpy(value, &bits, sizeof(*value));
	return CQL_OK;
}

/* Section 6.7 */
CqlStatus
cql_decode_double(CqlBytes bytes, double *value, CqlError *error)
{
	uint64_t	bits;

	CQL_TRY(check_length(bytes, 8, "double", error));
	bits = big_endian(bytes);
	memcpy(value, &bits, sizeof(*value));
	return CQL_OK;
}

/* Section 6.17 */
CqlStatus
cql_decode_timestamp(CqlBytes bytes, int64_t *value, CqlError *error)
{
	CQL_TRY(check_length(bytes, 8, "timestamp", error));
	*value = signed_big_endian(bytes);
	return CQL_OK;
}

/* Section 6.5 */
CqlStatus
cql_decode_date(CqlBytes bytes, int32_t *days, CqlError *error)
{
	uint32_t	since_1970;

	CQL_TRY(check_length(bytes, 4, "date", error));
	since_1970 = (uint32_t) big_endian(bytes) - DATE_EPOCH;
	memcpy(days, &since_1970, sizeof(*days));
	return CQL_OK;
}

/* Section 6.16 */
CqlStatus
cql_decode_time(CqlBytes bytes, int64_t *value, CqlError *error)
{
	int64_t		time;

	CQL_TRY(check_length(bytes, 8, "time", error));
	time = signed_big_endian(bytes);
	if (time < 0 || time >= NANOSECONDS_PER_DAY)
		return cql_fail(error, CQL_MALFORMED,
						"value of type time is no time of day: %lld ns",
						(long long) time);
	*value = time;
	return CQL_OK;
}

/* Sections 6.18, 6.21 */
CqlStatus
cql_decode_uuid(CqlBytes bytes, const uint8_t **value, CqlError *error)
{
	CQL_TRY(check_length(bytes, 16, "uuid", error));
	*value = bytes.data;
	return CQL_OK;
}

/* Section 6.9 */
CqlStatus
cql_decode_inet(CqlBytes bytes, const uint8_t **value, CqlError *error)
{
	if (bytes.length != 4)
		CQL_TRY(check_length(bytes, 16, "inet", error));
	*value = bytes.data;
	return CQL_OK;
}

/* All of one sign, or zero? */
static bool
signs_agree(int64_t months, int64_t days, int64_t nanoseconds)
{
	return (months >= 0 && days >= 0 && nanoseconds >= 0) ||
		(months <= 0 && days <= 0 && nanoseconds <= 0);
}

/*
 * Three [vint]s: section 6 of v5, where the type is described; servers of v4
 * have it too.
 */
CqlStatus
cql_decode_duration(CqlBytes bytes, CqlDuration *value, CqlError *error)
{
	CqlReader	reader;
	int64_t		months,
				days,
				nanoseconds;

	if (bytes.length <= 0)
		return check_length(bytes, 3, "duration", error);
	cql_reader_init(&reader, bytes.data, (size_t) bytes.length,
					&cql_default_limits, error);
	CQL_TRY(cql_read_vint(&reader, &months));
	CQL_TRY(cql_read_vint(&reader, &days));
	CQL_TRY(cql_read_vint(&reader, &nanoseconds));
	if (cql_reader_left(&reader) > 0)
		return cql_fail(error, CQL_MALFORMED,
						"value of type duration has %zu bytes too many",
						cql_reader_left(&reader));
	if (months != (int32_t) months || days != (int32_t) days ||
		!signs_agree(months, days, nanoseconds))
		return cql_fail(error, CQL_MALFORMED, "value of type duration is out of range");
	value->months = (int32_t) months;
	value->days = (int32_t) days;
	value->nanoseconds = nanoseconds;
	return CQL_OK;
}

/* ------
 * Encoding; sections as above
 * ------
 */

CqlStatus
cql_encode_boolean(CqlWriter *writer, bool value)
{
	return cql_write_u8(writer, value ? 1 : 0);
}

CqlStatus
cql_encode_integer(CqlWriter *writer, CqlTypeId type, int64_t value)
{
	const char *name;
	int32_t		size = integer_size(type, &name);
	int64_t		limit;

	if (size == 0)
		return cql_fail(writer->error, CQL_INVALID,
						"type 0x%04x is no integer type", (unsigned) type);
	limit = INT64_MAX >> (64 - 8 * size);
	if (value > limit || value < -limit - 1)
		return cql_fail(writer->error, CQL_INVALID,
						"%lld is out of range for type %s", (long long) value, name);
	if (size == 8)
		return cql_write_i64(writer, value);
	if (size == 4)
		return cql_write_i32(writer, (int32_t) value);
	if (size == 2)
		return cql_write_u16(writer, (uint16_t) value);
	return cql_write_u8(writer, (uint8_t) value);
}

CqlStatus
cql_encode_float(CqlWriter *writer, float value)
{
	int32_t		bits;

	memcpy(&bits, &value, sizeof(bits));
	return cql_write_i32(writer, bits);
}

CqlStatus
cql_encode_double(CqlWriter *writer, double value)
{
	int64_t		bits;

	memcpy(&bits, &value, sizeof(bits));
	return cql_write_i64(writer, bits);
}

CqlStatus
cql_encode_timestamp(CqlWriter *writer, int64_t value)
{
	return cql_write_i64(writer, value);
}

CqlStatus
cql_encode_date(CqlWriter *writer, int32_t days)
{
	uint32_t	number = (uint32_t) days + DATE_EPOCH;
	int32_t		bits;

	memcpy(&bits, &number, sizeof(bits));
	return cql_write_i32(writer, bits);
}

CqlStatus
cql_encode_time(CqlWriter *writer, int64_t value)
{
	if (value < 0 || value >= NANOSECONDS_PER_DAY)
		return cql_fail(writer->error, CQL_INVALID, "%lld ns are no time of day",
						(long long) value);
	return cql_write_i64(writer, value);
}

CqlStatus
cql_encode_duration(CqlWriter *writer, const CqlDuration *value)
{
	if (!signs_agree(value->months, value->days, value->nanoseconds))
		return cql_fail(writer->error, CQL_INVALID,
						"parts of a duration must have the same sign");
	CQL_TRY(cql_write_vint(writer, value->months));
	CQL_TRY(cql_write_vint(writer, value->days));
	return cql_write_vint(writer, value->nanoseconds);
}
