#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Which processes a recording holds, with and without --children.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh"

# processes FOLDER: how many processes have events in it.
processes() {
	events_in "$1" | grep -o 'vpid = [0-9]*' | sort -u | wc -l
}

run record -o alone -- "$allocate" fork 10
is "$(processes alone)" 1 "a fork's child is left out"
run record --children -o all -- "$allocate" fork 10
is "$(processes all)" 2 "or recorded with --children"

# shellcheck disable=SC2016 # the recorded shell expands
program='"$0" 10 >/dev/null; "$0" 10 >/dev/null; :'
run record -o alone2 -- sh -c "$program" "$allocate"
is "$(processes alone2)" 1 "programs that it starts are left out"
run record --children -o all2 -- sh -c "$program" "$allocate"
is "$(processes all2)" 3 "or recorded with --children"
export VADTRACE_MINE=1
sh -c 'env | grep -v ^_= | sort' >bare
run record -q -o env -- sh -c 'env | grep -v ^_= | sort'
same_files "$out" bare "they see nothing of us in their environment, and all that is the user's"
LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libdl.so.2 run record -q -o env2 -- sh -c 'env'
ok "but what the user preloads" grep -q '^LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libdl.so.2$' "$out"

run record --children -o orphan -- "$allocate" orphan
is "$status" 0 "a child that stays behind: status"
ok "a child that stays behind does not keep us" test -n "$(living allocate)"
pkill -KILL -x allocate
no_leftovers "a child that stays behind"

# follow NAME PROCESSES COMMAND...: the last program is among the processes, in an environment that
# the one before made.
follow() {
	local name=$1 count=$2

	shift 2
	run record -q --children -o "$name" -- "$@"
	is "$status" 0 "$name: recorded"
	is "$(programs "$name" | grep -c allocate)" 1 "$name: the program is followed"
	is "$(processes "$name")" "$count" "$name: no process is missing"
}

# programs FOLDER: the programs that began in it.
programs() {
	events_in "$1" | grep 'vadtrace_meta:process:' | grep -o ' exe = "[^"]*"'
}

python=/usr/bin/python3
follow cleared 1 env -i "$allocate" 10
follow spawned 2 $python -c 'import os, sys
os.waitpid(os.posix_spawn(sys.argv[1], sys.argv[1:], {"LD_PRELOAD": ""}), 0)' "$allocate" 10
follow subprocess 2 $python -c 'import subprocess, sys
subprocess.run(sys.argv[1:], env={})' "$allocate" 10
run record -q --children -o extended -- $python -c 'import os
os.execve("/usr/bin/env", ["env"], {"LD_PRELOAD": "libdl.so.2", "A": "a"})'
ok "what a program preloads stays, behind us" \
	grep -q '^LD_PRELOAD=.*libvadtrace.so:.*libvadtrace-record.so:libdl.so.2$' "$out"
is "$(grep -c -e '^A=a$' -e '^VADTRACE_CHILDREN=1$' "$out")" 2 "with its own variables and ours"

run record -o dropped -- env -i /bin/true
ok "a program that clears its environment still runs" test "$status" -eq 0
tap_done
