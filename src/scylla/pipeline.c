/*-------------------------------------------------------------------------
 *
 * pipeline.c
 *	  Requests of one caller, and their answers in the order they come.
 *
 * A request moves from its connection's list, while it is under way, to its
 * pipeline's answers, when it was answered or its connection was lost.  That
 * takes no memory, so that it can be done wherever an answer comes to light, be
 * that in a wait of another pipeline.
 *
 * A pipeline has a memory context of its own; the end of that context is the
 * end of the pipeline, whoever brings it about.  The cluster may end before it,
 * at the end of the transaction: then it is cut off, and holds nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "scylla/pipeline_parts.h"
#include "utils/memutils.h"

/* ---- beginning and end */

/*
 * Lets go of all that does not go with the pipeline's memory: answers to come
 * will be swallowed.
 */
static void
release_requests(BtmScyllaPipeline *pipeline)
{
	dlist_iter	iter;

	dlist_foreach(iter, &pipeline->all)
	{
		BtmScyllaRequest *request = dlist_container(BtmScyllaRequest, all_link, iter.cur);

		if (request->state == BTM_REQUEST_SENT)
			btm_scylla_request_abandon(request);
		btm_scylla_request_free_response(request);
	}
	dlist_init(&pipeline->all);
	dlist_init(&pipeline->answers);
	pipeline->pending = 0;
	pipeline->failed = NULL;
}

/*
 * Cuts a pipeline off from its cluster.  Does not raise.
 */
void
btm_scylla_pipeline_detach(BtmScyllaPipeline *pipeline)
{
	if (pipeline->cluster == NULL)
		return;
	release_requests(pipeline);
	dlist_delete(&pipeline->link);
	pipeline->cluster = NULL;
}

/*
 * The end of a pipeline's memory context.
 */
static void
context_callback(void *arg)
{
	btm_scylla_pipeline_detach(arg);
}

/*
 * The pipeline that is at a place of its cluster's list.
 */
BtmScyllaPipeline *
btm_scylla_pipeline_of_link(dlist_node *link)
{
	return dlist_container(BtmScyllaPipeline, link, link);
}

BtmScyllaPipeline *
btm_scylla_pipeline_create(BtmScyllaCluster *cluster, MemoryContext context)
{
	MemoryContext own = AllocSetContextCreate(context,
											  "belongs_to_many Scylla pipeline",
											  ALLOCSET_SMALL_SIZES);
	BtmScyllaPipeline *pipeline = MemoryContextAllocZero(own, sizeof(BtmScyllaPipeline));
	MemoryContextCallback *callback = MemoryContextAllocZero(own, sizeof(MemoryContextCallback));

	pipeline->context = own;
	pipeline->cluster = cluster;
	dlist_init(&pipeline->all);
	dlist_init(&pipeline->answers);
	dlist_init(&pipeline->unused);
	dlist_push_tail(&cluster->pipelines, &pipeline->link);
	callback->func = context_callback;
	callback->arg = pipeline;
	MemoryContextRegisterResetCallback(own, callback);
	return pipeline;
}

void
btm_scylla_pipeline_set_repeatable(BtmScyllaPipeline *pipeline)
{
	pipeline->repeatable = true;
}

void
btm_scylla_pipeline_free(BtmScyllaPipeline *pipeline)
{
	MemoryContextDelete(pipeline->context);
}

int
btm_scylla_pending(const BtmScyllaPipeline *pipeline)
{
	return pipeline->pending;
}

/*
 * The cluster of a pipeline that is still to be used.
 */
BtmScyllaCluster *
btm_scylla_cluster_of(BtmScyllaPipeline *pipeline)
{
	if (pipeline->cluster == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_CONNECTION_DOES_NOT_EXIST),
				 errmsg("the connections to the server have been closed")));
	return pipeline->cluster;
}

/* ---- receiving */

/*
 * Whether a request has failed for want of replicas, for the moment: a node may
 * have died while the one that was asked waited for it.
 */
static bool
lacks_replicas(const BtmScyllaRequest *request)
{
	if (request->response->kind != CQL_RESPONSE_ERROR)
		return false;
	switch (request->response->u.error.code)
	{
		case CQL_ERR_UNAVAILABLE:
		case CQL_ERR_BOOTSTRAPPING:
		case CQL_ERR_WRITE_TIMEOUT:
		case CQL_ERR_READ_TIMEOUT:
			return true;
		default:
			return false;
	}
}

/*
 * Whether an answer, or the loss of a request, is not to be handed out and the
 * request to be sent again: that does no harm, this is the first time, and
 * there is somebody else to ask, or the node has merely closed the connection.
 */
static bool
is_worth_repeating(const BtmScyllaRequest *request)
{
	const BtmScyllaCluster *cluster = request->pipeline->cluster;

	if (!request->repeatable)
		return false;
	if (request->state == BTM_REQUEST_ANSWERED)
		return lacks_replicas(request);
	return !cluster->last_loss.timed_out || btm_scylla_cluster_is_reachable(cluster);
}

/*
 * Sends all again that is worth it.
 */
static void
repeat_all(BtmScyllaPipeline *pipeline)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &pipeline->answers)
	{
		BtmScyllaRequest *request = dlist_container(BtmScyllaRequest, link, iter.cur);

		if (is_worth_repeating(request))
			btm_scylla_request_repeat(request);
	}
}

/*
 * The next request that was answered, or is lost for good.  NULL if none is
 * pending.
 */
static BtmScyllaRequest *
next_answer(BtmScyllaPipeline *pipeline)
{
	while (pipeline->pending > 0)
	{
		if (!dlist_is_empty(&pipeline->answers))
		{
			BtmScyllaRequest *request = dlist_head_element(BtmScyllaRequest, link,
														   &pipeline->answers);

			if (!is_worth_repeating(request))
				return request;
			repeat_all(pipeline);
		}
		else
			btm_scylla_pump(btm_scylla_cluster_of(pipeline));
	}
	return NULL;
}

/*
 * Raises what a request has come to, if that is an error.
 */
static void
raise_failure(BtmScyllaRequest *request)
{
	BtmScyllaCluster *cluster = request->pipeline->cluster;
	CqlResponse *response = request->response;

	if (request->state == BTM_REQUEST_LOST)
		btm_scylla_raise_lost(cluster, &cluster->last_loss, request->text);
	if (response->kind == CQL_RESPONSE_ERROR)
		btm_scylla_raise(&response->u.error, cluster->options->servername, request->text);
	if (response->kind != CQL_RESPONSE_ROWS)
		return;
	if (request->metadata == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	if (request->metadata->columns == NULL && request->metadata->ncolumns > 0)
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("server \"%s\" has sent rows without their columns",
						cluster->options->servername),
				 btm_scylla_errcontext(request->text)));
}

/*
 * Passes the server's warnings on.
 */
static void
raise_warnings(BtmScyllaRequest *request)
{
	const CqlStringList *warnings = &request->response->warnings;

	for (uint32 i = 0; i < warnings->count; i++)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("warning of server \"%s\": %s",
						request->pipeline->cluster->options->servername,
						btm_scylla_peer_text(warnings->items[i])),
				 btm_scylla_errcontext(request->text)));
}

/*
 * Recycles the request whose error was raised.  (Not before: the error needs
 * its texts.)
 */
static void
clear_failed(BtmScyllaPipeline *pipeline)
{
	BtmScyllaRequest *request = pipeline->failed;

	pipeline->failed = NULL;
	if (request != NULL)
		btm_scylla_request_recycle(request);
}

bool
btm_scylla_receive(BtmScyllaPipeline *pipeline, BtmScyllaAnswer *answer)
{
	BtmScyllaRequest *request;

	clear_failed(pipeline);
	request = next_answer(pipeline);
	if (request == NULL)
		return false;

	dlist_delete(&request->link);
	pipeline->pending--;
	pipeline->failed = request;
	raise_failure(request);
	raise_warnings(request);
	pipeline->failed = NULL;

	request->state = BTM_REQUEST_DELIVERED;
	answer->tag = request->tag;
	answer->response = request->response;
	answer->metadata = request->metadata;
	answer->request = request;
	return true;
}

/*
 * Whether a request has come to an error.
 */
static bool
has_failed(const BtmScyllaRequest *request)
{
	return request->state == BTM_REQUEST_LOST ||
		request->response->kind == CQL_RESPONSE_ERROR;
}

void
btm_scylla_await(BtmScyllaPipeline *pipeline, int most)
{
	BtmScyllaRequest *failed = NULL;
	BtmScyllaRequest *request;

	clear_failed(pipeline);
	while (pipeline->pending > (failed != NULL ? 0 : most) &&
		   (request = next_answer(pipeline)) != NULL)
	{
		dlist_delete(&request->link);
		pipeline->pending--;
		if (failed == NULL && has_failed(request))
			failed = request;
		else
		{
			if (!has_failed(request))
				raise_warnings(request);
			btm_scylla_request_recycle(request);
		}
	}
	if (failed != NULL)
	{
		pipeline->failed = failed;
		raise_failure(failed);
	}
}

void
btm_scylla_answer_free(BtmScyllaPipeline *pipeline, BtmScyllaAnswer *answer)
{
	if (pipeline->cluster != NULL)
		btm_scylla_request_recycle(answer->request);
	answer->response = NULL;
	answer->metadata = NULL;
	answer->request = NULL;
}
