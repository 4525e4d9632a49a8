# Dumps that leave something out, dumps by others than a superuser, and what becomes of saved
# relations whose tables are missing.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;

use BelongsToMany;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('partial');
my $folder = PostgreSQL::Test::Utils::tempdir;
my $RELATIONS = q{SELECT schema, name, pivot_table FROM m2m.belongs_to_many_relations ORDER BY 1, 2};

# No foreign keys, which a dump would create also where the table they point at is left out.
$node->safe_psql('postgres', q{
	CREATE ROLE owner LOGIN;
	CREATE DATABASE original OWNER owner;
});
$node->safe_psql('original', q{
	SET client_min_messages = warning;
	CREATE SCHEMA m2m;
	CREATE EXTENSION belongs_to_many SCHEMA m2m;
	GRANT USAGE ON SCHEMA m2m TO owner;
	SET ROLE owner;
	SET search_path = app, m2m;
	CREATE SCHEMA app;
	CREATE TABLE users (id int PRIMARY KEY);
	CREATE TABLE roles (gone int, id int PRIMARY KEY);
	CREATE TABLE teams (id int PRIMARY KEY);
	CREATE TABLE user_roles (user_id int, role_id int, PRIMARY KEY (user_id, role_id));
	CREATE TABLE user_teams (user_id int, team_id int, PRIMARY KEY (user_id, team_id));
	ALTER TABLE roles DROP COLUMN gone;
	INSERT INTO users SELECT generate_series(1, 3);
	INSERT INTO roles SELECT generate_series(1, 3);
	INSERT INTO teams SELECT generate_series(1, 3);
	SELECT create_relation('roles', belongs_to_many('users', 'roles', 'user_roles', 'user_id', 'role_id'));
	SELECT create_relation('teams', belongs_to_many('users', 'teams', 'user_teams', 'user_id', 'team_id'));
	SELECT attach('roles', 1, '{1,2}'), attach('teams', 1, '{2,3}');
	CREATE TABLE notes (id int, relation belongs_to_many DEFAULT 'roles');
	INSERT INTO notes VALUES (1, 'roles'), (2, belongs_to_many('users', 'roles', 'user_roles', 'user_id', 'role_id'));
	CREATE VIEW of_first AS SELECT id, get_results('roles', 1) FROM notes;
});

# Dumps 'original' with these options and restores it into a new database.
sub copy
{
	my ($name, @options) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE template0");
	$node->command_ok([ 'pg_dump', '-f', "$folder/$name", @options, 'original' ], "$name: dump");
	$node->command_ok(
		[ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', "$folder/psql.out", '-f', "$folder/$name", $name ],
		"$name: restore");
	return;
}

sub relations
{
	my ($database) = @_;
	return $node->safe_psql($database, $RELATIONS);
}

my $both = "app|roles|app.user_roles\napp|teams|app.user_teams";
is(relations('original'), $both, 'two relations');

# ---- a related table is left out

copy('without_related', '-T', 'app.roles');
is(relations('without_related'), 'app|teams|app.user_teams', 'related table left out: the relation is absent');
is(outcome($node, 'without_related', q{SELECT m2m.related_ids('app.teams', 1)}), '[2, 3]',
	'the other one works');
is(outcome($node, 'without_related', q{SELECT m2m.related_ids('app.roles', 1)}), 'ERROR: 42704',
	'it does not exist');
is(outcome($node, 'without_related', q{SELECT m2m.attach('app.roles', 1, 3)}), 'ERROR: 42704',
	'neither for a write');
is(outcome($node, 'without_related', q{SELECT relation FROM app.notes WHERE id = 1}), 'app.roles',
	'a stored reference is printed');
is( outcome($node, 'without_related', q{
		SELECT relation FROM app.notes WHERE id = 2;
		SELECT m2m.related_ids(relation, 1) FROM app.notes WHERE id = 2}),
	'{"parent": "app.users", "related": "app.roles", "pivot_table": "app.user_roles", '
	  . '"foreign_key": "user_id", "related_key": "role_id", "parent_key": "id", "related_pivot_key": "id"}'
	  . "\nERROR: 42P01",
	'a stored definition is printed, but cannot be used');
is(outcome($node, 'without_related', q{SELECT * FROM app.of_first}), 'ERROR: 42704',
	'a view is there, but cannot be used');
my $message;
$node->psql('without_related', q{SELECT m2m.related_ids('app.roles', 1)}, stderr => \$message);
like($message, qr/its table app\.roles was dropped or not restored/, 'the message says why');

# it is kept while others are created and dropped, and comes to life with its table
is( outcome($node, 'without_related', q{
		SET search_path = app, m2m;
		SELECT create_relation('more', 'teams');
		SELECT drop_relation('more');
		CREATE TABLE app.roles (id int PRIMARY KEY);
		INSERT INTO app.roles VALUES (1), (2);
		SELECT get_results('roles', 1)}),
	qq({"id": 1, "pivot": {"role_id": 1, "user_id": 1}}\n{"id": 2, "pivot": {"role_id": 2, "user_id": 1}}),
	'the relation comes to life with a table of that name');
is(relations('without_related'), $both, 'both relations again');
is(outcome($node, 'without_related', q{SELECT count(*) FROM app.of_first}), '4', 'the view works');
is(outcome($node, 'without_related', q{SELECT m2m.count_related(relation, 1) FROM app.notes}), "2\n2",
	'and so do stored relations');

# ---- the pivot or the parent is left out

copy('without_pivot', '-T', 'app.user_roles');
is(relations('without_pivot'), 'app|teams|app.user_teams', 'pivot left out: the relation is absent');
is(outcome($node, 'without_pivot', q{SELECT m2m.related_ids('app.roles', 1)}), 'ERROR: 42704',
	'it does not exist');
copy('without_parent', '--exclude-table=app.users');
is(relations('without_parent'), '', 'parent left out: both relations are absent');

# A name whose relation is absent can be given anew; the absent one does not come back beside it.
is( outcome($node, 'without_pivot', q{
		SET search_path = app, m2m;
		CREATE TABLE other (user_id int, role_id int);
		SELECT create_relation('roles', belongs_to_many('users', 'roles', 'other', 'user_id', 'role_id'));
		SELECT attach('roles', 1, 3);
		CREATE TABLE user_roles (user_id int, role_id int);
		SELECT related_ids('roles', 1)}),
	"1\n[3]", 'a name whose relation is absent is free');
is(relations('without_pivot'), "app|roles|app.other\napp|teams|app.user_teams", 'and stays the new one');

# ---- only data, only a schema, no rows

copy('schema_only', '--schema-only');
is(relations('schema_only'), '', 'no saved relations without data');
$node->command_ok([ 'pg_dump', '--data-only', '-f', "$folder/data", 'original' ], 'data only: dump');
$node->command_ok(
	[ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', "$folder/psql.out", '-f', "$folder/data", 'schema_only' ],
	'data only: restore');
is(relations('schema_only'), $both, 'they come with the data');
is(outcome($node, 'schema_only', q{SELECT m2m.related_ids('app.roles', 1)}), '[1, 2]', 'and work');

# ---- schemas and the extension

copy('by_schema', '-n', 'app', '-n', 'm2m', '-e', 'belongs_to_many');
is(relations('by_schema'), $both, 'schemas with the extension: both relations');
is(outcome($node, 'by_schema', q{SELECT m2m.related_ids('app.roles', 1)}), '[1, 2]', 'and they work');

# ---- a session that runs while data is restored sees the relations come and go

$node->safe_psql('schema_only', 'TRUNCATE m2m.belongs_to_many_store, app.user_roles, app.user_teams, app.users,
	app.roles, app.teams, app.notes');
my $session = session($node, 'schema_only');
is(ask($session, q{SELECT m2m.related_ids('app.roles', 1)}), 'ERROR: 42704', 'session: truncated');
$node->command_ok(
	[ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', "$folder/psql.out", '-f', "$folder/data", 'schema_only' ],
	'data only: restore again');
is(ask($session, q{SELECT m2m.related_ids('app.roles', 1)}), '[1, 2]', 'session: restored');
$node->safe_psql('schema_only', 'DELETE FROM m2m.belongs_to_many_store');
is(ask($session, q{SELECT m2m.related_ids('app.roles', 1)}), 'ERROR: 42704', 'session: deleted');
$session->quit;

# ---- the owner of a database can dump it, and restore it where the extension is

$node->safe_psql('postgres', 'CREATE DATABASE owned OWNER owner TEMPLATE template0');
$node->safe_psql('owned', 'CREATE SCHEMA m2m; CREATE EXTENSION belongs_to_many SCHEMA m2m;
	GRANT USAGE ON SCHEMA m2m TO owner');
$node->command_ok([ 'pg_dump', '-U', 'owner', '-Fc', '-f', "$folder/owned", 'original' ], 'owner: dump');
$node->command_ok([ 'pg_dump', '-U', 'owner', '-n', 'app', '-f', "$folder/app", 'original' ], 'owner: dump of a schema');
$node->command_ok(
	[ 'psql', '-U', 'owner', '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', "$folder/psql.out", '-f', "$folder/app", 'owned' ],
	'owner: restore of a schema');
is(relations('owned'), '', 'a dump of a schema has no saved relations');
is(outcome($node, 'owned', q{SELECT m2m.count_related(relation, 1) FROM app.notes WHERE id = 2}), '2',
	'but stored definitions work');
is(outcome($node, 'owned', q{SET ROLE owner; INSERT INTO m2m.belongs_to_many_store SELECT 1, 'x', relation FROM app.notes}),
	'ERROR: 42501', 'nobody else writes the store');

# ---- what is gone is in no dump

is( outcome($node, 'original', q{
		DROP TABLE app.user_teams;
		SELECT count(*) FROM m2m.belongs_to_many_store}), '2', 'the row of a dropped table stays until the next sweep');
copy('after_drop');
is(outcome($node, 'after_drop', 'SELECT name FROM m2m.belongs_to_many_store'), 'roles', 'but it is in no dump');
is(relations('after_drop'), 'app|roles|app.user_roles', 'after the restore there is one relation');

log_is_clean($node);
done_testing();
