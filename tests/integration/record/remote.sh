#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# What another process does to the memory of a recorded one is in the trace, as such.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh"

remote=$VADTRACE_BUILDDIR/tests/integration/native/remote

# vm_events: event, function and owner of each that was not the program's own doing.
vm_events() {
	events_in a | sed -n 's/.* vadtrace_vm:\([a-z]*\): .*owner = 2, api = \([0-9]*\),.*/\1 \2/p'
}

# api NAME: its number in the trace.
api() {
	awk -v name="$1" '$2 == name { print $1 }' "$VADTRACE_SRCDIR/core/api.spec"
}

# figure KEY: of the row of the report's owners that is the other processes'.
figure() {
	"$vadtrace" report --json a 2>/dev/null | /usr/bin/python3 -c '
import json, sys
owners = json.load(sys.stdin)["address_space"]["owners"]
print([owner for owner in owners if owner["owner"] == "outside"][0][sys.argv[1]])' "$1"
}

mkfifo target
VADTRACE_REMOTE=1 "$vadtrace" record -q -o a -- "$remote" target open >target 2>"$err" </dev/null &
recorder=$!
read -r pid <target
is "$("$remote" ask "$pid")" "done" "a recorded program is served"
kill "$pid"
finish
is "$status" 0 "and ends well"
is "$(vm_events)" "reserve $(api VirtualAllocEx)
reserve $(api VirtualAllocEx)
commit $(api VirtualAllocEx)
protect $(api VirtualProtectEx)
release $(api VirtualFreeEx)" "each call is in the trace"
is "$(figure reserve_calls) $(figure reserved_bytes) $(figure committed_bytes)" "2 196608 8192" \
	"the report has them apart"
ok "and says so" grep -q '^ *outside .* 2 ' <("$vadtrace" report a)
no_leftovers "after it"
tap_done
