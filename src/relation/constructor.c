/*-------------------------------------------------------------------------
 *
 * constructor.c
 *	  The SQL functions belongs_to_many(): a relation from tables and keys.
 *
 * Two overloads differ in their keys: a key of one column is a name, one of
 * several is an array of names.  Everything that is NULL is inferred.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "relation/builder.h"

BTM_FUNCTION(btm_construct);
BTM_FUNCTION(btm_construct_composite);

/* Reads a key argument, a List of BtmColumn *; NIL if it is NULL. */
typedef List *(*ReadKey) (FunctionCallInfo fcinfo, int argno,
						  const char *what);

/*
 * Reads a key that is a name.
 */
static List *
read_simple_key(FunctionCallInfo fcinfo, int argno, const char *what)
{
	if (PG_ARGISNULL(argno))
		return NIL;
	return list_make1(btm_column_by_name(InvalidOid,
										 btm_arg_name(fcinfo, argno, what)));
}

/*
 * Reads a key that is an array of names.  Errors: 22004 for a NULL element,
 * 22023 for an empty array.
 */
static List *
read_composite_key(FunctionCallInfo fcinfo, int argno, const char *what)
{
	List	   *names;
	List	   *columns = NIL;
	ListCell   *lc;

	if (PG_ARGISNULL(argno))
		return NIL;
	names = btm_arg_names(fcinfo, argno, what);
	if (names == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must name a column", what),
				 errhint("Use null for a key that is to be inferred.")));
	foreach(lc, names)
		columns = lappend(columns, btm_column_by_name(InvalidOid, lfirst(lc)));
	return columns;
}

/*
 * Makes a relation of the arguments: parent, related, pivot_table, and the
 * four keys.
 *
 * Errors: 22004 for a NULL parent or related table, 42P01 for an OID that is
 * no table's, those of ReadKey and btm_relation_infer.
 */
static Datum
construct(FunctionCallInfo fcinfo, ReadKey read_key)
{
	BtmRelation *rel = palloc0(sizeof(BtmRelation));

	btm_arg_not_null(fcinfo, 0, "parent");
	btm_arg_not_null(fcinfo, 1, "related");
	rel->parent = btm_table_make(PG_GETARG_OID(0));
	rel->related = btm_table_make(PG_GETARG_OID(1));
	if (!PG_ARGISNULL(2))
		rel->pivot = btm_table_make(PG_GETARG_OID(2));

	rel->foreign_key = read_key(fcinfo, 3, "foreign_key");
	rel->related_key = read_key(fcinfo, 4, "related_key");
	rel->parent_key = read_key(fcinfo, 5, "parent_key");
	rel->related_pivot_key = read_key(fcinfo, 6, "related_pivot_key");

	(void) btm_relation_infer(rel, false);
	PG_RETURN_BTM_RELATION(rel);
}

/*
 * belongs_to_many(parent regclass, related regclass, pivot_table regclass,
 * foreign_key name, related_key name, parent_key name, related_pivot_key name)
 */
Datum
btm_construct(PG_FUNCTION_ARGS)
{
	return construct(fcinfo, read_simple_key);
}

/*
 * The same with keys of type name[].
 */
Datum
btm_construct_composite(PG_FUNCTION_ARGS)
{
	return construct(fcinfo, read_composite_key);
}
