--
-- related_ids(), is_attached(), count_related(), count_related_for()
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA reads;
SET search_path = reads, m2m;

CREATE TABLE users (id bigint PRIMARY KEY, name text);
CREATE TABLE roles (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE user_roles (user_id bigint, role_id int, status text, level int, PRIMARY KEY (user_id, role_id));
INSERT INTO users VALUES (1, 'Ada'), (2, 'Bob'), (3, 'Eve');
INSERT INTO roles VALUES (1, 'admin'), (2, 'editor'), (3, 'author'), (10, 'reader');
INSERT INTO user_roles VALUES (1, 10, 'active', 1), (1, 2, 'paused', 2), (1, 3, 'active', NULL), (1, 99, 'active', 0),
	(2, 2, 'active', 7), (77, 1, 'active', 1);
SELECT create_relation('user_roles', belongs_to_many('users', 'roles', 'user_roles', 'user_id', 'role_id'));
-- the same pairs, and more than once, and pairs that are none
CREATE TABLE visits (id serial PRIMARY KEY, user_id bigint, role_id int, status text);
INSERT INTO visits (user_id, role_id, status) VALUES
	(1, 10, 'a'), (1, 2, 'a'), (1, 10, 'b'), (1, NULL, 'a'), (1, 2, NULL), (1, NULL, NULL), (NULL, 2, 'a'), (NULL, NULL, 'a'), (2, NULL, 'a'), (1, 10, 'b');
SELECT create_relation('visits', belongs_to_many('users', 'roles', 'visits', 'user_id', 'role_id'));

-- ---- related_ids: in key order, distinct, without NULL, from the pivot alone

SELECT u, related_ids('user_roles', u) AS user_roles, related_ids('visits', u) AS visits
FROM (VALUES (1), (2), (3), (77), (NULL)) v(u);
SELECT related_ids('user_roles', '1'), related_ids('user_roles', '1'::text), related_ids('user_roles', '"1"'::jsonb), related_ids('user_roles', 1::numeric),
	related_ids('user_roles', ROW(1)), related_ids('user_roles', NULL), related_ids('user_roles', NULL::text);
SELECT pg_typeof(r), r FROM related_ids('user_roles', 1, NULL::int) r;
SELECT pg_typeof(r), r FROM related_ids('visits', '1', NULL::bigint) r;
SELECT r FROM related_ids('visits', 1::text, 0::text) r;
SELECT r FROM related_ids('user_roles', 3, NULL::int) r;
SELECT r FROM related_ids('user_roles', NULL, NULL::int) r;
SELECT r FROM related_ids('user_roles', NULL::bigint, NULL::int) r;
SELECT r FROM related_ids('user_roles', 1, NULL::numeric(5, 2)) r;
SELECT related_ids('user_roles', 1, NULL::int) AS in_select_list, related_ids('visits', 1, NULL::int) AS other;
SELECT name FROM roles WHERE id IN (SELECT related_ids('user_roles', 1, NULL::int)) ORDER BY id;
SELECT count(*), sum(r) FROM related_ids('user_roles', 1, NULL::int) WITH ORDINALITY t(r, n) WHERE n > 1;
-- a row type of one column, its name does not matter
CREATE TYPE one AS (anything int8);
SELECT pg_typeof(r), r, (r).anything FROM related_ids('user_roles', 1, NULL::one) r;
SELECT * FROM related_ids('user_roles', 1, NULL::record) AS t(x text);
-- types that ids are not of
SELECT r FROM related_ids('user_roles', 1, NULL::users) r;
\echo :LAST_ERROR_SQLSTATE
CREATE TYPE no_columns AS ();
SELECT r FROM related_ids('user_roles', 1, NULL::no_columns) r;
\echo :LAST_ERROR_SQLSTATE
SELECT r FROM related_ids('user_roles', 1, NULL::point) r;
\echo :LAST_ERROR_SQLSTATE
SELECT r FROM related_ids('user_roles', 1, NULL::int[]) r;
\echo :LAST_ERROR_SQLSTATE
SELECT r FROM related_ids('user_roles', 1, 'x') r;
\echo :LAST_ERROR_SQLSTATE
CREATE DOMAIN small AS int CHECK (VALUE < 50);
SELECT r FROM related_ids('user_roles', 1, NULL::small) r;
\echo :LAST_ERROR_SQLSTATE
SELECT r FROM related_ids('user_roles', 2, NULL::small) r;
-- parents that are none
SELECT related_ids('user_roles', 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT related_ids('user_roles', ARRAY[1]);
\echo :LAST_ERROR_SQLSTATE
SELECT related_ids(NULL, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT related_ids('user_rolls', 1);
\echo :LAST_ERROR_SQLSTATE

-- ---- is_attached: all of them

SELECT is_attached('user_roles', 1, 2) AS one, is_attached('user_roles', 1, 1) AS no, is_attached('user_roles', 1, ARRAY[10, 2, 3]) AS "all",
	is_attached('user_roles', 1, ARRAY[10, 2, 1]) AS not_all, is_attached('user_roles', 1, '{2,2,"10",2}') AS repeated, is_attached('user_roles', 1, '[2, "3", 1e1]') AS json,
	is_attached('user_roles', 1, '{"2": {}, "3": null}'::jsonb) AS object, is_attached('user_roles', 1, '[{"role_id": 2}, {"role_id": 99, "user_id": 1}]'::jsonb) AS rows,
	is_attached('user_roles', 2, '3') AS other_parent, is_attached('user_roles', 3, 1) AS no_rows;
-- all of nothing; nothing of no parent
SELECT is_attached('user_roles', 1, '{}') AS empty, is_attached('user_roles', 3, '[]'::jsonb) AS empty_json, is_attached('user_roles', 3, '{}'::int[]) AS empty_array,
	is_attached('user_roles', NULL, 1) AS null_parent, is_attached('user_roles', NULL::bigint, '{1}') AS null_typed, is_attached('user_roles', NULL, '{}') AS null_empty;
SELECT is_attached('visits', 1, 10) AS doubled, is_attached('visits', 1, '{10,2,10}') AS twice, is_attached('visits', 2, 2) AS null_key;
SELECT is_attached('user_roles', 1, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT is_attached('user_roles', 1, NULL::int[]);
\echo :LAST_ERROR_SQLSTATE
SELECT is_attached('user_roles', NULL, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT is_attached('user_roles', 1, ARRAY[2, NULL]);
\echo :LAST_ERROR_SQLSTATE
SELECT is_attached('user_roles', 1, 'two');
\echo :LAST_ERROR_SQLSTATE
SELECT is_attached('user_roles', 1, 9999999999);
\echo :LAST_ERROR_SQLSTATE
-- many ids, found and not
INSERT INTO user_roles SELECT 5, i FROM generate_series(1, 5000) i;
SELECT is_attached('user_roles', 5, ARRAY(SELECT generate_series(1, 5000))) AS "all", is_attached('user_roles', 5, ARRAY(SELECT generate_series(1, 5001))) AS one_more,
	is_attached('user_roles', 5, ARRAY(SELECT i % 3000 + 1 FROM generate_series(1, 6000) i)) AS repeated;
SELECT jsonb_array_length(related_ids('user_roles', 5)), related_ids('user_roles', 5) -> 4999 AS last, count_related('user_roles', 5),
	(SELECT array_agg(r) = array_agg(r ORDER BY r) FROM related_ids('user_roles', 5, NULL::int) r) AS in_order;

-- ---- count_related: rows whose key is not NULL

SELECT u, count_related('user_roles', u) AS user_roles, count_related('visits', u) AS visits
FROM (VALUES (1), (2), (3), (77), (NULL)) v(u);
SELECT count_related('user_roles', '1'), count_related('user_roles', '1'::jsonb), count_related('user_roles', NULL), pg_typeof(count_related('user_roles', NULL::text));
SELECT count_related('user_roles', 'x');
\echo :LAST_ERROR_SQLSTATE

SELECT * FROM count_related_for('user_roles', ARRAY[3, 1, NULL, 77, 1, 2]);
SELECT * FROM count_related_for('visits', ARRAY[2, 1, 3]);
SELECT * FROM count_related_for('visits', '{2,1,null,1}');
SELECT * FROM count_related_for('visits', '[2, 1, null, "1"]');
SELECT * FROM count_related_for('visits', '[2, 1, null, "1"]'::jsonb);
SELECT * FROM count_related_for('visits', '1');
SELECT * FROM count_related_for('visits', NULL::int[]);
SELECT * FROM count_related_for('visits', NULL);
SELECT * FROM count_related_for('visits', '{}');
SELECT pg_typeof(parent), pg_typeof(count), parent, count FROM count_related_for('user_roles', ARRAY['1', '02']);
SELECT name, count FROM users u JOIN count_related_for('user_roles', ARRAY(SELECT id FROM users)) c ON c.parent = u.id ORDER BY u.id;
SELECT * FROM count_related_for('user_roles', '{x}');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*), sum(count), bool_and(parent = ordinality) AS in_order FROM count_related_for('user_roles', ARRAY(SELECT generate_series(1, 3000))) WITH ORDINALITY;

-- ---- the scope

-- filters on the pivot; take and order have no bearing
CREATE FUNCTION answers(belongs_to_many, bigint, OUT ids jsonb, OUT typed int[], OUT ids_2_10 bool, OUT n bigint, OUT n_for bigint, OUT results bigint) LANGUAGE sql
BEGIN ATOMIC
	SELECT related_ids($1, $2), ARRAY(SELECT related_ids($1, $2, NULL::int)), is_attached($1, $2, '{2,10}'), count_related($1, $2),
		(SELECT count FROM count_related_for($1, ARRAY[$2])), (SELECT count(*) FROM get_results($1, $2));
END;
SELECT (answers('user_roles', 1)).*;
SELECT r.name, a.* FROM (VALUES
	('active', where_pivot('user_roles', 'status', 'active')),
	('or', or_where_pivot_null(where_pivot('user_roles', 'status', 'paused'), 'level')),
	('or, another parent', or_where_pivot(where_pivot('user_roles', 'level', 7), 'level', 1)),
	('value', with_pivot_value('user_roles', 'status', 'paused')),
	('null', with_pivot_value('user_roles', 'level', NULL)),
	('none', where_pivot_in('user_roles', 'level', '{}')),
	('all', where_pivot_not_in('user_roles', 'level', '{}')),
	('visits', where_pivot('visits', 'status', 'a')),
	('take', take(order_by('user_roles', 'name', 'desc'), 1, 1)),
	('related', where_related('user_roles', 'name', 'like', '%e%')),
	('related id', where_related('user_roles', 'id', '>', 2)),
	('both', where_related(where_pivot('user_roles', 'status', 'active'), 'name', '~', 'r$')),
	('related, visits', where_related('visits', 'id', '>', 2))) r(name, rel), answers(rel, 1) a;
SELECT r.name, a.* FROM (VALUES
	('users of role', inverse('user_roles')), ('active', where_pivot(inverse('user_roles'), 'status', 'active')),
	('named', where_related(inverse('user_roles'), 'name', 'Bob')), ('visits', inverse('visits'))) r(name, rel), answers(rel, 2) a;

-- ---- reports are in the type of the key

CREATE TYPE mood AS ENUM ('happy', 'sad', 'angry');
CREATE DOMAIN code AS varchar(3);
CREATE TABLE keys (
	u int, n numeric, f float8, t text, c char(4), d date, ts timestamptz, e mood, i uuid, b bool, k code, y bytea, j jsonb, iv interval, a int[]);
CREATE TABLE any_key (n numeric, f float8, t text, c char(4), d date, ts timestamptz, e mood, i uuid, b bool, k code, y bytea, j jsonb, iv interval, a int[]);
INSERT INTO keys VALUES
	(1, 2.50, 'NaN', 'b"', 'b', '2020-02-01', '2020-02-01 12:00+00', 'sad', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', true, 'ab', '\xff', '[1, {"a": 2.0}]', '1 day', '{2,NULL}'),
	(1, 2.5, 1e30, 'a', 'a', 'infinity', 'infinity', 'happy', '00000000-0000-0000-0000-000000000000', false, 'b', '\x', '1', '24:00', '{1}'),
	(1, -10, -0.5, 'B', 'B', '0044-03-15 BC', '0044-03-15 00:00+00 BC', 'angry', 'ffffffff-ffff-ffff-ffff-ffffffffffff', NULL, 'a', '\x00', '"s"', '-1 sec', '{}'),
	(1, 'Infinity', 'Infinity', '', '', '-infinity', '-infinity', 'sad', NULL, true, '', NULL, NULL, NULL, NULL);
SET timezone = 'UTC';
SELECT k, related_ids(belongs_to_many('users', 'any_key', 'keys', 'u', k, NULL, k), 1)
FROM unnest('{n,f,t,c,d,ts,e,i,b,k,y,j,iv,a}'::name[]) k;
-- dates and times as results have them, whatever the settings; and reports can be read back
SET datestyle = 'SQL, DMY';
SELECT k, related_ids(belongs_to_many('users', 'any_key', 'keys', 'u', k, NULL, k), 1) AS ids,
	is_attached(belongs_to_many('users', 'any_key', 'keys', 'u', k, NULL, k), 1, related_ids(belongs_to_many('users', 'any_key', 'keys', 'u', k, NULL, k), 1)) AS attached
FROM unnest('{d,ts}'::name[]) k;
RESET datestyle;
SELECT k, is_attached(belongs_to_many('users', 'any_key', 'keys', 'u', k, NULL, k), 1, related_ids(belongs_to_many('users', 'any_key', 'keys', 'u', k, NULL, k), 1)) AS attached
FROM unnest('{n,f,t,c,d,ts,e,i,b,k,y,iv,a}'::name[]) k;
SELECT r FROM related_ids(belongs_to_many('users', 'any_key', 'keys', 'u', 'e', NULL, 'e'), 1, NULL::mood) r;
SELECT r FROM related_ids(belongs_to_many('users', 'any_key', 'keys', 'u', 'c', NULL, 'c'), 1, NULL::char(4)) r;
SELECT r FROM related_ids(belongs_to_many('users', 'any_key', 'keys', 'u', 'n', NULL, 'n'), 1, NULL::numeric) r;
SELECT r FROM related_ids(belongs_to_many('users', 'any_key', 'keys', 'u', 'iv', NULL, 'iv'), 1, NULL::interval) r;
-- distinct and in order as the key says, not as the type that it is cast to
SELECT r FROM related_ids(belongs_to_many('users', 'any_key', 'keys', 'u', 'n', NULL, 'n'), 1, NULL::float8) r;
SELECT r FROM related_ids(belongs_to_many('users', 'any_key', 'keys', 'u', 'd', NULL, 'd'), 1, NULL::text) r;
RESET timezone;
-- a collation of the key that holds some strings for equal
CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE words (word text COLLATE any_case PRIMARY KEY);
CREATE TABLE user_words (user_id bigint, word text COLLATE any_case);
INSERT INTO user_words VALUES (1, 'b'), (1, 'Ab'), (1, 'C'), (2, 'x'), (2, 'X');
SELECT create_relation('user_words', belongs_to_many('users', 'words', 'user_words', 'user_id', 'word'));
SELECT related_ids('user_words', 1), ARRAY(SELECT related_ids('user_words', 1, NULL::text)) AS typed, is_attached('user_words', 1, ARRAY['AB', 'c', 'B', 'ab']) AS attached,
	is_attached('user_words', 1, '{b}') AS verbatim, jsonb_array_length(related_ids('user_words', 2)) AS one, count_related('user_words', 2) AS rows,
	(SELECT count(*) FROM related_ids('user_words', 2, NULL::text)) AS one_typed;

-- ---- keys of several columns

CREATE TABLE docs (lang text, nr int, title text, PRIMARY KEY (lang, nr));
CREATE TABLE user_docs (user_id bigint, lang text, nr int, PRIMARY KEY (user_id, lang, nr), FOREIGN KEY (lang, nr) REFERENCES docs);
INSERT INTO docs SELECT l, n, l || n FROM unnest('{en,de}'::text[]) l, generate_series(1, 3) n;
INSERT INTO user_docs VALUES (1, 'en', 2), (1, 'de', 3), (1, 'de', 1), (2, 'en', 1);
SELECT create_relation('user_docs', belongs_to_many('users', 'docs', 'user_docs', ARRAY['user_id']::name[], ARRAY['lang', 'nr']::name[]));
SELECT related_ids('user_docs', 1), count_related('user_docs', 1);
SELECT is_attached('user_docs', 1, ROW('en', 2)) AS "row", is_attached('user_docs', 1, '{"lang": "de", "nr": 1}') AS object, is_attached('user_docs', 1, '[["de", 1], {"nr": "3", "lang": "de"}]') AS list,
	is_attached('user_docs', 1, ARRAY[ROW('en', 2), ROW('en', 1)]) AS no;
-- a JSON array is a list of ids, not the columns of one
SELECT is_attached('user_docs', 1, '["en", 2]'::jsonb);
\echo :LAST_ERROR_SQLSTATE
CREATE TYPE doc_id AS (a varchar, b bigint);
SELECT r, (r).b FROM related_ids('user_docs', 1, NULL::doc_id) r;
SELECT * FROM related_ids('user_docs', 1, NULL::record) AS t(lang text, number text);
SELECT title FROM docs WHERE (lang, nr) IN (SELECT * FROM related_ids('user_docs', 1, NULL::doc_id)) ORDER BY 1;
SELECT r FROM related_ids('user_docs', 1, NULL::text) r;
\echo :LAST_ERROR_SQLSTATE
SELECT related_ids(inverse('user_docs'), ROW('en', 1)), related_ids(inverse('user_docs'), '["de", 3]'), count_related(inverse('user_docs'), '{"nr": 1, "lang": "de"}');
SELECT * FROM count_related_for(inverse('user_docs'), '[["de", 1], ["de", 2], ["de", 1]]');
SELECT related_ids(where_related('user_docs', 'title', 'like', 'de%'), 1), is_attached(where_related('user_docs', 'title', 'like', 'de%'), 1, '[["de", 1]]') AS yes,
	is_attached(where_related('user_docs', 'title', 'like', 'de%'), 1, '[["de", 1], ["en", 2]]') AS no, count_related(where_related('user_docs', 'title', 'like', 'de%'), 1);
-- a column that is in both keys is given by the parent
CREATE TABLE t_users (tenant int, id int, PRIMARY KEY (tenant, id));
CREATE TABLE t_roles (tenant int, id int, name text, PRIMARY KEY (tenant, id));
CREATE TABLE t_user_roles (tenant int, user_id int, role_id int, PRIMARY KEY (tenant, user_id, role_id),
	FOREIGN KEY (tenant, user_id) REFERENCES t_users, FOREIGN KEY (tenant, role_id) REFERENCES t_roles);
INSERT INTO t_users VALUES (1, 1), (2, 1);
INSERT INTO t_roles VALUES (1, 1, 'one'), (1, 2, 'two'), (2, 2, 'zwei'), (2, 3, 'drei');
INSERT INTO t_user_roles VALUES (1, 1, 1), (1, 1, 2), (2, 1, 2), (2, 1, 3);
SELECT create_relation('t_user_roles', belongs_to_many('t_users', 't_roles'));
SELECT related_ids('t_user_roles', ROW(1, 1)) AS tenant_1, related_ids('t_user_roles', '[2, 1]') AS tenant_2, ARRAY(SELECT related_ids('t_user_roles', u, NULL::int)) AS typed,
	is_attached('t_user_roles', u, '{2,3}'), count_related('t_user_roles', u), related_ids(where_related('t_user_roles', 'name', 'zwei'), u) AS filtered
FROM t_users u WHERE tenant = 2;
SELECT * FROM count_related_for('t_user_roles', ARRAY(SELECT u FROM t_users u ORDER BY u));

-- a parent of which a column is NULL is no parent: reads find nothing, writes refuse it
SELECT related_ids('t_user_roles', ROW(1, NULL)) AS "row", related_ids('t_user_roles', '[null, 1]') AS "array", related_ids('t_user_roles', '{"tenant": 1, "user_id": null}') AS object,
	related_ids('t_user_roles', '(1,)') AS text, related_ids('t_user_roles', ROW(NULL, NULL)) AS nulls, related_ids('user_roles', 'null'::jsonb) AS json_null,
	is_attached('t_user_roles', ROW(1, NULL), 1), count_related('t_user_roles', ROW(NULL, 1)), (SELECT count(*) FROM get_results('t_user_roles', ROW(1, NULL))) AS results,
	run.n AS query
FROM (SELECT count(*) AS n FROM t_user_roles WHERE (tenant, user_id) = (1, NULL)) run;
SELECT pivot_predicate('t_user_roles', ROW(1, NULL)), (SELECT array_agg(r) FROM related_ids('t_user_roles', ROW(1, NULL), NULL::int) r) AS typed;
SELECT * FROM count_related_for('t_user_roles', ARRAY[ROW(1, NULL), ROW(2, 1), NULL, ROW(NULL, NULL), ROW(2, 1)]);
SELECT * FROM count_related_for('t_user_roles', '[[1, null], [1, 1], null, {"tenant": null, "user_id": 1}]');
SELECT attach('t_user_roles', ROW(1, NULL), 1);
\echo :LAST_ERROR_SQLSTATE
SELECT detach('t_user_roles', '{"tenant": 1, "user_id": null}');
\echo :LAST_ERROR_SQLSTATE
SELECT detach('user_roles', 'null'::jsonb);
\echo :LAST_ERROR_SQLSTATE

-- ---- marks; in a read-only transaction; no locks but those of a SELECT

START TRANSACTION READ ONLY;
SELECT related_ids('user_roles', 1), is_attached('user_roles', 1, 2), count_related('user_roles', 1), (SELECT count(*) FROM count_related_for('user_roles', ARRAY[1, 2]));
SELECT locktype, relation::regclass, mode FROM pg_locks
WHERE pid = pg_backend_pid() AND (locktype = 'advisory' OR relation IN ('users'::regclass, 'roles'::regclass, 'user_roles'::regclass)) ORDER BY 1, 2, 3;
COMMIT;
SELECT p.proname, p.provolatile, p.proparallel, p.proisstrict, p.proleakproof, p.prosecdef, count(*)
FROM pg_proc p WHERE pronamespace = 'm2m'::regnamespace
	AND proname IN ('get_results', 'get_results_for', 'related_ids', 'is_attached', 'count_related', 'count_related_for', 'get_pivot_columns',
		'new_pivot_query', 'pivot_predicate', 'add_constraints', 'get_related_table')
GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1;

-- ---- the pivot alone is read: the related table can be closed to the reader

CREATE ROLE regress_btm_reads;
GRANT USAGE ON SCHEMA reads, m2m TO regress_btm_reads;
GRANT SELECT (user_id, role_id) ON user_roles TO regress_btm_reads;
SET ROLE regress_btm_reads;
SELECT related_ids('user_roles', 1), is_attached('user_roles', 1, 2), count_related('user_roles', 1), ARRAY(SELECT related_ids('user_roles', 1, NULL::int));
SELECT * FROM count_related_for('user_roles', ARRAY[1, 2]);
SELECT count_related(where_pivot('user_roles', 'status', 'active'), 1);
\echo :LAST_ERROR_SQLSTATE
SELECT related_ids(where_related('user_roles', 'id', 2), 1);
\echo :LAST_ERROR_SQLSTATE
SELECT get_results('user_roles', 1);
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT SELECT ON roles TO regress_btm_reads;
SET ROLE regress_btm_reads;
SELECT related_ids(where_related('user_roles', 'id', 2), 1), (SELECT count(*) FROM get_results('user_roles', 1));
SELECT get_results(with_pivot('user_roles', 'status'), 1);
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
-- row security of the caller
ALTER TABLE user_roles ENABLE ROW LEVEL SECURITY;
CREATE POLICY odd ON user_roles TO regress_btm_reads USING (role_id % 2 = 1);
SET ROLE regress_btm_reads;
SELECT related_ids('user_roles', 1), is_attached('user_roles', 1, 2), count_related('user_roles', 1), (SELECT count(*) FROM get_results('user_roles', 1));
RESET ROLE;
SELECT related_ids('user_roles', 1), is_attached('user_roles', 1, 2), count_related('user_roles', 1);
DROP POLICY odd ON user_roles;
REVOKE ALL ON SCHEMA m2m FROM regress_btm_reads;
DROP OWNED BY regress_btm_reads;
DROP ROLE regress_btm_reads;

DROP SCHEMA reads CASCADE;
