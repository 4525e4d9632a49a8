/*-------------------------------------------------------------------------
 *
 * base.c
 *	  Errors, limits and arenas of the wire client.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/base.h"

#include <stdio.h>
#include <string.h>

const CqlLimits cql_default_limits = {
	.frame_size = 256 * 1024 * 1024,
	.columns = 32768,
	.rows = 16 * 1024 * 1024,
	.elements = 16 * 1024 * 1024,
	.nesting = 32
};

/* First piece of a chunk; larger pieces have a chunk of their own. */
#define ARENA_CHUNK_SIZE 4096

typedef struct CqlArenaChunk
{
	struct CqlArenaChunk *next;
	size_t		used;
	size_t		size;			/* of what follows this header */
} CqlArenaChunk;

#define ARENA_ALIGNMENT 16
#define ARENA_ALIGN(size) \
	(((size) + ARENA_ALIGNMENT - 1) & ~(size_t) (ARENA_ALIGNMENT - 1))
#define ARENA_HEADER ARENA_ALIGN(sizeof(CqlArenaChunk))

/* The length of a text of `length` bytes without a character that was cut. */
static size_t
whole_characters(const char *text, size_t length)
{
	size_t		start = length;

	while (start > 0 && ((unsigned char) text[start - 1] & 0xC0) == 0x80)
		start--;
	return start > 0 && ((unsigned char) text[start - 1] & 0x80) ? start - 1 : length;
}

void
cql_error_set(CqlError *error, CqlStatus status, const char *format,...)
{
	va_list		arguments;
	int			length;

	if (error == NULL || error->status != CQL_OK)
		return;

	error->status = status;
	va_start(arguments, format);
	length = vsnprintf(error->message, sizeof(error->message), format, arguments);
	va_end(arguments);
	if (length >= (int) sizeof(error->message))
		error->message[whole_characters(error->message,
										sizeof(error->message) - 1)] = '\0';
}

void
cql_arena_init(CqlArena *arena, const CqlAllocator *allocator)
{
	arena->allocator = allocator;
	arena->chunks = NULL;
}

/*
 * A new chunk for a piece of `size` bytes (aligned).  A chunk of its own goes
 * behind the first, which has room left.
 */
static CqlArenaChunk *
add_chunk(CqlArena *arena, size_t size)
{
	bool		own = size > ARENA_CHUNK_SIZE / 4;
	size_t		room = own ? size : ARENA_CHUNK_SIZE - ARENA_HEADER;
	CqlArenaChunk *chunk;

	chunk = arena->allocator->alloc(arena->allocator->context, ARENA_HEADER + room);
	if (chunk == NULL)
		return NULL;
	chunk->used = 0;
	chunk->size = room;
	if (own && arena->chunks != NULL)
	{
		chunk->next = arena->chunks->next;
		arena->chunks->next = chunk;
	}
	else
	{
		chunk->next = arena->chunks;
		arena->chunks = chunk;
	}
	return chunk;
}

void *
cql_arena_alloc(CqlArena *arena, size_t size)
{
	CqlArenaChunk *chunk = arena->chunks;
	void	   *piece;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = ARENA_ALIGN(size == 0 ? 1 : size);
	if (chunk == NULL || chunk->size - chunk->used < size)
		chunk = add_chunk(arena, size);
	if (chunk == NULL)
		return NULL;
	piece = (char *) chunk + ARENA_HEADER + chunk->used;
	chunk->used += size;
	return memset(piece, 0, size);
}

void *
cql_arena_alloc_array(CqlArena *arena, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		return NULL;
	return cql_arena_alloc(arena, count * size);
}

void
cql_arena_free(CqlArena *arena)
{
	CqlArenaChunk *chunk = arena->chunks;

	while (chunk != NULL)
	{
		CqlArenaChunk *next = chunk->next;

		arena->allocator->release(arena->allocator->context, chunk);
		chunk = next;
	}
	arena->chunks = NULL;
}

void
cql_wipe(void *data, size_t length)
{
	volatile uint8_t *bytes = data;

	while (length > 0)
		bytes[--length] = 0;
}

bool
cql_string_equals(CqlString string, const char *text)
{
	return strlen(text) == string.length &&
		memcmp(string.data, text, string.length) == 0;
}

bool
cql_strings_equal(CqlString a, CqlString b)
{
	return a.length == b.length &&
		(a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}
