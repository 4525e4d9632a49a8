/*-------------------------------------------------------------------------
 *
 * nanotime.c
 *	  Text of CQL's time and duration, which have nanoseconds.
 *
 * PostgreSQL's time and interval end at microseconds, so a value that goes from
 * a server through text and back would lose digits in them.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "common/int.h"
#include "lib/stringinfo.h"
#include "scylla/codec.h"
#include "scylla/nanotime.h"

#define NANOS_PER_SECOND INT64CONST(1000000000)
#define NANO_DIGITS 9

/* Appends a fraction of a second without trailing zeroes; nothing for none. */
static void
append_fraction(StringInfo text, int64 nanoseconds)
{
	if (nanoseconds == 0)
		return;
	appendStringInfo(text, ".%09d", (int) nanoseconds);
	while (text->data[text->len - 1] == '0')
		text->data[--text->len] = '\0';
}

char *
btm_scylla_time_text(CqlBytes bytes)
{
	StringInfoData text;
	CqlError	error = {0};
	int64		time;
	int			seconds;

	btm_scylla_check(cql_decode_time(bytes, &time, &error), &error);
	seconds = (int) (time / NANOS_PER_SECOND);
	initStringInfo(&text);
	appendStringInfo(&text, "%02d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
	append_fraction(&text, time % NANOS_PER_SECOND);
	return text.data;
}

/* Appends a number and its designator, unless it is zero. */
static void
append_part(StringInfo text, uint64 number, char designator)
{
	if (number != 0)
		appendStringInfo(text, UINT64_FORMAT "%c", number, designator);
}

/* The hours, minutes and seconds of a duration. */
static void
append_clock(StringInfo text, uint64 nanoseconds)
{
	uint64		seconds = nanoseconds / NANOS_PER_SECOND;
	uint64		fraction = nanoseconds % NANOS_PER_SECOND;

	appendStringInfoChar(text, 'T');
	append_part(text, seconds / 3600, 'H');
	append_part(text, seconds / 60 % 60, 'M');
	if (seconds % 60 != 0 || fraction != 0)
	{
		appendStringInfo(text, "%d", (int) (seconds % 60));
		append_fraction(text, fraction);
		appendStringInfoChar(text, 'S');
	}
}

/* Without its sign; the smallest number has no positive of its own type. */
static uint64
magnitude(int64 number)
{
	return number < 0 ? UINT64CONST(0) - (uint64) number : (uint64) number;
}

char *
btm_scylla_duration_text(CqlBytes bytes)
{
	StringInfoData text;
	CqlError	error = {0};
	CqlDuration duration;

	btm_scylla_check(cql_decode_duration(bytes, &duration, &error), &error);
	initStringInfo(&text);
	if (duration.months < 0 || duration.days < 0 || duration.nanoseconds < 0)
		appendStringInfoChar(&text, '-');
	appendStringInfoChar(&text, 'P');
	append_part(&text, magnitude(duration.months) / 12, 'Y');
	append_part(&text, magnitude(duration.months) % 12, 'M');
	append_part(&text, magnitude(duration.days), 'D');
	if (duration.nanoseconds != 0)
		append_clock(&text, magnitude(duration.nanoseconds));
	if (text.data[text.len - 1] == 'P')
		appendStringInfoString(&text, "T0S");
	return text.data;
}

/* -------
 * From text
 * -------
 */

/* Reads at least one digit and at most `most`; *text then points behind them. */
static bool
read_number(const char **text, int most, int64 *number)
{
	int			digits = 0;

	*number = 0;
	for (; **text >= '0' && **text <= '9'; (*text)++)
		if (++digits > most)
			return false;
		else
			*number = *number * 10 + (**text - '0');
	return digits > 0;
}

/* Reads "." and up to nine digits as nanoseconds, or nothing: zero. */
static bool
read_fraction(const char **text, int64 *nanoseconds)
{
	const char *start = *text + 1;

	*nanoseconds = 0;
	if (**text != '.')
		return true;
	*text = start;
	if (!read_number(text, NANO_DIGITS, nanoseconds))
		return false;
	for (int digits = (int) (*text - start); digits < NANO_DIGITS; digits++)
		*nanoseconds *= 10;
	return true;
}

/* Reads two digits and what must follow them, '\0' for nothing that must. */
static bool
read_two(const char **text, int limit, char follows, int64 *number)
{
	const char *start = *text;

	if (!read_number(text, 2, number) || *text - start != 2 || *number >= limit)
		return false;
	if (follows == '\0')
		return true;
	return *(*text)++ == follows;
}

bool
btm_scylla_encode_time_text(const char *text, CqlWriter *writer)
{
	int64		hours,
				minutes,
				seconds,
				nanoseconds;

	if (!read_two(&text, 24, ':', &hours) || !read_two(&text, 60, ':', &minutes) ||
		!read_two(&text, 60, '\0', &seconds) || !read_fraction(&text, &nanoseconds) ||
		*text != '\0')
		return false;
	btm_scylla_check(cql_encode_time(writer, ((hours * 60 + minutes) * 60 + seconds) *
									 NANOS_PER_SECOND + nanoseconds),
					 writer->error);
	return true;
}

/* Adds number * unit, with the duration's sign; false if it does not fit. */
static bool
add_part(int64 *sum, int64 number, int64 unit, bool negative)
{
	int64		part;

	if (pg_mul_s64_overflow(number, negative ? -unit : unit, &part))
		return false;
	return !pg_add_s64_overflow(*sum, part, sum);
}

/* What the parts of a duration add to. */
typedef struct Sums
{
	int64		months;
	int64		days;
	int64		nanoseconds;
} Sums;

/* A part's unit by its designator, before and after the T; NULL for none. */
static int64 *
find_unit(Sums *sums, char designator, bool clock, int64 *unit)
{
	static const struct
	{
		char		designator;
		bool		clock;
		size_t		sum;
		int64		unit;
	}			units[] = {
		{'Y', false, offsetof(Sums, months), 12},
		{'M', false, offsetof(Sums, months), 1},
		{'W', false, offsetof(Sums, days), 7},
		{'D', false, offsetof(Sums, days), 1},
		{'H', true, offsetof(Sums, nanoseconds), 3600 * NANOS_PER_SECOND},
		{'M', true, offsetof(Sums, nanoseconds), 60 * NANOS_PER_SECOND},
		{'S', true, offsetof(Sums, nanoseconds), NANOS_PER_SECOND}
	};

	for (size_t i = 0; i < lengthof(units); i++)
		if (units[i].designator == designator && units[i].clock == clock)
		{
			*unit = units[i].unit;
			return (int64 *) ((char *) sums + units[i].sum);
		}
	return NULL;
}

/* One number with its designator.  Only seconds have a fraction. */
static bool
read_part(const char **text, bool clock, bool negative, Sums *sums)
{
	int64		number,
				fraction,
				unit;
	int64	   *sum;

	if (!read_number(text, 18, &number))
		return false;
	if (!read_fraction(text, &fraction) || (fraction != 0 && **text != 'S'))
		return false;
	sum = find_unit(sums, **text, clock, &unit);
	if (sum == NULL)
		return false;
	(*text)++;
	return add_part(sum, number, unit, negative) && add_part(sum, fraction, 1, negative);
}

/* The parts of a duration, behind its P. */
static bool
read_parts(const char *text, bool negative, Sums *sums)
{
	bool		clock = false;

	memset(sums, 0, sizeof(*sums));
	do
	{
		if (*text == 'T' && !clock)
		{
			clock = true;
			text++;
		}
		if (!read_part(&text, clock, negative, sums))
			return false;
	} while (*text != '\0');
	return true;
}

bool
btm_scylla_encode_duration_text(const char *text, CqlWriter *writer)
{
	bool		negative = *text == '-';
	Sums		sums;
	CqlDuration duration;

	text += negative;
	if (*text != 'P' || !read_parts(text + 1, negative, &sums))
		return false;
	if (sums.months != (int32) sums.months || sums.days != (int32) sums.days)
		return false;
	duration.months = (int32) sums.months;
	duration.days = (int32) sums.days;
	duration.nanoseconds = sums.nanoseconds;
	btm_scylla_check(cql_encode_duration(writer, &duration), writer->error);
	return true;
}
