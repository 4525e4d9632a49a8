/*-------------------------------------------------------------------------
 *
 * direct.c
 *	  What is done to a whole partition, or a whole table, at once.
 *
 * DELETE by the partition key alone is one deletion of the partition.  SQL wants
 * to know how many rows that are, so they are counted first, by the scan that
 * would have found them.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/table.h"
#include "executor/executor.h"
#include "parser/parsetree.h"
#include "scylla/fdw.h"
#include "utils/rel.h"

/* -------
 * DELETE
 * -------
 */

/* The scan that a DELETE of one table takes its rows from, if it is that simple. */
static ForeignScan *
scan_of_delete(ModifyTable *plan, Index rtindex)
{
	Plan	   *subplan = outerPlan(plan);

	if (plan->operation != CMD_DELETE || plan->returningLists != NIL ||
		list_length(plan->resultRelations) != 1 || !IsA(subplan, ForeignScan) ||
		((ForeignScan *) subplan)->scan.scanrelid != rtindex || subplan->qual != NIL)
		return NULL;
	return (ForeignScan *) subplan;
}

/* Are the statement's conditions equality on the partition key, and nothing else? */
static bool
is_partition(ForeignScan *scan, const BtmScyllaTable *table)
{
	List	   *attnums = list_nth(scan->fdw_private, BTM_SCYLLA_SCAN_MARKERS);
	List	   *operators = list_nth(scan->fdw_private, BTM_SCYLLA_SCAN_OPERATORS);

	if (table->npartition == 0 || list_length(attnums) != table->npartition)
		return false;
	for (int i = 0; i < table->npartition; i++)
		if (list_nth_int(attnums, i) != table->partition[i]->attnum ||
			list_nth_int(operators, i) != BTM_SCYLLA_EQ)
			return false;
	return true;
}

/*
 * PlanDirectModify.  The scan's fdw_private gets another element at the end:
 * whether the rows count for the command's tag.
 */
bool
btm_scylla_plan_direct(PlannerInfo *root, ModifyTable *plan, Index rtindex, int subplan)
{
	ForeignScan *scan = scan_of_delete(plan, rtindex);
	Relation	relation;
	bool		possible;

	if (scan == NULL)
		return false;
	relation = table_open(planner_rt_fetch(rtindex, root)->relid, NoLock);
	possible = is_partition(scan, btm_scylla_table(relation));
	table_close(relation, NoLock);
	if (!possible)
		return false;
	scan->operation = CMD_DELETE;
	scan->resultRelation = rtindex;
	scan->fdw_private = lappend(scan->fdw_private, makeBoolean(plan->canSetTag));
	return true;
}

void
btm_scylla_begin_direct(ForeignScanState *node, int eflags)
{
	btm_scylla_begin_scan(node, eflags);
}

/* The partition, by the values that its rows were read with. */
static void
delete_partition(ForeignScanState *node, const CqlBytes *key)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	BtmScyllaTable *table = btm_scylla_table(node->ss.ss_currentRelation);
	BtmScyllaTarget *target = btm_scylla_write_begin(table,
													 foreign_scan_user(plan, node->ss.ps.state));
	CqlBytes   *values = palloc(sizeof(CqlBytes) * table->ncolumns);
	BtmScyllaMutation mutation = {BTM_SCYLLA_DELETE_PARTITION, values};

	for (int i = 0; i < table->ncolumns; i++)
		values[i].length = CQL_LENGTH_UNSET;
	for (int i = 0; i < table->npartition; i++)
		values[table->partition[i] - table->columns] = key[i];
	btm_scylla_write(target, &mutation);
	btm_scylla_write_end(target);
}

/*
 * IterateDirectModify: all of it, at the first call.
 */
TupleTableSlot *
btm_scylla_iterate_direct(ForeignScanState *node)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	const CqlBytes *key;
	TupleTableSlot *slot = btm_scylla_iterate_scan(node);
	uint64		count = 0;

	while (!TupIsNull(slot))
	{
		CHECK_FOR_INTERRUPTS();
		count++;
		slot = btm_scylla_iterate_scan(node);
	}
	key = btm_scylla_scan_values(node);
	if (count > 0 && key != NULL)
		delete_partition(node, key);
	if (boolVal(llast(plan->fdw_private)))
		node->ss.ps.state->es_processed += count;
	if (node->ss.ps.instrument != NULL)
		node->ss.ps.instrument->tuplecount += count;
	return ExecClearTuple(slot);
}

void
btm_scylla_end_direct(ForeignScanState *node)
{
	btm_scylla_end_scan(node);
}

void
btm_scylla_explain_direct(ForeignScanState *node, ExplainState *es)
{
	BtmScyllaTable *table;
	List	   *markers;

	btm_scylla_explain_scan(node, es);
	if (!es->verbose)
		return;
	table = btm_scylla_table(node->ss.ss_currentRelation);
	ExplainPropertyText("Write CQL", btm_scylla_write_text(table, BTM_SCYLLA_DELETE_PARTITION,
														   NULL, &markers), es);
	btm_scylla_explain_write_mode(table, es);
}

/* -------
 * TRUNCATE
 * -------
 */

static void
truncate_table(Relation relation)
{
	BtmScyllaTable *table = btm_scylla_table(relation);
	BtmScyllaMutation mutation = {BTM_SCYLLA_TRUNCATE, NULL};
	BtmScyllaTarget *target;

	if (!table->truncatable)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("foreign table \"%s\" does not allow truncates",
						RelationGetRelationName(relation))));
	target = btm_scylla_write_begin(table, GetUserId());
	btm_scylla_write(target, &mutation);
	btm_scylla_write_end(target);
}

/*
 * ExecForeignTruncate.  Servers know neither CASCADE nor identity columns.
 */
void
btm_scylla_truncate(List *relations, DropBehavior behavior, bool restart_seqs)
{
	ListCell   *lc;

	foreach(lc, relations)
		truncate_table(lfirst(lc));
}
