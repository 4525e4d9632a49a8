--
-- Attributes: design rule 4
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA attributes;
SET search_path = attributes, m2m;

CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE roles (id bigint PRIMARY KEY, name text);
INSERT INTO users SELECT generate_series(1, 20);
INSERT INTO roles SELECT i, 'role ' || i FROM generate_series(1, 20) AS i;
CREATE SEQUENCE numbers;
CREATE TABLE user_roles (
	user_id bigint REFERENCES users,
	role_id bigint REFERENCES roles,
	gone int,
	status text DEFAULT 'new',
	level int NOT NULL DEFAULT 1,
	number bigint DEFAULT nextval('numbers'),
	PRIMARY KEY (user_id, role_id));
ALTER TABLE user_roles DROP COLUMN gone;
SELECT create_relation('user_roles', with_pivot(belongs_to_many('users', 'roles'), 'status', 'level', 'number'));

-- ---- merging, shapes and defaults

-- per-id attributes override shared ones, member by member; what is left out gets its default
SELECT attach('user_roles', 1, '[{"role_id": 1, "status": "own"}, 2, {"3": {"level": 3, "number": 0}}, {"role_id": 4, "status": null}]',
	'{"status": "shared", "number": 100}');
SELECT attach('user_roles', 1, '{"11": {"number": -11}, "12": {"status": "x", "number": -12}, "13": {"number": -13, "level": 13}, "14": {"number": -14}}'::jsonb);
SELECT attach('user_roles', 1, '{15,16}');
SELECT * FROM user_roles WHERE user_id = 1 ORDER BY 2;
-- JSON null is NULL, not the default
SELECT attach('user_roles', 2, '[1]', '{"status": null, "number": null}');
SELECT attach('user_roles', 2, '[2]', '{"level": null, "number": 0}');
\echo :LAST_ERROR_SQLSTATE
-- an update leaves alone what is left out
SELECT * FROM sync('user_roles', 1, '{"1": {"level": 9}, "2": {"status": null}, "3": {}, "15": {"number": 15}}'::jsonb);
SELECT * FROM user_roles WHERE user_id <= 2 ORDER BY 1, 2;

-- every shape in one call
CREATE TABLE shapes (user_id int, role_id int, a int DEFAULT 0, b int DEFAULT 0, c int DEFAULT 0, d int DEFAULT 0, e int DEFAULT 0, f int DEFAULT 0,
	PRIMARY KEY (user_id, role_id));
SELECT create_relation('shapes', belongs_to_many('users', 'roles', 'shapes', 'user_id', 'role_id'));
SELECT attach('shapes', 1, jsonb_agg(attributes || jsonb_build_object('role_id', i)))
FROM (SELECT i, (SELECT coalesce(jsonb_object_agg(chr(97 + bit), i), '{}') FROM generate_series(0, 5) AS bit WHERE i & (1 << bit) > 0) AS attributes
	FROM generate_series(0, 63) AS i) AS s;
SELECT count(*) AS rows, count(*) FILTER (WHERE NOT (
	a = (role_id & 1) * role_id AND b = ((role_id >> 1) & 1) * role_id AND c = ((role_id >> 2) & 1) * role_id AND
	d = ((role_id >> 3) & 1) * role_id AND e = ((role_id >> 4) & 1) * role_id AND f = ((role_id >> 5) & 1) * role_id)) AS wrong
FROM shapes;
SELECT update_existing_pivot('shapes', 1, jsonb_object_agg(i, attributes)) AS changed
FROM (SELECT i, (SELECT coalesce(jsonb_object_agg(chr(97 + bit), 1000 * (i % 2)), '{}') FROM generate_series(0, 5) AS bit WHERE i & (1 << bit) > 0) AS attributes
	FROM generate_series(0, 63) AS i) AS s;
SELECT sum(a) AS a, sum(b) AS b, sum(c) AS c, sum(d) AS d, sum(e) AS e, sum(f) AS f FROM shapes;

-- ---- what counts as an empty object, and what is no object

SELECT attach('user_roles', 3, 1, '{}'), attach('user_roles', 3, 2, NULL), attach('user_roles', 3, 3, '[]'), attach('user_roles', 3, 4, 'null');
SELECT attach('user_roles', 3, '{"5": [], "6": null, "7": {}}'::jsonb);
SELECT role_id, status, level FROM user_roles WHERE user_id = 3 ORDER BY 1;
SELECT attach('user_roles', 3, 8, '["status"]');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 3, 8, '"status"');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 3, 8, '5');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 3, '{"8": ["status"]}'::jsonb);
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 3, '{"8": "status"}'::jsonb);
\echo :LAST_ERROR_SQLSTATE

-- ---- names

SELECT attach('user_roles', 3, 8, '{"statsu": "x"}');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 3, '{"8": {"lvel": 1}}'::jsonb);
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 3, '[{"role_id": 8, "Status": "x"}]'::jsonb);
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 3, 8, '{"gone": 1}');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 3, 8, '{"ctid": "(0,1)"}');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 3, 8, '{"": 1}');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 3, 8, '{"name": "a column of roles"}');
\echo :LAST_ERROR_SQLSTATE
-- also for ids that are attached already, and for none
SELECT attach('user_roles', 3, 1, '{"statsu": "x"}');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 3, '{}', '{"statsu": "x"}');
\echo :LAST_ERROR_SQLSTATE

CREATE TABLE "Odd ""Pivot""" (user_id int, role_id int, "a ""b""" text, "C" int DEFAULT 1, "select" int, "ne
w" int, "$1" int, "u.k1" int, PRIMARY KEY (user_id, role_id));
SELECT create_relation('odd', belongs_to_many('users', 'roles', '"Odd ""Pivot"""', 'user_id', 'role_id'));
SELECT attach('odd', 1, '{"1": {"a \"b\"": "x''y", "C": 2, "select": 3, "ne\nw": 4, "$1": 5, "u.k1": 6}, "2": {}}'::jsonb);
SELECT * FROM sync('odd', 1, '{"1": {"a \"b\"": "x\"y", "C": 2, "ne\nw": 4}, "2": {"$1": 7, "u.k1": 8}}'::jsonb);
SELECT attach('odd', 1, '{1,2}', '{"select": 9, "u.k1": 8}', 'update');
SELECT to_jsonb(o) FROM "Odd ""Pivot""" AS o ORDER BY role_id;
SELECT attach('odd', 1, 3, '{"c": 1}');
\echo :LAST_ERROR_SQLSTATE

-- ---- key columns: allowed if they repeat the pair

SELECT attach('user_roles', 4, 1, '{"user_id": 4, "role_id": 1, "status": "keys"}');
SELECT attach('user_roles', 4, '{"2": {"role_id": 2}, "3": {"user_id": "4", "role_id": 3.0}}'::jsonb);
SELECT attach('user_roles', 4, '{4,5}', '{"user_id": 4}');
SELECT attach('user_roles', 4, '[{"role_id": 6, "user_id": 4, "level": 6}]');
SELECT role_id, status, level FROM user_roles WHERE user_id = 4 ORDER BY 1;
-- repeating the pair is no attribute: nothing to update
SELECT * FROM sync('user_roles', 4, '[{"role_id": 1, "user_id": 4}]', false);
SELECT update_existing_pivot('user_roles', 4, '{1,2}', '{"user_id": 4}');

SELECT attach('user_roles', 4, 7, '{"user_id": 5}');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 4, 7, '{"role_id": 8}');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 4, '{7,8}', '{"role_id": 7}');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 4, '{"7": {"role_id": 8}}'::jsonb);
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 4, '[{"role_id": 7, "user_id": 5}]'::jsonb);
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 4, 7, '{"user_id": null}');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 4, 7, '{"role_id": "x"}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sync('user_roles', 4, '{1}', true, '{"user_id": 3}');
\echo :LAST_ERROR_SQLSTATE
SELECT update_existing_pivot('user_roles', 4, 1, '{"role_id": 2}');
\echo :LAST_ERROR_SQLSTATE

-- what was read is written back
SELECT jsonb_agg(result -> 'pivot') AS pivots FROM get_results('user_roles', 4) \gset
SELECT * FROM sync('user_roles', 4, :'pivots'::jsonb);
SELECT detach('user_roles', 4), attach('user_roles', 4, :'pivots'::jsonb);
SELECT jsonb_agg(result -> 'pivot') = :'pivots'::jsonb AS same FROM get_results('user_roles', 4);
-- of another parent it is not
SELECT attach('user_roles', 5, :'pivots'::jsonb);
\echo :LAST_ERROR_SQLSTATE

-- ---- values of every type

CREATE TYPE color AS ENUM ('red', 'green');
CREATE DOMAIN level AS int NOT NULL CHECK (value BETWEEN 1 AND 9);
CREATE DOMAIN code AS varchar(5) CHECK (value ~ '^[a-z]+$');
CREATE TYPE item AS (name text, price numeric(6,2), tags text[]);
CREATE DOMAIN good_item AS item CHECK ((value).price > 0);
CREATE TABLE every (
	user_id int, role_id int,
	i2 smallint, i4 int, i8 bigint, num numeric, num2 numeric(6,2), f4 float4, f8 float8, b boolean,
	t text, v varchar(3), c char(3), n name, by bytea, u uuid, co color, le level DEFAULT 1, cd code,
	d date, ti time, ts timestamp, tz timestamptz(0), iv interval, ip inet, bi bit(3), vb varbit(5), p point, r int4range, m money, o oid, ch "char",
	j json, jb jsonb, ai int[], at text[], a2 int[], av varchar(2)[], ae color[], it item, its item[], gi good_item, aj jsonb[],
	PRIMARY KEY (user_id, role_id));
SELECT create_relation('every', belongs_to_many('users', 'roles', 'every', 'user_id', 'role_id'));
-- attach one column with a value, show what is stored
CREATE FUNCTION store(col text, value jsonb) RETURNS TABLE (stored text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM m2m.detach('every', 1, 1);
	PERFORM m2m.attach('every', 1, 1, jsonb_build_object(col, value));
	RETURN QUERY EXECUTE format('SELECT %I::text FROM every', col);
END
$$;
SET datestyle = 'ISO, MDY';
SET timezone = 'UTC';
SELECT store('i2', '1.0'), store('i4', '"7"'), store('i8', '9007199254740993'), store('i8', '1e2'), store('i4', '-5.00');
SELECT store('num', '1.50'), store('num', '"NaN"'), store('num2', '1.005'), store('num2', '"1e2"'), store('f4', '0.1'), store('f8', '1e300'), store('f8', '"-Infinity"');
SELECT store('b', 'true'), store('b', '"off"'), store('b', '"1"'), store('t', '"x"'), store('t', '5'), store('t', 'true'), store('t', '1.50'), store('t', '""');
SELECT store('t', '{"a": [1, null]}'), store('t', '[1, "x"]'), store('t', '"null"'), store('t', 'null'), store('t', '"\u00e4"') = chr(228)::text AS unicode;
SELECT store('v', '"abc"'), store('v', '"abc   "'), store('c', '"a"'), store('n', '"name"'), store('by', '"\\xff"'), store('u', '"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"');
SELECT store('co', '"green"'), store('le', '9'), store('cd', '"abc"'), store('d', '"2024-02-29"'), store('d', '"infinity"'), store('ti', '"12:30"');
SELECT store('ts', '"2024-02-29T12:00:00"'), store('tz', '"2024-02-29T12:00:00.6+02:00"'), store('iv', '"1 day 2 hours"'), store('ip', '"::1/64"');
SELECT store('bi', '"101"'), store('vb', '"10"'), store('p', '"(1,2)"'), store('r', '"[1,5)"'), store('r', '"empty"'), store('o', '5'), store('ch', '"x"');
SELECT store('j', '{"b": 1, "a": [1.50, null]}'), store('j', '"s"'), store('j', '5'), store('jb', '{"b": 1, "a": [1.50, null]}'), store('jb', '"s"'), store('jb', '[]'), store('jb', '{}'), store('jb', 'false');
SELECT store('j', 'null'), store('jb', 'null');
SELECT store('ai', '[1, 2, null]'), store('ai', '[]'), store('ai', '"{1,2}"'), store('ai', '"[0:1]={1,2}"'), store('at', '["a", "b c", null, "NULL", ""]'), store('at', '[1, true, {"a": 1}]');
SELECT store('a2', '[[1, 2], [3, 4]]'), store('av', '["ab"]'), store('ae', '["red", "green"]'), store('ai', '["1", 2]'), store('aj', '[1, {"a": 2}, "x"]');
SELECT store('it', '{"name": "x", "price": 1.999, "tags": ["a", "b"]}'), store('it', '{"price": "2"}'), store('it', '{}'), store('it', '"(x,1,\"{a,b}\")"');
SELECT store('its', '[{"name": "x"}, {"name": "y", "price": 3}]'), store('gi', '{"name": "x", "price": 1}'), store('it', '{"name": "x", "unknown": 1}');

SELECT store('i4', '1.5');
\echo :LAST_ERROR_SQLSTATE
SELECT store('i4', '"1.0"');
\echo :LAST_ERROR_SQLSTATE
SELECT store('i2', '40000');
\echo :LAST_ERROR_SQLSTATE
SELECT store('i4', 'true');
\echo :LAST_ERROR_SQLSTATE
SELECT store('i4', '""');
\echo :LAST_ERROR_SQLSTATE
SELECT store('num2', '123456');
\echo :LAST_ERROR_SQLSTATE
SELECT store('b', '"maybe"');
\echo :LAST_ERROR_SQLSTATE
SELECT store('v', '"abcd"');
\echo :LAST_ERROR_SQLSTATE
SELECT store('v', '1234');
\echo :LAST_ERROR_SQLSTATE
SELECT store('u', '"x"');
\echo :LAST_ERROR_SQLSTATE
SELECT store('co', '"blue"');
\echo :LAST_ERROR_SQLSTATE
SELECT store('le', '10');
\echo :LAST_ERROR_SQLSTATE
SELECT store('le', 'null');
\echo :LAST_ERROR_SQLSTATE
SELECT store('cd', '"ABC"');
\echo :LAST_ERROR_SQLSTATE
SELECT store('cd', '"abcdef"');
\echo :LAST_ERROR_SQLSTATE
SELECT store('d', '"2023-02-29"');
\echo :LAST_ERROR_SQLSTATE
SELECT store('bi', '"1010"');
\echo :LAST_ERROR_SQLSTATE
SELECT store('ai', '5');
\echo :LAST_ERROR_SQLSTATE
SELECT store('ai', '{"a": 1}');
\echo :LAST_ERROR_SQLSTATE
SELECT store('ai', '[1, "x"]');
\echo :LAST_ERROR_SQLSTATE
SELECT store('av', '["abc"]');
\echo :LAST_ERROR_SQLSTATE
SELECT store('gi', '{"price": 0}');
\echo :LAST_ERROR_SQLSTATE
SELECT store('it', '[1]');
\echo :LAST_ERROR_SQLSTATE
RESET timezone;
RESET datestyle;

-- update compares what would be stored
SELECT attach('every', 2, 1, '{"num2": 1.005, "tz": "2024-02-29 12:00:00.6+00", "v": "abc  ", "c": "a", "it": {"price": 1.999}, "bi": "101", "av": ["ab"], "f4": 0.1}');
SELECT update_existing_pivot('every', 2, 1, '{"num2": 1.005, "tz": "2024-02-29 12:00:00.6+00", "v": "abc  ", "c": "a ", "it": {"price": 1.999}, "bi": "101", "av": ["ab"], "f4": 0.1}');

-- ---- columns that are not for writing

CREATE TABLE generated (
	user_id int, role_id int, price int, double int GENERATED ALWAYS AS (price * 2) STORED,
	always int GENERATED ALWAYS AS IDENTITY, optional int GENERATED BY DEFAULT AS IDENTITY,
	PRIMARY KEY (user_id, role_id));
SELECT create_relation('generated', belongs_to_many('users', 'roles', 'generated', 'user_id', 'role_id'));
SELECT attach('generated', 1, '{1,2}', '{"price": 5}'), attach('generated', 1, '{3}', '{"optional": 30}');
SELECT attach('generated', 1, '{4}', '{"double": 5}');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('generated', 1, '{4}', '{"always": 5}');
\echo :LAST_ERROR_SQLSTATE
SELECT update_existing_pivot('generated', 1, '{1}', '{"double": 5}');
\echo :LAST_ERROR_SQLSTATE
SELECT update_existing_pivot('generated', 1, '{1}', '{"always": 7}');
\echo :LAST_ERROR_SQLSTATE
SELECT update_existing_pivot('generated', 1, '{1}', '{"price": 7}');
TABLE generated ORDER BY 1, 2;

-- ---- a key of several columns, one of them shared

CREATE TABLE t_users (tenant int, id int, PRIMARY KEY (tenant, id));
CREATE TABLE t_roles (tenant int, id int, PRIMARY KEY (tenant, id));
CREATE TABLE t_user_roles (tenant int, user_id int, role_id int, status text,
	PRIMARY KEY (tenant, user_id, role_id),
	FOREIGN KEY (tenant, user_id) REFERENCES t_users, FOREIGN KEY (tenant, role_id) REFERENCES t_roles);
INSERT INTO t_users VALUES (1, 1);
INSERT INTO t_roles VALUES (1, 1), (1, 2);
SELECT create_relation('t_user_roles', with_pivot(belongs_to_many('t_users', 't_roles'), 'status'));
SELECT attach('t_user_roles', '[1, 1]', '{"1": {"tenant": 1, "user_id": 1, "status": "x"}, "2": {}}'::jsonb, '{"tenant": 1, "status": "y"}');
SELECT jsonb_agg(result -> 'pivot') AS pivots FROM get_results('t_user_roles', '[1, 1]') \gset
SELECT * FROM sync('t_user_roles', '[1, 1]', :'pivots'::jsonb);
SELECT attach('t_user_roles', '[1, 1]', 1, '{"tenant": 2}');
\echo :LAST_ERROR_SQLSTATE
TABLE t_user_roles ORDER BY 1, 2, 3;

DROP SCHEMA attributes CASCADE;
