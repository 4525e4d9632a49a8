/*-------------------------------------------------------------------------
 *
 * request.c
 *	  Bodies of requests (native protocol v4, section 4.1).
 *
 *-------------------------------------------------------------------------
 */
#include "cql/request.h"

#include <string.h>

/* <flags> of <query_parameters>, section 4.1.4 */
#define PARAMETER_VALUES 0x01
#define PARAMETER_SKIP_METADATA 0x02
#define PARAMETER_PAGE_SIZE 0x04
#define PARAMETER_PAGING_STATE 0x08
#define PARAMETER_SERIAL_CONSISTENCY 0x10
#define PARAMETER_TIMESTAMP 0x20

/* <kind> of a batch's statement, section 4.1.7 */
#define BATCH_TEXT 0
#define BATCH_PREPARED 1

/* A number of things, as [short]. */
static CqlStatus
write_count(CqlWriter *writer, uint32_t count, const char *things)
{
	if (count > UINT16_MAX)
		return cql_fail(writer->error, CQL_INVALID,
						"%u %s are more than the protocol can say (%d)",
						(unsigned) count, things, UINT16_MAX);
	return cql_write_u16(writer, (uint16_t) count);
}

/* Section 4.1.1: [string map] */
CqlStatus
cql_request_startup(CqlWriter *writer, uint32_t noptions,
					const CqlStringPair *options)
{
	CQL_TRY(write_count(writer, noptions, "options"));
	for (uint32_t i = 0; i < noptions; i++)
	{
		CQL_TRY(cql_write_string(writer, options[i].key));
		CQL_TRY(cql_write_string(writer, options[i].value));
	}
	return CQL_OK;
}

/* NUL separates the parts of the message, so none of them can have one. */
static CqlStatus
check_no_nul(CqlWriter *writer, CqlString text, const char *what)
{
	if (text.length > 0 && memchr(text.data, '\0', text.length) != NULL)
		return cql_fail(writer->error, CQL_INVALID, "%s has a NUL character", what);
	return CQL_OK;
}

/* Section 4.1.2: [bytes] */
CqlStatus
cql_request_auth_plain(CqlWriter *writer, CqlString username, CqlString password)
{
	uint64_t	length = 2 + (uint64_t) username.length + password.length;

	CQL_TRY(check_no_nul(writer, username, "user name"));
	CQL_TRY(check_no_nul(writer, password, "password"));
	if (length > INT32_MAX)
		return cql_fail(writer->error, CQL_INVALID,
						"user name and password are too long for the protocol");
	CQL_TRY(cql_write_i32(writer, (int32_t) length));
	CQL_TRY(cql_write_u8(writer, 0));
	CQL_TRY(cql_write_raw(writer, username.data, username.length));
	CQL_TRY(cql_write_u8(writer, 0));
	return cql_write_raw(writer, password.data, password.length);
}

/* Section 4.1.8: [string list] */
CqlStatus
cql_request_register(CqlWriter *writer, uint32_t nevents, const CqlString *events)
{
	CQL_TRY(write_count(writer, nevents, "event types"));
	for (uint32_t i = 0; i < nevents; i++)
		CQL_TRY(cql_write_string(writer, events[i]));
	return CQL_OK;
}

/* [value]s after their number */
static CqlStatus
write_values(CqlWriter *writer, uint32_t nvalues, const CqlBytes *values)
{
	CQL_TRY(write_count(writer, nvalues, "values"));
	for (uint32_t i = 0; i < nvalues; i++)
	{
		if (values[i].length < CQL_LENGTH_UNSET)
			return cql_fail(writer->error, CQL_INVALID,
							"value %u has a length of %d", (unsigned) i + 1,
							(int) values[i].length);
		CQL_TRY(cql_write_bytes(writer, values[i]));
	}
	return CQL_OK;
}

/* What cannot be meant. */
static CqlStatus
check_parameters(CqlWriter *writer, const CqlParameters *parameters)
{
	if (parameters->page_size < 0)
		return cql_fail(writer->error, CQL_INVALID, "page size is %d",
						(int) parameters->page_size);
	if (parameters->has_serial_consistency &&
		parameters->serial_consistency != CQL_CONSISTENCY_SERIAL &&
		parameters->serial_consistency != CQL_CONSISTENCY_LOCAL_SERIAL)
		return cql_fail(writer->error, CQL_INVALID,
						"serial consistency %d is neither SERIAL nor LOCAL_SERIAL",
						(int) parameters->serial_consistency);
	return CQL_OK;
}

/* Those that QUERY, EXECUTE and BATCH have. */
static uint8_t
common_flags(const CqlParameters *parameters)
{
	return (uint8_t) ((parameters->has_serial_consistency ? PARAMETER_SERIAL_CONSISTENCY : 0) |
					  (parameters->has_timestamp ? PARAMETER_TIMESTAMP : 0));
}

static uint8_t
parameter_flags(uint32_t nvalues, const CqlParameters *parameters)
{
	return (uint8_t) (common_flags(parameters) |
					  (nvalues > 0 ? PARAMETER_VALUES : 0) |
					  (parameters->skip_metadata ? PARAMETER_SKIP_METADATA : 0) |
					  (parameters->page_size > 0 ? PARAMETER_PAGE_SIZE : 0) |
					  (parameters->paging_state.data != NULL ? PARAMETER_PAGING_STATE : 0));
}

/* What common_flags announces. */
static CqlStatus
write_common(CqlWriter *writer, const CqlParameters *parameters)
{
	if (parameters->has_serial_consistency)
		CQL_TRY(cql_write_u16(writer, (uint16_t) parameters->serial_consistency));
	if (parameters->has_timestamp)
		CQL_TRY(cql_write_i64(writer, parameters->timestamp));
	return CQL_OK;
}

/* <query_parameters>, section 4.1.4 */
static CqlStatus
write_parameters(CqlWriter *writer, uint32_t nvalues, const CqlBytes *values,
				 const CqlParameters *parameters)
{
	CQL_TRY(check_parameters(writer, parameters));
	CQL_TRY(cql_write_u16(writer, (uint16_t) parameters->consistency));
	CQL_TRY(cql_write_u8(writer, parameter_flags(nvalues, parameters)));
	if (nvalues > 0)
		CQL_TRY(write_values(writer, nvalues, values));
	if (parameters->page_size > 0)
		CQL_TRY(cql_write_i32(writer, parameters->page_size));
	if (parameters->paging_state.data != NULL)
		CQL_TRY(cql_write_bytes(writer, parameters->paging_state));
	return write_common(writer, parameters);
}

/* Section 4.1.4 */
CqlStatus
cql_request_query(CqlWriter *writer, CqlString text, uint32_t nvalues,
				  const CqlBytes *values, const CqlParameters *parameters)
{
	CQL_TRY(cql_write_long_string(writer, text));
	return write_parameters(writer, nvalues, values, parameters);
}

/* Section 4.1.5 */
CqlStatus
cql_request_prepare(CqlWriter *writer, CqlString text)
{
	return cql_write_long_string(writer, text);
}

/* Section 4.1.6 */
CqlStatus
cql_request_execute(CqlWriter *writer, CqlBytes id, uint32_t nvalues,
					const CqlBytes *values, const CqlParameters *parameters)
{
	CQL_TRY(cql_write_short_bytes(writer, id));
	return write_parameters(writer, nvalues, values, parameters);
}

/* Section 4.1.7 */
CqlStatus
cql_request_batch_begin(CqlWriter *writer, CqlBatchType type, uint32_t nitems)
{
	if ((unsigned) type > CQL_BATCH_COUNTER)
		return cql_fail(writer->error, CQL_INVALID,
						"there is no batch of type %d", (int) type);
	CQL_TRY(cql_write_u8(writer, (uint8_t) type));
	return write_count(writer, nitems, "statements");
}

CqlStatus
cql_request_batch_item(CqlWriter *writer, const CqlBatchItem *item)
{
	if (item->text.data != NULL)
	{
		CQL_TRY(cql_write_u8(writer, BATCH_TEXT));
		CQL_TRY(cql_write_long_string(writer, item->text));
	}
	else
	{
		CQL_TRY(cql_write_u8(writer, BATCH_PREPARED));
		CQL_TRY(cql_write_short_bytes(writer, item->id));
	}
	return write_values(writer, item->nvalues, item->values);
}

CqlStatus
cql_request_batch_end(CqlWriter *writer, const CqlParameters *parameters)
{
	CQL_TRY(check_parameters(writer, parameters));
	CQL_TRY(cql_write_u16(writer, (uint16_t) parameters->consistency));
	CQL_TRY(cql_write_u8(writer, common_flags(parameters)));
	return write_common(writer, parameters);
}

/* Section 2.2, flag 0x04: [bytes map] */
CqlStatus
cql_request_payload(CqlWriter *writer, uint32_t npayload,
					const CqlPayloadEntry *payload)
{
	CQL_TRY(write_count(writer, npayload, "payload entries"));
	for (uint32_t i = 0; i < npayload; i++)
	{
		if (payload[i].value.length < CQL_LENGTH_NULL)
			return cql_fail(writer->error, CQL_INVALID,
							"payload entry %u has a length of %d",
							(unsigned) i + 1, (int) payload[i].value.length);
		CQL_TRY(cql_write_string(writer, payload[i].key));
		CQL_TRY(cql_write_bytes(writer, payload[i].value));
	}
	return CQL_OK;
}
