/*-------------------------------------------------------------------------
 *
 * saved.h
 *	  What the files about saved relations share among themselves.
 *
 * saved_store.c reads and writes the rows of the store, saved_cache.c remembers
 * which rows a name has, saved.c looks saved relations up, saved_commands.c
 * creates and drops them.  The rest of the extension uses relation.h only.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SAVED_H
#define BTM_SAVED_H

#include "relation/relation.h"

#include "storage/itemptr.h"

/* A row of the store; see btm_store_next for how long it is valid. */
typedef struct BtmStoreRow
{
	ItemPointerData tid;
	int64		id;
	char	   *name;
	BtmRelation *definition;
} BtmStoreRow;

typedef struct BtmStoreScan BtmStoreScan;

/* Where a pivot table is. */
typedef struct BtmPivotPlace
{
	Oid			relid;			/* key */
	Oid			namespaceId;	/* InvalidOid: to be looked up */
} BtmPivotPlace;

/* A row of the store, as far as names go. */
typedef struct BtmNamedRow
{
	int64		id;
	BtmTable	pivot;
	BtmPivotPlace *place;		/* NULL: known by name only */
} BtmNamedRow;

/* All rows of one name. */
typedef struct BtmNamedRows
{
	char		name[NAMEDATALEN];	/* key */
	int			n;
	BtmNamedRow *rows;
} BtmNamedRows;

/* ---- saved_store.c ---- */

extern BtmStoreScan *btm_store_scan_all(void);
extern BtmStoreScan *btm_store_scan_id(int64 id);
extern BtmStoreScan *btm_store_scan_name(const char *name);
extern bool btm_store_next(BtmStoreScan *scan, BtmStoreRow *row);
extern void btm_store_end(BtmStoreScan *scan);
extern void btm_store_insert(const char *name, const BtmRelation *definition);
extern void btm_store_update(int64 id, const char *name,
							 const BtmRelation *definition);
extern void btm_store_delete(int64 id);
extern void btm_store_delete_where(BtmStoreScan *scan,
								   bool (*condition) (const BtmStoreRow *row,
													  void *arg),
								   void *arg);

/* ---- saved_cache.c ---- */

extern const BtmNamedRows *btm_saved_rows_named(const char *name);
extern Oid	btm_saved_row_namespace(const BtmNamedRow *row);

/* ---- saved.c ---- */

extern Oid	btm_saved_table(const BtmTable *table);
extern Oid	btm_saved_table_namespace(const BtmTable *table);
extern bool btm_saved_present(const BtmRelation *definition);
extern BtmSavedRelation *btm_saved_in_namespace(Oid namespaceId,
												const char *name);
extern char *btm_saved_display_name(const char *schema, const char *name);
pg_noreturn extern void btm_saved_missing(const char *schema,
										  const char *name);

#endif							/* BTM_SAVED_H */
