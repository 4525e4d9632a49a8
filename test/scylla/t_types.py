#!/usr/bin/env python3
"""Values of every type, with those at the edges: written by the extension and read by python3-cassandra, an
independent driver, and the other way round. The cases are in type_cases.py.
"""

import json
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cassandra"))
from cassandra_server import Tap, shared  # noqa: E402

from cassandra.util import OrderedMapSerializedKey, SortedSet  # noqa: E402

from postgres import Session  # noqa: E402
from type_cases import BAD, CASES, D, VECTORS  # noqa: E402

tap = Tap()
server = shared()
driver = server.connect()
driver.execute("CREATE KEYSPACE IF NOT EXISTS types WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
driver.execute("DROP TABLE IF EXISTS types.t")
driver.execute("DROP TYPE IF EXISTS types.address")
driver.execute("CREATE TYPE types.address (street text, zip text, \"Tags\" frozen<set<text>>)")
names = {kind: f"c{i}" for i, kind in enumerate([*CASES, *VECTORS])}
driver.execute("CREATE TABLE types.t (id int PRIMARY KEY, %s)" %
               ", ".join(f"{name} {kind.replace('address', 'types.address')}" for kind, name in names.items()))
driver.execute("DROP TABLE IF EXISTS types.counters")
driver.execute("CREATE TABLE types.counters (id int PRIMARY KEY, n counter)")

session = Session()
session.set_up()
session.create_server("types", server)


def execute(cql, *parameters):
    """scylla_execute; the SQLSTATE of its error, or ""."""
    return session.state_of("SELECT m2m.scylla_execute('types', %s, VARIADIC %s::text[])", cql, list(parameters))


QUERY = "SELECT q::text FROM m2m.scylla_query('types', %s, VARIADIC %s::text[]) AS q"


def query(cql, *parameters):
    """The rows of scylla_query, with numbers as exact as they came."""
    texts = session.values(QUERY, cql, list(parameters))
    return [json.loads(text, parse_float=D, parse_int=int) for text in texts]


def plain(value):
    """A value of the driver as one that compares by what is in it."""
    if isinstance(value, float):
        return ("float", "NaN" if math.isnan(value) else value, math.copysign(1, value))
    if isinstance(value, (SortedSet, set)):
        return ("set", sorted(map(repr, value)))
    if isinstance(value, (dict, OrderedMapSerializedKey)):
        return ("map", sorted((repr(plain(k)), repr(plain(v))) for k, v in value.items()))
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, D):
        return ("decimal", value.as_tuple() if value else 0)
    return value


def short(value):
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


next_id = 0
for kind, cases in CASES.items():
    column = names[kind]
    by_driver = driver.prepare(f"INSERT INTO types.t (id, {column}) VALUES (?, ?)")
    for text, value, expected in cases:
        next_id += 1
        if text is not None:
            state = execute(f"INSERT INTO types.t (id, {column}) VALUES (?, ?)", str(next_id), text)
            read = driver.execute(f"SELECT {column} FROM types.t WHERE id = {next_id}").one()
            read = read[column] if read else "no row"
            tap.ok(state == "" and plain(read) == plain(value), f"{kind} '{short(text)}' written by us, read by the driver",
                   f"state {state}, got {read!r}", f"expected {value!r}")
        next_id += 1
        driver.execute(by_driver, (next_id, value))
        rows = query(f"SELECT {column} FROM types.t WHERE id = ?", str(next_id))
        tap.ok(rows == [{column: expected}], f"{kind} {short(value)} written by the driver, read by us",
               f"got {rows!r}", f"expected {expected!r}")

for kind, (text, value, expected) in VECTORS.items():
    column = names[kind]
    next_id += 1
    state = execute(f"INSERT INTO types.t (id, {column}) VALUES (?, ?)", str(next_id), text)
    row = driver.execute(f"SELECT {column} FROM types.t WHERE id = {next_id}").one()
    tap.ok(state == "" and row and row[column] == value, f"{kind} '{text}' written by us: its bytes", state, row)
    rows = query(f"SELECT {column} FROM types.t WHERE id = {next_id}")
    tap.ok(rows == [{column: expected}], f"{kind} read by us", rows)
    next_id += 1
    driver.execute(f"INSERT INTO types.t (id, {column}) VALUES ({next_id}, {text.replace(chr(34), chr(39))})")
    rows = query(f"SELECT {column} FROM types.t WHERE id = {next_id}")
    tap.ok(rows == [{column: expected}], f"{kind} of a literal, read by us", rows)

# A timestamp and a date that PostgreSQL has not, and that the driver's own types have not.
for column, literal in ((names["timestamp"], str(2 ** 63 - 1)), (names["date"], "'-5877641-06-23'")):
    next_id += 1
    driver.execute(f"INSERT INTO types.t (id, {column}) VALUES ({next_id}, {literal})")
    error = session.error_of(QUERY, f"SELECT {column} FROM types.t WHERE id = {next_id}", [])
    tap.ok(error and error.pgcode == "22008" and "out of range" in error.diag.message_primary
           and f'column "{column}"' in error.diag.context,
           f"{literal} is beyond PostgreSQL's range: an error that names column and value", error)
for text, number in (("294276-12-31 23:59:59.999+00", 9224318015999999), ("4713-01-01 00:00:00+00 BC", -210863520000000)):
    next_id += 1
    state = execute(f"INSERT INTO types.t (id, {names['timestamp']}) VALUES (?, ?)", str(next_id), text)
    row = driver.execute(f"SELECT toUnixTimestamp({names['timestamp']}) AS n FROM types.t WHERE id = {next_id}").one()
    tap.ok(state == "" and row["n"] == number, f"timestamp '{text}', at the end of PostgreSQL's range", state, row)
    tap.ok(text[:6].rstrip("-") in str(query(f"SELECT {names['timestamp']} FROM types.t WHERE id = {next_id}")),
           f"timestamp '{text}' read by us")

# A text with a zero byte, which CQL allows.
next_id += 1
driver.execute(driver.prepare(f"INSERT INTO types.t (id, {names['text']}) VALUES (?, ?)"), (next_id, "a\x00b"))
state = session.state_of(QUERY, f"SELECT {names['text']} FROM types.t WHERE id = {next_id}", [])
tap.ok(state == "22021", "a text with a zero byte is an error", state)

# Null, and what is empty but not null.
next_id += 1
state = execute(f"INSERT INTO types.t (id, {names['int']}) VALUES (?, ?)", str(next_id), None)
rows = query(f"SELECT * FROM types.t WHERE id = {next_id}")
tap.ok(state == "" and len(rows) == 1 and rows[0]["id"] == next_id and len(rows[0]) == len(names) + 1
       and all(v is None for k, v in rows[0].items() if k != "id"), "nulls of every type", state, rows)
driver.execute(f"INSERT INTO types.t (id, {names['int']}) VALUES ({next_id}, blobAsInt(0x))")
rows = query(f"SELECT {names['int']} FROM types.t WHERE id = {next_id}")
tap.ok(rows == [{names["int"]: ""}], "an empty int is not null", rows)
for kind in ("list<int>", "set<text>", "map<text, int>"):
    next_id += 1
    state = execute(f"INSERT INTO types.t (id, {names[kind]}) VALUES (?, ?)", str(next_id), "{}" if "map" in kind else "[]")
    row = driver.execute(f"SELECT {names[kind]} FROM types.t WHERE id = {next_id}").one()
    tap.ok(state == "" and row is not None and row[names[kind]] is None, f"an empty {kind} is none, in CQL", state, row)

# Counters.
state = execute("UPDATE types.counters SET n = n + ? WHERE id = ?", "-5", "1")
row = driver.execute("SELECT n FROM types.counters WHERE id = 1").one()
tap.ok(state == "" and row["n"] == -5, "a counter changed by us", state, row)
driver.execute("UPDATE types.counters SET n = n + 7 WHERE id = 1")
tap.ok(query("SELECT n FROM types.counters WHERE id = 1") == [{"n": 2}], "a counter changed by the driver")

for kind, text, expected in BAD:
    state = execute(f"INSERT INTO types.t (id, {names[kind]}) VALUES (?, ?)", "0", text)
    tap.ok(state == expected, f"{kind} '{text}' is refused ({expected})", f"got {state}")
tap.ok(driver.execute("SELECT id FROM types.t WHERE id = 0").one() is None, "nothing of those was written")

driver.execute("DROP KEYSPACE types")
tap.finish()
