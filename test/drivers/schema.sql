-- What the driver tests work on: keys of every kind that drivers send differently. It is run with
-- search_path set to a schema of the driver's own.

CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL);
CREATE TABLE roles (id bigint PRIMARY KEY, name text NOT NULL);
CREATE TABLE user_roles (
	user_id bigint REFERENCES users,
	role_id bigint REFERENCES roles,
	status text NOT NULL DEFAULT 'active',
	level int,
	created_at timestamptz,
	updated_at timestamptz,
	PRIMARY KEY (user_id, role_id));
CREATE TYPE role_of_user AS (name text, pivot_status text);

CREATE VIEW roles_of_user_1 AS
SELECT coalesce(string_agg(concat_ws(':', role_id, status, level) ||
	CASE WHEN created_at IS NULL THEN '' ELSE '@' END, ' ' ORDER BY role_id), '') AS state
FROM user_roles WHERE user_id = 1;

CREATE TABLE documents (id uuid PRIMARY KEY, title text);
CREATE TABLE topics (id uuid PRIMARY KEY, title text);
CREATE TABLE document_topics (
	document_id uuid REFERENCES documents,
	topic_id uuid REFERENCES topics,
	PRIMARY KEY (document_id, topic_id));

CREATE TABLE pages (slug text PRIMARY KEY);
CREATE TABLE labels (name text PRIMARY KEY);
CREATE TABLE page_labels (
	page text REFERENCES pages,
	label text REFERENCES labels,
	kind text,
	PRIMARY KEY (page, label));

CREATE TABLE members (tenant_id int, id int, PRIMARY KEY (tenant_id, id));
CREATE TABLE teams (tenant_id int, id int, PRIMARY KEY (tenant_id, id));
CREATE TABLE member_teams (
	tenant_id int,
	member_id int,
	team_id int,
	PRIMARY KEY (tenant_id, member_id, team_id),
	FOREIGN KEY (tenant_id, member_id) REFERENCES members,
	FOREIGN KEY (tenant_id, team_id) REFERENCES teams);

INSERT INTO users VALUES (1, 'ann'), (2, 'bob'), (3, 'cid');
INSERT INTO roles VALUES (1, 'admin'), (2, 'author'), (3, 'editor'), (4, 'guest'), (5, 'owner'),
	(9007199254740992, 'even'), (9007199254740993, 'odd');
INSERT INTO user_roles VALUES (1, 1, 'active', 1), (1, 2, 'active', 2), (1, 3, 'paused', NULL),
	(2, 2, 'active', NULL);
INSERT INTO documents SELECT ('00000000-0000-4000-8000-00000000000' || n)::uuid FROM generate_series(1, 2) n;
INSERT INTO topics SELECT ('00000000-0000-4000-9000-00000000000' || n)::uuid FROM generate_series(1, 4) n;
INSERT INTO document_topics VALUES ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-9000-000000000001');
INSERT INTO pages VALUES ('home'), ('[1]');
INSERT INTO labels VALUES ('red'), ('blue'), ('a,b'), ('{}'), ('{"red"}'), ('[1]'), ('{"red": {}}'),
	(E'back\\slash "quote" \'it\' $1 %s {\n} é');
INSERT INTO page_labels VALUES ('home', 'red');
INSERT INTO members VALUES (7, 1), (7, 2), (8, 1);
INSERT INTO teams VALUES (7, 1), (7, 2), (7, 3), (8, 1);
INSERT INTO member_teams VALUES (7, 1, 1), (8, 1, 1);

-- The functions that a test must call. Not the type's own: those are called whenever a relation is
-- read or printed. Nor those for ScyllaDB and Cassandra, which need a server of theirs.
CREATE VIEW extension_functions AS
SELECT DISTINCT p.proname AS name
FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
WHERE d.deptype = 'e' AND p.proname !~ '^(belongs_to_many|scylla)_'
	AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'belongs_to_many');

SELECT m2m.create_relation('user_roles',
	m2m.with_pivot(m2m.belongs_to_many('users', 'roles'), 'status', 'level'));
SELECT m2m.create_relation('document_topics', m2m.belongs_to_many('documents', 'topics'));
SELECT m2m.create_relation('page_labels',
	m2m.with_pivot(m2m.belongs_to_many('pages', 'labels'), 'kind'));
SELECT m2m.create_relation('member_teams', m2m.belongs_to_many('members', 'teams'));
