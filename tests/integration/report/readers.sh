#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Our own decoder and libbabeltrace2 find the same events in the same traces: in every field, of
# whole traces and of damaged ones. The commands print the same.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh" || exit 1

known=$VADTRACE_BUILDDIR/tests/integration/report/known
forks=$VADTRACE_BUILDDIR/tests/integration/report/forks
ranges=$VADTRACE_BUILDDIR/tests/integration/report/ranges
churn=$VADTRACE_BUILDDIR/tests/bench/churn
crimes=$VADTRACE_BUILDDIR/tests/integration/native/crimes
readers=$VADTRACE_BUILDDIR/tests/integration/report/readers
export TMPDIR=$scratch/tmp
mkdir "$TMPDIR"

# same_events TRACE NAME
same_events() {
	local said

	status=0
	said=$("$readers" "$1" 2>&1) || status=$?
	is "$status" 0 "$2: every event is the same"
	[ "$status" -eq 0 ] || echo "# $said"
}

# same_output TRACE NAME
same_output() {
	local command words own theirs

	for command in "report --json --top all" "report" "leaks" "info"; do
		read -ra words <<<"$command"
		own=0
		"$vadtrace" "${words[@]}" --reader own "$1" >"$scratch/own" 2>&1 || own=$?
		theirs=0
		"$vadtrace" "${words[@]}" --reader babeltrace "$1" >"$scratch/theirs" 2>&1 ||
			theirs=$?
		is "$own" "$theirs" "$2: $command: the same status"
		ok "$2: $command: the same words" cmp "$scratch/own" "$scratch/theirs"
	done
}

# same TRACE NAME
same() {
	same_events "$1" "$2"
	same_output "$1" "$2"
}

run record -q -o threads -- "$known" 8
is "$status" 0 "threads: recorded"
same threads "threads"

run record -q --children -o forked -- "$known" 1 fork
same forked "a fork"

run record -q --children -o processes -- bash -c "'$forks' 2; exec '$ranges'"
same processes "forks and exec"

run record -q -o killed -- "$known" 8 kill
is "$status" 137 "killed: recorded"
same killed "killed"

run record -q -o misused -- "$crimes" double
is "$status" 134 "misuse: recorded"
same misused "misuse"

cp -r threads compressed
run compress -q compressed
is "$status" 0 "compressed"
same_events compressed "compressed"

run record -q --mode observe --stack-depth 0 -o bare -- "$known" 1
same bare "no stacks"

# Small buffers come round while eight threads write: some of it is lost.
run record -q --discard --buffer-size 64K -o lossy -- "$churn" 8 200000
is "$status" 0 "discarded: recorded"
same_events lossy "discarded events"

# longest TRACE: the path of its longest stream.
longest() {
	find "$1/ust" -name 'vadtrace_[0-9]*' ! -name '*.idx' -printf '%s %p\n' | sort -n |
		tail -n 1 | cut -d ' ' -f 2-
}

# A packet in the middle that never came.
cp -r lossy gap
python3 - "$(longest gap)" <<'END'
import sys
data = open(sys.argv[1], "rb").read()
packets, at = [], 0
while at < len(data):
    size = int.from_bytes(data[at + 56:at + 64], "little") // 8
    packets.append(data[at:at + size])
    at += size
assert len(packets) > 3
open(sys.argv[1], "wb").write(b"".join(packets[:1] + packets[2:]))
END
same_events gap "a lost packet"
run report --json gap
is "$(python3 -c 'import json, sys
print(json.load(sys.stdin)["trace"]["lost"]["discarded_packets"])' <"$out")" 1 \
	"a lost packet: is counted"

# A user's own session with compact headers, several channels, other contexts and other events.
start_daemon
lttng create foreign --output="$scratch/foreign" >/dev/null
lttng enable-channel -u --subbuf-size=64K first >/dev/null
lttng enable-channel -u second >/dev/null
lttng add-context -u -c first -t vpid -t vtid -t procname -t ip >/dev/null
lttng add-context -u -c second -t vtid -t vpid -t pthread_id >/dev/null
lttng enable-event -u -c first 'vadtrace_heap:*' >/dev/null
lttng enable-event -u -c second 'vadtrace_[mvw]*' >/dev/null
lttng enable-event -u -c second 'lttng_ust_*' >/dev/null
lttng start >/dev/null
preload=$VADTRACE_BUILDDIR/preload/.libs/libvadtrace.so
LTTNG_UST_REGISTER_TIMEOUT=-1 LD_PRELOAD=$preload "$known" 2 >/dev/null
lttng destroy foreign >/dev/null
stop_daemon
same_events foreign "a user's own session"

# copy NAME: a fresh copy of `threads` as $trace, with its longest stream as $stream.
copy() {
	trace=$scratch/$1
	cp -r threads "$trace"
	stream=$(longest "$trace")
}

copy empty
: >"$stream"
same_events "$trace" "an empty stream"

copy cut
truncate -s -100 "$stream"
same "$trace" "a cut stream"

copy garbage
head -c 5000 /dev/urandom >>"$stream"
same_events "$trace" "garbage behind a stream"

copy stranger
printf 'x' | dd of="$stream" bs=1 seek=10 conv=notrunc status=none
"$vadtrace" report --reader own "$trace" >"$out" 2>"$err"
is $? 1 "a packet of another trace: refused"

copy newer
metadata=$(find "$trace" -name metadata)
sed -i 's/size = 27; align = 1/size = 28; align = 1/' "$metadata"
run report --reader own "$trace"
is "$status" 1 "a layout that is not known: refused"
ok "a layout that is not known: said" said 'LTTng-UST 2.13 does not write'
is "$(ls "$TMPDIR")" "" "nothing is left in TMPDIR"
tap_done
