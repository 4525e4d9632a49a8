/*-------------------------------------------------------------------------
 *
 * convert.h
 *	  Values of a foreign table's columns, between CQL's type and the one that
 *	  the column has here.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SCYLLA_CONVERT_H
#define BTM_SCYLLA_CONVERT_H

#include "cql/value.h"

#include "fmgr.h"

typedef enum BtmScyllaConversion
{
	BTM_SCYLLA_AS_IT_IS,		/* the type here is codec.h's */
	BTM_SCYLLA_ARRAY,			/* an array of such */
	BTM_SCYLLA_JSONB,
	BTM_SCYLLA_BY_TEXT			/* any other type here: by its text */
} BtmScyllaConversion;

typedef struct BtmScyllaConverter
{
	const CqlType *cql;
	Oid			type;
	int32		typmod;
	BtmScyllaConversion how;

	/* ARRAY */
	Oid			element;
	int16		typlen;
	bool		typbyval;
	char		typalign;

	/* BY_TEXT */
	FmgrInfo	input;
	Oid			input_parameter;
	FmgrInfo	output;
} BtmScyllaConverter;

/* Its functions' memory is the current context's. */
extern void btm_scylla_converter_init(BtmScyllaConverter *converter, const CqlType *cql,
									  Oid type, int32 typmod);

/*
 * The value of a cell, in the current memory context; *isnull for one that is
 * null or empty.  Errors are those of codec.h and of the type's input function.
 */
extern Datum btm_scylla_to_datum(BtmScyllaConverter *converter, CqlBytes cell, bool *isnull);

/*
 * Is the value, which a cell was converted to, written as that very cell again?
 * Not so for a time of nanoseconds, or a decimal of a negative scale.
 */
extern bool btm_scylla_is_exact(BtmScyllaConverter *converter, Datum value, CqlBytes cell);

/* Appends the bytes of a value that is not null. */
extern void btm_scylla_from_datum(BtmScyllaConverter *converter, Datum value,
								  CqlWriter *writer);

#endif							/* BTM_SCYLLA_CONVERT_H */
