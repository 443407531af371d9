#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Signals reach the program, and the trace is finished whatever ends it.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh"

is_ready() {
	grep -q ready "$out"
}

begin() {
	: >"$out"
	start -o "$1" -- "$allocate" forever
	until_true is_ready
}

# finished NAME FOLDER: no leftovers, and a trace that says it is whole.
finished() {
	ok "$1: the trace is complete" grep -q '"complete":true' "$2/vadtrace.json"
	ok "$1: and has events" grep -q vadtrace_heap <(events_in "$2")
	ok "$1: nothing was lost" said 'nothing lost'
	no_leftovers "$1"
}

begin term
kill -TERM "$recorder"
finish
is "$status" 3 "SIGTERM to us: the program handles it"
finished "SIGTERM to us" term

for signal in INT:130 HUP:129 QUIT:131 USR1:138; do
	# A shell starts background jobs with SIGINT and SIGQUIT ignored.
	: >"$out"
	env --default-signal "$vadtrace" record -o "$signal" -- "$allocate" forever \
		>"$out" 2>"$err" </dev/null &
	recorder=$!
	until_true is_ready
	kill "-${signal%:*}" "$recorder"
	finish
	is "$status" "${signal#*:}" "SIG${signal%:*} to us ends the program"
	finished "SIG${signal%:*} to us" "$signal"
done

begin kill
kill -KILL "$(pgrep -P "$recorder" -x allocate)"
finish
is "$status" 137 "SIGKILL of the program"
finished "SIGKILL of the program" kill
ok "the manifest tells the signal" grep -q '"signal":9' kill/vadtrace.json

run record -o kept -- "$allocate" kept 10
is "$status" 137 "a program that kills itself"
ok "its last events are in the live folder" test -n "$(find kept/live -type f)"

# An interrupt from the terminal: script(1) gives one, and ^C goes to the whole group.
if command -v script >/dev/null; then
	: >"$out"
	(until_true is_ready && printf '\003' && until_true grep -q 'recorded allocate' "$out") |
		script -qefc "'$vadtrace' record -o tty -- '$allocate' forever" \
			"$out" >/dev/null 2>&1
	is $? 130 "Ctrl-C ends the program"
	cp "$out" "$err"
	finished "Ctrl-C" tty
	is "$(grep -c 'recorded allocate' "$err")" 1 "Ctrl-C: one last line"
else
	skip "Ctrl-C" "no script(1) here"
fi

# The recorder is killed: the program goes on, the next recording cleans up.
begin lost
program=$(pgrep -P "$recorder" -x allocate)
kill -KILL "$recorder"
finish
ok "SIGKILL of us: the manifest says incomplete" grep -q '"complete":false' lost/vadtrace.json
ok "SIGKILL of us: the program goes on" kill -0 "$program"
run record -q -o next -- true
is "$status" 0 "the next recording works"
kill -TERM "$program"
no_leftovers "and removes what was left"
run report lost
is "$status" 0 "SIGKILL of us: the trace can be read then"
ok "SIGKILL of us: it says what it is" grep -q '^The recording was not finished' "$out"
ok "SIGKILL of us: nothing is missing" test -z "$(grep '>=' "$out")"
tap_done
