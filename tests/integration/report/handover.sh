#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Threads that hand blocks over to each other: in the trace every release stands before the address
# is given out again, whoever does either, however many threads read it.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh" || exit 1

handover=$VADTRACE_BUILDDIR/tests/integration/report/handover

# figures: of the report in $out: blocks of that size, those that are left, and what does not fit.
figures() {
	python3 -c 'import json, sys
report = json.load(sys.stdin)
totals = report["totals"]
blocks = [size for size in report["sizes"] if size["from_bytes"] == 64]
print(sum(size["calls"] for size in blocks) >= int(sys.argv[1]),
      sum(size["live_blocks"] for size in blocks) < 100,
      totals["unknown_frees"], totals["double_live"])' "$1" <"$out"
}

for threads in 2 4 8; do
	run record -q -o "$threads" -- "$handover" "$threads" 20000
	is "$status" 0 "$threads threads: recorded"
	for jobs in 1 2; do
		run report --json --jobs $jobs "$threads"
		is "$status" 0 "$threads threads, $jobs jobs: reported"
		is "$(figures $((threads * 20000)))" "True True 0 0" \
			"$threads threads, $jobs jobs: nothing is given twice or freed unknown"
		cp "$out" "$scratch/report.$jobs"
	done
	same_files "$scratch/report.2" "$scratch/report.1" "$threads threads: the same report"
done

tap_done
