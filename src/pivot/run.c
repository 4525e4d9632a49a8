/*-------------------------------------------------------------------------
 *
 * run.c
 *	  Runs the statements of operations, and receives their rows.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/xact.h"
#include "executor/executor.h"
#include "pivot/plan_parts.h"
#include "utils/datum.h"
#include "utils/plancache.h"
#include "utils/snapmgr.h"

/* -------
 * Running
 * -------
 */

/*
 * Runs a statement as SPI does whatever it has become.
 */
static uint64
run_by_spi(SPIPlanPtr plan, ParamListInfo params, bool read_only,
		   DestReceiver *dest)
{
	SPIExecuteOptions options = {0};
	int			rc;

	options.params = params;
	options.read_only = read_only;
	options.dest = dest;
	rc = SPI_execute_plan_extended(plan, &options);
	if (rc < 0)
		elog(ERROR, "SPI_execute_plan_extended failed: %s",
			 SPI_result_code_string(rc));
	return SPI_processed;
}

/*
 * Error context callback: the statement, as SPI tells it.
 */
static void
statement_context(void *arg)
{
	const char *sql = arg;
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(sql);
	}
	else
		errcontext("SQL statement \"%s\"", sql);
}

/*
 * Runs a planned statement under the active snapshot.
 */
static uint64
execute(PlannedStmt *planned, const char *sql, ParamListInfo params,
		QueryEnvironment *env, DestReceiver *dest)
{
	QueryDesc  *desc = CreateQueryDesc(planned, sql, GetActiveSnapshot(),
									   InvalidSnapshot,
									   dest ? dest : None_Receiver,
									   params, env, 0);
	uint64		result;

	ExecutorStart(desc, 0);
	ExecutorRun(desc, ForwardScanDirection, 0);
	result = desc->estate->es_processed;
	ExecutorFinish(desc);
	ExecutorEnd(desc);
	FreeQueryDesc(desc);
	return result;
}

/*
 * Is the plan one statement for the executor?  Rules may have made several of
 * it, none, or another one.
 */
static bool
is_one_statement(const CachedPlan *plan)
{
	const PlannedStmt *first;

	if (list_length(plan->stmt_list) != 1)
		return false;
	first = linitial_node(PlannedStmt, plan->stmt_list);
	return first->utilityStmt == NULL && first->canSetTag;
}

/*
 * Runs a kept plan.
 *
 * SPI would look for the plan again, and whether it is still valid; that it
 * was made with the settings above is known only of this one.  So the
 * executor is called here, in the way in which SPI does.
 */
static uint64
run_kept(BtmCall *call, const BtmStatement *stmt, SPIPlanPtr plan,
		 QueryEnvironment *env, ParamListInfo params, bool read_only,
		 DestReceiver *dest)
{
	CachedPlan *generic = btm_plan_get_generic(call, stmt, plan);
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan));
	ErrorContextCallback callback = {error_context_stack, statement_context,
	unconstify(char *, source->query_string)};
	uint64		result;

	if (!is_one_statement(generic))
	{
		ReleaseCachedPlan(generic, CurrentResourceOwner);
		return run_by_spi(plan, params, read_only, dest);
	}

	error_context_stack = &callback;
	if (!read_only)
	{
		CommandCounterIncrement();
		PushActiveSnapshot(GetTransactionSnapshot());
	}
	result = execute(linitial_node(PlannedStmt, generic->stmt_list),
					 source->query_string, params, env, dest);
	if (!read_only)
	{
		CommandCounterIncrement();
		PopActiveSnapshot();
	}
	error_context_stack = callback.previous;
	ReleaseCachedPlan(generic, CurrentResourceOwner);
	return result;
}

/*
 * Runs a statement, of which the input is registered.
 */
static uint64
run_planned(BtmCall *call, const BtmStatement *stmt, QueryEnvironment *env,
			bool read_only, DestReceiver *dest)
{
	ParamListInfo params = btm_make_parameters(call, stmt);
	BtmPlanUse *use;
	SPIPlanPtr	plan;
	uint64		result;

	if (!btm_statement_is_generic(stmt))
		return run_by_spi(btm_plan_for_input(call, stmt), params, read_only,
						  dest);
	use = btm_plan_begin_use(call, stmt);
	plan = btm_plan_of_use(use);
	if (stmt->custom)
		result = run_by_spi(plan, params, read_only, dest);
	else
		result = run_kept(call, stmt, plan, env, params, read_only, dest);
	btm_plan_end_use(use);
	return result;
}

/*
 * Runs a statement: see plan.h.
 */
uint64
btm_statement_run(BtmCall *call, const BtmStatement *stmt, bool read_only,
				  DestReceiver *dest)
{
	MemoryContext cxt = CurrentMemoryContext;
	QueryEnvironment *env = btm_register_input(stmt);
	uint64		result = run_planned(call, stmt, env, read_only, dest);

	btm_unregister_input(stmt);
	MemoryContextSwitchTo(cxt);
	return result;
}

/* ---------
 * Receiving
 * ---------
 */

static void
receiver_noop_startup(DestReceiver *self, int operation, TupleDesc typeinfo)
{
}

static void
receiver_noop(DestReceiver *self)
{
}

/*
 * See plan.h.
 */
void
btm_receiver_init(DestReceiver *receiver,
				  void (*startup) (DestReceiver *, int, TupleDesc),
				  bool (*receive) (TupleTableSlot *, DestReceiver *))
{
	receiver->receiveSlot = receive;
	receiver->rStartup = startup ? startup : receiver_noop_startup;
	receiver->rShutdown = receiver_noop;
	receiver->rDestroy = receiver_noop;
	receiver->mydest = DestNone;
}

typedef struct KeysReceiver
{
	DestReceiver pub;
	BtmKeys    *keys;
	const BtmKeyColumn *columns;
	MemoryContext cxt;			/* for by-reference datums */
	int64		max;			/* keys of the list after which to stop, 0: no
								 * end */
} KeysReceiver;

/*
 * Is one of the first n columns of a row NULL?
 */
static bool
has_null(TupleTableSlot *slot, int n)
{
	slot_getsomeattrs(slot, n);
	for (int i = 0; i < n; i++)
		if (slot->tts_isnull[i])
			return true;
	return false;
}

/*
 * Adds the leading columns of a row to the list.  A key that is NULL is none,
 * and statements leave it out; but behind a foreign table a column that is said
 * to be NOT NULL can have one all the same.
 */
static bool
keys_receive(TupleTableSlot *slot, DestReceiver *self)
{
	KeysReceiver *receiver = (KeysReceiver *) self;
	MemoryContext oldcxt;
	Datum	   *key;

	if (has_null(slot, receiver->keys->nid))
		return true;
	oldcxt = MemoryContextSwitchTo(receiver->cxt);
	key = btm_keys_add(receiver->keys);
	for (int i = 0; i < receiver->keys->nid; i++)
	{
		const BtmType *type = &receiver->columns[i].type;

		key[i] = datumCopy(slot->tts_values[i], type->typbyval, type->typlen);
	}
	MemoryContextSwitchTo(oldcxt);
	return receiver->keys->n != receiver->max;
}

/*
 * See plan.h.  Keys are copied into the memory context that is current now.
 */
DestReceiver *
btm_keys_receiver(BtmKeys *keys, const BtmKeyColumn *columns)
{
	KeysReceiver *receiver = palloc0(sizeof(KeysReceiver));

	btm_receiver_init(&receiver->pub, NULL, keys_receive);
	receiver->keys = keys;
	receiver->columns = columns;
	receiver->cxt = CurrentMemoryContext;
	return &receiver->pub;
}

/*
 * See plan.h.
 */
void
btm_keys_receiver_limit(DestReceiver *receiver, int64 max)
{
	((KeysReceiver *) receiver)->max = max;
}
