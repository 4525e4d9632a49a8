# Ten thousand calls, failing or not, leave a session as large as it was, and without locks. The
# caches of relations and of plans are bounded by belongs_to_many.plan_cache_size.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;

use BelongsToMany;
use Test::More;

my $node = new_server('leaks', 'default_statistics_target' => 1);
create_sample($node, 'app');

# What outlives a statement: number and used bytes of the extension's own contexts and of plans,
# used bytes of the contexts that everything else is put into.
$node->safe_psql('app', q{
	CREATE VIEW memory AS
	SELECT count(*) FILTER (WHERE name LIKE 'belongs_to_many%') AS own_contexts,
		sum(used_bytes) FILTER (WHERE name LIKE 'belongs_to_many%') AS own_bytes,
		count(*) FILTER (WHERE name = 'SPI Plan') AS plans,
		sum(used_bytes) FILTER (WHERE name IN ('TopMemoryContext', 'CacheMemoryContext')) AS other_bytes,
		sum(total_bytes) FILTER (WHERE name ~ '^(SPI Plan|CachedPlan.*|belongs_to_many.*|TopMemoryContext|CacheMemoryContext)$') AS total_bytes
	FROM pg_backend_memory_contexts;

	CREATE TABLE checked (user_id int NOT NULL REFERENCES users, role_id int REFERENCES roles,
		level int CHECK (level < 10), UNIQUE (user_id, role_id));
	CREATE TABLE triggered (user_id int NOT NULL, role_id int NOT NULL);
	CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'refused'; END$$;
	CREATE TRIGGER refuse BEFORE INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION refuse();
	SELECT create_relation('checked', with_pivot(belongs_to_many('users', 'roles', 'checked'), 'level'));
	SELECT create_relation('triggered', belongs_to_many('users', 'roles', 'triggered', 'user_id', 'role_id'));
	SELECT attach('checked', 1, '{1,2,3}'), attach('user_roles', 1, '{1,2,3}');

	-- Looks up names that nobody has; returns how often that was the error.
	CREATE FUNCTION unknown(first int, last int) RETURNS int LANGUAGE plpgsql AS $$
	DECLARE
		n int := 0;
	BEGIN
		FOR i IN first..last LOOP
			BEGIN
				PERFORM related_ids('unknown_' || i, 1);
			EXCEPTION WHEN undefined_object THEN
				n := n + 1;
			END;
		END LOOP;
		RETURN n;
	END$$;

	-- Runs statements one after the other, so many times, each round in a transaction; returns how
	-- often each SQLSTATE came of it.
	CREATE PROCEDURE run(statements text[], times int, INOUT result text DEFAULT NULL) LANGUAGE plpgsql AS $$
	DECLARE
		statement text;
		outcome text;
		outcomes jsonb := '{}';
	BEGIN
		FOR i IN 1..times LOOP
			FOREACH statement IN ARRAY statements LOOP
				outcome := 'ok';
				BEGIN
					EXECUTE statement;
				EXCEPTION WHEN OTHERS THEN
					outcome := SQLSTATE;
				END;
				outcomes := outcomes || jsonb_build_object(outcome, coalesce((outcomes->>outcome)::int, 0) + 1);
			END LOOP;
			COMMIT;
		END LOOP;
		result := (SELECT string_agg(key || ':' || value, ' ' ORDER BY key) FROM jsonb_each_text(outcomes));
	END$$;
});

my $session = session($node, 'app');

sub array_of
{
	return 'ARRAY[' . join(', ', map { '$$' . $_ . '$$' } @_) . ']';
}

sub memory
{
	my ($of) = @_;
	return split /\|/, ask($of || $session, 'SELECT * FROM memory');
}

# Runs statements for a while, and then more; the second time must not make the session larger.
sub stays_small
{
	my ($name, $outcomes, $statements, $times) = @_;
	my $list = array_of(@$statements);

	ask($session, "CALL run($list, 20)");
	memory();
	my @before = memory();
	is(ask($session, "CALL run($list, $times)"), $outcomes, "$name: outcomes");
	my @after = memory();

	is($after[0], $before[0], "$name: number of contexts");
	cmp_ok($after[1], '<=', $before[1], "$name: bytes in them");
	is($after[2], $before[2], "$name: number of plans");
	cmp_ok($after[3], '<=', $before[3] + 4096, "$name: bytes beside them");
	cmp_ok($after[4], '<=', $before[4] + 32768, "$name: bytes of all");
	is(our_locks($node), '0', "$name: no locks");
	return;
}

# ---- calls that fail

my @FAILING = (
	q{SELECT attach('user_roles', 1, 'x')},
	q{SELECT attach('user_roles', 1, '{1,2,x}')},
	q(SELECT attach('user_roles', 1, '[1, {"2": ]')),
	q{SELECT attach('user_roles', 1, '[1, {"2": {"status": {"a": [1, 2, 3]}, "nothing": 1}}]')},
	q{SELECT sync('user_roles', 1, NULL)},
	q{SELECT attach('user_roles', NULL, 1)},
	q{SELECT attach('user_roles', 1, '{1,NULL}')},
	q{SELECT attach('user_roles', 1, 101)},
	q{SELECT attach('user_roles', 1, '{98,99,100,101,102}')},
	q{SELECT sync('user_roles', 101, '{1,2,3,4,5}')},
	q{SELECT attach('checked', 1, '{7}', '{"level": 11}')},
	q{SELECT attach('checked', 1, '{4,5,6,7,8}', '{"level": 11}')},
	q{SELECT update_existing_pivot('checked', 1, '{1,2}', '{"level": 11}')},
	q{SELECT update_existing_pivot('checked', 1, '{1,2}', '{"level": "high"}')},
	q{SELECT attach('checked', 1, '{2}', '{}', 'error')},
	q{SELECT attach('checked', 1, '{1,2,3,4,5}', '{}', 'error')},
	q{SELECT attach('checked', 1, '{2}', '{}', 'whatever')},
	q{SELECT attach('triggered', 1, '{2}')},
	q{SELECT toggle('triggered', 1, '{1,2,3,4,5}')},
	q{SELECT detach(where_related('user_roles', 'name', 'x'), 1)},
	q{SELECT related_ids('unknown', 1)},
	q{SELECT related_ids('{"parent": "users", "related": "unknown"}', 1)},
	q(SELECT related_ids('{"parent": "users", "related": ["roles"', 1)),
	q{SELECT where_pivot('user_roles', 'statuz', 'x')},
	q{SELECT where_pivot('user_roles', 'status', '@@@', 'x')},
	q{SELECT where_pivot('checked', 'level', '>', 'x')},
	q{SELECT belongs_to_many('users', 'roles')},
	q{SELECT create_relation('user_roles', 'user_roles')},
	q{SELECT get_results('user_roles', 1, NULL::pg_class)},
	q{SELECT get_results_for('user_roles', '{1,x}')},
	q{SELECT 1 / count_related('user_roles', 9)},
	q{SELECT 1 / (count_related('user_roles', 1) + attach('user_roles', 1, '{5,6,7,8}') - 7)});

stays_small(
	'failing',
	join(' ', map { "$_->[0]:" . $_->[1] * 320 }
		  [ '0A000', 1 ], [ '22004', 3 ], [ '22012', 2 ], [ '22023', 1 ], [ '22P02', 7 ], [ '23503', 3 ], [ '23505', 2 ],
		[ '23514', 3 ], [ '42703', 3 ], [ '42704', 1 ], [ '42710', 1 ], [ '42883', 1 ], [ '42P01', 1 ], [ '42P09', 1 ],
		[ 'P0001', 2 ]),
	\@FAILING, 320);

# ---- calls that do something

stays_small(
	'working',
	'ok:10500',
	[   q{SELECT attach('user_roles', 2, '{1}')},
		q{SELECT detach('user_roles', 2, '{1}')},
		q{SELECT attach('user_roles', 2, ARRAY(SELECT generate_series(1, 20)))},
		q{SELECT attach('user_roles', 2, '{"1": {"status": "a"}, "2": {}, "21": {}}', '{}', 'update')},
		q{SELECT sync('user_roles', 2, '[1, {"2": {"status": "b"}}, 30, 31, 32, 33, 34]')},
		q{SELECT toggle('user_roles', 2, '{1,2,3,4,5,6}')},
		q{SELECT update_existing_pivot('user_roles', 2, '{3,4}', jsonb_build_object('status', random()))},
		q{SELECT get_results('user_roles', 2)},
		q{SELECT get_results('user_roles', 2, NULL::roles)},
		q{SELECT get_results_for('user_roles', '{1,2,3}'::int[], 2)},
		q{SELECT related_ids(inverse('user_roles'), 3), is_attached('user_roles', 2, '{3}'), count_related('user_roles', 2)},
		q{SELECT related_ids(where_pivot(belongs_to_many('users', 'roles', 'user_roles'), 'status', 'active'), 2, NULL::int)},
		q{SELECT new_pivot_query('user_roles', 2), add_constraints('user_roles', 2, 'SELECT * FROM roles'), get_pivot_columns('user_roles')},
		q{SELECT detach('user_roles', 2)} ],
	750);

# ---- ended before all rows are read

stays_small(
	'unfinished',
	'ok:7500',
	[   q{SELECT FROM get_results_for('user_roles', ARRAY(SELECT id FROM users)) LIMIT 1},
		q{SELECT EXISTS (SELECT FROM get_results('user_roles', 1))},
		q{DECLARE c CURSOR FOR SELECT get_results('user_roles', 1)}, q{FETCH c}, q{CLOSE c} ],
	1500);

# ---- as many different relations as there are values

sub bounded
{
	my ($size) = @_;
	my $session = session($node, 'app');
	my $use = sub {
		my ($from, $to) = @_;
		ask($session, qq{SELECT count(related_ids(where_pivot('user_roles', 'status', 'v' || i), 1)),
			count(attach(with_pivot_value('user_roles', 'status', 'v' || i), 99, 1)) FROM generate_series($from, $to) i});
	};

	ask($session, "SET belongs_to_many.plan_cache_size = $size");
	$use->(1, $size + 10);
	memory($session);
	my @before = memory($session);
	is($use->(10001, 10000 + 2 * $size + 1000), join('|', (2 * $size + 1000) x 2), "size $size: many relations");
	my @after = memory($session);

	# beside ours there are the plans of foreign keys
	cmp_ok($after[2], '<=', $size + 3, "size $size: number of plans");
	cmp_ok($after[0], '<=', $size + 8, "size $size: number of contexts");
	cmp_ok($after[4], '<=', $before[4] * 1.1, "size $size: bytes of all");
	$session->quit;
	return;
}

bounded(500);
bounded(1);
bounded(40);

# ---- calls within calls, more than the cache has room for

$node->safe_psql('app', q{
	CREATE TABLE outer_roles (LIKE user_roles INCLUDING ALL);
	CREATE FUNCTION many_calls() RETURNS trigger LANGUAGE plpgsql AS $$
	DECLARE
		relation m2m.belongs_to_many;
	BEGIN
		FOR i IN 1..10 LOOP
			relation := with_pivot_value('user_roles', 'status', 'of ' || NEW.role_id || ' ' || i);
			PERFORM attach(relation, 50 + i, 50 + NEW.role_id);
			PERFORM related_ids(relation, 50 + i);
			PERFORM get_results('outer_roles', NEW.user_id);
			PERFORM update_existing_pivot(relation, 50 + i, 50 + NEW.role_id, '{"status": "done"}');
		END LOOP;
		RETURN NEW;
	END$$;
	CREATE TRIGGER many_calls BEFORE INSERT ON outer_roles FOR EACH ROW EXECUTE FUNCTION many_calls();
	SELECT create_relation('outer_roles', belongs_to_many('users', 'roles', 'outer_roles', 'user_id', 'role_id'))});
{
	my $nested = session($node, 'app');
	ask($nested, 'SET belongs_to_many.plan_cache_size = 1');
	is(ask($nested, q{SELECT attached FROM sync('outer_roles', 1, '{1,2,3,4,5,6,7,8}')}), '[1, 2, 3, 4, 5, 6, 7, 8]',
		'nested: the outer call');
	is(ask($nested, q{SELECT status, count(*) FROM user_roles WHERE user_id BETWEEN 51 AND 60 GROUP BY 1}), 'done|80', 'nested: the inner ones');
	is(ask($nested, q{SELECT * FROM toggle('outer_roles', 1, '{2,9}')}), '[9]|[2]', 'nested: the outer relation once more');
	cmp_ok((memory($nested))[0], '<=', 10, 'nested: no relation stays pinned');
	$nested->quit;
}

# ---- names that nobody has, and saved relations that come and go

is(ask($session, q{SELECT unknown(1, 3000)}), '3000', 'unknown names');
my @unknown = memory();
is(ask($session, q{SELECT unknown(3001, 6000)}), '3000', 'more unknown names');
my @more_unknown = memory();
is($more_unknown[0], $unknown[0], 'unknown names: number of contexts');
cmp_ok($more_unknown[1], '<=', $unknown[1], 'unknown names: bytes in them');

ask($session, 'SET belongs_to_many.plan_cache_size = 20');
stays_small(
	'short-lived',
	'ok:1200',
	[   q{SELECT create_relation('short_lived', where_pivot('user_roles', 'status', 'active'))},
		q{SELECT related_ids('short_lived', 1)},
		q{SELECT drop_relation('short_lived')} ],
	400);

# ---- within one transaction, memory that a call took is free when it has ended

is( ask($session, q{
		BEGIN;
		CREATE TEMP TABLE sizes AS SELECT 0 AS at, sum(total_bytes) FROM pg_backend_memory_contexts;
		DO $$
		BEGIN
			FOR i IN 1..200 LOOP
				PERFORM sync('user_roles', 5, ARRAY(SELECT generate_series(1 + i % 2, 100)));
				IF i IN (20, 200) THEN
					INSERT INTO sizes SELECT i, sum(total_bytes) FROM pg_backend_memory_contexts;
				END IF;
			END LOOP;
		END$$;
		SELECT max(sum) FILTER (WHERE at = 200) - max(sum) FILTER (WHERE at = 20) < 262144 FROM sizes;
		COMMIT}), 't', 'calls in one transaction');

$session->quit;
log_is_clean($node);
done_testing();
