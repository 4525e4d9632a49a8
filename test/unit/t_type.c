/* CQL types: from the wire, from class names, from CQL text; printing them. */
#include "tap.h"

#include "cql/name.h"
#include "cql/type.h"

static TestMemory memory;
static const CqlAllocator allocator = TEST_ALLOCATOR(&memory);
static CqlArena arena;
static CqlError error;
static uint8_t *input;			/* what types may point into */

#define MARSHAL "org.apache.cassandra.db.marshal."

static void
begin(void)
{
	memset(&error, 0, sizeof(error));
	free(input);
	input = NULL;
	cql_arena_free(&arena);
	cql_arena_init(&arena, &allocator);
}

/* The type's text, in a static buffer. */
static const char *
printed(const CqlType *type)
{
	static char text[1 << 17];
	CqlWriter	writer;

	cql_writer_init(&writer, &allocator, sizeof(text) - 1, NULL);
	if (cql_type_print(&writer, type) != CQL_OK)
		strcpy(text, "(cannot be printed)");
	else
	{
		memcpy(text, writer.data, writer.length);
		text[		writer.length] = '\0';
	}
	cql_writer_free(&writer);
	return text;
}

/* ------
 * The wire
 * ------
 */

static CqlStatus
read_hex(const char *hex, const CqlLimits *limits, const CqlType **type,
		 size_t *left)
{
	CqlReader	reader;
	size_t		length;
	CqlStatus	status;

	input = from_hex(hex, &length);
	cql_reader_init(&reader, input, length, limits, &error);
	status = cql_type_read(&reader, &arena, type);
	*left = cql_reader_left(&reader);
	return status;
}

/* Reads a type that has the given text, with two bytes behind it. */
static void
wire_is(const char *hex, const char *expected)
{
	char		more[4096];
	const CqlType *type = NULL;
	size_t		left = 0;

	begin();
	snprintf(more, sizeof(more), "%s ffff", hex);
	if (is_int(read_hex(more, &cql_default_limits, &type, &left), CQL_OK, expected))
	{
		is_text(printed(type), expected, "as text");
		is_int((long long) left, 2, "no more is read than the type");
	}
}

static void
wire_fails(const char *hex, const CqlLimits *limits, CqlStatus status,
		   const char *message)
{
	const CqlType *type = NULL;
	size_t		left;

	begin();
	is_int(read_hex(hex, limits, &type, &left), status, message);
	is_text(error.message, message, "message");
	is_int(error.status, status, "status of the error");
}

static void
test_wire_scalars(void)
{
	static const struct
	{
		CqlTypeId	id;
		const char *name;
	}			scalars[] = {
		{CQL_TYPE_ASCII, "ascii"}, {CQL_TYPE_BIGINT, "bigint"},
		{CQL_TYPE_BLOB, "blob"}, {CQL_TYPE_BOOLEAN, "boolean"},
		{CQL_TYPE_COUNTER, "counter"}, {CQL_TYPE_DECIMAL, "decimal"},
		{CQL_TYPE_DOUBLE, "double"}, {CQL_TYPE_FLOAT, "float"},
		{CQL_TYPE_INT, "int"}, {CQL_TYPE_TIMESTAMP, "timestamp"},
		{CQL_TYPE_UUID, "uuid"}, {CQL_TYPE_VARCHAR, "text"},
		{CQL_TYPE_VARINT, "varint"}, {CQL_TYPE_TIMEUUID, "timeuuid"},
		{CQL_TYPE_INET, "inet"}, {CQL_TYPE_DATE, "date"},
		{CQL_TYPE_TIME, "time"}, {CQL_TYPE_SMALLINT, "smallint"},
		{CQL_TYPE_TINYINT, "tinyint"}, {CQL_TYPE_DURATION, "duration"},
	};

	for (size_t i = 0; i < sizeof(scalars) / sizeof(scalars[0]); i++)
	{
		char		hex[16];

		snprintf(hex, sizeof(hex), "%04x", (unsigned) scalars[i].id);
		wire_is(hex, scalars[i].name);
	}
}

static void
test_wire_nested(void)
{
	CqlLimits	limits = cql_default_limits;

	wire_is("0020 0009", "list<int>");
	wire_is("0022 000d", "set<text>");
	wire_is("0021 000d 0009", "map<text, int>");
	wire_is("0020 0021 000c 0022 0014", "list<map<uuid, set<tinyint>>>");
	wire_is("0031 0000", "tuple<>");
	wire_is("0031 0003 0009 000d 0020 0003", "tuple<int, text, list<blob>>");
	wire_is("0030 0002 6b73 0007 61646472657373 0002"
			"0006 737472656574 000d 0003 7a6970 0009", "address");
	wire_is("0030 0000 0000 0000", "\"\"");
	wire_is("0000 0003 466f6f", "'Foo'");
	wire_is("0020 0000 0009 466c6f617454797065", "list<float>");

	/* nesting: the limit is reached, and passed */
	limits.nesting = 3;
	wire_fails("0020 0020 0020 0009", &limits, CQL_TOO_LARGE,
			   "type is nested deeper than 3 levels");
	wire_fails("0031 0002 0009 0020 0020 0009", &limits, CQL_TOO_LARGE,
			   "type is nested deeper than 3 levels");
	wire_fails("0030 0000 0000 0001 0000 0020 0020 0009", &limits, CQL_TOO_LARGE,
			   "type is nested deeper than 3 levels");
	/* levels of a class name count from where it stands */
	wire_fails("0020 0020 0000 0013 4c6973745479706528496e74333254797065 29", &limits,
			   CQL_TOO_LARGE, "type is nested deeper than 3 levels");
	limits.nesting = 0;
	wire_fails("0009", &limits, CQL_TOO_LARGE, "type is nested deeper than 0 levels");
	limits = cql_default_limits;
	limits.columns = 2;
	limits.nesting = 2;
	wire_fails("0031 0004 0009 0009 0009 0009", &limits, CQL_TOO_LARGE,
			   "types have more than 4 parts");
	/* those made count as they are made, before the tree is complete */
	limits.columns = 1;
	limits.nesting = 3;
	wire_fails("0031 0003 0031 0002 0009 0009 0009 0009", &limits, CQL_TOO_LARGE,
			   "types have more than 3 parts");
	wire_fails("0031 0004 0009 0009 0009 0009", &limits, CQL_TOO_LARGE,
			   "types have more than 3 parts");
	wire_fails("0030 0000 0000 0004 0000 0009 0000 0009 0000 0009 0000 0009", &limits,
			   CQL_TOO_LARGE, "types have more than 3 parts");
	wire_fails("0031 0006 0020 0009 0020 0009 0020 0009 0020 0009",
			   &limits, CQL_TOO_LARGE, "types have more than 3 parts");
}

static void
test_wire_malformed(void)
{
	const CqlLimits *limits = &cql_default_limits;

	wire_fails("", limits, CQL_MALFORMED, "message ends 2 bytes too early");
	wire_fails("00", limits, CQL_MALFORMED, "message ends 1 bytes too early");
	wire_fails("0020", limits, CQL_MALFORMED, "message ends 2 bytes too early");
	wire_fails("0021 0009", limits, CQL_MALFORMED, "message ends 2 bytes too early");
	wire_fails("0031", limits, CQL_MALFORMED, "message ends 2 bytes too early");
	wire_fails("0031 ffff 0009", limits, CQL_MALFORMED,
			   "message ends before the 65535 parts of a type");
	wire_fails("0031 0002 0009 00", limits, CQL_MALFORMED,
			   "message ends before the 2 parts of a type");
	wire_fails("0031 0002 0020 0009", limits, CQL_MALFORMED,
			   "message ends 2 bytes too early");
	wire_fails("0030 0001", limits, CQL_MALFORMED, "message ends 1 bytes too early");
	wire_fails("0030 0000 0001", limits, CQL_MALFORMED, "message ends 1 bytes too early");
	wire_fails("0030 0000 0000", limits, CQL_MALFORMED, "message ends 2 bytes too early");
	wire_fails("0030 0000 0000 0001 0000 00", limits, CQL_MALFORMED,
			   "message ends before the 1 parts of a type");
	wire_fails("0030 0000 0000 0001 0003 6161", limits, CQL_MALFORMED,
			   "message ends 1 bytes too early");
	wire_fails("0030 0000 0000 0001 0001 61 00", limits, CQL_MALFORMED,
			   "message ends 1 bytes too early");
	wire_fails("0000 0003 46", limits, CQL_MALFORMED, "message ends 2 bytes too early");
	wire_fails("000a", limits, CQL_UNSUPPORTED,
			   "the server uses a type of unknown number 0x000a");
	wire_fails("ffff", limits, CQL_UNSUPPORTED,
			   "the server uses a type of unknown number 0xffff");
	wire_fails("0020 0016", limits, CQL_UNSUPPORTED,
			   "the server uses a type of unknown number 0x0016");
}

static void
test_udt_parts(void)
{
	const CqlType *type = NULL;
	size_t		left;

	begin();
	is_int(read_hex("0030 0002 6b73 0002 5455 0002 0001 61 000d 0001 62 0020 0009",
					&cql_default_limits, &type, &left), CQL_OK, "a UDT");
	is_int(type->id, CQL_TYPE_UDT, "is one");
	ok(cql_string_equals(type->keyspace, "ks"), "its keyspace");
	ok(cql_string_equals(type->name, "TU"), "its name");
	is_int(type->nelements, 2, "its fields");
	ok(cql_string_equals(type->fields[0], "a"), "name of the first");
	ok(cql_string_equals(type->fields[1], "b"), "name of the second");
	is_int(type->elements[1]->id, CQL_TYPE_LIST, "type of the second");
	ok(!type->frozen, "the wire does not say frozen");
	is_int(type->levels, 3, "levels");
	is_int(type->nodes, 4, "nodes");
	is_text(printed(type), "\"TU\"", "a name that needs quotes");
}

/* ------
 * Class names
 * ------
 */

/* Reads a custom type as from the wire. */
static CqlStatus
read_class(const char *name, const CqlLimits *limits, const CqlType **type)
{
	size_t		length = strlen(name);
	CqlReader	reader;

	input = malloc(length + 4);
	input[0] = input[1] = 0;
	input[2] = (uint8_t) (length >> 8);
	input[3] = (uint8_t) length;
	memcpy(input + 4, name, length);
	cql_reader_init(&reader, input, length + 4, limits, &error);
	return cql_type_read(&reader, &arena, type);
}

static void
class_is(const char *name, const char *expected)
{
	const CqlType *type = NULL;

	begin();
	if (is_int(read_class(name, &cql_default_limits, &type), CQL_OK, name))
		is_text(printed(type), expected, "as CQL");
	else
		printf("# %s\n", error.message);
}

static void
class_fails(const char *name, CqlStatus status, const char *message)
{
	const CqlType *type = NULL;
	CqlLimits	limits = cql_default_limits;

	begin();
	limits.nesting = 5;
	limits.elements = 1000;
	is_int(read_class(name, &limits, &type), status, name);
	is_text(error.message, message, "message");
}

static void
test_class_names(void)
{
	static const char *const names[][2] = {
		{"AsciiType", "ascii"}, {"LongType", "bigint"}, {"BytesType", "blob"},
		{"BooleanType", "boolean"}, {"CounterColumnType", "counter"},
		{"SimpleDateType", "date"}, {"DecimalType", "decimal"},
		{"DoubleType", "double"}, {"DurationType", "duration"},
		{"FloatType", "float"}, {"InetAddressType", "inet"},
		{"Int32Type", "int"}, {"ShortType", "smallint"}, {"TimeType", "time"},
		{"TimestampType", "timestamp"}, {"DateType", "timestamp"},
		{"TimeUUIDType", "timeuuid"}, {"ByteType", "tinyint"},
		{"UUIDType", "uuid"}, {"UTF8Type", "text"}, {"IntegerType", "varint"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		char		full[100];

		class_is(names[i][0], names[i][1]);
		snprintf(full, sizeof(full), MARSHAL "%s", names[i][0]);
		class_is(full, names[i][1]);
	}
	class_is(MARSHAL "VectorType(" MARSHAL "FloatType , 3)", "vector<float, 3>");
	class_is("VectorType(FloatType,16777216)", "vector<float, 16777216>");
	class_is(MARSHAL "ListType(" MARSHAL "UTF8Type)", "list<text>");
	class_is("SetType( Int32Type )", "set<int>");
	class_is("MapType(UTF8Type,ListType(Int32Type))", "map<text, list<int>>");
	class_is("TupleType(Int32Type,\tUTF8Type,\n UUIDType)", "tuple<int, text, uuid>");
	class_is("ReversedType(TimestampType)", "timestamp");
	class_is("FrozenType(ListType(Int32Type))", "frozen<list<int>>");
	class_is("FrozenType(FrozenType(ListType(Int32Type)))", "frozen<list<int>>");
	class_is("FrozenType(Int32Type)", "int");
	class_is(MARSHAL "UserType(ks,61646472657373,737472656574:UTF8Type,"
			 "7A4970:FrozenType(SetType(Int32Type)))", "address");
	class_is("UserType(ks,4d79205564742022)", "\"My Udt \"\"\"");
	class_is("UserType(ks,)", "\"\"");
	class_is("Foo", "'Foo'");
}

static void
test_class_custom(void)
{
	class_is("com.example.Foo", "'com.example.Foo'");
	class_is("com.example.FloatType", "'com.example.FloatType'");
	class_is(MARSHAL "EmptyType", "'" MARSHAL "EmptyType'");
	class_is(MARSHAL "CompositeType(" MARSHAL "UTF8Type,X(a,(b)))",
			 "'" MARSHAL "CompositeType(" MARSHAL "UTF8Type,X(a,(b)))'");
	class_is("DynamicCompositeType(a=>BytesType,b=>'it''s')",
			 "'DynamicCompositeType(a=>BytesType,b=>''it''''s'')'");
	class_is("ListType(Foo(a;b))", "list<'Foo(a;b)'>");
	class_is("ListType( Foo )", "list<'Foo'>");
	class_is("Int32Type(x=1)", "'Int32Type(x=1)'");
	class_is("ListType", "'ListType'");
	class_is(MARSHAL, "'" MARSHAL "'");
}

static void
test_class_malformed(void)
{
	class_fails("", CQL_MALFORMED,
				"class name expected at byte 0 of a type's class name");
	class_fails("(", CQL_MALFORMED,
				"class name expected at byte 0 of a type's class name");
	class_fails("Foo(", CQL_MALFORMED, "\")\" expected at byte 4 of a type's class name");
	class_fails("Foo(()", CQL_MALFORMED, "\")\" expected at byte 6 of a type's class name");
	class_fails("Int32Type x", CQL_MALFORMED,
				"end expected at byte 10 of a type's class name");
	class_fails("ListType()", CQL_MALFORMED,
				"class name expected at byte 9 of a type's class name");
	class_fails("ListType(Int32Type", CQL_MALFORMED,
				"\")\" expected at byte 18 of a type's class name");
	class_fails("ListType(Int32Type,Int32Type)", CQL_MALFORMED,
				"one parameter expected at byte 29 of a type's class name");
	class_fails("MapType(Int32Type)", CQL_MALFORMED,
				"two parameters expected at byte 18 of a type's class name");
	class_fails("TupleType(Int32Type,)", CQL_MALFORMED,
				"class name expected at byte 20 of a type's class name");
	class_fails("FrozenType(ListType(Int32Type)", CQL_MALFORMED,
				"\")\" expected at byte 30 of a type's class name");
	class_fails("VectorType(FloatType)", CQL_MALFORMED,
				"\",\" expected at byte 20 of a type's class name");
	class_fails("VectorType(FloatType,)", CQL_MALFORMED,
				"number expected at byte 21 of a type's class name");
	class_fails("VectorType(FloatType,3", CQL_MALFORMED,
				"\")\" expected at byte 22 of a type's class name");
	class_fails("VectorType(FloatType,3x)", CQL_MALFORMED,
				"\")\" expected at byte 22 of a type's class name");
	class_fails("VectorType(FloatType,12345678901)", CQL_MALFORMED,
				"\")\" expected at byte 31 of a type's class name");
	class_fails("VectorType(FloatType,-1)", CQL_MALFORMED,
				"number expected at byte 21 of a type's class name");
	class_fails("VectorType(FloatType,0)", CQL_MALFORMED,
				"vector type has a dimension of 0");
	class_fails("VectorType(FloatType,1001)", CQL_TOO_LARGE,
				"vector type has more than 1000 elements");
	class_fails("VectorType(FloatType,4294967297)", CQL_TOO_LARGE,
				"vector type has more than 1000 elements");
	class_fails("UserType(ks)", CQL_MALFORMED,
				"\",\" expected at byte 11 of a type's class name");
	class_fails("UserType(ks,616)", CQL_MALFORMED,
				"even number of hexadecimal digits expected at byte 15 of a type's class name");
	class_fails("UserType(ks,6g)", CQL_MALFORMED,
				"name in hexadecimal expected at byte 14 of a type's class name");
	class_fails("UserType(ks,-1)", CQL_MALFORMED,
				"name in hexadecimal expected at byte 14 of a type's class name");
	class_fails("UserType(ks,61,62)", CQL_MALFORMED,
				"\":\" expected at byte 17 of a type's class name");
	class_fails("UserType(ks,61,62:)", CQL_MALFORMED,
				"class name expected at byte 18 of a type's class name");
	class_fails("UserType(ks,61,62:Int32Type", CQL_MALFORMED,
				"\")\" expected at byte 27 of a type's class name");
	class_fails("ListType(ListType(ListType(ListType(ListType(Int32Type)))))",
				CQL_TOO_LARGE, "type is nested deeper than 5 levels");
	class_fails("FrozenType(FrozenType(FrozenType(FrozenType(FrozenType(X)))))",
				CQL_TOO_LARGE, "type is nested deeper than 5 levels");
}

/* ------
 * CQL text
 * ------
 */

typedef struct Udts
{
	const CqlType *type;		/* given for every name */
	char		asked[100];
} Udts;

static const CqlType *
find_udt(void *context, CqlString name)
{
	Udts	   *udts = context;

	snprintf(udts->asked, sizeof(udts->asked), "%.*s", (int) name.length, name.data);
	return udts->type;
}

/* A text without a terminator, in memory of exactly its size. */
static CqlStatus
parse(const char *text, const CqlLimits *limits, Udts *udts, const CqlType **type)
{
	size_t		length = strlen(text);
	char	   *bytes = malloc(length + (length == 0));
	CqlString	string = {bytes, (uint32_t) length};
	CqlStatus	status;

	memcpy(bytes, text, length);
	status = cql_type_parse(string, &arena, limits,
							udts == NULL ? NULL : find_udt, udts, type, &error);
	/* what was parsed may not point into the text: see that it does not */
	memset(bytes, '#', length);
	free(bytes);
	return status;
}

static void
text_is(const char *text, const char *expected)
{
	const CqlType *type = NULL;

	begin();
	if (is_int(parse(text, &cql_default_limits, NULL, &type), CQL_OK, text))
		is_text(printed(type), expected, "printed");
	else
		printf("# %s\n", error.message);
}

static void
text_fails(const char *text, CqlStatus status, const char *message)
{
	const CqlType *type = NULL;
	CqlLimits	limits = cql_default_limits;

	begin();
	limits.nesting = 5;
	is_int(parse(text, &limits, NULL, &type), status, text);
	is_text(error.message, message, "message");
}

static void
test_text(void)
{
	static const char *const same[] = {
		"ascii", "bigint", "blob", "boolean", "counter", "date", "decimal",
		"double", "duration", "float", "inet", "int", "smallint", "text",
		"time", "timestamp", "timeuuid", "tinyint", "uuid", "varint",
		"list<int>", "set<text>", "map<text, int>", "tuple<int>",
		"tuple<int, text, uuid>", "vector<float, 3>", "frozen<list<int>>",
		"frozen<map<text, tuple<int, uuid>>>",
		"map<frozen<set<int>>, vector<vector<float, 2>, 16777216>>",
		"'com.example.Foo'", "list<'com.example.Foo(a, b)'>",
	};

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		text_is(same[i], same[i]);
	text_is("varchar", "text");
	text_is("BigInt", "bigint");
	text_is(" Map < TEXT ,\tInt\n> ", "map<text, int>");
	text_is("FROZEN<Tuple<int,int>>", "frozen<tuple<int, int>>");
	text_is("frozen<frozen<list<int>>>", "frozen<list<int>>");
	text_is("frozen<int>", "int");
	text_is("vector<float,3>", "vector<float, 3>");
	text_is("'org.apache.cassandra.db.marshal.VectorType(FloatType, 2)'",
			"vector<float, 2>");
	text_is("frozen<'Foo'>", "frozen<'Foo'>");
	text_is("'Foo(it''s)'", "'Foo(it''s)'");
}

static void
test_text_malformed(void)
{
	text_fails("", CQL_MALFORMED, "type expected at byte 0 of a type's text");
	text_fails("  ", CQL_MALFORMED, "type expected at byte 2 of a type's text");
	text_fails("3d", CQL_MALFORMED, "type expected at byte 0 of a type's text");
	text_fails("<int>", CQL_MALFORMED, "type expected at byte 0 of a type's text");
	text_fails("int int", CQL_MALFORMED, "end expected at byte 4 of a type's text");
	text_fails("list<int", CQL_MALFORMED, "\">\" expected at byte 8 of a type's text");
	text_fails("list<>", CQL_MALFORMED, "type expected at byte 5 of a type's text");
	text_fails("list<int, int>", CQL_MALFORMED, "one type expected at byte 14 of a type's text");
	text_fails("map<int>", CQL_MALFORMED, "two types expected at byte 8 of a type's text");
	text_fails("tuple<int,>", CQL_MALFORMED, "type expected at byte 10 of a type's text");
	text_fails("frozen<int", CQL_MALFORMED, "\">\" expected at byte 10 of a type's text");
	text_fails("vector<float>", CQL_MALFORMED, "\",\" expected at byte 12 of a type's text");
	text_fails("vector<float, x>", CQL_MALFORMED, "number expected at byte 14 of a type's text");
	text_fails("vector<float, 3", CQL_MALFORMED, "\">\" expected at byte 15 of a type's text");
	text_fails("vector<float, 0>", CQL_MALFORMED, "vector type has a dimension of 0");
	text_fails("vector<float, 16777217>", CQL_TOO_LARGE,
			   "vector type has more than 16777216 elements");
	text_fails("'Foo", CQL_MALFORMED, "closing quote expected at byte 1 of a type's text");
	text_fails("'Foo''", CQL_MALFORMED, "closing quote expected at byte 1 of a type's text");
	text_fails("\"Foo", CQL_MALFORMED, "closing quote expected at byte 1 of a type's text");
	text_fails("'Foo('", CQL_MALFORMED, "\")\" expected at byte 4 of a type's class name");
	text_fails("my_udt", CQL_UNSUPPORTED, "type \"my_udt\" is not known");
	text_fails("MY_Udt", CQL_UNSUPPORTED, "type \"my_udt\" is not known");
	text_fails("\"My Udt\"", CQL_UNSUPPORTED, "type \"My Udt\" is not known");
	text_fails("bag<int>", CQL_UNSUPPORTED, "type \"bag<>\" is not known");
	text_fails("int<int>", CQL_UNSUPPORTED, "type \"int<>\" is not known");
	text_fails("list", CQL_UNSUPPORTED, "type \"list\" is not known");
	text_fails("list<list<list<list<list<int>>>>>", CQL_TOO_LARGE,
			   "type is nested deeper than 5 levels");
	text_fails("list<list<list<list<'ListType(X)'>>>>", CQL_TOO_LARGE,
			   "type is nested deeper than 5 levels");
	text_is("list<list<list<list<int>>>>", "list<list<list<list<int>>>>");
}

static void
test_text_udt(void)
{
	const CqlType *type = NULL;
	const CqlType *made = NULL;
	const CqlType *types[2];
	const CqlString fields[] = {{"f", 1}, {"g", 1}};
	CqlLimits	limits = cql_default_limits;
	Udts		udts = {0};

	begin();
	is_int(parse("list<tuple<int>>", &limits, NULL, &types[0]), CQL_OK, "one field's type");
	is_int(parse("text", &limits, NULL, &types[1]), CQL_OK, "the other's");
	is_int(cql_type_udt(&arena, &limits, str("ks"), str("u"), 2, fields, types,
						&made, &error), CQL_OK, "a UDT is made");
	is_int(made->levels, 4, "it has four levels");
	is_int(made->nodes, 5, "and five nodes");
	udts.type = made;

	is_int(parse("U", &limits, &udts, &type), CQL_OK, "found without quotes");
	is_text(udts.asked, "u", "asked for in lower case");
	ok(type == made, "the type itself");
	is_int(parse("\"My \"\"U\"\"\"", &limits, &udts, &type), CQL_OK, "found in quotes");
	is_text(udts.asked, "My \"U\"", "asked for without quotes");
	is_int(parse("frozen<u>", &limits, &udts, &type), CQL_OK, "frozen");
	ok(type->frozen && !made->frozen, "freezing leaves the type alone");
	ok(cql_type_equals(type, made), "and makes no difference");
	is_text(printed(type), "frozen<u>", "printed");

	limits.nesting = 3;
	is_int(parse("u", &limits, &udts, &type), CQL_TOO_LARGE, "deeper than types may be");
	memset(&error, 0, sizeof(error));
	limits.nesting = 5;
	is_int(parse("list<u>", &limits, &udts, &type), CQL_OK, "at the limit of nesting");
	is_int(parse("list<list<u>>", &limits, &udts, &type), CQL_TOO_LARGE,
		   "a UDT's own levels count");
	is_text(error.message, "type is nested deeper than 5 levels", "message");

	begin();
	limits.columns = 1;
	limits.nesting = 3;
	types[0] = types[1] = NULL;
	is_int(parse("int", &limits, NULL, &types[0]), CQL_OK, "int");
	types[1] = types[0];
	is_int(cql_type_udt(&arena, &limits, str("ks"), str("u"), 2, fields, types,
						&made, &error), CQL_OK, "three nodes");
	types[1] = made;
	is_int(cql_type_udt(&arena, &limits, str("ks"), str("u"), 2, fields, types,
						&made, &error), CQL_TOO_LARGE, "more nodes than may be");
	is_text(error.message, "types have more than 3 parts", "message");
}

/* Memory is not taken for parts that there may not be. */
static void
test_text_of_many_parts(void)
{
	const CqlType *type = NULL;
	CqlLimits	limits = cql_default_limits;
	char text[	10000] = "tuple<int";

	begin();
	limits.columns = 10;
	limits.nesting = 10;
	for (int i = 0; i < 2000; i++)
		strcpy(text +9 + 4 * i, ",int");
	memory.requests = 0;
	is_int(parse(text, &limits, NULL, &type), CQL_TOO_LARGE, "text of many parts");
	is_text(error.message, "types have more than 100 parts", "message");
	ok(memory.requests < 5, "little memory was taken");
}

/* UDTs that share parts: small in memory, huge as a tree. */
static void
test_shared_parts(void)
{
	const CqlType *type = NULL;
	const CqlString fields[] = {{"f", 1}, {"g", 1}};
	CqlStatus	status;
	int			levels = 1;

	begin();
	status = parse("int", &cql_default_limits, NULL, &type);
	while (status == CQL_OK && levels < 100)
	{
		const CqlType **types = cql_arena_alloc_array(&arena, 2, sizeof(*types));

		types[0] = types[1] = type;
		status = cql_type_udt(&arena, &cql_default_limits, str("ks"), str("u"), 2,
							  fields, types, &type, &error);
		levels++;
	}
	is_int(status, CQL_TOO_LARGE, "doubling a type comes to an end");
	is_int(levels, 21, "when there are more nodes than may be");
}

static void
test_udt_names(void)
{
	static const struct
	{
		const char *name;
		const char *text;
	}			names[] = {
		{"a", "a"}, {"my_udt9", "my_udt9"}, {"My", "\"My\""}, {"", "\"\""},
		{"9a", "\"9a\""}, {"_a", "\"_a\""}, {"a b", "\"a b\""},
		{"a\"b\"", "\"a\"\"b\"\"\""}, {"\xc3\xa9", "\"\xc3\xa9\""},
		{"int", "\"int\""}, {"text", "\"text\""}, {"varchar", "\"varchar\""},
		{"order", "\"order\""}, {"with", "\"with\""}, {"add", "\"add\""},
		{"ordered", "ordered"}, {"z", "z"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		CqlType		type = {.id = CQL_TYPE_UDT,.name = str(names[i].name)};

		is_text(printed(&type), names[i].text, names[i].text);
	}
	ok(!cql_name_is_plain(str("Order")), "a name with a capital is not plain");
	ok(!cql_name_is_plain(str("")), "nor is no name");
	ok(cql_name_is_plain(str("roles")), "one in lower case is");
}

/* ------
 * Comparing, sizes
 * ------
 */

static bool
names_equal(const char *a, const char *b)
{
	const CqlType *types[2];
	uint8_t    *first;
	bool		equal;

	begin();
	if (read_class(a, &cql_default_limits, &types[0]) != CQL_OK)
		return false;
	first = input;
	equal = read_class(b, &cql_default_limits, &types[1]) == CQL_OK &&
		cql_type_equals(types[0], types[1]) &&
		cql_type_equals(types[1], types[0]);
	free(first);
	return equal;
}

static void
test_equals(void)
{
	ok(names_equal("Int32Type", "Int32Type"), "int is int");
	ok(!names_equal("Int32Type", "LongType"), "int is not bigint");
	ok(names_equal("ListType(Int32Type)", "FrozenType(ListType(Int32Type))"),
	   "frozen does not count");
	ok(!names_equal("ListType(Int32Type)", "SetType(Int32Type)"), "list, set");
	ok(!names_equal("ListType(Int32Type)", "ListType(LongType)"), "elements");
	ok(!names_equal("MapType(Int32Type,UTF8Type)", "MapType(Int32Type,BytesType)"),
	   "values of a map");
	ok(!names_equal("TupleType(Int32Type)", "TupleType(Int32Type,Int32Type)"),
	   "number of elements");
	ok(!names_equal("VectorType(FloatType,2)", "VectorType(FloatType,3)"), "dimension");
	ok(names_equal("VectorType(FloatType,2)", "VectorType(FloatType,2)"), "vector");
	ok(names_equal("UserType(k,61,62:Int32Type)", "UserType(k,61,62:Int32Type)"), "UDT");
	ok(!names_equal("UserType(k,61,62:Int32Type)", "UserType(l,61,62:Int32Type)"),
	   "keyspace of a UDT");
	ok(!names_equal("UserType(k,61,62:Int32Type)", "UserType(k,63,62:Int32Type)"),
	   "name of a UDT");
	ok(!names_equal("UserType(k,61,62:Int32Type)", "UserType(k,61,63:Int32Type)"),
	   "field of a UDT");
	ok(!names_equal("UserType(k,61,62:Int32Type)", "UserType(k,61,62:LongType)"),
	   "type of a field");
	ok(names_equal("Foo(a)", "Foo(a)"), "custom");
	ok(!names_equal("Foo(a)", "Foo(b)"), "another custom");
}

static void
size_is(const char *name, long long size)
{
	const CqlType *type;

	begin();
	if (read_class(name, &cql_default_limits, &type) != CQL_OK)
		ok(false, "%s: %s", name, error.message);
	else
		is_int(cql_type_fixed_size(type), size, name);
}

static void
test_fixed_sizes(void)
{
	static const struct
	{
		const char *name;
		int			size;
	}			sizes[] = {
		{"AsciiType", 0}, {"LongType", 8}, {"BytesType", 0},
		{"BooleanType", 1}, {"CounterColumnType", 0}, {"SimpleDateType", 0},
		{"DecimalType", 0}, {"DoubleType", 8}, {"DurationType", 0},
		{"FloatType", 4}, {"InetAddressType", 0}, {"Int32Type", 4},
		{"ShortType", 0}, {"TimeType", 0}, {"TimestampType", 8},
		{"TimeUUIDType", 16}, {"ByteType", 0}, {"UUIDType", 16},
		{"UTF8Type", 0}, {"IntegerType", 0}, {"Foo", 0},
		{"ListType(Int32Type)", 0}, {"TupleType(Int32Type)", 0},
		{"UserType(k,61)", 0}, {"VectorType(FloatType,3)", 12},
		{"VectorType(UTF8Type,3)", 0}, {"VectorType(ShortType,3)", 0},
		{"VectorType(VectorType(UUIDType,5),3)", 240},
		{"VectorType(VectorType(ListType(Int32Type),5),3)", 0},
		{"VectorType(VectorType(BooleanType,16777216),127)", 2130706432},
		{"VectorType(VectorType(BooleanType,16777216),128)", 0},
		{"VectorType(VectorType(UUIDType,16777216),8)", 0},
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		size_is(sizes[i].name, sizes[i].size);
}

/* ------
 * No memory
 * ------
 */

/* Fails each allocation in turn, until there are enough; a chunk per piece. */
static void
fails_each(const char *what, const char *text, bool wire)
{
	const CqlType *type = NULL;
	CqlStatus	status = CQL_NO_MEMORY;
	long		k;
	bool		good = true;

	for (k = 1; status != CQL_OK && k < 1000; k++)
	{
		begin();
		memory.requests = 0;
		memory.fail_at = k;
		status = wire ? read_class(text, &cql_default_limits, &type) :
			parse(text, &cql_default_limits, NULL, &type);
		memory.fail_at = 0;
		good &= status == CQL_OK || status == CQL_NO_MEMORY;
	}
	ok(good && status == CQL_OK && k > 2, "%s: no memory at any of %ld places", what, k - 2);
}

static void
test_no_memory(void)
{
	static char text[3000],
				names[3000];
	CqlWriter	writer;
	const CqlType *type = NULL;
	long		k;
	CqlStatus	status = CQL_NO_MEMORY;

	/* enough that each kind of piece begins a chunk somewhere */
	for (int i = 0; i < 20; i++)
		strcat(text, i == 0 ? "tuple<" :
			   i % 3 == 0 ? "frozen<map<int, vector<Text, 3>>>, 'Foo(x)'," :
			   "set<list<varint>>, ");
	strcat(text, "int>");
	for (int i = 0; i < 30; i++)
		strcat(names, i == 0 ? "UserType(k,61,61" :
			   ":FrozenType(TupleType(Int32Type,VectorType(FloatType,9))),6162");
	strcat(names, ":Foo)");
	fails_each("CQL text", text, false);
	fails_each("class name", names, true);

	begin();
	if (parse(text, &cql_default_limits, NULL, &type) != CQL_OK)
		ok(false, "%s", error.message);
	for (k = 1; status != CQL_OK && k < 100; k++)
	{
		cql_writer_init(&writer, &allocator, 1 << 20, NULL);
		memory.requests = 0;
		memory.fail_at = k;
		status = cql_type_print(&writer, type);
		memory.fail_at = 0;
		cql_writer_free(&writer);
	}
	ok(k > 3 && status == CQL_OK, "printing: no memory at any of %ld places", k - 2);
	status = CQL_TOO_LARGE;
	for (size_t max = 0; status == CQL_TOO_LARGE; max++)
	{
		cql_writer_init(&writer, &allocator, max, NULL);
		status = cql_type_print(&writer, type);
		cql_writer_free(&writer);
	}
	is_int(status, CQL_OK, "printing: no room at any byte");
}

int
main(void)
{
	test_wire_scalars();
	test_wire_nested();
	test_wire_malformed();
	test_udt_parts();
	test_class_names();
	test_class_custom();
	test_class_malformed();
	test_text();
	test_text_malformed();
	test_text_udt();
	test_text_of_many_parts();
	test_shared_parts();
	test_udt_names();
	test_equals();
	test_fixed_sizes();
	test_no_memory();
	begin();
	is_int(memory.live, 0, "nothing leaks");
	return done_testing();
}
