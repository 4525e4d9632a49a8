# What the TAP tests share: servers with a sample many-to-many relation, and sessions that can be
# asked, started and waited for one by one.
#
#   new_server(NAME, setting => value, ...)   a server that is initialized and running
#   create_sample(NODE, DATABASE)             extension, tables, saved relation 'user_roles'
#   outcome(NODE, DATABASE, SQL)              output of SQL, then "ERROR: sqlstate" if it failed
#   session(NODE, DATABASE)                   a psql that stays connected
#   ask(SESSION, SQL)                         as outcome, in a session
#   start(SESSION, SQL), finish(SESSION)      the two halves of ask
#   backend_pid(SESSION), wait_until_waits(NODE, PID, TYPE)
#   wait_until_back(NODE)                     after a crash
#   our_locks(NODE)                           locks of the extension's lock class that anybody holds
#   log_is_clean(NODE)                        a test: the server has logged neither crashes nor leaks
package BelongsToMany;

use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

our @EXPORT = qw(new_server create_sample outcome session ask start finish backend_pid
  wait_until_back wait_until_waits our_locks log_is_clean);

# pg_locks shows the extension's lock class so.
my $LOCK_CLASS = 19283;

my $DONE = 'the session has answered';

sub new_server
{
	my ($name, %settings) = @_;
	my $init = delete $settings{init} || [];
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(@$init);

	# what waits forever is to fail instead
	$node->append_conf('postgresql.conf', "lock_timeout = '60s'\nstatement_timeout = '120s'");
	$node->append_conf('postgresql.conf', "$_ = '$settings{$_}'") for sort keys %settings;
	$node->start;
	return $node;
}

# Users 1..100 and roles 1..100; a pivot with a unique index on the pair.
sub create_sample
{
	my ($node, $database) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $database") if $database ne 'postgres';
	$node->safe_psql($database, qq{
		CREATE SCHEMA m2m;
		CREATE EXTENSION belongs_to_many SCHEMA m2m;
		ALTER DATABASE $database SET search_path = public, m2m;
		SET search_path = public, m2m;

		CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL);
		CREATE TABLE roles (id int PRIMARY KEY, name text NOT NULL);
		CREATE TABLE user_roles (
			user_id int NOT NULL REFERENCES users,
			role_id int NOT NULL REFERENCES roles,
			status text NOT NULL DEFAULT 'active',
			PRIMARY KEY (user_id, role_id));
		INSERT INTO users SELECT i, 'user ' || i FROM generate_series(1, 100) i;
		INSERT INTO roles SELECT i, 'role ' || i FROM generate_series(1, 100) i;
		SELECT create_relation('user_roles', with_pivot(belongs_to_many('users', 'roles'), 'status'));
	});
	return;
}

# One text of what a psql printed on both channels: errors without position, no blank lines (void
# results).
sub _joined
{
	my ($out, $err) = @_;

	$err =~ s/^psql:<stdin>:\d+: //gm;
	$err =~ s/^ERROR:  /ERROR: /gm;
	return join "\n", grep { $_ ne '' } split /\n/, "$out\n$err";
}

sub outcome
{
	my ($node, $database, $sql) = @_;
	my ($out, $err) = ('', '');

	$node->psql(
		$database, "\\set VERBOSITY sqlstate\nSET client_min_messages = warning;\n$sql",
		stdout => \$out,
		stderr => \$err,
		on_error_stop => 1);
	return _joined($out, $err);
}

sub session
{
	my ($node, $database) = @_;
	my $session = $node->background_psql($database, on_error_stop => 0);

	ask($session, "\\set VERBOSITY sqlstate\nSET client_min_messages = warning;");
	return $session;
}

sub start
{
	my ($session, $sql) = @_;

	@$session{qw(stdout stderr)} = ('', '');
	$session->{stdin} .= "$sql\n;\n\\echo '$DONE'\n\\warn '$DONE'\n";
	$session->{run}->pump_nb;
	return;
}

# Waits until a server that restarts by itself lets clients in. (Not by queries: a psql that is
# refused does not read them, and the test would die of the broken pipe.)
sub wait_until_back
{
	my ($node) = @_;

	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return if system('pg_isready', '-q', '-d', $node->connstr('postgres')) == 0;
		usleep(100_000);
	}
	die 'the server does not come back';
}

# What a session answers to start; what it has said so far if its connection was lost.
sub finish
{
	my ($session) = @_;
	my $answered = sub { $session->{stdout} =~ /^$DONE$/m && $session->{stderr} =~ /^$DONE$/m };

	until ($answered->())
	{
		die 'a session does not answer' if $session->{timeout}->is_expired;
		last unless eval { $session->{run}->pump };
	}
	return _joined(map { s/^$DONE$//mr } @$session{qw(stdout stderr)});
}

sub ask
{
	my ($session, $sql) = @_;

	start($session, $sql);
	return finish($session);
}

sub backend_pid
{
	my ($session) = @_;
	return ask($session, 'SELECT pg_backend_pid();');
}

# Waits until a backend waits for something of this wait_event_type.
sub wait_until_waits
{
	my ($node, $pid, $type) = @_;

	$node->poll_query_until('postgres',
		"SELECT wait_event_type = '$type' FROM pg_stat_activity WHERE pid = $pid")
	  or die "backend $pid does not wait for a $type";
	return;
}

sub our_locks
{
	my ($node) = @_;
	return $node->safe_psql('postgres',
		"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = $LOCK_CLASS");
}

# PostgreSQL warns of what a statement that has ended left behind: buffers, snapshots, tuple
# descriptors, relations, plans.
sub log_is_clean
{
	my ($node) = @_;
	my @complaints =
	  grep { !/FATAL:  (?:terminating|the database system is|connection to client lost)/ }
	  grep { /(?:PANIC|TRAP|FATAL|WARNING): |terminated by signal|reference leak|leaked/ }
	  split /\n/, PostgreSQL::Test::Utils::slurp_file($node->logfile);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(join("\n", @complaints), '', $node->name . ': no crash, no leak');
	return;
}

1;
