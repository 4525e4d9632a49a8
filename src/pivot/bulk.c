/*-------------------------------------------------------------------------
 *
 * bulk.c
 *	  The bulk path: pairs are inserted without a foreign-key trigger per row.
 *
 * In a normal pivot table, two foreign keys, most of the time of a large
 * INSERT goes into the triggers that check them row by row.  Here the same
 * INSERT runs with these triggers suppressed, and then each foreign key is
 * checked for all rows: by one look-up for each in the index of the referenced
 * key (references.c), or where that is not possible by one query for all.
 * Everything else about the INSERT is the executor's: privileges, defaults,
 * generated columns, constraints, indexes.
 *
 * The triggers are suppressed by letting the executor believe that this is a
 * replica (session_replication_role), for as long as it runs the INSERT.  So
 * the path is taken only where nothing else can fire or run that this would
 * change (relation/foreign_keys.c).
 *
 * The check is the trigger's own (RI_FKey_check, ri_PerformCheck): the same
 * operators and collations, as the owner of the referenced table, not through
 * row security, with FOR KEY SHARE, after the rows are in, under a snapshot
 * taken then.
 *
 * For few pairs that is all: one statement inserts them, with the errors that
 * it has on the ordinary way too, and a reference that is missing then is the
 * trigger's error (insert_at_once).
 *
 * For many, pairs that exist are looked for first, and ON CONFLICT is left
 * out; so is the statement itself where it can be (insert_rows.c), and any
 * order among several statements and checks.  That happens in a
 * subtransaction.  If anything is amiss (a row that a foreign key misses, a
 * pair that another session has inserted meanwhile) it is rolled back, and the
 * caller goes the ordinary way: what comes of it, success or error, is then
 * what it would have been.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "pivot/insert_rows.h"
#include "pivot/local.h"
#include "pivot/references.h"
#include "pivot/sqltext.h"
#include "pivot/statements.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

/* Values of belongs_to_many.bulk_path. */
typedef enum BulkPath
{
	BULK_OFF,
	BULK_AUTO,
	BULK_ON
} BulkPath;

static const struct config_enum_entry bulk_path_options[] = {
	{"off", BULK_OFF, false},
	{"auto", BULK_AUTO, false},
	{"on", BULK_ON, false},
	{NULL, 0, false}
};

static int	bulk_path = BULK_AUTO;
static int	calls_in_transaction = 0;

/* Fewer pairs than this are not worth a subtransaction. */
#define BULK_MIN_PAIRS 4

/*
 * A transaction with more subtransactions than a backend can show to others
 * (PGPROC_MAX_CACHED_SUBXIDS, 64) makes everybody's snapshots slower, so one
 * that has made many calls with one makes further ones only for lists that are
 * worth it.
 */
#define BULK_MAX_CALLS		32
#define BULK_WORTHY_PAIRS	1000

/*
 * Up to so many rows, references are looked up one by one, as the trigger
 * does: there is always a unique index.  The planner alone, to whom random
 * reads are dear, would scan and hash the whole referenced table.
 */
#define CHECK_GENERIC_ROWS 10000

/* -----------------
 * Is it to be taken
 * -----------------
 */

/*
 * Do the ids that are inserted give a value for this column, or does it stay
 * NULL?  Otherwise a default decides, which is not known here.
 */
static bool
column_is_known(const BtmResolved *rel, const BtmIds *ids, AttrNumber attnum)
{
	const BtmPivotColumn *column = btm_pivot_column_by_number(rel, attnum);
	ListCell   *lc;

	if (column->is_key)
		return true;
	foreach(lc, rel->def->pivot_values)
		if (((BtmPivotValue *) lfirst(lc))->column.attnum == attnum)
			return false;
	if (attnum == rel->created_at || attnum == rel->updated_at)
		return false;
	if (!column->may_have_default)
		return true;
	for (int64 i = 0; i < ids->keys.n; i++)
	{
		const BtmAttributes *attributes = btm_id_attributes(ids, i);

		if (attributes == NULL ||
			!btm_shape_has(&ids->shapes[attributes->shape], attnum))
			return false;
	}
	return true;
}

/*
 * Does the foreign key reference the pivot's own rows?
 */
static bool
references_pivot(const BtmResolved *rel, const BtmForeignKey *key)
{
	return key->confrelid == rel->pivot ||
		(rel->pivot != rel->pivot_root &&
		 list_member_oid(get_partition_ancestors(rel->pivot), key->confrelid));
}

/*
 * Why the values of a foreign key cannot be checked in bulk in this call, or
 * NULL.
 */
static const char *
foreign_key_obstacle(BtmCall *call, const BtmForeignKey *key,
					 const BtmIds *ids)
{
	/* A snapshot must be fresh to see all partitions; see RI_FKey_check. */
	if (IsolationUsesXactSnapshot() &&
		get_rel_relkind(key->confrelid) == RELKIND_PARTITIONED_TABLE)
		return "A foreign key references a partitioned table, and the transaction has a snapshot.";

	for (int i = 0; i < key->nkeys; i++)
		if (!column_is_known(call->rel, ids, key->conkey[i]))
			return "A column of a foreign key gets a default.";

	/* The triggers check each statement's rows before the next statement. */
	if (references_pivot(call->rel, key) && !btm_ids_have_one_shape(ids))
		return "A foreign key references the pivot, and the ids have attributes of different shapes.";
	return NULL;
}

/*
 * Why this call cannot take the bulk path, or NULL.
 */
static const char *
find_obstacle(BtmCall *call, const BtmIds *ids, BtmConflict conflict)
{
	BtmResolved *rel = call->rel;
	const char *obstacle = rel->bulk_obstacle;

	if (obstacle == NULL && conflict == BTM_CONFLICT_UPDATE)
		obstacle = "The call may update existing pairs.";
	if (obstacle == NULL && SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA)
		obstacle = "Foreign keys are not checked while session_replication_role is \"replica\".";
	if (obstacle == NULL &&
		check_enable_rls(rel->pivot, InvalidOid, true) == RLS_ENABLED)
		obstacle = "Row-level security applies to the current user.";
	for (int i = 0; obstacle == NULL && i < rel->nforeign_keys; i++)
		obstacle = foreign_key_obstacle(call, &rel->foreign_keys[i], ids);
	return obstacle;
}

/*
 * Reset callback of the transaction's memory.
 */
static void
forget_calls(void *arg)
{
	calls_in_transaction = 0;
}

/*
 * Counts one more call of this transaction that makes a subtransaction.
 */
static void
count_call(void)
{
	MemoryContextCallback *callback;

	if (calls_in_transaction++ > 0)
		return;
	callback = MemoryContextAlloc(TopTransactionContext,
								  sizeof(MemoryContextCallback));
	callback->func = forget_calls;
	callback->arg = NULL;
	MemoryContextRegisterResetCallback(TopTransactionContext, callback);
}

/*
 * Is the call to make a subtransaction, if it has to?
 */
static bool
is_worth_subtransaction(const BtmIds *ids)
{
	return bulk_path == BULK_ON ||
		ids->keys.n >= (calls_in_transaction < BULK_MAX_CALLS ?
						BULK_MIN_PAIRS : BULK_WORTHY_PAIRS);
}

/*
 * May the call take the bulk path, and is there anything to gain?  Errors with
 * 0A000 if the user insists and it cannot.
 */
static bool
is_wanted(BtmCall *call, const BtmIds *ids, BtmConflict conflict)
{
	const char *obstacle;

	if (bulk_path == BULK_OFF)
		return false;
	if (bulk_path == BULK_AUTO && call->rel->nforeign_keys == 0)
		return false;
	obstacle = find_obstacle(call, ids, conflict);
	if (obstacle != NULL && bulk_path == BULK_ON)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("pivot table \"%s\" cannot be written in bulk",
						get_rel_name(call->rel->pivot)),
				 errdetail_internal("%s", obstacle),
				 errhint("Set belongs_to_many.bulk_path to \"auto\".")));
	return obstacle == NULL;
}

/*
 * See local.h.
 */
void
btm_bulk_refuse(BtmCall *call, const BtmIds *ids, BtmConflict conflict)
{
	(void) is_wanted(call, ids, conflict);
}

/* ------------------------
 * Checking of foreign keys
 * ------------------------
 */

/*
 * Appends an operand, cast to the operator's input type unless it has that
 * type or one that the operator's polymorphic input accepts.
 */
static void
append_operand(StringInfo sql, const char *operand, Oid type, Oid wanted)
{
	appendStringInfoString(sql, operand);
	if (type != wanted && !IsPolymorphicType(wanted))
	{
		appendStringInfoString(sql, "::");
		btm_sql_type(sql, wanted, -1);
	}
}

/*
 * "x.column = u.fN", as ri_GenerateQual writes it
 */
static void
append_key_match(StringInfo sql, const BtmResolved *rel,
				 const BtmForeignKey *key, int i)
{
	const BtmPivotColumn *column = btm_pivot_column_by_number(rel,
															  key->conkey[i]);
	Oid			reftype;
	int32		reftypmod;
	Oid			refcollation;
	Oid			left;
	Oid			right;

	get_atttypetypmodcoll(key->confrelid, key->confkey[i],
						  &reftype, &reftypmod, &refcollation);
	op_input_types(key->conpfeqop[i], &left, &right);
	append_operand(sql,
				   psprintf("x.%s", quote_identifier(get_attname(key->confrelid,
																 key->confkey[i],
																 false))),
				   reftype, left);
	appendStringInfoChar(sql, ' ');
	btm_sql_operator(sql, key->conpfeqop[i]);
	appendStringInfoChar(sql, ' ');
	append_operand(sql, psprintf("u.f%d", i + 1), column->type.type, right);
	if (refcollation != column->type.collation && OidIsValid(refcollation))
		btm_sql_collation(sql, refcollation);
}

/*
 * The query that checks foreign key stmt->variant: returns the ord of each
 * row whose key is referenced, and locks what it references.
 */
static void
build_check(StringInfo sql, BtmCall *call, const BtmStatement *stmt)
{
	const BtmForeignKey *key = &call->rel->foreign_keys[stmt->variant];
	bool		partitioned = get_rel_relkind(key->confrelid) == RELKIND_PARTITIONED_TABLE;

	appendStringInfoString(sql, "SELECT u.ord FROM " BTM_INPUT_NAME " u JOIN ");
	if (!partitioned)
		appendStringInfoString(sql, "ONLY ");
	btm_sql_table(sql, key->confrelid);
	appendStringInfoString(sql, " x ON ");
	for (int i = 0; i < key->nkeys; i++)
	{
		if (i > 0)
			appendStringInfoString(sql, " AND ");
		append_key_match(sql, call->rel, key, i);
	}
	appendStringInfoString(sql, " FOR KEY SHARE OF x");
}

/*
 * The value of a pivot column in the row of id i.  Returns false for NULL.
 */
static bool
column_value(BtmCall *call, const BtmIds *ids, int64 i, AttrNumber attnum,
			 Datum *value)
{
	const BtmResolved *rel = call->rel;
	const BtmAttributes *attributes = btm_id_attributes(ids, i);
	const BtmShape *shape;

	for (int j = 0; j < rel->nfk; j++)
		if (rel->fk[j].attnum == attnum)
		{
			*value = call->parent[j];
			return true;
		}
	for (int j = 0; j < rel->nid; j++)
		if (rel->id[j].attnum == attnum)
		{
			*value = BTM_KEY(&ids->keys, i)[j];
			return true;
		}
	shape = attributes ? &ids->shapes[attributes->shape] : &ids->shapes[0];
	for (int j = 0; j < shape->ncolumns; j++)
		if (shape->columns[j]->attnum == attnum)
		{
			*value = attributes->values[j];
			return !attributes->nulls[j];
		}
	return false;
}

/*
 * Is the foreign key on columns of the parent's key alone?  Then all rows have
 * the same value.
 */
static bool
is_on_parent(const BtmResolved *rel, const BtmForeignKey *key)
{
	for (int i = 0; i < key->nkeys; i++)
	{
		bool		found = false;

		for (int j = 0; j < rel->nfk; j++)
			found |= rel->fk[j].attnum == key->conkey[i];
		if (!found)
			return false;
	}
	return true;
}

/*
 * Makes the values of a foreign key the statement's input: ord, f1 .. fn.
 * Rows with a NULL among them satisfy MATCH SIMPLE and are left out.
 */
static void
input_foreign_key(BtmCall *call, BtmStatement *stmt, const BtmForeignKey *key,
				  const BtmIds *ids)
{
	int64		nrows = is_on_parent(call->rel, key) ? 1 : ids->keys.n;
	Datum		values[INDEX_MAX_KEYS + 1];
	bool		nulls[INDEX_MAX_KEYS + 1] = {false};

	btm_statement_begin_input(stmt, key->nkeys + 1);
	TupleDescInitEntry(stmt->input_desc, 1, "ord", INT8OID, -1, 0);
	for (int i = 0; i < key->nkeys; i++)
		btm_statement_input_column(stmt, i + 2, 'f', i + 1,
								   &btm_pivot_column_by_number(call->rel, key->conkey[i])->type);

	for (int64 row = 0; row < nrows; row++)
	{
		int			i = 0;

		while (i < key->nkeys &&
			   column_value(call, ids, row, key->conkey[i], &values[i + 1]))
			i++;
		if (i < key->nkeys)
			continue;
		values[0] = Int64GetDatum(stmt->input_rows++);
		tuplestore_putvalues(stmt->input, stmt->input_desc, values, nulls);
	}
}

/* A receiver that notes which ords come back, and how many. */
typedef struct OrdReceiver
{
	DestReceiver pub;
	bool	   *seen;
	int64		nseen;
} OrdReceiver;

static bool
ord_receive(TupleTableSlot *slot, DestReceiver *self)
{
	OrdReceiver *receiver = (OrdReceiver *) self;
	int64		ord;

	slot_getsomeattrs(slot, 1);
	ord = DatumGetInt64(slot->tts_values[0]);
	if (!receiver->seen[ord])
		receiver->nseen++;
	receiver->seen[ord] = true;
	return true;
}

/*
 * The owner of a table.
 */
static Oid
table_owner(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/*
 * Runs a statement as the owner of a table, as ri_PerformCheck does.
 * (Rolling back the subtransaction restores the user, too.)
 */
static void
run_as_owner(BtmCall *call, const BtmStatement *stmt, Oid relid,
			 DestReceiver *dest)
{
	Oid			save_userid;
	int			save_sec_context;

	GetUserIdAndSecContext(&save_userid, &save_sec_context);
	SetUserIdAndSecContext(table_owner(relid),
						   save_sec_context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_NOFORCE_RLS);
	btm_statement_run(call, stmt, false, dest);
	SetUserIdAndSecContext(save_userid, save_sec_context);
}

/*
 * The values of a foreign key in the row of id i.  Returns false if one of them
 * is NULL, which satisfies MATCH SIMPLE.
 */
static bool
foreign_key_values(BtmCall *call, const BtmForeignKey *key, const BtmIds *ids,
				   int64 i, Datum *values)
{
	for (int j = 0; j < key->nkeys; j++)
		if (!column_value(call, ids, i, key->conkey[j], &values[j]))
			return false;
	return true;
}

/*
 * Begins to look for references, also among the rows that the call has
 * inserted, as the next statement would.  Returns what keep_snapshot_fresh
 * needs.
 */
static uint64
push_snapshot(void)
{
	uint64		taken_at = TransamVariables->xactCompletionCount;

	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	return taken_at;
}

/*
 * The triggers take a snapshot for each row.  Until another transaction
 * completes it is the same; one may have while a row was waited for.
 */
static void
keep_snapshot_fresh(uint64 *taken_at)
{
	if (IsolationUsesXactSnapshot() ||
		TransamVariables->xactCompletionCount == *taken_at)
		return;
	PopActiveSnapshot();
	*taken_at = push_snapshot();
}

/*
 * Does a foreign key hold for the rows of these ids, by the look-up of each?
 */
static bool
references_exist(BtmCall *call, BtmReferences *references,
				 const BtmForeignKey *key, const BtmIds *ids)
{
	int64		nrows = is_on_parent(call->rel, key) ? 1 : ids->keys.n;
	uint64		taken_at = push_snapshot();
	Datum		values[INDEX_MAX_KEYS];
	bool		result = true;

	for (int64 i = 0; result && i < nrows; i++)
	{
		if (!foreign_key_values(call, key, ids, i, values))
			continue;
		keep_snapshot_fresh(&taken_at);
		result = btm_references_find(references, values);
	}
	PopActiveSnapshot();
	return result;
}

/*
 * Does a foreign key hold for the rows of these ids, by a query?
 */
static bool
query_finds_references(BtmCall *call, int number, const BtmIds *ids)
{
	const BtmForeignKey *key = &call->rel->foreign_keys[number];
	BtmStatement stmt = {0};
	OrdReceiver receiver = {0};

	btm_receiver_init(&receiver.pub, NULL, ord_receive);

	stmt.kind = BTM_STMT_FOREIGN_KEY;
	stmt.generic_rows = CHECK_GENERIC_ROWS;
	stmt.variant = number;
	stmt.build = build_check;
	stmt.without_parent = true;
	input_foreign_key(call, &stmt, key, ids);
	if (stmt.input_rows == 0)
	{
		/* The trigger, too, asks nothing about NULLs. */
		btm_statement_drop_input(&stmt);
		return true;
	}
	receiver.seen = palloc_extended(stmt.input_rows,
									MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	run_as_owner(call, &stmt, key->confrelid, &receiver.pub);
	pfree(receiver.seen);
	return receiver.nseen == stmt.input_rows;
}

/*
 * Does a foreign key hold for the rows of these ids?
 */
static bool
foreign_key_holds(BtmCall *call, int number, const BtmIds *ids)
{
	const BtmForeignKey *key = &call->rel->foreign_keys[number];
	BtmReferences *references = btm_references_open(call->rel, key);
	bool		result;

	if (references == NULL)
		return query_finds_references(call, number, ids);
	result = references_exist(call, references, key, ids);
	btm_references_close(references);
	return result;
}

/* ---------
 * Inserting
 * ---------
 */

/*
 * Inserts pairs with the triggers of the pivot suppressed.  Returns the number
 * of rows; their keys go to `inserted` unless NULL.
 */
static uint64
insert_without_triggers(BtmCall *call, const BtmIds *ids,
						BtmConflict conflict, BtmKeys *inserted)
{
	int			save_role = SessionReplicationRole;
	uint64		nrows;

	PG_TRY();
	{
		SessionReplicationRole = SESSION_REPLICATION_ROLE_REPLICA;
		nrows = btm_local_insert(call, ids, conflict, inserted);
	}
	PG_FINALLY();
	{
		SessionReplicationRole = save_role;
	}
	PG_END_TRY();
	return nrows;
}

/*
 * Of ids that are there already, those that the ordinary way might fail for
 * all the same: there the privileges and columns of a statement are checked,
 * and the values of a row, before the pair is found to be in the way.  Of
 * each shape one does for what is the same in all rows.
 */
static const BtmIds *
ids_that_may_fail(BtmCall *call, const BtmIds *ids)
{
	bool	   *keep = palloc_extended(ids->keys.n, MCXT_ALLOC_HUGE);
	bool	   *seen = palloc0(sizeof(bool) * ids->nshapes);

	for (int64 i = 0; i < ids->keys.n; i++)
	{
		const BtmAttributes *attributes = btm_id_attributes(ids, i);
		int			shape = attributes ? attributes->shape : 0;

		keep[i] = !seen[shape] || call->rel->checks_values;
		seen[shape] = true;
		for (int j = 0; !keep[i] && j < ids->shapes[shape].ncolumns; j++)
			keep[i] = attributes->nulls[j];
	}
	return btm_ids_subset(ids, keep);
}

/*
 * Takes out of the ids those that are there already.  Returns NULL if one of
 * them has been deleted meanwhile.
 */
static const BtmIds *
without_present(BtmCall *call, const BtmIds *ids)
{
	BtmKeys		found;
	const BtmIds *present;

	btm_keys_init(&found, call->rel->nid);
	btm_local_read_conflicts(call, &ids->keys, &found);
	if (found.n == 0)
		return ids;
	btm_keys_sort_unique(&found, call->rel->id);
	present = ids_that_may_fail(call, btm_ids_present(ids, &found,
													  call->rel->id));
	if (insert_without_triggers(call, present, BTM_CONFLICT_IGNORE, NULL) > 0)
		return NULL;
	return btm_ids_absent(ids, &found, call->rel->id);
}

/*
 * Do attributes give values for the unique index on the pair, where it has
 * columns of pivot values, too?  Then other rows may be in the way of an id
 * than those that its pair has in this relation.
 */
static bool
attributes_bear_on_index(const BtmResolved *rel, const BtmIds *ids)
{
	for (int i = 0; i < ids->nshapes; i++)
		for (int j = 0; j < rel->narbiter; j++)
			if (btm_shape_has(&ids->shapes[i], rel->arbiter[j]))
				return true;
	return false;
}

/*
 * Inserts pairs that are not there yet.  Of many only the first goes in by a
 * statement, if possible: that checks whatever is to be checked once.
 */
static void
insert_rows(BtmCall *call, const BtmIds *ids)
{
	BtmRowInserter *inserter = NULL;
	BtmIds		first = *ids;

	if (ids->keys.n > BTM_GENERIC_ROWS)
		inserter = btm_row_inserter_open(call, ids);
	if (inserter != NULL)
		first.keys.n = 1;
	insert_without_triggers(call, &first, BTM_CONFLICT_DUPLICATE, NULL);
	if (inserter != NULL)
	{
		btm_row_inserter_run(inserter, first.keys.n);
		btm_row_inserter_close(inserter);
	}
}

/*
 * Are pairs that are there to be left out?
 */
static bool
insert_leaves_out(BtmConflict conflict)
{
	return conflict == BTM_CONFLICT_IGNORE || conflict == BTM_CONFLICT_UNLIKELY;
}

/*
 * Must pairs that are there be looked for ahead of the INSERT?  Not if the
 * caller has seen that there are none, and nothing is out of his sight: should
 * there be one by now, the unique index tells.
 */
static bool
must_look_first(const BtmResolved *rel, BtmConflict conflict)
{
	if (conflict == BTM_CONFLICT_UNLIKELY)
		return !OidIsValid(rel->unique_index) ||
			rel->def->where != NIL || rel->def->pivot_values != NIL;
	return conflict == BTM_CONFLICT_IGNORE;
}

/*
 * Inserts those ids that are not there yet, and returns them; or NULL, if that
 * cannot be told.
 *
 * ON CONFLICT costs a speculative insertion per row.  That is cheaper for few
 * rows than looking first; for many, looking first is, and should another
 * session be quicker the unique index raises an error.
 */
static const BtmIds *
insert_missing(BtmCall *call, const BtmIds *ids, BtmConflict conflict)
{
	BtmKeys		keys;

	btm_keys_init(&keys, call->rel->nid);
	if (insert_leaves_out(conflict) &&
		(ids->keys.n <= BTM_GENERIC_ROWS ||
		 attributes_bear_on_index(call->rel, ids)))
	{
		bool		which = ids->keys.n > 1;	/* does the number not tell? */
		uint64		nrows = insert_without_triggers(call, ids, conflict,
													which ? &keys : NULL);

		if (nrows == (uint64) ids->keys.n)
			return ids;
		btm_keys_sort_unique(&keys, call->rel->id);
		return btm_ids_present(ids, &keys, call->rel->id);
	}
	if (must_look_first(call->rel, conflict))
		ids = without_present(call, ids);
	if (ids != NULL)
		insert_rows(call, ids);
	return ids;
}

/*
 * Opens what all foreign keys of the pivot reference, for insert_at_once.
 * Returns NULL if these ids have to be inserted in a subtransaction.
 */
static BtmReferences **
open_references(const BtmResolved *rel, const BtmIds *ids)
{
	BtmReferences **result;
	int			n = 0;

	if (ids->keys.n > BTM_GENERIC_ROWS || !btm_ids_have_one_shape(ids))
		return NULL;
	result = palloc(sizeof(BtmReferences *) * Max(rel->nforeign_keys, 1));
	while (n < rel->nforeign_keys)
	{
		const BtmForeignKey *key = &rel->foreign_keys[n];

		if (!btm_references_reportable(rel, key) ||
			(result[n] = btm_references_open(rel, key)) == NULL)
			break;
		n++;
	}
	if (n == rel->nforeign_keys)
		return result;
	while (n-- > 0)
		btm_references_close(result[n]);
	pfree(result);
	return NULL;
}

/*
 * Looks up what the rows of these ids reference, in the order in which the
 * triggers do.  Errors: 23503 for the first one that is missing.
 */
static void
check_references(BtmCall *call, BtmReferences **references, const BtmIds *ids)
{
	const BtmResolved *rel = call->rel;
	uint64		taken_at = push_snapshot();
	Datum		values[INDEX_MAX_KEYS];

	for (int64 i = 0; i < ids->keys.n; i++)
		for (int j = 0; j < rel->nforeign_keys; j++)
		{
			const BtmForeignKey *key = &rel->foreign_keys[j];

			if ((i > 0 && is_on_parent(rel, key)) ||
				!foreign_key_values(call, key, ids, i, values))
				continue;
			keep_snapshot_fresh(&taken_at);
			if (!btm_references_find(references[j], values))
				btm_references_missing(rel, key, values);
		}
	PopActiveSnapshot();
}

/*
 * Inserts those ids that are not there yet, and returns them.  Errors: those
 * of the ordinary way.
 */
static const BtmIds *
insert_at_once(BtmCall *call, const BtmIds *ids, BtmConflict conflict,
			   BtmReferences **references)
{
	const BtmIds *done = insert_missing(call, ids, conflict);

	if (done->keys.n > 0)
		check_references(call, references, done);
	for (int i = 0; i < call->rel->nforeign_keys; i++)
		btm_references_close(references[i]);
	return done;
}

/*
 * Inserts what is missing and checks the foreign keys.  Returns the ids that
 * were inserted, or NULL if a foreign key does not hold or a pair came or went
 * meanwhile.
 */
static const BtmIds *
insert_and_check(BtmCall *call, const BtmIds *ids, BtmConflict conflict)
{
	const BtmIds *done = insert_missing(call, ids, conflict);

	if (done == NULL)
		return NULL;
	for (int i = 0; done->keys.n > 0 && i < call->rel->nforeign_keys; i++)
		if (!foreign_key_holds(call, i, done))
			return NULL;
	return done;
}

/*
 * Is this an error that the ordinary way may not meet, or only after another
 * one?  There, the foreign keys of one row or statement are checked before the
 * next is looked at.  What has to do with the transaction, the session or the
 * server as a whole is final.
 */
static bool
may_be_retried(const ErrorData *error)
{
	switch (ERRCODE_TO_CATEGORY(error->sqlerrcode))
	{
		case ERRCODE_TRANSACTION_ROLLBACK:
		case ERRCODE_INSUFFICIENT_RESOURCES:
		case ERRCODE_OPERATOR_INTERVENTION:
		case ERRCODE_SYSTEM_ERROR:
		case ERRCODE_INTERNAL_ERROR:
			return false;
		default:
			return error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE;
	}
}

/*
 * As insert_and_check, in a subtransaction that is rolled back if it returns
 * NULL.  Errors that cannot be retried are raised again.
 */
static const BtmIds *
insert_in_subtransaction(BtmCall *call, const BtmIds *ids,
						 BtmConflict conflict)
{
	MemoryContext cxt = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	const BtmIds *volatile done = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(cxt);
	PG_TRY();
	{
		done = insert_and_check(call, ids, conflict);
		if (done != NULL)
			ReleaseCurrentSubTransaction();
		else
			RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(cxt);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(cxt);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(cxt);
		CurrentResourceOwner = owner;
		btm_statement_forget_input();
		if (!may_be_retried(error))
			ReThrowError(error);
		FreeErrorData(error);
	}
	PG_END_TRY();
	return done;
}

/*
 * Locks the referenced tables, as the triggers do.  Returns false if anything
 * has changed before they were locked: their names may mean other tables now.
 */
static bool
lock_referenced_tables(const BtmResolved *rel)
{
	for (int i = 0; i < rel->nforeign_keys; i++)
		LockRelationOid(rel->foreign_keys[i].confrelid, RowShareLock);
	return !rel->stale;
}

/*
 * Inserts pairs on the bulk path: BtmPivotRoutine.insert_pairs, see pivot.h.
 *
 * Returns false, with nothing done, if the path is not to be taken or has
 * failed; the caller then goes the ordinary way.
 */
bool
btm_bulk_insert(BtmCall *call, const BtmIds *ids, BtmConflict conflict,
				BtmKeys *inserted, uint64 *nrows)
{
	BtmReferences **references;
	const BtmIds *done = NULL;

	if (!is_wanted(call, ids, conflict) || !lock_referenced_tables(call->rel))
		return false;
	references = open_references(call->rel, ids);
	if (references != NULL)
		done = insert_at_once(call, ids, conflict, references);
	else if (is_worth_subtransaction(ids))
	{
		count_call();
		done = insert_in_subtransaction(call, ids, conflict);
	}
	if (done == NULL)
		return false;
	if (done->keys.n > 0)
		ereport(DEBUG1,
				(errmsg_internal("%s() has checked the foreign keys of \"%s\" in bulk",
								 call->name, get_rel_name(call->rel->pivot))));
	*nrows = done->keys.n;
	for (int64 i = 0; inserted != NULL && i < done->keys.n; i++)
		memcpy(btm_keys_add(inserted), BTM_KEY(&done->keys, i),
			   sizeof(Datum) * done->keys.nid);
	return true;
}

/*
 * Defines the settings; called once, when the library is loaded.
 */
void
btm_bulk_init(void)
{
	DefineCustomEnumVariable("belongs_to_many.bulk_path",
							 "Sets whether pairs are inserted with their foreign keys checked in bulk.",
							 "\"on\" raises an error where that is not possible.",
							 &bulk_path,
							 BULK_AUTO, bulk_path_options,
							 PGC_USERSET, 0,
							 NULL, NULL, NULL);
}
