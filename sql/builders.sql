--
-- Builders: every function that returns a changed copy of a relation
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA builders;
SET search_path = builders, m2m;

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE users (id bigint PRIMARY KEY, name text);
CREATE TABLE roles (id int PRIMARY KEY, name text, rank int, raw json);
CREATE TABLE user_roles (
	user_id bigint REFERENCES users,
	role_id int REFERENCES roles,
	status varchar(8),
	level int,
	score numeric(6,2),
	tags text[],
	data jsonb,
	raw json,
	during daterange,
	born date,
	seen timestamptz,
	code char(3),
	feeling mood,
	amount positive,
	flag boolean,
	addr inet,
	place point,
	size interval,
	created_at timestamptz,
	updated_at timestamptz,
	PRIMARY KEY (user_id, role_id));
INSERT INTO users VALUES (1, 'Ada'), (2, 'Bob');
INSERT INTO roles SELECT i, 'role ' || i, i % 3, '{}' FROM generate_series(1, 6) AS i;
INSERT INTO user_roles (user_id, role_id, status, level, score, tags, data, during, born, seen, code,
	feeling, amount, flag, addr, size)
SELECT u, r, s, l, sc, t, d, du, b, se, c, f, a, fl, ad, si FROM (VALUES
	(1, 'active', 1, 1.5, '{a,b}'::text[], '{"x": 1}'::jsonb, '[2020-01-01,2020-02-01)'::daterange, '2020-01-01'::date, '2020-01-01 12:00 UTC'::timestamptz, 'aa', 'sad'::mood, 1, true, '10.0.0.1'::inet, '1 day'::interval),
	(2, 'paused', 2, 2, '{b}', '{"x": 2, "y": null}', '[2020-02-01,2020-03-01)', '2020-02-01', '2020-02-01 12:00 UTC', 'bb', 'ok', 2, false, '10.0.0.2', '24 hours'),
	(3, 'Active', 3, 3, '{}', '["y"]', 'empty', '2020-03-01', '2020-03-01 12:00 UTC', 'c', 'happy', 3, true, '10.1.0.0/16', '2 days'),
	(4, 'a%c', 4, 4, '{a,NULL}', '"y"', '(,)', '1999-12-31', '1999-12-31 23:00 UTC', 'dd', 'ok', 4, NULL, '::1', '1 mon'),
	(5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
	) AS v(r, s, l, sc, t, d, du, b, se, c, f, a, fl, ad, si), generate_series(1, 2) AS u;
SELECT create_relation('user_roles', belongs_to_many('users', 'roles'));

-- The error that a query raises.
CREATE FUNCTION error_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	EXECUTE query;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN format('%s: %s', SQLSTATE, SQLERRM)
		|| CASE WHEN detail <> '' THEN E'\n  DETAIL:  ' || detail ELSE '' END
		|| CASE WHEN hint <> '' THEN E'\n  HINT:  ' || hint ELSE '' END;
END
$$;
\pset format unaligned
\pset tuples_only on

-- ---- all of them: a copy is changed, not the argument; no relation, no result

SELECT r, with_pivot(r, 'level'), r FROM (SELECT 'user_roles'::belongs_to_many) AS s(r);
SELECT p.oid::regprocedure, error_of(format('SELECT %s(NULL::belongs_to_many%s)', p.proname,
	(SELECT string_agg(', NULL::' || CASE t WHEN '"any"'::regtype THEN 'int' ELSE t::regtype::text END, '' ORDER BY i)
	 FROM unnest(p.proargtypes) WITH ORDINALITY AS a(t, i) WHERE i > 1)))
FROM pg_proc p
WHERE p.prorettype = 'belongs_to_many'::regtype AND p.proargtypes[0] = 'belongs_to_many'::regtype
	AND p.provariadic = 0
ORDER BY p.oid::regprocedure::text COLLATE "C";
SELECT error_of($$SELECT with_pivot(NULL, 'level')$$);

-- named notation
SELECT related_ids(where_pivot(relation => 'user_roles', pivot_column => 'level', value => 2), 1),
	related_ids(where_pivot(relation => 'user_roles', pivot_column => 'level', operator => '<', value => 2), 1),
	related_ids(where_pivot_in(relation => 'user_roles', pivot_column => 'level', list => '{2}'), 1),
	related_ids(where_pivot_not_between(relation => 'user_roles', pivot_column => 'level', low => 2, high => 3), 1),
	related_ids(where_related(relation => 'user_roles', related_column => 'rank', value => 2), 1),
	related_ids(take(relation => order_by(relation => order_by_pivot(relation => 'user_roles', pivot_column => 'level',
		direction => 'asc'), related_column => 'rank', direction => 'asc'), max_rows => 1, skip => 1), 1);
SELECT with_timestamps(relation => pivot_as(relation => morph(relation => with_pivot_value(
	relation => inverse(relation => 'user_roles'), pivot_column => 'level', value => 1),
	type_column => 'status', type_value => 'x'), name => 'link'), created_at => 'seen', updated_at => NULL);

-- ---- with_pivot

SELECT with_pivot('user_roles', 'level', 'status');
SELECT with_pivot(with_pivot(with_pivot('user_roles', 'level', 'level'), 'status', 'level'), VARIADIC '{score}');
SELECT with_pivot('user_roles', VARIADIC '{}');
-- keys are always there
SELECT get_results(with_pivot('user_roles', 'level', 'role_id'), 1) LIMIT 1;
SELECT error_of($$SELECT with_pivot('user_roles', 'levle')$$);
SELECT error_of($$SELECT with_pivot('user_roles', 'level', 'Level')$$);
SELECT error_of($$SELECT with_pivot('user_roles', 'level', NULL)$$);
SELECT error_of($$SELECT with_pivot('user_roles', VARIADIC NULL)$$);
SELECT error_of($$SELECT with_pivot('user_roles', 'name')$$);
SELECT error_of($$SELECT with_pivot('user_roles', 'tableoid')$$);

-- ---- with_timestamps

SELECT with_timestamps('user_roles');
SELECT with_timestamps('user_roles', 'seen', NULL);
SELECT with_timestamps(with_timestamps('user_roles', NULL, NULL), updated_at => 'seen');
SELECT error_of($$SELECT with_timestamps('user_roles', 'create_at')$$);
SELECT error_of($$SELECT with_timestamps('user_roles', 'created_at', 'role_id')$$);
SELECT error_of($$SELECT attach(with_timestamps('user_roles', 'seen', 'seen'), 1, 6)$$);
BEGIN;
SELECT attach(with_timestamps('user_roles'), 1, 6);
SELECT attach(with_timestamps('user_roles', 'seen', NULL), 2, 6, '{"level": 1}');
SELECT user_id, created_at = now(), updated_at = now(), seen = now() FROM user_roles WHERE role_id = 6 ORDER BY 1;
SELECT update_existing_pivot(with_timestamps('user_roles', NULL), 2, 6, '{"level": 1}');
SELECT updated_at IS NULL FROM user_roles WHERE role_id = 6 AND user_id = 2;
SELECT update_existing_pivot(with_timestamps('user_roles', NULL), 2, 6, '{"level": 2}');
SELECT updated_at = now() FROM user_roles WHERE role_id = 6 AND user_id = 2;
-- an explicit attribute wins
SELECT update_existing_pivot(with_timestamps('user_roles'), 2, 6,
	'{"level": 3, "updated_at": "2000-01-01 00:00 UTC"}');
SELECT attach(with_timestamps('user_roles'), 1, 6, '{"created_at": null}', 'update');
SELECT user_id, updated_at = '2000-01-01 00:00 UTC' AS given, created_at IS NULL FROM user_roles WHERE role_id = 6 ORDER BY 1;
-- the columns are in results
SELECT result->'pivot' ? 'created_at', result->'pivot' ? 'updated_at', result->'pivot' ? 'seen'
FROM get_results(with_timestamps('user_roles', 'seen'), 1) LIMIT 1;
ROLLBACK;

-- ---- with_pivot_value, morph

SELECT with_pivot_value('user_roles', 'status', 'x');
SELECT with_pivot_value(with_pivot_value(with_pivot_value('user_roles', 'status', 'x'), 'level', 1), 'status', 'y');
SELECT morph(morph('user_roles', 'status', 'x'), 'code', NULL);
-- it filters, and is what attach writes; NULL is a value
BEGIN;
SELECT related_ids(with_pivot_value('user_roles', 'status', 'active'), 1),
	related_ids(with_pivot_value('user_roles', 'status', NULL), 1);
SELECT attach(with_pivot_value(with_pivot_value('user_roles', 'status', 'new'), 'level', NULL), 1, 6);
SELECT status, level FROM user_roles WHERE user_id = 1 AND role_id = 6;
SELECT * FROM toggle(with_pivot_value(with_pivot_value('user_roles', 'status', 'new'), 'level', NULL), 1, 6);
-- an explicit attribute overrides it
SELECT attach(with_pivot_value('user_roles', 'status', 'new'), 1, 6, '{"status": "other"}');
SELECT status FROM user_roles WHERE user_id = 1 AND role_id = 6;
SELECT related_ids(with_pivot_value('user_roles', 'status', 'new'), 1);
ROLLBACK;
-- any type of value; it is kept as the column holds it
PREPARE untyped AS SELECT with_pivot_value('user_roles', 'score', $1);
PREPARE typed (numeric) AS SELECT with_pivot_value('user_roles', 'score', $1);
EXECUTE untyped('2.345');
EXECUTE typed(2.345);
DEALLOCATE ALL;
SELECT with_pivot_value('user_roles', 'score', 2), with_pivot_value('user_roles', 'score', 2::text),
	with_pivot_value('user_roles', 'score', '2'::jsonb), with_pivot_value('user_roles', 'score', '"2"'::json),
	with_pivot_value('user_roles', 'score', NULL::int), with_pivot_value('user_roles', 'score', 'null'::jsonb);
SELECT with_pivot_value('user_roles', 'code', 'c'), with_pivot_value('user_roles', 'flag', true),
	with_pivot_value('user_roles', 'flag', 'no'), with_pivot_value('user_roles', 'tags', ARRAY['a', 'b']),
	with_pivot_value('user_roles', 'data', '{"b":1,"a":2}'), with_pivot_value('user_roles', 'data', 'null'::jsonb),
	with_pivot_value('user_roles', 'data', '{"b":1}'::json);
SET datestyle = 'SQL, DMY';
SET timezone = 'Asia/Tokyo';
SET intervalstyle = 'iso_8601';
SELECT with_pivot_value('user_roles', 'born', '01/02/2020'), with_pivot_value('user_roles', 'born', '2020-02-01'::date),
	with_pivot_value('user_roles', 'seen', '01/02/2020 21:00'), with_pivot_value('user_roles', 'size', 'P1DT2H');
SELECT related_ids(with_pivot_value('user_roles', 'born', '01/02/2020'), 1),
	related_ids(with_pivot_value('user_roles', 'seen', '01/02/2020 21:00'), 1),
	related_ids(with_pivot_value('user_roles', 'size', 'P1D'), 1);
RESET datestyle;
RESET timezone;
RESET intervalstyle;
SELECT related_ids(with_pivot_value('user_roles', 'code', 'c'), 1), related_ids(with_pivot_value('user_roles', 'score', 2), 1),
	related_ids(with_pivot_value('user_roles', 'tags', '{b}'), 1), related_ids(with_pivot_value('user_roles', 'data', '{"x":1}'), 1),
	related_ids(with_pivot_value('user_roles', 'feeling', 'ok'), 1), related_ids(with_pivot_value('user_roles', 'amount', 3), 1),
	related_ids(with_pivot_value('user_roles', 'during', '[2020-01-01,2020-01-31]'), 1);
SELECT error_of($$SELECT with_pivot_value('user_roles', 'role_id', 1)$$);
SELECT error_of($$SELECT morph('user_roles', 'user_id', '1')$$);
SELECT error_of($$SELECT with_pivot_value('user_roles', 'levell', 1)$$);
SELECT error_of($$SELECT with_pivot_value('user_roles', NULL, 1)$$);
SELECT error_of($$SELECT morph('user_roles', NULL, 'x')$$);
SELECT error_of($$SELECT with_pivot_value('user_roles', 'level', 'x')$$);
SELECT error_of($$SELECT with_pivot_value('user_roles', 'level', 1.5)$$);
SELECT error_of($$SELECT with_pivot_value('user_roles', 'level', 3000000000)$$);
SELECT error_of($$SELECT with_pivot_value('user_roles', 'status', 'much too long')$$);
SELECT error_of($$SELECT with_pivot_value('user_roles', 'feeling', 'fine')$$);
SELECT error_of($$SELECT with_pivot_value('user_roles', 'amount', 0)$$);
SELECT error_of($$SELECT with_pivot_value('user_roles', 'status', ARRAY['x'])$$);
SELECT error_of($$SELECT with_pivot_value('user_roles', 'raw', '{}')$$);
SELECT error_of($$SELECT with_pivot_value('user_roles', 'place', '(1,2)')$$);
-- NULL asks nothing of the type
SELECT related_ids(with_pivot_value('user_roles', 'raw', NULL), 1);
-- a column has one value
SELECT error_of($$SELECT attach(with_timestamps(with_pivot_value('user_roles', 'created_at', '2020-01-01')), 1, 6)$$);

-- ---- where_pivot

SELECT where_pivot('user_roles', 'status', 'x'), where_pivot('user_roles', 'level', '<=', 3);
SELECT related_ids(where_pivot('user_roles', 'status', 'active'), 1),
	related_ids(where_pivot('user_roles', 'status', 'active'::text), 1),
	related_ids(where_pivot('user_roles', 'status', 'active'::varchar), 1),
	related_ids(where_pivot('user_roles', 'status', 'active'::name), 1),
	related_ids(where_pivot('user_roles', 'status', '"active"'::jsonb), 1);
SELECT related_ids(where_pivot('user_roles', 'level', 2), 1), related_ids(where_pivot('user_roles', 'level', 2::bigint), 1),
	related_ids(where_pivot('user_roles', 'level', '2'), 1), related_ids(where_pivot('user_roles', 'level', '2'::json), 1),
	related_ids(where_pivot('user_roles', 'score', 2::float8), 1), related_ids(where_pivot('user_roles', 'amount', 2), 1),
	related_ids(where_pivot('user_roles', 'feeling', 'ok'), 1), related_ids(where_pivot('user_roles', 'feeling', 'ok'::mood), 1),
	related_ids(where_pivot('user_roles', 'flag', true), 1), related_ids(where_pivot('user_roles', 'flag', 'f'), 1),
	related_ids(where_pivot('user_roles', 'code', 'bb '), 1), related_ids(where_pivot('user_roles', 'size', '1 day'), 1);
PREPARE eq AS SELECT related_ids(where_pivot('user_roles', 'level', $1), 1);
PREPARE op AS SELECT related_ids(where_pivot('user_roles', $1, $2, $3), 1);
EXECUTE eq('2');
EXECUTE eq(NULL);
EXECUTE op('level', '>', '2');
EXECUTE op('status', 'LIKE', 'a%');
DEALLOCATE ALL;
-- each step is AND-ed
SELECT related_ids(where_pivot(where_pivot('user_roles', 'level', '>', 1), 'level', '<', 4), 1),
	related_ids(where_pivot(where_pivot('user_roles', 'level', 1), 'level', 2), 1);
-- a filter may be on a key
SELECT related_ids(where_pivot('user_roles', 'role_id', '>', 3), 1);
-- and may name a value that a domain does not have
SELECT related_ids(where_pivot('user_roles', 'amount', '>', 0), 1), related_ids(where_pivot('user_roles', 'amount', -1), 1);

-- operators, by name
SELECT o, related_ids(where_pivot('user_roles', 'level', o, 2), 1)
FROM unnest(ARRAY['=', '<>', '!=', '<', '<=', '>', '>=', ' = ', 'pg_catalog.>', 'OPERATOR(pg_catalog.<)',
	'operator ( "pg_catalog".>= )', 'is', 'is not', 'IS Distinct  FROM', E'is\nnot\tdistinct from']) AS o;
SELECT o, v, related_ids(where_pivot('user_roles', c, o, v), 1)
FROM (VALUES
	('status', 'like', 'a%'), ('status', 'LIKE', 'a\%c'), ('status', 'not like', 'a%'), ('status', 'Not  ILike', 'A%'),
	('status', 'iLIKE', 'ACT%'), ('status', '~~', '%e'), ('status', '~', '^a'), ('status', '!~*', '^a'), ('status', '^@', 'pa'),
	('code', 'like', 'c%'), ('level', 'in', '{1,3}'), ('level', 'IN', '[2,3]'), ('level', 'Not In', '{1,3}'), ('level', 'in', '{}'),
	('level', 'between', '{2,3}'), ('level', 'NOT BETWEEN', '[2,3]'),
	('tags', '@>', '{b}'), ('tags', '<@', '{b}'), ('tags', '&&', '{a,c}'), ('tags', '=', '{}'), ('tags', '<', '{a,c}'),
	('data', '?', 'y'), ('data', '?|', '{x,z}'), ('data', '?&', '{x,y}'), ('data', '@>', '{"x": 2}'), ('data', '@?', '$.x ? (@ > 1)'),
	('data', '=', '["y"]'), ('data', '<@', '["y", "z"]'),
	('during', '@>', '[2020-01-10,2020-01-20)'), ('during', '&&', '[2020-02-10,)'), ('during', '<<', '[2020-02-10,2020-02-11)'),
	('during', '=', 'empty'), ('during', '-|-', '[2020-03-01,)'),
	('born', '>=', '2020-02-01'), ('seen', '<', '2020-01-01 00:00 UTC'), ('size', '<=', '1 day'), ('feeling', '>', 'sad'),
	('addr', '<<', '10.0.0.0/8'), ('addr', '>>=', '10.1.2.3'), ('flag', 'is', 'true'), ('flag', 'is not', 'true'),
	('flag', '<>', 'true')
	) AS t(c, o, v);
SELECT related_ids(where_pivot('user_roles', 'place', '~=', '(1,2)'), 1),
	related_ids(where_pivot('user_roles', 'tags', '@>', ARRAY['b']), 1),
	related_ids(where_pivot('user_roles', 'during', '&&', daterange('2020-02-10', NULL)), 1),
	related_ids(where_pivot('user_roles', 'data', '@>', '{"x": 2}'::jsonb), 1),
	related_ids(where_pivot('user_roles', 'data', '?|', ARRAY['x', 'z']), 1),
	related_ids(where_pivot('user_roles', 'data', '?', 'y'::text), 1),
	related_ids(where_pivot('user_roles', 'level', 'in', ARRAY[1, 2]), 1),
	related_ids(where_pivot('user_roles', 'level', 'not between', ARRAY[2, 3]), 1);
-- NULL
SELECT o, related_ids(where_pivot('user_roles', 'status', o, NULL), 1),
	related_ids(where_pivot('user_roles', 'data', o, NULL::jsonb), 1),
	related_ids(where_pivot('user_roles', 'place', o, NULL::int), 1)
FROM unnest(ARRAY['=', '<>', '!=', 'is', 'is not', 'is distinct from', 'is not distinct from', 'is null', 'IS NOT NULL']) AS o;
SELECT related_ids(where_pivot('user_roles', 'level', NULL), 1),
	related_ids(where_pivot('user_roles', 'level', '=', 'null'::jsonb), 1),
	related_ids(where_pivot('user_roles', 'data', '=', 'null'::jsonb), 1);
SELECT o, error_of(format($$SELECT where_pivot('user_roles', 'status', %L, NULL)$$, o))
FROM unnest(ARRAY['<', 'like', 'not ilike', '~', 'in', 'between', 'pg_catalog.<']) AS o;
-- what is no operator, or not one of the column
SELECT o, error_of(format($$SELECT where_pivot('user_roles', 'level', %L, 1)$$, o))
FROM unnest(ARRAY['', ' ', 'lik', 'is  nul', 'equals', '; drop table users; --', '<=>', '->', '+', 'like', '@>', 'is null',
	'pg_catalog.', '.=', 'a.b.=', '"pg_catalog.=', 'nowhere.=', 'builders.=', 'operator(=', 'operator', 'not', '!']) AS o;
SELECT error_of($$SELECT where_pivot('user_roles', 'level', NULL, 1)$$);
SELECT error_of($$SELECT where_pivot('user_roles', 'levels', 1)$$);
SELECT error_of($$SELECT where_pivot('user_roles', NULL, 1)$$);
SELECT error_of($$SELECT where_pivot('user_roles', 'level', 'x')$$);
SELECT error_of($$SELECT where_pivot('user_roles', 'level', '>', 'x'::text)$$);
SELECT error_of($$SELECT where_pivot('user_roles', 'level', ARRAY[1])$$);
SELECT error_of($$SELECT where_pivot('user_roles', 'status', ARRAY['active'])$$);
SELECT error_of($$SELECT where_pivot('user_roles', 'feeling', 'fine')$$);
SELECT error_of($$SELECT where_pivot('user_roles', 'born', '2020-02-30')$$);
SELECT error_of($$SELECT where_pivot('user_roles', 'during', '@>', '2020-01-01')$$);
SELECT error_of($$SELECT where_pivot('user_roles', 'raw', '{}')$$);
SELECT error_of($$SELECT where_pivot('user_roles', 'raw', 'is', '{}')$$);
SELECT error_of($$SELECT where_pivot('user_roles', 'place', '(1,2)')$$);
SELECT error_of($$SELECT where_pivot('user_roles', 'data', '?', NULL)$$);

-- ---- where_pivot_in, where_pivot_not_in

SELECT where_pivot_in('user_roles', 'level', '{1,2}'), where_pivot_not_in('user_roles', 'level', ARRAY[3]);
SELECT related_ids(where_pivot_in('user_roles', 'level', '{1,3}'), 1), related_ids(where_pivot_in('user_roles', 'level', ARRAY[1,3]), 1),
	related_ids(where_pivot_in('user_roles', 'level', ARRAY[1,3]::bigint[]), 1), related_ids(where_pivot_in('user_roles', 'level', ARRAY['1','3']), 1),
	related_ids(where_pivot_in('user_roles', 'level', '[1,"3"]'), 1), related_ids(where_pivot_in('user_roles', 'level', '[1,3]'::jsonb), 1),
	related_ids(where_pivot_in('user_roles', 'level', '[1,3]'::json), 1), related_ids(where_pivot_in('user_roles', 'level', '{1,3}'::text), 1);
SELECT related_ids(where_pivot_not_in('user_roles', 'level', '{1,3}'), 1), related_ids(where_pivot_not_in('user_roles', 'level', '[1]'::jsonb), 1),
	related_ids(where_pivot_in('user_roles', 'status', '{active,"a%c"}'), 1), related_ids(where_pivot_in('user_roles', 'status', '["active"]'), 1),
	related_ids(where_pivot_in('user_roles', 'born', ARRAY['2020-01-01'::date]), 1), related_ids(where_pivot_in('user_roles', 'flag', '{t}'), 1),
	related_ids(where_pivot_in('user_roles', 'tags', ARRAY['{}', '{b}']), 1), related_ids(where_pivot_in('user_roles', 'data', '[{"x": 1}, "y"]'), 1),
	related_ids(where_pivot_in('user_roles', 'feeling', ARRAY['sad', 'ok']::mood[]), 1), related_ids(where_pivot_in('user_roles', 'amount', '{0,1}'), 1);
PREPARE untyped AS SELECT related_ids(where_pivot_in('user_roles', 'level', $1), 1);
EXECUTE untyped('{1,2}');
EXECUTE untyped('[]');
DEALLOCATE ALL;
-- a list is one comparison, by which an index can be searched, where the type has arrays
SELECT pivot_predicate(where_pivot_in('user_roles', 'level', '{1,2}'));
SELECT pivot_predicate(where_pivot_not_in('user_roles', 'status', ARRAY['a,b', 'NULL', '"\{}', 'it''s']));
SELECT pivot_predicate(where_pivot_in('user_roles', 'code', '{a,b}')), pivot_predicate(where_pivot_in('user_roles', 'feeling', '{ok,sad}')),
	pivot_predicate(where_pivot_in('user_roles', 'amount', '{1,2}')), pivot_predicate(where_pivot_in('user_roles', 'tags', ARRAY['{a}', '{b}'])),
	pivot_predicate(where_pivot_in('user_roles', 'level', '{1}'));
SELECT related_ids(where_pivot_in('user_roles', 'status', ARRAY['a%c', 'NULL', '"\{}', 'it''s', 'a,b']), 1),
	related_ids(where_pivot_not_in('user_roles', 'status', ARRAY['a%c', 'NULL', '"\{}', 'it''s', 'a,b']), 1),
	related_ids(where_pivot_in('user_roles', 'code', '{aa,c}'), 1), related_ids(where_pivot_in('user_roles', 'during', '["empty","(,)"]'), 1);
-- an empty list is false, and its negation true
SELECT related_ids(where_pivot_in('user_roles', 'level', '{}'), 1), related_ids(where_pivot_in('user_roles', 'level', '[]'::jsonb), 1),
	related_ids(where_pivot_in('user_roles', 'level', ARRAY[]::int[]), 1),
	related_ids(where_pivot_not_in('user_roles', 'level', '{}'), 1), related_ids(where_pivot_not_in('user_roles', 'level', ARRAY[]::int[]), 1);
SELECT error_of($$SELECT where_pivot_in('user_roles', 'level', NULL)$$);
SELECT error_of($$SELECT where_pivot_in('user_roles', 'level', NULL::int[])$$);
SELECT error_of($$SELECT where_pivot_not_in('user_roles', 'level', ARRAY[1,NULL])$$);
SELECT error_of($$SELECT where_pivot_in('user_roles', 'level', '{NULL}')$$);
SELECT error_of($$SELECT where_pivot_in('user_roles', 'level', '[null]'::jsonb)$$);
SELECT error_of($$SELECT where_pivot_in('user_roles', 'level', 1)$$);
SELECT error_of($$SELECT where_pivot_in('user_roles', 'level', '1')$$);
SELECT error_of($$SELECT where_pivot_in('user_roles', 'level', '1,2')$$);
SELECT error_of($$SELECT where_pivot_in('user_roles', 'level', '1'::jsonb)$$);
SELECT error_of($$SELECT where_pivot_in('user_roles', 'level', '{"a": 1}'::jsonb)$$);
SELECT error_of($$SELECT where_pivot_in('user_roles', 'level', '{1,x}')$$);
SELECT error_of($$SELECT where_pivot_in('user_roles', 'level', '[1')$$);
SELECT error_of($$SELECT where_pivot_in('user_roles', 'raw', '{}')$$);
SELECT error_of($$SELECT where_pivot_in('user_roles', 'lvl', '{}')$$);

-- ---- where_pivot_null, where_pivot_not_null

SELECT related_ids(where_pivot_null('user_roles', 'status'), 1), related_ids(where_pivot_not_null('user_roles', 'raw'), 1),
	related_ids(where_pivot_not_null('user_roles', 'flag'), 1);
SELECT error_of($$SELECT where_pivot_null('user_roles', 'statu')$$);
SELECT error_of($$SELECT where_pivot_not_null('user_roles', NULL)$$);

-- ---- where_pivot_between, where_pivot_not_between

SELECT where_pivot_between('user_roles', 'level', 2, 3), where_pivot_not_between('user_roles', 'born', '2020-01-01', 'infinity');
SELECT related_ids(where_pivot_between('user_roles', 'level', 2, 3), 1), related_ids(where_pivot_between('user_roles', 'level', '2', 3), 1),
	related_ids(where_pivot_between('user_roles', 'level', 2, '3'), 1), related_ids(where_pivot_between('user_roles', 'level', '2', '3'), 1),
	related_ids(where_pivot_between('user_roles', 'level', 2::text, '3'::jsonb), 1), related_ids(where_pivot_between('user_roles', 'level', 3, 2), 1),
	related_ids(where_pivot_not_between('user_roles', 'level', 2, 3), 1), related_ids(where_pivot_not_between('user_roles', 'level', '2', 3), 1),
	related_ids(where_pivot_not_between('user_roles', 'level', 3, '2'), 1), related_ids(where_pivot_not_between('user_roles', 'level', '2', '3'), 1),
	related_ids(where_pivot_between('user_roles', 'feeling', 'ok', 'happy'), 1), related_ids(where_pivot_between('user_roles', 'amount', 0, 2), 1);
PREPARE low AS SELECT related_ids(where_pivot_between('user_roles', 'level', $1, 3), 1);
PREPARE high AS SELECT related_ids(where_pivot_between('user_roles', 'level', 2, $1), 1);
PREPARE bounds AS SELECT related_ids(where_pivot_between('user_roles', 'level', $1, $2), 1);
EXECUTE low('3');
EXECUTE high('3');
EXECUTE bounds('1', '2');
DEALLOCATE ALL;
SELECT error_of($$SELECT where_pivot_between('user_roles', 'level', NULL, 3)$$);
SELECT error_of($$SELECT where_pivot_not_between('user_roles', 'level', 1, NULL)$$);
SELECT error_of($$SELECT where_pivot_between('user_roles', 'level', 'x', 3)$$);
SELECT error_of($$SELECT where_pivot_between('user_roles', 'place', '(1,2)', '(3,4)')$$);
SELECT error_of($$SELECT where_pivot_between('user_roles', 'lev', 1, 3)$$);
SELECT error_of($$SELECT where_pivot('user_roles', 'level', 'between', '{1}')$$);
SELECT error_of($$SELECT where_pivot('user_roles', 'level', 'between', 1)$$);

-- ---- or_where_pivot…: OR with what stands so far

SELECT or_where_pivot_null(or_where_pivot(where_pivot('user_roles', 'level', 1), 'level', '>', 3), 'level');
SELECT related_ids(or_where_pivot(where_pivot('user_roles', 'level', 1), 'level', 3), 1),
	related_ids(or_where_pivot(where_pivot('user_roles', 'level', 1), 'level', '>=', 3), 1),
	related_ids(or_where_pivot_in(where_pivot('user_roles', 'level', 1), 'level', '{2,4}'), 1),
	related_ids(or_where_pivot_not_in(where_pivot('user_roles', 'level', 1), 'level', '{1,2,3}'), 1),
	related_ids(or_where_pivot_null(where_pivot('user_roles', 'level', 1), 'level'), 1),
	related_ids(or_where_pivot_not_null(where_pivot_null('user_roles', 'level'), 'flag'), 1),
	related_ids(or_where_pivot_between(where_pivot('user_roles', 'level', 1), 'level', 3, 4), 1),
	related_ids(or_where_pivot_not_between(where_pivot('user_roles', 'level', 2), 'level', '2', '3'), 1);
SELECT related_ids(or_where_pivot('user_roles', 'level', 1), 1),
	related_ids(or_where_pivot(where_pivot('user_roles', 'level', 1), 'level', NULL), 1),
	related_ids(or_where_pivot(where_pivot('user_roles', 'level', 1), 'level', 'is distinct from', 2), 1);
-- steps are folded from the left: (1 or 2) and 2; then or 3
SELECT related_ids(where_pivot(or_where_pivot(where_pivot('user_roles', 'level', 1), 'level', 2), 'level', '>', 1), 1),
	related_ids(or_where_pivot(where_pivot(or_where_pivot(where_pivot('user_roles', 'level', 1), 'level', 2), 'level', '>', 1), 'level', 3), 1);
-- it never reaches another parent's rows, nor beyond pivot values
SELECT related_ids(or_where_pivot(where_pivot(with_pivot_value('user_roles', 'flag', true), 'level', 1), 'level', '>', 1), 1);
SELECT related_ids(or_where_pivot('{"relation": "user_roles", "where": [{"column": "level", "value": 1, "or": true}]}', 'level', '>', 0), 3);
BEGIN;
SELECT detach(or_where_pivot(where_pivot('user_roles', 'level', 1), 'level', '>', 0), 1);
SELECT user_id, array_agg(role_id ORDER BY role_id) FROM user_roles GROUP BY 1 ORDER BY 1;
ROLLBACK;
-- a saved relation's own filter stands before what is added
SELECT create_relation('low', where_pivot('user_roles', 'level', '<', 3));
SELECT related_ids('low', 1), related_ids(where_pivot('low', 'level', '>', 1), 1), related_ids(or_where_pivot('low', 'level', 4), 1);
SELECT error_of($$SELECT or_where_pivot('user_roles', 'level', 'x')$$);
SELECT error_of($$SELECT or_where_pivot_in('user_roles', 'level', NULL)$$);
SELECT error_of($$SELECT or_where_pivot_between('user_roles', 'level', 1, NULL)$$);
SELECT error_of($$SELECT or_where_pivot('user_roles', 'level', '<', NULL)$$);

-- ---- where_related

SELECT where_related('user_roles', 'name', 'role 2'), where_related(where_related('user_roles', 'rank', '>', 0), 'name', 'like', '%3');
SELECT related_ids(where_related('user_roles', 'name', 'role 2'), 1), related_ids(where_related('user_roles', 'rank', 1), 1),
	related_ids(where_related('user_roles', 'rank', '<>', 1), 1), related_ids(where_related('user_roles', 'name', 'Like', '%3'), 1),
	related_ids(where_related('user_roles', 'rank', 'in', '{0,1}'), 1), related_ids(where_related('user_roles', 'raw', NULL), 1),
	related_ids(where_related('user_roles', 'id', 'between', ARRAY[2,3]), 1), related_ids(where_related(where_pivot('user_roles', 'level', '>', 1), 'rank', 1), 1);
SELECT count_related(where_related('user_roles', 'rank', 1), 1), is_attached(where_related('user_roles', 'rank', 1), 1, '{1,4}'),
	is_attached(where_related('user_roles', 'rank', 1), 1, '{1,2}');
SELECT result->'id' FROM get_results(where_related('user_roles', 'rank', 1), 1);
-- no write goes through it
SELECT error_of(format('SELECT * FROM %s(where_related(''user_roles'', ''rank'', 1), 1%s)', f, a))
FROM (VALUES ('attach', ', 6'), ('detach', ''), ('detach', ', 1'), ('sync', ', 1'), ('sync_without_detaching', ', 1'),
	('toggle', ', 1'), ('update_existing_pivot', ', 1, ''{"level": 9}''')) AS w(f, a);
SELECT error_of($$SELECT where_related('user_roles', 'nam', 'x')$$);
SELECT error_of($$SELECT where_related('user_roles', 'level', 1)$$);
SELECT error_of($$SELECT where_related('user_roles', NULL, 1)$$);
SELECT error_of($$SELECT where_related('user_roles', 'rank', 'x')$$);
SELECT error_of($$SELECT where_related('user_roles', 'rank', '<', NULL)$$);
SELECT error_of($$SELECT where_related('user_roles', 'rank', '@>', 1)$$);
SELECT error_of($$SELECT where_related('user_roles', 'raw', '{}')$$);

-- ---- order_by_pivot, order_by

SELECT order_by_pivot('user_roles', 'level'), order_by(order_by_pivot('user_roles', 'level', 'desc'), 'rank', 'desc nulls last');
CREATE FUNCTION ids(r belongs_to_many) RETURNS text LANGUAGE sql
RETURN (SELECT string_agg(result->>'id', ' ' ORDER BY o) FROM get_results(r, 1) WITH ORDINALITY AS g(result, o));
SELECT d, ids(order_by_pivot('user_roles', 'level', d))
FROM unnest(ARRAY['asc', 'desc', ' Desc ', 'ASC NULLS FIRST', 'asc nulls last', 'desc nulls first', E'desc\nnulls   LAST']) AS d;
SELECT ids(order_by(order_by('user_roles', 'rank'), 'id', 'desc')), ids(order_by(order_by_pivot('user_roles', 'flag'), 'id', 'desc')),
	ids(order_by_pivot(order_by('user_roles', 'rank', 'desc'), 'level', 'desc'));
SELECT error_of(format($$SELECT order_by('user_roles', 'rank', %L)$$, d))
FROM unnest(ARRAY['', 'down', 'asc desc', 'nulls first', 'ascnulls first', 'asc; drop table users', NULL]) AS d;
SELECT error_of($$SELECT order_by('user_roles', 'level')$$);
SELECT error_of($$SELECT order_by_pivot('user_roles', 'rank')$$);
SELECT error_of($$SELECT order_by('user_roles', 'rnak')$$);
SELECT error_of($$SELECT order_by_pivot('user_roles', NULL)$$);
SELECT error_of($$SELECT order_by('user_roles', 'raw')$$);
SELECT error_of($$SELECT order_by_pivot('user_roles', 'place')$$);

-- ---- take

SELECT take('user_roles', 2), take(take('user_roles', 2, 1), NULL), take('user_roles', NULL, NULL);
SELECT ids(take('user_roles', 2)), ids(take('user_roles', 2, 3)), ids(take('user_roles', NULL, 3)), ids(take('user_roles', 0)) IS NULL,
	ids(take('user_roles', 9223372036854775807, 4)), ids(take('user_roles', 1, 9223372036854775807)) IS NULL, ids(take(take('user_roles', 1), 2));
SELECT parent, jsonb_array_length(results) FROM get_results_for(take('user_roles', 2, 1), ARRAY[1, 2]);
SELECT error_of($$SELECT take('user_roles', -1)$$);
SELECT error_of($$SELECT take('user_roles', 1, -1)$$);
SELECT error_of($$SELECT take('user_roles', NULL, -1)$$);

-- ---- pivot_as

SELECT pivot_as('user_roles', 'membership'), pivot_as(pivot_as('user_roles', 'a'), 'The "b"');
SELECT get_results(take(pivot_as('user_roles', 'membership'), 1), 1);
SELECT error_of($$SELECT pivot_as('user_roles', '')$$);
SELECT error_of($$SELECT pivot_as('user_roles', NULL)$$);

-- ---- inverse

SELECT inverse('user_roles'), inverse(inverse('user_roles'));
SELECT inverse(with_timestamps(with_pivot_value(with_pivot(where_pivot(belongs_to_many('users', 'roles'), 'level', '>', 1), 'level'), 'flag', true)));
SELECT inverse(inverse(r))::text = r::text FROM (SELECT where_pivot(belongs_to_many('users', 'roles'), 'level', 1)) AS s(r);
SELECT related_ids(inverse('user_roles'), 1), related_ids(inverse(where_pivot('user_roles', 'user_id', '>', 1)), 1),
	related_ids(where_related(inverse('user_roles'), 'name', 'Bob'), 1), related_ids(where_pivot(inverse('low'), 'user_id', 1), 3),
	related_ids(inverse(belongs_to_many('users', 'roles')), 6);
BEGIN;
SELECT attach(inverse('user_roles'), 6, '{1,2}');
SELECT related_ids('user_roles', 1), related_ids('user_roles', 2);
ROLLBACK;
-- columns are those of the new related table; an order by those of the old one is dropped
SELECT order_by(inverse('user_roles'), 'name', 'desc');
SELECT inverse(order_by_pivot(order_by('user_roles', 'rank'), 'level'));
SELECT error_of($$SELECT order_by(inverse('user_roles'), 'rank')$$);
SELECT error_of($$SELECT inverse(where_related('user_roles', 'rank', 1))$$);
SELECT create_relation('top', where_related('user_roles', 'rank', 1));
SELECT error_of($$SELECT related_ids(inverse('top'), 1)$$);

-- ---- what a builder refuses is refused of the text form, too, when it is used or saved

SELECT f, error_of(format('SELECT count_related(%1$L, 1)', f)), error_of(format('SELECT create_relation(''refused'', %1$L)', f))
FROM (VALUES
	('{"relation": "user_roles", "order_by": [{"pivot": "raw"}]}'),
	('{"relation": "user_roles", "order_by": [{"related": "raw"}]}'),
	('{"relation": "user_roles", "where": [{"column": "raw", "value": "{}"}]}'),
	('{"relation": "user_roles", "where": [{"column": "place", "operator": "in", "value": ["(1,2)"]}]}'),
	('{"relation": "user_roles", "where": [{"column": "place", "operator": "is distinct from", "value": "(1,2)"}]}'),
	('{"relation": "user_roles", "where": [{"column": "place", "operator": "between", "value": ["(1,2)", "(3,4)"]}]}'),
	('{"relation": "user_roles", "where": [{"column": "level", "operator": "between", "value": ["1", "x"]}]}'),
	('{"relation": "user_roles", "where_related": [{"column": "raw", "operator": "not in", "value": ["{}"]}]}'),
	('{"relation": "user_roles", "pivot_values": {"raw": "{}"}}'),
	('{"relation": "user_roles", "pivot_values": {"status": "much too long"}}'),
	('{"relation": "user_roles", "pivot_values": {"role_id": 1}}'),
	('{"relation": "user_roles", "timestamps": {"created_at": "user_id"}}')) AS v(f);
-- null tests ask nothing of a type
SELECT count_related('{"relation": "user_roles", "where": [{"column": "raw", "value": null}], "pivot_values": {"place": null}}', 1);

-- ---- types of every kind

CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN pair_domain AS pair;
CREATE DOMAIN ints AS int[];
CREATE TABLE kinds (
	user_id bigint REFERENCES users, role_id int REFERENCES roles,
	p pair, pd pair_domain, i ints, m int4multirange, b box, x xid, t tid, n name, r regclass, f float8, bits bit(3),
	c "char", ba bytea, PRIMARY KEY (user_id, role_id));
INSERT INTO kinds SELECT 1, i, (i, 'x,"')::pair, (i, 'y')::pair, ARRAY[i, NULL], int4multirange(int4range(i, i + 2)),
	box(point(i, i), point(0, 0)), '5', '(0,1)', 'n' || i, 'users', i / 10.0, '101', 'c', '\x00ff'
FROM generate_series(1, 3) AS i;
SELECT create_relation('kinds', belongs_to_many('users', 'roles', 'kinds'));
SELECT c, related_ids(where_pivot('kinds', c, v), 1), related_ids(with_pivot_value('kinds', c, v), 1),
	related_ids(where_pivot('kinds', c, 'is not', v), 1), related_ids(where_pivot_in('kinds', c, ARRAY[v]), 1),
	related_ids(where_pivot_in('kinds', c, ARRAY[v, w]), 1), related_ids(where_pivot_not_in('kinds', c, ARRAY[v, w]), 1)
FROM (VALUES
	('p', '(1,"x,""")', '(2,"x,""")'), ('pd', '(1,y)', '(3,y)'), ('i', '{1,NULL}', '{3,NULL}'), ('m', '{[1,3)}', '{[2,4)}'),
	('b', '(1,1),(0,0)', '(3,3),(0,0)'), ('x', '5', '6'), ('t', '(0,1)', '(0,2)'), ('n', 'n1', 'n3'), ('r', 'users', 'roles'),
	('f', '0.1', '0.3'), ('bits', '101', '111'), ('c', 'c', 'd'), ('ba', '\x00ff', '\x01')) AS v(c, v, w);
SELECT related_ids(where_pivot('kinds', 'p', '>', '(1,zz)'), 1), related_ids(where_pivot('kinds', 'p', '*=', ROW(1, 'x,"')::pair), 1),
	related_ids(where_pivot('kinds', 'm', '@>', '{[2,3)}'), 1), related_ids(where_pivot('kinds', 'i', '&&', '{1,2}'), 1),
	related_ids(where_pivot('kinds', 'b', '@>', '(1.5,1.5),(0,0)'), 1), related_ids(where_pivot_between('kinds', 'p', '(1,z)', '(2,z)'), 1);

-- ---- operators of a type in a schema that is not in search_path

CREATE SCHEMA builders_types;
SET search_path = builders_types;
CREATE TYPE ci;
CREATE FUNCTION ci_in(cstring) RETURNS ci LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION ci_out(ci) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE ci (INPUT = ci_in, OUTPUT = ci_out, LIKE = text, CATEGORY = 'S');
CREATE CAST (ci AS text) WITHOUT FUNCTION AS IMPLICIT;
CREATE FUNCTION ci_eq(ci, ci) RETURNS bool LANGUAGE sql IMMUTABLE RETURN lower($1::text) = lower($2::text);
CREATE FUNCTION ci_ne(ci, ci) RETURNS bool LANGUAGE sql IMMUTABLE RETURN lower($1::text) <> lower($2::text);
CREATE FUNCTION ci_lt(ci, ci) RETURNS bool LANGUAGE sql IMMUTABLE RETURN lower($1::text) < lower($2::text);
CREATE FUNCTION ci_le(ci, ci) RETURNS bool LANGUAGE sql IMMUTABLE RETURN lower($1::text) <= lower($2::text);
CREATE FUNCTION ci_gt(ci, ci) RETURNS bool LANGUAGE sql IMMUTABLE RETURN lower($1::text) > lower($2::text);
CREATE FUNCTION ci_ge(ci, ci) RETURNS bool LANGUAGE sql IMMUTABLE RETURN lower($1::text) >= lower($2::text);
CREATE FUNCTION ci_like(ci, ci) RETURNS bool LANGUAGE sql IMMUTABLE RETURN $1::text ~~* $2::text;
CREATE FUNCTION ci_cmp(ci, ci) RETURNS int LANGUAGE sql IMMUTABLE RETURN bttextcmp(lower($1::text), lower($2::text));
CREATE OPERATOR = (LEFTARG = ci, RIGHTARG = ci, FUNCTION = ci_eq, COMMUTATOR = =, NEGATOR = <>);
CREATE OPERATOR <> (LEFTARG = ci, RIGHTARG = ci, FUNCTION = ci_ne, COMMUTATOR = <>, NEGATOR = =);
CREATE OPERATOR < (LEFTARG = ci, RIGHTARG = ci, FUNCTION = ci_lt);
CREATE OPERATOR <= (LEFTARG = ci, RIGHTARG = ci, FUNCTION = ci_le);
CREATE OPERATOR > (LEFTARG = ci, RIGHTARG = ci, FUNCTION = ci_gt);
CREATE OPERATOR >= (LEFTARG = ci, RIGHTARG = ci, FUNCTION = ci_ge);
CREATE OPERATOR ~~ (LEFTARG = ci, RIGHTARG = ci, FUNCTION = ci_like);
CREATE OPERATOR CLASS ci_ops DEFAULT FOR TYPE ci USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 ci_cmp(ci, ci);
CREATE DOMAIN ci_domain AS ci;
-- a function and an operator of one's own
CREATE FUNCTION ends_with(text, text) RETURNS bool LANGUAGE sql IMMUTABLE RETURN right($1, length($2)) = $2;
CREATE OPERATOR <%> (LEFTARG = text, RIGHTARG = text, FUNCTION = ends_with);
SET search_path = builders, m2m;

CREATE TABLE words (
	user_id bigint REFERENCES users, role_id int REFERENCES roles,
	word builders_types.ci, word2 builders_types.ci_domain, PRIMARY KEY (user_id, role_id));
INSERT INTO words VALUES (1, 1, 'Abc', 'Abc'), (1, 2, 'abC', 'abC'), (1, 3, 'xyz', 'xyz'), (1, 4, NULL, NULL);
SELECT create_relation('words', belongs_to_many('users', 'roles', 'words'));
SELECT where_pivot('words', 'word', 'ABC'), where_pivot('words', 'word', 'like', 'ab%');
SELECT c, related_ids(where_pivot('words', c, 'ABC'), 1), related_ids(where_pivot('words', c, '<>', 'ABC'), 1),
	related_ids(where_pivot('words', c, '>', 'ABC'), 1), related_ids(where_pivot('words', c, 'like', 'AB%'), 1),
	related_ids(where_pivot('words', c, 'is not distinct from', 'ABC'), 1), related_ids(where_pivot_in('words', c, '{ABC}'), 1),
	related_ids(where_pivot_between('words', c, 'ABC', 'ABCD'), 1), related_ids(with_pivot_value('words', c, 'ABC'), 1),
	related_ids(or_where_pivot(where_pivot_null('words', c), c, 'ABC'), 1)
FROM unnest(ARRAY['word', 'word2']) AS c;
-- in text form as well
SELECT related_ids('{"relation": "words", "where": [{"column": "word", "value": "ABC"}]}', 1),
	related_ids('{"relation": "words", "where": [{"column": "word", "operator": "pg_catalog.=", "value": "Abc"}]}', 1);
SELECT where_pivot('user_roles', 'status', 'builders_types.<%>', 'e'),
	related_ids(where_pivot('user_roles', 'status', 'OPERATOR(builders_types.<%>)', 'e'), 1);
SELECT error_of($$SELECT where_pivot('user_roles', 'status', '<%>', 'e')$$);
SET search_path = builders, m2m, builders_types;
SELECT where_pivot('user_roles', 'status', '<%>', 'e');
-- what a filter was made with it keeps
CREATE TEMP TABLE made AS SELECT where_pivot('user_roles', 'status', '<%>', 'e') AS r;
SET search_path = builders, m2m;
SELECT r, related_ids(r, 1) FROM made;

-- operators that came with the column's type have moved with it
CREATE TEMP TABLE moved AS
SELECT where_pivot('words', 'word', '<>', 'ABC') AS r UNION ALL SELECT where_pivot('words', 'word2', 'like', 'AB%');
SELECT create_relation('abc', where_pivot('words', 'word', 'ABC'));
SELECT r, related_ids(r, 1) FROM moved;
SELECT related_ids('abc', 1);
ALTER SCHEMA builders_types RENAME TO builders_types_2;
SELECT related_ids(r, 1) FROM moved;
SELECT related_ids('abc', 1);
-- others are not replaced by what happens to have their name
SELECT error_of(format('SELECT related_ids(%L, 1)', r)) FROM made;
CREATE SCHEMA builders_types;
CREATE OPERATOR builders_types.= (LEFTARG = text, RIGHTARG = text, FUNCTION = builders_types_2.ends_with);
CREATE TEMP TABLE unmoved AS SELECT where_pivot('user_roles', 'status', 'builders_types.=', 'active') AS r;
SELECT r, related_ids(r, 1) FROM unmoved;
DROP SCHEMA builders_types CASCADE;
SELECT error_of(format('SELECT related_ids(%L, 1)', r)) FROM unmoved;
ALTER SCHEMA builders_types_2 RENAME TO builders_types;

-- ---- a search_path that others have put things in

-- Somebody's operators and functions, which fit better than those of
-- pg_catalog, or stand before them. None of them is ever called.
CREATE SCHEMA builders_evil;
DO $$
DECLARE
	t text;
	o text;
BEGIN
	FOREACH t IN ARRAY '{int4,int8,text,varchar,bpchar,bool,numeric,anyarray,anyenum,jsonb}'::text[] LOOP
		EXECUTE format('CREATE FUNCTION builders_evil.op(%1$s, %1$s) RETURNS bool LANGUAGE plpgsql AS
			''BEGIN RAISE EXCEPTION ''''operator of %1$s hijacked''''; END''', t);
		FOREACH o IN ARRAY '{=,<>,<,<=,>,>=,~~,!~~,~~*,!~~*,@>,?}'::text[] LOOP
			EXECUTE format('CREATE OPERATOR builders_evil.%1$s (LEFTARG = %2$s, RIGHTARG = %2$s, FUNCTION = builders_evil.op)', o, t);
		END LOOP;
	END LOOP;
END
$$;
CREATE FUNCTION builders_evil.op(int8, int4) RETURNS bool LANGUAGE plpgsql AS
	'BEGIN RAISE EXCEPTION ''operator of int8, int4 hijacked''; END';
CREATE OPERATOR builders_evil.= (LEFTARG = int8, RIGHTARG = int4, FUNCTION = builders_evil.op);
CREATE FUNCTION builders_evil.op(varchar, text) RETURNS bool LANGUAGE plpgsql AS
	'BEGIN RAISE EXCEPTION ''operator of varchar, text hijacked''; END';
CREATE OPERATOR builders_evil.= (LEFTARG = varchar, RIGHTARG = text, FUNCTION = builders_evil.op);
DO $$
DECLARE
	f text;
BEGIN
	FOREACH f IN ARRAY '{now(),unnest(anyarray),lower(text),int4(int8),to_jsonb(anyelement)}'::text[] LOOP
		EXECUTE format('CREATE FUNCTION builders_evil.%1$s RETURNS int LANGUAGE plpgsql AS
			''BEGIN RAISE EXCEPTION ''''function %1$s hijacked''''; END''', f);
	END LOOP;
END
$$;
CREATE DOMAIN builders_evil.text AS pg_catalog.text CHECK (false);
CREATE DOMAIN builders_evil.int8 AS pg_catalog.int8 CHECK (false);
CREATE DOMAIN builders_evil.jsonb AS pg_catalog.jsonb CHECK (false);
CREATE TABLE samples (n int, r belongs_to_many);
CREATE FUNCTION fill() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO samples VALUES
		(1, where_pivot('user_roles', 'status', 'active')),
		(2, where_pivot('user_roles', 'status', 'active'::pg_catalog.varchar)),
		(3, where_pivot('user_roles', 'status', 'like', 'a%')),
		(4, where_pivot('user_roles', 'status', 'not ilike', 'a%')),
		(5, where_pivot('user_roles', 'level', '<', 3)),
		(6, where_pivot('user_roles', 'level', '!=', '3')),
		(7, where_pivot_in('user_roles', 'level', '{1,2}')),
		(8, where_pivot_between('user_roles', 'level', 1, 2)),
		(9, with_pivot_value('user_roles', 'status', 'active')),
		(10, where_pivot('user_roles', 'tags', '@>', '{b}')),
		(11, where_pivot('user_roles', 'feeling', 'ok')),
		(12, where_pivot('user_roles', 'data', '?', 'y')),
		(13, where_pivot('user_roles', 'code', 'aa')),
		(14, where_related('user_roles', 'name', 'role 1')),
		(15, where_pivot('user_roles', 'status', 'is distinct from', 'active')),
		(16, '{"relation": "user_roles", "where": [{"column": "status", "value": "active"},
			{"column": "level", "operator": "<", "value": 3}]}');
END
$$;
SELECT fill();
CREATE TABLE expected AS SELECT n, r::text AS r, related_ids(r, 1) FROM samples;
TRUNCATE samples;
-- at the end of search_path, where only an exact match is found, and before pg_catalog
SET search_path = builders, m2m, builders_evil;
SELECT fill();
SET search_path = builders_evil, pg_catalog, builders, m2m;
SELECT fill();
SET search_path = builders, m2m;
SELECT DISTINCT e.n, e.r = s.r::text AS same, e.related_ids FROM expected e JOIN samples s USING (n) ORDER BY 1;
SET search_path = builders_evil, pg_catalog, builders, m2m;
CREATE TEMP TABLE found AS SELECT n, related_ids(r, 1) AS ids FROM samples;
SET search_path = builders, m2m;
SELECT count(*) FROM found f JOIN expected e ON e.n = f.n AND e.related_ids = f.ids;
-- operations
BEGIN;
SET LOCAL search_path = builders_evil, pg_catalog, builders, m2m;
SELECT attach(with_timestamps(with_pivot_value('user_roles', 'status', 'new')), 1, '{6}', '{"level": 1}');
SELECT attach('user_roles', 1, '{5,6}', '{"level": 7}', 'update');
SELECT * FROM sync(where_pivot('user_roles', 'level', 'in', '{1,7}'), 1, '[{"role_id": 1, "status": "x"}]');
SELECT * FROM toggle('user_roles', 1, '{1,6}');
SELECT update_existing_pivot('user_roles', 1, '{6,2}', '{"level": 2}');
SELECT detach('user_roles', 1, '{3}');
SELECT related_ids('user_roles', 1), count_related('user_roles', 1), is_attached('user_roles', 1, '{2,6}');
SELECT count_related_for('user_roles', ARRAY[1,2]);
SELECT get_results(take(where_pivot('user_roles', 'level', 2), 1), 1);
SELECT results FROM get_results_for(take(with_pivot('user_roles', 'level'), 1), '{1}'::pg_catalog.int8[]);
SELECT create_relation_view(where_pivot(with_pivot('user_roles', 'status'), 'level', '<', 3), 'user_roles_view');
SELECT id, pivot_status FROM user_roles_view ORDER BY id;
ROLLBACK;

\pset tuples_only off
\pset format aligned
DROP SCHEMA builders, builders_types, builders_evil CASCADE;
