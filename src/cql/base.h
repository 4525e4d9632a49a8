/*-------------------------------------------------------------------------
 *
 * base.h
 *	  What all of the wire client stands on: status, errors, limits, memory.
 *
 * The wire client is a plain C library: it includes no header of PostgreSQL,
 * does no I/O, has no global state and takes all memory from the caller's
 * allocator.  So it can be tested and fuzzed alone, and a backend can put its
 * memory into a memory context and free it all at once after an error.
 *
 * Every function that can fail returns a CqlStatus that must be used.  What
 * went wrong is told in a CqlError, which keeps the first error it was given:
 * what fails later is a consequence.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CQL_BASE_H
#define CQL_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum CqlStatus
{
	CQL_OK = 0,
	CQL_NO_MEMORY,				/* the allocator gave NULL */
	CQL_MALFORMED,				/* the peer's bytes are not the protocol's */
	CQL_TOO_LARGE,				/* a limit of CqlLimits or of the protocol */
	CQL_INVALID,				/* an argument of the caller cannot be sent */
	CQL_UNSUPPORTED,			/* valid, but not known to this client */
	CQL_REFUSED,				/* the server has refused the connection */
	CQL_BUSY					/* no stream is free; try again later */
} CqlStatus;

#define CQL_MUST_USE __attribute__((warn_unused_result))

/* Returns from the calling function what `call` returned, if it failed. */
#define CQL_TRY(call) \
	do { \
		CqlStatus	cql_try_status_ = (call); \
		if (cql_try_status_ != CQL_OK) \
			return cql_try_status_; \
	} while (0)

#define CQL_ERROR_MESSAGE_SIZE 256

/* Zero-initialised it is empty. */
typedef struct CqlError
{
	CqlStatus	status;
	char		message[CQL_ERROR_MESSAGE_SIZE];	/* valid UTF-8 where the
													 * peer's text was */
} CqlError;

/*
 * Records an error unless there is one already.  `error` may be NULL.  A
 * message too long is cut between characters.
 */
extern void cql_error_set(CqlError *error, CqlStatus status,
						  const char *format,...)
			__attribute__((format(printf, 3, 4)));

/*
 * The same, and its value is `status`: `return cql_fail(error, CQL_INVALID,
 * ...)`.  A macro, so that the compiler sees that a failure is one.
 */
#define cql_fail(error, status, ...) \
	(cql_error_set((error), (status), __VA_ARGS__), (status))

/*
 * What the client accepts.  The peer is not trusted: each limit is checked
 * before memory is taken for what it limits.
 */
typedef struct CqlLimits
{
	uint32_t	frame_size;		/* bytes of a body, also once decompressed */
	uint32_t	columns;		/* of a result or of a statement's markers */
	uint32_t	rows;			/* of a page */
	uint32_t	elements;		/* of a collection, string list or map */
	uint32_t	nesting;		/* of types */
} CqlLimits;

/* 256 MiB, 32,768 columns, 16 M rows, 16 M elements, 32 levels. */
extern const CqlLimits cql_default_limits;

typedef struct CqlAllocator
{
	/* Each returns NULL when there is no memory; `old` stays valid then. */
	void	   *(*alloc) (void *context, size_t size);
	void	   *(*resize) (void *context, void *old, size_t size);
	void		(*release) (void *context, void *pointer);	/* not NULL */
	void	   *context;
} CqlAllocator;

/*
 * Memory that is freed together: the parts of one response, say.  Small pieces
 * are cut from chunks; pieces are aligned for any type.  Zero-initialise, then
 * set the allocator.
 */
typedef struct CqlArena
{
	const CqlAllocator *allocator;
	struct CqlArenaChunk *chunks;
} CqlArena;

extern void cql_arena_init(CqlArena *arena, const CqlAllocator *allocator);
/* NULL when there is no memory.  The memory is zeroed. */
extern void *cql_arena_alloc(CqlArena *arena, size_t size);
/* count * size bytes; NULL also when the product overflows. */
extern void *cql_arena_alloc_array(CqlArena *arena, size_t count, size_t size);
extern void cql_arena_free(CqlArena *arena);

/*
 * Bytes of a value as CQL has them: absent in two ways.  Data is not owned and
 * has no terminator.  An empty value (length 0) is not a null one.
 */
#define CQL_LENGTH_NULL (-1)
#define CQL_LENGTH_UNSET (-2)	/* in requests only: leave the column alone */

typedef struct CqlBytes
{
	const uint8_t *data;
	int32_t		length;
} CqlBytes;

/* Text from or for the wire: UTF-8 if the peer keeps to it, no terminator. */
typedef struct CqlString
{
	const char *data;
	uint32_t	length;
} CqlString;

/* Zeroes memory that had a secret; no compiler leaves it out. */
extern void cql_wipe(void *data, size_t length);

extern bool cql_string_equals(CqlString string, const char *text);
extern bool cql_strings_equal(CqlString a, CqlString b);

#endif							/* CQL_BASE_H */
