/*-------------------------------------------------------------------------
 *
 * type_text.c
 *	  CQL types as CQL text: reading and printing.
 *
 * The text comes from the server's tables of its schema (columns, types), so it
 * is trusted no more than a frame is.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/type.h"

#include <limits.h>
#include <string.h>

#include "cql/name.h"
#include "cql/scan.h"
#include "cql/type_build.h"

typedef struct Parser
{
	CqlTypeBuilder *builder;
	CqlFindUdt	find_udt;
	void	   *context;		/* of find_udt */
	CqlScanner text;
} Parser;

/* Types with others in angle brackets. */
typedef struct Generic
{
	const char *name;
	CqlTypeId	id;
	uint32_t	count;			/* of the others; 0: any number */
} Generic;

static const Generic generics[] = {
	{"list", CQL_TYPE_LIST, 1},
	{"set", CQL_TYPE_SET, 1},
	{"map", CQL_TYPE_MAP, 2},
	{"tuple", CQL_TYPE_TUPLE, 0},
};

static CqlStatus parse_type(Parser *parser, uint32_t level,
							const CqlType **type);

/* ------
 * Characters
 * ------
 */

/* The length of a string, for %.*s. */
static int
precision(CqlString string)
{
	return string.length > INT_MAX ? INT_MAX : (int) string.length;
}

/* Of ASCII, as in identifiers without quotes. */
static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Of ASCII. */
static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* An identifier without quotes, or nothing. */
static CqlString
read_word(Parser *parser)
{
	CqlString	word = {parser->text.at, 0};

	if (parser->text.at < parser->text.end && is_letter(*parser->text.at))
		while (parser->text.at < parser->text.end &&
			   (is_letter(*parser->text.at) || is_digit(*parser->text.at) ||
				*parser->text.at == '_'))
			parser->text.at++;
	word.length = (uint32_t) (parser->text.at - word.data);
	return word;
}

/*
 * The length of what is between quotes, the first of which is passed; with
 * quotes that are doubled.  False if there is no closing quote.
 */
static bool
quoted_length(const CqlScanner *text, char quote, uint32_t *length)
{
	const char *at = text->at;

	for (; at < text->end; at++)
	{
		if (*at != quote)
			continue;
		if (at + 1 == text->end || at[1] != quote)
		{
			*length = (uint32_t) (at - text->at);
			return true;
		}
		at++;
	}
	return false;
}

/* What is between quotes, the first of which is passed; those doubled are one. */
static CqlStatus
read_quoted(Parser *parser, char quote, CqlString *content)
{
	uint32_t	length,
				n = 0;
	char	   *copy;

	if (!quoted_length(&parser->text, quote, &length))
		return cql_scan_fail(&parser->text, "closing quote");
	CQL_TRY(cql_type_alloc(parser->builder, length, 1, &copy));
	for (uint32_t i = 0; i < length; i++)
	{
		copy[n++] = parser->text.at[i];
		if (parser->text.at[i] == quote)
			i++;
	}
	parser->text.at += length + 1;
	*content = (CqlString)
	{
		copy, n
	};
	return CQL_OK;
}

/* ------
 * Reading
 * ------
 */

/* A copy of a word, in lower case. */
static CqlStatus
fold(Parser *parser, CqlString word, CqlString *folded)
{
	char	   *copy;

	CQL_TRY(cql_type_alloc(parser->builder, word.length, 1, &copy));
	for (uint32_t i = 0; i < word.length; i++)
		copy[i] = word.data[i] >= 'A' && word.data[i] <= 'Z' ?
			(char) (word.data[i] - 'A' + 'a') : word.data[i];
	*folded = (CqlString)
	{
		copy, word.length
	};
	return CQL_OK;
}

/*
 * A user-defined type.  The caller may have made it under other limits; what it
 * becomes a part of is checked when that is made.
 */
static CqlStatus
find_udt(Parser *parser, CqlString name, const CqlType **type)
{
	const CqlType *found = NULL;

	if (parser->find_udt != NULL)
		found = parser->find_udt(parser->context, name);
	if (found == NULL)
		return cql_fail(parser->builder->error, CQL_UNSUPPORTED,
						"type \"%.*s\" is not known",
						precision(name), name.data);
	*type = found;
	return cql_type_check_level(parser->builder, found->levels);
}

/* The types in angle brackets, the first of which is passed. */
static CqlStatus
parse_generic(Parser *parser, uint32_t level, const Generic *generic,
			  const CqlType **type)
{
	CqlTypeItems items = {0};
	CqlString	none = {"", 0};
	const CqlType *element;
	CqlType    *made;

	do
	{
		CQL_TRY(parse_type(parser, level + 1, &element));
		CQL_TRY(cql_type_items_add(parser->builder, &items, element, none));
	} while (cql_scan_char(&parser->text, ','));
	CQL_TRY(cql_scan_expect(&parser->text, '>'));
	if (generic->count != 0 && items.count != generic->count)
		return cql_scan_fail(&parser->text,
							 generic->count == 1 ? "one type" : "two types");
	CQL_TRY(cql_type_make_from_items(parser->builder, generic->id, &items, &made));
	*type = made;
	return CQL_OK;
}

/* An element type and a dimension; the bracket is passed. */
static CqlStatus
parse_vector(Parser *parser, uint32_t level, const CqlType **type)
{
	const CqlType *element;
	uint64_t	dimension;

	CQL_TRY(parse_type(parser, level + 1, &element));
	CQL_TRY(cql_scan_expect(&parser->text, ','));
	CQL_TRY(cql_scan_number(&parser->text, &dimension));
	CQL_TRY(cql_scan_expect(&parser->text, '>'));
	return cql_type_make_vector(parser->builder, element, dimension, type);
}

/* The type in the brackets, frozen; the first of them is passed. */
static CqlStatus
parse_frozen(Parser *parser, uint32_t level, const CqlType **type)
{
	CQL_TRY(parse_type(parser, level + 1, type));
	CQL_TRY(cql_scan_expect(&parser->text, '>'));
	return cql_type_freeze(parser->builder, type);
}

/* A word before an angle bracket, which is passed. */
static CqlStatus
parse_bracketed(Parser *parser, uint32_t level, CqlString word,
				const CqlType **type)
{
	if (cql_string_equals(word, "frozen"))
		return parse_frozen(parser, level, type);
	if (cql_string_equals(word, "vector"))
		return parse_vector(parser, level, type);
	for (size_t i = 0; i < sizeof(generics) / sizeof(generics[0]); i++)
		if (cql_string_equals(word, generics[i].name))
			return parse_generic(parser, level, &generics[i], type);
	return cql_fail(parser->builder->error, CQL_UNSUPPORTED,
					"type \"%.*s<>\" is not known",
					precision(word), word.data);
}

/* A type that begins with a word: a built-in one, or a user-defined one. */
static CqlStatus
parse_named(Parser *parser, uint32_t level, const CqlType **type)
{
	CqlString	word = read_word(parser);

	if (word.length == 0)
		return cql_scan_fail(&parser->text, "type");
	CQL_TRY(fold(parser, word, &word));
	if (cql_scan_char(&parser->text, '<'))
		return parse_bracketed(parser, level, word, type);
	*type = cql_type_by_name(word);
	return *type != NULL ? CQL_OK : find_udt(parser, word, type);
}

/* Recursive; `level` is that of the type to be read. */
static CqlStatus
parse_type(Parser *parser, uint32_t level, const CqlType **type)
{
	CqlString	name;

	CQL_TRY(cql_type_check_level(parser->builder, level));
	if (cql_scan_char(&parser->text, '"'))
	{
		CQL_TRY(read_quoted(parser, '"', &name));
		return find_udt(parser, name, type);
	}
	if (cql_scan_char(&parser->text, '\''))
	{
		CQL_TRY(read_quoted(parser, '\'', &name));
		return cql_type_from_class(parser->builder, level, name, type);
	}
	return parse_named(parser, level, type);
}

CqlStatus
cql_type_parse(CqlString text, CqlArena *arena, const CqlLimits *limits,
			   CqlFindUdt find_udt, void *context, const CqlType **type,
			   CqlError *error)
{
	CqlTypeBuilder builder = {arena, limits, error, 0};
	Parser		parser = {.builder = &builder,.find_udt = find_udt,.context = context};

	cql_scan_init(&parser.text, text, "a type's text", error);
	CQL_TRY(parse_type(&parser, 1, type));
	return cql_scan_end(&parser.text);
}

/* ------
 * Printing; recursive, as deep as the type is
 * ------
 */

/* A C string. */
static CqlStatus
print_text(CqlWriter *writer, const char *text)
{
	return cql_write_raw(writer, text, strlen(text));
}

/* A name that would be read as a built-in type needs quotes too. */
static CqlStatus
print_udt_name(CqlWriter *writer, CqlString name)
{
	if (cql_type_by_name(name) != NULL)
		return cql_write_quoted(writer, '"', name);
	return cql_write_name(writer, name);
}

/* A list, set, map or tuple. */
static CqlStatus
print_elements(CqlWriter *writer, const char *name, const CqlType *type)
{
	CQL_TRY(print_text(writer, name));
	for (uint32_t i = 0; i < type->nelements; i++)
	{
		CQL_TRY(print_text(writer, i == 0 ? "<" : ", "));
		CQL_TRY(cql_type_print(writer, type->elements[i]));
	}
	/* the empty tuple, which only a hostile server has */
	return print_text(writer, type->nelements == 0 ? "<>" : ">");
}

/* Its element type and dimension. */
static CqlStatus
print_vector(CqlWriter *writer, const CqlType *type)
{
	char		digits[12];
	char	   *digit = digits + sizeof(digits);
	uint32_t	left = type->dimension;

	*--digit = '\0';
	*--digit = '>';
	for (; left > 0; left /= 10)
		*--digit = (char) ('0' + left % 10);
	CQL_TRY(print_text(writer, "vector<"));
	CQL_TRY(cql_type_print(writer, type->elements[0]));
	CQL_TRY(print_text(writer, ", "));
	return print_text(writer, digit);
}

/* The type, frozen or not. */
static CqlStatus
print_thawed(CqlWriter *writer, const CqlType *type)
{
	if (type->id == CQL_TYPE_CUSTOM)
		return cql_write_quoted(writer, '\'', type->name);
	if (type->id == CQL_TYPE_UDT)
		return print_udt_name(writer, type->name);
	if (type->id == CQL_TYPE_VECTOR)
		return print_vector(writer, type);
	for (size_t i = 0; i < sizeof(generics) / sizeof(generics[0]); i++)
		if (generics[i].id == type->id)
			return print_elements(writer, generics[i].name, type);
	return print_text(writer, cql_type_scalar_name(type));
}

CqlStatus
cql_type_print(CqlWriter *writer, const CqlType *type)
{
	if (!type->frozen)
		return print_thawed(writer, type);
	CQL_TRY(print_text(writer, "frozen<"));
	CQL_TRY(print_thawed(writer, type));
	return print_text(writer, ">");
}
