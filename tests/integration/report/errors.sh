#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Misuse of blocks in a recording: the event, its call stacks, what the report makes of them.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh" || exit 1

crimes=$VADTRACE_BUILDDIR/tests/integration/native/crimes
command -v python3 >/dev/null || skip_all "needs python3"

# functions KEY: of the first error in the report, the functions of that stack in the program.
functions() {
	python3 -c 'import json, sys
error = json.load(open(sys.argv[1]))["errors"][0]
print(" ".join(frame["function"] for frame in error[sys.argv[2]]
	if "crimes" in frame.get("file", "")))
' "$scratch/report" "$1"
}

value() {
	python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))["errors"][0][sys.argv[2]])' "$scratch/report" "$1"
}

# crime NAME STATUS WORDS...: recorded with these words before the command.
crime() {
	local name=$1 expected=$2

	shift 2
	rm -rf "$scratch/trace"
	run record -q -o "$scratch/trace" "$@" -- "$crimes" "$name"
	cp "$err" "$scratch/said"
	is "$status" "$expected" "$name $*: the status is the program's"
	run report --json "$scratch/trace"
	is "$status" 0 "$name $*: the report is made"
	cp "$out" "$scratch/report"
}

crime double 134
is "$(value misuse)" "freed already" "it is told"
is "$(value function)" free "of the function that was given it"
is "$(value size_bytes)" 100 "the trace knows the block"
is "$(functions stack)" "free_twice main" "where it was met"
is "$(functions allocated_by)" main "and who had allocated it"
is "$(functions freed_by)" "" "but not who freed it first"

crime inner 134
is "$(value misuse)" "not the start of the block" "it is told"
is "$(functions allocated_by)" main "of which block"

crime double 134 --check
is "$(functions stack)" "free_twice main" "where it was met"
is "$(functions allocated_by)" main "who had allocated it"
is "$(functions freed_by)" "free_twice main" "who freed it first"
ok "the report is on standard error, too" grep -q "the block was freed already" "$scratch/said"

crime write-freed 0 --check=pattern
is "$(value misuse)" "written to after it was freed" "it is told"
is "$(value function)" None "of no function: it was found at the end"
is "$(functions freed_by)" "write_freed main" "who freed it"

crime read-freed 139 --check=page
is "$(value misuse)" "touched after it was freed" "it is told"
is "$(value function)" None "of no function: an instruction of the program's did it"
is "$(functions stack)" "read_freed main" "the very instruction"
is "$(functions freed_by)" "read_freed main" "who freed it"

run report --errors "$scratch/trace"
is "$status" 0 "text: it is made"
ok "text: what happened" grep -q "^  touched after it was freed" "$out"
ok "text: who freed it" grep -q "freed by:" "$out"
not_ok "text: nothing else" grep -q "Threads" "$out"
run report --errors --error-exitcode 42 "$scratch/trace"
is "$status" 42 "the exit status that was asked for"

crime nothing 0 --check --quarantine 1M
is "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["errors"])' \
	"$scratch/report")" "[]" "nothing: no error"
run report --errors --error-exitcode 42 "$scratch/trace"
is "$status" 0 "nothing: no error, no exit status"
ok "nothing: it says so" grep -q "No block or heap was seen misused" "$out"

for words in "--check=all" "--check --mode observe" "--quarantine much"; do
	# shellcheck disable=SC2086 # several words
	run record -q -o "$scratch/none" $words -- "$crimes" nothing
	is "$status" 113 "$words is refused"
done

tap_done
