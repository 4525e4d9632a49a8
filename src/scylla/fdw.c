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
	routine->BeginForeignScan = btm_scylla_begin_scan;
	routine->IterateForeignScan = btm_scylla_iterate_scan;
	routine->ReScanForeignScan = btm_scylla_rescan;
	routine->EndForeignScan = btm_scylla_end_scan;
	routine->ExplainForeignScan = btm_scylla_explain_scan;
	routine->ImportForeignSchema = btm_scylla_import;
	PG_RETURN_POINTER(routine);
}
