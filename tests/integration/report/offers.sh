#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Offered memory in a recording: it is committed, and told apart from what the program keeps.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh" || exit 1

program=$VADTRACE_BUILDDIR/tests/integration/report/offers
command -v python3 >/dev/null || skip_all "needs python3"

run record -q -o "$scratch/trace" -- "$program"
is "$status" 0 "the program is recorded"

# ask EXPRESSION: of the report, which is `it`.
ask() {
	python3 -c 'import json, sys
it = json.load(open(sys.argv[1]))["address_space"]
own = next(o for o in it["owners"] if o["owner"] == "private")
print(*eval(sys.argv[2]))' "$scratch/report" "$1"
}

# reports ARGUMENT...: what a report says of the trace.
reports() {
	run report "$@" --json "$scratch/trace"
	cp "$out" "$scratch/report"
	is "$(ask '[own["offered_bytes"] >> 20, own["peak_offered_bytes"] >> 20]')" "2 5" \
		"offered at the end, and at most $*"
	is "$(ask '[own[n] == it["total"][n] for n in ("offered_bytes", "peak_offered_bytes")]')" \
		"True True" "all of it the program's own $*"
	is "$(ask '[it[n + "_calls"] for n in ("offer", "reclaim", "lost_reclaim")]')" "2 1 1" \
		"what succeeded is counted $*"
}

reports
reports --reader=babeltrace
run report "$scratch/trace"
ok "text: what is offered" grep -q \
	'offered to the system: 2.0 MiB of the committed bytes, 5.0 MiB at most; 2 offers, 1 re' \
	"$out"
run info "$scratch/trace"
ok "info: offers are counted" grep -q '^  offer  *2$' "$out"
ok "info: reclaims are counted" grep -q '^  reclaim  *1$' "$out"
if command -v babeltrace2 >/dev/null; then
	run export --format ctf -o "$scratch/plain" "$scratch/trace"
	babeltrace2 "$scratch/plain" >"$scratch/text"
	is "$(grep -c 'vadtrace_vm:offer:.*extra = 0x[24]' "$scratch/text")" 2 \
		"export: offers with their priority"
	is "$(grep -c 'vadtrace_vm:reclaim:.*extra = 0x1,' "$scratch/text")" 1 "export: the loss"
fi
tap_done
