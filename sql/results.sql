--
-- get_results(): the related rows of one parent, as jsonb and as rows
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA results;
CREATE EXTENSION hstore SCHEMA results;
SET search_path = results, m2m;

-- ---- a row is what to_jsonb() makes of it, in every type

CREATE TYPE mood AS ENUM ('sad', 'so "so"', 'happy');
CREATE TYPE color AS ENUM ('red', 'green');
CREATE FUNCTION color_json(color) RETURNS json LANGUAGE sql IMMUTABLE
	RETURN json_build_object('color', $1::text);
CREATE CAST (color AS json) WITH FUNCTION color_json(color);
CREATE TYPE place AS (street text, "no" int, at timestamptz, tags text[]);
CREATE TYPE journey AS (start place, stops place[], mood mood, extra jsonb);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN moods AS mood[];
CREATE DOMAIN document AS jsonb;
CREATE DOMAIN amount AS numeric(10, 2);
CREATE DOMAIN full_place AS place CHECK (VALUE IS NULL OR (VALUE).street IS NOT NULL);
CREATE TABLE visit (gone int, id int, place place);
ALTER TABLE visit DROP gone;

CREATE TABLE every_type (
	c_bool bool, c_int2 int2, c_int4 int4, c_int8 int8, c_oid oid,
	c_float4 float4, c_float8 float8, c_numeric numeric, c_numeric_scale numeric(12, 4), c_money money,
	c_text text, c_varchar varchar(10), c_bpchar char(6), c_char "char", c_name name, c_bytea bytea,
	c_date date, c_time time, c_timetz timetz, c_timestamp timestamp, c_timestamptz timestamptz(3), c_interval interval,
	c_uuid uuid, c_json json, c_jsonb jsonb, c_xml xml, c_jsonpath jsonpath,
	c_inet inet, c_cidr cidr, c_macaddr macaddr, c_bit bit(4), c_varbit varbit,
	c_tsvector tsvector, c_tsquery tsquery, c_point point, c_box box, c_path path, c_circle circle,
	c_pg_lsn pg_lsn, c_regclass regclass, c_regtype regtype, c_int2vector int2vector,
	c_int4range int4range, c_numrange numrange, c_tsrange tsrange, c_multirange datemultirange,
	c_ints int[], c_ints2 int[][], c_texts text[], c_floats float8[], c_dates date[], c_jsons json[], c_jsonbs jsonb[], c_bools bool[],
	c_mood mood, c_moods mood[], c_color color, c_colors color[], c_hstore hstore,
	c_place place, c_places place[], c_journey journey, c_visit visit,
	c_positive positive, c_moods_domain moods, c_document document, c_amount amount, c_amounts amount[], c_full_place full_place);

CREATE TABLE parents (id int PRIMARY KEY);
CREATE TABLE things (id int PRIMARY KEY, LIKE every_type);
CREATE TABLE pairs (parent_id int REFERENCES parents, thing_id int REFERENCES things, LIKE every_type,
	PRIMARY KEY (parent_id, thing_id));
INSERT INTO parents VALUES (1), (2), (3);

INSERT INTO things (id) VALUES (0);
INSERT INTO things VALUES (
	1, true, 1, 2, 3, 4, 1.5, 2.5, 1.500, 1.5, 12.34, 'text', 'varchar', 'char', 'c', 'name', '\x00ff10',
	'2020-02-29', '12:34:56.789', '12:34:56+02', '2020-02-29 12:34:56.789', '2020-02-29 12:34:56.7891Z', '1 year 2 mons -3 days 04:05:06.789',
	'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', ' { "b" :1, "a":[1.0, 2e3 ], "b": 2 } ', '{"b": 1, "a": [1.00, 2e3, null, "x", {"c": {}}], "d": []}',
	'<a b="c">&lt;</a>', '$.a[*] ? (@ > 1)',
	'192.168.1.5/24', '10.0.0.0/8', '08:00:2b:01:02:03', '1010', '10101',
	'a:1 fat:2A', 'fat & (rat | cat)', '(1.5,-2)', '(1,1),(0,0)', '((0,0),(1,1),(2,0))', '<(0,0),1>',
	'16/B374D848', 'pg_class', 'integer', '1 2 3',
	'[1,5)', '(,1.50]', '[2020-01-01,2020-01-02]', '{[2020-01-01,2020-01-05),[2021-01-01,)}',
	'{1,2,NULL}', '{{1,2},{3,4}}', '{a,NULL,"b,c","q\"uote"}', '{1.5,NaN,-Infinity}', '{2020-01-01,infinity}', '{"1","{\"a\": 1}"}', '{"1","{\"a\": 1}",NULL}', '{t,f}',
	'so "so"', '{sad,NULL,happy}', 'red', '{red,green}', 'a=>1, b=>NULL, "q q"=>"\"x\""',
	'(Main,1,2020-01-01 00:00:00+00,"{a,b}")', '{"(Main,1,,)",NULL,"(\"x, y\",,,{})"}',
	'("(Main,1,,)","{\"(b,2,,)\"}",happy,"{""k"": [1, null]}")', '(7,"(Main,1,,)")',
	5, '{sad,happy}', '{"n": {"m": [1]}}', 1.5, '{1,2.345}', '(Main,1,,)');
INSERT INTO things (id, c_bool, c_int2, c_int4, c_int8, c_oid, c_float4, c_float8, c_numeric, c_numeric_scale, c_money,
	c_text, c_varchar, c_bpchar, c_char, c_name, c_bytea,
	c_date, c_time, c_timetz, c_timestamp, c_timestamptz, c_interval, c_json, c_jsonb, c_ints, c_ints2, c_texts, c_int4range, c_multirange, c_place, c_places, c_document)
VALUES
	(2, false, -32768, -2147483648, -9223372036854775808, 4294967295, 'NaN', 'NaN', 'NaN', -0.0001, -0.01,
	'', '', '', '', '', '', '-infinity', '00:00', '00:00-15:59', '-infinity', '-infinity', '-178000000 years',
	'null', 'null', '{}', '{}', '{}', 'empty', '{}', '(,,,)', '{}', '[]'),
	(3, NULL, 32767, 2147483647, 9223372036854775807, 0, 'Infinity', 'Infinity', 'Infinity', 99999999.9999, 92233720368547758.07,
	E'q"uote \\ back / \u00e9 \U0001F600 \t\n\r\b\f\x01\x7f', E'tab\t', ' x', E'\x01', repeat('n', 63), '\x5c22',
	'infinity', '24:00', '24:00+15:59', 'infinity', 'infinity', '178000000 years', '"scalar"', '"scalar"',
	'[-1:1]={1,2,3}', '{{{1}},{{2}}}', '{""," ",NULL,"null"}', '(,)', '{(,)}', '("","-1",,"{NULL}")', '{NULL}', '"s"'),
	(4, true, 0, 0, 0, 1, '-Infinity', '-Infinity', '-Infinity', 0, 0,
	repeat('long ', 2000), 'x', 'y', 'z', 'w', '\x00', '4713-01-01 BC', '23:59:59.999999', '23:59:59.999999-07', '4713-11-24 00:00 BC', '0044-03-15 12:00:00+00 BC',
	'-00:00:00.000001', '[1, 2, {"a": null}]', '[1, 2, {"a": null}]', ARRAY(SELECT generate_series(1, 1000)), NULL, NULL, '[-2147483648,2147483647)', NULL, NULL, NULL, 'true'),
	(5, true, 7, 7, 7, 7, '1e-37', '1e-300', 1e-20, 0.1, 1, 'x', 'y', 'z', 'a', 'b', '\x20', '5874897-12-31', '01:02:03', '01:02:03.4+05:30', '294276-12-31 23:59:59.999999', '9999-12-31 23:59:59+00',
	'P0Y', '0', '0', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '1.0'),
	(6, true, 7, 7, 7, 7, 3.4e38, 1.7976931348623157e308, ('1' || repeat('0', 300))::numeric, 0.1, 1, 'x', 'y', 'z', 'a', 'b', '\x20', '0001-01-01', '01:02:03', '01:02:03+00', '0001-01-01 00:00:00', '0001-12-31 23:59:59+00 BC',
	'1 day -1 hour', '1e5', '1e5', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '1e2'),
	(7, true, 7, 7, 7, 7, 0.1, 0.1, 0.10, 0.1, 1, 'x', 'y', 'z', 'a', 'b', '\x20', '2020-01-01', '01:02:03', '01:02:03+00', '2020-06-01 00:00:00.5', '2020-07-01 00:00:00.5-07',
	'-1 mon', '{"a": {}}', '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}'),
	(8, true, 7, 7, 7, 7, '-0', '-0', -0.0, -0.0, 1, 'x', 'y', 'z', 'a', 'b', '\x20', '2020-01-01', '01:02:03', '01:02:03+00', '2020-06-01 00:00:00.5', '2020-07-01 00:00:00.5-07',
	'1 mon -1 day 1 sec', '[]', '[]', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '"x"');
-- the pivot has the same values the other way round
DO $$
DECLARE
	names text := (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum)
				   FROM pg_attribute WHERE attrelid = 'every_type'::regclass AND attnum > 0);
BEGIN
	EXECUTE format('INSERT INTO pairs (parent_id, thing_id, %1$s) SELECT 1, 8 - id, %1$s FROM things', names);
END $$;
SELECT create_relation('every', order_by(with_pivot(belongs_to_many('parents', 'things'), VARIADIC ARRAY(
	SELECT attname FROM pg_attribute WHERE attrelid = 'every_type'::regclass AND attnum > 0 ORDER BY attnum)), 'id'));

-- Differences between what get_results() returns and to_jsonb(), by column;
-- compared as text, for equal numbers need not be the same.
CREATE FUNCTION differences() RETURNS TABLE (thing int, side text, member text, got text, wanted text)
LANGUAGE sql STABLE AS $$
	WITH got AS (
		SELECT (g.result ->> 'id')::int AS id, g.result
		FROM get_results('every', 1) g),
	wanted AS (
		SELECT t.id, to_jsonb(t) || jsonb_build_object('pivot', to_jsonb(p)) AS result
		FROM things t JOIN pairs p ON p.thing_id = t.id),
	members AS (
		SELECT COALESCE(g.id, w.id) AS thing, 'related' AS side, k.key, g.result -> k.key AS got, w.result -> k.key AS wanted
		FROM got g FULL JOIN wanted w USING (id), LATERAL (
			SELECT jsonb_object_keys(g.result - 'pivot') AS key UNION SELECT jsonb_object_keys(w.result - 'pivot')) k
		UNION ALL
		SELECT COALESCE(g.id, w.id), 'pivot', k.key, g.result -> 'pivot' -> k.key, w.result -> 'pivot' -> k.key
		FROM got g FULL JOIN wanted w USING (id), LATERAL (
			SELECT jsonb_object_keys(g.result -> 'pivot') AS key UNION SELECT jsonb_object_keys(w.result -> 'pivot')) k)
	SELECT thing, side, key, got::text, wanted::text
	FROM members WHERE got::text IS DISTINCT FROM wanted::text
	ORDER BY 1, 2, 3
$$;
SELECT count(*), count(DISTINCT g.result ->> 'id') AS rows, min((SELECT count(*) FROM jsonb_object_keys(g.result))) AS members,
	min((SELECT count(*) FROM jsonb_object_keys(g.result -> 'pivot'))) AS pivot_members
FROM get_results('every', 1) g;
SELECT * FROM differences();
-- so are whole rows, byte for byte
SELECT count(*)
FROM get_results('every', 1) WITH ORDINALITY g
JOIN (SELECT to_jsonb(t) || jsonb_build_object('pivot', to_jsonb(p)) AS result, row_number() OVER (ORDER BY t.id) AS ordinality
	  FROM things t JOIN pairs p ON p.thing_id = t.id) w USING (ordinality)
WHERE jsonb_send(g.result) = jsonb_send(w.result) AND g.result = w.result AND pg_column_size(g.result || '{}') = pg_column_size(w.result || '{}');
-- under any setting, also one that changes between calls
SET datestyle = 'German';
SET intervalstyle = 'iso_8601';
SET timezone = 'Asia/Kathmandu';
SET extra_float_digits = 0;
SET bytea_output = 'escape';
SET xmloption = 'document';
SELECT * FROM differences();
SET extra_float_digits = -15;
SET intervalstyle = 'sql_standard';
SET timezone = 'UTC';
SET search_path = m2m, results;
SELECT * FROM differences();
RESET datestyle; RESET intervalstyle; RESET timezone; RESET extra_float_digits; RESET bytea_output; RESET xmloption;
SET search_path = results, m2m;
-- a cast to json that is made or dropped later counts
DROP CAST (color AS json);
SELECT result ->> 'c_color' AS color, result -> 'c_colors' AS colors FROM get_results('every', 1) WHERE result @> '{"id": 1}';
SELECT * FROM differences();
CREATE CAST (color AS json) WITH FUNCTION color_json(color) AS ASSIGNMENT;
SELECT * FROM differences();
-- the result of a row does not depend on the row before
SELECT result - 'c_text' @> '{"id": 0, "c_bool": null, "c_jsonb": null, "c_ints": null, "c_place": null}' AS all_null
FROM get_results('every', 1) LIMIT 1;
SELECT count(*) FROM jsonb_each((SELECT result - 'id' - 'pivot' FROM get_results('every', 1) LIMIT 1)) WHERE value <> 'null';

-- some of it in full, as a reader of this file expects it
SELECT key, value FROM jsonb_each((SELECT result FROM get_results('every', 1) WHERE result @> '{"id": 1}'))
WHERE key ~ '^c_(numeric|json|jsonb|bytea|timestamptz|interval|ints2|mood|color|hstore|journey|visit|amount|tsrange)' ORDER BY 1;
SET timezone = 'UTC';
SELECT result -> 'c_float8' AS float8, result -> 'c_numeric' AS "numeric", result -> 'c_date' AS date, result -> 'c_timestamp' AS "timestamp",
	result -> 'c_timestamptz' AS "timestamptz", result -> 'pivot' -> 'c_int8' AS pivot_int8
FROM get_results('every', 1) WHERE NOT result ->> 'id' IN ('5', '6');
RESET timezone;

-- ---- a small relation to read

CREATE TABLE users (id bigint PRIMARY KEY, name text);
CREATE TABLE roles (id int PRIMARY KEY, name text NOT NULL, rank int, pivot text DEFAULT 'a column');
CREATE TABLE user_roles (
	user_id bigint, role_id int, status text DEFAULT 'active', level int, note text, PRIMARY KEY (user_id, role_id));
INSERT INTO users VALUES (1, 'Ada'), (2, 'Bob'), (3, 'Eve');
INSERT INTO roles (id, name, rank) VALUES (1, 'admin', 3), (2, 'editor', 2), (3, 'author', 2), (4, 'reader', NULL), (5, 'guest', 1);
INSERT INTO user_roles (user_id, role_id, status, level) VALUES (1, 1, 'active', 10), (1, 2, 'paused', NULL), (1, 3, 'active', 5), (1, 4, 'active', 5), (1, 99, 'dangling', 9),
	(2, 2, 'active', 1), (2, 5, 'paused', 2);
SELECT create_relation('user_roles', belongs_to_many('users', 'roles', 'user_roles', 'user_id', 'role_id'));

-- the pivot keys are always there, other columns where asked for; a column of that name gives way
SELECT get_results(order_by('user_roles', 'id'), 2);
SELECT get_results(order_by(with_pivot('user_roles', 'level', 'status', 'level', 'role_id'), 'id'), 2);
SELECT get_results(pivot_as(order_by(with_pivot('user_roles', 'status'), 'id'), 'membership'), 2);
SELECT get_results(pivot_as(order_by('user_roles', 'id'), 'name'), 2);
SELECT get_results(pivot_as(order_by('user_roles', 'id'), 'odd "name" \ ' || repeat('x', 30)), 2);
-- a pivot row without related row is no result
SELECT count(*), count_related('user_roles', 1) FROM get_results('user_roles', 1);
-- nor is one of another parent, or of none
SELECT get_results('user_roles', 3);
SELECT get_results('user_roles', 77);
SELECT get_results('user_roles', NULL);
SELECT get_results('user_roles', NULL::bigint);
SELECT get_results('user_roles', NULL::text, NULL::roles);
SELECT get_results('user_roles', NULL::jsonb);
-- the parent in every way of writing it
SELECT count(*), r.n FROM (VALUES (1)) v(one), LATERAL (
	SELECT count(*) AS n FROM get_results('user_roles', one)
	UNION ALL SELECT count(*) FROM get_results('user_roles', 1::smallint)
	UNION ALL SELECT count(*) FROM get_results('user_roles', 1::numeric)
	UNION ALL SELECT count(*) FROM get_results('user_roles', '1')
	UNION ALL SELECT count(*) FROM get_results('user_roles', '1'::text)
	UNION ALL SELECT count(*) FROM get_results('user_roles', '1'::jsonb)
	UNION ALL SELECT count(*) FROM get_results('user_roles', '"1"'::jsonb)
	UNION ALL SELECT count(*) FROM get_results('user_roles', '{"user_id": 1}'::jsonb)
	UNION ALL SELECT count(*) FROM get_results('user_roles', ROW(1))) r
GROUP BY r.n;
SELECT get_results('user_roles', 'one');
\echo :LAST_ERROR_SQLSTATE
SELECT get_results('user_roles', '1.5');
\echo :LAST_ERROR_SQLSTATE
SELECT get_results('user_roles', ARRAY[1, 2]);
\echo :LAST_ERROR_SQLSTATE
SELECT get_results(NULL, 1);
\echo :LAST_ERROR_SQLSTATE

-- ---- order, page, filters

CREATE FUNCTION names(belongs_to_many, bigint) RETURNS text LANGUAGE sql
	RETURN (SELECT string_agg(result ->> 'name', ' ' ORDER BY ordinality) FROM get_results($1, $2) WITH ORDINALITY);
SELECT names(order_by('user_roles', 'name'), 1) AS asc, names(order_by('user_roles', 'name', 'DESC'), 1) AS desc;
SELECT names(order_by(order_by('user_roles', 'rank', 'desc'), 'name', 'Asc'), 1) AS nulls_first,
	names(order_by(order_by('user_roles', 'rank', 'desc nulls last'), 'name', 'desc'), 1) AS nulls_last,
	names(order_by(order_by('user_roles', 'rank'), 'name'), 1) AS asc_nulls_last,
	names(order_by(order_by('user_roles', 'rank', 'asc nulls first'), 'name'), 1) AS asc_nulls_first;
-- related and pivot columns in the order in which they were given
SELECT names(order_by(order_by_pivot('user_roles', 'level'), 'name'), 1) AS level_name,
	names(order_by_pivot(order_by('user_roles', 'rank'), 'level', 'desc'), 1) AS rank_level,
	names(order_by_pivot('user_roles', 'role_id', 'desc'), 1) AS key;
-- a column of either table is meant, also where both have it
ALTER TABLE user_roles ADD name text;
UPDATE user_roles SET name = 9 - role_id;
SELECT names(order_by('user_roles', 'name'), 1) AS related, names(order_by_pivot('user_roles', 'name'), 1) AS pivot;
ALTER TABLE user_roles DROP name;
-- pages
SELECT n, s, names(take(order_by('user_roles', 'name'), n, s), 1)
FROM (VALUES (2, 0), (2, 1), (2, 3), (2, 4), (0, 0), (0, 2), (9223372036854775807, 0), (NULL, 0), (NULL, 3), (1, 9223372036854775807)) v(n, s);
SELECT names(take(take(order_by('user_roles', 'name'), 1), 3), 1) AS last_wins, names(take(order_by('user_roles', 'name'), 2), 1) AS no_skip;
SELECT names(take('user_roles', -1), 1);
\echo :LAST_ERROR_SQLSTATE
SELECT names(take('user_roles', 1, -1), 1);
\echo :LAST_ERROR_SQLSTATE
-- filters on the pivot and on related rows
SELECT names(order_by(where_pivot('user_roles', 'status', 'active'), 'name'), 1) AS active,
	names(order_by(or_where_pivot_null(where_pivot('user_roles', 'level', '>', 5), 'level'), 'name'), 1) AS alternatives,
	names(order_by(where_related('user_roles', 'name', 'like', 'a%'), 'name'), 1) AS related,
	names(order_by(where_related(where_pivot_in('user_roles', 'level', '{5,10}'), 'rank', '>=', 3), 'name'), 1) AS both,
	names(where_pivot_in('user_roles', 'level', '{}'), 1) AS none;
SELECT names(order_by(with_pivot_value('user_roles', 'status', 'paused'), 'name'), 1) AS pivot_value,
	names(order_by(with_pivot_value('user_roles', 'level', NULL), 'name'), 1) AS pivot_null;
-- the other side
SELECT names(order_by(inverse('user_roles'), 'name'), 2), get_results(take(order_by(inverse('user_roles'), 'id'), 1), 2);

-- ---- typed rows

SELECT * FROM get_results(order_by('user_roles', 'id'), 1, NULL::roles);
SELECT pg_typeof(r), r FROM get_results(order_by('user_roles', 'id'), 2, NULL::roles) r;
-- pivot columns by name, asked for or not; any order; casts as SQL makes them
CREATE TYPE membership AS (pivot_level text, name varchar(3), id bigint, pivot_status char(8), pivot_user_id int, rank numeric(4, 2), pivot_note text);
SELECT * FROM get_results(order_by('user_roles', 'id'), 1, NULL::membership);
SELECT id, pivot_level FROM get_results(order_by('user_roles', 'id'), 1, ROW(NULL, NULL, NULL, NULL, NULL, NULL, NULL)::membership);
SELECT (get_results(order_by('user_roles', 'id'), 2, NULL::membership)).*;
SELECT pg_column_size(pivot_status) AS char_8, scale(rank) AS scale FROM get_results(order_by('user_roles', 'id'), 2, NULL::membership);
-- a record with a column definition list
SELECT * FROM get_results(order_by('user_roles', 'id'), 2, NULL::record) AS t(name text, pivot_level int8);
SELECT * FROM get_results(order_by('user_roles', 'id'), 1, NULL::record) AS t(pivot_level int, id text, name "char");
SELECT get_results('user_roles', 2, NULL::record);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM get_results('user_roles', 2, ROW(1, 2));
\echo :LAST_ERROR_SQLSTATE
-- the related column before the pivot's, where both have the name
CREATE TABLE odd_roles (id int PRIMARY KEY, pivot_level text);
INSERT INTO odd_roles VALUES (1, 'own'), (2, 'own');
SELECT * FROM get_results(order_by(belongs_to_many('users', 'odd_roles', 'user_roles', 'user_id', 'role_id'), 'id'), 1, NULL::odd_roles);
-- a domain of a column is checked, an enum is cast
CREATE DOMAIN low AS int CHECK (VALUE < 8);
CREATE TYPE status AS ENUM ('paused', 'active', 'dangling');
CREATE TYPE checked AS (id positive, pivot_status status);
SELECT * FROM get_results(order_by('user_roles', 'id'), 2, NULL::checked);
CREATE TYPE checked_level AS (id int, pivot_level low);
SELECT * FROM get_results(order_by('user_roles', 'id'), 2, NULL::checked_level);
SELECT * FROM get_results(order_by('user_roles', 'id'), 1, NULL::checked_level);
\echo :LAST_ERROR_SQLSTATE
-- a column that neither has; types without a cast; values that cannot be cast
CREATE TYPE misspelt AS (id int, pivot_levle int);
SELECT * FROM get_results('user_roles', 1, NULL::misspelt);
\echo :LAST_ERROR_SQLSTATE
CREATE TYPE unlike_any AS (id int, "something quite different" int);
SELECT * FROM get_results('user_roles', 1, NULL::unlike_any);
\echo :LAST_ERROR_SQLSTATE
CREATE TYPE without_prefix AS (id int, level int);
SELECT * FROM get_results('user_roles', 1, NULL::without_prefix);
\echo :LAST_ERROR_SQLSTATE
-- also where nothing is to be returned
SELECT * FROM get_results('user_roles', 77, NULL::misspelt);
\echo :LAST_ERROR_SQLSTATE
CREATE TYPE no_cast AS (id point);
SELECT * FROM get_results('user_roles', 1, NULL::no_cast);
\echo :LAST_ERROR_SQLSTATE
CREATE TYPE bad_value AS (name int);
SELECT * FROM get_results('user_roles', 1, NULL::bad_value);
\echo :LAST_ERROR_SQLSTATE
-- what is no row type
SELECT * FROM get_results('user_roles', 1, NULL::int);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM get_results('user_roles', 1, NULL::roles[]);
\echo :LAST_ERROR_SQLSTATE
CREATE DOMAIN role_domain AS roles;
SELECT * FROM get_results('user_roles', 1, NULL::role_domain);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM get_results('user_roles', 1, 'roles');
\echo :LAST_ERROR_SQLSTATE
-- a type without columns
CREATE TYPE nothing AS ();
SELECT count(*) FROM get_results('user_roles', 1, NULL::nothing);
-- a view's row type
CREATE VIEW role_names AS SELECT name, id FROM roles;
SELECT * FROM get_results(order_by('user_roles', 'id'), 2, NULL::role_names);
-- every type as it is
SELECT count(*) FROM get_results('every', 1, NULL::things) WITH ORDINALITY g JOIN things t USING (id)
WHERE to_jsonb(g) - 'ordinality' = to_jsonb(t) AND g.ordinality = t.id + 1;
SELECT count(*) FROM get_results('every', 1, NULL::things) g JOIN things t USING (id) WHERE record_send(g) = record_send(t);

-- ---- tables change while the session goes on

SELECT * FROM get_results(order_by('user_roles', 'id'), 2, NULL::roles);
DROP VIEW role_names;
ALTER TABLE roles DROP rank, ADD extra int DEFAULT 7, ALTER name TYPE varchar(4) USING left(name, 4);
SELECT * FROM get_results(order_by('user_roles', 'id'), 2, NULL::roles);
SELECT get_results(order_by('user_roles', 'id'), 2);
ALTER TABLE roles RENAME extra TO "ex tra";
ALTER TABLE user_roles DROP note, ALTER level TYPE text;
SELECT get_results(order_by(with_pivot('user_roles', 'level'), 'id'), 2);
ALTER TYPE membership DROP ATTRIBUTE pivot_note, DROP ATTRIBUTE rank, ADD ATTRIBUTE "pivot" text;
SELECT * FROM get_results(order_by('user_roles', 'id'), 2, NULL::membership);
ALTER TYPE membership ALTER ATTRIBUTE pivot_level TYPE int;
SELECT * FROM get_results(order_by('user_roles', 'id'), 2, NULL::membership);
ALTER TABLE user_roles RENAME level TO grade;
SELECT * FROM get_results(order_by('user_roles', 'id'), 2, NULL::membership);
\echo :LAST_ERROR_SQLSTATE
ALTER TABLE user_roles RENAME grade TO level;

-- ---- kinds of tables, odd names

CREATE SCHEMA "odd "" schema";
CREATE TABLE "odd "" schema"."Ro'les; --" ("I d" int PRIMARY KEY, "select" text, "na""me" text, name text GENERATED ALWAYS AS ("select" || '!') STORED);
CREATE TABLE "odd "" schema"."p" ("r" bigint, "u" int REFERENCES "odd "" schema"."Ro'les; --", "a""b" text, "order" int, CONSTRAINT odd_pivot_key PRIMARY KEY (r, u));
INSERT INTO "odd "" schema"."Ro'les; --" VALUES (1, 'x', 'y'), (2, 'v', 'w');
INSERT INTO "odd "" schema"."p" VALUES (1, 1, 'z', 2), (1, 2, E'new\nline', 1);
SELECT create_relation('"odd "" schema"."The Rel"', order_by_pivot(with_pivot(
	belongs_to_many('users', '"odd "" schema"."Ro''les; --"', '"odd "" schema".p', 'r', 'u'), 'a"b', 'order'), 'order'));
SELECT get_results('"odd "" schema"."The Rel"', 1);
SELECT * FROM get_results('"odd "" schema"."The Rel"', 1, NULL::record) AS t("I d" int, "pivot_a""b" text, pivot_order int, name text);
-- names of the greatest length: an alias is cut off as the parser would
CREATE TABLE long_pivot (u bigint, r int, dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd1 int, éééééééééééééééééééééééééééééé1 int);
INSERT INTO long_pivot VALUES (1, 1, 11, 22);
SELECT * FROM get_results(belongs_to_many('users', 'roles', 'long_pivot', 'u', 'r'), 1,
	NULL::record) AS t(pivot_ddddddddddddddddddddddddddddddddddddddddddddddddddddddddd int, pivot_éééééééééééééééééééééééééééé int);
-- partitions, inheritance, views, a self-referential table, keys of several columns
CREATE TABLE part_pivot (u bigint, r int, note text) PARTITION BY LIST (r);
CREATE TABLE part_pivot_1 (note text, r int, junk int, u bigint);
ALTER TABLE part_pivot_1 DROP junk;
ALTER TABLE part_pivot ATTACH PARTITION part_pivot_1 FOR VALUES IN (1, 2);
CREATE TABLE part_pivot_2 PARTITION OF part_pivot DEFAULT;
CREATE TABLE item (id int, name text) PARTITION BY LIST (id);
CREATE TABLE item_1 PARTITION OF item FOR VALUES IN (1, 3);
CREATE TABLE item_2 (name text, id int);
ALTER TABLE item ATTACH PARTITION item_2 DEFAULT;
INSERT INTO part_pivot VALUES (1, 1, 'a'), (1, 2, 'b'), (1, 3, 'c'), (2, 3, 'd');
INSERT INTO item SELECT i, 'item ' || i FROM generate_series(1, 4) i;
SELECT get_results(order_by(with_pivot(belongs_to_many('users', 'item', 'part_pivot', 'u', 'r', NULL, 'id'), 'note'), 'id'), 1);
SELECT get_results(order_by(with_pivot(belongs_to_many('users', 'item', 'part_pivot_1', 'u', 'r', NULL, 'id'), 'note'), 'id'), 1);
CREATE TABLE animal (id int PRIMARY KEY, name text);
CREATE TABLE dog (breed text) INHERITS (animal);
INSERT INTO animal VALUES (1, 'cat');
INSERT INTO dog VALUES (2, 'Rex', 'spaniel');
SELECT get_results(order_by(belongs_to_many('users', 'animal', 'part_pivot', 'u', 'r'), 'id'), 1);
CREATE VIEW shout AS SELECT id AS number, upper(name) AS name FROM item WHERE id <> 3;
SELECT get_results(order_by(belongs_to_many('users', 'shout', 'part_pivot', 'u', 'r', NULL, 'number'), 'name', 'desc'), 1);
CREATE TABLE follows (follower bigint, followed bigint, since date, PRIMARY KEY (follower, followed));
INSERT INTO follows VALUES (1, 2, '2020-01-01'), (2, 1, '2021-01-01'), (1, 1, NULL);
SELECT get_results(order_by(with_pivot(belongs_to_many('users', 'users', 'follows', 'follower', 'followed'), 'since'), 'id'), 1);
SELECT get_results(order_by(with_pivot(inverse(belongs_to_many('users', 'users', 'follows', 'follower', 'followed')), 'since'), 'id'), 2);
CREATE TABLE tenants_pivot (tenant int, user_id int, role_id int, PRIMARY KEY (tenant, user_id, role_id));
CREATE TABLE tenant_users (tenant int, id int, PRIMARY KEY (tenant, id));
CREATE TABLE tenant_roles (tenant int, id int, name text, PRIMARY KEY (tenant, id));
INSERT INTO tenant_roles VALUES (1, 1, 'one'), (2, 1, 'two');
INSERT INTO tenants_pivot VALUES (1, 1, 1), (2, 1, 1);
SELECT create_relation('tenants', belongs_to_many('tenant_users', 'tenant_roles', 'tenants_pivot',
	ARRAY['tenant', 'user_id']::name[], ARRAY['tenant', 'role_id']::name[]));
SELECT get_results('tenants', ROW(2, 1)), get_results('tenants', '[1, 1]'), get_results('tenants', '{"user_id": 1, "tenant": 2}') -> 'name' AS name;
-- keys that are not NULL-free
CREATE TABLE loose (u bigint, r int);
INSERT INTO loose VALUES (1, NULL), (NULL, 1), (1, 1), (1, 1);
SELECT get_results(belongs_to_many('users', 'item', 'loose', 'u', 'r', NULL, 'id'), 1);

-- ---- where it is called

-- beside each row of a query; in a cursor; ROWS FROM; as a scalar in the select list
SELECT u.name, r.result ->> 'name' AS role FROM users u LEFT JOIN LATERAL get_results(order_by('user_roles', 'id'), u.id) r ON true ORDER BY u.id, 2;
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT result ->> 'id' AS id FROM get_results(order_by('user_roles', 'id'), 1);
FETCH 2 FROM c;
FETCH BACKWARD 1 FROM c;
FETCH ALL FROM c;
COMMIT;
SELECT a ->> 'id' AS a, b FROM ROWS FROM (get_results(order_by('user_roles', 'id'), 2), related_ids('user_roles', 1, NULL::int)) AS t(a, b);
PREPARE p(bigint) AS SELECT count(*) FROM get_results('user_roles', $1);
EXECUTE p(1); EXECUTE p(2); EXECUTE p(NULL);
-- a function of the extension inside of another query of it
SELECT g.result ->> 'id' AS id, (SELECT string_agg(h.result ->> 'name', ' ' ORDER BY h.result ->> 'id') FROM get_results(inverse('user_roles'), (g.result ->> 'id')::int) h)
FROM get_results(order_by('user_roles', 'id'), 1) g;
-- it sees the tables as they were when the statement began
WITH d AS (DELETE FROM user_roles WHERE user_id = 2 RETURNING role_id)
SELECT (SELECT count(*) FROM d) AS deleted, (SELECT count(*) FROM get_results('user_roles', 2)) AS seen;
SELECT count(*) FROM get_results('user_roles', 2);
-- in a transaction that writes nothing
START TRANSACTION READ ONLY;
SELECT count(*) FROM get_results('user_roles', 1);
COMMIT;

-- ---- many rows

INSERT INTO roles SELECT i, i FROM generate_series(1000, 30999) i;
INSERT INTO user_roles SELECT 3, i, 'many', i FROM generate_series(1000, 30999) i;
SET work_mem = '64kB';
SELECT count(*), sum((result ->> 'id')::int), sum((result -> 'pivot' ->> 'level')::int),
	bool_and((result ->> 'id')::int = 31000 - ordinality) AS ordered
FROM get_results(order_by(with_pivot('user_roles', 'level'), 'id', 'desc'), 3) WITH ORDINALITY;
SELECT count(*), sum(id), bool_and(id = 999 + ordinality) AS ordered
FROM get_results(order_by('user_roles', 'id'), 3, NULL::roles) WITH ORDINALITY;
RESET work_mem;

DROP EXTENSION hstore CASCADE;

DROP SCHEMA results, "odd "" schema" CASCADE;
