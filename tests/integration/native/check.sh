#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Misuse of malloc's blocks: what each crime comes to, unchecked and checked, without a recording.

. "${VADTRACE_SRCDIR:?}/tests/integration/native/lib.sh"

crimes=$here/crimes

# checked HOW COMMAND...: with us and blocks checked in this way, output and status into a file.
checked() {
	local how=$1

	shift
	run_to "$scratch/out" env LD_PRELOAD="$alone" VADTRACE_CHECK="$how" "$@"
}

# What the program and the report said, on one line: addresses and frames differ from run to run.
summary() {
	sed -E 's/0x[0-9a-f]+/ADDRESS/g; s/^vadtrace: //; s/^  (here), by.*/+\1/
		s/^  (allocated|freed) by.*/+\1/; /^    /d; /^timeout: /d' "$scratch/out" |
		paste -sd '|'
}

# crime HOW NAME EXPECTED
crime() {
	checked "$1" "$crimes" "$2"
	is "$(summary)" "before|$3" "$2, $1"
}

again="the block was freed already: ADDRESS|  the start of a block of"
inside="inside a block, not at its start: ADDRESS|  16 bytes into a block of"
behind="the program wrote past the end of the block at ADDRESS"
before="the program wrote before the start of the block at ADDRESS|  1 bytes before the start of"
freed="the program wrote to a freed block, at ADDRESS|  50 bytes into a block of"
touched="the program touched a freed block, at ADDRESS|  50 bytes into a block of"
beside="the program touched memory beside a block, at ADDRESS"
first="|  0 bytes behind the end of a block of"
second="|  1 bytes behind the end of a block of"
born=" bytes|+here|+allocated"
both="$born|+freed"

for how in pattern page; do
	crime $how nothing "after|status 0"
	crime $how double "free(): $again 100$both|status 134"
	crime $how double-large "free(): $again 10485760$both|status 134"
	crime $how inner "free(): $inside 100$born|status 134"
	crime $how misaligned "free(): ${inside/16 bytes/1 bytes} 100$born|status 134"
	crime $how realloc-freed "realloc(): $again 100$both|status 134"
	crime $how size-freed "malloc_usable_size(): $again 100$both|status 134"
	crime $how behind-odd "free(): $behind$second 100$born|status 134"
	crime $how behind-kept "after|$behind$second 100$born|status 0"
	crime $how behind-realloc "realloc(): $behind$second 100$born|status 134"
	crime $how before "free(): $before a block of 100$born|status 134"
done
crime pattern behind "free(): $behind$first 112$born|status 134"
crime page behind "$beside$first 112$born|status 139"
crime pattern write-freed "after|$freed 100$both|status 0"
crime page write-freed "$touched 100$both|status 139"
crime pattern read-freed "after|status 0"
crime page read-freed "$touched 100$both|status 139"
crime pattern read-behind "after|status 0"
crime page read-behind "$beside$first 112$born|status 139"
crime page read-handled "$touched 100$both|handled|status 3"

# What is no block of ours goes to the next allocator, as unchecked.
for how in pattern page; do
	for crime in static stack; do
		run_to "$scratch/bare" "$crimes" $crime
		checked $how "$crimes" $crime
		same_files "$scratch/out" "$scratch/bare" "$crime, $how"
	done
done

# Frames are named.
checked page "$crimes" write-freed
ok "the report names the file of its frames" grep -q "crimes+0x" "$scratch/out"

# The report goes where it is told; the last word before an abort is on standard error, too.
run_to "$scratch/out" env LD_PRELOAD="$alone" VADTRACE_CHECK=pattern \
	VADTRACE_LOG="$scratch/log" "$crimes" write-freed
is "$(summary)" "before|after|status 0" "nothing on standard error"
ok "the report is in the file" grep -q "wrote to a freed block" "$scratch/log"
run_to "$scratch/out" env LD_PRELOAD="$alone" VADTRACE_CHECK=pattern \
	VADTRACE_LOG="$scratch/log" "$crimes" double
is "$(summary)" "before|free(): the block was freed already: ADDRESS|status 134" \
	"one line on standard error"
is "$(grep -c "^vadtrace: " "$scratch/log")" 2 "the file has both reports"

# An empty quarantine forgets a block at once: its memory is anybody's.
run_to "$scratch/out" env LD_PRELOAD="$alone" VADTRACE_CHECK=pattern VADTRACE_QUARANTINE=0 \
	"$crimes" nothing
is "$(summary)" "before|after|status 0" "no quarantine"

# In observe mode nothing is checked.
run_to "$scratch/out" env LD_PRELOAD="$alone" VADTRACE_MODE=observe VADTRACE_CHECK=pattern \
	"$crimes" behind-kept
is "$(summary)" "before|after|status 0" "not in observe mode"

# The Windows functions answer as unchecked, and what was wrong is told.
checked pattern "$VADTRACE_BUILDDIR/tests/conformance/heap_misuse"
is "$(tail -n 1 "$scratch/out")" "status 0" "heap_misuse, pattern: its answers"
for words in "HeapFree(): the block was freed already" "HeapReAlloc(): inside a block" \
	"HeapFree(): no block starts at" "HeapFree(): a block of another heap" \
	"HeapFree(): the program wrote past the end" "HeapAlloc(): the heap was destroyed" \
	"HeapValidate(): the program wrote past the end" \
	"HeapDestroy(): the program wrote past the end"; do
	ok "heap_misuse, pattern: $words" grep -q -F "vadtrace: $words" "$scratch/out"
done
is "$(grep '^vadtrace: ' "$scratch/out" | grep -v -F '():')" "" \
	"heap_misuse, pattern: each report names the function"

tap_done
