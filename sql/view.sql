--
-- create_relation_view(): a relation as a view
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA "view";
SET search_path = "view", m2m;

-- no autovacuum: plans are compared with their costs
CREATE TABLE users (id bigint PRIMARY KEY, name text) WITH (autovacuum_enabled = false);
CREATE TABLE roles (id int PRIMARY KEY, name text NOT NULL, rank int) WITH (autovacuum_enabled = false);
CREATE TABLE user_roles (
	user_id bigint REFERENCES users, role_id int REFERENCES roles, status text, level int, PRIMARY KEY (user_id, role_id)) WITH (autovacuum_enabled = false);
CREATE INDEX user_roles_role ON user_roles (role_id);
INSERT INTO users SELECT i, 'user ' || i FROM generate_series(1, 2000) i;
INSERT INTO roles SELECT i, 'role ' || i, i % 10 FROM generate_series(1, 10000) i;
INSERT INTO user_roles SELECT u, 1 + (u * 7 + k * 1301) % 10000, CASE WHEN (u + k) % 4 = 0 THEN 'paused' ELSE 'active' END, u % 13
FROM generate_series(1, 2000) u, generate_series(1, 5) k;
ANALYZE users, roles, user_roles;
SELECT create_relation('user_roles', with_pivot(belongs_to_many('users', 'roles'), 'level', 'status'));

SELECT create_relation_view('user_roles', 'user_role_view');
\d+ user_role_view
SELECT * FROM user_role_view WHERE pivot_user_id = 2 ORDER BY id;
-- its rows are those of get_results(), of all parents
SELECT count(*) FILTER (WHERE g.result IS NOT NULL) AS both, count(*) FILTER (WHERE g.result IS NULL OR v.id IS NULL) AS one_only
FROM (SELECT * FROM user_role_view WHERE pivot_user_id < 50) v
FULL JOIN (SELECT result FROM users, get_results('user_roles', id) WHERE id < 50) g
	ON to_jsonb(v) = g.result - 'pivot' || jsonb_build_object('pivot_user_id', g.result -> 'pivot' -> 'user_id', 'pivot_role_id', g.result -> 'pivot' -> 'role_id',
		'pivot_level', g.result -> 'pivot' -> 'level', 'pivot_status', g.result -> 'pivot' -> 'status');

-- ---- the planner sees the join that one would write by hand

EXPLAIN (COSTS OFF) SELECT name, pivot_level FROM user_role_view WHERE pivot_user_id = 42;
EXPLAIN (COSTS OFF) SELECT r.name, p.level FROM user_roles p JOIN roles r ON r.id = p.role_id WHERE p.user_id = 42;

-- The plan of a query in which %s is the join, or the view that stands for it.
CREATE FUNCTION plan(query text, options text DEFAULT 'COSTS OFF') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	result text := '';
BEGIN
	FOR line IN EXECUTE format('EXPLAIN (%s) %s', options, query) LOOP
		result := result || line || E'\n';
	END LOOP;
	RETURN result;
END $$;
CREATE VIEW by_hand AS
	SELECT r.id, r.name, r.rank, p.user_id AS pivot_user_id, p.role_id AS pivot_role_id, p.level AS pivot_level, p.status AS pivot_status
	FROM user_roles p JOIN roles r ON r.id = p.role_id;
-- with costs and estimates, too
CREATE FUNCTION same_plan(query text) RETURNS text LANGUAGE sql RETURN (
	SELECT CASE WHEN of_view = of_join AND of_view = of_join2 THEN 'same' ELSE of_view || ' <> ' || of_join || ' <> ' || of_join2 END
	FROM (SELECT plan(format(query, 'user_role_view'), 'VERBOSE') AS of_view,
		plan(format(query, 'by_hand'), 'VERBOSE') AS of_join,
		plan(format(query, '(SELECT r.id, r.name, r.rank, p.user_id AS pivot_user_id, p.role_id AS pivot_role_id, p.level AS pivot_level, p.status AS pivot_status
			FROM user_roles p JOIN roles r ON r.id = p.role_id)'), 'VERBOSE') AS of_join2) p);
SELECT q AS query, same_plan(q) FROM (VALUES
	('SELECT * FROM %s v'),
	('SELECT * FROM %s v WHERE pivot_user_id = 42'),
	('SELECT * FROM %s v WHERE pivot_user_id = 42 AND id = 7'),
	('SELECT * FROM %s v WHERE pivot_user_id = ANY (''{1,2,3}'')'),
	('SELECT * FROM %s v WHERE pivot_user_id < 100 ORDER BY pivot_user_id, id LIMIT 5'),
	('SELECT * FROM %s v WHERE pivot_role_id = 7'),
	('SELECT * FROM %s v WHERE id = 7'),
	('SELECT * FROM %s v WHERE name = ''role 7'' AND pivot_status = ''active'''),
	('SELECT name FROM %s v WHERE pivot_level > 11 ORDER BY name'),
	('SELECT pivot_user_id, count(*) FROM %s v GROUP BY 1'),
	('SELECT u.name, v.name FROM users u JOIN %s v ON v.pivot_user_id = u.id WHERE u.name = ''user 7'''),
	('SELECT u.name, v.name FROM users u LEFT JOIN %s v ON v.pivot_user_id = u.id AND v.rank = 3 WHERE u.id < 10'),
	('SELECT * FROM users u WHERE EXISTS (SELECT FROM %s v WHERE v.pivot_user_id = u.id AND v.name = ''role 8'')'),
	('SELECT a.name FROM %s a JOIN %1$s b USING (id) WHERE a.pivot_user_id = 1 AND b.pivot_user_id = 2')) v(q);
-- also a generic plan
SET plan_cache_mode = force_generic_plan;
PREPARE of_view(bigint) AS SELECT * FROM user_role_view WHERE pivot_user_id = $1;
PREPARE of_join(bigint) AS SELECT * FROM by_hand WHERE pivot_user_id = $1;
SELECT plan('EXECUTE of_view(1)') = plan('EXECUTE of_join(1)') AS same, plan('EXECUTE of_view(1)') ~ 'user_id = \$1' AS generic;
RESET plan_cache_mode;

-- ---- filters and pivot values are in it; an order is not

SELECT create_relation_view(order_by(where_related(or_where_pivot_null(where_pivot(with_pivot_value('user_roles', 'status', 'active'), 'level', '>', 10), 'level'), 'rank', '<', 3), 'name', 'desc'), 'filtered');
SELECT pg_get_viewdef('filtered'::regclass);
CREATE VIEW filtered_by_hand AS
	SELECT r.id, r.name, r.rank, p.user_id AS pivot_user_id, p.role_id AS pivot_role_id, p.level AS pivot_level, p.status AS pivot_status
	FROM user_roles p JOIN roles r ON r.id = p.role_id WHERE p.status = 'active' AND (p.level > 10 OR p.level IS NULL) AND r.rank < 3;
SELECT plan('SELECT * FROM filtered WHERE pivot_user_id = 1', 'VERBOSE') = plan('SELECT * FROM filtered_by_hand WHERE pivot_user_id = 1', 'VERBOSE') AS same_for_one,
	plan('SELECT * FROM filtered', 'VERBOSE') = plan('SELECT * FROM filtered_by_hand', 'VERBOSE') AS same_for_all,
	(SELECT count(*) FROM filtered) = (SELECT count(*) FROM filtered_by_hand) AS same_count, (SELECT count(*) > 0 FROM filtered) AS some;
SELECT create_relation_view(inverse('user_roles'), 'role_users');
SELECT plan('SELECT * FROM role_users WHERE pivot_role_id = 3', 'VERBOSE') = plan('SELECT r.*, p.role_id, p.user_id, p.level, p.status FROM user_roles p JOIN users r ON r.id = p.user_id WHERE p.role_id = 3', 'VERBOSE') AS same;
-- keys of several columns, partitions
CREATE TABLE t_users (tenant int, id int, PRIMARY KEY (tenant, id));
CREATE TABLE t_roles (tenant int, id int, name text, PRIMARY KEY (tenant, id));
CREATE TABLE t_user_roles (tenant int, user_id int, role_id int, PRIMARY KEY (tenant, user_id, role_id),
	FOREIGN KEY (tenant, user_id) REFERENCES t_users, FOREIGN KEY (tenant, role_id) REFERENCES t_roles) PARTITION BY LIST (tenant);
CREATE TABLE t_user_roles_1 PARTITION OF t_user_roles FOR VALUES IN (1);
CREATE TABLE t_user_roles_2 PARTITION OF t_user_roles FOR VALUES IN (2);
INSERT INTO t_users VALUES (1, 1), (2, 1);
INSERT INTO t_roles VALUES (1, 1, 'one'), (2, 1, 'eins'), (2, 2, 'zwei');
INSERT INTO t_user_roles VALUES (1, 1, 1), (2, 1, 1), (2, 1, 2);
SELECT create_relation_view(belongs_to_many('t_users', 't_roles'), 't_view');
SELECT * FROM t_view ORDER BY 1, 2;
SELECT plan('SELECT * FROM t_view WHERE pivot_tenant = 2 AND pivot_user_id = 1', 'VERBOSE')
	= plan('SELECT r.*, p.tenant, p.user_id, p.role_id FROM t_user_roles p JOIN t_roles r ON r.tenant = p.tenant AND r.id = p.role_id WHERE p.tenant = 2 AND p.user_id = 1', 'VERBOSE') AS same,
	plan('SELECT * FROM t_view WHERE pivot_tenant = 2 AND pivot_user_id = 1') ~ 't_user_roles_1' AS reads_both;

-- ---- names

SELECT create_relation_view('user_roles', 'user_role_view');
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation_view('user_roles', 'roles');
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation_view('user_roles', 'roles', replace => true);
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation_view('user_roles', 'view.Folded_Name'), create_relation_view('user_roles', '"Odd ""name; DROP TABLE roles; --"'), create_relation_view('user_roles', 'pg_temp.temporary');
SELECT relname, relpersistence, reloptions FROM pg_class WHERE relkind = 'v' AND relname IN ('folded_name', 'Odd "name; DROP TABLE roles; --', 'temporary') ORDER BY 1;
SELECT create_relation_view('user_roles', 'nowhere.v');
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation_view('user_roles', '');
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation_view('user_roles', 'a b');
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation_view('user_roles', 'x; DROP TABLE roles');
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation_view('user_roles', '"unterminated');
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation_view('user_roles', 'one.two.three.four');
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation_view('user_roles', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation_view(NULL, 'v');
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation_view('user_roles', 'v', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation_view('user_rolls', 'v');
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation_view(take('user_roles', 5), 'v');
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation_view(take('user_roles', NULL), 'v');
\echo :LAST_ERROR_SQLSTATE
-- a column that would be there twice
CREATE TABLE twice (id int PRIMARY KEY, pivot_role_id int);
SELECT create_relation_view(belongs_to_many('users', 'twice', 'user_roles', 'user_id', 'role_id', NULL, 'id'), 'v');
\echo :LAST_ERROR_SQLSTATE
START TRANSACTION READ ONLY;
SELECT create_relation_view('user_roles', 'v');
ROLLBACK;
SELECT to_regclass('v') AS none;
-- odd names of everything
CREATE TABLE "p" ("r" bigint, "p" int, "sel""ect" text, "na'me;" text);
CREATE TABLE "r" ("p" int PRIMARY KEY, "r" text, "x.y" text);
INSERT INTO "p" VALUES (1, 1, 'a', 'b');
INSERT INTO "r" VALUES (1, 'c', 'd');
SELECT create_relation_view(with_pivot(where_related(where_pivot(belongs_to_many('users', 'r', 'p', 'r', 'p'), 'na''me;', 'b'), 'x.y', 'like', '%'), 'sel"ect', 'na''me;'), 'odd');
SELECT * FROM odd;

-- ---- replace

CREATE FUNCTION grant_of(regclass) RETURNS text LANGUAGE sql RETURN (SELECT relacl::text FROM pg_class WHERE oid = $1);
CREATE ROLE regress_btm_view;
GRANT SELECT ON user_role_view TO regress_btm_view;
SELECT oid AS view_oid FROM pg_class WHERE oid = 'user_role_view'::regclass \gset
-- more columns at the end, other rows: the same view, with its privileges
ALTER TABLE user_roles ADD since date DEFAULT '2020-01-01';
SELECT create_relation_view(where_pivot(with_pivot('user_roles', 'since'), 'level', 3), 'user_role_view', true);
SELECT 'user_role_view'::regclass::oid = :view_oid AS same_view, grant_of('user_role_view') ~ 'regress_btm_view=r' AS same_privileges, reloptions, (SELECT count(*) FROM user_role_view WHERE pivot_user_id < 20)
FROM pg_class WHERE oid = :view_oid;
-- it does not follow the relation by itself
SELECT create_relation('user_roles', belongs_to_many('users', 'roles'), replace => true);
SELECT count(*) FROM user_role_view WHERE pivot_user_id < 20;
-- PostgreSQL's own rules: no column goes or changes its name
SELECT create_relation_view('user_roles', 'user_role_view', true);
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation_view('user_roles', 'created_by_replace', true);
SELECT count(*) FROM created_by_replace WHERE pivot_user_id = 1;
-- renames are followed, and what it needs cannot be dropped
ALTER TABLE roles RENAME name TO title;
ALTER TABLE user_roles RENAME TO memberships;
SELECT name, pivot_role_id FROM created_by_replace WHERE pivot_user_id = 1 ORDER BY 2;
\set VERBOSITY terse
DROP TABLE memberships;
\set VERBOSITY default
\echo :LAST_ERROR_SQLSTATE
ALTER TABLE roles RENAME title TO name;
ALTER TABLE memberships RENAME TO user_roles;

-- ---- the reader's own privileges and row security

DROP VIEW user_role_view CASCADE;
SELECT create_relation_view(belongs_to_many('users', 'roles'), 'user_role_view');
GRANT SELECT ON user_role_view TO regress_btm_view;
GRANT USAGE ON SCHEMA "view", m2m TO regress_btm_view;
SET ROLE regress_btm_view;
SELECT count(*) FROM user_role_view;
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT SELECT ON roles TO regress_btm_view;
SET ROLE regress_btm_view;
SELECT count(*) FROM user_role_view;
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT SELECT (user_id, role_id) ON user_roles TO regress_btm_view;
SET ROLE regress_btm_view;
SELECT count(*) FROM user_role_view;
RESET ROLE;
ALTER TABLE user_roles ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON user_roles TO regress_btm_view USING (user_id = 7);
ALTER TABLE roles ENABLE ROW LEVEL SECURITY;
CREATE POLICY low ON roles TO regress_btm_view USING (rank < 5);
SET ROLE regress_btm_view;
SELECT pivot_user_id, pivot_role_id, rank FROM user_role_view ORDER BY 2;
RESET ROLE;
SELECT count(*) FROM user_role_view;
-- who makes one needs what CREATE VIEW needs
SET ROLE regress_btm_view;
SELECT create_relation_view(belongs_to_many('users', 'roles'), 'mine');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
CREATE SCHEMA regress_btm_view AUTHORIZATION regress_btm_view;
SET ROLE regress_btm_view;
SELECT create_relation_view(belongs_to_many('users', 'roles'), 'regress_btm_view.mine');
SELECT count(*) FROM regress_btm_view.mine;
SELECT create_relation_view(belongs_to_many('users', 'roles'), 'user_role_view', replace => true);
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SELECT relowner::regrole, (SELECT count(*) FROM regress_btm_view.mine) AS for_superuser FROM pg_class WHERE oid = 'regress_btm_view.mine'::regclass;

DROP SCHEMA regress_btm_view CASCADE;
DROP OWNED BY regress_btm_view;
DROP ROLE regress_btm_view;
DROP SCHEMA "view" CASCADE;
