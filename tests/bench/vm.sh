#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Virtual memory, natively: VirtualAlloc and its kin beside the system calls that they make, in the
# same run. Nanoseconds per step, medians of rounds that alternate. For two threads: how much more
# they get done than one.
#
#   vm.sh [--quick]

set -euo pipefail
. "${VADTRACE_SRCDIR:?}/tests/bench/bench.sh"

program=$VADTRACE_BUILDDIR/tests/bench/vm
steps=10000
[ "${1:-}" != --quick ] || steps=100

# figure NAME: of the rows in $work/rows, which are a name and a number each.
figure() {
	awk -v name="$1" '{ number = $NF; sub(/ [^ ]*$/, "") } $0 == name { print number }' \
		"$work/rows"
}

# row NAME OTHER: the first one's figure, the other's, and their ratio.
row() {
	awk -v name="$1" -v a="$(figure "$1")" -v b="$(figure "$2")" -v other="$2" 'BEGIN {
		printf "| %s | %s | %s | %s | %.2f |\n", name, a, other, b, a / b }'
}

# gain NAME: what two threads do in the time of one thread's.
gain() {
	awk -v name="$1" -v a="$(figure "$1, one thread")" -v b="$(figure "$1, two threads")" '
		BEGIN { printf "| %s | %s | %s | %.2f |\n", name, a, b, 2 * a / b }'
}

for kind in pair query commit threads; do
	"$program" $kind "$steps"
done >"$work/rows"

echo '| step | ns | beside | ns | ratio |'
echo '|---|---|---|---|---|'
row VirtualAlloc+VirtualFree mmap+munmap
row 'commit in 1 TB' 'commit in 64 KiB'
row 'commit in 64 KiB' mprotect+mmap
echo
echo "VirtualQuery among 100 000 regions: $(figure VirtualQuery) ns"
echo
echo '| in two threads | ns, one thread | ns, two threads | gain |'
echo '|---|---|---|---|'
for name in pairs commits mmap+munmap queries; do
	gain $name
done
