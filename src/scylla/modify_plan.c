/*-------------------------------------------------------------------------
 *
 * modify_plan.c
 *	  Plans of INSERT, UPDATE and DELETE on foreign tables, and their EXPLAIN.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "executor/executor.h"
#include "foreign/foreign.h"
#include "nodes/makefuncs.h"
#include "optimizer/appendinfo.h"
#include "optimizer/inherit.h"
#include "optimizer/pathnode.h"
#include "parser/parsetree.h"
#include "scylla/fdw.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/*
 * The name of the plan's column that carries a key column of the row to be
 * changed.  Tables of one inheritance tree share columns of the same name, which
 * must be alike then, so it says all that they are.
 */
char *
btm_scylla_junk_name(const BtmScyllaColumn *column)
{
	return psprintf("scylla key %d %u %d %u", column->attnum, column->type,
					column->typmod, column->collation);
}

/*
 * AddForeignUpdateTargets: the primary key; and the row itself, where a DELETE
 * returns it.  (Core adds that to an UPDATE.)
 */
void
btm_scylla_update_targets(PlannerInfo *root, Index rtindex, RangeTblEntry *rte,
						  Relation relation)
{
	BtmScyllaTable *table = btm_scylla_table(relation);

	btm_scylla_check_declared_key(table);
	for (int i = 0; i < table->ncolumns; i++)
	{
		const BtmScyllaColumn *column = &table->columns[i];

		if (btm_scylla_is_key(column))
			add_row_identity_var(root, makeVar(rtindex, column->attnum, column->type,
											   column->typmod, column->collation, 0),
								 rtindex, btm_scylla_junk_name(column));
	}
	if (root->parse->returningList != NIL && root->parse->commandType == CMD_DELETE)
		add_row_identity_var(root, makeVar(rtindex, InvalidAttrNumber, RECORDOID, -1,
										   InvalidOid, 0),
							 rtindex, "wholerow");
}

pg_noreturn void
btm_scylla_refuse_key_update(Relation relation, AttrNumber attnum)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot update column \"%s\" of foreign table \"%s\"",
					get_attname(RelationGetRelid(relation), attnum, false),
					RelationGetRelationName(relation)),
			 errdetail("It is part of the primary key."),
			 errhint("Delete the row and insert a new one.")));
}

pg_noreturn void
btm_scylla_refuse_on_conflict(const char *table)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("ON CONFLICT is not supported for foreign table \"%s\"", table),
			 errdetail("INSERT writes over a row that has the same key.")));
}

static void
check_key_update(Relation relation, const BtmScyllaTable *table, const Bitmapset *updated)
{
	for (int i = 0; i < table->ncolumns; i++)
		if (btm_scylla_is_key(&table->columns[i]) &&
			bms_is_member(table->columns[i].attnum - FirstLowInvalidHeapAttributeNumber,
						  updated))
			btm_scylla_refuse_key_update(relation, table->columns[i].attnum);
}

/*
 * PlanForeignModify: refuses what is not supported.  What is written, execution
 * finds out for itself.
 */
List *
btm_scylla_plan_modify(PlannerInfo *root, ModifyTable *plan, Index rtindex, int subplan)
{
	RangeTblEntry *rte = planner_rt_fetch(rtindex, root);

	if (plan->onConflictAction != ONCONFLICT_NONE)
		btm_scylla_refuse_on_conflict(get_rel_name(rte->relid));
	if (plan->operation == CMD_UPDATE)
	{
		Relation	relation = table_open(rte->relid, NoLock);

		check_key_update(relation, btm_scylla_table(relation),
						 get_rel_all_updated_cols(root, find_base_rel(root, rtindex)));
		table_close(relation, NoLock);
	}
	return NIL;
}

/* The value of a Boolean option of a table, or of its server; true without one. */
static bool
allows(Oid relid, const char *option)
{
	ForeignTable *table = GetForeignTable(relid);
	bool		result = true;
	ListCell   *lc;

	foreach(lc, list_concat(list_copy(GetForeignServer(table->serverid)->options),
							table->options))
	{
		DefElem    *def = lfirst(lc);

		if (strcmp(def->defname, option) == 0)
			result = defGetBoolean(def);
	}
	return result;
}

/*
 * IsForeignRelUpdatable.  It is asked of every table there is, and must not mind
 * definitions that are not complete.
 */
int
btm_scylla_updatable(Relation relation)
{
	if (!allows(RelationGetRelid(relation), "updatable"))
		return 0;
	return (1 << CMD_INSERT) | (1 << CMD_UPDATE) | (1 << CMD_DELETE);
}

/* -------
 * EXPLAIN
 * -------
 */

/* The columns that the statement gives for certain, without the key. */
static Bitmapset *
columns_given(const BtmScyllaTable *table, TupleDesc desc, CmdType operation,
			  const Bitmapset *named)
{
	Bitmapset  *given = NULL;

	for (int i = 0; i < table->ncolumns; i++)
	{
		AttrNumber	attnum = table->columns[i].attnum;

		if (btm_scylla_is_key(&table->columns[i]))
			continue;
		if (bms_is_member(attnum - FirstLowInvalidHeapAttributeNumber, named) ||
			(operation == CMD_INSERT && TupleDescAttr(desc, attnum - 1)->atthasdef))
			given = bms_add_member(given, i);
	}
	return given;
}

static BtmScyllaMutationKind
kind_of(const BtmScyllaTable *table, CmdType operation)
{
	if (operation == CMD_DELETE)
		return BTM_SCYLLA_DELETE;
	return operation == CMD_UPDATE || table->is_counter ?
		BTM_SCYLLA_UPDATE : BTM_SCYLLA_INSERT;
}

/* When what is written is sent. */
void
btm_scylla_explain_write_mode(const BtmScyllaTable *table, ExplainState *es)
{
	ExplainPropertyText("Write Mode", table->write_mode == BTM_SCYLLA_IMMEDIATE ?
						"immediate" : "commit", es);
}

void
btm_scylla_explain_modify(ModifyTableState *mtstate, ResultRelInfo *target,
						  List *fdw_private, int subplan_index, ExplainState *es)
{
	EState	   *estate = mtstate->ps.state;
	CmdType		operation = mtstate->operation;
	BtmScyllaTable *table;
	const Bitmapset *named = NULL;
	Bitmapset  *given;
	List	   *markers;

	if (!es->verbose)
		return;
	table = btm_scylla_table(target->ri_RelationDesc);
	if (operation != CMD_DELETE)
		named = operation == CMD_UPDATE ? ExecGetAllUpdatedCols(target, estate) :
			ExecGetInsertedCols(target, estate);
	given = columns_given(table, RelationGetDescr(target->ri_RelationDesc), operation, named);
	ExplainPropertyText("CQL", btm_scylla_write_text(table, kind_of(table, operation), given,
													 &markers), es);
	ExplainPropertyText("Consistency", cql_consistency_name(table->consistency), es);
	btm_scylla_explain_write_mode(table, es);
}
