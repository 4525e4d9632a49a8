--
-- detach(): of some ids, of all
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA detach;
SET search_path = detach, m2m;

CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE roles (id bigint PRIMARY KEY, name text);
INSERT INTO users SELECT generate_series(1, 5);
INSERT INTO roles SELECT i, 'role ' || i FROM generate_series(1, 9) AS i;
CREATE TABLE user_roles (
	user_id bigint REFERENCES users,
	role_id bigint REFERENCES roles,
	status text,
	PRIMARY KEY (user_id, role_id));
SELECT create_relation('user_roles', belongs_to_many('users', 'roles'));

-- what the pivot holds, as user: {roles}
CREATE VIEW pairs AS
	SELECT user_id, array_agg(role_id ORDER BY role_id) AS roles FROM user_roles GROUP BY 1;
CREATE PROCEDURE fill() LANGUAGE sql AS $$
	TRUNCATE user_roles;
	INSERT INTO user_roles SELECT u, r, (ARRAY['a', 'b', 'c'])[1 + r % 3]
	FROM generate_series(1, 3) AS u, generate_series(1, 6) AS r;
$$;
CALL fill();

-- ids that are attached go and are counted; others do not matter
SELECT detach('user_roles', 1, '{1,2,2,9,1000}');
SELECT detach('user_roles', 1, 3), detach('user_roles', 1, 3);
SELECT detach('user_roles', 4, '{1,2}'), detach('user_roles', 4), detach('user_roles', 4000);
TABLE pairs ORDER BY 1;

-- an empty list detaches nothing
SELECT detach('user_roles', 2, '{}'), detach('user_roles', 2, '[]'), detach('user_roles', 2, '[]'::jsonb),
	detach('user_roles', 2, '{}'::jsonb), detach('user_roles', 2, ARRAY[]::bigint[]);
-- and NULL neither detaches nothing nor everything
SELECT detach('user_roles', 2, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT detach('user_roles', 2, NULL::bigint[]);
\echo :LAST_ERROR_SQLSTATE
SELECT detach('user_roles', 2, (SELECT array_agg(role_id) FROM user_roles WHERE user_id = 77));
\echo :LAST_ERROR_SQLSTATE
SELECT detach('user_roles', 2, 'null'::jsonb);
\echo :LAST_ERROR_SQLSTATE
SELECT detach('user_roles', 2, '{1,NULL}');
\echo :LAST_ERROR_SQLSTATE
SELECT detach('user_roles', NULL, '{1}');
\echo :LAST_ERROR_SQLSTATE
SELECT detach('user_roles', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT detach('user_roles', NULL::bigint);
\echo :LAST_ERROR_SQLSTATE
TABLE pairs ORDER BY 1;

-- all of one parent
SELECT detach('user_roles', 2);
TABLE pairs ORDER BY 1;

-- attributes that ids bring along are looked at, and mean nothing here
SELECT detach('user_roles', 3, '{"1": {"status": "x"}, "2": {}}'::jsonb);
SELECT detach('user_roles', 3, '[{"role_id": 3, "user_id": 3, "status": "a"}]');
SELECT detach('user_roles', 3, '{"4": {"no_column": "x"}}'::jsonb);
\echo :LAST_ERROR_SQLSTATE
TABLE pairs ORDER BY 1;

-- ---- the filter is one predicate, AND-ed with the parent

CALL fill();
SELECT detach(where_pivot('user_roles', 'status', 'a'), 1, '{1,2,3}');
SELECT detach(or_where_pivot(where_pivot('user_roles', 'status', 'a'), 'status', 'b'), 1);
TABLE pairs ORDER BY 1;
SELECT detach(where_pivot_in('user_roles', 'status', '{a,b}'), 2);
SELECT detach(where_pivot_in('user_roles', 'status', '{}'), 2);
SELECT detach(where_pivot_between('user_roles', 'role_id', 2, 4), 3);
SELECT detach(or_where_pivot_not_null(where_pivot_null('user_roles', 'status'), 'status'), 3, '{1,5}');
SELECT detach(with_pivot_value('user_roles', 'status', 'c'), 2, '{1,2,3,4,5,6}');
TABLE pairs ORDER BY 1;
SELECT detach(where_related('user_roles', 'name', 'role 1'), 1);
\echo :LAST_ERROR_SQLSTATE
SELECT detach(where_related('user_roles', 'name', 'role 1'), 1, '{1}');
\echo :LAST_ERROR_SQLSTATE

-- from the other side
CALL fill();
SELECT detach(inverse('user_roles'), 1, '{1,3}'), detach(inverse('user_roles'), 2);
TABLE pairs ORDER BY 1;

-- ---- no unique index: all rows of a pair, and rows without a related key

CREATE TABLE visits (id serial PRIMARY KEY, user_id bigint, role_id bigint, note text);
SELECT create_relation('visits', belongs_to_many('users', 'roles', 'visits', 'user_id', 'role_id'));
INSERT INTO visits (user_id, role_id, note) VALUES
	(1, 1, 'x'), (1, 1, 'y'), (1, 2, 'x'), (1, NULL, 'x'), (1, NULL, 'y'), (NULL, 1, 'x'), (2, 1, 'x');
SELECT detach('visits', 1, '{1,2}');
SELECT user_id, role_id, note FROM visits ORDER BY id;
-- rows without a related key are in the scope of "all", within the filter
SELECT detach(where_pivot('visits', 'note', 'x'), 1);
SELECT user_id, role_id, note FROM visits ORDER BY id;
SELECT detach('visits', 1);
SELECT user_id, role_id, note FROM visits ORDER BY id;

-- ---- keys of several columns: the tenant is the parent's

CREATE TABLE t_users (tenant int, id int, PRIMARY KEY (tenant, id));
CREATE TABLE t_roles (tenant int, id int, PRIMARY KEY (tenant, id));
CREATE TABLE t_user_roles (
	tenant int, user_id int, role_id int,
	PRIMARY KEY (tenant, user_id, role_id),
	FOREIGN KEY (tenant, user_id) REFERENCES t_users,
	FOREIGN KEY (tenant, role_id) REFERENCES t_roles);
INSERT INTO t_users SELECT t, i FROM generate_series(1, 2) AS t, generate_series(1, 3) AS i;
INSERT INTO t_roles SELECT t, i FROM generate_series(1, 2) AS t, generate_series(1, 3) AS i;
INSERT INTO t_user_roles SELECT u.tenant, u.id, r.id FROM t_users u JOIN t_roles r USING (tenant);
SELECT create_relation('t_user_roles', belongs_to_many('t_users', 't_roles'));
SELECT detach('t_user_roles', '{"tenant": 1, "user_id": 2}', '{1,3}'), detach('t_user_roles', ROW(2, 3));
SELECT tenant, user_id, array_agg(role_id ORDER BY role_id) AS roles FROM t_user_roles GROUP BY 1, 2 ORDER BY 1, 2;
-- a NULL inside of the parent's key is no wildcard
SELECT detach('t_user_roles', '{"tenant": 1, "user_id": null}'::jsonb);
\echo :LAST_ERROR_SQLSTATE
SELECT detach('t_user_roles', ROW(1, NULL::int));
\echo :LAST_ERROR_SQLSTATE
SELECT detach('t_user_roles', '[1]'::jsonb);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM t_user_roles;

-- ---- a string key: text is one id, so that no string can become a list

CREATE TABLE tags (name text PRIMARY KEY);
CREATE TABLE user_tags (user_id bigint, tag text, PRIMARY KEY (user_id, tag));
SELECT create_relation('user_tags', belongs_to_many('users', 'tags', 'user_tags', 'user_id', 'tag'));
INSERT INTO user_tags VALUES (1, '{}'), (1, '{a,b}'), (1, 'a'), (1, 'b'), (1, '[]'), (1, '');
SELECT detach('user_tags', 1, '{}');
SELECT detach('user_tags', 1, '{a,b}');
SELECT detach('user_tags', 1, '[]'), detach('user_tags', 1, ''), detach('user_tags', 1, 'none');
TABLE user_tags ORDER BY 1, 2;
SELECT detach('user_tags', 1, '{a,b}'::text[]);
TABLE user_tags;

-- ---- in SQL

CALL fill();
DELETE FROM user_roles WHERE user_id = 1 AND role_id = 6;
SELECT id, detach('user_roles', id) FROM users WHERE id < 4 ORDER BY id;
CALL fill();
SELECT detach(relation => 'user_roles', ids => '{1}', parent_id => 1), detach(parent_id => '2', relation => 'user_roles');
BEGIN;
SELECT detach('user_roles', 3);
ROLLBACK;
SELECT detach('user_roles', 3, '{1,2}') + detach('user_roles', 3) AS detached;
TABLE pairs ORDER BY 1;
BEGIN READ ONLY;
SELECT detach('user_roles', 1);
ROLLBACK;
\echo :LAST_ERROR_SQLSTATE

DROP SCHEMA detach CASCADE;
