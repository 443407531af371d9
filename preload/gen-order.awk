# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Makes order.ld of order.list: a linker script that adds to the linker's own. Constants lie beside
# the symbol tables, functions that are listed before all others, with what the compiler adds for
# a start and an end, and variables that are listed behind all others.

# The sections of one name; FILE is that of a source, without its folder, or nothing.
function section(kind, name, file) {
	sub(/\.c$/, ".o", file)
	printf "\t\t*%s(.%s.%s .%s.%s.*)\n", file ? "-" file : "", kind, name, kind, name
}

function end(place) {
	print "\t}\n}\nINSERT " place ";"
}

BEGIN {
	print "/* Generated from preload/order.list. */"
	print "SECTIONS\n{\n\t.rodata.near : {\n\t\t*(.rodata .rodata.*)"
	end("AFTER .rela.plt")
}

/^#/ || !NF { next }

$1 == "near" { near[++functions] = $2 }
$1 == "far" { far[++variables] = $3; home[variables] = $2 }

END {
	if (!functions || !variables) {
		print FILENAME ": nothing is listed" > "/dev/stderr"
		exit 1
	}
	print "SECTIONS\n{\n\t.text.near : {"
	print "\t\tKEEP (*(SORT_NONE(.fini)))"
	print "\t\t*crtbegin*.o(.text .text.*)"
	print "\t\t*libc_nonshared.a:*(.text .text.*)"
	print "\t\t*libgcc.a:*(.text .text.*)"
	for (i = 1; i <= functions; i++)
		section("text", near[i], "")
	end("BEFORE .text")
	print "SECTIONS\n{\n\t.bss.far (NOLOAD) : {"
	for (i = 1; i <= variables; i++)
		section("bss", far[i], home[i])
	end("AFTER .bss")
}
