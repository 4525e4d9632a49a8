/*-------------------------------------------------------------------------
 *
 * overlay_static.c
 *	  Static columns of partitions in which a transaction has put a row.
 *
 * A row that is there by pending changes alone has the static columns that its
 * partition has on the server, which a scan may not come across: they are asked
 * for, once for each partition.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "mb/pg_wchar.h"
#include "scylla/codec.h"
#include "scylla/fdw.h"
#include "scylla/pending_parts.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

struct BtmScyllaStaticReader
{
	const BtmScyllaPending *pending;
	int			nstatic;
	int		   *cells;			/* of a row, that the static columns are in */
	int		   *columns;		/* among the pending table's */
	const BtmScyllaStatement *statement;	/* NULL: not prepared */
	HTAB	   *partitions;		/* of StaticCells */
	MemoryContext context;		/* of all that is here */
};

/* What the server has of a partition. */
typedef struct StaticCells
{
	uint32		partition;		/* key: the item */
	CqlBytes   *cells;			/* NULL: not asked for */
} StaticCells;

/* Makes the table of partitions that were asked for. */
static void
create_partitions(BtmScyllaStaticReader *reader)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(uint32);
	ctl.entrysize = sizeof(StaticCells);
	ctl.hcxt = reader->context;
	reader->partitions = hash_create("belongs_to_many static columns", 16, &ctl,
									 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/*
 * A reader in the current memory context, for a scan whose cells are of these
 * columns; NULL if none of them is static.
 */
BtmScyllaStaticReader *
btm_scylla_static_reader_create(const BtmScyllaPending *pending, int ncells, const int *columns)
{
	BtmScyllaStaticReader *reader = palloc0(sizeof(BtmScyllaStaticReader));

	reader->pending = pending;
	reader->context = CurrentMemoryContext;
	reader->cells = palloc(sizeof(int) * (ncells + 1));
	reader->columns = palloc(sizeof(int) * (ncells + 1));
	for (int i = 0; i < ncells; i++)
	{
		if (columns[i] < 0 || pending->table->columns[columns[i]].role != BTM_SCYLLA_STATIC)
			continue;
		reader->columns[reader->nstatic] = columns[i];
		reader->cells[reader->nstatic++] = i;
	}
	if (reader->nstatic == 0)
		return NULL;
	create_partitions(reader);
	return reader;
}

/* Prepares the statement that reads a partition's static columns. */
static void
prepare(BtmScyllaStaticReader *reader)
{
	const BtmScyllaTable *table = reader->pending->table;
	StringInfoData cql;

	initStringInfo(&cql);
	for (int i = 0; i < reader->nstatic; i++)
	{
		appendStringInfoString(&cql, i == 0 ? "SELECT " : ", ");
		btm_scylla_append_name(&cql, table->columns[reader->columns[i]].name);
	}
	appendStringInfoString(&cql, " FROM ");
	btm_scylla_append_table(&cql, table);
	for (int i = 0; i < table->npartition; i++)
	{
		appendStringInfoString(&cql, i == 0 ? " WHERE " : " AND ");
		btm_scylla_append_name(&cql, table->partition[i]->name);
		appendStringInfoString(&cql, " = ?");
	}
	appendStringInfoString(&cql, " LIMIT 1");
	reader->statement = btm_scylla_prepare(reader->pending->cluster,
										   pg_server_to_any(cql.data, cql.len, PG_UTF8),
										   table->npartition);
}

/* The key of a partition, that its newest version or its rows' have. */
static CqlBytes *
key_of(const BtmScyllaPending *pending, uint32 partition)
{
	const BtmPendingItem *item = &pending->items[partition];
	const BtmPendingVersion *version = &pending->versions
		[item->version != BTM_PENDING_NONE ? item->version : pending->items[item->sibling].version];
	CqlBytes   *values = palloc(sizeof(CqlBytes) * pending->table->ncolumns);
	CqlBytes   *key = palloc(sizeof(CqlBytes) * pending->table->npartition);

	btm_pending_decode(pending, btm_scylla_spill_get(version->piece, version->size), version->size,
					   btm_pending_is_partition(pending, version->item), values);
	for (int i = 0; i < pending->table->npartition; i++)
		key[i] = values[pending->key[i]];
	return key;
}

/* Cells that stay as long as the reader. */
static CqlBytes *
copy_cells(const BtmScyllaStaticReader *reader, const CqlBytes *cells)
{
	CqlBytes   *copies = MemoryContextAlloc(reader->context, sizeof(CqlBytes) * reader->nstatic);

	for (int i = 0; i < reader->nstatic; i++)
	{
		copies[i] = cells[i];
		if (cells[i].length <= 0)
			continue;
		copies[i].data = MemoryContextAlloc(reader->context, cells[i].length);
		memcpy(unconstify(uint8 *, copies[i].data), cells[i].data, cells[i].length);
	}
	return copies;
}

/* Asks the server. */
static CqlBytes *
ask(BtmScyllaStaticReader *reader, uint32 partition)
{
	const BtmScyllaPending *pending = reader->pending;
	BtmScyllaPipeline *pipeline = btm_scylla_pipeline_create(pending->cluster,
															 CurrentMemoryContext);
	CqlParameters parameters = {0};
	CqlBytes   *cells = palloc(sizeof(CqlBytes) * reader->nstatic);
	CqlError	error = {0};
	BtmScyllaAnswer answer;
	CqlRowReader rows;

	parameters.consistency = pending->table->consistency;
	for (int i = 0; i < reader->nstatic; i++)
		cells[i].length = CQL_LENGTH_NULL;
	btm_scylla_send(pipeline, reader->statement, key_of(pending, partition), &parameters, NULL);
	if (!btm_scylla_receive(pipeline, &answer) ||
		answer.response->kind != CQL_RESPONSE_ROWS || answer.metadata == NULL ||
		answer.metadata->ncolumns != (uint32) reader->nstatic)
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("server answered a SELECT without rows")));
	btm_scylla_check(cql_rows_begin(&rows, &answer.response->u.rows, answer.metadata,
									&cql_default_limits, &error), &error);
	if (rows.left > 0)
		btm_scylla_check(cql_rows_next(&rows, cells), &error);
	cells = copy_cells(reader, cells);
	btm_scylla_pipeline_free(pipeline);
	return cells;
}

/* Puts the static columns that the server has of a partition into a row's cells. */
void
btm_scylla_static_read(BtmScyllaStaticReader *reader, uint32 partition, CqlBytes *cells)
{
	StaticCells *entry;
	bool		found;

	if (reader->statement == NULL)
		prepare(reader);
	entry = hash_search(reader->partitions, &partition, HASH_ENTER, &found);
	if (!found)
		entry->cells = NULL;
	if (entry->cells == NULL)
		entry->cells = ask(reader, partition);
	for (int i = 0; i < reader->nstatic; i++)
		cells[reader->cells[i]] = entry->cells[i];
}
