--
-- sync(), sync_without_detaching()
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA sync;
SET search_path = sync, m2m;

CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE roles (id bigint PRIMARY KEY, name text);
INSERT INTO users SELECT generate_series(1, 9);
INSERT INTO roles SELECT i, 'role ' || i FROM generate_series(1, 20) AS i;
CREATE TABLE user_roles (
	user_id bigint REFERENCES users,
	role_id bigint REFERENCES roles,
	status text DEFAULT 'new',
	position int,
	PRIMARY KEY (user_id, role_id),
	UNIQUE (user_id, position));
INSERT INTO user_roles SELECT u, r, 'old' FROM generate_series(1, 2) AS u, generate_series(1, 4) AS r;
SELECT create_relation('user_roles', belongs_to_many('users', 'roles'));

-- attached in the order of the input, detached in that of the key
SELECT * FROM sync('user_roles', 1, '{12,3,10,1,11}');
TABLE user_roles ORDER BY 1, 2;
-- the same again changes nothing
SELECT * FROM sync('user_roles', 1, '{1,3,10,11,12}');
-- duplicates collapse, the first mention gives the place
SELECT * FROM sync('user_roles', 1, '{9,1,8,9,1,8}');
-- a JSON object has jsonb's own order: by length, then bytes
SELECT * FROM sync('user_roles', 1, '{"10": {}, "9": {}, "20": {}, "11": {}, "7": {}}');

-- without detaching
SELECT * FROM sync('user_roles', 1, '{1,2,7}', detaching => false);
SELECT * FROM sync('user_roles', 1, '{1,3}', false);
SELECT * FROM sync_without_detaching('user_roles', 1, '{4,3}');
SELECT * FROM sync_without_detaching('user_roles', 1, '{}');
SELECT * FROM sync_without_detaching('user_roles', 1, '[]'::jsonb, '{"status": "x"}');
SELECT array_agg(role_id ORDER BY role_id) FROM user_roles WHERE user_id = 1;

-- an empty list detaches everything, of this parent
SELECT * FROM sync('user_roles', 1, '{}');
SELECT * FROM sync('user_roles', 1, '[]'::jsonb);
SELECT array_agg(role_id ORDER BY role_id) FROM user_roles WHERE user_id = 1;
SELECT array_agg(role_id ORDER BY role_id) FROM user_roles WHERE user_id = 2;

-- NULL does not
SELECT * FROM sync('user_roles', 2, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sync('user_roles', 2, NULL::bigint[]);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sync('user_roles', 2, 'null'::json);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sync('user_roles', 2, ARRAY[1, NULL]);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sync('user_roles', NULL, '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sync('user_roles', 2, '{1}', detaching => NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sync_without_detaching('user_roles', 2, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT array_agg(role_id ORDER BY role_id) FROM user_roles WHERE user_id = 2;

-- ---- attributes

-- per id, shared, both; only where given and only where one differs is an update
SELECT * FROM sync('user_roles', 3, '{"1": {"status": "a"}, "2": {}, "3": null, "4": []}'::jsonb);
SELECT * FROM user_roles WHERE user_id = 3 ORDER BY 2;
SELECT * FROM sync('user_roles', 3, '{"1": {"status": "a"}, "2": {"status": "new"}, "3": {"status": null}, "4": {"position": null}}'::jsonb);
SELECT * FROM sync('user_roles', 3, '{4,3,2,1}', attributes => '{"status": "shared"}');
SELECT * FROM sync('user_roles', 3, '[{"role_id": 1, "status": "own"}, {"role_id": 2, "position": 2}, 3, 4, 5]',
	attributes => '{"status": "shared"}');
SELECT * FROM user_roles WHERE user_id = 3 ORDER BY 2;
SELECT * FROM sync_without_detaching('user_roles', 3, '{"3": {"status": "x", "position": 3}, "6": {"position": 6}}'::jsonb, '{"status": "y"}');
SELECT * FROM user_roles WHERE user_id = 3 ORDER BY 2;

-- rows that stay are not written anew
CREATE TEMP TABLE before AS SELECT role_id, ctid AS version FROM user_roles WHERE user_id = 3;
SELECT * FROM sync('user_roles', 3, '{"1": {"status": "own"}, "2": {"status": "z"}, "3": {}, "4": {"status": "shared"}, "7": {}}'::jsonb);
SELECT role_id, b.version = r.ctid AS same_version
FROM before b FULL JOIN (SELECT ctid, role_id FROM user_roles WHERE user_id = 3) r USING (role_id) ORDER BY 1;

-- the order of work is delete, update, insert: unique values move on
SELECT * FROM sync('user_roles', 4, '{"1": {"position": 1}, "2": {"position": 2}, "3": {"position": 3}}'::jsonb);
SELECT * FROM sync('user_roles', 4, '{"2": {"position": 1}, "3": {"position": 5}, "4": {"position": 3}}'::jsonb);
SELECT * FROM user_roles WHERE user_id = 4 ORDER BY 2;

-- updated_at moves with an effective update alone
CREATE TABLE stamps (
	user_id bigint, role_id bigint, note text, created_at timestamptz, updated_at timestamptz,
	PRIMARY KEY (user_id, role_id));
SELECT create_relation('stamps',
	with_timestamps(belongs_to_many('users', 'roles', 'stamps', 'user_id', 'role_id')));
INSERT INTO stamps SELECT 1, r, 'n', '2001-01-01', '2001-01-01' FROM generate_series(1, 4) AS r;
BEGIN;
SELECT * FROM sync('stamps', 1, '{"2": {"note": "n"}, "3": {"note": "new"}, "4": {"updated_at": "2001-01-01"}, "5": {}, "6": {"created_at": "2001-01-01"}}'::jsonb);
SELECT role_id, note, created_at = now() AS created, updated_at = now() AS updated FROM stamps ORDER BY 1;
COMMIT;

-- ---- whole or not at all

SELECT * FROM sync('user_roles', 4, '{"2": {"status": "lost"}, "100": {}, "9": {}}'::jsonb);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sync('user_roles', 4, '{"2": {"position": 5}, "3": {}, "9": {}}'::jsonb);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM user_roles WHERE user_id = 4 ORDER BY 2;

-- ---- the filter is the scope

CREATE TABLE flags (
	user_id bigint, role_id bigint, flag text, note text, PRIMARY KEY (user_id, role_id));
INSERT INTO flags VALUES (1, 1, 'a'), (1, 2, 'a'), (1, 3, 'b'), (1, 4, NULL), (2, 1, 'a'), (2, 2, 'b');
SELECT create_relation('flags', belongs_to_many('users', 'roles', 'flags', 'user_id', 'role_id'));
-- only rows in scope are detached; what is attached is in it
SELECT * FROM sync(with_pivot_value('flags', 'flag', 'a'), 1, '{2,5}');
TABLE flags ORDER BY 1, 2;
-- a pair outside of the scope that the index forbids to double: an error, and no change
SELECT * FROM sync(with_pivot_value('flags', 'flag', 'a'), 1, '{3,6}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sync(with_pivot_value('flags', 'flag', 'a'), 1, '{"3": {"note": "x"}}'::jsonb, false);
\echo :LAST_ERROR_SQLSTATE
-- an OR does not reach other parents
SELECT * FROM sync(or_where_pivot(where_pivot('flags', 'flag', 'a'), 'flag', 'b'), 1, '{}');
SELECT * FROM sync(where_pivot_null('flags', 'flag'), 1, '{}');
TABLE flags ORDER BY 1, 2;
-- an update that takes a row out of the scope is one
SELECT * FROM sync(where_pivot('flags', 'flag', 'a'), 2, '{"1": {"flag": "c"}}'::jsonb);
TABLE flags ORDER BY 1, 2;
SELECT * FROM sync(where_related('flags', 'name', 'role 1'), 2, '{1}');
\echo :LAST_ERROR_SQLSTATE

-- ---- without a unique index

CREATE TABLE visits (id serial PRIMARY KEY, user_id bigint, role_id bigint, note text);
SELECT create_relation('visits', belongs_to_many('users', 'roles', 'visits', 'user_id', 'role_id'));
INSERT INTO visits (user_id, role_id, note) VALUES
	(1, 1, 'x'), (1, 1, 'y'), (1, 2, 'x'), (1, 2, 'y'), (1, NULL, 'x'), (NULL, 3, 'x');
-- the rows of a pair are one id, in every report; a row without a related key is none
SELECT * FROM sync('visits', 1, '{"2": {"note": "y"}, "3": {}}'::jsonb);
SELECT user_id, role_id, note FROM visits ORDER BY id;
SELECT * FROM sync('visits', 1, '{"2": {"note": "z"}}'::jsonb);
SELECT user_id, role_id, note FROM visits ORDER BY id;
SELECT * FROM sync('visits', 1, '{}');
SELECT user_id, role_id, note FROM visits ORDER BY id;

-- ---- reports are in the type of the key

CREATE TABLE keys (
	i2 smallint, i8 bigint, num numeric, num2 numeric(6, 2), f8 float8, b bool, t text, c char(4), d date, u uuid,
	iv interval, o oid, e "char", ba bytea, ts timestamp(0));
CREATE FUNCTION report(col name, ids text) RETURNS TABLE (attached jsonb, again jsonb, detached jsonb)
LANGUAGE plpgsql AS $$
DECLARE
	r belongs_to_many := m2m.belongs_to_many('users', format('k_%s', col)::regclass, 'keys', 'i2', col);
	list jsonb := ids;
BEGIN
	SELECT s.attached INTO attached FROM sync(r, 1, list) AS s;
	SELECT s.attached || s.updated || s.detached INTO again FROM sync(r, 1, attached) AS s;
	SELECT s.detached INTO detached FROM sync(r, 1, '[]'::jsonb) AS s;
	RETURN NEXT;
END
$$;
-- a related table for each type
DO $$
DECLARE
	att record;
BEGIN
	FOR att IN SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute
		WHERE attrelid = 'keys'::regclass AND attnum > 0 LOOP
		EXECUTE format('CREATE TABLE k_%s (k %s PRIMARY KEY)', att.attname, att.type);
	END LOOP;
END
$$;
ALTER TABLE users ALTER id TYPE smallint;
SELECT * FROM report('i8', '[9007199254740993, "9223372036854775807", -5, 1e2]');
SELECT * FROM report('num', '[1.50, "1e-3", "NaN", 12345678901234567890.5, 2, "Infinity"]');
SELECT * FROM report('num2', '[1.5, 7, "7.00", 0.10]');
SELECT * FROM report('f8', '[1.5, 0.1, "-Infinity", "NaN", 1e20]');
SELECT * FROM report('b', '[true, false, "t"]');
SELECT * FROM report('t', '["1", 1, true, "a\"b\\c", ""]');
SELECT * FROM report('c', '["ab", "ab  ", "abc"]');
SET datestyle = 'ISO, DMY';
SELECT * FROM report('d', '["2024-02-29", "infinity"]');
-- what the column would round is another key: refused, or each sync would exchange it
SELECT * FROM report('ts', '["2024-02-29 12:00:00", "2024-02-29T12:00:00.0"]');
SELECT * FROM report('ts', '["2024-02-29 12:00:00.6"]');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM report('num2', '[1.505]');
\echo :LAST_ERROR_SQLSTATE
RESET datestyle;
SELECT * FROM report('u', '["A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "{a0eebc999c0b4ef8bb6d6bb9bd380a11}"]');
SET intervalstyle = 'postgres';
SELECT * FROM report('iv', '["24 hours", "1 day", "1 mon", "30 days", "31 days"]');
RESET intervalstyle;
SELECT * FROM report('o', '[4294967295, "1"]');
SELECT * FROM report('e', '["x", "y"]');
SELECT * FROM report('ba', '["\\x01ff", "\\x"]');

-- keys of several columns: objects of the columns that the parent does not give
CREATE TABLE t_users (tenant int, id int, PRIMARY KEY (tenant, id));
CREATE TABLE t_roles (tenant int, code text, nr int, PRIMARY KEY (tenant, code, nr));
CREATE TABLE t_user_roles (
	tenant int, user_id int, code text, nr int, note text,
	PRIMARY KEY (tenant, user_id, code, nr),
	FOREIGN KEY (tenant, user_id) REFERENCES t_users,
	FOREIGN KEY (tenant, code, nr) REFERENCES t_roles);
INSERT INTO t_users VALUES (1, 1), (2, 1);
INSERT INTO t_roles SELECT t, c, n FROM generate_series(1, 2) AS t, unnest('{a,b}'::text[]) AS c, generate_series(1, 2) AS n;
SELECT create_relation('t_user_roles', belongs_to_many('t_users', 't_roles'));
SELECT * FROM sync('t_user_roles', '[2, 1]'::jsonb, '[{"code": "b", "nr": 1}, ["a", 2], {"nr": 1, "code": "a", "note": "n"}]'::jsonb);
SELECT * FROM sync('t_user_roles', '[2, 1]'::jsonb, '[{"code": "a", "nr": 1, "note": "m"}, {"tenant": 2, "code": "b", "nr": 2}]'::jsonb);
TABLE t_user_roles ORDER BY 1, 2, 3, 4;

-- ---- in SQL

SELECT * FROM sync(inverse('user_roles'), 1, '{5,6,7}');
SELECT (sync('user_roles', 5, '{2,3}')).*;
SELECT u.id, s.* FROM users u, sync('user_roles', u.id, ARRAY[u.id]) AS s WHERE u.id BETWEEN 5 AND 7 ORDER BY u.id;
SELECT id, sync_without_detaching('user_roles', id, '{1}') FROM users WHERE id BETWEEN 5 AND 7 ORDER BY id;
SELECT * FROM sync(ids => '{4}', relation => 'user_roles', attributes => '{"status": "named"}', detaching => false, parent_id => 7);
SELECT * FROM sync_without_detaching(parent_id => 7, attributes => '{"status": "again"}', ids => '{4}', relation => 'user_roles');
SELECT user_id, role_id, status FROM user_roles WHERE user_id BETWEEN 5 AND 7 ORDER BY 1, 2;
BEGIN READ ONLY;
SELECT * FROM sync('user_roles', 5, '{}');
ROLLBACK;
\echo :LAST_ERROR_SQLSTATE

DROP SCHEMA sync CASCADE;
