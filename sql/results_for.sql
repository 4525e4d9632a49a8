--
-- get_results_for(): the related rows of many parents; and the lists of
-- parents that it shares with count_related_for()
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA results_for;
SET search_path = results_for, m2m;

CREATE TABLE users (id bigint PRIMARY KEY, name text);
CREATE TABLE roles (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE user_roles (
	user_id bigint, role_id int, level int, PRIMARY KEY (user_id, role_id));
INSERT INTO users VALUES (1, 'Ada'), (2, 'Bob'), (3, 'Eve');
INSERT INTO roles VALUES (1, 'admin'), (2, 'editor'), (3, 'author'), (4, 'reader');
INSERT INTO user_roles VALUES (1, 1, 4), (1, 2, 3), (1, 3, 2), (1, 4, 1), (1, 99, 0), (2, 2, 7), (2, 4, NULL), (4, 1, 1);
SELECT create_relation('user_roles', belongs_to_many('users', 'roles', 'user_roles', 'user_id', 'role_id'));

-- one row per parent, in the order of the list, [] where there is nothing
SELECT * FROM get_results_for(order_by(with_pivot('user_roles', 'level'), 'id'), ARRAY[3, 2, 1]);
-- a parent needs no row of its own in the parent's table, as for get_results()
SELECT parent, jsonb_array_length(results) FROM get_results_for('user_roles', '{4,77}'::bigint[]);
-- distinct parents, at their first place; NULL elements are skipped
SELECT parent, jsonb_path_query_array(results, '$[*].name') AS names
FROM get_results_for(order_by('user_roles', 'name'), ARRAY[2, NULL, 3, 2, 1, NULL, 3, 2]);
-- a NULL list, an empty one, one of NULLs
SELECT * FROM get_results_for('user_roles', NULL::bigint[]);
SELECT * FROM get_results_for('user_roles', NULL::text);
SELECT * FROM get_results_for('user_roles', NULL::jsonb);
SELECT * FROM get_results_for('user_roles', NULL);
SELECT * FROM get_results_for('user_roles', '{}'::bigint[]);
SELECT * FROM get_results_for('user_roles', '{}');
SELECT * FROM get_results_for('user_roles', '[]');
SELECT * FROM get_results_for('user_roles', '[]'::jsonb);
SELECT * FROM get_results_for('user_roles', ARRAY[NULL, NULL]::bigint[]);
SELECT * FROM get_results_for('user_roles', '[null]'::jsonb);
SELECT * FROM get_results_for('user_roles', 'null'::jsonb);

-- the rows are those of get_results()
SELECT u.id, f.results = COALESCE(g.results, '[]') AS same, jsonb_send(f.results) = jsonb_send(COALESCE(g.results, '[]')) AS same_bytes
FROM get_results_for(order_by(with_pivot('user_roles', 'level'), 'name'), ARRAY(SELECT id FROM users ORDER BY id)) f
JOIN users u ON u.id = f.parent
LEFT JOIN LATERAL (SELECT jsonb_agg(result ORDER BY ordinality) AS results
	FROM get_results(order_by(with_pivot('user_roles', 'level'), 'name'), u.id) WITH ORDINALITY) g ON true
ORDER BY 1;

-- ---- the limit per parent

CREATE FUNCTION names(belongs_to_many, bigint[], bigint DEFAULT NULL) RETURNS text LANGUAGE sql
	RETURN (SELECT string_agg(parent || ':' || COALESCE((SELECT string_agg(r ->> 'name', ',' ORDER BY n) FROM jsonb_array_elements(results) WITH ORDINALITY e(r, n)), ''), ' ' ORDER BY ordinality)
	FROM get_results_for($1, $2, $3) WITH ORDINALITY);
SELECT l, names(order_by('user_roles', 'name'), '{3,1,2}', l)
FROM (VALUES (0), (1), (2), (3), (4), (9223372036854775807), (NULL)) v(l);
SELECT * FROM get_results_for('user_roles', ARRAY[1], -1);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM get_results_for('user_roles', ARRAY[1], limit_per_parent => -9223372036854775808);
\echo :LAST_ERROR_SQLSTATE
-- a bad limit is one without parents, too
SELECT * FROM get_results_for('user_roles', '{}'::int[], -1);
\echo :LAST_ERROR_SQLSTATE
-- with the relation's own page, the smaller one; the skip is per parent
SELECT m, s, l, names(take(order_by('user_roles', 'name'), m, s), '{1,2,3}', l)
FROM (VALUES (2, 0, NULL), (2, 0, 1), (1, 0, 3), (NULL, 1, NULL), (NULL, 3, 5), (2, 1, NULL), (1, 1, 9), (0, 0, NULL), (0, 1, 4), (NULL, 0, NULL)) v(m, s, l);
-- without an order, as many as there are at most
SELECT parent, jsonb_array_length(results) FROM get_results_for('user_roles', '{1,2,3}', 3);

-- ---- the order is kept within each parent

SELECT names(order_by('user_roles', 'name', 'desc'), '{1,2}') AS "desc", names(order_by_pivot('user_roles', 'level'), '{1,2}') AS level,
	names(order_by_pivot('user_roles', 'level', 'desc nulls last'), '{2,1}', 2) AS level_desc;

-- ---- filters, names, the other side

SELECT names(order_by(where_pivot('user_roles', 'level', '>', 2), 'name'), '{1,2,3}') AS pivot,
	names(order_by(or_where_pivot_null(where_pivot('user_roles', 'level', 4), 'level'), 'name'), '{1,2,3}') AS alternatives,
	names(order_by(where_related('user_roles', 'name', 'like', 'a%'), 'name'), '{1,2,3}') AS related,
	names(where_pivot_in('user_roles', 'level', '{}'), '{1,2,3}') AS none,
	names(order_by(where_related('user_roles', 'name', 'like', '%e%'), 'name'), '{1,2,3}', 1) AS limited;
SELECT * FROM get_results_for(pivot_as(order_by('user_roles', 'id'), 'through'), ARRAY[2]);
SELECT parent, jsonb_path_query_array(results, '$[*].name') AS names, pg_typeof(parent)
FROM get_results_for(order_by(inverse('user_roles'), 'name'), ARRAY[4, 1]::smallint[]);

-- ---- the list in every way of writing it, and what the parents are called

-- an array: its own elements
SELECT parent, pg_typeof(parent), jsonb_array_length(results) FROM get_results_for('user_roles', ARRAY[1, 2]::numeric[]);
SELECT parent, pg_typeof(parent), jsonb_array_length(results) FROM get_results_for('user_roles', ARRAY['2', '01', '1', ' 2 ']);
SELECT parent, pg_typeof(parent), jsonb_array_length(results) FROM get_results_for('user_roles', ARRAY['"1"', '2', '{"user_id": 3}', '1.0']::jsonb[]);
SELECT parent FROM get_results_for('user_roles', '{{1,2},{3,1}}'::int[]);
SELECT parent FROM get_results_for('user_roles', '[5:6]={2,1}'::int[]);
CREATE DOMAIN user_id AS bigint;
SELECT parent, pg_typeof(parent) FROM get_results_for('user_roles', ARRAY[2, 1]::user_id[]);
-- text: an array literal, JSON, or one parent; the key's own type
SELECT parent, pg_typeof(parent), jsonb_array_length(results) FROM get_results_for('user_roles', '{2,1,"02"}');
SELECT parent, pg_typeof(parent), jsonb_array_length(results) FROM get_results_for('user_roles', '[2, "1", 1.0, {"user_id": 3}]');
SELECT parent, jsonb_array_length(results) FROM get_results_for('user_roles', '1');
SELECT parent, jsonb_array_length(results) FROM get_results_for('user_roles', '{"user_id": 1}');
SELECT parent, jsonb_array_length(results) FROM get_results_for('user_roles', '1'::text, 2);
-- jsonb
SELECT parent, jsonb_array_length(results) FROM get_results_for('user_roles', '[[2], "1", null, 1.0]'::jsonb);
SELECT parent, jsonb_array_length(results) FROM get_results_for('user_roles', '1'::jsonb);
SELECT parent, jsonb_array_length(results) FROM get_results_for('user_roles', '"1"'::jsonb);
SELECT parent, jsonb_array_length(results) FROM get_results_for('user_roles', '{"user_id": 2}'::jsonb, 1);
-- untyped and typed parameters
PREPARE untyped AS SELECT parent, jsonb_array_length(results) FROM get_results_for('user_roles', $1);
EXECUTE untyped('{1,2}');
PREPARE typed(bigint[], bigint) AS SELECT parent, jsonb_array_length(results) FROM get_results_for('user_roles', $1, $2);
EXECUTE typed('{1,2}', 1);
EXECUTE typed('{2}', NULL);
EXECUTE typed(NULL, 1);
-- what is no parent
SELECT * FROM get_results_for('user_roles', '{1,x}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM get_results_for('user_roles', '{1,2');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM get_results_for('user_roles', '[1,2');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM get_results_for('user_roles', '[1, [2, 3]]'::jsonb);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM get_results_for('user_roles', '[true]'::jsonb);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM get_results_for('user_roles', '[1.5]'::jsonb);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM get_results_for('user_roles', ARRAY[1, 9223372036854775808]::numeric[]);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM get_results_for('user_roles', '{"role_id": 1}'::jsonb);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM get_results_for('user_roles', ARRAY[point '(0,0)']);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM get_results_for(NULL, ARRAY[1]);
\echo :LAST_ERROR_SQLSTATE
-- one value is no list
SELECT * FROM get_results_for('user_roles', 1);
\echo :LAST_ERROR_SQLSTATE

-- ---- keys of a string type: text is one parent, verbatim

CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE pages (slug text COLLATE any_case PRIMARY KEY);
CREATE TABLE page_roles (page text COLLATE any_case, role_id int, PRIMARY KEY (page, role_id));
INSERT INTO page_roles VALUES ('home', 1), ('{home,about}', 2), ('[1]', 3), ('', 4);
SELECT create_relation('page_roles', belongs_to_many('pages', 'roles', 'page_roles', 'page', 'role_id'));
SELECT parent, jsonb_path_query_array(results, '$[*].name') FROM get_results_for('page_roles', '{home,about}');
SELECT parent, jsonb_path_query_array(results, '$[*].name') FROM get_results_for('page_roles', '[1]');
SELECT parent, jsonb_path_query_array(results, '$[*].name') FROM get_results_for('page_roles', '');
-- equal under the key's collation is the same parent
SELECT parent, jsonb_path_query_array(results, '$[*].name') FROM get_results_for('page_roles', ARRAY['HOME', 'home', 'Home', '', 'nowhere']);
SELECT parent, jsonb_path_query_array(results, '$[*].name') FROM get_results_for('page_roles', '["HOME", "home", "", "nowhere"]'::jsonb);
SELECT parent, count FROM count_related_for('page_roles', ARRAY['HOME', 'home', '', 'nowhere']);

-- ---- keys of several columns

CREATE TABLE tenant_users (tenant int, id text, PRIMARY KEY (tenant, id));
CREATE TABLE tenant_roles (tenant int, id int, name text, PRIMARY KEY (tenant, id));
CREATE TABLE tenant_pivot (tenant int, user_id text, role_id int, PRIMARY KEY (tenant, user_id, role_id));
INSERT INTO tenant_roles VALUES (1, 1, 'one'), (1, 2, 'two'), (2, 1, 'uno');
INSERT INTO tenant_pivot VALUES (1, 'a', 1), (1, 'a', 2), (1, 'b', 2), (2, 'a', 1);
SELECT create_relation('tenants', order_by(belongs_to_many('tenant_users', 'tenant_roles', 'tenant_pivot',
	ARRAY['tenant', 'user_id']::name[], ARRAY['tenant', 'role_id']::name[]), 'name'));
SELECT parent, jsonb_path_query_array(results, '$[*].name') FROM get_results_for('tenants', ARRAY[ROW(2, 'a'), ROW(1, 'b'), ROW(3, 'a'), ROW(1, 'a'), ROW(2, 'a')]);
SELECT parent, jsonb_path_query_array(results, '$[*].name') FROM get_results_for('tenants', '[[1, "a"], {"tenant": 2, "user_id": "a"}, {"user_id": "a", "tenant": "1"}, null]');
SELECT parent, jsonb_path_query_array(results, '$[*].name') FROM get_results_for('tenants', '[[1, "a"], [1, "b"]]'::jsonb, 1);
SELECT parent, jsonb_path_query_array(results, '$[*].name') FROM get_results_for('tenants', ARRAY['[1, "a"]', '{"tenant": 2, "user_id": "a"}']::jsonb[]);
SELECT parent, jsonb_path_query_array(results, '$[*].name') FROM get_results_for('tenants', ARRAY(SELECT u FROM tenant_users u));
INSERT INTO tenant_users VALUES (1, 'a'), (2, 'a');
SELECT parent, jsonb_path_query_array(results, '$[*].name') FROM get_results_for('tenants', ARRAY(SELECT u FROM tenant_users u ORDER BY u));
SELECT parent, pg_typeof(parent), count FROM count_related_for('tenants', ARRAY(SELECT u FROM tenant_users u ORDER BY u));
-- one parent
SELECT parent, jsonb_array_length(results) FROM get_results_for('tenants', '{"tenant": 1, "user_id": "a"}');
SELECT * FROM get_results_for('tenants', '[[1]]'::jsonb);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM get_results_for('tenants', '[{"tenant": 1}]'::jsonb);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM get_results_for('tenants', ARRAY[1]);
\echo :LAST_ERROR_SQLSTATE

-- ---- many parents, many rows

INSERT INTO user_roles SELECT u, r, u % 7 FROM generate_series(1001, 3000) u, generate_series(1, 4) r WHERE u % 5 >= r;
SELECT count(*), sum(jsonb_array_length(f.results)), bool_and(f.parent = 4000 - f.ordinality) AS in_order,
	bool_and(jsonb_array_length(f.results) = (CASE WHEN f.parent <= 1000 OR f.parent > 3000 THEN 0 ELSE f.parent % 5 END)) AS lengths
FROM get_results_for('user_roles', ARRAY(SELECT 4000 - i FROM generate_series(1, 3500) i WHERE 4000 - i > 500)) WITH ORDINALITY f;
SELECT count(*), count(*) FILTER (WHERE f.results = g.results) AS same
FROM get_results_for(order_by(with_pivot('user_roles', 'level'), 'name'), ARRAY(SELECT generate_series(1500, 2500, 17))) f
CROSS JOIN LATERAL (SELECT COALESCE(jsonb_agg(result ORDER BY ordinality), '[]') AS results
	FROM get_results(order_by(with_pivot('user_roles', 'level'), 'name'), f.parent) WITH ORDINALITY) g;
SELECT count(*), sum(jsonb_array_length(results)), max(jsonb_array_length(results))
FROM get_results_for(order_by('user_roles', 'name'), ARRAY(SELECT generate_series(1001, 3000)), 2);
-- one parent of very many rows: the array is good jsonb (every 32nd entry holds an offset)
INSERT INTO roles SELECT i, repeat('n', i % 50) FROM generate_series(100, 20099) i;
INSERT INTO user_roles SELECT 5, i FROM generate_series(100, 20099) i;
SELECT count(*), bool_and((r ->> 'id')::int = 99 + n) AS in_order, bool_and(r ->> 'name' = repeat('n', (99 + n)::int % 50)) AS names
FROM get_results_for(order_by('user_roles', 'id'), ARRAY[5]), jsonb_array_elements(results) WITH ORDINALITY e(r, n);
SELECT results -> 0 ->> 'id' AS first, results -> 31 ->> 'id' AS n31, results -> 32 ->> 'id' AS n32, results -> 33 ->> 'id' AS n33, results -> -1 ->> 'id' AS last,
	results::text::jsonb = results AS text_and_back, jsonb_array_length(results)
FROM get_results_for(order_by('user_roles', 'id'), ARRAY[5]);

-- ---- where it is called

SELECT u.name, f.parent, jsonb_array_length(f.results) FROM users u LEFT JOIN get_results_for('user_roles', ARRAY(SELECT id FROM users)) f ON f.parent = u.id ORDER BY u.id;
SELECT u.name, f.* FROM users u, LATERAL (SELECT jsonb_array_length(results) AS n FROM get_results_for('user_roles', ARRAY[u.id, u.id + 1])) f ORDER BY u.id, n;
SELECT get_results_for('user_roles', ARRAY[3, 4]);
SELECT (get_results_for('user_roles', ARRAY[3, 4])).parent;
SELECT count(*) FROM get_results_for('user_roles', ARRAY[1], NULL) a, get_results_for(relation => 'user_roles', parents => ARRAY[1, 2], limit_per_parent => 1) b;

DROP SCHEMA results_for CASCADE;
