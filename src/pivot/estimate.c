/*-------------------------------------------------------------------------
 *
 * estimate.c
 *	  How many rows a parent has, by the statistics of ANALYZE.
 *
 * The estimate is the planner's own: a value that is among the most common
 * ones of its column has the rows that these say, any other one an equal share
 * of the rest, and columns of a key are independent of each other.
 *
 * What is needed of the statistics is kept with the resolved relation: the
 * values that are common enough to matter, which in most pivots none is.  So
 * to ask costs next to nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_statistic.h"
#include "pivot/estimate.h"
#include "utils/datum.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* What statistics say about the values of one column. */
typedef struct ColumnValues
{
	int			ncommon;		/* values that BTM_MANY_ROWS rows have */
	Datum	   *common;
	double	   *fractions;		/* of the rows: those with this value */
	double		other;			/* ... those with any one other value */
} ColumnValues;

/* What statistics say about the foreign key of a pivot. */
struct BtmStatistics
{
	uint64		version;		/* of all statistics, when these were read */
	MemoryContext cxt;			/* of what follows */
	double		nrows;
	ColumnValues *columns;		/* per column of the key; NULL: no parent has
								 * many rows */
};

static uint64 statistics_version = 0;

/*
 * Syscache callback: ANALYZE has been at work.
 */
static void
statistics_callback(Datum arg, int cacheid, uint32 hashvalue)
{
	statistics_version++;
}

/*
 * See estimate.h.
 */
void
btm_estimate_init(void)
{
	CacheRegisterSyscacheCallback(STATRELATTINH, statistics_callback,
								  (Datum) 0);
}

/*
 * See estimate.h.
 */
double
btm_table_rows(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	double		result = -1;

	if (HeapTupleIsValid(tuple))
	{
		result = ((Form_pg_class) GETSTRUCT(tuple))->reltuples;
		ReleaseSysCache(tuple);
	}
	return result;
}

/*
 * Statistics of a column: of the table, or of all its partitions.  NULL if
 * there are none, else to be released.
 */
static HeapTuple
column_statistics(Oid relid, AttrNumber attnum)
{
	bool		inherited = get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE;

	return SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(relid),
						   Int16GetDatum(attnum), BoolGetDatum(inherited));
}

/*
 * Different values of a column of so many rows.
 */
static double
count_values(HeapTuple statistics, double nrows)
{
	double		result = ((Form_pg_statistic) GETSTRUCT(statistics))->stadistinct;

	return result < 0 ? -result * nrows : result;
}

/*
 * See estimate.h.
 */
double
btm_distinct_values(Oid relid, AttrNumber attnum, double nrows)
{
	HeapTuple	statistics = column_statistics(relid, attnum);
	double		result;

	if (!HeapTupleIsValid(statistics))
		return 0;
	result = count_values(statistics, nrows);
	ReleaseSysCache(statistics);
	return result;
}

/*
 * Adds a common value of a column.
 */
static void
add_common(ColumnValues *column, const BtmType *type, Datum value,
		   double fraction)
{
	column->common[column->ncommon] = datumCopy(value, type->typbyval,
												type->typlen);
	column->fractions[column->ncommon] = fraction;
	column->ncommon++;
}

/*
 * Reads the statistics of a column of a pivot with nrows rows.
 */
static void
read_column(ColumnValues *column, const BtmKeyColumn *key,
			HeapTuple statistics, double nrows)
{
	Form_pg_statistic form = (Form_pg_statistic) GETSTRUCT(statistics);
	double		ndistinct = count_values(statistics, nrows);
	double		rest = 1.0 - form->stanullfrac;
	AttStatsSlot slot = {0};

	(void) get_attstatsslot(&slot, statistics, STATISTIC_KIND_MCV, InvalidOid,
							ATTSTATSSLOT_VALUES | ATTSTATSSLOT_NUMBERS);
	column->common = palloc(sizeof(Datum) * (slot.nvalues + 1));
	column->fractions = palloc(sizeof(double) * (slot.nvalues + 1));
	for (int i = 0; i < slot.nvalues; i++)
	{
		rest -= slot.numbers[i];
		if (slot.numbers[i] * nrows >= BTM_MANY_ROWS)
			add_common(column, &key->type, slot.values[i], slot.numbers[i]);
	}
	column->other = Max(rest, 0) / Max(ndistinct - slot.nvalues, 1);
	free_attstatsslot(&slot);
}

/*
 * Reads the statistics of the foreign key's columns.  Returns NULL if no parent has many rows by them, or there are none.
 */
static ColumnValues *
read_columns(const BtmResolved *rel, double nrows)
{
	ColumnValues *result = palloc0(sizeof(ColumnValues) * rel->nfk);

	for (int i = 0; i < rel->nfk; i++)
	{
		HeapTuple	statistics = column_statistics(rel->pivot,
												   rel->fk[i].attnum);

		if (!HeapTupleIsValid(statistics))
			return NULL;
		read_column(&result[i], &rel->fk[i], statistics, nrows);
		ReleaseSysCache(statistics);
		if (result[i].ncommon == 0 && result[i].other * nrows < BTM_MANY_ROWS)
			return NULL;
	}
	return result;
}

/*
 * Makes the place of a relation's statistics.
 */
static struct BtmStatistics *
make_statistics(BtmResolved *rel)
{
	struct BtmStatistics *result;

	result = MemoryContextAllocZero(rel->cxt, sizeof(struct BtmStatistics));
	result->cxt = AllocSetContextCreate(rel->cxt, "belongs_to_many statistics",
										ALLOCSET_SMALL_SIZES);
	result->version = statistics_version - 1;
	return result;
}

/*
 * The statistics of a relation, read where they may have changed.
 */
static const struct BtmStatistics *
get_statistics(BtmResolved *rel)
{
	struct BtmStatistics *statistics = rel->statistics;
	MemoryContext oldcxt;

	if (statistics == NULL)
		statistics = rel->statistics = make_statistics(rel);
	if (statistics->version == statistics_version)
		return statistics;

	MemoryContextReset(statistics->cxt);
	oldcxt = MemoryContextSwitchTo(statistics->cxt);
	statistics->version = statistics_version;
	statistics->columns = NULL;
	statistics->nrows = btm_table_rows(rel->pivot);
	if (statistics->nrows >= BTM_MANY_ROWS)
		statistics->columns = read_columns(rel, statistics->nrows);
	MemoryContextSwitchTo(oldcxt);
	return statistics;
}

/*
 * The fraction of the rows that have this value in a column.
 */
static double
fraction_with(const ColumnValues *column, BtmKeyColumn *key, Datum value)
{
	for (int i = 0; i < column->ncommon; i++)
		if (DatumGetBool(FunctionCall2Coll(&key->eq, key->type.collation,
										   column->common[i], value)))
			return column->fractions[i];
	return column->other;
}

/*
 * See estimate.h.
 */
double
btm_estimate_many_rows(BtmCall *call)
{
	BtmResolved *rel = call->rel;
	const struct BtmStatistics *statistics = get_statistics(rel);
	double		nrows = statistics->nrows;

	if (statistics->columns == NULL)
		return 0;
	for (int i = 0; i < rel->nfk && nrows >= BTM_MANY_ROWS; i++)
		nrows *= fraction_with(&statistics->columns[i], &rel->fk[i],
							   call->parent[i]);
	if (rel->def->has_take && rel->def->max_rows >= 0)
		nrows = Min(nrows, (double) rel->def->max_rows);
	return nrows >= BTM_MANY_ROWS ? nrows : 0;
}
