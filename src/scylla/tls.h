/*-------------------------------------------------------------------------
 *
 * tls.h
 *	  TLS on a connected socket, by OpenSSL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BTM_SCYLLA_TLS_H
#define BTM_SCYLLA_TLS_H

#include "scylla/errors.h"
#include "scylla/options.h"

#include "utils/palloc.h"

typedef struct BtmScyllaTlsLink BtmScyllaTlsLink;

/*
 * TLS with `host` on a socket, which stays the caller's.  NULL with the failure
 * if the options' files do not serve.  Lives in the current memory context,
 * and must be freed.
 */
extern BtmScyllaTlsLink *btm_scylla_tls_create(const BtmScyllaOptions *options,
											   const char *host, pgsocket sock,
											   BtmScyllaFailure *failure);
extern void btm_scylla_tls_free(BtmScyllaTlsLink *link);

/*
 * Each does what it can without waiting, and sets *wanted to what must be
 * waited for before it is called again (WL_SOCKET_READABLE or _WRITEABLE).  1
 * (bytes, for read and write) when it is done, 0 if it must wait, -1 with the
 * failure.
 */
extern int	btm_scylla_tls_handshake(BtmScyllaTlsLink *link, uint32 *wanted,
									 BtmScyllaFailure *failure);
extern ssize_t btm_scylla_tls_read(BtmScyllaTlsLink *link, void *data, size_t size,
								   uint32 *wanted, BtmScyllaFailure *failure);
extern ssize_t btm_scylla_tls_write(BtmScyllaTlsLink *link, const void *data,
									size_t size, uint32 *wanted,
									BtmScyllaFailure *failure);

/* Protocol and cipher of a finished handshake. */
extern const char *btm_scylla_tls_description(const BtmScyllaTlsLink *link);

#endif							/* BTM_SCYLLA_TLS_H */
