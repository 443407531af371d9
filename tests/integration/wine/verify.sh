#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# What Wine's heaps, handles of memory and thread storage are known to answer otherwise than
# documented is found, and nothing else.

. "${VADTRACE_SRCDIR:?}/tests/integration/wine/lib.sh"
[ -e "$preload" ] || skip_all "the preload is not built here"
share_daemon
start_wine

# differences PROGRAM: those that are not of virtual memory, a line each: function, what, how often,
# Wine's, core's.
differences() {
	run_way record-verify "$1"
	is "$(cat "$scratch/record-verify/status")" 0 "$(basename "$1"): it runs as ever"
	"$vadtrace" verify --json --top all "$scratch/record-verify/trace" >"$scratch/report"
	/usr/bin/python3 - "$scratch/report" >"$scratch/differences" 2>&1 <<-'TEXT'
		import json, sys
		for row in json.load(open(sys.argv[1]))["differences"]:
		    if not "Virtual" in row["function"]:
		        print(row["function"], row["what"], row["count"], row["wine"], row["core"])
	TEXT
}

differences "$conformance/heap.exe"
same_files "$scratch/differences" - "no heap, a heap without a lock, the kind, raising" <<-'TEXT'
	HeapAlloc exception 2 0x0 0xc0000017
	HeapReAlloc exception 1 0x0 0xc0000017
	RtlDestroyHeap is destroyed 1 0x1 0x0
	RtlUnlockHeap result 3 0x1 0x0
	RtlSetHeapInformation kind of heap 1 0x0 0x2
	RtlSetHeapInformation status 1 0x0 0xc0000001
TEXT
differences "$conformance/pe_heap.exe"
same_files "$scratch/differences" - "it forgets that a heap is to raise" <<-'TEXT'
	HeapAlloc exception 1 0x0 0xc0000017
	RtlSetHeapInformation kind of heap 2 0x0 0x2
TEXT
differences "$conformance/handle.exe"
same_files "$scratch/differences" - "errors not set: of locked memory, a wild pointer" <<-'TEXT'
	GlobalReAlloc last error 3 0xdeadbeef 0x57
	GlobalLock last error 2 0xdeadbeef 0x6
	LocalLock last error 2 0xdeadbeef 0x6
TEXT
differences "$conformance/tls.exe"
same_files "$scratch/differences" - "a new index of FLS has a value" <<-'TEXT'
	FlsAlloc new value 1 0x1 0x0
TEXT
differences "$programs/stress.exe"
is "$(cat "$scratch/differences")" "" "nothing in what programs usually do"

# Wild pointers, of which Wine finds out by a fault that it expects.
run_way record-observe "$conformance/handle.exe"
is "$(cat "$scratch/record-observe/status")" 0 "handle.exe, observed: it runs as ever"
tap_done
