/*-------------------------------------------------------------------------
 *
 * plan.c
 *	  Runs the statements of operations; keeps their plans.
 *
 * A kept plan belongs to the resolved relation that it was made for and goes
 * with it.  Over all relations the number of kept plans is bounded
 * (belongs_to_many.plan_cache_size); the one that was not used for longest
 * makes room.  A plan that is running is never freed: it is counted how many
 * statements in progress use it (triggers may run the same one again), and as
 * long as a call is in progress its relation is pinned.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "jit/jit.h"
#include "miscadmin.h"
#include "nodes/params.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "pivot/pair_index.h"
#include "pivot/plan.h"
#include "utils/array.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/queryenvironment.h"
#include "utils/snapmgr.h"

/* A kept plan, in TopMemoryContext. */
typedef struct BtmPlan
{
	dlist_node	node;			/* in BtmResolved.plans */
	dlist_node	lru;			/* in plan_lru */
	int			users;			/* statements in progress */
	BtmStatementKind kind;
	bool		single;
	bool		array;
	bool		returning;
	bool		custom;
	uint64		variant;
	Bitmapset  *shape;			/* attribute numbers */
	SPIPlanPtr	plan;
} BtmPlan;

/* The use of a kept plan by a statement. */
typedef struct PlanUse
{
	MemoryContextCallback callback; /* of the call's context */
	BtmPlan    *plan;			/* NULL: it has ended */
} PlanUse;

/* Rows that the planner assumes for the input of a kept plan. */
#define BTM_GENERIC_ESTIMATE 16

static dlist_head plan_lru = DLIST_STATIC_INIT(plan_lru);	/* oldest first */
static int	plan_count = 0;

/* ----------
 * Kept plans
 * ----------
 */

/*
 * Frees a kept plan.
 */
static void
free_plan(BtmPlan *plan)
{
	dlist_delete(&plan->node);
	dlist_delete(&plan->lru);
	plan_count--;
	SPI_freeplan(plan->plan);
	bms_free(plan->shape);
	pfree(plan);
}

/*
 * Frees the plans of a relation that goes away.
 */
void
btm_plan_free_all(BtmResolved *rel)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &rel->plans)
		free_plan(dlist_container(BtmPlan, node, iter.cur));
}

/*
 * Makes room for one more plan.  Plans that statements in progress use stay,
 * so the bound can be passed by as many as nested calls use.
 */
static void
make_room(void)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &plan_lru)
	{
		BtmPlan    *plan = dlist_container(BtmPlan, lru, iter.cur);

		if (plan_count < btm_plan_cache_size)
			return;
		if (plan->users == 0)
			free_plan(plan);
	}
}

/*
 * Ends the use of a plan; also a reset callback of the call's memory context,
 * for statements that end with an error.
 */
static void
end_use(void *arg)
{
	PlanUse    *use = arg;

	if (use->plan != NULL)
		use->plan->users--;
	use->plan = NULL;
}

/*
 * Has a plan stay until end_use, or until the call ends.  The call's relation,
 * whose pin was registered first, is released after that.
 */
static PlanUse *
begin_use(BtmCall *call, BtmPlan *plan)
{
	PlanUse    *use = MemoryContextAlloc(call->cxt, sizeof(PlanUse));

	plan->users++;
	use->plan = plan;
	use->callback.func = end_use;
	use->callback.arg = use;
	MemoryContextRegisterResetCallback(call->cxt, &use->callback);
	return use;
}

/*
 * Is the input small enough for a generic plan?
 */
static bool
is_generic(const BtmStatement *stmt)
{
	int64		rows = stmt->input_rows;

	if (stmt->pivot != NULL)
		rows = Max(rows, stmt->pivot->n);
	return stmt->is_foreign ||
		rows <= (stmt->generic_rows ? stmt->generic_rows :
				 BTM_GENERIC_ROWS);
}

/*
 * The attribute numbers of the columns that a statement writes or reads, as far
 * as its text depends on them; NULL for none.
 */
static const Bitmapset *
statement_columns(const BtmStatement *stmt)
{
	const BtmShape *shape = stmt->shape;
	Bitmapset  *result = NULL;

	if (stmt->columns != NULL)
		return stmt->columns;
	for (int i = 0; shape != NULL && i < shape->ncolumns; i++)
		result = bms_add_member(result, shape->columns[i]->attnum);
	return result;
}

/*
 * Is this the plan of the statement?
 */
static bool
plan_matches(const BtmPlan *plan, const BtmStatement *stmt,
			 const Bitmapset *shape)
{
	return plan->kind == stmt->kind &&
		plan->single == (stmt->single != NULL) &&
		plan->array == OidIsValid(stmt->array_type) &&
		plan->returning == stmt->returning &&
		plan->custom == stmt->custom &&
		plan->variant == stmt->variant &&
		bms_equal(plan->shape, shape);
}

/*
 * Finds the kept plan of a statement and makes it the youngest, or NULL.
 */
static BtmPlan *
find_plan(BtmResolved *rel, const BtmStatement *stmt, const Bitmapset *shape)
{
	dlist_iter	iter;

	dlist_foreach(iter, &rel->plans)
	{
		BtmPlan    *plan = dlist_container(BtmPlan, node, iter.cur);

		if (plan_matches(plan, stmt, shape))
		{
			dlist_delete(&plan->lru);
			dlist_push_tail(&plan_lru, &plan->lru);
			return plan;
		}
	}
	return NULL;
}

/*
 * How many columns does an input of ids have that is restricted to a shape,
 * which may be NULL?
 */
static int
id_columns(const BtmResolved *rel, const BtmShape *shape)
{
	return rel->nid + (shape ? shape->ncolumns : 0);
}

/*
 * How many parameters does a statement have?
 */
static int
parameter_count(BtmCall *call, const BtmStatement *stmt)
{
	int			result = stmt->without_parent ? 0 : call->rel->nfk;

	if (stmt->params != NULL)
		return stmt->params->numParams;
	if (stmt->single != NULL)
		result += id_columns(call->rel, stmt->shape);
	if (OidIsValid(stmt->array_type))
		result++;
	return result;
}

/*
 * The type of parameter i, from 0.
 */
static Oid
parameter_type(const BtmResolved *rel, const BtmStatement *stmt, int i)
{
	if (stmt->params != NULL)
		return stmt->params->params[i].ptype;
	if (i < rel->nfk)
		return rel->fk[i].type.type;
	if (OidIsValid(stmt->array_type))
		return stmt->array_type;
	i -= rel->nfk;
	if (i < rel->nid)
		return rel->id[i].type.type;
	return stmt->shape->columns[i - rel->nid]->type.type;
}

/*
 * Prepares a statement.  The plan lives until SPI_finish unless it is kept.
 */
static SPIPlanPtr
prepare(BtmCall *call, const BtmStatement *stmt, int cursor_options)
{
	BtmResolved *rel = call->rel;
	int			n = parameter_count(call, stmt);
	Oid		   *types = palloc(sizeof(Oid) * (n + 1));
	StringInfoData sql;
	SPIPlanPtr	plan;

	for (int i = 0; i < n; i++)
		types[i] = parameter_type(rel, stmt, i);
	initStringInfo(&sql);
	stmt->build(&sql, call, stmt);

	plan = SPI_prepare_cursor(sql.data, n, types, cursor_options);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s for %s",
			 SPI_result_code_string(SPI_result), sql.data);
	return plan;
}

/*
 * Keeps a plan with its relation.
 */
static BtmPlan *
keep_plan(BtmResolved *rel, const BtmStatement *stmt, const Bitmapset *shape,
		  SPIPlanPtr spi_plan)
{
	MemoryContext oldcxt = MemoryContextSwitchTo(TopMemoryContext);
	BtmPlan    *plan = palloc(sizeof(BtmPlan));

	plan->users = 0;
	plan->kind = stmt->kind;
	plan->single = stmt->single != NULL;
	plan->array = OidIsValid(stmt->array_type);
	plan->returning = stmt->returning;
	plan->custom = stmt->custom;
	plan->variant = stmt->variant;
	plan->shape = bms_copy(shape);
	plan->plan = spi_plan;
	if (SPI_keepplan(spi_plan) != 0)
		elog(ERROR, "SPI_keepplan failed");
	dlist_push_tail(&rel->plans, &plan->node);
	dlist_push_tail(&plan_lru, &plan->lru);
	plan_count++;
	MemoryContextSwitchTo(oldcxt);
	return plan;
}

/*
 * The generic plan of a kept plan, made where there is none or an invalid one,
 * with its tables locked.  It is to be released.
 *
 * A plan made while the tables were small would scan them from end to end,
 * and go on doing so when they have grown, until something analyzes them.  So
 * sequential scans are disabled while the planner runs, and JIT with them: the
 * cost that a disabled scan is given where there is no index must not make
 * the executor compile.  The variables are set directly: what the planner may
 * run meanwhile, functions of constants, can do with such plans, too.
 *
 * A statement about given pairs looks them up in pair_index; one on a foreign
 * table has no nested loop.
 */
static CachedPlan *
get_generic_plan(SPIPlanPtr plan, BtmPairIndex pair_index, bool is_foreign)
{
	BtmPairIndex save_pair_index = btm_pair_index;
	bool		save_seqscan = enable_seqscan;
	bool		save_nestloop = enable_nestloop;
	bool		save_jit = jit_enabled;
	CachedPlan *generic;

	PG_TRY();
	{
		enable_seqscan = false;
		enable_nestloop = enable_nestloop && !is_foreign;
		jit_enabled = false;
		btm_pair_index = pair_index;
		generic = SPI_plan_get_cached_plan(plan);
	}
	PG_FINALLY();
	{
		enable_seqscan = save_seqscan;
		enable_nestloop = save_nestloop;
		jit_enabled = save_jit;
		btm_pair_index = save_pair_index;
	}
	PG_END_TRY();

	if (generic == NULL)
		elog(ERROR, "SPI_plan_get_cached_plan failed");
	return generic;
}

/*
 * The index for a statement: that on the pair if pairs are its input, or any.
 */
static BtmPairIndex
wanted_index(const BtmResolved *rel, const BtmStatement *stmt)
{
	const BtmPairIndex any_index = {InvalidOid, InvalidOid};

	if (stmt->without_parent || (stmt->input == NULL && stmt->single == NULL))
		return any_index;
	return btm_pair_index_of(rel);
}

/*
 * The kept plan of a statement, made if there is none yet.
 */
static BtmPlan *
get_kept_plan(BtmCall *call, const BtmStatement *stmt)
{
	BtmResolved *rel = call->rel;
	const Bitmapset *shape = statement_columns(stmt);
	BtmPlan    *plan = find_plan(rel, stmt, shape);

	if (plan != NULL)
		return plan;
	make_room();
	return keep_plan(rel, stmt, shape,
					 prepare(call, stmt, stmt->custom ? CURSOR_OPT_CUSTOM_PLAN :
							 CURSOR_OPT_GENERIC_PLAN));
}

/*
 * Makes the plan of a statement about many parents, or rows of the pivot.
 *
 * With random_page_cost at its default, the planner reads and hashes the whole
 * pivot as soon as there is a parent for every 150 of its rows or so, though
 * looking them up is faster until there is one for every 10 (measured): most of
 * the pages that it counts are the upper ones of an index, and in memory.
 */
static void
plan_for_parents(SPIPlanPtr plan)
{
	double		save_cost = random_page_cost;
	CachedPlan *generic;

	PG_TRY();
	{
		random_page_cost = Min(random_page_cost, 1.1 * seq_page_cost);
		generic = SPI_plan_get_cached_plan(plan);
	}
	PG_FINALLY();
	{
		random_page_cost = save_cost;
	}
	PG_END_TRY();

	if (generic != NULL)
		ReleaseCachedPlan(generic, NULL);
}

/*
 * Prepares a statement that is planned for just its input.
 */
static SPIPlanPtr
prepare_for_input(BtmCall *call, const BtmStatement *stmt)
{
	SPIPlanPtr	plan = prepare(call, stmt, 0);

	if (stmt->has_parents || stmt->pivot != NULL)
		plan_for_parents(plan);
	return plan;
}

/* ---------------------
 * Running of statements
 * ---------------------
 */

/*
 * Makes rows visible under a name: to SPI, and through an environment, which is
 * made if there is none.
 */
static QueryEnvironment *
register_rows(QueryEnvironment *env, const char *name, TupleDesc desc,
			  Tuplestorestate *store, double estimate)
{
	EphemeralNamedRelation enr = palloc0(sizeof(EphemeralNamedRelationData));
	int			rc;

	enr->md.name = unconstify(char *, name);
	enr->md.tupdesc = desc;
	enr->md.enrtype = ENR_NAMED_TUPLESTORE;
	enr->md.enrtuples = estimate;
	enr->reldata = store;
	rc = SPI_register_relation(enr);
	if (rc != SPI_OK_REL_REGISTER)
		elog(ERROR, "SPI_register_relation failed: %s",
			 SPI_result_code_string(rc));

	if (env == NULL)
		env = create_queryEnv();
	register_ENR(env, enr);
	return env;
}

/*
 * Makes the input visible to the statement, under BTM_INPUT_NAME, and rows that
 * stand for tables: to SPI, and to the executor through the environment that is
 * returned.
 */
static QueryEnvironment *
register_input(const BtmStatement *stmt)
{
	bool		generic = is_generic(stmt);
	QueryEnvironment *env = NULL;

	if (stmt->input != NULL)
		env = register_rows(env, BTM_INPUT_NAME, stmt->input_desc, stmt->input,
							generic ? BTM_GENERIC_ESTIMATE : stmt->input_rows);
	if (stmt->pivot != NULL)
		env = register_rows(env, BTM_PIVOT_NAME, stmt->pivot->desc,
							stmt->pivot->store,
							generic ? BTM_GENERIC_ESTIMATE : stmt->pivot->n);
	if (stmt->related != NULL)
		env = register_rows(env, BTM_RELATED_NAME, stmt->related->desc,
							stmt->related->store,
							generic ? BTM_GENERIC_ESTIMATE : stmt->related->n);
	return env;
}

/*
 * Takes all that away again and frees the input.
 */
static void
unregister_input(const BtmStatement *stmt)
{
	if (stmt->input != NULL)
	{
		SPI_unregister_relation(BTM_INPUT_NAME);
		tuplestore_end(stmt->input);
	}
	if (stmt->pivot != NULL)
		SPI_unregister_relation(BTM_PIVOT_NAME);
	if (stmt->related != NULL)
		SPI_unregister_relation(BTM_RELATED_NAME);
}

/*
 * Forgets the input of a statement that was ended by an error; what it held
 * has gone with the subtransaction.
 */
void
btm_statement_forget_input(void)
{
	(void) SPI_unregister_relation(BTM_INPUT_NAME);
}

static void
set_parameter(ParamListInfo params, int i, Datum value, bool isnull, Oid type)
{
	params->params[i].value = value;
	params->params[i].isnull = isnull;
	params->params[i].pflags = PARAM_FLAG_CONST;
	params->params[i].ptype = type;
}

/*
 * A statement's own parameters; or the parent's key and a single id, or the
 * array of ids; or NULL for a statement without.
 */
static ParamListInfo
make_parameters(BtmCall *call, const BtmStatement *stmt)
{
	BtmResolved *rel = call->rel;
	int			n = parameter_count(call, stmt);
	ParamListInfo params;

	if (n == 0 || stmt->params != NULL)
		return stmt->params;
	params = makeParamList(n);
	for (int i = 0; i < rel->nfk; i++)
		set_parameter(params, i, call->parent[i], false,
					  parameter_type(rel, stmt, i));
	if (OidIsValid(stmt->array_type))
		set_parameter(params, rel->nfk, stmt->array, false, stmt->array_type);
	else
		for (int i = rel->nfk; i < n; i++)
			set_parameter(params, i, stmt->single[i - rel->nfk],
						  stmt->single_nulls[i - rel->nfk],
						  parameter_type(rel, stmt, i));
	return params;
}

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
	CachedPlan *generic = get_generic_plan(plan,
										   wanted_index(call->rel, stmt),
										   stmt->is_foreign);
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
	ParamListInfo params = make_parameters(call, stmt);
	BtmPlan    *plan;
	PlanUse    *use;
	uint64		result;

	if (!is_generic(stmt))
		return run_by_spi(prepare_for_input(call, stmt), params, read_only,
						  dest);
	plan = get_kept_plan(call, stmt);
	use = begin_use(call, plan);
	if (stmt->custom)
		result = run_by_spi(plan->plan, params, read_only, dest);
	else
		result = run_kept(call, stmt, plan->plan, env, params, read_only, dest);
	end_use(use);
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
	QueryEnvironment *env = register_input(stmt);
	uint64		result = run_planned(call, stmt, env, read_only, dest);

	unregister_input(stmt);
	MemoryContextSwitchTo(cxt);
	return result;
}

/* ---------------
 * Input relations
 * ---------------
 */

/*
 * Starts an input of one row, of which the columns are parameters.
 */
static void
begin_single(BtmStatement *stmt, int ncolumns)
{
	stmt->single = palloc(sizeof(Datum) * ncolumns);
	stmt->single_nulls = palloc0(sizeof(bool) * ncolumns);
}

/*
 * Starts an input relation with these columns.
 */
static void
begin_store(BtmStatement *stmt, TupleDesc desc)
{
	stmt->input_desc = desc;
	stmt->input = tuplestore_begin_heap(false, false, work_mem);
	stmt->input_rows = 0;
}

/*
 * Starts the input relation of a statement; its columns are to be described
 * by the caller.
 */
void
btm_statement_begin_input(BtmStatement *stmt, int ncolumns)
{
	begin_store(stmt, CreateTemplateTupleDesc(ncolumns));
}

/*
 * Puts a row into the input.
 */
static void
put_row(BtmStatement *stmt, int ncolumns, Datum *values, bool *nulls)
{
	stmt->input_rows++;
	if (stmt->single == NULL)
	{
		tuplestore_putvalues(stmt->input, stmt->input_desc, values, nulls);
		return;
	}
	memcpy(stmt->single, values, sizeof(Datum) * ncolumns);
	memcpy(stmt->single_nulls, nulls, sizeof(bool) * ncolumns);
}

/*
 * See plan.h.
 */
void
btm_statement_append_input(StringInfo sql, BtmCall *call,
						   const BtmStatement *stmt)
{
	const BtmResolved *rel = call->rel;

	if (stmt->single == NULL)
	{
		appendStringInfoString(sql, BTM_INPUT_NAME " u");
		return;
	}
	for (int i = 0; i < id_columns(rel, stmt->shape); i++)
		appendStringInfo(sql, "%s$%d AS %c%d", i > 0 ? ", " : "(SELECT ",
						 rel->nfk + i + 1, i < rel->nid ? 'k' : 'a',
						 i < rel->nid ? i + 1 : i - rel->nid + 1);
	appendStringInfoString(sql, ") u");
}

/*
 * See plan.h.
 */
void
btm_statement_drop_input(const BtmStatement *stmt)
{
	if (stmt->input != NULL)
		tuplestore_end(stmt->input);
}

/*
 * Describes column i (from 1) of an input relation: its name is prefix and
 * number, its type that of a column of the pivot.
 */
static void
describe_column(TupleDesc desc, int i, char prefix, int number,
				const BtmType *type)
{
	char		name[NAMEDATALEN];

	snprintf(name, sizeof(name), "%c%d", prefix, number);
	TupleDescInitEntry(desc, i, name, type->type, -1, 0);
	TupleDescInitEntryCollation(desc, i, type->collation);
}

/*
 * See plan.h.
 */
void
btm_statement_input_column(BtmStatement *stmt, int i, char prefix, int number,
						   const BtmType *type)
{
	describe_column(stmt->input_desc, i, prefix, number, type);
}

/*
 * Describes an input of ids: columns k1 .. knid, and a1 .. am for those of the
 * shape unless that is NULL.
 */
static TupleDesc
describe_ids(const BtmResolved *rel, const BtmShape *shape)
{
	TupleDesc	desc = CreateTemplateTupleDesc(id_columns(rel, shape));

	for (int i = 0; i < rel->nid; i++)
		describe_column(desc, i + 1, 'k', i + 1, &rel->id[i].type);
	for (int i = 0; shape != NULL && i < shape->ncolumns; i++)
		describe_column(desc, rel->nid + i + 1, 'a', i + 1,
						&shape->columns[i]->type);
	return desc;
}

/*
 * The same for ids without attributes; it is kept with the relation.
 */
static TupleDesc
describe_plain_ids(BtmResolved *rel)
{
	MemoryContext oldcxt;

	if (rel->ids_desc != NULL)
		return rel->ids_desc;
	oldcxt = MemoryContextSwitchTo(rel->cxt);
	rel->ids_desc = describe_ids(rel, NULL);
	MemoryContextSwitchTo(oldcxt);
	return rel->ids_desc;
}

/*
 * Starts an input of n ids.
 */
static void
begin_ids(BtmCall *call, BtmStatement *stmt, int64 n, const BtmShape *shape)
{
	int			ncolumns = id_columns(call->rel, shape);

	if (n == 1)
		begin_single(stmt, ncolumns);
	else
		begin_store(stmt, ncolumns > call->rel->nid ?
					describe_ids(call->rel, shape) :
					describe_plain_ids(call->rel));
}

/*
 * Makes a set of keys the input: columns k1 .. knid.
 */
void
btm_statement_input_keys(BtmCall *call, BtmStatement *stmt,
						 const BtmKeys *keys)
{
	bool	   *nulls = palloc0(sizeof(bool) * keys->nid);

	begin_ids(call, stmt, keys->n, NULL);
	for (int64 i = 0; i < keys->n; i++)
		put_row(stmt, keys->nid, BTM_KEY(keys, i), nulls);
}

/*
 * See plan.h.
 */
void
btm_statement_id_array(BtmCall *call, BtmStatement *stmt, const BtmKeys *keys)
{
	const BtmType *type = &call->rel->id[0].type;
	int16		typlen;
	bool		typbyval;
	char		typalign;

	Assert(keys->nid == 1);
	get_typlenbyvalalign(type->type, &typlen, &typbyval, &typalign);
	stmt->array_type = get_array_type(type->type);
	stmt->array = PointerGetDatum(construct_array(keys->keys, keys->n,
												  type->type, typlen,
												  typbyval, typalign));
}

/*
 * Makes those ids the input that have attributes of this shape: columns k1 ..
 * knid, a1 .. am.  Returns whether there is a NULL among the attributes.
 */
bool
btm_statement_input_ids(BtmCall *call, BtmStatement *stmt, const BtmIds *ids,
						int shape)
{
	const BtmShape *columns = &ids->shapes[shape];
	int			nid = ids->keys.nid;
	Datum	   *values = palloc(sizeof(Datum) * (nid + columns->ncolumns));
	bool	   *nulls = palloc0(sizeof(bool) * (nid + columns->ncolumns));
	bool		result = false;

	stmt->shape = columns;
	begin_ids(call, stmt, ids->keys.n, columns);
	for (int64 i = 0; i < ids->keys.n; i++)
	{
		const BtmAttributes *attributes = btm_id_attributes(ids, i);

		if (attributes == NULL ? shape != 0 : attributes->shape != shape)
			continue;
		memcpy(values, BTM_KEY(&ids->keys, i), sizeof(Datum) * nid);
		for (int j = 0; j < columns->ncolumns; j++)
		{
			values[nid + j] = attributes->values[j];
			nulls[nid + j] = attributes->nulls[j];
			result |= attributes->nulls[j];
		}
		put_row(stmt, nid + columns->ncolumns, values, nulls);
	}
	return result;
}

/*
 * Makes a list of parents the input: columns ord (from 0), p1 .. pnfk.
 */
void
btm_statement_input_parents(BtmCall *call, BtmStatement *stmt,
							const BtmKeys *parents)
{
	int			nfk = call->rel->nfk;
	Datum	   *values = palloc(sizeof(Datum) * (nfk + 1));
	bool	   *nulls = palloc0(sizeof(bool) * (nfk + 1));

	stmt->without_parent = true;
	stmt->has_parents = true;
	btm_statement_begin_input(stmt, nfk + 1);
	TupleDescInitEntry(stmt->input_desc, 1, "ord", INT8OID, -1, 0);
	for (int i = 0; i < nfk; i++)
		btm_statement_input_column(stmt, i + 2, 'p', i + 1, &call->rel->fk[i].type);
	for (int64 i = 0; i < parents->n; i++)
	{
		values[0] = Int64GetDatum(i);
		memcpy(&values[1], BTM_KEY(parents, i), sizeof(Datum) * nfk);
		put_row(stmt, nfk + 1, values, nulls);
	}
}

/* ------
 * Output
 * ------
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
