"""What run-psycopg2 and run-psycopg3 share: TAP, and cases that are the same for every driver.

A case is a statement with its parameters and what must come of it:

  sql, params     the statement, with $1, $2, ...; every case is rolled back
  rows            its rows, each {column: value}
  error, hint     or the SQLSTATE that it ends with, and a part of the error's hint
  run             a statement to run with the text that came back in place of {}; rows are its rows
  then            a statement to run with the text that came back as $1; rows are its rows
  after           the roles of user 1 after it, as "id:status:level" (@: created_at is set)
  check, gives    another statement that is run after it, and its rows

cases.json holds those that every driver runs. Where a driver's own types matter, its file has
further ones.
"""

import json
import os
import re
import sys
import uuid
from decimal import Decimal

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from tap import Tap, skip_all  # noqa: E402, F401

ATTACH = "SELECT m2m.attach($1, $2, $3) AS n"
SYNC = "SELECT * FROM m2m.sync($1, $2, $3)"
UNCHANGED = "1:active:1 2:active:2 3:paused"
HOME = uuid.UUID("00000000-0000-4000-8000-000000000001")
TOPICS = [uuid.UUID(f"00000000-0000-4000-9000-00000000000{n}") for n in (1, 2)]

# Types of Python's own, which both send with a type of PostgreSQL's own.
PYTHON = [
    dict(name="Decimal",
         sql=ATTACH, params=["user_roles", Decimal("1"), [Decimal("4.0")]],
         rows=[{"n": 1}], after=f"{UNCHANGED} 4:active"),
    dict(name="a Decimal with a fraction",
         sql=ATTACH, params=["user_roles", 1, Decimal("4.5")], error="22P02"),
    dict(name="a float with a fraction",
         sql=ATTACH, params=["user_roles", 1, [4.5]], error="22P02"),
    dict(name="an int above 2^53",
         sql=ATTACH, params=["user_roles", 1, [1, 9007199254740993]],
         rows=[{"n": 1}], after=f"{UNCHANGED} 9007199254740993:active"),
    dict(name="an int above 2^53 comes back exactly",
         sql=SYNC, params=["user_roles", 3, [9007199254740993]],
         rows=[{"attached": [9007199254740993], "detached": [], "updated": []}]),
    dict(name="an int above 2^63",
         sql=ATTACH, params=["user_roles", 1, [2 ** 63]], error="22003"),
    dict(name="UUID",
         sql=SYNC, params=["document_topics", HOME, [TOPICS[1], TOPICS[0]]],
         rows=[{"attached": [str(TOPICS[1])], "detached": [], "updated": []}]),
    dict(name="UUIDs come back as such where a type is named",
         sql="SELECT * FROM m2m.related_ids($1, $2, NULL::uuid) AS id",
         params=["document_topics", HOME], rows=[{"id": TOPICS[0]}]),
    dict(name="UUIDs as parents come back as such",
         sql="SELECT parent FROM m2m.get_results_for($1, $2)",
         params=["document_topics", [HOME]], rows=[{"parent": HOME}]),
    dict(name="None for ids of a text key",
         sql=SYNC, params=["page_labels", "home", None], error="22004"),
    dict(name="text keys: an empty list is sent as '{}' without a type, which is one id: cast it",
         sql="SELECT * FROM m2m.sync(m2m.inverse($1), $2, $3)", params=["page_labels", "red", []],
         error="23503", hint="::text[]"),
]


def read(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        return file.read()


class Cases:
    """Runs cases through one driver.

    execute(sql, params) runs a statement, whose parameters are written %(p1)s, and returns its
    rows as dictionaries; error(exception) gives an exception's SQLSTATE and hint.
    """

    def __init__(self, tap, connection, execute, error):
        self.tap = tap
        self.connection = connection
        self.execute = execute
        self.error = error
        self.called = ""

    def query(self, sql, params=()):
        """Run a statement written with $1, $2, ..."""
        if params:
            sql = re.sub(r"\$(\d+)", r"%(p\1)s", sql.replace("%", "%%"))
        return self.execute(sql, {f"p{n}": value for n, value in enumerate(params, 1)})

    def set_up(self, schema):
        """Make a schema of the driver's own, with all that cases work on."""
        self.query("CREATE SCHEMA IF NOT EXISTS m2m")
        self.query("CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m")
        self.query(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        self.query(f"CREATE SCHEMA {schema}")
        self.query(f"SET search_path = {schema}")
        self.query(read("schema.sql"))
        self.connection.commit()

    def tear_down(self, schema):
        """Drop the schema; before that, see that no function has been forgotten."""
        functions = [row["name"] for row in self.query("TABLE extension_functions")]
        forgotten = [name for name in functions if f"m2m.{name}(" not in self.called]
        self.tap.ok(not forgotten, "every function has been called", *forgotten)
        self.query("SET client_min_messages = warning")
        self.query(f"DROP SCHEMA {schema} CASCADE")
        self.connection.commit()

    def run(self, name, sql, params=(), rows=None, error=None, hint="", run=None, then=None,
            after=None, check=None, gives=None):
        """Run one case."""
        self.called += sql
        wrong = []

        def expect(what, got, wanted):
            if got != wanted:
                wrong.append(f"{what}: {got!r}\nexpected: {wanted!r}")

        try:
            found = self.query(sql, params)
            if run or then:
                ((text,),) = (row.values() for row in found)
                found = self.query(run.replace("{}", text)) if run else self.query(then, [text])
            if error:
                wrong.append(f"expected error {error}, got {found!r}")
            if rows is not None:
                expect("rows", found, rows)
            if after is not None:
                expect("after it", self.query("TABLE roles_of_user_1")[0]["state"], after)
            if check:
                expect("check", self.query(check), gives)
        except Exception as exception:  # of any kind: the driver's own, too
            state, its_hint = self.error(exception)
            if not error:
                wrong.append(f"{type(exception).__name__}: {exception}")
            else:
                expect("error", state, error)
                if hint not in (its_hint or ""):
                    wrong.append(f"{exception}\nexpected a hint with: {hint}\ngot: {its_hint}")
        self.connection.rollback()
        self.tap.ok(not wrong, name, *wrong)

    def run_file(self, mode, to_json):
        """Run cases.json; to_json makes a parameter of an object or a list of objects."""

        def parameter(value):
            parts = value if isinstance(value, list) else [value]
            return to_json(value) if any(isinstance(part, dict) for part in parts) else value

        for case in json.loads(read("cases.json")):
            params = [parameter(value) for value in case.pop("params", [])]
            self.run(f"{mode}: {case.pop('name')}", params=params, **case)
