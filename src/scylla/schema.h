/*-------------------------------------------------------------------------
 *
 * schema.h
 *	  What a server's system_schema says of a keyspace's tables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SCYLLA_SCHEMA_H
#define BTM_SCYLLA_SCHEMA_H

#include "cql/type.h"
#include "scylla/connection.h"

#include "nodes/pg_list.h"

/* What a column is to its table. */
typedef enum BtmScyllaRole
{
	BTM_SCYLLA_PARTITION_KEY,
	BTM_SCYLLA_CLUSTERING_KEY,
	BTM_SCYLLA_STATIC,
	BTM_SCYLLA_REGULAR
} BtmScyllaRole;

/* Names are in the database's encoding. */
typedef struct BtmScyllaRemoteColumn
{
	char	   *name;
	char	   *type_text;		/* "frozen<list<int>>" */
	const CqlType *type;		/* NULL: not known to this client */
	BtmScyllaRole role;
	int			position;		/* within the key, from 0 */
	bool		descending;		/* of a clustering key */
	bool		indexed;		/* a secondary index finds what is equal to a value */
} BtmScyllaRemoteColumn;

typedef struct BtmScyllaRemoteTable
{
	char	   *name;
	bool		is_view;
	bool		is_counter;		/* has counters for its regular columns */
	List	   *columns;		/* of BtmScyllaRemoteColumn: partition key,
								 * clustering key, static columns, others */
} BtmScyllaRemoteTable;

/*
 * The tables and materialized views of a keyspace, by name, in the current
 * memory context; HV00Q (schema not found) if there is no such keyspace.
 */
extern List *btm_scylla_remote_tables(BtmScyllaCluster *cluster, const char *keyspace);

#endif							/* BTM_SCYLLA_SCHEMA_H */
