/*-------------------------------------------------------------------------
 *
 * overlay.h
 *	  The rows of a scan, with this transaction's pending changes in them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SCYLLA_OVERLAY_H
#define BTM_SCYLLA_OVERLAY_H

#include "scylla/mutation.h"

typedef struct BtmScyllaOverlay BtmScyllaOverlay;

/* Puts the server's next row into the scan's cells; false at the end. */
typedef bool (*BtmScyllaFetch) (void *scan);

/*
 * For a scan of a table by its plain statement (overlay_plan.c), in the current
 * memory context; NULL if a snapshot of this command id sees no changes.
 * `attnums` are those of the statement's columns, `order` is its
 * BTM_SCYLLA_PLAIN_ORDER.  0A000 for a foreign table without the whole key.
 */
extern BtmScyllaOverlay *btm_scylla_overlay_create(BtmScyllaCluster *cluster,
												   const BtmScyllaTable *table,
												   CommandId curcid, List *attnums, int order);

/*
 * Begins a (re)scan.  Then say what it reads, before its first row: everything,
 * or partitions, each once, by the values of the partition key in the key's order.
 */
extern void btm_scylla_overlay_begin(BtmScyllaOverlay *overlay);
extern void btm_scylla_overlay_read_all(BtmScyllaOverlay *overlay);
extern void btm_scylla_overlay_read_partition(BtmScyllaOverlay *overlay, const CqlBytes *key);

/*
 * The cells of the next row, by the statement's columns, until the next call; NULL
 * at the end.  `cells` are the scan's, which `fetch` sets.
 */
extern CqlBytes *btm_scylla_overlay_next(BtmScyllaOverlay *overlay, CqlBytes *cells,
										 BtmScyllaFetch fetch, void *scan);

#endif							/* BTM_SCYLLA_OVERLAY_H */
