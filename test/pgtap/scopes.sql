-- Scopes: a relation that is about some of the pivot rows only, in reads and in writes alike.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE SCHEMA m2m;
CREATE EXTENSION belongs_to_many SCHEMA m2m;
CREATE SCHEMA app;
SET LOCAL search_path = app, m2m, public;
SELECT plan(37);

CREATE TABLE users (id int PRIMARY KEY);
CREATE TABLE teams (id int PRIMARY KEY, name text);
CREATE TABLE team_users (
	user_id int REFERENCES users, team_id int REFERENCES teams, active bool, left_at date, role text DEFAULT 'member', PRIMARY KEY (user_id, team_id));
INSERT INTO users SELECT generate_series(1, 3);
INSERT INTO teams SELECT i, 'team ' || i FROM generate_series(1, 9) i;
SELECT create_relation('memberships', with_pivot(belongs_to_many('users', 'teams'), 'active', 'role'));
SELECT create_relation('active', with_pivot_value('memberships', 'active', true));
SELECT create_relation('leaders', where_pivot('memberships', 'role', 'leader'));
SELECT create_relation('current', where_pivot_null('memberships', 'left_at'));

-- a pivot value filters, and is written
SELECT is(attach('active', 1, '{1,2}'), 2, 'attach through a pivot value');
SELECT is(attach('memberships', 1, '{3,4}', '{"active": false}'), 2, 'attach outside of it');
SELECT is((SELECT array_agg(team_id ORDER BY team_id) FROM team_users WHERE active), '{1,2}', 'the value is written');
SELECT is(related_ids('active', 1), '[1, 2]', 'reads see the rows that have it');
SELECT is(related_ids('memberships', 1), '[1, 2, 3, 4]', 'the relation without it sees all');
SELECT is(attach('active', 1, '{3,5}'), 1, 'a pair outside that the key forbids to double is skipped');
SELECT is(attach('active', 1, '{3,5}', '{"role": "x"}', 'update'), 1, 'or left as it is');
SELECT is((SELECT active::text || role FROM team_users WHERE team_id = 3), 'falsemember', 'it is as it was');
SELECT is(attach('active', 1, 6, '{"active": null}'), 1, 'an explicit value wins over the relation''s');
SELECT ok(NOT is_attached('active', 1, 6) AND is_attached('memberships', 1, 6), 'and the row is outside');
SELECT is(detach('active', 1, '{1,3,6}'), 1, 'detach sees the rows inside');
SELECT is(update_existing_pivot('active', 1, '{2,3,5}', '{"role": "y"}'), 2, 'so does update');
SELECT results_eq($$SELECT * FROM toggle('active', 1, '{2,7}')$$, $$VALUES ('[7]'::jsonb, '[2]'::jsonb)$$, 'so does toggle');
SELECT throws_ok($$SELECT * FROM toggle('active', 1, '{3}')$$, '23505', NULL, 'a pair outside cannot be toggled on');
SELECT throws_ok($$SELECT * FROM sync('active', 1, '{3,8}')$$, '23505', NULL, 'nor synced');
SELECT is(related_ids('memberships', 1), '[3, 4, 5, 6, 7]', 'and nothing else was done');
SELECT results_eq($$SELECT * FROM sync('active', 1, '{7,8}')$$, $$VALUES ('[8]'::jsonb, '[5]'::jsonb, '[]'::jsonb)$$, 'sync detaches the rows inside');
SELECT is(related_ids('memberships', 1), '[3, 4, 6, 7, 8]', 'and no others');
SELECT is(detach('active', 1), 2, 'so does detach of all');
SELECT is(count_related('memberships', 1), 3::bigint, 'the others stay');

-- a filter is not written
SELECT is(attach('leaders', 2, '{1,2}'), 2, 'attach through a filter');
SELECT is(related_ids('leaders', 2), '[]', 'does not make rows that pass it');
SELECT is(attach('leaders', 2, '{3,4}', '{"role": "leader"}'), 2, 'unless attributes say so');
SELECT is(related_ids('leaders', 2), '[3, 4]', 'then they do');
SELECT is(update_existing_pivot('leaders', 2, '{3,4}', '{"role": "member"}'), 2, 'an update can take rows out of it');
SELECT is(related_ids('leaders', 2), '[]', 'and then they are out');
SELECT is(detach('leaders', 2), 0, 'detach finds none');

-- rows that are marked as gone in place of being deleted
SELECT is(update_existing_pivot('current', 2, '{1,2}', '{"left_at": "2020-01-01"}'), 2, 'mark two as gone');
SELECT is(related_ids('current', 2), '[3, 4]', 'they are gone');
SELECT is(update_existing_pivot('current', 2, 1, '{"role": "x"}'), 0, 'and out of reach');
SELECT is(update_existing_pivot('memberships', 2, 1, '{"left_at": null}'), 1, 'but through the relation without the filter');
SELECT is(related_ids('current', 2), '[1, 3, 4]', 'which brings one back');

-- an OR does not reach other parents
SELECT is(attach('memberships', 3, '{"1": {"role": "leader"}, "2": {"active": true}, "3": {"role": "x"}}'), 3, 'another user');
SELECT is(related_ids(or_where_pivot(where_pivot('memberships', 'role', 'leader'), 'active', true), 3), '[1, 2]', 'either of two');
SELECT is(detach(or_where_pivot(where_pivot('memberships', 'role', 'leader'), 'role', 'member'), 3), 2, 'detach of either of two');
SELECT is((SELECT count(*) FROM team_users WHERE user_id < 3), 7::bigint, 'leaves all other users'' rows');
-- a filter on the related row cannot be kept by a write
SELECT throws_ok($$SELECT detach(where_related('memberships', 'name', 'team 1'), 2)$$, '0A000', NULL, 'no write through a filter on related rows');

SELECT * FROM finish();
ROLLBACK;
