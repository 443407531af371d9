#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Bash completion offers the commands, each command's options, traces, and the recorded program's
# words.

. "${VADTRACE_SRCDIR:?}/tests/lib/tap.sh"
. "$VADTRACE_SRCDIR/tools/completion/vadtrace"

vadtrace=$VADTRACE_BUILDDIR/tools/vadtrace

# offered WORDS...: what is offered for the last word, sorted, on one line.
offered() {
	COMP_WORDS=("$vadtrace" "$@")
	COMP_CWORD=$#
	_vadtrace
	printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort -u | tr '\n' ' ' | sed 's/ $//'
}

# offers WORD WORDS...: WORD is among what is offered for the last of WORDS.
offers() {
	local word=$1

	shift
	[[ " $(offered "$@") " == *" $word "* ]] || {
		echo "offered: $(offered "$@")"
		return 1
	}
}

mkdir -p "$scratch/here/ls.trace" "$scratch/here/other"
touch "$scratch/here/ls.trace/vadtrace.json"
cd "$scratch/here" || exit 1

commands=$("$vadtrace" --help | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }')
for command in $commands; do
	ok "vadtrace offers $command" offers "$command" ''
	ok "vadtrace $command offers --help" offers --help "$command" --
	# Each option that the help names, and no other word.
	options=$("$vadtrace" "$command" --help | grep -oE -e '--[a-z][a-z-]+' | sort -u)
	for option in $options; do
		offers "$option" "$command" -- >>"$scratch/missing" ||
			echo "$option" >>"$scratch/missing"
	done
	is "$(cat "$scratch/missing")" "" "vadtrace $command offers all its options"
done
is "$(offered recor)" record "a beginning is completed"
is "$(offered --vers)" --version "an option of the program itself too"
is "$(offered no-such)" "" "nothing is offered for what begins nothing"
if grep -q ' --mode' <<<"$("$vadtrace" record --help 2>/dev/null)"; then
	is "$(offered record --mode '')" "observe route verify" "the modes"
fi
is "$(offered report --sort heap-)" "heap-committed heap-ranges heap-reserved" \
	"the sections of a report"
is "$(offered report ls)" ls.trace "a trace's folder"
is "$(offered report oth)" other/ "a folder on the way to one"
ok "the name of a program to record" offers true record tru
ok "after -- too" offers true record -- tru
tap_done
