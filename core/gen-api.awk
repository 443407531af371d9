# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Makes api.h of api.spec: the ids; for the tools the names, families and kinds, and for the preload
# the hooks, as X-macro rows.

BEGIN {
	print "/* Generated from core/api.spec. */"
	print "#ifndef VADTRACE_API_H"
	print "#define VADTRACE_API_H"
	print ""
	print "enum api {"
	print "\tAPI_NONE = 0,"
}

/^[ \t]*(#|$)/ { next }

function fail(text) {
	printf "%s:%d: %s\n", FILENAME, FNR, text > "/dev/stderr"
	failed = 1
	exit 1
}

function add_hook(text, place) {
	if (split(text, place, "!") != 2 || (text in places))
		fail("a hook is dll!export, or =name of the row that has this one")
	places[text] = 1
	hooks[++hook_count] = $1 ", " $2 ", " place[1] ", " place[2] ", " $7 ", " $8
}

(NF != 5 && NF != 8) || $1 !~ /^[0-9]+$/ {
	fail("a row is: id name family kind file, and for Windows: hook arguments how")
}

($1 in ids) || ($2 in names) {
	fail("the id or the name is used above")
}

NF == 8 && ($7 !~ /^[0-9]+$/ || $7 > 12 || $8 !~ /^(route|pass)$/) {
	fail("arguments are a number up to 12, and how is route or pass")
}

NF == 8 && $6 ~ /^=/ {
	if (!(substr($6, 2) in names))
		fail("the same place as a row above")
}

NF == 8 && $6 !~ /^=/ {
	place_count = split($6, all_places, ",")
	if (place_count > 1 && $8 != "pass")
		fail("core answers at one place")
	for (i = 1; i <= place_count; i++)
		add_hook(all_places[i])
}

{
	ids[$1] = names[$2] = 1
	rows[++count] = $1 ", " $2 ", " $3 ", " $4
	printf "\tAPI_%s = %d,\n", $2, $1
}

function print_table(name, table, length_, i) {
	printf "#define %s(X) \\\n", name
	for (i = 1; i <= length_; i++)
		printf "\tX(%s)%s\n", table[i], i < length_ ? " \\" : ""
	print ""
}

END {
	if (failed)
		exit 1
	print "};"
	print ""
	print "/* X(id, name, family, kind) for each function. */"
	print_table("API_TABLE", rows, count)
	print "/* X(id, name, dll, export, arguments, how) for each hook in a Windows process. */"
	print_table("API_HOOKS", hooks, hook_count)
	print "#endif"
}
