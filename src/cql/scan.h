/*-------------------------------------------------------------------------
 *
 * scan.h
 *	  Reading text piece by piece: what parsers of small languages share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CQL_SCAN_H
#define CQL_SCAN_H

#include "cql/base.h"

typedef struct CqlScanner
{
	const char *start;
	const char *at;
	const char *end;
	const char *what;			/* the text, in errors: "a type's text" */
	CqlError   *error;			/* may be NULL */
} CqlScanner;

extern void cql_scan_init(CqlScanner *scanner, CqlString text, const char *what,
						  CqlError *error);

/* CQL_MALFORMED: `expected` is not what comes next. */
extern CqlStatus cql_scan_fail(const CqlScanner *scanner,
							   const char *expected) CQL_MUST_USE;

/* Passes over blanks, tabs and line ends. */
extern void cql_scan_blanks(CqlScanner *scanner);

/* Passes over `c`, and the blanks before it, if it comes next. */
extern bool cql_scan_char(CqlScanner *scanner, char c);

/* The same, where nothing else may come. */
extern CqlStatus cql_scan_expect(CqlScanner *scanner, char c) CQL_MUST_USE;

/* CQL_MALFORMED if anything but blanks is left. */
extern CqlStatus cql_scan_end(CqlScanner *scanner) CQL_MUST_USE;

/* Decimal digits, no more than ten of them, after blanks. */
extern CqlStatus cql_scan_number(CqlScanner *scanner, uint64_t *number) CQL_MUST_USE;

#endif							/* CQL_SCAN_H */
