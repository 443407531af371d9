#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Recordings of one user at the same time, with and without --children: each has its own processes
# and all that they did, and nothing else, though LTTng gives a session that follows children the
# events of all.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh"

command -v python3 >/dev/null || skip_all "needs python3"
recorders=()

# begin NAME OPTION... -- COMMAND...: records in the background.
begin() {
	local name=$1

	shift
	"$vadtrace" record -q -o "$name" "$@" >"$name.out" 2>"$name.err" </dev/null &
	recorders+=($!)
}

is_ready() {
	grep -q ready "$1.out"
}

# counts FOLDER: the numbers of blocks of 100 bytes that the processes of a recording allocated.
counts() {
	local pid

	run info --json "$1"
	for pid in $(python3 -c 'import json, sys
print(*dict.fromkeys(process["pid"] for process in json.load(sys.stdin)["processes"]))' <"$out"); do
		run report --json --pid "$pid" "$1"
		python3 -c 'import json, sys
report = json.load(sys.stdin)
if "allocate" in report["process"]["executable"]:
	print(sum(size["calls"] for size in report["sizes"] if size["from_bytes"] == 64))' <"$out"
	done | sort -n | tr '\n' ' ' | sed 's/ $//'
}

# fact FOLDER KEY: of the trace.
fact() {
	run info --json "$1"
	python3 -c 'import json, sys
print(json.load(sys.stdin)["trace"][sys.argv[1]])' "$2" <"$out"
}

# shellcheck disable=SC2016 # the recorded shell expands
begin family --children -- bash -c '"$0" gate go 30000 & "$0" gate go 20000; wait' "$allocate"
# shellcheck disable=SC2016 # the recorded shell expands
begin other --children -- bash -c '"$0" gate go 5000; :' "$allocate"
begin alone -- "$allocate" gate go 7000
begin forks --children -- "$allocate" gate go 9000
for name in family other alone forks; do
	ok "$name: begins" until_true is_ready $name
done
touch go
failed=
for recorder in "${recorders[@]}"; do
	finish
	failed="$failed$status"
done
is "$failed" 0000 "all end well"
is "$(counts family)" "20000 30000" "--children: its two, and all that they did"
is "$(counts other)" 5000 "--children beside it: its one"
is "$(counts alone)" 7000 "without --children: itself"
is "$(counts forks)" 9000 "--children of a program without any"
is "$(fact alone foreign_events)" 0 "without --children: LTTng gives it nothing of the others"
ok "with it: LTTng does, and they are left out" test "$(fact family foreign_events)" -gt 100
for name in family other alone forks; do
	is "$(fact $name lower_bounds)" False "$name: nothing is missing"
done
no_leftovers "after all"
tap_done
