#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# What recording costs: vadtrace record beside heaptrack (raw recording only) and LTTng's own
# liblttng-ust-libc-wrapper, on the same programs, in turn, round after round.
#
#   record.sh [--rounds N] [--pairs N]
#
# The wrapper records no call stacks; we and heaptrack do. All lose nothing: channels block.

set -euo pipefail
. "${VADTRACE_SRCDIR:?}/tests/bench/bench.sh"

rounds=5
pairs=500000
while [ $# -gt 0 ]; do
	case $1 in
	--rounds) rounds=$2 ;;
	--pairs) pairs=$2 ;;
	*)
		echo "usage: record.sh [--rounds N] [--pairs N]" >&2
		exit 2
		;;
	esac
	shift 2
done

ways="bare vadtrace vadtrace-no-stacks"
! command -v heaptrack >/dev/null || ways+=" heaptrack"
wrapper=$(find /usr/lib /usr/local/lib -name 'liblttng-ust-libc-wrapper.so.*' 2>/dev/null |
	head -n 1)
[ -z "$wrapper" ] || ways+=" wrapper"

# run WAY COMMAND...: the command's output passes through.
run() {
	local way=$1

	shift
	rm -rf "$work/trace"
	case $way in
	bare) "$@" ;;
	vadtrace) "$vadtrace" record -q -o "$work/trace" -- "$@" ;;
	vadtrace-no-stacks) "$vadtrace" record -q --stack-depth 0 -o "$work/trace" -- "$@" ;;
	heaptrack) run_heaptrack "$@" ;;
	wrapper) run_wrapper "$@" ;;
	esac
}

# heaptrack prints about itself around the program's output.
run_heaptrack() {
	mkdir "$work/trace"
	heaptrack --raw -o "$work/trace/heaptrack" "$@" >"$work/heaptrack.out"
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
	env LD_PRELOAD="$wrapper" LTTNG_UST_ALLOW_BLOCKING=1 LTTNG_UST_REGISTER_TIMEOUT=-1 "$@" ||
		status=$?
	lttng destroy "$name" >>"$work/lttng.log" 2>&1
	return $status
}

# --- The churn program: nanoseconds per event -------------------------------------------------

# churn_round THREADS: one line "events wall cpu" per way, added to $work/churn-WAY.
churn_round() {
	local way

	for way in $ways; do
		run "$way" "$churn" "$1" "$pairs" >>"$work/churn-$way"
	done
}

# per_event WAY COLUMN THREADS: nanoseconds per event above bare, of a thread's time.
per_event() {
	paste "$work/churn-bare" "$work/churn-$1" |
		awk -v c="$2" '{ print ($(c + 3) - $c) / $1 }' | median
}

churn_table() {
	local threads=$1 way ours round

	rm -f "$work"/churn-*
	for ((round = 0; round < rounds; round++)); do
		churn_round "$threads"
	done
	printf '\nchurn, %d thread(s), %d events a run, stacks of 18 frames\n\n' "$threads" \
		$((2 * pairs * threads))
	printf '| recorder | ns per event, wall | ns per event, CPU | of vadtrace |\n'
	printf '|---|---|---|---|\n'
	ours=$(per_event vadtrace 2)
	for way in $ways; do
		[ "$way" != bare ] || continue
		printf '| %s | %.0f | %.0f | %s |\n' "$way" "$(per_event "$way" 2)" \
			"$(per_event "$way" 3)" "$(ratio "$(per_event "$way" 2)" "$ours")"
	done
}

# --- Real programs: seconds -------------------------------------------------------------------

# wall_seconds NAME WAY
wall_seconds() {
	local command start=$EPOCHREALTIME

	set_command "$1"
	run "$2" "${command[@]}" >/dev/null 2>"$work/stderr" || {
		echo "bench: $1 fails under $2" >&2
		cat "$work/stderr" >&2
	}
	awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }'
}

program_table() {
	local name=$1 way round bare ours wall

	rm -f "$work"/wall-*
	for ((round = 0; round < rounds; round++)); do
		for way in $ways; do
			wall_seconds "$name" "$way" >>"$work/wall-$way"
		done
	done
	bare=$(median <"$work/wall-bare")
	ours=$(median <"$work/wall-vadtrace")
	for way in $ways; do
		wall=$(median <"$work/wall-$way")
		printf '| %s | %s | %.2f | %s | %s |\n' "$name" "$way" "$wall" \
			"$(ratio "$wall" "$bare")" "$(ratio "$wall" "$ours")"
	done
}

need_session_daemon
make_inputs 3
machine_line
printf 'medians of %d rounds; a round runs each once, in turn\n' "$rounds"
churn_table 1
churn_table 2
printf '\nwhole programs, with start and end of the recording\n\n'
printf '| program | recorder | seconds, wall | of bare | of vadtrace |\n|---|---|---|---|---|\n'
for name in $real_programs; do
	! command -v "$name" >/dev/null || program_table "$name"
done
