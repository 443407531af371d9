#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Allocators side by side: real programs and own workloads, each with glibc's malloc, mimalloc,
# jemalloc and ours in turn, round after round; processor time, user and system. The last row is
# the geometric mean of the ratios to glibc.
#
#   malloc.sh [--rounds N] [--scale N] [WORKLOAD...]

set -euo pipefail
. "${VADTRACE_SRCDIR:?}/tests/bench/bench.sh"

program=$VADTRACE_BUILDDIR/tests/bench/malloc
rounds=7
scale=10
while [ $# -ge 2 ]; do
	case $1 in
	--rounds) rounds=$2 ;;
	--scale) scale=$2 ;;
	*) break ;;
	esac
	shift 2
done

# library WAY: the object to preload.
library() {
	case $1 in
	glibc) ;;
	vadtrace) echo "$preload" ;;
	*) /sbin/ldconfig -p | sed -n "s|.*lib$1\.so\.[0-9.]* .*=> ||p" | head -n 1 ;;
	esac
}

ways=glibc
for way in mimalloc jemalloc vadtrace; do
	[ -z "$(library "$way")" ] || ways+=" $way"
done

# one_run NAME WAY: adds the nanoseconds of processor time to $work/NAME-WAY.
one_run() {
	local command prefix=() object

	case " $real_programs " in
	*" $1 "*) set_command "$1" ;;
	*) command=("$program" "$1" "$scale") ;;
	esac
	object=$(library "$2")
	[ -z "$object" ] || prefix=(env LD_PRELOAD="$object")
	"$measure" "$work/times" "${prefix[@]}" "${command[@]}" >/dev/null ||
		echo "bench: $1 fails with $2" >&2
	awk '{ print $2 + $3 }' "$work/times" >>"$work/$1-$2"
}

row() {
	local name=$1 round way glibc median

	for ((round = 0; round < rounds; round++)); do
		for way in $ways; do
			one_run "$name" "$way"
		done
	done
	glibc=$(median <"$work/$name-glibc")
	printf '| %s ' "$name"
	for way in $ways; do
		median=$(median <"$work/$name-$way")
		ratio "$median" "$glibc" | tee -a "$work/ratios-$way" |
			awk -v ns="$median" '{ printf "| %.3f | %s ", ns / 1e9, $1 }'
	done
	printf '|\n'
}

mean_row() {
	local way

	printf '| geometric mean '
	for way in $ways; do
		awk '$1 > 0 { sum += log($1); n++ }
			END { printf "| | %.2f ", n ? exp(sum / n) : 0 }' "$work/ratios-$way"
	done
	printf '|\n'
}

# shellcheck disable=SC2046,SC2086 # names without spaces
[ $# -gt 0 ] || set -- $real_programs $("$program")
make_inputs "$scale"
machine_line
printf 'seconds of processor time, medians of %d interleaved runs, and ratios to glibc\n\n' \
	"$rounds"
printf '| workload '
for way in $ways; do
	printf '| %s | ratio ' "$way"
done
printf '|\n|---%s|\n' "$(for way in $ways; do printf '|---|---'; done)"
for name; do
	case " $real_programs " in
	*" $name "*) command -v "$name" >/dev/null || continue ;;
	esac
	row "$name"
done
mean_row
