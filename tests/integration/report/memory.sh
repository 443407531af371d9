#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# The account of virtual memory: what core counts, and what the report makes of the events.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh" || exit 1

memory=$VADTRACE_BUILDDIR/tests/integration/report/memory
mib=1048576
command -v python3 >/dev/null || skip_all "needs python3"

# told NAME: a figure of the section virtual_memory.
told() {
	python3 -c 'import json, sys
memory = json.load(open(sys.argv[1]))["virtual_memory"]
for row in memory["protections"]:
	memory[row["protection"]] = row["committed_bytes"]
	memory[row["protection"] + ".peak"] = row["peak_committed_bytes"]
print(memory[sys.argv[2]])' "$scratch/report.json" "$1"
}

# report_of FOLDER
report_of() {
	run report --json "$1"
	is "$status" 0 "$1: the report is made"
	cp "$out" "$scratch/report.json"
}

for mode in route observe; do
	limit=()
	[ $mode = observe ] || limit=(--commit-limit 512M)
	run record -q --mode $mode "${limit[@]}" -o $mode -- "$memory"
	is "$status" 0 "$mode: recorded"
	cp "$out" $mode.charge
	report_of $mode
	is "$(told EXECUTE_READWRITE)" $((7 * mib)) "$mode: code that can be written"
	is "$(told EXECUTE_READWRITE.peak)" $((11 * mib)) "$mode: and its peak"
	ok "$mode: read-only pages" test "$(told READONLY)" -ge $((2 * mib))
	ok "$mode: what becomes the process's own when it writes" \
		test "$(told WRITECOPY)" -ge $((3 * mib))
	ok "$mode: a file's pages are committed, but not charged" test \
		$(($(told committed_bytes) - $(told commit_charge_bytes))) -ge $((32 * mib))
	ok "$mode: the peak had 3 MiB more" test \
		$(($(told peak_commit_charge_bytes) - $(told commit_charge_bytes))) -ge $((3 * mib))
done
is "$(told commit_limit_bytes)" 0 "observe: no limit"
report_of route
is "charge $(told commit_charge_bytes)" "$(cat route.charge)" "core and report count the same"
is "$(told commit_limit_bytes)" $((512 * mib)) "the limit is told"
run report route
ok "text: the charge and the limit" grep -qE '^  commit limit +512\.0 MiB' "$out"
ok "text: by protection" grep -qE '^    rwx EXECUTE_READWRITE +7\.0 MiB +11\.0 MiB' "$out"
rm route/vadtrace.json
run info route
ok "info: the same, also without the manifest" grep -qE '^  commit limit +512\.0 MiB' "$out"
run info --json route
ok "info: for programs" grep -q '"commit_limit_bytes": *536870912' "$out"
tap_done
