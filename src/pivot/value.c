/*-------------------------------------------------------------------------
 *
 * value.c
 *	  A value of any SQL type to a value of a key.
 *
 * Parents and ids come as whatever type the caller has at hand.  They are
 * brought to the type of the pivot's column before anything looks at them, so
 * that locks, comparisons and indexes all work on one type.  A conversion must
 * not make another key of what was given:
 *
 *	- a value of the column's type, or one that is binary-coercible to it, is
 *	  taken as it is;
 *	- a number for an integer column must be an integer: 1.0 is, 1.5 is 22P02;
 *	  likewise for numeric(p, s), which an INSERT would round silently;
 *	- a string for any other type goes through the input function, as an
 *	  untyped literal does;
 *	- anything else goes through an implicit or assignment cast, or where
 *	  there is none through output and input functions.
 *
 * A domain counts as its base type (see BtmType), and no length is enforced: a
 * value that is too long for the column is one that no row has, which a read
 * may ask for; an INSERT refuses it.
 *
 * A key of several columns is written as a JSON object of columns, a JSON
 * array or a row value in key order, or either of these as text.  The same
 * forms are accepted for a key of one column, except that text for a column
 * of a string type is always the value itself, verbatim.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "parser/parse_coerce.h"
#include "parser/scansup.h"
#include "pivot/ids.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/typcache.h"

/* How values of one type become values of a column. */
typedef enum Conversion
{
	CONVERT_NONE,				/* same bits */
	CONVERT_CAST,				/* `func` is a cast function */
	CONVERT_TEXT				/* `func` is the output function; input next */
} Conversion;

struct BtmConverter
{
	BtmKeyColumn *column;		/* the target */
	Oid			type;			/* base type of the values */
	Conversion	kind;
	FmgrInfo	func;			/* unless CONVERT_NONE */
};

struct BtmKeyReader
{
	BtmKeyColumn *columns;
	int			ncolumns;
	const char *what;			/* "parent" or "id" */
	Oid			type;			/* base type of the values */
	bool		is_row;			/* a composite type */
	BtmConverter **converters;	/* per column, for the type last met */
};

/* -------------
 * Kinds of type
 * -------------
 */

/*
 * Does the column hold strings, so that any text is a value of it?
 */
bool
btm_key_is_string(const BtmKeyColumn *column)
{
	return column->type.typcategory == TYPCATEGORY_STRING;
}

/*
 * Is this the type json or jsonb?
 */
bool
btm_type_is_json(Oid type)
{
	return type == JSONOID || type == JSONBOID;
}

/*
 * Is this base type a string type?
 */
bool
btm_type_is_string(Oid type)
{
	return TypeCategory(type) == TYPCATEGORY_STRING;
}

/*
 * Is this one of the integer types?
 */
static bool
is_integer_type(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID;
}

/*
 * Is this one of the inexact number types?
 */
static bool
is_float_type(Oid type)
{
	return type == FLOAT4OID || type == FLOAT8OID;
}

/* -------------
 * Exact numbers
 * -------------
 */

/*
 * Raises 22P02: the text is no value of the type.  The hint may be NULL.
 */
pg_noreturn static void
invalid_input(Oid type, const char *text, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%s\"",
					format_type_be(type), text),
			 hint ? errhint("%s", hint) : 0));
}

/*
 * The text of a numeric.
 */
static char *
numeric_text(Numeric num)
{
	return DatumGetCString(DirectFunctionCall1(numeric_out,
											   NumericGetDatum(num)));
}

/*
 * Raises 22P02 unless a numeric is an integer; `type` is the integer type that
 * it is wanted for.
 */
static void
require_integer(Numeric num, Oid type)
{
	Datum		truncated;
	bool		is_integer = false;

	if (!numeric_is_nan(num) && !numeric_is_inf(num))
	{
		truncated = DirectFunctionCall2(numeric_trunc, NumericGetDatum(num),
										Int32GetDatum(0));
		is_integer = DatumGetBool(DirectFunctionCall2(numeric_eq, truncated,
													  NumericGetDatum(num)));
		pfree(DatumGetPointer(truncated));
	}
	if (!is_integer)
		invalid_input(type, numeric_text(num), NULL);
}

/*
 * The same for a float4 or float8.
 */
static void
require_integer_float(Datum value, Oid from, Oid type)
{
	float8		num = from == FLOAT4OID ?
		DatumGetFloat4(value) : DatumGetFloat8(value);

	if (isnan(num) || isinf(num) || rint(num) != num)
		invalid_input(type,
					  DatumGetCString(DirectFunctionCall1(float8out,
														  Float8GetDatum(num))),
					  NULL);
}

/*
 * A numeric as a value of an integer type.  Errors: 22P02 if it has a
 * fraction, 22003 if it is out of range.
 */
static Datum
integer_from_numeric(Numeric num, Oid type)
{
	require_integer(num, type);
	switch (type)
	{
		case INT2OID:
			return DirectFunctionCall1(numeric_int2, NumericGetDatum(num));
		case INT4OID:
			return DirectFunctionCall1(numeric_int4, NumericGetDatum(num));
		default:
			Assert(type == INT8OID);
			return DirectFunctionCall1(numeric_int8, NumericGetDatum(num));
	}
}

/*
 * Can values of the column's type be such as the column cannot hold unrounded?
 */
static bool
column_rounds(const BtmKeyColumn *column)
{
	return column->type.type == NUMERICOID && column->type.typmod >= 0;
}

/*
 * Raises 22P02 if a column numeric(p, s) cannot hold a value unrounded, and
 * 22003 if it cannot hold it at all.
 */
static void
require_unrounded(Datum value, const BtmKeyColumn *column)
{
	Datum		rounded;

	if (!column_rounds(column))
		return;
	rounded = DirectFunctionCall2(numeric, value,
								  Int32GetDatum(column->type.typmod));
	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, rounded, value)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input for type %s: \"%s\"",
						format_type_with_typemod(column->type.type,
												 column->type.typmod),
						numeric_text(DatumGetNumeric(value))),
				 errdetail("Column \"%s\" cannot hold this number unrounded.",
						   column->name)));
}

/* -------------------
 * Strings and scalars
 * -------------------
 */

/*
 * Raises 22004: there is NULL where a key column needs a value.
 */
pg_noreturn static void
null_key_column(const BtmKeyColumn *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("key column \"%s\" must not be null", column->name)));
}

/*
 * Does text hold a JSON object, or where no range is expected an array?
 */
static bool
looks_like_json(const char *text, const BtmKeyColumn *column)
{
	while (scanner_isspace(*text))
		text++;
	if (*text == '[')
		return column->type.typcategory != TYPCATEGORY_RANGE;
	if (*text++ != '{')
		return false;
	while (scanner_isspace(*text))
		text++;
	return *text == '"';
}

/*
 * Text to a value of a key column by its input function.
 *
 * Some drivers encode a list of objects as a list of JSON texts.  The input
 * function would refuse such an element, too; this error says what to do.
 */
static Datum
input_value(char *text, BtmKeyColumn *column)
{
	Datum		result;

	if (!btm_key_is_string(column) && looks_like_json(text, column))
		invalid_input(column->type.type, text,
					  "Pass a list of JSON objects or arrays as one jsonb value; "
					  "in JavaScript, JSON.stringify() the whole list.");
	result = InputFunctionCall(&column->type.input, text,
							   column->type.ioparam, -1);
	require_unrounded(result, column);
	return result;
}

/*
 * The text of a JSON scalar that is not null; to be freed by the caller.
 */
static char *
scalar_text(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return numeric_text(value->val.numeric);
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		default:
			elog(ERROR, "unexpected type of jsonb value: %d",
				 (int) value->type);
	}
}

/*
 * A JSON scalar that is not null to a value of a type: a number for an integer
 * type must be an integer, everything else goes through the input function.
 *
 * The result may point into `value`.  Errors: 22P02, 22003 and whatever else
 * the input function raises.
 */
Datum
btm_json_scalar(const JsonbValue *value, const BtmType *type, int32 typmod)
{
	char	   *text;
	Datum		result;

	if (value->type == jbvNumeric && is_integer_type(type->type))
		return integer_from_numeric(value->val.numeric, type->type);
	if (value->type == jbvNumeric && type->type == NUMERICOID && typmod < 0)
		return NumericGetDatum(value->val.numeric);

	text = scalar_text(value);
	result = InputFunctionCall(unconstify(FmgrInfo *, &type->input), text,
							   type->ioparam, typmod);
	pfree(text);
	return result;
}

/*
 * A JSON value to a value of a key column.
 *
 * The result may point into `value`.  Errors: 22004 for null, 22023 for an
 * object or array, 22P02 and 22003 for what the type does not accept.
 */
Datum
btm_value_from_json(const JsonbValue *value, BtmKeyColumn *column)
{
	Datum		result;
	char	   *text;

	if (value->type == jbvNull)
		null_key_column(column);
	if (!IsAJsonbScalar(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("key column \"%s\" takes a single value, not a JSON object or array",
						column->name)));
	if (value->type == jbvString)
	{
		text = scalar_text(value);
		result = input_value(text, column);
		pfree(text);
		return result;
	}
	result = btm_json_scalar(value, &column->type, -1);
	require_unrounded(result, column);
	return result;
}

/* ----------
 * Converters
 * ----------
 */

/*
 * Finds the cast function from one base type to another, if values go through
 * one.  Sets *binary instead if the value is taken as it is.
 *
 * Strings do not use casts to other types: those are for what their authors
 * thought of, while every type has an input function.  Neither do floats to
 * numeric: that cast rounds to 15 digits.
 */
static Oid
find_cast(Oid from, Oid to, bool *binary)
{
	CoercionPathType path;
	Oid			func;

	*binary = from == to || IsBinaryCoercible(from, to);
	if (*binary)
		return InvalidOid;
	if (btm_type_is_string(from) && !btm_type_is_string(to))
		return InvalidOid;
	if (is_float_type(from) && to == NUMERICOID)
		return InvalidOid;

	path = find_coercion_pathway(to, from, COERCION_ASSIGNMENT, &func);
	*binary = path == COERCION_PATH_RELABELTYPE;
	return path == COERCION_PATH_FUNC ? func : InvalidOid;
}

/*
 * Raises 22023 if a value of a type with parts is given for a column of
 * another kind.
 */
static void
require_single_value(Oid type, const BtmKeyColumn *column)
{
	if (type == column->type.type)
		return;
	if (OidIsValid(get_element_type(type)) || type_is_rowtype(type))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("key column \"%s\" takes a single value, not one of type %s",
						column->name, format_type_be(type))));
}

/*
 * Looks up how values of a base type become values of a key column, once for
 * any number of values.  The converter lives in the current memory context.
 * Errors: 22023 if the type is an array or a row.
 */
BtmConverter *
btm_converter_make(Oid type, BtmKeyColumn *column)
{
	BtmConverter *converter = palloc0(sizeof(BtmConverter));
	Oid			func;
	bool		binary;
	bool		is_varlena;

	require_single_value(type, column);
	converter->column = column;
	converter->type = type;

	func = find_cast(type, column->type.type, &binary);
	if (binary)
		return converter;
	converter->kind = OidIsValid(func) ? CONVERT_CAST : CONVERT_TEXT;
	if (!OidIsValid(func))
		getTypeOutputInfo(type, &func, &is_varlena);
	fmgr_info(func, &converter->func);
	return converter;
}

/*
 * Do all values of the type stay what they are?
 */
bool
btm_converter_is_noop(const BtmConverter *converter)
{
	return converter->kind == CONVERT_NONE && !column_rounds(converter->column);
}

/*
 * Calls the cast function.  It may take the typmod and whether the cast is
 * explicit besides the value.  Errors: 22P02 if a number for an integer type
 * has a fraction, which the cast would round.
 */
static Datum
call_cast(BtmConverter *converter, Datum value)
{
	LOCAL_FCINFO(fcinfo, 3);
	BtmType    *target = &converter->column->type;
	Datum		result;

	if (is_integer_type(target->type) && converter->type == NUMERICOID)
		require_integer(DatumGetNumeric(value), target->type);
	if (is_integer_type(target->type) && is_float_type(converter->type))
		require_integer_float(value, converter->type, target->type);

	InitFunctionCallInfoData(*fcinfo, &converter->func,
							 converter->func.fn_nargs, target->collation,
							 NULL, NULL);
	fcinfo->args[0].value = value;
	fcinfo->args[0].isnull = false;
	fcinfo->args[1].value = Int32GetDatum(-1);
	fcinfo->args[1].isnull = false;
	fcinfo->args[2].value = BoolGetDatum(false);
	fcinfo->args[2].isnull = false;
	result = FunctionCallInvoke(fcinfo);
	if (fcinfo->isnull)
		null_key_column(converter->column);
	return result;
}

/*
 * Converts a value that is not NULL.  The result is detoasted; it lives in the
 * current memory context or is the value itself.  Errors: 22P02, 22003 and
 * whatever else an input or cast function raises.
 */
Datum
btm_convert(BtmConverter *converter, Datum value)
{
	BtmKeyColumn *column = converter->column;
	char	   *text;

	switch (converter->kind)
	{
		case CONVERT_NONE:
			if (column->type.typlen == -1)
				value = PointerGetDatum(PG_DETOAST_DATUM_PACKED(value));
			break;
		case CONVERT_CAST:
			value = call_cast(converter, value);
			break;
		case CONVERT_TEXT:
			text = OutputFunctionCall(&converter->func, value);
			value = input_value(text, column);
			pfree(text);
			return value;
	}
	require_unrounded(value, column);
	return value;
}

/*
 * A json value as jsonb; JSON null as NULL.
 */
static void
normalize_json(BtmValue *value)
{
	JsonbValue	root;

	value->value = JsonbPGetDatum(btm_to_jsonb(value->value, value->type));
	value->type = JSONBOID;
	btm_json_root(DatumGetJsonbP(value->value), &root);
	value->isnull = root.type == jbvNull;
}

/*
 * An argument with its own type; a domain counts as its base type, an untyped
 * literal as text, json as jsonb, and JSON null as NULL.  Errors: 42804 if the
 * function is called in a way that does not tell types, 22P02 for json that is
 * no jsonb.
 */
BtmValue
btm_value_arg(FunctionCallInfo fcinfo, int argno)
{
	BtmValue	result;

	result.type = get_fn_expr_argtype(fcinfo->flinfo, argno);
	result.isnull = PG_ARGISNULL(argno);
	result.value = PG_GETARG_DATUM(argno);
	if (!OidIsValid(result.type))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("could not determine data type of argument %d",
						argno + 1)));

	if (result.type == UNKNOWNOID || result.type == CSTRINGOID)
	{
		result.type = TEXTOID;
		if (!result.isnull)
			result.value = CStringGetTextDatum(DatumGetCString(result.value));
	}
	result.type = getBaseType(result.type);
	if (btm_type_is_json(result.type) && !result.isnull)
		normalize_json(&result);
	return result;
}

/* ----------
 * JSON, text
 * ----------
 */

/*
 * A value of type json or jsonb as jsonb.  Errors: 22P02 if the text of a json
 * value is no jsonb.
 */
Jsonb *
btm_to_jsonb(Datum value, Oid type)
{
	if (type == JSONBOID)
		return DatumGetJsonbP(value);
	return btm_jsonb_parse(TextDatumGetCString(value));
}

/*
 * Text to jsonb.  Errors: 22P02.
 */
Jsonb *
btm_jsonb_parse(const char *text)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

/*
 * The root of a jsonb value: a scalar, or jbvBinary.  It points into `jb`.
 */
void
btm_json_root(Jsonb *jb, JsonbValue *value)
{
	if (JB_ROOT_IS_SCALAR(jb))
	{
		(void) JsonbExtractScalar(&jb->root, value);
		return;
	}
	value->type = jbvBinary;
	value->val.binary.data = &jb->root;
	value->val.binary.len = VARSIZE(jb) - VARHDRSZ;
}

/*
 * Is this an object?  (Values are scalars or jbvBinary here.)
 */
bool
btm_json_is_object(const JsonbValue *value)
{
	return value->type == jbvBinary &&
		JsonContainerIsObject(value->val.binary.data);
}

/*
 * A value of a string type as a C string.
 */
char *
btm_text_value(Datum value, Oid type)
{
	Oid			output;
	bool		is_varlena;

	if (type == TEXTOID || type == VARCHAROID)
		return TextDatumGetCString(value);
	getTypeOutputInfo(type, &output, &is_varlena);
	return OidOutputFunctionCall(output, value);
}

/*
 * Skips a double-quoted JSON string or array element.  Returns what comes
 * after the closing quote, or the end of the text.
 */
static const char *
skip_quoted(const char *p)
{
	for (p++; *p != '\0' && *p != '"'; p++)
		if (*p == '\\' && p[1] != '\0')
			p++;
	return *p == '"' ? p + 1 : p;
}

/*
 * Which of the two does text that begins with a brace hold?  A JSON object has
 * a quoted string and a colon next, which no array literal has.  An empty pair
 * of braces is an empty list either way.
 */
static BtmTextForm
form_of_braces(const char *p)
{
	for (p++; scanner_isspace(*p); p++)
		 /* skip */ ;
	if (*p != '"')
		return BTM_TEXT_ARRAY;
	for (p = skip_quoted(p); scanner_isspace(*p); p++)
		 /* skip */ ;
	return *p == ':' ? BTM_TEXT_JSON : BTM_TEXT_ARRAY;
}

/*
 * The same for text that begins with a bracket: an array literal may begin
 * with its bounds, "[0:2]={...}".
 */
static BtmTextForm
form_of_brackets(const char *p)
{
	p += strspn(p, "[ +-0123456789");
	return *p == ':' ? BTM_TEXT_ARRAY : BTM_TEXT_JSON;
}

/*
 * What does text that is given for one or several keys hold?
 */
BtmTextForm
btm_text_form(const char *text, const BtmKeyColumn *columns, int ncolumns)
{
	if (ncolumns == 1 && btm_key_is_string(columns))
		return BTM_TEXT_VALUE;
	while (scanner_isspace(*text))
		text++;
	if (*text == '{')
		return form_of_braces(text);
	if (*text == '[')
		return form_of_brackets(text);
	return BTM_TEXT_VALUE;
}

/* ---------------
 * Keys as a whole
 * ---------------
 */

/*
 * The names of a key's columns, for messages.
 */
static char *
column_names(const BtmKeyReader *reader)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < reader->ncolumns; i++)
		appendStringInfo(&names, "%s\"%s\"", i > 0 ? ", " : "",
						 reader->columns[i].name);
	return names.data;
}

/*
 * Raises 22023: a value does not have the parts that the key needs.
 */
pg_noreturn static void
not_a_key(const BtmKeyReader *reader)
{
	if (reader->ncolumns == 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the %s must have a single value", reader->what)));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the %s must have a value for each of its %d columns",
					reader->what, reader->ncolumns),
			 errhint("Write it as a JSON object of %s, or as a JSON array or a row value in this order.",
					 column_names(reader))));
}

/*
 * Raises 42703: a JSON object has a member that is no column of the key.
 */
pg_noreturn static void
not_a_key_column(const BtmKeyReader *reader, const char *name)
{
	List	   *columns = NIL;
	const char *nearest;

	for (int i = 0; i < reader->ncolumns; i++)
		columns = lappend(columns, reader->columns[i].name);
	nearest = btm_nearest_name(name, columns);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" is not a key column of the %s",
					name, reader->what),
			 nearest ?
			 errhint("Perhaps you meant to reference the column \"%s\".",
					 nearest) :
			 errhint("The key has %s.", column_names(reader))));
}

/*
 * Raises 42703 if an object has members besides the columns of the key.
 */
static void
check_members(const BtmKeyReader *reader, JsonbContainer *object)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		char	   *name;
		bool		found = false;

		if (token != WJB_KEY)
			continue;
		name = scalar_text(&value);
		for (int i = 0; i < reader->ncolumns; i++)
			found |= strcmp(name, reader->columns[i].name) == 0;
		if (!found)
			not_a_key_column(reader, name);
	}
}

/*
 * The member of an object that is named as a key column, or false.
 */
bool
btm_json_member(JsonbContainer *object, const BtmKeyColumn *column,
				JsonbValue *value)
{
	return getKeyJsonValueFromContainer(object, column->name,
										strlen(column->name), value) != NULL;
}

/*
 * Reads a key from an object that has the key's columns and no others.
 */
static void
read_object(BtmKeyReader *reader, JsonbContainer *object, Datum *key)
{
	check_members(reader, object);
	if (JsonContainerSize(object) != (uint32) reader->ncolumns)
		not_a_key(reader);
	for (int i = 0; i < reader->ncolumns; i++)
	{
		JsonbValue	value;

		if (!btm_json_member(object, &reader->columns[i], &value))
			not_a_key(reader);
		key[i] = btm_value_from_json(&value, &reader->columns[i]);
	}
}

/*
 * Reads a key from a JSON array in key order.
 */
static void
read_array(BtmKeyReader *reader, JsonbContainer *array, Datum *key)
{
	if (JsonContainerSize(array) != (uint32) reader->ncolumns)
		not_a_key(reader);
	for (int i = 0; i < reader->ncolumns; i++)
		key[i] = btm_value_from_json(getIthJsonbValueFromContainer(array, i),
									 &reader->columns[i]);
}

/*
 * Reads a key from a JSON value: a scalar (one column only), an object or an
 * array.  `key` gets one datum per column; they may point into `value`.
 *
 * Errors: those of btm_value_from_json, 42703 and 22023 if the columns are not
 * those of the key.
 */
void
btm_key_read_json(BtmKeyReader *reader, const JsonbValue *value, Datum *key)
{
	if (btm_json_is_object(value))
		read_object(reader, value->val.binary.data, key);
	else if (value->type == jbvBinary)
		read_array(reader, value->val.binary.data, key);
	else if (reader->ncolumns == 1)
		key[0] = btm_value_from_json(value, reader->columns);
	else
		not_a_key(reader);
}

/*
 * The converter from a type to column i of the key.
 */
static BtmConverter *
get_converter(BtmKeyReader *reader, int i, Oid type)
{
	if (reader->converters[i] == NULL || reader->converters[i]->type != type)
		reader->converters[i] = btm_converter_make(type, &reader->columns[i]);
	return reader->converters[i];
}

/*
 * Reads a key from the columns of a row, in key order.
 */
static void
read_columns(BtmKeyReader *reader, TupleDesc desc, const Datum *values,
			 const bool *nulls, Datum *key)
{
	int			n = 0;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		Oid			type;

		if (att->attisdropped)
			continue;
		if (n == reader->ncolumns)
			not_a_key(reader);
		if (nulls[i])
			null_key_column(&reader->columns[n]);
		type = getBaseType(att->atttypid);
		key[n] = btm_convert(get_converter(reader, n, type), values[i]);
		n++;
	}
	if (n < reader->ncolumns)
		not_a_key(reader);
}

/*
 * The row type of a composite value; to be released.
 */
static TupleDesc
row_desc(HeapTupleHeader row)
{
	return lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row),
								  HeapTupleHeaderGetTypMod(row));
}

/*
 * The number of columns of a composite value.
 */
int
btm_row_width(Datum value)
{
	TupleDesc	desc = row_desc(DatumGetHeapTupleHeader(value));
	int			width = 0;

	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped)
			width++;
	ReleaseTupleDesc(desc);
	return width;
}

/*
 * Reads a key from a composite value.
 */
static void
read_row(BtmKeyReader *reader, Datum value, Datum *key)
{
	HeapTupleHeader row = DatumGetHeapTupleHeader(value);
	TupleDesc	desc = row_desc(row);
	Datum	   *values = palloc(sizeof(Datum) * desc->natts);
	bool	   *nulls = palloc(sizeof(bool) * desc->natts);
	HeapTupleData tuple = {0};

	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	tuple.t_data = row;
	heap_deform_tuple(&tuple, desc, values, nulls);
	read_columns(reader, desc, values, nulls, key);
	pfree(values);
	pfree(nulls);
	ReleaseTupleDesc(desc);
}

/*
 * Reads a key from the text of a row value, "(1,2)".
 */
static void
read_row_literal(BtmKeyReader *reader, const char *text, Datum *key)
{
	TupleDesc	desc = CreateTemplateTupleDesc(reader->ncolumns);
	Datum		row;

	for (int i = 0; i < reader->ncolumns; i++)
		TupleDescInitEntry(desc, i + 1, reader->columns[i].name,
						   reader->columns[i].type.type, -1, 0);
	desc = BlessTupleDesc(desc);
	row = OidInputFunctionCall(F_RECORD_IN, unconstify(char *, text),
							   RECORDOID, desc->tdtypmod);
	read_row(reader, row, key);
}

/*
 * Reads a key from text that may be written out as JSON or as a row value.
 */
static void
read_text(BtmKeyReader *reader, char *text, Datum *key)
{
	JsonbValue	value;

	if (btm_text_form(text, reader->columns, reader->ncolumns) == BTM_TEXT_JSON)
	{
		btm_json_root(btm_jsonb_parse(text), &value);
		btm_key_read_json(reader, &value, key);
	}
	else if (reader->ncolumns == 1)
		key[0] = input_value(text, reader->columns);
	else if (text[strspn(text, " \t\n\r\v\f")] == '(')
		read_row_literal(reader, text, key);
	else
		not_a_key(reader);
}

/*
 * Makes a reader of keys from values of one type.  `what` names such a key in
 * messages.  The reader lives in the current memory context.
 */
BtmKeyReader *
btm_key_reader_make(Oid type, BtmKeyColumn *columns, int ncolumns,
					const char *what)
{
	BtmKeyReader *reader = palloc0(sizeof(BtmKeyReader));

	reader->columns = columns;
	reader->ncolumns = ncolumns;
	reader->what = what;
	reader->type = getBaseType(type);
	reader->is_row = type_is_rowtype(reader->type) &&
		(ncolumns > 1 || columns->type.type != reader->type);
	reader->converters = palloc0(sizeof(BtmConverter *) * ncolumns);
	return reader;
}

/*
 * Reads a key from a value that is not NULL, in any of the forms that the
 * head of this file lists.  `key` gets one datum per column, in the current
 * memory context or in the value itself.
 *
 * Errors: 22004 for NULL inside of the key, 22023 if the value does not have
 * the key's number of columns, 42703 if it names other columns, 22P02 and
 * 22003 for what a column's type does not accept.
 */
void
btm_key_read(BtmKeyReader *reader, Datum value, Datum *key)
{
	JsonbValue	json;

	if (btm_type_is_json(reader->type))
	{
		btm_json_root(btm_to_jsonb(value, reader->type), &json);
		btm_key_read_json(reader, &json, key);
	}
	else if (reader->is_row)
		read_row(reader, value, key);
	else if (btm_type_is_string(reader->type) &&
			 (reader->ncolumns > 1 || !btm_key_is_string(reader->columns)))
		read_text(reader, btm_text_value(value, reader->type), key);
	else if (reader->ncolumns == 1)
		key[0] = btm_convert(get_converter(reader, 0, reader->type), value);
	else
		not_a_key(reader);
}

/*
 * Reads a key from one value: btm_key_read for one value.  Errors, besides:
 * 22004 for NULL.
 */
void
btm_value_to_key(const BtmValue *value, BtmKeyColumn *columns, int ncolumns,
				 const char *what, Datum *key)
{
	if (value->isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the %s must not be null", what)));
	btm_key_read(btm_key_reader_make(value->type, columns, ncolumns, what),
				 value->value, key);
}
