# Random sequences of calls for the bulk path's equivalence test, as scripts for psql.
#
#   make_script(SHAPE, SEED, STEPS)        a script: {text}, and {steps}, the SQL of each
#   parse_output(SHAPE, OUTPUT)            what psql printed: {probe}, {probed}, its part for auto,
#                                          {steps}, one by one, {errors}, how often each came up,
#                                          {changes}, how many steps changed rows, and {in_bulk}, how
#                                          many calls took the path
#   path_taken(PROBE)                      a shape's {path}, see BulkShapes
#   differences(SCRIPT, OUTPUT, OUTPUT)    texts that say where two of them differ
#   $DATABASE_SQL                          makes what the scripts need in a database
#
# In the text, %auto% and %always% stand for values of belongs_to_many.bulk_path.
package BulkScript;

use strict;
use warnings FATAL => 'all';
use BulkShapes;
use Exporter 'import';

our @EXPORT = qw(make_script parse_output path_taken differences);

# How a call says that it has taken the path.
my $IN_BULK = qr/has checked the foreign keys of/;

our $DATABASE_SQL = q{
	CREATE SCHEMA m2m;
	CREATE EXTENSION belongs_to_many SCHEMA m2m;
	CREATE EXTENSION btree_gist SCHEMA m2m;
	CREATE EXTENSION citext SCHEMA m2m;
	CREATE EXTENSION pgrowlocks SCHEMA m2m;
	CREATE COLLATION m2m.insensitive (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
	GRANT USAGE ON SCHEMA m2m TO regress_writer, regress_owner;

	-- runs a query in a block that catches its error, and returns its rows or the error
	CREATE FUNCTION m2m.caught(query text) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		rows text; message text; detail text; hint text; name text; relation text;
	BEGIN
		EXECUTE 'SELECT string_agg(q::text, $r$;$r$) FROM (' || query || ') q' INTO rows;
		RETURN rows;
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
			hint = PG_EXCEPTION_HINT, name = CONSTRAINT_NAME, relation = TABLE_NAME;
		RETURN concat_ws(E'\n', 'caught ERROR:  ' || SQLSTATE || ': ' || message, 'DETAIL:  ' || detail,
			'HINT:  ' || hint, name, relation);
	END $$;

	-- a list in one line, of which only the hash is written if it is long
	CREATE FUNCTION m2m.written(list text[]) RETURNS text LANGUAGE sql AS $$
		SELECT count(*) || ' ' || CASE WHEN count(*) < 40 THEN coalesce(string_agg(e, ' ' ORDER BY e COLLATE "C"), '')
			ELSE md5(string_agg(e, ' ' ORDER BY e COLLATE "C")) END
		FROM unnest(list) e $$;

	-- a number per table and kind of change
	CREATE FUNCTION m2m.counters() RETURNS text LANGUAGE sql AS $$
		SELECT 'counters ' || string_agg(relname || ' ' || pg_stat_get_xact_tuples_inserted(oid) || ' ' ||
			pg_stat_get_xact_tuples_updated(oid) || ' ' || pg_stat_get_xact_tuples_deleted(oid), ',' ORDER BY relname)
		FROM pg_class
		WHERE relkind = 'r' AND relnamespace IN (current_schema()::regnamespace, pg_my_temp_schema()) $$;
};

# ---- random choices

# From 0 to N - 1. A generator of our own: the scripts of a seed are the same everywhere.
my $state;

sub below
{
	my ($n) = @_;

	$state = ($state * 1103515245 + 12345) % 2**31;
	return int($state / 2**31 * $n);
}

sub chance
{
	my ($percent) = @_;
	return below(100) < $percent;
}

sub pick
{
	return $_[ below(scalar @_) ];
}

# One of [[good values], [bad values]], a bad one in so many cases of a hundred.
sub value
{
	my ($values, $bad) = @_;
	my ($good, $other) = @$values;

	return undef unless @$good || @$other;
	return pick(@$other) if @$other && (!@$good || chance($bad));
	return pick(@$good);
}

# ---- arguments

sub literal
{
	my ($text) = @_;
	return "'" . ($text =~ s/'/''/gr) . "'";
}

# Columns that some ids give attributes for; those with bad values only are rarely among them.
sub attribute_columns
{
	my ($shape, $bad) = @_;
	my $attributes = $shape->{attributes};
	my @columns = grep { @{ $attributes->{$_}[0] } || ($bad && chance(10)) } sort keys %$attributes;

	return grep { chance(@columns > 3 ? 200 / @columns : 60) } @columns;
}

sub attribute_members
{
	my ($shape, $bad, @columns) = @_;
	my @members = map {
		my $value = value($shape->{attributes}{$_}, $bad);
		defined $value ? qq{"$_": $value} : ()
	} @columns;

	return join ', ', @members;
}

# An id as the elements of a list, or as members of an object.
sub id_element
{
	my ($id) = @_;
	return ref $id ? '[' . join(', ', @$id) . ']' : $id;
}

sub id_members
{
	my ($shape, $id) = @_;
	my @values = ref $id ? @$id : ($id);

	return join ', ', map { "$shape->{id_columns}[$_]: $values[$_]" } 0 .. $#values;
}

# "key": {attributes}
sub id_pair
{
	my ($id, $members) = @_;
	return ($id =~ /^"/ ? $id : qq{"$id"}) . ": {$members}";
}

# Ids with attributes of their own, of a few shapes.
sub ids_with_attributes
{
	my ($shape, $bad, @ids) = @_;
	my @shapes = map { [ attribute_columns($shape, $bad) ] } 1 .. 1 + below(3);
	my @members = map { attribute_members($shape, $bad, @{ pick(@shapes) }) } @ids;
	my $rows = @{ $shape->{id_columns} } && (ref $ids[0] || chance(40));

	return literal('{' . join(', ', map { id_pair($ids[$_], $members[$_]) } 0 .. $#ids) . '}') . '::jsonb' unless $rows;
	return literal('[' . join(', ', map { '{' . join(', ', grep { $_ ne '' } id_members($shape, $ids[$_]), $members[$_]) . '}' }
		0 .. $#ids) . ']') . '::jsonb';
}

# More ids than a generic plan is used for; where they are numbers, attributes may differ.
sub many_ids
{
	my ($shape, $bad) = @_;
	my @columns = attribute_columns($shape, $bad);
	my @members = map { attribute_members($shape, $_, @columns) } 0, $bad && 60;

	push @members, chance(25) ? '' : $members[0];
	return $shape->{big} unless $shape->{big} =~ /^ARRAY\(SELECT generate_series/ && chance(60);
	return sprintf '(SELECT jsonb_object_agg(i, CASE i %% 3 WHEN 2 THEN %s WHEN 1 THEN %s ELSE %s END::jsonb) ' .
	  'FROM generate_series(5, 290) i)', map { literal("{$_}") } @members;
}

sub ids_argument
{
	my ($shape, $bad) = @_;
	my @ids = map { value($shape->{ids}, $bad =~ /i/ ? 15 : 0) } 1 .. (chance(75) ? 4 + below(6) : below(4));

	return many_ids($shape, $bad =~ /a/ ? 20 : 0) if chance($shape->{many});
	return ids_with_attributes($shape, $bad =~ /a/ ? 20 : 0, @ids) if @ids && chance(40);
	return literal('{' . join(',', @ids) . '}') if $shape->{ids}[0][0] =~ /^\d/ && chance(50);
	return literal('[' . join(', ', map { id_element($_) } @ids) . ']') . '::jsonb';
}

sub parent_argument
{
	my ($shape, $bad) = @_;
	my $parent = value($shape->{parents}, $bad =~ /p/ ? 50 : 0);

	return $parent =~ /^\d+$/ ? $parent : literal($parent);
}

sub attributes_argument
{
	my ($shape, $bad) = @_;
	return chance(40) ? literal('{' . attribute_members($shape, $bad =~ /a/ ? 30 : 0, attribute_columns($shape, $bad =~ /a/)) . '}') : literal('{}');
}

# ---- steps

# A call: its SQL, and whether the bulk path can be insisted on. BAD says which of its arguments may
# have bad values: p the parent, i the ids, a their attributes.
sub call
{
	my ($shape, $bad) = @_;
	my $relation = pick(@{ $shape->{relations} });
	my $parent = parent_argument($shape, $bad);
	my $ids = ids_argument($shape, $bad);
	my $attributes = attributes_argument($shape, $bad);
	my $policy = pick(qw(ignore ignore ignore update error duplicate));
	my $call = pick(
		("attach($relation, $parent, $ids, $attributes, '$policy')") x 8,
		("sync($relation, $parent, $ids, true, $attributes)") x 4,
		"sync($relation, $parent, $ids, false, $attributes)",
		"sync_without_detaching($relation, $parent, $ids, $attributes)",
		("toggle($relation, $parent, $ids, $attributes)") x 3,
		"detach($relation, $parent, $ids)",
		"detach($relation, $parent)",
		("update_existing_pivot($relation, $parent, $ids, $attributes)") x 2);

	return ("SELECT * FROM $call", !($call =~ /^attach/ && $policy eq 'update'));
}

# The SQL of a step in a transaction at this level. Where the path can always be taken it is
# insisted on half of the time.
sub step
{
	my ($shape, $level, $bad) = @_;
	my $always = $shape->{always} && $shape->{path} =~ /^(bulk|ordinary)$/ &&
	  ($level =~ /READ COMMITTED/ || $shape->{repeatable_read} eq 'bulk');
	my ($sql, $insistable) = call($shape, $bad);

	return pick(@{ $shape->{plain} }) if @{ $shape->{plain} } && chance(7);
	$sql = 'SELECT m2m.caught(' . literal($sql) . ')' if chance(20);
	return $sql unless $always && $insistable && chance(50);
	return "SET belongs_to_many.bulk_path = %always%;\n$sql;\nSET belongs_to_many.bulk_path = %auto%";
}

# A transaction as a list of steps. In a guarded one psql sets a savepoint before each statement,
# so that an error ends the statement and not the transaction.
sub transaction
{
	my ($shape) = @_;
	my $level = pick(('READ COMMITTED') x 3, 'REPEATABLE READ', 'SERIALIZABLE');
	my $guarded = chance(80);
	my @steps = "\\set ON_ERROR_ROLLBACK " . ($guarded ? 'on' : 'off') . "\nBEGIN ISOLATION LEVEL $level";
	my $savepoint = '';

	for (1 .. ($guarded ? 3 + below(5) : 1 + below(3)))
	{
		my $before = chance(25) ? pick($savepoint ? ('ROLLBACK TO s', 'ROLLBACK TO s', 'RELEASE s') : 'SAVEPOINT s') : '';
		my $bad = chance($guarded ? 45 : 15) ? pick(qw(i i a a a ia pia)) : '';

		$savepoint = $before =~ /SAVEPOINT|TO/ if $before ne '';
		push @steps, ($before ne '' && "$before;\n") . step($shape, $level, $bad);
	}
	$steps[-1] .= ";\n" . pick('COMMIT', 'COMMIT', 'COMMIT', 'ROLLBACK');
	return @steps;
}

# ---- scripts

# What is looked at after each step: the function is run as a superuser, whoever makes the calls.
sub state_sql
{
	my ($shape) = @_;
	my $locks = join ' UNION ALL ', map {
		"SELECT concat_ws(' ', t, modes, multi) FROM pgrowlocks('$_') JOIN ONLY $_ t ON t.ctid = locked_row"
	} @{ $shape->{locks} };

	return qq{
		CREATE FUNCTION state() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS \$\$ BEGIN
			RETURN concat_ws(E'\\n',
				'rows ' || m2m.written(ARRAY(SELECT r::text FROM (SELECT $shape->{rows} FROM pivot) r)),
				'locks ' || m2m.written(ARRAY($locks)), m2m.counters());
		END \$\$};
}

# Does a simple call take the path? Of some ids there may be pairs that cannot be inserted.
sub probe_sql
{
	my ($shape) = @_;
	my %seen;
	my @ids = grep { !$seen{$_}++ } map { id_element($_) } @{ $shape->{ids}[0] };
	my @calls = map {
		sprintf "SELECT attach(%s, %s, '[%s]'::jsonb, '%s')", $shape->{relations}[0], literal($shape->{parents}[0][0]),
		  join(', ', @ids[ 0 .. $_ ]), $shape->{probe}
	} 0, $#ids < 4 ? $#ids : 4, $#ids;

	return join "\\echo AUTO\n", map {
		"\\set ON_ERROR_ROLLBACK on\nBEGIN;\nSET LOCAL belongs_to_many.bulk_path = $_;\n" . join('', map { "$_;\n" } @calls) . "ROLLBACK;\n"
	} qw(%always% %auto%);
}

sub make_script
{
	my ($shape, $seed, $count) = @_;
	my $text = '';
	my @steps;

	# differs from shape to shape
	$state = $seed * 7919 + unpack '%32C*', $shape->{name};
	push @steps, transaction($shape) while @steps < $count * $shape->{factor};
	$text .= "\nDROP SCHEMA IF EXISTS " . schema($shape) . ' CASCADE;' . create_sql($shape) . ';' . state_sql($shape) . ';';
	$text .= "\nSET ROLE $shape->{role};" if $shape->{role} ne '';
	$text .= "\n\\set ON_ERROR_STOP off";
	$text .= "\n$shape->{session};\nSET belongs_to_many.bulk_path = %auto%;\nSET client_min_messages = debug1";
	$text .= ";\n\\echo PROBE\n" . probe_sql($shape);
	$text .= "\n\\echo STEP $_\n$steps[$_];\nSELECT state();" for 0 .. $#steps;
	return {
		steps => \@steps,
		text => "\\set VERBOSITY verbose\n\\set SHOW_CONTEXT never\n\\set ON_ERROR_STOP on\n" .
		  "SET client_min_messages = warning;\n$text\n" };
}

# ---- outputs

# Takes out what tells nothing or must differ: where in a file an error came up, messages for
# developers, numbers of temporary schemas, and values that sequences and clocks have made.
sub normalized
{
	my ($shape, $output) = @_;

	$output =~ s/^DEBUG: \N*\n//gm;
	$output =~ s/pg_temp_\d+/pg_temp/g;
	$output =~ s/Failing row contains \(\N+\)\./Failing row contains this./g if $shape->{rows} ne '*';
	return $output;
}

# {table => [rows inserted, updated, deleted]}
sub counters
{
	my ($text) = @_;
	return { map { my ($table, @counts) = split / /; ($table => \@counts) } split /,/, $text };
}

sub parse_step
{
	my ($text) = @_;
	my %step;

	$step{counters} = counters($1) if $text =~ s/^counters (\N*)\n//m;
	$step{rows} = $1 if $text =~ /^(rows \N*)$/m;
	$step{failed} = $text =~ /ERROR: /;
	$step{text} = $text;
	return \%step;
}

sub parse_output
{
	my ($shape, $output) = @_;
	my ($probe, @texts) = split /^STEP \d+\n/m, $output =~ s/^psql:\N+?:\d+: //gmr =~ s/^LOCATION: \N*\n//gmr;
	my (undef, $auto) = split /^AUTO$/m, $probe // '';
	my $in_bulk = () = join('', @texts) =~ /$IN_BULK/g;
	my @steps = map { parse_step(normalized($shape, $_)) } @texts;
	my %errors;
	my $changes = 0;

	$errors{$_}++ for join('', @texts) =~ /ERROR:  (\w{5}): /g;
	for my $i (1 .. $#steps)
	{
		my ($before, $after) = map { $_->{rows} } @steps[ $i - 1, $i ];
		$changes++ if defined $before && defined $after && $before ne $after;
	}
	return {
		probe => $probe, probed => normalized($shape, $auto // ''), steps => \@steps,
		errors => \%errors, changes => $changes, in_bulk => $in_bulk };
}

# How the path was taken in the probe of the database where it may be.
sub path_taken
{
	my ($probe) = @_;
	my ($on, $auto) = split /^AUTO$/m, $probe;

	return 'the script has not come so far' unless defined $auto;
	return $1 if $on =~ /cannot be written in bulk\nDETAIL:  (\N+)/;
	return $auto =~ $IN_BULK ? 'bulk' : 'ordinary';
}

# How the counters went up in step I, as text; empty if something was rolled back.
sub counted
{
	my ($steps, $i) = @_;
	my ($before, $after) = map { $_->{counters} } @$steps[ $i - 1, $i ];
	my @counted;

	return '' if $steps->[$i]{failed} || !$before || !$after;
	for my $table (sort keys %$after)
	{
		my @now = @{ $after->{$table} };
		my @then = @{ $before->{$table} || [ (0) x @now ] };
		push @counted, join ' ', $table, map { $now[$_] - $then[$_] } 0 .. $#now;
	}
	return join ', ', @counted;
}

# In another transaction counters may begin at 0.
sub may_count
{
	my ($steps, $i) = @_;
	return $steps->[$i] !~ /^(COMMIT|ROLLBACK|BEGIN)/m;
}

sub difference
{
	my ($script, $i, $ordinary, $bulk) = @_;
	return "step $i:\n$script->{steps}[$i]\nordinary:\n$ordinary\nbulk:\n$bulk";
}

sub differences
{
	my ($script, $ordinary, $bulk) = @_;
	my ($a, $b) = map { $_->{steps} } ($ordinary, $bulk);
	my @result;

	return ("the scripts have not run to their end:\n" . join "\n", map { $_->{probe} } $ordinary, $bulk)
	  if @$a != @{ $script->{steps} } || @$b != @$a;
	push @result, "the probe:\n$ordinary->{probed}\nand\n$bulk->{probed}" if $ordinary->{probed} ne $bulk->{probed};
	for my $i (0 .. $#$a)
	{
		my @counted = may_count($script->{steps}, $i) ? map { counted($_, $i) } ($a, $b) : ('', '');

		push @result, difference($script, $i, $a->[$i]{text}, $b->[$i]{text}) if $a->[$i]{text} ne $b->[$i]{text};
		push @result, difference($script, $i, @counted) if $counted[0] ne $counted[1];
	}
	return @result;
}

1;
