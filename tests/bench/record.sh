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
wrapper=$(find /usr/lib /usr/local/lib -name 'liblttng-ust-libc-wrapper.so.*' 2>/dev/null | head -n 1)
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

make_inputs() {
	cat >"$work/trees.lua" <<-'TEXT'
		local function tree(d) return d == 0 and {} or { tree(d - 1), tree(d - 1) } end
		local words = {}
		for i = 1, 6 do tree(13) end
		for i = 1, 60000 do words[i % 999] = ("w"):rep(i % 90) .. i end
	TEXT
	cat >"$work/words.py" <<-'TEXT'
		import json
		rows = [{"id": i, "name": "n%d" % i, "list": list(range(i % 9))} for i in range(12000)]
		for _ in range(2):
		    rows = json.loads(json.dumps(rows))
	TEXT
	awk 'BEGIN {
		print "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c REAL); BEGIN;"
		for (i = 0; i < 30000; i++)
			printf "INSERT INTO t VALUES (%d, \"text %d\", %d.25);\n", i, i * 7919 % 30011, i
		print "COMMIT; CREATE INDEX i ON t (b);"
		print "SELECT count(*) FROM t x JOIN t y ON x.b = y.b WHERE x.c > 100;"
	}' >"$work/rows.sql"
}

# start_program NAME WAY
start_program() {
	case $1 in
	lua5.4) run "$2" lua5.4 "$work/trees.lua" ;;
	python3) PYTHONMALLOC=malloc run "$2" /usr/bin/python3 "$work/words.py" ;;
	sqlite3) run "$2" sqlite3 :memory: ".read $work/rows.sql" ;;
	esac
}

# wall_seconds NAME WAY
wall_seconds() {
	local start=$EPOCHREALTIME

	start_program "$1" "$2" >/dev/null 2>"$work/stderr" || {
		echo "bench: $1 fails under $2" >&2
		cat "$work/stderr" >&2
	}
	awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }'
}

program_table() {
	local name=$1 way round bare ours

	rm -f "$work"/wall-*
	for ((round = 0; round < rounds; round++)); do
		for way in $ways; do
			wall_seconds "$name" "$way" >>"$work/wall-$way"
		done
	done
	bare=$(median <"$work/wall-bare")
	ours=$(median <"$work/wall-vadtrace")
	for way in $ways; do
		printf '| %s | %s | %.2f | %s | %s |\n' "$name" "$way" "$(median <"$work/wall-$way")" \
			"$(ratio "$(median <"$work/wall-$way")" "$bare")" \
			"$(ratio "$(median <"$work/wall-$way")" "$ours")"
	done
}

need_session_daemon
make_inputs
machine_line
printf 'medians of %d rounds; a round runs each once, in turn\n' "$rounds"
churn_table 1
churn_table 2
printf '\nwhole programs, with start and end of the recording\n\n'
printf '| program | recorder | seconds, wall | of bare | of vadtrace |\n|---|---|---|---|---|\n'
for name in lua5.4 python3 sqlite3; do
	! command -v "$name" >/dev/null || program_table "$name"
done
