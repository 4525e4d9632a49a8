/*-------------------------------------------------------------------------
 *
 * pending.h
 *	  Changes of foreign tables that this transaction has made and not written
 *	  yet (write_mode 'commit').
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SCYLLA_PENDING_H
#define BTM_SCYLLA_PENDING_H

#include "scylla/mutation.h"

/*
 * Has the transaction changes of this table?  Then what the server answers is
 * not all: the plain statement of a scan must be run (overlay_plan.c), without
 * limit and aggregates, and be merged with them (overlay.h).
 */
extern bool btm_scylla_has_pending(const BtmScyllaCluster *cluster,
								   const BtmScyllaTable *table);

/* A statement that writes to a table. */
typedef struct BtmScyllaPendingWriter BtmScyllaPendingWriter;

/*
 * In the current memory context.  `table` is the definition of a foreign table
 * that is open.  Other foreign tables of the same table there share its changes;
 * 0A000 if their options say that these are to be written otherwise.
 */
extern BtmScyllaPendingWriter *btm_scylla_pending_begin(BtmScyllaCluster *cluster,
														const BtmScyllaTable *table);

/* Keeps a mutation, as a part of the command that began the writer. */
extern void btm_scylla_pending_add(BtmScyllaPendingWriter *writer,
								   const BtmScyllaMutation *mutation);

/* Defines the setting, and registers for the ends of transactions. */
extern void btm_scylla_pending_init(void);

#endif							/* BTM_SCYLLA_PENDING_H */
