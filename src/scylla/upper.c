/*-------------------------------------------------------------------------
 *
 * upper.c
 *	  LIMIT and count(*) by the server.
 *
 * Both are possible only if the server checks every condition exactly.
 *
 * A limit only spares rows that nobody will ask for: each of the statement's
 * executions gets it, and the plan's own Limit stays above.  So it can be left out
 * at execution, where the transaction has changes that the server does not know.
 *
 * A count replaces the rows.  The plan that would have counted them here is its
 * outer plan, which is run in those cases.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planmain.h"
#include "optimizer/prep.h"
#include "optimizer/restrictinfo.h"
#include "optimizer/tlist.h"
#include "scylla/fdw.h"
#include "utils/fmgroids.h"

/*
 * The only table of the query, if it is a foreign one of this wrapper's; its
 * restrictions in *chosen, if they are all of its conditions, exactly.  A table with
 * others that inherit from it is not the only one, and nothing is kept with it.
 */
static RelOptInfo *
exact_table(PlannerInfo *root, List **chosen)
{
	int			relid;
	RelOptInfo *rel;
	bool		filtering;

	if (!bms_get_singleton_member(root->all_baserels, &relid))
		return NULL;
	rel = find_base_rel(root, relid);
	if (rel->reloptkind != RELOPT_BASEREL || IS_DUMMY_REL(rel) || rel->fdwroutine == NULL ||
		rel->fdwroutine->GetForeignUpperPaths != btm_scylla_upper_paths ||
		rel->fdw_private == NULL)
		return NULL;
	*chosen = btm_scylla_choose(((BtmScyllaRel *) rel->fdw_private)->table,
								((BtmScyllaRel *) rel->fdw_private)->candidates, &filtering);
	return btm_scylla_local_clauses(rel->baserestrictinfo, *chosen) == NIL ? rel : NULL;
}

/* -------
 * LIMIT
 * -------
 */

/* Does each row of the table make one row of the result, none of them locked? */
static bool
is_plain(const Query *query)
{
	return query->commandType == CMD_SELECT && !query->hasAggs && !query->hasWindowFuncs &&
		!query->hasTargetSRFs && query->groupClause == NIL && query->groupingSets == NIL &&
		query->havingQual == NULL && query->distinctClause == NIL &&
		query->setOperations == NULL && query->rowMarks == NIL &&
		query->limitCount != NULL && query->limitOption == LIMIT_OPTION_COUNT;
}

/*
 * The same scan with a limit, which makes its first page smaller; NULL if the path
 * is no scan, for it sorts its rows here, say.
 */
static Path *
limit_scan(PlannerInfo *root, RelOptInfo *rel, Path *path, double limit, double requests)
{
	const BtmScyllaTable *table = ((BtmScyllaRel *) rel->fdw_private)->table;
	ForeignPath *limited;
	Cost		startup = btm_scylla_startup_cost(table, requests, Max(limit, 1) * requests);

	if (IsA(path, ProjectionPath))
	{
		Path	   *below = limit_scan(root, rel, ((ProjectionPath *) path)->subpath, limit,
									   requests);

		return below == NULL ? NULL :
			(Path *) create_projection_path(root, path->parent, below, path->pathtarget);
	}
	if (!IsA(path, ForeignPath) || path->parent != rel || path->param_info != NULL)
		return NULL;
	limited = makeNode(ForeignPath);
	memcpy(limited, path, sizeof(ForeignPath));
	limited->fdw_private = list_make1(makeInteger(1));
	/* at least slightly less than without, so that it is taken */
	limited->path.startup_cost = Min(0.999 * path->startup_cost, startup);
	limited->path.total_cost = 0.999 * path->total_cost;
	return (Path *) limited;
}

static void
add_limited_paths(PlannerInfo *root, RelOptInfo *input, RelOptInfo *output,
				  const FinalPathExtraData *extra)
{
	const Query *query = root->parse;
	List	   *chosen;
	RelOptInfo *rel = is_plain(query) ? exact_table(root, &chosen) : NULL;
	double		requests;
	double		fetched;
	ListCell   *lc;

	if (rel == NULL)
		return;
	btm_scylla_estimate(root, rel, chosen, &requests, &fetched);
	foreach(lc, input->pathlist)
	{
		Path	   *limited = limit_scan(root, rel, lfirst(lc), extra->limit_tuples, requests);

		if (limited != NULL)
			add_path(output, (Path *) create_limit_path(root, output, limited,
														query->limitOffset, query->limitCount,
														query->limitOption,
														extra->offset_est, extra->count_est));
	}
}

/* -------
 * Counts
 * -------
 */

/*
 * Is it count(*), or the count of a column of the primary key?  *attnum is the
 * column's, or 0.
 */
static bool
is_count(RelOptInfo *rel, const Aggref *aggregate, AttrNumber *attnum)
{
	const BtmScyllaColumn *column;
	Var		   *var;

	*attnum = 0;
	if (aggregate->aggorder != NIL || aggregate->aggdistinct != NIL ||
		aggregate->aggfilter != NULL || aggregate->agglevelsup != 0)
		return false;
	if (aggregate->aggfnoid == F_COUNT_)
		return true;
	if (aggregate->aggfnoid != F_COUNT_ANY)
		return false;
	var = (Var *) ((TargetEntry *) linitial(aggregate->args))->expr;
	if (!IsA(var, Var) || var->varno != (int) rel->relid || var->varlevelsup != 0)
		return false;
	*attnum = var->varattno;
	column = btm_scylla_column_by_number(((BtmScyllaRel *) rel->fdw_private)->table, *attnum);
	return column != NULL && btm_scylla_is_key(column);
}

/*
 * The aggregates that a result needs, if it needs nothing else and all of them are
 * counts, or NIL.  *attnums is what each counts.
 */
static List *
counts_of(RelOptInfo *rel, PathTarget *target, List **attnums)
{
	List	   *needed = pull_var_clause((Node *) target->exprs,
										 PVC_INCLUDE_AGGREGATES | PVC_RECURSE_WINDOWFUNCS |
										 PVC_INCLUDE_PLACEHOLDERS);
	List	   *counts = NIL;
	ListCell   *lc;

	*attnums = NIL;
	foreach(lc, needed)
	{
		AttrNumber	attnum;

		if (list_member(counts, lfirst(lc)))
			continue;
		if (!IsA(lfirst(lc), Aggref) || !is_count(rel, lfirst(lc), &attnum))
			return NIL;
		counts = lappend(counts, lfirst(lc));
		*attnums = lappend_int(*attnums, attnum);
	}
	return counts;
}

/* The plan's other way: to read the rows, and count them here. */
static Path *
count_here(PlannerInfo *root, RelOptInfo *input, RelOptInfo *output, List *counts)
{
	PathTarget *target = create_empty_pathtarget();
	AggClauseCosts costs = {0};

	add_new_columns_to_pathtarget(target, counts);
	set_pathtarget_cost_width(root, target);
	get_agg_clause_costs(root, AGGSPLIT_SIMPLE, &costs);
	return (Path *) create_agg_path(root, output, input->cheapest_total_path, target, AGG_PLAIN,
									AGGSPLIT_SIMPLE, NIL, NIL, &costs, 1);
}

static void
add_count_path(PlannerInfo *root, RelOptInfo *input, RelOptInfo *output)
{
	const Query *query = root->parse;
	List	   *chosen;
	List	   *attnums;
	List	   *counts;
	RelOptInfo *rel;
	double		requests;
	double		fetched;

	if (query->groupClause != NIL || query->groupingSets != NIL || query->havingQual != NULL)
		return;
	rel = exact_table(root, &chosen);
	if (rel == NULL || rel != input ||
		!btm_scylla_names_partitions(((BtmScyllaRel *) rel->fdw_private)->table, chosen))
		return;
	counts = counts_of(rel, output->reltarget, &attnums);
	if (counts == NIL)
		return;
	btm_scylla_estimate(root, rel, chosen, &requests, &fetched);
	add_path(output, (Path *)
			 create_foreign_upper_path(root, output, output->reltarget, 1, 0,
									   btm_scylla_total_cost(requests, 0),
									   btm_scylla_total_cost(requests, 0), NIL,
									   count_here(root, input, output, counts), NIL,
									   list_make4(rel, chosen, counts, attnums)));
}

/*
 * GetForeignPlan of a count.
 */
ForeignScan *
btm_scylla_plan_count(PlannerInfo *root, ForeignPath *path, List *tlist, Plan *outer_plan)
{
	RelOptInfo *rel = linitial(path->fdw_private);
	const BtmScyllaTable *table = ((BtmScyllaRel *) rel->fdw_private)->table;
	List	   *chosen = lsecond(path->fdw_private);
	List	   *counts = lthird(path->fdw_private);
	List	   *attnums = lfourth(path->fdw_private);
	List	   *scan_tlist = NIL;
	List	   *values;
	List	   *private;
	ListCell   *lc;

	foreach(lc, counts)
		scan_tlist = lappend(scan_tlist,
							 makeTargetEntry(copyObject(lfirst(lc)),
											 list_length(scan_tlist) + 1, NULL, false));
	private = btm_scylla_scan_private(btm_scylla_count_text(table, attnums, chosen), attnums,
									  chosen, &values);
	return make_foreignscan(tlist, NIL, 0, values, private, scan_tlist, NIL, outer_plan);
}

void
btm_scylla_upper_paths(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input,
					   RelOptInfo *output, void *extra)
{
	if (stage == UPPERREL_GROUP_AGG)
		add_count_path(root, input, output);
	else if (stage == UPPERREL_FINAL)
		add_limited_paths(root, input, output, extra);
}
