/*-------------------------------------------------------------------------
 *
 * name.c
 *	  Identifiers in CQL text.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/name.h"

#include <string.h>

/*
 * Words that are no identifiers without quotes in Cassandra 3 to 5 or in
 * ScyllaDB.  Quotes do no harm where a word is not reserved.
 */
static const char *const reserved_words[] = {
	"add", "allow", "alter", "and", "apply", "asc", "authorize", "batch",
	"begin", "between", "by", "cast", "columnfamily", "create", "default",
	"delete", "desc", "describe", "drop", "entries", "execute", "from", "full",
	"grant", "if", "in", "index", "infinity", "insert", "into", "is",
	"keyspace", "limit", "materialized", "mbean", "mbeans", "modify", "nan",
	"norecursive", "not", "null", "of", "on", "or", "order", "primary",
	"rename", "replace", "revoke", "schema", "scylla_clustering_bound",
	"scylla_counter_shard_list", "scylla_timeuuid_list_index", "select", "set",
	"table", "to", "token", "truncate", "unlogged", "unset", "update", "use",
	"using", "view", "where", "with",
};

/* The name is compared as it is. */
static bool
is_reserved(CqlString name)
{
	for (size_t i = 0; i < sizeof(reserved_words) / sizeof(reserved_words[0]); i++)
		if (cql_string_equals(name, reserved_words[i]))
			return true;
	return false;
}

bool
cql_name_is_plain(CqlString name)
{
	if (name.length == 0 || name.data[0] < 'a' || name.data[0] > 'z')
		return false;
	for (uint32_t i = 1; i < name.length; i++)
	{
		char		c = name.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return !is_reserved(name);
}

CqlStatus
cql_write_quoted(CqlWriter *writer, char quote, CqlString text)
{
	uint32_t	start = 0;

	CQL_TRY(cql_write_u8(writer, (uint8_t) quote));
	for (uint32_t i = 0; i < text.length; i++)
	{
		if (text.data[i] != quote)
			continue;
		/* up to the quote; it begins the next piece too */
		CQL_TRY(cql_write_raw(writer, text.data + start, i + 1 - start));
		start = i;
	}
	if (text.length > start)
		CQL_TRY(cql_write_raw(writer, text.data + start, text.length - start));
	return cql_write_u8(writer, (uint8_t) quote);
}

CqlStatus
cql_write_name(CqlWriter *writer, CqlString name)
{
	if (cql_name_is_plain(name))
		return cql_write_raw(writer, name.data, name.length);
	return cql_write_quoted(writer, '"', name);
}
