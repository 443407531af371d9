#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# The recorded program has its own output, status, words, streams and environment; and leaves no
# session, daemon or buffer, whether a daemon ran before or not.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh"

run record -q -o a -- sh -c 'echo out; echo err >&2; exit 7'
is "$status" 7 "the exit status is the program's"
is "$(cat "$out")" out "its output is untouched"
is "$(cat "$err")" err "its errors are untouched, and -q adds nothing"
no_leftovers "after a daemon of our own"

# shellcheck disable=SC2016 # the recorded shell expands
run record -q -o b -- sh -c 'kill -SEGV $$'
is "$status" 139 "a signal is 128 and its number"
# shellcheck disable=SC2016 # the recorded shell expands
run record -q -o c -- sh -c 'printf "<%s>" "$@"; pwd' sh 'a b' '' -- -o
is "$(cat "$out")" "<a b><><--><-o>$scratch" "its words and folder are untouched"
is "$(echo text | "$vadtrace" record -q -o d -- cat)" text "it reads our standard input"
is "$(cd / && MINE=1 "$vadtrace" record -q -o "$scratch/e" -- printenv MINE)" 1 \
	"it has our environment"
# Under a hard limit like this the session daemon breaks off, sooner or later.
is "$(ulimit -S -n 77; "$vadtrace" record -q -o f -- sh -c 'ulimit -n' 2>&1)" 77 "it has our limits"
(ulimit -S -f 8 && "$vadtrace" record -q -o small -- "$allocate" 100000 >/dev/null)
is $? 0 "a file size limit is the program's, not the trace's"

# Without LTTng in the program, which opens its own.
libm=$(ldconfig -p | awk '/libm\.so\.6.*x86-64/ { print $NF; exit }')
# shellcheck disable=SC2012 # names of numbers
is "$("$vadtrace" record -q --library "$libm" -o g -- ls /proc/self/fd 2>/dev/null | wc -l)" \
	"$(ls /proc/self/fd | wc -l)" "no descriptor of ours is open in it"

for closed in '0<&-' '1>&-' '2>&-' '0<&- 1>&- 2>&-'; do
	eval "\"\$vadtrace\" record -q -f --library '$libm' -o closed \
		-- sh -c 'test -e /proc/\$\$/fd/${closed:0:1} || exit 9' $closed"
	is $? 9 "a stream that is closed stays closed: $closed"
done
run record --library "$libm" -o g2 -- true
is "$status" 0 "a program without our object in it runs"
ok "and we say that nothing was recorded" said 'warning: nothing was recorded'
mkfifo pipe
: <pipe &
"$vadtrace" record -o g3 -- sleep 0.5 2>pipe
is $? 0 "nobody reads our messages"
no_leftovers "nobody reads our messages"

run record -o h -- true
is "$(wc -l <"$err")" 1 "one line at the end"
ok "it names the program, the loss and the next command" \
	said '^vadtrace: recorded true (pid [0-9]*) for .*nothing lost.*vadtrace report h$'
run record -v -o i -- true
ok "-v tells the steps" said 'started a session daemon'

LD_PRELOAD=$VADTRACE_BUILDDIR/preload/.libs/libvadtrace.so run record -q -o i2 -- true
is "$status" 0 "the daemon is not itself traced"
no_leftovers "the daemon is not itself traced"

start_daemon
before=$(daemon_pid)
run record -v -o j -- "$allocate" 1000
is "$status" 0 "records with a daemon that runs"
ok "says that it uses it" said 'using the session daemon that runs'
is "$(daemon_pid)" "$before" "that daemon stays"
is "$(lttng list | grep -c vadtrace-)" 0 "but not our session"
ok "events are there" grep -q vadtrace_ <(events_in j)
stop_daemon

cat >script.py <<-'END'
	#!/usr/bin/env perl
	print join(",", @ARGV), "\n";
END
chmod +x script.py
run record -q -o k -- ./script.py 1 "2 3"
is "$(cat "$out")" "1,2 3" "a script runs through its interpreter"
PATH=$PATH:. run record -q -o l -- script.py 4
is "$(cat "$out")" 4 "and is found in PATH"
# shellcheck disable=SC2016 # the script's
printf '#!/bin/sh\necho "$0"\n' >shell.sh
chmod +x shell.sh
run record -o m -- ./shell.sh
is "$(cat "$out")" ./shell.sh "a shell script keeps its name"
ok "a shell script gets a word about --children" said 'recorded only with --children'
no_leftovers "in the end"
tap_done
