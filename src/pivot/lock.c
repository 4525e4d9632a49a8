/*-------------------------------------------------------------------------
 *
 * lock.c
 *	  The locks that make operations on one parent safe under concurrency.
 *
 * Locks are transaction-level locks of the lock manager, in the space of
 * advisory locks but with a field4 of our own, so that they collide neither
 * with users' advisory locks (1 and 2) nor with other extensions'.  The rest
 * of the tag is a 64-bit hash.  A *parent lock* is keyed by the topmost
 * partition root of the pivot, the columns of the foreign key and their
 * values; a *pair lock* by the columns of both keys, in the order of their
 * names, so that callers from the two sides of a relation meet.
 *
 * Who takes what
 *
 *	- A call that may lock no more than one existing row of its parent, and
 *	  inserts in key order, shares the parent lock: attaching, and detaching
 *	  or updating a single id, with a unique index on the pair.  Whatever
 *	  these do to each other is decided row by row through the index.
 *	- Everything else takes the parent lock exclusively: calls that read and
 *	  then write the difference; calls that lock several existing rows, whose
 *	  order the planner chooses; calls with attributes of several shapes,
 *	  which insert with several statements; any call at REPEATABLE READ and
 *	  above; attaching without a unique index.
 *	- Without a unique index, every pair that may be inserted is locked as
 *	  well, in the order of the lock tags.
 *	- On a foreign pivot no row can be locked and no index decides, so the two
 *	  sides of a relation do not write at the same time.  Each takes a *side
 *	  lock* on the whole pivot, ahead of the parent lock, in one of two modes
 *	  that conflict with each other and not with themselves.  Pair locks are not
 *	  needed then.  So it is on a partitioned pivot with a foreign partition;
 *	  but there pairs are locked, too, for those who write to a partition of it
 *	  by its own name.
 *
 * Two transactions that make one call each cannot deadlock over these locks
 * and the pairs: on one side of a relation they wait for the parent lock first,
 * holding nothing that the other wants; from two sides they have one pair in
 * common.  (What else
 * rows may wait for is not in our hands: a unique index on other columns, a
 * trigger.)  With a unique index four can, two from each side, in a ring of
 * four pairs of which each holds one and waits for the next: a call goes over
 * its rows more than once, so there is no order that all keep to.
 *
 * The snapshot that a statement works under must be taken after the lock.  At
 * READ COMMITTED each statement takes its own.  At REPEATABLE READ and above
 * the transaction's snapshot is older, so the call checks that nobody has
 * changed the parent's rows since (check_snapshot).
 *
 * Escalation: the lock table is shared by everybody and small.  A transaction
 * that would take more than belongs_to_many.max_locks locks on one pivot takes
 * SHARE ROW EXCLUSIVE on the table instead; every writer holds ROW EXCLUSIVE
 * on it, which conflicts.  A call knows beforehand how many locks it needs, so
 * it takes the table before any of them, and gives up the ROW EXCLUSIVE of its
 * own while it waits: two calls that both want the table, or one that wants it
 * and one that waits for its parent's lock, would wait for each other.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "pivot/pivot.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

/*
 * Our space among advisory locks.  pg_locks shows it as objsubid, an int2.
 */
#define BTM_LOCK_FIELD4		19283

/* Locks that this transaction has taken on one pivot. */
typedef struct LockCount
{
	Oid			pivot_root;		/* key */
	int64		taken;
} LockCount;

static int	max_locks = 1000;

/* The first pivot of a transaction, and a table of all others. */
static LockCount first_count = {InvalidOid, 0};
static HTAB *lock_counts = NULL;	/* in TopTransactionContext */

/* --------
 * Counting
 * --------
 */

/*
 * The counts go with the transaction's memory.
 */
static void
forget_lock_counts(void *arg)
{
	first_count.pivot_root = InvalidOid;
	lock_counts = NULL;
}

/*
 * Starts to count, with the first pivot of the transaction.
 */
static void
begin_lock_counts(Oid pivot_root)
{
	MemoryContextCallback *callback;

	callback = MemoryContextAlloc(TopTransactionContext,
								  sizeof(MemoryContextCallback));
	callback->func = forget_lock_counts;
	callback->arg = NULL;
	MemoryContextRegisterResetCallback(TopTransactionContext, callback);
	first_count.pivot_root = pivot_root;
	first_count.taken = 0;
}

static void
create_lock_counts(void)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(LockCount);
	ctl.hcxt = TopTransactionContext;
	lock_counts = hash_create("belongs_to_many lock counts", 8, &ctl,
							  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/*
 * The number of locks taken on a pivot.  Locks that a rolled back savepoint
 * has released are still counted: that escalates early, never late.
 */
static int64 *
lock_count(Oid pivot_root)
{
	bool		found;
	LockCount  *entry;

	if (!OidIsValid(first_count.pivot_root))
		begin_lock_counts(pivot_root);
	if (first_count.pivot_root == pivot_root)
		return &first_count.taken;
	if (lock_counts == NULL)
		create_lock_counts();
	entry = hash_search(lock_counts, &pivot_root, HASH_ENTER, &found);
	if (!found)
		entry->taken = 0;
	return &entry->taken;
}

/* ----
 * Tags
 * ----
 */

/*
 * Hash of a key value under its type and collation.  Types that cannot be
 * hashed give one hash for all values: their parents wait for each other.
 */
static uint64
hash_key_value(BtmKeyColumn *column, Datum value)
{
	if (!OidIsValid(column->hash.fn_oid))
		return 0;
	return DatumGetUInt64(FunctionCall2Coll(&column->hash,
											column->type.collation,
											value, Int64GetDatum(0)));
}

/*
 * Adds a column and its value to a hash.  Columns go by name: attribute
 * numbers of a partition may differ from the root's.
 */
static uint64
combine_column(uint64 hash, BtmKeyColumn *column, Datum value)
{
	uint64		name = hash_bytes_extended((const unsigned char *) column->name,
										   strlen(column->name), 0);

	hash = hash_combine64(hash, name);
	return hash_combine64(hash, hash_key_value(column, value));
}

/*
 * Hash of a parent: the sum over the columns, which is the same in any order.
 */
static uint64
hash_parent(BtmCall *call)
{
	BtmResolved *rel = call->rel;
	uint64		hash = hash_combine64(rel->pivot_root, 0);

	for (int i = 0; i < rel->nfk; i++)
		hash += combine_column(0, &rel->fk[i], call->parent[i]);
	return hash;
}

/*
 * Hash of a pair, likewise.
 */
static uint64
hash_pair(BtmCall *call, const Datum *key)
{
	BtmResolved *rel = call->rel;
	uint64		hash = hash_combine64(rel->pivot_root, 1);

	for (int i = 0; i < rel->nfk; i++)
		hash += combine_column(0, &rel->fk[i], call->parent[i]);
	for (int i = 0; i < rel->nid; i++)
		hash += combine_column(0, &rel->id[i], key[i]);
	return hash;
}

/*
 * The lock tag of a hash.
 */
static LOCKTAG
make_tag(uint64 hash)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (hash >> 32),
						 (uint32) hash, BTM_LOCK_FIELD4);
	return tag;
}

/* ----------
 * Acquiring
 * ----------
 */

/*
 * Does this transaction hold SHARE ROW EXCLUSIVE on the pivot already?
 */
static bool
table_is_locked(Oid pivot_root)
{
	LOCKTAG		tag;

	SET_LOCKTAG_RELATION(tag, MyDatabaseId, pivot_root);
	return LockHeldByMe(&tag, ShareRowExclusiveLock, false);
}

/*
 * Locks the pivot table against all other writers until the transaction ends.
 *
 * The call's own ROW EXCLUSIVE is given up meanwhile; ACCESS SHARE keeps the
 * table as it was resolved.
 */
static void
lock_table(BtmResolved *rel)
{
	LockRelationOid(rel->pivot, AccessShareLock);
	UnlockRelationOid(rel->pivot, RowExclusiveLock);
	LockRelationOid(rel->pivot_root, ShareRowExclusiveLock);
	LockRelationOid(rel->pivot, RowExclusiveLock);
}

/*
 * Gets leave to take `wanted` more locks on a pivot: true, or false if the
 * table is locked instead and no further lock is needed.
 */
static bool
may_take_locks(BtmResolved *rel, int64 wanted)
{
	int64	   *taken = lock_count(rel->pivot_root);

	if (table_is_locked(rel->pivot_root))
		return false;
	if (*taken + wanted > max_locks)
	{
		lock_table(rel);
		return false;
	}
	*taken += wanted;
	return true;
}

static int
compare_hashes(const void *a, const void *b)
{
	uint64		x = *(const uint64 *) a;
	uint64		y = *(const uint64 *) b;

	return x < y ? -1 : x > y;
}

/*
 * Takes the locks of pairs that the call may insert, in tag order.
 */
static void
lock_pairs(BtmCall *call, const BtmKeys *keys)
{
	uint64	   *hashes = palloc(sizeof(uint64) * keys->n);

	for (int64 i = 0; i < keys->n; i++)
		hashes[i] = hash_pair(call, BTM_KEY(keys, i));
	qsort(hashes, keys->n, sizeof(uint64), compare_hashes);
	for (int64 i = 0; i < keys->n; i++)
	{
		LOCKTAG		tag = make_tag(hashes[i]);

		(void) LockAcquire(&tag, ExclusiveLock, false, false);
	}
	pfree(hashes);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/*
 * The names of a key's columns, in order.
 */
static char **
sorted_names(const BtmKeyColumn *columns, int n)
{
	char	  **names = palloc(sizeof(char *) * n);

	for (int i = 0; i < n; i++)
		names[i] = columns[i].name;
	qsort(names, n, sizeof(char *), compare_names);
	return names;
}

/*
 * The mode of the side lock.  Of a relation and its inverse, one takes this
 * mode and one that: keys are compared by the names of their columns, in
 * whatever order the relation has them.
 */
static LOCKMODE
side_mode(const BtmResolved *rel)
{
	char	  **fk = sorted_names(rel->fk, rel->nfk);
	char	  **rk = sorted_names(rel->rk, rel->nrk);

	for (int i = 0; i < rel->nfk && i < rel->nrk; i++)
	{
		int			order = strcmp(fk[i], rk[i]);

		if (order != 0)
			return order < 0 ? ShareLock : RowExclusiveLock;
	}
	return rel->nfk < rel->nrk ? ShareLock : RowExclusiveLock;
}

/*
 * Are pairs to be locked that may be inserted?  Not with an index that decides;
 * nor where all that write the pivot take the side lock, as they do for a
 * foreign table that is no partition.
 */
static bool
has_pair_locks(const BtmResolved *rel)
{
	return !btm_has_arbiter(rel) &&
		!(rel->pivot_kind == RELKIND_FOREIGN_TABLE &&
		  rel->pivot_root == rel->pivot);
}

/*
 * Takes the side lock of a foreign pivot.
 */
static void
lock_side(const BtmResolved *rel)
{
	LOCKTAG		tag = make_tag(hash_combine64(rel->pivot_root, 2));

	(void) LockAcquire(&tag, side_mode(rel), false, false);
}

/*
 * Takes the lock of the call's parent, and those of pairs unless the list is
 * NULL, until the transaction ends.
 *
 * The pivot is locked in ROW EXCLUSIVE mode by the call already; a partition's
 * root is not, so it is here.  Another relation may have locked the parent from
 * the other side.
 */
static void
lock_parent_and_pairs(BtmCall *call, bool exclusive, const BtmKeys *pairs)
{
	BtmResolved *rel = call->rel;
	LOCKMODE	mode = exclusive ? ExclusiveLock : ShareLock;
	LOCKTAG		tag = make_tag(hash_parent(call));
	bool		is_held = LockHeldByMe(&tag, mode, false);

	if (is_held && pairs == NULL && !rel->has_foreign_rows)
		return;
	if (!may_take_locks(rel, (is_held ? 0 : 1) + (pairs ? pairs->n : 0)))
		return;
	if (rel->pivot_root != rel->pivot)
		LockRelationOid(rel->pivot_root, RowExclusiveLock);
	if (rel->has_foreign_rows)
		lock_side(rel);
	if (!is_held)
		(void) LockAcquire(&tag, mode, false, false);
	if (pairs != NULL)
		lock_pairs(call, pairs);
}

/*
 * Takes the lock of the call's parent until the transaction ends.
 */
void
btm_lock_parent(BtmCall *call, bool exclusive)
{
	lock_parent_and_pairs(call, exclusive, NULL);
}

/*
 * Must the call have its parent for itself?  See the top of this file.
 */
static bool
needs_exclusive(BtmCall *call, BtmWriteKind kind, const BtmIds *ids)
{
	if (IsolationUsesXactSnapshot() || !btm_has_arbiter(call->rel))
		return true;
	switch (kind)
	{
		case BTM_WRITE_ATTACH:
			return !btm_ids_have_one_shape(ids);
		case BTM_WRITE_ATTACH_UPDATE:
		case BTM_WRITE_EXISTING:
			return ids->keys.n > 1;
		case BTM_WRITE_ALL:
		case BTM_WRITE_DIFFERENCE:
		case BTM_WRITE_REPLACE:
			break;
	}
	return true;
}

/*
 * Takes the locks that a write needs, and checks at REPEATABLE READ and above
 * that the transaction's snapshot shows the rows as they are.
 *
 * `ids` are those of the call; NULL with BTM_WRITE_ALL, which has none.
 * Called inside an SPI connection.  Errors: 40001, 40P01.
 */
void
btm_lock_for_write(BtmCall *call, BtmWriteKind kind, const BtmIds *ids)
{
	bool		inserts = kind != BTM_WRITE_EXISTING && kind != BTM_WRITE_ALL;
	bool		is_about_all = kind == BTM_WRITE_ALL || kind == BTM_WRITE_REPLACE;
	bool		with_pairs = inserts && has_pair_locks(call->rel);

	lock_parent_and_pairs(call, needs_exclusive(call, kind, ids),
						  with_pairs ? &ids->keys : NULL);
	if (IsolationUsesXactSnapshot())
		call->routine->check_snapshot(call, is_about_all ? NULL : &ids->keys);
}

/*
 * Defines the settings; called once, when the library is loaded.
 */
void
btm_lock_init(void)
{
	DefineCustomIntVariable("belongs_to_many.max_locks",
							"Sets how many locks a transaction takes on one pivot before it locks the table.",
							NULL,
							&max_locks,
							1000, 0, INT_MAX,
							PGC_USERSET, 0,
							NULL, NULL, NULL);
}
