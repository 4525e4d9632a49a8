#!/usr/bin/env python3
"""Values of every type, with those at the edges: written by the extension and read by python3-cassandra, an
independent driver, and the other way round.

A case is a text, as scylla_execute takes it, the value that the driver has for it, and the JSON that scylla_query
gives. A text of None is a value that only the driver writes, since the text of another case is the value's own.
"""

import datetime
import decimal
import json
import math
import os
import sys
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cassandra"))
from cassandra_server import Tap, shared, skip_all  # noqa: E402

from cassandra.util import Date, Duration, OrderedMapSerializedKey, SortedSet, Time  # noqa: E402

try:
    import psycopg2
except ImportError:
    skip_all("psycopg2 is not installed")

D = decimal.Decimal
U = "123e4567-e89b-42d3-a456-426614174000"
T = "d2177dd0-eaa2-11de-a572-001b779c76e3"
UTC = datetime.timezone.utc
HUGE = 2 ** 2000 + 1
INF = float("inf")


def date(year, month, day):
    return Date(datetime.date(year, month, day))


def stamp(*parts):
    """The driver's timestamps have no zone."""
    return datetime.datetime(*parts)


def float32(number):
    """The float of 32 bits that is nearest to a number, as Python has it."""
    import struct
    return struct.unpack("f", struct.pack("f", number))[0]


# type: [(text, value of the driver, JSON)]
CASES = {
    "ascii": [("abc", "abc", "abc"), ("", "", ""), ("a'b\"c\\", "a'b\"c\\", "a'b\"c\\")],
    "text": [("grüße 🐘", "grüße 🐘", "grüße 🐘"), ("", "", ""), ("x" * 100000, "x" * 100000, "x" * 100000),
             ("line\nline\ttab", "line\nline\ttab", "line\nline\ttab")],
    "varchar": [("\x7f\u0080", "\x7f\u0080", "\x7f\u0080")],
    "blob": [("\\x00ff", b"\x00\xff", "\\x00ff"), ("\\x", b"", "\\x"), ("abc", b"abc", "\\x616263")],
    "boolean": [("true", True, True), ("f", False, False)],
    "tinyint": [("-128", -128, -128), ("127", 127, 127), ("0", 0, 0)],
    "smallint": [("-32768", -32768, -32768), ("32767", 32767, 32767)],
    "int": [("-2147483648", -2 ** 31, -2 ** 31), ("2147483647", 2 ** 31 - 1, 2 ** 31 - 1)],
    "bigint": [("-9223372036854775808", -2 ** 63, -2 ** 63), ("9223372036854775807", 2 ** 63 - 1, 2 ** 63 - 1)],
    "varint": [(str(n), n, n) for n in (0, 1, -1, 127, 128, -128, -129, 255, 256, 32767, 32768, -32769, 2 ** 63,
                                        -2 ** 63 - 1, 2 ** 64, 10 ** 40, HUGE, -HUGE)],
    "decimal": [(t, D(t), D(t)) for t in ("0", "1.50", "-0.001", "0.00", "123456789012345678901234567890.123456789",
                                          "-99999999999999999999", "0." + "0" * 300 + "1")]
               + [("1e10", D("10000000000"), D("10000000000")), (None, D("125E+3"), D(125000))],
    "float": [("0.1", float32(0.1), D("0.1")), ("-0", -0.0, D(0)), ("NaN", math.nan, "NaN"), ("Infinity", INF, "Infinity"),
              ("-inf", -INF, "-Infinity"), ("3.4028235e38", float32(3.4028235e38), D("3.4028235e38")),
              ("1e-45", float32(1e-45), D("1e-45"))],
    "double": [("0.1", 0.1, D("0.1")), ("1.7976931348623157e308", 1.7976931348623157e308, D("1.7976931348623157e308")),
               ("5e-324", 5e-324, D("5e-324")), ("NaN", math.nan, "NaN"), ("-Infinity", -INF, "-Infinity")],
    "date": [("1970-01-01", date(1970, 1, 1), "1970-01-01"), ("1969-12-31", date(1969, 12, 31), "1969-12-31"),
             ("0001-01-01", date(1, 1, 1), "0001-01-01"), ("9999-12-31", date(9999, 12, 31), "9999-12-31"),
             ("5874897-12-31", Date(2145042905), "5874897-12-31"),
             ("4713-01-01 BC", Date(-2440550), "4713-01-01 BC")],
    "time": [("00:00:00", Time(0), "00:00:00"), ("23:59:59.999999999", Time(86399999999999), "23:59:59.999999999"),
             ("13:30:54.234", Time("13:30:54.234"), "13:30:54.234"), ("04:05 PM", Time("16:05:00"), "16:05:00"),
             ("00:00:00.000000001", Time(1), "00:00:00.000000001")],
    "timestamp": [("1970-01-01 00:00:00+00", stamp(1970, 1, 1), "1970-01-01T00:00:00+00:00"),
                  ("1969-12-31 23:59:59.999+00", stamp(1969, 12, 31, 23, 59, 59, 999000), "1969-12-31T23:59:59.999+00:00"),
                  ("2026-02-03 04:05:06.789123+00", stamp(2026, 2, 3, 4, 5, 6, 789000), "2026-02-03T04:05:06.789+00:00"),
                  ("1960-02-03 04:05:06.789999+00", stamp(1960, 2, 3, 4, 5, 6, 789000), "1960-02-03T04:05:06.789+00:00"),
                  ("2026-02-03 04:05:06+02", stamp(2026, 2, 3, 2, 5, 6), "2026-02-03T02:05:06+00:00")],
    "duration": [("P1Y2M3DT4H5M6.007S", Duration(14, 3, 14706007000000), "P1Y2M3DT4H5M6.007S"),
                 ("-P1M2DT0.000000003S", Duration(-1, -2, -3), "-P1M2DT0.000000003S"), ("PT0S", Duration(0, 0, 0), "PT0S"),
                 ("1 mon 2 days 03:04:05", Duration(1, 2, 11045000000000), "P1M2DT3H4M5S"),
                 ("P2W", Duration(0, 14, 0), "P14D"),
                 ("P178956970Y7M2147483647DT2562047H47M16.854775807S",
                  Duration(2 ** 31 - 1, 2 ** 31 - 1, 2 ** 63 - 1), "P178956970Y7M2147483647DT2562047H47M16.854775807S")],
    "uuid": [(U, uuid.UUID(U), U), (U.upper(), uuid.UUID(U), U), ("0" * 32, uuid.UUID(int=0), str(uuid.UUID(int=0)))],
    "timeuuid": [(T, uuid.UUID(T), T)],
    "inet": [("192.0.2.1", "192.0.2.1", "192.0.2.1"), ("2001:db8::1", "2001:db8::1", "2001:db8::1"), ("::", "::", "::"),
             ("255.255.255.255", "255.255.255.255", "255.255.255.255")],
    "list<int>": [("[3, 1, 3]", [3, 1, 3], [3, 1, 3])],
    "set<text>": [('["b", "a", "b"]', SortedSet(["a", "b"]), ["a", "b"])],
    "map<text, int>": [('{"a": 1, "": -2}', {"": -2, "a": 1}, {"": -2, "a": 1})],
    "map<int, text>": [('{"2": "two", "-1": "x"}', {-1: "x", 2: "two"}, {"-1": "x", "2": "two"})],
    "frozen<list<list<int>>>": [("[[1], [], [2, 3]]", [[1], [], [2, 3]], [[1], [], [2, 3]])],
    "map<frozen<list<int>>, frozen<set<text>>>": [('{"[1, 2]": ["x"]}', {(1, 2): SortedSet(["x"])}, {"[1, 2]": ["x"]})],
    "tuple<int, text, frozen<list<double>>>": [('[1, null, [0.5, 2]]', (1, None, [0.5, 2.0]), [1, None, [D("0.5"), 2]])],
    "frozen<address>": [('{"zip": "1", "street": "s", "Tags": ["x"]}', ("s", "1", SortedSet(["x"])),
                         {"street": "s", "zip": "1", "Tags": ["x"]}),
                        ('{"zip": null, "street": ""}', ("", None, None), {"street": "", "zip": None, "Tags": None})],
    "list<frozen<address>>": [('[{"street": "a"}, {"zip": "b"}]', [("a", None, None), (None, "b", None)],
                               [{"street": "a", "zip": None, "Tags": None}, {"street": None, "zip": "b", "Tags": None}])],
    "frozen<tuple<duration, time>>": [('["PT1S", "00:00:01"]', (Duration(0, 0, 10 ** 9), Time(10 ** 9)), ["PT1S", "00:00:01"])],
}

# Vectors: the driver of this age has their bytes only.
VECTORS = {
    "vector<float, 3>": ("[1, 2.5, -3]", bytes.fromhex("3f800000" "40200000" "c0400000"), [1, D("2.5"), -3]),
    "vector<bigint, 2>": ("[1, -1]", bytes.fromhex("0000000000000001" "ffffffffffffffff"), [1, -1]),
    "vector<text, 2>": ('["a", ""]', bytes.fromhex("01" "61" "00"), ["a", ""]),
}

# Texts that are no value of a type, and the SQLSTATE.
BAD = [
    ("ascii", "ü", "22P05"), ("boolean", "maybe", "22P02"), ("tinyint", "128", "22003"), ("tinyint", "-129", "22003"),
    ("smallint", "32768", "22003"), ("int", "2147483648", "22003"), ("int", "1.5", "22P02"), ("bigint", "x", "22P02"),
    ("varint", "1.5", "22003"), ("varint", "NaN", "22003"), ("decimal", "Infinity", "22003"), ("decimal", "x", "22P02"),
    ("date", "2026-02-30", "22008"), ("date", "infinity", "22008"), ("time", "24:00:00", "22008"),
    ("time", "abc", "22007"), ("timestamp", "infinity", "22008"), ("duration", "1 day -1 hour", "22008"),
    ("uuid", "123", "22P02"), ("inet", "192.0.2.0/24", "22023"), ("inet", "localhost", "22P02"),
    ("blob", "\\x0", "22023"), ("list<int>", "5", "22P02"), ("list<int>", "{}", "22P02"), ("list<int>", "[null]", "22004"),
    ("list<int>", "[[1]]", "22P02"), ("list<int>", "[1", "22P02"), ("set<text>", '{"a": 1}', "22P02"),
    ("map<text, int>", "[1]", "22P02"), ("map<text, int>", '{"a": null}', "22004"), ("map<int, text>", '{"a": "b"}', "22P02"),
    ("frozen<address>", '{"stret": "s"}', "42703"), ("tuple<int, text, frozen<list<double>>>", "[1]", "22P02"),
    ("vector<float, 3>", "[1, 2]", "22P02"), ("vector<float, 3>", "[1, 2, null]", "22004"),
]

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

connection = psycopg2.connect("")
connection.autocommit = True
pg = connection.cursor()
pg.execute("SET client_min_messages = warning; CREATE SCHEMA m2m; CREATE EXTENSION belongs_to_many SCHEMA m2m;"
           " SET timezone = 'UTC'")
pg.execute(f"CREATE SERVER types FOREIGN DATA WRAPPER scylla OPTIONS (hosts '{server.hosts[0]}', port '{server.port}',"
           " sslmode 'disable')")
pg.execute("CREATE USER MAPPING FOR CURRENT_USER SERVER types OPTIONS (username 'cassandra', password 'cassandra')")


def execute(cql, *parameters):
    """scylla_execute; the SQLSTATE of its error, or None."""
    try:
        pg.execute("SELECT m2m.scylla_execute('types', %s, VARIADIC %s::text[])", (cql, list(parameters)))
    except psycopg2.Error as error:
        return error.pgcode
    return None


def query(cql, *parameters):
    """The rows of scylla_query, with numbers as exact as they came."""
    pg.execute("SELECT q::text FROM m2m.scylla_query('types', %s, VARIADIC %s::text[]) AS q", (cql, list(parameters)))
    return [json.loads(row[0], parse_float=D, parse_int=int) for row in pg.fetchall()]


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
            tap.ok(state is None and plain(read) == plain(value), f"{kind} '{short(text)}' written by us, read by the driver",
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
    tap.ok(state is None and row and row[column] == value, f"{kind} '{text}' written by us: its bytes", state, row)
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
    try:
        query(f"SELECT {column} FROM types.t WHERE id = {next_id}")
        state, message, context = "none", "", ""
    except psycopg2.Error as error:
        state, message, context = error.pgcode, error.diag.message_primary, error.diag.context
    tap.ok(state == "22008" and "out of range" in message and f'column "{column}"' in context,
           f"{literal} is beyond PostgreSQL's range: an error that names column and value", state, message, context)
for text, number in (("294276-12-31 23:59:59.999+00", 9224318015999999), ("4713-01-01 00:00:00+00 BC", -210863520000000)):
    next_id += 1
    state = execute(f"INSERT INTO types.t (id, {names['timestamp']}) VALUES (?, ?)", str(next_id), text)
    row = driver.execute(f"SELECT toUnixTimestamp({names['timestamp']}) AS n FROM types.t WHERE id = {next_id}").one()
    tap.ok(state is None and row["n"] == number, f"timestamp '{text}', at the end of PostgreSQL's range", state, row)
    tap.ok(text[:6].rstrip("-") in str(query(f"SELECT {names['timestamp']} FROM types.t WHERE id = {next_id}")),
           f"timestamp '{text}' read by us")

# A text with a zero byte, which CQL allows.
next_id += 1
driver.execute(driver.prepare(f"INSERT INTO types.t (id, {names['text']}) VALUES (?, ?)"), (next_id, "a\x00b"))
try:
    query(f"SELECT {names['text']} FROM types.t WHERE id = {next_id}")
    state = None
except psycopg2.Error as error:
    state = error.pgcode
tap.ok(state == "22021", "a text with a zero byte is an error", state)

# Null, and what is empty but not null.
next_id += 1
state = execute(f"INSERT INTO types.t (id, {names['int']}) VALUES (?, ?)", str(next_id), None)
rows = query(f"SELECT * FROM types.t WHERE id = {next_id}")
tap.ok(state is None and len(rows) == 1 and rows[0]["id"] == next_id and len(rows[0]) == len(names) + 1
       and all(v is None for k, v in rows[0].items() if k != "id"), "nulls of every type", state, rows)
driver.execute(f"INSERT INTO types.t (id, {names['int']}) VALUES ({next_id}, blobAsInt(0x))")
rows = query(f"SELECT {names['int']} FROM types.t WHERE id = {next_id}")
tap.ok(rows == [{names["int"]: ""}], "an empty int is not null", rows)
for kind in ("list<int>", "set<text>", "map<text, int>"):
    next_id += 1
    state = execute(f"INSERT INTO types.t (id, {names[kind]}) VALUES (?, ?)", str(next_id), "{}" if "map" in kind else "[]")
    row = driver.execute(f"SELECT {names[kind]} FROM types.t WHERE id = {next_id}").one()
    tap.ok(state is None and row is not None and row[names[kind]] is None, f"an empty {kind} is none, in CQL", state, row)

# Counters.
state = execute("UPDATE types.counters SET n = n + ? WHERE id = ?", "-5", "1")
row = driver.execute("SELECT n FROM types.counters WHERE id = 1").one()
tap.ok(state is None and row["n"] == -5, "a counter changed by us", state, row)
driver.execute("UPDATE types.counters SET n = n + 7 WHERE id = 1")
tap.ok(query("SELECT n FROM types.counters WHERE id = 1") == [{"n": 2}], "a counter changed by the driver")

for kind, text, expected in BAD:
    state = execute(f"INSERT INTO types.t (id, {names[kind]}) VALUES (?, ?)", "0", text)
    tap.ok(state == expected, f"{kind} '{text}' is refused ({expected})", f"got {state}")
tap.ok(driver.execute("SELECT id FROM types.t WHERE id = 0").one() is None, "nothing of those was written")

driver.execute("DROP KEYSPACE types")
tap.finish()
