/*-------------------------------------------------------------------------
 *
 * json.h
 *	  Values of any CQL type as jsonb and as text, both ways.
 *
 * A scalar is a JSON number, boolean or string; a list, set, tuple or vector
 * an array; a UDT an object of its fields; a map an object whose keys are the
 * texts of the keys.  A value without bytes where the type has some ("empty" in
 * the server's words) is the empty string.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SCYLLA_JSON_H
#define BTM_SCYLLA_JSON_H

#include "cql/response.h"

#include "utils/jsonb.h"

/*
 * A row as an object of its columns, in the current memory context.  Errors
 * are btm_scylla_decode's, with the column in their context.
 */
extern Jsonb *btm_scylla_row_to_jsonb(const CqlMetadata *metadata, const CqlBytes *cells);

/*
 * One value, not null, as jsonb; and as text: a scalar's own, or JSON.
 */
extern Jsonb *btm_scylla_value_to_jsonb(const CqlType *type, CqlBytes value);
extern char *btm_scylla_value_text(const CqlType *type, CqlBytes value);

/*
 * Appends the bytes of the value that `text`, in the database's encoding, is
 * for a type: a scalar as its type of PostgreSQL is written, others as JSON.
 * 22P02 and the like for text that is no such value; 22004 for a null where CQL
 * has none; 42703 for a field that a UDT does not have.
 */
extern void btm_scylla_encode_text(const CqlType *type, char *text, CqlWriter *writer);

/* The same from a value within jsonb. */
extern void btm_scylla_encode_jsonb(const CqlType *type, const JsonbValue *value,
									CqlWriter *writer);

/* A type as CQL writes it, for messages; palloc'd. */
extern char *btm_scylla_type_name(const CqlType *type);

#endif							/* BTM_SCYLLA_JSON_H */
