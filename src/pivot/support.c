/*-------------------------------------------------------------------------
 *
 * support.c
 *	  Planner support: how many rows set-returning reads return.
 *
 * A read of one parent returns about as many rows as the pivot has per value
 * of its foreign key, by the statistics of ANALYZE; a read of many parents
 * returns one row for each.  The relation must be a constant, as it is when it
 * is written as a literal.
 *
 * The planner asks about queries that may never run, so nothing here raises an
 * error about the relation or takes a lock: the relation is not resolved, what
 * is not there any more gives no estimate, and the planner then uses the
 * function's ROWS.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "pivot/estimate.h"
#include "relation/relation.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"

BTM_FUNCTION(btm_rows_support);

/* Parents in a list that is not an array: as many as core guesses for one. */
#define DEFAULT_PARENTS 10

/*
 * The definition that a value is or refers to, or NULL.  Additions to a
 * reference are not merged.
 */
static const BtmRelation *
find_definition(const BtmRelation *value)
{
	BtmSavedRelation *saved;

	if (value->ref_name == NULL)
		return value;
	saved = value->ref_id != 0 ? btm_saved_by_id(value->ref_id) : NULL;
	return saved ? saved->definition : NULL;
}

/*
 * Rows of the pivot per parent, or -1.  A key of several columns has at least
 * as many values as any of them.
 */
static double
rows_per_parent(Oid pivot, List *foreign_key)
{
	double		nrows = btm_table_rows(pivot);
	double		ndistinct = 0;
	ListCell   *lc;

	if (nrows < 0)
		return -1;
	foreach(lc, foreign_key)
	{
		AttrNumber	attnum = btm_column_attnum(lfirst(lc), pivot, true);

		ndistinct = Max(ndistinct, btm_distinct_values(pivot, attnum, nrows));
	}
	return ndistinct > 0 ? nrows / ndistinct : -1;
}

/*
 * A number of rows, unless the relation's take is less.
 */
static double
limit_rows(double nrows, const BtmRelation *rel)
{
	if (rel->has_take && rel->max_rows >= 0)
		return Min(nrows, (double) rel->max_rows);
	return nrows;
}

/*
 * Rows that a read of one parent returns, or -1.
 */
static double
rows_of_relation(Node *argument)
{
	const BtmRelation *value;
	const BtmRelation *definition;
	double		nrows;

	if (!IsA(argument, Const) || ((Const *) argument)->constisnull)
		return -1;
	value = btm_relation_from_datum(((Const *) argument)->constvalue);
	definition = find_definition(value);
	if (definition == NULL || !OidIsValid(definition->pivot.oid))
		return -1;

	nrows = rows_per_parent(definition->pivot.oid, value->inverse ?
							definition->related_key :
							definition->foreign_key);
	return limit_rows(nrows, value->has_take ? value : definition);
}

/*
 * Parents in a list.
 */
static double
count_parents(PlannerInfo *root, Node *argument)
{
	if (OidIsValid(get_base_element_type(exprType(argument))))
		return estimate_array_length(root, argument);
	return DEFAULT_PARENTS;
}

/*
 * Does the function read many parents?  Then its name ends with _for.
 */
static bool
reads_many_parents(Oid funcid)
{
	const char *name = get_func_name(funcid);
	size_t		len = name ? strlen(name) : 0;

	return len > 4 && strcmp(name + len - 4, "_for") == 0;
}

/*
 * Support function of get_results, get_results_for, related_ids as rows, and
 * count_related_for.
 */
Datum
btm_rows_support(PG_FUNCTION_ARGS)
{
	Node	   *node = (Node *) PG_GETARG_POINTER(0);
	SupportRequestRows *request = (SupportRequestRows *) node;
	double		nrows;
	List	   *args;

	if (!IsA(node, SupportRequestRows) || !is_funcclause(request->node))
		PG_RETURN_POINTER(NULL);

	args = ((FuncExpr *) request->node)->args;
	if (reads_many_parents(request->funcid))
		nrows = count_parents(request->root, lsecond(args));
	else
		nrows = rows_of_relation(linitial(args));
	if (nrows < 0)
		PG_RETURN_POINTER(NULL);
	request->rows = clamp_row_est(nrows);
	PG_RETURN_POINTER(node);
}
