-- Building blocks for SQL of one's own

-- The table at the other end
SELECT m2m.get_related_table('package_tags') AS of_packages, m2m.get_related_table('tag_packages') AS of_tags;
-- must be
SELECT 'tags'::regclass, 'packages'::regclass;

-- The pivot's columns under the names that results give them
SELECT unnest(m2m.get_pivot_columns('active_tags')) AS pivot_columns;
-- must be
VALUES ('package_tags.package_id AS pivot_package_id'), ('package_tags.tag_id AS pivot_tag_id'),
       ('package_tags.status AS pivot_status'), ('package_tags.weight AS pivot_weight'),
       ('package_tags.assigned_at AS pivot_assigned_at');

-- new_pivot_query: the SELECT behind a relation
SELECT m2m.new_pivot_query('active_tags', :vim) AS query;

-- ... which runs as it stands
SELECT m2m.new_pivot_query('active_tags', :vim) AS query \gset
SELECT tag_id, status, weight FROM (:query) active ORDER BY tag_id;
-- must be
SELECT tag_id, status, weight FROM package_tags WHERE package_id = :vim AND status = 'active' ORDER BY tag_id;

-- pivot_predicate: the condition alone, for an UPDATE that attributes cannot say
SELECT m2m.pivot_predicate('active_tags', :vim) AS predicate;

-- ... here to make each tag in force weigh one more
SELECT m2m.pivot_predicate('active_tags', :vim) AS predicate \gset
UPDATE package_tags SET weight = weight + 1 WHERE :predicate RETURNING tag_id, weight;
-- must be, in any order
SELECT tag_id, weight FROM package_tags WHERE package_id = :vim AND status = 'active';

-- add_constraints: any query on the related table, narrowed to one parent
SELECT m2m.add_constraints('package_tags', :vim, 'SELECT * FROM tags WHERE name LIKE ''works-with%''') AS query \gset
SELECT name, pivot_status FROM (:query) q ORDER BY name;
-- must be
SELECT t.name, pt.status FROM tags t JOIN package_tags pt ON pt.tag_id = t.id
WHERE pt.package_id = :vim AND t.name LIKE 'works-with%' ORDER BY t.name;

-- lock_relation: count, then attach, with nobody in between
CREATE FUNCTION attach_within(package bigint, tags int[], at_most bigint) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  PERFORM m2m.lock_relation('package_tags', package);
  IF m2m.count_related('package_tags', package) + cardinality(tags) > at_most THEN
    RAISE check_violation USING MESSAGE = format('at most %s tags', at_most);
  END IF;
  RETURN m2m.attach('package_tags', package, tags);
END $$;
SELECT attach_within(:neovim, ARRAY[:program, :editing], 3);
-- must be
SELECT 2;

-- ... and the next two are too many
SELECT attach_within(:neovim, ARRAY[:text, :unicode], 3);
-- must fail 23514 at most 3 tags

-- A view of the relation, for reports and for joins
SELECT m2m.create_relation_view('package_tags', 'tags_of_packages');
SELECT facet, count(*) AS tags, round(avg(pivot_weight), 1) AS weight
FROM tags_of_packages GROUP BY facet ORDER BY tags DESC;
-- must be
SELECT facet, count(*), round(avg(weight), 1)
FROM package_tags JOIN tags ON id = tag_id GROUP BY facet ORDER BY 2 DESC;

-- The plan of a join written by hand ...
EXPLAIN (COSTS OFF)
SELECT r.name, p.weight FROM package_tags p JOIN tags r ON r.id = p.tag_id
WHERE p.package_id = :vim;

-- ... and of the view: the planner sees the same join
EXPLAIN (COSTS OFF)
SELECT name, pivot_weight FROM tags_of_packages WHERE pivot_package_id = :vim;
-- must be
EXPLAIN (COSTS OFF)
SELECT r.name, p.weight FROM package_tags p JOIN tags r ON r.id = p.tag_id
WHERE p.package_id = :vim;

-- drop_relation forgets the name; the pairs stay
SELECT m2m.drop_relation('active_tags');
SELECT name FROM m2m.belongs_to_many_relations ORDER BY name;
-- must be
VALUES ('package_tags'), ('tag_packages');
