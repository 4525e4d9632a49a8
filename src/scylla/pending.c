/*-------------------------------------------------------------------------
 *
 * pending.c
 *	  Keeps the changes of foreign tables until the transaction commits.
 *
 * pending_parts.h says how they are kept.  Changes belong to a table on a server
 * as one user mapping reaches it, so that foreign tables that stand for the same
 * table see each other's.  Memory beside the pieces (spill.h) is a small fixed
 * amount for each row and version.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/table.h"
#include "access/xact.h"
#include "common/hashfn.h"
#include "scylla/pending_parts.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

struct BtmScyllaPendingWriter
{
	BtmScyllaPending *pending;
	CommandId	cid;
	const BtmScyllaTable *table;	/* of the statement */
	const BtmScyllaTable *mapped;	/* pending->table, as `columns` are for it */
	int		   *columns;		/* index in the pending table's columns, of each */
	MemoryContext context;		/* of a mutation's values */
};

static List *tables = NIL;		/* of BtmScyllaPending, in TopTransactionContext */
static bool closed = false;		/* what came until now is written, or being */

/* -------
 * Look-up
 * -------
 */

/* The changes of a table; NULL if there never were any in this transaction. */
BtmScyllaPending *
btm_pending_find(const BtmScyllaCluster *cluster, const BtmScyllaTable *table)
{
	ListCell   *lc;

	foreach(lc, tables)
	{
		BtmScyllaPending *pending = lfirst(lc);

		if (pending->cluster == cluster &&
			strcmp(pending->table->keyspace, table->keyspace) == 0 &&
			strcmp(pending->table->name, table->name) == 0)
			return pending;
	}
	return NULL;
}

bool
btm_scylla_has_pending(const BtmScyllaCluster *cluster, const BtmScyllaTable *table)
{
	BtmScyllaPending *pending = btm_pending_find(cluster, table);

	return pending != NULL && pending->nversions > 0;
}

/* The newest version of an item before a command, or NONE. */
uint32
btm_pending_visible(const BtmScyllaPending *pending, uint32 item, CommandId before)
{
	uint32		version = pending->items[item].version;

	while (version != BTM_PENDING_NONE && pending->versions[version].cid >= before)
		version = pending->versions[version].older;
	return version;
}

/* BtmPendingVersion.deletion of an item before a command. */
static uint32
deletion_of(const BtmScyllaPending *pending, uint32 item, CommandId before)
{
	uint32		version = btm_pending_visible(pending, item, before);

	return version == BTM_PENDING_NONE ? 0 : pending->versions[version].deletion;
}

/*
 * Versions of rows with a lower number are dead, since their partition (NONE: no
 * such item) or the table was deleted then.  0: neither was.
 */
uint32
btm_pending_deletion(const BtmScyllaPending *pending, uint32 partition, CommandId before)
{
	uint32		deletion = deletion_of(pending, BTM_PENDING_TABLE, before);

	if (partition != BTM_PENDING_NONE)
		deletion = Max(deletion, deletion_of(pending, partition, before));
	return deletion;
}

/* A row's net effect before a command. */
BtmPendingState
btm_pending_state(const BtmScyllaPending *pending, uint32 row, CommandId before)
{
	uint32		deletion = btm_pending_deletion(pending, pending->items[row].partition, before);
	uint32		version = btm_pending_visible(pending, row, before);
	BtmPendingState state = {deletion > 0, false, BTM_PENDING_NONE};
	uint32		flags;

	if (version == BTM_PENDING_NONE || version < deletion)
		return state;
	flags = pending->versions[version].flags;
	state.deleted |= (flags & BTM_PENDING_DELETED) != 0;
	state.live = (flags & (BTM_PENDING_MARKER | BTM_PENDING_VALUES)) != 0;
	state.version = version;
	return state;
}

/* The hash of an item's key. */
uint32
btm_pending_hash(const char *key, int size, bool is_partition)
{
	return hash_combine(hash_bytes((const unsigned char *) key, size), is_partition);
}

/* Is this the key of an item, or the partition's of a row? */
static bool
has_key(const BtmScyllaPending *pending, uint32 number, const char *key, int size)
{
	const BtmPendingItem *item = &pending->items[number];
	const BtmPendingVersion *version;

	if (item->version == BTM_PENDING_NONE)
		item = &pending->items[item->sibling];
	version = &pending->versions[item->version];
	return version->size >= (uint32) size &&
		memcmp(btm_scylla_spill_get(version->piece, size), key, size) == 0;
}

/* The item of a key, or NONE. */
uint32
btm_pending_lookup(const BtmScyllaPending *pending, const char *key, int size, bool is_partition)
{
	uint32		hash = btm_pending_hash(key, size, is_partition);
	uint32		number = pending->buckets[hash & (pending->nbuckets - 1)];

	while (number != BTM_PENDING_NONE)
	{
		const BtmPendingItem *item = &pending->items[number];

		if (item->hash == hash && btm_pending_is_partition(pending, number) == is_partition &&
			has_key(pending, number, key, size))
			break;
		number = item->chain;
	}
	return number;
}

/* -------
 * Room
 * -------
 */

/* An array with room for `needed` elements. */
void *
btm_pending_grow(MemoryContext context, void *array, uint32 *max, uint32 needed, Size size)
{
	uint32		new_max = Max(*max, 64);

	if (needed <= *max)
		return array;
	while (new_max < needed)
		new_max *= 2;
	array = array == NULL ? MemoryContextAllocHuge(context, new_max * size) :
		repalloc_huge(array, new_max * size);
	*max = new_max;
	return array;
}

/* Puts an item into its bucket. */
void
btm_pending_link(BtmScyllaPending *pending, uint32 number)
{
	uint32	   *bucket = &pending->buckets[pending->items[number].hash & (pending->nbuckets - 1)];

	pending->items[number].chain = *bucket;
	*bucket = number;
}

/*
 * Makes buckets for so many items.  An item comes before older ones in its bucket,
 * so that it is the first when it is taken off.
 */
static void
grow_buckets(BtmScyllaPending *pending, uint32 needed)
{
	uint32		count = Max(pending->nbuckets, 64);

	if (needed <= pending->nbuckets)
		return;
	while (count < needed)
		count *= 2;
	pending->buckets = pending->buckets == NULL ?
		MemoryContextAllocHuge(pending->context, count * sizeof(uint32)) :
		repalloc_huge(pending->buckets, count * sizeof(uint32));
	pending->nbuckets = count;
	memset(pending->buckets, 0xff, count * sizeof(uint32));
	for (uint32 i = BTM_PENDING_TABLE + 1; i < pending->nitems; i++)
		btm_pending_link(pending, i);
}

/* Has room for a mutation's items and versions: nothing can fail then. */
void
btm_pending_reserve(BtmScyllaPending *pending)
{
	if (Max(pending->nversions, pending->nitems) >= BTM_PENDING_NONE / 2 - 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many changes of table \"%s\" in one transaction",
						pending->table->name)));
	pending->items = btm_pending_grow(pending->context, pending->items, &pending->max_items,
									  pending->nitems + 2, sizeof(BtmPendingItem));
	pending->versions = btm_pending_grow(pending->context, pending->versions, &pending->max_versions,
										 pending->nversions + 2, sizeof(BtmPendingVersion));
	grow_buckets(pending, pending->nitems + 2);
}

/* -------
 * Tables
 * -------
 */

/* Sets the indexes of the key's columns. */
static void
set_key(BtmScyllaPending *pending)
{
	BtmScyllaTable *table = pending->table;

	pending->nkey = table->npartition + table->nclustering;
	pending->key = palloc(sizeof(int) * pending->nkey);
	for (int i = 0; i < pending->nkey; i++)
		pending->key[i] = (int) ((i < table->npartition ? table->partition[i] :
								  table->clustering[i - table->npartition]) - table->columns);
}

/* The definition of an open foreign table, in the current memory context. */
static BtmScyllaTable *
read_definition(Oid relid)
{
	Relation	relation = table_open(relid, NoLock);
	BtmScyllaTable *table = btm_scylla_table(relation);

	table_close(relation, NoLock);
	table->keyspace = pstrdup(table->keyspace);
	table->name = pstrdup(table->name);
	return table;
}

/*
 * Takes the definition of an open foreign table for the table's: there are no
 * changes yet, or none any more, after DDL that was rolled back, say.
 */
static void
set_definition(BtmScyllaPending *pending, Oid relid)
{
	MemoryContext old = MemoryContextSwitchTo(pending->context);

	pending->table = read_definition(relid);
	set_key(pending);
	MemoryContextSwitchTo(old);
}

/* Begins the changes of a table. */
static BtmScyllaPending *
create_table(BtmScyllaCluster *cluster, const BtmScyllaTable *table)
{
	MemoryContext context = AllocSetContextCreate(TopTransactionContext,
												  "belongs_to_many Scylla transaction",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	BtmScyllaPending *pending = palloc0(sizeof(BtmScyllaPending));

	pending->cluster = cluster;
	pending->context = context;
	set_definition(pending, table->relid);
	btm_pending_reserve(pending);
	pending->items[0].version = BTM_PENDING_NONE;
	pending->items[0].partition = BTM_PENDING_NONE;
	pending->items[0].sibling = BTM_PENDING_NONE;
	pending->nitems = 1;
	MemoryContextSwitchTo(TopTransactionContext);
	tables = lappend(tables, pending);
	MemoryContextSwitchTo(old);
	return pending;
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

/* Adds columns that only another foreign table has. */
static void
add_columns(BtmScyllaPending *pending, Oid relid)
{
	MemoryContext old = MemoryContextSwitchTo(pending->context);
	BtmScyllaTable *table = pending->table;
	BtmScyllaTable *other = read_definition(relid);
	BtmScyllaColumn *columns = palloc(sizeof(BtmScyllaColumn) *
									  (table->ncolumns + other->ncolumns));

	memcpy(columns, table->columns, sizeof(BtmScyllaColumn) * table->ncolumns);
	for (int i = 0; i < table->npartition; i++)
		table->partition[i] = columns + (table->partition[i] - table->columns);
	for (int i = 0; i < table->nclustering; i++)
		table->clustering[i] = columns + (table->clustering[i] - table->columns);
	table->columns = columns;
	for (int i = 0; i < other->ncolumns; i++)
		if (find_column(table, other->columns[i].name) < 0)
			columns[table->ncolumns++] = other->columns[i];
	MemoryContextSwitchTo(old);
}

/* Changes of a row through two foreign tables are written as one. */
static void
check_options(const BtmScyllaTable *kept, const BtmScyllaTable *table)
{
	if (kept->ttl == table->ttl && kept->consistency == table->consistency &&
		kept->batch_size == table->batch_size)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot write to foreign table \"%s\" in this transaction",
					get_rel_name(table->relid)),
			 errdetail("The transaction has changes of the same table by a foreign table with other options.")));
}

/* Has the table a static column? */
static bool
has_static_columns(const BtmScyllaTable *table)
{
	for (int i = 0; i < table->ncolumns; i++)
		if (table->columns[i].role == BTM_SCYLLA_STATIC)
			return true;
	return false;
}

/* Finds the columns of the statement's table among those of the pending table. */
static void
map_columns(BtmScyllaPendingWriter *writer)
{
	const BtmScyllaTable *table = writer->table;
	BtmScyllaPending *pending = writer->pending;

	for (int i = 0; i < table->ncolumns; i++)
	{
		if (find_column(pending->table, table->columns[i].name) < 0)
			add_columns(pending, table->relid);
		writer->columns[i] = find_column(pending->table, table->columns[i].name);
	}
	pending->has_static = has_static_columns(pending->table);
	writer->mapped = pending->table;
}

BtmScyllaPendingWriter *
btm_scylla_pending_begin(BtmScyllaCluster *cluster, const BtmScyllaTable *table)
{
	BtmScyllaPendingWriter *writer = palloc0(sizeof(BtmScyllaPendingWriter));
	BtmScyllaPending *pending = btm_pending_find(cluster, table);

	if (closed)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot write to foreign table \"%s\" while its changes are being committed",
						get_rel_name(table->relid))));
	if (pending == NULL)
		pending = create_table(cluster, table);
	else if (pending->nversions == 0)
		set_definition(pending, table->relid);
	check_options(pending->table, table);
	writer->pending = pending;
	writer->cid = GetCurrentCommandId(true);
	writer->table = table;
	writer->columns = palloc(sizeof(int) * (table->ncolumns + 1));
	map_columns(writer);
	writer->context = AllocSetContextCreate(CurrentMemoryContext,
											"belongs_to_many Scylla change",
											ALLOCSET_DEFAULT_SIZES);
	return writer;
}

void
btm_scylla_pending_add(BtmScyllaPendingWriter *writer, const BtmScyllaMutation *mutation)
{
	BtmScyllaPending *pending = writer->pending;
	MemoryContext old = MemoryContextSwitchTo(writer->context);
	BtmScyllaMutation own = {mutation->kind, NULL};
	CqlBytes   *values;

	if (writer->mapped != pending->table)
		map_columns(writer);
	values = palloc(sizeof(CqlBytes) * pending->table->ncolumns);
	for (int i = 0; i < pending->table->ncolumns; i++)
		values[i].length = CQL_LENGTH_UNSET;
	if (mutation->kind != BTM_SCYLLA_TRUNCATE)
		for (int i = 0; i < writer->table->ncolumns; i++)
			values[writer->columns[i]] = mutation->values[i];
	own.values = values;
	btm_pending_change(pending, writer->cid, &own);
	MemoryContextSwitchTo(old);
	MemoryContextReset(writer->context);
}

/* -------
 * Ends of transactions
 * -------
 */

/* Are there changes? */
static bool
has_changes(void)
{
	ListCell   *lc;

	foreach(lc, tables)
		if (((BtmScyllaPending *) lfirst(lc))->nversions > 0)
			return true;
	return false;
}

/* A savepoint's changes are its parent's from now on. */
static void
hand_to_parent(BtmScyllaPending *pending, int level)
{
	if (pending->nmarks == 0 || pending->marks[pending->nmarks - 1].level < level)
		return;
	if (level == 2 ||
		(pending->nmarks > 1 && pending->marks[pending->nmarks - 2].level == level - 1))
		pending->nmarks--;
	else
		pending->marks[pending->nmarks - 1].level = level - 1;
}

/* A savepoint's changes have not been. */
static void
roll_back(BtmScyllaPending *pending, int level)
{
	while (pending->nmarks > 0 && pending->marks[pending->nmarks - 1].level >= level)
		btm_pending_take_off(pending, pending->marks[--pending->nmarks].nversions);
}

/* Subtransaction callback. */
static void
end_of_subtransaction(SubXactEvent event, SubTransactionId subid, SubTransactionId parent,
					  void *arg)
{
	ListCell   *lc;

	foreach(lc, tables)
	{
		if (event == SUBXACT_EVENT_COMMIT_SUB)
			hand_to_parent(lfirst(lc), GetCurrentTransactionNestLevel());
		else if (event == SUBXACT_EVENT_ABORT_SUB)
			roll_back(lfirst(lc), GetCurrentTransactionNestLevel());
	}
}

/* Everything is written before PostgreSQL commits, or nothing commits. */
static void
write_changes(void)
{
	if (!has_changes())
		return;
	closed = true;
	btm_pending_flush(tables);
}

/* Transaction callback: errors are raised before the commit only. */
static void
end_of_transaction(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			write_changes();
			btm_scylla_spill_end();
			break;
		case XACT_EVENT_PRE_PREPARE:
			if (has_changes())
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot PREPARE a transaction that has changed foreign tables of a Scylla server")));
			btm_scylla_spill_end();
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			tables = NIL;
			closed = false;
			btm_scylla_spill_forget();
			break;
		case XACT_EVENT_PARALLEL_PRE_COMMIT:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_PARALLEL_ABORT:
			break;
	}
}

void
btm_scylla_pending_init(void)
{
	btm_scylla_spill_init();
	RegisterXactCallback(end_of_transaction, NULL);
	RegisterSubXactCallback(end_of_subtransaction, NULL);
}
