--
-- The bulk path: foreign keys of many pairs are checked for all of them at once.
-- belongs_to_many.bulk_path = on raises an error where it is not taken, off
-- goes the ordinary way; both must come to the same.
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA bulk;
SET search_path = bulk, m2m;

CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE roles (id int PRIMARY KEY);
CREATE TABLE grants (realm int, id int, PRIMARY KEY (realm, id));
INSERT INTO users SELECT generate_series(1, 20);
INSERT INTO roles SELECT generate_series(1, 2000);
INSERT INTO grants VALUES (1, 1), (1, 2);
CREATE TABLE user_roles (
	user_id bigint REFERENCES users,
	role_id int REFERENCES roles,
	status text DEFAULT 'active' CHECK (status <> 'bad'),
	realm int,
	granted int,
	doubled int GENERATED ALWAYS AS (role_id * 2) STORED,
	position int,
	PRIMARY KEY (user_id, role_id),
	FOREIGN KEY (realm, granted) REFERENCES grants,
	UNIQUE (user_id, position));
SELECT create_relation('user_roles', belongs_to_many('users', 'roles', 'user_roles'));

-- what it inserts, and what it leaves
SET belongs_to_many.bulk_path = on;
SELECT attach('user_roles', 1, '{3,1,2}');
SELECT attach('user_roles', 1, '{1,2,3,4}');
SELECT attach('user_roles', 1, ARRAY(SELECT generate_series(1, 1000)));
SELECT attach('user_roles', 1, ARRAY(SELECT generate_series(1, 2000)));
SELECT count(*), min(status), max(status), sum(doubled) FROM user_roles;
SELECT attach('user_roles', 2, '{"5": {"status": "x"}, "6": {}, "7": {"realm": 1, "granted": 2}, "8": {"realm": 9}}');
SELECT * FROM user_roles WHERE user_id = 2 ORDER BY role_id;
SELECT * FROM sync('user_roles', 2, '{"5": {"status": "y"}, "9": {}, "10": {}}');
SELECT * FROM toggle('user_roles', 2, '{5,11}');
SELECT attach('user_roles', 3, '{1,2}', on_conflict => 'error');

-- what it cannot insert: the constraint's own error, and nothing is left
CREATE FUNCTION attempt(bulk text, parent bigint, ids jsonb) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	PERFORM set_config('belongs_to_many.bulk_path', bulk, true);
	RETURN m2m.attach('bulk.user_roles', parent, ids, on_conflict => 'error');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, detail);
END $$;
CREATE TABLE attempts (no serial, parent bigint, ids jsonb);
INSERT INTO attempts (parent, ids) VALUES
	(4, '[1, 2, 9999]'),
	(99, '[1, 2]'),
	(3, '[5, 2]'),
	(4, '{"1": {"status": "bad"}, "2": {"status": "good"}}'),
	(4, '{"1": {"realm": 1, "granted": 1}, "2": {"realm": 1, "granted": 7}}'),
	(4, '{"1": {"position": 1}, "2": {"position": 1}}'),
	(4, '{"1": {"realm": 1}, "2": {"granted": 7}}');
SELECT no, attempt('on', parent, ids) AS outcome,
	attempt('off', parent + CASE parent WHEN 4 THEN 1 ELSE 0 END, ids)
		= replace(attempt('on', parent, ids), '(4', '(5') AS same
FROM attempts WHERE no < 7 ORDER BY no;
SELECT attempt('on', 4, ids) AS bulk, attempt('off', 5, ids) AS ordinary
FROM attempts WHERE no = 7;
SELECT user_id, role_id, realm, granted FROM user_roles WHERE user_id > 3 ORDER BY 1, 2;
DELETE FROM user_roles WHERE user_id > 3;

-- two statements, for ids with attributes of different shapes: the error is that
-- of the first statement's foreign key, not the next statement's own
CREATE TABLE ratios (
	user_id bigint REFERENCES users, role_id int REFERENCES roles,
	part int CHECK (10 / part > 0), note text, PRIMARY KEY (user_id, role_id));
SELECT create_relation('ratios', belongs_to_many('users', 'roles', 'ratios'));
SET belongs_to_many.bulk_path = off;
SELECT attach('ratios', 1, '{"1": {}, "9999": {}, "2": {"part": 0}, "3": {"part": 1}}');
SET belongs_to_many.bulk_path = on;
SELECT attach('ratios', 1, '{"1": {}, "9999": {}, "2": {"part": 0}, "3": {"part": 1}}');

-- the default of a domain, which is not a default of the column
CREATE DOMAIN grade AS int DEFAULT 9999;
CREATE TABLE graded (
	user_id bigint REFERENCES users, role_id int REFERENCES roles,
	grade grade REFERENCES roles, PRIMARY KEY (user_id, role_id));
SELECT create_relation('graded', belongs_to_many('users', 'roles', 'graded', 'user_id', 'role_id'));
SET belongs_to_many.bulk_path = auto;
SELECT attach('graded', 1, '{1,2,3,4}');
ALTER DOMAIN grade DROP DEFAULT;
DISCARD PLANS;	-- kept plans do not see that the default of a domain changes
SELECT attach('graded', 1, '{1,2,3,4}');
ALTER DOMAIN grade SET DEFAULT 9999;
DISCARD PLANS;
SELECT attach('graded', 2, '{1,2,3,4}');
SET belongs_to_many.bulk_path = on;
SELECT attach('graded', 2, '{1,2,3,4}', '{"grade": 5}');
TABLE graded ORDER BY 1, 2;

-- a referenced table that is neither side of the relation changes its name
CREATE TABLE owners (id int PRIMARY KEY);
INSERT INTO owners VALUES (1), (2);
CREATE TABLE owned (
	user_id bigint REFERENCES users, role_id int REFERENCES roles,
	owner_id int REFERENCES owners, PRIMARY KEY (user_id, role_id));
SELECT create_relation('owned', belongs_to_many('users', 'roles', 'owned'));
SELECT attach('owned', 1, '{1,2}', '{"owner_id": 1}');
ALTER TABLE owners RENAME id TO number;
SELECT attach('owned', 1, '{3,4}', '{"owner_id": 1}');
ALTER TABLE owners RENAME TO proprietors;
CREATE TABLE owners (number int);
SELECT attach('owned', 1, '{5,6}', '{"owner_id": 2}');
SELECT attach('owned', 1, '{7,8}', '{"owner_id": 3}');
SELECT * FROM owned ORDER BY 1, 2;

-- values are looked at before a pair is found to be there already
SELECT attach('ratios', 2, ARRAY(SELECT generate_series(1, 300)), '{"part": 1}');
SELECT attach('ratios', 2, ARRAY(SELECT generate_series(1, 290)), '{"part": 0}');
SELECT attach('ratios', 2, ARRAY(SELECT generate_series(1, 290)), '{"part": 2}');
SELECT attach('owned', 2, ARRAY(SELECT generate_series(1, 300)), '{"owner_id": 2}');
ALTER TABLE owned ALTER owner_id SET NOT NULL;
SELECT attach('owned', 2, ARRAY(SELECT generate_series(1, 290)));
SELECT attach('owned', 2, jsonb_object_agg(i, jsonb_build_object('owner_id', nullif(i, 280))))
FROM generate_series(1, 290) i;
SELECT attach('owned', 2, ARRAY(SELECT generate_series(1, 290)), '{"owner_id": 2}');

-- savepoints; the same transaction sees what it has inserted
BEGIN;
SELECT attach('user_roles', 6, '{1,2}');
SAVEPOINT s;
SELECT attach('user_roles', 6, '{2,3,4}');
ROLLBACK TO s;
SELECT attach('user_roles', 6, '{2,5}');
SELECT related_ids('user_roles', 6);
COMMIT;
SELECT related_ids('user_roles', 6);

-- rows that the check references are locked as the trigger locks them
CREATE EXTENSION IF NOT EXISTS pgrowlocks SCHEMA m2m;
BEGIN;
SELECT attach('user_roles', 7, '{1,2,3}');
SELECT count(*), min(modes::text) FROM pgrowlocks('bulk.roles');
SELECT count(*), min(modes::text) FROM pgrowlocks('bulk.users');
ROLLBACK;

-- references inside of the batch
CREATE TABLE links (
	parent_id int, child_id int, via_parent int, via_child int,
	PRIMARY KEY (parent_id, child_id),
	FOREIGN KEY (via_parent, via_child) REFERENCES links);
SELECT create_relation('links', belongs_to_many('roles', 'roles', 'links', 'parent_id', 'child_id', 'id', 'id'));
SELECT attach('links', 1, '{"2": {"via_parent": 1, "via_child": 3}, "3": {"via_parent": 1, "via_child": 2}}');
SELECT attach('links', 2, '{"2": {"via_parent": 2, "via_child": 3}, "4": {"via_parent": 2, "via_child": 5}}');
TABLE links ORDER BY 1, 2;

-- references between rows of different statements: what the first one inserts
-- is checked before the next one, so they are left to the ordinary way
SELECT attach('links', 3, '{"2": {}, "3": {"via_parent": 3, "via_child": 2}}');
SET belongs_to_many.bulk_path = auto;
SELECT attach('links', 3, '{"1": {"via_parent": 3, "via_child": 4}, "2": {"via_parent": null}, "4": {"via_parent": null}, "5": {"via_parent": null}}');
SELECT attach('links', 3, '{"1": {"via_parent": null}, "2": {"via_parent": 3, "via_child": 1}, "3": {"via_parent": null}, "4": {"via_parent": null}}');
SELECT * FROM links WHERE parent_id = 3 ORDER BY 1, 2;
SET belongs_to_many.bulk_path = on;

-- referenced tables that are partitioned, or have children
CREATE TABLE tags (id int PRIMARY KEY) PARTITION BY LIST (id);
CREATE TABLE tags_1 PARTITION OF tags FOR VALUES IN (1, 2);
CREATE TABLE tags_2 PARTITION OF tags FOR VALUES IN (3, 4);
INSERT INTO tags VALUES (1), (3);
CREATE TABLE old_roles () INHERITS (roles);
INSERT INTO old_roles VALUES (5000);
CREATE TABLE role_tags (
	role_id int REFERENCES roles, tag_id int REFERENCES tags,
	PRIMARY KEY (role_id, tag_id));
SELECT create_relation('role_tags', belongs_to_many('roles', 'tags'));
SELECT attach('role_tags', 1, '{1,3}');
SELECT attach('role_tags', 2, '{1,3,4}');
SELECT attach('role_tags', 5000, '{1,3}');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT attach('role_tags', 3, '{1,3}');
ROLLBACK;
TABLE role_tags ORDER BY 1, 2;

-- keys of other types than what they reference, under a collation that has equals
CREATE COLLATION IF NOT EXISTS m2m.insensitive (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE colors (name text COLLATE m2m.insensitive PRIMARY KEY);
INSERT INTO colors VALUES ('Red'), ('green');
CREATE TABLE user_colors (
	user_id int REFERENCES users,
	color varchar(20) COLLATE m2m.insensitive REFERENCES colors,
	PRIMARY KEY (user_id, color));
SELECT create_relation('user_colors', belongs_to_many('users', 'colors'));
SELECT attach('user_colors', 1, ARRAY['red', 'RED', 'green']);
SELECT attach('user_colors', 2, ARRAY['red', 'blue']);
SELECT * FROM user_colors ORDER BY user_id, color COLLATE "C";

-- polymorphic: what is in the way of an id depends on its attributes
CREATE TABLE taggings (
	kind text, user_id bigint REFERENCES users, role_id int REFERENCES roles,
	PRIMARY KEY (kind, user_id, role_id));
SELECT create_relation('taggings', morph(belongs_to_many('users', 'roles', 'taggings', 'user_id', 'role_id'), 'kind', 'a'));
SELECT attach('taggings', 1, ARRAY(SELECT generate_series(1, 300)));
SELECT attach('taggings', 1, 11, '{"kind": "b"}');
SELECT attach('taggings', 1, ARRAY(SELECT generate_series(11, 290)), '{"kind": "b"}');
SET belongs_to_many.bulk_path = off;
SELECT attach('taggings', 1, ARRAY(SELECT generate_series(1, 290)), '{"kind": "b"}');
SELECT kind, count(*) FROM taggings GROUP BY kind ORDER BY kind;
SET belongs_to_many.bulk_path = on;

-- run by somebody who may not read what is referenced
CREATE ROLE regress_bulk_user;
GRANT USAGE ON SCHEMA bulk, m2m TO regress_bulk_user;
GRANT SELECT, INSERT, DELETE ON user_roles TO regress_bulk_user;
SET ROLE regress_bulk_user;
SELECT attach('user_roles', 8, '{1,2,3}');
SELECT attach('user_roles', 8, '{4,9999}');
SELECT attach('user_roles', 8, '{"5": {"status": "x"}, "6": {}}');
SELECT attach('owned', 2, ARRAY(SELECT generate_series(1, 290)), '{"owner_id": 2}');
RESET ROLE;
GRANT SELECT (user_id, role_id), INSERT (user_id, role_id) ON owned TO regress_bulk_user;
SET ROLE regress_bulk_user;
SELECT attach('owned', 2, ARRAY(SELECT generate_series(1, 290)), '{"owner_id": 2}');
RESET ROLE;

-- where it is not taken
CREATE FUNCTION obstacle(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	EXECUTE change;
	PERFORM m2m.attach('bulk.user_roles', 9, '{1,2}');
	RETURN 'none';
EXCEPTION WHEN feature_not_supported THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	-- the change is rolled back with the block
	RETURN detail;
END $$;
CREATE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION is_fine(text) RETURNS boolean LANGUAGE sql VOLATILE AS 'SELECT true';
CREATE DOMAIN short AS text CHECK (length(VALUE) < 9);
SELECT obstacle($$ SELECT $$);
SELECT obstacle($$ CREATE TRIGGER t BEFORE INSERT ON user_roles FOR EACH ROW EXECUTE FUNCTION noop() $$);
SELECT obstacle($$ CREATE TRIGGER t AFTER INSERT ON user_roles REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION noop() $$);
SELECT obstacle($$ CREATE RULE r AS ON INSERT TO user_roles DO ALSO SELECT 1 $$);
SELECT obstacle($$ ALTER TABLE user_roles ADD at timestamptz DEFAULT clock_timestamp() $$);
SELECT obstacle($$ ALTER TABLE user_roles ADD id serial $$);
SELECT obstacle($$ ALTER TABLE user_roles ADD at timestamptz DEFAULT now() $$);
SELECT obstacle($$ ALTER TABLE user_roles ADD CHECK (is_fine(status)) $$);
SELECT obstacle($$ ALTER TABLE user_roles ADD nick short $$);
SELECT obstacle($$ ALTER TABLE user_roles ALTER realm SET DEFAULT 1 $$);
SELECT obstacle($$ ALTER TABLE user_roles ADD UNIQUE (position) DEFERRABLE $$);
SELECT obstacle($$ ALTER TABLE user_roles ALTER CONSTRAINT user_roles_role_id_fkey DEFERRABLE $$);
SELECT obstacle($$ ALTER TABLE user_roles DISABLE TRIGGER ALL $$);
SELECT obstacle($$ ALTER TABLE user_roles ADD FOREIGN KEY (realm, granted) REFERENCES grants MATCH FULL $$);
SELECT obstacle($$ SET LOCAL session_replication_role = replica $$);
SELECT obstacle($$ ALTER TABLE user_roles ENABLE ROW LEVEL SECURITY; ALTER TABLE user_roles FORCE ROW LEVEL SECURITY;
	SET LOCAL ROLE regress_bulk_user $$);
DROP FUNCTION is_fine(text);
SELECT attach('user_roles', 1, 1, on_conflict => 'update');

-- a transaction of many calls does not pile up subtransactions: few ids need none
SET belongs_to_many.bulk_path = auto;
CREATE TABLE many (user_id bigint REFERENCES users, role_id int REFERENCES roles, PRIMARY KEY (user_id, role_id));
SELECT create_relation('many', belongs_to_many('users', 'roles', 'many'));
BEGIN;
DO $$ BEGIN
	FOR i IN 1..150 LOOP
		PERFORM attach('many', 1 + i % 20, ARRAY(SELECT i * 5 + j FROM generate_series(1, 5) AS j));
	END LOOP;
END $$;
SELECT count(*) AS pairs, count(DISTINCT xmin::text) AS transactions FROM many;
DO $$ BEGIN
	FOR i IN 20..59 LOOP
		PERFORM attach('many', 1 + i % 20, ARRAY(SELECT 500 + i / 20 * 300 + j FROM generate_series(1, 300) AS j));
	END LOOP;
END $$;
SELECT count(*) AS pairs, count(DISTINCT xmin::text) AS transactions FROM many;
SELECT attach('many', 1, ARRAY(SELECT generate_series(1, 1500)));
SELECT count(DISTINCT xmin::text) AS transactions FROM many;
COMMIT;
SELECT attach('many', 2, ARRAY(SELECT generate_series(1501, 1900)));
SELECT count(DISTINCT xmin::text) AS transactions FROM many;

-- auto tells those who ask, and does without where it must
SET belongs_to_many.bulk_path = auto;
SET client_min_messages = debug1;
SELECT attach('user_roles', 15, 1), attach('user_roles', 15, '{1,2,3}'), attach('user_roles', 15, ARRAY(SELECT generate_series(1, 300)));
SELECT attach('user_roles', 15, 1), attach('user_roles', 15, 1, '{"status": "x"}', 'update');
SET client_min_messages = warning;
CREATE TRIGGER t BEFORE INSERT ON user_roles FOR EACH ROW EXECUTE FUNCTION noop();
SELECT attach('user_roles', 10, ARRAY(SELECT generate_series(1, 300)));
DROP TRIGGER t ON user_roles;

-- the first call of a session, whose statements are planned among all else
\c -
SELECT jsonb_array_length(attached), detached, updated
FROM m2m.sync('bulk.user_roles', 10, ARRAY(SELECT generate_series(6, 310)));

SET client_min_messages = warning;
DROP SCHEMA bulk CASCADE;
DROP OWNED BY regress_bulk_user;
DROP ROLE regress_bulk_user;
