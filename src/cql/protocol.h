/*-------------------------------------------------------------------------
 *
 * protocol.h
 *	  Numbers of the CQL native protocol v4.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CQL_PROTOCOL_H
#define CQL_PROTOCOL_H

#include "cql/base.h"

#define CQL_PROTOCOL_VERSION 4
#define CQL_VERSION_REQUEST 0x04
#define CQL_VERSION_RESPONSE 0x84
#define CQL_HEADER_SIZE 9
#define CQL_MAX_BODY_SIZE (256 * 1024 * 1024)
#define CQL_MAX_STREAMS 32768
#define CQL_EVENT_STREAM (-1)

typedef enum CqlFrameFlag
{
	CQL_FRAME_COMPRESSED = 0x01,
	CQL_FRAME_TRACING = 0x02,
	CQL_FRAME_PAYLOAD = 0x04,
	CQL_FRAME_WARNINGS = 0x08
} CqlFrameFlag;

typedef enum CqlOpcode
{
	CQL_OP_ERROR = 0x00,
	CQL_OP_STARTUP = 0x01,
	CQL_OP_READY = 0x02,
	CQL_OP_AUTHENTICATE = 0x03,
	CQL_OP_OPTIONS = 0x05,
	CQL_OP_SUPPORTED = 0x06,
	CQL_OP_QUERY = 0x07,
	CQL_OP_RESULT = 0x08,
	CQL_OP_PREPARE = 0x09,
	CQL_OP_EXECUTE = 0x0A,
	CQL_OP_REGISTER = 0x0B,
	CQL_OP_EVENT = 0x0C,
	CQL_OP_BATCH = 0x0D,
	CQL_OP_AUTH_CHALLENGE = 0x0E,
	CQL_OP_AUTH_RESPONSE = 0x0F,
	CQL_OP_AUTH_SUCCESS = 0x10
} CqlOpcode;

typedef enum CqlConsistency
{
	CQL_CONSISTENCY_ANY = 0x0000,
	CQL_CONSISTENCY_ONE = 0x0001,
	CQL_CONSISTENCY_TWO = 0x0002,
	CQL_CONSISTENCY_THREE = 0x0003,
	CQL_CONSISTENCY_QUORUM = 0x0004,
	CQL_CONSISTENCY_ALL = 0x0005,
	CQL_CONSISTENCY_LOCAL_QUORUM = 0x0006,
	CQL_CONSISTENCY_EACH_QUORUM = 0x0007,
	CQL_CONSISTENCY_SERIAL = 0x0008,
	CQL_CONSISTENCY_LOCAL_SERIAL = 0x0009,
	CQL_CONSISTENCY_LOCAL_ONE = 0x000A
} CqlConsistency;

/* "LOCAL_QUORUM"; NULL for a number that is none.  A static string. */
extern const char *cql_consistency_name(int consistency);
/* In any case, with _ or without; false if there is none of that name. */
extern bool cql_consistency_parse(const char *name, CqlConsistency *consistency);

typedef enum CqlErrorCode
{
	CQL_ERR_SERVER = 0x0000,
	CQL_ERR_PROTOCOL = 0x000A,
	CQL_ERR_CREDENTIALS = 0x0100,
	CQL_ERR_UNAVAILABLE = 0x1000,
	CQL_ERR_OVERLOADED = 0x1001,
	CQL_ERR_BOOTSTRAPPING = 0x1002,
	CQL_ERR_TRUNCATE = 0x1003,
	CQL_ERR_WRITE_TIMEOUT = 0x1100,
	CQL_ERR_READ_TIMEOUT = 0x1200,
	CQL_ERR_READ_FAILURE = 0x1300,
	CQL_ERR_FUNCTION_FAILURE = 0x1400,
	CQL_ERR_WRITE_FAILURE = 0x1500,
	CQL_ERR_CDC_WRITE_FAILURE = 0x1600,
	CQL_ERR_CAS_WRITE_UNKNOWN = 0x1700,
	CQL_ERR_SYNTAX = 0x2000,
	CQL_ERR_UNAUTHORIZED = 0x2100,
	CQL_ERR_INVALID = 0x2200,
	CQL_ERR_CONFIG = 0x2300,
	CQL_ERR_ALREADY_EXISTS = 0x2400,
	CQL_ERR_UNPREPARED = 0x2500
} CqlErrorCode;

/* "unavailable"; "unknown error" for a code that is none.  A static string. */
extern const char *cql_error_code_name(int32_t code);

typedef enum CqlTypeId
{
	CQL_TYPE_CUSTOM = 0x00,
	CQL_TYPE_ASCII = 0x01,
	CQL_TYPE_BIGINT = 0x02,
	CQL_TYPE_BLOB = 0x03,
	CQL_TYPE_BOOLEAN = 0x04,
	CQL_TYPE_COUNTER = 0x05,
	CQL_TYPE_DECIMAL = 0x06,
	CQL_TYPE_DOUBLE = 0x07,
	CQL_TYPE_FLOAT = 0x08,
	CQL_TYPE_INT = 0x09,
	CQL_TYPE_TIMESTAMP = 0x0B,
	CQL_TYPE_UUID = 0x0C,
	CQL_TYPE_VARCHAR = 0x0D,
	CQL_TYPE_VARINT = 0x0E,
	CQL_TYPE_TIMEUUID = 0x0F,
	CQL_TYPE_INET = 0x10,
	CQL_TYPE_DATE = 0x11,
	CQL_TYPE_TIME = 0x12,
	CQL_TYPE_SMALLINT = 0x13,
	CQL_TYPE_TINYINT = 0x14,
	CQL_TYPE_DURATION = 0x15,
	CQL_TYPE_LIST = 0x20,
	CQL_TYPE_MAP = 0x21,
	CQL_TYPE_SET = 0x22,
	CQL_TYPE_UDT = 0x30,
	CQL_TYPE_TUPLE = 0x31,
	CQL_TYPE_VECTOR = 0x10000	/* ours: a custom type on the wire */
} CqlTypeId;

#endif							/* CQL_PROTOCOL_H */
