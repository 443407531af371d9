#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# The documented results, on plain Wine (which shows that the tests are right), and with us.

. "${VADTRACE_SRCDIR:?}/tests/integration/wine/lib.sh"
start_wine

# passes WAY PROGRAM: no test of it failed but those that are excused, and none is missing.
passes() {
	[ "$(cat "$scratch/$1/status")" = 0 ] &&
		tail -n 1 "$scratch/$1/stdout" | grep -q '^1\.\.[1-9]'
}

show_failures() {
	awk '/^(not )?ok/ { shown = /^not/ && !/# TODO/ } shown' "$scratch/$1/stdout" | head -n 60
	tail -n 3 "$scratch/$1/stdout" "$scratch/$1/stderr"
}

# count WAY NAME: how many of its tests passed, and how many are excused and did not.
count() {
	awk -v name="$2, $1" '
		/^ok/ && !/# SKIP/ { passed++ }
		/^not ok/ && /# TODO/ { excused++ }
		END { printf "# %s: %d passed, %d todo\n", name, passed, excused }' \
		"$scratch/$1/stdout"
}

run_conformance() {
	local way=$1 program=$2 name

	name=$(basename "$program" .exe)
	run_way "$way" "$program"
	ok "$name, $way" passes "$way"
	count "$way" "$name"
	passes "$way" || show_failures "$way" | tap_note
}

for program in "$conformance"/*.exe; do
	run_conformance bare "$program"
done
if [ -e "$preload" ]; then
	for mode in $modes; do
		# Where core answers, its own gaps are excused.
		[ $mode != route ] || export TAP_CORE=1
		for program in "$conformance"/*.exe; do
			run_conformance preload-$mode "$program"
		done
		unset TAP_CORE
	done
fi
tap_done
