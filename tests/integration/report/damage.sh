#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Traces that were cut, emptied or garbled: what is readable is read, the rest is told, no crash.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh" || exit 1

known=$VADTRACE_BUILDDIR/tests/integration/report/known
whole=$scratch/whole
export TMPDIR=$scratch/tmp
mkdir "$TMPDIR"

run record -q -o "$whole" -- "$known" 4
is "$status" 0 "recorded"
[ -d "$whole" ] || exit 1
run report "$whole"
is "$status" 0 "the whole trace"

# damaged NAME: a fresh copy, as $trace, with its longest stream as $stream.
damaged() {
	trace=$scratch/$1
	cp -r "$whole" "$trace"
	metadata=$(find "$trace" -name metadata | head -n 1)
	[ -n "$metadata" ] || exit 1
	stream=$(find "$(dirname "$metadata")" -maxdepth 1 -type f ! -name metadata \
		-printf '%s %p\n' | sort -n | tail -n 1 | cut -d ' ' -f 2-)
}

# figures FILE: of a report in JSON, those that come from the events.
figures() {
	python3 -c 'import json, sys
report = json.load(open(sys.argv[1]))
print(report["totals"], report["trace"]["lower_bounds"], len(report["sites"]))' "$1"
}

size_of() {
	stat -c %s "$1"
}

damaged padding
truncate -s -100 "$stream"
run report "$trace"
is "$status" 3 "100 bytes short: damaged"
ok "100 bytes short: said" grep -q 'cut short' "$out"
ok "100 bytes short: bounds are marked" grep -q '>= ' "$out"

damaged tail
# A packet that begins and does not end behind the last one.
head -c 2000 "$stream" >>"$stream.head"
cat "$stream.head" >>"$stream"
rm "$stream.head"
run report "$trace"
is "$status" 3 "half a packet at the end: damaged"
ok "half a packet at the end: the rest is read" grep -q do_keep "$out"
ok "half a packet at the end: told to the byte" grep -q '2,000 bytes behind' "$out"

damaged garbage
head -c 5000 /dev/urandom >>"$stream"
run report "$trace"
is "$status" 3 "garbage at the end: damaged"
ok "garbage at the end: the rest is read" grep -q do_keep "$out"

damaged half
truncate -s $(($(size_of "$stream") / 2)) "$stream"
run report "$trace"
ok "half a stream: no crash" test "$status" = 3 -o "$status" = 1

# A full batch has 504 words, after its thread and its first time; libbabeltrace2 would make room
# for as many as are told. The streams are those of processors: any of them may have the batch.
damaged length
run info --json "$whole"
python3 - "$out" "$(dirname "$stream")"/*_* <<'END'
import json, re, sys
processes = json.load(open(sys.argv[1]))["processes"]
tids = {thread["tid"] for process in processes for thread in process["threads"]}
tids = b"|".join(re.escape(tid.to_bytes(4, "little")) for tid in tids)
head = re.compile(b"(?:" + tids + b").{8}" + (504).to_bytes(4, "little"), re.DOTALL)
for stream in sys.argv[2:]:
	with open(stream, "r+b") as file:
		ends = [match.end() for match in head.finditer(file.read())]
		if not ends:
			continue
		file.seek(ends[-1] - 1)
		file.write(b"\x7f")
		sys.exit(0)
sys.exit("no full batch in any stream")
END
status=0
(ulimit -t 20 && exec "$vadtrace" report "$trace") >"$out" 2>"$err" || status=$?
is "$status" 3 "a garbled length: damaged"
ok "a garbled length: said" grep -q 'reading stopped early: .*array' "$out"

damaged nometadata
: >"$metadata"
run report "$trace"
is "$status" 1 "no metadata: nothing to read"
ok "no metadata: said" grep -q metadata "$err"

damaged noindex
rm -rf "$(dirname "$metadata")/index"
run report "$trace"
is "$status" 0 "no index: not needed"

damaged manifest
echo '{' >"$trace/vadtrace.json"
run report "$trace"
is "$status" 0 "a damaged manifest: the trace is read"
ok "a damaged manifest: said" grep -q damaged "$err"
rm "$trace/vadtrace.json"
run report "$trace"
is "$status" 0 "no manifest: the trace is read"

damaged live
mkdir -p "$trace/live"
head -c 10000 /dev/urandom >"$trace/live/1.1"
run report "$trace"
is "$status" 3 "garbage in thread buffers: damaged"

# A second recording's streams: behind those of the first, and beside them.
run record -q -o "$scratch/second" -- "$known" 4
run report --json "$whole"
cp "$out" "$scratch/alone"
damaged joined
cat "$(find "$scratch/second" -name "${stream##*/}")" >>"$stream"
run report "$trace"
ok "two recordings in one stream: status" test "$status" = 3 -o "$status" = 1
ok "two recordings in one stream: said" grep -q 'it belongs to another trace' "$out" "$err"
damaged beside
cp -r "$scratch/second/ust/uid" "$trace/ust/second"
run report --json "$trace"
is "$status" 0 "a second recording's streams in the folder: status"
is "$(figures "$out")" "$(figures "$scratch/alone")" \
	"a second recording's streams in the folder: the first one's figures"

# LTTng's metadata say when its clock began; somebody who sets the time of day changes that.
damaged clock
sed -i 's/^\([[:space:]]*offset = \)[0-9]*;/\1'"$(date -d '10 years ago' +%s%N)"';/' "$metadata"
not_ok "the clock was set: another offset" cmp -s "$metadata" \
	"$(find "$whole" -name metadata | head -n 1)"
run report --json "$trace"
is "$status" 0 "the clock was set: status"
is "$(figures "$out")" "$(figures "$scratch/alone")" "the clock was set: the same figures"

# Nobody asks the network for symbols.
if command -v strace >/dev/null; then
	DEBUGINFOD_URLS=http://127.0.0.1:9 strace -f -o "$scratch/calls" -e trace=connect,%process \
		"$vadtrace" report --no-cache "$whole" >"$out" 2>"$err"
	ok "DEBUGINFOD_URLS: the calls were seen" grep -q execve "$scratch/calls"
	is "$(grep -c 'connect.*AF_INET' "$scratch/calls")" 0 "DEBUGINFOD_URLS: nobody is asked"
else
	skip "DEBUGINFOD_URLS" "no strace"
fi

mkdir "$scratch/empty"
run report "$scratch/empty"
is "$status" 1 "an empty folder"
run report "$scratch/nothing"
is "$status" 1 "no folder"

# A byte here and there. The status is one of ours: no signal, no sanitizer.
RANDOM=20
crashes=
for ((i = 0; i < 40; i++)); do
	damaged random
	victim=$stream
	[ $((i % 4)) -eq 0 ] && victim=$metadata
	for ((n = 0; n < 8; n++)); do
		place=$(((RANDOM * 32768 + RANDOM) % $(size_of "$victim")))
		printf "\\x$(printf %02x $((RANDOM % 256)))" |
			dd of="$victim" bs=1 seek=$place conv=notrunc status=none
	done
	status=0
	timeout -k 5 600 "$vadtrace" report --json "$trace" >"$out" 2>"$err" || status=$?
	case $status in
	0 | 1 | 3) ;;
	*) crashes="$crashes $i:$status" ;;
	esac
	rm -rf "$trace"
done
is "$crashes" "" "garbled bytes: no crash"
is "$(ls "$TMPDIR")" "" "nothing is left in TMPDIR"
tap_done
