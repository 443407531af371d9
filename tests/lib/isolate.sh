# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# Sourced first by bash scripts: . "$VADTRACE_SRCDIR/tests/lib/isolate.sh"
#
# Runs the script again with a /run of its own, where that is allowed: no session daemon of somebody
# else's is in reach, whose recordings would get our events and we theirs, and nobody ends ours.

if [ -z "${TEST_IS_ISOLATED:-}" ] && unshare --mount true 2>/dev/null; then
	# shellcheck disable=SC2016 # expanded there
	TEST_IS_ISOLATED=1 exec unshare --mount \
		bash -c 'mount -t tmpfs run /run && exec bash "$0"' "$0"
fi
unset TEST_IS_ISOLATED
