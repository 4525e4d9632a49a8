#!/usr/bin/env python3
"""Writes to foreign tables: what the server has afterwards, as python3-cassandra, an independent driver, reads it.

Each statement is a transaction of its own, so both modes come to the same but for errors. SCYLLA_WRITE_MODE names the
mode, 'immediate' without it; t_writes_commit.py is the other one.
"""

import io
import math
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cassandra"))
from cassandra_server import Tap, shared  # noqa: E402

from cassandra.util import OrderedMapSerializedKey, SortedSet  # noqa: E402

from postgres import Session  # noqa: E402
from proxy import Proxy  # noqa: E402
from type_cases import BAD, CASES, D  # noqa: E402

MODE = os.environ.get("SCYLLA_WRITE_MODE", "immediate")

tap = Tap()
server = shared()
driver = server.connect()
driver.execute("DROP KEYSPACE IF EXISTS writes")
driver.execute("CREATE KEYSPACE writes WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
driver.execute("CREATE TYPE writes.address (street text, zip text, \"Tags\" frozen<set<text>>)")
driver.execute("CREATE TABLE writes.role_user (user_id bigint, role_id bigint, status text, level int, owner text static,"
               " PRIMARY KEY ((user_id), role_id))")
driver.execute("CREATE TABLE writes.keys_only (a int, b int, PRIMARY KEY ((a), b))")
driver.execute("CREATE TABLE writes.events (tenant int, day date, seq int, kind text, note text,"
               " PRIMARY KEY ((tenant, day), seq, kind))")
driver.execute('CREATE TABLE writes."MixedCase" ("Id" uuid PRIMARY KEY, "Say ""hi""" text, "select" int)')
driver.execute("CREATE TABLE writes.hits (page text, day int, n counter, m counter, PRIMARY KEY ((page), day))")
driver.execute("CREATE TABLE writes.brief (id int PRIMARY KEY, v text) WITH default_time_to_live = 500")

session = Session("f, public")
sql, error_of, state_of = session.sql, session.error_of, session.state_of
session.set_up("f")
# a login of its own, by which the server counts
driver.execute("CREATE ROLE IF NOT EXISTS writes WITH PASSWORD = 'writes' AND LOGIN = true AND SUPERUSER = true")
session.create_server("writes", server, ("writes", "writes"), write_mode=MODE)


def count_of(text, *parameters):
    """The number of rows that a statement says it has changed."""
    sql(text, *parameters)
    return session.cursor.rowcount


def cql(text, *parameters):
    """The rows that the driver reads, as tuples."""
    return [tuple(row.values()) for row in driver.execute(text, parameters or None)]


def wait_for(text, wanted):
    """The rows that the driver reads, once they are as wanted, or after ten seconds."""
    end = time.time() + 10
    while True:
        rows = cql(text)
        if wanted(rows) or time.time() > end:
            return rows
        time.sleep(0.05)


def trace_of(text):
    """What the server says it did for a SELECT."""
    result = driver.execute(text, trace=True)
    return [event.description for event in result.get_query_trace(max_wait_sec=10).events]


def tombstones_of(text):
    """The tombstones that a SELECT has met."""
    met = [line for line in trace_of(text) if "tombstone" in line]
    return met[-1] if met else ""


def plain(value):
    """A value of the driver as one that compares by what is in it."""
    if isinstance(value, float):
        return ("float", "NaN" if math.isnan(value) else value, math.copysign(1, value))
    if isinstance(value, (SortedSet, set)):
        return ("set", sorted(map(repr, value)))
    if isinstance(value, (dict, OrderedMapSerializedKey)):
        return ("map", sorted((repr(plain(k)), repr(plain(v))) for k, v in value.items()))
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, D):
        return ("decimal", value.as_tuple() if value else 0)
    return value


sql("IMPORT FOREIGN SCHEMA writes FROM SERVER writes INTO f")
ROWS = "SELECT user_id, role_id, status, level FROM writes.role_user"

# ---- INSERT

tap.ok(count_of("INSERT INTO role_user (user_id, role_id, status, level) VALUES (1, 10, 'on', 5), (1, 11, NULL, 6), (2, 10, 'off', 7)")
       == 3, "INSERT says how many rows")
tap.ok(sorted(cql(ROWS), key=repr) == [(1, 10, "on", 5), (1, 11, None, 6), (2, 10, "off", 7)], "and they are there", cql(ROWS))
now = time.time()
stamp = cql("SELECT writetime(level) FROM writes.role_user WHERE user_id = 1 AND role_id = 10")[0][0]
tap.ok(abs(now - stamp / 1e6) < 60, "the time of writing is this machine's", now, stamp)

sql("INSERT INTO role_user (user_id, role_id, level) VALUES (1, 10, 50)")
tap.ok(cql(f"{ROWS} WHERE user_id = 1 AND role_id = 10") == [(1, 10, "on", 50)], "a column that INSERT does not name is left alone")
later = cql("SELECT writetime(status), writetime(level) FROM writes.role_user WHERE user_id = 1 AND role_id = 10")[0]
tap.ok(later[0] == stamp and later[1] > stamp, "so is the time it was written", stamp, later)
sql("INSERT INTO role_user (user_id, role_id, status) VALUES (1, 10, NULL)")
tap.ok(cql(f"{ROWS} WHERE user_id = 1 AND role_id = 10") == [(1, 10, None, 50)], "a null that it names deletes")

sql("INSERT INTO role_user (user_id, role_id) VALUES (3, 1)")
tap.ok(cql(f"{ROWS} WHERE user_id = 3") == [(3, 1, None, None)], "a row of its key alone")
tap.ok(" 0 tombstone" in tombstones_of(f"{ROWS} WHERE user_id = 3"), "without a tombstone for what it has not",
       tombstones_of(f"{ROWS} WHERE user_id = 3"))
tap.ok(count_of("INSERT INTO keys_only SELECT 1, i FROM generate_series(1, 5) AS i") == 5
       and cql("SELECT a, b FROM writes.keys_only") == [(1, i) for i in range(1, 6)], "a table of keys alone")
sql("INSERT INTO \"MixedCase\" VALUES ('123e4567-e89b-42d3-a456-426614174000', 'x', 5)")
tap.ok([row[1:] for row in cql('SELECT "Id", "Say ""hi""", "select" FROM writes."MixedCase"')] == [("x", 5)], "quoted names")
tap.ok(sql("INSERT INTO role_user (user_id, role_id, level) VALUES (4, 1, 9) RETURNING *, level + 1")
       == [(4, 1, None, 9, None, 10)], "RETURNING of an INSERT")
tap.ok(sql("SELECT * FROM role_user WHERE user_id = 4") == [(4, 1, None, 9, None)], "the next statement sees the row")
tap.ok(cql("SELECT owner FROM writes.role_user WHERE user_id = 4") == [(None,)], "a static column is left alone too")
sql("INSERT INTO role_user (user_id, role_id, owner) VALUES (4, 2, 'me')")
tap.ok(cql("SELECT role_id, owner FROM writes.role_user WHERE user_id = 4") == [(1, "me"), (2, "me")], "a static column is the partition's")
sql("INSERT INTO role_user (user_id, role_id, level) VALUES (4, 3, 1), (4, 3, 2), (4, 3, -9)")
tap.ok(cql(f"{ROWS} WHERE user_id = 4 AND role_id = 3") == [(4, 3, None, -9)], "of a row that comes several times the last one stays")

sql("ALTER FOREIGN TABLE role_user ALTER COLUMN status SET DEFAULT 'new'")
sql("INSERT INTO role_user (user_id, role_id) VALUES (5, 1)")
tap.ok(cql(f"{ROWS} WHERE user_id = 5") == [(5, 1, "new", None)], "a default of the foreign table")
sql("ALTER FOREIGN TABLE role_user ALTER COLUMN status DROP DEFAULT")
sql("CREATE FOREIGN TABLE generated (user_id bigint OPTIONS (partition_key '1'), role_id bigint OPTIONS (clustering_key '1'),"
    " level int GENERATED ALWAYS AS (role_id * 2) STORED, status text)"
    " SERVER writes OPTIONS (keyspace 'writes', \"table\" 'role_user')")
sql("INSERT INTO generated (user_id, role_id) VALUES (5, 3)")
tap.ok(cql(f"{ROWS} WHERE user_id = 5 AND role_id = 3") == [(5, 3, None, 6)], "a generated column is written")
tap.ok(state_of("INSERT INTO role_user (user_id) VALUES (5)") == "23502", "a key column that is left out")
error = error_of("INSERT INTO generated (user_id, status) VALUES (5, 'x')")
tap.ok(error.pgcode == "23502" and "role_id" in str(error), "the same without NOT NULL", error)
tap.ok(state_of("INSERT INTO role_user (user_id, role_id) VALUES (5, 9) ON CONFLICT DO NOTHING") == "0A000"
       and cql(f"{ROWS} WHERE user_id = 5 AND role_id = 9") == [], "ON CONFLICT DO NOTHING is refused")

# ---- UPDATE

before = cql("SELECT writetime(level) FROM writes.role_user WHERE user_id = 1 AND role_id = 11")[0][0]
tap.ok(count_of("UPDATE role_user SET status = 'changed' WHERE user_id = 1") == 2, "UPDATE says how many rows")
tap.ok(cql(f"{ROWS} WHERE user_id = 1") == [(1, 10, "changed", 50), (1, 11, "changed", 6)], "and they are changed")
tap.ok(cql("SELECT writetime(level) FROM writes.role_user WHERE user_id = 1 AND role_id = 11")[0][0] == before,
       "a column that UPDATE does not name is not written")
tap.ok(sql("UPDATE role_user SET level = level * 2, status = NULL WHERE user_id = 1 AND role_id > 10 RETURNING role_id, status, level")
       == [(11, None, 12)], "RETURNING of an UPDATE")
tap.ok(cql(f"{ROWS} WHERE user_id = 1") == [(1, 10, "changed", 50), (1, 11, None, 12)], "null deletes a cell")
tap.ok(count_of("UPDATE role_user SET level = 0 WHERE user_id = 77") == 0 and cql(f"{ROWS} WHERE user_id = 77") == [],
       "UPDATE makes no rows")
sql("UPDATE role_user SET owner = 'all' WHERE user_id = 1 AND role_id = 10")
tap.ok(cql("SELECT role_id, owner FROM writes.role_user WHERE user_id = 1") == [(10, "all"), (11, "all")], "a static column is updated")
sql("UPDATE role_user SET owner = 'both', level = 51 WHERE user_id = 1 AND role_id = 10")
tap.ok(cql("SELECT role_id, owner, level FROM writes.role_user WHERE user_id = 1") == [(10, "both", 51), (11, "both", 12)],
       "a static column and another")
error = error_of("UPDATE role_user SET role_id = 12 WHERE user_id = 1 AND role_id = 10")
tap.ok(error.pgcode == "0A000" and "role_id" in str(error) and error.diag.message_hint, "a key column is not updated", error)
tap.ok(len(cql(f"{ROWS} WHERE user_id = 1")) == 2, "and nothing was")
tap.ok(state_of("UPDATE role_user SET level = 1 / (role_id - 11) WHERE user_id = 1") == "22012", "an error in mid-statement")
sql("CREATE TABLE changes (user_id bigint, role_id bigint, level int); INSERT INTO changes VALUES (1, 10, 100), (2, 10, 200), (9, 9, 1)")
tap.ok(count_of("UPDATE role_user AS r SET level = c.level FROM changes AS c WHERE r.user_id = c.user_id AND r.role_id = c.role_id") == 2
       and cql(f"{ROWS} WHERE user_id IN (1, 2) AND role_id = 10") == [(1, 10, "changed", 100), (2, 10, "off", 200)],
       "UPDATE ... FROM", cql(ROWS))

# ---- DELETE

sql("INSERT INTO role_user (user_id, role_id, level) SELECT u, r, r FROM generate_series(20, 23) AS u, generate_series(1, 5) AS r")
tap.ok(count_of("DELETE FROM role_user WHERE user_id = 20 AND role_id = 3") == 1
       and [row[1] for row in cql(f"{ROWS} WHERE user_id = 20")] == [1, 2, 4, 5], "DELETE of one row takes one row")
tap.ok(sql("DELETE FROM role_user WHERE user_id = 20 AND level > 3 RETURNING role_id, level") == [(4, 4), (5, 5)], "RETURNING of a DELETE")
tap.ok([row[1] for row in cql(f"{ROWS} WHERE user_id = 20")] == [1, 2], "and the rows are gone")
tap.ok(sql("DELETE FROM role_user AS r WHERE user_id = 20 AND role_id = 2 RETURNING r") == [("(20,2,,2,)",)], "the whole row returned")
plan = "\n".join(row[0] for row in sql("EXPLAIN (VERBOSE, COSTS OFF) DELETE FROM role_user WHERE user_id = 21"))
tap.ok("Foreign Delete" in plan and 'DELETE FROM "writes"."role_user" USING TIMESTAMP ? WHERE "user_id" = ?' in plan,
       "DELETE by the partition key is one statement", plan)
tap.ok(count_of("DELETE FROM role_user WHERE user_id = 21") == 5 and cql(f"{ROWS} WHERE user_id = 21") == [],
       "it says how many rows that were")
tap.ok(" 0 tombstone" in tombstones_of(f"{ROWS} WHERE user_id = 21"), "and leaves no tombstone of a row",
       tombstones_of(f"{ROWS} WHERE user_id = 21"))
tap.ok(count_of("DELETE FROM role_user WHERE user_id = 22 AND role_id >= 1") == 5
       and " 0 tombstone" not in tombstones_of(f"{ROWS} WHERE user_id = 22"), "as deletions of rows do",
       tombstones_of(f"{ROWS} WHERE user_id = 22"))
tap.ok(count_of("DELETE FROM role_user WHERE user_id = 21") == 0, "a partition without rows")
tap.ok(count_of("DELETE FROM role_user WHERE user_id = NULL") == 0, "DELETE by null")
for where, name in (("user_id = 23 AND level = 1", "another condition"), ("user_id IN (23, 24)", "several partitions"),
                    ("user_id = 23 AND random() < 0", "a volatile condition")):
    plan = "\n".join(row[0] for row in sql(f"EXPLAIN (VERBOSE, COSTS OFF) DELETE FROM role_user WHERE {where}"))
    tap.ok("Foreign Delete" not in plan, f"{name}: not the whole partition", plan)
tap.ok("Foreign Delete" not in str(sql("EXPLAIN DELETE FROM events WHERE tenant = 1")), "nor half a partition key")
sql("INSERT INTO events VALUES (1, '2026-01-01', 1, 'a', 'x'), (1, '2026-01-01', 2, 'b', 'y'), (1, '2026-01-02', 1, 'a', 'z')")
tap.ok(count_of("DELETE FROM events WHERE day = '2026-01-01' AND tenant = 1") == 2
       and [row[4] for row in cql("SELECT * FROM writes.events")] == ["z"], "a partition key of two columns")
tap.ok(count_of("DELETE FROM role_user WHERE user_id = 23 AND role_id = 1") == 1, "a row is deleted")
sql("INSERT INTO role_user (user_id, role_id, level) VALUES (23, 1, 77)")
tap.ok(cql(f"{ROWS} WHERE user_id = 23 AND role_id = 1") == [(23, 1, None, 77)], "and is there again when it is inserted")
sql("DELETE FROM role_user WHERE user_id = 23")
sql("INSERT INTO role_user (user_id, role_id, level) VALUES (23, 1, 78)")
tap.ok(cql(f"{ROWS} WHERE user_id = 23") == [(23, 1, None, 78)], "the same with a partition")
driver.execute("INSERT INTO writes.role_user (user_id, owner) VALUES (24, 'alone')")
tap.ok(state_of("DELETE FROM role_user WHERE user_id = 24 AND owner = 'alone'") == "0A000", "a row that has no key cannot be deleted by it")
tap.ok(count_of("DELETE FROM role_user WHERE user_id = 24") == 1 and cql("SELECT owner FROM writes.role_user WHERE user_id = 24") == [],
       "but with its partition")
sql("PREPARE forget(bigint) AS DELETE FROM role_user WHERE user_id = $1")
sql("SET plan_cache_mode = force_generic_plan")
tap.ok(count_of("EXECUTE forget(23)") == 1 and count_of("EXECUTE forget(23)") == 0 and cql(f"{ROWS} WHERE user_id = 23") == [],
       "a parameter")
sql("RESET plan_cache_mode")
tap.ok(sql("WITH d AS (DELETE FROM role_user WHERE user_id = 5) SELECT 1") == [(1,)] and cql(f"{ROWS} WHERE user_id = 5") == [],
       "DELETE in WITH")

# ---- keys that PostgreSQL cannot hold exactly

driver.execute("CREATE TABLE writes.inexact (price decimal, at time, v int, PRIMARY KEY ((price), at))")
for price, at in (("1.50", "00:00:00.000001"), ("1.5", "00:00:00.000001"), ("2", "00:00:00.000000999"), ("2", "00:00:00")):
    driver.execute(f"INSERT INTO writes.inexact (price, at, v) VALUES ({price}, '{at}', 1)")
driver.execute(driver.prepare("INSERT INTO writes.inexact (price, at, v) VALUES (?, '00:00:01', 1)"), (D("1E+2"),))
sql("IMPORT FOREIGN SCHEMA writes LIMIT TO (inexact) FROM SERVER writes INTO f")
tap.ok(len(sql("SELECT * FROM inexact")) == 5, "they can be read")
tap.ok(count_of("DELETE FROM inexact WHERE price = 1.5 AND at = '00:00:00.000001' AND scale(price) = 1") == 1
       and cql("SELECT price FROM writes.inexact WHERE price = 1.50") == [(D("1.50"),)], "the scale of a decimal is a part of the key")
for statement, name in (("DELETE FROM inexact WHERE price = 2", "a time of nanoseconds"),
                        ("UPDATE inexact SET v = 2 WHERE at = '00:00:01'", "a decimal with another scale")):
    error = error_of(statement)
    tap.ok(error is not None and error.pgcode == "0A000" and "exactly" in error.diag.message_detail, f"{name} is refused", error)
tap.ok(all(row[0] == 1 for row in cql("SELECT v FROM writes.inexact")) and len(cql("SELECT v FROM writes.inexact")) == 4, "nothing was changed")

# ---- COPY, INSERT ... SELECT, TRUNCATE

session.cursor.copy_expert("COPY role_user (user_id, role_id, level) FROM STDIN", io.StringIO("".join(f"30\t{i}\t{i}\n" for i in range(2000))))
tap.ok(cql("SELECT count(*), sum(level) FROM writes.role_user WHERE user_id = 30") == [(2000, 1999000)], "COPY")
tap.ok(" 0 tombstone" in tombstones_of(f"{ROWS} WHERE user_id = 30"), "COPY leaves other columns alone")
sql("CREATE TABLE parts (user_id bigint, role_id bigint, owner text, level int, status text) PARTITION BY LIST (status)")
sql("CREATE TABLE parts_here PARTITION OF parts FOR VALUES IN ('here')")
sql("CREATE FOREIGN TABLE parts_there PARTITION OF parts FOR VALUES IN ('there') SERVER writes"
    " OPTIONS (keyspace 'writes', \"table\" 'role_user')")
sql("ALTER FOREIGN TABLE parts_there ALTER COLUMN user_id OPTIONS (ADD partition_key '1'),"
    " ALTER COLUMN role_id OPTIONS (ADD clustering_key '1'), ALTER COLUMN owner OPTIONS (ADD static 'true')")
tap.ok(count_of("INSERT INTO parts (user_id, role_id, status) VALUES (31, 1, 'here'), (31, 2, 'there'), (31, 3, 'there')") == 3
       and cql(f"{ROWS} WHERE user_id = 31") == [(31, 2, "there", None), (31, 3, "there", None)], "rows that are routed to a partition")
tap.ok(" 0 tombstone" in tombstones_of(f"{ROWS} WHERE user_id = 31"), "what the statement does not name is left alone there, too")
tap.ok(count_of("UPDATE parts SET level = 3 WHERE user_id = 31") == 3 and [r[3] for r in cql(f"{ROWS} WHERE user_id = 31")] == [3, 3],
       "UPDATE of all partitions")
tap.ok(state_of("UPDATE parts SET status = 'there' WHERE user_id = 31 AND status = 'here'") == ""
       and (31, 1, "there", 3) in cql(f"{ROWS} WHERE user_id = 31"), "a row that moves to the foreign partition", cql(f"{ROWS} WHERE user_id = 31"))
tap.ok(sql("DELETE FROM parts WHERE user_id = 31 RETURNING role_id") == [(1,), (2,), (3,)] and cql(f"{ROWS} WHERE user_id = 31") == [],
       "DELETE of all partitions")


def requests_of(statement):
    """The requests that the server has had from us for a statement."""
    def count():
        return sum(row[0] for row in cql("SELECT request_count FROM system_views.clients WHERE username = 'writes' ALLOW FILTERING"))
    sql("SELECT * FROM keys_only WHERE a = -1")
    before = count()
    sql(statement)
    return count() - before


MANY = "INSERT INTO role_user (user_id, role_id, level) SELECT 32, i, i FROM generate_series(1, 2000) AS i"
sql(MANY)
few = requests_of(MANY)
tap.ok(1 < few < 40, "rows of one partition go together", few)
sql("ALTER FOREIGN TABLE role_user OPTIONS (ADD batch_size '1')")
many = requests_of(MANY)
tap.ok(many >= 2000, "but for a batch_size that no two fit in", many)
sql("ALTER FOREIGN TABLE role_user OPTIONS (SET batch_size '8kB')")
tap.ok(few < requests_of(MANY) < many, "and fewer at a smaller one", few)
sql("ALTER FOREIGN TABLE role_user OPTIONS (DROP batch_size)")
tap.ok(requests_of("DELETE FROM role_user WHERE user_id = 32") <= 4, "DELETE of 2000 rows of a partition")


def peak():
    """The backend's peak memory in kB."""
    pid = sql("SELECT pg_backend_pid()")[0][0]
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1])


sql("INSERT INTO role_user SELECT 1000 + i / 500, i, NULL, i, 'row ' || i FROM generate_series(0, 49999) AS i")
small = peak()
began = time.time()
tap.ok(count_of("INSERT INTO role_user SELECT 1000 + i / 500, i, NULL, i, 'row ' || i FROM generate_series(0, 99999) AS i") == 100000,
       "INSERT ... SELECT of 100,000 rows")
print(f"# in {time.time() - began:.1f} s; peak memory {small} kB after 50,000 rows, {peak()} kB after 100,000 more")
tap.ok(peak() - small < (4096 if MODE == "immediate" else 50000 * 0.4), "in memory that does not grow with them, or with their number alone",
       small, peak())
tap.ok(sum(cql(f"SELECT count(*) FROM writes.role_user WHERE user_id = {u}")[0][0] for u in range(1000, 1200)) == 100000,
       "all of them are there")
tap.ok(count_of("TRUNCATE role_user, keys_only") == -1 and cql(ROWS) == [] and cql("SELECT * FROM writes.keys_only") == [], "TRUNCATE")
sql("ALTER FOREIGN TABLE keys_only OPTIONS (ADD truncatable 'false')")
tap.ok(state_of("TRUNCATE keys_only") == "55000", "a table that is not to be truncated")
sql("INSERT INTO role_user (user_id, role_id) VALUES (1, 1)")
tap.ok(cql(f"{ROWS} WHERE user_id = 1") == [(1, 1, None, None)], "rows that come after TRUNCATE stay")

# ---- what only newer versions of PostgreSQL have

if session.connection.server_version >= 180000:
    sql("CREATE FOREIGN TABLE computed (user_id bigint OPTIONS (partition_key '1'), role_id bigint OPTIONS (clustering_key '1'), level int,"
        " twice int GENERATED ALWAYS AS (level * 2) VIRTUAL) SERVER writes OPTIONS (keyspace 'writes', \"table\" 'role_user')")
    tap.ok(sql("INSERT INTO computed (user_id, role_id, level) VALUES (33, 1, 4) RETURNING old.level, new.level, twice") == [(None, 4, 8)],
           "a generated column that is not stored is not written")
    tap.ok(sql("UPDATE computed SET level = 5 WHERE user_id = 33 RETURNING old.level, new.level, twice") == [(4, 5, 10)],
           "UPDATE returns the old row and the new one")
    tap.ok(sql("DELETE FROM computed WHERE user_id = 33 RETURNING old.level, new.level") == [(5, None)], "so does DELETE")

# ---- counters

tap.ok(count_of("INSERT INTO hits (page, day, n) VALUES ('a', 1, 5), ('a', 2, 7)") == 2
       and cql("SELECT day, m, n FROM writes.hits") == [(1, None, 5), (2, None, 7)], "a row of counters begins with INSERT")
sql("UPDATE hits SET n = n + 10, m = coalesce(m, 0) - 3 WHERE page = 'a'")
tap.ok(cql("SELECT day, m, n FROM writes.hits") == [(1, -3, 15), (2, -3, 17)], "UPDATE adds the difference")
driver.execute("UPDATE writes.hits SET n = n + 100 WHERE page = 'a' AND day = 1")
sql("UPDATE hits SET n = n + 1 WHERE page = 'a' AND day = 1")
tap.ok(cql("SELECT n FROM writes.hits WHERE page = 'a' AND day = 1") == [(116,)], "to what is there")
sql("UPDATE hits SET n = 0 WHERE page = 'a' AND day = 2")
tap.ok(cql("SELECT m, n FROM writes.hits WHERE page = 'a' AND day = 2") == [(-3, 0)], "a counter set to a value")
tap.ok(state_of("UPDATE hits SET n = NULL WHERE page = 'a'") == "23502"
       and state_of("INSERT INTO hits (page, day) VALUES ('b', 1)") == "23502", "a counter is not null")
tap.ok(count_of("DELETE FROM hits WHERE page = 'a' AND day = 2") == 1 and len(cql("SELECT * FROM writes.hits")) == 1, "a row of counters is deleted")
tap.ok(count_of("DELETE FROM hits WHERE page = 'a'") == 1 and cql("SELECT * FROM writes.hits") == [], "and a partition of them")

# ---- TTL, consistency

sql("INSERT INTO brief VALUES (1, 'x')")
tap.ok(400 < cql("SELECT ttl(v) FROM writes.brief WHERE id = 1")[0][0] <= 500, "the table's own time to live")
sql("ALTER FOREIGN TABLE brief OPTIONS (ADD ttl '60')")
sql("INSERT INTO brief VALUES (2, 'x')")
sql("UPDATE brief SET v = 'y' WHERE id = 1")
tap.ok(all(50 < row[0] <= 60 for row in cql("SELECT ttl(v) FROM writes.brief")), "option ttl", cql("SELECT id, ttl(v) FROM writes.brief"))
sql("ALTER FOREIGN TABLE brief OPTIONS (SET ttl '0')")
sql("INSERT INTO brief VALUES (3, 'x')")
tap.ok(cql("SELECT ttl(v) FROM writes.brief WHERE id = 3") == [(None,)], "option ttl 0: none")
sql("ALTER FOREIGN TABLE brief OPTIONS (ADD consistency 'THREE')")
tap.ok(state_of("INSERT INTO brief VALUES (4, 'x')") == "57P03" and cql("SELECT * FROM writes.brief WHERE id = 4") == [],
       "the table's consistency is asked for", error_of("INSERT INTO brief VALUES (4, 'x')"))
sql("ALTER FOREIGN TABLE brief OPTIONS (DROP consistency)")

# ---- definitions that are not the table's

sql("CREATE FOREIGN TABLE short_key (user_id bigint OPTIONS (partition_key '1'), role_id bigint, level int)"
    " SERVER writes OPTIONS (keyspace 'writes', \"table\" 'role_user')")
sql("CREATE FOREIGN TABLE other_key (user_id bigint OPTIONS (partition_key '1'), role_id bigint OPTIONS (partition_key '2'), level int)"
    " SERVER writes OPTIONS (keyspace 'writes', \"table\" 'role_user')")
sql("CREATE FOREIGN TABLE no_key (user_id bigint, role_id bigint, level int) SERVER writes OPTIONS (keyspace 'writes', \"table\" 'role_user')")
sql("CREATE FOREIGN TABLE without_column (user_id bigint OPTIONS (partition_key '1'), level int)"
    " SERVER writes OPTIONS (keyspace 'writes', \"table\" 'role_user')")
sql("INSERT INTO role_user (user_id, role_id, level) VALUES (40, 1, 1), (40, 2, 2)")
for table, state in (("short_key", "HV021"), ("other_key", "HV021"), ("no_key", "0A000"), ("without_column", "HV021")):
    error = error_of(f"DELETE FROM {table} WHERE user_id = 40 AND level = 1")
    tap.ok(error is not None and error.pgcode == state and "IMPORT FOREIGN SCHEMA" in str(error.diag.message_hint),
           f"{table}: DELETE is refused", error)
    tap.ok(state_of(f"DELETE FROM {table} WHERE user_id = 40") == state, f"{table}: so is DELETE of the partition",
           error_of(f"DELETE FROM {table} WHERE user_id = 40"))
    tap.ok(state_of(f"UPDATE {table} SET level = 5 WHERE user_id = 40") == state, f"{table}: so is UPDATE",
           error_of(f"UPDATE {table} SET level = 5 WHERE user_id = 40"))
    tap.ok(state_of(f"INSERT INTO {table} SELECT * FROM {table} WHERE user_id = 40") == state, f"{table}: so is INSERT",
           error_of(f"INSERT INTO {table} SELECT * FROM {table} WHERE user_id = 40"))
    tap.ok(len(sql(f"SELECT * FROM {table} WHERE user_id = 40")) == 2, f"{table} can be read")
tap.ok(cql(f"{ROWS} WHERE user_id = 40") == [(40, 1, None, 1), (40, 2, None, 2)], "nothing of it was changed")
driver.execute("CREATE TABLE writes.remade (a int, b int, c int, PRIMARY KEY (a, b))")
sql("IMPORT FOREIGN SCHEMA writes LIMIT TO (remade) FROM SERVER writes INTO f")
sql("INSERT INTO remade VALUES (1, 1, 1)")
driver.execute("DROP TABLE writes.remade")
driver.execute("CREATE TABLE writes.remade (a int, b int, c int, PRIMARY KEY (a, b, c))")
driver.execute("INSERT INTO writes.remade (a, b, c) VALUES (1, 1, 1)")
driver.execute("INSERT INTO writes.remade (a, b, c) VALUES (1, 1, 2)")
time.sleep(1)
tap.ok(state_of("DELETE FROM remade WHERE a = 1 AND b = 1 AND c = 1") == "HV021" and len(cql("SELECT * FROM writes.remade")) == 2,
       "a table that was made anew with another key", error_of("DELETE FROM remade WHERE a = 1 AND b = 1 AND c = 1"))
sql("CREATE FOREIGN TABLE no_column (user_id bigint OPTIONS (partition_key '1'), role_id bigint OPTIONS (clustering_key '1'), nothing int)"
    " SERVER writes OPTIONS (keyspace 'writes', \"table\" 'role_user')")
tap.ok(state_of("INSERT INTO no_column VALUES (41, 1, 1)") in ("42703", "22023"), "a column that is not there",
       error_of("INSERT INTO no_column VALUES (41, 1, 1)"))
tap.ok(count_of("INSERT INTO no_column (user_id, role_id) VALUES (41, 1)") == 1, "others can be written")
sql("CREATE FOREIGN TABLE no_table (a int OPTIONS (partition_key '1')) SERVER writes OPTIONS (keyspace 'writes')")
tap.ok(state_of("INSERT INTO no_table VALUES (1)") == "42P01", "a table that is not there", error_of("INSERT INTO no_table VALUES (1)"))
sql("ALTER FOREIGN TABLE events OPTIONS (ADD updatable 'false')")
tap.ok([state_of(text) for text in ("INSERT INTO events VALUES (1)", "UPDATE events SET note = 'x'", "DELETE FROM events")] == ["55000"] * 3
       and sql("SELECT is_updatable, is_insertable_into FROM information_schema.tables NATURAL JOIN information_schema.views"
               " WHERE table_name = 'events'") == [], "a table that is not to be written to")

# ---- triggers, views, privileges

sql("CREATE TABLE log (what text, old_row text, new_row text)")
sql("CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " INSERT INTO log VALUES (TG_WHEN || ' ' || TG_OP, OLD::text, NEW::text); IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;"
    " IF TG_WHEN = 'BEFORE' AND TG_OP = 'UPDATE' THEN NEW.status := 'by trigger'; END IF; RETURN NEW; END $$")
sql("CREATE TRIGGER b BEFORE INSERT OR UPDATE OR DELETE ON role_user FOR EACH ROW EXECUTE FUNCTION note()")
sql("CREATE TRIGGER a AFTER INSERT OR UPDATE OR DELETE ON role_user FOR EACH ROW EXECUTE FUNCTION note()")
sql("INSERT INTO role_user (user_id, role_id, level) VALUES (50, 1, 1)")
sql("UPDATE role_user SET level = 2 WHERE user_id = 50")
tap.ok(cql(f"{ROWS} WHERE user_id = 50") == [(50, 1, "by trigger", 2)], "what a trigger changes is written", cql(f"{ROWS} WHERE user_id = 50"))
sql("DELETE FROM role_user WHERE user_id = 50")
tap.ok(sql("SELECT * FROM log") == [
    ("BEFORE INSERT", None, "(50,1,,1,)"), ("AFTER INSERT", None, "(50,1,,1,)"),
    ("BEFORE UPDATE", "(50,1,,1,)", "(50,1,,2,)"), ("AFTER UPDATE", "(50,1,,1,)", '(50,1,,2,"by trigger")'),
    ("BEFORE DELETE", '(50,1,,2,"by trigger")', None), ("AFTER DELETE", '(50,1,,2,"by trigger")', None)], "row triggers", *sql("SELECT * FROM log"))
tap.ok(cql(f"{ROWS} WHERE user_id = 50") == [], "and the row is deleted")
sql("CREATE FUNCTION move() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.role_id := 99; RETURN NEW; END $$")
sql("CREATE TRIGGER c BEFORE UPDATE ON role_user FOR EACH ROW EXECUTE FUNCTION move()")
tap.ok(state_of("UPDATE role_user SET level = 9 WHERE user_id = 40") == "0A000" and [r[3] for r in cql(f"{ROWS} WHERE user_id = 40")] == [1, 2],
       "a trigger does not change the key")
sql("DROP TRIGGER a ON role_user; DROP TRIGGER b ON role_user; DROP TRIGGER c ON role_user")
sql("CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " INSERT INTO log SELECT 'seen', count(*)::text, NULL FROM f.role_user WHERE user_id = 51; RETURN NULL; END $$")
sql("CREATE TRIGGER a AFTER INSERT ON role_user FOR EACH STATEMENT EXECUTE FUNCTION look()")
sql("INSERT INTO role_user (user_id, role_id) SELECT 51, i FROM generate_series(1, 10) AS i")
tap.ok(sql("SELECT old_row FROM log WHERE what = 'seen'") == [("10",)], "a trigger after the statement sees its rows",
       *sql("SELECT * FROM log WHERE what = 'seen'"))
sql("DROP TRIGGER a ON role_user")
sql("CREATE VIEW active AS SELECT user_id, role_id, status FROM role_user WHERE status = 'on' WITH CHECK OPTION")
tap.ok(count_of("INSERT INTO active VALUES (52, 1, 'on')") == 1 and cql(f"{ROWS} WHERE user_id = 52") == [(52, 1, "on", None)], "a view over the table")
tap.ok(state_of("INSERT INTO active VALUES (52, 2, 'off')") == "44000", "and its check option")
tap.ok(count_of("DELETE FROM active WHERE user_id = 52") == 1 and cql(f"{ROWS} WHERE user_id = 52 AND role_id = 1") == [], "DELETE by the view")

sql("DROP ROLE IF EXISTS regress_writes; CREATE ROLE regress_writes; GRANT USAGE ON SCHEMA f TO regress_writes; GRANT INSERT ON role_user TO regress_writes")
sql("CREATE USER MAPPING FOR regress_writes SERVER writes OPTIONS (username 'cassandra', password 'cassandra')")
sql("SET ROLE regress_writes")
tap.ok(state_of("INSERT INTO role_user (user_id, role_id) VALUES (60, 1)") == "", "INSERT without SELECT")
tap.ok(state_of("INSERT INTO role_user (user_id, role_id) VALUES (60, 2) RETURNING *") == "42501", "but then not RETURNING")
tap.ok([state_of(text) for text in ("SELECT * FROM role_user", "DELETE FROM role_user WHERE user_id = 60", "UPDATE role_user SET level = 1",
                                    "TRUNCATE role_user")] == ["42501"] * 4, "nor anything else")
sql("RESET ROLE")
sql("DROP USER MAPPING FOR regress_writes SERVER writes")
sql("SET ROLE regress_writes")
tap.ok(state_of("INSERT INTO role_user (user_id, role_id) VALUES (60, 3)") == "42704", "a user without a mapping")
sql("RESET ROLE")
sql("CREATE VIEW through AS SELECT user_id, role_id FROM role_user; GRANT INSERT, DELETE, SELECT ON through TO regress_writes")
sql("SET ROLE regress_writes")
tap.ok(state_of("INSERT INTO through VALUES (60, 4)") == "" and count_of("DELETE FROM through WHERE user_id = 60") == 2,
       "through a view the owner's mapping is used")
sql("RESET ROLE")

# ---- errors: what was sent stays, and nothing is left under way

driver.execute("CREATE TABLE writes.small (id int PRIMARY KEY, v text)")
sql("IMPORT FOREIGN SCHEMA writes LIMIT TO (small) FROM SERVER writes INTO f")
tap.ok(state_of("INSERT INTO small SELECT i, 'x' || 1 / (1000 - i) FROM generate_series(1, 2000) AS i") == "22012", "an error of the statement")
if MODE == "immediate":
    rows = wait_for("SELECT count(*) FROM writes.small", lambda rows: rows[0][0] > 0)
    tap.ok(0 < rows[0][0] < 1000, "what was sent before stays", rows)
else:
    tap.ok(cql("SELECT count(*) FROM writes.small") == [(0,)], "nothing was sent")
sql("CREATE FOREIGN TABLE wide (id bytea OPTIONS (partition_key '1', cql_type 'blob'), v text) SERVER writes OPTIONS (keyspace 'writes')")
driver.execute("CREATE TABLE writes.wide (id blob PRIMARY KEY, v text)")
error = error_of("INSERT INTO wide SELECT convert_to(repeat('k', CASE WHEN i = 500 THEN 70000 ELSE 5 END) || i, 'UTF8'), i FROM generate_series(1, 1000) AS i")
tap.ok(error is not None and error.pgcode == "22023", "an error of the server", error)
tap.ok(sql("SELECT sum(in_flight)::int FROM m2m.scylla_connections()") == [(0,)], "all answers have been waited for")
tap.ok(cql("SELECT v FROM writes.wide WHERE id = %s", b"k" * 5 + b"499") == [("499",)], "what was sent stays here, too")
with_error = error_of("INSERT INTO small VALUES (3000, 'x'), (9999999999, 'y')")
tap.ok(with_error.pgcode == "22003", "a number beyond the column's type here")
sql("CREATE FOREIGN TABLE small_wide (id bigint OPTIONS (partition_key '1', cql_type 'int'), v text) SERVER writes"
    " OPTIONS (keyspace 'writes', \"table\" 'small')")
error = error_of("INSERT INTO small_wide VALUES (9999999999, 'y')")
tap.ok(error.pgcode == "22003" and "9999999999" in error.diag.message_primary and 'column "id"' in error.diag.context,
       "and beyond the column's type there: the error names column and value", error, error.diag.context)
session.connection.autocommit = False
sql("INSERT INTO small VALUES (4000, 'x')")
session.connection.rollback()
session.connection.autocommit = True
tap.ok(len(cql("SELECT v FROM writes.small WHERE id = 4000")) == (MODE == "immediate"), "ROLLBACK takes back what was not sent")

# ---- a server that stops answering, or is gone, in the midst of a statement

def close_when_waiting(proxy, pid):
    """Closes the proxy once a backend's INSERT waits for it."""
    watcher = Session()
    end = time.time() + 30
    while time.time() < end:
        if watcher.sql("SELECT 1 FROM pg_stat_activity WHERE pid = %s AND query LIKE 'INSERT%%' AND wait_event_type = 'Extension'", pid):
            break
        time.sleep(0.02)
    proxy.close()
    proxy.release()


if MODE == "immediate":
    proxy = Proxy(server.hosts[0], server.port)
    sql(f"CREATE SERVER proxied FOREIGN DATA WRAPPER scylla OPTIONS (hosts '127.0.0.1', port '{proxy.port}', sslmode 'disable',"
        " write_mode 'immediate', request_timeout '20s')")
    sql("CREATE USER MAPPING FOR CURRENT_USER SERVER proxied OPTIONS (username 'writes', password 'writes')")
    sql("CREATE FOREIGN TABLE held (id int OPTIONS (partition_key '1'), v text) SERVER proxied OPTIONS (keyspace 'writes', \"table\" 'small')")
    sql("INSERT INTO held VALUES (5000, 'x')")
    for statement in ("INSERT INTO held SELECT i, 'x' FROM generate_series(6000, 26000) AS i",
                      "UPDATE held SET v = 'y' WHERE id = 5000", "DELETE FROM held WHERE id = 5000", "TRUNCATE held"):
        proxy.hold()
        sql("SET statement_timeout = 700")
        began = time.time()
        tap.ok(state_of(statement) == "57014" and time.time() - began < 5, f"{statement.split()[0]} can be cancelled",
               time.time() - began)
        sql("RESET statement_timeout")
        proxy.release()
        tap.ok(state_of("INSERT INTO held VALUES (5001, 'y')") == "", "the connection is used again", error_of("SELECT * FROM held"))
    sql("INSERT INTO held VALUES (5000, 'x')")
    proxy.hold()
    gone = threading.Thread(target=close_when_waiting, args=(proxy, sql("SELECT pg_backend_pid()")[0][0]))
    gone.start()
    error = error_of("INSERT INTO held SELECT i, 'x' FROM generate_series(30000, 50000) AS i")
    gone.join()
    tap.ok(error is None and cql("SELECT count(*) FROM writes.small WHERE id >= 30000 AND id <= 50000 ALLOW FILTERING") == [(20001,)],
           "a connection that is lost: what was under way is sent again by another one", error)

# ---- values of every type

columns = {kind: f"c{i}" for i, kind in enumerate(CASES)}
driver.execute("CREATE TABLE writes.types (id int PRIMARY KEY, %s)" % ", ".join(f"{name} {kind}" for kind, name in columns.items()))
driver.execute("USE writes")
sql("IMPORT FOREIGN SCHEMA writes LIMIT TO (types) FROM SERVER writes INTO f")
sql("CREATE FOREIGN TABLE texts (id int OPTIONS (partition_key '1'), %s) SERVER writes OPTIONS (keyspace 'writes', \"table\" 'types')"
    % ", ".join(f"{name} text OPTIONS (cql_type {kind!r})" for kind, name in columns.items()))
FINER = ("time", "duration", "frozen<tuple<duration, time>>")  # than PostgreSQL's
number = 0
for kind, cases in CASES.items():
    for text, value, _ in cases:
        if text is None:
            continue
        for table in ("types", "texts"):
            if table == "types" and kind in FINER:
                continue
            literal = text.replace("[", "{").replace("]", "}") if table == "types" and kind in ("list<int>", "set<text>") else text
            number += 1
            error = error_of(f"INSERT INTO {table} (id, {columns[kind]}) VALUES (%s, %s)", number, literal)
            read = cql(f"SELECT {columns[kind]} FROM writes.types WHERE id = {number}")
            tap.ok(error is None and read and plain(read[0][0]) == plain(value), f"{kind} '{text[:40]}' by {table}", error, read, value)
for text, name in (("2026-02-03 04:05:06.789123+00", "timestamp"), ("00:00:00.000001", "time"), ("P1DT0.000001S", "duration")):
    number += 1
    sql(f"INSERT INTO types (id, {columns[name]}) VALUES (%s, %s)", number, text)
    back = sql(f"SELECT {columns[name]} FROM types WHERE id = {number}")
    tap.ok(back == sql(f"SELECT '{text[:23]}{'+00' if name == 'timestamp' else text[23:]}'::"
                       f"{'timestamptz' if name == 'timestamp' else 'interval' if name == 'duration' else name}"),
           f"{name} '{text}' and back", back)
for kind, text, state in BAD:
    if kind in columns:
        error = error_of(f"INSERT INTO texts (id, {columns[kind]}) VALUES (0, %s)", text)
        tap.ok(error is not None and error.pgcode == state and f'column "{columns[kind]}"' in error.diag.context,
               f"{kind} '{text}' is refused ({state}), with the column", error, error.diag.context if error else "")
tap.ok(cql("SELECT id FROM writes.types WHERE id = 0") == [], "nothing of those was written")
all_null = ", ".join(["NULL"] * len(columns))
tap.ok(count_of(f"INSERT INTO types VALUES (0, {all_null})") == 1 and len(cql("SELECT id FROM writes.types WHERE id = 0")) == 1,
       "nulls of every type")

# ---- materialized views

driver.execute("CREATE MATERIALIZED VIEW writes.by_level AS SELECT user_id, role_id, level FROM writes.role_user WHERE level IS NOT NULL AND user_id IS NOT NULL"
               " AND role_id IS NOT NULL PRIMARY KEY (level, user_id, role_id)")
sql("IMPORT FOREIGN SCHEMA writes LIMIT TO (by_level) FROM SERVER writes INTO f")
wait_for("SELECT * FROM writes.by_level", lambda rows: len(rows) > 0)
tap.ok(len(sql("SELECT * FROM by_level")) > 0 and state_of("DELETE FROM by_level") == "55000", "a materialized view is read, not written")
sql("ALTER FOREIGN TABLE by_level OPTIONS (SET updatable 'true')")
tap.ok(state_of("DELETE FROM by_level") == "22023", "nor if its definition says so", error_of("DELETE FROM by_level"))

sql("DROP SERVER writes CASCADE; DROP SERVER IF EXISTS proxied CASCADE; DROP OWNED BY regress_writes; DROP ROLE regress_writes")
driver.execute("DROP KEYSPACE writes")
driver.execute("DROP ROLE writes")
tap.finish()
