/*-------------------------------------------------------------------------
 *
 * response_error.c
 *	  ERROR messages (native protocol v4, section 9).
 *
 * A code says which fields follow; they are described by a table.  Codes that
 * came with protocol v5 are there too: a server may send them all the same.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/protocol.h"
#include "cql/response_parts.h"

/* Fields, in the table's notation. */
typedef enum Field
{
	NOTHING = 0,
	CONSISTENCY,
	REQUIRED,
	RECEIVED,
	FAILURES,
	DATA_PRESENT,
	WRITE_TYPE,
	KEYSPACE,
	TABLE,
	FUNCTION,
	ARGUMENT_TYPES,
	STATEMENT_ID
} Field;

#define MAX_FIELDS 5

typedef struct Layout
{
	int32_t		code;
	Field		fields[MAX_FIELDS];
} Layout;

static const Layout layouts[] = {
	{CQL_ERR_UNAVAILABLE, {CONSISTENCY, REQUIRED, RECEIVED}},
	{CQL_ERR_WRITE_TIMEOUT, {CONSISTENCY, RECEIVED, REQUIRED, WRITE_TYPE}},
	{CQL_ERR_READ_TIMEOUT, {CONSISTENCY, RECEIVED, REQUIRED, DATA_PRESENT}},
	{CQL_ERR_READ_FAILURE, {CONSISTENCY, RECEIVED, REQUIRED, FAILURES, DATA_PRESENT}},
	{CQL_ERR_FUNCTION_FAILURE, {KEYSPACE, FUNCTION, ARGUMENT_TYPES}},
	{CQL_ERR_WRITE_FAILURE, {CONSISTENCY, RECEIVED, REQUIRED, FAILURES, WRITE_TYPE}},
	{CQL_ERR_CAS_WRITE_UNKNOWN, {CONSISTENCY, RECEIVED, REQUIRED}},
	{CQL_ERR_ALREADY_EXISTS, {KEYSPACE, TABLE}},
	{CQL_ERR_UNPREPARED, {STATEMENT_ID}},
};

/* [consistency] */
static CqlStatus
read_consistency(CqlReader *reader, int *consistency)
{
	uint16_t	number;

	CQL_TRY(cql_read_u16(reader, &number));
	*consistency = number;
	return CQL_OK;
}

/* A byte that is 0 or not. */
static CqlStatus
read_boolean(CqlReader *reader, bool *value)
{
	uint8_t		byte;

	CQL_TRY(cql_read_u8(reader, &byte));
	*value = byte != 0;
	return CQL_OK;
}

/* One field, into its place. */
static CqlStatus
read_field(CqlBody *body, Field field, CqlServerError *error)
{
	CqlReader  *reader = &body->reader;

	switch (field)
	{
		case CONSISTENCY:
			return read_consistency(reader, &error->consistency);
		case REQUIRED:
			return cql_read_i32(reader, &error->required);
		case RECEIVED:
			return cql_read_i32(reader, &error->received);
		case FAILURES:
			return cql_read_i32(reader, &error->failures);
		case DATA_PRESENT:
			return read_boolean(reader, &error->data_present);
		case WRITE_TYPE:
			return cql_read_string(reader, &error->write_type);
		case KEYSPACE:
			return cql_read_string(reader, &error->keyspace);
		case TABLE:
			return cql_read_string(reader, &error->table);
		case FUNCTION:
			return cql_read_string(reader, &error->function);
		case ARGUMENT_TYPES:
			return cql_body_read_strings(body, &error->argument_types);
		case STATEMENT_ID:
			return cql_read_short_bytes(reader, &error->statement_id);
		case NOTHING:
			break;
	}
	return CQL_OK;
}

/* ScyllaDB's rate limit error: the operation, and who has rejected it. */
static CqlStatus
read_rate_limit(CqlReader *reader, CqlServerError *error)
{
	CQL_TRY(cql_read_u8(reader, &error->operation));
	return read_boolean(reader, &error->by_coordinator);
}

/* NULL for a code without fields of its own. */
static const Layout *
find_layout(int32_t code)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i].code == code)
			return &layouts[i];
	return NULL;
}

CqlStatus
cql_body_read_error(CqlBody *body, int32_t rate_limit_code,
					CqlServerError *error)
{
	const Layout *layout;

	CQL_TRY(cql_read_i32(&body->reader, &error->code));
	CQL_TRY(cql_read_string(&body->reader, &error->message));
	layout = find_layout(error->code);
	if (layout == NULL)
		return rate_limit_code >= 0 && error->code == rate_limit_code ?
			read_rate_limit(&body->reader, error) : CQL_OK;
	for (int i = 0; i < MAX_FIELDS; i++)
		CQL_TRY(read_field(body, layout->fields[i], error));
	return CQL_OK;
}
