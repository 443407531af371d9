# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Reads source files; prints each line, and each file, that goes against the common form of all our
# sources (C, shell, awk alike), and fails when there is one.

function breach(line, text) {
	printf "%s:%d: %s\n", name, line, text
	failed = 1
}

function finish_file() {
	if (name == "")
		return
	if (licence_lines != 2)
		breach(1, "the two SPDX lines are missing at the top")
	if (lines > 1000)
		breach(lines, "more than 1000 lines: split it")
}

# Columns of a line, with tabs of 8 and a multi-byte character counted once.
function width(text, i, columns, character) {
	gsub(/[\200-\277]/, "", text)
	columns = 0
	for (i = 1; i <= length(text); i++) {
		character = substr(text, i, 1)
		columns += character == "\t" ? 8 - columns % 8 : 1
	}
	return columns
}

FNR == 1 {
	finish_file()
	name = FILENAME
	licence_lines = 0
	is_c = name ~ /\.(c|h|cc)$/
	has_tabs = name !~ /\.(py|lua)$/
}

{
	lines = FNR
}

FNR <= 4 && /SPDX-(FileCopyrightText: 2026 The vadtrace authors|License-Identifier: MIT)/ {
	licence_lines++
}

length($0) > 12 && width($0) > 100 {
	breach(FNR, "more than 100 columns")
}

/[ \t]$/ {
	breach(FNR, "space at the end of the line")
}

/\r/ {
	breach(FNR, "carriage return")
}

has_tabs && /^        / {
	breach(FNR, "indented with spaces")
}

# Split, so that this line is not found itself.
$0 ~ ("TO" "DO:|FIX" "ME|X" "XX[: ]|HA" "CK[: ]") {
	breach(FNR, "a note to oneself")
}

is_c && /^[ \t]*\/\// {
	breach(FNR, "a comment is /* a whole sentence. */")
}

END {
	finish_file()
	exit failed
}
