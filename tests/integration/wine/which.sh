#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Which of Wine's processes is recorded: the user's program, however Wine comes to run it, and none
# of Wine's own.

. "${VADTRACE_SRCDIR:?}/tests/integration/wine/lib.sh"
[ -e "$preload" ] || skip_all "the preload is not built here"
start_wine

# record [OPTION...] -- COMMAND: in $scratch, stdout and status. Again when Wine's server has killed
# the program for its slow exit (see run_way).
record() {
	local try

	for ((try = 0; try < 3; try++)); do
		record_once "$@"
		was_killed_for_slowness "$(cat "$scratch/status")" "$*" || return 0
	done
}

record_once() {
	local status=0

	(cd "$scratch" && unset "${!VADTRACE_@}" &&
		exec timeout --foreground -k 10 "$limit_seconds" \
			"$vadtrace" record -f -q -o "$scratch/trace" "$@") \
		>"$scratch/stdout" 2>"$scratch/stderr" </dev/null || status=$?
	echo "$status" >"$scratch/status"
}

# The programs in the trace, without folders and arguments, in one line.
recorded() {
	"$vadtrace" info --json "$scratch/trace" | /usr/bin/python3 -c '
import json, sys
for process in json.load(sys.stdin)["processes"]:
    print(process["command_line"].split()[0].replace("\\", "/").split("/")[-1])' 2>&1 |
		LC_ALL=C sort -u | paste -sd " "
}

printf '#!/bin/sh\nhere=$(dirname "$0")\nexec "%s" "$@"\n' "$wine" >"$scratch/wine"
chmod +x "$scratch/wine"

record -- "$wine" "$programs/ends.exe" exit
is "$(cat "$scratch/status")" 3 "the loader: the program's status"
is "$(recorded)" ends.exe "the loader: the program is recorded"

record -- "$scratch/wine" "$programs/ends.exe" exit
is "$(cat "$scratch/status")" 3 "a script: the program's status"
is "$(recorded)" ends.exe "a script: the program is recorded"

record -- "$wine" cmd.exe /c 'exit 5'
is "$(cat "$scratch/status")" 5 "by way of start.exe: the program's status"
is "$(recorded)" cmd.exe "by way of start.exe: the program is recorded"

record -- "$wine" "$programs/ends.exe" child
is "$(recorded)" ends.exe "a program with a child"

record --children -- "$wine" cmd.exe /c "Z:${programs//\//\\}\\ends.exe exit"
is "$(recorded)" "cmd.exe ends.exe" "with children: those of the program, none of Wine's"

record -- "$wine" cmd.exe /c set
not_ok "nothing of the recorder's is in the program's environment" \
	grep -E '^(VADTRACE_|LD_PRELOAD|LTTNG_UST)' "$scratch/stdout"

record --mode verify -- /bin/true
is "$(cat "$scratch/status")" 113 "verify is for Windows programs"
record -- "$programs/ends.exe"
is "$(cat "$scratch/status")" 126 "a Windows program does not run without Wine"
tap_done
