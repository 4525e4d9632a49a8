/*-------------------------------------------------------------------------
 *
 * type_class.c
 *	  CQL types by the names of the server's Java classes.
 *
 * A custom type comes as text that describes an AbstractType of Cassandra, the
 * way its TypeParser reads it, which ScyllaDB has taken over:
 *
 *	  org.apache.cassandra.db.marshal.VectorType(
 *	    org.apache.cassandra.db.marshal.FloatType , 3)
 *	  ...UserType(ks,61646472657373,737472656574:...UTF8Type)
 *
 * The package may be left out.  Names of a user-defined type and of its fields
 * are in hexadecimal.  A class that is not one of a CQL type stays a custom type
 * with its parameters, whatever they are.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/type_build.h"

#include <string.h>

#include "cql/scan.h"

#define PACKAGE "org.apache.cassandra.db.marshal."
#define PACKAGE_LENGTH ((uint32_t) sizeof(PACKAGE) - 1)

typedef struct Parser
{
	CqlTypeBuilder *builder;
	CqlScanner text;
} Parser;

static CqlStatus parse_class(Parser *parser, uint32_t level,
							 const CqlType **type);

/* ------
 * Characters
 * ------
 */

/* Those that TypeParser takes for part of a name. */
static bool
is_word_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		(c >= 'A' && c <= 'Z') || (c != '\0' && strchr("-+._&", c) != NULL);
}

/* Letters, digits and what else a class name may have; perhaps none. */
static CqlString
read_word(Parser *parser)
{
	CqlString	word;

	cql_scan_blanks(&parser->text);
	word.data = parser->text.at;
	while (parser->text.at < parser->text.end && is_word_char(*parser->text.at))
		parser->text.at++;
	word.length = (uint32_t) (parser->text.at - word.data);
	return word;
}

/* -1 if it is no hexadecimal digit. */
static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* A name in hexadecimal. */
static CqlStatus
read_hex(Parser *parser, CqlString *name)
{
	CqlString	word = read_word(parser);
	char	   *text;

	if (word.length % 2 != 0)
		return cql_scan_fail(&parser->text, "even number of hexadecimal digits");
	CQL_TRY(cql_type_alloc(parser->builder, word.length / 2, 1, &text));
	for (uint32_t i = 0; i < word.length; i += 2)
	{
		int			high = hex_value(word.data[i]);
		int			low = hex_value(word.data[i + 1]);

		if (high < 0 || low < 0)
			return cql_scan_fail(&parser->text, "name in hexadecimal");
		text[		i / 2] = (char) (high << 4 | low);
	}
	name->data = text;

	name->length = word.length / 2;
	return CQL_OK;
}

/* ------
 * Classes with parameters; the parser is behind the opening parenthesis
 * ------
 */

/* Types up to the closing parenthesis, as many as there are. */
static CqlStatus
parse_items(Parser *parser, uint32_t level, CqlTypeItems *items)
{
	const CqlType *type;
	CqlString	none = {"", 0};

	do
	{
		CQL_TRY(parse_class(parser, level + 1, &type));
		CQL_TRY(cql_type_items_add(parser->builder, items, type, none));
	} while (cql_scan_char(&parser->text, ','));
	return cql_scan_expect(&parser->text, ')');
}

/* A list, set, map or tuple; `count` is 0 for any number. */
static CqlStatus
parse_elements(Parser *parser, uint32_t level, CqlTypeId id, uint32_t count,
			   const CqlType **type)
{
	CqlTypeItems items = {0};
	CqlType    *made;

	CQL_TRY(parse_items(parser, level, &items));
	if (count != 0 && items.count != count)
		return cql_scan_fail(&parser->text,
							 count == 1 ? "one parameter" : "two parameters");
	CQL_TRY(cql_type_make_from_items(parser->builder, id, &items, &made));
	*type = made;
	return CQL_OK;
}

/* The type within: FrozenType, ReversedType. */
static CqlStatus
parse_wrapped(Parser *parser, uint32_t level, const CqlType **type)
{
	CQL_TRY(parse_class(parser, level + 1, type));
	return cql_scan_expect(&parser->text, ')');
}

/* What cannot be frozen stays as it is. */
static CqlStatus
parse_frozen(Parser *parser, uint32_t level, const CqlType **type)
{
	CQL_TRY(parse_wrapped(parser, level, type));
	return cql_type_freeze(parser->builder, type);
}

/* An element type and a dimension. */
static CqlStatus
parse_vector(Parser *parser, uint32_t level, const CqlType **type)
{
	const CqlType *element;
	uint64_t	dimension;

	CQL_TRY(parse_class(parser, level + 1, &element));
	CQL_TRY(cql_scan_expect(&parser->text, ','));
	CQL_TRY(cql_scan_number(&parser->text, &dimension));
	CQL_TRY(cql_scan_expect(&parser->text, ')'));
	return cql_type_make_vector(parser->builder, element, dimension, type);
}

/* A keyspace, a name, and fields, each a name, a colon and a type. */
static CqlStatus
parse_udt(Parser *parser, uint32_t level, const CqlType **type)
{
	CqlTypeItems items = {0};
	CqlString	keyspace,
				name,
				field;
	const CqlType *element;
	CqlType    *made;

	keyspace = read_word(parser);
	CQL_TRY(cql_scan_expect(&parser->text, ','));
	CQL_TRY(read_hex(parser, &name));
	while (cql_scan_char(&parser->text, ','))
	{
		CQL_TRY(read_hex(parser, &field));
		CQL_TRY(cql_scan_expect(&parser->text, ':'));
		CQL_TRY(parse_class(parser, level + 1, &element));
		CQL_TRY(cql_type_items_add(parser->builder, &items, element, field));
	}
	CQL_TRY(cql_scan_expect(&parser->text, ')'));
	CQL_TRY(cql_type_make_from_items(parser->builder, CQL_TYPE_UDT, &items, &made));
	made->keyspace = keyspace;
	made->name = name;
	*type = made;
	return CQL_OK;
}

/* ------
 * Any class
 * ------
 */

/* Passes over parameters that are not known, up to the parenthesis. */
static CqlStatus
skip_parameters(Parser *parser)
{
	size_t		depth = 1;

	for (; parser->text.at < parser->text.end && depth > 0; parser->text.at++)
	{
		depth += *parser->text.at == '(';
		depth -= *parser->text.at == ')';
	}
	return depth == 0 ? CQL_OK : cql_scan_fail(&parser->text, "\")\"");
}

/* A class that is none of a CQL type: with its parameters it is the name. */
static CqlStatus
parse_unknown(Parser *parser, const char *start, bool has_parameters,
			  const CqlType **type)
{
	CqlString	name;

	if (has_parameters)
		CQL_TRY(skip_parameters(parser));
	name.data = start;
	name.length = (uint32_t) (parser->text.at - start);
	return cql_type_make_custom(parser->builder, name, type);
}

/* A class with parameters. */
static CqlStatus
parse_parameters(Parser *parser, uint32_t level, CqlString class_name,
				 const char *start, const CqlType **type)
{
	if (cql_string_equals(class_name, "ListType"))
		return parse_elements(parser, level, CQL_TYPE_LIST, 1, type);
	if (cql_string_equals(class_name, "SetType"))
		return parse_elements(parser, level, CQL_TYPE_SET, 1, type);
	if (cql_string_equals(class_name, "MapType"))
		return parse_elements(parser, level, CQL_TYPE_MAP, 2, type);
	if (cql_string_equals(class_name, "TupleType"))
		return parse_elements(parser, level, CQL_TYPE_TUPLE, 0, type);
	if (cql_string_equals(class_name, "VectorType"))
		return parse_vector(parser, level, type);
	if (cql_string_equals(class_name, "UserType"))
		return parse_udt(parser, level, type);
	if (cql_string_equals(class_name, "FrozenType"))
		return parse_frozen(parser, level, type);
	if (cql_string_equals(class_name, "ReversedType"))
		return parse_wrapped(parser, level, type);
	return parse_unknown(parser, start, true, type);
}

/* The name of a class without its package, if it is that of CQL's types. */
static CqlString
without_package(CqlString word)
{
	if (word.length > PACKAGE_LENGTH &&
		memcmp(word.data, PACKAGE, PACKAGE_LENGTH) == 0)
	{
		word.data += PACKAGE_LENGTH;
		word.length -= PACKAGE_LENGTH;
	}
	return word;
}

/* Recursive; `level` is that of the type to be read. */
static CqlStatus
parse_class(Parser *parser, uint32_t level, const CqlType **type)
{
	CqlString	word,
				class_name;
	const CqlType *scalar;
	const char *behind;

	CQL_TRY(cql_type_check_level(parser->builder, level));
	word = read_word(parser);
	if (word.length == 0)
		return cql_scan_fail(&parser->text, "class name");
	class_name = without_package(word);
	behind = parser->text.at;
	if (cql_scan_char(&parser->text, '('))
		return parse_parameters(parser, level, class_name, word.data, type);
	parser->text.at = behind;
	scalar = cql_type_by_class(class_name);
	if (scalar == NULL)
		return parse_unknown(parser, word.data, false, type);
	*type = scalar;
	return CQL_OK;
}

CqlStatus
cql_type_from_class(CqlTypeBuilder *builder, uint32_t level,
					CqlString name, const CqlType **type)
{
	Parser		parser = {.builder = builder};

	cql_scan_init(&parser.text, name, "a type's class name", builder->error);
	CQL_TRY(parse_class(&parser, level, type));
	return cql_scan_end(&parser.text);
}
