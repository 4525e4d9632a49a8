# Two databases of one server: the same names mean different things, and calls in one do not wait
# for calls in the other.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;

use BelongsToMany;
use Test::More;

my $node = new_server('databases');
create_sample($node, 'first');

# A copy of the files: all numbers are the same there, and then the definitions differ.
$node->safe_psql('postgres', 'CREATE DATABASE second TEMPLATE first; ALTER DATABASE second SET search_path = public, m2m');
$node->safe_psql('second', q{
	CREATE TABLE grants (id int PRIMARY KEY, title text);
	INSERT INTO grants SELECT i, 'grant ' || i FROM generate_series(1, 5) i;
	ALTER TABLE user_roles DROP CONSTRAINT user_roles_role_id_fkey, ADD FOREIGN KEY (role_id) REFERENCES grants;
	ALTER TABLE user_roles DROP COLUMN status;
	SELECT create_relation('user_roles', belongs_to_many('users', 'grants'), replace => true)});

# And one where the extension is in another schema, with tables of the same names and other types.
$node->safe_psql('postgres', 'CREATE DATABASE third');
$node->safe_psql('third', q{
	CREATE EXTENSION belongs_to_many;
	CREATE TABLE users (id uuid PRIMARY KEY);
	CREATE TABLE roles (id text PRIMARY KEY);
	CREATE TABLE user_roles (user_id uuid REFERENCES users, role_id text REFERENCES roles);
	INSERT INTO users VALUES ('00000000-0000-0000-0000-000000000001');
	INSERT INTO roles VALUES ('a'), ('b');
	SELECT create_relation('user_roles', belongs_to_many('users', 'roles'))});

my $user = q{'00000000-0000-0000-0000-000000000001'};
my ($first, $second, $third) = map { session($node, $_) } qw(first second third);

is(ask($first, q{SELECT attach('user_roles', 1, '{1,2}', '{"status": "x"}')}), '2', 'first: attach');
is(ask($second, q{SELECT attach('user_roles', 1, '{2}')}), '1', 'second: attach');
is(ask($third, qq{SELECT attach('user_roles', $user, ARRAY['a', 'b'])}), '2', 'third: attach');
is(ask($second, q{SELECT attach('user_roles', 1, '{3}', '{"status": "x"}')}), 'ERROR: 42703',
	'second: no such pivot column');
is(ask($first, q{SELECT get_results('user_roles', 1)}),
	qq({"id": 1, "name": "role 1", "pivot": {"status": "x", "role_id": 1, "user_id": 1}}\n)
	  . q({"id": 2, "name": "role 2", "pivot": {"status": "x", "role_id": 2, "user_id": 1}}),
	'first: results');
is(ask($second, q{SELECT get_results('user_roles', 1)}),
	q({"id": 2, "pivot": {"role_id": 2, "user_id": 1}, "title": "grant 2"}), 'second: results');
is(ask($third, qq{SELECT related_ids('user_roles', $user)}), '["a", "b"]', 'third: results');

# ---- locks

# The parent of the same key in a table of the same number is another parent in another database.
ask($first, q{BEGIN; SELECT sync('user_roles', 1, '{3}')});
is(ask($second, q{SET lock_timeout = '2s'; BEGIN; SELECT sync('user_roles', 1, '{3}')}), '([3],[2],[])',
	'the same parent in both databases');
is($node->safe_psql('postgres', q{
		SELECT count(DISTINCT database), count(DISTINCT (classid, objid)), count(*)
		FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 19283}), '2|1|2',
	'their locks differ in the database alone');
is(outcome($node, 'first', q{SET lock_timeout = '100ms'; SELECT detach('user_roles', 1)}), 'ERROR: 55P03',
	'in one database they wait');
ask($_, 'COMMIT') for $first, $second;

# ---- what is changed in one is not changed in the other

ask($first, q{SELECT drop_relation('user_roles')});
is(ask($first, q{SELECT related_ids('user_roles', 1)}), 'ERROR: 42704', 'first: dropped');
is(ask($second, q{SELECT related_ids('user_roles', 1)}), '[3]', 'second: still there');
is($node->safe_psql('second', q{SELECT count(*) FROM belongs_to_many_relations}), '1', 'second: listed');
ask($second, q{DROP EXTENSION belongs_to_many CASCADE});
is(ask($second, q{SELECT related_ids('user_roles', 1)}), 'ERROR: 42883', 'second: extension dropped');
is(ask($third, qq{SELECT related_ids('user_roles', $user)}), '["a", "b"]', 'third: still works');
is(ask($first, q{SELECT count_related(belongs_to_many('users', 'roles'), 1)}), '1', 'first: still works');

$_->quit for $first, $second, $third;
log_is_clean($node);
done_testing();
