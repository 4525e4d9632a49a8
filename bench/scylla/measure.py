"""Measures relations whose pivot is in Cassandra against drivers in the application. bench/scylla/run calls it.

README.md says what the clients are given and what they print. libpq's environment variables name the database.
"""

import argparse
import csv
import shlex
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import psycopg2

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "test" / "cassandra"))
sys.path.insert(0, str(HERE))

import work  # noqa: E402
from cassandra_server import Server, define  # noqa: E402

KEYSPACE = "CREATE KEYSPACE bench WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
PIVOT = ("CREATE TABLE bench.role_user (user_id bigint, role_id bigint, status text, level int,"
         " PRIMARY KEY ((user_id), role_id))")
ROWS = "CREATE TABLE bench.rows (id int PRIMARY KEY, v text, n bigint)"
# Data in memory where there is enough of it: a flush to disk is not what differs between clients.
MEMORY = Path("/dev/shm")
ENOUGH = 3 << 30
LINE = "{:<13} {:<16} {:>10} {:>8} {:>10} {:>8}  {}"
# In one process: turns that are measured, and turns before them.
TURNS = {"eager": (5, 2), "partition": (3, 1), "scan": (1, 0), "attach_1000": (5, 2), "attach_50000": (1, 1),
         "sync_1000": (5, 2), "toggle_100": (10, 5)}

SET_UP = """
SET client_min_messages = warning;
CREATE SCHEMA m2m;
CREATE EXTENSION belongs_to_many SCHEMA m2m;
CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE roles (id bigint PRIMARY KEY, name text NOT NULL, description text);
INSERT INTO users SELECT generate_series(1, {parents});
INSERT INTO roles SELECT i, 'role ' || i, repeat('what it may do ', 4) FROM generate_series(1, {roles}) i;
CREATE SERVER bench FOREIGN DATA WRAPPER scylla OPTIONS (hosts '{hosts}', port '{port}', sslmode 'disable');
CREATE USER MAPPING FOR CURRENT_USER SERVER bench;
CREATE SCHEMA far;
IMPORT FOREIGN SCHEMA bench FROM SERVER bench INTO far;
ALTER FOREIGN TABLE far.role_user OPTIONS (ADD write_mode 'immediate');
ALTER FOREIGN TABLE far.rows OPTIONS (ADD write_mode 'immediate');
INSERT INTO far.role_user (user_id, role_id, status, level)
SELECT u, role, 'active', (u + role) % 10
FROM generate_series(1, {parents}) u,
     LATERAL (SELECT (u * {related} + i) * {role_stride} % {roles} + 1 AS role FROM generate_series(0, {related} - 1) i) r;
INSERT INTO far.rows (id, v, n)
SELECT i, 'value ' || lpad(i::text, 34, '0'), i FROM generate_series(1, {rows}) i;
ALTER FOREIGN TABLE far.role_user OPTIONS (DROP write_mode);
ALTER FOREIGN TABLE far.rows OPTIONS (DROP write_mode);
SELECT m2m.create_relation('far.role_user',
    m2m.with_pivot(m2m.belongs_to_many('users', 'roles', 'far.role_user', 'user_id', 'role_id'), 'status', 'level'));
ANALYZE users, roles;
"""


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(prog="bench/scylla/run", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="processes of each client that count (5)")
    parser.add_argument("--cases", default=",".join(work.CASES), help=f"of {', '.join(work.CASES)}")
    parser.add_argument("--only", help="these clients, by name")
    parser.add_argument("--out", type=Path, metavar="FILE", help="every measurement as CSV")
    return parser.parse_args()


def clients(options, case):
    """The command of each client and variant, by name."""
    writes = case in work.LIST
    commands = {"ours": f"/usr/bin/python3 {shlex.quote(str(HERE / 'client_backend.py'))}"}
    drivers = {"python": f"/usr/bin/python3 {shlex.quote(str(HERE / 'client.py'))}",
               "node": f"node {shlex.quote(str(HERE / 'client.js'))}"}
    for name, command in drivers.items():
        if not writes:
            commands[name] = command
            continue
        for variant in ("batch", "single"):
            commands[f"{name} {variant}"] = f"{command} --variant {variant}"
    return {name: shlex.split(command) for name, command in commands.items()
            if not options.only or name.split()[0] in options.only.split(",")}


def load(server):
    """The tables on both sides."""
    session = server.connect()
    define(session, KEYSPACE, PIVOT, ROWS)
    session.cluster.shutdown()
    connection = psycopg2.connect("")
    connection.autocommit = True
    statements = SET_UP.format(hosts=",".join(server.hosts), port=server.port, parents=work.PARENTS, related=work.RELATED,
                               roles=work.ROLES, role_stride=work.ROLE_STRIDE, rows=work.ROWS)
    for statement in statements.split(";\n"):
        if statement.strip():
            connection.cursor().execute(statement)
    connection.close()


class Bases:
    """Parents to write to, new ones for each process."""

    def __init__(self):
        self.next = 10_000_000

    def take(self):
        """The first of a thousand."""
        self.next += 1000
        return self.next


def measure(command, server, case, bases):
    """One process: its measurements."""
    repeat, warm_up = TURNS[case]
    done = subprocess.run([*command, "--hosts", ",".join(server.hosts), "--port", str(server.port), "--case", case,
                           "--repeat", str(repeat), "--warm-up", str(warm_up), "--base", str(bases.take())],
                          stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{shlex.join(command)} failed at {case}")
    return list(csv.DictReader(done.stdout.splitlines()))


def rounds(options, server):
    """Every measurement, the clients in turn, another one first each time. A round before them does not count."""
    bases = Bases()
    for case in options.cases.split(","):
        commands = clients(options, case)
        names = list(commands)
        rows = []
        for number in range(options.rounds + 1):
            first = number % len(names)
            for name in names[first:] + names[:first]:
                found = measure(commands[name], server, case, bases)
                rows += [dict(row, client=name, round=number) for row in found if number > 0]
        report(case, names, rows)
        yield from rows


def median(rows, name, column):
    """Of a client's measurements."""
    return statistics.median(float(row[column]) for row in rows if row["client"] == name)


def report(case, names, rows):
    """A line for each client: medians, and how they compare with ours."""
    for name in names:
        mine = [float(row["seconds"]) for row in rows if row["client"] == name]
        seconds, processor = median(rows, name, "seconds"), median(rows, name, "cpu_seconds")
        print(LINE.format(case, name, f"{seconds * 1000:.1f}", ratio(rows, name, "seconds"), f"{processor * 1000:.1f}",
                          ratio(rows, name, "cpu_seconds"), f"{min(mine) * 1000:.1f} to {max(mine) * 1000:.1f}"), flush=True)


def ratio(rows, name, column):
    """A client's median by ours."""
    if name == "ours" or not any(row["client"] == "ours" for row in rows):
        return ""
    return f"{median(rows, name, column) / median(rows, 'ours', column):.2f}"


def write_csv(path, rows):
    """Every measurement."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["client", "round", "case", "variant", "repeat", "seconds", "cpu_seconds"],
                                lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main():
    """Exit status 1: a client failed."""
    options = arguments()
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH
    server = Server(folder=MEMORY if in_memory else None)
    server.start()
    load(server)
    print(LINE.format("", "client", "ms", "/ ours", "CPU ms", "/ ours", "fastest to slowest"))
    rows = list(rounds(options, server))
    if options.out:
        write_csv(options.out, rows)


main()
