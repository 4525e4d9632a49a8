/*-------------------------------------------------------------------------
 *
 * scan.c
 *	  Scans of foreign tables.
 *
 * A scan is one statement and a list of *executions*: where the partition key
 * is given by lists, one for each combination of their values, and a list for
 * the clustering key is cut into pieces that every server takes.  Executions are
 * under way together; rows come as they are answered.  Of each, the next page is
 * asked for when the last one has come, before its rows are read, so that an
 * execution holds two pages at most.
 *
 * Only has_more_pages ends an execution: a page may be empty, and others follow.
 *
 * Nothing is sent before the first row is asked for.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/relation.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "scylla/codec.h"
#include "scylla/convert.h"
#include "scylla/fdw.h"
#include "scylla/json.h"
#include "scylla/memory.h"
#include "scylla/overlay.h"
#include "scylla/sender.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

/*
 * Executions that are under way together, at most.  Each may hold two pages.
 */
#define MAX_EXECUTIONS 128

/* Values of a clustering key's list in one execution: ScyllaDB's own limit. */
#define LIST_SIZE 100

/* A restriction, as it is at execution. */
typedef struct Marker
{
	BtmScyllaColumn *column;
	BtmScyllaOperator op;
	Oid			type;			/* of the value, or of an array's elements */
	int16		typlen;
	bool		typbyval;
	char		typalign;
	ExprState  *expr;
	BtmScyllaConverter converter;	/* for one value */
	bool		is_key;			/* of the partition: one value per execution */

	/* of this (re)scan */
	int			nvalues;
	CqlBytes   *values;			/* distinct */
	int			next;			/* the one, or the first of the list, of the next
								 * execution */
} Marker;

/* A column of the result. */
typedef struct ResultColumn
{
	int			attribute;		/* index in the slot, -1: not wanted */
	BtmScyllaConverter converter;
} ResultColumn;

typedef struct CqlScan
{
	BtmScyllaTable *table;
	Oid			userid;
	char	   *cql;
	List	   *attnums;		/* of the result's columns */

	BtmScyllaCluster *cluster;	/* NULL: not begun */
	BtmScyllaPipeline *pipeline;
	const BtmScyllaStatement *statement;
	BtmScyllaOverlay *overlay;	/* NULL: there are no pending changes */
	CqlParameters parameters;
	int			nresults;
	ResultColumn	   *results;
	CqlBytes   *cells;
	int			nmarkers;
	Marker	   *markers;

	/* of this (re)scan */
	bool		started;
	bool		done;			/* all executions are sent */
	CqlBytes  **sent;			/* values of executions, by their number */
	int			nsent;
	int			sent_size;
	bool		has_page;
	BtmScyllaAnswer page;
	CqlRowReader rows;

	bool		is_target;		/* the statement changes the rows, by their keys */
	ResultColumn *inexact;		/* of the row's key, not as it is there; or NULL */

	MemoryContext scan_context; /* of a (re)scan's values */
	MemoryContext value_context;	/* of a row's values */
	MemoryContext plan_context; /* of what stays */
} CqlScan;

/* -------
 * Beginning
 * -------
 */

static void
init_markers(CqlScan *state, ForeignScanState *node)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	List	   *attnums = list_nth(plan->fdw_private, BTM_SCYLLA_SCAN_MARKERS);
	List	   *operators = list_nth(plan->fdw_private, BTM_SCYLLA_SCAN_OPERATORS);
	List	   *types = list_nth(plan->fdw_private, BTM_SCYLLA_SCAN_TYPES);
	List	   *exprs = ExecInitExprList(plan->fdw_exprs, (PlanState *) node);

	state->nmarkers = list_length(attnums);
	state->markers = palloc0(sizeof(Marker) * (state->nmarkers + 1));
	for (int i = 0; i < state->nmarkers; i++)
	{
		Marker	   *marker = &state->markers[i];

		marker->column = btm_scylla_column_by_number(state->table, list_nth_int(attnums, i));
		marker->op = (BtmScyllaOperator) list_nth_int(operators, i);
		marker->type = list_nth_oid(types, i);
		marker->expr = list_nth(exprs, i);
		marker->is_key = marker->column->role == BTM_SCYLLA_PARTITION_KEY;
		get_typlenbyvalalign(marker->type, &marker->typlen, &marker->typbyval,
							 &marker->typalign);
	}
}

void
btm_scylla_begin_scan(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	EState	   *estate = node->ss.ps.state;
	CqlScan  *state = palloc0(sizeof(CqlScan));

	node->fdw_state = state;
	state->table = btm_scylla_table(node->ss.ss_currentRelation);
	state->userid = foreign_scan_user(plan, estate);
	state->cql = strVal(list_nth(plan->fdw_private, BTM_SCYLLA_SCAN_CQL));
	state->attnums = list_nth(plan->fdw_private, BTM_SCYLLA_SCAN_COLUMNS);
	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;
	state->plan_context = estate->es_query_cxt;
	state->scan_context = AllocSetContextCreate(estate->es_query_cxt, "CQL scan",
												ALLOCSET_SMALL_SIZES);
	state->value_context = AllocSetContextCreate(estate->es_query_cxt, "CQL row",
												 ALLOCSET_DEFAULT_SIZES);
	state->is_target = plan->operation == CMD_SELECT && estate->es_result_relations != NULL &&
		estate->es_result_relations[plan->scan.scanrelid - 1] != NULL;
	init_markers(state, node);
}

/*
 * The types that the statement was planned for must be those that the server has
 * (HV004): what is exact with one may not be with another.
 */
static void
check_marker(CqlScan *state, Marker *marker, const CqlType *type)
{
	const CqlType *own = marker->column->cql;

	if (!marker->is_key && marker->op == BTM_SCYLLA_IN && type->id == CQL_TYPE_LIST)
		type = type->elements[0];
	if (type->id != own->id)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("column \"%s\" of foreign table \"%s\" is of CQL type %s, not %s",
						get_attname(state->table->relid, marker->column->attnum, false),
						get_rel_name(state->table->relid),
						btm_scylla_type_name(type), btm_scylla_type_name(own)),
				 errhint("Set the column's option \"%s\".", "cql_type")));
	btm_scylla_converter_init(&marker->converter, type, marker->type, -1);
}

static void
init_results(CqlScan *state, const CqlMetadata *metadata)
{
	state->nresults = (int) metadata->ncolumns;
	state->results = palloc0(sizeof(ResultColumn) * (state->nresults + 1));
	state->cells = palloc(sizeof(CqlBytes) * (state->nresults + 1));
	if (state->nresults != list_length(state->attnums))
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("result has %d columns, not %d", state->nresults,
						list_length(state->attnums))));
	for (int i = 0; i < state->nresults; i++)
	{
		AttrNumber	attnum = list_nth_int(state->attnums, i);
		BtmScyllaColumn *column = btm_scylla_column_by_number(state->table, attnum);
		ResultColumn	   *result = &state->results[i];

		result->attribute = attnum - 1;
		if (column != NULL)
			btm_scylla_converter_init(&result->converter, metadata->columns[i].type,
									  column->type, column->typmod);
	}
}

/*
 * Where the transaction has changes that the scan sees, takes the plain statement
 * instead, with those markers that it has.
 */
static void
begin_overlay(CqlScan *state, ForeignScanState *node)
{
	List	   *private = ((ForeignScan *) node->ss.ps.plan)->fdw_private;
	List	   *plain = list_nth(private, BTM_SCYLLA_SCAN_PLAIN);
	List	   *attnums = list_nth(plain, BTM_SCYLLA_PLAIN_COLUMNS);
	List	   *places = list_nth(plain, BTM_SCYLLA_PLAIN_MARKERS);

	state->overlay =
		btm_scylla_overlay_create(state->cluster, state->table,
								  node->ss.ps.state->es_snapshot->curcid, attnums,
								  intVal(list_nth(plain, BTM_SCYLLA_PLAIN_ORDER)));
	if (state->overlay == NULL)
		return;
	state->cql = strVal(list_nth(plain, BTM_SCYLLA_PLAIN_CQL));
	state->attnums = attnums;
	state->nmarkers = list_length(places);
	for (int i = 0; i < state->nmarkers; i++)
		state->markers[i] = state->markers[list_nth_int(places, i)];
}

/* Connects, and prepares the statement. */
static void
connect_scan(CqlScan *state, ForeignScanState *node)
{
	MemoryContext old = MemoryContextSwitchTo(state->plan_context);
	const BtmScyllaOptions *options;

	btm_scylla_finish_senders();
	state->cluster = btm_scylla_cluster(state->table->serverid, state->userid);
	options = btm_scylla_cluster_options(state->cluster);
	begin_overlay(state, node);
	state->statement = btm_scylla_prepare(state->cluster,
										  pg_server_to_any(state->cql, strlen(state->cql),
														   PG_UTF8),
										  state->nmarkers);
	for (int i = 0; i < state->nmarkers; i++)
		check_marker(state, &state->markers[i], state->statement->markers->columns[i].type);
	init_results(state, state->statement->result);
	state->parameters.consistency = state->table->consistency;
	state->parameters.has_serial_consistency = true;
	state->parameters.serial_consistency = options->serial_consistency;
	state->parameters.page_size = state->table->fetch_size;
	state->parameters.skip_metadata = true;
	state->pipeline = btm_scylla_pipeline_create(state->cluster, state->plan_context);
	MemoryContextSwitchTo(old);
}

/* -------
 * Values
 * -------
 */

/* Is it within the range of a CQL integer? */
static bool
integer_has_equal(CqlTypeId id, int64 number)
{
	switch (id)
	{
		case CQL_TYPE_TINYINT:
			return number >= PG_INT8_MIN && number <= PG_INT8_MAX;
		case CQL_TYPE_SMALLINT:
			return number >= PG_INT16_MIN && number <= PG_INT16_MAX;
		case CQL_TYPE_INT:
			return number >= PG_INT32_MIN && number <= PG_INT32_MAX;
		default:
			return true;
	}
}

/* varint has no fractions, decimal neither NaN nor infinities. */
static bool
numeric_has_equal(CqlTypeId id, Datum value)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out,
														   DirectFunctionCall1(numeric_trim_scale, value)));

	return strspn(text, id == CQL_TYPE_VARINT ? "-0123456789" : "-.0123456789") == strlen(text);
}

/*
 * Is there a value of the CQL type that is equal to this one?  If not, no row
 * can be.
 */
static bool
has_equal(const Marker *marker, Datum value)
{
	CqlTypeId	id = marker->converter.cql->id;

	switch (marker->type)
	{
		case INT2OID:
			return integer_has_equal(id, DatumGetInt16(value));
		case INT4OID:
			return integer_has_equal(id, DatumGetInt32(value));
		case INT8OID:
			return integer_has_equal(id, DatumGetInt64(value));
		case NUMERICOID:
			return numeric_has_equal(id, value);
		case TIMESTAMPTZOID:
			return !TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(value));
		case DATEOID:
			return !DATE_NOT_FINITE(DatumGetDateADT(value));
		default:
			return true;
	}
}

/* The bytes of a value for a marker. */
static CqlBytes
encode_value(Marker *marker, Datum value)
{
	CqlWriter  *writer = btm_scylla_writer();
	CqlBytes	result;

	btm_scylla_from_datum(&marker->converter, value, writer);
	result.data = writer->data;
	result.length = (int32_t) writer->length;
	return result;
}

/* Adds the value of an equality, if a row can have it. */
static void
add_value(Marker *marker, Datum value)
{
	if (has_equal(marker, value))
		marker->values[marker->nvalues++] = encode_value(marker, value);
}

static bool
is_end_of_time(const Marker *marker, Datum value)
{
	return marker->type == DATEOID ? DATE_IS_NOEND(DatumGetDateADT(value)) :
		TIMESTAMP_IS_NOEND(DatumGetTimestampTz(value));
}

/*
 * Adds the bound of a range.  An infinite date is either beyond all others, so
 * that no row is within the bound, or it does not bound anything: then the
 * greatest or least bytes that the type has stand for it.
 */
static void
add_bound(Marker *marker, Datum value)
{
	bool		upper = marker->op == BTM_SCYLLA_LT || marker->op == BTM_SCYLLA_LE;
	bool		is_date = marker->type == DATEOID;
	CqlWriter  *writer;

	if (has_equal(marker, value))
	{
		add_value(marker, value);
		return;
	}
	if (is_end_of_time(marker, value) != upper)
		return;
	writer = btm_scylla_writer();
	btm_scylla_check(is_date ? cql_encode_date(writer, upper ? PG_INT32_MAX : PG_INT32_MIN) :
					 cql_encode_timestamp(writer, upper ? PG_INT64_MAX : PG_INT64_MIN),
					 writer->error);
	marker->values[marker->nvalues].data = writer->data;
	marker->values[marker->nvalues++].length = (int32_t) writer->length;
}

static int
compare_bytes(const void *a, const void *b)
{
	const CqlBytes *left = a;
	const CqlBytes *right = b;
	int			result = memcmp(left->data, right->data, Min(left->length, right->length));

	return result != 0 ? result : left->length - right->length;
}

/* Drops values that are there already: each row is to come once. */
static void
drop_duplicates(Marker *marker)
{
	int			kept = 0;

	if (marker->nvalues < 2)
		return;
	qsort(marker->values, marker->nvalues, sizeof(CqlBytes), compare_bytes);
	for (int i = 1; i < marker->nvalues; i++)
		if (compare_bytes(&marker->values[kept], &marker->values[i]) != 0)
			marker->values[++kept] = marker->values[i];
	marker->nvalues = kept + 1;
}

static void
add_list(Marker *marker, Datum array)
{
	Datum	   *values;
	bool	   *nulls;
	int			count;

	deconstruct_array(DatumGetArrayTypeP(array), marker->type, marker->typlen,
					  marker->typbyval, marker->typalign, &values, &nulls, &count);
	marker->values = palloc(sizeof(CqlBytes) * ((Size) count + 1));
	for (int i = 0; i < count; i++)
		if (!nulls[i])
			add_value(marker, values[i]);
	drop_duplicates(marker);
}

/*
 * Evaluates a restriction's values; false if there is none, since nothing
 * compares with null.
 */
static bool
evaluate(Marker *marker, ExprContext *econtext)
{
	bool		isnull;
	Datum		value = ExecEvalExpr(marker->expr, econtext, &isnull);

	marker->nvalues = marker->next = 0;
	if (isnull)
		return false;
	if (marker->op == BTM_SCYLLA_IN)
		add_list(marker, value);
	else
	{
		marker->values = palloc(sizeof(CqlBytes));
		if (marker->op == BTM_SCYLLA_EQ)
			add_value(marker, value);
		else
			add_bound(marker, value);
	}
	return marker->nvalues > 0;
}

/* The marker of a column of the partition key, or NULL. */
static Marker *
partition_marker(CqlScan *state, const BtmScyllaColumn *column)
{
	for (int i = 0; i < state->nmarkers; i++)
		if (state->markers[i].column == column && state->markers[i].is_key)
			return &state->markers[i];
	return NULL;
}

/*
 * Has the overlay read each partition that the columns from `column` on of the
 * partition key name; false if they do not name any.
 */
static bool
read_partitions(CqlScan *state, int column, CqlBytes *key)
{
	Marker	   *marker;

	if (column == state->table->npartition)
	{
		btm_scylla_overlay_read_partition(state->overlay, key);
		return true;
	}
	marker = partition_marker(state, state->table->partition[column]);
	if (marker == NULL)
		return false;
	for (int i = 0; i < marker->nvalues; i++)
	{
		key[column] = marker->values[i];
		if (!read_partitions(state, column + 1, key))
			return false;
	}
	return true;
}

/* Begins a (re)scan: what the overlay reads is what the statement reads. */
static void
start_overlay(CqlScan *state)
{
	if (state->overlay == NULL)
		return;
	btm_scylla_overlay_begin(state->overlay);
	if (!state->done &&
		!read_partitions(state, 0, palloc(sizeof(CqlBytes) * (state->table->npartition + 1))))
		btm_scylla_overlay_read_all(state->overlay);
}

/* Begins a (re)scan: evaluates all values.  Without any there is nothing to do. */
static void
start(ForeignScanState *node)
{
	CqlScan  *state = node->fdw_state;
	MemoryContext old;
	BtmScyllaColumnContext place = {state->table, NULL};
	ErrorContextCallback context = {
		.previous = error_context_stack,
		.callback = btm_scylla_column_context,
		.arg = &place
	};

	if (state->cluster == NULL)
		connect_scan(state, node);
	old = MemoryContextSwitchTo(state->scan_context);
	error_context_stack = &context;
	state->started = true;
	state->done = false;
	for (int i = 0; i < state->nmarkers && !state->done; i++)
	{
		place.column = state->markers[i].column;
		state->done = !evaluate(&state->markers[i], node->ss.ps.ps_ExprContext);
	}
	error_context_stack = context.previous;
	start_overlay(state);
	MemoryContextSwitchTo(old);
}

/* -------
 * Executions
 * -------
 */

/* The next values of a clustering key's list, as a list of CQL's. */
static CqlBytes
list_value(const Marker *marker)
{
	int			count = Min(marker->nvalues - marker->next, LIST_SIZE);
	CqlWriter  *writer = btm_scylla_writer();
	CqlBytes	result;

	btm_scylla_check(cql_write_i32(writer, count), writer->error);
	for (int i = 0; i < count; i++)
		btm_scylla_check(cql_write_bytes(writer, marker->values[marker->next + i]),
						 writer->error);
	result.data = writer->data;
	result.length = (int32_t) writer->length;
	return result;
}

/* How many of a marker's values an execution takes. */
static int
step_of(const Marker *marker)
{
	return marker->op == BTM_SCYLLA_IN && !marker->is_key ? LIST_SIZE : 1;
}

/* Goes on to the next combination of values; sets `done` after the last. */
static void
advance(CqlScan *state)
{
	for (int i = state->nmarkers - 1; i >= 0; i--)
	{
		Marker	   *marker = &state->markers[i];

		marker->next += step_of(marker);
		if (marker->next < marker->nvalues)
			return;
		marker->next = 0;
	}
	state->done = true;
}

/* The values of the next execution, kept until the end of the scan. */
static CqlBytes *
next_values(CqlScan *state)
{
	MemoryContext old = MemoryContextSwitchTo(state->scan_context);
	CqlBytes   *values = palloc(sizeof(CqlBytes) * (state->nmarkers + 1));

	for (int i = 0; i < state->nmarkers; i++)
	{
		Marker	   *marker = &state->markers[i];

		values[i] = step_of(marker) == 1 ? marker->values[marker->next] : list_value(marker);
	}
	if (state->nsent == state->sent_size)
	{
		state->sent_size = Max(16, state->sent_size * 2);
		state->sent = state->sent == NULL ?
			palloc(sizeof(CqlBytes *) * state->sent_size) :
			repalloc(state->sent, sizeof(CqlBytes *) * state->sent_size);
	}
	state->sent[state->nsent] = values;
	MemoryContextSwitchTo(old);
	return values;
}

static void
send(CqlScan *state, intptr_t number, CqlBytes paging_state)
{
	state->parameters.paging_state = paging_state;
	btm_scylla_send(state->pipeline, state->statement, state->sent[number],
					&state->parameters, (void *) number);
}

/* Has as many executions under way as may be. */
static void
send_executions(CqlScan *state)
{
	static const CqlBytes first_page = {NULL, CQL_LENGTH_NULL};

	while (!state->done && btm_scylla_pending(state->pipeline) < MAX_EXECUTIONS)
	{
		next_values(state);
		send(state, state->nsent++, first_page);
		advance(state);
	}
}

/* -------
 * Rows
 * -------
 */

static void
free_page(CqlScan *state)
{
	if (state->has_page)
		btm_scylla_answer_free(state->pipeline, &state->page);
	state->has_page = false;
}

/*
 * Waits for the next page that has rows, and asks for what follows it.  False at
 * the end.
 */
static bool
next_page(CqlScan *state)
{
	CqlError	error = {0};
	const CqlRows *rows;

	free_page(state);
	send_executions(state);
	if (!btm_scylla_receive(state->pipeline, &state->page))
		return false;
	state->has_page = true;
	if (state->page.response->kind != CQL_RESPONSE_ROWS || state->page.metadata == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("server answered a SELECT without rows")));
	rows = &state->page.response->u.rows;
	if (rows->metadata.has_more_pages)
	{
		send(state, (intptr_t) state->page.tag, rows->metadata.paging_state);
		btm_scylla_pipeline_flush(state->pipeline);
	}
	btm_scylla_check(cql_rows_begin(&state->rows, rows, state->page.metadata,
									&cql_default_limits, &error), &error);
	return true;
}

/* Notes a value of the key that is not exactly the one there. */
static void
note_key_value(CqlScan *state, ResultColumn *result, const BtmScyllaColumn *column,
			   Datum value, CqlBytes cell)
{
	if (btm_scylla_is_key(column) && !btm_scylla_is_exact(&result->converter, value, cell))
		state->inexact = result;
}

/*
 * A row is changed by its key as it is here, which must be the key there: another
 * one would be another row.  Rows that the statement does not mean do not matter.
 */
static void
check_key(ForeignScanState *node, TupleTableSlot *slot)
{
	CqlScan    *state = node->fdw_state;
	ExprContext *econtext = node->ss.ps.ps_ExprContext;
	ResultColumn *result = state->inexact;

	econtext->ecxt_scantuple = slot;
	if (!ExecQual(node->ss.ps.qual, econtext))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot change a row of foreign table \"%s\" by its key",
					get_rel_name(state->table->relid)),
			 errdetail("Column \"%s\" has a value of CQL type %s that type %s cannot hold exactly.",
					   get_attname(state->table->relid, result->attribute + 1, false),
					   btm_scylla_type_name(result->converter.cql),
					   format_type_be(result->converter.type))));
}

/* Puts a row's cells into the slot. */
static void
store_row(CqlScan *state, const CqlBytes *cells, TupleTableSlot *slot)
{
	BtmScyllaColumnContext place = {state->table, NULL};
	ErrorContextCallback context = {
		.previous = error_context_stack,
		.callback = btm_scylla_column_context,
		.arg = &place
	};
	MemoryContext old;

	MemoryContextReset(state->value_context);
	old = MemoryContextSwitchTo(state->value_context);
	error_context_stack = &context;
	state->inexact = NULL;
	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts * sizeof(bool));
	for (int i = 0; i < state->nresults; i++)
	{
		ResultColumn	   *result = &state->results[i];

		if (result->attribute < 0)
			continue;
		place.column = btm_scylla_column_by_number(state->table, result->attribute + 1);
		slot->tts_values[result->attribute] =
			btm_scylla_to_datum(&result->converter, cells[i],
								&slot->tts_isnull[result->attribute]);
		if (state->is_target && !slot->tts_isnull[result->attribute])
			note_key_value(state, result, place.column,
						   slot->tts_values[result->attribute], cells[i]);
	}
	error_context_stack = context.previous;
	MemoryContextSwitchTo(old);
	ExecStoreVirtualTuple(slot);
}

/* Puts the server's next row into the scan's cells; false at the end. */
static bool
fetch_row(void *scan)
{
	CqlScan    *state = scan;
	CqlError	error = {0};

	while (!state->has_page || state->rows.left == 0)
		if (!next_page(state))
			return false;
	state->rows.reader.error = &error;
	btm_scylla_check(cql_rows_next(&state->rows, state->cells), &error);
	return true;
}

/*
 * The next row of the server's and the transaction's together.  Conditions are all
 * checked here: pending changes may be what makes them true or false.
 */
static TupleTableSlot *
next_merged_row(ForeignScanState *node)
{
	CqlScan    *state = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
	ExprContext *econtext = node->ss.ps.ps_ExprContext;
	CqlBytes   *cells;

	while ((cells = btm_scylla_overlay_next(state->overlay, state->cells, fetch_row, state)) != NULL)
	{
		store_row(state, cells, slot);
		ResetExprContext(econtext);
		econtext->ecxt_scantuple = slot;
		if (ExecQual(node->fdw_recheck_quals, econtext))
			return slot;
	}
	return ExecClearTuple(slot);
}

TupleTableSlot *
btm_scylla_iterate_scan(ForeignScanState *node)
{
	CqlScan    *state = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;

	if (!state->started)
		start(node);
	if (state->overlay != NULL)
		slot = next_merged_row(node);
	else if (fetch_row(state))
		store_row(state, state->cells, slot);
	else
		return ExecClearTuple(slot);
	if (state->inexact != NULL && !TupIsNull(slot))
		check_key(node, slot);
	return slot;
}

/*
 * What is under way is of no more use; its answers are swallowed.
 */
void
btm_scylla_rescan(ForeignScanState *node)
{
	CqlScan  *state = node->fdw_state;

	if (!state->started)
		return;
	free_page(state);
	btm_scylla_pipeline_free(state->pipeline);
	state->pipeline = btm_scylla_pipeline_create(state->cluster, state->plan_context);
	MemoryContextReset(state->scan_context);
	state->sent = NULL;
	state->nsent = state->sent_size = 0;
	state->started = false;
}

void
btm_scylla_end_scan(ForeignScanState *node)
{
	CqlScan  *state = node->fdw_state;

	if (state == NULL || state->pipeline == NULL)
		return;
	free_page(state);
	btm_scylla_pipeline_free(state->pipeline);
	state->pipeline = NULL;
}

/*
 * The values of the statement's markers, if it was executed exactly once; NULL
 * otherwise.  Valid until the scan ends.
 */
const CqlBytes *
btm_scylla_scan_values(ForeignScanState *node)
{
	CqlScan    *state = node->fdw_state;

	return state->nsent == 1 ? state->sent[0] : NULL;
}
