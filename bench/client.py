"""A connection on libpq, as thin as Python allows: what is measured is the server.

Both sides of a comparison go through run(), with prepared statements, parameters as text and
results that nobody takes apart before the clock has stopped.
"""

import gc
import time
from pathlib import Path

from psycopg import pq

DONE = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)


class Failure(Exception):
    """A statement failed."""


def literal(values):
    """A list as an array literal; ids are numbers, so nothing needs quotes."""
    return "{" + ",".join(map(str, values)) + "}"


def to_text(value):
    """A parameter in PostgreSQL's text form, as bytes."""
    if isinstance(value, (list, tuple, range)):
        value = literal(value)
    return str(value).encode()


class Connection:
    """One backend. What it connects to is in libpq's environment variables."""

    def __init__(self, database, settings=()):
        self.pg = pq.PGconn.connect(f"dbname={database}".encode())
        if self.pg.status != pq.ConnStatus.OK:
            raise Failure(self.pg.error_message.decode())
        self.prepared = {}
        self.run("SET client_min_messages = warning")
        for setting in settings:
            self.run(f"SET {setting}")

    def close(self):
        """Ends the backend, and with it its plans and memory."""
        self.pg.finish()

    def check(self, result):
        """The result, unless it is an error."""
        if result.status not in DONE:
            raise Failure(result.error_message.decode().strip())
        return result

    def run(self, sql, *params):
        """Runs a statement and returns its rows, as tuples of str or None."""
        result = self.check(self.pg.exec_params(sql.encode(), [to_text(p) for p in params])
                            if params else self.pg.exec_(sql.encode()))
        return rows_of(result)

    def copy_in(self, sql, data):
        """COPY ... FROM STDIN."""
        self.check_copy(self.pg.exec_(sql.encode()))
        self.pg.put_copy_data(data)
        self.pg.put_copy_end()
        while result := self.pg.get_result():
            self.check(result)

    def check_copy(self, result):
        """The server waits for data, or it is an error."""
        if result.status != pq.ExecStatus.COPY_IN:
            raise Failure(result.error_message.decode().strip())

    def prepare(self, sql):
        """The name of the prepared statement for this text."""
        if sql not in self.prepared:
            name = f"s{len(self.prepared)}".encode()
            self.check(self.pg.prepare(name, sql.encode()))
            self.prepared[sql] = name
        return self.prepared[sql]

    def time(self, sql, calls, clock="wall"):
        """Runs a statement once per tuple of parameters (bytes): seconds for all of them, and the
        results. The clock is the client's, "wall", or the processor time of the backend, "cpu"."""
        now = time.perf_counter if clock == "wall" else self.processor_time
        name = self.prepare(sql)
        execute, results = self.pg.exec_prepared, []
        gc.collect()
        gc.disable()
        start = now()
        for params in calls:
            results.append(execute(name, params))
        elapsed = now() - start
        gc.enable()
        for result in results:
            self.check(result)
        return elapsed, results

    def processor_time(self):
        """Seconds that the backend has run, exact while it waits for a command."""
        return int(Path(f"/proc/{self.pg.backend_pid}/schedstat").read_text().split()[0]) / 1e9

    def status(self):
        """Sizes from the backend's /proc/PID/status, in kB; None where that cannot be read."""
        path = Path(f"/proc/{self.pg.backend_pid}/status")
        if not path.exists():
            return None
        lines = (line.split() for line in path.read_text().splitlines())
        return {words[0].rstrip(":"): int(words[1]) for words in lines
                if len(words) == 3 and words[2] == "kB"}


def rows_of(result):
    """Rows as tuples of str or None."""
    return [tuple(text(result.get_value(row, column)) for column in range(result.nfields))
            for row in range(result.ntuples)]


def text(value):
    """A value that came back as bytes."""
    return None if value is None else value.decode()
