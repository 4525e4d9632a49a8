/*-------------------------------------------------------------------------
 *
 * fuzz.c
 *	  What the fuzz targets share.
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

const CqlLimits fuzz_limits = {
	.frame_size = 1 << 16,
	.columns = 1000,
	.rows = 10000,
	.elements = 10000,
	.nesting = 8
};

/* Bytes that may be taken for each byte of input, and for none. */
#define FUZZ_MEMORY_FACTOR 256
#define FUZZ_MEMORY_BASE ((size_t) 512 << 10)

/* Each piece has its size before it, sixteen bytes for alignment. */
#define FUZZ_HEADER 16

static bool
fuzz_memory_take(FuzzMemory *memory, size_t size)
{
	if (memory->left == 0)
		return false;
	if (memory->left > 0)
		memory->left--;
	CLAIM(size <= memory->limit && memory->live <= memory->limit - size);
	memory->live += size;
	return true;
}

void *
fuzz_alloc(void *context, size_t size)
{
	char	   *piece;

	if (!fuzz_memory_take(context, size))
		return NULL;
	piece = malloc(FUZZ_HEADER + size);
	CLAIM(piece != NULL);
	memcpy(piece, &size, sizeof(size));
	return piece + FUZZ_HEADER;
}

static void
fuzz_release(void *context, void *pointer)
{
	size_t		size;

	memcpy(&size, (char *) pointer - FUZZ_HEADER, sizeof(size));
	((FuzzMemory *) context)->live -= size;
	free((char *) pointer - FUZZ_HEADER);
}

/* Always moves, so that a pointer into the old piece is found out. */
static void *
fuzz_resize(void *context, void *old, size_t size)
{
	char	   *piece = fuzz_alloc(context, size);
	size_t		old_size;

	if (piece == NULL)
		return NULL;
	memcpy(&old_size, (char *) old - FUZZ_HEADER, sizeof(old_size));
	memcpy(piece, old, old_size < size ? old_size : size);
	fuzz_release(context, old);
	return piece;
}

CqlAllocator
fuzz_allocator(FuzzMemory *memory, size_t input)
{
	memory->live = 0;
	memory->limit = FUZZ_MEMORY_BASE + FUZZ_MEMORY_FACTOR * input;
	memory->left = -1;
	return (CqlAllocator)
	{
		fuzz_alloc, fuzz_resize, fuzz_release, memory
	};
}

void
fuzz_touch(const void *data, size_t length)
{
	const volatile uint8_t *bytes = data;

	for (size_t i = 0; i < length; i++)
		(void) bytes[i];
}

void
fuzz_touch_string(CqlString string)
{
	fuzz_touch(string.data, string.length);
}

void
fuzz_touch_bytes(CqlBytes bytes)
{
	CLAIM(bytes.length >= 0 || bytes.length == CQL_LENGTH_NULL);
	if (bytes.length > 0)
		fuzz_touch(bytes.data, (size_t) bytes.length);
}

void
fuzz_check_error(CqlStatus status, const CqlError *error)
{
	CLAIM(error->status == status);
	CLAIM((error->message[0] != '\0') == (status != CQL_OK));
	CLAIM(memchr(error->message, '\0', sizeof(error->message)) != NULL);
}
