/*-------------------------------------------------------------------------
 *
 * marker.c
 *	  The markers of a scan's statement, and the values that they have in each of
 *	  its executions.
 *
 * A comparison of rows has a marker for each column.  Where a value after the
 * first is null, or none that CQL has, the comparison is that of the columns
 * before it, and more than what any value gives in its place: then rows are
 * checked here as well.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <sys/socket.h>

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "scylla/codec.h"
#include "scylla/fdw.h"
#include "scylla/json.h"
#include "scylla/marker.h"
#include "scylla/memory.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/inet.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

/* Values of a list in one execution: ScyllaDB's own limit. */
#define LIST_SIZE 100

/* -------
 * Beginning
 * -------
 */

/* The marker at a place of the plan's lists. */
static void
init_marker(BtmScyllaMarkers *markers, List *fdw_private, int place)
{
	BtmScyllaMarker *marker = &markers->markers[place];

	marker->column =
		btm_scylla_column_by_number(markers->table,
									list_nth_int(list_nth(fdw_private, BTM_SCYLLA_SCAN_MARKERS),
												 place));
	marker->op = (BtmScyllaOperator)
		list_nth_int(list_nth(fdw_private, BTM_SCYLLA_SCAN_OPERATORS), place);
	marker->type = list_nth_oid(list_nth(fdw_private, BTM_SCYLLA_SCAN_TYPES), place);
	marker->is_key = marker->column->role == BTM_SCYLLA_PARTITION_KEY;
	marker->continues_row =
		list_nth_int(list_nth(fdw_private, BTM_SCYLLA_SCAN_ROWS), place) == 0;
	get_typlenbyvalalign(marker->type, &marker->typlen, &marker->typbyval, &marker->typalign);
}

BtmScyllaMarkers *
btm_scylla_markers_create(ForeignScanState *node, const BtmScyllaTable *table)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	List	   *exprs = ExecInitExprList(plan->fdw_exprs, (PlanState *) node);
	BtmScyllaMarkers *markers = palloc0(sizeof(BtmScyllaMarkers));

	markers->table = table;
	markers->count = list_length(list_nth(plan->fdw_private, BTM_SCYLLA_SCAN_MARKERS));
	markers->markers = palloc0(sizeof(BtmScyllaMarker) * (markers->count + 1));
	for (int i = 0; i < markers->count; i++)
	{
		init_marker(markers, plan->fdw_private, i);
		markers->markers[i].expr = list_nth(exprs, i);
	}
	markers->has_limit = list_length(exprs) > markers->count;
	if (markers->has_limit)
		markers->limit_count = list_nth(exprs, markers->count);
	if (list_length(exprs) > markers->count + 1)
		markers->limit_offset = list_nth(exprs, markers->count + 1);
	markers->context = AllocSetContextCreate(CurrentMemoryContext, "CQL markers",
											 ALLOCSET_SMALL_SIZES);
	return markers;
}

void
btm_scylla_markers_keep(BtmScyllaMarkers *markers, List *places)
{
	markers->has_limit = false;
	markers->count = list_length(places);
	for (int i = 0; i < markers->count; i++)
		markers->markers[i] = markers->markers[list_nth_int(places, i)];
}

const BtmScyllaMarker *
btm_scylla_markers_find(const BtmScyllaMarkers *markers, const BtmScyllaColumn *column)
{
	for (int i = 0; i < markers->count; i++)
		if (markers->markers[i].column == column && markers->markers[i].is_key)
			return &markers->markers[i];
	return NULL;
}

static void
check_marker(BtmScyllaMarkers *markers, BtmScyllaMarker *marker, const CqlType *type)
{
	const CqlType *own = marker->column->cql;

	if (!marker->is_key && marker->op == BTM_SCYLLA_IN && type->id == CQL_TYPE_LIST)
		type = type->elements[0];
	if (type->id != own->id)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("column \"%s\" of foreign table \"%s\" is of CQL type %s, not %s",
						get_attname(markers->table->relid, marker->column->attnum, false),
						get_rel_name(markers->table->relid),
						btm_scylla_type_name(type), btm_scylla_type_name(own)),
				 errhint("Set the column's option \"%s\".", "cql_type")));
	btm_scylla_converter_init(&marker->converter, type, marker->type, -1);
}

void
btm_scylla_markers_check(BtmScyllaMarkers *markers, const BtmScyllaStatement *statement)
{
	for (int i = 0; i < markers->count; i++)
		check_marker(markers, &markers->markers[i], statement->markers->columns[i].type);
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

/* CQL has addresses of hosts, not of networks. */
static bool
is_host(const inet *address)
{
	return ip_bits(address) == ip_maxbits(address);
}

/*
 * Is there a value of the CQL type that is equal to this one?  If not, no row
 * can be.
 */
static bool
has_equal(const BtmScyllaMarker *marker, Datum value)
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
		case INETOID:
			return is_host(DatumGetInetPP(value));
		default:
			return true;
	}
}

/*
 * Values that are being collected: one after the other in a writer, which may
 * still move, so that of each only the end is kept.
 */
typedef struct Values
{
	BtmScyllaMarker *marker;
	CqlWriter  *writer;
	size_t	   *ends;
	int			count;
} Values;

static Values
begin_values(BtmScyllaMarker *marker, int count)
{
	Values		values = {marker, btm_scylla_writer(), NULL, 0};

	values.ends = palloc(sizeof(size_t) * ((Size) count + 1));
	return values;
}

/* Adds a value, if a row can have it.  1.00 is the same number as 1. */
static void
add_value(Values *values, Datum value)
{
	if (!has_equal(values->marker, value))
		return;
	if (values->marker->type == NUMERICOID)
		value = DirectFunctionCall1(numeric_trim_scale, value);
	btm_scylla_from_datum(&values->marker->converter, value, values->writer);
	values->ends[values->count++] = values->writer->length;
}

/* The values, as the marker's. */
static void
end_values(Values *values)
{
	BtmScyllaMarker *marker = values->marker;
	size_t		start = 0;

	marker->nvalues = values->count;
	marker->values = palloc(sizeof(CqlBytes) * ((Size) values->count + 1));
	for (int i = 0; i < values->count; i++)
	{
		marker->values[i].data = values->writer->data + start;
		marker->values[i].length = (int32_t) (values->ends[i] - start);
		start = values->ends[i];
	}
	pfree(values->ends);
}

static bool
is_end_of_time(const BtmScyllaMarker *marker, Datum value)
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
add_bound(Values *values, Datum value)
{
	const BtmScyllaMarker *marker = values->marker;
	bool		upper = marker->op == BTM_SCYLLA_LT || marker->op == BTM_SCYLLA_LE;
	CqlWriter  *writer = values->writer;

	if (has_equal(marker, value))
	{
		add_value(values, value);
		return;
	}
	if (is_end_of_time(marker, value) != upper)
		return;
	btm_scylla_check(marker->type == DATEOID ?
					 cql_encode_date(writer, upper ? PG_INT32_MAX : PG_INT32_MIN) :
					 cql_encode_timestamp(writer, upper ? PG_INT64_MAX : PG_INT64_MIN),
					 writer->error);
	values->ends[values->count++] = writer->length;
}

/* -------
 * Lists
 * -------
 */

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
drop_duplicates(BtmScyllaMarker *marker)
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

/* Makes the marker's values lists of CQL's, of at most LIST_SIZE values each. */
static void
cut_list(BtmScyllaMarker *marker)
{
	CqlBytes   *values = marker->values;
	int			count = marker->nvalues;
	Values		lists = begin_values(marker, count / LIST_SIZE + 1);

	for (int i = 0; i < count; i++)
	{
		if (i % LIST_SIZE == 0)
			btm_scylla_check(cql_write_i32(lists.writer, Min(count - i, LIST_SIZE)),
							 lists.writer->error);
		btm_scylla_check(cql_write_bytes(lists.writer, values[i]), lists.writer->error);
		if (i % LIST_SIZE == LIST_SIZE - 1 || i == count - 1)
			lists.ends[lists.count++] = lists.writer->length;
	}
	end_values(&lists);
	pfree(values);
}

static void
evaluate_list(BtmScyllaMarker *marker, Datum array)
{
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	Values		values;

	deconstruct_array(DatumGetArrayTypeP(array), marker->type, marker->typlen,
					  marker->typbyval, marker->typalign, &elements, &nulls, &count);
	values = begin_values(marker, count);
	for (int i = 0; i < count; i++)
		if (!nulls[i])
			add_value(&values, elements[i]);
	end_values(&values);
	pfree(elements);
	pfree(nulls);
	drop_duplicates(marker);
	if (!marker->is_key && marker->nvalues > 0)
		cut_list(marker);
}

/* -------
 * A (re)scan
 * -------
 */

/* Any value of a type whose values have an order. */
static CqlBytes
some_value(CqlTypeId id)
{
	static const uint8_t zeros[8] = {0};
	CqlBytes	value = {zeros, 0};

	switch (id)
	{
		case CQL_TYPE_BIGINT:
		case CQL_TYPE_TIMESTAMP:
			value.length = 8;
			break;
		case CQL_TYPE_DECIMAL:
			value.length = 5;
			break;
		case CQL_TYPE_INT:
		case CQL_TYPE_DATE:
			value.length = 4;
			break;
		case CQL_TYPE_SMALLINT:
			value.length = 2;
			break;
		case CQL_TYPE_TINYINT:
		case CQL_TYPE_VARINT:
			value.length = 1;
			break;
		default:
			break;
	}
	return value;
}

/* Evaluates a marker's values. */
static void
evaluate(BtmScyllaMarker *marker, ExprContext *econtext)
{
	bool		isnull;
	Datum		value = ExecEvalExpr(marker->expr, econtext, &isnull);
	Values		values;

	marker->nvalues = marker->next = 0;
	if (isnull)
		return;
	if (marker->op == BTM_SCYLLA_IN)
	{
		evaluate_list(marker, value);
		return;
	}
	values = begin_values(marker, 1);
	if (marker->op == BTM_SCYLLA_EQ)
		add_value(&values, value);
	else
		add_bound(&values, value);
	end_values(&values);
}

/*
 * Without a value no row can be found, since nothing compares with null; but for
 * a comparison of rows, which may be decided before.
 */
static void
evaluate_marker(BtmScyllaMarkers *markers, BtmScyllaMarker *marker, ExprContext *econtext)
{
	evaluate(marker, econtext);
	if (marker->nvalues > 0)
		return;
	if (!marker->continues_row)
		markers->empty = true;
	else
	{
		markers->wider = true;
		marker->values = palloc(sizeof(CqlBytes));
		marker->values[marker->nvalues++] = some_value(marker->column->cql->id);
	}
}

/* An expression of LIMIT or OFFSET; -1 for null. */
static int64
evaluate_count(ExprState *expr, ExprContext *econtext)
{
	bool		isnull;
	Datum		value = ExecEvalExpr(expr, econtext, &isnull);

	return isnull ? -1 : Max(DatumGetInt64(value), 0);
}

/*
 * The limit of each execution.  That of all, and a negative one, are the business
 * of the plan's own Limit.
 */
static void
evaluate_limit(BtmScyllaMarkers *markers, ExprContext *econtext)
{
	int64		count = evaluate_count(markers->limit_count, econtext);
	int64		offset = 0;
	CqlWriter  *writer = btm_scylla_writer();

	if (markers->limit_offset != NULL)
		offset = Max(evaluate_count(markers->limit_offset, econtext), 0);
	if (count < 0 || markers->wider || count > PG_INT32_MAX || offset > PG_INT32_MAX)
		markers->limit = PG_INT32_MAX;
	else
		markers->limit = (int32) Max(Min(count + offset, PG_INT32_MAX), 1);
	btm_scylla_check(cql_write_i32(writer, markers->limit), writer->error);
	markers->limit_value.data = writer->data;
	markers->limit_value.length = (int32_t) writer->length;
}

void
btm_scylla_markers_evaluate(BtmScyllaMarkers *markers, ExprContext *econtext)
{
	BtmScyllaColumnContext place = {markers->table, NULL};
	ErrorContextCallback context = {
		.previous = error_context_stack,
		.callback = btm_scylla_column_context,
		.arg = &place
	};
	MemoryContext old;

	MemoryContextReset(markers->context);
	old = MemoryContextSwitchTo(markers->context);
	markers->empty = markers->wider = false;
	error_context_stack = &context;
	for (int i = 0; i < markers->count && !markers->empty; i++)
	{
		place.column = markers->markers[i].column;
		evaluate_marker(markers, &markers->markers[i], econtext);
	}
	error_context_stack = context.previous;
	markers->done = markers->empty;
	markers->limit = PG_INT32_MAX;
	if (markers->has_limit && !markers->done)
		evaluate_limit(markers, econtext);
	MemoryContextSwitchTo(old);
}

/* Goes on to the next combination of values; sets `done` after the last. */
static void
advance(BtmScyllaMarkers *markers)
{
	for (int i = markers->count - 1; i >= 0; i--)
	{
		BtmScyllaMarker *marker = &markers->markers[i];

		if (++marker->next < marker->nvalues)
			return;
		marker->next = 0;
	}
	markers->done = true;
}

bool
btm_scylla_markers_next(BtmScyllaMarkers *markers, CqlBytes *values)
{
	if (markers->done)
		return false;
	for (int i = 0; i < markers->count; i++)
		values[i] = markers->markers[i].values[markers->markers[i].next];
	if (markers->has_limit)
		values[markers->count] = markers->limit_value;
	advance(markers);
	return true;
}
