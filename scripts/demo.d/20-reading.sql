-- Reading

-- The packages and tags that are used below
SELECT id AS vim FROM packages WHERE name = 'vim' \gset
SELECT id AS db FROM tags WHERE name = 'works-with::db' \gset
SELECT id AS ncurses FROM tags WHERE name = 'uitoolkit::ncurses' \gset
SELECT id AS x11 FROM tags WHERE name = 'interface::x11' \gset

-- Which tags does vim have? Each with its pivot row, ready for an API
SELECT result FROM m2m.get_results('package_tags', :vim);
-- must be, in any order
SELECT to_jsonb(t) || jsonb_build_object('pivot', to_jsonb(pt))
FROM package_tags pt JOIN tags t ON t.id = pt.tag_id WHERE pt.package_id = :vim;

-- The same as rows of the table
SELECT id, name, facet FROM m2m.get_results('package_tags', :vim, NULL::tags);
-- must be, in any order
SELECT t.* FROM package_tags pt JOIN tags t ON t.id = pt.tag_id WHERE pt.package_id = :vim;

-- A row type of one's own takes pivot columns too
CREATE TYPE weighted_tag AS (name text, pivot_status text, pivot_weight int);
SELECT * FROM m2m.get_results('package_tags', :vim, NULL::weighted_tag);
-- must be, in any order
SELECT t.name, pt.status, pt.weight
FROM package_tags pt JOIN tags t ON t.id = pt.tag_id WHERE pt.package_id = :vim;

-- Builders chain: the three weightiest tags of vim that are in force
SELECT * FROM m2m.get_results(
  m2m.take(m2m.order_by(m2m.order_by_pivot('active_tags', 'weight', 'desc'), 'name'), 3),
  :vim, NULL::weighted_tag);
-- must be
SELECT t.name, pt.status, pt.weight
FROM package_tags pt JOIN tags t ON t.id = pt.tag_id
WHERE pt.package_id = :vim AND pt.status = 'active'
ORDER BY pt.weight DESC, t.name LIMIT 3;

-- What does vim work with? A filter on the related table beside one on the pivot
SELECT * FROM m2m.get_results(
  m2m.where_related(m2m.where_pivot('package_tags', 'weight', '>=', 5), 'facet', 'works-with'),
  :vim, NULL::weighted_tag);
-- must be, in any order
SELECT t.name, pt.status, pt.weight
FROM package_tags pt JOIN tags t ON t.id = pt.tag_id
WHERE pt.package_id = :vim AND pt.weight >= 5 AND t.facet = 'works-with';

-- Tags of vim that were assigned in 2021, or are not in force
SELECT * FROM m2m.get_results(
  m2m.order_by(
    m2m.or_where_pivot_in(
      m2m.where_pivot_between('package_tags', 'assigned_at', '2021-01-01', '2021-12-31'),
      'status', ARRAY['proposed', 'retired']),
    'name'),
  :vim, NULL::weighted_tag);
-- must be
SELECT t.name, pt.status, pt.weight
FROM package_tags pt JOIN tags t ON t.id = pt.tag_id
WHERE pt.package_id = :vim
  AND (pt.assigned_at BETWEEN '2021-01-01' AND '2021-12-31' OR pt.status IN ('proposed', 'retired'))
ORDER BY t.name;

-- Just the ids
SELECT m2m.related_ids('package_tags', :vim);
-- must be
SELECT jsonb_agg(tag_id ORDER BY tag_id) FROM package_tags WHERE package_id = :vim;

-- Does vim run in a terminal? Does it run in a terminal and on X11?
SELECT m2m.is_attached('package_tags', :vim, :ncurses) AS terminal,
       m2m.is_attached('package_tags', :vim, ARRAY[:ncurses, :x11]) AS both;
-- must be
SELECT true, false;

-- How many tags does vim have, and how many of them are in force?
SELECT m2m.count_related('package_tags', :vim) AS tags, m2m.count_related('active_tags', :vim) AS in_force;
-- must be
SELECT count(*), count(*) FILTER (WHERE status = 'active') FROM package_tags WHERE package_id = :vim;

-- Eager load for a page of 1,000 games: one call, one row for each, in the order of the list
SELECT p.name, jsonb_array_length(r.results) AS tags, r.results -> 0 ->> 'name' AS first_tag
FROM m2m.get_results_for(m2m.order_by('package_tags', 'name'),
       ARRAY(SELECT id FROM packages WHERE section = 'games' ORDER BY name LIMIT 1000)) r
JOIN packages p ON p.id = r.parent ORDER BY p.name;
-- must be
SELECT p.name, count(t.id), min(t.name)
FROM (SELECT * FROM packages WHERE section = 'games' ORDER BY name LIMIT 1000) p
LEFT JOIN package_tags pt ON pt.package_id = p.id LEFT JOIN tags t ON t.id = pt.tag_id
GROUP BY p.name ORDER BY p.name;

-- The two weightiest tags of each editor
SELECT p.name, tag ->> 'name' AS tag, tag #> '{pivot,weight}' AS weight
FROM m2m.get_results_for(m2m.order_by(m2m.order_by_pivot('package_tags', 'weight', 'desc'), 'name'),
       ARRAY(SELECT id FROM packages WHERE section = 'editors'), 2) r
JOIN packages p ON p.id = r.parent, jsonb_array_elements(r.results) tag
ORDER BY p.name, weight DESC, tag;
-- must be
SELECT p.name, t.name, t.weight
FROM packages p, LATERAL (
  SELECT t.name, pt.weight FROM package_tags pt JOIN tags t ON t.id = pt.tag_id
  WHERE pt.package_id = p.id ORDER BY pt.weight DESC, t.name LIMIT 2) t
WHERE p.section = 'editors' ORDER BY p.name, t.weight DESC, t.name;

-- Which database packages are described best? Counts for many parents in one call
SELECT p.name, c.count
FROM m2m.count_related_for('package_tags', ARRAY(SELECT id FROM packages WHERE section = 'database')) c
JOIN packages p ON p.id = c.parent ORDER BY c.count DESC, p.name;
-- must be
SELECT p.name, count(pt.tag_id) FROM packages p LEFT JOIN package_tags pt ON pt.package_id = p.id
WHERE p.section = 'database' GROUP BY p.name ORDER BY 2 DESC, 1;

-- Inverse: the largest packages that work with databases
SELECT name, installed_size, summary FROM m2m.get_results('tag_packages', :db, NULL::packages)
ORDER BY installed_size DESC, name;
-- must be
SELECT p.name, p.installed_size, p.summary FROM packages p JOIN package_tags pt ON pt.package_id = p.id
WHERE pt.tag_id = :db ORDER BY p.installed_size DESC, p.name;

-- Which packages share most tags with vim? Sets of ids compose with plain SQL
SELECT p.name, count(*) AS shared
FROM m2m.related_ids('package_tags', :vim, NULL::int) AS tag,
     m2m.related_ids('tag_packages', tag, NULL::bigint) AS package
JOIN packages p ON p.id = package
WHERE p.id <> :vim
GROUP BY p.name ORDER BY shared DESC, p.name LIMIT 8;
-- must be
SELECT p.name, count(*)
FROM package_tags mine JOIN package_tags theirs USING (tag_id) JOIN packages p ON p.id = theirs.package_id
WHERE mine.package_id = :vim AND p.id <> :vim
GROUP BY p.name ORDER BY 2 DESC, 1 LIMIT 8;
