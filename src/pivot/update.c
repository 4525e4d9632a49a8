/*-------------------------------------------------------------------------
 *
 * update.c
 *	  update_existing_pivot(): changes attributes of pairs that exist.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "pivot/pivot.h"

BTM_FUNCTION(btm_update_existing_pivot);

/*
 * Changes the rows of these ids.  Returns the number of rows that changed.
 */
static uint64
update_existing(BtmCall *call, const BtmIds *ids)
{
	uint64		nrows;

	btm_connect(call);
	btm_lock_for_write(call, BTM_WRITE_EXISTING, ids);
	nrows = call->routine->update_pairs(call, ids, NULL);
	SPI_finish();
	return nrows;
}

/*
 * update_existing_pivot(relation, parent_id, ids, attributes) returns integer
 */
Datum
btm_update_existing_pivot(PG_FUNCTION_ARGS)
{
	BtmCall    *call = btm_call_begin(fcinfo, "update_existing_pivot",
									  RowExclusiveLock);
	BtmIds	   *ids;
	uint64		nrows = 0;

	btm_call_set_parent(call, 1, false);
	ids = btm_ids_arg(call, 2, 3,
					  "To update every row, use pivot_predicate() in an UPDATE of your own.");
	if (ids->keys.n > 0 && ids->nshapes > 1)
		nrows = update_existing(call, ids);
	return btm_call_return_count(call, nrows);
}
