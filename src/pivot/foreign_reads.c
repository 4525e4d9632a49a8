/*-------------------------------------------------------------------------
 *
 * foreign_reads.c
 *	  Reads of a relation whose pivot is a foreign table.
 *
 * Most wrappers cannot join, and none knows how many rows of a parent there are;
 * what the planner makes of a join with such a table is one remote query for
 * each row, or a scan of the whole table.  So the rows are read first, by
 * statements whose conditions every wrapper can send: those of the pivot with
 *
 *		fk = $1  or  fk = ANY ($1)
 *
 * and the relation's filter; and, where the related table is a foreign table,
 * too, those of it with key = ANY (the ids that were read) and the filter on
 * related rows.  They go through the executor into tuplestores, whatever the
 * wrapper, as the caller, and only the columns that are needed.  Then the
 * statement that a local pivot would be asked runs with these rows in place of
 * the tables, and knows how many there are.  Rows of many parents are numbered
 * as they come, so that it need not join them with the list of parents.
 *
 * Keys of several columns are not a list that a condition could name.  If the
 * combinations of the columns' values are about as many as the keys (all parents
 * of one tenant, say), each column is given as a list, and the join leaves out
 * what was read besides.  Otherwise there is one statement for each set of keys
 * that differ in one column only.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/table.h"
#include "access/tupdesc.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "pivot/results.h"
#include "pivot/sqltext.h"
#include "utils/array.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* Combinations of values that may be asked for, for each key that is wanted. */
#define MAX_COMBINATIONS 4

/* Marks the kept plan of a read of pairs: they are more than a parent's key. */
#define VARIANT_PAIRS (UINT64CONST(1) << 63)

/* Marks that of a read of no rows. */
#define VARIANT_NONE (UINT64CONST(1) << 62)

/* Columns that can be lists; there is a bit for each. */
#define MAX_LISTS 62

/* A statement that reads the rows with some keys. */
typedef struct KeyedStatement
{
	BtmStatement stmt;
	Oid			relid;
	int			nkeys;			/* columns of a key */
	BtmKeyColumn *columns;		/* of the pivot; those of the related table
								 * are what they reference */
	uint64		lists;			/* columns that are given as arrays, as bits */
	BtmRows    *rows;			/* what was read */
	DestReceiver *dest;			/* puts it there */
} KeyedStatement;

/* ----
 * Text
 * ----
 */

static bool
is_list_column(const KeyedStatement *keyed, int i)
{
	return i < MAX_LISTS && (keyed->lists >> i) & 1;
}

/*
 * "r.column = $n" or "r.column = ANY ($n)" for column i of a key.
 */
static void
append_key_condition(StringInfo sql, const KeyedStatement *keyed, int i)
{
	const BtmKeyColumn *key = &keyed->columns[i];
	bool		is_list = is_list_column(keyed, i);
	bool		is_related = keyed->stmt.kind == BTM_STMT_RELATED_ROWS;

	appendStringInfoString(sql, i > 0 ? " AND " : " WHERE ");
	btm_sql_column(sql, is_related ? "r" : "p",
				   is_related ? key->refname : key->name);
	appendStringInfoChar(sql, ' ');
	btm_sql_operator(sql, is_related ?
					 btm_equality_operator(getBaseType(key->reftype),
										   key->type.type) : key->eq_opr);
	appendStringInfo(sql, is_list ? " ANY ($%d" : " ($%d", i + 1);
	if (is_related)
		btm_sql_related_collation(sql, key);
	appendStringInfoChar(sql, ')');
}

/*
 * "SELECT r.a, r.b FROM related r WHERE ...", or the same of the pivot.
 */
static void
build_keyed(StringInfo sql, BtmCall *call, const BtmStatement *stmt)
{
	const KeyedStatement *keyed = (const KeyedStatement *) stmt;
	bool		is_related = stmt->kind == BTM_STMT_RELATED_ROWS;
	const char *alias = is_related ? "r" : "p";

	for (int i = 0; i < bms_num_members(stmt->columns); i++)
	{
		appendStringInfoString(sql, i > 0 ? ", " : "SELECT ");
		btm_sql_column(sql, alias,
					   NameStr(TupleDescAttr(keyed->rows->desc, i)->attname));
	}
	appendStringInfoString(sql, " FROM ");
	btm_sql_table(sql, keyed->relid);
	appendStringInfo(sql, " %s", alias);
	for (int i = 0; i < keyed->nkeys; i++)
		append_key_condition(sql, keyed, i);
	if (keyed->nkeys == 0)
		appendStringInfoString(sql, " WHERE false");
	if (is_related)
		btm_sql_related_scope(sql, call->rel);
	else
		btm_sql_scope(sql, call->rel, alias);
}

/* ----------
 * Parameters
 * ----------
 */

/*
 * A column of n keys, from the first on, as an array.
 */
static Datum
column_array(const BtmKeys *keys, int64 first, int64 n, int column,
			 const BtmType *type)
{
	Datum	   *elements = palloc_extended(sizeof(Datum) * n,
										   MCXT_ALLOC_HUGE);
	ArrayType  *result;
	int16		typlen;
	bool		typbyval;
	char		typalign;

	if (n > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many keys for one statement")));
	for (int64 i = 0; i < n; i++)
		elements[i] = BTM_KEY(keys, first + i)[column];
	get_typlenbyvalalign(type->type, &typlen, &typbyval, &typalign);
	result = construct_array(elements, (int) n, type->type, typlen, typbyval,
							 typalign);
	pfree(elements);
	return PointerGetDatum(result);
}

/*
 * The distinct values of a column.
 */
static BtmKeys
distinct_values(const BtmKeys *keys, int column, BtmKeyColumn *type)
{
	BtmKeys		result;

	btm_keys_init(&result, 1);
	for (int64 i = 0; i < keys->n; i++)
		*btm_keys_add(&result) = BTM_KEY(keys, i)[column];
	btm_keys_sort_unique(&result, type);
	return result;
}

/*
 * Sets parameter i: an array of the column if that is a list, or else its value
 * in the first key.
 */
static void
set_key_parameter(KeyedStatement *keyed, int i, const BtmKeys *keys,
				  int64 first, int64 n, int column)
{
	const BtmType *type = &keyed->columns[i].type;
	ParamExternData *param = &keyed->stmt.params->params[i];
	bool		is_list = is_list_column(keyed, i);

	param->value = is_list ? column_array(keys, first, n, column, type) :
		BTM_KEY(keys, first)[column];
	param->isnull = false;
	param->pflags = PARAM_FLAG_CONST;
	param->ptype = is_list ? get_array_type(type->type) : type->type;
}

/*
 * Runs the statement with the parameters that it has.
 */
static void
run_keyed(BtmCall *call, KeyedStatement *keyed)
{
	keyed->stmt.variant = keyed->lists |
		(keyed->stmt.kind == BTM_STMT_PIVOT_ROWS &&
		 keyed->nkeys > call->rel->nfk ? VARIANT_PAIRS : 0);
	btm_statement_run(call, &keyed->stmt, true, keyed->dest);
}

/*
 * Reads nothing, with the privileges that it takes to read rows.
 */
static void
read_none(BtmCall *call, KeyedStatement *keyed)
{
	keyed->nkeys = 0;
	keyed->stmt.params = NULL;
	keyed->stmt.variant = VARIANT_NONE;
	btm_statement_run(call, &keyed->stmt, true, keyed->dest);
}

/*
 * Reads the rows of all combinations of the columns' values, in one statement.
 */
static void
read_combinations(BtmCall *call, KeyedStatement *keyed, const BtmKeys *values)
{
	for (int i = 0; i < keyed->nkeys; i++)
	{
		if (values[i].n > 1)
			keyed->lists |= UINT64CONST(1) << i;
		set_key_parameter(keyed, i, &values[i], 0, values[i].n, 0);
	}
	run_keyed(call, keyed);
}

/*
 * Moves column `list` of keys to the end, and sorts them: what comes before is
 * the same for all keys of one statement.  Returns their columns in that order.
 */
static BtmKeyColumn *
move_to_end(const KeyedStatement *keyed, BtmKeys *keys, int list)
{
	int			last = keyed->nkeys - 1;
	BtmKeyColumn *columns = palloc(sizeof(BtmKeyColumn) * keyed->nkeys);

	memcpy(columns, keyed->columns, sizeof(BtmKeyColumn) * keyed->nkeys);
	memmove(&columns[list], &columns[list + 1],
			sizeof(BtmKeyColumn) * (last - list));
	columns[last] = keyed->columns[list];
	for (int64 i = 0; i < keys->n; i++)
	{
		Datum	   *key = BTM_KEY(keys, i);
		Datum		value = key[list];

		memmove(&key[list], &key[list + 1], sizeof(Datum) * (last - list));
		key[last] = value;
	}
	btm_keys_sort_unique(keys, columns);
	return columns;
}

/*
 * Reads the rows of the keys one by one.
 */
static void
read_each(BtmCall *call, KeyedStatement *keyed, const BtmKeys *keys)
{
	keyed->lists = 0;
	for (int64 first = 0; first < keys->n; first++)
	{
		for (int i = 0; i < keyed->nkeys; i++)
			set_key_parameter(keyed, i, keys, first, 1, i);
		run_keyed(call, keyed);
	}
}

/*
 * Reads the rows of the keys, one statement for those that differ in column
 * `list` only.  The statement's columns stay in their places, for its kept plan
 * is known by that of the list.
 */
static void
read_groups(BtmCall *call, KeyedStatement *keyed, BtmKeys *keys, int list)
{
	int			last = keyed->nkeys - 1;
	BtmKeyColumn *columns = move_to_end(keyed, keys, list);
	int64		first = 0;

	keyed->lists = UINT64CONST(1) << list;
	while (first < keys->n)
	{
		int64		next = first + 1;

		while (next < keys->n &&
			   btm_key_compare(columns, last, BTM_KEY(keys, first),
							   BTM_KEY(keys, next)) == 0)
			next++;
		for (int i = 0; i < keyed->nkeys; i++)
			set_key_parameter(keyed, i, keys, first, next - first,
							  i == list ? last : i - (i > list));
		run_keyed(call, keyed);
		first = next;
	}
}

/*
 * The column with the most values of those that can be in an array, or -1.
 */
static int
list_column(const KeyedStatement *keyed, const BtmKeys *values)
{
	int			result = -1;

	for (int i = 0; i < keyed->nkeys; i++)
		if (OidIsValid(get_array_type(keyed->columns[i].type.type)) &&
			(result < 0 || values[i].n > values[result].n))
			result = i;
	return result;
}

/*
 * Can all combinations of these values be asked for instead of n keys?
 */
static bool
take_combinations(const KeyedStatement *keyed, const BtmKeys *values, int64 n)
{
	double		combinations = 1;
	int			lists = 0;

	for (int i = 0; i < keyed->nkeys; i++)
	{
		if (values[i].n > 1 &&
			!OidIsValid(get_array_type(keyed->columns[i].type.type)))
			return false;
		combinations *= values[i].n;
		lists += values[i].n > 1;
	}
	return lists > 1 && combinations <= (double) MAX_COMBINATIONS * n;
}

/*
 * Reads the rows with these keys, which are distinct; `keys` is left in another
 * order.
 */
static void
read_keys(BtmCall *call, KeyedStatement *keyed, BtmKeys *keys)
{
	BtmKeys    *values = palloc(sizeof(BtmKeys) * keyed->nkeys);
	int			list;

	if (keys->n == 1 || keyed->nkeys > MAX_LISTS)
	{
		read_each(call, keyed, keys);
		return;
	}
	for (int i = 0; i < keyed->nkeys; i++)
		values[i] = distinct_values(keys, i, &keyed->columns[i]);
	if (take_combinations(keyed, values, keys->n))
	{
		read_combinations(call, keyed, values);
		return;
	}
	list = list_column(keyed, values);
	if (list >= 0)
		read_groups(call, keyed, keys, list);
	else
		read_each(call, keyed, keys);
}

/* ----
 * Rows
 * ----
 */

/*
 * A name that none of these columns has, for the number of the parent.
 */
static char *
number_name(TupleDesc desc)
{
	char	   *name = pstrdup("ord");

	for (int i = 0; i < desc->natts; i++)
		if (strcmp(NameStr(TupleDescAttr(desc, i)->attname), name) == 0)
		{
			name = psprintf("ord_%d", i + 1);
			i = -1;
		}
	return name;
}

/* Stores rows. */
typedef struct StoreReceiver
{
	DestReceiver pub;
	BtmRows    *rows;
} StoreReceiver;

static bool
store_receive(TupleTableSlot *slot, DestReceiver *self)
{
	BtmRows    *rows = ((StoreReceiver *) self)->rows;

	tuplestore_puttupleslot(rows->store, slot);
	rows->n++;
	return true;
}

/*
 * A receiver that stores rows as they come.
 */
static DestReceiver *
make_store_receiver(BtmRows *rows)
{
	StoreReceiver *receiver = palloc0(sizeof(StoreReceiver));

	btm_receiver_init(&receiver->pub, NULL, store_receive);
	receiver->rows = rows;
	return &receiver->pub;
}

/*
 * Describes some columns of a table, which is locked and stays so; and as the
 * last one the number of the parent, if rows have one.
 */
static TupleDesc
describe_columns(Oid relid, const Bitmapset *columns, bool numbered)
{
	Relation	relation = table_open(relid, AccessShareLock);
	TupleDesc	desc = CreateTemplateTupleDesc(bms_num_members(columns) + numbered);
	int			attnum = -1;
	AttrNumber	n = 0;

	while ((attnum = bms_next_member(columns, attnum)) >= 0)
		TupleDescCopyEntry(desc, ++n, RelationGetDescr(relation), attnum);
	if (numbered)
		TupleDescInitEntry(desc, n + 1, number_name(RelationGetDescr(relation)),
						   INT8OID, -1, 0);
	table_close(relation, NoLock);
	return desc;
}

/*
 * Begins to read some columns of a table; keys are nkeys values for columns,
 * which are copied.
 */
static void
begin_keyed(KeyedStatement *keyed, BtmStatementKind kind, Oid relid,
			Bitmapset *wanted, const BtmKeyColumn *columns, int nkeys,
			bool numbered)
{
	BtmRows    *rows = palloc(sizeof(BtmRows));

	memset(keyed, 0, sizeof(KeyedStatement));
	keyed->stmt.kind = kind;
	keyed->stmt.build = build_keyed;
	keyed->stmt.columns = wanted;
	keyed->stmt.without_parent = true;
	keyed->stmt.params = makeParamList(nkeys);
	keyed->relid = relid;
	keyed->nkeys = nkeys;
	keyed->columns = palloc(sizeof(BtmKeyColumn) * nkeys);
	memcpy(keyed->columns, columns, sizeof(BtmKeyColumn) * nkeys);
	keyed->rows = rows;

	rows->desc = describe_columns(relid, wanted, numbered);
	rows->store = tuplestore_begin_heap(false, false, work_mem);
	rows->n = 0;
	keyed->dest = make_store_receiver(rows);
}

/*
 * The keys of the pivot's rows that are to be read: the parents, the parent, or
 * pairs of the parent.
 */
static void
pivot_keys(BtmCall *call, const BtmRead *read, BtmKeys *keys)
{
	const BtmResolved *rel = call->rel;
	const BtmKeys *list = read->parents ? read->parents : read->ids;

	btm_keys_init(keys, rel->nfk + (read->ids ? rel->nid : 0));
	for (int64 i = 0; i < (list ? list->n : 1); i++)
	{
		Datum	   *key = btm_keys_add(keys);

		memcpy(key, read->parents ? BTM_KEY(list, i) : call->parent,
			   sizeof(Datum) * rel->nfk);
		if (read->ids != NULL)
			memcpy(key + rel->nfk, BTM_KEY(list, i),
				   sizeof(Datum) * rel->nid);
	}
}

/*
 * Where column attnum is among those that were read.
 */
static int
place_of(const Bitmapset *wanted, AttrNumber attnum)
{
	int			member = -1;
	int			place = 0;

	while ((member = bms_next_member(wanted, member)) >= 0 && member != attnum)
		place++;
	return place;
}

/* Numbers rows by their parents. */
typedef struct NumberReceiver
{
	DestReceiver pub;
	BtmKeyColumn *columns;		/* of the parents' keys */
	const BtmKeys *parents;
	int64	   *order;			/* their numbers, in key order */
	int64		last;			/* place in `order` of the last row's parent */
	int		   *places;			/* of the key's columns in a row */
	Datum	   *key;
	BtmRows    *rows;
	Datum	   *values;			/* of a row with its number */
	bool	   *nulls;
} NumberReceiver;

/*
 * Compares parents, given by their numbers.
 */
static int
compare_numbers(const void *a, const void *b, void *arg)
{
	const NumberReceiver *receiver = arg;
	const BtmKeys *parents = receiver->parents;

	return btm_key_compare(receiver->columns, parents->nid,
						   BTM_KEY(parents, *(const int64 *) a),
						   BTM_KEY(parents, *(const int64 *) b));
}

/*
 * Compares the row's key with that of the parent at a place of the order.
 */
static int
compare_with(const NumberReceiver *receiver, int64 place)
{
	return btm_key_compare(receiver->columns, receiver->parents->nid,
						   receiver->key,
						   BTM_KEY(receiver->parents, receiver->order[place]));
}

/*
 * Finds the parent of the row's key; false if it is none of the list.  Most
 * rows have the same one as the row before.
 */
static bool
find_parent(NumberReceiver *receiver)
{
	int64		low = 0;
	int64		high = receiver->parents->n - 1;

	if (compare_with(receiver, receiver->last) == 0)
		return true;
	while (low <= high)
	{
		int64		middle = low + (high - low) / 2;
		int			result = compare_with(receiver, middle);

		if (result == 0)
		{
			receiver->last = middle;
			return true;
		}
		if (result < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return false;
}

/*
 * Stores a row with the number of its parent.
 */
static bool
number_receive(TupleTableSlot *slot, DestReceiver *self)
{
	NumberReceiver *receiver = (NumberReceiver *) self;
	BtmRows    *rows = receiver->rows;
	int			ncolumns = rows->desc->natts - 1;

	slot_getallattrs(slot);
	for (int i = 0; i < receiver->parents->nid; i++)
	{
		if (slot->tts_isnull[receiver->places[i]])
			return true;
		receiver->key[i] = slot->tts_values[receiver->places[i]];
	}
	if (!find_parent(receiver))
		return true;
	memcpy(receiver->values, slot->tts_values, sizeof(Datum) * ncolumns);
	memcpy(receiver->nulls, slot->tts_isnull, sizeof(bool) * ncolumns);
	receiver->values[ncolumns] = Int64GetDatum(receiver->order[receiver->last]);
	receiver->nulls[ncolumns] = false;
	tuplestore_putvalues(rows->store, rows->desc, receiver->values,
						 receiver->nulls);
	rows->n++;
	return true;
}

/*
 * A receiver that numbers rows by their parents; rows of others are left out.
 */
static DestReceiver *
make_number_receiver(const BtmResolved *rel, const BtmKeys *parents,
					 const Bitmapset *wanted, BtmRows *rows)
{
	NumberReceiver *receiver = palloc0(sizeof(NumberReceiver));

	btm_receiver_init(&receiver->pub, NULL, number_receive);
	receiver->columns = rel->fk;
	receiver->parents = parents;
	receiver->rows = rows;
	receiver->key = palloc(sizeof(Datum) * rel->nfk);
	receiver->places = palloc(sizeof(int) * rel->nfk);
	for (int i = 0; i < rel->nfk; i++)
		receiver->places[i] = place_of(wanted, rel->fk[i].attnum);
	receiver->values = palloc(sizeof(Datum) * rows->desc->natts);
	receiver->nulls = palloc(sizeof(bool) * rows->desc->natts);

	receiver->order = palloc_extended(sizeof(int64) * parents->n,
									  MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < parents->n; i++)
		receiver->order[i] = i;
	qsort_interruptible(receiver->order, parents->n, sizeof(int64),
						compare_numbers, receiver);
	return &receiver->pub;
}

/*
 * Reads the pivot's rows.
 */
static BtmRows *
read_pivot(BtmCall *call, const BtmRead *read, Bitmapset *wanted)
{
	const BtmResolved *rel = call->rel;
	BtmKeyColumn *columns = palloc(sizeof(BtmKeyColumn) *
								   (rel->nfk + rel->nid));
	KeyedStatement keyed;
	BtmKeys		keys;

	memcpy(columns, rel->fk, sizeof(BtmKeyColumn) * rel->nfk);
	memcpy(columns + rel->nfk, rel->id, sizeof(BtmKeyColumn) * rel->nid);
	pivot_keys(call, read, &keys);
	begin_keyed(&keyed, BTM_STMT_PIVOT_ROWS, rel->pivot, wanted, columns,
				keys.nid, read->parents != NULL);
	if (read->parents != NULL)
		keyed.dest = make_number_receiver(rel, read->parents, wanted,
										  keyed.rows);
	if (read->none)
		read_none(call, &keyed);
	else
		read_keys(call, &keyed, &keys);
	return keyed.rows;
}

/*
 * Adds the related key of a row, unless a column of it is NULL.
 */
static void
add_related_key(BtmCall *call, TupleTableSlot *slot, const int *places,
				BtmKeys *keys)
{
	const BtmResolved *rel = call->rel;
	Datum	   *key = btm_keys_add(keys);

	slot_getallattrs(slot);
	for (int i = 0; i < rel->nrk; i++)
	{
		if (slot->tts_isnull[places[i]])
		{
			keys->n--;
			return;
		}
		key[i] = datumCopy(slot->tts_values[places[i]],
						   rel->rk[i].type.typbyval, rel->rk[i].type.typlen);
	}
}

/*
 * The distinct related keys of the pivot's rows.
 */
static void
related_keys(BtmCall *call, const BtmRows *pivot, const Bitmapset *wanted,
			 BtmKeys *keys)
{
	BtmResolved *rel = call->rel;
	TupleTableSlot *slot = MakeSingleTupleTableSlot(pivot->desc,
													&TTSOpsMinimalTuple);
	int		   *places = palloc(sizeof(int) * rel->nrk);

	for (int i = 0; i < rel->nrk; i++)
		places[i] = place_of(wanted, rel->rk[i].attnum);
	btm_keys_init(keys, rel->nrk);
	while (tuplestore_gettupleslot(pivot->store, true, false, slot))
		add_related_key(call, slot, places, keys);
	ExecDropSingleTupleTableSlot(slot);
	btm_keys_sort_unique(keys, rel->rk);
}

/*
 * Reads the related rows of the pivot's rows from a foreign table.
 */
static BtmRows *
read_related(BtmCall *call, const BtmRows *pivot, const Bitmapset *pivot_wanted,
			 Bitmapset *wanted)
{
	const BtmResolved *rel = call->rel;
	KeyedStatement keyed;
	BtmKeys		keys;

	related_keys(call, pivot, pivot_wanted, &keys);
	begin_keyed(&keyed, BTM_STMT_RELATED_ROWS, rel->related, wanted, rel->rk,
				rel->nrk, false);
	if (keys.n > 0)
		read_keys(call, &keyed, &keys);
	else
		read_none(call, &keyed);
	return keyed.rows;
}

/* -----
 * Reads
 * -----
 */

/*
 * Adds the columns that the statement around the rows needs besides those that
 * it returns: keys for its joins, and the order.
 */
static void
add_inner_columns(const BtmResolved *rel, const BtmRead *read,
				  BtmWanted *wanted)
{
	ListCell   *lc;

	/* The parent of a row is known by these. */
	for (int i = 0; read->parents != NULL && i < rel->nfk; i++)
		wanted->pivot = bms_add_member(wanted->pivot, rel->fk[i].attnum);
	for (int i = 0; i < rel->nrk; i++)
	{
		wanted->pivot = bms_add_member(wanted->pivot, rel->rk[i].attnum);
		wanted->related = bms_add_member(wanted->related, rel->rk[i].refattnum);
	}
	if (read->wanted == NULL)
		return;
	foreach(lc, rel->def->order_by)
	{
		const BtmOrderBy *order = lfirst(lc);
		bool		is_pivot = order->side == BTM_PIVOT;
		Bitmapset **side = is_pivot ? &wanted->pivot : &wanted->related;

		*side = bms_add_member(*side, order->column.attnum);
	}
}

/*
 * Can the statement be about the foreign table itself?  It needs one parent's
 * rows, or one pair, and no other table.
 */
static bool
needs_no_rows(const BtmResolved *rel, const BtmStatement *stmt,
			  const BtmRead *read)
{
	return read->wanted == NULL && !btm_reads_related(rel) &&
		stmt->input == NULL && read->parents == NULL;
}

/*
 * Runs a read.
 *
 * If the pivot is a foreign table, its rows, and those of a related table that
 * is one, are read before, unless the statement can do without.
 */
uint64
btm_read_foreign(BtmCall *call, BtmStatement *stmt, const BtmRead *read,
				 DestReceiver *dest)
{
	const BtmResolved *rel = call->rel;
	bool		joins = read->wanted != NULL || btm_reads_related(rel);
	BtmWanted	wanted = {0};
	BtmRows    *pivot;
	BtmRows    *related = NULL;
	uint64		result;

	if (needs_no_rows(rel, stmt, read))
		return btm_statement_run(call, stmt, true, dest);

	if (read->wanted != NULL)
		read->wanted(rel, stmt, &wanted);
	add_inner_columns(rel, read, &wanted);
	pivot = read_pivot(call, read, wanted.pivot);
	if (joins && get_rel_relkind(rel->related) == RELKIND_FOREIGN_TABLE)
		related = read_related(call, pivot, wanted.pivot, wanted.related);

	/* The parent is known by the rows; its key is only before that of an id. */
	if (stmt->single == NULL)
		stmt->without_parent = true;
	stmt->pivot = pivot;
	stmt->related = related;
	result = btm_statement_run(call, stmt, true, dest);
	tuplestore_end(pivot->store);
	if (related != NULL)
		tuplestore_end(related->store);
	return result;
}
