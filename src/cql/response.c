/*-------------------------------------------------------------------------
 *
 * response.c
 *	  What a server's frame says: all but ERROR and RESULT.
 *
 * Strings and bytes are not copied: they point into the body.  Only arrays are
 * made, in the response's arena, and none before it is known that the body has
 * room for what they are to hold: a frame of a few bytes cannot claim memory
 * for millions.  Section numbers are those of the native protocol v4's
 * specification.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/response.h"

#include <string.h>

#include "cql/protocol.h"
#include "cql/response_parts.h"

/* The fewest bytes of notations. */
#define MIN_STRING_SIZE 2
#define MIN_STRING_LIST_SIZE 2
#define MIN_BYTES_SIZE 4

/* ------
 * Notations, section 3
 * ------
 */

CqlStatus
cql_body_alloc(CqlBody *body, uint32_t count, size_t size, void *array)
{
	void	   *piece = cql_arena_alloc_array(body->arena, count, size);

	if (piece == NULL)
		return cql_fail(body->reader.error, CQL_NO_MEMORY, "out of memory");
	memcpy(array, &piece, sizeof(piece));
	return CQL_OK;
}

CqlStatus
cql_body_check_left(CqlBody *body, uint64_t count, size_t size,
					const char *things)
{
	if (count > cql_reader_left(&body->reader) / size)
		return cql_fail(body->reader.error, CQL_MALFORMED,
						"message ends before its %llu %s",
						(unsigned long long) count, things);
	return CQL_OK;
}

/* The [short] number of entries that follow, each of `size` bytes at least. */
static CqlStatus
read_count(CqlBody *body, size_t size, const char *things, uint32_t *count)
{
	uint16_t	n;

	CQL_TRY(cql_read_u16(&body->reader, &n));
	if (n > body->reader.limits->elements)
		return cql_fail(body->reader.error, CQL_TOO_LARGE,
						"message has more than %u %s",
						(unsigned) body->reader.limits->elements, things);
	CQL_TRY(cql_body_check_left(body, n, size, things));
	*count = n;
	return CQL_OK;
}

CqlStatus
cql_body_read_strings(CqlBody *body, CqlStringList *list)
{
	CqlString  *items;
	uint32_t	count;

	CQL_TRY(read_count(body, MIN_STRING_SIZE, "strings", &count));
	CQL_TRY(cql_body_alloc(body, count, sizeof(*items), &items));
	for (uint32_t i = 0; i < count; i++)
		CQL_TRY(cql_read_string(&body->reader, &items[i]));
	list->count = count;
	list->items = items;
	return CQL_OK;
}

/* ------
 * Before the message, section 2.2: what the frame's flags announce
 * ------
 */

/* [uuid] */
static CqlStatus
read_tracing_id(CqlBody *body, CqlResponse *response)
{
	const uint8_t *id;

	CQL_TRY(cql_read_raw(&body->reader, sizeof(response->tracing_id), &id));
	memcpy(response->tracing_id, id, sizeof(response->tracing_id));
	response->has_tracing_id = true;
	return CQL_OK;
}

/* [bytes map] */
static CqlStatus
read_payload(CqlBody *body, CqlResponse *response)
{
	CqlPayloadEntry *entries;
	uint32_t	count;

	CQL_TRY(read_count(body, MIN_STRING_SIZE + MIN_BYTES_SIZE, "payload entries",
					   &count));
	CQL_TRY(cql_body_alloc(body, count, sizeof(*entries), &entries));
	for (uint32_t i = 0; i < count; i++)
	{
		CQL_TRY(cql_read_string(&body->reader, &entries[i].key));
		CQL_TRY(cql_read_bytes(&body->reader, &entries[i].value));
	}
	response->npayload = count;
	response->payload = entries;
	return CQL_OK;
}

/* In this order, each if its flag is set. */
static CqlStatus
read_extras(CqlBody *body, uint8_t flags, CqlResponse *response)
{
	if (flags & CQL_FRAME_TRACING)
		CQL_TRY(read_tracing_id(body, response));
	if (flags & CQL_FRAME_WARNINGS)
		CQL_TRY(cql_body_read_strings(body, &response->warnings));
	if (flags & CQL_FRAME_PAYLOAD)
		CQL_TRY(read_payload(body, response));
	return CQL_OK;
}

/* ------
 * Messages, section 4.2
 * ------
 */

/* SUPPORTED, section 4.2.4: [string multimap] */
static CqlStatus
read_supported(CqlBody *body, CqlResponse *response)
{
	CqlMultimapEntry *entries;
	uint32_t	count;
	uint64_t	values = 0;

	CQL_TRY(read_count(body, MIN_STRING_SIZE + MIN_STRING_LIST_SIZE, "options",
					   &count));
	CQL_TRY(cql_body_alloc(body, count, sizeof(*entries), &entries));
	for (uint32_t i = 0; i < count; i++)
	{
		CQL_TRY(cql_read_string(&body->reader, &entries[i].key));
		CQL_TRY(cql_body_read_strings(body, &entries[i].values));
		values += entries[i].values.count;
		if (values > body->reader.limits->elements)
			return cql_fail(body->reader.error, CQL_TOO_LARGE,
							"message has more than %u values of options",
							(unsigned) body->reader.limits->elements);
	}
	response->kind = CQL_RESPONSE_SUPPORTED;
	response->u.supported.count = count;
	response->u.supported.entries = entries;
	return CQL_OK;
}

/*
 * SCHEMA_CHANGE, sections 4.2.5.5 and 4.2.6.  What follows a target that is not
 * known is not read.
 */
CqlStatus
cql_body_read_schema_change(CqlBody *body, CqlSchemaChange *change)
{
	CqlReader  *reader = &body->reader;
	CqlString	target;
	bool		callable;

	CQL_TRY(cql_read_string(reader, &change->change));
	CQL_TRY(cql_read_string(reader, &target));
	change->target = target;
	callable = cql_string_equals(target, "FUNCTION") ||
		cql_string_equals(target, "AGGREGATE");
	if (cql_string_equals(target, "KEYSPACE"))
		return cql_read_string(reader, &change->keyspace);
	if (!callable && !cql_string_equals(target, "TABLE") &&
		!cql_string_equals(target, "TYPE"))
		return CQL_OK;
	CQL_TRY(cql_read_string(reader, &change->keyspace));
	CQL_TRY(cql_read_string(reader, &change->name));
	if (callable)
		CQL_TRY(cql_body_read_strings(body, &change->argument_types));
	return CQL_OK;
}

/* EVENT, section 4.2.6 */
static CqlStatus
read_event(CqlBody *body, CqlResponse *response)
{
	CqlServerEvent *event = &response->u.event;

	response->kind = CQL_RESPONSE_EVENT;
	CQL_TRY(cql_read_string(&body->reader, &event->type));
	if (cql_string_equals(event->type, "SCHEMA_CHANGE"))
		return cql_body_read_schema_change(body, &event->schema);
	if (!cql_string_equals(event->type, "TOPOLOGY_CHANGE") &&
		!cql_string_equals(event->type, "STATUS_CHANGE"))
		return CQL_OK;
	CQL_TRY(cql_read_string(&body->reader, &event->change));
	return cql_read_inet(&body->reader, &event->address, &event->port);
}

/* AUTH_CHALLENGE, AUTH_SUCCESS, sections 4.2.7 and 4.2.8 */
static CqlStatus
read_token(CqlBody *body, CqlResponse *response, CqlResponseKind kind)
{
	response->kind = kind;
	return cql_read_bytes(&body->reader, &response->u.token);
}

/* AUTHENTICATE, section 4.2.3 */
static CqlStatus
read_authenticate(CqlBody *body, CqlResponse *response)
{
	response->kind = CQL_RESPONSE_AUTHENTICATE;
	return cql_read_string(&body->reader, &response->u.authenticator);
}

/* Section 4.2 */
static CqlStatus
read_message(CqlBody *body, uint8_t opcode, int32_t rate_limit_code,
			 CqlResponse *response)
{
	switch (opcode)
	{
		case CQL_OP_ERROR:
			response->kind = CQL_RESPONSE_ERROR;
			return cql_body_read_error(body, rate_limit_code, &response->u.error);
		case CQL_OP_READY:
			response->kind = CQL_RESPONSE_READY;
			return CQL_OK;
		case CQL_OP_AUTHENTICATE:
			return read_authenticate(body, response);
		case CQL_OP_SUPPORTED:
			return read_supported(body, response);
		case CQL_OP_RESULT:
			return cql_body_read_result(body, response);
		case CQL_OP_EVENT:
			return read_event(body, response);
		case CQL_OP_AUTH_CHALLENGE:
			return read_token(body, response, CQL_RESPONSE_AUTH_CHALLENGE);
		case CQL_OP_AUTH_SUCCESS:
			return read_token(body, response, CQL_RESPONSE_AUTH_SUCCESS);
		default:
			return cql_fail(body->reader.error, CQL_MALFORMED,
							"the server sent a message of unknown kind 0x%02x",
							opcode);
	}
}

CqlStatus
cql_response_read(CqlResponse *response, uint8_t opcode, uint8_t flags,
				  const uint8_t *body, size_t length, int32_t rate_limit_code,
				  const CqlLimits *limits, CqlError *error)
{
	CqlBody		parts = {.arena = &response->arena};

	if (length > limits->frame_size || length > INT32_MAX)
		return cql_fail(error, CQL_TOO_LARGE,
						"message of %zu bytes is larger than %u bytes",
						length, (unsigned) limits->frame_size);
	cql_reader_init(&parts.reader, body, length, limits, error);
	CQL_TRY(read_extras(&parts, flags, response));
	return read_message(&parts, opcode, rate_limit_code, response);
}

void
cql_response_free(CqlResponse *response)
{
	const CqlAllocator *allocator = response->arena.allocator;

	if (response->body != NULL)
		allocator->release(allocator->context, response->body);
	cql_arena_free(&response->arena);
	allocator->release(allocator->context, response);
}
