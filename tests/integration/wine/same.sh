#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Each program runs bare, preloaded and recorded in each mode: same output, same status.

. "${VADTRACE_SRCDIR:?}/tests/integration/wine/lib.sh"
[ -e "$preload" ] || skip_all "the preload is not built here"
share_daemon
start_wine

# Threads and addresses in what Wine says of a crash.
normalise() {
	sed -E 's/(thread|address) [0-9A-Fa-f]+/\1 N/g'
}

same modules "$programs/modules.exe"
same fibers "$programs/fibers.exe"
same overflow "$programs/fibers.exe" overflow
same threads "$programs/threads.exe"
same stress "$programs/stress.exe"
[ ! -e "$programs/seh.exe" ] || same seh "$programs/seh.exe"
tap_done
