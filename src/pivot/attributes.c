/*-------------------------------------------------------------------------
 *
 * attributes.c
 *	  Attributes of ids: JSON objects to values of pivot columns.
 *
 * Attributes differ from id to id, in their values and in which columns they
 * name.  Ids that name the same columns have the same *shape*, and a statement
 * writes the ids of one shape; so shapes are interned here, and an id has the
 * number of its shape and the values.
 *
 * Values become what an INSERT of the same literal would store: scalars go
 * through the column's input function with its type modifier, save that a
 * number for an integer column must be an integer.  Arrays, composite types
 * and the like are filled by jsonb_populate_record, so that [1,2] is an int[].
 * Domains are checked by the INSERT, and it refuses generated columns, too.
 *
 * A column of the pair's own key may be among the attributes if it repeats the
 * key, so that what was read can be written back.  It is no attribute then.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "nodes/makefuncs.h"
#include "pivot/ids.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"

/* jsonb_populate_record for the one column of a row type. */
typedef struct Populate
{
	FmgrInfo	func;
	TupleDesc	desc;
	Datum		null_row;		/* tells the function the row type */
} Populate;

struct BtmAttributesReader
{
	BtmCall    *call;
	BtmIds	   *ids;			/* has the shapes */

	/* The object that is being read; indexed as rel->columns. */
	bool	   *given;			/* is the column an attribute? */
	Datum	   *values;
	bool	   *nulls;
	bool		names_id;		/* has it had a column of the id? */

	Populate  **populate;		/* per column, made at first use */
};

/*
 * Makes a reader for the attributes of `ids`, and ids->shapes with the empty
 * shape.
 */
BtmAttributesReader *
btm_attributes_reader_make(BtmCall *call, BtmIds *ids)
{
	BtmAttributesReader *reader = palloc0(sizeof(BtmAttributesReader));
	int			ncolumns = call->rel->ncolumns;

	reader->call = call;
	reader->ids = ids;
	reader->values = palloc0((sizeof(Datum) + sizeof(Populate *) +
							  2 * sizeof(bool)) * ncolumns);
	reader->populate = (Populate **) (reader->values + ncolumns);
	reader->given = (bool *) (reader->populate + ncolumns);
	reader->nulls = reader->given + ncolumns;

	ids->shapes = palloc0(sizeof(BtmShape));
	ids->nshapes = 1;
	return reader;
}

/* -----------------
 * Values of columns
 * -----------------
 */

/*
 * Prepares jsonb_populate_record for a column.
 */
static Populate *
make_populate(const BtmPivotColumn *column)
{
	Populate   *populate = palloc(sizeof(Populate));
	Datum		value = (Datum) 0;
	bool		isnull = true;
	List	   *args;

	populate->desc = CreateTemplateTupleDesc(1);
	TupleDescInitEntry(populate->desc, 1, column->name, column->type.type,
					   column->type.typmod, 0);
	populate->desc = BlessTupleDesc(populate->desc);
	populate->null_row = HeapTupleGetDatum(heap_form_tuple(populate->desc,
														   &value, &isnull));

	args = list_make2(makeNullConst(RECORDOID, -1, InvalidOid),
					  makeNullConst(JSONBOID, -1, InvalidOid));
	fmgr_info(F_JSONB_POPULATE_RECORD, &populate->func);
	fmgr_info_set_expr((Node *) makeFuncExpr(F_JSONB_POPULATE_RECORD,
											 RECORDOID, args, InvalidOid,
											 InvalidOid,
											 COERCE_EXPLICIT_CALL),
					   &populate->func);
	return populate;
}

/*
 * The value of a column whose member in `object` is a JSON object or array.
 */
static Datum
structure_value(BtmAttributesReader *reader, int i, const JsonbValue *object,
				bool *isnull)
{
	Populate   *populate = reader->populate[i];
	HeapTupleData tuple = {0};
	Jsonb	   *jb = JsonbValueToJsonb(unconstify(JsonbValue *, object));
	Datum		row;

	if (populate == NULL)
		populate = reader->populate[i] =
			make_populate(&reader->call->rel->columns[i]);

	row = FunctionCall2(&populate->func, populate->null_row,
						JsonbPGetDatum(jb));
	tuple.t_data = DatumGetHeapTupleHeader(row);
	tuple.t_len = HeapTupleHeaderGetDatumLength(tuple.t_data);
	return heap_getattr(&tuple, 1, populate->desc, isnull);
}

/*
 * A JSON value as a value of type json or jsonb.
 */
static Datum
json_value(const JsonbValue *value, Oid type)
{
	Jsonb	   *jb = JsonbValueToJsonb(unconstify(JsonbValue *, value));

	if (type == JSONBOID)
		return JsonbPGetDatum(jb);
	return CStringGetTextDatum(JsonbToCString(NULL, &jb->root, VARSIZE(jb)));
}

/*
 * Reads an attribute: column i of the pivot, of which `value` is the member in
 * `object`.  Errors: 22P02, 22003 and what else input functions raise.
 */
static void
read_attribute(BtmAttributesReader *reader, int i, const JsonbValue *object,
			   const JsonbValue *value)
{
	const BtmType *type = &reader->call->rel->columns[i].type;

	reader->given[i] = true;
	reader->nulls[i] = value->type == jbvNull;
	if (reader->nulls[i])
		reader->values[i] = (Datum) 0;
	else if (btm_type_is_json(type->type))
		reader->values[i] = json_value(value, type->type);
	else if (IsAJsonbScalar(value))
		reader->values[i] = btm_json_scalar(value, type, type->typmod);
	else
		reader->values[i] = structure_value(reader, i, object,
											&reader->nulls[i]);
}

/* -----------
 * Key columns
 * -----------
 */

/*
 * Raises 22023 unless a member repeats a datum of the key.  Nothing is known
 * to compare with if `key` is NULL.
 */
static void
check_key_value(BtmKeyColumn *column, const Datum *key,
				const JsonbValue *value)
{
	Datum		datum;

	if (key == NULL)
		return;
	if (value->type != jbvNull)
	{
		datum = btm_value_from_json(value, column);
		if (btm_key_compare(column, 1, &datum, key) == 0)
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("attribute \"%s\" differs from the key of the pair",
					column->name),
			 errhint("A key column must repeat the parent or the id, or be left out.")));
}

/*
 * Checks a member that is named as a key column.  In a row, the columns of the
 * id are where the id comes from.
 */
static void
check_key_column(BtmAttributesReader *reader, AttrNumber attnum,
				 const JsonbValue *value, const Datum *id, bool is_row)
{
	BtmResolved *rel = reader->call->rel;
	const Datum *parent = reader->call->parent;

	for (int i = 0; i < rel->nfk; i++)
		if (rel->fk[i].attnum == attnum)
			check_key_value(&rel->fk[i], parent ? &parent[i] : NULL, value);

	for (int i = 0; i < rel->nid && !is_row; i++)
	{
		if (rel->id[i].attnum != attnum)
			continue;
		reader->names_id = true;
		check_key_value(&rel->id[i], id ? &id[i] : NULL, value);
	}
}

/* -------
 * Objects
 * -------
 */

/*
 * The index in rel->columns of the column that a member names.  Errors: 42703.
 */
static int
find_column(const BtmResolved *rel, const JsonbValue *name)
{
	for (int i = 0; i < rel->ncolumns; i++)
	{
		const char *column = rel->columns[i].name;

		if (strlen(column) == (size_t) name->val.string.len &&
			memcmp(column, name->val.string.val, name->val.string.len) == 0)
			return i;
	}
	btm_no_such_column(rel->pivot,
					   pnstrdup(name->val.string.val, name->val.string.len));
}

/*
 * Can this be somebody's attributes?  An object is, and so are null and an
 * empty array, which stand for an empty object.
 */
bool
btm_is_attributes(const JsonbValue *value)
{
	if (value->type == jbvNull)
		return true;
	return value->type == jbvBinary &&
		(JsonContainerIsObject(value->val.binary.data) ||
		 JsonContainerSize(value->val.binary.data) == 0);
}

/*
 * Error context callback: tells which attribute a value was given for.
 */
static void
attribute_context(void *arg)
{
	const BtmPivotColumn *column = *(const BtmPivotColumn **) arg;

	if (column != NULL)
		errcontext("attribute \"%s\"", column->name);
}

/*
 * Reads an object into the reader.
 */
static void
read_object(BtmAttributesReader *reader, const JsonbValue *object,
			const Datum *id, bool is_row)
{
	BtmResolved *rel = reader->call->rel;
	JsonbIterator *it = JsonbIteratorInit(object->val.binary.data);
	JsonbIteratorToken token;
	JsonbValue	value;
	int			i = 0;
	const BtmPivotColumn *column = NULL;
	ErrorContextCallback callback = {error_context_stack, attribute_context,
	&column};

	memset(reader->given, 0, sizeof(bool) * rel->ncolumns);
	error_context_stack = &callback;
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			i = find_column(rel, &value);
		else if (token == WJB_VALUE && rel->columns[i].is_key)
			check_key_column(reader, rel->columns[i].attnum, &value, id,
							 is_row);
		else if (token == WJB_VALUE)
		{
			column = &rel->columns[i];
			read_attribute(reader, i, object, &value);
			column = NULL;
		}
	}
	error_context_stack = callback.previous;
}

/* ------
 * Shapes
 * ------
 */

/*
 * The number of columns that the reader holds.
 */
static int
count_given(const BtmAttributesReader *reader)
{
	int			n = 0;

	for (int i = 0; i < reader->call->rel->ncolumns; i++)
		if (reader->given[i])
			n++;
	return n;
}

/*
 * Is this the shape of what the reader holds, which are n columns?
 */
static bool
shape_matches(const BtmAttributesReader *reader, const BtmShape *shape, int n)
{
	if (shape->ncolumns != n)
		return false;
	for (int i = 0; i < n; i++)
		if (!reader->given[shape->columns[i] - reader->call->rel->columns])
			return false;
	return true;
}

/*
 * Adds the shape of what the reader holds, which are n columns.
 */
static int
add_shape(BtmAttributesReader *reader, int n)
{
	BtmResolved *rel = reader->call->rel;
	BtmIds	   *ids = reader->ids;
	BtmShape   *shape;

	ids->shapes = repalloc(ids->shapes, sizeof(BtmShape) * (ids->nshapes + 1));
	shape = &ids->shapes[ids->nshapes];
	shape->ncolumns = 0;
	shape->columns = palloc(sizeof(BtmPivotColumn *) * n);
	for (int i = 0; i < rel->ncolumns; i++)
		if (reader->given[i])
			shape->columns[shape->ncolumns++] = &rel->columns[i];
	return ids->nshapes++;
}

/*
 * The number of the shape of what the reader holds, which are n columns.
 * Neighbours tend to have the same shape, so the youngest is tried first.
 */
static int
intern_shape(BtmAttributesReader *reader, int n)
{
	for (int i = reader->ids->nshapes - 1; i >= 0; i--)
		if (shape_matches(reader, &reader->ids->shapes[i], n))
			return i;
	return add_shape(reader, n);
}

/*
 * Makes attributes of what the reader holds, or NULL if that is nothing.
 */
static BtmAttributes *
make_attributes(BtmAttributesReader *reader)
{
	int			n = count_given(reader);
	BtmAttributes *attributes;
	int			j = 0;

	if (n == 0)
		return NULL;
	attributes = palloc(sizeof(BtmAttributes));
	attributes->shape = intern_shape(reader, n);
	attributes->values = palloc((sizeof(Datum) + sizeof(bool)) * n);
	attributes->nulls = (bool *) (attributes->values + n);
	for (int i = 0; i < reader->call->rel->ncolumns; i++)
	{
		if (!reader->given[i])
			continue;
		attributes->values[j] = reader->values[i];
		attributes->nulls[j++] = reader->nulls[i];
	}
	return attributes;
}

/*
 * Puts attributes into the reader, over what it holds.
 */
static void
load_attributes(BtmAttributesReader *reader, const BtmAttributes *attributes)
{
	const BtmShape *shape = &reader->ids->shapes[attributes->shape];

	for (int j = 0; j < shape->ncolumns; j++)
	{
		int			i = shape->columns[j] - reader->call->rel->columns;

		reader->given[i] = true;
		reader->values[i] = attributes->values[j];
		reader->nulls[i] = attributes->nulls[j];
	}
}

/* ---------
 * Interface
 * ---------
 */

/*
 * Reads the attributes of one id, or NULL if it has none.  is_row: the object
 * holds the id as well.  Values may point into `value`.
 *
 * Errors: 22023 if it is no object or a key column differs, 42703 for what is
 * no column of the pivot, those of input functions.
 */
BtmAttributes *
btm_attributes_read(BtmAttributesReader *reader, const JsonbValue *value,
					const Datum *id, bool is_row)
{
	if (!btm_is_attributes(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("attributes must be a JSON object")));
	if (!btm_json_is_object(value) ||
		JsonContainerSize(value->val.binary.data) == 0)
		return NULL;
	read_object(reader, value, id, is_row);
	return make_attributes(reader);
}

/*
 * Checks the shared attributes against the id of every pair, if they name a
 * column of it.
 */
static void
check_shared(BtmAttributesReader *reader, const JsonbValue *value)
{
	const BtmKeys *keys = &reader->ids->keys;

	for (int64 i = 1; i < keys->n; i++)
		(void) btm_attributes_read(reader, value, BTM_KEY(keys, i), false);
}

/*
 * Gives ids attributes that are shared by all: those without attributes of
 * their own get them as they are, the others get what they do not have
 * themselves.  The ids must be complete.  Errors: as btm_attributes_read.
 */
void
btm_attributes_share(BtmAttributesReader *reader, const JsonbValue *value)
{
	BtmIds	   *ids = reader->ids;
	const Datum *first = ids->keys.n > 0 ? ids->keys.keys : NULL;
	BtmAttributes *shared;

	reader->names_id = false;
	shared = btm_attributes_read(reader, value, first, false);
	if (reader->names_id)
		check_shared(reader, value);
	if (shared == NULL || ids->keys.n == 0)
		return;

	if (ids->attributes == NULL)
		ids->attributes = palloc_extended(sizeof(BtmAttributes *) * ids->keys.n,
										  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int64 i = 0; i < ids->keys.n; i++)
	{
		if (ids->attributes[i] == NULL)
		{
			ids->attributes[i] = shared;
			continue;
		}
		memset(reader->given, 0, sizeof(bool) * reader->call->rel->ncolumns);
		load_attributes(reader, shared);
		load_attributes(reader, ids->attributes[i]);
		ids->attributes[i] = make_attributes(reader);
	}
}
