#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# VADTRACE_REMOTE: a preloaded program serves other processes, whatever it closes; without it none
# does; and programs do what they do without.

. "${VADTRACE_SRCDIR:?}/tests/integration/native/lib.sh"

remote=$here/remote

# start_target WAY [VARIABLE...]: a preloaded target, its process id in $target.
start_target() {
	local way=$1

	shift
	rm -f "$scratch/target"
	mkfifo "$scratch/target"
	env LD_PRELOAD="$preload" VADTRACE_PRELOAD="$preload" "$@" "$remote" target "$way" \
		>"$scratch/target" 2>&1 </dev/null &
	read -r target <"$scratch/target"
}

end_target() {
	kill "$target"
	wait "$target"
}

for mode in route observe; do
	start_target open VADTRACE_REMOTE=1 VADTRACE_MODE=$mode
	is "$("$remote" ask "$target")" "done" "a program is served by the preload, $mode"
	end_target
	is $? 0 "which ends as ever, $mode"
done

start_target closed VADTRACE_REMOTE=1
is "$("$remote" ask "$target")" "done" "it has closed all descriptors"
is "$(ls "/proc/$target/fd")" "" "and has none"
is "$(cat "/proc/$target/task/"*/comm | grep -c '^vadtrace-remote$')" 2 "two threads serve"
end_target

start_target open
is "$("$remote" ask "$target")" "reserve: error 50" "a program that was not told to does not serve"
is "$(cat "/proc/$target/task/"*/comm | grep -c vadtrace)" 0 "and has no thread of ours"
end_target

# With the two threads, programs do as they do without.
export VADTRACE_REMOTE=1
for program in threads forks descriptors; do
	same "$program" "$here/$program"
done
for way in return exit-thread exec-thread main-thread abort execve; do
	same "end by $way" "$here/ends" $way
done
tap_done
