/*-------------------------------------------------------------------------
 *
 * view.c
 *	  create_relation_view(): a relation as a view.
 *
 * The view is the join that one would write by hand, with the related columns
 * under their names and the pivot columns as pivot_<column>; the planner pulls
 * it up, so that a condition on it reaches the indexes of both tables.  It is
 * a security_invoker view: who reads it needs privileges on the tables, as for
 * every other read of the relation.
 *
 * That is why an ordering is left out: a view with ORDER BY is not pulled up,
 * and its order would not be binding for the query around it anyway.  A page
 * (take) is refused: it is a page of one parent's rows, and a view has all.
 *
 * The statement runs as if the caller had sent it, so that all rules for
 * CREATE VIEW apply.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/namespace.h"
#include "pivot/results.h"
#include "pivot/sqltext.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

BTM_FUNCTION(btm_create_relation_view);

/*
 * The name of the view as SQL text, quoted anew.  Errors: 22004 for NULL,
 * 42602 if it is no name.
 */
static char *
view_name_arg(BtmCall *call, int argno)
{
	text	   *name;

	if (call->fcinfo->args[argno].isnull)
		btm_null_argument(call, "view_name", NULL);
	name = DatumGetTextPP(call->fcinfo->args[argno].value);
	return NameListToQuotedString(textToQualifiedNameList(name));
}

/*
 * "SELECT r.a, ..., p.x AS pivot_x, ..."
 */
static void
append_select(StringInfo sql, const BtmResolved *rel)
{
	const char *separator = "SELECT ";
	ListCell   *lc;

	foreach(lc, btm_related_columns(rel))
	{
		appendStringInfoString(sql, separator);
		btm_sql_column(sql, "r", lfirst(lc));
		separator = ", ";
	}
	btm_sql_aliased_pivot_columns(sql, rel, separator);
}

/*
 * Runs the statement as the caller.
 */
static void
create_view(BtmCall *call, const char *name, bool replace)
{
	const BtmResolved *rel = call->rel;
	StringInfoData sql;
	int			rc;

	btm_connect(call);
	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE %sVIEW %s WITH (security_invoker = true) AS ",
					 replace ? "OR REPLACE " : "", name);
	append_select(&sql, rel);
	appendStringInfoString(&sql, " FROM ");
	btm_sql_from(&sql, rel, NULL, true);
	btm_sql_literal_where(&sql, call, false);
	rc = SPI_execute(sql.data, false, 0);
	if (rc != SPI_OK_UTILITY)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(rc));
	SPI_finish();
}

/*
 * create_relation_view(relation, view_name, replace) returns void
 */
Datum
btm_create_relation_view(PG_FUNCTION_ARGS)
{
	BtmCall    *call = btm_call_begin(fcinfo, "create_relation_view",
									  AccessShareLock);
	char	   *name = view_name_arg(call, 1);

	if (PG_ARGISNULL(2))
		btm_null_argument(call, "replace", NULL);
	if (call->rel->def->has_take)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a relation with take() cannot be a view"),
				 errhint("Use the relation without take(), and a LIMIT in queries of the view.")));
	create_view(call, name, PG_GETARG_BOOL(2));
	btm_call_end(call);
	PG_RETURN_VOID();
}
