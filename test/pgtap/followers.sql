-- A table that is related to itself: who follows whom.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE SCHEMA m2m;
CREATE EXTENSION belongs_to_many SCHEMA m2m;
CREATE SCHEMA app;
SET LOCAL search_path = app, m2m, public;
SELECT plan(20);

CREATE TABLE users (id int PRIMARY KEY, name text);
CREATE TABLE follows (
	follower_id int REFERENCES users, followed_id int REFERENCES users, muted bool NOT NULL DEFAULT false,
	PRIMARY KEY (follower_id, followed_id), CHECK (follower_id <> followed_id));
INSERT INTO users VALUES (1, 'Ada'), (2, 'Bob'), (3, 'Eve'), (4, 'Joe');
SELECT throws_ok($$SELECT belongs_to_many('users', 'users')$$, '42P09', NULL, 'which column is which has to be said');
SELECT create_relation('following', with_pivot(belongs_to_many('users', 'users', 'follows', 'follower_id', 'followed_id'), 'muted'));
SELECT create_relation('followers', inverse('following'));

SELECT is(attach('following', 1, '{2,3}'), 2, 'Ada follows two');
SELECT is(attach('followers', 1, '{2,4}'), 2, 'two follow Ada');
SELECT results_eq('SELECT follower_id, followed_id FROM follows ORDER BY 1, 2', 'VALUES (1, 2), (1, 3), (2, 1), (4, 1)', 'each in its own direction');
SELECT is(related_ids('following', 1), '[2, 3]', 'whom Ada follows');
SELECT is(related_ids('followers', 1), '[2, 4]', 'who follows Ada');
SELECT results_eq($$SELECT result ->> 'name', result -> 'pivot' ->> 'followed_id' FROM get_results(order_by('followers', 'name'), 1)$$,
	$$VALUES ('Bob', '1'), ('Joe', '1')$$, 'followers with their pivot rows');
SELECT results_eq($$SELECT parent, jsonb_path_query_array(results, '$.name') FROM get_results_for(order_by('following', 'name'), ARRAY[4, 3, 1])$$,
	$$VALUES (4, '["Ada"]'::jsonb), (3, '[]'), (1, '["Bob", "Eve"]')$$, 'an eager load');

SELECT is((SELECT jsonb_agg(i) FROM related_ids('following', 1, NULL::int) i WHERE is_attached('followers', 1, i)), '[2]', 'friends: both ways');
SELECT results_eq($$SELECT * FROM sync('followers', 1, '{3,4}')$$, $$VALUES ('[3]'::jsonb, '[2]'::jsonb, '[]'::jsonb)$$, 'sync of the followers');
SELECT is(related_ids('following', 1), '[2, 3]', 'leaves whom one follows');
SELECT results_eq($$SELECT * FROM toggle('following', 3, '{1,2}')$$, $$VALUES ('[2]'::jsonb, '[1]'::jsonb)$$, 'toggle: Eve follows Bob in place of Ada');
SELECT is(update_existing_pivot('following', 1, '{2,3}', '{"muted": true}'), 2, 'mute two');
SELECT is(related_ids(where_pivot('following', 'muted', true), 1), '[2, 3]', 'the muted ones');
SELECT is(related_ids(where_pivot('followers', 'muted', false), 2), '[3]', 'the same filter from the other side');
SELECT throws_ok($$SELECT attach('following', 1, '{1,4}')$$, '23514', NULL, 'nobody follows himself');
SELECT ok(NOT is_attached('following', 1, 4), 'and an error leaves nothing behind');
SELECT is(related_ids(where_related('following', 'name', 'like', 'B%'), 1), '[2]', 'a filter on the followed');
SELECT is(related_ids(where_related('followers', 'name', 'like', 'J%'), 1), '[4]', 'a filter on the followers');
SELECT is(detach('following', 1) + detach('followers', 1), 3, 'Ada leaves');

SELECT * FROM finish();
ROLLBACK;
