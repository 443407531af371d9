# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# Windows programs of other people, in C++, Go and Rust, and some of Wine's own. To be sourced after
# lib.sh.
#
#   each_other same                          same NAME PROGRAM [ARGUMENT...] for each

# shellcheck disable=SC2154 # lib.sh's
fetched=$wine_folder/npm
system='C:\windows\system32'

# Sources of ours, with their times, and some JavaScript.
prepare() {
	mkdir in
	cp -p "$VADTRACE_SRCDIR"/core/vm/*.[ch] in/
	cp -p "$VADTRACE_SRCDIR/tests/integration/programs/script.js" in/
	printf 'import { f } from "./b.js";\ndebugger;\nconsole.log(f(40));\n' >in/a.js
	printf 'export function f(n) {\n\tif (n == NaN) return 0;\n\treturn n + 2;\n}\n' >in/b.js
	touch -r "$VADTRACE_SRCDIR/configure.ac" in/a.js in/b.js in
	[ ! -e "$scratch/archive.7z" ] || cp -p "$scratch/archive.7z" .
}

# each_other COMMAND
each_other() {
	if (cd "$scratch" && "$here/fetch.sh" "$fetched") >"$scratch/fetch" 2>&1; then
		"$1" "7za a" "$fetched/7za.exe" a -bd -mx=5 -mmt2 made.7z in
		"$1" esbuild "$fetched/esbuild.exe" --bundle in/a.js --minify --outfile=out.js
		"$1" oxlint "$fetched/oxlint.exe" in/a.js
	else
		skip "programs from npm" "they cannot be fetched: $(tail -n 1 "$scratch/fetch")"
	fi
	"$1" cmd "$system\\cmd.exe" /c \
		'echo one & dir /b in & type in\a.js & copy in\a.js copy.js & exit 3'
	"$1" reg "$system\\reg.exe" query 'HKLM\Software\Microsoft\Windows NT\CurrentVersion' \
		/v CurrentBuild
	"$1" xcopy "$system\\xcopy.exe" /s /i in out
}
