# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Reads C sources; prints each name that a function's body or a table uses, as a call, an address
# or what GetProcAddress or FUNCTION finds. What only a comment, a string or a declaration names is
# not used: a declaration begins in the first column, a statement does not.

# The line without its strings and comments; a comment that goes on is remembered.
function bare(line, at) {
	if (in_comment) {
		at = index(line, "*/")
		if (!at)
			return ""
		in_comment = 0
		line = substr(line, at + 2)
	}
	gsub(/"([^"\\]|\\.)*"/, "", line)
	gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, " ", line)
	at = index(line, "/*")
	if (at) {
		in_comment = 1
		line = substr(line, 1, at - 1)
	}
	return line
}

FNR == 1 {
	in_comment = 0
}

{
	rest = bare($0)
}

match($0, /GetProcAddress\(.*"[A-Za-z_0-9]+"\)/) {
	name = substr($0, RSTART, RLENGTH - 2)
	sub(/.*"/, "", name)
	print name
}

rest ~ /^\t/ || rest ~ /FUNCTION\(/ {
	while (match(rest, /[A-Za-z_][A-Za-z_0-9]*/)) {
		print substr(rest, RSTART, RLENGTH)
		rest = substr(rest, RSTART + RLENGTH)
	}
}
