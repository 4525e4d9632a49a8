/*-------------------------------------------------------------------------
 *
 * number.c
 *	  Varint and decimal: between their bytes and decimal text (native protocol
 *	  v4, sections 6.6 and 6.23).
 *
 * A varint has any number of bytes of two's complement, the highest first.  The
 * magnitude of a negative number -n is had from its bytes inverted, which are
 * n - 1: so both signs go the same way, plus or minus one.
 *
 * Numbers are converted by schoolbook arithmetic between base 2^32 and base
 * 10^9, one limb after the other.  That takes time in the square of the digits:
 * a tenth of a second for a hundred thousand, so the digits are limited, and
 * what cannot be within the limit is refused before the work is done.  Numbers
 * of ordinary size need no memory from the allocator.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DECIMAL_BASE UINT32_C(1000000000)
#define DECIMAL_DIGITS 9
#define BINARY_BASE (UINT64_C(1) << 32)

/* Limbs that need no memory: some 300 digits. */
#define SMALL_LIMBS 34

/* A decimal is written with an exponent if it needs more zeroes than these. */
#define MAX_LEADING_ZEROES 40

/* "e" and a number of ten digits with its sign, and a terminator */
#define EXPONENT_SIZE 16

/* The most of a number's text that is told in an error. */
#define TOLD_LENGTH 40

/* A natural number; the lowest limb comes first, and the highest is not 0. */
typedef struct Natural
{
	uint32_t   *limbs;
	size_t		count;
	const CqlAllocator *allocator;
	uint32_t	small[SMALL_LIMBS];
} Natural;

/* ------
 * Arithmetic
 * ------
 */

/* Zero, with room for `limbs`. */
static CqlStatus
natural_init(Natural *number, size_t limbs, const CqlAllocator *allocator,
			 CqlError *error)
{
	number->count = 0;
	number->allocator = allocator;
	number->limbs = number->small;
	if (limbs <= SMALL_LIMBS)
		return CQL_OK;
	number->limbs = allocator->alloc(allocator->context,
									 limbs * sizeof(*number->limbs));
	if (number->limbs == NULL)
		return cql_fail(error, CQL_NO_MEMORY, "out of memory");
	return CQL_OK;
}

/* Frees what natural_init has taken. */
static void
natural_free(Natural *number)
{
	if (number->limbs != number->small)
		number->allocator->release(number->allocator->context, number->limbs);
}

/* number * factor + addend, in base 10^9; the factor is 2^32 at most. */
static void
decimal_multiply_add(Natural *number, uint64_t factor, uint32_t addend)
{
	uint64_t	carry = addend;

	for (size_t i = 0; i < number->count; i++)
	{
		uint64_t	product = number->limbs[i] * factor + carry;

		number->limbs[i] = (uint32_t) (product % DECIMAL_BASE);
		carry = product / DECIMAL_BASE;
	}
	for (; carry > 0; carry /= DECIMAL_BASE)
		number->limbs[number->count++] = (uint32_t) (carry % DECIMAL_BASE);
}

/* number * factor + addend, in base 2^32 */
static void
binary_multiply_add(Natural *number, uint32_t factor, uint32_t addend)
{
	uint64_t	carry = addend;

	for (size_t i = 0; i < number->count; i++)
	{
		carry += (uint64_t) number->limbs[i] * factor;
		number->limbs[i] = (uint32_t) carry;
		carry >>= 32;
	}
	if (carry > 0)
		number->limbs[number->count++] = (uint32_t) carry;
}

/* number - 1, in base 2^32; the number is not 0.  The highest limb may be. */
static void
binary_decrement(Natural *number)
{
	size_t		i = 0;

	while (number->limbs[i]-- == 0)
		i++;
}

/* ------
 * From bytes to text
 * ------
 */

/* Leaves out bytes that only repeat the sign: all but one at least. */
static CqlBytes
without_sign_bytes(CqlBytes bytes)
{
	while (bytes.length > 1 &&
		   ((bytes.data[0] == 0x00 && bytes.data[1] < 0x80) ||
			(bytes.data[0] == 0xFF && bytes.data[1] >= 0x80)))
	{
		bytes.data++;
		bytes.length--;
	}
	return bytes;
}

/* The magnitude of a number, in base 10^9. */
static void
read_magnitude(CqlBytes bytes, bool negative, Natural *number)
{
	uint8_t		inversion = negative ? 0xFF : 0x00;
	int32_t		i = 0;

	while (i < bytes.length)
	{
		uint32_t	word = 0;

		/* the first word has the bytes that make the others whole */
		do
		{
			word = word << 8 | (bytes.data[i++] ^ inversion);
		} while ((bytes.length - i) % 4 != 0);
		decimal_multiply_add(number, BINARY_BASE, word);
	}
	if (negative)
		decimal_multiply_add(number, 1, 1);
}

/* The number of its digits; 0 has one. */
static size_t
count_digits(const Natural *number)
{
	size_t		digits = 1;

	if (number->count == 0)
		return digits;
	for (uint32_t top = number->limbs[number->count - 1]; top >= 10; top /= 10)
		digits++;
	return digits + (number->count - 1) * DECIMAL_DIGITS;
}

/* The digits, as many as count_digits says. */
static void
print_digits(const Natural *number, uint8_t *digits, size_t count)
{
	uint32_t	limb = 0;

	for (size_t i = 0; i < count; i++)
	{
		if (i % DECIMAL_DIGITS == 0 && number->count > 0)
			limb = number->limbs[i / DECIMAL_DIGITS];
		digits[count - 1 - i] = (uint8_t) ('0' + limb % 10);
		limb /= 10;
	}
}

/* CQL_TOO_LARGE */
static CqlStatus
too_many_digits(uint32_t max_digits, CqlError *error)
{
	return cql_fail(error, CQL_TOO_LARGE, "number has more than %u digits",
					(unsigned) max_digits);
}

/* A number of a server's, as digits in base 10^9, and its sign. */
typedef struct Decoded
{
	Natural		magnitude;
	bool		negative;
	size_t		digits;
} Decoded;

/* To be freed by natural_free if that is CQL_OK. */
static CqlStatus
decode(CqlBytes bytes, uint32_t max_digits, const CqlAllocator *allocator,
	   Decoded *number, CqlError *error)
{
	size_t		limbs;

	if (bytes.length <= 0)
		return cql_fail(error, CQL_MALFORMED, "value of type varint has no bytes");
	bytes = without_sign_bytes(bytes);
	/* there are 2.4 digits to a byte, but for the first and its sign */
	if ((uint64_t) bytes.length > (uint64_t) max_digits * 10 / 24 + 2)
		return too_many_digits(max_digits, error);
	/* 29 bits to a limb at least */
	limbs = (size_t) bytes.length * 8 / 29 + 2;
	CQL_TRY(natural_init(&number->magnitude, limbs, allocator, error));
	number->negative = bytes.data[0] >= 0x80;
	read_magnitude(bytes, number->negative, &number->magnitude);
	number->digits = count_digits(&number->magnitude);
	if (number->digits <= max_digits)
		return CQL_OK;
	natural_free(&number->magnitude);
	return too_many_digits(max_digits, error);
}

/* Appends the sign and digits, the last `scale` of which are behind a point. */
static CqlStatus
print_fixed(const Decoded *number, size_t scale, CqlWriter *text)
{
	size_t		zeroes = scale >= number->digits ? scale - number->digits + 1 : 0;
	size_t		digits = zeroes + number->digits;
	size_t		length = digits + (number->negative ? 1 : 0) + (scale > 0 ? 1 : 0);
	uint8_t    *room;

	CQL_TRY(cql_writer_reserve(text, length, &room));
	if (number->negative)
		*room++ = '-';
	memset(room, '0', zeroes);
	print_digits(&number->magnitude, room + zeroes, number->digits);
	if (scale > 0)
	{
		memmove(room + digits - scale + 1, room + digits - scale, scale);
		room[digits - scale] = '.';
	}
	cql_writer_advance(text, length);
	return CQL_OK;
}

CqlStatus
cql_decode_varint(CqlBytes bytes, uint32_t max_digits, CqlWriter *text,
				  CqlError *error)
{
	Decoded		number;
	CqlStatus	status;

	CQL_TRY(decode(bytes, max_digits, text->allocator, &number, error));
	status = print_fixed(&number, 0, text);
	natural_free(&number.magnitude);
	return status;
}

/* Appends a number with its scale, as a point or as an exponent. */
static CqlStatus
print_scaled(const Decoded *number, int32_t scale, CqlWriter *text)
{
	char		exponent[EXPONENT_SIZE];
	int			length;

	if (scale >= 0 && (size_t) scale <= number->digits + MAX_LEADING_ZEROES)
		return print_fixed(number, (size_t) scale, text);
	CQL_TRY(print_fixed(number, 0, text));
	length = snprintf(exponent, sizeof(exponent), "e%" PRId64, -(int64_t) scale);
	return cql_write_raw(text, exponent, (size_t) length);
}

CqlStatus
cql_decode_decimal(CqlBytes bytes, uint32_t max_digits, CqlWriter *text,
				   CqlError *error)
{
	CqlReader	reader;
	CqlBytes	unscaled;
	int32_t		scale;
	Decoded		number;
	CqlStatus	status;

	if (bytes.length < 5)
		return cql_fail(error, CQL_MALFORMED,
						"value of type decimal has %d bytes, not 5 or more",
						(int) bytes.length);
	cql_reader_init(&reader, bytes.data, (size_t) bytes.length,
					&cql_default_limits, error);
	CQL_TRY(cql_read_i32(&reader, &scale));
	unscaled.data = reader.at;
	unscaled.length = (int32_t) cql_reader_left(&reader);
	CQL_TRY(decode(unscaled, max_digits, text->allocator, &number, error));
	status = print_scaled(&number, scale, text);
	natural_free(&number.magnitude);
	return status;
}

/* ------
 * From text to bytes
 * ------
 */

/* A number as text, taken apart. */
typedef struct Parsed
{
	CqlString text;				/* all of it */
	bool		negative;
	const char *first;			/* its digits, perhaps with a point among */
	const char *end;			/* them; the first is not 0 */
	size_t		digits;			/* how many there are between those */
	int64_t		scale;
} Parsed;

/* CQL_INVALID, telling how the text begins. */
static CqlStatus
not_a_number(const Parsed *number, const char *type, CqlError *error)
{
	uint32_t	length = number->text.length;

	return cql_fail(error, CQL_INVALID, "not a number of type %s: \"%.*s\"", type,
					(int) (length < TOLD_LENGTH ? length : TOLD_LENGTH),
					length == 0 ? "" : number->text.data);
}

/* Of ASCII. */
static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Passes over digits; gives how many. */
static size_t
skip_digits(const char **at, const char *end)
{
	const char *start = *at;

	while (*at < end && is_digit(**at))
		(*at)++;
	return (size_t) (*at - start);
}

/* Passes over a minus sign; was there one? */
static bool
skip_sign(const char **at, const char *end)
{
	if (*at == end || **at != '-')
		return false;
	(*at)++;
	return true;
}

/* Passes over zeroes and a point at the beginning of a number's digits. */
static void
skip_leading_zeroes(Parsed *number)
{
	while (number->first < number->end &&
		   (*number->first == '0' || *number->first == '.'))
	{
		number->digits -= *number->first == '0';
		number->first++;
	}
}

/*
 * An exponent, behind the "e": its sign and digits.  A number too large for an
 * [int] stays too large when a scale is added.
 */
static bool
parse_exponent(const char *at, const char *end, int64_t *exponent)
{
	bool		negative = skip_sign(&at, end);
	int64_t		value = 0;

	if (!negative && at < end && *at == '+')
		at++;
	if (at == end)
		return false;
	for (; at < end && is_digit(*at); at++)
		if (value < INT64_MAX / 100)
			value = value * 10 + (*at - '0');
	*exponent = negative ? -value : value;
	return at == end;
}

/* The sign; what is behind it is between first and end. */
static void
parse_sign(Parsed *number, CqlString text)
{
	number->text = text;
	number->first = text.data;
	number->end = text.length == 0 ? text.data : text.data + text.length;

	number->negative = skip_sign(&number->first, number->end);
	number->scale = 0;
}

/* Digits, a point, digits, and an exponent.  False if it is no number. */
static bool
parse_decimal(Parsed *number, CqlString text)
{
	int64_t		exponent = 0;
	size_t		fraction = 0;
	const char *at,
			   *end;

	parse_sign(number, text);
	at = number->first;
	end = number->end;
	number->digits = skip_digits(&at, end);
	if (at < end && *at == '.')
	{
		at++;
		fraction = skip_digits(&at, end);
	}
	number->digits += fraction;
	number->end = at;
	if (number->digits == 0)
		return false;
	if (at < end && (*at != 'e' && *at != 'E'))
		return false;
	if (at < end && !parse_exponent(at + 1, end, &exponent))
		return false;
	number->scale = (int64_t) fraction - exponent;
	skip_leading_zeroes(number);
	return true;
}

/* Digits only.  False if it is no number. */
static bool
parse_varint(Parsed *number, CqlString text)
{
	const char *at;

	parse_sign(number, text);
	at = number->first;
	number->digits = skip_digits(&at, number->end);
	if (number->digits == 0 || at < number->end)
		return false;
	skip_leading_zeroes(number);
	return true;
}

/* The number's digits, in base 2^32. */
static void
read_digits(const Parsed *number, Natural *magnitude)
{
	uint32_t	limb = 0,
				base = 1;

	for (const char *at = number->first; at < number->end; at++)
	{
		if (*at == '.')
			continue;
		limb = limb * 10 + (uint32_t) (*at - '0');
		base *= 10;
		if (base == DECIMAL_BASE)
		{
			binary_multiply_add(magnitude, base, limb);
			limb = 0;
			base = 1;
		}
	}
	binary_multiply_add(magnitude, base, limb);
}

/* Byte number `i` of a number in base 2^32, the lowest being 0. */
static uint8_t
natural_byte(const Natural *number, size_t i)
{
	uint32_t	limb = i / 4 < number->count ? number->limbs[i / 4] : 0;

	return (uint8_t) (limb >> (i % 4 * 8));
}

/* Two's complement in as few bytes as it can be, the highest first. */
static CqlStatus
write_natural(CqlWriter *writer, const Natural *number, bool inverted)
{
	size_t		length = number->count * 4;
	uint8_t		inversion = inverted ? 0xFF : 0x00;
	uint8_t    *room;

	while (length > 0 && natural_byte(number, length - 1) == 0)
		length--;
	/* a bit for the sign */
	if (length == 0 || natural_byte(number, length - 1) >= 0x80)
		length++;
	CQL_TRY(cql_writer_reserve(writer, length, &room));
	for (size_t i = 0; i < length; i++)
		room[length - 1 - i] = natural_byte(number, i) ^ inversion;
	cql_writer_advance(writer, length);
	return CQL_OK;
}

/* Appends the digits as a varint. */
static CqlStatus
encode(CqlWriter *writer, const Parsed *number, uint32_t max_digits)
{
	Natural		magnitude;
	bool		negative;
	CqlStatus	status;

	if (number->digits > max_digits)
		return too_many_digits(max_digits, writer->error);
	/* 9 digits to 30 bits at most */
	CQL_TRY(natural_init(&magnitude, number->digits / DECIMAL_DIGITS + 2,
						 writer->allocator, writer->error));
	read_digits(number, &magnitude);
	negative = number->negative && magnitude.count > 0;
	if (negative)
		binary_decrement(&magnitude);
	status = write_natural(writer, &magnitude, negative);
	natural_free(&magnitude);
	return status;
}

CqlStatus
cql_encode_varint(CqlWriter *writer, CqlString text, uint32_t max_digits)
{
	Parsed		number;

	if (!parse_varint(&number, text))
		return not_a_number(&number, "varint", writer->error);
	return encode(writer, &number, max_digits);
}

CqlStatus
cql_encode_decimal(CqlWriter *writer, CqlString text, uint32_t max_digits)
{
	Parsed		number;

	if (!parse_decimal(&number, text) ||
		number.scale < INT32_MIN || number.scale > INT32_MAX)
		return not_a_number(&number, "decimal", writer->error);
	CQL_TRY(cql_write_i32(writer, (int32_t) number.scale));
	return encode(writer, &number, max_digits);
}
