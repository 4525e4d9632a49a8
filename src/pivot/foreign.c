/*-------------------------------------------------------------------------
 *
 * foreign.c
 *	  A pivot that is a foreign table: BtmPivotRoutine by plain SQL.
 *
 * Any wrapper will do, so nothing is asked for that only tables have: no
 * arbiter of ON CONFLICT, no row locks, no versions of rows.  What exists is
 * read under the parent's lock, compared here, and what is missing is inserted.
 * Statements go through SPI on the foreign table, so that privileges, defaults
 * and triggers apply as they do for SQL that the caller sends.
 *
 * A wrapper cannot hand on a join with the ids of a call, but a list that is a
 * parameter it may: pairs are looked for by "id = ANY ($n)".  To look for one
 * costs as much as to read a few of a parent's rows in order.  So where there
 * are many, or ids have several columns, the parent's rows are read, and
 * picked from here; unless they turn out to be far more than the ids.
 *
 * Some wrappers return what a statement has changed only at a price (a row
 * at a time where they could send many), so keys are asked for only where they
 * are not known anyway.
 *
 * Where a row is what its pair says (pair_is_row), an INSERT of a pair that is
 * there would overwrite it: such pairs are looked for first, in and out of the
 * relation's filter.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "pivot/local.h"
#include "pivot/statements.h"
#include "utils/lsyscache.h"

/* Up to so many ids are looked for by their values at once. */
#define LOOKUP_IDS 100

/*
 * For more, so many of the parent's rows are read for each id, and at least
 * that many (a page of them, in Cassandra, comes in one answer), before ids are
 * looked for by their values after all (measured).
 */
#define ROWS_PER_ID 5
#define LEAST_ROWS 5000

/* The ids of one statement, if they are in an array. */
#define ARRAY_IDS 10000

/*
 * Of more ids than this, rows to be changed are not looked for by the ids'
 * values: the parent's are read, and joined with the ids here.  (Not for a
 * DELETE behind a wrapper that may hand it on as a whole; that of Cassandra has
 * to read the rows.)
 */
#define CHANGE_IDS 1000

/* -----------
 * Given pairs
 * -----------
 */

/*
 * Starts a statement on the foreign pivot.
 */
static BtmStatement
make_statement(BtmStatementKind kind, BtmBuild build, bool returning)
{
	BtmStatement stmt = btm_statement_make(kind, build, returning);

	stmt.is_foreign = true;
	return stmt;
}

/*
 * Describes a pair for an error message: "(user_id, role_id)=(1, 5)".
 */
static char *
describe_pair(BtmCall *call, const Datum *id)
{
	const BtmResolved *rel = call->rel;
	int			n = rel->nfk + rel->nid;
	BtmKeyColumn *columns = palloc(sizeof(BtmKeyColumn) * n);
	Datum	   *key = palloc(sizeof(Datum) * n);

	memcpy(columns, rel->fk, sizeof(BtmKeyColumn) * rel->nfk);
	memcpy(columns + rel->nfk, rel->id, sizeof(BtmKeyColumn) * rel->nid);
	memcpy(key, call->parent, sizeof(Datum) * rel->nfk);
	memcpy(key + rel->nfk, id, sizeof(Datum) * rel->nid);
	return btm_key_describe(columns, n, key);
}

/*
 * Can ids be given to a statement as an array?
 */
static bool
has_id_array(const BtmResolved *rel)
{
	return rel->nid == 1 && OidIsValid(get_array_type(rel->id[0].type.type));
}

/*
 * Part of a list of keys, without a copy.
 */
static BtmKeys
slice(const BtmKeys *keys, int64 start, int64 n)
{
	BtmKeys		result = {0};

	result.nid = keys->nid;
	result.n = Min(n, keys->n - start);
	result.keys = BTM_KEY(keys, start);
	return result;
}

/*
 * Has a statement be about these pairs: one as parameters, several as an
 * array, or as its input relation.
 */
static void
set_pairs(BtmCall *call, BtmStatement *stmt, const BtmKeys *keys)
{
	if (keys->n > 1 && has_id_array(call->rel))
		btm_statement_id_array(call, stmt, keys);
	else
		btm_statement_input_keys(call, stmt, keys);
}

/*
 * Takes from a list of keys, in any order, those that are not in a sorted one.
 */
static void
keep_among(BtmKeys *found, const BtmKeys *among, BtmKeyColumn *columns)
{
	int64		n = 0;

	for (int64 i = 0; i < found->n; i++)
	{
		int64		at = 0;

		if (btm_keys_find_next(among, columns, BTM_KEY(found, i), &at))
			memmove(BTM_KEY(found, n++), BTM_KEY(found, i),
					sizeof(Datum) * found->nid);
	}
	found->n = n;
}

/*
 * Reads the keys of the parent's rows, or of the rows of given pairs; of all
 * only the first `max`, if that is not 0.
 */
static void
read_rows(BtmCall *call, BtmStatementKind kind, BtmBuild build,
		  const BtmKeys *pairs, int64 max, BtmKeys *found)
{
	BtmStatement stmt = make_statement(kind, build, true);
	DestReceiver *dest = btm_returned_keys(call, found);

	if (pairs != NULL)
		set_pairs(call, &stmt, pairs);
	btm_keys_receiver_limit(dest, max);
	btm_statement_run(call, &stmt, false, dest);
}

/*
 * Reads the keys of the rows of pairs, of which each is looked for.
 */
static void
look_up(BtmCall *call, BtmStatementKind kind, BtmBuild build,
		const BtmKeys *among, BtmKeys *found)
{
	for (int64 start = 0; start < among->n; start += ARRAY_IDS)
	{
		BtmKeys		part = slice(among, start, ARRAY_IDS);

		read_rows(call, kind, build, &part, 0, found);
	}
}

/*
 * Reads the keys of the rows of pairs, in the way that costs less, into an
 * empty list.
 */
static void
read_among(BtmCall *call, BtmStatementKind kind, BtmBuild build,
		   const BtmKeys *among, BtmKeys *found)
{
	bool		by_value = has_id_array(call->rel);
	int64		max = by_value ? Max(among->n * ROWS_PER_ID, LEAST_ROWS) : 0;

	if (among->n == 1 || (by_value && among->n <= LOOKUP_IDS))
	{
		read_rows(call, kind, build, among, 0, found);
		return;
	}
	read_rows(call, kind, build, NULL, max, found);
	if (max == 0 || found->n < max)
	{
		keep_among(found, among, call->rel->id);
		return;
	}
	found->n = 0;
	look_up(call, kind, build, among, found);
}

/*
 * BtmPivotRoutine.read_keys
 */
static void
foreign_read_keys(BtmCall *call, const BtmKeys *among, BtmKeys *found)
{
	if (among == NULL)
		read_rows(call, BTM_STMT_READ_KEYS, btm_build_read_keys, NULL, 0,
				  found);
	else
		read_among(call, BTM_STMT_READ_KEYS, btm_build_read_keys, among,
				   found);
}

/* -----------------------
 * Deleting and updating
 * -----------------------
 */

/*
 * Deletes these pairs, or all of the parent's if keys is NULL.
 */
static uint64
delete_rows(BtmCall *call, const BtmKeys *keys, bool join, BtmKeys *deleted)
{
	BtmStatement stmt = make_statement(keys ? BTM_STMT_DELETE_AMONG :
									   BTM_STMT_DELETE_ALL,
									   btm_build_delete, deleted != NULL);

	if (keys != NULL && join)
		btm_statement_input_keys(call, &stmt, keys);
	else if (keys != NULL)
		set_pairs(call, &stmt, keys);
	return btm_statement_run(call, &stmt, false,
							 btm_returned_keys(call, deleted));
}

/*
 * BtmPivotRoutine.delete_pairs
 */
static uint64
foreign_delete_pairs(BtmCall *call, const BtmKeys *keys, BtmKeys *deleted)
{
	uint64		nrows = 0;

	if (keys == NULL || !has_id_array(call->rel))
		return delete_rows(call, keys, false, deleted);
	if (call->rel->pair_is_row && keys->n > CHANGE_IDS)
		return delete_rows(call, keys, true, deleted);
	for (int64 start = 0; start < keys->n; start += ARRAY_IDS)
	{
		BtmKeys		part = slice(keys, start, ARRAY_IDS);

		nrows += delete_rows(call, &part, false, deleted);
	}
	return nrows;
}

/*
 * The keys of the ids that have attributes of a shape.
 */
static BtmKeys
keys_of_shape(const BtmIds *ids, int shape)
{
	BtmKeys		result;

	btm_keys_init(&result, ids->keys.nid);
	for (int64 i = 0; i < ids->keys.n; i++)
	{
		const BtmAttributes *attributes = btm_id_attributes(ids, i);

		if ((attributes ? attributes->shape : 0) == shape)
			memcpy(btm_keys_add(&result), BTM_KEY(&ids->keys, i),
				   sizeof(Datum) * result.nid);
	}
	return result;
}

/*
 * Has a statement be about the ids that have attributes of a shape, whose keys
 * these are, with their attributes.
 *
 * Values come from the input relation, which is joined to the rows here; the
 * array lets the wrapper read no others.
 */
static void
set_shape(BtmCall *call, BtmStatement *stmt, const BtmIds *ids, int shape,
		  const BtmKeys *keys)
{
	stmt->variant = btm_statement_input_ids(call, stmt, ids, shape);
	if (stmt->single == NULL && keys->n <= CHANGE_IDS &&
		has_id_array(call->rel))
		btm_statement_id_array(call, stmt, keys);
}

/*
 * How many columns of the primary key do attributes of this shape name?
 */
static int
count_row_keys(const BtmResolved *rel, const BtmShape *shape)
{
	int			n = 0;

	for (int i = 0; i < shape->ncolumns; i++)
		n += btm_is_row_key(rel, shape->columns[i]->attnum);
	return n;
}

/*
 * Raises 0A000 for a row whose primary key attributes of this shape would
 * change.
 */
pg_noreturn static void
cannot_move(BtmCall *call, const BtmShape *shape, const Datum *id)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < shape->ncolumns; i++)
		if (btm_is_row_key(call->rel, shape->columns[i]->attnum))
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
							 shape->columns[i]->name);
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot change the primary key of a row in foreign table \"%s\"",
					get_rel_name(call->rel->pivot)),
			 errdetail("A row of the pair %s has another value than the attributes (%s).",
					   describe_pair(call, id), names.data)));
}

/*
 * Attributes that are columns of the primary key must be what the rows have:
 * these columns cannot be written.  Errors: 0A000.
 */
static void
check_row_keys(BtmCall *call, const BtmIds *ids, int shape,
			   const BtmKeys *keys)
{
	BtmStatement stmt = make_statement(BTM_STMT_READ_MOVED,
									   btm_build_read_moved, true);
	BtmKeys		found;
	DestReceiver *dest;

	btm_keys_init(&found, call->rel->nid);
	dest = btm_returned_keys(call, &found);
	btm_keys_receiver_limit(dest, 1);
	set_shape(call, &stmt, ids, shape, keys);
	btm_statement_run(call, &stmt, false, dest);
	if (found.n > 0)
		cannot_move(call, &ids->shapes[shape], BTM_KEY(&found, 0));
}

/*
 * Updates the rows of those ids that have attributes of a shape.
 */
static uint64
update_shape(BtmCall *call, const BtmIds *ids, int shape, BtmKeys *changed)
{
	BtmStatement stmt = make_statement(BTM_STMT_UPDATE, btm_build_update,
									   changed != NULL);
	BtmKeys		keys = keys_of_shape(ids, shape);
	int			row_keys = count_row_keys(call->rel, &ids->shapes[shape]);

	if (keys.n == 0)
		return 0;
	if (row_keys > 0)
		check_row_keys(call, ids, shape, &keys);
	if (row_keys == ids->shapes[shape].ncolumns)
		return 0;
	set_shape(call, &stmt, ids, shape, &keys);
	return btm_statement_run(call, &stmt, false,
							 btm_returned_keys(call, changed));
}

/*
 * BtmPivotRoutine.update_pairs: one statement per shape
 */
static uint64
foreign_update_pairs(BtmCall *call, const BtmIds *ids, BtmKeys *changed)
{
	uint64		nrows = 0;

	for (int shape = 1; shape < ids->nshapes; shape++)
		nrows += update_shape(call, ids, shape, changed);
	return nrows;
}

/* ---------
 * Inserting
 * ---------
 */

static void
build_insert(StringInfo sql, BtmCall *call, const BtmStatement *stmt)
{
	btm_append_insert(sql, call, stmt);
	btm_append_returning(sql, call, stmt);
}

/*
 * Notes which of the keys have been inserted, where the statement did not
 * return them: all of them, unless something has left some out.
 */
static void
note_inserted(BtmCall *call, const BtmKeys *keys, uint64 nrows,
			  BtmKeys *inserted)
{
	BtmKeys		found;
	const BtmKeys *noted = keys;

	if (nrows != (uint64) keys->n)
	{
		btm_keys_init(&found, keys->nid);
		foreign_read_keys(call, keys, &found);
		noted = &found;
	}
	for (int64 i = 0; i < noted->n; i++)
		memcpy(btm_keys_add(inserted), BTM_KEY(noted, i),
			   sizeof(Datum) * keys->nid);
}

/*
 * Inserts the pairs of one shape.
 */
static uint64
insert_shape(BtmCall *call, const BtmIds *ids, int shape, BtmKeys *inserted)
{
	bool		returning = inserted != NULL && call->rel->may_redirect;
	BtmStatement stmt = make_statement(BTM_STMT_INSERT, build_insert,
									   returning);
	BtmKeys		keys = keys_of_shape(ids, shape);
	uint64		nrows;

	if (keys.n == 0)
		return 0;
	(void) btm_statement_input_ids(call, &stmt, ids, shape);
	nrows = btm_statement_run(call, &stmt, false,
							  btm_returned_keys(call,
												returning ? inserted : NULL));
	if (inserted != NULL && !returning)
		note_inserted(call, &keys, nrows, inserted);
	return nrows;
}

/*
 * Does the relation see only some of the parent's rows?
 */
static bool
has_scope(const BtmResolved *rel)
{
	return rel->def->pivot_values != NIL || rel->def->where != NIL;
}

/*
 * Raises 23505 for a pair whose row is there.
 */
pg_noreturn static void
pair_exists(BtmCall *call, const Datum *id)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("duplicate key value in foreign table \"%s\"",
					get_rel_name(call->rel->pivot)),
			 errdetail("Key %s already exists.", describe_pair(call, id)),
			 call->rel->pair_is_row ?
			 errhint("The pair is the table's primary key, so it has one row of it at most.") :
			 errhint("There is a row with the same primary key, in or out of the relation's filter.")));
}

/*
 * Raises 0A000 if it cannot be known which row an INSERT with attributes of this
 * shape would meet: something else than the attributes may give a column of the
 * primary key its value.  (One that nothing gives a value is NULL, and refused.)
 */
static void
check_row_is_known(const BtmResolved *rel, const BtmShape *shape)
{
	for (int i = 0; i < rel->narbiter; i++)
	{
		AttrNumber	attnum = rel->arbiter[i];
		const BtmPivotColumn *column = btm_pivot_column_by_number(rel, attnum);

		if (column->is_key || btm_shape_has(shape, attnum) ||
			attnum == rel->created_at || attnum == rel->updated_at ||
			btm_has_pivot_value(rel, attnum) ||
			!(column->may_have_default || rel->may_redirect))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("column \"%s\" of foreign table \"%s\" must be given as an attribute",
						column->name, get_rel_name(rel->pivot)),
				 errdetail("It is part of the primary key, by which rows that exist are looked for.")));
	}
}

/*
 * Reads the keys of the rows that an INSERT of the ids that have attributes of
 * a shape would meet.
 */
static void
read_shape(BtmCall *call, BtmStatementKind kind, BtmBuild build,
		   const BtmIds *ids, int shape, BtmKeys *found)
{
	BtmStatement stmt = make_statement(kind, build, true);
	BtmKeys		keys = keys_of_shape(ids, shape);

	if (keys.n == 0)
		return;
	set_shape(call, &stmt, ids, shape, &keys);
	stmt.variant = 0;
	btm_statement_run(call, &stmt, false, btm_returned_keys(call, found));
}

/*
 * The keys of those ids whose attributes name no column of the primary key.
 */
static BtmKeys
keys_without_row_keys(BtmCall *call, const BtmIds *ids)
{
	BtmKeys		result;

	btm_keys_init(&result, ids->keys.nid);
	for (int64 i = 0; i < ids->keys.n; i++)
	{
		const BtmAttributes *attributes = btm_id_attributes(ids, i);

		if (attributes == NULL ||
			count_row_keys(call->rel, &ids->shapes[attributes->shape]) == 0)
			memcpy(btm_keys_add(&result), BTM_KEY(&ids->keys, i),
				   sizeof(Datum) * result.nid);
	}
	return result;
}

/*
 * Reads the keys of the rows that an INSERT of the ids would meet, into an empty
 * list: by their pairs, and where attributes name columns of the primary key by
 * these, too.
 */
static void
read_inserted(BtmCall *call, BtmStatementKind kind, BtmBuild build,
			  const BtmIds *ids, BtmKeys *found)
{
	BtmKeys		keys = keys_without_row_keys(call, ids);

	if (keys.n > 0)
		read_among(call, kind, build, &keys, found);
	for (int shape = 1; shape < ids->nshapes; shape++)
		if (count_row_keys(call->rel, &ids->shapes[shape]) > 0)
			read_shape(call, kind, build, ids, shape, found);
	btm_keys_sort_unique(found, call->rel->id);
}

/*
 * The ids whose rows are not there, in or out of the filter.  ERROR and
 * DUPLICATE do not put up with any that is: 23505.  Nor does any policy where
 * the primary key is more than the pair, for the policies are about pairs.
 */
static const BtmIds *
without_rows(BtmCall *call, const BtmIds *ids, BtmConflict conflict)
{
	BtmKeys		found;

	for (int shape = 0; shape < ids->nshapes; shape++)
		if (keys_of_shape(ids, shape).n > 0)
			check_row_is_known(call->rel, &ids->shapes[shape]);
	btm_keys_init(&found, call->rel->nid);
	read_inserted(call, BTM_STMT_READ_CONFLICTS, btm_build_read_conflicts, ids,
				  &found);
	if (found.n > 0 &&
		(conflict == BTM_CONFLICT_ERROR || conflict == BTM_CONFLICT_DUPLICATE ||
		 !call->rel->pair_is_row))
		pair_exists(call, BTM_KEY(&found, 0));
	return btm_ids_absent(ids, &found, call->rel->id);
}

/*
 * Takes the pairs in scope out of *ids; with UPDATE they get their attributes.
 * Returns the number of rows changed.
 */
static uint64
settle_existing(BtmCall *call, const BtmIds **ids, BtmConflict conflict)
{
	BtmKeyColumn *columns = call->rel->id;
	BtmKeys		found;
	const BtmIds *existing;

	btm_keys_init(&found, call->rel->nid);
	if (call->rel->pair_is_row)
		read_inserted(call, BTM_STMT_READ_KEYS, btm_build_read_keys, *ids,
					  &found);
	else
		foreign_read_keys(call, &(*ids)->keys, &found);
	btm_keys_sort_unique(&found, columns);
	existing = btm_ids_present(*ids, &found, columns);
	*ids = btm_ids_absent(*ids, &found, columns);
	return conflict == BTM_CONFLICT_UPDATE ?
		foreign_update_pairs(call, existing, NULL) : 0;
}

/*
 * Must the rows that an INSERT would meet be looked for?  Not if it has just
 * been seen that the pairs have none, and there is no filter that could hide
 * them; nor where no key is known.
 */
static bool
must_look_for_rows(const BtmResolved *rel, BtmConflict conflict)
{
	if (rel->narbiter == 0)
		return false;
	switch (conflict)
	{
		case BTM_CONFLICT_IGNORE:
			return rel->pair_is_row || has_scope(rel);
		case BTM_CONFLICT_UNLIKELY:
		case BTM_CONFLICT_UPDATE:
			return has_scope(rel);
		case BTM_CONFLICT_ERROR:
		case BTM_CONFLICT_DUPLICATE:
			break;
	}
	return true;
}

/*
 * BtmPivotRoutine.insert_pairs
 *
 * Nobody else attaches under the parent's lock, so what UNLIKELY has just seen
 * is not looked for again.  Only a pair out of the filter can be in the way.
 */
static uint64
foreign_insert_pairs(BtmCall *call, const BtmIds *ids, BtmConflict conflict,
					 BtmKeys *inserted)
{
	uint64		nrows = 0;

	btm_bulk_refuse(call, ids, conflict);
	if (conflict == BTM_CONFLICT_UPDATE ||
		(conflict == BTM_CONFLICT_IGNORE && !call->rel->pair_is_row))
		nrows = settle_existing(call, &ids, conflict);
	if (ids->keys.n > 0 && must_look_for_rows(call->rel, conflict))
		ids = without_rows(call, ids, conflict);
	for (int shape = 0; shape < ids->nshapes; shape++)
		nrows += insert_shape(call, ids, shape, inserted);
	return nrows;
}

/*
 * BtmPivotRoutine.check_snapshot
 *
 * A foreign table has no snapshot of this transaction: what is read is what
 * there is, or what the wrapper takes for it.
 */
static void
foreign_check_snapshot(BtmCall *call, const BtmKeys *among)
{
}

const BtmPivotRoutine btm_foreign_routine = {
	.read_keys = foreign_read_keys,
	.delete_pairs = foreign_delete_pairs,
	.update_pairs = foreign_update_pairs,
	.insert_pairs = foreign_insert_pairs,
	.check_snapshot = foreign_check_snapshot,
};
