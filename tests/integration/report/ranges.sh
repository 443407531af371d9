#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Which call stacks hold the address space: what the program did, and what the report says.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh" || exit 1

ranges=$VADTRACE_BUILDDIR/tests/integration/report/ranges
compare=$VADTRACE_SRCDIR/tests/integration/report/ranges.py
command -v python3 >/dev/null || skip_all "needs python3"

for threads in 1 4; do
	for mode in route observe; do
		name="$threads threads, $mode"
		run record -q --mode $mode -o "$scratch/$threads.$mode" -- "$ranges" $threads
		is "$status" 0 "$name: recorded"
		cp "$out" "$scratch/truth"
		run report --json --top all "$scratch/$threads.$mode"
		is "$status" 0 "$name: the report is made"
		cp "$out" "$scratch/report.json"
		ok "$name: it says who holds what" \
			python3 "$compare" "$scratch/truth" "$scratch/report.json"
	done
done

run report "$scratch/1.route"
ok "text: at the peak of commit" grep -q '^Address space at the peak of commit: ' "$out"
ok "text: at the end" grep -q '^Address space at the end: ' "$out"
ok "text: calls" grep -q '^Most calls for address space: ' "$out"
ok "text: regions by allocation base" grep -q '^  *0x[0-9a-f]*  16.0 MiB  *4.0 MiB  private' "$out"
not_ok "text: heap segments are told apart" grep -q '^Heap segments' "$out"
run report --sort ranges --top 1 "$scratch/1.route"
is "$(grep -c '^ *1\. ' "$out")" 1 "--sort ranges: one section"
ok "--sort ranges: the most frequent" grep -q '^ *1\. 32 calls .* for 54.0 MiB$' "$out"
ok "--top 1: the rest is counted" grep -q 'more sites (--top shows more)' "$out"
run report --sort heap-committed "$scratch/1.route"
ok "--sort heap-committed" grep -q '^Heap segments at the peak of commit: ' "$out"
run report --sort reserved --json "$scratch/1.route"
is "$(python3 -c 'import json, sys
print(*json.load(sys.stdin)["sites"])' <"$out")" reserved "--json --sort: one section"
tap_done
