#!/usr/bin/python3
"""The clients that bench/cql measures do what its README says."""

import csv
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from cassandra_server import HERE, SUPERUSER, Tap, shared  # noqa: E402

CLIENTS = os.path.join(os.path.dirname(os.path.dirname(HERE)), "bench", "cql")
COLUMNS = ["kind", "depth", "requests", "seconds", "requests_per_second", "cpu_seconds"]
LOADED = {key: (f"value {key:034d}", key * 3) for key in range(50)}

tap = Tap()


def run(server, command, kind, depth=8):
    """A short run: exit status and row of the CSV that it printed."""
    done = subprocess.run(
        [*command, "--hosts", server.hosts[0], "--port", str(server.port), "--table", "t_bench_clients.rows",
         "--kind", kind, "--depth", str(depth), "--requests", "100", "--warm-up", "10", "--rows", str(len(LOADED))],
        env=dict(os.environ, BTM_CASSANDRA_USER=SUPERUSER[0], BTM_CASSANDRA_PASSWORD=SUPERUSER[1]),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    lines = list(csv.reader(done.stdout.splitlines()))
    return done.returncode, dict(zip(*lines)) if len(lines) == 2 else lines


def check(server, session, name, command):
    """One client: writes, reads, and notices a wrong row."""
    session.execute("TRUNCATE t_bench_clients.rows")
    status, row = run(server, command, "write")
    tap.ok(status == 0 and list(row) == COLUMNS and row["requests"] == "100", f"{name} writes", status, row)
    rows = {row["id"]: (row["v"], row["n"]) for row in session.execute("SELECT id, v, n FROM t_bench_clients.rows")}
    tap.ok(rows == LOADED, f"{name} has written the rows that are to be there", rows)
    for depth in (1, 8):
        status, row = run(server, command, "read", depth)
        tap.ok(status == 0 and list(row) == COLUMNS and float(row["requests_per_second"]) > 0 and
               float(row["cpu_seconds"]) > 0, f"{name} reads with {depth} in flight", status, row)
    session.execute("UPDATE t_bench_clients.rows SET n = 1 WHERE id = 7")
    status, row = run(server, command, "read")
    tap.ok(status != 0, f"{name} notices a wrong row", row)


def has_driver():
    """Can node find npm's driver? NODE_PATH says where it is."""
    try:
        return subprocess.run(["node", "-e", "require('cassandra-driver')"], stderr=subprocess.DEVNULL,
                              check=False).returncode == 0
    except FileNotFoundError:
        return False


def main():
    """Every client."""
    server = shared()
    session = server.connect()
    session.execute("CREATE KEYSPACE t_bench_clients"
                    " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
    session.execute("CREATE TABLE t_bench_clients.rows (id int PRIMARY KEY, v text, n bigint)")
    check(server, session, "python3-cassandra", ["/usr/bin/python3", os.path.join(CLIENTS, "client.py")])
    if has_driver():
        check(server, session, "cassandra-driver", ["node", os.path.join(CLIENTS, "client.js")])
    check(server, session, "a backend", [os.path.join(CLIENTS, "client_backend.py")])
    session.execute("DROP KEYSPACE t_bench_clients")
    tap.finish()


main()
