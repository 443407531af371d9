#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# All ways to end, of the program and of children: same output, same status, whole traces.

. "${VADTRACE_SRCDIR:?}/tests/integration/wine/lib.sh"
[ -e "$preload" ] || skip_all "the preload is not built here"
share_daemon
start_wine

# Threads and addresses in what Wine says of a crash.
normalise() {
	sed -E 's/(thread|address) [0-9A-Fa-f]+/\1 N/g'
}

for end in exit exit-process terminate abort crash raise thread main-thread environment child \
	children; do
	same "$end" "$programs/ends.exe" $end
done

# While other threads allocate. Wine's own heap may be left locked by a thread that the exit kills,
# and the exit then waits for ever: there is nothing to compare with where Wine's heap serves.
for way in preload-route record-route; do
	run_way $way "$programs/ends.exe" busy
	is "$(cat "$scratch/$way/status")" 6 "busy, $way: exit"
	run_way $way "$programs/ends.exe" busy-terminate
	is "$(cat "$scratch/$way/status")" 7 "busy, $way: TerminateProcess"
done
check_trace record-route busy
# While others have not quite started: they speak to Wine's server, which has gone, or are told to
# end while they do.
for way in preload-route record-route record-verify; do
	run_way $way "$programs/ends.exe" starting
	is "$(cat "$scratch/$way/status")" 8 "threads that start, $way: exit"
	is "$(cat "$scratch/$way/stderr")" "" "threads that start, $way: nothing is said"
done
check_trace record-verify "threads that start"
# A child that is recorded, too.
record_words=(--children)
run_way record-route "$programs/ends.exe" busy-child
is "$(cat "$scratch/record-route/status")" 6 "busy child, record-route: exit"
check_trace record-route "busy child"
tap_done
