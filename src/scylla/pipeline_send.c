/*-------------------------------------------------------------------------
 *
 * pipeline_send.c
 *	  Sends statements and batches, and keeps what it takes to send them again.
 *
 * Which node a message goes to, whether there is room, and whether that node
 * has prepared the statement, may each change in a wait for the one before.  So
 * sending begins anew after each wait.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "scylla/pipeline_parts.h"
#include "utils/memutils.h"

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
		btm_scylla_prepare_on(pipeline, connection, statement);
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
	BtmScyllaCluster *cluster = btm_scylla_cluster_of(request->pipeline);
	uint64		losses = cluster->losses;
	CqlError	error = {0};
	int16_t		stream;

	for (;;)
	{
		BtmScyllaConnection *connection;

		btm_scylla_check_losses(cluster, losses, request->text);
		connection = btm_scylla_route(cluster, message->statement, message->values);
		if (!btm_scylla_has_room(connection))
		{
			btm_scylla_pump(cluster);
			continue;
		}
		if (put(request, connection, message, &stream, &error) != CQL_OK)
			btm_scylla_raise_request(&error, request->text);
		if (stream >= 0)
		{
			btm_scylla_request_place(request, connection, stream);
			btm_scylla_flush_if_due(connection);
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
	BtmScyllaRequest *request = btm_scylla_request_new(pipeline);

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

	message.parameters = request_parameters(btm_scylla_cluster_of(pipeline), parameters);
	send_new(pipeline, &message, statement->text,
			 btm_scylla_statement_reads(statement), tag);
}

void
btm_scylla_send_text(BtmScyllaPipeline *pipeline, const char *text,
					 const CqlParameters *parameters, void *tag)
{
	Message		message = {.text = text};

	message.parameters = request_parameters(btm_scylla_cluster_of(pipeline), parameters);
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
	message.parameters = request_parameters(btm_scylla_cluster_of(pipeline), parameters);
	send_new(pipeline, &message, entries[0].statement->text, false, tag);
}

void
btm_scylla_pipeline_flush(BtmScyllaPipeline *pipeline)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &btm_scylla_cluster_of(pipeline)->connections)
		btm_scylla_flush(dlist_container(BtmScyllaConnection, link, iter.cur));
}

/*
 * Sends a request again.
 */
void
btm_scylla_request_repeat(BtmScyllaRequest *request)
{
	Message		message = {.statement = request->statement,.text = request->text};

	message.values = request->entries[0].values;
	message.nentries = request->nentries;
	message.entries = request->entries;
	message.type = request->batch_type;
	message.parameters = request->parameters;
	btm_scylla_request_free_response(request);
	request->repeatable = false;
	request->state = BTM_REQUEST_DELIVERED;
	dlist_delete(&request->link);
	request->pipeline->pending--;	/* should it fail */
	send_message(request, &message);
	request->pipeline->pending++;
}
