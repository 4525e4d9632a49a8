/*-------------------------------------------------------------------------
 *
 * insert_rows.c
 *	  Rows are put into the pivot without a statement.
 *
 * An INSERT of many rows, when no trigger is to fire, does three things for
 * each: it makes the row of its values, puts it into the table, and puts its
 * entries into the indexes.  Here the first is done without expressions where
 * a value is known, and the second for many rows at once, as COPY does it.
 * Entries of indexes are made by the executor's own function, which also
 * finds out about violations of unique and exclusion constraints.
 *
 * It is for rows that need nothing else: no CHECK constraint or partition
 * constraint, no generated column, no value that has to be fitted into its
 * column.  A NULL where there must be none is left to the INSERT, too, which
 * words the error.  (The bulk path is not for deferrable constraints.)
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "pivot/insert_rows.h"
#include "pivot/local.h"
#include "rewrite/rewriteHandler.h"
#include "utils/datum.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* So many rows are put into the table at once. */
#define BATCH_ROWS 100

/* Where the values of a column come from. */
typedef enum ValueSource
{
	VALUE_SAME,					/* the same in all rows */
	VALUE_OF_ID,				/* part i of the id */
	VALUE_OF_ATTRIBUTE,			/* attribute i of the id */
	VALUE_OF_EXPRESSION			/* a default, evaluated for each row */
} ValueSource;

typedef struct RowColumn
{
	ValueSource source;
	int			i;
	ExprState  *expression;
	NullableDatum value;
	bool		not_null;
} RowColumn;

struct BtmRowInserter
{
	BtmCall    *call;
	const BtmIds *ids;
	Relation	pivot;
	EState	   *estate;			/* with what lives until the end */
	ResultRelInfo *target;
	RowColumn  *columns;		/* all attributes of the pivot */
	TupleTableSlot **slots;
	int			nslots;
	MemoryContext batch_cxt;
};

/* --------------
 * Is it possible
 * --------------
 */

/*
 * Is a value of this column stored as it is given?
 */
static bool
is_stored_as_given(const BtmResolved *rel, AttrNumber attnum)
{
	return btm_pivot_column_by_number(rel, attnum)->type.typmod < 0;
}

/*
 * Does now() need no cast to be this timestamp column's value?
 */
static bool
takes_now(const BtmResolved *rel, AttrNumber attnum)
{
	return !AttributeNumberIsValid(attnum) ||
		(btm_pivot_column_by_number(rel, attnum)->type.type == TIMESTAMPTZOID &&
		 is_stored_as_given(rel, attnum));
}

/*
 * Can the rows of these ids be made of their values alone?
 */
static bool
rows_are_plain(const BtmResolved *rel, const BtmIds *ids)
{
	const BtmAttributes *attributes = btm_id_attributes(ids, 0);
	const BtmShape *shape = &ids->shapes[attributes ? attributes->shape : 0];

	if (rel->checks_values || rel->def->pivot_values != NIL ||
		!takes_now(rel, rel->created_at) || !takes_now(rel, rel->updated_at) ||
		!btm_ids_have_one_shape(ids))
		return false;
	for (int i = 0; i < rel->nfk; i++)
		if (!is_stored_as_given(rel, rel->fk[i].attnum))
			return false;
	for (int i = 0; i < rel->nid; i++)
		if (!is_stored_as_given(rel, rel->id[i].attnum))
			return false;
	for (int i = 0; i < shape->ncolumns; i++)
		if (!is_stored_as_given(rel, shape->columns[i]->attnum))
			return false;
	return true;
}

/* -----------------
 * Values of columns
 * -----------------
 */

/*
 * Looks for a column among those of keys.  Returns its place, or -1.
 */
static int
find_key_column(const BtmKeyColumn *columns, int n, AttrNumber attnum)
{
	for (int i = 0; i < n; i++)
		if (columns[i].attnum == attnum)
			return i;
	return -1;
}

/*
 * Looks for a column among those of a shape.  Returns its place, or -1.
 */
static int
find_attribute(const BtmShape *shape, AttrNumber attnum)
{
	for (int i = 0; i < shape->ncolumns; i++)
		if (shape->columns[i]->attnum == attnum)
			return i;
	return -1;
}

/*
 * For check_functions_in_node
 */
static bool
is_user_function(Oid function, void *context)
{
	return function >= FirstNormalObjectId;
}

/*
 * Does an expression call functions that have come with no server?
 */
static bool
has_user_functions(Node *node, void *context)
{
	return node != NULL &&
		(check_functions_in_node(node, is_user_function, NULL) ||
		 expression_tree_walker(node, has_user_functions, NULL));
}

/*
 * The value of a column that the call says nothing about: its default.  One
 * that is not volatile is evaluated now.
 *
 * Returns false if it may look at rows: within an INSERT it would see none of
 * those that are inserted.
 */
static bool
init_default(BtmRowInserter *inserter, AttrNumber attnum, RowColumn *column)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(inserter->pivot),
										  attnum - 1);
	ExprContext *econtext = GetPerTupleExprContext(inserter->estate);
	Node	   *expression = build_column_default(inserter->pivot, attnum);

	column->source = VALUE_SAME;
	column->value.isnull = true;
	if (expression == NULL)
		return true;
	expression = (Node *) expression_planner((Expr *) expression);
	if (contain_mutable_functions(expression) &&
		has_user_functions(expression, NULL))
		return false;
	column->expression = ExecInitExpr((Expr *) expression, NULL);
	if (contain_volatile_functions(expression))
	{
		column->source = VALUE_OF_EXPRESSION;
		return true;
	}
	column->value.value = ExecEvalExprSwitchContext(column->expression, econtext,
													&column->value.isnull);
	if (!column->value.isnull)
		column->value.value = datumCopy(column->value.value, att->attbyval,
										att->attlen);
	return true;
}

/*
 * Finds out where the values of a column come from.  Returns false if only a
 * statement can tell.
 */
static bool
init_column(BtmRowInserter *inserter, AttrNumber attnum, RowColumn *column)
{
	const BtmResolved *rel = inserter->call->rel;
	const BtmAttributes *attributes = btm_id_attributes(inserter->ids, 0);
	const BtmShape *shape = &inserter->ids->shapes[attributes ? attributes->shape : 0];

	if ((column->i = find_key_column(rel->fk, rel->nfk, attnum)) >= 0)
	{
		column->source = VALUE_SAME;
		column->value.value = inserter->call->parent[column->i];
	}
	else if ((column->i = find_key_column(rel->id, rel->nid, attnum)) >= 0)
		column->source = VALUE_OF_ID;
	else if ((column->i = find_attribute(shape, attnum)) >= 0)
		column->source = VALUE_OF_ATTRIBUTE;
	else if (attnum == rel->created_at || attnum == rel->updated_at)
	{
		column->source = VALUE_SAME;
		column->value.value = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	}
	else
		return init_default(inserter, attnum, column);
	return true;
}

/*
 * Finds out where the values of all columns come from.  Returns false if only
 * a statement can tell.
 */
static bool
init_columns(BtmRowInserter *inserter)
{
	TupleDesc	desc = RelationGetDescr(inserter->pivot);

	inserter->columns = palloc0(sizeof(RowColumn) * desc->natts);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		RowColumn  *column = &inserter->columns[i];

		column->not_null = att->attnotnull && !att->attisdropped;
		if (att->attisdropped)
			column->value.isnull = true;
		else if (!init_column(inserter, att->attnum, column))
			return false;
	}
	return true;
}

/*
 * The value of a column in the row of id i.
 */
static inline Datum
column_value(BtmRowInserter *inserter, const RowColumn *column, int64 i,
			 bool *isnull)
{
	const BtmAttributes *attributes;

	switch (column->source)
	{
		case VALUE_OF_ID:
			*isnull = false;
			return BTM_KEY(&inserter->ids->keys, i)[column->i];
		case VALUE_OF_ATTRIBUTE:
			attributes = btm_id_attributes(inserter->ids, i);
			*isnull = attributes->nulls[column->i];
			return attributes->values[column->i];
		case VALUE_OF_EXPRESSION:
			return ExecEvalExprSwitchContext(column->expression,
											 GetPerTupleExprContext(inserter->estate),
											 isnull);
		case VALUE_SAME:
			break;
	}
	*isnull = column->value.isnull;
	return column->value.value;
}

/*
 * Is there a NULL among the values that must not be?
 */
static bool
has_forbidden_null(BtmRowInserter *inserter)
{
	int			natts = RelationGetDescr(inserter->pivot)->natts;

	for (int i = 0; i < natts; i++)
	{
		const RowColumn *column = &inserter->columns[i];

		if (!column->not_null)
			continue;
		if (column->source == VALUE_SAME && column->value.isnull)
			return true;
		for (int64 row = 0; column->source == VALUE_OF_ATTRIBUTE &&
			 row < inserter->ids->keys.n; row++)
			if (btm_id_attributes(inserter->ids, row)->nulls[column->i])
				return true;
	}
	return false;
}

/* ---------
 * Inserting
 * ---------
 */

/*
 * Makes the row of id i.
 */
static void
fill_slot(BtmRowInserter *inserter, TupleTableSlot *slot, int64 i)
{
	ExecClearTuple(slot);
	for (int j = 0; j < slot->tts_tupleDescriptor->natts; j++)
		slot->tts_values[j] = column_value(inserter, &inserter->columns[j], i,
										   &slot->tts_isnull[j]);
	ExecStoreVirtualTuple(slot);
	ExecMaterializeSlot(slot);
	ResetPerTupleExprContext(inserter->estate);
}

/*
 * Inserts the rows of n ids, from the one with this number on.
 */
static void
insert_batch(BtmRowInserter *inserter, int64 first, int n)
{
	MemoryContext oldcxt = MemoryContextSwitchTo(inserter->batch_cxt);

	for (int i = 0; i < n; i++)
		fill_slot(inserter, inserter->slots[i], first + i);
	table_multi_insert(inserter->pivot, inserter->slots, n,
					   GetCurrentCommandId(true), 0, NULL);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (inserter->target->ri_NumIndices > 0)
			(void) ExecInsertIndexTuples(inserter->target, inserter->slots[i],
										 inserter->estate, false, false, NULL,
										 NIL, false);
		ResetPerTupleExprContext(inserter->estate);
	}
	MemoryContextReset(inserter->batch_cxt);
	MemoryContextSwitchTo(oldcxt);
}

/*
 * Makes the slots of a batch.
 */
static void
make_slots(BtmRowInserter *inserter)
{
	inserter->nslots = Min(inserter->ids->keys.n, BATCH_ROWS);
	inserter->slots = palloc(sizeof(TupleTableSlot *) * inserter->nslots);
	for (int i = 0; i < inserter->nslots; i++)
		inserter->slots[i] = table_slot_create(inserter->pivot, NULL);
	inserter->batch_cxt = AllocSetContextCreate(CurrentMemoryContext,
												"belongs_to_many rows",
												ALLOCSET_DEFAULT_SIZES);
}

/* -----------------
 * The three entries
 * -----------------
 */

/*
 * Makes an inserter of a pivot that is open, with its indexes.
 */
static BtmRowInserter *
make_inserter(BtmCall *call, const BtmIds *ids, Relation pivot)
{
	EState	   *estate = CreateExecutorState();
	MemoryContext oldcxt = MemoryContextSwitchTo(estate->es_query_cxt);
	BtmRowInserter *inserter = palloc0(sizeof(BtmRowInserter));

	inserter->call = call;
	inserter->ids = ids;
	inserter->pivot = pivot;
	inserter->estate = estate;
	inserter->target = makeNode(ResultRelInfo);
	InitResultRelInfo(inserter->target, pivot, 1, NULL, 0);
	ExecOpenIndices(inserter->target, false);
	MemoryContextSwitchTo(oldcxt);
	return inserter;
}

/*
 * Finds out where the values of the rows come from.  Returns false if the rows
 * cannot be inserted without a statement.
 */
static bool
prepare_rows(BtmRowInserter *inserter)
{
	MemoryContext oldcxt = MemoryContextSwitchTo(inserter->estate->es_query_cxt);
	bool		result;

	PushActiveSnapshot(GetTransactionSnapshot());
	result = init_columns(inserter) && !has_forbidden_null(inserter);
	PopActiveSnapshot();
	if (result)
		make_slots(inserter);
	MemoryContextSwitchTo(oldcxt);
	return result;
}

/*
 * See insert_rows.h.
 */
BtmRowInserter *
btm_row_inserter_open(BtmCall *call, const BtmIds *ids)
{
	BtmRowInserter *inserter;
	Relation	pivot;

	if (!rows_are_plain(call->rel, ids))
		return NULL;
	pivot = table_open(call->rel->pivot, NoLock);
	if (pivot->rd_tableam != GetHeapamTableAmRoutine())
	{
		table_close(pivot, NoLock);
		return NULL;
	}
	inserter = make_inserter(call, ids, pivot);
	if (prepare_rows(inserter))
		return inserter;
	btm_row_inserter_close(inserter);
	return NULL;
}

/*
 * See insert_rows.h.
 */
void
btm_row_inserter_run(BtmRowInserter *inserter, int64 first)
{
	int64		n = inserter->ids->keys.n;

	PushActiveSnapshot(GetTransactionSnapshot());
	for (int64 i = first; i < n; i += inserter->nslots)
		insert_batch(inserter, i, Min(n - i, inserter->nslots));
	PopActiveSnapshot();
}

/*
 * See insert_rows.h.
 */
void
btm_row_inserter_close(BtmRowInserter *inserter)
{
	for (int i = 0; i < inserter->nslots; i++)
		ExecDropSingleTupleTableSlot(inserter->slots[i]);
	ExecCloseIndices(inserter->target);
	table_close(inserter->pivot, NoLock);
	FreeExecutorState(inserter->estate);
}
