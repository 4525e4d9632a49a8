# The table shapes of the bulk path's equivalence test.
#
#   shapes(VERSION)     the shapes that this major version of PostgreSQL has, each a hash
#   schema(SHAPE)       the name of a shape's own schema
#   create_sql(SHAPE)   makes it and the tables, and leaves it in search_path
#
# A shape is the pivot "pivot" between users and roles, and what differs from that:
#
#   columns    further columns and constraints of the pivot
#   key        what is unique, by default the pair
#   users, roles, pivot   the tables themselves
#   before, after   SQL before and after the pivot is made
#   relations  expressions of relations; by default the one of "pivot"
#   session    SQL that the session begins with
#   role       who makes the calls
#   parents, ids, attributes   values as JSON: [[good ones], [bad ones]]; attributes by column
#   id_columns names of the columns of an id, as JSON strings; none: ids are never written as rows
#   big        a list of more ids than a generic plan is used for
#   many       how many calls in a hundred are for so many ids
#   rows       what to compare of the pivot's rows
#   locks      tables whose row locks are compared
#   plain      plain SQL that is run now and then
#   factor     how many times as long its sequences are: much must come together for what it tests
#   path       'bulk', 'ordinary' where auto does not pay or nothing can be inserted, or why the path is
#              not taken
#   probe      attributes with which rows can be inserted
#   repeatable_read   'ordinary' if the path is not taken there
#   always     0 if single calls cannot take the path though others do
#   from, to   versions of PostgreSQL that can have such tables
package BulkShapes;

use strict;
use warnings FATAL => 'all';
use Exporter 'import';

our @EXPORT = qw(shapes schema create_sql);

my $USERS = 'CREATE TABLE users (id bigint PRIMARY KEY, name text);';
my $ROLES = 'CREATE TABLE roles (id int PRIMARY KEY, name text);';
my $FILL = q{
	INSERT INTO users SELECT i, 'user ' || i FROM generate_series(1, 5) i;
	INSERT INTO roles SELECT i, 'role ' || i FROM generate_series(1, 290) i;};
my $PARTITIONED_ROLES = q{
	CREATE TABLE roles (id int PRIMARY KEY, name text) PARTITION BY RANGE (id);
	CREATE TABLE roles_1 PARTITION OF roles FOR VALUES FROM (1) TO (6);
	CREATE TABLE roles_2 PARTITION OF roles FOR VALUES FROM (6) TO (100000);};
my $OWNERS = 'CREATE TABLE owners (id int PRIMARY KEY); INSERT INTO owners VALUES (1), (2), (3);';
my $RELATION = q{belongs_to_many('users', 'roles', 'pivot', 'user_id', 'role_id')};

my @PLAIN = (
	'DELETE FROM roles WHERE id = 12',
	q{INSERT INTO roles VALUES (12, 'again') ON CONFLICT DO NOTHING},
	'UPDATE roles SET id = 13000 WHERE id = 13',
	'SELECT FROM roles WHERE id IN (2, 3) FOR UPDATE',
	'SELECT FROM users WHERE id IN (1, 2) FOR KEY SHARE',
	q{UPDATE roles SET name = 'x' WHERE id IN (4, 5)},
	'SET TRANSACTION READ ONLY');

my %DEFAULTS = (
	columns => '', before => '', after => '', session => '', role => '',
	key => 'PRIMARY KEY (user_id, role_id)',
	users => $USERS, roles => $ROLES, fill => $FILL,
	relations => [$RELATION],
	parents => [[1, 2, 3], [99]],
	ids => [[1 .. 13], [9998, 9999]],
	id_columns => ['"role_id"'],
	attributes => {},
	big => 'ARRAY(SELECT generate_series(5, 290))',
	many => 8,
	rows => '*',
	locks => [qw(users roles)],
	plain => \@PLAIN,
	path => 'bulk',
	probe => '{}',
	repeatable_read => 'bulk',
	always => 1,
	factor => 1,
	from => 15, to => 99);

my %STATUS = (
	status => [['"active"', '"paused"', 'null'], ['"bad"']],
	note => [['"n"', '"m"', 'null'], []]);

my @SHAPES;

sub shape
{
	my ($name, %given) = @_;
	my %shape = (%DEFAULTS, name => $name, %given);

	$shape{attributes} = { %STATUS, %{ $shape{attributes} } } unless $given{only_attributes};
	push @SHAPES, \%shape;
	return;
}

sub shapes
{
	my ($version) = @_;
	return grep { $_->{from} <= $version && $version <= $_->{to} } @SHAPES;
}

sub pivot_sql
{
	my ($shape) = @_;
	my $items = join ', ',
	  grep { $_ ne '' } 'user_id bigint REFERENCES users', 'role_id int REFERENCES roles',
	  q{status text DEFAULT 'active' CHECK (status <> 'bad')}, 'note text', $shape->{columns}, $shape->{key};

	return "CREATE TABLE pivot ($items)";
}

sub schema
{
	my ($shape) = @_;
	return $shape->{name} =~ s/\W+/_/gr;
}

sub create_sql
{
	my ($shape) = @_;
	my $pivot = $shape->{pivot} // pivot_sql($shape);
	my $schema = schema($shape);

	return qq{
		CREATE SCHEMA $schema;
		SET search_path = $schema, m2m;
		$shape->{users}
		$shape->{roles}
		$shape->{fill}
		$shape->{before};
		$pivot;
		$shape->{after};
		GRANT USAGE ON SCHEMA $schema TO regress_writer, regress_owner, regress_outsider;
	};
}

# ---- unique indexes, or none

shape 'plain';
shape 'small plan cache', session => 'SET belongs_to_many.plan_cache_size = 1';
shape 'other order', key => 'PRIMARY KEY (role_id, user_id)';
shape 'no index', key => '';
shape 'no index, filter', key => '',
  relations => [ $RELATION, "where_pivot($RELATION, 'status', 'active')", "where_pivot_null($RELATION, 'note')" ];
shape 'filter',
  relations => [ $RELATION, "where_pivot($RELATION, 'status', 'active')", "where_pivot_null($RELATION, 'note')" ];
shape 'inverse',
  relations => [ $RELATION, "inverse($RELATION)" ],
  ids => [[ 1, 2, 3, 4, 5 ], [9999]], parents => [[ 1, 2, 3 ], [99]], id_columns => [],
  big => q{'{1,2,3,4,5}'};
shape 'unique index with included column', key => '', after => 'CREATE UNIQUE INDEX ON pivot (user_id, role_id) INCLUDE (note)';
shape 'partial unique index on the pair', key => '',
  after => q{CREATE UNIQUE INDEX ON pivot (user_id, role_id) WHERE status = 'active'};
shape 'many ids', factor => 2, many => 50, columns => 'part int NOT NULL DEFAULT 1 CHECK (10 / part > 0)',
  attributes => { part => [[1, 2, 3], [0, 'null']] };
shape 'many ids, not null', many => 50, columns => 'part int NOT NULL', attributes => { part => [[1, 2, 3], ['null']] },
  probe => '{"part": 1}';
shape 'no checks, many ids', factor => 2, many => 60, fill => $FILL =~ s/290/1200/r, big => 'ARRAY(SELECT generate_series(5, 1200))',
  pivot => q{CREATE TABLE pivot (user_id bigint REFERENCES users, role_id int REFERENCES roles, status text DEFAULT 'active',
	note text NOT NULL DEFAULT 'n', part int, seen boolean DEFAULT 7 > 3, PRIMARY KEY (user_id, role_id))},
  after => 'CREATE INDEX ON pivot (part); CREATE UNIQUE INDEX ON pivot (part) WHERE part = 3',
  attributes => { note => [['"n"', '"m"'], ['null']], part => [[1, 2, 'null'], [3, '"x"']] };
shape 'no checks, many ids, extra foreign key', many => 60, before => $OWNERS,
  pivot => q{CREATE TABLE pivot (user_id bigint REFERENCES users, role_id int REFERENCES roles, owner_id int REFERENCES owners,
	status text, note text, PRIMARY KEY (user_id, role_id))},
  attributes => { owner_id => [[1, 2, 'null'], [9]] }, locks => [qw(users roles owners)];
shape 'no checks, many ids, sequences and clocks', many => 60,
  pivot => q{CREATE TABLE pivot (id serial UNIQUE, user_id bigint REFERENCES users, role_id int REFERENCES roles, gone int,
	status text, note text, number int GENERATED ALWAYS AS IDENTITY, at timestamptz NOT NULL DEFAULT now(), by name DEFAULT current_user,
	created_at timestamptz, updated_at timestamptz, PRIMARY KEY (user_id, role_id))},
  after => 'ALTER TABLE pivot DROP gone', relations => [ $RELATION, "with_timestamps($RELATION)" ],
  rows => 'rank() OVER (ORDER BY id) AS n, rank() OVER (ORDER BY number) AS m, user_id, role_id, status, note, by,
	at = created_at AS at_once, updated_at = created_at AS same';
shape 'one check, many ids', many => 60, factor => 3, only_attributes => 1, plain => [],
  pivot => q{CREATE TABLE pivot (user_id bigint REFERENCES users, role_id int REFERENCES roles, part int CHECK (part < 4), note text,
	PRIMARY KEY (user_id, role_id))},
  attributes => { part => [[1, 2, 3, 'null'], [4, 5]] };
shape 'no checks, many ids, generated column', many => 60,
  pivot => q{CREATE TABLE pivot (user_id bigint REFERENCES users, role_id int REFERENCES roles, status text, note text, part int,
	PRIMARY KEY (user_id, role_id), shared int GENERATED ALWAYS AS (100 / part + role_id) STORED)},
  attributes => { part => [[1, 2, 3, 'null'], [0]] };
shape 'no checks, many ids, partition', many => 60, factor => 3, only_attributes => 1, plain => [],
  pivot => q{CREATE TABLE whole (user_id bigint, role_id int, status text, note text, part int DEFAULT 1) PARTITION BY RANGE (part);
	CREATE TABLE pivot PARTITION OF whole (user_id REFERENCES users, role_id REFERENCES roles, PRIMARY KEY (user_id, role_id))
	FOR VALUES FROM (1) TO (4)},
  attributes => { part => [[1, 2, 3], [4, 'null']] };
shape 'no checks, many ids, typmods', many => 60,
  pivot => q{CREATE TABLE pivot (user_id bigint REFERENCES users, role_id int REFERENCES roles, status text, note varchar(3), part numeric(4, 1),
	PRIMARY KEY (user_id, role_id))},
  attributes => { note => [['"n"', '"abc"', '"ab    "', 'null'], ['"abcd"']], part => [[1, 2.55, 'null'], [1000]] };
shape 'no checks, many ids, one of few columns', many => 60, factor => 2, only_attributes => 1,
  pivot => q{CREATE TABLE pivot (user_id bigint REFERENCES users, role_id int REFERENCES roles, part int NOT NULL DEFAULT 2,
	kind text DEFAULT 'k', UNIQUE (role_id, user_id))},
  relations => [ $RELATION, "with_pivot_value($RELATION, 'kind', 'a')" ],
  attributes => { part => [[1, 2], ['null']], kind => [['"a"', '"b"', 'null'], []] };
shape 'no checks, many ids, no index', many => 60, factor => 2,
  pivot => 'CREATE TABLE pivot (user_id bigint REFERENCES users, role_id int REFERENCES roles, status text, note text)';
shape 'null pair', key => 'UNIQUE (user_id, role_id)',
  after => 'INSERT INTO pivot VALUES (1, NULL), (NULL, 3), (2, NULL)';

# ---- other unique and exclusion constraints, CHECK

shape 'unique on other columns', columns => 'position int, UNIQUE (user_id, position)',
  attributes => { position => [[1 .. 30, 'null'], [1, 2]] };
shape 'partial and expression indexes', columns => 'position int',
  after => q{
	CREATE UNIQUE INDEX ON pivot (role_id) WHERE status = 'paused' AND note = 'm';
	CREATE UNIQUE INDEX ON pivot (user_id, (position % 20));
	CREATE INDEX ON pivot (lower(note))},
  attributes => { position => [[1 .. 30, 'null'], [21, 22, 23]] };
shape 'exclusion constraint', columns => 'span int4range, EXCLUDE USING gist (span WITH &&)',
  attributes => { span => [[ (map { qq{"[$_,$_]"} } 1 .. 40), 'null'], ['"[1,20]"', '"x"']] };
shape 'check that fails otherwise', columns => 'part int CHECK (10 / part > 0)',
  attributes => { part => [[1, 2, 3, 'null'], [0, -1, 11]] };
shape 'index rows that are too large', after => 'CREATE INDEX ON pivot (note)',
  attributes => { note => [['"n"', '"m"'], [ '"' . join('', map { $_**5 } 1 .. 900) . '"' ]] };
shape 'not null', columns => 'part int NOT NULL DEFAULT 1', attributes => { part => [[1, 2], ['null', '"x"', 1e10]] };

# ---- columns that the server fills

shape 'generated column', columns => 'part int, doubled int GENERATED ALWAYS AS (100 / part + role_id) STORED',
  attributes => { part => [[1, 2, 3, 'null'], [0]], doubled => [[], [1]] };
shape 'foreign key on generated column',
  columns => 'part int, doubled int GENERATED ALWAYS AS (part * 2) STORED REFERENCES roles',
  attributes => { part => [[1, 2, 3, 'null'], [4000]] }, path => 'A column of a foreign key gets a default.';
shape 'identity', columns => 'id int GENERATED ALWAYS AS IDENTITY',
  rows => 'rank() OVER (ORDER BY id) AS n, user_id, role_id, status, note', attributes => { id => [[], [5]] };
shape 'serial primary key', columns => 'id serial PRIMARY KEY', key => 'UNIQUE (user_id, role_id)',
  rows => 'rank() OVER (ORDER BY id) AS n, user_id, role_id, status, note';
shape 'serial, no index on the pair', columns => 'id serial PRIMARY KEY', key => '',
  rows => 'rank() OVER (ORDER BY id) AS n, user_id, role_id, status, note';
shape 'foreign key on identity column', columns => 'id int GENERATED BY DEFAULT AS IDENTITY REFERENCES numbers',
  before => 'CREATE TABLE numbers (id int PRIMARY KEY); INSERT INTO numbers SELECT generate_series(1, 3000)',
  rows => 'user_id, role_id, status, note', attributes => { id => [[1, 2], [9999]] },
  path => 'A column of a foreign key gets a default.', always => 0;
shape 'volatile default', columns => 'token uuid DEFAULT gen_random_uuid()', rows => 'user_id, role_id, status, note',
  path => 'It has a column with a volatile default.';
shape 'stable defaults', columns => 'at timestamptz DEFAULT now(), by name DEFAULT current_user',
  rows => 'user_id, role_id, status, note, by, at IS NULL AS no_at';
shape 'timestamps', columns => 'created_at timestamptz, updated_at timestamptz',
  relations => [ "with_timestamps($RELATION)", "with_timestamps($RELATION, NULL, 'updated_at')" ],
  rows => 'user_id, role_id, status, note, created_at IS NULL AS no_created, created_at = updated_at AS same',
  attributes => { created_at => [['"2020-01-01"', 'null'], ['"yesterdayish"']] };
shape 'pivot values',
  columns => 'kind text',
  relations => [ "with_pivot_value($RELATION, 'kind', 'a')", "with_pivot_value($RELATION, 'kind', NULL::text)", $RELATION ],
  attributes => { kind => [['"a"', '"b"', 'null'], []] };
shape 'polymorphic, many ids', factor => 3, many => 40, columns => 'kind text', key => 'PRIMARY KEY (kind, user_id, role_id)',
  relations => [ "morph($RELATION, 'kind', 'a')" ], attributes => { kind => [['"a"', '"b"'], ['null']] }, parents => [[1], [99]];
shape 'polymorphic', columns => 'kind text',
  key => 'PRIMARY KEY (kind, user_id, role_id)',
  relations => [ "morph($RELATION, 'kind', 'a')", "morph($RELATION, 'kind', 'b')" ],
  attributes => { kind => [['"a"', '"b"'], ['null']] };
shape 'foreign key on a pivot value', columns => 'owner_id int REFERENCES owners', before => $OWNERS,
  relations => [ "with_pivot_value($RELATION, 'owner_id', 1)", "with_pivot_value($RELATION, 'owner_id', 9)" ],
  attributes => { owner_id => [[1, 2], [9]] }, path => 'A column of a foreign key gets a default.';

# ---- foreign keys

shape 'no foreign keys', pivot => q{CREATE TABLE pivot (user_id bigint, role_id int, status text, note text,
	PRIMARY KEY (user_id, role_id))}, path => 'ordinary';
shape 'one foreign key', pivot => q{CREATE TABLE pivot (user_id bigint, role_id int REFERENCES roles,
	status text CHECK (status <> 'bad'), note text, PRIMARY KEY (user_id, role_id))};
shape 'extra foreign key', columns => 'owner_id int REFERENCES owners', before => $OWNERS,
  attributes => { owner_id => [[1, 2, 'null'], [9]] }, locks => [qw(users roles owners)],
  plain => [ @PLAIN, 'DELETE FROM owners WHERE id = 2', 'INSERT INTO owners VALUES (2) ON CONFLICT DO NOTHING' ];
shape 'foreign key with a default', columns => 'owner_id int DEFAULT 1 REFERENCES owners', before => $OWNERS,
  attributes => { owner_id => [[1, 2, 'null'], [9]] }, locks => [qw(users roles owners)],
  path => 'A column of a foreign key gets a default.';
shape 'foreign key with the default of a domain', columns => 'owner_id grade REFERENCES owners',
  before => "$OWNERS; CREATE DOMAIN grade AS int DEFAULT 9",
  attributes => { owner_id => [[1, 2, 'null'], [9]] }, locks => [qw(users roles owners)],
  path => 'A column of a foreign key gets a default.';
shape 'foreign key of two columns', columns => 'realm int, granted int, FOREIGN KEY (realm, granted) REFERENCES grants',
  before => 'CREATE TABLE grants (realm int, id int, PRIMARY KEY (realm, id)); INSERT INTO grants VALUES (1, 1), (1, 2), (2, 1)',
  attributes => { realm => [[1, 'null'], [2, 3]], granted => [[1, 2, 'null'], [3]] }, locks => [qw(users roles grants)];
shape 'columns of foreign keys in another order',
  columns => 'realm int, granted int, FOREIGN KEY (realm, granted) REFERENCES grants (realm, id)',
  before => 'CREATE TABLE grants (realm int, id int, UNIQUE (id, realm)); INSERT INTO grants VALUES (1, 1), (1, 2), (3, 1)',
  attributes => { realm => [[1, 'null'], [2, 3]], granted => [[1, 2, 'null'], [3]] }, locks => [qw(users roles grants)];
shape 'foreign key on the pair', columns => 'FOREIGN KEY (user_id, role_id) REFERENCES allowed',
  before => q{CREATE TABLE allowed (user_id bigint, role_id int, PRIMARY KEY (user_id, role_id));
	INSERT INTO allowed SELECT u, r FROM generate_series(1, 3) u, generate_series(1, 290) r WHERE r <> 7},
  locks => [qw(users roles allowed)];
shape 'two foreign keys on one column', columns => 'FOREIGN KEY (role_id) REFERENCES special',
  before => 'CREATE TABLE special (id int PRIMARY KEY); INSERT INTO special SELECT i FROM generate_series(1, 290) i WHERE i <> 6',
  locks => [qw(users roles special)];
shape 'references the pivot', factor => 2, columns => 'via_user bigint, via_role int, FOREIGN KEY (via_user, via_role) REFERENCES pivot',
  attributes => { via_user => [[1, 2, 'null'], [9]], via_role => [[1 .. 5, 'null'], [9999]] },
  rows => 'user_id, role_id, via_user, via_role, note', locks => [qw(users roles pivot)], always => 0;
shape 'references pairs of the same parent', factor => 4,
  columns => 'via_user bigint, via_role int, FOREIGN KEY (via_user, via_role) REFERENCES pivot (user_id, role_id) ON DELETE CASCADE',
  parents => [[1], [99]], ids => [[1 .. 10], [9999]], only_attributes => 1,
  attributes => { via_user => [[1], []], via_role => [[1 .. 10], [9999]], note => [['"n"'], []] },
  rows => 'user_id, role_id, via_user, via_role, note', locks => [qw(users roles pivot)], always => 0;
shape 'references pairs of the same call', factor => 2,
  columns => 'via_role int, FOREIGN KEY (user_id, via_role) REFERENCES pivot (user_id, role_id) ON DELETE CASCADE',
  parents => [[1], [99]], ids => [[1 .. 10], [9999]], only_attributes => 1,
  attributes => { via_role => [[1 .. 10], [9999]], note => [['"n"'], []] },
  rows => 'user_id, role_id, via_role, note', locks => [qw(users roles pivot)], always => 0;
shape 'references the mirrored pair',
  users => '', fill => q{INSERT INTO roles SELECT i, 'role ' || i FROM generate_series(1, 290) i;},
  pivot => q{CREATE TABLE pivot (role_id int REFERENCES roles, other_id int REFERENCES roles, note text,
	PRIMARY KEY (role_id, other_id), FOREIGN KEY (other_id, role_id) REFERENCES pivot)},
  relations => [q{belongs_to_many('roles', 'roles', 'pivot', 'role_id', 'other_id')}],
  id_columns => ['"other_id"'], ids => [[1, 1, 1, 2, 3], [4]], parents => [[1, 2], [99]], only_attributes => 1,
  plain => ['INSERT INTO pivot VALUES (1, 2), (2, 1) ON CONFLICT DO NOTHING'],
  locks => [qw(roles pivot)];
shape 'references the pivot by a number', columns => 'number int UNIQUE, via int REFERENCES pivot (number)',
  attributes => { number => [[1 .. 40, 'null'], [1, 2]], via => [[1 .. 5, 'null'], [900]] },
  locks => [qw(users roles pivot)], always => 0;
shape 'references a partitioned table', roles => $PARTITIONED_ROLES,
  locks => [qw(users roles_1 roles_2)], repeatable_read => 'ordinary', always => 0;
shape 'referenced table has children', factor => 2,
  after => q{CREATE TABLE old_roles () INHERITS (roles); INSERT INTO old_roles VALUES (9999, 'old')}, ids => [[1 .. 13], [9999]],
  locks => [qw(users roles old_roles)];
shape 'referenced table has children, other types', roles => 'CREATE TABLE roles (id numeric PRIMARY KEY, name text);',
  after => q{CREATE TABLE old_roles () INHERITS (roles); INSERT INTO old_roles VALUES (9999, 'old')}, ids => [[1 .. 6, 9999, 9999], [9998]],
  locks => [qw(users roles old_roles)];
shape 'referenced by a unique index', roles => 'CREATE TABLE roles (id int UNIQUE, name text, n serial PRIMARY KEY);',
  pivot => q{CREATE TABLE pivot (user_id bigint REFERENCES users, role_id int REFERENCES roles (id),
	status text, note text, PRIMARY KEY (user_id, role_id))},
  relations => [q{belongs_to_many('users', 'roles', 'pivot', 'user_id', 'role_id', 'id', 'id')}];
shape 'cascades', pivot => q{CREATE TABLE pivot (user_id bigint REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE,
	role_id int REFERENCES roles ON DELETE CASCADE ON UPDATE CASCADE, status text CHECK (status <> 'bad'), note text,
	owner_id int REFERENCES owners ON DELETE SET NULL, PRIMARY KEY (user_id, role_id))}, before => $OWNERS,
  attributes => { owner_id => [[1, 2, 'null'], [9]] }, locks => [qw(users roles owners)],
  plain => [ @PLAIN, 'DELETE FROM owners WHERE id = 2', 'DELETE FROM users WHERE id = 3',
	'INSERT INTO users VALUES (3) ON CONFLICT DO NOTHING', 'INSERT INTO owners VALUES (2) ON CONFLICT DO NOTHING' ];
shape 'not valid', after => q{ALTER TABLE pivot DROP CONSTRAINT pivot_role_id_fkey;
	INSERT INTO pivot VALUES (1, 700), (2, 700);
	ALTER TABLE pivot ADD FOREIGN KEY (role_id) REFERENCES roles NOT VALID},
  ids => [[1 .. 13, 700], [9998, 9999]];
shape 'not enforced', from => 18, after => q{ALTER TABLE pivot DROP CONSTRAINT pivot_role_id_fkey;
	ALTER TABLE pivot ADD FOREIGN KEY (role_id) REFERENCES roles NOT ENFORCED};
shape 'match full', columns => 'realm int, granted int, FOREIGN KEY (realm, granted) REFERENCES grants MATCH FULL',
  before => 'CREATE TABLE grants (realm int, id int, PRIMARY KEY (realm, id)); INSERT INTO grants VALUES (1, 1), (1, 2)',
  attributes => { realm => [[1, 'null'], []], granted => [[1, 2, 'null'], [3]] }, locks => [qw(users roles grants)],
  path => 'It has a foreign key with MATCH FULL.';
shape 'deferrable foreign key', pivot => q{CREATE TABLE pivot (user_id bigint REFERENCES users,
	role_id int REFERENCES roles DEFERRABLE INITIALLY DEFERRED, status text, note text, PRIMARY KEY (user_id, role_id))},
  path => 'It has a deferrable foreign key.';
shape 'deferrable unique constraint', columns => 'position int, UNIQUE (user_id, position) DEFERRABLE INITIALLY DEFERRED',
  attributes => { position => [[1 .. 30, 'null'], [1, 2]] }, path => 'It has triggers on INSERT.';
shape 'period', from => 18, columns => q{at daterange, owner_id int, FOREIGN KEY (owner_id, PERIOD at) REFERENCES owners (id, PERIOD at)},
  before => q{CREATE TABLE owners (id int, at daterange, PRIMARY KEY (id, at WITHOUT OVERLAPS));
	INSERT INTO owners VALUES (1, '[2020-01-01,2021-01-01)')},
  attributes => { at => [['"[2020-02-01,2020-03-01)"'], ['"[2022-02-01,2022-03-01)"']], owner_id => [[1, 'null'], [2]] },
  path => 'It has a foreign key with PERIOD.';
shape 'trigger of a foreign key disabled', after => 'ALTER TABLE pivot DISABLE TRIGGER ALL',
  path => 'The trigger of a foreign key is disabled.';
shape 'trigger of a foreign key always fires',
  after => q{DO $$ DECLARE t text; BEGIN
	FOR t IN SELECT tgname FROM pg_trigger WHERE tgrelid = 'pivot'::regclass LOOP
		EXECUTE format('ALTER TABLE pivot ENABLE ALWAYS TRIGGER %I', t);
	END LOOP; END $$};
shape 'local', session => 'SET session_replication_role = local';
shape 'replica', session => 'SET session_replication_role = replica',
  path => 'Foreign keys are not checked while session_replication_role is "replica".';

# ---- types of keys

sub text_shape
{
	my ($name, $collation, $type, $session) = @_;
	my $mixed = "$collation $type" =~ /insensitive/ && $type !~ /\Q$collation/;

	# newer versions want nondeterministic collations to be the same on both sides of a foreign key
	shape $name, session => $session // '', to => $mixed ? 17 : $DEFAULTS{to},
	  before => "CREATE TABLE colors (name text COLLATE $collation PRIMARY KEY);
		INSERT INTO colors SELECT 'c' || i FROM generate_series(1, 290) i; INSERT INTO colors VALUES ('Red'), ('green'), ('{}')",
	  pivot => "CREATE TABLE pivot (user_id bigint REFERENCES users, color $type REFERENCES colors,
		status text DEFAULT 'active', note text, PRIMARY KEY (user_id, color))",
	  relations => [q{belongs_to_many('users', 'colors', 'pivot', 'user_id', 'color')}],
	  ids => [[ '"Red"', '"green"', '"c1"', '"c2"', '"c3"', '"c4"' ], [ '"RED"', '"red"', '"GREEN"', '"blue"' ]],
	  id_columns => ['"color"'], big => q{ARRAY(SELECT 'c' || i FROM generate_series(5, 290) i)},
	  rows => 'user_id, color COLLATE "C", status, note', locks => [qw(users colors)], plain => [];
	return;
}

text_shape('text keys', '"C"', 'text');
text_shape('nondeterministic collation', 'm2m.insensitive', 'text COLLATE m2m.insensitive');
text_shape('nondeterministic collation of the reference alone', 'm2m.insensitive', 'text COLLATE "C"');
text_shape('nondeterministic collation of the pivot alone', '"C"', 'text COLLATE m2m.insensitive');
text_shape('varchar keys', 'm2m.insensitive', 'varchar(20)');
text_shape('char keys', 'm2m.insensitive', 'char(20) COLLATE "C"');
text_shape('nondeterministic collation, hash join', 'm2m.insensitive', 'text COLLATE "C"', 'SET enable_nestloop = off');
text_shape('nondeterministic collation, merge join', 'm2m.insensitive', 'text COLLATE "C"',
	'SET enable_nestloop = off; SET enable_hashjoin = off');

shape 'typmods', columns => 'code char(3) REFERENCES codes, price numeric(5,2) REFERENCES prices, word varchar(3) REFERENCES words',
  before => q{CREATE TABLE codes (code char(3) PRIMARY KEY); INSERT INTO codes VALUES ('a'), ('abc');
	CREATE TABLE prices (price numeric PRIMARY KEY); INSERT INTO prices VALUES (1), (1.01), (2.5);
	CREATE TABLE words (word text PRIMARY KEY); INSERT INTO words VALUES ('a'), ('abc'), ('ab ')},
  attributes => {
	code => [['"a"', '"a  "', '"abc"', 'null'], ['"b"', '"abcd"']],
	price => [[1, 1.0, 1.005, 1.012, '"2.50"', 'null'], [3, 1.006e3]],
	word => [['"a"', '"abc"', 'null'], ['"abc  "', '"ab  "', '"abcd"']] },
  locks => [qw(users roles codes prices words)];
shape 'other types than referenced',
  users => 'CREATE TABLE users (id numeric PRIMARY KEY, name text);',
  pivot => q{CREATE TABLE pivot (user_id smallint REFERENCES users, role_id bigint REFERENCES roles, status text, note text,
	PRIMARY KEY (user_id, role_id))}, ids => [[1 .. 13], [9999, 4000000000]], parents => [[1, 2, 3], [99, 70000]];
shape 'other types than referenced, merge join', session => 'SET enable_nestloop = off; SET enable_hashjoin = off',
  users => 'CREATE TABLE users (id numeric PRIMARY KEY, name text);',
  pivot => q{CREATE TABLE pivot (user_id smallint REFERENCES users, role_id bigint REFERENCES roles, status text, note text,
	PRIMARY KEY (user_id, role_id))}, ids => [[1 .. 13], [9999, 4000000000]];
shape 'odd types',
  columns => q{mood mood REFERENCES moods, tags int[] REFERENCES tags, spot spot REFERENCES spots, day date REFERENCES days,
	raw bytea REFERENCES raws, key uuid REFERENCES keys, word m2m.citext REFERENCES words, span int4range REFERENCES spans},
  before => q{CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE moods (m mood PRIMARY KEY); INSERT INTO moods VALUES ('ok');
	CREATE TABLE tags (t int[] PRIMARY KEY); INSERT INTO tags VALUES ('{1,2}');
	CREATE TYPE spot AS (x int, y int); CREATE TABLE spots (s spot PRIMARY KEY); INSERT INTO spots VALUES ('(1,2)');
	CREATE TABLE days (d timestamp PRIMARY KEY); INSERT INTO days VALUES ('2020-01-01');
	CREATE TABLE raws (r bytea PRIMARY KEY); INSERT INTO raws VALUES ('\x00ff');
	CREATE TABLE keys (k uuid PRIMARY KEY); INSERT INTO keys VALUES ('10000000-0000-0000-0000-000000000000');
	CREATE TABLE words (w m2m.citext PRIMARY KEY); INSERT INTO words VALUES ('Word');
	CREATE TABLE spans (s int4range PRIMARY KEY); INSERT INTO spans VALUES ('[1,3)')},
  attributes => {
	mood => [['"ok"'], ['"sad"', '"glad"']], tags => [['[1,2]', '"{1,2}"'], ['[1]', '"x"']],
	spot => [['{"x": 1, "y": 2}', '"(1,2)"'], ['"(2,1)"', '"(1,)"']], day => [['"2020-01-01"'], ['"2020-01-02"']],
	raw => [['"\\\\x00ff"'], ['"\\\\x00"']], key => [['"10000000-0000-0000-0000-000000000000"'], ['"20000000-0000-0000-0000-000000000000"']],
	word => [['"word"', '"WORD"'], ['"words"']], span => [['"[1,2]"'], ['"[1,4)"']] },
  locks => [qw(users roles moods tags spots days raws keys words spans)];
shape 'keys of several columns',
  users => 'CREATE TABLE users (tenant_id int, id int, PRIMARY KEY (tenant_id, id));',
  roles => 'CREATE TABLE roles (tenant_id int, id int, PRIMARY KEY (tenant_id, id));',
  fill => q{INSERT INTO users SELECT t, i FROM generate_series(1, 2) t, generate_series(1, 3) i;
	INSERT INTO roles SELECT t, i FROM generate_series(1, 2) t, generate_series(1, 290) i WHERE t = 1 OR i <> 5;},
  pivot => q{CREATE TABLE pivot (tenant_id int, user_id int, role_id int, status text, note text,
	PRIMARY KEY (tenant_id, user_id, role_id),
	FOREIGN KEY (tenant_id, user_id) REFERENCES users, FOREIGN KEY (tenant_id, role_id) REFERENCES roles)},
  relations => [q{belongs_to_many('users', 'roles', 'pivot', '{tenant_id,user_id}'::name[], '{tenant_id,role_id}'::name[])}],
  parents => [[ '{"tenant_id": 1, "user_id": 1}', '[1, 2]', '{"tenant_id": 2, "user_id": 1}' ], ['[3, 1]']],
  plain => [];
shape 'ids of several columns',
  roles => 'CREATE TABLE roles (kind text, code int, PRIMARY KEY (kind, code));',
  fill => q{INSERT INTO users SELECT i FROM generate_series(1, 5) i;
	INSERT INTO roles SELECT k, i FROM unnest('{a,b}'::text[]) k, generate_series(1, 290) i;},
  pivot => q{CREATE TABLE pivot (user_id bigint REFERENCES users, role_code int, role_kind text, status text, note text,
	PRIMARY KEY (user_id, role_kind, role_code), FOREIGN KEY (role_kind, role_code) REFERENCES roles)},
  relations => [q{belongs_to_many('users', 'roles', 'pivot', '{user_id}'::name[], '{role_kind,role_code}'::name[])}],
  ids => [[ (map { [ '"a"', $_ ] } 1 .. 6), [ '"b"', 1 ] ], [ [ '"c"', 1 ], [ '"a"', 9999 ] ]],
  id_columns => [ '"role_kind"', '"role_code"' ],
  big => q{(SELECT jsonb_agg(jsonb_build_array('a', i)) FROM generate_series(5, 290) i)}, plain => [];
shape 'hostile names',
  roles => q{CREATE TABLE "ro""les" ("i d" int PRIMARY KEY);},
  fill => q{INSERT INTO users SELECT i FROM generate_series(1, 5) i; INSERT INTO "ro""les" SELECT generate_series(1, 290);},
  pivot => q{CREATE TABLE pivot ("select" bigint REFERENCES users, "k1" int REFERENCES "ro""les", "f1" int REFERENCES "ro""les",
	ord int, status text, note text, PRIMARY KEY ("select", "k1"))},
  relations => [q{belongs_to_many('users', '"ro""les"', 'pivot', 'select', 'k1')}], id_columns => ['"k1"'],
  attributes => { f1 => [[1, 2, 'null'], [9999]], ord => [[1, 'null'], []] }, plain => [], locks => [ 'users', '"ro""les"' ];
shape 'dropped columns', columns => 'owner_id int REFERENCES owners, gone int, part int DEFAULT 4', before => "$OWNERS
	ALTER TABLE owners ADD gone int; ALTER TABLE owners DROP gone; ALTER TABLE roles ADD gone int; ALTER TABLE roles DROP name",
  after => 'ALTER TABLE pivot DROP gone; ALTER TABLE pivot ADD late int DEFAULT 7 REFERENCES roles; ALTER TABLE pivot ALTER late DROP DEFAULT',
  attributes => { owner_id => [[1, 2, 'null'], [9]], late => [[1, 'null'], [9999]], part => [[1], []] },
  plain => [], locks => [qw(users roles owners)];

# ---- kinds of tables, triggers, rules, domains

shape 'unlogged', after => 'ALTER TABLE pivot SET UNLOGGED';
shape 'temporary', pivot => q{CREATE TEMPORARY TABLE users (LIKE users INCLUDING ALL);
	CREATE TEMPORARY TABLE roles (LIKE roles INCLUDING ALL);
	INSERT INTO pg_temp.users SELECT generate_series(1, 3); INSERT INTO pg_temp.roles SELECT generate_series(1, 290);
	CREATE TEMPORARY TABLE pivot (user_id bigint REFERENCES pg_temp.users, role_id int REFERENCES pg_temp.roles,
	status text DEFAULT 'active' CHECK (status <> 'bad'), note text, PRIMARY KEY (user_id, role_id)) ON COMMIT PRESERVE ROWS};
shape 'partitioned pivot', pivot => q{CREATE TABLE pivot (user_id bigint REFERENCES users, role_id int REFERENCES roles,
	status text DEFAULT 'active' CHECK (status <> 'bad'), note text, PRIMARY KEY (user_id, role_id)) PARTITION BY LIST (user_id);
	CREATE TABLE pivot_1 PARTITION OF pivot FOR VALUES IN (1, 2);
	CREATE TABLE pivot_3 PARTITION OF pivot FOR VALUES IN (3)}, path => 'It is not a plain table.';
shape 'a partition as pivot', pivot => q{CREATE TABLE whole (user_id bigint REFERENCES users, role_id int REFERENCES roles,
	status text DEFAULT 'active' CHECK (status <> 'bad'), note text, PRIMARY KEY (user_id, role_id)) PARTITION BY LIST (user_id);
	CREATE TABLE pivot PARTITION OF whole FOR VALUES IN (1, 2, 3, 99)}, parents => [[1, 2, 3], [4, 99]];
shape 'a partition that references its root', factor => 2, pivot => q{CREATE TABLE whole (user_id bigint REFERENCES users,
	role_id int REFERENCES roles, via_user bigint, via_role int, note text, PRIMARY KEY (user_id, role_id),
	FOREIGN KEY (via_user, via_role) REFERENCES whole) PARTITION BY LIST (user_id);
	CREATE TABLE pivot PARTITION OF whole FOR VALUES IN (1, 2, 3, 99);
	CREATE TABLE rest PARTITION OF whole DEFAULT; INSERT INTO whole VALUES (5, 1), (1, 1)},
  only_attributes => 1, attributes => { note => [['"n"'], []], via_user => [[1, 5, 'null'], [2]], via_role => [[1, 2, 'null'], [9999]] },
  locks => [qw(users roles rest)], repeatable_read => 'ordinary', always => 0;
shape 'child of a table', pivot => q{CREATE TABLE mother (user_id bigint, role_id int, status text DEFAULT 'active', note text);
	CREATE TABLE pivot (PRIMARY KEY (user_id, role_id), FOREIGN KEY (user_id) REFERENCES users,
		FOREIGN KEY (role_id) REFERENCES roles) INHERITS (mother)};
shape 'pivot with children', after => q{CREATE TABLE child () INHERITS (pivot); INSERT INTO child VALUES (1, 1), (2, 700)};
shape 'domain with a check', columns => 'nick short', before => 'CREATE DOMAIN short AS text CHECK (length(VALUE) < 9)',
  attributes => { nick => [['"a"', 'null'], ['"much too long"']] }, path => 'It has a column of a domain with constraints.';
shape 'domain without a check', columns => 'nick short', before => q{CREATE DOMAIN short AS varchar(9) DEFAULT 'nick'},
  attributes => { nick => [['"a"', 'null'], ['"much too long"']] };
shape 'domains as keys', before => 'CREATE DOMAIN user_no AS bigint; CREATE DOMAIN role_no AS int',
  pivot => q{CREATE TABLE pivot (user_id user_no REFERENCES users, role_id role_no REFERENCES roles,
	status text DEFAULT 'active', note text, PRIMARY KEY (user_id, role_id))};
shape 'volatile check', columns => 'part int CHECK (is_fine(part))', attributes => { part => [[1, 'null'], [0]] },
  before => q{CREATE FUNCTION is_fine(int) RETURNS boolean LANGUAGE sql VOLATILE AS 'SELECT $1 <> 0'},
  path => 'It has a CHECK constraint with a volatile function.';
shape 'check that raises', columns => 'part int CHECK (is_fine(part))', attributes => { part => [[1, 'null'], [0]] },
  before => q{CREATE FUNCTION is_fine(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $f$
	BEGIN IF $1 = 0 THEN RAISE 'not zero' USING ERRCODE = 'P0099', DETAIL = 'It is zero.', CONSTRAINT = 'fine'; END IF; RETURN true; END $f$};

my $TRIGGER = q{CREATE FUNCTION note_it() RETURNS trigger LANGUAGE plpgsql AS
	$f$ BEGIN NEW.note := coalesce(NEW.note, '') || 't'; RETURN CASE WHEN NEW.role_id <> 4 THEN NEW END; END $f$};
my $AUDIT = q{CREATE TABLE audit (n int);
	CREATE FUNCTION audit_it() RETURNS trigger LANGUAGE plpgsql AS
	$f$ BEGIN INSERT INTO audit SELECT count(*) FROM new_rows; RETURN NULL; END $f$;
	CREATE FUNCTION audit_call() RETURNS trigger LANGUAGE plpgsql AS
	$f$ BEGIN INSERT INTO audit VALUES (-1); RETURN NULL; END $f$};
my $AUDITED = q{(SELECT string_agg(n::text, ',' ORDER BY ctid) FROM audit) AS audited, *};

shape 'row trigger', before => $TRIGGER, path => 'It has triggers on INSERT.',
  after => 'CREATE TRIGGER t BEFORE INSERT ON pivot FOR EACH ROW EXECUTE FUNCTION note_it()';
shape 'transition table', before => $AUDIT, rows => $AUDITED, path => 'It has triggers on INSERT.',
  after => 'CREATE TRIGGER t AFTER INSERT ON pivot REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION audit_it()';
shape 'statement trigger', before => $AUDIT, rows => $AUDITED, path => 'It has triggers on INSERT.',
  after => 'CREATE TRIGGER t AFTER INSERT ON pivot FOR EACH STATEMENT EXECUTE FUNCTION audit_call()';
shape 'triggers on other commands', before => $AUDIT, rows => $AUDITED,
  after => 'CREATE TRIGGER t AFTER UPDATE OR DELETE ON pivot FOR EACH STATEMENT EXECUTE FUNCTION audit_call()';
shape 'constraint trigger', before => $AUDIT, rows => $AUDITED, path => 'It has triggers on INSERT.',
  after => 'CREATE CONSTRAINT TRIGGER t AFTER INSERT ON pivot DEFERRABLE FOR EACH ROW EXECUTE FUNCTION audit_call()';
shape 'rule', before => $AUDIT, rows => $AUDITED, path => 'It has rules.',
  after => 'CREATE RULE r AS ON INSERT TO pivot DO ALSO INSERT INTO audit VALUES (NEW.role_id)';

# ---- privileges

my $OWNED = 'ALTER TABLE users OWNER TO regress_owner; ALTER TABLE roles OWNER TO regress_owner';

shape 'may not read what is referenced', role => 'regress_writer',
  after => 'GRANT SELECT, INSERT, UPDATE, DELETE ON pivot TO regress_writer', plain => [];
shape 'column privileges', role => 'regress_writer', plain => [], columns => 'owner_id int REFERENCES owners', before => $OWNERS,
  after => q{GRANT SELECT (user_id, role_id), INSERT (user_id, role_id, note, owner_id), UPDATE (note), DELETE ON pivot TO regress_writer},
  attributes => { owner_id => [[1, 2, 'null'], [9]] }, locks => [qw(users roles owners)];
shape 'column privileges, many ids', role => 'regress_writer', plain => [], many => 60,
  after => q{GRANT SELECT, DELETE, INSERT (user_id, role_id, status) ON pivot TO regress_writer}, parents => [[1], [99]];
shape 'may insert only', role => 'regress_writer', plain => [], after => 'GRANT INSERT ON pivot TO regress_writer',
  path => 'ordinary';
shape 'row-level security', role => 'regress_writer', plain => [],
  after => q{GRANT SELECT, INSERT, UPDATE, DELETE ON pivot TO regress_writer; ALTER TABLE pivot ENABLE ROW LEVEL SECURITY;
	CREATE POLICY p ON pivot USING (user_id <> 2) WITH CHECK (note IS DISTINCT FROM 'm')},
  path => 'Row-level security applies to the current user.';
shape 'row-level security, but not for the owner', role => 'regress_owner', plain => [],
  after => q{ALTER TABLE pivot OWNER TO regress_owner; ALTER TABLE pivot ENABLE ROW LEVEL SECURITY;
	CREATE POLICY p ON pivot USING (user_id <> 2) WITH CHECK (note IS DISTINCT FROM 'm')};
shape 'row-level security refused', role => 'regress_writer', session => 'SET row_security = off', plain => [],
  after => q{GRANT SELECT, INSERT, UPDATE, DELETE ON pivot TO regress_writer; ALTER TABLE pivot ENABLE ROW LEVEL SECURITY;
	CREATE POLICY p ON pivot USING (user_id <> 2)},
  path => 'Row-level security applies to the current user.';
shape 'row-level security forced on what is referenced', role => 'regress_writer', plain => [],
  after => qq{$OWNED; GRANT SELECT, INSERT, UPDATE, DELETE ON pivot TO regress_writer;
	ALTER TABLE roles ENABLE ROW LEVEL SECURITY; ALTER TABLE roles FORCE ROW LEVEL SECURITY;
	CREATE POLICY p ON roles USING (id < 3)};
shape 'may not read what is referenced, partitioned', role => 'regress_writer', roles => $PARTITIONED_ROLES, plain => [],
  after => 'GRANT SELECT, INSERT, UPDATE, DELETE ON pivot TO regress_writer',
  locks => [qw(users roles_1 roles_2)], repeatable_read => 'ordinary', always => 0;
shape 'row-level security forced on what is referenced, partitioned', role => 'regress_writer', plain => [],
  roles => $PARTITIONED_ROLES,
  after => qq{$OWNED; GRANT SELECT, INSERT, UPDATE, DELETE ON pivot TO regress_writer;
	ALTER TABLE roles ENABLE ROW LEVEL SECURITY; ALTER TABLE roles FORCE ROW LEVEL SECURITY;
	CREATE POLICY p ON roles USING (id < 3)},
  locks => [qw(users roles_1 roles_2)], repeatable_read => 'ordinary', always => 0;
shape 'owner may not read what it owns', role => 'regress_writer', plain => [],
  after => qq{$OWNED; GRANT SELECT, INSERT, UPDATE, DELETE ON pivot TO regress_writer;
	REVOKE ALL ON roles FROM regress_owner}, path => 'ordinary';
shape 'owner may not enter the schema', role => 'regress_writer', plain => [],
  before => qq{DROP SCHEMA IF EXISTS closed CASCADE; CREATE SCHEMA closed; CREATE TABLE closed.owners (id int PRIMARY KEY); INSERT INTO closed.owners VALUES (1);
	ALTER TABLE closed.owners OWNER TO regress_owner},
  columns => 'owner_id int REFERENCES closed.owners', attributes => { owner_id => [['null'], [1, 2]] },
  after => 'GRANT SELECT, INSERT, UPDATE, DELETE ON pivot TO regress_writer', locks => [qw(users roles closed.owners)];
shape 'owner may not use the operator', role => 'regress_writer', plain => [],
  before => q{CREATE TABLE words (w m2m.citext PRIMARY KEY); INSERT INTO words VALUES ('Word');
	ALTER TABLE words OWNER TO regress_outsider},
  columns => 'word m2m.citext REFERENCES words', attributes => { word => [['null'], ['"Word"', '"words"']] },
  after => 'GRANT SELECT, INSERT, UPDATE, DELETE ON pivot TO regress_writer', locks => [qw(users roles words)];

1;
