#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# A Windows program with a limit of what it may commit: it is told so in each way there is, Wine
# goes on, and the report knows the limit and what was charged.

. "${VADTRACE_SRCDIR:?}/tests/integration/wine/lib.sh"
[ -e "$preload" ] || skip_all "the preload is not built here"
start_wine

limit=64

# passes WAY NAME: each of the program's own tests is one of ours.
passes() {
	local line

	is "$(cat "$scratch/$1/status")" 0 "$2: the program's status"
	while read -r line; do
		case $line in
		ok*) ok "$2: ${line#* - }" true ;;
		not\ ok*) ok "$2: ${line#* - }" false ;;
		'#'*) echo "$line" ;;
		esac
	done < <(tr -d '\r' <"$scratch/$1/stdout")
}

# Without a recording it is the environment that has the limit.
eval "$(declare -f set_prefix | sed '1s/set_prefix/usual_prefix/')"
set_prefix() {
	usual_prefix "$1"
	[ "$1" != preload-route ] || prefix+=(VADTRACE_COMMIT_LIMIT=$((limit << 20)))
}

# told NAME: a figure of the section virtual_memory.
told() {
	python3 -c 'import json, sys
memory = json.load(open(sys.argv[1]))["virtual_memory"]
for row in memory["protections"]:
	memory[row["protection"]] = row["committed_bytes"]
print(memory[sys.argv[2]])' "$scratch/report.json" "$1"
}

run_way preload-route "$programs/limit.exe" $limit
passes preload-route "not recorded"
record_words=(--commit-limit "${limit}M")
run_way record-route "$programs/limit.exe" $limit
passes record-route recorded
"$vadtrace" report --json "$scratch/record-route/trace" >"$scratch/report.json"
if command -v python3 >/dev/null; then
	is "$(told commit_limit_bytes)" $((limit << 20)) "the report has the limit"
	ok "the charge came near it" \
		test "$(told peak_commit_charge_bytes)" -gt $(((limit - 2) << 20))
	ok "what may be written and executed" test "$(told EXECUTE_READWRITE)" -ge $((4 << 20))
fi
tap_done
