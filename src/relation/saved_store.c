/*-------------------------------------------------------------------------
 *
 * saved_store.c
 *	  The table that holds saved relations: finding, reading, writing it.
 *
 * Users hold no right to write to the store.  Its rows are read and written
 * below SPI, as those of a system catalog are: reads take a catalog snapshot,
 * which is always the latest, so that a redefinition is seen at once at every
 * isolation level, in parallel workers and on a standby; writes go through
 * the catalog's functions, which keep the indexes up to date.
 *
 * Every change sends a relcache invalidation of the store.  That is what
 * everything derived from its rows depends on: the cache of names
 * (saved_cache.c) and the cache of resolved relations (cache.c).  Rows that
 * are changed in other ways, by a restore or by a superuser's own SQL, send it
 * through the trigger btm_store_changed.
 *
 * Ids are drawn at random from 62 bits.  A sequence would have to be dumped
 * and restored in step with the rows, and after a restore into a database
 * that has rows already it would hand out ids that are taken.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_extension.h"
#include "commands/trigger.h"
#include "relation/saved.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#define STORE_NAME			"belongs_to_many_store"
#define STORE_ID_INDEX		"belongs_to_many_store_pkey"
#define STORE_NAME_INDEX	"belongs_to_many_store_name_idx"

/* Columns of the store. */
#define Anum_store_id		1
#define Anum_store_name		2
#define Anum_store_relation 3
#define Natts_store			3

/* A scan in progress; `store` is NULL where there is no store to scan. */
struct BtmStoreScan
{
	Relation	store;
	SysScanDesc scan;
	MemoryContext rowcxt;		/* reset before each row; NULL: rows stay */
};

static Oid	store_oid = InvalidOid; /* the last one known */

BTM_FUNCTION(btm_store_changed);

/* --------
 * Finding the store
 * --------
 */

/*
 * Schema of the extension, or InvalidOid if it is not installed.
 */
static Oid
extension_namespace(void)
{
	Relation	rel = table_open(ExtensionRelationId, AccessShareLock);
	Oid			result = InvalidOid;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber,
				F_NAMEEQ, CStringGetDatum("belongs_to_many"));
	scan = systable_beginscan(rel, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		result = ((Form_pg_extension) GETSTRUCT(tuple))->extnamespace;
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

/*
 * OID of the store, or InvalidOid while there is none: pg_upgrade creates the
 * objects of an extension one by one, and the input function may be called
 * for a view's constant before it has come to the store.
 *
 * Looks into the catalogs, so it must not be called from a callback.
 */
Oid
btm_saved_store_oid(void)
{
	Oid			namespaceId;

	if (OidIsValid(store_oid) &&
		SearchSysCacheExists1(RELOID, ObjectIdGetDatum(store_oid)))
		return store_oid;

	namespaceId = extension_namespace();
	store_oid = OidIsValid(namespaceId) ?
		get_relname_relid(STORE_NAME, namespaceId) : InvalidOid;
	return store_oid;
}

/*
 * Is this the store, as last seen?  Looks nothing up; for callbacks.
 */
bool
btm_saved_is_store(Oid relid)
{
	return OidIsValid(relid) && relid == store_oid;
}

/* --------
 * Reading
 * --------
 */

/*
 * Begins a scan of the store, through the named index if it exists.  The
 * scan belongs to CurrentMemoryContext and ends with btm_store_end, or with
 * the transaction on error.
 */
static BtmStoreScan *
scan_begin(const char *index, int nkeys, ScanKey key)
{
	BtmStoreScan *scan = palloc0(sizeof(BtmStoreScan));
	Oid			relid = btm_saved_store_oid();
	Oid			index_oid = InvalidOid;

	if (!OidIsValid(relid))
		return scan;

	scan->store = table_open(relid, AccessShareLock);
	if (index != NULL)
		index_oid = get_relname_relid(index,
									  RelationGetNamespace(scan->store));
	scan->scan = systable_beginscan(scan->store, index_oid,
									OidIsValid(index_oid), NULL, nkeys, key);
	return scan;
}

/*
 * Lets each row of a scan replace the one before.
 */
static BtmStoreScan *
one_row_at_a_time(BtmStoreScan *scan)
{
	scan->rowcxt = AllocSetContextCreate(CurrentMemoryContext,
										 "belongs_to_many saved relation",
										 ALLOCSET_SMALL_SIZES);
	return scan;
}

/*
 * Begins a scan of all rows; see scan_begin.
 */
BtmStoreScan *
btm_store_scan_all(void)
{
	return one_row_at_a_time(scan_begin(NULL, 0, NULL));
}

/*
 * Begins a scan of the row with this id; see scan_begin.  The row outlives the
 * scan.
 */
BtmStoreScan *
btm_store_scan_id(int64 id)
{
	ScanKeyData key;

	ScanKeyInit(&key, Anum_store_id, BTEqualStrategyNumber, F_INT8EQ,
				Int64GetDatum(id));
	return scan_begin(STORE_ID_INDEX, 1, &key);
}

/*
 * Begins a scan of the rows of this name, in any schema; see scan_begin.
 */
BtmStoreScan *
btm_store_scan_name(const char *name)
{
	ScanKeyData key;
	Name		value = palloc(NAMEDATALEN);	/* lives as long as the scan */

	namestrcpy(value, name);
	ScanKeyInit(&key, Anum_store_name, BTEqualStrategyNumber, F_NAMEEQ,
				NameGetDatum(value));
	return one_row_at_a_time(scan_begin(STORE_NAME_INDEX, 1, &key));
}

/*
 * Reads the next row.  Returns false at the end.  What `row` points at is gone
 * with the next row, except in a scan by id, where it belongs to
 * CurrentMemoryContext.
 */
bool
btm_store_next(BtmStoreScan *scan, BtmStoreRow *row)
{
	HeapTuple	tuple;
	Datum		values[Natts_store];
	bool		nulls[Natts_store];
	MemoryContext oldcxt;

	if (scan->store == NULL)
		return false;
	tuple = systable_getnext(scan->scan);
	if (!HeapTupleIsValid(tuple))
		return false;

	if (scan->rowcxt != NULL)
		MemoryContextReset(scan->rowcxt);
	oldcxt = MemoryContextSwitchTo(scan->rowcxt ? scan->rowcxt :
								   CurrentMemoryContext);
	heap_deform_tuple(tuple, RelationGetDescr(scan->store), values, nulls);
	row->tid = tuple->t_self;
	row->id = DatumGetInt64(values[Anum_store_id - 1]);
	row->name = pstrdup(NameStr(*DatumGetName(values[Anum_store_name - 1])));
	row->definition = btm_relation_from_datum(values[Anum_store_relation - 1]);
	MemoryContextSwitchTo(oldcxt);
	return true;
}

/*
 * Ends a scan and frees it; with it the last row, except in a scan by id.
 */
void
btm_store_end(BtmStoreScan *scan)
{
	if (scan->store != NULL)
	{
		systable_endscan(scan->scan);
		table_close(scan->store, AccessShareLock);
	}
	if (scan->rowcxt != NULL)
		MemoryContextDelete(scan->rowcxt);
	pfree(scan);
}

/* --------
 * Writing
 * --------
 */

/*
 * Opens the store for writing; the lock is kept until the transaction ends.
 */
static Relation
open_for_write(void)
{
	Oid			relid = btm_saved_store_oid();

	if (!OidIsValid(relid))
		elog(ERROR, "table \"%s\" is missing", STORE_NAME);
	return table_open(relid, RowExclusiveLock);
}

/*
 * Closes the store after a change, and makes the change known.
 */
static void
close_changed(Relation store)
{
	CacheInvalidateRelcache(store);
	table_close(store, NoLock);
	CommandCounterIncrement();
}

/*
 * Makes a row of the store.
 */
static HeapTuple
form_row(Relation store, int64 id, const char *name,
		 const BtmRelation *definition)
{
	Datum		values[Natts_store];
	bool		nulls[Natts_store] = {false};
	NameData	namedata;

	namestrcpy(&namedata, name);
	values[Anum_store_id - 1] = Int64GetDatum(id);
	values[Anum_store_name - 1] = NameGetDatum(&namedata);
	values[Anum_store_relation - 1] = btm_relation_to_datum(definition);
	return heap_form_tuple(RelationGetDescr(store), values, nulls);
}

/*
 * Finds the row of this id, the name of which the caller has locked.
 */
static ItemPointerData
find_tid(int64 id)
{
	BtmStoreScan *scan = btm_store_scan_id(id);
	BtmStoreRow row;

	if (!btm_store_next(scan, &row))
		elog(ERROR, "saved relation " INT64_FORMAT " is missing", id);
	btm_store_end(scan);
	return row.tid;
}

/*
 * A new id.  0 is never one: it means "not bound" in references.
 */
static int64
draw_id(void)
{
	uint64		id;

	do
	{
		if (!pg_strong_random(&id, sizeof(id)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate an id for the saved relation")));
		id >>= 2;
	} while (id == 0);
	return (int64) id;
}

/*
 * Adds a row.
 */
void
btm_store_insert(const char *name, const BtmRelation *definition)
{
	Relation	store = open_for_write();

	CatalogTupleInsert(store, form_row(store, draw_id(), name, definition));
	close_changed(store);
}

/*
 * Gives the row of this id, which keeps its name, another definition.
 */
void
btm_store_update(int64 id, const char *name, const BtmRelation *definition)
{
	Relation	store = open_for_write();
	ItemPointerData tid = find_tid(id);

	CatalogTupleUpdate(store, &tid, form_row(store, id, name, definition));
	close_changed(store);
}

/*
 * Deletes the row of this id.
 */
void
btm_store_delete(int64 id)
{
	Relation	store = open_for_write();
	ItemPointerData tid = find_tid(id);

	CatalogTupleDelete(store, &tid);
	close_changed(store);
}

/*
 * Deletes a row unless another transaction is changing it.
 */
static bool
delete_unless_busy(Relation store, ItemPointer tid)
{
	TM_FailureData failure;

	return table_tuple_delete(store, tid, GetCurrentCommandId(true),
							  InvalidSnapshot, InvalidSnapshot, false,
							  &failure, false) == TM_Ok;
}

/*
 * Deletes the rows of a scan that satisfy `condition`, and ends the scan.
 * Nobody holds a lock on their names, so rows that another transaction is
 * about to change or to delete are left to it.
 */
void
btm_store_delete_where(BtmStoreScan *scan,
					   bool (*condition) (const BtmStoreRow *row, void *arg),
					   void *arg)
{
	Relation	store = open_for_write();
	bool		changed = false;
	BtmStoreRow row;

	while (btm_store_next(scan, &row))
		if (condition(&row, arg))
			changed |= delete_unless_busy(store, &row.tid);
	btm_store_end(scan);

	if (changed)
		close_changed(store);
	else
		table_close(store, NoLock);
}

/*
 * Trigger on the store: sends the invalidation for changes that are made by
 * any other means than the functions above.
 */
Datum
btm_store_changed(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function was not called by trigger manager")));
	CacheInvalidateRelcache(((TriggerData *) fcinfo->context)->tg_relation);
	return PointerGetDatum(NULL);
}
