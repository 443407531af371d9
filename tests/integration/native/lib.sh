# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034

# Sourced by the scripts here. Runs programs bare and with the preload, and compares. They must not
# meet a session daemon: with somebody's recording of other programs its buffers appear in them,
# too, and count as theirs.
#
#   same dl "$here/dl" "$module"        output and status are those of the bare run: in each mode,
#                                       as recorded; by hand, with nothing that records, or with it

. "${VADTRACE_SRCDIR:?}/tests/lib/isolate.sh"
. "$VADTRACE_SRCDIR/tests/lib/tap.sh"

here=$VADTRACE_BUILDDIR/tests/integration/native
alone=$VADTRACE_BUILDDIR/preload/.libs/libvadtrace.so
# As the recorder names them.
preload=$alone:${alone%.so}-record.so
[ -e "$alone" ] || skip_all "the preload is not built here"
ulimit -c 0

# Through a pipe, so that children that outlive the program are waited for.
# run_to FILE COMMAND...: its output and errors into FILE, its status in the last line.
run_to() {
	local out=$1

	shift
	timeout -k 5 600 "$@" 2>&1 </dev/null | cat >"$out"
	echo "status ${PIPESTATUS[0]}" >>"$out"
}

# preloaded MODE COMMAND...: with us, and what else is in the list $preloads.
preloaded() {
	local mode=$1

	shift
	# Named as the recorder names it, so that children run without us.
	run_to "$scratch/$mode" env LD_PRELOAD="${preloads:-$preload}" VADTRACE_PRELOAD="$preload" \
		VADTRACE_MODE="$mode" "$@"
}

# same NAME COMMAND...: as without us, in each mode.
same() {
	local name=$1 mode load

	shift
	run_to "$scratch/bare" "$@"
	for mode in route observe; do
		preloaded $mode "$@"
		same_files "$scratch/$mode" "$scratch/bare" "$name, $mode"
	done
	for load in 0 1; do
		preloads=$alone VADTRACE_RECORD=$load preloaded route "$@"
		same_files "$scratch/route" "$scratch/bare" "$name, by hand, recorder $load"
	done
}

