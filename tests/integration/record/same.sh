#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# The programs of tests/integration/native, recorded: same output, same status as without us, and a
# trace in which nothing contradicts itself.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh"

here=$VADTRACE_BUILDDIR/tests/integration/native

# Through a pipe, so that children that outlive the program are waited for.
# run_to FILE COMMAND...: its output and errors into FILE, its status in the last line.
run_to() {
	local file=$1

	shift
	timeout -k 5 600 "$@" 2>&1 </dev/null | cat >"$file"
	echo "status ${PIPESTATUS[0]}" >>"$file"
}

# contradictions FOLDER: addresses that live twice, and whether something was lost.
contradictions() {
	"$vadtrace" report --json "$1" | /usr/bin/python3 -c '
import json, sys
report = json.load(sys.stdin)
print(report["totals"]["double_live"], report["trace"]["lower_bounds"])'
}

# recorded NAME OPTIONS COMMAND...: as the bare run in $scratch/bare.
recorded() {
	local name=$1 options=$2

	shift 2
	rm -rf trace
	# shellcheck disable=SC2086 # several words
	run_to "$scratch/recorded" "$vadtrace" record -q $options -o trace -- "$@"
	same_files "$scratch/recorded" "$scratch/bare" "$name $options"
	is "$(contradictions trace)" "0 False" "$name $options: its trace"
}

# same NAME COMMAND...: in each mode, and with children.
same() {
	local name=$1 options

	shift
	run_to "$scratch/bare" "$@"
	for options in "--mode route" "--mode observe" "--children"; do
		recorded "$name" "$options" "$@"
	done
}

start_daemon
for program in semantics operators replaced early threads maps shortage coroutines overflow; do
	same $program "$here/$program"
done
run_to "$scratch/bare" "$here/interrupts"
recorded interrupts "--mode route" "$here/interrupts"
recorded interrupts "--mode observe" "$here/interrupts"
# The loader binds all functions at once, or asks a module that allocates about each of them.
for variable in LD_BIND_NOW=1 LD_AUDIT="$here/.libs/audit.so"; do
	export "${variable?}"
	run_to "$scratch/bare" "$here/early"
	recorded "early, ${variable%%=*}" "" "$here/early"
	unset "${variable%%=*}"
done
same forks "$here/forks" 20
same dl "$here/dl" "$here/.libs/dl_module.so" "$here/.libs/dl_outer.so"
for module in operators replaced; do
	same "plugin, $module" "$here/plugins" "$here/.libs/${module}_module.so"
done
# What records takes up to 2 KiB of a handler's stack; without it, 1 KiB is enough for all.
ROOM=2048 same signals "$here/signals"
# In a child that is recorded, LTTng has descriptors of its own, and the child counts them.
run_to "$scratch/bare" "$here/descriptors"
recorded descriptors "--mode route" "$here/descriptors"
recorded descriptors "--mode observe" "$here/descriptors"
# Whatever is opened at a program's end must be open before.
for wall in root descriptors rights namespaces hidden mounts; do
	run_to "$scratch/bare" "$here/walls" $wall
	is "$(head -n 1 "$scratch/bare")" "$wall: 0" "$wall: it is shut in"
	recorded "shut in: $wall" "--mode route" "$here/walls" $wall
	recorded "shut in: $wall" "--children" "$here/walls" $wall
done
for way in return exit exit-thread exec-thread main-thread _exit _Exit quick_exit exit_group \
	abort kill segv execve execvp; do
	run_to "$scratch/bare" "$here/ends" $way
	sed -i '/^timeout: /d' "$scratch/bare"
	recorded "end by $way" "" "$here/ends" $way
done
stop_daemon
tap_done
