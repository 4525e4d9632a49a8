#!/usr/bin/python3
"""Prepared single-partition reads or writes by a PostgreSQL backend, through scylla_query() and scylla_execute().

A client of bench/cql/run: README.md there says what its arguments are and what it prints. libpq's environment
variables name the PostgreSQL server, where the extension can be created. What the backend uses of the processors is
what the clock of the scheduler says of its process; that of this program is added.
"""

import argparse
import os
import sys
import time

import psycopg2

# As in client.py.
STRIDE = 7919


def arguments():
    """The command line that all clients understand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--table", required=True, help="KEYSPACE.TABLE")
    parser.add_argument("--kind", choices=["read", "write"], required=True)
    parser.add_argument("--depth", type=int, required=True)
    parser.add_argument("--requests", type=int, required=True)
    parser.add_argument("--warm-up", type=int, required=True)
    parser.add_argument("--rows", type=int, required=True)
    return parser.parse_args()


def connect(options):
    """A session whose server object is gone with it: all is one transaction that is never committed."""
    connection = psycopg2.connect("")
    cursor = connection.cursor()
    cursor.execute("SET client_min_messages = warning")
    cursor.execute("CREATE SCHEMA bench_cql; CREATE EXTENSION belongs_to_many SCHEMA bench_cql")
    cursor.execute("CREATE SERVER bench FOREIGN DATA WRAPPER scylla OPTIONS (hosts %s, port %s, sslmode 'disable',"
                   " compression 'none', max_in_flight %s)", (options.hosts, str(options.port), str(options.depth)))
    user = os.environ.get("BTM_CASSANDRA_USER")
    cursor.execute("CREATE USER MAPPING FOR CURRENT_USER SERVER bench OPTIONS (username %s, password %s)",
                   (user or "none", os.environ.get("BTM_CASSANDRA_PASSWORD", "none")))
    return cursor


def set_parameters(cursor, options, count):
    """Those of each request, in a table before the clock starts."""
    cursor.execute("DROP TABLE IF EXISTS bench_cql.parameters")
    columns = "ARRAY[id::text]" if options.kind == "read" else \
        "ARRAY[id::text, 'value ' || lpad(id::text, 34, '0'), (id * 3)::text]"
    cursor.execute(f"CREATE TABLE bench_cql.parameters AS SELECT array_agg({columns}) AS list FROM"
                   " (SELECT (i * %s %% %s)::int AS id FROM generate_series(0, %s) AS i) AS ids",
                   (STRIDE, options.rows, count - 1))


def run(cursor, options):
    """All requests; the sum of n of the rows that were read."""
    if options.kind == "write":
        cursor.execute("SELECT bench_cql.scylla_execute('bench', %s, VARIADIC (SELECT list FROM bench_cql.parameters))",
                       (f"INSERT INTO {options.table} (id, v, n) VALUES (?, ?, ?)",))
        return None
    cursor.execute("SELECT sum((row ->> 'n')::bigint) FROM bench_cql.scylla_query('bench', %s,"
                   " VARIADIC (SELECT list FROM bench_cql.parameters)) AS row",
                   (f"SELECT v, n FROM {options.table} WHERE id = ?",))
    return cursor.fetchone()[0]


def processor_seconds(backend):
    """Of the backend and of this process."""
    with open(f"/proc/{backend}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0]) / 1e9 + time.process_time()


def main():
    """Exit status 1: the rows are not what was loaded."""
    options = arguments()
    cursor = connect(options)
    backend = cursor.connection.get_backend_pid()
    set_parameters(cursor, options, options.warm_up)
    run(cursor, options)
    set_parameters(cursor, options, options.requests)
    processor, start = processor_seconds(backend), time.perf_counter()
    total = run(cursor, options)
    seconds, processor = time.perf_counter() - start, processor_seconds(backend) - processor
    if options.kind == "read" and total != sum(number * STRIDE % options.rows * 3 for number in range(options.requests)):
        sys.exit("the rows are not what was loaded")
    print("kind,depth,requests,seconds,requests_per_second,cpu_seconds")
    print(f"{options.kind},{options.depth},{options.requests},{seconds:.4f},{options.requests / seconds:.0f},{processor:.4f}")


main()
