/*-------------------------------------------------------------------------
 *
 * explain.c
 *	  EXPLAIN (VERBOSE) of scans of foreign tables.
 *
 * It shows the statement, what its markers stand for and the consistency it is
 * read with.  What is checked here after all, core shows as "Filter".
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/relation.h"
#include "nodes/execnodes.h"
#include "scylla/fdw.h"
#include "utils/ruleutils.h"

/* "role_id >= 5": the column as it is there, and the value's expression. */
static char *
describe_marker(const BtmScyllaColumn *column, BtmScyllaOperator op, Node *value, List *context)
{
	static const char *const operators[] = {
		[BTM_SCYLLA_EQ] = "=",
		[BTM_SCYLLA_IN] = "IN",
		[BTM_SCYLLA_LT] = "<",
		[BTM_SCYLLA_LE] = "<=",
		[BTM_SCYLLA_GT] = ">",
		[BTM_SCYLLA_GE] = ">="
	};

	return psprintf("%s %s %s", column->name, operators[op],
					deparse_expression(value, context, false, false));
}

/* The markers, in their order. */
static List *
describe_markers(ForeignScanState *node, const BtmScyllaTable *table, ExplainState *es)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	List	   *attnums = list_nth(plan->fdw_private, BTM_SCYLLA_SCAN_MARKERS);
	List	   *operators = list_nth(plan->fdw_private, BTM_SCYLLA_SCAN_OPERATORS);
	List	   *context = set_deparse_context_plan(es->deparse_cxt, (Plan *) plan, NIL);
	List	   *result = NIL;

	for (int i = 0; i < list_length(attnums); i++)
		result = lappend(result,
						 describe_marker(btm_scylla_column_by_number(table, list_nth_int(attnums, i)),
										 (BtmScyllaOperator) list_nth_int(operators, i),
										 list_nth(plan->fdw_exprs, i), context));
	return result;
}

void
btm_scylla_explain_scan(ForeignScanState *node, ExplainState *es)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	BtmScyllaTable *table;
	List	   *markers;

	if (!es->verbose)
		return;
	table = btm_scylla_table(node->ss.ss_currentRelation);
	ExplainPropertyText("CQL", strVal(list_nth(plan->fdw_private, BTM_SCYLLA_SCAN_CQL)), es);
	markers = describe_markers(node, table, es);
	if (markers != NIL)
		ExplainPropertyList("Markers", markers, es);
	ExplainPropertyText("Consistency", cql_consistency_name(table->consistency), es);
}
