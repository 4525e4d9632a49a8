/*-------------------------------------------------------------------------
 *
 * results_for.c
 *	  get_results_for(): the related rows of many parents in one statement; and
 *	  the list of parents that such reads take.
 *
 * The distinct parents are the input relation of the statement, numbered in
 * input order; each row comes back with the number of its parent and is added
 * to that parent's list.  Where a parent's rows are limited, they come from a
 * LATERAL subquery with the limit in it: an index in the order of the results
 * then reads no more rows than are wanted.  The subquery runs once per parent
 * and delivers its rows in order.  Where the pivot's rows were read before
 * (foreign_reads.c), nothing is saved by that: all rows are joined, and those
 * beyond the limit are left out here.
 *
 * The limit is part of the text, so a plan is kept for each limit that is
 * used; a parameter in its place would hide it from the planner.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "pivot/ids.h"
#include "pivot/jsonrow.h"
#include "pivot/results.h"
#include "pivot/sqltext.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

BTM_FUNCTION(btm_get_results_for);

/* ------------------
 * A list of parents
 * ------------------
 */

/*
 * Reads parents from an array; NULL elements, and those with a NULL column,
 * are left out.
 */
static void
parents_from_array(BtmCall *call, ArrayType *array, BtmParents *parents)
{
	Oid			type = ARR_ELEMTYPE(array);
	BtmKeyReader *reader;
	int16		typlen;
	bool		typbyval;
	char		typalign;
	bool	   *nulls;
	int			n;

	get_typlenbyvalalign(type, &typlen, &typbyval, &typalign);
	deconstruct_array(array, type, typlen, typbyval, typalign,
					  &parents->values, &nulls, &n);
	reader = btm_key_reader_make(type, call->rel->fk, call->rel->nfk,
								 "parent", true);
	for (int i = 0; i < n; i++)
	{
		Datum		value = parents->values[i];

		if (nulls[i])
			continue;
		parents->values[parents->keys.n] = value;
		if (!btm_key_read(reader, value, btm_keys_add(&parents->keys)))
			parents->keys.n--;
	}
}

/*
 * Reads one parent from a JSON value; null, or one with a null column, is left
 * out.
 */
static void
parent_from_json(BtmKeyReader *reader, const JsonbValue *value,
				 BtmParents *parents)
{
	if (!btm_key_read_json(reader, value, btm_keys_add(&parents->keys)))
		parents->keys.n--;
}

/*
 * Reads parents from a JSON array, or one parent from any other JSON value.
 */
static void
parents_from_json(BtmCall *call, Jsonb *jsonb, BtmParents *parents)
{
	BtmKeyReader *reader = btm_key_reader_make(JSONBOID, call->rel->fk,
											   call->rel->nfk, "parent", true);
	JsonbValue	root;

	btm_json_root(jsonb, &root);
	if (root.type != jbvBinary || btm_json_is_object(&root))
	{
		parent_from_json(reader, &root, parents);
		return;
	}
	for (uint32 i = 0; i < JsonContainerSize(&jsonb->root); i++)
		parent_from_json(reader,
						 getIthJsonbValueFromContainer(&jsonb->root, i),
						 parents);
}

/*
 * Reads parents from text: an array literal, a JSON array, or one parent.
 */
static void
parents_from_text(BtmCall *call, const BtmValue *arg, BtmParents *parents)
{
	BtmResolved *rel = call->rel;
	char	   *string = TextDatumGetCString(arg->value);
	Datum		array;

	switch (btm_text_form(string, rel->fk, rel->nfk))
	{
		case BTM_TEXT_ARRAY:
			array = OidInputFunctionCall(F_ARRAY_IN, string, TEXTOID, -1);
			parents_from_array(call, DatumGetArrayTypeP(array), parents);
			break;
		case BTM_TEXT_JSON:
			parents_from_json(call, btm_jsonb_parse(string), parents);
			break;
		case BTM_TEXT_VALUE:
			if (!btm_value_to_key(arg, rel->fk, rel->nfk, "parent", true,
								  btm_keys_add(&parents->keys)))
				parents->keys.n--;
			break;
	}
}

/* What compare_parents needs to know. */
typedef struct ParentOrder
{
	BtmKeys    *keys;
	BtmKeyColumn *columns;
} ParentOrder;

/*
 * Compares parents, given by their positions: by key, then by position.
 */
static int
compare_parents(const void *a, const void *b, void *arg)
{
	ParentOrder *order = arg;
	int64		i = *(const int64 *) a;
	int64		j = *(const int64 *) b;
	int			result;

	result = btm_key_compare(order->columns, order->keys->nid,
							 BTM_KEY(order->keys, i), BTM_KEY(order->keys, j));
	if (result != 0)
		return result;
	return i < j ? -1 : i > j;
}

/*
 * Which parents repeat an earlier one?
 */
static bool *
find_repeated(BtmCall *call, BtmKeys *keys)
{
	ParentOrder order = {keys, call->rel->fk};
	bool	   *repeated = palloc_extended(keys->n,
										   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	int64	   *sorted = palloc_extended(sizeof(int64) * keys->n,
										 MCXT_ALLOC_HUGE);

	for (int64 i = 0; i < keys->n; i++)
		sorted[i] = i;
	qsort_interruptible(sorted, keys->n, sizeof(int64), compare_parents, &order);
	for (int64 i = 1; i < keys->n; i++)
		repeated[sorted[i]] =
			btm_key_compare(order.columns, keys->nid,
							BTM_KEY(keys, sorted[i - 1]),
							BTM_KEY(keys, sorted[i])) == 0;
	pfree(sorted);
	return repeated;
}

/*
 * Leaves the first mention of each parent only.
 */
static void
make_distinct(BtmCall *call, BtmParents *parents)
{
	BtmKeys    *keys = &parents->keys;
	bool	   *repeated;
	int64		n = 0;

	if (keys->n < 2)
		return;
	repeated = find_repeated(call, keys);
	for (int64 i = 0; i < keys->n; i++)
	{
		if (repeated[i])
			continue;
		memmove(BTM_KEY(keys, n), BTM_KEY(keys, i),
				sizeof(Datum) * keys->nid);
		if (parents->values != NULL)
			parents->values[n] = parents->values[i];
		n++;
	}
	keys->n = n;
	pfree(repeated);
}

/*
 * Has results call the parents what they are in jsonb, in the type of the key.
 */
static void
name_parents_in_json(BtmCall *call, BtmParents *parents)
{
	Jsonb	   *json = btm_keys_to_jsonb(&parents->keys, call->rel->fk);

	parents->values = palloc_extended(sizeof(Datum) * (parents->keys.n + 1),
									  MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < parents->keys.n; i++)
	{
		JsonbValue *value = getIthJsonbValueFromContainer(&json->root, i);

		parents->values[i] = JsonbPGetDatum(JsonbValueToJsonb(value));
	}
}

/*
 * Reads a list of parents from an argument that is an array, text or jsonb.
 * No parents if it is NULL.
 *
 * The result lives in the call's memory context.  Errors: those of
 * btm_key_read, 22P02 if text is no array or JSON.
 */
BtmParents *
btm_parents_arg(BtmCall *call, int argno)
{
	BtmValue	arg = btm_value_arg(call->fcinfo, argno);
	MemoryContext oldcxt = MemoryContextSwitchTo(call->cxt);
	BtmParents *parents = palloc0(sizeof(BtmParents));
	bool		is_array = OidIsValid(get_element_type(arg.type));

	btm_keys_init(&parents->keys, call->rel->nfk);
	if (!arg.isnull)
	{
		if (is_array)
			parents_from_array(call, DatumGetArrayTypeP(arg.value), parents);
		else if (arg.type == JSONBOID)
			parents_from_json(call, DatumGetJsonbP(arg.value), parents);
		else
			parents_from_text(call, &arg, parents);
		make_distinct(call, parents);
		if (!is_array)
			name_parents_in_json(call, parents);
	}
	MemoryContextSwitchTo(oldcxt);
	return parents;
}

/* --------------
 * The statement
 * --------------
 */

typedef struct ForStatement
{
	BtmStatement stmt;
	int64		limit;			/* rows per parent, -1: as many as there are */
} ForStatement;

/*
 * The rows that each parent may have: the argument or the relation's take,
 * whichever is smaller; -1 is no limit.
 */
static int64
rows_per_parent(const BtmResolved *rel, int64 limit)
{
	int64		max_rows = rel->def->has_take ? rel->def->max_rows : -1;

	if (limit < 0 || (max_rows >= 0 && max_rows < limit))
		return max_rows;
	return limit;
}

/*
 * The rows of each parent that are skipped.
 */
static int64
rows_to_skip(const BtmResolved *rel)
{
	return rel->def->has_take ? rel->def->skip : 0;
}

/*
 * One join of all parents with their rows.
 */
static void
build_join(StringInfo sql, const BtmResolved *rel, const BtmStatement *stmt)
{
	appendStringInfoString(sql, "SELECT ");
	btm_sql_parent_number(sql, stmt);
	appendStringInfoString(sql, ", ");
	btm_sql_result_columns(sql, rel);
	appendStringInfoString(sql, stmt->pivot != NULL ? " FROM " :
						   " FROM " BTM_INPUT_NAME " u, ");
	btm_sql_from(sql, rel, stmt, true);
	btm_sql_where(sql, rel, stmt);
	btm_sql_order_by(sql, rel);
}

/*
 * For each parent a subquery with a limit.
 */
static void
build_lateral(StringInfo sql, const BtmResolved *rel, const BtmStatement *stmt,
			  int64 limit, int64 skip)
{
	appendStringInfoString(sql, "SELECT u.ord, s.* FROM " BTM_INPUT_NAME
						   " u CROSS JOIN LATERAL (SELECT ");
	btm_sql_result_columns(sql, rel);
	appendStringInfoString(sql, " FROM ");
	btm_sql_from(sql, rel, stmt, true);
	btm_sql_where(sql, rel, stmt);
	btm_sql_order_by(sql, rel);
	if (limit >= 0)
		appendStringInfo(sql, " LIMIT " INT64_FORMAT, limit);
	if (skip > 0)
		appendStringInfo(sql, " OFFSET " INT64_FORMAT, skip);
	appendStringInfoString(sql, ") s");
}

static void
build_results_for(StringInfo sql, BtmCall *call, const BtmStatement *stmt)
{
	const BtmResolved *rel = call->rel;
	int64		limit = rows_per_parent(rel,
										((const ForStatement *) stmt)->limit);
	int64		skip = rows_to_skip(rel);

	if (stmt->pivot != NULL || (limit < 0 && skip == 0))
		build_join(sql, rel, stmt);
	else
		build_lateral(sql, rel, stmt, limit, skip);
}

/* ------------
 * The results
 * ------------
 */

/* Rows, the first column being the number of the parent. */
typedef struct ListReceiver
{
	DestReceiver pub;
	BtmCall    *call;
	BtmJsonList *lists;			/* one per parent */
	BtmJsonShape *shape;
	int64		limit;			/* rows of a parent, -1: as many as come */
	int64	   *to_skip;		/* rows still to be skipped, per parent, or
								 * NULL */
} ListReceiver;

static void
list_startup(DestReceiver *self, int operation, TupleDesc typeinfo)
{
	ListReceiver *receiver = (ListReceiver *) self;
	const BtmResolved *rel = receiver->call->rel;
	int			npivot = list_length(btm_result_pivot_columns(rel));

	receiver->shape = btm_json_shape(typeinfo, 1, typeinfo->natts - 1 - npivot,
									 btm_pivot_member(rel));
}

static bool
list_receive(TupleTableSlot *slot, DestReceiver *self)
{
	ListReceiver *receiver = (ListReceiver *) self;
	bool		isnull;
	int64		parent = DatumGetInt64(slot_getattr(slot, 1, &isnull));
	BtmJsonList *list = &receiver->lists[parent];
	MemoryContext oldcxt;
	Jsonb	   *row;

	if (receiver->to_skip != NULL && receiver->to_skip[parent] > 0)
	{
		receiver->to_skip[parent]--;
		return true;
	}
	if (receiver->limit >= 0 && list->n >= receiver->limit)
		return true;
	row = btm_json_row(receiver->shape, slot);
	oldcxt = MemoryContextSwitchTo(receiver->call->cxt);
	btm_json_list_add(list, row);
	MemoryContextSwitchTo(oldcxt);
	return true;
}

/*
 * Has the receiver leave out rows as the statement for a local pivot does.
 */
static void
limit_rows(ListReceiver *receiver, int64 nparents, int64 limit, int64 skip)
{
	receiver->limit = limit;
	if (skip == 0)
		return;
	receiver->to_skip = palloc_extended(sizeof(int64) * nparents,
										MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < nparents; i++)
		receiver->to_skip[i] = skip;
}

/*
 * Reads the rows of all parents into a list for each.
 */
static BtmJsonList *
read_lists(BtmCall *call, const BtmParents *parents, int64 limit)
{
	int64		max_rows = rows_per_parent(call->rel, limit);
	const BtmRead read = {.wanted = btm_wanted_results,.parents = &parents->keys,.none = max_rows == 0};
	ForStatement statement = {0};
	ListReceiver receiver = {0};

	statement.stmt.kind = BTM_STMT_RESULTS_FOR;
	statement.stmt.build = build_results_for;
	statement.limit = limit;

	btm_connect(call);
	btm_receiver_init(&receiver.pub, list_startup, list_receive);
	receiver.call = call;
	receiver.limit = -1;
	if (btm_is_foreign(call->rel))
		limit_rows(&receiver, parents->keys.n, max_rows,
				   rows_to_skip(call->rel));
	else
	{
		statement.stmt.variant = (uint64) limit + 1;
		btm_statement_input_parents(call, &statement.stmt, &parents->keys);
	}
	receiver.lists = palloc_extended(sizeof(BtmJsonList) * parents->keys.n,
									 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	btm_read(call, &statement.stmt, &read, &receiver.pub);
	SPI_finish();
	return receiver.lists;
}

/*
 * Returns one row for each parent.
 */
static void
return_lists(BtmCall *call, const BtmParents *parents,
			 const BtmJsonList *lists)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) call->fcinfo->resultinfo;

	for (int64 i = 0; i < parents->keys.n; i++)
	{
		Jsonb	   *results = btm_json_list_to_array(&lists[i]);
		Datum		values[2] = {parents->values[i], JsonbPGetDatum(results)};
		bool		nulls[2] = {false, false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc,
							 values, nulls);
		pfree(results);
	}
}

/*
 * The argument limit_per_parent; NULL is -1.  Errors: 2201W if it is negative.
 */
static int64
limit_arg(FunctionCallInfo fcinfo, int argno)
{
	int64		limit;

	if (PG_ARGISNULL(argno))
		return -1;
	limit = PG_GETARG_INT64(argno);
	if (limit < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_ROW_COUNT_IN_LIMIT_CLAUSE),
				 errmsg("limit_per_parent must not be negative")));
	return limit;
}

/*
 * get_results_for(relation, parents anyarray, limit_per_parent)
 *		returns table (parent anyelement, results jsonb)
 * get_results_for(relation, parents text or jsonb, limit_per_parent)
 *		returns table (parent jsonb, results jsonb)
 */
Datum
btm_get_results_for(PG_FUNCTION_ARGS)
{
	BtmCall    *call = btm_call_begin(fcinfo, "get_results_for",
									  AccessShareLock);
	int64		limit = limit_arg(fcinfo, 2);
	BtmParents *parents = btm_parents_arg(call, 1);

	InitMaterializedSRF(fcinfo, 0);
	if (parents->keys.n > 0)
		return_lists(call, parents, read_lists(call, parents, limit));
	btm_call_end(call);
	return (Datum) 0;
}
