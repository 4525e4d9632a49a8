/*-------------------------------------------------------------------------
 *
 * plan.c
 *	  Paths and plans of scans of foreign tables.
 *
 * There are two ways to read a table: all of it, and what conditions name: the
 * partitions, or an index's rows.  A path of the second way may take the partition
 * key from other tables of the query: then it is a parameterised path, the inner
 * side of a nested loop.  What is known of sizes is what ANALYZE has found; without
 * it, costs only say that a named partition is cheap and the whole table is not.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/vacuum.h"
#include "nodes/makefuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "scylla/fdw.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/selfuncs.h"

/* Rows of a table that nobody has counted, and of one of its partitions. */
#define UNKNOWN_ROWS 1000000
#define PARTITION_ROWS 20

/* A round trip, and one row of the answer, in units of a sequential page. */
#define REQUEST_COST 25.0
#define ROW_COST 0.02

static BtmScyllaTable *
open_definition(Oid relid)
{
	Relation	relation = table_open(relid, NoLock);
	BtmScyllaTable *table = btm_scylla_table(relation);

	table_close(relation, NoLock);
	return table;
}

/* The restrictions among RestrictInfos, or clauses. */
static List *
restrictions_of(PlannerInfo *root, RelOptInfo *rel, const BtmScyllaTable *table, List *clauses)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, clauses)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);

		if (!rinfo->pseudoconstant)
			result = list_concat(result,
								 btm_scylla_restrictions(root, rel, table, rinfo->clause,
														 rinfo));
	}
	return result;
}

void
btm_scylla_rel_size(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	BtmScyllaRel  *state = palloc0(sizeof(BtmScyllaRel));

	state->table = open_definition(relid);
	state->candidates = restrictions_of(root, rel, state->table, rel->baserestrictinfo);
	state->analyzed = rel->tuples >= 0 && rel->pages > 0;
	rel->fdw_private = state;
	if (!state->analyzed)
		rel->tuples = UNKNOWN_ROWS;
	set_baserel_size_estimates(root, rel);
}

/* -------
 * Costs
 * -------
 */

/* How many values a restriction has. */
static double
count_values(PlannerInfo *root, const BtmScyllaRestriction *restriction)
{
	if (restriction->op != BTM_SCYLLA_IN)
		return 1;
	return Max(estimate_array_length(root, (Node *) restriction->value), 1);
}

/* Rows that a query gets from partitions that nobody has counted. */
static double
guess_rows(PlannerInfo *root, const BtmScyllaTable *table, List *chosen, double requests)
{
	double		per_partition = PARTITION_ROWS;
	double		keys = 1;
	int			fixed = 0;
	ListCell   *lc;

	foreach(lc, chosen)
	{
		BtmScyllaRestriction *restriction = lfirst(lc);

		if (restriction->column->role == BTM_SCYLLA_PARTITION_KEY)
			continue;
		if (restriction->op == BTM_SCYLLA_EQ || restriction->op == BTM_SCYLLA_IN)
		{
			keys *= count_values(root, restriction);
			fixed++;
		}
		else if (restriction->row_place == 0)
			per_partition /= 3;
	}
	return requests * (fixed == table->nclustering ? keys : per_partition);
}

/*
 * Rows that a query gets, by the statistics.  The sample of a large table has
 * partitions as a whole, so that their number looks like that of all.
 */
static double
estimate_rows(PlannerInfo *root, RelOptInfo *rel, List *chosen)
{
	double		sample = 300.0 * default_statistics_target;
	bool		by_partition =
		btm_scylla_names_partitions(((BtmScyllaRel *) rel->fdw_private)->table, chosen);
	double		share = by_partition && rel->tuples > 2 * sample ? sample / rel->tuples : 1;
	List	   *clauses = NIL;
	ListCell   *lc;

	foreach(lc, chosen)
		clauses = list_append_unique_ptr(clauses, ((BtmScyllaRestriction *) lfirst(lc))->rinfo);
	return share * rel->tuples *
		clauselist_selectivity(root, clauses, rel->relid, JOIN_INNER, NULL);
}

/* Queries that restrictions take, and rows that come from them. */
void
btm_scylla_estimate(PlannerInfo *root, RelOptInfo *rel, List *chosen, double *requests,
					double *rows)
{
	const BtmScyllaRel *state = rel->fdw_private;
	ListCell   *lc;

	*requests = 1;
	foreach(lc, chosen)
	{
		BtmScyllaRestriction *restriction = lfirst(lc);

		if (restriction->column->role == BTM_SCYLLA_PARTITION_KEY)
			*requests *= count_values(root, restriction);
	}
	*rows = clamp_row_est(state->analyzed ? estimate_rows(root, rel, chosen) :
						  guess_rows(root, state->table, chosen, *requests));
}

/* A page has come before the first row of it. */
Cost
btm_scylla_startup_cost(const BtmScyllaTable *table, double requests, double fetched)
{
	return REQUEST_COST +
		Min(fetched / requests, table->fetch_size) * (ROW_COST + cpu_tuple_cost);
}

Cost
btm_scylla_total_cost(double requests, double fetched)
{
	return REQUEST_COST + (requests - 1) * REQUEST_COST / 10 +
		fetched * (ROW_COST + cpu_tuple_cost);
}

static ForeignPath *
make_path(PlannerInfo *root, RelOptInfo *rel, double requests, double fetched, double rows,
		  List *pathkeys, Relids required_outer)
{
	const BtmScyllaRel *state = rel->fdw_private;

	return create_foreignscan_path(root, rel, NULL, rows, 0,
								   btm_scylla_startup_cost(state->table, requests, fetched),
								   btm_scylla_total_cost(requests, fetched), pathkeys,
								   required_outer, NULL, NIL, NIL);
}

/* -------
 * Order
 * -------
 */

/* Is the table's column a member of the pathkey's equivalence class? */
static bool
is_pathkey_of(RelOptInfo *rel, PathKey *pathkey, const BtmScyllaColumn *column)
{
	ListCell   *lc;

	foreach(lc, pathkey->pk_eclass->ec_members)
	{
		EquivalenceMember *member = lfirst(lc);
		Expr	   *expr = member->em_expr;

		if (IsA(expr, RelabelType))
			expr = ((RelabelType *) expr)->arg;
		if (IsA(expr, Var) && ((Var *) expr)->varno == (int) rel->relid &&
			((Var *) expr)->varattno == column->attnum)
			return true;
	}
	return false;
}

/*
 * The order that a query wants, as the order in which one partition's rows come:
 * 0 forwards, 1 backwards, -1 neither.
 */
static int
wanted_order(PlannerInfo *root, RelOptInfo *rel, const BtmScyllaTable *table, List *chosen)
{
	int			next = btm_scylla_fixed_clustering(table, chosen);
	int			result = -1;
	ListCell   *lc;

	if (root->query_pathkeys == NIL || !btm_scylla_one_partition(table, chosen))
		return -1;
	foreach(lc, root->query_pathkeys)
	{
		PathKey    *pathkey = lfirst(lc);
		BtmScyllaColumn *column;
		int			reverse;

		if (pathkey->pk_eclass->ec_has_volatile || next >= table->nclustering)
			return -1;
		column = table->clustering[next++];
		if (!is_pathkey_of(rel, pathkey, column) ||
			!btm_scylla_same_order(column, pathkey->pk_eclass->ec_collation))
			return -1;
		reverse = (pathkey_is_descending(pathkey)) != column->descending;
		if (result >= 0 && result != reverse)
			return -1;
		result = reverse;
	}
	return result;
}

/* Has a restriction of the clustering key several values? Then there is no order. */
static bool
has_lists(List *chosen)
{
	ListCell   *lc;

	foreach(lc, chosen)
		if (((BtmScyllaRestriction *) lfirst(lc))->op == BTM_SCYLLA_IN)
			return true;
	return false;
}

/* -------
 * Paths
 * -------
 */

/* Adds the paths that read what some conditions name: partitions, or by an index. */
static void
add_keyed_paths(PlannerInfo *root, RelOptInfo *rel, List *candidates, Relids outer, double rows)
{
	BtmScyllaTable *table = ((BtmScyllaRel *) rel->fdw_private)->table;
	bool		filtering;
	List	   *chosen = btm_scylla_choose(table, candidates, &filtering);
	double		requests;
	double		fetched;

	if (!btm_scylla_names_partitions(table, chosen) && !btm_scylla_uses_index(table, chosen))
		return;
	btm_scylla_estimate(root, rel, chosen, &requests, &fetched);
	add_path(rel, (Path *) make_path(root, rel, requests, fetched, Min(rows, fetched),
									 NIL, outer));
	if (!has_lists(chosen) && wanted_order(root, rel, table, chosen) >= 0)
		add_path(rel, (Path *) make_path(root, rel, requests, fetched, Min(rows, fetched),
										 root->query_pathkeys, outer));
}

/* For generate_implied_equalities_for_column: is the member this column? */
static bool
is_column(PlannerInfo *root, RelOptInfo *rel, EquivalenceClass *ec, EquivalenceMember *em,
		  void *arg)
{
	Expr	   *expr = em->em_expr;

	if (IsA(expr, RelabelType))
		expr = ((RelabelType *) expr)->arg;
	return IsA(expr, Var) && ((Var *) expr)->varno == (int) rel->relid &&
		((Var *) expr)->varattno == ((BtmScyllaColumn *) arg)->attnum;
}

/* Join clauses that could give a value to a column. */
static List *
join_clauses_of(PlannerInfo *root, RelOptInfo *rel, BtmScyllaColumn *column)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, rel->joininfo)
	{
		RestrictInfo *rinfo = lfirst(lc);

		if (join_clause_is_movable_to(rinfo, rel))
			result = lappend(result, rinfo);
	}
	if (rel->has_eclass_joins)
		result = list_concat(result,
							 generate_implied_equalities_for_column(root, rel, is_column, column,
																	rel->lateral_referencers));
	return result;
}

/*
 * Adds the path whose partition key comes from these tables, if it does.
 */
static void
add_parameterised_path(PlannerInfo *root, RelOptInfo *rel, Relids outer)
{
	BtmScyllaRel  *state = rel->fdw_private;
	ParamPathInfo *info = get_baserel_parampathinfo(root, rel, outer);
	List	   *candidates = list_concat(restrictions_of(root, rel, state->table,
														  info->ppi_clauses),
										 state->candidates);

	add_keyed_paths(root, rel, candidates, outer, info->ppi_rows);
}

/* Adds a set of tables to a list of them, unless it is there. */
static List *
append_relids(List *list, Relids relids)
{
	ListCell   *lc;

	foreach(lc, list)
		if (bms_equal(lfirst(lc), relids))
			return list;
	return lappend(list, relids);
}

/* The tables that a clause needs beside this one. */
static Relids
outer_of(RelOptInfo *rel, RestrictInfo *rinfo)
{
	Relids		outer = bms_union(rinfo->clause_relids, rel->lateral_relids);

	return bms_del_member(outer, rel->relid);
}

/* Does one of a clause's restrictions give the column a value? */
static bool
gives_value(PlannerInfo *root, RelOptInfo *rel, RestrictInfo *rinfo,
			const BtmScyllaColumn *column)
{
	const BtmScyllaTable *table = ((BtmScyllaRel *) rel->fdw_private)->table;
	List	   *restrictions = btm_scylla_restrictions(root, rel, table, rinfo->clause, rinfo);
	BtmScyllaRestriction *first = restrictions == NIL ? NULL : linitial(restrictions);

	return first != NULL && first->column == column &&
		(first->op == BTM_SCYLLA_EQ || first->op == BTM_SCYLLA_IN);
}

/* Adds to *tried the tables that could give a column a value, and to *all. */
static void
find_outer(PlannerInfo *root, RelOptInfo *rel, BtmScyllaColumn *column, List **tried,
		   Relids *all)
{
	ListCell   *lc;

	foreach(lc, join_clauses_of(root, rel, column))
	{
		RestrictInfo *rinfo = lfirst(lc);
		Relids		outer = outer_of(rel, rinfo);

		if (bms_is_empty(outer) || !gives_value(root, rel, rinfo, column))
			continue;
		*all = bms_add_members(*all, outer);
		*tried = append_relids(*tried, outer);
	}
}

/*
 * Parameterised paths: for each clause that gives a column of the partition key,
 * or one with an index, a value, by what it needs alone, and by what the whole key
 * needs.
 */
static void
add_parameterised_paths(PlannerInfo *root, RelOptInfo *rel)
{
	const BtmScyllaTable *table = ((BtmScyllaRel *) rel->fdw_private)->table;
	Relids		all = NULL;
	Relids		indexed = NULL;
	List	   *tried = NIL;
	ListCell   *lc;

	for (int i = 0; i < table->npartition; i++)
		find_outer(root, rel, table->partition[i], &tried, &all);
	if (!bms_is_empty(all))
		tried = append_relids(tried, all);
	for (int i = 0; i < table->ncolumns; i++)
		if (table->columns[i].indexed)
			find_outer(root, rel, &table->columns[i], &tried, &indexed);
	foreach(lc, tried)
		add_parameterised_path(root, rel, lfirst(lc));
}

void
btm_scylla_paths(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	BtmScyllaRel  *state = rel->fdw_private;

	add_path(rel, (Path *) make_path(root, rel, 1, rel->tuples, rel->rows, NIL,
									 rel->lateral_relids));
	add_keyed_paths(root, rel, state->candidates, rel->lateral_relids, rel->rows);
	add_parameterised_paths(root, rel);
}

/* -------
 * Plan
 * -------
 */

/*
 * May the conditions have to be checked here after all?  A comparison of rows may,
 * if a value in it is null: see marker.c.
 */
static bool
may_be_wider(List *chosen)
{
	ListCell   *lc;

	foreach(lc, chosen)
	{
		const BtmScyllaRestriction *restriction = lfirst(lc);

		if (restriction->row_place > 0 && !IsA(restriction->value, Const))
			return true;
	}
	return false;
}

/* The columns that the query needs, or that clauses here look at. */
static Bitmapset *
needed_columns(RelOptInfo *rel, const BtmScyllaTable *table, List *clauses)
{
	Bitmapset  *offsets = NULL;
	Bitmapset  *result = NULL;
	bool		whole_row;

	pull_varattnos((Node *) rel->reltarget->exprs, rel->relid, &offsets);
	pull_varattnos((Node *) clauses, rel->relid, &offsets);
	whole_row = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, offsets);
	for (int i = 0; i < table->ncolumns; i++)
	{
		AttrNumber	attnum = table->columns[i].attnum;

		if (whole_row ||
			bms_is_member(attnum - FirstLowInvalidHeapAttributeNumber, offsets))
			result = bms_add_member(result, attnum);
	}
	return result;
}

/* What scan.c needs, but for the plain statement, as fdw.h says. */
List *
btm_scylla_scan_private(char *cql, List *columns, List *chosen, List **values)
{
	List	   *markers = NIL;
	List	   *operators = NIL;
	List	   *types = NIL;
	List	   *rows = NIL;
	ListCell   *lc;

	*values = NIL;
	foreach(lc, chosen)
	{
		BtmScyllaRestriction *restriction = lfirst(lc);

		markers = lappend_int(markers, restriction->column->attnum);
		operators = lappend_int(operators, restriction->op);
		types = lappend_oid(types, restriction->value_type);
		rows = lappend_int(rows, restriction->row_place > 0 ? 0 : Max(restriction->row_size, 1));
		*values = lappend(*values, restriction->value);
	}
	return lappend(list_make5(makeString(cql), columns, markers, operators, types), rows);
}

/* Adds the expressions of the query's limit. */
static List *
add_limit(PlannerInfo *root, List *values)
{
	values = lappend(values, copyObject(root->parse->limitCount));
	if (root->parse->limitOffset != NULL)
		values = lappend(values, copyObject(root->parse->limitOffset));
	return values;
}

ForeignScan *
btm_scylla_plan(PlannerInfo *root, RelOptInfo *rel, Oid relid, ForeignPath *path, List *tlist,
				List *clauses, Plan *outer_plan)
{
	BtmScyllaSelect how = {.limit = path->fdw_private != NIL};
	BtmScyllaTable *table;
	List	   *chosen;
	List	   *local;
	List	   *all = extract_actual_clauses(clauses, false);
	int			order;
	Bitmapset  *needed;
	List	   *columns;
	List	   *values;
	List	   *private;
	char	   *cql;

	if (rel->reloptkind == RELOPT_UPPER_REL)
		return btm_scylla_plan_count(root, path, tlist, outer_plan);
	table = ((BtmScyllaRel *) rel->fdw_private)->table;
	chosen = btm_scylla_choose(table, restrictions_of(root, rel, table, clauses),
							   &how.filtering);
	local = btm_scylla_local_clauses(clauses, chosen);
	order = path->path.pathkeys != NIL ? wanted_order(root, rel, table, chosen) : -1;
	how.reverse = order > 0;
	needed = needed_columns(rel, table, may_be_wider(chosen) ? all : local);
	cql = btm_scylla_select_text(table, needed, chosen, how, &columns);
	private = lappend(btm_scylla_scan_private(cql, columns, chosen, &values),
					  btm_scylla_plain_scan(table, rel->relid, needed, all, chosen, order));
	if (how.limit)
		values = add_limit(root, values);
	return make_foreignscan(tlist, local, rel->relid, values, private, NIL,
							list_difference(all, local), outer_plan);
}
