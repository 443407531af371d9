#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# What the preloaded object costs, or saves, when nobody records, in turn, round after round;
# processor time in user mode. Real programs with glibc's malloc and with ours; then a malloc or
# free beside one of core's heap alone, in an object that traces nothing (heap_only.c).
#
#   preload.sh [--rounds N]

set -euo pipefail
. "${VADTRACE_SRCDIR:?}/tests/bench/bench.sh"

rounds=11
if [ "${1:-}" = --rounds ]; then
	rounds=$2
elif [ $# -gt 0 ]; then
	echo "usage: preload.sh [--rounds N]" >&2
	exit 2
fi

# one_run NAME WAY: adds "wall user system peak" to $work/NAME-WAY.
one_run() {
	local command prefix=()

	set_command "$1"
	[ "$2" = glibc ] || prefix=(LD_PRELOAD="$preload")
	"$measure" "$work/times" "${prefix[@]}" "${command[@]}" >/dev/null ||
		echo "bench: $1 fails with $2" >&2
	cat "$work/times" >>"$work/$1-$2"
}

program_row() {
	local name=$1 round glibc ours pairwise

	one_run "$name" glibc
	one_run "$name" vadtrace
	rm -f "$work/$name"-*
	for ((round = 0; round < rounds; round++)); do
		one_run "$name" glibc
		one_run "$name" vadtrace
	done
	glibc=$(column "$work/$name-glibc" 2 | median)
	ours=$(column "$work/$name-vadtrace" 2 | median)
	pairwise=$(paste "$work/$name-glibc" "$work/$name-vadtrace" |
		awk '$2 { print $6 / $2 }' | median)
	awk -v name="$name" -v a="$glibc" -v b="$ours" -v r="$pairwise" 'BEGIN {
		printf "| %s | %.3f | %.3f | %.3f | %.3f |\n", name, a / 1e9, b / 1e9, b / a, r }'
}

make_inputs 10
machine_line
printf 'user seconds, medians of %d interleaved runs; nobody records\n\n' "$rounds"
printf '| program | glibc | vadtrace | ratio of medians | median of ratios |\n'
printf '|---|---|---|---|---|\n'
for name in $real_programs; do
	! command -v "$name" >/dev/null || program_row "$name"
done

# --- A call, beside the heap alone ---------------------------------------------------------------

heap_only=$VADTRACE_BUILDDIR/tests/bench/.libs/heap_only.so
calls=20000000

# per_call WORKLOAD OBJECT: adds the nanoseconds of a call to $work/WORKLOAD-OBJECT.
per_call() {
	"$measure" "$work/times" LD_PRELOAD="$2" "$VADTRACE_BUILDDIR/tests/bench/malloc" "$1"
	awk -v calls="$calls" '{ print $2 / calls }' "$work/times" >>"$work/$1-${2##*/}"
}

call_row() {
	local workload=$1 round object

	for ((round = 0; round < rounds; round++)); do
		for object in "$heap_only" "$preload"; do
			per_call "$workload" "$object"
		done
	done
	awk -v name="$workload" -v a="$(median <"$work/$workload-heap_only.so")" \
		-v b="$(median <"$work/$workload-libvadtrace.so")" \
		-v d="$(paste "$work/$workload-libvadtrace.so" "$work/$workload-heap_only.so" |
			awk '{ print $1 - $2 }' | median)" \
		'BEGIN { printf "| %s | %.2f | %.2f | %.2f |\n", name, a, b, d }'
}

printf '\nnanoseconds of a malloc or free, medians of %d interleaved runs; nobody records\n\n' \
	"$rounds"
printf '| workload | heap alone | vadtrace | added, median of differences |\n'
printf '|---|---|---|---|\n'
for workload in pairs-24 pairs-64; do
	call_row "$workload"
done
