/*-------------------------------------------------------------------------
 *
 * local.c
 *	  A pivot that PostgreSQL itself reads and writes: BtmPivotRoutine by SQL.
 *
 * One statement per step, through SPI with kept plans: privileges, row
 * security, triggers, rules, defaults, generated columns, constraints and
 * partition routing apply as they do for SQL that the caller sends.
 *
 * Rows are inserted from an input relation in key order.  Ids whose attributes
 * have different shapes go into different statements, so that a column that an
 * id does not mention gets its default.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_class.h"
#include "pivot/local.h"
#include "pivot/sqltext.h"
#include "pivot/statements.h"
#include "storage/itemptr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

/* ----------
 * Statements
 * ----------
 */

/*
 * Which versions of the parent's rows does a snapshot show, in or out of the
 * filter?
 */
static void
build_read_versions(StringInfo sql, BtmCall *call, const BtmStatement *stmt)
{
	bool		among = stmt->kind == BTM_STMT_READ_VERSIONS_AMONG;

	appendStringInfoString(sql, "SELECT p.tableoid, p.ctid FROM ");
	if (among)
	{
		btm_statement_append_input(sql, call, stmt);
		appendStringInfoString(sql, ", ");
	}
	btm_sql_table(sql, call->rel->pivot);
	appendStringInfoString(sql, " p WHERE ");
	btm_sql_parent_params(sql, call->rel, "p");
	if (among)
	{
		appendStringInfoString(sql, " AND ");
		btm_sql_id_set(sql, call->rel, "p");
	}
}

/*
 * " WHERE NOT EXISTS (the pair in scope) ORDER BY id"
 *
 * Whatever way the planner finds to look for the pairs, rows go in in key
 * order.
 */
static void
append_not_exists(StringInfo sql, const BtmResolved *rel)
{
	appendStringInfoString(sql, " WHERE NOT EXISTS (SELECT FROM ");
	btm_sql_table(sql, rel->pivot);
	appendStringInfoString(sql, " q WHERE ");
	btm_sql_parent_params(sql, rel, "q");
	appendStringInfoString(sql, " AND ");
	btm_sql_id_set(sql, rel, "q");
	btm_sql_scope(sql, rel, "q");
	appendStringInfoString(sql, ") ORDER BY ");
	for (int i = 0; i < rel->nid; i++)
		appendStringInfo(sql, "%su.k%d", i > 0 ? ", " : "", i + 1);
}

/*
 * " ON CONFLICT (pair) DO ..."
 */
static void
append_on_conflict(StringInfo sql, const BtmResolved *rel,
				   const BtmStatement *stmt)
{
	appendStringInfoString(sql, " ON CONFLICT (");
	for (int i = 0; i < rel->narbiter; i++)
		appendStringInfo(sql, "%s%s", i > 0 ? ", " : "",
						btm_pivot_column_name(rel, rel->arbiter[i]));
	appendStringInfoString(sql, ") DO ");

	if (stmt->kind != BTM_STMT_INSERT_UPDATE || stmt->shape->ncolumns == 0)
	{
		appendStringInfoString(sql, "NOTHING");
		return;
	}
	appendStringInfoString(sql, "UPDATE");
	btm_append_set(sql, rel, stmt, true);
	appendStringInfoString(sql, " WHERE ");
	btm_append_differs(sql, rel, stmt, true);
	btm_sql_scope(sql, rel, "p");
}

static void
build_insert(StringInfo sql, BtmCall *call, const BtmStatement *stmt)
{
	btm_append_insert(sql, call, stmt);
	if (stmt->kind != BTM_STMT_INSERT)
	{
		if (btm_has_arbiter(call->rel))
			append_on_conflict(sql, call->rel, stmt);
		else
			append_not_exists(sql, call->rel);
	}
	btm_append_returning(sql, call, stmt);
}

/* ------------
 * The routines
 * ------------
 */

/*
 * BtmPivotRoutine.read_keys
 */
static void
local_read_keys(BtmCall *call, const BtmKeys *among, BtmKeys *found)
{
	BtmStatement stmt = btm_statement_make(among ? BTM_STMT_READ_KEYS_AMONG : BTM_STMT_READ_KEYS,
										   btm_build_read_keys, true);

	if (among != NULL)
		btm_statement_input_keys(call, &stmt, among);
	btm_statement_run(call, &stmt, false, btm_returned_keys(call, found));
}

/*
 * See local.h.  With a unique index a pair outside of the filter is left out,
 * too.
 */
void
btm_local_read_conflicts(BtmCall *call, const BtmKeys *among, BtmKeys *found)
{
	BtmStatement stmt = btm_statement_make(BTM_STMT_READ_CONFLICTS,
										   btm_build_read_conflicts, true);

	if (!OidIsValid(call->rel->unique_index))
	{
		local_read_keys(call, among, found);
		return;
	}
	btm_statement_input_keys(call, &stmt, among);
	btm_statement_run(call, &stmt, false, btm_returned_keys(call, found));
}

/*
 * BtmPivotRoutine.delete_pairs
 */
static uint64
local_delete_pairs(BtmCall *call, const BtmKeys *keys, BtmKeys *deleted)
{
	BtmStatement stmt = btm_statement_make(keys ? BTM_STMT_DELETE_AMONG : BTM_STMT_DELETE_ALL,
										   btm_build_delete, deleted != NULL);

	if (keys != NULL)
		btm_statement_input_keys(call, &stmt, keys);
	return btm_statement_run(call, &stmt, false,
							 btm_returned_keys(call, deleted));
}

/*
 * Runs a write unless its input is empty: no id has attributes of this shape.
 */
static uint64
run_unless_empty(BtmCall *call, BtmStatement *stmt, BtmKeys *returned)
{
	if (stmt->input_rows > 0)
		return btm_statement_run(call, stmt, false,
								 btm_returned_keys(call, returned));
	btm_statement_drop_input(stmt);
	return 0;
}

/*
 * BtmPivotRoutine.update_pairs: one statement per shape
 */
static uint64
local_update_pairs(BtmCall *call, const BtmIds *ids, BtmKeys *changed)
{
	uint64		nrows = 0;

	for (int shape = 1; shape < ids->nshapes; shape++)
	{
		BtmStatement stmt = btm_statement_make(BTM_STMT_UPDATE,
											   btm_build_update,
											   changed != NULL);

		stmt.variant = btm_statement_input_ids(call, &stmt, ids, shape);
		nrows += run_unless_empty(call, &stmt, changed);
	}
	return nrows;
}

/*
 * The INSERT for a conflict policy.
 */
static BtmStatementKind
insert_kind(BtmConflict conflict)
{
	switch (conflict)
	{
		case BTM_CONFLICT_IGNORE:
		case BTM_CONFLICT_UNLIKELY:
			return BTM_STMT_INSERT_IGNORE;
		case BTM_CONFLICT_UPDATE:
			return BTM_STMT_INSERT_UPDATE;
		case BTM_CONFLICT_ERROR:
		case BTM_CONFLICT_DUPLICATE:
			break;
	}
	return BTM_STMT_INSERT;
}

/*
 * Is there just one id, of a string type, that looks like a list?
 */
static bool
looks_like_list(BtmCall *call, const BtmIds *ids)
{
	BtmKeyColumn *column = &call->rel->id[0];
	char	   *text;

	if (ids->keys.n != 1 || ids->keys.nid != 1 || !btm_key_is_string(column))
		return false;
	text = OutputFunctionCall(&column->type.output, *BTM_KEY(&ids->keys, 0));
	return text[0] == '{' || text[0] == '[';
}

/*
 * Error context callback while such an id is inserted: if the row that it
 * names does not exist, a list was meant.
 */
static void
hint_at_list(void *arg)
{
	if (geterrcode() == ERRCODE_FOREIGN_KEY_VIOLATION)
		errhint("A text value is one id for a key of a string type. Pass a list as an array or as jsonb, $1::text[] for example.");
}

/*
 * Inserts the pairs of one shape.
 */
static uint64
insert_shape(BtmCall *call, const BtmIds *ids, int shape,
			 BtmConflict conflict, BtmKeys *inserted)
{
	BtmStatement stmt = btm_statement_make(insert_kind(conflict), build_insert,
										   inserted != NULL);

	btm_statement_input_ids(call, &stmt, ids, shape);
	return run_unless_empty(call, &stmt, inserted);
}

/*
 * Those ids that IGNORE does not leave out.
 *
 * Where the pivot has rules they are found ahead of the INSERT: a rule's
 * action has the conditions of the INSERT, and is run after it, when the pairs
 * exist.
 */
static BtmIds *
without_conflicts(BtmCall *call, const BtmIds *ids)
{
	BtmKeys		found;

	btm_keys_init(&found, call->rel->nid);
	btm_local_read_conflicts(call, &ids->keys, &found);
	btm_keys_sort_unique(&found, call->rel->id);
	return btm_ids_absent(ids, &found, call->rel->id);
}

/*
 * See local.h.  One statement per shape.
 */
uint64
btm_local_insert(BtmCall *call, const BtmIds *ids, BtmConflict conflict,
				 BtmKeys *inserted)
{
	uint64		nrows = 0;

	if (call->rel->has_write_rules && insert_kind(conflict) != BTM_STMT_INSERT)
	{
		ids = without_conflicts(call, ids);
		conflict = BTM_CONFLICT_DUPLICATE;
	}
	for (int shape = 0; shape < ids->nshapes; shape++)
		nrows += insert_shape(call, ids, shape, conflict, inserted);
	return nrows;
}

/*
 * UPDATE without an arbiter: changes the pairs that are in scope, and takes
 * them out of *ids, for the change may have taken them out of scope.  Returns
 * the number of rows changed.
 *
 * Which pairs these are the UPDATE itself tells, since others may have
 * detached one while it waited for the row.  Rules may not let it return
 * anything; with rules they are looked for first.
 */
static uint64
update_existing(BtmCall *call, const BtmIds **ids)
{
	BtmKeyColumn *columns = call->rel->id;
	bool		has_rules = call->rel->has_write_rules;
	BtmKeys		found;
	uint64		nrows;

	btm_keys_init(&found, call->rel->nid);
	if (has_rules)
		local_read_keys(call, &(*ids)->keys, &found);
	nrows = local_update_pairs(call, *ids, has_rules ? NULL : &found);
	btm_keys_sort_unique(&found, columns);
	*ids = btm_ids_absent(*ids, &found, columns);
	return nrows;
}

/*
 * Inserts pairs on the bulk path if it is to be taken, otherwise by SQL alone.
 */
static uint64
insert_pairs(BtmCall *call, const BtmIds *ids, BtmConflict conflict,
			 BtmKeys *inserted)
{
	uint64		nrows = 0;

	if (btm_bulk_insert(call, ids, conflict, inserted, &nrows))
		return nrows;
	if (conflict == BTM_CONFLICT_UPDATE && !btm_has_arbiter(call->rel))
	{
		nrows = update_existing(call, &ids);
		conflict = BTM_CONFLICT_IGNORE;
	}
	return nrows + btm_local_insert(call, ids, conflict, inserted);
}

/*
 * BtmPivotRoutine.insert_pairs
 */
static uint64
local_insert_pairs(BtmCall *call, const BtmIds *ids, BtmConflict conflict,
				   BtmKeys *inserted)
{
	ErrorContextCallback callback = {error_context_stack, hint_at_list, NULL};
	uint64		nrows;

	if (looks_like_list(call, ids))
		error_context_stack = &callback;
	nrows = insert_pairs(call, ids, conflict, inserted);
	error_context_stack = callback.previous;
	return nrows;
}

/* -----------------------------------------------
 * Comparing snapshots (REPEATABLE READ and above)
 * -----------------------------------------------
 */

/*
 * Row versions are read as keys of two columns: tableoid and ctid.
 */
static const BtmKeyColumn version_columns[] = {
	{.type = {.typlen = sizeof(Oid), .typbyval = true}},
	{.type = {.typlen = sizeof(ItemPointerData), .typbyval = false}},
};

static int
compare_versions(const void *a, const void *b)
{
	const Datum *x = a;
	const Datum *y = b;

	if (DatumGetObjectId(x[0]) != DatumGetObjectId(y[0]))
		return DatumGetObjectId(x[0]) < DatumGetObjectId(y[0]) ? -1 : 1;
	return ItemPointerCompare((ItemPointer) DatumGetPointer(x[1]),
							  (ItemPointer) DatumGetPointer(y[1]));
}

/*
 * Reads the row versions of the parent that a snapshot shows, sorted: the
 * transaction's own if read_only is false, otherwise the active one.
 */
static void
read_versions(BtmCall *call, const BtmKeys *among, bool read_only,
			  BtmKeys *versions)
{
	BtmStatement stmt = btm_statement_make(among ? BTM_STMT_READ_VERSIONS_AMONG : BTM_STMT_READ_VERSIONS,
										   build_read_versions, true);
	MemoryContext oldcxt;
	DestReceiver *dest;

	oldcxt = MemoryContextSwitchTo(call->cxt);
	btm_keys_init(versions, lengthof(version_columns));
	dest = btm_keys_receiver(versions, version_columns);
	MemoryContextSwitchTo(oldcxt);

	if (among != NULL)
		btm_statement_input_keys(call, &stmt, among);
	btm_statement_run(call, &stmt, read_only, dest);
	qsort(versions->keys, versions->n, sizeof(Datum) * versions->nid,
		  compare_versions);
}

/*
 * Do two sorted lists show the same rows?
 */
static bool
same_versions(const BtmKeys *a, const BtmKeys *b)
{
	if (a->n != b->n)
		return false;
	for (int64 i = 0; i < a->n; i++)
		if (compare_versions(BTM_KEY(a, i), BTM_KEY(b, i)) != 0)
			return false;
	return true;
}

/*
 * BtmPivotRoutine.check_snapshot
 *
 * The rows that the transaction's snapshot shows must be those that the
 * latest snapshot shows.  Row versions tell more than keys: a change of an
 * attribute or of a filtered column is a difference, too.  The transaction's
 * own changes are in both.
 */
static void
local_check_snapshot(BtmCall *call, const BtmKeys *among)
{
	BtmKeys		own;
	BtmKeys		latest;

	read_versions(call, among, false, &own);
	PushActiveSnapshot(GetLatestSnapshot());
	read_versions(call, among, true, &latest);
	PopActiveSnapshot();

	if (!same_versions(&own, &latest))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent update"),
				 errdetail("Rows of this parent in \"%s\" were changed after the transaction's snapshot was taken.",
						   get_rel_name(call->rel->pivot)),
				 errhint("The transaction might succeed if retried.")));
}

const BtmPivotRoutine btm_local_routine = {
	.read_keys = local_read_keys,
	.delete_pairs = local_delete_pairs,
	.update_pairs = local_update_pairs,
	.insert_pairs = local_insert_pairs,
	.check_snapshot = local_check_snapshot,
};
