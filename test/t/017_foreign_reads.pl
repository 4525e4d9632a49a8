# Pivots that are foreign tables of another wrapper: postgres_fdw, whose server is this one. Every read has the
# answer that it has on the local table, and takes a fixed number of remote statements, however many parents and
# rows there are.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;

use BelongsToMany;
use PostgreSQL::Test::Cluster;
use Test::More;

my $RANDOM_READS = $ENV{BTM_FOREIGN_READS} // 250;

my $node = new_server('foreign', init => [ allows_streaming => 1 ]);
my $port = $node->port;
my $host = $node->host;

# Relations by name: the local tables parent, related and pivot; columns of the keys; further columns of the pivot.
my %SHAPES = (
	plain => {
		parent => 'users(id int PRIMARY KEY, name text)',
		related => 'roles(id int PRIMARY KEY, name text, level int, added timestamptz)',
		pivot => 'user_roles(user_id int, role_id int, status text, rank int, created_at timestamptz, updated_at timestamptz)',
		keys => q{'user_id', 'role_id', 'id', 'id'},
		parents => [ map { $_ } 1 .. 12 ],
		ids => [ 1 .. 10 ],
		fill => q{SELECT u, r, (ARRAY['a','b',NULL])[1 + (u * r) % 3], (u * 7 + r * 3) % 5, timestamptz '2026-01-01 UTC' + r * interval '1 hour', now()
			FROM generate_series(1, 10) u, generate_series(1, 14) r WHERE (u * r) % 4 <> 0
			UNION ALL SELECT 1, NULL, 'a', 1, NULL, NULL UNION ALL SELECT 1, 3, 'a', 9, NULL, NULL },
		related_fill => q{SELECT r, 'role ' || r, r % 3, '2026-02-03' FROM generate_series(1, 12) r},
		timestamps => 1,
	},
	composite => {
		parent => 'teams(tenant int, no bigint, PRIMARY KEY (tenant, no))',
		related => 'tools(tenant int, code text, name text, level int, PRIMARY KEY (tenant, code))',
		pivot => 'team_tools(tenant int, team bigint, code varchar(10), status text, rank int)',
		keys => q{ARRAY['tenant', 'team'], ARRAY['tenant', 'code'], ARRAY['tenant', 'no'], ARRAY['tenant', 'code']},
		parents => [ map { my $t = $_; map { qq({"tenant": $t, "team": $_}) } 1 .. 5 } 1 .. 3 ],
		ids => [ map { qq("c$_") } 1 .. 9 ],
		fill => q{SELECT t, n, 'c' || c, (ARRAY['a','b',NULL])[1 + (t * n * c) % 3], (n * 7 + c * 3) % 5
			FROM generate_series(1, 3) t, generate_series(1, 4) n, generate_series(1, 8) c WHERE (t * n * c) % 5 <> 0},
		related_fill => q{SELECT t, 'c' || c, 'tool ' || c, c % 3 FROM generate_series(1, 3) t, generate_series(1, 7) c},
	},
	pairs => {
		parent => 'orders(region text, no int, PRIMARY KEY (region, no))',
		related => 'parts(maker text, no smallint, name text, level int, PRIMARY KEY (maker, no))',
		pivot => 'order_parts(region text, order_no int, maker text, part_no smallint, status text, rank int)',
		keys => q{ARRAY['region', 'order_no'], ARRAY['maker', 'part_no'], ARRAY['region', 'no'], ARRAY['maker', 'no']},
		parents => [ map { qq({"region": "r$_", "order_no": $_}) } 1 .. 10 ],
		ids => [ map { qq({"maker": "m$_", "part_no": $_}) } 1 .. 9 ],
		fill => q{SELECT 'r' || o, o, 'm' || p, p, (ARRAY['a','b',NULL])[1 + (o * p) % 3], (o * 7 + p * 3) % 5
			FROM generate_series(1, 8) o, generate_series(1, 11) p WHERE (o * p) % 4 <> 0},
		related_fill => q{SELECT 'm' || p, p, 'part ' || p, p % 3 FROM generate_series(1, 10) p},
	},
	uuids => {
		parent => 'docs(id uuid PRIMARY KEY)',
		related => 'labels(id text COLLATE "C" PRIMARY KEY, name text, level int)',
		pivot => 'doc_labels(doc uuid, label text, kind text, status text, rank int)',
		keys => q{'doc', 'label', 'id', 'id'},
		value => q{'kind', 'doc'},
		parents => [ map { sprintf '"00000000-0000-0000-0000-%012d"', $_ } 1 .. 8 ],
		ids => [ map { qq("label $_") } 1 .. 9 ],
		fill => q{SELECT ('00000000-0000-0000-0000-' || lpad(d::text, 12, '0'))::uuid, 'label ' || l, (ARRAY['doc','doc','page'])[1 + l % 3],
			(ARRAY['a','b',NULL])[1 + (d * l) % 3], (d * 7 + l * 3) % 5 FROM generate_series(1, 7) d, generate_series(1, 12) l},
		related_fill => q{SELECT 'label ' || l, 'name ' || l, l % 3 FROM generate_series(1, 10) l},
	});

# The name of a table, and its columns, of a definition.
sub table_of { return $_[0] =~ /^(\w+)/ ? $1 : die }
sub columns_of { my ($columns) = $_[0] =~ /\((.*)\)$/; $columns =~ s/,? PRIMARY KEY(?: \([^)]*\))?//g; return $columns }

$node->safe_psql('postgres', qq{
	CREATE SCHEMA m2m;
	CREATE EXTENSION belongs_to_many SCHEMA m2m;
	CREATE EXTENSION postgres_fdw;
	CREATE SERVER loopback FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$host', port '$port', dbname 'postgres');
	CREATE USER MAPPING FOR PUBLIC SERVER loopback OPTIONS (password_required 'false', user '${\ scalar getpwuid($<)}');
	CREATE SCHEMA f;
	ALTER DATABASE postgres SET search_path = public, f, m2m;
	ALTER DATABASE postgres SET timezone = 'UTC'});

for my $name (sort keys %SHAPES)
{
	my $shape = $SHAPES{$name};
	my ($parent, $related, $pivot) = map { table_of($shape->{$_}) } qw(parent related pivot);
	my $sql = join '', map { "CREATE TABLE $shape->{$_};\n" } qw(parent related pivot);

	for my $table (qw(related pivot))
	{
		my $local = table_of($shape->{$table});
		my $columns = columns_of($shape->{$table});
		$sql .= "CREATE FOREIGN TABLE f.$local ($columns) SERVER loopback OPTIONS (schema_name 'public', table_name '$local');\n";
	}
	$sql .= "INSERT INTO $related $shape->{related_fill}; INSERT INTO $pivot $shape->{fill}; ANALYZE;\n";
	for my $kind ([ local => $related, $pivot ], [ pivot => $related, "f.$pivot" ], [ both => "f.$related", "f.$pivot" ])
	{
		my $relation = "belongs_to_many('$parent', '$kind->[1]', '$kind->[2]', $shape->{keys})";
		$relation = "with_pivot($relation, 'status', 'rank')";
		$relation = "with_pivot_value($relation, $shape->{value})" if $shape->{value};
		$relation = "with_timestamps($relation)" if $shape->{timestamps};
		$sql .= "SELECT create_relation('$kind->[0]_$name', $relation);\n";
	}
	$node->safe_psql('postgres', $sql);
}

my $session = session($node, 'postgres');

# ---- the same answers

# A call has the answer for foreign tables that it has for local ones; {relation} in it is the relation.
sub same
{
	my ($shape, $call, $what) = @_;
	my ($local, $pivot, $both) = map { my $kind = $_; ask($session, $call =~ s/\{relation\}/'${kind}_$shape'/gr) }
	  qw(local pivot both);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($pivot, $local, "$what: $call");
	is($both, $local, "$what, both foreign: $call");
	return $local;
}

srand(17);
sub pick { return $_[ rand @_ ] }

# A list of jsonb, of some of these values.
sub some { my ($max, @values) = @_; return '[' . join(', ', map { pick(@values) } 1 .. int rand($max + 1)) . ']' }

# The relation with random filters, orders and a page. Where there is a page, the order is total.
sub random_relation
{
	my ($shape) = @_;
	my $relation = '{relation}';
	my @filters = (
		q{where_pivot(%s, 'status', 'a')}, q{where_pivot(%s, 'rank', '>', 1)}, q{or_where_pivot(%s, 'rank', '<', 3)},
		q{where_pivot_in(%s, 'status', '{a,b}'::text[])}, q{where_pivot_null(%s, 'status')}, q{where_pivot_between(%s, 'rank', 1, 3)},
		q{where_related(%s, 'level', '1')}, q{where_related(%s, 'name', 'like', '%%1')});
	my @orders = (q{order_by_pivot(%s, 'rank', 'desc')}, q{order_by(%s, 'level')}, q{order_by(%s, 'name', 'desc')});

	$relation = sprintf pick(@filters), $relation for 1 .. int rand 3;
	$relation = sprintf pick(@orders), $relation for 1 .. int rand 3;
	$relation = "order_by(order_by_pivot($relation, 'rank'), 'name')";
	$relation = sprintf 'take(%s, %d, %d)', $relation, int rand 5, int rand 3 if rand() < 0.4;
	return $relation;
}

sub random_read
{
	my ($name) = @_;
	my $shape = $SHAPES{$name};
	my $relation = random_relation($shape);
	my $parent = pick(@{ $shape->{parents} });
	my $parents = some(12, @{ $shape->{parents} });
	my $ids = some(4, @{ $shape->{ids} });
	my $related = table_of($shape->{related});

	return pick(
		qq{SELECT get_results($relation, '$parent'::jsonb)},
		qq{SELECT name, level FROM get_results($relation, '$parent'::jsonb, NULL::$related)},
		qq{SELECT * FROM get_results($relation, '$parent'::jsonb, NULL::record) AS r(name text, pivot_rank text, pivot_status text)},
		qq{SELECT * FROM get_results_for($relation, '$parents'::jsonb)},
		qq{SELECT * FROM get_results_for($relation, '$parents'::jsonb, ${\ int rand 4})},
		qq{SELECT related_ids($relation, '$parent'::jsonb)},
		qq{SELECT count_related($relation, '$parent'::jsonb)},
		qq{SELECT * FROM count_related_for($relation, '$parents'::jsonb)},
		qq{SELECT is_attached($relation, '$parent'::jsonb, '$ids'::jsonb)});
}

for (1 .. $RANDOM_READS)
{
	my $shape = pick(sort keys %SHAPES);
	my $answer = same($shape, random_read($shape), $shape);

	unlike($answer, qr/ERROR/, 'and it is one') or last;
}

# ---- columns that have the names of what is added to rows; keys of a domain

$node->safe_psql('postgres', q{
	CREATE DOMAIN positive AS int CHECK (VALUE > 0);
	CREATE TABLE named (u positive, r positive, ord int, ord_3 text);
	INSERT INTO named SELECT u, r, u * r, 'x' FROM generate_series(1, 5) u, generate_series(1, 4) r;
	CREATE FOREIGN TABLE f.named (u positive, r positive, ord int, ord_3 text) SERVER loopback OPTIONS (schema_name 'public');
	SELECT create_relation(kind || '_named', with_pivot(belongs_to_many('users', related::regclass, pivot::regclass,
		'u', 'r', 'id', 'id'), 'ord', 'ord_3'))
	FROM (VALUES ('local', 'roles', 'named'), ('pivot', 'roles', 'f.named'), ('both', 'f.roles', 'f.named')) k (kind, related, pivot)});
isnt(same('named', q{SELECT * FROM get_results_for(order_by({relation}, 'id'), '{2,1,9,3}'::int[], 2)}, 'names'), '', 'rows');
is(same('named', q{SELECT * FROM count_related_for({relation}, '{2,9}'::int[])}, 'names'), "2|4\n9|0", 'counts');
is(same('named', q{SELECT is_attached({relation}, 1, '{1,4}'), is_attached({relation}, 1, '{1,5}')}, 'names'), 't|f', 'pairs');

# ---- SQL for the user's own statements

# The text of a function, run: as a sorted list of rows.
sub run_text
{
	my ($kind, $shape, $call, $query) = @_;
	my $text = ask($session, "SELECT " . $call =~ s/\{relation\}/'${kind}_$shape'/gr);
	return ask($session, "SELECT s::text FROM ($text) s ORDER BY s::text COLLATE \"C\"");
}

for my $call (
	q{add_constraints({relation}, 3, 'SELECT * FROM roles WHERE level > 0 -- btm_pivot')},
	q{add_constraints(where_related(where_pivot({relation}, 'status', 'a'), 'level', '>', 0), 3, 'SELECT id, level FROM f.roles')},
	q{add_constraints({relation}, NULL::int, 'SELECT * FROM roles')},
	q{add_constraints({relation}, 'SELECT id, name AS btm_pivot FROM roles')},
	q{add_constraints(take(order_by({relation}, 'id'), 2, 1), 3, 'WITH btm_pivot AS (SELECT * FROM roles) SELECT * FROM btm_pivot')},
	q{new_pivot_query(where_related(where_pivot({relation}, 'status', 'a'), 'level', '>', 0), 3)},
	q{new_pivot_query({relation})},
	q{'SELECT * FROM user_roles WHERE ' || pivot_predicate(where_pivot({relation}, 'status', 'a'), 3)})
{
	my ($local, @foreign) = map { run_text($_, 'plain', $call) } qw(local pivot both);

	@foreign = () if $call =~ /pivot_predicate/;
	is($_, $local, $call) for @foreign;
	unlike($local, qr/ERROR/, "$call runs");
}
for my $shape (qw(composite uuids))
{
	my $parent = $SHAPES{$shape}{parents}[0];
	my $query = 'SELECT * FROM ' . table_of($SHAPES{$shape}{related});
	my ($local, @foreign) =
	  map { run_text($_, $shape, "add_constraints({relation}, '$parent'::jsonb, '$query')") } qw(local pivot both);

	is($_, $local, "add_constraints: $shape") for @foreign;
	isnt($local, '', 'there are rows');
}
ask($session, "SELECT create_relation_view('${_}_plain', 'view_$_')") for qw(local pivot both);
is(ask($session, "SELECT count(*), sum(id), min(pivot_rank) FROM view_$_ WHERE pivot_user_id < 4"),
	ask($session, 'SELECT count(*), sum(id), min(pivot_rank) FROM view_local WHERE pivot_user_id < 4'),
	"create_relation_view: $_") for qw(pivot both);

# ---- what is asked of the remote side, by auto_explain

$node->safe_psql('postgres', q{
	INSERT INTO users SELECT i FROM generate_series(1, 1200) i;
	INSERT INTO user_roles SELECT u, r, 'a', r FROM generate_series(100, 1200) u, generate_series(1, 8) r;
	CREATE TABLE many(id int PRIMARY KEY, name text);
	INSERT INTO many SELECT i, 'm' || i FROM generate_series(1, 300000) i;
	VACUUM ANALYZE;
	SELECT create_relation('many', belongs_to_many('users', 'many', 'f.user_roles', 'user_id', 'role_id', 'id', 'id'))});

# The plans of a call and of what it runs.
sub plans
{
	my ($call) = @_;

	return ask($session, qq{
		\\set VERBOSITY default
		LOAD 'auto_explain';
		SET auto_explain.log_min_duration = 0;
		SET auto_explain.log_nested_statements = on;
		SET auto_explain.log_verbose = on;
		SET auto_explain.log_level = notice;
		SET client_min_messages = notice;
		$call;
		SET auto_explain.log_min_duration = -1;
		SET client_min_messages = warning;
		\\set VERBOSITY sqlstate});
}

# The remote statements of a call.
sub remote { my ($call) = @_; return map { s/ ORDER BY.*//r } plans($call) =~ /Remote SQL: (.*)/g }

my $columns = 'user_id, role_id, status, rank, created_at, updated_at';
is_deeply([ remote(q{SELECT count(*) FROM get_results_for('pivot_plain', (SELECT array_agg(i) FROM generate_series(1, 1000) i))}) ],
	["SELECT $columns FROM public.user_roles WHERE ((user_id = ANY (\$1::integer[])))"],
	'1,000 parents are read by one statement');
is_deeply([ remote(q{SELECT count(*) FROM get_results_for('both_plain', (SELECT array_agg(i) FROM generate_series(1, 1000) i), 2)}) ],
	[
		"SELECT $columns FROM public.user_roles WHERE ((user_id = ANY (\$1::integer[])))",
		'SELECT id, name, level, added FROM public.roles WHERE ((id = ANY ($1::integer[])))'
	],
	'and their related rows by another');
is_deeply([ remote(q{SELECT get_results(where_pivot('pivot_plain', 'status', 'a'), 3, NULL::roles)}) ],
	[q{SELECT role_id FROM public.user_roles WHERE ((user_id = $1::integer)) AND ((status = 'a'))}],
	'only the columns that are needed; the filter is remote');
is_deeply([ remote(q{SELECT count_related('pivot_plain', 3)}) ],
	['SELECT count(*) FROM public.user_roles WHERE ((role_id IS NOT NULL)) AND ((user_id = $1::integer))'],
	'a remote count');
is_deeply([ remote(q{SELECT is_attached('pivot_plain', 3, 4)}) ],
	['SELECT role_id FROM public.user_roles WHERE ((role_id IS NOT NULL)) AND ((user_id = $1::integer)) AND ((role_id = $2::integer))'],
	'a look at one pair');
is_deeply([ remote(q{SELECT is_attached('pivot_plain', 3, '{4,5}')}) ],
	['SELECT role_id FROM public.user_roles WHERE ((user_id = $1::integer)) AND ((role_id = ANY ($2::integer[])))'],
	'a look at two');
is_deeply([ remote(q{SELECT count_related_for('pivot_composite', '[{"tenant": 1, "team": 1}, {"tenant": 1, "team": 2}]')}) ],
	['SELECT tenant, team, code FROM public.team_tools WHERE ((tenant = $1::integer)) AND ((team = ANY ($2::bigint[])))'],
	'parents that have one column in common');
is_deeply([ remote(q{SELECT count_related_for('pivot_composite', '[{"tenant": 1, "team": 1}, {"tenant": 2, "team": 2}]')}) ],
	['SELECT tenant, team, code FROM public.team_tools WHERE ((tenant = ANY ($1::integer[]))) AND ((team = ANY ($2::bigint[])))'],
	'parents whose combinations are few');
is(scalar(() = remote(q{SELECT count_related_for('pivot_pairs', '[} . join(', ', @{ $SHAPES{pairs}{parents} }) . q{]')})), 10,
	'parents that have nothing in common');
$node->safe_psql('postgres', 'ALTER FOREIGN TABLE f.user_roles ALTER role_id SET NOT NULL');
is_deeply([ remote(q{SELECT count_related('pivot_plain', 3)}) ],
	['SELECT count(*) FROM public.user_roles WHERE ((user_id = $1::integer))'], 'a count, of a key that is never null');

unlike(plans(q{SELECT get_results('many', 100)}), qr/Seq Scan/, 'a large related table is not scanned for 8 ids');
unlike(plans(q{SELECT count(*) FROM get_results_for('many', (SELECT array_agg(i) FROM generate_series(100, 130) i))}),
	qr/Seq Scan/, 'nor for 248');
unlike(plans(q{SELECT count(*) FROM get_results_for('many', (SELECT array_agg(i) FROM generate_series(100, 300) i))}),
	qr/Seq Scan/, 'nor for 1,600');

# ---- privileges are the caller's

$node->safe_psql('postgres', q{
	CREATE ROLE reader;
	GRANT USAGE ON SCHEMA m2m, f TO reader;
	GRANT SELECT ON users, roles TO reader;
	GRANT SELECT (user_id, role_id) ON f.user_roles TO reader});
ask($session, 'SET ROLE reader');
is(ask($session, q{SELECT related_ids('pivot_plain', 2)}), '[1, 3, 5, 7, 9, 11, 13]', 'columns that may be read');
is(ask($session, q{SELECT get_results('pivot_plain', 2)}), 'ERROR: 42501', 'columns that may not');
is(ask($session, q{SELECT related_ids(where_pivot('pivot_plain', 'status', 'a'), 2)}), 'ERROR: 42501', 'nor in a filter');
is(ask($session, q{SELECT get_results('both_plain', 2)}), 'ERROR: 42501', 'a related table that may not');
ask($session, 'RESET ROLE');

# ---- definitions change

is(ask($session, q{SELECT get_results(where_pivot('both_plain', 'rank', 9), 1)}) =~ /"level"/, 1, 'before');
$node->safe_psql('postgres', q{
	DROP VIEW view_pivot, view_both;
	ALTER FOREIGN TABLE f.roles DROP COLUMN level;
	ALTER FOREIGN TABLE f.user_roles ALTER rank TYPE bigint});
unlike(ask($session, q{SELECT get_results(where_pivot('both_plain', 'rank', 9), 1)}), qr/level|ERROR/, 'a column is dropped, another changed');
$node->safe_psql('postgres', q{ALTER FOREIGN TABLE f.user_roles OPTIONS (SET table_name 'nowhere')});
is(ask($session, q{SELECT get_results('pivot_plain', 1)}), 'ERROR: 42P01', 'a remote error is raised');
is(ask($session, q{SELECT get_results_for('both_plain', '{1,2}'::int[])}), 'ERROR: 42P01', 'among several');
$node->safe_psql('postgres', q{ALTER FOREIGN TABLE f.user_roles OPTIONS (SET table_name 'user_roles')});
is(ask($session, q{SELECT count_related('pivot_plain', 3)}), '11', 'and the session goes on');

# ---- a hot standby reads, from the primary's tables

$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
my $there = session($standby, 'postgres');
for my $read (
	q{SELECT get_results(order_by('%s_uuids', 'id'), '00000000-0000-0000-0000-000000000001')},
	q{SELECT * FROM get_results_for(order_by('%s_uuids', 'id'), ARRAY['00000000-0000-0000-0000-000000000001']::uuid[])},
	q{SELECT count_related('%s_uuids', '00000000-0000-0000-0000-000000000001')})
{
	is(ask($there, sprintf $read, 'both'), ask($session, sprintf $read, 'local'), "standby: $read");
}

$_->quit for $session, $there;
log_is_clean($node);
log_is_clean($standby);
done_testing();
