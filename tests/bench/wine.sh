#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Memory calls of a Windows program on plain Wine and with the preloaded object in each mode, when
# nobody records and while it is recorded: the ways take turns, medians of the rounds.
#
#   wine.sh [--rounds N]

set -euo pipefail
rounds=7
if [ "${1:-}" = --rounds ]; then
	rounds=$2
elif [ $# -gt 0 ]; then
	echo "usage: wine.sh [--rounds N]" >&2
	exit 2
fi
set -- # not for the files that are read now
. "${VADTRACE_SRCDIR:?}/tests/bench/bench.sh"
. "$VADTRACE_SRCDIR/tests/integration/wine/lib.sh"
trap 'rm -rf "$scratch"; finish' EXIT
start_wine
need_session_daemon
ways="bare preload-route preload-observe record-route record-observe"

for ((round = 0; round < rounds; round++)); do
	for way in $ways; do
		run_way "$way" "$VADTRACE_BUILDDIR/tests/bench/wine.exe"
		tr -d '\r' <"$scratch/$way/stdout" >>"$scratch/$way.rows"
	done
done

# figure WAY NAME: the median.
figure() {
	awk -v name="$2" '$1 == name { print $2 }' "$scratch/$1.rows" | median
}

machine_line
printf 'nanoseconds, medians of %d interleaved runs; nobody records\n\n' "$rounds"
printf '| call | Wine | route | Wine / route | observe | Wine / observe |\n'
printf '|---|---|---|---|---|---|\n'
for name in $(awk '!seen[$1]++ { print $1 }' "$scratch/bare.rows"); do
	awk -v name="$name" -v a="$(figure bare "$name")" -v b="$(figure preload-route "$name")" \
		-v c="$(figure preload-observe "$name")" 'BEGIN {
		printf "| %s | %.0f | %.0f | %.2f | %.0f | %.2f |\n", name, a, b, a / b, c, a / c }'
done

printf '\nnanoseconds that a recording with call stacks adds to each heap call\n\n'
printf '| calls | route | observe |\n|---|---|---|\n'
for name in HeapAlloc+HeapFree heap-mix; do
	printf '| %s' "$name"
	for mode in route observe; do
		awk -v a="$(figure "record-$mode" "$name")" \
			-v b="$(figure "preload-$mode" "$name")" \
			'BEGIN { printf " | %.0f", (a - b) / 2 }'
	done
	printf ' |\n'
done
