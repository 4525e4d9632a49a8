/*-------------------------------------------------------------------------
 *
 * fdw.c
 *	  The foreign data wrapper's handler.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "optimizer/restrictinfo.h"
#include "scylla/fdw.h"

BTM_FUNCTION(btm_scylla_handler);

/* A scan without a relation of its own is a count. */
static bool
is_count(ForeignScanState *node)
{
	return ((ForeignScan *) node->ss.ps.plan)->scan.scanrelid == 0;
}

static void
begin(ForeignScanState *node, int eflags)
{
	if (is_count(node))
		btm_scylla_begin_count(node, eflags);
	else
		btm_scylla_begin_scan(node, eflags);
}

static TupleTableSlot *
iterate(ForeignScanState *node)
{
	return is_count(node) ? btm_scylla_iterate_count(node) : btm_scylla_iterate_scan(node);
}

static void
rescan(ForeignScanState *node)
{
	if (is_count(node))
		btm_scylla_rescan_count(node);
	else
		btm_scylla_rescan(node);
}

static void
end(ForeignScanState *node)
{
	if (is_count(node))
		btm_scylla_end_count(node);
	else
		btm_scylla_end_scan(node);
}

/*
 * scylla_handler(): the wrapper's callbacks.
 */
Datum
btm_scylla_handler(PG_FUNCTION_ARGS)
{
	FdwRoutine *routine = makeNode(FdwRoutine);

	routine->GetForeignRelSize = btm_scylla_rel_size;
	routine->GetForeignPaths = btm_scylla_paths;
	routine->GetForeignPlan = btm_scylla_plan;
	routine->GetForeignUpperPaths = btm_scylla_upper_paths;
	routine->BeginForeignScan = begin;
	routine->IterateForeignScan = iterate;
	routine->ReScanForeignScan = rescan;
	routine->EndForeignScan = end;
	routine->ExplainForeignScan = btm_scylla_explain_scan;
	routine->AddForeignUpdateTargets = btm_scylla_update_targets;
	routine->PlanForeignModify = btm_scylla_plan_modify;
	routine->BeginForeignModify = btm_scylla_begin_modify;
	routine->ExecForeignInsert = btm_scylla_exec_insert;
	routine->ExecForeignUpdate = btm_scylla_exec_update;
	routine->ExecForeignDelete = btm_scylla_exec_delete;
	routine->EndForeignModify = btm_scylla_end_modify;
	routine->BeginForeignInsert = btm_scylla_begin_insert;
	routine->EndForeignInsert = btm_scylla_end_modify;
	routine->IsForeignRelUpdatable = btm_scylla_updatable;
	routine->ExplainForeignModify = btm_scylla_explain_modify;
	routine->PlanDirectModify = btm_scylla_plan_direct;
	routine->BeginDirectModify = btm_scylla_begin_direct;
	routine->IterateDirectModify = btm_scylla_iterate_direct;
	routine->EndDirectModify = btm_scylla_end_direct;
	routine->ExplainDirectModify = btm_scylla_explain_direct;
	routine->ExecForeignTruncate = btm_scylla_truncate;
	routine->AnalyzeForeignTable = btm_scylla_analyze;
	routine->ImportForeignSchema = btm_scylla_import;
	PG_RETURN_POINTER(routine);
}
