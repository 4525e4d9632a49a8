/*-------------------------------------------------------------------------
 *
 * codec.h
 *	  Values of CQL's scalar types as values of PostgreSQL's, and back.
 *
 *		ascii, text, varchar		text		uuid, timeuuid	uuid
 *		tinyint, smallint			int2		timestamp		timestamptz
 *		int							int4		date			date
 *		bigint, counter				int8		time			time
 *		varint, decimal				numeric		duration		interval
 *		float						float4		inet			inet
 *		double						float8		blob, custom	bytea
 *		boolean						bool
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SCYLLA_CODEC_H
#define BTM_SCYLLA_CODEC_H

#include "cql/value.h"

/* The type of PostgreSQL for a scalar type; InvalidOid for one with elements. */
extern Oid	btm_scylla_scalar_type(const CqlType *type);

/*
 * The value of a scalar's bytes (neither null nor empty), in the current
 * memory context.  22008 for a time that PostgreSQL cannot hold, 22003 for a
 * number, 22021 for text that is not valid, each with the value in the
 * message; 08P01 for bytes that are no value of the type.
 */
extern Datum btm_scylla_decode(const CqlType *type, CqlBytes bytes);

/*
 * Appends the bytes of a value of btm_scylla_scalar_type(type).  What CQL
 * cannot hold is an error (22003, 22008, 22P02) with the value; what it holds
 * less finely is cut: microseconds of a timestamp, to milliseconds.
 */
extern void btm_scylla_encode(const CqlType *type, Datum value, CqlWriter *writer);

/*
 * A text in the database's encoding as text of CQL, and back, in the current
 * memory context.
 */
extern CqlString btm_scylla_to_utf8(const char *text, int length);
extern char *btm_scylla_from_utf8(const uint8_t *text, int length);

/* Raises what a call of the wire client has left in `error`, if it failed. */
extern void btm_scylla_check(CqlStatus status, const CqlError *error);

#endif							/* BTM_SCYLLA_CODEC_H */
