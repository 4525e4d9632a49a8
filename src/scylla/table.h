/*-------------------------------------------------------------------------
 *
 * table.h
 *	  What a foreign table's definition says of the table in Cassandra.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SCYLLA_TABLE_H
#define BTM_SCYLLA_TABLE_H

#include "cql/type.h"
#include "scylla/schema.h"

#include "access/attnum.h"
#include "utils/relcache.h"

typedef enum BtmScyllaWriteMode
{
	BTM_SCYLLA_AT_COMMIT,		/* kept until the transaction commits */
	BTM_SCYLLA_IMMEDIATE		/* sent by each statement */
} BtmScyllaWriteMode;

typedef struct BtmScyllaColumn
{
	AttrNumber	attnum;
	char	   *name;			/* in the database's encoding; as it is there */
	BtmScyllaRole role;
	int			position;		/* within the key, from 0 */
	bool		descending;		/* of a clustering key */
	bool		indexed;		/* equality is looked up in a secondary index */
	const CqlType *cql;			/* of option cql_type, or of the type here */
	Oid			type;			/* here */
	int32		typmod;
	Oid			collation;
} BtmScyllaColumn;

typedef struct BtmScyllaTable
{
	Oid			relid;
	Oid			serverid;
	char	   *keyspace;
	char	   *name;
	int			ncolumns;
	BtmScyllaColumn *columns;	/* those not dropped nor computed here when they
								 * are read, in order of attnum */
	int			npartition;
	BtmScyllaColumn **partition;	/* in the key's order */
	int			nclustering;	/* those before the first that the definition lacks */
	BtmScyllaColumn **clustering;
	bool		lacks_partition;	/* columns of it are not in the definition: then
									 * npartition is 0 */
	bool		lacks_clustering;
	bool		allow_filtering;
	int			fetch_size;		/* rows of a page */
	CqlConsistency consistency;

	/* of writes */
	BtmScyllaWriteMode write_mode;
	bool		updatable;
	bool		truncatable;
	int			ttl;			/* seconds; -1: the server's table's own */
	int			batch_size;		/* bytes */
	bool		is_counter;		/* a column is a counter */
} BtmScyllaTable;

/*
 * The definition of a foreign table that is open and locked, in the current
 * memory context.  HV002 without a keyspace; 22023 for keys with a place taken
 * twice; HV004 for a column whose type here stands for no CQL type
 * and that has no option cql_type, or one that is none.
 */
extern BtmScyllaTable *btm_scylla_table(Relation relation);

extern BtmScyllaColumn *btm_scylla_column_by_number(const BtmScyllaTable *table,
													AttrNumber attnum);

static inline bool
btm_scylla_is_key(const BtmScyllaColumn *column)
{
	return column->role == BTM_SCYLLA_PARTITION_KEY ||
		column->role == BTM_SCYLLA_CLUSTERING_KEY;
}

/*
 * An error context callback: the column whose value is being converted, if any.
 */
typedef struct BtmScyllaColumnContext
{
	const BtmScyllaTable *table;
	const BtmScyllaColumn *column;
} BtmScyllaColumnContext;

extern void btm_scylla_column_context(void *arg);

/*
 * The type of PostgreSQL for a CQL type: that of codec.h for a scalar; its array
 * for a list, set or vector of scalars; jsonb for what is deeper.
 */
extern Oid	btm_scylla_column_type(const CqlType *type);

#endif							/* BTM_SCYLLA_TABLE_H */
