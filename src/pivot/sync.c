/*-------------------------------------------------------------------------
 *
 * sync.c
 *	  sync(): makes the pairs of a parent those that are given.
 *
 * The current keys are read once, under the parent's lock; the difference to
 * the given ids is taken in memory, and applied in the order delete, update,
 * insert, so that unique constraints on other columns of the pivot hold.
 *
 * The lock does not hold up the other side of the relation, nor plain SQL: a
 * pair may come or go between the reading and the writing, and is then looked
 * for once more.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/xact.h"
#include "funcapi.h"
#include "pivot/pivot.h"

BTM_FUNCTION(btm_sync);
BTM_FUNCTION(btm_sync_without_detaching);

/* What a sync has done; keys in no particular order. */
typedef struct SyncReport
{
	BtmKeys		attached;
	BtmKeys		detached;
	BtmKeys		updated;
} SyncReport;

/*
 * Inserts pairs, and changes those that are there all the same: a session has
 * made them since they were looked for, which is as good as if we had.
 * Returns the ids that were neither inserted nor there.
 */
static const BtmIds *
attach_once(BtmCall *call, const BtmIds *ids, SyncReport *report)
{
	const BtmPivotRoutine *routine = call->routine;
	BtmKeyColumn *columns = call->rel->id;
	BtmIds	   *rest;
	BtmKeys		found;

	routine->insert_pairs(call, ids, BTM_CONFLICT_UNLIKELY, &report->attached);
	btm_keys_sort_unique(&report->attached, columns);
	rest = btm_ids_absent(ids, &report->attached, columns);
	if (rest->keys.n == 0)
		return rest;

	btm_keys_init(&found, call->rel->nid);
	routine->read_keys(call, &rest->keys, &found);
	if (found.n > 0)
		routine->update_pairs(call, rest, &report->updated);
	btm_keys_sort_unique(&found, columns);
	return btm_ids_absent(rest, &found, columns);
}

/*
 * Attaches pairs that were not in scope when they were looked for.
 *
 * What can be neither inserted nor found has a pair outside of the relation's
 * filter, which a unique index forbids to double: 23505, from the index
 * itself.
 */
static void
attach_missing(BtmCall *call, const BtmIds *ids, SyncReport *report)
{
	int			rounds = btm_max_rounds(call);

	while (ids->keys.n > 0 && rounds-- > 0)
		ids = attach_once(call, ids, report);
	if (ids->keys.n > 0)
		call->routine->insert_pairs(call, ids, BTM_CONFLICT_ERROR,
									&report->attached);
}

/*
 * Changes the pairs that exist.
 *
 * One that could not be changed may have been deleted while its row was waited
 * for, from the other side of the relation or by plain SQL: it is taken out of
 * `current`.  (At REPEATABLE READ and above that wait ends with 40001.)
 */
static void
update_existing(BtmCall *call, const BtmIds *ids, BtmKeys *current,
				SyncReport *report)
{
	BtmKeyColumn *columns = call->rel->id;
	BtmIds	   *existing;
	BtmKeys		found;

	if (ids->nshapes == 1)
		return;					/* nobody has attributes */
	existing = btm_ids_present(ids, current, columns);
	if (existing->keys.n == 0)
		return;
	call->routine->update_pairs(call, existing, &report->updated);
	btm_keys_sort_unique(&report->updated, columns);
	existing = btm_ids_absent(existing, &report->updated, columns);
	if (existing->keys.n == 0 || IsolationUsesXactSnapshot())
		return;

	btm_keys_init(&found, call->rel->nid);
	call->routine->read_keys(call, &existing->keys, &found);
	btm_keys_sort_unique(&found, columns);
	existing = btm_ids_absent(existing, &found, columns);
	*current = btm_keys_minus(current, &existing->keys, columns);
}

/*
 * Applies the difference between the given ids and the current keys.
 */
static void
apply_sync(BtmCall *call, const BtmIds *ids, bool detaching, SyncReport *report)
{
	const BtmPivotRoutine *routine = call->routine;
	BtmKeys		current;
	BtmKeys		surplus;

	btm_keys_init(&current, call->rel->nid);
	routine->read_keys(call, detaching ? NULL : &ids->keys, &current);
	btm_keys_sort_unique(&current, call->rel->id);

	if (detaching)
	{
		surplus = btm_keys_minus(&current, &ids->keys, call->rel->id);
		btm_keys_check_report(&surplus, call->rel->id);
		if (surplus.n > 0)
			routine->delete_pairs(call, &surplus, &report->detached);
	}
	update_existing(call, ids, &current, report);
	attach_missing(call, btm_ids_absent(ids, &current, call->rel->id), report);
}

/*
 * The one row of the report, in the memory context of the caller's query.
 */
static void
return_report(BtmCall *call, const BtmIds *ids, SyncReport *report)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) call->fcinfo->resultinfo;
	Datum		values[3];
	bool		nulls[3] = {false};

	btm_keys_sort_unique(&report->detached, call->rel->id);
	values[0] = btm_ids_report(ids, &report->attached, call->rel->id);
	values[1] = JsonbPGetDatum(btm_keys_to_jsonb(&report->detached,
												 call->rel->id));
	values[2] = btm_ids_report(ids, &report->updated, call->rel->id);
	InitMaterializedSRF(call->fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * The body of both functions.
 */
static Datum
sync_common(BtmCall *call, bool detaching, int attributes_argno)
{
	SyncReport	report;
	BtmIds	   *ids;
	MemoryContext oldcxt;

	btm_call_set_parent(call, 1, false);
	ids = btm_ids_arg(call, 2, attributes_argno, detaching ?
					  "An empty list detaches everything; so does detach(relation, parent_id)." :
					  "An empty list changes nothing.");

	oldcxt = MemoryContextSwitchTo(call->cxt);
	btm_keys_check_report(&ids->keys, call->rel->id);
	btm_keys_init(&report.attached, call->rel->nid);
	btm_keys_init(&report.detached, call->rel->nid);
	btm_keys_init(&report.updated, call->rel->nid);
	MemoryContextSwitchTo(oldcxt);

	if (detaching || ids->keys.n > 0)
	{
		btm_connect(call);
		btm_lock_for_write(call, detaching ? BTM_WRITE_REPLACE :
						   BTM_WRITE_DIFFERENCE, ids);
		apply_sync(call, ids, detaching, &report);
		SPI_finish();
	}
	return_report(call, ids, &report);
	btm_call_end(call);
	return (Datum) 0;
}

/*
 * sync(relation, parent_id, ids, detaching, attributes)
 *		returns table (attached jsonb, detached jsonb, updated jsonb)
 */
Datum
btm_sync(PG_FUNCTION_ARGS)
{
	BtmCall    *call = btm_call_begin(fcinfo, "sync", RowExclusiveLock);

	if (PG_ARGISNULL(3))
		btm_null_argument(call, "detaching", NULL);
	return sync_common(call, PG_GETARG_BOOL(3), 4);
}

/*
 * sync_without_detaching(relation, parent_id, ids, attributes): likewise
 */
Datum
btm_sync_without_detaching(PG_FUNCTION_ARGS)
{
	return sync_common(btm_call_begin(fcinfo, "sync_without_detaching",
									  RowExclusiveLock), false, 3);
}
