/*-------------------------------------------------------------------------
 *
 * request.h
 *	  Bodies of requests.
 *
 * Each function appends the body of one message to `writer`.  CQL_INVALID is
 * returned for what the protocol cannot say: more than 65,535 values or
 * statements, a statement of 2 GiB, a name of 64 KiB.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CQL_REQUEST_H
#define CQL_REQUEST_H

#include "cql/buffer.h"
#include "cql/protocol.h"
#include "cql/response.h"

/* Zero-initialised: ANY is no consistency for reads, so set it always. */
typedef struct CqlParameters
{
	CqlConsistency consistency;
	bool		has_serial_consistency;
	CqlConsistency serial_consistency;	/* SERIAL or LOCAL_SERIAL */
	int32_t		page_size;		/* rows; 0: no paging */
	CqlBytes	paging_state;	/* data NULL: from the start */
	bool		has_timestamp;
	int64_t		timestamp;		/* microseconds since 1970-01-01 UTC */
	bool		skip_metadata;	/* of the result: that of the prepared statement
								 * is used.  Never for conditional statements:
								 * their columns depend on the outcome */
	bool		tracing;		/* of the frame */
	uint32_t	npayload;		/* of the frame */
	const CqlPayloadEntry *payload;
} CqlParameters;

typedef enum CqlBatchType
{
	CQL_BATCH_LOGGED = 0,
	CQL_BATCH_UNLOGGED = 1,
	CQL_BATCH_COUNTER = 2
} CqlBatchType;

typedef struct CqlBatchItem
{
	CqlString	text;			/* or, if its data is NULL, */
	CqlBytes	id;				/* of a prepared statement */
	uint32_t	nvalues;
	const CqlBytes *values;
} CqlBatchItem;

typedef struct CqlStringPair
{
	CqlString	key;
	CqlString	value;
} CqlStringPair;

extern CqlStatus cql_request_startup(CqlWriter *writer, uint32_t noptions,
									 const CqlStringPair *options) CQL_MUST_USE;
/* SASL PLAIN (RFC 4616), without an authorisation identity */
extern CqlStatus cql_request_auth_plain(CqlWriter *writer, CqlString username,
										CqlString password) CQL_MUST_USE;
extern CqlStatus cql_request_register(CqlWriter *writer, uint32_t nevents,
									  const CqlString *events) CQL_MUST_USE;
extern CqlStatus cql_request_query(CqlWriter *writer, CqlString text,
								   uint32_t nvalues, const CqlBytes *values,
								   const CqlParameters *parameters) CQL_MUST_USE;
extern CqlStatus cql_request_prepare(CqlWriter *writer, CqlString text) CQL_MUST_USE;
extern CqlStatus cql_request_execute(CqlWriter *writer, CqlBytes id,
									 uint32_t nvalues, const CqlBytes *values,
									 const CqlParameters *parameters) CQL_MUST_USE;
/* A batch in pieces: begin, each item, end. */
extern CqlStatus cql_request_batch_begin(CqlWriter *writer, CqlBatchType type,
										 uint32_t nitems) CQL_MUST_USE;
extern CqlStatus cql_request_batch_item(CqlWriter *writer,
										const CqlBatchItem *item) CQL_MUST_USE;
extern CqlStatus cql_request_batch_end(CqlWriter *writer,
									   const CqlParameters *parameters) CQL_MUST_USE;
/* What stands before the body of a request that has a custom payload. */
extern CqlStatus cql_request_payload(CqlWriter *writer, uint32_t npayload,
									 const CqlPayloadEntry *payload) CQL_MUST_USE;

#endif							/* CQL_REQUEST_H */
