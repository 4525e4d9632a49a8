/*-------------------------------------------------------------------------
 *
 * names.c
 *	  Tables and columns by name and by number, and near misses of names.
 *
 * The number decides as long as the object lives; then the name does.  So a
 * stored value follows renames, and finds a table that was dropped and made
 * again, or restored from a dump, by its name.
 *
 * Looking up and printing take no locks, and need no more privileges than the
 * input function of regclass: USAGE on a schema that is named.  Whoever works
 * with a table locks it and checks the caller's privileges on it.
 *
 * Hints name the nearest candidate by Levenshtein distance.  The limits are
 * the parser's for misspelt columns: a distance of three, and no more than
 * half of the name, lest suggestions be ridiculous.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "nodes/makefuncs.h"
#include "relation/relation.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

/* Most edits between a name and the one that was meant. */
#define MAX_NAME_DISTANCE 3

/*
 * The candidate (a List of char *) that is nearest to `name`, or NULL if none
 * is near.  Of equally near ones it is the first in byte order, so that hints
 * do not depend on the order of the list.  The result is the candidate itself.
 */
const char *
btm_nearest_name(const char *name, List *candidates)
{
	const char *nearest = NULL;
	int			len = strlen(name);
	int			best = Min(MAX_NAME_DISTANCE, len / 2);
	ListCell   *lc;

	/* Nothing that users give names to has a longer one. */
	if (len >= NAMEDATALEN)
		return NULL;

	foreach(lc, candidates)
	{
		const char *candidate = lfirst(lc);
		int			distance;

		distance = varstr_levenshtein_less_equal(candidate, strlen(candidate),
												 name, len, 1, 1, 1,
												 best, true);
		if (distance > best)
			continue;
		if (nearest == NULL || distance < best ||
			strcmp(candidate, nearest) < 0)
			nearest = candidate;
		best = distance;
	}
	return nearest;
}

/*
 * Does a relation of this kind have rows that a relation could name?
 */
static bool
is_table_kind(char relkind)
{
	return relkind == RELKIND_RELATION ||
		relkind == RELKIND_PARTITIONED_TABLE ||
		relkind == RELKIND_FOREIGN_TABLE ||
		relkind == RELKIND_VIEW ||
		relkind == RELKIND_MATVIEW;
}

/*
 * Names of all tables in these schemas (a List of Oid).
 */
static List *
tables_in_schemas(List *schemas)
{
	List	   *names = NIL;
	Relation	catalog = table_open(RelationRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL,
										  0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);

		if (is_table_kind(form->relkind) &&
			list_member_oid(schemas, form->relnamespace))
			names = lappend(names, pstrdup(NameStr(form->relname)));
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return names;
}

/*
 * The schemas of search_path, that of temporary tables included if there is
 * one, that of the catalogs only if it is named.  (fetch_search_path would
 * create the first, which a standby cannot.)
 */
List *
btm_search_path(void)
{
	SearchPathMatcher *path = GetSearchPathMatcher(CurrentMemoryContext);

	if (path->addTemp)
		return lcons_oid(LookupNamespaceNoError("pg_temp"), path->schemas);
	return path->schemas;
}

/*
 * The name of a table as messages show it: as written, without quotes.
 */
static char *
display_name(const char *schema, const char *name)
{
	return schema ? psprintf("%s.%s", schema, name) : pstrdup(name);
}

/*
 * Errors with 42P01 for a table that does not exist.  The hint names the
 * nearest one in the same schema, or in the schemas of search_path.
 */
pg_noreturn static void
no_such_table(const BtmTable *table)
{
	List	   *schemas;
	const char *nearest;

	if (table->schema != NULL)
		schemas = list_make1_oid(LookupExplicitNamespace(table->schema, true));
	else
		schemas = btm_search_path();
	nearest = btm_nearest_name(table->name, tables_in_schemas(schemas));

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("relation \"%s\" does not exist",
					display_name(table->schema, table->name)),
			 nearest ? errhint("Perhaps you meant to reference the table \"%s\".",
							   display_name(table->schema, nearest)) : 0));
}

/*
 * The OID of a table that was given: the one it is bound to, if that exists,
 * else the one that has its name now.
 *
 * If there is none: InvalidOid if missing_ok, else an error with 42P01.
 * Errors with 42501 if the name has a schema on which the caller lacks USAGE.
 */
Oid
btm_table_oid(const BtmTable *table, bool missing_ok)
{
	Oid			relid;

	Assert(table->name != NULL);
	if (OidIsValid(table->oid) &&
		SearchSysCacheExists1(RELOID, ObjectIdGetDatum(table->oid)))
		return table->oid;

	relid = RangeVarGetRelid(makeRangeVar(table->schema, table->name, -1),
							 NoLock, true);
	if (!OidIsValid(relid) && !missing_ok)
		no_such_table(table);
	return relid;
}

/*
 * Fills a table with its OID and its current schema and name.  Returns false,
 * and leaves `table` alone, if there is no such table.
 */
static bool
fill_table(BtmTable *table, Oid relid)
{
	char	   *name = get_rel_name(relid);
	char	   *schema;

	if (name == NULL)
		return false;
	schema = get_namespace_name(get_rel_namespace(relid));
	if (schema == NULL)
		return false;

	table->oid = relid;
	table->schema = schema;
	table->name = name;
	return true;
}

/*
 * The table with this OID.  Errors with 42P01 if there is none.
 *
 * The schema of a temporary table is the one that it really is in, and not
 * pg_temp: by that name a stored value would mean another session's table.
 */
BtmTable
btm_table_make(Oid relid)
{
	BtmTable	table = {0};

	if (!fill_table(&table, relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	return table;
}

/*
 * The name of a table that was given, as SQL: its current one, qualified, if
 * it is bound to a table that exists; else the one that was stored.  Never
 * fails.
 */
char *
btm_table_print(const BtmTable *table)
{
	BtmTable	current = *table;

	Assert(table->name != NULL);
	if (OidIsValid(table->oid))
		(void) fill_table(&current, table->oid);
	return quote_qualified_identifier(current.schema, current.name);
}

/*
 * The table that an SQL name means: folded and quoted as regclass input does.
 * It is bound if it exists now, else known by name only.
 *
 * Errors with 42602 if the name is malformed, 42601 if it has too many parts,
 * 0A000 if it names another database, 42501 as btm_table_oid does.
 */
BtmTable
btm_table_parse(const char *qualified_name)
{
	List	   *names = stringToQualifiedNameList(qualified_name, NULL);
	RangeVar   *name = makeRangeVarFromNameList(names);
	Oid			relid = RangeVarGetRelid(name, NoLock, true);
	BtmTable	table = {InvalidOid, name->schemaname, name->relname};

	if (OidIsValid(relid))
		(void) fill_table(&table, relid);
	return table;
}

/*
 * The name of a column by its number, or NULL if there is no such column (any
 * more).  System columns are no columns here.
 */
static char *
live_column_name(Oid relid, AttrNumber attnum)
{
	HeapTuple	tuple;
	char	   *name;

	if (!OidIsValid(relid) || attnum <= 0)
		return NULL;
	tuple = SearchSysCacheAttNum(relid, attnum);	/* not the dropped ones */
	if (!HeapTupleIsValid(tuple))
		return NULL;
	name = pstrdup(NameStr(((Form_pg_attribute) GETSTRUCT(tuple))->attname));
	ReleaseSysCache(tuple);
	return name;
}

/*
 * The number of a table's column by its name, or InvalidAttrNumber.  System
 * columns are no columns here.
 */
static AttrNumber
live_column_number(Oid relid, const char *name)
{
	AttrNumber	attnum = get_attnum(relid, name);

	return attnum > 0 ? attnum : InvalidAttrNumber;
}

/*
 * Errors with 42703: this table has no column of this name.  The hint names
 * the nearest one.
 */
void
btm_no_such_column(Oid relid, const char *name)
{
	List	   *columns = NIL;
	const char *nearest;
	HeapTuple	tuple;

	/* Numbers have no gaps: dropped columns keep theirs. */
	for (AttrNumber attnum = 1;
		 HeapTupleIsValid(tuple = SearchSysCache2(ATTNUM,
												  ObjectIdGetDatum(relid),
												  Int16GetDatum(attnum)));
		 attnum++)
	{
		Form_pg_attribute form = (Form_pg_attribute) GETSTRUCT(tuple);

		if (!form->attisdropped)
			columns = lappend(columns, pstrdup(NameStr(form->attname)));
		ReleaseSysCache(tuple);
	}
	nearest = btm_nearest_name(name, columns);

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of relation \"%s\" does not exist",
					name, get_rel_name(relid)),
			 nearest ? errhint("Perhaps you meant to reference the column \"%s\".",
							   nearest) : 0));
}

/*
 * The number of a table's column by its name.  Errors with 42703 if there is
 * none.
 */
AttrNumber
btm_attnum_or_error(Oid relid, const char *name)
{
	AttrNumber	attnum = live_column_number(relid, name);

	if (!AttributeNumberIsValid(attnum))
		btm_no_such_column(relid, name);
	return attnum;
}

/*
 * The number of a column in the table `relid`: the one it is bound to, if
 * that is a column of this table and exists, else the one that has its name.
 *
 * If there is none: InvalidAttrNumber if missing_ok, else an error with 42703.
 */
AttrNumber
btm_column_attnum(const BtmColumn *column, Oid relid, bool missing_ok)
{
	if (column->relid == relid &&
		live_column_name(relid, column->attnum) != NULL)
		return column->attnum;
	if (missing_ok)
		return live_column_number(relid, column->name);
	return btm_attnum_or_error(relid, column->name);
}

/*
 * The column with this number, which exists.
 */
BtmColumn *
btm_column_make(Oid relid, AttrNumber attnum)
{
	BtmColumn  *column = palloc(sizeof(BtmColumn));

	column->relid = relid;
	column->attnum = attnum;
	column->name = live_column_name(relid, attnum);
	if (column->name == NULL)
		elog(ERROR, "column %d of relation %u does not exist", attnum, relid);
	return column;
}

/*
 * The column of this name of a table, or a column that is known by name only
 * if relid is InvalidOid.  Errors with 42703 if the table has none.
 */
BtmColumn *
btm_column_by_name(Oid relid, const char *name)
{
	BtmColumn  *column;

	if (OidIsValid(relid))
		return btm_column_make(relid, btm_attnum_or_error(relid, name));

	column = palloc0(sizeof(BtmColumn));
	column->name = pstrdup(name);
	return column;
}

/*
 * The bare name of a column: its current one if it is bound to a column that
 * exists, else the one that was stored.  Never fails.
 */
const char *
btm_column_print(const BtmColumn *column)
{
	const char *current = live_column_name(column->relid, column->attnum);

	return current ? current : column->name;
}

/*
 * Do two columns of one table mean the same?  Either may be known by name
 * only.
 */
bool
btm_column_equal(const BtmColumn *a, const BtmColumn *b)
{
	return strcmp(btm_column_print(a), btm_column_print(b)) == 0;
}

/*
 * Is a column of this meaning in a List of BtmColumn *?
 */
bool
btm_columns_contain(List *columns, const BtmColumn *column)
{
	ListCell   *lc;

	foreach(lc, columns)
		if (btm_column_equal(lfirst(lc), column))
			return true;
	return false;
}
