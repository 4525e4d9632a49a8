/*-------------------------------------------------------------------------
 *
 * name.h
 *	  Identifiers in CQL text.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CQL_NAME_H
#define CQL_NAME_H

#include "cql/buffer.h"

/*
 * Means the name the same without double quotes?  Not if it has other
 * characters than lower-case letters, digits and underscores, or is a reserved
 * word.
 */
extern bool cql_name_is_plain(CqlString name);

/* The name as CQL text, in double quotes if it needs them, no terminator. */
extern CqlStatus cql_write_name(CqlWriter *writer, CqlString name) CQL_MUST_USE;

/* The text between two quotes `quote`, those in it doubled. */
extern CqlStatus cql_write_quoted(CqlWriter *writer, char quote,
								  CqlString text) CQL_MUST_USE;

#endif							/* CQL_NAME_H */
