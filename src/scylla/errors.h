/*-------------------------------------------------------------------------
 *
 * errors.h
 *	  What goes wrong with a peer, as PostgreSQL's errors.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SCYLLA_ERRORS_H
#define BTM_SCYLLA_ERRORS_H

#include "cql/response.h"

/*
 * Why a connection could not be made or was lost.  It is noted where nothing
 * may be raised, since state must be put in order first.
 */
#define BTM_SCYLLA_REASON_SIZE 400

typedef struct BtmScyllaFailure
{
	int			sqlstate;		/* 0: nothing has failed */
	bool		timed_out;		/* there was no answer in time */
	char		reason[BTM_SCYLLA_REASON_SIZE]; /* "Connection refused" */
} BtmScyllaFailure;

/* Notes a failure, in the database's encoding; %m works. */
extern void btm_scylla_fail(BtmScyllaFailure *failure, int sqlstate,
							const char *format,...)
			__attribute__((format(printf, 3, 4)));

/* The same for a server's error, and for a failure of the wire client. */
extern void btm_scylla_fail_server(BtmScyllaFailure *failure,
								   const CqlServerError *error);
extern void btm_scylla_fail_wire(BtmScyllaFailure *failure, const CqlError *error);

/* The SQLSTATE of a server's error; the only place where codes are mapped. */
extern int	btm_scylla_sqlstate(const CqlServerError *error);

/*
 * Raises a server's error; `where` is the foreign server's name, and `cql` (may
 * be NULL) becomes the context.
 */
pg_noreturn extern void btm_scylla_raise(const CqlServerError *error,
										 const char *where, const char *cql);

/*
 * Raises a failure of the wire client on what is `where`, a phrase like
 * "column \"x\"" or NULL: 08P01, 53200, 54000, 22023, 0A000.
 */
pg_noreturn extern void btm_scylla_raise_wire(const CqlError *error,
											  const char *where);

/*
 * Text of the peer as it may appear in a message: valid in the database's
 * encoding, without control characters, of at most some hundred characters.
 */
extern char *btm_scylla_peer_text(CqlString text);

/*
 * A statement (in UTF-8), shortened, as the context of an error: to be used in
 * ereport.
 */
extern int	btm_scylla_errcontext(const char *cql);

#endif							/* BTM_SCYLLA_ERRORS_H */
