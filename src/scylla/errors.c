/*-------------------------------------------------------------------------
 *
 * errors.c
 *	  What goes wrong with a peer, as PostgreSQL's errors.
 *
 * SQLSTATEs are chosen by what a caller may do.  57P03: nothing has been done
 * and the cluster may answer in a while.  08007: a write may have been done, or
 * will yet be done.  58000: the cluster has failed.  An "invalid request" is
 * whatever the server's checks find after parsing; which name is unknown is
 * told by its text alone, so the text is looked at, and it is 22023 where it
 * says nothing that is known.
 *
 * Text of a peer is data: it is never a format, and made valid before it gets
 * into a message.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "mb/pg_wchar.h"
#include "scylla/errors.h"

#define PEER_TEXT_BYTES 360
#define CONTEXT_BYTES 200

/* ScyllaDB's rate limit error; announced as 0xF000 by every release so far. */
#define ERR_RATE_LIMIT 0xF000

/*
 * SQLSTATEs of the server's error codes.
 */
static const struct
{
	int32		code;
	int			sqlstate;
}			code_table[] =
{
	{CQL_ERR_SERVER, ERRCODE_SYSTEM_ERROR},
	{CQL_ERR_PROTOCOL, ERRCODE_PROTOCOL_VIOLATION},
	{CQL_ERR_CREDENTIALS, ERRCODE_INVALID_PASSWORD},
	{CQL_ERR_UNAVAILABLE, ERRCODE_CANNOT_CONNECT_NOW},
	{CQL_ERR_OVERLOADED, ERRCODE_INSUFFICIENT_RESOURCES},
	{CQL_ERR_BOOTSTRAPPING, ERRCODE_CANNOT_CONNECT_NOW},
	{CQL_ERR_TRUNCATE, ERRCODE_SYSTEM_ERROR},
	{CQL_ERR_WRITE_TIMEOUT, ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN},
	{CQL_ERR_READ_TIMEOUT, ERRCODE_SYSTEM_ERROR},
	{CQL_ERR_READ_FAILURE, ERRCODE_SYSTEM_ERROR},
	{CQL_ERR_FUNCTION_FAILURE, ERRCODE_EXTERNAL_ROUTINE_EXCEPTION},
	{CQL_ERR_WRITE_FAILURE, ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN},
	{CQL_ERR_CDC_WRITE_FAILURE, ERRCODE_DISK_FULL},
	{CQL_ERR_CAS_WRITE_UNKNOWN, ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN},
	{CQL_ERR_SYNTAX, ERRCODE_SYNTAX_ERROR},
	{CQL_ERR_UNAUTHORIZED, ERRCODE_INSUFFICIENT_PRIVILEGE},
	{CQL_ERR_CONFIG, ERRCODE_INVALID_PARAMETER_VALUE},
	{CQL_ERR_UNPREPARED, ERRCODE_INVALID_SQL_STATEMENT_NAME},
	{ERR_RATE_LIMIT, ERRCODE_CONFIGURATION_LIMIT_EXCEEDED},
};

/*
 * What texts of an "invalid request" begin and end with, in any case.
 */
static const struct
{
	const char *begin;
	const char *end;
	int			sqlstate;
}			invalid_table[] =
{
	{"undefined column name ", "", ERRCODE_UNDEFINED_COLUMN},	/* Cassandra */
	{"unknown identifier ", "", ERRCODE_UNDEFINED_COLUMN},
	{"unrecognized name ", "", ERRCODE_UNDEFINED_COLUMN},	/* ScyllaDB */
	{"undefined name ", "", ERRCODE_UNDEFINED_COLUMN},
	{"unconfigured table ", "", ERRCODE_UNDEFINED_TABLE},
	{"table ", " does not exist", ERRCODE_UNDEFINED_TABLE},
	{"table ", " doesn't exist", ERRCODE_UNDEFINED_TABLE},
	{"keyspace ", " does not exist", ERRCODE_UNDEFINED_SCHEMA},
	{"keyspace ", " doesn't exist", ERRCODE_UNDEFINED_SCHEMA},
	{"unknown type ", "", ERRCODE_UNDEFINED_OBJECT},
	{"unknown function ", "", ERRCODE_UNDEFINED_FUNCTION},
};

/*
 * Whether a text begins with one text and ends with another, in any case.
 */
static bool
begins_and_ends(CqlString text, const char *begin, const char *end)
{
	size_t		nbegin = strlen(begin);
	size_t		nend = strlen(end);

	return text.length >= nbegin + nend &&
		pg_strncasecmp(text.data, begin, nbegin) == 0 &&
		pg_strncasecmp(text.data + text.length - nend, end, nend) == 0;
}

/*
 * The SQLSTATE of an "invalid request", by its text.
 */
static int
invalid_sqlstate(CqlString message)
{
	for (size_t i = 0; i < lengthof(invalid_table); i++)
	{
		if (begins_and_ends(message, invalid_table[i].begin, invalid_table[i].end))
			return invalid_table[i].sqlstate;
	}
	return ERRCODE_INVALID_PARAMETER_VALUE;
}

/*
 * The SQLSTATE of "already exists": of a table (or index or type), a keyspace.
 */
static int
exists_sqlstate(const CqlServerError *error)
{
	if (error->table.length > 0)
		return ERRCODE_DUPLICATE_TABLE;
	return error->keyspace.length > 0 ? ERRCODE_DUPLICATE_SCHEMA : ERRCODE_DUPLICATE_OBJECT;
}

int
btm_scylla_sqlstate(const CqlServerError *error)
{
	if (error->code == CQL_ERR_INVALID)
		return invalid_sqlstate(error->message);
	if (error->code == CQL_ERR_ALREADY_EXISTS)
		return exists_sqlstate(error);
	for (size_t i = 0; i < lengthof(code_table); i++)
	{
		if (code_table[i].code == error->code)
			return code_table[i].sqlstate;
	}
	return ERRCODE_SYSTEM_ERROR;
}

/*
 * The SQLSTATE of a failure of the wire client.
 */
static int
wire_sqlstate(CqlStatus status)
{
	switch (status)
	{
		case CQL_NO_MEMORY:
			return ERRCODE_OUT_OF_MEMORY;
		case CQL_MALFORMED:
			return ERRCODE_PROTOCOL_VIOLATION;
		case CQL_TOO_LARGE:
			return ERRCODE_PROGRAM_LIMIT_EXCEEDED;
		case CQL_INVALID:
			return ERRCODE_INVALID_PARAMETER_VALUE;
		case CQL_UNSUPPORTED:
			return ERRCODE_FEATURE_NOT_SUPPORTED;
		case CQL_REFUSED:
			return ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION;
		case CQL_BUSY:
			return ERRCODE_OBJECT_IN_USE;
		case CQL_OK:
			break;
	}
	return ERRCODE_INTERNAL_ERROR;
}

/*
 * Copies text of a peer to `to` (room for `size` bytes, terminator included):
 * control characters become blanks, and what is no UTF-8, or cannot be said in
 * the database's encoding, question marks.
 */
static void
copy_peer_text(char *to, size_t size, const char *text, size_t length)
{
	bool		utf8 = GetDatabaseEncoding() == PG_UTF8;
	const char *end = text + length;

	while (text < end)
	{
		int			width = pg_encoding_mblen(PG_UTF8, text);
		bool		ascii = !IS_HIGHBIT_SET(*text);

		if (!ascii && (width > end - text ||
					   !pg_utf8_islegal((const unsigned char *) text, width)))
			width = 1, ascii = true;
		if (size <= (size_t) width)
			break;
		if (ascii)
			*to++ = IS_HIGHBIT_SET(*text) ? '?' : (unsigned char) *text < ' ' || *text == 0x7F ? ' ' : *text;
		else if (utf8)
			to = (char *) memcpy(to, text, width) + width;
		else
			*to++ = '?';
		size -= utf8 ? width : 1;
		text += width;
	}
	*to = '\0';
}

char *
btm_scylla_peer_text(CqlString text)
{
	char	   *result = palloc(PEER_TEXT_BYTES + 1);

	copy_peer_text(result, PEER_TEXT_BYTES + 1, text.data, text.length);
	return result;
}

void
btm_scylla_fail(BtmScyllaFailure *failure, int sqlstate, const char *format,...)
{
	va_list		arguments;
	int			room = sizeof(failure->reason) - 1;
	int			length;

	failure->sqlstate = sqlstate;
	failure->timed_out = false;
	va_start(arguments, format);
	length = vsnprintf(failure->reason, sizeof(failure->reason), format, arguments);
	va_end(arguments);
	if (length > room)			/* not in the midst of a character */
		failure->reason[pg_mbcliplen(failure->reason, room, room)] = '\0';
}

void
btm_scylla_fail_server(BtmScyllaFailure *failure, const CqlServerError *error)
{
	failure->sqlstate = btm_scylla_sqlstate(error);
	failure->timed_out = false;
	copy_peer_text(failure->reason, sizeof(failure->reason),
				   error->message.data, error->message.length);
}

void
btm_scylla_fail_wire(BtmScyllaFailure *failure, const CqlError *error)
{
	failure->sqlstate = wire_sqlstate(error->status);
	failure->timed_out = false;
	copy_peer_text(failure->reason, sizeof(failure->reason),
				   error->message, strlen(error->message));
}

int
btm_scylla_errcontext(const char *cql)
{
	int			length;

	if (cql == NULL)
		return 0;
	cql = pg_any_to_server(cql, strlen(cql), PG_UTF8);
	length = strlen(cql);
	if (length <= CONTEXT_BYTES)
		return errcontext("CQL statement: %s", cql);
	return errcontext("CQL statement: %.*s...",
					  pg_mbcliplen(cql, length, CONTEXT_BYTES), cql);
}

/*
 * The server's text, with the numbers of replicas where it has told some.
 */
static char *
server_detail(const CqlServerError *error)
{
	char	   *text = btm_scylla_peer_text(error->message);

	switch (error->code)
	{
		case CQL_ERR_UNAVAILABLE:
		case CQL_ERR_WRITE_TIMEOUT:
		case CQL_ERR_READ_TIMEOUT:
		case CQL_ERR_READ_FAILURE:
		case CQL_ERR_WRITE_FAILURE:
			return psprintf("%s (replicas: %d of %d)", text, error->received,
							error->required);
		default:
			return text;
	}
}

void
btm_scylla_raise(const CqlServerError *error, const char *where, const char *cql)
{
	char	   *detail = server_detail(error);

	ereport(ERROR,
			(errcode(btm_scylla_sqlstate(error)),
			 errmsg("CQL error of server \"%s\": %s", where,
					cql_error_code_name(error->code)),
			 detail[0] != '\0' ? errdetail_internal("%s", detail) : 0,
			 btm_scylla_errcontext(cql)));
}

void
btm_scylla_raise_wire(const CqlError *error, const char *where)
{
	BtmScyllaFailure failure;

	btm_scylla_fail_wire(&failure, error);
	ereport(ERROR,
			(errcode(failure.sqlstate),
			 where != NULL ? errmsg("%s: %s", where, failure.reason)
			 : errmsg("%s", failure.reason)));
}
