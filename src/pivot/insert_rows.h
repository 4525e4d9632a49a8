/*-------------------------------------------------------------------------
 *
 * insert_rows.h
 *	  Rows are put into the pivot without a statement.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_INSERT_ROWS_H
#define BTM_INSERT_ROWS_H

#include "pivot/pivot.h"

typedef struct BtmRowInserter BtmRowInserter;

/*
 * Prepares to insert the pairs of these ids without a trigger for any of them.
 * Returns NULL where only a statement can do that.
 *
 * It is for the bulk path, in a subtransaction: what goes wrong is rolled back,
 * and tried again by statements alone.  Privileges, and whether the session may
 * write at all, are checked by a statement that inserts the first of the rows.
 */
extern BtmRowInserter *btm_row_inserter_open(BtmCall *call, const BtmIds *ids);

/* Inserts the rows of those ids, from the one with this number on. */
extern void btm_row_inserter_run(BtmRowInserter *inserter, int64 first);

extern void btm_row_inserter_close(BtmRowInserter *inserter);

#endif							/* BTM_INSERT_ROWS_H */
