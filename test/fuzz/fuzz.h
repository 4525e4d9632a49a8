/*-------------------------------------------------------------------------
 *
 * fuzz.h
 *	  What the fuzz targets of the wire client share: memory that is counted,
 *	  may run out, and has a limit; and claims that end the run when wrong.
 *
 * Memory is limited in proportion to the input, for a peer must not make the
 * client take much by sending little.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "cql/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the run, and so keeps the input, if the claim does not hold. */
#define CLAIM(condition) \
	do { \
		if (!(condition)) \
		{ \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/* Small, so that the fuzzer meets them. */
extern const CqlLimits fuzz_limits;

typedef struct FuzzMemory
{
	size_t		live;
	size_t		limit;
	long		left;			/* requests that succeed; negative: all */
} FuzzMemory;

/* An allocator for an input of so many bytes, which never fails as yet. */
extern CqlAllocator fuzz_allocator(FuzzMemory *memory, size_t input);
extern void *fuzz_alloc(void *memory, size_t size);

/* Reads every byte, so that the sanitizer sees those that are not there. */
extern void fuzz_touch(const void *data, size_t length);
extern void fuzz_touch_string(CqlString string);
extern void fuzz_touch_bytes(CqlBytes bytes);

/* A failure says what it is, a success says nothing. */
extern void fuzz_check_error(CqlStatus status, const CqlError *error);

#endif							/* FUZZ_H */
