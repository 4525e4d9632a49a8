/*-------------------------------------------------------------------------
 *
 * reads.c
 *	  related_ids(), is_attached(), count_related() and count_related_for():
 *	  what a relation holds, without the related rows.
 *
 * They are answered from the pivot alone.  Only a relation with a filter on
 * related rows joins the related table.  A row whose related key is NULL
 * belongs to no pair and does not count.  About a foreign table that is not
 * asked where no row can have one: it might keep a count from being remote.
 *
 * Ids are put into order and freed of duplicates here rather than in SQL,
 * except where the executor returns them as rows.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "pivot/results.h"
#include "pivot/sqltext.h"
#include "utils/builtins.h"

BTM_FUNCTION(btm_related_ids);
BTM_FUNCTION(btm_related_ids_typed);
BTM_FUNCTION(btm_is_attached);
BTM_FUNCTION(btm_count_related);
BTM_FUNCTION(btm_count_related_for);

/* --------------
 * Statement text
 * --------------
 */

/*
 * " FROM [input u, ]pivot p [JOIN related r ...] WHERE ...": the pairs in
 * scope.
 */
static void
append_pairs(StringInfo sql, BtmCall *call, const BtmStatement *stmt)
{
	const BtmResolved *rel = call->rel;

	appendStringInfoString(sql, " FROM ");
	if (stmt->input != NULL || stmt->single != NULL)
	{
		btm_statement_append_input(sql, call, stmt);
		appendStringInfoString(sql, ", ");
	}
	btm_sql_from(sql, rel, stmt, btm_reads_related(rel));
	btm_sql_where(sql, rel, stmt);
	btm_sql_related_not_null(sql, rel, "p");
}

/*
 * "SELECT p.k1, p.k2"
 */
static void
append_select_ids(StringInfo sql, const BtmResolved *rel)
{
	for (int i = 0; i < rel->nid; i++)
	{
		appendStringInfoString(sql, i > 0 ? ", " : "SELECT ");
		btm_sql_column(sql, "p", rel->id[i].name);
	}
}

static void
build_related_ids(StringInfo sql, BtmCall *call, const BtmStatement *stmt)
{
	append_select_ids(sql, call->rel);
	append_pairs(sql, call, stmt);
}

static void
build_is_attached(StringInfo sql, BtmCall *call, const BtmStatement *stmt)
{
	append_select_ids(sql, call->rel);
	append_pairs(sql, call, stmt);
	appendStringInfoString(sql, " AND ");
	btm_sql_id_set(sql, call->rel, "p");
}

/*
 * The ids cast to the columns of a row type by position; distinct and in order
 * before they are cast, by the key's own equality.
 */
static void
build_typed_ids(StringInfo sql, BtmCall *call, const BtmStatement *stmt)
{
	const BtmResolved *rel = call->rel;
	TupleDesc	row = ((const BtmTypedStatement *) stmt)->row;
	int			n = 0;

	for (int i = 0; i < row->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(row, i);

		if (att->attisdropped)
			continue;
		appendStringInfoString(sql, n > 0 ? ", " : "SELECT ");
		btm_sql_cast_column(sql, "p", rel->pivot, rel->id[n++].attnum,
							att->atttypid, att->atttypmod);
	}
	appendStringInfoString(sql, " FROM (");
	append_select_ids(sql, rel);
	append_pairs(sql, call, stmt);
	for (int i = 0; i < rel->nid; i++)
		appendStringInfo(sql, "%s%d", i > 0 ? ", " : " GROUP BY ", i + 1);
	appendStringInfoString(sql, ") p");
	for (int i = 0; i < rel->nid; i++)
	{
		appendStringInfoString(sql, i > 0 ? ", " : " ORDER BY ");
		btm_sql_column(sql, "p", rel->id[i].name);
	}
}

static void
build_count(StringInfo sql, BtmCall *call, const BtmStatement *stmt)
{
	appendStringInfoString(sql, "SELECT pg_catalog.count(*)");
	append_pairs(sql, call, stmt);
}

static void
build_count_for(StringInfo sql, BtmCall *call, const BtmStatement *stmt)
{
	appendStringInfoString(sql, "SELECT ");
	btm_sql_parent_number(sql, stmt);
	appendStringInfoString(sql, ", pg_catalog.count(*)");
	append_pairs(sql, call, stmt);
	appendStringInfoString(sql, " GROUP BY ");
	btm_sql_parent_number(sql, stmt);
}

/* ---
 * Ids
 * ---
 */

/*
 * Runs a statement that returns ids; they come back distinct and in key order,
 * in the call's memory context.  With `among`, those are its input.
 */
static void
read_ids(BtmCall *call, BtmStatementKind kind,
		 void (*build) (StringInfo, BtmCall *, const BtmStatement *),
		 const BtmKeys *among, BtmKeys *found)
{
	const BtmRead read = {.ids = among};
	BtmStatement stmt = {0};

	stmt.kind = kind;
	stmt.build = build;
	btm_connect(call);
	if (among != NULL)
		btm_statement_input_keys(call, &stmt, among);
	btm_read(call, &stmt, &read, btm_keys_receiver(found, call->rel->id));
	btm_keys_sort_unique(found, call->rel->id);
	SPI_finish();
}

/*
 * related_ids(relation, parent_id) returns jsonb
 */
Datum
btm_related_ids(PG_FUNCTION_ARGS)
{
	BtmCall    *call = btm_call_begin(fcinfo, "related_ids", AccessShareLock);
	BtmKeys		ids;
	Jsonb	   *result;

	btm_call_set_parent(call, 1, true);
	btm_keys_init(&ids, call->rel->nid);
	if (call->parent != NULL)
		read_ids(call, BTM_STMT_RELATED_IDS, build_related_ids, NULL, &ids);

	result = btm_keys_to_jsonb(&ids, call->rel->id);
	btm_call_end(call);
	PG_RETURN_JSONB_P(result);
}

/*
 * Raises 42804 unless a row type has as many columns as an id.
 */
static void
check_id_type(BtmCall *call, TupleDesc row, Oid type)
{
	int			n = 0;

	for (int i = 0; i < row->natts; i++)
		if (!TupleDescAttr(row, i)->attisdropped)
			n++;
	if (n != call->rel->nid)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("ids of the relation are not of type %s",
						format_type_be(type)),
				 errdetail_plural("An id has %d column, the type has %d.",
								  "An id has %d columns, the type has %d.",
								  call->rel->nid, call->rel->nid, n)));
}

/*
 * related_ids(relation, parent_id, key_type anyelement)
 *		returns setof anyelement
 */
Datum
btm_related_ids_typed(PG_FUNCTION_ARGS)
{
	BtmCall    *call = btm_call_begin(fcinfo, "related_ids", AccessShareLock);
	const BtmRead read = {0};
	BtmTypedStatement typed = {0};

	btm_call_set_parent(call, 1, true);
	btm_begin_typed(call, &typed);
	check_id_type(call, typed.row, get_fn_expr_argtype(fcinfo->flinfo, 2));
	if (call->parent != NULL)
	{
		typed.stmt.kind = BTM_STMT_RELATED_IDS;
		typed.stmt.build = build_typed_ids;

		btm_connect(call);
		btm_read(call, &typed.stmt, &read,
				 btm_rows_receiver((ReturnSetInfo *) fcinfo->resultinfo));
		SPI_finish();
	}
	btm_call_end(call);
	return (Datum) 0;
}

/*
 * Are all of these ids attached?
 */
static bool
are_attached(BtmCall *call, const BtmIds *ids)
{
	BtmKeys		found;

	if (ids->keys.n == 0)
		return true;
	btm_keys_init(&found, call->rel->nid);
	read_ids(call, BTM_STMT_IS_ATTACHED, build_is_attached, &ids->keys,
			 &found);
	return found.n == ids->keys.n;
}

/*
 * is_attached(relation, parent_id, ids) returns boolean
 */
Datum
btm_is_attached(PG_FUNCTION_ARGS)
{
	BtmCall    *call = btm_call_begin(fcinfo, "is_attached", AccessShareLock);
	bool		result = false;

	if (PG_ARGISNULL(2))
		btm_null_argument(call, "ids", NULL);
	btm_call_set_parent(call, 1, true);
	if (call->parent != NULL)
		result = are_attached(call, btm_ids_arg(call, 2, -1, NULL));

	btm_call_end(call);
	PG_RETURN_BOOL(result);
}

/* ------
 * Counts
 * ------
 */

/*
 * Rows of int8 columns are read as if they were keys.
 */
static const BtmKeyColumn count_columns[] = {
	{.type = {.typlen = sizeof(int64),.typbyval = FLOAT8PASSBYVAL}},
	{.type = {.typlen = sizeof(int64),.typbyval = FLOAT8PASSBYVAL}},
};

/*
 * count_related(relation, parent_id) returns bigint
 */
Datum
btm_count_related(PG_FUNCTION_ARGS)
{
	BtmCall    *call = btm_call_begin(fcinfo, "count_related",
									  AccessShareLock);
	const BtmRead read = {0};
	BtmStatement stmt = {0};
	BtmKeys		counts;
	int64		result = 0;

	btm_call_set_parent(call, 1, true);
	if (call->parent != NULL)
	{
		stmt.kind = BTM_STMT_COUNT;
		stmt.build = build_count;

		btm_connect(call);
		btm_keys_init(&counts, 1);
		btm_read(call, &stmt, &read, btm_keys_receiver(&counts, count_columns));
		SPI_finish();
		result = DatumGetInt64(*BTM_KEY(&counts, 0));
	}
	btm_call_end(call);
	PG_RETURN_INT64(result);
}

/*
 * Reads the counts of those parents that have pairs: rows of a parent's number
 * and its count.
 */
static void
read_counts(BtmCall *call, const BtmParents *parents, BtmKeys *counts)
{
	const BtmRead read = {.parents = &parents->keys};
	BtmStatement stmt = {0};

	stmt.kind = BTM_STMT_COUNT_FOR;
	stmt.build = build_count_for;
	btm_connect(call);
	if (!btm_is_foreign(call->rel))
		btm_statement_input_parents(call, &stmt, &parents->keys);
	btm_read(call, &stmt, &read, btm_keys_receiver(counts, count_columns));
	SPI_finish();
}

/*
 * The counts by number of the parent, 0 where nothing was read.
 */
static int64 *
spread_counts(const BtmParents *parents, const BtmKeys *counts)
{
	int64	   *result = palloc_extended(sizeof(int64) * parents->keys.n,
										 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (int64 i = 0; i < counts->n; i++)
	{
		const Datum *row = BTM_KEY(counts, i);

		result[DatumGetInt64(row[0])] = DatumGetInt64(row[1]);
	}
	return result;
}

/*
 * Returns one row for each parent.
 */
static void
return_counts(BtmCall *call, const BtmParents *parents, const BtmKeys *counts)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) call->fcinfo->resultinfo;
	int64	   *spread = spread_counts(parents, counts);

	for (int64 i = 0; i < parents->keys.n; i++)
	{
		Datum		values[2] = {parents->values[i], Int64GetDatum(spread[i])};
		bool		nulls[2] = {false, false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc,
							 values, nulls);
	}
	pfree(spread);
}

/*
 * count_related_for(relation, parents anyarray)
 *		returns table (parent anyelement, count bigint)
 * count_related_for(relation, parents text or jsonb)
 *		returns table (parent jsonb, count bigint)
 */
Datum
btm_count_related_for(PG_FUNCTION_ARGS)
{
	BtmCall    *call = btm_call_begin(fcinfo, "count_related_for",
									  AccessShareLock);
	BtmParents *parents = btm_parents_arg(call, 1);
	BtmKeys		counts;

	InitMaterializedSRF(fcinfo, 0);
	if (parents->keys.n > 0)
	{
		btm_keys_init(&counts, 2);
		read_counts(call, parents, &counts);
		return_counts(call, parents, &counts);
	}
	btm_call_end(call);
	return (Datum) 0;
}
