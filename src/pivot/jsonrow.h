/*-------------------------------------------------------------------------
 *
 * jsonrow.h
 *	  Result rows as jsonb, and arrays of them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_JSONROW_H
#define BTM_JSONROW_H

#include "postgres.h"

#include "executor/tuptable.h"
#include "utils/jsonb.h"

/* How the rows of one statement become objects: opaque. */
typedef struct BtmJsonShape BtmJsonShape;

/* One object of a list: its container, without the varlena header. */
typedef struct BtmJsonItem
{
	struct BtmJsonItem *next;
	uint32		len;
	char		data[FLEXIBLE_ARRAY_MEMBER];
} BtmJsonItem;

/* Objects that are to be an array; all zero is the empty list. */
typedef struct BtmJsonList
{
	BtmJsonItem *head;
	BtmJsonItem *tail;
	uint32		n;
	uint32		size;			/* bytes of the array's container, at most */
} BtmJsonList;

extern BtmJsonShape *btm_json_shape(TupleDesc desc, int first, int nrelated,
									const char *pivot_as);
extern Jsonb *btm_json_row(BtmJsonShape *shape, TupleTableSlot *slot);

extern void btm_json_list_add(BtmJsonList *list, const Jsonb *object);
extern Jsonb *btm_json_list_to_array(const BtmJsonList *list);

#endif							/* BTM_JSONROW_H */
