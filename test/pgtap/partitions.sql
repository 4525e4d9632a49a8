-- A partitioned pivot: rows go where they belong, and move.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE SCHEMA m2m;
CREATE EXTENSION belongs_to_many SCHEMA m2m;
CREATE SCHEMA app;
SET LOCAL search_path = app, m2m, public;
SELECT plan(17);

CREATE TABLE users (id int PRIMARY KEY);
CREATE TABLE events (id int PRIMARY KEY, name text);
CREATE TABLE attendances (
	user_id int REFERENCES users, event_id int REFERENCES events, state text NOT NULL DEFAULT 'new', day date NOT NULL DEFAULT '2020-01-01',
	PRIMARY KEY (user_id, event_id, state)) PARTITION BY LIST (state);
CREATE TABLE attendances_new (day date NOT NULL DEFAULT '2020-01-01', state text NOT NULL DEFAULT 'new', gone int, event_id int NOT NULL, user_id int NOT NULL);
ALTER TABLE attendances_new DROP gone;
ALTER TABLE attendances ATTACH PARTITION attendances_new FOR VALUES IN ('new');
CREATE TABLE attendances_done PARTITION OF attendances FOR VALUES IN ('done', 'gone') PARTITION BY HASH (user_id);
CREATE TABLE attendances_done_0 PARTITION OF attendances_done FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE attendances_done_1 PARTITION OF attendances_done FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO users SELECT generate_series(1, 5);
INSERT INTO events SELECT i, 'event ' || i FROM generate_series(1, 9) i;
SELECT create_relation('attendances', with_pivot(belongs_to_many('users', 'events'), 'state'));

SELECT is(attach('attendances', 1, '{"1": {}, "2": {"state": "done"}, "3": {"state": "gone"}}'), 3, 'attach');
SELECT is((SELECT count(*) FROM attendances_new) || ' ' || (SELECT count(*) FROM attendances_done), '1 2', 'into the partitions');
SELECT is(related_ids('attendances', 1), '[1, 2, 3]', 'reads see all');
SELECT is(attach('attendances', 1, '{1,2,4}'), 1, 'what is in any partition is there');
SELECT is(update_existing_pivot('attendances', 1, '{1,4}', '{"state": "done"}'), 2, 'an update moves rows');
SELECT is((SELECT count(*) FROM attendances_new), 0::bigint, 'out of their partition');
SELECT results_eq($$SELECT * FROM sync('attendances', 1, '{"1": {"state": "new"}, "5": {"state": "done"}, "2": {}}')$$,
	$$VALUES ('[5]'::jsonb, '[3, 4]'::jsonb, '[1]'::jsonb)$$, 'sync across partitions');
SELECT results_eq($$SELECT r.id, r.pivot_state FROM get_results(order_by('attendances', 'id'), 1, NULL::record) AS r(id int, pivot_state text)$$, $$VALUES (1, 'new'), (2, 'done'), (5, 'done')$$, 'results across partitions');
SELECT throws_ok($$SELECT attach('attendances', 1, 6, '{"state": "lost"}')$$, '23514', NULL, 'no partition for a row');
SELECT throws_ok($$SELECT attach('attendances', 1, '{6,77}', '{"state": "done"}')$$, '23503', NULL, 'a foreign key of the whole');
SELECT is(count_related('attendances', 1), 3::bigint, 'which leave nothing behind');
SELECT results_eq($$SELECT * FROM toggle('attendances', 1, '{2,6}', '{"state": "gone"}')$$, $$VALUES ('[6]'::jsonb, '[2]'::jsonb)$$, 'toggle across partitions');
-- a partition is a table, too
SELECT is(related_ids(belongs_to_many('users', 'events', 'attendances_done', 'user_id', 'event_id'), 1), '[5, 6]', 'one partition alone');
SELECT is(attach(belongs_to_many('users', 'events', 'attendances_done', 'user_id', 'event_id'), 1, 7, '{"state": "done"}'), 1, 'attach to it');
SELECT throws_ok($$SELECT attach(belongs_to_many('users', 'events', 'attendances_done', 'user_id', 'event_id'), 1, 8, '{"state": "new"}')$$, '23514', NULL, 'a row that does not belong there');
SELECT is(detach('attendances', 1), 4, 'detach from all');
SELECT is((SELECT count(*) FROM attendances), 0::bigint, 'nothing is left');

SELECT * FROM finish();
ROLLBACK;
