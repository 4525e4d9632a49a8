/* The replication of a keyspace, as system_schema.keyspaces has it. */
#include "tap.h"

#include "cql/token.h"

#define MAX_PAIRS 8

static TestMemory memory;
static CqlAllocator allocator = TEST_ALLOCATOR(&memory);
static CqlArena arena;
static CqlReplication replication;
static CqlError error;

/* Parses a map given as keys and values in turn, NULL at its end. */
static CqlStatus
parse(const char *const *texts)
{
	CqlString	keys[MAX_PAIRS];
	CqlString	values[MAX_PAIRS];
	uint32_t	npairs = 0;

	for (; texts[2 * npairs] != NULL; npairs++)
	{
		keys[npairs] = str(texts[2 * npairs]);
		values[npairs] = str(texts[2 * npairs + 1]);
	}
	memset(&error, 0, sizeof(error));
	memset(&replication, 0xEE, sizeof(replication));
	return cql_replication_parse(npairs, keys, values, &arena, &replication, &error);
}

#define PARSE(...) parse((const char *const[]) {__VA_ARGS__, NULL})

static void
test_simple(void)
{
	is_int(PARSE("class", "org.apache.cassandra.locator.SimpleStrategy", "replication_factor", "3"),
		   CQL_OK, "SimpleStrategy");
	is_int(replication.strategy, CQL_STRATEGY_SIMPLE, "its strategy");
	is_int(replication.factor, 3, "its factor");
	is_int(replication.ndatacenters, 0, "it has no data centres");

	is_int(PARSE("replication_factor", "3/1", "class", "SimpleStrategy"), CQL_OK,
		   "short name, other order, a transient replica");
	is_int(replication.strategy, CQL_STRATEGY_SIMPLE, "its strategy");
	is_int(replication.factor, 2, "its full replicas");

	is_int(PARSE("class", "SimpleStrategy"), CQL_MALFORMED, "no factor");
	is_text(error.message, "replication has no factor", "message");
	is_int(PARSE("replication_factor", "3"), CQL_MALFORMED, "no class");
	is_text(error.message, "replication has no class", "message");
}

static void
test_network(void)
{
	is_int(PARSE("east", "3", "class", "org.apache.cassandra.locator.NetworkTopologyStrategy",
				 "we st", "0", "north", "5/2"),
		   CQL_OK, "NetworkTopologyStrategy");
	is_int(replication.strategy, CQL_STRATEGY_NETWORK_TOPOLOGY, "its strategy");
	if (is_int(replication.ndatacenters, 3, "its data centres"))
	{
		ok(cql_string_equals(replication.datacenters[0].datacenter, "east"), "the first");
		is_int(replication.datacenters[0].factor, 3, "its factor");
		ok(cql_string_equals(replication.datacenters[1].datacenter, "we st"), "the second");
		is_int(replication.datacenters[1].factor, 0, "its factor");
		ok(cql_string_equals(replication.datacenters[2].datacenter, "north"), "the third");
		is_int(replication.datacenters[2].factor, 3, "its factor");
	}
	is_int(PARSE("class", "NetworkTopologyStrategy"), CQL_OK, "without data centres");
	is_int(replication.strategy, CQL_STRATEGY_NETWORK_TOPOLOGY, "its strategy");
	is_int(replication.ndatacenters, 0, "it has none");
}

static void
test_others(void)
{
	is_int(PARSE("class", "org.apache.cassandra.locator.LocalStrategy"), CQL_OK, "LocalStrategy");
	is_int(replication.strategy, CQL_STRATEGY_LOCAL, "its strategy");
	is_int(PARSE("class", "org.apache.cassandra.locator.EverywhereStrategy"), CQL_OK, "another");
	is_int(replication.strategy, CQL_STRATEGY_OTHER, "is unknown");
	is_int(PARSE("class", "simplestrategy"), CQL_OK, "another case");
	is_int(replication.strategy, CQL_STRATEGY_OTHER, "is unknown");
	is_int(PARSE("class", "SimpleStrategy.", "replication_factor", "1"), CQL_OK, "a point at the end");
	is_int(replication.strategy, CQL_STRATEGY_OTHER, "is unknown");
	is_int(PARSE("class", ""), CQL_OK, "an empty class");
	is_int(replication.strategy, CQL_STRATEGY_OTHER, "is unknown");
}

static void
test_factors(void)
{
	static const char *const bad[] = {
		"", "-1", "+1", "3.0", "3/", "/1", "1/2", "3/-1", "3/1/1", " 3", "3 ", "three",
		"4294967296", "99999999999999999999", "3/99999999999999999999", "['r1', 'r2']"
	};
	char		expected[64];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		is_int(PARSE("class", "SimpleStrategy", "replication_factor", bad[i]), CQL_UNSUPPORTED, bad[i]);
		snprintf(expected, sizeof(expected), "replication factor \"%s\" is not known", bad[i]);
		is_text(error.message, expected, "message");
		is_int(PARSE("class", "NetworkTopologyStrategy", "dc", bad[i]), CQL_UNSUPPORTED, bad[i]);
	}
	is_int(PARSE("class", "SimpleStrategy", "replication_factor", "4294967295"), CQL_OK, "the greatest");
	ok(replication.factor == UINT32_MAX, "its value");
	is_int(PARSE("class", "SimpleStrategy", "replication_factor", "2/2"), CQL_OK, "all transient");
	is_int(replication.factor, 0, "no full replica");
	is_int(PARSE("class", "SimpleStrategy", "replication_factor", "0003"), CQL_OK, "leading zeroes");
	is_int(replication.factor, 3, "its value");
}

static void
test_long_factor(void)
{
	char		factor[1001];

	memset(factor, 'x', sizeof(factor) - 1);
	factor[sizeof(factor) - 1] = '\0';
	is_int(PARSE("class", "SimpleStrategy", "replication_factor", factor), CQL_UNSUPPORTED, "a long one");
	is_int((long long) strlen(error.message), CQL_ERROR_MESSAGE_SIZE - 1, "its message is cut");
}

static void
test_no_memory(void)
{
	cql_arena_free(&arena);
	memory.requests = 0;
	memory.fail_at = 1;
	is_int(PARSE("class", "NetworkTopologyStrategy", "dc", "1"), CQL_NO_MEMORY, "no memory");
	is_text(error.message, "out of memory", "message");
	is_int(PARSE("class", "SimpleStrategy", "replication_factor", "1"), CQL_OK, "none is needed");
	memory.fail_at = 0;
}

int
main(void)
{
	cql_arena_init(&arena, &allocator);
	test_simple();
	test_network();
	test_others();
	test_factors();
	test_long_factor();
	test_no_memory();
	cql_arena_free(&arena);
	is_int(memory.live, 0, "all memory is released");
	return done_testing();
}
