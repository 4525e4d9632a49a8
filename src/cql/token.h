/*-------------------------------------------------------------------------
 *
 * token.h
 *	  Which nodes, and which shard of a node, hold a partition.
 *
 * Tokens are those of Murmur3Partitioner; the other partitioners are too rare
 * to be routed for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CQL_TOKEN_H
#define CQL_TOKEN_H

#include "cql/buffer.h"

/*
 * Token of a serialised partition key: MurmurHash3_x64_128, first half, with
 * bytes of the tail sign-extended, as Cassandra does; never INT64_MIN.
 */
extern int64_t cql_token(const void *key, size_t length);

/*
 * Appends the serialised partition key of its components' values: the bytes of
 * a single one as they are, of several each with its length (two bytes) and a
 * zero byte.  CQL_INVALID for a null, unset or longer component.
 */
extern CqlStatus cql_partition_key(CqlWriter *writer, uint32_t ncomponents,
								   const CqlBytes *components) CQL_MUST_USE;

/*
 * ScyllaDB: the shard of a token, by the numbers the node has announced
 * (biased-token-round-robin).
 */
extern uint32_t cql_shard_of_token(int64_t token, uint32_t nr_shards,
								   uint32_t ignore_msb);

/* A node of the cluster; the caller owns it, `id` is its own number for it. */
typedef struct CqlNode
{
	uint32_t	id;
	CqlString	datacenter;
	CqlString	rack;
} CqlNode;

/* The ring: tokens in order, and the node each belongs to. */
typedef struct CqlRing CqlRing;

typedef struct CqlRingEntry
{
	int64_t		token;
	uint32_t	node;			/* index into nodes */
} CqlRingEntry;

/*
 * Nodes, entries and their strings are copied; entries need no order.
 * CQL_INVALID for an entry without its node.  Free with cql_ring_free.
 */
extern CqlStatus cql_ring_create(const CqlAllocator *allocator, uint32_t nnodes,
								 const CqlNode *nodes, uint32_t nentries,
								 const CqlRingEntry *entries, CqlRing **ring,
								 CqlError *error) CQL_MUST_USE;
extern void cql_ring_free(CqlRing *ring);

/* The text of a token as system.local and system.peers have it. */
extern CqlStatus cql_token_parse(CqlString text, int64_t *token,
								 CqlError *error) CQL_MUST_USE;

/* How a keyspace is replicated. */
typedef enum CqlStrategy
{
	CQL_STRATEGY_SIMPLE,
	CQL_STRATEGY_NETWORK_TOPOLOGY,
	CQL_STRATEGY_LOCAL,			/* every node its own */
	CQL_STRATEGY_OTHER			/* unknown: no replicas are named */
} CqlStrategy;

typedef struct CqlDatacenterFactor
{
	CqlString	datacenter;
	uint32_t	factor;
} CqlDatacenterFactor;

typedef struct CqlReplication
{
	CqlStrategy strategy;
	uint32_t	factor;			/* SIMPLE */
	uint32_t	ndatacenters;	/* NETWORK_TOPOLOGY */
	const CqlDatacenterFactor *datacenters;
} CqlReplication;

/*
 * From the map system_schema.keyspaces.replication: keys "class",
 * "replication_factor", names of data centres.  A factor "3/1" (transient
 * replicas) counts its full ones.  Strings are not copied.
 */
extern CqlStatus cql_replication_parse(uint32_t npairs, const CqlString *keys,
									   const CqlString *values, CqlArena *arena,
									   CqlReplication *replication,
									   CqlError *error) CQL_MUST_USE;

/*
 * Writes the ids of the nodes that hold a token's partition to `replicas`
 * (room for `max`), those of `local_dc` (may be empty: none is preferred)
 * first, otherwise in ring order, and returns their number.
 * NetworkTopologyStrategy spreads over racks as the server does.
 */
extern uint32_t cql_ring_replicas(const CqlRing *ring, const CqlReplication *replication,
								  int64_t token, CqlString local_dc,
								  uint32_t *replicas, uint32_t max);

#endif							/* CQL_TOKEN_H */
