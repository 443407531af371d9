#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Programs of other people and of Wine's own: same output, same status and same files bare and in
# each of our ways.

. "${VADTRACE_SRCDIR:?}/tests/integration/wine/lib.sh"
[ -e "$preload" ] || skip_all "the preload is not built here"
share_daemon
start_wine
. "$here/others.sh"

# Times that the programs measured, and Wine's names of threads.
normalise() {
	sed -E 's/[0-9.]+ ?(µs|ms)|[0-9.]+s\b/TIME/g; s/(thread|address) [0-9A-Fa-f]+/\1 N/g'
}

# The archive that 7za made without us, for all of its ways.
try() {
	same "$@"
	[ "$1" != "7za a" ] || cp -p "$scratch/bare/work/made.7z" "$scratch/archive.7z"
}

ways="preload-route preload-observe record-route record-observe record-verify"
each_other try
if [ -e "$scratch/archive.7z" ]; then
	same "7za t" "$fetched/7za.exe" t -bd archive.7z
	same "7za x" "$fetched/7za.exe" x -bd -oout archive.7z
fi
tap_done
