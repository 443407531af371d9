#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Where a recording goes: the default name, -o, -f, folders that cannot be written, full disks.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh"

folder_is_whole() {
	test -d "$1/ust" && grep -q '"complete":true' "$1/vadtrace.json"
}

run record -- /bin/true
name=$(find . -maxdepth 1 -name 'vadtrace.true.*.trace' | sed 's,^\./,,')
ok "the default name has the program's, and an id" \
	grep -q '^vadtrace\.true\.[0-9]*\.trace$' <<<"$name"
pid=$(cut -d. -f3 <<<"$name")
ok "the id is the program's" grep -q "\"pid\":$pid," "$name/vadtrace.json"
ok "the last line names it" said "vadtrace report $name"
rm -r "$name"

run record -o one -- true
ok "-o names the folder" folder_is_whole one
not_ok "an empty live folder is gone" test -e one/live
before=$(stat -c %i one)
run record -o one -- true
refused 114 "cannot create the folder 'one': File exists" "an older trace"
is "$(stat -c %i one)" "$before" "it is still there"
run record -f -o one -- true
is "$status" 0 "-f replaces it"
isnt_same=$([ "$(stat -c %i one)" != "$before" ] && echo new)
is "$isnt_same" new "by a new one"
ok "which is whole" folder_is_whole one
run record -f -o one/ -- true
is "$(find . -maxdepth 2 -name '*replaced*')" "" "a slash at the end"
before=$(stat -c %i one)
LTTNG_SESSIOND_PATH=/no/sessiond run record -f -o one -- true
refused 115 "lttng-sessiond" "-f, and recording cannot begin"
is "$(stat -c %i one)" "$before" "the older trace comes back"

mkdir empty precious
echo data >precious/file
run record -o empty -- true
is "$status" 0 "an empty folder is taken"
ok "and filled" folder_is_whole empty
mkdir empty2
LTTNG_SESSIOND_PATH=/no/sessiond run record -o empty2 -- true
is "$(find empty2)" empty2 "and is empty again when recording cannot begin"
run record -f -o precious -- true
refused 114 "not a trace" "-f, and a folder that is no trace"
is "$(cat precious/file)" data "it is untouched"
run record -o precious/file -- true
refused 114 "File exists" "a file of that name"
run record -o no/such/folder -- true
refused 114 "No such file" "no parent"
mkdir locked
mount -t tmpfs -o ro,size=1m locked locked
run record -o locked/trace -- true
refused 114 "Read-only" "a folder that cannot be written"
run record -o "$(printf 'x%.0s' {1..300})" -- true
refused 114 "too long" "a name that is too long"
# shellcheck disable=SC2016 # as it is
name='a b;$c'
run record -o "$name" -- true
ok "a strange name" folder_is_whole "$name"
ok "which the last line quotes" said "vadtrace report 'a b;\$c'\$"
(cd precious && run record -o ../up -- true)
ok "a relative name" folder_is_whole up

mkdir disk
mount -t tmpfs -o size=16m disk disk
run record -o disk/trace -- true
refused 116 "16.0 MiB free" "a disk that is full before"
is "$(find disk)" disk "not even a folder"
mount -t tmpfs -o remount,size=80m disk disk
start -o disk/trace -- "$allocate" forever
until_true said 'the disk is nearly full'
ok "a disk that becomes full: the program goes on" kill -0 "$recorder"
until_true pkill -TERM -P "$recorder" -x allocate
finish
is "$status" 116 "a disk that becomes full: status"
ok "tells the program's own" said "own exit status was 3"
ok "is marked" grep -q '"stopped":"disk full"' disk/trace/vadtrace.json
ok "the trace up to then can be read" grep -q vadtrace_heap <(events_in disk/trace)
no_leftovers "a disk that becomes full"
mkdir tight
mount -t tmpfs -o size=80m tight tight
run record -o tight/trace -- dd if=/dev/zero of=tight/file bs=1M
is "$status" 116 "a program that fills the disk itself: status"
ok "a program that fills the disk itself: message" said 'the disk is '
no_leftovers "a program that fills the disk itself"
tap_done
