#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Allocators side by side: real programs and own workloads, each with glibc's malloc, mimalloc,
# jemalloc, tcmalloc and ours in turn, round after round. Three tables: processor time (user and
# system), wall time and peak resident memory, as ratios to glibc's; their last row is the geometric
# mean. The last column is ours to mimalloc's, or to glibc's where that is not installed. Where two
# threads of our own workloads work at once, each stays on a processor of its own.
# Where a session daemon of LTTng's runs, ours has the recorder with it: stop it first.
#
#   malloc.sh [--quick] [--best] [--rounds N] [--scale N] [WORKLOAD...]
#
# --quick is one round of little work; --best takes the best round instead of the median, for a
# machine that others use too.

set -euo pipefail
. "${VADTRACE_SRCDIR:?}/tests/bench/bench.sh"

program=$VADTRACE_BUILDDIR/tests/bench/malloc
rounds=7
scale=10
figure=median
while [ $# -gt 0 ]; do
	case $1 in
	--quick) rounds=1 scale=1 ;;
	--best) figure=best ;;
	--rounds) rounds=$2 && shift ;;
	--scale) scale=$2 && shift ;;
	-*)
		echo "usage: malloc.sh [--quick] [--best] [--rounds N] [--scale N]" \
			"[WORKLOAD...]" >&2
		exit 2
		;;
	*) break ;;
	esac
	shift
done

# library WAY: the object to preload.
library() {
	local name=$1

	case $1 in
	glibc) return ;;
	vadtrace) echo "$preload" && return ;;
	tcmalloc) name=tcmalloc_minimal ;;
	esac
	/sbin/ldconfig -p | sed -n "s|.*lib$name\.so\.[0-9.]* .*=> ||p" | head -n 1
}

ways=glibc
declare -A object=([glibc]='')
for way in mimalloc jemalloc tcmalloc vadtrace; do
	object[$way]=$(library "$way")
	[ -z "${object[$way]}" ] || ways+=" $way"
done
peer=${object[mimalloc]:+mimalloc}
peer=${peer:-glibc}

is_program() {
	[[ " $real_programs $more_programs " == *" $1 "* ]]
}

# one_run NAME WAY: adds "cpu_ns wall_ns peak_kib" to $work/NAME-WAY.
one_run() {
	local command prefix=()

	if is_program "$1"; then
		set_command "$1"
	else
		command=("$program" "$1" "$scale")
	fi
	[ -z "${object[$2]}" ] || prefix=(LD_PRELOAD="${object[$2]}")
	"$measure" "$work/times" "${prefix[@]}" "${command[@]}" >/dev/null ||
		echo "bench: $1 fails with $2" >&2
	awk '{ print $2 + $3, $1, $4 }' "$work/times" >>"$work/$1-$2"
}

one_round() {
	local name way

	for name in $workloads; do
		for way in $ways; do
			one_run "$name" "$way"
		done
	done
}

best() {
	sort -g | head -n 1
}

# figures NAME COLUMN: one number for each way.
figures() {
	local way

	for way in $ways; do
		column "$work/$1-$way" "$2" | "$figure"
	done
}

# table COLUMN UNIT DIVISOR [LEAST]: with LEAST, the workloads of which glibc needs that much have a
# mean of their own.
table() {
	local name

	printf '\n| workload | glibc, %s ' "$2"
	printf '| %s ' $ways
	printf '| to %s |\n|---|---|%s---|\n' "$peer" "$(printf -- '---|%.0s' $ways)"
	for name in $workloads; do
		printf '%s %s\n' "$name" "$(figures "$name" "$1" | tr '\n' ' ')"
	done | awk -v divisor="$3" -v ways="$ways" -v peer="$peer" \
		-v least="${4:-0}" '
		function row(name, first, ratio,    i) {
			printf "| %s | %.3f ", name, first
			for (i = 1; i <= n; i++)
				printf "| %.2f ", ratio[i]
			printf "| %.2f |\n", ratio[n] / ratio[index_of_peer]
		}
		BEGIN {
			n = split(ways, way, " ")
			for (i = 1; i <= n; i++)
				if (way[i] == peer)
					index_of_peer = i
		}
		{
			for (i = 1; i <= n; i++) {
				ratio[i] = $(i + 1) / $2
				sum[i] += log(ratio[i])
			}
			first += log($2 / divisor)
			if (least && $2 / divisor >= least) {
				large_first += log($2 / divisor)
				for (i = 1; i <= n; i++)
					large[i] += log(ratio[i])
				larges++
			}
			row($1, $2 / divisor, ratio)
		}
		END {
			for (i = 1; i <= n; i++)
				mean[i] = exp(sum[i] / NR)
			row("geometric mean", exp(first / NR), mean)
			if (!larges)
				exit
			for (i = 1; i <= n; i++)
				mean[i] = exp(large[i] / larges)
			row("geometric mean from " least, exp(large_first / larges), mean)
		}'
}

workloads=
# shellcheck disable=SC2046,SC2086 # names without spaces
[ $# -gt 0 ] || set -- $real_programs $more_programs $("$program")
for name; do
	! is_program "$name" || command -v "$name" >/dev/null || continue
	workloads+=" $name"
done
make_inputs "$scale"
make_more_inputs "$scale"
machine_line
for ((round = 0; round < rounds; round++)); do
	one_round
done
printf '\nProcessor time, %s of %d interleaved rounds; ratios to glibc\n' "$figure" "$rounds"
table 1 s 1e9
printf '\nWall time\n'
table 2 s 1e9
printf '\nPeak resident memory\n'
# What a small one needs is the libraries, not its blocks.
table 3 MiB 1024 8
