--
-- Many rows go into the pivot without a statement, where the bulk path is
-- taken. They must be the rows that an INSERT would have made: each attempt is
-- made with belongs_to_many.bulk_path on for one parent and off for another.
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA insert_rows;
SET search_path = insert_rows, m2m;

CREATE TABLE users (id int PRIMARY KEY);
CREATE TABLE roles (id int PRIMARY KEY);
INSERT INTO users SELECT generate_series(1, 2);
INSERT INTO roles SELECT generate_series(1, 2000);
CREATE FUNCTION up_to(n int) RETURNS int[] LANGUAGE sql RETURN ARRAY(SELECT generate_series(1, n));

-- what comes of attaching; parent 1 in bulk, parent 2 in the ordinary way
CREATE FUNCTION outcome(pivot regclass, parent int, VARIADIC arguments text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
	detail text;
BEGIN
	PERFORM set_config('belongs_to_many.bulk_path', CASE parent WHEN 1 THEN 'on' ELSE 'off' END, true);
	EXECUTE format('SELECT m2m.attach(%L, %s, %s)', pivot, parent, array_to_string(arguments, ', ')) INTO result;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(CASE WHEN SQLSTATE <> '23502' THEN detail END, ''));
END $$;
-- the same for both, and whether they now have the same rows; `generated` lists columns that differ in any case
CREATE FUNCTION compare(pivot regclass, generated text[], VARIADIC arguments text[])
RETURNS TABLE (bulk text, ordinary text, "rows" bigint, differences bigint) LANGUAGE plpgsql AS $$
BEGIN
	bulk := insert_rows.outcome(pivot, 1, VARIADIC arguments);
	ordinary := nullif(insert_rows.outcome(pivot, 2, VARIADIC arguments), bulk);
	EXECUTE format($q$
		WITH r AS (SELECT user_id, to_jsonb(p) - 'user_id' - coalesce($1, '{}') AS row FROM %s p)
		SELECT (SELECT count(*) FROM r),
			   (SELECT count(*) FROM (SELECT row FROM r WHERE user_id = 1 EXCEPT ALL SELECT row FROM r WHERE user_id = 2) x)
			   + (SELECT count(*) FROM (SELECT row FROM r WHERE user_id = 2 EXCEPT ALL SELECT row FROM r WHERE user_id = 1) x)
		$q$, pivot) USING generated INTO "rows", differences;
	RETURN NEXT;
END $$;

-- every kind of column
CREATE TABLE user_roles (
	gone1 int,
	user_id int REFERENCES users,
	serial bigserial,
	role_id int REFERENCES roles,
	gone2 text DEFAULT 'gone',
	status text NOT NULL DEFAULT 'new',
	note text,
	data jsonb DEFAULT jsonb_build_object('a', ARRAY[1, 2]),
	at timestamptz DEFAULT now(),
	today date DEFAULT current_date,
	identity int GENERATED ALWAYS AS IDENTITY,
	label text COLLATE "C" DEFAULT upper('label'),
	PRIMARY KEY (user_id, role_id));
CREATE INDEX ON user_roles (role_id);
CREATE INDEX ON user_roles (lower(status), role_id);
CREATE INDEX ON user_roles (role_id) WHERE note IS NOT NULL;
CREATE INDEX ON user_roles USING gin (data);
CREATE INDEX ON user_roles USING brin (at);
ALTER TABLE user_roles DROP gone1, DROP gone2;
ALTER TABLE user_roles ADD later int DEFAULT 7;
SELECT create_relation('user_roles', belongs_to_many('users', 'roles'));
SELECT * FROM compare('user_roles', '{serial,identity}', 'up_to(700)');
-- the numbers of sequences are in the order of the ids
SELECT user_id, count(*), max(serial) - min(serial) AS serials, max(identity) - min(identity) AS identities,
	corr(serial, role_id) AS serial_order, corr(identity, role_id) AS identity_order
FROM user_roles GROUP BY 1 ORDER BY 1;
SELECT * FROM compare('user_roles', '{serial,identity}', 'up_to(1300)', $$'{"note": "x", "status": "y", "data": null}'$$);
-- attributes of each id's own, of any length
SELECT * FROM compare('user_roles', '{serial,identity}',
	$$(SELECT jsonb_object_agg(i, jsonb_build_object('note', nullif(repeat(md5(i::text), i % 400), ''))) FROM generate_series(1, 1900) i)$$);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT user_id, count(*) FROM user_roles WHERE user_id IN (1, 2) GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM user_roles WHERE role_id BETWEEN 1 AND 2000;
SELECT count(*) FROM user_roles WHERE lower(status) = 'y';
RESET enable_seqscan;
RESET enable_bitmapscan;

-- what only a statement can do
TRUNCATE user_roles;
SELECT * FROM compare('user_roles', '{serial,identity}', 'up_to(300)', $$'{"status": null}'$$);
SELECT * FROM compare('user_roles', '{serial,identity}',
	$$(SELECT jsonb_object_agg(i, jsonb_build_object('status', nullif(i::text, '290'))) FROM generate_series(1, 300) i)$$);
ALTER TABLE user_roles ADD needed int NOT NULL;
SELECT * FROM compare('user_roles', '{serial,identity}', 'up_to(300)');
SELECT * FROM compare('user_roles', '{serial,identity}', 'up_to(300)', $$'{"needed": 1}'$$);
ALTER TABLE user_roles DROP needed, ADD short varchar(3), ADD price numeric(6, 2), ADD code char(4), ADD twice int GENERATED ALWAYS AS (role_id * 2) STORED;
SELECT * FROM compare('user_roles', '{serial,identity}', 'up_to(600)', $$'{"short": "abc", "price": 12.345, "code": "x"}'$$);
SELECT short, price, code, twice FROM user_roles WHERE role_id = 600;
SELECT * FROM compare('user_roles', '{serial,identity}', 'up_to(900)', $$'{"short": "abcd"}'$$);

-- each of these alone, where the first row is not the one that shows it
CREATE FUNCTION each_with(n int, name text, value text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	result jsonb;
BEGIN
	EXECUTE format('SELECT jsonb_object_agg(i, jsonb_build_object(%L, %s)) FROM generate_series(1, %s) i', name, value, n) INTO result;
	RETURN result;
END $$;
CREATE TABLE plain (user_id int REFERENCES users, role_id int REFERENCES roles, slot int, word text, PRIMARY KEY (user_id, role_id));
CREATE TABLE checked (LIKE plain INCLUDING ALL, FOREIGN KEY (user_id) REFERENCES users, CHECK (slot <> 290));
CREATE TABLE doubled (LIKE plain INCLUDING ALL, FOREIGN KEY (user_id) REFERENCES users, twice int GENERATED ALWAYS AS (role_id * 2) STORED);
CREATE TABLE fitted (LIKE plain INCLUDING ALL, FOREIGN KEY (user_id) REFERENCES users);
ALTER TABLE fitted ALTER word TYPE varchar(3);
CREATE TABLE rounded (LIKE plain INCLUDING ALL, FOREIGN KEY (user_id) REFERENCES users);
ALTER TABLE rounded ALTER slot TYPE numeric(6, 1);
CREATE TABLE valued (LIKE plain INCLUDING ALL, FOREIGN KEY (user_id) REFERENCES users);
CREATE TABLE whole (LIKE plain INCLUDING DEFAULTS) PARTITION BY RANGE (slot);
CREATE TABLE part PARTITION OF whole (PRIMARY KEY (user_id, role_id), FOREIGN KEY (user_id) REFERENCES users) FOR VALUES FROM (0) TO (290);
SELECT create_relation(t, belongs_to_many('users', 'roles', t::regclass, 'user_id', 'role_id', 'id', 'id'))
FROM unnest('{plain,checked,doubled,fitted,rounded,part}'::text[]) t;
SELECT create_relation('valued', with_pivot_value(belongs_to_many('users', 'roles', 'valued', 'user_id', 'role_id', 'id', 'id'), 'word', 'w'));
SELECT * FROM compare('plain', NULL, $$each_with(300, 'slot', 'nullif(i, 290)')$$);
SELECT * FROM compare('checked', NULL, $$each_with(300, 'slot', 'i')$$);
SELECT * FROM compare('checked', NULL, $$each_with(300, 'slot', '-i')$$);
SELECT * FROM compare('doubled', NULL, $$each_with(300, 'slot', 'i')$$);
SELECT * FROM compare('fitted', NULL, $$each_with(300, 'word', 'left(''abcd'', i / 90 + 1)')$$);
SELECT * FROM compare('fitted', NULL, $$each_with(300, 'word', 'left(''abc'', i / 90 + 1)')$$);
SELECT * FROM compare('rounded', NULL, $$each_with(300, 'slot', 'i / 7.0')$$);
SELECT * FROM compare('part', NULL, $$each_with(300, 'slot', 'i')$$);
SELECT * FROM compare('part', NULL, $$each_with(300, 'slot', 'i % 290')$$);
SELECT * FROM compare('valued', NULL, $$each_with(300, 'slot', 'i')$$);
SELECT DISTINCT word FROM valued;
-- of several shapes
SELECT * FROM compare('plain', NULL, $$(SELECT jsonb_object_agg(i, CASE WHEN i = 290 THEN '{"word": "x"}' WHEN i = 300 THEN '{}' ELSE '{"slot": 1}' END::jsonb) FROM generate_series(201, 600) i)$$);
-- rows without a unique index
CREATE TABLE loose (user_id int REFERENCES users, role_id int REFERENCES roles, word text);
SELECT create_relation('loose', belongs_to_many('users', 'roles', 'loose'));
SELECT * FROM compare('loose', NULL, 'up_to(300)');
SELECT * FROM compare('loose', NULL, 'up_to(400)', $$'{}'$$, $$'duplicate'$$);

-- a default that looks at rows sees none of those that are inserted
CREATE FUNCTION how_many() RETURNS bigint LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT count(*) FROM insert_rows.counted); END';
CREATE TABLE counted (user_id int REFERENCES users, role_id int REFERENCES roles, n bigint DEFAULT how_many(), PRIMARY KEY (user_id, role_id));
SELECT create_relation('counted', belongs_to_many('users', 'roles', 'counted'));
SELECT * FROM compare('counted', '{n}', 'up_to(300)');
SELECT user_id, min(n), max(n) FROM counted GROUP BY 1 ORDER BY 1;

-- timestamps, and constraints that other columns have
CREATE TABLE stamped (user_id int REFERENCES users, role_id int REFERENCES roles, slot int, during int4range,
	created_at timestamptz, updated_at timestamp, PRIMARY KEY (user_id, role_id),
	UNIQUE (user_id, slot), EXCLUDE USING gist (during WITH &&));
SELECT create_relation('stamped', with_timestamps(belongs_to_many('users', 'roles', 'stamped')));
SELECT * FROM compare('stamped', NULL, 'up_to(300)');
ALTER TABLE stamped ALTER updated_at TYPE timestamptz;
SELECT * FROM compare('stamped', '{created_at,updated_at}', 'up_to(600)');
SELECT count(*) FROM stamped WHERE created_at IS NULL OR updated_at IS NULL;
SELECT count(DISTINCT created_at) FROM stamped WHERE user_id = 1;
SELECT * FROM compare('stamped', '{created_at,updated_at}', 'up_to(900)', $$'{"slot": 1}'$$);
SELECT * FROM compare('stamped', '{created_at,updated_at}',
	$$(SELECT jsonb_object_agg(i, jsonb_build_object('slot', i % 850)) FROM generate_series(1, 900) i)$$);
SELECT * FROM compare('stamped', '{created_at,updated_at}', 'up_to(1100)', $$'{"during": "[1,2]"}'$$);

-- privileges and read-only transactions are those of a statement
CREATE ROLE regress_insert_rows;
GRANT USAGE ON SCHEMA insert_rows, m2m TO regress_insert_rows;
GRANT SELECT, INSERT (user_id, role_id) ON counted TO regress_insert_rows;
TRUNCATE counted;
SET ROLE regress_insert_rows;
SELECT * FROM compare('counted', '{n}', 'up_to(300)', $$'{"n": 1}'$$);
SELECT * FROM compare('counted', '{n}', 'up_to(300)');
BEGIN READ ONLY;
SELECT * FROM compare('counted', '{n}', 'up_to(600)');
COMMIT;
RESET ROLE;

DROP SCHEMA insert_rows CASCADE;
DROP OWNED BY regress_insert_rows;
DROP ROLE regress_insert_rows;
