/*-------------------------------------------------------------------------
 *
 * sender.c
 *	  Sends mutations of one foreign table.
 *
 * What was added last waits for the next mutation: if that is of the same
 * partition, both go in one batch.  A batch of one partition is one write to a
 * server, as one statement is, and servers do not limit its size as they do for
 * batches of several partitions.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "datatype/timestamp.h"
#include "lib/ilist.h"
#include "mb/pg_wchar.h"
#include "port/pg_bswap.h"
#include "scylla/fdw.h"
#include "scylla/sender.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Bytes that are under way at a time, about. */
#define MAX_BYTES_IN_FLIGHT (512 * 1024)

/* Statements of a batch: a [short] in the protocol. */
#define MAX_BATCH 65535

/* Of a batch's statement on the wire: kind, id, count; and of each value. */
#define STATEMENT_SIZE 24
#define VALUE_SIZE 4

/* A statement, by what a mutation must be like. */
typedef struct Template
{
	BtmScyllaMutationKind kind;
	bool	   *given;			/* of each of the table's columns */
	const BtmScyllaStatement *statement;
	int			nmarkers;
	int		   *markers;		/* indexes of columns, -1: the timestamp */
} Template;

struct BtmScyllaSender
{
	dlist_node	link;			/* in `senders` */
	MemoryContext context;		/* the sender's own */
	BtmScyllaCluster *cluster;
	const BtmScyllaTable *table;
	BtmScyllaPipeline *pipeline;
	CqlParameters parameters;
	int			max_in_flight;
	List	   *templates;		/* of Template, the one used last at the front */

	/* the batch in the making */
	MemoryContext batch_context;
	int			nentries;
	int			max_entries;
	BtmScyllaBatchEntry *entries;
	Size		size;
	CqlBytes   *first;			/* by the table's columns, of its first mutation:
								 * the partition key alone */
};

/* All that there are. */
static dlist_head senders = DLIST_STATIC_INIT(senders);

int64
btm_scylla_next_timestamp(void)
{
	static int64 last = 0;
	int64		now = GetCurrentTimestamp() +
		(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;

	last = Max(now, last + 1);
	return last;
}

/* The end of a sender's memory context. */
static void
context_callback(void *arg)
{
	dlist_delete(&((BtmScyllaSender *) arg)->link);
}

BtmScyllaSender *
btm_scylla_sender_create(BtmScyllaCluster *cluster, const BtmScyllaTable *table,
						 MemoryContext context)
{
	MemoryContext own = AllocSetContextCreate(context, "belongs_to_many Scylla sender",
											  ALLOCSET_SMALL_SIZES);
	BtmScyllaSender *sender = MemoryContextAllocZero(own, sizeof(BtmScyllaSender));
	MemoryContextCallback *callback = MemoryContextAllocZero(own, sizeof(MemoryContextCallback));
	const BtmScyllaOptions *options = btm_scylla_cluster_options(cluster);

	dlist_push_tail(&senders, &sender->link);
	callback->func = context_callback;
	callback->arg = sender;
	MemoryContextRegisterResetCallback(own, callback);
	sender->context = own;
	sender->cluster = cluster;
	sender->table = table;
	sender->pipeline = btm_scylla_pipeline_create(cluster, own);
	if (!table->is_counter)
		btm_scylla_pipeline_set_repeatable(sender->pipeline);
	sender->parameters.consistency = table->consistency;
	sender->parameters.has_serial_consistency = true;
	sender->parameters.serial_consistency = options->serial_consistency;
	sender->max_in_flight = options->max_in_flight;
	sender->batch_context = AllocSetContextCreate(own, "belongs_to_many Scylla batch",
												  ALLOCSET_DEFAULT_SIZES);
	sender->first = MemoryContextAllocZero(own, sizeof(CqlBytes) * (table->ncolumns + 1));
	return sender;
}

void
btm_scylla_sender_free(BtmScyllaSender *sender)
{
	MemoryContextDelete(sender->context);
}

/* -------
 * Statements
 * -------
 */

const BtmScyllaStatement *
btm_scylla_write_statement(BtmScyllaCluster *cluster, const BtmScyllaTable *table,
						   BtmScyllaMutationKind kind, const Bitmapset *given,
						   List **markers)
{
	char	   *text = btm_scylla_write_text(table, kind, given, markers);

	return btm_scylla_prepare(cluster, pg_server_to_any(text, strlen(text), PG_UTF8),
							  list_length(*markers));
}

/* Does a mutation say something of a column that is not of the key? */
static bool
is_given(const BtmScyllaTable *table, const BtmScyllaMutation *mutation, int column)
{
	return (mutation->kind == BTM_SCYLLA_INSERT || mutation->kind == BTM_SCYLLA_UPDATE) &&
		!btm_scylla_is_key(&table->columns[column]) &&
		mutation->values[column].length != CQL_LENGTH_UNSET;
}

static bool
matches(const BtmScyllaTable *table, const Template *template,
		const BtmScyllaMutation *mutation)
{
	if (template->kind != mutation->kind)
		return false;
	for (int i = 0; i < table->ncolumns; i++)
		if (template->given[i] != is_given(table, mutation, i))
			return false;
	return true;
}

static Template *
make_template(BtmScyllaSender *sender, const BtmScyllaMutation *mutation)
{
	MemoryContext old = MemoryContextSwitchTo(sender->context);
	const BtmScyllaTable *table = sender->table;
	Template   *template = palloc0(sizeof(Template));
	Bitmapset  *given = NULL;
	List	   *markers;

	template->kind = mutation->kind;
	template->given = palloc0(sizeof(bool) * (table->ncolumns + 1));
	for (int i = 0; i < table->ncolumns; i++)
	{
		template->given[i] = is_given(table, mutation, i);
		if (template->given[i])
			given = bms_add_member(given, i);
	}
	template->statement = btm_scylla_write_statement(sender->cluster, table, mutation->kind,
													 given, &markers);
	template->nmarkers = list_length(markers);
	template->markers = palloc(sizeof(int) * (template->nmarkers + 1));
	for (int i = 0; i < template->nmarkers; i++)
		template->markers[i] = list_nth_int(markers, i);
	MemoryContextSwitchTo(old);
	return template;
}

/* The template for a mutation; there are few, and mostly it is the last one. */
static Template *
find_template(BtmScyllaSender *sender, const BtmScyllaMutation *mutation)
{
	Template   *template;
	ListCell   *lc;
	MemoryContext old;

	foreach(lc, sender->templates)
	{
		template = lfirst(lc);
		if (matches(sender->table, template, mutation))
			return template;
	}
	template = make_template(sender, mutation);
	old = MemoryContextSwitchTo(sender->context);
	sender->templates = lcons(template, sender->templates);
	MemoryContextSwitchTo(old);
	return template;
}

/* -------
 * Batches
 * -------
 */

/*
 * How many requests of a size may be under way: enough for a server to be busy
 * all the time, and not so many that they fill its memory and ours.
 */
static int
max_pending(const BtmScyllaSender *sender)
{
	Size		by_size = MAX_BYTES_IN_FLIGHT / Max(sender->size, 1);

	return (int) Max(Min(by_size, (Size) sender->max_in_flight), 1);
}

/* Sends the batch in the making, if there is one. */
static void
send_batch(BtmScyllaSender *sender)
{
	int			nentries = sender->nentries;

	if (nentries == 0)
		return;
	btm_scylla_await(sender->pipeline, max_pending(sender) - 1);
	if (nentries == 1)
		btm_scylla_send(sender->pipeline, sender->entries[0].statement,
						sender->entries[0].values, &sender->parameters, NULL);
	else
		btm_scylla_send_batch(sender->pipeline, CQL_BATCH_UNLOGGED, nentries,
							  sender->entries, &sender->parameters, NULL);
	sender->nentries = 0;
	sender->size = 0;
	MemoryContextReset(sender->batch_context);
}

/* Is a mutation of the same partition as the batch in the making? */
static bool
is_same_partition(const BtmScyllaSender *sender, const BtmScyllaMutation *mutation)
{
	const BtmScyllaTable *table = sender->table;

	for (int i = 0; i < table->npartition; i++)
	{
		int			column = (int) (table->partition[i] - table->columns);
		const CqlBytes *a = &sender->first[column];
		const CqlBytes *b = &mutation->values[column];

		if (a->length != b->length || memcmp(a->data, b->data, a->length) != 0)
			return false;
	}
	return true;
}

/* Bytes that a mutation takes in a batch, about. */
static Size
size_of(const Template *template, const BtmScyllaMutation *mutation)
{
	Size		size = STATEMENT_SIZE;

	for (int i = 0; i < template->nmarkers; i++)
	{
		int			column = template->markers[i];

		size += VALUE_SIZE;
		if (column < 0)
			size += sizeof(int64);
		else if (mutation->values[column].length > 0)
			size += mutation->values[column].length;
	}
	return size;
}

/* Copies a value to *room, which moves on. */
static CqlBytes
copy_value(CqlBytes value, uint8 **room)
{
	CqlBytes	copy = value;

	if (value.length < 0)
		return copy;
	copy.data = *room;
	if (value.length > 0)
		memcpy(*room, value.data, value.length);
	*room += value.length;
	return copy;
}

/* A statement's values, of `size` bytes at most, in the batch's memory. */
static CqlBytes *
copy_values(BtmScyllaSender *sender, const Template *template,
			const BtmScyllaMutation *mutation, int64 timestamp, Size size)
{
	CqlBytes   *values = MemoryContextAllocHuge(sender->batch_context,
												sizeof(CqlBytes) * template->nmarkers + size);
	uint8	   *room = (uint8 *) (values + template->nmarkers);
	uint64		stamp = pg_hton64((uint64) timestamp);
	CqlBytes	stamp_value = {(const uint8_t *) &stamp, sizeof(stamp)};

	for (int i = 0; i < template->nmarkers; i++)
	{
		int			column = template->markers[i];

		values[i] = copy_value(column < 0 ? stamp_value : mutation->values[column], &room);
		if (column >= 0 && sender->nentries == 0)
			sender->first[column] = values[i];
	}
	return values;
}

/* Puts a mutation into the batch in the making. */
static void
add_entry(BtmScyllaSender *sender, const Template *template,
		  const BtmScyllaMutation *mutation, int64 timestamp, Size size)
{
	BtmScyllaBatchEntry *entry;

	if (sender->nentries == sender->max_entries)
	{
		int			max = Max(64, sender->max_entries * 2);

		sender->entries = sender->entries == NULL ?
			MemoryContextAlloc(sender->context, sizeof(BtmScyllaBatchEntry) * max) :
			repalloc(sender->entries, sizeof(BtmScyllaBatchEntry) * max);
		sender->max_entries = max;
	}
	entry = &sender->entries[sender->nentries];
	entry->statement = template->statement;
	entry->values = copy_values(sender, template, mutation, timestamp, size);
	sender->nentries++;
	sender->size += size;
}

/*
 * TRUNCATE, with nothing else under way: it has no timestamp, so that what comes
 * before and after it is told by time alone.
 */
static void
truncate_table(BtmScyllaSender *sender)
{
	List	   *markers;
	char	   *text = btm_scylla_write_text(sender->table, BTM_SCYLLA_TRUNCATE, NULL, &markers);

	btm_scylla_sender_finish(sender);
	btm_scylla_send_text(sender->pipeline, pg_server_to_any(text, strlen(text), PG_UTF8),
						 &sender->parameters, NULL);
	btm_scylla_await(sender->pipeline, 0);
}

/* Does a mutation change nothing? */
static bool
is_empty(const BtmScyllaTable *table, const BtmScyllaMutation *mutation)
{
	if (mutation->kind != BTM_SCYLLA_UPDATE)
		return false;
	for (int i = 0; i < table->ncolumns; i++)
		if (is_given(table, mutation, i))
			return false;
	return true;
}

void
btm_scylla_sender_add(BtmScyllaSender *sender, const BtmScyllaMutation *mutation,
					  int64 timestamp_us)
{
	const BtmScyllaTable *table = sender->table;
	Template   *template;
	Size		size;

	if (mutation->kind == BTM_SCYLLA_TRUNCATE)
	{
		truncate_table(sender);
		return;
	}
	if (is_empty(table, mutation))
		return;
	template = find_template(sender, mutation);
	size = size_of(template, mutation);
	if (sender->nentries > 0 &&
		(sender->size + size > (Size) table->batch_size || sender->nentries == MAX_BATCH ||
		 !is_same_partition(sender, mutation)))
		send_batch(sender);
	add_entry(sender, template, mutation, timestamp_us, size);
	/* no other row is in the partition; counters are added to one by one */
	if (table->nclustering == 0 || table->is_counter)
		send_batch(sender);
}

void
btm_scylla_sender_finish(BtmScyllaSender *sender)
{
	send_batch(sender);
	btm_scylla_await(sender->pipeline, 0);
}

void
btm_scylla_finish_senders(void)
{
	dlist_iter	iter;

	dlist_foreach(iter, &senders)
		btm_scylla_sender_finish(dlist_container(BtmScyllaSender, link, iter.cur));
}
