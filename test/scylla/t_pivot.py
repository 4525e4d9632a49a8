#!/usr/bin/env python3
"""A pivot in Cassandra: the operations that write to it. What they have done is read with another client."""

import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cassandra"))
from cassandra_server import Tap, shared, skip_all  # noqa: E402

try:
    import psycopg2
except ImportError:
    skip_all("psycopg2 is not installed")

CALLERS = 8

tap = Tap()
server = shared()
driver = server.connect()
driver.execute("DROP KEYSPACE IF EXISTS pivw")
driver.execute("CREATE KEYSPACE pivw WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
driver.execute("CREATE TABLE pivw.role_user (user_id bigint, role_id int, status text, level int,"
               " created_at timestamp, updated_at timestamp, PRIMARY KEY ((user_id), role_id))")
driver.execute("CREATE TABLE pivw.taggables (taggable_id bigint, kind text, tag_id int, note text,"
               " PRIMARY KEY ((taggable_id), kind, tag_id))")
driver.execute("CREATE TABLE pivw.tenant_roles (tenant int, user_id bigint, role_id int, part text, level int,"
               " PRIMARY KEY ((tenant, user_id), role_id, part))")
driver.execute("CREATE TABLE pivw.visits (user_id bigint, role_id int, at timestamp, PRIMARY KEY ((user_id), role_id, at))")
driver.execute("CREATE TABLE pivw.hits (user_id bigint, role_id int, n counter, PRIMARY KEY ((user_id), role_id))")
driver.execute("CREATE TABLE pivw.one_role (user_id bigint PRIMARY KEY, role_id int)")


def connect():
    connection = psycopg2.connect("")
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("SET client_min_messages = warning; SET search_path = public, f, m2m; SET timezone = 'UTC'")
    return cursor


pg = connect()
pg.execute("CREATE SCHEMA m2m; CREATE EXTENSION belongs_to_many SCHEMA m2m; CREATE SCHEMA f")
pg.execute(f"CREATE SERVER cluster FOREIGN DATA WRAPPER scylla OPTIONS (hosts '{server.hosts[0]}',"
           f" port '{server.port}', sslmode 'disable')")
pg.execute("CREATE USER MAPPING FOR CURRENT_USER SERVER cluster OPTIONS (username 'cassandra', password 'cassandra')")
pg.execute("IMPORT FOREIGN SCHEMA pivw FROM SERVER cluster INTO f")
pg.execute("CREATE TABLE users (id bigint PRIMARY KEY, tenant int DEFAULT 1, UNIQUE (tenant, id));"
           " CREATE TABLE roles (id int PRIMARY KEY, name text);"
           " CREATE TABLE items (id int, part text, PRIMARY KEY (id, part));"
           " INSERT INTO users SELECT i FROM generate_series(1, 50) i;"
           " INSERT INTO roles SELECT i, 'role ' || i FROM generate_series(1, 50) i")


def sql(text, *parameters, cursor=pg):
    """The rows of a statement."""
    cursor.execute(text, parameters or None)
    return cursor.fetchall() if cursor.description else []


def value(text, *parameters, cursor=pg):
    return sql(text, *parameters, cursor=cursor)[0][0]


def error_of(text, *parameters, cursor=pg):
    """SQLSTATE, message, detail of a statement's error; None without one."""
    try:
        sql(text, *parameters, cursor=cursor)
    except psycopg2.Error as error:
        return error.pgcode, error.diag.message_primary, error.diag.message_detail
    return None


def there(user, columns="role_id, status, level", table="role_user", where="user_id"):
    """The rows of a partition, as another client reads them."""
    return [tuple(row.values()) for row in driver.execute(f"SELECT {columns} FROM pivw.{table} WHERE {where} = {user}")]


def is_(got, expected, name):
    tap.ok(got == expected, name, f"got      {got}", f"expected {expected}")


def fails(text, state, message, detail=None, cursor=pg):
    """A statement's error, with parts of its message and detail."""
    error = error_of(text, cursor=cursor)
    tap.ok(error is not None and error[0] == state and message in error[1] and (detail or "") in (error[2] or ""),
           f"{state}: {text}", error)


def clear():
    for table in ("role_user", "taggables", "tenant_roles", "visits", "one_role", "hits"):
        driver.execute(f"TRUNCATE pivw.{table}")


def example():
    """The example of the documentation."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "pivot.sql"), encoding="utf-8") as file:
        lines = [line for line in file if not line.startswith("--")]
    sql("SELECT drop_relation('user_roles')")
    results = [sql(statement) for statement in "".join(lines).split(";\n") if statement]
    is_(results[1:], [[(3,)], [([4], [1, 3], [2])]], "the example of the documentation")
    is_(there(1), [(2, "paused", None), (4, None, None)], "... and what is there")


def attaching():
    is_(value("SELECT attach('user_roles', 2, '{1,2,3}', '{\"level\": 7}')"), 3, "attach")
    is_(value("SELECT attach('user_roles', 2, '{3,4}', '{\"level\": 8}')"), 1, "attach leaves what is there alone")
    is_(there(2), [(1, None, 7), (2, None, 7), (3, None, 7), (4, None, 8)], "... and writes the rest")
    is_(value("""SELECT attach('user_roles', 2, '{"1": {"level": 7}, "2": {"level": 9}, "5": {"status": "new"}}',"""
              " '{}', 'update')"), 2, "attach with update counts what is new and what has changed")
    is_(there(2), [(1, None, 7), (2, None, 9), (3, None, 7), (4, None, 8), (5, "new", None)], "... and leaves other cells alone")
    fails("SELECT attach('user_roles', 2, '{9,5}', on_conflict => 'error')", "23505",
          'duplicate key value in foreign table "role_user"', "Key (user_id, role_id)=(2, 5) already exists.")
    fails("SELECT attach('user_roles', 2, '{9,4}', on_conflict => 'duplicate')", "23505", "duplicate key")
    is_(value("SELECT attach('user_roles', 2, 9, on_conflict => 'duplicate')"), 1, "duplicate, of a pair that is new")
    is_(value("SELECT attach('user_roles', 2, 10, on_conflict => 'error')"), 1, "error, of a pair that is new")
    is_(value("SELECT detach('user_roles', 2, '{1,9,77}')"), 2, "detach of some")
    is_(value("SELECT detach('user_roles', 2, 2)"), 1, "detach of one")
    is_([row[0] for row in there(2)], [3, 4, 5, 10], "... and the others stay")
    is_(value("SELECT detach('user_roles', 2)"), 4, "detach of all")
    is_(there(2), [], "... and none is left")
    tap.ok(all(row["ttl(level)"] is None for row in driver.execute("SELECT ttl(level) FROM pivw.role_user")), "no TTL")


def syncing():
    value("SELECT attach('user_roles', 3, '{1,2,3}', '{\"status\": \"old\"}')")
    written = {row[0]: row[1] for row in there(3, "role_id, writetime(status)")}
    is_(sql("""SELECT * FROM sync('user_roles', 3, '{"9": {}, "2": {"status": "x"}, "3": {"status": "old"}, "8": {"level": 1}}')"""),
        [([8, 9], [1], [2])], "sync")
    is_(there(3), [(2, "x", None), (3, "old", None), (8, None, 1), (9, None, None)], "... and what is there")
    again = {row[0]: row[1] for row in there(3, "role_id, writetime(status)")}
    tap.ok(again[3] == written[3] and again[2] > written[2], "only the difference is written", written, again)
    is_(sql("SELECT * FROM sync('user_roles', 3, '{9,8,3,2}')"), [([], [], [])], "nothing to do")
    is_(sql("SELECT * FROM sync_without_detaching('user_roles', 3, '{9,1}', '{\"level\": 2}')"), [([1], [], [9])],
        "sync_without_detaching")
    is_(sql("SELECT * FROM toggle('user_roles', 3, '{7,9,1,6}', '{\"level\": 4}')"), [([7, 6], [1, 9])], "toggle")
    is_(there(3), [(2, "x", None), (3, "old", None), (6, None, 4), (7, None, 4), (8, None, 1)], "... and what is there")
    is_(sql("SELECT * FROM toggle('user_roles', 3, '{7,9,1,6}')"), [([9, 1], [6, 7])], "toggle back")
    is_(sql("SELECT * FROM sync('user_roles', 3, '{}')"), [([], [1, 2, 3, 8, 9], [])], "sync to nothing")
    is_(there(3), [], "... and none is left")


def updating():
    value("SELECT attach('user_roles', 4, '{1,2,3}', '{\"level\": 1}')")
    is_(value("SELECT update_existing_pivot('user_roles', 4, '{1,2,99}', '{\"level\": 5, \"status\": \"s\"}')"), 2,
        "update_existing_pivot makes no row")
    is_(value("SELECT update_existing_pivot('user_roles', 4, '{1,2,99}', '{\"level\": 5, \"status\": \"s\"}')"), 0,
        "... and what does not differ is not written")
    is_(value("SELECT update_existing_pivot('user_roles', 4, 2, '{\"level\": null}')"), 1, "null")
    is_(value("""SELECT update_existing_pivot('user_roles', 4, '{"1": {"level": 6}, "2": {"status": null}, "3": {"level": 1}}')"""),
        2, "attributes of each")
    is_(there(4), [(1, "s", 6), (2, None, None), (3, None, 1)], "... and what is there: a row without cells, too")
    is_(value("SELECT update_existing_pivot('user_roles', 4, 50, '{\"level\": 1}')"), 0, "one that is not there")
    is_([row[0] for row in there(4)], [1, 2, 3], "... is not made")


def stamping():
    value("SELECT attach('stamped', 5, '{1,2}', '{\"created_at\": \"2020-02-02 02:02:02.5Z\", \"updated_at\": \"2020-02-02Z\"}')")
    value("SELECT attach('stamped', 5, '{3}')")
    value("SELECT update_existing_pivot('stamped', 5, '{1,3}', '{\"level\": 3}')")
    value("SELECT attach('stamped', 5, '{2}', '{\"level\": null}', 'update')")
    rows = there(5, "role_id, created_at, updated_at")
    is_([str(row[1])[:22] for row in rows[:2]], ["2020-02-02 02:02:02.50"] * 2, "created_at that is given, and kept")
    tap.ok(rows[1][2].year == 2020, "an update without a difference leaves updated_at", rows)
    tap.ok(rows[0][2].year > 2020 and rows[2][1] == rows[2][1] and rows[2][2] > rows[2][1], "updated_at of the others", rows)


def filtering():
    value("""SELECT attach('user_roles', 6, '{"1": {"status": "active"}, "2": {"status": "gone"}, "3": {"status": "active"}}')""")
    is_(value("SELECT attach('active', 6, '{1,2,4}', '{\"status\": \"active\"}')"), 1, "attach leaves a pair out of the filter alone")
    is_(value("SELECT attach('active', 6, '{1,2}', '{\"level\": 9}', 'update')"), 1, "... with update, too")
    is_(there(6), [(1, "active", 9), (2, "gone", None), (3, "active", None), (4, "active", None)], "... and what is there")
    fails("SELECT * FROM sync('active', 6, '{2,3}')", "23505", "duplicate key", "(user_id, role_id)=(6, 2)")
    fails("SELECT * FROM toggle('active', 6, '{2}')", "23505", "duplicate key")
    fails("SELECT attach('active', 6, '{2}', on_conflict => 'error')", "23505", "duplicate key")
    value("SELECT attach('user_roles', 6, '{1,3,4}', '{\"status\": \"active\", \"level\": null}', 'update')")
    is_(sql("SELECT * FROM sync('active', 6, '{3,4}')"), [([], [1], [])], "sync")
    is_(value("SELECT detach('active', 6, '{2,3}')"), 1, "detach of some")
    is_(value("SELECT update_existing_pivot('active', 6, '{2,4}', '{\"level\": 1}')"), 1, "update")
    is_(value("SELECT detach('active', 6)"), 1, "detach of all")
    is_(there(6), [(2, "gone", None)], "... is not one of the partition")


def morphing():
    columns = "kind, tag_id, note"
    is_(value("SELECT attach('post_tags', 1, '{1,2,3}')"), 3, "one morph type")
    is_(value("SELECT attach('video_tags', 1, '{2,3,4}', '{\"note\": \"v\"}')"), 3, "another of the same partition")
    is_(sql("SELECT * FROM sync('video_tags', 1, '{3,1}')"), [([1], [2, 4], [])], "sync")
    fails("SELECT attach('video_tags', 1, 3, on_conflict => 'duplicate')", "23505", "duplicate key",
          "Key (taggable_id, tag_id)=(1, 3) already exists.")
    is_(value("SELECT detach('post_tags', 1)"), 3, "detach of all of one type")
    is_(there(1, columns, "taggables", "taggable_id"), [("video", 1, None), ("video", 3, "v")], "... leaves the other")


def keys():
    where = "tenant = 1 AND user_id"
    columns = "role_id, part, level"
    is_(value("SELECT attach('tenant_items', '[1, 7]', '[[1, \"a\"], [1, \"b\"], [2, \"a\"]]'::jsonb)"), 3, "keys of several columns")
    is_(sql("""SELECT * FROM sync('tenant_items', '{"tenant": 1, "user_id": 7}',"""
            """ '[{"role_id": 2, "part": "a", "level": 5}, {"role_id": 3, "part": "c"}, [1, "b"]]'::jsonb)"""),
        [([{"part": "c", "role_id": 3}], [{"part": "a", "role_id": 1}], [{"part": "a", "role_id": 2}])], "sync")
    is_(value("""SELECT attach('tenant_items', '[1, 7]', '[[1, "b"], [9, "z"]]'::jsonb)"""), 1, "attach")
    is_(sql("""SELECT * FROM toggle('tenant_items', '[1, 7]', '[[1, "b"], [9, "y"]]'::jsonb)"""),
        [([{"part": "y", "role_id": 9}], [{"part": "b", "role_id": 1}])], "toggle")
    is_(there(7, columns, "tenant_roles", where), [(2, "a", 5), (3, "c", None), (9, "y", None), (9, "z", None)], "... and what is there")
    is_(value("""SELECT detach('tenant_items', '[1, 7]', '[[9, "y"], [3, "c"], [4, "c"]]'::jsonb)"""), 2, "detach of some")
    is_(value("SELECT detach('tenant_items', '[1, 7]')"), 2, "detach of all")

    is_(value("""SELECT attach('visits', 1, '{1,2}', '{"at": "2024-01-01Z"}')"""), 2, "a key with a further column")
    is_(value("""SELECT attach('visits', 1, '{2}', '{"at": "2024-01-02Z"}', 'duplicate')"""), 1, "... allows a pair twice")
    is_(value("""SELECT attach('visits', 1, '{2,3}', '{"at": "2024-01-03Z"}')"""), 1, "... and knows that it is there")
    is_(value("SELECT detach('visits', 1, '{2}')"), 2, "detach of both")
    fails("SELECT attach('visits', 1, 9)", "23502", "null value")
    fails("""SELECT attach('visits', 1, '{3}', '{"at": "2024-01-03Z"}', 'duplicate')""", "23505", "duplicate key",
          "Key (user_id, role_id)=(1, 3) already exists.")
    fails("""SELECT attach('visits', 1, '{3}', '{"at": "2024-01-03 00:00:00.000999Z"}', 'duplicate')""", "23505", "duplicate key")
    fails("""SELECT update_existing_pivot('visits', 1, '{1,3}', '{"at": "2024-01-03Z"}')""", "0A000", "cannot change the primary key",
          "A row of the pair (user_id, role_id)=(1, 1) has another value than the attributes (at).")
    sql("ALTER FOREIGN TABLE f.visits ALTER at SET DEFAULT '2024-01-05Z'")
    is_(value("SELECT attach('visits', 1, 9)"), 1, "a default in the key, of a pair that has no row")
    fails("SELECT attach('visits', 1, 9, on_conflict => 'duplicate')", "0A000", 'column "at" of foreign table "visits" must be given')
    sql("ALTER FOREIGN TABLE f.visits ALTER at DROP DEFAULT")


def counting():
    """Counters are added to, whatever operation writes them."""
    is_(value("SELECT attach('hits', 1, '{1,2}', '{\"n\": 5}')"), 2, "attach of counters")
    is_(value("SELECT attach('hits', 1, '{2,3}', '{\"n\": 7}', 'update')"), 2, "... with update")
    is_(value("SELECT update_existing_pivot('hits', 1, '{1,9}', '{\"n\": 2}')"), 1, "update_existing_pivot")
    is_(there(1, "role_id, n", "hits"), [(1, 2), (2, 7), (3, 7)], "... and what is there")


def refusing():
    is_(error_of("SELECT attach(belongs_to_many('users', 'roles', 'one_role', 'user_id', 'role_id'), 1, 1)")[:2],
        ("0A000", 'attach() cannot write to foreign table "one_role"'), "a key of the relation that is none of the table")
    sql("CREATE FOREIGN TABLE IF NOT EXISTS half (user_id bigint OPTIONS (partition_key '1'), role_id int OPTIONS (clustering_key '1'))"
        " SERVER cluster OPTIONS (keyspace 'pivw', \"table\" 'visits')")
    error = error_of("SELECT attach(belongs_to_many('users', 'roles', 'half', 'user_id', 'role_id'), 1, 4)")
    tap.ok(error and error[0] == "HV021", "a definition that lacks a column of the key", error)
    sql("SET belongs_to_many.bulk_path = on")
    fails("SELECT attach('user_roles', 9, 1)", "0A000", 'pivot table "role_user" cannot be written in bulk', "It is a foreign table.")
    sql("RESET belongs_to_many.bulk_path")
    fails("SELECT attach('user_roles', 9, '{\"1\": {\"level\": \"x\"}}')", "22P02", "invalid input syntax")
    fails("SELECT attach('user_roles', 9, '{\"1\": {\"levle\": 1}}')", "42703", 'column "levle"')
    fails("SELECT attach('user_roles', NULL::bigint, 1)", "22004", "parent_id")
    is_(there(9), [], "nothing has been written")


def many():
    """More ids than are looked for by their keys, and more than a page."""
    count = 12000
    is_(value("SELECT attach('user_roles', 10, array(SELECT generate_series(1, %s)), '{\"level\": 1}')", count), count, "attach of many")
    is_(value("SELECT attach('user_roles', 10, array(SELECT generate_series(%s - 400, %s + 400)))", count, count), 400,
        "some of which are there")
    is_(sql("SELECT jsonb_array_length(attached), jsonb_array_length(detached), jsonb_array_length(updated)"
            " FROM sync('user_roles', 10, array(SELECT generate_series(1, %s, 3)), attributes => '{\"level\": 2}')", count),
        [(0, 8400, 4000)], "sync of many")
    is_(sorted(there(10)), [(i, None, 2) for i in range(1, count, 3)], "... and what is there")
    is_(value("SELECT detach('user_roles', 10, array(SELECT generate_series(1, 6000)))"), 2000, "detach of many")
    is_(value("SELECT detach('user_roles', 10)"), 2000, "detach of all")
    is_(there(10), [], "... and none is left")


def call_at_once(statements):
    """Each list of statements in a session of its own, all at the same time; their first values."""
    results = [None] * len(statements)
    barrier = threading.Barrier(len(statements))

    def caller(i):
        cursor = connect()
        barrier.wait()
        try:
            results[i] = [sql(statement, cursor=cursor)[0] for statement in statements[i]]
        except psycopg2.Error as error:
            results[i] = error.pgcode + " " + str(error)
        cursor.connection.close()

    threads = [threading.Thread(target=caller, args=(i,)) for i in range(len(statements))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    errors = [result for result in results if isinstance(result, str)]
    tap.ok(not errors, "no caller fails", *errors)
    return [[] if isinstance(result, str) else result for result in results]


def concurrency():
    """Callers on one parent: what they report adds up to what is there."""
    rounds = 20
    results = call_at_once([[f"SELECT attach('user_roles', 20, array(SELECT generate_series({i}, {i} + 3)))" for i in range(rounds)]
                            for _ in range(CALLERS)])
    counted = sum(row[0] for result in results for row in result)
    is_((counted, [row[0] for row in there(20)]), (rounds + 3, list(range(rounds + 3))), "attach: each pair is new to one caller")

    results = call_at_once([["SELECT * FROM toggle('user_roles', 21, '{1,2,3}')"] * rounds for _ in range(CALLERS)])
    attached = sum(len(row[0]) for result in results for row in result)
    detached = sum(len(row[1]) for result in results for row in result)
    is_((attached, detached, there(21)), (CALLERS * rounds * 3 // 2, CALLERS * rounds * 3 // 2, []), "toggle: every second call attaches")

    results = call_at_once([[f"SELECT * FROM sync('user_roles', 22, array(SELECT {i} * 100 + generate_series(1, 3)), attributes =>"
                             f" '{{\"level\": {i}}}')"] * rounds for i in range(CALLERS)])
    attached = sum(len(row[0]) for result in results for row in result)
    detached = sum(len(row[1]) for result in results for row in result)
    rows = there(22)
    tap.ok(attached - detached == 3 == len(rows) and len({row[0] // 100 for row in rows}) == 1,
           "sync: what is there is what one caller gave", attached, detached, rows)

    sql("SELECT attach('user_roles', 23, '{1,2}', '{\"level\": 0}')")
    results = call_at_once([["SELECT detach('user_roles', 23, '{1}')", "SELECT attach('user_roles', 23, '{1}')"] * rounds] * (CALLERS // 2) +
                           [["SELECT update_existing_pivot('user_roles', 23, '{1,2}', '{\"level\": 1}')",
                             "SELECT update_existing_pivot('user_roles', 23, '{1,2}', '{\"level\": 2}')"] * rounds] * (CALLERS // 2))
    detached = sum(row[0] for result in results[:CALLERS // 2] for row in result[::2])
    attached = sum(row[0] for result in results[:CALLERS // 2] for row in result[1::2])
    is_((1 + attached - detached, [row[0] for row in there(23)]), (2 - 1, [1, 2]), "detach and attach against updates: no pair is lost or made")

    inverse = "inverse('user_roles')"
    results = call_at_once([[f"SELECT attach('user_roles', {30 + i % 3}, '{{40,41}}')" for i in range(6)],
                            [f"SELECT attach({inverse}, {40 + i % 2}, '{{30,31,32}}')" for i in range(6)]] * 2)
    is_(sum(row[0] for result in results for row in result), 6, "both sides of a relation: each pair is new to one caller")


def saved():
    for name, relation in (
            ("user_roles", "belongs_to_many('users', 'roles', 'role_user', 'user_id', 'role_id')"),
            ("stamped", "with_timestamps('user_roles')"), ("active", "where_pivot('user_roles', 'status', 'active')"),
            ("post_tags", "morph(belongs_to_many('users', 'roles', 'taggables', 'taggable_id', 'tag_id'), 'kind', 'post')"),
            ("video_tags", "morph(belongs_to_many('users', 'roles', 'taggables', 'taggable_id', 'tag_id'), 'kind', 'video')"),
            ("tenant_items", "belongs_to_many('users', 'items', 'tenant_roles', ARRAY['tenant', 'user_id']::name[],"
             " ARRAY['role_id', 'part']::name[], ARRAY['tenant', 'id']::name[], ARRAY['id', 'part']::name[])"),
            ("visits", "belongs_to_many('users', 'roles', 'visits', 'user_id', 'role_id')"),
            ("hits", "belongs_to_many('users', 'roles', 'hits', 'user_id', 'role_id')")):
        sql(f"SELECT create_relation('{name}', {relation}, true)")
    is_(pg.connection.notices, [], "no NOTICE about an index")


def rolling_back():
    """Mode commit: nothing is there before COMMIT, and nothing of what was rolled back."""
    sql("BEGIN")
    value("SELECT attach('user_roles', 40, '{1,2,3}')")
    is_(there(40), [], "nothing is there before COMMIT")
    is_(sql("SELECT * FROM sync('user_roles', 40, '{2,4}', attributes => '{\"level\": 3}')"), [([4], [1, 3], [2])],
        "the transaction's own pairs are seen")
    sql("SAVEPOINT a")
    is_(value("SELECT detach('user_roles', 40)"), 2, "detach of all")
    value("SELECT attach('user_roles', 40, '{9}')")
    fails("SELECT attach('user_roles', 40, 9, on_conflict => 'error')", "23505", "duplicate key")
    sql("ROLLBACK TO a")
    is_(value("SELECT attach('user_roles', 40, '{2,5}')"), 1, "after ROLLBACK TO")
    sql("COMMIT")
    is_(there(40), [(2, None, 3), (4, None, 3), (5, None, None)], "what is there after COMMIT")
    sql("BEGIN")
    is_(value("SELECT detach('user_roles', 40)"), 3, "detach of all")
    value("SELECT attach('user_roles', 40, '{2}', '{\"level\": 8}')")
    sql("ROLLBACK")
    is_(there(40), [(2, None, 3), (4, None, 3), (5, None, None)], "what is there after ROLLBACK")
    sql("BEGIN")
    value("SELECT detach('user_roles', 40)")
    value("SELECT attach('user_roles', 40, '{2,7}')")
    sql("COMMIT")
    is_(there(40), [(2, None, None), (7, None, None)], "rows anew in a partition that was deleted")


def run(mode):
    if error_of(f"ALTER SERVER cluster OPTIONS (ADD write_mode '{mode}')"):
        sql(f"ALTER SERVER cluster OPTIONS (SET write_mode '{mode}')")
    clear()
    for test in (example, attaching, syncing, updating, stamping, filtering, morphing, keys, counting, refusing, many, concurrency):
        test()
    if mode == "commit":
        rolling_back()


saved()
for write_mode in ("immediate", "commit"):
    run(write_mode)
tap.finish()
