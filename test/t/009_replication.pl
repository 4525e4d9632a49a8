# Logical replication: what calls write to a pivot arrives as the rows of plain SQL would, and saved
# relations themselves can be replicated into a database whose tables have other numbers.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;

use BelongsToMany;
use Test::More;

my $publisher = new_server('publisher', init => [ allows_streaming => 'logical' ]);
my $subscriber = new_server('subscriber', init => [ allows_streaming => 'logical' ]);

my $TABLES = q{
	CREATE SCHEMA m2m;
	CREATE EXTENSION belongs_to_many SCHEMA m2m;
	ALTER DATABASE postgres SET search_path = public, m2m;
	CREATE TABLE users (id int PRIMARY KEY);
	CREATE TABLE roles (id int PRIMARY KEY, name text);
	CREATE TABLE user_roles (user_id int REFERENCES users, role_id int REFERENCES roles, status text DEFAULT 'active',
		PRIMARY KEY (user_id, role_id));
	CREATE TABLE doubled (user_id int, role_id int REFERENCES roles);
	ALTER TABLE doubled REPLICA IDENTITY FULL;
};

# the subscriber has the same names with other numbers, and its columns in another order
$subscriber->safe_psql('postgres', 'CREATE TABLE before (a int, b int)');
$subscriber->safe_psql('postgres', $TABLES =~ s/user_id int REFERENCES users, role_id int REFERENCES roles/gone int, role_id int REFERENCES roles, user_id int REFERENCES users/r);
$subscriber->safe_psql('postgres', 'ALTER TABLE user_roles DROP COLUMN gone');
$publisher->safe_psql('postgres', $TABLES);
$publisher->safe_psql('postgres', q{
	INSERT INTO users SELECT generate_series(1, 10);
	INSERT INTO roles SELECT i, 'role ' || i FROM generate_series(1, 400) i;
	CREATE PUBLICATION everything FOR ALL TABLES});
$publisher->safe_psql('postgres', q{
	SELECT create_relation('user_roles', with_pivot(belongs_to_many('users', 'roles', 'user_roles'), 'status'));
	SELECT attach('user_roles', 1, '{1,2,3}')});

my $connection = $publisher->connstr . ' dbname=postgres';
my $session = session($subscriber, 'postgres');
is(ask($session, q{SELECT related_ids('user_roles', 1)}), 'ERROR: 42704', 'before: no such relation');
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION everything CONNECTION '$connection' PUBLICATION everything");
$subscriber->wait_for_subscription_sync($publisher, 'everything');

is(ask($session, q{SELECT related_ids('user_roles', 1)}), '[1, 2, 3]', 'the relation and its rows are copied');

# Runs calls on the publisher, and waits until the subscriber has their rows.
sub write_and_wait
{
	my ($sql) = @_;
	$publisher->safe_psql('postgres', $sql);
	$publisher->wait_for_catchup('everything');
	return;
}

sub same_rows
{
	my ($name, $count) = @_;
	my $rows = q{SELECT 1, user_id, role_id, status FROM user_roles
		UNION ALL SELECT 2, user_id, role_id, '' FROM doubled ORDER BY 1, 2, 3, 4};
	my $written = $publisher->safe_psql('postgres', $rows);

	is($subscriber->safe_psql('postgres', $rows), $written, "$name: same rows");
	is(scalar(split /\n/, $written), $count, "$name: $count rows");
	return;
}

write_and_wait(q{SELECT attach('user_roles', 2, '{"1": {"status": "paused"}, "2": {}}')});
same_rows('attach', 5);
write_and_wait(q{SELECT attach('user_roles', 3, ARRAY(SELECT generate_series(1, 400)))});
same_rows('attach in bulk', 405);
write_and_wait(q{SELECT sync('user_roles', 3, '{"1": {"status": "x"}, "2": {}, "400": {}}')});
same_rows('sync', 8);
write_and_wait(q{SELECT toggle('user_roles', 3, '{2,3}'), update_existing_pivot('user_roles', 3, '{3}', '{"status": "y"}')});
same_rows('toggle and update', 8);
write_and_wait(q{SELECT attach('user_roles', 3, '{3,4}', '{"status": "z"}', 'update')});
same_rows('attach with update', 9);
write_and_wait(q{SELECT detach('user_roles', 1, '{1}'), detach('user_roles', 2)});
same_rows('detach', 6);
write_and_wait(q{
	SELECT attach(belongs_to_many('users', 'roles', 'doubled', 'user_id', 'role_id'), 1, '{1,2,2,3}');
	SELECT attach(belongs_to_many('users', 'roles', 'doubled', 'user_id', 'role_id'), 1, '{2,3}', '{}', 'duplicate');
	SELECT toggle(belongs_to_many('users', 'roles', 'doubled', 'user_id', 'role_id'), 1, '{3,4}')});
same_rows('pivot without a key', 10);
write_and_wait(q{
	BEGIN;
	SELECT detach('user_roles', 3);
	SAVEPOINT a;
	SELECT attach('user_roles', 5, '{1,2,3,4,5}');
	ROLLBACK TO a;
	SELECT attach('user_roles', 6, '{1,2,3,4}');
	COMMIT});
same_rows('savepoint', 10);

# ---- saved relations: replaced, dropped, made anew, in a session that is open

write_and_wait(q{SELECT create_relation('user_roles', where_pivot('user_roles', 'role_id', '>', 2), replace => true)});
is(ask($session, q{SELECT related_ids('user_roles', 6)}), '[3, 4]', 'redefined');
is(ask($session, q{SELECT name, pivot_table FROM belongs_to_many_relations}), 'user_roles|user_roles', 'listed');
write_and_wait(q{SELECT drop_relation('user_roles')});
is(ask($session, q{SELECT related_ids('user_roles', 6)}), 'ERROR: 42704', 'dropped');

# one whose table the subscriber does not have is absent there, until there is one
write_and_wait(q{
	CREATE TABLE late (user_id int REFERENCES users, role_id int REFERENCES roles, PRIMARY KEY (user_id, role_id));
	SELECT create_relation('late', belongs_to_many('users', 'roles', 'late'));
	SELECT create_relation('user_roles', belongs_to_many('users', 'roles', 'user_roles'))});
is(ask($session, q{SELECT related_ids('user_roles', 6)}), '[1, 2, 3, 4]', 'created again');
is(ask($session, q{SELECT related_ids('late', 1)}), 'ERROR: 42704', 'absent while its table is');
ask($session, 'CREATE TABLE late (user_id int, role_id int, PRIMARY KEY (user_id, role_id)); INSERT INTO late VALUES (1, 7)');
is(ask($session, q{SELECT related_ids('late', 1)}), '[7]', 'then there');

$session->quit;
log_is_clean($publisher);
log_is_clean($subscriber);
done_testing();
