#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

. "${VADTRACE_SRCDIR:?}/tests/integration/programs/programs.sh"
need perl
same_in_all_ways perl "$here/script.pl"
tap_done
