/*-------------------------------------------------------------------------
 *
 * connection.c
 *	  One node's connection: a transport and a session on it.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "scylla/cluster.h"
#include "utils/memutils.h"

/* How the client names itself to servers. */
#define DRIVER_NAME "belongs_to_many"
#define DRIVER_VERSION "1.0"

/*
 * Sends what the session wants sent, as far as it goes without waiting.  False
 * with the failure if the connection is broken.
 */
bool
btm_scylla_connection_flush(BtmScyllaConnection *connection,
							BtmScyllaFailure *failure)
{
	for (;;)
	{
		const uint8_t *data;
		size_t		length;
		ssize_t		sent;

		cql_session_output(connection->session, &data, &length);
		if (length == 0)
			return true;
		sent = btm_scylla_transport_send(connection->transport, data, length, failure);
		if (sent <= 0)
			return sent == 0;
		cql_session_sent(connection->session, sent);
	}
}

/*
 * Whether something is left to be sent.
 */
bool
btm_scylla_connection_has_output(const BtmScyllaConnection *connection)
{
	const uint8_t *data;
	size_t		length;

	cql_session_output(connection->session, &data, &length);
	return length > 0;
}

/*
 * Why the session has failed: the server's own words, if it has refused the
 * handshake with some.
 */
static void
note_session_failure(BtmScyllaConnection *connection, BtmScyllaFailure *failure)
{
	const CqlServerError *refusal = cql_session_refusal(connection->session);

	if (refusal != NULL)
		btm_scylla_fail_server(failure, refusal);
	else
		btm_scylla_fail_wire(failure, cql_session_error(connection->session));
}

/*
 * Receives once, without waiting, and hands the bytes to the session.
 * *received tells whether there were any.  False with the failure if the
 * connection is broken.
 */
bool
btm_scylla_connection_fill(BtmScyllaConnection *connection, bool *received,
						   BtmScyllaFailure *failure)
{
	uint8_t    *room;
	size_t		size;
	ssize_t		length;

	*received = false;
	if (cql_session_input(connection->session, &room, &size) != CQL_OK)
	{
		note_session_failure(connection, failure);
		return false;
	}
	length = btm_scylla_transport_receive(connection->transport, room, size, failure);
	if (length < 0)
		return false;
	*received = length > 0;

	/* a full buffer, or what TLS has decrypted already, may not be all */
	connection->more = length > 0 &&
		(length == (ssize_t) size || btm_scylla_transport_tls(connection->transport) != NULL);
	if (length > 0 && cql_session_received(connection->session, length) != CQL_OK)
	{
		note_session_failure(connection, failure);
		return false;
	}
	return true;
}

/*
 * Creates the session of a connection.
 */
static bool
create_session(BtmScyllaConnection *connection, BtmScyllaFailure *failure)
{
	const BtmScyllaOptions *options = connection->cluster->options;
	CqlSessionOptions session = {.limits = cql_default_limits};
	CqlError	error = {0};

	session.compression = options->compression;
	session.username = options->username;
	session.password = options->password;
	session.driver_name = DRIVER_NAME;
	session.driver_version = DRIVER_VERSION;
	session.max_in_flight = options->max_in_flight + BTM_SCYLLA_OWN_STREAMS;
	connection->session = cql_session_create(&connection->cluster->allocator,
											 &session, &error);
	if (connection->session == NULL)
		btm_scylla_fail_wire(failure, &error);
	return connection->session != NULL;
}

/*
 * One step of the handshake: 1 when it is done, 0 if it must wait, -1 with the
 * failure.
 */
static int
handshake_step(BtmScyllaConnection *connection, BtmScyllaFailure *failure)
{
	CqlEvent	event;
	bool		received;

	do
	{
		if (!btm_scylla_connection_flush(connection, failure) ||
			!btm_scylla_connection_fill(connection, &received, failure))
			return -1;
		if (cql_session_next(connection->session, &event) != CQL_OK)
		{
			note_session_failure(connection, failure);
			return -1;
		}
		if (event.kind == CQL_EVENT_READY)
			return 1;
	} while (received);
	return 0;
}

/*
 * Waits until the node has let us in.  A connection that is closed or reset in
 * the midst of it has never been one: 08001.
 */
static bool
shake_hands(BtmScyllaConnection *connection, int64 deadline,
			BtmScyllaFailure *failure)
{
	int			rc;

	while ((rc = handshake_step(connection, failure)) == 0)
	{
		if (!btm_scylla_transport_wait(connection->transport,
									   btm_scylla_connection_has_output(connection),
									   deadline))
		{
			btm_scylla_fail(failure, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
							"no answer within the connect_timeout");
			return false;
		}
	}
	if (rc < 0 && failure->sqlstate == ERRCODE_CONNECTION_FAILURE)
		failure->sqlstate = ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION;
	return rc > 0;
}

/*
 * Whether the server has asked for the password, where the user may not do
 * without one: else the server may have let in this machine rather than the
 * user.
 */
static bool
check_login(const BtmScyllaConnection *connection, BtmScyllaFailure *failure)
{
	if (!connection->cluster->options->password_required ||
		cql_session_logged_in(connection->session))
		return true;
	btm_scylla_fail(failure, ERRCODE_S_R_E_PROHIBITED_SQL_STATEMENT_ATTEMPTED,
					"the server does not ask for a password, which only superusers may do without");
	return false;
}

/*
 * The stages of a connection, one after the other.
 */
static bool
establish(BtmScyllaConnection *connection, int64 deadline,
		  BtmScyllaFailure *failure)
{
	BtmScyllaCluster *cluster = connection->cluster;

	connection->transport = btm_scylla_transport_open(cluster->options,
													  connection->host,
													  connection->port, deadline,
													  cluster->context, failure);
	return connection->transport != NULL &&
		create_session(connection, failure) &&
		shake_hands(connection, deadline, failure) &&
		check_login(connection, failure);
}

/*
 * Frees a connection's parts and itself.
 */
static void
free_connection(BtmScyllaConnection *connection)
{
	if (connection->session != NULL)
		cql_session_free(connection->session);
	if (connection->transport != NULL)
		btm_scylla_transport_close(connection->transport);
	pfree(connection->host);
	pfree(connection);
}

/*
 * Establishes a connection.  It is freed if that fails, after an error too.
 */
static bool
establish_or_free(BtmScyllaConnection *connection, int64 deadline,
				  BtmScyllaFailure *failure)
{
	volatile bool established = false;

	PG_TRY();
	{
		established = establish(connection, deadline, failure);
	}
	PG_CATCH();
	{
		free_connection(connection);
		PG_RE_THROW();
	}
	PG_END_TRY();
	if (!established)
		free_connection(connection);
	return established;
}

/*
 * An empty connection, in the cluster's memory.
 */
static BtmScyllaConnection *
allocate_connection(BtmScyllaCluster *cluster, const char *host, int port)
{
	static uint64 last_serial = 0;
	char	   *host_copy = MemoryContextStrdup(cluster->context, host);
	BtmScyllaConnection *connection;

	connection = MemoryContextAllocZero(cluster->context, sizeof(BtmScyllaConnection));
	connection->cluster = cluster;
	connection->serial = ++last_serial;
	connection->host = host_copy;
	connection->port = port;
	dlist_init(&connection->requests);
	return connection;
}

/*
 * Connects to a node and logs in, until `deadline` (of btm_scylla_now).  NULL
 * with the failure if that is not possible.  The connection is the cluster's.
 */
BtmScyllaConnection *
btm_scylla_connection_open(BtmScyllaCluster *cluster, const char *host, int port,
						   int64 deadline, BtmScyllaFailure *failure)
{
	BtmScyllaConnection *connection = allocate_connection(cluster, host, port);

	if (!establish_or_free(connection, deadline, failure))
		return NULL;
	dlist_push_tail(&cluster->connections, &connection->link);
	cluster->wait_set_size = -1;
	return connection;
}

/*
 * Closes a connection that has no requests under way (any more).
 */
void
btm_scylla_connection_close(BtmScyllaConnection *connection)
{
	BtmScyllaCluster *cluster = connection->cluster;

	Assert(dlist_is_empty(&connection->requests));
	if (connection->node != NULL && connection->node->connection == connection)
		connection->node->connection = NULL;
	if (cluster->control == connection)
	{
		cluster->control = NULL;
		cluster->topology_stale = true;
	}
	dlist_delete(&connection->link);
	cluster->wait_set_size = -1;
	free_connection(connection);
}
