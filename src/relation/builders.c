/*-------------------------------------------------------------------------
 *
 * builders.c
 *	  SQL functions that return a changed copy of a relation: everything but
 *	  filters.
 *
 * A builder checks what it is given as soon as it can: where the relation's
 * tables are known, columns are looked up and values read.  Where they are not
 * yet (the relation refers to a saved one that does not exist, as happens
 * while a dump is restored), names and values are kept as they were given, and
 * the first use checks them.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "relation/builder.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

BTM_FUNCTION(btm_with_pivot);
BTM_FUNCTION(btm_with_timestamps);
BTM_FUNCTION(btm_with_pivot_value);
BTM_FUNCTION(btm_morph);
BTM_FUNCTION(btm_order_by_pivot);
BTM_FUNCTION(btm_order_by);
BTM_FUNCTION(btm_take);
BTM_FUNCTION(btm_pivot_as);
BTM_FUNCTION(btm_inverse);

/* --------
 * Columns
 * --------
 */

/*
 * The definition behind a relation, without what builders added to a
 * reference; NULL if the saved relation is not known.
 */
static const BtmRelation *
find_definition(const BtmRelation *rel)
{
	BtmSavedRelation *saved = NULL;

	if (rel->ref_name == NULL)
		return rel;
	if (rel->ref_id != 0)
		saved = btm_saved_by_id(rel->ref_id);
	if (saved == NULL)
		saved = btm_saved_by_name(rel->ref_schema, rel->ref_name);
	return saved ? saved->definition : NULL;
}

/*
 * The OID of a relation's pivot or related table, or InvalidOid if it is not
 * known.
 */
static Oid
find_table(const BtmRelation *rel, BtmSide side)
{
	const BtmRelation *def = find_definition(rel);
	const BtmTable *table;

	if (def == NULL)
		return InvalidOid;
	if (side == BTM_PIVOT)
		table = &def->pivot;
	else
		table = rel->inverse ? &def->parent : &def->related;
	return table->name ? btm_table_oid(table, true) : InvalidOid;
}

/*
 * The column of this name on one side of a relation; known by name only (relid
 * is InvalidOid) if the table is not known.  Errors: 42703.
 */
BtmColumn *
btm_builder_column(const BtmRelation *rel, BtmSide side, const char *name)
{
	return btm_column_by_name(find_table(rel, side), name);
}

/*
 * The pivot column of this name, for a builder by which attach writes it.
 * Errors: 42703, 22023 if it is part of a key, which attach writes anyway.
 */
static BtmColumn *
written_column(const BtmRelation *rel, const char *name)
{
	BtmColumn  *column = btm_builder_column(rel, BTM_PIVOT, name);
	const BtmRelation *def = find_definition(rel);

	if (def != NULL && (btm_columns_contain(def->foreign_key, column) ||
						btm_columns_contain(def->related_key, column)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" is a key of the relation", name)));
	return column;
}

/*
 * with_pivot(relation, VARIADIC columns name[]).  Errors: 22004, 42703.
 */
Datum
btm_with_pivot(PG_FUNCTION_ARGS)
{
	BtmRelation *rel = btm_arg_relation(fcinfo);
	List	   *names = btm_arg_names(fcinfo, 1, "columns");
	ListCell   *lc;

	foreach(lc, names)
	{
		BtmColumn  *column = btm_builder_column(rel, BTM_PIVOT, lfirst(lc));

		if (!btm_columns_contain(rel->with_pivot, column))
			rel->with_pivot = lappend(rel->with_pivot, column);
	}
	PG_RETURN_BTM_RELATION(rel);
}

/*
 * A timestamp column from an argument; NULL disables it.
 */
static BtmColumn *
timestamp_column(FunctionCallInfo fcinfo, int argno, const BtmRelation *rel)
{
	if (PG_ARGISNULL(argno))
		return NULL;
	return written_column(rel, NameStr(*PG_GETARG_NAME(argno)));
}

/*
 * with_timestamps(relation, created_at name, updated_at name).  Errors: 22004
 * for a NULL relation, 42703, 22023.
 */
Datum
btm_with_timestamps(PG_FUNCTION_ARGS)
{
	BtmRelation *rel = btm_arg_relation(fcinfo);

	rel->has_timestamps = true;
	rel->created_at = timestamp_column(fcinfo, 1, rel);
	rel->updated_at = timestamp_column(fcinfo, 2, rel);
	PG_RETURN_BTM_RELATION(rel);
}

/* --------
 * Pivot values
 * --------
 */

/*
 * The value argument of a pivot value, as the column will hold it: under its
 * length and precision too, since it is compared with what is stored.
 *
 * Errors: those of the type's input function.
 */
static char *
pivot_value_arg(FunctionCallInfo fcinfo, int argno, const BtmColumn *column)
{
	Oid			type;
	int32		typmod;
	Oid			collation;
	char	   *literal;

	if (!OidIsValid(column->relid))
		return btm_arg_literal(fcinfo, argno, InvalidOid);

	get_atttypetypmodcoll(column->relid, column->attnum,
						  &type, &typmod, &collation);
	literal = btm_arg_literal(fcinfo, argno, type);
	return literal ? btm_canonical_literal(literal, type, typmod) : NULL;
}

/*
 * A List of BtmPivotValue * with one more value, which takes the place of the
 * one of the same column.
 */
List *
btm_pivot_values_put(List *values, BtmPivotValue *value)
{
	ListCell   *lc;

	foreach(lc, values)
		if (btm_column_equal(&((BtmPivotValue *) lfirst(lc))->column,
							 &value->column))
		{
			lfirst(lc) = value;
			return values;
		}
	return lappend(values, value);
}

/*
 * with_pivot_value(relation, pivot_column name, value) and morph(); `what` is
 * the name of the column's argument.  Errors: 22004 for a NULL relation or
 * column, 42703, 22023, 42883 for a type without equality, and those of
 * pivot_value_arg.
 */
static Datum
add_pivot_value(FunctionCallInfo fcinfo, const char *what)
{
	BtmRelation *rel = btm_arg_relation(fcinfo);
	char	   *name = btm_arg_name(fcinfo, 1, what);
	BtmPivotValue *value = palloc(sizeof(BtmPivotValue));

	value->column = *written_column(rel, name);
	value->value = pivot_value_arg(fcinfo, 2, &value->column);
	if (value->value != NULL)
		btm_check_equality(&value->column);
	rel->pivot_values = btm_pivot_values_put(rel->pivot_values, value);
	PG_RETURN_BTM_RELATION(rel);
}

/*
 * with_pivot_value(relation, pivot_column name, value "any" or text)
 */
Datum
btm_with_pivot_value(PG_FUNCTION_ARGS)
{
	return add_pivot_value(fcinfo, "pivot_column");
}

/*
 * morph(relation, type_column name, type_value text)
 */
Datum
btm_morph(PG_FUNCTION_ARGS)
{
	return add_pivot_value(fcinfo, "type_column");
}

/* --------
 * Order and page of results
 * --------
 */

/*
 * Reads a direction: asc or desc, then "nulls first", "nulls last" or nothing.
 * Errors: 22023.
 */
static void
parse_direction(BtmOrderBy *order, const char *text)
{
	static const struct
	{
		const char *words;
		bool		descending;
		bool		nulls_first;
	}			directions[] = {
		{"asc", false, false},
		{"asc nulls first", false, true},
		{"asc nulls last", false, false},
		{"desc", true, true},
		{"desc nulls first", true, true},
		{"desc nulls last", true, false}
	};
	const char *words = btm_fold_words(text);

	for (size_t i = 0; i < lengthof(directions); i++)
	{
		if (strcmp(words, directions[i].words) != 0)
			continue;
		order->descending = directions[i].descending;
		order->nulls_first = directions[i].nulls_first;
		return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid direction: \"%s\"", text),
			 errhint("Use \"asc\" or \"desc\", which \"nulls first\" or \"nulls last\" may follow.")));
}

/*
 * Adds an ordering by arguments 1, the column (its name is `what`), and 2, the
 * direction.  Errors: 22004, 42703, 22023, 42883 for a type without order.
 */
static Datum
add_order_by(FunctionCallInfo fcinfo, BtmSide side, const char *what)
{
	BtmRelation *rel = btm_arg_relation(fcinfo);
	BtmOrderBy *order = palloc0(sizeof(BtmOrderBy));

	order->side = side;
	order->column = *btm_builder_column(rel, side,
										btm_arg_name(fcinfo, 1, what));
	parse_direction(order, btm_arg_text(fcinfo, 2, "direction"));
	btm_check_ordering(&order->column);
	rel->order_by = lappend(rel->order_by, order);
	PG_RETURN_BTM_RELATION(rel);
}

/*
 * order_by_pivot(relation, pivot_column name, direction text)
 */
Datum
btm_order_by_pivot(PG_FUNCTION_ARGS)
{
	return add_order_by(fcinfo, BTM_PIVOT, "pivot_column");
}

/*
 * order_by(relation, related_column name, direction text)
 */
Datum
btm_order_by(PG_FUNCTION_ARGS)
{
	return add_order_by(fcinfo, BTM_RELATED, "related_column");
}

/*
 * take(relation, max_rows bigint, skip bigint); a later one replaces an
 * earlier one.  Errors: 22004 for a NULL relation, 2201W, 2201X.
 */
Datum
btm_take(PG_FUNCTION_ARGS)
{
	BtmRelation *rel = btm_arg_relation(fcinfo);
	bool		no_limit = PG_ARGISNULL(1);

	rel->has_take = true;
	rel->max_rows = no_limit ? -1 : PG_GETARG_INT64(1);
	rel->skip = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT64(2);

	if (!no_limit && rel->max_rows < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_ROW_COUNT_IN_LIMIT_CLAUSE),
				 errmsg("max_rows must not be negative"),
				 errhint("Use null for no limit.")));
	if (rel->skip < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_ROW_COUNT_IN_RESULT_OFFSET_CLAUSE),
				 errmsg("skip must not be negative")));
	PG_RETURN_BTM_RELATION(rel);
}

/*
 * pivot_as(relation, name text).  Errors: 22004, 22023 for an empty name.
 */
Datum
btm_pivot_as(PG_FUNCTION_ARGS)
{
	BtmRelation *rel = btm_arg_relation(fcinfo);

	rel->pivot_as = btm_arg_text(fcinfo, 1, "name");
	if (rel->pivot_as[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("name of the pivot member must not be empty")));
	PG_RETURN_BTM_RELATION(rel);
}

/* --------
 * The other side
 * --------
 */

/*
 * Exchanges two lists.
 */
static void
swap_lists(List **a, List **b)
{
	List	   *tmp = *a;

	*a = *b;
	*b = tmp;
}

/*
 * Makes a relation the same one seen from its other side, in place.
 *
 * Orderings by related columns are dropped: they would order by columns of the
 * parent, which is one row.  A reference keeps what its saved relation has;
 * that is inverted whenever it is looked up.
 *
 * Errors with 0A000 if there is a filter on related rows, which would become
 * one on the parent.
 */
void
btm_relation_invert(BtmRelation *rel)
{
	BtmTable	parent = rel->parent;
	ListCell   *lc;

	if (rel->where_related != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot invert a relation with a filter on related rows"),
				 errhint("Call inverse() first, and then filter by columns of the new related table.")));
	foreach(lc, rel->order_by)
		if (((BtmOrderBy *) lfirst(lc))->side == BTM_RELATED)
			rel->order_by = foreach_delete_current(rel->order_by, lc);

	if (rel->ref_name != NULL)
	{
		rel->inverse = !rel->inverse;
		return;
	}
	rel->parent = rel->related;
	rel->related = parent;
	swap_lists(&rel->foreign_key, &rel->related_key);
	swap_lists(&rel->parent_key, &rel->related_pivot_key);
}

/*
 * inverse(relation).  Errors: 22004, 0A000.
 */
Datum
btm_inverse(PG_FUNCTION_ARGS)
{
	BtmRelation *rel = btm_arg_relation(fcinfo);

	btm_relation_invert(rel);
	PG_RETURN_BTM_RELATION(rel);
}
