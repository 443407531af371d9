#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# The benchmarks run, and fill their tables; how fast anything is, is not asked here.

. "${VADTRACE_SRCDIR:?}/tests/lib/isolate.sh"
. "$VADTRACE_SRCDIR/tests/lib/tap.sh"

# has_row FILE START: a row of the table begins so, and each of its cells is a number.
has_row() {
	grep -E "^\| $2 \|" "$1" | grep -vE 'nan|\| - ' | grep -qE '\| -?[0-9.]+ \|$'
}

ok "record.sh runs" bash -c \
	'"$1/tests/bench/record.sh" --rounds 1 --pairs 5000 --larson 1 --scale 1 \
		--programs "lua5.4 g++" >"$2" 2>&1 || { cat "$2"; false; }' \
	record "$VADTRACE_SRCDIR" "$scratch/record"
for way in vadtrace heaptrack wrapper; do
	ok "record.sh has figures of $way" has_row "$scratch/record" "$way"
	for program in lua5.4 g\\+\\+ larson; do
		ok "record.sh has figures of $program with $way" \
			has_row "$scratch/record" "$program \| $way"
	done
done
ok "report.sh runs" bash -c \
	'"$1/tests/bench/report.sh" --rounds 1 --events 100000 >"$2" 2>&1 || { cat "$2"; false; }' \
	report "$VADTRACE_SRCDIR" "$scratch/report"
for reader in own cut compressed one-job two-jobs babeltrace heaptrack print; do
	ok "report.sh has figures of $reader" grep -qE "^\| churn \| $reader .*[0-9] \|$" \
		"$scratch/report"
done
for way in none cold warm; do
	ok "report.sh has seconds of symbols: $way" grep -qE "^\| g\+\+ \| $way \| [0-9]" \
		"$scratch/report"
done
ok "preload.sh runs" bash -c \
	'"$1/tests/bench/preload.sh" --rounds 1 >"$2" 2>&1 || { cat "$2"; false; }' \
	preload "$VADTRACE_SRCDIR" "$scratch/preload"
for program in lua5.4 python3 sqlite3 pairs-24 pairs-64; do
	ok "preload.sh has figures of $program" has_row "$scratch/preload" "$program"
done
ok "malloc.sh runs" bash -c \
	'"$1/tests/bench/malloc.sh" --quick >"$2" 2>&1 || { cat "$2"; false; }' \
	malloc "$VADTRACE_SRCDIR" "$scratch/malloc"
for workload in lua5.4 jq pairs-24 two-threads larson huge 'geometric mean'; do
	ok "malloc.sh has figures of $workload" has_row "$scratch/malloc" "$workload"
done
ok "vm.sh runs" bash -c '"$1/tests/bench/vm.sh" --quick >"$2" 2>&1 || { cat "$2"; false; }' \
	vm "$VADTRACE_SRCDIR" "$scratch/vm"
for step in VirtualAlloc.VirtualFree 'commit in 1 TB' pairs queries; do
	ok "vm.sh has figures of $step" has_row "$scratch/vm" "$step"
done
tap_done
