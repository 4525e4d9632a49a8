#!/usr/bin/python3
"""The cases through python3-cassandra, stitched together in the application; related rows come from PostgreSQL.

A client of bench/scylla/run: README.md there says what its arguments are and what it prints.
"""

import os
import resource
import sys
import time

import psycopg2
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.policies import WhiteListRoundRobinPolicy
from cassandra.query import BatchStatement, BatchType, dict_factory, tuple_factory

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import work  # noqa: E402

DEPTH = 256             # requests in flight
BATCH = 500             # statements of a batch
BATCHES = 16            # batches in flight


class Client:
    """A session of the cluster, one of PostgreSQL, and the statements."""

    def __init__(self, options):
        hosts = options.hosts.split(",")
        factory = dict_factory if options.case == "eager" else tuple_factory
        profile = ExecutionProfile(load_balancing_policy=WhiteListRoundRobinPolicy(hosts), row_factory=factory,
                                   request_timeout=60)
        self.cluster = Cluster(hosts, port=options.port, protocol_version=4,
                               execution_profiles={EXEC_PROFILE_DEFAULT: profile})
        self.session = self.cluster.connect("bench")
        self.session.default_fetch_size = 5000
        self.postgres = psycopg2.connect("")
        self.postgres.autocommit = True
        self.batched = options.variant == "batch"
        prepare = self.session.prepare
        self.partition = prepare("SELECT user_id, role_id, status, level FROM role_user WHERE user_id = ?")
        self.ids = prepare("SELECT role_id FROM role_user WHERE user_id = ?")
        self.insert = prepare("INSERT INTO role_user (user_id, role_id) VALUES (?, ?)")
        self.delete = prepare("DELETE FROM role_user WHERE user_id = ? AND role_id = ?")

    def eager(self, parents):
        """For each parent its roles with their pivot row."""
        answers = execute_concurrent_with_args(self.session, self.partition, [(parent,) for parent in parents],
                                               concurrency=DEPTH)
        pivots = [list(answer.result_or_exc) for answer in answers]
        wanted = list({row["role_id"] for rows in pivots for row in rows})
        cursor = self.postgres.cursor()
        cursor.execute("SELECT id, name, description FROM roles WHERE id = ANY (%s)", (wanted,))
        roles = {role[0]: role for role in cursor.fetchall()}
        results = {}
        for parent, rows in zip(parents, pivots):
            results[parent] = []
            for row in rows:
                role = roles[row["role_id"]]
                results[parent].append({"id": role[0], "name": role[1], "description": role[2], "pivot": row})
        return results

    def read(self, parent):
        """The pivot's rows of a parent."""
        return list(self.session.execute(self.partition, (parent,)))

    def scan(self):
        """The number of rows, and the sum of a column."""
        count = total = 0
        for row in self.session.execute("SELECT id, v, n FROM bench.rows"):
            count += 1
            total += row[2]
        return count, total

    def apply(self, parent, new, gone):
        """Inserts and deletes pairs."""
        writes = [(self.insert, (parent, role)) for role in new] + [(self.delete, (parent, role)) for role in gone]
        if not self.batched:
            for statement in (self.insert, self.delete):
                mine = [values for which, values in writes if which is statement]
                for answer in execute_concurrent_with_args(self.session, statement, mine, concurrency=DEPTH):
                    answer.result_or_exc.all()
            return
        running = []
        for first in range(0, len(writes), BATCH):
            batch = BatchStatement(BatchType.UNLOGGED)
            for statement, values in writes[first:first + BATCH]:
                batch.add(statement, values)
            running.append(self.session.execute_async(batch))
            if len(running) == BATCHES:
                running.pop(0).result()
        for future in running:
            future.result()

    def write(self, case, parent, ids):
        """attach, sync or toggle: a look at what is there, and then the difference."""
        there = {row[0] for row in self.session.execute(self.ids, (parent,))}
        given = set(ids)
        gone = {"sync_1000": there - given, "toggle_100": there & given}.get(case, set())
        new = given - there
        self.apply(parent, new, gone)
        return len(new), len(gone)


def processor_seconds():
    """User and system time of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measure(action):
    """What it returns, and the seconds and processor time that it takes."""
    processor, start = processor_seconds(), time.perf_counter()
    result = action()
    return result, time.perf_counter() - start, processor_seconds() - processor


def turn_of(client, options, turn):
    """One turn of a case: its seconds and processor time; exit status 1 if the result is not right."""
    case = options.case
    if case == "eager":
        parents = work.parents_of(turn, work.EAGER)
        results, *costs = measure(lambda: client.eager(parents))
        right = sum(row["pivot"]["level"] for rows in results.values() for row in rows) == work.levels_of(parents)
    elif case == "partition":
        parents = work.parents_of(turn, work.READS)
        results, *costs = measure(lambda: [client.read(parent) for parent in parents])
        right = sum(row[3] for rows in results for row in rows) == work.levels_of(parents)
    elif case == "scan":
        result, *costs = measure(client.scan)
        right = result == (work.ROWS, work.ROWS * (work.ROWS + 1) // 2)
    else:
        parent = options.base + turn
        client.apply(parent, work.before(case), [])
        _, *costs = measure(lambda: client.write(case, parent, work.given(case)))
        right = sorted(row[0] for row in client.session.execute(client.ids, (parent,))) == work.after(case)
    if not right:
        sys.exit(f"{case}: the result is not right")
    return costs


def main():
    """Every turn."""
    options = work.arguments(__doc__, ["batch", "single"])
    client = Client(options)
    print(work.HEADING)
    for turn in range(options.warm_up + options.repeat):
        seconds, processor = turn_of(client, options, turn)
        if turn >= options.warm_up:
            work.report(options, turn, seconds, processor)
    client.cluster.shutdown()


main()
