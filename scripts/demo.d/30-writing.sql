-- Writing: neovim comes without tags

-- The packages and tags that are used below
SELECT id AS neovim FROM packages WHERE name = 'neovim' \gset
SELECT id AS program FROM tags WHERE name = 'role::program' \gset
SELECT id AS editing FROM tags WHERE name = 'use::editing' \gset
SELECT id AS terminal FROM tags WHERE name = 'interface::text-mode' \gset
SELECT id AS c FROM tags WHERE name = 'implemented-in::c' \gset
SELECT id AS text FROM tags WHERE name = 'works-with::text' \gset
SELECT id AS unicode FROM tags WHERE name = 'works-with::unicode' \gset

-- attach one tag; the count says how many pairs are new
SELECT m2m.attach('package_tags', :neovim, :editing);
-- must be
SELECT 1;

-- attach several: one of them is there already
SELECT m2m.attach('package_tags', :neovim, ARRAY[:editing, :program, :terminal]);
-- must be
SELECT 2;

-- attach with attributes: one tag's own, and one for all
SELECT m2m.attach('package_tags', :neovim,
  jsonb_build_object(:c, '{"weight": 90}'::jsonb, :text, '{}'::jsonb),
  '{"status": "proposed", "weight": 10}');
-- must be
SELECT 2;

-- attach that updates a pair which exists: the first call changes it, the second finds it so
SELECT m2m.attach('package_tags', :neovim, :editing, '{"weight": 75}', on_conflict => 'update') AS first,
       m2m.attach('package_tags', :neovim, :editing, '{"weight": 75}', on_conflict => 'update') AS second;
-- must be
SELECT 1, 0;

-- neovim so far: columns that were not given have their defaults
SELECT * FROM m2m.get_results(m2m.order_by('package_tags', 'name'), :neovim, NULL::weighted_tag);
-- must be
VALUES ('implemented-in::c', 'proposed', 90), ('interface::text-mode', 'active', NULL),
       ('role::program', 'active', NULL), ('use::editing', 'active', 75), ('works-with::text', 'proposed', 10);

-- update_existing_pivot changes pairs that are there, and adds none
SELECT m2m.update_existing_pivot('package_tags', :neovim, ARRAY[:c, :text, :unicode], '{"status": "active"}');
-- must be
SELECT 2;

-- toggle: what is there goes, what is not comes
SELECT * FROM m2m.toggle('package_tags', :neovim, ARRAY[:text, :unicode]);
-- must be
SELECT jsonb_build_array(:unicode), jsonb_build_array(:text);

-- detach some
SELECT m2m.detach('package_tags', :neovim, ARRAY[:unicode, :c]);
-- must be
SELECT 2;

-- sync: the list is what neovim shall have
SELECT * FROM m2m.sync('package_tags', :neovim, ARRAY[:program, :editing, :unicode]);
-- must be
SELECT jsonb_build_array(:unicode), jsonb_build_array(:terminal), '[]'::jsonb;

-- sync again: nothing to do, nothing written
SELECT * FROM m2m.sync('package_tags', :neovim, ARRAY[:program, :editing, :unicode]);
-- must be
SELECT '[]'::jsonb, '[]'::jsonb, '[]'::jsonb;

-- sync with attributes for each tag: only rows that differ are updated
SELECT * FROM m2m.sync('package_tags', :neovim, jsonb_build_object(
  :editing, '{"weight": 75}'::jsonb,
  :unicode, '{"weight": 20, "status": "proposed"}'::jsonb,
  :text,    '{"weight": 60}'::jsonb));
-- must be
SELECT jsonb_build_array(:text), jsonb_build_array(:program), jsonb_build_array(:unicode);

-- sync_without_detaching adds and updates, and takes nothing away
SELECT * FROM m2m.sync_without_detaching('package_tags', :neovim, ARRAY[:program, :text], '{"weight": 80}');
-- must be
SELECT jsonb_build_array(:program), '[]'::jsonb, jsonb_build_array(:text);

-- Replace the proposals alone: filter and written value in one, what is in force stays
SELECT * FROM m2m.sync(m2m.with_pivot_value('package_tags', 'status', 'proposed'), :neovim, ARRAY[:terminal]);
-- must be
SELECT jsonb_build_array(:terminal), jsonb_build_array(:unicode), '[]'::jsonb;

-- neovim now
SELECT * FROM m2m.get_results(m2m.order_by('package_tags', 'name'), :neovim, NULL::weighted_tag);
-- must be
VALUES ('interface::text-mode', 'proposed', NULL), ('role::program', 'active', 80),
       ('use::editing', 'active', 75), ('works-with::text', 'active', 80);

-- with_timestamps: a change dates the row
BEGIN;
SELECT m2m.update_existing_pivot(
  m2m.with_timestamps('package_tags', created_at => NULL, updated_at => 'assigned_at'),
  :neovim, :terminal, '{"status": "active"}');
SELECT assigned_at = now() AS dated FROM package_tags WHERE package_id = :neovim AND tag_id = :terminal;
COMMIT;
-- must be
SELECT true;

-- Give neovim the tags of vim with their status and weight: what was read can be written
SELECT jsonb_array_length(attached) AS attached, jsonb_array_length(detached) AS detached,
       jsonb_array_length(updated) AS updated
FROM m2m.sync('package_tags', :neovim,
  (SELECT jsonb_agg((result -> 'pivot') - 'package_id') FROM m2m.get_results('package_tags', :vim)));
-- must be
SELECT 6, 0, 4;

-- Now both have the same tags
SELECT tag_id, status, weight, assigned_at FROM package_tags WHERE package_id = :neovim ORDER BY tag_id;
-- must be
SELECT tag_id, status, weight, assigned_at FROM package_tags WHERE package_id = :vim ORDER BY tag_id;

-- detach all
SELECT m2m.detach('package_tags', :neovim);
-- must be
SELECT count(*) FROM package_tags WHERE package_id = :vim;

-- A new tag for everything that is written in Rust: one call from the other side
INSERT INTO tags (name, facet) VALUES ('implemented-in::rust', 'implemented-in') RETURNING id AS rust \gset
SELECT m2m.attach('tag_packages', :rust, ARRAY(SELECT id FROM packages WHERE section = 'rust'));
-- must be
SELECT count(*) FROM packages WHERE section = 'rust';

-- On second thoughts programs count too, and crates that are split into features do not
SELECT jsonb_array_length(attached) AS attached, jsonb_array_length(detached) AS detached
FROM m2m.sync('tag_packages', :rust, ARRAY(
  SELECT id FROM packages
  WHERE section = 'rust' AND name NOT LIKE '%+%' OR name IN ('ripgrep', 'fd-find', 'bat', 'hyperfine')));
-- must be
SELECT count(*) FILTER (WHERE section <> 'rust'), count(*) FILTER (WHERE section = 'rust' AND name LIKE '%+%')
FROM packages WHERE section = 'rust' OR name IN ('ripgrep', 'fd-find', 'bat', 'hyperfine');

-- Mark all 63,000 packages: the largest list there is
INSERT INTO tags (name, facet) VALUES ('suite::bookworm', 'suite') RETURNING id AS bookworm \gset
SELECT m2m.attach('tag_packages', :bookworm, ARRAY(SELECT id FROM packages));
-- must be
SELECT count(*) FROM packages;

-- and take the mark off again
SELECT m2m.detach('tag_packages', :bookworm);
-- must be
SELECT count(*) FROM packages;
