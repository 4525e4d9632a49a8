/*
 * A response of any opcode. Input: opcode, flags, number of allocations that
 * succeed (255: all), body.
 */
#include "walk.h"

#define RATE_LIMIT_CODE 0xF000

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FuzzMemory	memory;
	CqlAllocator allocator = fuzz_allocator(&memory, size);
	CqlResponse *response;
	CqlError	error = {0};
	CqlStatus	status;
	Walk		walk;

	if (size < 3)
		return 0;
	response = fuzz_alloc(&memory, sizeof(*response));
	memset(response, 0, sizeof(*response));
	cql_arena_init(&response->arena, &allocator);
	memory.left = data[2] == 255 ? -1 : data[2];
	status = cql_response_read(response, data[0], data[1], data + 3, size - 3,
							   RATE_LIMIT_CODE, &fuzz_limits, &error);
	fuzz_check_error(status, &error);
	if (status == CQL_OK)
	{
		walk_begin(&walk, &allocator, &fuzz_limits);
		walk_response(&walk, response, NULL);
		walk_end(&walk);
	}
	cql_response_free(response);
	CLAIM(memory.live == 0);
	return 0;
}
