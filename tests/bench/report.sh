#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# How fast a trace is read: vadtrace report on one core, as recorded, cut short, compressed, on two
# cores, and through libbabeltrace2, beside heaptrack on the same program: what heaptrack recorded,
# heaptrack_interpret has to read before heaptrack_print can.
#
#   report.sh [--rounds N] [--events N]
#
# The trace of `churn` has N events (100 million: 2.4 GB in TMPDIR), all recorded; lua5.4's is what
# its program does, 28 million with as many as that of churn: what is done once for each trace does
# not count then. libbabeltrace2 and heaptrack get a tenth of churn's. heaptrack_print is given what
# heaptrack_interpret has written, plain and not compressed; both print what they print without
# being asked for more. Events are counted alike: each malloc, realloc and free. The rate is by CPU
# time; that of one-job and two-jobs, which have two cores, by the time that passed.
# Then what the cache of symbols saves, of a C++ compiler, in CPU seconds; and what an event needs
# on the disk, as recorded and compressed (with 10 million events or more).

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

# cut NAME: a twin of the trace without its last bytes, as a killed recorder leaves it.
cut_short() {
	local file

	cp -r "$work/$1" "$work/$1.cut"
	find "$work/$1.cut" -name 'vadtrace_*' -type f | while read -r file; do
		truncate -s -4000 "$file"
	done
}

# record_heaptrack NAME COMMAND...: raw, and interpreted, as heaptrack_print wants it.
record_heaptrack() {
	local name=$1 raw

	shift
	heaptrack --raw -o "$work/heaptrack.$name" "$@" >"$work/heaptrack.out" 2>&1
	raw=$(find "$work" -name "heaptrack.$name.raw*" | head -n 1)
	case $raw in
	*.zst) zstd -q -d --rm "$raw" -o "$work/heaptrack.$name.raw" ;;
	*.gz) gunzip "$raw" ;;
	esac
	"$interpret" <"$work/heaptrack.$name.raw" >"$work/heaptrack.$name.read" 2>/dev/null
}

# info NAME KEY: a number of the trace.
info() {
	"$vadtrace" info --json "$work/$1" |
		/usr/bin/python3 -c 'import json, sys
print(json.load(sys.stdin)["trace"][sys.argv[1]])' "$2"
}

# timed WAY CORES COMMAND...: into $work/measured.
timed() {
	local way=$1 cores=$2

	shift 2
	taskset -c "$cores" "$measure" "$work/measured" "$@" >/dev/null 2>"$work/stderr" ||
		[ "$way" = cut ] || {
		echo "bench: $way fails" >&2
		cat "$work/stderr" >&2
	}
}

# round WAY COMMAND...: adds "cpu_ns peak_kib" to $work/read-WAY.
round() {
	timed "$1" 0 "${@:2}"
	awk '{ print $2 + $3, $4 }' "$work/measured" >>"$work/read-$1"
}

# round_two_cores WAY COMMAND...: "wall_ns peak_kib".
round_two_cores() {
	timed "$1" 0,1 "${@:2}"
	awk '{ print $1, $4 }' "$work/measured" >>"$work/read-$1"
}

# round_heaptrack NAME: reading twice, from what was recorded.
round_heaptrack() {
	local file=$work/heaptrack.$1 cpu

	round interpret bash -c '"$1" <"$2"' sh "$interpret" "$file.raw"
	cpu=$(awk '{ print $2 + $3 }' "$work/measured")
	round print heaptrack_print "$file.read"
	awk -v cpu="$cpu" '{ print $2 + $3 + cpu, $4 }' "$work/measured" >>"$work/read-heaptrack"
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

# times_heaptrack PROGRAM: our rate by heaptrack's and by heaptrack_print's alone, of these rows.
times_heaptrack() {
	awk -F ' *[|] *' -v p="$1" '$2 == p { rate[$3] = $5 } END {
		printf "%s: own is %.2f times heaptrack, %.2f times heaptrack_print alone\n", p,
			rate["own"] / rate["heaptrack"], rate["own"] / rate["print"] }' \
		"$work/rows.$1" >>"$work/ratios"
}

# table PROGRAM NAME SMALL: of the traces NAME and SMALL (for the slow ones).
table() {
	local i count small

	rm -f "$work"/read-*
	count=$(info "$2" events)
	small=$(info "$3" events)
	for ((i = 0; i < rounds; i++)); do
		round own "$vadtrace" report --reader own "$work/$2"
		round cut "$vadtrace" report --reader own "$work/$2.cut"
		round compressed "$vadtrace" report --reader own "$work/$2.compressed"
		round_two_cores one-job "$vadtrace" report --jobs 1 --reader own "$work/$2"
		round_two_cores two-jobs "$vadtrace" report --jobs 2 --reader own "$work/$2"
		round babeltrace "$vadtrace" report --reader babeltrace "$work/$3"
		[ -z "$heaptrack" ] || round_heaptrack "$3"
	done
	row "$1" own "$count" "$(bytes_per_event "$2" "$count")"
	row "$1" cut "$count" "$(bytes_per_event "$2" "$count")"
	row "$1" compressed "$count" "$(bytes_per_event "$2.compressed" "$count")"
	for i in one-job two-jobs; do
		row "$1" $i "$count" "$(bytes_per_event "$2" "$count")"
	done
	row "$1" babeltrace "$small" "$(bytes_per_event "$3" "$small")"
	[ -n "$heaptrack" ] || return 0
	for i in heaptrack print; do
		row "$1" $i "$small" "$(stat -c %s "$work/heaptrack.$3.raw" |
			awk -v n="$small" '{ printf "%.1f", $1 / n }')"
	done
}

# symbols_row NAME WAY OPTIONS...: of a report on the trace.
symbols_row() {
	local i

	rm -f "$work"/read-*
	for ((i = 0; i < rounds; i++)); do
		[ "$2" != cold ] || rm -rf "$XDG_CACHE_HOME"
		round "$2" "$vadtrace" report "${@:3}" "$work/$1"
	done
	printf '| %s | %s | %s |\n' "$1" "$2" \
		"$(column "$work/read-$2" 1 | median | awk '{ printf "%.2f", $1 / 1e9 }')"
}

# size_row PROGRAM TRACE
size_row() {
	local count

	count=$(info "$2" events)
	rm -rf "$work/$2.compressed"
	cp -r "$work/$2" "$work/$2.compressed"
	"$vadtrace" compress -q "$work/$2.compressed"
	printf '| %s | %d | %s | %s |\n' "$1" "$count" "$(bytes_per_event "$2" "$count")" \
		"$(bytes_per_event "$2.compressed" "$count")"
}

heaptrack=
interpret=$(dirname "$(readlink -f "$(command -v heaptrack || echo /)")")
interpret=$interpret/../lib/heaptrack/libexec/heaptrack_interpret
[ ! -x "$interpret" ] || ! command -v heaptrack_print >/dev/null || heaptrack=yes
machine_line
need_session_daemon
make_inputs $((events < 10000000 ? 1 : 60))
mv "$work/input.lua" "$work/long.lua"
make_inputs 10
make_more_inputs $((events < 10000000 ? 1 : 10))
record churn "$churn" 1 $((events / 2))
cut_short churn
record small "$churn" 1 $((events / 20))
record lua5.4 lua5.4 "$work/long.lua"
cut_short lua5.4
if [ -n "$heaptrack" ]; then
	record_heaptrack small "$churn" 1 $((events / 20))
	record_heaptrack lua5.4 lua5.4 "$work/long.lua"
fi
printf '\n| program | reader | events | million events/s | ns per event | peak MiB | %s |\n' \
	'bytes per event'
printf '|---|---|---|---|---|---|---|\n'
table churn churn small | tee "$work/rows.churn"
table lua5.4 lua5.4 lua5.4 | tee "$work/rows.lua5.4"
if [ -n "$heaptrack" ]; then
	times_heaptrack churn
	times_heaptrack lua5.4
	echo
	cat "$work/ratios"
fi
set_command g++
"$vadtrace" record -q --children -o "$work/g++" -- "${command[@]}"
compiler=$("$vadtrace" info --json "$work/g++" |
	/usr/bin/python3 -c 'import json, sys
all = json.load(sys.stdin)["processes"]
calls = lambda one: sum(thread["calls"] for thread in one["threads"])
print(max(all, key=calls)["pid"])')
printf '\n| program | symbols | CPU seconds |\n|---|---|---|\n'
symbols_row g++ none --no-cache --pid "$compiler"
symbols_row g++ cold --pid "$compiler"
symbols_row g++ warm --pid "$compiler"
[ "$events" -ge 10000000 ] || exit 0
for program in python3 sqlite3; do
	set_command $program
	"$vadtrace" record -q -o "$work/$program" -- "${command[@]}" >/dev/null
done
printf '\n| program | events | bytes per event, recorded | compressed |\n|---|---|---|---|\n'
for program in churn lua5.4 python3 sqlite3 g++; do
	size_row $program $program
done
