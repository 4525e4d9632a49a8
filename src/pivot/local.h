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

/* Does the shape have this column? */
extern bool btm_shape_has(const BtmShape *shape, AttrNumber attnum);

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

#endif							/* BTM_LOCAL_H */
