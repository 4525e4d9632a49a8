"""Values of every type, with those at the edges, and texts that are no value of a type.

A case is a text, as scylla_execute takes it, the value that the driver has for it, and the JSON that scylla_query
gives. A text of None is a value that only the driver writes, since the text of another case is the value's own.
"""

import datetime
import decimal
import math
import struct
import uuid

from cassandra.util import Date, Duration, SortedSet, Time

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
