# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# Test output in TAP, for bash scripts: . "$VADTRACE_SRCDIR/tests/lib/tap.sh"
#
#   is "$(echo a b)" "a b" "echo prints its arguments"
#   ok "the file exists" test -e "$file"
#   tap_done
#
# $scratch is a folder of the test's own, removed at the end.

: "${VADTRACE_SRCDIR:?the source folder}" "${VADTRACE_BUILDDIR:?the build folder}"

tap_count=0
tap_failures=0
scratch=$(mktemp -d "${TMPDIR:-/tmp}/vadtrace-test.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
# No test reads or fills the user's cache of symbols.
export XDG_CACHE_HOME=$scratch/cache

# tap_result STATUS NAME: one line, passed when STATUS is 0.
tap_result() {
	tap_count=$((tap_count + 1))
	if [ "$1" -eq 0 ]; then
		printf 'ok %d - %s\n' $tap_count "$2"
	else
		tap_failures=$((tap_failures + 1))
		printf 'not ok %d - %s\n' $tap_count "$2"
	fi
}

# ok NAME COMMAND...: passed when the command succeeds; what it printed is shown when it fails.
ok() {
	local name=$1 status=0

	shift
	"$@" >"$scratch/.ok" 2>&1 || status=$?
	tap_result $status "$name"
	[ $status -eq 0 ] || { echo "status $status: $*" && cat "$scratch/.ok"; } | tap_note
}

# not_ok NAME COMMAND...: passed when the command fails.
not_ok() {
	local name=$1 status=0

	shift
	"$@" >"$scratch/.ok" 2>&1 || status=$?
	tap_result $((status == 0)) "$name"
	[ $status -ne 0 ] || { echo "succeeded: $*" && cat "$scratch/.ok"; } | tap_note
}

# is GOT EXPECTED NAME
is() {
	local status=0

	[ "$1" = "$2" ] || status=1
	tap_result $status "$3"
	[ $status -eq 0 ] || printf 'got:\n%s\nexpected:\n%s\n' "$1" "$2" | tap_note
}

# same_files GOT EXPECTED NAME: byte for byte.
same_files() {
	local status=0

	diff -u "$2" "$1" >"$scratch/.ok" 2>&1 || status=$?
	tap_result $status "$3"
	[ $status -eq 0 ] || head -n 60 "$scratch/.ok" | tap_note
}

# skip NAME REASON: this one test has nothing to look at here.
skip() {
	tap_count=$((tap_count + 1))
	printf 'ok %d - %s # SKIP %s\n' $tap_count "$1" "$2"
}

# skip_all REASON: the whole script has nothing to look at here.
skip_all() {
	printf '1..0 # SKIP %s\n' "$1"
	exit 0
}

# Shows its input as comments.
tap_note() {
	sed 's/^/# /'
}

tap_done() {
	printf '1..%d\n' $tap_count
	exit $((tap_failures > 0))
}
