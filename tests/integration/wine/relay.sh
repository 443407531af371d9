#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# The calls that we count, and those that Wine's own log of calls has in the same run of a program:
# see relay.py.

. "${VADTRACE_SRCDIR:?}/tests/integration/wine/lib.sh"
[ -e "$preload" ] || skip_all "the preload is not built here"
share_daemon
start_wine
. "$here/others.sh"

# Which calls Wine logs when it is told to, and from whom: all.
key='HKCU\Software\Wine\Debug'
functions='ntdll.RtlAllocateHeap;ntdll.RtlReAllocateHeap'
for function in GlobalAlloc GlobalReAlloc LocalAlloc LocalReAlloc VirtualAlloc VirtualProtect; do
	functions+=";kernel32.$function;kernelbase.$function"
done

# set_key NAME VALUE
set_key() {
	timeout -k 5 "$limit_seconds" "$wine" reg add "$key" /v "$1" /d "$2" /f >/dev/null 2>&1
}

# agree NAME PROGRAM [ARGUMENT...]
agree() {
	local name=$1

	shift
	WINEDEBUG=+relay run_way record-route "$@"
	"$vadtrace" report --json --top all "$scratch/record-route/trace" >"$scratch/report"
	ok "$name: as many calls" /usr/bin/python3 "$here/relay.py" \
		"$scratch/record-route/stderr.raw" "$scratch/report"
	head -n 1 "$scratch/.ok" | tap_note
}

set_key RelayInclude "$functions"
set_key RelayFromExclude none
set_key RelayExclude none
agree known "$programs/known.exe"
agree stress "$programs/stress.exe" 1000

# The archive that 7za has made is then tested.
try() {
	agree "$@"
	[ "$1" != "7za a" ] || cp -p "$scratch/record-route/work/made.7z" "$scratch/archive.7z"
}

each_other try
[ ! -e "$scratch/archive.7z" ] || agree "7za t" "$fetched/7za.exe" t -bd archive.7z
tap_done
