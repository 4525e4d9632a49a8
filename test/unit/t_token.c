/* Tokens, partition keys and shards. */
#include "tap.h"

#include "cql/token.h"

#include <inttypes.h>

static TestMemory memory;
static CqlAllocator allocator = TEST_ALLOCATOR(&memory);

static void
is_token(int64_t got, int64_t expected, const char *name)
{
	if (!ok(got == expected, "%s", name))
		printf("# got %" PRId64 ", expected %" PRId64 "\n", got, expected);
}

/* The token of bytes at an address that is aligned to nothing. */
static int64_t
token_of(const uint8_t *bytes, size_t length)
{
	uint8_t    *copy = malloc(length + 1);
	int64_t		token;

	if (length > 0)
		memcpy(copy + 1, bytes, length);
	token = cql_token(copy + 1, length);
	free(copy);
	return token;
}

/* Tokens that ScyllaDB's and Cassandra's drivers agree on. */
static void
test_golden(void)
{
	static const struct
	{
		const char *bytes;
		int64_t		token;
	}			golden[] = {
		{"", 0},
		{"313233", INT64_C(-7468325962851647638)},
		{"fefefefefefefefe", INT64_C(-8927430733708461935)},
		{"1010101010101010", INT64_C(1446172840243228796)},
		{"000102030405060708090a0b0c0d0e0f", INT64_C(4920504430128807728)},
		{"00ff10fa99 00ff10fa99 00ff10fa99 00ff10fa99 00ff10fa99 "
		 "00ff10fa99 00ff10fa99 00ff10fa99 00ff10fa99 00ff10fa99", INT64_C(5837342703291459765)},
		{"0000000000000001", INT64_C(6292367497774912474)},
		{"000000000000002a", INT64_C(8623491988607824794)},
		{"00000001", INT64_C(-4069959284402364209)},
		{"000800000000000000010000016100", INT64_C(-3748018335291956378)},
		{"ff", INT64_C(-4442228696663692417)},
		{"ffffffffffffffff", INT64_C(7071048584287372947)},
		{"ffffffffffffffffff", INT64_C(8434364767658694854)},
		{"ffffffffffffffffffffffffffffff", INT64_C(-2195530867418009455)},
		{"ffffffffffffffffffffffffffffffff", INT64_C(-2824192546314762522)}
	};

	for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++)
	{
		size_t		length;
		uint8_t    *bytes = from_hex(golden[i].bytes, &length);

		is_token(token_of(bytes, length), golden[i].token, golden[i].bytes);
		free(bytes);
	}
}

/* By length: tokens of the bytes that test_tails makes. */
static const int64_t tails[] = {
	INT64_C(0), INT64_C(-6707619576439263014),
	INT64_C(3294149529231807184), INT64_C(3917509949403393325),
	INT64_C(8864761012348570634), INT64_C(-1297334491564540434),
	INT64_C(-2390996110712999934), INT64_C(-3838902671689319628),
	INT64_C(-4579169126298638881), INT64_C(7858902555630485783),
	INT64_C(-6442401981299753900), INT64_C(977437484150917084),
	INT64_C(-2415153932502353101), INT64_C(1184408301349864262),
	INT64_C(994729748697127853), INT64_C(-6477866587495659245),
	INT64_C(-434819637153201631), INT64_C(-8693734981238625903),
	INT64_C(2477820926852276188), INT64_C(-2824640033854676379),
	INT64_C(5792486322063035406), INT64_C(8158220336895551285),
	INT64_C(-27435498968539088), INT64_C(4906645548531072214),
	INT64_C(-1862231336836847170), INT64_C(8856397884335607329),
	INT64_C(-4183618998149833622), INT64_C(-2760884960306084841),
	INT64_C(-8683161104195584289), INT64_C(-60827858526408137),
	INT64_C(8814144330374620773), INT64_C(9124436116149302373),
	INT64_C(3242435119997494479), INT64_C(-6926779438042518968),
	INT64_C(3403637247883245625), INT64_C(-7814669724634165834),
	INT64_C(-2087426683673627349), INT64_C(-8535391578518828203),
	INT64_C(1674206581390616330), INT64_C(5329717142838225311),
	INT64_C(-5536850847302878786), INT64_C(7909864626731737613),
	INT64_C(3890271503250678119), INT64_C(3361880059240282792),
	INT64_C(-69925835658927595), INT64_C(-8189452588455135053),
	INT64_C(-2938387814171799776), INT64_C(1133809590438754048),
	INT64_C(1432862093805135274)
};

/* A tail of each length, after no, one, two and three blocks. */
static void
test_tails(void)
{
	uint8_t		bytes[sizeof(tails) / sizeof(tails[0])];
	char		name[32];

	for (size_t length = 0; length < sizeof(bytes); length++)
	{
		/* half of them 0x80 or more, the first ones too */
		bytes[length] = (uint8_t) (0x83 + 37 * length * length + 11 * length);
		snprintf(name, sizeof(name), "%zu bytes", length);
		is_token(token_of(bytes, length), tails[length], name);
	}
}

static void
test_least_token(void)
{
	/* made backwards from that hash: no step of it loses anything */
	static const uint8_t key[] = {
		0x66, 0x95, 0xE3, 0xC7, 0xBA, 0x3F, 0x08, 0x63,
		0x54, 0xC5, 0x2C, 0x5B, 0xC5, 0x1E, 0x53, 0xC3
	};

	is_token(cql_token(key, sizeof(key)), INT64_MAX, "the least token becomes the greatest");
}

/* The partition key of components as hexadecimal digits; "-" is a null. */
static CqlStatus
partition_key(CqlWriter *writer, CqlError *error, uint32_t n, const char *const *digits)
{
	CqlBytes	components[3];
	uint8_t    *bytes[3] = {NULL, NULL, NULL};
	CqlStatus	status;

	for (uint32_t i = 0; i < n; i++)
	{
		size_t		length;

		components[i].length = CQL_LENGTH_NULL;
		if (digits[i][0] == '-')
			continue;
		bytes[i] = from_hex(digits[i], &length);
		components[i] = (CqlBytes) {bytes[i], (int32_t) length};
	}
	memset(error, 0, sizeof(*error));
	cql_writer_init(writer, &allocator, 1 << 20, error);
	status = cql_partition_key(writer, n, components);
	for (uint32_t i = 0; i < n; i++)
		free(bytes[i]);
	return status;
}

#define PARTITION_KEY(n, ...) \
	partition_key(&writer, &error, (n), (const char *const[]) {__VA_ARGS__})

static void
test_partition_key(void)
{
	CqlWriter	writer;
	CqlError	error;

	is_int(PARTITION_KEY(1, "0000000000000001"), CQL_OK, "one component");
	is_hex(writer.data, writer.length, "0000000000000001", "its bytes alone");
	cql_writer_free(&writer);
	is_int(PARTITION_KEY(1, ""), CQL_OK, "one that is empty");
	is_int((long long) writer.length, 0, "no bytes");
	cql_writer_free(&writer);
	is_int(PARTITION_KEY(2, "0000000000000001", "61"), CQL_OK, "two components");
	is_hex(writer.data, writer.length, "0008 0000000000000001 00 0001 61 00", "each with its length");
	is_token(cql_token(writer.data, writer.length), INT64_C(-3748018335291956378), "the token");
	cql_writer_free(&writer);
	is_int(PARTITION_KEY(3, "", "ff00", ""), CQL_OK, "three, two of which are empty");
	is_hex(writer.data, writer.length, "0000 00 0002 ff00 00 0000 00", "bytes");
	cql_writer_free(&writer);

	is_int(PARTITION_KEY(1, "-"), CQL_INVALID, "a null");
	is_text(error.message, "a column of the partition key has no value", "message");
	cql_writer_free(&writer);
	is_int(PARTITION_KEY(2, "01", "-"), CQL_INVALID, "a null behind another");
	cql_writer_free(&writer);
	is_int(PARTITION_KEY(0, "01"), CQL_INVALID, "no component");
	is_text(error.message, "partition key has no columns", "message");
	cql_writer_free(&writer);
}

static void
test_long_components(void)
{
	CqlWriter	writer;
	CqlError	error = {0};
	uint8_t    *bytes = calloc(65536, 1);
	CqlBytes	components[2] = {{bytes, 65535}, {bytes, CQL_LENGTH_UNSET}};

	cql_writer_init(&writer, &allocator, 1 << 20, &error);
	is_int(cql_partition_key(&writer, 1, components), CQL_OK, "65535 bytes");
	is_int((long long) writer.length, 65535, "their number");
	cql_writer_reset(&writer);
	is_int(cql_partition_key(&writer, 2, components), CQL_INVALID, "a value that is not set");
	components[1].length = 0;
	cql_writer_reset(&writer);
	is_int(cql_partition_key(&writer, 2, components), CQL_OK, "65535 bytes of two components");
	is_int((long long) writer.length, 65535 + 6, "their number");
	memset(&error, 0, sizeof(error));
	components[0].length = 65536;
	is_int(cql_partition_key(&writer, 1, components), CQL_INVALID, "65536 bytes");
	is_text(error.message, "a value of 65536 bytes is too long for a partition key", "message");
	is_int(cql_partition_key(&writer, 2, components), CQL_INVALID, "also of two components");
	cql_writer_free(&writer);
	free(bytes);
}

/* The server's limit on a message, and a failing allocator, reach the caller. */
static void
test_full_writer(void)
{
	CqlWriter	writer;
	CqlBytes	components[2] = {{(const uint8_t *) "ab", 2}, {(const uint8_t *) "c", 1}};

	for (size_t max = 0; max < 9; max++)
	{
		cql_writer_init(&writer, &allocator, max, NULL);
		is_int(cql_partition_key(&writer, 2, components), CQL_TOO_LARGE, "no room");
		cql_writer_free(&writer);
	}
	memory.fail_at = 1;
	memory.requests = 0;
	cql_writer_init(&writer, &allocator, 100, NULL);
	is_int(cql_partition_key(&writer, 2, components), CQL_NO_MEMORY, "no memory");
	memory.fail_at = 0;
}

static void
test_shards(void)
{
	static const uint32_t counts[] = {2, 4, 8, 12};
	static const uint32_t of_one[] = {0, 0, 1, 2};
	static const uint32_t of_42[] = {1, 3, 6, 9};
	int64_t		one = INT64_C(6292367497774912474);
	int64_t		of42 = INT64_C(8623491988607824794);

	for (int i = 0; i < 4; i++)
	{
		is_int(cql_shard_of_token(one, counts[i], 12), of_one[i], "shard of 1");
		is_int(cql_shard_of_token(of42, counts[i], 12), of_42[i], "shard of 42");
	}
	is_int(cql_shard_of_token(one, 1, 12), 0, "one shard");
	is_int(cql_shard_of_token(one, 12, 0), 10, "no bit ignored");
	is_int(cql_shard_of_token(-1, 12, 63), 6, "all bits but one ignored");
	is_int(cql_shard_of_token(0, 12, 63), 0, "the same, the bit not set");
	is_int(cql_shard_of_token(-1, 12, 64), 0, "all bits ignored");
	is_int(cql_shard_of_token(-1, 12, UINT32_MAX), 0, "and more");
	is_int(cql_shard_of_token(INT64_MIN, 12, 0), 0, "the least token");
	is_int(cql_shard_of_token(INT64_MAX, 12, 0), 11, "the greatest");
	is_int(cql_shard_of_token(-1, UINT32_MAX, 0), INT64_C(2147483647), "shards without number");
	is_int(cql_shard_of_token(INT64_MAX, UINT32_MAX, 0), INT64_C(4294967294), "their last");
	is_int(cql_shard_of_token(one, UINT32_MAX, 12), INT64_C(799959505), "one in their midst");
	is_int(cql_shard_of_token(one, 0, 12), 0, "no shards");
}

static void
test_parse(void)
{
	static const struct
	{
		const char *text;
		int64_t		token;
	}			good[] = {
		{"0", 0}, {"-0", 0}, {"7", 7}, {"-1", -1}, {"0042", 42},
		{"9223372036854775807", INT64_MAX}, {"-9223372036854775808", INT64_MIN},
		{"-9223372036854775807", -INT64_MAX}
	};
	static const char *const bad[] = {
		"", "-", "--1", "+1", "1-", " 1", "1 ", "1.0", "0x1", "9223372036854775808",
		"-9223372036854775809", "99999999999999999999", "85070591730234615865843651857942052864"
	};
	char		expected[100];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
	{
		int64_t		token = 99;

		is_int(cql_token_parse(str(good[i].text), &token, NULL), CQL_OK, good[i].text);
		is_token(token, good[i].token, "its value");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		int64_t		token = 99;
		CqlError	error = {0};

		is_int(cql_token_parse(str(bad[i]), &token, &error), CQL_UNSUPPORTED, bad[i]);
		snprintf(expected, sizeof(expected), "token \"%s\" is none of Murmur3Partitioner", bad[i]);
		is_text(error.message, expected, "message");
		is_token(token, 99, "nothing is written");
	}
	is_int(cql_token_parse((CqlString) {NULL, 0}, NULL, NULL), CQL_UNSUPPORTED, "no text at all");
}

int
main(void)
{
	test_golden();
	test_tails();
	test_least_token();
	test_partition_key();
	test_long_components();
	test_full_writer();
	test_shards();
	test_parse();
	is_int(memory.live, 0, "all memory is released");
	return done_testing();
}
