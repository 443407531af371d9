# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# Sourced by the scripts here. Each runs in namespaces of its own: a /run and /dev/shm without any
# session daemon, mounts that end with it, and only its own processes in sight.
#
#   run record -o "$scratch/a" -- true       sets $status, $out and $err (files)

: "${VADTRACE_SRCDIR:?the source folder}" "${VADTRACE_BUILDDIR:?the build folder}"

if [ -z "${RECORD_TEST_ISOLATED:-}" ]; then
	if ! unshare --mount --pid --fork --mount-proc true 2>/dev/null; then
		echo "1..0 # SKIP needs root, for namespaces of its own"
		exit 0
	fi
	# The shell that is process 1 ignores signals, so the test is its child.
	# shellcheck disable=SC2016 # expanded there
	RECORD_TEST_ISOLATED=1 exec unshare --mount --pid --fork --mount-proc \
		bash -c 'mount -t tmpfs run /run && mount -t tmpfs shm /dev/shm && bash "$0"
			exit $?' "$0"
fi

. "$VADTRACE_SRCDIR/tests/lib/tap.sh"

vadtrace=$VADTRACE_BUILDDIR/tools/vadtrace
# shellcheck disable=SC2034 # for the scripts
allocate=$VADTRACE_BUILDDIR/tests/integration/record/allocate
# shellcheck disable=SC2034 # for the scripts
limited=$VADTRACE_BUILDDIR/tests/integration/record/limited
out=$scratch/out
err=$scratch/err
status=
unset LD_PRELOAD LTTNG_HOME LTTNG_SESSIOND_PATH VADTRACE_LIBRARY
cd "$scratch" || exit 1

# Mounts of a test's own keep their folders busy.
leave() {
	cd / && awk -v under="$scratch/" 'index($2, under) == 1 { print $2 }' /proc/mounts |
		xargs -r umount
	rm -rf "$scratch"
}
trap leave EXIT

# run WORDS...: runs vadtrace to its end.
run() {
	status=0
	"$vadtrace" "$@" >"$out" 2>"$err" </dev/null || status=$?
}

# start WORDS...: runs vadtrace record in the background, as $recorder.
start() {
	"$vadtrace" record "$@" >"$out" 2>"$err" </dev/null &
	recorder=$!
}

# finish: waits for $recorder and sets $status.
finish() {
	status=0
	wait "$recorder" || status=$?
}

# until_true COMMAND...: waits for it. The bound only ends a hang.
until_true() {
	local i

	for ((i = 0; i < 6000; i++)); do
		"$@" 2>/dev/null && return 0
		sleep 0.05
	done
	return 1
}

# living NAME: the processes of that name that are no zombies.
living() {
	ps -e -o pid=,stat=,comm= |
		awk -v name="$1" '$2 !~ /^Z/ && index($3, name) == 1 { print $1 }'
}

daemon_pid() {
	cat /run/lttng/lttng-sessiond.pid
}

# traced FOLDER: LTTng's own reader finds events in it.
events_in() {
	babeltrace2 "$1/ust" 2>/dev/null
}

said() {
	grep -q -e "$1" "$err"
}

# refused STATUS PATTERN NAME: the last run ended so, said so, gave a hint, and left nothing.
refused() {
	is "$status" "$1" "$3: status"
	ok "$3: message" said "$2"
	ok "$3: says what to do" said 'hint: '
	no_leftovers "$3"
}

# What a recording must not leave: sessions, daemons, traces (in $scratch), buffers.
leftovers() {
	[ ! -S /run/lttng/client-lttng-sessiond ] || lttng list | grep vadtrace-
	ps -e -o pid=,ppid=,stat=,comm=,args= | awk '$3 !~ /^Z/ && index($4, "lttng-") == 1'
	find "$scratch" -maxdepth 1 -name 'vadtrace.*' -o -maxdepth 1 -name '*.replaced-*'
	find /dev/shm -type f ! -name 'lttng-ust-wait-*'
}

no_leftovers() {
	is "$(leftovers)" "" "$1: nothing is left"
}

start_daemon() {
	lttng-sessiond --daemonize --no-kernel
}

stop_daemon() {
	local pid

	pid=$(daemon_pid)
	kill "$pid"
	until_true not_living "$pid"
}

not_living() {
	! grep -q '^State:	[^ZX]' "/proc/$1/status"
}
