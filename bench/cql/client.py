#!/usr/bin/python3
"""Prepared single-partition reads or writes through python3-cassandra, with many in flight.

A client of bench/cql/run: README.md there says what its arguments are and what it prints.
"""

import argparse
import os
import resource
import sys
import time

from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.policies import WhiteListRoundRobinPolicy
from cassandra.query import tuple_factory

# A prime, so that neighbouring requests are for rows that are far from each other.
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
    """One connection to each host, without compression."""
    hosts = options.hosts.split(",")
    profile = ExecutionProfile(load_balancing_policy=WhiteListRoundRobinPolicy(hosts), row_factory=tuple_factory,
                               request_timeout=60)
    user = os.environ.get("BTM_CASSANDRA_USER")
    login = PlainTextAuthProvider(user, os.environ["BTM_CASSANDRA_PASSWORD"]) if user else None
    cluster = Cluster(hosts, port=options.port, protocol_version=4, compression=False, auth_provider=login,
                      execution_profiles={EXEC_PROFILE_DEFAULT: profile})
    return cluster.connect()


def parameters(options, count):
    """Those of each request, made before the clock starts."""
    ids = (number * STRIDE % options.rows for number in range(count))
    if options.kind == "read":
        return [(key,) for key in ids]
    return [(key, f"value {key:034d}", key * 3) for key in ids]


def run(session, statement, requests, depth):
    """All requests; their results in order."""
    if depth == 1:
        return [session.execute(statement, request).one() for request in requests]
    results = execute_concurrent_with_args(session, statement, requests, concurrency=depth)
    return [result.result_or_exc.one() for result in results]


def processor_seconds():
    """User and system time of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main():
    """Exit status 1: a row is not what was loaded."""
    options = arguments()
    session = connect(options)
    statement = session.prepare(
        f"SELECT v, n FROM {options.table} WHERE id = ?" if options.kind == "read"
        else f"INSERT INTO {options.table} (id, v, n) VALUES (?, ?, ?)")
    run(session, statement, parameters(options, options.warm_up), options.depth)
    requests = parameters(options, options.requests)
    processor, start = processor_seconds(), time.perf_counter()
    rows = run(session, statement, requests, options.depth)
    seconds, processor = time.perf_counter() - start, processor_seconds() - processor
    if options.kind == "read" and any(row[1] != request[0] * 3 for row, request in zip(rows, requests)):
        sys.exit("a row is not what was loaded")
    print("kind,depth,requests,seconds,requests_per_second,cpu_seconds")
    print(f"{options.kind},{options.depth},{options.requests},{seconds:.4f},{options.requests / seconds:.0f},{processor:.4f}")
    session.cluster.shutdown()


main()
