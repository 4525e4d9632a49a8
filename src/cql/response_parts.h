/*-------------------------------------------------------------------------
 *
 * response_parts.h
 *	  What the readers of responses share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CQL_RESPONSE_PARTS_H
#define CQL_RESPONSE_PARTS_H

#include "cql/buffer.h"
#include "cql/response.h"

/* A reader of a body, and the arena for what does not lie in the body. */
typedef struct CqlBody
{
	CqlReader	reader;
	CqlArena   *arena;
} CqlBody;

/* A zeroed array of the arena; `array` is a pointer to a pointer. */
extern CqlStatus cql_body_alloc(CqlBody *body, uint32_t count, size_t size,
								void *array) CQL_MUST_USE;

/*
 * CQL_MALFORMED if there are not `count` things of `size` bytes at least left:
 * asked before memory is taken for them.
 */
extern CqlStatus cql_body_check_left(CqlBody *body, uint64_t count, size_t size,
									 const char *things) CQL_MUST_USE;

/* [string list] */
extern CqlStatus cql_body_read_strings(CqlBody *body, CqlStringList *list) CQL_MUST_USE;

/* ERROR (response_error.c), RESULT (response_result.c) */
extern CqlStatus cql_body_read_error(CqlBody *body, int32_t rate_limit_code,
									 CqlServerError *error) CQL_MUST_USE;
extern CqlStatus cql_body_read_result(CqlBody *body, CqlResponse *response) CQL_MUST_USE;

/* What a RESULT and an EVENT have in common */
extern CqlStatus cql_body_read_schema_change(CqlBody *body,
											 CqlSchemaChange *change) CQL_MUST_USE;

#endif							/* CQL_RESPONSE_PARTS_H */
