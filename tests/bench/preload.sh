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

make_inputs() {
	cat >"$work/trees.lua" <<-'TEXT'
		local function tree(d) return d == 0 and {} or { tree(d - 1), tree(d - 1) } end
		local words = {}
		for i = 1, 10 do tree(15) end
		for i = 1, 400000 do words[i % 9999] = ("w"):rep(i % 90) .. i end
	TEXT
	cat >"$work/words.py" <<-'TEXT'
		import json
		rows = [{"id": i, "name": "n%d" % i, "list": list(range(i % 9))} for i in range(40000)]
		for _ in range(4):
		    rows = json.loads(json.dumps(rows))
		words = {}
		for i in range(300000):
		    words.setdefault("k%d" % (i % 4999), []).append(str(i))
	TEXT
	awk 'BEGIN {
		print "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c REAL); BEGIN;"
		for (i = 0; i < 100000; i++)
			printf "INSERT INTO t VALUES (%d, \"text %d\", %d.25);\n", i, i * 7919 % 99991, i
		print "COMMIT; CREATE INDEX i ON t (b);"
		print "SELECT count(*) FROM t x JOIN t y ON x.b = y.b WHERE x.c > 100;"
		print "SELECT length(group_concat(upper(b))) FROM t GROUP BY a % 1000;"
	}' >"$work/rows.sql"
}

# start_program NAME PREFIX...
start_program() {
	local name=$1

	shift
	case $name in
	lua5.4) "$@" lua5.4 "$work/trees.lua" ;;
	python3) PYTHONMALLOC=malloc "$@" /usr/bin/python3 "$work/words.py" ;;
	sqlite3) "$@" sqlite3 :memory: ".read $work/rows.sql" ;;
	esac
}

# one_run NAME WAY: adds "wall user system" to $work/NAME-WAY.
one_run() {
	local prefix=("$measure" "$work/times")

	[ "$2" = glibc ] || prefix+=(env LD_PRELOAD="$preload")
	start_program "$1" "${prefix[@]}" >/dev/null || echo "bench: $1 fails with $2" >&2
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
		awk '$2 { print $5 / $2 }' | median)
	awk -v name="$name" -v a="$glibc" -v b="$ours" -v r="$pairwise" 'BEGIN {
		printf "| %s | %.3f | %.3f | %.3f | %.3f |\n", name, a / 1e9, b / 1e9, b / a, r }'
}

make_inputs
machine_line
printf 'user seconds, medians of %d interleaved runs; no session is running for these\n\n' "$rounds"
printf '| program | glibc | vadtrace | ratio of medians | median of ratios |\n|---|---|---|---|---|\n'
for name in lua5.4 python3 sqlite3; do
	! command -v "$name" >/dev/null || program_row "$name"
done
