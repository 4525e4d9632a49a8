/*-------------------------------------------------------------------------
 *
 * overlay.c
 *	  Merges a transaction's pending changes into the rows of a scan.
 *
 * Of each row that the server has, what is deleted is left out, and cells that
 * were set replace the server's.  Rows that are there by pending changes alone
 * (*new rows*) come after the server's; or, where the scan promises an order,
 * before the first row of the server that is greater.
 *
 * A new row is told from a changed one by what the server returns: a row that did
 * not come from there is new.  In an ordered scan, the order that is compared is
 * the beginning of the clustering key whose order is the same here and there;
 * what is equal in it comes after the server's rows, so that a row that the
 * server has is never taken for a new one too early.
 *
 * The changes that a statement sees do not change while it runs: its snapshot is
 * older than every later command, and a rollback that takes off what it has seen
 * ends it.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_collation.h"
#include "miscadmin.h"
#include "scylla/convert.h"
#include "scylla/overlay.h"
#include "scylla/pending_parts.h"
#include "scylla/restriction.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

/* A column of the clustering key by which rows are compared. */
typedef struct OrderColumn
{
	int			cell;			/* among the statement's columns */
	int			column;			/* among the pending table's */
	bool		descending;
	BtmScyllaConverter converter;
	FmgrInfo   *compare;
} OrderColumn;

/* A row that may be new. */
typedef struct NewRow
{
	uint32		item;
	Datum	   *values;			/* of the order's columns; NULL if there is no order */
} NewRow;

struct BtmScyllaOverlay
{
	const BtmScyllaPending *pending;
	CommandId	curcid;
	int			ncells;
	int		   *columns;		/* of the pending table, -1: it has no such column */
	int		   *key;			/* cells of the primary key's columns */
	int			norder;
	OrderColumn *order;
	uint32		nitems;			/* when the scan began; no other is seen by it */
	bits8	   *seen;			/* items of rows that the server has, of nitems */
	BtmScyllaStaticReader *statics; /* NULL: no static column is read */

	/* of the (re)scan */
	uint32		nnew;
	uint32		max_new;
	NewRow	   *new_rows;
	uint32		next_new;
	bool		at_end;			/* of the server's rows */
	bool		has_row;		/* the scan's cells have the next one */
	Datum	   *row_values;		/* of it, of the order's columns */

	CqlBytes   *values;			/* by the pending table's columns */
	CqlBytes   *cells;			/* of a new row */
	MemoryContext context;		/* of the (re)scan */
	MemoryContext row_context;	/* of a row of the server */
	MemoryContext new_context;	/* of a new row */
};

/* -------
 * Beginning
 * -------
 */

/* Does a snapshot see any change of a table? */
static bool
has_visible(const BtmScyllaPending *pending, CommandId curcid)
{
	for (uint32 i = 0; i < pending->nversions; i++)
		if (pending->versions[i].cid < curcid)
			return true;
	return false;
}

/* The index of a column of this name, or -1. */
static int
find_column(const BtmScyllaTable *table, const char *name)
{
	for (int i = 0; i < table->ncolumns; i++)
		if (strcmp(table->columns[i].name, name) == 0)
			return i;
	return -1;
}

/* Which column of the pending table each cell is of. */
static void
map_columns(BtmScyllaOverlay *overlay, const BtmScyllaTable *table, List *attnums)
{
	overlay->ncells = list_length(attnums);
	overlay->columns = palloc(sizeof(int) * overlay->ncells);
	for (int i = 0; i < overlay->ncells; i++)
	{
		BtmScyllaColumn *column = btm_scylla_column_by_number(table, list_nth_int(attnums, i));

		overlay->columns[i] = column == NULL ? -1 :
			find_column(overlay->pending->table, column->name);
	}
}

/* The cell that a column of the pending table is in, or -1. */
static int
cell_of(const BtmScyllaOverlay *overlay, int column)
{
	for (int i = 0; i < overlay->ncells; i++)
		if (overlay->columns[i] == column)
			return i;
	return -1;
}

/* Finds the cells of the primary key; 0A000 if one is not there. */
static void
find_key(BtmScyllaOverlay *overlay, const BtmScyllaTable *table)
{
	const BtmScyllaPending *pending = overlay->pending;

	overlay->key = palloc(sizeof(int) * pending->nkey);
	for (int i = 0; i < pending->nkey; i++)
	{
		overlay->key[i] = cell_of(overlay, pending->key[i]);
		if (overlay->key[i] < 0)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot read foreign table \"%s\" without its primary key in a transaction that has changed the table",
							get_rel_name(table->relid)),
					 errdetail("Column \"%s\" of the key is not in its definition.",
							   pending->table->columns[pending->key[i]].name)));
	}
}

/* The columns by which rows can be compared here as the server orders them. */
static void
find_order(BtmScyllaOverlay *overlay, bool reverse)
{
	const BtmScyllaTable *table = overlay->pending->table;

	overlay->order = palloc0(sizeof(OrderColumn) * (table->nclustering + 1));
	for (int i = 0; i < table->nclustering; i++)
	{
		BtmScyllaColumn *column = table->clustering[i];
		OrderColumn *order = &overlay->order[i];
		TypeCacheEntry *type = lookup_type_cache(column->type, TYPECACHE_CMP_PROC_FINFO);

		if (!btm_scylla_same_order(column, C_COLLATION_OID) || !OidIsValid(type->cmp_proc))
			break;
		order->column = (int) (column - table->columns);
		order->cell = cell_of(overlay, order->column);
		order->descending = column->descending != reverse;
		order->compare = &type->cmp_proc_finfo;
		btm_scylla_converter_init(&order->converter, column->cql, column->type, column->typmod);
		overlay->norder++;
	}
	overlay->row_values = palloc(sizeof(Datum) * (overlay->norder + 1));
}

BtmScyllaOverlay *
btm_scylla_overlay_create(BtmScyllaCluster *cluster, const BtmScyllaTable *table,
						  CommandId curcid, List *attnums, int order)
{
	BtmScyllaPending *pending = btm_pending_find(cluster, table);
	BtmScyllaOverlay *overlay;

	if (pending == NULL || !has_visible(pending, curcid))
		return NULL;
	overlay = palloc0(sizeof(BtmScyllaOverlay));
	overlay->pending = pending;
	overlay->curcid = curcid;
	map_columns(overlay, table, attnums);
	find_key(overlay, table);
	if (order >= 0)
		find_order(overlay, order > 0);
	overlay->nitems = pending->nitems;
	overlay->seen = MemoryContextAllocExtended(CurrentMemoryContext, overlay->nitems / 8 + 1,
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	overlay->statics = btm_scylla_static_reader_create(pending, overlay->ncells, overlay->columns);
	overlay->values = palloc(sizeof(CqlBytes) * pending->table->ncolumns);
	overlay->cells = palloc(sizeof(CqlBytes) * overlay->ncells);
	overlay->context = AllocSetContextCreate(CurrentMemoryContext, "CQL overlay",
											 ALLOCSET_DEFAULT_SIZES);
	overlay->row_context = AllocSetContextCreate(CurrentMemoryContext, "CQL overlay row",
												 ALLOCSET_DEFAULT_SIZES);
	overlay->new_context = AllocSetContextCreate(CurrentMemoryContext, "CQL overlay new row",
												 ALLOCSET_DEFAULT_SIZES);
	return overlay;
}

/* -------
 * Comparison
 * -------
 */

/* Compares rows by the order's columns, as they come from the server. */
static int
compare_values(const BtmScyllaOverlay *overlay, const Datum *a, const Datum *b)
{
	for (int i = 0; i < overlay->norder; i++)
	{
		const OrderColumn *order = &overlay->order[i];
		int			result = DatumGetInt32(FunctionCall2Coll(order->compare, C_COLLATION_OID,
															 a[i], b[i]));

		if (result != 0)
			return order->descending ? -result : result;
	}
	return 0;
}

/* The same, for qsort_arg. */
static int
compare_new_rows(const void *a, const void *b, void *overlay)
{
	return compare_values(overlay, ((const NewRow *) a)->values, ((const NewRow *) b)->values);
}

/* The value of a key's column, which is never null. */
static Datum
key_value(OrderColumn *order, CqlBytes cell)
{
	bool		isnull;

	return btm_scylla_to_datum(&order->converter, cell, &isnull);
}

/* -------
 * A (re)scan
 * -------
 */

/* A row that the server has; it matters where it might be taken for a new one. */
static void
set_seen(BtmScyllaOverlay *overlay, uint32 item, bool seen)
{
	if (seen)
		overlay->seen[item / 8] |= 1 << (item % 8);
	else
		overlay->seen[item / 8] &= ~(1 << (item % 8));
}

/* Has the server returned this row? */
static bool
was_seen(const BtmScyllaOverlay *overlay, uint32 item)
{
	return (overlay->seen[item / 8] & (1 << (item % 8))) != 0;
}

void
btm_scylla_overlay_begin(BtmScyllaOverlay *overlay)
{
	for (uint32 i = 0; i < overlay->nnew; i++)
		set_seen(overlay, overlay->new_rows[i].item, false);
	MemoryContextReset(overlay->context);
	overlay->nnew = overlay->max_new = overlay->next_new = 0;
	overlay->new_rows = NULL;
	overlay->at_end = overlay->has_row = false;
}

/* The values of a version, copied into the current memory context. */
static void
read_values(const BtmScyllaOverlay *overlay, uint32 version, CqlBytes *values)
{
	const BtmScyllaPending *pending = overlay->pending;
	const BtmPendingVersion *it = &pending->versions[version];

	btm_pending_decode(pending, btm_scylla_spill_copy(it->piece, it->size), it->size,
					   btm_pending_is_partition(pending, it->item), values);
}

/* Adds a row that is new unless the server has it. */
static void
add_new(BtmScyllaOverlay *overlay, uint32 item)
{
	BtmPendingState state = btm_pending_state(overlay->pending, item, overlay->curcid);
	MemoryContext old;
	NewRow	   *row;

	if (!state.live)
		return;
	old = MemoryContextSwitchTo(overlay->context);
	overlay->new_rows = btm_pending_grow(overlay->context, overlay->new_rows, &overlay->max_new,
										 overlay->nnew + 1, sizeof(NewRow));
	row = &overlay->new_rows[overlay->nnew++];
	row->item = item;
	row->values = NULL;
	if (overlay->norder > 0)
	{
		read_values(overlay, state.version, overlay->values);
		row->values = palloc(sizeof(Datum) * overlay->norder);
		for (int i = 0; i < overlay->norder; i++)
			row->values[i] = key_value(&overlay->order[i],
									   overlay->values[overlay->order[i].column]);
	}
	MemoryContextSwitchTo(old);
}

void
btm_scylla_overlay_read_all(BtmScyllaOverlay *overlay)
{
	for (uint32 i = 0; i < overlay->nitems; i++)
		if (btm_pending_is_row(overlay->pending, i))
			add_new(overlay, i);
}

void
btm_scylla_overlay_read_partition(BtmScyllaOverlay *overlay, const CqlBytes *key)
{
	const BtmScyllaPending *pending = overlay->pending;
	const BtmScyllaTable *table = pending->table;
	bool		has_partitions = table->nclustering > 0;
	StringInfoData bytes;
	uint32		item;

	for (int i = 0; i < table->npartition; i++)
		overlay->values[pending->key[i]] = key[i];
	initStringInfo(&bytes);
	btm_pending_encode_key(pending, overlay->values, true, &bytes);
	item = btm_pending_lookup(pending, bytes.data, bytes.len, has_partitions);
	pfree(bytes.data);
	if (item == BTM_PENDING_NONE)
		return;
	if (has_partitions)
		item = pending->items[item].sibling;
	while (item != BTM_PENDING_NONE)
	{
		add_new(overlay, item);
		item = has_partitions ? pending->items[item].sibling : BTM_PENDING_NONE;
	}
	if (overlay->norder > 0)
		qsort_arg(overlay->new_rows, overlay->nnew, sizeof(NewRow), compare_new_rows, overlay);
}

/* -------
 * Rows of the server
 * -------
 */

/* Looks up the item of a row of the server, or of its partition. */
static uint32
lookup(BtmScyllaOverlay *overlay, const CqlBytes *cells, bool is_partition)
{
	const BtmScyllaPending *pending = overlay->pending;
	StringInfoData bytes;

	for (int i = 0; i < pending->nkey; i++)
		overlay->values[pending->key[i]] = cells[overlay->key[i]];
	initStringInfo(&bytes);
	btm_pending_encode_key(pending, overlay->values, is_partition, &bytes);
	return btm_pending_lookup(pending, bytes.data, bytes.len, is_partition);
}

/* Puts cells that a version has in place of a row's.  Counters are added to. */
static void
replace_cells(BtmScyllaOverlay *overlay, uint32 version, CqlBytes *cells)
{
	if (version == BTM_PENDING_NONE)
		return;
	read_values(overlay, version, overlay->values);
	for (int i = 0; i < overlay->ncells; i++)
	{
		int			column = overlay->columns[i];

		if (column < 0 || overlay->values[column].length == CQL_LENGTH_UNSET)
			continue;
		cells[i] = overlay->pending->table->columns[column].cql->id == CQL_TYPE_COUNTER ?
			btm_pending_add_counters(cells[i], overlay->values[column]) : overlay->values[column];
	}
}

/* The version with the static cells of a partition, which may be NONE. */
static uint32
static_version(const BtmScyllaOverlay *overlay, uint32 partition)
{
	uint32		version;

	if (partition == BTM_PENDING_NONE)
		return BTM_PENDING_NONE;
	version = btm_pending_visible(overlay->pending, partition, overlay->curcid);
	if (version != BTM_PENDING_NONE &&
		version < btm_pending_deletion(overlay->pending, BTM_PENDING_NONE, overlay->curcid))
		return BTM_PENDING_NONE;
	return version;
}

/*
 * Is it the row without clustering key that stands for a partition that has
 * static columns only, though there are rows in it now?
 */
static bool
is_partition_without_rows(const BtmScyllaOverlay *overlay, uint32 partition, const CqlBytes *cells)
{
	const BtmScyllaPending *pending = overlay->pending;
	uint32		row = pending->items[partition].sibling;

	if (cells[overlay->key[pending->nkey - 1]].length >= 0)
		return false;
	while (row != BTM_PENDING_NONE && !btm_pending_state(pending, row, overlay->curcid).live)
		row = pending->items[row].sibling;
	return row != BTM_PENDING_NONE;
}

/*
 * Changes a row of the server's to what the transaction has made of it; false if
 * that is nothing.
 */
static bool
change_row(BtmScyllaOverlay *overlay, CqlBytes *cells)
{
	const BtmScyllaPending *pending = overlay->pending;
	bool		has_partitions = pending->table->nclustering > 0;
	uint32		partition = has_partitions ? lookup(overlay, cells, true) : BTM_PENDING_NONE;
	uint32		row;
	BtmPendingState state;

	if (btm_pending_deletion(pending, partition, overlay->curcid) > 0)
		return false;
	if (has_partitions && partition == BTM_PENDING_NONE)
		return true;
	if (has_partitions && is_partition_without_rows(overlay, partition, cells))
		return false;
	replace_cells(overlay, static_version(overlay, partition), cells);
	row = lookup(overlay, cells, false);
	if (row == BTM_PENDING_NONE || row >= overlay->nitems)
		return true;
	state = btm_pending_state(pending, row, overlay->curcid);
	if (state.deleted)
		return false;
	set_seen(overlay, row, true);
	replace_cells(overlay, state.version, cells);
	return true;
}

/* Takes the next row of the server that is left; false at the end. */
static bool
take_row(BtmScyllaOverlay *overlay, CqlBytes *cells, BtmScyllaFetch fetch, void *scan)
{
	MemoryContext old;
	bool		found = false;

	while (!found && fetch(scan))
	{
		MemoryContextReset(overlay->row_context);
		old = MemoryContextSwitchTo(overlay->row_context);
		found = change_row(overlay, cells);
		if (found && overlay->next_new < overlay->nnew)
			for (int i = 0; i < overlay->norder; i++)
				overlay->row_values[i] = key_value(&overlay->order[i],
												   cells[overlay->order[i].cell]);
		MemoryContextSwitchTo(old);
	}
	return found;
}

/* -------
 * New rows
 * -------
 */

/* Passes over rows that the server has; whether there is one that is new. */
static bool
find_new(BtmScyllaOverlay *overlay)
{
	while (overlay->next_new < overlay->nnew &&
		   was_seen(overlay, overlay->new_rows[overlay->next_new].item))
		overlay->next_new++;
	return overlay->next_new < overlay->nnew;
}

/* The cells of the next new row. */
static CqlBytes *
take_new(BtmScyllaOverlay *overlay)
{
	const BtmScyllaPending *pending = overlay->pending;
	uint32		item = overlay->new_rows[overlay->next_new++].item;
	uint32		partition = pending->items[item].partition;
	MemoryContext old;

	MemoryContextReset(overlay->new_context);
	old = MemoryContextSwitchTo(overlay->new_context);
	for (int i = 0; i < overlay->ncells; i++)
		overlay->cells[i].length = CQL_LENGTH_NULL;
	if (overlay->statics != NULL &&
		btm_pending_deletion(pending, partition, overlay->curcid) == 0)
		btm_scylla_static_read(overlay->statics, partition, overlay->cells);
	replace_cells(overlay, static_version(overlay, partition), overlay->cells);
	replace_cells(overlay, btm_pending_state(pending, item, overlay->curcid).version,
				  overlay->cells);
	MemoryContextSwitchTo(old);
	return overlay->cells;
}

CqlBytes *
btm_scylla_overlay_next(BtmScyllaOverlay *overlay, CqlBytes *cells, BtmScyllaFetch fetch,
						void *scan)
{
	CHECK_FOR_INTERRUPTS();
	if (!overlay->has_row && !overlay->at_end)
	{
		overlay->has_row = take_row(overlay, cells, fetch, scan);
		overlay->at_end = !overlay->has_row;
	}
	if ((overlay->at_end || overlay->norder > 0) && find_new(overlay) &&
		(overlay->at_end || compare_values(overlay,
										   overlay->new_rows[overlay->next_new].values,
										   overlay->row_values) < 0))
		return take_new(overlay);
	if (!overlay->has_row)
		return NULL;
	overlay->has_row = false;
	return cells;
}
