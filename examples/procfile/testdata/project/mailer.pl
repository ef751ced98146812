use strict;
use warnings;

$| = 1;
$SIG{TERM} = sub { print "no more mail\n"; exit 0 };
print "mail says $ENV{GREETING}\n";
sleep 1 while 1;
