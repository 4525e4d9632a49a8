--
-- toggle()
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA toggle;
SET search_path = toggle, m2m;

CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE roles (id bigint PRIMARY KEY, name text);
INSERT INTO users SELECT generate_series(1, 5);
INSERT INTO roles SELECT i, 'role ' || i FROM generate_series(1, 9) AS i;
CREATE TABLE user_roles (
	user_id bigint REFERENCES users,
	role_id bigint REFERENCES roles,
	status text DEFAULT 'new',
	PRIMARY KEY (user_id, role_id));
INSERT INTO user_roles VALUES (1, 1, 'a'), (1, 2, 'b'), (1, 3, 'c'), (2, 1, 'a');
SELECT create_relation('user_roles', belongs_to_many('users', 'roles'));

-- attached in the order of the input, detached in that of the key
SELECT * FROM toggle('user_roles', 1, '{9,3,7,1,8}');
TABLE user_roles ORDER BY 1, 2;
-- duplicates toggle once
SELECT * FROM toggle('user_roles', 1, '{9,9,1,9,1}');
-- twice is back again, but for the attributes
SELECT * FROM toggle('user_roles', 2, '{1,2}');
SELECT * FROM toggle('user_roles', 2, '{1,2}');
TABLE user_roles ORDER BY 1, 2;

-- attributes are for the pairs that are attached
SELECT * FROM toggle('user_roles', 2, '{1,4}', '{"status": "shared"}');
SELECT * FROM toggle('user_roles', 2, '{"1": {"status": "own"}, "5": {}}'::jsonb, '{"status": "shared"}');
SELECT * FROM toggle('user_roles', 2, '[{"role_id": 6, "status": "row"}, 4, 7]');
SELECT * FROM user_roles WHERE user_id = 2 ORDER BY 1, 2;

-- an empty list toggles nothing; the report says so
SELECT * FROM toggle('user_roles', 1, '{}');
SELECT * FROM toggle('user_roles', 1, '[]'::jsonb, '{"status": "x"}');
-- NULL is an error
SELECT * FROM toggle('user_roles', 1, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM toggle('user_roles', NULL, '{1}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM toggle('user_roles', 1, '[1, null]');
\echo :LAST_ERROR_SQLSTATE

-- a missing related row takes the whole call back
SELECT * FROM toggle('user_roles', 2, '{5,100}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM user_roles WHERE user_id = 2 ORDER BY 1, 2;

-- detach comes first: a value that must be unique changes hands
CREATE TABLE seats (user_id bigint, role_id bigint, seat int, PRIMARY KEY (user_id, role_id), UNIQUE (user_id, seat));
INSERT INTO seats VALUES (1, 1, 1);
SELECT * FROM toggle(belongs_to_many('users', 'roles', 'seats', 'user_id', 'role_id'), 1, '{1,2}', '{"seat": 1}');
TABLE seats;

-- ---- the filter is the scope

SELECT * FROM toggle(with_pivot_value('user_roles', 'status', 'shared'), 2, '{8,9}');
-- what is attached outside of the filter cannot be attached again, and is not detached
SELECT * FROM toggle(with_pivot_value('user_roles', 'status', 'shared'), 2, '{8,6}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM toggle(where_pivot('user_roles', 'status', 'shared'), 2, '{8,9}');
SELECT * FROM user_roles WHERE user_id = 2 ORDER BY 1, 2;
SELECT * FROM toggle(where_related('user_roles', 'name', 'role 1'), 2, '{1}');
\echo :LAST_ERROR_SQLSTATE

-- no unique index: all rows of a pair go, reported once; outside of the filter a second row comes
CREATE TABLE visits (id serial PRIMARY KEY, user_id bigint, role_id bigint, note text);
SELECT create_relation('visits', belongs_to_many('users', 'roles', 'visits', 'user_id', 'role_id'));
INSERT INTO visits (user_id, role_id, note) VALUES (1, 2, 'x'), (1, 2, 'y'), (1, NULL, 'x'), (2, 2, 'x');
SELECT * FROM toggle('visits', 1, '{2,1}');
SELECT * FROM toggle(with_pivot_value('visits', 'note', 'mine'), 1, '{1}');
SELECT user_id, role_id, note FROM visits ORDER BY id;

-- keys of several columns are reported as objects of the columns that an id has
CREATE TABLE docs (lang text, nr int, PRIMARY KEY (lang, nr));
INSERT INTO docs VALUES ('de', 1), ('de', 2), ('en', 1);
CREATE TABLE user_docs (
	user_id bigint REFERENCES users, lang text, nr int,
	PRIMARY KEY (user_id, lang, nr), FOREIGN KEY (lang, nr) REFERENCES docs);
SELECT create_relation('user_docs', belongs_to_many('users', 'docs'));
SELECT * FROM toggle('user_docs', 1, '[["en", 1], {"lang": "de", "nr": 2}]');
SELECT * FROM toggle('user_docs', 1, ARRAY[ROW('en', 1), ROW('de', 1)]);
TABLE user_docs ORDER BY 1, 2, 3;

-- from the other side
SELECT * FROM toggle(inverse('user_roles'), 1, '{1,2,3}');
-- as an expression of a query that runs once per row
SELECT id, toggle('user_roles', id, '{5}') FROM users WHERE id IN (3, 4) ORDER BY id;
SELECT (toggle('user_roles', 3, '{5}')).*;
SELECT user_id, role_id FROM user_roles WHERE user_id IN (3, 4) ORDER BY 1, 2;
SELECT * FROM toggle(ids => '{5}', relation => 'user_roles', attributes => '{"status": "named"}', parent_id => 3);
SELECT u.id, t.* FROM users u, toggle('user_roles', u.id, '{6}') AS t WHERE u.id IN (3, 4) ORDER BY u.id;

-- ---- what is not attached is not deleted, as far as anybody can tell

-- without the privilege to delete, pairs can be attached
CREATE ROLE regress_btm_appender;
GRANT USAGE ON SCHEMA toggle, m2m TO regress_btm_appender;
GRANT SELECT, INSERT ON user_roles TO regress_btm_appender;
SET ROLE regress_btm_appender;
SELECT * FROM toggle('user_roles', 5, '{1,2}');
SELECT * FROM toggle('user_roles', 5, '{2,3}');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
-- rows that row security keeps from the DELETE are left alone: no attempt is made to attach them again
CREATE TABLE pinned_roles (user_id bigint, role_id bigint, pinned boolean DEFAULT false, PRIMARY KEY (user_id, role_id));
INSERT INTO pinned_roles VALUES (1, 1, true), (1, 2, false);
ALTER TABLE pinned_roles ENABLE ROW LEVEL SECURITY;
CREATE POLICY reads ON pinned_roles FOR SELECT USING (true);
CREATE POLICY deletes ON pinned_roles FOR DELETE USING (NOT pinned);
CREATE POLICY inserts ON pinned_roles FOR INSERT WITH CHECK (role_id > 1);
GRANT SELECT, INSERT, DELETE ON pinned_roles TO regress_btm_appender;
SELECT create_relation('pinned_roles', belongs_to_many('users', 'roles', 'pinned_roles', 'user_id', 'role_id'));
SET ROLE regress_btm_appender;
SELECT * FROM toggle('pinned_roles', 1, '{1,2,3}');
RESET ROLE;
TABLE pinned_roles ORDER BY 2;
-- statement triggers see a DELETE only where there is something to delete
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING '%', tg_op; RETURN NULL; END $$;
CREATE TRIGGER tell AFTER DELETE ON seats EXECUTE FUNCTION tell();
SELECT * FROM toggle(belongs_to_many('users', 'roles', 'seats', 'user_id', 'role_id'), 2, '{1}');
SELECT * FROM toggle(belongs_to_many('users', 'roles', 'seats', 'user_id', 'role_id'), 2, '{1,2}');
-- nor can rows of a published table be deleted that has no replica identity
CREATE TABLE published (user_id bigint NOT NULL, role_id bigint NOT NULL, UNIQUE (user_id, role_id));
SET client_min_messages = error;
CREATE PUBLICATION regress_btm_toggle FOR TABLE published;
SET client_min_messages = warning;
SELECT * FROM toggle(belongs_to_many('users', 'roles', 'published', 'user_id', 'role_id'), 1, '{1,2}');
SELECT * FROM toggle(belongs_to_many('users', 'roles', 'published', 'user_id', 'role_id'), 1, '{1}');
\echo :LAST_ERROR_SQLSTATE

DROP PUBLICATION regress_btm_toggle;
DROP SCHEMA toggle CASCADE;
REVOKE USAGE ON SCHEMA m2m FROM regress_btm_appender;
DROP ROLE regress_btm_appender;
