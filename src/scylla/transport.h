/*-------------------------------------------------------------------------
 *
 * transport.h
 *	  One non-blocking stream of bytes to a node, plain or by TLS.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SCYLLA_TRANSPORT_H
#define BTM_SCYLLA_TRANSPORT_H

#include "scylla/errors.h"
#include "scylla/options.h"

#include "utils/palloc.h"

typedef struct BtmScyllaTransport BtmScyllaTransport;

/* Microseconds of a clock that never goes back. */
extern int64 btm_scylla_now(void);

/*
 * Connects to a host, with the server's TLS, until `deadline`.  NULL if that
 * fails, with the failure.  Raises only what the user or the administrator has
 * asked for (cancel, timeout, termination) and out of memory; nothing is left
 * open then.  The transport lives in `context` until it is closed.
 */
extern BtmScyllaTransport *btm_scylla_transport_open(const BtmScyllaOptions *options,
													 const char *host, int port,
													 int64 deadline,
													 MemoryContext context,
													 BtmScyllaFailure *failure);
extern void btm_scylla_transport_close(BtmScyllaTransport *transport);

/*
 * Number of bytes that were received or sent; 0 if none can be at the moment,
 * -1 with the failure if the connection is broken or was closed by the peer.
 * They neither wait nor raise.
 */
extern ssize_t btm_scylla_transport_receive(BtmScyllaTransport *transport,
											void *data, size_t size,
											BtmScyllaFailure *failure);
extern ssize_t btm_scylla_transport_send(BtmScyllaTransport *transport,
										 const void *data, size_t size,
										 BtmScyllaFailure *failure);

/* What to wait for (WL_SOCKET_...) before they can do more. */
extern uint32 btm_scylla_transport_wanted(const BtmScyllaTransport *transport,
										  bool sending);
extern pgsocket btm_scylla_transport_socket(const BtmScyllaTransport *transport);

/*
 * Waits for that on this connection alone, interruptibly.  False once the
 * deadline has passed.
 */
extern bool btm_scylla_transport_wait(const BtmScyllaTransport *transport,
									  bool sending, int64 deadline);

/* Protocol and cipher, or NULL without TLS. */
extern const char *btm_scylla_transport_tls(const BtmScyllaTransport *transport);

#endif							/* BTM_SCYLLA_TRANSPORT_H */
