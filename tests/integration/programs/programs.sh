# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034

# Runs a whole program bare and in each of our ways, and compares: standard output, standard error,
# status, and the files that it made.
#
#   . "${VADTRACE_SRCDIR:?}/tests/integration/programs/programs.sh"
#   need lua5.4
#   same_in_all_ways lua5.4 "$here/script.lua"
#   tap_done
#
# A script may set `children` (also trace the programs that it starts), `input` (its standard
# input), `ways`, and redefine normalise(), which takes out what differs between any two runs.

. "${VADTRACE_SRCDIR:?}/tests/lib/isolate.sh"
. "$VADTRACE_SRCDIR/tests/lib/tap.sh"

here=$VADTRACE_SRCDIR/tests/integration/programs
preload=$VADTRACE_BUILDDIR/preload/.libs/libvadtrace.so
vadtrace=$VADTRACE_BUILDDIR/tools/vadtrace
children=
input=/dev/null
ways=${VADTRACE_TEST_WAYS-"preload-route preload-observe record-route record-observe"}
limit_seconds=600

export LC_ALL=C.UTF-8
unset LD_PRELOAD

# need PROGRAM...: skips everything when one is missing.
need() {
	local program

	for program in "$@"; do
		command -v "$program" >/dev/null || skip_all "$program is missing"
	done
}

normalise() {
	cat
}

# Preloaded without a recording: no session daemon is in reach, else LTTng's connection to it is in
# the sight of a program that lists its open files.
alone=(unshare --mount sh -c 'mount -t tmpfs run /run && exec "$@"' sh)
"${alone[@]}" true 2>/dev/null || alone=()

# set_prefix WAY: in `prefix`, what to put before a command to run it that way.
set_prefix() {
	local way=$1

	case $way in
	bare*) prefix=() ;;
	preload-*) prefix=("${alone[@]}" env LD_PRELOAD="$preload" VADTRACE_MODE="${way#*-}") ;;
	record-*)
		prefix=("$vadtrace" record -q -o "$scratch/$way/trace" --mode "${way#*-}"
			${children:+--children} --)
		;;
	esac
}

# run_way WAY COMMAND...: leaves stdout, stderr, status and the folder work in $scratch/WAY.
run_way() {
	local way=$1 status=0

	shift
	rm -rf "${scratch:?}/$way"
	mkdir -p "$scratch/$way/work"
	set_prefix "$way"
	(cd "$scratch/$way/work" && exec timeout --foreground -k 10 "$limit_seconds" \
		"${prefix[@]}" "$@") \
		<"$input" >"$scratch/$way/stdout.raw" 2>"$scratch/$way/stderr.raw" || status=$?
	echo $status >"$scratch/$way/status"
	normalise <"$scratch/$way/stdout.raw" >"$scratch/$way/stdout"
	normalise <"$scratch/$way/stderr.raw" >"$scratch/$way/stderr"
}

compare_way() {
	local way=$1 part

	for part in stdout stderr status; do
		same_files "$scratch/$way/$part" "$scratch/bare/$part" "$way: same $part"
	done
	ok "$way: same files" diff -r "$scratch/bare/work" "$scratch/$way/work"
}

# A trace was made, and nothing in it contradicts itself: no address lives twice, nothing was lost.
check_trace() {
	ok "$1: the trace can be read" read_trace "$1"
	is "$(trace_figure "$1" totals.double_live)" 0 "$1: no address is live twice"
	is "$(trace_figure "$1" trace.lower_bounds)" False "$1: nothing was lost"
}

read_trace() {
	"$vadtrace" report --json "$scratch/$1/trace" >"$scratch/$1/report"
}

# trace_figure WAY KEY.KEY
trace_figure() {
	/usr/bin/python3 - "$scratch/$1/report" "$2" <<-'TEXT'
		import json, sys
		value = json.load(open(sys.argv[1]))
		for key in sys.argv[2].split("."):
		    value = value[key]
		print(value)
	TEXT
}

# same_in_all_ways COMMAND...
same_in_all_ways() {
	local way

	run_way bare "$@"
	is "$(cat "$scratch/bare/status")" 0 "bare: the program itself succeeds"
	ok "bare: it prints something" test -s "$scratch/bare/stdout.raw" -o -s \
		"$scratch/bare/stderr.raw"
	for way in $ways; do
		run_way "$way" "$@"
		compare_way "$way"
		case $way in
		record-*) check_trace "$way" ;;
		esac
	done
}
