/*-------------------------------------------------------------------------
 *
 * plan_parts.h
 *	  Between the files that statements are run by: plan.c, which plans them,
 *	  input.c, which has what they are given, and run.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_PLAN_PARTS_H
#define BTM_PLAN_PARTS_H

#include "pivot/plan.h"

#include "utils/plancache.h"
#include "utils/queryenvironment.h"

/* ---- input.c ---- */

/* Its parameters: how many, the type of each (from 0), and their values. */
extern int	btm_parameter_count(BtmCall *call, const BtmStatement *stmt);
extern Oid	btm_parameter_type(const BtmResolved *rel,
							   const BtmStatement *stmt, int i);

/*
 * A statement's own parameters; or the parent's key and a single id, or the
 * array of ids; or NULL for a statement without.
 */
extern ParamListInfo btm_make_parameters(BtmCall *call,
										 const BtmStatement *stmt);

/* Is the input small enough for a generic plan? */
extern bool btm_statement_is_generic(const BtmStatement *stmt);

/*
 * Makes the input visible to the statement, under BTM_INPUT_NAME, and rows that
 * stand for tables: to SPI, and to the executor through the environment that is
 * returned.  The other takes all that away again and frees the input.
 */
extern QueryEnvironment *btm_register_input(const BtmStatement *stmt);
extern void btm_unregister_input(const BtmStatement *stmt);

/* ---- plan.c ---- */

/* The use of a kept plan by a statement. */
typedef struct BtmPlanUse BtmPlanUse;

/*
 * Has the kept plan of a statement, which is made if there is none, stay until
 * the use or the call ends.
 */
extern BtmPlanUse *btm_plan_begin_use(BtmCall *call, const BtmStatement *stmt);
extern SPIPlanPtr btm_plan_of_use(const BtmPlanUse *use);
extern void btm_plan_end_use(BtmPlanUse *use);

/* The generic plan of a kept plan; it is to be released. */
extern CachedPlan *btm_plan_get_generic(BtmCall *call,
										const BtmStatement *stmt,
										SPIPlanPtr plan);

/* Prepares a statement that is planned for just its input. */
extern SPIPlanPtr btm_plan_for_input(BtmCall *call, const BtmStatement *stmt);

#endif							/* BTM_PLAN_PARTS_H */
