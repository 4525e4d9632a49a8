#!/usr/bin/env python3
"""Scans that are long: memory, pages without rows, a large partition, cancel, a server that is restarted in the midst.

SCYLLA_ROWS sets the rows of the large table.
"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cassandra"))
from cassandra_server import Server, Tap  # noqa: E402

from postgres import Session  # noqa: E402

ROWS = int(os.environ.get("SCYLLA_ROWS", "300000"))
PARTITION = 100000      # rows of the large partition
STARTED = time.time()

tap = Tap()
server = Server()
server.start()
driver = server.connect()
driver.execute("CREATE KEYSPACE scans WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
driver.execute("CREATE TABLE scans.big (p int, c int, v text, PRIMARY KEY (p, c))")
driver.execute("CREATE TABLE scans.deleted (p int, c int, PRIMARY KEY (p, c)) WITH gc_grace_seconds = 864000")

session = Session("f, public")
sql, state_of = session.sql, session.state_of
session.set_up("f")
session.create_server("scans", server, write_mode="immediate")
sql("IMPORT FOREIGN SCHEMA scans FROM SERVER scans INTO f")


def stage(name):
    """Says how long all has taken so far."""
    print(f"# {time.time() - STARTED:.1f} s: {name}", flush=True)


def memory():
    """What the backend has allocated, in kilobytes."""
    return int(sql("SELECT sum(total_bytes) / 1024 FROM pg_backend_memory_contexts")[0][0])


def resident():
    """The backend's resident memory in kilobytes, where that can be seen."""
    try:
        with open(f"/proc/{session.connection.info.backend_pid}/status", encoding="ascii") as file:
            return int(next(line for line in file if line.startswith("RssAnon")).split()[1])
    except OSError:
        return 0


def idle():
    """Is nothing left under way, once the server has answered what nobody waits for any more?"""
    for _ in range(40):
        sql("SELECT v FROM big WHERE p = 1 AND c = 7")
        if sql("SELECT bool_and(in_flight = 0 AND valid) FROM m2m.scylla_connections()") == [(True,)]:
            return True
        time.sleep(0.25)
    return False


# ---- data: one large partition, the rest in partitions of ten

began = time.time()
sql("INSERT INTO big SELECT 1, i, 'value ' || i FROM generate_series(1, %s) AS i", PARTITION)
sql("INSERT INTO big SELECT 2 + i / 10, i %% 10, 'value ' || i FROM generate_series(0, %s) AS i", ROWS - PARTITION - 1)
print(f"# {ROWS} rows written in {time.time() - began:.1f} s")

# ---- a large partition

stage("a large partition")

tap.ok(sql("SELECT count(*), sum(c) FROM big WHERE p = 1") == [(PARTITION, PARTITION * (PARTITION + 1) // 2)], "a large partition is read")
tap.ok(sql("SELECT count(*) FROM big WHERE p = 1") == [(PARTITION,)], "and counted by the server")
tap.ok(sql("SELECT c FROM big WHERE p = 1 ORDER BY c DESC LIMIT 2 OFFSET 6000") == [(PARTITION - 6000,), (PARTITION - 6001,)],
       "a limit and an offset beyond a page, backwards")
tap.ok(sql("SELECT c FROM big WHERE p = 1 AND (c, v) > (99998, '') ORDER BY c") == [(99998,), (99999,), (100000,)],
       "a comparison of rows with a column that is not in the key")
tap.ok(sql("SELECT bool_and(c = n) FROM (SELECT c, row_number() OVER () AS n FROM big WHERE p = 1 ORDER BY c) AS x") == [(True,)],
       "its order over many pages")

# ---- memory

stage("memory")

session.connection.autocommit = False
sql("DECLARE k CURSOR FOR SELECT * FROM big")
sql("MOVE 20000 FROM k")
first, first_resident = memory(), resident()
began, most, moved = time.time(), first, 20000
while True:
    sql("MOVE 50000 FROM k")
    if session.cursor.rowcount == 0:
        break
    moved += session.cursor.rowcount
    most = max(most, memory())
took = time.time() - began
tap.ok(moved == ROWS, "all rows are read", moved)
tap.ok(most < first + 4096, "a long scan takes no more memory than its beginning", first, most)
print(f"# scan of {ROWS} rows: {first} kB after 20,000 rows, at most {most} kB later; resident {first_resident} kB, then {resident()} kB;"
      f" {int((moved - 20000) / took)} rows/s")
session.connection.rollback()
session.connection.autocommit = True
first = memory()
found = sql("SELECT count(*) FROM big WHERE p = ANY (%s) AND v <> ''", list(range(2, 5002)))
tap.ok(found == [(50000,)], "a query for each of 5,000 partitions", found)
tap.ok(memory() < first + 4096, "after which nothing is left", first, memory())

# ---- pages without rows

stage("pages without rows")

sql("ALTER FOREIGN TABLE deleted OPTIONS (ADD fetch_size '100')")
sql("INSERT INTO deleted SELECT i / 1000, i FROM generate_series(0, 19999) AS i")
sql("DELETE FROM deleted WHERE p < 18 AND c % 500 <> 7")
sql("DELETE FROM deleted WHERE p IN (3, 4, 5)")
tap.ok(sql("SELECT count(*) FROM (SELECT c FROM deleted OFFSET 0) AS x") == [(2000 + 2 * 15,)], "pages of tombstones in a scan of all")
tap.ok(sql("SELECT c FROM deleted WHERE p = 1 ORDER BY c LIMIT 5") == [(1007,), (1507,)], "and of a partition with a limit")
tap.ok(sql("SELECT count(*) FROM deleted WHERE p IN (1, 3, 18)") == [(1002,)], "and counted")

# ---- cancel

stage("cancel")

for name, query in (("a scan", "SELECT count(*) FROM big WHERE v <> ''"), ("a count", "SELECT count(*) FROM big WHERE p = ANY (ARRAY(SELECT generate_series(1, 19000)))"),
                    ("a scan between two pages", "SELECT count(*) FROM big, LATERAL (SELECT pg_sleep(0.01 + 0 * c)) AS s")):
    sql("SET statement_timeout = 150")
    began = time.time()
    state = state_of(query)
    took = time.time() - began
    sql("RESET statement_timeout")
    tap.ok(state == "57014" and took < 5, f"{name} is cancelled", state, took)
    tap.ok(sql("SELECT v FROM big WHERE p = 1 AND c = 7") == [("value 7",)], "and the connection is used again")
tap.ok(idle(), "nothing is left under way")

# ---- a server that is restarted in the midst of a scan

stage("a server that is restarted in the midst of a scan")

session.connection.autocommit = False
sql("DECLARE k CURSOR FOR SELECT c FROM big WHERE p = 1 ORDER BY c")
sql("MOVE 5000 FROM k")
server.kill()
server.start_node(1)
state = state_of("MOVE 100000 FROM k")
tap.ok(state == "08006" or (state == "" and session.cursor.rowcount == PARTITION - 5000), "a server that is gone and back in the midst of a scan: all rows, or an error",
       state, session.cursor.rowcount)
session.connection.rollback()
session.connection.autocommit = True
tap.ok(sql("SELECT count(*) FROM big WHERE p = 1") == [(PARTITION,)] and idle(), "then all is as it was")

driver.cluster.shutdown()
tap.finish()
