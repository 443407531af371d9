#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Eight million events: neither who records nor who reads keeps them in memory.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh" || exit 1

command -v python3 >/dev/null || skip_all "needs python3"

cat >peak.py <<'END'
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024, status)
END

# peak COMMAND...: the most resident memory that it, or a process that it waited for, had.
peak() {
	read -r bytes status < <(python3 peak.py "$@")
}

# Each processor that the program runs on has buffers, which it maps.
processor=$(python3 -c 'import os; print(min(os.sched_getaffinity(0)))')
for count in 100000 4000000; do
	peak taskset -c "$processor" "$vadtrace" record -q -o "trace$count" -- "$allocate" $count
	is "$status" 0 "$count pairs: recorded"
	ok "$count pairs: the recorder and its program" test "$bytes" -lt $((112 << 20))
done
trace_bytes=$(du -sb trace4000000 | cut -f 1)
ok "the trace is larger than what may be resident" test "$trace_bytes" -gt $((160 << 20))
for command in report leaks info; do
	peak "$vadtrace" $command trace4000000
	is "$status" 0 "$command: status"
	ok "$command: resident memory" test "$bytes" -lt $((96 << 20))
done
tap_done
