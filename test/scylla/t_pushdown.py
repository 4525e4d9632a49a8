#!/usr/bin/env python3
"""What is given to the server, and that the answers are those of a local copy of the data.

Random queries (conditions, comparisons of rows, order, LIMIT, counts) are asked of foreign tables with keys of several
shapes and of local copies. SCYLLA_COMPARISONS sets their number, SCYLLA_SEED what is drawn.
"""

import os
import random
import sys
from decimal import Decimal
from uuid import UUID

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cassandra"))
from cassandra_server import Tap, shared  # noqa: E402

from postgres import Session  # noqa: E402

COMPARISONS = int(os.environ.get("SCYLLA_COMPARISONS", "1000"))
rng = random.Random(int(os.environ.get("SCYLLA_SEED", "6")))

tap = Tap()
server = shared()
driver = server.connect()
driver.execute("DROP KEYSPACE IF EXISTS pushdown")
driver.execute("CREATE KEYSPACE pushdown WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
driver.execute("CREATE TABLE pushdown.plain (p int, a int, b text, c bigint, v int, PRIMARY KEY (p, a, b, c))")
driver.execute("CREATE TABLE pushdown.mixed (p text, q bigint, d date, ts timestamp, n decimal, s text static, v int,"
               " PRIMARY KEY ((p, q), d, ts, n)) WITH CLUSTERING ORDER BY (d DESC, ts ASC, n DESC)")
driver.execute("CREATE TABLE pushdown.single (p uuid PRIMARY KEY, f double, flag boolean, v int, t text)")
driver.execute("CREATE TABLE pushdown.down (p int, a smallint, b int, i inet, x varint, v text, PRIMARY KEY (p, a, b, i, x))"
               " WITH CLUSTERING ORDER BY (a DESC, b DESC, i ASC, x ASC)")
driver.execute("CREATE INDEX ON pushdown.plain (v)")
driver.execute("CREATE INDEX ON pushdown.plain (a)")
driver.execute("CREATE INDEX ON pushdown.single (t) USING 'sai'")
driver.execute("CREATE CUSTOM INDEX ON pushdown.down (v) USING 'StorageAttachedIndex' WITH OPTIONS = {'case_sensitive': 'false'}")

session = Session("f, public")
sql = session.sql
session.set_up("f")
session.create_server("pushdown", server)
sql("IMPORT FOREIGN SCHEMA pushdown FROM SERVER pushdown INTO f")


def explain(text, options="COSTS OFF"):
    """The lines of EXPLAIN (VERBOSE)."""
    return "\n".join(row[0] for row in sql(f"EXPLAIN (VERBOSE, {options}) {text}"))


def check_plan(name, query, *parts, absent=()):
    """The plan of a query has these parts, and not those."""
    plan = explain(query)
    missing = [part for part in parts if part not in plan] + [f"not {part}" for part in absent if part in plan]
    tap.ok(not missing, name, plan, *missing)


# ---- data

UUIDS = [f"00000000-0000-4000-8000-{number:012x}" for number in range(12)] + ["ffffffff-ffff-4fff-bfff-ffffffffffff"]
TEXTS = ["", "a", "B", "b", "ä", "zz", "Z", "a b", "é"]


def insert(table, columns, rows):
    statement = driver.prepare(f"INSERT INTO pushdown.{table} ({columns}) VALUES ({', '.join('?' * len(rows[0]))})")
    for future in [driver.execute_async(statement, row) for row in rows]:
        future.result()


insert("plain", "p, a, b, c, v",
       [(rng.randrange(6), rng.randrange(-2, 4), rng.choice(TEXTS), rng.randrange(3), rng.choice([None, 0, 1, 2]))
        for _ in range(500)])
insert("mixed", "p, q, d, ts, n, v",
       [(rng.choice(TEXTS[1:4]), rng.randrange(2), f"2026-01-0{rng.randrange(1, 5)}", 1767225600000 + rng.choice([0, 1, 500, 1000]),
         Decimal(rng.choice(["1", "2.50", "-3", "0"])), rng.randrange(9))
        for _ in range(400)])
insert("mixed", "p, q, s", [("a", 0, "static"), ("alone", 5, "no rows")])
insert("single", "p, f, flag, v, t",
       [(UUID(uuid), rng.choice([0.0, -0.0, 1.5, float("nan")]), rng.choice([True, False, None]), number,
         rng.choice(TEXTS)) for number, uuid in enumerate(UUIDS)])
insert("down", "p, a, b, i, x, v",
       [(rng.randrange(4), rng.randrange(-2, 3), rng.randrange(3), rng.choice(["10.0.0.1", "9.0.0.1", "::1"]),
         rng.choice([-1, 0, 10 ** 30]), rng.choice(TEXTS)) for _ in range(200)])

# ---- what is given to the server

INDEXED = "SELECT attrelid::regclass::text, attname FROM pg_attribute WHERE 'indexed=true' = ANY (attfdwoptions) ORDER BY 1, 2"
tap.ok(sql(INDEXED) == [("plain", "a"), ("plain", "v"), ("single", "t")], "columns with an index, but for one that ignores case",
       sql(INDEXED))
check_plan("LIMIT", "SELECT v FROM plain WHERE p = 1 ORDER BY a LIMIT 3 OFFSET 2", "Limit", 'WHERE "p" = ? LIMIT ?',
           "LIMIT '3'::bigint + '2'::bigint", absent=("Sort",))
check_plan("LIMIT of the rows in reverse", "SELECT v FROM plain WHERE p = 1 ORDER BY a DESC LIMIT 3",
           'ORDER BY "a" DESC, "b" DESC, "c" DESC LIMIT ?')
check_plan("LIMIT of each of several queries", "SELECT v FROM plain WHERE p IN (1, 2) LIMIT 3", "Limit", "LIMIT ?",
           "Queries: one for each value of p")
check_plan("LIMIT of the whole table", "SELECT v FROM plain LIMIT 3", 'FROM "pushdown"."plain" LIMIT ?')
for why, query in (("a condition that is checked here", "SELECT v FROM plain WHERE p = 1 AND v > 1 LIMIT 3"),
                   ("a condition that is checked again", "SELECT v FROM mixed WHERE p = 'a' AND q = 1 AND d = '2026-01-01'"
                    " AND ts > '2026-01-01' LIMIT 3"),
                   ("a sort", "SELECT v FROM plain WHERE p = 1 ORDER BY v LIMIT 3"),
                   ("a join", "SELECT 1 FROM plain JOIN generate_series(1, 2) AS g ON g = p LIMIT 3"),
                   ("DISTINCT", "SELECT DISTINCT v FROM plain WHERE p = 1 LIMIT 3"),
                   ("WITH TIES", "SELECT a FROM plain WHERE p = 1 ORDER BY a FETCH FIRST 2 ROWS WITH TIES"),
                   ("rows that are locked", "SELECT a FROM plain WHERE p = 1 LIMIT 3 FOR UPDATE"),
                   ("a function of sets", "SELECT generate_series(1, a) FROM plain WHERE p = 1 LIMIT 3"),
                   ("a window", "SELECT count(*) OVER () FROM plain WHERE p = 1 LIMIT 3"),
                   ("an aggregate", "SELECT sum(a) FROM plain WHERE p = 1 LIMIT 3")):
    check_plan(f"no LIMIT because of {why}", query, absent=("LIMIT ?",))
check_plan("count(*)", "SELECT count(*) FROM plain WHERE p = 1 AND a > 0", 'CQL: SELECT count(*) FROM "pushdown"."plain" WHERE "p" = ? AND "a" > ?',
           "Relations: Count of (plain)", "Markers: p = 1, a > 0")
check_plan("counts of several partitions", "SELECT count(b) + 1, count(*) FROM plain WHERE p IN (1, 2)", 'SELECT count("b"), count(*) FROM')
for why, query in (("a condition that is checked here", "SELECT count(*) FROM plain WHERE p = 1 AND v = 1"),
                   ("the whole table", "SELECT count(*) FROM plain"),
                   ("a column that may be null", "SELECT count(v) FROM plain WHERE p = 1"),
                   ("FILTER", "SELECT count(*) FILTER (WHERE a > 1) FROM plain WHERE p = 1"),
                   ("DISTINCT", "SELECT count(DISTINCT a) FROM plain WHERE p = 1"),
                   ("GROUP BY", "SELECT a, count(*) FROM plain WHERE p = 1 GROUP BY a"),
                   ("another aggregate", "SELECT count(*), max(c) FROM plain WHERE p = 1")):
    check_plan(f"no count(*) because of {why}", query, absent=("SELECT count(",))
check_plan("a comparison of rows", "SELECT v FROM down WHERE p = 1 AND (a, b) > (0::smallint, 1) AND (2::smallint, 2) >= (a, b)",
           'AND ("a", "b") > (?, ?) AND ("a", "b") <= (?, ?)', absent=("Filter",))
check_plan("a comparison of rows of both directions: its first column", "SELECT v FROM mixed WHERE p = 'a' AND q = 1"
           " AND (d, ts) > ('2026-01-01', '2026-01-01')", '"d" >= ?', "Filter: (ROW(mixed.d, mixed.ts)")
check_plan("an index", "SELECT p FROM plain WHERE v = 1 AND c = 2", 'WHERE "v" = ?', "Filter: (plain.c = 2)")
check_plan("an index of a key's column", "SELECT p FROM plain WHERE a = 1", 'WHERE "a" = ?', absent=("Filter",))
check_plan("a storage-attached index", "SELECT p FROM single WHERE t = 'a'", 'WHERE "t" = ?', absent=("Filter",))
check_plan("an index is not needed in a partition", "SELECT b FROM plain WHERE p = 1 AND v = 1", 'WHERE "p" = ?\n', "Filter: (plain.v = 1)")
check_plan("no index, no ALLOW FILTERING", "SELECT p FROM down WHERE v = 'a'", 'FROM "pushdown"."down"\n', "Filter", absent=("ALLOW FILTERING",))
check_plan("a join by an index", "SELECT * FROM generate_series(1, 2) AS g JOIN plain ON plain.v = g", "Nested Loop", 'WHERE "v" = ?')
plan = explain("SELECT v FROM plain WHERE p IN (0, 1, 2)", "ANALYZE, COSTS OFF, TIMING OFF")
tap.ok("Executions: 3" in plan and "Pages: 3" in plan, "EXPLAIN (ANALYZE): executions and pages", plan)

# ---- a rescan with the same values

sql("SET enable_material = off; SET enable_hashjoin = off; SET enable_mergejoin = off")
QUERY = "SELECT count(*) FROM (VALUES (1), (2), (3)) AS x (i) LEFT JOIN plain ON plain.p IN (1, 2) AND plain.a <> x.i"
plan = explain(QUERY, "ANALYZE, COSTS OFF, TIMING OFF")
tap.ok("Executions: 2\n" in plan and "loops=3" in plan, "a rescan does not ask again", plan)
sql("ALTER FOREIGN TABLE plain OPTIONS (ADD fetch_size '7')")
plan = explain(QUERY, "ANALYZE, COSTS OFF, TIMING OFF")
tap.ok("Executions: 6\n" in plan, "unless there are more rows than in a page", plan)
sql("RESET enable_material; RESET enable_hashjoin; RESET enable_mergejoin")

# ---- a table with children

sql("CREATE FOREIGN TABLE parent (p int OPTIONS (partition_key '1'), a int OPTIONS (clustering_key '1'), b text OPTIONS (clustering_key '2'),"
    " c bigint OPTIONS (clustering_key '3'), v int) SERVER pushdown OPTIONS (keyspace 'pushdown', \"table\" 'plain');"
    " CREATE TABLE kid () INHERITS (parent); INSERT INTO kid VALUES (1, 1, 'kid', 1, 1), (99, 1, 'kid', 1, NULL)")
tap.ok(sql("SELECT count(*) FROM parent WHERE p = 1") == sql("SELECT count(*) + 1 FROM plain WHERE p = 1"), "a table with children is counted with them")
tap.ok(sql("SELECT b FROM parent WHERE p = 99 LIMIT 2") == [("kid",)] and len(sql("SELECT p FROM parent LIMIT 5")) == 5, "and limited")
sql("CREATE TABLE parted (LIKE plain) PARTITION BY RANGE (p)")
for p in range(6):
    sql(f"CREATE FOREIGN TABLE parted_{p} PARTITION OF parted FOR VALUES FROM ({p}) TO ({p + 1}) SERVER pushdown"
        " OPTIONS (keyspace 'pushdown', \"table\" 'plain')")
    for column, place in (("p", "partition_key '1'"), ("a", "clustering_key '1'"), ("b", "clustering_key '2'"), ("c", "clustering_key '3'")):
        sql(f"ALTER FOREIGN TABLE parted_{p} ALTER COLUMN {column} OPTIONS (ADD {place})")
for setting in ("off", "on"):
    sql(f"SET enable_partitionwise_aggregate = {setting}")
    tap.ok(sql("SELECT count(*) FROM parted WHERE p = 1") == sql("SELECT count(*) FROM plain WHERE p = 1")
           and len(sql("SELECT a FROM parted WHERE p = 1 LIMIT 5")) == 5, f"a partitioned table, aggregates of partitions {setting}")
sql("RESET enable_partitionwise_aggregate")

# ---- ANALYZE

sql("ANALYZE plain; ANALYZE mixed; ANALYZE down")
tap.ok(sql("SELECT reltuples = (SELECT count(*) FROM plain), relpages > 0 FROM pg_class WHERE oid = 'plain'::regclass")
       == [(True, True)], "ANALYZE counts a small table exactly")
tap.ok(sql("SELECT n_distinct FROM pg_stats WHERE tablename = 'plain' AND attname = 'p'") == [(6,)], "and makes statistics")
rows = int(explain("SELECT * FROM plain WHERE p = 1", "COSTS ON").split("rows=")[1].split()[0])
actual = sql("SELECT count(*) FROM plain WHERE p = 1")[0][0]
tap.ok(actual / 3 < rows < actual * 3, "the size of a partition is estimated by them", rows, actual)
sql("CREATE FOREIGN TABLE keyless (a int) SERVER pushdown OPTIONS (keyspace 'pushdown', \"table\" 'plain')")
sql("ANALYZE keyless")
tap.ok(sql("SELECT reltuples FROM pg_class WHERE oid = 'keyless'::regclass") == [(-1,)], "a table without its key is not analyzed")

# ---- definitions that lack columns of the key

sql("CREATE SCHEMA less; IMPORT FOREIGN SCHEMA pushdown LIMIT TO (plain, mixed) FROM SERVER pushdown INTO less")
sql("ALTER FOREIGN TABLE less.plain DROP COLUMN b; ALTER FOREIGN TABLE less.mixed DROP COLUMN p")
check_plan("without a column of the clustering key", "SELECT v FROM less.plain WHERE p = 1 AND a = 1 AND c = 1",
           'WHERE "p" = ? AND "a" = ?', "Filter: (plain.c = 1)", "Not Pushed Down: conditions on the clustering key")
tap.ok(sql("SELECT a, c, v FROM less.plain WHERE p = 1 AND a = 1 AND c = 1 ORDER BY 1, 2, 3")
       == sql("SELECT a, c, v FROM plain WHERE p = 1 AND a = 1 AND c = 1 ORDER BY 1, 2, 3"), "it can be read")
check_plan("without a column of the partition key", "SELECT v FROM less.mixed WHERE q = 1", "Filter: (mixed.q = 1)",
           "Not Pushed Down: any condition")
tap.ok(sql("SELECT count(*) FROM less.mixed WHERE q = 1") == sql("SELECT count(*) FROM mixed WHERE q = 1"), "it can be read")

# ---- random queries, here and on a local copy

COLLATED = sql("SELECT collname FROM pg_collation WHERE collname IN ('und-x-icu', 'en-x-icu') ORDER BY 1 DESC LIMIT 1")
if COLLATED:
    for table, column in (("plain", "b"), ("mixed", "p"), ("down", "v")):
        sql(f'ALTER FOREIGN TABLE {table} ALTER COLUMN {column} TYPE text COLLATE "{COLLATED[0][0]}"')
for table in ("plain", "mixed", "single", "down"):
    sql(f"CREATE TABLE local_{table} AS TABLE {table}")
sql("CREATE TABLE probe (number int); INSERT INTO probe VALUES (0), (1), (2), (3)")

KEYS = {"plain": (["p"], ["a", "b", "c"]), "mixed": (["p", "q"], ["d", "ts", "n"]), "single": (["p"], []),
        "down": (["p"], ["a", "b", "i", "x"])}
TYPES = {"plain": {"p": "int", "a": "int", "b": "text", "c": "bigint", "v": "int"},
         "mixed": {"p": "text", "q": "bigint", "d": "date", "ts": "timestamptz", "n": "numeric", "s": "text", "v": "int"},
         "single": {"p": "uuid", "f": "double precision", "flag": "boolean", "v": "int", "t": "text"},
         "down": {"p": "int", "a": "smallint", "b": "int", "i": "inet", "x": "numeric", "v": "text"}}
VALUES = {"int": lambda: str(rng.randrange(-3, 7)), "bigint": lambda: str(rng.choice([0, 1, 2, 5, 99999999999])),
          "smallint": lambda: f"{rng.randrange(-2, 4)}::smallint", "text": lambda: f"'{rng.choice(TEXTS)}'::text",
          "date": lambda: f"date '{rng.choice(['2026-01-01', '2026-01-02', '2026-01-04', 'infinity', '-infinity'])}'",
          "timestamptz": lambda: "timestamptz '2026-01-01 00:00:0" + rng.choice(["0", "0.001", "0.0005", "0.5", "1", "1.000001"]) + "+00'",
          "numeric": lambda: rng.choice(["1", "1.00", "2.5", "-3", "'NaN'::numeric", "1e30", "0.5"]),
          "uuid": lambda: f"uuid '{rng.choice(UUIDS)}'", "double precision": lambda: rng.choice(["0", "-0.0", "1.5", "'NaN'::float8"]),
          "boolean": lambda: rng.choice(["true", "false"]),
          "inet": lambda: f"inet '{rng.choice(['10.0.0.1', '9.0.0.1', '::1', '10.0.0.0/8'])}'"}


def value(kind):
    """A value as SQL: a constant, or what is known at execution only, null among it."""
    if rng.random() < 0.1:
        return f"(SELECT NULL::{kind})"
    constant = VALUES[kind]()
    return f"(SELECT {constant})" if rng.random() < 0.3 else constant


def condition(table, column):
    kind = TYPES[table][column]
    drawn = rng.random()
    if drawn < 0.05:
        return f"{column} IS {rng.choice(['', 'NOT '])}NULL"
    if drawn < 0.25:
        return f"{column} IN ({', '.join(VALUES[kind]() for _ in range(rng.randrange(1, 5)))})"
    if drawn < 0.35:
        return f"{column} = ANY (ARRAY[{', '.join(value(kind) for _ in range(3))}])"
    collate = ' COLLATE "C"' if kind == "text" and rng.random() < 0.4 else ""
    if drawn < 0.42 and kind == "boolean":
        return column
    return f"{column}{collate} {rng.choice(['=', '=', '=', '<', '<=', '>', '>=', '<>'])} {value(kind)}"


def row_comparison(table):
    """A comparison of some columns of the clustering key, mostly the first ones."""
    columns = KEYS[table][1]
    first = 0 if rng.random() < 0.8 else 1
    columns = columns[first:first + rng.randrange(2, 4)]
    if len(columns) < 2:
        return "true"
    collate = ' COLLATE "C"' if rng.random() < 0.5 else ""
    named = ", ".join(column + (collate if TYPES[table][column] == "text" else "") for column in columns)
    values = ", ".join(value(TYPES[table][column]) for column in columns)
    operator = rng.choice(["<", "<=", ">", ">="])
    return f"({named}) {operator} ({values})" if rng.random() < 0.7 else f"({values}) {operator} ({named})"


def where(table, only_key=False):
    """Conditions; only_key: some that the server can check, as a rule."""
    partition, clustering = KEYS[table]
    parts = []
    rows = clustering and rng.random() < 0.4
    if only_key or rng.random() < 0.8:
        for column in partition:
            parts.append(f"{column} = {value(TYPES[table][column])}" if rng.random() < 0.7 else
                         f"{column} IN ({', '.join(VALUES[TYPES[table][column]]() for _ in range(3))})")
        for column in [] if rows and rng.random() < 0.8 else clustering[:rng.randrange(len(clustering) + 1)]:
            parts.append(f"{column} = {value(TYPES[table][column])}" if only_key or rng.random() < 0.6 else condition(table, column))
    if rows:
        parts += [row_comparison(table) for _ in range(rng.choice([1, 1, 2]))]
    if not only_key:
        parts += [condition(table, rng.choice(list(TYPES[table]))) for _ in range(rng.choice([0, 0, 1, 2]))]
    return " AND ".join(rng.sample(parts, len(parts))) or "true"


def same(table, query):
    """Has the foreign table the same rows for the query as the copy?"""
    return sorted(map(repr, sql(query.format(table)))) == sorted(map(repr, sql(query.format(f"local_{table}"))))


def compare_rows(table):
    columns = ", ".join(rng.sample(list(TYPES[table]), rng.randrange(1, len(TYPES[table]) + 1)))
    query = f"SELECT {columns} FROM {{}} AS z WHERE {where(table)}"
    return query, same(table, query)


def compare_counts(table):
    counted = rng.choice(["*", "*", rng.choice(KEYS[table][0] + KEYS[table][1])])
    query = f"SELECT count({counted}), count(*) + 1 FROM {{}} AS z WHERE {where(table, rng.random() < 0.6)}"
    if rng.random() < 0.2:
        query = f"SELECT number, ({query.replace(', count(*) + 1', '')} AND number >= 0) FROM probe"
    return query, same(table, query)


def compare_limits(table):
    """Any of the rows will do, but as many, and all of them different ones of the whole answer."""
    query = f"SELECT z::text FROM {{}} AS z WHERE {where(table, rng.random() < 0.6)}"
    limit, offset = rng.randrange(0, 12), rng.choice([0, 0, 1, 5])
    limited = f"{query} LIMIT {limit} OFFSET {offset}"
    everything = [row[0] for row in sql(query.format(f"local_{table}"))]
    some = [row[0] for row in sql(limited.format(table))]
    return limited, (len(some) == max(0, min(limit, len(everything) - offset)) and len(set(some)) == len(some)
                     and set(some) <= set(everything))


def compare_orders(table):
    """An order by all that is selected, so that the answer is one."""
    columns = KEYS[table][1][:rng.randrange(1, 5)] or KEYS[table][0]
    down = rng.random() < 0.5
    order = ", ".join(column + (' COLLATE "C"' if TYPES[table][column] == "text" and rng.random() < 0.5 else "")
                      + (" DESC" if down != (table in ("mixed", "down") and column in ("d", "n", "a", "b")) else " ASC")
                      + (" NULLS LAST" if rng.random() < 0.1 else "") for column in columns)
    query = f"SELECT {', '.join(columns)} FROM {{}} AS z WHERE {where(table, rng.random() < 0.5)} ORDER BY {order} LIMIT {rng.choice([1, 3, 10, 1000])}"
    return query, sql(query.format(table)) == sql(query.format(f"local_{table}"))


def compare_joins(table):
    """By the first column of the partition key, each row once."""
    column = KEYS[table][0][0]
    outer = ", ".join(f"({VALUES[TYPES[table][column]]()})" for _ in range(4))
    query = (f"SELECT DISTINCT o.outer_key::text, z::text FROM (VALUES {outer}) AS o (outer_key) {rng.choice(['JOIN', 'LEFT JOIN'])} {{}} AS z"
             f" ON z.{column} = o.outer_key AND {condition(table, rng.choice(list(TYPES[table])))}")
    return query, same(table, query)


FORMS = [compare_rows, compare_rows, compare_counts, compare_limits, compare_orders, compare_orders, compare_joins]
tally = {"compared": 0, "different": 0, "limits": 0, "counts": 0, "rows": 0, "conditions": 0}


def compare(number):
    """Runs that many comparisons and prints the first that differ."""
    wrong = 0
    for i in range(number):
        table = rng.choice(["plain", "plain", "mixed", "down", "down", "single"])
        query, good = rng.choice(FORMS)(table)
        tally["compared"] += 1
        if i % 4 == 0:
            plan = explain(query.format(table))
            tally["limits"] += "LIMIT ?" in plan
            tally["counts"] += "SELECT count(" in plan
            tally["rows"] += ") > (?" in plan or ") >= (?" in plan or ") < (?" in plan or ") <= (?" in plan
            tally["conditions"] += " WHERE \"" in plan
        if not good:
            wrong += 1
            if wrong <= 5:
                print(f"# {query.format(table)}\n# {sql(query.format(table))[:8]}\n# {sql(query.format('local_' + table))[:8]}")
    tally["different"] += wrong
    return wrong


tap.ok(compare(COMPARISONS * 4 // 5) == 0, "random queries: the answers are the same")

# ---- the same while there are changes that are not written yet

session.connection.autocommit = False
for name in ("", "local_"):
    sql(f"INSERT INTO {name}plain (p, a, b, c, v) SELECT i % 6, i % 5, 'new', 7, i % 3 FROM generate_series(1, 30) AS i")
    sql(f"DELETE FROM {name}plain WHERE p = 1 AND a < 1")
    sql(f"UPDATE {name}plain SET v = 2 WHERE p IN (0, 2) AND a = 1")
    sql(f"INSERT INTO {name}down (p, a, b, i, x, v) SELECT i % 4, i % 3, i % 2, '10.0.0.1', i + 100, 'new' FROM generate_series(1, 30) AS i")
plan = explain("SELECT count(*) FROM plain WHERE p = 1", "ANALYZE, COSTS OFF, TIMING OFF")
tap.ok("Executions: 0" in plan and "never executed" not in plan, "the rows are read and counted here then", plan)
SORTED = "(SELECT DISTINCT number::text, repeat('x', 60) || number FROM probe ORDER BY 1, 2)"
sorts = []
for number in range(1, 20):
    sql("SELECT count(*) FROM plain WHERE p = 1")
    sorts.append(len(set(sql(" UNION ALL ".join([SORTED] * number)))))
tap.ok(sorts == [4] * len(sorts), "and what that has kept is not taken twice afterwards", sorts)
tap.ok(compare(COMPARISONS // 5) == 0, "random queries in a transaction that has changed the tables")
session.connection.rollback()
session.connection.autocommit = True

print("# " + ", ".join(f"{count} {what}" for what, count in tally.items())
      + "; of every fourth query it is counted what its plan gives to the server")
tap.ok(COMPARISONS < 1000 or all(tally[what] > tally["compared"] // 4 // 20 for what in ("limits", "counts", "rows", "conditions")),
       "all of it was given to the server, often enough", tally)

tap.ok(sql("SELECT bool_and(in_flight = 0 AND NOT used_in_transaction AND valid) FROM m2m.scylla_connections()") == [(True,)],
       "nothing is left under way")
driver.execute("DROP KEYSPACE pushdown")
driver.cluster.shutdown()
tap.finish()
