#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# --relay streams to lttng-relayd, here on the loopback; its folder completes the recording's.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh"

command -v lttng-relayd >/dev/null || skip_all "no lttng-relayd here"
control=tcp://127.0.0.1:53342
data=tcp://127.0.0.1:53343
lttng-relayd --background --control-port $control --data-port $data \
	--live-port tcp://127.0.0.1:53344 --output "$scratch/relay" >/dev/null 2>&1 ||
	skip_all "lttng-relayd does not start"

run record --relay net://127.0.0.1:53342:53343 -o sent -- "$allocate" 100000
is "$status" 0 "records to a relay"
ok "says where the events are" said 'hint: the events are with the relay'
not_ok "no events here" test -e sent/ust
ok "the manifest tells the relay" grep -q '"relay_url":"net://127.0.0.1' sent/vadtrace.json
found=$(find "$scratch/relay" -type d -name ust | head -n 1)
ok "the relay has them" test -n "$found"
cp -r "$found" sent/ust
ok "copied back they are a trace" grep -q vadtrace_heap <(events_in sent)

pid=$(living lttng-relayd | head -n 1)
kill "$pid"
until_true not_living "$pid"
run record --relay net://127.0.0.1:53342:53343 -- true
refused 122 "LTTng cannot" "no relay there"
tap_done
