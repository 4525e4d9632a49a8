/*-------------------------------------------------------------------------
 *
 * pending_change.c
 *	  Takes mutations in as pending changes, and takes those of a savepoint off.
 *
 * Everything that can fail is done before the first pointer is changed: an error
 * leaves items and versions whole, for the savepoint that is rolled back then.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/xact.h"
#include "lib/stringinfo.h"
#include "scylla/pending_parts.h"
#include "utils/memutils.h"

/* -------
 * Versions
 * -------
 */

/*
 * May the newest version of an item be replaced?  No statement and no rollback
 * could tell it from the next one, if it is of the same command and savepoint.
 */
static bool
is_replaceable(const BtmScyllaPending *pending, uint32 item, CommandId cid)
{
	const BtmPendingVersion *version = &pending->versions[pending->items[item].version];

	return pending->items[item].version >= btm_pending_deletion(pending, pending->items[item].partition,
															   BTM_PENDING_NEWEST) &&
		version->cid == cid && version->subid == GetCurrentSubTransactionId();
}

/* Remembers where this savepoint's versions begin. */
static void
mark_savepoint(BtmScyllaPending *pending)
{
	int			level = GetCurrentTransactionNestLevel();
	uint32		max = (uint32) pending->max_marks;

	if (level == 1 ||
		(pending->nmarks > 0 && pending->marks[pending->nmarks - 1].level == level))
		return;
	pending->marks = btm_pending_grow(pending->context, pending->marks, &max, pending->nmarks + 1,
									  sizeof(BtmPendingMark));
	pending->max_marks = (int) max;
	pending->marks[pending->nmarks].level = level;
	pending->marks[pending->nmarks].nversions = pending->nversions;
	pending->nmarks++;
}

/* A new version of an item.  A trigger's later command may have made the last one. */
static BtmPendingVersion *
push_version(BtmScyllaPending *pending, uint32 item, CommandId cid)
{
	BtmPendingItem *entry = &pending->items[item];
	BtmPendingVersion *version = &pending->versions[pending->nversions];

	version->piece = 0;
	version->size = 0;
	version->item = item;
	version->older = entry->version;
	version->deletion = 0;
	version->cid = cid;
	version->subid = GetCurrentSubTransactionId();
	version->flags = 0;
	if (entry->version != BTM_PENDING_NONE)
	{
		version->deletion = pending->versions[entry->version].deletion;
		version->cid = Max(cid, pending->versions[entry->version].cid);
	}
	entry->version = pending->nversions++;
	return version;
}

/* The version of an item for a change by a command: the newest, or a new one. */
static BtmPendingVersion *
version_for(BtmScyllaPending *pending, uint32 item, CommandId cid)
{
	BtmPendingVersion *version;

	if (pending->items[item].version == BTM_PENDING_NONE || !is_replaceable(pending, item, cid))
		return push_version(pending, item, cid);
	version = &pending->versions[pending->items[item].version];
	btm_scylla_spill_drop(version->piece);
	return version;
}

/* Adds an item.  Its bucket and its partition have it first. */
static uint32
add_item(BtmScyllaPending *pending, uint32 hash, uint32 partition)
{
	uint32		number = pending->nitems++;
	BtmPendingItem *item = &pending->items[number];

	item->hash = hash;
	item->version = BTM_PENDING_NONE;
	item->partition = partition;
	item->sibling = BTM_PENDING_NONE;
	if (partition != BTM_PENDING_NONE && partition != number)
	{
		item->sibling = pending->items[partition].sibling;
		pending->items[partition].sibling = number;
	}
	btm_pending_link(pending, number);
	return number;
}

/* Takes off the newest item. */
static void
remove_item(BtmScyllaPending *pending)
{
	uint32		number = --pending->nitems;
	BtmPendingItem *item = &pending->items[number];

	pending->buckets[item->hash & (pending->nbuckets - 1)] = item->chain;
	if (item->partition != BTM_PENDING_NONE && item->partition != number)
		pending->items[item->partition].sibling = item->sibling;
}

/* Has an item neither versions nor rows? */
static bool
is_empty(const BtmScyllaPending *pending, uint32 number)
{
	return pending->items[number].version == BTM_PENDING_NONE &&
		(!btm_pending_is_partition(pending, number) ||
		 pending->items[number].sibling == BTM_PENDING_NONE);
}

/* Takes off versions until so many are left.  Raises no error. */
void
btm_pending_take_off(BtmScyllaPending *pending, uint32 left)
{
	while (pending->nversions > left)
	{
		BtmPendingVersion *version = &pending->versions[--pending->nversions];

		pending->items[version->item].version = version->older;
		btm_scylla_spill_drop(version->piece);
		while (pending->nitems > 1 && is_empty(pending, pending->nitems - 1))
			remove_item(pending);
	}
}

/* -------
 * Changes
 * -------
 */

/* Puts cells that a mutation gives over those of before, static ones or others. */
static void
merge_cells(const BtmScyllaPending *pending, const CqlBytes *given, bool is_static,
			CqlBytes *cells)
{
	const BtmScyllaTable *table = pending->table;

	for (int i = 0; i < table->ncolumns; i++)
	{
		if (given[i].length == CQL_LENGTH_UNSET ||
			table->columns[i].role != (is_static ? BTM_SCYLLA_STATIC : BTM_SCYLLA_REGULAR))
			continue;
		cells[i] = table->columns[i].cql->id == CQL_TYPE_COUNTER ?
			btm_pending_add_counters(cells[i], given[i]) : given[i];
	}
}

/* Is there a cell of a kind of columns whose length is one of these? */
static bool
has_cells(const BtmScyllaPending *pending, const CqlBytes *cells, BtmScyllaRole role,
		  int32 least_length)
{
	for (int i = 0; i < pending->table->ncolumns; i++)
		if (pending->table->columns[i].role == role && cells[i].length >= least_length)
			return true;
	return false;
}

/* The values that a version has; all unset for NONE. */
static CqlBytes *
values_of(const BtmScyllaPending *pending, uint32 version, bool is_partition)
{
	int			ncolumns = pending->table->ncolumns;
	CqlBytes   *values = palloc(sizeof(CqlBytes) * ncolumns);

	for (int i = 0; i < ncolumns; i++)
		values[i].length = CQL_LENGTH_UNSET;
	if (version != BTM_PENDING_NONE && pending->versions[version].size > 0)
	{
		const BtmPendingVersion *it = &pending->versions[version];

		btm_pending_decode(pending, btm_scylla_spill_get(it->piece, it->size), it->size,
						   is_partition, values);
	}
	return values;
}

/* What a mutation makes of a row. */
static uint32
next_flags(const BtmScyllaPending *pending, BtmScyllaMutationKind kind, uint32 flags,
		   const CqlBytes *cells)
{
	if (kind == BTM_SCYLLA_DELETE)
		return BTM_PENDING_DELETED;
	flags &= BTM_PENDING_DELETED | BTM_PENDING_MARKER;
	if (kind == BTM_SCYLLA_INSERT)
		flags |= BTM_PENDING_MARKER;
	if (has_cells(pending, cells, BTM_SCYLLA_REGULAR, 0))
		flags |= BTM_PENDING_VALUES;
	return flags;
}

/* The item of a key, made if it is not there; there is room for it. */
static uint32
item_of(BtmScyllaPending *pending, StringInfo key, uint32 partition, bool is_partition)
{
	uint32		number = btm_pending_lookup(pending, key->data, key->len, is_partition);

	if (number != BTM_PENDING_NONE)
		return number;
	return add_item(pending, btm_pending_hash(key->data, key->len, is_partition),
					is_partition ? pending->nitems : partition);
}

/* The item of the partition of a row; NONE where a row is its partition. */
static uint32
partition_of(BtmScyllaPending *pending, StringInfo partition_key)
{
	if (pending->table->nclustering == 0)
		return BTM_PENDING_NONE;
	return item_of(pending, partition_key, BTM_PENDING_NONE, true);
}

/* Sets `key` to the bytes of a row's or a partition's key. */
static void
encode_key(const BtmScyllaPending *pending, const CqlBytes *values, bool is_partition,
		   StringInfo key)
{
	initStringInfo(key);
	btm_pending_encode_key(pending, values, is_partition, key);
}

/* The bytes of a key and of cells. */
static void
encode(const BtmScyllaPending *pending, StringInfo key, const CqlBytes *cells, bool is_static,
	   StringInfo bytes)
{
	initStringInfo(bytes);
	appendBinaryStringInfo(bytes, key->data, key->len);
	if (cells != NULL)
		btm_pending_encode_cells(pending, cells, is_static, bytes);
}

/* Has a version point to its bytes. */
static void
set_bytes(BtmPendingVersion *version, BtmScyllaPiece piece, StringInfo bytes)
{
	version->piece = piece;
	version->size = bytes->len;
}

/* A change of a row: of its own cells, or of whether it is there. */
static void
change_row(BtmScyllaPending *pending, CommandId cid, BtmScyllaMutationKind kind,
		   const CqlBytes *given)
{
	BtmPendingState state = {false, false, BTM_PENDING_NONE};
	BtmPendingVersion *version;
	StringInfoData partition_key;
	StringInfoData key;
	StringInfoData bytes;
	CqlBytes   *cells;
	uint32		flags = 0;
	uint32		row;
	BtmScyllaPiece piece;

	encode_key(pending, given, true, &partition_key);
	encode_key(pending, given, false, &key);
	row = btm_pending_lookup(pending, key.data, key.len, false);
	if (row != BTM_PENDING_NONE && kind != BTM_SCYLLA_DELETE)
		state = btm_pending_state(pending, row, BTM_PENDING_NEWEST);
	if (state.version != BTM_PENDING_NONE)
		flags = pending->versions[state.version].flags;
	cells = values_of(pending, state.version, false);
	if (kind != BTM_SCYLLA_DELETE)
		merge_cells(pending, given, false, cells);
	encode(pending, &key, cells, false, &bytes);
	piece = btm_scylla_spill_put(bytes.data, bytes.len);
	if (row == BTM_PENDING_NONE)
		row = item_of(pending, &key, partition_of(pending, &partition_key), false);
	version = version_for(pending, row, cid);
	version->flags = next_flags(pending, kind, flags, cells);
	set_bytes(version, piece, &bytes);
}

/* A change of a partition's static cells. */
static void
change_static(BtmScyllaPending *pending, CommandId cid, const CqlBytes *given)
{
	uint32		deletion = btm_pending_deletion(pending, BTM_PENDING_NONE, BTM_PENDING_NEWEST);
	uint32		version = BTM_PENDING_NONE;
	uint32		partition;
	StringInfoData key;
	StringInfoData bytes;
	CqlBytes   *cells;
	BtmScyllaPiece piece;

	encode_key(pending, given, true, &key);
	partition = btm_pending_lookup(pending, key.data, key.len, true);
	if (partition != BTM_PENDING_NONE)
		version = pending->items[partition].version;
	if (version != BTM_PENDING_NONE && version < deletion)
		version = BTM_PENDING_NONE;
	cells = values_of(pending, version, true);
	merge_cells(pending, given, true, cells);
	encode(pending, &key, cells, true, &bytes);
	piece = btm_scylla_spill_put(bytes.data, bytes.len);
	partition = item_of(pending, &key, BTM_PENDING_NONE, true);
	set_bytes(version_for(pending, partition, cid), piece, &bytes);
}

/* A partition is deleted: all that is older in it is dead. */
static void
delete_partition(BtmScyllaPending *pending, CommandId cid, const CqlBytes *given)
{
	StringInfoData key;
	BtmScyllaPiece piece;
	BtmPendingVersion *version;

	encode_key(pending, given, true, &key);
	piece = btm_scylla_spill_put(key.data, key.len);
	version = push_version(pending, item_of(pending, &key, BTM_PENDING_NONE, true), cid);
	version->deletion = pending->nversions;
	set_bytes(version, piece, &key);
}

/* All rows are deleted: all that is older in the table is dead. */
static void
truncate_table(BtmScyllaPending *pending, CommandId cid)
{
	BtmPendingVersion *version = push_version(pending, BTM_PENDING_TABLE, cid);

	version->deletion = pending->nversions;
}

/*
 * Takes in a mutation, as a part of the command `cid`; its values are by the
 * pending table's columns.
 */
void
btm_pending_change(BtmScyllaPending *pending, CommandId cid, const BtmScyllaMutation *mutation)
{
	BtmScyllaMutationKind kind = mutation->kind;
	const CqlBytes *values = mutation->values;
	bool		sets = kind == BTM_SCYLLA_INSERT || kind == BTM_SCYLLA_UPDATE;

	btm_pending_reserve(pending);
	mark_savepoint(pending);
	if (kind == BTM_SCYLLA_TRUNCATE)
		truncate_table(pending, cid);
	else if (kind == BTM_SCYLLA_DELETE_PARTITION && pending->table->nclustering > 0)
		delete_partition(pending, cid, values);
	else if (!sets)
		change_row(pending, cid, BTM_SCYLLA_DELETE, values);
	if (sets && pending->has_static && has_cells(pending, values, BTM_SCYLLA_STATIC, CQL_LENGTH_NULL))
		change_static(pending, cid, values);
	if (kind == BTM_SCYLLA_INSERT ||
		(sets && has_cells(pending, values, BTM_SCYLLA_REGULAR, CQL_LENGTH_NULL)))
		change_row(pending, cid, kind, values);
}
