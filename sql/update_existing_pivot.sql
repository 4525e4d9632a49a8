--
-- update_existing_pivot()
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA update_pivot;
SET search_path = update_pivot, m2m;

CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE roles (id bigint PRIMARY KEY, name text);
INSERT INTO users SELECT generate_series(1, 5);
INSERT INTO roles SELECT i, 'role ' || i FROM generate_series(1, 9) AS i;
CREATE TABLE user_roles (
	user_id bigint REFERENCES users,
	role_id bigint REFERENCES roles,
	status text DEFAULT 'new',
	weight numeric(6, 2),
	PRIMARY KEY (user_id, role_id));
INSERT INTO user_roles SELECT u, r, 'old', r FROM generate_series(1, 2) AS u, generate_series(1, 4) AS r;
SELECT create_relation('user_roles', belongs_to_many('users', 'roles'));

-- rows that change are counted; what is not attached is not inserted
SELECT update_existing_pivot('user_roles', 1, '{1,2,9,9,1000}', '{"status": "a"}');
SELECT update_existing_pivot('user_roles', 1, '{1,2,9,9,1000}', '{"status": "a"}');
SELECT update_existing_pivot('user_roles', 1, '{1,2,3}', '{"status": "a", "weight": 2}');
SELECT update_existing_pivot('user_roles', 3, '{1,2}', '{"status": "a"}');
SELECT update_existing_pivot('user_roles', 3000, 1, '{"status": "a"}');
TABLE user_roles ORDER BY 1, 2;

-- attributes per id, of different shapes, with shared ones below
SELECT update_existing_pivot('user_roles', 2, '{"1": {"status": "one"}, "2": {"weight": 20}, "3": {}, "5": {"status": "x"}}'::jsonb);
SELECT update_existing_pivot('user_roles', 2, '[{"role_id": 1, "status": "row"}, 2, 3, {"4": {"weight": null}}]',
	'{"status": "shared", "weight": 7}');
SELECT * FROM user_roles WHERE user_id = 2 ORDER BY 2;

-- values that are the same are no change; only rows that change are written
CREATE TEMP TABLE before AS SELECT role_id, ctid AS version FROM user_roles WHERE user_id = 2;
SELECT update_existing_pivot('user_roles', 2, '{"1": {"status": "row"}, "2": {"weight": "7.00"}, "3": {"weight": 7.001}, "4": {"weight": null, "status": "shared"}}'::jsonb);
SELECT update_existing_pivot('user_roles', 2, '{1,2}', '{"status": "row"}');
SELECT role_id, b.version = r.ctid AS same_version
FROM before b JOIN user_roles r USING (role_id) WHERE r.user_id = 2 ORDER BY 1;

-- no attributes, no change; NULL and [] are no attributes
SELECT update_existing_pivot('user_roles', 2, '{1,2}'), update_existing_pivot('user_roles', 2, '{1,2}', '{}'),
	update_existing_pivot('user_roles', 2, '{1,2}', NULL), update_existing_pivot('user_roles', 2, '{1,2}', '[]');
-- an empty list of ids, too
SELECT update_existing_pivot('user_roles', 2, '{}', '{"status": "x"}'), update_existing_pivot('user_roles', 2, '[]'::jsonb, '{"status": "x"}');
-- NULL is not "all"
SELECT update_existing_pivot('user_roles', 2, NULL, '{"status": "x"}');
\echo :LAST_ERROR_SQLSTATE
SELECT update_existing_pivot('user_roles', 2, NULL::bigint[], '{"status": "x"}');
\echo :LAST_ERROR_SQLSTATE
SELECT update_existing_pivot('user_roles', 2, '[null]', '{"status": "x"}');
\echo :LAST_ERROR_SQLSTATE
SELECT update_existing_pivot('user_roles', NULL, 1, '{"status": "x"}');
\echo :LAST_ERROR_SQLSTATE
-- what the hint says works
SELECT 'UPDATE user_roles SET status = ''all'' WHERE ' || pivot_predicate('user_roles', 2) AS statement \gset
:statement;
SELECT * FROM user_roles WHERE user_id = 2 ORDER BY 2;

-- ---- the filter is the scope

SELECT update_existing_pivot(where_pivot('user_roles', 'status', 'a'), 1, '{1,2,3,4}', '{"weight": 1}');
SELECT update_existing_pivot(or_where_pivot(where_pivot('user_roles', 'status', 'none'), 'status', 'old'), 1, '{1,2,3,4}', '{"weight": 100}');
SELECT update_existing_pivot(with_pivot_value('user_roles', 'status', 'a'), 1, '{1,4}', '{"weight": 50}');
-- a row may leave the scope
SELECT update_existing_pivot(with_pivot_value('user_roles', 'status', 'a'), 1, '{1}', '{"status": "b"}');
SELECT update_existing_pivot(with_pivot_value('user_roles', 'status', 'a'), 1, '{1}', '{"status": "c"}');
SELECT update_existing_pivot(where_related('user_roles', 'name', 'role 1'), 1, '{1}', '{"status": "c"}');
\echo :LAST_ERROR_SQLSTATE
TABLE user_roles ORDER BY 1, 2;
-- from the other side
SELECT update_existing_pivot(inverse('user_roles'), 1, '{1,2,3}', '{"status": "inverse"}');
SELECT * FROM user_roles WHERE role_id = 1 ORDER BY 1;

-- ---- timestamps

CREATE TABLE stamps (
	user_id bigint, role_id bigint, note text, data json, created_at timestamptz, updated_at timestamptz,
	PRIMARY KEY (user_id, role_id));
SELECT create_relation('stamps', with_timestamps(belongs_to_many('users', 'roles', 'stamps', 'user_id', 'role_id')));
INSERT INTO stamps SELECT 1, r, 'n', '{"a":1}', '2001-01-01', '2001-01-01' FROM generate_series(1, 6) AS r;
BEGIN;
SELECT update_existing_pivot('stamps', 1, '{1}', '{"note": "n"}');
SELECT update_existing_pivot('stamps', 1, '{2}', '{"note": "new"}');
-- an explicit value wins
SELECT update_existing_pivot('stamps', 1, '{3}', '{"note": "new", "updated_at": "2002-02-02"}');
SELECT update_existing_pivot('stamps', 1, '{4}', '{"updated_at": "2001-01-01"}');
-- disabled
SELECT update_existing_pivot(with_timestamps('stamps', 'created_at', NULL), 1, '{5}', '{"note": "new"}');
-- with timestamps alone there is nothing to do
SELECT update_existing_pivot('stamps', 1, '{6}');
SELECT role_id, note, created_at = now() AS created, updated_at = now() AS updated, updated_at = '2002-02-02' AS given
FROM stamps ORDER BY 1;
ROLLBACK;

-- ---- all rows of a pair, where no index forbids several

CREATE TABLE visits (id serial PRIMARY KEY, user_id bigint, role_id bigint, note text);
SELECT create_relation('visits', belongs_to_many('users', 'roles', 'visits', 'user_id', 'role_id'));
INSERT INTO visits (user_id, role_id, note) VALUES (1, 1, 'x'), (1, 1, 'y'), (1, 2, 'x'), (1, NULL, 'x'), (2, 1, 'x');
SELECT update_existing_pivot('visits', 1, '{1,2}', '{"note": "y"}');
SELECT user_id, role_id, note FROM visits ORDER BY id;

-- ---- values of every kind compare by their own equality

CREATE TYPE pt AS (x int, y text);
CREATE TABLE kinds (
	user_id bigint, role_id bigint, j json, jb jsonb, x xml, p point, arr int[], comp pt, b bytea, f float8, bp char(5),
	PRIMARY KEY (user_id, role_id));
SELECT create_relation('kinds', belongs_to_many('users', 'roles', 'kinds', 'user_id', 'role_id'));
SELECT attach('kinds', 1, 1);
CREATE FUNCTION twice(attributes jsonb, OUT first int, OUT second int, OUT third int) LANGUAGE sql
	BEGIN ATOMIC
		SELECT update_existing_pivot('kinds', 1, 1, attributes), update_existing_pivot('kinds', 1, 1, attributes),
			update_existing_pivot('kinds', 1, 1, (SELECT jsonb_object_agg(key, NULL) FROM jsonb_each(attributes)));
	END;
SELECT * FROM twice('{"j": {"b": 1, "a": [1, 2]}}');
SELECT * FROM twice('{"jb": {"b": 1, "a": [1, 2]}}');
SELECT * FROM twice('{"x": "<a/>"}');
SELECT * FROM twice('{"p": "(1,2)"}');
SELECT * FROM twice('{"arr": [1, 2, null]}');
SELECT * FROM twice('{"comp": {"x": 1, "y": "a"}}');
SELECT * FROM twice('{"comp": {"x": null, "y": null}}');
SELECT * FROM twice('{"b": "\\xff00"}');
SELECT * FROM twice('{"f": "NaN"}');
SELECT * FROM twice('{"bp": "ab"}');
SELECT * FROM twice('{"arr": [3], "comp": {"x": 5}, "j": 1, "jb": "s", "bp": "  "}');
-- a composite value whose fields are all null is not NULL
SELECT update_existing_pivot('kinds', 1, 1, '{"comp": {}}'), update_existing_pivot('kinds', 1, 1, '{"comp": null}');

-- NULL differs from every value and from no NULL, whichever comes first, in one row and in several
SELECT update_existing_pivot('kinds', 1, 1, '{"f": null}'), update_existing_pivot('kinds', 1, 1, '{"f": 1}'),
	update_existing_pivot('kinds', 1, 1, '{"f": 1}'), update_existing_pivot('kinds', 1, 1, '{"f": null}'),
	update_existing_pivot('kinds', 1, 1, '{"f": null}');
SELECT attach('kinds', 1, '{2,3}');
SELECT update_existing_pivot('kinds', 1, '{2,3}', '{"f": 1}'), update_existing_pivot('kinds', 1, '{2,3}', '{"f": 1}'),
	update_existing_pivot('kinds', 1, '{"2": {"f": 1}, "3": {"f": null}}'::jsonb),
	update_existing_pivot('kinds', 1, '{"2": {"f": 1}, "3": {"f": null}}'::jsonb),
	update_existing_pivot('kinds', 1, '{2,3}', '{"f": null}'), update_existing_pivot('kinds', 1, '{2,3}', '{"f": null}');
-- a trigger makes NULL of what attach would update with
CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.f := NULL; RETURN new; END $$;
CREATE TRIGGER forget BEFORE INSERT ON kinds FOR EACH ROW EXECUTE FUNCTION forget();
SELECT attach('kinds', 1, 2, '{"f": 5}', 'update'), attach('kinds', 1, '{2,3}', '{"f": 5}', 'update');

-- ---- in SQL

SELECT id, update_existing_pivot('user_roles', id, 2, jsonb_build_object('status', 'user ' || id)) FROM users WHERE id < 4 ORDER BY id;
SELECT update_existing_pivot(attributes => '{"status": "named"}', ids => '{2}', parent_id => '1', relation => 'user_roles');
SELECT * FROM user_roles WHERE role_id = 2 ORDER BY 1;
BEGIN READ ONLY;
SELECT update_existing_pivot('user_roles', 1, 2, '{"status": "x"}');
ROLLBACK;
\echo :LAST_ERROR_SQLSTATE

DROP SCHEMA update_pivot CASCADE;
