#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# How fast a trace is read: vadtrace report on one core, as recorded, compressed, and through
# libbabeltrace2, beside heaptrack_print on heaptrack's recording of the same program.
#
#   report.sh [--rounds N] [--events N]
#
# The trace of `churn` has N events (100 million: 2.4 GB in TMPDIR), all recorded; lua5.4's is what
# its program does. libbabeltrace2 and heaptrack get a tenth of churn's.

set -euo pipefail
. "${VADTRACE_SRCDIR:?}/tests/bench/bench.sh"

rounds=3
events=100000000
while [ $# -gt 0 ]; do
	case $1 in
	--rounds) rounds=$2 ;;
	--events) events=$2 ;;
	*)
		echo "usage: report.sh [--rounds N] [--events N]" >&2
		exit 2
		;;
	esac
	shift 2
done

# record NAME COMMAND...: into $work/NAME, and a compressed twin.
record() {
	local name=$1

	shift
	"$vadtrace" record -q -o "$work/$name" -- "$@" >/dev/null
	cp -r "$work/$name" "$work/$name.compressed"
	"$vadtrace" compress -q "$work/$name.compressed"
}

# record_heaptrack NAME COMMAND...: interpreted, as heaptrack_print wants it.
record_heaptrack() {
	local name=$1

	shift
	heaptrack -o "$work/heaptrack.$name" "$@" >"$work/heaptrack.out" 2>&1
}

# info NAME KEY: a number of the trace.
info() {
	"$vadtrace" info --json "$work/$1" |
		/usr/bin/python3 -c 'import json, sys
print(json.load(sys.stdin)["trace"][sys.argv[1]])' "$2"
}

# round WAY COMMAND...: adds "cpu_ns peak_kib" to $work/read-WAY.
round() {
	local way=$1

	shift
	taskset -c 0 "$measure" "$work/measured" "$@" >/dev/null 2>"$work/stderr" || {
		echo "bench: $way fails" >&2
		cat "$work/stderr" >&2
	}
	awk '{ print $2 + $3, $4 }' "$work/measured" >>"$work/read-$way"
}

# row PROGRAM WAY EVENTS BYTES_PER_EVENT
row() {
	column "$work/read-$2" 1 | median >"$work/cpu"
	printf '| %s | %s | %d | %s | %.1f | %.0f | %s |\n' "$1" "$2" "$3" \
		"$(awk -v n="$3" '{ printf "%.2f", n * 1000 / $1 }' "$work/cpu")" \
		"$(awk -v n="$3" '{ print $1 / n }' "$work/cpu")" \
		"$(column "$work/read-$2" 2 | median | awk '{ print $1 / 1024 }')" "$4"
}

# bytes_per_event NAME EVENTS
bytes_per_event() {
	awk -v a="$(info "$1" size_bytes)" -v n="$2" 'BEGIN { printf "%.1f", a / n }'
}

# table PROGRAM NAME SMALL: of the traces NAME and SMALL (for the slow ones).
table() {
	local i count small

	rm -f "$work"/read-*
	count=$(info "$2" events)
	small=$(info "$3" events)
	for ((i = 0; i < rounds; i++)); do
		round own "$vadtrace" report --reader own "$work/$2"
		round compressed "$vadtrace" report --reader own "$work/$2.compressed"
		round babeltrace "$vadtrace" report --reader babeltrace "$work/$3"
		[ -z "$heaptrack" ] || round heaptrack heaptrack_print "$heaptrack.$3".[gz]*
	done
	row "$1" own "$count" "$(bytes_per_event "$2" "$count")"
	row "$1" compressed "$count" "$(bytes_per_event "$2.compressed" "$count")"
	row "$1" babeltrace "$small" "$(bytes_per_event "$3" "$small")"
	[ -n "$heaptrack" ] || return 0
	row "$1" heaptrack "$small" "$(stat -c %s "$heaptrack.$3".[gz]* |
		awk -v n="$small" '{ printf "%.1f", $1 / n }')"
}

heaptrack=
! command -v heaptrack_print >/dev/null || heaptrack=$work/heaptrack
machine_line
need_session_daemon
make_inputs 10
record churn "$churn" 1 $((events / 2))
record small "$churn" 1 $((events / 20))
set_command lua5.4
record lua5.4 "${command[@]}"
if [ -n "$heaptrack" ]; then
	record_heaptrack small "$churn" 1 $((events / 20))
	record_heaptrack lua5.4 "${command[@]}"
fi
printf '\n| program | reader | events | million events/s | ns per event | peak MiB | %s |\n' \
	'bytes per event'
printf '|---|---|---|---|---|---|---|\n'
table churn churn small
table lua5.4 lua5.4 lua5.4
