#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# A compressed trace reads as before, is at most 8 bytes an event, and becomes again what it was.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh" || exit 1

known=$VADTRACE_BUILDDIR/tests/integration/report/known
churn=$VADTRACE_BUILDDIR/tests/bench/churn
readers=$VADTRACE_BUILDDIR/tests/integration/report/readers
export TMPDIR=$scratch/tmp
mkdir "$TMPDIR"

# sums FOLDER: of all of its files.
sums() {
	(cd "$1" && find . -type f -exec md5sum {} + | sort -k 2)
}

# reports FOLDER FILE: what all commands print of it, but for sizes.
reports() {
	local command words

	for command in "report --json --top all" "report" "leaks --json" "info --json"; do
		read -ra words <<<"$command"
		"$vadtrace" "${words[@]}" "$1" 2>&1
		echo "status $?"
	done | sed 's/"folder":[^,]*,//; s/"size_bytes":[^,]*,//; /^  *size/d; /^trace  /d' >"$2"
}

run record -q -o trace -- "$known" 8
is "$status" 0 "recorded"
sums trace >before
reports trace before.reports

run compress trace
is "$status" 0 "compressed"
ok "the sizes are told" grep -q ' -> ' "$out"
is "$(find trace -name '*.zst' | wc -l)" "$(find trace -name '*.idx' | wc -l)" "all streams"
is "$(find trace -name 'vadtrace_*' ! -name '*.zst' ! -name '*.idx' | wc -l)" 0 "none is left"
is "$(find trace -name '.*.part*' | wc -l)" 0 "nothing is left half way"
reports trace after.reports
ok "all commands print the same" cmp before.reports after.reports
status=0
"$readers" trace >"$out" 2>&1 || status=$?
is "$status" 0 "libbabeltrace2 finds the same in it"
is "$(ls "$TMPDIR")" "" "nothing is left in TMPDIR"
run compress trace
is "$status" 0 "a second time: nothing to do"
ok "a second time: said" grep -q 'already' "$out"

# Anybody's zstd can read it.
if command -v zstd >/dev/null; then
	mkdir plain
	for file in trace/ust/uid/*/64-bit/*.zst; do
		name=$(basename "$file" .zst)
		zstd -dqf "$file" -o "plain/$name"
		sum=$(md5sum <"plain/$name" | cut -d ' ' -f 1)
		ok "zstd decompresses $name" grep -q "^$sum" before
	done
fi

run compress --decompress trace
is "$status" 0 "decompressed"
sums trace >after
ok "to the byte" cmp before after

# Interrupted between the new file's name and the old one's end: both are there.
run compress -q trace
cp -r trace both
run compress -q -d trace
for file in trace/ust/uid/*/64-bit/vadtrace_*; do
	cp "$file" "both${file#trace}"
done
reports both after.reports
ok "both files are there: one is read" cmp before.reports after.reports
run compress both
is "$status" 0 "both files are there: compressed again"
run compress -d both
sums both >after
ok "both files are there: to the byte" cmp before after

# longest TRACE: the path of its longest stream.
longest() {
	find "$1" -name '*.zst' -printf '%s %p\n' | sort -n | tail -n 1 | cut -d ' ' -f 2-
}

# What cannot be done leaves the trace as it was.
cp -r trace cut
truncate -s -100 cut/ust/uid/*/64-bit/vadtrace_0
sums cut >before.cut
run compress cut
is "$status" 1 "a cut stream: refused"
ok "a cut stream: said" said damaged
cp -r trace unfinished
sed -i 's/"complete":true/"complete":false/' unfinished/vadtrace.json
run compress unfinished
is "$status" 1 "an unfinished recording: refused"
ok "an unfinished recording: said" said 'not finished'
mkdir nothing
run compress nothing
is "$status" 1 "no trace"
run compress missing
is "$status" 1 "no folder"
run compress
is "$status" 2 "no words"

# Damaged after it was compressed.
run compress -q trace
cp -r trace garbled
stream=$(longest garbled)
middle=$(($(stat -c %s "$stream") / 2))
printf 'xxxx' | dd of="$stream" bs=1 seek=$middle conv=notrunc status=none
run report garbled
ok "garbled when compressed: damaged" test "$status" = 3 -o "$status" = 1

# Packets of several buffers, and the size that is promised.
run record -q --buffer-size 256K -o large -- "$churn" 2 200000
is "$status" 0 "a larger one: recorded"
run compress -q large
is "$status" 0 "a larger one: compressed"
run info --json large
ok "at most 8 bytes an event" python3 -c 'import json, sys
sys.exit(json.load(open(sys.argv[1]))["trace"]["size_bytes"] > 8 * 800000)' "$out"
status=0
"$readers" large >"$scratch/said" 2>&1 || status=$?
is "$status" 0 "a larger one: libbabeltrace2 finds the same in it"

run record -q -o real -- bash -c 'for ((i = 0; i < 3000; i++)); do words[i % 999]="word $i"; done'
is "$status" 0 "a real program: recorded"
run compress -q real
run info --json real
ok "a real program: at most 8 bytes an event" python3 -c 'import json, sys
trace = json.load(open(sys.argv[1]))["trace"]
sys.exit(trace["size_bytes"] > 8 * trace["events"] or trace["events"] < 100000)' "$out"

# Compressed by the recorder, when all is written.
run record --compress -o at-once -- "$churn" 2 50000
is "$status" 0 "at once: recorded"
ok "at once: the sizes are told" said 'compressed: .* -> '
is "$(find at-once -name 'vadtrace_*' ! -name '*.zst' ! -name '*.idx' | wc -l)" 0 "at once: all"
run info --json at-once
ok "at once: nothing is missing" python3 -c 'import json, sys
sys.exit(json.load(open(sys.argv[1]))["trace"]["events"] < 200000)' "$out"
run record -q --compress -o at-once -f -- bash -c 'exit 7'
is "$status" 7 "at once: the exit status is the program's"
is "$(find at-once -name '*.part*' | wc -l)" 0 "at once: nothing is left half way"
run record -q --compress --snapshot -o window -- "$churn" 1 1000
is "$status" 0 "at once: a snapshot, too"
run report window
is "$status" 0 "at once: the snapshot is read"
ok "at once: the snapshot is compressed" test -n "$(find window -name '*.zst')"
run record -q --compress --snapshot --snapshot-on signal -o none -- "$churn" 1 1000
is "$status" 0 "at once: without a snapshot there is nothing to compress"
is "$(grep -c 'no trace' "$err")" 0 "at once: which is no error"
run record --compress --relay net://host -- true
is "$status" 113 "at once: not what a relay has"

# The last of many packets.
cp -r large short
stream=$(longest short)
truncate -s -10 "$stream"
run report short
is "$status" 3 "cut when compressed: damaged"
ok "cut when compressed: said" grep -q 'cut short' "$out"
tap_done
