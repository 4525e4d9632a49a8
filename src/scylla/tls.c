/*-------------------------------------------------------------------------
 *
 * tls.c
 *	  TLS on a connected socket, by OpenSSL.
 *
 * Each connection has its own SSL_CTX, and nothing global of OpenSSL is set up
 * or torn down: the server and other libraries of the process use it as well.
 * For their sake, the queue of errors is left empty.
 *
 * Bytes go through a BIO of our own, since OpenSSL's writes to the socket in a
 * way that may raise SIGPIPE.
 *
 * OpenSSL's objects are no memory of PostgreSQL's.  They hang on the link from
 * the moment they exist, and nothing in here raises errors once there is one.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "scylla/tls.h"
#include "storage/latch.h"

#define FAILED ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION

struct BtmScyllaTlsLink
{
	pgsocket	sock;
	BIO_METHOD *method;
	SSL_CTX    *context;
	SSL		   *ssl;
	char		description[80];
};

/* ---- bytes */

/*
 * Notes in a BIO whether an operation is to be repeated, and returns what
 * OpenSSL expects.
 */
static int
bio_result(BIO *bio, ssize_t rc)
{
	BIO_clear_retry_flags(bio);
	if (rc < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return -1;
	return (int) rc;
}

/*
 * Receives for OpenSSL.
 */
static int
bio_read(BIO *bio, char *data, int size)
{
	BtmScyllaTlsLink *link = BIO_get_data(bio);
	int			rc = bio_result(bio, recv(link->sock, data, size, 0));

	if (rc < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		BIO_set_retry_read(bio);
	return rc;
}

/*
 * Sends for OpenSSL.
 */
static int
bio_write(BIO *bio, const char *data, int size)
{
	BtmScyllaTlsLink *link = BIO_get_data(bio);
	int			rc = bio_result(bio, send(link->sock, data, size, MSG_NOSIGNAL));

	if (rc < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		BIO_set_retry_write(bio);
	return rc;
}

/*
 * What else OpenSSL asks of a BIO: flushing is done, all the rest is unknown.
 */
static long
bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	return command == BIO_CTRL_FLUSH ? 1 : 0;
}

/*
 * A BIO on the link's socket, or NULL.
 */
static BIO *
create_bio(BtmScyllaTlsLink *link)
{
	BIO		   *bio;

	link->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "belongs_to_many socket");
	if (link->method == NULL ||
		!BIO_meth_set_read(link->method, bio_read) ||
		!BIO_meth_set_write(link->method, bio_write) ||
		!BIO_meth_set_ctrl(link->method, bio_ctrl))
		return NULL;
	bio = BIO_new(link->method);
	if (bio != NULL)
	{
		BIO_set_data(bio, link);
		BIO_set_init(bio, 1);
	}
	return bio;
}

/* ---- failures */

/*
 * OpenSSL's reason for the last failure.  The queue is empty afterwards.
 */
static const char *
openssl_reason(char *buffer, size_t size)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(code);

	if (code == 0)
		snprintf(buffer, size, "unknown TLS error");
	else if (reason != NULL)
		snprintf(buffer, size, "%s", reason);
	else
		snprintf(buffer, size, "TLS error %lu", code);
	ERR_clear_error();
	return buffer;
}

/*
 * Notes that a file of the options does not serve.
 */
static bool
file_failure(BtmScyllaFailure *failure, const char *what, const char *file)
{
	char		reason[160];

	btm_scylla_fail(failure, ERRCODE_CONFIG_FILE_ERROR, "could not load %s \"%s\": %s",
					what, file, openssl_reason(reason, sizeof(reason)));
	return false;
}

/*
 * Notes a failure of OpenSSL itself.
 */
static bool
openssl_failure(BtmScyllaFailure *failure, const char *what)
{
	char		reason[160];

	btm_scylla_fail(failure, FAILED, "%s: %s", what,
					openssl_reason(reason, sizeof(reason)));
	return false;
}

/* ---- setting up */

/*
 * A key with a pass phrase cannot be used: there is nobody to ask for it.
 */
static int
no_pass_phrase(char *buffer, int size, int writing, void *data)
{
	return 0;
}

/*
 * Whose signatures are trusted, and how the peer is checked.
 */
static bool
set_verification(SSL_CTX *context, const BtmScyllaOptions *options,
				 BtmScyllaFailure *failure)
{
	if (options->sslmode == BTM_SCYLLA_TLS_REQUIRE)
	{
		SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
		return true;
	}
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	if (options->sslrootcert == NULL)
		return SSL_CTX_set_default_verify_paths(context) == 1 ||
			openssl_failure(failure, "could not load the system's certificates");
	return SSL_CTX_load_verify_locations(context, options->sslrootcert, NULL) == 1 ||
		file_failure(failure, "root certificate file", options->sslrootcert);
}

/*
 * The client's certificate and key, if there is one.
 */
static bool
set_identity(SSL_CTX *context, const BtmScyllaOptions *options,
			 BtmScyllaFailure *failure)
{
	if (options->sslcert == NULL)
		return true;
	SSL_CTX_set_default_passwd_cb(context, no_pass_phrase);
	if (SSL_CTX_use_certificate_chain_file(context, options->sslcert) != 1)
		return file_failure(failure, "certificate file", options->sslcert);
	if (options->sslkey == NULL)
	{
		btm_scylla_fail(failure, ERRCODE_CONFIG_FILE_ERROR,
						"there is no key file for certificate file \"%s\"",
						options->sslcert);
		return false;
	}
	if (SSL_CTX_use_PrivateKey_file(context, options->sslkey, SSL_FILETYPE_PEM) != 1 ||
		SSL_CTX_check_private_key(context) != 1)
		return file_failure(failure, "private key file", options->sslkey);
	return true;
}

/*
 * The settings of all that is said on this connection.
 */
static bool
create_context(BtmScyllaTlsLink *link, const BtmScyllaOptions *options,
			   BtmScyllaFailure *failure)
{
	SSL_CTX    *context = SSL_CTX_new(TLS_client_method());

	link->context = context;
	if (context == NULL ||
		SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
		return openssl_failure(failure, "could not set up TLS");
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	return set_verification(context, options, failure) &&
		set_identity(context, options, failure);
}

/*
 * Whether a host is an address, which certificates have in another place than
 * names, and which is not told by SNI.
 */
static bool
is_address(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, address) == 1 ||
		inet_pton(AF_INET6, host, address) == 1;
}

/*
 * Tells the server whom it is wanted to be, and OpenSSL to check it.
 */
static bool
set_host(SSL *ssl, const BtmScyllaOptions *options, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	bool		address = is_address(host);

	if (!address && SSL_set_tlsext_host_name(ssl, host) != 1)
		return false;
	if (options->sslmode != BTM_SCYLLA_TLS_VERIFY_FULL)
		return true;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return address ? X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1
		: X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}

/*
 * The connection's own objects.
 */
static bool
create_ssl(BtmScyllaTlsLink *link, const BtmScyllaOptions *options,
		   const char *host, BtmScyllaFailure *failure)
{
	BIO		   *bio;

	link->ssl = SSL_new(link->context);
	if (link->ssl == NULL)
		return openssl_failure(failure, "could not set up TLS");
	bio = create_bio(link);
	if (bio == NULL)
		return openssl_failure(failure, "could not set up TLS");
	SSL_set_bio(link->ssl, bio, bio);	/* it owns it now */
	return set_host(link->ssl, options, host) ||
		openssl_failure(failure, "could not set up TLS");
}

BtmScyllaTlsLink *
btm_scylla_tls_create(const BtmScyllaOptions *options, const char *host,
					  pgsocket sock, BtmScyllaFailure *failure)
{
	BtmScyllaTlsLink *link = palloc0(sizeof(BtmScyllaTlsLink));

	link->sock = sock;
	ERR_clear_error();
	if (create_context(link, options, failure) &&
		create_ssl(link, options, host, failure))
		return link;
	btm_scylla_tls_free(link);
	return NULL;
}

void
btm_scylla_tls_free(BtmScyllaTlsLink *link)
{
	/* a courtesy to the peer, which may be lost */
	if (link->ssl != NULL && SSL_is_init_finished(link->ssl))
		(void) SSL_shutdown(link->ssl);
	SSL_free(link->ssl);
	SSL_CTX_free(link->context);
	BIO_meth_free(link->method);
	ERR_clear_error();
	pfree(link);
}

/* ---- use */

/*
 * Notes why the connection has failed in an operation with result `error` (of
 * SSL_get_error).
 */
static void
note_failure(BtmScyllaTlsLink *link, int error, int sqlstate,
			 BtmScyllaFailure *failure)
{
	char		reason[160];

	if (error == SSL_ERROR_ZERO_RETURN ||
		(error == SSL_ERROR_SYSCALL && errno == 0) ||
		ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		btm_scylla_fail(failure, sqlstate, "the server has closed the connection");
	else if (error == SSL_ERROR_SYSCALL)
		btm_scylla_fail(failure, sqlstate, "%m");
	else
		btm_scylla_fail(failure, sqlstate, "TLS error: %s",
						openssl_reason(reason, sizeof(reason)));
	ERR_clear_error();
}

/*
 * What to do about the result `rc` of an operation that has not succeeded: 0 if
 * it is to be repeated when *wanted has come, else -1 with the failure.
 */
static int
checked_result(BtmScyllaTlsLink *link, int rc, uint32 *wanted, int sqlstate,
			   BtmScyllaFailure *failure)
{
	int			error = SSL_get_error(link->ssl, rc);

	switch (error)
	{
		case SSL_ERROR_WANT_READ:
			*wanted = WL_SOCKET_READABLE;
			return 0;
		case SSL_ERROR_WANT_WRITE:
			*wanted = WL_SOCKET_WRITEABLE;
			return 0;
		default:
			note_failure(link, error, sqlstate, failure);
			return -1;
	}
}

/*
 * Names protocol and cipher.
 */
static void
describe(BtmScyllaTlsLink *link)
{
	snprintf(link->description, sizeof(link->description), "%s, %s",
			 SSL_get_version(link->ssl), SSL_get_cipher_name(link->ssl));
}

int
btm_scylla_tls_handshake(BtmScyllaTlsLink *link, uint32 *wanted,
						 BtmScyllaFailure *failure)
{
	int			rc;
	long		verified;

	ERR_clear_error();
	errno = 0;
	rc = SSL_connect(link->ssl);
	if (rc == 1)
	{
		describe(link);
		return 1;
	}
	verified = SSL_get_verify_result(link->ssl);
	rc = checked_result(link, rc, wanted, FAILED, failure);
	if (rc < 0 && verified != X509_V_OK &&
		SSL_get_verify_mode(link->ssl) != SSL_VERIFY_NONE)
		btm_scylla_fail(failure, FAILED, "the server's certificate is not valid: %s",
						X509_verify_cert_error_string(verified));
	return rc;
}

ssize_t
btm_scylla_tls_read(BtmScyllaTlsLink *link, void *data, size_t size,
					uint32 *wanted, BtmScyllaFailure *failure)
{
	int			rc;

	ERR_clear_error();
	errno = 0;
	*wanted = WL_SOCKET_READABLE;
	rc = SSL_read(link->ssl, data, (int) Min(size, INT_MAX));
	if (rc > 0)
		return rc;
	return checked_result(link, rc, wanted, ERRCODE_CONNECTION_FAILURE, failure);
}

ssize_t
btm_scylla_tls_write(BtmScyllaTlsLink *link, const void *data, size_t size,
					 uint32 *wanted, BtmScyllaFailure *failure)
{
	int			rc;

	ERR_clear_error();
	errno = 0;
	*wanted = WL_SOCKET_WRITEABLE;
	rc = SSL_write(link->ssl, data, (int) Min(size, INT_MAX));
	if (rc > 0)
		return rc;
	return checked_result(link, rc, wanted, ERRCODE_CONNECTION_FAILURE, failure);
}

const char *
btm_scylla_tls_description(const BtmScyllaTlsLink *link)
{
	return link->description;
}
