/*-------------------------------------------------------------------------
 *
 * requests.c
 *	  Requests of a session: into the output, and out of it.
 *
 * A request is written behind those that were not sent yet.  One that names
 * prepared statements is copied to its stream too, for the case that the
 * server has forgotten them.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/session_parts.h"

#include <string.h>

/* An output that was larger gives its memory back when it is empty. */
#define OUTPUT_KEPT (1024 * 1024)

/* An execute is sent again once; a batch once for each prepared statement. */
#define EXECUTE_RESENDS 1

/* ------
 * Output
 * ------
 */

void
cql_session_output(CqlSession *session, const uint8_t **data, size_t *length)
{
	*length = session->out.length - session->out_sent;
	*data = *length == 0 ? NULL : session->out.data + session->out_sent;
}

void
cql_session_sent(CqlSession *session, size_t length)
{
	CqlWriter  *out = &session->out;

	if (length > out->length - session->out_sent)
		length = out->length - session->out_sent;
	if (out->secret)
		cql_wipe(out->data + session->out_sent, length);
	session->out_sent += length;
	if (session->out_sent < out->length)
		return;
	session->out_sent = 0;
	cql_writer_reset(out);
	if (out->size > OUTPUT_KEPT)
		cql_writer_free(out);
	out->secret = false;
}

/*
 * What was sent makes room, once it is more than what was not.  A secret is
 * not moved about.
 */
static void
drop_sent(CqlSession *session)
{
	CqlWriter  *out = &session->out;

	if (session->out_sent <= out->length / 2 || out->secret)
		return;
	memmove(out->data, out->data + session->out_sent,
			out->length - session->out_sent);
	out->length -= session->out_sent;
	session->out_sent = 0;
}

/* Readies the output for one frame more. */
static void
open_output(CqlSession *session, CqlError *error)
{
	drop_sent(session);
	session->out.max = session->out.length + CQL_HEADER_SIZE + CQL_MAX_BODY_SIZE;
	session->out.error = error;
}

/* ------
 * Writing one request
 * ------
 */

static uint8_t
frame_flags(const CqlParameters *parameters)
{
	if (parameters == NULL)
		return 0;
	return (uint8_t) ((parameters->tracing ? CQL_FRAME_TRACING : 0) |
					  (parameters->npayload > 0 ? CQL_FRAME_PAYLOAD : 0));
}

/* Section 2: the header, and what stands before the message. */
static CqlStatus
begin_frame(CqlSession *session, CqlOpcode opcode, int32_t stream,
			const CqlParameters *parameters, size_t *mark)
{
	uint8_t		flags = frame_flags(parameters);

	CQL_TRY(cql_frame_begin(&session->out, opcode, flags, (int16_t) stream, mark));
	if (flags & CQL_FRAME_PAYLOAD)
		CQL_TRY(cql_request_payload(&session->out, parameters->npayload,
									parameters->payload));
	return CQL_OK;
}

CqlStatus
cql_outgoing_begin(CqlSession *session, CqlOpcode opcode,
				   const CqlParameters *parameters, CqlOutgoing *outgoing,
				   CqlError *error)
{
	CqlStatus	status;

	outgoing->error = error;
	CQL_TRY(cql_stream_take(session, opcode, &outgoing->stream, error));
	open_output(session, error);
	outgoing->mark = session->out.length;
	status = begin_frame(session, opcode, outgoing->stream, parameters,
						 &outgoing->mark);
	return status == CQL_OK ? CQL_OK : cql_outgoing_end(session, outgoing, status);
}

/* Completes the frame, and the account of its stream. */
static CqlStatus
finish(CqlSession *session, const CqlOutgoing *outgoing)
{
	CqlStream  *stream = &session->streams.items[outgoing->stream];
	bool		compress = session->compression && session->ready;

	CQL_TRY(cql_frame_end(&session->out, outgoing->mark, compress));
	stream->encoded_at = stream->sent_at = session->clock;
	if (stream->resends_left == 0)
		return CQL_OK;
	return cql_stream_keep(session, stream, session->out.data + outgoing->mark,
						   session->out.length - outgoing->mark, outgoing->error);
}

CqlStatus
cql_outgoing_end(CqlSession *session, CqlOutgoing *outgoing, CqlStatus status)
{
	if (status == CQL_OK)
		status = finish(session, outgoing);
	if (status != CQL_OK)
	{
		session->out.length = outgoing->mark;
		cql_stream_release(session, outgoing->stream);
	}
	session->out.error = NULL;
	return status;
}

CqlStatus
cql_outgoing_resend(CqlSession *session, int32_t stream)
{
	CqlStream  *item = &session->streams.items[stream];

	open_output(session, &session->error);
	CQL_TRY(cql_write_raw(&session->out, item->request, item->request_length));
	item->state = CQL_STREAM_SENT;
	item->sent_at = session->clock;
	return CQL_OK;
}

CqlStatus
cql_outgoing_prepare(CqlSession *session, int32_t stream,
					 const CqlStatement *statement)
{
	size_t		mark;

	open_output(session, &session->error);
	CQL_TRY(begin_frame(session, CQL_OP_PREPARE, stream, NULL, &mark));
	CQL_TRY(cql_request_prepare(&session->out, statement->prepared.text));
	return cql_frame_end(&session->out, mark, session->compression);
}

/* ------
 * The caller's requests
 * ------
 */

/* Begins one, if the session can have any. */
static CqlStatus
begin(CqlSession *session, CqlOpcode opcode, const CqlParameters *parameters,
	  CqlOutgoing *outgoing, CqlError *error)
{
	if (session->error.status != CQL_OK)
		return cql_fail(error, session->error.status, "%s", session->error.message);
	if (!session->ready)
		return cql_fail(error, CQL_INVALID, "the connection is not ready yet");
	return cql_outgoing_begin(session, opcode, parameters, outgoing, error);
}

/* Ends one, giving the caller the stream. */
static CqlStatus
end(CqlSession *session, CqlOutgoing *outgoing, CqlStatus status, void *tag,
	int16_t *stream)
{
	CQL_TRY(cql_outgoing_end(session, outgoing, status));
	session->streams.items[outgoing->stream].tag = tag;
	if (stream != NULL)
		*stream = (int16_t) outgoing->stream;
	return CQL_OK;
}

CqlStatus
cql_session_query(CqlSession *session, CqlString text, uint32_t nvalues,
				  const CqlBytes *values, const CqlParameters *parameters,
				  void *tag, int16_t *stream, CqlError *error)
{
	CqlOutgoing outgoing;
	CqlStatus	status;

	CQL_TRY(begin(session, CQL_OP_QUERY, parameters, &outgoing, error));
	status = cql_request_query(&session->out, text, nvalues, values, parameters);
	return end(session, &outgoing, status, tag, stream);
}

CqlStatus
cql_session_register(CqlSession *session, uint32_t nevents,
					 const CqlString *events, void *tag, int16_t *stream,
					 CqlError *error)
{
	CqlOutgoing outgoing;
	CqlStatus	status;

	CQL_TRY(begin(session, CQL_OP_REGISTER, NULL, &outgoing, error));
	status = cql_request_register(&session->out, nevents, events);
	return end(session, &outgoing, status, tag, stream);
}

CqlStatus
cql_session_options(CqlSession *session, void *tag, int16_t *stream,
					CqlError *error)
{
	CqlOutgoing outgoing;

	CQL_TRY(begin(session, CQL_OP_OPTIONS, NULL, &outgoing, error));
	return end(session, &outgoing, CQL_OK, tag, stream);
}

/* ------
 * Prepared statements
 * ------
 */

/* The event for a statement that is known: no bytes go. */
static CqlStatus
answer_from_memory(CqlSession *session, CqlStatement *statement, void *tag,
				   int16_t *stream, CqlError *error)
{
	int32_t		taken;
	CqlStream  *item;

	CQL_TRY(cql_stream_take(session, CQL_OP_PREPARE, &taken, error));
	item = &session->streams.items[taken];
	item->tag = tag;
	item->statement = statement;
	cql_stream_done(session, taken, NULL);
	if (stream != NULL)
		*stream = (int16_t) taken;
	return CQL_OK;
}

CqlStatus
cql_session_prepare(CqlSession *session, CqlString text, void *tag,
					int16_t *stream, CqlError *error)
{
	CqlStatement *statement = cql_statement_find(session, text);
	CqlOutgoing outgoing;
	CqlStatus	status;

	if (statement != NULL && statement->known && session->error.status == CQL_OK)
		return answer_from_memory(session, statement, tag, stream, error);
	CQL_TRY(begin(session, CQL_OP_PREPARE, NULL, &outgoing, error));
	status = cql_request_prepare(&session->out, text);
	if (status == CQL_OK)
		status = cql_statement_get(session, text, &statement, error);
	if (status != CQL_OK)
		return end(session, &outgoing, status, tag, stream);

	statement->preparing++;
	status = end(session, &outgoing, CQL_OK, tag, stream);
	if (status == CQL_OK)
		session->streams.items[outgoing.stream].statement = statement;
	else
		cql_statement_prepare_ended(statement);
	return status;
}

/* The statement of which this is the public part. */
static CqlStatement *
statement_of(const CqlPrepared *prepared)
{
	return (CqlStatement *) prepared;
}

/* A statement of this session, and as many values as it has markers? */
static CqlStatus
check_prepared(CqlSession *session, const CqlPrepared *prepared,
			   uint32_t nvalues, CqlError *error)
{
	if (statement_of(prepared)->session != session)
		return cql_fail(error, CQL_INVALID,
						"the statement was prepared on another connection");
	if (nvalues != prepared->markers.ncolumns)
		return cql_fail(error, CQL_INVALID,
						"statement has %u markers, but %u values were given",
						(unsigned) prepared->markers.ncolumns, (unsigned) nvalues);
	return CQL_OK;
}

CqlStatus
cql_session_execute(CqlSession *session, const CqlPrepared *prepared,
					uint32_t nvalues, const CqlBytes *values,
					const CqlParameters *parameters, void *tag, int16_t *stream,
					CqlError *error)
{
	CqlOutgoing outgoing;
	CqlStatus	status;

	CQL_TRY(check_prepared(session, prepared, nvalues, error));
	CQL_TRY(begin(session, CQL_OP_EXECUTE, parameters, &outgoing, error));
	session->streams.items[outgoing.stream].statement = statement_of(prepared);
	session->streams.items[outgoing.stream].resends_left = EXECUTE_RESENDS;
	status = cql_request_execute(&session->out, prepared->id, nvalues, values,
								 parameters);
	return end(session, &outgoing, status, tag, stream);
}

/* One statement of a batch; counts those that are prepared. */
static CqlStatus
write_entry(CqlSession *session, const CqlBatchEntry *entry,
			uint32_t *nprepared, CqlError *error)
{
	CqlBatchItem item = {.text = entry->text,.nvalues = entry->nvalues,
	.values = entry->values};

	if (entry->prepared != NULL)
	{
		CQL_TRY(check_prepared(session, entry->prepared, entry->nvalues, error));
		item.text = (CqlString) {NULL, 0};
		item.id = entry->prepared->id;
		(*nprepared)++;
	}
	else if (entry->text.data == NULL)
		return cql_fail(error, CQL_INVALID, "statement of a batch has no text");
	return cql_request_batch_item(&session->out, &item);
}

static CqlStatus
write_batch(CqlSession *session, CqlBatchType type, uint32_t nentries,
			const CqlBatchEntry *entries, const CqlParameters *parameters,
			uint32_t *nprepared, CqlError *error)
{
	CQL_TRY(cql_request_batch_begin(&session->out, type, nentries));
	for (uint32_t i = 0; i < nentries; i++)
		CQL_TRY(write_entry(session, &entries[i], nprepared, error));
	return cql_request_batch_end(&session->out, parameters);
}

CqlStatus
cql_session_batch(CqlSession *session, CqlBatchType type, uint32_t nentries,
				  const CqlBatchEntry *entries, const CqlParameters *parameters,
				  void *tag, int16_t *stream, CqlError *error)
{
	CqlOutgoing outgoing;
	CqlStatus	status;
	uint32_t	nprepared = 0;

	CQL_TRY(begin(session, CQL_OP_BATCH, parameters, &outgoing, error));
	status = write_batch(session, type, nentries, entries, parameters,
						 &nprepared, error);
	session->streams.items[outgoing.stream].resends_left = nprepared;
	return end(session, &outgoing, status, tag, stream);
}
