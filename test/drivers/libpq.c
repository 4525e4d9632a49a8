/*-------------------------------------------------------------------------
 *
 * libpq.c
 *	  Every operation through libpq's extended protocol.
 *
 * Each case of cases.json (see harness.py for what a case is) is run in every
 * mode below: parameters without a type, as most drivers send them, and with
 * the types that other drivers derive from their own values, in text and in
 * binary.  JSON is taken apart and compared by the server.
 *
 * Further tests look at what a driver sees that asks for the types of a
 * statement's parameters before it encodes them.
 *
 *	  libpq FOLDER			FOLDER has cases.json and schema.sql
 *
 *-------------------------------------------------------------------------
 */
#include <endian.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#define SCHEMA "drivers_libpq"
#define MAX_PARAMS 16
#define lengthof(array) ((int) (sizeof(array) / sizeof((array)[0])))

/* pg_type.h is not among libpq's headers */
#define BOOLOID 16
#define INT8OID 20
#define INT4OID 23
#define TEXTOID 25
#define JSONOID 114
#define FLOAT8OID 701
#define INT4ARRAYOID 1007
#define TEXTARRAYOID 1009
#define INT8ARRAYOID 1016
#define VARCHAROID 1043
#define UUIDOID 2950
#define JSONBOID 3802

/* The parameters of a statement, as libpq takes them. */
typedef struct Params
{
	int			n;
	Oid			types[MAX_PARAMS];	/* 0: left to the server */
	const char *values[MAX_PARAMS];
	int			lengths[MAX_PARAMS];
	int			formats[MAX_PARAMS];
} Params;

/* How parameters go and results come. */
typedef struct Mode
{
	const char *name;
	bool		prepare;		/* PQprepare, then PQexecPrepared */
	Oid			number;			/* type of a number, 0: none for any of them */
	Oid			numbers;		/* type of an array of numbers */
	bool		binary;			/* parameters and results */
} Mode;

static const Mode modes[] = {
	{"untyped", false, 0, 0, false},
	{"prepared, untyped", true, 0, 0, false},
	{"int4", false, INT4OID, INT4ARRAYOID, false},
	{"int8, prepared", true, INT8OID, INT8ARRAYOID, false},
	{"int8, binary", false, INT8OID, INT8ARRAYOID, true},
};

/* A statement with parameters of its own, and what its first column gives. */
typedef struct Typed
{
	const char *name;
	const char *sql;
	int			n;
	struct
	{
		Oid			type;
		const char *value;
	}			params[4];
	const char *expected;		/* text, or the SQLSTATE */
} Typed;

#define HOME "00000000-0000-4000-8000-000000000001"
#define TOPIC2 "00000000-0000-4000-9000-000000000002"
#define TOPIC3 "00000000-0000-4000-9000-000000000003"
#define ATTACH "SELECT m2m.attach($1, $2, $3)"
#define SYNC "SELECT attached FROM m2m.sync($1, $2, $3)"

static const Typed typed[] = {
	{"int4 beside text", ATTACH,
	3, {{TEXTOID, "user_roles"}, {INT4OID, "1"}, {TEXTOID, "{4,5}"}}, "2"},
	{"text beside int4[]", ATTACH,
	3, {{TEXTOID, "user_roles"}, {TEXTOID, "1"}, {INT4ARRAYOID, "{4,5}"}}, "2"},
	{"int8 beside an untyped list", ATTACH,
	3, {{0, "user_roles"}, {INT8OID, "1"}, {0, "{4,5}"}}, "2"},
	{"an untyped id beside int8[]", ATTACH,
	3, {{0, "user_roles"}, {0, "1"}, {INT8ARRAYOID, "{4,5}"}}, "2"},
	{"text beside text[]", ATTACH,
	3, {{0, "user_roles"}, {TEXTOID, "1"}, {TEXTARRAYOID, "{4,5}"}}, "2"},
	{"varchar, as JDBC sends strings", ATTACH,
	3, {{VARCHAROID, "user_roles"}, {INT8OID, "1"}, {VARCHAROID, "[4, 5]"}}, "2"},
	{"varchar for attributes finds no function", "SELECT m2m.attach($1, $2, $3, $4)",
	4, {{VARCHAROID, "user_roles"}, {INT8OID, "1"}, {INT8OID, "4"}, {VARCHAROID, "{\"level\": 1}"}}, "42883"},
	{"varchar for attributes wants a cast", "SELECT m2m.attach($1, $2, $3, $4::jsonb)",
	4, {{VARCHAROID, "user_roles"}, {INT8OID, "1"}, {INT8OID, "4"}, {VARCHAROID, "{\"level\": 1}"}}, "1"},
	{"float8", ATTACH,
	3, {{0, "user_roles"}, {FLOAT8OID, "1"}, {FLOAT8OID, "4"}}, "1"},
	{"float8 with a fraction", ATTACH,
	3, {{0, "user_roles"}, {FLOAT8OID, "1"}, {FLOAT8OID, "4.5"}}, "22P02"},
	{"json", ATTACH,
	3, {{0, "user_roles"}, {0, "1"}, {JSONOID, "{\"4\": {}, \"5\": {\"level\": 1}}"}}, "2"},
	{"jsonb: objects in an array", ATTACH,
	3, {{0, "user_roles"}, {0, "1"}, {JSONBOID, "[{\"4\": {\"level\": 1}}, {\"role_id\": 5}, 4]"}}, "2"},
	{"a uuid beside text[]", SYNC,
		3, {{0, "document_topics"}, {UUIDOID, HOME}, {TEXTARRAYOID, "{" TOPIC3 "," TOPIC2 "}"}},
	"[\"" TOPIC3 "\", \"" TOPIC2 "\"]"},
	{"an untyped uuid", SYNC,
	3, {{0, "document_topics"}, {0, HOME}, {0, TOPIC2}}, "[\"" TOPIC2 "\"]"},
	{"untyped uuids in JSON", SYNC,
	3, {{0, "document_topics"}, {UUIDOID, HOME}, {0, "[\"" TOPIC2 "\"]"}}, "[\"" TOPIC2 "\"]"},
	{"text[] for a text key is a list", SYNC,
	3, {{0, "page_labels"}, {TEXTOID, "home"}, {TEXTARRAYOID, "{blue,\"{}\"}"}}, "[\"blue\", \"{}\"]"},
	{"text for a text key is one id", SYNC,
	3, {{0, "page_labels"}, {TEXTOID, "home"}, {TEXTOID, "{\"red\"}"}}, "[\"{\\\"red\\\"}\"]"},
	{"varchar for a text key is one id", SYNC,
	3, {{0, "page_labels"}, {VARCHAROID, "home"}, {VARCHAROID, "{}"}}, "[\"{}\"]"},
	{"an array of strings that hold objects", ATTACH,
	3, {{0, "user_roles"}, {0, "1"}, {0, "{\"{\\\"role_id\\\": 4}\"}"}}, "22P02"},
	{"NULL of type int8[]", ATTACH,
	3, {{0, "user_roles"}, {0, "1"}, {INT8ARRAYOID, NULL}}, "22004"},
	{"NULL of type jsonb", ATTACH,
	3, {{0, "user_roles"}, {0, "1"}, {JSONBOID, NULL}}, "22004"},
	{"NULL of no type", ATTACH,
	3, {{0, "user_roles"}, {0, "1"}, {0, NULL}}, "22004"},
};

/* A statement, and the types that the server gives its untyped parameters. */
static const struct
{
	const char *sql;
	const char *types;
}			described[] = {
	{"SELECT m2m.attach($1, $2, $3, $4, $5)", "m2m.belongs_to_many,text,text,jsonb,text"},
	{"SELECT m2m.attach('user_roles', 1, $1)", "text"},
	{"SELECT m2m.attach('user_roles', $1, ARRAY[1, 2])", "text"},
	{"SELECT m2m.attach('user_roles', $1::bigint, $2::bigint[])", "bigint,bigint[]"},
	{"SELECT m2m.attach('user_roles', $1, $2::jsonb)", "text,jsonb"},
	{"SELECT m2m.sync('user_roles', $1, $2::uuid[], $3)", "text,uuid[],boolean"},
	{"SELECT m2m.related_ids('user_roles', $1, NULL::bigint)", "text"},
	{"SELECT m2m.get_results_for('user_roles', $1)", "text"},
	{"SELECT m2m.get_results_for('user_roles', $1::bigint[], $2)", "bigint[],bigint"},
	{"SELECT m2m.where_pivot($1, $2, $3)", "m2m.belongs_to_many,name,text"},
	{"SELECT m2m.where_pivot('user_roles', 'level', '>', $1::int)", "integer"},
};

static PGconn *conn;
static int	count;
static int	failed;
static char *called;			/* all statements, to see which functions ran */

/* ---- TAP ---- */

static void bail_out(const char *what) __attribute__((noreturn));

static void
bail_out(const char *what)
{
	printf("Bail out! %s: %s\n", what, PQerrorMessage(conn));
	exit(1);
}

static void
ok(bool passed, const char *mode, const char *name, const char *got, const char *expected)
{
	printf("%s %d - %s: ", passed ? "ok" : "not ok", ++count, mode);
	for (; *name; name++)
		printf(*name == '#' ? "\\%c" : "%c", *name);
	printf("\n");
	if (!passed)
	{
		failed++;
		printf("# got: %s\n# expected: %s\n", got, expected);
	}
	fflush(stdout);
}

/* ---- running statements ---- */

static PGresult *
execute(const char *sql)
{
	PGresult   *res = PQexec(conn, sql);

	if (PQresultStatus(res) != PGRES_COMMAND_OK && PQresultStatus(res) != PGRES_TUPLES_OK)
		bail_out(sql);
	return res;
}

static void
command(const char *sql)
{
	PQclear(execute(sql));
}

/* Run a statement in a mode; `called` takes note of it. */
static PGresult *
run(const Mode *mode, const char *sql, const Params *params)
{
	PGresult   *res;
	size_t		size = strlen(called) + strlen(sql) + 1;

	called = realloc(called, size);
	strcat(called, sql);
	if (!mode->prepare)
		return PQexecParams(conn, sql, params->n, params->types, params->values,
							params->lengths, params->formats, mode->binary);
	res = PQprepare(conn, "", sql, params->n, params->types);
	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		return res;
	PQclear(res);
	return PQexecPrepared(conn, "", params->n, params->values, params->lengths, params->formats,
						  mode->binary);
}

static bool
failed_with(const PGresult *res)
{
	return PQresultStatus(res) != PGRES_TUPLES_OK && PQresultStatus(res) != PGRES_COMMAND_OK;
}

/*
 * A text that a helper statement makes of the parameters; the caller frees.
 */
static char *
ask(const char *sql, const Params *params)
{
	PGresult   *res = PQexecParams(conn, sql, params->n, params->types, params->values,
								   params->lengths, params->formats, 0);
	char	   *text;

	if (PQresultStatus(res) != PGRES_TUPLES_OK || PQntuples(res) != 1)
		bail_out(sql);
	text = strdup(PQgetvalue(res, 0, 0));
	PQclear(res);
	return text;
}

static char *
ask_text(const char *sql, const char *a, const char *b)
{
	Params		params = {b ? 2 : 1, {TEXTOID, TEXTOID}, {a, b}, {0}, {0}};

	return ask(sql, &params);
}

/* Append to a growing text. */
static void
append(char **text, const char *more)
{
	*text = realloc(*text, strlen(*text) + strlen(more) + 1);
	strcat(*text, more);
}

/*
 * Row `row` of a result as a JSON object: each value goes back to the server
 * with the type and in the format that it came with.
 */
static char *
row_to_json(const PGresult *res, int row)
{
	Params		params = {0};
	char		sql[1024] = "SELECT jsonb_build_object(";

	for (int i = 0; i < PQnfields(res); i++)
	{
		char	   *name = PQescapeLiteral(conn, PQfname(res, i), strlen(PQfname(res, i)));

		sprintf(sql + strlen(sql), "%s%s, to_jsonb($%d)", i > 0 ? ", " : "", name, i + 1);
		PQfreemem(name);
		params.types[i] = PQftype(res, i);
		params.values[i] = PQgetisnull(res, row, i) ? NULL : PQgetvalue(res, row, i);
		params.lengths[i] = PQgetlength(res, row, i);
		params.formats[i] = PQfformat(res, i);
		params.n++;
	}
	strcat(sql, ")");
	return ask(sql, &params);
}

/* All rows of a result as a JSON array, or the SQLSTATE that it failed with. */
static char *
result_to_json(const PGresult *res)
{
	char	   *json;

	if (failed_with(res))
		return strdup(PQresultErrorField(res, PG_DIAG_SQLSTATE));
	json = strdup("[");
	for (int row = 0; row < PQntuples(res); row++)
	{
		char	   *object = row_to_json(res, row);

		append(&json, row > 0 ? ", " : "");
		append(&json, object);
		free(object);
	}
	append(&json, "]");
	return json;
}

/* ---- cases.json ---- */

/* Columns of a case, see load_cases. */
enum
{
	CASE_NAME, CASE_SQL, CASE_ROWS, CASE_ERROR, CASE_HINT, CASE_RUN, CASE_THEN,
	CASE_AFTER, CASE_CHECK, CASE_GIVES, CASE_PARAMS
};

static PGresult *
load_cases(const char *json)
{
	const char *sql =
	"SELECT c->>'name', c->>'sql', c->>'rows', c->>'error', coalesce(c->>'hint', ''), c->>'run',"
	" c->>'then', c->>'after', c->>'check', c->>'gives', coalesce(c->>'params', '[]')"
	" FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS t(c, n) ORDER BY n";
	PGresult   *res = PQexecParams(conn, sql, 1, NULL, &json, NULL, NULL, 0);

	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		bail_out("cases.json");
	return res;
}

/*
 * The parameters of a case, a JSON array, as the mode sends them.  Their
 * values point into *holder.
 */
static Params
case_params(const Mode *mode, const char *json, PGresult **holder)
{
	/* arrays of scalars are PostgreSQL's arrays, of objects are JSON */
	const char *sql =
	"WITH p AS (SELECT n, p, jsonb_typeof(p) AS type, ARRAY(SELECT jsonb_typeof(e)"
	"  FROM jsonb_array_elements(CASE jsonb_typeof(p) WHEN 'array' THEN p ELSE '[]' END) e) AS elements"
	"  FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS t(p, n)),"
	" k AS (SELECT n, p, CASE WHEN type = 'object' OR 'object' = ANY (elements) THEN 'json'"
	"  WHEN type = 'array' AND 'string' = ANY (elements) THEN 'strings'"
	"  WHEN type = 'array' THEN 'numbers' ELSE type END AS kind FROM p)"
	" SELECT kind, CASE WHEN kind = 'null' THEN NULL"
	"  WHEN kind IN ('numbers', 'strings') THEN ARRAY(SELECT jsonb_array_elements_text(p))::text"
	"  ELSE p #>> '{}' END FROM k ORDER BY n";
	const char *to_binary =
	"SELECT kind, CASE kind WHEN 'boolean' THEN boolsend(value::bool)"
	"  WHEN 'number' THEN int8send(value::int8) WHEN 'numbers' THEN array_send(value::int8[])"
	"  WHEN 'string' THEN textsend(value) WHEN 'strings' THEN array_send(value::text[])"
	"  WHEN 'json' THEN jsonb_send(value::jsonb) END"
	" FROM (%s) AS t(kind, value)";
	char		binary_sql[4096];
	Params		params = {0};
	PGresult   *res;

	snprintf(binary_sql, sizeof(binary_sql), to_binary, sql);
	*holder = res = PQexecParams(conn, mode->binary ? binary_sql : sql, 1, NULL, &json,
								 NULL, NULL, mode->binary);
	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		bail_out(json);
	for (int i = 0; i < PQntuples(res); i++)
	{
		const char *kind = PQgetvalue(res, i, 0);

		params.values[i] = PQgetisnull(res, i, 1) ? NULL : PQgetvalue(res, i, 1);
		params.lengths[i] = PQgetlength(res, i, 1);
		params.formats[i] = mode->binary;
		if (mode->number == 0)
			params.types[i] = 0;
		else if (strcmp(kind, "number") == 0)
			params.types[i] = mode->number;
		else if (strcmp(kind, "numbers") == 0)
			params.types[i] = mode->numbers;
		else if (strcmp(kind, "string") == 0)
			params.types[i] = TEXTOID;
		else if (strcmp(kind, "strings") == 0)
			params.types[i] = TEXTARRAYOID;
		else if (strcmp(kind, "boolean") == 0)
			params.types[i] = BOOLOID;
		else if (strcmp(kind, "json") == 0)
			params.types[i] = JSONBOID;
		params.n++;
	}
	return params;
}

/* Put `text` in place of {}. */
static char *
fill_in(const char *template, const char *text)
{
	const char *hole = strstr(template, "{}");
	char	   *filled = malloc(strlen(template) + strlen(text) + 1);

	sprintf(filled, "%.*s%s%s", (int) (hole - template), template, text, hole + 2);
	return filled;
}

/* NULL where the result is what the case says, else what is wrong. */
static char *
compare_rows(const PGresult *res, const char *expected)
{
	char	   *got = result_to_json(res);
	char	   *same;

	if (failed_with(res))
	{
		append(&got, ": ");
		append(&got, PQresultErrorMessage(res));
		return got;
	}
	same = ask_text("SELECT $1::jsonb = $2::jsonb", got, expected);
	if (strcmp(same, "t") == 0)
	{
		free(got);
		got = NULL;
	}
	free(same);
	return got;
}

/* The error that a case expects; NULL if it is that. */
static char *
compare_error(const PGresult *res, const char *sqlstate, const char *hint)
{
	char	   *got = result_to_json(res);
	const char *its_hint = failed_with(res) ? PQresultErrorField(res, PG_DIAG_MESSAGE_HINT) : NULL;

	if (strcmp(got, sqlstate) == 0 && strstr(its_hint ? its_hint : "", hint) != NULL)
	{
		free(got);
		return NULL;
	}
	append(&got, " ");
	append(&got, PQresultErrorMessage(res));
	return got;
}

/* What differs after a case's statement, or NULL. */
static char *
compare_effects(const PGresult *cases, int i)
{
	PGresult   *res;
	char	   *wrong = NULL;

	if (!PQgetisnull(cases, i, CASE_AFTER))
	{
		res = execute("TABLE roles_of_user_1");
		if (strcmp(PQgetvalue(res, 0, 0), PQgetvalue(cases, i, CASE_AFTER)) != 0)
			wrong = strdup(PQgetvalue(res, 0, 0));
		PQclear(res);
	}
	if (!wrong && !PQgetisnull(cases, i, CASE_CHECK))
	{
		res = PQexec(conn, PQgetvalue(cases, i, CASE_CHECK));
		wrong = compare_rows(res, PQgetvalue(cases, i, CASE_GIVES));
		PQclear(res);
	}
	return wrong;
}

/* Run what a case makes of the text in `res`; frees that. */
static PGresult *
follow_up(const Mode *mode, const PGresult *cases, int i, PGresult *res)
{
	PGresult   *next = res;

	if (!PQgetisnull(cases, i, CASE_RUN))
	{
		char	   *sql = fill_in(PQgetvalue(cases, i, CASE_RUN), PQgetvalue(res, 0, 0));

		next = PQexec(conn, sql);
		free(sql);
	}
	if (!PQgetisnull(cases, i, CASE_THEN))
	{
		Params		params = {1, {0}, {PQgetvalue(res, 0, 0)}, {0}, {0}};

		next = run(mode, PQgetvalue(cases, i, CASE_THEN), &params);
	}
	if (next != res)
		PQclear(res);
	return next;
}

static void
run_case(const Mode *mode, const PGresult *cases, int i)
{
	PGresult   *holder;
	Params		params = case_params(mode, PQgetvalue(cases, i, CASE_PARAMS), &holder);
	PGresult   *res;
	char	   *wrong;
	char	   *expected = strdup(PQgetvalue(cases, i, CASE_ROWS));

	command("BEGIN");
	res = run(mode, PQgetvalue(cases, i, CASE_SQL), &params);
	if (!failed_with(res))
		res = follow_up(mode, cases, i, res);
	if (!PQgetisnull(cases, i, CASE_ERROR))
		wrong = compare_error(res, PQgetvalue(cases, i, CASE_ERROR), PQgetvalue(cases, i, CASE_HINT));
	else
		wrong = compare_rows(res, PQgetvalue(cases, i, CASE_ROWS));
	if (!wrong && PQgetisnull(cases, i, CASE_ERROR))
		wrong = compare_effects(cases, i);
	append(&expected, PQgetvalue(cases, i, CASE_ERROR));
	append(&expected, " ");
	append(&expected, PQgetvalue(cases, i, CASE_HINT));
	append(&expected, PQgetvalue(cases, i, CASE_AFTER));
	append(&expected, PQgetvalue(cases, i, CASE_GIVES));
	ok(wrong == NULL, mode->name, PQgetvalue(cases, i, CASE_NAME), wrong, expected);
	command("ROLLBACK");
	free(wrong);
	free(expected);
	PQclear(res);
	PQclear(holder);
}

/* ---- further tests ---- */

static void
test_typed(void)
{
	const Mode	mode = {.name = "typed"};

	for (int i = 0; i < lengthof(typed); i++)
	{
		Params		params = {.n = typed[i].n};
		PGresult   *res;
		const char *got;

		for (int p = 0; p < params.n; p++)
		{
			params.types[p] = typed[i].params[p].type;
			params.values[p] = typed[i].params[p].value;
		}
		command("BEGIN");
		res = run(&mode, typed[i].sql, &params);
		got = failed_with(res) ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : PQgetvalue(res, 0, 0);
		ok(strcmp(got, typed[i].expected) == 0, mode.name, typed[i].name, got, typed[i].expected);
		command("ROLLBACK");
		PQclear(res);
	}
}

/* A driver that asks for the types first encodes its values as these. */
static void
test_described(void)
{
	for (int i = 0; i < lengthof(described); i++)
	{
		PGresult   *res;
		char	   *types = strdup("");

		PQclear(PQprepare(conn, "described", described[i].sql, 0, NULL));
		res = PQdescribePrepared(conn, "described");
		for (int p = 0; p < PQnparams(res); p++)
		{
			char		oid[16];
			char	   *name;

			sprintf(oid, "%u", PQparamtype(res, p));
			name = ask_text("SELECT $1::oid::regtype", oid, NULL);
			append(&types, p > 0 ? "," : "");
			append(&types, name);
			free(name);
		}
		ok(strcmp(types, described[i].types) == 0, "described", described[i].sql, types, described[i].types);
		free(types);
		PQclear(res);
		command("DEALLOCATE described");
	}
}

/*
 * One prepared statement whose parameters have no type, run with every way to
 * write ids: what one caller sent must not shape what the next one gets.
 */
static void
test_one_statement_many_ways(void)
{
	static const char *ids[][2] = {
		{"4", "1"}, {"{4,5}", "2"}, {"[4, 5]", "2"}, {"{\"4\": {}, \"5\": {\"level\": 2}}", "2"},
		{"{}", "0"}, {"[]", "0"}, {"{\"4\",\"5\"}", "2"}, {" 4 ", "1"}, {"{1,2,3}", "0"}
	};

	PQclear(PQprepare(conn, "many", ATTACH, 0, NULL));
	for (int round = 0; round < 2; round++)
	{
		for (int i = 0; i < lengthof(ids); i++)
		{
			const char *values[] = {"user_roles", "1", ids[i][0]};
			PGresult   *res;
			const char *got;

			command("BEGIN");
			res = PQexecPrepared(conn, "many", 3, values, NULL, NULL, 0);
			got = failed_with(res) ? PQresultErrorMessage(res) : PQgetvalue(res, 0, 0);
			ok(strcmp(got, ids[i][1]) == 0, "one statement", ids[i][0], got, ids[i][1]);
			command("ROLLBACK");
			PQclear(res);
		}
	}
	command("DEALLOCATE many");
}

/* A relation that goes out in binary comes in again in binary. */
static void
test_relation_in_binary(void)
{
	PGresult   *sent = PQexecParams(conn, "SELECT m2m.where_pivot('user_roles', 'status', 'paused')",
									0, NULL, NULL, NULL, NULL, 1);
	Params		params = {1, {PQftype(sent, 0)}, {PQgetvalue(sent, 0, 0)}, {PQgetlength(sent, 0, 0)}, {1}};
	char	   *ids = ask("SELECT m2m.related_ids($1, 1)", &params);

	ok(strcmp(ids, "[3]") == 0, "binary", "a relation, sent back", ids, "[3]");
	free(ids);
	PQclear(sent);
}

/* The block that the documentation shows. */
static void
test_example(void)
{
	/* doc:begin */
	/* text, types left to the server; or typed and in binary */
	const char *texts[] = {"user_roles", "3", "{1,2}"};
	uint64_t	user = htobe64(3);
	const char *json = "\1{\"2\": {\"status\": \"paused\"}, \"4\": {}}";	/* version 1 of jsonb */
	const Oid	types[] = {25, 20, 3802};	/* text, int8, jsonb */
	const char *values[] = {"user_roles", (const char *) &user, json};
	const int	lengths[] = {10, 8, strlen(json)};
	const int	formats[] = {1, 1, 1};
	PGresult   *attached;
	PGresult   *report;

	attached = PQexecParams(conn, "SELECT m2m.attach($1, $2, $3)",
							3, NULL, texts, NULL, NULL, 0); /* 2 */
	report = PQexecParams(conn, "SELECT * FROM m2m.sync($1, $2, $3)",
						  3, types, values, lengths, formats, 0);	/* [4] [1] [2] */
	/* doc:end */
	ok(!failed_with(attached) && strcmp(PQgetvalue(attached, 0, 0), "2") == 0,
	   "documented", "attach", PQresultErrorMessage(attached), "2");
	ok(!failed_with(report) && strcmp(PQgetvalue(report, 0, 0), "[4]") == 0
	   && strcmp(PQgetvalue(report, 0, 1), "[1]") == 0 && strcmp(PQgetvalue(report, 0, 2), "[2]") == 0,
	   "documented", "sync", PQresultErrorMessage(report), "[4] [1] [2]");
	PQclear(attached);
	PQclear(report);
}

/* No function of the extension has been forgotten. */
static void
test_all_called(void)
{
	const char *sql = "SELECT coalesce(string_agg(name, ', '), '') FROM extension_functions"
	" WHERE position('m2m.' || name || '(' IN $1) = 0";
	char	   *forgotten = ask_text(sql, called, NULL);

	ok(*forgotten == '\0', "all", "every function has been called", forgotten, "none");
	free(forgotten);
}

/* ---- main ---- */

static char *
read_file(const char *folder, const char *name)
{
	char		path[4096];
	FILE	   *file;
	char	   *text;
	long		size;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "r");
	if (!file || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0)
		bail_out(path);
	rewind(file);
	text = malloc(size + 1);
	text[fread(text, 1, size, file)] = '\0';
	fclose(file);
	return text;
}

static void
set_up(const char *folder)
{
	char	   *schema = read_file(folder, "schema.sql");

	command("SET client_min_messages = warning");
	command("CREATE SCHEMA IF NOT EXISTS m2m");
	command("CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m");
	command("DROP SCHEMA IF EXISTS " SCHEMA " CASCADE");
	command("CREATE SCHEMA " SCHEMA);
	command("SET search_path = " SCHEMA);
	command(schema);
	free(schema);
}

int
main(int argc, char **argv)
{
	char	   *json;
	PGresult   *cases;

	if (argc != 2)
		return 2;
	conn = PQconnectdb("");
	if (PQstatus(conn) != CONNECTION_OK)
		bail_out("connect");
	called = strdup("");
	set_up(argv[1]);
	json = read_file(argv[1], "cases.json");
	cases = load_cases(json);
	for (int m = 0; m < lengthof(modes); m++)
	{
		for (int i = 0; i < PQntuples(cases); i++)
			run_case(&modes[m], cases, i);
	}
	test_typed();
	test_described();
	test_one_statement_many_ways();
	test_relation_in_binary();
	command("BEGIN");
	test_example();
	command("ROLLBACK");
	test_all_called();
	command("DROP SCHEMA " SCHEMA " CASCADE");
	PQclear(cases);
	free(json);
	free(called);
	PQfinish(conn);
	printf("1..%d\n", count);
	return failed ? 1 : 0;
}
