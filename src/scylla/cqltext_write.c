/*-------------------------------------------------------------------------
 *
 * cqltext_write.c
 *	  Text of CQL statements that write.
 *
 * A statement names the columns that are given and no other, so that one left
 * alone costs nothing, least of all a tombstone.  Every mutation carries its own
 * timestamp, also within a batch; only for counters and TRUNCATE there is none.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "scylla/fdw.h"

/* A statement in the making. */
typedef struct Text
{
	StringInfoData cql;
	const BtmScyllaTable *table;
	List	   *markers;
} Text;

static void
add(Text *text, const char *words)
{
	appendStringInfoString(&text->cql, words);
}

static void
add_column(Text *text, const BtmScyllaColumn *column)
{
	btm_scylla_append_name(&text->cql, column->name);
}

/* A marker for a column's value. */
static void
add_marker(Text *text, const BtmScyllaColumn *column)
{
	add(text, "?");
	text->markers = lappend_int(text->markers, (int) (column - text->table->columns));
}

/* " USING TIMESTAMP ? AND TTL 60" */
static void
add_using(Text *text, bool expires)
{
	if (text->table->is_counter)
		return;
	add(text, " USING TIMESTAMP ?");
	text->markers = lappend_int(text->markers, -1);
	if (expires && text->table->ttl >= 0)
		appendStringInfo(&text->cql, " AND TTL %d", text->table->ttl);
}

/* The columns of the primary key, or of the partition key. */
static List *
key_columns(const BtmScyllaTable *table, bool partition_only)
{
	List	   *columns = NIL;

	for (int i = 0; i < table->npartition; i++)
		columns = lappend(columns, table->partition[i]);
	for (int i = 0; i < table->nclustering && !partition_only; i++)
		columns = lappend(columns, table->clustering[i]);
	return columns;
}

static List *
given_columns(const BtmScyllaTable *table, const Bitmapset *given)
{
	List	   *columns = NIL;
	int			i = -1;

	while ((i = bms_next_member(given, i)) >= 0)
		columns = lappend(columns, &table->columns[i]);
	return columns;
}

static void
add_where(Text *text, bool partition_only)
{
	ListCell   *lc;
	const char *word = " WHERE ";

	foreach(lc, key_columns(text->table, partition_only))
	{
		add(text, word);
		add_column(text, lfirst(lc));
		add(text, " = ");
		add_marker(text, lfirst(lc));
		word = " AND ";
	}
}

static void
add_insert(Text *text, const Bitmapset *given)
{
	List	   *columns = list_concat(key_columns(text->table, false),
									  given_columns(text->table, given));
	ListCell   *lc;

	add(text, "INSERT INTO ");
	btm_scylla_append_table(&text->cql, text->table);
	foreach(lc, columns)
	{
		add(text, lc == list_head(columns) ? " (" : ", ");
		add_column(text, lfirst(lc));
	}
	foreach(lc, columns)
	{
		add(text, lc == list_head(columns) ? ") VALUES (" : ", ");
		add_marker(text, lfirst(lc));
	}
	add(text, ")");
	add_using(text, true);
}

/* Static columns alone belong to the partition, and a server wants to hear it so. */
static bool
all_are_static(List *columns)
{
	ListCell   *lc;

	foreach(lc, columns)
		if (((const BtmScyllaColumn *) lfirst(lc))->role != BTM_SCYLLA_STATIC)
			return false;
	return true;
}

static void
add_update(Text *text, const Bitmapset *given)
{
	List	   *columns = given_columns(text->table, given);
	ListCell   *lc;

	add(text, "UPDATE ");
	btm_scylla_append_table(&text->cql, text->table);
	add_using(text, true);
	foreach(lc, columns)
	{
		const BtmScyllaColumn *column = lfirst(lc);

		add(text, lc == list_head(columns) ? " SET " : ", ");
		add_column(text, column);
		add(text, " = ");
		if (column->cql->id == CQL_TYPE_COUNTER)
		{
			add_column(text, column);
			add(text, " + ");
		}
		add_marker(text, column);
	}
	add_where(text, all_are_static(columns));
}

static void
add_delete(Text *text, bool partition_only)
{
	add(text, "DELETE FROM ");
	btm_scylla_append_table(&text->cql, text->table);
	add_using(text, false);
	add_where(text, partition_only);
}

/*
 * The statement for mutations of a kind, in the database's encoding; `given`
 * is a set of indexes in table->columns[], without the key.  *markers gets an
 * IntList of the indexes that its markers stand for, -1 for the timestamp.
 */
char *
btm_scylla_write_text(const BtmScyllaTable *table, BtmScyllaMutationKind kind,
					  const Bitmapset *given, List **markers)
{
	Text		text = {.table = table};

	initStringInfo(&text.cql);
	switch (kind)
	{
		case BTM_SCYLLA_INSERT:
			add_insert(&text, given);
			break;
		case BTM_SCYLLA_UPDATE:
			add_update(&text, given);
			break;
		case BTM_SCYLLA_DELETE:
		case BTM_SCYLLA_DELETE_PARTITION:
			add_delete(&text, kind == BTM_SCYLLA_DELETE_PARTITION);
			break;
		case BTM_SCYLLA_TRUNCATE:
			add(&text, "TRUNCATE TABLE ");
			btm_scylla_append_table(&text.cql, table);
			break;
	}
	*markers = text.markers;
	return text.cql.data;
}
