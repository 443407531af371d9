#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Global and Local memory of a native program in a recording: leaks with their stacks, discarded
# memory is none, a handle that is freed twice is told.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh" || exit 1

program=$VADTRACE_BUILDDIR/tests/integration/report/handles
command -v python3 >/dev/null || skip_all "needs python3"

run record -q -o "$scratch/trace" -- "$program"
is "$status" 0 "the program is recorded"
run leaks --json "$scratch/trace"
cp "$out" "$scratch/leaks"
run report --json "$scratch/trace"
cp "$out" "$scratch/report"

# ask FILE EXPRESSION: of the report in that file, which is `it`; one line for each that it gives.
ask() {
	python3 -c 'import json, sys
it = json.load(open(sys.argv[1]))
for line in eval(sys.argv[2]):
    print(*line)' "$scratch/$1" "$2"
}

is "$(ask leaks '[(s["function"], s["blocks"], s["bytes"]) for s in it["leaked"]["sites"]]')" \
	"keep_moveable 10 12340
keep_fixed 10 7770" "what is kept, by who allocated it"
is "$(ask report '[(f["function"], f["calls"]) for f in it["functions"]]')" \
	"GlobalAlloc 31
GlobalReAlloc 10
GlobalFree 11
GlobalDiscard 10
LocalAlloc 10" "each function is counted"
is "$(ask report '[(e["misuse"], e["function"]) for e in it["errors"]]')" \
	"freed already GlobalFree" "a handle is freed twice"
is "$(ask report '[(e["stack"][0]["function"],) for e in it["errors"]]')" \
	free_twice "where that was"
tap_done
