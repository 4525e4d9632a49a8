/*-------------------------------------------------------------------------
 *
 * analyze.c
 *	  ANALYZE of foreign tables.
 *
 * A sample is what lies in some ranges of tokens: whole partitions, wherever a
 * hash has put them, so that the share of the ring that was read tells how many
 * rows there are in all.  How wide a range must be is not known before: it begins
 * very narrow, and grows as long as there is next to nothing in it.  A table that is
 * so small that half of the ring would be read is read as a whole.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "access/htup_details.h"
#include "commands/vacuum.h"
#include "cql/token.h"
#include "cql/value.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "scylla/codec.h"
#include "scylla/fdw.h"
#include "scylla/row.h"
#include "scylla/sender.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/sampling.h"

/* The first range is this part of the ring; each step makes it so much wider. */
#define FIRST_WIDTH (1.0 / (1 << 20))
#define STEP 8

/* A range is too narrow if it has less than this part of the rows that are wanted. */
#define RANGES 64

/* A range of tokens: greater than the first, up to the last. */
typedef struct Range
{
	int64		bounds[2];
	bool		sent;
	uint8		bytes[2][8];
} Range;

typedef struct Sample
{
	Relation	relation;
	BtmScyllaTable *table;
	BtmScyllaReader *reader;
	BtmScyllaRow *row;
	Range		range;			/* that is being read */
	ReservoirStateData random;
	Datum	   *values;
	bool	   *isnull;

	HeapTuple  *rows;
	int			target;
	int			count;
	double		seen;			/* rows that were read */
	double		skip;			/* of these, until the next one that is taken */
} Sample;

/* The only execution for a range, for the reader. */
static bool
next_execution(void *arg, CqlBytes *values)
{
	Range	   *range = arg;

	if (range->sent)
		return false;
	range->sent = true;
	for (int i = 0; i < 2; i++)
	{
		uint64		bits = (uint64) range->bounds[i];

		for (int j = 0; j < 8; j++)
			range->bytes[i][j] = (uint8) (bits >> (8 * (7 - j)));
		values[i].data = range->bytes[i];
		values[i].length = 8;
	}
	return true;
}

/* Prepares the statement, for all columns. */
static void
begin_sample(Sample *sample)
{
	BtmScyllaTable *table = sample->table;
	BtmScyllaCluster *cluster;
	const BtmScyllaStatement *statement;
	CqlParameters parameters;
	Bitmapset  *columns = NULL;
	List	   *attnums;
	char	   *cql;

	for (int i = 0; i < table->ncolumns; i++)
		columns = bms_add_member(columns, table->columns[i].attnum);
	cql = btm_scylla_range_text(table, columns, &attnums);
	btm_scylla_finish_senders();
	cluster = btm_scylla_cluster(table->serverid, GetUserId());
	statement = btm_scylla_prepare(cluster, pg_server_to_any(cql, strlen(cql), PG_UTF8), 2);
	parameters = btm_scylla_scan_parameters(cluster, table);
	sample->row = btm_scylla_row_create(table, attnums, statement->result);
	sample->range.sent = true;
	sample->reader = btm_scylla_reader_create(cluster, statement, &parameters, next_execution,
											  &sample->range, false);
}

/* -------
 * Rows
 * -------
 */

static HeapTuple
make_row(Sample *sample, const CqlBytes *cells)
{
	TupleDesc	desc = RelationGetDescr(sample->relation);

	btm_scylla_row_values(sample->row, cells, desc->natts, sample->values, sample->isnull);
	return heap_form_tuple(desc, sample->values, sample->isnull);
}

/* Takes a row for the sample, or not, so that each has the same chance (Vitter). */
static void
add_row(Sample *sample, const CqlBytes *cells)
{
	sample->seen++;
	if (sample->count < sample->target)
	{
		sample->rows[sample->count++] = make_row(sample, cells);
		return;
	}
	if (sample->skip < 0)
		sample->skip = reservoir_get_next_S(&sample->random, sample->seen - 1, sample->target);
	if (sample->skip <= 0)
	{
		int			place = (int) (sample->target * sampler_random_fract(&sample->random.randstate));

		heap_freetuple(sample->rows[place]);
		sample->rows[place] = make_row(sample, cells);
	}
	sample->skip--;
}

/* Reads a range; the number of its rows. */
static double
read_range(Sample *sample, int64 after, int64 last)
{
	double		before = sample->seen;
	CqlBytes   *cells = btm_scylla_row_cells(sample->row);

	sample->range.bounds[0] = after;
	sample->range.bounds[1] = last;
	sample->range.sent = false;
	btm_scylla_reader_restart(sample->reader);
	while (btm_scylla_reader_next(sample->reader, cells))
	{
		vacuum_delay_point(true);
		add_row(sample, cells);
	}
	return sample->seen - before;
}

/* Begins anew: what was read is not part of the sample. */
static void
forget_rows(Sample *sample)
{
	for (int i = 0; i < sample->count; i++)
		heap_freetuple(sample->rows[i]);
	sample->count = 0;
	sample->seen = 0;
	sample->skip = -1;
}

/* -------
 * Ranges
 * -------
 */

/* Reads a range of this part of the ring, somewhere; the number of its rows. */
static double
read_somewhere(Sample *sample, double width)
{
	double		tokens = width * 18446744073709551616.0;
	double		place = sampler_random_fract(&sample->random.randstate) * (1 - width);
	int64		after = (int64) (place * 18446744073709551616.0 - 9223372036854775808.0);

	return read_range(sample, after, (int64) Min((double) after + tokens, 9223372036854774784.0));
}

/*
 * Reads ranges until there are rows enough; the part of the ring that they are.
 * Before that becomes half of it, all of the ring is read.
 */
static double
read_ranges(Sample *sample)
{
	double		width = FIRST_WIDTH;
	double		part = 0;

	while (sample->seen < sample->target)
	{
		double		found;

		if (part + width > 0.5)
		{
			forget_rows(sample);
			read_range(sample, PG_INT64_MIN, PG_INT64_MAX);
			return 1;
		}
		found = read_somewhere(sample, width);
		part += width;
		if (found < (double) sample->target / RANGES)
			width *= STEP;
	}
	return part;
}

/* AcquireSampleRowsFunc. */
static int
sample_rows(Relation relation, int elevel, HeapTuple *rows, int targrows, double *totalrows,
			double *totaldeadrows)
{
	Sample		sample = {.relation = relation};
	int			natts = RelationGetDescr(relation)->natts;
	double		part;

	sample.table = btm_scylla_table(relation);
	sample.values = palloc0(sizeof(Datum) * natts);
	sample.isnull = palloc0(sizeof(bool) * natts);
	sample.rows = rows;
	sample.target = targrows;
	reservoir_init_selection_state(&sample.random, targrows);
	begin_sample(&sample);
	forget_rows(&sample);
	part = read_ranges(&sample);
	btm_scylla_reader_free(sample.reader);
	*totalrows = floor(sample.seen / part + 0.5);
	*totaldeadrows = 0;
	ereport(elevel,
			(errcode(ERRCODE_SUCCESSFUL_COMPLETION),
			 errmsg("\"%s\": read %.0f rows in %.4g %% of the ring; %d rows in sample, %.0f estimated total rows",
					RelationGetRelationName(relation), sample.seen, part * 100, sample.count,
					*totalrows)));
	return sample.count;
}

/* -------
 * Size
 * -------
 */

/* What a node of the server says of its own ranges of a table. */
static const char *const size_question =
"SELECT range_start, range_end, mean_partition_size, partitions_count FROM system.size_estimates WHERE keyspace_name = ? AND table_name = ?";

/* The sums over ranges. */
typedef struct SizeEstimate
{
	double		bytes;
	double		part;			/* of the ring */
} SizeEstimate;

static int64
read_integer(CqlTypeId type, CqlBytes cell)
{
	CqlError	error = {0};
	int64_t		value = 0;

	if (cell.length > 0)
		btm_scylla_check(cql_decode_integer(type, cell, &value, &error), &error);
	return value;
}

/* A token in its text; false if it is none of Murmur3Partitioner's. */
static bool
read_token(CqlBytes cell, int64_t *token)
{
	CqlError	error = {0};
	CqlString	text = {(const char *) cell.data, Max(cell.length, 0)};

	return cql_token_parse(text, token, &error) == CQL_OK;
}

/* Adds the size of a range; ranges may go round the end of the ring. */
static void
add_estimate(SizeEstimate *estimate, const CqlBytes *cells)
{
	int64_t		start;
	int64_t		end;

	if (!read_token(cells[0], &start) || !read_token(cells[1], &end))
		return;
	estimate->bytes += (double) read_integer(CQL_TYPE_BIGINT, cells[2]) *
		(double) read_integer(CQL_TYPE_BIGINT, cells[3]);
	estimate->part += start == end ? 1 :
		(double) ((uint64) end - (uint64) start) / 18446744073709551616.0;
}

/* The name of a keyspace or table, as a value. */
static CqlBytes
name_value(const char *name)
{
	CqlString	text = btm_scylla_to_utf8(name, strlen(name));
	CqlBytes	value = {(const uint8_t *) text.data, (int32_t) text.length};

	return value;
}

/* The table's bytes, by what the server knows; 0 if that is nothing. */
static double
estimate_size(BtmScyllaCluster *cluster, const BtmScyllaTable *table)
{
	BtmScyllaPipeline *pipeline = btm_scylla_pipeline_create(cluster, CurrentMemoryContext);
	CqlBytes	names[] = {name_value(table->keyspace), name_value(table->name)};
	SizeEstimate estimate = {0};
	BtmScyllaAnswer answer;
	CqlRowReader rows;
	CqlBytes	cells[4];
	CqlError	error = {0};

	btm_scylla_send(pipeline, btm_scylla_prepare(cluster, size_question, lengthof(names)),
					names, NULL, NULL);
	if (btm_scylla_receive(pipeline, &answer) && answer.metadata != NULL &&
		answer.metadata->ncolumns == lengthof(cells))
	{
		btm_scylla_check(cql_rows_begin(&rows, &answer.response->u.rows, answer.metadata,
										&cql_default_limits, &error), &error);
		while (rows.left > 0)
		{
			btm_scylla_check(cql_rows_next(&rows, cells), &error);
			add_estimate(&estimate, cells);
		}
	}
	btm_scylla_pipeline_free(pipeline);
	return estimate.part > 0 ? estimate.bytes / Min(estimate.part, 1) : 0;
}

/*
 * AnalyzeForeignTable.  Without the partition key there is no range of tokens to be
 * asked for, and the table is not analyzed.
 */
bool
btm_scylla_analyze(Relation relation, AcquireSampleRowsFunc *sample, BlockNumber *totalpages)
{
	BtmScyllaTable *table = btm_scylla_table(relation);
	double		pages;

	if (table->npartition == 0)
		return false;
	pages = estimate_size(btm_scylla_cluster(table->serverid, GetUserId()), table) / BLCKSZ;
	*totalpages = (BlockNumber) Max(1, Min(pages, MaxBlockNumber));
	*sample = sample_rows;
	return true;
}
