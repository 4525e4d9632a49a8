/*-------------------------------------------------------------------------
 *
 * pipeline_request.c
 *	  The life of a request, and the requests of this side itself.
 *
 * What moves a request from one list to another takes no memory and raises no
 * error.  A request of this side's own (a PREPARE, a look at the ring) is
 * waited for where it is made, and its answer is no caller's.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "scylla/pipeline_parts.h"

/* Unsent bytes of a connection that are sent without waiting for more. */
#define FLUSH_SIZE 16384

/* Connections that may be lost while one request is being sent. */
#define MAX_LOSSES 3

/*
 * Frees a request's response.
 */
void
btm_scylla_request_free_response(BtmScyllaRequest *request)
{
	if (request->response != NULL)
		cql_response_free(request->response);
	request->response = NULL;
}

/*
 * Takes a request off its connection's list.
 */
static void
take_off(BtmScyllaRequest *request)
{
	dlist_delete(&request->link);
	request->connection->nrequests--;
	request->connection = NULL;
}

/*
 * Has the answer to a request swallowed.  The server is still to give it in
 * time.
 */
void
btm_scylla_request_abandon(BtmScyllaRequest *request)
{
	BtmScyllaConnection *connection = request->connection;

	cql_session_abandon(connection->session, request->stream);
	btm_scylla_note_unclaimed(connection, request->deadline);
	take_off(request);
}

/*
 * A request to be filled and sent.
 */
BtmScyllaRequest *
btm_scylla_request_new(BtmScyllaPipeline *pipeline)
{
	BtmScyllaRequest *request;

	if (dlist_is_empty(&pipeline->unused))
	{
		request = MemoryContextAllocZero(pipeline->context, sizeof(BtmScyllaRequest));
		request->pipeline = pipeline;
		return request;
	}
	return dlist_container(BtmScyllaRequest, link,
						   dlist_pop_head_node(&pipeline->unused));
}

/*
 * Puts a request that is in no list any more among those that can be used
 * again.
 */
void
btm_scylla_request_recycle(BtmScyllaRequest *request)
{
	BtmScyllaPipeline *pipeline = request->pipeline;
	char	   *buffer = request->buffer;
	size_t		buffer_size = request->buffer_size;

	btm_scylla_request_free_response(request);
	if (request->own_text != NULL)
		pfree(request->own_text);
	if (request->state != BTM_REQUEST_UNUSED)
		dlist_delete(&request->all_link);
	memset(request, 0, sizeof(BtmScyllaRequest));
	request->pipeline = pipeline;
	request->buffer = buffer;
	request->buffer_size = buffer_size;
	dlist_push_head(&pipeline->unused, &request->link);
}

/*
 * Notes that a request is under way on a connection.
 */
void
btm_scylla_request_place(BtmScyllaRequest *request, BtmScyllaConnection *connection, int16 stream)
{
	if (request->state == BTM_REQUEST_UNUSED)
	{
		dlist_push_tail(&request->pipeline->all, &request->all_link);
		request->pipeline->pending += request->internal ? 0 : 1;
	}
	request->state = BTM_REQUEST_SENT;
	request->connection = connection;
	request->stream = stream;
	request->deadline = btm_scylla_deadline(connection->cluster);
	dlist_push_tail(&connection->requests, &request->link);
	connection->nrequests++;
	connection->used = true;
}

/*
 * Sends at once if the server has nothing else to do, or if there is much;
 * otherwise requests that follow go with this one.
 */
void
btm_scylla_flush_if_due(BtmScyllaConnection *connection)
{
	const uint8_t *data;
	size_t		length;

	cql_session_output(connection->session, &data, &length);
	if (length >= FLUSH_SIZE || cql_session_in_flight(connection->session) == 1)
		btm_scylla_flush(connection);
}

/*
 * Takes a request from its connection's list to its pipeline's answers; an
 * internal one only from there, since its answer is not the caller's.
 */
static void
move_to_answers(BtmScyllaRequest *request, BtmScyllaRequestState state)
{
	Assert(request->state == BTM_REQUEST_SENT);
	take_off(request);
	request->state = state;
	if (!request->internal)
		dlist_push_tail(&request->pipeline->answers, &request->link);
}

/*
 * The metadata of a response's rows: its own, or, where the server was asked to
 * skip that, the one that the session has.
 */
static void
set_metadata(BtmScyllaRequest *request, BtmScyllaConnection *connection,
			 const CqlEvent *event)
{
	const BtmScyllaStatement *version;

	request->metadata = NULL;
	if (request->response->kind != CQL_RESPONSE_ROWS)
		return;
	request->metadata = &request->response->u.rows.metadata;
	if (request->metadata->columns != NULL || event->prepared == NULL ||
		request->statement == NULL)
		return;
	version = btm_scylla_statement_learn(request->statement, connection, event->prepared);
	request->metadata = version != NULL ? version->result : NULL;
}

/*
 * Notes an answer.  Does not raise.
 */
void
btm_scylla_request_answer(BtmScyllaRequest *request,
						  BtmScyllaConnection *connection, const CqlEvent *event)
{
	request->response = event->response;
	if (event->kind == CQL_EVENT_PREPARED)
		request->statement = btm_scylla_statement_learn(request->statement, connection,
														event->prepared);
	else
		set_metadata(request, connection, event);
	move_to_answers(request, BTM_REQUEST_ANSWERED);
}

/*
 * Notes that there will be no answer.  Does not raise.
 */
void
btm_scylla_request_lose(BtmScyllaRequest *request)
{
	move_to_answers(request, BTM_REQUEST_LOST);
}

/*
 * Raises why a request could not be put into a session.
 */
void
btm_scylla_raise_request(const CqlError *error, const char *text)
{
	BtmScyllaFailure failure;

	btm_scylla_fail_wire(&failure, error);
	ereport(ERROR,
			(errcode(failure.sqlstate),
			 errmsg("could not send a CQL statement: %s", failure.reason),
			 btm_scylla_errcontext(text)));
}

/*
 * Gives up on a request whose connections are lost time and again.
 */
void
btm_scylla_check_losses(BtmScyllaCluster *cluster, uint64 before, const char *text)
{
	if (cluster->losses - before > MAX_LOSSES)
		btm_scylla_raise_lost(cluster, &cluster->last_loss, text);
}

/*
 * Whether a connection may have one more request under way.
 */
bool
btm_scylla_has_room(const BtmScyllaConnection *connection)
{
	return cql_session_in_flight(connection->session) <
		(uint32) connection->cluster->options->max_in_flight;
}

/* ---- requests of this side itself */

/*
 * Waits until an internal request is no longer under way.
 */
static void
wait_for(BtmScyllaRequest *request)
{
	while (request->state == BTM_REQUEST_SENT)
		btm_scylla_pump(btm_scylla_cluster_of(request->pipeline));
}

/*
 * The response to a statement that is asked of this very connection: rows, an
 * error, anything.  NULL if the connection was lost.  It is the pipeline's.
 */
CqlResponse *
btm_scylla_ask(BtmScyllaPipeline *pipeline, BtmScyllaConnection *connection,
			   const char *cql, uint32 nvalues, const CqlBytes *values)
{
	CqlParameters parameters = {.consistency = CQL_CONSISTENCY_LOCAL_ONE};
	CqlString	text = {cql, strlen(cql)};
	BtmScyllaRequest *request = btm_scylla_request_new(pipeline);
	CqlError	error = {0};
	int16_t		stream;

	if (cql_session_query(connection->session, text, nvalues, values, &parameters,
						  request, &stream, &error) != CQL_OK)
		btm_scylla_raise_request(&error, cql);
	request->internal = true;
	request->text = cql;
	btm_scylla_request_place(request, connection, stream);
	btm_scylla_flush_if_due(connection);
	wait_for(request);
	return request->response;
}

/*
 * Prepares a statement on a connection.  Returns the version that it has
 * taught, or NULL if the connection was lost.
 */
const BtmScyllaStatement *
btm_scylla_prepare_on(BtmScyllaPipeline *pipeline, BtmScyllaConnection *connection,
					  const BtmScyllaStatement *statement)
{
	CqlString	text = {statement->text, strlen(statement->text)};
	BtmScyllaRequest *request = btm_scylla_request_new(pipeline);
	CqlError	error = {0};
	int16_t		stream;

	if (cql_session_prepare(connection->session, text, request, &stream, &error) != CQL_OK)
		btm_scylla_raise_request(&error, statement->text);
	request->internal = true;
	request->statement = statement;
	btm_scylla_request_place(request, connection, stream);
	btm_scylla_flush_if_due(connection);
	wait_for(request);
	if (request->state == BTM_REQUEST_LOST)
		statement = NULL;
	else if (request->response != NULL)
		btm_scylla_raise(&request->response->u.error,
						 pipeline->cluster->options->servername, statement->text);
	else if (request->statement == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	else
		statement = request->statement;
	btm_scylla_request_recycle(request);
	return statement;
}

/*
 * The statement of a text, prepared on one node at least.
 */
static const BtmScyllaStatement *
prepare_anywhere(BtmScyllaCluster *cluster, const char *text)
{
	const BtmScyllaStatement *statement = btm_scylla_statement_find(cluster, text);
	uint64		losses = cluster->losses;
	BtmScyllaPipeline *pipeline;

	if (btm_scylla_statement_is_prepared(statement))
		return statement;
	pipeline = btm_scylla_pipeline_create(cluster, CurrentMemoryContext);
	do
	{
		BtmScyllaConnection *connection = btm_scylla_route(cluster, NULL, NULL);

		btm_scylla_check_losses(cluster, losses, text);
		if (btm_scylla_has_room(connection))
			statement = btm_scylla_prepare_on(pipeline, connection, statement);
		else
			btm_scylla_pump(cluster);
		if (statement == NULL)
			statement = btm_scylla_statement_find(cluster, text);
	} while (!btm_scylla_statement_is_prepared(statement));
	btm_scylla_pipeline_free(pipeline);
	return statement;
}

const BtmScyllaStatement *
btm_scylla_prepare(BtmScyllaCluster *cluster, const char *text, int nmarkers)
{
	const BtmScyllaStatement *statement = prepare_anywhere(cluster, text);

	if (nmarkers >= 0 && statement->markers->ncolumns != (uint32) nmarkers)
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("server \"%s\" has found %u markers in a statement with %d",
						cluster->options->servername,
						(unsigned) statement->markers->ncolumns, nmarkers),
				 btm_scylla_errcontext(text)));
	return statement;
}
