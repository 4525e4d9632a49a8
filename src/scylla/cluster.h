/*-------------------------------------------------------------------------
 *
 * cluster.h
 *	  The parts of a cluster, as the files that implement connection.h share
 *	  them.
 *
 * Who may raise errors: whatever waits or takes memory of PostgreSQL's.  What
 * moves bytes, hands out events or puts the state in order after a failure does
 * not, so that an error never finds it half done.
 *
 * A pointer to a connection is good until the next wait: the connection may be
 * closed in it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SCYLLA_CLUSTER_H
#define BTM_SCYLLA_CLUSTER_H

#include "cql/token.h"
#include "scylla/connection.h"
#include "scylla/errors.h"
#include "scylla/transport.h"

#include "lib/ilist.h"
#include "storage/latch.h"
#include "utils/hsearch.h"

/* A place that may be out of reach, and when it is worth another try. */
typedef struct BtmScyllaHealth
{
	int			failures;		/* since the last success */
	int64		retry_at;		/* of btm_scylla_now; 0: at any time */
} BtmScyllaHealth;

typedef struct BtmScyllaContact
{
	const BtmScyllaHost *host;
	BtmScyllaHealth health;
} BtmScyllaContact;

#define BTM_SCYLLA_HOST_ID_SIZE 16

/*
 * Streams of a connection beyond max_in_flight, for what this side itself asks:
 * the ring, the next PREPARE.
 */
#define BTM_SCYLLA_OWN_STREAMS 8

/* A node of the ring. */
typedef struct BtmScyllaNode
{
	uint8		host_id[BTM_SCYLLA_HOST_ID_SIZE];
	char	   *host;			/* its address for clients */
	int			port;
	char	   *datacenter;
	char	   *rack;
	BtmScyllaHealth health;
	struct BtmScyllaConnection *connection; /* or NULL */
	bool		present;		/* found by the look-up that is under way */
} BtmScyllaNode;

/* A connection that is open and logged in. */
typedef struct BtmScyllaConnection
{
	dlist_node	link;			/* in the cluster's connections */
	BtmScyllaCluster *cluster;
	BtmScyllaTransport *transport;
	CqlSession *session;
	uint64		serial;			/* no other connection of this backend has it */
	char	   *host;			/* as it was connected to */
	int			port;
	BtmScyllaContact *contact;	/* by which it was made, or NULL */
	BtmScyllaNode *node;		/* or NULL while that is not known */

	dlist_head	requests;		/* under way, by the time of sending */
	uint32		nrequests;

	/*
	 * Requests that the server must answer although nobody waits for that:
	 * abandoned ones and REGISTER.  Times are those of btm_scylla_deadline.
	 */
	uint32		nunclaimed;		/* as of the last look */
	int64		unclaimed_until;	/* when one is to be answered; 0: none is */
	int64		unclaimed_last; /* the deadline of the last of them */
	bool		used;			/* in this transaction */
	bool		more;			/* there may be bytes that no event will tell of */

	int			position;		/* in the wait event set */
	uint32		waiting_for;	/* there */
} BtmScyllaConnection;

/* How a keyspace is replicated. */
typedef struct BtmScyllaKeyspace
{
	char	   *name;
	CqlArena	arena;			/* of the replication's strings */
	CqlReplication replication;
} BtmScyllaKeyspace;

struct BtmScyllaCluster
{
	MemoryContext context;		/* of all that is here */
	CqlAllocator allocator;		/* of that context */
	BtmScyllaOptions *options;

	bool		used;			/* in this transaction */
	bool		valid;			/* false: to be closed when it is not used */

	int			ncontacts;
	BtmScyllaContact *contacts;
	dlist_head	connections;
	BtmScyllaConnection *control;	/* the one that tells events; or NULL */
	dlist_head	pipelines;
	uint64		losses;			/* connections that were lost, ever */
	BtmScyllaFailure last_loss;

	WaitEventSet *wait_set;		/* latch, postmaster, connections; or NULL */
	int			wait_set_size;	/* connections in it; -1: to be made anew */

	/*
	 * Time that nobody spent waiting does not count towards timeouts: that is
	 * the caller's, not the server's.
	 */
	int64		paused;
	int64		left_at;

	struct BtmScyllaStatements *statements;

	/* primary keys, as they are there */
	bool		schema_stale;	/* a table has changed, or may have */
	List	   *known_keys;		/* of texts: see primary_key.c */

	/* the ring */
	bool		topology_stale;
	bool		retry_nodes;	/* a node has come up */
	bool		keyspaces_stale;
	int			nnodes;
	BtmScyllaNode **nodes;
	CqlRing    *ring;			/* NULL: not known, or of one node */
	char	   *local_dc;		/* "" while that is not known */
	List	   *keyspaces;		/* of BtmScyllaKeyspace */
	CqlWriter	key;			/* room for a partition key */
};

typedef enum BtmScyllaRequestState
{
	BTM_REQUEST_UNUSED,
	BTM_REQUEST_SENT,			/* in its connection's list */
	BTM_REQUEST_ANSWERED,		/* in its pipeline's list of answers */
	BTM_REQUEST_LOST,			/* there, too */
	BTM_REQUEST_DELIVERED		/* in no list: somebody is at it */
} BtmScyllaRequestState;

typedef struct BtmScyllaRequest
{
	dlist_node	link;			/* in the list that the state tells */
	dlist_node	all_link;		/* in its pipeline's list of all */
	BtmScyllaPipeline *pipeline;
	BtmScyllaRequestState state;

	/* while it is under way */
	BtmScyllaConnection *connection;
	int16		stream;
	int64		deadline;		/* of btm_scylla_deadline */

	void	   *tag;
	const BtmScyllaStatement *statement;	/* NULL: only text, or a batch */
	const char *text;			/* for messages */
	char	   *own_text;		/* the same, where it must be freed */
	bool		internal;		/* asked by this side itself */

	/* to send it again, if that does no harm and was not done already */
	bool		repeatable;
	int			nentries;		/* of a batch; 0: it is none, and has one entry */
	BtmScyllaBatchEntry *entries;
	CqlBatchType batch_type;
	CqlParameters parameters;
	char	   *buffer;			/* of entries, values and paging state */
	size_t		buffer_size;

	CqlResponse *response;
	const CqlMetadata *metadata;	/* of its rows */
} BtmScyllaRequest;

/* connection.c */
extern BtmScyllaConnection *btm_scylla_connection_open(BtmScyllaCluster *cluster,
													   const char *host, int port,
													   int64 deadline,
													   BtmScyllaFailure *failure);
extern void btm_scylla_connection_close(BtmScyllaConnection *connection);
extern bool btm_scylla_connection_flush(BtmScyllaConnection *connection,
										BtmScyllaFailure *failure);
extern bool btm_scylla_connection_fill(BtmScyllaConnection *connection,
									   bool *received, BtmScyllaFailure *failure);
extern bool btm_scylla_connection_has_output(const BtmScyllaConnection *connection);

/* cluster.c */
extern BtmScyllaCluster *btm_scylla_cluster_create(Oid serverid, Oid userid,
												   MemoryContext parent);
extern void btm_scylla_cluster_destroy(BtmScyllaCluster *cluster);
extern void btm_scylla_cluster_look(BtmScyllaCluster *cluster);
extern void btm_scylla_cluster_connect(BtmScyllaCluster *cluster);
extern BtmScyllaConnection *btm_scylla_node_connection(BtmScyllaCluster *cluster,
													   BtmScyllaNode *node);
extern bool btm_scylla_cluster_is_reachable(const BtmScyllaCluster *cluster);
pg_noreturn extern void btm_scylla_raise_lost(const BtmScyllaCluster *cluster,
											  const BtmScyllaFailure *failure,
											  const char *cql);

/* pump.c */
extern int64 btm_scylla_deadline(const BtmScyllaCluster *cluster);
extern void btm_scylla_note_unclaimed(BtmScyllaConnection *connection, int64 deadline);
extern void btm_scylla_pump(BtmScyllaCluster *cluster);
extern void btm_scylla_service(BtmScyllaConnection *connection, bool readable);
extern void btm_scylla_flush(BtmScyllaConnection *connection);
extern void btm_scylla_lose(BtmScyllaConnection *connection,
							const BtmScyllaFailure *failure);
extern void btm_scylla_pump_reset(BtmScyllaCluster *cluster);

/* health */
extern bool btm_scylla_is_healthy(const BtmScyllaHealth *health);
extern void btm_scylla_note_failure(BtmScyllaHealth *health);
extern void btm_scylla_note_success(BtmScyllaHealth *health);

/* pipeline.c */
extern void btm_scylla_pipeline_detach(BtmScyllaPipeline *pipeline);
extern BtmScyllaPipeline *btm_scylla_pipeline_of_link(dlist_node *link);

/* pipeline_request.c */
extern void btm_scylla_request_answer(BtmScyllaRequest *request,
									  BtmScyllaConnection *connection,
									  const CqlEvent *event);
extern void btm_scylla_request_lose(BtmScyllaRequest *request);
extern CqlResponse *btm_scylla_ask(BtmScyllaPipeline *pipeline,
								   BtmScyllaConnection *connection, const char *cql,
								   uint32 nvalues, const CqlBytes *values);

/* statement.c */
extern void btm_scylla_statements_create(BtmScyllaCluster *cluster);
extern void btm_scylla_statements_end_of_transaction(BtmScyllaCluster *cluster);
extern const BtmScyllaStatement *btm_scylla_statement_find(BtmScyllaCluster *cluster,
														   const char *text);
extern bool btm_scylla_statement_is_prepared(const BtmScyllaStatement *statement);
extern bool btm_scylla_statement_reads(const BtmScyllaStatement *statement);
extern const BtmScyllaStatement *btm_scylla_statement_learn(const BtmScyllaStatement *statement,
															const BtmScyllaConnection *connection,
															const CqlPrepared *prepared);

/* topology.c */
extern void btm_scylla_topology_refresh(BtmScyllaCluster *cluster);
extern void btm_scylla_topology_event(BtmScyllaCluster *cluster,
									  const CqlServerEvent *event);
extern void btm_scylla_topology_register(BtmScyllaConnection *connection);

/* route.c */
extern BtmScyllaConnection *btm_scylla_route(BtmScyllaCluster *cluster,
											 const BtmScyllaStatement *statement,
											 const CqlBytes *values);

#endif							/* BTM_SCYLLA_CLUSTER_H */
