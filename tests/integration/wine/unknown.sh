#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# A Wine that is not as we know it: functions that cannot be hooked, another version. Programs run
# as ever, and doctor and the trace say what was left alone.

. "${VADTRACE_SRCDIR:?}/tests/integration/wine/lib.sh"
[ -e "$preload" ] || skip_all "the preload is not built here"
share_daemon
[ -n "${WINE_TEST_RUN:-}" ] || skip_all "nothing may be mounted here"
start_wine
# The server opens the DLLs, so it has to see the same ones: it is one of our own. It writes the
# registry only.
cp -as "$WINEPREFIX" "$scratch/prefix"
cp --remove-destination "$WINEPREFIX"/*.reg "$scratch/prefix"
export WINEPREFIX=$scratch/prefix
"$wineserver" -p$server_seconds >/dev/null 2>&1 </dev/null
trap '"$wineserver" -k >/dev/null 2>&1 </dev/null; rm -rf "$scratch"' EXIT
dlls=$("$vadtrace" doctor --wine "$wine" | sed -n 's/^DLLs *//p')

# exchange FILE WHAT...: Wine has a patched file there from now on (see patch.py).
exchange() {
	local file=$1

	shift
	/usr/bin/python3 "$here/patch.py" "$file" "$scratch/$(basename "$file")" "$@" &&
		mount --bind "$scratch/$(basename "$file")" "$file"
}

# record NAME: known.exe, which does the same as ever.
record() {
	run_way record-route "$programs/known.exe"
	compare_way record-route "$1"
	"$vadtrace" report --json --top all "$scratch/record-route/trace" >"$scratch/report"
	"$vadtrace" report "$scratch/record-route/trace" >"$scratch/text"
	"$vadtrace" info "$scratch/record-route/trace" >"$scratch/info"
	"$vadtrace" doctor --wine "$wine" >"$scratch/doctor"
}

# says_known: whether the report says what the program did.
says_known() {
	tr -d '\r' <"$scratch/bare/stdout" >"$scratch/truth"
	/usr/bin/python3 "$here/known.py" "$scratch/truth" "$scratch/report"
}

run_way bare "$programs/known.exe"

# What Wine answers in all modes: the call is not told, and nothing else changes.
exchange "$dlls/kernelbase.dll" GetSystemInfo
record "a function that cannot be hooked"
ok "info says which and why" \
	grep -q '^ *GetSystemInfo .*passed on .*work in their place only' "$scratch/info"
ok "so does doctor" \
	grep -q '^passed on  *GetSystemInfo .*work in their place only' "$scratch/doctor"
ok "the others are hooked" grep -q 'HeapAlloc .*ntdll!RtlAllocateHeap .*hooked' "$scratch/info"
ok "core answers" grep -q '^process .* mode route' "$scratch/text"
ok "all else is told" says_known
umount "$dlls/kernelbase.dll"

# One that core would answer: then no block may be core's.
exchange "$dlls/ntdll.dll" RtlFreeHeap
record "one of the heap's that cannot be hooked"
ok "info says which and why" \
	grep -q 'ntdll!RtlFreeHeap .*passed on .*work in their place only' "$scratch/info"
ok "Wine answers" grep -q '^process .* mode observe' "$scratch/text"
ok "doctor says what to do" grep -q -e '--mode observe' "$scratch/doctor"
umount "$dlls/ntdll.dll"

exchange "$dlls/../x86_64-unix/ntdll.so" version 8.0 9.9
record "another version"
ok "another version: its name" grep -q '^Wine  *9\.9' "$scratch/text"
ok "another version: Wine answers" grep -q '^process .* mode observe' "$scratch/text"
ok "another version: all is told" says_known
ok "doctor says so" grep -q 'This version is not known' "$scratch/doctor"
tap_done
