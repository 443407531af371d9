#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Each function of core/api.spec has a test that calls it, and the file that is said to serve it.
# The functions of Windows have a conformance test, and each of its excuses for Wine says which
# document decides.

. "${VADTRACE_SRCDIR:?}/tests/lib/tap.sh"

# names SPEC FAMILIES: the functions of these families; of "-FAMILIES", those of all others.
names() {
	awk -v families="$2" '
		BEGIN {
			has_others = sub(/^-/, "", families)
			count = split(families, list, "|")
			for (i = 1; i <= count; i++)
				is_meant[list[i]] = 1
		}
		!/^[ \t]*(#|$)/ && ($3 in is_meant) != has_others { print $2 }' "$1"
}

# untested SPEC FAMILIES FOLDER...: prints the names that no source there uses.
untested() {
	local spec=$1 families=$2

	shift 2
	comm -23 <(names "$spec" "$families" | LC_ALL=C sort) \
		<(find "$@" -type f \( -name '*.c' -o -name '*.cc' -o -name '*.h' \) \
			-exec awk -f "$VADTRACE_SRCDIR/tests/checks/calls.awk" {} + |
			LC_ALL=C sort -u)
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

libc="libc|posix"
todo=$VADTRACE_SRCDIR/tests/checks/todo.awk
cd "$VADTRACE_SRCDIR" || exit 1
ok "each function of Windows has a conformance test" all_tested core/api.spec "-$libc" \
	tests/conformance
ok "each other function has a test" all_tested core/api.spec "$libc" tests/conformance \
	tests/integration/native tests/integration/wine
ok "each function of api.spec is where it says" all_served core/api.spec

ok "each todo_wine has a comment beside it" awk -f "$todo" tests/conformance/*.c

mkdir "$scratch/tests"
# What is only named is not tested.
printf '%b\n' 'BOOL declared(int);' '#define defined(n) (n)' '/* commented(); */' \
	'int main(void)' '{' '\tone(); /* no more() of' '\t* longer(); */' \
	'\tok(FUNCTION("a.dll", three) && "quoted()", "quoted");' \
	'\treturn onetwo(GetProcAddress(module, "four"));' '}' >"$scratch/tests/one.c"
for name in one two three four declared defined commented more longer quoted; do
	echo "$((++id)) $name virtual vad tests/lib/tap.h"
done >"$scratch/spec"
echo "$((++id)) five libc free tests/lib/tap.h" >>"$scratch/spec"
is "$(untested "$scratch/spec" virtual "$scratch/tests" | tr '\n' ' ')" \
	"commented declared defined longer more quoted two " "finds functions without a test"
is "$(untested "$scratch/spec" -virtual "$scratch/tests")" five "of the families that are meant"
not_ok "and fails" all_tested "$scratch/spec" virtual "$scratch/tests"
not_ok "finds a wrong file" all_served "$scratch/spec"
# excuses LINE...: whether a function, or a table, of these lines has a comment beside each.
excuses() {
	printf '%b\n' '/* Far above. */' 'void test(void)' '{' "$@" '}' >"$scratch/sample.c"
	awk -f "$todo" "$scratch/sample.c"
}
comment='\t/* The sentence. */' excuse='\ttodo_wine("does not");' excused='\tok(call(), "a call");'
ok "a comment is beside" excuses "$comment" "$excuse" "$excused" "$excuse" "$excused"
not_ok "finds none" excuses "$excuse" "$excused"
not_ok "finds that one is of something else" excuses "$comment" "$excused" "$excuse" "$excused"
field='\tconst char *todo_wine;' row='\t{ 1, "does not" },' plain='\t{ 2, NULL },'
ok "a comment is beside a row" excuses "$field" "$plain" "$comment" "$row" "$row"
not_ok "finds a row without" excuses "$field" "$row"
not_ok "finds a row behind another's" excuses "$field" "$comment" "$plain" "$row"
# An id is for ever, a name is one row's.
printf '1 one libc allocate a.c\n1 two libc free a.c\n' >"$scratch/spec"
not_ok "finds an id that is used twice" awk -f core/gen-api.awk "$scratch/spec"
printf '1 one libc allocate a.c\n2 one libc free a.c\n' >"$scratch/spec"
not_ok "finds a name that is used twice" awk -f core/gen-api.awk "$scratch/spec"
tap_done
