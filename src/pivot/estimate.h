/*-------------------------------------------------------------------------
 *
 * estimate.h
 *	  How many rows a parent has, by the statistics of ANALYZE.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_ESTIMATE_H
#define BTM_ESTIMATE_H

#include "pivot/pivot.h"

/* Set up when the library is loaded. */
extern void btm_estimate_init(void);

/* Rows of a table; -1 if nobody has counted them or it is gone. */
extern double btm_table_rows(Oid relid);

/* Different values of a column of a table with nrows rows; 0: unknown. */
extern double btm_distinct_values(Oid relid, AttrNumber attnum, double nrows);

/* So many rows of one parent are worth some trouble in advance. */
#define BTM_MANY_ROWS 1000

/*
 * How many rows does a read of call->parent return, by estimate?  0: fewer
 * than BTM_MANY_ROWS, or nothing is known.
 */
extern double btm_estimate_many_rows(BtmCall *call);

#endif							/* BTM_ESTIMATE_H */
