#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# What a Windows program knows that it did, and what the report says, in each mode: the same
# figures, at the same lines, with the same stacks; also of programs that are killed.

. "${VADTRACE_SRCDIR:?}/tests/integration/wine/lib.sh"
[ -e "$preload" ] || skip_all "the preload is not built here"
start_wine

# check WAY NAME
check() {
	"$vadtrace" report --json --top all "$scratch/$1/trace" >"$scratch/report"
	tr -d '\r' <"$scratch/$1/stdout" >"$scratch/truth"
	ok "$2: the report says what the program did" /usr/bin/python3 "$here/known.py" \
		"$scratch/truth" "$scratch/report"
	ok "$2: both decoders find the same events" \
		"$VADTRACE_BUILDDIR/tests/integration/report/readers" "$scratch/$1/trace"
}

for mode in $modes; do
	run_way record-$mode "$programs/known.exe"
	is "$(cat "$scratch/record-$mode/status")" 0 "$mode: recorded"
	check record-$mode "$mode"
	not_ok "$mode: what the tracer asks of ntdll is not the program's" \
		grep -q RtlAddFunctionTable "$scratch/report"
done

# Each call an event of LTTng's: the same, and in the words of LTTng's wrapper.
record_words=(--plain)
for mode in $modes; do
	run_way record-$mode "$programs/known.exe"
	is "$(cat "$scratch/record-$mode/status")" 0 "$mode, plain: recorded"
	check record-$mode "$mode, plain"
	ok "$mode, plain: every call comes as LTTng's wrapper has it" /usr/bin/python3 \
		"$VADTRACE_SRCDIR/tests/integration/report/plain.py" \
		"$scratch/record-$mode/trace" "$scratch/record-$mode/trace"
done
record_words=()

is_to_be_killed=yes
run_way record-route "$programs/known.exe" kill
is "$(cat "$scratch/record-route/status")" 137 "TerminateProcess: its status"
check record-route "TerminateProcess"

# Killed from outside when it has said all.
kill_it() {
	local i pid

	for ((i = 0; i < 6000; i++)); do
		sleep 0.1
		grep -q do_view "$scratch/record-route/stdout.raw" 2>/dev/null || continue
		pid=$(pgrep -f "^$programs/known.exe wait") || continue
		kill -9 "$pid" && return
	done
}
rm -rf "$scratch/record-route"
kill_it &
run_way record-route "$programs/known.exe" wait
wait
is "$(cat "$scratch/record-route/status")" 137 "killed from outside: its status"
check record-route "killed from outside"
is_to_be_killed=

run_way record-route "$programs/known.exe"
# first_stack: whether the first stack in the trace, of what the process begins with, is in ntdll.
first_stack() {
	babeltrace2 "$scratch/record-route/trace" 2>/dev/null | /usr/bin/python3 -c '
import re, sys
for line in sys.stdin:
	if "pe_module:" in line:
		start, end = re.search(r"start = (\w+), end = (\w+)", line).groups()
	if "meta:stack:" in line:
		frame = re.search(r"\[0\] = (\w+)", line).group(1)
		sys.exit(not int(start, 16) <= int(frame, 16) < int(end, 16))'
}
ok "what is there at the beginning is found by ntdll" first_stack
"$vadtrace" info "$scratch/record-route/trace" >"$scratch/info"
ok "info lists the hooks" grep -q 'HeapAlloc .*ntdll!RtlAllocateHeap .*hooked' "$scratch/info"
ok "those that are not there with their reason" \
	grep -q 'OfferVirtualMemory .*not present .*export' "$scratch/info"
"$vadtrace" leaks "$scratch/record-route/trace" >"$scratch/leaks"
ok "leaks names a Windows function and its line" grep -q 'do_global  known.c:[0-9]* (known.exe)' \
	"$scratch/leaks"

# Another compiler's program, without DWARF. Its PDB is known by a GUID and an age, as the linker
# has put them into the program.
pdb_is_recorded() {
	local id

	id=$(objdump -p "$programs/seh.exe" |
		sed -n 's/^(format RSDS signature \([0-9a-f]*\) age \([0-9]*\).*/\1\2/p')
	[ -n "$id" ] && babeltrace2 "$scratch/record-route/trace" 2>/dev/null |
		grep -qi "pe_module.*name = \"seh.exe\".*pdb = \".*seh.pdb\", pdb_id = \"$id\""
}

has_pdb_stack() {
	"$vadtrace" report --top all "$scratch/record-route/trace" |
		grep -A1 'test_heap  seh.c:[0-9]* (seh.exe)' |
		grep -q '<- start  seh.c:[0-9]* (seh.exe)'
}

if [ -e "$programs/seh.exe" ]; then
	run_way record-route "$programs/seh.exe"
	ok "a PDB is recorded with its identity" pdb_is_recorded
fi
if [ -e "$programs/seh.exe" ] && command -v llvm-symbolizer >/dev/null; then
	ok "functions and lines by a PDB" has_pdb_stack
else
	skip "functions and lines by a PDB" "no clang, lld-link or llvm-symbolizer"
fi
tap_done
