--
-- How parents and ids are written: by argument type, by the type of the key
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA ids;
SET search_path = ids, m2m;

CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE roles (id bigint PRIMARY KEY);
INSERT INTO users SELECT generate_series(1, 9);
INSERT INTO roles SELECT generate_series(1, 9);
CREATE TABLE user_roles (
	user_id bigint REFERENCES users, role_id bigint REFERENCES roles, status text,
	PRIMARY KEY (user_id, role_id));
SELECT create_relation('user_roles', belongs_to_many('users', 'roles'));

-- ---- these all work and mean the same

SELECT attach('user_roles', 1, 5), attach('user_roles', 1, ARRAY[1,2,3]);
SELECT attach('user_roles', 2, '{1,2,3}'), attach('user_roles', 2, '[4,5]');
SELECT attach('user_roles', 3, '{"1":{"status":"active"},"2":{}}'::jsonb);
SELECT attach('user_roles', 3, '{"3":{"status":"active"},"4":{}}');
SELECT attach('user_roles', 3, '[{"role_id":5,"status":"active"}]');
PREPARE p AS SELECT attach('user_roles', $1, $2);
EXECUTE p(4, '{1,2}');
EXECUTE p('4', '[3]');
DEALLOCATE p;
PREPARE p AS SELECT attach('user_roles', 5, $1);
EXECUTE p('{1,2}');
DEALLOCATE p;
PREPARE p AS SELECT attach('user_roles', $1, ARRAY[1,2]);
EXECUTE p(6);
DEALLOCATE p;
DO $$
DECLARE
	relation text := 'user_roles';
BEGIN
	PERFORM attach(relation, 7, 1), attach(relation::varchar, 7, 2), attach(relation::name, 7, 3);
END
$$;
WITH u AS (INSERT INTO users VALUES (10), (11) RETURNING id)
SELECT attach('user_roles', id, '{1,2}') FROM u;
SELECT user_id, array_agg(role_id ORDER BY role_id) AS roles, string_agg(role_id::text, ',' ORDER BY role_id) FILTER (WHERE status = 'active') AS active
FROM user_roles GROUP BY 1 ORDER BY 1;

-- an index serves keys of another integer type
TRUNCATE user_roles;
INSERT INTO user_roles SELECT u, r FROM generate_series(1, 9) AS u, generate_series(1, 9) AS r;
CREATE VIEW scans AS SELECT seq_scan, idx_scan > 0 AS index_is_used FROM pg_stat_xact_user_tables WHERE relid = 'user_roles'::regclass;
SELECT pg_stat_force_next_flush();
BEGIN;
SELECT detach('user_roles', 1::int, ARRAY[1,2]::int[]), detach('user_roles', 1::smallint, 3::smallint), detach('user_roles', '1', '{4,5}'),
	detach('user_roles', 1::numeric, '[6]'::jsonb);
SELECT is_attached('user_roles', 1::int, '{7,8,9}'), count_related('user_roles', 1), related_ids('user_roles', 1::smallint);
SELECT * FROM scans;
SELECT * FROM sync('user_roles', 2, ARRAY[1,2]);
SELECT update_existing_pivot('user_roles', 2, 1, '{"status": "x"}'), attach('user_roles', 2, 5), toggle('user_roles', 2::smallint, 1::smallint);
SELECT * FROM scans;
ROLLBACK;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT * FROM user_roles WHERE user_id = 1 AND role_id = 2;
SELECT new_pivot_query('user_roles', 1::int) AS query \gset
EXPLAIN (COSTS OFF) :query;
RESET enable_seqscan;
RESET enable_bitmapscan;

-- ---- one id, and every list

-- The scope of this relation is empty and there is no index on the pair; so a sync attaches
-- whatever it is given, and reports it in the order of the input.
CREATE TABLE given (user_id bigint, role_id bigint, status text);
SELECT create_relation('given', where_pivot_in(belongs_to_many('users', 'roles', 'given', 'user_id', 'role_id'), 'status', '{}'));

CREATE DOMAIN nr AS bigint CHECK (value > 0);
CREATE DOMAIN nrs AS bigint[];
CREATE TYPE wrapped AS (id bigint);
\pset tuples_only
SELECT attached FROM sync('given', 1, 5);
SELECT attached FROM sync('given', 1, 5::smallint);
SELECT attached FROM sync('given', 1, 9007199254740993);
SELECT attached FROM sync('given', 1, 5.0);
SELECT attached FROM sync('given', 1, 1e2::float8);
SELECT attached FROM sync('given', 1, 3::float4);
SELECT attached FROM sync('given', 1, 5::nr);
SELECT attached FROM sync('given', 1, 5::oid);
SELECT attached FROM sync('given', 1, '5');
SELECT attached FROM sync('given', 1, ' 5 ');
SELECT attached FROM sync('given', 1, '-5');
SELECT attached FROM sync('given', 1, '5'::text);
SELECT attached FROM sync('given', 1, '5'::varchar);
SELECT attached FROM sync('given', 1, '5'::char(3));
SELECT attached FROM sync('given', 1, '5'::name);
SELECT attached FROM sync('given', 1, ROW(5));
SELECT attached FROM sync('given', 1, ROW(5)::wrapped);
SELECT attached FROM sync('given', 1, '5'::jsonb);
SELECT attached FROM sync('given', 1, '"5"'::jsonb);
SELECT attached FROM sync('given', 1, '5'::json);
SELECT attached FROM sync('given', 1, '{"role_id": 5}'::jsonb);
SELECT attached FROM sync('given', 1, '{"role_id": 5, "status": "x"}');
-- arrays
SELECT attached FROM sync('given', 1, ARRAY[3,1,2]);
SELECT attached FROM sync('given', 1, ARRAY[3,1,2]::bigint[]);
SELECT attached FROM sync('given', 1, ARRAY[3,1,2]::smallint[]);
SELECT attached FROM sync('given', 1, ARRAY[3,1,2]::numeric[]);
SELECT attached FROM sync('given', 1, ARRAY[3,1,2]::float8[]);
SELECT attached FROM sync('given', 1, ARRAY[3,1,2]::nr[]);
SELECT attached FROM sync('given', 1, ARRAY[3,1,2]::nrs);
SELECT attached FROM sync('given', 1, ARRAY['3','1',' 2 ']);
SELECT attached FROM sync('given', 1, ARRAY['3','1','2']::varchar[]);
SELECT attached FROM sync('given', 1, ARRAY[ROW(3),ROW(1)]);
SELECT attached FROM sync('given', 1, ARRAY[ROW(3),ROW(1)]::wrapped[]);
SELECT attached FROM sync('given', 1, ARRAY['3', '"1"', '{"role_id": 2}', '{"4": {}, "5": {}}']::jsonb[]);
SELECT attached FROM sync('given', 1, ARRAY['3', '{"role_id": 2}']::json[]);
SELECT attached FROM sync('given', 1, ARRAY[[3,1],[2,4]]);
SELECT attached FROM sync('given', 1, '[5:6]={3,1}'::int[]);
SELECT attached FROM sync('given', 1, '3 1 2'::int2vector);
SELECT attached FROM sync('given', 1, ARRAY[]::int[]);
SELECT attached FROM sync('given', 1, (SELECT array_agg(id ORDER BY id DESC) FROM roles WHERE id < 4));
-- array literals
SELECT attached FROM sync('given', 1, '{3,1,2}');
SELECT attached FROM sync('given', 1, ' { 3 , "1" ,2} ');
SELECT attached FROM sync('given', 1, '{{3,1},{2,4}}');
SELECT attached FROM sync('given', 1, '[0:1]={3,1}');
SELECT attached FROM sync('given', 1, '{3,1,2}'::text);
SELECT attached FROM sync('given', 1, '{3,1,2}'::varchar);
SELECT attached FROM sync('given', 1, '{3,1,2}'::bpchar);
SELECT attached FROM sync('given', 1, '{}');
SELECT attached FROM sync('given', 1, ' { } ');
SELECT attached FROM sync('given', 1, '{"3"}');
-- JSON
SELECT attached FROM sync('given', 1, '[3,1,"2"]');
SELECT attached FROM sync('given', 1, '[3,1,"2"]'::jsonb);
SELECT attached FROM sync('given', 1, '[3,1,"2"]'::json);
SELECT attached FROM sync('given', 1, '[3,1,"2"]'::text);
SELECT attached FROM sync('given', 1, '[3.0, 1e2, 200e-2, 9007199254740993]');
SELECT attached FROM sync('given', 1, '{"3": {}, "1": {"status": "x"}, "2": null, "4": []}');
SELECT attached FROM sync('given', 1, '{"3": {}, "1": {"status": "x"}, "2": null, "4": []}'::jsonb);
SELECT attached FROM sync('given', 1, '{"3": {}, "1": {"status": "x"}, "2": null, "4": []}'::json);
SELECT attached FROM sync('given', 1, '[{"role_id": 3}, {"role_id": "1", "status": "x"}, 2, {"5": {}, "4": {"status": "y"}}, [6]]');
SELECT attached FROM sync('given', 1, ' [ 3 ] ');
SELECT attached FROM sync('given', 1, '[]');
SELECT attached FROM sync('given', 1, '{}'::jsonb);
SELECT attached FROM sync('given', 1, to_jsonb(ARRAY[3,1,2]));
SELECT attached FROM sync('given', 1, (SELECT jsonb_agg(r) FROM (SELECT 3 AS role_id, 'x' AS status) r));
-- duplicates, in different spellings
SELECT attached FROM sync('given', 1, '[3, "3", 3.0, {"role_id": 3}, {"3": {}}, 1]');
\pset tuples_only

-- ---- what is no id

SELECT attached FROM sync('given', 1, '1.5');
\echo :LAST_ERROR_SQLSTATE
SELECT attached FROM sync('given', 1, 1.5);
\echo :LAST_ERROR_SQLSTATE
SELECT attached FROM sync('given', 1, 1.5::float8);
\echo :LAST_ERROR_SQLSTATE
SELECT attached FROM sync('given', 1, 'NaN'::numeric);
\echo :LAST_ERROR_SQLSTATE
SELECT attached FROM sync('given', 1, '[1.5]');
\echo :LAST_ERROR_SQLSTATE
SELECT attached FROM sync('given', 1, '["1.0"]');
\echo :LAST_ERROR_SQLSTATE
SELECT attached FROM sync('given', 1, 1e19::numeric);
\echo :LAST_ERROR_SQLSTATE
SELECT attached FROM sync('given', 1, '[9223372036854775808]');
\echo :LAST_ERROR_SQLSTATE
SELECT attached FROM sync('given', 1, 'abc');
\echo :LAST_ERROR_SQLSTATE
SELECT attached FROM sync('given', 1, '');
\echo :LAST_ERROR_SQLSTATE
SELECT attached FROM sync('given', 1, '"5"');
\echo :LAST_ERROR_SQLSTATE
SELECT attached FROM sync('given', 1, '{1,a}');
\echo :LAST_ERROR_SQLSTATE
SELECT attached FROM sync('given', 1, '{1,2');
\echo :LAST_ERROR_SQLSTATE
SELECT attached FROM sync('given', 1, '[1,2');
\echo :LAST_ERROR_SQLSTATE
SELECT attached FROM sync('given', 1, true);
\echo :LAST_ERROR_SQLSTATE
SELECT attached FROM sync('given', 1, '[true]');
\echo :LAST_ERROR_SQLSTATE
SELECT attached FROM sync('given', 1, interval '1 day');
\echo :LAST_ERROR_SQLSTATE
SELECT attached FROM sync('given', 1, ROW(1, 2));
\echo :LAST_ERROR_SQLSTATE
SELECT attached FROM sync('given', 1, '[[1, 2]]');
\echo :LAST_ERROR_SQLSTATE
SELECT attached FROM sync('given', 1, '{"1": 5}');
\echo :LAST_ERROR_SQLSTATE
SELECT attached FROM sync('given', 1, '{"id": 5}');
\echo :LAST_ERROR_SQLSTATE
SELECT attached FROM sync('given', 1, '[{"role_id": {"a": 1}}]');
\echo :LAST_ERROR_SQLSTATE
SELECT attached FROM sync('given', 1, '{"a": {}}');
\echo :LAST_ERROR_SQLSTATE
-- a list of objects that a driver has encoded as an array of JSON texts
SELECT attached FROM sync('given', 1, '{"{\"role_id\": 1}","{\"role_id\": 2}"}');
\echo :LAST_ERROR_SQLSTATE
SELECT attached FROM sync('given', 1, ARRAY['{"role_id": 1}']);
\echo :LAST_ERROR_SQLSTATE
SELECT attached FROM sync('given', 1, '["{\"role_id\": 1}"]');
\echo :LAST_ERROR_SQLSTATE

-- ---- "any" and text, in every combination, for every operation

CREATE TABLE calls (call text, parameters regtype[]);
DO $$
DECLARE
	operation text;
	parent text;
	ids text;
	n int;
BEGIN
	FOREACH operation IN ARRAY '{attach,detach,sync,sync_without_detaching,toggle,update_existing_pivot,is_attached}'::text[] LOOP
		FOREACH parent IN ARRAY ARRAY['3', '''3''', '$1', '3::bigint', '''3''::text', '''3''::varchar'] LOOP
			FOREACH ids IN ARRAY ARRAY['1', '''{1,2}''', '$2', 'ARRAY[1,2]', '''[1]''::jsonb', '''[1]''::json', '''1''::text'] LOOP
				-- the parameters in use are numbered from 1
				EXECUTE format('PREPARE call AS SELECT %s(''user_roles'', %s, %s)::text', operation, parent,
					CASE WHEN parent = '$1' THEN ids ELSE replace(ids, '$2', '$1') END);
				n := (parent = '$1')::int + (ids = '$2')::int;
				INSERT INTO calls SELECT statement, parameter_types FROM pg_prepared_statements WHERE name = 'call';
				EXECUTE CASE n WHEN 0 THEN 'EXECUTE call' WHEN 2 THEN 'EXECUTE call(''3'', ''{1,2}'')'
					ELSE 'EXECUTE call(' || CASE WHEN parent = '$1' THEN '''3''' ELSE '''{1}''' END || ')' END;
				DEALLOCATE call;
			END LOOP;
		END LOOP;
	END LOOP;
	-- those with a parent alone
	FOREACH operation IN ARRAY '{detach,related_ids,count_related,get_results,lock_relation,new_pivot_query,pivot_predicate}'::text[] LOOP
		FOREACH parent IN ARRAY ARRAY['3', '''3''', '$1', '3::bigint', '''3''::text', '''3''::varchar'] LOOP
			EXECUTE format('PREPARE call AS SELECT %s(''user_roles'', %s)::text', operation, parent);
			INSERT INTO calls SELECT statement, parameter_types FROM pg_prepared_statements WHERE name = 'call';
			EXECUTE CASE WHEN parent = '$1' THEN 'EXECUTE call(''3'')' ELSE 'EXECUTE call' END;
			DEALLOCATE call;
		END LOOP;
	END LOOP;
END
$$;
-- untyped parameters are text
SELECT count(*), parameters FROM calls GROUP BY 2 ORDER BY 2;
-- untyped parameters in place of attributes and the rest do not disturb that
PREPARE p AS SELECT attach('user_roles', $1, $2, $3, $4), s.* FROM sync('user_roles', $1, $2, $5, $3) AS s;
SELECT parameter_types FROM pg_prepared_statements WHERE name = 'p';
EXECUTE p('8', '{1,2}', '{"status": "p"}', 'update', 'false');
DEALLOCATE p;
-- types that the client declares
PREPARE p(bigint, bigint[]) AS SELECT attach('user_roles', $1, $2);
EXECUTE p(8, '{1,2}');
DEALLOCATE p;
PREPARE p(int, jsonb) AS SELECT attach('user_roles', $1, $2);
EXECUTE p(8, '[1,2]');
DEALLOCATE p;
PREPARE p(text, int[]) AS SELECT attach('user_roles', $1, $2);
EXECUTE p(8, '{1,2}');
DEALLOCATE p;

-- variables of PL/pgSQL, arguments of functions, columns
CREATE FUNCTION call_attach(parent anyelement, list anycompatiblearray) RETURNS int LANGUAGE plpgsql AS
	'BEGIN RETURN attach(''given'', parent, list); END';
SELECT call_attach(1, '{1,2}'::int[]), call_attach('1'::text, '{1,2}'::text[]), call_attach(1::numeric, '{1,2}'::smallint[]);
CREATE FUNCTION sql_attach(parent text, list text) RETURNS int LANGUAGE sql AS
	'SELECT attach(''given'', parent, list)';
SELECT sql_attach('1', '{1,2}'), sql_attach('1', '[1,2,3]'), sql_attach('1', '7');
DO $$
DECLARE
	relation belongs_to_many := 'given';
	parent users%ROWTYPE;
	list bigint[] := '{1,2}';
	doc jsonb := '[1, 2, 3]';
	one users.id%TYPE := 4;
	attributes jsonb;
BEGIN
	SELECT * INTO parent FROM users WHERE id = 1;
	ASSERT attach(relation, parent.id, list) = 2;
	ASSERT attach(relation, parent.id, doc) = 3;
	ASSERT attach(relation, parent.id, one) = 1;
	ASSERT attach(relation, parent.id, list, attributes) = 2;
	ASSERT attach(relation, parent, one) = 1;
	ASSERT (SELECT jsonb_array_length(attached) FROM sync(relation, one, doc)) = 3;
END
$$;
CREATE TABLE wishes (parent int, list bigint[], doc jsonb, txt text);
INSERT INTO wishes VALUES (1, '{1,2}', '[1]', '{1,2,3}'), (2, '{3}', '{"1": {}, "2": {}}', '5');
SELECT attach('given', parent, list), attach('given', parent, doc), attach('given', parent, txt) FROM wishes ORDER BY parent;
-- a UNION or a subquery makes text of a literal
SELECT attach('given', p, i) FROM (VALUES ('1', '{1,2}')) AS v (p, i);
SELECT attach(r, 1, 1) FROM (VALUES ('given'), ('"given"'), ('ids.given')) AS v (r);

-- ---- keys of string types: text is one id, verbatim

-- like citext: text with an equality of its own
CREATE TYPE ci;
CREATE FUNCTION ci_in(cstring) RETURNS ci LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION ci_out(ci) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE ci (INPUT = ci_in, OUTPUT = ci_out, LIKE = text, CATEGORY = 'S', COLLATABLE = true);
CREATE CAST (ci AS text) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (text AS ci) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE FUNCTION ci_cmp(ci, ci) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS 'SELECT bttextcmp(lower($1::text), lower($2::text))';
CREATE FUNCTION ci_eq(ci, ci) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS 'SELECT lower($1::text) = lower($2::text)';
CREATE FUNCTION ci_lt(ci, ci) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS 'SELECT lower($1::text) < lower($2::text)';
CREATE FUNCTION ci_le(ci, ci) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS 'SELECT lower($1::text) <= lower($2::text)';
CREATE FUNCTION ci_gt(ci, ci) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS 'SELECT lower($1::text) > lower($2::text)';
CREATE FUNCTION ci_ge(ci, ci) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS 'SELECT lower($1::text) >= lower($2::text)';
CREATE OPERATOR = (LEFTARG = ci, RIGHTARG = ci, FUNCTION = ci_eq, COMMUTATOR = =, MERGES);
CREATE OPERATOR < (LEFTARG = ci, RIGHTARG = ci, FUNCTION = ci_lt, COMMUTATOR = >);
CREATE OPERATOR <= (LEFTARG = ci, RIGHTARG = ci, FUNCTION = ci_le, COMMUTATOR = >=);
CREATE OPERATOR > (LEFTARG = ci, RIGHTARG = ci, FUNCTION = ci_gt, COMMUTATOR = <);
CREATE OPERATOR >= (LEFTARG = ci, RIGHTARG = ci, FUNCTION = ci_ge, COMMUTATOR = <=);
CREATE OPERATOR CLASS ci_ops DEFAULT FOR TYPE ci USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 ci_cmp(ci, ci);

CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE DOMAIN label AS text COLLATE nocase CHECK (value <> '');

CREATE FUNCTION relation_on(type text) RETURNS belongs_to_many LANGUAGE plpgsql AS $$
BEGIN
	DROP TABLE IF EXISTS tags, user_tags;
	EXECUTE format('CREATE TABLE tags (name %s PRIMARY KEY)', type);
	EXECUTE format('CREATE TABLE user_tags (user_id bigint REFERENCES users, tag %s REFERENCES tags ON UPDATE CASCADE, n int, PRIMARY KEY (user_id, tag))', type);
	RETURN belongs_to_many('users', 'tags');
END
$$;
SELECT relation_on('text COLLATE "C"') AS tags \gset
INSERT INTO tags VALUES ('a'), ('b'), ('{}'), ('{a,b}'), ('["a"]'), ('"a"'), ('null'), (''), ('{"a": {}}'), ('1'), ('t'), ('true'), (' a ');
SELECT attach(:'tags', 1, '{}'), attach(:'tags', 1, '{a,b}'), attach(:'tags', 1, '["a"]'), attach(:'tags', 1, '"a"'),
	attach(:'tags', 1, 'null'), attach(:'tags', 1, ''), attach(:'tags', 1, '{"a": {}}'::text), attach(:'tags', 1, ' a '::varchar);
SELECT related_ids(:'tags', 1);
SELECT * FROM sync(:'tags', 1, '{a,b}'::text[]);
SELECT * FROM sync(:'tags', 1, ARRAY['{}', 'a']);
SELECT * FROM sync(:'tags', 1, '["a", "{a,b}", "null"]'::jsonb);
SELECT * FROM sync(:'tags', 1, '{"b": {"n": 1}, "{}": {"n": 2}}'::jsonb);
SELECT * FROM sync(:'tags', 1, '[{"tag": "b", "n": 2}, "", {"{}": {"n": 2}}]'::json);
SELECT sync(:'tags', 1, 1), sync_without_detaching(:'tags', 1, true), sync_without_detaching(:'tags', 1, '[true]'::jsonb);
PREPARE p AS SELECT * FROM sync(:'tags', $1, $2);
EXECUTE p(1, '{a,b}');
DEALLOCATE p;
-- who means a list is told so where the row is missing
SELECT attach(:'tags', 1, '{x,y}');
\echo :LAST_ERROR_SQLSTATE
SELECT attach(:'tags', 1, '["x"]');
\echo :LAST_ERROR_SQLSTATE
SELECT attach(:'tags', 1, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT attach(:'tags', 1, ARRAY['x', '{x}']);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM user_tags;

-- varchar, char, name, and a domain
SELECT relation_on('varchar(10)') AS tags \gset
INSERT INTO tags VALUES ('a'), ('{b}');
SELECT sync(:'tags', 1, '{b}'), sync_without_detaching(:'tags', 1, ARRAY['a']);
SELECT attach(:'tags', 1, 'longer than ten');
\echo :LAST_ERROR_SQLSTATE
SELECT detach(:'tags', 1, 'longer than ten'), is_attached(:'tags', 1, 'longer than ten');
SELECT relation_on('name') AS tags \gset
INSERT INTO tags VALUES ('a'), ('{b}');
SELECT sync(:'tags', 1, '{b}'), sync_without_detaching(:'tags', 1, ARRAY['a']);
SELECT relation_on('char(4)') AS tags \gset
INSERT INTO tags VALUES ('a'), ('{b}');
SELECT sync(:'tags', 1, '{b}'), sync_without_detaching(:'tags', 1, ARRAY['a   ', 'a']);

-- equality is the type's: the spelling of the first mention is attached, what is there stays
SELECT relation_on('ci') AS tags \gset
INSERT INTO tags VALUES ('News'), ('Sport');
SELECT * FROM sync(:'tags', 1, ARRAY['news', 'NEWS', 'Sport', 'sport']);
SELECT * FROM sync(:'tags', 1, '{"NEWS": {"n": 1}, "SPORT": {}}'::jsonb);
SELECT is_attached(:'tags', 1, 'nEWS'), detach(:'tags', 1, '{}'), detach(:'tags', 1, ARRAY['SPORT']::ci[]);
TABLE user_tags;
SELECT attach(:'tags', 1, 'Politics');
\echo :LAST_ERROR_SQLSTATE
SELECT relation_on('text COLLATE nocase') AS tags \gset
INSERT INTO tags VALUES ('News'), ('Sport');
SELECT * FROM sync(:'tags', 1, ARRAY['news', 'NEWS', 'Sport', 'sport']);
SELECT * FROM sync(:'tags', 1, '{"NEWS": {"n": 1}, "SPORT": {}}'::jsonb);
SELECT is_attached(:'tags', 1, 'nEWS'), attach(:'tags', 1, 'nEws', on_conflict => 'ignore'), detach(:'tags', 1, ARRAY['SPORT']);
TABLE user_tags;
SELECT relation_on('label') AS tags \gset
INSERT INTO tags VALUES ('News'), ('Sport');
SELECT * FROM sync(:'tags', 1, ARRAY['news', 'NEWS']::label[]);
SELECT detach(:'tags', 1, 'NEWS'::label), attach(:'tags', 1, 'sport');
-- a read may ask for what the domain forbids, a write is refused by the column
SELECT is_attached(:'tags', 1, ''), detach(:'tags', 1, '');
SELECT attach(:'tags', 1, '');
\echo :LAST_ERROR_SQLSTATE
-- the parent is a string
SELECT * FROM sync(inverse(:'tags'), 'SPORT', '{1,2}');
SELECT * FROM sync(inverse(:'tags'), 'sport'::label, 3);
TABLE user_tags;

-- ---- other types of key

SELECT relation_on('uuid') AS tags \gset
INSERT INTO tags VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'), ('b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
SELECT attach(:'tags', 1, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
SELECT * FROM sync(:'tags', 1, '{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}');
SELECT * FROM sync(:'tags', 1, '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,b0eebc999c0b4ef8bb6d6bb9bd380a11}');
SELECT * FROM sync(:'tags', 1, 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid);
SELECT * FROM sync(:'tags', 1, ARRAY['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']::uuid[]);
SELECT * FROM sync(:'tags', 1, ARRAY['b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']);
SELECT * FROM sync(:'tags', 1, '["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]');
SELECT * FROM sync(:'tags', 1, '{"b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11": {"n": 1}}'::jsonb);
PREPARE p AS SELECT * FROM sync(inverse(:'tags'), $1, $2);
EXECUTE p('b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{1,2}');
DEALLOCATE p;
SELECT attach(:'tags', 1, 'b0eebc99');
\echo :LAST_ERROR_SQLSTATE
SELECT attach(:'tags', 1, 5);
\echo :LAST_ERROR_SQLSTATE

CREATE TYPE color AS ENUM ('red', 'green', 'blue');
SELECT relation_on('color') AS tags \gset
INSERT INTO tags SELECT unnest(enum_range(NULL::color));
SELECT sync(:'tags', 1, '{blue,red}'), sync_without_detaching(:'tags', 1, 'green');
SELECT * FROM sync(:'tags', 1, ARRAY['green', 'blue']::color[]);
SELECT sync(:'tags', 1, '["red"]'), sync(:'tags', 1, 'blue'::color), sync(:'tags', 1, '{"green": {"n": 1}}'::jsonb);
SELECT attach(:'tags', 1, '{red,pink}');
\echo :LAST_ERROR_SQLSTATE

SELECT relation_on('numeric(6,2)') AS tags \gset
INSERT INTO tags VALUES (1.5), (2);
SELECT sync(:'tags', 1, '{1.5,1.50,2}'), sync_without_detaching(:'tags', 1, 2.00), sync_without_detaching(:'tags', 1, '[2.0, "1.5000"]');
SELECT attach(:'tags', 1, 1.505);
\echo :LAST_ERROR_SQLSTATE
SELECT attach(:'tags', 1, '[1.505]');
\echo :LAST_ERROR_SQLSTATE
SELECT attach(:'tags', 1, 1e10::numeric);
\echo :LAST_ERROR_SQLSTATE

SELECT relation_on('date') AS tags \gset
INSERT INTO tags VALUES ('2024-02-29'), ('infinity');
SET datestyle = 'ISO, MDY';
SELECT sync(:'tags', 1, '{2024-02-29,infinity}'), sync(:'tags', 1, '2024-02-29'), sync(:'tags', 1, 'infinity'::date);
SELECT sync(:'tags', 1, '["2024-02-29"]'), sync_without_detaching(:'tags', 1, '2024-02-29'::timestamp);
-- an input function has its say, and its state
SET datestyle = 'ISO, DMY';
SELECT is_attached(:'tags', 1, '29/02/2024'), attach(:'tags', 1, 'February 29, 2024');
RESET datestyle;
SELECT attach(:'tags', 1, '2023-02-29');
\echo :LAST_ERROR_SQLSTATE
-- a cast must be exact
SELECT attach(:'tags', 1, '2024-02-29 13:45'::timestamp);
\echo :LAST_ERROR_SQLSTATE
SELECT attach(:'tags', 1, ARRAY['2024-02-29', '2024-02-29 13:45']::timestamp[]);
\echo :LAST_ERROR_SQLSTATE

SELECT relation_on('timestamptz(0)') AS tags \gset
INSERT INTO tags VALUES ('2024-02-29 12:00+00');
SELECT attach(:'tags', 1, '2024-02-29 13:00+01');
SELECT is_attached(:'tags', 1, '2024-02-29 12:00+00'::timestamptz), attach(:'tags', 1, '["2024-02-29T12:00:00Z"]');
SELECT attach(:'tags', 1, '2024-02-29 12:00:00.4+00');
\echo :LAST_ERROR_SQLSTATE

CREATE DOMAIN positive AS int CHECK (value > 0);
SELECT relation_on('positive') AS tags \gset
INSERT INTO tags VALUES (1), (2);
SELECT sync(:'tags', 1, '{1,2}'), sync(:'tags', 1, 1), sync(:'tags', 1, 2::positive), sync(:'tags', 1, ARRAY[1]::positive[]);
SELECT is_attached(:'tags', 1, -1), detach(:'tags', 1, -1);
SELECT attach(:'tags', 1, -1);
\echo :LAST_ERROR_SQLSTATE

SELECT relation_on('bytea') AS tags \gset
INSERT INTO tags VALUES ('\x00ff'), ('{}');
SELECT sync(:'tags', 1, '\x00ff'), sync(:'tags', 1, '\x7b7d'::bytea), sync(:'tags', 1, ARRAY['\x00ff']::bytea[]), sync(:'tags', 1, '["\\x7b7d"]');
SELECT relation_on('boolean') AS tags \gset
INSERT INTO tags VALUES (true), (false);
SELECT sync(:'tags', 1, 'yes'), sync(:'tags', 1, false), sync(:'tags', 1, '{t,f}'), sync(:'tags', 1, '[true]');
SELECT relation_on('float8') AS tags \gset
INSERT INTO tags VALUES (0.1), (2), ('NaN');
SELECT sync(:'tags', 1, 0.1), sync(:'tags', 1, '{2,NaN}'), sync(:'tags', 1, '[0.1, 2, "NaN"]'), sync(:'tags', 1, 2::smallint);
SELECT attach(:'tags', 1, 9007199254740993);
\echo :LAST_ERROR_SQLSTATE
SELECT relation_on('inet') AS tags \gset
INSERT INTO tags VALUES ('::1'), ('10.0.0.0/8');
SELECT sync(:'tags', 1, '10.0.0.0/8'), sync(:'tags', 1, '{::1}'), sync(:'tags', 1, '::1'::inet), sync(:'tags', 1, '10.0.0.0/8'::cidr);
SELECT relation_on('cidr') AS tags \gset
INSERT INTO tags VALUES ('10.0.0.0/8');
SELECT attach(:'tags', 1, '10.0.0.0/8'::inet);
SELECT attach(:'tags', 1, '10.0.0.1/8'::inet);
\echo :LAST_ERROR_SQLSTATE
SELECT relation_on('int4range') AS tags \gset
INSERT INTO tags VALUES ('[1,5)'), ('empty');
SELECT sync(:'tags', 1, int4range(1, 5)), sync(:'tags', 1, ARRAY['empty']::int4range[]), sync(:'tags', 1, '["[1,4]", "empty"]'), sync(:'tags', 1, 'empty');
SELECT relation_on('smallint') AS tags \gset
INSERT INTO tags VALUES (1);
SELECT sync(:'tags', 1, 1::bigint), sync(:'tags', 1, '{1}'), sync(:'tags', 1, 1.0);
SELECT attach(:'tags', 1, 40000);
\echo :LAST_ERROR_SQLSTATE
SELECT relation_on('int[]') AS tags \gset
INSERT INTO tags VALUES ('{1,2}'), ('{}');
SELECT * FROM sync(:'tags', 1, '["{1,2}", "{}"]'::jsonb);

-- ---- keys of several columns

CREATE TABLE t_users (tenant int, id bigint, PRIMARY KEY (tenant, id));
CREATE TABLE t_roles (tenant int, id bigint, PRIMARY KEY (tenant, id));
CREATE TABLE t_user_roles (
	tenant int, user_id bigint, role_id bigint, status text,
	PRIMARY KEY (tenant, user_id, role_id),
	FOREIGN KEY (tenant, user_id) REFERENCES t_users,
	FOREIGN KEY (tenant, role_id) REFERENCES t_roles);
INSERT INTO t_users SELECT t, i FROM generate_series(1, 3) AS t, generate_series(1, 3) AS i;
INSERT INTO t_roles SELECT t, i FROM generate_series(1, 3) AS t, generate_series(1, 9) AS i;
SELECT create_relation('t_user_roles', belongs_to_many('t_users', 't_roles'));
CREATE TYPE t_user AS (tenant int, id bigint);

-- the parent as object, array, row, typed and as text; ids are plain
SELECT attach('t_user_roles', '{"tenant": 1, "user_id": 1}', 1), attach('t_user_roles', '{"user_id": 1, "tenant": 1}'::jsonb, '{2,3}'),
	attach('t_user_roles', '{"tenant": 1, "user_id": "1"}'::json, ARRAY[4]), attach('t_user_roles', '[1, 1]', '[5]'::jsonb),
	attach('t_user_roles', '["1", 1]'::jsonb, '{"6": {"status": "x"}}'::jsonb), attach('t_user_roles', ROW(1, 1), 7),
	attach('t_user_roles', ROW(1::smallint, '1'::text), '8'), attach('t_user_roles', (1, 1)::t_user, '9'), attach('t_user_roles', '(1,1)', 9);
SELECT attach('t_user_roles', u, '{1,2}') FROM t_users u WHERE tenant = 2 ORDER BY id;
PREPARE p AS SELECT attach('t_user_roles', $1, $2);
EXECUTE p('{"tenant": 3, "user_id": 1}', '{1,2}');
EXECUTE p('(3,2)', '[1,2]');
EXECUTE p('[3,3]', '3');
DEALLOCATE p;
SELECT tenant, user_id, array_agg(role_id ORDER BY role_id) FROM t_user_roles GROUP BY 1, 2 ORDER BY 1, 2;
-- an id may repeat what the parent gives
SELECT * FROM sync('t_user_roles', '[3, 3]', '[{"tenant": 3, "role_id": 1}, [3, 2], {"role_id": 3, "status": "x"}, 4]');
SELECT * FROM sync('t_user_roles', '[3, 3]', ARRAY[ROW(3, 1), ROW(3, 5)]);
SELECT sync('t_user_roles', '[3, 3]', ROW(3, 1)), sync('t_user_roles', '[3, 3]', ARRAY[ROW(2)]);
SELECT * FROM sync('t_user_roles', '[3, 3]', '[{"tenant": 2, "role_id": 1}]');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sync('t_user_roles', '[3, 3]', '[[2, 1]]');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sync('t_user_roles', '[3, 3]', ROW(2, 1));
\echo :LAST_ERROR_SQLSTATE
-- what is no parent
SELECT attach('t_user_roles', 1, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT attach('t_user_roles', '1', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT attach('t_user_roles', '[1]', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT attach('t_user_roles', ROW(1, 2, 3), 1);
\echo :LAST_ERROR_SQLSTATE
SELECT attach('t_user_roles', '{"tenant": 1}', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT attach('t_user_roles', '{"tenant": 1, "userid": 1}', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT attach('t_user_roles', '{"tenant": 1, "user_id": 1, "x": 1}', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT attach('t_user_roles', '{"tenant": 1, "user_id": [1]}', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT attach('t_user_roles', '{"tenant": 1, "user_id": null}', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT attach('t_user_roles', ROW(1, 'x'), 1);
\echo :LAST_ERROR_SQLSTATE
SELECT attach('t_user_roles', '(1,', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT attach('t_user_roles', ARRAY[1, 1], 1);
\echo :LAST_ERROR_SQLSTATE

-- no column is shared: ids are objects, arrays and rows
CREATE TABLE docs (lang text, nr int, PRIMARY KEY (lang, nr));
INSERT INTO docs SELECT l, n FROM unnest('{de,en}'::text[]) AS l, generate_series(1, 3) AS n;
CREATE TABLE user_docs (
	user_id bigint REFERENCES users, lang text, nr int, note text,
	PRIMARY KEY (user_id, lang, nr), FOREIGN KEY (lang, nr) REFERENCES docs);
SELECT create_relation('user_docs', belongs_to_many('users', 'docs'));
SELECT attach('user_docs', 1, ROW('de', 1)), attach('user_docs', 1, ARRAY[ROW('de', 2), ROW('en', 1)]), attach('user_docs', 1, '{"lang": "de", "nr": 3}'),
	attach('user_docs', 1, '[["en", 2]]'), attach('user_docs', 1, '(en,3)'), attach('user_docs', 1, '[["en", 3], {"nr": 1, "lang": "en", "note": "x"}]'::jsonb);
SELECT detach('user_docs', 1, '{"(de,1)","(en,3)"}'), detach('user_docs', 1, ARRAY['(de,2)']), detach('user_docs', 1, (SELECT array_agg(d) FROM docs d WHERE nr = 3));
SELECT related_ids('user_docs', 1);
SELECT attach('user_docs', 1, '[["en"]]');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_docs', 1, '["en", 1]');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_docs', 1, '{"en": {"note": "x"}}');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_docs', 1, '[{"lang": "en"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_docs', 1, 'en');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_docs', 1, '{{"(en,1)"},{"(en,2)"}}');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_docs', 1, ARRAY[ROW('en', NULL)]);
\echo :LAST_ERROR_SQLSTATE
-- a parent of several columns without a shared one
SELECT sync(inverse('user_docs'), '["en", 1]', '{1,2}'), sync(inverse('user_docs'), ROW('en', 1), 2);

DROP SCHEMA ids CASCADE;
