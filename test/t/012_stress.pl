# Eight clients call operations at random on few parents, from both sides of a relation. At READ
# COMMITTED no call fails; above, calls fail with 40001 and nothing else. No pair is ever doubled,
# and what the calls say they have done adds up to the rows that are there.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;

use BelongsToMany;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

my %SECONDS = ('read committed' => 2, 'repeatable read' => 1, 'serializable' => 1);
my $scripts = 0;
my $node = new_server('stress', max_connections => 30, deadlock_timeout => '100ms');
my $folder = PostgreSQL::Test::Utils::tempdir;

create_sample($node, 'app');
$node->safe_psql('app', q{
	SET client_min_messages = warning;
	CREATE TABLE plain (user_id int NOT NULL REFERENCES users, role_id int NOT NULL REFERENCES roles, status text);
	CREATE INDEX ON plain (user_id);
	CREATE TABLE parted (user_id int NOT NULL REFERENCES users, role_id int NOT NULL REFERENCES roles, status text,
		PRIMARY KEY (user_id, role_id)) PARTITION BY HASH (role_id);
	CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
	CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
	SELECT create_relation('plain', belongs_to_many('users', 'roles', 'plain'));
	SELECT create_relation('parted', belongs_to_many('users', 'roles', 'parted'));
	CREATE TABLE log (change int NOT NULL)});

# Each is one transaction with one call; it logs by how many rows the pivot has grown.
my @CALLS = (
	q{SELECT attach(RELATION, :parent, ARRAY[:a, :b, :c])},
	q{SELECT attach(RELATION, :parent, ARRAY[:f, :e, :d, :c, :b, :a], '{"status": "x"}')},
	q{SELECT attach(RELATION, :parent, jsonb_build_array(:a, jsonb_build_object(:b, '{"status": "y"}'::jsonb)))},
	q{SELECT attach(RELATION, :parent, ARRAY(SELECT generate_series(:a, 10 * :b)))},
	q{SELECT jsonb_array_length(attached) - jsonb_array_length(detached)
		FROM sync(RELATION, :parent, ARRAY(SELECT generate_series(:b, 10 * :a)))},
	q{SELECT -detach(RELATION, :parent, ARRAY[:a, :b, :c, :d])},
	q{SELECT -detach(RELATION, :parent, :e)},
	q{SELECT -detach(RELATION, :parent)},
	q{SELECT jsonb_array_length(attached) - jsonb_array_length(detached) FROM sync(RELATION, :parent, ARRAY[:d, :c, :a])},
	q{SELECT jsonb_array_length(attached) - jsonb_array_length(detached)
		FROM sync(RELATION, :parent, ARRAY[:a, :b, :c, :d, :e, :f], attributes => jsonb_build_object('status', :f::text))},
	q{SELECT jsonb_array_length(attached) FROM sync_without_detaching(RELATION, :parent, ARRAY[:b, :f], '{"status": "z"}')},
	q{SELECT jsonb_array_length(attached) - jsonb_array_length(detached) FROM toggle(RELATION, :parent, ARRAY[:c, :a, :f, :e])},
	q{SELECT 0 * update_existing_pivot(RELATION, :parent, ARRAY[:e, :c, :a], jsonb_build_object('status', :b::text))},
	q{SELECT 0 * count_related(RELATION, :parent)});

# Statements of others, which take no lock of ours: harmless beside a unique index.
my @OTHERS = (
	q{WITH i AS (INSERT INTO TABLE VALUES (:parent, :a, 'p') ON CONFLICT DO NOTHING RETURNING 1)
		INSERT INTO log SELECT count(*) FROM i},
	q{WITH d AS (DELETE FROM TABLE WHERE user_id = :parent AND role_id = :b RETURNING 1)
		INSERT INTO log SELECT -count(*) FROM d});

sub script
{
	my ($table, $others) = @_;
	my @statements;

	for my $relation ("'$table'", "inverse('$table')")
	{
		push @statements, map { 'INSERT INTO log ' . s/RELATION/$relation/gr } @CALLS;
	}
	push @statements, map { s/TABLE/$table/gr } (@OTHERS) x 2 if $others;

	my $text = join '', map { "\\set $_ random(1, 8)\n" } qw(a b c d e f);
	$text .= "\\set parent random(1, 3)\n\\set call random(1, " . @statements . ")\n";
	for my $i (1 .. @statements)
	{
		$text .= ($i == 1 ? '\if' : '\elif') . " :call = $i\n$statements[$i - 1];\n";
	}
	return "$text\\endif\n";
}

# Runs the clients for a while. Meanwhile the statements of $ddl are run in turn, in a session of
# their own; their errors, each once, are returned.
sub run_clients
{
	my ($file, $isolation, $ddl, $out, $err) = @_;
	my $session = session($node, 'app');
	my ($i, %errors) = (0);

	local $ENV{PGOPTIONS} = '-c default_transaction_isolation=' . $isolation =~ s/ /\\ /r;
	local @ENV{qw(PGHOST PGPORT)} = ($node->host, $node->port);
	my $run = IPC::Run::start(
		[ 'pgbench', '-n', '-c', '8', '-j', '2', '-T', $SECONDS{$isolation}, '--failures-detailed', '-f', $file, 'app' ],
		'>', $out, '2>', $err);

	# to the end of a turn, which leaves everything as it was
	while (@$ddl && ($run->pumpable || $i % @$ddl))
	{
		my $answer = ask($session, $ddl->[ $i++ % @$ddl ]);
		$errors{$answer}++ if $answer ne '';
		$run->pump_nb if $run->pumpable;
	}
	$run->finish;
	$session->quit;
	note 'statements run beside: ', $i;
	return join "\n", sort keys %errors;
}

sub stress
{
	my ($name, $table, $isolation, $others, @ddl) = @_;
	my $file = "$folder/script." . ++$scripts;
	my ($out, $err) = ('', '');

	$node->safe_psql('app', "TRUNCATE log, $table");
	PostgreSQL::Test::Utils::append_to_file($file, script($table, $others));
	is(run_clients($file, $isolation, \@ddl, \$out, \$err), '', "$name: statements beside") if @ddl;
	run_clients($file, $isolation, [], \$out, \$err) unless @ddl;

	unlike($err, qr/error|abort/i, "$name: no other error");
	like($out, qr/^number of deadlock failures: 0 /m, "$name: no deadlock");
	like($out, qr/^number of serialization failures: 0 /m, "$name: no serialization failure")
	  if $isolation eq 'read committed';
	my ($done) = $out =~ /^number of transactions actually processed: (\d+)/m;
	cmp_ok($done // 0, '>', 300, "$name: transactions");
	note $out;

	is($node->safe_psql('app', "SELECT user_id, role_id, count(*) FROM $table GROUP BY 1, 2 HAVING count(*) > 1"), '',
		"$name: no pair is doubled");
	is($node->safe_psql('app', 'SELECT coalesce(sum(change), 0) FROM log'),
		$node->safe_psql('app', "SELECT count(*) FROM $table"), "$name: reports add up");
	is(our_locks($node), '0', "$name: no lock is left");
	return;
}

stress('unique index, read committed', 'user_roles', 'read committed', 1);
stress('no unique index, read committed', 'plain', 'read committed', 0);
stress('partitions, read committed', 'parted', 'read committed', 1);
stress('unique index, repeatable read', 'user_roles', 'repeatable read', 1);
stress('no unique index, repeatable read', 'plain', 'repeatable read', 0);
stress('unique index, serializable', 'user_roles', 'serializable', 0);
stress('no unique index, serializable', 'plain', 'serializable', 0);

# ---- while the tables, the index and the relation itself change

my $PAUSE = 'DO $$BEGIN PERFORM pg_sleep(0.05); END$$';
my @DDL = (
	q{ALTER TABLE plain RENAME COLUMN role_id TO role},
	q{SELECT create_relation('plain', with_pivot(inverse(inverse('plain')), 'status'), replace => true)},
	q{ALTER TABLE plain ADD COLUMN more int DEFAULT 1},
	q{ANALYZE plain},
	q{ALTER TABLE plain RENAME TO pivot; ALTER TABLE pivot DROP COLUMN more},
	q{ALTER TABLE roles RENAME COLUMN id TO "the id"},
	q{VACUUM pivot},
	q{ALTER TABLE pivot RENAME TO plain},
	q{BEGIN; ALTER TABLE plain RENAME COLUMN role TO role_id; CREATE INDEX ON plain (role_id); COMMIT},
	q{DROP INDEX plain_role_id_idx},
	q{ALTER TABLE roles RENAME COLUMN "the id" TO id});
stress('no unique index, DDL', 'plain', 'read committed', 0, @DDL);
stress('a unique index that comes and goes', 'plain', 'read committed', 0,
	q{CREATE UNIQUE INDEX pair ON plain (user_id, role_id)}, $PAUSE, q{DROP INDEX pair}, $PAUSE);

log_is_clean($node);
done_testing();
