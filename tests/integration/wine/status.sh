#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Each status that core has a name for becomes the Win32 error that Wine makes of it.

. "${VADTRACE_SRCDIR:?}/tests/integration/wine/lib.sh"
start_wine

normalise() {
	tr -d '\r'
}

sed -En 's/^#define STATUS_[A-Z0-9_]+ \(\(NTSTATUS\)(0x[0-9A-F]{8})\)$/\1/p' \
	"$VADTRACE_SRCDIR/core/base/status.h" >"$scratch/statuses"
is "$(wc -l <"$scratch/statuses")" \
	"$(grep -c '^#define STATUS_' "$VADTRACE_SRCDIR/core/base/status.h")" "all are found"
not_ok "each has one name" grep . <(sort "$scratch/statuses" | uniq -d)
input=$scratch/statuses
run_way bare "$programs/status.exe"
"$programs/status" <"$input" >"$scratch/core"
same_files "$scratch/core" "$scratch/bare/stdout" "core's errors are Wine's"
tap_done
