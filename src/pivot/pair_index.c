/*-------------------------------------------------------------------------
 *
 * pair_index.c
 *	  The index by which a kept plan looks given pairs up.
 *
 * A statement about given pairs of one parent finds each in the unique index
 * on the pair.  To the planner an index on the related key alone may look as
 * good, as long as statistics say that it has one row for each value; it is
 * smaller, too.  A plan that is kept must not bet on that: there may be a
 * role that every user has.  So, while such a plan is made, the planner is
 * shown no other index of the pivot.
 *
 * Other uses of the pivot in the same statement, in a policy for example, are
 * subqueries, and may use all indexes.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "nodes/pathnodes.h"
#include "optimizer/plancat.h"
#include "pivot/pair_index.h"

BtmPairIndex btm_pair_index = {InvalidOid, InvalidOid};

static get_relation_info_hook_type previous_hook = NULL;

/*
 * The index that is to be used for a relation's pairs, if there is one on just
 * the pair.  (Indexes of partitions are others than that of the pivot.)
 */
BtmPairIndex
btm_pair_index_of(const BtmResolved *rel)
{
	BtmPairIndex result = {InvalidOid, InvalidOid};

	if (!OidIsValid(rel->unique_index) || rel->narbiter != rel->nfk + rel->nid)
		return result;
	result.table = rel->pivot;
	result.index = rel->unique_index;
	return result;
}

/*
 * get_relation_info_hook: hides the other indexes.
 */
static void
hide_indexes(PlannerInfo *root, Oid relid, bool inhparent, RelOptInfo *rel)
{
	ListCell   *lc;

	if (previous_hook)
		previous_hook(root, relid, inhparent, rel);
	if (relid != btm_pair_index.table || root->query_level > 1)
		return;
	foreach(lc, rel->indexlist)
	{
		IndexOptInfo *index = lfirst_node(IndexOptInfo, lc);

		if (index->indexoid == btm_pair_index.index)
		{
			rel->indexlist = list_make1(index);
			return;
		}
	}
}

/*
 * Installs the hook; called once, when the library is loaded.
 */
void
btm_pair_index_init(void)
{
	previous_hook = get_relation_info_hook;
	get_relation_info_hook = hide_indexes;
}
