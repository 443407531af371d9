#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# The session daemon is missing, hangs, dies, or serves several recordings: no hang, no leftovers.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh"

is_ready() {
	grep -q ready "$out"
}

# ticks PID: of the processor's time that the process had.
ticks() {
	awk '{ print $14 + $15 }' "/proc/$1/stat"
}

# One that waits for room looks for it ten times a second, and has no such time.
has_worked_since() {
	[ "$(ticks "$1")" -gt $(($2 + 50)) ]
}

# stop_all_of PID: its threads come to a stop each for itself, an answer later maybe.
stop_all_of() {
	kill -STOP "$1"
	until_true eval "! grep -L '^State:.T' /proc/$1/task/*/status | grep -q ."
}

PATH_WITHOUT=$scratch/bin
mkdir "$PATH_WITHOUT"
ln -s /bin/true "$PATH_WITHOUT/true"
PATH=$PATH_WITHOUT run record -- true
refused 115 "lttng-sessiond is not installed" "not installed"
printf '#!/bin/sh\necho it is broken >&2\nexit 1\n' >broken
chmod +x broken
LTTNG_SESSIOND_PATH=$scratch/broken run record -- true
refused 115 "cannot be started: it is broken" "does not start"

start_daemon
pid=$(daemon_pid)
stop_all_of "$pid"
run record -- true
is "$status" 115 "hangs: status"
ok "hangs: message" said "does not answer (process $pid)"
ok "hangs: says what to do" said "kill $pid"
is "$(find . -name 'vadtrace.*')" "" "hangs: no folder is left"
run doctor
is "$status" 1 "hangs: doctor's status"
ok "hangs: doctor says so" grep -q '^fail.*does not answer' "$out"
kill -CONT "$pid"
run record -q -o woken -- true
is "$status" 0 "works once it goes on"
stop_daemon

# Two at once share a daemon of ours; the last one stops it.
start -o first -- "$allocate" forever
first=$recorder
until_true is_ready
program=$(pgrep -P "$first" -x allocate)
"$vadtrace" record -q -o second -- "$allocate" 100000 >/dev/null
is $? 0 "a second recording beside the first"
ok "its end leaves the daemon to the first" test -n "$(living lttng-sessiond)"
kill -TERM "$program"
recorder=$first finish
is "$status" 3 "the first ends well"
no_leftovers "after both"
is "$(events_in second | grep -c "session = .*vadtrace-$first-")" 0 \
	"the second has nothing of the first"

# Killed while recording, also while the program waits for room in the buffers.
has_no_time() {
	local before

	before=$(ticks "$1")
	sleep 0.5
	[ "$(ticks "$1")" -le $((before + 2)) ]
}

# fill_buffers PROGRAM: by holding who empties them.
fill_buffers() {
	# shellcheck disable=SC2046 # one word each
	kill -STOP $(living lttng-consumerd)
	until_true has_no_time "$1"
}

# kill_daemon VICTIM FOLDER [WORD...]: a recording of that name, and of these words.
kill_daemon() {
	local victim=$1 name=$2

	shift 2
	: >"$out"
	start -o "$name" "$@" -- "$allocate" forever
	until_true is_ready
	program=$(pgrep -P "$recorder" -x allocate)
	[ $# -eq 0 ] || fill_buffers "$program"
	# shellcheck disable=SC2046 # one word each
	kill -KILL $(living "lttng-$victim")
	until_true said 'recording stops here'
	ok "$name: we say so" said 'ended: recording stops here'
	ok "$name: the program goes on" until_true has_worked_since "$program" "$(ticks "$program")"
	kill -TERM "$program"
	finish
	is "$status" 122 "$name: status"
	ok "$name: tells the program's own" said 'own exit status was 3'
	ok "$name: the manifest says so" grep -q '"stopped":"[a-z ]* ended"' "$name/vadtrace.json"
	# shellcheck disable=SC2046 # one word each
	[ -z "$(living lttng-)" ] || kill -KILL $(living lttng-)
}

for victim in sessiond consumerd; do
	kill_daemon $victim "$victim is killed"
	kill_daemon $victim "$victim is killed, buffers are full" --buffer-size 64K
done
run record -q -o after -- "$allocate" 10
is "$status" 0 "the next recording works after all that"
no_leftovers "after all that"
tap_done
