#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# All benchmarks, or the named ones: run.sh [record] [report] [preload] [malloc] [vm] [wine]

set -euo pipefail
folder=${VADTRACE_SRCDIR:?}/tests/bench

[ $# -gt 0 ] || set -- record report preload malloc vm wine
for name; do
	[ -x "$folder/$name.sh" ] || continue
	printf '\n## %s\n\n' "$name"
	"$folder/$name.sh"
done
