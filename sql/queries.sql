--
-- get_pivot_columns(), new_pivot_query(), pivot_predicate(), add_constraints(),
-- get_related_table(): SQL text, as it is printed and as it runs
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA queries;
SET search_path = queries, m2m;

-- Runs a text of SQL, as any session would that knows nothing of it.
CREATE FUNCTION run(query text) RETURNS SETOF jsonb LANGUAGE plpgsql SET search_path = pg_catalog AS
	$$BEGIN RETURN QUERY EXECUTE 'SELECT to_jsonb(q) FROM (' || query || ') q'; END$$;
CREATE FUNCTION run_count(query text) RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog AS
	$$DECLARE n bigint; BEGIN EXECUTE 'SELECT count(*) FROM (' || query || ') q' INTO n; RETURN n; END$$;

CREATE TABLE users (id bigint PRIMARY KEY, name text);
CREATE TABLE roles (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE user_roles (
	user_id bigint, role_id int, status text, junk int, level int, since date, PRIMARY KEY (user_id, role_id));
ALTER TABLE user_roles DROP junk;
INSERT INTO users VALUES (1, 'Ada'), (2, 'Bob');
INSERT INTO roles VALUES (1, 'admin'), (2, 'editor'), (3, 'author');
INSERT INTO user_roles VALUES (1, 1, 'active', 4, '2020-01-02'), (1, 2, 'it''s', NULL, '2020-02-01'), (1, 3, 'active', 2, NULL), (2, 2, 'active', 1, '2020-01-02'), (2, 9, 'x', 1, NULL);
SELECT create_relation('user_roles', with_pivot(belongs_to_many('users', 'roles', 'user_roles', 'user_id', 'role_id'), 'level'));

-- ---- get_related_table, get_pivot_columns

SELECT get_related_table('user_roles'), get_related_table(inverse('user_roles')), pg_typeof(get_related_table('user_roles'));
SELECT get_pivot_columns('user_roles'), get_pivot_columns(with_pivot(inverse('user_roles'), 'status', 'level'));
SELECT format('SELECT r.name, %s FROM roles r JOIN user_roles ON user_roles.role_id = r.id WHERE user_roles.user_id = 1 ORDER BY 1',
	array_to_string(get_pivot_columns('user_roles'), ', ')) AS query \gexec
SELECT get_related_table(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT get_pivot_columns(NULL);
\echo :LAST_ERROR_SQLSTATE

-- ---- new_pivot_query: all columns of the pivot

SELECT new_pivot_query('user_roles');
SELECT new_pivot_query('user_roles', 1);
SELECT new_pivot_query('user_roles', NULL);
SELECT new_pivot_query(NULL, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT run(new_pivot_query('user_roles', 1) || ' ORDER BY role_id');
SELECT run_count(new_pivot_query('user_roles')) AS "all", run_count(new_pivot_query('user_roles', 1)) AS one, run_count(new_pivot_query('user_roles', 77)) AS none,
	run_count(new_pivot_query('user_roles', NULL::bigint)) AS null_parent,
	run_count(new_pivot_query(inverse('user_roles'), 2)) AS inverse;
-- as it stands it is a statement, and can be gone on with
SELECT new_pivot_query(where_pivot('user_roles', 'level', '>', 1), '1') || ' ORDER BY role_id FOR UPDATE' AS query \gexec
SELECT new_pivot_query('user_roles', 'x');
\echo :LAST_ERROR_SQLSTATE

-- ---- pivot_predicate: for statements of one's own

SELECT pivot_predicate('user_roles') AS nothing, pivot_predicate('user_roles', 1::smallint) AS parent, pivot_predicate('user_roles', NULL) AS null_parent,
	pivot_predicate(where_pivot('user_roles', 'status', 'it''s')) AS filter;
SELECT pivot_predicate(or_where_pivot_null(where_pivot(with_pivot_value('user_roles', 'status', 'active'), 'level', '<', 3), 'since'), 1);
-- an OR in it reaches no other parent
BEGIN;
SELECT format('DELETE FROM user_roles WHERE %s RETURNING *', pivot_predicate(or_where_pivot(where_pivot('user_roles', 'level', 4), 'status', 'active'), 1)) AS query \gexec
SELECT user_id, role_id FROM user_roles ORDER BY 1, 2;
ROLLBACK;
BEGIN;
SELECT pivot_predicate('user_roles', 2) AS predicate \gset
UPDATE user_roles SET level = level + 10 WHERE :predicate RETURNING *;
SELECT pivot_predicate('user_roles', NULL) AS predicate \gset
UPDATE user_roles SET level = level + 10 WHERE :predicate RETURNING *;
ROLLBACK;
-- with other conditions around it
SELECT format('SELECT count(*) FROM user_roles WHERE NOT %s OR %1$s AND false', pivot_predicate(where_pivot('user_roles', 'level', '>', 0), 1)) AS query \gexec
-- never less than the relation: a filter on related rows
SELECT pivot_predicate(where_related('user_roles', 'name', 'admin'), 1) AS predicate \gset
SELECT :'predicate' AS predicate;
SELECT user_id, role_id FROM user_roles WHERE :predicate;
SELECT run(new_pivot_query(where_related(where_pivot('user_roles', 'level', '<', 9), 'name', 'like', '%or'), 1));

-- ---- the text is the relation: rows of every filter

-- the rows of the predicate are those of related_ids()
SELECT r.name, ids, count, ids = related_ids(rel, 1) AND count = count_related(rel, 1) AS same
FROM (VALUES
	('=', where_pivot('user_roles', 'status', 'active')), ('<>', where_pivot('user_roles', 'status', '<>', 'active')),
	('null', where_pivot_null('user_roles', 'level')), ('not null', where_pivot_not_null('user_roles', 'level')),
	('in', where_pivot_in('user_roles', 'level', '{1,2}')), ('not in', where_pivot_not_in('user_roles', 'level', '{1,2}')),
	('in nothing', where_pivot_in('user_roles', 'level', '{}')), ('not in nothing', where_pivot_not_in('user_roles', 'level', '{}')),
	('between', where_pivot_between('user_roles', 'level', 2, 3)), ('not between', where_pivot_not_between('user_roles', 'level', 2, 3)),
	('like', where_pivot('user_roles', 'status', 'like', '_t%')), ('not ilike', where_pivot('user_roles', 'status', 'NOT ILIKE', 'IT%')),
	('~', where_pivot('user_roles', 'status', '~', '^i')), ('is null', where_pivot('user_roles', 'level', 'is', NULL)),
	('distinct', where_pivot('user_roles', 'level', 'is distinct from', 4)), ('not distinct', where_pivot('user_roles', 'level', 'is not distinct from', 4)),
	('or', or_where_pivot(where_pivot('user_roles', 'level', 4), 'level', 2)), ('or, and', where_pivot(or_where_pivot(where_pivot('user_roles', 'level', 4), 'level', 2), 'since', '2020-01-02')),
	('value', with_pivot_value('user_roles', 'status', 'it''s')), ('null value', with_pivot_value('user_roles', 'level', NULL)),
	('related', where_related('user_roles', 'id', '>', 2))) AS r(name, rel),
LATERAL (SELECT COALESCE(jsonb_agg(q -> 'role_id' ORDER BY q -> 'role_id'), '[]') AS ids, count(*) FROM run(new_pivot_query(rel, 1)) q) q;

-- ---- it means the same under any settings of the session that runs it

SET datestyle = 'SQL, DMY';
SELECT pivot_predicate(where_pivot('user_roles', 'since', '02/01/2020'), 1) AS dmy \gset
SET datestyle = 'SQL, MDY';
SELECT role_id FROM user_roles WHERE :dmy;
RESET datestyle;
CREATE TABLE any_parent (f float8, n numeric, t text, y bytea, d date, ts timestamptz, iv interval, m money, b bool, a text[], c char(4), r int4range, role_id int);
SET datestyle = 'SQL, DMY';
SET intervalstyle = 'sql_standard';
SET timezone = 'Asia/Kathmandu';
SET extra_float_digits = -10;
SET bytea_output = 'escape';
INSERT INTO any_parent VALUES (1.0/3, 1.10, E'it''s \\ back\nslash; -- ', '\x00005c27', '02/03/2020', '02/03/2020 12:00', '1 month -2 days 03:04:05.6', '$1,234.50', true, '{"a\"b", NULL, "it''s"}', 'ab', '[1,3)', 1),
	('NaN', 'NaN', '', '', 'infinity', '-infinity', '0', '0', false, '{}', '', 'empty', 2);
CREATE TABLE made AS SELECT k, i, new_pivot_query(belongs_to_many('any_parent', 'roles', 'any_parent', k, 'role_id', k, NULL), p) AS query
FROM (SELECT role_id AS i, * FROM any_parent) a,
	LATERAL (VALUES ('f', f::text), ('n', n::text), ('t', t), ('y', y::text), ('d', d::text), ('ts', ts::text), ('iv', iv::text), ('m', m::text), ('b', b::text), ('c', c::text)) v(k, p)
WHERE NOT (k = 'f' AND i = 1);
INSERT INTO made SELECT 'f', 1, new_pivot_query(belongs_to_many('any_parent', 'roles', 'any_parent', 'f', 'role_id', 'f', NULL), f) FROM any_parent WHERE role_id = 1;
INSERT INTO made SELECT 'r', role_id, new_pivot_query(belongs_to_many('any_parent', 'roles', 'any_parent', 'r', 'role_id', 'r', NULL), r) FROM any_parent;
INSERT INTO made SELECT 'a', role_id, new_pivot_query(belongs_to_many('any_parent', 'roles', 'any_parent', 'a', 'role_id', 'a', NULL), a) FROM any_parent;
RESET datestyle; RESET intervalstyle; RESET timezone; RESET extra_float_digits; RESET bytea_output;
SET standard_conforming_strings = off;
SET escape_string_warning = off;
SELECT k, array_agg(i ORDER BY i) AS made, array_agg((SELECT array_agg(q -> 'role_id') FROM run(query) q) ORDER BY i) AS found FROM made GROUP BY k ORDER BY k;
SET standard_conforming_strings = on;
SELECT k, array_agg(i ORDER BY i) AS made, array_agg((SELECT array_agg(q -> 'role_id') FROM run(query) q) ORDER BY i) AS found FROM made WHERE k IN ('t', 'a', 'y') GROUP BY k ORDER BY k;
RESET standard_conforming_strings;
RESET escape_string_warning;
SELECT k, substring(query FROM 'WHERE .*') FROM made WHERE i = 1 AND k <> 'a' ORDER BY k;
-- an operator of the user's own in the way
CREATE FUNCTION never(bigint, bigint) RETURNS bool LANGUAGE sql IMMUTABLE RETURN false;
CREATE OPERATOR = (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = never);
SET search_path = queries, pg_catalog, m2m;
SELECT count(*) FROM user_roles WHERE user_id = 1::bigint;
SELECT new_pivot_query('user_roles', 1) || ' ORDER BY 1, 2' AS query \gexec
SET search_path = queries, m2m;
DROP OPERATOR queries.= (bigint, bigint);
-- types that are not in search_path
CREATE SCHEMA elsewhere;
CREATE TYPE elsewhere."Mood ""x" AS ENUM ('ok', 'it''s');
CREATE DOMAIN elsewhere.user_key AS bigint;
CREATE TABLE elsewhere.moods (u elsewhere.user_key, r int, m elsewhere."Mood ""x");
INSERT INTO elsewhere.moods VALUES (1, 1, 'ok'), (1, 2, 'it''s');
SELECT new_pivot_query(where_pivot(belongs_to_many('users', 'roles', 'elsewhere.moods', 'u', 'r'), 'm', 'it''s'), 1);
SELECT run(new_pivot_query(where_pivot(belongs_to_many('users', 'roles', 'elsewhere.moods', 'u', 'r'), 'm', 'it''s'), 1));

-- ---- keys of several columns

CREATE TABLE t_users (tenant int, id text, PRIMARY KEY (tenant, id));
CREATE TABLE t_roles (tenant int, id int, name text, PRIMARY KEY (tenant, id));
CREATE TABLE t_user_roles (tenant int, user_id text, role_id int, PRIMARY KEY (tenant, user_id, role_id),
	FOREIGN KEY (tenant, user_id) REFERENCES t_users, FOREIGN KEY (tenant, role_id) REFERENCES t_roles);
INSERT INTO t_users VALUES (1, 'a'), (2, 'a');
INSERT INTO t_roles VALUES (1, 1, 'one'), (2, 1, 'eins');
INSERT INTO t_user_roles VALUES (1, 'a', 1), (2, 'a', 1);
SELECT create_relation('t_user_roles', belongs_to_many('t_users', 't_roles'));
SELECT get_pivot_columns('t_user_roles'), pivot_predicate('t_user_roles', ROW(1, 'a')), pivot_predicate('t_user_roles', '[2, "a"]');
SELECT run(add_constraints('t_user_roles', u, 'TABLE queries.t_roles')) FROM t_users u;
SELECT pivot_predicate(where_related('t_user_roles', 'name', 'eins'), ROW(2, 'a')) AS predicate \gset
SELECT * FROM t_user_roles WHERE :predicate;

-- ---- add_constraints: a query on the related table, joined to the pivot

SELECT add_constraints('user_roles', 'SELECT id, name FROM roles');
SELECT add_constraints('user_roles', 1, 'SELECT id, name FROM roles');
SELECT add_constraints(where_related(where_pivot(take(order_by_pivot(order_by('user_roles', 'name'), 'level', 'desc'), 5, 1), 'level', '>', 0), 'id', '<', 3), 1, 'TABLE roles');
SELECT add_constraints('user_roles', NULL, 'SELECT * FROM roles');
SELECT run(add_constraints(order_by('user_roles', 'name'), 1, 'SELECT id, name FROM queries.roles WHERE id <> 2'));
SELECT run_count(add_constraints('user_roles', 'TABLE queries.roles')) AS "all", run_count(add_constraints('user_roles', 1, 'TABLE queries.roles')) AS one,
	run_count(add_constraints('user_roles', NULL::bigint, 'TABLE queries.roles')) AS null_parent, run_count(add_constraints(take('user_roles', 1), 'TABLE queries.roles')) AS taken,
	run_count(add_constraints(inverse('user_roles'), 2, 'TABLE queries.users')) AS inverse;
SELECT add_constraints(with_pivot(order_by('user_roles', 'id', 'desc'), 'since'), '1', 'SELECT * FROM roles') AS query \gexec
-- what a query may be
SELECT q, run_count(add_constraints('user_roles', 1, q)) FROM (VALUES
	('SELECT * FROM queries.roles'), ('TABLE queries.roles'), ('SELECT id FROM queries.roles UNION SELECT 3'),
	('WITH x AS (SELECT * FROM queries.roles) SELECT * FROM x'), ('(SELECT id FROM queries.roles)'), ('(SELECT id FROM queries.roles) LIMIT 1'),
	('SELECT id FROM queries.roles ORDER BY id LIMIT 2'), ('SELECT id FROM queries.roles WHERE name <> ''x;y'''), ('SELECT id, $q$ ; -- $q$ AS x FROM queries.roles'),
	(E'  \n SELECT id FROM queries.roles ;  \n'), ('SELECT id FROM queries.roles;;;'), (';;SELECT id FROM queries.roles'), ('SELECT id FROM queries.roles -- the end'),
	('SELECT id FROM queries.roles; -- the end'), ('SELECT id FROM queries.roles /* ; */ ; /* -- */'), ('-- first' || E'\n' || 'SELECT id FROM queries.roles'), ('/* a /* nested */ comment */ SELECT id FROM queries.roles'),
	(E'SELECT id FROM queries.roles --\r'), ('SELECT id AS id, name AS "é ü;" FROM queries.roles; -- ä'), ('SELECT r.id FROM queries.roles r JOIN queries.user_roles p ON p.role_id = r.id GROUP BY r.id')) v(q);
SELECT add_constraints('user_roles', 1, 'VALUES (1), (2)') LIKE E'%\nVALUES (1), (2)\n%' AS "values";
-- and what not: anything but one SELECT
SELECT add_constraints('user_roles', 1, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT add_constraints('user_roles', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT add_constraints('user_roles', 1, '');
\echo :LAST_ERROR_SQLSTATE
SELECT add_constraints('user_roles', 1, ' ; -- nothing');
\echo :LAST_ERROR_SQLSTATE
SELECT add_constraints('user_roles', 1, 'SELECT 1; SELECT 2');
\echo :LAST_ERROR_SQLSTATE
SELECT add_constraints('user_roles', 1, 'SELECT * FROM roles; DROP TABLE roles');
\echo :LAST_ERROR_SQLSTATE
SELECT add_constraints('user_roles', 1, 'DELETE FROM roles RETURNING *');
\echo :LAST_ERROR_SQLSTATE
SELECT add_constraints('user_roles', 1, 'SELECT * INTO x FROM roles');
\echo :LAST_ERROR_SQLSTATE
SELECT add_constraints('user_roles', 1, 'SELECT 1 AS id INTO x UNION SELECT 2');
\echo :LAST_ERROR_SQLSTATE
SELECT add_constraints('user_roles', 1, 'CREATE TABLE x AS SELECT 1');
\echo :LAST_ERROR_SQLSTATE
SELECT add_constraints('user_roles', 1, 'EXPLAIN SELECT 1');
\echo :LAST_ERROR_SQLSTATE
SELECT add_constraints('user_roles', 1, 'EXECUTE p');
\echo :LAST_ERROR_SQLSTATE
SELECT add_constraints('user_roles', 1, 'COPY roles TO STDOUT');
\echo :LAST_ERROR_SQLSTATE
SELECT add_constraints('user_roles', 1, 'DO $$BEGIN END$$');
\echo :LAST_ERROR_SQLSTATE
-- a query that would end the parentheses around it
SELECT add_constraints('user_roles', 1, 'SELECT 1 AS id) r; DROP TABLE roles; --');
\echo :LAST_ERROR_SQLSTATE
SELECT add_constraints('user_roles', 1, 'SELECT id FROM roles) AS r ON (true) UNION SELECT (1');
\echo :LAST_ERROR_SQLSTATE
SELECT add_constraints('user_roles', 1, 'SELECT id FROM roles /* and never ends');
\echo :LAST_ERROR_SQLSTATE
SELECT add_constraints('user_roles', 1, 'SELECT id FROM roles WHERE name = ''and never ends');
\echo :LAST_ERROR_SQLSTATE
SELECT add_constraints('user_roles', 1, 'SELECT id FROM roles WHERE name = $$and never ends');
\echo :LAST_ERROR_SQLSTATE
SELECT add_constraints('user_roles', 1, E'SELECT id\nFROM roles\nWHER name = 1');
\echo :LAST_ERROR_SQLSTATE
SELECT add_constraints('user_roles', 1, 'nonsense');
\echo :LAST_ERROR_SQLSTATE
-- what is wrong with the tables is found when the text runs
SELECT run(add_constraints('user_roles', 1, 'SELECT name FROM queries.roles'));
\echo :LAST_ERROR_SQLSTATE
SELECT run(add_constraints('user_roles', 1, 'SELECT id FROM queries.nowhere'));
\echo :LAST_ERROR_SQLSTATE
SELECT run(add_constraints('user_roles', 1, 'WITH d AS (DELETE FROM queries.roles RETURNING *) SELECT * FROM d'));
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM roles;
-- a parameter in it is the caller's
PREPARE q AS SELECT 1;
SELECT format('PREPARE with_parameter(text) AS %s', add_constraints(order_by('user_roles', 'id'), 1, 'SELECT id FROM roles WHERE name < $1')) AS query \gexec
EXECUTE with_parameter('b');
EXECUTE with_parameter('z');

-- ---- hostile names

CREATE SCHEMA "sch""ema; --";
CREATE TABLE "sch""ema; --"."r" ("user" int PRIMARY KEY, "na'me\" text);
CREATE TABLE "sch""ema; --"."p" ("select" bigint, "a""b;" int, "r" text, "p" text, "x.y" int, éàü int);
CREATE TABLE "p" ("user" int PRIMARY KEY, note text);
INSERT INTO "sch""ema; --"."r" VALUES (1, 'one'), (2, 'two');
INSERT INTO "p" VALUES (1, 'here'), (2, 'too');
INSERT INTO "sch""ema; --"."p" VALUES (1, 1, 'r', 'p', 5, 6), (1, 2, E'\n', E'\\', NULL, NULL);
CREATE FUNCTION hostile() RETURNS belongs_to_many LANGUAGE sql STABLE RETURN
	order_by_pivot(with_pivot(belongs_to_many('users', '"sch""ema; --".r', '"sch""ema; --".p', 'select', 'a"b;'), 'r', 'p', 'x.y', 'éàü'), 'r');
SELECT get_pivot_columns(hostile());
SELECT new_pivot_query(where_pivot(hostile(), 'p', '\'), 1);
SELECT run(new_pivot_query(where_pivot(hostile(), 'p', '\'), 1));
SELECT run(new_pivot_query(where_related(hostile(), 'na''me\', 'like', 'o%'), 1));
SELECT run(add_constraints(hostile(), 1, 'SELECT * FROM "sch""ema; --".r -- "'));
SELECT pivot_predicate(where_related(where_pivot(hostile(), 'r', 'r'), 'na''me\', 'one'), 1) AS predicate \gset
SELECT "a""b;" FROM "sch""ema; --"."p" WHERE :predicate;
DELETE FROM "sch""ema; --"."p" WHERE :predicate RETURNING "a""b;";
-- pivot and related table of one name, in two schemas
SELECT pivot_predicate(where_related(belongs_to_many('users', 'queries.p', '"sch""ema; --".p', 'select', 'a"b;'), 'note', 'too'), 1) AS predicate \gset
SELECT :'predicate' AS predicate;
SELECT "a""b;" FROM "sch""ema; --"."p" WHERE :predicate;
-- the same table on all sides
CREATE TABLE nodes (id int PRIMARY KEY, parent int, name text);
INSERT INTO nodes VALUES (1, NULL, 'root'), (2, 1, 'left'), (3, 1, 'right');
SELECT pivot_predicate(where_related(belongs_to_many('nodes', 'nodes', 'nodes', 'parent', 'id', 'id', 'id'), 'name', 'left'), 1) AS predicate \gset
SELECT * FROM nodes WHERE :predicate;

-- ---- after DDL the text is that of the tables as they are

ALTER TABLE user_roles RENAME TO "Memberships";
ALTER TABLE "Memberships" RENAME level TO "Level";
ALTER TABLE "Memberships" ADD extra int, DROP since;
SELECT new_pivot_query('user_roles', 1), get_pivot_columns('user_roles');
ALTER TABLE "Memberships" SET SCHEMA elsewhere;
SELECT pivot_predicate('elsewhere.user_roles', 1), add_constraints('elsewhere.user_roles', 'TABLE roles');
ALTER TABLE roles RENAME TO "Roles";
SELECT get_related_table('elsewhere.user_roles');
DROP TABLE "Roles";
SELECT get_related_table('elsewhere.user_roles');
\echo :LAST_ERROR_SQLSTATE

DROP SCHEMA queries, elsewhere, "sch""ema; --" CASCADE;
