-- A polymorphic pivot: posts and videos share their tags.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE SCHEMA m2m;
CREATE EXTENSION belongs_to_many SCHEMA m2m;
CREATE SCHEMA app;
SET LOCAL search_path = app, m2m, public;
SELECT plan(23);

CREATE TABLE posts (id int PRIMARY KEY, title text);
CREATE TABLE videos (id int PRIMARY KEY, title text);
CREATE TABLE tags (id int PRIMARY KEY, name text);
CREATE TABLE taggables (
	tag_id int NOT NULL REFERENCES tags, taggable_id int NOT NULL, taggable_type text NOT NULL, weight int DEFAULT 1,
	PRIMARY KEY (taggable_type, taggable_id, tag_id));
INSERT INTO posts SELECT i, 'post ' || i FROM generate_series(1, 3) i;
INSERT INTO videos SELECT i, 'video ' || i FROM generate_series(1, 3) i;
INSERT INTO tags VALUES (1, 'sql'), (2, 'c'), (3, 'php'), (4, 'go');
SELECT create_relation('post_tags', with_pivot(morph(belongs_to_many('posts', 'tags', 'taggables', 'taggable_id', 'tag_id'), 'taggable_type', 'post'), 'weight'));
SELECT create_relation('video_tags', with_pivot(morph(belongs_to_many('videos', 'tags', 'taggables', 'taggable_id', 'tag_id'), 'taggable_type', 'video'), 'weight'));
SELECT create_relation('tag_posts', inverse('post_tags'));

SELECT is(attach('post_tags', 1, '{1,2}'), 2, 'tags for post 1');
SELECT is(attach('video_tags', 1, '{2,3}', '{"weight": 5}'), 2, 'tags for video 1');
SELECT results_eq('SELECT taggable_type, tag_id, weight FROM taggables ORDER BY 1, 2',
	$$VALUES ('post', 1, 1), ('post', 2, 1), ('video', 2, 5), ('video', 3, 5)$$, 'the type is written');
SELECT is(attach('post_tags', 1, 2), 0, 'a tag that the post has');
SELECT is(attach('post_tags', 1, 3), 1, 'a tag that the video of this id has, and the post has not');
SELECT is(related_ids('post_tags', 1), '[1, 2, 3]', 'the post sees its own');
SELECT is(related_ids('video_tags', 1), '[2, 3]', 'the video sees its own');
SELECT is((SELECT array_agg(result -> 'pivot' ->> 'taggable_type') FROM get_results(with_pivot('video_tags', 'taggable_type'), 1)), '{video,video}', 'results of one type');
SELECT is((SELECT count FROM count_related_for('video_tags', ARRAY[1])), 2::bigint, 'counts of one type');
SELECT ok(is_attached('post_tags', 1, 1) AND NOT is_attached('video_tags', 1, 1), 'is_attached of one type');

SELECT results_eq($$SELECT * FROM sync('post_tags', 1, '{3,4}')$$, $$VALUES ('[4]'::jsonb, '[1, 2]'::jsonb, '[]'::jsonb)$$, 'sync of the post');
SELECT is(related_ids('video_tags', 1), '[2, 3]', 'does not touch the video');
SELECT results_eq($$SELECT * FROM toggle('video_tags', 1, '{3,4}')$$, $$VALUES ('[4]'::jsonb, '[3]'::jsonb)$$, 'toggle of the video');
SELECT is(related_ids('post_tags', 1), '[3, 4]', 'does not touch the post');
SELECT is(update_existing_pivot('video_tags', 1, '{2,3,4}', '{"weight": 9}'), 2, 'update of the video');
SELECT is((SELECT max(weight) FROM taggables WHERE taggable_type = 'post'), 1, 'does not touch the post');

SELECT is(attach('tag_posts', 4, '{1,2,3}'), 2, 'from the tag: posts 2 and 3 are new');
SELECT results_eq($$SELECT r.title, r.id FROM get_results(order_by('tag_posts', 'id'), 4, NULL::posts) r$$, $$VALUES ('post 1', 1), ('post 2', 2), ('post 3', 3)$$, 'from the tag: its posts');
SELECT is(detach('tag_posts', 4), 3, 'from the tag: all of its posts');
SELECT is(related_ids('video_tags', 1), '[2, 4]', 'from the tag: and no video');

-- the type is a value like any other
SELECT is(attach(morph('post_tags', 'taggable_type', 'draft'), 1, 1), 1, 'morph: the last value for a column wins');
SELECT throws_ok($$SELECT attach(morph('post_tags', 'taggable_typ', 'draft'), 1, 1)$$, '42703', NULL, 'morph: a column that is not there');
SELECT is(detach('post_tags', 1), 1, 'what another type has stays');

SELECT * FROM finish();
ROLLBACK;
