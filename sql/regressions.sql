--
-- What once was wrong
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA regressions;
SET search_path = regressions, m2m;
SET datestyle = ISO, MDY;

CREATE TABLE users (id bigint PRIMARY KEY, name text);
CREATE TABLE roles (id bigint PRIMARY KEY, name text);
INSERT INTO users SELECT i, 'user ' || i FROM generate_series(1, 9) AS i;
INSERT INTO roles SELECT i, 'role ' || i FROM generate_series(1, 9) AS i;

-- ---- the unique index on the pair

-- rows of tables that inherit from the pivot are rows of the pivot, but not in
-- its index
CREATE TABLE user_roles (
	user_id bigint NOT NULL, role_id bigint NOT NULL, status text,
	PRIMARY KEY (user_id, role_id));
CREATE TABLE old_user_roles () INHERITS (user_roles);
SET client_min_messages = notice;	-- which says nothing about an index
SELECT create_relation('user_roles', belongs_to_many('users', 'roles', 'user_roles', 'user_id', 'role_id'));
SET client_min_messages = warning;
INSERT INTO old_user_roles VALUES (1, 1);
SELECT attach('user_roles', 1, '{1,2}');
SELECT attach('user_roles', 1, '{1,2}', '{"status": "new"}', on_conflict => 'update');
SELECT attach('user_roles', 1, '{1}', on_conflict => 'error');
SELECT * FROM sync('user_roles', 1, '{1,2,3}');
SELECT tableoid::regclass, * FROM user_roles ORDER BY role_id;
DROP TABLE old_user_roles;

-- an index that has one of the columns twice is not on the pair
CREATE TABLE log_roles (user_id bigint, role_id bigint);
CREATE UNIQUE INDEX ON log_roles (user_id, user_id);
SELECT attach(belongs_to_many('users', 'roles', 'log_roles', 'user_id', 'role_id'), 1, 1);
