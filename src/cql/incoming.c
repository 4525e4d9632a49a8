/*-------------------------------------------------------------------------
 *
 * incoming.c
 *	  Responses from the bytes of a connection.
 *
 * Bytes are received into a buffer of fixed size.  A frame that is complete
 * there is copied once, into one piece of memory that holds the response and
 * behind it the body: so a response without lists takes one allocation.  (Its
 * field `body` stays NULL then: nothing but itself is to be freed.)
 *
 * A body that is large, and not complete, moves out of the buffer: the rest is
 * received where it is to stay.  Memory for it grows with what has come, at
 * most to its double, so that a length which is a lie takes none.  What is
 * compressed is received the same way, and expanded once it is complete.
 *
 * The answer to an abandoned request is skipped without being kept.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/session_parts.h"

#include <string.h>

/* Bodies that are larger leave the buffer before they are complete. */
#define LARGE_BODY (CQL_INPUT_SIZE / 4)

/* ------
 * Room for bytes
 * ------
 */

/* The body of a response that has its body behind it. */
static uint8_t *
body_of(CqlResponse *response)
{
	return (uint8_t *) (response + 1);
}

/* Twice the memory for a large body, but not more than it is said to have. */
static CqlStatus
grow_large(CqlSession *session)
{
	CqlIncoming *incoming = &session->incoming;
	size_t		size = incoming->large_size * 2;
	CqlResponse *large;

	if (size > incoming->header.length)
		size = incoming->header.length;
	large = session->allocator.resize(session->allocator.context, incoming->large,
									  sizeof(CqlResponse) + size);
	if (large == NULL)
		return cql_fail(&session->error, CQL_NO_MEMORY, "out of memory");
	incoming->large = large;
	incoming->large_size = size;
	return CQL_OK;
}

/* Room in the body that is being received. */
static CqlStatus
large_room(CqlSession *session, uint8_t **room, size_t *size)
{
	CqlIncoming *incoming = &session->incoming;

	if (incoming->large_end == incoming->large_size &&
		incoming->large_size < incoming->header.length)
		CQL_TRY(grow_large(session));
	*room = body_of(incoming->large) + incoming->large_end;
	*size = incoming->large_size - incoming->large_end;
	return CQL_OK;
}

/* Room in the buffer; what was not taken moves to its front if that pays. */
static void
buffer_room(CqlIncoming *incoming, uint8_t **room, size_t *size)
{
	if (incoming->start == incoming->end)
		incoming->start = incoming->end = 0;
	else if (CQL_INPUT_SIZE - incoming->end < CQL_INPUT_SIZE / 2 &&
			 incoming->start > 0)
	{
		memmove(incoming->data, incoming->data + incoming->start,
				incoming->end - incoming->start);
		incoming->end -= incoming->start;
		incoming->start = 0;
	}
	*room = incoming->data + incoming->end;
	*size = CQL_INPUT_SIZE - incoming->end;
}

/* The buffer's memory is taken when it is first needed. */
static CqlStatus
make_buffer(CqlSession *session)
{
	CqlIncoming *incoming = &session->incoming;

	incoming->data = session->allocator.alloc(session->allocator.context,
											  CQL_INPUT_SIZE);
	if (incoming->data == NULL)
		return cql_fail(&session->error, CQL_NO_MEMORY, "out of memory");
	return CQL_OK;
}

CqlStatus
cql_session_input(CqlSession *session, uint8_t **room, size_t *size)
{
	CqlIncoming *incoming = &session->incoming;

	if (session->error.status != CQL_OK)
		return session->error.status;
	if (incoming->data == NULL)
		CQL_TRY(make_buffer(session));
	if (incoming->large != NULL)
		CQL_TRY(large_room(session, room, size));
	else
		buffer_room(incoming, room, size);
	if (*size == 0)
		return CQL_BUSY;
	return CQL_OK;
}

CqlStatus
cql_session_received(CqlSession *session, size_t length)
{
	CqlIncoming *incoming = &session->incoming;
	size_t	   *end = &incoming->end;
	size_t		size = incoming->data == NULL ? 0 : CQL_INPUT_SIZE;

	if (session->error.status != CQL_OK)
		return session->error.status;
	if (incoming->large != NULL)
	{
		end = &incoming->large_end;
		size = incoming->large_size;
	}
	if (length > size - *end)
		return cql_fail(&session->error, CQL_INVALID,
						"%zu bytes were received into room for %zu",
						length, size - *end);
	*end += length;
	return CQL_OK;
}

void
cql_incoming_free(CqlSession *session)
{
	CqlIncoming *incoming = &session->incoming;

	if (incoming->data != NULL)
		session->allocator.release(session->allocator.context, incoming->data);
	if (incoming->large != NULL)
		session->allocator.release(session->allocator.context, incoming->large);
}

/* ------
 * Responses
 * ------
 */

/* Memory for a response and its body. */
static CqlStatus
make_response(CqlSession *session, size_t length, CqlResponse **response)
{
	*response = session->allocator.alloc(session->allocator.context,
										 sizeof(CqlResponse) + length);
	if (*response == NULL)
		return cql_fail(&session->error, CQL_NO_MEMORY, "out of memory");
	return CQL_OK;
}

/* Takes apart what is behind the response; frees it if that fails. */
static CqlStatus
read_response(CqlSession *session, const CqlFrameHeader *header,
			  CqlResponse *response)
{
	CqlStatus	status;

	memset(response, 0, sizeof(*response));
	cql_arena_init(&response->arena, session->lasting);
	response->stream = header->stream;
	status = cql_response_read(response, header->opcode, header->flags,
							   body_of(response), header->length,
							   session->server.rate_limit_code,
							   &session->limits, &session->error);
	if (status != CQL_OK)
		cql_response_free(response);
	return status;
}

/* A response of a body that is not compressed. */
static CqlStatus
copy_response(CqlSession *session, const CqlFrameHeader *header,
			  const uint8_t *body, CqlResponse **response)
{
	CQL_TRY(make_response(session, header->length, response));
	if (header->length > 0)
		memcpy(body_of(*response), body, header->length);
	return read_response(session, header, *response);
}

CqlStatus
cql_incoming_copy(CqlSession *session, const CqlFrameHeader *header,
				  CqlResponse *response, CqlResponse **copy)
{
	return copy_response(session, header, body_of(response), copy);
}

/*
 * A response of a compressed body.  The header is then that of the body as it
 * is now.
 */
static CqlStatus
expand_response(CqlSession *session, CqlFrameHeader *header,
				const uint8_t *data, CqlResponse **response)
{
	size_t		length;
	CqlStatus	status;

	if (!session->compression)
		return cql_fail(&session->error, CQL_MALFORMED,
						"the server sent a compressed frame, which was not agreed on");
	CQL_TRY(cql_lz4_length(data, header->length, &session->limits, &length,
						   &session->error));
	CQL_TRY(make_response(session, length, response));
	status = cql_lz4_decompress(data, header->length, body_of(*response), length,
								&session->error);
	if (status != CQL_OK)
	{
		session->allocator.release(session->allocator.context, *response);
		return status;
	}
	header->flags &= (uint8_t) ~CQL_FRAME_COMPRESSED;
	header->length = (uint32_t) length;
	return read_response(session, header, *response);
}

/* ------
 * Frames
 * ------
 */

/* The answer to an abandoned request, which nothing else depends on. */
static bool
is_unwanted(const CqlStream *stream)
{
	return stream != NULL && stream->abandoned &&
		stream->state == CQL_STREAM_SENT && stream->opcode != CQL_OP_PREPARE;
}

/*
 * Finds out whether a frame is expected, as soon as its header is there.  An
 * error is always let in: it may say why.
 */
static CqlStatus
check_header(CqlSession *session, const CqlFrameHeader *header)
{
	if (header->opcode == CQL_OP_ERROR ||
		cql_stream_answered(session, header->stream) != NULL)
		return CQL_OK;
	if (header->stream == CQL_EVENT_STREAM && header->opcode == CQL_OP_EVENT)
		return CQL_OK;
	return cql_fail(&session->error, CQL_MALFORMED,
					"the server answered a request that was not made (stream %d)",
					header->stream);
}

/* Takes a header from the buffer; an unwanted body is then to be skipped. */
static CqlStatus
take_header(CqlSession *session)
{
	CqlIncoming *incoming = &session->incoming;
	CqlFrameHeader *header = &incoming->header;

	CQL_TRY(cql_frame_header_read(incoming->data + incoming->start,
								  &session->limits, header, &session->error));
	CQL_TRY(check_header(session, header));
	incoming->start += CQL_HEADER_SIZE;
	incoming->has_header = true;
	if (header->version == CQL_VERSION_RESPONSE &&
		is_unwanted(cql_stream_answered(session, header->stream)))
	{
		cql_stream_release(session, header->stream);
		incoming->skip = header->length;
		incoming->has_header = false;
	}
	return CQL_OK;
}

/* Skips what there is of an unwanted body. */
static void
skip_body(CqlIncoming *incoming)
{
	size_t		length = incoming->end - incoming->start;

	if (length > incoming->skip)
		length = incoming->skip;
	incoming->start += length;
	incoming->skip -= (uint32_t) length;
}

/* Takes a body out of the buffer that holds all of it. */
static CqlStatus
take_body(CqlSession *session, CqlResponse **response)
{
	CqlIncoming *incoming = &session->incoming;
	CqlFrameHeader *header = &incoming->header;
	const uint8_t *body = incoming->data + incoming->start;

	incoming->start += header->length;
	incoming->has_header = false;
	if (header->flags & CQL_FRAME_COMPRESSED)
		return expand_response(session, header, body, response);
	return copy_response(session, header, body, response);
}

/* Moves the beginning of a large body out of the buffer. */
static CqlStatus
begin_large(CqlSession *session)
{
	CqlIncoming *incoming = &session->incoming;
	size_t		length = incoming->end - incoming->start;
	size_t		size = incoming->header.length;

	if (size > CQL_INPUT_SIZE)
		size = CQL_INPUT_SIZE;
	CQL_TRY(make_response(session, size, &incoming->large));
	if (length > 0)
		memcpy(body_of(incoming->large), incoming->data + incoming->start, length);
	incoming->large_size = size;
	incoming->large_end = length;
	incoming->start = incoming->end = 0;
	return CQL_OK;
}

/* Makes a response of a large body that is complete. */
static CqlStatus
end_large(CqlSession *session, CqlResponse **response)
{
	CqlIncoming *incoming = &session->incoming;
	CqlResponse *large = incoming->large;
	CqlStatus	status;

	incoming->large = NULL;
	incoming->has_header = false;
	if (incoming->header.flags & CQL_FRAME_COMPRESSED)
	{
		status = expand_response(session, &incoming->header, body_of(large), response);
		session->allocator.release(session->allocator.context, large);
		return status;
	}
	*response = large;
	return read_response(session, &incoming->header, large);
}

/* A body: complete, or large enough to leave the buffer, or neither. */
static CqlStatus
next_body(CqlSession *session, CqlResponse **response)
{
	CqlIncoming *incoming = &session->incoming;

	if (incoming->end - incoming->start >= incoming->header.length)
		return take_body(session, response);
	if (incoming->header.length > LARGE_BODY)
		return begin_large(session);
	return CQL_OK;
}

CqlStatus
cql_incoming_next(CqlSession *session, CqlResponse **response,
				  CqlFrameHeader *header)
{
	CqlIncoming *incoming = &session->incoming;

	*response = NULL;
	if (incoming->large == NULL)
	{
		skip_body(incoming);
		while (!incoming->has_header &&
			   incoming->end - incoming->start >= CQL_HEADER_SIZE)
		{
			CQL_TRY(take_header(session));
			skip_body(incoming);
		}
		if (incoming->has_header)
			CQL_TRY(next_body(session, response));
	}
	else if (incoming->large_end == incoming->header.length)
		CQL_TRY(end_large(session, response));
	*header = incoming->header;
	return CQL_OK;
}
