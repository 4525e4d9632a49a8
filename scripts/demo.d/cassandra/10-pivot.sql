-- The same pairs in Apache Cassandra

-- A server, reached by the extension's own foreign data wrapper
CREATE SERVER cassandra FOREIGN DATA WRAPPER scylla
  OPTIONS (hosts :'cassandra_hosts', port :'cassandra_port', sslmode 'disable');
CREATE USER MAPPING FOR CURRENT_USER SERVER cassandra;

-- CQL goes through it as it stands
SELECT m2m.scylla_execute('cassandra',
  $$CREATE KEYSPACE demo WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}$$);
SELECT m2m.scylla_execute('cassandra',
  'CREATE TABLE demo.package_tags (package_id bigint, tag_id int, status text, weight int,
     assigned_at timestamp, PRIMARY KEY ((package_id), tag_id))');
SELECT result FROM m2m.scylla_query('cassandra', 'SELECT cluster_name, cql_version FROM system.local') AS result;

-- Its table becomes a foreign table here, keys and types included
CREATE SCHEMA far;
IMPORT FOREIGN SCHEMA demo FROM SERVER cassandra INTO far;
SELECT attname, format_type(atttypid, atttypmod) AS type, attfdwoptions
FROM pg_attribute WHERE attrelid = 'far.package_tags'::regclass AND attnum > 0 ORDER BY attname;

-- A bulk load: in write mode immediate rows go out as they come
ALTER FOREIGN TABLE far.package_tags OPTIONS (ADD write_mode 'immediate');
INSERT INTO far.package_tags (package_id, tag_id, status, weight, assigned_at)
SELECT package_id, tag_id, status, weight, assigned_at FROM package_tags;
ALTER FOREIGN TABLE far.package_tags OPTIONS (DROP write_mode);
SELECT count(*) FROM far.package_tags;
-- must be
SELECT count(*) FROM package_tags;

-- What the cluster is asked for one package: its partition, in the order of its key
EXPLAIN (VERBOSE, COSTS OFF)
SELECT tag_id, status FROM far.package_tags WHERE package_id = :vim ORDER BY tag_id;

-- A join with local tables: one query for each package's partition, all under way together
SELECT p.name, count(*) AS tags
FROM packages p JOIN far.package_tags pt ON pt.package_id = p.id
WHERE p.section = 'editors' GROUP BY p.name ORDER BY 2 DESC, 1;
-- must be
SELECT p.name, count(*)
FROM packages p JOIN package_tags pt ON pt.package_id = p.id
WHERE p.section = 'editors' GROUP BY p.name ORDER BY 2 DESC, 1;
