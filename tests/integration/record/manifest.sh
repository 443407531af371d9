#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# What vadtrace.json says about a recording.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh"

# has FOLDER TEXT: the manifest, without spaces and line ends, has this text.
has() {
	ok "$1: $2" grep -q -F -e "$2" <(tr -d ' \n' <"$1/vadtrace.json")
}

begin=$(date +%s)
run record -o plain -- sh -c 'sleep 0.2; exit 5' word 'two
lines "quoted"'
end=$(date +%s)
has plain '"format_version":1'
has plain '"schema_version":7'
has plain '"command":["sh","-c","sleep0.2;exit5","word","two\nlines\"quoted\""]'
has plain "\"executable\":\"$(command -v sh)\""
has plain "\"cwd\":\"$scratch\""
has plain "\"node\":\"$(uname -n)\",\"system\":\"Linux\",\"release\":\"$(uname -r)\""
has plain '"mode":"route"'
has plain '"children":false,"discard":true,"stack_depth":64,"min_size_bytes":0'
has plain '"buffer_bytes":4194304,"buffer_count":8'
has plain '"end":{"exit_status":5}'
has plain '"lttng":{"events_discarded":0,"packets_lost":0}'
has plain '"stopped":"","complete":true'
number() {
	sed -n "s/^.*\"$1\":\([0-9]*\),*$/\1/p" plain/vadtrace.json
}
ok "the start is now" test $(($(number start_realtime_ns) / 1000000000)) -ge "$begin" -a \
	$(($(number start_realtime_ns) / 1000000000)) -le "$end"
source=$(cat /sys/devices/system/clocksource/clocksource0/current_clocksource || true)
has plain "\"clock\":{\"name\":\"CLOCK_MONOTONIC\",\"source\":\"$source\",\"resolution_ns\":1,"
is $(($(number start_realtime_ns) - $(number start_monotonic_ns))) \
	"$(number realtime_offset_ns)" "both starts are one moment"
ok "what a reading costs was measured" test "$(number reading_ns)" -gt 0
# LTTng gives its own offset of the same clock; both clocks go on while it is taken.
metadata=$(grep -ao 'offset = [0-9]*' plain/ust/uid/*/64-bit/metadata | grep -o '[0-9]*$' | head -1)
far=$((metadata - $(number realtime_offset_ns)))
ok "LTTng says the same within a millisecond" test "${far#-}" -lt 1000000
run info plain
ok "info tells the clock" grep -qE "^ *clock +CLOCK_MONOTONIC of $source, .* ns a reading" "$out"
run info --json plain
ok "--json, too" grep -qE '"reading_ns": ?[1-9]' "$out"

ok "the duration is the program's" test "$(number duration_ns)" -ge 200000000
is "$(events_in plain | grep -o 'session = "[^"]*"' | sort -u)" \
	"session = \"$(sed -n 's/.*"session":"\(.*\)",/\1/p' plain/vadtrace.json)\"" \
	"the session is that of the process events"

run record -o other --mode observe --children --discard --stack-depth 5 --min-size 1K \
	--buffer-size 100K -- "$allocate" 10
has other '"mode":"observe"'
has other '"children":true,"discard":true,"stack_depth":5,"min_size_bytes":1024'
has other '"buffer_bytes":131072'

# A limit of what is committed: malloc says so, the program goes on, and the trace has it.
run record -o limited --commit-limit 48M -- "$limited" 64
is "$status" 0 "a program with a commit limit"
has limited '"commit_limit_bytes":50331648'
run info limited
ok "info tells the limit" grep -qE '^ *commit limit +48\.0 MiB' "$out"
# What files and LTTng's buffers have is no charge.
run report --json limited
# shellcheck disable=SC2016 # Perl's
peak=$(perl -MJSON::PP -0777 -ne 'my $sum = 0;
	for my $owner (@{decode_json($_)->{address_space}{owners}}) {
		$sum += $owner->{peak_committed_bytes} if $owner->{owner} =~ /^(private|heap)$/;
	}
	print $sum' <"$out")
ok "the peak of commit is below it, and not far" \
	test "$peak" -gt $((24 << 20)) -a "$peak" -le $((48 << 20))
run record -o free -- "$limited" 64
is "$status" 1 "the same program without"

# Small buffers that may discard, and a program that only allocates: something is lost, and counted.
run record -o lossy --discard --buffer-size 64K -- "$allocate" 2000000
lost=$(sed -n 's/.*"events_discarded":\([0-9]*\),*/\1/p' lossy/vadtrace.json)
ok "--discard loses events" test "$lost" -gt 0
ok "and says so" said "$lost events .* LOST"
run record -o bounded --max-block 1us --buffer-size 64K -- "$allocate" 2000000
has bounded '"discard":true'
ok "--max-block loses events, too" said 'events .* LOST'
run record -o lossless --max-block forever -- true
has lossless '"discard":false'
run record -v -o told -- sleep 2
ok "-v tells what is written and lost, while it runs" said ' written, .*/s, nothing lost$'
run record -o whole --buffer-size 64K -- "$allocate" 200000
has whole '"lttng":{"events_discarded":0,"packets_lost":0}'
tap_done
