/*-------------------------------------------------------------------------
 *
 * sqltext.c
 *	  The one place where SQL text is made.
 *
 * See sqltext.h for the conventions.  Since the text must mean the same under
 * any search_path, constructs whose operator the parser looks up by name (IN,
 * BETWEEN, IS DISTINCT FROM, NULLIF, simple CASE) are never used; they are
 * spelled out with qualified operators instead.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "pivot/sqltext.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

/*
 * schema.table
 */
void
btm_sql_table(StringInfo buf, Oid relid)
{
	char	   *schema = get_namespace_name(get_rel_namespace(relid));
	char	   *name = get_rel_name(relid);

	if (schema == NULL || name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	appendStringInfoString(buf, quote_qualified_identifier(schema, name));
}

/*
 * schema.type, with its modifier unless typmod is -1
 */
void
btm_sql_type(StringInfo buf, Oid type, int32 typmod)
{
	/* TYPEMOD_GIVEN with -1 prints bpchar, and not character, which is (1) */
	appendStringInfoString(buf,
						   format_type_extended(type, typmod,
												FORMAT_TYPE_TYPEMOD_GIVEN |
												FORMAT_TYPE_FORCE_QUALIFY));
}

/*
 * OPERATOR(schema.name)
 */
void
btm_sql_operator(StringInfo buf, Oid opno)
{
	HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(opno));
	Form_pg_operator form;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", opno);
	form = (Form_pg_operator) GETSTRUCT(tuple);
	appendStringInfo(buf, "OPERATOR(%s.%s)",
					 quote_identifier(get_namespace_name(form->oprnamespace)),
					 NameStr(form->oprname));
	ReleaseSysCache(tuple);
}

/*
 * " COLLATE schema.name"
 */
void
btm_sql_collation(StringInfo buf, Oid collation)
{
	HeapTuple	tuple = SearchSysCache1(COLLOID, ObjectIdGetDatum(collation));
	Form_pg_collation form;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for collation %u", collation);
	form = (Form_pg_collation) GETSTRUCT(tuple);
	appendStringInfo(buf, " COLLATE %s",
					 quote_qualified_identifier(get_namespace_name(form->collnamespace),
												NameStr(form->collname)));
	ReleaseSysCache(tuple);
}

/*
 * alias.column; the column alone if alias is NULL
 */
void
btm_sql_column(StringInfo buf, const char *alias, const char *name)
{
	if (alias != NULL)
		appendStringInfo(buf, "%s.", alias);
	appendStringInfoString(buf, quote_identifier(name));
}

/*
 * 'literal'::type, or NULL::type
 */
void
btm_sql_literal(StringInfo buf, const char *literal, Oid type, int32 typmod)
{
	appendStringInfoString(buf,
						   literal ? quote_literal_cstr(literal) : "NULL");
	appendStringInfoString(buf, "::");
	btm_sql_type(buf, type, typmod);
}

/*
 * alias.column OPERATOR(=) -- the right operand is for the caller
 */
static void
append_key_equals(StringInfo buf, const BtmKeyColumn *key, const char *alias,
				  const char *separator)
{
	appendStringInfoString(buf, separator);
	btm_sql_column(buf, alias, key->name);
	appendStringInfoChar(buf, ' ');
	btm_sql_operator(buf, key->eq_opr);
	appendStringInfoChar(buf, ' ');
}

void
btm_sql_parent_params(StringInfo buf, const BtmResolved *rel,
					  const char *alias)
{
	for (int i = 0; i < rel->nfk; i++)
	{
		append_key_equals(buf, &rel->fk[i], alias, i > 0 ? " AND " : "");
		appendStringInfo(buf, "$%d", i + 1);
	}
}

void
btm_sql_parent_literals(StringInfo buf, const BtmResolved *rel,
						const char *alias, const Datum *parent)
{
	for (int i = 0; i < rel->nfk; i++)
	{
		BtmKeyColumn *key = &rel->fk[i];
		char	   *literal = btm_value_to_text(parent[i], key->type.type);

		append_key_equals(buf, key, alias, i > 0 ? " AND " : "");
		btm_sql_literal(buf, literal, key->type.type, -1);
	}
}

void
btm_sql_parent_set(StringInfo buf, const BtmResolved *rel, const char *alias)
{
	for (int i = 0; i < rel->nfk; i++)
	{
		append_key_equals(buf, &rel->fk[i], alias, i > 0 ? " AND " : "");
		appendStringInfo(buf, "u.p%d", i + 1);
	}
}

void
btm_sql_id_set(StringInfo buf, const BtmResolved *rel, const char *alias)
{
	for (int i = 0; i < rel->nid; i++)
	{
		append_key_equals(buf, &rel->id[i], alias, i > 0 ? " AND " : "");
		appendStringInfo(buf, "u.k%d", i + 1);
	}
}

/*
 * A column together with the type that operators see.
 */
typedef struct ConditionColumn
{
	const char *alias;
	const char *name;
	Oid			relid;
	AttrNumber	attnum;
	Oid			type;			/* base type */
} ConditionColumn;

/*
 * Looks up the type of a condition's column, which resolve.c has bound.
 */
static ConditionColumn
condition_column(const BtmColumn *column, const char *alias)
{
	ConditionColumn result;

	result.alias = alias;
	result.name = column->name;
	result.relid = column->relid;
	result.attnum = column->attnum;
	result.type = getBaseType(get_atttype(column->relid, column->attnum));
	return result;
}

/*
 * column OPERATOR(schema.op) 'literal'::type
 */
static void
append_comparison(StringInfo buf, const ConditionColumn *column,
				  const char *opschema, const char *opname,
				  const char *literal)
{
	BtmOperator operator;

	btm_operator_resolve(column->relid, column->attnum, opschema, opname,
						 literal, &operator);
	btm_sql_column(buf, column->alias, column->name);
	appendStringInfoChar(buf, ' ');
	btm_sql_operator(buf, operator.opno);
	appendStringInfoChar(buf, ' ');
	btm_sql_literal(buf, literal, operator.righttype, -1);
}

/*
 * column op 'literal'::type, an operator of the column's type with itself.
 * Errors with 42883 if opno is InvalidOid: the type has no such operator.
 */
static void
append_same_type(StringInfo buf, const ConditionColumn *column, Oid opno,
				 const char *literal)
{
	if (!OidIsValid(opno))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("values of type %s cannot be compared",
						format_type_be(column->type)),
				 errdetail("Column \"%s\" is used in a filter of the relation.",
						   column->name)));
	btm_sql_column(buf, column->alias, column->name);
	appendStringInfoChar(buf, ' ');
	btm_sql_operator(buf, opno);
	appendStringInfoChar(buf, ' ');
	btm_sql_literal(buf, literal, column->type, -1);
}

/*
 * column op 'literal'::type, where op is the member with this strategy of the
 * operator family that orders the type
 */
static void
append_ordering(StringInfo buf, const ConditionColumn *column,
				StrategyNumber strategy, const char *literal)
{
	TypeCacheEntry *entry = lookup_type_cache(column->type,
											  TYPECACHE_BTREE_OPFAMILY);
	Oid			opno = InvalidOid;

	if (OidIsValid(entry->btree_opf))
		opno = get_opfamily_member(entry->btree_opf, entry->btree_opintype,
								   entry->btree_opintype, strategy);
	append_same_type(buf, column, opno, literal);
}

/*
 * column = 'literal'::type, under the type's own equality
 */
static void
append_equals(StringInfo buf, const ConditionColumn *column,
			  const char *literal)
{
	append_same_type(buf, column,
					 btm_equality_operator(column->type, column->type),
					 literal);
}

/*
 * An array literal of these values (a List of char *), not quoted.
 */
static char *
array_literal(List *values)
{
	int			n = list_length(values);
	Datum	   *elements = palloc(sizeof(Datum) * n);
	ArrayType  *array;

	for (int i = 0; i < n; i++)
		elements[i] = CStringGetTextDatum(list_nth(values, i));
	array = construct_array(elements, n, TEXTOID, -1, false, TYPALIGN_INT);
	return OidOutputFunctionCall(F_ARRAY_OUT, PointerGetDatum(array));
}

/*
 * The array type of a type whose values can be written as array_literal does;
 * InvalidOid for one that has no array type (arrays themselves), or whose
 * arrays do not separate elements by commas.
 */
static Oid
literal_array_type(Oid type)
{
	int16		typlen;
	bool		typbyval;
	char		typalign;
	char		typdelim;
	Oid			ioparam;
	Oid			input;

	get_type_io_data(type, IOFunc_input, &typlen, &typbyval, &typalign,
					 &typdelim, &ioparam, &input);
	return typdelim == ',' ? get_array_type(type) : InvalidOid;
}

/*
 * column = ANY ('{...}'::type[]), under the type's own equality; false for an
 * empty list.  Values that cannot be in such an array are compared one by one,
 * which takes far longer to plan where they are many.
 */
static void
append_in(StringInfo buf, const ConditionColumn *column, List *values)
{
	Oid			opno = btm_equality_operator(column->type, column->type);
	Oid			array_type = literal_array_type(column->type);
	const char *separator = "";
	ListCell   *lc;

	if (values == NIL)
		appendStringInfoString(buf, "false");
	else if (list_length(values) > 1 && OidIsValid(array_type) &&
			 OidIsValid(opno))
	{
		btm_sql_column(buf, column->alias, column->name);
		appendStringInfoChar(buf, ' ');
		btm_sql_operator(buf, opno);
		appendStringInfoString(buf, " ANY (");
		btm_sql_literal(buf, array_literal(values), array_type, -1);
		appendStringInfoChar(buf, ')');
	}
	else
		foreach(lc, values)
		{
			appendStringInfoString(buf, separator);
			append_equals(buf, column, lfirst(lc));
			separator = " OR ";
		}
}

/*
 * One test of a filter, without negation.
 */
static void
append_test(StringInfo buf, const BtmCondition *condition,
			const ConditionColumn *column)
{
	switch (condition->kind)
	{
		case BTM_COND_OPERATOR:
			append_comparison(buf, column, condition->opschema,
							  condition->opname, linitial(condition->values));
			break;
		case BTM_COND_NULL:
			btm_sql_column(buf, column->alias, column->name);
			appendStringInfoString(buf, " IS NULL");
			break;
		case BTM_COND_IN:
			append_in(buf, column, condition->values);
			break;
		case BTM_COND_BETWEEN:
			append_ordering(buf, column, BTGreaterEqualStrategyNumber,
							linitial(condition->values));
			appendStringInfoString(buf, " AND ");
			append_ordering(buf, column, BTLessEqualStrategyNumber,
							lsecond(condition->values));
			break;
		case BTM_COND_DISTINCT:
			appendStringInfoChar(buf, '(');
			append_equals(buf, column, linitial(condition->values));
			appendStringInfoString(buf, ") IS NOT TRUE");
			break;
	}
}

/*
 * One step of a filter.
 */
static void
append_condition(StringInfo buf, const BtmCondition *condition,
				 const char *alias)
{
	ConditionColumn column = condition_column(&condition->column, alias);

	appendStringInfoString(buf, condition->negated ? "NOT (" : "(");
	append_test(buf, condition, &column);
	appendStringInfoChar(buf, ')');
}

/*
 * " AND (...)" for a filter: steps folded from the left.
 */
static void
append_filter(StringInfo buf, List *steps, const char *alias)
{
	if (steps == NIL)
		return;

	appendStringInfoString(buf, " AND ");
	for (int i = 0; i < list_length(steps); i++)
		appendStringInfoChar(buf, '(');
	for (int i = 0; i < list_length(steps); i++)
	{
		const BtmCondition *step = list_nth(steps, i);

		if (i > 0)
			appendStringInfoString(buf, step->is_or ? " OR " : " AND ");
		append_condition(buf, step, alias);
		appendStringInfoChar(buf, ')');
	}
}

/*
 * " AND column = 'value'", or IS NULL, for a pivot value
 */
static void
append_pivot_value(StringInfo buf, const BtmPivotValue *pv, const char *alias)
{
	ConditionColumn column = condition_column(&pv->column, alias);

	appendStringInfoString(buf, " AND ");
	if (pv->value != NULL)
		append_equals(buf, &column, pv->value);
	else
	{
		btm_sql_column(buf, alias, column.name);
		appendStringInfoString(buf, " IS NULL");
	}
}

void
btm_sql_scope(StringInfo buf, const BtmResolved *rel, const char *alias)
{
	ListCell   *lc;

	foreach(lc, rel->def->pivot_values)
		append_pivot_value(buf, lfirst(lc), alias);
	append_filter(buf, rel->def->where, alias);
}

bool
btm_sql_pivot_value(StringInfo buf, const BtmResolved *rel, const char *alias,
					AttrNumber attnum)
{
	ListCell   *lc;

	foreach(lc, rel->def->pivot_values)
	{
		const BtmPivotValue *pv = lfirst(lc);

		if (pv->column.attnum != attnum)
			continue;
		append_pivot_value(buf, pv, alias);
		return true;
	}
	return false;
}

/*
 * Does the definition of a foreign table say that a column is never NULL: by NOT
 * NULL, or as part of the key by the options of wrapper scylla?
 */
static bool
is_never_null(Oid relid, AttrNumber attnum)
{
	HeapTuple	tuple = SearchSysCacheAttNum(relid, attnum);
	bool		result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for attribute %d of relation %u",
			 attnum, relid);
	result = ((Form_pg_attribute) GETSTRUCT(tuple))->attnotnull;
	ReleaseSysCache(tuple);
	return result || list_member_int(btm_foreign_primary_key(relid), attnum);
}

void
btm_sql_related_not_null(StringInfo buf, const BtmResolved *rel,
						 const char *alias)
{
	for (int i = 0; i < rel->nid; i++)
	{
		if (rel->pivot_kind == RELKIND_FOREIGN_TABLE &&
			is_never_null(rel->pivot, rel->id[i].attnum))
			continue;
		appendStringInfoString(buf, " AND ");
		btm_sql_column(buf, alias, rel->id[i].name);
		appendStringInfoString(buf, " IS NOT NULL");
	}
}

void
btm_sql_related_collation(StringInfo buf, const BtmKeyColumn *key)
{
	if (OidIsValid(key->refcollation) && OidIsValid(key->type.collation) &&
		key->refcollation != key->type.collation)
		btm_sql_collation(buf, key->refcollation);
}

void
btm_sql_related_join(StringInfo buf, const BtmResolved *rel, const char *alias)
{
	for (int i = 0; i < rel->nrk; i++)
	{
		const BtmKeyColumn *key = &rel->rk[i];

		if (i > 0)
			appendStringInfoString(buf, " AND ");
		btm_sql_column(buf, "r", key->refname);
		appendStringInfoChar(buf, ' ');
		btm_sql_operator(buf, btm_equality_operator(getBaseType(key->reftype),
													key->type.type));
		appendStringInfoChar(buf, ' ');
		btm_sql_column(buf, alias, key->name);
		btm_sql_related_collation(buf, key);
	}
}

void
btm_sql_related_scope(StringInfo buf, const BtmResolved *rel)
{
	append_filter(buf, rel->def->where_related, "r");
}

void
btm_sql_order_by(StringInfo buf, const BtmResolved *rel)
{
	const char *separator = " ORDER BY ";
	ListCell   *lc;

	foreach(lc, rel->def->order_by)
	{
		const BtmOrderBy *order = lfirst(lc);

		appendStringInfoString(buf, separator);
		btm_sql_column(buf, order->side == BTM_PIVOT ? "p" : "r",
					   order->column.name);
		appendStringInfoString(buf, order->descending ? " DESC" : " ASC");
		appendStringInfoString(buf, order->nulls_first ?
							   " NULLS FIRST" : " NULLS LAST");
		separator = ", ";
	}
}

void
btm_sql_limit(StringInfo buf, const BtmResolved *rel)
{
	if (!rel->def->has_take)
		return;
	if (rel->def->max_rows >= 0)
		appendStringInfo(buf, " LIMIT " INT64_FORMAT, rel->def->max_rows);
	if (rel->def->skip > 0)
		appendStringInfo(buf, " OFFSET " INT64_FORMAT, rel->def->skip);
}
