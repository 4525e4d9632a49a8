/*-------------------------------------------------------------------------
 *
 * belongs_to_many.c
 *	  The module: its magic block, and one init call per subsystem.
 *
 * Dependencies between the folders point one way:
 *
 *		belongs_to_many.c -> {pivot, scylla} -> relation -> PostgreSQL
 *		scylla -> cql -> libc
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "pivot/estimate.h"
#include "pivot/pair_index.h"
#include "pivot/pivot.h"
#include "pivot/plan.h"
#include "scylla/connection.h"
#include "scylla/pending.h"
#include "utils/guc.h"

/* PG_MODULE_MAGIC's function must be seen by the server. */
extern BTM_EXPORT const Pg_magic_struct *PG_MAGIC_FUNCTION_NAME(void);

PG_MODULE_MAGIC;

extern BTM_EXPORT void _PG_init(void);

/*
 * Called once per backend, when the library is loaded.
 */
void
_PG_init(void)
{
	btm_cache_init(btm_plan_free_all);
	btm_lock_init();
	btm_bulk_init();
	btm_estimate_init();
	btm_pair_index_init();
	btm_scylla_connection_init();
	btm_scylla_pending_init();

	MarkGUCPrefixReserved("belongs_to_many");
}
