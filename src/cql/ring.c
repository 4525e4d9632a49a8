/*-------------------------------------------------------------------------
 *
 * ring.c
 *	  The token ring, and the nodes that hold a token's partition.
 *
 * A partition belongs to the node of the first token that is not less than
 * its own, around the end if need be, and further replicas are found by
 * walking on from there.  SimpleStrategy walks around the whole ring,
 * NetworkTopologyStrategy around the tokens of each data centre: a circle,
 * here.  What a walk must know of an entry, namely whether its node or its
 * rack was met since the start, is kept with the entry as the number of steps
 * back to the last one of that node or rack.  So a walk takes no memory, and
 * cannot fail.
 *
 * Replicas are hints for routing: any node can answer for any partition.  In
 * particular a ScyllaDB keyspace with tablets is not placed by the ring.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/token.h"

#include <string.h>

/* An entry of a circle. */
typedef struct CqlPlace
{
	uint32_t	position;		/* of the entry in the ring */
	uint32_t	since_node;		/* steps back to an entry of the same node, */
	uint32_t	since_rack;		/* and of the same rack; the circle's length
								 * if it is the only one */
} CqlPlace;

typedef struct CqlCircle
{
	uint32_t	nplaces;
	CqlPlace   *places;			/* in ring order */
	uint32_t	nnodes;			/* that have a place */
	uint32_t	nracks;
} CqlCircle;

/* What is kept of a node: data centres and racks are numbered in the ring. */
typedef struct CqlRingNode
{
	uint32_t	id;
	uint32_t	datacenter;
	uint32_t	rack;			/* a rack of one data centre only */
} CqlRingNode;

struct CqlRing
{
	CqlArena	arena;			/* holds all, this struct too */
	uint32_t	nnodes;
	CqlRingNode *nodes;
	uint32_t	nentries;
	CqlRingEntry *entries;		/* by token */
	CqlCircle	all;
	uint32_t	ndatacenters;
	CqlString  *datacenters;	/* names, sorted */
	CqlCircle  *circles;		/* by data centre */
};

/* ---- sorting */

typedef int (*CqlCompare) (const void *items, uint32_t a, uint32_t b);

/* Moves the item at `root` down the heap of order[0 .. count). */
static void
sift_down(uint32_t *order, uint32_t count, uint32_t root, CqlCompare compare,
		  const void *items)
{
	uint32_t	child;

	while ((child = 2 * root + 1) < count)
	{
		uint32_t	moved = order[root];

		if (child + 1 < count && compare(items, order[child], order[child + 1]) < 0)
			child++;
		if (compare(items, moved, order[child]) >= 0)
			return;
		order[root] = order[child];
		order[child] = moved;
		root = child;
	}
}

/*
 * Makes `order` the numbers of `count` items in order: a heapsort, since
 * qsort may allocate.  `count` is below 2^31.
 */
static void
sort(uint32_t *order, uint32_t count, CqlCompare compare, const void *items)
{
	for (uint32_t i = 0; i < count; i++)
		order[i] = i;
	for (uint32_t i = count / 2; i > 0; i--)
		sift_down(order, count, i - 1, compare, items);
	for (uint32_t last = count; last > 1; last--)
	{
		uint32_t	greatest = order[0];

		order[0] = order[last - 1];
		order[last - 1] = greatest;
		sift_down(order, last - 1, 0, compare, items);
	}
}

static int
compare_strings(CqlString a, CqlString b)
{
	uint32_t	shorter = a.length < b.length ? a.length : b.length;
	int			order = shorter > 0 ? memcmp(a.data, b.data, shorter) : 0;

	return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

/* Nodes by data centre and rack. */
static int
compare_nodes(const void *items, uint32_t a, uint32_t b)
{
	const CqlNode *nodes = items;
	int			order = compare_strings(nodes[a].datacenter, nodes[b].datacenter);

	return order != 0 ? order : compare_strings(nodes[a].rack, nodes[b].rack);
}

/* Entries by token; of equal ones, which only a confused server has, by node. */
static int
compare_entries(const void *items, uint32_t a, uint32_t b)
{
	const CqlRingEntry *x = &((const CqlRingEntry *) items)[a];
	const CqlRingEntry *y = &((const CqlRingEntry *) items)[b];

	if (x->token != y->token)
		return x->token < y->token ? -1 : 1;
	return (x->node > y->node) - (x->node < y->node);
}

/* ---- making a ring */

/* Copies a string into the ring's arena. */
static CqlStatus
copy_string(CqlArena *arena, CqlString from, CqlString *to)
{
	char	   *data = cql_arena_alloc(arena, from.length);

	if (data == NULL)
		return CQL_NO_MEMORY;
	if (from.length > 0)
		memcpy(data, from.data, from.length);
	to->data = data;
	to->length = from.length;
	return CQL_OK;
}

/* Numbers data centres and racks; `order` has room for all nodes. */
static CqlStatus
add_nodes(CqlRing *ring, const CqlNode *nodes, uint32_t *order)
{
	uint32_t	rack = 0;

	sort(order, ring->nnodes, compare_nodes, nodes);
	for (uint32_t i = 0; i < ring->nnodes; i++)
	{
		const CqlNode *node = &nodes[order[i]];
		const CqlNode *before = i > 0 ? &nodes[order[i - 1]] : NULL;

		if (before == NULL ||
			compare_strings(before->datacenter, node->datacenter) != 0)
		{
			CQL_TRY(copy_string(&ring->arena, node->datacenter,
								&ring->datacenters[ring->ndatacenters]));
			ring->ndatacenters++;
		}
		if (before != NULL && compare_nodes(nodes, order[i - 1], order[i]) != 0)
			rack++;
		ring->nodes[order[i]] = (CqlRingNode)
		{
			node->id, ring->ndatacenters - 1, rack
		};
	}
	return CQL_OK;
}

/* The entries by token; `order` has room for all. */
static void
add_entries(CqlRing *ring, const CqlRingEntry *entries, uint32_t *order)
{
	sort(order, ring->nentries, compare_entries, entries);
	for (uint32_t i = 0; i < ring->nentries; i++)
		ring->entries[i] = entries[order[i]];
}

static const CqlRingNode *
node_at(const CqlRing *ring, uint32_t position)
{
	return &ring->nodes[ring->entries[position].node];
}

/* Steps from one place of a circle forwards to another, or all around. */
static uint32_t
steps(uint32_t from, uint32_t to, uint32_t nplaces)
{
	return to > from ? to - from : nplaces - (from - to);
}

/*
 * Sets since_node and since_rack of a circle's places, and counts its nodes
 * and racks.  `last_node` and `last_rack` have room for all nodes.
 *
 * The first of the two rounds leaves the last place of each node and rack,
 * which is the one before the first place, around the end.
 */
static void
link_places(const CqlRing *ring, CqlCircle *circle, uint32_t *last_node,
			uint32_t *last_rack)
{
	for (uint32_t i = 0; i < circle->nplaces; i++)
	{
		last_node[ring->entries[circle->places[i].position].node] = i;
		last_rack[node_at(ring, circle->places[i].position)->rack] = i;
	}
	for (uint32_t i = 0; i < circle->nplaces; i++)
	{
		CqlPlace   *place = &circle->places[i];
		uint32_t	node = ring->entries[place->position].node;
		uint32_t	rack = ring->nodes[node].rack;

		/* the last place is not behind: this is the first */
		circle->nnodes += last_node[node] >= i;
		circle->nracks += last_rack[rack] >= i;
		place->since_node = steps(last_node[node], i, circle->nplaces);
		place->since_rack = steps(last_rack[rack], i, circle->nplaces);
		last_node[node] = last_rack[rack] = i;
	}
}

/* Gives each data centre the part of `places` that its entries take. */
static void
divide_places(CqlRing *ring, CqlPlace *places)
{
	uint32_t	start = 0;

	for (uint32_t i = 0; i < ring->nentries; i++)
		ring->circles[node_at(ring, i)->datacenter].nplaces++;
	for (uint32_t i = 0; i < ring->ndatacenters; i++)
	{
		ring->circles[i].places = places + start;
		start += ring->circles[i].nplaces;
		ring->circles[i].nplaces = 0;
	}
	for (uint32_t i = 0; i < ring->nentries; i++)
	{
		CqlCircle  *circle = &ring->circles[node_at(ring, i)->datacenter];

		ring->all.places[i].position = i;
		circle->places[circle->nplaces++].position = i;
	}
	ring->all.nplaces = ring->nentries;
}

/* Everything but what the arguments decide; `scratch` is freed by the caller. */
static CqlStatus
fill_ring(CqlRing *ring, const CqlNode *nodes, const CqlRingEntry *entries,
		  CqlArena *scratch)
{
	CqlArena   *arena = &ring->arena;
	uint32_t	larger = ring->nnodes > ring->nentries ? ring->nnodes : ring->nentries;
	uint32_t   *order = cql_arena_alloc_array(scratch, larger, sizeof(*order));
	uint32_t   *last = cql_arena_alloc_array(scratch, ring->nnodes, 2 * sizeof(*last));
	CqlPlace   *places = cql_arena_alloc_array(arena, ring->nentries, sizeof(*places));

	ring->nodes = cql_arena_alloc_array(arena, ring->nnodes, sizeof(*ring->nodes));
	ring->entries = cql_arena_alloc_array(arena, ring->nentries, sizeof(*ring->entries));
	ring->all.places = cql_arena_alloc_array(arena, ring->nentries, sizeof(*places));
	ring->datacenters = cql_arena_alloc_array(arena, ring->nnodes, sizeof(*ring->datacenters));
	ring->circles = cql_arena_alloc_array(arena, ring->nnodes, sizeof(*ring->circles));
	if (order == NULL || last == NULL || places == NULL || ring->nodes == NULL ||
		ring->entries == NULL || ring->all.places == NULL ||
		ring->datacenters == NULL || ring->circles == NULL)
		return CQL_NO_MEMORY;

	CQL_TRY(add_nodes(ring, nodes, order));
	add_entries(ring, entries, order);
	divide_places(ring, places);
	link_places(ring, &ring->all, last, last + ring->nnodes);
	for (uint32_t i = 0; i < ring->ndatacenters; i++)
		link_places(ring, &ring->circles[i], last, last + ring->nnodes);
	return CQL_OK;
}

/* Sizes that can be sorted, and entries that have a node. */
static CqlStatus
check_arguments(uint32_t nnodes, uint32_t nentries, const CqlRingEntry *entries,
				CqlError *error)
{
	if (nnodes > INT32_MAX || nentries > INT32_MAX)
		return cql_fail(error, CQL_INVALID, "ring has too many nodes or tokens");
	for (uint32_t i = 0; i < nentries; i++)
		if (entries[i].node >= nnodes)
			return cql_fail(error, CQL_INVALID,
							"token belongs to node %u, but there are %u nodes",
							(unsigned) entries[i].node, (unsigned) nnodes);
	return CQL_OK;
}

CqlStatus
cql_ring_create(const CqlAllocator *allocator, uint32_t nnodes,
				const CqlNode *nodes, uint32_t nentries,
				const CqlRingEntry *entries, CqlRing **ring, CqlError *error)
{
	CqlArena	arena;
	CqlArena	scratch;
	CqlRing    *created;
	CqlStatus	status;

	CQL_TRY(check_arguments(nnodes, nentries, entries, error));
	cql_arena_init(&arena, allocator);
	cql_arena_init(&scratch, allocator);
	created = cql_arena_alloc(&arena, sizeof(*created));
	if (created == NULL)
		return cql_fail(error, CQL_NO_MEMORY, "out of memory");
	created->arena = arena;
	created->nnodes = nnodes;
	created->nentries = nentries;
	status = fill_ring(created, nodes, entries, &scratch);
	cql_arena_free(&scratch);
	if (status != CQL_OK)
	{
		cql_ring_free(created);
		return cql_fail(error, status, "out of memory");
	}
	*ring = created;
	return CQL_OK;
}

void
cql_ring_free(CqlRing *ring)
{
	if (ring != NULL)
	{
		CqlArena	arena = ring->arena;

		cql_arena_free(&arena);
	}
}

/* ---- walking */

/* What a walk finds, and where it is put: places by their order of preference. */
typedef struct CqlFound
{
	const CqlRing *ring;
	uint32_t	start;			/* position where the walk begins */
	uint32_t	local;			/* number of the preferred data centre */
	uint32_t   *positions;
	uint32_t	count;
	uint32_t	max;
} CqlFound;

/* The number of a data centre; that of datacenters if the ring has none such. */
static uint32_t
find_datacenter(const CqlRing *ring, CqlString name)
{
	uint32_t	low = 0;
	uint32_t	high = ring->ndatacenters;

	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (compare_strings(ring->datacenters[middle], name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < ring->ndatacenters &&
		compare_strings(ring->datacenters[low], name) == 0 ? low : ring->ndatacenters;
}

/* The position of the first token that is not less, around the end. */
static uint32_t
find_token(const CqlRing *ring, int64_t token)
{
	uint32_t	low = 0;
	uint32_t	high = ring->nentries;

	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (ring->entries[middle].token < token)
			low = middle + 1;
		else
			high = middle;
	}
	return low < ring->nentries ? low : 0;
}

/* The place of the first position that is not less, around the end. */
static uint32_t
find_place(const CqlCircle *circle, uint32_t position)
{
	uint32_t	low = 0;
	uint32_t	high = circle->nplaces;

	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (circle->places[middle].position < position)
			low = middle + 1;
		else
			high = middle;
	}
	return low < circle->nplaces ? low : 0;
}

/* Is the position to come before another?  Local ones do, then nearer ones. */
static bool
precedes(const CqlFound *found, uint32_t position, uint32_t other)
{
	bool		local = node_at(found->ring, position)->datacenter == found->local;
	bool		other_local = node_at(found->ring, other)->datacenter == found->local;

	if (local != other_local)
		return local;

	/* both count from the start, around the end: differences wrap alike */
	if ((position >= found->start) != (other >= found->start))
		return position >= found->start;
	return position < other;
}

/* Puts a position in its place; what does not fit any more is dropped. */
static void
add_found(CqlFound *found, uint32_t position)
{
	uint32_t	at = found->count;

	while (at > 0 && precedes(found, position, found->positions[at - 1]))
		at--;
	if (at == found->max)
		return;
	if (found->count < found->max)
		found->count++;
	memmove(&found->positions[at + 1], &found->positions[at],
			(found->count - 1 - at) * sizeof(*found->positions));
	found->positions[at] = position;
}

/*
 * Finds the first `factor` nodes of a circle.  A node whose rack was met
 * before is taken only `repeats` times, so that the others are left for the
 * racks to come.
 */
static void
walk(const CqlCircle *circle, uint32_t factor, uint32_t repeats, CqlFound *found)
{
	uint32_t	first = find_place(circle, found->start);

	if (factor > circle->nnodes)
		factor = circle->nnodes;
	for (uint32_t step = 0; step < circle->nplaces && factor > 0; step++)
	{
		uint32_t	index = step < circle->nplaces - first ?
		first + step : step - (circle->nplaces - first);
		const CqlPlace *place = &circle->places[index];

		if (place->since_node <= step)
			continue;
		if (place->since_rack <= step)
		{
			if (repeats == 0)
				continue;
			repeats--;
		}
		add_found(found, place->position);
		factor--;
	}
}

/* Walks around each data centre that the keyspace is replicated to. */
static void
walk_datacenters(const CqlReplication *replication, CqlFound *found)
{
	for (uint32_t i = 0; i < replication->ndatacenters; i++)
	{
		const CqlDatacenterFactor *factor = &replication->datacenters[i];
		uint32_t	datacenter = find_datacenter(found->ring, factor->datacenter);
		const CqlCircle *circle;

		if (datacenter == found->ring->ndatacenters)
			continue;
		circle = &found->ring->circles[datacenter];
		walk(circle, factor->factor,
			 factor->factor > circle->nracks ? factor->factor - circle->nracks : 0,
			 found);
	}
}

uint32_t
cql_ring_replicas(const CqlRing *ring, const CqlReplication *replication,
				  int64_t token, CqlString local_dc, uint32_t *replicas,
				  uint32_t max)
{
	CqlFound	found = {
		.ring = ring,
		.start = find_token(ring, token),
		.local = local_dc.length > 0 ? find_datacenter(ring, local_dc) : ring->ndatacenters,
		.positions = replicas,
		.max = max
	};

	if (replication->strategy == CQL_STRATEGY_SIMPLE)
		walk(&ring->all, replication->factor, UINT32_MAX, &found);
	else if (replication->strategy == CQL_STRATEGY_NETWORK_TOPOLOGY)
		walk_datacenters(replication, &found);
	for (uint32_t i = 0; i < found.count; i++)
		replicas[i] = node_at(ring, replicas[i])->id;
	return found.count;
}
