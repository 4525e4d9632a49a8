--
-- attach(): design rules 1 to 7 as far as they concern it
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA attach;
SET search_path = attach, m2m;

CREATE TABLE users (id bigint PRIMARY KEY, name text);
CREATE TABLE roles (id bigint PRIMARY KEY, name text);
INSERT INTO users SELECT i, 'user ' || i FROM generate_series(1, 9) AS i;
INSERT INTO roles SELECT i, 'role ' || i FROM generate_series(1, 9) AS i;
CREATE TABLE user_roles (
	user_id bigint NOT NULL REFERENCES users,
	role_id bigint NOT NULL REFERENCES roles,
	status text DEFAULT 'active',
	position int,
	PRIMARY KEY (user_id, role_id),
	UNIQUE (user_id, position));
SELECT create_relation('user_roles', belongs_to_many('users', 'roles'));

-- new pairs are counted, pairs that exist are not
SELECT attach('user_roles', 1, '{3,1}');
SELECT attach('user_roles', 1, '{3,1}');
SELECT attach('user_roles', 1, '{1,2,3,4}');
SELECT attach('user_roles', 2, 1);
TABLE user_roles ORDER BY 1, 2;

-- an empty list attaches nothing, however it is written
SELECT attach('user_roles', 1, '{}'), attach('user_roles', 1, ARRAY[]::int[]),
	attach('user_roles', 1, '[]'), attach('user_roles', 1, '[]'::jsonb),
	attach('user_roles', 1, '{}'::json), attach('user_roles', 1, '[]'::json);

-- duplicates collapse: the last mention with attributes wins
SELECT attach('user_roles', 3, ARRAY[2,1,2,2,1]);
SELECT attach('user_roles', 4,
	'[{"role_id": 1, "status": "first"}, {"role_id": 1, "status": "last"}, 1, {"role_id": 1}]');
SELECT * FROM user_roles WHERE user_id IN (3, 4) ORDER BY 1, 2;

-- ---- on_conflict, with a unique index on the pair

-- ignore leaves the row as it is, also with attributes
SELECT attach('user_roles', 2, '{1,2}', '{"status": "new"}');
SELECT attach('user_roles', 2, '{1}', '{"status": "new"}', 'ignore');
SELECT * FROM user_roles WHERE user_id = 2 ORDER BY 2;

-- update applies the attributes where they differ; what is new counts, too
SELECT attach('user_roles', 2, '{1,2,3}', '{"status": "new"}', on_conflict => 'update');
SELECT * FROM user_roles WHERE user_id = 2 ORDER BY 2;
SELECT attach('user_roles', 2, '{1,2,3}', '{"status": "new"}', on_conflict => 'update');
SELECT attach('user_roles', 2, '{1,2,3}', on_conflict => 'update');
SELECT attach('user_roles', 2, '{"1": {"status": "a"}, "2": {}, "4": {"position": 1}}'::jsonb,
	on_conflict => 'update');
SELECT * FROM user_roles WHERE user_id = 2 ORDER BY 2;

-- only the row that differs is written anew
CREATE TEMP TABLE before AS SELECT role_id, ctid AS version FROM user_roles WHERE user_id = 2;
SELECT attach('user_roles', 2, '{1,2,3}', '{"status": "new"}', on_conflict => 'update');
SELECT b.role_id, b.version = r.ctid AS same_version
FROM before b JOIN user_roles r ON r.user_id = 2 AND r.role_id = b.role_id ORDER BY 1;

-- error is the index's own
SELECT attach('user_roles', 2, '{9,1}', on_conflict => 'error');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 2, '{9}', on_conflict => 'error');
-- the index forbids a second row of the pair
SELECT attach('user_roles', 2, '{8,1}', on_conflict => 'duplicate');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 2, '{8}', on_conflict => 'duplicate');
SELECT role_id FROM user_roles WHERE user_id = 2 ORDER BY 1;

-- the policy's name, in any case; anything else is refused
SELECT attach('user_roles', 2, '{7}', on_conflict => 'IGNORE');
SELECT attach('user_roles', 2, '{7}', on_conflict => 'replace');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 2, '{7}', on_conflict => '');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 2, '{7}', on_conflict => NULL);
\echo :LAST_ERROR_SQLSTATE

-- the arbiter is the index on the pair alone: another constraint's violation is an error
SELECT attach('user_roles', 2, '{5}', '{"position": 1}');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 2, '{5}', '{"position": 1}', on_conflict => 'update');
\echo :LAST_ERROR_SQLSTATE
-- a row that is skipped violates nothing
SELECT attach('user_roles', 2, '{1}', '{"position": 1}');
-- nothing of a failed call is left
SELECT attach('user_roles', 2, '{5,6}', '{"position": 77}');
\echo :LAST_ERROR_SQLSTATE
SELECT role_id, position FROM user_roles WHERE user_id = 2 ORDER BY 1;

-- ---- without a unique index on the pair

CREATE TABLE visits (
	id serial PRIMARY KEY,
	user_id bigint NOT NULL REFERENCES users,
	role_id bigint REFERENCES roles,
	note text);
SET client_min_messages = notice;
SELECT create_relation('visits', belongs_to_many('users', 'roles', 'visits'));
SET client_min_messages = warning;

SELECT attach('visits', 1, '{3,1,2}');
SELECT attach('visits', 1, '{1,2,3,4}');
SELECT attach('visits', 1, '{1,2}', '{"note": "again"}', 'duplicate');
SELECT attach('visits', 1, '{1}', '{"note": "not written"}', 'ignore');
-- every row of the pair is updated; what differs counts
SELECT attach('visits', 1, '{1,5}', '{"note": "again"}', 'update');
SELECT attach('visits', 1, '{1,5}', '{"note": "again"}', 'update');
SELECT attach('visits', 1, '{6,1}', '{"note": "x"}', 'error');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('visits', 1, '{6}', '{"note": "x"}', 'error');
-- rows of one call go in by key, so the serial's numbers ascend with it
SELECT user_id, role_id, note FROM visits ORDER BY id;
-- the sides do not matter
SELECT attach(inverse('visits'), 1, '{1,2}');
SELECT user_id, role_id FROM visits WHERE role_id = 1 ORDER BY id;

-- indexes that count as none, and one that counts: only the pair, in either order, immediate,
-- not partial, without expressions
CREATE TABLE kinds (user_id bigint, role_id bigint, kind text DEFAULT 'k');
SELECT create_relation('kinds', belongs_to_many('users', 'roles', 'kinds', 'user_id', 'role_id'));
SELECT attach('kinds', 1, '{1,1,2}');

CREATE UNIQUE INDEX kinds_partial ON kinds (user_id, role_id) WHERE kind = 'k';
SELECT attach('kinds', 1, '{1,2,3}');
-- it is in scope, so no second row is tried
SELECT attach('kinds', 1, '{1}', '{"kind": "other"}');
-- it is out of scope, and the partial index, which is no arbiter, forbids the second row
SELECT attach(where_pivot('kinds', 'kind', 'other'), 1, '{1}');
\echo :LAST_ERROR_SQLSTATE
SELECT attach(where_pivot('kinds', 'kind', 'other'), 1, '{1}', '{"kind": "other"}');
DROP INDEX kinds_partial;

CREATE UNIQUE INDEX kinds_wide ON kinds (user_id, role_id, kind);
SELECT attach('kinds', 1, '{3}', '{"kind": "wide"}');
SELECT attach('kinds', 1, '{3}', '{"kind": "wide"}', 'duplicate');
SELECT attach('kinds', 1, '{3}', '{"kind": "wide"}', 'duplicate');
\echo :LAST_ERROR_SQLSTATE
DROP INDEX kinds_wide;

DELETE FROM kinds;
CREATE UNIQUE INDEX kinds_expression ON kinds (user_id, (role_id + 0));
SELECT attach('kinds', 1, '{1}'), attach('kinds', 1, '{1,2}');
SELECT attach('kinds', 1, '{1}', on_conflict => 'duplicate');
\echo :LAST_ERROR_SQLSTATE
DROP INDEX kinds_expression;

ALTER TABLE kinds ADD CONSTRAINT kinds_deferrable UNIQUE (user_id, role_id) DEFERRABLE;
SELECT attach('kinds', 1, '{1,2,3}'), attach('kinds', 1, '{1,2,3}', on_conflict => 'update');
BEGIN;
SET CONSTRAINTS kinds_deferrable DEFERRED;
SELECT attach('kinds', 1, '{1}', on_conflict => 'duplicate');
COMMIT;
\echo :LAST_ERROR_SQLSTATE
-- an immediate index beside it cannot be used either, ON CONFLICT would fail
CREATE UNIQUE INDEX kinds_pair ON kinds (role_id, user_id);
SELECT attach('kinds', 1, '{3,4}');
ALTER TABLE kinds DROP CONSTRAINT kinds_deferrable;
SELECT attach('kinds', 1, '{4,5}');
DROP INDEX kinds_pair;
CREATE UNIQUE INDEX kinds_include ON kinds (user_id, role_id) INCLUDE (kind);
SELECT attach('kinds', 1, '{5,6}');
SELECT attach('kinds', 1, '{6}', on_conflict => 'error');
\echo :LAST_ERROR_SQLSTATE
SELECT user_id, role_id, kind FROM kinds ORDER BY 1, 2, 3;

-- ---- what attach writes

-- pivot values are written and filter; an explicit attribute overrides them
SELECT attach(with_pivot_value('user_roles', 'status', 'vip'), 5, '{1,2}');
SELECT attach(with_pivot_value('user_roles', 'status', 'vip'), 5, '{"3": {"status": "own"}, "4": {"position": 4}}'::jsonb);
SELECT attach(with_pivot_value('user_roles', 'status', NULL), 5, '{5}');
SELECT attach(with_pivot_value(with_pivot_value('user_roles', 'status', 'a'), 'position', 6), 5, 6);
-- a filter writes nothing
SELECT attach(where_pivot('user_roles', 'status', 'vip'), 5, '{7}');
SELECT * FROM user_roles WHERE user_id = 5 ORDER BY 2;

-- a pair outside of the filter, that a unique index forbids to double
SELECT attach(with_pivot_value('user_roles', 'status', 'vip'), 5, '{1,3,8}');
SELECT attach(with_pivot_value('user_roles', 'status', 'vip'), 5, '{1,3,8}', '{"position": 9}', 'update');
\echo :LAST_ERROR_SQLSTATE
SELECT attach(with_pivot_value('user_roles', 'status', 'vip'), 5, '{3,8}', '{"position": 9}', 'update');
SELECT attach(with_pivot_value('user_roles', 'status', 'vip'), 5, '{3}', on_conflict => 'error');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM user_roles WHERE user_id = 5 ORDER BY 2;
-- without such an index the pair gets a second row, in scope
SELECT attach(with_pivot_value('visits', 'note', 'mine'), 1, '{1,2}');
SELECT attach(with_pivot_value('visits', 'note', 'mine'), 1, '{1,2}');
SELECT attach(with_pivot_value('visits', 'note', 'mine'), 1, '{1}', on_conflict => 'error');
\echo :LAST_ERROR_SQLSTATE
SELECT user_id, role_id, note FROM visits WHERE user_id = 1 AND role_id < 3 ORDER BY id;

-- timestamps
CREATE TABLE stamps (
	user_id bigint REFERENCES users,
	role_id bigint REFERENCES roles,
	created_at timestamptz,
	updated_at timestamptz,
	touched timestamp,
	note text,
	UNIQUE (role_id, user_id));
SELECT create_relation('stamps', with_timestamps(belongs_to_many('users', 'roles', 'stamps')));
BEGIN;
SELECT attach('stamps', 1, '{1,2}');
SELECT attach('stamps', 1, 3, '{"created_at": "2001-01-01 00:00+00"}');
SELECT attach('stamps', 1, 4, '{"created_at": "2001-01-01 00:00+00", "updated_at": null}');
SELECT attach(with_timestamps('stamps', NULL), 1, 5);
SELECT attach(with_timestamps('stamps', 'created_at', NULL), 1, 6);
SELECT attach(with_timestamps('stamps', NULL, NULL), 1, 7);
SELECT attach(with_timestamps('stamps', 'touched', 'updated_at'), 1, 8);
SELECT role_id, created_at = now() AS created, updated_at = now() AS updated, touched = localtimestamp AS touched
FROM stamps ORDER BY 1;
COMMIT;
BEGIN;
SELECT attach('stamps', 1, '{1,2}', '{"note": null}', 'update');
SELECT attach('stamps', 1, '{1,2}', on_conflict => 'update');
SELECT attach('stamps', 1, '{1}', '{"note": "n"}', 'update');
SELECT attach('stamps', 1, '{3}', '{"updated_at": "2002-02-02 00:00+00"}', 'update');
SELECT attach('stamps', 1, '{8}', '{"created_at": "2003-03-03 00:00+00"}', 'update');
SELECT role_id, created_at = now() AS created, updated_at = now() AS updated, note FROM stamps
WHERE role_id IN (1, 2, 3, 8) ORDER BY 1;
COMMIT;

-- ---- constraints

-- the missing row is the foreign key's own error; nothing changes
SELECT attach('user_roles', 6, '{1,2,100}');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 600, '{1}');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM user_roles WHERE user_id IN (6, 600);
-- without foreign keys there is nothing to check
SELECT attach('kinds', 600, '{100}');

-- ---- self-referential, from both sides

CREATE TABLE people (id int PRIMARY KEY);
INSERT INTO people SELECT generate_series(1, 5);
CREATE TABLE follows (
	follower int REFERENCES people,
	followed int REFERENCES people,
	PRIMARY KEY (follower, followed));
SELECT create_relation('follows', belongs_to_many('people', 'people', 'follows', 'follower', 'followed'));
SELECT attach('follows', 1, '{1,2,3}'), attach(inverse('follows'), 1, '{1,2,3}');
TABLE follows ORDER BY 1, 2;

-- ---- in SQL

-- the parent is made in the same statement
WITH u AS (INSERT INTO users VALUES (20, 'new'), (21, 'new') RETURNING id)
SELECT id, attach('user_roles', id, '{1,2}') FROM u ORDER BY id;
-- many parents, with ids of their own
SELECT id, attach('user_roles', id, ARRAY[id, id - 1]) FROM users WHERE id IN (7, 8) ORDER BY id;
SELECT count(*), count(DISTINCT user_id) FROM user_roles WHERE user_id IN (7, 8, 20, 21);
-- named notation
SELECT attach(relation => 'user_roles', parent_id => 9, ids => '{1}', attributes => '{"status": "named"}', on_conflict => 'ignore');
SELECT attach(ids => '[2]'::jsonb, parent_id => '9', relation => 'user_roles');
SELECT * FROM user_roles WHERE user_id = 9 ORDER BY 2;
-- a later call in the same transaction sees what an earlier one has done
SELECT attach('user_roles', 9, 3) + attach('user_roles', 9, 3) + attach('user_roles', 9, 4) AS attached;

-- a savepoint takes it back, and an exception does
BEGIN;
SELECT attach('user_roles', 9, 5);
SAVEPOINT s;
SELECT attach('user_roles', 9, '{6,7}');
ROLLBACK TO s;
SELECT attach('user_roles', 9, '{7}');
COMMIT;
DO $$
BEGIN
	PERFORM attach('user_roles', 9, '{8,100}');
EXCEPTION WHEN foreign_key_violation THEN
	PERFORM attach('user_roles', 9, '{9}');
END
$$;
SELECT array_agg(role_id ORDER BY role_id) FROM user_roles WHERE user_id = 9;

-- it is a write
BEGIN READ ONLY;
SELECT attach('user_roles', 9, '{8}');
ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
-- and never an unfiltered one
SELECT attach(where_related('user_roles', 'name', 'role 8'), 9, '{8}');
\echo :LAST_ERROR_SQLSTATE

-- a temporary pivot
CREATE TEMP TABLE t_user_roles (user_id bigint, role_id bigint, UNIQUE (user_id, role_id));
SELECT attach(belongs_to_many('users', 'roles', 't_user_roles', 'user_id', 'role_id'), 1, '{1,2}');
TABLE t_user_roles ORDER BY 1, 2;

DROP SCHEMA attach CASCADE;
