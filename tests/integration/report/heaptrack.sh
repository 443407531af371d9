#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# The same program under heaptrack: what both count is the same. The one difference: heaptrack's
# own preloaded object needs libstdc++, which takes a pool of 72704 bytes in one call when it is
# loaded, and heaptrack counts that as the program's.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh" || exit 1

command -v heaptrack heaptrack_print >/dev/null || skip_all "needs heaptrack"
pool_bytes=72704
program=("$VADTRACE_BUILDDIR/tests/integration/programs/wordcount" "$VADTRACE_SRCDIR"/core/vm/*.c)

heaptrack -o "$scratch/theirs" "${program[@]}" >"$scratch/heaptrack.out" 2>&1 </dev/null
run record -q -o "$scratch/ours" -- "${program[@]}"
is "$status" 0 "the program is recorded"
run report --json "$scratch/ours"
is "$status" 0 "the report is made"

# theirs WORDS: the number behind them in heaptrack's closing lines.
theirs() {
	sed -n "s/^[[:space:]]*$1:[[:space:]]*//p" "$scratch/heaptrack.out"
}

# ours KEY
ours() {
	python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))["totals"][sys.argv[2]])' "$out" "$1"
}

is "$(($(theirs allocations) - 1))" "$(ours calls)" "calls, but for the pool"
is "$(theirs 'leaked allocations')" "$(ours live_blocks)" "blocks that are live at exit"
is "$(theirs 'temporary allocations')" "$(ours temporary)" "temporary allocations"

# heaptrack_print rounds as printf does: "peak heap memory consumption: 204.33K".
peak=$(heaptrack_print "$scratch"/theirs.* 2>/dev/null |
	awk '/^peak heap memory consumption:/ { print $5 }')
is "$peak" "$(awk -v bytes=$(($(ours peak_bytes) + pool_bytes)) \
	'BEGIN { printf "%.2fK\n", bytes / 1000 }')" "the peak, but for the pool"
tap_done
