/*-------------------------------------------------------------------------
 *
 * pair_index.h
 *	  The index by which a kept plan looks given pairs up.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_PAIR_INDEX_H
#define BTM_PAIR_INDEX_H

#include "relation/resolve.h"

/* The table that has one, and the index; InvalidOid: any may be used. */
typedef struct BtmPairIndex
{
	Oid			table;
	Oid			index;
} BtmPairIndex;

/* What the planner is bound by.  Whoever sets it sets it back. */
extern BtmPairIndex btm_pair_index;

extern BtmPairIndex btm_pair_index_of(const BtmResolved *rel);
extern void btm_pair_index_init(void);

#endif							/* BTM_PAIR_INDEX_H */
