--
-- Large inputs: a million ids, long keys, many parents in one transaction
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA large;
SET search_path = large, m2m;
-- what is quadratic somewhere fails here, rather than to go on for hours
SET statement_timeout = '120s';

CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE roles (id bigint PRIMARY KEY);
INSERT INTO users SELECT generate_series(1, 60000);
INSERT INTO roles SELECT generate_series(1, 1000000);
CREATE TABLE user_roles (
	user_id bigint REFERENCES users, role_id bigint REFERENCES roles, note text, n int,
	PRIMARY KEY (user_id, role_id));
SELECT create_relation('user_roles', belongs_to_many('users', 'roles'));
CREATE FUNCTION ids(low int, high int, step int DEFAULT 1) RETURNS bigint[] LANGUAGE sql STABLE AS
	'SELECT array_agg(i) FROM generate_series(low, high, step) AS i';

-- ---- a million ids in one array

SELECT attach('user_roles', 1, ids(1, 1000000));
SELECT attach('user_roles', 1, ids(1000000, 1, -1));
SELECT is_attached('user_roles', 1, ids(1, 1000000)), count_related('user_roles', 1);
SELECT jsonb_array_length(attached) AS attached, jsonb_array_length(detached) AS detached, detached -> 0 AS first, detached -> -1 AS last, updated
FROM sync('user_roles', 1, ids(1000000, 700001, -1));
SELECT jsonb_array_length(attached) AS attached, attached -> 0 AS first, jsonb_array_length(detached) AS detached, detached -> 0 AS first
FROM toggle('user_roles', 1, ids(800000, 600001, -2));
SELECT count(*), min(role_id), max(role_id), count(*) FILTER (WHERE role_id % 2 = 1) AS odd FROM user_roles;
SELECT detach('user_roles', 1, ids(1, 1000000));
-- one that is missing takes all back
SELECT attach('user_roles', 1, ids(1, 10000) || 1000001::bigint);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM user_roles;

-- ---- other ways to write many

SELECT attach('user_roles', 2, ids(1, 20000)::text), attach('user_roles', 3, to_jsonb(ids(1, 20000))), attach('user_roles', 4, ids(1, 20000)::text[]),
	attach('user_roles', 5, to_jsonb(ids(1, 20000))::text), attach('user_roles', 6, ids(1, 20000)::numeric[]);
SELECT attach('user_roles', 7, (SELECT jsonb_object_agg(i, CASE WHEN i % 2 = 0 THEN jsonb_build_object('n', i) ELSE '{}' END) FROM generate_series(1, 20000) AS i)),
	attach('user_roles', 8, (SELECT jsonb_agg(jsonb_build_object('role_id', i, 'n', i, 'note', 'row ' || i)) FROM generate_series(1, 20000) AS i));
SELECT user_id, count(*), sum(role_id), sum(n), count(note) FROM user_roles GROUP BY 1 ORDER BY 1;
SELECT jsonb_array_length(attached) AS attached, jsonb_array_length(detached) AS detached, jsonb_array_length(updated) AS updated
FROM sync('user_roles', 8, (SELECT jsonb_object_agg(i, jsonb_build_object('n', i - i % 3)) FROM generate_series(2, 20002) AS i));
SELECT update_existing_pivot('user_roles', 7, ids(1, 40000), '{"n": 10000}');
SELECT attach('user_roles', 7, ids(1, 20001), '{"n": 10001}', 'update');
-- many times the same
SELECT attach('user_roles', 9, array_fill(5::bigint, ARRAY[1000000]));
TRUNCATE user_roles;

-- ---- without a unique index; more pair locks than may be taken lock the table

CREATE TABLE visits (user_id bigint, role_id bigint);
CREATE INDEX ON visits (user_id, role_id);
SELECT create_relation('visits', belongs_to_many('users', 'roles', 'visits', 'user_id', 'role_id'));
-- locks of the transaction: as many of parents and pairs as may be before the table is locked, and the tables
CREATE VIEW locks AS
	SELECT count(*) FILTER (WHERE locktype = 'advisory') <= 1000 * count(*) FILTER (WHERE mode = 'ShareRowExclusiveLock') AS few,
		array_agg(relation::regclass ORDER BY relation) FILTER (WHERE mode = 'ShareRowExclusiveLock') AS tables
	FROM pg_locks WHERE pid = pg_backend_pid();
SHOW belongs_to_many.max_locks;
BEGIN;
SELECT attach('visits', 1, ids(1, 200000)), attach('visits', 1, ids(2, 200001));
SELECT * FROM locks;
COMMIT;
SELECT jsonb_array_length(attached) AS attached, jsonb_array_length(detached) AS detached FROM sync('visits', 1, ids(100001, 300000));
SELECT detach('visits', 1, ids(1, 400000)), detach('visits', 1);

-- ---- 60,000 parents in one transaction, which the lock table would not hold at default settings

BEGIN;
SELECT sum(attach('user_roles', id, ARRAY[id, id + 1])) FROM users;
SELECT * FROM locks;
SELECT sum(attach('visits', id, ARRAY[id, id + 1])) FROM users;
SELECT * FROM locks;
COMMIT;
SELECT count(*), count(DISTINCT user_id) FROM user_roles;
SELECT sum(jsonb_array_length((s).attached)) AS attached, sum(jsonb_array_length((s).detached)) AS detached
FROM (SELECT sync('user_roles', id, ARRAY[id, id + 2]) AS s FROM users WHERE id <= 10000 OFFSET 0) AS s;
SELECT sum(detach('user_roles', id)) FROM users;
-- no lock is left
SELECT * FROM locks;

-- ---- text keys of 1 kB, and what a report cannot hold

CREATE TABLE pages (url text COLLATE "C" PRIMARY KEY);
INSERT INTO pages SELECT repeat(md5(i::text), 31) || lpad(i::text, 32, '0') FROM generate_series(1, 5000) AS i;
CREATE TABLE user_pages (user_id bigint REFERENCES users, url text COLLATE "C" REFERENCES pages, PRIMARY KEY (user_id, url));
SELECT create_relation('user_pages', belongs_to_many('users', 'pages'));
SELECT attach('user_pages', 1, (SELECT array_agg(url) FROM pages)), attach('user_pages', 1, (SELECT jsonb_agg(url) FROM pages));
SELECT jsonb_array_length(attached) AS attached, jsonb_array_length(detached) AS detached, length(detached ->> 0) AS length
FROM sync('user_pages', 1, (SELECT array_agg(url) FROM pages WHERE url < '8'));
SELECT jsonb_array_length(related_ids('user_pages', 1)) = (SELECT count(*) FROM pages WHERE url < '8') AS same;
SELECT jsonb_array_length(attached) + jsonb_array_length(detached) AS toggled FROM toggle('user_pages', 1, (SELECT array_agg(url) FROM pages));
SELECT sum((SELECT sum(detach(inverse('user_pages'), url, 1)) FROM pages)) AS detached;
-- a long key that an index does not take is the index's own error
SELECT attach('user_pages', 1, (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 1000) AS i));
\echo :LAST_ERROR_SQLSTATE
CREATE TABLE texts (user_id bigint, t text);
SELECT create_relation('texts', belongs_to_many('users', 'pages', 'texts', 'user_id', 't'));
SELECT length(attached ->> 0) FROM sync('texts', 1, repeat('long ', 1000000));
-- jsonb holds no more than 256 MB; that is found out before anything is changed
SELECT * FROM sync('texts', 1, repeat('x', 268435456));
\echo :LAST_ERROR_SQLSTATE
SELECT count(*), max(length(t)) FROM texts;

-- ---- a key of several columns

CREATE TABLE t_users (tenant int, id int, PRIMARY KEY (tenant, id));
CREATE TABLE t_roles (tenant int, id int, PRIMARY KEY (tenant, id));
CREATE TABLE t_user_roles (
	tenant int, user_id int, role_id int, PRIMARY KEY (tenant, user_id, role_id),
	FOREIGN KEY (tenant, user_id) REFERENCES t_users, FOREIGN KEY (tenant, role_id) REFERENCES t_roles);
INSERT INTO t_users VALUES (1, 1);
INSERT INTO t_roles SELECT 1, generate_series(1, 100000);
SELECT create_relation('t_user_roles', belongs_to_many('t_users', 't_roles'));
SELECT attach('t_user_roles', ROW(1, 1), ids(1, 100000)), attach('t_user_roles', ROW(1, 1), (SELECT array_agg(r) FROM t_roles r));
SELECT jsonb_array_length(attached) AS attached, jsonb_array_length(detached) AS detached FROM sync('t_user_roles', '[1, 1]', ids(2, 100000, 2));
SELECT detach('t_user_roles', '[1, 1]');

DROP SCHEMA large CASCADE;
