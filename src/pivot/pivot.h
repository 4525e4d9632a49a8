/*-------------------------------------------------------------------------
 *
 * pivot.h
 *	  What the pivot operations share: one call, its parent, its ids, their
 *	  attributes, and the interface behind which a pivot's rows live.
 *
 * An operation (attach.c, sync.c, ...) never knows where a pivot lives.  It
 * takes the arguments apart (ids.c, attributes.c), takes the locks (lock.c),
 * and then reads keys and applies differences through BtmPivotRoutine, of
 * which local.c is the implementation for everything PostgreSQL itself can
 * write to, and foreign.c the one for foreign tables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_PIVOT_H
#define BTM_PIVOT_H

#include "relation/resolve.h"

#include "executor/spi.h"
#include "tcop/dest.h"
#include "utils/jsonb.h"
#include "utils/tuplestore.h"

/* What becomes of a pair that is attached already. */
typedef enum BtmConflict
{
	BTM_CONFLICT_IGNORE,
	BTM_CONFLICT_UNLIKELY,		/* ignore it; the caller has just seen that
								 * there is none, in scope */
	BTM_CONFLICT_UPDATE,
	BTM_CONFLICT_ERROR,
	BTM_CONFLICT_DUPLICATE
} BtmConflict;

/*
 * The set of pivot columns that some ids give attributes for.  Ids with the
 * same shape go into the same statement.
 */
typedef struct BtmShape
{
	int			ncolumns;
	const BtmPivotColumn **columns; /* in attribute-number order */
} BtmShape;

/*
 * Attributes of one id, or of many: ids without attributes of their own share
 * those given for all.  Key columns are checked and left out; so an empty
 * object and one that repeats the pair are the same, shape->ncolumns == 0.
 */
typedef struct BtmAttributes
{
	int			shape;			/* index into BtmIds.shapes */
	Datum	   *values;			/* in order of the shape's columns */
	bool	   *nulls;
} BtmAttributes;

/*
 * A list of keys: n rows of nid datums each, row after row.  By-reference
 * datums live in the call's context.
 */
typedef struct BtmKeys
{
	int			nid;			/* datums in a key */
	int64		n;
	int64		max;			/* allocated rows */
	Datum	   *keys;
} BtmKeys;

#define BTM_KEY(k, i) (&(k)->keys[(i) * (k)->nid])

/*
 * The ids of a call, distinct by the key's own equality, in key order.
 */
typedef struct BtmIds
{
	BtmKeys		keys;			/* in key order */
	int64	   *position;		/* per key: its place in the input (places
								 * ascend with the input, with gaps where
								 * duplicates were) */
	BtmAttributes **attributes; /* per key; NULL array: nobody has any */
	int			nshapes;		/* shape 0 is always the empty one */
	BtmShape   *shapes;
} BtmIds;

/* The attributes of id i, or NULL. */
static inline BtmAttributes *
btm_id_attributes(const BtmIds *ids, int64 i)
{
	return ids->attributes ? ids->attributes[i] : NULL;
}

struct BtmPivotRoutine;

/* One call of an operation. */
typedef struct BtmCall
{
	FunctionCallInfo fcinfo;
	const char *name;			/* SQL name of the function, for messages */
	MemoryContext cxt;			/* lives as long as the call */
	BtmResolved *rel;			/* pinned while cxt lives */
	const struct BtmPivotRoutine *routine;
	Datum	   *parent;			/* rel->nfk datums, NULL: no parent given */
} BtmCall;

/*
 * Where a pivot's rows live.
 *
 * All functions see the rows of call->parent inside the relation's filter and
 * no others; a row whose related key is NULL is in scope of read_keys and
 * update never, and of delete_pairs only when keys is NULL.  Keys passed in
 * are distinct and in key order.  Keys that come back are in no particular
 * order, one per row (so a pair stored twice comes back twice).  They are
 * called inside an SPI connection, with the locks taken.
 */
typedef struct BtmPivotRoutine
{
	/* Keys of the rows in scope; of those among `among` unless it is NULL. */
	void		(*read_keys) (BtmCall *call, const BtmKeys *among,
							  BtmKeys *found);

	/*
	 * Delete the rows of `keys`, or all rows of the parent if it is NULL.
	 * Returns the number of rows; their keys go to `deleted` unless NULL.
	 */
	uint64		(*delete_pairs) (BtmCall *call, const BtmKeys *keys,
								 BtmKeys *deleted);

	/*
	 * Set the attributes of those ids that have some, where at least one
	 * value differs; updated_at with them.  Returns the number of rows; their
	 * keys go to `changed` unless NULL.
	 */
	uint64		(*update_pairs) (BtmCall *call, const BtmIds *ids,
								 BtmKeys *changed);

	/*
	 * Insert pairs with their attributes, pivot values and timestamps.
	 * IGNORE, UNLIKELY and UPDATE leave out pairs that exist, in scope or (with a
	 * unique index) out of it; UPDATE applies the attributes to those in
	 * scope.  ERROR and DUPLICATE just insert, which fails with 23505 where a
	 * pair is unique.  Returns the number of rows
	 * inserted or updated; the keys of inserted rows go to `inserted` unless
	 * NULL (not with UPDATE).
	 */
	uint64		(*insert_pairs) (BtmCall *call, const BtmIds *ids,
								 BtmConflict conflict, BtmKeys *inserted);

	/*
	 * At REPEATABLE READ and above: raises 40001 if other transactions have
	 * changed rows of the parent (of the pairs `among` unless it is NULL), in
	 * or out of the filter, since the transaction's snapshot was taken.
	 */
	void		(*check_snapshot) (BtmCall *call, const BtmKeys *among);
} BtmPivotRoutine;

/* ---- call.c: beginning and ending a call; arguments every one has ---- */

extern BtmCall *btm_call_begin(FunctionCallInfo fcinfo, const char *name,
							   LOCKMODE pivot_lock);
extern void btm_call_end(BtmCall *call);
extern Datum btm_call_return_count(BtmCall *call, uint64 nrows);
extern void btm_connect(BtmCall *call);
extern void btm_call_set_parent(BtmCall *call, int argno, bool null_ok);
pg_noreturn extern void btm_null_argument(BtmCall *call, const char *what,
							  const char *hint);
extern BtmConflict btm_conflict_arg(BtmCall *call, int argno);

/* ---- value.c: a value of any type to a value of a key ---- */

/* An argument or array element together with its own type. */
typedef struct BtmValue
{
	Datum		value;
	Oid			type;
	bool		isnull;
} BtmValue;

extern BtmValue btm_value_arg(FunctionCallInfo fcinfo, int argno);
extern Datum btm_value_from_json(const JsonbValue *value, BtmKeyColumn *column);
extern bool btm_key_is_string(const BtmKeyColumn *column);

/* ---- key_reader.c: a whole key from one value ---- */

extern bool btm_value_to_key(const BtmValue *value, BtmKeyColumn *columns,
							 int ncolumns, const char *what, bool null_ok,
							 Datum *key);

/* Reads any number of keys from values of one type. */
typedef struct BtmKeyReader BtmKeyReader;

extern BtmKeyReader *btm_key_reader_make(Oid type, BtmKeyColumn *columns,
										 int ncolumns, const char *what,
										 bool null_ok);
extern bool btm_key_read(BtmKeyReader *reader, Datum value, Datum *key);

/* What text holds that is given for one or several keys. */
typedef enum BtmTextForm
{
	BTM_TEXT_VALUE,				/* one key */
	BTM_TEXT_ARRAY,				/* an array literal */
	BTM_TEXT_JSON				/* a JSON object or array */
} BtmTextForm;

extern BtmTextForm btm_text_form(const char *text, const BtmKeyColumn *columns,
								 int ncolumns);

/* ---- keys.c: lists of keys ---- */

/* Compares two datums of an int4 or an int8 column. */
static inline int
btm_compare_integers(Datum a, Datum b, int typlen)
{
	int64		x = typlen == sizeof(int32) ? DatumGetInt32(a) : DatumGetInt64(a);
	int64		y = typlen == sizeof(int32) ? DatumGetInt32(b) : DatumGetInt64(b);

	return x < y ? -1 : x > y;
}

extern bool btm_key_is_integer(const BtmKeyColumn *columns, int n);
extern void btm_keys_init(BtmKeys *keys, int nid);
extern Datum *btm_keys_add(BtmKeys *keys);
extern int	btm_key_compare(BtmKeyColumn *columns, int n,
							const Datum *a, const Datum *b);
extern void btm_keys_sort_unique(BtmKeys *keys, BtmKeyColumn *columns);
extern bool btm_keys_find_next(const BtmKeys *sorted, BtmKeyColumn *columns,
							   const Datum *key, int64 *at);
extern char *btm_key_describe(BtmKeyColumn *columns, int n, const Datum *key);
extern Jsonb *btm_keys_to_jsonb(const BtmKeys *keys, const BtmKeyColumn *columns);
extern void btm_keys_check_report(const BtmKeys *keys,
								  const BtmKeyColumn *columns);

/* ---- ids.c, attributes.c ---- */

extern BtmIds *btm_ids_arg(BtmCall *call, int argno, int attributes_argno,
						   const char *null_hint);
extern BtmIds *btm_ids_subset(const BtmIds *ids, const bool *keep);
extern bool btm_ids_have_one_shape(const BtmIds *ids);
extern Jsonb *btm_ids_to_jsonb(const BtmIds *ids,
							   const BtmKeyColumn *columns);

/* ---- lock.c ---- */

/* How a write bears on the rows of its parent; decides the lock it takes. */
typedef enum BtmWriteKind
{
	BTM_WRITE_ATTACH,			/* inserts pairs */
	BTM_WRITE_ATTACH_UPDATE,	/* inserts pairs, changes existing ones */
	BTM_WRITE_EXISTING,			/* deletes or changes the given pairs */
	BTM_WRITE_ALL,				/* deletes all pairs of the parent */
	BTM_WRITE_DIFFERENCE,		/* reads the given pairs, then writes them */
	BTM_WRITE_REPLACE			/* reads all pairs, then writes any of them */
} BtmWriteKind;

extern void btm_lock_init(void);
extern void btm_lock_for_write(BtmCall *call, BtmWriteKind kind,
							   const BtmIds *ids);
extern void btm_lock_parent(BtmCall *call, bool exclusive);

/* ---- difference.c: given ids against current keys ---- */

extern BtmIds *btm_ids_present(const BtmIds *ids, const BtmKeys *sorted,
							   BtmKeyColumn *columns);
extern BtmIds *btm_ids_absent(const BtmIds *ids, const BtmKeys *sorted,
							  BtmKeyColumn *columns);
extern BtmKeys btm_keys_minus(const BtmKeys *a, const BtmKeys *b,
							  BtmKeyColumn *columns);
extern Datum btm_ids_report(const BtmIds *ids, BtmKeys *returned,
							BtmKeyColumn *columns);
extern int	btm_max_rounds(const BtmCall *call);

/* ---- bulk.c ---- */

extern void btm_bulk_init(void);

/* ---- local.c ---- */

extern const BtmPivotRoutine btm_local_routine;

/* ---- foreign.c ---- */

extern const BtmPivotRoutine btm_foreign_routine;

#endif							/* BTM_PIVOT_H */
