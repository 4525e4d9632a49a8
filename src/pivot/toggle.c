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
 * Those ids that are in one of two sorted lists of keys, but not in both.
 */
static BtmIds *
ids_in_one(const BtmIds *ids, const BtmKeys *a, const BtmKeys *b,
		   BtmKeyColumn *columns)
{
	bool	   *keep = palloc_extended(ids->keys.n + 1, MCXT_ALLOC_HUGE);
	BtmIds	   *result;

	for (int64 i = 0; i < ids->keys.n; i++)
	{
		const Datum *key = BTM_KEY(&ids->keys, i);

		keep[i] = btm_keys_contain(a, columns, key) !=
			btm_keys_contain(b, columns, key);
	}
	result = btm_ids_subset(ids, keep);
	pfree(keep);
	return result;
}

/*
 * Looks again for ids that could be neither detached nor attached; `before`
 * has the keys that were attached when they were looked for first.
 *
 * What is still absent has a pair outside of the relation's filter, which a
 * unique index forbids to double: 23505, from the index itself.  What is still
 * attached may not be deleted, and is left alone.  The others were attached or
 * detached meanwhile, from the other side of the relation or by plain SQL:
 * these are returned.  (Where rules or triggers redirect rows, it may just as
 * well have been one of them, and the ids are left alone.)
 */
static const BtmIds *
look_again(BtmCall *call, const BtmIds *ids, const BtmKeys *before,
		   ToggleReport *report)
{
	BtmKeyColumn *columns = call->rel->id;
	BtmKeys		after;
	BtmIds	   *absent;

	if (ids->keys.n == 0)
		return ids;
	btm_keys_init(&after, call->rel->nid);
	call->routine->read_keys(call, &ids->keys, &after);
	btm_keys_sort_unique(&after, columns);

	absent = btm_ids_absent(btm_ids_absent(ids, before, columns),
							&after, columns);
	if (absent->keys.n > 0)
		call->routine->insert_pairs(call, absent, BTM_CONFLICT_ERROR,
									&report->attached);
	if (call->rel->may_redirect)
		return btm_ids_absent(ids, &ids->keys, columns);
	return ids_in_one(ids, before, &after, columns);
}

/*
 * Detaches what is attached, attaches the rest.  Returns the ids that another
 * transaction has attached or detached meanwhile: they are to be toggled from
 * what they are now.
 */
static const BtmIds *
toggle_once(BtmCall *call, const BtmIds *ids, ToggleReport *report)
{
	const BtmPivotRoutine *routine = call->routine;
	BtmKeyColumn *columns = call->rel->id;
	BtmKeys		current;
	BtmIds	   *rest;

	btm_keys_init(&current, call->rel->nid);
	routine->read_keys(call, &ids->keys, &current);
	btm_keys_sort_unique(&current, columns);

	if (current.n > 0)
		routine->delete_pairs(call, &current, &report->detached);
	rest = btm_ids_absent(ids, &current, columns);
	if (rest->keys.n > 0)
		routine->insert_pairs(call, rest, BTM_CONFLICT_IGNORE,
							  &report->attached);

	btm_keys_sort_unique(&report->detached, columns);
	btm_keys_sort_unique(&report->attached, columns);
	rest = btm_ids_absent(ids, &report->detached, columns);
	rest = btm_ids_absent(rest, &report->attached, columns);
	return look_again(call, rest, &current, report);
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
	const BtmIds *rest;
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
		rest = ids;
		while (rest->keys.n > 0)
			rest = toggle_once(call, rest, &report);
		SPI_finish();
	}
	return_report(call, ids, &report);
	btm_call_end(call);
	return (Datum) 0;
}
