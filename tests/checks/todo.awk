# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Reads conformance tests; prints each excuse for Wine that has no comment beside it to say which
# sentence of a document decides, and fails when there is one. A comment is beside the excuses that
# follow it in the same function before a test that needs none; in a table whose last column is
# `todo_wine`, beside the rows that follow it before one that needs none.

function breach() {
	printf "%s:%d: no comment says what decides this todo_wine\n", FILENAME, FNR
	failed = 1
}

FNR == 1 {
	is_decided = is_excused = in_table = in_comment = 0
}

/const char \*todo_wine;/ {
	in_table = 1
}

/^(\};?|\{)?$/ || /^\};/ {
	is_decided = is_excused = 0
	if (/^\};/)
		in_table = 0
}

/todo_wine\("/ {
	if (!is_decided && !/\*\//)
		breach()
	is_excused = 1
	next
}

# What a table's row says was decided there.
/todo_wine\(/ {
	is_excused = 1
	next
}

/\*\/$/ {
	is_decided = 1
	next
}

# A line of a table that ends a row closes more braces than it opens, or as many.
in_table && /(NULL|") \},$/ {
	if (gsub(/\{/, "{") > gsub(/\}/, "}"))
		next
	if (/NULL \},$/)
		is_decided = 0
	else if (!is_decided)
		breach()
}

/^\t+(ok|expect)[a-z_]*\(/ {
	if (!is_excused)
		is_decided = 0
	is_excused = 0
}

END {
	exit failed
}
