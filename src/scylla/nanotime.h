/*-------------------------------------------------------------------------
 *
 * nanotime.h
 *	  Text of CQL's time and duration, which have nanoseconds.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SCYLLA_NANOTIME_H
#define BTM_SCYLLA_NANOTIME_H

#include "cql/value.h"

/* "13:30:54.234", with as many digits as there are; palloc'd. */
extern char *btm_scylla_time_text(CqlBytes bytes);

/* ISO 8601 with designators: "P1Y2M3DT4H5M6.007S", "-P1D", "PT0S"; palloc'd. */
extern char *btm_scylla_duration_text(CqlBytes bytes);

/*
 * Append the value of such a text; false, and nothing is appended, if it is
 * written in another way, which PostgreSQL's own input functions may know.
 */
extern bool btm_scylla_encode_time_text(const char *text, CqlWriter *writer);
extern bool btm_scylla_encode_duration_text(const char *text, CqlWriter *writer);

#endif							/* BTM_SCYLLA_NANOTIME_H */
