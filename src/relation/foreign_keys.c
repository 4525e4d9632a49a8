/*-------------------------------------------------------------------------
 *
 * foreign_keys.c
 *	  The foreign keys of a pivot, and whether they can be checked in bulk.
 *
 * The bulk path (pivot/bulk.c) inserts rows with the row triggers of the
 * pivot suppressed and checks its foreign keys by itself.  It must not make a
 * difference that anybody could see.  So the pivot must have no other triggers
 * on INSERT, no expression evaluated by an INSERT may be volatile (it could
 * write to other tables, whose triggers would be suppressed, too), and its
 * foreign keys must be checked at once, by MATCH SIMPLE.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "nodes/nodes.h"
#include "optimizer/optimizer.h"
#include "relation/resolve.h"
#include "rewrite/rewriteHandler.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/reltrigger.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

/*
 * The trigger that checks this constraint on INSERT, or NULL.
 */
static const Trigger *
find_check_trigger(Relation pivot, Oid conoid)
{
	TriggerDesc *desc = pivot->trigdesc;

	for (int i = 0; desc != NULL && i < desc->numtriggers; i++)
		if (desc->triggers[i].tgconstraint == conoid &&
			desc->triggers[i].tgfoid == F_RI_FKEY_CHECK_INS)
			return &desc->triggers[i];
	return NULL;
}

/*
 * Does the trigger fire in an ordinary session?
 */
static bool
is_enabled(const Trigger *trigger)
{
	return trigger != NULL &&
		(trigger->tgenabled == TRIGGER_FIRES_ON_ORIGIN ||
		 trigger->tgenabled == TRIGGER_FIRES_ALWAYS);
}

/*
 * Is the constraint only a part of another one of the pivot, about a partition
 * of the referenced table?  Such a part has no trigger of its own.
 */
static bool
is_part(Form_pg_constraint form, const Trigger *trigger)
{
	return OidIsValid(form->conparentid) && trigger == NULL;
}

/*
 * Why a foreign key cannot be checked in bulk, or NULL.
 */
static const char *
foreign_key_obstacle(Form_pg_constraint form, const Trigger *trigger)
{
	if (form->condeferrable)
		return "It has a deferrable foreign key.";
	if (form->confmatchtype != FKCONSTR_MATCH_SIMPLE)
		return "It has a foreign key with MATCH FULL.";
	if (constraint_is_temporal(form))
		return "It has a foreign key with PERIOD.";
	if (!is_enabled(trigger))
		return "The trigger of a foreign key is disabled.";
	return NULL;
}

/*
 * Why the pivot's triggers stand in the way of the bulk path, or NULL.  Only
 * the checks of foreign keys may fire on INSERT.
 */
static const char *
trigger_obstacle(Relation pivot)
{
	TriggerDesc *desc = pivot->trigdesc;

	for (int i = 0; desc != NULL && i < desc->numtriggers; i++)
	{
		const Trigger *trigger = &desc->triggers[i];

		if (TRIGGER_FOR_INSERT(trigger->tgtype) &&
			trigger->tgfoid != F_RI_FKEY_CHECK_INS)
			return "It has triggers on INSERT.";
	}
	return NULL;
}

/*
 * Why a column stands in the way of the bulk path, or NULL.
 */
static const char *
column_obstacle(Relation pivot, Form_pg_attribute att)
{
	Node	   *expr;

	if (get_typtype(att->atttypid) == TYPTYPE_DOMAIN &&
		DomainHasConstraints(att->atttypid))
		return "It has a column of a domain with constraints.";
	expr = build_column_default(pivot, att->attnum);
	if (expr != NULL && contain_volatile_functions_not_nextval(expr))
		return "It has a column with a volatile default.";
	return NULL;
}

/*
 * Why the pivot's CHECK constraints stand in the way, or NULL.
 */
static const char *
check_obstacle(Relation pivot)
{
	TupleConstr *constr = RelationGetDescr(pivot)->constr;

	for (int i = 0; constr != NULL && i < constr->num_check; i++)
		if (contain_volatile_functions(stringToNode(constr->check[i].ccbin)))
			return "It has a CHECK constraint with a volatile function.";
	return NULL;
}

/*
 * Are the values of a row looked at when it is inserted, but for keys and NOT
 * NULL?
 */
static bool
checks_values(Relation pivot)
{
	TupleDesc	desc = RelationGetDescr(pivot);

	for (int i = 0; i < desc->natts; i++)
		if (TupleDescAttr(desc, i)->attgenerated != '\0')
			return true;
	return pivot->rd_rel->relispartition ||
		(desc->constr != NULL && desc->constr->num_check > 0);
}

/*
 * Why the pivot cannot be inserted into in bulk, or NULL if it can.
 */
static const char *
pivot_obstacle(Relation pivot)
{
	TupleDesc	desc = RelationGetDescr(pivot);
	const char *obstacle;

	if (pivot->rd_rel->relkind == RELKIND_FOREIGN_TABLE)
		return "It is a foreign table.";
	if (pivot->rd_rel->relkind != RELKIND_RELATION)
		return "It is not a plain table.";
	if (pivot->rd_rules != NULL)
		return "It has rules.";
	obstacle = trigger_obstacle(pivot);
	for (int i = 0; obstacle == NULL && i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped)
			obstacle = column_obstacle(pivot, TupleDescAttr(desc, i));
	return obstacle ? obstacle : check_obstacle(pivot);
}

/*
 * Copies what the relcache knows of a foreign key.
 */
static void
copy_foreign_key(BtmForeignKey *key, const ForeignKeyCacheInfo *info)
{
	key->conoid = info->conoid;
	key->confrelid = info->confrelid;
	key->nkeys = info->nkeys;
	memcpy(key->conkey, info->conkey, sizeof(AttrNumber) * info->nkeys);
	memcpy(key->confkey, info->confkey, sizeof(AttrNumber) * info->nkeys);
	memcpy(key->conpfeqop, info->conpfeqop, sizeof(Oid) * info->nkeys);
}

/*
 * Adds a foreign key to rel->foreign_keys, if it is to be checked on INSERT.
 */
static void
add_foreign_key(BtmResolved *rel, Relation pivot,
				const ForeignKeyCacheInfo *info)
{
	const Trigger *trigger = find_check_trigger(pivot, info->conoid);
	HeapTuple	tuple = SearchSysCache1(CONSTROID,
										ObjectIdGetDatum(info->conoid));
	Form_pg_constraint form;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for constraint %u", info->conoid);
	form = (Form_pg_constraint) GETSTRUCT(tuple);
	if (foreign_key_enforced(info) && !is_part(form, trigger))
	{
		BtmForeignKey *key = &rel->foreign_keys[rel->nforeign_keys++];

		copy_foreign_key(key, info);
		if (trigger != NULL)
			key->trigger = trigger - pivot->trigdesc->triggers;
		if (rel->bulk_obstacle == NULL)
			rel->bulk_obstacle = foreign_key_obstacle(form, trigger);
	}
	ReleaseSysCache(tuple);
}

/*
 * For qsort: the order of triggers.
 */
static int
compare_triggers(const void *a, const void *b)
{
	return ((const BtmForeignKey *) a)->trigger -
		((const BtmForeignKey *) b)->trigger;
}

/*
 * Fills what rel says about the bulk path, in CurrentMemoryContext.
 */
void
btm_resolve_foreign_keys(BtmResolved *rel, Relation pivot)
{
	List	   *infos = RelationGetFKeyList(pivot);
	ListCell   *lc;

	rel->bulk_obstacle = pivot_obstacle(pivot);
	rel->checks_values = checks_values(pivot);
	rel->foreign_keys = palloc0(sizeof(BtmForeignKey) *
								Max(list_length(infos), 1));
	foreach(lc, infos)
		add_foreign_key(rel, pivot, lfirst(lc));
	qsort(rel->foreign_keys, rel->nforeign_keys, sizeof(BtmForeignKey),
		  compare_triggers);
}
