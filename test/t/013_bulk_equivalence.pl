# The bulk path makes no difference that anybody could see: the same random calls on the same
# tables, with the path off in one database and taken wherever it can be in the other, come to the
# same. After each call these are compared:
#
#   - what it returns, or its error: SQLSTATE, message, DETAIL, HINT, and the constraint it names;
#   - all rows of the pivot, and the row locks on the tables it references;
#   - how many rows of each table were inserted, updated and deleted (pg_stat_xact_user_tables),
#     where nothing was rolled back.
#
# Other counters may differ: those of scans, which the path saves; of rows that were inserted and
# rolled back, where it has failed and the ordinary way was gone; of HOT updates, which depend on
# the room that these left in a page. So may the steps by which sequences go on: both an INSERT that
# is taken back and one that finds a pair in its way use up numbers.
#
# BTM_EQUIVALENCE_SEEDS    seeds of the sequences for each shape, FIRST-LAST, by default 1-1; ten
#                          seconds each
# BTM_EQUIVALENCE_STEPS    how many calls in a sequence, by default 30
# BTM_EQUIVALENCE_SHAPES   only shapes whose names match this pattern
#
# A sequence is a script for psql. Those that came to different ends are kept with their output.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;

use BelongsToMany;
use BulkScript;
use BulkShapes;
use IPC::Run ();
use PostgreSQL::Test::Utils;
use Test::More;

my ($first, $last) = split /-/, $ENV{BTM_EQUIVALENCE_SEEDS} || '1-1';
my $STEPS = $ENV{BTM_EQUIVALENCE_STEPS} || 30;
my $ONLY = $ENV{BTM_EQUIVALENCE_SHAPES} || '.';

# Database => what belongs_to_many.bulk_path is there, and where the path can always be taken.
my %DATABASES = (ordinary => [ 'off', 'off' ], bulk => [ 'auto', 'on' ]);

my $node = new_server('equivalence', autovacuum => 'off', log_statement => 'none');
my ($major) = $node->safe_psql('postgres', 'SHOW server_version_num') =~ /^(\d+)\d{4}$/;
my $folder = "$PostgreSQL::Test::Utils::tmp_check/equivalence";
mkdir $folder;

$node->safe_psql('postgres', q{
	CREATE ROLE regress_outsider;
	CREATE ROLE regress_owner;
	CREATE ROLE regress_writer;

	CREATE DATABASE bulk ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0;	-- ICU collations need it
	});
$node->safe_psql('bulk', $BulkScript::DATABASE_SQL);
$node->safe_psql('postgres', 'CREATE DATABASE ordinary TEMPLATE bulk');

# Runs a script in each database at once, and returns the outputs.
sub run_scripts
{
	my ($name, $script) = @_;
	my (%output, @runs);

	for my $database (sort keys %DATABASES)
	{
		my $file = "$folder/$name.$database.sql";
		my ($auto, $always) = @{ $DATABASES{$database} };

		append_to_file($file, $script =~ s/%auto%/$auto/gr =~ s/%always%/$always/gr);
		push @runs, IPC::Run::start(
			[ $node->installed_command('psql'), '-XqAt', '-d', $node->connstr($database), '-f', $file ],
			'<' => \undef, '>&' => \$output{$database});
	}
	IPC::Run::finish($_) for @runs;
	return \%output;
}

my (%errors, %paths);
my ($sequences, $steps, $changes, $in_bulk) = (0, 0, 0, 0);

sub compare
{
	my ($shape, $seed, $script) = @_;
	my $name = schema($shape) . "_$seed";
	my $output = run_scripts($name, $script->{text});
	my ($ordinary, $bulk) = map { parse_output($shape, $_) } @$output{qw(ordinary bulk)};
	my @differences = differences($script, $ordinary, $bulk);

	unshift @differences, 'the path is off, but was taken' if $ordinary->{in_bulk};
	$paths{ $shape->{name} } = path_taken($bulk->{probe});
	$sequences++;
	$steps += @{ $script->{steps} };
	$changes += $ordinary->{changes};
	$in_bulk += $bulk->{in_bulk};
	$errors{$_} += $ordinary->{errors}{$_} for keys %{ $ordinary->{errors} };
	ok(!@differences, "$shape->{name}, seed $seed: the same in both databases");
	append_to_file("$folder/$name.$_.out", $output->{$_}) for sort keys %$output;
	return unless @differences;

	diag("the scripts and their outputs are $folder/$name.*");
	diag($_) for @differences[ 0 .. ($#differences > 2 ? 2 : $#differences) ];
	return;
}

for my $shape (grep { $_->{name} =~ /$ONLY/ } shapes($major))
{
	compare($shape, $_, make_script($shape, $_, $STEPS)) for $first .. $last;
	is($paths{ $shape->{name} }, $shape->{path}, "$shape->{name}: the path taken");
}

note(sprintf '%d sequences on %d shapes, %d steps, of which %d changed rows; %d calls took the path',
	$sequences, scalar keys %paths, $steps, $changes, $in_bulk);
note(sprintf '%-52s %s', $_, $paths{$_}) for sort { $paths{$a} cmp $paths{$b} || $a cmp $b } keys %paths;
note("errors: " . join ', ', map { "$_: $errors{$_}" } sort keys %errors);

# It compares something: enough of the calls do what they are meant to, and the others fail in
# the ways that there are.
if ($ONLY eq '.')
{
	cmp_ok($changes, '>', $steps / 4, 'many steps change rows');
	cmp_ok($in_bulk, '>', $steps / 8, 'many calls take the path');
	is_deeply([ grep { !$errors{$_} } qw(22012 22P02 23502 23503 23505 23514 23P01 42501) ],
		[], 'many kinds of errors are met');
}

done_testing();
