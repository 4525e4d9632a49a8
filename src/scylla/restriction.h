/*-------------------------------------------------------------------------
 *
 * restriction.h
 *	  Conditions on a foreign table that CQL can check as SQL does.
 *
 * A comparison of rows, (a, b) > (1, 2), is a restriction for each column, one
 * after the other in every list.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SCYLLA_RESTRICTION_H
#define BTM_SCYLLA_RESTRICTION_H

#include "scylla/table.h"

#include "nodes/pathnodes.h"

typedef enum BtmScyllaOperator
{
	BTM_SCYLLA_EQ,
	BTM_SCYLLA_IN,				/* = ANY (array) */
	BTM_SCYLLA_LT,
	BTM_SCYLLA_LE,
	BTM_SCYLLA_GT,
	BTM_SCYLLA_GE
} BtmScyllaOperator;

typedef struct BtmScyllaRestriction
{
	BtmScyllaColumn *column;
	BtmScyllaOperator op;
	Expr	   *value;			/* without columns of this table; an array for IN */
	Oid			value_type;		/* of the value, of an element for IN */
	bool		exact;			/* nothing is left to be checked here */
	int			row_size;		/* 0: no comparison of rows; else its columns, and */
	int			row_place;		/* which of them this is, from 0 */
	RestrictInfo *rinfo;		/* or NULL */
	Expr	   *clause;
} BtmScyllaRestriction;

/*
 * What a clause restricts, a List; NIL if CQL has nothing for it.  A restriction
 * that is not exact lets rows through that the clause does not, and never keeps
 * one back.
 */
extern List *btm_scylla_restrictions(PlannerInfo *root, RelOptInfo *rel,
									 const BtmScyllaTable *table, Expr *clause,
									 RestrictInfo *rinfo);

/* May CQL's order of the column's values be taken for that of a collation? */
extern bool btm_scylla_same_order(const BtmScyllaColumn *column, Oid collation);

/*
 * The restrictions among `candidates` that make one query, in the order of its
 * markers: all of the partition key, then a prefix of the clustering key by
 * equality and a range.  If the partition key is not restricted wholly, an indexed
 * column that is equal to something; or NIL.
 * Where the table's option allows filtering, the others follow, and *filtering
 * says that there are any.
 */
extern List *btm_scylla_choose(const BtmScyllaTable *table, List *candidates,
							   bool *filtering);

/* Do the restrictions name partitions, rather than filter the whole table? */
extern bool btm_scylla_names_partitions(const BtmScyllaTable *table, List *chosen);

/* Is a secondary index what finds the rows? */
extern bool btm_scylla_uses_index(const BtmScyllaTable *table, List *chosen);

/* The clauses (of RestrictInfos) that the server does not check wholly. */
extern List *btm_scylla_local_clauses(List *clauses, List *chosen);

/* Is the partition key given by equality alone, so that there is one partition? */
extern bool btm_scylla_one_partition(const BtmScyllaTable *table, List *chosen);

/* How many columns of the clustering key are given by equality. */
extern int	btm_scylla_fixed_clustering(const BtmScyllaTable *table, List *chosen);

#endif							/* BTM_SCYLLA_RESTRICTION_H */
