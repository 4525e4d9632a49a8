/*-------------------------------------------------------------------------
 *
 * difference.c
 *	  The difference between given ids and current keys; what sync and toggle
 *	  share.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/xact.h"
#include "pivot/pivot.h"

/*
 * Those ids whose key is in a sorted list (or is not, if !present).
 */
static BtmIds *
select_ids(const BtmIds *ids, const BtmKeys *sorted, BtmKeyColumn *columns,
		   bool present)
{
	bool	   *keep = palloc_extended(ids->keys.n + 1, MCXT_ALLOC_HUGE);
	BtmIds	   *result;
	int64		at = 0;

	for (int64 i = 0; i < ids->keys.n; i++)
		keep[i] = btm_keys_find_next(sorted, columns, BTM_KEY(&ids->keys, i),
									 &at) == present;
	result = btm_ids_subset(ids, keep);
	pfree(keep);
	return result;
}

/*
 * The ids whose key is in a sorted list of keys.
 */
BtmIds *
btm_ids_present(const BtmIds *ids, const BtmKeys *sorted,
				BtmKeyColumn *columns)
{
	return select_ids(ids, sorted, columns, true);
}

/*
 * The ids whose key is not in a sorted list of keys.
 */
BtmIds *
btm_ids_absent(const BtmIds *ids, const BtmKeys *sorted,
			   BtmKeyColumn *columns)
{
	return select_ids(ids, sorted, columns, false);
}

/*
 * The keys of `a` that are not in `b`; both are sorted.
 */
BtmKeys
btm_keys_minus(const BtmKeys *a, const BtmKeys *b, BtmKeyColumn *columns)
{
	BtmKeys		result;
	int64		at = 0;

	btm_keys_init(&result, a->nid);
	for (int64 i = 0; i < a->n; i++)
		if (!btm_keys_find_next(b, columns, BTM_KEY(a, i), &at))
			memcpy(btm_keys_add(&result), BTM_KEY(a, i),
				   sizeof(Datum) * a->nid);
	return result;
}

/*
 * The ids that a write has returned, as a JSON array in input order, each
 * once.  Sorts `returned`.
 */
Datum
btm_ids_report(const BtmIds *ids, BtmKeys *returned, BtmKeyColumn *columns)
{
	btm_keys_sort_unique(returned, columns);
	return JsonbPGetDatum(btm_ids_to_jsonb(btm_ids_present(ids, returned,
														   columns), columns));
}

/*
 * How often a call tries to attach or detach a pair that others attach and
 * detach meanwhile.
 *
 * Nothing tells such a pair from one that cannot be had, because it is out of
 * the relation's filter or because row security forbids it; so there is an end
 * to it.  Nor is a rule or trigger to be told from another session that does
 * something else with the row than to insert or delete it; where there are
 * any, a pair is tried once.
 */
int
btm_max_rounds(const BtmCall *call)
{
	return call->rel->may_redirect || IsolationUsesXactSnapshot() ? 1 : 3;
}
