# A call that is ended in its midst leaves nothing: no row, no lock, no broken session. It waits
# inside a trigger, or inside the check of a foreign key after its rows are in, when its backend is
# cancelled, terminated or killed, or a timeout is up.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;

use BelongsToMany;
use Test::More;
use Time::HiRes qw(time);

my $node = new_server('interrupted', restart_after_crash => 'on');
create_sample($node, 'app');

# 'user_roles' is written in bulk, 'triggered' row by row; role 50 is what calls will wait at.
$node->safe_psql('app', q{
	CREATE FUNCTION wait_at_50() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		IF NEW.role_id = 50 THEN
			PERFORM pg_advisory_xact_lock(1);
		END IF;
		RETURN NEW;
	END$$;
	CREATE TABLE triggered (LIKE user_roles INCLUDING ALL);
	CREATE TRIGGER wait_at_50 BEFORE INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION wait_at_50();
	CREATE TABLE doubled (user_id int NOT NULL, role_id int NOT NULL REFERENCES roles, status text);
	SELECT create_relation('triggered', belongs_to_many('users', 'roles', 'triggered', 'user_id', 'role_id'));
	SELECT create_relation('doubled', belongs_to_many('users', 'roles', 'doubled', 'user_id', 'role_id'));
	SELECT attach(r, 1, '{1,2,3}') FROM unnest('{user_roles,triggered,doubled}'::text[]) r;
});

# Somebody who is in the way of role 50.
my $holder;

sub hold_role_50
{
	$holder = session($node, 'app');
	ask($holder, 'SELECT pg_advisory_lock(1); BEGIN; SELECT FROM roles WHERE id = 50 FOR UPDATE');
	return;
}

sub release_role_50
{
	$holder->quit;
	return;
}

my %CALLS = (
	sync => q{SELECT attached, detached FROM sync('%s', 1, ARRAY(SELECT generate_series(2, 100)))},
	attach => q{SELECT attach('%s', 1, ARRAY(SELECT generate_series(2, 100)))},
	toggle => q{SELECT toggle('%s', 1, ARRAY(SELECT generate_series(2, 100)))});

# In a session of its own, a call that has begun and waits.
sub waiting_call
{
	my ($call, $relation, $before) = @_;
	my $session = session($node, 'app');
	my $pid = backend_pid($session);

	ask($session, $before) if $before;
	start($session, sprintf $CALLS{$call}, $relation);
	wait_until_waits($node, $pid, 'Lock');
	return ($session, $pid);
}

# What a call on the same parent must find, at once.
sub nothing_left
{
	my ($relation, $when) = @_;
	my $check = qq{
		SET lock_timeout = '5s';
		SELECT related_ids('$relation', 1);
		SELECT toggle('$relation', 1, '{3,4}');
		SELECT toggle('$relation', 1, '{3,4}')};

	is(outcome($node, 'app', $check), qq([1, 2, 3]\n([4],[3])\n([3],[4])),
		"$when: nothing is left, the parent is free");
	is(our_locks($node), '0', "$when: no lock is held");
	return;
}

# ---- cancelled, terminated, timed out: each call in each place

my %ENDINGS = (
	cancelled => [ 'SELECT pg_cancel_backend(%d)', '57014' ],
	terminated => [ 'SELECT pg_terminate_backend(%d)', '57P01' ]);

hold_role_50();
for my $ending (sort keys %ENDINGS)
{
	my ($statement, $sqlstate) = @{ $ENDINGS{$ending} };

	for my $case ([qw(sync triggered)], [qw(sync user_roles)], [qw(attach user_roles)], [qw(toggle doubled)])
	{
		my ($call, $relation) = @$case;
		my $when = "$call on $relation $ending";
		my ($session, $pid) = waiting_call($call, $relation);

		$node->safe_psql('app', sprintf $statement, $pid);
		like(finish($session), qr/^(ERROR: |FATAL:  )$sqlstate/, "$when: the call ends");
		is(ask($session, q{SELECT related_ids('user_roles', 1)}), '[1, 2, 3]', "$when: the session goes on")
		  if $ending eq 'cancelled';
		$session->quit;
		nothing_left($relation, $when);
	}
}

for my $relation (qw(triggered user_roles))
{
	my ($session) = waiting_call('sync', $relation, q{SET statement_timeout = '300ms'});
	is(finish($session), 'ERROR: 57014', "$relation, statement_timeout: the call ends");
	nothing_left($relation, "$relation, statement_timeout");
	is(ask($session, q{SET lock_timeout = '100ms'; } . sprintf $CALLS{sync}, $relation), 'ERROR: 55P03',
		"$relation, lock_timeout: the call ends");
	nothing_left($relation, "$relation, lock_timeout");
	$session->quit;
}

# ---- within a savepoint, and caught in PL/pgSQL, the locks of the call go with it

{
	my ($session, $pid) = waiting_call('sync', 'triggered',
		q{BEGIN; SELECT attach('triggered', 2, 1); SAVEPOINT a});

	is(our_locks($node), '2', 'savepoint: the transaction has locked two parents');
	$node->safe_psql('app', "SELECT pg_cancel_backend($pid)");
	is(finish($session), 'ERROR: 57014', 'savepoint: the call is cancelled');
	is(ask($session, 'ROLLBACK TO a'), '', 'savepoint: rolled back');
	is(our_locks($node), '1', 'savepoint: one lock is left');
	is(outcome($node, 'app', q{SET lock_timeout = '5s'; SELECT detach('triggered', 1, 9)}), '0',
		'savepoint: the parent is free');
	is(ask($session, q{SELECT attached FROM sync('triggered', 1, '{1,2,3,4}'); COMMIT}), '[4]',
		'savepoint: the same call with other ids, and commit');
	is(ask($session, q{SELECT detach('triggered', 1, 4), related_ids('triggered', 2)}), '1|[1]', 'savepoint: committed');
	$session->quit;
	nothing_left('triggered', 'savepoint');
}

is( outcome($node, 'app', q{
		BEGIN;
		SET LOCAL lock_timeout = '100ms';
		DO $$
		BEGIN
			FOR i IN 1..3 LOOP
				BEGIN
					PERFORM sync('triggered', 1, ARRAY(SELECT generate_series(2, 100)));
				EXCEPTION WHEN lock_not_available THEN
					NULL;
				END;
			END LOOP;
		END$$;
		SELECT related_ids('triggered', 1);
		SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 19283;
		COMMIT}), "[1, 2, 3]\n0", 'caught: nothing is left');

# ---- while it waits for the lock of its parent

{
	my ($first, $first_pid) = waiting_call('sync', 'triggered');
	my ($second, $second_pid) = waiting_call('sync', 'triggered');
	my ($third, $third_pid) = waiting_call('toggle', 'triggered');

	$node->safe_psql('app', "SELECT pg_cancel_backend($second_pid)");
	is(finish($second), 'ERROR: 57014', 'a call that waits for its parent is cancelled');
	$node->safe_psql('app', "SELECT pg_cancel_backend($third_pid)");
	is(finish($third), 'ERROR: 57014', 'so is the next');
	$node->safe_psql('app', "SELECT pg_cancel_backend($first_pid)");
	is(finish($first), 'ERROR: 57014', 'and the one that they waited for');
	$_->quit for $first, $second, $third;
	nothing_left('triggered', 'waiting for the parent');
}

# ---- idle in a transaction

{
	my $session = session($node, 'app');
	ask($session, q{SET idle_in_transaction_session_timeout = '200ms'; BEGIN; SELECT detach('user_roles', 1)});
	$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_locks WHERE objsubid = 19283})
	  or die 'the idle transaction does not end';
	ask($session, 'SELECT 1');
	$session->quit;
	nothing_left('user_roles', 'idle in transaction');
}
release_role_50();

# ---- a long list is given up soon after it is cancelled, wherever the call is

{
	my $session = session($node, 'app');
	is(ask($session, 'CREATE TEMP TABLE long AS SELECT array_agg(i) AS list, array_agg(i::text) AS texts,
		jsonb_object_agg(i, jsonb_build_object(\'status\', i)) AS object FROM generate_series(1, 500000) i'), '', 'long lists');
	for my $column (qw(list texts object))
	{
		for my $timeout (20, 100, 300, 700)
		{
			my $started = time;
			my $got = ask($session, "SET statement_timeout = $timeout; SELECT attach('doubled', 2, $column) FROM long");
			my $took = time - $started;

			like($got, qr/^ERROR: (57014|23503)$/, "$column after $timeout ms: given up");
			cmp_ok($took, '<', 2 + $timeout / 1000, "$column after $timeout ms: soon ($got)");
		}
	}
	$session->quit;
	nothing_left('doubled', 'long lists');
}

log_is_clean($node);

# ---- killed: the server restarts, without the call

for my $relation (qw(triggered user_roles))
{
	hold_role_50();
	my ($session, $pid) = waiting_call('sync', $relation);

	kill 'KILL', $pid;
	finish($session);
	wait_until_back($node);
	$session->quit;
	finish($holder), release_role_50();
	nothing_left($relation, "$relation, killed");
}

done_testing();
