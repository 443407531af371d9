#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# What README.md tells people to type exists: words of ./dev, commands and their options, files.

. "${VADTRACE_SRCDIR:?}/tests/lib/tap.sh"

vadtrace=$VADTRACE_BUILDDIR/tools/vadtrace

# code_of FILE: the indented and fenced lines, and what stands between backticks.
code_of() {
	awk '/^```/ { fenced = !fenced; next }
		fenced || sub(/^    /, "")' "$1"
	# shellcheck disable=SC2016 # backticks are meant
	grep -o '`[^`]*`' "$1" | tr -d '`'
}

# known_words FILE: each `./dev WORD` is one of dev's words.
known_words() {
	local word

	for word in $(code_of "$1" | grep -oE '\./dev [a-z]+' | sed 's/.* //' | sort -u); do
		"$VADTRACE_SRCDIR/dev" help | grep -qE "^  $word( |$)" || {
			echo "./dev has no word $word"
			return 1
		}
	done
}

# known_commands FILE: each `vadtrace COMMAND --option` is in that command's help.
known_commands() {
	local command options option line

	"$vadtrace" --help >"$scratch/help" || return
	code_of "$1" | grep -oE '^(\$ )?vadtrace [a-z]+( .*)?$' | sed 's/^\$ //' >"$scratch/lines"
	while read -r line; do
		command=$(awk '{ print $2 }' <<<"$line")
		grep -qE "^  $command " "$scratch/help" || {
			echo "vadtrace has no command $command"
			return 1
		}
		options=$(sed 's/ -- .*//' <<<"$line" | grep -oE ' --[a-z-]+' || true)
		for option in $options; do
			"$vadtrace" "$command" --help | grep -qe "$option" || {
				echo "vadtrace $command has no option $option"
				return 1
			}
		done
	done <"$scratch/lines"
}

# known_files FILE: each link to a file of ours leads somewhere.
known_files() {
	local name

	for name in $(grep -oE '\]\([^)#:]+\)' "$1" | sed 's/^](//; s/)$//'); do
		[ -e "$VADTRACE_SRCDIR/$name" ] || {
			echo "there is no $name"
			return 1
		}
	done
}

for file in README.md NEWS.md; do
	ok "$file: words of ./dev" known_words "$VADTRACE_SRCDIR/$file"
	ok "$file: commands and options" known_commands "$VADTRACE_SRCDIR/$file"
	ok "$file: files" known_files "$VADTRACE_SRCDIR/$file"
done
# shellcheck disable=SC2016 # backticks are meant
printf '`./dev dance`\n' >"$scratch/bad.md"
not_ok "finds a wrong word" known_words "$scratch/bad.md"
# shellcheck disable=SC2016 # backticks are meant
printf '`vadtrace dance`\n' >"$scratch/bad.md"
not_ok "finds a wrong command" known_commands "$scratch/bad.md"
printf '```\n$ vadtrace record --dance -- ls\n```\n' >"$scratch/bad.md"
not_ok "finds a wrong option" known_commands "$scratch/bad.md"
printf '[text](tests/dance.c)\n' >"$scratch/bad.md"
not_ok "finds a wrong file" known_files "$scratch/bad.md"
tap_done
