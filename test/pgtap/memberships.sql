-- Memberships that know when they were made and changed.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE SCHEMA m2m;
CREATE EXTENSION belongs_to_many SCHEMA m2m;
CREATE SCHEMA app;
SET LOCAL search_path = app, m2m, public;
SET LOCAL datestyle = 'ISO, MDY';
SELECT plan(28);

CREATE TABLE people (id int PRIMARY KEY, name text);
CREATE TABLE clubs (id int PRIMARY KEY, name text);
CREATE TABLE memberships (
	person_id int REFERENCES people, club_id int REFERENCES clubs, rank text, created_at timestamptz, updated_at timestamptz(0),
	joined date DEFAULT '2000-01-01', PRIMARY KEY (person_id, club_id));
INSERT INTO people VALUES (1, 'Ada'), (2, 'Bob');
INSERT INTO clubs SELECT i, 'club ' || i FROM generate_series(1, 5) i;
SELECT create_relation('memberships', with_timestamps(with_pivot(belongs_to_many('people', 'clubs'), 'rank')));
-- How the two columns of a membership relate to now.
CREATE FUNCTION stamps(club int) RETURNS text LANGUAGE sql
	RETURN (SELECT concat(CASE WHEN created_at = now() THEN 'now' ELSE created_at::date::text END, ' ', CASE WHEN updated_at = now()::timestamptz(0) THEN 'now' ELSE updated_at::date::text END)
		FROM memberships WHERE person_id = 1 AND club_id = club);
CREATE FUNCTION age_all() RETURNS void LANGUAGE sql BEGIN ATOMIC
	UPDATE memberships SET created_at = '2001-01-01', updated_at = '2002-02-02';
END;

SELECT is(attach('memberships', 1, '{1,2,3}'), 3, 'attach');
SELECT is(stamps(1), 'now now', 'attach sets both');
SELECT age_all();
SELECT is(attach('memberships', 1, '{1,4}'), 1, 'attach, one of them there already');
SELECT is(stamps(1) || ', ' || stamps(4), '2001-01-01 2002-02-02, now now', 'the old one is left alone');
SELECT is(attach('memberships', 1, '{1,2}', '{"rank": "x"}', 'update'), 2, 'attach with update');
SELECT is(stamps(1), '2001-01-01 now', 'sets updated_at');
SELECT age_all();
SELECT is(attach('memberships', 1, '{1,2}', '{"rank": "x"}', 'update'), 0, 'attach with update, nothing new');
SELECT is(stamps(1), '2001-01-01 2002-02-02', 'does not');

SELECT is(update_existing_pivot('memberships', 1, '{1,3}', '{"rank": "x"}'), 1, 'update: one of two differs');
SELECT is(stamps(1) || ', ' || stamps(3), '2001-01-01 2002-02-02, 2001-01-01 now', 'only that one is touched');
SELECT is(update_existing_pivot('memberships', 1, 1), 0, 'update: nothing to set');
SELECT is(stamps(1), '2001-01-01 2002-02-02', 'nothing is touched');
SELECT age_all();
SELECT results_eq($$SELECT * FROM sync('memberships', 1, '{"1": {"rank": "x"}, "2": {"rank": "y"}, "3": {}, "5": {}}')$$,
	$$VALUES ('[5]'::jsonb, '[4]'::jsonb, '[2]'::jsonb)$$, 'sync');
SELECT is(stamps(1) || ', ' || stamps(2) || ', ' || stamps(3) || ', ' || stamps(5), '2001-01-01 2002-02-02, 2001-01-01 now, 2001-01-01 2002-02-02, now now',
	'sync: new ones have both, changed ones one, the others neither');
SELECT age_all();
SELECT results_eq($$SELECT * FROM toggle('memberships', 1, '{5,4}')$$, $$VALUES ('[4]'::jsonb, '[5]'::jsonb)$$, 'toggle');
SELECT is(stamps(4), 'now now', 'toggle sets both');

-- an explicit value wins
SELECT is(attach('memberships', 1, 5, '{"created_at": "1999-09-09"}'), 1, 'attach with created_at');
SELECT is(stamps(5), '1999-09-09 now', 'it wins');
SELECT is(update_existing_pivot('memberships', 1, 5, '{"rank": "z", "updated_at": "1999-09-10"}'), 1, 'update with updated_at');
SELECT is(stamps(5), '1999-09-09 1999-09-10', 'it wins');
SELECT is(attach('memberships', 2, 5, '{"created_at": null}'), 1, 'attach without created_at');
SELECT is((SELECT created_at FROM memberships WHERE person_id = 2), NULL, 'NULL is a value');

-- columns of other names and types; one of the two; a constant of the transaction
SELECT is(attach(with_timestamps('memberships', 'joined', NULL), 2, 4), 1, 'another column, and no second');
SELECT is((SELECT (joined = current_date, created_at, updated_at)::text FROM memberships WHERE person_id = 2 AND club_id = 4), '(t,,)', 'is set, the others are not');
SELECT ok((SELECT count(DISTINCT created_at) = 1 FROM memberships WHERE created_at >= now()), 'rows of one transaction have one time');
SELECT is((SELECT array_agg(k ORDER BY k) FROM get_results('memberships', 2) r, jsonb_object_keys(r.result -> 'pivot') k WHERE r.result @> '{"id": 5}'),
	'{club_id,created_at,person_id,rank,updated_at}', 'results have them');
SELECT throws_ok($$SELECT attach(with_timestamps('memberships', 'created'), 1, 1)$$, '42703', NULL, 'a column that is not there');
SELECT is(detach('memberships', 2), 2, 'detach');

SELECT * FROM finish();
ROLLBACK;
