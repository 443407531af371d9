#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# A Windows program that is killed at any moment leaves a trace that ends with its last call: heap
# calls of threads that allocate for ever, in both ways of serving them.

. "${VADTRACE_SRCDIR:?}/tests/integration/wine/lib.sh"

share_daemon
start_wine

killed=$VADTRACE_BUILDDIR/tests/integration/record/killed.exe
check=$VADTRACE_SRCDIR/tests/integration/record/killed.py
kills=${KILLED_TIMES:-8}
RANDOM=${KILLED_SEED:-7}
is_to_be_killed=1
record_words=(--min-size 4K)

# kill_once WAY THREADS: what is wrong goes to stdout.
kill_once() {
	local status lines

	run_way "$1" "$killed" notes "$2" $((RANDOM % 5000))
	status=$(cat "$scratch/$1/status")
	[ "$status" = 137 ] || echo "status $status: $(cat "$scratch/$1/stderr")"
	read_trace "$1" || echo "the trace cannot be read"
	lines=$(/usr/bin/python3 "$check" "$scratch/$1/work/notes" "$scratch/$1/report" others)
	total=$((total + ${lines##*$'\n'}))
	[[ $lines != *$'\n'* ]] || echo "${lines%$'\n'*}"
}

# kill_some WAY NAME
kill_some() {
	local i

	total=0
	: >"$scratch/wrong"
	for ((i = 0; i < kills; i++)); do
		kill_once "$1" $((1 + i % 3)) >>"$scratch/wrong"
	done
	is "$(cat "$scratch/wrong")" "" "$2: $kills killed, $total allocations: each is there"
	ok "$2: they had begun to allocate" test "$total" -gt $((10 * kills))
}

for way in record-route record-observe; do
	kill_some "$way" "$way"
done
# The newest events in memory end there, too.
record_words+=(--snapshot=64M)
kill_some record-route "a snapshot"
is "$(trace_figure record-route trace.snapshot.reason)" exit "taken at the program's end"
tap_done
