/*
 * Random types and values, from a fixed seed: what is written is read back as
 * it was, and bytes that were damaged do no harm.
 *
 * A value is not kept: writing and checking draw from two generators in the
 * same state, and so come to the same value.
 */
#include "tap.h"

#include "cql/value.h"

#define ROUNDS 3000
#define DAMAGES 30
#define MAX_DEPTH 4

typedef struct Random
{
	uint64_t	state;
} Random;

static TestMemory memory;
static const CqlAllocator allocator = TEST_ALLOCATOR(&memory);
static CqlArena arena;
static CqlError error;

/* xorshift* */
static uint64_t
draw(Random *random)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return random->state * UINT64_C(2685821657736338717);
}

/* 0 to n - 1 */
static uint32_t
below(Random *random, uint32_t n)
{
	return (uint32_t) (draw(random) >> 32) % n;
}

/* Of all sizes, with the limits among them. */
static int64_t
draw_integer(Random *random, int bits)
{
	uint64_t	number = draw(random);
	int			kind = (int) below(random, 8);
	int			unused = 64 - bits;
	int64_t		value;

	if (kind == 0)
		number = 0;
	else if (kind == 1)
		number = UINT64_C(1) << 63;
	else if (kind == 2)
		number = ~(UINT64_C(1) << 63);
	else
		unused += (int) below(random, (uint32_t) bits);
	memcpy(&value, &number, sizeof(value));
	return value >> unused;
}

/* ------
 * Types
 * ------
 */

typedef struct Named
{
	CqlTypeId	id;
	const char *name;
	const char *class_name;
} Named;

static const Named scalars[] = {
	{CQL_TYPE_ASCII, "ascii", "AsciiType"}, {CQL_TYPE_BIGINT, "bigint", "LongType"},
	{CQL_TYPE_BLOB, "blob", "BytesType"}, {CQL_TYPE_BOOLEAN, "boolean", "BooleanType"},
	{CQL_TYPE_COUNTER, "counter", "CounterColumnType"},
	{CQL_TYPE_DATE, "date", "SimpleDateType"}, {CQL_TYPE_DECIMAL, "decimal", "DecimalType"},
	{CQL_TYPE_DOUBLE, "double", "DoubleType"}, {CQL_TYPE_DURATION, "duration", "DurationType"},
	{CQL_TYPE_FLOAT, "float", "FloatType"}, {CQL_TYPE_INET, "inet", "InetAddressType"},
	{CQL_TYPE_INT, "int", "Int32Type"}, {CQL_TYPE_SMALLINT, "smallint", "ShortType"},
	{CQL_TYPE_TIME, "time", "TimeType"}, {CQL_TYPE_TIMESTAMP, "timestamp", "TimestampType"},
	{CQL_TYPE_TIMEUUID, "timeuuid", "TimeUUIDType"}, {CQL_TYPE_TINYINT, "tinyint", "ByteType"},
	{CQL_TYPE_UUID, "uuid", "UUIDType"}, {CQL_TYPE_VARCHAR, "text", "UTF8Type"},
	{CQL_TYPE_VARINT, "varint", "IntegerType"},
};

#define NSCALARS (sizeof(scalars) / sizeof(scalars[0]))

typedef struct Text
{
	char		data[8192];
	size_t		length;
} Text;

__attribute__((format(printf, 2, 3)))
static void
add(Text *text, const char *format,...)
{
	va_list		arguments;

	va_start(arguments, format);
	text	  ->length += (size_t) vsnprintf(text->data + text->length,
											 sizeof(text->data) - text->length, format, arguments);

	va_end(arguments);
}

/* Of each keyspace and name there is one user-defined type: "u" of two fields. */
static const CqlType *
find_udt(void *context, CqlString name)
{
	(void) name;
	return context;
}

/* The CQL text of a type. */
static void
draw_type(Random *random, int depth, Text *text)
{
	static const char *const opening[] = {
		"list<", "set<", "map<", "tuple<", "frozen<list<", "vector<",
	};
	uint32_t	kind = below(random, 9);
	uint32_t	n;

	if (depth >= MAX_DEPTH || kind > 7)
	{
		add(text, "%s", scalars[below(random, NSCALARS)].name);
		return;
	}
	if (kind > 5)
	{
		add(text, kind == 6 ? "frozen<u>" : "'com.example.Foo'");
		return;
	}
	add(text, "%s", opening[kind]);
	n = kind == 2 ? 2 : kind == 3 ? 1 + below(random, 3) : 1;
	for (uint32_t i = 0; i < n; i++)
	{
		add(text, i == 0 ? "" : ", ");
		draw_type(random, depth + 1, text);
	}
	if (kind == 5)
		add(text, ", %u", 1 + below(random, 4));
	add(text, kind == 4 ? ">>" : ">");
}

/* The class name of a type. */
static void
class_text(const CqlType *type, Text *text)
{
	add(text, type->frozen ? "FrozenType(" : "");
	for (size_t i = 0; i < NSCALARS; i++)
		if (scalars[i].id == type->id)
			add(text, "org.apache.cassandra.db.marshal.%s", scalars[i].class_name);
	if (type->id == CQL_TYPE_CUSTOM)
		add(text, "%.*s", (int) type->name.length, type->name.data);
	if (type->id == CQL_TYPE_UDT)
		add(text, "UserType(ks,75");
	else if (type->nelements > 0)
		add(text, type->id == CQL_TYPE_LIST ? "ListType(" : type->id == CQL_TYPE_SET ? "SetType(" :
			type->id == CQL_TYPE_MAP ? "MapType(" : type->id == CQL_TYPE_TUPLE ? "TupleType(" :
			"VectorType(");
	for (uint32_t i = 0; i < type->nelements; i++)
	{
		if (type->id == CQL_TYPE_UDT)
			add(text, ",%02x:", (unsigned char) type->fields[i].data[0]);
		else if (i > 0)
			add(text, ",");
		class_text(type->elements[i], text);
	}
	if (type->id == CQL_TYPE_VECTOR)
		add(text, " , %u", type->dimension);
	add(text, type->nelements > 0 ? ")" : "");
	add(text, type->frozen ? ")" : "");
}

/* [option], the way a server writes it */
static CqlStatus
write_option(CqlWriter *writer, const CqlType *type)
{
	if (type->id == CQL_TYPE_VECTOR || type->id == CQL_TYPE_CUSTOM)
	{
		Text		name = {.length = 0};

		class_text(type, &name);
		CQL_TRY(cql_write_u16(writer, CQL_TYPE_CUSTOM));
		return cql_write_string(writer, str(name.data));
	}
	CQL_TRY(cql_write_u16(writer, (uint16_t) type->id));
	if (type->id == CQL_TYPE_UDT)
	{
		CQL_TRY(cql_write_string(writer, type->keyspace));
		CQL_TRY(cql_write_string(writer, type->name));
	}
	if (type->id == CQL_TYPE_UDT || type->id == CQL_TYPE_TUPLE)
		CQL_TRY(cql_write_u16(writer, (uint16_t) type->nelements));
	for (uint32_t i = 0; i < type->nelements; i++)
	{
		if (type->id == CQL_TYPE_UDT)
			CQL_TRY(cql_write_string(writer, type->fields[i]));
		CQL_TRY(write_option(writer, type->elements[i]));
	}
	return CQL_OK;
}

/* The type is the same when it has been written in each way and read again. */
static bool
type_returns(const CqlType *type, const char *text)
{
	Text		name = {.length = 0};
	CqlWriter	writer;
	CqlReader	reader;
	const CqlType *again[2];
	bool		good;

	class_text(type, &name);
	cql_writer_init(&writer, &allocator, 1 << 20, &error);
	good = cql_type_print(&writer, type) == CQL_OK && writer.length == strlen(text) &&
		memcmp(writer.data, text, writer.length) == 0;
	cql_writer_reset(&writer);
	good = good && write_option(&writer, type) == CQL_OK &&
		cql_write_u16(&writer, CQL_TYPE_CUSTOM) == CQL_OK &&
		cql_write_string(&writer, str(name.data)) == CQL_OK;
	cql_reader_init(&reader, writer.data, writer.length, &cql_default_limits, &error);
	good = good && cql_type_read(&reader, &arena, &again[0]) == CQL_OK &&
		cql_type_read(&reader, &arena, &again[1]) == CQL_OK &&
		cql_reader_left(&reader) == 0 &&
		cql_type_equals(type, again[0]) && cql_type_equals(again[1], type) &&
		cql_type_fixed_size(type) == cql_type_fixed_size(again[0]) &&
		type->levels == again[1]->levels && type->nodes == again[1]->nodes;
	cql_writer_free(&writer);
	return good;
}

/* ------
 * Values
 * ------
 */

static CqlStatus write_value(CqlWriter *writer, const CqlType *type, Random *random);
static bool value_is(CqlBytes value, const CqlType *type, Random *random);

/* The digits of a number, and perhaps a scale. */
static void
draw_number(Random *random, bool decimal, Text *text)
{
	uint32_t	digits = 1 + below(random, below(random, 50) == 0 ? 2000 : 40);

	add(text, below(random, 2) == 0 ? "-" : "");
	for (uint32_t i = 0; i < digits; i++)
		add(text, "%u", i == 0 ? 1 + below(random, 9) : below(random, 10));
	if (decimal &&below(random, 2) == 0)
		add(text, ".%u", below(random, 1000000));
	if (decimal &&below(random, 3) == 0)
		add(text, "e%d", (int) below(random, 200) - 100);
}

static CqlStatus
draw_duration(Random *random, CqlDuration *value)
{
	bool		negative = below(random, 2) == 0;
	int64_t		parts[3];

	for (int i = 0; i < 3; i++)
	{
		parts[i] = draw_integer(random, i == 2 ? 64 : 32);
		if (parts[i] != 0 && (parts[i] < 0) != negative)
			parts[i] = ~parts[i];
	}
	value->months = (int32_t) parts[0];
	value->days = (int32_t) parts[1];
	value->nanoseconds = parts[2];
	return CQL_OK;
}

/* Bytes of a value that has no further form. */
static CqlStatus
write_raw(CqlWriter *writer, Random *random, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++)
		CQL_TRY(cql_write_u8(writer, (uint8_t) below(random, 256)));
	return CQL_OK;
}

static CqlStatus
write_number(CqlWriter *writer, Random *random, bool decimal)
{
	Text text = {.length = 0};

	draw_number(random, decimal, &text);
	return decimal ? cql_encode_decimal(writer, str(text.data), CQL_MAX_DIGITS) :
				cql_encode_varint(writer, str(text.data), CQL_MAX_DIGITS);
}

/* How many elements a value has; fewer than there are fields in a record. */
static uint32_t
draw_count(Random *random, const CqlType *type)
{
	if (type->id == CQL_TYPE_VECTOR)
		return type->dimension;
	if (type->id == CQL_TYPE_TUPLE || type->id == CQL_TYPE_UDT)
		return type->nelements - (below(random, 4) == 0 ? 1 : 0);
	return below(random, 4) * type->nelements;
}

static bool
draw_null(Random *random, const CqlType *type)
{
	return (type->id == CQL_TYPE_TUPLE || type->id == CQL_TYPE_UDT) && below(random, 4) == 0;
}

static CqlStatus
write_elements(CqlWriter *writer, const CqlType *type, Random *random)
{
	CqlElementsWriter elements;
	uint32_t	count = draw_count(random, type);

	CQL_TRY(cql_encode_elements_begin(&elements, type, count, writer));
	for (uint32_t i = 0; i < count; i++)
	{
		if (draw_null(random, type))
		{
			CQL_TRY(cql_encode_element_null(&elements));
			continue;
		}
		CQL_TRY(cql_encode_element_begin(&elements));
		CQL_TRY(write_value(writer, type->elements[i % type->nelements], random));
		CQL_TRY(cql_encode_element_end(&elements));
	}
	return cql_encode_elements_end(&elements);
}

/* Bits that are no number that is none: those may change when they are copied. */
static uint64_t
draw_float_bits(Random *random)
{
	return draw(random) & ~(UINT64_C(1) << 62) & ~(UINT64_C(1) << 30);
}

static CqlStatus
write_float(CqlWriter *writer, Random *random, bool twice)
{
	uint64_t	bits = draw_float_bits(random);
	uint32_t	half = (uint32_t) bits;
	double		number;
	float		single;

	memcpy(&number, &bits, sizeof(number));
	memcpy(&single, &half, sizeof(single));
	return twice ? cql_encode_double(writer, number) : cql_encode_float(writer, single);
}

static CqlStatus
write_value(CqlWriter *writer, const CqlType *type, Random *random)
{
	CqlDuration duration;

	switch (type->id)
	{
		case CQL_TYPE_BOOLEAN:
			return cql_encode_boolean(writer, below(random, 2) == 0);
		case CQL_TYPE_TINYINT:
			return cql_encode_integer(writer, type->id, draw_integer(random, 8));
		case CQL_TYPE_SMALLINT:
			return cql_encode_integer(writer, type->id, draw_integer(random, 16));
		case CQL_TYPE_INT:
			return cql_encode_integer(writer, type->id, draw_integer(random, 32));
		case CQL_TYPE_BIGINT:
		case CQL_TYPE_COUNTER:
			return cql_encode_integer(writer, type->id, draw_integer(random, 64));
		case CQL_TYPE_TIMESTAMP:
			return cql_encode_timestamp(writer, draw_integer(random, 64));
		case CQL_TYPE_DATE:
			return cql_encode_date(writer, (int32_t) draw_integer(random, 32));
		case CQL_TYPE_TIME:
			return cql_encode_time(writer, (int64_t) (draw(random) % UINT64_C(86400000000000)));
		case CQL_TYPE_DURATION:
			CQL_TRY(draw_duration(random, &duration));
			return cql_encode_duration(writer, &duration);
		case CQL_TYPE_FLOAT:
			return write_float(writer, random, false);
		case CQL_TYPE_DOUBLE:
			return write_float(writer, random, true);
		case CQL_TYPE_VARINT:
			return write_number(writer, random, false);
		case CQL_TYPE_DECIMAL:
			return write_number(writer, random, true);
		case CQL_TYPE_UUID:
		case CQL_TYPE_TIMEUUID:
			return write_raw(writer, random, 16);
		case CQL_TYPE_INET:
			return write_raw(writer, random, below(random, 2) == 0 ? 4 : 16);
		case CQL_TYPE_ASCII:
		case CQL_TYPE_VARCHAR:
		case CQL_TYPE_BLOB:
		case CQL_TYPE_CUSTOM:
			return write_raw(writer, random, below(random, 5) == 0 ? 0 : below(random, 200));
		default:
			return write_elements(writer, type, random);
	}
}

/* ------
 * Checking; each draws what its counterpart above has drawn
 * ------
 */

static bool
raw_is(CqlBytes value, Random *random, uint32_t length)
{
	bool		good = value.length == (int32_t) length;

	for (uint32_t i = 0; i < length; i++)
	{
		uint8_t		byte = (uint8_t) below(random, 256);

		good = good && value.data[i] == byte;
	}
	return good;
}

static bool
integer_is(CqlBytes value, const CqlType *type, int64_t expected)
{
	int64_t		got;

	return cql_decode_integer(type->id, value, &got, &error) == CQL_OK && got == expected;
}

static bool
timestamp_is(CqlBytes value, int64_t expected)
{
	int64_t		got;

	return cql_decode_timestamp(value, &got, &error) == CQL_OK && got == expected;
}

static bool
date_is(CqlBytes value, int32_t expected)
{
	int32_t		got;

	return cql_decode_date(value, &got, &error) == CQL_OK && got == expected;
}

static bool
time_is(CqlBytes value, int64_t expected)
{
	int64_t		got;

	return cql_decode_time(value, &got, &error) == CQL_OK && got == expected;
}

static bool
boolean_is(CqlBytes value, bool expected)
{
	bool		got;

	return cql_decode_boolean(value, &got, &error) == CQL_OK && got == expected;
}

static bool
duration_is(CqlBytes value, Random *random)
{
	CqlDuration got,
				expected;

	return draw_duration(random, &expected) == CQL_OK &&
		cql_decode_duration(value, &got, &error) == CQL_OK &&
		got.months == expected.months && got.days == expected.days &&
		got.nanoseconds == expected.nanoseconds;
}

static bool
float_is(CqlBytes value, Random *random, bool twice)
{
	uint64_t	bits = draw_float_bits(random);
	uint32_t	half = (uint32_t) bits;
	double		number;
	float		single;

	if (twice)
		return cql_decode_double(value, &number, &error) == CQL_OK &&
			memcmp(&number, &bits, sizeof(bits)) == 0;
	return cql_decode_float(value, &single, &error) == CQL_OK &&
		memcmp(&single, &half, sizeof(half)) == 0;
}

/* The number's text has the same bytes; a varint's is the same. */
static bool
number_is(CqlBytes value, Random *random, bool decimal)
{
	Text		expected = {.length = 0};
	CqlWriter text ,
				bytes;
	CqlString	string;
	bool		good;

	draw_number(random, decimal, &expected);
	cql_writer_init(&text, &allocator, 1 << 20, &error);
	cql_writer_init(&bytes, &allocator, 1 << 20, &error);
	good = (decimal ? cql_decode_decimal : cql_decode_varint) (value, CQL_MAX_DIGITS, &text,
															   &error) == CQL_OK;
	string.data = (const char *) text.data;
	string.length = (uint32_t) text.length;

	good = good && (decimal ||cql_string_equals(string, expected.data)) &&
		(decimal ? cql_encode_decimal : cql_encode_varint) (&bytes, string,
															CQL_MAX_DIGITS) == CQL_OK &&
		bytes.length == (size_t) value.length &&
		memcmp(bytes.data, value.data, bytes.length) == 0;
	cql_writer_free(&text);
	cql_writer_free(&bytes);
	return good;
}

static bool
elements_are(CqlBytes value, const CqlType *type, Random *random)
{
	CqlElements elements;
	uint32_t	count = draw_count(random, type);
	CqlBytes	element;
	const CqlType *element_type;

	if (cql_elements_begin(&elements, type, value, &cql_default_limits, &error) != CQL_OK)
		return false;
	for (uint32_t i = 0; i < elements.count; i++)
	{
		bool		null = i >= count || draw_null(random, type);

		if (cql_elements_next(&elements, &element, &element_type) != CQL_OK ||
			(element.length < 0) != null ||
			(!null && !value_is(element, element_type, random)))
			return false;
	}
	return cql_elements_end(&elements) == CQL_OK;
}

static bool
value_is(CqlBytes value, const CqlType *type, Random *random)
{
	const uint8_t *bytes;

	switch (type->id)
	{
		case CQL_TYPE_BOOLEAN:
			return boolean_is(value, below(random, 2) == 0);
		case CQL_TYPE_TINYINT:
			return integer_is(value, type, draw_integer(random, 8));
		case CQL_TYPE_SMALLINT:
			return integer_is(value, type, draw_integer(random, 16));
		case CQL_TYPE_INT:
			return integer_is(value, type, draw_integer(random, 32));
		case CQL_TYPE_BIGINT:
		case CQL_TYPE_COUNTER:
			return integer_is(value, type, draw_integer(random, 64));
		case CQL_TYPE_TIMESTAMP:
			return timestamp_is(value, draw_integer(random, 64));
		case CQL_TYPE_DATE:
			return date_is(value, (int32_t) draw_integer(random, 32));
		case CQL_TYPE_TIME:
			return time_is(value, (int64_t) (draw(random) % UINT64_C(86400000000000)));
		case CQL_TYPE_DURATION:
			return duration_is(value, random);
		case CQL_TYPE_FLOAT:
			return float_is(value, random, false);
		case CQL_TYPE_DOUBLE:
			return float_is(value, random, true);
		case CQL_TYPE_VARINT:
			return number_is(value, random, false);
		case CQL_TYPE_DECIMAL:
			return number_is(value, random, true);
		case CQL_TYPE_UUID:
		case CQL_TYPE_TIMEUUID:
			return cql_decode_uuid(value, &bytes, &error) == CQL_OK && raw_is(value, random, 16);
		case CQL_TYPE_INET:
			return cql_decode_inet(value, &bytes, &error) == CQL_OK &&
				raw_is(value, random, below(random, 2) == 0 ? 4 : 16);
		case CQL_TYPE_ASCII:
		case CQL_TYPE_VARCHAR:
		case CQL_TYPE_BLOB:
		case CQL_TYPE_CUSTOM:
			return raw_is(value, random, below(random, 5) == 0 ? 0 : below(random, 200));
		default:
			return elements_are(value, type, random);
	}
}

/* ------
 * Rounds
 * ------
 */

/* Checks damaged copies, each alone in its memory; only sanitizers judge. */
static void
damage(const CqlWriter *writer, const CqlType *type, Random *random)
{
	for (int i = 0; i < DAMAGES && writer->length > 0; i++)
	{
		size_t		length = writer->length - (below(random, 2) == 0 ? 0 :
											   below(random, (uint32_t) writer->length));
		uint8_t    *copy = malloc(length);
		CqlBytes	value = {copy, (int32_t) length};
		Random		ignored = *random;

		memcpy(copy, writer->data, length);
		copy[below(random, (uint32_t) length)] ^= (uint8_t) (1 << below(random, 8));
		(void) value_is(value, type, &ignored);
		free(copy);
	}
}

/* One type, one value. */
static bool
round_trip(Random *random, const CqlType *udt)
{
	Text text = {.length = 0};
	const CqlType *type = NULL;
	CqlWriter	writer;
	CqlBytes	value;
	Random		writing,
				checking;
	bool		good;

	memset(&error, 0, sizeof(error));
	draw_type(random, 0, &text);
	writing = checking = *random;
	cql_writer_init(&writer, &allocator, 1 << 24, &error);
	good = cql_type_parse(str(text.data), &arena, &cql_default_limits, find_udt, (void *) udt,
						  &type, &error) == CQL_OK &&
		type_returns(type, text.data) &&
		write_value(&writer, type, &writing) == CQL_OK;
	if (good)
	{
		value.data = writer.data;
		value.length = (int32_t) writer.length;
		good = value_is(value, type, &checking) && checking.state == writing.state;
		*random = writing;
		damage(&writer, type, random);
	}
	if (!good)
		printf("# %s: %s\n", text.data, error.message);
	cql_writer_free(&writer);
	return good;
}

int
main(void)
{
	Random		random = {UINT64_C(0x9E3779B97F4A7C15)};
	static const CqlString fields[] = {{"a", 1}, {"b", 1}};
	const CqlType *types[2];
	const CqlType *udt;
	CqlArena	kept;
	int			good = 0;

	cql_arena_init(&kept, &allocator);
	cql_arena_init(&arena, &allocator);
	if (cql_type_parse(str("frozen<list<int>>"), &kept, &cql_default_limits, NULL, NULL,
					   &types[0], &error) != CQL_OK ||
		cql_type_parse(str("decimal"), &kept, &cql_default_limits, NULL, NULL, &types[1],
					   &error) != CQL_OK ||
		cql_type_udt(&kept, &cql_default_limits, str("ks"), str("u"), 2, fields, types, &udt,
					 &error) != CQL_OK)
		return 1;
	for (int i = 0; i < ROUNDS; i++)
	{
		good += round_trip(&random, udt);
		cql_arena_free(&arena);
	}
	is_int(good, ROUNDS, "random types and values return as they were");
	cql_arena_free(&kept);
	is_int(memory.live, 0, "nothing leaks");
	return done_testing();
}
