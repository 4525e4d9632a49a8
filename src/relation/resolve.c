/*-------------------------------------------------------------------------
 *
 * resolve.c
 *	  Binds a definition to the tables and columns that exist now.
 *
 * Operations work with the result alone.  Everything that is looked up in the
 * catalogs on their behalf is looked up here, once, so that a call on a cached
 * relation touches no catalog: key columns with the functions that read,
 * compare and hash their values, the columns that attributes may name, and
 * the unique index that lets INSERT ... ON CONFLICT decide about a pair.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/partition.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "relation/resolve.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

/*
 * See BtmType.is_plain.
 */
static bool
is_plain_type(Oid base)
{
	return base != JSONOID && base != JSONBOID &&
		!OidIsValid(get_element_type(base)) && !type_is_rowtype(base);
}

/*
 * Fills `type` for a column of type typid; a domain counts as its base type.
 * Function call info is kept in cxt.
 */
void
btm_type_init(BtmType *type, Oid typid, int32 typmod, Oid collation,
			  MemoryContext cxt)
{
	Oid			base = getBaseTypeAndTypmod(typid, &typmod);
	Oid			input;
	Oid			output;
	bool		is_varlena;
	bool		is_preferred;

	type->type = base;
	type->hashvalue = GetSysCacheHashValue1(TYPEOID, ObjectIdGetDatum(base));
	type->typmod = typmod;
	type->collation = collation;
	get_typlenbyval(base, &type->typlen, &type->typbyval);
	get_type_category_preferred(base, &type->typcategory, &is_preferred);
	type->is_plain = is_plain_type(base);
	getTypeInputInfo(base, &input, &type->ioparam);
	fmgr_info_cxt(input, &type->input, cxt);
	getTypeOutputInfo(base, &output, &is_varlena);
	fmgr_info_cxt(output, &type->output, cxt);
}

/*
 * Fills the functions that compare and hash values of a key column.  Errors
 * with 42883 if its type has no default btree operator class, which every
 * type has that can be in a primary key.
 */
static void
init_key_functions(BtmKeyColumn *key, MemoryContext cxt)
{
	TypeCacheEntry *entry;

	entry = lookup_type_cache(key->type.type,
							  TYPECACHE_EQ_OPR | TYPECACHE_LT_OPR |
							  TYPECACHE_CMP_PROC | TYPECACHE_HASH_EXTENDED_PROC);
	if (!OidIsValid(entry->eq_opr) || !OidIsValid(entry->lt_opr) ||
		!OidIsValid(entry->cmp_proc))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("could not identify an ordering operator for type %s",
						format_type_be(key->type.type)),
				 errdetail("Column \"%s\" is a key of the relation.",
						   key->name)));

	key->eq_opr = entry->eq_opr;
	key->lt_opr = entry->lt_opr;
	fmgr_info_cxt(get_opcode(entry->eq_opr), &key->eq, cxt);
	if (OidIsValid(entry->hash_extended_proc))
		fmgr_info_cxt(entry->hash_extended_proc, &key->hash, cxt);

	key->sort.ssup_cxt = cxt;
	key->sort.ssup_collation = key->type.collation;
	key->sort.ssup_nulls_first = false;
	PrepareSortSupportFromOrderingOp(entry->lt_opr, &key->sort);
}

/*
 * Fills the function that rounds values to the precision of a key column, such
 * as numeric(6,2) and timestamp(0) have.  A string's length is no precision:
 * an INSERT refuses what is too long.
 */
static void
init_rounding(BtmKeyColumn *key, MemoryContext cxt)
{
	Oid			func;

	if (key->type.typmod < 0 ||
		(key->type.typcategory != TYPCATEGORY_NUMERIC &&
		 key->type.typcategory != TYPCATEGORY_DATETIME &&
		 key->type.typcategory != TYPCATEGORY_TIMESPAN))
		return;
	if (find_typmod_coercion_function(key->type.type,
									  &func) == COERCION_PATH_FUNC)
		fmgr_info_cxt(func, &key->round, cxt);
}

/*
 * Binds one column of a key: `column` in the pivot, `refcolumn` in the table
 * that it points at.
 */
static void
resolve_key_column(BtmKeyColumn *key, TupleDesc pivotdesc,
				   AttrNumber attnum, Oid refrelid,
				   const BtmColumn *refcolumn, MemoryContext cxt)
{
	Form_pg_attribute att = TupleDescAttr(pivotdesc, attnum - 1);
	int32		reftypmod;

	key->attnum = attnum;
	key->name = pstrdup(NameStr(att->attname));
	key->refattnum = btm_column_attnum(refcolumn, refrelid, false);
	key->refname = get_attname(refrelid, key->refattnum, false);
	get_atttypetypmodcoll(refrelid, key->refattnum, &key->reftype,
						  &reftypmod, &key->refcollation);
	btm_type_init(&key->type, att->atttypid, att->atttypmod,
				  att->attcollation, cxt);
	init_key_functions(key, cxt);
	init_rounding(key, cxt);
}

/*
 * Binds a whole key.  Returns an array of list_length(columns) items.
 */
static BtmKeyColumn *
resolve_key(Relation pivot, List *columns, Oid refrelid, List *refcolumns,
			MemoryContext cxt)
{
	BtmKeyColumn *keys = palloc0(sizeof(BtmKeyColumn) * list_length(columns));
	ListCell   *lc;
	ListCell   *reflc;
	int			i = 0;

	forboth(lc, columns, reflc, refcolumns)
	{
		AttrNumber	attnum = btm_column_attnum(lfirst(lc),
											   RelationGetRelid(pivot), false);

		resolve_key_column(&keys[i++], RelationGetDescr(pivot), attnum,
						   refrelid, lfirst(reflc), cxt);
	}
	return keys;
}

/*
 * Finds out which columns of the related key the parent gives already, and
 * makes `id` of the others.
 */
static void
resolve_id_columns(BtmResolved *rel)
{
	rel->rk_fk = palloc(sizeof(int) * rel->nrk);
	rel->id = palloc0(sizeof(BtmKeyColumn) * rel->nrk);
	rel->id_rk = palloc(sizeof(int) * rel->nrk);

	for (int i = 0; i < rel->nrk; i++)
	{
		rel->rk_fk[i] = -1;
		for (int j = 0; j < rel->nfk; j++)
			if (rel->fk[j].attnum == rel->rk[i].attnum)
				rel->rk_fk[i] = j;

		if (rel->rk_fk[i] >= 0)
			continue;
		rel->id[rel->nid] = rel->rk[i];
		rel->id_rk[rel->nid++] = i;
	}
}

/*
 * Is this column part of the foreign or of the related key?
 */
static bool
is_key_column(const BtmResolved *rel, AttrNumber attnum)
{
	for (int i = 0; i < rel->nfk; i++)
		if (rel->fk[i].attnum == attnum)
			return true;
	for (int i = 0; i < rel->nrk; i++)
		if (rel->rk[i].attnum == attnum)
			return true;
	return false;
}

/*
 * May a column get another value than NULL where an INSERT leaves it out?  The
 * default of a domain comes and goes unnoticed by its tables, so every domain
 * is taken to have one.
 */
static bool
may_have_default(Form_pg_attribute att)
{
	return att->atthasdef || att->attidentity != '\0' ||
		get_typtype(att->atttypid) == TYPTYPE_DOMAIN ||
		get_typdefault(att->atttypid) != NULL;
}

/*
 * Lists the live columns of the pivot.
 */
static void
resolve_pivot_columns(BtmResolved *rel, Relation pivot)
{
	TupleDesc	desc = RelationGetDescr(pivot);

	rel->columns = palloc0(sizeof(BtmPivotColumn) * desc->natts);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		BtmPivotColumn *column;

		if (att->attisdropped)
			continue;
		column = &rel->columns[rel->ncolumns++];
		column->attnum = att->attnum;
		column->name = pstrdup(NameStr(att->attname));
		btm_type_init(&column->type, att->atttypid, att->atttypmod,
					  att->attcollation, rel->cxt);
		column->eq_opr = lookup_type_cache(column->type.type,
										   TYPECACHE_EQ_OPR)->eq_opr;
		column->is_key = is_key_column(rel, att->attnum);
		column->may_have_default = may_have_default(att);
	}
}

/*
 * Is this column of the pair's unique index unique under the equality and the
 * collation that the relation compares with?
 */
static bool
index_column_matches(Relation index, int i, Oid eq_opr, Oid collation)
{
	Oid			operator;

	operator = get_opfamily_member(index->rd_opfamily[i],
								   index->rd_opcintype[i],
								   index->rd_opcintype[i],
								   BTEqualStrategyNumber);
	return operator == eq_opr && index->rd_indcollation[i] == collation;
}

/*
 * Looks for the key column that index column i is on.
 */
static const BtmKeyColumn *
find_key_column(const BtmResolved *rel, AttrNumber attnum)
{
	for (int i = 0; i < rel->nfk; i++)
		if (rel->fk[i].attnum == attnum)
			return &rel->fk[i];
	for (int i = 0; i < rel->nid; i++)
		if (rel->id[i].attnum == attnum)
			return &rel->id[i];
	return NULL;
}

/*
 * Has column i of an index been one of the columns before it, too?
 */
static bool
index_column_is_repeated(const Form_pg_index form, int i)
{
	for (int j = 0; j < i; j++)
		if (form->indkey.values[j] == form->indkey.values[i])
			return true;
	return false;
}

/*
 * Does every row that the relation inserts have a value of its own for this
 * column, and look for no other?  A pivot value that is not NULL is one.
 */
bool
btm_has_pivot_value(const BtmResolved *rel, AttrNumber attnum)
{
	ListCell   *lc;

	foreach(lc, rel->def->pivot_values)
	{
		const BtmPivotValue *value = lfirst(lc);

		if (value->column.attnum == attnum && value->value != NULL)
			return true;
	}
	return false;
}

/*
 * Does column i of an index tell a pair from others, as a column of a key or
 * as a pivot value?
 */
static bool
index_column_is_on_pair(const BtmResolved *rel, Relation index, int i)
{
	AttrNumber	attnum = index->rd_index->indkey.values[i];
	const BtmKeyColumn *key = find_key_column(rel, attnum);
	const BtmPivotColumn *value;

	if (index_column_is_repeated(index->rd_index, i))
		return false;
	if (key != NULL)
		return index_column_matches(index, i, key->eq_opr,
									key->type.collation);
	if (!btm_has_pivot_value(rel, attnum))
		return false;
	value = btm_pivot_column_by_number(rel, attnum);
	return index_column_matches(index, i, value->eq_opr,
								value->type.collation);
}

/*
 * Is this a unique index on the pair?  It must have all columns of both keys.
 */
static bool
index_is_on_pair(const BtmResolved *rel, Relation index)
{
	Form_pg_index form = index->rd_index;
	int			nkeys = 0;

	if (!form->indisunique || !form->indisvalid ||
		index->rd_rel->relam != BTREE_AM_OID ||
		!heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL) ||
		!heap_attisnull(index->rd_indextuple, Anum_pg_index_indexprs, NULL))
		return false;

	for (int i = 0; i < form->indnkeyatts; i++)
	{
		if (!index_column_is_on_pair(rel, index, i))
			return false;
		if (find_key_column(rel, form->indkey.values[i]) != NULL)
			nkeys++;
	}
	return nkeys == rel->nfk + rel->nid;
}

/*
 * Notes the columns of the unique index on the pair.
 */
static void
set_unique_index(BtmResolved *rel, Relation index)
{
	Form_pg_index form = index->rd_index;

	rel->unique_index = RelationGetRelid(index);
	rel->narbiter = form->indnkeyatts;
	rel->arbiter = palloc(sizeof(AttrNumber) * form->indnkeyatts);
	for (int i = 0; i < form->indnkeyatts; i++)
		rel->arbiter[i] = form->indkey.values[i];
}

/*
 * Looks for the unique index on the pair.
 *
 * ON CONFLICT (columns) takes every unique index on these columns as an
 * arbiter and fails if one of them is deferrable, so a deferrable twin makes
 * the good one useless.  So do tables that inherit from the pivot: their rows
 * are rows of the pivot, but not in its indexes.
 */
static void
resolve_unique_index(BtmResolved *rel, Relation pivot)
{
	List	   *indexes = RelationGetIndexList(pivot);
	bool		deferrable = false;
	ListCell   *lc;

	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		if (index_is_on_pair(rel, index))
		{
			if (!OidIsValid(rel->unique_index) ||
				index->rd_index->indnkeyatts < rel->narbiter)
				set_unique_index(rel, index);
			deferrable |= !index->rd_index->indimmediate;
		}
		index_close(index, AccessShareLock);
	}
	if (deferrable || (pivot->rd_rel->relhassubclass &&
					   pivot->rd_rel->relkind == RELKIND_RELATION))
		rel->unique_index = InvalidOid;
}

/*
 * Does the pivot have rules that forbid ON CONFLICT?  (As the rewriter checks
 * in RewriteQuery: INSERT and UPDATE rules do.)
 */
static bool
has_write_rules(Relation pivot)
{
	if (pivot->rd_rules == NULL)
		return false;
	for (int i = 0; i < pivot->rd_rules->numLocks; i++)
	{
		CmdType		event = pivot->rd_rules->rules[i]->event;

		if (event == CMD_INSERT || event == CMD_UPDATE)
			return true;
	}
	return false;
}

/*
 * Gives a column the numbers that it has in this table now.  Errors: 42703.
 */
static void
bind_column(BtmColumn *column, Oid relid)
{
	*column = *btm_column_make(relid, btm_column_attnum(column, relid, false));
}

/*
 * Reads values as those of a type and writes them as every session reads them,
 * in place: the text form of a relation has them as they were written.
 * Errors: those of the type's input function.
 */
static void
bind_values(List *values, Oid type)
{
	ListCell   *lc;

	foreach(lc, values)
		lfirst(lc) = btm_canonical_literal(lfirst(lc), type, -1);
}

/*
 * Errors with 42883 if a step compares in a way that its column's type has no
 * operator for.  Not for a step with an operator of its own.
 */
static void
check_comparison(const BtmCondition *step)
{
	if (step->kind == BTM_COND_IN || step->kind == BTM_COND_DISTINCT)
		btm_check_equality(&step->column);
	else if (step->kind == BTM_COND_BETWEEN)
		btm_check_ordering(&step->column);
}

/*
 * Binds the operator of a step whose column is bound.  One without a schema
 * may be found through search_path, so that the result is good for this call
 * only.  Errors: 42883, 3F000, 42501.
 */
static void
bind_operator(BtmResolved *rel, BtmCondition *step, BtmOperator *operator)
{
	Oid			relid = step->column.relid;
	AttrNumber	attnum = step->column.attnum;
	const char *opschema = step->opschema;

	if (opschema == NULL)
		rel->cacheable = false;
	else
		opschema = btm_operator_follow(relid, attnum, opschema, step->opname);
	btm_operator_resolve(relid, attnum, opschema, step->opname, NULL, operator);
	step->opschema = operator->schema;
	step->opname = operator->name;
}

/*
 * Binds the columns, operators and values of a filter.  Errors: 42703, those
 * of bind_operator and bind_values.
 */
static void
bind_filter(BtmResolved *rel, List *steps, Oid relid)
{
	ListCell   *lc;

	foreach(lc, steps)
	{
		BtmCondition *step = lfirst(lc);
		BtmOperator operator;

		bind_column(&step->column, relid);
		if (step->kind != BTM_COND_OPERATOR)
		{
			check_comparison(step);
			bind_values(step->values,
						getBaseType(get_atttype(relid, step->column.attnum)));
			continue;
		}
		bind_operator(rel, step, &operator);
		bind_values(step->values, operator.righttype);
	}
}

/*
 * Checks a column that attach writes by itself, and adds it to those.  Errors:
 * 22023 if it is a key, which attach writes anyway, or one of those already.
 */
static void
add_written_column(BtmResolved *rel, Bitmapset **written,
				   const BtmColumn *column)
{
	if (is_key_column(rel, column->attnum))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" is a key of the relation",
						column->name)));
	if (bms_is_member(column->attnum, *written))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" is given more than one value",
						column->name),
				 errdetail("A column is either a pivot value or a timestamp.")));
	*written = bms_add_member(*written, column->attnum);
}

/*
 * Binds a column of timestamps; returns its number, or InvalidAttrNumber if
 * it is disabled.
 */
static AttrNumber
bind_timestamp(BtmResolved *rel, Bitmapset **written, BtmColumn *column)
{
	if (!rel->def->has_timestamps || column == NULL)
		return InvalidAttrNumber;
	bind_column(column, rel->pivot);
	add_written_column(rel, written, column);
	return column->attnum;
}

/*
 * Reads a pivot value as its column stores it, with its length and precision,
 * since it is also compared with what is stored.  Errors: 42883 for a type
 * without equality, and those of the type's input function.
 */
static void
bind_pivot_value(const BtmResolved *rel, BtmPivotValue *value)
{
	const BtmType *type;

	if (value->value == NULL)
		return;
	btm_check_equality(&value->column);
	type = &btm_pivot_column_by_number(rel, value->column.attnum)->type;
	value->value = btm_canonical_literal(value->value, type->type,
										 type->typmod);
}

/*
 * Binds the columns that attach writes by itself: pivot values, timestamps.
 */
static void
bind_written_columns(BtmResolved *rel)
{
	BtmRelation *def = rel->def;
	Bitmapset  *written = NULL;
	ListCell   *lc;

	foreach(lc, def->pivot_values)
	{
		BtmPivotValue *value = lfirst(lc);

		bind_column(&value->column, rel->pivot);
		add_written_column(rel, &written, &value->column);
		bind_pivot_value(rel, value);
	}
	rel->created_at = bind_timestamp(rel, &written, def->created_at);
	rel->updated_at = bind_timestamp(rel, &written, def->updated_at);
	bms_free(written);
}

/*
 * Binds what builders added: the definition's columns get numbers, its
 * operators schemas.
 */
static void
bind_additions(BtmResolved *rel)
{
	BtmRelation *def = rel->def;
	ListCell   *lc;

	foreach(lc, def->with_pivot)
		bind_column(lfirst(lc), rel->pivot);
	bind_written_columns(rel);
	bind_filter(rel, def->where, rel->pivot);
	bind_filter(rel, def->where_related, rel->related);
	foreach(lc, def->order_by)
	{
		BtmOrderBy *order = lfirst(lc);

		bind_column(&order->column,
					order->side == BTM_PIVOT ? rel->pivot : rel->related);
		btm_check_ordering(&order->column);
	}
}

/*
 * Does the value mean the same until the store or a schema changes?  A
 * definition does, and a reference that needs no search_path.
 */
static bool
reference_is_bound(const BtmRelation *value)
{
	return value->ref_name == NULL || value->ref_id != 0 ||
		value->ref_schema != NULL;
}

/*
 * Is every table of the definition known by OID?
 */
static bool
tables_are_bound(const BtmRelation *def)
{
	return OidIsValid(def->parent.oid) && OidIsValid(def->related.oid) &&
		OidIsValid(def->pivot.oid);
}

/*
 * Binds the tables of a definition and infers what it leaves out; checks it
 * as the constructor does.
 */
static void
resolve_tables(BtmResolved *rel)
{
	BtmRelation *def = rel->def;

	def->parent = btm_table_make(btm_table_oid(&def->parent, false));
	def->related = btm_table_make(btm_table_oid(&def->related, false));
	if (def->pivot.name != NULL)
		def->pivot = btm_table_make(btm_table_oid(&def->pivot, false));
	(void) btm_relation_infer(def, false);

	rel->parent = def->parent.oid;
	rel->related = def->related.oid;
	rel->pivot = def->pivot.oid;
}

/*
 * The topmost partition root of the pivot: what locks are keyed by, so that
 * callers that name the root and callers that name a partition meet.
 */
static Oid
topmost_root(Relation pivot)
{
	List	   *ancestors;

	if (!pivot->rd_rel->relispartition)
		return RelationGetRelid(pivot);
	ancestors = get_partition_ancestors(RelationGetRelid(pivot));
	return llast_oid(ancestors);
}

/*
 * May rules or triggers do something else with a row than to insert or delete
 * it: mark it as deleted, put it elsewhere, or do nothing?
 */
static bool
may_redirect(Relation pivot)
{
	const TriggerDesc *triggers = pivot->trigdesc;

	return pivot->rd_rules != NULL ||
		(triggers != NULL && (triggers->trig_insert_before_row ||
							  triggers->trig_delete_before_row));
}

/*
 * Is a DELETE that finds no row as if it had not been?  It fires statement
 * triggers, and where rows cannot be told apart in a publication it fails.
 */
static bool
deletes_silently(Relation pivot)
{
	const TriggerDesc *triggers = pivot->trigdesc;

	if (pivot->rd_rel->relkind != RELKIND_RELATION ||
		pivot->rd_rules != NULL)
		return false;
	if (triggers != NULL && (triggers->trig_delete_before_row ||
							 triggers->trig_delete_before_statement ||
							 triggers->trig_delete_after_statement))
		return false;
	return pivot->rd_rel->relreplident == REPLICA_IDENTITY_FULL ||
		OidIsValid(RelationGetReplicaIndex(pivot));
}

/*
 * Fills everything that is read off the pivot itself.
 */
static void
resolve_pivot(BtmResolved *rel)
{
	BtmRelation *def = rel->def;
	Relation	pivot = relation_open(rel->pivot, AccessShareLock);

	rel->pivot_schema = RelationGetNamespace(pivot);
	rel->pivot_kind = pivot->rd_rel->relkind;
	rel->pivot_root = topmost_root(pivot);

	rel->nfk = list_length(def->foreign_key);
	rel->fk = resolve_key(pivot, def->foreign_key, rel->parent,
						  def->parent_key, rel->cxt);
	rel->nrk = list_length(def->related_key);
	rel->rk = resolve_key(pivot, def->related_key, rel->related,
						  def->related_pivot_key, rel->cxt);
	resolve_id_columns(rel);
	resolve_pivot_columns(rel, pivot);
	bind_additions(rel);
	resolve_unique_index(rel, pivot);
	rel->has_write_rules = has_write_rules(pivot);
	rel->may_redirect = may_redirect(pivot);
	rel->deletes_silently = deletes_silently(pivot);
	btm_resolve_foreign_keys(rel, pivot);
	if (rel->pivot_kind == RELKIND_FOREIGN_TABLE)
		btm_resolve_foreign_table(rel);
	else if (rel->pivot_kind == RELKIND_PARTITIONED_TABLE)
		btm_resolve_partitions(rel);

	relation_close(pivot, NoLock);
}

/*
 * Binds a relation.
 *
 * The result lives in a memory context of its own below TopMemoryContext
 * (rel->cxt); the caller owns it.  Nothing is left behind on error.  Errors:
 * 42704 unknown saved relation, 42P01 / 42703 unknown table or column, 42P09
 * and others of inference and validation.
 */
BtmResolved *
btm_resolve(const BtmRelation *value)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext,
											  "belongs_to_many relation",
											  ALLOCSET_SMALL_SIZES);
	MemoryContext oldcxt = MemoryContextSwitchTo(cxt);
	BtmResolved *rel = palloc0(sizeof(BtmResolved));

	rel->cxt = cxt;
	dlist_init(&rel->plans);
	rel->def = btm_relation_expand(value);
	rel->cacheable = reference_is_bound(value) && tables_are_bound(rel->def);
	resolve_tables(rel);
	resolve_pivot(rel);

	MemoryContextSwitchTo(oldcxt);
	MemoryContextSetParent(cxt, TopMemoryContext);
	return rel;
}

/*
 * The pivot's column of this name, or NULL.
 */
const BtmPivotColumn *
btm_pivot_column(const BtmResolved *rel, const char *name)
{
	for (int i = 0; i < rel->ncolumns; i++)
		if (strcmp(rel->columns[i].name, name) == 0)
			return &rel->columns[i];
	return NULL;
}

/*
 * The pivot's column of this number, which must be one.
 */
const BtmPivotColumn *
btm_pivot_column_by_number(const BtmResolved *rel, AttrNumber attnum)
{
	for (int i = 0; i < rel->ncolumns; i++)
		if (rel->columns[i].attnum == attnum)
			return &rel->columns[i];
	elog(ERROR, "pivot has no column %d", attnum);
}
