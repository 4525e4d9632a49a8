/*-------------------------------------------------------------------------
 *
 * tap.h
 *	  Unit tests of the wire client: TAP output, and an allocator that counts
 *	  and can fail.
 *
 * A test program calls ok() and its kin, and returns done_testing().
 *
 *-------------------------------------------------------------------------
 */
#ifndef TAP_H
#define TAP_H

#include "cql/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int	tap_count;
static int	tap_failed;

__attribute__((format(printf, 2, 3), unused))
static bool
ok(bool passed, const char *format,...)
{
	va_list		arguments;

	tap_count++;
	tap_failed += !passed;
	printf("%sok %d - ", passed ? "" : "not ", tap_count);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	return passed;
}

__attribute__((unused))
static bool
is_int(long long got, long long expected, const char *name)
{
	bool		passed = ok(got == expected, "%s", name);

	if (!passed)
		printf("# got %lld, expected %lld\n", got, expected);
	return passed;
}

__attribute__((unused))
static bool
is_text(const char *got, const char *expected, const char *name)
{
	bool		passed = ok(strcmp(got, expected) == 0, "%s", name);

	if (!passed)
		printf("# got      %s\n# expected %s\n", got, expected);
	return passed;
}

/* `expected` is text of hexadecimal digits; blanks in it are left out. */
__attribute__((unused))
static bool
is_hex(const void *got, size_t length, const char *expected, const char *name)
{
	char	   *digits = malloc(2 * length + 1);
	char	   *wanted = malloc(strlen(expected) + 1);
	size_t		n = 0;
	bool		passed;

	for (size_t i = 0; i < length; i++)
		sprintf(digits + 2 * i, "%02x", ((const unsigned char *) got)[i]);
	digits[2 * length] = '\0';
	for (; *expected != '\0'; expected++)
		if (*expected != ' ' && *expected != '\n')
			wanted[n++] = *expected;
	wanted[n] = '\0';
	passed = is_text(digits, wanted, name);
	free(digits);
	free(wanted);
	return passed;
}

/* Bytes of hexadecimal digits, blanks left out; *length of them; to be freed. */
__attribute__((unused))
static uint8_t *
from_hex(const char *digits, size_t *length)
{
	uint8_t    *bytes = malloc(strlen(digits) / 2 + 1);
	size_t		n = 0;

	while (*digits != '\0')
	{
		unsigned	byte;

		if (*digits == ' ' || *digits == '\n')
		{
			digits++;
			continue;
		}
		if (sscanf(digits, "%2x", &byte) != 1)
			abort();
		bytes[n++] = (uint8_t) byte;
		digits += 2;
	}
	*length = n;
	return bytes;
}

__attribute__((unused))
static CqlString
str(const char *text)
{
	return (CqlString) {text, (uint32_t) strlen(text)};
}

__attribute__((unused))
static int
done_testing(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed != 0;
}

/*
 * The allocator: the `fail_at`-th request (from 1) gets NULL, and all that
 * follow; 0: none.  `live` is what was not released.
 */
typedef struct TestMemory
{
	long		requests;
	long		fail_at;
	long		live;
} TestMemory;

__attribute__((unused))
static bool
test_memory_fails(TestMemory *memory)
{
	memory->requests++;
	return memory->fail_at != 0 && memory->requests >= memory->fail_at;
}

__attribute__((unused))
static void *
test_alloc(void *context, size_t size)
{
	TestMemory *memory = context;

	if (test_memory_fails(memory))
		return NULL;
	memory->live++;
	return malloc(size);
}

__attribute__((unused))
static void *
test_resize(void *context, void *old, size_t size)
{
	return test_memory_fails(context) ? NULL : realloc(old, size);
}

__attribute__((unused))
static void
test_release(void *context, void *pointer)
{
	((TestMemory *) context)->live--;
	free(pointer);
}

#define TEST_ALLOCATOR(memory) \
	{test_alloc, test_resize, test_release, (memory)}

#endif							/* TAP_H */
