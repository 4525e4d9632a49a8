/*-------------------------------------------------------------------------
 *
 * modify.c
 *	  INSERT, UPDATE, DELETE and COPY on foreign tables: rows become mutations.
 *
 * A column is given if the statement names it, or if it has a value from
 * elsewhere: a default, a generated column, a trigger.  What is not given is left
 * alone on the server.  A null that is given deletes the cell.
 *
 * Rows are found by the whole primary key, which comes up from the scan in
 * columns of its own.  The types that values are written as are those that the
 * server names for the statement's markers.
 *
 * There is no ExecForeignBatchInsert: the sender makes batches of what comes, also of
 * UPDATEs and DELETEs, and has no use for rows that core has copied to hand them
 * over together.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "common/int.h"
#include "executor/executor.h"
#include "scylla/codec.h"
#include "scylla/convert.h"
#include "scylla/fdw.h"
#include "scylla/memory.h"
#include "scylla/sender.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* A column of the table, as it is written. */
typedef struct WrittenColumn
{
	bool		is_key;
	bool		named;			/* by the statement */
	bool		ready;			/* the converter is */
	BtmScyllaConverter converter;
	AttrNumber	junk;			/* of a key: its place in the plan's output */
	size_t		offset;			/* of its bytes, in the row's writer */
} WrittenColumn;

typedef struct CqlModify
{
	BtmScyllaTable *table;
	Relation	relation;
	CmdType		operation;
	Oid			userid;
	BtmScyllaTarget *target;	/* NULL: no row has come yet */
	bool		has_triggers;	/* that may change an UPDATE's row */
	AttrNumber	wholerow;		/* the old row in the plan's output, or 0 */
	WrittenColumn *columns;		/* by table->columns */
	CqlBytes   *values;			/* the row's, in the same order */
	CqlWriter  *writer;			/* their bytes */
	MemoryContext context;		/* of what stays */
	MemoryContext row_context;
} CqlModify;

/* -------
 * Beginning
 * -------
 */

static void
init_columns(CqlModify *state, const Bitmapset *named)
{
	const BtmScyllaTable *table = state->table;

	state->columns = palloc0(sizeof(WrittenColumn) * (table->ncolumns + 1));
	state->values = palloc0(sizeof(CqlBytes) * (table->ncolumns + 1));
	for (int i = 0; i < table->ncolumns; i++)
	{
		int			offset = table->columns[i].attnum - FirstLowInvalidHeapAttributeNumber;

		state->columns[i].is_key = btm_scylla_is_key(&table->columns[i]);
		state->columns[i].named = bms_is_member(offset, named);
	}
}

static CqlModify *
create_state(ResultRelInfo *target, EState *estate, CmdType operation)
{
	CqlModify  *state = palloc0(sizeof(CqlModify));

	state->relation = target->ri_RelationDesc;
	state->table = btm_scylla_table(state->relation);
	state->operation = operation;
	state->userid = ExecGetResultRelCheckAsUser(target, estate);
	state->has_triggers = target->ri_TrigDesc != NULL &&
		target->ri_TrigDesc->trig_update_before_row;
	state->writer = btm_scylla_writer();
	state->context = CurrentMemoryContext;
	state->row_context = AllocSetContextCreate(CurrentMemoryContext, "CQL row",
											   ALLOCSET_DEFAULT_SIZES);
	return state;
}

/* The columns that carry the old row's key, and the row itself where it is there. */
static void
find_junk(CqlModify *state, Plan *subplan)
{
	for (int i = 0; i < state->table->ncolumns; i++)
	{
		WrittenColumn *column = &state->columns[i];

		if (!column->is_key)
			continue;
		column->junk = ExecFindJunkAttributeInTlist(subplan->targetlist,
													btm_scylla_junk_name(&state->table->columns[i]));
		if (!AttributeNumberIsValid(column->junk))
			elog(ERROR, "could not find the key of the row to be changed");
	}
	state->wholerow = ExecFindJunkAttributeInTlist(subplan->targetlist, "wholerow");
}

void
btm_scylla_begin_modify(ModifyTableState *mtstate, ResultRelInfo *target, List *fdw_private,
						int subplan_index, int eflags)
{
	EState	   *estate = mtstate->ps.state;
	CqlModify  *state;

	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;
	state = create_state(target, estate, mtstate->operation);
	init_columns(state, mtstate->operation == CMD_UPDATE ?
				 ExecGetAllUpdatedCols(target, estate) :
				 ExecGetInsertedCols(target, estate));
	if (mtstate->operation != CMD_INSERT)
		find_junk(state, outerPlanState(mtstate)->plan);
	target->ri_FdwState = state;
}

/*
 * COPY, and rows that a partitioned table routes here.
 */
void
btm_scylla_begin_insert(ModifyTableState *mtstate, ResultRelInfo *target)
{
	ModifyTable *plan = castNode(ModifyTable, mtstate->ps.plan);
	EState	   *estate = mtstate->ps.state;
	CqlModify  *state;

	if (plan != NULL && plan->operation == CMD_UPDATE &&
		(target->ri_usesFdwDirectModify || target->ri_FdwState != NULL))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot move rows into foreign table \"%s\", which the statement updates itself",
						RelationGetRelationName(target->ri_RelationDesc))));
	if (plan != NULL && plan->onConflictAction != ONCONFLICT_NONE)
		btm_scylla_refuse_on_conflict(RelationGetRelationName(target->ri_RelationDesc));
	state = create_state(target, estate, CMD_INSERT);
	init_columns(state, ExecGetInsertedCols(target, estate));
	/* a row that moves here is new, with all that it has */
	for (int i = 0; i < state->table->ncolumns && mtstate->operation != CMD_INSERT; i++)
		state->columns[i].named = true;
	target->ri_FdwState = state;
}

/* -------
 * Values
 * -------
 */

/* The indexes of the columns that are not keys and that a row gives. */
static Bitmapset *
given_columns(const CqlModify *state)
{
	Bitmapset  *given = NULL;

	for (int i = 0; i < state->table->ncolumns; i++)
		if (!state->columns[i].is_key && state->values[i].length != CQL_LENGTH_UNSET)
			given = bms_add_member(given, i);
	return given;
}

static void
set_converter(CqlModify *state, int column, const CqlType *type)
{
	const BtmScyllaColumn *definition = &state->table->columns[column];

	btm_scylla_converter_init(&state->columns[column].converter, type, definition->type,
							  definition->typmod);
	state->columns[column].ready = true;
}

/*
 * Has the server name the types of a statement with these columns.  A key column
 * that is not in it, beside static columns, is of the type of its definition.
 */
static void
learn_types(CqlModify *state, BtmScyllaMutationKind kind)
{
	MemoryContext old = MemoryContextSwitchTo(state->context);
	List	   *markers;
	const BtmScyllaStatement *statement;
	const BtmScyllaTable *table = state->table;

	if (state->target == NULL)
		state->target = btm_scylla_write_begin(table, state->userid);
	statement = btm_scylla_write_statement(state->target->cluster, table, kind,
										   given_columns(state), &markers);
	for (int i = 0; i < list_length(markers); i++)
		if (list_nth_int(markers, i) >= 0)
			set_converter(state, list_nth_int(markers, i),
						  statement->markers->columns[i].type);
	for (int i = 0; i < table->ncolumns; i++)
		if (state->columns[i].is_key && !state->columns[i].ready)
			set_converter(state, i, table->columns[i].cql);
	MemoryContextSwitchTo(old);
}

/* Notes whether a column is given, and if so, whether as null. */
static void
mark(CqlModify *state, int column, bool given, bool isnull)
{
	state->values[column].data = NULL;
	state->values[column].length = !given ? CQL_LENGTH_UNSET : isnull ? CQL_LENGTH_NULL : 0;
}

/* Are the converters of all columns ready that are given? */
static bool
is_ready(const CqlModify *state)
{
	if (state->target == NULL)
		return false;
	for (int i = 0; i < state->table->ncolumns; i++)
		if (!state->columns[i].ready &&
			(state->columns[i].is_key || state->values[i].length != CQL_LENGTH_UNSET))
			return false;
	return true;
}

static void
refuse_null_key(const CqlModify *state, int column)
{
	const char *name = get_attname(state->table->relid, state->table->columns[column].attnum, false);

	if (state->operation == CMD_INSERT)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("null value in column \"%s\" of foreign table \"%s\", which is part of its primary key",
						name, RelationGetRelationName(state->relation))));
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot change a row of foreign table \"%s\" whose key is not complete",
					RelationGetRelationName(state->relation)),
			 errdetail("Column \"%s\" is null: the partition has static columns only.", name)));
}

/*
 * Appends the bytes of a column's value, and notes where they are: the writer's
 * memory may move yet.
 */
static void
write_value(CqlModify *state, int column, Datum value)
{
	BtmScyllaColumnContext place = {state->table, &state->table->columns[column]};
	ErrorContextCallback context = {
		.previous = error_context_stack,
		.callback = btm_scylla_column_context,
		.arg = &place
	};

	error_context_stack = &context;
	state->columns[column].offset = state->writer->length;
	btm_scylla_from_datum(&state->columns[column].converter, value, state->writer);
	state->values[column].length = (int32_t) (state->writer->length -
											  state->columns[column].offset);
	error_context_stack = context.previous;
}

/* Has the values point to their bytes. */
static void
place_values(CqlModify *state)
{
	for (int i = 0; i < state->table->ncolumns; i++)
		if (state->values[i].length >= 0)
			state->values[i].data = state->writer->data + state->columns[i].offset;
}

/* The bytes of a value apart from the row's. */
static CqlBytes
encode_apart(CqlModify *state, int column, Datum value)
{
	CqlWriter  *writer = btm_scylla_writer();
	CqlBytes	result;

	btm_scylla_from_datum(&state->columns[column].converter, value, writer);
	result.data = writer->data;
	result.length = (int32_t) writer->length;
	return result;
}

/* -------
 * Counters
 * -------
 */

static int64
counter_of(CqlBytes bytes)
{
	CqlError	error = {0};
	int64		value = 0;

	if (bytes.length > 0)
		btm_scylla_check(cql_decode_integer(CQL_TYPE_COUNTER, bytes, &value, &error), &error);
	return value;
}

/*
 * CQL can only add to a counter, so its value becomes the difference from the
 * old row's.  One that does not change is left alone.
 */
static void
subtract_counter(CqlModify *state, int column, Datum old, bool isnull)
{
	int64		before = isnull ? 0 : counter_of(encode_apart(state, column, old));
	int64		after = counter_of(state->values[column]);
	int64		difference;
	CqlWriter  *writer = btm_scylla_writer();

	if (pg_sub_s64_overflow(after, before, &difference))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("difference of counters out of range")));
	btm_scylla_check(cql_encode_integer(writer, CQL_TYPE_COUNTER, difference), writer->error);
	state->values[column].data = writer->data;
	if (difference == 0)
		state->values[column].length = CQL_LENGTH_UNSET;
}

static void
refuse_null_counter(const CqlModify *state, int column)
{
	if (state->table->is_counter && !state->columns[column].is_key)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("counter \"%s\" of foreign table \"%s\" cannot be null",
						get_attname(state->table->relid, state->table->columns[column].attnum, false),
						RelationGetRelationName(state->relation))));
}

/* -------
 * Rows
 * -------
 */

static bool
is_given(const CqlModify *state, int column, bool isnull)
{
	if (state->columns[column].is_key)
		return true;
	/* a counter that is not there is null, and cannot be made so */
	if (state->table->is_counter && isnull && state->operation == CMD_INSERT)
		return false;
	return state->columns[column].named ||
		(state->operation == CMD_INSERT && !isnull);
}

/*
 * The old row, with memory of the current context; false if the plan does not
 * have it.
 */
static bool
old_row(const CqlModify *state, TupleTableSlot *plan_slot, HeapTupleData *tuple)
{
	bool		isnull;
	Datum		datum;

	if (!AttributeNumberIsValid(state->wholerow))
		return false;
	datum = ExecGetJunkAttribute(plan_slot, state->wholerow, &isnull);
	if (isnull)
		return false;
	tuple->t_data = DatumGetHeapTupleHeader(datum);
	tuple->t_len = HeapTupleHeaderGetDatumLength(tuple->t_data);
	ItemPointerSetInvalid(&tuple->t_self);
	tuple->t_tableOid = RelationGetRelid(state->relation);
	return true;
}

/* The values of an INSERT's row. */
static void
take_new_row(CqlModify *state, BtmScyllaMutationKind kind, TupleTableSlot *slot)
{
	const BtmScyllaTable *table = state->table;

	slot_getallattrs(slot);
	for (int i = 0; i < table->ncolumns; i++)
	{
		bool		isnull = slot->tts_isnull[table->columns[i].attnum - 1];

		if (isnull && state->columns[i].is_key)
			refuse_null_key(state, i);
		mark(state, i, is_given(state, i, isnull), isnull);
	}
	if (table->is_counter && given_columns(state) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("a row of foreign table \"%s\" needs the value of a counter",
						RelationGetRelationName(state->relation))));
	if (!is_ready(state))
		learn_types(state, kind);
	for (int i = 0; i < table->ncolumns; i++)
		if (state->values[i].length >= 0)
			write_value(state, i, slot->tts_values[table->columns[i].attnum - 1]);
	place_values(state);
}

/* Writes the old row's key, which the plan's output has. */
static void
write_old_key(CqlModify *state, TupleTableSlot *plan_slot)
{
	for (int i = 0; i < state->table->ncolumns; i++)
	{
		bool		isnull;
		Datum		value;

		if (!state->columns[i].is_key)
			continue;
		value = ExecGetJunkAttribute(plan_slot, state->columns[i].junk, &isnull);
		if (isnull)
			refuse_null_key(state, i);
		write_value(state, i, value);
	}
}

/* A trigger must not change the key. */
static void
check_same_key(CqlModify *state, TupleTableSlot *slot)
{
	for (int i = 0; i < state->table->ncolumns; i++)
	{
		AttrNumber	attnum = state->table->columns[i].attnum;
		CqlBytes	value;

		if (!state->columns[i].is_key)
			continue;
		if (slot->tts_isnull[attnum - 1])
			btm_scylla_refuse_key_update(state->relation, attnum);
		value = encode_apart(state, i, slot->tts_values[attnum - 1]);
		if (value.length != state->values[i].length ||
			memcmp(value.data, state->values[i].data, value.length) != 0)
			btm_scylla_refuse_key_update(state->relation, attnum);
	}
}

/*
 * Does a trigger's row have another value in a column that the statement does
 * not name?  Without the old row, all of it is taken for new.
 */
static bool
is_changed(const CqlModify *state, TupleTableSlot *slot, HeapTuple old, int column)
{
	AttrNumber	attnum = state->table->columns[column].attnum;
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(state->relation), attnum - 1);
	bool		isnull;
	Datum		value;

	if (old == NULL)
		return true;
	value = heap_getattr(old, attnum, RelationGetDescr(state->relation), &isnull);
	if (isnull || slot->tts_isnull[attnum - 1])
		return isnull != slot->tts_isnull[attnum - 1];
	return !datum_image_eq(value, slot->tts_values[attnum - 1], att->attbyval, att->attlen);
}

/* Marks what an UPDATE changes. */
static void
mark_changes(CqlModify *state, TupleTableSlot *slot, HeapTuple old)
{
	for (int i = 0; i < state->table->ncolumns; i++)
	{
		bool		isnull = slot->tts_isnull[state->table->columns[i].attnum - 1];
		bool		given = is_given(state, i, isnull) ||
			(state->has_triggers && is_changed(state, slot, old, i));

		if (given && isnull)
			refuse_null_counter(state, i);
		mark(state, i, given, isnull && !state->columns[i].is_key);
	}
}

/* The values of an UPDATE: the old row's key, and the new row's columns. */
static void
take_changes(CqlModify *state, TupleTableSlot *slot, TupleTableSlot *plan_slot)
{
	const BtmScyllaTable *table = state->table;
	HeapTupleData old;
	bool		has_old = old_row(state, plan_slot, &old);

	slot_getallattrs(slot);
	mark_changes(state, slot, has_old ? &old : NULL);
	if (!is_ready(state))
		learn_types(state, BTM_SCYLLA_UPDATE);
	write_old_key(state, plan_slot);
	for (int i = 0; i < table->ncolumns; i++)
		if (!state->columns[i].is_key && state->values[i].length >= 0)
			write_value(state, i, slot->tts_values[table->columns[i].attnum - 1]);
	place_values(state);
	if (state->has_triggers)
		check_same_key(state, slot);
	for (int i = 0; i < table->ncolumns && table->is_counter; i++)
		if (!state->columns[i].is_key && state->values[i].length >= 0)
		{
			bool		isnull = true;
			Datum		value = has_old ?
				heap_getattr(&old, table->columns[i].attnum,
							 RelationGetDescr(state->relation), &isnull) : (Datum) 0;

			subtract_counter(state, i, value, isnull);
		}
}

/* The values of a DELETE: the old row's key. */
static void
take_old_key(CqlModify *state, TupleTableSlot *plan_slot)
{
	for (int i = 0; i < state->table->ncolumns; i++)
		mark(state, i, state->columns[i].is_key, false);
	if (!is_ready(state))
		learn_types(state, BTM_SCYLLA_DELETE);
	write_old_key(state, plan_slot);
	place_values(state);
}

/* A row's work begins: memory of the one before is free. */
static MemoryContext
begin_row(CqlModify *state)
{
	MemoryContextReset(state->row_context);
	cql_writer_reset(state->writer);
	return MemoryContextSwitchTo(state->row_context);
}

static void
write_row(CqlModify *state, BtmScyllaMutationKind kind)
{
	BtmScyllaMutation mutation = {kind, state->values};

	btm_scylla_write(state->target, &mutation);
}

/* -------
 * Callbacks
 * -------
 */

TupleTableSlot *
btm_scylla_exec_insert(EState *estate, ResultRelInfo *target, TupleTableSlot *slot,
					   TupleTableSlot *plan_slot)
{
	CqlModify  *state = target->ri_FdwState;
	MemoryContext old = begin_row(state);

	/* a row of counters begins when something is added to one */
	BtmScyllaMutationKind kind = state->table->is_counter ?
		BTM_SCYLLA_UPDATE : BTM_SCYLLA_INSERT;

	take_new_row(state, kind, slot);
	write_row(state, kind);
	MemoryContextSwitchTo(old);
	return slot;
}

TupleTableSlot *
btm_scylla_exec_update(EState *estate, ResultRelInfo *target, TupleTableSlot *slot,
					   TupleTableSlot *plan_slot)
{
	CqlModify  *state = target->ri_FdwState;
	MemoryContext old = begin_row(state);

	take_changes(state, slot, plan_slot);
	write_row(state, BTM_SCYLLA_UPDATE);
	MemoryContextSwitchTo(old);
	return slot;
}

/*
 * The slot gets the row for RETURNING, if the plan has it.
 */
TupleTableSlot *
btm_scylla_exec_delete(EState *estate, ResultRelInfo *target, TupleTableSlot *slot,
					   TupleTableSlot *plan_slot)
{
	CqlModify  *state = target->ri_FdwState;
	MemoryContext old = begin_row(state);
	HeapTupleData tuple;

	take_old_key(state, plan_slot);
	write_row(state, BTM_SCYLLA_DELETE);
	if (old_row(state, plan_slot, &tuple))
	{
		MemoryContextSwitchTo(slot->tts_mcxt);
		ExecForceStoreHeapTuple(heap_copytuple(&tuple), slot, true);
	}
	MemoryContextSwitchTo(old);
	return slot;
}

/*
 * The end of a statement, or of a partition's part in it.
 */
void
btm_scylla_end_modify(EState *estate, ResultRelInfo *target)
{
	CqlModify  *state = target->ri_FdwState;

	if (state == NULL)
		return;
	if (state->target != NULL)
		btm_scylla_write_end(state->target);
	MemoryContextDelete(state->row_context);
	target->ri_FdwState = NULL;
}
