#!/usr/bin/env python3
"""Pivots here, in Cassandra and behind postgres_fdw give the same answers.

The statements of conformance.sql, and then random calls (CONFORMANCE_CALLS sets their number), run on four sets of
pivots of the same names, each in a schema of its own:

    local    tables with a primary key on the pair          cluster  tables in Cassandra: must answer as local
    plain    tables without any index                       loop     tables behind postgres_fdw: must answer as plain

What is compared is the result of each statement, or the SQLSTATE and message of its error, and after each write all
rows of the pivots.
"""

import json
import os
import random
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "cassandra"))
from cassandra_server import Tap, shared, skip_all  # noqa: E402

try:
    import psycopg2
except ImportError:
    skip_all("psycopg2 is not installed")

CALLS = int(os.environ.get("CONFORMANCE_CALLS", "250"))

# per pivot: columns, those of the key, of which the first ones are the partition key, and how many these are
PIVOTS = {
    "role_user": ("user_id bigint, role_id int, status text DEFAULT 'new', level int, score numeric, flag boolean,"
                  " words text[], ref uuid, created_at timestamptz, updated_at timestamptz", ("user_id", "role_id"), 1),
    "taggables": ("taggable_id bigint, kind text, tag_id int, note text", ("taggable_id", "kind", "tag_id"), 1),
    "members": ("tenant int, user_id bigint, role_id int, level int", ("tenant", "user_id", "role_id"), 2),
    "item_user": ('user_id bigint, item_id int, part text COLLATE "C", level int', ("user_id", "item_id", "part"), 1),
    "visits": ("user_id bigint, role_id int, day int, long boolean, note text", ("user_id", "role_id", "day"), 1),
    "cells": ("a int, b int, c int, d int", ("a", "b", "c", "d"), 2),
    "label_user": ('user_id bigint, label text COLLATE "C"', ("user_id", "label"), 1),
    "token_user": ("user_id bigint, token uuid", ("user_id", "token"), 1),
    "friends": ("user_id bigint, friend_id bigint", ("user_id", "friend_id"), 1),
}
CQL_TYPES = {"integer": "int", "int": "int", "numeric": "decimal", "timestamptz": "timestamp", "text[]": "list<text>"}
PAIRS = (("local", "cluster"), ("plain", "loop"))
WRITES = re.compile(r"\b(attach|detach|sync|sync_without_detaching|toggle|update_existing_pivot)\(|^ROLLBACK|^COMMIT")

tap = Tap()
server = shared()
driver = server.connect()


def columns(pivot):
    """Name, type and the rest of each column."""
    return [column.split(" ", 2) + [""] * (2 - column.count(" ")) for column in PIVOTS[pivot][0].split(", ")]


def connect(schema="public"):
    connection = psycopg2.connect("")
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(f"SET client_min_messages = warning; SET timezone = 'UTC'; SET search_path = {schema}, base, m2m")
    return cursor


admin = connect()


def sql(text, *parameters, cursor=admin):
    cursor.execute(text, parameters or None)
    return cursor.fetchall() if cursor.description else []


# ---- set-up

def make_local(schema, with_key):
    sql(f"CREATE SCHEMA {schema}")
    for pivot, (definition, key, _) in PIVOTS.items():
        sql(f"CREATE TABLE {schema}.{pivot} ({definition}" + (f", PRIMARY KEY ({', '.join(key)}))" if with_key else ")"))


def make_foreign(schema, foreign_server, options):
    """Foreign tables; options is a function of pivot and column, which may be None."""
    sql(f"CREATE SCHEMA {schema}")
    for pivot in PIVOTS:
        definition = ", ".join(f"{name} {kind} {options(pivot, name)} {rest}" for name, kind, rest in columns(pivot))
        sql(f"CREATE FOREIGN TABLE {schema}.{pivot} ({definition}) SERVER {foreign_server} {options(pivot, None)}")


def cql_options(pivot, column):
    _, key, partition = PIVOTS[pivot]
    if column is None:
        return "OPTIONS (keyspace 'conformance')"
    if column not in key:
        return "OPTIONS (cql_type 'list<text>')" if column == "words" else ""
    place = key.index(column)
    return (f"OPTIONS (partition_key '{place + 1}')" if place < partition else
            f"OPTIONS (clustering_key '{place - partition + 1}')")


def make_keyspace():
    driver.execute("DROP KEYSPACE IF EXISTS conformance")
    driver.execute("CREATE KEYSPACE conformance WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
    for pivot, (_, key, partition) in PIVOTS.items():
        definition = ", ".join(f'"{name}" {CQL_TYPES.get(kind, kind)}' for name, kind, _ in columns(pivot))
        names = [f'"{name}"' for name in key]
        driver.execute(f"CREATE TABLE conformance.{pivot} ({definition}, PRIMARY KEY (({', '.join(names[:partition])}),"
                       f" {', '.join(names[partition:])}))")


def set_up():
    sql("CREATE SCHEMA m2m; CREATE EXTENSION belongs_to_many SCHEMA m2m; CREATE EXTENSION postgres_fdw; CREATE SCHEMA base")
    sql("""CREATE TABLE base.users (id bigint PRIMARY KEY, tenant int NOT NULL DEFAULT 1, name text, UNIQUE (tenant, id));
        CREATE TABLE base.roles (id int PRIMARY KEY, tenant int NOT NULL DEFAULT 1, name text, UNIQUE (tenant, id));
        CREATE TABLE base.items (id int, part text COLLATE "C", PRIMARY KEY (id, part));
        CREATE TABLE base.grid (a int, b int, PRIMARY KEY (a, b));
        CREATE TABLE base.squares (c int, d int, PRIMARY KEY (c, d));
        INSERT INTO base.squares SELECT c, d FROM generate_series(1, 7) c, generate_series(1, 7) d;
        CREATE TABLE base.labels (label text COLLATE "C" PRIMARY KEY);
        CREATE TABLE base.tokens (token uuid PRIMARY KEY);
        INSERT INTO base.users SELECT i, 1, 'user ' || i FROM generate_series(1, 20) i;
        INSERT INTO base.roles SELECT i, 1, 'role ' || i FROM generate_series(1, 20) i;
        INSERT INTO base.items SELECT i, p FROM generate_series(1, 5) i, unnest('{a,b,x,y}'::text[]) p""")
    sql("""CREATE FUNCTION base.change_row() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF new.role_id = 2 THEN RETURN NULL; END IF;
                new.status := coalesce(new.status, '') || '+';
                RETURN new;
            END $$;
        CREATE FUNCTION base.log_row() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO log VALUES (tg_op, to_jsonb(old), to_jsonb(new));
                RETURN NULL;
            END $$;
        CREATE FUNCTION base.run(query text) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
            BEGIN
                RETURN QUERY EXECUTE CASE WHEN query ~ '^SELECT' THEN 'SELECT to_jsonb(q) FROM (' || query || ') q'
                    ELSE 'WITH q AS (' || query || ') SELECT to_jsonb(q) FROM q' END;
            END $$""")
    make_local("local", True)
    make_local("plain", False)
    make_local("far", False)
    make_keyspace()
    sql("DROP ROLE IF EXISTS conformer")
    sql("CREATE ROLE conformer")
    sql(f"CREATE SERVER cluster FOREIGN DATA WRAPPER scylla OPTIONS (hosts '{server.hosts[0]}', port '{server.port}',"
        " sslmode 'disable')")
    sql("CREATE USER MAPPING FOR PUBLIC SERVER cluster OPTIONS (username 'cassandra', password 'cassandra')")
    sql("""DO $$ BEGIN
        EXECUTE format('CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host %L, port %L, dbname %L)',
            trim(split_part(current_setting('unix_socket_directories'), ',', 1)), current_setting('port'), current_database());
        EXECUTE format('CREATE USER MAPPING FOR PUBLIC SERVER loop OPTIONS (user %L, password_required ''false'')', current_user);
        END $$""")
    make_foreign("cluster", "cluster", cql_options)
    make_foreign("loop", "loop", lambda pivot, column: "" if column else "OPTIONS (schema_name 'far')")
    for schema in ("local", "plain", "cluster", "loop"):
        sql(f"CREATE TABLE {schema}.log (action text, old_row jsonb, new_row jsonb);"
            f" GRANT ALL ON SCHEMA {schema} TO conformer; GRANT ALL ON {schema}.log TO conformer")
    sql("GRANT USAGE ON SCHEMA base, m2m TO conformer; GRANT SELECT ON ALL TABLES IN SCHEMA base TO conformer")


# ---- running and comparing

class Pivots:
    """One set of pivots, and a session that sees them."""

    def __init__(self, schema):
        self.schema = schema
        self.cursor = connect(schema)
        self.reader = connect(schema)

    def answer(self, statement):
        """What a statement gives: rows, or the error."""
        try:
            rows = sql(statement, cursor=self.cursor)
        except psycopg2.Error as error:
            message = (error.diag.message_primary or "").replace(f"{self.schema}.", "").replace("foreign table", "table")
            return ("error", error.pgcode, "" if error.pgcode[:2] == "23" else message)
        if not re.search("ORDER BY|'ordered'|'by_name'|order_by", statement):
            rows = sorted(rows, key=repr)
        return json.loads(json.dumps(rows, default=str).replace(f"{self.schema}.", ""))

    def content(self):
        """All rows of all pivots; of timestamps, whether there is one."""
        result = {}
        for pivot in PIVOTS:
            names = [f"{name} IS NULL" if kind == "timestamptz" else name for name, kind, _ in columns(pivot)]
            result[pivot] = sorted(sql(f"SELECT {', '.join(names)} FROM {pivot}", cursor=self.reader), key=repr)
        return result


def compare(left, right, statement, differs):
    """Runs a statement on both; True if they are alike."""
    answers = [left.answer(statement), right.answer(statement)]
    reports = [] if answers[0] == answers[1] else [f"{pivots.schema}: {answer}" for pivots, answer in zip((left, right), answers)]
    if WRITES.search(statement) and left.cursor.connection.info.transaction_status == 0:
        contents = [left.content(), right.content()]
        for pivot in PIVOTS:
            if contents[0][pivot] != contents[1][pivot]:
                reports += [f"{pivot}, {pivots.schema}: {content[pivot]}" for pivots, content in zip((left, right), contents)]
    ok = differs == bool(reports)
    tap.ok(ok, f"{right.schema}: {statement[:110]}", statement, *reports)
    return ok


def statements():
    """Those of the file, each with whether it differs in Cassandra."""
    differs = False
    with open(os.path.join(HERE, "conformance.sql"), encoding="utf-8") as file:
        for line in file:
            if line.startswith("-- differs on scylla:"):
                differs = True
            elif line.strip() and not line.startswith("--"):
                yield line.strip().rstrip(";"), differs
                differs = False


# ---- random calls

def some_ids(rng, most=8):
    return sorted(rng.sample(range(1, 16), rng.randint(0, most)), key=lambda _: rng.random())


def some_attributes(rng):
    values = {"status": [None, "active", "gone", "x"], "level": [None, 1, 5, 9], "score": [None, 1.5, 20],
              "flag": [None, True, False], "words": [["a"], ["b", "c"], None]}
    return {name: rng.choice(values[name]) for name in rng.sample(sorted(values), rng.randint(0, 3))}


def some_list(rng):
    """Ids as an array, or with attributes as JSON."""
    ids = some_ids(rng)
    form = rng.random()
    if form < 0.5:
        return f"'{{{','.join(map(str, ids))}}}'::int[]"
    if form < 0.8:
        return "'" + json.dumps({str(i): some_attributes(rng) for i in ids}) + "'::jsonb"
    return "'" + json.dumps([{"role_id": i, **some_attributes(rng)} if rng.random() < 0.5 else i for i in ids]) + "'::jsonb"


def random_call(rng, policies):
    relation = rng.choice(["roles", "roles", "stamped", "active", "high", "either", "some", "valued"])
    parent = rng.randint(1, 4)
    shared_attributes = "'" + json.dumps(some_attributes(rng)) + "'::jsonb"
    ids = some_list(rng)
    ordered = f"order_by_pivot('{relation if relation != 'stamped' else 'roles'}', 'level', 'desc')"
    for column in ("role_id", "status", "score", "flag", "words"):
        ordered = f"order_by_pivot({ordered}, '{column}')"
    return rng.choice([
        f"SELECT attach('{relation}', {parent}, {ids}, {shared_attributes}, '{rng.choice(policies)}')",
        f"SELECT attach('{relation}', {parent}, {ids}, {shared_attributes})",
        f"SELECT * FROM sync('{relation}', {parent}, {ids}, true, {shared_attributes})",
        f"SELECT * FROM sync('{relation}', {parent}, {ids})",
        f"SELECT * FROM sync_without_detaching('{relation}', {parent}, {ids}, {shared_attributes})",
        f"SELECT * FROM toggle('{relation}', {parent}, {ids}, {shared_attributes})",
        f"SELECT update_existing_pivot('{relation}', {parent}, {ids}, {shared_attributes})",
        f"SELECT detach('{relation}', {parent}, '{{{','.join(map(str, some_ids(rng)))}}}'::int[])",
        f"SELECT detach('{relation}', {parent})" if rng.random() < 0.2 else "SELECT 1",
        f"SELECT related_ids('{relation}', {parent}), count_related('{relation}', {parent}), is_attached('{relation}', {parent}, {ids})",
        f"SELECT * FROM get_results_for({ordered}, ARRAY[{parent}, 3, 1], {rng.choice(['NULL', '2', '0'])})",
    ])


def random_calls(left, right, seed):
    """Calls, some of them in transactions with savepoints."""
    rng = random.Random(seed)
    depth = 0
    policies = ["ignore", "update", "error", "duplicate"]
    for _ in range(CALLS):
        step = rng.random()
        if depth == 0 and step < 0.08:
            statement, depth = "BEGIN", 1
        elif depth and step < 0.15:
            statement, depth = rng.choice(["COMMIT", "ROLLBACK"]), 0
        elif depth and step < 0.25:
            statement, depth = "SAVEPOINT s", 2
        elif depth == 2 and step < 0.4:
            statement = "ROLLBACK TO s"
        else:
            statement = random_call(rng, policies)
        if not compare(left, right, statement, False):
            break
    compare(left, right, "ROLLBACK", False)


set_up()
for names in PAIRS:
    pair = [Pivots(name) for name in names]
    for text, is_different in statements():
        compare(*pair, text, is_different and names[1] == "cluster")
    for number in range(3):
        random_calls(*pair, number)
sql("DROP OWNED BY conformer; DROP ROLE conformer")
tap.finish()
