/*-------------------------------------------------------------------------
 *
 * queries.c
 *	  SQL text for the user's own statements: get_pivot_columns(),
 *	  new_pivot_query(), pivot_predicate(), add_constraints(); and
 *	  get_related_table().
 *
 * The text stands for itself: it has no parameters and means the same in every
 * session, whatever its search_path and settings.
 *
 * A predicate is for UPDATE and DELETE of the pivot table too, where the user
 * may not have given it an alias, so columns are qualified by the bare name of
 * the table.  It never leaves a filter out: one on related rows, through which
 * the functions themselves refuse to write, becomes an EXISTS.
 *
 * A query that constraints are added to is parsed, so that it is known to be
 * one SELECT and where it ends, and then goes into the text as it was written:
 * in parentheses, on lines of its own because it may end with a comment.
 *
 * Where the pivot is a foreign table and one parent is asked for, the parent's
 * rows are a materialized WITH query: they are read once, by the parent's key
 * alone, whatever the planner thinks of the user's query, whose rows are then
 * joined to them.  If the related table is foreign as well, the query is also
 * restricted to the ids among them, as a list, which its wrapper can send.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"
#include "parser/scansup.h"
#include "pivot/results.h"
#include "pivot/sqltext.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

BTM_FUNCTION(btm_get_pivot_columns);
BTM_FUNCTION(btm_new_pivot_query);
BTM_FUNCTION(btm_new_pivot_query_for);
BTM_FUNCTION(btm_pivot_predicate);
BTM_FUNCTION(btm_pivot_predicate_for);
BTM_FUNCTION(btm_add_constraints);
BTM_FUNCTION(btm_add_constraints_for);
BTM_FUNCTION(btm_get_related_table);

/*
 * The pivot's bare name, quoted.
 */
static const char *
pivot_name(const BtmResolved *rel)
{
	return quote_identifier(get_rel_name(rel->pivot));
}

/* ----------
 * Predicates
 * ----------
 */

/*
 * Begins a call of one of these functions.  The variants for one parent have
 * it in argument 1.
 */
static BtmCall *
begin(FunctionCallInfo fcinfo, const char *name, bool for_parent)
{
	BtmCall    *call = btm_call_begin(fcinfo, name, AccessShareLock);

	if (for_parent)
		btm_call_set_parent(call, 1, true);
	return call;
}

/*
 * " AND ..." for the parent's key, in the variants for one parent, and for the
 * relation's conditions on the pivot.  For a NULL parent " AND false".
 */
static void
append_conditions(StringInfo sql, BtmCall *call, const char *alias,
				  bool for_parent)
{
	if (for_parent && call->parent == NULL)
	{
		appendStringInfoString(sql, " AND false");
		return;
	}
	if (for_parent)
	{
		appendStringInfoString(sql, " AND ");
		btm_sql_parent_literals(sql, call->rel, alias, call->parent);
	}
	btm_sql_scope(sql, call->rel, alias);
}

/*
 * " AND EXISTS (...)": the related row passes the relation's filter.
 *
 * Here the pivot's columns are qualified by its schema, too, so that they
 * cannot be taken for columns of r if the pivot has that name.
 */
static void
append_related_exists(StringInfo sql, const BtmResolved *rel)
{
	StringInfoData pivot;

	if (!btm_reads_related(rel))
		return;
	initStringInfo(&pivot);
	btm_sql_table(&pivot, rel->pivot);

	appendStringInfoString(sql, " AND EXISTS (SELECT FROM ");
	btm_sql_table(sql, rel->related);
	appendStringInfoString(sql, " r WHERE ");
	btm_sql_related_join(sql, rel, pivot.data);
	btm_sql_related_scope(sql, rel);
	appendStringInfoChar(sql, ')');
}

/*
 * All conditions on the pivot as one predicate: "(a AND b)"; "true" where
 * there are none, "false" for a NULL parent.
 */
static void
append_predicate(StringInfo sql, BtmCall *call, bool for_parent)
{
	StringInfoData conditions;

	if (for_parent && call->parent == NULL)
	{
		appendStringInfoString(sql, "false");
		return;
	}
	initStringInfo(&conditions);
	append_conditions(&conditions, call, pivot_name(call->rel), for_parent);
	append_related_exists(&conditions, call->rel);
	if (conditions.len > 0)
		appendStringInfo(sql, "(%s)", conditions.data + strlen(" AND "));
	else
		appendStringInfoString(sql, "true");
}

/*
 * Both forms of pivot_predicate.
 */
static Datum
pivot_predicate(FunctionCallInfo fcinfo, bool for_parent)
{
	BtmCall    *call = begin(fcinfo, "pivot_predicate", for_parent);
	StringInfoData sql;

	initStringInfo(&sql);
	append_predicate(&sql, call, for_parent);
	btm_call_end(call);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(sql.data, sql.len));
}

/*
 * pivot_predicate(relation) returns text
 */
Datum
btm_pivot_predicate(PG_FUNCTION_ARGS)
{
	return pivot_predicate(fcinfo, false);
}

/*
 * pivot_predicate(relation, parent_id) returns text
 */
Datum
btm_pivot_predicate_for(PG_FUNCTION_ARGS)
{
	return pivot_predicate(fcinfo, true);
}

/* --------------------
 * Queries on the pivot
 * --------------------
 */

/*
 * Both forms of new_pivot_query: all columns of the pivot.
 */
static Datum
new_pivot_query(FunctionCallInfo fcinfo, bool for_parent)
{
	BtmCall    *call = begin(fcinfo, "new_pivot_query", for_parent);
	const BtmResolved *rel = call->rel;
	const char *alias = pivot_name(rel);
	StringInfoData sql;

	initStringInfo(&sql);
	for (int i = 0; i < rel->ncolumns; i++)
	{
		appendStringInfoString(&sql, i > 0 ? ", " : "SELECT ");
		btm_sql_column(&sql, alias, rel->columns[i].name);
	}
	appendStringInfoString(&sql, " FROM ");
	btm_sql_table(&sql, rel->pivot);
	appendStringInfoString(&sql, " WHERE ");
	append_predicate(&sql, call, for_parent);
	btm_call_end(call);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(sql.data, sql.len));
}

/*
 * new_pivot_query(relation) returns text
 */
Datum
btm_new_pivot_query(PG_FUNCTION_ARGS)
{
	return new_pivot_query(fcinfo, false);
}

/*
 * new_pivot_query(relation, parent_id) returns text
 */
Datum
btm_new_pivot_query_for(PG_FUNCTION_ARGS)
{
	return new_pivot_query(fcinfo, true);
}

/* -----------------------
 * Queries on related rows
 * -----------------------
 */

/*
 * Error context: a position in the user's query is one in a query inside of
 * the statement.
 */
static void
query_error_callback(void *arg)
{
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery((const char *) arg);
	}
}

/*
 * Parses the user's query.
 */
static List *
parse_query(const char *query)
{
	ErrorContextCallback context;
	List	   *result;

	context.callback = query_error_callback;
	context.arg = unconstify(char *, query);
	context.previous = error_context_stack;
	error_context_stack = &context;
	result = raw_parser(query, RAW_PARSE_DEFAULT);
	error_context_stack = context.previous;
	return result;
}

/*
 * Is this a SELECT that can be a subquery?  (One with INTO creates a table.)
 */
static bool
is_select(const Node *node)
{
	const SelectStmt *leftmost = (const SelectStmt *) node;

	if (!IsA(node, SelectStmt))
		return false;
	while (leftmost->larg != NULL)
		leftmost = leftmost->larg;
	return leftmost->intoClause == NULL;
}

/*
 * The one SELECT statement that an argument holds, without a semicolon.
 * Errors: 22004 for NULL, 42601 if it cannot be parsed, 22023 if it is no
 * SELECT or not one.
 */
static char *
query_arg(BtmCall *call, int argno)
{
	char	   *query;
	List	   *statements;
	RawStmt    *statement;
	int			start;

	if (call->fcinfo->args[argno].isnull)
		btm_null_argument(call, "query", NULL);
	query = text_to_cstring(DatumGetTextPP(call->fcinfo->args[argno].value));
	statements = parse_query(query);
	if (list_length(statements) != 1 ||
		!is_select(linitial_node(RawStmt, statements)->stmt))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("query of %s() must be one SELECT statement",
						call->name)));

	statement = linitial_node(RawStmt, statements);
	start = Max(statement->stmt_location, 0);
	if (statement->stmt_len > 0)
		query[start + statement->stmt_len] = '\0';
	query += start;
	while (scanner_isspace(*query))
		query++;
	return query;
}

void
btm_sql_literal_where(StringInfo sql, BtmCall *call, bool for_parent)
{
	StringInfoData conditions;

	initStringInfo(&conditions);
	append_conditions(&conditions, call, "p", for_parent);
	btm_sql_related_scope(&conditions, call->rel);
	if (conditions.len > 0)
		appendStringInfo(sql, " WHERE %s", conditions.data + strlen(" AND "));
}

/*
 * A name for a WITH query that the user's query does not use.  Names are
 * compared as substrings, whatever their case: that is more than enough.
 */
static char *
with_name(const char *query)
{
	char	   *folded = downcase_identifier(query, strlen(query), false, false);
	char	   *name = pstrdup(BTM_PIVOT_NAME);

	for (int i = 1; strstr(folded, name) != NULL; i++)
		name = psprintf(BTM_PIVOT_NAME "_%d", i);
	return name;
}

/*
 * The pivot's columns that the query around its rows needs, by number: those of
 * results, of the order and of the join.
 */
static Bitmapset *
columns_around(const BtmResolved *rel)
{
	Bitmapset  *result = NULL;
	ListCell   *lc;

	foreach(lc, btm_result_pivot_columns(rel))
		result = bms_add_member(result,
								((BtmPivotColumn *) lfirst(lc))->attnum);
	foreach(lc, rel->def->order_by)
	{
		const BtmOrderBy *order = lfirst(lc);

		if (order->side == BTM_PIVOT)
			result = bms_add_member(result, order->column.attnum);
	}
	for (int i = 0; i < rel->nrk; i++)
		result = bms_add_member(result, rel->rk[i].attnum);
	return result;
}

/*
 * "WITH name AS MATERIALIZED (SELECT p.a, ... FROM pivot p WHERE ...) ": the
 * parent's rows.
 */
static void
append_with(StringInfo sql, BtmCall *call, const char *name)
{
	const BtmResolved *rel = call->rel;
	Bitmapset  *columns = columns_around(rel);
	const char *separator = "";
	StringInfoData conditions;

	appendStringInfo(sql, "WITH %s AS MATERIALIZED (SELECT ", name);
	for (int i = 0; i < rel->ncolumns; i++)
	{
		if (!bms_is_member(rel->columns[i].attnum, columns))
			continue;
		appendStringInfoString(sql, separator);
		btm_sql_column(sql, "p", rel->columns[i].name);
		separator = ", ";
	}
	appendStringInfoString(sql, " FROM ");
	btm_sql_table(sql, rel->pivot);
	initStringInfo(&conditions);
	append_conditions(&conditions, call, "p", true);
	appendStringInfo(sql, " p WHERE %s) ", conditions.data + strlen(" AND "));
}

/*
 * " AND r.key = ANY (ARRAY(SELECT p.key FROM name p))" for each column of the
 * related key that can be in an array.
 */
static void
append_related_lists(StringInfo sql, const BtmResolved *rel, const char *name)
{
	for (int i = 0; i < rel->nrk; i++)
	{
		const BtmKeyColumn *key = &rel->rk[i];

		if (!OidIsValid(get_array_type(key->type.type)))
			continue;
		appendStringInfoString(sql, " AND ");
		btm_sql_column(sql, "r", key->refname);
		appendStringInfoChar(sql, ' ');
		btm_sql_operator(sql,
						 btm_equality_operator(getBaseType(key->reftype),
											   key->type.type));
		appendStringInfoString(sql, " ANY (ARRAY(SELECT ");
		btm_sql_column(sql, "p", key->name);
		appendStringInfo(sql, " FROM %s p)", name);
		btm_sql_related_collation(sql, key);
		appendStringInfoChar(sql, ')');
	}
}

/*
 * " WHERE ..." where the parent's rows have been read.
 */
static void
append_constraints_with(StringInfo sql, const BtmResolved *rel,
						const char *name)
{
	appendStringInfoString(sql, " WHERE true");
	if (get_rel_relkind(rel->related) == RELKIND_FOREIGN_TABLE)
		append_related_lists(sql, rel, name);
	btm_sql_related_scope(sql, rel);
}

/*
 * Both forms of add_constraints.
 */
static Datum
add_constraints(FunctionCallInfo fcinfo, bool for_parent)
{
	BtmCall    *call = begin(fcinfo, "add_constraints", for_parent);
	const BtmResolved *rel = call->rel;
	char	   *query = query_arg(call, for_parent ? 2 : 1);
	char	   *with = for_parent && btm_is_foreign(rel) ? with_name(query) : NULL;
	StringInfoData sql;

	initStringInfo(&sql);
	if (with != NULL)
		append_with(&sql, call, with);
	appendStringInfoString(&sql, "SELECT r.*");
	btm_sql_aliased_pivot_columns(&sql, rel, ", ");
	appendStringInfoString(&sql, " FROM ");
	if (with != NULL)
		appendStringInfoString(&sql, with);
	else
		btm_sql_table(&sql, rel->pivot);
	appendStringInfo(&sql, " p JOIN (\n%s\n) AS r ON (", query);
	btm_sql_related_join(&sql, rel, "p");
	appendStringInfoChar(&sql, ')');
	if (with != NULL)
		append_constraints_with(&sql, rel, with);
	else
		btm_sql_literal_where(&sql, call, for_parent);
	btm_sql_order_by(&sql, rel);
	btm_sql_limit(&sql, rel);
	btm_call_end(call);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(sql.data, sql.len));
}

/*
 * add_constraints(relation, query) returns text
 */
Datum
btm_add_constraints(PG_FUNCTION_ARGS)
{
	return add_constraints(fcinfo, false);
}

/*
 * add_constraints(relation, parent_id, query) returns text
 */
Datum
btm_add_constraints_for(PG_FUNCTION_ARGS)
{
	return add_constraints(fcinfo, true);
}

/* -----
 * Names
 * -----
 */

/*
 * get_pivot_columns(relation) returns text[]: "user_roles.user_id AS
 * pivot_user_id", ...
 */
Datum
btm_get_pivot_columns(PG_FUNCTION_ARGS)
{
	BtmCall    *call = btm_call_begin(fcinfo, "get_pivot_columns",
									  AccessShareLock);
	const char *table = pivot_name(call->rel);
	List	   *columns = btm_result_pivot_columns(call->rel);
	Datum	   *elements = palloc(sizeof(Datum) * list_length(columns));
	int			n = 0;
	ListCell   *lc;

	foreach(lc, columns)
	{
		const char *name = ((BtmPivotColumn *) lfirst(lc))->name;
		const char *alias = quote_identifier(btm_pivot_alias(name));
		char	   *column = psprintf("%s.%s AS %s", table,
									  quote_identifier(name), alias);

		elements[n++] = CStringGetTextDatum(column);
	}
	btm_call_end(call);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, n, TEXTOID, -1, false,
										  TYPALIGN_INT));
}

/*
 * get_related_table(relation) returns regclass
 */
Datum
btm_get_related_table(PG_FUNCTION_ARGS)
{
	BtmCall    *call = btm_call_begin(fcinfo, "get_related_table",
									  AccessShareLock);
	Oid			related = call->rel->related;

	btm_call_end(call);
	PG_RETURN_OID(related);
}
