#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# VADTRACE_STACKS=check: while real programs are recorded, each stack is walked by libunwind, too.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh"
. "$VADTRACE_SRCDIR/tests/lib/stack_programs.sh"

# compared FOLDER NAME: a count of all processes in it.
compared() {
	"$vadtrace" info --json "$1" | python3 -c 'import json, sys
processes = json.load(sys.stdin)["processes"]
print(sum(each["stack_comparison"][sys.argv[1]] for each in processes))' "$2"
}

# check LEAST COMMAND...: at least this many stacks, no difference.
check() {
	local least=$1 name

	shift
	name=$(basename "$1")
	if ! command -v "$1" >/dev/null; then
		skip "$name" "$name is missing"
		return
	fi
	rm -rf trace
	VADTRACE_STACKS=check run record -q --children -o trace -- "$@"
	is "$status" 0 "$name: recorded"
	ok "$name: $(compared trace compared) stacks, $(compared trace partial) in part" \
		test "$(compared trace compared)" -ge "$least"
	is "$(compared trace different)" 0 "$name: no difference"
}

start_daemon
check 10000 "$scratch/exceptions"
check 10000 "$scratch/jumps"
check 1000 "$scratch/coroutines"
check 600 "$scratch/loader" "$scratch/plugin40.so" "$scratch/plugin200.so"
PYTHONMALLOC=malloc check 10000 /usr/bin/python3 -c 'import json, re; print(json.dumps([1] * 99))'
check 100 sqlite3 :memory: 'create table t(a); insert into t values (1), (2); select * from t'
check 1000 lua5.4 -e 'for i = 1, 999 do pcall(error, { tostring(i) }) end'
check 1000 bash -c 'for i in 1 2 3; do echo $i | cat; done'
echo "#include <string>" >"$scratch/string.cc"
check 10000 "${CXX:-c++}" -c -o "$scratch/string.o" "$scratch/string.cc"
check 10000 node -e 'for (let i = 0; i < 999; i++) JSON.stringify({ a: i, b: [i] })'

run record -q -o plain -- "$scratch/coroutines"
is "$(compared plain compared)" 0 "nothing is compared unasked"
run info plain
ok "and nothing is told of it" test -z "$(grep 'walked twice' "$out")"
VADTRACE_STACKS=check run record -q -o asked -- "$scratch/coroutines"
run info asked
ok "info tells the comparison" grep -q '^Stacks of [0-9]*, walked twice$' "$out"
stop_daemon
tap_done
