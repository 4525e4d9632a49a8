--
-- The planner's estimates of the rows that reads return
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA support;
SET search_path = support, m2m;

-- The rows that the planner expects of a query.
CREATE FUNCTION estimate(query text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows';
END $$;

CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE roles (id int PRIMARY KEY, name text);
CREATE TABLE user_roles (user_id bigint, role_id int, note text, PRIMARY KEY (user_id, role_id)) WITH (autovacuum_enabled = false);
SELECT create_relation('user_roles', belongs_to_many('users', 'roles', 'user_roles', 'user_id', 'role_id'));
SELECT create_relation('role_users', inverse('user_roles'));

-- without statistics, a guess
SELECT estimate($$SELECT * FROM get_results('user_roles', 1)$$) AS results, estimate($$SELECT * FROM get_results('user_roles', 1, NULL::roles)$$) AS typed,
	estimate($$SELECT * FROM related_ids('user_roles', 1, NULL::int)$$) AS ids;
-- each user has 5 roles, each role 500 users
INSERT INTO roles SELECT i, 'role ' || i FROM generate_series(0, 9) i;
INSERT INTO user_roles SELECT u, (u + r) % 10 FROM generate_series(1, 1000) u, generate_series(1, 5) r;
ANALYZE user_roles, roles;
SELECT q, estimate(q) FROM (VALUES
	($$SELECT * FROM get_results('user_roles', 1)$$),
	($$SELECT * FROM get_results('user_roles', NULL::bigint)$$),
	($$SELECT * FROM get_results('user_roles', 1, NULL::roles)$$),
	($$SELECT * FROM related_ids('user_roles', 1, NULL::int)$$),
	($$SELECT get_results('user_roles', 1)$$),
	($$SELECT * FROM get_results('role_users', 1)$$),
	($$SELECT * FROM related_ids('role_users', 1, NULL::bigint)$$),
	($$SELECT * FROM get_results('support.user_roles'::belongs_to_many, 1)$$),
	($$SELECT * FROM get_results('{"relation": "user_roles", "inverse": true}', 1)$$),
	($$SELECT * FROM get_results('{"relation": "user_roles", "take": {"max_rows": 3, "skip": 0}}', 1)$$),
	($$SELECT * FROM get_results('{"relation": "user_roles", "take": {"max_rows": 300, "skip": 0}}', 1)$$),
	($$SELECT * FROM get_results('{"relation": "user_roles", "take": {"max_rows": 0, "skip": 0}}', 1)$$),
	($$SELECT * FROM get_results('{"parent": "users", "related": "roles", "pivot_table": "user_roles", "foreign_key": "user_id", "related_key": "role_id", "parent_key": "id", "related_pivot_key": "id"}', 1)$$),
	($$SELECT u.id FROM generate_series(1, 7) u(id), get_results('user_roles', u.id)$$)) v(q);
-- one row for each parent of a list
SELECT q, estimate(q) FROM (VALUES
	($$SELECT * FROM get_results_for('user_roles', ARRAY[1, 2, 3])$$),
	($$SELECT * FROM get_results_for('user_roles', '{1,2,3,4}'::bigint[], 1)$$),
	($$SELECT * FROM count_related_for('user_roles', ARRAY[1, 2, 3])$$),
	($$SELECT * FROM count_related_for('user_roles', '{}'::int[])$$),
	($$SELECT * FROM get_results_for('user_roles', '{1,2,3}')$$),
	($$SELECT * FROM count_related_for('user_roles', '[1, 2]'::jsonb)$$)) v(q);
-- a relation that is saved anew, rows that come: the next plan knows
SELECT create_relation('role_users', belongs_to_many('users', 'roles', 'user_roles', 'user_id', 'role_id'), replace => true);
SELECT estimate($$SELECT * FROM get_results('role_users', 1)$$);
INSERT INTO user_roles SELECT u, r FROM generate_series(1, 1000) u, generate_series(10, 39) r;
ANALYZE user_roles;
SELECT estimate($$SELECT * FROM get_results('role_users', 1)$$);
-- what cannot be known is no error, and gives the guess
SELECT q, estimate(q) FROM (VALUES
	($$SELECT * FROM get_results('no_such_relation', 1)$$),
	($$SELECT * FROM get_results(NULL, 1)$$),
	($$SELECT * FROM related_ids('{"parent": "no", "related": "such", "pivot_table": "table"}', 1, NULL::int)$$)) v(q);
PREPARE by_name(text) AS SELECT * FROM get_results($1, 1);
SELECT estimate($$EXECUTE by_name('role_users')$$) BETWEEN 1 AND 100 AS some;
ALTER TABLE user_roles DROP role_id;
SELECT estimate($$SELECT * FROM get_results('role_users', 1)$$) > 0 AS some, estimate($$SELECT * FROM get_results('{"relation": "user_roles", "inverse": true}', 1)$$) > 0 AS inverse;
-- a partitioned pivot, as a whole and in part
CREATE TABLE parts (user_id bigint, role_id int) PARTITION BY HASH (role_id);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts SELECT u, r FROM generate_series(1, 200) u, generate_series(1, 12) r;
ANALYZE parts;
SELECT create_relation('parts', belongs_to_many('users', 'roles', 'parts', 'user_id', 'role_id'));
SELECT estimate($$SELECT * FROM get_results('parts', 1)$$);
SELECT estimate($$SELECT * FROM get_results('{"parent": "users", "related": "roles", "pivot_table": "parts_0", "foreign_key": "user_id", "related_key": "role_id", "parent_key": "id", "related_pivot_key": "id"}', 1)$$)
	= (SELECT count(*) FROM parts_0 WHERE user_id = 1) AS part;
-- the table is gone
CREATE VIEW kept AS SELECT * FROM get_results(
	'{"parent": "users", "related": "roles", "pivot_table": "parts", "foreign_key": "user_id", "related_key": "role_id", "parent_key": "id", "related_pivot_key": "id"}', 1);
SELECT estimate('TABLE kept');
DROP TABLE parts;
SELECT estimate('TABLE kept'), estimate($$SELECT * FROM get_results('parts', 1)$$) AS saved;

DROP SCHEMA support CASCADE;
