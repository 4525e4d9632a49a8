/*-------------------------------------------------------------------------
 *
 * schema.c
 *	  What a server's system_schema says of a keyspace's tables.
 *
 * The tables of system_schema are sorted by their own keys only, so what is
 * needed in another order (a key's columns by position) is sorted here.  All of
 * a keyspace is read at once, in queries that are under way together.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "cql/value.h"
#include "miscadmin.h"
#include "scylla/codec.h"
#include "scylla/errors.h"
#include "scylla/fdw.h"
#include "scylla/memory.h"
#include "scylla/schema.h"
#include "utils/memutils.h"

/* What is asked, and the queries' numbers in the answers. */
typedef enum Question
{
	ASK_KEYSPACE,
	ASK_TYPES,
	ASK_TABLES,
	ASK_VIEWS,
	ASK_COLUMNS,
	ASK_INDEXES,
	QUESTIONS
} Question;

static const struct
{
	uint32		ncolumns;
	const char *cql;
}			questions[QUESTIONS] = {
	[ASK_KEYSPACE] = {1, "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?"},
	[ASK_TYPES] = {3, "SELECT type_name, field_names, field_types FROM system_schema.types WHERE keyspace_name = ?"},
	[ASK_TABLES] = {2, "SELECT table_name, flags FROM system_schema.tables WHERE keyspace_name = ?"},
	[ASK_VIEWS] = {1, "SELECT view_name FROM system_schema.views WHERE keyspace_name = ?"},
	[ASK_COLUMNS] = {6, "SELECT table_name, column_name, kind, position, clustering_order, type FROM system_schema.columns WHERE keyspace_name = ?"},
	[ASK_INDEXES] = {3, "SELECT table_name, kind, options FROM system_schema.indexes WHERE keyspace_name = ?"}
};

/* A user-defined type as it stands in system_schema.types. */
typedef struct RemoteType
{
	CqlString	name;
	List	   *field_names;	/* of CqlString */
	List	   *field_types;	/* of CqlString */
	const CqlType *type;		/* once it was asked for */
	bool		under_way;		/* its own fields are being resolved */
} RemoteType;

/* The answers, taken apart. */
typedef struct Schema
{
	CqlString	keyspace;
	bool		found;
	List	   *types;			/* of RemoteType */
	List	   *tables;			/* of BtmScyllaRemoteTable */
	CqlArena   *arena;			/* of CqlTypes */
} Schema;

/* -------
 * Cells
 * -------
 */

/* A copy of a text cell as the server has it; empty for a null one. */
static CqlString
cell_string(CqlBytes cell)
{
	CqlString	string = {"", 0};

	if (cell.length > 0)
	{
		string.data = pnstrdup((const char *) cell.data, cell.length);
		string.length = cell.length;
	}
	return string;
}

/* The same in the database's encoding, with a terminator. */
static char *
cell_text(CqlBytes cell)
{
	return btm_scylla_from_utf8(cell.data, Max(cell.length, 0));
}

static int
cell_int(CqlBytes cell)
{
	CqlError	error = {0};
	int64_t		value = 0;

	if (cell.length >= 0)
		btm_scylla_check(cql_decode_integer(CQL_TYPE_INT, cell, &value, &error), &error);
	return (int) value;
}

/*
 * The texts of a list, set or map (key, value, key, ...) of texts, as a List of
 * CqlString *.
 */
static List *
cell_strings(const CqlType *type, CqlBytes cell)
{
	CqlError	error = {0};
	CqlElements elements;
	List	   *result = NIL;

	if (cell.length < 0)
		return NIL;
	btm_scylla_check(cql_elements_begin(&elements, type, cell, &cql_default_limits, &error),
					 &error);
	for (uint32_t i = 0; i < elements.count; i++)
	{
		CqlString  *string = palloc(sizeof(CqlString));
		const CqlType *element_type;
		CqlBytes	element;

		btm_scylla_check(cql_elements_next(&elements, &element, &element_type), &error);
		*string = cell_string(element);
		result = lappend(result, string);
	}
	btm_scylla_check(cql_elements_end(&elements), &error);
	return result;
}

/* -------
 * Types
 * -------
 */

static const CqlType *find_type(void *context, CqlString name);

/* The type of a text of system_schema; NULL for one that is not known. */
static const CqlType *
parse_type(Schema *schema, CqlString text)
{
	CqlError	error = {0};
	const CqlType *type;
	CqlStatus	status = cql_type_parse(text, schema->arena, &cql_default_limits,
										find_type, schema, &type, &error);

	if (status == CQL_UNSUPPORTED || status == CQL_INVALID || status == CQL_MALFORMED)
		return NULL;
	btm_scylla_check(status, &error);
	return type;
}

/*
 * Makes a type of what system_schema.types says; NULL if that is not known.
 * Recursive, as deep as types there consist of each other.
 */
static const CqlType *
make_udt(Schema *schema, RemoteType *remote)
{
	int			count = list_length(remote->field_names);
	CqlString  *names = palloc(sizeof(CqlString) * (count + 1));
	const CqlType **types = palloc(sizeof(CqlType *) * (count + 1));
	CqlError	error = {0};
	const CqlType *result;

	check_stack_depth();
	if (list_length(remote->field_types) != count)
		return NULL;
	for (int i = 0; i < count; i++)
	{
		names[i] = *(CqlString *) list_nth(remote->field_names, i);
		types[i] = parse_type(schema, *(CqlString *) list_nth(remote->field_types, i));
		if (types[i] == NULL)
			return NULL;
	}
	btm_scylla_check(cql_type_udt(schema->arena, &cql_default_limits, schema->keyspace,
								  remote->name, count, names, types, &result, &error),
					 &error);
	return result;
}

/* CqlFindUdt: the user-defined type of that name; NULL if there is none. */
static const CqlType *
find_type(void *context, CqlString name)
{
	Schema	   *schema = context;
	ListCell   *lc;

	foreach(lc, schema->types)
	{
		RemoteType *remote = lfirst(lc);

		if (!cql_strings_equal(remote->name, name))
			continue;
		/* a type cannot be part of itself, whatever the server says */
		if (remote->type == NULL && !remote->under_way)
		{
			remote->under_way = true;
			remote->type = make_udt(schema, remote);
			remote->under_way = false;
		}
		return remote->type;
	}
	return NULL;
}

/* -------
 * Rows
 * -------
 */

static BtmScyllaRemoteTable *
add_table(Schema *schema, char *name)
{
	BtmScyllaRemoteTable *table = palloc0(sizeof(BtmScyllaRemoteTable));

	table->name = name;
	schema->tables = lappend(schema->tables, table);
	return table;
}

static BtmScyllaRemoteTable *
find_table(Schema *schema, const char *name)
{
	ListCell   *lc;

	foreach(lc, schema->tables)
	{
		BtmScyllaRemoteTable *table = lfirst(lc);

		if (strcmp(table->name, name) == 0)
			return table;
	}
	return NULL;
}

static void
add_type(Schema *schema, const CqlMetadata *metadata, const CqlBytes *cells)
{
	RemoteType *remote = palloc0(sizeof(RemoteType));

	remote->name = cell_string(cells[0]);
	remote->field_names = cell_strings(metadata->columns[1].type, cells[1]);
	remote->field_types = cell_strings(metadata->columns[2].type, cells[2]);
	schema->types = lappend(schema->types, remote);
}

/* Does a set of flags have this one? */
static bool
has_flag(const CqlType *type, CqlBytes cell, const char *flag)
{
	ListCell   *lc;

	foreach(lc, cell_strings(type, cell))
		if (cql_string_equals(*(CqlString *) lfirst(lc), flag))
			return true;
	return false;
}

static BtmScyllaRole
role_of(const char *kind)
{
	if (strcmp(kind, "partition_key") == 0)
		return BTM_SCYLLA_PARTITION_KEY;
	if (strcmp(kind, "clustering") == 0)
		return BTM_SCYLLA_CLUSTERING_KEY;
	return strcmp(kind, "static") == 0 ? BTM_SCYLLA_STATIC : BTM_SCYLLA_REGULAR;
}

/*
 * A column goes to its table, which the answers before have named.  A column of
 * a table that was created between two answers is left out with it.
 */
static void
add_column(Schema *schema, const CqlBytes *cells)
{
	BtmScyllaRemoteTable *table = find_table(schema, cell_text(cells[0]));
	BtmScyllaRemoteColumn *column;

	if (table == NULL)
		return;
	column = palloc0(sizeof(BtmScyllaRemoteColumn));
	column->name = cell_text(cells[1]);
	column->role = role_of(cell_text(cells[2]));
	column->position = cell_int(cells[3]);
	column->descending = strcmp(cell_text(cells[4]), "desc") == 0;
	column->type_text = cell_text(cells[5]);
	column->type = parse_type(schema, cell_string(cells[5]));
	table->columns = lappend(table->columns, column);
}

/* The value of a map of texts for a key; NULL if there is none. */
static char *
map_value(List *map, const char *key)
{
	for (int i = 0; i + 1 < list_length(map); i += 2)
	{
		CqlString  *value = list_nth(map, i + 1);

		if (cql_string_equals(*(CqlString *) list_nth(map, i), key))
			return btm_scylla_from_utf8((const uint8_t *) value->data, (int) value->length);
	}
	return NULL;
}

/*
 * Does an index find what is equal to a value, and nothing else?  Those that are
 * not the server's own must be storage-attached ones; and these must not take
 * texts for equal that are not.
 */
static bool
is_exact_index(const char *kind, List *options)
{
	static const char *const inexact[] = {
		"case_sensitive", "normalize", "ascii", "index_analyzer", "query_analyzer"
	};
	const char *class = map_value(options, "class_name");
	const char *name = class == NULL ? NULL : strrchr(class, '.');

	if (strcmp(kind, "CUSTOM") != 0)
		return true;
	name = name == NULL ? class : name + 1;
	if (name == NULL || (pg_strcasecmp(name, "StorageAttachedIndex") != 0 &&
						 pg_strcasecmp(name, "sai") != 0))
		return false;
	for (int i = 0; i < (int) lengthof(inexact); i++)
		if (map_value(options, inexact[i]) != NULL)
			return false;
	return true;
}

/* Is the target of an index this column, as it is? */
static bool
is_target(const char *target, const char *column)
{
	StringInfoData quoted;

	initStringInfo(&quoted);
	btm_scylla_append_name(&quoted, column);
	return strcmp(target, column) == 0 || strcmp(target, quoted.data) == 0;
}

/* An index goes to the column that it is on. */
static void
add_index(Schema *schema, const CqlMetadata *metadata, const CqlBytes *cells)
{
	BtmScyllaRemoteTable *table = find_table(schema, cell_text(cells[0]));
	List	   *options = cell_strings(metadata->columns[2].type, cells[2]);
	const char *target = map_value(options, "target");
	ListCell   *lc;

	if (table == NULL || target == NULL || !is_exact_index(cell_text(cells[1]), options))
		return;
	foreach(lc, table->columns)
	{
		BtmScyllaRemoteColumn *column = lfirst(lc);

		column->indexed |= is_target(target, column->name);
	}
}

static void
add_row(Schema *schema, Question question, const CqlMetadata *metadata,
		const CqlBytes *cells)
{
	switch (question)
	{
		case ASK_KEYSPACE:
			schema->found = true;
			break;
		case ASK_TYPES:
			add_type(schema, metadata, cells);
			break;
		case ASK_TABLES:
			add_table(schema, cell_text(cells[0]))->is_counter =
				has_flag(metadata->columns[1].type, cells[1], "counter");
			break;
		case ASK_VIEWS:
			add_table(schema, cell_text(cells[0]))->is_view = true;
			break;
		case ASK_INDEXES:
			add_index(schema, metadata, cells);
			break;
		default:
			add_column(schema, cells);
			break;
	}
}

/* Raises 08P01 unless the answer has the columns that were asked for. */
static void
check_answer(Question question, const BtmScyllaAnswer *answer, const char *server)
{
	if (answer->response->kind != CQL_RESPONSE_ROWS ||
		answer->metadata->ncolumns != questions[question].ncolumns)
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("server \"%s\" has not told what was asked for", server),
				 btm_scylla_errcontext(questions[question].cql)));
}

static void
add_rows(Schema *schema, Question question, const BtmScyllaAnswer *answer)
{
	CqlError	error = {0};
	CqlRowReader rows;
	CqlBytes   *cells = palloc(sizeof(CqlBytes) * answer->metadata->ncolumns);

	btm_scylla_check(cql_rows_begin(&rows, &answer->response->u.rows, answer->metadata,
									&cql_default_limits, &error), &error);
	while (rows.left > 0)
	{
		CHECK_FOR_INTERRUPTS();
		btm_scylla_check(cql_rows_next(&rows, cells), &error);
		add_row(schema, question, answer->metadata, cells);
	}
}

/* -------
 * Order
 * -------
 */

/* By role, then by place in the key, then by name. */
static int
compare_columns(const ListCell *a, const ListCell *b)
{
	const BtmScyllaRemoteColumn *left = lfirst(a);
	const BtmScyllaRemoteColumn *right = lfirst(b);

	if (left->role != right->role)
		return left->role < right->role ? -1 : 1;
	if (left->position != right->position)
		return left->position < right->position ? -1 : 1;
	return strcmp(left->name, right->name);
}

static int
compare_tables(const ListCell *a, const ListCell *b)
{
	return strcmp(((BtmScyllaRemoteTable *) lfirst(a))->name,
				  ((BtmScyllaRemoteTable *) lfirst(b))->name);
}

static void
sort_tables(Schema *schema)
{
	ListCell   *lc;

	list_sort(schema->tables, compare_tables);
	foreach(lc, schema->tables)
		list_sort(((BtmScyllaRemoteTable *) lfirst(lc))->columns, compare_columns);
}

/*
 * Asks everything.  Columns are read after the tables and types that they need,
 * in whatever order the answers come.
 */
static void
read_schema(Schema *schema, BtmScyllaCluster *cluster)
{
	BtmScyllaPipeline *pipeline = btm_scylla_pipeline_create(cluster, CurrentMemoryContext);
	BtmScyllaAnswer answers[QUESTIONS];
	BtmScyllaAnswer answer;
	CqlBytes	keyspace = {
		(const uint8_t *) schema->keyspace.data, (int32_t) schema->keyspace.length
	};

	for (intptr_t i = 0; i < QUESTIONS; i++)
		btm_scylla_send(pipeline, btm_scylla_prepare(cluster, questions[i].cql, 1),
						&keyspace, NULL, (void *) i);
	while (btm_scylla_receive(pipeline, &answer))
		answers[(intptr_t) answer.tag] = answer;
	for (int i = 0; i < QUESTIONS; i++)
	{
		check_answer((Question) i, &answers[i],
					 btm_scylla_cluster_options(cluster)->servername);
		add_rows(schema, (Question) i, &answers[i]);
	}
	btm_scylla_pipeline_free(pipeline);
}

List *
btm_scylla_remote_tables(BtmScyllaCluster *cluster, const char *keyspace)
{
	Schema		schema = {0};
	CqlAllocator *allocator = palloc(sizeof(CqlAllocator));

	btm_scylla_allocator_init(allocator, CurrentMemoryContext);
	schema.arena = palloc(sizeof(CqlArena));
	cql_arena_init(schema.arena, allocator);
	schema.keyspace = btm_scylla_to_utf8(keyspace, strlen(keyspace));
	read_schema(&schema, cluster);
	if (!schema.found)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_SCHEMA_NOT_FOUND),
				 errmsg("keyspace \"%s\" does not exist on server \"%s\"", keyspace,
						btm_scylla_cluster_options(cluster)->servername)));
	sort_tables(&schema);
	return schema.tables;
}
