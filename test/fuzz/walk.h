/*-------------------------------------------------------------------------
 *
 * walk.h
 *	  Reads all that a decoded type, value or response has.
 *
 *-------------------------------------------------------------------------
 */
#ifndef WALK_H
#define WALK_H

#include "fuzz.h"

#include "cql/response.h"
#include "cql/value.h"

typedef struct Walk
{
	CqlAllocator *allocator;
	const CqlLimits *limits;
	CqlWriter	text;			/* scratch */
	CqlWriter	bytes;
} Walk;

extern void walk_begin(Walk *walk, CqlAllocator *allocator, const CqlLimits *limits);
extern void walk_end(Walk *walk);

/* `depth`: of the type in the one that was asked for. */
extern void walk_type_tree(const CqlType *type, uint32_t depth);
extern void walk_type(Walk *walk, const CqlType *type);
/* Any value that is not null. */
extern void walk_value(Walk *walk, const CqlType *type, CqlBytes bytes);
/* `metadata` is that of the statement, or NULL. */
extern void walk_response(Walk *walk, const CqlResponse *response,
						  const CqlMetadata *metadata);

#endif							/* WALK_H */
