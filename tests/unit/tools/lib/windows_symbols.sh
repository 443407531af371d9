#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Functions, files and lines in Windows files: from DWARF, from a PDB, from COFF symbols and from
# the export table alone; and damaged files.

. "${VADTRACE_SRCDIR:?}/tests/lib/tap.sh"

tool=$VADTRACE_BUILDDIR/tests/unit/tools/lib/windows_symbols

cat >"$scratch/code.c" <<'CODE'
__declspec(noinline) int inner(int x)
{
	volatile int y = x;
	return y + 1;
}

static __inline __attribute__((always_inline)) int inlined(int x)
{
	return inner(x) * 2;
}

__declspec(dllexport) int entry(void)
{
	return inlined(4) + 1;
}
CODE

# return_address FILE: the RVA behind the first call in it.
return_address() {
	objdump -d "$1" | awk '
		found { sub(/:.*/, "", $1); print "0x" substr($1, length($1) - 3); exit }
		/call/ { found = 1 }'
}

# frames FILE RVA
frames() {
	"$tool" "$("$tool" --identity "$1")" "$1" "$2"
}

tree='inlined code.c:9 < entry code.c:14'
if command -v x86_64-w64-mingw32-gcc >/dev/null; then
	x86_64-w64-mingw32-gcc -O1 -g -nostdlib -Wl,-e,entry -o "$scratch/dwarf.exe" \
		"$scratch/code.c"
	rva=$(return_address "$scratch/dwarf.exe")
	is "$(frames "$scratch/dwarf.exe" "$rva")" "$tree" "DWARF: inlined call, function, lines"
	is "$("$tool" pe:0000 "$scratch/dwarf.exe" "$rva")" "dwarf.exe+$rva ?:0" \
		"a file of another build has no names"
	x86_64-w64-mingw32-strip -g -o "$scratch/coff.exe" "$scratch/dwarf.exe"
	is "$(frames "$scratch/coff.exe" "$rva")" 'entry ?:0' "COFF symbols: the function"
	x86_64-w64-mingw32-strip -o "$scratch/export.exe" "$scratch/dwarf.exe"
	is "$(frames "$scratch/export.exe" "$rva")" 'entry ?:0' "exports: the function"
	is "$(frames "$scratch/export.exe" 0x1004)" 'export.exe+0x1004 ?:0' \
		"exports: a function that has no name does not get its neighbour's"
	is "$("$tool" --damage "$scratch/dwarf.exe")" read "damaged files are read without harm"
else
	skip "DWARF, COFF and exports" "no x86_64-w64-mingw32-gcc"
fi

if command -v clang >/dev/null && command -v lld-link >/dev/null &&
	command -v llvm-symbolizer >/dev/null; then
	clang --target=x86_64-pc-windows-msvc -O1 -g -gcodeview -c "$scratch/code.c" \
		-o "$scratch/code.obj"
	lld-link -debug -entry:entry -subsystem:console -nodefaultlib "$scratch/code.obj" \
		-out:"$scratch/pdb.exe"
	rva=$(return_address "$scratch/pdb.exe")
	is "$(frames "$scratch/pdb.exe" "$rva")" "$tree" "PDB: inlined call, function, lines"
	mkdir "$scratch/moved"
	mv "$scratch/pdb.exe" "$scratch/pdb.pdb" "$scratch/moved"
	is "$(frames "$scratch/moved/pdb.exe" "$rva")" "$tree" "a PDB beside the file"
	rm "$scratch/moved/pdb.pdb"
	is "$(frames "$scratch/moved/pdb.exe" "$rva")" 'entry ?:0' "without it: the export's name"
else
	skip "PDB" "no clang, lld-link or llvm-symbolizer"
fi
tap_done
