#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# The form of the sources: licence lines, columns, lengths, clang-format, shellcheck, mandoc.

. "${VADTRACE_SRCDIR:?}/tests/lib/tap.sh"

checks=$VADTRACE_SRCDIR/tests/checks

# Everything that a person wrote as a program, relative to the source folder.
sources() {
	printf '%s\n' dev bootstrap .ci/run Makefile.am tools/completion/vadtrace
	find core trace preload tools tests -type f \
		-regex '.*\.\([chS]\|cc\|sh\|awk\|py\|lua\|map\)' | LC_ALL=C sort
}

# has_form FILE...
has_form() {
	LC_ALL=C awk -f "$checks/style.awk" "$@"
}

all_have_form() {
	(cd "$VADTRACE_SRCDIR" && sources | xargs awk -f "$checks/style.awk")
}

# functions_of FILE...: rows for functions.awk.
functions_of() {
	ctags -f - --languages=C --kinds-C=f --fields=ne "$@" | awk -F '\t' '
		{
			for (i = 4; i <= NF; i++) {
				if ($i ~ /^line:/)
					first = substr($i, 6)
				if ($i ~ /^end:/)
					last = substr($i, 5)
			}
			print $2 "\t" $1 "\t" first "\t" last "\t" kind($2, first, last)
		}
		function kind(file, first, last, line, number, found) {
			while ((getline line <file) > 0)
				if (++number >= first && number <= last && line ~ /^\tswitch \(/)
					found = 1
			close(file)
			return found ? "switch" : "plain"
		}'
}

functions_are_short() {
	functions_of "$@" | awk -f "$checks/functions.awk"
}

# sample TEXT: a C file with its licence lines and this text.
sample() {
	printf '/* SPDX-FileCopyrightText: 2026 The vadtrace authors\n * %s */\n\n%b\n' \
		'SPDX-License-Identifier: MIT' "$1" >"$scratch/sample.c"
}

bad() {
	sample "$2"
	not_ok "finds $1" has_form "$scratch/sample.c"
}

# long_function NAME LINES
long_function() {
	printf 'int %s(int n)\n{\n' "$1"
	yes '	n++;' | head -n $(($2 - 4))
	printf '	return n;\n}\n'
}

check_form() {
	ok "the sources have their form" all_have_form
	sample 'int n;'
	ok "lets a good file be" has_form "$scratch/sample.c"
	bad "a long line" "int n; /*$(printf '%0100d' 0) */"
	bad "a line that tabs make long" "$(printf '\t%.0s' 1 2 3 4 5 6 7 8 9 10 11 12)int number;"
	bad "space at the end" 'int n; '
	bad "indentation by spaces" '        int n;'
	bad "a C++ comment" '// n'
	bad "a note to oneself" '/* FIX''ME */'
	bad "a long file" "$(yes 'int n;' | head -n 1001)"
	printf 'int n;\n' >"$scratch/sample.c"
	not_ok "finds a file without licence" has_form "$scratch/sample.c"
}

check_functions() {
	if ! command -v ctags >/dev/null; then
		skip "functions are short" "ctags is missing"
		return
	fi
	cd "$VADTRACE_SRCDIR" || exit 1
	# shellcheck disable=SC2046 # our own files' names have no spaces
	ok "functions are short" \
		functions_are_short $(sources | grep '\.[ch]$')
	long_function lengthy 81 >"$scratch/long.c"
	not_ok "finds a long function" functions_are_short "$scratch/long.c"
	long_function lengthy 80 >"$scratch/long.c"
	ok "lets a fair one be" functions_are_short "$scratch/long.c"
	for i in 1 2 3 4 5 6 7 8 9; do long_function short$i 9; done >>"$scratch/long.c"
	ok "lets one of ten be long" functions_are_short "$scratch/long.c"
	long_function second 41 >>"$scratch/long.c"
	not_ok "finds that too many are long" functions_are_short "$scratch/long.c"
}

# One by one: clang-format 14 may crash on many files of two languages.
is_formatted() {
	printf '%s\n' "$@" | xargs -n 1 clang-format \
		--style="file:$VADTRACE_SRCDIR/.clang-format" --dry-run -Werror
}

check_clang_format() {
	if ! command -v clang-format >/dev/null; then
		skip "C files are formatted" "clang-format is missing"
		return
	fi
	# shellcheck disable=SC2046 # our own files' names have no spaces
	ok "C files are formatted" is_formatted $(sources | grep '\.\(c\|h\|cc\)$')
	sample 'int  n ;'
	not_ok "finds a file that is not" is_formatted "$scratch/sample.c"
}

# may_run FILE...: scripts that name their interpreter are for running; others are sourced.
may_run() {
	local file bad=0

	for file in "$@"; do
		[ "$(head -c 2 "$file")" != '#!' ] || [ -x "$file" ] || {
			echo "$file must be executable"
			bad=1
		}
	done
	return $bad
}

check_scripts() {
	if ! command -v shellcheck >/dev/null; then
		skip "scripts pass shellcheck" "shellcheck is missing"
		return
	fi
	# shellcheck disable=SC2046 # our own files' names have no spaces
	ok "scripts may be executed" may_run dev bootstrap .ci/run $(sources | grep '\.sh$')
	# shellcheck disable=SC2046 # our own files' names have no spaces
	ok "scripts pass shellcheck" shellcheck --severity=warning \
		dev bootstrap .ci/run tools/completion/vadtrace $(sources | grep '\.sh$')
	# shellcheck disable=SC2016 # the sample is not for us to expand
	printf '#!/bin/bash\nexport a=`ls` b; c=1\n' >"$scratch/sample.sh"
	not_ok "finds a script that does not" shellcheck "$scratch/sample.sh"
	not_ok "finds a script that may not be executed" may_run "$scratch/sample.sh"
}

check_manuals() {
	if ! command -v mandoc >/dev/null; then
		skip "manual pages pass mandoc" "mandoc is missing"
		return
	fi
	for page in tools/man/*.[1-9]; do
		[ -e "$page" ] || continue
		ok "$page passes mandoc" mandoc -T lint -W warning "$page"
	done
	printf '.Dd today\n.Sh NAME\n.Xx\n' >"$scratch/sample.1"
	not_ok "finds a page that does not" mandoc -T lint -W warning "$scratch/sample.1"
}

check_form
check_functions
check_clang_format
check_scripts
check_manuals
tap_done
