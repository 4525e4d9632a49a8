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
 *	  likewise for numeric(p, s), timestamp(p) and the like, which an INSERT
 *	  would round silently;
 *	- a string for any other type goes through the input function, as an
 *	  untyped literal does;
 *	- anything else goes through an implicit or assignment cast, which must
 *	  give the same value when it is cast back, or where there is none through
 *	  output and input functions.
 *
 * A domain counts as its base type (see BtmType), and no length is enforced: a
 * value that is too long for the column is one that no row has, which a read
 * may ask for; an INSERT refuses it.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_collation.h"
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
	return OidIsValid(column->round.fn_oid);
}

/*
 * Raises 22P02: a column would make another key of a value.
 */
pg_noreturn static void
inexact_value(const BtmKeyColumn *column, const char *text)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input for type %s: \"%s\"",
					format_type_with_typemod(column->type.type,
											 column->type.typmod),
					text),
			 errdetail("Column \"%s\" cannot hold this value exactly.",
					   column->name)));
}

/*
 * Raises 22P02 if a column like numeric(6,2) or timestamp(0) cannot hold a
 * value unrounded, and 22003 if it cannot hold it at all.
 */
static void
require_unrounded(Datum value, BtmKeyColumn *column)
{
	Datum		rounded;

	if (!column_rounds(column))
		return;
	rounded = FunctionCall2(&column->round, value,
							Int32GetDatum(column->type.typmod));
	if (!DatumGetBool(FunctionCall2(&column->eq, rounded, value)))
		inexact_value(column, OutputFunctionCall(&column->type.output, value));
}

/* -------------------
 * Strings and scalars
 * -------------------
 */

/*
 * Raises 22004: there is NULL where a key column needs a value.
 */
void
btm_null_key_column(const BtmKeyColumn *column)
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
Datum
btm_input_value(char *text, BtmKeyColumn *column)
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
char *
btm_scalar_text(const JsonbValue *value)
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

	text = btm_scalar_text(value);
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
		btm_null_key_column(column);
	if (!IsAJsonbScalar(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("key column \"%s\" takes a single value, not a JSON object or array",
						column->name)));
	if (value->type == jbvString)
	{
		text = btm_scalar_text(value);
		result = btm_input_value(text, column);
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
 * Prepares the check of a cast that may lose something, as one from timestamp
 * to date does: casting the result back must give the value again.  Between
 * the exact number types call_cast() sees to it; a cast without a way back is
 * trusted.
 */
static void
prepare_check(BtmConverter *converter)
{
	Oid			from = converter->type;
	Oid			to = converter->column->type.type;
	Oid			eq_opr = lookup_type_cache(from, TYPECACHE_EQ_OPR)->eq_opr;
	CoercionPathType path;
	Oid			func;

	if (!OidIsValid(eq_opr) || is_integer_type(to) ||
		(is_integer_type(from) && to == NUMERICOID))
		return;
	path = find_coercion_pathway(from, to, COERCION_EXPLICIT, &func);
	if (path != COERCION_PATH_FUNC && path != COERCION_PATH_RELABELTYPE)
		return;
	if (path == COERCION_PATH_FUNC)
		fmgr_info(func, &converter->back);
	fmgr_info(get_opcode(eq_opr), &converter->eq);
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
	if (converter->kind == CONVERT_CAST)
		prepare_check(converter);
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
 * Calls a cast function.  It may take the typmod and whether the cast is
 * explicit besides the value.  Returns false if the result is NULL.
 */
static bool
call_cast_function(FmgrInfo *func, Datum value, Oid collation,
				   bool is_explicit, Datum *result)
{
	LOCAL_FCINFO(fcinfo, 3);

	InitFunctionCallInfoData(*fcinfo, func, func->fn_nargs, collation,
							 NULL, NULL);
	fcinfo->args[0].value = value;
	fcinfo->args[0].isnull = false;
	fcinfo->args[1].value = Int32GetDatum(-1);
	fcinfo->args[1].isnull = false;
	fcinfo->args[2].value = BoolGetDatum(is_explicit);
	fcinfo->args[2].isnull = false;
	*result = FunctionCallInvoke(fcinfo);
	return !fcinfo->isnull;
}

/*
 * Is the result of a cast the value again when it is cast back?
 */
static bool
cast_is_exact(BtmConverter *converter, Datum value, Datum result)
{
	Datum		back = result;

	if (!OidIsValid(converter->eq.fn_oid))
		return true;
	if (OidIsValid(converter->back.fn_oid) &&
		!call_cast_function(&converter->back, result, C_COLLATION_OID, true,
							&back))
		return false;
	return DatumGetBool(FunctionCall2Coll(&converter->eq, C_COLLATION_OID,
										  value, back));
}

/*
 * Raises 22P02 for a value that a cast would make another one of.
 */
pg_noreturn static void
inexact_cast(BtmConverter *converter, Datum value)
{
	Oid			output;
	bool		is_varlena;

	getTypeOutputInfo(converter->type, &output, &is_varlena);
	inexact_value(converter->column, OidOutputFunctionCall(output, value));
}

/*
 * Casts a value to the column's type.  Errors: 22P02 if it becomes another
 * value, a number with a fraction an integer for example.
 */
static Datum
call_cast(BtmConverter *converter, Datum value)
{
	const BtmType *target = &converter->column->type;
	Datum		result;

	if (is_integer_type(target->type) && converter->type == NUMERICOID)
		require_integer(DatumGetNumeric(value), target->type);
	if (is_integer_type(target->type) && is_float_type(converter->type))
		require_integer_float(value, converter->type, target->type);

	if (!call_cast_function(&converter->func, value, target->collation, false,
							&result))
		btm_null_key_column(converter->column);
	if (!cast_is_exact(converter, value, result))
		inexact_cast(converter, value);
	return result;
}

/*
 * A value of the column's own type.  The result is detoasted.  Errors: 22P02,
 * 22003 if the column would round it.
 */
Datum
btm_take_value(BtmKeyColumn *column, Datum value)
{
	if (column->type.typlen == -1)
		value = PointerGetDatum(PG_DETOAST_DATUM_PACKED(value));
	require_unrounded(value, column);
	return value;
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
			return btm_take_value(column, value);
		case CONVERT_CAST:
			value = call_cast(converter, value);
			break;
		case CONVERT_TEXT:
			text = OutputFunctionCall(&converter->func, value);
			value = btm_input_value(text, column);
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
	result.type = btm_base_type(result.type);
	if (btm_type_is_json(result.type) && !result.isnull)
		normalize_json(&result);
	return result;
}
