#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Virtual memory, natively: VirtualAlloc and its kin beside the system calls that they make, in the
# same run. Nanoseconds per step, medians of rounds that alternate. For two threads and for 64: how
# much more they get done than one, in rounds of both that nobody disturbed. The system's own calls
# stand beside: what two threads gain there, nobody above can gain by them.
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

# gain NAME THREADS OTHER: what threads get done in the time of one, behind that of the other row.
gain() {
	awk -v name="$1" -v n="$2" -v other="$3" \
		-v a="$(figure "$1, 1 beside $2")" -v b="$(figure "$1, $2 threads")" \
		-v c="$(figure "$3, 1 beside $2")" -v d="$(figure "$3, $2 threads")" '
		BEGIN { printf "| %s | %d | %s | %s | %s | %s | %s | %s | %.2f |\n",
			name, n, other, c, d, d ? sprintf("%.2f", c / d) : "", a, b, a / b }'
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
markers='bare markers'
grep -q "^$markers," "$work/rows" || markers=
echo '| ns a step | threads | beside | its one | its all | its gain | one | all | gain |'
echo '|---|---|---|---|---|---|---|---|---|'
gain pairs 2 "$markers"
gain pairs 2 mmap+munmap
gain 'pairs of 1 MiB' 2 "${markers:+$markers of 1 MiB}"
gain commits 2 mprotect+mmap
gain lives 2 'lives by bare calls'
gain queries 2 ''
gain pairs 64 mmap+munmap
gain commits 64 mprotect+mmap
gain queries 64 ''
[ -n "$markers" ] ||
	echo 'The kernel has no guard markers: released regions are parked by protection.'
