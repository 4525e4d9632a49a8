/*-------------------------------------------------------------------------
 *
 * table.c
 *	  What a foreign table's definition says of the table in Cassandra.
 *
 * A definition that IMPORT FOREIGN SCHEMA made says all of it.  In one that is
 * written by hand, a column without the option cql_type is taken to be of the
 * CQL type that its type here is for; what the server says when a statement is
 * prepared must agree with that in the end (scan.c).
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "scylla/codec.h"
#include "scylla/memory.h"
#include "scylla/options.h"
#include "scylla/table.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#define DEFAULT_FETCH_SIZE 5000
#define DEFAULT_BATCH_SIZE (16 * 1024)

/* -------
 * Types
 * -------
 */

Oid
btm_scylla_column_type(const CqlType *type)
{
	Oid			scalar = btm_scylla_scalar_type(type);
	Oid			element;

	if (scalar != InvalidOid)
		return scalar;
	if (type->id != CQL_TYPE_LIST && type->id != CQL_TYPE_SET && type->id != CQL_TYPE_VECTOR)
		return JSONBOID;
	element = btm_scylla_scalar_type(type->elements[0]);
	return element != InvalidOid ? get_array_type(element) : JSONBOID;
}

/* The CQL type that a type here is for, as text; NULL for none. */
static const char *
cql_type_for(Oid type)
{
	switch (getBaseType(type))
	{
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case NAMEOID:
			return "text";
		case INT2OID:
			return "smallint";
		case INT4OID:
			return "int";
		case INT8OID:
			return "bigint";
		case NUMERICOID:
			return "decimal";
		case FLOAT4OID:
			return "float";
		case FLOAT8OID:
			return "double";
		case BOOLOID:
			return "boolean";
		case UUIDOID:
			return "uuid";
		case TIMESTAMPTZOID:
			return "timestamp";
		case DATEOID:
			return "date";
		case TIMEOID:
			return "time";
		case INTERVALOID:
			return "duration";
		case INETOID:
			return "inet";
		case BYTEAOID:
			return "blob";
		default:
			return NULL;
	}
}

/*
 * A type's fields are known to the server alone, so a user-defined type is one
 * of a column's own, without fields: values are taken as the server describes
 * them.
 */
static const CqlType *
unknown_udt(void *context, CqlString name)
{
	CqlArena   *arena = context;
	CqlType    *type = cql_arena_alloc(arena, sizeof(CqlType));

	if (type == NULL)
		return NULL;
	type->id = CQL_TYPE_UDT;
	type->name = name;
	type->levels = type->nodes = 1;
	return type;
}

/* Parses the type's text; what it has is in the current memory context. */
static const CqlType *
parse_type(const char *text, const char *column)
{
	CqlAllocator *allocator = palloc(sizeof(CqlAllocator));
	CqlArena   *arena = palloc(sizeof(CqlArena));
	CqlError	error = {0};
	const CqlType *type;

	btm_scylla_allocator_init(allocator, CurrentMemoryContext);
	cql_arena_init(arena, allocator);
	if (cql_type_parse(btm_scylla_to_utf8(text, strlen(text)), arena, &cql_default_limits,
					   unknown_udt, arena, &type, &error) != CQL_OK)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("option \"%s\" of column \"%s\" is not a CQL type: \"%s\"",
						"cql_type", column, text),
				 errdetail("It cannot be read: %s.", error.message)));
	return type;
}

static const CqlType *
type_of_column(Form_pg_attribute att, const char *option)
{
	if (option == NULL)
		option = cql_type_for(att->atttypid);
	if (option == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("no CQL type is known for column \"%s\" of type %s",
						NameStr(att->attname), format_type_be(att->atttypid)),
				 errhint("Set the column's option \"%s\".", "cql_type")));
	return parse_type(option, NameStr(att->attname));
}

/* -------
 * Columns
 * -------
 */

static void
set_column_option(BtmScyllaColumn *column, DefElem *def, const char **cql_type)
{
	const char *name = def->defname;

	if (strcmp(name, "column_name") == 0)
		column->name = defGetString(def);
	else if (strcmp(name, "cql_type") == 0)
		*cql_type = defGetString(def);
	else if (strcmp(name, "clustering_order") == 0)
		column->descending = pg_strcasecmp(defGetString(def), "desc") == 0;
	else if (strcmp(name, "indexed") == 0)
		column->indexed = defGetBoolean(def);
	else if (strcmp(name, "static") == 0)
		column->role = defGetBoolean(def) ? BTM_SCYLLA_STATIC : column->role;
	else if (strcmp(name, "partition_key") == 0)
	{
		column->role = BTM_SCYLLA_PARTITION_KEY;
		column->position = atoi(defGetString(def)) - 1;
	}
	else if (strcmp(name, "clustering_key") == 0)
	{
		column->role = BTM_SCYLLA_CLUSTERING_KEY;
		column->position = atoi(defGetString(def)) - 1;
	}
}

static void
read_column(BtmScyllaColumn *column, Oid relid, Form_pg_attribute att)
{
	const char *cql_type = NULL;
	ListCell   *lc;

	column->attnum = att->attnum;
	column->name = pstrdup(NameStr(att->attname));
	column->role = BTM_SCYLLA_REGULAR;
	column->position = -1;
	column->descending = column->indexed = false;
	foreach(lc, GetForeignColumnOptions(relid, att->attnum))
		set_column_option(column, lfirst(lc), &cql_type);
	column->cql = type_of_column(att, cql_type);
	column->type = att->atttypid;
	column->typmod = att->atttypmod;
	column->collation = att->attcollation;
}

static void
read_columns(BtmScyllaTable *table, TupleDesc desc)
{
	table->columns = palloc(sizeof(BtmScyllaColumn) * (desc->natts + 1));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && att->attgenerated != ATTRIBUTE_GENERATED_VIRTUAL)
			read_column(&table->columns[table->ncolumns++], table->relid, att);
	}
}

/* A key has two columns of one place. */
pg_noreturn static void
place_taken_twice(const BtmScyllaTable *table, const BtmScyllaColumn *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("two columns of foreign table \"%s\" have the option \"%s\" '%d'",
					get_rel_name(table->relid),
					column->role == BTM_SCYLLA_PARTITION_KEY ? "partition_key" : "clustering_key",
					column->position + 1)));
}

/*
 * The columns of a key, in its order, up to the first place that no column has;
 * *lacking if there are others behind it.  22023 for a place taken twice.
 */
static BtmScyllaColumn **
key_columns(BtmScyllaTable *table, BtmScyllaRole role, int *count, bool *lacking)
{
	BtmScyllaColumn **key = palloc0(sizeof(BtmScyllaColumn *) * (table->ncolumns + 1));
	int			all = 0;

	for (int i = 0; i < table->ncolumns; i++)
	{
		BtmScyllaColumn *column = &table->columns[i];

		if (column->role != role)
			continue;
		all++;
		if (column->position < 0 || column->position >= table->ncolumns)
			continue;
		if (key[column->position] != NULL)
			place_taken_twice(table, column);
		key[column->position] = column;
	}
	for (*count = 0; key[*count] != NULL;)
		(*count)++;
	*lacking = *count < all;
	return key;
}

/* -------
 * Tables
 * -------
 */

/* The options that only matter to writes. */
static void
set_write_option(BtmScyllaTable *table, DefElem *def)
{
	if (strcmp(def->defname, "write_mode") == 0)
		table->write_mode = pg_strcasecmp(defGetString(def), "immediate") == 0 ?
			BTM_SCYLLA_IMMEDIATE : BTM_SCYLLA_AT_COMMIT;
	else if (strcmp(def->defname, "updatable") == 0)
		table->updatable = defGetBoolean(def);
	else if (strcmp(def->defname, "truncatable") == 0)
		table->truncatable = defGetBoolean(def);
	else if (strcmp(def->defname, "ttl") == 0)
		table->ttl = atoi(defGetString(def));
	else if (strcmp(def->defname, "batch_size") == 0)
		table->batch_size = btm_scylla_batch_size(def);
}

static void
set_table_options(BtmScyllaTable *table, List *options)
{
	ListCell   *lc;

	foreach(lc, options)
	{
		DefElem    *def = lfirst(lc);

		if (strcmp(def->defname, "keyspace") == 0)
			table->keyspace = defGetString(def);
		else if (strcmp(def->defname, "table") == 0)
			table->name = defGetString(def);
		else if (strcmp(def->defname, "allow_filtering") == 0)
			table->allow_filtering = defGetBoolean(def);
		else if (strcmp(def->defname, "fetch_size") == 0)
			table->fetch_size = atoi(defGetString(def));
		else if (strcmp(def->defname, "consistency") == 0)
			(void) cql_consistency_parse(defGetString(def), &table->consistency);
		else
			set_write_option(table, def);
	}
}

static bool
has_counter(const BtmScyllaTable *table)
{
	for (int i = 0; i < table->ncolumns; i++)
		if (table->columns[i].cql->id == CQL_TYPE_COUNTER)
			return true;
	return false;
}

BtmScyllaTable *
btm_scylla_table(Relation relation)
{
	BtmScyllaTable *table = palloc0(sizeof(BtmScyllaTable));
	ForeignTable *foreign = GetForeignTable(RelationGetRelid(relation));
	ForeignServer *server = GetForeignServer(foreign->serverid);

	table->relid = RelationGetRelid(relation);
	table->serverid = foreign->serverid;
	table->name = RelationGetRelationName(relation);
	table->fetch_size = DEFAULT_FETCH_SIZE;
	table->consistency = CQL_CONSISTENCY_LOCAL_QUORUM;
	table->write_mode = BTM_SCYLLA_AT_COMMIT;
	table->updatable = table->truncatable = true;
	table->batch_size = DEFAULT_BATCH_SIZE;
	table->ttl = -1;
	set_table_options(table, server->options);
	set_table_options(table, foreign->options);
	if (table->keyspace == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
				 errmsg("foreign table \"%s\" has no option \"%s\"",
						RelationGetRelationName(relation), "keyspace")));
	read_columns(table, RelationGetDescr(relation));
	table->is_counter = has_counter(table);
	table->partition = key_columns(table, BTM_SCYLLA_PARTITION_KEY, &table->npartition,
								   &table->lacks_partition);
	table->clustering = key_columns(table, BTM_SCYLLA_CLUSTERING_KEY, &table->nclustering,
									&table->lacks_clustering);
	if (table->lacks_partition)
		table->npartition = 0;
	return table;
}

BtmScyllaColumn *
btm_scylla_column_by_number(const BtmScyllaTable *table, AttrNumber attnum)
{
	for (int i = 0; i < table->ncolumns; i++)
		if (table->columns[i].attnum == attnum)
			return &table->columns[i];
	return NULL;
}

void
btm_scylla_column_context(void *arg)
{
	BtmScyllaColumnContext *context = arg;

	if (context->column != NULL)
		errcontext("column \"%s\" of foreign table \"%s\"",
				   get_attname(context->table->relid, context->column->attnum, true),
				   get_rel_name(context->table->relid));
}
