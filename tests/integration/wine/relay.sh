#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# The calls that we count, and those that Wine's own log of calls has in the same run of a program:
# see relay.py.

. "${VADTRACE_SRCDIR:?}/tests/integration/wine/lib.sh"
[ -e "$preload" ] || skip_all "the preload is not built here"
share_daemon
start_wine
fetched=$wine_folder/npm
system='C:\windows\system32'

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

prepare() {
	mkdir in
	cp -p "$VADTRACE_SRCDIR"/core/vm/*.[ch] in/
	echo 'debugger;' >in/a.js
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
if (cd "$scratch" && "$here/fetch.sh" "$fetched") >"$scratch/fetch" 2>&1; then
	agree "7za a" "$fetched/7za.exe" a -bd -mmt2 made.7z in
	agree esbuild "$fetched/esbuild.exe" --bundle in/a.js --outfile=out.js
	agree oxlint "$fetched/oxlint.exe" in
else
	skip "programs from npm" "they cannot be fetched: $(tail -n 1 "$scratch/fetch")"
fi
agree cmd "$system\\cmd.exe" /c 'dir /b in & type in\a.js & exit 3'
agree reg "$system\\reg.exe" query 'HKLM\Software\Microsoft\Windows NT\CurrentVersion' \
	/v CurrentBuild
agree xcopy "$system\\xcopy.exe" /s /i in out
tap_done
