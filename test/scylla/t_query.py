#!/usr/bin/env python3
"""scylla_query() and scylla_execute(): results, pages, many executions, who may call them, what is refused."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cassandra"))
from cassandra_server import Tap, shared  # noqa: E402

from postgres import Session  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))

tap = Tap()
server = shared()
driver = server.connect()
for keyspace in ("query", "shop"):
    driver.execute(f"DROP KEYSPACE IF EXISTS {keyspace}")
    driver.execute(f"CREATE KEYSPACE {keyspace} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}")
driver.execute("CREATE TABLE query.t (p int, c int, v text, PRIMARY KEY (p, c))")
driver.execute("CREATE TABLE shop.tags (id int PRIMARY KEY, name text)")

session = Session()


def sql(text, *parameters):
    """The rows of a statement; of one column, its values."""
    return session.values(text, *parameters)


def error_of(text, *parameters):
    """SQLSTATE and message of a statement's error, or two empty strings."""
    error = session.error_of(text, *parameters)
    return (error.pgcode, error.diag.message_primary) if error else ("", "")


def query(cql, *parameters):
    return sql("SELECT m2m.scylla_query('cluster', %s, VARIADIC %s::text[])", cql, list(parameters))


def execute(cql, *parameters):
    return sql("SELECT m2m.scylla_execute('cluster', %s, VARIADIC %s::text[])", cql, list(parameters))[0]


session.set_up()
session.create_server("cluster", server)

# ---- the example of the documentation



def example(name):
    """What the statements of an example give."""
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        return [sql(statement) for statement in file.read().split(";\n") if statement.strip().strip("- doc:end")]


results = example("examples.sql")
tap.ok(results[1:] == [[True], [{"name": "new"}], [True], [False]], "the example of docs/scylla.md", *results)
tap.ok(driver.execute("SELECT count(*) AS n FROM shop.tags").one()["n"] == 100, "has written its rows")
results = example("import.sql")
tap.ok(results == [[], [], ["tag 3", "tag 4"]], "the example of foreign tables there", *results)
tap.ok(query("SELECT name FROM shop.tags WHERE id = 1") == [{"name": "new"}], "a condition that did not hold changed nothing")
tap.ok(execute("UPDATE shop.tags SET name = ? WHERE id = 1 IF name = ?", "newer", "new") is True, "one that did hold is true")

# ---- results

tap.ok(query("CREATE TABLE query.made (id int PRIMARY KEY)") == [], "a statement without a result has no rows")
tap.ok(execute("SELECT * FROM query.made") is True, "a result that nobody wants is left alone")
tap.ok(query("SELECT * FROM query.t WHERE p = 0") == [], "no rows")
rows = 12001
tap.ok(sql("SELECT m2m.scylla_execute('cluster', 'INSERT INTO query.t (p, c, v) VALUES (?, ?, ?)', VARIADIC"
           " (SELECT array_agg(ARRAY['1', c::text, 'value ' || c]) FROM generate_series(1, %s) AS c))", rows) == [True],
       "one statement with many parameters")
tap.ok(sql("SELECT count(*), count(DISTINCT q), min((q ->> 'c')::int), max((q ->> 'c')::int), bool_and(q ->> 'v' = 'value ' || (q ->> 'c'))"
           " FROM m2m.scylla_query('cluster', 'SELECT c, v FROM query.t WHERE p = 1') AS q") == [(rows, rows, 1, rows, True)],
       "a result of several pages")
tap.ok(sql("SELECT (q ->> 'c')::int FROM m2m.scylla_query('cluster', 'SELECT c FROM query.t WHERE p = 1') AS q") == list(range(1, rows + 1)),
       "its rows in the server's order")
tap.ok(sql("SELECT count(*), sum((q ->> 'c')::int) FROM m2m.scylla_query('cluster', 'SELECT c FROM query.t WHERE p = ? AND c = ?', VARIADIC"
           " (SELECT array_agg(ARRAY['1', c::text]) FROM generate_series(-5, 3000) AS c)) AS q") == [(3000, 3000 * 3001 // 2)],
       "many executions of a query")
tap.ok(sql("SELECT count(*) FROM m2m.scylla_query('cluster', 'SELECT c FROM query.t WHERE p = ?', VARIADIC ARRAY[['1'], ['1'], ['2']])")
       == [2 * rows], "pages of several executions")

# ---- one request at a time

session.create_server("narrow", server, max_in_flight=1)
tap.ok(sql("SELECT count(*) FROM m2m.scylla_query('narrow', 'SELECT c FROM query.t WHERE p = 1')") == [rows],
       "max_in_flight 1: pages")
tap.ok(sql("SELECT count(*) FROM m2m.scylla_query('narrow', 'SELECT c FROM query.t WHERE p = ? AND c = ?', VARIADIC"
           " (SELECT array_agg(ARRAY['1', c::text]) FROM generate_series(1, 50) AS c))") == [50], "and executions")

# ---- another encoding of the database

sql("DROP DATABASE IF EXISTS btm_query_latin1")
sql("CREATE DATABASE btm_query_latin1 TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
driver.execute("CREATE ROLE IF NOT EXISTS \"rené\" WITH PASSWORD = 'très secret' AND LOGIN = true AND SUPERUSER = true")
utf8, session = session, Session(connect="dbname=btm_query_latin1 client_encoding=UTF8")
session.set_up()
session.create_server("cluster", server, ("rené", "très secret"))
tap.ok(execute("INSERT INTO query.t (p, c, v) VALUES (6, 1, 'é')") is True, "LATIN1: user, password and text of CQL")
tap.ok(execute("INSERT INTO query.t (p, c, v) VALUES (6, 2, ?)", "ü") is True, "a parameter")
tap.ok([row["v"] for row in driver.execute("SELECT v FROM query.t WHERE p = 6")] == ["é", "ü"],
       "the server has them in UTF-8")
tap.ok(query("SELECT v FROM query.t WHERE p = 6") == [{"v": "é"}, {"v": "ü"}], "and they come back")
sql("CREATE FOREIGN TABLE t (p int OPTIONS (partition_key '1'), c int OPTIONS (clustering_key '1'), v text)"
    " SERVER cluster OPTIONS (keyspace 'query')")
tap.ok(sql("SELECT v FROM t WHERE p = 6 AND v = 'ü'") == ["ü"], "to a foreign table, too")
error = session.error_of("SELECT m2m.scylla_query('cluster', 'SELECT ''é'' FROM query.nothing')")
tap.ok(error and "CQL statement: SELECT 'é' FROM query.nothing" in error.diag.context,
       "an error shows the statement as it was written", error)
driver.execute("INSERT INTO query.t (p, c, v) VALUES (6, 3, '→')")
tap.ok(error_of("SELECT m2m.scylla_query('cluster', 'SELECT v FROM query.t WHERE p = 6')")[0] == "22P05",
       "a character that LATIN1 has not is an error")
session.connection.close()
session = utf8
driver.execute("DROP ROLE \"rené\"")
sql("DROP DATABASE btm_query_latin1")

# ---- transactions

session.connection.autocommit = False
execute("INSERT INTO query.t (p, c, v) VALUES (5, 5, 'stays')")
session.connection.rollback()
session.connection.autocommit = True
tap.ok(query("SELECT v FROM query.t WHERE p = 5") == [{"v": "stays"}], "ROLLBACK does not undo a statement")
sql("SET default_transaction_read_only = on")
tap.ok(error_of("SELECT m2m.scylla_execute('cluster', 'TRUNCATE query.t')")[0] == "25006", "scylla_execute in a transaction that only reads")
tap.ok(query("SELECT v FROM query.t WHERE p = 5") == [{"v": "stays"}], "scylla_query may be called there")
tap.ok(error_of("SELECT m2m.scylla_query('cluster', E'-- a comment\\nDELETE FROM query.t WHERE p = 5')") ==
       ("25006", "cannot execute a CQL statement that does not only read in a read-only transaction"), "but not to write")
tap.ok(query("SELECT v FROM query.t WHERE p = 5") == [{"v": "stays"}] and query("/* a comment */ list roles") != [],
       "LIST only reads, as SELECT does")
sql("SET default_transaction_read_only = off")

# ---- what is refused

tap.ok(error_of("SELECT m2m.scylla_execute('cluster', 'use query')") == ("0A000", "CQL statement USE is not supported"), "USE")

for name, text, expected in [
        ("no server", "SELECT m2m.scylla_query(NULL, 'SELECT 1')", ("22004", "server must not be null")),
        ("no statement", "SELECT m2m.scylla_query('cluster', NULL)", ("22004", "cql must not be null")),
        ("no array", "SELECT m2m.scylla_query('cluster', 'x', VARIADIC NULL::text[])", ("22004", "params must not be null")),
        ("an unknown server", "SELECT m2m.scylla_query('clutser', 'x')", ("42704", 'server "clutser" does not exist')),
        ("too few parameters", "SELECT m2m.scylla_query('cluster', 'SELECT v FROM query.t WHERE p = ? AND c = ?', '1')",
         ("42P02", "CQL statement has 2 markers, but 1 parameters were given")),
        ("three dimensions", "SELECT m2m.scylla_query('cluster', 'SELECT v FROM query.t WHERE p = ?', VARIADIC ARRAY[[['1']]])",
         ("2202E", "params must be an array of one or two dimensions")),
]:
    got = error_of(text)
    tap.ok(got == expected, name, got)
for name, cql, expected in [
        ("a syntax error", "SELEC v FROM query.t", "42601"), ("an unknown table", "SELECT v FROM query.nothing", "42P01"),
        ("an unknown column", "SELECT nothing FROM query.t", "42703"), ("an empty statement", "", "42601"),
]:
    got = error_of("SELECT m2m.scylla_query('cluster', %s)", cql)
    tap.ok(got[0] == expected, f"{name} is {expected}", got)
tap.ok(query("SELECT v FROM query.t WHERE p = 5") == [{"v": "stays"}], "the connection is good after all that")

sql("CREATE EXTENSION postgres_fdw; CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw")
got = error_of("SELECT m2m.scylla_query('other', 'SELECT 1')")
tap.ok(got == ("42809", 'server "other" is not one of ScyllaDB or Cassandra'), "a server of another wrapper", got)

# ---- who may

sql("DROP ROLE IF EXISTS btm_query_user; CREATE ROLE btm_query_user; GRANT USAGE ON SCHEMA m2m TO btm_query_user")
sql("SET ROLE btm_query_user")
for function in ("scylla_query", "scylla_execute"):
    tap.ok(error_of(f"SELECT m2m.{function}('cluster', 'SELECT 1')")[0] == "42501", f"{function} is not for everybody")
sql("RESET ROLE; GRANT EXECUTE ON FUNCTION m2m.scylla_query TO btm_query_user; SET ROLE btm_query_user")
got = error_of("SELECT m2m.scylla_query('cluster', 'SELECT 1')")
tap.ok(got == ("42501", "permission denied for foreign server cluster"), "USAGE on the server is needed", got)
sql("RESET ROLE; GRANT USAGE ON FOREIGN SERVER cluster TO btm_query_user; SET ROLE btm_query_user")
tap.ok(error_of("SELECT m2m.scylla_query('cluster', 'SELECT 1')")[0] == "42704", "and a user mapping")
sql("RESET ROLE; CREATE USER MAPPING FOR btm_query_user SERVER cluster OPTIONS (username 'cassandra'); SET ROLE btm_query_user")
tap.ok(error_of("SELECT m2m.scylla_query('cluster', 'SELECT 1')")[0] == "2F003", "and a password")
sql("RESET ROLE; ALTER USER MAPPING FOR btm_query_user SERVER cluster OPTIONS (ADD password 'cassandra'); SET ROLE btm_query_user")
tap.ok(query("SELECT v FROM query.t WHERE p = 5") == [{"v": "stays"}], "then it works")
sql("RESET ROLE; ALTER USER MAPPING FOR btm_query_user SERVER cluster OPTIONS (SET password 'wrong'); SET ROLE btm_query_user")
got = error_of("SELECT m2m.scylla_query('cluster', 'SELECT v FROM query.t WHERE p = 5')")
tap.ok(got[0] == "28P01" and "wrong" not in got[1], "not with a wrong password, which is not shown", got)
sql("RESET ROLE; DROP OWNED BY btm_query_user; DROP ROLE btm_query_user")

driver.execute("DROP KEYSPACE query")
driver.execute("DROP KEYSPACE shop")
tap.finish()
