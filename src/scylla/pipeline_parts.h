/*-------------------------------------------------------------------------
 *
 * pipeline_parts.h
 *	  What pipeline.c, pipeline_request.c and pipeline_send.c share; nobody else includes it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SCYLLA_PIPELINE_PARTS_H
#define BTM_SCYLLA_PIPELINE_PARTS_H

#include "scylla/cluster.h"

struct BtmScyllaPipeline
{
	dlist_node	link;			/* in the cluster's pipelines */
	MemoryContext context;		/* the pipeline's own */
	BtmScyllaCluster *cluster;	/* NULL: cut off */
	int			pending;		/* neither received nor internal */
	bool		repeatable;		/* all requests are, not only those that read */
	dlist_head	all;			/* requests that are not unused */
	dlist_head	answers;
	dlist_head	unused;
	BtmScyllaRequest *failed;	/* whose error was raised: of no more use */
};

/* pipeline.c */
extern BtmScyllaCluster *btm_scylla_cluster_of(BtmScyllaPipeline *pipeline);

/* pipeline_request.c */
extern BtmScyllaRequest *btm_scylla_request_new(BtmScyllaPipeline *pipeline);
extern void btm_scylla_request_free_response(BtmScyllaRequest *request);
extern void btm_scylla_request_abandon(BtmScyllaRequest *request);
extern void btm_scylla_request_recycle(BtmScyllaRequest *request);
extern void btm_scylla_request_place(BtmScyllaRequest *request,
									 BtmScyllaConnection *connection, int16 stream);
extern void btm_scylla_flush_if_due(BtmScyllaConnection *connection);
extern bool btm_scylla_has_room(const BtmScyllaConnection *connection);
extern void btm_scylla_check_losses(BtmScyllaCluster *cluster, uint64 before,
									const char *text);
pg_noreturn extern void btm_scylla_raise_request(const CqlError *error, const char *text);
extern const BtmScyllaStatement *btm_scylla_prepare_on(BtmScyllaPipeline *pipeline,
													   BtmScyllaConnection *connection,
													   const BtmScyllaStatement *statement);

/* pipeline_send.c */
extern void btm_scylla_request_repeat(BtmScyllaRequest *request);

#endif							/* BTM_SCYLLA_PIPELINE_PARTS_H */
