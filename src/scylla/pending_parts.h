/*-------------------------------------------------------------------------
 *
 * pending_parts.h
 *	  Pending changes, as the files that keep, read and write them share them.
 *
 * What has changes is an *item*: the table (item 0: TRUNCATE), a partition (it
 * was deleted, or its static columns have changed), or a row.  Without clustering
 * key a row is its partition, and there are no items of partitions.  An item has
 * *versions*, each with the net effect of all mutations up to it.  A statement
 * sees the newest version whose command came before its snapshot.
 *
 * Versions are in the order in which they came to be, so that those of a savepoint
 * are the last ones: rolling back takes them off, and the items that came with
 * them.
 *
 * Deleting a partition or all rows makes one version, of the partition or the
 * table: versions of rows that are older than that are dead.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SCYLLA_PENDING_PARTS_H
#define BTM_SCYLLA_PENDING_PARTS_H

#include "scylla/pending.h"
#include "scylla/spill.h"

#include "lib/stringinfo.h"

/* No item, no version. */
#define BTM_PENDING_NONE	PG_UINT32_MAX

/* The item of the table itself. */
#define BTM_PENDING_TABLE	0

/* What the net effect on a row is. */
#define BTM_PENDING_DELETED	0x01	/* what is there on the server is deleted ... */
#define BTM_PENDING_MARKER	0x02	/* ... and then the row is inserted */
#define BTM_PENDING_VALUES	0x04	/* ... or a cell set that is not null */

typedef struct BtmPendingVersion
{
	BtmScyllaPiece piece;		/* key and cells, see btm_pending_decode */
	uint32		size;			/* of the piece */
	uint32		item;
	uint32		older;			/* version of the same item */
	uint32		deletion;		/* of a partition or the table: 1 + the number of
								 * the version that deleted it last, or 0 */
	CommandId	cid;
	SubTransactionId subid;
	uint32		flags;			/* BTM_PENDING_*, of a row */
} BtmPendingVersion;

typedef struct BtmPendingItem
{
	uint32		hash;			/* of the key */
	uint32		chain;			/* next item of the bucket */
	uint32		version;		/* the newest */
	uint32		partition;		/* of a row; of a partition itself; else NONE */
	uint32		sibling;		/* of a row: the next row of its partition; of a
								 * partition: its first row */
} BtmPendingItem;

/* Where a savepoint's versions begin. */
typedef struct BtmPendingMark
{
	int			level;			/* of nesting */
	uint32		nversions;		/* before it */
} BtmPendingMark;

/* The changes of one table. */
typedef struct BtmScyllaPending
{
	BtmScyllaCluster *cluster;
	MemoryContext context;		/* of all that is here */
	BtmScyllaTable *table;		/* with the columns of all foreign tables that
								 * write to it */
	int			nkey;
	int		   *key;			/* indexes in table->columns: partition key, then
								 * clustering key */
	bool		has_static;

	uint32		nversions;
	uint32		max_versions;
	BtmPendingVersion *versions;
	uint32		nitems;
	uint32		max_items;
	BtmPendingItem *items;
	uint32		nbuckets;		/* a power of two */
	uint32	   *buckets;
	int			nmarks;
	int			max_marks;
	BtmPendingMark *marks;
} BtmScyllaPending;

/* A row's net effect, as of a snapshot. */
typedef struct BtmPendingState
{
	bool		deleted;		/* what the server has of it does not count */
	bool		live;			/* it is there, even if the server has nothing */
	uint32		version;		/* its cells; NONE: no changes of them */
} BtmPendingState;

/* Sees all versions. */
#define BTM_PENDING_NEWEST	InvalidCommandId

/* pending.c */
extern uint32 btm_pending_hash(const char *key, int size, bool is_partition);
extern void *btm_pending_grow(MemoryContext context, void *array, uint32 *max, uint32 needed,
							  Size size);
extern void btm_pending_link(BtmScyllaPending *pending, uint32 number);
extern void btm_pending_reserve(BtmScyllaPending *pending);
extern BtmScyllaPending *btm_pending_find(const BtmScyllaCluster *cluster,
										  const BtmScyllaTable *table);
extern uint32 btm_pending_visible(const BtmScyllaPending *pending, uint32 item, CommandId before);
extern uint32 btm_pending_deletion(const BtmScyllaPending *pending, uint32 partition,
								   CommandId before);
extern BtmPendingState btm_pending_state(const BtmScyllaPending *pending, uint32 row,
										 CommandId before);
extern uint32 btm_pending_lookup(const BtmScyllaPending *pending, const char *key, int size,
								 bool is_partition);

static inline bool
btm_pending_is_partition(const BtmScyllaPending *pending, uint32 item)
{
	return pending->items[item].partition == item;
}

static inline bool
btm_pending_is_row(const BtmScyllaPending *pending, uint32 item)
{
	return item != BTM_PENDING_TABLE && !btm_pending_is_partition(pending, item);
}

/* pending_bytes.c */
extern void btm_pending_encode_key(const BtmScyllaPending *pending, const CqlBytes *values,
								   bool is_partition, StringInfo bytes);
extern void btm_pending_encode_cells(const BtmScyllaPending *pending, const CqlBytes *values,
									 bool is_static, StringInfo bytes);
extern void btm_pending_decode(const BtmScyllaPending *pending, const uint8 *bytes, uint32 size,
							   bool is_partition, CqlBytes *values);
extern CqlBytes btm_pending_add_counters(CqlBytes a, CqlBytes b);

/* pending_change.c */
extern void btm_pending_change(BtmScyllaPending *pending, CommandId cid,
							   const BtmScyllaMutation *mutation);
extern void btm_pending_take_off(BtmScyllaPending *pending, uint32 left);

/* overlay_static.c: static columns of partitions that a scan has a new row in */
typedef struct BtmScyllaStaticReader BtmScyllaStaticReader;

extern BtmScyllaStaticReader *btm_scylla_static_reader_create(const BtmScyllaPending *pending,
															  int ncells, const int *columns);
extern void btm_scylla_static_read(BtmScyllaStaticReader *reader, uint32 partition,
								   CqlBytes *cells);

/* flush.c */
extern void btm_pending_flush(List *tables);

#endif							/* BTM_SCYLLA_PENDING_PARTS_H */
