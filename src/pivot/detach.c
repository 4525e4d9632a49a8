/*-------------------------------------------------------------------------
 *
 * detach.c
 *	  detach(): removes pairs from a parent.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "pivot/pivot.h"

BTM_FUNCTION(btm_detach);
BTM_FUNCTION(btm_detach_all);

/*
 * Removes the given pairs, or all in scope if ids is NULL.  Returns the number
 * of rows.
 */
static uint64
detach(BtmCall *call, const BtmIds *ids)
{
	uint64		nrows;

	btm_connect(call);
	btm_lock_for_write(call, ids ? BTM_WRITE_EXISTING : BTM_WRITE_ALL, ids);
	nrows = call->routine->delete_pairs(call, ids ? &ids->keys : NULL, NULL);
	SPI_finish();
	return nrows;
}

/*
 * detach(relation, parent_id, ids) returns integer
 */
Datum
btm_detach(PG_FUNCTION_ARGS)
{
	BtmCall    *call = btm_call_begin(fcinfo, "detach", RowExclusiveLock);
	BtmIds	   *ids;
	uint64		nrows = 0;

	btm_call_set_parent(call, 1, false);
	ids = btm_ids_arg(call, 2, -1,
					  "To detach everything, call detach(relation, parent_id).");
	if (ids->keys.n > 0)
		nrows = detach(call, ids);
	return btm_call_return_count(call, nrows);
}

/*
 * detach(relation, parent_id) returns integer
 */
Datum
btm_detach_all(PG_FUNCTION_ARGS)
{
	BtmCall    *call = btm_call_begin(fcinfo, "detach", RowExclusiveLock);
	uint64		nrows;

	btm_call_set_parent(call, 1, false);
	nrows = detach(call, NULL);
	return btm_call_return_count(call, nrows);
}
