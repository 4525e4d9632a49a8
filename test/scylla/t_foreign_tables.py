#!/usr/bin/env python3
"""Foreign tables: what IMPORT FOREIGN SCHEMA makes, what is given to the server, and that the answer is the same.

Random conditions are asked of a foreign table and of a local copy of it. SCYLLA_QUERIES sets their number.
"""

import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cassandra"))
from cassandra_server import Tap, shared  # noqa: E402

from postgres import Session  # noqa: E402

QUERIES = int(os.environ.get("SCYLLA_QUERIES", "400"))

tap = Tap()
server = shared()
driver = server.connect()
driver.execute("DROP KEYSPACE IF EXISTS fdw")
driver.execute("CREATE KEYSPACE fdw WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
driver.execute("CREATE TYPE fdw.address (street text, zip int)")
driver.execute("CREATE TABLE fdw.role_user (user_id bigint, role_id bigint, status text, level int,"
               " PRIMARY KEY ((user_id), role_id))")
driver.execute("CREATE TABLE fdw.events (tenant int, day date, ts timestamp, seq int, kind text, price decimal,"
               " tags set<text>, home frozen<address>, info text static, PRIMARY KEY ((tenant, day), ts, seq))"
               " WITH CLUSTERING ORDER BY (ts DESC, seq ASC)")
driver.execute('CREATE TABLE fdw."MixedCase" ("Id" uuid PRIMARY KEY, "Say ""hi""" text, "select" int)')
driver.execute("CREATE TABLE fdw.hits (id int PRIMARY KEY, n counter)")

session = Session("f, public")
sql = session.sql
session.set_up("f")
session.create_server("fdw", server)


def state_of(text, *parameters):
    """The SQLSTATE and message of a statement's error; ("", "") without one."""
    error = session.error_of(text, *parameters)
    return (error.pgcode, error.diag.message_primary) if error else ("", "")


def explain(text):
    """The CQL and the other lines of EXPLAIN (VERBOSE)."""
    return "\n".join(row[0] for row in sql(f"EXPLAIN (VERBOSE, COSTS OFF) {text}"))


def check_plan(name, query, *parts, absent=()):
    """The plan of a query has these parts, and not those."""
    plan = explain(query)
    missing = [part for part in parts if part not in plan] + [f"not {part}" for part in absent if part in plan]
    tap.ok(not missing, name, plan, *missing)


# ---- IMPORT FOREIGN SCHEMA

sql("IMPORT FOREIGN SCHEMA fdw FROM SERVER fdw INTO f")
tables = [row[0] for row in sql("SELECT relname FROM pg_class WHERE relnamespace = 'f'::regnamespace AND relkind = 'f'"
                                ' ORDER BY relname COLLATE "C"')]
tap.ok(tables == ["MixedCase", "events", "hits", "role_user"], "all tables are imported", tables)


def columns(table):
    return sql("SELECT attname, format_type(atttypid, atttypmod), attnotnull, attfdwoptions FROM pg_attribute"
               " WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum", table)


expected = [
    ("tenant", "integer", True, ["column_name=tenant", "cql_type=int", "partition_key=1"]),
    ("day", "date", True, ["column_name=day", "cql_type=date", "partition_key=2"]),
    ("ts", "timestamp with time zone", True,
     ["column_name=ts", "cql_type=timestamp", "clustering_key=1", "clustering_order=desc"]),
    ("seq", "integer", True, ["column_name=seq", "cql_type=int", "clustering_key=2", "clustering_order=asc"]),
    ("info", "text", False, ["column_name=info", "cql_type=text", "static=true"]),
    ("home", "jsonb", False, ["column_name=home", "cql_type=frozen<address>"]),
    ("kind", "text", False, ["column_name=kind", "cql_type=text"]),
    ("price", "numeric", False, ["column_name=price", "cql_type=decimal"]),
    ("tags", "text[]", False, ["column_name=tags", "cql_type=set<text>"]),
]
tap.ok(columns("f.events") == expected, "columns, types and options", *columns("f.events"))
tap.ok([row[0] for row in columns('f."MixedCase"')] == ["Id", 'Say "hi"', "select"], "quoted names")
tap.ok(sql("SELECT ftoptions FROM pg_foreign_table WHERE ftrelid = 'f.hits'::regclass")
       == [(["keyspace=fdw", "table=hits"],)], "a table of counters")
sql("CREATE SCHEMA limited")
sql("IMPORT FOREIGN SCHEMA fdw LIMIT TO (role_user, \"MixedCase\") FROM SERVER fdw INTO limited"
    " OPTIONS (import_not_null 'false')")
tap.ok(sql("SELECT relname, bool_or(attnotnull) FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0"
           " WHERE relnamespace = 'limited'::regnamespace GROUP BY 1 ORDER BY relname COLLATE \"C\"")
       == [("MixedCase", False), ("role_user", False)], "LIMIT TO, and keys without NOT NULL")
sql("CREATE SCHEMA excepted")
sql("IMPORT FOREIGN SCHEMA fdw EXCEPT (events) FROM SERVER fdw INTO excepted OPTIONS (import_counters 'false')")
tap.ok(sql("SELECT relname FROM pg_class WHERE relnamespace = 'excepted'::regnamespace ORDER BY relname COLLATE \"C\"")
       == [("MixedCase",), ("role_user",)], "EXCEPT, and no counters")
tap.ok(state_of("IMPORT FOREIGN SCHEMA nowhere FROM SERVER fdw INTO limited")
       == ("HV00Q", 'keyspace "nowhere" does not exist on server "fdw"'), "a keyspace that is not there")
tap.ok(state_of("IMPORT FOREIGN SCHEMA fdw FROM SERVER fdw INTO limited OPTIONS (import_view 'true')")[0] == "HV00D",
       "an option that is not there")

# ---- data

rng = random.Random(20)
KINDS = ["a", "b", "B", "ä", "zz", ""]
for user in range(1, 31):
    for role in rng.sample(range(1, 60), rng.randrange(0, 25)):
        driver.execute("INSERT INTO fdw.role_user (user_id, role_id, status, level) VALUES (%s, %s, %s, %s)",
                       (user, role, rng.choice(["on", "off", None]), rng.randrange(5)))
insert = driver.prepare("INSERT INTO fdw.events (tenant, day, ts, seq, kind, price, info) VALUES (?, ?, ?, ?, ?, ?, ?)")
for tenant in (1, 2, -3):
    for day in ("2026-01-01", "2026-01-02"):
        for i in range(40):
            driver.execute(insert, (tenant, day, 1767225600000 + rng.randrange(20) * 1000 + rng.choice([0, 1, 500]),
                                    rng.randrange(4), rng.choice(KINDS), None if i % 9 == 0 else i - 20, f"info {tenant}"))
driver.execute("INSERT INTO fdw.events (tenant, day, ts, seq, tags, home) VALUES (9, '2026-01-01', 0, 0, {'x', 'y'},"
               " {street: 's', zip: 5})")
driver.execute("INSERT INTO fdw.\"MixedCase\" (\"Id\", \"Say \"\"hi\"\"\", \"select\")"
               " VALUES (123e4567-e89b-42d3-a456-426614174000, 'hello', 1)")
driver.execute("UPDATE fdw.hits SET n = n + 5 WHERE id = 1")

tap.ok(sql('SELECT * FROM f."MixedCase"') == [("123e4567-e89b-42d3-a456-426614174000", "hello", 1)], "quoted names are read")
tap.ok(sql("SELECT tags, home FROM f.events WHERE tenant = 9 AND day = '2026-01-01'") == [(["x", "y"], {"street": "s", "zip": 5})],
       "a set is an array, a type of fields is jsonb")
tap.ok(sql("SELECT n FROM f.hits WHERE id = 1") == [(5,)], "a counter")
tap.ok(sql("SELECT count(*) FROM f.role_user") == [(driver.execute("SELECT count(*) AS n FROM fdw.role_user").one()["n"],)],
       "count(*) of a whole table")

# ---- what is given to the server

R = '"fdw"."role_user"'
check_plan("equality on the partition key", "SELECT * FROM role_user WHERE user_id = 5",
           f'CQL: SELECT "user_id", "role_id", "level", "status" FROM {R} WHERE "user_id" = ?', "Markers: user_id = 5",
           "Consistency: LOCAL_QUORUM", absent=("Filter",))
check_plan("the whole key, the column that is wanted alone", "SELECT status FROM role_user WHERE user_id = 5 AND role_id = 7",
           f'CQL: SELECT "status" FROM {R} WHERE "user_id" = ? AND "role_id" = ?', absent=("Filter",))
check_plan("a range of the clustering key", "SELECT role_id FROM role_user WHERE user_id = 5 AND role_id > 7 AND role_id <= 9",
           'WHERE "user_id" = ? AND "role_id" > ? AND "role_id" <= ?', absent=("Filter",))
check_plan("a list of partitions", "SELECT role_id FROM role_user WHERE user_id = ANY ('{1,2,3}')",
           'WHERE "user_id" = ?', "Markers: user_id IN", absent=("Filter",))
check_plan("a list within a partition", "SELECT status FROM role_user WHERE user_id = 1 AND role_id IN (1, 2)",
           'WHERE "user_id" = ? AND "role_id" IN ?', absent=("Filter",))
check_plan("a regular column is checked here", "SELECT role_id FROM role_user WHERE user_id = 1 AND status = 'on'",
           f'CQL: SELECT "role_id", "status" FROM {R} WHERE "user_id" = ?', "Filter: (role_user.status = 'on'::text)")
check_plan("the clustering key alone is checked here", "SELECT status FROM role_user WHERE role_id = 1",
           f'CQL: SELECT "role_id", "status" FROM {R}\n', "Filter: (role_user.role_id = 1)")
check_plan("no column at all", "SELECT count(*) FROM role_user WHERE user_id = 1", f'CQL: SELECT "user_id" FROM {R} WHERE "user_id" = ?')
check_plan("the clustering order", "SELECT * FROM role_user WHERE user_id = 1 ORDER BY role_id", absent=("Sort", "ORDER BY"))
check_plan("and backwards", "SELECT * FROM role_user WHERE user_id = 1 ORDER BY role_id DESC", 'ORDER BY "role_id" DESC', absent=("Sort",))
check_plan("an order that is not the key's", "SELECT * FROM role_user WHERE user_id = 1 ORDER BY status", "Sort")
check_plan("the order of several partitions is none", "SELECT * FROM role_user WHERE user_id IN (1, 2) ORDER BY role_id", "Sort")
check_plan("half a partition key", "SELECT seq FROM events WHERE tenant = 1", 'FROM "fdw"."events"\n', "Filter: (events.tenant = 1)")
check_plan("a timestamp may be finer than the server's: it is checked again",
           "SELECT seq FROM events WHERE tenant = 1 AND day = '2026-01-01' AND ts > '2026-01-01 00:00:01.0005+00'",
           'AND "ts" >= ?', "Filter: (events.ts > '2026-01-01 00:00:01.0005+00'::timestamp with time zone)")
check_plan("a descending key, forwards", "SELECT seq FROM events WHERE tenant = 1 AND day = '2026-01-01' ORDER BY ts DESC, seq",
           absent=("Sort", "ORDER BY"))
check_plan("a descending key, backwards", "SELECT seq FROM events WHERE tenant = 1 AND day = '2026-01-01' ORDER BY ts, seq DESC",
           'ORDER BY "ts" ASC, "seq" DESC', absent=("Sort",))
check_plan("an order that the key has not", "SELECT seq FROM events WHERE tenant = 1 AND day = '2026-01-01' ORDER BY ts, seq", "Sort")
sql("CREATE TABLE users (id bigint PRIMARY KEY, name text); INSERT INTO users SELECT i, 'user ' || i FROM generate_series(1, 30) i;"
    " ANALYZE users")
check_plan("a join by the partition key", "SELECT * FROM users u JOIN role_user p ON p.user_id = u.id WHERE u.id IN (3, 4)",
           "Nested Loop", 'WHERE "user_id" = ?', "Markers: user_id = ")
tap.ok(sql("SELECT u.id, count(*) FROM users u JOIN role_user p ON p.user_id = u.id WHERE u.id IN (3, 4) GROUP BY 1 ORDER BY 1")
       == sql("SELECT user_id, count(*) FROM role_user WHERE user_id IN (3, 4) GROUP BY 1 ORDER BY 1"), "and its rows")
sql("ALTER FOREIGN TABLE limited.role_user OPTIONS (ADD allow_filtering 'true')")
check_plan("ALLOW FILTERING, where the table's option allows it", "SELECT role_id FROM limited.role_user WHERE level = 3",
           'WHERE "level" = ? ALLOW FILTERING', absent=("Filter:",))
tap.ok(sql("SELECT user_id, role_id FROM limited.role_user WHERE level = 3 ORDER BY 1, 2")
       == sql("SELECT user_id, role_id FROM role_user WHERE level = 3 ORDER BY 1, 2"), "and its rows")

# ---- random conditions, here and on a local copy

sql("CREATE TABLE local_role_user AS TABLE role_user; CREATE TABLE local_events AS TABLE events")


def literal(column):
    if column in ("user_id", "role_id"):
        return str(rng.choice([rng.randrange(0, 60), 99999999999, -1]))
    if column in ("level", "seq"):
        return str(rng.randrange(-1, 6))
    if column == "tenant":
        return str(rng.choice([1, 2, -3, 9, 5]))
    if column == "day":
        return rng.choice(["date '2026-01-01'", "date '2026-01-02'", "date '2026-01-03'", "date 'infinity'", "date '-infinity'"])
    if column == "ts":
        return "timestamptz '" + rng.choice(["-infinity", "infinity", f"2026-01-01 00:00:{rng.randrange(20):02}+00",
                                             f"2026-01-01 00:00:{rng.randrange(20):02}.{rng.choice(['001', '5', '0005', '500001'])}+00"]) + "'"
    if column == "price":
        return rng.choice(["0", "1.00", "-5", "2.5", "'NaN'::numeric", "10"])
    return "'" + rng.choice(["on", "off", "a", "B", "ä", "", "info 1"]) + "'"


def condition(column):
    if rng.random() < 0.1:
        return f"{column} IS {rng.choice(['', 'NOT '])}NULL"
    if rng.random() < 0.25:
        return f"{column} IN ({', '.join(literal(column) for _ in range(rng.randrange(1, 5)))})"
    if rng.random() < 0.1:
        return f"{literal(column)} {rng.choice(['<', '>=', '='])} {column}"
    collate = ' COLLATE "C"' if column in ("kind", "status", "info") and rng.random() < 0.4 else ""
    return f"{column}{collate} {rng.choice(['=', '=', '=', '<', '<=', '>', '>=', '<>'])} {literal(column)}"


SHAPES = {"role_user": (["user_id", "role_id", "status", "level"], ["user_id", "role_id"]),
          "events": (["tenant", "day", "ts", "seq", "kind", "price", "info"], ["tenant", "day", "ts", "seq"])}
compared = pushed = different = 0
for number in range(QUERIES):
    table = rng.choice(list(SHAPES))
    all_columns, key = SHAPES[table]
    parts = [f"{column} = {literal(column)}" for column in key[:rng.randrange(0, len(key) + 1)] if rng.random() < 0.9]
    parts += [condition(rng.choice(all_columns)) for _ in range(rng.randrange(0, 4))]
    where = " AND ".join(rng.sample(parts, len(parts))) or "true"
    wanted = ", ".join(rng.sample(all_columns, rng.randrange(1, len(all_columns) + 1)))
    remote = sorted(map(repr, sql(f"SELECT {wanted} FROM {table} WHERE {where}")))
    local = sorted(map(repr, sql(f"SELECT {wanted} FROM local_{table} WHERE {where}")))
    pushed += " WHERE " in explain(f"SELECT {wanted} FROM {table} WHERE {where}").split("CQL:")[-1].split("\n")[0]
    compared += 1
    if remote != local:
        different += 1
        if different <= 5:
            print(f"# {table} WHERE {where}: {len(remote)} rows from the server, {len(local)} from the copy")
tap.ok(different == 0, f"{compared} random queries, {pushed} of them with conditions for the server: the answers are the same")
tap.ok(pushed > compared // 4, "and many had conditions for the server", pushed)

# ---- sizes

driver.execute("CREATE TABLE fdw.wide (p int, c int, v text, PRIMARY KEY (p, c))")
insert = driver.prepare("INSERT INTO fdw.wide (p, c, v) VALUES (?, ?, ?)")
futures = [driver.execute_async(insert, (1, c, f"value {c}")) for c in range(12000)]
for future in futures:
    future.result()
sql("IMPORT FOREIGN SCHEMA fdw LIMIT TO (wide) FROM SERVER fdw INTO f")
sql("ALTER FOREIGN TABLE wide OPTIONS (ADD fetch_size '500')")
tap.ok(sql("SELECT count(*), count(DISTINCT c), min(c), max(c) FROM wide WHERE p = 1") == [(12000, 12000, 0, 11999)],
       "many pages of one partition")
tap.ok([row[0] for row in sql("SELECT c FROM wide WHERE p = 1 ORDER BY c DESC")] == list(range(11999, -1, -1)), "and in their order, backwards")
tap.ok(sql("SELECT c FROM wide WHERE p = 1 ORDER BY c LIMIT 3") == [(0,), (1,), (2,)], "a LIMIT ends the scan early")
ids = list(range(-50, 12000, 7))
tap.ok(sql("SELECT count(*) FROM wide WHERE p = 1 AND c = ANY (%s)", ids) == [(len([i for i in ids if i >= 0]),)],
       "a list of more values than one query takes")
driver.execute("DELETE FROM fdw.wide WHERE p = 1 AND c >= 100 AND c < 11900")
tap.ok(sql("SELECT count(*) FROM wide WHERE p = 1") == [(200,)], "pages of deleted rows")

# ---- values that are known late, and scans that end early

sql("PREPARE by_user(bigint) AS SELECT count(*) FROM role_user WHERE user_id = $1")
sql("SET plan_cache_mode = force_generic_plan")
tap.ok(sql("EXECUTE by_user(3)") == sql("SELECT count(*) FROM local_role_user WHERE user_id = 3"), "a parameter")
tap.ok(sql("EXECUTE by_user(NULL)") == [(0,)], "a null parameter")
sql("PREPARE by_users(bigint[]) AS SELECT count(*) FROM role_user WHERE user_id = ANY ($1)")
tap.ok(sql("EXECUTE by_users('{3, NULL, 4, 3}')") == sql("SELECT count(*) FROM local_role_user WHERE user_id IN (3, 4)"),
       "a list with a null and a value twice")
tap.ok(sql("EXECUTE by_users('{}')") == [(0,)] and sql("EXECUTE by_users(NULL)") == [(0,)], "an empty list, and none")
sql("RESET plan_cache_mode")
tap.ok(sql("SELECT u.id, x.n FROM (VALUES (3::bigint), (NULL), (4)) AS u (id),"
           " LATERAL (SELECT count(*) AS n FROM role_user WHERE user_id = u.id) AS x ORDER BY 1")
       == sql("SELECT u.id, x.n FROM (VALUES (3::bigint), (NULL), (4)) AS u (id),"
              " LATERAL (SELECT count(*) AS n FROM local_role_user WHERE user_id = u.id) AS x ORDER BY 1"),
       "rescans with other values, null among them")
tap.ok(state_of("SELECT 1 / (c - 50) FROM wide WHERE p = 1")[0] == "22012", "an error in the midst of a scan")
session.connection.autocommit = False
sql("DECLARE k CURSOR FOR SELECT c FROM wide WHERE p = 1 ORDER BY c")
tap.ok(sql("FETCH 2 FROM k") == [(0,), (1,)], "a cursor")
sql("SAVEPOINT s")
tap.ok(state_of("SELECT 1 / (c - 50) FROM wide WHERE p = 1")[0] == "22012", "an error beside it")
sql("ROLLBACK TO s")
tap.ok(sql("FETCH 2 FROM k") == [(2,), (3,)], "it goes on after ROLLBACK TO")
sql("CLOSE k")
session.connection.commit()
session.connection.autocommit = True
tap.ok(sql("SELECT count(*) FROM wide WHERE p = 1") == [(200,)], "the connection is good after all that")
tap.ok(sql("SELECT bool_and(in_flight = 0 AND NOT used_in_transaction AND valid) FROM m2m.scylla_connections()") == [(True,)],
       "and nothing is left under way")

# ---- what is wrong

sql("CREATE FOREIGN TABLE no_keyspace (a int) SERVER fdw")
tap.ok(state_of("SELECT * FROM no_keyspace")[0] == "HV002", "no keyspace", state_of("SELECT * FROM no_keyspace"))
sql("CREATE FOREIGN TABLE no_table (a int) SERVER fdw OPTIONS (keyspace 'fdw')")
tap.ok(state_of("SELECT * FROM no_table")[0] == "42P01", "a table that is not there", state_of("SELECT * FROM no_table"))
sql("CREATE FOREIGN TABLE no_column (user_id bigint, nothing int) SERVER fdw OPTIONS (keyspace 'fdw', \"table\" 'role_user')")
tap.ok(state_of("SELECT nothing FROM no_column")[0] == "42703", "a column that is not there", state_of("SELECT nothing FROM no_column"))
tap.ok(sql("SELECT count(*) FROM no_column") == sql("SELECT count(*) FROM role_user"), "the others can be read, without the key's options")
sql("CREATE FOREIGN TABLE wrong_type (user_id int OPTIONS (partition_key '1'), role_id bigint) SERVER fdw"
    " OPTIONS (keyspace 'fdw', \"table\" 'role_user')")
tap.ok(state_of("SELECT * FROM wrong_type WHERE user_id = 1")[0] == "HV004", "a key of another type", state_of("SELECT * FROM wrong_type WHERE user_id = 1"))
sql("CREATE FOREIGN TABLE texts (user_id text, role_id varchar(1), level numeric(10, 2)) SERVER fdw"
    " OPTIONS (keyspace 'fdw', \"table\" 'role_user')")
tap.ok(state_of("SELECT role_id FROM texts WHERE user_id = '1'")[0] in ("22001", ""), "a type that does not fit is an error",
       state_of("SELECT role_id FROM texts"))
tap.ok(sql("SELECT sum(user_id::int), sum(level) FROM texts") == sql("SELECT sum(user_id), sum(level)::numeric FROM role_user"),
       "columns of other types are converted by their text")

driver.execute("DROP KEYSPACE fdw")
tap.finish()
