#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# The exported trace is one that babeltrace2 reads, with each recorded call, and with what Trace
# Compass asks for.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh" || exit 1
command -v babeltrace2 >/dev/null || skip_all "needs babeltrace2"

known=$VADTRACE_BUILDDIR/tests/integration/report/known
churn=$VADTRACE_BUILDDIR/tests/bench/churn
compare=$VADTRACE_SRCDIR/tests/integration/report/export.py

# exported TRACE NAME
exported() {
	run export --format ctf -o "$1.plain" "$1"
	is "$status" 0 "$2: exported"
	ok "$2: every call, and nothing else" /usr/bin/python3 "$compare" "$1" "$1.plain"
}

run record -q -o threads -- "$known" 8
is "$status" 0 "recorded"
exported threads "eight threads"
run record -q --children -o forked -- "$known" 1 fork
exported forked "a fork"
is "$(find forked.plain -name 'process_*' | wc -l)" 2 "a fork: a stream for each process"
# Packets come round, and buffers do.
run record -q --buffer-size 64K -o churn -- "$churn" 2 20000
exported churn "many packets"

# What Trace Compass knows LTTng's wrapper by.
for event in malloc calloc realloc free memalign posix_memalign; do
	ok "metadata: $event" grep -q "name = \"lttng_ust_libc:$event\";" threads.plain/metadata
done
for words in 'domain = "ust";' 'tracer_name = "lttng-ust";' 'tracer_major = 2;' '_vtid;' \
	'_vpid;' '_procname\[17\];' '_ip;'; do
	ok "metadata: $words" grep -q "$words" threads.plain/metadata
done
# What known.c asks for.
babeltrace2 threads.plain >said
is "$(grep -c 'posix_memalign: .* alignment = 256, size = 100, result = 0 }' said)" 8 \
	"the alignment of posix_memalign"
is "$(grep -c ':memalign: .*{ alignment = 64, size = 128,' said)" 8 \
	"the alignment of aligned_alloc"
babeltrace2 --debug-info --debug-info-full-path threads.plain >said 2>&1
ok "the callers have names" grep -q 'malloc:.*func = "do_' said
ok "the callers have lines" grep -q 'malloc:.*src = ".*known.c:' said

# The epoch: the events happened today.
ok "the events have their date" grep -q "^\[$(date +%Y)-" \
	<(babeltrace2 --clock-date threads.plain | head -n 1)

run export --format ctf -o threads.plain threads
is "$status" 1 "a folder that is there is left alone"
run export -o other threads
is "$status" 2 "no format"
run export --format svg -o other threads
is "$status" 2 "no such format"
run export --format ctf threads
is "$status" 2 "no folder"
mkdir nothing
run export --format ctf -o other nothing
is "$status" 1 "no trace"
tap_done
