-- The example of transactions in docs/scylla.md. The foreign table cluster_shop.tags is there.
-- doc:begin
BEGIN;
INSERT INTO cluster_shop.tags (id, name) VALUES (50, 'kept here');
SAVEPOINT s;
DELETE FROM cluster_shop.tags WHERE id = 50;
ROLLBACK TO s;
SELECT name FROM cluster_shop.tags WHERE id = 50;
-- kept here
COMMIT;
-- now it is on the cluster
-- doc:end
