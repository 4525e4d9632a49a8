-- Tables of all kinds on each side: temporary, unlogged, views, inheritance, foreign schemas, other owners.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE SCHEMA m2m;
CREATE EXTENSION belongs_to_many SCHEMA m2m;
CREATE SCHEMA app;
SET LOCAL search_path = app, m2m, public;
SELECT plan(25);

CREATE TABLE users (id int PRIMARY KEY, name text);
CREATE TABLE roles (id int PRIMARY KEY, name text);
INSERT INTO users VALUES (1, 'Ada'), (2, 'Bob');
INSERT INTO roles SELECT i, 'role ' || i FROM generate_series(1, 9) i;

-- temporary tables
CREATE TEMP TABLE wanted (user_id int, role_id int, PRIMARY KEY (user_id, role_id)) ON COMMIT DROP;
SELECT create_relation('wanted', belongs_to_many('users', 'roles', 'wanted', 'user_id', 'role_id'));
SELECT is(attach('wanted', 1, '{1,2}'), 2, 'a temporary pivot');
SELECT is(related_ids('pg_temp.wanted', 1), '[1, 2]', 'is saved in the session''s own schema');
CREATE TEMP TABLE picks (id int PRIMARY KEY);
INSERT INTO picks VALUES (1), (3);
SELECT is(attach('wanted', 2, ARRAY(SELECT id FROM picks)), 2, 'ids from a temporary table');
SELECT is((SELECT array_agg(r.id) FROM get_results(belongs_to_many('users', 'picks', 'wanted', 'user_id', 'role_id'), 1, NULL::picks) r), '{1}', 'a temporary related table');
DROP TABLE wanted;
SELECT throws_ok($$SELECT attach('wanted', 1, 1)$$, '42704', NULL, 'it is gone with its table');
CREATE TEMP TABLE wanted (user_id int, role_id int, note text);
SELECT create_relation('wanted', belongs_to_many('users', 'roles', 'wanted', 'user_id', 'role_id'));
SELECT is(attach('wanted', 1, 5), 1, 'and can be made anew');

-- unlogged
CREATE UNLOGGED TABLE cache (user_id int REFERENCES users, role_id int REFERENCES roles, PRIMARY KEY (user_id, role_id));
SELECT results_eq($$SELECT * FROM sync(belongs_to_many('users', 'roles', 'cache'), 1, '{1,2}')$$, $$VALUES ('[1, 2]'::jsonb, '[]'::jsonb, '[]'::jsonb)$$, 'an unlogged pivot');

-- views as parent and as related table
CREATE TABLE user_roles (user_id int, role_id int, PRIMARY KEY (user_id, role_id));
CREATE VIEW visible_roles AS SELECT id, upper(name) AS label FROM roles WHERE id < 5;
CREATE VIEW people AS SELECT id AS person FROM users;
SELECT throws_ok($$SELECT belongs_to_many('people', 'visible_roles', 'user_roles', 'user_id', 'role_id')$$, '42P09', NULL, 'a view has no key to infer');
SELECT create_relation('visible', belongs_to_many('people', 'visible_roles', 'user_roles', 'user_id', 'role_id', 'person', 'id'));
SELECT is(attach('visible', 1, '{1,4,7}'), 3, 'attach needs no related row where there is no foreign key');
SELECT is((SELECT array_agg(label ORDER BY id) FROM get_results('visible', 1, NULL::visible_roles)), '{"ROLE 1","ROLE 4"}', 'results are those of the view');
SELECT is(related_ids('visible', 1), '[1, 4, 7]', 'ids are those of the pivot');
SELECT is(related_ids(where_related('visible', 'label', 'like', '%4'), 1), '[4]', 'a filter on a column of the view');
SELECT throws_ok($$SELECT belongs_to_many('users', 'roles', 'visible_roles', 'id', 'label')$$, '42809', NULL, 'a view cannot be the pivot');
CREATE MATERIALIZED VIEW snapshot AS SELECT * FROM roles;
SELECT is((SELECT count(*) FROM get_results(belongs_to_many('users', 'snapshot', 'user_roles', 'user_id', 'role_id', NULL, 'id'), 1)), 3::bigint, 'a materialized view as related table');

-- inheritance
CREATE TABLE old_user_roles (since date) INHERITS (user_roles);
INSERT INTO old_user_roles VALUES (2, 3, '2000-01-01');
SELECT is(related_ids('visible', 2), '[3]', 'rows of a child table are read');
SELECT is(detach('visible', 2), 1, 'and detached');

-- other schemas, each with a relation of that name
CREATE SCHEMA one;
CREATE SCHEMA two;
CREATE TABLE one.user_roles (user_id int, role_id int, PRIMARY KEY (user_id, role_id));
CREATE TABLE two.user_roles (user_id int, role_id int, PRIMARY KEY (user_id, role_id));
SELECT create_relation(s || '.user_roles', belongs_to_many('users', 'roles', (s || '.user_roles')::regclass, 'user_id', 'role_id')) FROM unnest('{one,two}'::text[]) s;
SELECT is(attach('one.user_roles', 1, '{1,2}') + attach('two.user_roles', 1, 3), 3, 'one relation for each schema');
SET LOCAL search_path = two, app, m2m, public;
SELECT is(related_ids('user_roles', 1), '[3]', 'the search_path says which');
SET LOCAL search_path = one, app, m2m, public;
SELECT is(related_ids('user_roles', 1), '[1, 2]', 'also after it has changed');
SET LOCAL search_path = app, m2m, public;
SELECT throws_ok($$SELECT related_ids('user_roles', 1)$$, '42704', NULL, 'and where there is none, there is none');

-- a generated key, a domain, a serial; columns that were dropped and added
CREATE DOMAIN role_id AS int CHECK (VALUE > 0);
CREATE TABLE mixed (junk text, role role_id, "user" int, extra text DEFAULT 'd', PRIMARY KEY ("user", role));
ALTER TABLE mixed DROP junk, ADD added int DEFAULT 7;
SELECT is(attach(belongs_to_many('users', 'roles', 'mixed', 'user', 'role'), 1, '{"1": {}, "2": {"extra": "x"}}'), 2, 'dropped and added columns');
SELECT results_eq('SELECT role::int, extra, added FROM mixed ORDER BY 1', $$VALUES (1, 'd', 7), (2, 'x', 7)$$, 'their rows');
SELECT throws_ok($$SELECT attach(belongs_to_many('users', 'roles', 'mixed', 'user', 'role'), 1, 0)$$, '23514', NULL, 'an id that the domain refuses');
SELECT is(detach(belongs_to_many('users', 'roles', 'mixed', 'user', 'role'), 1, '{0,1}'), 1, 'which is no reason not to look for it');
SELECT is(related_ids(belongs_to_many('users', 'roles', 'mixed', 'user', 'role'), 1), '[2]', 'what is left');

SELECT * FROM finish();
ROLLBACK;
