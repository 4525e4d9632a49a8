/*-------------------------------------------------------------------------
 *
 * cluster.c
 *	  A cluster's connections: which are made, and when.
 *
 * There is one connection to begin with, to a contact point or, when none of
 * them answers, to a node that was known before.  It is the one that events
 * come by, and statements that no node is better for.  Others are opened to
 * nodes when a statement is routed there; a node that cannot be reached is left
 * alone for a while, since the connection at hand serves as well.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "scylla/cluster.h"
#include "scylla/memory.h"
#include "utils/memutils.h"

/* Time for a connection that there is a substitute for, in microseconds. */
#define NODE_CONNECT_TIMEOUT INT64CONST(2000000)

/* Longest serialized partition key that a node is chosen by. */
#define MAX_KEY_SIZE (1024 * 1024)

/* Look-ups of the ring in a row, however many events there are. */
#define MAX_REFRESHES 8

/* What was tried to get a connection, and what came of it. */
typedef struct Attempts
{
	int			count;
	int			sqlstate;		/* of all, or 08001 if they differ */
	StringInfoData reasons;
} Attempts;

/* ---- beginning and end */

/*
 * The contact points of the options.
 */
static void
create_contacts(BtmScyllaCluster *cluster)
{
	ListCell   *lc;

	cluster->contacts = palloc0(sizeof(BtmScyllaContact) *
								list_length(cluster->options->hosts));
	foreach(lc, cluster->options->hosts)
		cluster->contacts[cluster->ncontacts++].host = lfirst(lc);
}

/*
 * Fills a cluster whose context is the current one.
 */
static void
fill_cluster(BtmScyllaCluster *cluster, Oid serverid, Oid userid)
{
	cluster->options = btm_scylla_options(serverid, userid);
	cluster->valid = true;
	cluster->local_dc = pstrdup(cluster->options->local_dc ? cluster->options->local_dc : "");
	cluster->topology_stale = true;
	cluster->left_at = btm_scylla_now();
	cluster->wait_set_size = -1;
	btm_scylla_allocator_init(&cluster->allocator, cluster->context);
	cql_writer_init(&cluster->key, &cluster->allocator, MAX_KEY_SIZE, NULL);
	dlist_init(&cluster->connections);
	dlist_init(&cluster->pipelines);
	create_contacts(cluster);
	btm_scylla_statements_create(cluster);
}

/*
 * The cluster of a server for a user, without connections.
 */
BtmScyllaCluster *
btm_scylla_cluster_create(Oid serverid, Oid userid, MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "belongs_to_many Scylla cluster",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	BtmScyllaCluster *cluster = palloc0(sizeof(BtmScyllaCluster));

	cluster->context = context;
	fill_cluster(cluster, serverid, userid);
	MemoryContextSwitchTo(old_context);
	MemoryContextSetParent(context, parent);
	return cluster;
}

/*
 * Closes all connections of a cluster, and frees it.  Pipelines are cut off.
 * Does not raise.
 */
void
btm_scylla_cluster_destroy(BtmScyllaCluster *cluster)
{
	while (!dlist_is_empty(&cluster->pipelines))
		btm_scylla_pipeline_detach(btm_scylla_pipeline_of_link(dlist_head_node(&cluster->pipelines)));
	while (!dlist_is_empty(&cluster->connections))
		btm_scylla_connection_close(dlist_head_element(BtmScyllaConnection, link,
													   &cluster->connections));
	btm_scylla_pump_reset(cluster);
	if (cluster->options->password != NULL)
		explicit_bzero(cluster->options->password, strlen(cluster->options->password));
	MemoryContextDelete(cluster->context);
}

const BtmScyllaOptions *
btm_scylla_cluster_options(const BtmScyllaCluster *cluster)
{
	return cluster->options;
}

/* ---- failures */

void
btm_scylla_raise_lost(const BtmScyllaCluster *cluster,
					  const BtmScyllaFailure *failure, const char *cql)
{
	ereport(ERROR,
			(errcode(failure->sqlstate),
			 errmsg("connection to server \"%s\" was lost",
					cluster->options->servername),
			 errdetail_internal("%s", failure->reason),
			 btm_scylla_errcontext(cql)));
}

/*
 * Whether a failure says that this user is not to be let in, which no other
 * node will see in another way.
 */
static bool
is_refusal(const BtmScyllaFailure *failure)
{
	return failure->sqlstate == ERRCODE_INVALID_PASSWORD ||
		failure->sqlstate == ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION ||
		failure->sqlstate == ERRCODE_S_R_E_PROHIBITED_SQL_STATEMENT_ATTEMPTED;
}

/*
 * Raises that no connection can be made.
 */
static void
raise_unreachable(const BtmScyllaCluster *cluster, const Attempts *attempts)
{
	ereport(ERROR,
			(errcode(attempts->sqlstate),
			 errmsg("could not connect to server \"%s\"",
					cluster->options->servername),
			 errdetail_internal("%s", attempts->reasons.data)));
}

/*
 * Notes a failed attempt.  A refused login is raised at once.
 */
static void
note_attempt(const BtmScyllaCluster *cluster, Attempts *attempts,
			 const char *host, int port, const BtmScyllaFailure *failure)
{
	bool		address6 = strchr(host, ':') != NULL;

	if (attempts->count == 0)
		attempts->sqlstate = failure->sqlstate;
	else if (attempts->sqlstate != failure->sqlstate)
		attempts->sqlstate = ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION;
	appendStringInfo(&attempts->reasons, "%s%s%s%s:%d: %s",
					 attempts->count++ > 0 ? "\n" : "",
					 address6 ? "[" : "", host, address6 ? "]" : "", port,
					 failure->reason);
	if (is_refusal(failure))
	{
		attempts->sqlstate = failure->sqlstate;
		raise_unreachable(cluster, attempts);
	}
}

/* ---- connections */

/*
 * Tries a place, and notes what comes of it.
 */
static BtmScyllaConnection *
try_place(BtmScyllaCluster *cluster, const char *host, int port,
		  BtmScyllaHealth *health, Attempts *attempts)
{
	int64		deadline = btm_scylla_now() +
		cluster->options->connect_timeout * INT64CONST(1000);
	BtmScyllaFailure failure = {0};
	BtmScyllaConnection *connection;

	connection = btm_scylla_connection_open(cluster, host, port, deadline, &failure);
	if (connection != NULL)
		btm_scylla_note_success(health);
	else
	{
		btm_scylla_note_failure(health);
		note_attempt(cluster, attempts, host, port, &failure);
	}
	return connection;
}

/*
 * Tries the contact points that are, or are not, healthy.
 */
static BtmScyllaConnection *
try_contacts(BtmScyllaCluster *cluster, const bool *healthy, bool wanted,
			 Attempts *attempts)
{
	for (int i = 0; i < cluster->ncontacts; i++)
	{
		BtmScyllaContact *contact = &cluster->contacts[i];
		BtmScyllaConnection *connection;

		if (healthy[i] != wanted)
			continue;
		connection = try_place(cluster, contact->host->name, contact->host->port,
							   &contact->health, attempts);
		if (connection != NULL)
		{
			connection->contact = contact;
			return connection;
		}
	}
	return NULL;
}

/*
 * Whether a node was tried as a contact point.
 */
static bool
is_contact(const BtmScyllaCluster *cluster, const BtmScyllaNode *node)
{
	for (int i = 0; i < cluster->ncontacts; i++)
	{
		if (cluster->contacts[i].host->port == node->port &&
			strcmp(cluster->contacts[i].host->name, node->host) == 0)
			return true;
	}
	return false;
}

/*
 * Tries the nodes that are known from better times.
 */
static BtmScyllaConnection *
try_nodes(BtmScyllaCluster *cluster, Attempts *attempts)
{
	for (int i = 0; i < cluster->nnodes; i++)
	{
		BtmScyllaNode *node = cluster->nodes[i];
		BtmScyllaConnection *connection;

		if (!btm_scylla_is_healthy(&node->health) || is_contact(cluster, node))
			continue;
		connection = try_place(cluster, node->host, node->port, &node->health, attempts);
		if (connection != NULL)
		{
			connection->node = node;
			node->connection = connection;
			return connection;
		}
	}
	return NULL;
}

/*
 * Connects to whatever can be reached: contact points, nodes, and at last
 * contact points that have failed lately.  Raises if that is nothing.
 */
static BtmScyllaConnection *
connect_any(BtmScyllaCluster *cluster)
{
	Attempts	attempts = {0};
	BtmScyllaConnection *connection;
	bool	   *healthy = palloc(sizeof(bool) * cluster->ncontacts);

	for (int i = 0; i < cluster->ncontacts; i++)
		healthy[i] = btm_scylla_is_healthy(&cluster->contacts[i].health);
	initStringInfo(&attempts.reasons);
	connection = try_contacts(cluster, healthy, true, &attempts);
	if (connection == NULL)
		connection = try_nodes(cluster, &attempts);
	if (connection == NULL)
		connection = try_contacts(cluster, healthy, false, &attempts);
	if (connection == NULL)
		raise_unreachable(cluster, &attempts);
	pfree(attempts.reasons.data);
	pfree(healthy);
	return connection;
}

/*
 * Makes sure that there is a connection that events come by: one that is open,
 * or a new one.
 */
static void
choose_control(BtmScyllaCluster *cluster)
{
	BtmScyllaConnection *connection;

	if (dlist_is_empty(&cluster->connections))
		connection = connect_any(cluster);
	else
		connection = dlist_head_element(BtmScyllaConnection, link, &cluster->connections);
	cluster->control = connection;
	cluster->topology_stale = cluster->schema_stale = true;
	btm_scylla_topology_register(connection);
}

/*
 * Makes sure that the cluster is connected, and its ring known as well as it
 * can be.  Raises 08001 and others if it cannot be reached.
 */
void
btm_scylla_cluster_connect(BtmScyllaCluster *cluster)
{
	uint64		losses = cluster->losses;
	int			refreshes = 0;

	while (cluster->control == NULL ||
		   (cluster->topology_stale && refreshes < MAX_REFRESHES))
	{
		if (cluster->losses - losses > (uint64) cluster->ncontacts + 1)
			btm_scylla_raise_lost(cluster, &cluster->last_loss, NULL);
		if (cluster->control == NULL)
			choose_control(cluster);
		else
		{
			btm_scylla_topology_refresh(cluster);
			refreshes++;
		}
	}
}

/*
 * A node's connection, opened if there is none.  NULL if the node cannot be
 * reached, or could not lately.
 */
BtmScyllaConnection *
btm_scylla_node_connection(BtmScyllaCluster *cluster, BtmScyllaNode *node)
{
	int64		timeout = Min(cluster->options->connect_timeout * INT64CONST(1000),
							  NODE_CONNECT_TIMEOUT);
	BtmScyllaFailure failure = {0};
	BtmScyllaConnection *connection;

	if (node->connection != NULL || !btm_scylla_is_healthy(&node->health))
		return node->connection;
	connection = btm_scylla_connection_open(cluster, node->host, node->port,
											btm_scylla_now() + timeout, &failure);
	if (connection == NULL)
	{
		btm_scylla_note_failure(&node->health);
		elog(DEBUG1, "could not connect to node %s:%d of server \"%s\": %s",
			 node->host, node->port, cluster->options->servername, failure.reason);
		return NULL;
	}
	btm_scylla_note_success(&node->health);
	connection->node = node;
	node->connection = connection;
	return connection;
}

/*
 * Whether there is anything that a request may be sent to and that has not
 * failed lately.
 */
bool
btm_scylla_cluster_is_reachable(const BtmScyllaCluster *cluster)
{
	if (!dlist_is_empty(unconstify(dlist_head *, &cluster->connections)))
		return true;
	for (int i = 0; i < cluster->ncontacts; i++)
	{
		if (btm_scylla_is_healthy(&cluster->contacts[i].health))
			return true;
	}
	for (int i = 0; i < cluster->nnodes; i++)
	{
		if (btm_scylla_is_healthy(&cluster->nodes[i]->health))
			return true;
	}
	return false;
}

/*
 * Looks what has become of connections that were not used for a while: those
 * that the server has closed are closed, and events are heard.  Does not wait.
 */
void
btm_scylla_cluster_look(BtmScyllaCluster *cluster)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &cluster->connections)
		btm_scylla_service(dlist_container(BtmScyllaConnection, link, iter.cur), true);
}
