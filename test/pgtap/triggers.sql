-- Triggers of the pivot: an audit of each call, values that a trigger sets, rows that it refuses.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE SCHEMA m2m;
CREATE EXTENSION belongs_to_many SCHEMA m2m;
CREATE SCHEMA app;
SET LOCAL search_path = app, m2m, public;
SELECT plan(19);

CREATE TABLE users (id int PRIMARY KEY, links int DEFAULT 0);
CREATE TABLE roles (id int PRIMARY KEY);
CREATE TABLE user_roles (
	user_id int REFERENCES users, role_id int REFERENCES roles ON DELETE CASCADE, note text, by text, PRIMARY KEY (user_id, role_id));
INSERT INTO users SELECT generate_series(1, 3);
INSERT INTO roles SELECT generate_series(1, 20);
SELECT create_relation('user_roles', belongs_to_many('users', 'roles'));

-- one entry for each statement, with the rows that it was about
CREATE TABLE audit (no serial, what text, roles int[]);
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT FROM changed) THEN
		INSERT INTO audit (what, roles) SELECT lower(TG_OP), array_agg(role_id ORDER BY role_id) FROM changed;
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER a AFTER INSERT ON user_roles REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION audit();
CREATE TRIGGER b AFTER UPDATE ON user_roles REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION audit();
CREATE TRIGGER c AFTER DELETE ON user_roles REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION audit();
CREATE FUNCTION audited() RETURNS text LANGUAGE sql BEGIN ATOMIC
	WITH d AS (DELETE FROM audit RETURNING *) SELECT string_agg(what || ' ' || roles::text, ', ' ORDER BY no) FROM d;
END;
SELECT is(attach('user_roles', 1, '{3,1,2}'), 3, 'attach');
SELECT is(audited(), 'insert {1,2,3}', 'is one statement');
SELECT is((SELECT attached || detached || updated FROM sync('user_roles', 1, '{"1": {}, "2": {"note": "x"}, "4": {}, "5": {}}')), '[4, 5, 3, 2]', 'sync');
SELECT is(audited(), 'delete {3}, update {2}, insert {4,5}', 'deletes, then updates, then inserts');
SELECT is(attach('user_roles', 1, '{1,2}'), 0, 'attach of what is there');
SELECT is(audited(), NULL, 'changes no row');
SELECT is((SELECT attached || detached FROM toggle('user_roles', 1, '{1,3}')), '[3, 1]', 'toggle');
SELECT is(audited(), 'delete {1}, insert {3}', 'deletes, then inserts');

-- a trigger that counts, one that sets a value, one that refuses
CREATE FUNCTION count_links() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE users SET links = links + CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END WHERE id = COALESCE(NEW.user_id, OLD.user_id);
	RETURN NULL;
END $$;
CREATE TRIGGER d AFTER INSERT OR DELETE ON user_roles FOR EACH ROW EXECUTE FUNCTION count_links();
CREATE FUNCTION sign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.role_id = 13 THEN
		RETURN NULL;
	ELSIF NEW.role_id = 14 THEN
		RAISE EXCEPTION 'no' USING ERRCODE = 'P0014';
	END IF;
	NEW.by := 'trigger';
	RETURN NEW;
END $$;
CREATE TRIGGER e BEFORE INSERT OR UPDATE ON user_roles FOR EACH ROW EXECUTE FUNCTION sign();
SELECT is(attach('user_roles', 2, '{11,12,13}'), 2, 'a row that a trigger drops is not counted');
SELECT is((SELECT links FROM users WHERE id = 2), 2, 'row triggers run once for each row');
SELECT is((SELECT string_agg(DISTINCT by, ',') FROM user_roles WHERE user_id = 2), 'trigger', 'a trigger''s value is stored');
SELECT is((SELECT attached FROM sync('user_roles', 2, '{12,13,15}')), '[15]', 'nor reported as attached');
SELECT throws_ok($$SELECT attach('user_roles', 2, '{16,14}')$$, 'P0014', 'no', 'a trigger''s own error');
SELECT throws_ok($$SELECT * FROM sync('user_roles', 2, '{14}')$$, 'P0014', 'no', 'in sync, too');
SELECT is(related_ids('user_roles', 2), '[12, 15]', 'undoes the call');
SELECT is((SELECT links FROM users WHERE id = 2), 2, 'and what its triggers did');
-- cascades go their way
DELETE FROM roles WHERE id = 12;
SELECT is(related_ids('user_roles', 2), '[15]', 'a related row that is deleted');
SELECT throws_ok('DELETE FROM users WHERE id = 2', '23503', NULL, 'a parent that is referenced');
SELECT lives_ok($$SELECT detach('user_roles', 2); DELETE FROM users WHERE id = 2$$, 'and one that is not');

SELECT * FROM finish();
ROLLBACK;
