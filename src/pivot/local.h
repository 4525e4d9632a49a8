/*-------------------------------------------------------------------------
 *
 * local.h
 *	  Between local.c, which writes to local pivots by SQL, and bulk.c, which
 *	  does the same for many pairs at once.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_LOCAL_H
#define BTM_LOCAL_H

#include "pivot/pivot.h"

/* ---- local.c ---- */

/* Inserts by SQL; as BtmPivotRoutine.insert_pairs, but for UPDATE. */
extern uint64 btm_local_insert(BtmCall *call, const BtmIds *ids,
							   BtmConflict conflict, BtmKeys *inserted);

/* Which of these keys would IGNORE leave out? */
extern void btm_local_read_conflicts(BtmCall *call, const BtmKeys *among,
									 BtmKeys *found);

/* ---- bulk.c ---- */

extern bool btm_bulk_insert(BtmCall *call, const BtmIds *ids,
							BtmConflict conflict, BtmKeys *inserted,
							uint64 *nrows);

/*
 * For a pivot that has no bulk path: 0A000 if the user insists on it.
 */
extern void btm_bulk_refuse(BtmCall *call, const BtmIds *ids,
							BtmConflict conflict);

#endif							/* BTM_LOCAL_H */
