/*-------------------------------------------------------------------------
 *
 * scan.c
 *	  Scans of foreign tables.
 *
 * A scan is one statement, executed for each combination of values that its
 * markers have (marker.c), whose pages are read as they come (reader.c).
 *
 * Nothing is sent before the first row is asked for.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/relation.h"
#include "executor/executor.h"
#include "mb/pg_wchar.h"
#include "scylla/fdw.h"
#include "scylla/marker.h"
#include "scylla/overlay.h"
#include "scylla/reader.h"
#include "scylla/row.h"
#include "scylla/sender.h"

typedef struct CqlScan
{
	BtmScyllaTable *table;
	Oid			userid;
	char	   *cql;
	List	   *attnums;		/* of the result's columns */
	BtmScyllaMarkers *markers;
	bool		keep;			/* pages, for a rescan */
	bool		is_target;		/* the statement changes the rows, by their keys */
	MemoryContext context;		/* of what stays */

	BtmScyllaReader *reader;	/* NULL: not begun */
	BtmScyllaRow *row;
	BtmScyllaOverlay *overlay;	/* NULL: there are no pending changes */
	bool		started;		/* this (re)scan */
	bool		same_values;	/* as those of the last one */
} CqlScan;

/* -------
 * Beginning
 * -------
 */

void
btm_scylla_begin_scan(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	EState	   *estate = node->ss.ps.state;
	CqlScan    *state = palloc0(sizeof(CqlScan));

	node->fdw_state = state;
	state->table = btm_scylla_table(node->ss.ss_currentRelation);
	state->userid = foreign_scan_user(plan, estate);
	state->cql = strVal(list_nth(plan->fdw_private, BTM_SCYLLA_SCAN_CQL));
	state->attnums = list_nth(plan->fdw_private, BTM_SCYLLA_SCAN_COLUMNS);
	state->keep = (eflags & EXEC_FLAG_REWIND) != 0;
	state->context = estate->es_query_cxt;
	state->is_target = plan->operation == CMD_SELECT && estate->es_result_relations != NULL &&
		estate->es_result_relations[plan->scan.scanrelid - 1] != NULL;
	if ((eflags & EXEC_FLAG_EXPLAIN_ONLY) == 0)
		state->markers = btm_scylla_markers_create(node, state->table);
}

/* The next execution, for the reader. */
static bool
next_execution(void *scan, CqlBytes *values)
{
	return btm_scylla_markers_next(((CqlScan *) scan)->markers, values);
}

/*
 * Where the transaction has changes that the scan sees, takes the plain statement
 * instead, with those markers that it has.
 */
static void
begin_overlay(CqlScan *state, ForeignScanState *node, BtmScyllaCluster *cluster)
{
	List	   *private = ((ForeignScan *) node->ss.ps.plan)->fdw_private;
	List	   *plain = list_nth(private, BTM_SCYLLA_SCAN_PLAIN);
	List	   *attnums = list_nth(plain, BTM_SCYLLA_PLAIN_COLUMNS);

	state->overlay =
		btm_scylla_overlay_create(cluster, state->table,
								  node->ss.ps.state->es_snapshot->curcid, attnums,
								  intVal(list_nth(plain, BTM_SCYLLA_PLAIN_ORDER)));
	if (state->overlay == NULL)
		return;
	state->cql = strVal(list_nth(plain, BTM_SCYLLA_PLAIN_CQL));
	state->attnums = attnums;
	btm_scylla_markers_keep(state->markers, list_nth(plain, BTM_SCYLLA_PLAIN_MARKERS));
}

/* Connects, and prepares the statement. */
static void
connect_scan(CqlScan *state, ForeignScanState *node)
{
	MemoryContext old = MemoryContextSwitchTo(state->context);
	BtmScyllaCluster *cluster;
	const BtmScyllaStatement *statement;
	CqlParameters parameters;

	btm_scylla_finish_senders();
	cluster = btm_scylla_cluster(state->table->serverid, state->userid);
	begin_overlay(state, node, cluster);
	statement = btm_scylla_prepare(cluster,
								   pg_server_to_any(state->cql, strlen(state->cql), PG_UTF8),
								   btm_scylla_markers_width(state->markers));
	btm_scylla_markers_check(state->markers, statement);
	state->row = btm_scylla_row_create(state->table, state->attnums, statement->result);
	if (state->is_target)
		btm_scylla_row_watch_key(state->row);
	parameters = btm_scylla_scan_parameters(cluster, state->table);
	state->reader = btm_scylla_reader_create(cluster, statement, &parameters, next_execution,
											 state, state->keep);
	MemoryContextSwitchTo(old);
}

/*
 * Has the overlay read each partition that the columns from `column` on of the
 * partition key name; false if they do not name any.
 */
static bool
read_partitions(CqlScan *state, int column, CqlBytes *key)
{
	const BtmScyllaMarker *marker;

	if (column == state->table->npartition)
	{
		btm_scylla_overlay_read_partition(state->overlay, key);
		return true;
	}
	marker = btm_scylla_markers_find(state->markers, state->table->partition[column]);
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
	CqlBytes   *key;

	if (state->overlay == NULL)
		return;
	btm_scylla_overlay_begin(state->overlay);
	if (state->markers->empty)
		return;
	key = palloc(sizeof(CqlBytes) * (state->table->npartition + 1));
	if (!read_partitions(state, 0, key))
		btm_scylla_overlay_read_all(state->overlay);
	pfree(key);
}

/* Begins a (re)scan. */
static void
start(ForeignScanState *node)
{
	CqlScan    *state = node->fdw_state;

	if (state->reader == NULL)
		connect_scan(state, node);
	if (!state->same_values)
	{
		btm_scylla_markers_evaluate(state->markers, node->ss.ps.ps_ExprContext);
		btm_scylla_reader_set_page_size(state->reader,
										Min(state->table->fetch_size, state->markers->limit));
	}
	start_overlay(state);
	state->started = true;
}

/* -------
 * Rows
 * -------
 */

/* Puts the server's next row into the cells; false at the end. */
static bool
fetch_row(void *scan)
{
	CqlScan    *state = scan;

	return btm_scylla_reader_next(state->reader, btm_scylla_row_cells(state->row));
}

/* The cells of the next row, with the transaction's changes; NULL at the end. */
static const CqlBytes *
next_cells(CqlScan *state)
{
	CqlBytes   *cells = btm_scylla_row_cells(state->row);

	if (state->overlay != NULL)
		return btm_scylla_overlay_next(state->overlay, cells, fetch_row, state);
	return fetch_row(state) ? cells : NULL;
}

/*
 * Does the row fulfil the conditions that the server would check?  Pending changes
 * may make them true or false, and values may be wider than they are.
 */
static bool
is_wanted(ForeignScanState *node, TupleTableSlot *slot)
{
	CqlScan    *state = node->fdw_state;
	ExprContext *econtext = node->ss.ps.ps_ExprContext;

	if (state->overlay == NULL && !state->markers->wider)
		return true;
	ResetExprContext(econtext);
	econtext->ecxt_scantuple = slot;
	return ExecQual(node->fdw_recheck_quals, econtext);
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

	if (!btm_scylla_row_is_inexact(state->row))
		return;
	econtext->ecxt_scantuple = slot;
	if (ExecQual(node->ss.ps.qual, econtext))
		btm_scylla_row_refuse(state->row);
}

TupleTableSlot *
btm_scylla_iterate_scan(ForeignScanState *node)
{
	CqlScan    *state = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
	const CqlBytes *cells;

	if (!state->started)
		start(node);
	while ((cells = next_cells(state)) != NULL)
	{
		btm_scylla_row_store(state->row, cells, slot);
		if (is_wanted(node, slot))
		{
			check_key(node, slot);
			return slot;
		}
	}
	return ExecClearTuple(slot);
}

/*
 * Where no value has changed, and all rows so far are still there, they are read
 * again.
 */
void
btm_scylla_rescan(ForeignScanState *node)
{
	CqlScan    *state = node->fdw_state;

	if (!state->started)
		return;
	state->started = false;
	state->same_values = node->ss.ps.chgParam == NULL &&
		btm_scylla_reader_rewind(state->reader);
	if (!state->same_values)
		btm_scylla_reader_restart(state->reader);
}

void
btm_scylla_end_scan(ForeignScanState *node)
{
	CqlScan    *state = node->fdw_state;

	if (state != NULL && state->reader != NULL)
		btm_scylla_reader_free(state->reader);
}

/*
 * The values of the statement's markers, if it was executed exactly once; NULL
 * otherwise.  Valid until the scan ends.
 */
const CqlBytes *
btm_scylla_scan_values(ForeignScanState *node)
{
	return btm_scylla_reader_values(((CqlScan *) node->fdw_state)->reader);
}

/* What the scan has done so far; NULL before it has begun. */
const BtmScyllaReader *
btm_scylla_scan_reader(ForeignScanState *node)
{
	return ((CqlScan *) node->fdw_state)->reader;
}

/* How a table is read. */
CqlParameters
btm_scylla_scan_parameters(const BtmScyllaCluster *cluster, const BtmScyllaTable *table)
{
	CqlParameters parameters = {
		.consistency = table->consistency,
		.has_serial_consistency = true,
		.serial_consistency = btm_scylla_cluster_options(cluster)->serial_consistency,
		.page_size = table->fetch_size,
		.skip_metadata = true
	};

	return parameters;
}
