#!/usr/bin/env python3
"""What a transaction leaves on both sides when something fails at some step of it: the backend, the cluster, a node.

Each case is a transaction that writes a row to a local table and rows to a foreign table in write mode commit, and a
fault. Both sides are then looked at from outside: PostgreSQL's by another session, the cluster's by the independent
driver. A line of the table in docs/scylla.md stands for each.
"""

import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cassandra"))
from cassandra_server import Server, Tap, define  # noqa: E402

from cassandra import OperationTimedOut, ReadTimeout, Unavailable  # noqa: E402
from cassandra.cluster import NoHostAvailable  # noqa: E402

import postgres  # noqa: E402

ROWS = 2000             # of a transaction, in as many partitions
PATIENCE = 60           # seconds that a busy machine may take

tap = Tap()


class Session(postgres.Session):
    """One that can be had as soon as the server takes any: it may be restarting after a backend was killed."""

    def __init__(self):
        limit = time.monotonic() + PATIENCE
        while True:
            try:
                super().__init__()
                break
            except postgres.psycopg2.OperationalError:
                if time.monotonic() > limit:
                    raise
                time.sleep(0.1)
        self.pid = self.connection.get_backend_pid()


def wait_until(condition, what):
    """Waits for something that comes about by itself."""
    limit = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > limit:
            raise TimeoutError(what)
        time.sleep(0.02)


def patiently(read):
    """What a read of the driver's returns: a node that has just lost another one may not have noticed yet."""
    limit = time.monotonic() + PATIENCE
    while True:
        try:
            return read()
        except (ReadTimeout, Unavailable, NoHostAvailable, OperationTimedOut):
            if time.monotonic() > limit:
                raise
            time.sleep(0.5)


class Attempt(threading.Thread):
    """A statement that is running while the test does something else."""

    def __init__(self, session, sql):
        super().__init__(daemon=True)
        self.session, self.sql, self.state = session, sql, None
        self.start()

    def run(self):
        self.state = self.session.state_of(self.sql)

    def result(self):
        """Its SQLSTATE."""
        self.join(PATIENCE)
        return self.state


class Cluster:
    """A cluster of a test's own, its keyspace, and a foreign server for it."""

    def __init__(self, name, nodes, replicas, **options):
        self.name = name
        self.server = Server(nodes=nodes)
        self.server.start()
        driver = self.server.connect()
        define(driver, f"CREATE KEYSPACE {name} WITH replication = {{'class': 'NetworkTopologyStrategy', 'datacenter1': {replicas}}}",
               f"CREATE TABLE {name}.t (k int, c int, v text, w text, PRIMARY KEY ((k), c))")
        driver.cluster.shutdown()
        session = Session()
        session.create_server(name, self.server, **options)
        session.sql(f"CREATE SCHEMA {name}; IMPORT FOREIGN SCHEMA {name} FROM SERVER {name} INTO {name}")
        session.sql(f"CREATE TABLE {name}.committed (n int)")

    def signal(self, number):
        """To the only node's process."""
        with open(os.path.join(self.server.root, "n1", "pid"), encoding="ascii") as file:
            os.kill(int(file.read()), number)

    def write(self, session, first=1, last=ROWS):
        """The transaction's writes, without its end."""
        session.sql("BEGIN")
        session.sql(f"INSERT INTO {self.name}.committed VALUES (1)")
        session.sql(f"INSERT INTO {self.name}.t (k, c, v, w) SELECT i, i, 'v', 'w' FROM generate_series({first}, {last}) i")

    def outcome(self, consistency="LOCAL_ONE", wipe=True):
        """What is there on both sides: rows here, rows there, those there that are not whole. Then it is taken away."""
        session = Session()
        local = session.sql(f"SELECT count(*) FROM {self.name}.committed")[0][0]
        driver = self.server.connect(consistency=consistency)
        rows = patiently(lambda: list(driver.execute(f"SELECT k, c, v, w FROM {self.name}.t")))
        if wipe:
            driver.execute(f"TRUNCATE {self.name}.t")
            session.sql(f"TRUNCATE {self.name}.committed")
        driver.cluster.shutdown()
        torn = [row for row in rows if row["v"] != "v" or row["w"] != "w"]
        return local, len(rows), torn

    @staticmethod
    def is_state(state, expected):
        """Whether it is that SQLSTATE, or of that class."""
        return state == expected or len(expected) == 2 and state.startswith(expected)

    def check(self, fault, state, expected_state, committed, rows):
        """One line of the table: rows is what the cluster must have, "any" for a part of them, each of it whole."""
        local, found, torn = self.outcome()
        good = self.is_state(state, expected_state) and local == committed and not torn and (rows == "any" or found == rows)
        there = {0: "nothing", ROWS: "all of it"}.get(found, f"{found} rows")
        tap.ok(good, f"{fault}: {expected_state or 'no error'}, PostgreSQL {'committed' if committed else 'rolled back'}",
               state, local, found, torn[:3])
        print(f"# {fault} | {state or 'no error'} | {'committed' if local else 'rolled back'} | "
              f"{'any part of it' if rows == 'any' else there} ({found} here)")

    def wait_for_quorum(self, *nodes):
        """Waits until each of these nodes has noticed that another is dead, and reads without it."""
        for node in nodes:
            driver = self.server.connect(consistency="LOCAL_QUORUM", hosts=[self.server.hosts[node - 1]])
            patiently(lambda: list(driver.execute(f"SELECT k FROM {self.name}.t")))  # pylint: disable=cell-var-from-loop
            driver.cluster.shutdown()

    def is_flushing(self, session):
        """Whether a session is in its COMMIT and waits."""
        return Session().sql("SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND state = 'active' AND query = 'COMMIT'"
                             " AND wait_event IS NOT NULL", session.pid) == [(1,)]

    def stopped_in_flush(self, session):
        """A COMMIT that waits for a node which does nothing."""
        self.write(session)
        self.signal(signal.SIGSTOP)
        commit = Attempt(session, "COMMIT")
        wait_until(lambda: self.is_flushing(session), "the flush")
        return commit


# ---- ends that are no faults

def ends(cluster):
    session = Session()
    cluster.write(session)
    cluster.check("COMMIT", session.state_of("COMMIT"), "", 1, ROWS)
    cluster.write(session)
    cluster.check("ROLLBACK", session.state_of("ROLLBACK"), "", 0, 0)
    cluster.write(session)
    session.state_of("SELECT 1 / 0")
    cluster.check("an error in a statement", session.state_of("COMMIT"), "", 0, 0)
    cluster.write(session)
    session.sql(f"SAVEPOINT s; DELETE FROM {cluster.name}.t WHERE k = 1;"
                f" UPDATE {cluster.name}.t SET v = 'x' WHERE k = 2; ROLLBACK TO s")
    cluster.check("ROLLBACK TO a savepoint", session.state_of("COMMIT"), "", 1, ROWS)


# ---- the backend's faults

def kill_backend(session):
    """kill -9: PostgreSQL ends all its backends and begins anew, and this returns when they are gone."""
    witness = Session()
    os.kill(session.pid, signal.SIGKILL)
    wait_until(lambda: witness.state_of("SELECT") != "", "the end of all sessions")


def backend_faults(cluster):
    session = Session()
    cluster.write(session)
    kill_backend(session)
    cluster.check("kill -9 of the backend before COMMIT", session.state_of("COMMIT"), "lost", 0, 0)

    session = Session()
    commit = cluster.stopped_in_flush(session)
    kill_backend(session)
    state = commit.result()
    cluster.signal(signal.SIGCONT)
    cluster.check("kill -9 in the flush", state, "lost", 0, "any")

    session = Session()
    session.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    session.sql("SELECT pg_reload_conf()")
    try:
        wait_until(lambda: Session().sql("SHOW synchronous_standby_names") == [("nobody",)], "the setting")
        session = Session()
        cluster.write(session)
        commit = Attempt(session, "COMMIT")
        wait_until(lambda: Session().sql("SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND wait_event = 'SyncRep'",
                                         session.pid) == [(1,)], "the wait for a standby")
        kill_backend(session)
        state = commit.result()
    finally:
        session = Session()
        session.sql("ALTER SYSTEM RESET synchronous_standby_names")
        session.sql("SELECT pg_reload_conf()")
        wait_until(lambda: Session().sql("SHOW synchronous_standby_names") == [("",)], "the setting")
    cluster.check("kill -9 after the flush, the commit being recorded", state, "lost", 1, ROWS)

    for function, expected in (("pg_cancel_backend", "57014"), ("pg_terminate_backend", "lost")):
        session = Session()
        commit = cluster.stopped_in_flush(session)
        began = time.monotonic()
        Session().sql(f"SELECT {function}(%s)", session.pid)
        state = commit.result()
        took = time.monotonic() - began
        cluster.signal(signal.SIGCONT)
        cluster.check(f"{function} in the flush", state, expected, 0, "any")
        print(f"# {function}: {took:.2f} s")


def serialization_failure(cluster):
    """PostgreSQL looks for serialization failures after the flush: the one window in which it is known to be too late."""
    session, other = Session(), Session()
    session.sql(f"CREATE TABLE IF NOT EXISTS {cluster.name}.skew (id int PRIMARY KEY, n int);"
                f" INSERT INTO {cluster.name}.skew VALUES (1, 0), (2, 0) ON CONFLICT DO NOTHING")
    for each in (session, other):
        each.sql("SET default_transaction_isolation = 'serializable'")
    cluster.write(session)
    other.sql("BEGIN")
    for each, row in ((session, 1), (other, 2)):
        each.sql(f"SELECT sum(n) FROM {cluster.name}.skew")
        each.sql(f"UPDATE {cluster.name}.skew SET n = n + 1 WHERE id = {row}")
    other.sql("COMMIT")
    state = session.state_of("COMMIT")
    cluster.check("a serialization failure at COMMIT", state, "40001", 0, "any")


# ---- the cluster's faults

def cluster_faults(cluster):
    session = Session()
    cluster.write(session)
    cluster.server.stop()
    state = session.state_of("COMMIT")
    cluster.server.start()
    cluster.check("the cluster stopped before COMMIT", state, "08", 0, 0)

    session = Session()
    commit = cluster.stopped_in_flush(session)
    cluster.server.kill()
    state = commit.result()
    cluster.server.start()
    cluster.check("the cluster killed in the flush", state, "08", 0, "any")

    session = Session()
    commit = cluster.stopped_in_flush(session)
    state = commit.result()
    cluster.signal(signal.SIGCONT)
    cluster.check("no answer within request_timeout", state, "08", 0, "any")

    session = Session()
    cluster.write(session)
    driver = cluster.server.connect()
    driver.execute(f"ALTER TABLE {cluster.name}.t DROP w")
    state = session.state_of("COMMIT")
    define(driver, f"ALTER TABLE {cluster.name}.t ADD w text")
    driver.cluster.shutdown()
    cluster.check("a column dropped there before COMMIT", state, "42703", 0, 0)

    # nothing of all that is left in the way
    session = Session()
    cluster.write(session)
    cluster.check("the next transaction", session.state_of("COMMIT"), "", 1, ROWS)


# ---- three nodes

def node_loss(cluster):
    """One node of three is killed; two are a quorum."""
    session = Session()
    cluster.write(session)
    session.sql("COMMIT")
    session.sql("BEGIN")
    session.sql(f"DECLARE c CURSOR FOR SELECT k FROM {cluster.name}.t")
    found = [row[0] for row in session.sql("FETCH 100 FROM c")]
    cluster.server.kill_node(2)
    cluster.wait_for_quorum(1, 3)
    found += [row[0] for row in session.sql("FETCH ALL FROM c")]
    session.sql("COMMIT")
    tap.ok(sorted(found) == list(range(1, ROWS + 1)), "a scan goes on when a node is killed in the midst of it", len(found))
    found = session.sql(f"SELECT count(*) FROM {cluster.name}.t WHERE k = ANY (ARRAY(SELECT generate_series(1, {ROWS})))")
    tap.ok(found == [(ROWS,)], "look-ups find all without it", found)
    outcome = cluster.outcome("LOCAL_QUORUM", wipe=False)
    tap.ok(outcome == (1, ROWS, []), "as does the driver", outcome)

    cluster.server.start_node(2)
    session = Session()
    cluster.write(session, ROWS + 1, 10 * ROWS)
    commit = Attempt(session, "COMMIT")
    wait_until(lambda: cluster.is_flushing(session) or commit.state is not None, "the flush")
    cluster.server.kill_node(3)
    state = commit.result()
    outcome = cluster.outcome("LOCAL_QUORUM", wipe=False)
    tap.ok((state, *outcome) == ("", 2, 10 * ROWS, []), "a flush goes on when a node is killed in the midst of it",
           state, outcome)
    cluster.write(session, 10 * ROWS + 1, 11 * ROWS)
    state = session.state_of("COMMIT")
    outcome = cluster.outcome("LOCAL_QUORUM", wipe=False)
    tap.ok((state, *outcome) == ("", 3, 11 * ROWS, []), "and the next needs only two", state, outcome)


def main():
    Session().set_up()
    cluster = Cluster("faults", 1, 1, request_timeout="5s")
    ends(cluster)
    backend_faults(cluster)
    serialization_failure(cluster)
    cluster_faults(cluster)
    cluster.server.remove()
    cluster = Cluster("quorum", 3, 3, fetch_size=100)
    node_loss(cluster)
    cluster.server.remove()
    tap.finish()


main()
