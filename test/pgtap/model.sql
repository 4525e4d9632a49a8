-- Random operations, each against a model: the same on plain rows, written in PL/pgSQL one row at a
-- time. After each step the tables must have the same rows, the call must have reported the same, and
-- every read must give the same answers. The seed is fixed: a failure can be repeated.
--
-- Each shape is a relation: its keys, its filter, with and without a unique index. What differs from
-- shape to shape is how a parent and an id are written; in the model they are numbers, which stand
-- for the keys in key order.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE SCHEMA m2m;
CREATE EXTENSION belongs_to_many SCHEMA m2m;
CREATE SCHEMA app;
SET LOCAL search_path = app, m2m, public;
SELECT plan(15);
SELECT setseed(0.271828);

-- ---- shapes

CREATE TABLE shapes (
	name text PRIMARY KEY,
	whole text,					-- the same relation without a filter
	nparents int,
	nrelated int,
	is_unique bool,				-- is there a unique index on the pair?
	checks_keys bool,			-- is a missing related row an error?
	pivot_value text,			-- value of status that attach writes
	scope text,					-- the filter, on the model's columns
	single bool,				-- can ids be members of a JSON object?
	parent_type text,			-- type that a parent is given in, NULL: jsonb alone
	id_type text,				-- type of an id, NULL: jsonb alone
	actual text);				-- query of parent, id, status, pos, note

-- The parents and ids of a shape. The last related number has no row in the related table.
CREATE TABLE parent_keys (shape text, p int, key jsonb, PRIMARY KEY (shape, p));
CREATE TABLE related_keys (shape text, r int, key jsonb, as_row jsonb, PRIMARY KEY (shape, r));
CREATE INDEX ON parent_keys (shape, key);
CREATE INDEX ON related_keys (shape, key);

CREATE FUNCTION shape(
	name text, parents jsonb, related jsonb, is_unique bool, actual text,
	id_columns text[], parent_type text DEFAULT NULL, id_type text DEFAULT NULL, checks_keys bool DEFAULT false,
	pivot_value text DEFAULT NULL, scope text DEFAULT 'true', whole text DEFAULT NULL)
RETURNS void LANGUAGE sql AS $$
	INSERT INTO shapes VALUES (name, COALESCE(whole, name), jsonb_array_length(parents), jsonb_array_length(related) - 1, is_unique, checks_keys,
		pivot_value, scope, cardinality(id_columns) = 1, parent_type, id_type, actual);
	INSERT INTO parent_keys SELECT name, n, key FROM jsonb_array_elements(parents) WITH ORDINALITY AS e(key, n);
	INSERT INTO related_keys
	SELECT name, n, key, CASE WHEN cardinality(id_columns) = 1 THEN jsonb_build_object(id_columns[1], key) ELSE key END
	FROM jsonb_array_elements(related) WITH ORDINALITY AS e(key, n);
$$;

-- a primary key on the pair, foreign keys, both sides, filters
CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE roles (id int PRIMARY KEY, name text);
CREATE TABLE user_roles (
	user_id bigint REFERENCES users, role_id int REFERENCES roles,
	status text DEFAULT 'new', pos int, note text, PRIMARY KEY (user_id, role_id));
INSERT INTO users SELECT generate_series(1, 4);
INSERT INTO roles SELECT i, 'role ' || i FROM generate_series(2, 14, 2) i;
SELECT create_relation('unique', with_pivot(belongs_to_many('users', 'roles'), 'status', 'pos', 'note'));
SELECT create_relation('inverse', inverse('"unique"'));
SELECT create_relation('value', with_pivot_value('"unique"', 'status', 'active'));
SELECT create_relation('filter', or_where_pivot_null(where_pivot('"unique"', 'pos', '>', 1), 'note'));
SELECT create_relation('null_value', where_pivot(with_pivot_value('"unique"', 'status', NULL), 'pos', 'is distinct from', 2));
SELECT shape('unique', '[1, 2, 3, 4]', '[2, 4, 6, 8, 10, 12, 14, 99]', true, 'SELECT to_jsonb(user_id), to_jsonb(role_id), status, pos, note FROM user_roles',
	'{role_id}', 'bigint', 'int', checks_keys => true);
SELECT shape('inverse', '[2, 4, 6, 8]', '[1, 2, 3, 4, 99]', true, 'SELECT to_jsonb(role_id), to_jsonb(user_id), status, pos, note FROM user_roles',
	'{user_id}', 'smallint', 'numeric', checks_keys => true);
SELECT shape('value', '[1, 2, 3, 4]', '[2, 4, 6, 8, 10, 12, 14, 99]', true, 'SELECT to_jsonb(user_id), to_jsonb(role_id), status, pos, note FROM user_roles',
	'{role_id}', 'text', 'text', pivot_value => 'active', scope => $$status = 'active'$$, whole => 'unique');
SELECT shape('filter', '[1, 2, 3, 4]', '[2, 4, 6, 8, 10, 12, 14, 99]', true, 'SELECT to_jsonb(user_id), to_jsonb(role_id), status, pos, note FROM user_roles',
	'{role_id}', 'int', 'bigint', scope => 'pos > 1 OR note IS NULL', whole => 'unique');
SELECT shape('null_value', '[1, 2, 3, 4]', '[2, 4, 6, 8, 10, 12, 14, 99]', true, 'SELECT to_jsonb(user_id), to_jsonb(role_id), status, pos, note FROM user_roles',
	'{role_id}', 'bigint', 'int', scope => '(status IS NULL) AND pos IS DISTINCT FROM 2', pivot_value => 'null', whole => 'unique');

-- a surrogate key and no unique index: a pair can be there more than once, or have no id
CREATE TABLE visits (id serial PRIMARY KEY, user_id bigint, role_id int, status text DEFAULT 'new', pos int, note text);
SELECT create_relation('bag', with_pivot(belongs_to_many('users', 'roles', 'visits', 'user_id', 'role_id'), 'status', 'pos', 'note'));
SELECT create_relation('bag_value', with_pivot_value('bag', 'status', 'active'));
SELECT create_relation('bag_filter', or_where_pivot_null(where_pivot('bag', 'pos', '>', 1), 'note'));
SELECT create_relation('bag_inverse', inverse('bag'));
SELECT shape('bag', '[1, 2, 3, 4]', '[2, 4, 6, 8, 10, 12, 14, 99]', false, 'SELECT to_jsonb(user_id), to_jsonb(role_id), status, pos, note FROM visits',
	'{role_id}', 'bigint', 'int');
SELECT shape('bag_value', '[1, 2, 3, 4]', '[2, 4, 6, 8, 10, 12, 14, 99]', false, 'SELECT to_jsonb(user_id), to_jsonb(role_id), status, pos, note FROM visits',
	'{role_id}', 'bigint', 'int', pivot_value => 'active', scope => $$status = 'active'$$, whole => 'bag');
SELECT shape('bag_filter', '[1, 2, 3, 4]', '[2, 4, 6, 8, 10, 12, 14, 99]', false, 'SELECT to_jsonb(user_id), to_jsonb(role_id), status, pos, note FROM visits',
	'{role_id}', 'text', 'text', scope => 'pos > 1 OR note IS NULL', whole => 'bag');
SELECT shape('bag_inverse', '[2, 4, 6, 8]', '[1, 2, 3, 4, 99]', false, 'SELECT to_jsonb(role_id), to_jsonb(user_id), status, pos, note FROM visits',
	'{user_id}', 'int', 'bigint');

-- keys of several columns: one that both keys share, and ids of two columns
CREATE TABLE t_users (tenant int, id int, PRIMARY KEY (tenant, id));
CREATE TABLE t_roles (tenant int, id int, PRIMARY KEY (tenant, id));
CREATE TABLE t_user_roles (
	tenant int, user_id int, role_id int, status text DEFAULT 'new', pos int, note text, PRIMARY KEY (role_id, user_id, tenant),
	FOREIGN KEY (tenant, user_id) REFERENCES t_users, FOREIGN KEY (tenant, role_id) REFERENCES t_roles);
INSERT INTO t_users SELECT t, u FROM generate_series(1, 2) t, generate_series(1, 2) u;
INSERT INTO t_roles SELECT t, r FROM generate_series(1, 2) t, generate_series(1, 6) r;
SELECT create_relation('tenant', with_pivot(belongs_to_many('t_users', 't_roles'), 'status', 'pos', 'note'));
SELECT shape('tenant', '[{"tenant": 1, "user_id": 1}, {"tenant": 1, "user_id": 2}, {"tenant": 2, "user_id": 1}, {"tenant": 2, "user_id": 2}]', '[1, 2, 3, 4, 5, 6, 7]', true,
	$$SELECT jsonb_build_object('tenant', tenant, 'user_id', user_id), to_jsonb(role_id), status, pos, note FROM t_user_roles$$, '{role_id}', NULL, 'int', checks_keys => true);
CREATE TABLE docs (lang text, nr int, PRIMARY KEY (lang, nr));
CREATE TABLE user_docs (
	user_id bigint REFERENCES users, lang text, nr int, status text DEFAULT 'new', pos int, note text, UNIQUE (lang, user_id, nr),
	FOREIGN KEY (lang, nr) REFERENCES docs);
INSERT INTO docs VALUES ('de', 1), ('de', 10), ('en', 1), ('en', 2), ('', 3);
SELECT create_relation('two_columns', with_pivot(belongs_to_many('users', 'docs'), 'status', 'pos', 'note'));
SELECT shape('two_columns', '[1, 2, 3]', '[{"lang": "", "nr": 3}, {"lang": "de", "nr": 1}, {"lang": "de", "nr": 10}, {"lang": "en", "nr": 1}, {"lang": "en", "nr": 2}, {"lang": "fr", "nr": 1}]', true,
	$$SELECT to_jsonb(user_id), jsonb_build_object('lang', lang, 'nr', nr), status, pos, note FROM user_docs$$, '{lang,nr}', 'int', NULL, checks_keys => true);

-- strings as keys, some of which look like lists
CREATE TABLE pages (slug text COLLATE "C" PRIMARY KEY);
CREATE TABLE labels (name text COLLATE "C" PRIMARY KEY);
CREATE TABLE page_labels (
	page text COLLATE "C" REFERENCES pages, label text COLLATE "C" REFERENCES labels, status text DEFAULT 'new', pos int, note text, PRIMARY KEY (page, label));
INSERT INTO pages VALUES (''), ('[1]'), ('a''b"\'), ('{}');
INSERT INTO labels VALUES (''), ('"x"'), ('[]'), ('null'), ('{"a": {}}'), ('{a,b}'), (E'\u00e9\n');
SELECT create_relation('strings', with_pivot(belongs_to_many('pages', 'labels'), 'status', 'pos', 'note'));
SELECT shape('strings', '["", "[1]", "a''b\"\\", "{}"]', '["", "\"x\"", "[]", "null", "{\"a\": {}}", "{a,b}", "\u00e9\n", "\uffff"]', true,
	'SELECT to_jsonb(page), to_jsonb(label), status, pos, note FROM page_labels', '{label}', 'varchar', 'text', checks_keys => true);

-- uuids in a partitioned pivot
CREATE TABLE groups (id uuid PRIMARY KEY);
CREATE TABLE user_groups (
	user_id bigint REFERENCES users, group_id uuid REFERENCES groups, status text DEFAULT 'new', pos int, note text, PRIMARY KEY (user_id, group_id)) PARTITION BY LIST (user_id);
CREATE TABLE user_groups_1 (note text, group_id uuid NOT NULL, user_id bigint NOT NULL, gone int, pos int, status text DEFAULT 'new');
ALTER TABLE user_groups_1 DROP gone;
ALTER TABLE user_groups ATTACH PARTITION user_groups_1 FOR VALUES IN (1, 2);
CREATE TABLE user_groups_2 PARTITION OF user_groups DEFAULT PARTITION BY HASH (group_id);
CREATE TABLE user_groups_2_0 PARTITION OF user_groups_2 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE user_groups_2_1 PARTITION OF user_groups_2 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO groups SELECT ('00000000-0000-0000-0000-00000000000' || i)::uuid FROM generate_series(1, 6) i;
SELECT create_relation('partitioned', with_pivot(belongs_to_many('users', 'groups'), 'status', 'pos', 'note'));
SELECT shape('partitioned', '[1, 2, 3, 4]', (SELECT jsonb_agg('00000000-0000-0000-0000-00000000000' || i ORDER BY i) FROM generate_series(1, 7) i), true,
	'SELECT to_jsonb(user_id), to_jsonb(group_id), status, pos, note FROM user_groups', '{group_id}', 'int', 'uuid', checks_keys => true);

-- many ids in each call
CREATE TABLE tags (id int PRIMARY KEY);
CREATE TABLE user_tags (
	user_id bigint REFERENCES users, tag_id int REFERENCES tags, status text DEFAULT 'new', pos int, note text, PRIMARY KEY (user_id, tag_id));
INSERT INTO tags SELECT generate_series(1, 700);
SELECT create_relation('many', with_pivot(belongs_to_many('users', 'tags'), 'status', 'pos', 'note'));
SELECT shape('many', '[1, 2]', (SELECT jsonb_agg(i) FROM generate_series(1, 701) i), true,
	'SELECT to_jsonb(user_id), to_jsonb(tag_id), status, pos, note FROM user_tags', '{tag_id}', 'bigint', 'int', checks_keys => true);

-- ---- the model

CREATE TABLE model (p int, r int, status text, pos int, note text);
CREATE INDEX ON model (p, r);

-- One id of a list, as it is meant: attributes are NULL where it has none.
CREATE TYPE mention AS (r int, attributes jsonb);

-- Distinct ids in the order of their first mention, with the attributes of the last mention that has
-- some, over those for all.
CREATE FUNCTION distinct_ids(mentions mention[], shared jsonb) RETURNS mention[] LANGUAGE sql AS $$
	SELECT COALESCE(array_agg(ROW(r, NULLIF(shared || COALESCE(own, '{}'), '{}'))::mention ORDER BY place), '{}')
	FROM (SELECT r, min(n) AS place, (array_agg(attributes ORDER BY n DESC) FILTER (WHERE attributes <> '{}'))[1] AS own
		FROM unnest(mentions) WITH ORDINALITY AS u(r, attributes, n) GROUP BY r) d
$$;

-- Rows of a parent, or of one of its ids, in scope; the name is that of a shape.
CREATE FUNCTION model_scope(s shapes, parent int, id int DEFAULT NULL) RETURNS SETOF tid LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT ctid FROM model WHERE p = $1 AND %s AND (%s)',
		CASE WHEN id IS NULL THEN 'true' ELSE 'r = $2' END, s.scope) USING parent, id;
END $$;

CREATE FUNCTION model_insert(s shapes, parent int, m mention) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	defaults jsonb := jsonb_build_object('status', CASE WHEN s.pivot_value IS NULL THEN 'new' ELSE NULLIF(s.pivot_value, 'null') END);
	attributes jsonb := defaults || COALESCE(m.attributes, '{}');
BEGIN
	IF s.is_unique AND EXISTS (SELECT FROM model WHERE p = parent AND r = m.r) THEN
		RAISE EXCEPTION USING ERRCODE = '23505';
	END IF;
	INSERT INTO model VALUES (parent, m.r, attributes ->> 'status', (attributes ->> 'pos')::int, attributes ->> 'note');
END $$;

-- A missing related row is found when all rows are in.
CREATE FUNCTION model_check(s shapes) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF s.checks_keys AND EXISTS (SELECT FROM model WHERE r > s.nrelated) THEN
		RAISE EXCEPTION USING ERRCODE = '23503';
	END IF;
END $$;

-- Returns how many rows were changed.
CREATE FUNCTION model_update(s shapes, parent int, m mention) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	a jsonb := COALESCE(m.attributes, '{}');
	n int;
BEGIN
	UPDATE model SET
		status = CASE WHEN a ? 'status' THEN a ->> 'status' ELSE status END,
		pos = CASE WHEN a ? 'pos' THEN (a ->> 'pos')::int ELSE pos END,
		note = CASE WHEN a ? 'note' THEN a ->> 'note' ELSE note END
	WHERE ctid = ANY (ARRAY(SELECT model_scope(s, parent, m.r)))
		AND (a ? 'status' AND status IS DISTINCT FROM a ->> 'status'
			OR a ? 'pos' AND pos IS DISTINCT FROM (a ->> 'pos')::int
			OR a ? 'note' AND note IS DISTINCT FROM a ->> 'note');
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;

CREATE FUNCTION model_delete(s shapes, parent int, id int DEFAULT NULL) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	n int;
BEGIN
	DELETE FROM model WHERE ctid = ANY (ARRAY(SELECT model_scope(s, parent, id)));
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;

CREATE FUNCTION model_attach(s shapes, parent int, ids mention[], on_conflict text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	m mention;
	n int := 0;
BEGIN
	FOREACH m IN ARRAY ids LOOP
		IF on_conflict = 'duplicate' THEN
			PERFORM model_insert(s, parent, m);
			n := n + 1;
		ELSIF EXISTS (SELECT model_scope(s, parent, m.r)) THEN
			IF on_conflict = 'error' THEN
				RAISE EXCEPTION USING ERRCODE = '23505';
			ELSIF on_conflict = 'update' THEN
				n := n + model_update(s, parent, m);
			END IF;
		ELSIF on_conflict = 'error' OR NOT s.is_unique OR NOT EXISTS (SELECT FROM model WHERE p = parent AND r = m.r) THEN
			PERFORM model_insert(s, parent, m);
			n := n + 1;
		END IF;
	END LOOP;
	PERFORM model_check(s);
	RETURN n;
END $$;

-- The keys of ids as a report has them.
CREATE FUNCTION report(s shapes, ids int[]) RETURNS jsonb LANGUAGE sql RETURN (
	SELECT COALESCE(jsonb_agg(k.key ORDER BY u.n), '[]')
	FROM unnest(ids) WITH ORDINALITY AS u(r, n) JOIN related_keys k ON k.shape = s.name AND k.r = u.r);

CREATE FUNCTION model_current(s shapes, parent int) RETURNS int[] LANGUAGE sql RETURN (
	SELECT COALESCE(array_agg(DISTINCT m.r ORDER BY m.r), '{}') FROM model_scope(s, parent) t JOIN model m ON m.ctid = t.t WHERE m.r IS NOT NULL);

CREATE FUNCTION model_sync(s shapes, parent int, ids mention[], detaching bool) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	current int[] := model_current(s, parent);
	attached int[] := '{}';
	detached int[] := '{}';
	updated int[] := '{}';
	m mention;
	id int;
BEGIN
	IF detaching THEN
		FOREACH id IN ARRAY current LOOP
			IF NOT EXISTS (SELECT FROM unnest(ids) WHERE r = id) THEN
				PERFORM model_delete(s, parent, id);
				detached := detached || id;
			END IF;
		END LOOP;
	END IF;
	FOREACH m IN ARRAY ids LOOP
		IF m.r = ANY (current) AND model_update(s, parent, m) > 0 THEN
			updated := updated || m.r;
		END IF;
	END LOOP;
	FOREACH m IN ARRAY ids LOOP
		IF m.r <> ALL (current) THEN
			PERFORM model_insert(s, parent, m);
			attached := attached || m.r;
		END IF;
	END LOOP;
	PERFORM model_check(s);
	RETURN jsonb_build_object('attached', report(s, attached), 'detached', report(s, detached), 'updated', report(s, updated));
END $$;

CREATE FUNCTION model_toggle(s shapes, parent int, ids mention[]) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	current int[] := model_current(s, parent);
	attached int[] := '{}';
	detached int[] := '{}';
	m mention;
BEGIN
	FOREACH m IN ARRAY ids LOOP
		IF m.r = ANY (current) THEN
			PERFORM model_delete(s, parent, m.r);
			detached := detached || m.r;
		END IF;
	END LOOP;
	FOREACH m IN ARRAY ids LOOP
		IF m.r <> ALL (current) THEN
			PERFORM model_insert(s, parent, m);
			attached := attached || m.r;
		END IF;
	END LOOP;
	PERFORM model_check(s);
	RETURN jsonb_build_object('attached', report(s, attached), 'detached', report(s, ARRAY(SELECT unnest(detached) ORDER BY 1)));
END $$;

-- One step of the model, as to_jsonb() of what the call returns, or the error's SQLSTATE.
CREATE FUNCTION model_step(s shapes, operation text, parent int, ids mention[], option text) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	CASE operation
		WHEN 'attach' THEN RETURN to_jsonb(model_attach(s, parent, ids, option));
		WHEN 'detach' THEN RETURN to_jsonb((SELECT COALESCE(sum(model_delete(s, parent, r)), 0) FROM unnest(ids)));
		WHEN 'detach_all' THEN
			IF s.whole <> s.name THEN
				s.scope := 'true';
			END IF;
			RETURN to_jsonb(model_delete(s, parent));
		WHEN 'detach_scope' THEN RETURN to_jsonb(model_delete(s, parent));
		WHEN 'sync' THEN RETURN model_sync(s, parent, ids, option = 'true');
		WHEN 'toggle' THEN RETURN model_toggle(s, parent, ids);
		WHEN 'update' THEN RETURN to_jsonb((SELECT COALESCE(sum(model_update(s, parent, u::mention)), 0) FROM unnest(ids) AS u));
	END CASE;
EXCEPTION WHEN integrity_constraint_violation THEN
	RETURN jsonb_build_object('error', SQLSTATE);
END $$;

-- ---- the calls

-- Random attributes, NULL for none. Values are written as numbers or as strings.
CREATE FUNCTION random_attributes(how_often float) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	result jsonb := '{}';
BEGIN
	IF random() > how_often THEN
		RETURN CASE (random() * 3)::int WHEN 0 THEN '{}' WHEN 1 THEN NULL ELSE '{}' END::jsonb;
	END IF;
	IF random() < 0.4 THEN
		result := result || jsonb_build_object('status', ('{active,paused,new,NULL}'::text[])[1 + floor(random() * 4)]);
	END IF;
	IF random() < 0.4 THEN
		result := result || jsonb_build_object('pos', (ARRAY['0', '1', '2', '3', '"2"', 'null']::jsonb[])[1 + floor(random() * 6)]);
	END IF;
	IF random() < 0.4 THEN
		result := result || jsonb_build_object('note', ('{x,y,"",NULL}'::text[])[1 + floor(random() * 4)]);
	END IF;
	RETURN result;
END $$;

-- Ids in one of the ways to write them, as an SQL expression. An object has an order of its own, and
-- the last of equal members alone: what it means goes back in mentions.
CREATE FUNCTION write_ids(s shapes, INOUT mentions mention[], OUT expression text) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	plain bool := NOT EXISTS (SELECT FROM unnest(mentions) WHERE attributes <> '{}');
	form float := random();
	list jsonb;
BEGIN
	IF plain AND s.id_type IS NOT NULL AND form < 0.5 THEN
		expression := format('%L::%s[]', ARRAY(SELECT k.key #>> '{}' FROM unnest(mentions) WITH ORDINALITY AS u(r, a, n)
			JOIN related_keys k ON k.shape = s.name AND k.r = u.r ORDER BY n), s.id_type);
		IF s.name <> 'strings' AND random() < 0.3 THEN
			expression := regexp_replace(expression, '::[^:]*$', '');
		END IF;
		RETURN;
	END IF;
	IF s.single AND form < 0.75 THEN
		list := COALESCE((SELECT jsonb_object_agg(k.key #>> '{}', COALESCE(u.a, 'null') ORDER BY n)
			FROM unnest(mentions) WITH ORDINALITY AS u(r, a, n) JOIN related_keys k ON k.shape = s.name AND k.r = u.r), '{}');
		mentions := COALESCE((SELECT array_agg(ROW(k.r, NULLIF(e.value, 'null'))::mention ORDER BY e.n)
			FROM jsonb_each(list) WITH ORDINALITY AS e(key, value, n)
			JOIN related_keys k ON k.shape = s.name AND k.key #>> '{}' = e.key), '{}');
	ELSE
		list := COALESCE((SELECT jsonb_agg(CASE
				WHEN COALESCE(u.a, '{}') = '{}' AND random() < 0.7 THEN k.key
				WHEN s.single AND random() < 0.5 THEN jsonb_build_object(k.key #>> '{}', COALESCE(u.a, '{}'))
				ELSE k.as_row || COALESCE(u.a, '{}') END ORDER BY n)
			FROM unnest(mentions) WITH ORDINALITY AS u(r, a, n) JOIN related_keys k ON k.shape = s.name AND k.r = u.r), '[]');
	END IF;
	expression := format('%L', list);
	IF s.name = 'strings' OR random() < 0.7 THEN
		expression := expression || (CASE WHEN random() < 0.8 THEN '::jsonb' ELSE '::json' END);
	END IF;
END $$;

CREATE FUNCTION write_parent(s shapes, parent int) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	key jsonb := (SELECT k.key FROM parent_keys k WHERE k.shape = s.name AND k.p = parent);
BEGIN
	IF s.parent_type IS NULL OR random() < 0.2 THEN
		RETURN format('%L::jsonb', key);
	END IF;
	RETURN format('%L', key #>> '{}') || CASE WHEN random() < 0.7 THEN '::' || s.parent_type ELSE '' END;
END $$;

CREATE FUNCTION call(query text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	result jsonb;
BEGIN
	EXECUTE query INTO result;
	RETURN result;
EXCEPTION WHEN integrity_constraint_violation THEN
	RETURN jsonb_build_object('error', SQLSTATE);
END $$;

-- ---- what must be the same after each step

-- The difference between the model and the table, or NULL.
CREATE FUNCTION rows_differ(s shapes) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format($q$
		WITH actual AS (
			SELECT pk.p, rk.r, a.status, a.pos, a.note FROM (%s) AS a(parent, id, status, pos, note)
			JOIN parent_keys pk ON pk.shape = $1 AND pk.key = a.parent
			LEFT JOIN related_keys rk ON rk.shape = $1 AND rk.key = a.id)
		SELECT string_agg(d::text, ' ') FROM (
			(SELECT 'model only', * FROM model EXCEPT ALL SELECT 'model only', * FROM actual) UNION ALL
			(SELECT 'table only', * FROM actual EXCEPT ALL SELECT 'table only', * FROM model)) d
		$q$, s.actual) INTO result USING s.name;
	RETURN result;
END $$;

-- The first read of a parent that does not say what the model says, or NULL.
CREATE FUNCTION reads_differ(s shapes, parent int) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	relation text := quote_ident(s.name);
	current int[] := model_current(s, parent);
	nrows bigint := (SELECT count(*) FROM model_scope(s, parent) t JOIN model m ON m.ctid = t.t WHERE m.r IS NOT NULL);
	wanted jsonb;
	got jsonb;
	asked mention[];
	written text;
BEGIN
	EXECUTE format('SELECT related_ids($1, %s)', write_parent(s, parent)) INTO got USING relation;
	IF got <> report(s, current) THEN
		RETURN format('related_ids is %s, should be %s', got, report(s, current));
	END IF;
	EXECUTE format('SELECT to_jsonb(count_related($1, %s))', write_parent(s, parent)) INTO got USING relation;
	IF got <> to_jsonb(nrows) THEN
		RETURN format('count_related is %s, should be %s', got, nrows);
	END IF;

	asked := ARRAY(SELECT ROW(1 + floor(random() * s.nrelated), NULL)::mention FROM generate_series(1, (random() * 2)::int));
	SELECT * INTO asked, written FROM write_ids(s, asked);
	EXECUTE format('SELECT to_jsonb(is_attached($1, %s, %s))', write_parent(s, parent), written) INTO got USING relation;
	wanted := to_jsonb(ARRAY(SELECT r FROM unnest(asked)) <@ current);
	IF got <> wanted THEN
		RETURN format('is_attached of %s is %s', written, got);
	END IF;

	-- results: the rows in scope that have a related row, with their attributes
	wanted := (SELECT jsonb_agg(x ORDER BY x) FROM (
		SELECT k.as_row || jsonb_build_object('status', m.status, 'pos', m.pos, 'note', m.note) AS x
		FROM model_scope(s, parent) t JOIN model m ON m.ctid = t.t
		JOIN related_keys k ON k.shape = s.name AND k.r = m.r WHERE m.r <= s.nrelated) x);
	EXECUTE format('SELECT jsonb_agg(x ORDER BY x) FROM (
			SELECT (SELECT jsonb_object_agg(key, value) FROM jsonb_each(result -> ''pivot'') WHERE $2 @> ARRAY[key]) AS x FROM get_results($1, %s)) x',
		write_parent(s, parent)) INTO got
	USING relation, '{status,pos,note}' || ARRAY(SELECT jsonb_object_keys(as_row) FROM related_keys WHERE shape = s.name AND r = 1);
	IF got IS DISTINCT FROM wanted THEN
		RETURN format('get_results has %s, should have %s', got, wanted);
	END IF;
	RETURN NULL;
END $$;

-- Counts of all parents at once.
CREATE FUNCTION counts_differ(s shapes) RETURNS text LANGUAGE sql AS $$
	SELECT format('count_related_for says %s, should say %s', got, wanted)
	FROM (SELECT jsonb_agg(to_jsonb(c.count) ORDER BY k.p) AS got,
			jsonb_agg((SELECT count(*) FROM model_scope(s, k.p) t JOIN model m ON m.ctid = t.t WHERE m.r IS NOT NULL) ORDER BY k.p) AS wanted
		FROM parent_keys k LEFT JOIN count_related_for(quote_ident(s.name), (SELECT jsonb_agg(key) FROM parent_keys WHERE shape = s.name)) c ON c.parent = k.key
		WHERE k.shape = s.name) x
	WHERE got <> wanted
$$;

-- ---- the run

-- Random mentions, now and then of an id that has no row, if wanted.
CREATE FUNCTION random_mentions(s shapes, n int, how_often float, missing bool) RETURNS mention[] LANGUAGE sql VOLATILE AS $$
	SELECT ARRAY(SELECT ROW(1 + floor(random() * (s.nrelated + CASE WHEN missing AND random() < 0.2 / (n + 1) THEN 1 ELSE 0 END)), random_attributes(how_often))::mention
		FROM generate_series(1, n))
$$;

-- Runs steps on a shape. Returns what the first wrong one did, or ok if all were right and enough of them
-- did something.
CREATE FUNCTION run(shape_name text, steps int, max_ids int) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	s shapes := (SELECT t FROM shapes t WHERE t.name = shape_name);
	operation text;
	option text;
	parent int;
	shared jsonb;
	mentions mention[];
	ids text;
	query text;
	wanted jsonb;
	got jsonb;
	wrong text;
	errors int := 0;
	changes int := 0;
BEGIN
	DELETE FROM model;
	EXECUTE format('INSERT INTO model SELECT pk.p, rk.r, a.status, a.pos, a.note FROM (%s) AS a(parent, id, status, pos, note)
		JOIN parent_keys pk ON pk.shape = $1 AND pk.key = a.parent LEFT JOIN related_keys rk ON rk.shape = $1 AND rk.key = a.id', s.actual) USING s.name;
	FOR step IN 1 .. steps LOOP
		operation := ('{attach,attach,attach,attach,attach,attach,attach,detach,detach,sync,sync,sync,sync,sync,sync,toggle,toggle,toggle,toggle,'
			'update,update,update,update,detach_scope}'::text[])[1 + floor(random() * 24)];
		-- through the filter nothing gets rid of the rows outside of it
		IF random() < (CASE WHEN s.whole <> s.name THEN 0.2 ELSE 0.03 END) THEN
			operation := 'detach_all';
		END IF;
		parent := 1 + floor(random() * s.nparents);
		shared := CASE WHEN operation LIKE 'detach%' OR random() < 0.6 THEN '{}' ELSE COALESCE(random_attributes(1), '{}') END;
		option := CASE operation
			WHEN 'attach' THEN ('{ignore,ignore,update,update,update,error,duplicate}'::text[])[1 + floor(random() * 7)]
			WHEN 'sync' THEN (random() < 0.7)::text
			ELSE '' END;
		-- not a missing row where a pair that exists can be an error, too: which of the two comes first is left open
		mentions := random_mentions(s, floor(random() * (max_ids + 1))::int, CASE WHEN operation LIKE 'detach%' OR random() < 0.4 THEN 0 ELSE 0.7 END,
			NOT s.is_unique OR s.checks_keys AND option NOT IN ('error', 'duplicate'));
		SELECT * INTO mentions, ids FROM write_ids(s, mentions);

		query := format(CASE operation
				WHEN 'attach' THEN 'SELECT to_jsonb(attach(%1$L, %2$s, %3$s, %4$s, %5$L))'
				WHEN 'detach' THEN 'SELECT to_jsonb(detach(%1$L, %2$s, %3$s))'
				WHEN 'detach_scope' THEN 'SELECT to_jsonb(detach(%1$L, %2$s))'
				WHEN 'detach_all' THEN 'SELECT to_jsonb(detach(%6$L, %2$s))'
				WHEN 'sync' THEN 'SELECT to_jsonb(f) FROM sync(%1$L, %2$s, %3$s, %5$L, %4$s) f'
				WHEN 'toggle' THEN 'SELECT to_jsonb(f) FROM toggle(%1$L, %2$s, %3$s, %4$s) f'
				WHEN 'update' THEN 'SELECT to_jsonb(update_existing_pivot(%1$L, %2$s, %3$s, %4$s))' END,
			quote_ident(s.name), write_parent(s, parent), ids,
			CASE WHEN shared = '{}' THEN (ARRAY['NULL', '''[]''', '''{}'''])[1 + floor(random() * 3)] ELSE quote_literal(shared) END, option, quote_ident(s.whole));
		wanted := model_step(s, operation, parent, distinct_ids(mentions, shared), option);
		got := call(query);
		IF wanted ? 'error' THEN
			errors := errors + 1;
		ELSIF wanted::text ~ '^[1-9]|\[[^]]' THEN
			changes := changes + 1;
		END IF;

		wrong := CASE WHEN got IS DISTINCT FROM wanted THEN format('returns %s, should return %s', got, wanted) END;
		wrong := COALESCE(wrong, rows_differ(s), reads_differ(s, parent), counts_differ(s));
		IF wrong IS NOT NULL THEN
			RETURN format('step %s: %s: %s', step, left(query, 1000), left(wrong, 1000));
		END IF;
	END LOOP;
	RETURN CASE WHEN (errors > 0 OR NOT s.is_unique OR steps < 50) AND changes >= steps / 4 THEN 'ok' ELSE format('only %s errors and %s changes in %s steps', errors, changes, steps) END;
END $$;

SELECT is(run('unique', 250, 5), 'ok', 'a primary key on the pair');
SELECT is(run('inverse', 120, 4), 'ok', 'the same from the other side');
SELECT is(run('value', 250, 4), 'ok', 'a pivot value, and rows outside of it');
SELECT is(run('filter', 200, 4), 'ok', 'a filter with OR, and rows outside of it');
SELECT is(run('null_value', 120, 4), 'ok', 'a pivot value that is NULL, and a filter');
INSERT INTO visits (user_id, role_id, status, pos) SELECT 1 + i % 4, CASE WHEN i % 7 > 0 THEN 2 * (i % 7) END, CASE WHEN i % 3 = 0 THEN 'active' END, i % 4
FROM generate_series(1, 40) i;
SELECT is(run('bag', 250, 5), 'ok', 'no unique index: duplicates, rows without an id');
SELECT is(run('bag_value', 250, 5), 'ok', 'no unique index, and a pivot value');
SELECT is(run('bag_filter', 200, 5), 'ok', 'no unique index, and a filter with OR');
SELECT is(run('bag_inverse', 120, 4), 'ok', 'no unique index, from the other side');
SELECT is(run('tenant', 150, 5), 'ok', 'keys that share a column');
SELECT is(run('two_columns', 150, 5), 'ok', 'ids of two columns');
SELECT is(run('strings', 150, 5), 'ok', 'strings as keys');
SELECT is(run('partitioned', 150, 5), 'ok', 'a partitioned pivot');
SELECT is(run('many', 20, 500), 'ok', 'many ids in a call');
SELECT is((SELECT count(*) FROM shapes), 14::bigint, 'all shapes were run');

SELECT * FROM finish();
ROLLBACK;
