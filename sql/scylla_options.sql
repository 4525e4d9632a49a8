--
-- Options of the foreign data wrapper: which there are, who may set them, what
-- is refused
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA scylla_options;
SET search_path = scylla_options, m2m;

-- ---- every option, with a good value

CREATE SERVER full_server FOREIGN DATA WRAPPER scylla OPTIONS (
	hosts 'one.example, two.example:9043, 192.0.2.7, 192.0.2.8:9142, [2001:db8::1]:9042, [2001:db8::2], 2001:db8::3',
	port '9044', local_dc 'dc1', consistency 'LOCAL_ONE', serial_consistency 'SERIAL',
	connect_timeout '2s', request_timeout '1500', compression 'lz4', max_in_flight '256', fetch_size '100',
	write_mode 'immediate', batch_size '16kB', updatable 'false', truncatable 'false',
	sslmode 'verify-ca', sslrootcert '/ca.pem', sslcert '/c.pem', sslkey '/k.pem');
CREATE USER MAPPING FOR CURRENT_USER SERVER full_server OPTIONS (
	username 'u', password 'p', password_required 'false', sslcert '/c.pem', sslkey '/k.pem');
CREATE FOREIGN TABLE t (
	id int OPTIONS (column_name 'Id', cql_type 'varint', partition_key '1'),
	c int OPTIONS (clustering_key '1', clustering_order 'DESC'),
	s text OPTIONS (static 'true'),
	v text)
SERVER full_server OPTIONS (keyspace 'Ks', "table" 'T', consistency 'ONE', fetch_size '10', allow_filtering 'true',
	write_mode 'COMMIT', ttl '3600', batch_size '1024', updatable 'true', truncatable 'true');

CREATE SERVER bare_server FOREIGN DATA WRAPPER scylla;
ALTER SERVER bare_server OPTIONS (ADD consistency 'local_quorum', compression 'NONE', sslmode 'disable');
ALTER SERVER bare_server OPTIONS (SET consistency 'each quorum');
ALTER SERVER bare_server OPTIONS (SET consistency 'EachQuorum', DROP compression);
SELECT srvoptions FROM pg_foreign_server WHERE srvname = 'bare_server';

-- ---- options that there are not

CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (host 'a');
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (request_timout '5s');
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (password 'p');
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (colour 'blue');
CREATE USER MAPPING FOR PUBLIC SERVER bare_server OPTIONS ("user" 'u');
CREATE USER MAPPING FOR PUBLIC SERVER bare_server OPTIONS (usrname 'u');
CREATE FOREIGN TABLE f () SERVER bare_server OPTIONS (table_name 'f');
CREATE FOREIGN TABLE f (a int OPTIONS (colum_name 'A')) SERVER bare_server;
ALTER FOREIGN DATA WRAPPER scylla OPTIONS (ADD hosts 'a');

-- ---- values that are refused

CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (hosts '');
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (hosts 'a,,b');
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (hosts 'a b');
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (hosts 'a:0');
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (hosts 'a:65536');
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (hosts 'a:');
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (hosts ':9042');
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (hosts '[::1');
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (hosts '[::1]9042');
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (hosts '/tmp/socket');
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (port '0');
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (port 'cql');
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (local_dc '');
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (consistency 'MOST');
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (serial_consistency 'QUORUM');
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (connect_timeout '0');
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (connect_timeout '-1');
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (request_timeout '5 parsecs');
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (request_timeout '30d');
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (compression 'snappy');
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (max_in_flight '32001');
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (sslmode 'prefer');
CREATE USER MAPPING FOR PUBLIC SERVER bare_server OPTIONS (username '');
CREATE USER MAPPING FOR PUBLIC SERVER bare_server OPTIONS (password_required 'maybe');
CREATE FOREIGN TABLE f () SERVER bare_server OPTIONS (keyspace '');
CREATE FOREIGN TABLE f () SERVER bare_server OPTIONS ("table" '');
CREATE FOREIGN TABLE f (a int OPTIONS (column_name '')) SERVER bare_server;
CREATE FOREIGN TABLE f () SERVER bare_server OPTIONS (fetch_size '0');
CREATE FOREIGN TABLE f () SERVER bare_server OPTIONS (allow_filtering 'perhaps');
CREATE FOREIGN TABLE f () SERVER bare_server OPTIONS (consistency 'SOME');
CREATE FOREIGN TABLE f () SERVER bare_server OPTIONS (write_mode 'later');
CREATE FOREIGN TABLE f () SERVER bare_server OPTIONS (ttl '-1');
CREATE FOREIGN TABLE f () SERVER bare_server OPTIONS (ttl '1d');
CREATE FOREIGN TABLE f () SERVER bare_server OPTIONS (batch_size '0');
CREATE FOREIGN TABLE f () SERVER bare_server OPTIONS (batch_size '1GB');
CREATE FOREIGN TABLE f () SERVER bare_server OPTIONS (updatable 'perhaps');
CREATE FOREIGN TABLE f () SERVER bare_server OPTIONS (truncatable 'perhaps');
CREATE FOREIGN TABLE f (a int OPTIONS (cql_type '')) SERVER bare_server;
CREATE FOREIGN TABLE f (a int OPTIONS (partition_key '0')) SERVER bare_server;
CREATE FOREIGN TABLE f (a int OPTIONS (clustering_key 'first')) SERVER bare_server;
CREATE FOREIGN TABLE f (a int OPTIONS (clustering_order 'down')) SERVER bare_server;
CREATE FOREIGN TABLE f (a int OPTIONS (static 'electric')) SERVER bare_server;
CREATE FOREIGN TABLE f (a int OPTIONS (indexed 'well')) SERVER bare_server;

-- ---- definitions that contradict themselves, or say too little

CREATE FOREIGN TABLE no_keyspace (a int) SERVER bare_server;
EXPLAIN SELECT * FROM no_keyspace;
CREATE FOREIGN TABLE gap (a int OPTIONS (partition_key '1'), b int OPTIONS (partition_key '3')) SERVER bare_server OPTIONS (keyspace 'k');
EXPLAIN (VERBOSE, COSTS OFF) SELECT * FROM gap WHERE a = 1;
CREATE FOREIGN TABLE twice (a int OPTIONS (partition_key '1'), b int OPTIONS (partition_key '1')) SERVER bare_server OPTIONS (keyspace 'k');
EXPLAIN SELECT * FROM twice;
CREATE FOREIGN TABLE strange (a point) SERVER bare_server OPTIONS (keyspace 'k');
EXPLAIN SELECT * FROM strange;
CREATE FOREIGN TABLE unknown_type (a int OPTIONS (cql_type 'list<')) SERVER bare_server OPTIONS (keyspace 'k');
EXPLAIN SELECT * FROM unknown_type;

-- ---- plans need no connection

CREATE FOREIGN TABLE plans (
	p bigint OPTIONS (column_name 'P "1"', partition_key '1'),
	c int OPTIONS (clustering_key '1', clustering_order 'desc'),
	v text)
SERVER bare_server OPTIONS (keyspace 'k', "table" 'T', consistency 'LOCAL_ONE');
EXPLAIN (VERBOSE, COSTS OFF) SELECT v FROM plans WHERE p = 1 AND c BETWEEN 2 AND 3 AND v = 'x';
EXPLAIN (VERBOSE, COSTS OFF) SELECT c FROM plans WHERE p IN (1, 2) AND c = ANY ('{3,4}');
EXPLAIN (VERBOSE, COSTS OFF) SELECT c FROM plans WHERE p = 1 ORDER BY c LIMIT 1;
EXPLAIN (VERBOSE, COSTS OFF) SELECT count(*) FROM plans;
EXPLAIN (VERBOSE, COSTS OFF) SELECT count(*), count(c) + 1 FROM plans WHERE p IN (1, 2) AND c > 3;
EXPLAIN (VERBOSE, COSTS OFF) SELECT v FROM plans WHERE p = 1 AND v = 'x' LIMIT 1;
CREATE FOREIGN TABLE rows (
	p int OPTIONS (partition_key '1'),
	a int OPTIONS (clustering_key '1'),
	b date OPTIONS (clustering_key '2'),
	c int OPTIONS (clustering_key '3', clustering_order 'desc'),
	v text OPTIONS (indexed 'true'))
SERVER bare_server OPTIONS (keyspace 'k');
EXPLAIN (VERBOSE, COSTS OFF) SELECT v FROM rows WHERE p = 1 AND (a, b) > (2, '2026-01-01') AND (3, '2026-01-01') >= (a, b) ORDER BY a, b LIMIT 10 OFFSET 5;
EXPLAIN (VERBOSE, COSTS OFF) SELECT v FROM rows WHERE p = 1 AND (a, b, c) > (2, '2026-01-01', 3);
EXPLAIN (VERBOSE, COSTS OFF) SELECT v FROM rows WHERE p = 1 AND (a, b) > (2, NULL);
EXPLAIN (VERBOSE, COSTS OFF) SELECT a FROM rows WHERE v = 'x' AND a = 3;
EXPLAIN (COSTS OFF) SELECT v FROM plans WHERE p = 1;

-- ---- neither do plans of writes

EXPLAIN (VERBOSE, COSTS OFF) INSERT INTO plans (p, c) VALUES (1, 2);
EXPLAIN (VERBOSE, COSTS OFF) INSERT INTO plans VALUES (1, 2, 'x') RETURNING v;
EXPLAIN (VERBOSE, COSTS OFF) UPDATE plans SET v = 'x' WHERE p = 1;
EXPLAIN (VERBOSE, COSTS OFF) DELETE FROM plans WHERE p = 1 AND c = 2;
EXPLAIN (VERBOSE, COSTS OFF) DELETE FROM plans WHERE p = 1;
EXPLAIN (COSTS OFF) DELETE FROM plans WHERE p = 1;
ALTER FOREIGN TABLE plans OPTIONS (ADD write_mode 'immediate', ttl '60');
EXPLAIN (VERBOSE, COSTS OFF) INSERT INTO plans (p, c) VALUES (1, 2);

-- ---- what is never written

EXPLAIN UPDATE plans SET c = 1;
EXPLAIN UPDATE plans SET p = p, v = 'x';
EXPLAIN INSERT INTO plans VALUES (1, 2) ON CONFLICT DO NOTHING;
EXPLAIN INSERT INTO plans VALUES (1, 2) ON CONFLICT (p, c) DO UPDATE SET v = 'x';
CREATE FOREIGN TABLE no_key (a int) SERVER bare_server OPTIONS (keyspace 'k');
EXPLAIN DELETE FROM no_key;
EXPLAIN UPDATE no_key SET a = 1;
INSERT INTO no_key VALUES (1);
ALTER FOREIGN TABLE plans OPTIONS (ADD updatable 'false', truncatable 'false');
EXPLAIN INSERT INTO plans VALUES (1, 2);
EXPLAIN DELETE FROM plans;
TRUNCATE plans;
ALTER SERVER bare_server OPTIONS (ADD updatable 'false');
EXPLAIN INSERT INTO no_key VALUES (1);
SELECT table_name, is_insertable_into FROM information_schema.tables WHERE table_schema = 'scylla_options' ORDER BY 1;

-- ---- who may set what

CREATE ROLE regress_btm_scylla;
GRANT USAGE ON SCHEMA m2m, scylla_options TO regress_btm_scylla;

SET ROLE regress_btm_scylla;
CREATE SERVER s FOREIGN DATA WRAPPER scylla;
RESET ROLE;
GRANT USAGE ON FOREIGN DATA WRAPPER scylla TO regress_btm_scylla;
SET ROLE regress_btm_scylla;
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (sslrootcert '/etc/passwd');
CREATE SERVER s FOREIGN DATA WRAPPER scylla OPTIONS (sslkey '/etc/passwd');
CREATE SERVER own_server FOREIGN DATA WRAPPER scylla OPTIONS (hosts 'a', sslmode 'disable');
CREATE USER MAPPING FOR CURRENT_USER SERVER own_server OPTIONS (username 'u', password_required 'false');
CREATE USER MAPPING FOR CURRENT_USER SERVER own_server OPTIONS (sslcert '/etc/passwd');
CREATE USER MAPPING FOR CURRENT_USER SERVER own_server OPTIONS (username 'u', password 'p', password_required 'true');
RESET ROLE;
GRANT pg_read_server_files TO regress_btm_scylla;
SET ROLE regress_btm_scylla;
ALTER SERVER own_server OPTIONS (sslrootcert '/ca.pem');
ALTER USER MAPPING FOR CURRENT_USER SERVER own_server OPTIONS (sslcert '/c.pem', sslkey '/k.pem');
RESET ROLE;

-- what a mapping holds is shown to its server's owner and to its own user only
SELECT srvname, umoptions FROM pg_user_mappings ORDER BY srvname;
CREATE ROLE regress_btm_scylla_other;
SET ROLE regress_btm_scylla_other;
SELECT srvname, umoptions FROM pg_user_mappings ORDER BY srvname;
RESET ROLE;

DROP SERVER full_server, bare_server, own_server CASCADE;
REVOKE USAGE ON FOREIGN DATA WRAPPER scylla FROM regress_btm_scylla;
REVOKE USAGE ON SCHEMA m2m FROM regress_btm_scylla;
DROP SCHEMA scylla_options CASCADE;
DROP ROLE regress_btm_scylla, regress_btm_scylla_other;
