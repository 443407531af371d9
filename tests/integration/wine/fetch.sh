#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# fetch.sh FOLDER: Windows programs of other people into FOLDER, from packages of npm: an archiver
# in C++, a bundler in Go, a linter in Rust. Fails when they cannot be had; runs once.

set -euo pipefail

folder=$1
# Newer versions of oxlint need bcryptprimitives.dll, which Wine 8.0 does not have.
packages='
	7zip-bin@5.2.0/package/win/x64/7za.exe
	esbuild-windows-64@0.15.18/package/esbuild.exe
	@oxlint/win32-x64@0.2.18/package/oxlint.exe'

fetch() {
	local package=${1%%/package/*} file=package/${1#*/package/}

	[ ! -e "$(basename "$file")" ] || return 0
	timeout -k 5 300 npm pack --silent "$package" >name </dev/null
	tar -xzf "$(tail -n 1 name)" "$file"
	chmod +x "$file"
	mv "$file" .
	rm -rf package name ./*.tgz
}

mkdir -p "$folder"
cd "$folder"
exec 9>lock
flock 9
for package in $packages; do
	fetch "$package" 9>&-
done
