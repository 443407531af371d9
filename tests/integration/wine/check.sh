#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Misuse of a Windows program's blocks: what the heap answers, and what a recording tells of it.

. "${VADTRACE_SRCDIR:?}/tests/integration/wine/lib.sh"
[ -e "$preload" ] || skip_all "the preload is not built here"
share_daemon
start_wine

normalise() {
	tr -d '\r'
}

# crime NAME STATUS SAID MISUSE BY WORDS...: recorded with these words. What the program says is
# SAID; the report has the one misuse, of a block that a function BY has freed.
crime() {
	local name=$1 status=$2 said=$3 misuse=$4 by=$5

	shift 5
	record_words=("$@")
	run_way record-route "$programs/crimes.exe" "$name"
	is "$(cat "$scratch/record-route/status")" "$status" "$name $*: its status"
	is "$(paste -sd ' ' "$scratch/record-route/stdout")" "$said" "$name $*: what it says"
	"$vadtrace" report --json "$scratch/record-route/trace" >"$scratch/report"
	is "$(/usr/bin/python3 -c 'import json, sys
for error in json.load(open(sys.argv[1]))["errors"]:
	functions = [frame["function"] for frame in error["freed_by"]]
	born = [frame["function"] for frame in error["allocated_by"]]
	print(error["misuse"], "release" in functions, "allocate" in born)' "$scratch/report")" \
		"$misuse $by" "$name $*: what the trace has"
}

again="freed already"
crime double 0 "freed refused after" "$again" "False True"
crime double 0 "freed refused after" "$again" "True True" --check
crime behind 0 "refused after" "written past its end" "False True" --check=pattern
crime write-freed 0 "freed after" "written to after it was freed" "True True" --check=pattern
crime read-freed 3 "freed exception 0xc0000005" "touched after it was freed" "True True" \
	--check=page
crime read-behind 3 "exception 0xc0000005" "touched beside the block" "False True" --check=page
crime handle 0 "refused after" "no block starts there" "False False"
crime inside 0 "refused after" "not the start of the block" "False True" --check=pattern
crime foreign 0 "refused after" "no block starts there" "False False"
crime elsewhere 0 "refused after" "a block of another heap" "False False" --check=pattern
crime resize-freed 0 "freed refused after" "$again" "True True" --check=pattern
crime stale 0 "refused after" "no block starts there" "False False"
crime destroyed 0 "refused after" "the heap was destroyed, or is none" "False False"
crime destroyed 0 "refused after" "the heap was destroyed, or is none" "False False" --check

tap_done
