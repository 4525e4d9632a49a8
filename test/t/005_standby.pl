# A hot standby: every operation that reads works, every one that writes gives 25006, and what the
# primary changes takes effect in sessions that are open.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;

use BelongsToMany;
use PostgreSQL::Test::Cluster;
use Test::More;

my $primary = new_server('primary', init => [ allows_streaming => 1 ]);
create_sample($primary, 'app');
$primary->safe_psql('app', q{
	SELECT attach('user_roles', 1, '{1,2,3}'), attach('user_roles', 2, '{3}');
	SELECT update_existing_pivot('user_roles', 1, 2, '{"status": "paused"}');
});
$primary->backup('backup');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->append_conf('postgresql.conf', 'hot_standby_feedback = on');
$standby->start;
$primary->wait_for_catchup($standby);

# Name of a function to the call and its result there.
my @READS = (
	'belongs_to_many' => q{belongs_to_many('users', 'roles', 'user_roles')} =>
	  '{"parent": "public.users", "related": "public.roles", "pivot_table": "public.user_roles", '
	  . '"foreign_key": "user_id", "related_key": "role_id", "parent_key": "id", "related_pivot_key": "id"}',
	'inverse' => q{related_ids(inverse('user_roles'), 3)} => '[1, 2]',
	'belongs_to_many, inferring' => q{related_ids(belongs_to_many('users', 'roles', 'user_roles'), 1)} => '[1, 2, 3]',
	'where_pivot' => q{related_ids(where_pivot('user_roles', 'status', 'active'), 1)} => '[1, 3]',
	'where_related' => q{related_ids(where_related('user_roles', 'name', 'like', '%3'), 1)} => '[3]',
	'get_results' => q{get_results(take(order_by('user_roles', 'id', 'desc'), 1), 1)} =>
	  '{"id": 3, "name": "role 3", "pivot": {"status": "active", "role_id": 3, "user_id": 1}}',
	'get_results, typed' => q{get_results('user_roles', 2, NULL::roles)} => '(3,"role 3")',
	'get_results_for' => q{get_results_for(where_pivot('user_roles', 'status', 'paused'), ARRAY[1,2])} =>
	  qq{(1,"[{""id"": 2, ""name"": ""role 2"", ""pivot"": {""status"": ""paused"", ""role_id"": 2, ""user_id"": 1}}]")\n(2,[])},
	'get_results_for, jsonb' => q{get_results_for('user_roles', '[9]'::jsonb)} => '(9,[])',
	'get_results_for, text' => q{get_results_for('user_roles', '{9}')} => '(9,[])',
	'related_ids' => q{related_ids('user_roles', 1)} => '[1, 2, 3]',
	'related_ids, typed' => q{related_ids('user_roles', 1, NULL::int)} => "1\n2\n3",
	'is_attached' => q{is_attached('user_roles', 1, '{1,3}'), is_attached('user_roles', 2, 1)} => 't|f',
	'count_related' => q{count_related('user_roles', 1)} => '3',
	'count_related_for' => q{count_related_for('user_roles', '{1,2,3}'::int[])} => "(1,3)\n(2,1)\n(3,0)",
	'get_pivot_columns' => q{get_pivot_columns('user_roles')} =>
	  '{"user_roles.user_id AS pivot_user_id","user_roles.role_id AS pivot_role_id","user_roles.status AS pivot_status"}',
	'new_pivot_query' => q{new_pivot_query('user_roles', 1) ~ '^SELECT .* FROM public.user_roles WHERE .*user_id'} => 't',
	'pivot_predicate' => q{pivot_predicate('user_roles', 1) ~ 'user_roles.user_id'} => 't',
	'add_constraints' => q{add_constraints('user_roles', 1, 'SELECT * FROM roles') ~ '^SELECT .*user_id'} => 't',
	'get_related_table' => q{get_related_table('user_roles')} => 'roles',
	'belongs_to_many_relations' => q{schema, name, pivot_table FROM belongs_to_many_relations} =>
	  'public|user_roles|user_roles',
	'a temporary schema in search_path' => q{set_config('search_path', 'pg_temp, public, m2m', false), count_related('user_roles', 1)} =>
	  'pg_temp, public, m2m|3',
	'an unknown relation' => q{related_ids('user_rolez', 1)} => 'ERROR: 42704',
	'an unknown table' => q{belongs_to_many('users', 'rolez')} => 'ERROR: 42P01',
	'an unknown table, found late' => q{related_ids('{"parent": "users", "related": "rolez"}', 1)} => 'ERROR: 42P01',
	'an unknown column' => q{where_pivot('user_roles', 'statuz', 'active')} => 'ERROR: 42703',
	'a bad id' => q{is_attached('user_roles', 1, 'x')} => 'ERROR: 22P02');

my @WRITES = (
	q{attach('user_roles', 1, 5)},
	q{attach('user_roles', 1, 1)},
	q{attach('user_roles', 1, '{}')},
	q{detach('user_roles', 1)},
	q{detach('user_roles', 9)},
	q{detach('user_roles', 1, 1)},
	q{detach('user_roles', 1, '{}')},
	q{sync('user_roles', 1, '{1,2,3}')},
	q{sync('user_roles', 9, '{}')},
	q{sync_without_detaching('user_roles', 1, '{1}')},
	q{toggle('user_roles', 1, 5)},
	q{toggle('user_roles', 1, '{}')},
	q{update_existing_pivot('user_roles', 1, 1, '{"status": "x"}')},
	q{update_existing_pivot('user_roles', 1, '{}')},
	q{lock_relation('user_roles', 1)},
	q{create_relation('another', 'user_roles')},
	q{drop_relation('user_roles')},
	q{drop_relation('unknown', true)},
	q{create_relation_view('user_roles', 'a_view')});

my $session = session($standby, 'app');

sub check_reads
{
	my ($when) = @_;
	my @reads = @READS;

	while (my ($name, $call, $result) = splice @reads, 0, 3)
	{
		is(ask($session, "SELECT $call"), $result, "$when: $name");
	}
	return;
}

sub check_writes
{
	my ($when) = @_;
	is(ask($session, "SELECT $_"), 'ERROR: 25006', "$when: $_ is refused") for @WRITES;
	is(ask($session, q{SELECT count_related('user_roles', 1)}), '3', "$when: the session goes on");
	return;
}

check_reads('standby');
check_writes('standby');
is(outcome($standby, 'app', 'SELECT count(*) FROM user_roles'), '4', 'nothing was written');
is(our_locks($standby), '0', 'no lock is held');

# ---- what the primary does is seen by a session that is open, also in a snapshot of its own

my $snapshot = session($standby, 'app');
ask($snapshot, q{BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT related_ids('user_roles', 1)});
$primary->safe_psql('app', q{
	SELECT create_relation('user_roles', where_pivot('user_roles', 'status', 'active'), replace => true)});
$primary->wait_for_catchup($standby);
is(ask($session, q{SELECT related_ids('user_roles', 1)}), '[1, 3]', 'redefined');
is(ask($snapshot, q{SELECT related_ids('user_roles', 1)}), '[1, 3]', 'redefined, at repeatable read too');
ask($snapshot, 'COMMIT');

$primary->safe_psql('app', q{
	ALTER TABLE user_roles RENAME COLUMN role_id TO role;
	ALTER TABLE roles RENAME TO grants});
$primary->wait_for_catchup($standby);
is(ask($session, q{SELECT related_ids('user_roles', 1), get_related_table('user_roles')}), '[1, 3]|grants',
	'renamed');
$primary->safe_psql('app', q{ALTER TABLE user_roles RENAME COLUMN role TO role_id; ALTER TABLE grants RENAME TO roles});

$primary->safe_psql('app', q{SELECT drop_relation('user_roles')});
$primary->wait_for_catchup($standby);
is(ask($session, q{SELECT related_ids('user_roles', 1)}), 'ERROR: 42704', 'dropped');
is(ask($session, q{SELECT count(*) FROM belongs_to_many_relations}), '0', 'dropped from the view');

$primary->safe_psql('app',
	q{SELECT create_relation('user_roles', with_pivot(belongs_to_many('users', 'roles', 'user_roles'), 'status'))});
$primary->wait_for_catchup($standby);
check_reads('created again');

# ---- a read-only transaction of the primary is the same

my $standby_session = $session;
$session = session($primary, 'app');
ask($session, 'SET default_transaction_read_only = on');
check_writes('read-only');
check_reads('read-only');
$session->quit;
$session = $standby_session;

# ---- after promotion the same session writes

$snapshot->quit;
$standby->promote;
is(ask($session, q{SELECT attach('user_roles', 1, 5), related_ids('user_roles', 1)}), '1|[1, 2, 3]',
	'promoted: attach (its siblings in the statement do not see it)');
is(ask($session, q{SELECT * FROM sync('user_roles', 1, '{1,6}')}), '[6]|[2, 3, 5]|[]', 'promoted: sync');
is(ask($session, q{SELECT create_relation('another', 'user_roles')}), '', 'promoted: create_relation');
is(ask($session, q{SELECT related_ids('another', 1)}), '[1, 6]', 'promoted: use it');
$session->quit;

log_is_clean($primary);
log_is_clean($standby);
done_testing();
