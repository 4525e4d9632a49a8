/*-------------------------------------------------------------------------
 *
 * relation_value.c
 *	  The relation value: a struct to a varlena and back.
 *
 * The varlena is a jsonb document, so TOAST, alignment and encoding are
 * jsonb's and need no code here.  It is never shown: the text form
 * (relation_text.c) has names only, this one has numbers beside them.
 *
 * Its bytes are the key of the cache of resolved relations, so equal structs
 * must give equal bytes.  They do: jsonb orders the members of an object by
 * itself, all numbers are integers, and a part that is not set is left out.
 *
 * The root is an object.  All below it are arrays, read by position:
 *
 *	v		version of this layout, 1
 *	ref		[id, schema, name] of a saved relation
 *	inv		true: seen from the other side
 *	par		parent, a table
 *	rel		related, a table
 *	piv		pivot, a table
 *	fk		foreign_key, columns
 *	rk		related_key, columns
 *	pk		parent_key, columns
 *	rpk		related_pivot_key, columns
 *	with	with_pivot, columns
 *	ts		[created_at, updated_at], each a column or null
 *	val		pivot_values: [column, value] each
 *	cond	where: conditions
 *	rcond	where_related: conditions
 *	ord		order_by: [side, column, descending, nulls first] each
 *	as		pivot_as, a string
 *	take	[max_rows, skip]
 *
 * where a table is [oid, schema, name], a column is [relid, attnum, name], a
 * condition is [kind, or, negated, column, operator schema, operator, values];
 * strings that are NULL are null.
 *
 * OIDs of tables and attribute numbers may be stored, since pg_upgrade keeps
 * them; those of types and operators it does not keep, so operators have
 * names only.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "relation/relation.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#define VALUE_VERSION 1

/* ---- struct to jsonb ---- */

/*
 * Appends a scalar: as a value, or as an element of an array.
 */
static void
put_scalar(JsonbParseState **out, JsonbIteratorToken token, JsonbValue *value)
{
	Assert(token == WJB_VALUE || token == WJB_ELEM);
	(void) pushJsonbValue(out, token, value);
}

/*
 * Appends a string; null if it is NULL.
 */
static void
put_string(JsonbParseState **out, JsonbIteratorToken token, const char *string)
{
	JsonbValue	value = {.type = jbvNull};

	if (string != NULL)
	{
		value.type = jbvString;
		value.val.string.len = strlen(string);
		value.val.string.val = unconstify(char *, string);
	}
	put_scalar(out, token, &value);
}

static void
put_int(JsonbParseState **out, JsonbIteratorToken token, int64 number)
{
	JsonbValue	value = {.type = jbvNumeric};

	value.val.numeric = int64_to_numeric(number);
	put_scalar(out, token, &value);
}

static void
put_bool(JsonbParseState **out, JsonbIteratorToken token, bool boolean)
{
	JsonbValue	value = {.type = jbvBool};

	value.val.boolean = boolean;
	put_scalar(out, token, &value);
}

/*
 * Begins a member of the root.  Its value follows.
 */
static void
put_key(JsonbParseState **out, const char *key)
{
	JsonbValue	value = {.type = jbvString};

	value.val.string.len = strlen(key);
	value.val.string.val = unconstify(char *, key);
	(void) pushJsonbValue(out, WJB_KEY, &value);
}

static void
begin_array(JsonbParseState **out)
{
	(void) pushJsonbValue(out, WJB_BEGIN_ARRAY, NULL);
}

static void
end_array(JsonbParseState **out)
{
	(void) pushJsonbValue(out, WJB_END_ARRAY, NULL);
}

/*
 * Appends a column; null if it is NULL.
 */
static void
put_column(JsonbParseState **out, const BtmColumn *column)
{
	if (column == NULL)
	{
		put_string(out, WJB_ELEM, NULL);
		return;
	}
	begin_array(out);
	put_int(out, WJB_ELEM, column->relid);
	put_int(out, WJB_ELEM, column->attnum);
	put_string(out, WJB_ELEM, column->name);
	end_array(out);
}

static void
put_pivot_value(JsonbParseState **out, const void *item)
{
	const BtmPivotValue *pivot_value = item;

	begin_array(out);
	put_column(out, &pivot_value->column);
	put_string(out, WJB_ELEM, pivot_value->value);
	end_array(out);
}

static void
put_condition(JsonbParseState **out, const void *item)
{
	const BtmCondition *condition = item;
	ListCell   *lc;

	begin_array(out);
	put_int(out, WJB_ELEM, condition->kind);
	put_bool(out, WJB_ELEM, condition->is_or);
	put_bool(out, WJB_ELEM, condition->negated);
	put_column(out, &condition->column);
	put_string(out, WJB_ELEM, condition->opschema);
	put_string(out, WJB_ELEM, condition->opname);
	begin_array(out);
	foreach(lc, condition->values)
		put_string(out, WJB_ELEM, lfirst(lc));
	end_array(out);
	end_array(out);
}

static void
put_order_by(JsonbParseState **out, const void *item)
{
	const BtmOrderBy *order = item;

	begin_array(out);
	put_int(out, WJB_ELEM, order->side);
	put_column(out, &order->column);
	put_bool(out, WJB_ELEM, order->descending);
	put_bool(out, WJB_ELEM, order->nulls_first);
	end_array(out);
}

static void
put_column_item(JsonbParseState **out, const void *item)
{
	put_column(out, item);
}

/*
 * Appends a member that is a list; nothing for an empty one.
 */
static void
put_list(JsonbParseState **out, const char *key, List *list,
		 void (*put_item) (JsonbParseState **out, const void *item))
{
	ListCell   *lc;

	if (list == NIL)
		return;
	put_key(out, key);
	begin_array(out);
	foreach(lc, list)
		put_item(out, lfirst(lc));
	end_array(out);
}

/*
 * Appends a member that is a table; nothing if it is not given.
 */
static void
put_table(JsonbParseState **out, const char *key, const BtmTable *table)
{
	if (table->name == NULL)
		return;
	put_key(out, key);
	begin_array(out);
	put_int(out, WJB_ELEM, table->oid);
	put_string(out, WJB_ELEM, table->schema);
	put_string(out, WJB_ELEM, table->name);
	end_array(out);
}

/*
 * Appends the reference to a saved relation, if the value is one.
 */
static void
put_reference(JsonbParseState **out, const BtmRelation *rel)
{
	if (rel->ref_name != NULL)
	{
		put_key(out, "ref");
		begin_array(out);
		put_int(out, WJB_ELEM, rel->ref_id);
		put_string(out, WJB_ELEM, rel->ref_schema);
		put_string(out, WJB_ELEM, rel->ref_name);
		end_array(out);
	}
	if (rel->inverse)
	{
		put_key(out, "inv");
		put_bool(out, WJB_VALUE, true);
	}
}

/*
 * Appends the tables and keys.
 */
static void
put_definition(JsonbParseState **out, const BtmRelation *rel)
{
	put_table(out, "par", &rel->parent);
	put_table(out, "rel", &rel->related);
	put_table(out, "piv", &rel->pivot);
	put_list(out, "fk", rel->foreign_key, put_column_item);
	put_list(out, "rk", rel->related_key, put_column_item);
	put_list(out, "pk", rel->parent_key, put_column_item);
	put_list(out, "rpk", rel->related_pivot_key, put_column_item);
}

static void
put_timestamps(JsonbParseState **out, const BtmRelation *rel)
{
	if (!rel->has_timestamps)
		return;
	put_key(out, "ts");
	begin_array(out);
	put_column(out, rel->created_at);
	put_column(out, rel->updated_at);
	end_array(out);
}

static void
put_take(JsonbParseState **out, const BtmRelation *rel)
{
	if (!rel->has_take)
		return;
	put_key(out, "take");
	begin_array(out);
	put_int(out, WJB_ELEM, rel->max_rows);
	put_int(out, WJB_ELEM, rel->skip);
	end_array(out);
}

/*
 * Appends what builders added.
 */
static void
put_additions(JsonbParseState **out, const BtmRelation *rel)
{
	put_list(out, "with", rel->with_pivot, put_column_item);
	put_timestamps(out, rel);
	put_list(out, "val", rel->pivot_values, put_pivot_value);
	put_list(out, "cond", rel->where, put_condition);
	put_list(out, "rcond", rel->where_related, put_condition);
	put_list(out, "ord", rel->order_by, put_order_by);
	if (rel->pivot_as != NULL)
	{
		put_key(out, "as");
		put_string(out, WJB_VALUE, rel->pivot_as);
	}
	put_take(out, rel);
}

/*
 * The value of a relation.  Equal relations give equal bytes.  Errors with
 * 54000 if it passes the limits of jsonb.
 */
Datum
btm_relation_to_datum(const BtmRelation *rel)
{
	JsonbParseState *out = NULL;
	JsonbValue *root;

	(void) pushJsonbValue(&out, WJB_BEGIN_OBJECT, NULL);
	put_key(&out, "v");
	put_int(&out, WJB_VALUE, VALUE_VERSION);
	put_reference(&out, rel);
	put_definition(&out, rel);
	put_additions(&out, rel);
	root = pushJsonbValue(&out, WJB_END_OBJECT, NULL);
	return JsonbPGetDatum(JsonbValueToJsonb(root));
}

/* ---- jsonb to struct ---- */

/*
 * Errors about a document that this file did not write.
 */
pg_noreturn static void
corrupt_value(void)
{
	elog(ERROR, "invalid belongs_to_many value");
}

/*
 * A member of the root, or NULL.
 */
static JsonbValue *
get_member(JsonbContainer *root, const char *key)
{
	return getKeyJsonValueFromContainer(root, key, strlen(key), NULL);
}

/*
 * An element of an array, which must have it.
 */
static JsonbValue *
get_element(JsonbContainer *array, int i)
{
	JsonbValue *value = getIthJsonbValueFromContainer(array, i);

	if (value == NULL)
		corrupt_value();
	return value;
}

static JsonbContainer *
as_array(const JsonbValue *value)
{
	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		corrupt_value();
	return value->val.binary.data;
}

static int64
as_int(const JsonbValue *value)
{
	if (value->type != jbvNumeric)
		corrupt_value();
	return DatumGetInt64(DirectFunctionCall1(numeric_int8,
											 NumericGetDatum(value->val.numeric)));
}

static bool
as_bool(const JsonbValue *value)
{
	if (value->type != jbvBool)
		corrupt_value();
	return value->val.boolean;
}

/*
 * A copy of a string; NULL for null.
 */
static char *
as_string(const JsonbValue *value)
{
	if (value->type == jbvNull)
		return NULL;
	if (value->type != jbvString)
		corrupt_value();
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static BtmColumn
as_column(const JsonbValue *value)
{
	JsonbContainer *array = as_array(value);
	BtmColumn	column;

	column.relid = (Oid) as_int(get_element(array, 0));
	column.attnum = (AttrNumber) as_int(get_element(array, 1));
	column.name = as_string(get_element(array, 2));
	return column;
}

/*
 * A column in memory of its own; NULL for null.
 */
static void *
get_column_item(const JsonbValue *value)
{
	BtmColumn  *column;

	if (value->type == jbvNull)
		return NULL;
	column = palloc(sizeof(BtmColumn));
	*column = as_column(value);
	return column;
}

static void *
get_pivot_value(const JsonbValue *value)
{
	JsonbContainer *array = as_array(value);
	BtmPivotValue *pivot_value = palloc(sizeof(BtmPivotValue));

	pivot_value->column = as_column(get_element(array, 0));
	pivot_value->value = as_string(get_element(array, 1));
	return pivot_value;
}

static void *
get_string_item(const JsonbValue *value)
{
	return as_string(value);
}

static void *
get_order_by(const JsonbValue *value)
{
	JsonbContainer *array = as_array(value);
	BtmOrderBy *order = palloc(sizeof(BtmOrderBy));

	order->side = (BtmSide) as_int(get_element(array, 0));
	order->column = as_column(get_element(array, 1));
	order->descending = as_bool(get_element(array, 2));
	order->nulls_first = as_bool(get_element(array, 3));
	return order;
}

/*
 * Takes an array apart, an item per element.  value may be NULL: no list.
 */
static List *
get_list(const JsonbValue *value, void *(*get_item) (const JsonbValue *item))
{
	List	   *list = NIL;
	JsonbContainer *array;

	if (value == NULL)
		return NIL;
	array = as_array(value);
	for (uint32 i = 0; i < JsonContainerSize(array); i++)
		list = lappend(list, get_item(get_element(array, i)));
	return list;
}

static void *
get_condition(const JsonbValue *value)
{
	JsonbContainer *array = as_array(value);
	BtmCondition *condition = palloc(sizeof(BtmCondition));

	condition->kind = (BtmConditionKind) as_int(get_element(array, 0));
	condition->is_or = as_bool(get_element(array, 1));
	condition->negated = as_bool(get_element(array, 2));
	condition->column = as_column(get_element(array, 3));
	condition->opschema = as_string(get_element(array, 4));
	condition->opname = as_string(get_element(array, 5));
	condition->values = get_list(get_element(array, 6), get_string_item);
	return condition;
}

/*
 * A member that is a table; all zero if it is not there.
 */
static BtmTable
get_table(JsonbContainer *root, const char *key)
{
	JsonbValue *value = get_member(root, key);
	BtmTable	table = {0};

	if (value != NULL)
	{
		JsonbContainer *array = as_array(value);

		table.oid = (Oid) as_int(get_element(array, 0));
		table.schema = as_string(get_element(array, 1));
		table.name = as_string(get_element(array, 2));
	}
	return table;
}

/*
 * Reads the reference to a saved relation, if the value is one.
 */
static void
get_reference(BtmRelation *rel, JsonbContainer *root)
{
	JsonbValue *value = get_member(root, "ref");

	if (value != NULL)
	{
		JsonbContainer *array = as_array(value);

		rel->ref_id = as_int(get_element(array, 0));
		rel->ref_schema = as_string(get_element(array, 1));
		rel->ref_name = as_string(get_element(array, 2));
	}
	rel->inverse = get_member(root, "inv") != NULL;
}

/*
 * Reads the tables and keys.
 */
static void
get_definition(BtmRelation *rel, JsonbContainer *root)
{
	rel->parent = get_table(root, "par");
	rel->related = get_table(root, "rel");
	rel->pivot = get_table(root, "piv");
	rel->foreign_key = get_list(get_member(root, "fk"), get_column_item);
	rel->related_key = get_list(get_member(root, "rk"), get_column_item);
	rel->parent_key = get_list(get_member(root, "pk"), get_column_item);
	rel->related_pivot_key = get_list(get_member(root, "rpk"), get_column_item);
}

static void
get_timestamps(BtmRelation *rel, JsonbContainer *root)
{
	JsonbValue *value = get_member(root, "ts");

	if (value == NULL)
		return;
	rel->has_timestamps = true;
	rel->created_at = get_column_item(get_element(as_array(value), 0));
	rel->updated_at = get_column_item(get_element(as_array(value), 1));
}

static void
get_take(BtmRelation *rel, JsonbContainer *root)
{
	JsonbValue *value = get_member(root, "take");

	if (value == NULL)
		return;
	rel->has_take = true;
	rel->max_rows = as_int(get_element(as_array(value), 0));
	rel->skip = as_int(get_element(as_array(value), 1));
}

/*
 * Reads what builders added.
 */
static void
get_additions(BtmRelation *rel, JsonbContainer *root)
{
	JsonbValue *pivot_as = get_member(root, "as");

	rel->with_pivot = get_list(get_member(root, "with"), get_column_item);
	get_timestamps(rel, root);
	rel->pivot_values = get_list(get_member(root, "val"), get_pivot_value);
	rel->where = get_list(get_member(root, "cond"), get_condition);
	rel->where_related = get_list(get_member(root, "rcond"), get_condition);
	rel->order_by = get_list(get_member(root, "ord"), get_order_by);
	if (pivot_as != NULL)
		rel->pivot_as = as_string(pivot_as);
	get_take(rel, root);
}

/*
 * Errors unless the document has the layout that this file knows.
 */
static void
check_version(JsonbContainer *root)
{
	JsonbValue *version;

	if (!JsonContainerIsObject(root))
		corrupt_value();
	version = get_member(root, "v");
	if (version == NULL)
		corrupt_value();
	if (as_int(version) != VALUE_VERSION)
		elog(ERROR, "unsupported version " INT64_FORMAT " of a belongs_to_many value",
			 as_int(version));
}

/*
 * Takes a value apart.  The result shares no memory with the value.
 */
BtmRelation *
btm_relation_from_datum(Datum value)
{
	JsonbContainer *root = &DatumGetJsonbP(value)->root;
	BtmRelation *rel = palloc0(sizeof(BtmRelation));

	check_version(root);
	get_reference(rel, root);
	get_definition(rel, root);
	get_additions(rel, root);
	return rel;
}

/*
 * A copy that shares no memory with the original.
 */
BtmRelation *
btm_relation_copy(const BtmRelation *rel)
{
	return btm_relation_from_datum(btm_relation_to_datum(rel));
}
