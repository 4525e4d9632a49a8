/*
 * A session that a server feeds with anything.
 *
 * Input: three bytes that say how (see Setup), then what the server sends.
 * The caller's part is played here: requests of every kind are made, their
 * answers read, statements executed as soon as they are prepared.
 */
#include "walk.h"

#include "cql/session.h"

/* First byte of the input, bit by bit. */
typedef enum Setup
{
	SETUP_COMPRESSION = 0x01,
	SETUP_LOGIN = 0x02,			/* there is a user name */
	SETUP_HANDSHAKE = 0x04,		/* the input begins after a good handshake */
	SETUP_STREAMS = 0x08,		/* a frame's stream is a request's opcode */
	SETUP_ABANDON = 0x10,		/* every third request is abandoned */
	SETUP_SLOW = 0x20,			/* what the session sends goes in chunks, too */
	SETUP_PAYLOAD = 0x40,		/* requests have a custom payload, and are traced */
	SETUP_FORGET = 0x80			/* statements are forgotten, and prepared anew */
} Setup;

/* Second byte: how many bytes arrive at once.  Third: how many allocations
 * succeed, 255 for all. */

#define MAX_IN_FLIGHT 8
#define MAX_TAGS 100			/* requests made in all */

typedef struct Client
{
	CqlSession *session;
	uint8_t		setup;
	size_t		chunk;
	Walk		walk;
	bool		waiting[MAX_TAGS];	/* for the answer to a tag */
	uintptr_t	ntags;
	bool		failed;
	CqlResponse *kept;			/* one that outlives the session */

	/* what the server has seen of the requests */
	int16_t		streams[MAX_IN_FLIGHT];	/* not answered yet, the oldest first */
	uint8_t		opcodes[MAX_IN_FLIGHT];
	unsigned	nstreams;
	uint8_t		header[CQL_HEADER_SIZE];
	size_t		header_length;
	size_t		body_left;
	bool		asked_options;
	bool		asked_startup;
	bool		asked_login;
} Client;

/* ---- requests */

static void *
new_tag(Client *client)
{
	client->waiting[client->ntags] = true;
	return (void *) ++client->ntags;
}

/* A request that was not made has no answer; the session is as it was. */
static void
requested(Client *client, CqlStatus status, const CqlError *error, int16_t stream)
{
	fuzz_check_error(status, error);
	if (status != CQL_OK)
	{
		client->waiting[client->ntags - 1] = false;
		return;
	}
	if ((client->setup & SETUP_ABANDON) && client->ntags % 3 == 0 && stream >= 0)
	{
		cql_session_abandon(client->session, stream);
		client->waiting[client->ntags - 1] = false;
	}
}

static CqlParameters
parameters_of(const Client *client)
{
	static const CqlPayloadEntry payload[] = {{{"key", 3}, {(const uint8_t *) "value", 5}}};
	CqlParameters parameters = {
		.consistency = CQL_CONSISTENCY_LOCAL_QUORUM,
		.page_size = 10,
		.has_timestamp = true,
		.timestamp = 1
	};

	if (client->setup & SETUP_PAYLOAD)
	{
		parameters.tracing = true;
		parameters.npayload = 1;
		parameters.payload = payload;
	}
	return parameters;
}

static void
request_query(Client *client)
{
	CqlBytes	values[] = {{(const uint8_t *) "v", 1}, {NULL, CQL_LENGTH_NULL}};
	CqlError	error = {0};
	int16_t		stream = -1;
	void	   *tag = new_tag(client);
	CqlString	text = {"SELECT v FROM t WHERE k = ?", 27};
	CqlParameters parameters = parameters_of(client);

	requested(client, cql_session_query(client->session, text, 2, values, &parameters,
										tag, &stream, &error), &error, stream);
}

static void
request_prepare(Client *client)
{
	CqlError	error = {0};
	int16_t		stream = -1;
	void	   *tag = new_tag(client);
	CqlString	text = {"SELECT v FROM t WHERE k = ?", 27};

	requested(client, cql_session_prepare(client->session, text, tag, &stream, &error),
			  &error, stream);
}

/* As many values as the server wants, if these are not too many. */
static void
request_execute(Client *client, const CqlPrepared *prepared)
{
	static const CqlBytes values[16];
	CqlParameters parameters = parameters_of(client);
	CqlError	error = {0};
	int16_t		stream = -1;
	void	   *tag;

	if (prepared->markers.ncolumns > sizeof(values) / sizeof(values[0]))
		return;
	parameters.skip_metadata = !prepared->conditional;
	tag = new_tag(client);
	requested(client, cql_session_execute(client->session, prepared, prepared->markers.ncolumns,
										  values, &parameters, tag, &stream, &error),
			  &error, stream);
}

static void
request_batch(Client *client, const CqlPrepared *prepared)
{
	static const CqlBytes values[16];
	CqlParameters parameters = parameters_of(client);
	CqlBatchEntry entries[] = {{.text = {"DELETE FROM t WHERE k = 1", 25}}, {.prepared = prepared}};
	CqlError	error = {0};
	int16_t		stream = -1;
	void	   *tag;

	if (prepared->markers.ncolumns > sizeof(values) / sizeof(values[0]))
		return;
	entries[1].nvalues = prepared->markers.ncolumns;
	entries[1].values = values;
	tag = new_tag(client);
	requested(client, cql_session_batch(client->session, CQL_BATCH_LOGGED, 2, entries,
										&parameters, tag, &stream, &error), &error, stream);
}

static void
request_register(Client *client)
{
	CqlString	events[] = {{"SCHEMA_CHANGE", 13}, {"STATUS_CHANGE", 13}};
	CqlError	error = {0};
	int16_t		stream = -1;
	void	   *tag = new_tag(client);

	requested(client, cql_session_register(client->session, 2, events, tag, &stream, &error),
			  &error, stream);
}

static void
request_options(Client *client)
{
	CqlError	error = {0};
	int16_t		stream = -1;
	void	   *tag = new_tag(client);

	requested(client, cql_session_options(client->session, tag, &stream, &error), &error, stream);
}

/* ---- events */

/* The tag of an answer is one that waits for it. */
static void
answered(Client *client, const CqlEvent *event)
{
	uintptr_t	tag = (uintptr_t) event->tag;

	CLAIM(tag > 0 && tag <= client->ntags && client->waiting[tag - 1]);
	client->waiting[tag - 1] = false;
}

static void
on_ready(Client *client)
{
	CLAIM(cql_session_is_ready(client->session));
	request_register(client);
	request_prepare(client);
	request_query(client);
	request_options(client);
}

static void
on_prepared(Client *client, const CqlEvent *event)
{
	const CqlPrepared *prepared = event->prepared;

	answered(client, event);
	CLAIM(prepared != NULL && cql_session_find_prepared(client->session, prepared->text) == prepared);
	fuzz_touch_string(prepared->text);
	fuzz_touch_bytes(prepared->id);
	if (client->ntags + 4 > MAX_TAGS)
		return;
	request_execute(client, prepared);
	request_batch(client, prepared);
	request_prepare(client);
}

static void
on_response(Client *client, const CqlEvent *event)
{
	answered(client, event);
	walk_response(&client->walk, event->response,
				  event->prepared != NULL ? &event->prepared->result : NULL);
	if (client->ntags + 2 > MAX_TAGS)
		return;
	if ((client->setup & SETUP_FORGET) && event->prepared != NULL &&
		cql_session_forget(client->session, event->prepared->text))
		request_prepare(client);
	else if (event->prepared != NULL)
		request_execute(client, event->prepared);
	else
		request_query(client);
}

/* Frees an event's response; the first one later. */
static void
release(Client *client, CqlResponse *response)
{
	if (client->kept == NULL)
		client->kept = response;
	else if (response != NULL)
		cql_response_free(response);
}

/* Takes all events; false once the session has failed. */
static bool
take_events(Client *client)
{
	CqlEvent	event;
	CqlStatus	status;

	for (;;)
	{
		memset(&event, 0, sizeof(event));
		status = cql_session_next(client->session, &event);
		if (status != CQL_OK)
		{
			const CqlError *error = cql_session_error(client->session);

			fuzz_check_error(status, error);
			if (cql_session_refusal(client->session) != NULL)
				fuzz_touch_string(cql_session_refusal(client->session)->message);
			/* it stays failed */
			CLAIM(cql_session_next(client->session, &event) == status);
			return false;
		}
		CLAIM(cql_session_in_flight(client->session) <= MAX_IN_FLIGHT);
		if (event.kind == CQL_EVENT_NONE)
			return true;
		if (event.kind == CQL_EVENT_READY)
			on_ready(client);
		else if (event.kind == CQL_EVENT_PREPARED)
			on_prepared(client, &event);
		else if (event.kind == CQL_EVENT_RESPONSE)
			on_response(client, &event);
		else
			walk_response(&client->walk, event.response, NULL);
		release(client, event.response);
	}
}

/* ---- the server's side */

/* A request's header is complete: what it is, and its stream. */
static void
saw_request(Client *client)
{
	const uint8_t *header = client->header;

	CLAIM(header[0] == CQL_VERSION_REQUEST);
	client->asked_options |= header[4] == CQL_OP_OPTIONS;
	client->asked_startup |= header[4] == CQL_OP_STARTUP;
	client->asked_login |= header[4] == CQL_OP_AUTH_RESPONSE;
	CLAIM(client->nstreams < MAX_IN_FLIGHT);
	client->opcodes[client->nstreams] = header[4];
	client->streams[client->nstreams++] = (int16_t) (header[2] << 8 | header[3]);
	client->body_left = (size_t) header[5] << 24 | header[6] << 16 | header[7] << 8 | header[8];
	client->header_length = 0;
}

/* Takes what the session sends; all of it, unless the network is slow. */
static void
take_output(Client *client)
{
	bool		slow = (client->setup & SETUP_SLOW) && cql_session_is_ready(client->session);
	const uint8_t *data;
	size_t		length;

	for (cql_session_output(client->session, &data, &length); length > 0;
		 cql_session_output(client->session, &data, &length))
	{
		fuzz_touch(data, length);
		if (slow && length > client->chunk)
			length = client->chunk;
		for (size_t i = 0; i < length; i++)
		{
			if (client->body_left > 0)
				client->body_left--;
			else
				client->header[client->header_length++] = data[i];
			if (client->header_length == CQL_HEADER_SIZE)
				saw_request(client);
		}
		cql_session_sent(client->session, length);
		if (slow)
			return;
	}
	CLAIM(client->body_left == 0 && client->header_length == 0);
}

/* Bytes from the server, in chunks; false once the session has failed. */
static bool
feed(Client *client, const uint8_t *data, size_t length)
{
	while (length > 0 && !client->failed)
	{
		uint8_t    *room;
		size_t		size = 0;
		size_t		chunk = length < client->chunk ? length : client->chunk;

		if (cql_session_input(client->session, &room, &size) != CQL_OK)
			return !(client->failed = true);
		CLAIM(size > 0);
		chunk = chunk < size ? chunk : size;
		memcpy(room, data, chunk);
		data += chunk;
		length -= chunk;
		client->failed = cql_session_received(client->session, chunk) != CQL_OK ||
			!take_events(client);
		if (!client->failed)
			take_output(client);
	}
	return !client->failed;
}

/*
 * The stream of a request that is not answered yet: the oldest with this
 * opcode, or just any.  It is answered now.
 */
static int16_t
take_stream(Client *client, uint8_t opcode)
{
	unsigned	which = 0;
	int16_t		stream;

	while (which < client->nstreams && client->opcodes[which] != opcode)
		which++;
	if (which == client->nstreams)
		which = opcode % client->nstreams;
	stream = client->streams[which];
	client->nstreams--;
	for (unsigned i = which; i < client->nstreams; i++)
	{
		client->streams[i] = client->streams[i + 1];
		client->opcodes[i] = client->opcodes[i + 1];
	}
	return stream;
}

/* A frame that answers the oldest request. */
static bool
answer(Client *client, CqlOpcode opcode, const void *body, size_t length)
{
	int16_t		stream = take_stream(client, 0);
	uint8_t		header[CQL_HEADER_SIZE] = {
		CQL_VERSION_RESPONSE, 0, (uint8_t) (stream >> 8), (uint8_t) stream,
		(uint8_t) opcode, 0, 0, 0, (uint8_t) length
	};

	return feed(client, header, sizeof(header)) && feed(client, body, length);
}

static bool
good_handshake(Client *client)
{
	static const char supported[] = "\0\2\0\13CQL_VERSION\0\1\0\0053.4.5"
		"\0\13COMPRESSION\0\1\0\3lz4";
	static const char authenticator[] = "\0\1A";
	static const char nothing[] = "\377\377\377\377";

	take_output(client);
	if (client->asked_options &&
		!answer(client, CQL_OP_SUPPORTED, supported, sizeof(supported) - 1))
		return false;
	CLAIM(client->asked_startup);
	if (!(client->setup & SETUP_LOGIN))
		return answer(client, CQL_OP_READY, "", 0);
	if (!answer(client, CQL_OP_AUTHENTICATE, authenticator, sizeof(authenticator) - 1))
		return false;
	CLAIM(client->asked_login);
	return answer(client, CQL_OP_AUTH_SUCCESS, nothing, sizeof(nothing) - 1);
}

/* Frame by frame; each that is no event answers a request. */
static void
feed_answers(Client *client, const uint8_t *data, size_t size)
{
	uint8_t		header[CQL_HEADER_SIZE];

	while (size >= CQL_HEADER_SIZE && !client->failed)
	{
		uint32_t	length = (uint32_t) data[5] << 24 | data[6] << 16 | data[7] << 8 | data[8];

		memcpy(header, data, sizeof(header));
		if (header[2] < 0x80 && client->nstreams > 0)
		{
			int16_t		stream = take_stream(client, header[3]);

			header[2] = (uint8_t) (stream >> 8);
			header[3] = (uint8_t) stream;
		}
		data += CQL_HEADER_SIZE;
		size -= CQL_HEADER_SIZE;
		length = length < size ? length : (uint32_t) size;
		if (feed(client, header, sizeof(header)))
			(void) feed(client, data, length);
		data += length;
		size -= length;
	}
	if (!client->failed)
		(void) feed(client, data, size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Client		client = {0};
	FuzzMemory	memory;
	CqlAllocator allocator = fuzz_allocator(&memory, size);
	CqlError	error = {0};
	CqlSessionOptions options = {
		.limits = fuzz_limits,
		.driver_name = "fuzz",
		.driver_version = "1",
		.max_in_flight = MAX_IN_FLIGHT
	};

	if (size < 3)
		return 0;
	client.setup = data[0];
	client.chunk = (size_t) data[1] + 1;
	memory.left = data[2] == 255 ? -1 : data[2];
	options.compression = (data[0] & SETUP_COMPRESSION) != 0;
	options.username = data[0] & SETUP_LOGIN ? "user" : NULL;
	options.password = data[0] & SETUP_LOGIN ? "password" : NULL;

	client.session = cql_session_create(&allocator, &options, &error);
	CLAIM((client.session != NULL) == (error.status == CQL_OK));
	if (client.session != NULL)
	{
		walk_begin(&client.walk, &allocator, &fuzz_limits);
		if (!(client.setup & SETUP_HANDSHAKE) || good_handshake(&client))
		{
			take_output(&client);
			if (client.setup & SETUP_STREAMS)
				feed_answers(&client, data + 3, size - 3);
			else
				(void) feed(&client, data + 3, size - 3);
		}
		cql_session_abandon_all(client.session);
		cql_session_free(client.session);
		if (client.kept != NULL)
		{
			walk_response(&client.walk, client.kept, NULL);
			cql_response_free(client.kept);
		}
		walk_end(&client.walk);
	}
	CLAIM(memory.live == 0);
	return 0;
}
