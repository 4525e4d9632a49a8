/*-------------------------------------------------------------------------
 *
 * type.h
 *	  CQL types: from the wire, from CQL text, from the server's class names.
 *
 * A type is a tree in an arena, no deeper than limits->nesting and of no more
 * nodes than limits->columns * limits->nesting.  Types without elements may be shared and
 * static.  Custom types whose class is known (vector, duration, and any other
 * built-in type under its class name) become the type they are.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CQL_TYPE_H
#define CQL_TYPE_H

#include "cql/buffer.h"
#include "cql/protocol.h"

typedef struct CqlType
{
	CqlTypeId	id;
	bool		frozen;			/* as written in CQL text or by FrozenType();
								 * the wire does not say */

	/*
	 * list, set, vector: one element; map: key and value; tuple and UDT: the
	 * fields
	 */
	uint32_t	nelements;
	const struct CqlType *const *elements;

	uint32_t	dimension;		/* vector: number of elements */
	CqlString	keyspace;		/* UDT */
	CqlString	name;			/* UDT: its name; custom: the class */
	const CqlString *fields;	/* UDT: names of the fields */

	/*
	 * Bounds of what walks the tree, checked where it is made: levels, 1 for
	 * a type without elements; and nodes, a shared one counted each time.
	 */
	uint32_t	levels;
	uint32_t	nodes;
} CqlType;

/* [option] of the protocol, section 4.2.5.2 */
extern CqlStatus cql_type_read(CqlReader *reader, CqlArena *arena,
							   const CqlType **type) CQL_MUST_USE;

/*
 * A type as CQL writes it, the way system_schema.columns has it:
 * "frozen<map<text, tuple<int, uuid>>>", "vector<float, 3>", "my_udt",
 * "\"My Udt\"", or a class name in single quotes.  A name that is no built-in
 * type is given to `find_udt`, which returns the type or NULL (then
 * CQL_UNSUPPORTED, naming it); it may be NULL.  One that parses the types of
 * fields in turn must limit how deep it goes: a server that lies may have types
 * that contain themselves.
 */
typedef const CqlType *(*CqlFindUdt) (void *context, CqlString name);
extern CqlStatus cql_type_parse(CqlString text, CqlArena *arena,
								const CqlLimits *limits, CqlFindUdt find_udt,
								void *context, const CqlType **type,
								CqlError *error) CQL_MUST_USE;

/*
 * A user-defined type, of `count` fields: what a CqlFindUdt returns.  Names and
 * types of the fields are kept, not copied.
 */
extern CqlStatus cql_type_udt(CqlArena *arena, const CqlLimits *limits,
							  CqlString keyspace, CqlString name,
							  uint32_t count, const CqlString *fields,
							  const CqlType *const *types,
							  const CqlType **type, CqlError *error) CQL_MUST_USE;

/* The type as CQL text, appended to `writer` without a terminator. */
extern CqlStatus cql_type_print(CqlWriter *writer, const CqlType *type) CQL_MUST_USE;

/* Same type?  Frozen or not does not count: values look the same. */
extern bool cql_type_equals(const CqlType *a, const CqlType *b);

/*
 * Bytes of each value if they are always the same number, as a vector's
 * elements are written without their lengths then; else 0.  (A type of fixed
 * size for vectors is what the server's AbstractType.valueLengthIfFixed says.)
 */
extern uint32_t cql_type_fixed_size(const CqlType *type);

#endif							/* CQL_TYPE_H */
