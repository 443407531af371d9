#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# What a fork's child inherits is what its parent had at the fork, to the block: children and their
# children release all of it, while the parent's threads go on.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh" || exit 1

forks=$VADTRACE_BUILDDIR/tests/integration/report/forks
compare=$VADTRACE_SRCDIR/tests/integration/report/forks.py
command -v python3 >/dev/null || skip_all "needs python3"

# check THREADS CHILDREN MODE [alone]
check() {
	local name="$1 threads, $2 children, $3" trace=$scratch/$1.$3

	run record -q --children --mode "$3" -o "$trace" -- "$forks" "$1" "$2"
	is "$status" 0 "$name: recorded"
	cp "$out" "$scratch/truth"
	is "$(wc -l <"$scratch/truth")" $((2 * $2)) "$name: each process tells"
	run report --json "$trace"
	is "$status" 0 "$name: the report is made"
	cp "$out" "$scratch/report.json"
	ok "$name: all frees are known, exactly" \
		python3 "$compare" "$scratch/truth" "$scratch/report.json" ${4:+"$4"}
}

for mode in route observe; do
	check 0 10 $mode alone
	check 1 20 $mode
	check 4 20 $mode
done

# A thread's first event came under a lock that the fork was waiting for, while the fork held the
# one that LTTng wanted for the thread.
for mode in route observe; do
	status=0
	timeout -k 5 600 "$vadtrace" record -q --mode $mode -o "newborn.$mode" -- \
		"$VADTRACE_BUILDDIR/tests/integration/report/newborn" 150 >"$out" 2>"$err" ||
		status=$?
	is "$status" 0 "forks beside threads that map first of all, $mode: no deadlock"
done
tap_done
