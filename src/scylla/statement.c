/*-------------------------------------------------------------------------
 *
 * statement.c
 *	  Statements as a cluster knows them, whatever node they are prepared on.
 *
 * A session forgets what it has prepared when its connection is closed, and
 * replaces it when the server prepares it anew.  Callers want markers and
 * columns that stay.  So each statement has versions here: copies of what some
 * session was told, which are never changed.  When an answer shows that a
 * session knows better, a new version is made; the old ones live on until the
 * end of the transaction.
 *
 * Then also the statements that were not used for longest go, if there are too
 * many: texts with constants in them come without end.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "common/hashfn.h"
#include "scylla/cluster.h"
#include "utils/memutils.h"

/* Statements that are kept from one transaction to the next. */
#define MAX_STATEMENTS 512

/* A statement of the cluster, found by its text. */
typedef struct KnownStatement
{
	const char *text;			/* hash key; owned */
	dlist_node	link;			/* in order of use */
	struct StatementVersion *current;	/* the newest; NULL until there is one */
} KnownStatement;

/* What callers hold. */
typedef struct StatementVersion
{
	BtmScyllaStatement statement;	/* first, so that pointers convert */
	BtmScyllaCluster *cluster;
	KnownStatement *known;
	dlist_node	link;			/* in the list of outdated ones, once it is one */
	bool		reads;
	CqlArena	arena;			/* of markers and result */
	CqlMetadata markers;
	CqlMetadata result;

	/* the session that has told this version, and which of its versions */
	uint64		serial;
	uint32		generation;
} StatementVersion;

struct BtmScyllaStatements
{
	HTAB	   *table;			/* of KnownStatement */
	dlist_head	by_use;			/* the latest first */
	dlist_head	outdated;		/* StatementVersions */
};

/* ---- texts */

/*
 * Skips blanks and comments of CQL.
 */
static const char *
skip_blanks(const char *text)
{
	for (;;)
	{
		size_t		blanks = strspn(text, " \t\r\n");

		text += blanks;
		if (strncmp(text, "--", 2) == 0 || strncmp(text, "//", 2) == 0)
			text += strcspn(text, "\n");
		else if (strncmp(text, "/*", 2) == 0)
		{
			const char *end = strstr(text + 2, "*/");

			if (end == NULL)
				return text;
			text = end + 2;
		}
		else if (blanks == 0)
			return text;
	}
}

bool
btm_scylla_text_begins(const char *text, const char *word)
{
	size_t		length = strlen(word);

	text = skip_blanks(text);
	return pg_strncasecmp(text, word, length) == 0 &&
		!isalnum((unsigned char) text[length]) && text[length] != '_';
}

bool
btm_scylla_text_reads(const char *text)
{
	return btm_scylla_text_begins(text, "select") ||
		btm_scylla_text_begins(text, "list") ||
		btm_scylla_text_begins(text, "describe") ||
		btm_scylla_text_begins(text, "desc");
}

/* ---- the table */

/*
 * Hash value of a key, which is a pointer to the text.
 */
static uint32
hash_text(const void *key, Size keysize)
{
	const char *text = *(const char *const *) key;

	return hash_bytes((const unsigned char *) text, strlen(text));
}

/*
 * Compares keys: 0 if they are equal.
 */
static int
match_text(const void *a, const void *b, Size keysize)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/*
 * Creates a cluster's table of statements, empty.
 */
void
btm_scylla_statements_create(BtmScyllaCluster *cluster)
{
	HASHCTL		ctl = {0};

	cluster->statements = MemoryContextAllocZero(cluster->context,
												 sizeof(struct BtmScyllaStatements));
	dlist_init(&cluster->statements->by_use);
	dlist_init(&cluster->statements->outdated);
	ctl.keysize = sizeof(const char *);
	ctl.entrysize = sizeof(KnownStatement);
	ctl.hash = hash_text;
	ctl.match = match_text;
	ctl.hcxt = cluster->context;
	cluster->statements->table =
		hash_create("belongs_to_many Scylla statements", 64, &ctl,
					HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

/*
 * A version without markers and result.  NULL if there is no memory.
 */
static StatementVersion *
new_version(BtmScyllaCluster *cluster, KnownStatement *known)
{
	StatementVersion *version;

	version = cluster->allocator.alloc(cluster->allocator.context,
									   sizeof(StatementVersion));
	if (version == NULL)
		return NULL;
	memset(version, 0, sizeof(StatementVersion));
	version->cluster = cluster;
	version->known = known;
	version->statement.text = known->text;
	version->reads = btm_scylla_text_reads(known->text);
	cql_arena_init(&version->arena, &cluster->allocator);
	return version;
}

/*
 * Adds a statement that is not known yet.
 */
static KnownStatement *
add_statement(BtmScyllaCluster *cluster, const char *text)
{
	char	   *copy = MemoryContextStrdup(cluster->context, text);
	KnownStatement *known = hash_search(cluster->statements->table, &copy,
										HASH_ENTER, NULL);

	known->current = NULL;
	dlist_push_head(&cluster->statements->by_use, &known->link);
	return known;
}

/*
 * The statement of a text, as far as it is known: markers and result are NULL
 * until it was prepared.
 */
const BtmScyllaStatement *
btm_scylla_statement_find(BtmScyllaCluster *cluster, const char *text)
{
	KnownStatement *known = hash_search(cluster->statements->table, &text,
										HASH_FIND, NULL);

	if (known == NULL)
		known = add_statement(cluster, text);
	else
		dlist_move_head(&cluster->statements->by_use, &known->link);
	if (known->current == NULL)
		known->current = new_version(cluster, known);
	if (known->current == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	return &known->current->statement;
}

/*
 * Whether a node has told the statement's markers and result.
 */
bool
btm_scylla_statement_is_prepared(const BtmScyllaStatement *statement)
{
	return statement->markers != NULL;
}

/*
 * Whether the statement only reads.
 */
bool
btm_scylla_statement_reads(const BtmScyllaStatement *statement)
{
	return ((const StatementVersion *) statement)->reads;
}

/* ---- copies of metadata */

/*
 * Copies text into an arena.
 */
static bool
copy_string(CqlArena *arena, CqlString *to, CqlString from)
{
	char	   *data = cql_arena_alloc(arena, from.length);

	if (data == NULL)
		return false;
	if (from.length > 0)
		memcpy(data, from.data, from.length);
	to->data = data;
	to->length = from.length;
	return true;
}

static const CqlType *copy_type(CqlArena *arena, const CqlType *from);

/*
 * Copies what a type consists of.
 */
static bool
copy_elements(CqlArena *arena, CqlType *to, const CqlType *from)
{
	const CqlType **elements;
	CqlString  *fields;

	elements = cql_arena_alloc_array(arena, from->nelements, sizeof(CqlType *));
	fields = cql_arena_alloc_array(arena, from->nelements, sizeof(CqlString));
	if (elements == NULL || fields == NULL)
		return false;
	for (uint32 i = 0; i < from->nelements; i++)
	{
		elements[i] = copy_type(arena, from->elements[i]);
		if (elements[i] == NULL ||
			(from->fields != NULL && !copy_string(arena, &fields[i], from->fields[i])))
			return false;
	}
	to->elements = elements;
	to->fields = from->fields != NULL ? fields : NULL;
	return true;
}

/*
 * Copies a type.  Types are not nested deeper than the wire client allows.
 */
static const CqlType *
copy_type(CqlArena *arena, const CqlType *from)
{
	CqlType    *to = cql_arena_alloc(arena, sizeof(CqlType));

	if (to == NULL)
		return NULL;
	*to = *from;
	if (!copy_string(arena, &to->keyspace, from->keyspace) ||
		!copy_string(arena, &to->name, from->name) ||
		!copy_elements(arena, to, from))
		return NULL;
	return to;
}

/*
 * Copies a column.
 */
static bool
copy_column(CqlArena *arena, CqlColumn *to, const CqlColumn *from)
{
	to->type = copy_type(arena, from->type);
	return to->type != NULL &&
		copy_string(arena, &to->keyspace, from->keyspace) &&
		copy_string(arena, &to->table, from->table) &&
		copy_string(arena, &to->name, from->name);
}

/*
 * Copies metadata of a prepared statement, which tells all columns that there
 * are, and has no state of a page.
 */
static bool
copy_metadata(CqlArena *arena, CqlMetadata *to, const CqlMetadata *from)
{
	CqlColumn  *columns = cql_arena_alloc_array(arena, from->ncolumns, sizeof(CqlColumn));
	uint16	   *key = cql_arena_alloc_array(arena, from->npartition_key, sizeof(uint16));

	if (columns == NULL || key == NULL)
		return false;
	for (uint32 i = 0; i < from->ncolumns; i++)
	{
		if (!copy_column(arena, &columns[i], &from->columns[i]))
			return false;
	}
	if (from->npartition_key > 0)
		memcpy(key, from->partition_key, from->npartition_key * sizeof(uint16));
	*to = *from;
	to->columns = columns;
	to->partition_key = key;
	to->has_more_pages = false;
	to->paging_state.data = NULL;
	to->paging_state.length = CQL_LENGTH_NULL;
	return true;
}

/*
 * Whether metadata says the same.
 */
static bool
same_metadata(const CqlMetadata *a, const CqlMetadata *b)
{
	if (a->ncolumns != b->ncolumns || a->npartition_key != b->npartition_key ||
		(a->npartition_key > 0 &&
		 memcmp(a->partition_key, b->partition_key, a->npartition_key * sizeof(uint16)) != 0))
		return false;
	for (uint32 i = 0; i < a->ncolumns; i++)
	{
		if (!cql_strings_equal(a->columns[i].name, b->columns[i].name) ||
			!cql_type_equals(a->columns[i].type, b->columns[i].type))
			return false;
	}
	return true;
}

/* ---- versions */

/*
 * Frees a version.
 */
static void
free_version(StatementVersion *version)
{
	cql_arena_free(&version->arena);
	pfree(version);
}

/*
 * Gives a version its markers and result.
 */
static bool
fill_version(StatementVersion *version, const BtmScyllaConnection *connection,
			 const CqlPrepared *prepared)
{
	if (!copy_metadata(&version->arena, &version->markers, &prepared->markers) ||
		!copy_metadata(&version->arena, &version->result, &prepared->result))
		return false;
	version->statement.markers = &version->markers;
	version->statement.result = &version->result;
	version->statement.conditional = prepared->conditional;
	version->serial = connection->serial;
	version->generation = prepared->generation;
	return true;
}

/*
 * Whether a version says what a session has been told.
 */
static bool
is_version_of(const StatementVersion *version,
			  const BtmScyllaConnection *connection, const CqlPrepared *prepared)
{
	if (version->statement.markers == NULL)
		return false;
	if (version->serial == connection->serial &&
		version->generation == prepared->generation)
		return true;
	return same_metadata(&version->markers, &prepared->markers) &&
		same_metadata(&version->result, &prepared->result);
}

/*
 * Makes a version the current one of its statement.
 */
static void
set_current(StatementVersion *version)
{
	StatementVersion *old = version->known->current;

	dlist_push_tail(&old->cluster->statements->outdated, &old->link);
	version->known->current = version;
}

/*
 * Adds a version that says what a session has been told.  NULL if there is no
 * memory.
 */
static StatementVersion *
add_version(StatementVersion *like, const BtmScyllaConnection *connection,
			const CqlPrepared *prepared)
{
	StatementVersion *version = new_version(like->cluster, like->known);

	if (version == NULL)
		return NULL;
	if (!fill_version(version, connection, prepared))
	{
		free_version(version);
		return NULL;
	}
	set_current(version);
	return version;
}

/*
 * The version of a statement that says what a session has been told; a new one
 * if none does.  NULL if there is no memory.  Does not raise.
 */
const BtmScyllaStatement *
btm_scylla_statement_learn(const BtmScyllaStatement *statement,
						   const BtmScyllaConnection *connection,
						   const CqlPrepared *prepared)
{
	StatementVersion *version = (StatementVersion *) unconstify(BtmScyllaStatement *, statement);

	if (is_version_of(version, connection, prepared))
		return statement;
	version = version->known->current;
	if (is_version_of(version, connection, prepared))
		return &version->statement;
	if (version->statement.markers == NULL)
		return fill_version(version, connection, prepared) ? &version->statement : NULL;
	version = add_version(version, connection, prepared);
	return version != NULL ? &version->statement : NULL;
}

/* ---- end of a transaction */

/*
 * Has the sessions forget a statement.  False if a request that was abandoned
 * still needs it.
 */
static bool
forget_on_nodes(BtmScyllaCluster *cluster, const KnownStatement *known)
{
	CqlString	text = {known->text, strlen(known->text)};
	dlist_iter	iter;

	dlist_foreach(iter, &cluster->connections)
	{
		if (!cql_session_forget(dlist_container(BtmScyllaConnection, link, iter.cur)->session,
								text))
			return false;
	}
	return true;
}

/*
 * Forgets the statement that was not used for longest.  False if it is still
 * needed.
 */
static bool
forget_oldest(BtmScyllaCluster *cluster)
{
	KnownStatement *known = dlist_tail_element(KnownStatement, link,
											   &cluster->statements->by_use);
	const char *text = known->text;

	if (!forget_on_nodes(cluster, known))
		return false;
	if (known->current != NULL)
		free_version(known->current);
	dlist_delete(&known->link);
	hash_search(cluster->statements->table, &text, HASH_REMOVE, NULL);
	pfree(unconstify(char *, text));
	return true;
}

/*
 * Frees what nobody can hold any more, and what has become too much.
 */
void
btm_scylla_statements_end_of_transaction(BtmScyllaCluster *cluster)
{
	struct BtmScyllaStatements *statements = cluster->statements;

	while (!dlist_is_empty(&statements->outdated))
		free_version(dlist_container(StatementVersion, link,
									 dlist_pop_head_node(&statements->outdated)));
	while (hash_get_num_entries(statements->table) > MAX_STATEMENTS)
	{
		if (!forget_oldest(cluster))
			break;
	}
}
