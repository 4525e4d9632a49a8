/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  Differences between the supported PostgreSQL major versions.
 *
 * This is the only file that looks at PG_VERSION_NUM.  Each wrapper has the
 * shape of the newest server's interface, so that a wrapper can be deleted
 * together with the last version that needs it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_COMPAT_H
#define BTM_COMPAT_H

#include "postgres.h"

#include "access/genam.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_namespace.h"
#include "fmgr.h"
#include "storage/lock.h"
#include "utils/acl.h"
#include "utils/regproc.h"

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "belongs_to_many supports PostgreSQL 15 to 18"
#endif

/*
 * Symbols are hidden by default (-fvisibility=hidden); what the server looks
 * up by name is exported here.  PGDLLEXPORT is empty before version 16, so it
 * cannot be relied on.
 */
#define BTM_EXPORT __attribute__((visibility("default")))

#define BTM_FUNCTION(name) \
	extern BTM_EXPORT const Pg_finfo_record *pg_finfo_##name(void); \
	extern BTM_EXPORT Datum name(PG_FUNCTION_ARGS); \
	PG_FUNCTION_INFO_V1(name)

/* pg_noreturn goes before the declaration; it came in version 18. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn __attribute__((noreturn))
#endif

/* object_ownercheck replaced the per-catalog functions in version 16. */
#if PG_VERSION_NUM < 160000
static inline bool
object_ownercheck(Oid classid, Oid objectid, Oid roleid)
{
	Assert(classid == RelationRelationId);
	return pg_class_ownercheck(objectid, roleid);
}

/* object_aclcheck likewise; the extension asks about schemas and servers. */
static inline AclResult
object_aclcheck(Oid classid, Oid objectid, Oid roleid, AclMode mode)
{
	if (classid == ForeignServerRelationId)
		return pg_foreign_server_aclcheck(objectid, roleid, mode);
	Assert(classid == NamespaceRelationId);
	return pg_namespace_aclcheck(objectid, roleid, mode);
}
#endif

/* LockHeldByMe can ask for stronger modes, too, since version 17. */
#if PG_VERSION_NUM < 170000
#define LockHeldByMe(locktag, lockmode, orstronger) \
	LockHeldByMe(locktag, lockmode)
#endif

/* stringToQualifiedNameList can report errors softly since version 16. */
#if PG_VERSION_NUM < 160000
#define stringToQualifiedNameList(string, escontext) \
	stringToQualifiedNameList(string)
#endif

/* Temporal keys (PERIOD, WITHOUT OVERLAPS) came in version 18. */
#if PG_VERSION_NUM >= 180000
#define constraint_is_temporal(form) ((form)->conperiod)
#else
#define constraint_is_temporal(form) false
#endif

/* NOT ENFORCED came in version 18. */
#if PG_VERSION_NUM >= 180000
#define foreign_key_enforced(info) ((info)->conenforced)
#else
#define foreign_key_enforced(info) true
#endif

/* estimate_array_length looks at statistics, and so at root, since 17. */
#if PG_VERSION_NUM < 170000
#include "utils/selfuncs.h"
#define estimate_array_length(root, arrayexpr) \
	estimate_array_length(arrayexpr)
#endif

/* A copy of search_path had another name before version 17. */
#if PG_VERSION_NUM < 170000
#define SearchPathMatcher OverrideSearchPath
#define GetSearchPathMatcher GetOverrideSearchPath
#endif

/* index_beginscan can count for EXPLAIN since version 18. */
#if PG_VERSION_NUM < 180000
#define index_beginscan(heap, index, snapshot, instrument, nkeys, norderbys) \
	index_beginscan(heap, index, snapshot, nkeys, norderbys)
#endif

/* ExecutorRun was told whether a query is run once only before version 18. */
#if PG_VERSION_NUM < 180000
#include "executor/executor.h"
#define ExecutorRun(queryDesc, direction, count) \
	ExecutorRun(queryDesc, direction, count, true)
#endif

/* The shared state of transaction ids has another name since version 17. */
#if PG_VERSION_NUM < 170000
#define TransamVariables ShmemVariableCache
#endif

/* Extensions name their wait events since version 17. */
#if PG_VERSION_NUM < 170000
#define WaitEventExtensionNew(name) PG_WAIT_EXTENSION
#endif

/* Wait event sets belong to a resource owner since 17; none means the session. */
#if PG_VERSION_NUM < 170000
#include "storage/latch.h"
#include "utils/memutils.h"
#define CreateWaitEventSet(resowner, nevents) \
	CreateWaitEventSet(TopMemoryContext, nevents)
#endif

/* Only indexes that summarize can be updated since version 16. */
#if PG_VERSION_NUM < 160000
#include "executor/executor.h"
#define ExecInsertIndexTuples(target, slot, estate, update, no_error, conflict, arbiters, summarizing) \
	ExecInsertIndexTuples(target, slot, estate, update, no_error, conflict, arbiters)
#endif

/* Varlena's macros came with postgres.h before version 16. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Intervals can be infinite since version 17. */
#if PG_VERSION_NUM < 170000
#define INTERVAL_NOT_FINITE(interval) false
#endif

/* EXPLAIN has headers of its own since version 18. */
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif

/* A path's disabled nodes came in version 18, its restrictions in 17. */
#if PG_VERSION_NUM < 180000
#include "optimizer/pathnode.h"
#endif
#if PG_VERSION_NUM >= 180000
#elif PG_VERSION_NUM >= 170000
#define create_foreignscan_path(root, rel, target, rows, disabled_nodes, startup, total, pathkeys, outer, outerpath, restrictions, private) \
	create_foreignscan_path(root, rel, target, rows, startup, total, pathkeys, outer, outerpath, restrictions, private)
#else
#define create_foreignscan_path(root, rel, target, rows, disabled_nodes, startup, total, pathkeys, outer, outerpath, restrictions, private) \
	create_foreignscan_path(root, rel, target, rows, startup, total, pathkeys, outer, outerpath, private)
#endif

/* Likewise of paths above scans. */
#if PG_VERSION_NUM >= 180000
#elif PG_VERSION_NUM >= 170000
#define create_foreign_upper_path(root, rel, target, rows, disabled_nodes, startup, total, pathkeys, outerpath, restrictions, private) \
	create_foreign_upper_path(root, rel, target, rows, startup, total, pathkeys, outerpath, restrictions, private)
#else
#define create_foreign_upper_path(root, rel, target, rows, disabled_nodes, startup, total, pathkeys, outerpath, restrictions, private) \
	create_foreign_upper_path(root, rel, target, rows, startup, total, pathkeys, outerpath, private)
#endif

/* The cost delay tells ANALYZE from VACUUM since version 18. */
#if PG_VERSION_NUM < 180000
#define vacuum_delay_point(is_analyze) vacuum_delay_point()
#endif

/* A pathkey's direction is a comparison, no longer a strategy, since 18. */
#if PG_VERSION_NUM >= 180000
#define pathkey_is_descending(pathkey) ((pathkey)->pk_cmptype == COMPARE_GT)
#else
#define pathkey_is_descending(pathkey) \
	((pathkey)->pk_strategy == BTGreaterStrategyNumber)
#endif

/* Generated columns that are computed when they are read came in version 18. */
#if PG_VERSION_NUM < 180000
#define ATTRIBUTE_GENERATED_VIRTUAL 'v'
#endif

/* As whom a foreign table is read: the plan says it since version 16. */
#include "executor/executor.h"
#include "miscadmin.h"
#if PG_VERSION_NUM >= 160000
#define foreign_scan_user(plan, estate) \
	(OidIsValid((plan)->checkAsUser) ? (plan)->checkAsUser : GetUserId())
#else
static inline Oid
foreign_scan_user(ForeignScan *plan, EState *estate)
{
	int			index = plan->scan.scanrelid > 0 ? (int) plan->scan.scanrelid :
		bms_next_member(plan->fs_relids, -1);
	Oid			user = exec_rt_fetch(index, estate)->checkAsUser;

	return OidIsValid(user) ? user : GetUserId();
}
#endif

/* As whom a foreign table is written to, likewise. */
#if PG_VERSION_NUM < 160000
static inline Oid
ExecGetResultRelCheckAsUser(ResultRelInfo *relation, EState *estate)
{
	ResultRelInfo *root = relation->ri_RootResultRelInfo ? relation->ri_RootResultRelInfo : relation;
	Oid			user = root->ri_RangeTableIndex == 0 ? InvalidOid :
		exec_rt_fetch(root->ri_RangeTableIndex, estate)->checkAsUser;

	return OidIsValid(user) ? user : GetUserId();
}
#endif

#endif							/* BTM_COMPAT_H */
