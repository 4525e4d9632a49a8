/*-------------------------------------------------------------------------
 *
 * type_build.h
 *	  Making types: what the three ways they are written have in common.
 *
 * Readers of types are recursive: each checks the level it is at before it goes
 * a level down, and each type is made by cql_type_make, which checks the bounds
 * of the whole.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CQL_TYPE_BUILD_H
#define CQL_TYPE_BUILD_H

#include "cql/type.h"

/* Where types go, and what they may be; all three are the caller's. */
typedef struct CqlTypeBuilder
{
	CqlArena   *arena;
	const CqlLimits *limits;
	CqlError   *error;			/* may be NULL */
	uint64_t	made;			/* types and places for types, so far */
} CqlTypeBuilder;

/* Elements that are found one by one, before their number is known. */
typedef struct CqlTypeItem
{
	const CqlType *type;
	CqlString	name;			/* of a field */
	struct CqlTypeItem *next;
} CqlTypeItem;

typedef struct CqlTypeItems
{
	uint32_t	count;
	CqlTypeItem *first;
	CqlTypeItem *last;
} CqlTypeItems;

/* Types without elements; NULL if there is none.  The name is in any case. */
extern const CqlType *cql_type_by_id(uint32_t id);
extern const CqlType *cql_type_by_name(CqlString name);

/* Without the package */
extern const CqlType *cql_type_by_class(CqlString name);

/* "bigint"; the type must be one of those */
extern const char *cql_type_scalar_name(const CqlType *type);

/* CQL_TOO_LARGE: a type, or those of a result together, of so many nodes? */
extern CqlStatus cql_type_check_nodes(const CqlLimits *limits, uint64_t nodes,
									  CqlError *error) CQL_MUST_USE;

/*
 * Asked before memory is taken for `more` types, or places for types: the tree
 * is counted when it is complete, and that may be too late.
 */
extern CqlStatus cql_type_count(CqlTypeBuilder *builder, uint32_t more) CQL_MUST_USE;

/* CQL_TOO_LARGE if there may be nothing at this level (the outermost is 1). */
extern CqlStatus cql_type_check_level(CqlTypeBuilder *builder,
									  uint32_t level) CQL_MUST_USE;

/* A zeroed array or struct of the arena; `memory` is a pointer to a pointer. */
extern CqlStatus cql_type_alloc(CqlTypeBuilder *builder, uint32_t count,
								size_t size, void *memory) CQL_MUST_USE;

/* A type with these elements, the array being kept. */
extern CqlStatus cql_type_make(CqlTypeBuilder *builder, CqlTypeId id,
							   uint32_t count, const CqlType *const *elements,
							   CqlType **type) CQL_MUST_USE;

/* CQL_MALFORMED for a dimension of 0 */
extern CqlStatus cql_type_make_vector(CqlTypeBuilder *builder,
									  const CqlType *element,
									  uint64_t dimension,
									  const CqlType **type) CQL_MUST_USE;
extern CqlStatus cql_type_make_custom(CqlTypeBuilder *builder,
									  CqlString name,
									  const CqlType **type) CQL_MUST_USE;

/* The same type, frozen; one without elements stays as it is. */
extern CqlStatus cql_type_freeze(CqlTypeBuilder *builder,
								 const CqlType **type) CQL_MUST_USE;

extern CqlStatus cql_type_items_add(CqlTypeBuilder *builder,
									CqlTypeItems *items, const CqlType *type,
									CqlString name) CQL_MUST_USE;

/* A type of these elements; for CQL_TYPE_UDT with the names of its fields. */
extern CqlStatus cql_type_make_from_items(CqlTypeBuilder *builder,
										  CqlTypeId id,
										  const CqlTypeItems *items,
										  CqlType **type) CQL_MUST_USE;

/*
 * A type by its Java class name (type_class.c), found at the given level.  What
 * is no class of a CQL type is a custom type of that name.
 */
extern CqlStatus cql_type_from_class(CqlTypeBuilder *builder,
									 uint32_t level, CqlString name,
									 const CqlType **type) CQL_MUST_USE;

#endif							/* CQL_TYPE_BUILD_H */
