# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Reads `ctags -x`-like rows "FILE<tab>NAME<tab>FIRST<tab>LAST<tab>KIND" of functions (KIND: switch
# when the function is one flat switch, else plain), and fails when one is longer than 80 lines, or
# more than one of ten is longer than 40.

BEGIN {
	FS = "\t"
}

{
	lines = $4 - $3 + 1
	count++
	long += lines > 40
	if (lines > 80 && $5 != "switch") {
		printf "%s:%d: %s has %d lines\n", $1, $3, $2, lines
		failed = 1
	}
}

END {
	if (count >= 10 && long * 10 > count) {
		printf "%d of %d functions are longer than 40 lines\n", long, count
		failed = 1
	}
	exit failed
}
