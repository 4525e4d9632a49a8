/*-------------------------------------------------------------------------
 *
 * type.c
 *	  CQL types: making them, reading them from the wire, comparing them.
 *
 * A type without elements is one static struct, whoever names it, so that a
 * result of many columns takes no memory for their types.  All others know how
 * deep and how large they are: what walks a type later needs no limits of its
 * own, even where user-defined types share parts and the tree is larger than
 * the memory that it takes.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/type.h"

#include <string.h>

#include "cql/type_build.h"

/* The fewest bytes of an [option], and of a field's name before it. */
#define MIN_OPTION_SIZE 2
#define MIN_NAME_SIZE 2

/* A type without elements. */
typedef struct Scalar
{
	CqlType		type;
	const char *name;			/* in CQL */
	const char *class_name;		/* in the server, without the package */
	uint32_t	fixed_size;		/* valueLengthIfFixed() of that class, or 0 */
} Scalar;

#define SCALAR(type_id, name, class_name, size) \
	{{.id = (type_id), .levels = 1, .nodes = 1}, (name), (class_name), (size)}

/* Integers of one and two bytes, dates and times are not of fixed size there. */
static const Scalar scalars[] = {
	SCALAR(CQL_TYPE_ASCII, "ascii", "AsciiType", 0),
	SCALAR(CQL_TYPE_BIGINT, "bigint", "LongType", 8),
	SCALAR(CQL_TYPE_BLOB, "blob", "BytesType", 0),
	SCALAR(CQL_TYPE_BOOLEAN, "boolean", "BooleanType", 1),
	SCALAR(CQL_TYPE_COUNTER, "counter", "CounterColumnType", 0),
	SCALAR(CQL_TYPE_DATE, "date", "SimpleDateType", 0),
	SCALAR(CQL_TYPE_DECIMAL, "decimal", "DecimalType", 0),
	SCALAR(CQL_TYPE_DOUBLE, "double", "DoubleType", 8),
	SCALAR(CQL_TYPE_DURATION, "duration", "DurationType", 0),
	SCALAR(CQL_TYPE_FLOAT, "float", "FloatType", 4),
	SCALAR(CQL_TYPE_INET, "inet", "InetAddressType", 0),
	SCALAR(CQL_TYPE_INT, "int", "Int32Type", 4),
	SCALAR(CQL_TYPE_SMALLINT, "smallint", "ShortType", 0),
	SCALAR(CQL_TYPE_TIME, "time", "TimeType", 0),
	SCALAR(CQL_TYPE_TIMESTAMP, "timestamp", "TimestampType", 8),
	SCALAR(CQL_TYPE_TIMEUUID, "timeuuid", "TimeUUIDType", 16),
	SCALAR(CQL_TYPE_TINYINT, "tinyint", "ByteType", 0),
	SCALAR(CQL_TYPE_UUID, "uuid", "UUIDType", 16),
	SCALAR(CQL_TYPE_VARCHAR, "text", "UTF8Type", 0),
	SCALAR(CQL_TYPE_VARINT, "varint", "IntegerType", 0),

	/* other names of the same; found by name only, as they come later */
	SCALAR(CQL_TYPE_VARCHAR, "varchar", "UTF8Type", 0),
	SCALAR(CQL_TYPE_TIMESTAMP, "timestamp", "DateType", 8),
};

#define NSCALARS (sizeof(scalars) / sizeof(scalars[0]))

/* ------
 * Types without elements
 * ------
 */

/* NULL if there is no such type; of those that share an id, the first. */
static const Scalar *
scalar_by_id(uint32_t id)
{
	for (size_t i = 0; i < NSCALARS; i++)
		if (scalars[i].type.id == id)
			return &scalars[i];
	return NULL;
}

const CqlType *
cql_type_by_id(uint32_t id)
{
	const Scalar *scalar = scalar_by_id(id);

	return scalar == NULL ? NULL : &scalar->type;
}

/* Compares a name in any case to one in lower case. */
static bool
name_matches(CqlString name, const char *lower)
{
	if (strlen(lower) != name.length)
		return false;
	for (uint32_t i = 0; i < name.length; i++)
	{
		char		c = name.data[i];

		if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != lower[i])
			return false;
	}
	return true;
}

const CqlType *
cql_type_by_name(CqlString name)
{
	for (size_t i = 0; i < NSCALARS; i++)
		if (name_matches(name, scalars[i].name))
			return cql_type_by_id(scalars[i].type.id);
	return NULL;
}

const CqlType *
cql_type_by_class(CqlString name)
{
	for (size_t i = 0; i < NSCALARS; i++)
		if (cql_string_equals(name, scalars[i].class_name))
			return cql_type_by_id(scalars[i].type.id);
	return NULL;
}

const char *
cql_type_scalar_name(const CqlType *type)
{
	return scalar_by_id(type->id)->name;
}

/* ------
 * Making types
 * ------
 */

CqlStatus
cql_type_check_nodes(const CqlLimits *limits, uint64_t nodes, CqlError *error)
{
	uint64_t	max = (uint64_t) limits->columns * limits->nesting;

	if (nodes > max || nodes > UINT32_MAX)
		return cql_fail(error, CQL_TOO_LARGE,
						"types have more than %llu parts",
						(unsigned long long) max);
	return CQL_OK;
}

CqlStatus
cql_type_count(CqlTypeBuilder *builder, uint32_t more)
{
	builder->made += more;
	return cql_type_check_nodes(builder->limits, builder->made, builder->error);
}

CqlStatus
cql_type_check_level(CqlTypeBuilder *builder, uint32_t level)
{
	if (level > builder->limits->nesting)
		return cql_fail(builder->error, CQL_TOO_LARGE,
						"type is nested deeper than %u levels",
						(unsigned) builder->limits->nesting);
	return CQL_OK;
}

CqlStatus
cql_type_alloc(CqlTypeBuilder *builder, uint32_t count, size_t size,
			   void *memory)
{
	void	   *piece = cql_arena_alloc_array(builder->arena, count, size);

	if (piece == NULL)
		return cql_fail(builder->error, CQL_NO_MEMORY, "out of memory");
	memcpy(memory, &piece, sizeof(piece));
	return CQL_OK;
}

/* Sets the bounds of a type by those of its elements, and checks them. */
static CqlStatus
set_bounds(CqlTypeBuilder *builder, CqlType *type)
{
	uint32_t	levels = 0;
	uint64_t	nodes = 1;

	for (uint32_t i = 0; i < type->nelements; i++)
	{
		const CqlType *element = type->elements[i];

		if (element->levels > levels)
			levels = element->levels;
		nodes += element->nodes;
	}
	CQL_TRY(cql_type_check_nodes(builder->limits, nodes, builder->error));
	type->levels = levels + 1;
	type->nodes = (uint32_t) nodes;
	return cql_type_check_level(builder, type->levels);
}

CqlStatus
cql_type_make(CqlTypeBuilder *builder, CqlTypeId id, uint32_t count,
			  const CqlType *const *elements, CqlType **type)
{
	CqlType    *made;

	CQL_TRY(cql_type_count(builder, 1));
	CQL_TRY(cql_type_alloc(builder, 1, sizeof(*made), &made));
	made->id = id;
	made->nelements = count;
	made->elements = elements;
	CQL_TRY(set_bounds(builder, made));
	*type = made;
	return CQL_OK;
}

CqlStatus
cql_type_make_vector(CqlTypeBuilder *builder, const CqlType *element,
					 uint64_t dimension, const CqlType **type)
{
	const CqlType **elements;
	CqlType    *made;

	if (dimension == 0)
		return cql_fail(builder->error, CQL_MALFORMED,
						"vector type has a dimension of 0");
	if (dimension > builder->limits->elements)
		return cql_fail(builder->error, CQL_TOO_LARGE,
						"vector type has more than %u elements",
						(unsigned) builder->limits->elements);
	CQL_TRY(cql_type_alloc(builder, 1, sizeof(*elements), &elements));
	elements[0] = element;
	CQL_TRY(cql_type_make(builder, CQL_TYPE_VECTOR, 1, elements, &made));
	made->dimension = (uint32_t) dimension;
	*type = made;
	return CQL_OK;
}

CqlStatus
cql_type_make_custom(CqlTypeBuilder *builder, CqlString name,
					 const CqlType **type)
{
	CqlType    *made;

	CQL_TRY(cql_type_make(builder, CQL_TYPE_CUSTOM, 0, NULL, &made));
	made->name = name;
	*type = made;
	return CQL_OK;
}

CqlStatus
cql_type_udt(CqlArena *arena, const CqlLimits *limits, CqlString keyspace,
			 CqlString name, uint32_t count, const CqlString *fields,
			 const CqlType *const *types, const CqlType **type, CqlError *error)
{
	CqlTypeBuilder builder = {arena, limits, error, 0};
	CqlType    *made;

	CQL_TRY(cql_type_make(&builder, CQL_TYPE_UDT, count, types, &made));
	made->keyspace = keyspace;
	made->name = name;
	made->fields = fields;
	*type = made;
	return CQL_OK;
}

CqlStatus
cql_type_freeze(CqlTypeBuilder *builder, const CqlType **type)
{
	CqlType    *made;

	if ((*type)->frozen || scalar_by_id((*type)->id) != NULL)
		return CQL_OK;
	CQL_TRY(cql_type_alloc(builder, 1, sizeof(*made), &made));
	*made = **type;
	made->frozen = true;
	*type = made;
	return CQL_OK;
}

CqlStatus
cql_type_items_add(CqlTypeBuilder *builder, CqlTypeItems *items,
				   const CqlType *type, CqlString name)
{
	CqlTypeItem *item;

	CQL_TRY(cql_type_count(builder, 1));
	CQL_TRY(cql_type_alloc(builder, 1, sizeof(*item), &item));
	item->type = type;
	item->name = name;
	if (items->last == NULL)
		items->first = item;
	else
		items->last->next = item;
	items->last = item;
	items->count++;
	return CQL_OK;
}

CqlStatus
cql_type_make_from_items(CqlTypeBuilder *builder, CqlTypeId id,
						 const CqlTypeItems *items, CqlType **type)
{
	const CqlType **elements;
	CqlString  *names = NULL;
	uint32_t	i = 0;

	CQL_TRY(cql_type_alloc(builder, items->count, sizeof(*elements), &elements));
	if (id == CQL_TYPE_UDT)
		CQL_TRY(cql_type_alloc(builder, items->count, sizeof(*names), &names));
	for (const CqlTypeItem *item = items->first; item != NULL; item = item->next)
	{
		elements[i] = item->type;
		if (names != NULL)
			names[i] = item->name;
		i++;
	}
	CQL_TRY(cql_type_make(builder, id, items->count, elements, type));
	(*type)->fields = names;
	return CQL_OK;
}

/* ------
 * From the wire: [option], section 4.2.5.2
 * ------
 */

static CqlStatus read_option(CqlReader *reader, CqlTypeBuilder *builder,
							 uint32_t level, const CqlType **type);

/*
 * The number of elements or fields that follow, [short].  Their memory is taken
 * before they are read, so there must be bytes for them.
 */
static CqlStatus
read_count(CqlReader *reader, size_t min_size, uint32_t *count)
{
	uint16_t	n;

	CQL_TRY(cql_read_u16(reader, &n));
	if (cql_reader_left(reader) < n * min_size)
		return cql_fail(reader->error, CQL_MALFORMED,
						"message ends before the %u parts of a type",
						(unsigned) n);
	*count = n;
	return CQL_OK;
}

/* `count` options one after the other: a list, set, map or tuple. */
static CqlStatus
read_elements(CqlReader *reader, CqlTypeBuilder *builder, uint32_t level,
			  CqlTypeId id, uint32_t count, const CqlType **type)
{
	const CqlType **elements;
	CqlType    *made;

	CQL_TRY(cql_type_count(builder, count));
	CQL_TRY(cql_type_alloc(builder, count, sizeof(*elements), &elements));
	for (uint32_t i = 0; i < count; i++)
		CQL_TRY(read_option(reader, builder, level + 1, &elements[i]));
	CQL_TRY(cql_type_make(builder, id, count, elements, &made));
	*type = made;
	return CQL_OK;
}

/* 0x0031: a number of options */
static CqlStatus
read_tuple(CqlReader *reader, CqlTypeBuilder *builder, uint32_t level,
		   const CqlType **type)
{
	uint32_t	count;

	CQL_TRY(read_count(reader, MIN_OPTION_SIZE, &count));
	return read_elements(reader, builder, level, CQL_TYPE_TUPLE, count, type);
}

/* 0x0030: keyspace, name, and fields, each a name and an option */
static CqlStatus
read_udt(CqlReader *reader, CqlTypeBuilder *builder, uint32_t level,
		 const CqlType **type)
{
	CqlString	keyspace,
				name,
			   *fields;
	uint32_t	count;
	const CqlType **types;

	CQL_TRY(cql_read_string(reader, &keyspace));
	CQL_TRY(cql_read_string(reader, &name));
	CQL_TRY(read_count(reader, MIN_NAME_SIZE + MIN_OPTION_SIZE, &count));
	CQL_TRY(cql_type_count(builder, count));
	CQL_TRY(cql_type_alloc(builder, count, sizeof(*fields), &fields));
	CQL_TRY(cql_type_alloc(builder, count, sizeof(*types), &types));
	for (uint32_t i = 0; i < count; i++)
	{
		CQL_TRY(cql_read_string(reader, &fields[i]));
		CQL_TRY(read_option(reader, builder, level + 1, &types[i]));
	}
	return cql_type_udt(builder->arena, builder->limits, keyspace, name, count,
						fields, types, type, builder->error);
}

/* 0x0000: a class name */
static CqlStatus
read_custom(CqlReader *reader, CqlTypeBuilder *builder, uint32_t level,
			const CqlType **type)
{
	CqlString	name;

	CQL_TRY(cql_read_string(reader, &name));
	return cql_type_from_class(builder, level, name, type);
}

/* A type without elements. */
static CqlStatus
read_scalar(CqlTypeBuilder *builder, uint16_t id, const CqlType **type)
{
	const CqlType *found = cql_type_by_id(id);

	if (found == NULL)
		return cql_fail(builder->error, CQL_UNSUPPORTED,
						"the server uses a type of unknown number 0x%04x", id);
	*type = found;
	return CQL_OK;
}

/* Recursive; `level` is that of the type to be read. */
static CqlStatus
read_option(CqlReader *reader, CqlTypeBuilder *builder, uint32_t level,
			const CqlType **type)
{
	uint16_t	id;

	CQL_TRY(cql_type_check_level(builder, level));
	CQL_TRY(cql_read_u16(reader, &id));
	switch (id)
	{
		case CQL_TYPE_CUSTOM:
			return read_custom(reader, builder, level, type);
		case CQL_TYPE_LIST:
		case CQL_TYPE_SET:
			return read_elements(reader, builder, level, (CqlTypeId) id, 1, type);
		case CQL_TYPE_MAP:
			return read_elements(reader, builder, level, CQL_TYPE_MAP, 2, type);
		case CQL_TYPE_TUPLE:
			return read_tuple(reader, builder, level, type);
		case CQL_TYPE_UDT:
			return read_udt(reader, builder, level, type);
		default:
			return read_scalar(builder, id, type);
	}
}

CqlStatus
cql_type_read(CqlReader *reader, CqlArena *arena, const CqlType **type)
{
	CqlTypeBuilder builder = {arena, reader->limits, reader->error, 0};

	return read_option(reader, &builder, 1, type);
}

/* ------
 * Properties
 * ------
 */

/* What of two types of one id is not their elements. */
static bool
same_node(const CqlType *a, const CqlType *b)
{
	if (a->nelements != b->nelements || a->dimension != b->dimension ||
		!cql_strings_equal(a->keyspace, b->keyspace) ||
		!cql_strings_equal(a->name, b->name))
		return false;
	for (uint32_t i = 0; a->id == CQL_TYPE_UDT && i < a->nelements; i++)
		if (!cql_strings_equal(a->fields[i], b->fields[i]))
			return false;
	return true;
}

/* Recursive, as deep as the types are. */
bool
cql_type_equals(const CqlType *a, const CqlType *b)
{
	if (a == b)
		return true;
	if (a->id != b->id || !same_node(a, b))
		return false;
	for (uint32_t i = 0; i < a->nelements; i++)
		if (!cql_type_equals(a->elements[i], b->elements[i]))
			return false;
	return true;
}

/* A vector too long for its size to be told is not of fixed size. */
uint32_t
cql_type_fixed_size(const CqlType *type)
{
	const Scalar *scalar;
	uint64_t	size = 1;

	for (; type->id == CQL_TYPE_VECTOR; type = type->elements[0])
	{
		size *= type->dimension;
		if (size > INT32_MAX)
			return 0;
	}
	scalar = scalar_by_id(type->id);
	if (scalar == NULL || size * scalar->fixed_size > INT32_MAX)
		return 0;
	return (uint32_t) (size * scalar->fixed_size);
}
