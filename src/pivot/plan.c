/*-------------------------------------------------------------------------
 *
 * plan.c
 *	  Plans of the statements of operations, and those that are kept.
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

#include "jit/jit.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "pivot/pair_index.h"
#include "pivot/plan_parts.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

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
struct BtmPlanUse
{
	MemoryContextCallback callback; /* of the call's context */
	BtmPlan    *plan;			/* NULL: it has ended */
};

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
 * See plan_parts.h.
 */
void
btm_plan_end_use(BtmPlanUse *use)
{
	if (use->plan != NULL)
		use->plan->users--;
	use->plan = NULL;
}

/*
 * Reset callback of the call's memory context, for statements that end with an
 * error.
 */
static void
end_use_callback(void *arg)
{
	btm_plan_end_use(arg);
}

/*
 * Has a plan stay until btm_plan_end_use, or until the call ends.  The call's relation,
 * whose pin was registered first, is released after that.
 */
static BtmPlanUse *
begin_use(BtmCall *call, BtmPlan *plan)
{
	BtmPlanUse *use = MemoryContextAlloc(call->cxt, sizeof(BtmPlanUse));

	plan->users++;
	use->plan = plan;
	use->callback.func = end_use_callback;
	use->callback.arg = use;
	MemoryContextRegisterResetCallback(call->cxt, &use->callback);
	return use;
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

/* ---------------
 * Making of plans
 * ---------------
 */

/*
 * Prepares a statement.  The plan lives until SPI_finish unless it is kept.
 */
static SPIPlanPtr
prepare(BtmCall *call, const BtmStatement *stmt, int cursor_options)
{
	BtmResolved *rel = call->rel;
	int			n = btm_parameter_count(call, stmt);
	Oid		   *types = palloc(sizeof(Oid) * (n + 1));
	StringInfoData sql;
	SPIPlanPtr	plan;

	for (int i = 0; i < n; i++)
		types[i] = btm_parameter_type(rel, stmt, i);
	initStringInfo(&sql);
	stmt->build(&sql, call, stmt);

	plan = SPI_prepare_cursor(sql.data, n, types, cursor_options);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s for %s",
			 SPI_result_code_string(SPI_result), sql.data);
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
make_generic_plan(SPIPlanPtr plan, BtmPairIndex pair_index, bool is_foreign)
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
 * See plan_parts.h.
 */
CachedPlan *
btm_plan_get_generic(BtmCall *call, const BtmStatement *stmt, SPIPlanPtr plan)
{
	return make_generic_plan(plan, wanted_index(call->rel, stmt),
							 stmt->is_foreign);
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
 * See plan_parts.h.
 */
BtmPlanUse *
btm_plan_begin_use(BtmCall *call, const BtmStatement *stmt)
{
	return begin_use(call, get_kept_plan(call, stmt));
}

/*
 * See plan_parts.h.
 */
SPIPlanPtr
btm_plan_of_use(const BtmPlanUse *use)
{
	return use->plan->plan;
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
 * See plan_parts.h.
 */
SPIPlanPtr
btm_plan_for_input(BtmCall *call, const BtmStatement *stmt)
{
	SPIPlanPtr	plan = prepare(call, stmt, 0);

	if (stmt->has_parents || stmt->pivot != NULL)
		plan_for_parents(plan);
	return plan;
}
