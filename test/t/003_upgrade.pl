# pg_upgrade keeps the files of tables and so the numbers in stored relations; everything else it
# restores object by object, the extension's own objects too.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;

use BelongsToMany;
use DumpSample;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $old = new_server('old');
my $new = PostgreSQL::Test::Cluster->new('new');
$new->init;

create_dump_sample($old, 'original');
my $contents = contents($old, 'original');
my $dump = dump_text($old, 'original');
$old->stop;

# pg_upgrade writes files of its own into the current folder
chdir PostgreSQL::Test::Utils::tempdir or die "chdir: $!";
$new->command_ok(
	[   'pg_upgrade', '--no-sync',
		'-d', $old->data_dir, '-D', $new->data_dir,
		'-b', $old->config_data('--bindir'), '-B', $new->config_data('--bindir'),
		'-s', $new->host, '-p', $old->port, '-P', $new->port ],
	'pg_upgrade');

$new->start;
is(contents($new, 'original'), $contents, 'same relations and results');
is(dump_text($new, 'original'), $dump, 'same dump');
is( outcome($new, 'original', q{
		ALTER TABLE app.user_roles RENAME COLUMN role_id TO role;
		ALTER TABLE app.user_roles SET SCHEMA zoo;
		SELECT "m 2 m".related_ids(copy, 1) FROM aaa.holder WHERE id IN (2, 4) ORDER BY id}),
	"[2, 3]\n[1, 2, 3]", 'stored relations still follow renames');

log_is_clean($old);
log_is_clean($new);
done_testing();
