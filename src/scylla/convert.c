/*-------------------------------------------------------------------------
 *
 * convert.c
 *	  Values of a foreign table's columns, between CQL's type and the one that
 *	  the column has here.
 *
 * A column that has the type IMPORT FOREIGN SCHEMA gives it is converted
 * directly.  With any other type it goes by way of text, the way a value does
 * that is given to a type's input function: text for a uuid, jsonb for a list,
 * varchar(10) for text, an enum or a domain for what its labels are.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "scylla/codec.h"
#include "scylla/convert.h"
#include "scylla/json.h"
#include "scylla/memory.h"
#include "scylla/table.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static void
init_text(BtmScyllaConverter *converter)
{
	Oid			input;
	Oid			output;
	bool		is_varlena;

	converter->how = BTM_SCYLLA_BY_TEXT;
	getTypeInputInfo(converter->type, &input, &converter->input_parameter);
	getTypeOutputInfo(converter->type, &output, &is_varlena);
	fmgr_info(input, &converter->input);
	fmgr_info(output, &converter->output);
}

static void
init_array(BtmScyllaConverter *converter)
{
	converter->how = BTM_SCYLLA_ARRAY;
	converter->element = btm_scylla_scalar_type(converter->cql->elements[0]);
	get_typlenbyvalalign(converter->element, &converter->typlen, &converter->typbyval,
						 &converter->typalign);
}

void
btm_scylla_converter_init(BtmScyllaConverter *converter, const CqlType *cql, Oid type,
						  int32 typmod)
{
	Oid			natural = btm_scylla_column_type(cql);

	memset(converter, 0, sizeof(*converter));
	converter->cql = cql;
	converter->type = type;
	converter->typmod = typmod;
	if (type == JSONBOID)
		converter->how = BTM_SCYLLA_JSONB;
	else if (type != natural || typmod != -1)
		init_text(converter);
	else if (btm_scylla_scalar_type(cql) != InvalidOid)
		converter->how = BTM_SCYLLA_AS_IT_IS;
	else
		init_array(converter);
}

/* The elements of a list, set or vector of scalars as an array. */
static Datum
to_array(BtmScyllaConverter *converter, CqlBytes cell)
{
	CqlError	error = {0};
	CqlElements elements;
	Datum	   *values;

	btm_scylla_check(cql_elements_begin(&elements, converter->cql, cell,
										&cql_default_limits, &error), &error);
	values = palloc(sizeof(Datum) * ((Size) elements.count + 1));
	for (uint32_t i = 0; i < elements.count; i++)
	{
		const CqlType *type;
		CqlBytes	element;

		CHECK_FOR_INTERRUPTS();
		btm_scylla_check(cql_elements_next(&elements, &element, &type), &error);
		if (element.length < 0)
			ereport(ERROR,
					(errcode(ERRCODE_PROTOCOL_VIOLATION),
					 errmsg("null within a collection")));
		values[i] = btm_scylla_decode(type, element);
	}
	btm_scylla_check(cql_elements_end(&elements), &error);
	return PointerGetDatum(construct_array(values, (int) elements.count, converter->element,
										   converter->typlen, converter->typbyval,
										   converter->typalign));
}

Datum
btm_scylla_to_datum(BtmScyllaConverter *converter, CqlBytes cell, bool *isnull)
{
	*isnull = cell.length < 0 || cql_value_is_empty(converter->cql, cell);
	if (*isnull)
		return (Datum) 0;
	switch (converter->how)
	{
		case BTM_SCYLLA_AS_IT_IS:
			return btm_scylla_decode(converter->cql, cell);
		case BTM_SCYLLA_ARRAY:
			return to_array(converter, cell);
		case BTM_SCYLLA_JSONB:
			return JsonbPGetDatum(btm_scylla_value_to_jsonb(converter->cql, cell));
		case BTM_SCYLLA_BY_TEXT:
			break;
	}
	return InputFunctionCall(&converter->input, btm_scylla_value_text(converter->cql, cell),
							 converter->input_parameter, converter->typmod);
}

static void
from_array(BtmScyllaConverter *converter, Datum value, CqlWriter *writer)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	const CqlType *type = converter->cql->elements[0];
	CqlElementsWriter elements;
	Datum	   *values;
	bool	   *nulls;
	int			count;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("array of %d dimensions cannot be stored as type %s", ARR_NDIM(array),
						btm_scylla_type_name(converter->cql))));
	deconstruct_array(array, converter->element, converter->typlen, converter->typbyval,
					  converter->typalign, &values, &nulls, &count);
	btm_scylla_check(cql_encode_elements_begin(&elements, converter->cql, count, writer),
					 writer->error);
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("type %s cannot hold nulls",
							btm_scylla_type_name(converter->cql))));
		btm_scylla_check(cql_encode_element_begin(&elements), writer->error);
		btm_scylla_encode(type, values[i], writer);
		btm_scylla_check(cql_encode_element_end(&elements), writer->error);
	}
	btm_scylla_check(cql_encode_elements_end(&elements), writer->error);
}

static void
from_jsonb(BtmScyllaConverter *converter, Datum value, CqlWriter *writer)
{
	Jsonb	   *json = DatumGetJsonbP(value);
	JsonbValue	v;

	if (!JsonbExtractScalar(&json->root, &v))
	{
		v.type = jbvBinary;
		v.val.binary.data = &json->root;
		v.val.binary.len = VARSIZE(json);
	}
	btm_scylla_encode_jsonb(converter->cql, &v, writer);
}

void
btm_scylla_from_datum(BtmScyllaConverter *converter, Datum value, CqlWriter *writer)
{
	switch (converter->how)
	{
		case BTM_SCYLLA_AS_IT_IS:
			btm_scylla_encode(converter->cql, value, writer);
			break;
		case BTM_SCYLLA_ARRAY:
			from_array(converter, value, writer);
			break;
		case BTM_SCYLLA_JSONB:
			from_jsonb(converter, value, writer);
			break;
		case BTM_SCYLLA_BY_TEXT:
			btm_scylla_encode_text(converter->cql,
								   OutputFunctionCall(&converter->output, value), writer);
			break;
	}
}

bool
btm_scylla_is_exact(BtmScyllaConverter *converter, Datum value, CqlBytes cell)
{
	CqlWriter  *writer = btm_scylla_writer();

	btm_scylla_from_datum(converter, value, writer);
	return writer->length == (size_t) cell.length &&
		memcmp(writer->data, cell.data, cell.length) == 0;
}
