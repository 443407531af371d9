#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Strings, hashes, regular expressions, closures, sorting, formats, fork and pipes.
use strict;
use warnings;

my %count;
my $text = join ' ', map { join '', map { chr(97 + $_ % 26) } $_ .. $_ + $_ % 7 } 1 .. 20000;
$count{$1}++ while $text =~ /\b(\w{2,5})\b/g;
my @top = (sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count)[0 .. 9];
printf "%-6s %d\n", $_, $count{$_} for @top;

my @matrix = map { my $row = $_; [map { $row * $_ % 97 } 1 .. 200] } 1 .. 200;
my $sum = 0;
$sum += $_ for map { @$_ } @matrix;
print "matrix $sum\n";

my @closures = map { my $n = $_; sub { $n += shift } } 1 .. 1000;
$_->(3) for @closures;
print "closures ", $closures[999]->(0), "\n";

my $long = '';
$long .= pack('N', $_) x 10 for 1 .. 50000;
print "packed ", length($long), ' ', unpack('%32N*', $long), "\n";

for my $n (1 .. 5) {
	my $pid = open(my $child, '-|') // die "fork: $!";
	if (!$pid) {
		my @list = map { $_ ** 2 } 1 .. 1000 * $n;
		print scalar(@list), " $list[-1]\n";
		exit $n;
	}
	print "child $n: ", <$child>;
	close $child;
	print "status ", $? >> 8, "\n";
}
eval { die { code => 42 } };
print "died with $@->{code}\n";
print STDERR "to standard error\n";
