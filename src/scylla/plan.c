/*-------------------------------------------------------------------------
 *
 * plan.c
 *	  Paths and plans of scans of foreign tables.
 *
 * There are two ways to read a table: all of it, and the partitions that
 * conditions name.  A path of the second way may take the partition key from
 * other tables of the query: then it is a parameterised path, the inner side of
 * a nested loop.  What is known of sizes is what ANALYZE or nothing has found,
 * so costs only say that a named partition is cheap and the whole table is not.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "scylla/fdw.h"
#include "utils/rel.h"
#include "utils/selfuncs.h"
#include "access/stratnum.h"
#include "utils/lsyscache.h"

/* Rows of a table that nobody has counted, and of one of its partitions. */
#define UNKNOWN_ROWS 1000000
#define PARTITION_ROWS 20


/* A round trip, and one row of the answer, in units of a sequential page. */
#define REQUEST_COST 25.0
#define ROW_COST 0.02

/* What is kept with the RelOptInfo. */
typedef struct RelState
{
	BtmScyllaTable *table;
	List	   *candidates;		/* restrictions of the table's own conditions */
} RelState;

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
		BtmScyllaRestriction *restriction;

		if (rinfo->pseudoconstant)
			continue;
		restriction = btm_scylla_restriction(root, rel, table, rinfo->clause, rinfo);
		if (restriction != NULL)
			result = lappend(result, restriction);
	}
	return result;
}

void
btm_scylla_rel_size(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	RelState  *state = palloc0(sizeof(RelState));

	state->table = open_definition(relid);
	state->candidates = restrictions_of(root, rel, state->table, rel->baserestrictinfo);
	rel->fdw_private = state;
	if (rel->tuples < 0 || rel->pages == 0)
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

/* Partitions that a query reads, and rows that it gets from them. */
static void
estimate(PlannerInfo *root, const BtmScyllaTable *table, List *chosen,
		 double *requests, double *rows)
{
	double		per_partition = PARTITION_ROWS;
	double		keys = 1;
	int			fixed = 0;
	ListCell   *lc;

	*requests = 1;
	foreach(lc, chosen)
	{
		BtmScyllaRestriction *restriction = lfirst(lc);
		bool		equality = restriction->op == BTM_SCYLLA_EQ ||
			restriction->op == BTM_SCYLLA_IN;

		if (restriction->column->role == BTM_SCYLLA_PARTITION_KEY)
			*requests *= count_values(root, restriction);
		else if (equality)
		{
			keys *= count_values(root, restriction);
			fixed++;
		}
		else
			per_partition /= 3;
	}
	if (fixed == table->nclustering)
		per_partition = keys;
	*rows = clamp_row_est(*requests * per_partition);
}

static ForeignPath *
make_path(PlannerInfo *root, RelOptInfo *rel, double requests, double fetched, double rows,
		  List *pathkeys, Relids required_outer)
{
	Cost		startup = REQUEST_COST;
	Cost		total = startup + (requests - 1) * REQUEST_COST / 10 +
		fetched * (ROW_COST + cpu_tuple_cost);

	return create_foreignscan_path(root, rel, NULL, rows, 0, startup, total, pathkeys,
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

/* Do the restrictions name partitions, rather than filter the whole table? */
static bool
names_partitions(const BtmScyllaTable *table, List *chosen)
{
	int			count = 0;
	ListCell   *lc;

	foreach(lc, chosen)
	{
		BtmScyllaRestriction *restriction = lfirst(lc);

		count += restriction->column->role == BTM_SCYLLA_PARTITION_KEY &&
			(restriction->op == BTM_SCYLLA_EQ || restriction->op == BTM_SCYLLA_IN);
	}
	return table->npartition > 0 && count == table->npartition;
}

/* Adds the paths that read the partitions that some conditions name. */
static void
add_keyed_paths(PlannerInfo *root, RelOptInfo *rel, List *candidates, Relids outer, double rows)
{
	BtmScyllaTable *table = ((RelState *) rel->fdw_private)->table;
	bool		filtering;
	List	   *chosen = btm_scylla_choose(table, candidates, &filtering);
	double		requests;
	double		fetched;

	if (!names_partitions(table, chosen))
		return;
	estimate(root, table, chosen, &requests, &fetched);
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

/* Join clauses that could give a value to a column of the partition key. */
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
	RelState  *state = rel->fdw_private;
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

/*
 * Parameterised paths: for each clause that gives a column of the partition key
 * a value, by what it needs alone, and by what the whole key needs.
 */
static void
add_parameterised_paths(PlannerInfo *root, RelOptInfo *rel)
{
	RelState  *state = rel->fdw_private;
	Relids		all = NULL;
	List	   *tried = NIL;
	ListCell   *lc;

	for (int i = 0; i < state->table->npartition; i++)
		foreach(lc, join_clauses_of(root, rel, state->table->partition[i]))
		{
			RestrictInfo *rinfo = lfirst(lc);
			BtmScyllaRestriction *restriction =
				btm_scylla_restriction(root, rel, state->table, rinfo->clause, rinfo);
			Relids		outer = outer_of(rel, rinfo);

			if (restriction == NULL || restriction->column != state->table->partition[i] ||
				bms_is_empty(outer))
				continue;
			all = bms_add_members(all, outer);
			tried = append_relids(tried, outer);
		}
	if (!bms_is_empty(all))
		tried = append_relids(tried, all);
	foreach(lc, tried)
		add_parameterised_path(root, rel, lfirst(lc));
}

void
btm_scylla_paths(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	RelState  *state = rel->fdw_private;

	add_path(rel, (Path *) make_path(root, rel, 1, rel->tuples, rel->rows, NIL,
									 rel->lateral_relids));
	add_keyed_paths(root, rel, state->candidates, rel->lateral_relids, rel->rows);
	add_parameterised_paths(root, rel);
}

/* -------
 * Plan
 * -------
 */

/* The columns that the query needs, or that conditions here look at. */
static Bitmapset *
needed_columns(RelOptInfo *rel, const BtmScyllaTable *table, List *local_clauses)
{
	Bitmapset  *offsets = NULL;
	Bitmapset  *result = NULL;
	bool		whole_row;

	pull_varattnos((Node *) rel->reltarget->exprs, rel->relid, &offsets);
	pull_varattnos((Node *) local_clauses, rel->relid, &offsets);
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

/* The clauses that the server does not check wholly. */
static List *
local_clauses(List *clauses, List *chosen)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, clauses)
	{
		RestrictInfo *rinfo = lfirst(lc);
		bool		done = false;
		ListCell   *lc2;

		foreach(lc2, chosen)
		{
			BtmScyllaRestriction *restriction = lfirst(lc2);

			done |= restriction->rinfo == rinfo && restriction->exact;
		}
		if (!done && !rinfo->pseudoconstant)
			result = lappend(result, rinfo->clause);
	}
	return result;
}

/* What scan.c needs, as fdw.h says. */
static List *
make_private(char *cql, List *columns, List *chosen, List **values)
{
	List	   *markers = NIL;
	List	   *operators = NIL;
	List	   *types = NIL;
	ListCell   *lc;

	*values = NIL;
	foreach(lc, chosen)
	{
		BtmScyllaRestriction *restriction = lfirst(lc);

		markers = lappend_int(markers, restriction->column->attnum);
		operators = lappend_int(operators, restriction->op);
		types = lappend_oid(types, restriction->value_type);
		*values = lappend(*values, restriction->value);
	}
	return list_make5(makeString(cql), columns, markers, operators, types);
}

ForeignScan *
btm_scylla_plan(PlannerInfo *root, RelOptInfo *rel, Oid relid, ForeignPath *path, List *tlist,
				List *clauses, Plan *outer_plan)
{
	BtmScyllaTable *table = ((RelState *) rel->fdw_private)->table;
	List	   *candidates = restrictions_of(root, rel, table, clauses);
	bool		filtering;
	List	   *chosen = btm_scylla_choose(table, candidates, &filtering);
	List	   *local = local_clauses(clauses, chosen);
	List	   *all = extract_actual_clauses(clauses, false);
	int			order = path->path.pathkeys != NIL ?
		wanted_order(root, rel, table, chosen) : -1;
	Bitmapset  *needed = needed_columns(rel, table, local);
	List	   *columns;
	List	   *values;
	List	   *private;
	char	   *cql;

	cql = btm_scylla_select_text(table, needed, chosen, order, filtering, &columns);
	private = lappend(make_private(cql, columns, chosen, &values),
					  btm_scylla_plain_scan(table, rel->relid, needed, all, chosen, order));
	return make_foreignscan(tlist, local, rel->relid, values, private, NIL,
							list_difference(all, local), outer_plan);
}
