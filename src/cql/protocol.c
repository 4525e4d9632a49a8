/*-------------------------------------------------------------------------
 *
 * protocol.c
 *	  Names of the protocol's numbers.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/protocol.h"

#include <stddef.h>

typedef struct NumberName
{
	int32_t		number;
	const char *name;
} NumberName;

static const NumberName consistencies[] = {
	{CQL_CONSISTENCY_ANY, "ANY"},
	{CQL_CONSISTENCY_ONE, "ONE"},
	{CQL_CONSISTENCY_TWO, "TWO"},
	{CQL_CONSISTENCY_THREE, "THREE"},
	{CQL_CONSISTENCY_QUORUM, "QUORUM"},
	{CQL_CONSISTENCY_ALL, "ALL"},
	{CQL_CONSISTENCY_LOCAL_QUORUM, "LOCAL_QUORUM"},
	{CQL_CONSISTENCY_EACH_QUORUM, "EACH_QUORUM"},
	{CQL_CONSISTENCY_SERIAL, "SERIAL"},
	{CQL_CONSISTENCY_LOCAL_SERIAL, "LOCAL_SERIAL"},
	{CQL_CONSISTENCY_LOCAL_ONE, "LOCAL_ONE"},
	{0, NULL}
};

/* Section 9 of the specification, and two codes of v5. */
static const NumberName error_codes[] = {
	{CQL_ERR_SERVER, "server error"},
	{CQL_ERR_PROTOCOL, "protocol error"},
	{CQL_ERR_CREDENTIALS, "authentication error"},
	{CQL_ERR_UNAVAILABLE, "unavailable"},
	{CQL_ERR_OVERLOADED, "overloaded"},
	{CQL_ERR_BOOTSTRAPPING, "bootstrapping"},
	{CQL_ERR_TRUNCATE, "truncate error"},
	{CQL_ERR_WRITE_TIMEOUT, "write timeout"},
	{CQL_ERR_READ_TIMEOUT, "read timeout"},
	{CQL_ERR_READ_FAILURE, "read failure"},
	{CQL_ERR_FUNCTION_FAILURE, "function failure"},
	{CQL_ERR_WRITE_FAILURE, "write failure"},
	{CQL_ERR_CDC_WRITE_FAILURE, "CDC write failure"},
	{CQL_ERR_CAS_WRITE_UNKNOWN, "CAS write unknown"},
	{CQL_ERR_SYNTAX, "syntax error"},
	{CQL_ERR_UNAUTHORIZED, "unauthorized"},
	{CQL_ERR_INVALID, "invalid query"},
	{CQL_ERR_CONFIG, "configuration error"},
	{CQL_ERR_ALREADY_EXISTS, "already exists"},
	{CQL_ERR_UNPREPARED, "unprepared"},
	{0, NULL}
};

static const char *
find_name(const NumberName *names, int32_t number)
{
	for (; names->name != NULL; names++)
		if (names->number == number)
			return names->name;
	return NULL;
}

static char
upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char) (c - 'a' + 'A') : c;
}

/* Equal but for case and for underscores? */
static bool
same_name(const char *a, const char *b)
{
	for (;; a++, b++)
	{
		while (*a == '_')
			a++;
		while (*b == '_')
			b++;
		if (upper(*a) != upper(*b))
			return false;
		if (*a == '\0')
			return true;
	}
}

const char *
cql_consistency_name(int consistency)
{
	return find_name(consistencies, consistency);
}

bool
cql_consistency_parse(const char *name, CqlConsistency *consistency)
{
	for (const NumberName *c = consistencies; c->name != NULL; c++)
		if (same_name(c->name, name))
		{
			*consistency = (CqlConsistency) c->number;
			return true;
		}
	return false;
}

const char *
cql_error_code_name(int32_t code)
{
	const char *name = find_name(error_codes, code);

	return name != NULL ? name : "unknown error";
}
