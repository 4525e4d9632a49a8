/*-------------------------------------------------------------------------
 *
 * saved_commands.c
 *	  Creating, replacing and dropping saved relations.
 *
 * There is no unique constraint that could hold between rows whose schema is
 * looked up.  Whoever creates, replaces or drops a relation takes a lock on
 * its schema and name, which is kept until the transaction ends, and looks
 * again after that.  The lock is one on a made-up object (class: the store,
 * object: a hash of schema and name); two names that collide in the hash
 * merely wait for each other.
 *
 * Rows whose tables were dropped count as absent wherever rows are read.  They
 * are deleted here, by the way: no trigger on DROP TABLE is needed for it.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "relation/resolve.h"
#include "relation/saved.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

BTM_FUNCTION(btm_create_relation);
BTM_FUNCTION(btm_drop_relation);

/* --------
 * Arguments, permissions, locks
 * --------
 */

/*
 * Refuses the command where nothing can be written: 25006 in a read-only
 * transaction or on a standby, 25000 in parallel mode.
 */
static void
check_can_write(const char *command)
{
	PreventCommandIfReadOnly(command);
	PreventCommandIfParallelMode(command);
	PreventCommandDuringRecovery(command);
}

/*
 * Errors with 22004 if an argument is NULL.
 */
static void
check_not_null(FunctionCallInfo fcinfo, int argno, const char *what,
			   const char *command)
{
	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s of %s must not be null", what, command)));
}

/*
 * Errors with 42501 unless the current user may save relations of this pivot
 * table: must own it and may create things in its schema.
 */
static void
check_permissions(Oid pivot)
{
	Oid			namespaceId = get_rel_namespace(pivot);
	AclResult	result;

	if (!object_ownercheck(RelationRelationId, pivot, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER,
					   get_relkind_objtype(get_rel_relkind(pivot)),
					   get_rel_name(pivot));

	result = object_aclcheck(NamespaceRelationId, namespaceId, GetUserId(),
							 ACL_CREATE);
	if (result != ACLCHECK_OK)
		aclcheck_error(result, OBJECT_SCHEMA, get_namespace_name(namespaceId));
}

/*
 * As check_permissions, for a saved relation.
 */
static void
check_permissions_on(const BtmSavedRelation *saved)
{
	check_permissions(btm_saved_table(&saved->definition->pivot));
}

/*
 * Locks a name in a schema until the transaction ends.
 */
static void
lock_name(Oid namespaceId, const char *name)
{
	uint32		hash;

	hash = hash_combine(hash_bytes((const unsigned char *) name, strlen(name)),
						hash_bytes_uint32(namespaceId));
	LockDatabaseObject(btm_saved_store_oid(), hash, 0, ExclusiveLock);
}

/* --------
 * Deleting rows that count as absent
 * --------
 */

/*
 * Was this table known by OID, and is it gone?
 */
static bool
is_gone(const BtmTable *table)
{
	return OidIsValid(table->oid) && !OidIsValid(btm_saved_table(table));
}

/*
 * Condition of sweep(): a table of the row was dropped.  A row that was
 * restored before its tables is kept: it may come to life.
 */
static bool
row_is_dead(const BtmStoreRow *row, void *arg)
{
	const BtmRelation *def = row->definition;

	return is_gone(&def->pivot) || is_gone(&def->parent) ||
		is_gone(&def->related);
}

/*
 * Deletes all rows whose tables were dropped.  It reads the whole store, so
 * once in a transaction is enough.
 */
static void
sweep(void)
{
	static TransactionId swept_in = InvalidTransactionId;
	TransactionId xid = GetTopTransactionId();

	if (xid == swept_in)
		return;
	btm_store_delete_where(btm_store_scan_all(), row_is_dead, NULL);
	swept_in = xid;
}

/*
 * Condition of delete_absent(): an absent row of this schema.
 */
static bool
row_is_absent_from(const BtmStoreRow *row, void *arg)
{
	Oid			namespaceId = *(Oid *) arg;
	const BtmTable *pivot = &row->definition->pivot;
	Oid			relid;

	if (btm_saved_present(row->definition))
		return false;
	relid = btm_saved_table(pivot);
	if (OidIsValid(relid))
		return get_rel_namespace(relid) == namespaceId;
	return pivot->schema != NULL &&
		strcmp(pivot->schema, get_namespace_name(namespaceId)) == 0;
}

/*
 * Deletes absent rows of this name in this schema, lest they come to life
 * beside the one that is about to be saved.
 */
static void
delete_absent(Oid namespaceId, const char *name)
{
	btm_store_delete_where(btm_store_scan_name(name), row_is_absent_from,
						   &namespaceId);
}

/* --------
 * create_relation
 * --------
 */

/*
 * Resolves the relation to be saved, with its pivot table locked against DDL
 * until the transaction ends.  The result lives as long as
 * CurrentMemoryContext.  Errors: those of btm_resolve.
 */
static BtmResolved *
resolve_to_save(const BtmRelation *relation)
{
	BtmResolved *rel = btm_resolve(relation);

	MemoryContextSetParent(rel->cxt, CurrentMemoryContext);
	LockRelationOid(rel->pivot, AccessShareLock);
	(void) btm_table_oid(&rel->def->pivot, false);	/* it may be gone by now */
	return rel;
}

/*
 * Errors with 22023 if a name is qualified with another schema than that of
 * the pivot table.
 */
static void
check_qualifier(const char *schema, const char *name, Oid namespaceId)
{
	if (schema == NULL || LookupNamespaceNoError(schema) == namespaceId)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("saved relation \"%s\" would not be in the schema of its pivot table",
					btm_saved_display_name(schema, name)),
			 errdetail("A saved relation lives in the schema of its pivot table, which is \"%s\".",
					   get_namespace_name(namespaceId)),
			 errhint("Leave the qualifier out.")));
}

/*
 * Saves a definition under a name that is locked.  Errors: 42710 if there is
 * one that is not to be replaced, 42501 if it may not be.
 */
static void
save(Oid namespaceId, const char *name, const BtmRelation *definition,
	 bool replace)
{
	BtmSavedRelation *old = btm_saved_in_namespace(namespaceId, name);

	if (old == NULL)
	{
		delete_absent(namespaceId, name);
		btm_store_insert(name, definition);
		return;
	}
	if (!replace)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("saved relation \"%s\" already exists",
						btm_saved_display_name(old->schema, name)),
				 errhint("Use replace => true to redefine it.")));
	check_permissions_on(old);
	btm_store_update(old->id, name, definition);
}

/*
 * The pivot's columns that a unique index on the pair would have, as SQL:
 * pivot values, since other relations may store the same pairs with values of
 * their own, and both keys.
 */
static char *
pair_columns(const BtmResolved *rel)
{
	StringInfoData buf;
	ListCell   *lc;

	initStringInfo(&buf);
	foreach(lc, rel->def->pivot_values)
	{
		const BtmPivotValue *value = lfirst(lc);

		appendStringInfo(&buf, "%s, ", quote_identifier(value->column.name));
	}
	for (int i = 0; i < rel->nfk; i++)
		appendStringInfo(&buf, "%s, ", quote_identifier(rel->fk[i].name));
	for (int i = 0; i < rel->nid; i++)
		appendStringInfo(&buf, "%s%s", i > 0 ? ", " : "",
						 quote_identifier(rel->id[i].name));
	return buf.data;
}

/*
 * Could the pivot have a unique index on the pair that the relation can use?
 * Not one with a pivot value that is NULL, nor a foreign table, nor one that
 * shares its rows with tables that inherit from it.
 */
static bool
could_have_index(const BtmResolved *rel)
{
	ListCell   *lc;

	foreach(lc, rel->def->pivot_values)
		if (((BtmPivotValue *) lfirst(lc))->value == NULL)
			return false;
	return rel->pivot_kind != RELKIND_FOREIGN_TABLE &&
		!(rel->pivot_kind == RELKIND_RELATION && has_subclass(rel->pivot));
}

/*
 * Says what a unique index on the pair would buy, if there is none but could
 * be.
 */
static void
notice_missing_index(const BtmResolved *rel)
{
	char	   *columns;

	if (OidIsValid(rel->unique_index) || !could_have_index(rel))
		return;
	columns = pair_columns(rel);
	ereport(NOTICE,
			(errmsg("pivot table \"%s\" has no unique index on (%s)",
					get_rel_name(rel->pivot), columns),
			 errdetail("With one, calls for the same parent can attach at the same time, pairs are found by index, and plain INSERTs cannot double a pair."),
			 errhint("Use CREATE UNIQUE INDEX ON %s (%s) to create one.",
					 btm_table_print(&rel->def->pivot), columns)));
}

/*
 * create_relation(name text, relation belongs_to_many, replace boolean):
 * saves a relation in the schema of its pivot table.
 *
 * Errors: 22004 NULL, 22023 and 42602 bad name, 42501, 42710, 25006, and those
 * of resolve_to_save for a definition that does not hold.
 */
Datum
btm_create_relation(PG_FUNCTION_ARGS)
{
	const char *command = "create_relation()";
	BtmResolved *rel;
	Oid			namespaceId;
	char	   *schema;
	char	   *name;

	check_can_write(command);
	check_not_null(fcinfo, 0, "name", command);
	check_not_null(fcinfo, 1, "relation", command);
	check_not_null(fcinfo, 2, "replace", command);

	btm_saved_parse_name(text_to_cstring(PG_GETARG_TEXT_PP(0)), &schema, &name);
	rel = resolve_to_save(PG_GETARG_BTM_RELATION(1));
	namespaceId = get_rel_namespace(rel->pivot);
	check_qualifier(schema, name, namespaceId);
	check_permissions(rel->pivot);

	lock_name(namespaceId, name);
	save(namespaceId, name, rel->def, PG_GETARG_BOOL(2));
	sweep();
	notice_missing_index(rel);
	PG_RETURN_VOID();
}

/* --------
 * drop_relation
 * --------
 */

/*
 * Finds a saved relation and locks its name; NULL if there is none.  Errors:
 * 42501 if the user may not drop it, 42P09.
 */
static BtmSavedRelation *
find_and_lock(const char *schema, const char *name)
{
	BtmSavedRelation *saved = btm_saved_by_name(schema, name);

	while (saved != NULL)
	{
		BtmSavedRelation *locked = saved;

		check_permissions_on(saved);
		lock_name(get_namespace_oid(saved->schema, false), name);

		/* It may have been dropped before the lock was granted. */
		saved = btm_saved_by_name(schema, name);
		if (saved != NULL && saved->id == locked->id)
			break;
	}
	return saved;
}

/*
 * drop_relation(name text, if_exists boolean): drops a saved relation.
 *
 * Errors: 22004 NULL, 22023 and 42602 bad name, 42704 unless if_exists, 42501,
 * 42P09, 25006.
 */
Datum
btm_drop_relation(PG_FUNCTION_ARGS)
{
	const char *command = "drop_relation()";
	BtmSavedRelation *saved;
	char	   *schema;
	char	   *name;

	check_can_write(command);
	check_not_null(fcinfo, 0, "name", command);
	check_not_null(fcinfo, 1, "if_exists", command);

	btm_saved_parse_name(text_to_cstring(PG_GETARG_TEXT_PP(0)), &schema, &name);
	saved = find_and_lock(schema, name);
	if (saved != NULL)
		btm_store_delete(saved->id);
	else if (PG_GETARG_BOOL(1))
		ereport(NOTICE,
				(errmsg("saved relation \"%s\" does not exist, skipping",
						btm_saved_display_name(schema, name))));
	else
		btm_saved_missing(schema, name);
	sweep();
	PG_RETURN_VOID();
}
