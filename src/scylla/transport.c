/*-------------------------------------------------------------------------
 *
 * transport.c
 *	  One non-blocking stream of bytes to a node, plain or by TLS.
 *
 * No call here blocks, but for the look-up of a host name, which the C library
 * offers in no other way without threads.  Waiting is left to latches, so that
 * cancel, timeouts and termination act at once.
 *
 * The addresses of a name share its time: each gets an equal part of what is
 * left, so that one that swallows packets does not use up all of it.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "miscadmin.h"
#include "scylla/tls.h"
#include "scylla/transport.h"
#include "storage/fd.h"
#include "storage/latch.h"
#include "utils/wait_event.h"

/* Seconds of silence before the peer is probed, between probes; their number. */
#define KEEPALIVE_IDLE 60
#define KEEPALIVE_INTERVAL 10
#define KEEPALIVE_COUNT 6

struct BtmScyllaTransport
{
	pgsocket	sock;			/* PGINVALID_SOCKET: none; else it is accounted */
	BtmScyllaTlsLink *tls;		/* or NULL */
	struct addrinfo *addresses; /* while connecting */

	/* WL_SOCKET_...: what the last receive and send must wait for */
	uint32		receive_wanted;
	uint32		send_wanted;
};

int64
btm_scylla_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/*
 * The wait event of connections that are being made.
 */
static uint32
connect_wait_event(void)
{
	static uint32 wait_event = 0;

	if (wait_event == 0)
		wait_event = WaitEventExtensionNew("ScyllaConnect");
	return wait_event;
}

bool
btm_scylla_transport_wait(const BtmScyllaTransport *transport, bool sending,
						  int64 deadline)
{
	int64		left = deadline - btm_scylla_now();
	int			rc;

	CHECK_FOR_INTERRUPTS();
	if (left <= 0)
		return false;
	rc = WaitLatchOrSocket(MyLatch,
						   WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH |
						   btm_scylla_transport_wanted(transport, sending),
						   transport->sock, left / 1000 + 1, connect_wait_event());
	if (rc & WL_LATCH_SET)
		ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
	return true;
}

/*
 * Closes the socket, if there is one.
 */
static void
close_socket(BtmScyllaTransport *transport)
{
	if (transport->sock == PGINVALID_SOCKET)
		return;
	close(transport->sock);
	transport->sock = PGINVALID_SOCKET;
	ReleaseExternalFD();
}

void
btm_scylla_transport_close(BtmScyllaTransport *transport)
{
	if (transport->tls != NULL)
		btm_scylla_tls_free(transport->tls);
	close_socket(transport);
	if (transport->addresses != NULL)
		freeaddrinfo(transport->addresses);
	pfree(transport);
}

/*
 * Looks the host up.
 */
static bool
look_up(BtmScyllaTransport *transport, const char *host, int port,
		BtmScyllaFailure *failure)
{
	struct addrinfo hints = {0};
	char		service[16];
	int			rc;

	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = AI_NUMERICSERV;
	snprintf(service, sizeof(service), "%d", port);
	rc = getaddrinfo(host, service, &hints, &transport->addresses);
	if (rc == 0)
		return true;
	transport->addresses = NULL;
	if (rc == EAI_SYSTEM)
		btm_scylla_fail(failure, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, "%m");
	else
		btm_scylla_fail(failure, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
						"%s", gai_strerror(rc));
	return false;
}

/*
 * Options of a socket.  Only what the rest relies on must succeed.
 */
static bool
set_socket_options(pgsocket sock)
{
	const struct
	{
		int			level;
		int			name;
		int			value;
	}			options[] = {
		{IPPROTO_TCP, TCP_NODELAY, 1},
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE},
		{IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL},
		{IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT},
	};

	for (size_t i = 0; i < lengthof(options); i++)
		(void) setsockopt(sock, options[i].level, options[i].name,
						  &options[i].value, sizeof(int));
	return fcntl(sock, F_SETFL, O_NONBLOCK) == 0 &&
		fcntl(sock, F_SETFD, FD_CLOEXEC) == 0;
}

/*
 * A socket, accounted for.
 */
static bool
open_socket(BtmScyllaTransport *transport, int family, BtmScyllaFailure *failure)
{
	if (!AcquireExternalFD())
	{
		btm_scylla_fail(failure, ERRCODE_INSUFFICIENT_RESOURCES, "%m");
		return false;
	}
	transport->sock = socket(family, SOCK_STREAM, 0);
	if (transport->sock == PGINVALID_SOCKET)
	{
		btm_scylla_fail(failure, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, "%m");
		ReleaseExternalFD();
		return false;
	}
	if (!set_socket_options(transport->sock))
	{
		btm_scylla_fail(failure, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, "%m");
		return false;
	}
	return true;
}

/*
 * Whether a socket is connected to itself: TCP does that when a free port of
 * this machine happens to be chosen for the near end, too.
 */
static bool
is_connected_to_itself(pgsocket sock)
{
	struct sockaddr_storage near = {0};
	struct sockaddr_storage far = {0};
	socklen_t	near_length = sizeof(near);
	socklen_t	far_length = sizeof(far);

	return getsockname(sock, (struct sockaddr *) &near, &near_length) == 0 &&
		getpeername(sock, (struct sockaddr *) &far, &far_length) == 0 &&
		near_length == far_length && memcmp(&near, &far, near_length) == 0;
}

/*
 * The error of a connection attempt that has ended, or 0.
 */
static int
connection_error(pgsocket sock)
{
	int			error = 0;
	socklen_t	length = sizeof(error);

	if (getsockopt(sock, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
		return errno;
	if (error == 0 && is_connected_to_itself(sock))
		return ECONNREFUSED;
	return error;
}

/*
 * Whether the far end has been reached: a socket with neither an error nor a
 * peer is still connecting.
 */
static bool
has_peer(pgsocket sock)
{
	struct sockaddr_storage far;
	socklen_t	length = sizeof(far);

	return getpeername(sock, (struct sockaddr *) &far, &length) == 0;
}

/*
 * Connects to one address.
 */
static bool
connect_address(BtmScyllaTransport *transport, const struct addrinfo *address,
				int64 deadline, BtmScyllaFailure *failure)
{
	if (!open_socket(transport, address->ai_family, failure))
		return false;
	if (connect(transport->sock, address->ai_addr, address->ai_addrlen) != 0 &&
		errno != EINPROGRESS && errno != EINTR)
	{
		btm_scylla_fail(failure, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, "%m");
		return false;
	}

	transport->send_wanted = WL_SOCKET_WRITEABLE;
	for (;;)
	{
		errno = connection_error(transport->sock);
		if (errno != 0)
		{
			btm_scylla_fail(failure, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, "%m");
			return false;
		}
		if (has_peer(transport->sock))
			return true;
		if (!btm_scylla_transport_wait(transport, true, deadline))
		{
			btm_scylla_fail(failure, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
							"no connection within the connect_timeout");
			return false;
		}
	}
}

/*
 * Connects to the first address that answers.  The failure is the last one's.
 */
static bool
connect_any_address(BtmScyllaTransport *transport, int64 deadline,
					BtmScyllaFailure *failure)
{
	int			left = 0;

	for (struct addrinfo *a = transport->addresses; a != NULL; a = a->ai_next)
		left++;
	for (struct addrinfo *a = transport->addresses; a != NULL; a = a->ai_next)
	{
		int64		now = btm_scylla_now();

		if (connect_address(transport, a, now + (deadline - now) / left--, failure))
			return true;
		close_socket(transport);
	}
	return false;
}

/*
 * TLS on the connected socket.
 */
static bool
start_tls(BtmScyllaTransport *transport, const BtmScyllaOptions *options,
		  const char *host, int64 deadline, BtmScyllaFailure *failure)
{
	transport->tls = btm_scylla_tls_create(options, host, transport->sock, failure);
	if (transport->tls == NULL)
		return false;
	for (;;)
	{
		int			rc = btm_scylla_tls_handshake(transport->tls,
												  &transport->send_wanted, failure);

		if (rc != 0)
			return rc > 0;
		if (!btm_scylla_transport_wait(transport, true, deadline))
		{
			btm_scylla_fail(failure, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
							"no TLS handshake within the connect_timeout");
			return false;
		}
	}
}

/*
 * The stages of a connection, one after the other.
 */
static bool
establish(BtmScyllaTransport *transport, const BtmScyllaOptions *options,
		  const char *host, int port, int64 deadline, BtmScyllaFailure *failure)
{
	if (!look_up(transport, host, port, failure) ||
		!connect_any_address(transport, deadline, failure))
		return false;
	freeaddrinfo(transport->addresses);
	transport->addresses = NULL;
	if (options->sslmode != BTM_SCYLLA_TLS_DISABLE &&
		!start_tls(transport, options, host, deadline, failure))
		return false;
	transport->receive_wanted = WL_SOCKET_READABLE;
	transport->send_wanted = WL_SOCKET_WRITEABLE;
	return true;
}

BtmScyllaTransport *
btm_scylla_transport_open(const BtmScyllaOptions *options, const char *host,
						  int port, int64 deadline, MemoryContext context,
						  BtmScyllaFailure *failure)
{
	MemoryContext old_context = MemoryContextSwitchTo(context);
	BtmScyllaTransport *transport = palloc0(sizeof(BtmScyllaTransport));
	volatile bool established = false;

	transport->sock = PGINVALID_SOCKET;
	PG_TRY();
	{
		established = establish(transport, options, host, port, deadline, failure);
	}
	PG_FINALLY();
	{
		if (!established)
			btm_scylla_transport_close(transport);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(old_context);
	return established ? transport : NULL;
}

/*
 * The result of recv or send, whose errno may say that nothing is wrong.
 */
static ssize_t
checked_result(ssize_t rc, BtmScyllaFailure *failure)
{
	if (rc >= 0)
		return rc;
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
		return 0;
	btm_scylla_fail(failure, ERRCODE_CONNECTION_FAILURE, "%m");
	return -1;
}

ssize_t
btm_scylla_transport_receive(BtmScyllaTransport *transport, void *data,
							 size_t size, BtmScyllaFailure *failure)
{
	ssize_t		rc;

	if (transport->tls != NULL)
		return btm_scylla_tls_read(transport->tls, data, size,
								   &transport->receive_wanted, failure);
	rc = recv(transport->sock, data, size, 0);
	if (rc == 0)
	{
		btm_scylla_fail(failure, ERRCODE_CONNECTION_FAILURE,
						"the server has closed the connection");
		return -1;
	}
	return checked_result(rc, failure);
}

ssize_t
btm_scylla_transport_send(BtmScyllaTransport *transport, const void *data,
						  size_t size, BtmScyllaFailure *failure)
{
	if (transport->tls != NULL)
		return btm_scylla_tls_write(transport->tls, data, size,
									&transport->send_wanted, failure);
	return checked_result(send(transport->sock, data, size, MSG_NOSIGNAL), failure);
}

uint32
btm_scylla_transport_wanted(const BtmScyllaTransport *transport, bool sending)
{
	return transport->receive_wanted | (sending ? transport->send_wanted : 0);
}

pgsocket
btm_scylla_transport_socket(const BtmScyllaTransport *transport)
{
	return transport->sock;
}

const char *
btm_scylla_transport_tls(const BtmScyllaTransport *transport)
{
	return transport->tls != NULL ? btm_scylla_tls_description(transport->tls) : NULL;
}
