-- Errors say what to do, and leave nothing behind

-- A tag that does not exist: the foreign key's own error
SELECT m2m.attach('package_tags', :neovim, ARRAY[:terminal, 999999]);
-- must fail 23503 999999

-- A misspelt column
SELECT m2m.attach('package_tags', :neovim, :terminal, '{"wieght": 5}');
-- must fail 42703 weight

-- A misspelt relation
SELECT m2m.count_related('packagetags', :vim);
-- must fail 42704 package_tags

-- NULL never means "all": a subquery that finds nothing detaches nothing
SELECT m2m.detach('package_tags', :vim, (SELECT array_agg(id) FROM tags WHERE name = 'no::such-tag'));
-- must fail 22004

-- An id that the key's type does not accept
SELECT m2m.attach('package_tags', :neovim, '[1.5]');
-- must fail 22P02

-- Nothing of this has changed a row
SELECT m2m.count_related('package_tags', :neovim) AS neovim, m2m.count_related('package_tags', :vim) AS vim;
-- must be
SELECT 2, count(*) FROM package_tags WHERE package_id = :vim;
