/*-------------------------------------------------------------------------
 *
 * ids.c
 *	  The ids argument of an operation, with the attributes.
 *
 * An id is written with the columns of the related key that the parent does
 * not give already (BtmResolved.id).  What an argument means follows from its
 * type alone, and for text and JSON from its outermost form:
 *
 *	- an array is a list of ids, a JSON array likewise; several dimensions
 *	  count as one if an id has one column;
 *	- a JSON object is a row if it has every column of the id as a member with
 *	  a scalar value; the other members are its attributes then.  Any other
 *	  object is a map {id: {attribute: value}}, which a key of several columns
 *	  cannot be written in.  So an object is never both: the members of a map
 *	  are objects, null or [];
 *	- in a list, an element is an id, a row or a map;
 *	- text for a key of one column of a string type is one id, verbatim.  Text
 *	  for any other key is what it begins with: a brace begins a JSON object
 *	  if a string and a colon follow, else an array literal; a bracket begins
 *	  a JSON array; anything else is one id;
 *	- a row value is an id in key order.
 *
 * A row, a row value and a JSON array in key order may have all columns of
 * the related key; those that the parent gives must be equal to it then.
 *
 * Ids that are given several times collapse.  The first mention decides about
 * the place in the input, the last one that has attributes about these.
 * A million ids must not cost a million allocations: an array is taken as it
 * is deconstructed if its elements are of the key's type, a list in key order
 * is not sorted, and where nobody has attributes there is no list of them.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pivot/ids.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* The ids of a call while they are read. */
typedef struct IdsReader
{
	BtmCall    *call;
	BtmResolved *rel;
	const char *null_hint;
	BtmIds	   *ids;			/* in input order, with duplicates */
	int64		max_attributes; /* allocated in ids->attributes */
	BtmAttributesReader *attributes;

	/* Of the values that are read now, from set_type. */
	Oid			type;
	BtmConverter *converter;	/* for single values of a key of one column */
	BtmKeyReader *id_reader;	/* for what may have several columns */
	BtmKeyReader *rk_reader;	/* the same with all columns of the related
								 * key, NULL if the id has all of them */
	Datum	   *full;			/* a key that rk_reader reads */
} IdsReader;

static void add_json(IdsReader *reader, const JsonbValue *value);

/* ------------
 * Adding an id
 * ------------
 */

/*
 * Adds an id; the caller fills in its datums.
 */
static Datum *
add_id(IdsReader *reader)
{
	CHECK_FOR_INTERRUPTS();
	return btm_keys_add(&reader->ids->keys);
}

/*
 * Makes the list of attributes as large as that of the keys can get.
 */
static void
grow_attributes(IdsReader *reader)
{
	BtmIds	   *ids = reader->ids;
	int64		old = reader->max_attributes;
	int64		new = ids->keys.max;
	Size		size = sizeof(BtmAttributes *) * new;

	if (old >= new)
		return;
	if (ids->attributes == NULL)
		ids->attributes = MemoryContextAllocHuge(CurrentMemoryContext, size);
	else
		ids->attributes = repalloc_huge(ids->attributes, size);
	memset(ids->attributes + old, 0, sizeof(BtmAttributes *) * (new - old));
	reader->max_attributes = new;
}

/*
 * Gives the id that was added last its attributes.
 */
static void
set_attributes(IdsReader *reader, const JsonbValue *value, bool is_row)
{
	BtmIds	   *ids = reader->ids;
	int64		i = ids->keys.n - 1;
	BtmAttributes *attributes;

	attributes = btm_attributes_read(reader->attributes, value,
									 BTM_KEY(&ids->keys, i), is_row);
	if (attributes == NULL)
		return;
	grow_attributes(reader);
	ids->attributes[i] = attributes;
}

/*
 * Raises 22004: an element of a list is NULL.
 */
pg_noreturn static void
null_element(IdsReader *reader)
{
	btm_null_argument(reader->call, "an element of ids",
					  "Leave out nulls; array_remove(ids, NULL) takes them out of an array.");
}

/*
 * Adds the id that a key with all columns of the related key has, which is in
 * reader->full.  Errors: 22023 if a column that the parent gives differs.
 */
static void
add_full_key(IdsReader *reader)
{
	BtmResolved *rel = reader->rel;
	const Datum *full = reader->full;
	const Datum *parent = reader->call->parent;
	Datum	   *key = add_id(reader);

	for (int i = 0; i < rel->nid; i++)
		key[i] = full[rel->id_rk[i]];
	for (int i = 0; i < rel->nrk && parent != NULL; i++)
	{
		int			j = rel->rk_fk[i];

		if (j >= 0 &&
			btm_key_compare(&rel->rk[i], 1, &full[i], &parent[j]) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" of an id differs from the parent",
							rel->rk[i].name)));
	}
}

/* ----
 * JSON
 * ----
 */

/*
 * Is this object a row: does it have all columns of the id, with scalars?
 */
static bool
is_row_object(IdsReader *reader, JsonbContainer *object)
{
	BtmResolved *rel = reader->rel;
	JsonbValue	value;

	for (int i = 0; i < rel->nid; i++)
		if (!btm_json_member(object, &rel->id[i], &value) ||
			!IsAJsonbScalar(&value))
			return false;
	return true;
}

/*
 * Adds the id that a row holds, with the row's attributes.
 */
static void
add_row_object(IdsReader *reader, const JsonbValue *object)
{
	BtmResolved *rel = reader->rel;
	Datum	   *key = add_id(reader);
	JsonbValue	value;

	for (int i = 0; i < rel->nid; i++)
	{
		(void) btm_json_member(object->val.binary.data, &rel->id[i], &value);
		if (value.type == jbvNull)
			null_element(reader);
		key[i] = btm_value_from_json(&value, &rel->id[i]);
	}
	set_attributes(reader, object, true);
}

/*
 * Adds an id of a map.  Errors: 22023 if it does not have attributes.
 */
static void
add_map_entry(IdsReader *reader, const JsonbValue *name,
			  const JsonbValue *value)
{
	BtmKeyColumn *column = &reader->rel->id[0];

	if (!btm_is_attributes(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("attributes of id \"%.*s\" must be a JSON object",
						name->val.string.len, name->val.string.val),
				 errhint("An object that is not a map of ids to attributes needs the member \"%s\".",
						 column->name)));
	*add_id(reader) = btm_value_from_json(name, column);
	set_attributes(reader, value, false);
}

/*
 * Adds the ids of a map {id: {attribute: value}}.
 */
static void
add_map(IdsReader *reader, JsonbContainer *object)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	value;
	JsonbValue	name;

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			name = value;
		else if (token == WJB_VALUE)
			add_map_entry(reader, &name, &value);
	}
}

/*
 * Raises 22023: an object is no row, and nothing else is possible for a key of
 * several columns.
 */
pg_noreturn static void
not_a_row(IdsReader *reader)
{
	BtmResolved *rel = reader->rel;
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < rel->nid; i++)
		appendStringInfo(&names, "%s\"%s\"", i > 0 ? ", " : "",
						 rel->id[i].name);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("an id of several columns must have a value for each of them"),
			 errhint("Write ids as JSON objects with the members %s; further members are attributes.",
					 names.data)));
}

/*
 * Adds what a JSON object holds.  Errors: 22023 if it is neither row nor map.
 */
static void
add_object(IdsReader *reader, const JsonbValue *object)
{
	JsonbContainer *container = object->val.binary.data;

	if (is_row_object(reader, container))
		add_row_object(reader, object);
	else if (reader->rel->nid == 1 || JsonContainerSize(container) == 0)
		add_map(reader, container);
	else
		not_a_row(reader);
}

/*
 * Adds a scalar, or an array that is an id in key order.
 */
static void
add_json_key(IdsReader *reader, const JsonbValue *value)
{
	if (reader->rk_reader != NULL && value->type == jbvBinary &&
		JsonContainerSize(value->val.binary.data) == (uint32) reader->rel->nrk)
	{
		btm_key_read_json(reader->rk_reader, value, reader->full);
		add_full_key(reader);
	}
	else
		btm_key_read_json(reader->id_reader, value, add_id(reader));
}

/*
 * Adds what an element of a list holds: an id, a row or a map.
 */
static void
add_json(IdsReader *reader, const JsonbValue *value)
{
	if (value->type == jbvNull)
		null_element(reader);
	else if (btm_json_is_object(value))
		add_object(reader, value);
	else
		add_json_key(reader, value);
}

/*
 * Adds the elements of a JSON array.
 */
static void
add_json_array(IdsReader *reader, JsonbContainer *array)
{
	JsonbIterator *it = JsonbIteratorInit(array);
	JsonbIteratorToken token;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
		if (token == WJB_ELEM)
			add_json(reader, &value);
}

/*
 * Adds what a JSON document holds: a list, or what an element can be.  Errors:
 * 22004 if it is null.
 */
static void
add_document(IdsReader *reader, Jsonb *jb)
{
	JsonbValue	root;

	btm_json_root(jb, &root);
	if (root.type == jbvNull)
		btm_null_argument(reader->call, "ids", reader->null_hint);
	if (root.type == jbvBinary && !btm_json_is_object(&root))
		add_json_array(reader, &jb->root);
	else
		add_json(reader, &root);
}

/* ----------
 * SQL values
 * ----------
 */

/*
 * Prepares for single values of a type; a domain counts as its base type.
 */
static void
set_type(IdsReader *reader, Oid type)
{
	BtmResolved *rel = reader->rel;

	reader->type = btm_base_type(type);
	reader->converter = NULL;
	reader->id_reader = NULL;
	reader->rk_reader = NULL;
	if (btm_is_key_type(reader->type, rel->id, rel->nid))
	{
		reader->converter = btm_converter_make(reader->type, rel->id);
		return;
	}
	reader->id_reader = btm_key_reader_make(type, rel->id, rel->nid, "id",
											false);
	if (rel->nid < rel->nrk)
		reader->rk_reader = btm_key_reader_make(type, rel->rk, rel->nrk, "id",
												false);
	if (rel->nid == 1 && !btm_type_is_json(reader->type) &&
		(reader->type == rel->id->type.type ||
		 !type_is_rowtype(reader->type)))
		reader->converter = btm_converter_make(reader->type, rel->id);
}

/*
 * Adds the id that a row value holds.
 */
static void
add_row_value(IdsReader *reader, Datum value)
{
	if (reader->rk_reader != NULL && btm_row_width(value) == reader->rel->nrk)
	{
		btm_key_read(reader->rk_reader, value, reader->full);
		add_full_key(reader);
	}
	else
		btm_key_read(reader->id_reader, value, add_id(reader));
}

/*
 * Adds what a value of the type of set_type holds.
 */
static void
add_value(IdsReader *reader, Datum value)
{
	JsonbValue	root;

	if (reader->converter != NULL)
		*add_id(reader) = btm_convert(reader->converter, value);
	else if (btm_type_is_json(reader->type))
	{
		btm_json_root(btm_to_jsonb(value, reader->type), &root);
		add_json(reader, &root);
	}
	else if (type_is_rowtype(reader->type))
		add_row_value(reader, value);
	else
		btm_key_read(reader->id_reader, value, add_id(reader));
}

/*
 * Takes deconstructed array elements for the list of keys, if they are keys
 * already.
 */
static bool
take_elements(IdsReader *reader, Datum *elements, int n)
{
	BtmKeys    *keys = &reader->ids->keys;

	if (n == 0 || reader->converter == NULL ||
		!btm_converter_is_noop(reader->converter))
		return false;
	keys->keys = elements;
	keys->n = keys->max = n;
	return true;
}

/*
 * Adds the elements of an array.  Errors: 22004 if one is NULL, 22023 if there
 * are several dimensions and an id has several columns.
 */
static void
add_array(IdsReader *reader, Datum value)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	Oid			type = ARR_ELEMTYPE(array);
	int16		typlen;
	bool		typbyval;
	char		typalign;
	Datum	   *elements;
	int			n;

	if (ARR_NDIM(array) > 1 && reader->rel->nid > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an array of ids of several columns must have one dimension"),
				 errhint("Use an array of row values, or JSON.")));
	if (array_contains_nulls(array))
		null_element(reader);

	set_type(reader, type);
	get_typlenbyvalalign(type, &typlen, &typbyval, &typalign);
	deconstruct_array(array, type, typlen, typbyval, typalign,
					  &elements, NULL, &n);
	if (take_elements(reader, elements, n))
		return;
	for (int i = 0; i < n; i++)
		add_value(reader, elements[i]);
}

/*
 * Adds the elements of an array literal.
 *
 * They are read as values of the key's type at once if an id has one column.
 * A backslash, though, tells that an element is quoted within quotes, as a
 * JSON object is that some driver has encoded so; the elements are taken as
 * texts then, of which btm_convert says what is wrong with them.
 */
static void
add_array_literal(IdsReader *reader, char *text)
{
	Oid			type = TEXTOID;

	if (reader->rel->nid == 1 && strchr(text, '\\') == NULL)
		type = reader->rel->id->type.type;
	add_array(reader, OidFunctionCall3(F_ARRAY_IN, CStringGetDatum(text),
									   ObjectIdGetDatum(type),
									   Int32GetDatum(-1)));
}

/*
 * Adds what text holds.
 */
static void
add_text(IdsReader *reader, Datum value, Oid type)
{
	char	   *text = btm_text_value(value, type);

	set_type(reader, type);
	switch (btm_text_form(text, reader->rel->id, reader->rel->nid))
	{
		case BTM_TEXT_JSON:
			add_document(reader, btm_jsonb_parse(text));
			break;
		case BTM_TEXT_ARRAY:
			add_array_literal(reader, text);
			break;
		case BTM_TEXT_VALUE:
			add_value(reader, value);
			break;
	}
}

/*
 * Adds what the argument holds.
 */
static void
add_argument(IdsReader *reader, const BtmValue *value)
{
	BtmResolved *rel = reader->rel;

	if (value->isnull)
		btm_null_argument(reader->call, "ids", reader->null_hint);
	if (btm_is_key_type(value->type, rel->id, rel->nid))
		*add_id(reader) = btm_take_value(rel->id, value->value);
	else if (OidIsValid(get_element_type(value->type)))
		add_array(reader, value->value);
	else if (btm_type_is_string(value->type))
		add_text(reader, value->value, value->type);
	else
	{
		set_type(reader, value->type);
		if (btm_type_is_json(value->type))
			add_document(reader, btm_to_jsonb(value->value, value->type));
		else
			add_value(reader, value->value);
	}
}

/* --------------------
 * Order and duplicates
 * --------------------
 */

/* An id that is to be sorted, with its first datum at hand. */
typedef struct IdEntry
{
	Datum		first;
	int64		place;			/* in the input */
} IdEntry;

/*
 * For qsort_interruptible: compares two ids by key, then by place.
 */
static int
compare_entries(const void *a, const void *b, void *arg)
{
	const IdEntry *x = a;
	const IdEntry *y = b;
	IdsReader  *reader = arg;
	BtmKeyColumn *columns = reader->rel->id;
	BtmKeys    *keys = &reader->ids->keys;
	int			result;

	result = btm_key_compare(columns, 1, &x->first, &y->first);
	if (result == 0 && keys->nid > 1)
		result = btm_key_compare(columns + 1, keys->nid - 1,
								 BTM_KEY(keys, x->place) + 1,
								 BTM_KEY(keys, y->place) + 1);
	if (result == 0)
		result = x->place < y->place ? -1 : 1;
	return result;
}

/*
 * The same for ids that are integers.
 */
static inline int
compare_integer_entries(const IdEntry *a, const IdEntry *b, int typlen)
{
	int			result = btm_compare_integers(a->first, b->first, typlen);

	return result != 0 ? result : a->place < b->place ? -1 : 1;
}

#define ST_SORT sort_integer_entries
#define ST_ELEMENT_TYPE IdEntry
#define ST_COMPARE(a, b, column) \
	compare_integer_entries(a, b, (column)->type.typlen)
#define ST_COMPARE_ARG_TYPE const BtmKeyColumn
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * The ids in key order; duplicates in the order of the input.
 */
static IdEntry *
sort_entries(IdsReader *reader)
{
	BtmKeys    *keys = &reader->ids->keys;
	IdEntry    *entries;

	entries = MemoryContextAllocHuge(CurrentMemoryContext,
									 sizeof(IdEntry) * keys->n);
	for (int64 i = 0; i < keys->n; i++)
	{
		entries[i].first = *BTM_KEY(keys, i);
		entries[i].place = i;
	}
	if (btm_key_is_integer(reader->rel->id, keys->nid))
		sort_integer_entries(entries, keys->n, reader->rel->id);
	else
		qsort_interruptible(entries, keys->n, sizeof(IdEntry),
							compare_entries, reader);
	return entries;
}

/*
 * Allocates room for n ids; `attributes` if some have attributes.
 */
static void
alloc_ids(BtmIds *ids, int nid, int64 n, bool attributes)
{
	MemoryContext cxt = CurrentMemoryContext;
	int64		max = Max(n, 1);

	btm_keys_init(&ids->keys, nid);
	ids->keys.max = max;
	ids->keys.keys = MemoryContextAllocHuge(cxt, sizeof(Datum) * nid * max);
	ids->position = MemoryContextAllocHuge(cxt, sizeof(int64) * max);
	ids->attributes = NULL;
	if (attributes)
		ids->attributes = MemoryContextAllocHuge(cxt,
												 sizeof(BtmAttributes *) * max);
}

/*
 * Appends id i of `from`, for which there is room.
 */
static void
append_id(BtmIds *ids, const BtmIds *from, int64 i, int64 position)
{
	int64		n = ids->keys.n;

	memcpy(btm_keys_add(&ids->keys), BTM_KEY(&from->keys, i),
		   sizeof(Datum) * ids->keys.nid);
	ids->position[n] = position;
	if (ids->attributes != NULL)
		ids->attributes[n] = from->attributes[i];
}

/*
 * Is id i of `from` the same as the last one of `ids`?
 */
static bool
is_duplicate(const BtmIds *ids, const BtmIds *from, int64 i,
			 BtmKeyColumn *columns)
{
	const BtmKeys *keys = &ids->keys;

	return keys->n > 0 &&
		btm_key_compare(columns, keys->nid, BTM_KEY(keys, keys->n - 1),
						BTM_KEY(&from->keys, i)) == 0;
}

/*
 * Puts the ids into key order and lets duplicates collapse.
 */
static void
sort_ids(IdsReader *reader)
{
	BtmIds	   *ids = reader->ids;
	IdEntry    *entries = sort_entries(reader);
	BtmIds		from = *ids;

	alloc_ids(ids, from.keys.nid, from.keys.n, from.attributes != NULL);
	for (int64 i = 0; i < from.keys.n; i++)
	{
		int64		place = entries[i].place;

		if (!is_duplicate(ids, &from, place, reader->rel->id))
			append_id(ids, &from, place, place);
		else if (from.attributes != NULL && from.attributes[place] != NULL)
			ids->attributes[ids->keys.n - 1] = from.attributes[place];
	}
	pfree(entries);
}

/*
 * Numbers ids that are in key order already.
 */
static void
number_ids(BtmIds *ids)
{
	ids->position = MemoryContextAllocHuge(CurrentMemoryContext,
										   sizeof(int64) * (ids->keys.n + 1));
	for (int64 i = 0; i < ids->keys.n; i++)
		ids->position[i] = i;
}

/*
 * Makes of the ids as they were read what BtmIds promises.
 */
static void
finish_ids(IdsReader *reader)
{
	BtmIds	   *ids = reader->ids;

	if (ids->attributes != NULL)
		grow_attributes(reader);
	if (btm_keys_ascending(&ids->keys, reader->rel->id))
		number_ids(ids);
	else
		sort_ids(reader);
}

/* ---------
 * Interface
 * ---------
 */

/*
 * The attributes argument, into *value.  Returns false if it is not given or
 * NULL.  Errors: 22023 if it is a scalar or a list.
 */
static bool
shared_attributes(BtmCall *call, int argno, JsonbValue *value)
{
	FunctionCallInfo fcinfo = call->fcinfo;

	if (argno < 0 || PG_ARGISNULL(argno))
		return false;
	btm_json_root(PG_GETARG_JSONB_P(argno), value);
	return true;
}

/*
 * Reads argument argno as ids, and attributes_argno as attributes that all of
 * them share; it is negative for an operation without attributes.  Those that
 * ids bring with them are read and checked in any case.
 *
 * The parent is set already, or there is none.  The result lives in the call's
 * memory context.  Errors: 22004 if ids is NULL, with null_hint, or an element
 * is; 22023 for what is not written as ids and attributes are, or for a key
 * column among the attributes that differs from the pair; 42703 for an
 * attribute that is no column; 22P02, 22003 and so on for values that the
 * column's type does not accept.
 */
BtmIds *
btm_ids_arg(BtmCall *call, int argno, int attributes_argno,
			const char *null_hint)
{
	MemoryContext oldcxt = MemoryContextSwitchTo(call->cxt);
	BtmValue	value = btm_value_arg(call->fcinfo, argno);
	IdsReader	reader = {0};
	JsonbValue	shared;

	reader.call = call;
	reader.rel = call->rel;
	reader.null_hint = null_hint;
	reader.full = palloc(sizeof(Datum) * call->rel->nrk);
	reader.ids = palloc0(sizeof(BtmIds));
	btm_keys_init(&reader.ids->keys, call->rel->nid);
	reader.attributes = btm_attributes_reader_make(call, reader.ids);

	add_argument(&reader, &value);
	finish_ids(&reader);
	if (shared_attributes(call, attributes_argno, &shared))
		btm_attributes_share(reader.attributes, &shared);

	MemoryContextSwitchTo(oldcxt);
	return reader.ids;
}

/*
 * Those ids for which keep[] is true, in key order.  The result lives in the
 * current memory context and shares datums, attributes and shapes with `ids`.
 */
BtmIds *
btm_ids_subset(const BtmIds *ids, const bool *keep)
{
	BtmIds	   *result = palloc(sizeof(BtmIds));
	int64		n = 0;

	for (int64 i = 0; i < ids->keys.n; i++)
		if (keep[i])
			n++;
	*result = *ids;
	alloc_ids(result, ids->keys.nid, n, ids->attributes != NULL);
	for (int64 i = 0; i < ids->keys.n; i++)
		if (keep[i])
			append_id(result, ids, i, ids->position[i]);
	return result;
}

/*
 * Do the attributes of all ids have the same shape, so that one statement
 * writes them?
 */
bool
btm_ids_have_one_shape(const BtmIds *ids)
{
	for (int64 i = 1; ids->attributes != NULL && i < ids->keys.n; i++)
	{
		const BtmAttributes *a = ids->attributes[i - 1];
		const BtmAttributes *b = ids->attributes[i];

		if ((a ? a->shape : 0) != (b ? b->shape : 0))
			return false;
	}
	return true;
}

/* An id and its place in the input. */
typedef struct IdPlace
{
	int64		i;
	int64		place;
} IdPlace;

/*
 * For qsort: compares two ids by place.
 */
static int
compare_places(const void *a, const void *b)
{
	const IdPlace *x = a;
	const IdPlace *y = b;

	return x->place < y->place ? -1 : x->place > y->place;
}

/*
 * The ids as a JSON array, in the order of the input.  It lives in the current
 * memory context.  Errors: as btm_keys_to_jsonb.
 */
Jsonb *
btm_ids_to_jsonb(const BtmIds *ids, const BtmKeyColumn *columns)
{
	int64		n = ids->keys.n;
	IdPlace    *places;
	BtmKeys		keys;

	places = MemoryContextAllocHuge(CurrentMemoryContext,
									sizeof(IdPlace) * (n + 1));
	for (int64 i = 0; i < n; i++)
	{
		places[i].i = i;
		places[i].place = ids->position[i];
	}
	qsort(places, n, sizeof(IdPlace), compare_places);

	btm_keys_init(&keys, ids->keys.nid);
	for (int64 i = 0; i < n; i++)
		memcpy(btm_keys_add(&keys), BTM_KEY(&ids->keys, places[i].i),
			   sizeof(Datum) * keys.nid);
	return btm_keys_to_jsonb(&keys, columns);
}
