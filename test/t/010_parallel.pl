# Parallel query: operations that read run in the leader, above or beside workers; builders run in
# workers; a write in a worker is refused.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;

use BelongsToMany;
use Test::More;

my $node = new_server('parallel', max_worker_processes => 8, max_parallel_workers => 8);
create_sample($node, 'app');
$node->safe_psql('app', q{
	CREATE TABLE posts AS SELECT i AS id, i % 100 + 1 AS user_id, 'status ' || i % 3 AS status FROM generate_series(1, 20000) i;
	ALTER TABLE posts SET (parallel_workers = 2);
	ANALYZE posts;
	SELECT attach('user_roles', u.id, ARRAY(SELECT generate_series(1, u.id % 10))) FROM users u;
	CREATE FUNCTION in_worker(u int) RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE AS
		'BEGIN RETURN related_ids(''user_roles'', u); END';
	CREATE FUNCTION attach_in_worker(u int) RETURNS int LANGUAGE plpgsql PARALLEL SAFE AS
		'BEGIN RETURN attach(''user_roles'', u, 50); END';
	CREATE FUNCTION lock_in_worker(u int) RETURNS boolean LANGUAGE plpgsql PARALLEL SAFE AS
		'BEGIN PERFORM lock_relation(''user_roles'', u); RETURN true; END';
	CREATE FUNCTION create_in_worker(u int) RETURNS boolean LANGUAGE plpgsql PARALLEL SAFE AS
		'BEGIN PERFORM create_relation(''r'' || u, ''user_roles''); RETURN true; END';
});

my $session = session($node, 'app');

# forces all that may run in a worker into one
my $FORCE = $node->safe_psql('app', q{SELECT name FROM pg_settings WHERE name IN ('debug_parallel_query', 'force_parallel_mode')
	ORDER BY name LIMIT 1});
ask($session, 'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
	SET max_parallel_workers_per_gather = 2');

# A query whose plan has workers, and the same without them.
sub parallel
{
	my ($name, $query, $plan) = @_;
	my $serial = outcome($node, 'app', "SET max_parallel_workers_per_gather = 0; $query");

	like(ask($session, "EXPLAIN (COSTS OFF, VERBOSE) $query"), $plan, "$name: plan");
	unlike($serial, qr/ERROR/, "$name: works without workers");
	is(ask($session, $query), $serial, "$name: same result with workers");
	return;
}

parallel('read above a Gather',
	q{SELECT sum(count_related('user_roles', user_id)) FROM posts WHERE status = 'status 1'},
	qr/Aggregate.*count_related.*Gather.*Parallel Seq Scan/s);
parallel('read in a select list',
	q{SELECT md5(string_agg(r::text, ' ' ORDER BY id)) FROM
		(SELECT id, related_ids('user_roles', user_id) AS r FROM posts WHERE status <> 'status 2') s},
	qr/related_ids.*Gather.*Parallel Seq Scan/s);
parallel('read as a filter of the table, which then has no workers',
	q{SELECT count(*) FROM posts WHERE status = 'status 0' AND is_attached('user_roles', user_id, 5)},
	qr/\A(?!.*Gather).*is_attached/s);
parallel('lateral join',
	q{SELECT count(*), sum((r.result->'id')::int) FROM posts p, get_results('user_roles', p.user_id) r WHERE p.status = 'status 1'},
	qr/Function Scan on m2m\.get_results|get_results.*Gather|Gather/s);
parallel('initplan',
	q{SELECT count(*) FROM posts WHERE user_id = (SELECT count_related('user_roles', 5)::int)},
	qr/InitPlan.*count_related|count_related.*InitPlan/s);
parallel('eager load',
	q{SELECT count(*) FROM posts p JOIN get_results_for('user_roles', ARRAY[1,2,3]) r ON r.parent = p.user_id
		WHERE jsonb_array_length(r.results) > 1},
	qr/get_results_for/);
parallel('builders in workers',
	q{SELECT count(*) FROM posts WHERE with_pivot(inverse(where_pivot('user_roles', 'status', status)), 'status')::text ~ 'status [12]'},
	qr/Gather.*Parallel Seq Scan.*Filter: .*where_pivot/s);

# ---- everything that is marked parallel safe, in a worker

ask($session, "SET $FORCE = on");
for my $expression (
	q{belongs_to_many('users', 'roles', 'user_roles')},
	q{belongs_to_many('users', 'roles', 'user_roles', ARRAY['user_id']::name[], ARRAY['role_id']::name[])},
	q{'user_roles'::text::belongs_to_many},
	q{'user_roles'::name::belongs_to_many},
	q{inverse(take(pivot_as(order_by_pivot('user_roles', 'status'), 'p'), 3))},
	q{where_pivot_in(or_where_pivot_null(with_pivot_value('user_roles', 'status', 'a'), 'status'), 'status', '{a,b}')},
	q{where_pivot_between(order_by(where_related('user_roles', 'name', 'like', 'x%'), 'name', 'desc'), 'role_id', 1, 2)})
{
	my $query = "SELECT $expression";
	like(ask($session, "EXPLAIN (COSTS OFF) $query"), qr/Gather/, "$expression: runs in a worker");
	is(ask($session, $query), outcome($node, 'app', $query), "$expression: same value");
}

# what the transaction has done itself is seen there
is( ask($session, q{
		BEGIN;
		SELECT create_relation('uncommitted', where_pivot('user_roles', 'status', 'active'));
		SELECT inverse('uncommitted');
		SELECT count(*) FROM posts WHERE status = inverse('uncommitted')::text;
		SELECT related_ids('uncommitted', 3);
		ROLLBACK}),
	qq({"relation": "public.uncommitted", "inverse": true}\n0\n[1, 2, 3]),
	'an uncommitted relation');
is(ask($session, q{SELECT inverse('unknown')}), q{{"relation": "unknown", "inverse": true}}, 'an unknown one stays a name');
is(ask($session, q{SELECT where_pivot('user_roles', 'statuz', 1)}), 'ERROR: 42703', 'an error in a worker');

# ---- in functions that are marked as safe though they are not

is(ask($session, q{SELECT in_worker(3)}), '[1, 2, 3]', 'a read in a worker works');
is(ask($session, q{SELECT attach_in_worker(3)}), 'ERROR: 25000', 'a write is refused');
is(ask($session, q{SELECT lock_in_worker(3)}), 'ERROR: 25000', 'so is a lock, which would not outlive the worker');
is(ask($session, q{SELECT create_in_worker(3)}), 'ERROR: 25000', 'and create_relation');
is(our_locks($node), '0', 'no lock is left');
is(ask($session, q{SELECT attach('user_roles', 3, 50), related_ids('user_roles', 2)}), '1|[1, 2]', 'the session goes on');

$session->quit;
log_is_clean($node);
done_testing();
