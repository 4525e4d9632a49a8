--
-- Saved relations: create_relation(), drop_relation(), the view of them, and
-- how they are found, follow their tables, and vanish with them
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA saved;
SET search_path = saved, m2m;
\pset format unaligned
\pset tuples_only on

CREATE TABLE users (id int PRIMARY KEY, name text);
CREATE TABLE roles (id int PRIMARY KEY, name text, rank int);
CREATE TABLE user_roles (
	user_id int REFERENCES users, role_id int REFERENCES roles, level int, PRIMARY KEY (user_id, role_id));
INSERT INTO users VALUES (1, 'Ada'), (2, 'Bob');
INSERT INTO roles SELECT i, 'role ' || i, i FROM generate_series(1, 4) AS i;
INSERT INTO user_roles VALUES (1, 1, 1), (1, 2, 2), (1, 3, 3), (2, 4, 4);
-- what the store has of this test's schemas, absent rows included
CREATE VIEW stored AS SELECT name FROM belongs_to_many_store WHERE relation::text ~ '"saved';
CREATE VIEW present AS SELECT * FROM belongs_to_many_relations WHERE schema ~ '^saved' OR schema ~ '^pg_temp';
GRANT SELECT ON stored, present TO PUBLIC;

-- ---- create, replace, drop

SELECT create_relation('user_roles', belongs_to_many('users', 'roles'));
SELECT * FROM present;
SELECT schema, name, parent, related, pivot_table,
	pg_typeof(schema), pg_typeof(name), pg_typeof(parent), pg_typeof(related), pg_typeof(pivot_table), pg_typeof(relation)
FROM present;
SELECT create_relation('user_roles', belongs_to_many('users', 'roles'));
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation('saved.User_Roles', belongs_to_many('users', 'roles'), replace => false);
SELECT create_relation('user_roles', where_pivot(belongs_to_many('users', 'roles'), 'level', '>', 1), replace => true);
SELECT related_ids('user_roles', 1);
-- replace makes it where there is none
SELECT create_relation(name => 'others', relation => belongs_to_many('users', 'roles'), replace => true);
-- what is saved may be what is replaced
SELECT create_relation('user_roles', where_pivot('user_roles', 'level', '<', 3), true);
SELECT related_ids('user_roles', 1);
SELECT name, relation FROM present ORDER BY name;
SELECT drop_relation('others');
SELECT drop_relation('others');
\echo :LAST_ERROR_SQLSTATE
SET client_min_messages = notice;
SELECT drop_relation('others', true);
SELECT drop_relation(name => 'saved.others', if_exists => true);
SELECT drop_relation('saved_nowhere.others', true);
SET client_min_messages = warning;
SELECT drop_relation('user_roles', if_exists => true);
SELECT count(*) FROM present;
SELECT count(*) FROM stored;

-- names are identifiers, folded and quoted as those of tables
SELECT create_relation(' Folded ', belongs_to_many('users', 'roles'));
SELECT create_relation('"Quoted Name"', belongs_to_many('users', 'roles'));
SELECT create_relation('"quoted name"', belongs_to_many('users', 'roles'));
SELECT create_relation('n23456789_123456789_123456789_123456789_123456789_123456789_123_too_long', belongs_to_many('users', 'roles'));
SELECT name FROM present ORDER BY name COLLATE "C";
SELECT count_related('FOLDED', 1), count_related('"Quoted Name"', 1), count_related('saved."quoted name"', 1),
	count_related('n23456789_123456789_123456789_123456789_123456789_123456789_123_and_so_on', 1);
SELECT count_related('"Folded"', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT count_related('quoted name', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT count(drop_relation(quote_ident(name))) FROM present;

SELECT create_relation('', belongs_to_many('users', 'roles'));
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation('{}', belongs_to_many('users', 'roles'));
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation(' ["x"]', belongs_to_many('users', 'roles'));
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation('""', belongs_to_many('users', 'roles'));
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation('a b', belongs_to_many('users', 'roles'));
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation('db.saved.x', belongs_to_many('users', 'roles'));
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation('m2m.x', belongs_to_many('users', 'roles'));
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation('saved_nowhere.x', belongs_to_many('users', 'roles'));
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation(NULL, belongs_to_many('users', 'roles'));
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation('x', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation('x', belongs_to_many('users', 'roles'), NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT drop_relation(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT drop_relation('x', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT drop_relation('');
\echo :LAST_ERROR_SQLSTATE
SELECT drop_relation('{"relation": "x"}');
\echo :LAST_ERROR_SQLSTATE
-- what is saved must hold
SELECT create_relation('x', 'nothing');
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation('x', '{"parent": "users", "related": "rolls"}');
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation('x', '{"parent": "users", "related": "roles", "with_pivot": ["levels"]}');
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation('x', '{"parent": "users", "related": "roles", "where": [{"column": "level", "value": "x"}]}');
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation('x', '{"parent": "users", "related": "roles", "where": [{"column": "level", "operator": "@>", "value": "1"}]}');
\echo :LAST_ERROR_SQLSTATE
BEGIN READ ONLY;
SELECT create_relation('x', belongs_to_many('users', 'roles'));
ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
BEGIN READ ONLY;
SELECT drop_relation('x');
ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM stored;

-- ---- the definition is saved, not a reference

SELECT create_relation('a', where_pivot(belongs_to_many('users', 'roles'), 'level', '<', 3));
SELECT create_relation('b', with_pivot(inverse('a'), 'level'));
SELECT create_relation('c', 'a');
SELECT name, relation FROM present ORDER BY name;
SELECT create_relation('a', belongs_to_many('users', 'roles'), true);
SELECT related_ids('a', 1), related_ids('b', 3), related_ids('c', 1);
SELECT create_relation('a', 'b', true);
SELECT create_relation('b', 'a', true);
SELECT related_ids('a', 2), related_ids('b', 2);
SELECT drop_relation(name) FROM (VALUES ('a'), ('b'), ('c')) AS v(name);

-- ---- a transaction sees its own, and takes it back

BEGIN;
SELECT create_relation('r', belongs_to_many('users', 'roles'));
SELECT related_ids('r', 1);
SAVEPOINT s;
SELECT create_relation('r', where_pivot('r', 'level', 1), true);
SELECT related_ids('r', 1);
ROLLBACK TO s;
SELECT related_ids('r', 1);
SAVEPOINT s;
SELECT drop_relation('r');
SELECT create_relation('r', where_pivot(belongs_to_many('users', 'roles'), 'level', 2));
SELECT related_ids('r', 1);
ROLLBACK TO s;
SELECT related_ids('r', 1);
ROLLBACK;
SELECT related_ids('r', 1);
\echo :LAST_ERROR_SQLSTATE

-- ---- a redefinition is effective at once, wherever the name is used

SELECT create_relation('r', belongs_to_many('users', 'roles'));
PREPARE by_literal AS SELECT related_ids('r', 1);
PREPARE by_text AS SELECT related_ids($1::text, 1);
PREPARE by_parameter (belongs_to_many) AS SELECT related_ids($1, 1);
PREPARE with_filter AS SELECT related_ids(where_pivot('r', 'level', '>', 1), 1);
PREPARE unborn AS SELECT related_ids('later', 1);
CREATE FUNCTION in_sql() RETURNS jsonb LANGUAGE sql RETURN related_ids('r', 1);
CREATE FUNCTION in_plpgsql() RETURNS jsonb LANGUAGE plpgsql AS
	$$ DECLARE v text := 'r'; BEGIN RETURN related_ids('r', 1) || related_ids(v, 1); END $$;
CREATE VIEW in_view AS SELECT related_ids('r', 1);
CREATE TABLE in_table (r belongs_to_many DEFAULT 'r', s belongs_to_many DEFAULT where_pivot('r', 'level', '>', 1));
INSERT INTO in_table DEFAULT VALUES;
CREATE FUNCTION everywhere() RETURNS text LANGUAGE plpgsql AS
	$$ BEGIN RETURN concat_ws(' ', in_sql(), in_plpgsql(), (TABLE in_view), (SELECT related_ids(r, 1) FROM in_table),
		(SELECT related_ids(s, 1) FROM in_table)); END $$;
SELECT everywhere();
EXECUTE by_literal;
EXECUTE by_text('r');
EXECUTE by_parameter('r');
EXECUTE with_filter;
SET plan_cache_mode = force_generic_plan;
SELECT create_relation('r', where_pivot(belongs_to_many('users', 'roles'), 'level', '<', 3), true);
SELECT everywhere();
EXECUTE by_literal;
EXECUTE by_text('r');
EXECUTE by_parameter('r');
EXECUTE with_filter;
-- in one transaction, whatever its snapshot; as a statement runs, too
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT everywhere();
SELECT create_relation('r', where_pivot(belongs_to_many('users', 'roles'), 'level', 3), true);
SELECT everywhere();
EXECUTE by_literal;
COMMIT;
DO $$
BEGIN
	FOR i IN 1..3 LOOP
		PERFORM create_relation('r', where_pivot(belongs_to_many('users', 'roles'), 'level', i), true);
		RAISE WARNING '%', related_ids('r', 1);
	END LOOP;
END
$$;
-- dropped it is an error, made anew it is found by its name
SELECT drop_relation('r');
EXECUTE by_literal;
\echo :LAST_ERROR_SQLSTATE
SELECT r, s FROM in_table;
SELECT create_relation('r', belongs_to_many('users', 'roles'));
SELECT everywhere();
EXECUTE by_literal;
EXECUTE with_filter;
-- what was prepared before there was one
EXECUTE unborn;
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation('later', 'r');
EXECUTE unborn;
SELECT drop_relation('later');
RESET plan_cache_mode;
-- the other things that come with a definition
SELECT create_relation('r', pivot_as(take(order_by(with_pivot(belongs_to_many('users', 'roles'), 'level'), 'rank', 'desc'), 2), 'p'), true);
SELECT get_results('r', 1);
SELECT get_results(take('r', 1, 1), 1);
SELECT DISTINCT attach('r', 1, 4) FROM in_table;
SELECT get_results(take('r', 1), 1);
SELECT detach('r', 1, 4);
DEALLOCATE ALL;

-- ---- a schema for each tenant

CREATE SCHEMA saved_a;
CREATE SCHEMA saved_b;
CREATE TABLE saved_a.user_roles (user_id int REFERENCES users, role_id int REFERENCES roles, PRIMARY KEY (user_id, role_id));
CREATE TABLE saved_b.user_roles (LIKE saved_a.user_roles INCLUDING ALL);
SELECT create_relation('tenant_roles', belongs_to_many('users', 'roles', 'saved_a.user_roles'));
SELECT create_relation('saved_b.tenant_roles', belongs_to_many('users', 'roles', 'saved_b.user_roles', 'user_id', 'role_id'));
SELECT schema, name, pivot_table FROM present WHERE name = 'tenant_roles' ORDER BY schema;
SELECT attach('saved_a.tenant_roles', 1, '{1}'), attach('saved_b.tenant_roles', 1, '{2,3}');
-- not in search_path
SELECT related_ids('tenant_roles', 1);
\echo :LAST_ERROR_SQLSTATE
PREPARE tenant_roles AS SELECT related_ids('tenant_roles', 1);
CREATE FUNCTION tenant_roles() RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RETURN related_ids('tenant_roles', 1); END $$;
SET search_path = saved, saved_a, m2m;
EXECUTE tenant_roles;
SELECT tenant_roles(), related_ids('tenant_roles', 1), 'tenant_roles'::belongs_to_many;
SET search_path = saved_b, saved, saved_a, m2m;
EXECUTE tenant_roles;
SELECT tenant_roles(), related_ids('tenant_roles', 1), 'tenant_roles'::belongs_to_many;
-- a value that was bound stays with its tenant
CREATE TEMP TABLE bound AS SELECT 'tenant_roles'::belongs_to_many AS r;
SET search_path = saved, saved_a, m2m;
SELECT r, related_ids(r, 1) FROM bound;
EXECUTE tenant_roles;
-- the first schema that has one
SELECT drop_relation('tenant_roles');
SELECT schema FROM present WHERE name = 'tenant_roles';
SET search_path = saved_a, saved_b, saved, m2m;
SELECT related_ids('tenant_roles', 1);
-- that of temporary tables comes first, as for tables
CREATE TEMP TABLE user_roles (user_id int, role_id int, PRIMARY KEY (user_id, role_id));
SELECT create_relation('tenant_roles', belongs_to_many('users', 'roles', 'pg_temp.user_roles', 'user_id', 'role_id'));
SELECT attach('tenant_roles', 1, '{4}');
TABLE pg_temp.user_roles;
SELECT related_ids('pg_temp.tenant_roles', 1), related_ids('saved_b.tenant_roles', 1);
SELECT count(*) FROM present WHERE schema ~ '^pg_temp' AND NOT relation::bool;
DROP TABLE pg_temp.user_roles;
SELECT related_ids('tenant_roles', 1);
SET search_path = saved, m2m;
DEALLOCATE ALL;

-- ---- names that are close

SELECT create_relation('team_members', 'r');
SELECT related_ids('taem_members', 1);
SELECT related_ids('saved.team_member', 1);
SELECT related_ids('Team_Members_', 1);
SELECT related_ids('"Team_members"', 1);
SELECT drop_relation('team_member');
-- the same name in a schema that was not meant
SELECT related_ids('saved_b.team_members', 1);
SELECT related_ids('tenant_roles', 1);
-- nothing is near
SELECT related_ids('completely_different', 1);
SELECT related_ids('saved_nowhere.completely_different', 1);
SELECT drop_relation('team_members');

-- ---- tables that move and are renamed are followed

CREATE TABLE kept AS SELECT 'r'::belongs_to_many AS r, where_pivot('r', 'level', '>', 1) AS s;
DROP TABLE saved_a.user_roles;
ALTER TABLE user_roles SET SCHEMA saved_a;
SELECT related_ids('saved_a.r', 1);
SELECT related_ids('r', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT r, related_ids(r, 1), s, related_ids(s, 1) FROM kept;
ALTER SCHEMA saved_a RENAME TO "saved C";
ALTER TABLE "saved C".user_roles RENAME TO memberships;
ALTER TABLE "saved C".memberships RENAME COLUMN level TO "Level";
ALTER TABLE "saved C".memberships RENAME COLUMN user_id TO member;
ALTER TABLE users RENAME TO people;
ALTER TABLE people RENAME COLUMN id TO person_id;
SELECT r, related_ids(r, 1), s, related_ids(s, 1) FROM kept;
SELECT related_ids('"saved C".r', 1);
SELECT * FROM present WHERE name = 'r';
-- who is put in its place is not taken for it
CREATE SCHEMA saved_a;
CREATE TABLE saved_a.user_roles (user_id int, role_id int);
SELECT related_ids('saved_a.r', 1);
DROP SCHEMA saved_a CASCADE;
ALTER TABLE people RENAME COLUMN person_id TO id;
ALTER TABLE people RENAME TO users;
ALTER TABLE "saved C".memberships RENAME COLUMN member TO user_id;
ALTER TABLE "saved C".memberships RENAME COLUMN "Level" TO level;
ALTER TABLE "saved C".memberships RENAME TO user_roles;
ALTER SCHEMA "saved C" RENAME TO saved_a;

-- two of one name in one schema: nobody picks one
CREATE TABLE saved_b.other_roles (user_id int, role_id int, PRIMARY KEY (user_id, role_id));
SELECT create_relation('r', belongs_to_many('users', 'roles', 'saved_b.other_roles', 'user_id', 'role_id'));
SELECT attach('saved_b.r', 2, 2);
ALTER TABLE saved_b.other_roles SET SCHEMA saved_a;
SELECT related_ids('saved_a.r', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT drop_relation('saved_a.r');
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation('r', belongs_to_many('users', 'roles', 'saved_a.other_roles', 'user_id', 'role_id'), true);
\echo :LAST_ERROR_SQLSTATE
SELECT schema, name, pivot_table FROM present WHERE name = 'r' ORDER BY pivot_table::text;
-- values that were bound before, and other names, go on
SELECT r, related_ids(r, 1) FROM kept;
ALTER TABLE saved_a.other_roles SET SCHEMA saved;
SELECT related_ids('saved_a.r', 1), related_ids('r', 2);
SELECT r, related_ids(r, 1) FROM kept;
DROP TABLE other_roles;
ALTER TABLE saved_a.user_roles SET SCHEMA saved;
SELECT related_ids('r', 1);

-- ---- tables that are dropped make it absent

SELECT create_relation('gone', belongs_to_many('users', 'roles'));
BEGIN;
DROP TABLE user_roles;
SELECT name FROM present ORDER BY name;
SELECT related_ids('gone', 1);
ROLLBACK;
SELECT name FROM present ORDER BY name;
SELECT related_ids('gone', 1);
-- the pivot
CREATE TABLE pivot2 AS TABLE user_roles;
SELECT create_relation('gone2', belongs_to_many('users', 'roles', 'pivot2', 'user_id', 'role_id'));
DROP TABLE pivot2;
SELECT related_ids('gone2', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT drop_relation('gone2');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM present WHERE name = 'gone2';
SELECT count(*) FROM stored WHERE name = 'gone2';
-- it does not come back with another table of the name
CREATE TABLE pivot2 AS TABLE user_roles;
SELECT related_ids('gone2', 1);
\echo :LAST_ERROR_SQLSTATE
-- the next create or drop sweeps
SELECT create_relation('swept', belongs_to_many('users', 'roles'));
SELECT name FROM stored ORDER BY name;
-- the related table, the parent
CREATE TABLE users2 (id int PRIMARY KEY);
CREATE TABLE roles2 (id int PRIMARY KEY);
SELECT create_relation('gone3', belongs_to_many('users2', 'roles', 'pivot2', 'user_id', 'role_id'));
SELECT create_relation('gone4', belongs_to_many('users', 'roles2', 'pivot2', 'user_id', 'role_id'));
DROP TABLE roles2;
SELECT related_ids('gone4', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT related_ids('gone3', 1);
DROP TABLE users2;
SELECT related_ids('gone3', 1);
\echo :LAST_ERROR_SQLSTATE
-- its name is free
SELECT create_relation('gone3', belongs_to_many('users', 'roles', 'pivot2', 'user_id', 'role_id'));
SELECT related_ids('gone3', 1);
SELECT name FROM stored ORDER BY name;
SELECT drop_relation('no_such', true);
-- a schema and all that is in it
DROP SCHEMA saved_b CASCADE;
SELECT related_ids('saved_b.tenant_roles', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT drop_relation('swept');
SELECT name FROM stored ORDER BY name;
-- a column that is dropped does not make it absent; use says what lacks
ALTER TABLE pivot2 DROP COLUMN role_id;
SELECT related_ids('gone3', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT name, relation FROM present WHERE name = 'gone3';
SELECT create_relation('gone3', 'gone3', true);
\echo :LAST_ERROR_SQLSTATE
SELECT drop_relation('gone3');
DROP TABLE pivot2;

-- ---- who may do what

CREATE ROLE regress_btm_owner;
CREATE ROLE regress_btm_group;
CREATE ROLE regress_btm_member IN ROLE regress_btm_group;
CREATE ROLE regress_btm_other;
GRANT USAGE ON SCHEMA m2m, saved TO regress_btm_owner, regress_btm_group, regress_btm_other;
CREATE SCHEMA saved_d;
GRANT USAGE, CREATE ON SCHEMA saved_d TO regress_btm_owner, regress_btm_group, regress_btm_other;
GRANT REFERENCES ON users, roles TO PUBLIC;
SET ROLE regress_btm_owner;
CREATE TABLE saved_d.user_roles (user_id int REFERENCES users, role_id int REFERENCES roles, PRIMARY KEY (user_id, role_id));
SELECT create_relation('d', belongs_to_many('users', 'roles', 'saved_d.user_roles'));
SELECT attach('saved_d.d', 1, 1);
-- one needs the pivot table
SET ROLE regress_btm_other;
SELECT create_relation('e', belongs_to_many('users', 'roles', 'saved_d.user_roles'));
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation('d', belongs_to_many('users', 'roles', 'saved_d.user_roles'), true);
\echo :LAST_ERROR_SQLSTATE
SELECT drop_relation('saved_d.d');
\echo :LAST_ERROR_SQLSTATE
-- a table of one's own does not help to take the name of another's
CREATE TABLE saved_d.my_roles (user_id int REFERENCES users, role_id int REFERENCES roles, PRIMARY KEY (user_id, role_id));
SELECT create_relation('d', belongs_to_many('users', 'roles', 'saved_d.my_roles'));
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation('d', belongs_to_many('users', 'roles', 'saved_d.my_roles'), true);
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation('mine', belongs_to_many('users', 'roles', 'saved_d.my_roles'));
-- anybody uses one, with his own rights on the tables
SELECT 'saved_d.d'::belongs_to_many, get_related_table('saved_d.d');
SELECT related_ids('saved_d.d', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT schema, name FROM present ORDER BY 1, 2;
SET ROLE regress_btm_owner;
GRANT SELECT ON saved_d.user_roles TO regress_btm_other;
SET ROLE regress_btm_other;
SELECT related_ids('saved_d.d', 1);
SELECT attach('saved_d.d', 1, 2);
\echo :LAST_ERROR_SQLSTATE
-- and CREATE on the schema
RESET ROLE;
REVOKE CREATE ON SCHEMA saved_d FROM regress_btm_owner;
SET ROLE regress_btm_owner;
SELECT create_relation('e', belongs_to_many('users', 'roles', 'saved_d.user_roles'));
\echo :LAST_ERROR_SQLSTATE
SELECT create_relation('d', belongs_to_many('users', 'roles', 'saved_d.user_roles'), true);
\echo :LAST_ERROR_SQLSTATE
SELECT drop_relation('saved_d.d');
\echo :LAST_ERROR_SQLSTATE
-- members own what their role owns; ownership may change
RESET ROLE;
ALTER TABLE saved_d.user_roles OWNER TO regress_btm_group;
GRANT CREATE ON SCHEMA saved_d TO regress_btm_owner;
SET ROLE regress_btm_owner;
SELECT drop_relation('saved_d.d');
\echo :LAST_ERROR_SQLSTATE
SET ROLE regress_btm_member;
SELECT create_relation('d', inverse('saved_d.d'), true);
SELECT drop_relation('saved_d.d');
SELECT create_relation('saved_d.d', belongs_to_many('users', 'roles', 'saved_d.user_roles'));
-- the store itself is nobody's
INSERT INTO belongs_to_many_store VALUES (1, 'x', 'x');
\echo :LAST_ERROR_SQLSTATE
DELETE FROM belongs_to_many_store;
\echo :LAST_ERROR_SQLSTATE
-- a superuser may
RESET ROLE;
SELECT drop_relation('saved_d.d');
SELECT drop_relation('saved_d.mine');

-- ---- the store changed by other means, as a restore does

INSERT INTO belongs_to_many_store VALUES (10, 'by_hand', belongs_to_many('users', 'roles', 'user_roles'));
SELECT related_ids('by_hand', 1);
UPDATE belongs_to_many_store SET relation = where_pivot(relation, 'level', 2) WHERE id = 10;
SELECT related_ids('by_hand', 1);
UPDATE belongs_to_many_store SET name = 'by_hand2' WHERE id = 10;
SELECT related_ids('by_hand2', 1);
SELECT related_ids('by_hand', 1);
\echo :LAST_ERROR_SQLSTATE
BEGIN;
TRUNCATE belongs_to_many_store;
SELECT related_ids('by_hand2', 1);
ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
SELECT related_ids('by_hand2', 1);
DELETE FROM belongs_to_many_store WHERE id = 10;
SELECT related_ids('by_hand2', 1);
\echo :LAST_ERROR_SQLSTATE
-- a reference there counts as absent, and so does half a definition
INSERT INTO belongs_to_many_store VALUES (10, 'chained', 'r'),
	(11, 'half', '{"parent": "saved.users", "related": "saved.nothing"}');
SELECT related_ids('chained', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT related_ids('half', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM present WHERE name IN ('chained', 'half');
SELECT create_relation('chained', 'r'), create_relation('half', 'r');
SELECT drop_relation('chained'), drop_relation('half');
DELETE FROM belongs_to_many_store WHERE id IN (10, 11);
-- rows that are restored before their tables know names only
CREATE SCHEMA saved_e;
INSERT INTO belongs_to_many_store VALUES (10, 'r', '{"parent": "saved.users", "related": "saved.roles",
	"pivot_table": "saved_e.pivot", "foreign_key": "user_id", "related_key": "role_id", "parent_key": "id", "related_pivot_key": "id"}');
SELECT relation::bool FROM belongs_to_many_store WHERE id = 10;
SELECT related_ids('saved_e.r', 1);
\echo :LAST_ERROR_SQLSTATE
-- and are no hindrance to those who may not use the schema
SET ROLE regress_btm_other;
SELECT name FROM present ORDER BY name;
SELECT 'r'::belongs_to_many;
SELECT related_ids('rr', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT relation, relation::bool FROM belongs_to_many_store WHERE id = 10;
RESET ROLE;
-- they are kept, and come to life with their tables
SELECT create_relation('another', 'r');
CREATE TABLE saved_e.pivot AS TABLE user_roles;
SELECT related_ids('saved_e.r', 1);
SELECT relation::bool FROM belongs_to_many_store WHERE id = 10;
SELECT name FROM present WHERE schema = 'saved_e';
-- but not beside one that was made in their place
DROP TABLE saved_e.pivot;
SELECT related_ids('saved_e.r', 1);
CREATE TABLE saved_e.pivot2 AS TABLE user_roles;
SELECT create_relation('r', belongs_to_many('users', 'roles', 'saved_e.pivot2', 'user_id', 'role_id'));
CREATE TABLE saved_e.pivot AS TABLE user_roles;
SELECT related_ids('saved_e.r', 1);
SELECT pivot_table FROM present WHERE schema = 'saved_e';

-- ---- what is said of a pivot without a unique index on the pair

SET client_min_messages = notice;
SELECT create_relation('indexed', belongs_to_many('users', 'roles', 'user_roles'));
CREATE TABLE loose ("User" int REFERENCES users, role_id int REFERENCES roles, kind text, n int);
SELECT create_relation('loose', belongs_to_many('users', 'roles', 'loose'));
SELECT create_relation('loose', inverse(belongs_to_many('users', 'roles', 'loose')), true);
-- none of these is one
CREATE INDEX ON loose ("User", role_id);
CREATE UNIQUE INDEX ON loose ("User", role_id, kind);
CREATE UNIQUE INDEX ON loose ("User", role_id) WHERE kind = 'x';
CREATE UNIQUE INDEX ON loose ("User", (role_id + 1));
ALTER TABLE loose ADD UNIQUE ("User", role_id) DEFERRABLE;
SELECT create_relation('loose', belongs_to_many('users', 'roles', 'loose'), true);
ALTER TABLE loose DROP CONSTRAINT "loose_User_role_id_key";
-- one that covers more columns is, in either order
CREATE UNIQUE INDEX loose_unique ON loose (role_id, "User") INCLUDE (kind);
SELECT create_relation('loose', belongs_to_many('users', 'roles', 'loose'), true);
SELECT create_relation('loose', inverse('loose'), true);
DROP INDEX loose_unique;
-- and one with a pivot value's column, where the relation has that
SELECT create_relation('loose', morph(with_pivot_value(belongs_to_many('users', 'roles', 'loose'), 'n', 1), 'kind', 'user'), true);
-- several columns
CREATE TABLE t_users (tenant int, id int, PRIMARY KEY (tenant, id));
CREATE TABLE t_user_users (tenant int, a int, b int);
SELECT create_relation('pairs', belongs_to_many('t_users', 't_users', 't_user_users', ARRAY['tenant', 'a'], ARRAY['tenant', 'b']));
ALTER TABLE t_user_users ADD UNIQUE (b, tenant, a);
SELECT create_relation('pairs', belongs_to_many('t_users', 't_users', 't_user_users', ARRAY['tenant', 'a'], ARRAY['tenant', 'b']), true);
-- nothing is said of foreign tables, nor where nothing is saved
CREATE FOREIGN DATA WRAPPER regress_btm_saved;
CREATE SERVER regress_btm_saved FOREIGN DATA WRAPPER regress_btm_saved;
CREATE FOREIGN TABLE far (user_id int, role_id int) SERVER regress_btm_saved;
SELECT create_relation('far', belongs_to_many('users', 'roles', 'far', 'user_id', 'role_id'));
SELECT create_relation('loose', belongs_to_many('users', 'roles', 'loose'));
SET client_min_messages = warning;

\pset tuples_only off
\pset format aligned
DROP SCHEMA saved, saved_a, saved_d, saved_e CASCADE;
DROP FOREIGN DATA WRAPPER regress_btm_saved CASCADE;
DROP OWNED BY regress_btm_owner, regress_btm_group, regress_btm_other;
DROP ROLE regress_btm_owner, regress_btm_member, regress_btm_group, regress_btm_other;
