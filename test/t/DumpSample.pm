# A database that is hard to dump, and what must be the same in a copy of it.
#
#   create_dump_sample(NODE, DATABASE)   fills a new database
#   contents(NODE, DATABASE)             saved relations, stored relations, results of operations
#   dump_text(NODE, DATABASE, ...)       its plain dump, for comparison, with options of pg_dump
package DumpSample;

use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(create_dump_sample contents dump_text);

# Schemas whose names sort before and after that of the extension; columns that were dropped, so
# that numbers differ after a restore; names that must be quoted.
my $TABLES = q{
	CREATE SCHEMA "m 2 m";
	CREATE EXTENSION belongs_to_many SCHEMA "m 2 m";
	CREATE SCHEMA app;
	CREATE SCHEMA zoo;
	CREATE SCHEMA "Odd ""schema"" 'of' {names}";

	CREATE TYPE app.status AS ENUM ('active', 'paused');
	CREATE FUNCTION app.same_letter(text, text) RETURNS boolean
		LANGUAGE sql IMMUTABLE AS 'SELECT pg_catalog.left($1, 1) OPERATOR(pg_catalog.=) pg_catalog.left($2, 1)';
	CREATE OPERATOR app.=~= (LEFTARG = text, RIGHTARG = text, FUNCTION = app.same_letter);

	CREATE TABLE app.users (gone int, id bigint PRIMARY KEY, name text NOT NULL);
	CREATE TABLE app.roles (gone int, gone_too int, id bigint PRIMARY KEY, name text NOT NULL);
	CREATE TABLE app.user_roles (
		gone int, role_id bigint NOT NULL REFERENCES app.roles, gone_too text,
		user_id bigint NOT NULL REFERENCES app.users,
		status app.status NOT NULL DEFAULT 'active', data jsonb, note text,
		created_at timestamptz, updated_at timestamptz, PRIMARY KEY (user_id, role_id));
	ALTER TABLE app.users DROP COLUMN gone;
	ALTER TABLE app.roles DROP COLUMN gone, DROP COLUMN gone_too;
	ALTER TABLE app.user_roles DROP COLUMN gone, DROP COLUMN gone_too;
	INSERT INTO app.users SELECT i, 'user ' || i FROM generate_series(1, 5) i;
	INSERT INTO app.roles SELECT i, 'role ' || i FROM generate_series(1, 5) i;

	CREATE TABLE zoo.animals (id uuid PRIMARY KEY, name text);
	CREATE TABLE zoo.foods (id text PRIMARY KEY);
	CREATE TABLE zoo.eats (
		zoo int NOT NULL DEFAULT 1, animal_id uuid REFERENCES zoo.animals, food_id text REFERENCES zoo.foods)
		PARTITION BY LIST (zoo);
	CREATE TABLE zoo.eats_1 PARTITION OF zoo.eats FOR VALUES IN (1);
	CREATE TABLE zoo.eats_2 (food_id text, gone int, zoo int NOT NULL DEFAULT 1, animal_id uuid);
	ALTER TABLE zoo.eats_2 DROP COLUMN gone;
	ALTER TABLE zoo.eats ATTACH PARTITION zoo.eats_2 FOR VALUES IN (2);
	INSERT INTO zoo.animals VALUES ('00000000-0000-0000-0000-000000000001', 'ape');
	INSERT INTO zoo.foods VALUES ('nut'), ('fig');

	CREATE TABLE zoo.teams (tenant int, id int, PRIMARY KEY (tenant, id));
	CREATE TABLE zoo.people (tenant int, id int, PRIMARY KEY (tenant, id));
	CREATE TABLE zoo.team_people (
		tenant int, team int, person int, PRIMARY KEY (tenant, team, person),
		FOREIGN KEY (tenant, team) REFERENCES zoo.teams, FOREIGN KEY (tenant, person) REFERENCES zoo.people);
	INSERT INTO zoo.teams VALUES (1, 1), (2, 1);
	INSERT INTO zoo.people VALUES (1, 1), (1, 2), (2, 1);

	SET search_path = "Odd ""schema"" 'of' {names}", "m 2 m";
	CREATE TABLE "My Users" ("Id" int PRIMARY KEY);
	CREATE TABLE "my
roles" ("i""d" int PRIMARY KEY, "select" text);
	CREATE TABLE "{""pivot""}" (
		"User Id" int REFERENCES "My Users", "role'id" int REFERENCES "my
roles", "a\b" text);
	INSERT INTO "My Users" VALUES (1), (2);
	INSERT INTO "my
roles" VALUES (1, 'one'), (2, 'two');
};

# Relations saved under names that collide between schemas, must be quoted, or belong to tables
# that no other session can restore.
my $RELATIONS = q{
	SET search_path = app, "m 2 m";
	SELECT create_relation('user_roles', with_pivot(belongs_to_many('users', 'roles'), 'status', 'note'));
	SELECT create_relation('active', with_pivot_value('user_roles', 'status', 'active'));
	SELECT create_relation('"Everything"',
		pivot_as(take(order_by(order_by_pivot(where_related(or_where_pivot_null(where_pivot_not_in(
			where_pivot_between(where_pivot(where_pivot(where_pivot(with_timestamps('user_roles'),
				'data', '?', 'key'), 'note', '=~=', 'nonsense'), 'note', 'not ilike', 'x%'),
			'created_at', '2000-01-01', '2100-01-01'), 'status', '{paused}'), 'note'),
			'name', 'like', 'role%'), 'note', 'desc'), 'name'), 3), 'the "pivot"'));
	SELECT create_relation('users', inverse('user_roles'));
	SET search_path = zoo, "m 2 m";
	SELECT create_relation('user_roles', belongs_to_many('animals', 'foods', 'eats'));
	SELECT create_relation('part', belongs_to_many('animals', 'foods', 'eats_2', 'animal_id', 'food_id'));
	SELECT create_relation('composite', belongs_to_many('teams', 'people'));
	SET search_path = "Odd ""schema"" 'of' {names}", "m 2 m";
	SELECT create_relation('"Quoted ""name""
with a line"', with_pivot(belongs_to_many('"My Users"', '"my
roles"', '"{""pivot""}"'), 'a\b'));

	SET search_path = app, "m 2 m";
	SELECT attach('user_roles', 1, '{"1": {"note": "nut", "data": {"key": 1}}, "2": {"status": "paused"}, "3": {}}');
	SELECT attach('user_roles', 2, '{1,4}');
	SELECT attach('zoo.user_roles', '00000000-0000-0000-0000-000000000001', ARRAY['nut', 'fig']);
	SELECT attach('zoo.composite', '{"tenant": 1, "team": 1}', '{1,2}');
	SELECT attach('"Odd ""schema"" ''of'' {names}"."Quoted ""name""
with a line"', 1, '{2}', '{"a\\\\b": "c\\\\d"}');

	CREATE TEMP TABLE temporary (user_id int, role_id int);
	SELECT create_relation('temporary', belongs_to_many('users', 'roles', 'temporary', 'user_id', 'role_id'));
	CREATE TABLE dropped (user_id int, role_id int);
	SELECT create_relation('dropped', belongs_to_many('users', 'roles', 'dropped', 'user_id', 'role_id'));
	DROP TABLE dropped;
};

# Everything that can hold a relation or call an operation, in schemas that are restored before the
# tables that the relations speak of.
my $USERS_OF_RELATIONS = q{
	CREATE SCHEMA aaa;
	SET search_path = app, "m 2 m";
	CREATE VIEW aaa.literal AS SELECT belongs_to_many 'zoo.user_roles' AS relation;
	CREATE VIEW aaa.defined AS SELECT with_pivot(belongs_to_many('users', 'roles'), 'note') AS relation;
	CREATE VIEW aaa.constant AS
		SELECT belongs_to_many '{"parent": "zoo.teams", "related": "zoo.people"}' AS relation;
	CREATE VIEW aaa.results AS
		SELECT u.id, r.result FROM app.users u, get_results(order_by('app.user_roles', 'id'), u.id) r;
	CREATE VIEW aaa.typed AS
		SELECT u.id AS user_id, r.* FROM app.users u, get_results('active', u.id, NULL::app.roles) r;
	SELECT create_relation_view('zoo.user_roles', 'aaa.of_relation');
	CREATE MATERIALIZED VIEW aaa.counted AS
		SELECT id, count_related('app.user_roles', id) FROM app.users;
	CREATE FUNCTION aaa.plpgsql(u bigint) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
	DECLARE
		relation "m 2 m".belongs_to_many := 'app.user_roles';
	BEGIN
		RETURN "m 2 m".related_ids(relation, u);
	END$$;
	CREATE FUNCTION aaa.atomic(u bigint) RETURNS jsonb STABLE
		BEGIN ATOMIC SELECT related_ids('app."Everything"', u); END;
	CREATE FUNCTION aaa.by_default(u bigint, relation belongs_to_many DEFAULT 'app.active') RETURNS bigint
		LANGUAGE sql STABLE RETURN count_related(relation, u);
	CREATE FUNCTION aaa.related_name(id int) RETURNS text LANGUAGE sql IMMUTABLE
		RETURN get_related_table('{"parent": "zoo.teams", "related": "zoo.people"}')::text || id;
	CREATE DOMAIN aaa.relation AS belongs_to_many DEFAULT 'app.users' CHECK (VALUE::text <> 'app.forbidden');
	CREATE TYPE aaa.composite AS (relation belongs_to_many, more belongs_to_many[]);

	CREATE TABLE aaa.holder (
		id int PRIMARY KEY,
		relation belongs_to_many DEFAULT 'app."Everything"',
		copy belongs_to_many,
		domain aaa.relation,
		composite aaa.composite,
		generated text GENERATED ALWAYS AS (aaa.related_name(id)) STORED,
		total bigint DEFAULT count_related('app.active', 1),
		CHECK (relation::text <> 'app.forbidden'),
		CHECK (get_related_table(copy) IS NOT NULL));
	INSERT INTO aaa.holder (id, copy, composite)
		SELECT row_number() OVER (ORDER BY schema, name), relation, (relation, ARRAY[relation, pivot_as(relation, 'copy')])::aaa.composite
		FROM belongs_to_many_relations WHERE name <> 'temporary';
	INSERT INTO aaa.holder (id, relation, copy, composite)
		VALUES (100, where_pivot('app."Everything"', 'note', 'x'), belongs_to_many('roles', 'users'), (NULL, '{app.active,zoo.part}'));
	CREATE INDEX ON aaa.holder ((aaa.related_name(id))) WHERE aaa.related_name(id) <> '';

	ALTER TABLE app.roles ENABLE ROW LEVEL SECURITY;
	CREATE POLICY attached ON app.roles USING (is_attached('app.user_roles', 1, id));
	CREATE FUNCTION app.attach_first() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM "m 2 m".attach('app.user_roles', NEW.id, 1);
		RETURN NULL;
	END$$;
	CREATE TRIGGER attach_first AFTER INSERT ON app.users FOR EACH ROW
		WHEN (NOT "m 2 m".is_attached('app.user_roles', NEW.id, 1)) EXECUTE FUNCTION app.attach_first();
	CREATE RULE detach_all AS ON DELETE TO app.users DO ALSO SELECT detach('app.user_roles', OLD.id);
};

sub create_dump_sample
{
	my ($node, $database) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database,
		"SET client_min_messages = warning; $TABLES; $RELATIONS; $USERS_OF_RELATIONS");
	return;
}

# Run under an empty search_path: what it prints depends on what is stored alone. An error ends it,
# so that a missing object fails the test.
my $CONTENTS = q{
	SET search_path = '';
	SELECT schema, name, parent, related, pivot_table, relation
		FROM "m 2 m".belongs_to_many_relations WHERE schema !~ '^pg_temp' ORDER BY 1, 2;
	SELECT * FROM aaa.holder ORDER BY id;
	SELECT * FROM aaa.literal, aaa.defined, aaa.constant;
	SELECT * FROM aaa.results ORDER BY id, result;
	SELECT * FROM aaa.typed ORDER BY 1, 2;
	SELECT * FROM aaa.of_relation ORDER BY 1, 2, 3;
	SELECT * FROM aaa.counted ORDER BY 1;
	SELECT id, aaa.plpgsql(id), aaa.atomic(id), aaa.by_default(id) FROM app.users ORDER BY id;
	SELECT "m 2 m".new_pivot_query(relation) FROM aaa.holder ORDER BY id;
	SELECT "m 2 m".new_pivot_query(copy) FROM aaa.holder ORDER BY id;
	SELECT "m 2 m".new_pivot_query((composite).more[2]) FROM aaa.holder ORDER BY id;
	SELECT "m 2 m".get_results('app.users', id) FROM app.roles ORDER BY id, 1;
	SELECT "m 2 m".get_results('zoo.user_roles', '00000000-0000-0000-0000-000000000001') ORDER BY 1;
	SELECT "m 2 m".get_results('zoo.part', '00000000-0000-0000-0000-000000000001');
	SELECT "m 2 m".get_results('zoo.composite', '{"tenant": 1, "team": 1}') ORDER BY 1;
	SELECT "m 2 m".get_results('"Odd ""schema"" ''of'' {names}"."Quoted ""name""
with a line"', 1);
};

# Writes too, rolled back: through a saved relation, a trigger and a default.
my $WRITES = q{
	BEGIN;
	SELECT * FROM "m 2 m".sync('app.user_roles', 1, '{"1": {"note": "new"}, "5": {"status": "paused"}}');
	SELECT * FROM "m 2 m".toggle('zoo.composite', '[1, 1]', '[2]');
	INSERT INTO app.users VALUES (6, 'user 6');
	INSERT INTO aaa.holder (id, copy) VALUES (200, 'app.active') RETURNING relation, domain, generated, total;
	SELECT "m 2 m".related_ids('app.user_roles', 6);
	ROLLBACK;
};

sub contents
{
	my ($node, $database) = @_;
	return $node->safe_psql($database, $CONTENTS . $WRITES);
}

sub dump_text
{
	my ($node, $database, @options) = @_;
	my ($out, $err);

	IPC::Run::run([ $node->installed_command('pg_dump'), '-d', $node->connstr($database), @options ],
		'>', \$out, '2>', \$err)
	  or die "pg_dump failed: $err";

	# recent servers guard a dump with a key that differs each time
	$out =~ s/^\\(un)?restrict .*\n//mg;
	return $out;
}

1;
