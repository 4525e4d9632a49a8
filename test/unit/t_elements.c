/* Values with elements: collections, tuples, user-defined types, vectors. */
#include "tap.h"

#include "cql/value.h"

static TestMemory memory;
static const CqlAllocator allocator = TEST_ALLOCATOR(&memory);
static CqlError error;
static CqlWriter writer;
static CqlArena arena;
static CqlLimits limits;
static uint8_t *input;

static void
begin(void)
{
	memset(&error, 0, sizeof(error));
	limits = cql_default_limits;
	free(input);
	input = NULL;
	cql_writer_free(&writer);
	cql_writer_init(&writer, &allocator, 1 << 20, &error);
	cql_arena_free(&arena);
	cql_arena_init(&arena, &allocator);
}

/* A user-defined type ks.u (a int, b text), for all names. */
static const CqlType *
find_udt(void *context, CqlString name)
{
	static const CqlString fields[] = {{"a", 1}, {"b", 1}};
	const CqlType **types = cql_arena_alloc_array(&arena, 2, sizeof(*types));
	const CqlType *type = NULL;

	(void) context;
	if (cql_type_parse(str("int"), &arena, &limits, NULL, NULL, &types[0], &error) != CQL_OK ||
		cql_type_parse(str("text"), &arena, &limits, NULL, NULL, &types[1], &error) != CQL_OK ||
		cql_type_udt(&arena, &limits, str("ks"), name, 2, fields, types, &type,
					 &error) != CQL_OK)
		return NULL;
	return type;
}

static const CqlType *
type_of(const char *text)
{
	const CqlType *type = NULL;

	if (cql_type_parse(str(text), &arena, &cql_default_limits, find_udt, NULL, &type,
					   &error) != CQL_OK)
	{
		printf("# %s\n", error.message);
		abort();
	}
	return type;
}

/* ------
 * Decoding
 * ------
 */

/* Begins with a value that is alone in its memory. */
static CqlStatus
begin_hex(CqlElements *elements, const char *type, const char *hex)
{
	CqlBytes	value;
	size_t		length;

	free(input);
	input = from_hex(hex, &length);
	value.data = realloc(input, length + (length == 0));
	input = (uint8_t *) value.data;
	value.length = (int32_t) length;
	return cql_elements_begin(elements, type_of(type), value, &limits, &error);
}

/* The elements, as "type:hexadecimal ..."; or the error. */
static const char *
elements_text(const char *type, const char *hex)
{
	static char text[1000];
	CqlElements elements;
	size_t		used = 0;

	begin();
	text[		0] = '\0';

	if (begin_hex(&elements, type, hex) != CQL_OK)
		return error.message;
	for (uint32_t i = 0; i < elements.count; i++)
	{
		CqlBytes	value;
		const CqlType *element;

		if (cql_elements_next(&elements, &value, &element) != CQL_OK)
			return error.message;
		used += (size_t) snprintf(text +used, sizeof(text) - used, "%s%x:",
								  i == 0 ? "" : " ", (unsigned) element->id);
		if (value.length < 0)
			used += (size_t) snprintf(text +used, sizeof(text) - used, "null");
		for (int32_t j = 0; j < value.length; j++)
			used += (size_t) snprintf(text +used, sizeof(text) - used, "%02x",
									  value.data[j]);
	}
	if (cql_elements_end(&elements) != CQL_OK)
		return error.message;
	return text;
}

static void
decodes(const char *type, const char *hex, const char *expected)
{
	is_text(elements_text(type, hex), expected, type);
	is_int(error.status, CQL_OK, "no error");
}

static void
fails(const char *type, const char *hex, CqlStatus status, const char *message)
{
	is_text(elements_text(type, hex), message, message);
	is_int(error.status, status, "its status");
}

static void
test_decode_collections(void)
{
	decodes("list<int>", "00000000", "");
	decodes("list<int>", "00000002 00000004 00000001 00000004 00000002", "9:00000001 9:00000002");
	decodes("set<text>", "00000002 00000001 61 00000000", "d:61 d:");
	decodes("list<int>", "00000001 ffffffff", "9:null");
	decodes("map<text, int>", "00000001 00000001 61 00000004 00000007", "d:61 9:00000007");
	decodes("map<text, int>", "00000002 00000001 61 00000000 00000001 62 ffffffff",
			"d:61 9: d:62 9:null");
	decodes("list<list<int>>", "00000001 00000004 00000000", "20:00000000");

	fails("list<int>", "", CQL_MALFORMED, "message ends 4 bytes too early");
	fails("list<int>", "000000", CQL_MALFORMED, "message ends 1 bytes too early");
	fails("list<int>", "ffffffff", CQL_MALFORMED, "collection has -1 elements");
	fails("list<int>", "00000001", CQL_MALFORMED, "collection ends before its 1 elements");
	fails("list<int>", "00000002 00000000 000000", CQL_MALFORMED,
		  "collection ends before its 2 elements");
	fails("map<int, int>", "00000001 00000000 000000", CQL_MALFORMED,
		  "collection ends before its 1 elements");
	fails("list<int>", "01000000 00000000", CQL_MALFORMED,
		  "collection ends before its 16777216 elements");
	fails("list<int>", "01000001 00000000", CQL_TOO_LARGE,
		  "collection has 16777217 elements, more than 16777216");
	fails("map<int, int>", "7fffffff", CQL_TOO_LARGE,
		  "collection has 2147483647 elements, more than 16777216");
	fails("list<int>", "00000001 00000001", CQL_MALFORMED, "message ends 1 bytes too early");
	fails("list<int>", "00000001 7fffffff 00", CQL_MALFORMED,
		  "message ends 2147483646 bytes too early");
	fails("list<int>", "00000001 00000001 00 00", CQL_MALFORMED,
		  "value has 1 bytes after its last element");
	fails("list<int>", "00000000 00", CQL_MALFORMED, "value has 1 bytes after its last element");
}

static void
test_decode_records(void)
{
	decodes("tuple<int, text>", "00000004 00000001 00000001 61", "9:00000001 d:61");
	decodes("tuple<int, text>", "ffffffff 00000000", "9:null d:");
	decodes("tuple<int, text>", "00000004 00000001", "9:00000001 d:null");
	decodes("tuple<int, text>", "", "9:null d:null");
	decodes("tuple<int>", "00000004 00000001 00000001 61 ffffffff", "9:00000001");
	decodes("u", "00000004 00000001 00000001 61", "9:00000001 d:61");
	decodes("u", "00000004 00000001", "9:00000001 d:null");
	decodes("u", "ffffffff ffffffff 00000001 00", "9:null d:null");
	decodes("frozen<u>", "ffffffff ffffffff", "9:null d:null");

	fails("tuple<int>", "000000", CQL_MALFORMED, "message ends 1 bytes too early");
	fails("tuple<int>", "00000004 000000", CQL_MALFORMED, "message ends 1 bytes too early");
	fails("u", "ffffffff 000000", CQL_MALFORMED, "message ends 1 bytes too early");
	/* also in fields that are skipped */
	fails("u", "ffffffff ffffffff 00", CQL_MALFORMED, "message ends 3 bytes too early");
	fails("u", "ffffffff ffffffff 00000002 00", CQL_MALFORMED, "message ends 1 bytes too early");
}

static void
test_decode_vectors(void)
{
	decodes("vector<float, 2>", "3f800000 40000000", "8:3f800000 8:40000000");
	decodes("vector<boolean, 3>", "000100", "4:00 4:01 4:00");
	decodes("vector<vector<int, 2>, 2>", "00000001 00000002 00000003 00000004",
			"10000:0000000100000002 10000:0000000300000004");
	decodes("vector<text, 3>", "01 61 00 02 6262", "d:61 d: d:6262");
	decodes("vector<smallint, 2>", "02 0001 02 0002", "13:0001 13:0002");
	decodes("vector<vector<text, 1>, 2>", "02 01 61 01 00", "10000:0161 10000:00");

	fails("vector<float, 2>", "", CQL_MALFORMED, "vector ends before its 2 elements");
	fails("vector<float, 2>", "3f800000 400000", CQL_MALFORMED,
		  "vector ends before its 2 elements");
	fails("vector<float, 2>", "3f800000 40000000 00", CQL_MALFORMED,
		  "value has 1 bytes after its last element");
	fails("vector<text, 3>", "00 00", CQL_MALFORMED, "vector ends before its 3 elements");
	fails("vector<text, 1>", "01", CQL_MALFORMED, "vector ends before an element of 1 bytes");
	fails("vector<text, 1>", "80", CQL_MALFORMED, "message ends 1 bytes too early");
	fails("vector<text, 1>", "ff ffffffffffffffff", CQL_MALFORMED,
		  "vector ends before an element of 18446744073709551615 bytes");
	fails("vector<text, 1>", "00 00", CQL_MALFORMED, "value has 1 bytes after its last element");
	fails("vector<uuid, 16777216>", "00", CQL_MALFORMED,
		  "vector ends before its 16777216 elements");
}

static void
test_decode_misuse(void)
{
	CqlElements elements;
	CqlBytes	value;
	const CqlType *type;

	fails("int", "00000001", CQL_INVALID, "type 0x0009 has no elements");
	fails("text", "00000000", CQL_INVALID, "type 0x000d has no elements");
	fails("'Foo'", "00000000", CQL_INVALID, "type 0x0000 has no elements");

	begin();
	value.data = NULL;
	value.length = CQL_LENGTH_NULL;
	is_int(cql_elements_begin(&elements, type_of("list<int>"), value, &limits, &error),
		   CQL_INVALID, "null has no elements");
	is_text(error.message, "a null value has no elements", "message");

	begin();
	is_int(begin_hex(&elements, "list<int>", "00000002 00000000 00000000"), CQL_OK, "a list");
	is_int(cql_elements_next(&elements, &value, &type), CQL_OK, "an element");
	is_int(cql_elements_end(&elements), CQL_INVALID, "one is left");
	is_text(error.message, "1 elements are not read", "message");
	begin();
	is_int(begin_hex(&elements, "tuple<int>", ""), CQL_OK, "a tuple");
	is_int(cql_elements_next(&elements, &value, &type), CQL_OK, "its only field");
	is_int(cql_elements_next(&elements, &value, &type), CQL_INVALID, "another");
	is_text(error.message, "there are no more elements", "message");
}

/* ------
 * Encoding
 * ------
 */

/*
 * Writes elements given as hexadecimal, NULL for null, ended by "."; returns
 * the first status that is not CQL_OK.
 */
static CqlStatus
write_elements(const char *type, uint32_t count, const char *const *hex)
{
	CqlElementsWriter elements;

	CQL_TRY(cql_encode_elements_begin(&elements, type_of(type), count, &writer));
	for (; *hex == NULL || **hex != '.'; hex++)
	{
		size_t		length;
		uint8_t    *bytes;
		CqlStatus	status;

		if (*hex == NULL)
		{
			CQL_TRY(cql_encode_element_null(&elements));
			continue;
		}
		CQL_TRY(cql_encode_element_begin(&elements));
		bytes = from_hex(*hex, &length);
		status = cql_write_raw(&writer, bytes, length);
		free(bytes);
		CQL_TRY(status);
		CQL_TRY(cql_encode_element_end(&elements));
	}
	return cql_encode_elements_end(&elements);
}

#define ELEMENTS(...) ((const char *const[]) {__VA_ARGS__, "."})

static void
encodes(const char *type, uint32_t count, const char *const *elements, const char *expected)
{
	begin();
	if (is_int(write_elements(type, count, elements), CQL_OK, type))
		is_hex(writer.data, writer.length, expected, "its bytes");
	else
		printf("# %s\n", error.message);
}

static void
cannot(const char *type, uint32_t count, const char *const *elements, const char *message)
{
	begin();
	is_int(write_elements(type, count, elements), CQL_INVALID, message);
	is_text(error.message, message, "message");
}

#define NO_ELEMENTS ((const char *const[]) {"."})

static void
test_encode(void)
{
	char		longer[2 * 300 + 1] = "";
	char		expected[2 * 300 + 10] = "812c";

	encodes("list<int>", 0, NO_ELEMENTS, "00000000");
	encodes("list<int>", 2, ELEMENTS("00000001", "00000002"),
			"00000002 00000004 00000001 00000004 00000002");
	encodes("set<text>", 1, ELEMENTS(""), "00000001 00000000");
	encodes("map<text, int>", 4, ELEMENTS("61", "00000001", "62", "00000002"),
			"00000002 00000001 61 00000004 00000001 00000001 62 00000004 00000002");
	encodes("tuple<int, text>", 2, ELEMENTS(NULL, "61"), "ffffffff 00000001 61");
	encodes("tuple<int, text>", 1, ELEMENTS("00000001"), "00000004 00000001");
	encodes("u", 2, ELEMENTS("00000001", NULL), "00000004 00000001 ffffffff");
	encodes("u", 0, NO_ELEMENTS, "");
	encodes("vector<float, 2>", 2, ELEMENTS("3f800000", "40000000"), "3f800000 40000000");
	encodes("vector<text, 3>", 3, ELEMENTS("61", "", "6262"), "01 61 00 02 6262");
	for (int i = 0; i < 300; i++)
	{
		sprintf(longer + 2 * i, "%02x", i & 0xff);
		sprintf(expected + 4 + 2 * i, "%02x", i & 0xff);
	}
	encodes("vector<text, 1>", 1, ELEMENTS(longer), expected);

	cannot("int", 0, NO_ELEMENTS, "a value of type 0x0009 cannot have 0 elements");
	cannot("list<int>", 0x80000000, NO_ELEMENTS,
		   "a value of type 0x0020 cannot have 2147483648 elements");
	cannot("map<int, int>", 1, NO_ELEMENTS, "a value of type 0x0021 cannot have 1 elements");
	cannot("tuple<int>", 2, NO_ELEMENTS, "a value of type 0x0031 cannot have 2 elements");
	cannot("u", 3, NO_ELEMENTS, "a value of type 0x0030 cannot have 3 elements");
	cannot("vector<int, 2>", 1, NO_ELEMENTS,
		   "a value of type 0x10000 cannot have 1 elements");
	cannot("list<int>", 1, NO_ELEMENTS, "there are 0 elements, not 1");
	cannot("list<int>", 1, ELEMENTS("", ""), "there are more elements than 1");
	cannot("tuple<int>", 1, ELEMENTS(NULL, NULL), "there are more elements than 1");
	cannot("list<int>", 1, ELEMENTS(NULL), "elements of a collection or vector cannot be null");
	cannot("map<int, int>", 2, ELEMENTS("", NULL),
		   "elements of a collection or vector cannot be null");
	cannot("vector<int, 1>", 1, ELEMENTS(NULL),
		   "elements of a collection or vector cannot be null");
	cannot("vector<int, 1>", 1, ELEMENTS("000000"), "element of a vector has 3 bytes, not 4");
	cannot("vector<int, 1>", 1, ELEMENTS("0000000000"), "element of a vector has 5 bytes, not 4");
}

/* A vector of lists of vectors, written from within. */
static void
test_encode_nested(void)
{
	CqlElementsWriter outer,
				middle,
				inner;
	const CqlType *type;
	CqlStatus	status = CQL_OK;

	begin();
	type = type_of("vector<list<vector<text, 1>>, 2>");
	status |= cql_encode_elements_begin(&outer, type, 2, &writer);
	for (int i = 0; i < 2; i++)
	{
		status |= cql_encode_element_begin(&outer);
		status |= cql_encode_elements_begin(&middle, type->elements[0], 1, &writer);
		status |= cql_encode_element_begin(&middle);
		status |= cql_encode_elements_begin(&inner, type->elements[0]->elements[0], 1, &writer);
		status |= cql_encode_element_begin(&inner);
		status |= cql_write_raw(&writer, "ab", 2);
		status |= cql_encode_element_end(&inner);
		status |= cql_encode_elements_end(&inner);
		status |= cql_encode_element_end(&middle);
		status |= cql_encode_elements_end(&middle);
		status |= cql_encode_element_end(&outer);
	}
	status |= cql_encode_elements_end(&outer);
	is_int(status, CQL_OK, "nested elements");
	is_hex(writer.data, writer.length,
		   "0b 00000001 00000003 02 6162 0b 00000001 00000003 02 6162", "their bytes");
}

/* Each byte of room, until there is enough. */
static void
test_no_room(void)
{
	static const char *const types[] = {"map<int, int>", "u", "vector<text, 2>", "vector<int, 2>"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
	{
		CqlStatus	status = CQL_TOO_LARGE;
		size_t		max;
		bool		good = true;

		for (max = 0; status != CQL_OK && max < 100; max++)
		{
			begin();
			writer.max = max;
			status = write_elements(types[i], 2, ELEMENTS("00000001", "00000002"));
			good &= status == CQL_OK || status == CQL_TOO_LARGE;
		}
		ok(good && status == CQL_OK && max > 7, "%s: no room at any of %zu sizes",
		   types[i], max - 1);
	}
	begin();
	memory.fail_at = 1;
	memory.requests = 0;
	{
		CqlType		type = {.id = CQL_TYPE_LIST,.nelements = 1};
		CqlElementsWriter elements;

		is_int(cql_encode_elements_begin(&elements, &type, 0, &writer), CQL_NO_MEMORY,
			   "no memory");
	}
	memory.fail_at = 0;
}

int
main(void)
{
	test_decode_collections();
	test_decode_records();
	test_decode_vectors();
	test_decode_misuse();
	test_encode();
	test_encode_nested();
	test_no_room();
	begin();
	cql_arena_free(&arena);
	is_int(memory.live, 0, "nothing leaks");
	return done_testing();
}
