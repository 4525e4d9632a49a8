--
-- Kept plans: a second call plans nothing; DDL is noticed; their number is bounded; they stay good
-- when tables grow
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA plans;
SET search_path = plans, m2m;

CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE roles (id bigint PRIMARY KEY, name text);
INSERT INTO users SELECT generate_series(1, 9);
INSERT INTO roles SELECT i, 'role ' || i FROM generate_series(1, 9) AS i;
-- without foreign keys, whose triggers plan their own queries
CREATE TABLE user_roles (user_id bigint, role_id bigint, status text DEFAULT 'new', PRIMARY KEY (user_id, role_id));
SELECT create_relation('user_roles', order_by(with_pivot(belongs_to_many('users', 'roles', 'user_roles', 'user_id', 'role_id'), 'status'), 'id'));

-- ---- a second call plans nothing

-- The server tells the client of every run of the planner, and in terse mode psql leaves out the
-- figures. Statements that are planned already show what is planned within the call alone.
SET plan_cache_mode = force_generic_plan;
PREPARE attach AS SELECT attach('user_roles', $1::bigint, $2::bigint[], $3, $4);
PREPARE detach AS SELECT detach('user_roles', $1::bigint, $2::bigint[]);
PREPARE detach_all AS SELECT detach('user_roles', $1::bigint);
PREPARE sync AS SELECT * FROM sync('user_roles', $1::bigint, $2::bigint[], attributes => $3);
PREPARE toggle AS SELECT * FROM toggle('user_roles', $1::bigint, $2::bigint[]);
PREPARE update_pivot AS SELECT update_existing_pivot('user_roles', $1::bigint, $2::bigint[], $3);
PREPARE reads AS SELECT related_ids('user_roles', $1::bigint), count_related('user_roles', $1::bigint), is_attached('user_roles', $1::bigint, $2::bigint[]);
PREPARE results AS SELECT result FROM get_results('user_roles', $1::bigint);
PREPARE results_for AS SELECT results FROM get_results_for('user_roles', $1::bigint[]);
CREATE PROCEDURE call_all(parent bigint) LANGUAGE plpgsql AS $$
BEGIN
	-- one id and several are different statements
	EXECUTE format('EXECUTE attach(%s, ''{1,2,3,4,5}'', ''{}'', ''ignore'')', parent);
	EXECUTE format('EXECUTE attach(%s, ''{2,3}'', ''{"status": "x"}'', ''update'')', parent);
	EXECUTE format('EXECUTE sync(%s, ''{3,4,5,6,7}'', ''{"status": "y"}'')', parent);
	EXECUTE format('EXECUTE sync(%s, ''{4,5,6,7,8}'', ''{"status": "y"}'')', parent);
	EXECUTE format('EXECUTE toggle(%s, ''{4,9}'')', parent);
	EXECUTE format('EXECUTE toggle(%s, ''{4,5,6,10}'')', parent);
	EXECUTE format('EXECUTE update_pivot(%s, ''{7,8}'', ''{"status": "z"}'')', parent);
	EXECUTE format('EXECUTE reads(%s, ''{3,5}'')', parent);
	EXECUTE format('EXECUTE results(%s)', parent);
	EXECUTE format('EXECUTE results_for(''{%s,9}'')', parent);
	EXECUTE format('EXECUTE detach(%s, ''{8}'')', parent);
	EXECUTE format('EXECUTE detach_all(%s)', parent);
END
$$;
CALL call_all(8);
CALL call_all(8);
\set VERBOSITY terse
SET client_min_messages = log;
SET log_planner_stats = on;
EXECUTE attach(1, '{1,2,3}', '{}', 'ignore');
EXECUTE attach(1, '{1,2,3,4,5,6,7,8,9}', '[]', 'ignore');
EXECUTE attach(1, '{2,3}', '{"status": "x"}', 'update');
EXECUTE sync(1, '{3,4,1,2}', '{"status": "y"}');
EXECUTE toggle(1, '{4,5}');
EXECUTE update_pivot(1, '{3,5}', '{"status": "z"}');
EXECUTE reads(1, '{3,5}');
EXECUTE results(1);
EXECUTE results_for('{1,2}');
EXECUTE detach(1, '{3}');
EXECUTE detach_all(1);
-- other attributes make another statement, once
ALTER TABLE user_roles ADD COLUMN level int;
EXECUTE attach(1, '{1}', '{"status": "a"}', 'ignore');
EXECUTE attach(1, '{2}', '{"status": "a"}', 'ignore');
EXECUTE attach(1, '{3}', '{"level": 1}', 'ignore');
EXECUTE attach(1, '{4}', '{"level": 2}', 'ignore');
EXECUTE attach(1, '{5}', '{"level": 3, "status": "a"}', 'ignore');
EXECUTE attach(1, '{6}', '{"status": "b", "level": 4}', 'ignore');
SET log_planner_stats = off;
SET client_min_messages = warning;
\set VERBOSITY default

-- neither is anything parsed: these messages are of EXECUTE itself
EXECUTE detach_all(1);
SET client_min_messages = log;
SET log_parser_stats = on;
\set VERBOSITY terse
EXECUTE detach_all(1);
SET client_min_messages = warning;
SET log_parser_stats = off;
\set VERBOSITY default
DEALLOCATE ALL;
RESET plan_cache_mode;
-- settings that the planner is called with are the user's again, also after an error
SHOW enable_seqscan;
SELECT attach('user_roles', 1, 1, '{"level": "x"}');
SHOW enable_seqscan;

-- ---- DDL

CREATE FUNCTION row_of(parent bigint, id bigint) RETURNS SETOF text LANGUAGE plpgsql AS
	'BEGIN RETURN QUERY EXECUTE ''SELECT to_jsonb(u)::text FROM user_roles u WHERE user_id = $1 AND role_id = $2'' USING parent, id; END';
TRUNCATE user_roles;
SELECT attach('user_roles', 1, '{1,2}'), attach('user_roles', 1, '{3}', '{"status": "x"}');
-- a new default
ALTER TABLE user_roles ALTER status SET DEFAULT 'newer';
SELECT attach('user_roles', 1, '{4}'), row_of(1, 4);
-- a new column, at once
ALTER TABLE user_roles ADD COLUMN extra int DEFAULT 7;
SELECT attach('user_roles', 1, '{5}', '{"extra": 8}'), row_of(1, 5);
SELECT update_existing_pivot('user_roles', 1, '{4,5}', '{"extra": 7}');
ALTER TABLE user_roles DROP COLUMN extra;
SELECT update_existing_pivot('user_roles', 1, '{4,5}', '{"extra": 7}');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 1, '{6}');
-- the name again, of another type
ALTER TABLE user_roles ADD COLUMN extra text[];
SELECT update_existing_pivot('user_roles', 1, '{6}', '{"extra": ["a", "b"]}'), row_of(1, 6);
-- renamed columns: of the key, of a filter, of the results
ALTER TABLE user_roles RENAME role_id TO r_id;
ALTER TABLE user_roles RENAME user_id TO "U id";
ALTER TABLE user_roles RENAME status TO state;
SELECT attach('user_roles', 1, '[{"r_id": 7, "U id": 1, "state": "s"}]'), detach('user_roles', 1, 7);
SELECT related_ids('user_roles', 1);
SELECT result -> 'pivot' AS pivot FROM get_results(take(order_by('user_roles', 'id'), 1), 1);
SELECT attach('user_roles', 1, 7, '{"status": "s"}');
\echo :LAST_ERROR_SQLSTATE
ALTER TABLE user_roles RENAME r_id TO role_id;
ALTER TABLE user_roles RENAME "U id" TO user_id;
ALTER TABLE user_roles RENAME state TO status;
-- two columns change places
ALTER TABLE user_roles RENAME status TO other;
ALTER TABLE user_roles ADD COLUMN status text;
SELECT attach('user_roles', 1, 7, '{"status": "s"}'), row_of(1, 7);
SELECT update_existing_pivot('user_roles', 1, 7, '{"other": "o"}'), row_of(1, 7);
ALTER TABLE user_roles DROP COLUMN status;
ALTER TABLE user_roles RENAME other TO status;
-- renamed tables, another schema
ALTER TABLE roles RENAME TO groups;
ALTER TABLE users RENAME TO people;
SELECT attach('user_roles', 1, 8);
SELECT result ->> 'name' AS name FROM get_results(where_pivot('user_roles', 'role_id', 8), 1);
ALTER TABLE groups RENAME TO roles;
ALTER TABLE people RENAME TO users;
ALTER TABLE user_roles RENAME TO memberships;
SELECT detach('user_roles', 1, 8);
CREATE SCHEMA plans_elsewhere;
ALTER TABLE memberships SET SCHEMA plans_elsewhere;
SELECT attach('plans_elsewhere.user_roles', 1, 8);
ALTER SCHEMA plans_elsewhere RENAME TO plans_moved;
SELECT detach('plans_moved.user_roles', 1, 8);
ALTER TABLE plans_moved.memberships SET SCHEMA plans;
ALTER TABLE memberships RENAME TO user_roles;
DROP SCHEMA plans_moved;
SELECT attach('user_roles', 1, 8);
-- the unique index goes and comes: with it a pair cannot be doubled, without it it is looked for
ALTER TABLE user_roles DROP CONSTRAINT user_roles_pkey;
SELECT attach('user_roles', 1, '{7,8,9}'), attach('user_roles', 1, '{8}', on_conflict => 'duplicate');
SELECT * FROM sync('user_roles', 1, '{1,9}');
CREATE UNIQUE INDEX user_roles_pair ON user_roles (role_id, user_id);
SELECT attach('user_roles', 1, '{1,2,9}');
SELECT attach('user_roles', 1, '{2}', on_conflict => 'duplicate');
\echo :LAST_ERROR_SQLSTATE
DROP INDEX user_roles_pair;
SELECT attach('user_roles', 1, '{2}', on_conflict => 'duplicate'), detach('user_roles', 1, 2);
ALTER TABLE user_roles ADD PRIMARY KEY (user_id, role_id);
-- the type of the key
ALTER TABLE user_roles ALTER role_id TYPE text;
ALTER TABLE roles ALTER id TYPE text;
SELECT attach('user_roles', 1, '{3,4}'), attach('user_roles', 1, ARRAY['4']);
SELECT related_ids('user_roles', 1);
SELECT detach('user_roles', 1, '{3,4}'), detach('user_roles', 1, ARRAY['4']);
ALTER TABLE user_roles ALTER role_id TYPE smallint USING role_id::smallint;
-- the related table's key is still text
SELECT attach('user_roles', 1, '{3,4}');
\echo :LAST_ERROR_SQLSTATE
ALTER TABLE roles ALTER id TYPE bigint USING id::bigint;
SELECT attach('user_roles', 1, '{3,4}');
SELECT attach('user_roles', 1, 70000);
\echo :LAST_ERROR_SQLSTATE
ALTER TABLE user_roles ALTER role_id TYPE bigint;
SELECT attach('user_roles', 1, 70000), detach('user_roles', 1, 70000), related_ids('user_roles', 1);
-- triggers, checks, partitions, a new file
CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.status := upper(NEW.status); RETURN NEW; END';
CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON user_roles FOR EACH ROW EXECUTE FUNCTION shout();
SELECT attach('user_roles', 1, 5), row_of(1, 5);
DROP TRIGGER shout ON user_roles;
ALTER TABLE user_roles ADD CONSTRAINT small CHECK (role_id < 8) NOT VALID;
SELECT attach('user_roles', 1, 8);
\echo :LAST_ERROR_SQLSTATE
ALTER TABLE user_roles DROP CONSTRAINT small;
VACUUM FULL user_roles;
SELECT attach('user_roles', 1, 8);
SELECT related_ids('user_roles', 1);
TRUNCATE user_roles;
SELECT attach('user_roles', 1, 8);
SELECT related_ids('user_roles', 1);
-- in one transaction, and taken back
BEGIN;
ALTER TABLE user_roles ADD COLUMN n int;
SELECT attach('user_roles', 1, 7, '{"n": 1}');
SAVEPOINT s;
ALTER TABLE user_roles DROP COLUMN n;
SELECT attach('user_roles', 1, 6);
ROLLBACK TO s;
SELECT attach('user_roles', 1, 5, '{"n": 1}');
ROLLBACK;
SELECT attach('user_roles', 1, 5, '{"n": 1}');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 1, 5);
SELECT related_ids('user_roles', 1);
-- an operator and a type of a filter
CREATE FUNCTION is_like(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT $1 = $2';
CREATE OPERATOR === (LEFTARG = text, RIGHTARG = text, FUNCTION = is_like);
SELECT where_pivot('user_roles', 'status', '===', 'newer') AS filtered \gset
SELECT related_ids(:'filtered', 1);
DROP OPERATOR === (text, text);
SELECT related_ids(:'filtered', 1);
\echo :LAST_ERROR_SQLSTATE
CREATE OPERATOR === (LEFTARG = text, RIGHTARG = text, FUNCTION = is_like);
SELECT related_ids(:'filtered', 1);
CREATE TYPE mood AS ENUM ('ok');
ALTER TABLE user_roles ADD COLUMN mood mood;
SELECT update_existing_pivot('user_roles', 1, 5, '{"mood": "ok"}');
ALTER TYPE mood ADD VALUE 'sad';
SELECT update_existing_pivot('user_roles', 1, 5, '{"mood": "sad"}');
SELECT related_ids(where_pivot('user_roles', 'mood', 'sad'), 1);
CREATE DOMAIN limited AS int CHECK (value < 10);
ALTER TABLE user_roles ADD COLUMN l limited;
SELECT update_existing_pivot('user_roles', 1, 5, '{"l": 5}');
ALTER DOMAIN limited ADD CONSTRAINT less CHECK (value < 6);
SELECT update_existing_pivot('user_roles', 1, 5, '{"l": 6}');
\echo :LAST_ERROR_SQLSTATE
ALTER DOMAIN limited DROP CONSTRAINT less;
SELECT update_existing_pivot('user_roles', 1, 5, '{"l": 6}');
-- the table is dropped and made anew: a saved relation is gone with it, a definition finds the new one
SELECT 'user_roles'::belongs_to_many AS saved, belongs_to_many('users', 'roles', 'user_roles', 'user_id', 'role_id') AS own \gset
SELECT attach(:'own', 1, 1), attach(:'saved', 1, 2);
DROP TABLE user_roles;
CREATE TABLE user_roles (role_id int, note text, user_id int, PRIMARY KEY (user_id, role_id));
SELECT attach('user_roles', 1, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT attach(:'own', 1, '{1,2}', '{"note": "n"}');
SELECT related_ids(:'own', 1);
SELECT create_relation('user_roles', :'own');
SELECT attach('user_roles', 1, '{1,3}'), attach(:'saved', 1, 4);

-- a search_path of another tenant
CREATE SCHEMA plans_tenant;
CREATE TABLE plans_tenant.user_roles (LIKE user_roles INCLUDING ALL);
SET search_path = plans_tenant, plans, m2m;
SELECT create_relation('user_roles', belongs_to_many('users', 'roles', 'user_roles', 'user_id', 'role_id'));
SET search_path = plans, m2m;
PREPARE p AS SELECT attach('user_roles', 2, $1);
CREATE FUNCTION attach_by_name(name text) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN attach(name, 2, 9); END';
EXECUTE p('{1}');
SELECT attach_by_name('user_roles');
SET search_path = plans_tenant, plans, m2m;
EXECUTE p('{1,2}');
SELECT attach_by_name('user_roles');
SET search_path = plans, m2m;
EXECUTE p('{3}');
SELECT attach_by_name('user_roles');
SELECT 'plans' AS schema, array_agg(role_id ORDER BY role_id) FROM plans.user_roles WHERE user_id = 2
UNION ALL SELECT 'plans_tenant', array_agg(role_id ORDER BY role_id) FROM plans_tenant.user_roles WHERE user_id = 2;
DEALLOCATE p;
DROP SCHEMA plans_tenant CASCADE;

-- ---- the bound

CREATE VIEW kept AS
	SELECT count(*) FILTER (WHERE name = 'CachedPlanSource') AS plans, count(*) FILTER (WHERE name = 'belongs_to_many relation') AS relations
	FROM pg_backend_memory_contexts
	WHERE name = 'belongs_to_many relation' OR name = 'CachedPlanSource' AND ident LIKE '%plans.user_roles%btm_input%';
SET belongs_to_many.plan_cache_size = 5;
-- two hundred relations, of which each makes some plans
DO $$
DECLARE
	plans bigint;
	relations bigint;
BEGIN
	FOR i IN 1..200 LOOP
		PERFORM attach(where_pivot('user_roles', 'note', i::text), 3, 1), detach(where_pivot('user_roles', 'note', i::text), 3), related_ids(where_pivot('user_roles', 'note', i::text), 3);
		SELECT * INTO plans, relations FROM kept;
		-- one call may hold one relation and its plans beyond the bound
		ASSERT plans <= 6 AND relations <= 6, format('%s plans, %s relations', plans, relations);
	END LOOP;
END
$$;
-- one relation with many statements
DO $$
DECLARE
	plans bigint;
	relations bigint;
BEGIN
	FOR i IN 1..30 LOOP
		EXECUTE format('ALTER TABLE user_roles ADD COLUMN c%s int', i);
	END LOOP;
	FOR i IN 1..30 LOOP
		PERFORM attach('user_roles', 4, i, jsonb_build_object('c' || i, i)), update_existing_pivot('user_roles', 4, i, jsonb_build_object('c' || i, -i));
		SELECT * INTO plans, relations FROM kept;
		ASSERT plans <= 6, format('%s plans, %s relations', plans, relations);
	END LOOP;
END
$$;
SELECT count(*), sum(coalesce(c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11)) FROM user_roles WHERE user_id = 4 AND role_id < 12;
-- the least: calls that are nested use more, and do not disturb each other
SET belongs_to_many.plan_cache_size = 1;
CREATE FUNCTION nested() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.role_id < 20 THEN
		PERFORM attach(with_pivot_value('user_roles', 'note', 'nested ' || NEW.role_id), NEW.user_id, NEW.role_id + 10), count_related('user_roles', 5), sync(inverse('user_roles'), 99, '{5,6}');
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER nested AFTER INSERT ON user_roles FOR EACH ROW EXECUTE FUNCTION nested();
SELECT attach('user_roles', 5, '{1,2,3}'), attach('user_roles', 5, '{1,2,3,4}', '{"note": "x"}', 'update');
SELECT user_id, role_id, note FROM user_roles WHERE user_id IN (5, 6) ORDER BY 1, 2;
DROP TRIGGER nested ON user_roles;
SELECT plans <= 1 AS plans, relations <= 1 AS relations FROM kept, count_related('user_roles', 5);
SET belongs_to_many.plan_cache_size = 0;
\echo :LAST_ERROR_SQLSTATE
RESET belongs_to_many.plan_cache_size;

-- ---- a plan made on 20 rows serves a large table

CREATE TABLE big (user_id bigint, role_id bigint, status text, n int, PRIMARY KEY (user_id, role_id));
CREATE TABLE big_roles (id bigint PRIMARY KEY, name text);
INSERT INTO big_roles SELECT i, i FROM generate_series(1, 20) AS i;
INSERT INTO big SELECT 1 + i % 4, i, 's' FROM generate_series(1, 20) AS i;
ANALYZE big, big_roles;
SELECT create_relation('big', with_pivot(belongs_to_many('users', 'big_roles', 'big', 'user_id', 'role_id'), 'status'));
CREATE FUNCTION small_calls(parent bigint) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', attach('big', parent, '{1,2,3}'), detach('big', parent, '{3}'), sync_without_detaching('big', parent, '{1,2,4}', '{"status": "x"}'),
		update_existing_pivot('big', parent, '{1,2}', '{"n": 1}'), toggle('big', parent, '{2,5}'));
$$;
CREATE FUNCTION small_reads(parent bigint) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', count_related('big', parent) > 0, is_attached('big', parent, '{1,4}'), (SELECT count(*) > 0 FROM get_results('big', parent)), (SELECT count(*) FROM get_results_for('big', ARRAY[parent, 777])));
$$;
CREATE VIEW scans AS SELECT relname, seq_scan FROM pg_stat_xact_user_tables WHERE relid IN ('big'::regclass, 'big_roles'::regclass) ORDER BY 1;
SELECT small_calls(7);
SELECT small_reads(7);
-- grown, and nobody has analyzed it
ALTER TABLE big SET (autovacuum_enabled = off);
ALTER TABLE big_roles SET (autovacuum_enabled = off);
INSERT INTO big SELECT 10 + i % 500, i, 's' FROM generate_series(1, 100000) AS i;
INSERT INTO big_roles SELECT i, i FROM generate_series(21, 60000) AS i;
SELECT pg_stat_force_next_flush();
BEGIN;
SET LOCAL statement_timeout = '60s';
SELECT small_calls(8);
SELECT small_reads(8);
SELECT small_calls(11);
SELECT small_reads(11);
SELECT * FROM scans;
SELECT attach('big', 9, (SELECT array_agg(i) FROM generate_series(1, 50000) AS i));
SELECT jsonb_array_length(attached) AS attached, jsonb_array_length(detached) AS detached, jsonb_array_length(updated) AS updated
FROM sync('big', 9, (SELECT array_agg(i) FROM generate_series(25001, 60000) AS i), attributes => '{"status": "x"}');
SELECT update_existing_pivot('big', 9, (SELECT array_agg(i) FROM generate_series(1, 50000) AS i), '{"n": 2}');
SELECT is_attached('big', 9, (SELECT array_agg(i) FROM generate_series(25001, 60000) AS i));
SELECT jsonb_array_length(attached) AS attached, jsonb_array_length(detached) AS detached
FROM toggle('big', 9, (SELECT array_agg(i) FROM generate_series(1, 50000) AS i));
SELECT detach('big', 9, (SELECT array_agg(i) FROM generate_series(1, 50000) AS i));
SELECT small_calls(12);
SELECT small_reads(12);
SELECT * FROM scans;
ROLLBACK;
-- small calls after that use the plans of before
SELECT small_calls(13);
SELECT small_reads(13);

-- ---- a call about one pair does not read the other rows of its parent

CREATE TABLE skewed (user_id bigint, role_id bigint, status text DEFAULT 'new', PRIMARY KEY (user_id, role_id));
INSERT INTO skewed SELECT 1, i FROM generate_series(1, 20000) AS i;
INSERT INTO skewed SELECT i, j FROM generate_series(2, 1000) AS i, generate_series(1, 2) AS j;
ANALYZE skewed;
SELECT create_relation('skewed', belongs_to_many('users', 'roles', 'skewed', 'user_id', 'role_id'));
BEGIN;
SELECT update_existing_pivot('skewed', 1, 5, '{"status": "x"}'), attach('skewed', 1, 6, '{"status": "x"}', 'update'),
	attach('skewed', 1, 20001), is_attached('skewed', 1, 7), detach('skewed', 1, 8);
SELECT * FROM toggle('skewed', 1, 9);
SELECT * FROM sync_without_detaching('skewed', 1, '{"10": {"status": "y"}}');
SELECT seq_tup_read, idx_tup_fetch < 20 AS few FROM pg_stat_xact_user_tables WHERE relid = 'skewed'::regclass;
ROLLBACK;

-- ---- nor those of its other side, though by the statistics of before nothing were cheaper

CREATE TABLE crowded (user_id bigint, role_id bigint, status text DEFAULT 'new', PRIMARY KEY (user_id, role_id));
CREATE INDEX ON crowded (role_id);
INSERT INTO crowded SELECT 1 + i / 100, i FROM generate_series(1, 5000) AS i;
ANALYZE crowded;
SELECT create_relation('crowded', belongs_to_many('users', 'roles', 'crowded', 'user_id', 'role_id'));
INSERT INTO crowded SELECT i, 1 + i % 5 FROM generate_series(100, 20000) AS i;
BEGIN;
SELECT update_existing_pivot('crowded', 1, '{1,2,3,4}', '{"status": "x"}'), is_attached('crowded', 1, '{1,2,3,4}'),
	update_existing_pivot('crowded', 1, 1, '{"status": "y"}'), detach('crowded', 1, '{1,2,3,4}'), detach('crowded', 1, 5);
SELECT seq_tup_read, idx_tup_fetch < 40 AS few FROM pg_stat_xact_user_tables WHERE relid = 'crowded'::regclass;
ROLLBACK;

-- ---- errors tell the statement in which they came

ALTER TABLE skewed ADD CHECK (status <> 'bad');
\set SHOW_CONTEXT errors
SELECT attach('skewed', 1001, 1, '{"status": "bad"}');
SELECT attach('skewed', 1001, '{1,2}', '{"status": "bad"}');
\set SHOW_CONTEXT never

-- ---- rules make another statement of a kept plan's, or several, or none

CREATE TABLE log (user_id bigint, role_id bigint);
SELECT detach('user_roles', 1);
SELECT attach('user_roles', 1, '{1,2,3}'), detach('user_roles', 1, 1);
CREATE RULE keep AS ON DELETE TO user_roles DO INSTEAD NOTHING;
SELECT detach('user_roles', 1, 2), detach('user_roles', 1);
CREATE OR REPLACE RULE keep AS ON DELETE TO user_roles DO INSTEAD INSERT INTO log VALUES (old.user_id, old.role_id);
SELECT detach('user_roles', 1, 2), detach('user_roles', 1);
CREATE OR REPLACE RULE keep AS ON DELETE TO user_roles DO ALSO INSERT INTO log VALUES (old.user_id, old.role_id);
SELECT detach('user_roles', 1, 2);
SELECT role_id FROM user_roles WHERE user_id = 1;
SELECT role_id FROM log ORDER BY 1;

-- ---- a call about many parents does not read the rows of others

CREATE TABLE sparse (user_id bigint, role_id bigint, PRIMARY KEY (user_id, role_id));
INSERT INTO sparse SELECT i, j FROM generate_series(1, 4000) AS i, generate_series(1, 10) AS j;
ANALYZE sparse;
SELECT create_relation('sparse', belongs_to_many('users', 'roles', 'sparse', 'user_id', 'role_id'));
SET random_page_cost = 4;
SELECT pg_stat_force_next_flush();
BEGIN;
SELECT count(*), sum(jsonb_array_length(results)) FROM get_results_for('sparse', ARRAY(SELECT generate_series(1, 4000, 10)));
SELECT count(*), sum(count) FROM count_related_for('sparse', ARRAY(SELECT generate_series(1, 4000, 10)));
SELECT seq_scan, idx_scan >= 800 AS looked_up FROM pg_stat_xact_user_tables WHERE relid = 'sparse'::regclass;
SHOW random_page_cost;
ROLLBACK;

-- ---- a parent that has a large part of the related table's rows gets a plan of its own, others do not

CREATE TABLE many_roles (id int PRIMARY KEY, gone text, name text);
ALTER TABLE many_roles DROP gone;
INSERT INTO many_roles SELECT i, 'role ' || i FROM generate_series(1, 6000) i;
CREATE TABLE uneven (tenant_id int, user_id bigint, role_id int, PRIMARY KEY (tenant_id, user_id, role_id));
CREATE TABLE tenant_users (tenant_id int, id bigint, PRIMARY KEY (tenant_id, id));
CREATE TYPE role_row AS (pivot_user_id bigint, name text, id int);
-- 1 has 2000 roles, 2 has 500, 3 to 102 have 20 each
INSERT INTO uneven SELECT 1, 1, generate_series(1, 2000);
INSERT INTO uneven SELECT 1, 2, generate_series(1, 500);
INSERT INTO uneven SELECT 1, i, j FROM generate_series(3, 102) i, generate_series(1, 20) j;
SELECT create_relation('uneven', belongs_to_many('users', 'many_roles', 'uneven', 'user_id', 'role_id', 'id', 'id'));
SELECT create_relation('tenants', belongs_to_many('tenant_users', 'many_roles', 'uneven', ARRAY['tenant_id', 'user_id'], ARRAY['role_id'], ARRAY['tenant_id', 'id'], ARRAY['id']));
-- what a query returns, and how often it has read all of many_roles
CREATE FUNCTION read_all(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	before bigint := coalesce((SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'many_roles'), 0);
	result text;
BEGIN
	EXECUTE 'SELECT count(*) FROM (' || query || ') q' INTO result;
	RETURN result || ' rows, ' || (SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'many_roles') - before;
END $$;
RESET plan_cache_mode;
SELECT read_all($$SELECT * FROM get_results('uneven', 1)$$) AS no_statistics;
ANALYZE uneven, many_roles;
SELECT id, read_all(format('SELECT * FROM get_results(''uneven'', %s)', id)), read_all(format('SELECT * FROM get_results(''uneven'', %s, NULL::role_row)', id)),
	read_all(format('SELECT * FROM get_results(''tenants'', ''{"tenant_id": 1, "user_id": %s}''::jsonb)', id))
FROM unnest('{1,2,3,103,1}'::bigint[]) id;
SELECT read_all($$SELECT * FROM get_results('tenants', '{"tenant_id": 2, "user_id": 1}'::jsonb)$$) AS another_tenant,
	read_all($$SELECT * FROM get_results(take('uneven', 500), 1)$$) AS small_page,
	read_all($$SELECT * FROM get_results(take('uneven', 1500), 1)$$) AS large_page,
	read_all($$SELECT * FROM get_results(take('uneven', NULL), 1)$$) AS all_pages;
SELECT count(*), sum(pivot_user_id), count(DISTINCT name), sum(id) FROM get_results('uneven', 1, NULL::role_row);
-- dropped columns of the row type
SELECT count(*), min(r::text), max(name) FROM get_results('uneven', 1, NULL::many_roles) r;
-- any cursor over them can go back
BEGIN;
DECLARE back SCROLL CURSOR FOR SELECT id FROM get_results('uneven', 1, NULL::role_row) ORDER BY id;
DECLARE unordered SCROLL CURSOR FOR SELECT id IS NULL AS nothing FROM get_results('uneven', 1, NULL::role_row);
FETCH LAST FROM back;
FETCH PRIOR FROM back;
FETCH LAST FROM unordered;
FETCH FIRST FROM unordered;
ROLLBACK;
-- rows that do not fit into memory
SET work_mem = '64kB';
SELECT count(*), sum(pivot_user_id), count(DISTINCT name), sum(id) FROM get_results('uneven', 1, NULL::role_row);
RESET work_mem;
SET plan_cache_mode = force_generic_plan;
SELECT read_all($$SELECT * FROM get_results('uneven', 1)$$) AS as_the_user_says;
RESET plan_cache_mode;
-- the number of rows changes, and statistics with it
DELETE FROM uneven WHERE user_id = 1 AND role_id > 30;
INSERT INTO uneven SELECT 1, 3, generate_series(1000, 2999);
SELECT read_all($$SELECT * FROM get_results('uneven', 1)$$) AS user_1, read_all($$SELECT * FROM get_results('uneven', 3)$$) AS user_3;
ANALYZE uneven;
SELECT read_all($$SELECT * FROM get_results('uneven', 1)$$) AS user_1, read_all($$SELECT * FROM get_results('uneven', 3)$$) AS user_3;
-- all have as many, so none is common
TRUNCATE uneven;
INSERT INTO uneven SELECT 1, i % 20, i / 20 + 1 FROM generate_series(0, 39999) i;
ANALYZE uneven;
SELECT read_all($$SELECT * FROM get_results('uneven', 1)$$) AS user_1, read_all($$SELECT * FROM get_results('uneven', 19)$$) AS user_19;

DROP SCHEMA plans CASCADE;
