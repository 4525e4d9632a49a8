/*-------------------------------------------------------------------------
 *
 * walk.c
 *	  Reads all that a decoded type, value or response has.
 *
 * Decoded values are encoded again where that must give what was there.
 *
 *-------------------------------------------------------------------------
 */
#include "walk.h"

#define WALK_DIGITS 2000

void
walk_begin(Walk *walk, CqlAllocator *allocator, const CqlLimits *limits)
{
	walk->allocator = allocator;
	walk->limits = limits;
	cql_writer_init(&walk->text, allocator, 1 << 20, NULL);
	cql_writer_init(&walk->bytes, allocator, 1 << 20, NULL);
}

void
walk_end(Walk *walk)
{
	cql_writer_free(&walk->text);
	cql_writer_free(&walk->bytes);
}

/* ---- types */

void
walk_type_tree(const CqlType *type, uint32_t depth)
{
	CLAIM(depth <= fuzz_limits.nesting + 1);
	fuzz_touch_string(type->keyspace);
	fuzz_touch_string(type->name);
	for (uint32_t i = 0; i < type->nelements; i++)
	{
		if (type->fields != NULL)
			fuzz_touch_string(type->fields[i]);
		walk_type_tree(type->elements[i], depth + 1);
	}
}

void
walk_type(Walk *walk, const CqlType *type)
{
	walk_type_tree(type, 0);
	CLAIM(cql_type_equals(type, type));
	(void) cql_type_fixed_size(type);
	cql_writer_reset(&walk->text);
	(void) (cql_type_print(&walk->text, type) == CQL_OK);
}

/* ---- values */

/* A number's text is accepted again, and gives the same text once more. */
static void
walk_number(Walk *walk, const CqlType *type, CqlBytes bytes)
{
	bool		decimal = type->id == CQL_TYPE_DECIMAL;
	CqlWriter	again;
	CqlStatus	status;

	cql_writer_reset(&walk->text);
	cql_writer_reset(&walk->bytes);
	status = decimal ? cql_decode_decimal(bytes, WALK_DIGITS, &walk->text, NULL) :
		cql_decode_varint(bytes, WALK_DIGITS, &walk->text, NULL);
	if (status != CQL_OK)
		return;

	cql_writer_init(&again, walk->allocator, 1 << 20, NULL);
	{
		CqlString	text = {(char *) walk->text.data, (uint32_t) walk->text.length};
		CqlBytes	encoded;

		status = decimal ? cql_encode_decimal(&walk->bytes, text, WALK_DIGITS) :
			cql_encode_varint(&walk->bytes, text, WALK_DIGITS);
		if (status == CQL_OK)
		{
			encoded = (CqlBytes) {walk->bytes.data, (int32_t) walk->bytes.length};
			CLAIM(encoded.length <= bytes.length);
			status = decimal ? cql_decode_decimal(encoded, WALK_DIGITS, &again, NULL) :
				cql_decode_varint(encoded, WALK_DIGITS, &again, NULL);
		}
		if (status == CQL_OK)
			CLAIM(again.length == text.length && memcmp(again.data, text.data, text.length) == 0);
		CLAIM(status == CQL_OK || status == CQL_NO_MEMORY);
	}
	cql_writer_free(&again);
}

static void
walk_duration(Walk *walk, CqlBytes bytes)
{
	CqlDuration duration;
	CqlDuration again;

	if (cql_decode_duration(bytes, &duration, NULL) != CQL_OK)
		return;
	cql_writer_reset(&walk->bytes);
	if (cql_encode_duration(&walk->bytes, &duration) == CQL_NO_MEMORY)
		return;
	bytes = (CqlBytes) {walk->bytes.data, (int32_t) walk->bytes.length};
	CLAIM(cql_decode_duration(bytes, &again, NULL) == CQL_OK);
	CLAIM(duration.months == again.months && duration.days == again.days &&
		  duration.nanoseconds == again.nanoseconds);
}

/* Values of a fixed size are the same bytes again. */
static void
walk_same_bytes(Walk *walk, CqlBytes bytes, CqlStatus encoded)
{
	CLAIM(encoded == CQL_OK || encoded == CQL_NO_MEMORY);
	if (encoded == CQL_OK)
		CLAIM(walk->bytes.length == (size_t) bytes.length &&
			  memcmp(walk->bytes.data, bytes.data, walk->bytes.length) == 0);
}

static void
walk_integer(Walk *walk, const CqlType *type, CqlBytes bytes)
{
	int64_t		value;

	cql_writer_reset(&walk->bytes);
	if (cql_decode_integer(type->id, bytes, &value, NULL) == CQL_OK)
		walk_same_bytes(walk, bytes, cql_encode_integer(&walk->bytes, type->id, value));
}

static void
walk_moment(Walk *walk, const CqlType *type, CqlBytes bytes)
{
	int64_t		value;
	int32_t		days;

	cql_writer_reset(&walk->bytes);
	if (type->id == CQL_TYPE_DATE && cql_decode_date(bytes, &days, NULL) == CQL_OK)
		walk_same_bytes(walk, bytes, cql_encode_date(&walk->bytes, days));
	if (type->id == CQL_TYPE_TIME && cql_decode_time(bytes, &value, NULL) == CQL_OK)
		walk_same_bytes(walk, bytes, cql_encode_time(&walk->bytes, value));
	if (type->id == CQL_TYPE_TIMESTAMP && cql_decode_timestamp(bytes, &value, NULL) == CQL_OK)
		walk_same_bytes(walk, bytes, cql_encode_timestamp(&walk->bytes, value));
}

/* NaNs too keep their bits on the way, where the machine does not quiet them. */
static void
walk_real(Walk *walk, const CqlType *type, CqlBytes bytes)
{
	float		single;
	double		real;

	cql_writer_reset(&walk->bytes);
	if (type->id == CQL_TYPE_FLOAT && cql_decode_float(bytes, &single, NULL) == CQL_OK)
		walk_same_bytes(walk, bytes, cql_encode_float(&walk->bytes, single));
	if (type->id == CQL_TYPE_DOUBLE && cql_decode_double(bytes, &real, NULL) == CQL_OK)
		walk_same_bytes(walk, bytes, cql_encode_double(&walk->bytes, real));
}

/* Elements, and those of their own. */
static void
walk_elements(Walk *walk, const CqlType *type, CqlBytes bytes)
{
	CqlElements elements;
	CqlError	error = {0};
	CqlBytes	value;
	const CqlType *of;

	if (cql_elements_begin(&elements, type, bytes, walk->limits, &error) != CQL_OK)
		return;
	CLAIM(elements.count <= 2 * walk->limits->elements || type->id == CQL_TYPE_VECTOR ||
		  type->id == CQL_TYPE_TUPLE || type->id == CQL_TYPE_UDT);
	for (uint32_t i = 0; i < elements.count; i++)
	{
		if (cql_elements_next(&elements, &value, &of) != CQL_OK)
			return;
		fuzz_touch_bytes(value);
		if (value.length >= 0)
			walk_value(walk, of, value);
	}
	(void) (cql_elements_end(&elements) == CQL_OK);
}

void
walk_value(Walk *walk, const CqlType *type, CqlBytes bytes)
{
	bool		boolean;
	const uint8_t *uuid;

	fuzz_touch_bytes(bytes);
	if (cql_value_is_empty(type, bytes))
	{
		CLAIM(bytes.length == 0);
		return;
	}
	switch (type->id)
	{
		case CQL_TYPE_BOOLEAN:
			(void) (cql_decode_boolean(bytes, &boolean, NULL) == CQL_OK);
			break;
		case CQL_TYPE_TINYINT:
		case CQL_TYPE_SMALLINT:
		case CQL_TYPE_INT:
		case CQL_TYPE_BIGINT:
		case CQL_TYPE_COUNTER:
			walk_integer(walk, type, bytes);
			break;
		case CQL_TYPE_FLOAT:
		case CQL_TYPE_DOUBLE:
			walk_real(walk, type, bytes);
			break;
		case CQL_TYPE_DATE:
		case CQL_TYPE_TIME:
		case CQL_TYPE_TIMESTAMP:
			walk_moment(walk, type, bytes);
			break;
		case CQL_TYPE_UUID:
		case CQL_TYPE_TIMEUUID:
			if (cql_decode_uuid(bytes, &uuid, NULL) == CQL_OK)
				fuzz_touch(uuid, 16);
			break;
		case CQL_TYPE_VARINT:
		case CQL_TYPE_DECIMAL:
			walk_number(walk, type, bytes);
			break;
		case CQL_TYPE_DURATION:
			walk_duration(walk, bytes);
			break;
		case CQL_TYPE_LIST:
		case CQL_TYPE_SET:
		case CQL_TYPE_MAP:
		case CQL_TYPE_TUPLE:
		case CQL_TYPE_UDT:
		case CQL_TYPE_VECTOR:
			walk_elements(walk, type, bytes);
			break;
		default:
			break;
	}
}

/* ---- responses */

static void
walk_strings(const CqlStringList *list)
{
	for (uint32_t i = 0; i < list->count; i++)
		fuzz_touch_string(list->items[i]);
}

static void
walk_metadata(Walk *walk, const CqlMetadata *metadata)
{
	CLAIM(metadata->ncolumns <= walk->limits->columns);
	fuzz_touch_bytes(metadata->paging_state);
	CLAIM(metadata->has_more_pages || metadata->paging_state.length < 0);
	for (uint32_t i = 0; metadata->columns != NULL && i < metadata->ncolumns; i++)
	{
		fuzz_touch_string(metadata->columns[i].keyspace);
		fuzz_touch_string(metadata->columns[i].table);
		fuzz_touch_string(metadata->columns[i].name);
		walk_type(walk, metadata->columns[i].type);
	}
	for (uint32_t i = 0; i < metadata->npartition_key; i++)
		CLAIM(metadata->partition_key[i] < metadata->ncolumns);
}

/* All rows, by `metadata` if the rows have none of their own. */
static void
walk_rows(Walk *walk, const CqlRows *rows, const CqlMetadata *metadata)
{
	CqlRowReader reader;
	CqlBytes   *cells;

	if (rows->metadata.columns != NULL)
		metadata = &rows->metadata;
	if (metadata == NULL || metadata->columns == NULL ||
		cql_rows_begin(&reader, rows, metadata, walk->limits, NULL) != CQL_OK)
		return;
	CLAIM(reader.left == rows->count && rows->count <= walk->limits->rows);
	cells = calloc(reader.ncolumns + 1, sizeof(*cells));
	while (reader.left > 0 && cql_rows_next(&reader, cells) == CQL_OK)
		for (uint32_t i = 0; i < reader.ncolumns; i++)
		{
			fuzz_touch_bytes(cells[i]);
			if (cells[i].length >= 0)
				walk_value(walk, metadata->columns[i].type, cells[i]);
		}
	free(cells);
}

static void
walk_schema_change(const CqlSchemaChange *change)
{
	fuzz_touch_string(change->change);
	fuzz_touch_string(change->target);
	fuzz_touch_string(change->keyspace);
	fuzz_touch_string(change->name);
	walk_strings(&change->argument_types);
}

static void
walk_error(const CqlServerError *error)
{
	fuzz_touch_string(error->message);
	fuzz_touch_string(error->write_type);
	fuzz_touch_string(error->keyspace);
	fuzz_touch_string(error->table);
	fuzz_touch_string(error->function);
	walk_strings(&error->argument_types);
	fuzz_touch_bytes(error->statement_id);
	CLAIM(cql_error_code_name(error->code) != NULL);
}

static void
walk_body(Walk *walk, const CqlResponse *response, const CqlMetadata *metadata)
{
	switch (response->kind)
	{
		case CQL_RESPONSE_ERROR:
			walk_error(&response->u.error);
			break;
		case CQL_RESPONSE_AUTHENTICATE:
			fuzz_touch_string(response->u.authenticator);
			break;
		case CQL_RESPONSE_AUTH_CHALLENGE:
		case CQL_RESPONSE_AUTH_SUCCESS:
			fuzz_touch_bytes(response->u.token);
			break;
		case CQL_RESPONSE_SUPPORTED:
			for (uint32_t i = 0; i < response->u.supported.count; i++)
			{
				fuzz_touch_string(response->u.supported.entries[i].key);
				walk_strings(&response->u.supported.entries[i].values);
			}
			break;
		case CQL_RESPONSE_ROWS:
			walk_metadata(walk, &response->u.rows.metadata);
			walk_rows(walk, &response->u.rows, metadata);
			break;
		case CQL_RESPONSE_SET_KEYSPACE:
			fuzz_touch_string(response->u.keyspace);
			break;
		case CQL_RESPONSE_PREPARED:
			fuzz_touch_bytes(response->u.prepared.id);
			walk_metadata(walk, &response->u.prepared.markers);
			walk_metadata(walk, &response->u.prepared.result);
			break;
		case CQL_RESPONSE_SCHEMA_CHANGE:
			walk_schema_change(&response->u.schema);
			break;
		case CQL_RESPONSE_EVENT:
			fuzz_touch_string(response->u.event.type);
			fuzz_touch_string(response->u.event.change);
			fuzz_touch_bytes(response->u.event.address);
			walk_schema_change(&response->u.event.schema);
			break;
		case CQL_RESPONSE_READY:
		case CQL_RESPONSE_VOID:
			break;
	}
}

void
walk_response(Walk *walk, const CqlResponse *response, const CqlMetadata *metadata)
{
	walk_strings(&response->warnings);
	for (uint32_t i = 0; i < response->npayload; i++)
	{
		fuzz_touch_string(response->payload[i].key);
		fuzz_touch_bytes(response->payload[i].value);
	}
	walk_body(walk, response, metadata);
}
