#!/usr/bin/env python3
"""Transactions on foreign tables (write_mode 'commit'): what a transaction sees of its own, what the server has before
and after, as python3-cassandra, an independent driver, reads it.

Random transactions are run on a foreign table and on a local copy: each statement must change as many rows, the answers
after it must be the same, and after the end the server must have what the copy has. SCYLLA_TRANSACTIONS sets their number.
"""

import datetime
import decimal
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cassandra"))
from cassandra_server import Tap, shared, skip_all  # noqa: E402

from proxy import Proxy  # noqa: E402

try:
    import psycopg2
except ImportError:
    skip_all("psycopg2 is not installed")

HERE = os.path.dirname(os.path.abspath(__file__))
TRANSACTIONS = int(os.environ.get("SCYLLA_TRANSACTIONS", "60"))

tap = Tap()
server = shared()
driver = server.connect()
for keyspace in ("transactions", "shop"):
    driver.execute(f"DROP KEYSPACE IF EXISTS {keyspace}")
    driver.execute(f"CREATE KEYSPACE {keyspace}"
                   " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
driver.execute("CREATE TABLE shop.tags (id int PRIMARY KEY, name text)")
for ddl in ("role_user (user_id bigint, role_id bigint, status text, weight int, PRIMARY KEY ((user_id), role_id))",
            "events (tenant int, day date, ts timestamp, seq int, kind text, price decimal,"
            " PRIMARY KEY ((tenant, day), ts, seq)) WITH CLUSTERING ORDER BY (ts DESC, seq ASC)",
            "single (id int PRIMARY KEY, v text, n int)",
            "bulk (id int, seq int, v text, PRIMARY KEY ((id), seq))",
            "gone (id int PRIMARY KEY, v text)",
            "notes (p int, c int, owner text static, rank int static, v text, PRIMARY KEY ((p), c))",
            "hits (page text, day int, n counter, PRIMARY KEY ((page), day))",
            "ties (p int, c int, u uuid, v int, PRIMARY KEY ((p), c, u))",
            "lists (id int PRIMARY KEY, items list<text>, names set<text>)"):
    driver.execute(f"CREATE TABLE transactions.{ddl}")
driver.execute("CREATE INDEX ON transactions.events (kind)")

proxy = Proxy(server.hosts[0], server.port)
SERVER = f"FOREIGN DATA WRAPPER scylla OPTIONS (hosts '{server.hosts[0]}', port '%s', sslmode 'disable')"


def connect():
    """Another session."""
    session = psycopg2.connect("")
    session.autocommit = True
    session.cursor().execute("SET search_path = f, public; SET timezone = 'UTC'; SET client_min_messages = warning")
    return session.cursor()


pg = psycopg2.connect("").cursor()
pg.connection.autocommit = True
pg.execute("SET client_min_messages = warning; CREATE SCHEMA m2m; CREATE EXTENSION belongs_to_many SCHEMA m2m;"
           " CREATE SCHEMA f; CREATE SCHEMA cluster_shop; CREATE SCHEMA by_proxy")
pg.connection.close()
pg = connect()


def sql(text, *parameters, at=None):
    """The rows of a statement."""
    at = at or pg
    at.execute(text, parameters or None)
    return at.fetchall() if at.description else []


def error_of(text, at=None):
    """The error of a statement, or None."""
    try:
        sql(text, at=at)
    except psycopg2.Error as error:
        return error
    return None


def state_of(text, at=None):
    error = error_of(text, at)
    return error.pgcode if error else ""


def cql(text, *parameters):
    """The rows that the server has."""
    return [tuple(row.values()) for row in driver.execute(text, parameters or None)]


for name, port in (("cluster", server.port), ("proxied", proxy.port)):
    sql(f"CREATE SERVER {name} {SERVER % port}")
    sql(f"CREATE USER MAPPING FOR CURRENT_USER SERVER {name} OPTIONS (username 'cassandra', password 'cassandra')")
sql("IMPORT FOREIGN SCHEMA transactions FROM SERVER cluster INTO f OPTIONS (import_not_null 'false')")
sql("IMPORT FOREIGN SCHEMA transactions FROM SERVER proxied INTO by_proxy")
sql("ALTER SERVER proxied OPTIONS (ADD request_timeout '60s')")
sql("IMPORT FOREIGN SCHEMA shop FROM SERVER cluster INTO cluster_shop")
sql("CREATE TABLE local (id int)")

# ---- the end of a transaction

ROWS = "SELECT user_id, role_id, status, weight FROM transactions.role_user"


def transaction(*statements, end="COMMIT"):
    """Runs a transaction; what its last statement but the end gave."""
    rows = []
    for statement in ("BEGIN", *statements):
        rows = sql(statement)
    sql(end)
    return rows


sql("BEGIN")
sql("INSERT INTO role_user VALUES (1, 1, 'a', 1), (1, 2, 'b', NULL), (2, 1, NULL, 3)")
tap.ok(cql(ROWS) == [], "nothing is sent before COMMIT")
tap.ok(sql("SELECT * FROM role_user ORDER BY 1, 2") == [(1, 1, 'a', 1), (1, 2, 'b', None), (2, 1, None, 3)],
       "a transaction reads its own rows")
sql("COMMIT")
tap.ok(sorted(cql(ROWS)) == [(1, 1, 'a', 1), (1, 2, 'b', None), (2, 1, None, 3)], "COMMIT sends them", *cql(ROWS))
times = cql("SELECT writetime(status) FROM transactions.role_user WHERE user_id = 1")
tap.ok(len(set(times)) == 1 and abs(times[0][0] / 1e6 - time.time()) < 60, "all with one timestamp of now", *times)
transaction("INSERT INTO role_user VALUES (3, 1, 'x', 1)", "UPDATE role_user SET weight = 77", "DELETE FROM role_user WHERE user_id = 1",
            end="ROLLBACK")
tap.ok(sorted(cql(ROWS)) == [(1, 1, 'a', 1), (1, 2, 'b', None), (2, 1, None, 3)], "ROLLBACK sends nothing", *cql(ROWS))
sql("INSERT INTO role_user VALUES (4, 1, 'alone', 1)")
tap.ok(cql(f"{ROWS} WHERE user_id = 4") == [(4, 1, 'alone', 1)], "a statement alone is a transaction")
transaction("UPDATE role_user SET status = 'c' WHERE user_id = 1 AND role_id = 1", "UPDATE role_user SET status = 'd', weight = 5 WHERE user_id = 1",
            "DELETE FROM role_user WHERE user_id = 1 AND role_id = 2", "INSERT INTO role_user (user_id, role_id) VALUES (1, 2)")
tap.ok(sorted(cql(f"{ROWS} WHERE user_id = 1")) == [(1, 1, 'd', 5), (1, 2, None, None)], "the net effect per row",
       *cql(f"{ROWS} WHERE user_id = 1"))
transaction("DELETE FROM role_user WHERE user_id = 1", "INSERT INTO role_user (user_id, role_id, weight) VALUES (1, 9, 9)")
tap.ok(cql(f"{ROWS} WHERE user_id = 1") == [(1, 9, None, 9)], "a partition deleted, then a row in it")
transaction("INSERT INTO role_user VALUES (5, 1, 'x', 1)", "DELETE FROM role_user WHERE user_id = 5 AND role_id = 1",
            "INSERT INTO role_user VALUES (5, 2, 'y', 2)", "DELETE FROM role_user WHERE user_id = 5")
tap.ok(cql(f"{ROWS} WHERE user_id = 5") == [], "inserted and deleted is not there")
sql("BEGIN")
sql("TRUNCATE role_user")
sql("INSERT INTO role_user VALUES (6, 1, 'after', 1)")
tap.ok(sql("SELECT * FROM role_user") == [(6, 1, 'after', 1)] and len(cql(ROWS)) > 1, "TRUNCATE is seen, and waits")
sql("COMMIT")
tap.ok(cql(ROWS) == [(6, 1, 'after', 1)], "TRUNCATE is sent before rows that come after it", *cql(ROWS))

# ---- savepoints

sql("BEGIN")
sql("INSERT INTO role_user VALUES (7, 1, 'kept', 1)")
sql("SAVEPOINT a")
sql("UPDATE role_user SET status = 'a' WHERE user_id = 7")
sql("SAVEPOINT b")
sql("DELETE FROM role_user WHERE user_id = 7")
sql("INSERT INTO role_user VALUES (7, 2, 'b', 2), (8, 1, 'b', 2)")
tap.ok(sql("SELECT role_id FROM role_user WHERE user_id = 7") == [(2,)], "two levels")
sql("RELEASE b")
tap.ok(sql("SELECT role_id FROM role_user WHERE user_id = 7") == [(2,)], "a release keeps what was done")
sql("ROLLBACK TO a")
tap.ok(sql("SELECT * FROM role_user WHERE user_id >= 7") == [(7, 1, 'kept', 1)], "ROLLBACK TO takes the inner weight back, too")
sql("INSERT INTO role_user VALUES (7, 3, 'again', 3)")
sql("COMMIT")
tap.ok(cql(f"{ROWS} WHERE user_id = 7") == [(7, 1, 'kept', 1), (7, 3, 'again', 3)] and cql(f"{ROWS} WHERE user_id = 8") == [],
       "only what was not rolled back is sent", *cql(f"{ROWS} WHERE user_id = 7"))
sql("BEGIN; SAVEPOINT a; SAVEPOINT b; SAVEPOINT c")
sql("INSERT INTO role_user VALUES (8, 5, 'x', 1)")
sql("RELEASE b; ROLLBACK TO a")
tap.ok(sql("SELECT * FROM role_user WHERE user_id = 8") == [], "what was released to a savepoint goes with it")
sql("COMMIT")
sql("""DO $$ BEGIN
    FOR i IN 1..20 LOOP
        BEGIN
            INSERT INTO role_user VALUES (9, i, 'block', i);
            UPDATE role_user SET weight = weight + 100 WHERE user_id = 9 AND role_id = i;
            PERFORM 1 / (i % 3);
        EXCEPTION WHEN division_by_zero THEN
            INSERT INTO role_user VALUES (9, 1000 + i, 'handler', (SELECT count(*) FROM role_user WHERE user_id = 9));
        END;
    END LOOP;
END $$""")
expected, count = {}, 0
for i in range(1, 21):
    expected[i if i % 3 else 1000 + i] = ('block', i + 100) if i % 3 else ('handler', len(expected))
tap.ok(cql(f"{ROWS} WHERE user_id = 9") == [(9, key, *expected[key]) for key in sorted(expected)], "exception blocks of PL/pgSQL",
       *cql(f"{ROWS} WHERE user_id = 9"))
tap.ok(transaction("SAVEPOINT a", "INSERT INTO role_user VALUES (10, 1, 'x', 1)", "ROLLBACK TO a", "SELECT * FROM role_user WHERE user_id = 10",
                   end="PREPARE TRANSACTION 'empty'") == [], "PREPARE TRANSACTION where everything was rolled back")
sql("ROLLBACK PREPARED 'empty'")
sql("BEGIN")
sql("INSERT INTO role_user VALUES (10, 1, 'x', 1)")
tap.ok(state_of("PREPARE TRANSACTION 'full'") == "0A000", "PREPARE TRANSACTION is refused where something was changed")
sql("ROLLBACK")
tap.ok(cql(f"{ROWS} WHERE user_id = 10") == [], "and sends nothing")

# ---- snapshots: cursors, plans that are kept, triggers, functions

sql("BEGIN")
sql("INSERT INTO role_user VALUES (11, 1, 'x', 1), (11, 2, 'x', 2)")
sql("DECLARE c CURSOR FOR SELECT role_id, weight FROM role_user WHERE user_id = 11 ORDER BY role_id")
sql("DECLARE h CURSOR WITH HOLD FOR SELECT role_id, weight FROM role_user WHERE user_id = 11 ORDER BY role_id")
sql("SAVEPOINT a")
sql("UPDATE role_user SET weight = 99 WHERE user_id = 11")
first = sql("FETCH 1 FROM c")
sql("DELETE FROM role_user WHERE user_id = 11")
sql("INSERT INTO role_user VALUES (11, 3, 'x', 3)")
sql("ROLLBACK TO a")
sql("INSERT INTO role_user VALUES (11, 4, 'x', 4)")
tap.ok(first + sql("FETCH ALL FROM c") == [(1, 1), (2, 2)], "a cursor sees what was there when it was opened")
tap.ok(sql("SELECT role_id FROM role_user WHERE user_id = 11 ORDER BY role_id DESC") == [(4,), (2,), (1,)], "a new statement all of it")
sql("COMMIT")
tap.ok(sql("FETCH ALL FROM h") == [(1, 1), (2, 2)], "a cursor WITH HOLD keeps its rows")
sql("CLOSE h")

sql("SET plan_cache_mode = force_generic_plan")
sql("PREPARE one(bigint) AS SELECT role_id, weight FROM role_user WHERE user_id = $1 ORDER BY role_id LIMIT 2")
sql("PREPARE counted(bigint) AS SELECT count(*) FROM role_user WHERE user_id = $1")
before = [sql("EXECUTE one(11)"), sql("EXECUTE counted(11)")]
sql("BEGIN")
between = [sql("EXECUTE one(11)"), sql("EXECUTE counted(11)")]
sql("DELETE FROM role_user WHERE user_id = 11 AND role_id = 1")
sql("INSERT INTO role_user VALUES (11, 0, 'x', 0), (11, 5, 'x', 5)")
during = [sql("EXECUTE one(11)"), sql("EXECUTE counted(11)")]
sql("ROLLBACK")
after = [sql("EXECUTE one(11)"), sql("EXECUTE counted(11)")]
tap.ok(before == between == after == [[(1, 1), (2, 2)], [(3,)]] and during == [[(0, 0), (2, 2)], [(4,)]],
       "plans that are kept: LIMIT and count(*) with changes and without", before, between, during, after)
sql("RESET plan_cache_mode")

tap.ok(transaction("INSERT INTO role_user VALUES (12, 1, 'x', 1)",
                   "WITH changed AS (UPDATE role_user SET weight = 2 WHERE user_id = 12 RETURNING weight)"
                   " SELECT (SELECT weight FROM changed), weight FROM role_user WHERE user_id = 12") == [(2, 1)],
       "a statement does not see its own changes")
sql("INSERT INTO role_user SELECT 12, role_id + 1, status, weight FROM role_user WHERE user_id = 12")
tap.ok(cql(f"{ROWS} WHERE user_id = 12") == [(12, 1, 'x', 2), (12, 2, 'x', 2)], "INSERT of what it reads ends")
sql("CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " INSERT INTO local SELECT count(*) FROM role_user WHERE user_id = NEW.user_id; RETURN NULL; END $$")
sql("CREATE TRIGGER seen AFTER INSERT ON role_user FOR EACH ROW EXECUTE FUNCTION seen()")
sql("INSERT INTO role_user VALUES (13, 1, 'x', 1), (13, 2, 'x', 1), (13, 3, 'x', 1)")
tap.ok(sql("DELETE FROM local RETURNING id") == [(3,)] * 3, "AFTER triggers see all rows of the statement")
sql("DROP TRIGGER seen ON role_user")
sql("CREATE FUNCTION later() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " INSERT INTO role_user VALUES (14, NEW.id, 'deferred', 1); RETURN NULL; END $$")
sql("CREATE CONSTRAINT TRIGGER later AFTER INSERT ON local DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION later()")
transaction("INSERT INTO local VALUES (1), (2)")
tap.ok(cql(f"{ROWS} WHERE user_id = 14") == [(14, 1, 'deferred', 1), (14, 2, 'deferred', 1)], "what deferred triggers write is sent")
sql("DROP TRIGGER later ON local; TRUNCATE local")
sql("CREATE FUNCTION in_sql() RETURNS bigint LANGUAGE sql AS"
    " 'INSERT INTO f.role_user VALUES (15, 1, ''x'', 1); SELECT count(*) FROM f.role_user WHERE user_id = 15'")
tap.ok(sql("SELECT in_sql()") == [(1,)], "a function's statements see each other's changes")
sql("CREATE PROCEDURE commits() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO role_user VALUES (16, 1, 'x', 1); COMMIT;"
    " INSERT INTO role_user VALUES (16, 2, 'x', 1); ROLLBACK; END $$")
sql("CALL commits()")
tap.ok(cql(f"{ROWS} WHERE user_id = 16") == [(16, 1, 'x', 1)], "a procedure that commits and rolls back")
tap.ok(state_of("BEGIN READ ONLY; INSERT INTO role_user VALUES (17, 1, 'x', 1)") == "25006", "a transaction that only reads")
sql("ROLLBACK")

# ---- tables

sql("CREATE FOREIGN TABLE part (role int OPTIONS (column_name 'role_id', cql_type 'bigint', clustering_key '1'),"
    " id bigint OPTIONS (column_name 'user_id', partition_key '1'), weight int) SERVER cluster"
    " OPTIONS (keyspace 'transactions', \"table\" 'role_user')")
sql("CREATE FOREIGN TABLE no_key (status text) SERVER cluster OPTIONS (keyspace 'transactions', \"table\" 'role_user')")
sql("CREATE FOREIGN TABLE filtering (user_id bigint OPTIONS (partition_key '1'), role_id bigint OPTIONS (clustering_key '1'),"
    " status text, weight int) SERVER cluster OPTIONS (keyspace 'transactions', \"table\" 'role_user', allow_filtering 'true')")
sql("CREATE FOREIGN TABLE brief (user_id bigint OPTIONS (partition_key '1'), role_id bigint OPTIONS (clustering_key '1'))"
    " SERVER cluster OPTIONS (keyspace 'transactions', \"table\" 'role_user', ttl '60')")
sql("BEGIN")
sql("INSERT INTO part VALUES (1, 20, 5)")
sql("UPDATE role_user SET status = 'both', weight = weight + 1 WHERE user_id = 20")
sql("INSERT INTO filtering VALUES (20, 2, 'other', 6)")
tap.ok(sql("SELECT * FROM part WHERE id = 20 ORDER BY role") == [(1, 20, 6), (2, 20, 6)]
       and sql("SELECT user_id, role_id FROM filtering WHERE status = 'both'") == [(20, 1)],
       "foreign tables of one table see each other's changes", sql("SELECT * FROM part WHERE id = 20"),
       sql("SELECT user_id, role_id FROM filtering WHERE status = 'both'"))
tap.ok(state_of("SAVEPOINT s; SELECT * FROM no_key") == "0A000", "one without the key cannot be read now")
sql("ROLLBACK TO s")
tap.ok(state_of("INSERT INTO brief VALUES (20, 3)") == "0A000", "one with another ttl cannot be written to")
sql("ROLLBACK TO s")
sql("COMMIT")
tap.ok(cql(f"{ROWS} WHERE user_id = 20") == [(20, 1, 'both', 6), (20, 2, 'other', 6)], "and are written as one")
sql("BEGIN")
sql("UPDATE filtering SET weight = 0 WHERE status = 'other' AND user_id = 20")
tap.ok(sql("SELECT role_id FROM filtering WHERE user_id = 20 AND weight = 0") == [(2,)]
       and sql("SELECT status FROM filtering WHERE weight = 0 AND status = 'other'") == [('other',)]
       and sql("SELECT role_id FROM filtering WHERE user_id = 20 AND weight = 6") == [(1,)],
       "conditions that are given to the server otherwise are about the changed rows")
sql("ROLLBACK")
sql("ALTER FOREIGN TABLE brief OPTIONS (ADD write_mode 'immediate')")
transaction("INSERT INTO brief VALUES (21, 1)", "INSERT INTO role_user VALUES (22, 1, 'x', 1)", end="ROLLBACK")
tap.ok(len(cql(f"{ROWS} WHERE user_id = 21")) == 1 and cql(f"{ROWS} WHERE user_id = 22") == [],
       "an immediate table beside one that waits")

sql("BEGIN; SAVEPOINT s")
sql("CREATE FOREIGN TABLE made (weight int, role_id bigint OPTIONS (clustering_key '1'), user_id bigint OPTIONS (partition_key '1'))"
    " SERVER cluster OPTIONS (keyspace 'transactions', \"table\" 'role_user', ttl '60')")
sql("INSERT INTO made VALUES (1, 1, 24)")
sql("ROLLBACK TO s")
sql("CREATE FOREIGN TABLE made (status text, user_id bigint OPTIONS (partition_key '1'), role_id bigint OPTIONS (clustering_key '1'))"
    " SERVER cluster OPTIONS (keyspace 'transactions', \"table\" 'role_user')")
sql("INSERT INTO made VALUES ('made', 24, 2)")
sql("ALTER FOREIGN TABLE made ADD weight int")
sql("UPDATE made SET weight = 5")
sql("DROP FOREIGN TABLE made")
sql("COMMIT")
tap.ok(cql(f"{ROWS} WHERE user_id = 24") == [(24, 2, 'made', 5)], "a foreign table made anew, altered and dropped in between",
       *cql(f"{ROWS} WHERE user_id = 24"))
sql("TRUNCATE role_user")
driver.execute("INSERT INTO transactions.notes (p, c, owner, rank, v) VALUES (1, 1, 'there', 1, 'v')")
sql("BEGIN")
sql("UPDATE notes SET owner = 'changed' WHERE p = 1 AND c = 1")
sql("INSERT INTO notes (p, c, owner, v) VALUES (2, 1, 'new', 'v'), (2, 2, 'newer', 'w')")
tap.ok(sql("SELECT * FROM notes ORDER BY p, c") == sql("SELECT * FROM (VALUES (1, 1, 'changed', 1, 'v'), (2, 1, 'newer', NULL, 'v'),"
                                                      " (2, 2, 'newer', NULL, 'w')) AS t") , "static columns are the partition's",
       *sql("SELECT * FROM notes ORDER BY p, c"))
sql("COMMIT")
tap.ok(sorted(cql("SELECT p, c, owner, rank, v FROM transactions.notes"), key=str) ==
       [(1, 1, 'changed', 1, 'v'), (2, 1, 'newer', None, 'v'), (2, 2, 'newer', None, 'w')], "and are sent so",
       *cql("SELECT p, c, owner, rank, v FROM transactions.notes"))
sql("INSERT INTO ties SELECT 1, i / 5, md5(i::text)::uuid, i FROM generate_series(0, 19) AS i")
sql("BEGIN")
sql("UPDATE ties SET v = v + 100")
sql("INSERT INTO ties SELECT 1, i / 5, md5(i::text)::uuid, i FROM generate_series(20, 29) AS i")
sql("INSERT INTO ties SELECT 1, 1, md5(i::text)::uuid, i FROM generate_series(30, 39) AS i")
found = [sql(f"SELECT c, v FROM ties WHERE p = 1 ORDER BY c{direction}") for direction in ("", " DESC")]
wanted = sorted([(i // 5, i + 100) for i in range(20)] + [(i // 5, i) for i in range(20, 30)] + [(1, i) for i in range(30, 40)])
tap.ok(all(sorted(rows) == wanted for rows in found) and [row[0] for row in found[0]] == [row[0] for row in wanted]
       and [row[0] for row in found[1]] == [row[0] for row in reversed(wanted)],
       "an order that goes on in another way on the server", *found)
sql("ROLLBACK")
driver.execute("INSERT INTO transactions.notes (p, owner, rank) VALUES (3, 'alone', 3)")
sql("BEGIN")
sql("INSERT INTO notes (p, c, v) VALUES (1, 2, 'x'), (2, 3, 'x')")
sql("INSERT INTO notes (p, c, rank) VALUES (4, 1, 4)")
tap.ok(sql("SELECT p, c, owner, rank FROM notes ORDER BY p, c") == [(1, 1, 'changed', 1), (1, 2, 'changed', 1), (2, 1, 'newer', None),
                                                                 (2, 2, 'newer', None), (2, 3, 'newer', None), (3, None, 'alone', 3), (4, 1, None, 4)],
       "a new row has its partition's static columns", *sql("SELECT p, c, owner, rank FROM notes ORDER BY p, c"))
sql("INSERT INTO notes (p, c, v) VALUES (3, 1, 'x')")
tap.ok(sql("SELECT c, owner FROM notes WHERE p = 3") == [(1, 'alone')], "a partition of static columns alone gets its first row",
       *sql("SELECT c, owner FROM notes WHERE p = 3"))
sql("UPDATE notes SET owner = NULL WHERE p = 3")
sql("DELETE FROM notes WHERE p = 1")
sql("INSERT INTO notes (p, c, v) VALUES (1, 7, 'x')")
tap.ok(sql("SELECT p, c, owner, rank FROM notes WHERE p = ANY ('{1,3}') ORDER BY p") == [(1, 7, None, None), (3, 1, None, 3)],
       "a partition that was deleted has none", *sql("SELECT p, c, owner, rank FROM notes WHERE p = ANY ('{1,3}') ORDER BY p"))
sql("COMMIT")
tap.ok(sorted(cql("SELECT p, c, owner, rank FROM transactions.notes WHERE p IN (1, 3, 4)")) == [(1, 7, None, None), (3, 1, None, 3), (4, 1, None, 4)],
       "and so it is written", *cql("SELECT p, c, owner, rank FROM transactions.notes"))
sql("BEGIN")
sql("INSERT INTO hits VALUES ('a', 1, 5)")
sql("UPDATE hits SET n = n + 2 WHERE page = 'a' AND day = 1")
tap.ok(sql("SELECT n FROM hits") == [(7,)], "counters add up")
sql("COMMIT")
tap.ok(transaction("UPDATE hits SET n = n + 10 WHERE page = 'a'", "UPDATE hits SET n = n - 1 WHERE page = 'a'", "SELECT n FROM hits") == [(16,)],
       "also to what the server has")
tap.ok(cql("SELECT n FROM transactions.hits") == [(16,)], "and are added to", *cql("SELECT n FROM transactions.hits"))
transaction("INSERT INTO lists VALUES (1, '{a,b}', '{x}')", "DELETE FROM lists WHERE id = 1", "INSERT INTO lists VALUES (1, '{c}', '{y,z}')")
transaction("UPDATE lists SET items = items || '{d}' WHERE id = 1", "UPDATE lists SET names = NULL")
tap.ok(cql("SELECT items, names FROM transactions.lists") == [(['c', 'd'], None)], "collections", *cql("SELECT * FROM transactions.lists"))
with open(os.path.join(HERE, "transaction.sql"), encoding="utf-8") as file:
    results = [sql(statement) for statement in file.read().split(";\n") if statement.strip().strip("- now it is on the cluster doc:end\n")]
tap.ok([('kept here',)] in results and cql("SELECT * FROM shop.tags") == [(50, 'kept here')], "the example of docs/scylla.md", *results)

# ---- a flush that fails

sql("TRUNCATE role_user")
sql("BEGIN")
sql("INSERT INTO gone VALUES (1, 'x')")
sql("INSERT INTO local VALUES (1)")
driver.execute("DROP TABLE transactions.gone")
error = error_of("COMMIT")
tap.ok(error is not None and error.pgcode in ("42P01", "22023") and 'before commit; some partitions may have been written' in (error.diag.context or ""),
       "a table that is gone: the server's reason", error and error.pgcode, error)
tap.ok(sql("SELECT * FROM local") == [] and state_of("SELECT 1") == "", "the transaction is rolled back")


class Background(threading.Thread):
    """A statement that waits, in a session of its own."""

    def __init__(self, session, text):
        super().__init__()
        self.session, self.text, self.error = session, text, None
        self.start()

    def run(self):
        self.error = error_of(self.text, self.session)

    def result(self):
        self.join(60)
        return (self.error.pgcode if self.error else "") if not self.is_alive() else "runs"


def wait_for(condition, text, seconds=20):
    """Whether the answer of a query becomes the one that is waited for."""
    until = time.time() + seconds
    while sql(text) != condition and time.time() < until:
        time.sleep(0.05)
    return sql(text) == condition


LOCKS = "SELECT mode, granted FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 19284 ORDER BY mode, granted"
one, two = connect(), connect()
sql("BEGIN; INSERT INTO by_proxy.role_user VALUES (1, 1, 'x', 1), (2, 1, 'x', 1); INSERT INTO local VALUES (1)", at=one)
proxy.hold()
flush = Background(one, "COMMIT")
tap.ok(wait_for([("ExclusiveLock", True), ("ExclusiveLock", True), ("ShareLock", True)], LOCKS),
       "a flush holds a lock for each partition", *sql(LOCKS))
sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query = 'COMMIT' AND state = 'active'")
tap.ok(flush.result() == "57014", "a flush can be cancelled", flush.error)
tap.ok(sql("SELECT * FROM local") == [] and sql(LOCKS) == [], "the transaction is rolled back, its locks are gone")
proxy.release()
sql("INSERT INTO by_proxy.role_user VALUES (3, 1, 'y', 1)", at=one)
tap.ok(cql(f"{ROWS} WHERE user_id = 3") == [(3, 1, 'y', 1)], "the connection is used again")

sql("BEGIN; SET LOCAL belongs_to_many.max_locks = 1; INSERT INTO by_proxy.role_user VALUES (1, 2, 'x', 1), (2, 2, 'x', 1)", at=one)
proxy.hold()
flush = Background(one, "COMMIT")
tap.ok(wait_for([("ExclusiveLock", True)], LOCKS), "past max_locks there is one lock", *sql(LOCKS))
other = Background(two, "INSERT INTO role_user VALUES (77, 2, 'later', 1)")
tap.ok(wait_for([("ExclusiveLock", True), ("ShareLock", False)], LOCKS), "which others wait for", *sql(LOCKS))
proxy.release()
tap.ok(flush.result() == "" and other.result() == "", "both are written", flush.error, other.error)

# ---- the order of two transactions

sql("BEGIN; INSERT INTO role_user VALUES (30, 1, 'first begun', 1)", at=one)
sql("BEGIN; INSERT INTO role_user VALUES (30, 1, 'second begun', 2)", at=two)
sql("COMMIT", at=two)
sql("COMMIT", at=one)
tap.ok(cql(f"{ROWS} WHERE user_id = 30") == [(30, 1, 'first begun', 1)], "the one that commits last wins")
sql("BEGIN; INSERT INTO by_proxy.role_user VALUES (31, 1, 'slow', 1)", at=one)
sql("BEGIN; INSERT INTO role_user (user_id, role_id, status) VALUES (31, 1, 'waited')", at=two)
proxy.hold()
flush = Background(one, "COMMIT")
wait_for([("ExclusiveLock", True), ("ShareLock", True)], LOCKS)
other = Background(two, "COMMIT")
tap.ok(wait_for([("ExclusiveLock", False), ("ExclusiveLock", True), ("ShareLock", True), ("ShareLock", True)], LOCKS),
       "a flush waits for another one of the same partition", *sql(LOCKS))
sql("INSERT INTO role_user VALUES (32, 1, 'elsewhere', 1)")
tap.ok(cql(f"{ROWS} WHERE user_id = 32") != [], "but not for one of another")
proxy.release()
tap.ok(flush.result() == "" and other.result() == "", "both commit", flush.error, other.error)
row = cql("SELECT status, writetime(status), writetime(weight) FROM transactions.role_user WHERE user_id = 31")[0]
tap.ok(row[0] == "waited" and row[1] > row[2], "timestamps are in the order of the commits", row)
orders = []
for i in range(30):
    first, second = (one, two) if i % 2 else (two, one)
    sql(f"BEGIN; INSERT INTO role_user VALUES (33, 1, 'a{i}', {i})", at=first)
    sql(f"BEGIN; DELETE FROM role_user WHERE user_id = 33; INSERT INTO role_user VALUES (33, 1, 'b{i}', {i})", at=second)
    sql("COMMIT", at=second)
    sql("COMMIT", at=first)
    orders.append(cql("SELECT status, writetime(status) FROM transactions.role_user WHERE user_id = 33")[0])
tap.ok([row[0] for row in orders] == [f"a{i}" for i in range(30)] and sorted(row[1] for row in orders) == [row[1] for row in orders],
       "also in a quick succession", *orders)

# ---- memory

sql("SET belongs_to_many.scylla_write_buffer = '64kB'")
sql("BEGIN")
sql("INSERT INTO bulk SELECT i % 50, i, 'value ' || i FROM generate_series(1, 20000) AS i")
sql("SAVEPOINT a")
sql("UPDATE bulk SET v = v || ' changed' WHERE seq % 10 = 0")
sql("DELETE FROM bulk WHERE id = 7")
sql("DELETE FROM bulk WHERE seq % 4 = 1")
FIGURES = "SELECT count(*), sum(seq), count(*) FILTER (WHERE v LIKE '%changed') FROM bulk"
kept = [i for i in range(1, 20001) if i % 50 != 7 and i % 4 != 1]
tap.ok(sql(FIGURES) == [(len(kept), sum(kept), sum(i % 10 == 0 for i in kept))], "changes beyond the buffer are read back", *sql(FIGURES))
tap.ok(sql("SELECT count(*) > 0 FROM pg_ls_tmpdir()") == [(True,)], "they are in a temporary file")
sql("ROLLBACK TO a")
tap.ok(sql(FIGURES) == [(20000, 200010000, 0)], "and rolled back", *sql(FIGURES))
sql("UPDATE bulk SET v = 'last' WHERE id = 3")
sql("COMMIT")
tap.ok(sql("SELECT count(*) FROM pg_ls_tmpdir()") == [(0,)], "the file is gone")
found = cql("SELECT id, seq, v FROM transactions.bulk")
tap.ok(sorted(found) == sorted((i % 50, i, 'last' if i % 50 == 3 else f'value {i}') for i in range(1, 20001)),
       "20,000 rows are written", len(found))
sql("BEGIN; INSERT INTO bulk SELECT 1, i, repeat('x', 100) FROM generate_series(1, 5000) AS i")
sql("ROLLBACK")
tap.ok(sql("SELECT count(*) FROM pg_ls_tmpdir()") == [(0,)], "the file is gone after ROLLBACK, too")
sql("BEGIN; INSERT INTO bulk VALUES (60, 1, 'kept'); SAVEPOINT s; SET LOCAL temp_file_limit = '100kB'")
tap.ok(state_of("INSERT INTO bulk SELECT 60, i, repeat('x', 100) FROM generate_series(1, 5000) AS i") == "53400", "no room for the file")
sql("ROLLBACK TO s")
tap.ok(sql("SELECT * FROM bulk WHERE id = 60") == [(60, 1, 'kept')], "what was before is there after that")
sql("COMMIT")
tap.ok(cql("SELECT * FROM transactions.bulk WHERE id = 60") == [(60, 1, 'kept')], "and is written")
sql("RESET belongs_to_many.scylla_write_buffer")

# ---- random transactions


class Differential:
    """Random statements on a foreign table and on a local copy of it."""

    def __init__(self, table, keys, values, seed):
        self.table, self.keys, self.values = table, keys, values
        self.rng = random.Random(seed)
        self.comparisons = 0
        self.wrong = []
        self.savepoints = []
        self.names = [*keys, *values]
        sql(f"DROP TABLE IF EXISTS copy_{table}; CREATE TABLE copy_{table} (LIKE {table}, PRIMARY KEY ({', '.join(keys)}))")
        sql(f"TRUNCATE {table}")

    def literal(self, column):
        return self.rng.choice({**self.keys, **self.values}[column])

    def compare(self, foreign, local, what):
        self.comparisons += 1
        if foreign != local and len(self.wrong) < 3:
            self.wrong.append(f"{what}: {foreign} instead of {local}")

    def both(self, text, copy=None):
        """Runs a statement on both sides ({t} is the table), and compares what it gives."""
        results = []
        for table, statement in ((self.table, text), (f"copy_{self.table}", copy or text)):
            pg.execute(statement.replace("{t}", table))
            results.append((pg.rowcount, sorted(pg.fetchall(), key=str) if pg.description else None))
        self.compare(*results, text)

    def condition(self, prefix=""):
        """A random condition."""
        rng, keys = self.rng, list(self.keys)
        partition = " AND ".join(f"{prefix}{key} = {self.literal(key)}" for key in keys[:self.npartition])
        value = rng.choice(list(self.values))
        options = [partition, partition, "true", f"{prefix}{value} = {self.literal(value)}", f"{prefix}{value} IS NULL"]
        if len(keys) > self.npartition:
            key = keys[self.npartition]
            options += [f"{partition} AND {prefix}{key} {rng.choice(['=', '<', '>=', '>'])} {self.literal(key)}",
                        f"{partition} AND {prefix}{key} = ANY (ARRAY[{self.literal(key)}, {self.literal(key)}])",
                        f"{prefix}{key} = {self.literal(key)}"]
        if self.npartition == 1:
            options.append(f"{prefix}{keys[0]} = ANY (ARRAY[{self.literal(keys[0])}, {self.literal(keys[0])}])")
        return rng.choice(options)

    @property
    def npartition(self):
        return {"role_user": 1, "events": 2, "single": 1}[self.table]

    def assignments(self):
        columns = self.rng.sample(list(self.values), self.rng.randint(1, len(self.values)))
        return ", ".join(f"{column} = {self.literal(column)}" for column in columns)

    def insert(self):
        """Rows, of which some may be there: CQL writes over what is given."""
        columns = [*self.keys, *self.rng.sample(list(self.values), self.rng.randint(0, len(self.values)))]
        rows = {tuple(self.literal(key) for key in self.keys) for _ in range(self.rng.randint(1, 6))}
        given = ", ".join("(" + ", ".join([*key, *(self.literal(column) for column in columns[len(key):])]) + ")" for key in sorted(rows))
        text = f"INSERT INTO {{t}} ({', '.join(columns)}) VALUES {given}"
        updates = ", ".join(f"{column} = EXCLUDED.{column}" for column in columns[len(self.keys):])
        key = columns[0]
        self.both(text, f"{text} ON CONFLICT ({', '.join(self.keys)}) DO UPDATE SET {updates or f'{key} = EXCLUDED.{key}'}")

    def statement(self):
        rng = self.rng
        kind = rng.choice(["insert"] * 5 + ["update"] * 4 + ["delete"] * 3 + ["partition", "savepoint", "savepoint", "rollback", "rollback",
                                                                            "release", "block", "self", "with"])
        if kind == "insert":
            self.insert()
        elif kind == "update":
            self.both(f"UPDATE {{t}} SET {self.assignments()} WHERE {self.condition()}")
        elif kind == "delete":
            self.both(f"DELETE FROM {{t}} WHERE {self.condition()}")
        elif kind == "partition":
            self.both("DELETE FROM {t} WHERE " + " AND ".join(f"{key} = {self.literal(key)}" for key in list(self.keys)[:self.npartition]))
        elif kind == "savepoint":
            self.savepoints.append(f"s{rng.randrange(1000000)}")
            sql(f"SAVEPOINT {self.savepoints[-1]}")
        elif kind in ("rollback", "release") and self.savepoints:
            place = rng.randrange(len(self.savepoints))
            sql(f"{'ROLLBACK TO' if kind == 'rollback' else 'RELEASE'} {self.savepoints[place]}")
            self.savepoints = self.savepoints[:place + (kind == "rollback")]
        elif kind == "block":
            fails = rng.random() < 0.6
            self.both(f"DO $$ BEGIN UPDATE {{t}} SET {self.assignments()} WHERE {self.condition()};"
                      f" BEGIN DELETE FROM {{t}} WHERE {self.condition()}; UPDATE {{t}} SET {self.assignments()} WHERE {self.condition()};"
                      f" PERFORM 1 / {0 if fails else 1}; EXCEPTION WHEN division_by_zero THEN"
                      f" UPDATE {{t}} SET {self.assignments()} WHERE {self.condition()}; END; END $$")
        elif kind == "self":
            condition = self.condition()
            self.both(f"UPDATE {{t}} SET {self.assignments()} WHERE EXISTS (SELECT FROM {{t}} AS o WHERE"
                      f" {self.condition('o.')} AND o.{list(self.keys)[0]} = {{t}}.{list(self.keys)[0]}) AND {condition}")
        else:
            self.both(f"WITH d AS (DELETE FROM {{t}} WHERE {self.condition()} RETURNING *), u AS (SELECT * FROM {{t}})"
                      " SELECT (SELECT count(*) FROM d), (SELECT count(*) FROM u)")

    def select(self):
        """Answers of both sides to the same question, in the same order."""
        rng, keys = self.rng, list(self.keys)
        order = keys if rng.random() < 0.5 else [f"{key} DESC" for key in keys]
        limit = rng.choice(["", "", f" LIMIT {rng.randint(1, 5)}", f" LIMIT {rng.randint(1, 5)} OFFSET 1"])
        partition = " AND ".join(f"{key} = {self.literal(key)}" for key in keys[:self.npartition])
        clustering = keys[self.npartition:] or keys
        queries = [f"SELECT * FROM {{t}} WHERE {self.condition()} ORDER BY {', '.join(order)}{limit}",
                   f"SELECT * FROM {{t}} WHERE {partition} ORDER BY {', '.join(clustering[:1])}, {', '.join(keys)}{limit}",
                   f"SELECT {rng.choice(self.names)} FROM {{t}} WHERE {partition} ORDER BY {clustering[0]} DESC, {', '.join(order)}{limit}",
                   f"SELECT count(*) FROM {{t}} WHERE {self.condition()}",
                   f"SELECT count(*) FROM {{t}} WHERE {partition}",
                   f"SELECT count({rng.choice(self.names)}), count(*) FROM {{t}} WHERE {partition}",
                   f"SELECT * FROM {{t}} WHERE {partition} AND ({', '.join(clustering)}) {rng.choice(['>', '>=', '<'])}"
                   f" ({', '.join(self.literal(key) for key in clustering)}) ORDER BY {', '.join(keys)}{limit}",
                   f"SELECT * FROM {{t}} WHERE {partition} LIMIT 100",
                   f"SELECT count(*) FROM (SELECT FROM {{t}} WHERE {partition}{limit}) AS s",
                   f"SELECT p, {', '.join(self.names)} FROM (VALUES ({self.literal(keys[0])}), ({self.literal(keys[0])})) AS v(p)"
                   f" JOIN {{t}} ON {keys[0]} = p ORDER BY {', '.join(order)}"]
        query = rng.choice(queries)
        found, wanted = sql(query.replace("{t}", self.table)), sql(query.replace("{t}", f"copy_{self.table}"))
        ordered = "ORDER BY" in query
        self.compare(found if ordered else sorted(found, key=str), wanted if ordered else sorted(wanted, key=str), query)

    def base(self, when):
        """The server's rows, past PostgreSQL."""
        found = cql(f"SELECT {', '.join(self.names)} FROM transactions.{self.table}")
        local = sql(f"SELECT * FROM copy_{self.table}".replace("*", ", ".join(self.names)))

        def plain(value):
            if hasattr(value, "date") and callable(value.date) and not isinstance(value, datetime.datetime):
                return value.date()
            if isinstance(value, datetime.datetime):
                return value.replace(tzinfo=None)
            return value.normalize() if isinstance(value, decimal.Decimal) else value

        def rows(given):
            return sorted([tuple(plain(value) for value in row) for row in given], key=str)

        self.compare(rows(found), rows(local), f"the server's rows {when}")

    def run(self, transactions):
        for _ in range(transactions):
            sql(f"BEGIN ISOLATION LEVEL {self.rng.choice(['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'])}")
            self.savepoints = []
            for _ in range(self.rng.randint(2, 14)):
                self.statement()
                self.both("SELECT * FROM {t}")
                self.select()
            end = "COMMIT" if self.rng.random() < 0.75 else "ROLLBACK"
            sql(end)
            self.base(f"after {end}")
            self.both("SELECT * FROM {t}")


total = 0
TEXTS = ["'a'", "'b'", "''", "NULL", "'ä'"]
for table, keys, values in (
        ("role_user", {"user_id": ["1", "2", "3"], "role_id": [str(i) for i in range(1, 9)]}, {"status": TEXTS, "weight": ["1", "2", "NULL"]}),
        ("events", {"tenant": ["1", "2"], "day": ["date '2026-01-01'", "date '2026-01-02'"],
                    "ts": [f"timestamptz '2026-01-01 0{i}:00Z'" for i in range(4)], "seq": ["1", "2", "3"]},
         {"kind": TEXTS, "price": ["1.5", "2", "NULL"]}),
        ("single", {"id": [str(i) for i in range(1, 13)]}, {"v": TEXTS, "n": ["1", "2", "NULL"]})):
    for number, buffer in enumerate(("64MB", "64kB")):
        sql(f"SET belongs_to_many.scylla_write_buffer = '{buffer}'")
        run = Differential(table, keys, values, 100 + number)
        run.run(max(TRANSACTIONS // 6, 1))
        tap.ok(not run.wrong, f"random transactions of {table}: {run.comparisons} comparisons", *run.wrong)
        total += run.comparisons
print(f"# {total} comparisons")

# ---- a server that is gone, and replicas that are not there

sql("BEGIN; INSERT INTO by_proxy.role_user VALUES (40, 1, 'x', 1); INSERT INTO local VALUES (1)", at=one)
proxy.close()
tap.ok(state_of("COMMIT", at=one) == "" and sql("DELETE FROM local RETURNING id") == [(1,)] and len(cql(f"{ROWS} WHERE user_id = 40")) == 1,
       "a connection that is lost before COMMIT: the node is reached by its own address")
sql("CREATE FOREIGN TABLE wanting (user_id bigint OPTIONS (partition_key '1'), role_id bigint OPTIONS (clustering_key '1'))"
    " SERVER cluster OPTIONS (keyspace 'transactions', \"table\" 'role_user', consistency 'THREE')")
sql("BEGIN; INSERT INTO wanting VALUES (41, 1); INSERT INTO local VALUES (1)")
error = error_of("COMMIT")
tap.ok(error is not None and error.pgcode == "57P03" and 'before commit; some partitions may have been written' in error.diag.context,
       "too few replicas at COMMIT", error)
tap.ok(sql("SELECT * FROM local") == [] and cql(f"{ROWS} WHERE user_id = 41") == [], "nothing is left on either side")
tap.finish()
