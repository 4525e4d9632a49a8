/*-------------------------------------------------------------------------
 *
 * replication.c
 *	  How a keyspace is replicated, from the map that the schema has of it.
 *
 * What a server has stored is valid for that server.  A class that is not
 * known here is no failure: the keyspace is used, but not routed for.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/token.h"

#include <string.h>

/* The text behind its last point: a class without its package. */
static CqlString
class_name(CqlString text)
{
	uint32_t	start = text.length;

	while (start > 0 && text.data[start - 1] != '.')
		start--;
	if (start > 0)
	{
		text.data += start;
		text.length -= start;
	}
	return text;
}

static CqlStrategy
strategy_of(CqlString class)
{
	CqlString	name = class_name(class);

	if (cql_string_equals(name, "SimpleStrategy"))
		return CQL_STRATEGY_SIMPLE;
	if (cql_string_equals(name, "NetworkTopologyStrategy"))
		return CQL_STRATEGY_NETWORK_TOPOLOGY;
	if (cql_string_equals(name, "LocalStrategy"))
		return CQL_STRATEGY_LOCAL;
	return CQL_STRATEGY_OTHER;
}

/* The digits at *at, of which there must be one; goes behind them. */
static bool
read_number(CqlString text, uint32_t *at, uint32_t *number)
{
	uint32_t	start = *at;
	uint64_t	value = 0;

	while (*at < text.length && text.data[*at] >= '0' && text.data[*at] <= '9')
	{
		value = value * 10 + (uint64_t) (text.data[*at] - '0');
		if (value > UINT32_MAX)
			return false;
		(*at)++;
	}
	*number = (uint32_t) value;
	return *at > start;
}

/* "3", or "3/1": three replicas of which one is transient. */
static CqlStatus
parse_factor(CqlString text, uint32_t *factor, CqlError *error)
{
	uint32_t	at = 0;
	uint32_t	all = 0;
	uint32_t	transient = 0;
	bool		valid = read_number(text, &at, &all);

	if (valid && at < text.length)
		valid = text.data[at++] == '/' && read_number(text, &at, &transient);
	if (!valid || at < text.length || transient > all)
		return cql_fail(error, CQL_UNSUPPORTED,
						"replication factor \"%.*s\" is not known",
						(int) (text.length < CQL_ERROR_MESSAGE_SIZE ?
							   text.length : CQL_ERROR_MESSAGE_SIZE),
						text.data);
	*factor = all - transient;
	return CQL_OK;
}

/* The value of a key; NULL if there is none. */
static const CqlString *
find_value(uint32_t npairs, const CqlString *keys, const CqlString *values,
		   const char *key)
{
	for (uint32_t i = 0; i < npairs; i++)
		if (cql_string_equals(keys[i], key))
			return &values[i];
	return NULL;
}

static CqlStatus
parse_simple(uint32_t npairs, const CqlString *keys, const CqlString *values,
			 CqlReplication *replication, CqlError *error)
{
	const CqlString *factor = find_value(npairs, keys, values, "replication_factor");

	if (factor == NULL)
		return cql_fail(error, CQL_MALFORMED, "replication has no factor");
	return parse_factor(*factor, &replication->factor, error);
}

/* Each pair but the class is a data centre and its factor. */
static CqlStatus
parse_datacenters(uint32_t npairs, const CqlString *keys, const CqlString *values,
				  CqlArena *arena, CqlReplication *replication, CqlError *error)
{
	CqlDatacenterFactor *datacenters;
	uint32_t	n = 0;

	datacenters = cql_arena_alloc_array(arena, npairs, sizeof(*datacenters));
	if (datacenters == NULL)
		return cql_fail(error, CQL_NO_MEMORY, "out of memory");
	for (uint32_t i = 0; i < npairs; i++)
	{
		if (cql_string_equals(keys[i], "class"))
			continue;
		datacenters[n].datacenter = keys[i];
		CQL_TRY(parse_factor(values[i], &datacenters[n].factor, error));
		n++;
	}
	replication->ndatacenters = n;
	replication->datacenters = datacenters;
	return CQL_OK;
}

CqlStatus
cql_replication_parse(uint32_t npairs, const CqlString *keys,
					  const CqlString *values, CqlArena *arena,
					  CqlReplication *replication, CqlError *error)
{
	const CqlString *class = find_value(npairs, keys, values, "class");

	memset(replication, 0, sizeof(*replication));
	if (class == NULL)
		return cql_fail(error, CQL_MALFORMED, "replication has no class");
	replication->strategy = strategy_of(*class);
	if (replication->strategy == CQL_STRATEGY_SIMPLE)
		return parse_simple(npairs, keys, values, replication, error);
	if (replication->strategy == CQL_STRATEGY_NETWORK_TOPOLOGY)
		return parse_datacenters(npairs, keys, values, arena, replication, error);
	return CQL_OK;
}
