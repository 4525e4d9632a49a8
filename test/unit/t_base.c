/* Errors, arenas, names of the protocol's numbers. */
#include "tap.h"

#include "cql/protocol.h"

static void
test_errors(void)
{
	CqlError	error = {0};
	char		long_text[400];

	is_int(cql_fail(&error, CQL_TOO_LARGE, "%d rows", 7), CQL_TOO_LARGE,
		   "cql_fail returns the status");
	is_text(error.message, "7 rows", "message is formatted");
	is_int(cql_fail(&error, CQL_MALFORMED, "later"), CQL_MALFORMED,
		   "a later error returns its own status");
	is_int(error.status, CQL_TOO_LARGE, "the first error stays");
	is_text(error.message, "7 rows", "and so does its message");
	is_int(cql_fail(NULL, CQL_INVALID, "nobody listens"), CQL_INVALID,
		   "an error need not be recorded");

	/* a character of two bytes at the place of the cut */
	memset(long_text, 'x', sizeof(long_text));
	memcpy(long_text + CQL_ERROR_MESSAGE_SIZE - 2, "\xc3\xa9", 2);
	long_text[sizeof(long_text) - 1] = '\0';
	error.status = CQL_OK;
	(void) cql_fail(&error, CQL_MALFORMED, "%s", long_text);
	is_int((long long) strlen(error.message), CQL_ERROR_MESSAGE_SIZE - 2,
		   "no half a character is left of a message that is cut");

	/* one of three bytes, of which two would be left */
	memcpy(long_text + CQL_ERROR_MESSAGE_SIZE - 3, "\xe2\x82\xac", 3);
	error.status = CQL_OK;
	(void) cql_fail(&error, CQL_MALFORMED, "%s", long_text);
	is_int((long long) strlen(error.message), CQL_ERROR_MESSAGE_SIZE - 3,
		   "nor two thirds of one");

	memset(long_text, 'x', sizeof(long_text) - 1);
	error.status = CQL_OK;
	(void) cql_fail(&error, CQL_MALFORMED, "%s", long_text);
	is_int((long long) strlen(error.message), CQL_ERROR_MESSAGE_SIZE - 1,
		   "a message of ASCII is cut where it must be");
}

static void
test_arena(void)
{
	TestMemory	memory = {0};
	CqlAllocator allocator = TEST_ALLOCATOR(&memory);
	CqlArena	arena;
	char	   *pieces[100];
	bool		separate = true,
				aligned = true,
				zeroed = true;

	cql_arena_init(&arena, &allocator);
	for (int i = 0; i < 100; i++)
	{
		pieces[i] = cql_arena_alloc(&arena, (size_t) i * 7);
		aligned &= (uintptr_t) pieces[i] % 16 == 0;
		for (int j = 0; j < i * 7; j++)
			zeroed &= pieces[i][j] == 0;
		memset(pieces[i], i, (size_t) i * 7);
	}
	for (int i = 0; i < 100; i++)
		for (int j = 0; j < i * 7; j++)
			separate &= pieces[i][j] == (char) i;
	ok(separate, "pieces do not overlap");
	ok(aligned, "pieces are aligned");
	ok(zeroed, "pieces are zeroed");
	ok(memory.requests < 20, "small pieces share chunks");

	memory.requests = 0;
	ok(cql_arena_alloc(&arena, 100000) != NULL, "a large piece");
	ok(cql_arena_alloc(&arena, 16) != NULL, "and a small one after it");
	is_int(memory.requests, 1, "a large piece leaves the open chunk open");
	ok(cql_arena_alloc(&arena, SIZE_MAX) == NULL, "more than there can be");
	ok(cql_arena_alloc_array(&arena, SIZE_MAX / 2, 4) == NULL,
	   "an array whose size overflows");
	ok(cql_arena_alloc_array(&arena, 3, 5) != NULL, "an array");
	ok(cql_arena_alloc_array(&arena, 3, 0) != NULL, "an array of nothing");
	memory.fail_at = 1;
	ok(cql_arena_alloc(&arena, 100000) == NULL, "no memory");
	cql_arena_free(&arena);
	is_int(memory.live, 0, "everything is freed");
	cql_arena_free(&arena);
	is_int(memory.live, 0, "freeing an empty arena does nothing");
}

static void
test_names(void)
{
	CqlConsistency consistency = CQL_CONSISTENCY_ANY;
	int			wrong = 0;

	for (int i = CQL_CONSISTENCY_ANY; i <= CQL_CONSISTENCY_LOCAL_ONE; i++)
		wrong += !cql_consistency_parse(cql_consistency_name(i), &consistency) ||
			(int) consistency != i;
	is_int(wrong, 0, "each consistency's name is read back");
	is_text(cql_consistency_name(6), "LOCAL_QUORUM", "name of a consistency");
	ok(cql_consistency_name(11) == NULL, "no name");
	ok(cql_consistency_parse("localQuorum", &consistency) &&
	   consistency == CQL_CONSISTENCY_LOCAL_QUORUM, "a name in another case");
	consistency = CQL_CONSISTENCY_ALL;
	ok(!cql_consistency_parse("QUORU", &consistency) &&
	   !cql_consistency_parse("QUORUMS", &consistency) &&
	   !cql_consistency_parse("", &consistency) &&
	   consistency == CQL_CONSISTENCY_ALL, "names that are none");
	is_text(cql_error_code_name(0x1000), "unavailable", "name of an error code");
	is_text(cql_error_code_name(0x7777), "unknown error", "an unknown one");
	ok(cql_string_equals(str("abc"), "abc") && !cql_string_equals(str("ab"), "abc") &&
	   !cql_string_equals(str("abd"), "abc"), "cql_string_equals");
	ok(cql_strings_equal(str("abc"), str("abc")) && !cql_strings_equal(str("ab"), str("abc")) &&
	   !cql_strings_equal(str("abd"), str("abc")) &&
	   cql_strings_equal((CqlString) {NULL, 0}, str("")), "cql_strings_equal");
}

int
main(void)
{
	test_errors();
	test_arena();
	test_names();
	return done_testing();
}
