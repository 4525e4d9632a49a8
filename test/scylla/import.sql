-- The example of foreign tables in docs/scylla.md. A server "cluster" and the table shop.tags are there.
-- doc:begin
CREATE SCHEMA cluster_shop;
IMPORT FOREIGN SCHEMA shop LIMIT TO (tags) FROM SERVER cluster INTO cluster_shop;
SELECT name FROM cluster_shop.tags WHERE id = ANY ('{3,4}') ORDER BY id;
-- doc:end
