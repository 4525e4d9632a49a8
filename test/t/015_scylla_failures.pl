# Peers that fail: each failure has its SQLSTATE, every wait ends at once by a cancel, a timeout or a
# termination, and ten thousand failed calls leave neither descriptors nor memory behind.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;

use BelongsToMany;
use CqlPeer;
use Test::More;
use Time::HiRes qw(time);

my $node = new_server('scylla');

$node->safe_psql('postgres', q{
	CREATE SCHEMA m2m;
	CREATE EXTENSION belongs_to_many SCHEMA m2m;
	ALTER DATABASE postgres SET search_path = public, m2m;

	-- Runs a statement so many times, each in a transaction; returns how often each SQLSTATE came of it.
	CREATE PROCEDURE run(statement text, times int, INOUT result text DEFAULT NULL) LANGUAGE plpgsql AS $$
	DECLARE
		outcome text;
		outcomes jsonb := '{}';
	BEGIN
		FOR i IN 1..times LOOP
			outcome := 'ok';
			BEGIN
				EXECUTE statement;
			EXCEPTION WHEN OTHERS THEN
				outcome := SQLSTATE;
			END;
			outcomes := outcomes || jsonb_build_object(outcome, coalesce((outcomes->>outcome)::int, 0) + 1);
			COMMIT;
		END LOOP;
		result := (SELECT string_agg(key || ':' || value, ' ' ORDER BY key) FROM jsonb_each_text(outcomes));
	END$$;

	-- What outlives a statement.
	CREATE VIEW memory AS
	SELECT count(*) FILTER (WHERE name LIKE 'belongs_to_many%') AS contexts,
		sum(total_bytes) FILTER (WHERE name ~ '^(belongs_to_many.*|TopMemoryContext|CacheMemoryContext)$') AS bytes
	FROM pg_backend_memory_contexts;
});

my $session = session($node, 'postgres');
my $ROWS = qq({"k": 1, "v": "one"}\n{"k": 2, "v": "two"});

# A server with these contact points, and its mapping; returns a query on it.
sub create_server
{
	my ($name, $hosts, %options) = @_;
	my %mapping = %{ delete $options{mapping} // {} };
	my $list = sub { my (%o) = @_; return join ', ', map { "$_ '$o{$_}'" } sort keys %o };
	my $server_options = $list->(hosts => $hosts, sslmode => 'disable', %options);
	my $mapping_options = %mapping ? 'OPTIONS (' . $list->(%mapping) . ')' : '';

	$node->safe_psql('postgres', qq{
		CREATE SERVER $name FOREIGN DATA WRAPPER scylla OPTIONS ($server_options);
		CREATE USER MAPPING FOR PUBLIC SERVER $name $mapping_options});
	return "SELECT scylla_query('$name', 'SELECT k FROM ks.t')";
}

# A query on a peer that plays a script.
sub scripted
{
	my ($script, %options) = @_;
	my $name = $script =~ s/-/_/gr . (delete $options{suffix} // '');
	return create_server($name, CqlPeer->start($script)->address, %options);
}

# SQLSTATE, message, detail and context of what fails; what it gives otherwise.
sub failure
{
	my ($sql) = @_;
	my $out = ask($session, qq{\\set VERBOSITY verbose\n$sql\n;\\set VERBOSITY sqlstate});

	$out =~ s/^LOCATION:.*\n?//mg;
	$out =~ s/^ERROR: (\w{5}): /$1: /m;
	$out =~ s/127\.0\.0\.1:\d+/HOST/g;
	return $out =~ s/\n+\z//r;
}

sub unreachable
{
	my ($sqlstate, $name, @reasons) = @_;
	return qq{$sqlstate: could not connect to server "$name"\nDETAIL:  } . join "\n", map { "HOST: $_" } @reasons;
}

# ---- no connection

my ($closed1, $closed2) = map { '127.0.0.1:' . CqlPeer::closed_port() } 1, 2;
my $closed = create_server('closed', "$closed1, $closed2");
my $full = CqlPeer->full;
my $silent = CqlPeer->start('silent');

is(failure($closed), unreachable('08001', 'closed', ('Connection refused') x 2), 'closed ports');
like(ask($session, qq{\\set VERBOSITY verbose\n$closed;\n\\set VERBOSITY sqlstate}), qr/DETAIL:  \Q$closed1: Connection refused\E\n\Q$closed2: Connection\E/,
	'host and port of each contact point');
like(failure(create_server('unknown', 'no-such-host.invalid')), qr/^08001: .*\nDETAIL:  no-such-host\.invalid:9042: \w/, 'an unknown host');
like(failure(create_server('ipv6', '[::1]:9')), qr/^08001: .*\nDETAIL:  \[::1\]:9: \w/, 'an address of IPv6');
like(failure(scripted('close-after-accept')), qr/^08001: .*\nDETAIL:  HOST: (?:the server has closed the connection|Connection reset by peer)$/,
	'a peer that closes at once');
is(failure(scripted('reset-after-accept')), unreachable('08001', 'reset_after_accept', 'Connection reset by peer'), 'a peer that resets the connection');
is(failure(create_server('silent', $silent->address, connect_timeout => '300ms')), unreachable('08001', 'silent', 'no answer within the connect_timeout'),
	'a silent peer');
is( failure(create_server('silent_tls', $silent->address, connect_timeout => '300ms', sslmode => 'require')),
	unreachable('08001', 'silent_tls', 'no TLS handshake within the connect_timeout'),
	'a peer that is silent in the TLS handshake');
is(failure(create_server('full_queue', $full->address, connect_timeout => '300ms')), unreachable('08001', 'full_queue', 'no connection within the connect_timeout'),
	'a peer that does not accept connections');
is(failure(scripted('silent-startup', connect_timeout => '300ms')), unreachable('08001', 'silent_startup', 'no answer within the connect_timeout'),
	'a peer that does not answer STARTUP');
like(failure(scripted('garbage')), qr/^08P01: could not connect to server "garbage"\nDETAIL:  HOST: \w/, 'another protocol');
like(failure(scripted('close-after-accept', suffix => '_tls', sslmode => 'require')),
	qr/^08001: .*\nDETAIL:  HOST: (?:the server has closed the connection|Connection reset by peer)$/, 'a peer that closes in the TLS handshake');
like(failure(scripted('version-error')), qr/^08P01: could not connect to server "version_error"\nDETAIL:  HOST: \w/, 'another version');
like(failure(scripted('overloaded')), qr/^53000: could not connect to server "overloaded"\nDETAIL:  HOST: \w/, 'an overloaded node');
like(failure(scripted('bootstrapping')), qr/^57P03: could not connect to server "bootstrapping"\nDETAIL:  HOST: \w/, 'a node that starts');
like(failure(create_server('no_ca', $silent->address, sslmode => 'verify-ca', sslrootcert => '/nonexistent/ca.pem')),
	qr{^F0000: .*\nDETAIL:  HOST: could not load root certificate file "/nonexistent/ca\.pem": }, 'no such CA file');

# ---- logins

my @LOGIN = (mapping => { username => 'app', password => 'secret' });
my $refusing = CqlPeer->start('login-failure');

is(failure(scripted('login', @LOGIN)), $ROWS, 'a login');
like(failure(create_server('wrong', $refusing->address . ", $closed1", @LOGIN)), qr/^28P01: could not connect to server "wrong"\nDETAIL:  HOST: \w.*$/,
	'a wrong password: no other contact point is tried');
like(failure(create_server('no_login', $refusing->address)), qr/^28000: could not connect to server "no_login"\nDETAIL:  HOST: \w/,
	'no login where one is needed');
like(failure(scripted('login-forever', @LOGIN)), qr/^(?:28000|08P01): could not connect/, 'challenges without end');
is(failure(scripted('login-silent', @LOGIN, connect_timeout => '300ms')), unreachable('08001', 'login_silent', 'no answer within the connect_timeout'),
	'a login without an answer');

$node->safe_psql('postgres', 'CREATE ROLE ordinary; GRANT USAGE ON SCHEMA m2m TO ordinary; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA m2m TO ordinary');
my $asking = create_server('asking', CqlPeer->start('login')->address, @LOGIN);
my $not_asking = create_server('not_asking', CqlPeer->start('good')->address, @LOGIN);
$node->safe_psql('postgres', 'GRANT USAGE ON FOREIGN SERVER asking, not_asking TO ordinary');
ask($session, 'SET ROLE ordinary');
is(failure($asking), $ROWS, 'an ordinary user with a password');
is(failure($not_asking), unreachable('2F003', 'not_asking', 'the server does not ask for a password, which only superusers may do without'),
	'an ordinary user whose password the server does not want');
ask($session, 'RESET ROLE');
is(failure($not_asking), $ROWS, 'a superuser may do without');

# ---- failover

my $good = CqlPeer->start('good');
my $failover = create_server('failover', join ', ', $closed1, CqlPeer->start('close-after-accept')->address, $good->address);
is(failure($failover), $ROWS, 'the contact point that answers');
is(ask($session, q{SELECT port FROM scylla_connections() WHERE server = 'failover'}), $good->port, 'it is connected to');

# ---- errors of the server

my %ERRORS = (
	'server' => '58000', 'protocol' => '08P01', 'unavailable' => '57P03', 'overloaded' => '53000', 'bootstrapping' => '57P03',
	'truncate' => '58000', 'write-timeout' => '08007', 'cas-timeout' => '08007', 'batch-timeout' => '08007', 'read-timeout' => '58000',
	'read-failure' => '58000', 'function-failure' => '38000', 'write-failure' => '08007', 'cdc-write-failure' => '53100',
	'cas-write-unknown' => '08007', 'syntax' => '42601', 'unauthorized' => '42501', 'invalid' => '42703', 'invalid-table' => '42P01',
	'invalid-other' => '22023', 'config' => '22023', 'already-exists' => '42P07', 'already-exists-keyspace' => '42P06',
	'unknown-code' => '58000', 'bad-utf8' => '22023', 'long' => '22023');
for my $name (sort keys %ERRORS)
{
	like(failure(scripted("error-$name")),
		qr/^$ERRORS{$name}: CQL error of server "error_\w+": \w.*\nDETAIL:  \w.{0,420}\nCONTEXT:  CQL statement: SELECT k FROM ks\.t$/,
		"error $name");
}
is(ask($session, q{SELECT count(*) FROM scylla_connections() WHERE server = 'error_syntax'}), '1', 'an error leaves the connection open');
like(failure(q{SELECT scylla_query('error_unavailable', 'SELECT k FROM ks.t')}), qr/DETAIL:  Cannot achieve consistency level LOCAL_QUORUM \(replicas: \d of \d\)/,
	'the numbers of replicas are told');
like(failure(q{SELECT scylla_query('error_bad_utf8', 'SELECT k FROM ks.t')}), qr/DETAIL:  bad \?\?\? bytes/, 'text that is no UTF-8');
like(failure(q{SELECT scylla_query('error_syntax', 'SELECT ' || repeat('x', 300))}), qr/CONTEXT:  CQL statement: SELECT x{193}\.\.\.$/, 'a long statement is cut');
like(failure(scripted('rate-limit')), qr/^53400: /, 'the rate limit');
like(failure(scripted('unprepared-forever') =~ s/ks\.t'/ks.t WHERE k = ?', '1'/r), qr/^26000: /, 'a statement that is forgotten time and again');
is(failure(scripted('unprepared-once') =~ s/ks\.t'/ks.t WHERE k = ?', '1'/r), $ROWS, 'and once');
like(failure(scripted('prepare-fails') =~ s/ks\.t'/ks.t WHERE k = ?', '1'/r), qr/^\w{5}: CQL error of server "prepare_fails": .*\nDETAIL:  \w.*\nCONTEXT:  CQL statement: SELECT k FROM ks\.t WHERE k = \?$/,
	'a statement that cannot be prepared');

# ---- answers about the schema that are none

sub import_schema
{
	my ($script) = @_;
	my ($name) = scripted($script) =~ /'(\w+)'/ or die;

	return "CREATE SCHEMA $name; IMPORT FOREIGN SCHEMA ks FROM SERVER $name INTO $name";
}

is(failure(import_schema('good')), '', 'tables are imported');
is(failure('SELECT * FROM good.t'), "1|one\n2|two", 'and can be read');
for my $script ('schema-void', 'schema-narrow')
{
	like(failure(import_schema($script)), qr/^08P01: server "\w+" has not told what was asked for\nCONTEXT:  CQL statement: SELECT table_name, /, $script);
}
is(failure(import_schema('prepared-few-markers') . q{; ALTER SERVER prepared_few_markers OPTIONS (write_mode 'immediate')}), '',
	'tables of a server that does not see markers');
for my $statement ('SELECT * FROM prepared_few_markers.t WHERE k = 1', q{INSERT INTO prepared_few_markers.t VALUES (1, 'one')})
{
	like(failure($statement), qr/^08P01: server "prepared_few_markers" has found 0 markers in a statement with \d\nCONTEXT:  CQL statement: /, $statement);
}
like(failure(import_schema('schema-deep')), qr/^54001: /, 'types without end');

# ---- connections that are lost, and answers that are none

my %LOST = (
	'stall' => '08006', 'stall-in-frame' => '08006', 'stall-in-header' => '08006', 'close-in-frame' => '08006', 'reset-in-frame' => '08006',
	'oversized-frame' => '54000', 'negative-length' => '08P01', 'wrong-stream' => '08P01', 'negative-stream' => '08P01',
	'wrong-opcode' => '08P01', 'unknown-opcode' => '08P01', 'compressed-garbage' => '08P01', 'compressed-bomb' => '54000',
	'length-too-long' => '08006', 'empty-body' => '08P01', 'rows-too-many' => '54000', 'columns-too-many' => '54000', 'deep-type' => '54000');
for my $name (sort keys %LOST)
{
	my $insert = scripted($name, request_timeout => '300ms') =~ s/SELECT k FROM ks.t/INSERT INTO ks.t (k) VALUES (1)/r;
	like(failure($insert), qr/^$LOST{$name}: connection to server "\w+" was lost\nDETAIL:  HOST: \w.*\nCONTEXT:  CQL statement: INSERT INTO ks\.t \(k\) VALUES \(1\)$/, $name);
}
is(ask($session, q{SELECT count(*) FROM scylla_connections() WHERE server IN ('stall', 'close_in_frame', 'wrong_stream')}), '0', 'such connections are closed');
like(failure(q{SELECT scylla_query('stall', 'SELECT k FROM ks.t')}), qr/DETAIL:  HOST: no answer within the request_timeout of 300 ms\n/, 'no answer in time');
is(ask($session, scripted('silent-register', max_in_flight => 1, request_timeout => '300ms')), 'ERROR: 08006',
	'a peer that leaves the only request that may be under way unanswered');
is(failure(scripted('flapping')), $ROWS, 'a read is tried again when its connection is lost');
like(failure(scripted('flapping', suffix => '_write') =~ s/SELECT k/INSERT INTO/r), qr/^08006: /, 'a write is not');
like(failure(scripted('pages-then-close')), qr/^08006: /, 'a connection that is lost between pages, twice');

# ---- waits end at once

my $stopped = CqlPeer->start('good');
my $stall = CqlPeer->start('stall');
my %WAITS = (
	connect => create_server('full_long', $full->address, connect_timeout => '60s'),
	tls => create_server('silent_tls_long', $silent->address, connect_timeout => '60s', sslmode => 'require'),
	login => create_server('silent_long', $silent->address, connect_timeout => '60s'),
	prepare => scripted('stall-prepare', request_timeout => '60s') =~ s/'SELECT k FROM ks.t'/'SELECT k FROM ks.t WHERE k = ?', '1'/r,
	receive => create_server('stall_long', $stall->address, request_timeout => '60s'),
	send => create_server('stopped', $stopped->address, request_timeout => '60s') =~ s/'SELECT k FROM ks.t'/'INSERT ' || repeat('x', 50000000)/r);

sub timed
{
	my ($what) = @_;
	my $start = time;
	my $result = $what->();

	return ($result, time - $start);
}

sub descriptors
{
	my ($pid) = @_;
	my @all = glob "/proc/$pid/fd/*";
	return scalar @all;
}

for my $wait (sort keys %WAITS)
{
	my $waiting = session($node, 'postgres');
	my $pid = backend_pid($waiting);

	if ($wait eq 'send')
	{
		ask($waiting, q{SELECT scylla_query('stopped', 'SELECT k FROM ks.t')});
		$stopped->pause;
	}
	ask($waiting, "SET statement_timeout = '100ms'");
	ask($waiting, $WAITS{$wait});
	my $before = descriptors($pid);
	my ($outcome, $seconds) = timed(sub { ask($waiting, $WAITS{$wait}) });
	is($outcome, 'ERROR: 57014', "$wait: statement_timeout");
	cmp_ok($seconds, '<', 1.1, "$wait: statement_timeout acts in time");

	ask($waiting, 'SET statement_timeout = 0');
	start($waiting, $WAITS{$wait});
	wait_until_waits($node, $pid, 'Extension');
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
	($outcome, $seconds) = timed(sub { finish($waiting) });
	is($outcome, 'ERROR: 57014', "$wait: cancel");
	cmp_ok($seconds, '<', 1, "$wait: cancel acts at once");
	is(descriptors($pid), $before, "$wait: descriptors");

	start($waiting, $WAITS{$wait});
	wait_until_waits($node, $pid, 'Extension');
	(undef, $seconds) = timed(sub {
		$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
		$node->poll_query_until('postgres', "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $pid)")});
	cmp_ok($seconds, '<', 1.5, "$wait: termination acts at once");
}
$stopped->resume;

{
	my $numbers = scripted('slow-numbers');

	ask($session, "SET statement_timeout = '100ms'");
	my ($outcome, $seconds) = timed(sub { ask($session, $numbers) });
	ask($session, 'SET statement_timeout = 0');
	is($outcome, 'ERROR: 57014', 'a cancel in the midst of a value');
	cmp_ok($seconds, '<', 1.3, 'it acts in time');
}

# ---- a cancel leaves the connection usable

{
	my $late = scripted('late');
	my $serial = q{SELECT host, port, in_flight FROM scylla_connections() WHERE server = 'late'};

	ask($session, "SET statement_timeout = '200ms'");
	is(ask($session, $late), 'ERROR: 57014', 'an answer that is not waited for');
	ask($session, 'SET statement_timeout = 0');
	like(ask($session, $serial), qr/\|1$/, 'its request is still under way');
	is(ask($session, $late), $ROWS, 'the next one gets its own answer');
	like(ask($session, $serial), qr/\|0$/, 'the answer to the first was swallowed');
}

# ---- a server that has fallen silent is found out, even if nobody waits for as long as its timeout

{
	my $silent_first = create_server('silent_first', CqlPeer->start('stall')->address . ', ' . $good->address, request_timeout => '1s');
	my @outcomes;

	ask($session, "SET statement_timeout = '250ms'");
	do { push @outcomes, ask($session, $silent_first) } until $outcomes[-1] ne 'ERROR: 57014' || @outcomes == 12;
	ask($session, 'SET statement_timeout = 0');
	is($outcomes[-1], $ROWS, 'the next contact point is taken in the end') or diag "@outcomes";
	cmp_ok(scalar @outcomes, '>', 3, 'not before the timeout has passed');
}

# ---- nothing is left behind

# Bytes of a process that no other has; OpenSSL's are no memory of PostgreSQL's.
sub resident
{
	my ($pid) = @_;
	my $status = PostgreSQL::Test::Utils::slurp_file("/proc/$pid/status");

	return 1024 * ($status =~ /^RssAnon:\s+(\d+)/m)[0];
}

sub stays_small
{
	my ($name, $outcome, $sql, $times, $before) = @_;
	my $used = session($node, 'postgres');
	my $pid = backend_pid($used);
	my $statement = '$$' . $sql . '$$';

	ask($used, "CALL run($statement, " . ($before // 50) . ')');
	ask($used, 'SELECT * FROM memory');
	my ($contexts, $bytes) = split /\|/, ask($used, 'SELECT * FROM memory');
	my ($descriptors, $resident) = (descriptors($pid), resident($pid));
	is(ask($used, "CALL run($statement, $times)"), "$outcome:$times", "$name: outcomes");
	is(descriptors($pid), $descriptors, "$name: descriptors");
	my ($contexts_after, $bytes_after) = split /\|/, ask($used, 'SELECT * FROM memory');
	is($contexts_after, $contexts, "$name: memory contexts");
	cmp_ok($bytes_after, '<=', $bytes + 65536, "$name: bytes");
	cmp_ok(resident($pid), '<=', $resident + 4 * 1048576, "$name: memory of the process");
	$used->quit;
	return;
}

sub on
{
	my ($server) = @_;
	return "SELECT scylla_query('$server', 'SELECT k FROM ks.t')";
}

stays_small('closed ports', '08001', $closed, 10_000);
stays_small('peer that closes', '08001', on('close_after_accept'), 10_000);
stays_small('errors of the server', '42601', on('error_syntax'), 10_000);
stays_small('lost connections', '08006', on('close_in_frame'), 1_000);
stays_small('malformed answers', '08P01', on('wrong_opcode'), 1_000);
stays_small('another protocol', '08P01', on('garbage'), 1_000);
stays_small('wrong password', '28P01', on('wrong'), 1_000);
stays_small('TLS', '08001', on('close_after_accept_tls'), 1_000);
stays_small('many statements', 'ok', q{SELECT scylla_query('failover', 'SELECT k FROM ks.t WHERE x = ' || random() || ' AND k = ?', '1')}, 10_000, 1_000);

log_is_clean($node);
done_testing();
