--
-- The constructor belongs_to_many(): what it infers, what it refuses, and
-- tables and columns of any name
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA constructor;
SET search_path = constructor, m2m;
\pset format unaligned
\pset tuples_only on

CREATE TABLE users (id bigint PRIMARY KEY, email text UNIQUE, ref uuid UNIQUE);
CREATE TABLE roles (id int PRIMARY KEY, name varchar(20) UNIQUE);
CREATE TABLE user_roles (
	user_id bigint NOT NULL REFERENCES users,
	role_id int NOT NULL REFERENCES roles,
	granted_by bigint,
	PRIMARY KEY (user_id, role_id));

-- ---- all is inferred, or any part of it is given

SELECT belongs_to_many('users', 'roles');
SELECT belongs_to_many('roles', 'users');
SELECT belongs_to_many('users', 'roles', NULL, NULL, NULL, NULL, NULL)::text = belongs_to_many('users', 'roles')::text,
	belongs_to_many('users', 'roles', 'user_roles')::text = belongs_to_many('users', 'roles')::text,
	belongs_to_many('users', 'roles', 'user_roles', 'user_id', 'role_id')::text = belongs_to_many('users', 'roles')::text,
	belongs_to_many('users', 'roles', 'user_roles', 'user_id', 'role_id', 'id', 'id')::text = belongs_to_many('users', 'roles')::text,
	belongs_to_many('users'::regclass, 'roles'::regclass, foreign_key => 'user_id')::text = belongs_to_many('users', 'roles')::text,
	belongs_to_many(related => 'roles', parent => 'users', related_pivot_key => 'id')::text = belongs_to_many('users', 'roles')::text,
	belongs_to_many('users', 'roles', parent_key => 'id')::text = belongs_to_many('users', 'roles')::text,
	belongs_to_many('users', 'roles', related_key => 'role_id')::text = belongs_to_many('users', 'roles')::text,
	belongs_to_many('constructor.users', '"roles"', 'USER_ROLES')::text = belongs_to_many('users', 'roles')::text;
-- what is given need not be what a constraint says
SELECT belongs_to_many('users', 'roles', 'user_roles', 'granted_by');
SELECT belongs_to_many('users', 'roles', 'user_roles', 'granted_by', 'role_id', 'id', 'id');

-- ---- the constraint says which columns the keys hold

CREATE TABLE user_roles_by_name (
	email text REFERENCES users (email),
	role varchar(20) REFERENCES roles (name),
	PRIMARY KEY (email, role));
SELECT belongs_to_many('users', 'roles', 'user_roles_by_name');
-- and parent_key narrows the search
SELECT belongs_to_many('users', 'roles', parent_key => 'email');
SELECT belongs_to_many('users', 'roles', related_pivot_key => 'name');
-- also with constraints that are not valid, deferrable, or there twice
CREATE TABLE odd_constraints (
	user_id bigint REFERENCES users DEFERRABLE,
	role_id int,
	CONSTRAINT user_twice FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE);
ALTER TABLE odd_constraints ADD FOREIGN KEY (role_id) REFERENCES roles NOT VALID;
SELECT belongs_to_many('users', 'roles', 'odd_constraints');

-- ---- several candidates, or none

SELECT belongs_to_many('users', 'roles');
\echo :LAST_ERROR_SQLSTATE
SELECT belongs_to_many('users', 'roles', foreign_key => 'user_id');
SELECT belongs_to_many('users', 'roles', parent_key => 'ref');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE user_roles_by_name, odd_constraints;
CREATE TABLE lonely (id int PRIMARY KEY);
SELECT belongs_to_many('users', 'lonely');
\echo :LAST_ERROR_SQLSTATE
SELECT belongs_to_many('users', 'lonely', 'user_roles');
\echo :LAST_ERROR_SQLSTATE
SELECT belongs_to_many('lonely', 'roles', 'user_roles');
SELECT belongs_to_many('users', 'roles', 'user_roles', parent_key => 'email');
ALTER TABLE user_roles ADD FOREIGN KEY (granted_by) REFERENCES users;
SELECT belongs_to_many('users', 'roles');
\echo :LAST_ERROR_SQLSTATE
SELECT belongs_to_many('users', 'roles', foreign_key => 'granted_by');
SELECT belongs_to_many('roles', 'users');
SELECT belongs_to_many('roles', 'users', related_key => 'user_id');
ALTER TABLE user_roles DROP COLUMN granted_by;
-- the two tables themselves are no pivots, though they have the foreign keys
CREATE TABLE teams (id int PRIMARY KEY);
CREATE TABLE players (id int PRIMARY KEY, team_id int REFERENCES teams, captain_id int REFERENCES players);
SELECT belongs_to_many('players', 'teams');
CREATE TABLE players_teams (player int REFERENCES players, team int REFERENCES teams);
SELECT belongs_to_many('players', 'teams');
-- columns are never guessed by their names
CREATE TABLE bare (user_id bigint, role_id int);
SELECT belongs_to_many('users', 'roles', 'bare');
\echo :LAST_ERROR_SQLSTATE
SELECT belongs_to_many('users', 'roles', 'bare', 'user_id');
SELECT belongs_to_many('users', 'roles', 'bare', 'user_id', 'role_id');
SELECT belongs_to_many('users', 'roles', 'bare', 'user_id', 'role_id', 'ref');
\echo :LAST_ERROR_SQLSTATE
-- without a constraint and a primary key there is nothing to take
CREATE TABLE keyless (id int UNIQUE);
SELECT belongs_to_many('users', 'keyless', 'bare', 'user_id', 'role_id');
\echo :LAST_ERROR_SQLSTATE
SELECT belongs_to_many('users', 'keyless', 'bare', 'user_id', 'role_id', related_pivot_key => 'id');

-- ---- keys of several columns

CREATE TABLE t_users (tenant_id int, id int, name text, PRIMARY KEY (tenant_id, id));
CREATE TABLE t_roles (id int, tenant_id int, name text, PRIMARY KEY (tenant_id, id));
CREATE TABLE t_user_roles (
	role_id int, user_id int, tenant_id int,
	FOREIGN KEY (tenant_id, user_id) REFERENCES t_users,
	FOREIGN KEY (role_id, tenant_id) REFERENCES t_roles (id, tenant_id),
	PRIMARY KEY (tenant_id, user_id, role_id));
SELECT belongs_to_many('t_users', 't_roles');
SELECT belongs_to_many('t_users', 't_roles', 't_user_roles', ARRAY['tenant_id', 'user_id'], ARRAY['tenant_id', 'role_id']);
SELECT belongs_to_many('t_users', 't_roles', 't_user_roles', ARRAY['user_id', 'tenant_id']::name[], ARRAY['role_id', 'tenant_id']::name[]);
SELECT belongs_to_many('t_users', 't_roles', 't_user_roles', NULL, NULL::name[], ARRAY['id', 'tenant_id']);
SELECT belongs_to_many('t_users', 't_roles', 't_user_roles', ARRAY['user_id', 'tenant_id'], NULL::name[], ARRAY['id', 'tenant_id'], ARRAY['tenant_id', 'id']);
-- untyped literals are names of one column
SELECT belongs_to_many('t_users', 't_roles', 't_user_roles', '{tenant_id,user_id}', '{tenant_id,role_id}');
-- a shared column is given by the parent, so an id is what is left
INSERT INTO t_users VALUES (1, 10), (2, 10);
INSERT INTO t_roles (tenant_id, id) VALUES (1, 100), (1, 101), (2, 100);
SELECT attach(belongs_to_many('t_users', 't_roles'), '{"tenant_id": 1, "user_id": 10}', '{100,101}'),
	attach(belongs_to_many('t_roles', 't_users'), '[100, 2]', 10);
SELECT attach(belongs_to_many('t_users', 't_roles', 't_user_roles', ARRAY['user_id', 'tenant_id'], ARRAY['tenant_id', 'role_id']), '[10, 2]', 101);
\echo :LAST_ERROR_SQLSTATE
SELECT related_ids(belongs_to_many('t_users', 't_roles'), '[1, 10]'), related_ids(belongs_to_many('t_users', 't_roles'), ROW(2, 10)),
	related_ids(belongs_to_many('t_roles', 't_users'), '[100, 1]');
-- without constraints
CREATE TABLE t_bare (t int, u int, r int);
SELECT belongs_to_many('t_users', 't_roles', 't_bare', ARRAY['t', 'u'], ARRAY['t', 'r']);
SELECT belongs_to_many('t_users', 't_roles', 't_bare', ARRAY['u', 't'], ARRAY['t', 'r'], ARRAY['id', 'tenant_id']);
-- one of each kind
CREATE TABLE u_t_roles (user_id bigint REFERENCES users, tenant int, role int, FOREIGN KEY (tenant, role) REFERENCES t_roles);
SELECT belongs_to_many('users', 't_roles');
SELECT belongs_to_many('users', 't_roles', 'u_t_roles', ARRAY['user_id']::name[], ARRAY['tenant', 'role']::name[]);

-- ---- a table related to itself

CREATE TABLE follows (
	follower bigint REFERENCES users, followed bigint REFERENCES users, PRIMARY KEY (follower, followed));
SELECT belongs_to_many('users', 'users');
\echo :LAST_ERROR_SQLSTATE
SELECT belongs_to_many('users', 'users', 'follows', 'follower');
\echo :LAST_ERROR_SQLSTATE
SELECT belongs_to_many('users', 'users', 'follows', related_key => 'followed');
SELECT belongs_to_many('users', 'users', 'follows', 'follower', 'followed');
SELECT belongs_to_many('users', 'users', foreign_key => 'followed', related_key => 'follower');
INSERT INTO users VALUES (1), (2), (3);
SELECT attach(belongs_to_many('users', 'users', 'follows', 'follower', 'followed'), 1, '{1,2,3}');
SELECT related_ids(belongs_to_many('users', 'users', 'follows', 'follower', 'followed'), 1),
	related_ids(belongs_to_many('users', 'users', 'follows', 'followed', 'follower'), 1),
	related_ids(inverse(belongs_to_many('users', 'users', 'follows', 'follower', 'followed')), 2);

-- ---- one to many is a relation whose pivot is the related table

CREATE TABLE posts (id int PRIMARY KEY, author bigint REFERENCES users, title text);
INSERT INTO posts VALUES (1, 1, 'one'), (2, 1, 'two'), (3, 2, 'three');
SELECT belongs_to_many('users', 'posts', 'posts', 'author', 'id');
SELECT get_results(belongs_to_many('users', 'posts', 'posts', 'author', 'id'), 2);
SELECT related_ids(belongs_to_many('users', 'posts', 'posts', 'author', 'id'), 1),
	attach(belongs_to_many('users', 'posts', 'posts', 'author', 'id'), 3, 4, '{"title": "four"}');
CREATE TABLE staff (id int PRIMARY KEY, boss int REFERENCES staff);
INSERT INTO staff VALUES (1, NULL), (2, 1), (3, 1);
SELECT related_ids(belongs_to_many('staff', 'staff', 'staff', 'boss', 'id'), 1);

-- ---- partitions

CREATE TABLE p_user_roles (
	user_id bigint REFERENCES users, role_id int REFERENCES roles, PRIMARY KEY (user_id, role_id))
	PARTITION BY HASH (user_id);
CREATE TABLE p_user_roles_0 PARTITION OF p_user_roles FOR VALUES WITH (MODULUS 2, REMAINDER 0) PARTITION BY HASH (role_id);
CREATE TABLE p_user_roles_1 PARTITION OF p_user_roles FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE p_user_roles_0_0 PARTITION OF p_user_roles_0 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
-- the root is a candidate, its partitions are not
DROP TABLE user_roles;
SELECT belongs_to_many('users', 'roles');
-- one that is named may be the pivot, with the constraints it has from its root
SELECT belongs_to_many('users', 'roles', 'p_user_roles_0_0');
SELECT belongs_to_many('users', 'roles', 'p_user_roles_0', 'user_id');
-- a partitioned parent
CREATE TABLE p_groups (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE p_groups_1 PARTITION OF p_groups FOR VALUES FROM (1) TO (10);
CREATE TABLE user_groups (user_id bigint REFERENCES users, group_id int REFERENCES p_groups);
SELECT belongs_to_many('users', 'p_groups');
SELECT belongs_to_many('p_groups', 'users');
INSERT INTO p_groups VALUES (1), (2);
SELECT attach(belongs_to_many('p_groups', 'users'), 1, '{2,3}');
SELECT related_ids(belongs_to_many('users', 'p_groups'), 2);

-- ---- what a parent, a related table and a pivot can be

CREATE TABLE user_roles (user_id bigint REFERENCES users, role_id int REFERENCES roles, PRIMARY KEY (user_id, role_id));
DROP TABLE p_user_roles;
INSERT INTO roles VALUES (1, 'one'), (2, 'two');
INSERT INTO user_roles VALUES (1, 1), (1, 2);
CREATE VIEW users_view AS SELECT id, email FROM users;
CREATE MATERIALIZED VIEW roles_view AS SELECT id, name FROM roles;
CREATE VIEW pivot_view AS SELECT * FROM user_roles;
CREATE MATERIALIZED VIEW pivot_matview AS SELECT * FROM user_roles;
CREATE SEQUENCE a_sequence;
CREATE TYPE a_row AS (id int);
CREATE FOREIGN DATA WRAPPER regress_btm_fdw;
CREATE SERVER regress_btm_server FOREIGN DATA WRAPPER regress_btm_fdw;
CREATE FOREIGN TABLE f_user_roles (user_id bigint, role_id int) SERVER regress_btm_server;
CREATE FOREIGN TABLE f_users (id bigint) SERVER regress_btm_server;
CREATE TEMP TABLE temp_user_roles (user_id bigint, role_id int);
-- a view has no constraints to infer from
SELECT belongs_to_many('users_view', 'roles_view', 'user_roles', 'user_id', 'role_id', 'id', 'id');
SELECT belongs_to_many('users_view', 'roles_view', 'user_roles', 'user_id', 'role_id');
\echo :LAST_ERROR_SQLSTATE
SELECT belongs_to_many('users_view', 'roles', 'user_roles');
SELECT result->>'name' FROM get_results(belongs_to_many('users_view', 'roles_view', 'user_roles', 'user_id', 'role_id', 'id', 'id'), 1);
-- nor has a foreign table; the keys default to the primary keys
SELECT belongs_to_many('users', 'roles', 'f_user_roles', 'user_id', 'role_id');
SELECT belongs_to_many('users', 'roles', 'f_user_roles');
\echo :LAST_ERROR_SQLSTATE
SELECT belongs_to_many('f_users', 'roles', 'f_user_roles', 'user_id', 'role_id', 'id');
SELECT substring(belongs_to_many('users', 'roles', 'temp_user_roles', 'user_id', 'role_id')::text FROM '"pg_temp_\d+.temp_user_roles"') IS NOT NULL;
SELECT belongs_to_many('users', 'roles', 'pivot_view', 'user_id', 'role_id');
\echo :LAST_ERROR_SQLSTATE
SELECT belongs_to_many('users', 'roles', 'pivot_matview', 'user_id', 'role_id');
SELECT belongs_to_many('users', 'roles', 'a_sequence');
SELECT belongs_to_many('users', 'roles', 'users_pkey');
SELECT belongs_to_many('a_sequence', 'roles');
\echo :LAST_ERROR_SQLSTATE
SELECT belongs_to_many('users', 'a_row');
SELECT belongs_to_many('users_pkey', 'roles');

-- ---- validation

SELECT belongs_to_many(NULL, 'roles');
\echo :LAST_ERROR_SQLSTATE
SELECT belongs_to_many('users', NULL, 'user_roles');
\echo :LAST_ERROR_SQLSTATE
SELECT belongs_to_many('nobody', 'roles');
\echo :LAST_ERROR_SQLSTATE
SELECT belongs_to_many(1, 'roles');
\echo :LAST_ERROR_SQLSTATE
SELECT belongs_to_many('users', 'roles', 'user_roles', 'user_di');
\echo :LAST_ERROR_SQLSTATE
SELECT belongs_to_many('users', 'roles', 'user_roles', 'user_id', 'roleid');
SELECT belongs_to_many('users', 'roles', 'user_roles', parent_key => 'ide');
SELECT belongs_to_many('users', 'roles', 'user_roles', related_pivot_key => 'title');
SELECT belongs_to_many('users', 'roles', 'user_roles', 'ctid');
SELECT belongs_to_many('users', 'roles', 'user_roles', 'User_id');
SELECT belongs_to_many('users', 'roles', 'user_roles', '');
-- types that cannot be compared
SELECT belongs_to_many('users', 'roles', 'user_roles', 'user_id', 'role_id', 'ref');
\echo :LAST_ERROR_SQLSTATE
SELECT belongs_to_many('users', 'roles', 'user_roles', 'user_id', 'role_id', 'id', 'name');
-- those that can
CREATE DOMAIN small AS smallint;
CREATE TABLE mixed (user_id numeric, role_id small);
SELECT belongs_to_many('users', 'roles', 'mixed', 'user_id', 'role_id');
-- keys that do not fit
SELECT belongs_to_many('t_users', 't_roles', 't_user_roles', 'user_id', 'role_id');
\echo :LAST_ERROR_SQLSTATE
SELECT belongs_to_many('t_users', 't_roles', 't_user_roles', ARRAY['tenant_id', 'user_id'], ARRAY['role_id'], NULL, ARRAY['tenant_id', 'id']);
\echo :LAST_ERROR_SQLSTATE
SELECT belongs_to_many('t_users', 't_roles', 't_user_roles', ARRAY['user_id', 'user_id'], ARRAY['tenant_id', 'role_id'], ARRAY['tenant_id', 'id']);
\echo :LAST_ERROR_SQLSTATE
SELECT belongs_to_many('t_users', 't_roles', 't_user_roles', ARRAY['tenant_id', 'user_id'], ARRAY['tenant_id', 'role_id'], ARRAY['id', 'id']);
SELECT belongs_to_many('t_users', 't_roles', 't_user_roles', '{}'::name[], ARRAY['tenant_id', 'role_id']);
\echo :LAST_ERROR_SQLSTATE
SELECT belongs_to_many('t_users', 't_roles', 't_user_roles', ARRAY['tenant_id', NULL], ARRAY['tenant_id', 'role_id']);
\echo :LAST_ERROR_SQLSTATE
SELECT belongs_to_many('t_users', 't_roles', 't_user_roles', ARRAY['tenant_id', 'userid'], ARRAY['tenant_id', 'role_id']);
\echo :LAST_ERROR_SQLSTATE
-- an id must be left
SELECT belongs_to_many('t_users', 't_roles', 't_user_roles', ARRAY['tenant_id', 'user_id'], ARRAY['user_id', 'tenant_id']);
\echo :LAST_ERROR_SQLSTATE
SELECT belongs_to_many('users', 'users', 'follows', 'follower', 'follower');

-- ---- any name

CREATE SCHEMA "constructor ""2"".x";
CREATE TABLE "constructor ""2"".x"."The.users" ("Id" int PRIMARY KEY, "na'me" text);
CREATE TABLE "constructor ""2"".x"."select" ("from" int PRIMARY KEY, "new
line" text);
CREATE TABLE "constructor ""2"".x"."Ünï çødé — 表" (
	"u.ser ""id""" int REFERENCES "constructor ""2"".x"."The.users",
	"rôle
id" int REFERENCES "constructor ""2"".x"."select",
	"a \ $1 %s {x}" text DEFAULT 'd',
	PRIMARY KEY ("u.ser ""id""", "rôle
id"));
INSERT INTO "constructor ""2"".x"."The.users" VALUES (1, 'x');
INSERT INTO "constructor ""2"".x"."select" VALUES (1, 'y'), (2, 'z');
SELECT belongs_to_many('"constructor ""2"".x"."The.users"', '"constructor ""2"".x"."select"');
CREATE TABLE named AS SELECT where_pivot_not_null(with_pivot(belongs_to_many('"constructor ""2"".x"."The.users"',
	'"constructor ""2"".x"."select"', '"constructor ""2"".x"."Ünï çødé — 表"', 'u.ser "id"', E'rôle\nid', 'Id', 'from'),
	'a \ $1 %s {x}'), 'a \ $1 %s {x}') AS r;
SELECT r, r::text::belongs_to_many::text = r::text FROM named;
SELECT attach(r, 1, '{"1": {"a \\ $1 %s {x}": "e"}, "2": {}}'::jsonb) FROM named;
SELECT get_results(order_by(r, 'from'), 1) FROM named;
SELECT (sync(r, 1, '{2}')).* FROM named;
SELECT related_ids(r, 1), get_related_table(r), get_pivot_columns(r) FROM named;
SELECT create_relation('"a "" {b}.c"', r) FROM named;
SELECT '"constructor ""2"".x"."a "" {b}.c"'::belongs_to_many;
SELECT count_related('"constructor ""2"".x"."a "" {b}.c"', 1);
SELECT create_relation_view(r, '"constructor ""2"".x"."v.""w"') FROM named;
SELECT * FROM "constructor ""2"".x"."v.""w";
-- errors show them as they are
SELECT belongs_to_many('"constructor ""2"".x"."The.users"', '"constructor ""2"".x"."select"', foreign_key => 'u.ser id');
-- names of 63 bytes
CREATE TABLE t23456789_123456789_123456789_123456789_123456789_123456789_123 (
	c23456789_123456789_123456789_123456789_123456789_123456789_123 int PRIMARY KEY);
CREATE TABLE p23456789_123456789_123456789_123456789_123456789_123456789_123 (
	f23456789_123456789_123456789_123456789_123456789_123456789_123 int
		REFERENCES t23456789_123456789_123456789_123456789_123456789_123456789_123,
	r23456789_123456789_123456789_123456789_123456789_123456789_123 int REFERENCES roles);
INSERT INTO t23456789_123456789_123456789_123456789_123456789_123456789_123 VALUES (1);
SELECT attach(belongs_to_many('t23456789_123456789_123456789_123456789_123456789_123456789_123', 'roles'), 1, 2);
SELECT belongs_to_many('t23456789_123456789_123456789_123456789_123456789_123456789_123', 'roles');

-- ---- columns are found by number, whatever was dropped before

CREATE TABLE gaps (a int, user_id bigint, b int, role_id int, c int, level int);
ALTER TABLE gaps DROP COLUMN a, DROP COLUMN b, DROP COLUMN c;
ALTER TABLE gaps ADD FOREIGN KEY (user_id) REFERENCES users, ADD FOREIGN KEY (role_id) REFERENCES roles;
SELECT attach(with_pivot_value(belongs_to_many('users', 'roles', 'gaps'), 'level', 3), 1, '{2}');
SELECT get_results(with_pivot(belongs_to_many('users', 'roles', 'gaps'), 'level'), 1);
SELECT belongs_to_many('users', 'roles', 'gaps', 'a');

-- ---- naming a table needs no right on it, using it does

CREATE ROLE regress_btm_constructor;
GRANT USAGE ON SCHEMA m2m, constructor TO regress_btm_constructor;
SET ROLE regress_btm_constructor;
SELECT belongs_to_many('users', 'roles', 'user_roles');
SELECT related_ids(belongs_to_many('users', 'roles', 'user_roles'), 1);
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
DROP OWNED BY regress_btm_constructor;
DROP ROLE regress_btm_constructor;

\pset tuples_only off
\pset format aligned
DROP SCHEMA constructor, "constructor ""2"".x" CASCADE;
DROP FOREIGN DATA WRAPPER regress_btm_fdw CASCADE;
