/*-------------------------------------------------------------------------
 *
 * import.c
 *	  IMPORT FOREIGN SCHEMA: foreign tables for the tables of a keyspace.
 *
 * Columns come in the server's order: partition key, clustering key, static
 * columns, others.  What the wrapper must know of a column to plan a query, and
 * cannot see in its type here, goes into its options: the CQL type, its place in
 * the key, the order of a clustering key.  A column's name there is an option
 * of each, so that it can be renamed here.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "relation/relation.h"
#include "scylla/codec.h"
#include "scylla/fdw.h"
#include "scylla/schema.h"
#include "utils/builtins.h"

/* Options of the command. */
typedef struct ImportOptions
{
	bool		views;			/* materialized views, too */
	bool		counters;		/* tables of counters, too */
	bool		not_null;		/* NOT NULL for the key's columns */
} ImportOptions;

/* -------
 * Options
 * -------
 */

static const char *const import_options[] = {"import_views", "import_counters", "import_not_null"};

pg_noreturn static void
unknown_import_option(const char *name)
{
	List	   *names = NIL;
	const char *nearest;

	for (size_t i = 0; i < lengthof(import_options); i++)
		names = lappend(names, unconstify(char *, import_options[i]));
	nearest = btm_nearest_name(name, names);
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
			 errmsg("invalid option \"%s\"", name),
			 nearest ? errhint("Perhaps you meant the option \"%s\".", nearest) :
			 errhint("Valid options in this context are %s, %s and %s.",
					 import_options[0], import_options[1], import_options[2])));
}

static ImportOptions
read_options(List *options)
{
	ImportOptions result = {.views = true, .counters = true, .not_null = true};
	ListCell   *lc;

	foreach(lc, options)
	{
		DefElem    *def = lfirst(lc);

		if (strcmp(def->defname, "import_views") == 0)
			result.views = defGetBoolean(def);
		else if (strcmp(def->defname, "import_counters") == 0)
			result.counters = defGetBoolean(def);
		else if (strcmp(def->defname, "import_not_null") == 0)
			result.not_null = defGetBoolean(def);
		else
			unknown_import_option(def->defname);
	}
	return result;
}

/* -------
 * Tables
 * -------
 */

/*
 * The column's type here, as SQL.  A type that this client does not know has
 * its bytes.
 */
static char *
column_type(const BtmScyllaRemoteColumn *column)
{
	Oid			type = column->type ? btm_scylla_column_type(column->type) : BYTEAOID;

	return format_type_extended(type, -1, FORMAT_TYPE_FORCE_QUALIFY);
}

static void
append_option(StringInfo sql, const char *name, const char *value)
{
	appendStringInfo(sql, "%s%s %s", sql->data[sql->len - 1] == '(' ? "" : ", ",
					 quote_identifier(name), quote_literal_cstr(value));
}

/* Where the column is in the key. */
static void
append_key_options(StringInfo sql, const BtmScyllaRemoteColumn *column)
{
	char	   *position = psprintf("%d", column->position + 1);

	switch (column->role)
	{
		case BTM_SCYLLA_PARTITION_KEY:
			append_option(sql, "partition_key", position);
			break;
		case BTM_SCYLLA_CLUSTERING_KEY:
			append_option(sql, "clustering_key", position);
			append_option(sql, "clustering_order", column->descending ? "desc" : "asc");
			break;
		case BTM_SCYLLA_STATIC:
			append_option(sql, "static", "true");
			break;
		case BTM_SCYLLA_REGULAR:
			break;
	}
}

static void
append_column(StringInfo sql, const BtmScyllaRemoteColumn *column,
			  const ImportOptions *options)
{
	bool		is_key = column->role == BTM_SCYLLA_PARTITION_KEY ||
		column->role == BTM_SCYLLA_CLUSTERING_KEY;

	appendStringInfo(sql, "\n\t%s %s OPTIONS (", quote_identifier(column->name),
					 column_type(column));
	append_option(sql, "column_name", column->name);
	append_option(sql, "cql_type", column->type_text);
	append_key_options(sql, column);
	if (column->indexed)
		append_option(sql, "indexed", "true");
	appendStringInfoString(sql, ")");
	if (is_key && options->not_null)
		appendStringInfoString(sql, " NOT NULL");
}

/* The CREATE FOREIGN TABLE of a table; core adds the schema to it. */
static char *
create_table(const BtmScyllaRemoteTable *table, ImportForeignSchemaStmt *stmt,
			 const ImportOptions *options)
{
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE FOREIGN TABLE %s (", quote_identifier(table->name));
	foreach(lc, table->columns)
	{
		if (lc != list_head(table->columns))
			appendStringInfoChar(&sql, ',');
		append_column(&sql, lfirst(lc), options);
	}
	appendStringInfo(&sql, "\n) SERVER %s\nOPTIONS (", quote_identifier(stmt->server_name));
	append_option(&sql, "keyspace", stmt->remote_schema);
	append_option(&sql, "table", table->name);
	if (table->is_view)
		append_option(&sql, "updatable", "false");
	appendStringInfoString(&sql, ");");
	return sql.data;
}

/*
 * ImportForeignSchema: a List of commands, in the order of the tables' names.
 */
List *
btm_scylla_import(ImportForeignSchemaStmt *stmt, Oid serverid)
{
	ImportOptions options = read_options(stmt->options);
	BtmScyllaCluster *cluster = btm_scylla_cluster(serverid, GetUserId());
	List	   *commands = NIL;
	ListCell   *lc;

	foreach(lc, btm_scylla_remote_tables(cluster, stmt->remote_schema))
	{
		BtmScyllaRemoteTable *table = lfirst(lc);

		if (!IsImportableForeignTable(table->name, stmt) ||
			(table->is_view && !options.views) ||
			(table->is_counter && !options.counters))
			continue;
		commands = lappend(commands, create_table(table, stmt, &options));
	}
	return commands;
}
