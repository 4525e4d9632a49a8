/*-------------------------------------------------------------------------
 *
 * connection.h
 *	  Connections to the nodes of a server, and requests on them.
 *
 * A *cluster* is a foreign server as one user mapping reaches it.  A backend
 * keeps it, with a connection per node that was needed, until the server or
 * the mapping is altered, or scylla_disconnect.
 *
 * Requests go through a *pipeline*: send as many as you like, and receive the
 * answers in the order they come.  Waiting is interruptible.  A pipeline
 * belongs to a memory context; when that goes, after an error as well, requests
 * whose answer did not come are abandoned.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SCYLLA_CONNECTION_H
#define BTM_SCYLLA_CONNECTION_H

#include "cql/session.h"
#include "scylla/options.h"

#include "utils/palloc.h"

typedef struct BtmScyllaCluster BtmScyllaCluster;
typedef struct BtmScyllaPipeline BtmScyllaPipeline;

/*
 * The cluster of a server for a user, connected to one node at least: the
 * contact points are tried in turn, those that failed lately last.  08001
 * naming host, port and reason of each that was tried; 28P01 for a wrong
 * password; 08P01 for a peer that does not speak the protocol.
 */
extern BtmScyllaCluster *btm_scylla_cluster(Oid serverid, Oid userid);

extern const BtmScyllaOptions *btm_scylla_cluster_options(const BtmScyllaCluster *cluster);

/*
 * Text of CQL is in UTF-8 here, whatever the database's encoding is.
 *
 * A statement as it is known on whatever node it runs: its text, and after
 * btm_scylla_prepare markers and result.  Kept by the cluster by its text.
 */
typedef struct BtmScyllaStatement
{
	const char *text;
	const CqlMetadata *markers;
	const CqlMetadata *result;
	bool		conditional;
} BtmScyllaStatement;

/* Whether CQL begins with a word, in any case, behind blanks and comments. */
extern bool btm_scylla_text_begins(const char *text, const char *word);

/* Whether a statement only reads: it may be repeated without harm. */
extern bool btm_scylla_text_reads(const char *text);

/*
 * Prepares a statement on one node (on others when it is first sent there).
 * The result is valid until the end of the transaction, at least, and has
 * `nmarkers` markers: 08P01 if the server says otherwise; -1 where it is the one
 * to know.
 */
extern const BtmScyllaStatement *btm_scylla_prepare(BtmScyllaCluster *cluster,
													const char *text, int nmarkers);

extern BtmScyllaPipeline *btm_scylla_pipeline_create(BtmScyllaCluster *cluster,
													 MemoryContext context);
extern void btm_scylla_pipeline_free(BtmScyllaPipeline *pipeline);

/*
 * Says that what is sent from now on may be done twice without harm, as reads may,
 * because it is a write with a timestamp of its own.
 */
extern void btm_scylla_pipeline_set_repeatable(BtmScyllaPipeline *pipeline);

/*
 * Sends a statement that was prepared: to a replica of its partition, where
 * the markers give the partition key and the ring is known, else to any node.
 * Values are copied.  Waits while max_in_flight requests are under way.
 * `parameters` may be NULL: the server's consistency, no paging.
 */
extern void btm_scylla_send(BtmScyllaPipeline *pipeline,
							const BtmScyllaStatement *statement,
							const CqlBytes *values,
							const CqlParameters *parameters, void *tag);

/*
 * Sends a statement that is only text, without markers (DDL, say): unprepared.
 */
extern void btm_scylla_send_text(BtmScyllaPipeline *pipeline, const char *text,
								 const CqlParameters *parameters, void *tag);

/* One batch; all entries' statements were prepared. */
typedef struct BtmScyllaBatchEntry
{
	const BtmScyllaStatement *statement;
	const CqlBytes *values;
} BtmScyllaBatchEntry;

/* Where it is sent, the first entry tells. */
extern void btm_scylla_send_batch(BtmScyllaPipeline *pipeline, CqlBatchType type,
								  int nentries, const BtmScyllaBatchEntry *entries,
								  const CqlParameters *parameters, void *tag);

/*
 * Sends what waits for more to be sent with it.  Receiving does so as well; this
 * is for callers that do something else first.
 */
extern void btm_scylla_pipeline_flush(BtmScyllaPipeline *pipeline);

/* Answers that are still to come, or to be received. */
extern int	btm_scylla_pending(const BtmScyllaPipeline *pipeline);

typedef struct BtmScyllaAnswer
{
	void	   *tag;
	CqlResponse *response;		/* void, rows, set keyspace or schema change;
								 * the caller frees it, or the pipeline's end */
	const CqlMetadata *metadata;	/* of rows, also where they came without */
	struct BtmScyllaRequest *request;	/* private */
} BtmScyllaAnswer;

/*
 * Waits for the next answer.  A server's error is raised here, with its SQLSTATE
 * (see errors.h), its text as detail and the CQL in the context; a connection that
 * breaks is 08006; no answer within request_timeout too, and then the connection
 * is closed.  A statement that only reads, or may be repeated, is tried once more
 * before that, also where the server could not reach enough replicas.  Warnings of
 * the server are raised as WARNINGs.  False when nothing is pending.
 */
extern bool btm_scylla_receive(BtmScyllaPipeline *pipeline, BtmScyllaAnswer *answer);

/*
 * Waits until at most `most` answers are pending, and frees those that came.  If
 * one was an error, waits for all of them and raises the first error then.
 */
extern void btm_scylla_await(BtmScyllaPipeline *pipeline, int most);

/* Frees a response before its pipeline's end. */
extern void btm_scylla_answer_free(BtmScyllaPipeline *pipeline, BtmScyllaAnswer *answer);

extern void btm_scylla_connection_init(void);

#endif							/* BTM_SCYLLA_CONNECTION_H */
