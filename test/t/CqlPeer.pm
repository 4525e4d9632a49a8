# Scripted CQL servers (test/scylla/peer.py) for the TAP tests.
#
#   my $peer = CqlPeer->start(SCRIPT, OPTION...)    on a free port of 127.0.0.1; ends with the test
#   $peer->port, $peer->address                     'address:port', as the option hosts has it
#   $peer->pause, $peer->resume                     it neither reads nor accepts in between
#   $peer->stop
#   CqlPeer::closed_port()                          a port that nobody listens on
#   CqlPeer->full                                   a peer that does not answer connection requests
package CqlPeer;

use strict;
use warnings FATAL => 'all';
use FindBin;
use IO::Socket::INET;

my $PROGRAM = "$FindBin::RealBin/../scylla/peer.py";
my @running;

sub start
{
	my ($class, $script, @options) = @_;
	my $pid = open my $output, '-|', 'python3', $PROGRAM, '--script', $script, @options or die "cannot start $PROGRAM: $!";
	my $self = bless { pid => $pid, output => $output, owner => $$ }, $class;

	push @running, $self;
	$self->{port} = 0 + (<$output> // die "$PROGRAM --script $script does not tell its port\n");
	return $self;
}

sub port { return $_[0]{port} }

sub address { return "127.0.0.1:$_[0]{port}" }

sub pause { return kill 'STOP', $_[0]{pid} }

sub resume { return kill 'CONT', $_[0]{pid} }

sub stop
{
	my ($self) = @_;

	return if $self->{owner} != $$;
	if (my $pid = delete $self->{pid})
	{
		kill 'KILL', $pid;
		close $self->{output};
	}
	delete @$self{qw(listener queued)};
	return;
}

sub closed_port
{
	my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1, Proto => 'tcp') or die "cannot listen: $@";
	return $socket->sockport;
}

# Connections beyond those that fill the queue of a listener are dropped by the kernel.
sub full
{
	my ($class) = @_;
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1, Proto => 'tcp') or die "cannot listen: $@";
	my $self = bless { listener => $listener, port => $listener->sockport, owner => $$ }, $class;

	for (1 .. 8)
	{
		my $peer = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port}, Blocking => 0);
		push @{ $self->{queued} }, $peer if $peer;
	}
	select undef, undef, undef, 0.2;
	return $self;
}

END
{
	my $status = $?;

	$_->stop for @running;
	$? = $status;
}

1;
