--
-- scylla_connections() and scylla_disconnect() without a connection
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA scylla_connections;
SET search_path = scylla_connections, m2m;
\set VERBOSITY sqlstate

SELECT * FROM scylla_connections();

SELECT scylla_disconnect('no_such_server');
SELECT scylla_disconnect(NULL);

CREATE SERVER scylla_connections FOREIGN DATA WRAPPER scylla OPTIONS (hosts '192.0.2.1');
SELECT scylla_disconnect('scylla_connections');

-- a server of another wrapper has none either
CREATE FOREIGN DATA WRAPPER scylla_connections_other;
CREATE SERVER scylla_connections_other FOREIGN DATA WRAPPER scylla_connections_other;
SELECT scylla_disconnect('scylla_connections_other');

-- anybody may look at and close connections: they are the session's own
CREATE ROLE scylla_connections_user;
GRANT USAGE ON SCHEMA m2m TO scylla_connections_user;
SET ROLE scylla_connections_user;
SELECT count(*) FROM m2m.scylla_connections();
SELECT m2m.scylla_disconnect('scylla_connections');
RESET ROLE;

DROP SERVER scylla_connections;
DROP FOREIGN DATA WRAPPER scylla_connections_other CASCADE;
REVOKE USAGE ON SCHEMA m2m FROM scylla_connections_user;
DROP ROLE scylla_connections_user;
DROP SCHEMA scylla_connections CASCADE;
