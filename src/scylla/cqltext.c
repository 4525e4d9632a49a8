/*-------------------------------------------------------------------------
 *
 * cqltext.c
 *	  Text of CQL statements that read; cqltext_write.c has those that write.  CQL is
 *	  made nowhere else.
 *
 * Every name is quoted, so none needs to be looked at; every value is a marker.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "cql/name.h"
#include "lib/stringinfo.h"
#include "scylla/codec.h"
#include "scylla/fdw.h"
#include "scylla/memory.h"

/* A name in double quotes. */
void
btm_scylla_append_name(StringInfo cql, const char *name)
{
	CqlWriter  *quoted = btm_scylla_writer();
	CqlString	string = {name, strlen(name)};

	btm_scylla_check(cql_write_quoted(quoted, '"', string), quoted->error);
	appendBinaryStringInfo(cql, (const char *) quoted->data, quoted->length);
	cql_writer_free(quoted);
}

void
btm_scylla_append_table(StringInfo cql, const BtmScyllaTable *table)
{
	btm_scylla_append_name(cql, table->keyspace);
	appendStringInfoChar(cql, '.');
	btm_scylla_append_name(cql, table->name);
}

/*
 * The columns to be read, in their own order.  CQL has no SELECT of none, and
 * count(*) needs rows: the first column stands in then.
 */
static void
append_columns(StringInfo cql, const BtmScyllaTable *table, Bitmapset *columns, List **attnums)
{
	*attnums = NIL;
	for (int i = 0; i < table->ncolumns; i++)
	{
		const BtmScyllaColumn *column = &table->columns[i];

		if (!bms_is_member(column->attnum, columns))
			continue;
		appendStringInfoString(cql, *attnums == NIL ? "" : ", ");
		btm_scylla_append_name(cql, column->name);
		*attnums = lappend_int(*attnums, column->attnum);
	}
	if (*attnums == NIL)
	{
		btm_scylla_append_name(cql, table->npartition > 0 ?
							   table->partition[0]->name : table->columns[0].name);
		*attnums = list_make1_int(0);
	}
}

static void
append_where(StringInfo cql, List *chosen)
{
	/* a partition key's IN is asked for one value at a time */
	static const char *const operators[] = {
		[BTM_SCYLLA_EQ] = " = ?",
		[BTM_SCYLLA_IN] = " IN ?",
		[BTM_SCYLLA_LT] = " < ?",
		[BTM_SCYLLA_LE] = " <= ?",
		[BTM_SCYLLA_GT] = " > ?",
		[BTM_SCYLLA_GE] = " >= ?"
	};
	ListCell   *lc;

	foreach(lc, chosen)
	{
		const BtmScyllaRestriction *restriction = lfirst(lc);
		BtmScyllaOperator op = restriction->op;

		if (restriction->column->role == BTM_SCYLLA_PARTITION_KEY)
			op = BTM_SCYLLA_EQ;
		/* the value will be cut to what the server has */
		if (!restriction->exact && op == BTM_SCYLLA_LT)
			op = BTM_SCYLLA_LE;
		if (!restriction->exact && op == BTM_SCYLLA_GT)
			op = BTM_SCYLLA_GE;
		appendStringInfoString(cql, lc == list_head(chosen) ? " WHERE " : " AND ");
		btm_scylla_append_name(cql, restriction->column->name);
		appendStringInfoString(cql, operators[op]);
	}
}

/* The whole clustering order, or its reverse: a server takes no other. */
static void
append_order(StringInfo cql, const BtmScyllaTable *table, bool reverse)
{
	for (int i = 0; i < table->nclustering; i++)
	{
		appendStringInfoString(cql, i == 0 ? " ORDER BY " : ", ");
		btm_scylla_append_name(cql, table->clustering[i]->name);
		appendStringInfoString(cql, table->clustering[i]->descending != reverse ?
							   " DESC" : " ASC");
	}
}

/*
 * The SELECT of some columns (a set of attnums) under restrictions.  Rows come
 * in the clustering order of their partition; `reverse` > 0: backwards.
 * `filtering`: the server may look at rows that it does not return.
 * *attnums gets the columns' numbers, as BTM_SCYLLA_SCAN_COLUMNS says.
 */
char *
btm_scylla_select_text(const BtmScyllaTable *table, Bitmapset *columns, List *chosen,
					   int reverse, bool filtering, List **attnums)
{
	StringInfoData cql;

	initStringInfo(&cql);
	appendStringInfoString(&cql, "SELECT ");
	append_columns(&cql, table, columns, attnums);
	appendStringInfoString(&cql, " FROM ");
	btm_scylla_append_table(&cql, table);
	append_where(&cql, chosen);
	if (reverse > 0)
		append_order(&cql, table, true);
	if (filtering)
		appendStringInfoString(&cql, " ALLOW FILTERING");
	return cql.data;
}
