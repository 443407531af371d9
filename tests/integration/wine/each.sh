#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Each hooked function, called a known number of times: each call of the program's is told once,
# and what it calls in turn is not.

. "${VADTRACE_SRCDIR:?}/tests/integration/wine/lib.sh"
[ -e "$preload" ] || skip_all "the preload is not built here"
share_daemon
start_wine
few=1
many=4

# The rows of the hooks. HeapSummary is there, but all that Wine's does is to end the program.
awk '!/^#/ && $6 ~ /!/ && $2 != "HeapSummary" {
	split($6, where, "!")
	print $2, where[1] ".dll", where[2]
}' "$VADTRACE_SRCDIR/core/api.spec" >"$scratch/rows"

# record MODE CALLS
record() {
	input=$scratch/rows run_way "record-$1" "$programs/each.exe" "$2"
	is "$(cat "$scratch/record-$1/status")" 0 "$1: $2 calls of each function"
	"$vadtrace" report --json --top all "$scratch/record-$1/trace" >"$scratch/report.$2"
	tr -d '\r' <"$scratch/record-$1/stdout" >"$scratch/called"
}

input=$scratch/rows run_way bare "$programs/each.exe" $few
for mode in $modes; do
	record "$mode" $few
	ok "$mode: the same functions are there" diff "$scratch/bare/stdout" \
		"$scratch/record-$mode/stdout"
	record "$mode" $many
	ok "$mode: each call is told once" /usr/bin/python3 "$here/each.py" \
		"$scratch/report.$few" "$scratch/report.$many" "$scratch/called" $((many - few))
done
tap_done
