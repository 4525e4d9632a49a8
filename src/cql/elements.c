/*-------------------------------------------------------------------------
 *
 * elements.c
 *	  Values of types with elements: collections, tuples, user-defined types,
 *	  vectors (native protocol v4, sections 6 and 7).
 *
 * Four ways to write elements:
 *
 *	  list, set, map		their number as [int], then each as [bytes]
 *	  tuple, UDT			each as [bytes], which may be null
 *	  vector, fixed size	one after the other, nothing between
 *	  vector, other			each after its length as [unsigned vint]
 *
 * Vectors are not in the specification; they are what the servers' VectorType
 * reads and writes.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/value.h"

#include <string.h>

/* The fewest bytes of an element of a collection, and the most of a [vint]. */
#define MIN_ELEMENT_SIZE 4
#define MAX_VINT_SIZE 9

/* A type with fields: each has a type of its own, and may be null. */
static bool
is_record(const CqlType *type)
{
	return type->id == CQL_TYPE_TUPLE || type->id == CQL_TYPE_UDT;
}

/* The type of element number `n`. */
static const CqlType *
element_type(const CqlType *type, uint32_t n)
{
	return is_record(type) ? type->elements[n] : type->elements[n % type->nelements];
}

/* ------
 * Decoding
 * ------
 */

/* A list, set or map: `parts` elements to an entry, sections 6.11 to 6.13 */
static CqlStatus
begin_collection(CqlElements *elements, uint32_t parts)
{
	CqlReader  *reader = &elements->reader;
	int32_t		n;

	CQL_TRY(cql_read_i32(reader, &n));
	if (n < 0)
		return cql_fail(reader->error, CQL_MALFORMED,
						"collection has %d elements", (int) n);
	if ((uint32_t) n > reader->limits->elements)
		return cql_fail(reader->error, CQL_TOO_LARGE,
						"collection has %d elements, more than %u", (int) n,
						(unsigned) reader->limits->elements);
	if (cql_reader_left(reader) / MIN_ELEMENT_SIZE / parts < (uint32_t) n)
		return cql_fail(reader->error, CQL_MALFORMED,
						"collection ends before its %d elements", (int) n);
	elements->count = (uint32_t) n * parts;
	return CQL_OK;
}

/* The bytes of a fixed number of elements are all there, or one for each. */
static CqlStatus
begin_vector(CqlElements *elements)
{
	const CqlType *type = elements->type;
	size_t		left = cql_reader_left(&elements->reader);
	uint64_t	needed;

	elements->count = type->dimension;
	elements->fixed_size = cql_type_fixed_size(type->elements[0]);
	needed = (uint64_t) type->dimension *
		(elements->fixed_size == 0 ? 1 : elements->fixed_size);
	if (left < needed)
		return cql_fail(elements->reader.error, CQL_MALFORMED,
						"vector ends before its %u elements",
						(unsigned) type->dimension);
	return CQL_OK;
}

CqlStatus
cql_elements_begin(CqlElements *elements, const CqlType *type, CqlBytes value,
				   const CqlLimits *limits, CqlError *error)
{
	memset(elements, 0, sizeof(*elements));
	elements->type = type;
	if (value.length < 0)
		return cql_fail(error, CQL_INVALID, "a null value has no elements");
	cql_reader_init(&elements->reader, value.data, (size_t) value.length,
					limits, error);
	switch (type->id)
	{
		case CQL_TYPE_LIST:
		case CQL_TYPE_SET:
			return begin_collection(elements, 1);
		case CQL_TYPE_MAP:
			return begin_collection(elements, 2);
		case CQL_TYPE_TUPLE:
		case CQL_TYPE_UDT:
			elements->count = type->nelements;
			return CQL_OK;
		case CQL_TYPE_VECTOR:
			return begin_vector(elements);
		default:
			return cql_fail(error, CQL_INVALID, "type 0x%04x has no elements",
							(unsigned) type->id);
	}
}

/* Of a vector whose elements are not of fixed size. */
static CqlStatus
read_counted(CqlReader *reader, CqlBytes *value)
{
	uint64_t	length;

	CQL_TRY(cql_read_unsigned_vint(reader, &length));
	if (length > cql_reader_left(reader) || length > INT32_MAX)
		return cql_fail(reader->error, CQL_MALFORMED,
						"vector ends before an element of %llu bytes",
						(unsigned long long) length);
	value->length = (int32_t) length;
	return cql_read_raw(reader, (size_t) length, &value->data);
}

/* With its length before it, or without. */
static CqlStatus
read_vector_element(CqlElements *elements, CqlBytes *value)
{
	if (elements->fixed_size == 0)
		return read_counted(&elements->reader, value);
	value->length = (int32_t) elements->fixed_size;
	return cql_read_raw(&elements->reader, elements->fixed_size, &value->data);
}

/* A field that is missing is null. */
static CqlStatus
read_field(CqlReader *reader, CqlBytes *value)
{
	if (cql_reader_left(reader) > 0)
		return cql_read_bytes(reader, value);
	value->data = NULL;
	value->length = CQL_LENGTH_NULL;
	return CQL_OK;
}

CqlStatus
cql_elements_next(CqlElements *elements, CqlBytes *value, const CqlType **type)
{
	if (elements->next >= elements->count)
		return cql_fail(elements->reader.error, CQL_INVALID,
						"there are no more elements");
	*type = element_type(elements->type, elements->next);
	elements->next++;
	if (elements->type->id == CQL_TYPE_VECTOR)
		return read_vector_element(elements, value);
	if (is_record(elements->type))
		return read_field(&elements->reader, value);
	return cql_read_bytes(&elements->reader, value);
}

/* Fields that a tuple or UDT has beyond those of its type. */
static CqlStatus
skip_fields(CqlReader *reader)
{
	CqlBytes	value;

	while (cql_reader_left(reader) > 0)
		CQL_TRY(cql_read_bytes(reader, &value));
	return CQL_OK;
}

CqlStatus
cql_elements_end(CqlElements *elements)
{
	if (elements->next < elements->count)
		return cql_fail(elements->reader.error, CQL_INVALID,
						"%u elements are not read",
						(unsigned) (elements->count - elements->next));
	if (is_record(elements->type))
		return skip_fields(&elements->reader);
	if (cql_reader_left(&elements->reader) > 0)
		return cql_fail(elements->reader.error, CQL_MALFORMED,
						"value has %zu bytes after its last element",
						cql_reader_left(&elements->reader));
	return CQL_OK;
}

/* ------
 * Encoding
 * ------
 */

/* May a value of this type have so many elements? */
static bool
count_fits(const CqlType *type, uint32_t count)
{
	switch (type->id)
	{
		case CQL_TYPE_LIST:
		case CQL_TYPE_SET:
			return count <= INT32_MAX;
		case CQL_TYPE_MAP:
			return count % 2 == 0;
		case CQL_TYPE_VECTOR:
			return count == type->dimension;
		default:
			return is_record(type) && count <= type->nelements;
	}
}

CqlStatus
cql_encode_elements_begin(CqlElementsWriter *elements, const CqlType *type,
						  uint32_t count, CqlWriter *writer)
{
	memset(elements, 0, sizeof(*elements));
	elements->type = type;
	elements->writer = writer;
	elements->count = count;
	if (!count_fits(type, count))
		return cql_fail(writer->error, CQL_INVALID,
						"a value of type 0x%04x cannot have %u elements",
						(unsigned) type->id, (unsigned) count);
	if (type->id == CQL_TYPE_VECTOR)
		elements->fixed_size = cql_type_fixed_size(type->elements[0]);
	if (type->id == CQL_TYPE_VECTOR || is_record(type))
		return CQL_OK;
	return cql_write_i32(writer, (int32_t) (count / type->nelements));
}

/* CQL_INVALID if there are `count` elements already. */
static CqlStatus
check_next(const CqlElementsWriter *elements)
{
	if (elements->next >= elements->count)
		return cql_fail(elements->writer->error, CQL_INVALID,
						"there are more elements than %u",
						(unsigned) elements->count);
	return CQL_OK;
}

CqlStatus
cql_encode_element_begin(CqlElementsWriter *elements)
{
	CQL_TRY(check_next(elements));
	if (elements->type->id != CQL_TYPE_VECTOR)
		return cql_write_begin(elements->writer, &elements->mark);
	elements->mark = elements->writer->length;
	return CQL_OK;
}

/* Puts the length of the element before it. */
static CqlStatus
insert_length(CqlElementsWriter *elements)
{
	CqlWriter  *writer = elements->writer;
	size_t		length = writer->length - elements->mark;
	uint8_t    *element;
	uint8_t		prefix[MAX_VINT_SIZE];
	size_t		size;

	/* written behind the element, to see its size; then both change places */
	CQL_TRY(cql_write_unsigned_vint(writer, length));
	size = writer->length - elements->mark - length;
	element = writer->data + elements->mark;
	memcpy(prefix, element + length, size);
	memmove(element + size, element, length);
	memcpy(element, prefix, size);
	return CQL_OK;
}

/* CQL_INVALID if it is not of the fixed size that it should be. */
static CqlStatus
end_vector_element(CqlElementsWriter *elements)
{
	size_t		length = elements->writer->length - elements->mark;

	if (elements->fixed_size == 0)
		return insert_length(elements);
	if (length != elements->fixed_size)
		return cql_fail(elements->writer->error, CQL_INVALID,
						"element of a vector has %zu bytes, not %u", length,
						(unsigned) elements->fixed_size);
	return CQL_OK;
}

CqlStatus
cql_encode_element_end(CqlElementsWriter *elements)
{
	elements->next++;
	if (elements->type->id == CQL_TYPE_VECTOR)
		return end_vector_element(elements);
	return cql_write_end(elements->writer, elements->mark);
}

CqlStatus
cql_encode_element_null(CqlElementsWriter *elements)
{
	CQL_TRY(check_next(elements));
	if (!is_record(elements->type))
		return cql_fail(elements->writer->error, CQL_INVALID,
						"elements of a collection or vector cannot be null");
	elements->next++;
	return cql_write_i32(elements->writer, CQL_LENGTH_NULL);
}

CqlStatus
cql_encode_elements_end(CqlElementsWriter *elements)
{
	if (elements->next != elements->count)
		return cql_fail(elements->writer->error, CQL_INVALID,
						"there are %u elements, not %u",
						(unsigned) elements->next, (unsigned) elements->count);
	return CQL_OK;
}
