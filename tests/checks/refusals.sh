#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Each function of the contract with the machine can be refused in tests, or has a reason why not.

. "${VADTRACE_SRCDIR:?}/tests/lib/tap.sh"

# declared HEADER...: names of functions without "os_"; definitions are no part of the contract.
declared() {
	sed -n 's/^\(_Noreturn \)\{0,1\}[a-z][a-z0-9_]* [*]\{0,1\}os_\([a-z_]*\)(.*/\2/p' "$@"
}

# listed HEADER: names in os_fake.h's lists.
listed() {
	sed -n 's/^	X(\([a-z_]*\)[,)].*/\1/p' "$1"
}

# all_are_listed CONTRACT... FAKE
all_are_listed() {
	local fake=${*: -1}

	diff <(declared "${@:1:$#-1}" | LC_ALL=C sort) <(listed "$fake" | LC_ALL=C sort)
}

os=$VADTRACE_SRCDIR/core/os
ok "each function of core/os can be refused, or has a reason" \
	all_are_listed "$os/os.h" "$os/os_process.h" "$os/os_watch.h" "$os/os_fake.h"
ok "there are many" test "$(declared "$os/os.h" | wc -l)" -gt 30
printf 'int os_new_thing(int fd);\n' >"$scratch/new.h"
not_ok "finds one that is new" \
	all_are_listed "$os/os.h" "$os/os_process.h" "$os/os_watch.h" "$scratch/new.h" \
	"$os/os_fake.h"
not_ok "finds one that is gone" all_are_listed "$os/os.h" "$os/os_fake.h"
tap_done
