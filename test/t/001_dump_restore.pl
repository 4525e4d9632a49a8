# A dump of any form restores a database with the same saved relations, the same stored relations
# and the same results, and a dump of the copy is the same as that of the original.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;

use BelongsToMany;
use DumpSample;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('dump');
my $folder = PostgreSQL::Test::Utils::tempdir;
my $copies = 0;

create_dump_sample($node, 'original');
my $contents = contents($node, 'original');
my $dump = dump_text($node, 'original');

sub pg
{
	my ($what, $program, @arguments) = @_;
	$node->command_ok([ $program, @arguments ], $what);
	return;
}

# An empty database to restore into.
sub new_copy
{
	my $name = 'copy_' . ++$copies;
	$node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE template0");
	return $name;
}

sub same_as_original
{
	my ($name, $how) = @_;

	is(contents($node, $name), $contents, "$how: same relations and results");
	is(dump_text($node, $name), $dump, "$how: same dump");
	return;
}

sub restore_plain
{
	my ($how, @options) = @_;
	my $name = new_copy();
	my $file = "$folder/$name.sql";

	pg("$how: dump", 'pg_dump', @options, '-f', $file, 'original');
	pg("$how: restore", 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', "$folder/psql.out", '-f', $file, $name);
	same_as_original($name, $how);
	return $name;
}

like($contents, qr/^app\|Everything\|app\.users\|app\.roles\|app\.user_roles\|\{.*"where"/m,
	'the original has its relations');
like($dump, qr/^COPY "m 2 m"\.belongs_to_many_store /m, 'the store is in the dump');
unlike($dump, qr/temporary|dropped/, 'relations of temporary and dropped tables are not');

my $plain = restore_plain('plain');
restore_plain('plain, INSERT with column names', '--column-inserts', '--no-owner');

# over what is there, twice
for my $time (1, 2)
{
	my $file = "$folder/clean.sql";
	pg("clean $time: dump", 'pg_dump', '--clean', '--if-exists', '-f', $file, 'original');
	pg("clean $time: restore",
		'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', "$folder/psql.out", '-f', $file, $plain);
	same_as_original($plain, "clean $time");
}

pg('custom: dump', 'pg_dump', '-Fc', '-f', "$folder/custom", 'original');
my $custom = new_copy();
pg('custom: restore with two jobs', 'pg_restore', '-j2', '--exit-on-error', '-d', $custom, "$folder/custom");
same_as_original($custom, 'custom, two jobs');

pg('directory: dump with two jobs', 'pg_dump', '-Fd', '-j2', '-f', "$folder/directory", 'original');
my $directory = new_copy();
pg('directory: restore in one transaction',
	'pg_restore', '--single-transaction', '-d', $directory, "$folder/directory");
same_as_original($directory, 'directory');

my $sections = new_copy();
for my $section (qw(pre-data data post-data))
{
	pg("$section: dump", 'pg_dump', "--section=$section", '-Fc', '-f', "$folder/$section", 'original');
	pg("$section: restore", 'pg_restore', '--exit-on-error', '-d', $sections, "$folder/$section");
}
same_as_original($sections, 'sections');

# the same in reverse: sections picked from one dump, with two jobs
my $picked = new_copy();
for my $section (qw(pre-data data post-data))
{
	pg("$section: restore from a whole dump",
		'pg_restore', '-j2', "--section=$section", '--exit-on-error', '-d', $picked, "$folder/custom");
}
same_as_original($picked, 'sections of a whole dump');

# a copy of the files: numbers stay as they are
$node->safe_psql('postgres', 'CREATE DATABASE twin TEMPLATE original');
same_as_original('twin', 'template');

log_is_clean($node);
done_testing();
