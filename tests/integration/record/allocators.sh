#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Beside another allocator nothing is missing in a recording: what C++ allocates, and what a child
# does after a fork.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh"

operators=$VADTRACE_BUILDDIR/tests/integration/native/operators

# figure FOLDER KEY: of the totals.
figure() {
	"$vadtrace" report --json "$1" | /usr/bin/python3 -c \
		'import json, sys; print(json.load(sys.stdin)["totals"][sys.argv[1]])' "$2"
}

# processes FOLDER: how many processes have events in it.
processes() {
	events_in "$1" | grep -o 'vpid = [0-9]*' | sort -u | wc -l
}

# beside LIBRARY PATH MODE. Threads that end leave more or less to the next ones.
beside() {
	local library=$1 mode=$3 name=$1-$3 difference

	LD_PRELOAD=$2 run record --mode "$mode" -o "$name" -- "$operators" enough
	difference=$(($(figure "$name" calls) - calls))
	ok "$library, $mode: the calls are those without it" test "${difference#-}" -lt 200
	is "$(figure "$name" unknown_frees)" 0 "$library, $mode: what is freed was allocated"
	is "$(figure "$name" double_live)" 0 "$library, $mode: no address is live twice"
	LD_PRELOAD=$2 run record --mode "$mode" --children -o "$name-fork" -- "$allocate" fork 1000
	is "$(processes "$name-fork")" 2 "$library, $mode: a fork's child is recorded"
}

run record -o alone -- "$operators" enough
calls=$(figure alone calls)
ok "without another allocator: a recording" test "$calls" -gt 100000
for library in libjemalloc.so.2 libtcmalloc_minimal.so.4 libmimalloc.so.2; do
	path=$(ldconfig -p | awk -v name="$library" '$1 == name && /x86-64/ { print $NF; exit }')
	for mode in route observe; do
		if [ -n "$path" ]; then
			beside "$library" "$path" $mode
		else
			skip "$library, $mode" "it is not installed"
		fi
	done
done
tap_done
