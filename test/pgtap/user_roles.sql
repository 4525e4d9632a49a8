-- Users and their roles: what users of an ORM expect of attach, detach, sync, toggle and update.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE SCHEMA m2m;
CREATE EXTENSION belongs_to_many SCHEMA m2m;
CREATE SCHEMA app;
SET LOCAL search_path = app, m2m, public;
SELECT plan(46);

CREATE TABLE users (id bigint PRIMARY KEY, name text);
CREATE TABLE roles (id bigint PRIMARY KEY, name text);
CREATE TABLE user_roles (
	user_id bigint REFERENCES users ON DELETE CASCADE, role_id bigint REFERENCES roles,
	status text NOT NULL DEFAULT 'new', note text, PRIMARY KEY (user_id, role_id));
INSERT INTO users VALUES (1, 'Ada'), (2, 'Bob'), (3, 'Eve');
INSERT INTO roles SELECT i, 'role ' || i FROM generate_series(1, 9) i;
SELECT create_relation('user_roles', with_pivot(belongs_to_many('users', 'roles'), 'status'));
CREATE VIEW rows AS SELECT user_id, role_id, status, note FROM user_roles ORDER BY 1, 2;

-- attach
SELECT is(attach('user_roles', 1, 1), 1, 'attach: one id');
SELECT is(attach('user_roles', 1, '{2,3}'), 2, 'attach: a list');
SELECT is(attach('user_roles', 1, '{"4": {"status": "active"}, "5": {}}'), 2, 'attach: a map with attributes');
SELECT is(attach('user_roles', 1, '[6, {"7": {"note": "n"}}]'), 2, 'attach: a list with a map in it');
SELECT is(attach('user_roles', 1, '[]'), 0, 'attach: an empty list does nothing');
SELECT is(attach('user_roles', 1, '{1,1,8,8}'), 1, 'attach: what is there already is left, duplicates count once');
SELECT results_eq('SELECT role_id::int, status, note FROM rows WHERE user_id = 1',
	$$VALUES (1, 'new', NULL), (2, 'new', NULL), (3, 'new', NULL), (4, 'active', NULL), (5, 'new', NULL), (6, 'new', NULL), (7, 'new', 'n'), (8, 'new', NULL)$$,
	'attach: a column that an id does not mention gets its default');
SELECT is(attach('user_roles', 2, '{"1": {"status": "own"}, "2": {}}', '{"status": "shared", "note": "all"}'), 2, 'attach: attributes for one id and for all');
SELECT results_eq('SELECT role_id::int, status, note FROM rows WHERE user_id = 2', $$VALUES (1, 'own', 'all'), (2, 'shared', 'all')$$,
	'attach: those of the id win');
SELECT throws_ok($$SELECT attach('user_roles', 1, NULL)$$, '22004', NULL, 'attach: NULL is not an empty list');
SELECT throws_ok($$SELECT attach('user_roles', NULL, 1)$$, '22004', NULL, 'attach: a parent that was never saved');
SELECT throws_ok($$SELECT attach('user_roles', 1, '{9,77}')$$, '23503', NULL, 'attach: a role that does not exist');
SELECT ok(NOT is_attached('user_roles', 1, 9), 'attach: an error leaves nothing behind');
SELECT throws_ok($$SELECT attach('user_roles', 1, 9, '{"user_id": 2}')$$, '22023', NULL, 'attach: attributes cannot name another parent');
SELECT throws_ok($$SELECT attach('user_roles', 1, 9, '{"stauts": "x"}')$$, '42703', NULL, 'attach: a misspelt column');
SELECT throws_ok($$SELECT attach('user_roles', 1, '{1,9}', on_conflict => 'error')$$, '23505', NULL, 'attach: error for what is there already');
SELECT is(attach('user_roles', 1, '{1,2,9}', '{"status": "new", "note": "x"}', 'update'), 3, 'attach: update of what is there already');
SELECT throws_ok($$SELECT attach('user_roles', 1, 1, on_conflict => 'duplicate')$$, '23505', NULL, 'attach: the key forbids a second row');

-- detach
SELECT is(detach('user_roles', 1, '{8,9,9,77}'), 2, 'detach: duplicates and strangers do no harm');
SELECT is(detach('user_roles', 1, '{}'), 0, 'detach: an empty list detaches nothing');
SELECT throws_ok($$SELECT detach('user_roles', 1, (SELECT array_agg(id) FROM roles WHERE false))$$, '22004', NULL, 'detach: NULL does not mean all');
SELECT is(related_ids('user_roles', 1), '[1, 2, 3, 4, 5, 6, 7]', 'detach: the others stay');
SELECT is((SELECT count(*) FROM roles), 9::bigint, 'detach: the roles themselves stay');
SELECT is(detach('user_roles', 2), 2, 'detach: all of a user');
SELECT is(count_related('user_roles', 1), 7::bigint, 'detach: and of no other');

-- sync
SELECT results_eq($$SELECT * FROM sync('user_roles', 1, '{9,1,8,2}')$$, $$VALUES ('[9, 8]'::jsonb, '[3, 4, 5, 6, 7]'::jsonb, '[]'::jsonb)$$,
	'sync: what was attached and detached');
SELECT results_eq($$SELECT * FROM sync('user_roles', 1, '{1,2,8,9}')$$, $$VALUES ('[]'::jsonb, '[]'::jsonb, '[]'::jsonb)$$, 'sync: the same again does nothing');
SELECT results_eq($$SELECT * FROM sync('user_roles', 1, '{"1": {"status": "a"}, "2": {"status": "new"}, "8": {}, "9": {"note": null}}')$$,
	$$VALUES ('[]'::jsonb, '[]'::jsonb, '[1]'::jsonb)$$, 'sync: updated is what has changed');
SELECT results_eq($$SELECT * FROM sync('user_roles', 1, '{1,2}', detaching => false)$$, $$VALUES ('[]'::jsonb, '[]'::jsonb, '[]'::jsonb)$$, 'sync: without detaching');
SELECT results_eq($$SELECT * FROM sync_without_detaching('user_roles', 1, '{2,3}', '{"note": "y"}')$$, $$VALUES ('[3]'::jsonb, '[]'::jsonb, '[2]'::jsonb)$$,
	'sync_without_detaching: with values for all');
SELECT results_eq('SELECT role_id::int, status, note FROM rows WHERE user_id = 1',
	$$VALUES (1, 'a', 'x'), (2, 'new', 'y'), (3, 'new', 'y'), (8, 'new', NULL), (9, 'new', NULL)$$, 'sync: the rows');
SELECT throws_ok($$SELECT * FROM sync('user_roles', 1, ARRAY[1, NULL])$$, '22004', NULL, 'sync: a NULL in the list does not empty the relation');
SELECT throws_ok($$SELECT * FROM sync('user_roles', 1, '{4,77}')$$, '23503', NULL, 'sync: a role that does not exist');
SELECT is(related_ids('user_roles', 1), '[1, 2, 3, 8, 9]', 'sync: whole or not at all');
SELECT results_eq($$SELECT * FROM sync('user_roles', 1, '[]'::jsonb)$$, $$VALUES ('[]'::jsonb, '[1, 2, 3, 8, 9]'::jsonb, '[]'::jsonb)$$, 'sync: an empty list detaches all');

-- toggle
SELECT results_eq($$SELECT * FROM toggle('user_roles', 1, '{3,1,2}')$$, $$VALUES ('[3, 1, 2]'::jsonb, '[]'::jsonb)$$, 'toggle: on');
SELECT results_eq($$SELECT * FROM toggle('user_roles', 1, '{4,3,1,4}', '{"note": "t"}')$$, $$VALUES ('[4]'::jsonb, '[1, 3]'::jsonb)$$, 'toggle: on and off, each once');
SELECT results_eq('SELECT role_id::int, note FROM rows WHERE user_id = 1', $$VALUES (2, NULL), (4, 't')$$, 'toggle: attributes are for what is new');
SELECT results_eq($$SELECT * FROM toggle('user_roles', 1, '{}')$$, $$VALUES ('[]'::jsonb, '[]'::jsonb)$$, 'toggle: nothing');

-- update_existing_pivot
SELECT is(update_existing_pivot('user_roles', 1, '{2,4,5}', '{"status": "x"}'), 2, 'update: those that exist');
SELECT is(update_existing_pivot('user_roles', 1, '{2,4}', '{"status": "x"}'), 0, 'update: no change is no update');
SELECT is(update_existing_pivot('user_roles', 1, 2, '{}'), 0, 'update: nothing to set');
SELECT is(update_existing_pivot('user_roles', 1, '{"2": {"status": "two"}, "4": {"note": "four"}}'), 2, 'update: each id its own');
SELECT is(related_ids('user_roles', 1), '[2, 4]', 'update: never inserts');

-- a pivot that was read can be written back
SELECT results_eq($$SELECT * FROM sync('user_roles', 3, (SELECT jsonb_agg((result -> 'pivot') - 'user_id') FROM get_results('user_roles', 1)))$$,
	$$VALUES ('[2, 4]'::jsonb, '[]'::jsonb, '[]'::jsonb)$$, 'results: the pivot rows of one user make those of another');
SELECT results_eq('SELECT role_id::int, status FROM rows WHERE user_id = 3', $$VALUES (2, 'two'), (4, 'x')$$, 'results: with their attributes');

SELECT * FROM finish();
ROLLBACK;
