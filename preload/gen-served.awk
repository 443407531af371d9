# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Makes served.ld of core/export.map: the preload's functions of version VADCORE_1 by their names
# with that version. One @ hides them from who asks without.

BEGIN {
	print "/* Generated from core/export.map. */"
}

/^[A-Z_0-9]+ \{/ { version = $1 }

version == "VADCORE_1" && /^\t[A-Za-z_0-9]+;$/ {
	sub(/;/, "", $1)
	printf "\"%s@%s\" = %s;\n", $1, version, $1
	count++
}

END {
	if (!count) {
		print FILENAME ": no names of VADCORE_1" > "/dev/stderr"
		exit 1
	}
}
