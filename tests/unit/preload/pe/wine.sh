#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# All hooks set in real DLLs, with a dispatcher that lets everything pass: programs run as without.

. "${VADTRACE_SRCDIR:?}/tests/integration/wine/lib.sh"
start_wine

counter=$VADTRACE_BUILDDIR/tests/unit/preload/pe/.libs/counter.so
hooked=$VADTRACE_BUILDDIR/tests/unit/preload/pe/hooked.exe

# set_prefix WAY: "bare", a mode of the whole preload, or hooked with these words for the counter.
set_prefix() {
	local words

	read -r -a words <<<"${1#hooked}"
	case $1 in
	bare) prefix=() ;;
	hooked*) prefix=(env "PE_COUNTS=$scratch/counts" "${words[@]}" LD_PRELOAD="$counter") ;;
	*) prefix=("${alone[@]}" env LD_PRELOAD="$preload" VADTRACE_MODE="$1") ;;
	esac
}

# passes WAY: the program's own tests.
passes() {
	[ "$(cat "$scratch/$1/status")" = 0 ] && ! grep '^not ok' "$scratch/$1/stdout" |
		grep -v '# TODO' && tail -n 1 "$scratch/$1/stdout" | grep -q '^1\.\.[1-9]'
}

# count COLUMN VALUE: hooks of which this is true.
count() {
	awk -v column="$1" -v value="$2" '$column == value { n++ } END { print n + 0 }' \
		"$scratch/counts"
}

# unfinished: functions that were entered more often than left.
unfinished() {
	awk '$4 != $5 { print $2 }' "$scratch/counts" | LC_ALL=C sort | tr '\n' ' '
}

run_way bare "$hooked"
ok "on plain Wine" passes bare
run_way hooked "$hooked"
ok "hooked" passes hooked
ok "hooked: prints the same" diff "$scratch/bare/stdout" "$scratch/hooked/stdout"
is "$(unfinished)" "GlobalMemoryStatus HeapWalk RtlAllocateHeap RtlReAllocateHeap " \
	"all calls come back but those that an exception ends"
is "$(count 3 left) $(count 3 waits)" "0 0" "each function that is there is hooked"
timeout -k 5 "$limit_seconds" "$vadtrace" doctor --wine "$wine" >"$scratch/doctor"
is "$(count 3 set)" "$(grep -c ^hooked "$scratch/doctor")" "as many as doctor says"
for export in RtlAllocateHeap RtlSizeHeap NtAllocateVirtualMemory GetLargePageMinimum; do
	ok "$export was called" grep -q " $export set [1-9]" "$scratch/counts"
done

run_way 'hooked PE_SERVE=GetLargePageMinimum' "$hooked" serves
ok "a call that is answered" passes 'hooked PE_SERVE=GetLargePageMinimum'
run_way 'hooked PE_RAISE=GetNumaHighestNodeNumber' "$hooked" raises
ok "a call that raises" passes 'hooked PE_RAISE=GetNumaHighestNodeNumber'
run_way hooked "$hooked" overflows
ok "stacks that overflow" passes hooked

run_way 'hooked PE_OCCUPY=1' "$hooked" overflows
ok "DLLs that are relocated" passes 'hooked PE_OCCUPY=1'
is "$(count 3 left) $(count 3 waits)" "0 0" "DLLs that are relocated: all are hooked"
is "$(awk '$1 == "ntdll" && $6 ~ /^1700/' "$scratch/counts")" "" "and they were relocated"

for mode in $modes; do
	run_way "$mode" "$hooked" overflows
	ok "$mode: exceptions and overflows" passes "$mode"
done

for program in "$conformance"/*.exe; do
	name=$(basename "$program" .exe)
	run_way hooked "$program"
	ok "$name" passes hooked
	passes hooked || grep '^not ok' "$scratch/hooked/stdout" | head -n 20 | tap_note
done
tap_done
