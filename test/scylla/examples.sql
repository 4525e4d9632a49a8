-- The example of docs/scylla.md. A server "cluster" and the keyspace and table shop.tags (id int, name text) are there.
CREATE TABLE tags AS SELECT i AS id, 'tag ' || i AS name FROM generate_series(2, 100) AS i;
-- doc:begin
SELECT m2m.scylla_execute('cluster', 'INSERT INTO shop.tags (id, name) VALUES (?, ?)', '1', 'new');
SELECT m2m.scylla_query('cluster', 'SELECT name FROM shop.tags WHERE id = ?', '1');
-- {"name": "new"}

-- once for each row of an array of two dimensions
SELECT m2m.scylla_execute('cluster', 'INSERT INTO shop.tags (id, name) VALUES (?, ?)',
    VARIADIC (SELECT array_agg(ARRAY[id::text, name]) FROM tags));

-- false: the condition did not hold
SELECT m2m.scylla_execute('cluster', 'UPDATE shop.tags SET name = ? WHERE id = 1 IF name = ?', 'newer', 'old');
-- doc:end
