#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# What arrives in a real LTTng trace is what was sent: exact counts, stacks before their use,
# settled times that hold, and the records of a killed process.

. "${VADTRACE_SRCDIR:?}/tests/lib/tap.sh"

here=$VADTRACE_SRCDIR/tests/unit/trace
there=${VADTRACE_BUILDDIR:?}/tests/unit/trace

for tool in lttng lttng-sessiond babeltrace2; do
	command -v $tool >/dev/null || skip_all "$tool is missing"
done
unshare --mount true 2>/dev/null || skip_all "no private mount namespace here"

# trace ARGUMENTS...: runs raw in a session. Its output goes to $scratch/said, what was found to
# $scratch/saw.
trace() {
	rm -rf "$scratch/trace" "$scratch/live"
	mkdir "$scratch/live"
	VADTRACE_LIVE=$scratch/live VADTRACE_SESSION=test bash "$here/session.sh" "$scratch/trace" \
		"$there/raw" "$@" >"$scratch/said" 2>"$scratch/errors"
	status=$?
	see 0
}

# see PID: the promises for one process, or for all.
see() {
	babeltrace2 "$scratch/trace" 2>>"$scratch/errors" >"$scratch/text"
	"$there/verify" "$1" "$scratch"/live/* <"$scratch/text" >"$scratch/saw"
}

saw() {
	awk -v name="$1" '$1 == name { print $2 }' "$scratch/saw"
}

said() {
	awk -v name="$1" '$1 == name { print $2 }' "$scratch/said"
}

# promises NAME: what holds for each trace.
promises() {
	is "$(saw used_before) $(saw late)" "0 0" "$1: stacks come first, settled times hold"
	is "$(saw twice_live) $(saw unknown_frees)" "0 0" "$1: no block lives twice or dies unknown"
}

counts() {
	is "$(saw allocate) $(saw free)" "$2 $3" "$1: all allocations and frees"
}

trace threads 10000 1
is $status 0 "one thread: status"
counts "one thread" 10000 10000
promises "one thread"
is "$(saw processes) $(saw exits) $(saw threads)" "1 1 1" "one thread: process, exit, thread"
is "$(saw stacks) $(saw repeated_stacks)" "1 0" "one thread: one stack"
is "$(ls "$scratch/live")" "" "one thread: no live file is left"

trace threads 100000 8 20
counts "eight threads" 800000 800000
promises "eight threads"
is "$(saw threads)" 8 "eight threads: each told"

VADTRACE_STACK_DEPTH=0 trace threads 1000 1
counts "no stacks" 1000 1000
is "$(saw stacks)" 0 "no stacks: none"

trace signals 300000
counts "signals" $((300000 + $(said handled))) 300000
promises "signals"
ok "signals: there were some" test "$(said handled)" -gt 10

trace jumps 1000
is $status 0 "jumps: status"
is "$(saw used_before) $(saw late)" "0 0" "jumps: stacks come first, settled times hold"
is "$(saw realloc_begin)" 1000 "jumps: nothing is lost after the last"
ok "jumps: the buffer is in use again" test "$(saw singles)" -lt 1000

trace fork 1000
child=$(said child)
counts "fork" 2000 2000
is "$(saw processes) $(saw exits)" "2 2" "fork: two processes"
see "$child"
counts "fork's child" 1000 1000
promises "fork's child"
is "$(grep -c 'reason = "fork"' "$scratch/text")" 1 "fork: the child says that it is one"

trace killed 1000
is $status 137 "killed: status"
counts "killed" 1000 1000
promises "killed"
ok "killed: some records were in the live file" test "$(saw from_live)" -gt 0

trace idle 100
counts "idle" 500 500
promises "idle"
ok "idle: settled on the way" test "$(saw settled)" -ge 4

trace small 1000
counts "small signal stack" 1000 1000
promises "small signal stack"
ok "small signal stack: at most 2 KiB of it, beyond the signal frame" \
	test $(($(said stack_bytes) - $(said signal_frame_bytes))) -lt 2048

trace late 1000
counts "late" 1001 1000
promises "late"
is "$(saw exits) $(saw singles)" "1 1" "late: an event after the exit is not lost"

# range NAME ADDRESS SIZE EXTRA: the event that run_ranges of raw.c sends.
range() {
	printf 'vadtrace_vm:%s { address = %s, size_bytes = %s, ' "$1" "$2" "$3"
	printf 'type = 0x3000, protect = 0x4, extra = %s, owner = 1, api = 128, stack = N }\n' "$4"
}

all_ranges() {
	echo 'vadtrace_heap:create { heap = 0x5550000, flags = 0x3000,' \
		'maximum_bytes = 4096, api = 128, stack = N }'
	range reserve 0x20000 8192 0x1
	range commit 0x30000 12288 0x2
	range protect 0x40000 16384 0x3
	range reset 0x50000 20480 0x4
	range decommit 0x60000 24576 0x5
	range release 0x70000 28672 0x6
	range map 0x80000 32768 0x7
	range unmap 0x90000 36864 0x8
	range offer 0xA0000 40960 0x9
	range reclaim 0xB0000 45056 0xA
	echo 'vadtrace_heap:destroy { heap = 0x5550000, api = 128, stack = N }'
}

trace ranges
is "$(saw ranges)" 12 "ranges: each has its event"
is "$(saw used_before)" 0 "ranges: stacks come first"
is "$(grep -o 'vadtrace_[hv][a-z]*:[a-z]*: .*' "$scratch/text" | grep -v settled |
	sed 's/: {.*}, {/ {/; s/stack = [0-9]*/stack = N/')" "$(all_ranges)" "ranges: all fields"

all_windows() {
	echo 'vadtrace_win:hook { api = 128, function = "VirtualAlloc", dll = "kernelbase",' \
		'state = "hooked", reason = "", address = 0x7B001230 }'
	echo 'vadtrace_win:call { api = 128, result = 0x7F0000, error = 5, stack = 1,' \
		'_arguments_length = 4,' \
		'arguments = [ [0] = 0x0, [1] = 0x10000, [2] = 0x3000, [3] = 0x4 ] }'
	echo 'vadtrace_win:call { api = 129, result = 0x7F0000, error = 5, stack = 1,' \
		'_arguments_length = 0, arguments = [ ] }'
	echo 'vadtrace_win:difference { api = 129, what = "status", wine = 0xC0000045,' \
		'core = 0x0, stack = 1, _arguments_length = 3,' \
		'arguments = [ [0] = 0x0, [1] = 0x10000, [2] = 0x3000 ] }'
}

# An image, then a stack of two frames in it.
all_images() {
	echo 'vadtrace_meta:pe_module { base = 0x5A0000000, start = 0x5A0000000,' \
		'end = 0x5A0005000, path = "", name = "fake.dll", timestamp = 0x1234,' \
		'image_size = 20480, pdb = "C:\\build\\fake.pdb",' \
		'pdb_id = "0403020106050807090A0B0C0D0E0F101A" }'
	echo 'vadtrace_meta:stack { stack = 1, _frames_length = 2,' \
		'frames = [ [0] = 0x5A0001010, [1] = 0x5A0001020 ] }'
}

events_of() {
	grep -o "vadtrace_$1: .*" "$scratch/text" | sed 's/: {.*}, {/ {/; s/module = [0-9]*, //'
}

trace windows
is $status 0 "windows: status, on a stack that is nearly full"
ok "windows: LTTng has another" test "$(said used)" -le 2816
is "$(events_of 'win:[a-z]*')" "$(all_windows)" "windows: all fields"
is "$(events_of 'meta:\(pe_module\|stack\)')" "$(all_images)" "windows: the image, then the stack"

VADTRACE_MIN_SIZE=64 trace kinds
is "$(saw allocate) $(saw realloc_begin) $(saw realloc_end) $(saw allocate_failed)" "2 1 1 1" \
	"kinds: blocks below the limit are left out, ends of reallocs are not"
tap_done
