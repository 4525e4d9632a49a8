#!/usr/bin/python3
"""The cases by belongs_to_many: one call of a function or one statement of SQL each.

A client of bench/scylla/run: README.md there says what its arguments are and what it prints. Its processor time is that
of the backend, by the scheduler's clock, and of this process.
"""

import os
import sys
import time

import psycopg2

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import work  # noqa: E402

PREPARED = """
PREPARE eager AS SELECT parent, results FROM m2m.get_results_for('far.role_user', $1::bigint[]);
PREPARE partition AS SELECT user_id, role_id, status, level FROM far.role_user WHERE user_id = $1;
PREPARE scan AS SELECT count(id), count(v), sum(n)::bigint FROM far.rows;
PREPARE attach AS SELECT m2m.attach('far.role_user', $1::bigint, $2::bigint[]);
PREPARE sync AS SELECT attached, detached FROM m2m.sync('far.role_user', $1::bigint, $2::bigint[]);
PREPARE toggle AS SELECT attached, detached FROM m2m.toggle('far.role_user', $1::bigint, $2::bigint[]);
PREPARE ids AS SELECT role_id FROM far.role_user WHERE user_id = $1 ORDER BY role_id;
"""


class Client:
    """A session of PostgreSQL."""

    def __init__(self):
        self.connection = psycopg2.connect("")
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        self.cursor.execute(PREPARED)
        self.backend = self.connection.get_backend_pid()

    def ask(self, sql, *values):
        """The rows of a statement; a list goes as an array's text, as drivers send it."""
        self.cursor.execute(sql, ["{" + ",".join(map(str, value)) + "}" if isinstance(value, list) else value
                                  for value in values])
        return self.cursor.fetchall()

    def processor_seconds(self):
        """Of the backend and of this process."""
        with open(f"/proc/{self.backend}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0]) / 1e9 + time.process_time()

    def measure(self, action):
        """What it returns, and the seconds and processor time that it takes."""
        processor, start = self.processor_seconds(), time.perf_counter()
        result = action()
        return result, time.perf_counter() - start, self.processor_seconds() - processor

    def write(self, case, parent):
        """attach, sync or toggle."""
        function = case.split("_", maxsplit=1)[0]
        return self.ask(f"EXECUTE {function} (%s, %s)", parent, work.given(case))


def turn_of(client, options, turn):
    """One turn of a case: its seconds and processor time; exit status 1 if the result is not right."""
    case = options.case
    if case == "eager":
        parents = work.parents_of(turn, work.EAGER)
        results, *costs = client.measure(lambda: dict(client.ask("EXECUTE eager (%s)", parents)))
        right = sum(row["pivot"]["level"] for rows in results.values() for row in rows) == work.levels_of(parents)
    elif case == "partition":
        parents = work.parents_of(turn, work.READS)
        results, *costs = client.measure(lambda: [client.ask("EXECUTE partition (%s)", parent) for parent in parents])
        right = sum(row[3] for rows in results for row in rows) == work.levels_of(parents)
    elif case == "scan":
        result, *costs = client.measure(lambda: client.ask("EXECUTE scan"))
        right = result == [(work.ROWS, work.ROWS, work.ROWS * (work.ROWS + 1) // 2)]
    else:
        parent = options.base + turn
        if work.before(case):
            client.ask("EXECUTE attach (%s, %s)", parent, work.before(case))
        _, *costs = client.measure(lambda: client.write(case, parent))
        right = [row[0] for row in client.ask("EXECUTE ids (%s)", parent)] == work.after(case)
    if not right:
        sys.exit(f"{case}: the result is not right")
    return costs


def main():
    """Every turn."""
    options = work.arguments(__doc__, ["call"])
    client = Client()
    print(work.HEADING)
    for turn in range(options.warm_up + options.repeat):
        seconds, processor = turn_of(client, options, turn)
        if turn >= options.warm_up:
            work.report(options, turn, seconds, processor)


main()
