# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Makes api.h of api.spec: the ids, and for the tools the names, families and kinds as X-macro rows.

BEGIN {
	print "/* Generated from core/api.spec. */"
	print "#ifndef VADTRACE_API_H"
	print "#define VADTRACE_API_H"
	print ""
	print "enum api {"
	print "\tAPI_NONE = 0,"
}

/^[ \t]*(#|$)/ { next }

NF < 5 || $1 !~ /^[0-9]+$/ {
	printf "%s:%d: a row is: id name family kind file\n", FILENAME, FNR > "/dev/stderr"
	failed = 1
	exit 1
}

($1 in ids) || ($2 in names) {
	printf "%s:%d: the id or the name is used above\n", FILENAME, FNR > "/dev/stderr"
	failed = 1
	exit 1
}

{
	ids[$1] = names[$2] = 1
	rows[++count] = $1 ", " $2 ", " $3 ", " $4
	printf "\tAPI_%s = %d,\n", $2, $1
}

END {
	if (failed)
		exit 1
	print "};"
	print ""
	print "/* X(id, name, family, kind) for each function. */"
	print "#define API_TABLE(X) \\"
	for (i = 1; i <= count; i++)
		printf "\tX(%s)%s\n", rows[i], i < count ? " \\" : ""
	print ""
	print "#endif"
}
