/*-------------------------------------------------------------------------
 *
 * reprepare.c
 *	  Statements that the server has forgotten are prepared anew.
 *
 * The first request that meets ERROR Unprepared sends the PREPARE on its own
 * stream, which is idle: so no further stream is needed, however many are in
 * use.  Others that meet the same before the answer wait in a list.  Once the
 * statement is known again all of them are sent as they were.
 *
 * A request gets an error of the server after all, instead, when
 *	- the statement cannot be prepared any more: then that error, which says
 *	  why, goes to all that wait for it;
 *	- the id or the types of the markers have changed: its bytes would mean
 *	  something else now.  It gets the error that it has met;
 *	- it has met the same error again for the same statement, or as often as
 *	  it has statements: the server does not keep them.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/session_parts.h"

/* Has what the request was encoded for changed since? */
static bool
is_outdated(const CqlSession *session, const CqlStream *stream)
{
	CqlTick		changed_at = stream->statement != NULL ?
		stream->statement->changed_at : session->statements.changed_at;

	return changed_at > stream->encoded_at;
}

/* Among the statements of this request, if that can be told. */
static CqlStatement *
find_forgotten(const CqlSession *session, const CqlStream *stream, CqlBytes id)
{
	CqlStatement *statement = stream->statement;

	if (statement == NULL)
		return cql_statement_by_id(session, id);
	return cql_statement_has_id(statement, id) ? statement : NULL;
}

/* Puts a request into the list of those that wait. */
static void
wait_for(CqlSession *session, CqlStatement *statement, int32_t stream)
{
	CqlStream  *item = &session->streams.items[stream];

	item->next = CQL_NO_STREAM;
	if (statement->first_waiting == CQL_NO_STREAM)
		statement->first_waiting = stream;
	else
		session->streams.items[statement->last_waiting].next = stream;
	statement->last_waiting = stream;
}

/*
 * A statement of the request is to be known before it goes on: it is already,
 * because it was prepared since; or will be, by this stream or another.
 */
static CqlStatus
make_known(CqlSession *session, CqlStatement *statement, int32_t stream,
		   CqlResponse *response)
{
	CqlStream  *item = &session->streams.items[stream];

	if (statement->prepared_at > item->sent_at && !statement->repreparing)
	{
		cql_response_free(response);
		return cql_outgoing_resend(session, stream);
	}
	item->response = response;
	wait_for(session, statement, stream);
	if (statement->repreparing)
	{
		item->state = CQL_STREAM_WAITING;
		return CQL_OK;
	}
	item->state = CQL_STREAM_REPREPARE;
	statement->repreparing = true;
	return cql_outgoing_prepare(session, stream, statement);
}

CqlStatus
cql_reprepare_begin(CqlSession *session, int32_t stream, CqlResponse *response,
					bool *handled)
{
	CqlStream  *item = &session->streams.items[stream];
	CqlStatement *statement;

	*handled = false;
	if (item->abandoned || item->resends_left == 0 || is_outdated(session, item))
		return CQL_OK;
	statement = find_forgotten(session, item, response->u.error.statement_id);
	if (statement == NULL || statement == item->forgotten)
		return CQL_OK;
	*handled = true;
	item->resends_left--;
	item->forgotten = statement;
	return make_known(session, statement, stream, response);
}

/* A request that nobody waits for any more ends here. */
static bool
drop_abandoned(CqlSession *session, int32_t stream)
{
	CqlStream  *item = &session->streams.items[stream];

	if (!item->abandoned)
		return false;
	cql_response_free(item->response);
	cql_stream_release(session, stream);
	return true;
}

/* The statement is known again: one request that has waited goes on. */
static CqlStatus
go_on(CqlSession *session, int32_t stream)
{
	CqlStream  *item = &session->streams.items[stream];
	CqlResponse *met = item->response;

	if (is_outdated(session, item))
	{
		cql_stream_done(session, stream, met);
		return CQL_OK;
	}
	item->response = NULL;
	cql_response_free(met);
	return cql_outgoing_resend(session, stream);
}

/* The statement cannot be prepared: one request that has waited gets to know. */
static CqlStatus
give_error(CqlSession *session, int32_t stream, const CqlFrameHeader *header,
		   CqlResponse *error)
{
	CqlStream  *item = &session->streams.items[stream];
	CqlFrameHeader own = *header;
	CqlResponse *copy;

	own.stream = (int16_t) stream;
	CQL_TRY(cql_incoming_copy(session, &own, error, &copy));
	cql_response_free(item->response);
	cql_stream_done(session, stream, copy);
	return CQL_OK;
}

/* One request has waited long enough; `error` is NULL or why it was in vain. */
static CqlStatus
end_wait(CqlSession *session, int32_t stream, const CqlFrameHeader *header,
		 CqlResponse *error)
{
	if (drop_abandoned(session, stream))
		return CQL_OK;
	return error != NULL ? give_error(session, stream, header, error) :
		go_on(session, stream);
}

/* The same for the whole list, which is empty from now on. */
static CqlStatus
end_waiting(CqlSession *session, CqlStatement *statement,
			const CqlFrameHeader *header, CqlResponse *error)
{
	int32_t		stream = statement->first_waiting;

	statement->first_waiting = statement->last_waiting = CQL_NO_STREAM;
	while (stream != CQL_NO_STREAM)
	{
		int32_t		next = session->streams.items[stream].next;

		CQL_TRY(end_wait(session, stream, header, error));
		stream = next;
	}
	return CQL_OK;
}

CqlStatus
cql_reprepare_end(CqlSession *session, int32_t stream, CqlResponse *response,
				  const CqlFrameHeader *header)
{
	CqlStatement *statement = session->streams.items[stream].forgotten;
	CqlStatus	status;

	statement->repreparing = false;
	if (response->kind == CQL_RESPONSE_ERROR)
	{
		status = end_waiting(session, statement, header, response);
		cql_response_free(response);
		return status;
	}
	CQL_TRY(cql_statement_prepared(statement, response));
	return end_waiting(session, statement, NULL, NULL);
}
