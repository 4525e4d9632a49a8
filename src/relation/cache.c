/*-------------------------------------------------------------------------
 *
 * cache.c
 *	  Per-backend cache of resolved relations.
 *
 * The key is the relation value itself, byte for byte: builders and the input
 * function give equal bytes for equal relations.
 *
 * Invalidation.  An entry goes stale when one of its tables changes, or one
 * that they reference, when anything in the store of saved relations changes
 * (any entry may have come from it), when a schema is renamed, or a type or
 * operator that its SQL text names.  Callbacks only mark; entries are freed at
 * the next look-up.
 * Messages of other sessions are read at each look-up, also in a transaction
 * that holds all its locks already, so that a redefinition takes effect at
 * the next call at every isolation level.
 *
 * Lifetime.  A call pins the entry that it uses.  Triggers may run DDL, or
 * further calls, in the midst of a call; the entry then leaves the cache but
 * is freed only when the last pin goes.  The pin is a reset callback on the
 * call's memory context: it goes on errors, too.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "relation/resolve.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* Entries are found by a hash of their value; a collision evicts. */
typedef struct CacheEntry
{
	uint64		hash;			/* key */
	BtmResolved *rel;
} CacheEntry;

/* A pin of one call. */
typedef struct CachePin
{
	MemoryContextCallback callback;
	BtmResolved *rel;
} CachePin;

int			btm_plan_cache_size = 500;

static HTAB *cache = NULL;
static dlist_head cache_lru = DLIST_STATIC_INIT(cache_lru); /* oldest first */
static int	cache_entries = 0;
static uint64 invalidations = 0;	/* callbacks so far */
static BtmFreePlans free_plans_callback = NULL;

/*
 * Hash of a detoasted relation value.
 */
static uint64
hash_value(const struct varlena *value)
{
	return hash_bytes_extended((const unsigned char *) VARDATA(value),
							   VARSIZE(value) - VARHDRSZ, 0);
}

/*
 * Frees a resolved relation and its plans, which nobody uses any more.
 */
static void
free_resolved(BtmResolved *rel)
{
	Assert(rel->pins == 0 && !rel->cached);
	free_plans_callback(rel);
	MemoryContextDelete(rel->cxt);
}

/*
 * Takes an entry out of the cache; frees it unless a call still uses it.
 */
static void
evict(CacheEntry *entry)
{
	BtmResolved *rel = entry->rel;

	hash_search(cache, &entry->hash, HASH_REMOVE, NULL);
	dlist_delete(&rel->lru);
	cache_entries--;
	rel->cached = false;
	if (rel->pins == 0)
		free_resolved(rel);
}

/*
 * Evicts what was not used for longest until the cache is within its size.
 */
static void
enforce_cache_size(void)
{
	while (cache_entries > btm_plan_cache_size)
	{
		BtmResolved *oldest = dlist_head_element(BtmResolved, lru, &cache_lru);
		uint64		hash = hash_value(oldest->value);

		evict(hash_search(cache, &hash, HASH_FIND, NULL));
	}
}

/*
 * Reset callback of the call's memory context.
 */
static void
unpin(void *arg)
{
	BtmResolved *rel = ((CachePin *) arg)->rel;

	if (--rel->pins == 0 && !rel->cached)
		free_resolved(rel);
}

/*
 * Keeps `rel` for as long as the memory context `owner` lives.
 */
static void
pin(BtmResolved *rel, MemoryContext owner)
{
	CachePin   *pin = MemoryContextAlloc(owner, sizeof(CachePin));

	pin->rel = rel;
	pin->callback.func = unpin;
	pin->callback.arg = pin;
	rel->pins++;
	MemoryContextRegisterResetCallback(owner, &pin->callback);
}

/*
 * Finds a valid entry for this value, or NULL.
 */
static BtmResolved *
cache_find(const struct varlena *value, uint64 hash)
{
	CacheEntry *entry = hash_search(cache, &hash, HASH_FIND, NULL);

	if (entry == NULL)
		return NULL;
	if (entry->rel->stale ||
		VARSIZE(entry->rel->value) != VARSIZE(value) ||
		memcmp(entry->rel->value, value, VARSIZE(value)) != 0)
	{
		evict(entry);
		return NULL;
	}
	dlist_delete(&entry->rel->lru);
	dlist_push_tail(&cache_lru, &entry->rel->lru);
	return entry->rel;
}

/*
 * Puts a resolved relation into the cache.
 *
 * The place may be taken by now: resolving reads the values of filters, which
 * can run anybody's code (a domain's CHECK), and that may have made a call of
 * its own.
 */
static void
cache_add(BtmResolved *rel, uint64 hash)
{
	CacheEntry *entry = hash_search(cache, &hash, HASH_FIND, NULL);

	if (entry != NULL)
		evict(entry);
	entry = hash_search(cache, &hash, HASH_ENTER, NULL);
	entry->rel = rel;
	rel->cached = true;
	dlist_push_tail(&cache_lru, &rel->lru);
	cache_entries++;
	enforce_cache_size();
}

/*
 * Resolves a value.
 */
static BtmResolved *
resolve_value(const struct varlena *value)
{
	BtmRelation *def = btm_relation_from_datum(PointerGetDatum(value));
	uint64		before = invalidations;
	BtmResolved *rel = btm_resolve(def);

	rel->value = MemoryContextAlloc(rel->cxt, VARSIZE(value));
	memcpy(rel->value, value, VARSIZE(value));

	/* Callbacks know only entries of the cache, so this one missed them. */
	rel->stale = invalidations != before;
	return rel;
}

/*
 * Finds or resolves a relation and pins it.
 */
static BtmResolved *
get_pinned(const struct varlena *value, uint64 hash, MemoryContext owner)
{
	BtmResolved *rel = cache_find(value, hash);

	if (rel == NULL)
	{
		rel = resolve_value(value);
		pin(rel, owner);
		if (rel->cacheable)
			cache_add(rel, hash);
	}
	else
		pin(rel, owner);
	return rel;
}

/*
 * The resolved form of a relation value, with the pivot locked.
 *
 * The result is pinned: it stays valid as long as the memory context `owner`
 * does.  The lock is kept until the transaction ends, as a statement's is.
 * Errors: see btm_resolve.
 */
BtmResolved *
btm_cache_get(Datum value, LOCKMODE pivot_lock, MemoryContext owner)
{
	struct varlena *detoasted = PG_DETOAST_DATUM(value);
	uint64		hash = hash_value(detoasted);
	Oid			locked = InvalidOid;

	AcceptInvalidationMessages();
	for (;;)
	{
		BtmResolved *rel = get_pinned(detoasted, hash, owner);
		uint64		before = invalidations;

		/* Resolved under the lock: nobody can have changed the pivot. */
		if (rel->pivot == locked)
			return rel;
		if (OidIsValid(locked))
			UnlockRelationOid(locked, pivot_lock);

		LockRelationOid(rel->pivot, pivot_lock);
		if (!rel->stale && (rel->cached || invalidations == before))
			return rel;

		/* It may have changed before the lock was granted: look again. */
		locked = rel->pivot;
	}
}

/*
 * Marks all entries stale.
 */
static void
mark_all_stale(void)
{
	HASH_SEQ_STATUS status;
	CacheEntry *entry;

	hash_seq_init(&status, cache);
	while ((entry = hash_seq_search(&status)) != NULL)
		entry->rel->stale = true;
}

/*
 * Does a foreign key of the pivot reference this table?  The queries that
 * check them (pivot/bulk.c) name the table and its columns.
 */
static bool
references(const BtmResolved *rel, Oid relid)
{
	for (int i = 0; i < rel->nforeign_keys; i++)
		if (rel->foreign_keys[i].confrelid == relid)
			return true;
	return false;
}

/*
 * Relcache callback: a table, the store, or everything (InvalidOid) changed.
 */
static void
relcache_callback(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS status;
	CacheEntry *entry;

	invalidations++;
	if (cache_entries == 0)
		return;
	if (!OidIsValid(relid) || btm_saved_is_store(relid))
	{
		mark_all_stale();
		return;
	}
	hash_seq_init(&status, cache);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		BtmResolved *rel = entry->rel;

		if (rel->pivot == relid || rel->parent == relid ||
			rel->related == relid || rel->pivot_root == relid ||
			references(rel, relid) ||
			list_member_oid(rel->partitions, relid))
			rel->stale = true;
	}
}

/*
 * Syscache callback of schemas, operators and functions (their volatility
 * matters to the bulk path): rare, so all entries go stale.
 */
static void
syscache_callback(Datum arg, int cacheid, uint32 hashvalue)
{
	invalidations++;
	if (cache_entries > 0)
		mark_all_stale();
}

/*
 * Syscache callback of types: every CREATE TABLE makes types, so entries go
 * stale only if they have a column of just this type.
 */
static void
type_callback(Datum arg, int cacheid, uint32 hashvalue)
{
	HASH_SEQ_STATUS status;
	CacheEntry *entry;

	invalidations++;
	if (cache_entries == 0)
		return;
	hash_seq_init(&status, cache);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		BtmResolved *rel = entry->rel;

		for (int i = 0; i < rel->ncolumns; i++)
			if (hashvalue == 0 ||
				rel->columns[i].type.hashvalue == hashvalue)
				rel->stale = true;
	}
}

/*
 * Sets up the cache; called once, when the library is loaded.
 */
void
btm_cache_init(BtmFreePlans free_plans)
{
	HASHCTL		ctl = {0};

	free_plans_callback = free_plans;
	ctl.keysize = sizeof(uint64);
	ctl.entrysize = sizeof(CacheEntry);
	cache = hash_create("belongs_to_many relations", 64, &ctl,
						HASH_ELEM | HASH_BLOBS);

	DefineCustomIntVariable("belongs_to_many.plan_cache_size",
							"Sets how many plans, and how many relations, a session keeps.",
							NULL,
							&btm_plan_cache_size,
							500, 1, 1000000,
							PGC_USERSET, 0,
							NULL, NULL, NULL);

	CacheRegisterRelcacheCallback(relcache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, syscache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(OPEROID, syscache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(PROCOID, syscache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(TYPEOID, type_callback, (Datum) 0);
}
