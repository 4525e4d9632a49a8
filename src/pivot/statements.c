/*-------------------------------------------------------------------------
 *
 * statements.c
 *	  Text of the statements that read and write a pivot's rows.
 *
 * What local and foreign pivots have in common: one statement for each step of
 * an operation.  See sqltext.h for the conventions.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_operator_d.h"
#include "catalog/pg_type.h"
#include "pivot/sqltext.h"
#include "pivot/statements.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* ------------------
 * Pieces of SQL text
 * ------------------
 */

/*
 * "p.k1, p.k2": the columns of an id.
 */
static void
append_id_columns(StringInfo sql, const BtmResolved *rel, const char *alias)
{
	for (int i = 0; i < rel->nid; i++)
	{
		if (i > 0)
			appendStringInfoString(sql, ", ");
		btm_sql_column(sql, alias, rel->id[i].name);
	}
}

/*
 * See statements.h.
 */
void
btm_append_returning(StringInfo sql, BtmCall *call, const BtmStatement *stmt)
{
	if (!stmt->returning)
		return;
	appendStringInfoString(sql, " RETURNING ");
	append_id_columns(sql, call->rel, "p");
}

/*
 * Does the statement have ids for input, in a relation or as parameters?
 */
static bool
has_input(const BtmStatement *stmt)
{
	return stmt->input != NULL || stmt->single != NULL;
}

/*
 * " AND p.k1 = ANY ($n)" if the statement has its ids as an array.
 */
static void
append_id_array(StringInfo sql, const BtmResolved *rel,
				const BtmStatement *stmt)
{
	if (!OidIsValid(stmt->array_type))
		return;
	appendStringInfoString(sql, " AND ");
	btm_sql_column(sql, "p", rel->id[0].name);
	appendStringInfoChar(sql, ' ');
	btm_sql_operator(sql, rel->id[0].eq_opr);
	appendStringInfo(sql, " ANY ($%d)", rel->nfk + 1);
}

/*
 * " WHERE parent [AND ids]"
 */
static void
append_pairs(StringInfo sql, const BtmResolved *rel, const BtmStatement *stmt)
{
	appendStringInfoString(sql, " WHERE ");
	btm_sql_parent_params(sql, rel, "p");
	append_id_array(sql, rel, stmt);
	if (has_input(stmt))
	{
		appendStringInfoString(sql, " AND ");
		btm_sql_id_set(sql, rel, "p");
	}
}

/*
 * " WHERE parent [AND ids] AND scope"
 */
static void
append_where(StringInfo sql, const BtmResolved *rel, const BtmStatement *stmt)
{
	append_pairs(sql, rel, stmt);
	btm_sql_scope(sql, rel, "p");
}

/*
 * Is p.column distinct from value?  Spelled out, because IS DISTINCT FROM
 * looks its operator up by name.  Types without equality (json) are compared
 * by their text, and so are composite types, for which IS NOT NULL asks about
 * the fields.  A value that is not NULL equals no NULL.
 */
static void
append_distinct(StringInfo sql, const BtmPivotColumn *column,
				const char *value, bool may_be_null)
{
	bool		by_text = !OidIsValid(column->eq_opr) ||
		column->type.typcategory == TYPCATEGORY_COMPOSITE;
	const char *cast = by_text ? "::pg_catalog.text" : "";
	const char *name = quote_identifier(column->name);

	appendStringInfo(sql, "(p.%s%s ", name, cast);
	btm_sql_operator(sql, by_text ? TextEqualOperator : column->eq_opr);
	appendStringInfo(sql, " %s%s) IS NOT TRUE", value, cast);
	if (may_be_null)
		appendStringInfo(sql, " AND (p.%s%s IS NOT NULL OR %s%s IS NOT NULL)",
						 name, cast, value, cast);
}

/*
 * The value of attribute i in an UPDATE: a column of `source`.
 */
static char *
attribute_value(const BtmStatement *stmt, int i, bool excluded)
{
	if (excluded)
		return psprintf("excluded.%s",
						quote_identifier(stmt->shape->columns[i]->name));
	return psprintf("u.a%d", i + 1);
}

/*
 * See statements.h.
 */
bool
btm_shape_has(const BtmShape *shape, AttrNumber attnum)
{
	for (int i = 0; i < shape->ncolumns; i++)
		if (shape->columns[i]->attnum == attnum)
			return true;
	return false;
}

/*
 * See statements.h.
 */
const char *
btm_pivot_column_name(const BtmResolved *rel, AttrNumber attnum)
{
	return quote_identifier(get_attname(rel->pivot, attnum, false));
}

/*
 * See statements.h.
 */
void
btm_append_set(StringInfo sql, const BtmResolved *rel,
			   const BtmStatement *stmt, bool excluded)
{
	const BtmShape *shape = stmt->shape;

	appendStringInfoString(sql, " SET ");
	for (int i = 0; i < shape->ncolumns; i++)
		appendStringInfo(sql, "%s%s = %s", i > 0 ? ", " : "",
						 quote_identifier(shape->columns[i]->name),
						 attribute_value(stmt, i, excluded));
	if (AttributeNumberIsValid(rel->updated_at) &&
		!btm_shape_has(shape, rel->updated_at))
		appendStringInfo(sql, ", %s = pg_catalog.now()",
						 btm_pivot_column_name(rel, rel->updated_at));
}

/*
 * See statements.h.  A trigger may have made NULL of an excluded value.
 */
void
btm_append_differs(StringInfo sql, const BtmStatement *stmt, bool excluded)
{
	appendStringInfoChar(sql, '(');
	for (int i = 0; i < stmt->shape->ncolumns; i++)
	{
		if (i > 0)
			appendStringInfoString(sql, " OR ");
		append_distinct(sql, stmt->shape->columns[i],
						attribute_value(stmt, i, excluded),
						excluded || stmt->variant != 0);
	}
	appendStringInfoChar(sql, ')');
}

/* ----------
 * Statements
 * ----------
 */

/*
 * "SELECT p.k1, ... FROM [input, ] pivot p"
 */
static void
append_select(StringInfo sql, BtmCall *call, const BtmStatement *stmt)
{
	appendStringInfoString(sql, "SELECT ");
	append_id_columns(sql, call->rel, "p");
	appendStringInfoString(sql, " FROM ");
	if (has_input(stmt))
	{
		btm_statement_append_input(sql, call, stmt);
		appendStringInfoString(sql, ", ");
	}
	btm_sql_table(sql, call->rel->pivot);
	appendStringInfoString(sql, " p");
}

/*
 * Keys of the rows in scope.  Those of a primary key are not NULL.
 */
void
btm_build_read_keys(StringInfo sql, BtmCall *call, const BtmStatement *stmt)
{
	append_select(sql, call, stmt);
	append_where(sql, call->rel, stmt);
	if (!call->rel->pair_is_row)
		btm_sql_related_not_null(sql, call->rel, "p");
}

/*
 * Keys of the pairs that no other row may have, in or out of the filter.
 */
void
btm_build_read_conflicts(StringInfo sql, BtmCall *call,
						 const BtmStatement *stmt)
{
	append_select(sql, call, stmt);
	append_pairs(sql, call->rel, stmt);
	btm_sql_arbiter_values(sql, call->rel, "p");
}

void
btm_build_delete(StringInfo sql, BtmCall *call, const BtmStatement *stmt)
{
	appendStringInfoString(sql, "DELETE FROM ");
	btm_sql_table(sql, call->rel->pivot);
	appendStringInfoString(sql, " p");
	if (has_input(stmt))
	{
		appendStringInfoString(sql, " USING ");
		btm_statement_append_input(sql, call, stmt);
	}
	append_where(sql, call->rel, stmt);
	btm_append_returning(sql, call, stmt);
}

void
btm_build_update(StringInfo sql, BtmCall *call, const BtmStatement *stmt)
{
	appendStringInfoString(sql, "UPDATE ");
	btm_sql_table(sql, call->rel->pivot);
	appendStringInfoString(sql, " p");
	btm_append_set(sql, call->rel, stmt, false);
	appendStringInfoString(sql, " FROM ");
	btm_statement_append_input(sql, call, stmt);
	append_where(sql, call->rel, stmt);
	appendStringInfoString(sql, " AND ");
	btm_append_differs(sql, stmt, false);
	btm_append_returning(sql, call, stmt);
}

/*
 * Adds one column to the target list and its value to the select list of an
 * INSERT.
 */
static void
append_target(StringInfo targets, StringInfo values, const char *name,
			  const char *value)
{
	if (targets->len > 0)
	{
		appendStringInfoString(targets, ", ");
		appendStringInfoString(values, ", ");
	}
	appendStringInfoString(targets, quote_identifier(name));
	appendStringInfoString(values, value);
}

/*
 * Adds a timestamp column unless there is none or an attribute gives it.
 */
static void
append_timestamp(StringInfo targets, StringInfo values,
				 const BtmResolved *rel, AttrNumber attnum,
				 const BtmShape *shape)
{
	if (AttributeNumberIsValid(attnum) && !btm_shape_has(shape, attnum))
		append_target(targets, values, get_attname(rel->pivot, attnum, false),
					  "pg_catalog.now()");
}

/*
 * Adds the pivot values that no attribute overrides.
 */
static void
append_pivot_values(StringInfo targets, StringInfo values,
					const BtmResolved *rel, const BtmShape *shape)
{
	ListCell   *lc;

	foreach(lc, rel->def->pivot_values)
	{
		const BtmPivotValue *pv = lfirst(lc);
		StringInfoData literal;

		if (btm_shape_has(shape, pv->column.attnum))
			continue;
		initStringInfo(&literal);
		btm_sql_literal(&literal, pv->value,
						getBaseType(get_atttype(rel->pivot, pv->column.attnum)),
						-1);
		append_target(targets, values, pv->column.name, literal.data);
	}
}

/*
 * Makes the target list and the select list of an INSERT: the parent's key
 * from parameters, the id and its attributes from the input.
 */
static void
build_insert_lists(StringInfo targets, StringInfo values,
				   const BtmResolved *rel, const BtmStatement *stmt)
{
	const BtmShape *shape = stmt->shape;

	for (int i = 0; i < rel->nfk; i++)
		append_target(targets, values, rel->fk[i].name,
					  psprintf("$%d", i + 1));
	for (int i = 0; i < rel->nid; i++)
		append_target(targets, values, rel->id[i].name,
					  psprintf("u.k%d", i + 1));
	for (int i = 0; i < shape->ncolumns; i++)
		append_target(targets, values, shape->columns[i]->name,
					  psprintf("u.a%d", i + 1));
	append_pivot_values(targets, values, rel, shape);
	append_timestamp(targets, values, rel, rel->created_at, shape);
	append_timestamp(targets, values, rel, rel->updated_at, shape);
}

/*
 * See statements.h.
 */
void
btm_append_insert(StringInfo sql, BtmCall *call, const BtmStatement *stmt)
{
	StringInfoData targets;
	StringInfoData values;

	initStringInfo(&targets);
	initStringInfo(&values);
	build_insert_lists(&targets, &values, call->rel, stmt);

	appendStringInfoString(sql, "INSERT INTO ");
	btm_sql_table(sql, call->rel->pivot);
	appendStringInfo(sql, " AS p (%s) SELECT %s FROM ",
					 targets.data, values.data);
	btm_statement_append_input(sql, call, stmt);
}

/* -------
 * Running
 * -------
 */

/*
 * See statements.h.
 */
BtmStatement
btm_statement_make(BtmStatementKind kind, BtmBuild build, bool returning)
{
	BtmStatement stmt = {0};

	stmt.kind = kind;
	stmt.build = build;
	stmt.returning = returning;
	return stmt;
}

/*
 * See statements.h.
 */
DestReceiver *
btm_returned_keys(BtmCall *call, BtmKeys *keys)
{
	DestReceiver *dest;
	MemoryContext oldcxt;

	if (keys == NULL)
		return NULL;
	oldcxt = MemoryContextSwitchTo(call->cxt);
	dest = btm_keys_receiver(keys, call->rel->id);
	MemoryContextSwitchTo(oldcxt);
	return dest;
}
