/*-------------------------------------------------------------------------
 *
 * keys.c
 *	  Lists of keys: growing, ordering, searching, reporting.
 *
 * A list may hold millions of keys, so it is one array of datums, which grows
 * by doubling and may pass the limit of ordinary allocations.  Datums are not
 * copied; whoever adds a by-reference datum has it live long enough.  Under
 * some collations it takes seconds to compare so many keys: all that does can
 * be interrupted.
 *
 * The order is that of the column types' btree operator classes under the
 * columns' collations, the same that an index on the pair has.  Keys that
 * compare as equal are the same key.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "pivot/ids.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

/* Keys that a list has room for at first. */
#define INITIAL_KEYS 16

/*
 * Bounds for the size of a value in a report: the digits of any integer, and
 * what a value takes besides its digits or characters (its entry in the array,
 * the head of a number, alignment).
 */
#define MAX_INTEGER_SIZE 10
#define VALUE_OVERHEAD 16

/* -------
 * Growing
 * -------
 */

/*
 * Makes an empty list of keys of nid datums.  Its memory will come from the
 * context that is current when the first key is added.
 */
void
btm_keys_init(BtmKeys *keys, int nid)
{
	keys->nid = nid;
	keys->n = 0;
	keys->max = 0;
	keys->keys = NULL;
}

/*
 * Makes the list larger.
 */
static void
grow(BtmKeys *keys)
{
	Size		row = sizeof(Datum) * keys->nid;

	if (keys->keys == NULL)
	{
		keys->max = INITIAL_KEYS;
		keys->keys = palloc(row * keys->max);
		return;
	}
	keys->max *= 2;
	keys->keys = repalloc_huge(keys->keys, row * keys->max);
}

/*
 * Adds a key; the caller fills in its datums.  The pointer is good until the
 * next key is added.
 */
Datum *
btm_keys_add(BtmKeys *keys)
{
	if (keys->n == keys->max)
		grow(keys);
	return BTM_KEY(keys, keys->n++);
}

/* ----------------
 * Order and search
 * ----------------
 */

/*
 * Compares two keys of n columns: negative, zero or positive.
 */
int
btm_key_compare(BtmKeyColumn *columns, int n, const Datum *a, const Datum *b)
{
	for (int i = 0; i < n; i++)
	{
		int			result = ApplySortComparator(a[i], false, b[i], false,
												 &columns[i].sort);

		if (result != 0)
			return result;
	}
	return 0;
}

/*
 * Is a key one integer, so that lists of it can be sorted without calling a
 * comparison function?
 */
bool
btm_key_is_integer(const BtmKeyColumn *columns, int n)
{
	return n == 1 && columns->type.typbyval &&
		(columns->type.type == INT4OID || columns->type.type == INT8OID);
}

#define ST_SORT sort_integers
#define ST_ELEMENT_TYPE Datum
#define ST_COMPARE(a, b, column) \
	btm_compare_integers(*(a), *(b), (column)->type.typlen)
#define ST_COMPARE_ARG_TYPE const BtmKeyColumn
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* What compare_rows needs to know. */
typedef struct RowOrder
{
	BtmKeyColumn *columns;
	int			nid;
} RowOrder;

/*
 * For qsort_interruptible: compares two rows of a list of keys.
 */
static int
compare_rows(const void *a, const void *b, void *arg)
{
	RowOrder   *order = arg;

	return btm_key_compare(order->columns, order->nid, a, b);
}

/*
 * Is every key greater than the one before?
 */
bool
btm_keys_ascending(const BtmKeys *keys, BtmKeyColumn *columns)
{
	for (int64 i = 1; i < keys->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (btm_key_compare(columns, keys->nid, BTM_KEY(keys, i - 1),
							BTM_KEY(keys, i)) >= 0)
			return false;
	}
	return true;
}

/*
 * Puts a list into key order and leaves out duplicates.  A list that is so
 * already, as lists of ids and what an index scan finds often are, costs one
 * pass.
 */
void
btm_keys_sort_unique(BtmKeys *keys, BtmKeyColumn *columns)
{
	RowOrder	order = {columns, keys->nid};
	Size		row = sizeof(Datum) * keys->nid;
	int64		n = 0;

	if (btm_keys_ascending(keys, columns))
		return;

	if (btm_key_is_integer(columns, keys->nid))
		sort_integers(keys->keys, keys->n, columns);
	else
		qsort_interruptible(keys->keys, keys->n, row, compare_rows, &order);
	for (int64 i = 1; i < keys->n; i++)
	{
		if (btm_key_compare(columns, keys->nid, BTM_KEY(keys, n),
							BTM_KEY(keys, i)) == 0)
			continue;
		n++;
		memcpy(BTM_KEY(keys, n), BTM_KEY(keys, i), row);
	}
	keys->n = n + 1;
}

/*
 * Is a key in a list that is in key order?
 *
 * For callers who ask about one key after the other, each greater than the one
 * before: *at is 0 at first, and then where the search goes on.  Two lists of
 * the same length so cost one pass over both, and a short one against a long
 * one little more than a binary search for each key.
 */
bool
btm_keys_find_next(const BtmKeys *sorted, BtmKeyColumn *columns,
				   const Datum *key, int64 *at)
{
	int64		low = *at;
	int64		high = *at;
	int64		step = 1;
	bool		found = false;

	CHECK_FOR_INTERRUPTS();
	while (high < sorted->n)
	{
		int			result = btm_key_compare(columns, sorted->nid,
											 BTM_KEY(sorted, high), key);

		found = result == 0;
		if (result >= 0)
			break;
		low = high + 1;
		high += step;
		step *= 2;
	}
	if (found)
		low = high;
	high = Min(high, sorted->n);
	while (low < high)
	{
		int64		middle = low + (high - low) / 2;
		int			result = btm_key_compare(columns, sorted->nid,
											 BTM_KEY(sorted, middle), key);

		if (result < 0)
			low = middle + 1;
		else
			high = middle;
		found |= result == 0;
	}
	*at = found ? low + 1 : low;
	return found;
}

/* -------
 * Reports
 * -------
 */

/*
 * A value as a JSON string, written by the type's output function.
 */
static void
string_to_json(const BtmKeyColumn *column, Datum value, JsonbValue *json)
{
	json->type = jbvString;
	json->val.string.val =
		OutputFunctionCall(unconstify(FmgrInfo *, &column->type.output), value);
	json->val.string.len = strlen(json->val.string.val);
}

/*
 * A numeric as a JSON number, or as a string where JSON has no such number.
 */
static void
numeric_to_json(const BtmKeyColumn *column, Datum value, JsonbValue *json)
{
	Numeric		num = DatumGetNumeric(value);

	if (numeric_is_nan(num) || numeric_is_inf(num))
	{
		string_to_json(column, value, json);
		return;
	}
	json->type = jbvNumeric;
	json->val.numeric = num;
}

/*
 * A float likewise.  Its digits are those of the output function.
 */
static void
float_to_json(const BtmKeyColumn *column, Datum value, JsonbValue *json)
{
	float8		num = column->type.type == FLOAT4OID ?
		DatumGetFloat4(value) : DatumGetFloat8(value);
	Datum		text;

	string_to_json(column, value, json);
	if (isnan(num) || isinf(num))
		return;
	text = CStringGetDatum(json->val.string.val);
	json->type = jbvNumeric;
	json->val.numeric =
		DatumGetNumeric(DirectFunctionCall3(numeric_in, text,
											ObjectIdGetDatum(InvalidOid),
											Int32GetDatum(-1)));
}

/*
 * A char(n) as a JSON string, padded as it is stored.
 */
static void
bpchar_to_json(const BtmKeyColumn *column, Datum value, JsonbValue *json)
{
	int32		typmod = column->type.typmod;

	if (typmod >= 0)
		value = DirectFunctionCall3(bpchar, value, Int32GetDatum(typmod),
									BoolGetDatum(true));
	string_to_json(column, value, json);
}

/*
 * A date or a time in ISO 8601, as results show it, whatever DateStyle says.
 */
static void
datetime_to_json(const BtmKeyColumn *column, Datum value, JsonbValue *json)
{
	char	   *string = JsonEncodeDateTime(NULL, value, column->type.type, NULL);

	json->type = jbvString;
	json->val.string.val = string;
	json->val.string.len = strlen(string);
}

/*
 * A value of a key column as JSON: numbers and booleans as such, anything else
 * as a string.
 */
static void
value_to_json(const BtmKeyColumn *column, Datum value, JsonbValue *json)
{
	switch (column->type.type)
	{
		case INT2OID:
			json->type = jbvNumeric;
			json->val.numeric = int64_to_numeric(DatumGetInt16(value));
			break;
		case INT4OID:
			json->type = jbvNumeric;
			json->val.numeric = int64_to_numeric(DatumGetInt32(value));
			break;
		case INT8OID:
			json->type = jbvNumeric;
			json->val.numeric = int64_to_numeric(DatumGetInt64(value));
			break;
		case NUMERICOID:
			numeric_to_json(column, value, json);
			break;
		case FLOAT4OID:
		case FLOAT8OID:
			float_to_json(column, value, json);
			break;
		case BOOLOID:
			json->type = jbvBool;
			json->val.boolean = DatumGetBool(value);
			break;
		case BPCHAROID:
			bpchar_to_json(column, value, json);
			break;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			datetime_to_json(column, value, json);
			break;
		default:
			string_to_json(column, value, json);
			break;
	}
}

/*
 * A key of several columns as a JSON object {column: value}.
 */
static void
key_to_object(const BtmKeyColumn *columns, int nid, const Datum *key,
			  JsonbValue *json)
{
	JsonbParseState *state = NULL;
	JsonbValue	value;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < nid; i++)
	{
		value.type = jbvString;
		value.val.string.val = columns[i].name;
		value.val.string.len = strlen(columns[i].name);
		pushJsonbValue(&state, WJB_KEY, &value);
		value_to_json(&columns[i], key[i], &value);
		pushJsonbValue(&state, WJB_VALUE, &value);
	}
	*json = *pushJsonbValue(&state, WJB_END_OBJECT, NULL);
}

/*
 * A list of keys as a JSON array, in the order of the list.
 *
 * The array is put together here because pushJsonbValue cannot take more
 * elements than fit into an ordinary allocation, which is fewer than fit into
 * a jsonb.  Errors: 54000 if the report is larger than a jsonb can be.
 */
Jsonb *
btm_keys_to_jsonb(const BtmKeys *keys, const BtmKeyColumn *columns)
{
	JsonbValue	array = {0};
	JsonbValue *elements;

	if (keys->n > JB_CMASK)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("number of reported ids exceeds the maximum of %u",
						(unsigned) JB_CMASK)));
	elements = MemoryContextAllocHuge(CurrentMemoryContext,
									  sizeof(JsonbValue) * (keys->n + 1));
	for (int64 i = 0; i < keys->n; i++)
	{
		if (keys->nid == 1)
			value_to_json(columns, *BTM_KEY(keys, i), &elements[i]);
		else
			key_to_object(columns, keys->nid, BTM_KEY(keys, i), &elements[i]);
	}
	array.type = jbvArray;
	array.val.array.nElems = keys->n;
	array.val.array.elems = elements;
	return JsonbValueToJsonb(&array);
}

/*
 * The most bytes that a value can take in a report.  (Keys that were read may
 * be compressed.)
 */
static Size
value_size_bound(const BtmKeyColumn *column, Datum value)
{
	char	   *text;
	Size		size;

	switch (column->type.type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return MAX_INTEGER_SIZE + VALUE_OVERHEAD;
		case TEXTOID:
		case VARCHAROID:
		case NUMERICOID:
			return toast_raw_datum_size(value) + VALUE_OVERHEAD;
		case BPCHAROID:
			return toast_raw_datum_size(value) + VALUE_OVERHEAD +
				Max(column->type.typmod, 0);
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return MAXDATELEN + VALUE_OVERHEAD;
		default:
			text = OutputFunctionCall(unconstify(FmgrInfo *,
												 &column->type.output),
									  value);
			size = strlen(text);
			pfree(text);
			return size + VALUE_OVERHEAD;
	}
}

/*
 * The most bytes that a key can take in a report.
 */
static Size
key_size_bound(const BtmKeyColumn *columns, int nid, const Datum *key)
{
	Size		size = 0;

	for (int i = 0; i < nid; i++)
	{
		size += value_size_bound(&columns[i], key[i]);
		if (nid > 1)
			size += strlen(columns[i].name) + VALUE_OVERHEAD;
	}
	return nid > 1 ? size + VALUE_OVERHEAD : size;
}

/*
 * Raises 54000 if a report of these keys is larger than a jsonb can be, so
 * that a write can refuse before it has changed anything.  Keys that are
 * certain to fit cost one pass that adds up bounds; only a list near the limit
 * is written out to know for sure.
 */
void
btm_keys_check_report(const BtmKeys *keys, const BtmKeyColumn *columns)
{
	Size		size = VALUE_OVERHEAD;

	for (int64 i = 0; i < keys->n; i++)
	{
		size += key_size_bound(columns, keys->nid, BTM_KEY(keys, i));
		if (size > JENTRY_OFFLENMASK)
		{
			pfree(btm_keys_to_jsonb(keys, columns));
			return;
		}
	}
}

/*
 * Describes a key for an error message: "(role_id)=(5)".  It is one of the
 * caller's own arguments, so its values give nothing away.
 */
char *
btm_key_describe(BtmKeyColumn *columns, int n, const Datum *key)
{
	StringInfoData names;
	StringInfoData values;

	initStringInfo(&names);
	initStringInfo(&values);
	for (int i = 0; i < n; i++)
	{
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", columns[i].name);
		appendStringInfo(&values, "%s%s", i > 0 ? ", " : "",
						 OutputFunctionCall(&columns[i].type.output, key[i]));
	}
	return psprintf("(%s)=(%s)", names.data, values.data);
}
