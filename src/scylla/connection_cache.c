/*-------------------------------------------------------------------------
 *
 * connection_cache.c
 *	  The clusters that this backend is connected to, and SQL functions that
 *	  show and close the connections.
 *
 * Clusters are kept by user mapping, as postgres_fdw keeps its connections: the
 * mapping for PUBLIC serves all users with the same connections.  Only those of
 * superusers are apart, who may connect without a password.  What changes
 * a server or a mapping marks its clusters.  Those that this transaction has
 * not used are closed at once, others at its end: statements and answers that
 * somebody holds stay valid until then.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_user_mapping.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "scylla/cluster.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

BTM_FUNCTION(btm_scylla_connections);
BTM_FUNCTION(btm_scylla_disconnect);

typedef struct CacheKey
{
	Oid			umid;			/* the user mapping */
	int			superuser;		/* 0, 1: of the user */
} CacheKey;

typedef struct CacheEntry
{
	CacheKey	key;
	BtmScyllaCluster *cluster;	/* or NULL */
	bool		changed;		/* while that was made */

	/* syscache hash values of the foreign server and the user mapping */
	uint32		server_hash;
	uint32		mapping_hash;
} CacheEntry;

static HTAB *cache = NULL;
static MemoryContext cache_cxt = NULL;	/* of the clusters */
static bool used_in_transaction = false;	/* any of them */

/* ---- closing */

/*
 * Closes the cluster of an entry, and removes the entry.
 */
static void
close_entry(CacheEntry *entry)
{
	BtmScyllaCluster *cluster = entry->cluster;

	hash_search(cache, &entry->key, HASH_REMOVE, NULL);
	btm_scylla_cluster_destroy(cluster);
}

/*
 * Syscache callback: a foreign server or user mapping has changed, or all of
 * them have (hashvalue 0).
 */
static void
invalidate(Datum arg, int cacheid, uint32 hashvalue)
{
	HASH_SEQ_STATUS scan;
	CacheEntry *entry;

	if (cache == NULL)
		return;
	hash_seq_init(&scan, cache);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		BtmScyllaCluster *cluster = entry->cluster;

		if (hashvalue != 0 &&
			hashvalue != (cacheid == FOREIGNSERVEROID ? entry->server_hash
						  : entry->mapping_hash))
			continue;
		entry->changed = true;
		if (cluster == NULL)
			continue;
		cluster->valid = false;
		if (!cluster->used)
			close_entry(entry);
	}
}

/*
 * Closes connections to nodes that have left the ring.
 */
static void
close_orphans(BtmScyllaCluster *cluster)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &cluster->connections)
	{
		BtmScyllaConnection *connection = dlist_container(BtmScyllaConnection, link, iter.cur);

		connection->used = false;
		if (connection->node == NULL && connection != cluster->control)
			btm_scylla_connection_close(connection);
	}
}

/*
 * The transaction is over: nobody holds anything of a cluster any more.
 */
static void
end_use(CacheEntry *entry)
{
	BtmScyllaCluster *cluster = entry->cluster;

	if (cluster == NULL || !cluster->used)
		return;
	while (!dlist_is_empty(&cluster->pipelines))
		btm_scylla_pipeline_detach(btm_scylla_pipeline_of_link(dlist_head_node(&cluster->pipelines)));
	cluster->used = false;
	if (!cluster->valid)
	{
		close_entry(entry);
		return;
	}
	btm_scylla_statements_end_of_transaction(cluster);
	close_orphans(cluster);
}

/*
 * Transaction callback.
 */
static void
end_of_transaction(XactEvent event, void *arg)
{
	HASH_SEQ_STATUS scan;
	CacheEntry *entry;

	if (!used_in_transaction ||
		event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PARALLEL_PRE_COMMIT ||
		event == XACT_EVENT_PRE_PREPARE)
		return;
	hash_seq_init(&scan, cache);
	while ((entry = hash_seq_search(&scan)) != NULL)
		end_use(entry);
	used_in_transaction = false;
}

void
btm_scylla_connection_init(void)
{
	RegisterXactCallback(end_of_transaction, NULL);
	CacheRegisterSyscacheCallback(FOREIGNSERVEROID, invalidate, (Datum) 0);
	CacheRegisterSyscacheCallback(USERMAPPINGOID, invalidate, (Datum) 0);
}

/* ---- use */

/*
 * Creates the cache, empty.
 */
static void
create_cache(void)
{
	HASHCTL		ctl = {0};

	if (cache_cxt == NULL)
		cache_cxt = AllocSetContextCreate(TopMemoryContext,
										  "belongs_to_many Scylla connections",
										  ALLOCSET_SMALL_SIZES);
	ctl.keysize = sizeof(CacheKey);
	ctl.entrysize = sizeof(CacheEntry);
	ctl.hcxt = cache_cxt;
	cache = hash_create("belongs_to_many Scylla connections", 8, &ctl,
						HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/*
 * Creates the cluster of an entry that has none.  What changes the server or
 * the mapping while they are read, marks it as it would later.
 */
static void
create_cluster(CacheEntry *entry, Oid serverid, Oid userid)
{
	BtmScyllaCluster *cluster;

	entry->server_hash = GetSysCacheHashValue1(FOREIGNSERVEROID,
											   ObjectIdGetDatum(serverid));
	entry->mapping_hash = GetSysCacheHashValue1(USERMAPPINGOID,
												ObjectIdGetDatum(entry->key.umid));
	entry->changed = false;
	cluster = btm_scylla_cluster_create(serverid, userid, cache_cxt);
	cluster->valid = !entry->changed;
	entry->cluster = cluster;
}

/*
 * The cluster of a user's mapping; it is up to date unless it is in use already.
 */
static BtmScyllaCluster *
find_cluster(Oid umid, Oid serverid, Oid userid)
{
	CacheKey	key = {umid, superuser_arg(userid) ? 1 : 0};
	CacheEntry *entry;
	bool		found;

	if (cache == NULL)
		create_cache();
	entry = hash_search(cache, &key, HASH_ENTER, &found);
	if (!found)
		entry->cluster = NULL;
	if (entry->cluster == NULL)
		create_cluster(entry, serverid, userid);
	return entry->cluster;
}

BtmScyllaCluster *
btm_scylla_cluster(Oid serverid, Oid userid)
{
	Oid			umid = GetUserMapping(userid, serverid)->umid;
	BtmScyllaCluster *cluster = find_cluster(umid, serverid, userid);

	if (!cluster->used)
	{
		cluster->used = true;
		used_in_transaction = true;
		btm_scylla_cluster_look(cluster);
	}
	btm_scylla_cluster_connect(cluster);
	return cluster;
}

/* ---- SQL functions */

#define NCOLUMNS 12

/*
 * Sets a column of text; NULL is null.
 */
static void
set_text(Datum *values, bool *nulls, int column, const char *text)
{
	nulls[column] = text == NULL;
	if (text != NULL)
		values[column] = CStringGetTextDatum(text);
}

/*
 * Sets a column of text that a peer has told.
 */
static void
set_peer_text(Datum *values, bool *nulls, int column, const char *text)
{
	CqlString	string = {text, text != NULL ? strlen(text) : 0};

	set_text(values, nulls, column, text != NULL ? btm_scylla_peer_text(string) : NULL);
}

/*
 * Sets a column of type name; NULL is null.
 */
static void
set_name(Datum *values, bool *nulls, int column, const char *name)
{
	nulls[column] = name == NULL;
	if (name != NULL)
		values[column] = DirectFunctionCall1(namein, CStringGetDatum(name));
}

/*
 * The user of a mapping, "public" if it is for all, NULL if it is gone.
 */
static const char *
mapping_user(Oid umid)
{
	HeapTuple	tuple = SearchSysCache1(USERMAPPINGOID, ObjectIdGetDatum(umid));
	Oid			userid;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	userid = ((Form_pg_user_mapping) GETSTRUCT(tuple))->umuser;
	ReleaseSysCache(tuple);
	return OidIsValid(userid) ? GetUserNameFromId(userid, true) : "public";
}

/* A row of scylla_connections(), but for the first two columns. */
typedef struct ConnectionRow
{
	Oid			serverid;
	Oid			umid;
	Datum		values[NCOLUMNS];
	bool		nulls[NCOLUMNS];
} ConnectionRow;

/*
 * The row of a connection.  Catalogs are not looked at: that may close it.
 */
static ConnectionRow *
connection_row(const BtmScyllaConnection *connection)
{
	const BtmScyllaCluster *cluster = connection->cluster;
	const BtmScyllaNode *node = connection->node;
	ConnectionRow *row = palloc0(sizeof(ConnectionRow));
	Datum	   *values = row->values;
	bool	   *nulls = row->nulls;

	row->serverid = cluster->options->serverid;
	row->umid = cluster->options->umid;
	set_text(values, nulls, 2, connection->host);
	values[3] = Int32GetDatum(connection->port);
	set_peer_text(values, nulls, 4, node != NULL ? node->rack : NULL);
	set_peer_text(values, nulls, 5, node != NULL ? node->datacenter : NULL);
	values[6] = Int32GetDatum(CQL_PROTOCOL_VERSION);
	set_text(values, nulls, 7, cql_session_compression(connection->session) ? "lz4" : NULL);
	set_text(values, nulls, 8, btm_scylla_transport_tls(connection->transport));
	values[9] = Int32GetDatum(cql_session_in_flight(connection->session));
	values[10] = BoolGetDatum(connection->used);
	values[11] = BoolGetDatum(cluster->valid);
	return row;
}

/*
 * The rows of all connections.
 */
static List *
connection_rows(void)
{
	List	   *rows = NIL;
	HASH_SEQ_STATUS scan;
	CacheEntry *entry;

	if (cache == NULL)
		return NIL;
	hash_seq_init(&scan, cache);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		dlist_iter	iter;

		if (entry->cluster == NULL)
			continue;
		dlist_foreach(iter, &entry->cluster->connections)
			rows = lappend(rows, connection_row(dlist_container(BtmScyllaConnection,
																link, iter.cur)));
	}
	return rows;
}

/*
 * scylla_connections() returns a row for each connection of this session.
 */
Datum
btm_scylla_connections(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	foreach(lc, connection_rows())
	{
		ConnectionRow *row = lfirst(lc);
		ForeignServer *server = GetForeignServerExtended(row->serverid, FSV_MISSING_OK);

		set_name(row->values, row->nulls, 0, server != NULL ? server->servername : NULL);
		set_name(row->values, row->nulls, 1, mapping_user(row->umid));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row->values, row->nulls);
	}
	PG_RETURN_VOID();
}

/*
 * Closes a cluster, unless this transaction uses it.  Whether it did.
 */
static bool
disconnect_entry(CacheEntry *entry)
{
	bool		connected = !dlist_is_empty(&entry->cluster->connections);

	if (entry->cluster->used)
	{
		if (connected)
			ereport(WARNING,
					(errcode(ERRCODE_OBJECT_IN_USE),
					 errmsg("cannot close the connections to server \"%s\" in the transaction that uses them",
							entry->cluster->options->servername)));
		return false;
	}
	close_entry(entry);
	return connected;
}

/*
 * The argument `server`.  Errors: 22004 for NULL, 42704 for an unknown server.
 */
static Oid
server_arg(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("server must not be null")));
	return GetForeignServerByName(NameStr(*PG_GETARG_NAME(0)), false)->serverid;
}

/*
 * scylla_disconnect(server) closes this session's connections to a server.
 * True if there were any.
 */
Datum
btm_scylla_disconnect(PG_FUNCTION_ARGS)
{
	Oid			serverid = server_arg(fcinfo);
	HASH_SEQ_STATUS scan;
	CacheEntry *entry;
	bool		closed = false;

	if (cache == NULL)
		PG_RETURN_BOOL(false);
	hash_seq_init(&scan, cache);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		if (entry->cluster != NULL && entry->cluster->options->serverid == serverid)
			closed |= disconnect_entry(entry);
	}
	PG_RETURN_BOOL(closed);
}
