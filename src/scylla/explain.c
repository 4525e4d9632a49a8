/*-------------------------------------------------------------------------
 *
 * explain.c
 *	  EXPLAIN (VERBOSE) of scans of foreign tables.
 *
 * It shows the statement, what its markers stand for, the consistency it is read
 * with, how many queries it takes, and what keeps conditions from the server.
 * What is checked here after all, core shows as "Filter".  With ANALYZE the
 * executions and pages are shown that there were.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/table.h"
#include "nodes/execnodes.h"
#include "scylla/fdw.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

/* What is needed of a plan. */
typedef struct Shown
{
	const BtmScyllaTable *table;
	List	   *attnums;
	List	   *operators;
	List	   *rows;
	List	   *exprs;
	List	   *context;		/* for deparsing them */
} Shown;

static const BtmScyllaColumn *
column_at(const Shown *scan, int place)
{
	return btm_scylla_column_by_number(scan->table, list_nth_int(scan->attnums, place));
}

static char *
deparse(const Shown *scan, int place)
{
	return deparse_expression(list_nth(scan->exprs, place), scan->context, false, false);
}

static const char *
operator_at(const Shown *scan, int place)
{
	static const char *const operators[] = {
		[BTM_SCYLLA_EQ] = "=",
		[BTM_SCYLLA_IN] = "IN",
		[BTM_SCYLLA_LT] = "<",
		[BTM_SCYLLA_LE] = "<=",
		[BTM_SCYLLA_GT] = ">",
		[BTM_SCYLLA_GE] = ">="
	};

	return operators[list_nth_int(scan->operators, place)];
}

/* "role_id >= 5": the column as it is there, and the value's expression. */
static char *
describe_marker(const Shown *scan, int place)
{
	return psprintf("%s %s %s", column_at(scan, place)->name, operator_at(scan, place),
					deparse(scan, place));
}

/* "(ts, seq) > (a, b)": the comparison of rows that begins at a place. */
static char *
describe_row(const Shown *scan, int place, int size)
{
	StringInfoData columns;
	StringInfoData values;

	initStringInfo(&columns);
	initStringInfo(&values);
	for (int i = place; i < place + size; i++)
	{
		appendStringInfo(&columns, "%s%s", i > place ? ", " : "", column_at(scan, i)->name);
		appendStringInfo(&values, "%s%s", i > place ? ", " : "", deparse(scan, i));
	}
	return psprintf("(%s) %s (%s)", columns.data, operator_at(scan, place), values.data);
}

/* "LIMIT 10 + 5", with the offset. */
static char *
describe_limit(const Shown *scan)
{
	int			place = list_length(scan->attnums);

	if (list_length(scan->exprs) == place + 1)
		return psprintf("LIMIT %s", deparse(scan, place));
	return psprintf("LIMIT %s + %s", deparse(scan, place), deparse(scan, place + 1));
}

/* The markers, in their order. */
static List *
describe_markers(const Shown *scan)
{
	List	   *result = NIL;

	for (int i = 0; i < list_length(scan->attnums); i++)
	{
		int			size = list_nth_int(scan->rows, i);

		if (size > 0)
			result = lappend(result, size > 1 ? describe_row(scan, i, size) :
							 describe_marker(scan, i));
	}
	if (list_length(scan->exprs) > list_length(scan->attnums))
		result = lappend(result, describe_limit(scan));
	return result;
}

/* How many queries there are, by the lists for the partition key; NULL for one. */
static char *
describe_queries(const Shown *scan)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < list_length(scan->attnums); i++)
		if (list_nth_int(scan->operators, i) == BTM_SCYLLA_IN &&
			column_at(scan, i)->role == BTM_SCYLLA_PARTITION_KEY)
			appendStringInfo(&text, "%s%s", text.len == 0 ? "one for each value of " : ", ",
							 column_at(scan, i)->name);
	return text.len == 0 ? NULL : text.data;
}

/* Why conditions on the key cannot be given to the server; NULL if they can. */
static const char *
describe_obstacle(const BtmScyllaTable *table)
{
	if (table->npartition == 0)
		return "any condition: the definition lacks columns of the partition key";
	if (table->lacks_clustering)
		return "conditions on the clustering key from the column on that the definition lacks";
	return NULL;
}

static Shown
read_plan(ForeignScan *plan, const BtmScyllaTable *table, ExplainState *es)
{
	Shown		scan = {.table = table};

	scan.attnums = list_nth(plan->fdw_private, BTM_SCYLLA_SCAN_MARKERS);
	scan.operators = list_nth(plan->fdw_private, BTM_SCYLLA_SCAN_OPERATORS);
	scan.rows = list_nth(plan->fdw_private, BTM_SCYLLA_SCAN_ROWS);
	scan.exprs = plan->fdw_exprs;
	scan.context = set_deparse_context_plan(es->deparse_cxt, (Plan *) plan, NIL);
	return scan;
}

static void
explain_verbosely(ForeignScan *plan, const BtmScyllaTable *table, ExplainState *es)
{
	Shown		scan = read_plan(plan, table, es);
	List	   *markers = describe_markers(&scan);
	const char *queries = describe_queries(&scan);
	const char *obstacle = describe_obstacle(table);

	ExplainPropertyText("CQL", strVal(list_nth(plan->fdw_private, BTM_SCYLLA_SCAN_CQL)), es);
	if (markers != NIL)
		ExplainPropertyList("Markers", markers, es);
	ExplainPropertyText("Consistency", cql_consistency_name(table->consistency), es);
	if (queries != NULL)
		ExplainPropertyText("Queries", queries, es);
	if (obstacle != NULL)
		ExplainPropertyText("Not Pushed Down", obstacle, es);
}

/* What there was, over all loops. */
static void
explain_execution(const BtmScyllaReader *reader, ExplainState *es)
{
	ExplainPropertyInteger("Executions", NULL,
						   reader == NULL ? 0 : btm_scylla_reader_executions(reader), es);
	ExplainPropertyInteger("Pages", NULL,
						   reader == NULL ? 0 : btm_scylla_reader_pages(reader), es);
}

/* The table that a count is of has no line of core's. */
static BtmScyllaTable *
table_of_count(ForeignScanState *node, ExplainState *es)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	int			index = bms_next_member(plan->fs_relids, -1);
	Relation	relation = table_open(exec_rt_fetch(index, node->ss.ps.state)->relid, NoLock);
	BtmScyllaTable *table = btm_scylla_table(relation);

	ExplainPropertyText("Relations",
						psprintf("Count of (%s)",
								 quote_identifier(RelationGetRelationName(relation))), es);
	table_close(relation, NoLock);
	return table;
}

void
btm_scylla_explain_scan(ForeignScanState *node, ExplainState *es)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	bool		is_count = plan->scan.scanrelid == 0;
	const BtmScyllaTable *table = is_count ? table_of_count(node, es) :
		btm_scylla_table(node->ss.ss_currentRelation);

	if (es->verbose)
		explain_verbosely(plan, table, es);
	if (es->analyze && es->verbose)
		explain_execution(is_count ? btm_scylla_count_reader(node) :
						  btm_scylla_scan_reader(node), es);
}
