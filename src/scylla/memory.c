/*-------------------------------------------------------------------------
 *
 * memory.c
 *	  Memory contexts as the wire client's allocators.
 *
 * The wire client reports that memory has run out by its status, after it has
 * put its state in order; an error raised inside of the allocator would jump
 * over that.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "scylla/memory.h"
#include "utils/memutils.h"

#define QUIETLY (MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM)

static void *
allocate(void *context, size_t size)
{
	return MemoryContextAllocExtended(context, size, QUIETLY);
}

static void *
resize(void *context, void *old, size_t size)
{
	return repalloc_extended(old, size, QUIETLY);
}

static void
release(void *context, void *pointer)
{
	pfree(pointer);
}

void
btm_scylla_allocator_init(CqlAllocator *allocator, MemoryContext context)
{
	allocator->alloc = allocate;
	allocator->resize = resize;
	allocator->release = release;
	allocator->context = context;
}

CqlWriter *
btm_scylla_writer(void)
{
	typedef struct
	{
		CqlWriter	writer;
		CqlAllocator allocator;
		CqlError	error;
	} Writer;

	Writer	   *w = palloc0(sizeof(Writer));

	btm_scylla_allocator_init(&w->allocator, CurrentMemoryContext);
	cql_writer_init(&w->writer, &w->allocator, cql_default_limits.frame_size, &w->error);
	return &w->writer;
}
