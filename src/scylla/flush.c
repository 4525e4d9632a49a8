/*-------------------------------------------------------------------------
 *
 * flush.c
 *	  Writes a transaction's pending changes before it commits.
 *
 * Two transactions that change one partition must not commit in one order and
 * win in the other, so timestamps are taken while the partition is locked, until
 * the transaction ends.  Locks are those of the lock manager, in the space of
 * advisory locks but with a field4 of our own; their hash is that of the
 * table's name and the partition key, and they belong to no database, since the
 * table there belongs to none.  Two tables of one name on different servers
 * wait for each other; that does no harm.
 *
 * Locks are taken in the order of their tags, those of tables first, so that two
 * flushes do not wait for each other.  A table of which more than
 * belongs_to_many.max_locks partitions change is locked as a whole, against all
 * who share its lock with those of partitions.
 *
 * All changes of a transaction have one of two timestamps: what is deleted has the
 * first, what is set the second, so that it outlives the deletion.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "scylla/pending_parts.h"
#include "scylla/sender.h"
#include "storage/lock.h"
#include "utils/guc.h"
#include "utils/memutils.h"

/*
 * Our space among advisory locks.  pg_locks shows it as objsubid, an int2.
 */
#define FLUSH_LOCK_FIELD4	19284

/* A lock to be taken. */
typedef struct FlushLock
{
	bool		is_partition;
	LOCKMODE	mode;
	uint64		hash;
} FlushLock;

typedef struct FlushLocks
{
	uint32		count;
	uint32		max;
	FlushLock  *locks;
} FlushLocks;

/* The flush of one table. */
typedef struct Flush
{
	const BtmScyllaPending *pending;
	BtmScyllaSender *sender;
	int64		deleted_at;
	int64		set_at;
	CqlBytes   *values;			/* of a mutation */
	MemoryContext context;		/* of what is read back for a row */
} Flush;

/* -------
 * Locks
 * -------
 */

/* Adds a lock to those that will be taken. */
static void
add_lock(FlushLocks *locks, bool is_partition, LOCKMODE mode, uint64 hash)
{
	FlushLock  *lock;

	locks->locks = btm_pending_grow(CurrentMemoryContext, locks->locks, &locks->max,
									locks->count + 1, sizeof(FlushLock));
	lock = &locks->locks[locks->count++];
	lock->is_partition = is_partition;
	lock->mode = mode;
	lock->hash = hash;
}

/* Hash of a table's name; the seed of its partitions' hashes. */
static uint64
hash_table(const BtmScyllaTable *table)
{
	uint64		keyspace = hash_bytes_extended((const unsigned char *) table->keyspace,
											   strlen(table->keyspace), 0);

	return hash_bytes_extended((const unsigned char *) table->name, strlen(table->name), keyspace);
}

/* Is an item all that changes of one partition: a partition, or a row that is one? */
static bool
is_partition(const BtmScyllaPending *pending, uint32 item)
{
	return btm_pending_is_partition(pending, item) ||
		(item != BTM_PENDING_TABLE && pending->items[item].partition == BTM_PENDING_NONE);
}

/* The hash of the key of a partition that changes. */
static uint64
hash_partition(const BtmScyllaPending *pending, uint32 item, uint64 seed)
{
	const BtmPendingItem *entry = &pending->items[item];
	const BtmPendingVersion *version = &pending->versions
		[entry->version != BTM_PENDING_NONE ? entry->version : pending->items[entry->sibling].version];
	CqlBytes   *values = palloc(sizeof(CqlBytes) * pending->table->ncolumns);
	StringInfoData key;

	btm_pending_decode(pending, btm_scylla_spill_get(version->piece, version->size),
					   version->size, btm_pending_is_partition(pending, version->item), values);
	initStringInfo(&key);
	btm_pending_encode_key(pending, values, true, &key);
	return hash_bytes_extended((const unsigned char *) key.data, key.len, seed);
}

/* Adds a table's locks. */
static void
add_locks(FlushLocks *locks, const BtmScyllaPending *pending)
{
	int			max_locks = atoi(GetConfigOption("belongs_to_many.max_locks", false, false));
	uint64		hash = hash_table(pending->table);
	uint32		count = 0;

	if (pending->nversions == 0)
		return;
	for (uint32 i = 1; i < pending->nitems; i++)
		count += is_partition(pending, i);
	if (count > (uint32) max_locks || pending->items[BTM_PENDING_TABLE].version != BTM_PENDING_NONE)
	{
		add_lock(locks, false, ExclusiveLock, hash);
		return;
	}
	add_lock(locks, false, ShareLock, hash);
	for (uint32 i = 1; i < pending->nitems; i++)
		if (is_partition(pending, i))
			add_lock(locks, true, ExclusiveLock, hash_partition(pending, i, hash));
}

/* The order in which locks are taken: tables, then partitions, by hash. */
static int
compare_locks(const void *a, const void *b)
{
	const FlushLock *left = a;
	const FlushLock *right = b;

	if (left->is_partition != right->is_partition)
		return left->is_partition - right->is_partition;
	return left->hash < right->hash ? -1 : left->hash > right->hash;
}

/* Waits for all locks; they go with the transaction. */
static void
take_locks(List *tables)
{
	FlushLocks	locks = {0};
	ListCell   *lc;

	foreach(lc, tables)
		add_locks(&locks, lfirst(lc));
	qsort(locks.locks, locks.count, sizeof(FlushLock), compare_locks);
	for (uint32 i = 0; i < locks.count; i++)
	{
		LOCKTAG		tag;
		uint64		hash = locks.locks[i].hash;

		SET_LOCKTAG_ADVISORY(tag, InvalidOid, (uint32) (hash >> 32), (uint32) hash,
							 FLUSH_LOCK_FIELD4);
		(void) LockAcquire(&tag, locks.locks[i].mode, false, false);
	}
}

/* -------
 * Mutations
 * -------
 */

/* Hands a mutation with the flush's values to the sender. */
static void
send(Flush *flush, BtmScyllaMutationKind kind, int64 timestamp)
{
	BtmScyllaMutation mutation = {kind, flush->values};

	btm_scylla_sender_add(flush->sender, &mutation, timestamp);
}

/* Reads back what a version says. */
static void
read_values(Flush *flush, const BtmPendingVersion *version)
{
	const BtmScyllaPending *pending = flush->pending;

	btm_pending_decode(pending, btm_scylla_spill_get(version->piece, version->size),
					   version->size, btm_pending_is_partition(pending, version->item),
					   flush->values);
}

/* Cells that are null need not be deleted where all of the row is. */
static void
leave_out_nulls(Flush *flush)
{
	for (int i = 0; i < flush->pending->table->ncolumns; i++)
		if (flush->values[i].length == CQL_LENGTH_NULL)
			flush->values[i].length = CQL_LENGTH_UNSET;
}

/* A row: its deletion, then what is set in it. */
static void
flush_row(Flush *flush, uint32 row)
{
	const BtmScyllaPending *pending = flush->pending;
	BtmPendingState state = btm_pending_state(pending, row, BTM_PENDING_NEWEST);
	const BtmPendingVersion *version;
	bool		is_covered = btm_pending_deletion(pending, pending->items[row].partition,
												  BTM_PENDING_NEWEST) > 0;

	if (state.version == BTM_PENDING_NONE)
		return;					/* its partition is deleted */
	version = &pending->versions[state.version];
	read_values(flush, version);
	if ((version->flags & BTM_PENDING_DELETED) != 0 && !is_covered)
		send(flush, BTM_SCYLLA_DELETE, flush->deleted_at);
	if (state.deleted)
		leave_out_nulls(flush);
	if ((version->flags & BTM_PENDING_MARKER) != 0)
		send(flush, BTM_SCYLLA_INSERT, flush->set_at);
	else
		send(flush, BTM_SCYLLA_UPDATE, flush->set_at);
}

/* The partition itself: whether it is deleted, and its static cells. */
static void
flush_partition(Flush *flush, uint32 partition)
{
	const BtmScyllaPending *pending = flush->pending;
	uint32		newest = pending->items[partition].version;
	uint32		truncated = btm_pending_deletion(pending, BTM_PENDING_NONE, BTM_PENDING_NEWEST);
	bool		deleted;

	if (newest == BTM_PENDING_NONE || newest < truncated)
		return;
	deleted = pending->versions[newest].deletion > truncated;
	read_values(flush, &pending->versions[newest]);
	if (deleted)
		send(flush, BTM_SCYLLA_DELETE_PARTITION, flush->deleted_at);
	if (deleted || truncated > 0)
		leave_out_nulls(flush);
	send(flush, BTM_SCYLLA_UPDATE, flush->set_at);
}

/* All of a table's changes, partition by partition; TRUNCATE comes first. */
static void
flush_items(Flush *flush)
{
	const BtmScyllaPending *pending = flush->pending;

	if (pending->items[BTM_PENDING_TABLE].version != BTM_PENDING_NONE)
		send(flush, BTM_SCYLLA_TRUNCATE, 0);
	for (uint32 i = 1; i < pending->nitems; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(flush->context);

		if (btm_pending_is_partition(pending, i))
		{
			flush_partition(flush, i);
			for (uint32 row = pending->items[i].sibling; row != BTM_PENDING_NONE;
				 row = pending->items[row].sibling)
			{
				flush_row(flush, row);
				MemoryContextReset(flush->context);
			}
		}
		else if (pending->items[i].partition == BTM_PENDING_NONE)
			flush_row(flush, i);
		MemoryContextSwitchTo(old);
		MemoryContextReset(flush->context);
		CHECK_FOR_INTERRUPTS();
	}
}

/* For the context of an error. */
static void
flush_context(void *arg)
{
	const BtmScyllaTable *table = ((const BtmScyllaPending *) arg)->table;

	errcontext("writing the transaction's changes of \"%s\".\"%s\" before commit; some partitions may have been written",
			   table->keyspace, table->name);
}

/* Sends a table's changes, and waits until they are acknowledged. */
static void
flush_table(BtmScyllaPending *pending, int64 deleted_at, int64 set_at)
{
	Flush		flush = {
		.pending = pending,
		.deleted_at = deleted_at,
		.set_at = set_at
	};
	ErrorContextCallback context = {
		.previous = error_context_stack,
		.callback = flush_context,
		.arg = pending
	};

	if (pending->nversions == 0)
		return;
	error_context_stack = &context;
	flush.values = palloc(sizeof(CqlBytes) * pending->table->ncolumns);
	flush.context = AllocSetContextCreate(CurrentMemoryContext, "belongs_to_many Scylla change",
										  ALLOCSET_DEFAULT_SIZES);
	flush.sender = btm_scylla_sender_create(pending->cluster, pending->table,
											CurrentMemoryContext);
	flush_items(&flush);
	btm_scylla_sender_finish(flush.sender);
	btm_scylla_sender_free(flush.sender);
	error_context_stack = context.previous;
}

/*
 * Writes the changes of all tables (a List of BtmScyllaPending), and waits until
 * everything is acknowledged.  The first error of the server is raised.
 */
void
btm_pending_flush(List *tables)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "belongs_to_many Scylla flush",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	int64		deleted_at;
	int64		set_at;
	ListCell   *lc;

	take_locks(tables);
	deleted_at = btm_scylla_next_timestamp();
	set_at = btm_scylla_next_timestamp();
	foreach(lc, tables)
		flush_table(lfirst(lc), deleted_at, set_at);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}
