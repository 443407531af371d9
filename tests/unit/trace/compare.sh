#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Every seventh stack of real programs, walked by us and by libunwind: all are equal.

# shellcheck disable=SC2016 # the programs' own dollars

. "${VADTRACE_SRCDIR:?}/tests/lib/tap.sh"

library=${VADTRACE_BUILDDIR:?}/tests/unit/trace/.libs/compare.so

# compare LEAST COMMAND...: at least this many stacks, no difference.
compare() {
	local least=$1 name
	shift
	name=$(basename "$1")
	if ! command -v "$1" >/dev/null; then
		skip "$name" "$name is missing"
		return
	fi
	rm -f "$scratch/output"
	COMPARE_OUTPUT=$scratch/output LD_PRELOAD=$library "$@" >"$scratch/said" 2>&1
	is "$(awk '{ count += $2 } END { print count + 0 }' "$scratch/output")" 0 \
		"$name: no difference"
	ok "$name: stacks of all kinds were met" awk -v least="$least" \
		'{ count += $1 } END { exit count < least }' "$scratch/output"
}

cat >"$scratch/program.cc" <<'CODE'
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
static int thrown(int n)
{
	try {
		throw std::runtime_error(std::to_string(n) + std::string(100, 'x'));
	} catch (const std::exception &error) {
		return static_cast<int>(std::string(error.what()).size() +
					std::string(99, 'y').size());
	}
}
int main()
{
	std::map<int, std::string> map;
	for (int i = 0; i < 1000; i++)
		map[thrown(i) + i] = std::string(200, 'z');
	std::cout << map.size() << std::endl;
}
CODE
"${CXX:-c++}" -O2 -o "$scratch/program" "$scratch/program.cc"

compare 100 "$scratch/program"
compare 100 /usr/bin/python3 -c 'import json, re, threading; print(json.dumps(list(range(9999))))'
compare 100 perl -e 'my @a = map { $_ x 10 } 1 .. 10000; print scalar(@a), "\n"'
compare 10 bash -c 'for i in 1 2 3; do echo $i | cat; done'
compare 10 sqlite3 :memory: 'create table t(a); insert into t values (1), (2); select * from t'
compare 1000 gdb -nx -batch -ex 'info line main' "$scratch/program"
compare 1000 "${CXX:-c++}" -O1 -c -o "$scratch/program.o" "$scratch/program.cc"
tap_done
