-- Every operation on the pivot in Cassandra

-- The relation: its tables are local, its pivot is not
SELECT m2m.create_relation('far.package_tags',
  m2m.with_pivot(m2m.belongs_to_many('packages', 'tags', 'far.package_tags', 'package_id', 'tag_id'),
                 'status', 'weight', 'assigned_at'));
SELECT schema, name, pivot_table FROM m2m.belongs_to_many_relations WHERE schema = 'far';
-- must be
VALUES ('far', 'package_tags', 'far.package_tags');

-- Which tags does vim have? The partition first, then its tags by key
SELECT result FROM m2m.get_results('far.package_tags', :vim);
-- must be, in any order
SELECT result FROM m2m.get_results('package_tags', :vim);

-- As rows, with a filter and an order on the pivot
SELECT * FROM m2m.get_results(
  m2m.take(m2m.order_by(m2m.order_by_pivot(m2m.where_pivot('far.package_tags', 'status', 'active'),
                                           'weight', 'desc'), 'name'), 3),
  :vim, NULL::weighted_tag);
-- must be
SELECT * FROM m2m.get_results(
  m2m.take(m2m.order_by(m2m.order_by_pivot(m2m.where_pivot('package_tags', 'status', 'active'),
                                           'weight', 'desc'), 'name'), 3),
  :vim, NULL::weighted_tag);

-- Ids, counts, and whether a tag is attached
SELECT m2m.related_ids('far.package_tags', :vim), m2m.count_related('far.package_tags', :vim),
       m2m.is_attached('far.package_tags', :vim, ARRAY[:ncurses, :x11]);
-- must be
SELECT m2m.related_ids('package_tags', :vim), m2m.count_related('package_tags', :vim),
       m2m.is_attached('package_tags', :vim, ARRAY[:ncurses, :x11]);

-- Eager load for 1,000 games: their partitions are read together
SELECT p.name, jsonb_array_length(r.results) AS tags, r.results -> 0 ->> 'name' AS first_tag
FROM m2m.get_results_for(m2m.order_by('far.package_tags', 'name'),
       ARRAY(SELECT id FROM packages WHERE section = 'games' ORDER BY name LIMIT 1000)) r
JOIN packages p ON p.id = r.parent ORDER BY p.name;
-- must be
SELECT p.name, jsonb_array_length(r.results), r.results -> 0 ->> 'name'
FROM m2m.get_results_for(m2m.order_by('package_tags', 'name'),
       ARRAY(SELECT id FROM packages WHERE section = 'games' ORDER BY name LIMIT 1000)) r
JOIN packages p ON p.id = r.parent ORDER BY p.name;

-- Counts for many parents in one call
SELECT sum(count) FROM m2m.count_related_for('far.package_tags', ARRAY(SELECT id FROM packages WHERE section = 'database'));
-- must be
SELECT sum(count) FROM m2m.count_related_for('package_tags', ARRAY(SELECT id FROM packages WHERE section = 'database'));

-- neovim begins anew: detach all of it, by one tombstone for its partition
SELECT m2m.detach('far.package_tags', :neovim);
-- must be
SELECT count(*) FROM package_tags WHERE package_id = :neovim;

-- attach: what is there already is left as it is
SELECT m2m.attach('far.package_tags', :neovim, ARRAY[:editing, :program, :terminal]) AS first,
       m2m.attach('far.package_tags', :neovim, ARRAY[:editing, :program, :text], '{"weight": 10}') AS second;
-- must be
SELECT 3, 1;

-- update_existing_pivot changes pairs that are there, and adds none
SELECT m2m.update_existing_pivot('far.package_tags', :neovim, ARRAY[:c, :text], '{"status": "active"}');
-- must be
SELECT 1;

-- toggle: what is there goes, what is not comes
SELECT * FROM m2m.toggle('far.package_tags', :neovim, ARRAY[:text, :unicode]);
-- must be
SELECT jsonb_build_array(:unicode), jsonb_build_array(:text);

-- sync: the list is what neovim shall have; only the difference is written
SELECT * FROM m2m.sync('far.package_tags', :neovim, jsonb_build_object(
  :editing, '{"weight": 75}'::jsonb, :unicode, '{}'::jsonb, :c, '{"status": "proposed"}'::jsonb));
-- must be
SELECT jsonb_build_array(:c), (SELECT jsonb_agg(id ORDER BY id) FROM unnest(ARRAY[:program, :terminal]) id),
       jsonb_build_array(:editing);

-- Nothing of a transaction that is rolled back is ever sent
BEGIN;
SELECT m2m.detach('far.package_tags', :neovim);
SELECT m2m.count_related('far.package_tags', :neovim) AS after_detach;
ROLLBACK;
SELECT m2m.count_related('far.package_tags', :neovim);
-- must be
SELECT 3;

-- What Cassandra itself says of neovim now
SELECT r ->> 'tag_id' AS tag, r ->> 'status' AS status, r ->> 'weight' AS weight
FROM m2m.scylla_query('cassandra', 'SELECT tag_id, status, weight FROM demo.package_tags WHERE package_id = ?',
                      :'neovim') r ORDER BY (r ->> 'tag_id')::int;
-- must be
SELECT * FROM (VALUES (:'editing', NULL, '75'), (:'unicode', NULL, NULL), (:'c', 'proposed', NULL)) v ORDER BY v.column1::int;

-- Give neovim the tags of vim, from the local pivot to the one in Cassandra
SELECT jsonb_array_length(attached) AS attached
FROM m2m.sync('far.package_tags', :neovim,
  (SELECT jsonb_agg((result -> 'pivot') - 'package_id') FROM m2m.get_results('package_tags', :vim)));
SELECT tag_id, status, weight, assigned_at FROM far.package_tags WHERE package_id = :neovim ORDER BY tag_id;
-- must be
SELECT tag_id, status, weight, assigned_at FROM package_tags WHERE package_id = :vim ORDER BY tag_id;

-- detach all again
SELECT m2m.detach('far.package_tags', :neovim);
-- must be
SELECT count(*) FROM package_tags WHERE package_id = :vim;

-- A view over both
SELECT m2m.create_relation_view('far.package_tags', 'far.tags_of_packages');
SELECT name, pivot_status, pivot_weight FROM far.tags_of_packages WHERE pivot_package_id = :vim ORDER BY name;
-- must be
SELECT name, status, weight FROM tags t JOIN package_tags pt ON pt.tag_id = t.id WHERE pt.package_id = :vim ORDER BY name;
