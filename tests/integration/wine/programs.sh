#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Windows programs of other people, in C++, Go and Rust, and some of Wine's own: same output, same
# status and same files bare and in each of our ways.

. "${VADTRACE_SRCDIR:?}/tests/integration/wine/lib.sh"
[ -e "$preload" ] || skip_all "the preload is not built here"
share_daemon
start_wine
fetched=$wine_folder/npm
system='C:\windows\system32'

# Times that the programs measured, and Wine's names of threads.
normalise() {
	sed -E 's/[0-9.]+ ?(µs|ms)|[0-9.]+s\b/TIME/g; s/(thread|address) [0-9A-Fa-f]+/\1 N/g'
}

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

test_fetched() {
	same "7za a" "$fetched/7za.exe" a -bd -mx=5 -mmt2 made.7z in
	cp -p "$scratch/bare/work/made.7z" "$scratch/archive.7z"
	same "7za t" "$fetched/7za.exe" t -bd archive.7z
	same "7za x" "$fetched/7za.exe" x -bd -oout archive.7z
	rm "$scratch/archive.7z"
	same "esbuild" "$fetched/esbuild.exe" --bundle in/a.js --minify --outfile=out.js
	same "oxlint" "$fetched/oxlint.exe" in/a.js
}

if (cd "$scratch" && "$here/fetch.sh" "$fetched") >"$scratch/fetch" 2>&1; then
	test_fetched
else
	skip "programs from npm" "they cannot be fetched: $(tail -n 1 "$scratch/fetch")"
fi
same cmd "$system\\cmd.exe" /c 'echo one & dir /b in & type in\a.js & copy in\a.js copy.js & exit 3'
same reg "$system\\reg.exe" query 'HKLM\Software\Microsoft\Windows NT\CurrentVersion' \
	/v CurrentBuild
same xcopy "$system\\xcopy.exe" /s /i in out
tap_done
