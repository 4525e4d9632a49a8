/*-------------------------------------------------------------------------
 *
 * codec.c
 *	  Values of CQL's scalar types as values of PostgreSQL's, and back.
 *
 * The two sides differ in range and in fineness.  What does not fit is an error
 * that shows the value; the caller's error context says which column it was
 * for.  What is finer on the other side is cut towards the past, so that a
 * time of day stays within its day: CQL's time has nanoseconds where
 * PostgreSQL has microseconds, its timestamp milliseconds.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <sys/socket.h>

#include "catalog/pg_type.h"
#include "common/int.h"
#include "mb/pg_wchar.h"
#include "scylla/codec.h"
#include "scylla/errors.h"
#include "scylla/memory.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/inet.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

/* Days from 1970-01-01 to 2000-01-01, where PostgreSQL begins to count. */
#define EPOCH_DAYS (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)
#define EPOCH_USECS (EPOCH_DAYS * USECS_PER_DAY)

/* More digits than this are beyond any numeric. */
#define MAX_DIGITS CQL_MAX_DIGITS

/* How much of a value is shown in a message. */
#define SHOWN_CHARACTERS 60

void
btm_scylla_check(CqlStatus status, const CqlError *error)
{
	if (status != CQL_OK)
		btm_scylla_raise_wire(error, NULL);
}

Oid
btm_scylla_scalar_type(const CqlType *type)
{
	switch (type->id)
	{
		case CQL_TYPE_ASCII:
		case CQL_TYPE_VARCHAR:
			return TEXTOID;
		case CQL_TYPE_TINYINT:
		case CQL_TYPE_SMALLINT:
			return INT2OID;
		case CQL_TYPE_INT:
			return INT4OID;
		case CQL_TYPE_BIGINT:
		case CQL_TYPE_COUNTER:
			return INT8OID;
		case CQL_TYPE_VARINT:
		case CQL_TYPE_DECIMAL:
			return NUMERICOID;
		case CQL_TYPE_FLOAT:
			return FLOAT4OID;
		case CQL_TYPE_DOUBLE:
			return FLOAT8OID;
		case CQL_TYPE_BOOLEAN:
			return BOOLOID;
		case CQL_TYPE_UUID:
		case CQL_TYPE_TIMEUUID:
			return UUIDOID;
		case CQL_TYPE_TIMESTAMP:
			return TIMESTAMPTZOID;
		case CQL_TYPE_DATE:
			return DATEOID;
		case CQL_TYPE_TIME:
			return TIMEOID;
		case CQL_TYPE_DURATION:
			return INTERVALOID;
		case CQL_TYPE_INET:
			return INETOID;
		case CQL_TYPE_BLOB:
		case CQL_TYPE_CUSTOM:
			return BYTEAOID;
		default:
			return InvalidOid;
	}
}

/* -------
 * Text
 * -------
 */

CqlString
btm_scylla_to_utf8(const char *text, int length)
{
	char	   *utf8 = pg_server_to_any(text, length, PG_UTF8);

	return (CqlString) {
		utf8, utf8 == text ? (uint32) length : (uint32) strlen(utf8)
	};
}

/* 22021 for bytes that are not UTF-8, a zero byte, or no character here. */
char *
btm_scylla_from_utf8(const uint8_t *text, int length)
{
	char	   *copy = pnstrdup((const char *) text, length);
	int			kept = strlen(copy);

	/* what pnstrdup has cut off at a zero byte is still to be complained of */
	if (kept != length)
		report_invalid_encoding(PG_UTF8, (const char *) text + kept, length - kept);
	return pg_any_to_server(copy, length, PG_UTF8);
}

/* ASCII's text is a text; that it must be ASCII is checked here. */
static void
encode_text(const CqlType *type, Datum value, CqlWriter *writer)
{
	text	   *t = DatumGetTextPP(value);
	CqlString	utf8 = btm_scylla_to_utf8(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));

	if (type->id == CQL_TYPE_ASCII)
		for (uint32 i = 0; i < utf8.length; i++)
			if (IS_HIGHBIT_SET(utf8.data[i]))
				ereport(ERROR,
						(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
						 errmsg("text with a character that is not ASCII cannot be stored as type ascii")));
	btm_scylla_check(cql_write_raw(writer, utf8.data, utf8.length), writer->error);
}

/* -------
 * Numbers
 * -------
 */

/* Says which number it was when numeric_in refuses it. */
static void
number_context(void *number)
{
	errcontext("number %.*s%s", SHOWN_CHARACTERS, (char *) number,
			   strlen(number) > SHOWN_CHARACTERS ? "..." : "");
}

static Datum
text_to_numeric(char *number)
{
	ErrorContextCallback context = {
		.previous = error_context_stack,
		.callback = number_context,
		.arg = number
	};
	Datum		result;

	error_context_stack = &context;
	result = DirectFunctionCall3(numeric_in, CStringGetDatum(number),
								 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	error_context_stack = context.previous;
	return result;
}

static Datum
decode_numeric(const CqlType *type, CqlBytes bytes)
{
	CqlWriter  *text = btm_scylla_writer();

	btm_scylla_check(type->id == CQL_TYPE_VARINT ?
					 cql_decode_varint(bytes, MAX_DIGITS, text, text->error) :
					 cql_decode_decimal(bytes, MAX_DIGITS, text, text->error),
					 text->error);
	btm_scylla_check(cql_write_u8(text, '\0'), text->error);
	return text_to_numeric((char *) text->data);
}

/* Infinities and NaN have no CQL value, and varint no fractions. */
static void
encode_numeric(const CqlType *type, Datum value, CqlWriter *writer)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out, value));
	CqlString	string = {text, strlen(text)};
	bool		integer = type->id == CQL_TYPE_VARINT;

	if (strspn(text, integer ? "-0123456789" : "-.0123456789") != string.length)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%.*s cannot be stored as type %s", SHOWN_CHARACTERS, text,
						integer ? "varint" : "decimal")));
	btm_scylla_check(integer ? cql_encode_varint(writer, string, MAX_DIGITS) :
					 cql_encode_decimal(writer, string, MAX_DIGITS), writer->error);
}

static Datum
decode_integer(const CqlType *type, CqlBytes bytes)
{
	CqlError	error = {0};
	int64		value;

	btm_scylla_check(cql_decode_integer(type->id, bytes, &value, &error), &error);
	switch (btm_scylla_scalar_type(type))
	{
		case INT2OID:
			return Int16GetDatum((int16) value);
		case INT4OID:
			return Int32GetDatum((int32) value);
		default:
			return Int64GetDatum(value);
	}
}

static void
encode_integer(const CqlType *type, Datum value, CqlWriter *writer)
{
	Oid			oid = btm_scylla_scalar_type(type);
	int64		number = oid == INT2OID ? DatumGetInt16(value) :
		oid == INT4OID ? DatumGetInt32(value) : DatumGetInt64(value);

	if (type->id == CQL_TYPE_TINYINT && (number < PG_INT8_MIN || number > PG_INT8_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%d is out of range for type tinyint", (int) number)));
	btm_scylla_check(cql_encode_integer(writer, type->id, number), writer->error);
}

/* -------
 * Dates and times
 * -------
 */

static Datum
decode_timestamp(CqlBytes bytes)
{
	CqlError	error = {0};
	int64		milliseconds;
	Timestamp	result;

	btm_scylla_check(cql_decode_timestamp(bytes, &milliseconds, &error), &error);
	if (pg_sub_s64_overflow(milliseconds, EPOCH_USECS / 1000, &result) ||
		pg_mul_s64_overflow(result, 1000, &result) ||
		!IS_VALID_TIMESTAMP(result))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range: " INT64_FORMAT " milliseconds since 1970-01-01",
						milliseconds)));
	return TimestampTzGetDatum(result);
}

/* Milliseconds, rounded towards the past; the year 294276 fits in CQL's too. */
static void
encode_timestamp(Datum value, CqlWriter *writer)
{
	TimestampTz timestamp = DatumGetTimestampTz(value);
	int64		microseconds;
	int64		milliseconds;

	if (TIMESTAMP_NOT_FINITE(timestamp))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("infinity cannot be stored as type timestamp")));
	/* the last 30 years that a timestamp can be are beyond 64 bits from 1970 */
	if (pg_add_s64_overflow(timestamp, EPOCH_USECS, &microseconds))
		milliseconds = timestamp / 1000 + EPOCH_USECS / 1000;
	else
		milliseconds = microseconds / 1000 - (microseconds % 1000 < 0);
	btm_scylla_check(cql_encode_timestamp(writer, milliseconds), writer->error);
}

static Datum
decode_date(CqlBytes bytes)
{
	CqlError	error = {0};
	int32		days;
	int64		result;

	btm_scylla_check(cql_decode_date(bytes, &days, &error), &error);
	result = (int64) days - EPOCH_DAYS;
	if (!IS_VALID_DATE(result))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("date out of range: %d days since 1970-01-01", (int) days)));
	return DateADTGetDatum((DateADT) result);
}

static void
encode_date(Datum value, CqlWriter *writer)
{
	DateADT		date = DatumGetDateADT(value);

	if (DATE_NOT_FINITE(date))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("infinity cannot be stored as type date")));
	btm_scylla_check(cql_encode_date(writer, date + EPOCH_DAYS), writer->error);
}

static Datum
decode_time(CqlBytes bytes)
{
	CqlError	error = {0};
	int64		nanoseconds;

	btm_scylla_check(cql_decode_time(bytes, &nanoseconds, &error), &error);
	return TimeADTGetDatum(nanoseconds / 1000);
}

static void
encode_time(Datum value, CqlWriter *writer)
{
	TimeADT		time = DatumGetTimeADT(value);

	if (time >= USECS_PER_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("24:00:00 cannot be stored as type time")));
	btm_scylla_check(cql_encode_time(writer, time * 1000), writer->error);
}

static Datum
decode_duration(CqlBytes bytes)
{
	CqlError	error = {0};
	CqlDuration duration;
	Interval   *interval = palloc(sizeof(Interval));

	btm_scylla_check(cql_decode_duration(bytes, &duration, &error), &error);
	interval->month = duration.months;
	interval->day = duration.days;
	interval->time = duration.nanoseconds / 1000;
	return IntervalPGetDatum(interval);
}

static bool
same_signs(const Interval *interval)
{
	return (interval->month >= 0 && interval->day >= 0 && interval->time >= 0) ||
		(interval->month <= 0 && interval->day <= 0 && interval->time <= 0);
}

static void
encode_duration(Datum value, CqlWriter *writer)
{
	Interval   *interval = DatumGetIntervalP(value);
	CqlDuration duration = {interval->month, interval->day, 0};

	if (INTERVAL_NOT_FINITE(interval) || !same_signs(interval) ||
		pg_mul_s64_overflow(interval->time, 1000, &duration.nanoseconds))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("interval %s cannot be stored as type duration",
						DatumGetCString(DirectFunctionCall1(interval_out, value))),
				 errdetail("A duration's months, days and nanoseconds must have one sign, and its nanoseconds fit into 64 bits.")));
	btm_scylla_check(cql_encode_duration(writer, &duration), writer->error);
}

/* -------
 * The others
 * -------
 */

static Datum
decode_uuid(CqlBytes bytes)
{
	CqlError	error = {0};
	const uint8_t *value;
	pg_uuid_t  *uuid = palloc(sizeof(pg_uuid_t));

	btm_scylla_check(cql_decode_uuid(bytes, &value, &error), &error);
	memcpy(uuid->data, value, UUID_LEN);
	return UUIDPGetDatum(uuid);
}

static Datum
decode_inet(CqlBytes bytes)
{
	inet	   *address = palloc0(sizeof(inet));
	CqlError	error = {0};
	const uint8_t *value;

	btm_scylla_check(cql_decode_inet(bytes, &value, &error), &error);
	ip_family(address) = bytes.length == 4 ? PGSQL_AF_INET : PGSQL_AF_INET6;
	ip_bits(address) = ip_maxbits(address);
	memcpy(ip_addr(address), value, bytes.length);
	SET_INET_VARSIZE(address);
	return InetPGetDatum(address);
}

static void
encode_inet(Datum value, CqlWriter *writer)
{
	inet	   *address = DatumGetInetPP(value);

	if (ip_bits(address) != ip_maxbits(address))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("network %s cannot be stored as type inet",
						DatumGetCString(DirectFunctionCall1(inet_out, value))),
				 errdetail("CQL's inet is the address of one host.")));
	btm_scylla_check(cql_write_raw(writer, ip_addr(address), ip_addrsize(address)),
					 writer->error);
}

static Datum
decode_bytea(CqlBytes bytes)
{
	return PointerGetDatum(cstring_to_text_with_len((const char *) bytes.data,
													bytes.length));
}

static void
encode_bytea(Datum value, CqlWriter *writer)
{
	bytea	   *bytes = DatumGetByteaPP(value);

	btm_scylla_check(cql_write_raw(writer, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes)),
					 writer->error);
}

static Datum
decode_boolean(CqlBytes bytes)
{
	CqlError	error = {0};
	bool		value;

	btm_scylla_check(cql_decode_boolean(bytes, &value, &error), &error);
	return BoolGetDatum(value);
}

static Datum
decode_float(CqlBytes bytes)
{
	CqlError	error = {0};
	float		value;

	btm_scylla_check(cql_decode_float(bytes, &value, &error), &error);
	return Float4GetDatum(value);
}

static Datum
decode_double(CqlBytes bytes)
{
	CqlError	error = {0};
	double		value;

	btm_scylla_check(cql_decode_double(bytes, &value, &error), &error);
	return Float8GetDatum(value);
}

/* Raises that a type has elements; callers ask btm_scylla_scalar_type first. */
pg_noreturn static void
not_scalar(const CqlType *type)
{
	elog(ERROR, "CQL type %d is not a scalar", (int) type->id);
}

Datum
btm_scylla_decode(const CqlType *type, CqlBytes bytes)
{
	switch (btm_scylla_scalar_type(type))
	{
		case TEXTOID:
			return CStringGetTextDatum(btm_scylla_from_utf8(bytes.data, bytes.length));
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return decode_integer(type, bytes);
		case NUMERICOID:
			return decode_numeric(type, bytes);
		case FLOAT4OID:
			return decode_float(bytes);
		case FLOAT8OID:
			return decode_double(bytes);
		case BOOLOID:
			return decode_boolean(bytes);
		case UUIDOID:
			return decode_uuid(bytes);
		case TIMESTAMPTZOID:
			return decode_timestamp(bytes);
		case DATEOID:
			return decode_date(bytes);
		case TIMEOID:
			return decode_time(bytes);
		case INTERVALOID:
			return decode_duration(bytes);
		case INETOID:
			return decode_inet(bytes);
		case BYTEAOID:
			return decode_bytea(bytes);
		default:
			not_scalar(type);
	}
}

void
btm_scylla_encode(const CqlType *type, Datum value, CqlWriter *writer)
{
	switch (btm_scylla_scalar_type(type))
	{
		case TEXTOID:
			encode_text(type, value, writer);
			break;
		case INT2OID:
		case INT4OID:
		case INT8OID:
			encode_integer(type, value, writer);
			break;
		case NUMERICOID:
			encode_numeric(type, value, writer);
			break;
		case FLOAT4OID:
			btm_scylla_check(cql_encode_float(writer, DatumGetFloat4(value)), writer->error);
			break;
		case FLOAT8OID:
			btm_scylla_check(cql_encode_double(writer, DatumGetFloat8(value)), writer->error);
			break;
		case BOOLOID:
			btm_scylla_check(cql_encode_boolean(writer, DatumGetBool(value)), writer->error);
			break;
		case UUIDOID:
			btm_scylla_check(cql_write_raw(writer, DatumGetUUIDP(value)->data, UUID_LEN),
							 writer->error);
			break;
		case TIMESTAMPTZOID:
			encode_timestamp(value, writer);
			break;
		case DATEOID:
			encode_date(value, writer);
			break;
		case TIMEOID:
			encode_time(value, writer);
			break;
		case INTERVALOID:
			encode_duration(value, writer);
			break;
		case INETOID:
			encode_inet(value, writer);
			break;
		case BYTEAOID:
			encode_bytea(value, writer);
			break;
		default:
			not_scalar(type);
	}
}
