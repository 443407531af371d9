#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# What recording costs: vadtrace record beside heaptrack (raw recording only) and LTTng's own
# liblttng-ust-libc-wrapper, on the same programs, in turn, round after round.
#
#   record.sh [--rounds N] [--pairs N] [--larson SCALE] [--scale N] [--programs NAMES]
#
# --scale is how much the whole programs have to do, --programs says which of them run.
# The wrapper records no call stacks; we and heaptrack do. All lose nothing: channels block, but
# for that of vadtrace-snapshot, which keeps the newest events and has them written at the end.

set -euo pipefail
. "${VADTRACE_SRCDIR:?}/tests/bench/bench.sh"

rounds=5
pairs=500000
larson_scale=10
scale=3
programs="$real_programs g++"
while [ $# -gt 0 ]; do
	case $1 in
	--rounds) rounds=$2 ;;
	--pairs) pairs=$2 ;;
	--larson) larson_scale=$2 ;;
	--scale) scale=$2 ;;
	--programs) programs=$2 ;;
	*)
		echo "usage: record.sh [--rounds N] [--pairs N] [--larson SCALE]" \
			"[--scale N] [--programs NAMES]" >&2
		exit 2
		;;
	esac
	shift 2
done

ways="bare vadtrace vadtrace-snapshot vadtrace-no-stacks vadtrace-plain"
! command -v heaptrack >/dev/null || ways+=" heaptrack"
wrapper=$(find /usr/lib /usr/local/lib -name 'liblttng-ust-libc-wrapper.so.*' 2>/dev/null |
	head -n 1)
[ -z "$wrapper" ] || ways+=" wrapper"

# run WAY COMMAND...: the command's output passes through. Recorder and command are run by the
# words of `under`.
under=()
run() {
	local way=$1

	shift
	rm -rf "$work/trace"
	case $way in
	bare) "${under[@]}" "$@" ;;
	vadtrace) "${under[@]}" "$vadtrace" record -q -o "$work/trace" -- "$@" ;;
	vadtrace-snapshot)
		"${under[@]}" "$vadtrace" record -q --snapshot -o "$work/trace" -- "$@"
		;;
	vadtrace-no-stacks)
		"${under[@]}" "$vadtrace" record -q --stack-depth 0 -o "$work/trace" -- "$@"
		;;
	vadtrace-plain)
		"${under[@]}" "$vadtrace" record -q --plain -o "$work/trace" -- "$@"
		;;
	heaptrack) run_heaptrack "$@" ;;
	wrapper) run_wrapper "$@" ;;
	esac
}

# heaptrack prints about itself around the program's output.
run_heaptrack() {
	mkdir "$work/trace"
	"${under[@]}" heaptrack --raw -o "$work/trace/heaptrack" "$@" >"$work/heaptrack.out"
	grep -E '^[0-9]+ [0-9]+ [0-9]+$' "$work/heaptrack.out" || true
}

# The same buffers as vadtrace record's.
run_wrapper() {
	local name=bench-$$-$RANDOM status=0

	{
		lttng create "$name" --output="$work/trace"
		lttng enable-channel -s "$name" -u --subbuf-size=4M --num-subbuf=4 \
			--blocking-timeout=inf bench
		lttng add-context -s "$name" -u -c bench -t vpid -t vtid
		lttng enable-event -s "$name" -u -c bench 'lttng_ust_libc:*'
		lttng start "$name"
	} >"$work/lttng.log" 2>&1
	"${under[@]}" env LD_PRELOAD="$wrapper" LTTNG_UST_ALLOW_BLOCKING=1 \
		LTTNG_UST_REGISTER_TIMEOUT=-1 "$@" ||
		status=$?
	lttng destroy "$name" >>"$work/lttng.log" 2>&1
	return $status
}

# --- The churn program: nanoseconds per event -------------------------------------------------

# churn_round THREADS LEVELS: one line "events wall cpu" per way, added to $work/churn-WAY.
churn_round() {
	local way

	for way in $ways; do
		run "$way" "$churn" "$1" "$pairs" "$2" >>"$work/churn-$way"
	done
}

# per_event WAY COLUMN THREADS: nanoseconds per event above bare, of a thread's time.
per_event() {
	paste "$work/churn-bare" "$work/churn-$1" |
		awk -v c="$2" '{ print ($(c + 3) - $c) / $1 }' | median
}

churn_table() {
	local threads=$1 levels=$2 way ours round

	rm -f "$work"/churn-*
	for ((round = 0; round < rounds; round++)); do
		churn_round "$threads" "$levels"
	done
	printf '\nchurn, %d thread(s), %d events a run, stacks of %d frames\n\n' "$threads" \
		$((2 * pairs * threads)) $((6 + 2 * levels))
	printf '| recorder | ns per event, wall | ns per event, CPU | of vadtrace |\n'
	printf '|---|---|---|---|\n'
	ours=$(per_event vadtrace 2)
	for way in $ways; do
		[ "$way" != bare ] || continue
		printf '| %s | %.0f | %.0f | %s |\n' "$way" "$(per_event "$way" 2)" \
			"$(per_event "$way" 3)" "$(ratio "$(per_event "$way" 2)" "$ours")"
	done
}

# --- Whole programs: seconds, and nanoseconds per event -----------------------------------------

# usage NAME WAY COMMAND...: adds "wall_ns user_ns system_ns peak" of recorder and program.
usage() {
	local name=$1 way=$2

	shift 2
	under=("$measure" "$work/usage")
	run "$way" "$@" >/dev/null 2>"$work/stderr" || {
		echo "bench: $name fails under $way" >&2
		cat "$work/stderr" >&2
	}
	under=()
	cat "$work/usage" >>"$work/usage-$name-$way"
}

# wall NAME WAY, cpu NAME WAY: the median in nanoseconds.
wall() {
	column "$work/usage-$1-$2" 1 | median
}

cpu() {
	awk '{ print $2 + $3 }' "$work/usage-$1-$2" | median
}

# added FIGURE NAME WAY: what the recorder adds, without its start and end.
added() {
	awk -v a="$("$1" "$2" "$3")" -v b="$("$1" "$2" bare)" -v c="$("$1" true "$3")" \
		-v d="$("$1" true bare)" 'BEGIN { print a - b - (c - d) }'
}

# events COMMAND...: of the program's heaps, in a recording of it.
events() {
	run vadtrace "$@" >/dev/null 2>&1
	"$vadtrace" report --json "$work/trace" | /usr/bin/python3 -c 'import json, sys
totals = json.load(sys.stdin)["totals"]
print(totals["allocate_calls"] + totals["free_calls"] + 2 * totals["realloc_calls"])'
}

measure_program() {
	local name=$1 round way

	shift
	for ((round = 0; round < rounds; round++)); do
		for way in $ways; do
			usage "$name" "$way" "$@"
		done
	done
}

program_rows() {
	local name=$1 way count bare ours

	set_command "$name"
	# The compiler proper: what g++ starts is not recorded.
	[ "$name" != g++ ] || command=("$(g++ -print-prog-name=cc1plus)" -quiet -D_GNU_SOURCE
		-imultiarch "$(g++ -print-multiarch)" -O1 -o /dev/null "$work/input.cc")
	measure_program "$name" "${command[@]}"
	count=$(events "${command[@]}")
	bare=$(wall "$name" bare)
	ours=$(wall "$name" vadtrace)
	for way in $ways; do
		printf '| %s | %s | %.2f | %s | %s | %.0f |\n' "$name" "$way" \
			"$(awk -v ns="$(wall "$name" "$way")" 'BEGIN { print ns / 1e9 }')" \
			"$(ratio "$(wall "$name" "$way")" "$bare")" \
			"$(ratio "$(wall "$name" "$way")" "$ours")" \
			"$(awk -v ns="$(added cpu "$name" "$way")" -v events="$count" \
				'BEGIN { print ns / events }')"
	done
}

larson_rows() {
	local way

	measure_program larson "$VADTRACE_BUILDDIR/tests/bench/malloc" larson "$larson_scale"
	for way in $ways; do
		printf '| larson | %s | %s |\n' "$way" "$(awk -v bare="$(wall larson bare)" \
			-v added="$(added wall larson "$way")" \
			'BEGIN { printf "%.2f", bare / (bare + (added > 0 ? added : 0)) }')"
	done
}

need_session_daemon
make_inputs "$scale"
make_more_inputs 1
machine_line
printf 'medians of %d rounds; a round runs each once, in turn\n' "$rounds"
churn_table 1 6
churn_table 2 6
churn_table 1 5
churn_table 1 13
churn_table 2 13
printf '\nwhole programs; seconds with start and end of the recording, CPU without\n\n'
printf '| program | recorder | seconds, wall | of bare | of vadtrace | ns of CPU per event |\n'
printf '|---|---|---|---|---|---|\n'
measure_program true true
for name in $programs; do
	! command -v "$name" >/dev/null || program_rows "$name"
done
printf '\ntwo threads that replace blocks of each other (larson), without start and end\n\n'
printf '| program | recorder | throughput of bare |\n|---|---|---|\n'
larson_rows
