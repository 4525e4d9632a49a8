--
-- The bulk path looks referenced rows up by itself where it can.  What it finds
-- must be what the foreign keys' own triggers find, for every kind of key:
-- each attempt is made with belongs_to_many.bulk_path on and off, with ids
-- that exist and with one that does not.
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA refs;
SET search_path = refs, m2m;

-- what comes of attaching, which is undone
CREATE FUNCTION attempt(bulk text, pivot regclass, parent jsonb, ids jsonb, related regclass) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
	detail text;
	con text;
BEGIN
	PERFORM set_config('belongs_to_many.bulk_path', bulk, true);
	BEGIN
		result := m2m.attach(format('{"parent": "refs.users", "related": %s, "pivot_table": %s}',
									to_json(related::text), to_json(pivot::text))::m2m.belongs_to_many,
							 parent, ids, on_conflict => 'error');
		RAISE SQLSTATE 'UN000' USING MESSAGE = result || ' attached';
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, con = CONSTRAINT_NAME;
		RETURN concat_ws(' | ', nullif(SQLSTATE, 'UN000'), SQLERRM, nullif(detail, ''), nullif(con, ''));
	END;
END $$;
-- lists of one or many ids; the last column shows what the ordinary way makes of them if that differs
CREATE FUNCTION attempts(pivot regclass, related regclass, parent jsonb, VARIADIC lists jsonb[])
RETURNS TABLE (ids text, outcome text, differs text) LANGUAGE sql AS $$
	SELECT left(l::text, 30), a.bulk, nullif(a.ordinary, a.bulk)
	FROM unnest(lists) l,
	LATERAL (SELECT refs.attempt('on', pivot, parent, l, related) AS bulk,
			 refs.attempt('off', pivot, parent, l, related) AS ordinary) a
$$;
CREATE FUNCTION up_to(n int) RETURNS jsonb LANGUAGE sql RETURN (SELECT jsonb_agg(i) FROM generate_series(1, n) i);

CREATE TABLE users (id bigint PRIMARY KEY);
INSERT INTO users VALUES (1);

-- values of another type than the referenced column has
CREATE TABLE big (id bigint PRIMARY KEY);
INSERT INTO big SELECT generate_series(1, 400);
CREATE TABLE user_big (user_id int REFERENCES users, big_id int REFERENCES big, PRIMARY KEY (user_id, big_id));
SELECT * FROM attempts('user_big', 'big', '1', '1', up_to(3), up_to(400), '401', '[1, 2, 401, 500]', up_to(401));
SELECT * FROM attempts('user_big', 'big', '2', '1', up_to(3), up_to(400));
CREATE TABLE num (id numeric PRIMARY KEY);
INSERT INTO num SELECT generate_series(1, 400);
CREATE TABLE user_num (user_id bigint REFERENCES users, num_id int REFERENCES num, PRIMARY KEY (user_id, num_id));
SELECT * FROM attempts('user_num', 'num', '1', '1', up_to(3), up_to(400), '401', '[1, 2, 401]', up_to(401));
CREATE TABLE words (word text PRIMARY KEY);
INSERT INTO words SELECT 'word ' || i FROM generate_series(1, 300) i;
CREATE TABLE user_words (user_id bigint REFERENCES users, word varchar(20) REFERENCES words, PRIMARY KEY (user_id, word));
SELECT * FROM attempts('user_words', 'words', '1', '["word 1"]', '["word 1", "word 2", "word 3", "word 4"]',
	'["word 1", "word 2", "word 3", "word"]', (SELECT jsonb_agg(word) FROM words));
CREATE TABLE codes (code char(6) PRIMARY KEY);
INSERT INTO codes VALUES ('a'), ('b'), ('c'), ('d'), ('e');
CREATE TABLE user_codes (user_id bigint REFERENCES users, code char(6) REFERENCES codes, PRIMARY KEY (user_id, code));
SELECT * FROM attempts('user_codes', 'codes', '1', '["a"]', '["a", "b ", "c", "d"]', '["a", "b", "c", "f"]', '["f"]');
CREATE DOMAIN key AS int;
CREATE TABLE keyed (id key PRIMARY KEY);
INSERT INTO keyed SELECT generate_series(1, 10);
CREATE TABLE user_keyed (user_id bigint REFERENCES users, keyed_id key REFERENCES keyed, PRIMARY KEY (user_id, keyed_id));
SELECT * FROM attempts('user_keyed', 'keyed', '1', '1', up_to(10), up_to(11));
CREATE TYPE mood AS ENUM ('glad', 'calm', 'sad', 'cross', 'tired');
CREATE TABLE moods (mood mood PRIMARY KEY);
INSERT INTO moods VALUES ('glad'), ('calm'), ('sad'), ('cross');
CREATE TABLE user_moods (user_id bigint REFERENCES users, mood mood REFERENCES moods, PRIMARY KEY (user_id, mood));
SELECT * FROM attempts('user_moods', 'moods', '1', '["glad"]', '["sad", "calm", "glad", "cross"]', '["sad", "tired"]');

-- keys of several columns, not in the order of the index; the index has more columns
CREATE TABLE places (x int, y int, name text, UNIQUE (y, x) INCLUDE (name));
INSERT INTO places SELECT i, 1000 - i, 'place' FROM generate_series(1, 300) i;
CREATE TABLE user_places (user_id bigint REFERENCES users, px int, py int,
	PRIMARY KEY (user_id, px, py), FOREIGN KEY (px, py) REFERENCES places (x, y));
SELECT * FROM attempts('user_places', 'places', '1', '[{"px": 1, "py": 999}]',
	'[{"px": 1, "py": 999}, {"px": 2, "py": 998}, {"px": 3, "py": 997}, {"px": 4, "py": 996}]',
	'[{"px": 1, "py": 999}, {"px": 2, "py": 999}]',
	(SELECT jsonb_agg(jsonb_build_object('px', x, 'py', y)) FROM places));

-- several foreign keys fail: the first of the first row, in the order of their triggers
CREATE TABLE roles (id int PRIMARY KEY);
INSERT INTO roles SELECT generate_series(1, 10);
CREATE TABLE kinds (id int PRIMARY KEY);
CREATE TABLE user_roles (user_id bigint REFERENCES users, role_id int, kind int,
	PRIMARY KEY (user_id, role_id),
	FOREIGN KEY (kind) REFERENCES kinds, FOREIGN KEY (role_id) REFERENCES roles);
SELECT * FROM attempts('user_roles', 'roles', '1', '{"20": {"kind": 1}}', '{"1": {"kind": 1}, "20": {"kind": 1}}',
	'{"1": {"kind": null}, "20": {"kind": 1}}', '{"1": {}, "2": {}, "3": {}, "20": {}, "21": {}}');
SELECT * FROM attempts('user_roles', 'roles', '9', '{"20": {"kind": 1}}', '{"1": {"kind": 1}, "20": {"kind": 1}}');

-- the pivot references itself, also rows of the same call
CREATE TABLE chain (user_id bigint REFERENCES users, role_id int REFERENCES roles, after int,
	PRIMARY KEY (user_id, role_id), FOREIGN KEY (user_id, after) REFERENCES chain);
SELECT * FROM attempts('chain', 'roles', '1', '{"1": {"after": 1}}', '{"1": {"after": 2}}',
	'{"1": {"after": 4}, "2": {"after": 1}, "3": {"after": null}, "4": {"after": 2}}',
	'{"1": {"after": 4}, "2": {"after": 1}, "3": {"after": 5}, "4": {"after": 2}}');

-- rows that the transaction itself has changed
BEGIN;
DELETE FROM roles WHERE id = 3;
UPDATE roles SET id = 13 WHERE id = 4;
UPDATE users SET id = 1;
SELECT * FROM attempts('user_roles', 'roles', '1', '3', '4', '13', '[1, 2, 13, 5]', '[1, 2, 3, 5]', '[1, 2, 4, 5]');
SAVEPOINT s;
DELETE FROM roles;
SELECT * FROM attempts('user_roles', 'roles', '1', '1', '[1, 2, 13, 5]');
ROLLBACK TO s;
SELECT * FROM attempts('user_roles', 'roles', '1', '1', '[1, 2, 13, 5]');
ROLLBACK;

-- another collation, in which the index cannot be searched as the key compares
CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE names (name text COLLATE folded PRIMARY KEY);
INSERT INTO names VALUES ('Ann'), ('Bob'), ('Cid'), ('Dan');
CREATE TABLE user_names (user_id bigint REFERENCES users, name text COLLATE folded REFERENCES names, PRIMARY KEY (user_id, name));
SELECT * FROM attempts('user_names', 'names', '1', '["ANN"]', '["ann", "bob", "CID", "Dan"]', '["ann", "eve"]');
CREATE TABLE titles (title text);
CREATE UNIQUE INDEX ON titles (title COLLATE "POSIX");
INSERT INTO titles VALUES ('a'), ('b'), ('c'), ('d');
CREATE TABLE user_titles (user_id bigint REFERENCES users, title text, PRIMARY KEY (user_id, title));
ALTER TABLE user_titles ADD FOREIGN KEY (title) REFERENCES titles (title);
SELECT * FROM attempts('user_titles', 'titles', '1', '["a"]', '["a", "b", "c", "d"]', '["a", "e"]');

-- an owner who may not read his own table
CREATE ROLE regress_refs_owner;
GRANT USAGE, CREATE ON SCHEMA refs TO regress_refs_owner;
CREATE TABLE owned (id int PRIMARY KEY);
INSERT INTO owned SELECT generate_series(1, 10);
CREATE TABLE user_owned (user_id bigint REFERENCES users, owned_id int REFERENCES owned, PRIMARY KEY (user_id, owned_id));
ALTER TABLE owned OWNER TO regress_refs_owner;
SELECT * FROM attempts('user_owned', 'owned', '1', '1', '[1, 2, 3, 4]', '[1, 2, 3, 11]');
REVOKE SELECT ON owned FROM regress_refs_owner;
SELECT * FROM attempts('user_owned', 'owned', '1', '1', '[1, 2, 3, 4]');
GRANT SELECT ON owned TO regress_refs_owner;
REVOKE UPDATE ON owned FROM regress_refs_owner;
SELECT * FROM attempts('user_owned', 'owned', '1', '1', '[1, 2, 3, 4]');
GRANT UPDATE ON owned TO regress_refs_owner;
REVOKE USAGE ON SCHEMA refs FROM regress_refs_owner;
\c -
SET search_path = refs, m2m;
SELECT * FROM attempts('user_owned', 'owned', '1', '1', '[1, 2, 3, 4]');
GRANT USAGE ON SCHEMA refs TO regress_refs_owner;

-- row-level security of the referenced table is not asked
ALTER TABLE owned ENABLE ROW LEVEL SECURITY;
ALTER TABLE owned FORCE ROW LEVEL SECURITY;
SELECT * FROM attempts('user_owned', 'owned', '1', '1', '[1, 2, 3, 4]');

-- somebody who may not see what is in the pivot is told no values
CREATE ROLE regress_refs_user;
GRANT USAGE ON SCHEMA refs, m2m TO regress_refs_user;
GRANT INSERT ON user_roles TO regress_refs_user;
GRANT SELECT (user_id, role_id) ON user_roles TO regress_refs_user;
SET ROLE regress_refs_user;
SELECT * FROM attempts('user_roles', 'roles', '1', '1', '20', '[1, 2, 3, 20]', '{"1": {"kind": 7}}');
RESET ROLE;

SET client_min_messages = warning;
DROP SCHEMA refs CASCADE;
DROP OWNED BY regress_refs_owner, regress_refs_user;
DROP ROLE regress_refs_owner, regress_refs_user;
