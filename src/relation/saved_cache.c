/*-------------------------------------------------------------------------
 *
 * saved_cache.c
 *	  Per-backend cache of which saved relations a name has, and where.
 *
 * A name is looked up for every literal that a client sends.  With a schema
 * per tenant it has as many rows as there are tenants, and each of them may be
 * the one, since its schema is that of its pivot table now.  So the cache
 * keeps for each row its id and the schema of its pivot table; definitions are
 * read from the store when a row has been chosen.
 *
 * The whole cache is dropped when the store changes.  When a pivot table
 * changes (it may have been moved), its schema is forgotten and looked up
 * again.  The callback only marks: memory is freed at the next look-up.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "relation/saved.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

static MemoryContext cache_cxt = NULL;	/* owns all of the below */
static HTAB *names = NULL;		/* of BtmNamedRows */
static HTAB *places = NULL;		/* of BtmPivotPlace */
static Oid	cached_store = InvalidOid;	/* what it was read from */
static bool cache_valid = false;

/*
 * Relcache callback: a table, the store, or everything (InvalidOid) changed.
 */
static void
relcache_callback(Datum arg, Oid relid)
{
	BtmPivotPlace *place;

	if (!OidIsValid(relid) || btm_saved_is_store(relid))
		cache_valid = false;
	if (places == NULL)
		return;
	place = hash_search(places, &relid, HASH_FIND, NULL);
	if (place != NULL)
		place->namespaceId = InvalidOid;
}

/*
 * Creates a table of the cache.
 */
static HTAB *
create_table(const char *tabname, Size keysize, Size entrysize, int flags)
{
	HASHCTL		ctl = {0};

	ctl.keysize = keysize;
	ctl.entrysize = entrysize;
	ctl.hcxt = cache_cxt;
	return hash_create(tabname, 64, &ctl, HASH_ELEM | HASH_CONTEXT | flags);
}

/*
 * Creates the cache, empty.  Its tables vanish together with their memory.
 */
static void
reset_cache(Oid store)
{
	names = NULL;
	places = NULL;
	if (cache_cxt == NULL)
	{
		cache_cxt = AllocSetContextCreate(CacheMemoryContext,
										  "belongs_to_many names",
										  ALLOCSET_DEFAULT_SIZES);
		CacheRegisterRelcacheCallback(relcache_callback, (Datum) 0);
	}
	MemoryContextReset(cache_cxt);
	names = create_table("belongs_to_many names", NAMEDATALEN,
						 sizeof(BtmNamedRows), HASH_STRINGS);
	places = create_table("belongs_to_many places", sizeof(Oid),
						  sizeof(BtmPivotPlace), HASH_BLOBS);
	cached_store = store;
	cache_valid = true;
}

/*
 * Hears what other sessions have changed, and drops the cache if that was the
 * store.
 */
static void
refresh_cache(void)
{
	Oid			store;

	AcceptInvalidationMessages();
	store = btm_saved_store_oid();
	if (names == NULL || places == NULL || !cache_valid ||
		cached_store != store)
		reset_cache(store);
}

/*
 * The place of a pivot table in the cache, or NULL if it has no OID.
 */
static BtmPivotPlace *
place_of(const BtmTable *pivot)
{
	BtmPivotPlace *place;
	bool		found;

	if (!OidIsValid(pivot->oid))
		return NULL;
	place = hash_search(places, &pivot->oid, HASH_ENTER, &found);
	if (!found)
		place->namespaceId = InvalidOid;
	return place;
}

/*
 * Fills a row of the cache from one of the store.
 */
static void
cache_row(BtmNamedRow *cached, const BtmStoreRow *row)
{
	const BtmTable *pivot = &row->definition->pivot;

	cached->id = row->id;
	cached->place = place_of(pivot);
	cached->pivot = *pivot;
	if (pivot->schema != NULL)
		cached->pivot.schema = MemoryContextStrdup(cache_cxt, pivot->schema);
	if (pivot->name != NULL)
		cached->pivot.name = MemoryContextStrdup(cache_cxt, pivot->name);
}

/*
 * Reads the rows of a name from the store into the cache's memory.
 */
static void
load_rows(const char *name, BtmNamedRows *result)
{
	BtmStoreScan *scan = btm_store_scan_name(name);
	int			max = 4;
	BtmStoreRow row;

	result->n = 0;
	result->rows = MemoryContextAlloc(cache_cxt, sizeof(BtmNamedRow) * max);
	while (btm_store_next(scan, &row))
	{
		if (result->n == max)
		{
			max *= 2;
			result->rows = repalloc(result->rows, sizeof(BtmNamedRow) * max);
		}
		cache_row(&result->rows[result->n++], &row);
	}
	btm_store_end(scan);
}

/*
 * The rows of a name.  The result is valid until the next call.  Names that
 * nobody has are not kept, since there is no end of them.
 */
const BtmNamedRows *
btm_saved_rows_named(const char *name)
{
	static const BtmNamedRows none = {{0}, 0, NULL};
	BtmNamedRows *entry;
	BtmNamedRows loaded;

	refresh_cache();
	entry = hash_search(names, name, HASH_FIND, NULL);
	if (entry != NULL)
		return entry;

	load_rows(name, &loaded);
	if (loaded.n == 0)
	{
		pfree(loaded.rows);
		return &none;
	}
	entry = hash_search(names, name, HASH_ENTER, NULL);
	entry->n = loaded.n;
	entry->rows = loaded.rows;
	return entry;
}

/*
 * The schema that a row's pivot table is in now, or InvalidOid if the table is
 * gone.
 */
Oid
btm_saved_row_namespace(const BtmNamedRow *row)
{
	BtmPivotPlace *place = row->place;

	if (place == NULL)
		return btm_saved_table_namespace(&row->pivot);
	if (!OidIsValid(place->namespaceId))
		place->namespaceId = get_rel_namespace(place->relid);
	return place->namespaceId;
}
