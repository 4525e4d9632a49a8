/*-------------------------------------------------------------------------
 *
 * statements.c
 *	  Prepared statements of a session, by their text.
 *
 * What the server has said of a statement stays in its response, which the
 * statement owns.  When the server says something else later, the response
 * before is kept too, to the end of the session: callers may have pointers
 * into it, and this happens only when somebody alters a table.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/session_parts.h"

#include <string.h>

#define FIRST_BUCKETS 16

/* ------
 * Comparing what was said with what is said
 * ------
 */

static bool
same_bytes(CqlBytes a, CqlBytes b)
{
	return a.length == b.length &&
		(a.length <= 0 || memcmp(a.data, b.data, (size_t) a.length) == 0);
}

/* Values encoded for one are values for the other. */
static bool
same_types(const CqlMetadata *a, const CqlMetadata *b)
{
	if (a->ncolumns != b->ncolumns)
		return false;
	for (uint32_t i = 0; i < a->ncolumns; i++)
		if (!cql_type_equals(a->columns[i].type, b->columns[i].type))
			return false;
	return true;
}

/* Of columns whose types are the same. */
static bool
same_names(const CqlMetadata *a, const CqlMetadata *b)
{
	for (uint32_t i = 0; i < a->ncolumns; i++)
		if (!cql_strings_equal(a->columns[i].name, b->columns[i].name) ||
			!cql_strings_equal(a->columns[i].table, b->columns[i].table) ||
			!cql_strings_equal(a->columns[i].keyspace, b->columns[i].keyspace))
			return false;
	return true;
}

static bool
same_partition_key(const CqlMetadata *a, const CqlMetadata *b)
{
	return a->npartition_key == b->npartition_key &&
		(a->npartition_key == 0 ||
		 memcmp(a->partition_key, b->partition_key,
				a->npartition_key * sizeof(*a->partition_key)) == 0);
}

static bool
same_metadata(const CqlMetadata *a, const CqlMetadata *b)
{
	return a->flags == b->flags && same_types(a, b) && same_names(a, b) &&
		same_partition_key(a, b);
}

/* ------
 * The table
 * ------
 */

/* FNV-1a */
static uint32_t
hash_text(CqlString text)
{
	uint32_t	hash = 2166136261u;

	for (uint32_t i = 0; i < text.length; i++)
		hash = (hash ^ (unsigned char) text.data[i]) * 16777619u;
	return hash;
}

static CqlStatement **
bucket_of(const CqlStatements *statements, uint32_t hash)
{
	return &statements->buckets[hash & (statements->nbuckets - 1)];
}

CqlStatement *
cql_statement_find(const CqlSession *session, CqlString text)
{
	const CqlStatements *statements = &session->statements;
	CqlStatement *statement;
	uint32_t	hash;

	/* a text that no message has room for is not even looked at */
	if (statements->count == 0 || text.length > CQL_MAX_BODY_SIZE)
		return NULL;
	hash = hash_text(text);
	for (statement = *bucket_of(statements, hash); statement != NULL;
		 statement = statement->next)
		if (statement->hash == hash && cql_strings_equal(statement->prepared.text, text))
			return statement;
	return NULL;
}

const CqlPrepared *
cql_session_find_prepared(const CqlSession *session, CqlString text)
{
	const CqlStatement *statement = cql_statement_find(session, text);

	return statement != NULL && statement->known ? &statement->prepared : NULL;
}

bool
cql_statement_has_id(const CqlStatement *statement, CqlBytes id)
{
	return statement->known && same_bytes(statement->prepared.id, id);
}

/* Goes through all: it is asked only when the server has forgotten one. */
CqlStatement *
cql_statement_by_id(const CqlSession *session, CqlBytes id)
{
	const CqlStatements *statements = &session->statements;

	for (uint32_t i = 0; i < statements->nbuckets; i++)
		for (CqlStatement *s = statements->buckets[i]; s != NULL; s = s->next)
			if (cql_statement_has_id(s, id))
				return s;
	return NULL;
}

static void
insert(CqlStatements *statements, CqlStatement *statement)
{
	CqlStatement **bucket = bucket_of(statements, statement->hash);

	statement->next = *bucket;
	*bucket = statement;
}

/* Twice the buckets, once there are as many statements. */
static CqlStatus
grow(CqlSession *session, CqlError *error)
{
	CqlStatements *statements = &session->statements;
	CqlStatements larger = *statements;

	if (statements->count < statements->nbuckets)
		return CQL_OK;
	larger.nbuckets = statements->nbuckets == 0 ? FIRST_BUCKETS : statements->nbuckets * 2;
	larger.buckets = session->allocator.alloc(session->allocator.context,
											  larger.nbuckets * sizeof(*larger.buckets));
	if (larger.buckets == NULL)
		return cql_fail(error, CQL_NO_MEMORY, "out of memory");
	memset(larger.buckets, 0, larger.nbuckets * sizeof(*larger.buckets));
	for (uint32_t i = 0; i < statements->nbuckets; i++)
		for (CqlStatement *s = statements->buckets[i], *next; s != NULL; s = next)
		{
			next = s->next;
			insert(&larger, s);
		}
	if (statements->buckets != NULL)
		session->allocator.release(session->allocator.context, statements->buckets);
	*statements = larger;
	return CQL_OK;
}

/* A statement that is not known yet; its text is behind it. */
static CqlStatus
make(CqlSession *session, CqlString text, CqlStatement **statement, CqlError *error)
{
	CqlStatement *made;
	char	   *copy;

	made = session->allocator.alloc(session->allocator.context,
									sizeof(*made) + text.length);
	if (made == NULL)
		return cql_fail(error, CQL_NO_MEMORY, "out of memory");
	memset(made, 0, sizeof(*made));
	copy = (char *) (made + 1);
	if (text.length > 0)
		memcpy(copy, text.data, text.length);
	made->prepared.text = (CqlString) {copy, text.length};
	made->session = session;
	made->hash = hash_text(text);
	made->first_waiting = made->last_waiting = CQL_NO_STREAM;
	*statement = made;
	return CQL_OK;
}

CqlStatus
cql_statement_get(CqlSession *session, CqlString text, CqlStatement **statement,
				  CqlError *error)
{
	*statement = cql_statement_find(session, text);
	if (*statement != NULL)
		return CQL_OK;
	CQL_TRY(grow(session, error));
	CQL_TRY(make(session, text, statement, error));
	insert(&session->statements, *statement);
	session->statements.count++;
	return CQL_OK;
}

/* Frees it with all that it owns. */
static void
free_statement(CqlStatement *statement)
{
	const CqlAllocator *allocator = &statement->session->allocator;
	CqlRetired *retired = statement->retired;

	while (retired != NULL)
	{
		CqlRetired *next = retired->next;

		cql_response_free(retired->response);
		allocator->release(allocator->context, retired);
		retired = next;
	}
	cql_response_drop(statement->owner);
	allocator->release(allocator->context, statement);
}

void
cql_statements_free(CqlSession *session)
{
	CqlStatements *statements = &session->statements;

	for (uint32_t i = 0; i < statements->nbuckets; i++)
		for (CqlStatement *s = statements->buckets[i], *next; s != NULL; s = next)
		{
			next = s->next;
			free_statement(s);
		}
	if (statements->buckets != NULL)
		session->allocator.release(session->allocator.context, statements->buckets);
}

/* ------
 * Preparing
 * ------
 */

/* Takes it out of the table, and frees it. */
static void
remove_statement(CqlStatement *statement)
{
	CqlStatements *statements = &statement->session->statements;
	CqlStatement **link = bucket_of(statements, statement->hash);

	while (*link != statement)
		link = &(*link)->next;
	*link = statement->next;
	statements->count--;
	free_statement(statement);
}

void
cql_statement_prepare_ended(CqlStatement *statement)
{
	statement->preparing--;
	if (!statement->known && statement->preparing == 0)
		remove_statement(statement);
}

/* Whether a stream that is in use refers to the statement. */
static bool
is_under_way(const CqlStatement *statement)
{
	const CqlStreams *streams = &statement->session->streams;

	for (uint32_t i = 0; i < streams->count; i++)
		if (streams->items[i].state != CQL_STREAM_FREE &&
			(streams->items[i].statement == statement ||
			 streams->items[i].forgotten == statement))
			return true;
	return false;
}

bool
cql_session_forget(CqlSession *session, CqlString text)
{
	CqlStatement *statement = cql_statement_find(session, text);

	if (statement == NULL)
		return true;
	if (statement->preparing > 0 || statement->repreparing || is_under_way(statement))
		return false;
	remove_statement(statement);
	return true;
}

/* Keeps the memory of what was said before. */
static CqlStatus
retire_owner(CqlStatement *statement)
{
	CqlSession *session = statement->session;
	CqlRetired *retired;

	retired = session->allocator.alloc(session->allocator.context, sizeof(*retired));
	if (retired == NULL)
		return cql_fail(&session->error, CQL_NO_MEMORY, "out of memory");
	retired->response = statement->owner;
	retired->next = statement->retired;
	statement->retired = retired;
	statement->owner = NULL;
	return CQL_OK;
}

/* From now on the statement is what this response says. */
static void
adopt(CqlStatement *statement, CqlResponse *response)
{
	const CqlPreparedResult *result = &response->u.prepared;
	uint32_t	lwt_mask = statement->session->server.lwt_mask;

	statement->owner = response;
	statement->prepared.id = result->id;
	statement->prepared.markers = result->markers;
	statement->prepared.result = result->result;
	statement->prepared.conditional = (result->markers.flags & lwt_mask) != 0;
	statement->known = true;
}

/* Something else is said than before. */
static CqlStatus
change(CqlStatement *statement, CqlResponse *response)
{
	const CqlPreparedResult *result = &response->u.prepared;
	CqlSession *session = statement->session;
	bool		outdated;

	outdated = !same_bytes(statement->prepared.id, result->id) ||
		!same_types(&statement->prepared.markers, &result->markers);
	CQL_TRY(retire_owner(statement));
	adopt(statement, response);
	statement->prepared.generation++;
	if (outdated)
		statement->changed_at = session->statements.changed_at = session->clock;
	return CQL_OK;
}

CqlStatus
cql_statement_prepared(CqlStatement *statement, CqlResponse *response)
{
	const CqlPreparedResult *result = &response->u.prepared;
	const CqlPrepared *prepared = &statement->prepared;
	CqlStatus	status = CQL_OK;

	statement->prepared_at = ++statement->session->clock;
	if (!statement->known)
		adopt(statement, response);
	else if (same_bytes(prepared->id, result->id) &&
			 same_metadata(&prepared->markers, &result->markers) &&
			 same_metadata(&prepared->result, &result->result))
		cql_response_free(response);
	else
		status = change(statement, response);
	if (status != CQL_OK)
		cql_response_free(response);
	return status;
}
