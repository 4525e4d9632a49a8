--
-- Bad input: the SQLSTATE, a message that names the thing, a hint where there is one, and no
-- change in any table
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA bad_input;
SET search_path = bad_input, m2m;

CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE roles (id bigint PRIMARY KEY, name text);
INSERT INTO users SELECT generate_series(1, 5);
INSERT INTO roles SELECT i, 'role ' || i FROM generate_series(1, 9) AS i;
CREATE TABLE user_roles (
	user_id bigint REFERENCES users,
	role_id bigint REFERENCES roles,
	status text DEFAULT 'new' CHECK (status <> 'forbidden'),
	level int,
	PRIMARY KEY (user_id, role_id));
INSERT INTO user_roles VALUES (1, 1, 'a', 1), (1, 2, 'b', 2), (2, 1, 'c', 3);
SELECT create_relation('user_roles', with_pivot(belongs_to_many('users', 'roles'), 'status'));
CREATE VIEW contents AS
	SELECT md5(string_agg(r::text, ' ' ORDER BY r::text)) AS hash FROM (
		SELECT to_jsonb(u) AS r FROM user_roles u UNION ALL SELECT to_jsonb(u) FROM users u UNION ALL SELECT to_jsonb(o) FROM roles o) AS all_rows;
SELECT hash AS contents FROM contents \gset

-- what a call raises
CREATE FUNCTION try(call text, OUT code text, OUT message text, OUT hint text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'SELECT ' || call;
	code := '00000';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
END
$$;
-- the same of several operations, whose name stands for %s; what is the same but for the name is shown once
CREATE FUNCTION raised(template text, operations text[] DEFAULT '{attach,detach,sync,sync_without_detaching,toggle,update_existing_pivot,is_attached}')
RETURNS TABLE (operations text, code text, message text, hint text) LANGUAGE sql AS $$
	SELECT CASE WHEN count(*) = 7 THEN 'all' ELSE string_agg(o, ', ' ORDER BY n) END, r.code, replace(r.message, o || '()', '%s()'), r.hint
	FROM unnest($2) WITH ORDINALITY AS u (o, n), try(replace($1, '%s', o)) AS r
	GROUP BY 2, 3, 4 ORDER BY min(n);
$$;
\pset format unaligned
\pset tuples_only

-- ---- NULL

SELECT * FROM raised('%s(NULL, 1, 1)');
SELECT * FROM raised('%s(NULL::text, 1, 1)');
SELECT * FROM raised($$%s('user_roles', NULL, 1)$$);
SELECT * FROM raised($$%s('user_roles', NULL::bigint, 1)$$);
SELECT * FROM raised($$%s('user_roles', 'null'::jsonb, 1)$$);
SELECT * FROM raised($$%s('user_roles', 1, NULL)$$);
SELECT * FROM raised($$%s('user_roles', 1, NULL::bigint[])$$);
SELECT * FROM raised($$%s('user_roles', 1, 'null'::json)$$);
SELECT * FROM raised($$%s('user_roles', 1, ARRAY[1, NULL])$$);
SELECT * FROM raised($$%s('user_roles', 1, '{1,NULL}')$$);
SELECT * FROM raised($$%s('user_roles', 1, '[1, null]')$$);
SELECT * FROM raised($$%s('user_roles', 1, '[{"role_id": null}]'::jsonb)$$);
SELECT * FROM raised($$%s('user_roles', 1, ROW(NULL::bigint))$$);
SELECT * FROM raised($$%s('user_roles', 1, ARRAY[NULL::text])$$);

-- ---- the wrong type

SELECT * FROM raised($$%s('user_roles', 'one', 1)$$);
SELECT * FROM raised($$%s('user_roles', 1.5, 1)$$);
SELECT * FROM raised($$%s('user_roles', '[1, 2]'::jsonb, 1)$$);
SELECT * FROM raised($$%s('user_roles', ARRAY[1], 1)$$);
SELECT * FROM raised($$%s('user_roles', '{"id": 1}', 1)$$);
SELECT * FROM raised($$%s('user_roles', 99999999999999999999, 1)$$);
SELECT * FROM raised($$%s('user_roles', 1, 'one')$$);
SELECT * FROM raised($$%s('user_roles', 1, '{1,one}')$$);
SELECT * FROM raised($$%s('user_roles', 1, ARRAY[1, 1.5])$$);
SELECT * FROM raised($$%s('user_roles', 1, '[1, {"role_id": "one"}]')$$);
SELECT * FROM raised($$%s('user_roles', 1, '{"one": {}}'::jsonb)$$);
SELECT * FROM raised($$%s('user_roles', 1, '{"id": 1}'::jsonb)$$);
SELECT * FROM raised($$%s('user_roles', 1, '{"1": {}, "2": 5}'::jsonb)$$);
SELECT * FROM raised($$%s('user_roles', 1, '[[1, 2]]'::jsonb)$$);
SELECT * FROM raised($$%s('user_roles', 1, ARRAY['{"role_id": 1}'])$$);
SELECT * FROM raised($$%s('user_roles', 1, '9223372036854775808')$$);
SELECT * FROM raised($$%s('user_roles', 1, make_interval(1))$$);

-- ---- malformed JSON, arrays, rows

SELECT * FROM raised($$%s('user_roles', 1, '[1, 2')$$);
SELECT * FROM raised($$%s('user_roles', 1, '{"1": {}')$$);
SELECT * FROM raised($$%s('user_roles', 1, '{"1": x}')$$);
SELECT * FROM raised($$%s('user_roles', 1, '[1] [2]')$$);
SELECT * FROM raised($$%s('user_roles', 1, '{1,2')$$);
SELECT * FROM raised($$%s('user_roles', 1, '{{1,2},{3}}')$$);
SELECT * FROM raised($$%s('user_roles', 1, '"\u0000"'::json)$$);
SELECT * FROM try($$attach('user_roles', 1, 1, '{"status"}')$$);
SELECT * FROM try($$attach('user_roles', 1, 1, 'status')$$);

-- ---- attributes

-- shared ones, those of an id in a map, those of a row
CREATE FUNCTION raised_for(attributes text)
RETURNS TABLE (calls bigint, code text, message text, hint text) LANGUAGE sql AS $$
	SELECT count(*), r.code, r.message, r.hint
	FROM unnest('{attach,sync,sync_without_detaching,toggle,update_existing_pivot}'::text[]) AS o,
		unnest(ARRAY[format('%s(''user_roles'', 1, 2, attributes => %L)', o, attributes),
			format('%s(''user_roles'', 1, jsonb_build_object(2, %L::jsonb))', o, attributes),
			format('%s(''user_roles'', 1, jsonb_build_array(%L::jsonb || ''{"role_id": 2}''))', o, attributes)]) AS call,
		try(call) AS r
	GROUP BY 2, 3, 4 ORDER BY 1 DESC;
$$;
SELECT * FROM raised_for('{"statsu": "x"}');
SELECT * FROM raised_for('{"name": "x"}');
SELECT * FROM raised_for('{"user_id": 2}');
SELECT * FROM raised_for('{"user_id": null}');
SELECT * FROM raised_for('{"level": "x"}');
SELECT * FROM raised_for('{"level": 1.5}');
SELECT * FROM raised_for('{"level": [1]}');
-- the context tells which attribute it was
\set SHOW_CONTEXT errors
SELECT attach('user_roles', 1, '[1, {"role_id": 2, "status": "x", "level": "x"}]');
SELECT attach('user_roles', 1, 1, '{"level": [1]}');
\set SHOW_CONTEXT never
SELECT * FROM raised($$%s('user_roles', 1, '{1,2}', attributes => '{"role_id": 1}')$$, '{attach,sync,toggle,update_existing_pivot}');
SELECT * FROM raised($$%s('user_roles', 1, 2, attributes => '[1]')$$, '{attach,sync,toggle,update_existing_pivot}');
SELECT * FROM raised($$%s('user_roles', 1, 2, attributes => '5')$$, '{attach,sync,toggle,update_existing_pivot}');
SELECT * FROM raised($$%s('user_roles', 1, 2, attributes => '{"status": "forbidden"}')$$, '{sync,sync_without_detaching,update_existing_pivot}');
SELECT * FROM try($$attach('user_roles', 1, 3, attributes => '{"status": "forbidden"}')$$);

-- ---- a missing row, a bad word

SELECT * FROM raised($$%s('user_roles', 1, '{1,2,77}')$$, '{attach,sync,sync_without_detaching,toggle}');
SELECT * FROM raised($$%s('user_roles', 77, '{1,2}')$$, '{attach,sync,sync_without_detaching,toggle}');
SELECT * FROM try($$attach('user_roles', 1, 1, on_conflict => 'overwrite')$$);
SELECT * FROM try($$attach('user_roles', 1, 1, on_conflict => NULL)$$);
SELECT * FROM try($$attach('user_roles', 1, '{3,1}', on_conflict => 'error')$$);
SELECT * FROM try($$sync('user_roles', 1, 1, detaching => NULL)$$);
SELECT * FROM try($$lock_relation('user_roles', 1, NULL)$$);
SELECT * FROM try($$lock_relation('user_roles', NULL)$$);
SELECT * FROM try($$detach('user_roles', NULL)$$);
SELECT * FROM try($$detach(where_pivot('user_roles', 'status', '=~', 'a'), 1, 1)$$);
SELECT * FROM try($$detach(where_pivot('user_roles', 'level', 'like', 'a'), 1, 1)$$);
SELECT * FROM try($$detach(where_pivot('user_roles', 'level', '=', 'a'), 1, 1)$$);
SELECT * FROM try($$detach(where_pivot('user_roles', 'level', '<', NULL), 1, 1)$$);
SELECT * FROM try($$detach(where_pivot('user_roles', 'lvl', 1), 1, 1)$$);
SELECT * FROM try($$get_results(order_by_pivot('user_roles', 'status', 'up'), 1)$$);
SELECT * FROM try($$get_results(order_by('user_roles', 'nmae'), 1)$$);
SELECT * FROM raised($$%s(where_related('user_roles', 'name', 'x'), 1, 1)$$, '{attach,detach,sync,sync_without_detaching,toggle,update_existing_pivot,is_attached}');

-- ---- no such relation, table, column

SELECT * FROM raised($$%s('user_rolse', 1, 1)$$);
SELECT * FROM raised($$%s('nothing_like_it', 1, 1)$$);
SELECT * FROM raised($$%s('elsewhere.user_roles', 1, 1)$$);
SELECT * FROM raised($$%s('"User_Roles"', 1, 1)$$);
SELECT * FROM raised($$%s('', 1, 1)$$);
SELECT * FROM raised($$%s('a.b.c.d', 1, 1)$$);
SELECT * FROM raised($$%s('{"parent": "users"', 1, 1)$$);
SELECT * FROM raised($$%s('{"parent": "users"}', 1, 1)$$);
SELECT * FROM raised($$%s('{"parent": "users", "related": "roles", "pivot": "user_roles"}', 1, 1)$$);
SELECT * FROM raised($$%s('{"parent": "users", "related": "roles", "pivot_table": "user_rolse", "foreign_key": "user_id", "related_key": "role_id", "parent_key": "id", "related_pivot_key": "id"}', 1, 1)$$);
SELECT * FROM raised($$%s('{"parent": "users", "related": "roles", "pivot_table": "user_roles", "foreign_key": "user_id", "related_key": "roleid", "parent_key": "id", "related_pivot_key": "id"}', 1, 1)$$);
SELECT * FROM raised($$%s('[1]', 1, 1)$$);
-- a relation whose things have been dropped since
CREATE TABLE dropped (user_id bigint, role_id bigint, note text, n int, PRIMARY KEY (user_id, role_id));
SELECT create_relation('dropped', where_pivot(with_pivot(belongs_to_many('users', 'roles', 'dropped', 'user_id', 'role_id'), 'note'), 'n', 1));
SELECT 'dropped'::belongs_to_many AS saved, belongs_to_many('users', 'roles', 'dropped', 'user_id', 'role_id') AS own \gset
SELECT attach(:'saved', 1, 1), attach(:'own', 1, 2);
ALTER TABLE dropped DROP COLUMN note;
SELECT * FROM raised($$%s('dropped', 1, 1)$$);
SELECT * FROM raised(format('%%s(%L, 1, 1, attributes => ''{"note": "x"}'')', :'own')) WHERE code <> '42883';
ALTER TABLE dropped DROP COLUMN n, ADD COLUMN note text;
SELECT * FROM raised($$%s('dropped', 1, 1)$$);
ALTER TABLE dropped DROP COLUMN role_id;
SELECT * FROM raised($$%s('dropped', 1, 1)$$);
SELECT * FROM raised(format('%%s(%L, 1, 1)', :'own'));
DROP TABLE dropped;
SELECT * FROM raised($$%s('dropped', 1, 1)$$);
SELECT * FROM raised(format('%%s(%L, 1, 1)', :'own'));

-- ---- no privileges

CREATE ROLE regress_bad_input;
GRANT USAGE ON SCHEMA bad_input, m2m TO regress_bad_input;
GRANT SELECT ON ALL TABLES IN SCHEMA bad_input TO regress_bad_input;
REVOKE ALL ON user_roles FROM regress_bad_input;
SET ROLE regress_bad_input;
SELECT * FROM raised($$%s('user_roles', 1, 1)$$);
SELECT * FROM raised($$%s('user_roles', 1)$$, '{detach,related_ids,count_related,get_results,lock_relation}');
-- a call that has nothing to do is refused, too
SELECT * FROM raised($$%s('user_roles', 1, '{}')$$, '{attach,detach,toggle,update_existing_pivot,sync_without_detaching}');
RESET ROLE;
DROP OWNED BY regress_bad_input;
DROP ROLE regress_bad_input;

\pset format aligned
\pset tuples_only

-- ---- nothing has changed, in a transaction either that goes on

BEGIN;
SELECT attach('user_roles', 3, 1);
SAVEPOINT s;
SELECT * FROM sync('user_roles', 1, '[{"role_id": 1, "status": "lost"}, 77]');
ROLLBACK TO s;
SELECT detach('user_roles', 3, 1);
COMMIT;
SELECT hash = :'contents' AS unchanged FROM contents;

DROP SCHEMA bad_input CASCADE;
