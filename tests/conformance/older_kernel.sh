#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# As on a kernel without an account of written pages and without guard markers: pages are watched
# by protection there, and released regions parked by it.

. "${VADTRACE_SRCDIR:?}/tests/lib/tap.sh"

tests=$VADTRACE_BUILDDIR/tests

"$tests/conformance/older_kernel" /bin/true || skip_all "system calls cannot be filtered here"

# passes PROGRAM: all its tests do, on such a kernel.
passes() {
	timeout -k 5 300 "$tests/conformance/older_kernel" "$1" >"$scratch/out" 2>&1
}

for program in conformance/virtual conformance/virtual_watch conformance/watch_kernel \
	conformance/virtual_guard \
	conformance/virtual_process conformance/virtual_process_pages stress/parking stress/vm \
	stress/watch; do
	ok "$program" passes "$tests/$program"
	grep '^not ok' "$scratch/out" | tap_note
done
passes "$tests/stress/watch"
ok "by protection" grep -q 'by protection' "$scratch/out"
ok "unit/core/vm/parking" passes "$tests/unit/core/vm/parking"
grep '^not ok' "$scratch/out" | tap_note
ok "parked by protection" grep -q '^# by protection' "$scratch/out"
tap_done
