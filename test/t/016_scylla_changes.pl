# Servers and mappings that change while they are looked at.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;

use BelongsToMany;
use CqlPeer;
use Test::More;

my $node = new_server('scylla');
my $good = CqlPeer->start('good');
my $closed = '127.0.0.1:' . CqlPeer::closed_port();

$node->safe_psql('postgres', qq{
	CREATE EXTENSION belongs_to_many;
	CREATE SERVER shown FOREIGN DATA WRAPPER scylla OPTIONS (hosts '@{[$good->address]}', sslmode 'disable');
	CREATE USER MAPPING FOR PUBLIC SERVER shown;
	CREATE SERVER made FOREIGN DATA WRAPPER scylla OPTIONS (hosts '$closed', sslmode 'disable');
	CREATE USER MAPPING FOR PUBLIC SERVER made;
	CREATE ROLE ordinary;
	GRANT USAGE ON FOREIGN SERVER made TO ordinary;
	GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO ordinary});

my $session = session($node, 'postgres');
my $pid = backend_pid($session);
my $other = session($node, 'postgres');

# Runs a statement while a catalog is locked, and changes a server before the statement gets it (if it needs it).
sub change_meanwhile
{
	my ($statement, $change) = @_;

	ask($other, 'BEGIN; LOCK TABLE pg_user_mapping IN ACCESS EXCLUSIVE MODE');
	start($session, $statement);
	$node->poll_query_until('postgres', "SELECT wait_event_type = 'Lock' OR state = 'idle' FROM pg_stat_activity WHERE pid = $pid") or die;
	ask($other, "$change; COMMIT");
	return finish($session);
}

# ---- a server that is looked at for the first time: what is changed then counts, from the next transaction on at least

# Server and mapping are in the caches already, by a call of a user that becomes another by the next one.
my $query = "SELECT count(*) FROM scylla_query('made', 'SELECT k FROM ks.t')";
ask($session, 'SET ROLE ordinary');
is(ask($session, $query), 'ERROR: 2F003', 'an ordinary user without a password');
ask($other, 'ALTER ROLE ordinary SUPERUSER');
change_meanwhile($query, "ALTER SERVER made OPTIONS (SET hosts '@{[$good->address]}')");
is(ask($session, $query), '2', 'a change while a server was looked at for the first time');
ask($session, 'RESET ROLE');
ask($session, q{SELECT scylla_disconnect('made')});

# ---- connections that are being shown

ask($session, "SELECT count(*) FROM scylla_query('shown', 'SELECT k FROM ks.t')");
my $show = 'SELECT server, user_name, host, port, dc, valid FROM scylla_connections()';
like(change_meanwhile($show, q{ALTER SERVER shown OPTIONS (ADD compression 'none')}),
	qr/^shown\|public\|127\.0\.0\.1\|@{[$good->port]}\|dc1\|t$/, 'a change while connections are shown');
is(ask($session, $show), '', 'it has closed them');

log_is_clean($node);
done_testing();
