-- A pivot that is a foreign table, behind a wrapper of which nothing is known:
-- postgres_fdw, with this database at the other end.  (A pivot in Cassandra is
-- tested on a server: test/scylla.)
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE EXTENSION postgres_fdw SCHEMA public;
CREATE SCHEMA foreign_pivot;
CREATE SCHEMA far;
SET search_path = foreign_pivot, m2m;
SET client_min_messages = notice;

DO $$
BEGIN
	EXECUTE format('CREATE SERVER regress_loop FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host %L, port %L, dbname %L)',
		trim(split_part(current_setting('unix_socket_directories'), ',', 1)),
		current_setting('port'), current_database());
END $$;
CREATE USER MAPPING FOR CURRENT_USER SERVER regress_loop;

CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL);
CREATE TABLE roles (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO users SELECT i, 'user ' || i FROM generate_series(1, 5) i;
INSERT INTO roles SELECT i, 'role ' || i FROM generate_series(1, 20) i;

-- at the other end: a table, and what statements reach it
CREATE TABLE far.user_roles (
	user_id bigint NOT NULL, role_id int, status text NOT NULL DEFAULT 'far', note jsonb,
	created_at timestamptz, updated_at timestamptz);
CREATE TABLE far.statements (n bigserial, command text);
CREATE FUNCTION far.note_statement() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO far.statements (command) VALUES (tg_op); RETURN NULL; END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON far.user_roles
	FOR EACH STATEMENT EXECUTE FUNCTION far.note_statement();
CREATE FUNCTION seen() RETURNS text LANGUAGE sql AS
	$$ WITH gone AS (DELETE FROM far.statements RETURNING n, command)
	   SELECT string_agg(command, ' ' ORDER BY n) FROM gone $$;

CREATE FOREIGN TABLE user_roles (
	user_id bigint NOT NULL, role_id int, status text NOT NULL DEFAULT 'active', note jsonb,
	created_at timestamptz, updated_at timestamptz)
SERVER regress_loop OPTIONS (schema_name 'far', batch_size '100');

-- keys of the pivot are not inferred; nothing is said of an index
SELECT belongs_to_many('users', 'roles', 'user_roles');
SELECT create_relation('user_roles', belongs_to_many('users', 'roles', 'user_roles', 'user_id', 'role_id'));
SELECT create_relation('stamped', with_timestamps('user_roles'));
SELECT create_relation('active', where_pivot('user_roles', 'status', 'active'));

-- attach: each policy; the default is that of the foreign table
SELECT attach('user_roles', 1, '{1,2,3}');
SELECT seen();
SELECT attach('user_roles', 1, '{3,4,2}'), attach('user_roles', 1, 5), attach('user_roles', 1, 5);
SELECT attach('user_roles', 1, '{5,6}', '{"status": "paused"}', 'update');
SELECT attach('user_roles', 1, '{5,6}', '{"status": "paused"}', 'update');
SELECT attach('user_roles', 1, '{6,7}', on_conflict => 'error');
SELECT attach('user_roles', 1, '{7}', on_conflict => 'error');
SELECT attach('user_roles', 1, '{7,8}', on_conflict => 'duplicate');
SELECT role_id, status FROM far.user_roles ORDER BY role_id;
SELECT seen();

-- detach: of some, of all; rows without a role go with all only
SELECT detach('user_roles', 1, '{1,7,99}');
SELECT seen();
INSERT INTO far.user_roles VALUES (1, NULL), (2, 1);
SELECT attach('user_roles', 1, '{1}');
SELECT seen();
SELECT detach('user_roles', 1);
SELECT seen();
SELECT user_id, role_id FROM far.user_roles;

-- sync: the difference only, in the order delete, update, insert
SELECT attach('user_roles', 3, '{1,2,3,4,5}');
SELECT seen();
SELECT * FROM sync('user_roles', 3, '{"9": {}, "2": {"status": "x"}, "3": {"status": "active"}, "8": {"note": {"a": 1}}}');
SELECT seen();
SELECT * FROM sync('user_roles', 3, '{8,9,2,3}');
SELECT seen();
SELECT * FROM sync_without_detaching('user_roles', 3, '[{"role_id": 3, "status": "y"}, 10]', '{"note": null}');
SELECT role_id, status, note FROM far.user_roles WHERE user_id = 3 ORDER BY role_id;
SELECT * FROM sync('user_roles', 3, '{}');

-- toggle
SELECT * FROM toggle('user_roles', 3, '{3,1,2}');
SELECT * FROM toggle('user_roles', 3, '{2,4,1}', '{"status": "new"}');
SELECT role_id, status FROM far.user_roles WHERE user_id = 3 ORDER BY role_id;

-- update_existing_pivot: no row is made; one that does not differ is left alone
SELECT seen();
SELECT update_existing_pivot('user_roles', 3, '{1,3,4}', '{"status": "new", "note": null}');
SELECT update_existing_pivot('user_roles', 3, '{"3": {"note": [1]}, "4": {"status": "z"}, "5": {"status": "z"}}');
SELECT update_existing_pivot('user_roles', 3, 3, '{"note": [1]}');
SELECT role_id, status, note FROM far.user_roles WHERE user_id = 3 ORDER BY role_id;

-- timestamps: what is not written keeps its own
SELECT attach('stamped', 4, '{1,2}');
UPDATE far.user_roles SET created_at = '2020-01-01', updated_at = '2020-01-01' WHERE user_id = 4;
SELECT attach('stamped', 4, '{"1": {"status": "changed"}, "2": {"status": "active"}}', '{}', 'update');
SELECT role_id, created_at < '2021-01-01' AS old, updated_at = now() AS touched,
	updated_at < '2021-01-01' AS untouched FROM far.user_roles WHERE user_id = 4 ORDER BY role_id;
BEGIN;
SELECT attach('stamped', 4, 3), update_existing_pivot('stamped', 4, '{2}', '{"status": "b"}');
SELECT role_id, created_at = now() AS created, updated_at = now() AS updated FROM user_roles WHERE user_id = 4 ORDER BY role_id;
ROLLBACK;
SELECT count(*) FROM far.user_roles WHERE user_id = 4;

-- the filter: rows out of it are neither seen nor touched
TRUNCATE far.user_roles;
SELECT attach('user_roles', 1, '{"1": {"status": "active"}, "2": {"status": "gone"}, "3": {"status": "gone"}}');
SELECT * FROM sync('active', 1, '{2,4}');
SELECT detach('active', 1, '{3,4}'), update_existing_pivot('active', 1, '{2,3}', '{"note": 1}');
SELECT role_id, status, note FROM far.user_roles ORDER BY role_id, status;
SELECT detach('active', 1);
SELECT role_id, status FROM far.user_roles ORDER BY role_id, status;

-- unique at the other end: what is out of the filter is in the way, and it says so
CREATE UNIQUE INDEX pair ON far.user_roles (user_id, role_id);
SELECT attach('active', 1, '{3,5}');
SELECT attach('user_roles', 1, '{3,5}'), attach('active', 1, '{5,6}');
SELECT attach('user_roles', 1, 5, on_conflict => 'duplicate');
DROP INDEX far.pair;

-- polymorphic
SELECT create_relation('posts_tags', morph('user_roles', 'status', 'post'));
SELECT create_relation('videos_tags', morph('user_roles', 'status', 'video'));
TRUNCATE far.user_roles;
SELECT attach('posts_tags', 1, '{1,2}'), attach('videos_tags', 1, '{2,3}');
SELECT * FROM sync('videos_tags', 1, '{1,3}');
SELECT role_id, status FROM far.user_roles ORDER BY 2, 1;

-- many ids, more than are looked for by their values
TRUNCATE far.user_roles;
SELECT attach('user_roles', 1, array(SELECT generate_series(1, 25000)));
SELECT attach('user_roles', 1, array(SELECT generate_series(24000, 26000)));
SELECT jsonb_array_length(attached) AS attached, jsonb_array_length(detached) AS detached, jsonb_array_length(updated) AS updated
FROM sync('user_roles', 1, array(SELECT generate_series(1, 30000, 2)), attributes => '{"status": "odd"}');
SELECT count(*), count(DISTINCT role_id), count(*) FILTER (WHERE status = 'odd') FROM far.user_roles;
SELECT detach('user_roles', 1, array(SELECT generate_series(1, 40000)));

-- ids of several columns, ids whose type has no array, ids of a domain with a collation
CREATE DOMAIN code AS text COLLATE "C";
CREATE TABLE items (a int, b text, PRIMARY KEY (a, b));
CREATE TABLE lists (id int[] PRIMARY KEY);
CREATE TABLE coded (id code PRIMARY KEY);
CREATE TABLE far.odd (user_id bigint, a int, b text, list int[], code text, n int);
CREATE FOREIGN TABLE odd (user_id bigint, a int, b text, list int[], code code, n int)
SERVER regress_loop OPTIONS (schema_name 'far');
SELECT create_relation('pairs', belongs_to_many('users', 'items', 'odd',
	ARRAY['user_id']::name[], ARRAY['a', 'b']::name[], ARRAY['id']::name[], ARRAY['a', 'b']::name[]));
SELECT create_relation('listed', belongs_to_many('users', 'lists', 'odd', 'user_id', 'list', 'id', 'id'));
SELECT create_relation('coded', belongs_to_many('users', 'coded', 'odd', 'user_id', 'code', 'id', 'id'));
SELECT attach('pairs', 1, '[[1, "x"], [1, "y"], [2, "x"]]');
SELECT * FROM sync('pairs', 1, '[{"a": 2, "b": "x", "n": 5}, {"a": 1, "b": "z"}, {"a": 1, "b": "y"}]');
SELECT * FROM toggle('pairs', 1, '[{"a": 2, "b": "x"}, {"a": 3, "b": "x"}]');
SELECT detach('pairs', 1, '[[1, "z"], [1, "x"], [3, "x"]]'), detach('pairs', 1, '{"a": 1, "b": "y"}');
SELECT attach('listed', 2, '["{1,2}", "{3}"]'), attach('listed', 2, '["{3}", "{4}"]'), detach('listed', 2, '["{1,2}", "{4}"]');
SELECT attach('coded', 3, '{a,b}'::text[]), attach('coded', 3, '{b,B}'::text[]), detach('coded', 3, '{a,B}'::text[]);
SELECT user_id, a, b, list, code, n FROM far.odd ORDER BY 1, 2, 3;

-- keys of several columns of one type on one saved relation: the list is now in this column, now in that
CREATE TABLE teams (a int, b int, PRIMARY KEY (a, b));
CREATE TABLE far.tools (c int, d int, name text, PRIMARY KEY (c, d));
CREATE TABLE far.team_tools (a int, b int, c int, d int);
CREATE FOREIGN TABLE tools (c int, d int, name text) SERVER regress_loop OPTIONS (schema_name 'far');
CREATE FOREIGN TABLE team_tools (a int, b int, c int, d int) SERVER regress_loop OPTIONS (schema_name 'far');
INSERT INTO far.tools SELECT c, d, c || '-' || d FROM generate_series(1, 3) c, generate_series(1, 7) d;
INSERT INTO far.team_tools VALUES (1, 1, 1, 1), (1, 2, 1, 2), (1, 2, 1, 3), (1, 3, 1, 1), (1, 7, 1, 7), (2, 7, 2, 7), (2, 7, 1, 7), (3, 7, 3, 7);
SELECT create_relation('tools', order_by(belongs_to_many('teams', 'tools', 'team_tools', '{a,b}'::name[], '{c,d}'::name[], '{a,b}'::name[], '{c,d}'::name[]), 'name'));
SELECT parent, jsonb_path_query_array(results, '$[*].name') AS names FROM get_results_for('tools', '[[1,1],[1,2],[1,3]]');
SELECT parent, jsonb_path_query_array(results, '$[*].name') AS names FROM get_results_for('tools', '[[1,7],[2,7],[3,7]]');
SELECT * FROM count_related_for('tools', '[[1,7],[2,7],[3,7]]');
SELECT * FROM count_related_for('tools', '[[1,1],[1,2],[1,3]]');
SELECT jsonb_path_query_array(get_results('tools', '[1,2]'), '$[*].name') AS names;
SELECT jsonb_path_query_array(get_results('tools', '[2,7]'), '$[*].name') AS names;
SELECT is_attached('tools', '[1,2]', '[[1,2],[1,3]]'), is_attached('tools', '[2,7]', '[[1,7],[2,7]]'), is_attached('tools', '[2,7]', '[[1,7],[3,7]]');

-- NOT NULL is only said of a foreign column: what is NULL all the same is no pair
CREATE TABLE tags (tag text PRIMARY KEY);
CREATE TABLE far.loose (user_id bigint, tag text);
CREATE FOREIGN TABLE loose (user_id bigint NOT NULL, tag text NOT NULL) SERVER regress_loop OPTIONS (schema_name 'far');
SELECT create_relation('loose', belongs_to_many('users', 'tags', 'loose', 'user_id', 'tag'));
INSERT INTO tags VALUES ('a'), ('b');
INSERT INTO far.loose VALUES (1, 'a'), (1, NULL), (NULL, 'b');
SELECT related_ids('loose', 1), is_attached('loose', 1, 'a'), get_results('loose', 1);
SELECT * FROM get_results_for('loose', '[1, 2]');
SELECT * FROM sync('loose', 1, '{b}'::text[]);
SELECT * FROM toggle('loose', 1, '{a,b}'::text[]);
SELECT detach('loose', 1);
SELECT user_id, tag FROM far.loose;

-- triggers of the foreign table: what they keep out is not reported
TRUNCATE far.user_roles;
CREATE FUNCTION keep_out() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN IF new.role_id = 2 THEN RETURN NULL; END IF; new.note = '"by trigger"'; RETURN new; END $$;
CREATE TRIGGER keep_out BEFORE INSERT ON user_roles FOR EACH ROW EXECUTE FUNCTION keep_out();
SELECT attach('user_roles', 1, '{1,2}');
SELECT attached FROM sync('user_roles', 1, '{1,3}');
SELECT role_id, note FROM far.user_roles ORDER BY 1;
DROP TRIGGER keep_out ON user_roles;
-- and those at the other end
CREATE TRIGGER keep_out BEFORE INSERT ON far.user_roles FOR EACH ROW EXECUTE FUNCTION keep_out();
SELECT attached FROM toggle('user_roles', 1, '{4,5}');
SELECT attach('user_roles', 1, 2);
SELECT jsonb_array_length(attached) AS attached, attached @> '2' AS kept_out, attached @> '[1, 4, 300]' AS others
FROM toggle('user_roles', 4, (SELECT jsonb_object_agg(i, CASE i % 2 WHEN 0 THEN '{"note": 1}' ELSE '{"status": "s"}' END::jsonb)
	FROM generate_series(1, 300) i));
SELECT detach('user_roles', 4);
DROP TRIGGER keep_out ON far.user_roles;

-- not in bulk
SET belongs_to_many.bulk_path = on;
\set VERBOSITY default
SELECT attach('user_roles', 1, 9);
\set VERBOSITY terse
RESET belongs_to_many.bulk_path;

-- locks: the parent's and the side's, none of pairs; REPEATABLE READ
BEGIN;
SELECT attach('user_roles', 1, array(SELECT generate_series(10, 2000)));
SELECT mode FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 19283 AND pid = pg_backend_pid() ORDER BY mode;
SELECT mode FROM pg_locks WHERE relation = 'user_roles'::regclass AND pid = pg_backend_pid() AND mode LIKE '%Exclusive%';
SELECT attach(inverse('user_roles'), 5, 3);
SELECT mode FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 19283 AND pid = pg_backend_pid() ORDER BY mode;
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT attach('user_roles', 1, '{1,2}'), lock_relation('user_roles', 1);
SELECT * FROM sync('user_roles', 1, '{2}');
ROLLBACK;

-- they do not depend on the order in which a relation names the columns of its keys, here and there
CREATE TABLE near_tools (a int, b int, c int, d int);
SELECT create_relation('sloot', belongs_to_many('teams', 'tools', 'team_tools', '{b,a}'::name[], '{d,c}'::name[], '{b,a}'::name[], '{d,c}'::name[]));
SELECT create_relation('near', belongs_to_many('teams', 'tools', 'near_tools', '{a,b}'::name[], '{c,d}'::name[], '{a,b}'::name[], '{c,d}'::name[]));
SELECT create_relation('raen', belongs_to_many('teams', 'tools', 'near_tools', '{b,a}'::name[], '{d,c}'::name[], '{b,a}'::name[], '{d,c}'::name[]));
BEGIN;
SELECT lock_relation('tools', '[1,2]'), lock_relation('sloot', '[2,1]'), lock_relation('near', '[1,2]'), lock_relation('raen', '[2,1]');
SELECT mode FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 19283 AND pid = pg_backend_pid() ORDER BY mode;
ROLLBACK;
-- nor on what another relation has locked: a parent's lock is not the side's
BEGIN;
SELECT lock_relation(belongs_to_many('users', 'roles', 'odd', 'n', 'user_id', 'id', 'id'), 1);
SELECT lock_relation(belongs_to_many('users', 'roles', 'odd', 'n', 'a', 'id', 'id'), 1);
SELECT lock_relation(belongs_to_many('users', 'lists', 'odd', 'n', 'list', 'id', 'id'), 1);
SELECT mode FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 19283 AND pid = pg_backend_pid() ORDER BY mode;
ROLLBACK;

-- a partition that is a foreign table: the side's, and those of pairs
CREATE TABLE parts_root (user_id bigint, role_id int) PARTITION BY RANGE (user_id);
CREATE TABLE parts_near PARTITION OF parts_root FOR VALUES FROM (1) TO (10);
SELECT create_relation('parts', belongs_to_many('users', 'roles', 'parts_root', 'user_id', 'role_id'));
BEGIN;
SELECT attach('parts', 1, '{1,2}');
SELECT mode FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 19283 AND pid = pg_backend_pid() ORDER BY mode;
ROLLBACK;
CREATE TABLE far.parts (user_id bigint, role_id int);
CREATE FOREIGN TABLE parts_far PARTITION OF parts_root DEFAULT SERVER regress_loop OPTIONS (schema_name 'far', table_name 'parts');
BEGIN;
SELECT attach('parts', 1, '{1,2}'), attach('parts', 11, '{1}');
SELECT mode FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 19283 AND pid = pg_backend_pid() ORDER BY mode;
SELECT attach(inverse('parts'), 5, 12);
SELECT mode FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 19283 AND pid = pg_backend_pid() ORDER BY mode;
ROLLBACK;
BEGIN;
SELECT attach(belongs_to_many('users', 'roles', 'parts_far', 'user_id', 'role_id'), 13, 1);
SELECT mode FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 19283 AND pid = pg_backend_pid() ORDER BY mode;
ROLLBACK;

-- savepoints
BEGIN;
SELECT attach('user_roles', 5, 1);
SAVEPOINT s;
SELECT * FROM sync('user_roles', 5, '{2,3}');
ROLLBACK TO s;
SELECT * FROM sync('user_roles', 5, '{1,4}');
COMMIT;
SELECT role_id FROM far.user_roles WHERE user_id = 5 ORDER BY 1;

-- privileges are the caller's, on the foreign table
CREATE ROLE regress_foreign_pivot_user;
DO $$
BEGIN
	EXECUTE format('CREATE USER MAPPING FOR regress_foreign_pivot_user SERVER regress_loop OPTIONS (user %L, password_required ''false'')', current_user);
END $$;
GRANT USAGE ON SCHEMA foreign_pivot, m2m TO regress_foreign_pivot_user;
GRANT SELECT, INSERT ON user_roles TO regress_foreign_pivot_user;
SET ROLE regress_foreign_pivot_user;
SELECT detach('user_roles', 5);
SELECT attach('user_roles', 5, 1, '{"status": "x"}', 'update');
RESET ROLE;
-- those of columns: of a query around the parent's rows, no others than it needs
CREATE FUNCTION names_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS
	$$ BEGIN RETURN QUERY EXECUTE 'SELECT name FROM (' || query || ') q'; END $$;
REVOKE ALL ON user_roles FROM regress_foreign_pivot_user;
GRANT SELECT (user_id, role_id) ON user_roles TO regress_foreign_pivot_user;
GRANT SELECT ON roles TO regress_foreign_pivot_user;
SET ROLE regress_foreign_pivot_user;
SELECT names_of(add_constraints(order_by_pivot('user_roles', 'role_id'), 5, 'SELECT id, name FROM roles'));
SELECT names_of(add_constraints(order_by_pivot('user_roles', 'status'), 5, 'SELECT id, name FROM roles'));
RESET ROLE;
-- and those of the related table, if no row is looked for in it, too
GRANT SELECT ON team_tools TO regress_foreign_pivot_user;
SET ROLE regress_foreign_pivot_user;
SELECT get_results('tools', '[1,2]');
SELECT get_results('tools', '[99,99]');
SELECT * FROM get_results_for('tools', '[[99,99]]');
RESET ROLE;
GRANT SELECT ON tools TO regress_foreign_pivot_user;
SET ROLE regress_foreign_pivot_user;
SELECT get_results('tools', '[99,99]');
SELECT * FROM get_results_for('tools', '[[99,99]]');
RESET ROLE;

-- a table that is not to be written
ALTER FOREIGN TABLE user_roles OPTIONS (ADD updatable 'false');
SELECT attach('user_roles', 5, 7);
SELECT detach('user_roles', 5);
SELECT * FROM sync('user_roles', 5, '{1,4}');

-- a table of the wrapper scylla must say that both keys are in its primary key
CREATE SERVER regress_cluster FOREIGN DATA WRAPPER scylla OPTIONS (hosts '192.0.2.1', sslmode 'disable');
CREATE FOREIGN TABLE keyless (user_id bigint, role_id int) SERVER regress_cluster OPTIONS (keyspace 'k');
CREATE FOREIGN TABLE one_role (user_id bigint OPTIONS (partition_key '1'), role_id int) SERVER regress_cluster OPTIONS (keyspace 'k');
\set VERBOSITY default
SELECT attach(belongs_to_many('users', 'roles', 'keyless', 'user_id', 'role_id'), 1, 1);
SELECT detach(belongs_to_many('users', 'roles', 'one_role', 'user_id', 'role_id'), 1);
-- what a definition says is read anew when it changes
ALTER FOREIGN TABLE keyless ALTER role_id OPTIONS (ADD partition_key '1');
SELECT lock_relation(belongs_to_many('users', 'roles', 'keyless', 'user_id', 'role_id'), 1);
ALTER FOREIGN TABLE keyless ALTER user_id OPTIONS (ADD clustering_key '1');
SELECT lock_relation(belongs_to_many('users', 'roles', 'keyless', 'user_id', 'role_id'), 1);
-- and so must such a partition of the pivot, however deep
CREATE TABLE parted (user_id bigint, role_id int) PARTITION BY RANGE (user_id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (1) TO (10) PARTITION BY LIST (user_id);
CREATE TABLE parted_2 PARTITION OF parted DEFAULT;
SELECT create_relation('parted', belongs_to_many('users', 'roles', 'parted', 'user_id', 'role_id'));
SELECT attach('parted', 20, 1);
CREATE FOREIGN TABLE parted_11 (role_id int, user_id bigint OPTIONS (partition_key '1')) SERVER regress_cluster OPTIONS (keyspace 'k');
ALTER TABLE parted_1 ATTACH PARTITION parted_11 FOR VALUES IN (1);
SELECT attach('parted', 20, 1);
ALTER FOREIGN TABLE parted_11 ALTER role_id OPTIONS (ADD clustering_key '1');
SELECT lock_relation('parted', 20);
\set VERBOSITY terse
-- the key of such a table is known where it is related to
CREATE FOREIGN TABLE far_roles (name text, region text OPTIONS (partition_key '2'), id int OPTIONS (clustering_key '1'), tenant int OPTIONS (partition_key '1'))
SERVER regress_cluster OPTIONS (keyspace 'k');
CREATE TABLE far_role_users (user_id bigint, tenant int, region text, id int);
SELECT ('{"parent": "users", "related": "far_roles", "pivot_table": "far_role_users", "foreign_key": ["user_id"], "related_key": ["tenant", "region", "id"]}'::belongs_to_many)::text::jsonb -> 'related_pivot_key' AS inferred;

SET client_min_messages = warning;
DROP SCHEMA far CASCADE;
DROP SCHEMA foreign_pivot CASCADE;
DROP SERVER regress_loop CASCADE;
DROP SERVER regress_cluster CASCADE;
DROP EXTENSION postgres_fdw;
DROP OWNED BY regress_foreign_pivot_user;
DROP ROLE regress_foreign_pivot_user;
