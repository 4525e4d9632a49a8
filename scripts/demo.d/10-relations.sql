-- Declaring the relation

-- A schema of its own, so that attach() and sync() meet no function of the application
CREATE SCHEMA m2m;
CREATE EXTENSION belongs_to_many SCHEMA m2m;

-- Packages have many tags: pivot table and keys are inferred from the foreign keys
SELECT m2m.create_relation('package_tags',
  m2m.with_pivot(m2m.belongs_to_many('packages', 'tags'), 'status', 'weight', 'assigned_at'));

-- The same pairs seen from the tags
SELECT m2m.create_relation('tag_packages', m2m.inverse('package_tags'));

-- A relation may carry a filter: only tags that are in force
SELECT m2m.create_relation('active_tags', m2m.where_pivot('package_tags', 'status', 'active'));

-- What is saved
SELECT name, parent, related, pivot_table FROM m2m.belongs_to_many_relations ORDER BY name;
-- must be
VALUES ('active_tags', 'packages', 'tags', 'package_tags'),
       ('package_tags', 'packages', 'tags', 'package_tags'),
       ('tag_packages', 'tags', 'packages', 'package_tags');

-- A relation is a value that says what was inferred and added
SELECT relation FROM m2m.belongs_to_many_relations WHERE name = 'active_tags';
