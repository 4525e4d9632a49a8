/*-------------------------------------------------------------------------
 *
 * options.c
 *	  Options of servers, user mappings, foreign tables and their columns.
 *
 * One table says which option belongs to which kind of object and what checks
 * its value.  The validator goes by it, and so does reading the options for a
 * connection: what is checked when it is given needs no second look then, but
 * values are read by the same functions.
 *
 * TLS is on unless sslmode says otherwise: a server that turns out to be
 * reached unencrypted, or without knowing who it is, should be a decision.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/reloptions.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "relation/relation.h"
#include "scylla/options.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/varlena.h"

#define DEFAULT_PORT 9042
#define DEFAULT_CONNECT_TIMEOUT 5000
#define DEFAULT_REQUEST_TIMEOUT 12000	/* servers give up after 2 to 10 s */
#define DEFAULT_MAX_IN_FLIGHT 1024
#define MAX_BATCH_SIZE (16 * 1024 * 1024)	/* servers take no larger frames */
#define MAX_TTL 630720000			/* servers' own: 20 years */
#define MAX_IN_FLIGHT 32000		/* less than CQL_MAX_STREAMS: see cluster.h */

BTM_FUNCTION(btm_scylla_validator);

/* Checks the value of an option that was just given; raises 22023 or 42501. */
typedef void (*CheckOption) (DefElem *def);

typedef struct Option
{
	const char *name;
	Oid			catalog;		/* of the objects that have it */
	CheckOption check;
} Option;

/*
 * The one who gives a file name makes the server read that file.
 */
static void
check_file(DefElem *def)
{
	if (!has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to set option \"%s\"", def->defname),
				 errdetail("Only roles with privileges of the \"%s\" role may name files of the server.",
						   "pg_read_server_files")));
}

/* Any text but an empty one. */
static void
check_text(DefElem *def)
{
	if (defGetString(def)[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" must not be empty", def->defname)));
}

static void
check_anything(DefElem *def)
{
}

/*
 * As in postgres_fdw: whoever may leave the password out may use what else
 * lets the server's own machine in.
 */
static void
check_password_required(DefElem *def)
{
	if (!defGetBoolean(def) && !superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to set option \"%s\" to false", def->defname),
				 errhint("User mappings with this option set to false may only be created or altered by superusers.")));
}

/* A whole number in a range; with `flags` GUC_UNIT_MS also "5s" and the like. */
static int
get_integer(DefElem *def, int min, int max, int flags)
{
	char	   *text = defGetString(def);
	const char *hint = NULL;
	int			value;

	if (!parse_int(text, &value, flags, &hint))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for option \"%s\": \"%s\"", def->defname, text),
				 hint ? errhint("%s", hint) : 0));
	if (value < min || value > max)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%d is outside the valid range for option \"%s\" (%d .. %d)",
						value, def->defname, min, max)));
	return value;
}

static int
get_port(DefElem *def)
{
	return get_integer(def, 1, 65535, 0);
}

static void
check_port(DefElem *def)
{
	(void) get_port(def);
}

/* Milliseconds; 0 would be no limit, which is what no user wants. */
static int
get_timeout(DefElem *def)
{
	return get_integer(def, 1, INT_MAX, GUC_UNIT_MS);
}

static void
check_timeout(DefElem *def)
{
	(void) get_timeout(def);
}

static int
get_max_in_flight(DefElem *def)
{
	return get_integer(def, 1, MAX_IN_FLIGHT, 0);
}

static void
check_max_in_flight(DefElem *def)
{
	(void) get_max_in_flight(def);
}

/* Raises that a value is none of an option's values. */
pg_noreturn static void
bad_value(DefElem *def, const char *values)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for option \"%s\": \"%s\"",
					def->defname, defGetString(def)),
			 errhint("Valid values are %s.", values)));
}

static bool
is_serial(CqlConsistency consistency)
{
	return consistency == CQL_CONSISTENCY_SERIAL ||
		consistency == CQL_CONSISTENCY_LOCAL_SERIAL;
}

static CqlConsistency
get_consistency(DefElem *def)
{
	CqlConsistency consistency;

	if (!cql_consistency_parse(defGetString(def), &consistency))
		bad_value(def, "ANY, ONE, TWO, THREE, QUORUM, ALL, LOCAL_QUORUM, EACH_QUORUM, SERIAL, LOCAL_SERIAL, and LOCAL_ONE");
	return consistency;
}

static void
check_consistency(DefElem *def)
{
	(void) get_consistency(def);
}

static CqlConsistency
get_serial_consistency(DefElem *def)
{
	CqlConsistency consistency;

	if (!cql_consistency_parse(defGetString(def), &consistency) ||
		!is_serial(consistency))
		bad_value(def, "SERIAL and LOCAL_SERIAL");
	return consistency;
}

static void
check_serial_consistency(DefElem *def)
{
	(void) get_serial_consistency(def);
}

static bool
get_compression(DefElem *def)
{
	if (pg_strcasecmp(defGetString(def), "lz4") == 0)
		return true;
	if (pg_strcasecmp(defGetString(def), "none") == 0)
		return false;
	bad_value(def, "lz4 and none");
}

static void
check_compression(DefElem *def)
{
	(void) get_compression(def);
}

/* A place within a key, from 1; a server has no keys of so many columns. */
static void
check_position(DefElem *def)
{
	(void) get_integer(def, 1, INT16_MAX, 0);
}

static void
check_fetch_size(DefElem *def)
{
	(void) get_integer(def, 1, INT_MAX, 0);
}

/* Bytes; "16kB" and the like. */
int
btm_scylla_batch_size(DefElem *def)
{
	return get_integer(def, 1, MAX_BATCH_SIZE, GUC_UNIT_BYTE);
}

static void
check_batch_size(DefElem *def)
{
	(void) btm_scylla_batch_size(def);
}

/* Seconds; 0: none, even if the table there has a default. */
static void
check_ttl(DefElem *def)
{
	(void) get_integer(def, 0, MAX_TTL, 0);
}

static void
check_write_mode(DefElem *def)
{
	if (pg_strcasecmp(defGetString(def), "commit") != 0 &&
		pg_strcasecmp(defGetString(def), "immediate") != 0)
		bad_value(def, "commit and immediate");
}

static void
check_boolean(DefElem *def)
{
	(void) defGetBoolean(def);
}

static void
check_order(DefElem *def)
{
	if (pg_strcasecmp(defGetString(def), "asc") != 0 &&
		pg_strcasecmp(defGetString(def), "desc") != 0)
		bad_value(def, "asc and desc");
}

static BtmScyllaTls
get_sslmode(DefElem *def)
{
	static const char *const modes[] = {
		[BTM_SCYLLA_TLS_DISABLE] = "disable",
		[BTM_SCYLLA_TLS_REQUIRE] = "require",
		[BTM_SCYLLA_TLS_VERIFY_CA] = "verify-ca",
		[BTM_SCYLLA_TLS_VERIFY_FULL] = "verify-full"
	};

	for (int i = 0; i < (int) lengthof(modes); i++)
		if (strcmp(defGetString(def), modes[i]) == 0)
			return (BtmScyllaTls) i;
	bad_value(def, "disable, require, verify-ca, and verify-full");
}

static void
check_sslmode(DefElem *def)
{
	(void) get_sslmode(def);
}

/* -------
 * Hosts
 * -------
 */

pg_noreturn static void
bad_host(const char *host)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for option \"%s\": \"%s\" is not a host", "hosts", host),
			 errhint("Give hosts as name, name:port, address, address:port or [IPv6 address]:port, with commas between them.")));
}

/* A port as it follows a host and a colon. */
static int
parse_port(const char *text, const char *host)
{
	int			port;

	if (!parse_int(text, &port, 0, NULL) || port < 1 || port > 65535)
		bad_host(host);
	return port;
}

/*
 * One contact point: "name", "name:port", "[address]", "[address]:port", or an
 * IPv6 address alone, which has more than one colon.
 */
static BtmScyllaHost *
parse_host(const char *text, int default_port)
{
	BtmScyllaHost *host = palloc(sizeof(BtmScyllaHost));
	const char *colon = strchr(text, ':');
	const char *end = text + strlen(text);

	host->port = default_port;
	if (text[0] == '[')
	{
		end = strchr(text++, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			bad_host(text - 1);
		if (end[1] == ':')
			host->port = parse_port(end + 2, text - 1);
	}
	else if (colon != NULL && strchr(colon + 1, ':') == NULL)
	{
		host->port = parse_port(colon + 1, text);
		end = colon;
	}
	host->name = pnstrdup(text, end - text);
	if (host->name[0] == '\0' || strpbrk(host->name, " \t\r\n/[]") != NULL)
		bad_host(text);
	return host;
}

/* The contact points in a comma-separated list: a List of BtmScyllaHost. */
static List *
parse_hosts(const char *text, int default_port)
{
	List	   *names;
	List	   *hosts = NIL;
	ListCell   *lc;

	/* quotes would be taken off, and nothing else does that to a host */
	if (!SplitGUCList(pstrdup(text), ',', &names) || names == NIL)
		bad_host(text);
	foreach(lc, names)
		hosts = lappend(hosts, parse_host(lfirst(lc), default_port));
	return hosts;
}

static void
check_hosts(DefElem *def)
{
	(void) parse_hosts(defGetString(def), DEFAULT_PORT);
}

/* -------
 * The validator
 * -------
 */

static const Option all_options[] = {
	{"hosts", ForeignServerRelationId, check_hosts},
	{"port", ForeignServerRelationId, check_port},
	{"local_dc", ForeignServerRelationId, check_text},
	{"consistency", ForeignServerRelationId, check_consistency},
	{"serial_consistency", ForeignServerRelationId, check_serial_consistency},
	{"connect_timeout", ForeignServerRelationId, check_timeout},
	{"request_timeout", ForeignServerRelationId, check_timeout},
	{"compression", ForeignServerRelationId, check_compression},
	{"max_in_flight", ForeignServerRelationId, check_max_in_flight},
	{"fetch_size", ForeignServerRelationId, check_fetch_size},
	{"write_mode", ForeignServerRelationId, check_write_mode},
	{"batch_size", ForeignServerRelationId, check_batch_size},
	{"updatable", ForeignServerRelationId, check_boolean},
	{"truncatable", ForeignServerRelationId, check_boolean},
	{"sslmode", ForeignServerRelationId, check_sslmode},
	{"sslrootcert", ForeignServerRelationId, check_file},
	{"sslcert", ForeignServerRelationId, check_file},
	{"sslkey", ForeignServerRelationId, check_file},
	{"username", UserMappingRelationId, check_text},
	{"password", UserMappingRelationId, check_anything},
	{"password_required", UserMappingRelationId, check_password_required},
	{"sslcert", UserMappingRelationId, check_file},
	{"sslkey", UserMappingRelationId, check_file},
	{"keyspace", ForeignTableRelationId, check_text},
	{"table", ForeignTableRelationId, check_text},
	{"consistency", ForeignTableRelationId, check_consistency},
	{"fetch_size", ForeignTableRelationId, check_fetch_size},
	{"allow_filtering", ForeignTableRelationId, check_boolean},
	{"write_mode", ForeignTableRelationId, check_write_mode},
	{"ttl", ForeignTableRelationId, check_ttl},
	{"batch_size", ForeignTableRelationId, check_batch_size},
	{"updatable", ForeignTableRelationId, check_boolean},
	{"truncatable", ForeignTableRelationId, check_boolean},
	{"column_name", AttributeRelationId, check_text},
	{"cql_type", AttributeRelationId, check_text},
	{"partition_key", AttributeRelationId, check_position},
	{"clustering_key", AttributeRelationId, check_position},
	{"clustering_order", AttributeRelationId, check_order},
	{"static", AttributeRelationId, check_boolean},
	{"indexed", AttributeRelationId, check_boolean}
};

/* The names of the options that objects of a catalog have. */
static List *
options_of(Oid catalog)
{
	List	   *names = NIL;

	for (int i = 0; i < (int) lengthof(all_options); i++)
		if (all_options[i].catalog == catalog)
			names = lappend(names, unconstify(char *, all_options[i].name));
	return names;
}

static char *
join_names(List *names)
{
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, names)
		appendStringInfo(&text, "%s%s", text.len > 0 ? ", " : "", (char *) lfirst(lc));
	return text.data;
}

/* Raises HV00D for an option that objects of this catalog do not have. */
pg_noreturn static void
unknown_option(const char *name, Oid catalog)
{
	List	   *names = options_of(catalog);
	const char *nearest = btm_nearest_name(name, names);

	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
			 errmsg("invalid option \"%s\"", name),
			 nearest ? errhint("Perhaps you meant the option \"%s\".", nearest) :
			 names ? errhint("Valid options in this context are %s.", join_names(names)) :
			 errhint("There are no valid options in this context.")));
}

static const Option *
find_option(const char *name, Oid catalog)
{
	for (int i = 0; i < (int) lengthof(all_options); i++)
		if (all_options[i].catalog == catalog &&
			strcmp(all_options[i].name, name) == 0)
			return &all_options[i];
	return NULL;
}

/*
 * scylla_validator(text[], oid): checks the options of an object in the catalog
 * of that OID.
 */
Datum
btm_scylla_validator(PG_FUNCTION_ARGS)
{
	List	   *options = untransformRelOptions(PG_GETARG_DATUM(0));
	Oid			catalog = PG_GETARG_OID(1);
	ListCell   *lc;

	foreach(lc, options)
	{
		DefElem    *def = lfirst(lc);
		const Option *option = find_option(def->defname, catalog);

		if (option == NULL)
			unknown_option(def->defname, catalog);
		option->check(def);
	}
	PG_RETURN_VOID();
}

/* -------
 * Reading them
 * -------
 */

static void
set_defaults(BtmScyllaOptions *options)
{
	options->consistency = CQL_CONSISTENCY_LOCAL_QUORUM;
	options->serial_consistency = CQL_CONSISTENCY_LOCAL_SERIAL;
	options->connect_timeout = DEFAULT_CONNECT_TIMEOUT;
	options->request_timeout = DEFAULT_REQUEST_TIMEOUT;
	options->compression = true;
	options->max_in_flight = DEFAULT_MAX_IN_FLIGHT;
	options->sslmode = BTM_SCYLLA_TLS_VERIFY_FULL;
	options->password_required = true;
}

/* The value as the server is told it. */
static char *
get_utf8(DefElem *def)
{
	char	   *text = defGetString(def);

	return pg_server_to_any(text, strlen(text), PG_UTF8);
}

/* One option of a server or a mapping; hosts and port are read by themselves. */
static void
set_option(BtmScyllaOptions *options, DefElem *def)
{
	const char *name = def->defname;

	if (strcmp(name, "local_dc") == 0)
		options->local_dc = get_utf8(def);
	else if (strcmp(name, "consistency") == 0)
		options->consistency = get_consistency(def);
	else if (strcmp(name, "serial_consistency") == 0)
		options->serial_consistency = get_serial_consistency(def);
	else if (strcmp(name, "connect_timeout") == 0)
		options->connect_timeout = get_timeout(def);
	else if (strcmp(name, "request_timeout") == 0)
		options->request_timeout = get_timeout(def);
	else if (strcmp(name, "compression") == 0)
		options->compression = get_compression(def);
	else if (strcmp(name, "max_in_flight") == 0)
		options->max_in_flight = get_max_in_flight(def);
	else if (strcmp(name, "sslmode") == 0)
		options->sslmode = get_sslmode(def);
	else if (strcmp(name, "sslrootcert") == 0)
		options->sslrootcert = defGetString(def);
	else if (strcmp(name, "sslcert") == 0)
		options->sslcert = defGetString(def);
	else if (strcmp(name, "sslkey") == 0)
		options->sslkey = defGetString(def);
	else if (strcmp(name, "username") == 0)
		options->username = get_utf8(def);
	else if (strcmp(name, "password") == 0)
		options->password = get_utf8(def);
	else if (strcmp(name, "password_required") == 0)
		options->password_required = defGetBoolean(def);
}

static void
set_options(BtmScyllaOptions *options, List *defs)
{
	ListCell   *lc;

	foreach(lc, defs)
		set_option(options, lfirst(lc));
}

/* The value of an option in a list of DefElems, or NULL. */
static DefElem *
find_def(List *defs, const char *name)
{
	ListCell   *lc;

	foreach(lc, defs)
		if (strcmp(((DefElem *) lfirst(lc))->defname, name) == 0)
			return lfirst(lc);
	return NULL;
}

static List *
get_hosts(ForeignServer *server)
{
	DefElem    *hosts = find_def(server->options, "hosts");
	DefElem    *port = find_def(server->options, "port");

	return parse_hosts(hosts ? defGetString(hosts) : "localhost",
					   port ? get_port(port) : DEFAULT_PORT);
}

/* Refuses users who would get in without a secret of their own (2F003). */
static void
check_credentials(const BtmScyllaOptions *options)
{
	if (options->password_required &&
		(options->password == NULL || options->password[0] == '\0'))
		ereport(ERROR,
				(errcode(ERRCODE_S_R_E_PROHIBITED_SQL_STATEMENT_ATTEMPTED),
				 errmsg("password is required"),
				 errdetail("Non-superusers must provide a password in the user mapping.")));
}

BtmScyllaOptions *
btm_scylla_options(Oid serverid, Oid userid)
{
	BtmScyllaOptions *options = palloc0(sizeof(BtmScyllaOptions));
	ForeignServer *server = GetForeignServer(serverid);
	UserMapping *mapping = GetUserMapping(userid, serverid);

	options->serverid = serverid;
	options->umid = mapping->umid;
	options->servername = server->servername;
	options->hosts = get_hosts(server);
	set_defaults(options);
	set_options(options, server->options);
	set_options(options, mapping->options);
	if (superuser_arg(userid))
		options->password_required = false;
	check_credentials(options);
	return options;
}

/*
 * A wrapper is ours by its validator, under whatever name it was created.
 */
static bool
is_our_wrapper(Oid fdwid)
{
	Oid			validator = GetForeignDataWrapper(fdwid)->fdwvalidator;
	FmgrInfo	function;

	if (!OidIsValid(validator))
		return false;
	fmgr_info(validator, &function);
	return function.fn_addr == btm_scylla_validator;
}

Oid
btm_scylla_server(const char *name)
{
	ForeignServer *server = GetForeignServerByName(name, false);
	AclResult	acl;

	if (!is_our_wrapper(server->fdwid))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("server \"%s\" is not one of ScyllaDB or Cassandra", name),
				 errdetail("Its foreign-data wrapper is \"%s\".",
						   GetForeignDataWrapper(server->fdwid)->fdwname)));
	acl = object_aclcheck(ForeignServerRelationId, server->serverid, GetUserId(), ACL_USAGE);
	if (acl != ACLCHECK_OK)
		aclcheck_error(acl, OBJECT_FOREIGN_SERVER, name);
	return server->serverid;
}
