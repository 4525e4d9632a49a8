# Creating and dropping the extension, in one schema and another, while sessions have used it: no
# session may go on with what it remembers of the one that is gone.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;

use BelongsToMany;
use Test::More;

my $node = new_server('extension');
$node->safe_psql('postgres', q{
	CREATE ROLE stranger LOGIN;
	CREATE SCHEMA one;
	CREATE SCHEMA two;
	CREATE TABLE users (id int PRIMARY KEY);
	CREATE TABLE roles (id int PRIMARY KEY, name text);
	CREATE TABLE user_roles (user_id int REFERENCES users, role_id int REFERENCES roles, PRIMARY KEY (user_id, role_id));
	CREATE TABLE other_roles (user_id int REFERENCES users, role_id int REFERENCES roles, PRIMARY KEY (user_id, role_id));
	INSERT INTO users SELECT generate_series(1, 5);
	INSERT INTO roles SELECT generate_series(1, 5);
	INSERT INTO user_roles VALUES (1, 1), (1, 2);
	INSERT INTO other_roles VALUES (1, 5);
	CREATE FUNCTION ids_of_first() RETURNS text LANGUAGE plpgsql AS
		'BEGIN RETURN related_ids(''user_roles'', 1); END'});

my $creator = session($node, 'postgres');    # creates and drops
my $witness = session($node, 'postgres');    # has used what the other one drops

sub both
{
	my ($sql, $result, $name) = @_;
	is(ask($creator, $sql), $result, "$name: in the session that did it");
	is(ask($witness, $sql), $result, "$name: in another session");
	return;
}

ask($_, 'SET search_path = public, one, two; SET plan_cache_mode = force_generic_plan') for $creator, $witness;
my $IDS = q{SELECT related_ids('user_roles', 1), ids_of_first()};

# ---- not there, there, not there, there in another schema with another meaning

both($IDS, 'ERROR: 42883', 'not created');
is(outcome($node, 'postgres', 'SET ROLE stranger; CREATE EXTENSION belongs_to_many SCHEMA one'), 'ERROR: 42501',
	'not everybody can create it');

ask($creator, 'CREATE EXTENSION belongs_to_many SCHEMA one');
both($IDS, 'ERROR: 42704', 'created, nothing saved');
is(ask($creator, 'CREATE EXTENSION belongs_to_many SCHEMA two'), 'ERROR: 42710', 'one is enough');
is(ask($creator, 'ALTER EXTENSION belongs_to_many SET SCHEMA two'), 'ERROR: 0A000', 'it cannot be moved');
ask($creator, q{SELECT create_relation('user_roles', belongs_to_many('users', 'roles', 'user_roles'))});
both($IDS, '[1, 2]|[1, 2]', 'saved');
for my $session ($creator, $witness)
{
	is(ask($session, q{
			PREPARE reading AS SELECT related_ids('user_roles', $1);
			PREPARE writing AS SELECT attach('user_roles', $1, $2);
			PREPARE by_schema AS SELECT one.count_related('user_roles', $1);
			EXECUTE reading(1); EXECUTE writing(1, 1); EXECUTE by_schema(1)}), "[1, 2]\n0\n2", 'prepared statements');
}

is(ask($creator, 'DROP EXTENSION belongs_to_many'), '', 'dropped');
both($IDS, 'ERROR: 42883', 'dropped');
both('EXECUTE reading(1)', 'ERROR: 42883', 'dropped, prepared');
both('EXECUTE writing(1, 1)', 'ERROR: 42883', 'dropped, prepared write');
both('SELECT count(*) FROM user_roles', '2', 'rows stay');

is(ask($creator, 'CREATE EXTENSION belongs_to_many SCHEMA two'), '', 'created in another schema');
both($IDS, 'ERROR: 42704', 'what was saved before is gone');
ask($creator, q{SELECT create_relation('user_roles', belongs_to_many('users', 'roles', 'other_roles'))});
both($IDS, '[5]|[5]', 'the same name saved for another table');
both('EXECUTE reading(1)', '[5]', 'prepared read');
both('EXECUTE writing(1, 5)', '0', 'prepared write');
both('EXECUTE by_schema(1)', 'ERROR: 42883', 'prepared with the old schema');

# ---- in transactions, committed or not

ask($creator, 'BEGIN; DROP EXTENSION belongs_to_many');
is(ask($creator, $IDS), 'ERROR: 42883', 'dropped in a transaction');
ask($creator, 'ROLLBACK');
both($IDS, '[5]|[5]', 'a drop that is rolled back');

is(ask($creator, q{
		BEGIN;
		DROP EXTENSION belongs_to_many;
		CREATE EXTENSION belongs_to_many SCHEMA one;
		SELECT create_relation('user_roles', belongs_to_many('users', 'roles', 'user_roles'));
		SELECT related_ids('user_roles', 1), ids_of_first(), attach('user_roles', 1, 3);
		EXECUTE by_schema(1)}), "[1, 2]|[1, 2]|1\n3", 'dropped and created in one transaction');
ask($creator, 'ROLLBACK');
both($IDS, '[5]|[5]', 'all of it rolled back');
both('EXECUTE reading(1)', '[5]', 'prepared, after that');

for my $round (1 .. 5)
{
	my ($schema, $table, $ids) = $round % 2 ? qw(one user_roles) : qw(two other_roles);
	ask($creator, qq{
		BEGIN;
		DROP EXTENSION belongs_to_many;
		CREATE EXTENSION belongs_to_many SCHEMA $schema;
		SELECT create_relation('user_roles', belongs_to_many('users', 'roles', '$table'));
		COMMIT});
	$ids = $round % 2 ? '[1, 2]' : '[5]';
	both($IDS, "$ids|$ids", "round $round");
	both('EXECUTE reading(1)', $ids, "round $round, prepared");
}

# ---- while a call is in progress, and in the midst of it

ask($witness, q{BEGIN; SELECT attach('user_roles', 2, 1); SAVEPOINT a});
ask($creator, q{SET lock_timeout = '3s'; DROP EXTENSION belongs_to_many});
is(ask($witness, q{SELECT FROM roles LIMIT 0; SELECT attach('user_roles', 2, 2)}), 'ERROR: 42883', 'dropped within a transaction of another session');
is(ask($witness, 'ROLLBACK TO a; SELECT count(*) FROM user_roles WHERE user_id = 2'), '1', 'what it has done stays');
ask($creator, q{CREATE EXTENSION belongs_to_many SCHEMA one;
	SELECT create_relation('user_roles', belongs_to_many('users', 'roles', 'user_roles'))});
is(ask($witness, q{SELECT attach('user_roles', 2, 2), our FROM (SELECT count(*) AS our FROM pg_locks WHERE objsubid = 19283) l;
		COMMIT}), '1|1', 'created again: the lock of the parent is still the same one');

ask($creator, q{
	CREATE FUNCTION drop_it() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		IF NEW.role_id = 3 THEN
			DROP EXTENSION belongs_to_many;
			CREATE EXTENSION belongs_to_many SCHEMA two;
		END IF;
		RETURN NEW;
	END$$;
	CREATE TRIGGER drop_it BEFORE INSERT ON user_roles FOR EACH ROW EXECUTE FUNCTION drop_it()});
is(ask($creator, q{SELECT attach('user_roles', 2, '{2,3,4}')}), '2', 'dropped and created by a trigger of the call itself');
both(q{SELECT related_ids('user_roles', 2)}, 'ERROR: 42704', 'after the trigger');
both(q{SELECT role_id FROM user_roles WHERE user_id = 2 ORDER BY 1}, "1\n2\n3\n4", 'rows after the trigger');
ask($creator, q{DROP TRIGGER drop_it ON user_roles});

# ---- its schema is renamed, or dropped

ask($creator, q{SELECT create_relation('user_roles', belongs_to_many('users', 'roles', 'user_roles'))});
both($IDS, '[1, 2]|[1, 2]', 'before the schema is renamed');
ask($creator, 'ALTER SCHEMA two RENAME TO three');
ask($_, 'SET search_path = public, three') for $creator, $witness;
both($IDS, '[1, 2]|[1, 2]', 'schema renamed');
both(q{SELECT three.related_ids(three.inverse('user_roles'), 1)}, '[1, 2]', 'schema renamed, called by its new name');
both(q{SELECT name FROM belongs_to_many_relations}, 'user_roles', 'schema renamed, view');
ask($creator, q{CREATE TABLE holder AS SELECT 1 AS id, inverse('user_roles') AS relation});
is(ask($creator, 'DROP EXTENSION belongs_to_many'), 'ERROR: 2BP01', 'a column of the type is in the way');
is(ask($creator, 'DROP SCHEMA three CASCADE'), '', 'dropped with its schema');
both($IDS, 'ERROR: 42883', 'schema dropped');
both('SELECT * FROM holder', '1', 'the column has gone too');

# ---- the library is there, the extension is not; loaded by the server itself

is(ask($witness, q{SET belongs_to_many.max_locks = 5; CREATE TABLE t (a int); DROP TABLE t; SHOW belongs_to_many.max_locks}), '5',
	'a loaded library without its extension does no harm');
is(ask($witness, q{SET belongs_to_many.no_such_setting = 5}), 'ERROR: 42602', 'its settings are known');
$_->quit for $creator, $witness;

$node->append_conf('postgresql.conf', "shared_preload_libraries = '\$libdir/belongs_to_many'\nbelongs_to_many.plan_cache_size = 7");
$node->restart;
is(outcome($node, 'postgres', q{
		CREATE TABLE t (a int); DROP TABLE t;
		SHOW belongs_to_many.plan_cache_size;
		CREATE EXTENSION belongs_to_many;
		SELECT create_relation('user_roles', belongs_to_many('users', 'roles', 'user_roles'));
		SELECT attach('user_roles', 4, '{1,2,3,4}'), related_ids('user_roles', 1)}), "7\n4|[1, 2]",
	'preloaded by the server');

log_is_clean($node);
done_testing();
