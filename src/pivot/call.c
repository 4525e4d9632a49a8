/*-------------------------------------------------------------------------
 *
 * call.c
 *	  Beginning and ending a call of an operation.
 *
 * A call owns a memory context, and the context owns everything else: it
 * pins the resolved relation, and ends with the caller's context if the call
 * fails.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "miscadmin.h"
#include "pivot/pivot.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/*
 * Raises 22004: argument or element `what` is NULL.  `hint`, which may be
 * NULL, says what to call instead.
 */
void
btm_null_argument(BtmCall *call, const char *what, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("%s of %s() must not be null", what, call->name),
			 hint ? errhint("%s", hint) : 0));
}

/*
 * Refuses a write where none is possible: 25006 in a read-only transaction or
 * on a standby, 25000 in parallel mode, 42501 without any privilege to write
 * to the pivot (so that nobody can take the locks of an operation who may not
 * perform it), 0A000 through a relation with a filter on related rows, and on
 * a foreign pivot whose rows are not its pairs.
 */
static void
check_write(BtmCall *call)
{
	Oid			pivot = call->rel->pivot;
	AclMode		modes = ACL_INSERT | ACL_UPDATE | ACL_DELETE;

	if (call->rel->def->where_related != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s() cannot write through a relation with a filter on related rows",
						call->name),
				 errhint("Use the relation without where_related().")));

	if (call->rel->write_obstacle != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 call->rel->pivot_kind == RELKIND_FOREIGN_TABLE ?
				 errmsg("%s() cannot write to foreign table \"%s\"",
						call->name, get_rel_name(pivot)) :
				 errmsg("%s() cannot write to partitioned table \"%s\"",
						call->name, get_rel_name(pivot)),
				 errdetail_internal("%s", call->rel->write_obstacle)));

	if (pg_class_aclmask(pivot, GetUserId(), modes, ACLMASK_ANY) == 0 &&
		pg_attribute_aclcheck_all(pivot, GetUserId(), modes,
								  ACLMASK_ANY) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV,
					   get_relkind_objtype(call->rel->pivot_kind),
					   get_rel_name(pivot));
}

/*
 * Refuses a write where no statement may write.  Errors: 25006, 25000.
 */
static void
check_transaction(const char *name)
{
	char		command[NAMEDATALEN];

	if (!XactReadOnly && !IsInParallelMode() && !RecoveryInProgress())
		return;
	snprintf(command, sizeof(command), "%s()", name);
	PreventCommandIfReadOnly(command);
	PreventCommandIfParallelMode(command);
	PreventCommandDuringRecovery(command);
}

/*
 * Raises 42501 if the caller may not use the pivot's schema.  A kept plan does
 * not ask any more, and lock_relation() has none.
 */
static void
check_schema(BtmCall *call)
{
	Oid			schema = call->rel->pivot_schema;
	AclResult	result = object_aclcheck(NamespaceRelationId, schema,
										 GetUserId(), ACL_USAGE);

	if (result != ACLCHECK_OK)
		aclcheck_error(result, OBJECT_SCHEMA, get_namespace_name(schema));
}

/*
 * Begins a call: reads the relation, which is argument 0.
 *
 * pivot_lock is AccessShareLock for reads and RowExclusiveLock for writes; it
 * is taken on the pivot and kept.  Errors: 22004 for a NULL relation, those of
 * btm_resolve and check_schema, and for writes those of check_write.
 */
BtmCall *
btm_call_begin(FunctionCallInfo fcinfo, const char *name, LOCKMODE pivot_lock)
{
	bool		is_write = pivot_lock > AccessShareLock;
	MemoryContext cxt;
	MemoryContext oldcxt;
	BtmCall    *call;

	if (is_write)
		check_transaction(name);

	cxt = AllocSetContextCreate(CurrentMemoryContext,
								"belongs_to_many call",
								ALLOCSET_DEFAULT_SIZES);
	oldcxt = MemoryContextSwitchTo(cxt);
	call = palloc0(sizeof(BtmCall));
	call->fcinfo = fcinfo;
	call->name = name;
	call->cxt = cxt;
	if (PG_ARGISNULL(0))
		btm_null_argument(call, "relation", NULL);
	call->rel = btm_cache_get(PG_GETARG_DATUM(0), pivot_lock, cxt);
	call->routine = call->rel->pivot_kind == RELKIND_FOREIGN_TABLE ?
		&btm_foreign_routine : &btm_local_routine;
	MemoryContextSwitchTo(oldcxt);

	check_schema(call);
	if (is_write)
		check_write(call);
	return call;
}

/*
 * Ends a call and frees all that it allocated.
 */
void
btm_call_end(BtmCall *call)
{
	MemoryContextDelete(call->cxt);
}

/*
 * Connects to SPI; SPI_finish ends it.  Meanwhile the call's memory context is
 * the current one, so that what a step allocates outlives the connection.
 */
void
btm_connect(BtmCall *call)
{
	SPI_connect();
	MemoryContextSwitchTo(call->cxt);
}

/*
 * Ends a call that returns a number of rows.  Errors with 22003, and so undoes
 * the call, if it does not fit into the result.
 */
Datum
btm_call_return_count(BtmCall *call, uint64 nrows)
{
	if (nrows > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%s() would change more rows than it can count",
						call->name),
				 errhint("Use pivot_predicate() in a statement of your own.")));
	btm_call_end(call);
	return Int32GetDatum((int32) nrows);
}

/*
 * Reads the parent from argument argno into call->parent.  NULL, and a key with
 * a NULL in it, which no row has, is NULL if null_ok, else 22004.
 */
void
btm_call_set_parent(BtmCall *call, int argno, bool null_ok)
{
	BtmResolved *rel = call->rel;
	BtmValue	value = btm_value_arg(call->fcinfo, argno);
	MemoryContext oldcxt;

	if (value.isnull)
	{
		if (!null_ok)
			btm_null_argument(call, "parent_id",
							  "An operation is about one parent. For all of them, use pivot_predicate(relation) in a statement of your own.");
		return;
	}
	oldcxt = MemoryContextSwitchTo(call->cxt);
	call->parent = palloc(sizeof(Datum) * rel->nfk);
	if (!btm_value_to_key(&value, rel->fk, rel->nfk, "parent", null_ok,
						  call->parent))
		call->parent = NULL;
	MemoryContextSwitchTo(oldcxt);
}

/*
 * Reads an on_conflict argument.  Errors: 22004, 22023.
 */
BtmConflict
btm_conflict_arg(BtmCall *call, int argno)
{
	char	   *name;

	if (call->fcinfo->args[argno].isnull)
		btm_null_argument(call, "on_conflict", NULL);
	name = text_to_cstring(DatumGetTextPP(call->fcinfo->args[argno].value));

	if (pg_strcasecmp(name, "ignore") == 0)
		return BTM_CONFLICT_IGNORE;
	if (pg_strcasecmp(name, "update") == 0)
		return BTM_CONFLICT_UPDATE;
	if (pg_strcasecmp(name, "error") == 0)
		return BTM_CONFLICT_ERROR;
	if (pg_strcasecmp(name, "duplicate") == 0)
		return BTM_CONFLICT_DUPLICATE;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for on_conflict: \"%s\"", name),
			 errhint("Use \"ignore\", \"update\", \"error\" or \"duplicate\".")));
}
