#!/usr/bin/env python3
"""Reads of relations whose pivot is in Cassandra, and the related table too: every one has the answer that it has on a
local copy, and many parents take one set of single-partition reads.

SCYLLA_READS sets the number of random reads.
"""

import json
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cassandra"))
from cassandra_server import Tap, define, shared  # noqa: E402

from postgres import Session  # noqa: E402

READS = int(os.environ.get("SCYLLA_READS", "300"))

tap = Tap()
server = shared()
driver = server.connect()
driver.execute("DROP KEYSPACE IF EXISTS pivot_reads")
define(driver,
       "CREATE KEYSPACE pivot_reads WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
       "CREATE TABLE pivot_reads.user_roles (user_id bigint, role_id int, status text, rank int, created_at timestamp,"
       " updated_at timestamp, PRIMARY KEY ((user_id), role_id))",
       "CREATE TABLE pivot_reads.roles (id int PRIMARY KEY, name text, level int, price decimal)",
       # both keys share the tenant, of which the team is no part of the partition
       "CREATE TABLE pivot_reads.team_tools (tenant int, team bigint, code text, status text, rank int,"
       " PRIMARY KEY ((tenant), team, code)) WITH CLUSTERING ORDER BY (team DESC, code ASC)",
       "CREATE TABLE pivot_reads.tools (tenant int, code text, name text, level int, PRIMARY KEY ((tenant), code))",
       # keys of two columns, all of the parent's in the partition
       "CREATE TABLE pivot_reads.order_parts (region text, order_no int, maker text, part_no smallint, status text,"
       " rank int, PRIMARY KEY ((region, order_no), maker, part_no))",
       "CREATE TABLE pivot_reads.parts (maker text, no smallint, name text, level int, PRIMARY KEY ((maker, no)))",
       # morph: a pivot value is part of the partition
       "CREATE TABLE pivot_reads.doc_labels (kind text, doc uuid, label text, status text, rank int,"
       " PRIMARY KEY ((kind, doc), label))",
       # keys of two columns each, all of one type
       "CREATE TABLE pivot_reads.cells (a int, b int, c int, d int, status text, rank int, PRIMARY KEY ((a, b), c, d))",
       "CREATE TABLE pivot_reads.squares (c int, d int, name text, level int, PRIMARY KEY ((c, d)))",
       "CREATE TABLE pivot_reads.labels (id text PRIMARY KEY, name text, level int)")

# a login of its own, by which the session is known among the server's clients
driver.execute("CREATE ROLE IF NOT EXISTS pivot_reads WITH PASSWORD = 'pivot_reads' AND LOGIN = true AND SUPERUSER = true")

session = Session("public, f, m2m")
sql = session.sql
session.set_up("f")
session.create_server("far", server, ("pivot_reads", "pivot_reads"), write_mode="immediate")
sql("IMPORT FOREIGN SCHEMA pivot_reads FROM SERVER far INTO f")


# By name: the tables, the columns of the keys, what fills them, parents and ids as JSON.
UUID = "00000000-0000-0000-0000-%012d"
ATTRIBUTES = "(ARRAY['a', 'b', NULL])[1 + ({0} * {1}) % 3], ({0} * 7 + {1} * 3) % 5"
SHAPES = {
    "plain": {
        "parent": "users (id bigint PRIMARY KEY)", "related": "roles", "pivot": "user_roles",
        "keys": "'user_id', 'role_id', 'id', 'id'", "timestamps": True,
        "pivot_rows": f"SELECT u, r, {ATTRIBUTES.format('u', 'r')}, timestamptz '2026-01-01 UTC' + r * interval '1.001 s',"
                      " NULL FROM generate_series(1, 20) u, generate_series(1, 14) r WHERE u * r % 4 <> 0",
        "related_rows": "SELECT r, 'role ' || r, r % 3, r / 4.0 FROM generate_series(1, 12) r",
        "parents": list(range(1, 24)), "ids": list(range(1, 10))},
    "composite": {
        "parent": "teams (tenant int, no bigint, PRIMARY KEY (tenant, no))", "related": "tools", "pivot": "team_tools",
        "keys": "ARRAY['tenant', 'team'], ARRAY['tenant', 'code'], ARRAY['tenant', 'no'], ARRAY['tenant', 'code']",
        "pivot_rows": f"SELECT t, n, 'c' || c, {ATTRIBUTES.format('n', 'c')} FROM generate_series(1, 3) t,"
                      " generate_series(1, 5) n, generate_series(1, 9) c WHERE t * n * c % 5 <> 0",
        "related_rows": "SELECT t, 'c' || c, 'tool ' || c, c % 3 FROM generate_series(1, 3) t, generate_series(1, 8) c",
        "parents": [{"tenant": t, "team": n} for t in range(1, 4) for n in range(1, 7)], "ids": [f"c{c}" for c in range(1, 9)]},
    "pairs": {
        "parent": "orders (region text, no int, PRIMARY KEY (region, no))", "related": "parts", "pivot": "order_parts",
        "keys": "ARRAY['region', 'order_no'], ARRAY['maker', 'part_no'], ARRAY['region', 'no'], ARRAY['maker', 'no']",
        "pivot_rows": f"SELECT 'r' || o, o, 'm' || p, p, {ATTRIBUTES.format('o', 'p')} FROM generate_series(1, 12) o,"
                      " generate_series(1, 12) p WHERE o * p % 4 <> 0",
        "related_rows": "SELECT 'm' || p, p, 'part ' || p, p % 3 FROM generate_series(1, 10) p",
        "parents": [{"region": f"r{o}", "order_no": o} for o in range(1, 15)],
        "ids": [{"maker": f"m{p}", "part_no": p} for p in range(1, 10)]},
    "grid": {
        "parent": "grids (a int, b int, PRIMARY KEY (a, b))", "related": "squares", "pivot": "cells",
        "keys": "ARRAY['a', 'b'], ARRAY['c', 'd'], ARRAY['a', 'b'], ARRAY['c', 'd']",
        "pivot_rows": f"SELECT a, b, c, d, {ATTRIBUTES.format('a', 'c')} FROM generate_series(1, 5) a, generate_series(1, 5) b,"
                      " generate_series(1, 4) c, generate_series(1, 4) d WHERE (a * 3 + b * 5 + c * 7 + d) % 4 = 0",
        "related_rows": "SELECT c, d, c || '-' || d, d % 3 FROM generate_series(1, 4) c, generate_series(1, 3) d",
        "parents": [[a, b] for a in range(1, 6) for b in range(1, 7)], "ids": [[c, d] for c in range(1, 5) for d in range(1, 5)]},
    "morph": {
        "parent": "docs (id uuid PRIMARY KEY)", "related": "labels", "pivot": "doc_labels",
        "keys": "'doc', 'label', 'id', 'id'", "value": "'kind', 'doc'",
        "pivot_rows": "SELECT k, ('00000000-0000-0000-0000-' || lpad(d::text, 12, '0'))::uuid, 'label ' || l,"
                      f" {ATTRIBUTES.format('d', 'l')} FROM unnest('{{doc,page}}'::text[]) k, generate_series(1, 9) d,"
                      " generate_series(1, 12) l WHERE k = 'doc' OR d % 2 = 0",
        "related_rows": "SELECT 'label ' || l, 'name ' || l, l % 3 FROM generate_series(1, 10) l",
        "parents": [UUID % d for d in range(1, 12)], "ids": [f"label {n}" for n in range(1, 10)]}}

for shape, parts in SHAPES.items():
    sql(f"CREATE TABLE {parts['parent']}")
    for table in (parts["pivot"], parts["related"]):
        names = {"user_roles": "user_id, role_id, status, rank, created_at, updated_at",
                 "roles": "id, name, level, price", "doc_labels": "kind, doc, label, status, rank",
                 "team_tools": "tenant, team, code, status, rank", "order_parts": "region, order_no, maker, part_no, status, rank",
                 "tools": "tenant, code, name, level", "parts": "maker, no, name, level", "labels": "id, name, level",
                 "cells": "a, b, c, d, status, rank", "squares": "c, d, name, level"}[table]
        rows = parts["pivot_rows" if table == parts["pivot"] else "related_rows"]
        sql(f"INSERT INTO f.{table} ({names}) {rows}")
        sql(f"CREATE TABLE public.{table} AS TABLE f.{table}")
    for kind, related, pivot in (("local", "public", "public"), ("pivot", "public", "f"), ("both", "f", "f")):
        relation = (f"belongs_to_many('{parts['parent'].split()[0]}', '{related}.{parts['related']}',"
                    f" '{pivot}.{parts['pivot']}', {parts['keys']})")
        relation = f"with_pivot({relation}, 'status', 'rank')"
        if "value" in parts:
            relation = f"with_pivot_value({relation}, {parts['value']})"
        if "timestamps" in parts:
            relation = f"with_timestamps({relation})"
        sql(f"SELECT create_relation('{kind}_{shape}', {relation})")
sql("ALTER TABLE roles ADD PRIMARY KEY (id); ANALYZE")
tap.ok(all(sql(f"SELECT count(*) > 60 FROM public.{parts['pivot']}") == [(True,)] for parts in SHAPES.values()),
       "there are rows")

# ---- random reads, here and on the copy

rng = random.Random(7)
FILTERS = ["where_pivot({}, 'status', 'a')", "where_pivot({}, 'rank', '>', 1)", "or_where_pivot({}, 'rank', '<', 3)",
           "where_pivot_in({}, 'status', '{{a,b}}'::text[])", "where_pivot_null({}, 'status')",
           "where_pivot_between({}, 'rank', 1, 3)", "where_related({}, 'level', '1')", "where_related({}, 'name', 'like', '%1')"]
ORDERS = ["order_by_pivot({}, 'rank', 'desc')", "order_by({}, 'level')", "order_by({}, 'name', 'desc')"]


def random_relation():
    """Filters, orders and a page; the order is total, for names are unique."""
    relation = "{relation}"
    for steps in (FILTERS, ORDERS):
        for _ in range(rng.randrange(3)):
            relation = rng.choice(steps).replace("{}", relation).replace("{{", "{").replace("}}", "}")
    relation = f"order_by({relation}, 'name')"
    if rng.random() < 0.4:
        relation = f"take({relation}, {rng.randrange(6)}, {rng.randrange(3)})"
    return relation


def some(keys, most):
    """Some of the keys; of those of two columns of one type, most often such as differ in one column only."""
    if isinstance(keys[0], list) and rng.random() < 0.7:
        column, value = rng.randrange(2), rng.choice(keys)
        keys = [key for key in keys if key[column] == value[column]]
    return rng.choices(keys, k=rng.randrange(most))


def random_read(parts, relation):
    """A statement about a relation."""
    parent, parents, ids = (json.dumps(value).replace("'", "''") for value in (
        rng.choice(parts["parents"]), some(parts["parents"], 15), some(parts["ids"], 4)))
    return rng.choice([
        f"SELECT get_results({relation}, '{parent}'::jsonb)",
        f"SELECT * FROM get_results({relation}, '{parent}'::jsonb, NULL::record)"
        " AS r (name text, level int, pivot_rank int, pivot_status text)",
        f"SELECT * FROM get_results_for({relation}, '{parents}'::jsonb)",
        f"SELECT * FROM get_results_for({relation}, '{parents}'::jsonb, {rng.randrange(4)})",
        f"SELECT related_ids({relation}, '{parent}'::jsonb)",
        f"SELECT count_related({relation}, '{parent}'::jsonb)",
        f"SELECT * FROM count_related_for({relation}, '{parents}'::jsonb)",
        f"SELECT is_attached({relation}, '{parent}'::jsonb, '{ids}'::jsonb)",
        f"SELECT * FROM get_results({relation}, '{parent}'::jsonb, NULL::public.{parts['related']})"])


compared = different = found = 0
for number in range(READS // 4):
    shape = rng.choice([*SHAPES, "grid"])
    relation = random_relation()
    for read in [random_read(SHAPES[shape], relation) for _ in range(6)]:  # later ones find the plans of earlier ones
        answers = {kind: sql(read.replace("{relation}", f"'{kind}_{shape}'")) for kind in ("local", "pivot", "both")}
        found += str(answers["local"]) not in ("[]", "[([],)]", "[(0,)]", "[(False,)]")
        for kind in ("pivot", "both"):
            compared += 1
            if answers[kind] != answers["local"]:
                different += 1
                if different <= 5:
                    print(f"# {kind}: {read}\n#   {answers[kind]}\n#   not {answers['local']}")
tap.ok(different == 0, f"{compared} random reads have the answer that the local copy gives")
tap.ok(found > READS // 3, "and many find something", found)

# ---- SQL for the user's own statements


def text_of(call, shape, kind):
    """The text that a function returns."""
    return sql("SELECT " + call.replace("{relation}", f"'{kind}_{shape}'"))[0][0]


def rows_of(call, shape, kind):
    """The rows of the text, in an order of their own."""
    return sorted(map(repr, sql(text_of(call, shape, kind))))


for shape, call in (
        ("plain", "add_constraints(where_pivot({relation}, 'status', 'a'), 3, 'SELECT * FROM public.roles WHERE level > 0')"),
        ("plain", "add_constraints(take(order_by({relation}, 'name'), 3, 1), 3, 'SELECT id, name FROM f.roles')"),
        ("plain", "add_constraints({relation}, 'SELECT id, name FROM public.roles WHERE id < 4')"),
        ("composite", """add_constraints({relation}, '{"tenant": 1, "team": 2}'::jsonb, 'SELECT * FROM f.tools')"""),
        ("pairs", """add_constraints({relation}, '{"region": "r2", "order_no": 2}'::jsonb, 'SELECT * FROM f.parts')"""),
        ("morph", f"""add_constraints({{relation}}, '"{UUID % 2}"'::jsonb, 'SELECT * FROM labels')"""),
        ("plain", "new_pivot_query(where_pivot({relation}, 'rank', '>', 1), 3)"),
        ("plain", "new_pivot_query({relation})")):
    local = sorted(rows_of(call, shape, "local"))
    if call.startswith("new_pivot_query"):  # the imported table has other places for its columns
        count = [len(rows_of(call, shape, kind)) for kind in ("local", "pivot")]
        tap.ok(count[0] == count[1] > 0, f"{shape}: {call}", count)
        continue
    tap.ok(local and all(rows_of(call, shape, kind) == local for kind in ("pivot", "both")), f"{shape}: {call}",
           len(local), *(len(rows_of(call, shape, kind)) for kind in ("pivot", "both")))
for kind in ("local", "pivot", "both"):
    sql(f"SELECT create_relation_view('{kind}_plain', 'public.view_{kind}')")
views = [sql(f"SELECT id, name, pivot_user_id, pivot_rank FROM view_{kind} WHERE pivot_user_id IN (2, 3) ORDER BY 3, 1")
         for kind in ("local", "pivot", "both")]
tap.ok(len(views[0]) > 5 and views[0] == views[1] == views[2], "create_relation_view", *map(len, views))

# ---- what the server is asked


def explain(text):
    """EXPLAIN (VERBOSE)."""
    return "\n".join(row[0] for row in sql(f"EXPLAIN (VERBOSE, COSTS OFF) {text}"))


P = '"pivot_reads"."user_roles"'
for name, call, *parts in (
        ("new_pivot_query", "new_pivot_query({relation}, 3)", f'FROM {P} WHERE "user_id" = ?'),
        ("pivot_predicate", "'SELECT rank FROM f.user_roles WHERE ' || pivot_predicate({relation}, 3)",
         f'CQL: SELECT "rank" FROM {P} WHERE "user_id" = ?'),
        ("add_constraints", "add_constraints({relation}, 3, 'SELECT * FROM f.roles')", f'FROM {P} WHERE "user_id" = ?',
         'FROM "pivot_reads"."roles" WHERE "id" = ?', "Markers: id IN", "CTE btm_pivot")):
    plan = explain(text_of(call, "plain", "both"))
    tap.ok(all(part in plan for part in parts), f"{name} is given to the server", plan)
tap.ok("Markers: user_id = 3" in explain("SELECT * FROM view_pivot WHERE pivot_user_id = 3"), "a view too")

sql("LOAD 'auto_explain'")
sql("SET auto_explain.log_nested_statements = on; SET auto_explain.log_verbose = on; SET auto_explain.log_level = notice")


def plans(text):
    """The plans of a statement and of those that it runs."""
    del session.connection.notices[:]
    sql("SET auto_explain.log_min_duration = 0; SET client_min_messages = notice")
    sql(text)
    sql("SET auto_explain.log_min_duration = -1; SET client_min_messages = warning")
    return "".join(session.connection.notices)


def cql(text):
    """The CQL statements of a call, one for each scan."""
    return [line.split("CQL: ")[1] for line in plans(text).split("\n") if "CQL: " in line]


PAIR = f'SELECT "role_id" FROM {P} WHERE "user_id" = ? AND "role_id"'
for name, text, expected in (
        ("many parents", "SELECT get_results_for('pivot_plain', ARRAY(SELECT generate_series(1, 500)))",
         [f'SELECT "user_id", "role_id", "created_at", "rank", "status", "updated_at" FROM {P} WHERE "user_id" = ?']),
        ("and their related rows", "SELECT get_results_for('both_plain', ARRAY(SELECT generate_series(1, 500)), 2)",
         [f'SELECT "user_id", "role_id", "created_at", "rank", "status", "updated_at" FROM {P} WHERE "user_id" = ?',
          'SELECT "id", "level", "name", "price" FROM "pivot_reads"."roles" WHERE "id" = ?']),
        ("no columns but those that are needed", "SELECT * FROM get_results('pivot_plain', 3, NULL::public.roles)",
         [f'SELECT "role_id" FROM {P} WHERE "user_id" = ?']),
        ("one pair", "SELECT is_attached('pivot_plain', 3, 5)", [PAIR + " = ?"]),
        ("several pairs", "SELECT is_attached('pivot_plain', 3, '[5, 6]')", [PAIR + " IN ?"]),
        ("ids", "SELECT related_ids('pivot_plain', 3)", [f'SELECT "role_id" FROM {P} WHERE "user_id" = ?']),
        ("counts", "SELECT * FROM count_related_for('pivot_plain', '[1, 2]')",
         [f'SELECT "user_id", "role_id" FROM {P} WHERE "user_id" = ?']),
        ("a filter on related rows", "SELECT count_related(where_related('both_plain', 'level', '1'), 3)",
         [f'SELECT "role_id" FROM {P} WHERE "user_id" = ?',
          'SELECT "id", "level" FROM "pivot_reads"."roles" WHERE "id" = ?']),
        ("teams of a tenant", """SELECT related_ids('pivot_composite', '{"tenant": 1, "team": 2}'::jsonb)""",
         ['SELECT "code" FROM "pivot_reads"."team_tools" WHERE "tenant" = ? AND "team" = ?']),
        ("a pivot value in the partition", f"SELECT related_ids('pivot_morph', '{UUID % 2}'::uuid)",
         ['SELECT "label" FROM "pivot_reads"."doc_labels" WHERE "kind" = ? AND "doc" = ?'])):
    asked = cql(text)
    tap.ok(asked == expected, name, *asked)
    tap.ok(not any("FILTERING" in statement for statement in asked), "nothing is filtered there")
counted = cql("SELECT count_related('pivot_plain', 3)")
tap.ok(counted[0] == f'SELECT count(*) FROM {P} WHERE "user_id" = ?', "one parent's rows are counted there", *counted)


def requests():
    """How many requests the server has had from the session."""
    return sum(row["request_count"] for row in driver.execute("SELECT * FROM system_views.clients")
               if row["username"] == "pivot_reads")


def cost(text):
    """The requests of a statement, whose CQL is prepared."""
    sql(text)
    before = requests()
    sql(text)
    return requests() - before


for text, count in (("SELECT get_results_for('pivot_plain', ARRAY(SELECT generate_series(1, 500)))", 500),
                    ("SELECT get_results_for('both_plain', ARRAY(SELECT generate_series(1, 500)))", 500 + 11),
                    ("SELECT get_results_for('both_plain', ARRAY(SELECT generate_series(1, 500)), 0)", 0),
                    ("SELECT get_results_for(take('both_plain', 0, 1), ARRAY(SELECT generate_series(1, 500)))", 0),
                    ("SELECT get_results(take('both_plain', 0), 3)", 0),
                    ("SELECT * FROM get_results(take('both_plain', 0), 3, NULL::public.roles)", 0),
                    ("SELECT get_results('both_plain', 3)", 1 + 11), ("SELECT related_ids('pivot_plain', 3)", 1),
                    ("SELECT count_related('pivot_plain', 3)", 1), ("SELECT is_attached('pivot_plain', 3, '[1, 2, 3]')", 1)):
    spent = cost(text)
    tap.ok(spent == count, f"{count} requests: {text}", spent)


def planned(text):
    """How often a planner is called for a statement whose kept plans are made."""
    sql(text)
    del session.connection.notices[:]
    sql("SET log_planner_stats = on; SET client_min_messages = log")
    sql(text)
    sql("SET log_planner_stats = off; SET client_min_messages = warning")
    return sum("PLANNER STATISTICS" in notice for notice in session.connection.notices)


sql("INSERT INTO f.user_roles (user_id, role_id) SELECT 50, generate_series(1, 300)")
few = planned("SELECT get_results('pivot_plain', 3)")
many = planned("SELECT get_results('pivot_plain', 50)")
tap.ok(many == few + 1, "a statement with many rows is planned for them, once", few, many)

driver.execute("DROP ROLE pivot_reads")
driver.execute("DROP KEYSPACE pivot_reads")
tap.finish()
