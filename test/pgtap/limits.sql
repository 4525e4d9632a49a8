-- Rules of an application on top: a largest number, at least one, a value for the first.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE SCHEMA m2m;
CREATE EXTENSION belongs_to_many SCHEMA m2m;
CREATE SCHEMA app;
SET LOCAL search_path = app, m2m, public;
SELECT plan(13);

CREATE TABLE events (id int PRIMARY KEY, seats int);
CREATE TABLE guests (id int PRIMARY KEY);
CREATE TABLE bookings (event_id int REFERENCES events, guest_id int REFERENCES guests, first bool DEFAULT false, PRIMARY KEY (event_id, guest_id));
INSERT INTO events VALUES (1, 3), (2, 0);
INSERT INTO guests SELECT generate_series(1, 9);
SELECT create_relation('bookings', belongs_to_many('events', 'guests'));

-- count, then attach, under the relation's own lock
CREATE FUNCTION book(event int, guests int[]) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	n int;
BEGIN
	PERFORM lock_relation('bookings', event);
	n := attach('bookings', event, guests);
	IF count_related('bookings', event) > (SELECT seats FROM events WHERE id = event) THEN
		RAISE EXCEPTION 'event % is full', event USING ERRCODE = 'P0001';
	END IF;
	RETURN n;
END $$;
SELECT is(book(1, '{1,2}'), 2, 'within the limit');
SELECT is(book(1, '{2,3}'), 1, 'up to the limit');
SELECT throws_ok('SELECT book(1, ARRAY[4])', 'P0001', NULL, 'past the limit');
SELECT throws_ok('SELECT book(2, ARRAY[4])', 'P0001', NULL, 'nothing fits');
SELECT is(related_ids('bookings', 1), '[1, 2, 3]', 'is undone');
SELECT throws_ok($$SELECT lock_relation('bookings', NULL)$$, '22004', NULL, 'a lock is that of one parent');
SELECT lives_ok($$SELECT lock_relation('bookings', 7, exclusive => false)$$, 'which need not exist');

-- in PL/pgSQL, with variables of all kinds
CREATE FUNCTION swap(rel text, event bigint, away text, here jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r record;
	relation belongs_to_many := rel;
BEGIN
	PERFORM detach(rel, event, away);
	SELECT * INTO STRICT r FROM sync(relation, event, here, detaching => false);
	RETURN r.attached::text || r.updated::text;
END $$;
SELECT is(swap('bookings', 1, '{3,9}', '{"4": {"first": true}, "1": {"first": true}}'), '[4][1]', 'a relation in a variable, ids in others');
SELECT is((SELECT array_agg(guest_id ORDER BY guest_id) FROM bookings WHERE first), '{1,4}', 'the rows');
-- a call for each row of a statement, and of what it has just inserted
CREATE TABLE made (n int);
WITH e AS (INSERT INTO events VALUES (3, 9), (4, 9) RETURNING id)
INSERT INTO made SELECT attach('bookings', id, '{1,2}') FROM e;
SELECT is((SELECT sum(n) FROM made), 4::bigint, 'new parents in the same statement');
SELECT is((SELECT sum(detach('bookings', id)) FROM events WHERE id > 2), 4::bigint, 'a call for each of several parents');
-- a savepoint undoes a call like any statement
SAVEPOINT s;
SELECT is((SELECT detached FROM sync('bookings', 1, '{}')), '[1, 2, 4]', 'all gone');
ROLLBACK TO s;
SELECT is(related_ids('bookings', 1), '[1, 2, 4]', 'and back');

SELECT * FROM finish();
ROLLBACK;
