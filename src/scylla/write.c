/*-------------------------------------------------------------------------
 *
 * write.c
 *	  What becomes of mutations: where write_mode is looked at.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "scylla/fdw.h"
#include "scylla/pending.h"
#include "scylla/sender.h"
#include "utils/lsyscache.h"

/* Refuses what no statement may write to. */
static void
check_updatable(const BtmScyllaTable *table)
{
	if (!table->updatable)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("foreign table \"%s\" does not allow writes", get_rel_name(table->relid)),
				 errdetail("Its option \"%s\" is false.", "updatable")));
	btm_scylla_check_declared_key(table);
}

BtmScyllaTarget *
btm_scylla_write_begin(const BtmScyllaTable *table, Oid userid)
{
	BtmScyllaTarget *target = palloc0(sizeof(BtmScyllaTarget));

	check_updatable(table);
	target->table = table;
	target->cluster = btm_scylla_cluster(table->serverid, userid);
	btm_scylla_check_key(target->cluster, table);
	if (table->write_mode == BTM_SCYLLA_IMMEDIATE)
		target->sender = btm_scylla_sender_create(target->cluster, table, CurrentMemoryContext);
	else
		target->pending = btm_scylla_pending_begin(target->cluster, table);
	return target;
}

void
btm_scylla_write(BtmScyllaTarget *target, const BtmScyllaMutation *mutation)
{
	if (target->pending != NULL)
		btm_scylla_pending_add(target->pending, mutation);
	else
		btm_scylla_sender_add(target->sender, mutation, btm_scylla_next_timestamp());
}

void
btm_scylla_write_end(BtmScyllaTarget *target)
{
	if (target->sender == NULL)
		return;
	btm_scylla_sender_finish(target->sender);
	btm_scylla_sender_free(target->sender);
	target->sender = NULL;
}
