/*-------------------------------------------------------------------------
 *
 * row.h
 *	  Rows of a statement's result as rows of a foreign table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SCYLLA_ROW_H
#define BTM_SCYLLA_ROW_H

#include "scylla/convert.h"
#include "scylla/table.h"

#include "cql/response.h"
#include "executor/tuptable.h"
#include "nodes/pg_list.h"

typedef struct BtmScyllaRow BtmScyllaRow;

/*
 * For a statement whose result has the columns of these attnums (0: one that is
 * not wanted), in the current memory context.
 */
extern BtmScyllaRow *btm_scylla_row_create(const BtmScyllaTable *table, List *attnums,
										   const CqlMetadata *metadata);

/*
 * Has rows looked at for keys that are not exactly those there (CQL's time is
 * finer, say): a row must not be changed by such a key.
 */
extern void btm_scylla_row_watch_key(BtmScyllaRow *row);

/* Has the last row such a key?  And the error about it (0A000). */
extern bool btm_scylla_row_is_inexact(const BtmScyllaRow *row);
pg_noreturn extern void btm_scylla_row_refuse(const BtmScyllaRow *row);

/* Room for a row's cells. */
extern CqlBytes *btm_scylla_row_cells(BtmScyllaRow *row);

/*
 * The values of a row, by attnum - 1; those that the result has not are null.
 * They are good until the next call.  Errors have the column in their context.
 */
extern void btm_scylla_row_values(BtmScyllaRow *row, const CqlBytes *cells, int natts,
								  Datum *values, bool *isnull);

/* The same into a slot. */
extern void btm_scylla_row_store(BtmScyllaRow *row, const CqlBytes *cells,
								 TupleTableSlot *slot);

#endif							/* BTM_SCYLLA_ROW_H */
