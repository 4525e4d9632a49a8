/*-------------------------------------------------------------------------
 *
 * toggle.c
 *	  toggle(): detaches the given pairs that are attached, attaches the
 *	  others.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "funcapi.h"
#include "pivot/pivot.h"

BTM_FUNCTION(btm_toggle);

/* What a toggle has done; keys in no particular order. */
typedef struct ToggleReport
{
	BtmKeys		attached;
	BtmKeys		detached;
} ToggleReport;

/*
 * Detaches what is attached, attaches the rest.
 */
static void
apply_toggle(BtmCall *call, const BtmIds *ids, ToggleReport *report)
{
	const BtmPivotRoutine *routine = call->routine;
	BtmKeys		current;
	BtmIds	   *missing;

	btm_keys_init(&current, call->rel->nid);
	routine->read_keys(call, &ids->keys, &current);
	btm_keys_sort_unique(&current, call->rel->id);

	if (current.n > 0)
		routine->delete_pairs(call, &current, &report->detached);
	missing = btm_ids_absent(ids, &current, call->rel->id);
	btm_attach_missing(call, missing, &report->attached, NULL);
}

/*
 * The one row of the report, in the memory context of the caller's query.
 */
static void
return_report(BtmCall *call, const BtmIds *ids, ToggleReport *report)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) call->fcinfo->resultinfo;
	Datum		values[2];
	bool		nulls[2] = {false};

	btm_keys_sort_unique(&report->detached, call->rel->id);
	values[0] = btm_ids_report(ids, &report->attached, call->rel->id);
	values[1] = JsonbPGetDatum(btm_keys_to_jsonb(&report->detached,
												 call->rel->id));
	InitMaterializedSRF(call->fcinfo, 0);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * toggle(relation, parent_id, ids, attributes)
 *		returns table (attached jsonb, detached jsonb)
 */
Datum
btm_toggle(PG_FUNCTION_ARGS)
{
	BtmCall    *call = btm_call_begin(fcinfo, "toggle", RowExclusiveLock);
	ToggleReport report;
	BtmIds	   *ids;
	MemoryContext oldcxt;

	btm_call_set_parent(call, 1, false);
	ids = btm_ids_arg(call, 2, 3, "An empty list toggles nothing.");

	oldcxt = MemoryContextSwitchTo(call->cxt);
	btm_keys_check_report(&ids->keys, call->rel->id);
	btm_keys_init(&report.attached, call->rel->nid);
	btm_keys_init(&report.detached, call->rel->nid);
	MemoryContextSwitchTo(oldcxt);

	if (ids->keys.n > 0)
	{
		btm_connect(call);
		btm_lock_for_write(call, BTM_WRITE_DIFFERENCE, ids);
		apply_toggle(call, ids, &report);
		SPI_finish();
	}
	return_report(call, ids, &report);
	btm_call_end(call);
	return (Datum) 0;
}
