/*-------------------------------------------------------------------------
 *
 * row.c
 *	  Rows of a statement's result as rows of a foreign table.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "executor/executor.h"
#include "scylla/json.h"
#include "scylla/row.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* A column of the result. */
typedef struct ResultColumn
{
	BtmScyllaColumn *column;	/* NULL: not wanted */
	BtmScyllaConverter converter;
} ResultColumn;

struct BtmScyllaRow
{
	const BtmScyllaTable *table;
	int			ncolumns;
	ResultColumn *columns;
	CqlBytes   *cells;
	bool		watch_key;
	ResultColumn *inexact;		/* of the last row's key, not as it is there; or NULL */
	MemoryContext context;		/* of a row's values */
};

BtmScyllaRow *
btm_scylla_row_create(const BtmScyllaTable *table, List *attnums, const CqlMetadata *metadata)
{
	BtmScyllaRow *row = palloc0(sizeof(BtmScyllaRow));

	row->table = table;
	row->ncolumns = (int) metadata->ncolumns;
	if (row->ncolumns != list_length(attnums))
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("result has %d columns, not %d", row->ncolumns,
						list_length(attnums))));
	row->columns = palloc0(sizeof(ResultColumn) * (row->ncolumns + 1));
	row->cells = palloc(sizeof(CqlBytes) * (row->ncolumns + 1));
	for (int i = 0; i < row->ncolumns; i++)
	{
		BtmScyllaColumn *column = btm_scylla_column_by_number(table, list_nth_int(attnums, i));

		row->columns[i].column = column;
		if (column != NULL)
			btm_scylla_converter_init(&row->columns[i].converter, metadata->columns[i].type,
									  column->type, column->typmod);
	}
	row->context = AllocSetContextCreate(CurrentMemoryContext, "CQL row",
										 ALLOCSET_DEFAULT_SIZES);
	return row;
}

void
btm_scylla_row_watch_key(BtmScyllaRow *row)
{
	row->watch_key = true;
}

bool
btm_scylla_row_is_inexact(const BtmScyllaRow *row)
{
	return row->inexact != NULL;
}

void
btm_scylla_row_refuse(const BtmScyllaRow *row)
{
	const BtmScyllaConverter *converter = &row->inexact->converter;

	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot change a row of foreign table \"%s\" by its key",
					get_rel_name(row->table->relid)),
			 errdetail("Column \"%s\" has a value of CQL type %s that type %s cannot hold exactly.",
					   get_attname(row->table->relid, row->inexact->column->attnum, false),
					   btm_scylla_type_name(converter->cql), format_type_be(converter->type))));
}

CqlBytes *
btm_scylla_row_cells(BtmScyllaRow *row)
{
	return row->cells;
}

/* The value of a cell. */
static Datum
column_value(BtmScyllaRow *row, ResultColumn *column, CqlBytes cell, bool *isnull)
{
	Datum		value = btm_scylla_to_datum(&column->converter, cell, isnull);

	if (row->watch_key && !*isnull && btm_scylla_is_key(column->column) &&
		!btm_scylla_is_exact(&column->converter, value, cell))
		row->inexact = column;
	return value;
}

void
btm_scylla_row_values(BtmScyllaRow *row, const CqlBytes *cells, int natts, Datum *values,
					  bool *isnull)
{
	BtmScyllaColumnContext place = {row->table, NULL};
	ErrorContextCallback context = {
		.previous = error_context_stack,
		.callback = btm_scylla_column_context,
		.arg = &place
	};
	MemoryContext old;

	MemoryContextReset(row->context);
	old = MemoryContextSwitchTo(row->context);
	error_context_stack = &context;
	row->inexact = NULL;
	memset(isnull, true, natts * sizeof(bool));
	for (int i = 0; i < row->ncolumns; i++)
	{
		ResultColumn *column = &row->columns[i];
		int			attribute;

		if (column->column == NULL)
			continue;
		place.column = column->column;
		attribute = column->column->attnum - 1;
		values[attribute] = column_value(row, column, cells[i], &isnull[attribute]);
	}
	error_context_stack = context.previous;
	MemoryContextSwitchTo(old);
}

void
btm_scylla_row_store(BtmScyllaRow *row, const CqlBytes *cells, TupleTableSlot *slot)
{
	ExecClearTuple(slot);
	btm_scylla_row_values(row, cells, slot->tts_tupleDescriptor->natts, slot->tts_values,
						  slot->tts_isnull);
	ExecStoreVirtualTuple(slot);
}
