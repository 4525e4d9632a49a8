# After a crash, calls that were committed are there whole, and others not at all; prepared
# transactions keep their rows and their locks.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;

use BelongsToMany;
use Test::More;

my $node = new_server('crash', max_prepared_transactions => 4, autovacuum => 'off');
create_sample($node, 'app');

sub restart_after_crash
{
	$node->stop('immediate');
	$node->start;
	return;
}

# A trigger that waits while somebody holds advisory lock 1, after half of the rows.
$node->safe_psql('app', q{
	CREATE FUNCTION wait_at_50() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		IF NEW.role_id = 50 THEN
			PERFORM pg_advisory_xact_lock(1);
		END IF;
		RETURN NEW;
	END$$;
	CREATE TRIGGER wait_at_50 BEFORE INSERT ON user_roles FOR EACH ROW EXECUTE FUNCTION wait_at_50();
	CREATE UNLOGGED TABLE unlogged (user_id int REFERENCES users, role_id int REFERENCES roles, PRIMARY KEY (user_id, role_id));
	SELECT create_relation('unlogged', belongs_to_many('users', 'roles', 'unlogged'));
	SELECT attach('unlogged', 1, '{1,2}');
	SELECT attach('user_roles', 1, '{1,2,3}');
	SELECT attach('user_roles', 3, '{1,2}');
	CHECKPOINT;
	SELECT sync('user_roles', 1, '{"2": {"status": "paused"}, "4": {}}');
	SELECT toggle('user_roles', 1, '{4,5}');
	SELECT attach('user_roles', 2, array_agg(i)) FROM generate_series(1, 100) i;
	SELECT create_relation('kept', where_pivot('user_roles', 'status', 'paused'));
});

# at the time of the crash: one transaction that is open, one call in the midst, one prepared
my $open = session($node, 'app');
is(ask($open, q{
	BEGIN;
	SELECT attach('user_roles', 4, '{1,2,3}');
	SELECT detach('user_roles', 1);
	SELECT create_relation('lost', 'user_roles');
	SELECT drop_relation('kept')}), "3\n2", 'a transaction is open');

my $holder = session($node, 'app');
ask($holder, 'SELECT pg_advisory_lock(1)');
my $midst = session($node, 'app');
my $midst_pid = backend_pid($midst);
start($midst, q{SELECT attached, detached FROM sync('user_roles', 3, ARRAY(SELECT generate_series(2, 100)))});
wait_until_waits($node, $midst_pid, 'Lock');

is(outcome($node, 'app', q{
	BEGIN;
	SELECT toggle('user_roles', 5, '{1,2}');
	PREPARE TRANSACTION 'prepared'}), '("[1, 2]",[])', 'a transaction is prepared');

restart_after_crash();
finish($_), $_->quit for $open, $midst, $holder;

is($node->safe_psql('app', 'SELECT * FROM user_roles WHERE user_id IN (1, 3, 4, 5) ORDER BY 1, 2'),
	"1|2|paused\n1|5|active\n3|1|active\n3|2|active", 'what was committed, and no more');
is($node->safe_psql('app', q{SELECT count_related('user_roles', 2)}), '100', 'all of a long list');
is($node->safe_psql('app', 'SELECT name FROM belongs_to_many_relations ORDER BY 1'),
	"kept\nunlogged\nuser_roles", 'saved relations likewise');
is($node->safe_psql('app', q{SELECT related_ids('kept', 1)}), '[2]', 'and they work');
is(our_locks($node), '1', 'only the prepared transaction holds a lock');
is( $node->safe_psql('app', q{SELECT related_ids('unlogged', 1), attach('unlogged', 1, '{3}')}),
	'[]|1', 'an unlogged pivot is empty, and works');

# the prepared transaction's lock holds up calls for its parent, and no others
my $sync_5 = q{SET lock_timeout = '100ms'; SELECT attached, detached FROM sync('user_roles', 5, '{2,3}')};
is(outcome($node, 'app', $sync_5), 'ERROR: 55P03', 'a call for the same parent waits');
is(outcome($node, 'app', q{SELECT attach('user_roles', 6, 1)}), '1', 'a call for another one does not');
restart_after_crash();
is(outcome($node, 'app', $sync_5), 'ERROR: 55P03', 'and still waits after the next crash');
is(outcome($node, 'app', q{COMMIT PREPARED 'prepared'}), '', 'the prepared transaction is committed');
is(outcome($node, 'app', $sync_5), '[3]|[1]', 'the call goes on');
is(our_locks($node), '0', 'no lock is left');

# one more in the midst of a call on another pivot, then prepared and rolled back
is(outcome($node, 'app', q{
	BEGIN;
	SELECT create_relation('prepared', 'user_roles');
	SELECT detach('user_roles', 5);
	PREPARE TRANSACTION 'prepared'}), '2', 'a transaction is prepared');
restart_after_crash();
is(outcome($node, 'app', q{ROLLBACK PREPARED 'prepared'; SELECT related_ids('user_roles', 5)}), '[2, 3]', 'rolled back');
is(outcome($node, 'app', q{SELECT related_ids('prepared', 5)}), 'ERROR: 42704', 'with its saved relation');

log_is_clean($node);
done_testing();
