/*-------------------------------------------------------------------------
 *
 * response.h
 *	  What a server's frame says.
 *
 * A response owns its frame's body and an arena; strings and values point
 * into them and live until cql_response_free.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CQL_RESPONSE_H
#define CQL_RESPONSE_H

#include "cql/type.h"

typedef enum CqlResponseKind
{
	CQL_RESPONSE_ERROR,
	CQL_RESPONSE_READY,
	CQL_RESPONSE_AUTHENTICATE,
	CQL_RESPONSE_AUTH_CHALLENGE,
	CQL_RESPONSE_AUTH_SUCCESS,
	CQL_RESPONSE_SUPPORTED,
	CQL_RESPONSE_VOID,
	CQL_RESPONSE_ROWS,
	CQL_RESPONSE_SET_KEYSPACE,
	CQL_RESPONSE_PREPARED,
	CQL_RESPONSE_SCHEMA_CHANGE,
	CQL_RESPONSE_EVENT
} CqlResponseKind;

typedef struct CqlStringList
{
	uint32_t	count;
	const CqlString *items;
} CqlStringList;

typedef struct CqlMultimapEntry
{
	CqlString	key;
	CqlStringList values;
} CqlMultimapEntry;

typedef struct CqlPayloadEntry
{
	CqlString	key;
	CqlBytes	value;
} CqlPayloadEntry;

typedef struct CqlColumn
{
	CqlString	keyspace;
	CqlString	table;
	CqlString	name;
	const CqlType *type;
} CqlColumn;

typedef struct CqlMetadata
{
	uint32_t	ncolumns;
	const CqlColumn *columns;	/* NULL if the server was asked to skip them;
									 * a prepared statement has all */
	bool		has_more_pages;
	CqlBytes	paging_state;	/* null unless there are more pages */
	uint32_t	flags;			/* as on the wire */

	/* of a statement's markers only */
	uint32_t	npartition_key;
	const uint16_t *partition_key;	/* markers that are the partition key */
} CqlMetadata;

/* Fields beyond code and message are those of the code, else zero. */
typedef struct CqlServerError
{
	int32_t		code;			/* CqlErrorCode, or another */
	CqlString	message;
	int			consistency;	/* unavailable, timeouts, failures */
	int32_t		required;		/* required, or block for */
	int32_t		received;		/* alive, or received */
	int32_t		failures;
	bool		data_present;	/* read timeout and failure */
	CqlString	write_type;		/* write timeout and failure: an open set */
	CqlString	keyspace;		/* already exists, function failure */
	CqlString	table;			/* already exists */
	CqlString	function;		/* function failure */
	CqlStringList argument_types;
	CqlBytes	statement_id;	/* unprepared */
	uint8_t		operation;		/* ScyllaDB's rate limit error: 0 read, 1 write */
	bool		by_coordinator;
} CqlServerError;

typedef struct CqlSchemaChange
{
	CqlString	change;			/* CREATED, UPDATED, DROPPED */
	CqlString	target;			/* KEYSPACE, TABLE, TYPE, FUNCTION, AGGREGATE */
	CqlString	keyspace;
	CqlString	name;			/* empty for a keyspace */
	CqlStringList argument_types;
} CqlSchemaChange;

typedef struct CqlServerEvent
{
	CqlString	type;			/* TOPOLOGY_CHANGE, STATUS_CHANGE, SCHEMA_CHANGE,
								 * or one that is not known: then only this */
	CqlString	change;			/* NEW_NODE, REMOVED_NODE, UP, DOWN */
	CqlBytes	address;		/* 4 or 16 bytes */
	int32_t		port;
	CqlSchemaChange schema;
} CqlServerEvent;

typedef struct CqlRows
{
	CqlMetadata metadata;
	uint32_t	count;
	CqlBytes	content;		/* the rows: read by CqlRowReader */
} CqlRows;

typedef struct CqlPreparedResult
{
	CqlBytes	id;
	CqlMetadata markers;
	CqlMetadata result;
} CqlPreparedResult;

typedef struct CqlResponse
{
	CqlResponseKind kind;
	int16_t		stream;

	bool		has_tracing_id;
	uint8_t		tracing_id[16];
	CqlStringList warnings;
	uint32_t	npayload;
	const CqlPayloadEntry *payload;

	union
	{
		CqlServerError error;
		CqlString	authenticator;	/* AUTHENTICATE: the class */
		CqlBytes	token;		/* AUTH_CHALLENGE, AUTH_SUCCESS */
		struct
		{
			uint32_t	count;
			const CqlMultimapEntry *entries;
		}			supported;
		CqlRows		rows;
		CqlString	keyspace;	/* SET_KEYSPACE */
		CqlPreparedResult prepared;
		CqlSchemaChange schema;
		CqlServerEvent event;
	}			u;

	/* what it owns */
	CqlArena	arena;
	uint8_t    *body;			/* by the arena's allocator; may be NULL */
} CqlResponse;

/*
 * Takes a frame's body (not compressed) apart.  `rate_limit_code` is the error
 * code that the server has announced for ScyllaDB's rate limit error, or -1.
 * Bytes after what is known are ignored, as the specification asks.  The
 * response must be zeroed, with its arena initialised; it keeps pointers into
 * `body` but owns it only once the caller sets response->body.
 */
extern CqlStatus cql_response_read(CqlResponse *response, uint8_t opcode,
								   uint8_t flags, const uint8_t *body,
								   size_t length, int32_t rate_limit_code,
								   const CqlLimits *limits,
								   CqlError *error) CQL_MUST_USE;

/* Frees what it owns, and the response itself (by the arena's allocator). */
extern void cql_response_free(CqlResponse *response);

/*
 * The rows of a response, one after the other.  `metadata` is the response's
 * own or, if the server was asked to skip it, that of the prepared statement;
 * its number of columns must be the response's (CQL_MALFORMED).
 */
typedef struct CqlRowReader
{
	CqlReader	reader;
	uint32_t	ncolumns;
	uint32_t	left;			/* rows */
} CqlRowReader;

extern CqlStatus cql_rows_begin(CqlRowReader *rows, const CqlRows *from,
								const CqlMetadata *metadata,
								const CqlLimits *limits, CqlError *error) CQL_MUST_USE;
/* While rows->left > 0.  `cells` has room for ncolumns. */
extern CqlStatus cql_rows_next(CqlRowReader *rows, CqlBytes *cells) CQL_MUST_USE;

#endif							/* CQL_RESPONSE_H */
