--
-- The type: text form in and out, lenient input, casts, binary form, stored
-- values that outlive renames and drops
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA relation_type;
SET search_path = relation_type, m2m;

CREATE TABLE users (id bigint PRIMARY KEY, name text, rank int);
CREATE TABLE roles (id int PRIMARY KEY, name text, rank int);
CREATE TABLE user_roles (
	user_id bigint REFERENCES users,
	role_id int REFERENCES roles,
	status text,
	level int,
	tags text[],
	born date,
	created_at timestamptz,
	updated_at timestamptz,
	PRIMARY KEY (user_id, role_id));
INSERT INTO users VALUES (1, 'u1', 1), (2, 'u2', 2);
INSERT INTO roles VALUES (1, 'r1', 1), (2, 'r2', 2), (3, 'r3', 3);
INSERT INTO user_roles (user_id, role_id, status, level)
VALUES (1, 1, 'active', 1), (1, 2, 'paused', 2), (1, 3, 'active', 3), (2, 3, 'active', 4);
SELECT create_relation('saved', belongs_to_many('users', 'roles'));

-- What becomes of a text that is read: the text that is printed, or the error.
CREATE FUNCTION read(input text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	RETURN input::belongs_to_many;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN format('%s: %s', SQLSTATE, SQLERRM)
		|| CASE WHEN detail <> '' THEN E'\n  DETAIL:  ' || detail ELSE '' END
		|| CASE WHEN hint <> '' THEN E'\n  HINT:  ' || hint ELSE '' END;
END
$$;
\pset format unaligned
\pset tuples_only on

-- ---- printing: qualified tables, all keys, operators by name

SELECT belongs_to_many('users', 'roles');
SELECT take(pivot_as(order_by(order_by_pivot(where_related(or_where_pivot_in(where_pivot_not_between(
	where_pivot_not_null(where_pivot(where_pivot(with_pivot_value(with_timestamps(with_pivot(
	belongs_to_many('users', 'roles'), 'status', 'level')), 'status', 'active'),
	'level', '>=', 2), 'born', 'is distinct from', '2000-01-31'), 'tags'), 'level', 5, 7),
	'level', '{8,9}'), 'name', 'like', 'r%'), 'level', 'desc nulls last'), 'rank'), 'link'), 10, 20);
SELECT with_timestamps(where_pivot(with_pivot_value('saved', 'status', NULL), 'level', NULL), NULL);
SELECT inverse('saved');
-- the same whatever search_path and settings are
SET search_path = m2m;
SET datestyle = 'German, DMY';
SELECT where_pivot('{"parent": "relation_type.users", "related": "relation_type.roles"}',
	'born', '31.01.2000');
SELECT 'relation_type.saved'::belongs_to_many;
RESET datestyle;
SET search_path = relation_type, m2m;

-- ---- reading a name

SELECT read(' saved');
SELECT read('SAVED');
SELECT read('"saved"');
SELECT read('relation_type.saved');
SELECT read(E'\n"relation_type" . "saved" ');
-- what is not there stays as it was written
SELECT read('Other.Thing');
SELECT read('"Other"."Thing"');
SELECT read('"say ""hi"""');
SELECT read('"{"');

-- ---- reading JSON

-- a reference with additions; all builder members are for definitions too
SELECT read('{"relation": "saved"}');
SELECT read('{"relation": "saved", "inverse": true, "with_pivot": "status"}');
SELECT read('{"relation": "saved", "inverse": false, "where": []}');
SELECT read('{"relation": "Nothing", "inverse": true, "with_pivot": ["A", "b"]}');

-- a definition; what it leaves out is inferred at once
SELECT read('{"parent": "users", "related": "roles"}');
SELECT read('{"parent": "Users", "related": "\"roles\"", "pivot_table": "relation_type.user_roles",
	"foreign_key": ["user_id"], "related_key": "role_id"}');
SELECT read('{"parent": "users", "related": "roles", "pivot_table": null, "parent_key": null,
	"with_pivot": null, "timestamps": null, "pivot_values": null, "where": null,
	"where_related": null, "order_by": null, "pivot_as": null, "take": null,
	"relation": null, "inverse": null}');
-- of members given twice the last counts, as in jsonb
SELECT read('{"parent": "roles", "related": "users", "related": "roles", "parent": "users"}');

SELECT read('{"relation": "saved", "with_pivot": ["status", "level", "status"]}');
SELECT read('{"relation": "saved", "timestamps": {}}');
SELECT read('{"relation": "saved", "timestamps": {"created_at": "born", "updated_at": null}}');
SELECT read('{"relation": "saved", "pivot_values": {"status": "x", "level": 1, "born": null}}');
SELECT read('{"relation": "saved", "pivot_values": [{"column": "status", "value": "x"},
	{"column": "level", "value": 1.50}, {"column": "status", "value": true}]}');
SELECT read('{"relation": "saved", "where": [
	{"column": "status", "value": "a"},
	{"column": "status", "operator": "!=", "value": null, "or": true},
	{"column": "status", "operator": " NOT   Like ", "value": "a%", "or": false},
	{"column": "level", "operator": "in", "value": [1, "2", 3]},
	{"column": "level", "operator": "not in", "value": []},
	{"column": "level", "operator": "Between", "value": [1, 2]},
	{"column": "level", "operator": "is", "value": null},
	{"column": "level", "operator": "is not", "value": 7},
	{"column": "level", "operator": "is null"},
	{"column": "level", "operator": "IS NOT NULL", "value": null},
	{"column": "tags", "operator": "operator(pg_catalog.@>)", "value": "{x}"},
	{"column": "tags", "operator": "pg_catalog.<@", "value": "{x}"}]}');
SELECT read('{"relation": "saved", "where_related": [{"column": "rank", "operator": "<", "value": 3}],
	"order_by": [{"pivot": "level"}, {"related": "rank", "direction": "DESC"},
		{"pivot": "status", "direction": "desc", "nulls": "Last"},
		{"related": "name", "nulls": "first"}, {"related": "name", "nulls": "last"}]}');
SELECT read('{"relation": "saved", "pivot_as": "Link \"1\"", "take": {"max_rows": 0}}');
SELECT read('{"relation": "saved", "take": {"skip": 3, "max_rows": null}}');
SELECT read('{"relation": "saved", "pivot_as": "\u0041\t"}');

-- what is printed is read as the same
CREATE TEMP TABLE samples (r belongs_to_many);
INSERT INTO samples VALUES
	('saved'), (belongs_to_many('users', 'roles')), (inverse('saved')), ('"No such"'),
	('{"parent": "no", "related": "such", "with_pivot": ["table"], "where": [{"column": "c", "operator": "@@@", "value": "v"}]}'),
	(take(pivot_as(order_by(order_by_pivot(where_related(or_where_pivot_in(where_pivot_not_between(
		where_pivot_not_null(where_pivot(with_pivot_value(with_timestamps(with_pivot(
		belongs_to_many('users', 'roles'), 'status', 'level')), 'status', E'a"\\\n''b'),
		'level', '>=', 2), 'tags'), 'level', 5, 7), 'tags', ARRAY['{"a,b"}', '{}']), 'name', 'like', 'r%'),
		'level', 'desc nulls last'), 'rank', 'asc nulls first'), E'"\\'), NULL, 9223372036854775807)),
	(where_pivot_in(with_pivot_value('saved', 'status', NULL), 'level', '{}')),
	(with_timestamps(with_timestamps('saved'), NULL, NULL));
SELECT count(*), count(*) FILTER (WHERE r::text::belongs_to_many::text = r::text) AS same FROM samples;

-- ---- malformed text

SELECT read('');
SELECT read(E' \n');
SELECT read('[]');
SELECT read('["saved"]');
SELECT read('.saved');
SELECT read('a..b');
SELECT read('a.b.c');
SELECT read('"saved');
SELECT read('""');
SELECT read('app.""');
SELECT read('two words');
SELECT read('{');
SELECT read('{"relation": "saved"} x');
SELECT read('{"relation": saved}');
SELECT read('{"pivot_as": "\u0000"}');

SELECT read('{}');
SELECT read('{"parent": "users"}');
SELECT read('{"related": "users"}');
SELECT read('{"parents": "users", "related": "roles"}');
SELECT read('{"relation": "saved", "something": 1}');
SELECT read('{"relation": "saved", "parent": "users"}');
SELECT read('{"relation": "saved", "foreign_key": "user_id"}');
SELECT read('{"parent": "users", "related": "roles", "inverse": true}');
SELECT read('{"relation": 1}');
SELECT read('{"relation": ""}');
SELECT read('{"relation": "{\"relation\": \"saved\"}"}');
SELECT read('{"relation": "saved", "inverse": "yes"}');
SELECT read('{"parent": ["users"], "related": "roles"}');
SELECT read('{"parent": "", "related": "roles"}');
SELECT read('{"parent": "a.b.c.d", "related": "roles"}');
SELECT read('{"parent": "otherdb.public.users", "related": "roles"}');
SELECT read('{"parent": "users", "related": "roles", "foreign_key": []}');
SELECT read('{"parent": "users", "related": "roles", "foreign_key": [1]}');
SELECT read('{"parent": "users", "related": "roles", "foreign_key": {"a": 1}}');

SELECT read('{"relation": "saved", "with_pivot": 1}');
SELECT read('{"relation": "saved", "with_pivot": [null]}');
SELECT read('{"relation": "saved", "timestamps": true}');
SELECT read('{"relation": "saved", "timestamps": {"create_at": "born"}}');
SELECT read('{"relation": "saved", "timestamps": {"created_at": 1}}');
SELECT read('{"relation": "saved", "pivot_values": "status"}');
SELECT read('{"relation": "saved", "pivot_values": ["status"]}');
SELECT read('{"relation": "saved", "pivot_values": [{"value": 1}]}');
SELECT read('{"relation": "saved", "pivot_values": [{"column": "status"}]}');
SELECT read('{"relation": "saved", "pivot_values": [{"column": "status", "value": []}]}');
SELECT read('{"relation": "saved", "pivot_values": {"status": {}}}');
SELECT read('{"relation": "saved", "where": {}}');
SELECT read('{"relation": "saved", "where": [1]}');
SELECT read('{"relation": "saved", "where": [{"operator": "=", "value": 1}]}');
SELECT read('{"relation": "saved", "where": [{"column": "level"}]}');
SELECT read('{"relation": "saved", "where": [{"colunm": "level", "value": 1}]}');
SELECT read('{"relation": "saved", "where": [{"column": "level", "operator": 1, "value": 1}]}');
SELECT read('{"relation": "saved", "where": [{"column": "level", "operator": "is nul", "value": 1}]}');
SELECT read('{"relation": "saved", "where": [{"column": "level", "operator": "= 1 or 1 =", "value": 1}]}');
SELECT read('{"relation": "saved", "where": [{"column": "level", "operator": "a.b.=", "value": 1}]}');
SELECT read('{"relation": "saved", "where": [{"column": "level", "operator": "<", "value": null}]}');
SELECT read('{"relation": "saved", "where": [{"column": "level", "operator": "<", "value": [1]}]}');
SELECT read('{"relation": "saved", "where": [{"column": "level", "operator": "in", "value": 1}]}');
SELECT read('{"relation": "saved", "where": [{"column": "level", "operator": "in", "value": [1, null]}]}');
SELECT read('{"relation": "saved", "where": [{"column": "level", "operator": "in", "value": [[1]]}]}');
SELECT read('{"relation": "saved", "where": [{"column": "level", "operator": "between", "value": [1]}]}');
SELECT read('{"relation": "saved", "where": [{"column": "level", "operator": "is null", "value": 1}]}');
SELECT read('{"relation": "saved", "where": [{"column": "level", "value": 1, "or": 1}]}');
SELECT read('{"relation": "saved", "order_by": "level"}');
SELECT read('{"relation": "saved", "order_by": [{}]}');
SELECT read('{"relation": "saved", "order_by": [{"pivot": "level", "related": "rank"}]}');
SELECT read('{"relation": "saved", "order_by": [{"pivot": "level", "direction": "down"}]}');
SELECT read('{"relation": "saved", "order_by": [{"pivot": "level", "nulls": true}]}');
SELECT read('{"relation": "saved", "pivot_as": ""}');
SELECT read('{"relation": "saved", "pivot_as": []}');
SELECT read('{"relation": "saved", "take": 10}');
SELECT read('{"relation": "saved", "take": {"limit": 10}}');
SELECT read('{"relation": "saved", "take": {"max_rows": "10"}}');
SELECT read('{"relation": "saved", "take": {"max_rows": 1.5}}');
SELECT read('{"relation": "saved", "take": {"max_rows": 1e30}}');
SELECT read('{"relation": "saved", "take": {"max_rows": -1}}');
SELECT read('{"relation": "saved", "take": {"skip": -1}}');

-- a definition that leaves something out which cannot be inferred
SELECT read('{"parent": "users", "related": "users", "pivot_table": "user_roles"}');
SELECT read('{"parent": "roles", "related": "roles"}');

-- ---- lenient input: what does not exist is looked for at first use

SELECT related_ids('svaed', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT related_ids('nowhere.saved', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT related_ids('{"parent": "uesrs", "related": "roles"}', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT related_ids('{"parent": "relation_type.users", "related": "relation_type.role"}', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT related_ids('{"parent": "users", "related": "roles", "pivot_table": "nowhere.user_roles"}', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT related_ids('{"parent": "users", "related": "roles", "pivot_table": "user_roles",
	"foreign_key": "user_di", "related_key": "role_id", "parent_key": "id", "related_pivot_key": "id"}', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT related_ids('{"relation": "saved", "where": [{"column": "statsu", "value": "active"}]}', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT related_ids('{"relation": "saved", "with_pivot": ["ctid"]}', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT related_ids('{"relation": "saved", "order_by": [{"related": "level"}]}', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT related_ids('{"relation": "saved", "where": [{"column": "level", "operator": "@@@", "value": "x"}]}', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT related_ids('{"relation": "saved", "where": [{"column": "level", "value": "x"}]}', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT related_ids('{"relation": "saved", "where": [{"column": "level", "operator": "nowhere.=", "value": "1"}]}', 1);
\echo :LAST_ERROR_SQLSTATE

-- a value that is stored before its tables, columns and relation are there
CREATE TABLE early (n int, r belongs_to_many);
INSERT INTO early VALUES
	(1, '{"parent": "people", "related": "groups", "where": [{"column": "level", "operator": ">", "value": 1}]}'),
	(2, '{"parent": "people", "related": "groups", "pivot_table": "people_groups", "foreign_key": "person",
		"related_key": "groop", "parent_key": "id", "related_pivot_key": "id", "with_pivot": ["level"]}'),
	(3, 'members'),
	(4, where_pivot(with_pivot('members', 'level'), 'level', 'not in', ARRAY[3]));
SELECT r FROM early ORDER BY n;
CREATE TABLE people (id int PRIMARY KEY);
CREATE TABLE groups (id int PRIMARY KEY);
CREATE TABLE people_groups (
	person int REFERENCES people, groop int REFERENCES groups, level int,
	PRIMARY KEY (person, groop));
INSERT INTO people VALUES (1);
INSERT INTO groups VALUES (1), (2), (3);
INSERT INTO people_groups VALUES (1, 1, 1), (1, 2, 2), (1, 3, 3);
SELECT create_relation('members', belongs_to_many('people', 'groups'));
SELECT n, related_ids(r, 1) FROM early ORDER BY n;
-- and the values of filters are checked then
SELECT related_ids(where_pivot('no_members_yet', 'level', 'x'), 1);
\echo :LAST_ERROR_SQLSTATE
CREATE TABLE late AS SELECT where_pivot('no_members_yet', 'level', 'x') AS r;
SELECT create_relation('no_members_yet', 'members');
SELECT related_ids(r, 1) FROM late;
\echo :LAST_ERROR_SQLSTATE

-- ---- casts

SELECT related_ids('saved'::text, 1), related_ids('saved'::varchar, 1), related_ids('saved'::name, 1),
	related_ids(belongs_to_many('saved'), 1), related_ids(CAST('saved' AS belongs_to_many), 1);
CREATE DOMAIN relation_name AS text;
SELECT related_ids('saved'::relation_name, 1), related_ids('sa' || 'ved', 1), related_ids(lower('SAVED'), 1);
PREPARE by_text (text) AS SELECT related_ids($1, 1);
PREPARE by_varchar (varchar) AS SELECT related_ids($1, 1);
PREPARE by_nothing AS SELECT related_ids($1, 1);
EXECUTE by_text('saved');
EXECUTE by_varchar('{"relation": "saved", "where": [{"column": "level", "value": 2}]}');
EXECUTE by_nothing('saved');
SELECT pg_typeof(belongs_to_many('saved')),
	(SELECT parameter_types FROM pg_prepared_statements WHERE name = 'by_nothing');
DEALLOCATE ALL;
DO $$
DECLARE
	t text := 'saved';
	v varchar(20) := 'saved';
	n name := 'saved';
	r belongs_to_many := 'saved';
BEGIN
	RAISE WARNING '% % % %', related_ids(t, 1), related_ids(v, 1), related_ids(n, 1), related_ids(r, 1);
	r := t;
	r := where_pivot(v, 'level', '<', 3);
	t := r;
	RAISE WARNING '%', t;
END
$$;
-- a name is SQL in every type
SELECT 'Saved'::name::belongs_to_many, '"Saved"'::name::belongs_to_many, '"Saved"'::text::belongs_to_many;
-- NULL stays NULL
SELECT NULL::text::belongs_to_many IS NULL, NULL::name::belongs_to_many IS NULL,
	NULL::belongs_to_many::text IS NULL;
-- there is no cast from what is no text
\set VERBOSITY terse
SELECT related_ids(1, 1);
\set VERBOSITY default

-- ---- binary form: a version byte and the text form

SELECT get_byte(belongs_to_many_send(r), 0) AS version,
	convert_from(substr(belongs_to_many_send(r), 2), 'UTF8') = r::text AS same, count(*)
FROM samples GROUP BY 1, 2;
\getenv abs_builddir PG_ABS_BUILDDIR
\set file :abs_builddir '/results/relation_type.data'
COPY samples TO :'file' (FORMAT binary);
CREATE TEMP TABLE samples2 (r belongs_to_many);
COPY samples2 FROM :'file' (FORMAT binary);
SELECT count(*) FROM samples2;
SELECT r::text FROM samples EXCEPT SELECT r::text FROM samples2;
-- the binary form of bytea is its bytes: so any message can be made
CREATE TEMP TABLE message (m bytea);
INSERT INTO message VALUES ('\x0173617665640a');
COPY message TO :'file' (FORMAT binary);
COPY samples2 FROM :'file' (FORMAT binary);
UPDATE message SET m = '\x027361766564';
COPY message TO :'file' (FORMAT binary);
COPY samples2 FROM :'file' (FORMAT binary);
\echo :LAST_ERROR_SQLSTATE
UPDATE message SET m = '\x01';
COPY message TO :'file' (FORMAT binary);
COPY samples2 FROM :'file' (FORMAT binary);
\echo :LAST_ERROR_SQLSTATE
UPDATE message SET m = '';
COPY message TO :'file' (FORMAT binary);
COPY samples2 FROM :'file' (FORMAT binary);
\echo :LAST_ERROR_SQLSTATE
UPDATE message SET m = '\x01' || 'saved'::bytea || '\x0073';
COPY message TO :'file' (FORMAT binary);
\set VERBOSITY sqlstate
COPY samples2 FROM :'file' (FORMAT binary);
\set VERBOSITY default
-- the text form goes through COPY as well
COPY samples TO :'file';
COPY samples2 FROM :'file';
SELECT count(*) FROM samples2;
SELECT r::text FROM samples EXCEPT SELECT r::text FROM samples2;

-- ---- values in tables, arrays, rows, defaults, views, functions

CREATE TABLE holder (id int, r belongs_to_many DEFAULT 'saved', all_r belongs_to_many[]);
INSERT INTO holder (id) VALUES (1);
INSERT INTO holder VALUES (2, where_pivot('saved', 'level', '>', 1), NULL), (3, NULL, '{saved,members}'),
	(4, where_pivot_in('saved', 'level', (SELECT array_agg(i) FROM generate_series(2, 20001) AS i)), NULL);
SELECT id, related_ids(r, 1) FROM holder WHERE r IS NOT NULL ORDER BY id;
SELECT id, length(r::text) > 20000 AS big, r::text::belongs_to_many::text = r::text AS same
FROM holder WHERE id = 4;
SELECT related_ids(u, 1) FROM holder, unnest(all_r) AS u ORDER BY 1;
SELECT h FROM holder h WHERE id = 3;
SELECT jsonb_build_object('r', r) FROM holder WHERE id = 1;
CREATE VIEW role_ids AS
SELECT i, related_ids('{"parent": "users", "related": "roles", "where": [{"column": "level", "operator": "<", "value": 3}]}', i) AS roles
FROM generate_series(1, 2) AS i;
SELECT * FROM role_ids ORDER BY i;
CREATE FUNCTION role_ids(u bigint, r belongs_to_many DEFAULT '{"relation": "saved", "take": {"max_rows": 2}}')
RETURNS text LANGUAGE sql STABLE RETURN r::text || ' ' || related_ids(r, u);
SELECT role_ids(1);
SELECT role_ids(1, where_pivot('saved', 'status', 'active'));

-- ---- renames are followed

CREATE SCHEMA relation_type_2;
CREATE TABLE kept (n int, r belongs_to_many);
INSERT INTO kept
SELECT 1, take(order_by(order_by_pivot(where_related(where_pivot(with_pivot_value(with_timestamps(
	with_pivot(belongs_to_many('users', 'roles'), 'status', 'level')), 'status', 'active'),
	'level', '>=', 1), 'rank', '<', 4), 'level'), 'rank'), 10);
INSERT INTO kept
SELECT 2, take(order_by(order_by_pivot(where_related(where_pivot(with_pivot_value(with_timestamps(
	with_pivot('saved', 'status', 'level')), 'status', 'active'),
	'level', '>=', 1), 'rank', '<', 4), 'level'), 'rank'), 10);
INSERT INTO kept VALUES (3, 'saved'), (4, inverse('saved'));
SELECT n, r FROM kept ORDER BY n;
SELECT n, related_ids(r, 1) FROM kept ORDER BY n;

ALTER TABLE users RENAME COLUMN id TO uid;
ALTER TABLE roles RENAME COLUMN id TO rid;
ALTER TABLE roles RENAME COLUMN rank TO "Rank of role";
ALTER TABLE user_roles RENAME COLUMN user_id TO u;
ALTER TABLE user_roles RENAME COLUMN role_id TO r;
ALTER TABLE user_roles RENAME COLUMN status TO swap;
ALTER TABLE user_roles RENAME COLUMN level TO status;
ALTER TABLE user_roles RENAME COLUMN swap TO level;
ALTER TABLE user_roles RENAME COLUMN created_at TO made;
ALTER TABLE user_roles RENAME COLUMN updated_at TO changed;
ALTER TABLE users RENAME TO people2;
ALTER TABLE roles RENAME TO "the roles";
ALTER TABLE "the roles" SET SCHEMA relation_type_2;
ALTER TABLE user_roles RENAME TO links;
ALTER TABLE links SET SCHEMA relation_type_2;
ALTER SCHEMA relation_type_2 RENAME TO "Second schema";
SELECT n, r FROM kept ORDER BY n;
SELECT n, related_ids(r, 1) FROM kept ORDER BY n;
SELECT attach(r, 2, 1) FROM kept WHERE n = 3;
SELECT * FROM role_ids ORDER BY i;
SELECT role_ids(1);
SELECT substring(pg_get_viewdef('role_ids') FROM '''(.*)''::');
-- a table that gets the old name is another table
CREATE TABLE users (id bigint PRIMARY KEY);
SELECT related_ids(r, 1) FROM kept WHERE n = 1;
DROP TABLE users;

-- ---- what is gone is printed by its stored name, and cannot be used

ALTER TABLE "Second schema".links DROP COLUMN changed;
ALTER TABLE "Second schema"."the roles" DROP COLUMN "Rank of role";
SELECT n, r FROM kept ORDER BY n;
SELECT related_ids(r, 1) FROM kept WHERE n = 1;
\echo :LAST_ERROR_SQLSTATE
SELECT related_ids(r, 1) FROM kept WHERE n = 2;
\echo :LAST_ERROR_SQLSTATE
SELECT related_ids(r, 1) FROM kept WHERE n = 3;
ALTER TABLE "Second schema".links DROP COLUMN u;
SELECT r FROM kept WHERE n = 1;
SELECT related_ids(r, 1) FROM kept WHERE n = 3;
\echo :LAST_ERROR_SQLSTATE
-- a column that is made again is found by name
ALTER TABLE "Second schema".links ADD COLUMN user_id bigint DEFAULT 1;
SELECT related_ids(r, 1) FROM kept WHERE n = 3;
DROP TABLE "Second schema".links;
SELECT n, r FROM kept ORDER BY n;
SELECT related_ids(r, 1) FROM kept WHERE n = 1;
\echo :LAST_ERROR_SQLSTATE
SELECT related_ids(r, 1) FROM kept WHERE n = 3;
\echo :LAST_ERROR_SQLSTATE
SELECT inverse(r), with_pivot(r, 'level'), where_pivot(r, 'level', 1) FROM kept WHERE n = 3;
DROP SCHEMA "Second schema" CASCADE;
DROP TABLE people2;
SELECT n, r FROM kept ORDER BY n;
SELECT r FROM samples;
SELECT substring(pg_get_viewdef('role_ids') FROM '''(.*)''::');
SELECT related_ids(r, 1) FROM kept WHERE n = 1;
\echo :LAST_ERROR_SQLSTATE
-- tables that are made again are found by name
CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE roles (id int PRIMARY KEY, rank int);
CREATE TABLE user_roles (role_id int, user_id bigint, level int, status text,
	updated_at timestamptz, created_at timestamptz);
INSERT INTO roles VALUES (7, 1);
INSERT INTO user_roles VALUES (7, 1, 1, 'active');
SELECT related_ids(r, 1) FROM kept WHERE n = 1;
-- a saved relation does not come back with them
SELECT related_ids(r, 1) FROM kept WHERE n = 3;
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation('saved', belongs_to_many('users', 'roles', 'user_roles', 'user_id', 'role_id'));
SELECT n, related_ids(r, 1) FROM kept WHERE n < 4 ORDER BY n;

\pset tuples_only off
\pset format aligned
DROP SCHEMA relation_type CASCADE;
