/*-------------------------------------------------------------------------
 *
 * json.c
 *	  Values of any CQL type as jsonb and as text, both ways.
 *
 * Scalars go by way of PostgreSQL's own types (codec.c) and their input and
 * output functions.  time and duration do not: CQL has nanoseconds there, which
 * a value should keep on its way through text (nanotime.c).
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "relation/relation.h"
#include "scylla/codec.h"
#include "scylla/errors.h"
#include "scylla/json.h"
#include "scylla/memory.h"
#include "scylla/nanotime.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

char *
btm_scylla_type_name(const CqlType *type)
{
	CqlWriter  *text = btm_scylla_writer();

	btm_scylla_check(cql_type_print(text, type), text->error);
	btm_scylla_check(cql_write_u8(text, '\0'), text->error);
	return (char *) text->data;
}

/* -------
 * To jsonb
 * -------
 */

/*
 * What the parts of one row or value may take: a few bytes of a server become a
 * record of 65,000 nulls, or a name of as many characters.
 */
#define MAX_MEMORY (256 * 1024 * 1024)

/* A jsonb in the making. */
typedef struct Making
{
	JsonbParseState *state;
	Size	   *memory;			/* taken so far, also for what it is a part of */
} Making;

static void push_value(Making *making, JsonbIteratorToken token, const CqlType *type,
					   CqlBytes value);

/* Pushes a key or a value, whose text takes `length` bytes (54000). */
static void
push(Making *making, JsonbIteratorToken token, JsonbValue *value, Size length)
{
	*making->memory += sizeof(JsonbValue) + length;
	if (*making->memory > MAX_MEMORY)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("value is too large for jsonb")));
	pushJsonbValue(&making->state, token, value);
}

static void
push_string(Making *making, JsonbIteratorToken token, char *text)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = text;
	value.val.string.len = strlen(text);
	push(making, token, &value, value.val.string.len);
}

/* The output function of a type, called. */
static char *
output(Oid type, Datum value)
{
	Oid			function;
	bool		is_varlena;

	getTypeOutputInfo(type, &function, &is_varlena);
	return OidOutputFunctionCall(function, value);
}

/* A scalar's text, as it stands in JSON: dates in ISO 8601. */
static char *
scalar_text(const CqlType *type, CqlBytes bytes)
{
	Oid			oid = btm_scylla_scalar_type(type);

	switch (oid)
	{
		case TEXTOID:
			return btm_scylla_from_utf8(bytes.data, bytes.length);
		case TIMEOID:
			return btm_scylla_time_text(bytes);
		case INTERVALOID:
			return btm_scylla_duration_text(bytes);
		case DATEOID:
		case TIMESTAMPTZOID:
			return JsonEncodeDateTime(NULL, btm_scylla_decode(type, bytes), oid, NULL);
		default:
			return output(oid, btm_scylla_decode(type, bytes));
	}
}

static bool
is_numeric(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID ||
		type == NUMERICOID || type == FLOAT4OID || type == FLOAT8OID;
}

/*
 * A number as JSON has them.  Infinities and NaN are strings, as they are in
 * to_jsonb.  Digits are not kept: a number of a few bytes may have many.
 */
static void
push_number(Making *making, JsonbIteratorToken token, char *text)
{
	JsonbValue	value;

	if (strspn(text, "-+.0123456789eE") != strlen(text))
	{
		push_string(making, token, text);
		return;
	}
	value.type = jbvNumeric;
	value.val.numeric = DatumGetNumeric(DirectFunctionCall3(numeric_in,
															CStringGetDatum(text),
															ObjectIdGetDatum(InvalidOid),
															Int32GetDatum(-1)));
	pfree(text);
	push(making, token, &value, VARSIZE(value.val.numeric));
}

static void
push_scalar(Making *making, JsonbIteratorToken token, const CqlType *type, CqlBytes bytes)
{
	Oid			oid = btm_scylla_scalar_type(type);
	JsonbValue	value;

	if (oid == BOOLOID)
	{
		value.type = jbvBool;
		value.val.boolean = DatumGetBool(btm_scylla_decode(type, bytes));
		push(making, token, &value, 0);
	}
	else if (is_numeric(oid))
		push_number(making, token, scalar_text(type, bytes));
	else
		push_string(making, token, scalar_text(type, bytes));
}

static Jsonb *
value_to_jsonb(const CqlType *type, CqlBytes value, Size *memory)
{
	Making		making = {NULL, memory};
	JsonbValue *array;

	pushJsonbValue(&making.state, WJB_BEGIN_ARRAY, NULL);
	push_value(&making, WJB_ELEM, type, value);
	array = pushJsonbValue(&making.state, WJB_END_ARRAY, NULL);
	return JsonbValueToJsonb(&array->val.array.elems[0]);
}

Jsonb *
btm_scylla_value_to_jsonb(const CqlType *type, CqlBytes value)
{
	Size		memory = 0;

	return value_to_jsonb(type, value, &memory);
}

static char *
value_text(const CqlType *type, CqlBytes value, Size *memory)
{
	Jsonb	   *json;

	if (btm_scylla_scalar_type(type) != InvalidOid)
		return scalar_text(type, value);
	json = value_to_jsonb(type, value, memory);
	return JsonbToCString(NULL, &json->root, VARSIZE(json));
}

char *
btm_scylla_value_text(const CqlType *type, CqlBytes value)
{
	Size		memory = 0;

	return value_text(type, value, &memory);
}

/* A map's key: its text. */
static void
push_key(Making *making, const CqlType *type, CqlBytes value)
{
	if (value.length < 0 || cql_value_is_empty(type, value))
		push_string(making, WJB_KEY, pstrdup(""));
	else
		push_string(making, WJB_KEY, value_text(type, value, making->memory));
}

/* The name of the next field of a UDT as a key. */
static void
push_field(Making *making, const CqlType *type, uint32_t field)
{
	push_string(making, WJB_KEY,
				btm_scylla_from_utf8((const uint8_t *) type->fields[field].data,
									 type->fields[field].length));
}

static void
push_elements(Making *making, const CqlType *type, CqlBytes value)
{
	bool		is_map = type->id == CQL_TYPE_MAP;
	bool		is_object = is_map || type->id == CQL_TYPE_UDT;
	CqlError	error = {0};
	CqlElements elements;

	btm_scylla_check(cql_elements_begin(&elements, type, value, &cql_default_limits, &error),
					 &error);
	pushJsonbValue(&making->state, is_object ? WJB_BEGIN_OBJECT : WJB_BEGIN_ARRAY, NULL);
	for (uint32_t i = 0; i < elements.count; i++)
	{
		const CqlType *element_type;
		CqlBytes	element;

		CHECK_FOR_INTERRUPTS();
		btm_scylla_check(cql_elements_next(&elements, &element, &element_type), &error);
		if (type->id == CQL_TYPE_UDT)
			push_field(making, type, i);
		if (is_map && i % 2 == 0)
			push_key(making, element_type, element);
		else
			push_value(making, is_object ? WJB_VALUE : WJB_ELEM, element_type, element);
	}
	btm_scylla_check(cql_elements_end(&elements), &error);
	pushJsonbValue(&making->state, is_object ? WJB_END_OBJECT : WJB_END_ARRAY, NULL);
}

/* Pushes a value, as a member's or an element. */
static void
push_value(Making *making, JsonbIteratorToken token, const CqlType *type, CqlBytes value)
{
	JsonbValue	null = {.type = jbvNull};

	check_stack_depth();
	if (value.length < 0)
		push(making, token, &null, 0);
	else if (cql_value_is_empty(type, value))
		push_string(making, token, pstrdup(""));
	else if (btm_scylla_scalar_type(type) != InvalidOid)
		push_scalar(making, token, type, value);
	else
		push_elements(making, type, value);
}

/* Says which column a value was for that is an error. */
static void
column_context(void *column)
{
	const CqlColumn *c = *(const CqlColumn **) column;

	errcontext("column \"%s\" of table \"%s\"", btm_scylla_peer_text(c->name),
			   btm_scylla_peer_text(c->table));
}

Jsonb *
btm_scylla_row_to_jsonb(const CqlMetadata *metadata, const CqlBytes *cells)
{
	const CqlColumn *column;
	ErrorContextCallback context = {
		.previous = error_context_stack,
		.callback = column_context,
		.arg = &column
	};
	Size		memory = 0;
	Making		making = {NULL, &memory};

	error_context_stack = &context;
	pushJsonbValue(&making.state, WJB_BEGIN_OBJECT, NULL);
	for (uint32_t i = 0; i < metadata->ncolumns; i++)
	{
		column = &metadata->columns[i];
		push_string(&making, WJB_KEY,
					btm_scylla_from_utf8((const uint8_t *) column->name.data,
										 column->name.length));
		push_value(&making, WJB_VALUE, column->type, cells[i]);
	}
	error_context_stack = context.previous;
	return JsonbValueToJsonb(pushJsonbValue(&making.state, WJB_END_OBJECT, NULL));
}

/* -------
 * From text and jsonb
 * -------
 */

static void
encode_scalar_text(const CqlType *type, char *text, CqlWriter *writer)
{
	Oid			oid = btm_scylla_scalar_type(type);
	Oid			function;
	Oid			parameter;

	if (oid == TIMEOID && btm_scylla_encode_time_text(text, writer))
		return;
	if (oid == INTERVALOID && btm_scylla_encode_duration_text(text, writer))
		return;
	getTypeInputInfo(oid, &function, &parameter);
	btm_scylla_encode(type, OidInputFunctionCall(function, text, parameter, -1), writer);
}

/* Raises that a type needs another kind of JSON value. */
pg_noreturn static void
wrong_json(const CqlType *type, const char *needed)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("type %s needs a JSON %s", btm_scylla_type_name(type), needed)));
}

pg_noreturn static void
null_element(const CqlType *type)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("type %s cannot hold nulls", btm_scylla_type_name(type))));
}

/* The text of a scalar within jsonb; NULL for one that is none. */
static char *
json_scalar_text(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return output(NUMERICOID, NumericGetDatum(value->val.numeric));
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		default:
			return NULL;
	}
}

/* The array or object of a value; raises if it is none, or the other one. */
static JsonbContainer *
json_container(const CqlType *type, const JsonbValue *value, bool object)
{
	JsonbContainer *container = value->type == jbvBinary ? value->val.binary.data : NULL;

	if (container == NULL || JsonContainerIsScalar(container) ||
		(object ? !JsonContainerIsObject(container) : !JsonContainerIsArray(container)))
		wrong_json(type, object ? "object" : "array");
	return container;
}

static void
begin_elements(CqlElementsWriter *elements, const CqlType *type, uint32 count,
			   CqlWriter *writer)
{
	btm_scylla_check(cql_encode_elements_begin(elements, type, count, writer), writer->error);
}

static void
end_elements(CqlElementsWriter *elements)
{
	btm_scylla_check(cql_encode_elements_end(elements), elements->writer->error);
}

/* One element; `value` NULL or null is a null, where the type has nulls. */
static void
encode_element(CqlElementsWriter *elements, const CqlType *type, const JsonbValue *value)
{
	CqlWriter  *writer = elements->writer;

	if (value == NULL || value->type == jbvNull)
	{
		if (elements->type->id != CQL_TYPE_TUPLE && elements->type->id != CQL_TYPE_UDT)
			null_element(elements->type);
		btm_scylla_check(cql_encode_element_null(elements), writer->error);
		return;
	}
	btm_scylla_check(cql_encode_element_begin(elements), writer->error);
	btm_scylla_encode_jsonb(type, value, writer);
	btm_scylla_check(cql_encode_element_end(elements), writer->error);
}

/* A tuple's and a vector's number of elements is their type's. */
static void
check_array_size(const CqlType *type, uint32 size)
{
	uint32		needed = type->id == CQL_TYPE_TUPLE ? type->nelements :
		type->id == CQL_TYPE_VECTOR ? type->dimension : size;

	if (size != needed)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("type %s needs a JSON array of %u elements, not of %u",
						btm_scylla_type_name(type), needed, size)));
}

/* list, set, tuple, vector */
static void
encode_array(const CqlType *type, const JsonbValue *value, CqlWriter *writer)
{
	JsonbContainer *array = json_container(type, value, false);
	uint32		size = JsonContainerSize(array);
	CqlElementsWriter elements;

	check_array_size(type, size);
	begin_elements(&elements, type, size, writer);
	for (uint32 i = 0; i < size; i++)
		encode_element(&elements, type->elements[type->id == CQL_TYPE_TUPLE ? i : 0],
					   getIthJsonbValueFromContainer(array, i));
	end_elements(&elements);
}

static void
encode_map(const CqlType *type, const JsonbValue *value, CqlWriter *writer)
{
	JsonbContainer *object = json_container(type, value, true);
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	CqlElementsWriter elements;
	JsonbValue	item;

	begin_elements(&elements, type, JsonContainerSize(object) * 2, writer);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			btm_scylla_check(cql_encode_element_begin(&elements), writer->error);
			btm_scylla_encode_text(type->elements[0],
								   pnstrdup(item.val.string.val, item.val.string.len),
								   writer);
			btm_scylla_check(cql_encode_element_end(&elements), writer->error);
		}
		else if (token == WJB_VALUE)
			encode_element(&elements, type->elements[1], &item);
	}
	end_elements(&elements);
}

/* The fields of a UDT, as a List of char *. */
static List *
field_names(const CqlType *type)
{
	List	   *names = NIL;

	for (uint32_t i = 0; i < type->nelements; i++)
		names = lappend(names, btm_scylla_from_utf8((const uint8_t *) type->fields[i].data,
													type->fields[i].length));
	return names;
}

/* Raises 42703 for a member that is no field. */
static void
check_members(const CqlType *type, JsonbContainer *object, List *fields)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	item;

	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		char	   *name;
		ListCell   *lc;

		if (token != WJB_KEY)
			continue;
		name = pnstrdup(item.val.string.val, item.val.string.len);
		foreach(lc, fields)
			if (strcmp(lfirst(lc), name) == 0)
				break;
		if (lc == NULL)
		{
			const char *nearest = btm_nearest_name(name, fields);

			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("type %s has no field \"%s\"", btm_scylla_type_name(type), name),
					 nearest ? errhint("Perhaps you meant the field \"%s\".", nearest) : 0));
		}
	}
}

static void
encode_udt(const CqlType *type, const JsonbValue *value, CqlWriter *writer)
{
	JsonbContainer *object = json_container(type, value, true);
	List	   *fields = field_names(type);
	CqlElementsWriter elements;

	check_members(type, object, fields);
	begin_elements(&elements, type, type->nelements, writer);
	for (uint32_t i = 0; i < type->nelements; i++)
	{
		char	   *name = list_nth(fields, i);

		encode_element(&elements, type->elements[i],
					   getKeyJsonValueFromContainer(object, name, strlen(name), NULL));
	}
	end_elements(&elements);
}

void
btm_scylla_encode_jsonb(const CqlType *type, const JsonbValue *value, CqlWriter *writer)
{
	check_stack_depth();
	switch (type->id)
	{
		case CQL_TYPE_LIST:
		case CQL_TYPE_SET:
		case CQL_TYPE_TUPLE:
		case CQL_TYPE_VECTOR:
			encode_array(type, value, writer);
			break;
		case CQL_TYPE_MAP:
			encode_map(type, value, writer);
			break;
		case CQL_TYPE_UDT:
			encode_udt(type, value, writer);
			break;
		default:
			{
				char	   *text = json_scalar_text(value);

				if (text == NULL)
					wrong_json(type, "scalar");
				encode_scalar_text(type, text, writer);
			}
	}
}

void
btm_scylla_encode_text(const CqlType *type, char *text, CqlWriter *writer)
{
	if (btm_scylla_scalar_type(type) != InvalidOid)
		encode_scalar_text(type, text, writer);
	else
	{
		Jsonb	   *json = DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
															  CStringGetDatum(text)));
		JsonbValue	value;

		value.type = jbvBinary;
		value.val.binary.data = &json->root;
		value.val.binary.len = VARSIZE(json);
		btm_scylla_encode_jsonb(type, &value, writer);
	}
}
