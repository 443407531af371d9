#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# --relay streams to lttng-relayd, here on the loopback; its folder completes the recording's.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh"

command -v lttng-relayd >/dev/null || skip_all "no lttng-relayd here"
# start_relay PORT: with this and the next two; fails when somebody has one of them.
start_relay() {
	local address=tcp://127.0.0.1

	lttng-relayd --background --control-port "$address:$1" --data-port "$address:$(($1 + 1))" \
		--live-port "$address:$(($1 + 2))" --output "$scratch/relay" >/dev/null 2>&1
}

# Below the ports that the system gives to clients.
for ((try = 0; try < 50; try++)); do
	port=$((20000 + RANDOM % 4000 * 3))
	start_relay $port && break
done
[ $try -lt 50 ] || skip_all "lttng-relayd does not start"
url=net://127.0.0.1:$port:$((port + 1))

run record --relay "$url" -o sent -- "$allocate" 100000
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
run record --relay "$url" -- true
refused 122 "LTTng cannot" "no relay there"
tap_done
