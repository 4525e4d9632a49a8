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

#include "catalog/pg_class.h"
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
bool
btm_is_row_key(const BtmResolved *rel, AttrNumber attnum)
{
	for (int i = 0; i < rel->narbiter; i++)
		if (rel->arbiter[i] == attnum)
			return rel->pivot_kind == RELKIND_FOREIGN_TABLE;
	return false;
}

/*
 * See statements.h.
 */
void
btm_append_set(StringInfo sql, const BtmResolved *rel,
			   const BtmStatement *stmt, bool excluded)
{
	const BtmShape *shape = stmt->shape;
	const char *separator = " SET ";

	for (int i = 0; i < shape->ncolumns; i++)
	{
		if (btm_is_row_key(rel, shape->columns[i]->attnum))
			continue;
		appendStringInfo(sql, "%s%s = %s", separator,
						 quote_identifier(shape->columns[i]->name),
						 attribute_value(stmt, i, excluded));
		separator = ", ";
	}
	if (AttributeNumberIsValid(rel->updated_at) &&
		!btm_shape_has(shape, rel->updated_at))
		appendStringInfo(sql, ", %s = pg_catalog.now()",
						 btm_pivot_column_name(rel, rel->updated_at));
}

/*
 * "(a differs OR b differs ...)" for attributes that are columns of a foreign
 * pivot's primary key, or for those that are not.  A trigger may have made NULL
 * of an excluded value.
 */
static void
append_differs(StringInfo sql, const BtmResolved *rel, const BtmStatement *stmt,
			   bool excluded, bool row_key)
{
	const char *separator = "(";

	for (int i = 0; i < stmt->shape->ncolumns; i++)
	{
		if (btm_is_row_key(rel, stmt->shape->columns[i]->attnum) != row_key)
			continue;
		appendStringInfoString(sql, separator);
		append_distinct(sql, stmt->shape->columns[i],
						attribute_value(stmt, i, excluded),
						excluded || stmt->variant != 0);
		separator = " OR ";
	}
	appendStringInfoChar(sql, ')');
}

/*
 * See statements.h.
 */
void
btm_append_differs(StringInfo sql, const BtmResolved *rel,
				   const BtmStatement *stmt, bool excluded)
{
	append_differs(sql, rel, stmt, excluded, false);
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
 * A value as a column of a foreign table's primary key stores it: CQL's
 * timestamps end with milliseconds.
 */
static char *
row_key_value(const BtmResolved *rel, const BtmPivotColumn *column, char *value)
{
	if (rel->pivot_kind == RELKIND_FOREIGN_TABLE &&
		(column->type.type == TIMESTAMPTZOID ||
		 column->type.type == TIMESTAMPOID))
		return psprintf("pg_catalog.date_trunc('milliseconds', %s)", value);
	return value;
}

/*
 * " AND p.column = value" for a column that an attribute of the ids gives.
 *
 * The input is joined here; the list of its values is for a wrapper, which it
 * lets read no others.
 */
static void
append_attribute_equals(StringInfo sql, const BtmResolved *rel,
						const BtmStatement *stmt, int i)
{
	const BtmPivotColumn *column = stmt->shape->columns[i];
	char	   *value = row_key_value(rel, column, psprintf("u.a%d", i + 1));

	appendStringInfoString(sql, " AND ");
	btm_sql_column(sql, "p", column->name);
	appendStringInfoChar(sql, ' ');
	btm_sql_operator(sql, column->eq_opr);
	appendStringInfo(sql, " %s", value);
	if (stmt->input == NULL || !OidIsValid(get_array_type(column->type.type)))
		return;
	appendStringInfoString(sql, " AND ");
	btm_sql_column(sql, "p", column->name);
	appendStringInfoChar(sql, ' ');
	btm_sql_operator(sql, column->eq_opr);
	appendStringInfo(sql, " ANY (ARRAY(SELECT %s FROM " BTM_INPUT_NAME
					 " u))", value);
}

/*
 * " AND p.column = value" for a column of the index on the pair, or of the
 * primary key, with the value that an INSERT gives it: an attribute, a pivot
 * value or the time.  A column without any finds no row, for it is NULL.
 */
static void
append_inserted_equals(StringInfo sql, const BtmResolved *rel,
					   const BtmStatement *stmt, AttrNumber attnum)
{
	const BtmPivotColumn *column = btm_pivot_column_by_number(rel, attnum);

	if (column->is_key)
		return;
	for (int i = 0; stmt->shape != NULL && i < stmt->shape->ncolumns; i++)
		if (stmt->shape->columns[i] == column)
		{
			append_attribute_equals(sql, rel, stmt, i);
			return;
		}
	if (btm_sql_pivot_value(sql, rel, "p", attnum))
		return;
	if (attnum != rel->created_at && attnum != rel->updated_at)
	{
		appendStringInfoString(sql, " AND false");
		return;
	}
	appendStringInfo(sql, " AND p.%s ", quote_identifier(column->name));
	btm_sql_operator(sql, column->eq_opr);
	appendStringInfo(sql, " %s",
					 row_key_value(rel, column,
								   psprintf("pg_catalog.now()::%s",
											format_type_be_qualified(column->type.type))));
}

/*
 * The rows that an INSERT of the pairs would meet.
 */
static void
append_inserted_rows(StringInfo sql, const BtmResolved *rel,
					 const BtmStatement *stmt)
{
	for (int i = 0; i < rel->narbiter; i++)
		append_inserted_equals(sql, rel, stmt, rel->arbiter[i]);
}

/*
 * Keys of the rows in scope; of those that an INSERT with these attributes would
 * meet, if there are some.  Those of a primary key are not NULL.
 */
void
btm_build_read_keys(StringInfo sql, BtmCall *call, const BtmStatement *stmt)
{
	append_select(sql, call, stmt);
	append_where(sql, call->rel, stmt);
	if (stmt->shape != NULL)
		append_inserted_rows(sql, call->rel, stmt);
	if (!call->rel->pair_is_row)
		btm_sql_related_not_null(sql, call->rel, "p");
}

/*
 * Keys of the rows in scope that have other values in columns of the primary
 * key than the attributes say.
 */
void
btm_build_read_moved(StringInfo sql, BtmCall *call, const BtmStatement *stmt)
{
	append_select(sql, call, stmt);
	append_where(sql, call->rel, stmt);
	appendStringInfoString(sql, " AND ");
	append_differs(sql, call->rel, stmt, false, true);
}

/*
 * Keys of the rows that an INSERT of the pairs would meet, in or out of the
 * filter.
 */
void
btm_build_read_conflicts(StringInfo sql, BtmCall *call,
						 const BtmStatement *stmt)
{
	append_select(sql, call, stmt);
	append_pairs(sql, call->rel, stmt);
	append_inserted_rows(sql, call->rel, stmt);
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
	btm_append_differs(sql, call->rel, stmt, false);
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
