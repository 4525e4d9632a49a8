/*-------------------------------------------------------------------------
 *
 * jsonrow.c
 *	  Result rows as jsonb, without a round through text.
 *
 * A row becomes what to_jsonb() makes of it, byte for byte: domains like their
 * base type, numbers that JSON cannot write (NaN, Infinity) as strings, dates
 * and times in ISO 8601 whatever DateStyle says, types with a cast to json
 * through that cast.  Frequent types are converted here; arrays, composite
 * types, json and types with a cast go through to_jsonb() itself.
 *
 * All that does not depend on the values is done once per statement.  In
 * particular jsonb keeps the members of an object sorted by length and bytes
 * of their names, so the members are sorted once, and a row only fills in
 * values.
 *
 * An array of rows is put together from finished objects by copying their
 * bytes: a tree of JsonbValues for many rows would take several times the
 * memory of the result.  The format of jsonb is that of data on disk, and so
 * does not change.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "parser/parse_coerce.h"
#include "parser/parse_type.h"
#include "pivot/jsonrow.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

/* How a value becomes JSON. */
typedef enum ColumnKind
{
	KIND_BOOL,
	KIND_INT2,
	KIND_INT4,
	KIND_INT8,
	KIND_FLOAT,					/* text form of the number */
	KIND_NUMERIC,
	KIND_TEXT,
	KIND_DATETIME,
	KIND_JSONB,
	KIND_OUTPUT,				/* text form as a string */
	KIND_TO_JSONB
} ColumnKind;

typedef struct JsonColumn
{
	const char *name;
	ColumnKind	kind;
	Oid			type;			/* base type */
	FmgrInfo	function;		/* to_jsonb or the output function */
	JsonbValue *value;			/* its place in the object, NULL: none */
} JsonColumn;

struct BtmJsonShape
{
	int			first;			/* column of the row that comes first */
	int			ncolumns;
	JsonColumn *columns;
	JsonbValue	row;			/* the object */
	MemoryContext row_cxt;		/* the last row */
};

/* -----
 * Shape
 * -----
 */

/*
 * Does to_jsonb() convert this type by a cast to json?  It looks for one for
 * types that are not built in.
 */
static bool
has_json_cast(Oid type)
{
	Oid			function;

	if (type < FirstNormalObjectId)
		return false;
	return find_coercion_pathway(JSONOID, type, COERCION_EXPLICIT,
								 &function) == COERCION_PATH_FUNC &&
		OidIsValid(function);
}

/*
 * How do values of this base type become JSON?
 */
static ColumnKind
column_kind(Oid type)
{
	switch (type)
	{
		case BOOLOID:
			return KIND_BOOL;
		case INT2OID:
			return KIND_INT2;
		case INT4OID:
			return KIND_INT4;
		case INT8OID:
			return KIND_INT8;
		case FLOAT4OID:
		case FLOAT8OID:
			return KIND_FLOAT;
		case NUMERICOID:
			return KIND_NUMERIC;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			return KIND_TEXT;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return KIND_DATETIME;
		case JSONBOID:
			return KIND_JSONB;
		case JSONOID:
			return KIND_TO_JSONB;
	}
	if (OidIsValid(get_element_type(type)) || type_is_rowtype(type) ||
		has_json_cast(type))
		return KIND_TO_JSONB;
	return KIND_OUTPUT;
}

/*
 * Prepares to_jsonb() for arguments of a type, which it looks for in the
 * expression that calls it.
 */
static void
prepare_to_jsonb(FmgrInfo *function, Oid type)
{
	Const	   *argument = makeNullConst(type, -1, InvalidOid);

	fmgr_info(F_TO_JSONB, function);
	fmgr_info_set_expr((Node *) makeFuncExpr(F_TO_JSONB, JSONBOID,
											 list_make1(argument),
											 InvalidOid, InvalidOid,
											 COERCE_EXPLICIT_CALL),
					   function);
}

/*
 * Prepares a column.
 */
static void
init_column(JsonColumn *column, Form_pg_attribute att)
{
	Oid			output;
	bool		is_varlena;

	column->name = NameStr(att->attname);
	column->type = getBaseType(att->atttypid);
	column->kind = column_kind(column->type);
	if (column->kind == KIND_TO_JSONB)
		prepare_to_jsonb(&column->function, column->type);
	else
	{
		getTypeOutputInfo(column->type, &output, &is_varlena);
		fmgr_info(output, &column->function);
	}
}

/*
 * Makes the pair of a member.
 */
static void
init_pair(JsonbPair *pair, const char *name, int order)
{
	pair->key.type = jbvString;
	pair->key.val.string.val = unconstify(char *, name);
	pair->key.val.string.len = strlen(name);
	pair->value.type = jbvNull;
	pair->order = order;
}

/*
 * The order of members in a jsonb object.
 */
static int
compare_pairs(const void *a, const void *b)
{
	const JsonbValue *x = &((const JsonbPair *) a)->key;
	const JsonbValue *y = &((const JsonbPair *) b)->key;

	if (x->val.string.len != y->val.string.len)
		return x->val.string.len < y->val.string.len ? -1 : 1;
	return memcmp(x->val.string.val, y->val.string.val, x->val.string.len);
}

/*
 * Makes an object of n columns, and of one more member unless `member` is
 * NULL.  A column of the same name gives way to the member.
 *
 * Returns the place of the member's value.
 */
static JsonbValue *
make_object(JsonbValue *object, JsonColumn *columns, int n, const char *member)
{
	JsonbPair  *pairs = palloc0(sizeof(JsonbPair) * (n + 1));
	JsonbValue *result = NULL;
	int			npairs = 0;

	for (int i = 0; i < n; i++)
		if (member == NULL || strcmp(columns[i].name, member) != 0)
			init_pair(&pairs[npairs++], columns[i].name, i);
	if (member != NULL)
		init_pair(&pairs[npairs++], member, n);
	qsort(pairs, npairs, sizeof(JsonbPair), compare_pairs);

	for (int i = 0; i < npairs; i++)
	{
		if (pairs[i].order == (uint32) n)
			result = &pairs[i].value;
		else
			columns[pairs[i].order].value = &pairs[i].value;
	}
	object->type = jbvObject;
	object->val.object.nPairs = npairs;
	object->val.object.pairs = pairs;
	return result;
}

/*
 * Prepares the conversion of a statement's rows.
 *
 * Of the columns of desc, those from `first` (0-based) on count: nrelated of
 * them become members of the object, the others members of an object in it,
 * whose name is pivot_as.  Names are not copied: desc and pivot_as must live
 * as long as the result, which is allocated in the current memory context.
 */
BtmJsonShape *
btm_json_shape(TupleDesc desc, int first, int nrelated, const char *pivot_as)
{
	BtmJsonShape *shape = palloc0(sizeof(BtmJsonShape));
	JsonbValue *pivot;

	shape->first = first;
	shape->ncolumns = desc->natts - first;
	shape->columns = palloc0(sizeof(JsonColumn) * shape->ncolumns);
	for (int i = 0; i < shape->ncolumns; i++)
		init_column(&shape->columns[i], TupleDescAttr(desc, first + i));

	pivot = make_object(&shape->row, shape->columns, nrelated, pivot_as);
	make_object(pivot, shape->columns + nrelated, shape->ncolumns - nrelated,
				NULL);
	shape->row_cxt = AllocSetContextCreate(CurrentMemoryContext,
										   "belongs_to_many row",
										   ALLOCSET_DEFAULT_SIZES);
	return shape;
}

/* ---
 * Row
 * ---
 */

/*
 * A string.  Errors with 54000 if it is too long for jsonb.
 */
static void
set_string(JsonbValue *value, char *string, size_t len)
{
	if (len > JENTRY_OFFLENMASK)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("string too long to represent as jsonb string"),
				 errdetail("Due to an implementation restriction, jsonb strings cannot exceed %d bytes.",
						   JENTRY_OFFLENMASK)));
	value->type = jbvString;
	value->val.string.val = string;
	value->val.string.len = (int) len;
}

static void
set_integer(JsonbValue *value, int64 number)
{
	value->type = jbvNumeric;
	value->val.numeric = int64_to_numeric(number);
}

/*
 * The text form of a value as a string.
 */
static void
set_output(JsonbValue *value, JsonColumn *column, Datum datum)
{
	char	   *string = OutputFunctionCall(&column->function, datum);

	set_string(value, string, strlen(string));
}

/*
 * The number that a floating-point value is written as, which depends on
 * extra_float_digits; a string if it is no number.
 */
static void
set_float(JsonbValue *value, JsonColumn *column, Datum datum)
{
	set_output(value, column, datum);
	if (strpbrk(value->val.string.val, "nN") == NULL)
	{
		Datum		number = DirectFunctionCall3(numeric_in,
												 CStringGetDatum(value->val.string.val),
												 ObjectIdGetDatum(InvalidOid),
												 Int32GetDatum(-1));

		value->type = jbvNumeric;
		value->val.numeric = DatumGetNumeric(number);
	}
}

static void
set_numeric(JsonbValue *value, JsonColumn *column, Datum datum)
{
	Numeric		number = DatumGetNumeric(datum);

	if (numeric_is_nan(number) || numeric_is_inf(number))
	{
		set_output(value, column, NumericGetDatum(number));
		return;
	}
	value->type = jbvNumeric;
	value->val.numeric = number;
}

/*
 * A whole jsonb document.  Containers are taken apart, since an object is
 * built of values only.
 */
static void
set_jsonb(JsonbValue *value, Jsonb *jsonb)
{
	JsonbParseState *state = NULL;
	JsonbValue *result = NULL;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	item;

	if (JsonbExtractScalar(&jsonb->root, value))
		return;
	iterator = JsonbIteratorInit(&jsonb->root);
	while ((token = JsonbIteratorNext(&iterator, &item, false)) != WJB_DONE)
	{
		bool		has_item = token == WJB_KEY || token == WJB_VALUE ||
			token == WJB_ELEM;

		result = pushJsonbValue(&state, token, has_item ? &item : NULL);
	}
	*value = *result;
}

/*
 * Converts a value that is not NULL.
 */
static void
set_value(JsonbValue *value, JsonColumn *column, Datum datum)
{
	switch (column->kind)
	{
		case KIND_BOOL:
			value->type = jbvBool;
			value->val.boolean = DatumGetBool(datum);
			break;
		case KIND_INT2:
			set_integer(value, DatumGetInt16(datum));
			break;
		case KIND_INT4:
			set_integer(value, DatumGetInt32(datum));
			break;
		case KIND_INT8:
			set_integer(value, DatumGetInt64(datum));
			break;
		case KIND_FLOAT:
			set_float(value, column, datum);
			break;
		case KIND_NUMERIC:
			set_numeric(value, column, datum);
			break;
		case KIND_TEXT:
			{
				text	   *string = DatumGetTextPP(datum);

				set_string(value, VARDATA_ANY(string),
						   VARSIZE_ANY_EXHDR(string));
				break;
			}
		case KIND_DATETIME:
			{
				char	   *string = JsonEncodeDateTime(NULL, datum,
														column->type, NULL);

				set_string(value, string, strlen(string));
				break;
			}
		case KIND_JSONB:
			set_jsonb(value, DatumGetJsonbP(datum));
			break;
		case KIND_OUTPUT:
			set_output(value, column, datum);
			break;
		case KIND_TO_JSONB:
			set_jsonb(value,
					  DatumGetJsonbP(FunctionCall1(&column->function, datum)));
			break;
	}
}

/*
 * A row as jsonb.  The result is good until the next row.  Errors: 54000 where
 * jsonb's limits are passed.
 */
Jsonb *
btm_json_row(BtmJsonShape *shape, TupleTableSlot *slot)
{
	MemoryContext oldcxt;
	Jsonb	   *result;

	MemoryContextReset(shape->row_cxt);
	oldcxt = MemoryContextSwitchTo(shape->row_cxt);
	slot_getallattrs(slot);
	for (int i = 0; i < shape->ncolumns; i++)
	{
		JsonColumn *column = &shape->columns[i];
		int			attno = shape->first + i;

		if (column->value == NULL)
			continue;
		if (slot->tts_isnull[attno])
			column->value->type = jbvNull;
		else
			set_value(column->value, column, slot->tts_values[attno]);
	}
	result = JsonbValueToJsonb(&shape->row);
	MemoryContextSwitchTo(oldcxt);
	return result;
}

/* -----
 * Array
 * -----
 */

/*
 * Adds a copy of an object, allocated in the current memory context.  Errors
 * with 54000 if the array passes jsonb's limit.
 */
void
btm_json_list_add(BtmJsonList *list, const Jsonb *object)
{
	uint32		len = VARSIZE(object) - VARHDRSZ;
	BtmJsonItem *item = palloc(offsetof(BtmJsonItem, data) + len);

	item->next = NULL;
	item->len = len;
	memcpy(item->data, &object->root, len);

	if (list->tail != NULL)
		list->tail->next = item;
	else
		list->head = item;
	list->tail = item;
	list->n++;

	/* Both terms are below 2^28, so the sum cannot overflow. */
	list->size += INTALIGN(len) + sizeof(JEntry);
	if (list->size > JENTRY_OFFLENMASK)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("total size of jsonb array elements exceeds the maximum of %u bytes",
						JENTRY_OFFLENMASK)));
}

/*
 * The list as a jsonb array, allocated in the current memory context.
 *
 * Elements lie one after the other, each aligned; the padding counts as part
 * of the element that follows.  Their entries hold lengths, but every
 * JB_OFFSET_STRIDE'th the offset of its end.
 */
Jsonb *
btm_json_list_to_array(const BtmJsonList *list)
{
	Jsonb	   *array = palloc0(VARHDRSZ + sizeof(uint32) + list->size);
	JEntry	   *entry = array->root.children;
	char	   *data = (char *) &array->root.children[list->n];
	uint32		end = 0;

	array->root.header = list->n | JB_FARRAY;
	for (BtmJsonItem *item = list->head; item != NULL; item = item->next)
	{
		uint32		start = INTALIGN(end);
		uint32		len = start - end + item->len;

		memcpy(data + start, item->data, item->len);
		end = start + item->len;
		if ((entry - array->root.children) % JB_OFFSET_STRIDE == 0)
			*entry++ = JENTRY_ISCONTAINER | JENTRY_HAS_OFF | end;
		else
			*entry++ = JENTRY_ISCONTAINER | len;
	}
	SET_VARSIZE(array, data + end - (char *) array);
	return array;
}
