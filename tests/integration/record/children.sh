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
run record -q -o env -- sh -c 'env | grep -c -e VADTRACE -e LTTNG -e LD_PRELOAD'
is "$(cat "$out")" 0 "they see nothing of us in their environment"
LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libdl.so.2 run record -q -o env2 -- sh -c 'env'
ok "but what the user preloads" grep -q '^LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libdl.so.2$' "$out"

begin_s=$SECONDS
run record --children -o orphan -- "$allocate" orphan
is "$status" 0 "a child that stays behind: status"
ok "a child that stays behind does not keep us" test $((SECONDS - begin_s)) -lt 50
pkill -KILL -x allocate
no_leftovers "a child that stays behind"

run record -o dropped -- env -i /bin/true
ok "a program that clears its environment still runs" test "$status" -eq 0
tap_done
