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

#include "scylla/cluster.h"
#include "utils/memutils.h"

/* Unsent bytes of a connection that are sent without waiting for more. */
#define FLUSH_SIZE 16384

/* Connections that may be lost while one request is being sent. */
#define MAX_LOSSES 3

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

/* ---- beginning and end */

/*
 * Frees a request's response.
 */
static void
free_response(BtmScyllaRequest *request)
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
static void
abandon(BtmScyllaRequest *request)
{
	BtmScyllaConnection *connection = request->connection;

	cql_session_abandon(connection->session, request->stream);
	btm_scylla_note_unclaimed(connection, request->deadline);
	take_off(request);
}

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
			abandon(request);
		free_response(request);
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
static BtmScyllaCluster *
cluster_of(BtmScyllaPipeline *pipeline)
{
	if (pipeline->cluster == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_CONNECTION_DOES_NOT_EXIST),
				 errmsg("the connections to the server have been closed")));
	return pipeline->cluster;
}

/* ---- requests */

/*
 * A request to be filled and sent.
 */
static BtmScyllaRequest *
new_request(BtmScyllaPipeline *pipeline)
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
static void
recycle(BtmScyllaRequest *request)
{
	BtmScyllaPipeline *pipeline = request->pipeline;
	char	   *buffer = request->buffer;
	size_t		buffer_size = request->buffer_size;

	free_response(request);
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
static void
place(BtmScyllaRequest *request, BtmScyllaConnection *connection, int16 stream)
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
static void
flush_if_due(BtmScyllaConnection *connection)
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
static void
raise_request_error(const CqlError *error, const char *text)
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
static void
check_losses(BtmScyllaCluster *cluster, uint64 before, const char *text)
{
	if (cluster->losses - before > MAX_LOSSES)
		btm_scylla_raise_lost(cluster, &cluster->last_loss, text);
}

/*
 * Whether a connection may have one more request under way.
 */
static bool
has_room(const BtmScyllaConnection *connection)
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
		btm_scylla_pump(cluster_of(request->pipeline));
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
	BtmScyllaRequest *request = new_request(pipeline);
	CqlError	error = {0};
	int16_t		stream;

	if (cql_session_query(connection->session, text, nvalues, values, &parameters,
						  request, &stream, &error) != CQL_OK)
		raise_request_error(&error, cql);
	request->internal = true;
	request->text = cql;
	place(request, connection, stream);
	flush_if_due(connection);
	wait_for(request);
	return request->response;
}

/*
 * Prepares a statement on a connection.  Returns the version that it has
 * taught, or NULL if the connection was lost.
 */
static const BtmScyllaStatement *
prepare_on(BtmScyllaPipeline *pipeline, BtmScyllaConnection *connection,
		   const BtmScyllaStatement *statement)
{
	CqlString	text = {statement->text, strlen(statement->text)};
	BtmScyllaRequest *request = new_request(pipeline);
	CqlError	error = {0};
	int16_t		stream;

	if (cql_session_prepare(connection->session, text, request, &stream, &error) != CQL_OK)
		raise_request_error(&error, statement->text);
	request->internal = true;
	request->statement = statement;
	place(request, connection, stream);
	flush_if_due(connection);
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
	recycle(request);
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

		check_losses(cluster, losses, text);
		if (has_room(connection))
			statement = prepare_on(pipeline, connection, statement);
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

/* ---- sending */

/*
 * What is to be sent: a prepared statement, text, or a batch.
 */
typedef struct Message
{
	const BtmScyllaStatement *statement;
	const CqlBytes *values;		/* NULL: none */
	const char *text;
	int			nentries;		/* 0: no batch */
	const BtmScyllaBatchEntry *entries;
	CqlBatchType type;
	CqlParameters parameters;
} Message;

/*
 * The parameters of a request: the caller's, or the server's options.
 */
static CqlParameters
request_parameters(const BtmScyllaCluster *cluster, const CqlParameters *given)
{
	CqlParameters parameters = {0};

	if (given != NULL)
		return *given;
	parameters.consistency = cluster->options->consistency;
	parameters.has_serial_consistency = true;
	parameters.serial_consistency = cluster->options->serial_consistency;
	return parameters;
}

/*
 * The statement as this connection has prepared it.  NULL if that had to be
 * done first; the connection may be gone then.
 */
static const CqlPrepared *
prepared_on(BtmScyllaPipeline *pipeline, BtmScyllaConnection *connection,
			const BtmScyllaStatement *statement)
{
	CqlString	text = {statement->text, strlen(statement->text)};
	const CqlPrepared *prepared = cql_session_find_prepared(connection->session, text);

	if (prepared == NULL)
		prepare_on(pipeline, connection, statement);
	return prepared;
}

/*
 * Puts a prepared statement into the session.  CQL_OK and stream -1 if it had to
 * be prepared first.
 */
static CqlStatus
put_execute(BtmScyllaRequest *request, BtmScyllaConnection *connection,
			const Message *message, int16_t *stream, CqlError *error)
{
	const CqlPrepared *prepared = prepared_on(request->pipeline, connection,
											  message->statement);

	if (prepared == NULL)
		return CQL_OK;
	return cql_session_execute(connection->session, prepared,
							   message->statement->markers->ncolumns, message->values,
							   &message->parameters, request, stream, error);
}

/*
 * The entries of a batch as this connection has prepared them.  False if one
 * had to be prepared first.
 */
static bool
batch_entries(BtmScyllaRequest *request, BtmScyllaConnection *connection,
			  const Message *message, CqlBatchEntry *entries)
{
	for (int i = 0; i < message->nentries; i++)
	{
		const BtmScyllaBatchEntry *from = &message->entries[i];

		if (i > 0 && from->statement == from[-1].statement)
			entries[i].prepared = entries[i - 1].prepared;
		else
			entries[i].prepared = prepared_on(request->pipeline, connection, from->statement);
		entries[i].nvalues = from->statement->markers->ncolumns;
		entries[i].values = from->values;
		if (entries[i].prepared == NULL)
			return false;
	}
	return true;
}

/*
 * Puts a batch into the session.  CQL_OK and stream -1 if a statement of it had
 * to be prepared first.
 */
static CqlStatus
put_batch(BtmScyllaRequest *request, BtmScyllaConnection *connection,
		  const Message *message, int16_t *stream, CqlError *error)
{
	CqlBatchEntry *entries = palloc0(message->nentries * sizeof(CqlBatchEntry));
	CqlStatus	status = CQL_OK;

	if (batch_entries(request, connection, message, entries))
		status = cql_session_batch(connection->session, message->type,
								   message->nentries, entries,
								   &message->parameters, request, stream, error);
	pfree(entries);
	return status;
}

/*
 * Puts a message into the session.  CQL_OK and stream -1 if it must be tried
 * again.
 */
static CqlStatus
put(BtmScyllaRequest *request, BtmScyllaConnection *connection,
	const Message *message, int16_t *stream, CqlError *error)
{
	CqlString	text;

	*stream = -1;
	if (message->nentries > 0)
		return put_batch(request, connection, message, stream, error);
	if (message->statement != NULL)
		return put_execute(request, connection, message, stream, error);
	text.data = message->text;
	text.length = strlen(message->text);
	return cql_session_query(connection->session, text, 0, NULL,
							 &message->parameters, request, stream, error);
}

/*
 * Sends a message: chooses the node, waits for room, prepares there what is
 * not.  Any of that may lose connections, so each step begins anew.
 */
static void
send_message(BtmScyllaRequest *request, const Message *message)
{
	BtmScyllaCluster *cluster = cluster_of(request->pipeline);
	uint64		losses = cluster->losses;
	CqlError	error = {0};
	int16_t		stream;

	for (;;)
	{
		BtmScyllaConnection *connection;

		check_losses(cluster, losses, request->text);
		connection = btm_scylla_route(cluster, message->statement, message->values);
		if (!has_room(connection))
		{
			btm_scylla_pump(cluster);
			continue;
		}
		if (put(request, connection, message, &stream, &error) != CQL_OK)
			raise_request_error(&error, request->text);
		if (stream >= 0)
		{
			place(request, connection, stream);
			flush_if_due(connection);
			return;
		}
	}
}

/*
 * Room for `size` bytes that go with a request.
 */
static char *
request_buffer(BtmScyllaRequest *request, size_t size)
{
	if (request->buffer_size < size)
	{
		if (request->buffer != NULL)
			pfree(request->buffer);
		request->buffer_size = 0;
		request->buffer = MemoryContextAllocHuge(request->pipeline->context, size);
		request->buffer_size = size;
	}
	return request->buffer;
}

/*
 * Bytes of a value.
 */
static size_t
value_size(const CqlBytes *value)
{
	return value->length > 0 ? value->length : 0;
}

/*
 * Copies a value to *room, which moves on.
 */
static CqlBytes
copy_value(const CqlBytes *value, char **room)
{
	CqlBytes	copy = *value;

	if (value->length > 0)
		memcpy(*room, value->data, value->length);
	if (value->length >= 0)
		copy.data = (const uint8_t *) *room;
	*room += value_size(value);
	return copy;
}

/*
 * The entries of a message; one that is no batch has one.  Of text, its
 * statement is NULL.
 */
static const BtmScyllaBatchEntry *
entries_of(const Message *message, BtmScyllaBatchEntry *single, int *nentries)
{
	*nentries = Max(message->nentries, 1);
	if (message->nentries > 0)
		return message->entries;
	single->statement = message->statement;
	single->values = message->values;
	return single;
}

/*
 * How many values an entry has.
 */
static int
count_values(const BtmScyllaBatchEntry *entry)
{
	return entry->statement != NULL ? (int) entry->statement->markers->ncolumns : 0;
}

/*
 * Bytes that entries take with their values: in this order entries, values,
 * bytes of values.  *nvalues gets the number of values.
 */
static size_t
size_of_entries(const BtmScyllaBatchEntry *entries, int nentries, int *nvalues)
{
	size_t		size = nentries * sizeof(BtmScyllaBatchEntry);

	*nvalues = 0;
	for (int i = 0; i < nentries; i++)
	{
		int			n = count_values(&entries[i]);

		for (int j = 0; j < n; j++)
			size += sizeof(CqlBytes) + value_size(&entries[i].values[j]);
		*nvalues += n;
	}
	return size;
}

/*
 * Keeps what is needed to send a message again.
 */
static void
keep_message(BtmScyllaRequest *request, const Message *message)
{
	BtmScyllaBatchEntry single;
	int			nentries,
				nvalues;
	const BtmScyllaBatchEntry *entries = entries_of(message, &single, &nentries);
	const CqlBytes *state = &message->parameters.paging_state;
	bool		paging = state->data != NULL;
	size_t		size = size_of_entries(entries, nentries, &nvalues);
	CqlBytes   *values;
	char	   *room;

	request->entries = (BtmScyllaBatchEntry *)
		request_buffer(request, size + (paging ? value_size(state) : 0));
	values = (CqlBytes *) (request->entries + nentries);
	room = (char *) (values + nvalues);
	for (int i = 0; i < nentries; i++)
	{
		int			n = count_values(&entries[i]);

		request->entries[i].statement = entries[i].statement;
		request->entries[i].values = values;
		for (int j = 0; j < n; j++)
			*values++ = copy_value(&entries[i].values[j], &room);
	}
	request->nentries = message->nentries;
	request->batch_type = message->type;
	request->parameters = message->parameters;
	if (paging)
		request->parameters.paging_state = copy_value(state, &room);
	request->repeatable = true;
}

/*
 * A request for a message, sent.
 */
static void
send_new(BtmScyllaPipeline *pipeline, const Message *message, const char *text,
		 bool reads, void *tag)
{
	BtmScyllaRequest *request = new_request(pipeline);

	request->tag = tag;
	request->statement = message->statement;
	request->text = text;
	if (message->statement == NULL)
		request->text = request->own_text = MemoryContextStrdup(pipeline->context, text);
	if (reads || pipeline->repeatable)
		keep_message(request, message);
	send_message(request, message);
}

void
btm_scylla_send(BtmScyllaPipeline *pipeline, const BtmScyllaStatement *statement,
				const CqlBytes *values, const CqlParameters *parameters, void *tag)
{
	Message		message = {.statement = statement,.values = values};

	message.parameters = request_parameters(cluster_of(pipeline), parameters);
	send_new(pipeline, &message, statement->text,
			 btm_scylla_statement_reads(statement), tag);
}

void
btm_scylla_send_text(BtmScyllaPipeline *pipeline, const char *text,
					 const CqlParameters *parameters, void *tag)
{
	Message		message = {.text = text};

	message.parameters = request_parameters(cluster_of(pipeline), parameters);
	send_new(pipeline, &message, text, btm_scylla_text_reads(text), tag);
}

void
btm_scylla_send_batch(BtmScyllaPipeline *pipeline, CqlBatchType type, int nentries,
					  const BtmScyllaBatchEntry *entries,
					  const CqlParameters *parameters, void *tag)
{
	Message		message = {.type = type,.nentries = nentries,.entries = entries};

	Assert(nentries > 0);
	message.statement = entries[0].statement;	/* whose partition leads the way */
	message.values = entries[0].values;
	message.parameters = request_parameters(cluster_of(pipeline), parameters);
	send_new(pipeline, &message, entries[0].statement->text, false, tag);
}

void
btm_scylla_pipeline_flush(BtmScyllaPipeline *pipeline)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &cluster_of(pipeline)->connections)
		btm_scylla_flush(dlist_container(BtmScyllaConnection, link, iter.cur));
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
 * Sends a request again.
 */
static void
repeat(BtmScyllaRequest *request)
{
	Message		message = {.statement = request->statement,.text = request->text};

	message.values = request->entries[0].values;
	message.nentries = request->nentries;
	message.entries = request->entries;
	message.type = request->batch_type;
	message.parameters = request->parameters;
	free_response(request);
	request->repeatable = false;
	request->state = BTM_REQUEST_DELIVERED;
	dlist_delete(&request->link);
	request->pipeline->pending--;	/* should it fail */
	send_message(request, &message);
	request->pipeline->pending++;
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
			repeat(request);
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
			btm_scylla_pump(cluster_of(pipeline));
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
		recycle(request);
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
			recycle(request);
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
		recycle(answer->request);
	answer->response = NULL;
	answer->metadata = NULL;
	answer->request = NULL;
}
