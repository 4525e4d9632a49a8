/*-------------------------------------------------------------------------
 *
 * token.c
 *	  From a partition key to its token, and from a token to a shard.
 *
 * The hash is MurmurHash3_x64_128 with seed 0, of which the first half is the
 * token.  Cassandra's version of it, which ScyllaDB repeats, differs from the
 * published one: bytes of the tail (what is left after blocks of 16) are
 * taken as signed.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/token.h"

#define BLOCK_SIZE 16

static const uint64_t c1 = 0x87C37B91114253D5;
static const uint64_t c2 = 0x4CF5AD432745937F;

static uint64_t
rotate_left(uint64_t value, int bits)
{
	return value << bits | value >> (64 - bits);
}

/* The hash's contribution of the first half of a block, and of the second. */
static uint64_t
mix_first(uint64_t k)
{
	return rotate_left(k * c1, 31) * c2;
}

static uint64_t
mix_second(uint64_t k)
{
	return rotate_left(k * c2, 33) * c1;
}

static uint64_t
finalize(uint64_t k)
{
	k ^= k >> 33;
	k *= 0xFF51AFD7ED558CCD;
	k ^= k >> 33;
	k *= 0xC4CEB9FE1A85EC53;
	return k ^ k >> 33;
}

/* Eight bytes, the least significant first. */
static uint64_t
little_endian(const uint8_t *bytes)
{
	uint64_t	value = 0;

	for (int i = 7; i >= 0; i--)
		value = value << 8 | bytes[i];
	return value;
}

/* Up to eight bytes of the tail, sign-extended before they are combined. */
static uint64_t
tail(const uint8_t *bytes, size_t length)
{
	uint64_t	value = 0;

	for (size_t i = 0; i < length; i++)
	{
		uint64_t	extended = bytes[i] < 0x80 ? bytes[i] : bytes[i] | ~(uint64_t) 0xFF;

		value ^= extended << (8 * i);
	}
	return value;
}

/* The number whose two's complement these bits are. */
static int64_t
to_signed(uint64_t bits)
{
	return bits <= INT64_MAX ? (int64_t) bits : -1 - (int64_t) ~bits;
}

int64_t
cql_token(const void *key, size_t length)
{
	const uint8_t *at = key;
	size_t		left = length;
	uint64_t	h1 = 0;
	uint64_t	h2 = 0;
	int64_t		token;

	for (; left >= BLOCK_SIZE; at += BLOCK_SIZE, left -= BLOCK_SIZE)
	{
		h1 = rotate_left(h1 ^ mix_first(little_endian(at)), 27) + h2;
		h1 = h1 * 5 + 0x52DCE729;
		h2 = rotate_left(h2 ^ mix_second(little_endian(at + 8)), 31) + h1;
		h2 = h2 * 5 + 0x38495AB5;
	}
	if (left > 8)
		h2 ^= mix_second(tail(at + 8, left - 8));
	if (left > 0)
		h1 ^= mix_first(tail(at, left < 8 ? left : 8));

	h1 ^= length;
	h2 ^= length;
	h1 += h2;
	h2 += h1;
	token = to_signed(finalize(h1) + finalize(h2));

	/* the least token means "before all" to the server, and is no key's */
	return token == INT64_MIN ? INT64_MAX : token;
}

/* One component; only of several does each have its length and an end. */
static CqlStatus
write_component(CqlWriter *writer, CqlBytes component, bool of_several)
{
	if (component.length < 0)
		return cql_fail(writer->error, CQL_INVALID,
						"a column of the partition key has no value");
	if (component.length > UINT16_MAX)
		return cql_fail(writer->error, CQL_INVALID,
						"a value of %d bytes is too long for a partition key",
						(int) component.length);
	if (!of_several)
		return cql_write_raw(writer, component.data, (size_t) component.length);
	CQL_TRY(cql_write_short_bytes(writer, component));
	return cql_write_u8(writer, 0);
}

CqlStatus
cql_partition_key(CqlWriter *writer, uint32_t ncomponents,
				  const CqlBytes *components)
{
	if (ncomponents == 0)
		return cql_fail(writer->error, CQL_INVALID, "partition key has no columns");
	for (uint32_t i = 0; i < ncomponents; i++)
		CQL_TRY(write_component(writer, components[i], ncomponents > 1));
	return CQL_OK;
}

/*
 * The token's place among all tokens, as a fraction of 2^64 from which the
 * ignored bits are gone, times the number of shards.
 */
uint32_t
cql_shard_of_token(int64_t token, uint32_t nr_shards, uint32_t ignore_msb)
{
	uint64_t	place = (uint64_t) token ^ (uint64_t) 1 << 63;
	uint64_t	low;

	place = ignore_msb < 64 ? place << ignore_msb : 0;

	/* bits 64 and above of the product, in two halves */
	low = (place & UINT32_MAX) * nr_shards >> 32;
	return (uint32_t) (((place >> 32) * nr_shards + low) >> 32);
}

/* Appends a digit to *magnitude; false if that becomes more than `max`. */
static bool
append_digit(uint64_t *magnitude, char digit, uint64_t max)
{
	if (digit < '0' || digit > '9')
		return false;
	if (*magnitude > (max - (uint64_t) (digit - '0')) / 10)
		return false;
	*magnitude = *magnitude * 10 + (uint64_t) (digit - '0');
	return true;
}

CqlStatus
cql_token_parse(CqlString text, int64_t *token, CqlError *error)
{
	bool		negative = text.length > 0 && text.data[0] == '-';
	uint64_t	max = negative ? (uint64_t) 1 << 63 : INT64_MAX;
	uint64_t	magnitude = 0;
	uint32_t	at = negative;
	bool		valid = at < text.length;

	while (valid && at < text.length)
		valid = append_digit(&magnitude, text.data[at++], max);
	if (!valid)
		return cql_fail(error, CQL_UNSUPPORTED,
						"token \"%.*s\" is none of Murmur3Partitioner",
						(int) (text.length < CQL_ERROR_MESSAGE_SIZE ?
							   text.length : CQL_ERROR_MESSAGE_SIZE),
						text.data);
	*token = to_signed(negative ? 0 - magnitude : magnitude);
	return CQL_OK;
}
