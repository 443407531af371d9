#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2034

# g++ compiles a C++ file: the driver, cc1plus, as, collect2 and ld; then the program itself.

. "${VADTRACE_SRCDIR:?}/tests/integration/programs/programs.sh"
need g++
children=yes

normalise() {
	sed -E 's|/tmp/cc[A-Za-z0-9]{6}|/tmp/ccNAME|g'
}

# The linker's output is the same to the byte.
same_in_all_ways g++ -std=c++17 -O1 -v -pthread -o shapes "$here/shapes.cc"

children=
cp "$scratch/bare/work/shapes" "$scratch/shapes"
same_in_all_ways "$scratch/shapes"
tap_done
