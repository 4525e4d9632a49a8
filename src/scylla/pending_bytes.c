/*-------------------------------------------------------------------------
 *
 * pending_bytes.c
 *	  The bytes of a pending change: a key, and cells.
 *
 * A key is the values of its columns in the key's order, each after its length, so
 * that the partition key is the beginning of the primary key.  Cells follow: the
 * column's index and the value, for those that are given.  Alignment is none.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "lib/stringinfo.h"
#include "scylla/pending_parts.h"

/* Appends a length and a value; null has a negative length. */
static void
append_value(StringInfo bytes, CqlBytes value)
{
	appendBinaryStringInfo(bytes, (const char *) &value.length, sizeof(value.length));
	if (value.length > 0)
		appendBinaryStringInfo(bytes, (const char *) value.data, value.length);
}

/* The columns of an item's key. */
static int
nkey_of(const BtmScyllaPending *pending, bool is_partition)
{
	return is_partition ? pending->table->npartition : pending->nkey;
}

/* Appends a key; `values` are by the table's columns. */
void
btm_pending_encode_key(const BtmScyllaPending *pending, const CqlBytes *values,
					   bool is_partition, StringInfo bytes)
{
	int			nkey = nkey_of(pending, is_partition);

	for (int i = 0; i < nkey; i++)
		append_value(bytes, values[pending->key[i]]);
}

/* Appends the cells that are given, of static columns or of the others. */
void
btm_pending_encode_cells(const BtmScyllaPending *pending, const CqlBytes *values,
						 bool is_static, StringInfo bytes)
{
	const BtmScyllaTable *table = pending->table;

	for (int i = 0; i < table->ncolumns; i++)
	{
		uint16		column = (uint16) i;

		if (values[i].length == CQL_LENGTH_UNSET ||
			table->columns[i].role != (is_static ? BTM_SCYLLA_STATIC : BTM_SCYLLA_REGULAR))
			continue;
		appendBinaryStringInfo(bytes, (const char *) &column, sizeof(column));
		append_value(bytes, values[i]);
	}
}

/* The value at *at, which moves on. */
static CqlBytes
take_value(const uint8 **at)
{
	CqlBytes	value;

	memcpy(&value.length, *at, sizeof(value.length));
	*at += sizeof(value.length);
	value.data = *at;
	if (value.length > 0)
		*at += value.length;
	return value;
}

/*
 * The values, by the table's columns, in bytes that were made by the functions
 * above; they point into the bytes.  Columns that are not there are unset.
 */
void
btm_pending_decode(const BtmScyllaPending *pending, const uint8 *bytes, uint32 size,
				   bool is_partition, CqlBytes *values)
{
	const uint8 *at = bytes;
	int			nkey = nkey_of(pending, is_partition);

	for (int i = 0; i < pending->table->ncolumns; i++)
		values[i].length = CQL_LENGTH_UNSET;
	for (int i = 0; i < nkey; i++)
		values[pending->key[i]] = take_value(&at);
	while (at < bytes + size)
	{
		uint16		column;

		memcpy(&column, at, sizeof(column));
		at += sizeof(column);
		values[column] = take_value(&at);
	}
}

/* The sum of two counters; either may be null or not there. */
CqlBytes
btm_pending_add_counters(CqlBytes a, CqlBytes b)
{
	uint8	   *sum;
	int			carry = 0;

	if (a.length != 8 || b.length != 8)
		return b.length == 8 ? b : a;
	sum = palloc(8);
	for (int i = 7; i >= 0; i--)
	{
		carry += a.data[i] + b.data[i];
		sum[i] = (uint8) carry;
		carry >>= 8;
	}
	a.data = sum;
	return a;
}
