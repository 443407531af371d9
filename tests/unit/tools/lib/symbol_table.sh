#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Names by address are libdwfl's, in a library with symbols in each other, without a size and in
# sections that are not loaded; the same without .symtab, with a debug file that has other addresses
# (as of a prelinked one), as an object; in the C library, and in a Windows file.

. "${VADTRACE_SRCDIR:?}/tests/lib/tap.sh"

cat >"$scratch/code.s" <<'CODE'
	.macro symbol name, bytes, binding=local
	.\binding \name
\name:	.size \name, \bytes
	.endm

	.text
	symbol local_in_global_outer, 48, globl
	.skip 16
	symbol local_in_global_inner, 16
	.skip 32
	symbol twin_long, 32, globl
	symbol twin_short, 16
	.skip 32
	symbol global_in_local_outer, 24
	.skip 8
	symbol global_in_local_inner, 8, globl
	.skip 16
	symbol alias_weak, 16, weak
	symbol alias_global, 16, globl
	symbol alias_local, 16
	.skip 16
	symbol alias_first, 16, globl
	symbol alias_second, 16, globl
	.skip 16
	symbol global_in_weak_outer, 48, weak
	.skip 8
	symbol weak_in_weak_inner, 16, weak
	.skip 8
	symbol global_in_weak_across, 32, globl
	.skip 64
	symbol marked_local, 32
	.skip 16
	symbol mark, 0, globl
	.skip 16
	symbol label_at_end, 0
	.skip 16
	symbol label_global, 0, globl
	symbol label_local, 0
	.skip 16
	symbol label_weak, 0, weak
	.skip 16
	symbol after_label, 8, globl
	.skip 64

	.section first_part, "ax"
	.skip 8
	symbol label_of_first, 0, globl
	.skip 8
	.section second_part, "ax"
	.skip 32
	.section unloaded_part, "", @progbits
	symbol unloaded, 4096, globl
	symbol unloaded_label, 0, globl
	.skip 4096
	.section .tbss, "awT", @nobits
	.type thread_variable, @object
	symbol thread_variable, 4096, globl
	.skip 4096
	.globl absolute, absolute_label, high
	absolute = 0x1000
	.size absolute, 0x100
	absolute_label = 0x2345
	high = 0xffffffffffffff00
	.size high, 0x1000
	.section .note.GNU-stack, "", @progbits
CODE
cd "$scratch" || exit 1

# link FILE ADDRESS
link() {
	cc -shared -nostdlib -Wl,--build-id=0xabcdef,-Ttext-segment="$2" -o "$1" code.o
}

cc -c -o code.o code.s
link plain.so 0
strip -o stripped.so plain.so
link other.so 0x200000
objcopy --only-keep-debug other.so moved.debug
objcopy --strip-all --add-gnu-debuglink=moved.debug plain.so moved.so
files=(plain.so stripped.so moved.so code.o)
libc=$(ldd "$BASH" | awk '$1 ~ /^libc\.so/ { print $3 }')
if command -v x86_64-w64-mingw32-gcc >/dev/null; then
	echo 'int main(void) { return 0; }' | x86_64-w64-mingw32-gcc -x c -o windows.exe -
	files+=(windows.exe)
fi
"$VADTRACE_BUILDDIR/tests/unit/tools/lib/symbol_table" "${files[@]}" ${libc:+"$libc"}
