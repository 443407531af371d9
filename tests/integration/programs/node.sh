#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# node: a JIT, threads of its own, worker threads, large reservations.

. "${VADTRACE_SRCDIR:?}/tests/integration/programs/programs.sh"
need node
same_in_all_ways node "$here/script.js"
tap_done
