#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2034

# tar and xz in a pipe, there and back; xz with threads.

. "${VADTRACE_SRCDIR:?}/tests/integration/programs/programs.sh"
need tar xz
children=yes

cat >"$scratch/work.sh" <<'TEXT'
set -e -o pipefail
order='--sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u+w'
tar -C "$VADTRACE_SRCDIR" $order -cf - core tools tests | xz -T2 --block-size=64KiB -6 >all.tar.xz
xz -l --robot all.tar.xz | grep totals
xz -dc -T2 all.tar.xz | tar -tvf - | cksum
xz -dc all.tar.xz | cksum
tar -xJf all.tar.xz
diff -r "$VADTRACE_SRCDIR/core" core && echo same
tar -cf - --format=pax core | xz -0 -C sha256 | xz -t -v 2>/dev/null && echo tested
rm -rf core tools tests
TEXT
same_in_all_ways bash "$scratch/work.sh"
tap_done
