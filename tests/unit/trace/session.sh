#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Runs a command while an LTTng session of its own records it, with a session daemon that nobody
# else sees. Usage: session.sh OUTPUT COMMAND...; gives the command's status.

set -eu

if [ "${VADTRACE_TEST_NAMESPACE:-}" != yes ]; then
	VADTRACE_TEST_NAMESPACE=yes exec unshare --mount --propagation private -- "$BASH" "$0" "$@"
fi
output=$1
shift
mount -t tmpfs vadtrace-test /run
mount -t tmpfs vadtrace-test /dev/shm
home=$(mktemp -d /run/home.XXXXXX)
export HOME=$home LTTNG_HOME=$home
lttng-sessiond --no-kernel --daemonize --pidfile="$home/pid" >"$home/log" 2>&1
# shellcheck disable=SC2317 # called by the trap
finish() {
	local daemon tries=6000

	daemon=$(cat "$home/pid")
	kill "$daemon" 2>/dev/null || true
	while kill -0 "$daemon" 2>/dev/null && [ $((tries -= 1)) -gt 0 ]; do
		sleep 0.05
	done
	kill -KILL "$daemon" 2>/dev/null || true
}
trap finish EXIT
{
	lttng create raw --output="$output"
	lttng enable-channel --userspace raw --blocking-timeout=inf --subbuf-size=1M --num-subbuf=4
	lttng enable-event --userspace 'vadtrace_*' --channel=raw
	lttng add-context --userspace --type=vpid --type=vtid --channel=raw
	lttng start
} >>"$home/log" 2>&1
status=0
LTTNG_UST_REGISTER_TIMEOUT=-1 LTTNG_UST_ALLOW_BLOCKING=1 "$@" || status=$?
{
	lttng stop
	lttng destroy
} >>"$home/log" 2>&1
exit $status
