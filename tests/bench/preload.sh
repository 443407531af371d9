#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# What the preloaded object costs, or saves, when nobody records: real programs with glibc's malloc
# and with ours, in turn, round after round; processor time in user mode.
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
	[ "$2" = glibc ] || prefix=(env LD_PRELOAD="$preload")
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
