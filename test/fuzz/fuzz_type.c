/*
 * Types as CQL text: what is accepted and printed is accepted again, as equal.
 * That does not hold for a UDT that a class name has defined: its name alone is
 * printed, and nobody would know it.
 */
#include "walk.h"

/* Any unquoted name that begins with u is a type of the keyspace. */
static const CqlType *
find_udt(void *context, CqlString name)
{
	CqlType    *udt = context;

	udt->name = name;
	return name.length > 0 && name.data[0] == 'u' ? udt : NULL;
}

/* Is there a UDT with other fields than find_udt's? */
static bool
has_defined_udt(const CqlType *type, const CqlString *fields)
{
	if (type->id == CQL_TYPE_UDT && type->fields != fields)
		return true;
	for (uint32_t i = 0; i < type->nelements; i++)
		if (has_defined_udt(type->elements[i], fields))
			return true;
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const CqlType text = {.id = CQL_TYPE_VARCHAR};
	static const CqlType *const elements[] = {&text};
	static const CqlString fields[] = {{"f", 1}};
	CqlType		udt = {
		.id = CQL_TYPE_UDT, .nelements = 1, .elements = elements, .fields = fields
	};
	FuzzMemory	memory;
	CqlAllocator allocator = fuzz_allocator(&memory, size);
	CqlString	source = {(const char *) data, (uint32_t) size};
	CqlString	printed;
	CqlArena	arena;
	CqlWriter	writer;
	CqlError	error = {0};
	const CqlType *type;
	const CqlType *again;
	CqlStatus	status;

	cql_arena_init(&arena, &allocator);
	cql_writer_init(&writer, &allocator, (size_t) 1 << 20, NULL);
	status = cql_type_parse(source, &arena, &fuzz_limits, find_udt, &udt, &type, &error);
	fuzz_check_error(status, &error);
	if (status == CQL_OK)
	{
		walk_type_tree(type, 0);
		CLAIM(cql_type_print(&writer, type) == CQL_OK);
		printed = (CqlString) {(const char *) writer.data, (uint32_t) writer.length};
		fuzz_touch_string(printed);
		status = cql_type_parse(printed, &arena, &fuzz_limits, find_udt, &udt, &again, &error);
		if (!has_defined_udt(type, fields))
			CLAIM(status == CQL_OK && cql_type_equals(type, again));
	}
	cql_writer_free(&writer);
	cql_arena_free(&arena);
	CLAIM(memory.live == 0);
	return 0;
}
