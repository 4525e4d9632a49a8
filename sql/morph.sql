--
-- Polymorphic pivots: a unique index that has the pivot value as well is one
-- on the pair
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA morph;
SET search_path = morph, m2m;
SET client_min_messages = notice;

CREATE TABLE posts (id int PRIMARY KEY);
CREATE TABLE videos (id int PRIMARY KEY);
CREATE TABLE tags (id int PRIMARY KEY, name text);
INSERT INTO posts VALUES (1), (2);
INSERT INTO videos VALUES (1), (2);
INSERT INTO tags SELECT i, 'tag ' || i FROM generate_series(1, 600) AS i;
CREATE TABLE taggables (
	tag_id int REFERENCES tags,
	taggable_id int,
	taggable_type text,
	note text);

-- without the index: what it would be
SELECT create_relation('post_tags',
	morph(belongs_to_many('posts', 'tags', 'taggables', 'taggable_id', 'tag_id', 'id', 'id'), 'taggable_type', 'post'));
CREATE UNIQUE INDEX ON taggables (taggable_type, taggable_id, tag_id);
SELECT create_relation('post_tags', replace => true, relation =>
	morph(belongs_to_many('posts', 'tags', 'taggables', 'taggable_id', 'tag_id', 'id', 'id'), 'taggable_type', 'post'));
SELECT create_relation('video_tags',
	morph(belongs_to_many('videos', 'tags', 'taggables', 'taggable_id', 'tag_id', 'id', 'id'), 'taggable_type', 'video'));

-- the same pair for either type, each once
SELECT attach('post_tags', 1, '{1,2,3}'), attach('video_tags', 1, '{2,3,4,5}');
SELECT attach('post_tags', 1, '{3,4}'), attach('post_tags', 1, '{3,4}');
SELECT attach('post_tags', 1, '{4,5}', '{"note": "x"}', on_conflict => 'update');
SELECT attach('post_tags', 1, 3, on_conflict => 'error');
SELECT jsonb_array_length(attached) AS attached, detached, updated
FROM sync('post_tags', 1, ARRAY(SELECT generate_series(3, 500)));
SELECT * FROM toggle('video_tags', 1, '{5,6}');

-- attaching shares the parent's lock, as with an index on the pair alone
BEGIN;
SELECT attach('post_tags', 2, '{1,2}');
SELECT mode, count(*) FROM pg_locks WHERE locktype = 'advisory' GROUP BY mode;
ROLLBACK;

-- an attribute overrides the pivot value: the pair is the other type's
SELECT attach('post_tags', 2, '{1,2,3,4,5}', '{"taggable_type": "video"}');
SELECT attach('post_tags', 2, '{1,2,3,4,5}', '{"taggable_type": "video"}');
SELECT taggable_type, taggable_id, count(*) FROM taggables GROUP BY 1, 2 ORDER BY 1, 2;

-- an index on a column that is NULL does not count
SELECT create_relation('untyped', with_pivot_value('post_tags', 'taggable_type', NULL::text));

SET client_min_messages = warning;
DROP SCHEMA morph CASCADE;
