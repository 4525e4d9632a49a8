/*-------------------------------------------------------------------------
 *
 * toggle.c
 *	  toggle(): detaches the given pairs that are attached, attaches the
 *	  others.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "executor/executor.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pivot/pivot.h"
#include "utils/rls.h"

BTM_FUNCTION(btm_toggle);

/* What a toggle has done; keys in no particular order. */
typedef struct ToggleReport
{
	BtmKeys		attached;
	BtmKeys		detached;
} ToggleReport;

/*
 * May all ids be deleted without a look at which of them are attached?  Not if
 * that might fail, or be noticed, where none of them is; nor if row security
 * hides from the DELETE what the caller sees.
 */
static bool
may_delete_unseen(const BtmResolved *rel)
{
	return rel->deletes_silently && ExecutorCheckPerms_hook == NULL &&
		pg_class_aclcheck(rel->pivot, GetUserId(), ACL_DELETE) == ACLCHECK_OK &&
		check_enable_rls(rel->pivot, InvalidOid, true) != RLS_ENABLED;
}

/*
 * Detaches what is attached.  `current` gets the keys of that, sorted.
 */
static void
detach_attached(BtmCall *call, const BtmIds *ids, BtmKeys *current,
				ToggleReport *report)
{
	const BtmPivotRoutine *routine = call->routine;

	if (may_delete_unseen(call->rel))
	{
		routine->delete_pairs(call, &ids->keys, &report->detached);
		btm_keys_sort_unique(&report->detached, call->rel->id);
		*current = report->detached;
		return;
	}
	btm_keys_init(current, call->rel->nid);
	routine->read_keys(call, &ids->keys, current);
	btm_keys_sort_unique(current, call->rel->id);
	if (current->n > 0)
		routine->delete_pairs(call, current, &report->detached);
}

/*
 * Detaches what is attached, of which the keys go to `current`, and attaches
 * the rest.  Returns the ids of which it could do neither.
 */
static const BtmIds *
toggle_once(BtmCall *call, const BtmIds *ids, BtmKeys *current,
			ToggleReport *report)
{
	BtmKeyColumn *columns = call->rel->id;
	BtmIds	   *rest;

	detach_attached(call, ids, current, report);
	rest = btm_ids_absent(ids, current, columns);
	if (rest->keys.n > 0)
		call->routine->insert_pairs(call, rest, BTM_CONFLICT_UNLIKELY,
									&report->attached);

	btm_keys_sort_unique(&report->detached, columns);
	btm_keys_sort_unique(&report->attached, columns);
	rest = btm_ids_absent(ids, &report->detached, columns);
	return btm_ids_absent(rest, &report->attached, columns);
}

/*
 * The end of ids that were not attached, and still could not be.  If they are
 * not attached now, they have a pair outside of the relation's filter, which a
 * unique index forbids to double: 23505, from the index itself.
 */
static void
attach_rest(BtmCall *call, const BtmIds *ids, ToggleReport *report)
{
	BtmKeys		found;

	if (ids->keys.n == 0)
		return;
	btm_keys_init(&found, call->rel->nid);
	call->routine->read_keys(call, &ids->keys, &found);
	btm_keys_sort_unique(&found, call->rel->id);
	ids = btm_ids_absent(ids, &found, call->rel->id);
	if (ids->keys.n > 0)
		call->routine->insert_pairs(call, ids, BTM_CONFLICT_ERROR,
									&report->attached);
}

/*
 * Detaches what is attached, attaches the rest.
 *
 * A pair that is gone when it is to be deleted, or there when it is to be
 * inserted, was detached or attached meanwhile: from the other side of the
 * relation, or by plain SQL.  It is then toggled from what it is now.  In the
 * end, what was attached and could not be deleted is left alone.
 */
static void
apply_toggle(BtmCall *call, const BtmIds *ids, ToggleReport *report)
{
	int			rounds = btm_max_rounds(call);
	BtmKeys		current;

	do
		ids = toggle_once(call, ids, &current, report);
	while (ids->keys.n > 0 && --rounds > 0);
	attach_rest(call, btm_ids_absent(ids, &current, call->rel->id), report);
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
	InitMaterializedSRF(call->fcinfo, MAT_SRF_USE_EXPECTED_DESC);
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
