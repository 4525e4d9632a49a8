/*-------------------------------------------------------------------------
 *
 * references.c
 *	  The rows that a foreign key references: found and locked below SQL.
 *
 * For each row the trigger of a foreign key runs SELECT ... FOR KEY SHARE,
 * which comes down to one look-up in the unique index of the referenced key
 * and one row lock.  Both are made here without an executor around them, with
 * the same index, operators, snapshot, row lock and user.
 *
 * Not every foreign key can be looked up so: the referenced table may be
 * partitioned, or a value of the pivot's type may have to be cast to another
 * one first.  What the executor would have to be asked about (a privilege that
 * the referenced table's owner has revoked from himself, a hook that checks
 * privileges) is left to it as well.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_constraint.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "pivot/references.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

struct BtmReferences
{
	const BtmForeignKey *key;
	Relation	table;
	Relation	index;
	IndexScanDesc scan;			/* NULL before the first look-up */
	TupleTableSlot *slot;
	int			column[INDEX_MAX_KEYS]; /* which of the foreign key's columns
										 * a column of the index is */
	ScanKeyData scankeys[INDEX_MAX_KEYS];	/* in the order of the index */
};

/* --------------
 * Is it possible
 * --------------
 */

/*
 * The index that a foreign key references.
 */
static Oid
referenced_index(const BtmForeignKey *key)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID,
										ObjectIdGetDatum(key->conoid));
	Oid			result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for constraint %u", key->conoid);
	result = ((Form_pg_constraint) GETSTRUCT(tuple))->conindid;
	ReleaseSysCache(tuple);
	return result;
}

/*
 * Will the executor find nothing wrong with the query of the trigger, which
 * runs with the rights of the table's owner?
 */
static bool
owner_may_look(Relation table)
{
	Oid			owner = table->rd_rel->relowner;

	return ExecutorCheckPerms_hook == NULL &&
		object_aclcheck(NamespaceRelationId, RelationGetNamespace(table),
						owner, ACL_USAGE) == ACLCHECK_OK &&
		pg_class_aclmask(RelationGetRelid(table), owner,
						 ACL_SELECT | ACL_UPDATE, ACLMASK_ALL) ==
		(ACL_SELECT | ACL_UPDATE);
}

/*
 * May the index be used under any snapshot of this transaction?  (The planner
 * asks the same, in get_relation_info.)
 */
static bool
index_is_usable(Relation index)
{
	Form_pg_index form = index->rd_index;

	if (index->rd_rel->relam != BTREE_AM_OID || !form->indisvalid)
		return false;
	return !form->indcheckxmin ||
		TransactionIdPrecedes(HeapTupleHeaderGetXmin(index->rd_indextuple->t_data),
							  TransactionXmin);
}

/*
 * Can values of a pivot's column be given to the right side of an operator as
 * they are?
 */
static bool
needs_no_cast(Oid type, Oid operand)
{
	return IsPolymorphicType(operand) || IsBinaryCoercible(type, operand);
}

/*
 * Prepares the look-up by column i of the index.  Returns false if the column
 * cannot be looked up as the foreign key compares it.
 */
static bool
init_column(BtmReferences *references, const BtmResolved *rel, int i)
{
	const BtmForeignKey *key = references->key;
	Relation	index = references->index;
	AttrNumber	attnum = index->rd_index->indkey.values[i];
	int			j = 0;
	Oid			left;
	Oid			right;

	while (j < key->nkeys && key->confkey[j] != attnum)
		j++;
	if (j == key->nkeys ||
		index->rd_indcollation[i] !=
		TupleDescAttr(RelationGetDescr(references->table), attnum - 1)->attcollation)
		return false;

	op_input_types(key->conpfeqop[j], &left, &right);
	if (get_op_opfamily_strategy(key->conpfeqop[j], index->rd_opfamily[i]) !=
		BTEqualStrategyNumber ||
		!needs_no_cast(btm_pivot_column_by_number(rel, key->conkey[j])->type.type,
					   right))
		return false;

	references->column[i] = j;
	ScanKeyEntryInitialize(&references->scankeys[i], 0, i + 1,
						   BTEqualStrategyNumber, right,
						   index->rd_indcollation[i],
						   get_opcode(key->conpfeqop[j]), (Datum) 0);
	return true;
}

/*
 * Prepares the look-ups.  Returns false if they are not possible.
 */
static bool
init_index(BtmReferences *references, const BtmResolved *rel)
{
	Relation	index = references->index;

	if (!index_is_usable(index) ||
		index->rd_index->indnkeyatts != references->key->nkeys)
		return false;
	for (int i = 0; i < references->key->nkeys; i++)
		if (!init_column(references, rel, i))
			return false;
	return true;
}

/*
 * See references.h.
 */
BtmReferences *
btm_references_open(const BtmResolved *rel, const BtmForeignKey *key)
{
	BtmReferences *references;
	Relation	table = table_open(key->confrelid, RowShareLock);

	if (table->rd_rel->relkind != RELKIND_RELATION || !owner_may_look(table))
	{
		table_close(table, NoLock);
		return NULL;
	}
	references = palloc(sizeof(BtmReferences));
	references->scan = NULL;
	references->key = key;
	references->table = table;
	references->index = index_open(referenced_index(key), AccessShareLock);
	if (!init_index(references, rel))
	{
		btm_references_close(references);
		return NULL;
	}
	return references;
}

/*
 * See references.h.
 */
void
btm_references_close(BtmReferences *references)
{
	if (references->scan != NULL)
	{
		index_endscan(references->scan);
		ExecDropSingleTupleTableSlot(references->slot);
	}
	index_close(references->index, NoLock);
	table_close(references->table, NoLock);
	pfree(references);
}

/* -------
 * Look-up
 * -------
 */

/*
 * Does the row that was locked still have the key that was looked for?
 */
static bool
has_key(BtmReferences *references)
{
	for (int i = 0; i < references->key->nkeys; i++)
	{
		ScanKey		key = &references->scankeys[i];
		bool		isnull;
		Datum		value = slot_getattr(references->slot,
										 references->index->rd_index->indkey.values[i],
										 &isnull);

		if (isnull ||
			!DatumGetBool(FunctionCall2Coll(&key->sk_func, key->sk_collation,
											value, key->sk_argument)))
			return false;
	}
	return true;
}

/*
 * Locks the row in the slot, as ExecLockRows does.  Returns false if it has
 * been deleted, or updated to another key, meanwhile.
 */
static bool
lock_row(BtmReferences *references)
{
	ItemPointerData tid = references->slot->tts_tid;
	int			flags = TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS;
	TM_FailureData failure;
	TM_Result	result;

	if (!IsolationUsesXactSnapshot())
		flags |= TUPLE_LOCK_FLAG_FIND_LAST_VERSION;
	result = table_tuple_lock(references->table, &tid, GetActiveSnapshot(),
							  references->slot, GetCurrentCommandId(true),
							  LockTupleKeyShare, LockWaitBlock, flags,
							  &failure);
	switch (result)
	{
		case TM_Ok:
			return !failure.traversed || has_key(references);
		case TM_SelfModified:
			return false;
		case TM_Updated:
		case TM_Deleted:
			if (IsolationUsesXactSnapshot())
				ereport(ERROR,
						(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						 errmsg("could not serialize access due to concurrent update")));
			if (result == TM_Deleted)
				return false;
			break;
		default:
			break;
	}
	elog(ERROR, "unexpected table_tuple_lock status: %u", result);
}

/*
 * Looks for the row whose key is in the scan keys, and locks it.
 */
static bool
find_row(BtmReferences *references)
{
	bool		found = false;

	if (references->scan == NULL)
	{
		references->slot = table_slot_create(references->table, NULL);
		references->scan = index_beginscan(references->table,
										   references->index,
										   GetActiveSnapshot(), NULL,
										   references->key->nkeys, 0);
	}
	references->scan->xs_snapshot = GetActiveSnapshot();
	index_rescan(references->scan, references->scankeys,
				 references->key->nkeys, NULL, 0);
	while (!found && index_getnext_slot(references->scan, ForwardScanDirection,
										references->slot))
		found = lock_row(references);
	ExecClearTuple(references->slot);
	return found;
}

/*
 * See references.h.  What the index's operators run, runs as the owner of the
 * referenced table; an error restores the user, too.
 */
bool
btm_references_find(BtmReferences *references, const Datum *values)
{
	Oid			save_userid;
	int			save_sec_context;
	bool		found;

	CHECK_FOR_INTERRUPTS();
	for (int i = 0; i < references->key->nkeys; i++)
		references->scankeys[i].sk_argument = values[references->column[i]];
	GetUserIdAndSecContext(&save_userid, &save_sec_context);
	SetUserIdAndSecContext(references->table->rd_rel->relowner,
						   save_sec_context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_NOFORCE_RLS);
	found = find_row(references);
	SetUserIdAndSecContext(save_userid, save_sec_context);
	return found;
}

/* ------
 * Report
 * ------
 */

/*
 * May the caller see the values of the foreign key's columns in the pivot?
 * (Row-level security keeps the bulk path away.)
 */
static bool
may_see_values(const BtmResolved *rel, const BtmForeignKey *key)
{
	if (pg_class_aclcheck(rel->pivot, GetUserId(), ACL_SELECT) == ACLCHECK_OK)
		return true;
	for (int i = 0; i < key->nkeys; i++)
		if (pg_attribute_aclcheck(rel->pivot, key->conkey[i], GetUserId(),
								  ACL_SELECT) != ACLCHECK_OK)
			return false;
	return true;
}

/*
 * See references.h.
 */
bool
btm_references_reportable(const BtmResolved *rel, const BtmForeignKey *key)
{
	for (int i = 0; i < key->nkeys; i++)
		if (btm_pivot_column_by_number(rel, key->conkey[i])->type.typmod >= 0)
			return false;
	return true;
}

/*
 * See references.h.
 */
void
btm_references_missing(const BtmResolved *rel, const BtmForeignKey *key,
					   const Datum *values)
{
	Relation	pivot = table_open(rel->pivot, NoLock);
	char	   *conname = get_constraint_name(key->conoid);
	char	   *referenced = get_rel_name(key->confrelid);
	StringInfoData names;
	StringInfoData texts;

	initStringInfo(&names);
	initStringInfo(&texts);
	for (int i = 0; i < key->nkeys; i++)
	{
		const BtmPivotColumn *column = btm_pivot_column_by_number(rel,
																  key->conkey[i]);
		const char *separator = i > 0 ? ", " : "";

		appendStringInfo(&names, "%s%s", separator, column->name);
		appendStringInfo(&texts, "%s%s", separator,
						 OidOutputFunctionCall(column->type.output.fn_oid,
											   values[i]));
	}
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("insert or update on table \"%s\" violates foreign key constraint \"%s\"",
					RelationGetRelationName(pivot), conname),
			 may_see_values(rel, key) ?
			 errdetail("Key (%s)=(%s) is not present in table \"%s\".",
					   names.data, texts.data, referenced) :
			 errdetail("Key is not present in table \"%s\".", referenced),
			 errtableconstraint(pivot, conname)));
}
