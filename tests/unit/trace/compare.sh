#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Each stack of real programs, walked by us with and without a memory, and by libunwind: all are
# equal. Where generated code or code without unwind information is on the stack (node, hand-written
# assembly), libunwind cannot be trusted to end, and is asked for the frames up to there.

# shellcheck disable=SC2016 # the programs' own dollars

. "${VADTRACE_SRCDIR:?}/tests/lib/tap.sh"

library=${VADTRACE_BUILDDIR:?}/tests/unit/trace/.libs/compare.so

# sum COLUMN: of all processes that the program consisted of.
sum() {
	awk -v column="$1" '{ sum += $column } END { print sum + 0 }' "$scratch/output"
}

# compare LEAST COMMAND...: at least this many stacks, no difference.
compare() {
	local least=$1 name status=0
	shift
	name=$(basename "$1")
	if ! command -v "$1" >/dev/null; then
		skip "$name" "$name is missing"
		return
	fi
	rm -f "$scratch/output"
	timeout -k 5 600 env COMPARE_OUTPUT="$scratch/output" LD_PRELOAD="$library" "$@" \
		>"$scratch/said" 2>&1 || status=$?
	is "$status" 0 "$name: it runs"
	ok "$name: $(sum 1) stacks, $(sum 4) of them in part" test "$(sum 1)" -ge "$least"
	is "$(sum 2)" 0 "$name: no difference from libunwind"
	is "$(sum 3)" 0 "$name: none from a walk without a memory"
}

. "$VADTRACE_SRCDIR/tests/lib/stack_programs.sh"

compare 10000 "$scratch/exceptions"
compare 10000 "$scratch/jumps"
compare 1000 "$scratch/coroutines"
COMPARE_STEPS=1 compare 600 "$scratch/loader" "$scratch/plugin40.so" "$scratch/plugin200.so"
compare 1000 /usr/bin/python3 -c 'import json, re, threading; print(json.dumps(list(range(9999))))'
compare 1000 perl -e 'my @a = map { $_ x 10 } 1 .. 10000; print scalar(@a), "\n"'
compare 10 bash -c 'for i in 1 2 3; do echo $i | cat; done'
compare 100 sqlite3 :memory: 'create table t(a); insert into t values (1), (2); select * from t'
compare 1000 gdb -nx -batch -ex 'info line main' "$scratch/jumps"
compare 1000 "${CXX:-c++}" -O1 -c -o "$scratch/exceptions.o" "$scratch/exceptions.cc"
compare 10000 node -e 'let sum = 0;
	for (let i = 0; i < 50000; i++) sum += JSON.stringify({ a: i, b: [i] }).length;
	console.log(sum, Buffer.alloc(1000).length)'
tap_done
