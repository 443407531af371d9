#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# A program that is killed at any moment leaves a trace that ends with its last call.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh"

killed=$VADTRACE_BUILDDIR/tests/integration/record/killed
here=$VADTRACE_SRCDIR/tests/integration/record
kills=${KILLED_TIMES:-100}
RANDOM=${KILLED_SEED:-7}

# kill_once THREADS: what is wrong of one recording goes to stdout, its allocations to total.
kill_once() {
	local lines

	rm -rf trace notes
	run record -q --min-size 4K -o trace -- "$killed" notes "$1" $((RANDOM % 5000))
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
tap_done
