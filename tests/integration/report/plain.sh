#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# A plain recording has an event for each call, twice: as vadtrace tells it, with its call stack,
# and as LTTng's wrapper of malloc does. Reports say the same of it as of one in batches.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh" || exit 1
command -v babeltrace2 >/dev/null || skip_all "needs babeltrace2"

known=$VADTRACE_BUILDDIR/tests/integration/report/known
moments=$VADTRACE_BUILDDIR/tests/integration/report/moments
churn=$VADTRACE_BUILDDIR/tests/bench/churn
preload=$VADTRACE_BUILDDIR/preload/.libs
compare=$VADTRACE_SRCDIR/tests/integration/report/plain.py

# What a report says of the program's blocks, but for when.
figures() {
	run report --json "$@"
	/usr/bin/python3 -c 'import json, sys
report = json.load(sys.stdin)
print({name: value for name, value in report["totals"].items()
       if name != "peak_ns" and not name.startswith("tracer_")})' <"$out"
}

# events TRACE PATTERN: how many lines of babeltrace2's match.
events() {
	events_in "$1" | grep -c -e "$2"
}

# both TRACE NAME: the two providers say the same.
both() {
	ok "$2: every call comes as LTTng's wrapper has it" /usr/bin/python3 "$compare" "$1" "$1"
}


run record -q --plain -o one -- "$known" 1
is "$status" 0 "one thread: recorded"
both one "one thread"
ok "calloc: its two factors" \
	test "$(events one 'lttng_ust_libc:calloc: .*{ nmemb = 3, size = 11,')" -gt 0
is "$(events one 'vadtrace_heap:\(batch\|record\):')" 0 "no batches"
ok "stacks: in the events" \
	test "$(events one 'vadtrace_heap:allocate: .*frames = \[ \[0\] = 0x')" -gt 0
ok "the callers: in the context" \
	test "$(events one 'lttng_ust_libc:free: .* procname = "known", ip = [1-9]')" -gt 0
ok "the manifest tells" grep -q '"plain": *true' one/vadtrace.json
ok "vadtrace's own reader knows it" "$vadtrace" report --reader=own one
run info --json one
ok "info: LTTng's form of it is nobody else's" grep -q '"foreign_events": *0,' "$out"
ok "info: and is counted" grep -q \
	"\"repeated_events\": *$(events one 'lttng_ust_\(libc\|statedump\):')," "$out"
run record -q -o batch -- "$known" 1
is "$(figures one)" "$(figures batch)" "the figures of one in batches"
is "$(figures --reader=babeltrace one)" "$(figures one)" "by libbabeltrace2, too"
is "$("$vadtrace" leaks one | grep -c 'known\.c')" \
	"$("$vadtrace" leaks batch | grep -c 'known\.c')" \
	"leaks: the lines of the program"
run export --format ctf -o one.plain one
is "$status" 0 "exported"
ok "the export has the same calls" /usr/bin/python3 "$compare" one one.plain

run record -q --plain=frames -o frames -- "$known" 1
is "$status" 0 "frames: recorded"
is "$(events frames lttng_ust_libc:)" 0 "frames: not in LTTng's words"
is "$(figures frames)" "$(figures batch)" "frames: the same figures"
run record -q --plain=libc -o other -- true
is "$status" 113 "nothing else but frames can be chosen"

run record -q --plain -o threads -- "$known" 8
both threads "eight threads"
run info threads
is "$(awk '$1 ~ /^[0-9]+$/ && $3 == "known"' "$out" | wc -l)" 8 "the threads have their names"
run record -q --plain --children -o forked -- "$known" 1 fork
both forked "a fork"
is "$(events forked 'vadtrace_meta:process:')" 2 "a fork: two processes"
# Buffers come round.
run record -q --plain --buffer-size 64K -o churn -- "$churn" 2 5000
both churn "small buffers"
run report --json churn
ok "small buffers: nothing is late" grep -q '"late_records": *0,' "$out"
run record -q --plain -o killed -- sh -c 'kill -9 $$'
is "$status" 137 "killed"
ok "killed: can be read" "$vadtrace" report killed

# Handlers wait until an event has gone out; none of what they allocate is lost.
# of_size TRACE: how many allocations of 7777 bytes it has.
of_size() {
	events "$1" 'vadtrace_heap:allocate: .*size_bytes = 7777,'
}
run record -q --plain -o handled -- "$moments" handle 1000
is "$status" 0 "handlers that allocate, and jump out: recorded"
is "$(of_size handled)" "$(cat "$out")" "each handler's allocation is told"
both handled "handlers that allocate, and jump out"
ok "they lose nothing" test -z "$("$vadtrace" info handled | grep -i 'lost\|discarded')"

# A signal that nobody handles ends the process after an event, never in the middle: LTTng could
# not read on from there.
# told TRACE FILE: whether it has the allocations that were counted, and the last at most.
told() {
	local count last

	count=$(od -An -tu8 -N8 "$2" | tr -d ' ')
	last=$(($(of_size "$1") - count))
	tap_note <<<"$count allocations, $last more in the trace"
	[ "$count" -gt 0 ] && [ "$last" -ge 0 ] && [ "$last" -le 1 ]
}
for ms in 3 5 8 13 21; do
	run record -q --plain -f -o ended -- "$moments" end "$scratch/count" $ms
	is "$status" 142 "ended by SIGALRM after $ms ms: its status"
	ok "after $ms ms: nothing is lost" told ended "$scratch/count"
done
run record -q --plain -f -o ended -- "$moments" block "$scratch/count"
is "$status" 143 "ended by SIGTERM when it was let in"
is "$(of_size ended)" 100 "not before"

# All six are declared, whichever came.
for event in malloc calloc realloc free memalign posix_memalign; do
	ok "metadata: $event" grep -aq "name = \"lttng_ust_libc:$event\";" \
		"$(find killed/ust -name metadata)"
done

run record --snapshot --plain -o other -- true
is "$status" 113 "no plain snapshots"
LD_PRELOAD=liblttng-ust-libc-wrapper.so.1 run record --plain -o other -- true
is "$status" 113 "not beside LTTng's own wrapper"

# By hand.
start_daemon
{
	lttng create hand --output="$scratch/hand"
	lttng enable-event -u 'vadtrace_*:*,lttng_ust_libc:*'
	for context in vpid vtid procname ip; do
		lttng add-context -u -t "$context"
	done
	lttng start
} >"$scratch/said" 2>&1
env LD_PRELOAD="$preload/libvadtrace.so:$preload/libvadtrace-record.so" VADTRACE_PLAIN=1 \
	LTTNG_UST_REGISTER_TIMEOUT=-1 "$known" 1 >/dev/null
lttng destroy hand >>"$scratch/said" 2>&1
ok "by hand: every call" /usr/bin/python3 "$compare" hand hand
ok "by hand: can be reported" "$vadtrace" report hand
stop_daemon
tap_done
