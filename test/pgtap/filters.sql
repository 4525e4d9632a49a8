-- Random filters, each against the condition that SQL has for it: what every read, the predicate and a
-- write see must be the rows of the condition. Steps are folded from the left: each is joined to all
-- that stand before it.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE SCHEMA m2m;
CREATE EXTENSION belongs_to_many SCHEMA m2m;
CREATE SCHEMA app;
SET LOCAL search_path = app, m2m, public;
SELECT plan(4);
SELECT setseed(0.31415);

CREATE TYPE mood AS ENUM ('sad', 'so so', 'happy');
CREATE TABLE users (id int PRIMARY KEY);
CREATE TABLE roles (id int PRIMARY KEY, name text, rank int);
CREATE TABLE user_roles (
	user_id int, role_id int, n int, x numeric(6, 2), t text, b bool, d date, m mood, a text[], j jsonb, PRIMARY KEY (user_id, role_id));
INSERT INTO users SELECT generate_series(1, 3);
INSERT INTO roles SELECT i, (ARRAY['admin', 'Author', 'it''s', 'a_b', 'a%b', NULL])[1 + i % 6], NULLIF(i % 5, 0) FROM generate_series(1, 40) i;
INSERT INTO user_roles
SELECT u, r,
	NULLIF(floor(random() * 6)::int, 5), NULLIF(floor(random() * 5) / 2, 2), (ARRAY['a', 'b', 'A', 'a%', 'a_b', 'it''s', '', '\', NULL])[1 + floor(random() * 9)],
	(ARRAY[true, false, NULL])[1 + floor(random() * 3)], (ARRAY['2020-01-01', '2020-02-01', 'infinity', NULL]::date[])[1 + floor(random() * 4)],
	(ARRAY['sad', 'so so', 'happy', NULL]::mood[])[1 + floor(random() * 4)], (ARRAY['{}', '{a}', '{a,b}', '{NULL}', NULL])[1 + floor(random() * 5)]::text[],
	(ARRAY['{"k": 1}', '{"k": null, "l": [1]}', '[1, "k"]', 'null', NULL]::jsonb[])[1 + floor(random() * 5)]
FROM generate_series(1, 3) u, generate_series(1, 40) r WHERE random() < 0.8;
SELECT create_relation('user_roles', belongs_to_many('users', 'roles', 'user_roles', 'user_id', 'role_id'));

-- The steps that a filter is made of: a builder, its arguments, and the condition.
CREATE TABLE steps (builder text, arguments text, condition text);
INSERT INTO steps
SELECT 'where_pivot', format('%L, %L, %L', c, o, v), format('%I %s %L', c, o, v)
FROM (VALUES ('n', '{0,2,4}'::text[]), ('x', '{0,1.5,0.50}'), ('t', '{a,"a%","it''s",""}'), ('d', '{2020-01-01,infinity}'), ('m', '{sad,happy}')) AS c(c, vs),
	unnest(vs) v, unnest('{=,<>,<,<=,>,>=}'::text[]) o;
INSERT INTO steps SELECT 'where_pivot', format('%L, %L', c, v), format('%I = %L', c, v) FROM (VALUES ('n', '3'), ('t', 'a_b'), ('b', 'true'), ('a', '{a}'), ('j', '[1, "k"]')) AS c(c, v);
INSERT INTO steps SELECT 'where_pivot', format('%L, %L, %L', 't', o, v), format('t %s %L', o, v)
FROM unnest('{like,LIKE,not like,ilike,Not ILike}'::text[]) o, unnest('{a%,%b,a\\_b,\\\\,A_}'::text[]) v;
INSERT INTO steps SELECT 'where_pivot', format('%L, %L, %L', c, o, v), format('%I %s %L', c, o, v)
FROM (VALUES ('t', '~', '^[ab]'), ('t', '!~*', 'A'), ('a', '@>', '{a}'), ('a', '<@', '{a,b}'), ('a', '&&', '{b}'), ('j', '@>', '{"k": 1}'), ('j', '?', 'k'), ('j', '@?', '$.k'), ('n', '!=', '1')) AS c(c, o, v);
INSERT INTO steps SELECT 'where_pivot', format('%L, %L, %L', c, o, v), format('%I %s %L', c, o, v)
FROM (VALUES ('n', '2'), ('t', 'a'), ('d', '2020-02-01'), ('m', 'so so'), ('b', 'true'), ('a', '{a,b}')) AS c(c, v), unnest('{is distinct from,is not distinct from}'::text[]) o;
INSERT INTO steps SELECT 'where_pivot', format('%L, %L, %L', 'b', o, v), format('b %s %s', o, v) FROM unnest('{is,is not}'::text[]) o, unnest('{true,false}'::text[]) v;
INSERT INTO steps SELECT 'where_pivot', format('%L, %L, NULL', c, o), format('%I %s', c, r)
FROM unnest('{n,t,b,m,a,j}'::text[]) c, (VALUES ('=', 'IS NULL'), ('<>', 'IS NOT NULL'), ('!=', 'IS NOT NULL'), ('is', 'IS NULL'), ('is not', 'IS NOT NULL'),
	('is distinct from', 'IS NOT NULL'), ('is not distinct from', 'IS NULL')) AS o(o, r);
INSERT INTO steps SELECT 'where_pivot' || s, format('%L', c), format('%I %s', c, r) FROM unnest('{n,x,t,b,d,m,a,j}'::text[]) c, (VALUES ('_null', 'IS NULL'), ('_not_null', 'IS NOT NULL')) AS o(s, r);
INSERT INTO steps SELECT 'where_pivot' || s, format('%L, %L', c, l), CASE WHEN l = '{}' THEN (s = '_not_in')::text ELSE format('%I %s (SELECT unnest(%L::%s[]))', c, r, l, t) END
FROM (VALUES ('n', '{0,4,7}', 'int'), ('t', '{a,"it''s","a%"}', 'text'), ('m', '{happy}', 'mood'), ('d', '{infinity,2020-01-01}', 'date'), ('x', '{}', ''), ('t', '{}', '')) AS c(c, l, t),
	(VALUES ('_in', 'IN'), ('_not_in', 'NOT IN')) AS o(s, r);
INSERT INTO steps SELECT 'where_pivot', format('%L, %L, %L', c, o, l), format('%I %s (SELECT unnest(%L::%s[]))', c, o, l, t)
FROM (VALUES ('n', '{1,2}', 'int'), ('t', '{b,""}', 'text')) AS c(c, l, t), unnest('{in,NOT IN}'::text[]) o;
INSERT INTO steps SELECT 'where_pivot' || s, format('%L, %L, %L', c, low, high), format('%I %s %L AND %L', c, r, low, high)
FROM (VALUES ('n', '1', '3'), ('n', '3', '1'), ('x', '0.5', '1'), ('t', 'A', 'a'), ('d', '2020-01-15', 'infinity'), ('m', 'sad', 'so so')) AS c(c, low, high),
	(VALUES ('_between', 'BETWEEN'), ('_not_between', 'NOT BETWEEN')) AS o(s, r);
SELECT ok((SELECT count(*) > 200 FROM steps), 'there are steps of all kinds');

-- What a filter sees of a parent, by the functions and by the condition; NULL if it is the same.
CREATE FUNCTION difference(relation belongs_to_many, parent int, condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	wanted int[];
	results int[];
	predicate int[];
	deleted int[];
BEGIN
	EXECUTE format('SELECT COALESCE(array_agg(role_id ORDER BY role_id), ''{}'') FROM user_roles WHERE user_id = $1 AND (%s)', condition) INTO wanted USING parent;
	EXECUTE format('SELECT COALESCE(array_agg(role_id ORDER BY role_id), ''{}'') FROM user_roles WHERE %s', pivot_predicate(relation, parent)) INTO predicate;
	SELECT COALESCE(array_agg((result ->> 'id')::int ORDER BY (result ->> 'id')::int), '{}') INTO results FROM get_results(relation, parent);
	IF related_ids(relation, parent) <> to_jsonb(wanted) THEN
		RETURN format('related_ids: %s, should be %s', related_ids(relation, parent), wanted);
	ELSIF count_related(relation, parent) <> cardinality(wanted) THEN
		RETURN 'count_related';
	ELSIF results <> wanted THEN
		RETURN format('get_results: %s, should be %s', results, wanted);
	ELSIF predicate <> wanted THEN
		RETURN format('pivot_predicate: %s, should be %s', predicate, wanted);
	ELSIF NOT is_attached(relation, parent, wanted) THEN
		RETURN 'is_attached';
	END IF;
	-- what a write would touch, which is then undone
	BEGIN
		SELECT array_agg(i::int) INTO deleted FROM sync(relation, parent, '{}'), jsonb_array_elements_text(detached) i;
		RAISE SQLSTATE 'UNDO0';
	EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
		NULL;
	END;
	IF COALESCE(deleted, '{}') <> wanted THEN
		RETURN format('sync: %s, should be %s', deleted, wanted);
	END IF;
	RETURN NULL;
END $$;

-- Each step alone; then chains of them.
CREATE FUNCTION single() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	s steps;
	relation belongs_to_many;
BEGIN
	FOR s IN TABLE steps LOOP
		EXECUTE format('SELECT %s(''user_roles'', %s)', s.builder, s.arguments) INTO relation;
		RETURN QUERY SELECT s.builder || ' ' || s.arguments || ': ' || d FROM difference(relation, 1, s.condition) d WHERE d IS NOT NULL;
	END LOOP;
END $$;
CREATE FUNCTION chains(n int) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	s steps;
	relation belongs_to_many;
	condition text;
	is_or bool;
BEGIN
	FOR i IN 1 .. n LOOP
		relation := 'user_roles';
		condition := NULL;
		FOR j IN 1 .. 2 + floor(random() * 4) LOOP
			SELECT * INTO s FROM steps OFFSET floor(random() * (SELECT count(*) FROM steps)) LIMIT 1;
			is_or := random() < 0.5;
			EXECUTE format('SELECT %s%s($1, %s)', CASE WHEN is_or THEN 'or_' ELSE '' END, s.builder, s.arguments) INTO relation USING relation;
			condition := CASE WHEN condition IS NULL THEN s.condition ELSE format('(%s) %s (%s)', condition, CASE WHEN is_or THEN 'OR' ELSE 'AND' END, s.condition) END;
		END LOOP;
		RETURN QUERY SELECT relation::text || ' / ' || condition || ': ' || d FROM difference(relation, 1 + i % 3, condition) d WHERE d IS NOT NULL;
		-- and as it is written and read back
		RETURN QUERY SELECT 'text form of ' || relation::text || ': ' || d FROM difference(relation::text::belongs_to_many, 1 + i % 3, condition) d WHERE d IS NOT NULL;
	END LOOP;
END $$;
SELECT is_empty('SELECT * FROM single()', 'each step alone');
SELECT is_empty('SELECT * FROM chains(400)', 'chains of steps');

-- the same steps on the related rows, which reads alone have
CREATE TABLE related_steps AS
SELECT replace(builder, 'where_pivot', 'where_related') AS builder, replace(arguments, '''t''', '''name''') AS arguments, regexp_replace(condition, '^t ', 'name ') AS condition
FROM steps WHERE builder = 'where_pivot' AND arguments LIKE '''t'',%'
UNION ALL SELECT 'where_related', replace(arguments, '''n''', '''rank'''), 'rank' || substr(condition, 2) FROM steps WHERE builder = 'where_pivot' AND arguments LIKE '''n'',%';
CREATE FUNCTION related(n int) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	s steps;
	relation belongs_to_many;
	condition text;
	wanted jsonb;
	got jsonb;
BEGIN
	FOR i IN 1 .. n LOOP
		SELECT * INTO s FROM steps OFFSET floor(random() * (SELECT count(*) FROM steps)) LIMIT 1;
		EXECUTE format('SELECT %s(''user_roles'', %s)', s.builder, s.arguments) INTO relation;
		condition := 'p.' || ltrim(s.condition);
		IF s.condition IN ('true', 'false') THEN
			condition := s.condition;
		END IF;
		SELECT * INTO s FROM related_steps OFFSET floor(random() * (SELECT count(*) FROM related_steps)) LIMIT 1;
		EXECUTE format('SELECT %s($1, %s)', s.builder, s.arguments) INTO relation USING relation;
		EXECUTE format('SELECT COALESCE(jsonb_agg(p.role_id ORDER BY p.role_id), ''[]'') FROM user_roles p JOIN roles r ON r.id = p.role_id WHERE p.user_id = $1 AND (%s) AND (r.%s)',
			condition, s.condition) INTO wanted USING 1 + i % 3;
		got := related_ids(relation, 1 + i % 3);
		IF got <> wanted OR count_related(relation, 1 + i % 3) <> jsonb_array_length(wanted)
			OR (SELECT count(*) FROM get_results(relation, 1 + i % 3)) <> jsonb_array_length(wanted)
			OR (SELECT jsonb_array_length(results) FROM get_results_for(relation, ARRAY[1 + i % 3])) <> jsonb_array_length(wanted) THEN
			RETURN NEXT relation::text || ': ' || got || ', should be ' || wanted;
		END IF;
	END LOOP;
END $$;
SELECT is_empty('SELECT * FROM related(300)', 'filters on both sides');

SELECT * FROM finish();
ROLLBACK;
