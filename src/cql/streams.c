/*-------------------------------------------------------------------------
 *
 * streams.c
 *	  The requests that are under way, by their stream ids.
 *
 * Free ids are a stack, so that few are used when few requests are under way,
 * and taking or giving one costs the same whatever their number.  A stream's
 * copy of its request keeps its memory from one request to the next.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/session_parts.h"

#include <string.h>

#define FIRST_SIZE 16

/* Copies of requests begin with this; memory beyond the second is given back. */
#define REQUEST_MIN 128
#define REQUEST_KEPT 4096

void
cql_streams_init(CqlStreams *streams, uint32_t max)
{
	streams->max = max;
	streams->first_free = CQL_NO_STREAM;
	streams->first_done = streams->last_done = CQL_NO_STREAM;
}

/* Gives back the copy of a request. */
static void
free_request(CqlSession *session, CqlStream *stream)
{
	if (stream->request != NULL)
		session->allocator.release(session->allocator.context, stream->request);
	stream->request = NULL;
	stream->request_size = 0;
}

void
cql_streams_free(CqlSession *session)
{
	CqlStreams *streams = &session->streams;

	for (uint32_t i = 0; i < streams->count; i++)
	{
		free_request(session, &streams->items[i]);
		cql_response_drop(streams->items[i].response);
	}
	if (streams->items != NULL)
		session->allocator.release(session->allocator.context, streams->items);
}

/* Makes room for more streams. */
static CqlStatus
grow(CqlSession *session, CqlError *error)
{
	CqlStreams *streams = &session->streams;
	uint32_t	size = streams->size == 0 ? FIRST_SIZE : streams->size * 2;
	void	   *context = session->allocator.context;
	CqlStream  *items;

	if (size > streams->max)
		size = streams->max;
	if (streams->items == NULL)
		items = session->allocator.alloc(context, size * sizeof(*items));
	else
		items = session->allocator.resize(context, streams->items,
										  size * sizeof(*items));
	if (items == NULL)
		return cql_fail(error, CQL_NO_MEMORY, "out of memory");
	streams->items = items;
	streams->size = size;
	return CQL_OK;
}

CqlStatus
cql_stream_take(CqlSession *session, CqlOpcode opcode, int32_t *stream,
				CqlError *error)
{
	CqlStreams *streams = &session->streams;
	CqlStream  *item;

	if (streams->in_flight >= streams->max)
		return cql_fail(error, CQL_BUSY, "%u requests are under way already",
						(unsigned) streams->max);
	if (streams->first_free == CQL_NO_STREAM)
	{
		if (streams->count == streams->size)
			CQL_TRY(grow(session, error));
		memset(&streams->items[streams->count], 0, sizeof(*item));
		streams->items[streams->count].next = CQL_NO_STREAM;
		streams->first_free = (int32_t) streams->count++;
	}
	*stream = streams->first_free;
	item = &streams->items[*stream];
	streams->first_free = item->next;
	streams->in_flight++;
	item->state = CQL_STREAM_SENT;
	item->opcode = opcode;
	return CQL_OK;
}

void
cql_stream_release(CqlSession *session, int32_t stream)
{
	CqlStreams *streams = &session->streams;
	CqlStream  *item = &streams->items[stream];

	if (item->request_size > REQUEST_KEPT)
		free_request(session, item);
	item->state = CQL_STREAM_FREE;
	item->abandoned = false;
	item->tag = NULL;
	item->statement = item->forgotten = NULL;
	item->response = NULL;
	item->request_length = 0;
	item->resends_left = 0;
	item->next = streams->first_free;
	streams->first_free = stream;
	streams->in_flight--;
}

CqlStream *
cql_stream_answered(CqlSession *session, int32_t stream)
{
	CqlStreams *streams = &session->streams;
	CqlStream  *item;

	if (stream < 0 || (uint32_t) stream >= streams->count)
		return NULL;
	item = &streams->items[stream];
	return item->state == CQL_STREAM_SENT || item->state == CQL_STREAM_REPREPARE ?
		item : NULL;
}

CqlStatus
cql_stream_keep(CqlSession *session, CqlStream *stream, const uint8_t *request,
				size_t length, CqlError *error)
{
	if (stream->request_size < length)
	{
		size_t		size = length < REQUEST_MIN ? REQUEST_MIN : length;

		free_request(session, stream);
		stream->request = session->allocator.alloc(session->allocator.context, size);
		if (stream->request == NULL)
			return cql_fail(error, CQL_NO_MEMORY, "out of memory");
		stream->request_size = size;
	}
	memcpy(stream->request, request, length);
	stream->request_length = length;
	return CQL_OK;
}

void
cql_stream_done(CqlSession *session, int32_t stream, CqlResponse *response)
{
	CqlStreams *streams = &session->streams;
	CqlStream  *item = &streams->items[stream];

	item->state = CQL_STREAM_DONE;
	item->response = response;
	item->next = CQL_NO_STREAM;
	if (streams->first_done == CQL_NO_STREAM)
		streams->first_done = stream;
	else
		streams->items[streams->last_done].next = stream;
	streams->last_done = stream;
}

int32_t
cql_stream_pop_done(CqlSession *session)
{
	CqlStreams *streams = &session->streams;
	int32_t		stream = streams->first_done;

	if (stream != CQL_NO_STREAM)
		streams->first_done = streams->items[stream].next;
	return stream;
}
