/*-------------------------------------------------------------------------
 *
 * supported.c
 *	  What a server offers in SUPPORTED.
 *
 * Cassandra tells which compressions it has.  ScyllaDB also tells about its
 * shards, and about extensions of the protocol: their keys begin with SCYLLA_,
 * and an extension is in force once the client has said its key and value back
 * in STARTUP (the server's docs/dev/protocol-extensions.md).  What does not
 * read as it should is taken as not told.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/session_parts.h"

#include <string.h>

/* The only ways to place tokens on shards, and keys on tokens, that we know. */
#define SHARDING_ALGORITHM "biased-token-round-robin"
#define PARTITIONER "org.apache.cassandra.dht.Murmur3Partitioner"

/* Values of extensions are NAME=NUMBER. */
#define LWT_NAME "LWT_OPTIMIZATION_META_BIT_MASK="
#define RATE_LIMIT_NAME "ERROR_CODE="

/* Bits of a token that sharding can leave out. */
#define MAX_IGNORE_MSB 63

/* A decimal number, no larger than `max`. */
static bool
read_number(CqlString text, uint32_t max, uint32_t *number)
{
	uint64_t	value = 0;

	if (text.length == 0)
		return false;
	for (uint32_t i = 0; i < text.length; i++)
	{
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		value = value * 10 + (uint64_t) (text.data[i] - '0');
		if (value > max)
			return false;
	}
	*number = (uint32_t) value;
	return true;
}

/* The number behind a name. */
static bool
read_named_number(CqlString text, const char *name, uint32_t max, uint32_t *number)
{
	uint32_t	length = (uint32_t) strlen(name);

	if (text.length < length || memcmp(text.data, name, length) != 0)
		return false;
	return read_number((CqlString) {text.data + length, text.length - length},
					   max, number);
}

/* The values of a key; empty if the server has not told it. */
static CqlStringList
values_of(const CqlResponse *response, const char *key)
{
	for (uint32_t i = 0; i < response->u.supported.count; i++)
		if (cql_string_equals(response->u.supported.entries[i].key, key))
			return response->u.supported.entries[i].values;
	return (CqlStringList) {0, NULL};
}

/* The first value of a key, or an empty one. */
static CqlString
value_of(const CqlResponse *response, const char *key)
{
	CqlStringList values = values_of(response, key);

	return values.count > 0 ? values.items[0] : (CqlString) {"", 0};
}

static bool
has_value(CqlStringList values, const char *value)
{
	for (uint32_t i = 0; i < values.count; i++)
		if (cql_string_equals(values.items[i], value))
			return true;
	return false;
}

/* Is there any key of ScyllaDB's? */
static bool
is_scylla(const CqlResponse *response)
{
	for (uint32_t i = 0; i < response->u.supported.count; i++)
	{
		CqlString	key = response->u.supported.entries[i].key;

		if (key.length >= 7 && memcmp(key.data, "SCYLLA_", 7) == 0)
			return true;
	}
	return false;
}

static uint16_t
read_port(const CqlResponse *response, const char *key)
{
	uint32_t	port;

	return read_number(value_of(response, key), UINT16_MAX, &port) ?
		(uint16_t) port : 0;
}

/* All of it, or nothing. */
static void
read_sharding(const CqlResponse *response, CqlServerOptions *server)
{
	uint32_t	shard;
	uint32_t	nr_shards;
	uint32_t	ignore_msb;

	if (!read_number(value_of(response, "SCYLLA_SHARD"), UINT16_MAX, &shard) ||
		!read_number(value_of(response, "SCYLLA_NR_SHARDS"), UINT16_MAX, &nr_shards) ||
		!read_number(value_of(response, "SCYLLA_SHARDING_IGNORE_MSB"),
					 MAX_IGNORE_MSB, &ignore_msb) ||
		shard >= nr_shards ||
		!cql_string_equals(value_of(response, "SCYLLA_SHARDING_ALGORITHM"),
						   SHARDING_ALGORITHM) ||
		!cql_string_equals(value_of(response, "SCYLLA_PARTITIONER"), PARTITIONER))
		return;
	server->shard = shard;
	server->nr_shards = nr_shards;
	server->sharding_ignore_msb = ignore_msb;
	server->shard_aware_port = read_port(response, "SCYLLA_SHARD_AWARE_PORT");
	server->shard_aware_port_tls = read_port(response, "SCYLLA_SHARD_AWARE_PORT_SSL");
}

/* An extension's number, and what is said back. */
static bool
read_extension(const CqlResponse *response, const char *key, const char *name,
			   uint32_t max, uint32_t *number, CqlStringPair *echo)
{
	CqlString	value = value_of(response, key);

	if (!read_named_number(value, name, max, number))
		return false;
	echo->key = (CqlString) {key, (uint32_t) strlen(key)};
	echo->value = value;
	return true;
}

void
cql_supported_read(const CqlResponse *response, CqlServerOptions *server,
				   CqlSupportedEcho *echo)
{
	uint32_t	number;

	memset(server, 0, sizeof(*server));
	memset(echo, 0, sizeof(*echo));
	server->rate_limit_code = -1;
	server->lz4 = has_value(values_of(response, "COMPRESSION"), "lz4");
	server->scylla = is_scylla(response);
	read_sharding(response, server);
	if (read_extension(response, "SCYLLA_LWT_ADD_METADATA_MARK", LWT_NAME,
					   UINT32_MAX, &number, &echo->lwt))
		server->lwt_mask = number;
	if (read_extension(response, "SCYLLA_RATE_LIMIT_ERROR", RATE_LIMIT_NAME,
					   INT32_MAX, &number, &echo->rate_limit))
		server->rate_limit_code = (int32_t) number;
}
