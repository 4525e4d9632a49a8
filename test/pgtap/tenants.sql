-- Keys that carry the tenant: nobody reaches into another tenant.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE SCHEMA m2m;
CREATE EXTENSION belongs_to_many SCHEMA m2m;
CREATE SCHEMA app;
SET LOCAL search_path = app, m2m, public;
SELECT plan(27);

CREATE TABLE users (tenant_id int, id int, name text, PRIMARY KEY (tenant_id, id));
CREATE TABLE roles (tenant_id int, id int, name text, PRIMARY KEY (tenant_id, id));
CREATE TABLE user_roles (
	tenant_id int, user_id int, role_id int, level int, PRIMARY KEY (tenant_id, user_id, role_id),
	FOREIGN KEY (tenant_id, user_id) REFERENCES users, FOREIGN KEY (tenant_id, role_id) REFERENCES roles);
INSERT INTO users SELECT t, u, 'user ' || t || u FROM generate_series(1, 2) t, generate_series(1, 2) u;
INSERT INTO roles SELECT t, r, 'role ' || t || r FROM generate_series(1, 2) t, generate_series(1, 4) r;
INSERT INTO roles VALUES (2, 5, 'role 25');
SELECT create_relation('user_roles', with_pivot(belongs_to_many('users', 'roles'), 'level'));

SELECT is(attach('user_roles', '{"tenant_id": 1, "user_id": 1}', '{1,2}'), 2, 'the parent as an object, ids without the tenant');
SELECT is(attach('user_roles', '[2, 1]', '{"1": {"level": 7}, "5": {}}'), 2, 'the parent as an array, a map of ids');
SELECT is(attach('user_roles', ROW(2, 2), ARRAY[1, 2]), 2, 'the parent as a row value');
SELECT is(attach('user_roles', u, 3), 1, 'the parent as a row of its table''s key') FROM (SELECT tenant_id, id FROM users WHERE (tenant_id, id) = (2, 2)) u;
SELECT is(attach('user_roles', '(1,2)', 4), 1, 'the parent as a row literal');
SELECT results_eq('SELECT tenant_id, user_id, role_id, level FROM user_roles ORDER BY 1, 2, 3',
	'VALUES (1, 1, 1, NULL), (1, 1, 2, NULL), (1, 2, 4, NULL), (2, 1, 1, 7), (2, 1, 5, NULL), (2, 2, 1, NULL), (2, 2, 2, NULL), (2, 2, 3, NULL)', 'the tenant is written with each row');

SELECT is(related_ids('user_roles', ROW(1, 1)), '[1, 2]', 'ids without the tenant');
SELECT is(related_ids('user_roles', ROW(2, 1)), '[1, 5]', 'of the other tenant');
SELECT is((SELECT array_agg(result ->> 'name' ORDER BY result ->> 'name') FROM get_results('user_roles', ROW(2, 1))), '{"role 21","role 25"}', 'results of the tenant');
SELECT is((SELECT result -> 'pivot' FROM get_results(where_pivot('user_roles', 'level', 7), '{"user_id": 1, "tenant_id": 2}')), '{"tenant_id": 2, "user_id": 1, "role_id": 1, "level": 7}', 'the pivot has all key columns');
SELECT throws_ok($$SELECT attach('user_roles', ROW(1, 1), 5)$$, '23503', NULL, 'a role of the other tenant');
SELECT throws_ok($$SELECT attach('user_roles', ROW(1, 1), '[{"role_id": 3, "tenant_id": 2}]'::jsonb)$$, '22023', NULL, 'a row that names the other tenant');
SELECT is(attach('user_roles', ROW(1, 1), '[{"role_id": 3, "tenant_id": 1, "level": 2}]'::jsonb), 1, 'a row that names the own tenant');
SELECT results_eq($$SELECT * FROM sync('user_roles', ROW(1, 1), '{2,4}')$$, $$VALUES ('[4]'::jsonb, '[1, 3]'::jsonb, '[]'::jsonb)$$, 'sync');
SELECT is((SELECT count(*) FROM user_roles WHERE tenant_id = 2), 5::bigint, 'sync leaves the other tenant alone');
SELECT results_eq($$SELECT * FROM toggle('user_roles', ROW(2, 2), '{1,4}')$$, $$VALUES ('[4]'::jsonb, '[1]'::jsonb)$$, 'toggle');
SELECT is(related_ids('user_roles', ROW(1, 2)), '[4]', 'toggle leaves the other tenant alone');
SELECT is(update_existing_pivot('user_roles', ROW(2, 2), '{1,2,3}', '{"level": 3}'), 2, 'update');
SELECT is(detach('user_roles', ROW(2, 2), '{2,5}'), 1, 'detach');
SELECT ok(is_attached('user_roles', '[2, 1]', '{1,5}') AND NOT is_attached('user_roles', '[1, 1]', '{1}'), 'is_attached');
SELECT results_eq($$SELECT parent, count FROM count_related_for('user_roles', '[[1, 1], [2, 2], [1, 3]]')$$,
	$$VALUES ('{"tenant_id": 1, "user_id": 1}'::jsonb, 2::bigint), ('{"tenant_id": 2, "user_id": 2}', 2), ('{"tenant_id": 1, "user_id": 3}', 0)$$, 'counts of several parents');
SELECT is((SELECT jsonb_path_query_array(results, '$.id') FROM get_results_for(order_by('user_roles', 'id'), ARRAY[ROW(2, 2)])), '[3, 4]', 'an eager load');

SELECT is(related_ids(inverse('user_roles'), '[2, 1]'), '[1]', 'from the role, users without the tenant');
SELECT is(attach(inverse('user_roles'), '{"tenant_id": 2, "role_id": 1}', '[1, 2]'), 1, 'from the role');
SELECT throws_ok($$SELECT attach('user_roles', 1, 1)$$, '22023', NULL, 'a parent without its tenant');
SELECT throws_ok($$SELECT attach('user_roles', '{"tenant_id": 1}', 1)$$, '22023', NULL, 'a parent without its id');
SELECT throws_ok($$SELECT detach('user_roles', '{"tenant_id": null, "user_id": 1}')$$, '22004', NULL, 'a tenant that is NULL is not any tenant');

SELECT * FROM finish();
ROLLBACK;
