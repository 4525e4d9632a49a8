/*-------------------------------------------------------------------------
 *
 * response_result.c
 *	  RESULT messages: metadata, rows, prepared statements (native protocol v4,
 *	  section 4.2.5).
 *
 * Rows stay in the body as they are; CqlRowReader goes through them.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/response_parts.h"
#include "cql/type_build.h"

/* Kinds of results */
#define RESULT_VOID 1
#define RESULT_ROWS 2
#define RESULT_SET_KEYSPACE 3
#define RESULT_PREPARED 4
#define RESULT_SCHEMA_CHANGE 5

/* Flags of metadata */
#define GLOBAL_TABLE_SPEC 0x0001
#define HAS_MORE_PAGES 0x0002
#define NO_METADATA 0x0004

/* The fewest bytes of a column: names of keyspace and table, its own, a type. */
#define MIN_NAME_SIZE 2
#define MIN_TYPE_SIZE 2
#define MIN_CELL_SIZE 4

/* ------
 * Metadata, section 4.2.5.2
 * ------
 */

/* Of keyspace and table. */
static CqlStatus
read_table_name(CqlReader *reader, CqlColumn *column)
{
	CQL_TRY(cql_read_string(reader, &column->keyspace));
	return cql_read_string(reader, &column->table);
}

/* The columns' names and types, after the table's name if all have the same. */
static CqlStatus
read_columns(CqlBody *body, CqlMetadata *metadata)
{
	CqlReader  *reader = &body->reader;
	bool global = (metadata->flags & GLOBAL_TABLE_SPEC) != 0;
	CqlColumn	table = {.type = NULL};
	CqlColumn  *columns;
	uint64_t	nodes = 0;

	if (global)
		CQL_TRY(read_table_name(reader, &table));
	CQL_TRY(cql_body_check_left(body, metadata->ncolumns,
								(global ? 1 : 3) *MIN_NAME_SIZE + MIN_TYPE_SIZE,
								"columns"));
	CQL_TRY(cql_body_alloc(body, metadata->ncolumns, sizeof(*columns), &columns));
	for (uint32_t i = 0; i < metadata->ncolumns; i++)
	{
		columns[i] = table;
		if (!global)
			CQL_TRY(read_table_name(reader, &columns[i]));
		CQL_TRY(cql_read_string(reader, &columns[i].name));
		CQL_TRY(cql_type_read(reader, body->arena, &columns[i].type));
		nodes += columns[i].type->nodes;
		CQL_TRY(cql_type_check_nodes(reader->limits, nodes, reader->error));
	}
	metadata->columns = columns;
	return CQL_OK;
}

/* A number of columns, or of markers that are the partition key. */
static CqlStatus
read_column_count(CqlBody *body, uint32_t *count)
{
	int32_t		n;

	CQL_TRY(cql_read_i32(&body->reader, &n));
	if (n < 0)
		return cql_fail(body->reader.error, CQL_MALFORMED,
						"message has %d columns", (int) n);
	if ((uint32_t) n > body->reader.limits->columns)
		return cql_fail(body->reader.error, CQL_TOO_LARGE,
						"%d columns are more than %u", (int) n,
						(unsigned) body->reader.limits->columns);
	*count = (uint32_t) n;
	return CQL_OK;
}

/* What any metadata begins with. */
static CqlStatus
read_metadata_head(CqlBody *body, CqlMetadata *metadata)
{
	metadata->paging_state.length = CQL_LENGTH_NULL;
	CQL_TRY(cql_read_u32(&body->reader, &metadata->flags));
	return read_column_count(body, &metadata->ncolumns);
}

/* Without a state there would be no way to the next page. */
static CqlStatus
read_paging_state(CqlReader *reader, CqlMetadata *metadata)
{
	CQL_TRY(cql_read_bytes(reader, &metadata->paging_state));
	if (metadata->paging_state.length <= 0)
		return cql_fail(reader->error, CQL_MALFORMED,
						"result has more pages, but no paging state");
	metadata->has_more_pages = true;
	return CQL_OK;
}

/* Of a result. */
static CqlStatus
read_result_metadata(CqlBody *body, CqlMetadata *metadata)
{
	CQL_TRY(read_metadata_head(body, metadata));
	if (metadata->flags & HAS_MORE_PAGES)
		CQL_TRY(read_paging_state(&body->reader, metadata));
	return metadata->flags & NO_METADATA ? CQL_OK : read_columns(body, metadata);
}

/* Which markers are the partition key, section 4.2.5.4. */
static CqlStatus
read_partition_key(CqlBody *body, CqlMetadata *metadata)
{
	uint16_t   *indexes;
	uint32_t	count;

	CQL_TRY(read_column_count(body, &count));
	CQL_TRY(cql_body_check_left(body, count, sizeof(*indexes), "key columns"));
	CQL_TRY(cql_body_alloc(body, count, sizeof(*indexes), &indexes));
	for (uint32_t i = 0; i < count; i++)
	{
		CQL_TRY(cql_read_u16(&body->reader, &indexes[i]));
		if (indexes[i] >= metadata->ncolumns)
			return cql_fail(body->reader.error, CQL_MALFORMED,
							"statement has no marker %u, which is a key column",
							(unsigned) indexes[i]);
	}
	metadata->npartition_key = count;
	metadata->partition_key = indexes;
	return CQL_OK;
}

/* Of a statement's markers. */
static CqlStatus
read_marker_metadata(CqlBody *body, CqlMetadata *metadata)
{
	CQL_TRY(read_metadata_head(body, metadata));
	CQL_TRY(read_partition_key(body, metadata));
	return metadata->flags & NO_METADATA ? CQL_OK : read_columns(body, metadata);
}

/* ------
 * Results
 * ------
 */

/*
 * Section 4.2.5.2.  That the rows have bytes for all their cells is checked
 * here, so that a number of rows may be believed; no server sends rows without
 * columns.
 */
static CqlStatus
read_rows(CqlBody *body, CqlRows *rows)
{
	CqlReader  *reader = &body->reader;
	const CqlMetadata *metadata = &rows->metadata;
	int32_t		count;

	CQL_TRY(read_result_metadata(body, &rows->metadata));
	CQL_TRY(cql_read_i32(reader, &count));
	if (count < 0 || (count > 0 && metadata->ncolumns == 0))
		return cql_fail(reader->error, CQL_MALFORMED,
						"result has %d rows of %u columns", (int) count,
						(unsigned) metadata->ncolumns);
	if ((uint32_t) count > reader->limits->rows)
		return cql_fail(reader->error, CQL_TOO_LARGE, "%d rows are more than %u",
						(int) count, (unsigned) reader->limits->rows);
	CQL_TRY(cql_body_check_left(body, (uint64_t) count * metadata->ncolumns,
								MIN_CELL_SIZE, "cells"));
	rows->count = (uint32_t) count;
	rows->content.length = (int32_t) cql_reader_left(reader);
	return cql_read_raw(reader, cql_reader_left(reader), &rows->content.data);
}

/* What is told of a statement's columns is told nowhere else. */
static CqlStatus
check_has_columns(const CqlMetadata *metadata, CqlError *error)
{
	if (metadata->columns == NULL && metadata->ncolumns > 0)
		return cql_fail(error, CQL_MALFORMED,
						"the server has prepared a statement without telling its %u columns",
						(unsigned) metadata->ncolumns);
	return CQL_OK;
}

/* Section 4.2.5.4 */
static CqlStatus
read_prepared(CqlBody *body, CqlPreparedResult *prepared)
{
	CQL_TRY(cql_read_short_bytes(&body->reader, &prepared->id));
	CQL_TRY(read_marker_metadata(body, &prepared->markers));
	CQL_TRY(read_result_metadata(body, &prepared->result));
	CQL_TRY(check_has_columns(&prepared->markers, body->reader.error));
	return check_has_columns(&prepared->result, body->reader.error);
}

/* Section 4.2.5 */
CqlStatus
cql_body_read_result(CqlBody *body, CqlResponse *response)
{
	int32_t		kind;

	CQL_TRY(cql_read_i32(&body->reader, &kind));
	switch (kind)
	{
		case RESULT_VOID:
			response->kind = CQL_RESPONSE_VOID;
			return CQL_OK;
		case RESULT_ROWS:
			response->kind = CQL_RESPONSE_ROWS;
			return read_rows(body, &response->u.rows);
		case RESULT_SET_KEYSPACE:
			response->kind = CQL_RESPONSE_SET_KEYSPACE;
			return cql_read_string(&body->reader, &response->u.keyspace);
		case RESULT_PREPARED:
			response->kind = CQL_RESPONSE_PREPARED;
			return read_prepared(body, &response->u.prepared);
		case RESULT_SCHEMA_CHANGE:
			response->kind = CQL_RESPONSE_SCHEMA_CHANGE;
			return cql_body_read_schema_change(body, &response->u.schema);
		default:
			return cql_fail(body->reader.error, CQL_MALFORMED,
							"the server sent a result of unknown kind %d",
							(int) kind);
	}
}

/* ------
 * Going through rows
 * ------
 */

CqlStatus
cql_rows_begin(CqlRowReader *rows, const CqlRows *from,
			   const CqlMetadata *metadata, const CqlLimits *limits,
			   CqlError *error)
{
	if (metadata->ncolumns != from->metadata.ncolumns)
		return cql_fail(error, CQL_MALFORMED,
						"result has %u columns, but its statement has %u",
						(unsigned) from->metadata.ncolumns,
						(unsigned) metadata->ncolumns);
	cql_reader_init(&rows->reader, from->content.data,
					(size_t) from->content.length, limits, error);
	rows->ncolumns = metadata->ncolumns;
	rows->left = from->count;
	return CQL_OK;
}

CqlStatus
cql_rows_next(CqlRowReader *rows, CqlBytes *cells)
{
	if (rows->left == 0)
		return cql_fail(rows->reader.error, CQL_INVALID, "there are no more rows");
	for (uint32_t i = 0; i < rows->ncolumns; i++)
		CQL_TRY(cql_read_bytes(&rows->reader, &cells[i]));
	rows->left--;
	return CQL_OK;
}
