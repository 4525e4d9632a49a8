/* The handshake of a session: every way through it, and out of it. */
#include "peer.h"

/* ------
 * OPTIONS, STARTUP, READY
 * ------
 */

static void
test_plain(void)
{
	set_options();
	ok(open_session(), "a session");
	ok(!cql_session_is_ready(session), "not ready");
	is_output("04 00 0000 05 00000000", "OPTIONS is sent at once");
	is_event(CQL_EVENT_NONE, "nothing comes");
	is_output("", "nothing goes");

	peer_hex("84 00 0000 06 00000000");
	peer_length -= 9;
	answer_supported();
	is_event(CQL_EVENT_NONE, "SUPPORTED is not the caller's");
	is_output("04 00 0000 01 00000016 0001 000b 43514c5f56455253494f4e 0005 332e302e30",
			  "STARTUP");
	ok(!cql_session_compression(session), "compression is not wanted");
	ok(cql_session_server_options(session)->lz4, "but offered");

	answer(0, CQL_OP_READY);
	is_event(CQL_EVENT_READY, "READY");
	ok(!cql_session_logged_in(session), "no login was wanted");
	ok(cql_session_is_ready(session), "ready");
	is_int(cql_session_in_flight(session), 0, "nothing under way");
	is_event(CQL_EVENT_NONE, "nothing else");
	ok(cql_session_refusal(session) == NULL, "no refusal");
	is_int(cql_session_error(session)->status, CQL_OK, "no error");
}

static void
test_all_options(void)
{
	set_options();
	options.compression = true;
	options.driver_name = "btm";
	options.driver_version = "1.0";
	open_session();
	drop_output();
	body_u16(2);
	body_text("COMPRESSION");
	body_u16(2);
	body_text("snappy");
	body_text("lz4");
	body_text("CQL_VERSION");
	body_u16(1);
	body_text("3.4.7");
	answer(0, CQL_OP_SUPPORTED);
	is_event(CQL_EVENT_NONE, "SUPPORTED");
	is_output("04 00 0000 01 0000004f 0004"
			  "000b 43514c5f56455253494f4e 0005 332e302e30"
			  "000b 434f4d5052455353494f4e 0003 6c7a34"
			  "000b 4452495645525f4e414d45 0003 62746d"
			  "000e 4452495645525f56455253494f4e 0003 312e30",
			  "STARTUP with all that we say");
	ok(cql_session_compression(session), "compression is agreed on");
	ok(!cql_session_server_options(session)->scylla, "not ScyllaDB");
	is_int(cql_session_server_options(session)->nr_shards, 0, "no shards");
	is_int(cql_session_server_options(session)->rate_limit_code, -1, "no rate limit error");
}

/* No message of the handshake is compressed, as long as it may be. */
static void
test_never_compressed(void)
{
	char		text[1000];
	uint8_t    *sent;
	size_t		length;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	set_options();
	options.compression = true;
	options.driver_name = text;
	options.username = text;
	open_session();
	drop_output();
	answer_supported();
	next();
	sent = take_output(&length);
	is_hex(sent, 9, "04 00 0000 01 0000041e", "STARTUP");
	free(sent);
	body_text("Authenticator");
	answer(0, CQL_OP_AUTHENTICATE);
	next();
	sent = take_output(&length);
	is_hex(sent, 14, "04 00 0000 0f 000003ed 000003e9 00", "AUTH_RESPONSE");
	free(sent);
}

static void
test_no_compression_offered(void)
{
	set_options();
	options.compression = true;
	open_session();
	drop_output();
	body_u16(1);
	body_text("COMPRESSION");
	body_u16(1);
	body_text("snappy");
	answer(0, CQL_OP_SUPPORTED);
	is_event(CQL_EVENT_NONE, "SUPPORTED");
	is_output("04 00 0000 01 00000016 0001 000b 43514c5f56455253494f4e 0005 332e302e30",
			  "STARTUP without compression");
	ok(!cql_session_compression(session), "none");
}

/* ------
 * ScyllaDB's options
 * ------
 */

typedef struct Option
{
	const char *key;
	const char *value;
} Option;

static const Option scylla[] = {
	{"SCYLLA_SHARD", "3"},
	{"SCYLLA_NR_SHARDS", "12"},
	{"SCYLLA_PARTITIONER", "org.apache.cassandra.dht.Murmur3Partitioner"},
	{"SCYLLA_SHARDING_ALGORITHM", "biased-token-round-robin"},
	{"SCYLLA_SHARDING_IGNORE_MSB", "12"},
	{"SCYLLA_SHARD_AWARE_PORT", "19042"},
	{"SCYLLA_SHARD_AWARE_PORT_SSL", "19142"},
	{"SCYLLA_LWT_ADD_METADATA_MARK", "LWT_OPTIMIZATION_META_BIT_MASK=2147483648"},
	{"SCYLLA_RATE_LIMIT_ERROR", "ERROR_CODE=61440"},
	{"SCYLLA_SOMETHING_NEW", "x"},
};

#define NSCYLLA (sizeof(scylla) / sizeof(scylla[0]))

/* A server that offers this, but one key with another value, or none if NULL. */
static const CqlServerOptions *
offer(const char *key, const char *value)
{
	set_options();
	open_session();
	drop_output();
	body_u16(NSCYLLA);
	for (size_t i = 0; i < NSCYLLA; i++)
	{
		bool		other = key != NULL && strcmp(key, scylla[i].key) == 0;

		body_text(scylla[i].key);
		if (other && value == NULL)
			body_u16(0);
		else
		{
			body_u16(1);
			body_text(other ? value : scylla[i].value);
		}
	}
	answer(0, CQL_OP_SUPPORTED);
	is_event(CQL_EVENT_NONE, key == NULL ? "SUPPORTED of ScyllaDB" : key);
	return cql_session_server_options(session);
}

static void
test_scylla(void)
{
	const CqlServerOptions *server = offer(NULL, NULL);

	ok(server->scylla, "ScyllaDB");
	ok(!server->lz4, "no compression");
	is_int(server->shard, 3, "shard");
	is_int(server->nr_shards, 12, "shards");
	is_int(server->sharding_ignore_msb, 12, "bits");
	is_int(server->shard_aware_port, 19042, "port");
	is_int(server->shard_aware_port_tls, 19142, "port with TLS");
	is_int(server->rate_limit_code, 0xF000, "code of the rate limit error");
	is_int(server->lwt_mask, 0x80000000, "mask");
	is_output("04 00 0000 01 0000008a 0003"
			  "000b 43514c5f56455253494f4e 0005 332e302e30"
	/* SCYLLA_LWT_ADD_METADATA_MARK */
			  "001c 5343594c4c415f4c57545f4144445f4d455441444154415f4d41524b"
	/* LWT_OPTIMIZATION_META_BIT_MASK=2147483648 */
			  "0029 4c57545f4f5054494d495a4154494f4e5f4d4554415f4249545f4d41534b"
			  "3d32313437343833363438"
	/* SCYLLA_RATE_LIMIT_ERROR ERROR_CODE=61440 */
			  "0017 5343594c4c415f524154455f4c494d49545f4552524f52"
			  "0010 4552524f525f434f44453d3631343430",
			  "only what is understood is said back");
}

/* What cannot be read, or is not known, is as if it was not told. */
static void
test_scylla_wrong(void)
{
	static const Option wrong[] = {
		{"SCYLLA_SHARD", "x"}, {"SCYLLA_SHARD", ""}, {"SCYLLA_SHARD", NULL},
		{"SCYLLA_SHARD", "12"}, {"SCYLLA_SHARD", "-1"}, {"SCYLLA_NR_SHARDS", "0"},
		{"SCYLLA_NR_SHARDS", "65536"}, {"SCYLLA_NR_SHARDS", "18446744073709551618"},
		{"SCYLLA_PARTITIONER", "org.apache.cassandra.dht.ByteOrderedPartitioner"},
		{"SCYLLA_SHARDING_ALGORITHM", "another"}, {"SCYLLA_SHARDING_IGNORE_MSB", "64"},
	};
	const CqlServerOptions *server;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
	{
		server = offer(wrong[i].key, wrong[i].value);
		is_int(server->nr_shards, 0, "no shards are known");
		is_int(server->shard_aware_port, 0, "no port either");
		ok(server->scylla, "but ScyllaDB it is");
	}
	is_int(offer("SCYLLA_SHARD_AWARE_PORT", "65536")->shard_aware_port, 0, "no such port");
	is_int(cql_session_server_options(session)->nr_shards, 12, "shards all the same");
	is_int(offer("SCYLLA_LWT_ADD_METADATA_MARK", "2147483648")->lwt_mask, 0, "no name");
	is_int(offer("SCYLLA_LWT_ADD_METADATA_MARK",
				 "LWT_OPTIMIZATION_META_BIT_MASK=4294967296")->lwt_mask, 0, "too large");
	is_int(offer("SCYLLA_RATE_LIMIT_ERROR", "ERROR_CODE=2147483648")->rate_limit_code,
		   -1, "no code");
}

/* ------
 * Login
 * ------
 */

/* Up to the server's question. */
static void
begin_login(const char *username, const char *password)
{
	set_options();
	options.username = username;
	options.password = password;
	open_session();
	answer_supported();
	next();
	drop_output();
	body_text("org.apache.cassandra.auth.PasswordAuthenticator");
	answer(0, CQL_OP_AUTHENTICATE);
}

/* Is this anywhere in memory that the session has? */
static bool
in_memory(const uint8_t *data, size_t length, const char *text)
{
	size_t		n = strlen(text);

	for (size_t i = 0; i + n <= length; i++)
		if (memcmp(data + i, text, n) == 0)
			return true;
	return false;
}

static void
test_login(void)
{
	const uint8_t *data;
	size_t		length;

	begin_login("cassandra", "s3cret");
	is_event(CQL_EVENT_NONE, "AUTHENTICATE");
	cql_session_output(session, &data, &length);
	ok(in_memory(data, length, "s3cret"), "the password is about to go");
	cql_session_sent(session, length - 3);
	ok(!in_memory(data, length - 3, "s3c"), "what is sent is wiped");
	ok(in_memory(data, length, "ret"), "what is not sent is not");
	cql_session_sent(session, 3);
	ok(!in_memory(data, length, "ret"), "now it is");
	body_i32(-1);
	answer(0, CQL_OP_AUTH_SUCCESS);
	is_event(CQL_EVENT_READY, "AUTH_SUCCESS");
	ok(cql_session_logged_in(session), "a login was wanted");

	begin_login("cassandra", "s3cret");
	next();
	is_output("04 00 0000 0f 00000015 00000011 00 63617373616e647261 00 733363726574",
			  "AUTH_RESPONSE");
	begin_login("u", NULL);
	next();
	is_output("04 00 0000 0f 00000007 00000003 00 75 00", "without a password");
	/* the output has the password when the session is freed */
	begin_login("cassandra", "s3cret");
	next();
}

/* ------
 * No copy of the password is left anywhere: all memory that is given back is
 * looked at, and resizing always moves.
 * ------
 */

#define SECRET "s3cret-7aXq"

static bool leaked;

/* Memory knows its size: it stands before it. */
static void *
sized_alloc(void *context, size_t size)
{
	size_t	   *block = test_alloc(context, size + 2 * sizeof(*block));

	if (block == NULL)
		return NULL;
	block[0] = size;
	return memset(block + 2, 0, size);
}

static void
sized_release(void *context, void *pointer)
{
	size_t	   *block = (size_t *) pointer - 2;

	if (in_memory(pointer, block[0], SECRET))
		leaked = true;
	test_release(context, block);
}

static void *
sized_resize(void *context, void *old, size_t size)
{
	size_t		old_size = ((size_t *) old)[-2];
	void	   *moved = sized_alloc(context, size);

	if (moved == NULL)
		return NULL;
	memcpy(moved, old, old_size < size ? old_size : size);
	sized_release(context, old);
	return moved;
}

static const CqlAllocator sized = {sized_alloc, sized_resize, sized_release, &memory};

/*
 * Up to AUTH_SUCCESS if `answered`; the server may even say so before it was
 * told.  A long user name makes the output grow.
 */
static void
log_in(bool asked, bool sent, bool answered)
{
	char		username[1000];

	memset(username, 'u', sizeof(username));
	username[sizeof(username) - 1] = '\0';
	set_options();
	options.username = username;
	options.password = SECRET;
	close_session();
	session = cql_session_create(&sized, &options, &error);
	answer_supported();
	next();
	if (asked)
	{
		body_text("org.apache.cassandra.auth.PasswordAuthenticator");
		answer(0, CQL_OP_AUTHENTICATE);
		next();
	}
	if (sent)
		drop_output();
	if (asked && answered)
		body_i32(-1);
	if (answered)
		answer(0, asked ? CQL_OP_AUTH_SUCCESS : CQL_OP_READY);
	if (next() != CQL_OK)
		abort();
}

static void
test_wiped(void)
{
	uint8_t    *room;
	size_t		size;
	char		text[5000] = {0};
	CqlParameters p = {.consistency = CQL_CONSISTENCY_ONE};

	for (int i = 0; i < 8; i++)
	{
		leaked = false;
		log_in(i & 1, i & 2, i & 4);
		if (i & 4 && cql_session_query(session, (CqlString) {text, sizeof(text)}, 0,
									   NULL, &p, NULL, NULL, &error) != CQL_OK)
			abort();
		if (cql_session_input(session, &room, &size) != CQL_OK)
			abort();
		close_session();
		ok(!leaked, "no password is left: %s, %s, %s", i & 1 ? "asked for" : "not asked for",
		   i & 2 ? "sent" : "not sent", i & 4 ? "answered" : "not answered");
	}
}

static void
test_login_refused(void)
{
	begin_login(NULL, NULL);
	is_failure(CQL_REFUSED, "the server asks for a user name and password"
			   " (org.apache.cassandra.auth.PasswordAuthenticator)");
	ok(cql_session_refusal(session) == NULL, "that is not an error of the server");

	begin_login("u", "p");
	next();
	body_i32(2);
	body_u16(0);
	answer(0, CQL_OP_AUTH_CHALLENGE);
	is_failure(CQL_REFUSED, "the server wants more than a user name and password");
	ok(cql_session_refusal(session) == NULL, "nor is that");

	begin_login("u", "p");
	next();
	answer_error(0, CQL_ERR_CREDENTIALS, "Provided username u and/or password are incorrect");
	is_failure(CQL_REFUSED, "the server refused the connection:"
			   " Provided username u and/or password are incorrect");
	is_int(cql_session_refusal(session)->code, CQL_ERR_CREDENTIALS, "its error");
}

/* ------
 * Errors
 * ------
 */

static void
test_error_at_each_step(void)
{
	set_options();
	open_session();
	answer_error(0, CQL_ERR_SERVER, "no");
	is_failure(CQL_REFUSED, "the server refused the connection: no");
	is_int(cql_session_refusal(session)->code, CQL_ERR_SERVER, "code");
	ok(cql_string_equals(cql_session_refusal(session)->message, "no"), "words");

	open_session();
	answer_supported();
	next();
	answer_error(0, CQL_ERR_OVERLOADED, "later");
	is_failure(CQL_REFUSED, "the server refused the connection: later");
	is_int(cql_session_refusal(session)->code, CQL_ERR_OVERLOADED, "code");
}

static void
test_other_version(void)
{
	set_options();
	open_session();
	body_error(CQL_ERR_PROTOCOL, "Invalid or unsupported protocol version (4)");
	answer_header(0x83, 0, 0, CQL_OP_ERROR, (uint32_t) body_length);
	peer_raw(body_data, body_length);
	is_failure(CQL_REFUSED, "the server speaks version 3 of the protocol, not 4:"
			   " Invalid or unsupported protocol version (4)");
	is_int(cql_session_refusal(session)->code, CQL_ERR_PROTOCOL, "its error");

	/* a stream that it has made up */
	open_session();
	body_error(CQL_ERR_PROTOCOL, "v5");
	answer_header(0x85, 0, 77, CQL_OP_ERROR, (uint32_t) body_length);
	peer_raw(body_data, body_length);
	is_failure(CQL_REFUSED, "the server speaks version 5 of the protocol, not 4: v5");

	open_session();
	peer_hex("82 00 00 00 00000000 00");
	is_failure(CQL_MALFORMED, "the server speaks version 2 of the protocol, not 4");

	must_connect();
	body_error(CQL_ERR_PROTOCOL, "v5");
	answer_header(0x85, 0, 0, CQL_OP_ERROR, (uint32_t) body_length);
	peer_raw(body_data, body_length);
	is_failure(CQL_MALFORMED, "the server speaks version 5 of the protocol, not 4: v5");
	ok(cql_session_refusal(session) == NULL, "the connection was not refused");
}

static void
test_wrong_answers(void)
{
	set_options();
	open_session();
	answer(0, CQL_OP_READY);
	is_failure(CQL_MALFORMED, "the server answered message 0x05 with message 0x02");

	open_session();
	answer_supported();
	answer_supported();
	is_failure(CQL_MALFORMED, "the server answered message 0x01 with message 0x06");

	begin_login("u", "p");
	next();
	answer(0, CQL_OP_READY);
	is_failure(CQL_MALFORMED, "the server answered message 0x0f with message 0x02");

	set_options();
	open_session();
	answer(1, CQL_OP_SUPPORTED);
	is_failure(CQL_MALFORMED,
			   "the server answered a request that was not made (stream 1)");

	open_session();
	body_text("STATUS_CHANGE");
	body_text("UP");
	body_u8(4);
	body_i32(0x7f000001);
	body_i32(9042);
	answer(-1, CQL_OP_EVENT);
	is_failure(CQL_MALFORMED, "the server sent an event during the handshake");

	open_session();
	peer_hex("48545450 2f312e31 20343030");
	is_failure(CQL_MALFORMED,
			   "the server sent a frame that is no response (version byte 0x48)");
}

/* Requests are refused before the end of the handshake; abandoning does nothing. */
static void
test_too_early(void)
{
	set_options();
	open_session();
	is_int(cql_session_options(session, NULL, NULL, &error), CQL_INVALID, "too early");
	is_text(error.message, "the connection is not ready yet", "message");
	cql_session_abandon(session, 0);
	cql_session_abandon_all(session);
	answer_supported();
	answer(0, CQL_OP_READY);
	is_event(CQL_EVENT_READY, "ready all the same");
}

static void
test_bad_options(void)
{
	char	   *text = malloc(65537);

	set_options();
	options.max_in_flight = 0;
	ok(!open_session(), "no requests");
	is_text(error.message, "0 requests in flight are not possible", "message");
	options.max_in_flight = CQL_MAX_STREAMS + 1;
	ok(!open_session(), "too many requests");
	is_int(error.status, CQL_INVALID, "status");

	memset(text, 'x', 65536);
	text[65536] = '\0';
	set_options();
	options.password = text;
	ok(!open_session(), "a password of 64 KiB");
	is_text(error.message, "password is too long", "message");
	text[65535] = '\0';
	ok(open_session(), "one byte less");
	free(text);
}

/* ------
 * The whole of it, with memory that fails at each place
 * ------
 */

static CqlStatus
login(void)
{
	set_options();
	options.username = "cassandra";
	options.password = "cassandra";
	options.driver_name = "btm";
	options.driver_version = "1.0";
	options.compression = true;
	if (!open_session())
		return CQL_NO_MEMORY;
	answer_supported();
	CQL_TRY(next());
	body_text("org.apache.cassandra.auth.PasswordAuthenticator");
	answer(0, CQL_OP_AUTHENTICATE);
	CQL_TRY(next());
	body_i32(-1);
	answer(0, CQL_OP_AUTH_SUCCESS);
	return next();
}

static void
test_memory(void)
{
	bool		good = true;
	CqlStatus	status;
	long		at = 0;

	do
	{
		close_session();
		memory.requests = 0;
		memory.fail_at = ++at;
		status = login();
		if (status != CQL_OK && status != CQL_NO_MEMORY)
			good = false;
		if (session != NULL && status != cql_session_error(session)->status)
			good = false;
		if (session == NULL && error.status != CQL_NO_MEMORY)
			good = false;
		memory.fail_at = 0;
		close_session();
		good &= memory.live == 0;
	} while (status != CQL_OK && at < 1000);
	ok(good && at > 5 && at < 1000, "memory may fail at each of %ld places", at - 1);
}

static void
test_chunks(void)
{
	bool		good = true;

	for (chunk = 1; chunk < 100; chunk++)
		good &= login() == CQL_OK && event.kind == CQL_EVENT_READY &&
			cql_session_compression(session);
	ok(good, "a login in pieces of any size");
	chunk = SIZE_MAX;
}

int
main(void)
{
	test_plain();
	test_all_options();
	test_never_compressed();
	test_no_compression_offered();
	test_scylla();
	test_scylla_wrong();
	test_login();
	test_wiped();
	test_login_refused();
	test_error_at_each_step();
	test_other_version();
	test_wrong_answers();
	test_too_early();
	test_bad_options();
	test_memory();
	test_chunks();
	close_session();
	is_int(memory.live, 0, "no memory is left");
	return done_testing();
}
