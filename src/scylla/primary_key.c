/*-------------------------------------------------------------------------
 *
 * primary_key.c
 *	  Is the primary key that a foreign table declares the one that the table
 *	  there has?
 *
 * CQL deletes by any beginning of the primary key.  A row deleted by a key that
 * lacks a column takes others with it, without a word from the server.  So what
 * system_schema says is looked at before the first write, and again after the
 * schema has changed.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "cql/value.h"
#include "mb/pg_wchar.h"
#include "scylla/cluster.h"
#include "scylla/codec.h"
#include "scylla/fdw.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

static const char *const question =
"SELECT kind, position, column_name FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ?";

/*
 * "ks"."t" (("a", "b"), "c"): the key as a text.
 */
static char *
key_text(const BtmScyllaTable *table, List *partition, List *clustering)
{
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	btm_scylla_append_table(&text, table);
	foreach(lc, partition)
	{
		appendStringInfoString(&text, lc == list_head(partition) ? " ((" : ", ");
		btm_scylla_append_name(&text, lfirst(lc));
	}
	appendStringInfoString(&text, partition == NIL ? " ((" : ")");
	foreach(lc, clustering)
	{
		appendStringInfoString(&text, ", ");
		btm_scylla_append_name(&text, lfirst(lc));
	}
	appendStringInfoChar(&text, ')');
	return text.data;
}

static List *
names_of(BtmScyllaColumn **columns, int count)
{
	List	   *names = NIL;

	for (int i = 0; i < count; i++)
		names = lappend(names, columns[i]->name);
	return names;
}

/* A column of the key there. */
typedef struct KeyColumn
{
	char	   *name;
	int64		position;
} KeyColumn;

static int
compare_positions(const ListCell *a, const ListCell *b)
{
	const KeyColumn *left = lfirst(a);
	const KeyColumn *right = lfirst(b);

	return left->position < right->position ? -1 : left->position > right->position;
}

static List *
sorted_names(List *columns)
{
	List	   *names = NIL;
	ListCell   *lc;

	list_sort(columns, compare_positions);
	foreach(lc, columns)
		names = lappend(names, ((KeyColumn *) lfirst(lc))->name);
	return names;
}

/* Takes a row of system_schema.columns, if it is of the key. */
static void
take_row(const CqlBytes *cells, List **partition, List **clustering)
{
	CqlString	kind = {(const char *) cells[0].data, (uint32_t) Max(cells[0].length, 0)};
	bool		is_partition = cql_string_equals(kind, "partition_key");
	KeyColumn  *column;
	CqlError	error = {0};

	if (!is_partition && !cql_string_equals(kind, "clustering"))
		return;
	column = palloc(sizeof(KeyColumn));
	btm_scylla_check(cql_decode_integer(CQL_TYPE_INT, cells[1], &column->position, &error),
					 &error);
	column->name = btm_scylla_from_utf8(cells[2].data, Max(cells[2].length, 0));
	if (is_partition)
		*partition = lappend(*partition, column);
	else
		*clustering = lappend(*clustering, column);
}

static CqlBytes
text_value(const char *text)
{
	CqlString	utf8 = btm_scylla_to_utf8(text, strlen(text));
	CqlBytes	value = {(const uint8_t *) utf8.data, (int32_t) utf8.length};

	return value;
}

/* The key of the table there, as a text; NULL if there is no such table. */
static char *
remote_key(BtmScyllaCluster *cluster, const BtmScyllaTable *table)
{
	BtmScyllaPipeline *pipeline = btm_scylla_pipeline_create(cluster, CurrentMemoryContext);
	CqlBytes	values[2] = {text_value(table->keyspace), text_value(table->name)};
	List	   *partition = NIL;
	List	   *clustering = NIL;
	BtmScyllaAnswer answer;
	CqlRowReader rows;
	CqlBytes	cells[3];
	CqlError	error = {0};

	btm_scylla_send(pipeline, btm_scylla_prepare(cluster, question, lengthof(values)), values,
					NULL, NULL);
	if (!btm_scylla_receive(pipeline, &answer) || answer.metadata == NULL ||
		answer.metadata->ncolumns != lengthof(cells))
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("server answered a SELECT without rows")));
	btm_scylla_check(cql_rows_begin(&rows, &answer.response->u.rows, answer.metadata,
									&cql_default_limits, &error), &error);
	while (rows.left > 0)
	{
		btm_scylla_check(cql_rows_next(&rows, cells), &error);
		take_row(cells, &partition, &clustering);
	}
	btm_scylla_pipeline_free(pipeline);
	if (partition == NIL)
		return NULL;
	return key_text(table, sorted_names(partition), sorted_names(clustering));
}

static bool
is_known(const BtmScyllaCluster *cluster, const char *key)
{
	ListCell   *lc;

	foreach(lc, cluster->known_keys)
		if (strcmp(lfirst(lc), key) == 0)
			return true;
	return false;
}

static void
remember(BtmScyllaCluster *cluster, const char *key)
{
	MemoryContext old = MemoryContextSwitchTo(cluster->context);

	cluster->known_keys = lappend(cluster->known_keys, pstrdup(key));
	MemoryContextSwitchTo(old);
}

/*
 * Raises 0A000 if the definition has no key at all.
 */
void
btm_scylla_check_declared_key(const BtmScyllaTable *table)
{
	if (table->npartition == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot write to foreign table \"%s\" without its primary key",
						get_rel_name(table->relid)),
				 errdetail("No column has the option \"%s\".", "partition_key"),
				 errhint("Set the column options \"%s\" and \"%s\" of all columns of the key, or use IMPORT FOREIGN SCHEMA.",
						 "partition_key", "clustering_key")));
}

/*
 * Raises HV021 if the primary key there is another than the table's.  For a
 * table that does not exist there, what follows raises the server's error.
 */
void
btm_scylla_check_key(BtmScyllaCluster *cluster, const BtmScyllaTable *table)
{
	char	   *own = key_text(table, names_of(table->partition, table->npartition),
							   names_of(table->clustering, table->nclustering));
	char	   *theirs;

	if (cluster->schema_stale)
	{
		list_free_deep(cluster->known_keys);
		cluster->known_keys = NIL;
		cluster->schema_stale = false;
	}
	if (is_known(cluster, own))
		return;
	theirs = remote_key(cluster, table);
	if (theirs == NULL)
		return;
	if (strcmp(own, theirs) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INCONSISTENT_DESCRIPTOR_INFORMATION),
				 errmsg("primary key of foreign table \"%s\" is not the one on the server",
						get_rel_name(table->relid)),
				 errdetail("The foreign table declares %s, the server has %s.", own, theirs),
				 errhint("Set the column options \"%s\" and \"%s\" of all columns of the key, or use IMPORT FOREIGN SCHEMA.",
						 "partition_key", "clustering_key")));
	remember(cluster, own);
}
