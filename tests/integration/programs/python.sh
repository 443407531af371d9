#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Python's own tests of json, re, threading and subprocess, with Python's own allocator; without
# those that judge how long something took.

. "${VADTRACE_SRCDIR:?}/tests/integration/programs/programs.sh"

# The system's Python: one in the user's path may lack its tests.
python=/usr/bin/python3
need $python
$python -c 'import test.test_json' 2>/dev/null || skip_all "libpython3.11-testsuite is missing"

# Times and the machine's load differ, and slow tests are told of; the order of the lines does not
# change.
normalise() {
	sed -E 's/^[0-9]+:[0-9:]+ load avg: [0-9.]+ //; s/[0-9.]+ (ms|sec|min)\b/TIME/g
		s/ in [0-9.]+s/ in TIME/
		/^test_[a-z]+ passed in /d; /^running: /d; /^Total duration: /d
		s/\bpid [0-9]+/pid N/g'
}

same_in_all_ways $python -m test --timeout 600 --ignore '*timeout*' \
	test_json test_re test_threading test_subprocess
tap_done
