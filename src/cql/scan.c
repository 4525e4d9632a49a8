/*-------------------------------------------------------------------------
 *
 * scan.c
 *	  Reading text piece by piece.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/scan.h"

#define MAX_DIGITS 10

void
cql_scan_init(CqlScanner *scanner, CqlString text, const char *what,
			  CqlError *error)
{
	scanner->start = scanner->at = text.data;
	scanner->end = text.length == 0 ? text.data : text.data + text.length;

	scanner->what = what;
	scanner->error = error;
}

CqlStatus
cql_scan_fail(const CqlScanner *scanner, const char *expected)
{
	return cql_fail(scanner->error, CQL_MALFORMED, "%s expected at byte %zu of %s",
					expected, (size_t) (scanner->at - scanner->start),
					scanner->what);
}

void
cql_scan_blanks(CqlScanner *scanner)
{
	while (scanner->at < scanner->end &&
		   (*scanner->at == ' ' || *scanner->at == '\t' || *scanner->at == '\n'))
		scanner->at++;
}

bool
cql_scan_char(CqlScanner *scanner, char c)
{
	cql_scan_blanks(scanner);
	if (scanner->at == scanner->end || *scanner->at != c)
		return false;
	scanner->at++;
	return true;
}

CqlStatus
cql_scan_expect(CqlScanner *scanner, char c)
{
	char		expected[] = {'"', c, '"', '\0'};

	return cql_scan_char(scanner, c) ? CQL_OK : cql_scan_fail(scanner, expected);
}

CqlStatus
cql_scan_end(CqlScanner *scanner)
{
	cql_scan_blanks(scanner);
	return scanner->at == scanner->end ? CQL_OK : cql_scan_fail(scanner, "end");
}

CqlStatus
cql_scan_number(CqlScanner *scanner, uint64_t *number)
{
	uint64_t	value = 0;
	int			digits = 0;

	cql_scan_blanks(scanner);
	while (scanner->at < scanner->end && *scanner->at >= '0' &&
		   *scanner->at <= '9' && digits < MAX_DIGITS)
	{
		value = value * 10 + (uint64_t) (*scanner->at++ - '0');
		digits++;
	}
	if (digits == 0)
		return cql_scan_fail(scanner, "number");
	*number = value;
	return CQL_OK;
}
