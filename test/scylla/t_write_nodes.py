#!/usr/bin/env python3
"""Writes to a cluster of three nodes, of which one is lost in the middle of a statement, and then another."""

import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cassandra"))
from cassandra_server import Server, Tap  # noqa: E402

from cassandra import ConsistencyLevel, ReadTimeout, Unavailable  # noqa: E402
from cassandra.query import SimpleStatement  # noqa: E402

from postgres import Session  # noqa: E402

ROWS = 30000
tap = Tap()
server = Server(nodes=3)
server.start()
driver = server.connect()
driver.execute("CREATE KEYSPACE nodes WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 3}")
driver.execute("CREATE TABLE nodes.t (p int, c int, v text, PRIMARY KEY ((p), c))")

session = Session()
sql, error_of, state_of = session.sql, session.error_of, session.state_of
session.set_up("f")
session.create_server("nodes", server, consistency="LOCAL_QUORUM", request_timeout="10s")
sql("IMPORT FOREIGN SCHEMA nodes FROM SERVER nodes INTO f")


def count(value):
    """The rows that a quorum has, with this value. The driver's node may still ask one that was lost."""
    statement = SimpleStatement("SELECT v FROM nodes.t", consistency_level=ConsistencyLevel.QUORUM, fetch_size=2000)
    end = time.time() + 60
    while True:
        try:
            return sum(row["v"] == value for row in driver.execute(statement))
        except (ReadTimeout, Unavailable):
            if time.time() > end:
                raise


def fill(value):
    return f"INSERT INTO f.t SELECT i % 300, i, '{value}' FROM generate_series(1, {ROWS}) AS i"


sql("SET statement_timeout = '100s'")
tap.ok(state_of(fill("all")) == "" and count("all") == ROWS, "rows are written to three nodes")
tap.ok(sql("SELECT count(*) FROM m2m.scylla_connections()") == [(3,)], "each to the node that has it")
for mode, node in (("immediate", 2), ("commit", 3)):
    sql(f"ALTER SERVER nodes OPTIONS ({'ADD' if mode == 'immediate' else 'SET'} write_mode '{mode}')")
    loss = threading.Timer(0.3, server.kill_node, [node])
    loss.start()
    error = error_of(fill(f"{mode}, one lost"))
    loss.join()
    tap.ok(error is None or error.pgcode in ("08006", "08007"), f"{mode}: a node is lost in the middle", error)
    error = error_of(fill(mode))
    tap.ok(error is None and count(mode) == ROWS, f"{mode}: the next statement writes all rows to the others", error, count(mode))
    error = error_of("DELETE FROM f.t WHERE p = 7")
    tap.ok(error is None and session.cursor.rowcount == ROWS // 300, f"{mode}: so does DELETE of a partition", error, session.cursor.rowcount)
    server.start_node(node)
server.kill_node(2)
server.kill_node(3)
for mode in ("immediate", "commit"):
    sql(f"ALTER SERVER nodes OPTIONS (SET write_mode '{mode}')")
    error = error_of("INSERT INTO f.t VALUES (1000, 1, 'x')")
    tap.ok(error is not None and error.pgcode in ("57P03", "08007", "08006"), f"{mode}: one node of three is not enough", error)
tap.ok(state_of("SELECT 1") == "", "the session goes on")
server.remove()
tap.finish()
