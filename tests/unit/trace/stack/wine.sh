#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Stacks of a Windows program on Wine: walked as Windows' own unwinder walks them, and instruction
# by instruction.

. "${VADTRACE_SRCDIR:?}/tests/integration/wine/lib.sh"
start_wine

source=$VADTRACE_SRCDIR/tests/unit/trace/stack
folder=$VADTRACE_BUILDDIR/tests/unit/trace/stack
door=$VADTRACE_BUILDDIR/tests/unit/trace/.libs/mixed_door.so

# said_ok PROGRAM: what it said, and whether all was well.
said_ok() {
	cat "$scratch/$1"
	[ "$(tail -n 1 "$scratch/$1" | cut -c 1-3)" = 1.. ] && ! grep -q '^not ok' "$scratch/$1"
}

# run_here NAME PROGRAM PRELOAD
run_here() {
	(cd "$scratch" && timeout -k 10 "$limit_seconds" env LD_PRELOAD="$3" "$wine" "$2") \
		2>"$scratch/$1.errors" | tr -d '\r' >"$scratch/$1"
	ok "$1: $(grep -c '^ok' "$scratch/$1") comparisons" said_ok "$1"
}

# The same functions by another compiler. Its linker is the first one's.
compile_by_clang() {
	local target=x86_64-w64-mingw32

	clang --target=$target -std=gnu11 -O2 -w -D__USE_MINGW_ANSI_STDIO=1 -D_WIN32_WINNT=0x0a00 \
		-I"$VADTRACE_SRCDIR" -c -o "$scratch/clang.o" "$source/stepping.c" &&
		$target-gcc -static -o "$scratch/clang.exe" "$scratch/clang.o" -lmsvcrt -lntdll
}

run_here mixed "$folder/mixed.exe" "$door"
run_here stepping "$folder/stepping.exe" ""
if compile_by_clang >/dev/null 2>&1; then
	run_here "stepping, by clang" "$scratch/clang.exe" ""
else
	skip "stepping, by clang" "there is no clang for Windows programs"
fi
tap_done
