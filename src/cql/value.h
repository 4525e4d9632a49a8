/*-------------------------------------------------------------------------
 *
 * value.h
 *	  Values of CQL types: between their bytes and C (native protocol v4,
 *	  section 6).
 *
 * Decoding takes the bytes of a value that is not null, and checks that their
 * number is right: CQL_MALFORMED naming the type otherwise.  For many types
 * the server also accepts an *empty* value (no bytes, not null); callers ask
 * `cql_value_is_empty` first, since there is no C value for it.
 *
 * Encoding appends a value's bytes without its length; cql_write_begin and
 * cql_write_end put that around it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CQL_VALUE_H
#define CQL_VALUE_H

#include "cql/type.h"

/* No bytes where the type's values have some (not text, ascii, blob, custom). */
extern bool cql_value_is_empty(const CqlType *type, CqlBytes value);

/* boolean; any byte but 0 is true */
extern CqlStatus cql_decode_boolean(CqlBytes bytes, bool *value, CqlError *error) CQL_MUST_USE;
/* tinyint, smallint, int, bigint, counter, by the number of their bytes */
extern CqlStatus cql_decode_integer(CqlTypeId type, CqlBytes bytes,
									int64_t *value, CqlError *error) CQL_MUST_USE;
extern CqlStatus cql_decode_float(CqlBytes bytes, float *value, CqlError *error) CQL_MUST_USE;
extern CqlStatus cql_decode_double(CqlBytes bytes, double *value, CqlError *error) CQL_MUST_USE;
/* milliseconds since 1970-01-01 UTC */
extern CqlStatus cql_decode_timestamp(CqlBytes bytes, int64_t *value, CqlError *error) CQL_MUST_USE;
/* days since 1970-01-01 */
extern CqlStatus cql_decode_date(CqlBytes bytes, int32_t *days, CqlError *error) CQL_MUST_USE;
/* nanoseconds since midnight, 0 .. 86399999999999 */
extern CqlStatus cql_decode_time(CqlBytes bytes, int64_t *value, CqlError *error) CQL_MUST_USE;
/* uuid and timeuuid: 16 bytes */
extern CqlStatus cql_decode_uuid(CqlBytes bytes, const uint8_t **value, CqlError *error) CQL_MUST_USE;
/* inet: 4 or 16 bytes, as bytes.length says */
extern CqlStatus cql_decode_inet(CqlBytes bytes, const uint8_t **value, CqlError *error) CQL_MUST_USE;

typedef struct CqlDuration
{
	int32_t		months;
	int32_t		days;
	int64_t		nanoseconds;
} CqlDuration;					/* all of one sign, or zero */

extern CqlStatus cql_decode_duration(CqlBytes bytes, CqlDuration *value, CqlError *error) CQL_MUST_USE;

extern CqlStatus cql_encode_boolean(CqlWriter *writer, bool value) CQL_MUST_USE;
/* CQL_INVALID if out of the type's range */
extern CqlStatus cql_encode_integer(CqlWriter *writer, CqlTypeId type, int64_t value) CQL_MUST_USE;
extern CqlStatus cql_encode_float(CqlWriter *writer, float value) CQL_MUST_USE;
extern CqlStatus cql_encode_double(CqlWriter *writer, double value) CQL_MUST_USE;
extern CqlStatus cql_encode_timestamp(CqlWriter *writer, int64_t value) CQL_MUST_USE;
extern CqlStatus cql_encode_date(CqlWriter *writer, int32_t days) CQL_MUST_USE;
/* CQL_INVALID if not a time of day */
extern CqlStatus cql_encode_time(CqlWriter *writer, int64_t value) CQL_MUST_USE;
/* CQL_INVALID if signs differ */
extern CqlStatus cql_encode_duration(CqlWriter *writer, const CqlDuration *value) CQL_MUST_USE;

/*
 * varint and decimal go by way of decimal text, which any numeric type reads:
 * an optional minus sign and digits; for decimal also a point or an exponent:
 * "-12.50" keeps its scale of 2, "125e3" has scale -3.  Decoding appends text
 * without a terminator.  No more than `max_digits` digits are accepted
 * (CQL_TOO_LARGE), since the work grows with their square; zeroes at the
 * beginning are none of them.  A decimal's scale may be anything, as it is
 * written as an exponent where zeroes would be many.  Text that is no such
 * number is CQL_INVALID.
 */
#define CQL_MAX_DIGITS 140000
extern CqlStatus cql_decode_varint(CqlBytes bytes, uint32_t max_digits,
								   CqlWriter *text, CqlError *error) CQL_MUST_USE;
extern CqlStatus cql_decode_decimal(CqlBytes bytes, uint32_t max_digits,
									CqlWriter *text, CqlError *error) CQL_MUST_USE;
extern CqlStatus cql_encode_varint(CqlWriter *writer, CqlString text,
								   uint32_t max_digits) CQL_MUST_USE;
extern CqlStatus cql_encode_decimal(CqlWriter *writer, CqlString text,
									uint32_t max_digits) CQL_MUST_USE;

/*
 * The elements of a list, set, map (key, value, key, ...), tuple, UDT or
 * vector.  A tuple or UDT value may have fewer fields than its type: those
 * missing are null; and more, which are skipped: they were added since.  So a
 * value of no bytes may have some 65,000 fields, and a list of a few kilobytes
 * millions of them: callers look for interrupts as they go.
 */
typedef struct CqlElements
{
	const CqlType *type;
	CqlReader	reader;
	uint32_t	count;			/* elements in all; of a map twice its entries */
	uint32_t	next;
	uint32_t	fixed_size;		/* of a vector's elements, or 0 */
} CqlElements;

extern CqlStatus cql_elements_begin(CqlElements *elements, const CqlType *type,
									CqlBytes value, const CqlLimits *limits,
									CqlError *error) CQL_MUST_USE;
/* Call `count` times.  *type is the element's type. */
extern CqlStatus cql_elements_next(CqlElements *elements, CqlBytes *value,
								   const CqlType **type) CQL_MUST_USE;
/* After the last: CQL_MALFORMED if bytes are left over. */
extern CqlStatus cql_elements_end(CqlElements *elements) CQL_MUST_USE;

/*
 * Writing one: begin, then for each element cql_encode_element_begin, its
 * bytes, cql_encode_element_end; or cql_encode_element_null (tuples and UDTs
 * only: CQL_INVALID elsewhere).  The number of elements must be `count`, which
 * is a map's keys and values, a vector's dimension, and no more than the fields
 * of a tuple or UDT.
 */
typedef struct CqlElementsWriter
{
	const CqlType *type;
	CqlWriter  *writer;
	uint32_t	count;
	uint32_t	next;
	uint32_t	fixed_size;		/* of a vector's elements, or 0 */
	size_t		mark;			/* where the present element begins */
} CqlElementsWriter;

extern CqlStatus cql_encode_elements_begin(CqlElementsWriter *elements,
										   const CqlType *type, uint32_t count,
										   CqlWriter *writer) CQL_MUST_USE;
extern CqlStatus cql_encode_element_begin(CqlElementsWriter *elements) CQL_MUST_USE;
extern CqlStatus cql_encode_element_end(CqlElementsWriter *elements) CQL_MUST_USE;
extern CqlStatus cql_encode_element_null(CqlElementsWriter *elements) CQL_MUST_USE;
extern CqlStatus cql_encode_elements_end(CqlElementsWriter *elements) CQL_MUST_USE;

#endif							/* CQL_VALUE_H */
