/*-------------------------------------------------------------------------
 *
 * arguments.c
 *	  Arguments of the constructor and the builders.
 *
 * Values come in any type.  A filter holds them as text, so what is asked of a
 * value is the text that the input function of the target type reads as that
 * value.  The text is the value's own output, but for JSON: a client that has
 * only JSON to send means its strings, numbers and booleans themselves, unless
 * the target is JSON, too.
 *
 * A target of InvalidOid is a column that is not known yet.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "parser/parse_coerce.h"
#include "parser/scansup.h"
#include "relation/builder.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/*
 * Errors with 22004 if an argument is NULL; `what` is its name.
 */
void
btm_arg_not_null(FunctionCallInfo fcinfo, int argno, const char *what)
{
	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s of %s() must not be null",
						what, get_func_name(fcinfo->flinfo->fn_oid))));
}

/*
 * Errors with 22004 because an element of a list argument is NULL.
 */
pg_noreturn static void
null_element(FunctionCallInfo fcinfo, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("%s of %s() must not contain nulls",
					what, get_func_name(fcinfo->flinfo->fn_oid))));
}

/*
 * The relation, which is argument 0, as a private copy.  Errors: 22004.
 */
BtmRelation *
btm_arg_relation(FunctionCallInfo fcinfo)
{
	btm_arg_not_null(fcinfo, 0, "relation");
	return PG_GETARG_BTM_RELATION(0);
}

/*
 * An argument of type name, palloc'd.  Errors: 22004.
 */
char *
btm_arg_name(FunctionCallInfo fcinfo, int argno, const char *what)
{
	btm_arg_not_null(fcinfo, argno, what);
	return pstrdup(NameStr(*PG_GETARG_NAME(argno)));
}

/*
 * An argument of type name[] as a List of palloc'd char *.  Errors: 22004 for
 * a NULL list or element.
 */
List *
btm_arg_names(FunctionCallInfo fcinfo, int argno, const char *what)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	List	   *result = NIL;

	btm_arg_not_null(fcinfo, argno, what);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argno), NAMEOID, NAMEDATALEN,
					  false, TYPALIGN_CHAR, &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			null_element(fcinfo, what);
		result = lappend(result, pstrdup(NameStr(*DatumGetName(elements[i]))));
	}
	return result;
}

/*
 * An argument of type text, palloc'd.  Errors: 22004.
 */
char *
btm_arg_text(FunctionCallInfo fcinfo, int argno, const char *what)
{
	btm_arg_not_null(fcinfo, argno, what);
	return text_to_cstring(PG_GETARG_TEXT_PP(argno));
}

/*
 * Is this a JSON type, or a domain over one?
 */
static bool
is_json_type(Oid type)
{
	Oid			base = getBaseType(type);

	return base == JSONBOID || base == JSONOID;
}

/*
 * Is this a string type, or a domain over one?
 */
static bool
is_string_type(Oid type)
{
	return TypeCategory(getBaseType(type)) == TYPCATEGORY_STRING;
}

/*
 * The text of a JSON value for a target; NULL for a JSON null, unless the
 * target is JSON.
 */
static char *
json_literal(JsonbValue *value, Oid target)
{
	bool		as_json = OidIsValid(target) && is_json_type(target);
	Jsonb	   *jsonb;

	if (!as_json)
		switch (value->type)
		{
			case jbvNull:
				return NULL;
			case jbvString:
				return pnstrdup(value->val.string.val, value->val.string.len);
			case jbvBool:
				return pstrdup(value->val.boolean ? "true" : "false");
			default:
				break;
		}

	jsonb = JsonbValueToJsonb(value);
	return JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));
}

/*
 * Reads jsonb.  Errors: 22P02.
 */
static Jsonb *
parse_jsonb(const char *text)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

/*
 * A value of a JSON type as jsonb.
 */
static Jsonb *
get_jsonb(Datum value, Oid type)
{
	if (getBaseType(type) == JSONBOID)
		return DatumGetJsonbP(value);
	return parse_jsonb(TextDatumGetCString(value));
}

/*
 * The text of a value of any type for a target; NULL for a JSON null, unless
 * the target is JSON.
 *
 * Errors with 42804 for an array where one value is wanted: as text it would
 * be a value of a string column, which nobody means.
 */
static char *
value_literal(Datum value, Oid type, Oid target)
{
	JsonbValue	scalar;

	if (is_json_type(type))
	{
		Jsonb	   *jsonb = get_jsonb(value, type);

		if (JsonbExtractScalar(&jsonb->root, &scalar))
			return json_literal(&scalar, target);
		return JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));
	}

	if (type_is_array_domain(type) && OidIsValid(target) &&
		is_string_type(target))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("a value of type %s cannot be compared with one of type %s",
						format_type_be(type), format_type_be(target)),
				 errhint("For a list of values use the operator \"in\".")));
	return btm_value_to_text(value, type);
}

/*
 * The type of an argument.  Errors with 22023 if the call does not tell.
 */
static Oid
arg_type(FunctionCallInfo fcinfo, int argno)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, argno);

	if (!OidIsValid(type))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("could not determine the type of argument %d of %s()",
						argno + 1, get_func_name(fcinfo->flinfo->fn_oid))));
	return type;
}

/*
 * The text of a value argument for a target.  The result is palloc'd; NULL if
 * the argument is NULL, or a JSON null for a target that is not JSON.  It is
 * not yet checked against the target.  Errors: 42804.
 */
char *
btm_arg_literal(FunctionCallInfo fcinfo, int argno, Oid target)
{
	if (PG_ARGISNULL(argno))
		return NULL;
	return value_literal(PG_GETARG_DATUM(argno), arg_type(fcinfo, argno),
						 target);
}

/*
 * The elements of an array as a List of char *.  Errors: 22004.
 */
static List *
array_literals(FunctionCallInfo fcinfo, const char *what,
			   ArrayType *array, Oid target)
{
	Oid			type = ARR_ELEMTYPE(array);
	int16		typlen;
	bool		typbyval;
	char		typalign;
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	List	   *result = NIL;

	get_typlenbyvalalign(type, &typlen, &typbyval, &typalign);
	deconstruct_array(array, type, typlen, typbyval, typalign,
					  &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		char	   *literal = nulls[i] ? NULL :
			value_literal(elements[i], type, target);

		if (literal == NULL)
			null_element(fcinfo, what);
		result = lappend(result, literal);
	}
	return result;
}

/*
 * Errors with 22023: this list argument is no list.
 */
pg_noreturn static void
not_a_list(FunctionCallInfo fcinfo, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s of %s() must be an array or a JSON array",
					what, get_func_name(fcinfo->flinfo->fn_oid)),
			 errhint("A list of one value is an array, too, written {x} or [x].")));
}

/*
 * The elements of a JSON array as a List of char *.  Errors: 22004, 22023.
 */
static List *
json_literals(FunctionCallInfo fcinfo, const char *what,
			  Jsonb *jsonb, Oid target)
{
	JsonbIterator *it;
	JsonbValue	value;
	List	   *result = NIL;

	if (!JB_ROOT_IS_ARRAY(jsonb) || JB_ROOT_IS_SCALAR(jsonb))
		not_a_list(fcinfo, what);

	it = JsonbIteratorInit(&jsonb->root);
	(void) JsonbIteratorNext(&it, &value, false);	/* the array's start */
	while (JsonbIteratorNext(&it, &value, true) == WJB_ELEM)
	{
		char	   *literal = json_literal(&value, target);

		if (literal == NULL)
			null_element(fcinfo, what);
		result = lappend(result, literal);
	}
	return result;
}

/*
 * The elements of a list that is written out, as an array literal or as JSON.
 * Errors: 22P02, 22004, 22023.
 */
static List *
text_literals(FunctionCallInfo fcinfo, const char *what,
			  char *text, Oid target)
{
	char	   *start = text;
	Oid			input;
	Oid			ioparam;
	Datum		array;

	while (scanner_isspace(*start))
		start++;
	if (*start == '[')
		return json_literals(fcinfo, what, parse_jsonb(start), target);
	if (*start != '{')
		not_a_list(fcinfo, what);

	getTypeInputInfo(TEXTARRAYOID, &input, &ioparam);
	array = OidInputFunctionCall(input, start, ioparam, -1);
	return array_literals(fcinfo, what, DatumGetArrayTypeP(array), target);
}

/*
 * The elements of a list argument as a List of palloc'd char *, for a target
 * that each of them is compared with.  The list is an array of any type, a
 * JSON array, or text that is either of these written out.
 *
 * Errors: 22004 for a NULL list or element, 22023 for what is no list, 22P02
 * for text that is malformed.
 */
List *
btm_arg_literals(FunctionCallInfo fcinfo, int argno, const char *what,
				 Oid target)
{
	Oid			type = arg_type(fcinfo, argno);
	Datum		value;

	btm_arg_not_null(fcinfo, argno, what);
	value = PG_GETARG_DATUM(argno);

	if (type_is_array_domain(type))
		return array_literals(fcinfo, what, DatumGetArrayTypeP(value), target);
	if (is_json_type(type))
		return json_literals(fcinfo, what, get_jsonb(value, type), target);
	if (type != UNKNOWNOID && !is_string_type(type))
		not_a_list(fcinfo, what);
	return text_literals(fcinfo, what, btm_value_to_text(value, type), target);
}
