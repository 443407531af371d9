#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# record --snapshot: what a snapshot holds is the end of what a whole recording of the same program
# holds, whatever made it be taken.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh"
command -v babeltrace2 >/dev/null || skip_all "needs babeltrace2"

window=$VADTRACE_BUILDDIR/tests/integration/record/window
compare=$VADTRACE_SRCDIR/tests/integration/record/window.py

# whole NAME WORDS...: the oracle: a recording of all, exported.
whole() {
	local name=$1

	shift
	run record -q --children --min-size 4K -o "$name" -- "$window" "$@"
	run export -q --format ctf -o "$name.plain" "$name"
}

# snapped WORDS...: records with a window that comes round several times.
snapped() {
	run record --snapshot=256K --min-size 4K "$@"
}

# holds THREADS WHOLE TRACE end|inside NAME: the comparison, and what the tools say.
holds() {
	local lines

	run export -q --format ctf -o "$3.plain" "$3"
	is "$status" 0 "$5: exported"
	lines=$(/usr/bin/python3 "$compare" "$1" "$2.plain" "$3.plain" "$4")
	is "$(head -n -1 <<<"$lines")" "" "$5: exactly the calls of the whole recording"
	ok "$5: more than a few ($(tail -n 1 <<<"$lines"))" test "$(tail -n 1 <<<"$lines")" -gt 500
	run report --json "$3"
	is "$status" 0 "$5: report"
	is "$(figure totals.double_live) $(figure totals.unknown_frees)" "0 0" \
		"$5: no block lives twice or dies unknown"
	is "$(figure trace.lower_bounds) $(figure trace.lost.late_records)" "False 0" \
		"$5: nothing is missing from the window"
}

# figure KEYS: of the last report.
figure() {
	/usr/bin/python3 -c '
import json, sys
value = json.load(open(sys.argv[1]))
for key in sys.argv[2].split("."):
    value = value[key]
print(value)' "$out" "$1"
}

reason() {
	/usr/bin/python3 -c 'import json, sys
print(json.load(open(sys.argv[1] + "/vadtrace.json"))["snapshot"]["reason"])' "$1"
}

is_ready() {
	grep -q ready "$out"
}

start_daemon

# At the end, however it comes.
whole one 1 20000
snapped -o exit -- "$window" 1 20000
is "$status" 0 "exit: the program's status"
is "$(ls exit)" "snapshot-1
vadtrace.json" "exit: one snapshot and nothing else"
holds 1 one exit end "at exit"
ok "at exit: it begins in the middle" test "$(figure trace.snapshot.begin_ns)" -gt 0
ok "at exit: with releases of older blocks" test "$(figure totals.older_frees)" -gt 0
run report exit
ok "report says so" grep -q 'begins in the middle' "$out"
run leaks exit/snapshot-1
ok "leaks reads a snapshot" grep -q 'window' "$out"
run info exit
ok "info names its reason" grep -q 'snapshot *1 (exit)' "$out"
run compress -q exit
is "$status" 0 "it can be compressed"
rm -rf exit.plain
holds 1 one exit end "compressed"
whole dead 1 20000 killed
snapped --snapshot-on crash -o crash -- "$window" 1 20000 killed
is "$status $(reason crash/snapshot-1)" "137 crash" "crash: taken at a signal"
holds 1 dead crash end "at a crash"
snapped --snapshot-on crash -o calm -- "$window" 1 100
is "$status" 0 "crash: an orderly end"
ok "crash: no snapshot then, and it says so" said 'no snapshot was taken'
run report calm
is "$status" 1 "report: there is none"
ok "report: and says what to do" said 'hint: '

# A program that fills less than the window is there as a whole.
whole few 1 300
snapped -o short -- "$window" 1 300
holds 1 few short end "a short program"
is "$(figure totals.older_frees) $(figure trace.snapshot.begin_ns)" "0 0" "a short program: all"

# Threads, and a fork's child.
whole four 4 10000
snapped -o threads -- "$window" 4 10000
holds 4 four threads end "four threads"
whole forked 2 3000 fork
snapped --children -o fork -- "$window" 2 3000 fork
holds 2 forked fork end "parent and child"

# On request and on a signal, while it runs: several of one run.
start --snapshot=256K --snapshot-on signal=USR1,exit --min-size 4K -o asked -- \
	"$window" 1 10000 gate "$scratch/go"
until_true is_ready
run snapshot asked
is "$status" 0 "vadtrace snapshot DIR"
is "$(cat "$out")" asked/snapshot-1 "it prints where"
run snapshot "$(pgrep -x window)"
is "$status $(cat "$out")" "0 $scratch/asked/snapshot-2" "vadtrace snapshot PID"
kill -USR1 "$recorder"
until_true test -e asked/snapshot-3
touch go
finish
is "$status" 0 "the program did not see the signal"
is "$(for i in 1 2 3 4; do reason asked/snapshot-$i; done | xargs)" "request request signal exit" \
	"each has its reason"
whole half 1 10000 killed
holds 1 half asked/snapshot-1 end "asked by folder"
holds 1 half asked/snapshot-2 end "asked by process"
holds 1 half asked/snapshot-3 end "asked by signal"
holds 1 one asked/snapshot-4 end "after three others"
run snapshot asked
is "$status" 1 "not of a recording that has ended"
run snapshot one
is "$status" 1 "nor of one without a window"
run snapshot 1
is "$status" 1 "nor of a process that is not recorded"
run snapshot
is "$status" 2 "of which?"

# In the middle of things.
whole long 3 20000
start --snapshot=256K --min-size 4K -o busy -- "$window" 3 20000 slow "$scratch/end"
until_true is_ready
for i in 1 2 3; do
	"$vadtrace" snapshot busy >>asked-in-the-middle
done
touch end
finish
for i in 1 2 3; do
	holds 3 long busy/snapshot-$i inside "running, $i"
done
holds 3 long busy/snapshot-4 end "running, at its end"

# Limits: each passing counts once.
for limit in rss commit; do
	start --snapshot=256K --snapshot-on $limit=100M --min-size 4K -o $limit -- \
		"$window" 1 20000 grow
	until_true test -e $limit/snapshot-1
	kill "$(pgrep -x window)"
	finish
	is "$(ls $limit)" "snapshot-1
vadtrace.json" "$limit: one snapshot"
	is "$(reason $limit/snapshot-1)" $limit "$limit: with its reason"
	holds 1 dead $limit end "$limit"
done

stop_daemon
no_leftovers "afterwards"

# Words.
snapped --snapshot-on never -o words -- true
refused 113 'not .never' "a trigger that does not exist"
run record --snapshot=1K -o words -- true
refused 113 '256K to 1G' "a window that is too small"
run record --snapshot-on exit -o words -- true
refused 113 'needs --snapshot' "a trigger without a window"
tap_done
