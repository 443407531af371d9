#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# A program that is killed at any moment leaves a trace that ends with its last call.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh"

killed=$VADTRACE_BUILDDIR/tests/integration/record/killed
here=$VADTRACE_SRCDIR/tests/integration/record
kills=${KILLED_TIMES:-100}
RANDOM=${KILLED_SEED:-7}

# kill_once THREADS WORDS...: what is wrong of one recording with these words goes to stdout, its
# allocations to total.
kill_once() {
	local lines threads=$1

	shift
	rm -rf trace notes
	run record -q --min-size 4K "$@" -o trace -- "$killed" notes "$threads" $((RANDOM % 5000))
	[ "$status" -eq 137 ] || echo "status $status: $(cat "$err")"
	run report --json trace
	[ "$status" -eq 0 ] || echo "report: status $status: $(cat "$err")"
	lines=$(python3 "$here/killed.py" notes "$out")
	total=$((total + ${lines##*$'\n'}))
	[[ $lines != *$'\n'* ]] || echo "${lines%$'\n'*}"
}

total=0
start_daemon
for ((i = 0; i < kills; i++)); do
	kill_once $((1 + i % 4)) >>wrong
done
stop_daemon
is "$(cat wrong)" "" "$kills programs of 1 to 4 threads killed, $total allocations: each is there"
ok "they had begun to allocate" test "$total" -gt $((10 * kills))

# The newest events in memory end there, too.
total=0
start_daemon
for ((i = 0; i < kills / 5; i++)); do
	kill_once $((1 + i % 4)) --snapshot=64M >>wrong-snapshots
done
stop_daemon
is "$(cat wrong-snapshots)" "" "$((kills / 5)) snapshots after a kill, $total allocations"
tap_done
