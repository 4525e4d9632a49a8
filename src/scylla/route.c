/*-------------------------------------------------------------------------
 *
 * route.c
 *	  Which node a statement is sent to.
 *
 * A prepared statement tells which of its markers are the partition key, if
 * they are all of it.  Then their values give the token, the ring and the
 * keyspace's replication the nodes that have the partition, and the first of
 * the local datacenter that can be reached gets it: in ring order, so that
 * clients agree, which keeps lightweight transactions from contending and
 * caches warm.  Everything else goes to the connection at hand.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "cql/value.h"
#include "scylla/cluster.h"
#include "utils/memutils.h"

/* Replicas that are looked at. */
#define MAX_REPLICAS 16

/* Columns of a partition key. */
#define MAX_KEY_COLUMNS 64

/* ---- replication */

/*
 * Frees what is known of a keyspace.
 */
static void
free_keyspace(BtmScyllaKeyspace *keyspace)
{
	cql_arena_free(&keyspace->arena);
	pfree(keyspace->name);
	pfree(keyspace);
}

/*
 * Forgets what is known of keyspaces, if an event has told that it changes.
 */
static void
drop_stale_keyspaces(BtmScyllaCluster *cluster)
{
	List	   *keyspaces = cluster->keyspaces;
	ListCell   *lc;

	if (!cluster->keyspaces_stale)
		return;
	cluster->keyspaces_stale = false;
	cluster->keyspaces = NIL;
	foreach(lc, keyspaces)
		free_keyspace(lfirst(lc));
	list_free(keyspaces);
}

/*
 * Copies text into an arena; empty if there is no memory.
 */
static CqlString
arena_string(CqlArena *arena, CqlBytes bytes)
{
	CqlString	string = {"", 0};
	char	   *data = bytes.length > 0 ? cql_arena_alloc(arena, bytes.length) : NULL;

	if (data != NULL)
	{
		memcpy(data, bytes.data, bytes.length);
		string.data = data;
		string.length = bytes.length;
	}
	return string;
}

/*
 * Reads the map `replication`.  False if it is not what it should be.
 */
static bool
read_replication(BtmScyllaKeyspace *keyspace, const CqlType *type, CqlBytes map)
{
	CqlElements elements;
	CqlString  *pairs;
	uint32		npairs;

	if (map.length < 0 || type->id != CQL_TYPE_MAP ||
		cql_elements_begin(&elements, type, map, &cql_default_limits, NULL) != CQL_OK)
		return false;
	npairs = elements.count / 2;
	pairs = cql_arena_alloc_array(&keyspace->arena, elements.count, sizeof(CqlString));
	if (pairs == NULL)
		return false;
	for (uint32 i = 0; i < elements.count; i++)
	{
		const CqlType *text;
		CqlBytes	value;

		if (cql_elements_next(&elements, &value, &text) != CQL_OK)
			return false;

		/* keys, then values */
		pairs[(i % 2) * npairs + i / 2] = arena_string(&keyspace->arena, value);
	}
	return cql_replication_parse(npairs, pairs, pairs + npairs, &keyspace->arena,
								 &keyspace->replication, NULL) == CQL_OK;
}

/*
 * Reads the answer to the question for a keyspace.
 */
static bool
read_keyspace(BtmScyllaKeyspace *keyspace, const CqlResponse *response)
{
	const CqlMetadata *metadata = &response->u.rows.metadata;
	CqlRowReader rows;
	CqlBytes	cell;

	return response->kind == CQL_RESPONSE_ROWS &&
		metadata->ncolumns == 1 && metadata->columns != NULL &&
		response->u.rows.count == 1 &&
		cql_rows_begin(&rows, &response->u.rows, metadata, &cql_default_limits, NULL) == CQL_OK &&
		cql_rows_next(&rows, &cell) == CQL_OK &&
		read_replication(keyspace, metadata->columns[0].type, cell);
}

/*
 * Asks the server how a keyspace is replicated.  NULL if the connection was
 * lost.  Of a keyspace that is not understood, no replicas are known.
 */
static BtmScyllaKeyspace *
look_up_keyspace(BtmScyllaCluster *cluster, CqlString name)
{
	BtmScyllaPipeline *pipeline = btm_scylla_pipeline_create(cluster, CurrentMemoryContext);
	CqlBytes	value = {(const uint8_t *) name.data, (int32_t) name.length};
	MemoryContext old_context;
	BtmScyllaKeyspace *keyspace = NULL;
	CqlResponse *response;

	response = btm_scylla_ask(pipeline, cluster->control,
							  "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?",
							  1, &value);
	if (response != NULL)
	{
		old_context = MemoryContextSwitchTo(cluster->context);
		keyspace = palloc0(sizeof(BtmScyllaKeyspace));
		keyspace->name = pnstrdup(name.data, name.length);
		cql_arena_init(&keyspace->arena, &cluster->allocator);
		if (!read_keyspace(keyspace, response))
			keyspace->replication.strategy = CQL_STRATEGY_OTHER;
		cluster->keyspaces = lappend(cluster->keyspaces, keyspace);
		MemoryContextSwitchTo(old_context);
	}
	btm_scylla_pipeline_free(pipeline);
	return keyspace;
}

/*
 * A keyspace by its name; NULL if the connection was lost while it was asked
 * for.
 */
static const BtmScyllaKeyspace *
find_keyspace(BtmScyllaCluster *cluster, CqlString name)
{
	ListCell   *lc;

	drop_stale_keyspaces(cluster);
	foreach(lc, cluster->keyspaces)
	{
		BtmScyllaKeyspace *keyspace = lfirst(lc);

		if (cql_string_equals(name, keyspace->name))
			return keyspace;
	}
	return look_up_keyspace(cluster, name);
}

/* ---- replicas */

/*
 * The token of a statement's partition.  False if its markers do not give it.
 */
static bool
partition_token(BtmScyllaCluster *cluster, const BtmScyllaStatement *statement,
				const CqlBytes *values, int64 *token)
{
	const CqlMetadata *markers = statement->markers;
	CqlBytes	components[MAX_KEY_COLUMNS];

	if (markers->npartition_key > MAX_KEY_COLUMNS)
		return false;
	for (uint32 i = 0; i < markers->npartition_key; i++)
	{
		if (markers->partition_key[i] >= markers->ncolumns)
			return false;
		components[i] = values[markers->partition_key[i]];
	}
	cql_writer_reset(&cluster->key);
	if (cql_partition_key(&cluster->key, markers->npartition_key, components) != CQL_OK)
		return false;
	*token = cql_token(cluster->key.data, cluster->key.length);
	return true;
}

/*
 * A connection to a replica of the local datacenter, or NULL.
 */
static BtmScyllaConnection *
replica_connection(BtmScyllaCluster *cluster, const CqlReplication *replication,
				   int64 token)
{
	CqlString	local_dc = {cluster->local_dc, strlen(cluster->local_dc)};
	uint32		replicas[MAX_REPLICAS];
	uint32		n = cql_ring_replicas(cluster->ring, replication, token, local_dc,
									  replicas, MAX_REPLICAS);

	for (uint32 i = 0; i < n; i++)
	{
		BtmScyllaNode *node = cluster->nodes[replicas[i]];
		BtmScyllaConnection *connection;

		if (strcmp(node->datacenter, cluster->local_dc) != 0)
			break;
		connection = btm_scylla_node_connection(cluster, node);
		if (connection != NULL)
			return connection;
	}
	return NULL;
}

/*
 * A connection to a node that has the statement's partition, or NULL.
 */
static BtmScyllaConnection *
best_connection(BtmScyllaCluster *cluster, const BtmScyllaStatement *statement,
				const CqlBytes *values)
{
	const BtmScyllaKeyspace *keyspace;
	int64		token;

	if (cluster->ring == NULL || statement == NULL || statement->markers == NULL ||
		statement->markers->npartition_key == 0 ||
		!partition_token(cluster, statement, values, &token))
		return NULL;
	keyspace = find_keyspace(cluster, statement->markers->columns[0].keyspace);
	if (keyspace == NULL || cluster->ring == NULL)
		return NULL;
	return replica_connection(cluster, &keyspace->replication, token);
}

/*
 * The connection by which a statement is to be sent; `statement` may be NULL.
 * May wait.  Raises if there is none to be had.
 */
BtmScyllaConnection *
btm_scylla_route(BtmScyllaCluster *cluster, const BtmScyllaStatement *statement,
				 const CqlBytes *values)
{
	BtmScyllaConnection *connection;

	btm_scylla_cluster_connect(cluster);
	connection = best_connection(cluster, statement, values);
	if (connection != NULL)
		return connection;
	btm_scylla_cluster_connect(cluster);
	return cluster->control;
}
