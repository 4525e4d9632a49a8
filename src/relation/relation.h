/*-------------------------------------------------------------------------
 *
 * relation.h
 *	  What a relation is: the value, its parts and its resolved form.
 *
 * A relation has three forms:
 *
 *	- the *value*, a varlena of type belongs_to_many, which users pass about.
 *	  Its payload is a jsonb document (relation_value.c).
 *	- BtmRelation, the value taken apart: a plain struct that builders change
 *	  and that the text form is printed from.  It may name things that do not
 *	  exist (yet).
 *	- BtmResolved, a definition bound to tables and columns that exist, with
 *	  all that operations need to know about them (resolve.c).  Kept in a
 *	  per-backend cache and thrown away by invalidation (cache.c).
 *
 * Tables and columns are kept by name *and* by OID / attribute number.  The
 * number is what lets a stored value follow a rename; the name is what is
 * printed when the object is gone, and what binds the value anew after a
 * restore, in which numbers mean nothing.  The text form has names only.
 *
 * A value may instead *refer* to a saved relation.  It then holds the
 * reference and whatever builders added to it; the saved definition is looked
 * up at each use, so that redefining it takes effect in cached plans.
 *
 * Unless said otherwise, functions allocate their result in
 * CurrentMemoryContext and share nothing with their arguments.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_RELATION_H
#define BTM_RELATION_H

#include "compat.h"

#include "access/attnum.h"
#include "access/tupdesc.h"
#include "fmgr.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"

/* A table by OID and by name.  Not given at all: name is NULL. */
typedef struct BtmTable
{
	Oid			oid;			/* InvalidOid: known by name only */
	char	   *schema;			/* NULL: to be found through search_path */
	char	   *name;
} BtmTable;

/*
 * A column.  The attribute number is trusted only while the column is looked
 * for in the table `relid` (see btm_column_attnum).
 */
typedef struct BtmColumn
{
	Oid			relid;			/* InvalidOid: known by name only */
	AttrNumber	attnum;			/* InvalidAttrNumber: known by name only */
	char	   *name;
} BtmColumn;

/* The table of a relation that a filter or an ordering speaks of. */
typedef enum BtmSide
{
	BTM_PIVOT,
	BTM_RELATED
} BtmSide;

/* What a filter step tests. */
typedef enum BtmConditionKind
{
	BTM_COND_OPERATOR,			/* column OPERATOR(schema.op) values[0] */
	BTM_COND_NULL,				/* column IS NULL */
	BTM_COND_IN,				/* column = ANY (values) */
	BTM_COND_BETWEEN,			/* column between values[0] and values[1] */
	BTM_COND_DISTINCT			/* column IS DISTINCT FROM values[0] */
} BtmConditionKind;

/*
 * One step of a filter.  A filter is a List of steps, folded from the left:
 * each step is AND-ed or OR-ed with all that stands before it, and the
 * connector of the first step is ignored.
 */
typedef struct BtmCondition
{
	BtmConditionKind kind;
	bool		is_or;			/* OR with what stands so far? */
	bool		negated;		/* NOT NULL, NOT IN, NOT BETWEEN, NOT DISTINCT */
	BtmColumn	column;
	char	   *opschema;		/* OPERATOR: NULL until resolved */
	char	   *opname;			/* OPERATOR */
	List	   *values;			/* of char *, text form of the right operands,
								 * never NULL elements */
} BtmCondition;

/* A value that attach writes and that every operation filters on. */
typedef struct BtmPivotValue
{
	BtmColumn	column;
	char	   *value;			/* NULL: SQL NULL, and IS NULL as filter */
} BtmPivotValue;

/* One ORDER BY item of results. */
typedef struct BtmOrderBy
{
	BtmSide		side;
	BtmColumn	column;
	bool		descending;
	bool		nulls_first;	/* as SQL: defaults to `descending` */
} BtmOrderBy;

/* The value taken apart. */
typedef struct BtmRelation
{
	/* Of a value that refers to a saved relation; otherwise ref_name is NULL. */
	int64		ref_id;			/* id in the store, 0: not bound yet */
	char	   *ref_schema;		/* NULL: to be found through search_path */
	char	   *ref_name;
	bool		inverse;		/* see the saved relation from its other side */

	/* Of a value that defines a relation itself. */
	BtmTable	parent;
	BtmTable	related;
	BtmTable	pivot;
	List	   *foreign_key;	/* of BtmColumn *, columns of the pivot */
	List	   *related_key;	/* of BtmColumn *, columns of the pivot */
	List	   *parent_key;		/* of BtmColumn *, columns of parent */
	List	   *related_pivot_key;	/* of BtmColumn *, columns of related */

	/*
	 * What builders add.  In a value that refers to a saved relation these
	 * come on top of the saved definition.
	 */
	List	   *with_pivot;		/* of BtmColumn *, in order, no duplicates */
	bool		has_timestamps;
	BtmColumn  *created_at;		/* NULL: disabled */
	BtmColumn  *updated_at;		/* NULL: disabled */
	List	   *pivot_values;	/* of BtmPivotValue *, one per column */
	List	   *where;			/* of BtmCondition *, pivot columns */
	List	   *where_related;	/* of BtmCondition *, related columns */
	List	   *order_by;		/* of BtmOrderBy * */
	char	   *pivot_as;		/* NULL: not set */
	bool		has_take;
	int64		max_rows;		/* of take; -1: no limit */
	int64		skip;			/* of take */
} BtmRelation;

/* ---- relation_value.c: BtmRelation <-> the varlena ---- */

extern BtmRelation *btm_relation_from_datum(Datum value);
extern Datum btm_relation_to_datum(const BtmRelation *rel);
extern BtmRelation *btm_relation_copy(const BtmRelation *rel);

#define PG_GETARG_BTM_RELATION(n) btm_relation_from_datum(PG_GETARG_DATUM(n))
#define PG_RETURN_BTM_RELATION(r) PG_RETURN_DATUM(btm_relation_to_datum(r))

/* ---- relation_parse.c: text to BtmRelation ---- */

extern BtmRelation *btm_relation_parse(const char *text);

/* ---- relation_text.c: BtmRelation to text; the type's I/O functions ---- */

extern char *btm_relation_print(const BtmRelation *rel);

/* ---- operator_text.c: operators of filter steps, as they are written ---- */

extern char *btm_fold_words(const char *text);
extern void btm_operator_parse(BtmCondition *step, const char *text);
extern void btm_operator_null(BtmCondition *step);
extern const char *btm_operator_print(const BtmCondition *step);

/* ---- names.c: tables and columns by name and by number ---- */

extern List *btm_search_path(void);
extern Oid	btm_table_oid(const BtmTable *table, bool missing_ok);
extern BtmTable btm_table_make(Oid relid);
extern char *btm_table_print(const BtmTable *table);
extern BtmTable btm_table_parse(const char *qualified_name);
extern AttrNumber btm_column_attnum(const BtmColumn *column, Oid relid,
									bool missing_ok);
extern BtmColumn *btm_column_make(Oid relid, AttrNumber attnum);
extern BtmColumn *btm_column_by_name(Oid relid, const char *name);
extern const char *btm_column_print(const BtmColumn *column);
extern bool btm_column_equal(const BtmColumn *a, const BtmColumn *b);
extern bool btm_columns_contain(List *columns, const BtmColumn *column);
extern AttrNumber btm_attnum_or_error(Oid relid, const char *name);
extern const char *btm_nearest_name(const char *name, List *candidates);
pg_noreturn extern void btm_no_such_column(Oid relid, const char *name);

/* ---- condition.c: operators and filter values ---- */

/* The right-hand side of an operator as the parser resolves it. */
typedef struct BtmOperator
{
	Oid			opno;
	Oid			righttype;		/* type that the literal is to be cast to */
	char	   *schema;
	char	   *name;
} BtmOperator;

extern HeapTuple btm_operator_find(const char *opschema, const char *opname,
								   Oid columntype);
extern const char *btm_operator_follow(Oid relid, AttrNumber attnum,
									   const char *opschema,
									   const char *opname);
extern void btm_operator_resolve(Oid relid, AttrNumber attnum,
								 const char *opschema, const char *opname,
								 const char *literal, BtmOperator *result);
extern Oid	btm_equality_operator(Oid lefttype, Oid righttype);
extern void btm_check_equality(const BtmColumn *column);
extern void btm_check_ordering(const BtmColumn *column);
extern char *btm_canonical_literal(const char *literal, Oid type, int32 typmod);
extern char *btm_value_to_text(Datum value, Oid type);

/* ---- foreign_table.c: what a foreign table's definition says ---- */

extern List *btm_foreign_primary_key(Oid relid);

/* ---- infer.c: what the constructor leaves out ---- */

extern bool btm_relation_infer(BtmRelation *rel, bool missing_ok);

/* ---- builders.c ---- */

extern void btm_relation_invert(BtmRelation *rel);
extern List *btm_pivot_values_put(List *values, BtmPivotValue *value);

/* ---- saved.c: saved relations ---- */

/* A row of the store, looked up. */
typedef struct BtmSavedRelation
{
	int64		id;
	char	   *schema;			/* schema of its pivot table, now */
	char	   *name;
	BtmRelation *definition;	/* never a reference */
} BtmSavedRelation;

extern BtmSavedRelation *btm_saved_by_id(int64 id);
extern BtmSavedRelation *btm_saved_by_name(const char *schema, const char *name);
extern void btm_saved_parse_name(const char *text, char **schema, char **name);
extern char *btm_saved_print_name(const BtmRelation *rel);
extern Oid	btm_saved_store_oid(void);
extern bool btm_saved_is_store(Oid relid);	/* for callbacks: no look-up */
extern BtmRelation *btm_relation_expand(const BtmRelation *rel);

#endif							/* BTM_RELATION_H */
