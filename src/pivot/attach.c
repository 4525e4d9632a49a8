/*-------------------------------------------------------------------------
 *
 * attach.c
 *	  attach(): adds pairs to a parent.  lock_relation(): takes a parent's
 *	  lock ahead of several calls.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/xact.h"
#include "pivot/pivot.h"
#include "utils/lsyscache.h"

BTM_FUNCTION(btm_attach);
BTM_FUNCTION(btm_lock_relation);

/*
 * on_conflict => 'error' where no unique index raises the error: 23505 if one
 * of the pairs exists in the relation's scope.
 */
static void
check_none_attached(BtmCall *call, const BtmIds *ids)
{
	BtmKeys		found;

	btm_keys_init(&found, call->rel->nid);
	call->routine->read_keys(call, &ids->keys, &found);
	if (found.n > 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("the pair is attached already in \"%s\"",
						get_rel_name(call->rel->pivot)),
				 errdetail("Key %s is attached to this parent.",
						   btm_key_describe(call->rel->id, found.nid,
											BTM_KEY(&found, 0)))));
}

/*
 * Attaches the ids, of which there is at least one.  Returns the number of
 * rows inserted, and with UPDATE changed.
 */
static uint64
attach(BtmCall *call, const BtmIds *ids, BtmConflict conflict)
{
	uint64		nrows;

	btm_connect(call);
	btm_lock_for_write(call, conflict == BTM_CONFLICT_UPDATE ?
					   BTM_WRITE_ATTACH_UPDATE : BTM_WRITE_ATTACH, ids);
	if (conflict == BTM_CONFLICT_ERROR && !btm_has_arbiter(call->rel) &&
		!call->rel->pair_is_row)
		check_none_attached(call, ids);
	nrows = call->routine->insert_pairs(call, ids, conflict, NULL);
	SPI_finish();
	return nrows;
}

/*
 * attach(relation, parent_id, ids, attributes, on_conflict) returns integer
 */
Datum
btm_attach(PG_FUNCTION_ARGS)
{
	BtmCall    *call = btm_call_begin(fcinfo, "attach", RowExclusiveLock);
	BtmConflict conflict = btm_conflict_arg(call, 4);
	BtmIds	   *ids;
	uint64		nrows = 0;

	btm_call_set_parent(call, 1, false);
	ids = btm_ids_arg(call, 2, 3,
					  "An empty list attaches nothing.");
	if (ids->keys.n > 0)
		nrows = attach(call, ids, conflict);
	return btm_call_return_count(call, nrows);
}

/*
 * lock_relation(relation, parent_id, exclusive) returns void
 *
 * Takes the lock that operations on this parent take.  Like them it asks for
 * some privilege to write.  And like them it fails at REPEATABLE READ and above
 * if the transaction's snapshot does not show the parent's rows as they are:
 * what the caller reads under the lock must be what there is.
 */
Datum
btm_lock_relation(PG_FUNCTION_ARGS)
{
	BtmCall    *call = btm_call_begin(fcinfo, "lock_relation",
									  RowExclusiveLock);

	if (PG_ARGISNULL(2))
		btm_null_argument(call, "exclusive", NULL);
	btm_call_set_parent(call, 1, false);
	btm_lock_parent(call, PG_GETARG_BOOL(2));
	if (IsolationUsesXactSnapshot())
	{
		btm_connect(call);
		call->routine->check_snapshot(call, NULL);
		SPI_finish();
	}

	btm_call_end(call);
	PG_RETURN_VOID();
}
