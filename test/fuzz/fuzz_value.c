/* A value of any type. Input: the type as [option], then the value's bytes. */
#include "walk.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FuzzMemory	memory;
	CqlAllocator allocator = fuzz_allocator(&memory, size);
	CqlArena	arena;
	CqlReader	reader;
	CqlError	error = {0};
	const CqlType *type;
	CqlStatus	status;
	Walk		walk;

	cql_arena_init(&arena, &allocator);
	cql_reader_init(&reader, data, size, &fuzz_limits, &error);
	status = cql_type_read(&reader, &arena, &type);
	fuzz_check_error(status, &error);
	if (status == CQL_OK)
	{
		CqlBytes	value = {reader.at, (int32_t) cql_reader_left(&reader)};

		walk_begin(&walk, &allocator, &fuzz_limits);
		walk_type(&walk, type);
		walk_value(&walk, type, value);
		walk_end(&walk);
	}
	cql_arena_free(&arena);
	CLAIM(memory.live == 0);
	return 0;
}
