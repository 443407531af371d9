#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Each function of core/api.spec has a test that calls it, and the file that is said to serve it.

. "${VADTRACE_SRCDIR:?}/tests/lib/tap.sh"

# untested SPEC FOLDER...: prints the names of which no source there has a call.
untested() {
	local spec=$1 name

	shift
	for name in $(awk '!/^[ \t]*(#|$)/ { print $2 }' "$spec"); do
		grep -rqwE --include='*.c' --include='*.cc' --include='*.h' "$name" "$@" ||
			echo "$name"
	done
}

all_tested() {
	local names

	names=$(untested "$@")
	[ -z "$names" ] || {
		echo "without a test:" "$names"
		return 1
	}
}

# all_served SPEC: each row's file defines the function; those that Wine answers have none.
all_served() {
	local bad=0 name file

	while read -r name file; do
		grep -qw "$name" "$VADTRACE_SRCDIR/$file" || {
			echo "$file does not define $name"
			bad=1
		}
	done < <(awk '!/^[ \t]*(#|$)/ && $8 != "pass" { print $2, $5 }' "$1")
	return $bad
}

cd "$VADTRACE_SRCDIR" || exit 1
ok "each function of api.spec has a test" all_tested core/api.spec tests/conformance \
	tests/integration/native tests/integration/wine
ok "each function of api.spec is where it says" all_served core/api.spec

mkdir "$scratch/tests"
printf 'int main(void)\n{\n\tone();\n\treturn onetwo();\n}\n' >"$scratch/tests/one.c"
printf '1 one libc allocate tests/lib/tap.h\n2 two libc free tests/lib/tap.h\n' >"$scratch/spec"
is "$(untested "$scratch/spec" "$scratch/tests")" two "finds a function without a test"
not_ok "and fails" all_tested "$scratch/spec" "$scratch/tests"
not_ok "finds a wrong file" all_served "$scratch/spec"
# An id is for ever, a name is one row's.
printf '1 one libc allocate a.c\n1 two libc free a.c\n' >"$scratch/spec"
not_ok "finds an id that is used twice" awk -f core/gen-api.awk "$scratch/spec"
printf '1 one libc allocate a.c\n2 one libc free a.c\n' >"$scratch/spec"
not_ok "finds a name that is used twice" awk -f core/gen-api.awk "$scratch/spec"
tap_done
