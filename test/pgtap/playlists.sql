-- Songs in a playlist, in an order of its own: UNIQUE (playlist_id, position) holds all the way.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE SCHEMA m2m;
CREATE EXTENSION belongs_to_many SCHEMA m2m;
CREATE SCHEMA app;
SET LOCAL search_path = app, m2m, public;
SELECT plan(18);

CREATE TABLE playlists (id int PRIMARY KEY);
CREATE TABLE songs (id int PRIMARY KEY, title text);
CREATE TABLE playlist_songs (
	playlist_id int REFERENCES playlists, song_id int REFERENCES songs, position int,
	PRIMARY KEY (playlist_id, song_id), UNIQUE (playlist_id, position));
INSERT INTO playlists VALUES (1), (2);
INSERT INTO songs SELECT i, 'song ' || i FROM generate_series(1, 9) i;
SELECT create_relation('playlist', order_by_pivot(with_pivot(belongs_to_many('playlists', 'songs'), 'position'), 'position'));
CREATE FUNCTION songs_of(playlist int) RETURNS text LANGUAGE sql
	RETURN (SELECT string_agg(result ->> 'id' || '@' || COALESCE(result -> 'pivot' ->> 'position', '-'), ' ' ORDER BY ordinality) FROM get_results('playlist', playlist) WITH ORDINALITY);
-- A list of songs as ids with their positions.
CREATE FUNCTION in_order(VARIADIC songs int[]) RETURNS jsonb LANGUAGE sql
	RETURN (SELECT jsonb_agg(jsonb_build_object('song_id', s, 'position', n)) FROM unnest(songs) WITH ORDINALITY AS u(s, n));

SELECT is(attach('playlist', 1, in_order(3, 1, 2)), 3, 'three songs');
SELECT is(songs_of(1), '3@1 1@2 2@3', 'in their order');
SELECT results_eq($$SELECT * FROM sync('playlist', 1, in_order(3, 2))$$, $$VALUES ('[]'::jsonb, '[1]'::jsonb, '[2]'::jsonb)$$, 'take one out: the next moves up, into its place');
SELECT is(songs_of(1), '3@1 2@2', 'in their order');
SELECT results_eq($$SELECT * FROM sync('playlist', 1, in_order(3, 4, 5))$$, $$VALUES ('[4, 5]'::jsonb, '[2]'::jsonb, '[]'::jsonb)$$, 'another in the place of one that goes');
SELECT is(songs_of(1), '3@1 4@2 5@3', 'in their order');
SELECT results_eq($$SELECT * FROM sync('playlist', 1, '[{"song_id": 5, "position": 4}, {"song_id": 3}, {"song_id": 4}, {"song_id": 6, "position": 3}]'::jsonb)$$,
	$$VALUES ('[6]'::jsonb, '[]'::jsonb, '[5]'::jsonb)$$, 'one moves on, and a new one takes its place');
SELECT is(songs_of(1), '3@1 4@2 6@3 5@4', 'in their order');
SELECT throws_ok($$SELECT attach('playlist', 1, 7, '{"position": 4}')$$, '23505', NULL, 'a place that is taken is an error');
SELECT throws_ok($$SELECT attach('playlist', 1, '{7,8}', '{"position": 9}')$$, '23505', NULL, 'two in one place, too, whatever on_conflict says of pairs');
SELECT throws_ok($$SELECT attach('playlist', 1, 3, '{"position": 2}', on_conflict => 'update')$$, '23505', NULL, 'and an update into it');
SELECT is(songs_of(1), '3@1 4@2 6@3 5@4', 'which change nothing');
SELECT is(attach('playlist', 1, 3, '{"position": 2}'), 0, 'the pair exists and is left alone');
SELECT is(attach('playlist', 2, in_order(3, 4, 5, 6)), 4, 'places are those of one playlist');
SELECT is((SELECT attach('playlist', 1, 7, jsonb_build_object('position', 1 + max(p))) FROM (SELECT (result -> 'pivot' ->> 'position')::int FROM get_results('playlist', 1)) AS r(p)), 1, 'one at the end');
SELECT is((SELECT result ->> 'title' FROM get_results(take('playlist', 1, 4), 1)), 'song 7', 'a page');
SELECT is(update_existing_pivot('playlist', 1, '{"3": {"position": null}, "4": {"position": 1}}'), 2, 'one without a place, and another in it');
SELECT is(songs_of(1), '4@1 6@3 5@4 7@5 3@-', 'NULL comes last');

SELECT * FROM finish();
ROLLBACK;
