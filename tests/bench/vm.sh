#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Virtual memory, natively: VirtualAlloc and its kin beside the system calls that they make, in the
# same run. Nanoseconds per step, medians of rounds that alternate. For two threads and for 64: how
# much more they get done than one, in the best of the rounds. The system's own calls stand below:
# what two threads gain there, nobody above can gain by them.
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

# gain NAME: what two threads, and 64, do in the time of one.
gain() {
	awk -v name="$1" -v a="$(figure "$1, 1 threads")" -v b="$(figure "$1, 2 threads")" \
		-v c="$(figure "$1, 64 threads")" '
		BEGIN { printf "| %s | %s | %s | %.2f | %s | %.2f |\n",
			name, a, b, a / b, c, a / c }'
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
echo '| nanoseconds a step of all | one thread | two | gain | 64 | gain |'
echo '|---|---|---|---|---|---|'
for name in pairs commits queries mmap+munmap 'bare guards'; do
	! grep -q "^$name, 2 threads" "$work/rows" || gain "$name"
done
grep -q '^bare guards' "$work/rows" ||
	echo 'The kernel has no guard markers: released regions are parked by protection.'
