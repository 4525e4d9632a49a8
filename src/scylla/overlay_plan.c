/*-------------------------------------------------------------------------
 *
 * overlay_plan.c
 *	  The statement that a scan runs when the transaction has changes of its own.
 *
 * Changes that are not written yet can make a row fulfil a condition that it does
 * not fulfil on the server, or the other way round.  So the *plain* statement
 * leaves to the server only conditions on the key, which never changes, has no
 * limit and no aggregates, and reads the whole primary key and every column that
 * a condition of the query looks at: all conditions are checked here then, as
 * fdw_recheck_quals.
 *
 * Changes may come between two executions of one plan, so the statement is made
 * with the plan and chosen at execution.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/restrictinfo.h"
#include "scylla/fdw.h"

/* Is the column of the primary key? */
static bool
is_key(const BtmScyllaColumn *column)
{
	return column->role == BTM_SCYLLA_PARTITION_KEY ||
		column->role == BTM_SCYLLA_CLUSTERING_KEY;
}

/* Adds the attnums of the primary key, and of all columns in the clauses. */
static Bitmapset *
add_columns(const BtmScyllaTable *table, Index relid, List *clauses, Bitmapset *columns)
{
	Bitmapset  *offsets = NULL;

	pull_varattnos((Node *) clauses, relid, &offsets);
	for (int i = 0; i < table->ncolumns; i++)
	{
		AttrNumber	attnum = table->columns[i].attnum;

		if (is_key(&table->columns[i]) ||
			bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, offsets) ||
			bms_is_member(attnum - FirstLowInvalidHeapAttributeNumber, offsets))
			columns = bms_add_member(columns, attnum);
	}
	return columns;
}

/* Those of the restrictions that are on columns of the key. */
static List *
key_restrictions(List *chosen)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, chosen)
	{
		BtmScyllaRestriction *restriction = lfirst(lc);

		if (is_key(restriction->column))
			result = lappend(result, restriction);
	}
	return result;
}

/* The place of each of some restrictions among those of the scan's statement. */
static List *
places_of(List *restrictions, List *chosen)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, restrictions)
	{
		int			place = 0;

		while (list_nth(chosen, place) != lfirst(lc))
			place++;
		result = lappend_int(result, place);
	}
	return result;
}

/*
 * The plain statement of a scan, as BTM_SCYLLA_SCAN_PLAIN: `columns` (attnums) are
 * those that the scan returns, `clauses` all conditions of the scan, `chosen` the
 * restrictions that are its markers.  `order` is 0 or 1 (reversed) if the rows
 * must come in the clustering order of their partition, -1 otherwise.
 */
List *
btm_scylla_plain_scan(const BtmScyllaTable *table, Index relid, Bitmapset *columns,
					  List *clauses, List *chosen, int order)
{
	BtmScyllaSelect how = {.reverse = order > 0};
	List	   *kept = btm_scylla_choose(table, key_restrictions(chosen), &how.filtering);
	List	   *attnums;
	char	   *cql;

	columns = add_columns(table, relid, clauses, bms_copy(columns));
	cql = btm_scylla_select_text(table, columns, kept, how, &attnums);
	return list_make4(makeString(cql), attnums, places_of(kept, chosen), makeInteger(order));
}
