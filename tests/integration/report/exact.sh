#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# What a program knows that it did, and what the report says: the same numbers.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh" || exit 1

known=$VADTRACE_BUILDDIR/tests/integration/report/known
compare=$VADTRACE_SRCDIR/tests/integration/report/compare.py
command -v python3 >/dev/null || skip_all "needs python3"

# check TRACE TRUTH NAME [OPTION...]
check() {
	local trace=$1 truth=$2 name=$3

	shift 3
	run report --json --top all "$@" "$trace"
	is "$status" 0 "$name: the report is made"
	cp "$out" "$scratch/report.json"
	ok "$name: it says what the program did" python3 "$compare" "$truth" "$scratch/report.json"
}

for threads in 1 8; do
	for mode in route observe; do
		trace=$scratch/$threads.$mode
		run record -q --mode $mode -o "$trace" -- "$known" $threads
		is "$status" 0 "$threads threads, $mode: recorded"
		cp "$out" "$scratch/truth"
		check "$trace" "$scratch/truth" "$threads threads, $mode"
	done
done

# More threads than processors, and buffers that they come round in no time.
churn=$VADTRACE_BUILDDIR/tests/bench/churn
run record -q --buffer-size 64K -o "$scratch/small" -- "$churn" 16 20000
is "$status" 0 "16 threads in small buffers: recorded"
events=$(cut -d ' ' -f 1 "$out")
run report --json "$scratch/small"
is "$(python3 -c 'import json, sys
report = json.load(open(sys.argv[1]))
ours = [f for f in report["threads"] if f["calls"] == 20000]
print(len(ours), 2 * sum(f["calls"] for f in ours), report["trace"]["lower_bounds"])' "$out")" \
	"16 $events False" "16 threads in small buffers: nothing is lost"

run record -q -o "$scratch/killed" -- "$known" 8 kill
is "$status" 137 "the killed program's status is passed on"
cp "$out" "$scratch/truth"
check "$scratch/killed" "$scratch/truth" "killed by SIGKILL"

run record -q --children -o "$scratch/forked" -- "$known" 1 fork
is "$status" 0 "a fork is recorded"
cp "$out" "$scratch/truth"
child=$(python3 -c 'import json, sys
print(json.load(sys.stdin)["processes"][1]["pid"])' \
	< <("$vadtrace" info --json "$scratch/forked"))
check "$scratch/forked" "$scratch/truth" "a fork's child" --pid "$child"
inherited=$(python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))["totals"]["inherited_frees"])' "$scratch/report.json")
is "$inherited" 7 "the child releases what it inherited"

# LTTng gives each of two recordings the events of both.
loop="for i in 1 2 3 4 5 6; do '$known' 1; done"
start -q --children -o "$scratch/first" -- bash -c "$loop"
run record -q --children -o "$scratch/second" -- bash -c "$loop"
is "$status" 0 "two recordings at once: the second"
finish
is "$status" 0 "two recordings at once: the first"
for trace in first second; do
	pids=$(python3 -c 'import json, sys
print(len({process["pid"] for process in json.load(sys.stdin)["processes"]}))' \
		< <("$vadtrace" info --json "$scratch/$trace"))
	is "$pids" 7 "two recordings at once: bash and its children, nobody else ($trace)"
done

run leaks --error-exitcode 9 "$scratch/1.route"
is "$status" 9 "leaks: the status that was asked for"
ok "leaks: the site" grep -q do_leak "$out"
not_ok "leaks: no other site" grep -q 'do_keep\|do_grow' "$out"
echo 'leak:^do_le*k$' >"$scratch/suppressions"
run leaks --error-exitcode 9 --suppressions "$scratch/suppressions" "$scratch/1.route"
is "$status" 0 "leaks: a suppression hides it"
ok "leaks: and is told" grep -q '7 .*231 B .*do_le' "$out"

run report "$scratch/1.route"
is "$status" 0 "a text report"
ok "its first site has function, file and line" grep -q 'do_keep  known.c:[0-9]* (known)' "$out"
run "$scratch/1.route"
is "$status" 0 "report is what a trace alone means"
run report --thread nobody "$scratch/1.route"
is "$status" 1 "a thread that is not there"
run report --pid 1 "$scratch/1.route"
is "$status" 1 "a process that is not there"
run report --sort nonsense "$scratch/1.route"
is "$status" 2 "a wrong value"
status=0
"$vadtrace" report "$scratch/1.route" >/dev/full 2>"$err" || status=$?
is "$status" 1 "a full disk behind the output"
run info "$scratch/8.route"
is "$status" 0 "info"
ok "its program" grep -q "known 8" "$out"
tap_done
