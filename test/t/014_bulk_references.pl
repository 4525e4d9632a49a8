# Pairs are attached in bulk while others delete the rows they reference, or change their keys. What
# then is there has its references, and calls fail in no other way than the constraints' triggers
# make them: 23503, 40001, 40P01.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;

use BelongsToMany;
use PostgreSQL::Test::Utils;
use Test::More;

my $SECONDS = 2;
my $node = new_server('references', max_connections => 30, deadlock_timeout => '100ms');
my $folder = PostgreSQL::Test::Utils::tempdir;

# Referenced rows are deleted from a table, from a partitioned one, and together with the pairs;
# a changed key can move a row to another partition.
$node->safe_psql('postgres', q{
	CREATE SCHEMA m2m;
	CREATE EXTENSION belongs_to_many SCHEMA m2m;
	CREATE TABLE users (id int PRIMARY KEY);
	CREATE TABLE roles (id int PRIMARY KEY);
	CREATE TABLE tags (id int PRIMARY KEY) PARTITION BY RANGE (id);
	CREATE TABLE tags_1 PARTITION OF tags FOR VALUES FROM (1) TO (20);
	CREATE TABLE tags_2 PARTITION OF tags DEFAULT;
	CREATE TABLE user_roles (user_id int REFERENCES users, role_id int REFERENCES roles, tag_id int REFERENCES tags,
		PRIMARY KEY (user_id, role_id));
	CREATE TABLE user_tags (user_id int REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE,
		tag_id int REFERENCES tags ON DELETE CASCADE ON UPDATE CASCADE,
		role_id int REFERENCES roles ON DELETE SET NULL ON UPDATE CASCADE, PRIMARY KEY (user_id, tag_id));
	CREATE TABLE links (role_id int REFERENCES roles ON DELETE CASCADE, other_id int REFERENCES roles ON DELETE CASCADE,
		via_id int, PRIMARY KEY (role_id, other_id),
		FOREIGN KEY (role_id, via_id) REFERENCES links ON DELETE CASCADE);
	SELECT m2m.create_relation('user_roles', m2m.belongs_to_many('users', 'roles', 'user_roles', 'user_id', 'role_id'));
	SELECT m2m.create_relation('user_tags', m2m.belongs_to_many('users', 'tags', 'user_tags', 'user_id', 'tag_id'));
	SELECT m2m.create_relation('links', m2m.belongs_to_many('roles', 'roles', 'links', 'role_id', 'other_id', 'id', 'id'));
	CREATE TABLE log (who text, state text, message text);

	CREATE FUNCTION attempt(who text, query text) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		EXECUTE query;
		INSERT INTO log VALUES (who, '00000');
	EXCEPTION WHEN OTHERS THEN
		INSERT INTO log VALUES (who, SQLSTATE, SQLERRM);
	END $$;

	CREATE FUNCTION some_ids() RETURNS int[] LANGUAGE sql AS $$
		SELECT array_agg(1 + floor(random() * 30)::int) FROM generate_series(1, 5 + floor(random() * 6)::int) $$;
	CREATE FUNCTION many_ids(highest int) RETURNS int[] LANGUAGE sql AS 'SELECT array_agg(i) FROM generate_series(1, highest) i';
	INSERT INTO users SELECT generate_series(1, 4);
	INSERT INTO roles SELECT generate_series(1, 300);
	INSERT INTO tags SELECT generate_series(1, 300)});

my @CALLS = (
	q{SELECT m2m.attach('user_roles', :user, some_ids())},
	q{SELECT m2m.attach('user_roles', :user, some_ids(), '{"tag_id": :id}')},
	q{SELECT m2m.attach('user_roles', :user, many_ids(280))},
	q{SELECT m2m.detach('user_roles', :user)},
	q{SELECT m2m.sync('user_roles', :user, some_ids())},
	q{SELECT m2m.toggle('user_roles', :user, some_ids(), '{"tag_id": :id}')},
	q{SELECT m2m.attach('user_tags', :user, some_ids(), '{"role_id": :id}')},
	q{SELECT m2m.attach('user_tags', :user, many_ids(280))},
	q{SELECT m2m.sync('user_tags', :user, some_ids(), attributes => '{"role_id": :id}')},
	q{SELECT m2m.attach('links', :id, some_ids(), '{"via_id": :user}')},
	q{SELECT m2m.sync('links', :id, '{1,2,3,4,5}')},
	q{SELECT m2m.detach('links', :id)});

my @OTHERS = (
	'DELETE FROM roles WHERE id = :id',
	'DELETE FROM tags WHERE id = :id',
	'DELETE FROM users WHERE id = :user',
	'DELETE FROM links WHERE other_id = :id',
	'DELETE FROM user_roles WHERE role_id = :id',
	'UPDATE roles SET id = 1000 - id WHERE id = :id',
	'UPDATE tags SET id = 1000 - id WHERE id = :id',
	'INSERT INTO roles SELECT generate_series(1, 300) ON CONFLICT DO NOTHING',
	'INSERT INTO tags SELECT generate_series(1, 300) ON CONFLICT DO NOTHING',
	'INSERT INTO users SELECT generate_series(1, 4) ON CONFLICT DO NOTHING',
	'INSERT INTO users SELECT generate_series(1, 4) ON CONFLICT DO NOTHING');

# A script for pgbench that attempts one of the statements.
sub script
{
	my ($who, $isolation, @statements) = @_;
	my $text = "\\set id random(1, 30)\n\\set user random(1, 4)\n\\set n random(1, " . @statements . ")\n" .
	  "BEGIN ISOLATION LEVEL $isolation;\n";

	for my $i (1 .. @statements)
	{
		$text .= ($i == 1 ? '\if' : '\elif') . " :n = $i\nSELECT attempt('$who', \$\$$statements[$i - 1]\$\$);\n";
	}
	return "$text\\endif\nCOMMIT;\n";
}

sub run_scripts
{
	my ($isolation, $bulk_path) = @_;
	my %scripts = (calls => script('calls', $isolation, @CALLS), others => script('others', $isolation, @OTHERS));
	my @files;

	for my $name (sort keys %scripts)
	{
		my $file = "$folder/$name " . ($isolation =~ tr/ /_/r);
		append_to_file($file, $scripts{$name});
		push @files, '-f', $file;
	}
	local $ENV{PGOPTIONS} = "-c client_min_messages=warning -c belongs_to_many.bulk_path=$bulk_path";
	$node->command_ok([ 'pgbench', '-n', '-M', 'simple', '-c', 8, '-j', 2, '-T', $SECONDS, @files, 'postgres' ],
		"$isolation: the clients run");
	return;
}

sub states
{
	my ($who) = @_;
	return { map { split /\|/ } split /\n/,
		$node->safe_psql('postgres', "SELECT state, count(*) FROM log WHERE who = '$who' GROUP BY state") };
}

# Each column of a pivot that references another table, and pairs without the row.
my %REFERENCES = (
	'user_roles.user_id' => 'users', 'user_roles.role_id' => 'roles', 'user_roles.tag_id' => 'tags',
	'user_tags.user_id' => 'users', 'user_tags.tag_id' => 'tags', 'user_tags.role_id' => 'roles',
	'links.role_id' => 'roles', 'links.other_id' => 'roles');

sub check
{
	my ($isolation, @expected) = @_;
	my $calls = states('calls');
	my $dangling = join ' UNION ALL ', map {
		my ($pivot, $column) = split /\./;
		"SELECT '$_', $column FROM $pivot WHERE $column NOT IN (SELECT id FROM $REFERENCES{$_})"
	} sort keys %REFERENCES;

	is($node->safe_psql('postgres', $dangling), '', "$isolation: every pair has its references");
	is($node->safe_psql('postgres', q{SELECT l FROM links l WHERE via_id IS NOT NULL AND NOT EXISTS
		(SELECT FROM links o WHERE (o.role_id, o.other_id) = (l.role_id, l.via_id))}),
		'', "$isolation: so have pairs that reference pairs");
	is_deeply([ grep { !/^(00000|23503|40001|40P01)$/ } sort keys %$calls ],
		[], "$isolation: calls fail as the triggers do");
	is_deeply([ grep { !$calls->{$_} } @expected ], [], "$isolation: they succeed, and fail");
	note("$isolation: " . join ', ', map { "$_: $calls->{$_}" } sort keys %$calls);
	note($node->safe_psql('postgres', q{SELECT DISTINCT state, message FROM log WHERE state NOT IN ('00000', '23503', '40001', '40P01')}));
	$node->safe_psql('postgres', q{
		TRUNCATE log;
		INSERT INTO roles SELECT generate_series(1, 300) ON CONFLICT DO NOTHING;
		INSERT INTO tags SELECT generate_series(1, 300) ON CONFLICT DO NOTHING});
	return;
}

run_scripts('READ COMMITTED', 'on');
check('READ COMMITTED', qw(00000 23503));
run_scripts('REPEATABLE READ', 'auto');
check('REPEATABLE READ', qw(00000 23503 40001));

done_testing();
