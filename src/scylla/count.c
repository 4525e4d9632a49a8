/*-------------------------------------------------------------------------
 *
 * count.c
 *	  Execution of count(*) by the server.
 *
 * Each execution of the statement gives one row of counts; their sums are the one
 * row of the scan, also where there is nothing to execute.
 *
 * Where the transaction has changes of the table that are not written yet, or the
 * server would count by values wider than the conditions, the outer plan counts
 * the rows here instead.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/table.h"
#include "cql/value.h"
#include "executor/executor.h"
#include "mb/pg_wchar.h"
#include "scylla/codec.h"
#include "scylla/fdw.h"
#include "scylla/marker.h"
#include "scylla/pending.h"
#include "scylla/sender.h"

typedef struct CountScan
{
	BtmScyllaTable *table;
	Oid			userid;
	char	   *cql;
	int			ncounts;
	int64	   *counts;
	BtmScyllaMarkers *markers;
	MemoryContext context;		/* of what stays */

	BtmScyllaCluster *cluster;	/* NULL: not begun */
	BtmScyllaReader *reader;
	bool		counted;		/* the counts are those of this (re)scan */
	bool		returned;
} CountScan;

/* The definition of the table that is counted. */
static BtmScyllaTable *
table_of(ForeignScanState *node)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	int			index = bms_next_member(plan->fs_relids, -1);
	Relation	relation = table_open(exec_rt_fetch(index, node->ss.ps.state)->relid, NoLock);
	BtmScyllaTable *table = btm_scylla_table(relation);

	table_close(relation, NoLock);
	return table;
}

void
btm_scylla_begin_count(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	CountScan  *state = palloc0(sizeof(CountScan));

	node->fdw_state = state;
	state->table = table_of(node);
	state->userid = foreign_scan_user(plan, node->ss.ps.state);
	state->cql = strVal(list_nth(plan->fdw_private, BTM_SCYLLA_SCAN_CQL));
	state->ncounts = list_length(list_nth(plan->fdw_private, BTM_SCYLLA_SCAN_COLUMNS));
	state->counts = palloc0(sizeof(int64) * state->ncounts);
	state->context = node->ss.ps.state->es_query_cxt;
	if ((eflags & EXEC_FLAG_EXPLAIN_ONLY) == 0)
		state->markers = btm_scylla_markers_create(node, state->table);
}

/* The next execution, for the reader. */
static bool
next_execution(void *scan, CqlBytes *values)
{
	return btm_scylla_markers_next(((CountScan *) scan)->markers, values);
}

/* Connects, and prepares the statement unless the rows will be read. */
static void
connect_count(CountScan *state)
{
	MemoryContext old = MemoryContextSwitchTo(state->context);
	const BtmScyllaStatement *statement;
	CqlParameters parameters;

	btm_scylla_finish_senders();
	state->cluster = btm_scylla_cluster(state->table->serverid, state->userid);
	if (!btm_scylla_has_pending(state->cluster, state->table))
	{
		statement = btm_scylla_prepare(state->cluster,
									   pg_server_to_any(state->cql, strlen(state->cql), PG_UTF8),
									   btm_scylla_markers_width(state->markers));
		btm_scylla_markers_check(state->markers, statement);
		parameters = btm_scylla_scan_parameters(state->cluster, state->table);
		state->reader = btm_scylla_reader_create(state->cluster, statement, &parameters,
												 next_execution, state, false);
	}
	MemoryContextSwitchTo(old);
}

/* Adds the counts of an execution. */
static void
add_counts(CountScan *state, const CqlBytes *cells)
{
	CqlError	error = {0};

	for (int i = 0; i < state->ncounts; i++)
	{
		int64_t		count;

		btm_scylla_check(cql_decode_integer(CQL_TYPE_BIGINT, cells[i], &count, &error), &error);
		state->counts[i] += count;
	}
}

/* Has the server count; false if it cannot, and the rows must be read. */
static bool
count(ForeignScanState *node)
{
	CountScan  *state = node->fdw_state;
	CqlBytes   *cells;

	if (state->cluster == NULL)
		connect_count(state);
	if (state->reader == NULL)
		return false;
	btm_scylla_markers_evaluate(state->markers, node->ss.ps.ps_ExprContext);
	if (state->markers->wider)
		return false;
	memset(state->counts, 0, sizeof(int64) * state->ncounts);
	cells = palloc(sizeof(CqlBytes) * btm_scylla_reader_width(state->reader));
	while (btm_scylla_reader_next(state->reader, cells))
		add_counts(state, cells);
	pfree(cells);
	return true;
}

static void
store_counts(const CountScan *state, TupleTableSlot *slot)
{
	for (int i = 0; i < state->ncounts; i++)
	{
		slot->tts_values[i] = Int64GetDatum(state->counts[i]);
		slot->tts_isnull[i] = false;
	}
	ExecStoreVirtualTuple(slot);
}

/*
 * Has the outer plan read the rows and count them.  A scan is called in the memory
 * of one row; what plans keep until they end is that of the query.
 */
static TupleTableSlot *
count_here(ForeignScanState *node)
{
	MemoryContext old = MemoryContextSwitchTo(node->ss.ps.state->es_query_cxt);
	TupleTableSlot *row = ExecProcNode(outerPlanState(node));

	MemoryContextSwitchTo(old);
	return row;
}

TupleTableSlot *
btm_scylla_iterate_count(ForeignScanState *node)
{
	CountScan  *state = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;

	ExecClearTuple(slot);
	if (state->returned)
		return slot;
	state->returned = true;
	if (!state->counted && !count(node))
		return ExecCopySlot(slot, count_here(node));
	state->counted = true;
	store_counts(state, slot);
	return slot;
}

void
btm_scylla_rescan_count(ForeignScanState *node)
{
	CountScan  *state = node->fdw_state;

	state->returned = false;
	if (node->ss.ps.chgParam == NULL || state->reader == NULL)
		return;
	state->counted = false;
	btm_scylla_reader_restart(state->reader);
}

void
btm_scylla_end_count(ForeignScanState *node)
{
	CountScan  *state = node->fdw_state;

	if (state != NULL && state->reader != NULL)
		btm_scylla_reader_free(state->reader);
}

/* What the scan has done so far; NULL before it has begun. */
const BtmScyllaReader *
btm_scylla_count_reader(ForeignScanState *node)
{
	return ((CountScan *) node->fdw_state)->reader;
}
