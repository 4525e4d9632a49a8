#!/usr/bin/perl
# PostgreSQL's error style: every ereport that raises an error has an errcode; primary messages
# start in lower case (names and acronyms keep theirs) and end without a period; details and hints
# are sentences. elog is for what cannot happen.
#
# To fix: add errcode(ERRCODE_...) from the table of design rule 10 (docs/errors.md); reword the
# message. A message in a variable is passed as errmsg("%s", text) and not looked at.
use strict;
use warnings;
use File::Find;

my %RAISES_NOTHING = map { $_ => 1 }
  qw(DEBUG1 DEBUG2 DEBUG3 DEBUG4 DEBUG5 LOG LOG_SERVER_ONLY COMMERROR INFO NOTICE WARNING);
my $LITERAL = qr/"(?:[^"\\]|\\.)*"/s;

my @files;
find(sub { push @files, $File::Find::name if /\.[ch]$/ }, 'src') if -d 'src';
check_file($_) for sort @files;

sub check_file
{
	my ($file) = @_;
	my $code = read_without_comments($file);

	while ($code =~ /\b(ereport|errsave|ereturn)\s*\(/g)
	{
		check_errcode($file, line_at($code, $-[0]), $1, arguments($code, pos $code));
	}
	while ($code =~ /\b(errmsg|errdetail|errhint)(_internal|_plural|_log)*\s*\(/g)
	{
		my ($function, $plural) = ($1, ($2 // '') eq '_plural');
		my $line = line_at($code, $-[0]);
		my @args = arguments($code, pos $code);
		check_message($file, $line, $function, $_)
		  for map { literals($_) } @args[ 0 .. ($plural && @args > 1 ? 1 : 0) ];
	}
}

# Comments become blanks, so that offsets and lines stay true.
sub read_without_comments
{
	my ($file) = @_;
	open my $in, '<', $file or die "$file: $!";
	my $code = do { local $/; <$in> };
	$code =~ s{($LITERAL|'(?:[^'\\]|\\.)+')|(/\*.*?\*/|//[^\n]*)}
	          {defined $1 ? $1 : $2 =~ s/[^\n]/ /gr}gse;
	return $code;
}

sub line_at
{
	my ($code, $offset) = @_;
	return 1 + (substr($code, 0, $offset) =~ tr/\n//);
}

# The arguments of the call whose opening parenthesis ends at OFFSET.
sub arguments
{
	my ($code, $offset) = @_;
	my ($depth, @args) = (1, '');
	pos($code) = $offset;
	while ($depth && $code =~ /\G($LITERAL|'(?:[^'\\]|\\.)+'|.)/gcs)
	{
		my $token = $1;
		$depth++ if $token =~ /^[(\[{]$/;
		$depth-- if $token =~ /^[)\]}]$/;
		if ($token eq ',' && $depth == 1) { push @args, ''; }
		elsif ($depth) { $args[-1] .= $token; }
	}
	s/^\s+|\s+$//g for @args;
	return @args;
}

# The texts in an argument: neighbouring literals (with a format macro between) are one text.
sub literals
{
	my ($argument) = @_;
	my @texts;
	while ($argument =~ /($LITERAL(?:\s*(?:[A-Z]\w*\s*)?$LITERAL)*)/gs)
	{
		push @texts, join('', $1 =~ /"((?:[^"\\]|\\.)*)"/gs);
	}
	return @texts;
}

sub check_errcode
{
	my ($file, $line, $function, $level, @rest) = @_;
	return if $function eq 'ereport' && $RAISES_NOTHING{$level};
	return if "@rest" =~ /errcode\w*\s*\(/;
	print "$file:$line: $function($level) without errcode\n";
}

sub check_message
{
	my ($file, $line, $function, $text) = @_;
	return if $text eq '' || $text eq '%s';
	my @faults = $function eq 'errmsg' ? primary_faults($text) : sentence_faults($text);
	print "$file:$line: $function $_: \"$text\"\n" for @faults;
}

sub primary_faults
{
	my ($text) = @_;
	my @faults;

	# an acronym, a name with a capital inside, or a proper name without one
	push @faults, 'starts with a capital'
	  if $text =~ /^[A-Z]/ && $text !~ /^([A-Z][\w]*[A-Z]|Scylla\b|Cassandra\b)/;
	push @faults, 'ends with a stop, a blank or a newline' if $text =~ /([.!?\s]|\\n)$/;
	return @faults;
}

sub sentence_faults
{
	my ($text) = @_;
	my @faults;
	push @faults, 'starts in lower case' if $text =~ /^[a-z]/;
	push @faults, 'does not end with a stop' if $text !~ /[.?](\\"|\))?$/;
	return @faults;
}
