#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# All ways to end, of the program and of children: same output, same status, whole traces.

. "${VADTRACE_SRCDIR:?}/tests/integration/wine/lib.sh"
[ -e "$preload" ] || skip_all "the preload is not built here"
start_wine

# Threads and addresses in what Wine says of a crash.
normalise() {
	sed -E 's/(thread|address) [0-9A-Fa-f]+/\1 N/g'
}

for end in exit exit-process terminate abort crash raise thread busy busy-terminate main-thread \
	environment child children; do
	same "$end" "$programs/ends.exe" $end
done
tap_done
