/*-------------------------------------------------------------------------
 *
 * options.h
 *	  Options of servers, user mappings, foreign tables and their columns.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SCYLLA_OPTIONS_H
#define BTM_SCYLLA_OPTIONS_H

#include "cql/protocol.h"

#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"

/* A contact point. */
typedef struct BtmScyllaHost
{
	char	   *name;			/* host name or address */
	int			port;
} BtmScyllaHost;

typedef enum BtmScyllaTls
{
	BTM_SCYLLA_TLS_DISABLE,
	BTM_SCYLLA_TLS_REQUIRE,		/* encrypted, to whomever */
	BTM_SCYLLA_TLS_VERIFY_CA,
	BTM_SCYLLA_TLS_VERIFY_FULL
} BtmScyllaTls;

/* All that a connection depends on. */
typedef struct BtmScyllaOptions
{
	Oid			serverid;
	Oid			umid;			/* the user mapping's OID */
	char	   *servername;

	List	   *hosts;			/* of BtmScyllaHost */
	char	   *local_dc;		/* in UTF-8; NULL: that of the first node reached */
	CqlConsistency consistency;
	CqlConsistency serial_consistency;
	int			connect_timeout;	/* milliseconds */
	int			request_timeout;	/* milliseconds */
	bool		compression;
	int			max_in_flight;

	BtmScyllaTls sslmode;
	char	   *sslrootcert;	/* files; NULL: system's, none, none */
	char	   *sslcert;
	char	   *sslkey;

	char	   *username;		/* both in UTF-8; NULL: none */
	char	   *password;
	bool		password_required;	/* a server that did not ask for the password
									 * must not be used (2F003), as postgres_fdw
									 * has it for users that are no superusers */
} BtmScyllaOptions;

/*
 * The options of a server for a user (or PUBLIC's mapping), in the current
 * memory context.  A server without a user mapping at all is 42704, as with
 * postgres_fdw.  Superuser rules as in postgres_fdw: a user who is no
 * superuser must have a password in the mapping, unless that says
 * password_required 'false' (2F003).
 */
extern BtmScyllaOptions *btm_scylla_options(Oid serverid, Oid userid);

/* The value of option batch_size, in bytes. */
extern int	btm_scylla_batch_size(DefElem *def);

/*
 * The server of that name, for the current user: 42704 if there is none, 42809
 * if it is of another foreign data wrapper, 42501 without USAGE on it.
 */
extern Oid	btm_scylla_server(const char *name);

#endif							/* BTM_SCYLLA_OPTIONS_H */
