/*-------------------------------------------------------------------------
 *
 * saved.c
 *	  Looks up saved relations, by id and by name.
 *
 * The schema of a saved relation is not stored: it is the schema of its pivot
 * table now, so it follows ALTER TABLE ... SET SCHEMA, and a name in a schema
 * can be given only by somebody who may create things there.  A consequence is
 * that two rows of one name can end up in one schema.  A look-up then fails
 * and never picks one.
 *
 * A row counts as absent while its pivot, parent or related table cannot be
 * found.  A table that was known by OID is found by OID only.  If it was
 * dropped, the relation has gone with it, and does not come back on another
 * table that was given its name.  A row that was restored before its tables
 * knows names only, and is found by these.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/namespace.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "parser/scansup.h"
#include "relation/saved.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

BTM_FUNCTION(btm_saved_relations);
BTM_FUNCTION(btm_relation_present);

/* --------
 * Tables of a stored definition
 * --------
 */

/*
 * OID of a table, or InvalidOid if it cannot be found, or is not given (as in
 * a row that somebody put into the store by hand).
 *
 * Whether a row is present does not depend on who asks, so no right on the
 * schema is needed, as none is for a table that is known by OID: one row that
 * was restored by name would else be an error to everybody who reads the view,
 * or looks for its namesake in a schema of his own.
 */
Oid
btm_saved_table(const BtmTable *table)
{
	Oid			namespaceId;

	if (OidIsValid(table->oid))
		return SearchSysCacheExists1(RELOID, ObjectIdGetDatum(table->oid)) ?
			table->oid : InvalidOid;
	if (table->name == NULL)
		return InvalidOid;
	if (table->schema == NULL)
		return btm_table_oid(table, true);
	namespaceId = LookupNamespaceNoError(table->schema);
	return OidIsValid(namespaceId) ?
		get_relname_relid(table->name, namespaceId) : InvalidOid;
}

/*
 * Schema of a table now, or InvalidOid.
 */
Oid
btm_saved_table_namespace(const BtmTable *table)
{
	Oid			relid = btm_saved_table(table);

	return OidIsValid(relid) ? get_rel_namespace(relid) : InvalidOid;
}

/*
 * The first table of a definition that cannot be found, or NULL.
 */
static const BtmTable *
missing_table(const BtmRelation *definition)
{
	if (!OidIsValid(btm_saved_table(&definition->pivot)))
		return &definition->pivot;
	if (!OidIsValid(btm_saved_table(&definition->parent)))
		return &definition->parent;
	if (!OidIsValid(btm_saved_table(&definition->related)))
		return &definition->related;
	return NULL;
}

/*
 * Does this row of the store count as present?  (The functions that write it
 * store no references; what a superuser may have put there by hand is of no
 * use.)
 */
bool
btm_saved_present(const BtmRelation *definition)
{
	return definition->ref_name == NULL && missing_table(definition) == NULL;
}

/* --------
 * Look-up
 * --------
 */

/*
 * The saved relation of this id, or NULL if it is gone or absent.  The result
 * is allocated in CurrentMemoryContext.
 */
BtmSavedRelation *
btm_saved_by_id(int64 id)
{
	BtmStoreScan *scan = btm_store_scan_id(id);
	BtmSavedRelation *result = NULL;
	BtmStoreRow row;

	if (btm_store_next(scan, &row) && btm_saved_present(row.definition))
	{
		result = palloc(sizeof(BtmSavedRelation));
		result->id = row.id;
		result->schema = get_namespace_name(btm_saved_table_namespace(&row.definition->pivot));
		result->name = row.name;
		result->definition = row.definition;
	}
	btm_store_end(scan);
	return result;
}

/*
 * Raises 42P09: two present rows have one name in one schema.
 */
static void
ambiguous_error(const BtmSavedRelation *a, const BtmSavedRelation *b)
{
	const char *pivot_a = btm_table_print(&a->definition->pivot);
	const char *pivot_b = btm_table_print(&b->definition->pivot);
	bool		in_order = strcmp(pivot_a, pivot_b) < 0;

	ereport(ERROR,
			(errcode(ERRCODE_AMBIGUOUS_ALIAS),
			 errmsg("saved relation \"%s\" is ambiguous",
					btm_saved_display_name(a->schema, a->name)),
			 errdetail("Pivot tables %s and %s each have a saved relation of this name.",
					   in_order ? pivot_a : pivot_b,
					   in_order ? pivot_b : pivot_a),
			 errhint("Move one of the pivot tables to another schema with ALTER TABLE ... SET SCHEMA.")));
}

/*
 * Of the rows of a name, the one that is present in this schema, or NULL.
 * Errors: 42P09 if there are several.
 */
static BtmSavedRelation *
pick_in_namespace(const BtmNamedRows *rows, Oid namespaceId)
{
	BtmSavedRelation *found = NULL;

	for (int i = 0; i < rows->n; i++)
	{
		BtmSavedRelation *saved;

		if (btm_saved_row_namespace(&rows->rows[i]) != namespaceId)
			continue;
		saved = btm_saved_by_id(rows->rows[i].id);
		if (saved == NULL)
			continue;
		if (found != NULL)
			ambiguous_error(found, saved);
		found = saved;
	}
	return found;
}

/*
 * The saved relation of this name in the first of some schemas that has one,
 * or NULL.  Errors: 42P09.
 */
static BtmSavedRelation *
find_in_namespaces(List *path, const char *name)
{
	const BtmNamedRows *rows = btm_saved_rows_named(name);
	BtmSavedRelation *saved = NULL;
	ListCell   *lc;

	foreach(lc, path)
	{
		saved = pick_in_namespace(rows, lfirst_oid(lc));
		if (saved != NULL)
			break;
	}
	return saved;
}

/*
 * The schemas in which a name is looked for: the one given, or, where it is
 * NULL, those of search_path.  The list is empty if the schema does not exist.
 */
static List *
namespaces_to_search(const char *schema)
{
	Oid			namespaceId;

	if (schema == NULL)
		return btm_search_path();
	namespaceId = LookupNamespaceNoError(schema);
	return OidIsValid(namespaceId) ? list_make1_oid(namespaceId) : NIL;
}

/*
 * The saved relation of this name in a schema, or NULL.  Errors: 42P09.
 */
BtmSavedRelation *
btm_saved_in_namespace(Oid namespaceId, const char *name)
{
	return find_in_namespaces(list_make1_oid(namespaceId), name);
}

/*
 * The saved relation of this name in a schema, or, if that is NULL, in the
 * first schema of search_path that has one; NULL if there is none.  The
 * result is allocated in CurrentMemoryContext.  Errors: 42P09.
 */
BtmSavedRelation *
btm_saved_by_name(const char *schema, const char *name)
{
	return find_in_namespaces(namespaces_to_search(schema), name);
}

/* --------
 * Names
 * --------
 */

/*
 * Splits the SQL name of a saved relation, folded and quoted as a table's is,
 * into its parts; *schema is NULL where there is no qualifier.  Errors: 22023
 * if it is empty or could be taken for JSON, 42602 if it is no name.
 */
void
btm_saved_parse_name(const char *text, char **schema, char **name)
{
	const char *start = text;
	List	   *parts = NIL;

	while (scanner_isspace(*start))
		start++;
	if (*start != '\0' && *start != '{' && *start != '[')
		parts = stringToQualifiedNameList(start, NULL);
	if (list_length(parts) > 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("improper name of a saved relation (too many dotted names): %s",
						start)));
	if (parts == NIL || strVal(llast(parts))[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid name of a saved relation: \"%s\"", text),
				 errdetail("A name must not be empty nor begin with \"{\" or \"[\".")));

	*schema = list_length(parts) == 2 ? strVal(linitial(parts)) : NULL;
	*name = strVal(llast(parts));
}

/*
 * A name as it is shown in messages: without quotes of its own.
 */
char *
btm_saved_display_name(const char *schema, const char *name)
{
	return schema ? psprintf("%s.%s", schema, name) : pstrdup(name);
}

/*
 * The SQL name of the saved relation that `rel` refers to, as it is now; the
 * names that the reference holds if it is not bound or what it was bound to is
 * gone.  Never fails for a missing object.
 */
char *
btm_saved_print_name(const BtmRelation *rel)
{
	BtmSavedRelation *saved = NULL;

	if (rel->ref_id != 0)
		saved = btm_saved_by_id(rel->ref_id);
	if (saved != NULL)
		return quote_qualified_identifier(saved->schema, saved->name);
	return quote_qualified_identifier(rel->ref_schema, rel->ref_name);
}

/* What can be said of a name that was not found. */
typedef struct NameClues
{
	List	   *visible;		/* names that would have been found */
	char	   *elsewhere;		/* SQL name of its namesake in another schema */
	char	   *missing_table;	/* why a namesake counts as absent */
} NameClues;

/*
 * Adds what one row of the store tells about a name.
 */
static void
add_clue(NameClues *clues, const BtmStoreRow *row, List *path,
		 const char *name)
{
	const BtmTable *missing = missing_table(row->definition);
	bool		same_name = strcmp(row->name, name) == 0;
	Oid			namespaceId;

	if (missing != NULL)
	{
		if (same_name && missing->name != NULL)
			clues->missing_table = btm_table_print(missing);
		return;
	}
	namespaceId = btm_saved_table_namespace(&row->definition->pivot);
	if (list_member_oid(path, namespaceId))
		clues->visible = lappend(clues->visible, pstrdup(row->name));
	else if (same_name)
	{
		char	   *namesake;

		/* Of several it is the first in byte order: the store has none. */
		namesake = quote_qualified_identifier(get_namespace_name(namespaceId),
											  row->name);
		if (clues->elsewhere == NULL || strcmp(namesake, clues->elsewhere) < 0)
			clues->elsewhere = namesake;
	}
}

/*
 * Raises 42704: there is no saved relation of this name.  Says why, or what
 * comes closest.
 */
void
btm_saved_missing(const char *schema, const char *name)
{
	NameClues	clues = {NIL, NULL, NULL};
	List	   *path = namespaces_to_search(schema);
	BtmStoreScan *scan = btm_store_scan_all();
	const char *suggestion;
	BtmStoreRow row;

	while (btm_store_next(scan, &row))
		add_clue(&clues, &row, path, name);
	btm_store_end(scan);

	suggestion = btm_nearest_name(name, clues.visible);
	if (suggestion != NULL)
		suggestion = quote_qualified_identifier(schema, suggestion);
	else
		suggestion = clues.elsewhere;
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("saved relation \"%s\" does not exist",
					btm_saved_display_name(schema, name)),
			 clues.missing_table ?
			 errdetail("There is one of this name, but its table %s was dropped or not restored.",
					   clues.missing_table) : 0,
			 suggestion ?
			 errhint("Perhaps you meant the saved relation %s.", suggestion) : 0));
}

/* --------
 * Expansion of references
 * --------
 */

/*
 * The saved relation that `rel` refers to: by id, so that it is found under
 * its present name; by name if it was not bound yet or has been dropped and
 * created again.  Errors: 42704, 42P09.
 */
static BtmSavedRelation *
referenced(const BtmRelation *rel)
{
	BtmSavedRelation *saved = NULL;

	if (rel->ref_id != 0)
		saved = btm_saved_by_id(rel->ref_id);
	if (saved == NULL)
		saved = btm_saved_by_name(rel->ref_schema, rel->ref_name);
	if (saved == NULL)
		btm_saved_missing(rel->ref_schema, rel->ref_name);
	return saved;
}

/*
 * Appends the columns of `more` that `columns` does not have.
 */
static List *
merge_columns(List *columns, List *more)
{
	ListCell   *lc;

	foreach(lc, more)
		if (!btm_columns_contain(columns, lfirst(lc)))
			columns = lappend(columns, lfirst(lc));
	return columns;
}

/*
 * Appends the values of `more`; one for a column that `values` has already
 * takes the place of that.
 */
static List *
merge_values(List *values, List *more)
{
	ListCell   *lc;

	foreach(lc, more)
		values = btm_pivot_values_put(values, lfirst(lc));
	return values;
}

/*
 * Adds to a definition what builders added to a reference to it.  The
 * additions become part of the definition.
 */
static void
merge_additions(BtmRelation *def, const BtmRelation *additions)
{
	def->with_pivot = merge_columns(def->with_pivot, additions->with_pivot);
	def->pivot_values = merge_values(def->pivot_values,
									 additions->pivot_values);
	def->where = list_concat(def->where, additions->where);
	def->where_related = list_concat(def->where_related,
									 additions->where_related);
	def->order_by = list_concat(def->order_by, additions->order_by);
	if (additions->has_timestamps)
	{
		def->has_timestamps = true;
		def->created_at = additions->created_at;
		def->updated_at = additions->updated_at;
	}
	if (additions->pivot_as != NULL)
		def->pivot_as = additions->pivot_as;
	if (additions->has_take)
	{
		def->has_take = true;
		def->max_rows = additions->max_rows;
		def->skip = additions->skip;
	}
}

/*
 * The definition of any relation: of one that defines itself a copy, of a
 * reference the saved definition with the reference's additions.  Allocated in
 * CurrentMemoryContext.  Errors: 42704 for an unknown saved relation, 42P09
 * for an ambiguous one, those of btm_relation_invert.
 */
BtmRelation *
btm_relation_expand(const BtmRelation *rel)
{
	BtmRelation *def;

	if (rel->ref_name == NULL)
		return btm_relation_copy(rel);

	def = referenced(rel)->definition;
	if (rel->inverse)
		btm_relation_invert(def);
	merge_additions(def, btm_relation_copy(rel));
	return def;
}

/* --------
 * SQL functions that read the store
 * --------
 */

/*
 * Is this a definition of which all tables exist, for others too?  That is
 * what a dump can restore.  NULL and references are not.
 */
Datum
btm_relation_present(PG_FUNCTION_ARGS)
{
	BtmRelation *rel;
	const BtmTable *tables[3];

	if (PG_ARGISNULL(0))
		PG_RETURN_BOOL(false);
	rel = PG_GETARG_BTM_RELATION(0);
	if (!btm_saved_present(rel))
		PG_RETURN_BOOL(false);

	tables[0] = &rel->pivot;
	tables[1] = &rel->parent;
	tables[2] = &rel->related;
	for (size_t i = 0; i < lengthof(tables); i++)
		if (get_rel_persistence(btm_saved_table(tables[i])) == RELPERSISTENCE_TEMP)
			PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(true);
}

/*
 * Adds one row of the store to the result of btm_saved_relations.
 */
static void
put_saved_relation(ReturnSetInfo *result, const BtmStoreRow *row)
{
	const BtmRelation *def = row->definition;
	Oid			namespaceId = btm_saved_table_namespace(&def->pivot);
	NameData	name;
	NameData	schema;
	Datum		values[6];
	bool		nulls[6] = {false};

	namestrcpy(&schema, get_namespace_name(namespaceId));
	namestrcpy(&name, row->name);
	values[0] = NameGetDatum(&schema);
	values[1] = NameGetDatum(&name);
	values[2] = ObjectIdGetDatum(btm_saved_table(&def->parent));
	values[3] = ObjectIdGetDatum(btm_saved_table(&def->related));
	values[4] = ObjectIdGetDatum(btm_saved_table(&def->pivot));
	values[5] = btm_relation_to_datum(def);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * All saved relations that are present: (schema name, name name, parent
 * regclass, related regclass, pivot_table regclass, relation
 * belongs_to_many).
 */
Datum
btm_saved_relations(PG_FUNCTION_ARGS)
{
	BtmStoreScan *scan;
	BtmStoreRow row;

	InitMaterializedSRF(fcinfo, 0);
	scan = btm_store_scan_all();
	while (btm_store_next(scan, &row))
	{
		CHECK_FOR_INTERRUPTS();
		if (btm_saved_present(row.definition))
			put_saved_relation((ReturnSetInfo *) fcinfo->resultinfo, &row);
	}
	btm_store_end(scan);
	PG_RETURN_VOID();
}
