"""Measures clients of the CQL protocol against each other, on one server in one run. bench/cql/run calls it.

The clients are programs; README.md says what they are given and what they print.
"""

import argparse
import csv
import shlex
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "test" / "cassandra"))

from cassandra.concurrent import execute_concurrent_with_args  # noqa: E402
from cassandra_server import Server  # noqa: E402

KEYSPACE = "CREATE KEYSPACE bench WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
TABLE = "CREATE TABLE bench.rows (id int PRIMARY KEY, v text, n bigint)"
INSERT = "INSERT INTO bench.rows (id, v, n) VALUES (?, ?, ?)"
ROWS = 10_000
# Data in memory where there is enough of it: a flush to disk is not what differs between clients.
MEMORY = Path("/dev/shm")
ENOUGH = 2 << 30
LINE = "{:<6} {:>6}  {:<12} {:>12} {:>14} {:>20}"


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(prog="bench/cql/run", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each client (5)")
    parser.add_argument("--depths", default="1,32,256,1024", help="requests in flight (1,32,256,1024)")
    parser.add_argument("--kinds", default="read,write", help="read, write or both")
    parser.add_argument("--requests", type=int, default=20_000, help="in a measurement (20000; a quarter with one in flight)")
    parser.add_argument("--client", action="append", default=[], metavar="NAME=COMMAND", help="a further client")
    parser.add_argument("--only", help="these clients, by name")
    parser.add_argument("--out", type=Path, metavar="FILE", help="every measurement as CSV")
    return parser.parse_args()


def clients(options):
    """The command of each, by name."""
    commands = {"python": f"/usr/bin/python3 {shlex.quote(str(HERE / 'client.py'))}"}
    if shutil.which("node"):
        commands["node"] = f"node {shlex.quote(str(HERE / 'client.js'))}"
    commands.update(client.split("=", 1) for client in options.client)
    names = options.only.split(",") if options.only else commands
    return {name: shlex.split(commands[name]) for name in names}


def load(server):
    """The table, with rows of 50 bytes."""
    session = server.connect()
    session.execute(KEYSPACE)
    session.execute(TABLE)
    rows = [(key, f"value {key:034d}", key * 3) for key in range(ROWS)]
    execute_concurrent_with_args(session, session.prepare(INSERT), rows, concurrency=100)
    session.cluster.shutdown()


def measure(command, server, kind, depth, requests):
    """One run of a client: what it prints, as a dictionary."""
    if depth == 1:
        requests //= 4
    done = subprocess.run(
        [*command, "--hosts", ",".join(server.hosts), "--port", str(server.port), "--table", "bench.rows", "--kind", kind,
         "--depth", str(depth), "--requests", str(requests), "--warm-up", str(requests // 2), "--rows", str(ROWS)],
        stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{shlex.join(command)} failed")
    (row,) = csv.DictReader(done.stdout.splitlines())
    return row


def rounds(options, commands, server):
    """Every measurement, the clients in turn, another one first each time. A round before them warms up the server."""
    names = list(commands)
    for kind in options.kinds.split(","):
        for depth in map(int, options.depths.split(",")):
            rows = []
            for number in range(options.rounds + 1):
                first = number % len(names)
                for name in names[first:] + names[:first]:
                    row = measure(commands[name], server, kind, depth, options.requests)
                    rows.append(dict(row, client=name, round=number))
            rows = [row for row in rows if row["round"] > 0]
            report(names, kind, depth, rows)
            yield from rows


def report(names, kind, depth, rows):
    """A line for each client: medians."""
    for name in names:
        mine = [row for row in rows if row["client"] == name]
        speeds = [float(row["requests_per_second"]) for row in mine]
        processor = statistics.median(float(row["cpu_seconds"]) * 10_000 / int(row["requests"]) for row in mine)
        print(LINE.format(kind, depth, name, f"{statistics.median(speeds):.0f}", f"{processor:.3f}",
                          f"{min(speeds):.0f} to {max(speeds):.0f}"), flush=True)


def write_csv(path, rows):
    """Every measurement."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["client", "round", *(key for key in rows[0] if key not in ("client", "round"))])
        writer.writeheader()
        writer.writerows(rows)


def main():
    """Exit status 1: a client failed."""
    options = arguments()
    commands = clients(options)
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH
    server = Server(folder=MEMORY if in_memory else None)
    server.start()
    load(server)
    print(LINE.format("", "flight", "client", "requests/s", "CPU s/10,000", "slowest to fastest"))
    rows = list(rounds(options, commands, server))
    if options.out:
        write_csv(options.out, rows)


main()
