/*-------------------------------------------------------------------------
 *
 * handshake.c
 *	  How a session begins: OPTIONS, STARTUP, and SASL PLAIN if the server
 *	  wants to know who it is.
 *
 * OPTIONS comes first so that only what the server offers is asked for.  Each
 * message goes when the one before was answered; the kinds of answers to each
 * are checked before they come here.
 *
 *-------------------------------------------------------------------------
 */
#include "cql/session_parts.h"

#include <string.h>

/* The version of the language: any server takes it for the newest 3.x it has. */
#define CQL_VERSION "3.0.0"

/* CQL_VERSION, COMPRESSION, DRIVER_NAME and _VERSION, two extensions. */
#define MAX_STARTUP_OPTIONS 6

#define TEXT(literal) ((CqlString) {literal, sizeof(literal) - 1})

CqlStatus
cql_handshake_begin(CqlSession *session, CqlError *error)
{
	CqlOutgoing outgoing;

	CQL_TRY(cql_outgoing_begin(session, CQL_OP_OPTIONS, NULL, &outgoing, error));
	return cql_outgoing_end(session, &outgoing, CQL_OK);
}

/* Without a value there is no option. */
static void
add_option(CqlStringPair *options, uint32_t *noptions, CqlString key, CqlString value)
{
	if (value.data != NULL)
		options[(*noptions)++] = (CqlStringPair) {key, value};
}

/* STARTUP, section 4.1.1; what it says back lies in the response. */
static CqlStatus
send_startup(CqlSession *session, const CqlResponse *supported)
{
	CqlStringPair options[MAX_STARTUP_OPTIONS];
	uint32_t	noptions = 0;
	CqlSupportedEcho echo;
	CqlOutgoing outgoing;
	CqlStatus	status;

	cql_supported_read(supported, &session->server, &echo);
	session->compression = session->want_compression && session->server.lz4;

	add_option(options, &noptions, TEXT("CQL_VERSION"), TEXT(CQL_VERSION));
	if (session->compression)
		add_option(options, &noptions, TEXT("COMPRESSION"), TEXT("lz4"));
	add_option(options, &noptions, TEXT("DRIVER_NAME"), session->driver_name);
	add_option(options, &noptions, TEXT("DRIVER_VERSION"), session->driver_version);
	add_option(options, &noptions, echo.lwt.key, echo.lwt.value);
	add_option(options, &noptions, echo.rate_limit.key, echo.rate_limit.value);

	CQL_TRY(cql_outgoing_begin(session, CQL_OP_STARTUP, NULL, &outgoing,
							   &session->error));
	status = cql_request_startup(&session->out, noptions, options);
	return cql_outgoing_end(session, &outgoing, status);
}

/*
 * AUTH_RESPONSE, section 4.1.2: the only mechanism that we have, whatever the
 * authenticator, as drivers do; one that wants another will say so.
 */
static CqlStatus
send_login(CqlSession *session, CqlString authenticator)
{
	CqlOutgoing outgoing;
	CqlStatus	status;

	if (session->username.data == NULL)
		return cql_fail(&session->error, CQL_REFUSED,
						"the server asks for a user name and password (%.*s)",
						(int) authenticator.length, authenticator.data);
	CQL_TRY(cql_outgoing_begin(session, CQL_OP_AUTH_RESPONSE, NULL, &outgoing,
							   &session->error));
	session->out.secret = true;
	session->logged_in = true;
	status = cql_request_auth_plain(&session->out, session->username,
									session->password);
	cql_session_wipe_password(session);
	return cql_outgoing_end(session, &outgoing, status);
}

/* READY, AUTH_SUCCESS: requests may be made. */
static CqlStatus
finish(CqlSession *session, CqlEvent *event)
{
	cql_session_wipe_password(session);
	session->ready = true;
	event->kind = CQL_EVENT_READY;
	return CQL_OK;
}

/* ERROR: kept, for cql_session_refusal. */
static CqlStatus
refuse(CqlSession *session, CqlResponse *response)
{
	CqlString	message = response->u.error.message;

	session->refusal = response;
	return cql_fail(&session->error, CQL_REFUSED,
					"the server refused the connection: %.*s",
					(int) message.length, message.data);
}

/* Whatever is no error. */
static CqlStatus
go_on(CqlSession *session, const CqlResponse *response, CqlEvent *event)
{
	switch (response->kind)
	{
		case CQL_RESPONSE_SUPPORTED:
			return send_startup(session, response);
		case CQL_RESPONSE_AUTHENTICATE:
			return send_login(session, response->u.authenticator);
		case CQL_RESPONSE_AUTH_CHALLENGE:
			return cql_fail(&session->error, CQL_REFUSED,
							"the server wants more than a user name and password");
		default:
			return finish(session, event);
	}
}

CqlStatus
cql_handshake_answer(CqlSession *session, CqlResponse *response, CqlEvent *event)
{
	CqlStatus	status;

	if (response->kind == CQL_RESPONSE_ERROR)
		return refuse(session, response);
	status = go_on(session, response, event);
	cql_response_free(response);
	return status;
}
