/*-------------------------------------------------------------------------
 *
 * sender.h
 *	  Sends mutations of one foreign table.
 *
 * Consecutive mutations of one partition go together in one batch, up to the
 * table's batch_size; batches and single mutations are under way together, up
 * to the server's max_in_flight.  So the order in which they are done is not
 * the order in which they were added: timestamps tell who wins.  TRUNCATE alone
 * has no timestamp: what was added before is done before, and nothing is sent
 * until it is done.
 *
 * Counters have no timestamps either, nor a TTL, and are not batched.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SCYLLA_SENDER_H
#define BTM_SCYLLA_SENDER_H

#include "scylla/mutation.h"

typedef struct BtmScyllaSender BtmScyllaSender;

/*
 * Lives in a context of its own below `context`, and so do its requests: when
 * that goes, after an error as well, answers to come are swallowed, and what
 * waits for its batch to be full is not sent.
 */
extern BtmScyllaSender *btm_scylla_sender_create(BtmScyllaCluster *cluster,
												 const BtmScyllaTable *table,
												 MemoryContext context);
extern void btm_scylla_sender_free(BtmScyllaSender *sender);

/*
 * Values are copied.  Raises what has gone wrong with a mutation that was added
 * before, once all that are under way have been answered: the first error.
 */
extern void btm_scylla_sender_add(BtmScyllaSender *sender,
								  const BtmScyllaMutation *mutation,
								  int64 timestamp_us);

/* Sends what is left, and waits until everything is acknowledged. */
extern void btm_scylla_sender_finish(BtmScyllaSender *sender);

/*
 * The same for all senders that there are: before a scan begins, which is to see
 * what statements, and the one that it is a part of, have written so far.
 */
extern void btm_scylla_finish_senders(void);

/*
 * A timestamp for the next mutation: the clock's, but later than any that this
 * backend was given before.
 */
extern int64 btm_scylla_next_timestamp(void);

/*
 * The prepared statement for mutations of a kind with these columns given (a
 * set of indexes in table->columns[], without the key).  *markers gets an IntList
 * of the indexes that its markers stand for, -1 for the timestamp.
 */
extern const BtmScyllaStatement *btm_scylla_write_statement(BtmScyllaCluster *cluster,
															const BtmScyllaTable *table,
															BtmScyllaMutationKind kind,
															const Bitmapset *given,
															List **markers);

#endif							/* BTM_SCYLLA_SENDER_H */
