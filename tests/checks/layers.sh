#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# The includes keep to the order of the layers.

. "${VADTRACE_SRCDIR:?}/tests/lib/tap.sh"

# check_layers FOLDER: in a tree that is laid out like ours.
check_layers() {
	(cd "$1" && find core trace preload tools -name '*.[ch]' 2>/dev/null | LC_ALL=C sort |
		xargs awk -f "$VADTRACE_SRCDIR/tests/checks/layers.awk")
}

# sample PATH INCLUDE: a tree with this one file.
sample() {
	rm -rf "$scratch/tree"
	mkdir -p "$scratch/tree/$(dirname "$1")"
	printf '#include %s\n' "$2" >"$scratch/tree/$1"
}

bad() {
	sample "$1" "$2"
	not_ok "finds $1 including $2" check_layers "$scratch/tree"
}

good() {
	sample "$1" "$2"
	ok "lets $1 include $2" check_layers "$scratch/tree"
}

ok "the sources keep to their layers" check_layers "$VADTRACE_SRCDIR"
bad core/base/lock.c '"core/vm/vad.h"'
bad core/vm/vad.c '"core/heap/heap.h"'
bad core/heap/heap.c '"core/win32/face.h"'
bad core/vm/vad.c '"core/misc/other.h"'
bad core/core.c '"trace/trace.h"'
bad core/vm/vad.c '<lttng/tracepoint.h>'
bad core/vm/vad.c '<libunwind.h>'
bad core/vm/vad.c '<stdio.h>'
bad trace/sink.c '"core/vm/vad.h"'
bad trace/sink.c '"core/base/lock.h"'
bad trace/schema/schema.h '"trace/trace.h"'
bad trace/schema/schema.h '"core/event.h"'
bad preload/main.c '"trace/sink.h"'
bad preload/main.c '<lttng/tracepoint.h>'
bad tools/cmd_report.c '"trace/trace.h"'
bad tools/cmd_report.c '"core/vm/vad.h"'
bad tools/cmd_doctor.c '"preload/pe/hook.h"'
bad preload/pe/plan/image.c '"preload/pe/hook.h"'
bad preload/pe/plan/image.c '<stdio.h>'
good tools/cmd_doctor.c '"preload/pe/plan/image.h"'
good preload/pe/hook.c '"preload/pe/plan/image.h"'
good core/base/lock.c '"core/os/os.h"'
good core/win32/virtual.c '"core/vm/virtual.h"'
good core/event.h '"api.h"'
good trace/sink.c '"core/event.h"'
good preload/main.c '"core/heap/heap.h"'
good tools/cmd_report.c '"trace/schema/record.h"'
tap_done
