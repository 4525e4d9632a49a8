/*-------------------------------------------------------------------------
 *
 * marker.h
 *	  The markers of a scan's statement, and the values that they have in each of
 *	  its executions.
 *
 * Where the partition key is given by lists, there is an execution for each
 * combination of their values; a list for another column is cut into pieces that
 * every server takes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SCYLLA_MARKER_H
#define BTM_SCYLLA_MARKER_H

#include "scylla/connection.h"
#include "scylla/convert.h"
#include "scylla/restriction.h"

#include "nodes/execnodes.h"

typedef struct BtmScyllaMarker
{
	BtmScyllaColumn *column;
	BtmScyllaOperator op;
	Oid			type;			/* of the value, or of an array's elements */
	int16		typlen;
	bool		typbyval;
	char		typalign;
	ExprState  *expr;
	BtmScyllaConverter converter;	/* for one value */
	bool		is_key;			/* of the partition */
	bool		continues_row;	/* of a comparison of rows, and not its first */

	/* of this (re)scan */
	int			nvalues;
	CqlBytes   *values;			/* distinct; or the pieces of a list */
	int			next;			/* the one of the next execution */
} BtmScyllaMarker;

typedef struct BtmScyllaMarkers
{
	const BtmScyllaTable *table;
	int			count;			/* without that of LIMIT */
	BtmScyllaMarker *markers;
	bool		has_limit;		/* the last marker is LIMIT's */
	ExprState  *limit_count;	/* NULL: no limit */
	ExprState  *limit_offset;	/* or NULL */

	/* of this (re)scan */
	bool		empty;			/* no row can be found */
	bool		done;			/* there is no other execution */
	bool		wider;			/* the values let more rows through than the
								 * conditions: they must be checked here */
	int32		limit;			/* rows of an execution; INT32_MAX: all */
	CqlBytes	limit_value;
	MemoryContext context;		/* of the values */
} BtmScyllaMarkers;

/* The markers of a plan's statement, in the current memory context. */
extern BtmScyllaMarkers *btm_scylla_markers_create(ForeignScanState *node,
												   const BtmScyllaTable *table);

/* Leaves only these (IntList) of the markers, for another statement; no LIMIT. */
extern void btm_scylla_markers_keep(BtmScyllaMarkers *markers, List *places);

/*
 * The types that the statement was planned for must be those that the server has
 * (HV004): what is exact with one may not be with another.
 */
extern void btm_scylla_markers_check(BtmScyllaMarkers *markers,
									 const BtmScyllaStatement *statement);

/* The marker of a column of the partition key, or NULL. */
extern const BtmScyllaMarker *btm_scylla_markers_find(const BtmScyllaMarkers *markers,
													  const BtmScyllaColumn *column);

/* Begins a (re)scan: evaluates all values. */
extern void btm_scylla_markers_evaluate(BtmScyllaMarkers *markers, ExprContext *econtext);

/* How many values an execution has. */
static inline int
btm_scylla_markers_width(const BtmScyllaMarkers *markers)
{
	return markers->count + (markers->has_limit ? 1 : 0);
}

/*
 * The values of the next execution, valid until the next (re)scan; false after
 * the last.
 */
extern bool btm_scylla_markers_next(BtmScyllaMarkers *markers, CqlBytes *values);

#endif							/* BTM_SCYLLA_MARKER_H */
