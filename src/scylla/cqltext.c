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

/* A column that each row has one of for itself; NULL if the definition has none. */
static const BtmScyllaColumn *
column_of_rows(const BtmScyllaTable *table)
{
	if (table->nclustering > 0)
		return table->clustering[0];
	for (int i = 0; i < table->ncolumns; i++)
		if (table->columns[i].role != BTM_SCYLLA_STATIC &&
			table->columns[i].role != BTM_SCYLLA_PARTITION_KEY)
			return &table->columns[i];
	return NULL;
}

/* Are static columns among those to be read, and none that rows have for themselves? */
static bool
are_of_partitions(const BtmScyllaTable *table, Bitmapset *columns)
{
	bool		has_static = false;

	for (int i = 0; i < table->ncolumns; i++)
	{
		const BtmScyllaColumn *column = &table->columns[i];

		if (!bms_is_member(column->attnum, columns))
			continue;
		has_static |= column->role == BTM_SCYLLA_STATIC;
		if (column->role != BTM_SCYLLA_STATIC && column->role != BTM_SCYLLA_PARTITION_KEY)
			return false;
	}
	return has_static;
}

/*
 * A column that is read though nobody wants it, or NULL.  CQL has no SELECT of no
 * column, and count(*) needs rows: the first one stands in then.  And where all are
 * static, it takes partitions for rows.
 */
static const BtmScyllaColumn *
extra_column(const BtmScyllaTable *table, Bitmapset *columns)
{
	if (bms_is_empty(columns))
		return table->npartition > 0 ? table->partition[0] : &table->columns[0];
	return are_of_partitions(table, columns) ? column_of_rows(table) : NULL;
}

/* The columns to be read, in their own order. */
static void
append_columns(StringInfo cql, const BtmScyllaTable *table, Bitmapset *columns, List **attnums)
{
	const BtmScyllaColumn *extra = extra_column(table, columns);

	*attnums = NIL;
	for (int i = 0; i < table->ncolumns; i++)
	{
		const BtmScyllaColumn *column = &table->columns[i];
		bool		is_wanted = bms_is_member(column->attnum, columns);

		if (!is_wanted && column != extra)
			continue;
		appendStringInfoString(cql, *attnums == NIL ? "" : ", ");
		btm_scylla_append_name(cql, column->name);
		*attnums = lappend_int(*attnums, is_wanted ? column->attnum : 0);
	}
}

/* The operator as it is asked, which may be wider than the condition's. */
static const char *
operator_text(const BtmScyllaRestriction *restriction)
{
	static const char *const operators[] = {
		[BTM_SCYLLA_EQ] = " = ",
		[BTM_SCYLLA_IN] = " IN ",
		[BTM_SCYLLA_LT] = " < ",
		[BTM_SCYLLA_LE] = " <= ",
		[BTM_SCYLLA_GT] = " > ",
		[BTM_SCYLLA_GE] = " >= "
	};
	BtmScyllaOperator op = restriction->op;

	/* a partition key's IN is asked for one value at a time */
	if (restriction->column->role == BTM_SCYLLA_PARTITION_KEY)
		op = BTM_SCYLLA_EQ;
	/* the value will be cut to what the server has */
	if (!restriction->exact && op == BTM_SCYLLA_LT)
		op = BTM_SCYLLA_LE;
	if (!restriction->exact && op == BTM_SCYLLA_GT)
		op = BTM_SCYLLA_GE;
	return operators[op];
}

/* ("a", "b") > (?, ?): the comparison of rows that begins at a place. */
static void
append_row(StringInfo cql, List *chosen, int place)
{
	const BtmScyllaRestriction *first = list_nth(chosen, place);

	for (int i = 0; i < first->row_size; i++)
	{
		const BtmScyllaRestriction *restriction = list_nth(chosen, place + i);

		appendStringInfoString(cql, i == 0 ? "(" : ", ");
		btm_scylla_append_name(cql, restriction->column->name);
	}
	appendStringInfo(cql, ")%s(?", operator_text(first));
	for (int i = 1; i < first->row_size; i++)
		appendStringInfoString(cql, ", ?");
	appendStringInfoChar(cql, ')');
}

static void
append_where(StringInfo cql, List *chosen)
{
	for (int i = 0; i < list_length(chosen); i++)
	{
		const BtmScyllaRestriction *restriction = list_nth(chosen, i);

		if (restriction->row_place > 0)
			continue;
		appendStringInfoString(cql, i == 0 ? " WHERE " : " AND ");
		if (restriction->row_size > 0)
			append_row(cql, chosen, i);
		else
		{
			btm_scylla_append_name(cql, restriction->column->name);
			appendStringInfo(cql, "%s?", operator_text(restriction));
		}
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

/* From FROM on, as btm_scylla_select_text says. */
static void
append_rest(StringInfo cql, const BtmScyllaTable *table, List *chosen,
			BtmScyllaSelect how)
{
	appendStringInfoString(cql, " FROM ");
	btm_scylla_append_table(cql, table);
	append_where(cql, chosen);
	if (how.reverse)
		append_order(cql, table, true);
	if (how.limit)
		appendStringInfoString(cql, " LIMIT ?");
	if (how.filtering)
		appendStringInfoString(cql, " ALLOW FILTERING");
}

/*
 * The SELECT of some columns (a set of attnums) under restrictions.  Rows come
 * in the clustering order of their partition.  *attnums gets the columns' numbers,
 * as BTM_SCYLLA_SCAN_COLUMNS says.
 */
char *
btm_scylla_select_text(const BtmScyllaTable *table, Bitmapset *columns, List *chosen,
					   BtmScyllaSelect how, List **attnums)
{
	StringInfoData cql;

	initStringInfo(&cql);
	appendStringInfoString(&cql, "SELECT ");
	append_columns(&cql, table, columns, attnums);
	append_rest(&cql, table, chosen, how);
	return cql.data;
}

/*
 * The SELECT of counts under restrictions: for each of `attnums` the number of
 * values of that column, or of rows for 0.
 */
char *
btm_scylla_count_text(const BtmScyllaTable *table, List *attnums, List *chosen)
{
	BtmScyllaSelect how = {0};
	StringInfoData cql;
	ListCell   *lc;

	initStringInfo(&cql);
	foreach(lc, attnums)
	{
		BtmScyllaColumn *column = btm_scylla_column_by_number(table, lfirst_int(lc));

		appendStringInfoString(&cql, lc == list_head(attnums) ? "SELECT count(" : ", count(");
		if (column == NULL)
			appendStringInfoChar(&cql, '*');
		else
			btm_scylla_append_name(&cql, column->name);
		appendStringInfoChar(&cql, ')');
	}
	append_rest(&cql, table, chosen, how);
	return cql.data;
}

/*
 * The SELECT of some columns of the rows whose partition's token is in a range,
 * without its lower bound.  NULL if the partition key is not known.
 */
char *
btm_scylla_range_text(const BtmScyllaTable *table, Bitmapset *columns, List **attnums)
{
	StringInfoData cql;
	StringInfoData token;

	if (table->npartition == 0)
		return NULL;
	initStringInfo(&token);
	for (int i = 0; i < table->npartition; i++)
	{
		appendStringInfoString(&token, i == 0 ? "token(" : ", ");
		btm_scylla_append_name(&token, table->partition[i]->name);
	}
	appendStringInfoChar(&token, ')');
	initStringInfo(&cql);
	appendStringInfoString(&cql, "SELECT ");
	append_columns(&cql, table, columns, attnums);
	appendStringInfoString(&cql, " FROM ");
	btm_scylla_append_table(&cql, table);
	appendStringInfo(&cql, " WHERE %s > ? AND %s <= ?", token.data, token.data);
	return cql.data;
}
