/*-------------------------------------------------------------------------
 *
 * mutation.h
 *	  Changes of rows of a foreign table, as they are sent.
 *
 * A mutation says what a row is to be, not what it was: sending it twice does
 * no harm, but for counters.  Which of two mutations of a cell wins is told by
 * their timestamps alone, whatever the order in which they arrive; at the same
 * timestamp a deletion wins.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SCYLLA_MUTATION_H
#define BTM_SCYLLA_MUTATION_H

#include "cql/base.h"
#include "scylla/connection.h"
#include "scylla/table.h"

typedef enum BtmScyllaMutationKind
{
	BTM_SCYLLA_INSERT,			/* the row is there from now on, and cells */
	BTM_SCYLLA_UPDATE,			/* cells only; of counters, what is added */
	BTM_SCYLLA_DELETE,			/* a row */
	BTM_SCYLLA_DELETE_PARTITION,
	BTM_SCYLLA_TRUNCATE			/* all rows */
} BtmScyllaMutationKind;

/*
 * `values` has one for each of table->columns[], as CQL has it on the wire: a
 * value, CQL_LENGTH_NULL (delete the cell) or CQL_LENGTH_UNSET (leave it alone).
 * Of the primary key all are given; for DELETE_PARTITION those of the partition
 * key are, for TRUNCATE none.  Other columns matter to INSERT and UPDATE only.
 */
typedef struct BtmScyllaMutation
{
	BtmScyllaMutationKind kind;
	const CqlBytes *values;
} BtmScyllaMutation;

/*
 * A foreign table that a statement writes to; made once for the statement, or
 * for each of its partitions.
 */
typedef struct BtmScyllaTarget
{
	const BtmScyllaTable *table;
	BtmScyllaCluster *cluster;
	struct BtmScyllaSender *sender; /* of mode 'immediate', or NULL */
	struct BtmScyllaPendingWriter *pending; /* of mode 'commit', or NULL */
} BtmScyllaTarget;

/*
 * write.c decides by the table's write_mode what becomes of a mutation: with
 * 'immediate' it is sent, and btm_scylla_write_end waits until all of them are
 * acknowledged; with 'commit' it is kept until the transaction commits.
 *
 * The target lives in the current memory context, and the table in whatever it
 * was made in.  Values are copied.
 *
 * 0A000 for tables that cannot be written to: without a key in their definition,
 * or with option updatable 'false'.  HV021 if the primary key there is not the
 * one of the definition: deleting by a part of it would delete more rows.
 */
extern BtmScyllaTarget *btm_scylla_write_begin(const BtmScyllaTable *table, Oid userid);
extern void btm_scylla_write(BtmScyllaTarget *target, const BtmScyllaMutation *mutation);
extern void btm_scylla_write_end(BtmScyllaTarget *target);

#endif							/* BTM_SCYLLA_MUTATION_H */
