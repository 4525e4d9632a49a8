/*
 * The token ring: replicas of whole rings against those that python3-cassandra's
 * cassandra.metadata computes (node for node for SimpleStrategy, as sets for
 * NetworkTopologyStrategy), then order, preference and failures.
 */
#include "tap.h"

#include "cql/token.h"

typedef struct TestNode
{
	const char *datacenter;
	const char *rack;
} TestNode;

typedef struct TestEntry
{
	int			token;			/* times TOKEN_UNIT */
	uint32_t	node;
} TestEntry;

#define TOKEN_UNIT INT64_C(1000000000000000)

typedef struct TestReplicas
{
	int			token;
	const char *simple;
	const char *network;		/* sorted */
} TestReplicas;

typedef struct TestFactor
{
	const char *datacenter;
	uint32_t	factor;
} TestFactor;

typedef struct TestTopology
{
	const char *name;
	uint32_t	nnodes;
	const TestNode *nodes;
	uint32_t	nentries;
	const TestEntry *entries;
	int			nreplicas;
	const TestReplicas *replicas;
	uint32_t	simple_factor;
	TestFactor	factors[4];
	uint32_t	nfactors;
} TestTopology;

static const TestNode racks_nodes[] = {
	{"east", "r0"}, {"east", "r1"}, {"east", "r2"}, {"east", "r0"},
	{"east", "r1"}, {"east", "r2"}
};

static const TestEntry racks_entries[] = {
	{-7100, 4}, {8559, 2}, {3937, 1}, {7627, 4}, {2982, 3}, {-6627, 2}, {1611, 0}, {-7418, 1},
	{-7772, 5}, {-1965, 5}, {-5916, 3}, {-4057, 0}
};

static const TestReplicas racks_replicas[] = {
	{-7772, "5 1 4", "1 3 5"},
	{-7418, "1 4 2", "1 2 3"},
	{-7100, "4 2 3", "2 3 4"},
	{-6627, "2 3 0", "1 2 3"},
	{-5916, "3 0 5", "1 3 5"},
	{-4057, "0 5 3", "0 1 5"},
	{-1965, "5 0 3", "0 1 5"},
	{1611, "0 3 1", "0 1 2"},
	{2982, "3 1 4", "1 2 3"},
	{3937, "1 4 2", "1 2 3"},
	{7627, "4 2 5", "2 3 4"},
	{8559, "2 5 1", "1 2 3"}
};

static const TestTopology racks = {
	"racks",
	6, racks_nodes,
	12, racks_entries,
	12, racks_replicas,
	3,
	{{"east", 3}}, 1
};

static const TestNode fewer_racks_nodes[] = {
	{"east", "r0"}, {"east", "r0"}, {"east", "r0"}, {"east", "r1"},
	{"east", "r1"}
};

static const TestEntry fewer_racks_entries[] = {
	{-4637, 3}, {-7376, 1}, {3998, 1}, {-1685, 0}, {-4274, 4}, {-7474, 2}, {489, 3}, {-1756, 2},
	{-6973, 0}, {4734, 4}
};

static const TestReplicas fewer_racks_replicas[] = {
	{-7474, "2 1", "0 1 2 3"},
	{-7376, "1 0", "0 1 3 4"},
	{-6973, "0 3", "0 2 3 4"},
	{-4637, "3 4", "0 2 3 4"},
	{-4274, "4 2", "0 2 3 4"},
	{-1756, "2 0", "0 1 2 3"},
	{-1685, "0 3", "0 1 3 4"},
	{489, "3 1", "1 2 3 4"},
	{3998, "1 4", "0 1 2 4"},
	{4734, "4 2", "0 1 2 4"}
};

static const TestTopology fewer_racks = {
	"fewer racks",
	5, fewer_racks_nodes,
	10, fewer_racks_entries,
	10, fewer_racks_replicas,
	2,
	{{"east", 4}}, 1
};

static const TestNode one_rack_nodes[] = {
	{"east", "r1"}, {"east", "r1"}, {"east", "r1"}, {"east", "r1"}
};

static const TestEntry one_rack_entries[] = {
	{3202, 0}, {-2252, 2}, {-5808, 0}, {-7047, 2}, {-6943, 1}, {8948, 1}, {8423, 3}, {7266, 3}
};

static const TestReplicas one_rack_replicas[] = {
	{-7047, "2 1 0 3", "0 1 2"},
	{-6943, "1 0 2 3", "0 1 2"},
	{-5808, "0 2 3 1", "0 2 3"},
	{-2252, "2 0 3 1", "0 2 3"},
	{3202, "0 3 1 2", "0 1 3"},
	{7266, "3 1 2 0", "1 2 3"},
	{8423, "3 1 2 0", "1 2 3"},
	{8948, "1 2 0 3", "0 1 2"}
};

static const TestTopology one_rack = {
	"one rack",
	4, one_rack_nodes,
	8, one_rack_entries,
	8, one_rack_replicas,
	9,
	{{"east", 3}}, 1
};

static const TestNode dcs_nodes[] = {
	{"east", "r0"}, {"west", "r0"}, {"north", "r0"}, {"east", "r1"},
	{"west", "r1"}, {"north", "r1"}, {"east", "r0"}, {"west", "r0"},
	{"north", "r0"}
};

static const TestEntry dcs_entries[] = {
	{-4020, 8}, {-3595, 7}, {838, 2}, {-6318, 1}, {2208, 7}, {7223, 3}, {-860, 0}, {7022, 8},
	{2255, 3}, {-6602, 5}, {-5132, 5}, {8209, 2}, {435, 4}, {5707, 4}, {7775, 6}, {-1002, 1},
	{-3110, 0}, {4701, 6}
};

static const TestReplicas dcs_replicas[] = {
	{-6602, "5 1 8 7", "0 1 3 4 7"},
	{-6318, "1 5 8 7", "0 1 3 4 7"},
	{-5132, "5 8 7 0", "0 1 3 4 7"},
	{-4020, "8 7 0 1", "0 1 3 4 7"},
	{-3595, "7 0 1 4", "0 1 3 4 7"},
	{-3110, "0 1 4 2", "0 1 3 4 7"},
	{-1002, "1 0 4 2", "0 1 3 4 7"},
	{-860, "0 4 2 7", "0 1 3 4 7"},
	{435, "4 2 7 3", "1 3 4 6 7"},
	{838, "2 7 3 6", "1 3 4 6 7"},
	{2208, "7 3 6 4", "1 3 4 6 7"},
	{2255, "3 6 4 8", "1 3 4 6 7"},
	{4701, "6 4 8 3", "1 3 4 6 7"},
	{5707, "4 8 3 6", "1 3 4 6 7"},
	{7022, "8 3 6 2", "1 3 4 6 7"},
	{7223, "3 6 2 5", "1 3 4 6 7"},
	{7775, "6 2 5 1", "1 3 4 6 7"},
	{8209, "2 5 1 8", "0 1 3 4 7"}
};

static const TestTopology dcs = {
	"dcs",
	9, dcs_nodes,
	18, dcs_entries,
	18, dcs_replicas,
	4,
	{{"east", 2}, {"west", 3}, {"south", 3}, {"north", 0}}, 4
};

static const TestNode unbalanced_racks_nodes[] = {
	{"east", "r0"}, {"east", "r0"}, {"east", "r0"}, {"east", "r0"},
	{"east", "r1"}, {"east", "r2"}, {"east", "r3"}
};

static const TestEntry unbalanced_racks_entries[] = {
	{2370, 5}, {-8261, 6}, {3641, 4}, {-7012, 0}, {1145, 1}, {5602, 2}, {325, 3}
};

static const TestReplicas unbalanced_racks_replicas[] = {
	{-8261, "6", "0 5 6"},
	{-7012, "0", "0 4 5"},
	{325, "3", "3 4 5"},
	{1145, "1", "1 4 5"},
	{2370, "5", "2 4 5"},
	{3641, "4", "2 4 6"},
	{5602, "2", "2 5 6"}
};

static const TestTopology unbalanced_racks = {
	"unbalanced racks",
	7, unbalanced_racks_nodes,
	7, unbalanced_racks_entries,
	7, unbalanced_racks_replicas,
	1,
	{{"east", 3}}, 1
};


#define MAX_NODES 16

static TestMemory memory;
static CqlAllocator allocator = TEST_ALLOCATOR(&memory);

/*
 * The ring of a topology.  Ids are the nodes' numbers; all that it is made of
 * is overwritten afterwards, for the ring has copies.
 */
static CqlStatus
make_ring(const TestTopology *topology, CqlRing **ring, CqlError *error)
{
	CqlNode		nodes[MAX_NODES];
	CqlRingEntry entries[32];
	char		names[MAX_NODES][2][8];
	CqlStatus	status;

	for (uint32_t i = 0; i < topology->nnodes; i++)
	{
		strcpy(names[i][0], topology->nodes[i].datacenter);
		strcpy(names[i][1], topology->nodes[i].rack);
		nodes[i] = (CqlNode)
		{
			i, str(names[i][0]), str(names[i][1])
		};
	}
	for (uint32_t i = 0; i < topology->nentries; i++)
		entries[i] = (CqlRingEntry)
		{
			topology->entries[i].token * TOKEN_UNIT, topology->entries[i].node
		};
	status = cql_ring_create(&allocator, topology->nnodes, nodes,
							 topology->nentries, entries, ring, error);
	memset(nodes, 0xEE, sizeof(nodes));
	memset(entries, 0xEE, sizeof(entries));
	memset(names, 0xEE, sizeof(names));
	return status;
}

/* The replicas of a token as text, "1 3 2". */
static const char *
replicas(const CqlRing *ring, const CqlReplication *replication, int64_t token,
		 const char *local, uint32_t max)
{
	static char text[16 * MAX_NODES];
	uint32_t	ids[MAX_NODES + 1];
	uint32_t	n;

	memset(ids, 0xEE, sizeof(ids));
	n = cql_ring_replicas(ring, replication, token, str(local), ids, max);
	if (n > max || ids[max] != 0xEEEEEEEE)
		return "written past the end";
	text[0] = '\0';
	for (uint32_t i = 0; i < n; i++)
		sprintf(text + strlen(text), "%s%u", i > 0 ? " " : "", ids[i]);
	return text;
}

/* The same, ids in order; all of them are below ten. */
static const char *
replica_set(const CqlRing *ring, const CqlReplication *replication, int64_t token)
{
	static char text[16 * MAX_NODES];
	const char *found = replicas(ring, replication, token, "", MAX_NODES);

	text[0] = '\0';
	for (char id = '0'; id <= '9'; id++)
		if (strchr(found, id) != NULL)
			sprintf(text + strlen(text), "%s%c", text[0] == '\0' ? "" : " ", id);
	return strlen(found) == strlen(text) ? text : found;
}

static CqlReplication
network(const TestFactor *factors, uint32_t nfactors, CqlDatacenterFactor *room)
{
	for (uint32_t i = 0; i < nfactors; i++)
		room[i] = (CqlDatacenterFactor)
		{
			str(factors[i].datacenter), factors[i].factor
		};
	return (CqlReplication)
	{
		.strategy = CQL_STRATEGY_NETWORK_TOPOLOGY, .ndatacenters = nfactors, .datacenters = room
	};
}

static CqlReplication
simple(uint32_t factor)
{
	return (CqlReplication)
	{
		.strategy = CQL_STRATEGY_SIMPLE, .factor = factor
	};
}

static void
test_topology(const TestTopology *topology)
{
	CqlRing    *ring;
	CqlDatacenterFactor room[4];
	CqlReplication by_network = network(topology->factors, topology->nfactors, room);
	CqlReplication by_simple = simple(topology->simple_factor);

	if (!is_int(make_ring(topology, &ring, NULL), CQL_OK, topology->name))
		return;
	for (int i = 0; i < topology->nreplicas; i++)
	{
		const TestReplicas *expected = &topology->replicas[i];
		int64_t		token = expected->token * TOKEN_UNIT;
		int64_t		after_previous = i == 0 ? INT64_MIN : topology->replicas[i - 1].token * TOKEN_UNIT + 1;

		is_text(replicas(ring, &by_simple, token, "", MAX_NODES), expected->simple,
				"SimpleStrategy");
		is_text(replicas(ring, &by_simple, after_previous, "", MAX_NODES), expected->simple,
				"the token after the one before");
		is_text(replica_set(ring, &by_network, token), expected->network,
				"NetworkTopologyStrategy");
		is_text(replica_set(ring, &by_network, after_previous), expected->network,
				"the token after the one before");
	}
	is_text(replica_set(ring, &by_network, INT64_MAX), topology->replicas[0].network,
			"past the last token the ring begins anew");
	cql_ring_free(ring);
}

static void
test_preference(void)
{
	CqlRing    *ring;
	CqlDatacenterFactor room[4];
	CqlReplication by_network = network(dcs.factors, dcs.nfactors, room);
	CqlReplication by_simple = simple(4);
	int64_t		token = -6318 * TOKEN_UNIT;

	if (!is_int(make_ring(&dcs, &ring, NULL), CQL_OK, "ring of several data centres"))
		return;
	is_text(replicas(ring, &by_network, token, "", MAX_NODES), "1 7 0 4 3", "ring order");
	is_text(replicas(ring, &by_network, token, "east", MAX_NODES), "0 3 1 7 4", "east first");
	is_text(replicas(ring, &by_network, token, "west", MAX_NODES), "1 7 4 0 3", "west first");
	is_text(replicas(ring, &by_network, token, "north", MAX_NODES), "1 7 0 4 3",
			"a data centre without replicas is not preferred");
	is_text(replicas(ring, &by_network, token, "eas", MAX_NODES), "1 7 0 4 3",
			"nor one that there is not");
	is_text(replicas(ring, &by_network, 8209 * TOKEN_UNIT, "east", MAX_NODES), "0 3 1 7 4",
			"around the end");

	is_text(replicas(ring, &by_network, token, "east", 3), "0 3 1", "room for three");
	is_text(replicas(ring, &by_network, token, "east", 1), "0", "for one");
	is_text(replicas(ring, &by_network, token, "", 1), "1", "for one, without preference");
	is_text(replicas(ring, &by_network, token, "east", 0), "", "for none");

	is_text(replicas(ring, &by_simple, token, "west", MAX_NODES), "1 7 5 8", "SimpleStrategy");
	is_text(replicas(ring, &by_simple, token, "north", MAX_NODES), "5 8 1 7", "north first");
	is_text(replicas(ring, &by_simple, token, "north", 3), "5 8 1", "room for three");

	by_simple.factor = UINT32_MAX;
	is_text(replicas(ring, &by_simple, token, "", MAX_NODES), "1 5 8 7 0 4 2 3 6",
			"a factor beyond all nodes");
	by_simple.factor = 0;
	is_text(replicas(ring, &by_simple, token, "", MAX_NODES), "", "a factor of zero");
	cql_ring_free(ring);
}

static void
test_strategies(void)
{
	CqlRing    *ring;
	CqlReplication replication = {.strategy = CQL_STRATEGY_LOCAL, .factor = 1};

	if (!is_int(make_ring(&racks, &ring, NULL), CQL_OK, "ring"))
		return;
	is_text(replicas(ring, &replication, 0, "", MAX_NODES), "", "LocalStrategy names no nodes");
	replication.strategy = CQL_STRATEGY_OTHER;
	is_text(replicas(ring, &replication, 0, "", MAX_NODES), "", "nor does an unknown one");
	replication.strategy = CQL_STRATEGY_NETWORK_TOPOLOGY;
	is_text(replicas(ring, &replication, 0, "", MAX_NODES), "", "nor one without data centres");
	cql_ring_free(ring);
}

static void
test_small_rings(void)
{
	CqlRing    *ring = NULL;
	CqlReplication replication = simple(3);
	CqlNode		nodes[] = {
		{70, {NULL, 0}, {NULL, 0}}, {71, {NULL, 0}, {NULL, 0}}
	};
	CqlRingEntry entries[] = {{5, 1}, {5, 0}, {5, 1}};
	CqlDatacenterFactor factor = {{NULL, 0}, 2};
	CqlReplication nameless = {
		.strategy = CQL_STRATEGY_NETWORK_TOPOLOGY, .ndatacenters = 1, .datacenters = &factor
	};

	is_int(cql_ring_create(&allocator, 0, NULL, 0, NULL, &ring, NULL), CQL_OK, "a ring of nothing");
	is_text(replicas(ring, &replication, 0, "", MAX_NODES), "", "has no replicas");
	is_text(replicas(ring, &nameless, 0, "", MAX_NODES), "", "in any data centre");
	cql_ring_free(ring);

	is_int(cql_ring_create(&allocator, 1, nodes, 0, NULL, &ring, NULL), CQL_OK, "a node without a token");
	is_text(replicas(ring, &replication, 0, "", MAX_NODES), "", "holds nothing");
	is_text(replicas(ring, &nameless, 0, "", MAX_NODES), "", "in any data centre");
	cql_ring_free(ring);

	is_int(cql_ring_create(&allocator, 1, nodes, 1, &entries[1], &ring, NULL), CQL_OK, "one token");
	is_text(replicas(ring, &replication, INT64_MIN, "", MAX_NODES), "70", "has all tokens below");
	is_text(replicas(ring, &replication, 5, "", MAX_NODES), "70", "itself");
	is_text(replicas(ring, &replication, 6, "", MAX_NODES), "70", "and all above");
	is_text(replicas(ring, &nameless, 6, "", MAX_NODES), "70", "a data centre without a name");
	cql_ring_free(ring);

	is_int(cql_ring_create(&allocator, 2, nodes, 3, entries, &ring, NULL), CQL_OK, "one token of two nodes");
	is_text(replicas(ring, &replication, 5, "", MAX_NODES), "70 71", "by number of the node");
	cql_ring_free(ring);
	cql_ring_free(NULL);
	is_int(memory.live, 0, "all memory is released");
}

static void
test_failures(void)
{
	CqlRing    *ring = NULL;
	CqlError	error = {0};
	CqlNode		node = {1, {"dc", 2}, {"r", 1}};
	CqlRingEntry entry = {0, 1};
	static char long_name[5000];
	long		requests;

	is_int(cql_ring_create(&allocator, 1, &node, 1, &entry, &ring, &error), CQL_INVALID,
		   "a token of no node");
	is_text(error.message, "token belongs to node 1, but there are 1 nodes", "message");
	memset(&error, 0, sizeof(error));
	is_int(cql_ring_create(&allocator, UINT32_MAX, &node, 0, NULL, &ring, &error), CQL_INVALID,
		   "too many nodes");
	is_text(error.message, "ring has too many nodes or tokens", "message");
	is_int(cql_ring_create(&allocator, 0, NULL, UINT32_MAX, &entry, &ring, NULL), CQL_INVALID,
		   "too many tokens");
	ok(ring == NULL, "no ring is made");

	memory.requests = 0;
	is_int(make_ring(&dcs, &ring, NULL), CQL_OK, "memory enough");
	requests = memory.requests;
	cql_ring_free(ring);
	for (memory.fail_at = 1; memory.fail_at <= requests; memory.fail_at++)
	{
		memory.requests = 0;
		memset(&error, 0, sizeof(error));
		is_int(make_ring(&dcs, &ring, &error), CQL_NO_MEMORY, "no memory");
		is_text(error.message, "out of memory", "message");
		is_int(memory.live, 0, "nothing is left");
	}
	memory.fail_at = 0;
	ok(requests >= 2, "memory was asked for");

	/* a name that needs a chunk of its own, the last */
	node.datacenter = (CqlString) {long_name, sizeof(long_name)};
	entry.node = 0;
	memset(long_name, 'x', sizeof(long_name));
	memory.requests = 0;
	is_int(cql_ring_create(&allocator, 1, &node, 1, &entry, &ring, NULL), CQL_OK, "a long name");
	requests = memory.requests;
	cql_ring_free(ring);
	memory.requests = 0;
	memory.fail_at = requests;
	is_int(cql_ring_create(&allocator, 1, &node, 1, &entry, &ring, NULL), CQL_NO_MEMORY,
		   "no memory for it");
	is_int(memory.live, 0, "nothing is left");
	memory.fail_at = 0;
}

/* A ring larger than its chunks: each node has a token in four. */
static void
test_large_ring(void)
{
	enum
	{
		NODES = 500, ENTRIES = 4 * NODES
	};
	CqlNode    *nodes = calloc(NODES, sizeof(*nodes));
	CqlRingEntry *entries = calloc(ENTRIES, sizeof(*entries));
	CqlRing    *ring = NULL;
	CqlReplication replication = simple(3);
	int			wrong = 0;

	for (uint32_t i = 0; i < NODES; i++)
		nodes[i] = (CqlNode)
		{
			i, str("dc"), str("rack")
		};
	for (uint32_t i = 0; i < ENTRIES; i++)
	{
		/* 1009 has no factor in common with ENTRIES: each token once */
		uint32_t	number = i * 1009 % ENTRIES;

		entries[i] = (CqlRingEntry)
		{
			(int64_t) number * 10, number % NODES
		};
	}
	is_int(cql_ring_create(&allocator, NODES, nodes, ENTRIES, entries, &ring, NULL), CQL_OK, "a large ring");
	for (int64_t number = 0; number < ENTRIES; number++)
	{
		uint32_t	found[3] = {0};

		if (cql_ring_replicas(ring, &replication, number * 10 - 9, str(""), found, 3) != 3 ||
			found[0] != number % NODES || found[1] != (number + 1) % NODES ||
			found[2] != (number + 2) % NODES)
			wrong++;
	}
	is_int(wrong, 0, "every token finds its nodes");
	cql_ring_free(ring);
	free(nodes);
	free(entries);
}

int
main(void)
{
	test_topology(&racks);
	test_topology(&fewer_racks);
	test_topology(&one_rack);
	test_topology(&dcs);
	test_topology(&unbalanced_racks);
	test_preference();
	test_strategies();
	test_small_rings();
	test_large_ring();
	test_failures();
	return done_testing();
}
