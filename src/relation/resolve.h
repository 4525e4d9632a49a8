/*-------------------------------------------------------------------------
 *
 * resolve.h
 *	  A relation bound to existing tables and columns, and the cache of such.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_RESOLVE_H
#define BTM_RESOLVE_H

#include "relation/relation.h"

#include "access/tupdesc.h"
#include "lib/ilist.h"
#include "nodes/bitmapset.h"
#include "utils/relcache.h"
#include "utils/sortsupport.h"

/*
 * A type as ids, attributes and reports need it.  For a domain this is the
 * base type: a filter must be able to name a value outside the domain, and an
 * INSERT checks the domain by itself.
 */
typedef struct BtmType
{
	Oid			type;			/* base type of the column */
	uint32		hashvalue;		/* of its syscache entry, for invalidation */
	int32		typmod;
	Oid			collation;
	int16		typlen;
	bool		typbyval;
	char		typcategory;	/* TYPCATEGORY_xxx */
	bool		is_plain;		/* neither an array, a row nor JSON: a value is
								 * one key and nothing else */
	FmgrInfo	input;
	Oid			ioparam;
	FmgrInfo	output;
} BtmType;

/* A column of the pivot that is part of the foreign or the related key. */
typedef struct BtmKeyColumn
{
	AttrNumber	attnum;			/* in the pivot */
	char	   *name;			/* in the pivot */
	AttrNumber	refattnum;		/* in the parent, or in the related table */
	char	   *refname;
	Oid			reftype;
	Oid			refcollation;
	BtmType		type;
	Oid			eq_opr;			/* type = type */
	FmgrInfo	eq;				/* its function */
	FmgrInfo	hash;			/* extended hash function, fn_oid may be
								 * invalid: the type has none */
	FmgrInfo	round;			/* rounds a value to the column's precision,
								 * fn_oid may be invalid: it has none */
	Oid			lt_opr;			/* type < type, the key order */
	SortSupportData sort;		/* comparator of lt_opr */
} BtmKeyColumn;

/* Any live column of the pivot; attributes name these. */
typedef struct BtmPivotColumn
{
	AttrNumber	attnum;
	char	   *name;
	BtmType		type;
	Oid			eq_opr;			/* type = type, InvalidOid: none (json) */
	bool		is_key;			/* part of foreign_key or related_key */
	bool		may_have_default;
} BtmPivotColumn;

/* A foreign key of the pivot, to whatever table. */
typedef struct BtmForeignKey
{
	Oid			conoid;
	Oid			confrelid;
	int			trigger;		/* its place among the triggers of the pivot */
	int			nkeys;
	AttrNumber	conkey[INDEX_MAX_KEYS]; /* columns of the pivot */
	AttrNumber	confkey[INDEX_MAX_KEYS];	/* columns that they reference */
	Oid			conpfeqop[INDEX_MAX_KEYS];	/* referenced = referencing */
} BtmForeignKey;

typedef struct BtmResolved
{
	BtmRelation *def;			/* the definition, never a reference */

	Oid			parent;
	Oid			related;
	Oid			pivot;
	Oid			pivot_root;		/* topmost partition root of the pivot */
	Oid			pivot_schema;
	char		pivot_kind;		/* relkind */

	int			nfk;			/* the foreign key: what a parent is */
	BtmKeyColumn *fk;
	int			nrk;			/* the related key, shared columns included */
	BtmKeyColumn *rk;

	/*
	 * What an id is written with: the columns of the related key that the
	 * parent does not give already.  id[i] is a copy of rk[id_rk[i]].
	 */
	int			nid;
	BtmKeyColumn *id;
	int		   *id_rk;
	int		   *rk_fk;			/* per rk column: index into fk, -1: own */

	int			ncolumns;		/* all live columns of the pivot */
	BtmPivotColumn *columns;

	AttrNumber	created_at;		/* InvalidAttrNumber: none */
	AttrNumber	updated_at;

	/*
	 * The unique index on the pair: valid, immediate, neither partial nor on
	 * expressions, on the columns of both keys, and on no others but pivot
	 * values that are not NULL (taggable_type, say), under their types' own
	 * equality.  InvalidOid where there is none.
	 */
	Oid			unique_index;
	int			narbiter;
	AttrNumber *arbiter;		/* its columns, or those of the primary key
								 * that a foreign table is known to have */
	bool		has_write_rules;	/* ON CONFLICT cannot be used */

	/*
	 * A foreign pivot whose rows are told apart by the pair and by pivot
	 * values alone (arbiter): to insert a pair that is there is to overwrite
	 * its row, unless an attribute gives it another value.  And why no row of
	 * it can be written, or NULL.
	 */
	bool		pair_is_row;
	const char *write_obstacle;

	/*
	 * Is the pivot a foreign table, or has it a partition that is one?  And of
	 * a partitioned pivot those of its partitions that could change that.
	 */
	bool		has_foreign_rows;
	List	   *partitions;

	bool		may_redirect;	/* rules or triggers may do something else with
								 * a row than to insert or delete it */
	bool		deletes_silently;	/* nobody notices a DELETE that finds
									 * nothing */

	/*
	 * For the bulk path: the enforced foreign keys of the pivot, in the order
	 * in which their triggers check a row.
	 */
	int			nforeign_keys;
	BtmForeignKey *foreign_keys;
	const char *bulk_obstacle;	/* why there is no bulk path, or NULL */
	bool		checks_values;	/* may an INSERT refuse a row for values that
								 * are not NULL? */

	/*
	 * False if some table, saved relation or operator is known by name only:
	 * what the name means may change without an invalidation that would tell.
	 */
	bool		cacheable;

	MemoryContext cxt;			/* owns all of the above */

	/* Private to pivot/plan.c and pivot/input.c. */
	dlist_head	plans;			/* kept plans */
	TupleDesc	ids_desc;		/* of an input of ids, NULL before the first */

	/* Private to pivot/estimate.c; NULL before the first estimate. */
	struct BtmStatistics *statistics;

	/* Private to cache.c. */
	struct varlena *value;		/* the value that was resolved */
	bool		stale;			/* an invalidation has hit it */
	bool		cached;			/* is it in the cache? */
	int			pins;			/* calls that use it */
	dlist_node	lru;			/* while it is in the cache */
} BtmResolved;

/*
 * Can ON CONFLICT be used, with the unique index on the pair as its arbiter?
 */
static inline bool
btm_has_arbiter(const BtmResolved *rel)
{
	return OidIsValid(rel->unique_index) && !rel->has_write_rules;
}

/* ---- resolve.c ---- */

extern BtmResolved *btm_resolve(const BtmRelation *rel);
extern const BtmPivotColumn *btm_pivot_column(const BtmResolved *rel,
											  const char *name);
extern const BtmPivotColumn *btm_pivot_column_by_number(const BtmResolved *rel,
														AttrNumber attnum);
extern bool btm_has_pivot_value(const BtmResolved *rel, AttrNumber attnum);
extern void btm_type_init(BtmType *type, Oid typid, int32 typmod,
						  Oid collation, MemoryContext cxt);

/* ---- foreign_keys.c ---- */

extern void btm_resolve_foreign_keys(BtmResolved *rel, Relation pivot);

/* ---- foreign_table.c ---- */

extern void btm_resolve_foreign_table(BtmResolved *rel);
extern void btm_resolve_partitions(BtmResolved *rel);

/* ---- cache.c ---- */

/* How many relations and how many plans a backend keeps (a GUC). */
extern int	btm_plan_cache_size;

/* Called before a resolved relation is freed, to free its plans. */
typedef void (*BtmFreePlans) (BtmResolved *rel);

extern void btm_cache_init(BtmFreePlans free_plans);
extern BtmResolved *btm_cache_get(Datum value, LOCKMODE pivot_lock,
								  MemoryContext owner);

#endif							/* BTM_RESOLVE_H */
