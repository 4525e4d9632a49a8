/*-------------------------------------------------------------------------
 *
 * reader.c
 *	  The rows of a statement's executions, page by page.
 *
 * Executions are under way together; rows come as they are answered.  Of each, the
 * next page is asked for when the last one has come, before its rows are read, so
 * that an execution holds two pages at most.  The values of an execution are kept
 * only while it is under way: a page is asked for with them all.
 *
 * Only has_more_pages ends an execution: a page may be empty, and others follow.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "cql/response.h"
#include "scylla/codec.h"
#include "scylla/reader.h"
#include "utils/memutils.h"

/*
 * Executions that are under way together, at most.  Each may hold two pages.
 */
#define MAX_EXECUTIONS 128

struct BtmScyllaReader
{
	BtmScyllaCluster *cluster;
	const BtmScyllaStatement *statement;
	CqlParameters parameters;
	BtmScyllaNextExecution next;
	void	   *source;
	int			nvalues;
	MemoryContext context;
	BtmScyllaPipeline *pipeline;

	/* executions: their values, by which they are told apart */
	CqlBytes   *first;			/* of the first one */
	int			nrooms;
	CqlBytes   *rooms[MAX_EXECUTIONS + 1];	/* one is the first's */
	int			nidle;
	CqlBytes   *idle[MAX_EXECUTIONS + 1];	/* rooms for others */
	uint64		sent;
	bool		done;			/* all are sent */

	/* pages; the current one is the last that was taken */
	bool		may_keep;
	bool		keeping;		/* none was freed yet */
	uint64		nrows;			/* of those that are kept */
	int			npages;
	int			max_pages;
	int			next_page;
	BtmScyllaAnswer *pages;
	CqlRowReader rows;

	uint64		all_sent;
	uint64		all_pages;
};

static void
begin(BtmScyllaReader *reader)
{
	reader->pipeline = btm_scylla_pipeline_create(reader->cluster, reader->context);
	reader->first = NULL;
	reader->nidle = reader->nrooms;
	memcpy(reader->idle, reader->rooms, sizeof(reader->idle));
	reader->sent = 0;
	reader->done = false;
	reader->keeping = reader->may_keep;
	reader->nrows = 0;
	reader->npages = reader->next_page = 0;
	reader->rows.left = 0;
}

BtmScyllaReader *
btm_scylla_reader_create(BtmScyllaCluster *cluster, const BtmScyllaStatement *statement,
						 const CqlParameters *parameters, BtmScyllaNextExecution next,
						 void *source, bool keep)
{
	BtmScyllaReader *reader = palloc0(sizeof(BtmScyllaReader));

	reader->cluster = cluster;
	reader->statement = statement;
	reader->parameters = *parameters;
	reader->next = next;
	reader->source = source;
	reader->nvalues = (int) statement->markers->ncolumns;
	reader->context = CurrentMemoryContext;
	reader->may_keep = keep;
	begin(reader);
	return reader;
}

int
btm_scylla_reader_width(const BtmScyllaReader *reader)
{
	return (int) reader->statement->result->ncolumns;
}

void
btm_scylla_reader_set_page_size(BtmScyllaReader *reader, int page_size)
{
	reader->parameters.page_size = page_size;
}

/* -------
 * Executions
 * -------
 */

static void
send(BtmScyllaReader *reader, CqlBytes *values, CqlBytes paging_state)
{
	reader->parameters.paging_state = paging_state;
	btm_scylla_send(reader->pipeline, reader->statement, values, &reader->parameters, values);
}

/* Room for the values of another execution. */
static CqlBytes *
take_room(BtmScyllaReader *reader)
{
	CqlBytes   *room;

	if (reader->nidle > 0)
		return reader->idle[--reader->nidle];
	room = MemoryContextAlloc(reader->context, sizeof(CqlBytes) * (reader->nvalues + 1));
	reader->rooms[reader->nrooms++] = room;
	return room;
}

/* Has as many executions under way as may be. */
static void
send_executions(BtmScyllaReader *reader)
{
	static const CqlBytes first_page = {NULL, CQL_LENGTH_NULL};

	while (!reader->done && btm_scylla_pending(reader->pipeline) < MAX_EXECUTIONS)
	{
		CqlBytes   *values = take_room(reader);

		reader->done = !reader->next(reader->source, values);
		if (reader->done)
		{
			reader->idle[reader->nidle++] = values;
			return;
		}
		if (reader->sent++ == 0)
			reader->first = values;
		reader->all_sent++;
		send(reader, values, first_page);
	}
}

/* -------
 * Pages
 * -------
 */

static void
free_pages(BtmScyllaReader *reader)
{
	for (int i = 0; i < reader->npages; i++)
		btm_scylla_answer_free(reader->pipeline, &reader->pages[i]);
	reader->npages = reader->next_page = 0;
}

/* Keeps a page that has come, and lets go of those before it if they are too many. */
static void
keep_page(BtmScyllaReader *reader, const BtmScyllaAnswer *page)
{
	reader->nrows += page->response->u.rows.count;
	reader->keeping &= reader->nrows <= (uint64) reader->parameters.page_size;
	if (!reader->keeping)
		free_pages(reader);
	if (reader->npages == reader->max_pages)
	{
		reader->max_pages = Max(8, reader->max_pages * 2);
		reader->pages = reader->pages == NULL ?
			MemoryContextAlloc(reader->context, sizeof(BtmScyllaAnswer) * reader->max_pages) :
			repalloc(reader->pages, sizeof(BtmScyllaAnswer) * reader->max_pages);
	}
	reader->pages[reader->npages++] = *page;
}

/* Asks for what follows a page; its execution is over if that is nothing. */
static void
follow(BtmScyllaReader *reader, const BtmScyllaAnswer *page)
{
	const CqlRows *rows = &page->response->u.rows;

	if (rows->metadata.has_more_pages)
	{
		send(reader, page->tag, rows->metadata.paging_state);
		btm_scylla_pipeline_flush(reader->pipeline);
	}
	else if (reader->sent > 1)
		reader->idle[reader->nidle++] = page->tag;
}

/* Waits for another page; false at the end. */
static bool
receive_page(BtmScyllaReader *reader)
{
	BtmScyllaAnswer page;

	if (!reader->keeping)
		free_pages(reader);
	send_executions(reader);
	if (!btm_scylla_receive(reader->pipeline, &page))
		return false;
	if (page.response->kind != CQL_RESPONSE_ROWS || page.metadata == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("server answered a SELECT without rows")));
	reader->all_pages++;
	keep_page(reader, &page);
	follow(reader, &page);
	return true;
}

/* Begins the next page, whether it has rows or not; false at the end. */
static bool
next_page(BtmScyllaReader *reader)
{
	const BtmScyllaAnswer *page;
	CqlError	error = {0};

	if (reader->next_page == reader->npages && !receive_page(reader))
		return false;
	page = &reader->pages[reader->next_page++];
	btm_scylla_check(cql_rows_begin(&reader->rows, &page->response->u.rows, page->metadata,
									&cql_default_limits, &error), &error);
	return true;
}

/* -------
 * Rows
 * -------
 */

bool
btm_scylla_reader_next(BtmScyllaReader *reader, CqlBytes *cells)
{
	CqlError	error = {0};

	while (reader->rows.left == 0)
		if (!next_page(reader))
			return false;
	reader->rows.reader.error = &error;
	btm_scylla_check(cql_rows_next(&reader->rows, cells), &error);
	return true;
}

bool
btm_scylla_reader_rewind(BtmScyllaReader *reader)
{
	if (!reader->keeping)
		return false;
	reader->next_page = 0;
	reader->rows.left = 0;
	return true;
}

/*
 * What is under way is of no more use; its answers are swallowed.
 */
void
btm_scylla_reader_restart(BtmScyllaReader *reader)
{
	btm_scylla_reader_free(reader);
	begin(reader);
}

void
btm_scylla_reader_free(BtmScyllaReader *reader)
{
	if (reader->pipeline == NULL)
		return;
	free_pages(reader);
	btm_scylla_pipeline_free(reader->pipeline);
	reader->pipeline = NULL;
}

const CqlBytes *
btm_scylla_reader_values(const BtmScyllaReader *reader)
{
	return reader->sent == 1 ? reader->first : NULL;
}

uint64
btm_scylla_reader_executions(const BtmScyllaReader *reader)
{
	return reader->all_sent;
}

uint64
btm_scylla_reader_pages(const BtmScyllaReader *reader)
{
	return reader->all_pages;
}
