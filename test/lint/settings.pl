#!/usr/bin/perl
# Settings are named belongs_to_many.*, defined in alphabetical order, and the prefix is reserved,
# so that a misspelt setting is an error and not a new placeholder.
#
# To fix: move the DefineCustom...Variable call to its place; end a subsystem's init function with
# MarkGUCPrefixReserved("belongs_to_many").
use strict;
use warnings;
use File::Find;

my (@files, $defined, $reserved);
find(sub { push @files, $File::Find::name if /\.c$/ }, 'src') if -d 'src';
check_file($_) for sort @files;
print "src: settings are defined, but MarkGUCPrefixReserved(\"belongs_to_many\") is not called\n"
  if $defined && !$reserved;

sub check_file
{
	my ($file) = @_;
	open my $in, '<', $file or die "$file: $!";
	my $code = do { local $/; <$in> };
	my $last = '';

	$reserved = 1 if $code =~ /MarkGUCPrefixReserved\s*\(\s*"belongs_to_many"\s*\)/;
	while ($code =~ /DefineCustom(?:Bool|Int|Real|String|Enum)Variable\s*\(\s*"([^"]*)"/g)
	{
		my ($name, $line) = ($1, 1 + (substr($code, 0, $-[0]) =~ tr/\n//));
		print "$file:$line: \"$name\" does not start with belongs_to_many.\n" if $name !~ /^belongs_to_many\./;
		print "$file:$line: \"$name\" stands behind \"$last\"\n" if $name lt $last;
		($last, $defined) = ($name, 1);
	}
}
