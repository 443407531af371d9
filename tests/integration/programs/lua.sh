#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

. "${VADTRACE_SRCDIR:?}/tests/integration/programs/programs.sh"
need lua5.4
same_in_all_ways lua5.4 "$here/script.lua"
tap_done
