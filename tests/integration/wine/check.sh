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

# crime NAME STATUS SAID ERRORS WORDS...: recorded with these words. What the program says is SAID;
# the report has the ERRORS: by which function, what, the function that freed the block, and the one
# that allocated it.
crime() {
	local name=$1 status=$2 said=$3 errors=$4

	shift 4
	record_words=("$@")
	run_way record-route "$programs/crimes.exe" "$name"
	is "$(cat "$scratch/record-route/status")" "$status" "$name $*: its status"
	is "$(paste -sd ' ' "$scratch/record-route/stdout")" "$said" "$name $*: what it says"
	"$vadtrace" report --json "$scratch/record-route/trace" >"$scratch/report"
	is "$(errors)" "$errors" "$name $*: what the trace has"
}

# Those of the report, one after the other.
errors() {
	/usr/bin/python3 - "$scratch/report" <<-'TEXT' | paste -sd ' '
		import json, sys
		def known(name, frames):
		    return ", " + name if name in [frame["function"] for frame in frames] else ""
		for error in json.load(open(sys.argv[1]))["errors"]:
		    print((error["function"] or "nobody") + ": " + error["misuse"] +
		          known("release", error["freed_by"]) +
		          known("allocate", error["allocated_by"]) + ";")
	TEXT
}

# both WHAT: HeapReAlloc and HeapFree were given it. HeapSize asks, and accuses nobody.
both() {
	echo "HeapReAlloc: $1; HeapFree: $1;"
}

no="unsized unresized refused after"
none="no block starts there"
gone="the heap was destroyed, or is none"
behind="written past its end, allocate"

# Unchecked: who freed a block is not known.
crime double 0 "freed $no" "$(both "freed already, allocate")"
crime behind 0 "sized resized freed after" ""
crime overrun 0 "$no" "$(both "$behind")"
crime inside 0 "$no" "$(both "not the start of the block, allocate")"
crime foreign 0 "$no" "$(both "$none")"
crime elsewhere 0 "$no" "$(both "a block of another heap")"
crime handle 0 "$no" "$(both "$none")"
crime stale 0 "$no" "$(both "$none")"
crime destroyed 0 "$no" "$(both "$gone")"

for how in --check=pattern --check=page; do
	crime double 0 "freed $no" "$(both "freed already, release, allocate")" $how
	crime inside 0 "$no" "$(both "not the start of the block, allocate")" $how
	crime foreign 0 "$no" "$(both "$none")" $how
	crime elsewhere 0 "$no" "$(both "a block of another heap")" $how
	crime handle 0 "$no" "$(both "$none")" $how
	crime stale 0 "$no" "$(both "freed already")" $how
	crime destroyed 0 "$no" "$(both "$gone")" $how
done
crime behind 0 "$no" "$(both "$behind")" --check=pattern
crime overrun 0 "$no" "$(both "$behind")" --check=pattern
crime write-freed 0 "freed after" "nobody: written to after it was freed, release, allocate;" \
	--check=pattern
crime overrun 3 "exception 0xc0000005" "nobody: touched beside the block, allocate;" --check=page
crime read-behind 3 "exception 0xc0000005" \
	"nobody: touched beside the block, allocate;" --check=page
crime read-freed 3 "freed exception 0xc0000005" \
	"nobody: touched after it was freed, release, allocate;" --check=page

tap_done
