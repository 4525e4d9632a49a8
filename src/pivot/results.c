/*-------------------------------------------------------------------------
 *
 * results.c
 *	  get_results(): the related rows of one parent with their pivot data.
 *
 * One join, whose rows go straight into the tuplestore that the function
 * returns.  As jsonb a row is converted in C (jsonrow.c).  As a row type that
 * the caller names, its columns are looked up by name and cast in SQL, so that
 * the executor delivers the row as it is to be returned.
 *
 * A row type can change while the plan for it is kept, and a RECORD with a
 * column definition list has no OID of its own.  So a plan is kept for the
 * type cache's identifier of a row type, which is another after each change.
 *
 * The kept plan looks up each related row.  A parent that has so many of them
 * that reading the whole related table is faster, by estimate, gets a plan of
 * its own each time.
 *
 * Reads run under the snapshot of the calling statement and take no locks but
 * those of a SELECT.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/relation.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pivot/estimate.h"
#include "pivot/jsonrow.h"
#include "pivot/results.h"
#include "pivot/sqltext.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

/*
 * Looking up a row takes as long as reading so many one after the other.
 * (Measured, in memory: of 63,666 rows, a scan is faster from some 5,000 on.)
 */
#define LOOKUP_COST 10

BTM_FUNCTION(btm_get_results);
BTM_FUNCTION(btm_get_results_typed);

/* -------
 * Columns
 * -------
 */

/*
 * The names of the related table's columns, in order, as a List of char *.
 */
List *
btm_related_columns(const BtmResolved *rel)
{
	Relation	related = relation_open(rel->related, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(related);
	List	   *result = NIL;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped)
			result = lappend(result, pstrdup(NameStr(att->attname)));
	}
	relation_close(related, NoLock);
	return result;
}

/*
 * The pivot's column with this number, appended to a List of BtmPivotColumn *
 * unless it is there already or the number is invalid.
 */
static List *
add_pivot_column(List *columns, const BtmResolved *rel, AttrNumber attnum)
{
	for (int i = 0; i < rel->ncolumns; i++)
		if (rel->columns[i].attnum == attnum)
			return list_append_unique_ptr(columns, &rel->columns[i]);
	return columns;
}

/*
 * The pivot columns that results show, as a List of BtmPivotColumn *: the
 * keys, those of with_pivot, timestamps.
 */
List *
btm_result_pivot_columns(const BtmResolved *rel)
{
	List	   *result = NIL;
	ListCell   *lc;

	for (int i = 0; i < rel->nfk; i++)
		result = add_pivot_column(result, rel, rel->fk[i].attnum);
	for (int i = 0; i < rel->nrk; i++)
		result = add_pivot_column(result, rel, rel->rk[i].attnum);
	foreach(lc, rel->def->with_pivot)
		result = add_pivot_column(result, rel,
								  ((BtmColumn *) lfirst(lc))->attnum);
	result = add_pivot_column(result, rel, rel->created_at);
	return add_pivot_column(result, rel, rel->updated_at);
}

/*
 * The name pivot_<column>, clipped to the length of a name as the parser does.
 */
char *
btm_pivot_alias(const char *column)
{
	char	   *result = psprintf("pivot_%s", column);
	int			len = strlen(result);

	if (len >= NAMEDATALEN)
		result[pg_mbcliplen(result, len, NAMEDATALEN - 1)] = '\0';
	return result;
}

/* --------------
 * Statement text
 * --------------
 */

void
btm_sql_result_columns(StringInfo sql, const BtmResolved *rel)
{
	const char *separator = "";
	ListCell   *lc;

	foreach(lc, btm_related_columns(rel))
	{
		appendStringInfoString(sql, separator);
		btm_sql_column(sql, "r", lfirst(lc));
		separator = ", ";
	}
	foreach(lc, btm_result_pivot_columns(rel))
	{
		appendStringInfoString(sql, separator);
		btm_sql_column(sql, "p", ((BtmPivotColumn *) lfirst(lc))->name);
		separator = ", ";
	}
}

void
btm_sql_aliased_pivot_columns(StringInfo sql, const BtmResolved *rel,
							  const char *separator)
{
	ListCell   *lc;

	foreach(lc, btm_result_pivot_columns(rel))
	{
		const BtmPivotColumn *column = lfirst(lc);

		appendStringInfoString(sql, separator);
		btm_sql_column(sql, "p", column->name);
		appendStringInfo(sql, " AS %s",
						 quote_identifier(btm_pivot_alias(column->name)));
		separator = ", ";
	}
}

/*
 * The name of a table, or that of the rows that stand for it.
 */
static void
append_source(StringInfo sql, Oid relid, const BtmRows *rows, const char *name)
{
	if (rows != NULL)
		appendStringInfoString(sql, name);
	else
		btm_sql_table(sql, relid);
}

void
btm_sql_from(StringInfo sql, const BtmResolved *rel, const BtmStatement *stmt,
			 bool join_related)
{
	append_source(sql, rel->pivot, stmt ? stmt->pivot : NULL, BTM_PIVOT_NAME);
	appendStringInfoString(sql, " p");
	if (!join_related)
		return;
	appendStringInfoString(sql, " JOIN ");
	append_source(sql, rel->related, stmt ? stmt->related : NULL,
				  BTM_RELATED_NAME);
	appendStringInfoString(sql, " r ON (");
	btm_sql_related_join(sql, rel, "p");
	appendStringInfoChar(sql, ')');
}

void
btm_sql_parent_number(StringInfo sql, const BtmStatement *stmt)
{
	TupleDesc	desc = stmt->pivot ? stmt->pivot->desc : NULL;

	if (desc == NULL)
		appendStringInfoString(sql, "u.ord");
	else
		btm_sql_column(sql, "p",
					   NameStr(TupleDescAttr(desc, desc->natts - 1)->attname));
}

void
btm_sql_where(StringInfo sql, const BtmResolved *rel, const BtmStatement *stmt)
{
	appendStringInfoString(sql, " WHERE ");
	if (stmt->pivot != NULL)
		appendStringInfoString(sql, "true");
	else if (stmt->without_parent)
		btm_sql_parent_set(sql, rel, "p");
	else
		btm_sql_parent_params(sql, rel, "p");
	if (stmt->pivot == NULL)
		btm_sql_scope(sql, rel, "p");
	if (stmt->related == NULL)
		btm_sql_related_scope(sql, rel);
}

void
btm_sql_cast_column(StringInfo sql, const char *alias, Oid relid,
					AttrNumber attnum, Oid type, int32 typmod)
{
	Oid			from;
	int32		from_typmod;
	Oid			collation;

	btm_sql_column(sql, alias, get_attname(relid, attnum, false));
	get_atttypetypmodcoll(relid, attnum, &from, &from_typmod, &collation);
	if (from == type && (typmod < 0 || from_typmod == typmod))
		return;
	appendStringInfoString(sql, "::");
	btm_sql_type(sql, type, typmod);
}

/*
 * " FROM ... WHERE ... ORDER BY ... LIMIT ..." for one parent.
 */
static void
append_results_tail(StringInfo sql, const BtmResolved *rel,
					const BtmStatement *stmt)
{
	appendStringInfoString(sql, " FROM ");
	btm_sql_from(sql, rel, stmt, true);
	btm_sql_where(sql, rel, stmt);
	btm_sql_order_by(sql, rel);
	btm_sql_limit(sql, rel);
}

/*
 * The columns of jsonb rows.
 */
void
btm_wanted_results(const BtmResolved *rel, const BtmStatement *stmt,
				   BtmWanted *wanted)
{
	Relation	related = relation_open(rel->related, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(related);
	ListCell   *lc;

	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped)
			wanted->related = bms_add_member(wanted->related, i + 1);
	relation_close(related, NoLock);
	foreach(lc, btm_result_pivot_columns(rel))
		wanted->pivot = bms_add_member(wanted->pivot,
									   ((BtmPivotColumn *) lfirst(lc))->attnum);
}

static void
build_results(StringInfo sql, BtmCall *call, const BtmStatement *stmt)
{
	appendStringInfoString(sql, "SELECT ");
	btm_sql_result_columns(sql, call->rel);
	append_results_tail(sql, call->rel, stmt);
}

/*
 * Raises 42703: neither table has a column of the row type.
 */
pg_noreturn static void
no_such_result_column(const BtmResolved *rel, const char *name, Oid row_type)
{
	List	   *candidates = btm_related_columns(rel);
	const char *nearest;

	for (int i = 0; i < rel->ncolumns; i++)
		candidates = lappend(candidates, btm_pivot_alias(rel->columns[i].name));
	nearest = btm_nearest_name(name, candidates);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of row type %s is in neither table of the relation",
					name, format_type_be(row_type)),
			 errdetail("The related table is \"%s\", the pivot table is \"%s\".",
					   get_rel_name(rel->related), get_rel_name(rel->pivot)),
			 nearest ?
			 errhint("Perhaps you meant to reference the column \"%s\".",
					 nearest) :
			 errhint("Columns of the pivot go by the name pivot_<column>.")));
}

/*
 * The pivot's column that goes by this name in results, or NULL.  Any column
 * of the pivot does, with_pivot or not: the caller has named it.
 */
static const BtmPivotColumn *
find_pivot_alias(const BtmResolved *rel, const char *name)
{
	for (int i = 0; i < rel->ncolumns; i++)
		if (strcmp(btm_pivot_alias(rel->columns[i].name), name) == 0)
			return &rel->columns[i];
	return NULL;
}

/*
 * Appends the source of one column of a row type.
 */
static void
append_typed_column(StringInfo sql, const BtmResolved *rel,
					Form_pg_attribute att, Oid row_type)
{
	const char *name = NameStr(att->attname);
	AttrNumber	attnum = get_attnum(rel->related, name);
	const BtmPivotColumn *column;

	if (AttrNumberIsForUserDefinedAttr(attnum))
	{
		btm_sql_cast_column(sql, "r", rel->related, attnum,
							att->atttypid, att->atttypmod);
		return;
	}
	column = find_pivot_alias(rel, name);
	if (column == NULL)
		no_such_result_column(rel, name, row_type);
	btm_sql_cast_column(sql, "p", rel->pivot, column->attnum,
						att->atttypid, att->atttypmod);
}

/*
 * The columns of a row type.
 */
static void
wanted_typed(const BtmResolved *rel, const BtmStatement *stmt,
			 BtmWanted *wanted)
{
	TupleDesc	row = ((const BtmTypedStatement *) stmt)->row;

	for (int i = 0; i < row->natts; i++)
	{
		const char *name = NameStr(TupleDescAttr(row, i)->attname);
		AttrNumber	attnum = get_attnum(rel->related, name);
		const BtmPivotColumn *column = find_pivot_alias(rel, name);

		if (TupleDescAttr(row, i)->attisdropped)
			continue;
		if (AttrNumberIsForUserDefinedAttr(attnum))
			wanted->related = bms_add_member(wanted->related, attnum);
		else if (column != NULL)
			wanted->pivot = bms_add_member(wanted->pivot, column->attnum);
	}
}

static void
build_typed_results(StringInfo sql, BtmCall *call, const BtmStatement *stmt)
{
	TupleDesc	row = ((const BtmTypedStatement *) stmt)->row;
	const char *separator = " ";

	appendStringInfoString(sql, "SELECT");
	for (int i = 0; i < row->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(row, i);

		if (att->attisdropped)
			continue;
		appendStringInfoString(sql, separator);
		append_typed_column(sql, call->rel, att, row->tdtypeid);
		separator = ", ";
	}
	append_results_tail(sql, call->rel, stmt);
}

/* ---------
 * Receivers
 * ---------
 */

/* Rows as jsonb. */
typedef struct JsonReceiver
{
	DestReceiver pub;
	const BtmResolved *rel;
	ReturnSetInfo *rsinfo;
	BtmJsonShape *shape;
} JsonReceiver;

static void
json_startup(DestReceiver *self, int operation, TupleDesc typeinfo)
{
	JsonReceiver *receiver = (JsonReceiver *) self;
	int			npivot = list_length(btm_result_pivot_columns(receiver->rel));

	receiver->shape = btm_json_shape(typeinfo, 0, typeinfo->natts - npivot,
									 btm_pivot_member(receiver->rel));
}

static bool
json_receive(TupleTableSlot *slot, DestReceiver *self)
{
	JsonReceiver *receiver = (JsonReceiver *) self;
	ReturnSetInfo *rsinfo = receiver->rsinfo;
	Datum		value = JsonbPGetDatum(btm_json_row(receiver->shape, slot));
	bool		isnull = false;

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &value, &isnull);
	return true;
}

/* Rows of the row type in rsinfo->setDesc, without its dropped columns. */
typedef struct RowsReceiver
{
	DestReceiver pub;
	ReturnSetInfo *rsinfo;
	Datum	   *values;			/* NULL: there are no dropped columns */
	bool	   *nulls;
} RowsReceiver;

/*
 * Allocates the row.  The statement's columns are those that the row type had
 * when its plan was made; that they still are is checked here once more,
 * because wrong types would make the backend crash.
 */
static void
rows_startup(DestReceiver *self, int operation, TupleDesc typeinfo)
{
	RowsReceiver *receiver = (RowsReceiver *) self;
	TupleDesc	desc = receiver->rsinfo->setDesc;
	int			n = 0;

	for (int i = 0; i < desc->natts; i++)
	{
		if (TupleDescAttr(desc, i)->attisdropped)
			continue;
		if (n == typeinfo->natts ||
			TupleDescAttr(typeinfo, n)->atttypid !=
			TupleDescAttr(desc, i)->atttypid)
			break;
		n++;
	}
	if (n != typeinfo->natts)
		elog(ERROR, "row type %u does not match its plan", desc->tdtypeid);
	if (n == desc->natts)
		return;

	receiver->values = palloc0(sizeof(Datum) * desc->natts);
	receiver->nulls = palloc(sizeof(bool) * desc->natts);
	memset(receiver->nulls, true, sizeof(bool) * desc->natts);
}

/*
 * Makes a row of the row type, with its dropped columns.
 */
static void
spread_columns(RowsReceiver *receiver, const TupleTableSlot *slot)
{
	ReturnSetInfo *rsinfo = receiver->rsinfo;
	int			n = 0;

	for (int i = 0; i < rsinfo->setDesc->natts; i++)
	{
		if (TupleDescAttr(rsinfo->setDesc, i)->attisdropped)
			continue;
		receiver->values[i] = slot->tts_values[n];
		receiver->nulls[i] = slot->tts_isnull[n];
		n++;
	}
}

static bool
rows_receive(TupleTableSlot *slot, DestReceiver *self)
{
	RowsReceiver *receiver = (RowsReceiver *) self;
	ReturnSetInfo *rsinfo = receiver->rsinfo;
	bool		spread = receiver->values != NULL;

	slot_getallattrs(slot);
	if (spread)
		spread_columns(receiver, slot);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc,
						 spread ? receiver->values : slot->tts_values,
						 spread ? receiver->nulls : slot->tts_isnull);
	return true;
}

/*
 * A receiver that puts rows into the function's result; dropped columns of its
 * row type are NULL.  Allocated in the current memory context.
 */
DestReceiver *
btm_rows_receiver(ReturnSetInfo *rsinfo)
{
	RowsReceiver *receiver = palloc0(sizeof(RowsReceiver));

	btm_receiver_init(&receiver->pub, rows_startup, rows_receive);
	receiver->rsinfo = rsinfo;
	return &receiver->pub;
}

/* ---------
 * Functions
 * ---------
 */

/*
 * Lets the result keep its rows, which are to come, in memory that does not
 * round their sizes up.  (Version 17 does so for every tuplestore.)
 */
static void
pack_rows(ReturnSetInfo *rsinfo)
{
	MemoryContext cxt = GenerationContextCreate(rsinfo->econtext->ecxt_per_query_memory,
												"belongs_to_many results",
												ALLOCSET_DEFAULT_SIZES);
	MemoryContext oldcxt = MemoryContextSwitchTo(cxt);

	tuplestore_end(rsinfo->setResult);
	rsinfo->setResult = tuplestore_begin_heap((rsinfo->allowedModes & SFRM_Materialize_Random) != 0,
											  false, work_mem);
	MemoryContextSwitchTo(oldcxt);
}

/*
 * Is the statement to be planned for this parent, which has so many rows?
 */
static bool
deserves_plan(const BtmResolved *rel, double nrows)
{
	return !btm_is_foreign(rel) &&
		nrows * LOOKUP_COST > btm_table_rows(rel->related) &&
		plan_cache_mode != PLAN_CACHE_MODE_FORCE_GENERIC_PLAN;
}

/*
 * Runs the statement that reads the rows of the call's parent.
 */
static void
read_results(BtmCall *call, BtmStatement *stmt, const BtmRead *read,
			 DestReceiver *dest)
{
	double		nrows = btm_estimate_many_rows(call);

	if (nrows > 0)
	{
		stmt->custom = deserves_plan(call->rel, nrows);
		pack_rows((ReturnSetInfo *) call->fcinfo->resultinfo);
	}
	stmt->kind = BTM_STMT_RESULTS;
	btm_connect(call);
	btm_read(call, stmt, read, dest);
	SPI_finish();
}

/*
 * get_results(relation, parent_id) returns table (result jsonb)
 */
Datum
btm_get_results(PG_FUNCTION_ARGS)
{
	BtmCall    *call = btm_call_begin(fcinfo, "get_results", AccessShareLock);
	const BtmRead read = {.wanted = btm_wanted_results,.none = btm_takes_none(call->rel)};
	BtmStatement stmt = {0};
	JsonReceiver receiver = {0};

	btm_call_set_parent(call, 1, true);
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (call->parent != NULL)
	{
		stmt.build = build_results;
		btm_receiver_init(&receiver.pub, json_startup, json_receive);
		receiver.rel = call->rel;
		receiver.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
		read_results(call, &stmt, &read, &receiver.pub);
	}
	btm_call_end(call);
	return (Datum) 0;
}

/*
 * Raises 42804: the caller names no row type that results can have.
 */
pg_noreturn static void
not_a_row_type(BtmCall *call, Oid type)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("%s() cannot return rows of type %s",
					call->name, format_type_be(type)),
			 errhint("Name a table or a composite type: NULL::my_table.")));
}

/*
 * Prepares a function that returns SETOF the type of argument 2: its result,
 * and the part of the statement that concerns the row type.  A type that is
 * not composite counts as a row of one column.
 *
 * Returns which it is: TYPEFUNC_COMPOSITE or TYPEFUNC_SCALAR.  Errors: 42804
 * for a domain over a composite type, whose constraints nobody would check;
 * 0A000 for RECORD without a column definition list.
 */
TypeFuncClass
btm_begin_typed(BtmCall *call, BtmTypedStatement *typed)
{
	FunctionCallInfo fcinfo = call->fcinfo;
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	TypeFuncClass class;
	Oid			type;

	class = get_call_result_type(fcinfo, &type, NULL);
	if (class == TYPEFUNC_RECORD)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s() does not know the columns of the record to return",
						call->name),
				 errhint("Name a row type, as in NULL::my_table, or call the function in FROM with a column definition list.")));
	if (class != TYPEFUNC_COMPOSITE && class != TYPEFUNC_SCALAR)
		not_a_row_type(call, type);

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC | MAT_SRF_BLESS);
	typed->row = rsinfo->setDesc;
	typed->stmt.variant = assign_record_type_identifier(typed->row->tdtypeid,
														 typed->row->tdtypmod);
	return class;
}

/*
 * get_results(relation, parent_id, row_type anyelement)
 *		returns setof anyelement
 */
Datum
btm_get_results_typed(PG_FUNCTION_ARGS)
{
	BtmCall    *call = btm_call_begin(fcinfo, "get_results", AccessShareLock);
	const BtmRead read = {.wanted = wanted_typed,.none = btm_takes_none(call->rel)};
	BtmTypedStatement typed = {0};

	btm_call_set_parent(call, 1, true);
	if (btm_begin_typed(call, &typed) != TYPEFUNC_COMPOSITE)
		not_a_row_type(call, get_fn_expr_argtype(fcinfo->flinfo, 2));
	if (call->parent != NULL)
	{
		typed.stmt.build = build_typed_results;
		read_results(call, &typed.stmt, &read,
					 btm_rows_receiver((ReturnSetInfo *) fcinfo->resultinfo));
	}
	btm_call_end(call);
	return (Datum) 0;
}
