/*-------------------------------------------------------------------------
 *
 * topology.c
 *	  The nodes of a cluster and the ring they form.
 *
 * Both are read from a node's own tables, once per cluster, and again after an
 * event or when the connection that events come by was lost.  A node is the
 * same node as long as its host id is.
 *
 * What the tables say is the peer's word: it decides where statements are sent,
 * to addresses that are then checked as any other (TLS, login).  What is not
 * understood leaves the ring unknown, and all statements go to the connection
 * at hand.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "cql/value.h"
#include "scylla/cluster.h"
#include "utils/memutils.h"

#define PARTITIONER "Murmur3Partitioner"

/* More than any cluster has, and few enough to be gone through without a pause. */
#define MAX_NODES 4096
#define MAX_TOKENS (1024 * 1024)

/* A table's rows. */
typedef struct Table
{
	const CqlMetadata *metadata;
	CqlRowReader rows;
	CqlBytes   *cells;			/* of the current row */
} Table;

/* What the rows tell of a node. */
typedef struct FoundNode
{
	uint8		host_id[BTM_SCYLLA_HOST_ID_SIZE];
	char		host[INET6_ADDRSTRLEN];
	int			port;
	char	   *datacenter;
	char	   *rack;
} FoundNode;

/* What the rows tell of all. */
typedef struct Found
{
	int			default_port;	/* where no table tells one */
	int			nnodes;
	int			max_nodes;
	FoundNode  *nodes;			/* the first is the one that was asked */
	int			nentries;
	int			max_entries;
	CqlRingEntry *entries;
	bool		routable;		/* tokens are what we can compute */
	bool		too_many;		/* nodes or tokens */
} Found;

/* ---- events */

/*
 * Asks for events.  That this cannot be done is no reason to do without the
 * connection.
 */
void
btm_scylla_topology_register(BtmScyllaConnection *connection)
{
	static const CqlString events[] = {
		{"TOPOLOGY_CHANGE", 15}, {"STATUS_CHANGE", 13}, {"SCHEMA_CHANGE", 13}
	};

	if (cql_session_register(connection->session, lengthof(events), events,
							 NULL, NULL, NULL) == CQL_OK)
		btm_scylla_note_unclaimed(connection, btm_scylla_deadline(connection->cluster));
	else
		elog(DEBUG1, "could not register for events of server \"%s\"",
			 connection->cluster->options->servername);
}

/*
 * Takes note of an event.  Does not raise.
 */
void
btm_scylla_topology_event(BtmScyllaCluster *cluster, const CqlServerEvent *event)
{
	if (cql_string_equals(event->type, "SCHEMA_CHANGE"))
	{
		cluster->schema_stale = true;
		if (cql_string_equals(event->schema.target, "KEYSPACE"))
			cluster->keyspaces_stale = true;
		return;
	}
	cluster->topology_stale = true;
	if (cql_string_equals(event->change, "UP") ||
		cql_string_equals(event->change, "NEW_NODE"))
		cluster->retry_nodes = true;
}

/* ---- rows */

/*
 * Begins to read a response.  False if it is no rows.
 */
static bool
open_table(Table *table, const CqlResponse *response)
{
	if (response == NULL || response->kind != CQL_RESPONSE_ROWS ||
		response->u.rows.metadata.columns == NULL)
		return false;
	table->metadata = &response->u.rows.metadata;
	table->cells = palloc(sizeof(CqlBytes) * Max(table->metadata->ncolumns, 1));
	return cql_rows_begin(&table->rows, &response->u.rows, table->metadata,
						  &cql_default_limits, NULL) == CQL_OK;
}

/*
 * The next row; false at the end.
 */
static bool
next_row(Table *table)
{
	return table->rows.left > 0 && cql_rows_next(&table->rows, table->cells) == CQL_OK;
}

/*
 * A column of the current row, and its type.  Null if there is no such column
 * or its type is another.
 */
static CqlBytes
column(const Table *table, const char *name, CqlTypeId wanted, const CqlType **type)
{
	CqlBytes	null = {NULL, CQL_LENGTH_NULL};

	for (uint32 i = 0; i < table->metadata->ncolumns; i++)
	{
		const CqlColumn *c = &table->metadata->columns[i];

		if (!cql_string_equals(c->name, name))
			continue;
		if (type != NULL)
			*type = c->type;
		return c->type->id == wanted ? table->cells[i] : null;
	}
	return null;
}

/*
 * A column of text; NULL if it is null.
 */
static char *
text_column(const Table *table, const char *name)
{
	CqlBytes	bytes = column(table, name, CQL_TYPE_VARCHAR, NULL);

	return bytes.length >= 0 ? pnstrdup((const char *) bytes.data, bytes.length) : NULL;
}

/*
 * An address as text.  False if it is null, or says "any address".
 */
static bool
address_column(const Table *table, const char *name, char *text, size_t size)
{
	static const uint8 any[16] = {0};
	CqlBytes	bytes = column(table, name, CQL_TYPE_INET, NULL);

	if ((bytes.length != 4 && bytes.length != 16) ||
		memcmp(bytes.data, any, bytes.length) == 0)
		return false;
	return inet_ntop(bytes.length == 4 ? AF_INET : AF_INET6, bytes.data, text, size) != NULL;
}

/*
 * A port; `otherwise` if it is null or none.
 */
static int
port_column(const Table *table, const char *name, int otherwise)
{
	CqlBytes	bytes = column(table, name, CQL_TYPE_INT, NULL);
	int64_t		port;

	if (bytes.length < 0 ||
		cql_decode_integer(CQL_TYPE_INT, bytes, &port, NULL) != CQL_OK ||
		port <= 0 || port > 65535)
		return otherwise;
	return (int) port;
}

/* ---- nodes */

/*
 * Fills a node from the current row.  False if the row does not tell enough.
 */
static bool
read_node(const Table *table, int default_port, FoundNode *node)
{
	CqlBytes	host_id = column(table, "host_id", CQL_TYPE_UUID, NULL);

	if (host_id.length != BTM_SCYLLA_HOST_ID_SIZE)
		return false;
	memcpy(node->host_id, host_id.data, BTM_SCYLLA_HOST_ID_SIZE);
	node->datacenter = text_column(table, "data_center");
	node->rack = text_column(table, "rack");
	node->port = port_column(table, "native_port",
							 port_column(table, "rpc_port", default_port));
	return node->datacenter != NULL && node->rack != NULL &&
		(address_column(table, "native_address", node->host, sizeof(node->host)) ||
		 address_column(table, "rpc_address", node->host, sizeof(node->host)) ||
		 address_column(table, "broadcast_address", node->host, sizeof(node->host)) ||
		 address_column(table, "peer", node->host, sizeof(node->host)));
}

/*
 * Adds a token of the node that was found last.
 */
static void
add_token(Found *found, int64 token)
{
	if (found->nentries == found->max_entries)
	{
		found->max_entries = Max(found->max_entries * 2, 1024);
		found->entries = found->entries == NULL
			? palloc(found->max_entries * sizeof(CqlRingEntry))
			: repalloc(found->entries, found->max_entries * sizeof(CqlRingEntry));
	}
	found->entries[found->nentries].token = token;
	found->entries[found->nentries++].node = found->nnodes - 1;
}

/*
 * Adds the tokens of the current row.
 */
static void
read_tokens(const Table *table, Found *found)
{
	const CqlType *type = NULL;
	CqlBytes	set = column(table, "tokens", CQL_TYPE_SET, &type);
	CqlElements elements;
	CqlBytes	value;

	if (set.length < 0 ||
		cql_elements_begin(&elements, type, set, &cql_default_limits, NULL) != CQL_OK)
		return;
	for (uint32 i = 0; i < elements.count; i++)
	{
		CqlString	text;
		int64_t		token;

		if (cql_elements_next(&elements, &value, &type) != CQL_OK)
			return;
		text.data = (const char *) value.data;
		text.length = Max(value.length, 0);
		if (cql_token_parse(text, &token, NULL) != CQL_OK)
			continue;
		found->too_many |= found->nentries == MAX_TOKENS;
		if (found->too_many)
			return;
		add_token(found, token);
	}
}

/*
 * Adds the nodes of a table.
 */
static void
read_nodes(Table *table, Found *found)
{
	while (next_row(table))
	{
		FoundNode	node = {0};

		if (!read_node(table, found->default_port, &node))
			continue;
		found->too_many |= found->nnodes == MAX_NODES;
		if (found->too_many)
			return;
		if (found->nnodes == found->max_nodes)
		{
			found->max_nodes *= 2;
			found->nodes = repalloc(found->nodes, found->max_nodes * sizeof(FoundNode));
		}
		found->nodes[found->nnodes++] = node;
		read_tokens(table, found);
	}
}

/*
 * Whether tokens are made by the partitioner that we know.
 */
static bool
is_routable(const Table *table)
{
	CqlBytes	name = column(table, "partitioner", CQL_TYPE_VARCHAR, NULL);
	int			length = strlen(PARTITIONER);

	return name.length >= length &&
		memcmp(name.data + name.length - length, PARTITIONER, length) == 0;
}

/*
 * Whether the connection that events come by is still the one of that number.
 * It may be lost right behind an answer.
 */
static bool
is_control(const BtmScyllaCluster *cluster, uint64 serial)
{
	return cluster->control != NULL && cluster->control->serial == serial;
}

/*
 * Asks a node for itself and its peers.  False if the connection was lost, or
 * does not tell.
 */
static bool
ask_for_nodes(BtmScyllaPipeline *pipeline, BtmScyllaCluster *cluster, Found *found)
{
	static const char *const peers[] = {
		"SELECT * FROM system.peers_v2", "SELECT * FROM system.peers"
	};
	Table		table;
	uint64		serial = cluster->control->serial;

	if (!open_table(&table, btm_scylla_ask(pipeline, cluster->control,
										   "SELECT * FROM system.local WHERE key = 'local'",
										   0, NULL)))
		return false;
	read_nodes(&table, found);
	if (table.rows.left > 0 || found->nnodes != 1)
		return false;
	found->routable = is_routable(&table);
	for (size_t i = 0; i < lengthof(peers); i++)
	{
		if (!is_control(cluster, serial))
			return false;
		if (open_table(&table, btm_scylla_ask(pipeline, cluster->control, peers[i], 0, NULL)))
		{
			read_nodes(&table, found);
			return is_control(cluster, serial) && !found->too_many;
		}
	}
	return false;
}

/* ---- taking over what was found */

/*
 * Frees a node.  Its connection stays open until the end of the transaction.
 */
static void
free_node(BtmScyllaCluster *cluster, BtmScyllaNode *node)
{
	dlist_iter	iter;

	dlist_foreach(iter, &cluster->connections)
	{
		BtmScyllaConnection *connection = dlist_container(BtmScyllaConnection, link, iter.cur);

		if (connection->node == node)
			connection->node = NULL;
	}
	pfree(node->host);
	pfree(node->datacenter);
	pfree(node->rack);
	pfree(node);
}

/*
 * The cluster's node of a host id, or NULL.
 */
static BtmScyllaNode *
find_node(const BtmScyllaCluster *cluster, const uint8 *host_id)
{
	for (int i = 0; i < cluster->nnodes; i++)
	{
		if (memcmp(cluster->nodes[i]->host_id, host_id, BTM_SCYLLA_HOST_ID_SIZE) == 0)
			return cluster->nodes[i];
	}
	return NULL;
}

/*
 * Replaces a text of the cluster's.
 */
static void
replace_text(char **text, const char *with)
{
	char	   *old = *text;

	if (old != NULL && strcmp(old, with) == 0)
		return;
	*text = pstrdup(with);
	if (old != NULL)
		pfree(old);
}

/*
 * The cluster's node for a found one, brought up to date.
 */
static BtmScyllaNode *
take_over_node(BtmScyllaCluster *cluster, const FoundNode *found)
{
	BtmScyllaNode *node = find_node(cluster, found->host_id);

	if (node == NULL)
	{
		node = palloc0(sizeof(BtmScyllaNode));
		memcpy(node->host_id, found->host_id, BTM_SCYLLA_HOST_ID_SIZE);
	}
	replace_text(&node->host, found->host);
	replace_text(&node->datacenter, found->datacenter);
	replace_text(&node->rack, found->rack);
	node->port = found->port;
	node->present = true;
	if (cluster->retry_nodes)
		node->health.retry_at = 0;
	return node;
}

/*
 * Replaces the cluster's nodes.
 */
static void
take_over_nodes(BtmScyllaCluster *cluster, const Found *found)
{
	BtmScyllaNode **nodes = palloc0(sizeof(BtmScyllaNode *) * found->nnodes);

	for (int i = 0; i < found->nnodes; i++)
		nodes[i] = take_over_node(cluster, &found->nodes[i]);
	for (int i = 0; i < cluster->nnodes; i++)
	{
		if (!cluster->nodes[i]->present)
			free_node(cluster, cluster->nodes[i]);
	}
	for (int i = 0; i < found->nnodes; i++)
		nodes[i]->present = false;
	if (cluster->nodes != NULL)
		pfree(cluster->nodes);
	cluster->nodes = nodes;
	cluster->nnodes = found->nnodes;
	cluster->retry_nodes = false;
}

/*
 * Notes which node the connection that was asked leads to.
 */
static void
place_control(BtmScyllaCluster *cluster)
{
	BtmScyllaConnection *control = cluster->control;
	BtmScyllaNode *node = cluster->nodes[0];

	if (control->node != NULL && control->node->connection == control)
		control->node->connection = NULL;
	control->node = node;
	if (node->connection == NULL)
		node->connection = control;
	if (cluster->local_dc[0] == '\0')
		replace_text(&cluster->local_dc, node->datacenter);
}

/*
 * Replaces the ring.
 */
static void
take_over_ring(BtmScyllaCluster *cluster, const Found *found)
{
	CqlNode    *nodes = palloc0(sizeof(CqlNode) * found->nnodes);

	for (int i = 0; i < found->nnodes; i++)
	{
		nodes[i].id = i;
		nodes[i].datacenter.data = cluster->nodes[i]->datacenter;
		nodes[i].datacenter.length = strlen(cluster->nodes[i]->datacenter);
		nodes[i].rack.data = cluster->nodes[i]->rack;
		nodes[i].rack.length = strlen(cluster->nodes[i]->rack);
	}
	if (found->routable && found->nnodes > 1 && found->nentries > 0 &&
		cql_ring_create(&cluster->allocator, found->nnodes, nodes, found->nentries,
						found->entries, &cluster->ring, NULL) != CQL_OK)
		cluster->ring = NULL;
	pfree(nodes);
}

/*
 * Forgets the ring.
 */
static void
forget_ring(BtmScyllaCluster *cluster)
{
	CqlRing    *ring = cluster->ring;

	cluster->ring = NULL;
	if (ring != NULL)
		cql_ring_free(ring);
}

/*
 * Whether two rows are of one node: then the tables are in the midst of a
 * change, or not to be trusted.
 */
static bool
has_duplicates(const Found *found)
{
	for (int i = 1; i < found->nnodes; i++)
	{
		for (int j = 0; j < i; j++)
		{
			if (memcmp(found->nodes[i].host_id, found->nodes[j].host_id,
					   BTM_SCYLLA_HOST_ID_SIZE) == 0)
				return true;
		}
	}
	return false;
}

/*
 * Reads nodes and ring anew from the connection that events come by, in a
 * memory context of its own.
 */
static void
refresh(BtmScyllaCluster *cluster)
{
	Found		found = {.default_port = cluster->control->port,.max_nodes = 16};
	BtmScyllaPipeline *pipeline = btm_scylla_pipeline_create(cluster, CurrentMemoryContext);
	MemoryContext old_context;

	found.nodes = palloc(found.max_nodes * sizeof(FoundNode));
	if (ask_for_nodes(pipeline, cluster, &found) && !has_duplicates(&found))
	{
		old_context = MemoryContextSwitchTo(cluster->context);
		forget_ring(cluster);
		take_over_nodes(cluster, &found);
		place_control(cluster);
		take_over_ring(cluster, &found);
		MemoryContextSwitchTo(old_context);
	}
	btm_scylla_pipeline_free(pipeline);
}

/*
 * Brings nodes and ring up to date.  If the connection is lost on the way, they
 * stay stale; if they are not understood, nothing is known of them.
 */
void
btm_scylla_topology_refresh(BtmScyllaCluster *cluster)
{
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext,
											   "belongs_to_many Scylla topology",
											   ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(work);

	cluster->topology_stale = false;
	PG_TRY();
	{
		refresh(cluster);
	}
	PG_CATCH();
	{
		cluster->topology_stale = true;
		PG_RE_THROW();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(work);
}
