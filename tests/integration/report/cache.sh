#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# The cache of symbols and the number of threads change nothing but the time that a report takes;
# a damaged cache is made anew; a folder that cannot be written is done without.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh" || exit 1

known=$VADTRACE_BUILDDIR/tests/integration/report/known
trace=$scratch/trace
symbols=$XDG_CACHE_HOME/vadtrace/symbols

run record -q -o "$trace" -- "$known" 4
is "$status" 0 "recorded"
[ -d "$trace" ] || exit 1

# report NAME OPTIONS...: into $scratch/NAME, what was said to $scratch/NAME.said.
report() {
	local name=$1

	shift
	run report -v "$@" "$trace"
	cp "$out" "$scratch/$name"
	cp "$err" "$scratch/$name.said"
	is "$status" 0 "$name: reported"
}

# said NAME KEY: how many locations were from the cache, or new.
said() {
	local counts='.* \([0-9]*\) locations from the cache, \([0-9]*\) new.*'

	sed -n "s/$counts/\\$2/p" "$scratch/$1.said"
}

report none --no-cache
not_ok "without a cache no folder is made" test -e "$XDG_CACHE_HOME"
is "$(said none 1) $(said none 2)" "0 0" "and nothing is kept"
report cold
ok "the folder is made" test -d "$symbols"
is "$(said cold 1)" 0 "nothing was known"
ok "all is kept" test "$(said cold 2)" -gt 0
same_files "$scratch/cold" "$scratch/none" "the first report is the same"
report warm
is "$(said warm 2)" 0 "everything is known"
is "$(said warm 1)" "$(said cold 2)" "from the report before"
same_files "$scratch/warm" "$scratch/none" "the second report is the same"
is "$(find "$symbols" -name '.new-*')" "" "no draft is left"
is "$(stat -c %a "$symbols")" 700 "the folder is the user's own"

for file in "$symbols"/*; do
	printf '\377' | dd of="$file" bs=1 seek=100 conv=notrunc status=none
done
report damaged
is "$(said damaged 1)" 0 "a damaged cache is not believed"
same_files "$scratch/damaged" "$scratch/none" "the report is the same"
report mended
is "$(said mended 2)" 0 "it was made anew"

# A file in the folder's place: root may write everywhere else.
saved=$XDG_CACHE_HOME
export XDG_CACHE_HOME=$scratch/file
touch "$XDG_CACHE_HOME"
report unwritable
same_files "$scratch/unwritable" "$scratch/none" "without a folder the report is the same"
ok "-v says so" grep -q 'cache of symbols cannot be written' "$scratch/unwritable.said"
run report "$trace"
is "$(cat "$err")" "" "without -v nothing is said"
export XDG_CACHE_HOME=$saved

for jobs in 1 2 9; do
	report "jobs-$jobs" --jobs $jobs
	same_files "$scratch/jobs-$jobs" "$scratch/none" "--jobs $jobs: the same report"
done
report babeltrace --jobs 2 --reader babeltrace
same_files "$scratch/babeltrace" "$scratch/none" "libbabeltrace2 in a thread: the same report"
run report --jobs 0 "$trace"
is "$status" 2 "no jobs, no report"

run compress -q "$trace"
report compressed --jobs 2
is "$(tail -n +1 "$scratch/compressed" | grep -c do_keep)" "$(grep -c do_keep "$scratch/none")" \
	"a compressed trace in two threads"

# A signal while libbabeltrace2 reads the copy that was made for it: the copy goes.
export TMPDIR=$scratch/tmp
mkdir "$TMPDIR"
run record -q -o "$scratch/long" -- "$VADTRACE_BUILDDIR/tests/bench/churn" 1 200000
run compress -q "$scratch/long"
for signal in INT TERM; do
	# A shell's background process ignores INT, unless it is told.
	env --default-signal=INT "$vadtrace" report --reader babeltrace "$scratch/long" \
		>"$out" 2>"$err" </dev/null &
	pid=$!
	until [ -n "$(ls "$TMPDIR")" ] || ! kill -0 $pid 2>/dev/null; do
		sleep 0.01
	done
	kill -$signal $pid 2>/dev/null
	status=0
	wait $pid 2>/dev/null || status=$?
	is "$(ls "$TMPDIR")" "" "SIG$signal: nothing is left"
	ok "SIG$signal: the program ended by it" test $status -gt 128 -o -s "$out"
done

tap_done
