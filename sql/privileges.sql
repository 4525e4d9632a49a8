--
-- Privileges, row-level security, triggers, rules, partitions: as for the caller's own SQL
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS m2m;
CREATE EXTENSION IF NOT EXISTS belongs_to_many SCHEMA m2m;
CREATE SCHEMA privileges;
SET search_path = privileges, m2m;

CREATE ROLE regress_btm_alice;
CREATE ROLE regress_btm_bob;
GRANT USAGE ON SCHEMA privileges, m2m TO regress_btm_alice, regress_btm_bob;

CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE roles (id bigint PRIMARY KEY, name text);
INSERT INTO users SELECT generate_series(1, 5);
INSERT INTO roles SELECT i, 'role ' || i FROM generate_series(1, 9) AS i;
CREATE TABLE user_roles (
	user_id bigint REFERENCES users,
	role_id bigint REFERENCES roles,
	status text DEFAULT 'new',
	level int,
	PRIMARY KEY (user_id, role_id));
SELECT create_relation('user_roles', belongs_to_many('users', 'roles'));
CREATE TABLE visits (user_id bigint, role_id bigint, note text);
SELECT create_relation('visits', belongs_to_many('users', 'roles', 'visits', 'user_id', 'role_id'));

-- ---- table privileges: what each call needs, and that this is enough

-- tries a call as alice with these privileges on the table and no others; changes nothing
CREATE FUNCTION allowed(call text, relation regclass, VARIADIC privileges text[]) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	result boolean;
BEGIN
	EXECUTE format('REVOKE ALL ON %s FROM regress_btm_alice', relation);
	EXECUTE format('GRANT %s ON %s TO regress_btm_alice', array_to_string(privileges, ','), relation);
	BEGIN
		SET LOCAL ROLE regress_btm_alice;
		EXECUTE 'SELECT ' || call;
		RESET ROLE;
		RAISE SQLSTATE 'BTM01';
	EXCEPTION
		WHEN SQLSTATE 'BTM01' THEN result := true;
		WHEN insufficient_privilege THEN result := false;
	END;
	RETURN result;
END
$$;
INSERT INTO user_roles VALUES (1, 1), (1, 2);
INSERT INTO visits VALUES (1, 1), (1, 2);
SELECT call, without_index,
	allowed(c, r, 'insert') AS i, allowed(c, r, 'select') AS s, allowed(c, r, 'select', 'insert') AS si, allowed(c, r, 'select', 'update') AS su,
	allowed(c, r, 'select', 'delete') AS sd, allowed(c, r, 'select', 'insert', 'update') AS siu, allowed(c, r, 'select', 'insert', 'delete') AS sid,
	allowed(c, r, 'insert', 'update', 'delete') AS iud
FROM (VALUES
	(1, 'attach, on_conflict => error', 'attach(%L, 1, ''{3}'', on_conflict => ''error'')'),
	(2, 'attach, on_conflict => duplicate', 'attach(%L, 1, ''{3}'', on_conflict => ''duplicate'')'),
	(3, 'attach', 'attach(%L, 1, ''{1,3}'')'),
	(4, 'attach, on_conflict => update', 'attach(%L, 1, ''{1,3}'', ''{"%s": "x"}'', on_conflict => ''update'')'),
	(5, 'detach', 'detach(%L, 1)'),
	(6, 'detach of ids', 'detach(%L, 1, ''{1,3}'')'),
	(7, 'update_existing_pivot', 'update_existing_pivot(%L, 1, 1, ''{"%s": "x"}'')'),
	(8, 'toggle that attaches', 'toggle(%L, 1, 3)'),
	(9, 'toggle that detaches', 'toggle(%L, 1, 1)'),
	(10, 'sync without a difference', 'sync(%L, 1, ''{1,2}'')'),
	(11, 'sync that attaches and detaches', 'sync(%L, 1, ''{1,3}'')'),
	(12, 'sync that updates', 'sync(%L, 1, ''{1,2}'', attributes => ''{"%s": "x"}'')'),
	(13, 'lock_relation', 'lock_relation(%L, 1)'),
	(14, 'related_ids', 'related_ids(%L, 1)')) AS calls (n, call, template),
	(VALUES ('user_roles', 'status', false), ('visits', 'note', true)) AS relations (r, attribute, without_index),
	format(replace(template, '%s', attribute), r) AS c
ORDER BY without_index, n;
TABLE user_roles;
TABLE visits;

-- a privilege that is taken away is missed by a plan that is kept
GRANT SELECT, INSERT, DELETE ON user_roles TO regress_btm_alice;
SET ROLE regress_btm_alice;
SELECT attach('user_roles', 1, 3), detach('user_roles', 1, 3);
RESET ROLE;
REVOKE INSERT ON user_roles FROM regress_btm_alice;
SET ROLE regress_btm_alice;
SELECT attach('user_roles', 1, 3);
\echo :LAST_ERROR_SQLSTATE
SELECT detach('user_roles', 1, 2);
RESET ROLE;
REVOKE ALL ON user_roles FROM regress_btm_alice;

-- no write privilege, no locks: they could hold up those who may write
GRANT SELECT ON user_roles TO regress_btm_alice;
SET ROLE regress_btm_alice;
SELECT lock_relation('user_roles', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT lock_relation('user_roles', 1, exclusive => false);
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 1, '{}');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT UPDATE (level) ON user_roles TO regress_btm_alice;
SET ROLE regress_btm_alice;
SELECT lock_relation('user_roles', 1);
RESET ROLE;
REVOKE ALL ON user_roles FROM regress_btm_alice;

-- the schema's, too, also where a plan is kept already
REVOKE USAGE ON SCHEMA privileges FROM regress_btm_alice;
GRANT ALL ON user_roles TO regress_btm_alice;
SELECT 'user_roles'::belongs_to_many AS relation \gset
SET ROLE regress_btm_alice;
SELECT attach(:'relation', 1, 3);
\echo :LAST_ERROR_SQLSTATE
SELECT related_ids(:'relation', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT lock_relation(:'relation', 1);
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT USAGE ON SCHEMA privileges TO regress_btm_alice;
REVOKE ALL ON user_roles FROM regress_btm_alice;

-- ---- column privileges

GRANT SELECT (user_id, role_id, status), INSERT (user_id, role_id, status), UPDATE (status) ON user_roles TO regress_btm_alice;
SET ROLE regress_btm_alice;
SELECT attach('user_roles', 1, '{4,5}', '{"status": "by alice"}');
SELECT attach('user_roles', 1, '{6}', '{"level": 1}');
\echo :LAST_ERROR_SQLSTATE
SELECT update_existing_pivot('user_roles', 1, '{4}', '{"status": "changed"}');
SELECT update_existing_pivot('user_roles', 1, '{4}', '{"level": 2}');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 1, '{4,5}', '{"status": "changed"}', 'update');
SELECT * FROM sync('user_roles', 1, '{"4": {"status": "synced"}, "6": {"status": "synced"}}'::jsonb, false);
SELECT related_ids('user_roles', 1), count_related('user_roles', 1);
SELECT related_ids(where_pivot('user_roles', 'status', 'synced'), 1);
SELECT related_ids(where_pivot('user_roles', 'level', 1), 1);
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
-- values that may not be read are not shown
INSERT INTO user_roles VALUES (2, 1, 'secret', 42);
ALTER TABLE user_roles ADD CHECK (status <> 'bad');
CREATE UNIQUE INDEX user_roles_level ON user_roles (level);
GRANT INSERT (level) ON user_roles TO regress_btm_alice;
SET ROLE regress_btm_alice;
SELECT attach('user_roles', 2, 2, '{"level": 42}');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 2, 2, '{"status": "bad"}');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('user_roles', 2, 77);
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
DROP INDEX user_roles_level;
REVOKE ALL ON user_roles FROM regress_btm_alice;
SELECT * FROM user_roles ORDER BY 1, 2;

-- ---- row-level security, on reads and on every write

CREATE TABLE notes (
	user_id bigint REFERENCES users,
	role_id bigint REFERENCES roles,
	owner name DEFAULT current_user,
	note text,
	PRIMARY KEY (user_id, role_id));
SELECT create_relation('notes', with_pivot(belongs_to_many('users', 'roles', 'notes'), 'owner', 'note'));
GRANT ALL ON notes TO regress_btm_alice, regress_btm_bob;
GRANT SELECT ON roles TO regress_btm_alice, regress_btm_bob;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (owner = current_user) WITH CHECK (owner = current_user AND note IS DISTINCT FROM 'refused');
SET ROLE regress_btm_alice;
SELECT attach('notes', 1, '{1,2,3}');
SET ROLE regress_btm_bob;
-- the plans that alice's calls left do not serve bob
SELECT attach('notes', 1, '{4,5}');
SELECT related_ids('notes', 1), count_related('notes', 1), is_attached('notes', 1, 1);
SELECT result -> 'pivot' AS pivot FROM get_results('notes', 1) ORDER BY result -> 'id';
SELECT results FROM get_results_for(take('notes', 1), ARRAY[1, 2]);
SELECT detach('notes', 1, '{1,2,4}'), update_existing_pivot('notes', 1, '{1,5}', '{"note": "bob"}');
-- a pair that is attached out of sight: its row is neither shown nor changed
SELECT attach('notes', 1, '{1,6}');
SELECT attach('notes', 1, '{1,6}', '{"note": "bob"}', 'update');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('notes', 1, '{1}', on_conflict => 'error');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sync('notes', 1, '{1,7}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM toggle('notes', 1, '{1}');
\echo :LAST_ERROR_SQLSTATE
-- a row that the policy refuses
SELECT attach('notes', 1, '{7}', '{"note": "refused"}');
\echo :LAST_ERROR_SQLSTATE
SELECT attach('notes', 1, '{7}', '{"owner": "regress_btm_alice"}');
\echo :LAST_ERROR_SQLSTATE
SELECT update_existing_pivot('notes', 1, '{5}', '{"note": "refused"}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sync('notes', 1, '{"8": {}, "5": {"owner": "regress_btm_alice"}}'::jsonb);
\echo :LAST_ERROR_SQLSTATE
-- what is out of sight is out of scope
SELECT * FROM sync('notes', 1, '{8}');
SELECT detach('notes', 1);
SET ROLE regress_btm_alice;
SELECT related_ids('notes', 1);
-- the same kept plans, the roles in turn
DO $$
BEGIN
	FOR i IN 1..3 LOOP
		SET LOCAL ROLE regress_btm_alice;
		ASSERT m2m.related_ids('notes', 1) = '[1, 2, 3]';
		ASSERT m2m.attach('notes', 2, i) = 1;
		SET LOCAL ROLE regress_btm_bob;
		ASSERT m2m.related_ids('notes', 1) = '[]';
		ASSERT m2m.related_ids('notes', 2) = '[]';
		ASSERT m2m.detach('notes', 2, i) = 0;
		RESET ROLE;
		ASSERT m2m.count_related('notes', 1) = 3;
	END LOOP;
END
$$;
SET ROLE regress_btm_bob;
SET row_security = off;
SELECT attach('notes', 1, 8);
\echo :LAST_ERROR_SQLSTATE
SELECT related_ids('notes', 1);
\echo :LAST_ERROR_SQLSTATE
RESET row_security;
RESET ROLE;
SELECT user_id, role_id, owner, note FROM notes ORDER BY 1, 2;
-- row security off and on again is noticed
ALTER TABLE notes DISABLE ROW LEVEL SECURITY;
SET ROLE regress_btm_bob;
SELECT related_ids('notes', 1);
RESET ROLE;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
SET ROLE regress_btm_bob;
SELECT related_ids('notes', 1);
RESET ROLE;
-- of the related table
ALTER TABLE roles ENABLE ROW LEVEL SECURITY;
CREATE POLICY not_two ON roles USING (id <> 2);
SET ROLE regress_btm_alice;
SELECT result -> 'id' AS id FROM get_results('notes', 1) ORDER BY 1;
SELECT related_ids('notes', 1), related_ids(where_related('notes', 'name', '<>', 'x'), 1);
-- a foreign key sees what its owner sees
SELECT attach('notes', 3, 2);
RESET ROLE;
ALTER TABLE roles DISABLE ROW LEVEL SECURITY;

-- a function that runs as its owner acts as its owner
CREATE FUNCTION attach_as_owner(parent bigint, list bigint[]) RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = privileges, m2m, pg_temp
	AS 'SELECT attach(''user_roles'', parent, list)';
SET ROLE regress_btm_alice;
SELECT attach_as_owner(3, '{1,2}');
SELECT attach('user_roles', 3, '{3}');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

-- ---- a search_path full of traps

CREATE SCHEMA traps;
CREATE FUNCTION traps.trap(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE ''trapped''; END';
CREATE FUNCTION traps.trap(text, text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE ''trapped''; END';
CREATE FUNCTION traps.now() RETURNS timestamptz LANGUAGE plpgsql AS 'BEGIN RAISE ''trapped''; END';
CREATE OPERATOR traps.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = traps.trap);
CREATE OPERATOR traps.= (LEFTARG = text, RIGHTARG = text, FUNCTION = traps.trap);
CREATE OPERATOR traps.< (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = traps.trap);
CREATE TABLE traps.user_roles (LIKE user_roles);
CREATE TABLE traps.roles (LIKE roles);
CREATE DOMAIN traps.bigint AS text CHECK (false);
CREATE DOMAIN traps.text AS int CHECK (false);
CREATE TABLE timed (user_id bigint REFERENCES users, role_id bigint REFERENCES roles, status text, data json, created_at timestamptz, updated_at timestamptz, PRIMARY KEY (user_id, role_id));
SELECT where_pivot(with_timestamps(with_pivot(belongs_to_many('users', 'roles', 'timed'), 'status')), 'status', 's') AS timed \gset
SET search_path = traps, pg_catalog, m2m;
CREATE TEMP TABLE user_roles (a int);
SELECT attach(:'timed', 1, '{1,2}', '{"status": "s", "data": {"a": 1}}');
SELECT update_existing_pivot(:'timed', 1, '{1,2}', '{"status": "s", "data": {"a": 2}}');
SELECT * FROM sync(:'timed', 1, '{"1": {"data": {"a": 2}}, "3": {"status": "s"}}'::pg_catalog.jsonb);
SELECT * FROM toggle(:'timed', 1, '[1, {"role_id": 4, "status": "s"}]');
SELECT related_ids(:'timed', 1), count_related(:'timed', 1), is_attached(:'timed', 1, 4);
SELECT result -> 'id' AS id FROM get_results(order_by_pivot(:'timed', 'role_id'), 1);
SELECT detach(:'timed', 1, 3), detach(:'timed', 1), attach('privileges.user_roles', 4, 1), detach('privileges.user_roles', 4, 1);
DROP TABLE pg_temp.user_roles;
SET search_path = privileges, m2m;
DROP SCHEMA traps CASCADE;

-- ---- triggers

CREATE TABLE members (user_id bigint REFERENCES users, role_id bigint REFERENCES roles, status text, PRIMARY KEY (user_id, role_id));
CREATE TABLE log (n serial, event text);
SELECT create_relation('members', belongs_to_many('users', 'roles', 'members'));
CREATE FUNCTION log_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO log (event) VALUES (format('%s %s %s %s', TG_WHEN, TG_OP, CASE WHEN TG_OP <> 'INSERT' THEN OLD END, CASE WHEN TG_OP <> 'DELETE' THEN NEW END));
	RETURN coalesce(NEW, OLD);
END
$$;
CREATE FUNCTION log_statement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'INSERT' THEN
		INSERT INTO log (event) SELECT format('statement INSERT %s', array_agg(n.role_id ORDER BY n.role_id)) FROM new_rows n HAVING count(*) > 0;
	ELSIF TG_OP = 'DELETE' THEN
		INSERT INTO log (event) SELECT format('statement DELETE %s', array_agg(o.role_id ORDER BY o.role_id)) FROM old_rows o HAVING count(*) > 0;
	ELSE
		INSERT INTO log (event) SELECT format('statement UPDATE %s', array_agg(format('%s:%s-%s', role_id, o.status, n.status) ORDER BY role_id))
		FROM old_rows o JOIN new_rows n USING (user_id, role_id) HAVING count(*) > 0;
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER row_before BEFORE INSERT OR UPDATE OR DELETE ON members FOR EACH ROW EXECUTE FUNCTION log_row();
CREATE TRIGGER row_after AFTER INSERT OR UPDATE OR DELETE ON members FOR EACH ROW EXECUTE FUNCTION log_row();
CREATE TRIGGER s_insert AFTER INSERT ON members REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION log_statement();
CREATE TRIGGER s_update AFTER UPDATE ON members REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION log_statement();
CREATE TRIGGER s_delete AFTER DELETE ON members REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION log_statement();
SELECT attach('members', 1, '{3,1}');
SELECT event FROM log ORDER BY n; TRUNCATE log;
SELECT * FROM sync('members', 1, '{"2": {"status": "x"}, "3": {"status": "y"}}'::jsonb);
SELECT event FROM log ORDER BY n; TRUNCATE log;
SELECT detach('members', 1);
SELECT event FROM log ORDER BY event; TRUNCATE log;
DROP TRIGGER row_before ON members;
DROP TRIGGER row_after ON members;

-- a trigger changes a row, or has none of it
CREATE FUNCTION decide() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'DELETE' THEN
		RETURN CASE WHEN OLD.status = 'keep' THEN NULL ELSE OLD END;
	ELSIF NEW.role_id = 9 OR NEW.status = 'no' THEN
		RETURN NULL;
	ELSIF NEW.status = 'error' THEN
		RAISE 'trigger says no' USING ERRCODE = 'BTM02';
	END IF;
	NEW.status := coalesce(NEW.status, 'set by the trigger');
	RETURN NEW;
END
$$;
CREATE TRIGGER decide BEFORE INSERT OR UPDATE OR DELETE ON members FOR EACH ROW EXECUTE FUNCTION decide();
SELECT attach('members', 2, '{1,2,9}'), attach('members', 2, '{3}', '{"status": "keep"}'), attach('members', 2, '{4}', '{"status": "no"}');
SELECT * FROM members ORDER BY 1, 2;
SELECT update_existing_pivot('members', 2, '{"1": {"status": "no"}, "2": {"status": "x"}}'::jsonb);
SELECT * FROM sync('members', 2, '{"1": {"status": "no"}, "2": {"status": null}, "8": {}, "9": {}}'::jsonb);
SELECT * FROM members ORDER BY 1, 2;
SELECT * FROM toggle('members', 2, '{3,9,5}');
SELECT detach('members', 2, '{1,3}'), detach('members', 2);
SELECT * FROM sync('members', 2, '{"1": {}, "2": {"status": "error"}}'::jsonb);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM members ORDER BY 1, 2;
DROP TRIGGER decide ON members;
DELETE FROM members;

-- a trigger calls operations itself, of the same relation too
CREATE FUNCTION also() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.user_id < 3 THEN
		PERFORM attach('members', NEW.user_id + 1, NEW.role_id, '{"status": "also"}');
		PERFORM attach(inverse('members'), NEW.role_id, 5);
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER also AFTER INSERT ON members FOR EACH ROW EXECUTE FUNCTION also();
SELECT attach('members', 1, '{1,2}');
SELECT * FROM members ORDER BY 1, 2;
DROP TRIGGER also ON members;
-- or changes the table under a call
CREATE FUNCTION alter_it() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	CREATE TABLE IF NOT EXISTS made_by_trigger (a int);
	PERFORM create_relation('members', with_pivot(belongs_to_many('users', 'roles', 'members'), 'status'), replace => true);
	RETURN NULL;
END
$$;
CREATE TRIGGER alter_it AFTER INSERT OR UPDATE OR DELETE ON members FOR EACH STATEMENT EXECUTE FUNCTION alter_it();
SELECT * FROM sync('members', 1, '{"2": {"status": "x"}, "3": {"status": "y"}, "4": {}}'::jsonb);
SELECT * FROM sync('members', 1, '{"3": {"status": "z"}, "5": {"status": "y"}, "6": {}}'::jsonb);
DROP TRIGGER alter_it ON members;
SELECT * FROM members WHERE user_id = 1 ORDER BY 1, 2;

-- ---- rules

CREATE TABLE ruled (user_id bigint, role_id bigint, status text, PRIMARY KEY (user_id, role_id));
SELECT create_relation('ruled', belongs_to_many('users', 'roles', 'ruled', 'user_id', 'role_id'));
CREATE RULE log_insert AS ON INSERT TO ruled DO ALSO INSERT INTO log (event) VALUES (format('insert %s', NEW.role_id));
CREATE RULE log_update AS ON UPDATE TO ruled DO ALSO INSERT INTO log (event) VALUES (format('update %s', NEW.role_id));
CREATE RULE log_delete AS ON DELETE TO ruled DO ALSO INSERT INTO log (event) VALUES (format('delete %s', OLD.role_id));
TRUNCATE log;
SELECT attach('ruled', 1, '{1,2,3}');
SELECT attach('ruled', 1, '{3,4}'), attach('ruled', 1, '{3,5}', '{"status": "u"}', 'update');
SELECT update_existing_pivot('ruled', 1, '{1}', '{"status": "x"}');
SELECT detach('ruled', 1, '{5}');
SELECT * FROM sync('ruled', 1, '{"1": {"status": "y"}, "6": {}}'::jsonb);
SELECT detach('ruled', 1);
SELECT event, count(*) FROM log GROUP BY 1 ORDER BY 1;
-- a pair outside of the filter is left alone, as it is without rules
SELECT attach('ruled', 1, 1, '{"status": "x"}');
SELECT attach(with_pivot_value('ruled', 'status', 'y'), 1, '{1,2}'), attach(with_pivot_value('ruled', 'status', 'y'), 1, '{1,2,3}', on_conflict => 'update');
SELECT attach('ruled', 1, '{4,1}', on_conflict => 'error');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM ruled ORDER BY 1, 2;
CREATE RULE nothing AS ON INSERT TO ruled DO INSTEAD NOTHING;
SELECT attach('ruled', 3, '{1,2}');
DROP RULE nothing ON ruled;
CREATE TABLE elsewhere (LIKE ruled);
CREATE RULE instead AS ON INSERT TO ruled DO INSTEAD INSERT INTO elsewhere VALUES (NEW.*) RETURNING *;
SELECT attach('ruled', 3, '{1,2}');
SELECT * FROM sync('ruled', 2, '{1,2}');
SELECT * FROM ruled ORDER BY 1, 2;
TABLE elsewhere ORDER BY 1, 2;

-- ---- partitions

CREATE TABLE parted (user_id bigint REFERENCES users, role_id bigint REFERENCES roles, status text, PRIMARY KEY (user_id, role_id)) PARTITION BY RANGE (user_id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (1) TO (3);
-- with columns in another order
CREATE TABLE parted_2 (dropped int, status text, role_id bigint NOT NULL, user_id bigint NOT NULL);
ALTER TABLE parted_2 DROP COLUMN dropped;
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES FROM (3) TO (5);
SELECT create_relation('parted', with_pivot(belongs_to_many('users', 'roles', 'parted'), 'status'));
SELECT id, attach('parted', id, '{1,2}', '{"status": "x"}') FROM users WHERE id < 5 ORDER BY id;
SELECT * FROM sync('parted', 4, '{"2": {"status": "y"}, "3": {}}'::jsonb);
SELECT * FROM sync(inverse('parted'), 2, '{"1": {"status": "z"}, "3": {}}'::jsonb);
SELECT tableoid::regclass, user_id, role_id, status FROM parted ORDER BY 2, 3;
SELECT attach('parted', 5, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT attach('parted', 4, 77);
\echo :LAST_ERROR_SQLSTATE
-- one partition as the pivot
SELECT create_relation('parted_2', belongs_to_many('users', 'roles', 'parted_2'));
SELECT attach('parted_2', 3, '{4,5}'), detach('parted_2', 3, 4), related_ids('parted_2', 3), detach('parted_2', 1);
SELECT attach('parted_2', 1, 4);
\echo :LAST_ERROR_SQLSTATE
-- partitioned by an attribute, whose update moves the row; then no unique index can be on the pair
CREATE TABLE by_status (user_id bigint, role_id bigint, status text DEFAULT 'a', n int) PARTITION BY LIST (status);
CREATE TABLE by_status_a PARTITION OF by_status FOR VALUES IN ('a');
CREATE TABLE by_status_b PARTITION OF by_status FOR VALUES IN ('b');
SELECT create_relation('by_status', belongs_to_many('users', 'roles', 'by_status', 'user_id', 'role_id'));
SELECT attach('by_status', 1, '{"1": {}, "2": {"status": "b"}}'::jsonb);
SELECT * FROM sync('by_status', 1, '{"1": {"status": "b"}, "2": {"status": "a", "n": 1}, "3": {}}'::jsonb);
SELECT tableoid::regclass, * FROM by_status ORDER BY 3;
SELECT update_existing_pivot('by_status', 1, 1, '{"status": "c"}');
\echo :LAST_ERROR_SQLSTATE

-- ---- an inherited table is its parent's

CREATE TABLE base (user_id bigint, role_id bigint, status text);
CREATE TABLE child () INHERITS (base);
INSERT INTO base VALUES (1, 1);
INSERT INTO child VALUES (1, 2), (1, 3);
SELECT create_relation('base', belongs_to_many('users', 'roles', 'base', 'user_id', 'role_id'));
SELECT * FROM sync('base', 1, '{"1": {}, "2": {"status": "x"}, "4": {}}'::jsonb);
SELECT tableoid::regclass, * FROM base ORDER BY 3;

DROP SCHEMA privileges CASCADE;
DROP OWNED BY regress_btm_alice, regress_btm_bob;
DROP ROLE regress_btm_alice, regress_btm_bob;
