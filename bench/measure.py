"""Runs a case: both sides in turn, from the same state, as often as is asked for."""

import statistics
import threading
import time
from dataclasses import dataclass, field

from client import Connection, Failure, literal
from compare import comparable

OURS = "ours"

# Between the name of a hand-written variant and its plan mode.
MODE = " / "

# After one round, hand-written variants that take longer than the fastest by this factor are left out.
HOPELESS = 1.5


@dataclass
class Outcome:
    """What came of a case."""

    case: object
    seconds: dict = field(default_factory=dict)     # side: of one call, in each run
    memory: int = None      # kB that a backend needed for itself in one call
    problem: str = None     # the two sides did not give the same

    def median(self, side):
        """Seconds."""
        return statistics.median(self.seconds[side])

    @property
    def best(self):
        """The fastest hand-written variant."""
        return min((side for side in self.seconds if side != OURS), key=self.median)

    @property
    def ratio(self):
        """Below 1: the extension is faster."""
        return self.median(OURS) / self.median(self.best)


class State:
    """The rows of those parents that a case writes, put back before every measurement.

    Nothing else happens to the tables meanwhile. What comes back is in the same order each time, and
    VACUUM leaves the same free space, so that neither side finds better pages than the other.
    """

    def __init__(self, connection, case):
        self.connection, self.case = connection, case

    def run(self, template, **more):
        """Runs a statement about the parents' rows."""
        parents = f"'{literal(self.case.writes)}'"
        return self.connection.run(self.case.relation.sql(template, parents=parents, **more))

    def begin(self):
        """Remembers the rows, and makes those that the case starts from."""
        if self.case.writes is None:
            return
        self.run("""
            DROP TABLE IF EXISTS bench_original, bench_start;
            CREATE TABLE bench_original AS SELECT * FROM {pivot} WHERE {fk} = ANY ({parents})""")
        for parent, ids in self.case.start.items():
            self.run("INSERT INTO {pivot} ({fk}, {rk}) SELECT {parent}, unnest('{ids}'::bigint[])",
                     parent=parent, ids=literal(ids))
        self.run("""
            CREATE TABLE bench_start AS SELECT * FROM {pivot} WHERE {fk} = ANY ({parents});
            ANALYZE {pivot}""")

    def restore(self, table="bench_start"):
        """Puts the rows back."""
        if self.case.writes is None:
            return
        # no foreign-key triggers: what comes back was there before
        self.run("""
            BEGIN;
            SET LOCAL session_replication_role = replica;
            DELETE FROM {pivot} WHERE {fk} = ANY ({parents});
            INSERT INTO {pivot} SELECT * FROM {table} ORDER BY {fk}, {rk};
            COMMIT""", table=table)
        self.run("VACUUM (INDEX_CLEANUP ON) {pivot}")

    def end(self):
        """As it was before the case."""
        self.restore("bench_original")

    def fingerprint(self):
        """Of the parents' rows, but for the time at which they were made."""
        if self.case.writes is None:
            return None
        return self.run("""
            SELECT count(*), sum(hashtextextended(concat_ws(' ', {fk}, {rk}, status, weight), 0)::numeric)
            FROM {pivot} WHERE {fk} = ANY ({parents})""")


class Runner:
    """Measures cases in one database."""

    def __init__(self, database, runs=None, clock="wall"):
        self.database = database
        self.runs = runs
        self.clock = clock
        self.admin = Connection(database)

    def run(self, case):
        """Measures a case."""
        outcome = Outcome(case)
        state = State(self.admin, case)
        state.begin()
        # a connection for each side and plan mode: plans and caches are its own
        sides = {mode: Connection(self.database, [f"plan_cache_mode = {mode}"])
                 for mode in ("auto", case.plan_mode) if mode}
        sides[OURS] = Connection(self.database)
        try:
            self.admin.run("CHECKPOINT")
            self.measure(case, state, sides, outcome)
            if case.memory and outcome.problem is None:
                state.restore()
                outcome.memory = self.measure_memory(case)
        except Failure as failure:
            outcome.problem = str(failure)
        finally:
            for connection in sides.values():
                connection.close()
            state.end()
        return outcome

    def measure(self, case, state, sides, outcome):
        """One round to warm up, in which hopeless variants drop out, then those that count."""
        variants = [OURS, *(variant(name, mode) for name in case.theirs for mode in sides if mode != OURS)]
        for number in range(1 + (self.runs or case.runs)):
            expected = None
            for side in rotated(variants, number):
                state.restore()
                seconds, found = self.one(case, state, sides, side)
                outcome.seconds.setdefault(side, []).append(seconds / len(case.calls))
                if expected is not None and found != expected:
                    outcome.problem = outcome.problem or describe(side, expected, found)
                expected = expected or found
            if number == 0:
                variants = promising(outcome)
                outcome.seconds = {side: [] for side in variants}

    def one(self, case, state, sides, side):
        """One measurement: seconds, and what both sides must agree on."""
        if side == OURS:
            seconds, results = sides[OURS].time(case.ours, case.calls, self.clock)
        else:
            name, _, mode = side.partition(MODE)
            seconds, results = sides[mode or "auto"].time(case.theirs[name], case.their_calls, self.clock)
        return seconds, (comparable(case.result, results), state.fingerprint())

    def measure_memory(self, case):
        """kB that a fresh backend holds for itself at most during one call: what it shares with
        others, the buffer pool, does not count."""
        connection = Connection(self.database)
        peak, done = 0, threading.Event()

        def watch():
            nonlocal peak
            while not done.is_set():
                peak = max(peak, (connection.status() or {}).get("RssAnon", 0))
                time.sleep(0.002)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            connection.time(case.ours, case.calls[:1])
        finally:
            done.set()
            watcher.join()
            connection.close()
        return peak


def variant(name, mode):
    """A hand-written variant, with the plan mode if it is not the server's choice."""
    return name if mode == "auto" else name + MODE + mode


def promising(outcome):
    """Ours, and those hand-written variants that may turn out to be the fastest."""
    return [side for side in outcome.seconds
            if side == OURS or outcome.median(side) <= HOPELESS * outcome.median(outcome.best)]


def rotated(sides, number):
    """Another one goes first each time."""
    number %= len(sides)
    return sides[number:] + sides[:number]


def describe(side, expected, found):
    """Where two sides differ."""
    for what, a, b in zip(("results", "rows"), expected, found):
        if a != b:
            return f"{what} differ with {side}: {shorten(a)} and {shorten(b)}"
    return None


def shorten(value):
    """The beginning of a value's text."""
    value = repr(value)
    return value if len(value) < 300 else value[:300] + "…"
