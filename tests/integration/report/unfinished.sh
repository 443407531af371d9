#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Traces whose recording had no proper end: LTTng writes the metadata last, and without it nothing
# can be read. Each command says what happened and what can be done, with status 1; and the metadata
# of another recording helps.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh" || exit 1

export TMPDIR=$scratch/tmp
mkdir "$TMPDIR"

is_ready() {
	grep -q ready "$out"
}

# blocks FOLDER: those of 100 bytes that were allocated.
blocks() {
	python3 -c 'import json, sys
print(sum(size["calls"] for size in json.load(sys.stdin)["sizes"] if size["from_bytes"] == 64))' \
		<"$1"
}

# The first buffers of it are on the disk.
has_events() {
	[ -n "$(find "$1/ust" -type f -size +1024k)" ]
}

# all_refuse FOLDER CAUSE ADVICE NAME
all_refuse() {
	local command

	for command in report info leaks; do
		run "$command" "$1"
		is "$status" 1 "$4: $command: status"
		is "$(wc -c <"$out")" 0 "$4: $command: no report of nothing"
		ok "$4: $command: what happened" said "$2"
		ok "$4: $command: what can be done" said "hint: .*$3"
	done
}

for victim in sessiond consumerd; do
	: >"$out"
	start -o "$victim" -- "$allocate" forever
	until_true is_ready
	program=$(pgrep -P "$recorder" -x allocate)
	until_true has_events "$victim"
	# shellcheck disable=SC2046 # one word each
	kill -KILL $(living "lttng-$victim")
	until_true said 'recording stops here'
	kill -TERM "$program"
	finish
	is "$status" 122 "$victim was killed: recorded as far as it went"
	# shellcheck disable=SC2046 # one word each
	[ -z "$(living lttng-)" ] || kill -KILL $(living lttng-)
	all_refuse "$victim" "broke off (.* daemon ended), .*metadata" '--metadata other' \
		"$victim was killed"
	run record -q -o "other.$victim" -- true
	run report --json --metadata "other.$victim" "$victim"
	is "$status" 3 "$victim was killed: read with another's metadata, as damaged"
	ok "$victim was killed: what it did before" test "$(blocks "$out")" -gt 1000
	run report --metadata "other.$victim" "$victim"
	ok "$victim was killed: the report says so" grep -q "another trace's metadata" "$out"
done

run record -q -o whole -- "$allocate" 100
is "$status" 0 "recorded"

# broken NAME: a copy as $trace, with its $metadata.
broken() {
	trace=$scratch/$1
	cp -r whole "$trace"
	metadata=$(find "$trace" -name metadata)
	[ -n "$metadata" ] || exit 1
}

# manifest PATTERN TEXT: replaces the one by the other.
manifest() {
	sed -i "s/$1/$2/" "$trace/vadtrace.json"
}

# The same trace, whole and with a stranger's metadata: the same figures.
for file in emptied headless removed; do
	broken $file
	case $file in
	emptied) : >"$metadata" ;;
	headless) truncate -s 37 "$metadata" ;;
	removed) rm "$metadata" ;;
	esac
	run report --json --metadata other.sessiond "$trace"
	is "$status" 3 "$file metadata: read with another's"
	is "$(blocks "$out")" 100 "$file metadata: everything is read"
	is "$(find "$TMPDIR" -mindepth 1)" "" "$file metadata: no copy is left"
	rm -rf "$trace"
done
run report --metadata "$trace" whole
is "$status" 1 "metadata of no trace"
broken older
manifest '"vadtrace_version":"' '"vadtrace_version":"0.'
run report --metadata other.sessiond "$trace"
is "$status" 1 "metadata of another version"
ok "metadata of another version: said" said 'of another version'

broken emptied
: >"$metadata"
all_refuse "$trace" 'metadata is missing, empty or damaged' 'copy the folder again' \
	"emptied metadata"

broken headless
truncate -s 37 "$metadata"
all_refuse "$trace" 'metadata is missing, empty or damaged' 'copy the folder again' \
	"a head without text"

broken removed
rm "$metadata"
all_refuse "$trace" 'metadata is missing, empty or damaged' '--metadata' "removed metadata"

broken killed
: >"$metadata"
manifest '"complete":true' '"complete":false'
session=$(sed -n 's/.*"session":"\(.*\)".*/\1/p' "$trace/vadtrace.json")
all_refuse "$trace" 'recording was not finished.*metadata' "lttng destroy $session" \
	"killed recorder"

# The recorder was killed, the session daemon was not: it does what the hint says.
start_daemon
start -o left -- "$allocate" forever
until_true is_ready
program=$(pgrep -P "$recorder" -x allocate)
kill -KILL "$recorder"
finish
kill -TERM "$program"
until_true not_living "$program"
# How much of the metadata has been written by then is LTTng's affair.
run report left
if [ "$status" -eq 1 ]; then
	hinted=$(sed -n "s/.*'\(lttng destroy [^']*\)'.*/\1/p" "$err")
else
	hinted="lttng destroy $(sed -n 's/.*"session":"\(.*\)".*/\1/p' left/vadtrace.json)"
fi
ok "left behind: nothing can be read yet, or that it is not finished is said" \
	test "$status" -eq 1 -o "$(grep -c 'not finished' "$out")" -gt 0
$hinted >/dev/null
run report left
is "$status" 0 "left behind: after the hint's command the trace is whole"
ok "left behind: and the report says what it is" grep -q 'not finished' "$out"
stop_daemon
tap_done
