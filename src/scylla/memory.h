/*-------------------------------------------------------------------------
 *
 * memory.h
 *	  Memory contexts as the wire client's allocators.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SCYLLA_MEMORY_H
#define BTM_SCYLLA_MEMORY_H

#include "cql/buffer.h"

#include "utils/palloc.h"

/* What it allocates goes with `context`.  It never raises an error. */
extern void btm_scylla_allocator_init(CqlAllocator *allocator, MemoryContext context);

/*
 * A writer of a value or message up to 256 MiB in the current memory context.
 * One palloc'd piece, with its allocator and its error; need not be freed.
 */
extern CqlWriter *btm_scylla_writer(void);

#endif							/* BTM_SCYLLA_MEMORY_H */
