/*-------------------------------------------------------------------------
 *
 * infer.c
 *	  What a definition leaves out, read off foreign-key constraints; and the
 *	  checks that every definition has to pass.
 *
 * A relation has two sides, parent and related, which are treated alike.  For
 * each there is a key in the pivot and the key of the side's own table that it
 * holds.  Whatever the user gives narrows the search: a constraint is a
 * candidate only if its columns are the given ones, in any order.
 *
 *	- The pivot is the one table that has a foreign key to each side.  The two
 *	  tables themselves are no candidates (users.manager_id and users.role_id
 *	  make no pivot of users), nor are partitions: they are reached through
 *	  their root, whose constraints they inherit.
 *	- A key of the pivot is that of the one foreign key to the side.  Columns
 *	  are never guessed by their names.
 *	- The side's own key is the one that the constraint on the given columns
 *	  references; if there is no such constraint, the primary key.  (That of a
 *	  foreign table is the one that its definition tells of.)
 *
 * A temporal foreign key (PERIOD) is no candidate, nor is a temporal primary
 * key: it compares by overlap, not by equality.
 *
 * Only catalogs are read, and no table is locked or opened: asking needs no
 * privilege on it, as naming it by regclass needs none.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "relation/relation.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* A constraint, without the table that it is on. */
typedef struct KeyConstraint
{
	Oid			relid;			/* the table that it is on */
	Oid			refrelid;		/* FOREIGN KEY: the table it points at */
	char	   *name;
	List	   *columns;		/* integer list of attnums of relid */
	List	   *refcolumns;		/* FOREIGN KEY: those of refrelid */
} KeyConstraint;

/* One side of a relation. */
typedef struct Side
{
	const BtmTable *table;
	List	  **key;			/* columns of the pivot */
	List	  **refkey;			/* columns of `table` that `key` holds */
	const char *key_name;		/* names of the constructor's arguments */
	const char *refkey_name;
} Side;

/* --------
 * Reading constraints
 * --------
 */

/*
 * An int2[] column of a pg_constraint row as an integer list.
 */
static List *
read_attnums(Relation catalog, HeapTuple tuple, AttrNumber attnum)
{
	bool		isnull;
	Datum		datum = heap_getattr(tuple, attnum, RelationGetDescr(catalog),
									 &isnull);
	Datum	   *attnums;
	int			n;
	List	   *result = NIL;

	if (isnull)
		return NIL;
	deconstruct_array(DatumGetArrayTypeP(datum), INT2OID, sizeof(int16), true,
					  TYPALIGN_SHORT, &attnums, NULL, &n);
	for (int i = 0; i < n; i++)
		result = lappend_int(result, DatumGetInt16(attnums[i]));
	return result;
}

/*
 * Makes a KeyConstraint of a pg_constraint row.
 */
static KeyConstraint *
read_constraint(Relation catalog, HeapTuple tuple)
{
	Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);
	KeyConstraint *constraint = palloc(sizeof(KeyConstraint));

	constraint->relid = form->conrelid;
	constraint->refrelid = form->confrelid;
	constraint->name = pstrdup(NameStr(form->conname));
	constraint->columns = read_attnums(catalog, tuple,
									   Anum_pg_constraint_conkey);
	constraint->refcolumns = read_attnums(catalog, tuple,
										  Anum_pg_constraint_confkey);
	return constraint;
}

/*
 * The constraints of one kind (CONSTRAINT_xxx) on a table, by name, if attnum
 * is Anum_pg_constraint_conrelid; those that point at it, in no particular
 * order, if it is Anum_pg_constraint_confrelid.
 *
 * Constraints that a partition has from its root are left out, unless they are
 * asked for by the partition; so are the copies that the server keeps for each
 * partition of a referenced table.
 */
static List *
read_constraints(AttrNumber attnum, Oid relid, char contype)
{
	bool		by_table = attnum == Anum_pg_constraint_conrelid;
	bool		with_inherited = by_table && get_rel_relispartition(relid);
	Relation	catalog = table_open(ConstraintRelationId, AccessShareLock);
	List	   *result = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	/* There is an index on conrelid, but none on confrelid. */
	ScanKeyInit(&key, attnum, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, ConstraintRelidTypidNameIndexId,
							  by_table, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);

		if (form->contype == contype && !constraint_is_temporal(form) &&
			(with_inherited || !OidIsValid(form->conparentid)))
			result = lappend(result, read_constraint(catalog, tuple));
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return result;
}

/* --------
 * Matching what is given
 * --------
 */

/*
 * Are these columns of table relid the given ones, in any order?  Columns that
 * are not given match any.
 */
static bool
columns_match(List *given, Oid relid, List *attnums)
{
	ListCell   *lc;

	if (given == NIL)
		return true;
	if (list_length(given) != list_length(attnums))
		return false;
	foreach(lc, given)
	{
		AttrNumber	attnum = btm_column_attnum(lfirst(lc), relid, true);

		if (!list_member_int(attnums, attnum))
			return false;
	}
	return true;
}

/*
 * Could this foreign key be the one of a side?
 */
static bool
constraint_matches(const KeyConstraint *constraint, const Side *side)
{
	return constraint->refrelid == side->table->oid &&
		columns_match(*side->key, constraint->relid, constraint->columns) &&
		columns_match(*side->refkey, constraint->refrelid,
					  constraint->refcolumns);
}

/*
 * Do two foreign keys of one table say the same?
 */
static bool
constraints_equal(const KeyConstraint *a, const KeyConstraint *b)
{
	return equal(a->columns, b->columns) && equal(a->refcolumns, b->refcolumns);
}

/*
 * The constraints (a List of KeyConstraint *) that could be the one of a side.
 * Of those that say the same only the first is in the list.
 */
static List *
matching_constraints(List *constraints, const Side *side)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, constraints)
	{
		KeyConstraint *constraint = lfirst(lc);
		ListCell   *other;

		if (!constraint_matches(constraint, side))
			continue;
		foreach(other, result)
			if (constraints_equal(constraint, lfirst(other)))
				break;
		if (other == NULL)
			result = lappend(result, constraint);
	}
	return result;
}

/* --------
 * Messages
 * --------
 */

/*
 * Columns as "(a, b)".
 */
static char *
print_columns(List *columns)
{
	StringInfoData buf;
	ListCell   *lc;

	initStringInfo(&buf);
	foreach(lc, columns)
		appendStringInfo(&buf, "%s%s", lc == list_head(columns) ? "(" : ", ",
						 btm_column_print(lfirst(lc)));
	appendStringInfoChar(&buf, ')');
	return buf.data;
}

/*
 * The table with this OID as SQL.
 */
static char *
print_table(Oid relid)
{
	BtmTable	table = btm_table_make(relid);

	return btm_table_print(&table);
}

/*
 * The columns with these numbers as a List of BtmColumn *.
 */
static List *
make_columns(Oid relid, List *attnums)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, attnums)
		result = lappend(result, btm_column_make(relid, lfirst_int(lc)));
	return result;
}

/*
 * Foreign keys as `constraint "x" (a, b) references (c, d), ...`.
 */
static char *
print_constraints(List *constraints)
{
	StringInfoData buf;
	ListCell   *lc;

	initStringInfo(&buf);
	foreach(lc, constraints)
	{
		KeyConstraint *constraint = lfirst(lc);

		appendStringInfo(&buf, "%sconstraint \"%s\" %s references %s",
						 lc == list_head(constraints) ? "" : ", ",
						 constraint->name,
						 print_columns(make_columns(constraint->relid,
													constraint->columns)),
						 print_columns(make_columns(constraint->refrelid,
													constraint->refcolumns)));
	}
	return buf.data;
}

/*
 * Tables (a List of Oid) as "a.b, c.d".
 */
static char *
print_tables(List *tables)
{
	StringInfoData buf;
	ListCell   *lc;

	initStringInfo(&buf);
	foreach(lc, tables)
		appendStringInfo(&buf, "%s%s", lc == list_head(tables) ? "" : ", ",
						 print_table(lfirst_oid(lc)));
	return buf.data;
}

/*
 * Errors with 42P09: not just one table can be the pivot.
 */
pg_noreturn static void
pivot_not_inferred(const Side *sides, List *candidates)
{
	bool		narrowed = *sides[0].key || *sides[0].refkey ||
		*sides[1].key || *sides[1].refkey;

	ereport(ERROR,
			(errcode(ERRCODE_AMBIGUOUS_ALIAS),
			 errmsg("could not infer the pivot table between %s and %s",
					btm_table_print(sides[0].table),
					btm_table_print(sides[1].table)),
			 candidates ?
			 errdetail("Candidates are %s.", print_tables(candidates)) :
			 narrowed ?
			 errdetail("No table has a foreign key to each of them on the given columns.") :
			 errdetail("No table has a foreign key to each of them."),
			 errhint("Give the argument pivot_table.")));
}

/*
 * Errors with 42P09: not just one foreign key of the pivot can be the one of
 * a side.
 */
pg_noreturn static void
key_not_inferred(Oid pivot, const Side *side, List *candidates)
{
	ereport(ERROR,
			(errcode(ERRCODE_AMBIGUOUS_ALIAS),
			 errmsg("could not infer %s of the relation", side->key_name),
			 candidates ?
			 errdetail("Pivot table %s has several foreign keys to %s: %s.",
					   print_table(pivot), btm_table_print(side->table),
					   print_constraints(candidates)) :
			 *side->refkey ?
			 errdetail("Pivot table %s has no foreign key to %s %s.",
					   print_table(pivot), btm_table_print(side->table),
					   print_columns(*side->refkey)) :
			 errdetail("Pivot table %s has no foreign key to %s.",
					   print_table(pivot), btm_table_print(side->table)),
			 errhint("Give the argument %s.", side->key_name)));
}

/*
 * Errors with 42P09: several foreign keys on the given columns, to different
 * columns of the side (candidates is not NIL), or none and no primary key.
 */
pg_noreturn static void
refkey_not_inferred(Oid pivot, const Side *side, List *candidates)
{
	ereport(ERROR,
			(errcode(ERRCODE_AMBIGUOUS_ALIAS),
			 errmsg("could not infer %s of the relation", side->refkey_name),
			 candidates ?
			 errdetail("Pivot table %s has several foreign keys to %s: %s.",
					   print_table(pivot), btm_table_print(side->table),
					   print_constraints(candidates)) :
			 errdetail("Table %s has no primary key, and %s has no foreign key to it on %s.",
					   btm_table_print(side->table), print_table(pivot),
					   print_columns(*side->key)),
			 errhint("Give the argument %s.", side->refkey_name)));
}

/* --------
 * Inference
 * --------
 */

/*
 * The tables (a List of Oid) that have a foreign key to a side.
 */
static List *
tables_pointing_at(const Side *side)
{
	List	   *constraints = read_constraints(Anum_pg_constraint_confrelid,
											   side->table->oid,
											   CONSTRAINT_FOREIGN);
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, constraints)
	{
		const KeyConstraint *constraint = lfirst(lc);

		if (constraint_matches(constraint, side))
			result = list_append_unique_oid(result, constraint->relid);
	}
	return result;
}

/*
 * The tables (a List of Oid, in order) that could be the pivot.
 */
static List *
pivot_candidates(const Side *sides)
{
	List	   *to_parent = tables_pointing_at(&sides[0]);
	List	   *to_related = tables_pointing_at(&sides[1]);
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, to_parent)
	{
		Oid			relid = lfirst_oid(lc);

		if (list_member_oid(to_related, relid) &&
			relid != sides[0].table->oid && relid != sides[1].table->oid &&
			!get_rel_relispartition(relid))
			result = lappend_oid(result, relid);
	}
	list_sort(result, list_oid_cmp);
	return result;
}

/*
 * Finds the pivot.  If there is not just one that it can be: false if
 * missing_ok, else an error with 42P09.
 */
static bool
infer_pivot(BtmTable *pivot, const Side *sides, bool missing_ok)
{
	List	   *candidates = pivot_candidates(sides);

	if (list_length(candidates) == 1)
		*pivot = btm_table_make(linitial_oid(candidates));
	else if (!missing_ok)
		pivot_not_inferred(sides, candidates);
	return pivot->name != NULL;
}

/*
 * The columns of table `relid` that a constraint pairs with the given ones:
 * `attnums` are the numbers of the given ones in the constraint, `paired`
 * those of their counterparts.
 */
static List *
paired_columns(List *given, List *attnums, Oid relid, List *paired)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, given)
	{
		const BtmColumn *column = lfirst(lc);

		for (int i = 0; i < list_length(attnums); i++)
			if (list_nth_int(attnums, i) == column->attnum)
				result = lappend(result,
								 btm_column_make(relid,
												 list_nth_int(paired, i)));
	}
	return result;
}

/*
 * Takes from a foreign key what a side has not, in the order of what it has.
 */
static void
take_keys(Side *side, const KeyConstraint *constraint)
{
	if (*side->key != NIL)
		*side->refkey = paired_columns(*side->key, constraint->columns,
									   constraint->refrelid,
									   constraint->refcolumns);
	else if (*side->refkey != NIL)
		*side->key = paired_columns(*side->refkey, constraint->refcolumns,
									constraint->relid, constraint->columns);
	else
	{
		*side->key = make_columns(constraint->relid, constraint->columns);
		*side->refkey = make_columns(constraint->refrelid,
									 constraint->refcolumns);
	}
}

/*
 * The columns of a table's primary key as a List of BtmColumn *; NIL if it has
 * none.  That of a foreign table is the one that its definition tells of.
 */
static List *
primary_key(Oid relid)
{
	List	   *constraints = read_constraints(Anum_pg_constraint_conrelid,
											   relid, CONSTRAINT_PRIMARY);
	const KeyConstraint *constraint;

	if (constraints == NIL)
		return make_columns(relid, btm_foreign_primary_key(relid));
	constraint = linitial(constraints);
	return make_columns(relid, constraint->columns);
}

/*
 * Finds what a side has not.  If it cannot be found: false if missing_ok, else
 * an error with 42P09.
 */
static bool
infer_keys(Oid pivot, Side *side, bool missing_ok)
{
	List	   *constraints;
	List	   *candidates;

	if (*side->key != NIL && *side->refkey != NIL)
		return true;

	constraints = read_constraints(Anum_pg_constraint_conrelid, pivot,
								   CONSTRAINT_FOREIGN);
	candidates = matching_constraints(constraints, side);
	if (list_length(candidates) == 1)
		take_keys(side, linitial(candidates));
	else if (*side->key != NIL && candidates == NIL)
		*side->refkey = primary_key(side->table->oid);

	if (*side->key == NIL && !missing_ok)
		key_not_inferred(pivot, side, candidates);
	if (*side->refkey == NIL && !missing_ok)
		refkey_not_inferred(pivot, side, candidates);
	return *side->key != NIL && *side->refkey != NIL;
}

/* --------
 * Checks
 * --------
 */

/*
 * Errors with 42809 unless a table is of a kind that this part of a relation
 * can be.  Views can be related to, but nothing is written to one.
 */
static void
check_table_kind(const BtmTable *table, const char *part, bool allow_view)
{
	char		relkind = get_rel_relkind(table->oid);

	if (relkind == RELKIND_RELATION || relkind == RELKIND_PARTITIONED_TABLE ||
		relkind == RELKIND_FOREIGN_TABLE)
		return;
	if (allow_view &&
		(relkind == RELKIND_VIEW || relkind == RELKIND_MATVIEW))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("%s cannot be the %s of a relation",
					btm_table_print(table), part),
			 allow_view ?
			 errdetail("It is not a table, foreign table, view or materialized view.") :
			 errdetail("It is not a table, partitioned table or foreign table.")));
}

/*
 * Binds the given columns to their table.  If there is no such column: false
 * if missing_ok, else an error with 42703.
 */
static bool
bind_columns(List *columns, Oid relid, bool missing_ok)
{
	ListCell   *lc;

	foreach(lc, columns)
	{
		AttrNumber	attnum = btm_column_attnum(lfirst(lc), relid, missing_ok);

		if (!AttributeNumberIsValid(attnum))
			return false;
		lfirst(lc) = btm_column_make(relid, attnum);
	}
	return true;
}

/*
 * Is this bound column among these?
 */
static bool
has_column(List *columns, const BtmColumn *column)
{
	ListCell   *lc;

	foreach(lc, columns)
		if (((BtmColumn *) lfirst(lc))->attnum == column->attnum)
			return true;
	return false;
}

/*
 * Errors with 22023 if a column is twice in a key.
 */
static void
check_distinct(List *columns, const char *key_name)
{
	List	   *seen = NIL;
	ListCell   *lc;

	foreach(lc, columns)
	{
		BtmColumn  *column = lfirst(lc);

		if (has_column(seen, column))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" is twice in %s",
							column->name, key_name)));
		seen = lappend(seen, column);
	}
}

/*
 * Errors with 42804 if a column of the pivot and the one that it points at
 * cannot be compared.
 */
static void
check_comparable(const BtmColumn *column, const BtmColumn *refcolumn)
{
	Oid			type = get_atttype(column->relid, column->attnum);
	Oid			reftype = get_atttype(refcolumn->relid, refcolumn->attnum);

	/* As results join them: the side's own column is on the left. */
	if (OidIsValid(btm_equality_operator(reftype, type)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("key columns \"%s\" and \"%s\" cannot be compared",
					column->name, refcolumn->name),
			 errdetail("Column \"%s\" of %s is of type %s, column \"%s\" of %s is of type %s.",
					   column->name, print_table(column->relid),
					   format_type_be(type),
					   refcolumn->name, print_table(refcolumn->relid),
					   format_type_be(reftype))));
}

/*
 * Checks the keys of a side.  Errors: 22023, 42804.
 */
static void
check_keys(const Side *side)
{
	ListCell   *lc;
	ListCell   *reflc;

	if (list_length(*side->key) != list_length(*side->refkey))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s and %s must have the same number of columns",
						side->key_name, side->refkey_name),
				 errdetail("The %s is %s, the %s is %s.",
						   side->key_name, print_columns(*side->key),
						   side->refkey_name, print_columns(*side->refkey))));
	check_distinct(*side->key, side->key_name);
	check_distinct(*side->refkey, side->refkey_name);
	forboth(lc, *side->key, reflc, *side->refkey)
		check_comparable(lfirst(lc), lfirst(reflc));
}

/*
 * Errors with 22023 if the parent alone decides the related row, so that no
 * column is left for an id.
 */
static void
check_id_column(const BtmRelation *rel)
{
	ListCell   *lc;

	foreach(lc, rel->related_key)
		if (!has_column(rel->foreign_key, lfirst(lc)))
			return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("related_key must have a column that is not in foreign_key"),
			 errdetail("The related_key is %s, the foreign_key is %s.",
					   print_columns(rel->related_key),
					   print_columns(rel->foreign_key))));
}

/*
 * Errors with 42P09 unless a relation from a table to itself names both keys:
 * constraints do not tell which is which.
 */
static void
check_self_reference(const BtmRelation *rel)
{
	if (rel->parent.oid != rel->related.oid ||
		(rel->foreign_key != NIL && rel->related_key != NIL))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_AMBIGUOUS_ALIAS),
			 errmsg("could not infer the keys of a relation from %s to itself",
					btm_table_print(&rel->parent)),
			 errdetail("Both keys of the pivot point at the same table."),
			 errhint("Give the arguments foreign_key and related_key.")));
}

/*
 * Completes a definition from foreign-key constraints and checks it.
 *
 * Parent and related table are bound, and the pivot table if it is given; what
 * is NULL or NIL of pivot, foreign_key, related_key, parent_key and
 * related_pivot_key is filled in.  Columns that are given may be known by name
 * only; afterwards all are bound.  `rel` is changed in place.
 *
 * If something is not given and cannot be inferred, or a column is not there:
 * false if missing_ok, with `rel` completed in part; else errors with 42P09 or
 * 42703.  Other errors: 42809 for a table of the wrong kind, 22023 and 42804
 * for keys that do not fit, 42P09 for a relation from a table to itself that
 * does not name both keys.
 */
bool
btm_relation_infer(BtmRelation *rel, bool missing_ok)
{
	Side		sides[2] = {
		{&rel->parent, &rel->foreign_key, &rel->parent_key,
		"foreign_key", "parent_key"},
		{&rel->related, &rel->related_key, &rel->related_pivot_key,
		"related_key", "related_pivot_key"}
	};

	check_table_kind(&rel->parent, "parent", true);
	check_table_kind(&rel->related, "related table", true);
	if (!bind_columns(rel->parent_key, rel->parent.oid, missing_ok) ||
		!bind_columns(rel->related_pivot_key, rel->related.oid, missing_ok))
		return false;
	check_self_reference(rel);

	if (rel->pivot.name == NULL &&
		!infer_pivot(&rel->pivot, sides, missing_ok))
		return false;
	check_table_kind(&rel->pivot, "pivot table", false);

	for (int i = 0; i < 2; i++)
	{
		if (!bind_columns(*sides[i].key, rel->pivot.oid, missing_ok) ||
			!infer_keys(rel->pivot.oid, &sides[i], missing_ok))
			return false;
		check_keys(&sides[i]);
	}
	check_id_column(rel);
	return true;
}
