/*-------------------------------------------------------------------------
 *
 * foreign_table.c
 *	  What a foreign table's definition says about the rows of a pivot.
 *
 * The wrapper `scylla` records the primary key of the table in the cluster as
 * options of columns: partition_key and clustering_key, with their places.
 * There a row is what its primary key says, and nothing else: an INSERT of a
 * key that exists overwrites the row, and no value of a key can be changed.
 * So operations must know whether the pair is the key.  Of tables behind other
 * wrappers nothing is known.
 *
 * Only catalogs are read.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "commands/defrem.h"
#include "commands/extension.h"
#include "foreign/foreign.h"
#include "relation/resolve.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/*
 * Is this a foreign table of the extension's own wrapper?
 */
static bool
is_cql_table(Oid relid)
{
	Oid			extension = get_extension_oid("belongs_to_many", true);
	ForeignServer *server;
	Oid			handler;

	if (get_rel_relkind(relid) != RELKIND_FOREIGN_TABLE)
		return false;
	server = GetForeignServer(GetForeignTable(relid)->serverid);
	handler = GetForeignDataWrapper(server->fdwid)->fdwhandler;
	return OidIsValid(handler) && OidIsValid(extension) &&
		getExtensionOfObject(ProcedureRelationId, handler) == extension;
}

/*
 * The place of a column in the primary key by its options, from 1: those of
 * the clustering key come after all of the partition key.  0 for others.
 */
static int
key_place(Oid relid, AttrNumber attnum)
{
	ListCell   *lc;

	foreach(lc, GetForeignColumnOptions(relid, attnum))
	{
		DefElem    *def = lfirst(lc);

		if (strcmp(def->defname, "partition_key") == 0)
			return atoi(defGetString(def));
		if (strcmp(def->defname, "clustering_key") == 0)
			return MaxAttrNumber + atoi(defGetString(def));
	}
	return 0;
}

/*
 * How many columns, dropped ones included, does a table have?
 */
static int
column_count(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	int			result;

	if (!HeapTupleIsValid(tuple))
		return 0;
	result = ((Form_pg_class) GETSTRUCT(tuple))->relnatts;
	ReleaseSysCache(tuple);
	return result;
}

/*
 * The primary key of a foreign table, as far as its definition names one: an
 * integer list of attribute numbers in the key's order.  NIL for any other
 * table.
 */
List *
btm_foreign_primary_key(Oid relid)
{
	int			natts = column_count(relid);
	List	   *result = NIL;
	List	   *places = NIL;

	if (!is_cql_table(relid))
		return NIL;
	for (AttrNumber attnum = 1; attnum <= natts; attnum++)
	{
		int			place = key_place(relid, attnum);
		int			i = 0;

		if (place == 0 || get_attname(relid, attnum, true) == NULL)
			continue;
		while (i < list_length(places) && list_nth_int(places, i) < place)
			i++;
		places = list_insert_nth_int(places, i, place);
		result = list_insert_nth_int(result, i, attnum);
	}
	return result;
}

/*
 * Why no row of a foreign table, which is the pivot or a partition of it, can be
 * written, or NULL.  Both keys of the relation must be in the primary key:
 * otherwise a row is not one pair's, and pairs would overwrite each other.
 */
static const char *
write_obstacle(const BtmResolved *rel, Oid relid, List *key)
{
	if (key == NIL)
		return "Its definition names no column of the primary key that the table has in the cluster.";
	for (int i = 0; i < rel->nfk + rel->nid; i++)
	{
		const BtmKeyColumn *column = i < rel->nfk ? &rel->fk[i] : &rel->id[i - rel->nfk];

		if (!list_member_int(key, get_attnum(relid, column->name)))
			return psprintf("Column \"%s\" is a key of the relation, but not in the primary key that the table has in the cluster: several pairs would be one row.",
							column->name);
	}
	return NULL;
}

/*
 * Is the primary key, in which both keys of the relation are, made of these
 * and pivot values alone?
 */
static bool
key_is_pair(const BtmResolved *rel, List *key)
{
	ListCell   *lc;

	foreach(lc, key)
	{
		AttrNumber	attnum = lfirst_int(lc);

		if (!btm_pivot_column_by_number(rel, attnum)->is_key &&
			!btm_has_pivot_value(rel, attnum))
			return false;
	}
	return true;
}

/*
 * Fills what rel says about a partitioned pivot, in CurrentMemoryContext: what
 * its partitions have to say as far as they are foreign tables.
 */
void
btm_resolve_partitions(BtmResolved *rel)
{
	ListCell   *lc;

	foreach(lc, find_all_inheritors(rel->pivot, NoLock, NULL))
	{
		Oid			relid = lfirst_oid(lc);
		const char *obstacle;

		if (get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE)
			rel->partitions = lappend_oid(rel->partitions, relid);
		if (get_rel_relkind(relid) != RELKIND_FOREIGN_TABLE)
			continue;
		rel->partitions = lappend_oid(rel->partitions, relid);
		rel->has_foreign_rows = true;
		if (!is_cql_table(relid))
			continue;
		obstacle = write_obstacle(rel, relid, btm_foreign_primary_key(relid));
		if (obstacle != NULL)
			rel->write_obstacle = psprintf("Partition \"%s\": %s",
										   get_rel_name(relid), obstacle);
	}
}

/*
 * Fills what rel says about a foreign pivot, in CurrentMemoryContext.
 */
void
btm_resolve_foreign_table(BtmResolved *rel)
{
	List	   *key;

	rel->has_foreign_rows = true;
	if (!is_cql_table(rel->pivot))
		return;
	key = btm_foreign_primary_key(rel->pivot);
	rel->write_obstacle = write_obstacle(rel, rel->pivot, key);
	if (rel->write_obstacle != NULL)
		return;
	rel->pair_is_row = key_is_pair(rel, key);
	rel->arbiter = palloc(sizeof(AttrNumber) * list_length(key));
	for (int i = 0; i < list_length(key); i++)
		rel->arbiter[rel->narbiter++] = list_nth_int(key, i);
}
