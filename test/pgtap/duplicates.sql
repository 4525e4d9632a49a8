-- A pivot with a key of its own and no unique index on the pair: the same pair can be there more than once.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE SCHEMA m2m;
CREATE EXTENSION belongs_to_many SCHEMA m2m;
CREATE SCHEMA app;
SET LOCAL search_path = app, m2m, public;
SELECT plan(31);

CREATE TABLE users (id int PRIMARY KEY);
CREATE TABLE items (id int PRIMARY KEY, name text);
CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id int REFERENCES users, item_id int REFERENCES items, amount int DEFAULT 1, note text);
CREATE INDEX ON orders (user_id);
INSERT INTO users SELECT generate_series(1, 3);
INSERT INTO items SELECT i, 'item ' || i FROM generate_series(1, 9) i;
SELECT create_relation('orders', with_pivot(belongs_to_many('users', 'items'), 'id', 'amount'));
CREATE FUNCTION orders_of(u int) RETURNS text LANGUAGE sql
	RETURN (SELECT string_agg(COALESCE(item_id::text, '-') || 'x' || amount, ' ' ORDER BY id) FROM orders WHERE user_id = u);

SELECT is(attach('orders', 1, '{1,2,1}'), 2, 'attach: ignore makes no second row');
SELECT is(attach('orders', 1, '{1,2,3}'), 1, 'attach: ignore looks at what is there');
SELECT is(attach('orders', 1, '{1,2}', '{"amount": 2}', 'duplicate'), 2, 'attach: duplicate makes one');
SELECT is(attach('orders', 1, '{1,1}', '{"amount": 3}', 'duplicate'), 1, 'attach: one for each id, not for each mention');
SELECT is(orders_of(1), '1x1 2x1 3x1 1x2 2x2 1x3', 'the rows');
SELECT throws_ok($$SELECT attach('orders', 1, '{4,3}', on_conflict => 'error')$$, '23505', NULL, 'attach: error without an index to raise it');
SELECT is(attach('orders', 1, '{4}', on_conflict => 'error'), 1, 'attach: no error');
SELECT is(attach('orders', 1, '{1,5}', '{"amount": 2}', 'update'), 3, 'attach: update changes all rows of a pair that differ, and adds what is missing');
SELECT is(orders_of(1), '1x2 2x1 3x1 1x2 2x2 1x2 4x1 5x2', 'the rows');

SELECT is(related_ids('orders', 1), '[1, 2, 3, 4, 5]', 'related_ids: each once');
SELECT is(count_related('orders', 1), 8::bigint, 'count_related: rows');
SELECT ok(is_attached('orders', 1, '{1,2,1}'), 'is_attached');
SELECT is((SELECT count(*) FROM get_results('orders', 1)), 8::bigint, 'results: one for each row');
SELECT is((SELECT count(DISTINCT result -> 'pivot' -> 'id') FROM get_results('orders', 1)), 8::bigint, 'each with its own pivot row');

SELECT results_eq($$SELECT * FROM sync('orders', 1, '{"1": {"amount": 9}, "2": {"amount": 2}, "6": {}}')$$,
	$$VALUES ('[6]'::jsonb, '[3, 4, 5]'::jsonb, '[1, 2]'::jsonb)$$, 'sync: each id once in a report');
SELECT is(orders_of(1), '1x9 2x2 1x9 2x2 1x9 6x1', 'sync: rows of a pair that stays all stay');
SELECT results_eq($$SELECT * FROM toggle('orders', 1, '{1,3}')$$, $$VALUES ('[3]'::jsonb, '[1]'::jsonb)$$, 'toggle: all rows of a pair go');
SELECT is(update_existing_pivot('orders', 1, '{2,3}', '{"amount": 5}'), 3, 'update: counts rows');
SELECT is(detach('orders', 1, '{2,7}'), 2, 'detach: counts rows');
SELECT is(orders_of(1), '6x1 3x5', 'the rows');

-- rows that have no item
INSERT INTO orders (user_id, item_id) VALUES (2, NULL), (2, 1), (2, NULL), (NULL, 1);
SELECT is(related_ids('orders', 2) || to_jsonb(count_related('orders', 2)), '[1, 1]', 'a row without an item is none in reads');
SELECT results_eq($$SELECT * FROM sync('orders', 2, '{2}')$$, $$VALUES ('[2]'::jsonb, '[1]'::jsonb, '[]'::jsonb)$$, 'nor in sync');
SELECT is(orders_of(2), '-x1 -x1 2x1', 'it stays');
SELECT is(detach('orders', 2), 3, 'until all is detached');
SELECT is((SELECT count(*) FROM orders WHERE user_id IS NULL), 1::bigint, 'a row without a user is nobody''s');

-- a filter on the rows of a pair
SELECT is(attach('orders', 3, '{1,2}', '{"note": "a"}') + attach('orders', 3, '{1}', '{"note": "b"}', 'duplicate'), 3, 'two rows of a pair');
SELECT is(detach(where_pivot('orders', 'note', 'b'), 3), 1, 'one of them');
SELECT is(attach(with_pivot_value('orders', 'note', 'b'), 3, '{1,2}'), 2, 'a second row of each, in scope');
SELECT is((SELECT string_agg(item_id || note, ' ' ORDER BY item_id, note) FROM orders WHERE user_id = 3), '1a 1b 2a 2b', 'the rows');
SELECT is(attach(with_pivot_value('orders', 'note', 'b'), 3, '{1}', '{"note": "c"}', 'update'), 1, 'an update that takes a row out of the scope');
SELECT is((SELECT string_agg(item_id || note, ' ' ORDER BY item_id, note) FROM orders WHERE user_id = 3), '1a 1c 2a 2b', 'is no reason to add one');

SELECT * FROM finish();
ROLLBACK;
