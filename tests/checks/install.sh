#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# `make install` puts exactly these files, and a stranger can build and run with them.

. "${VADTRACE_SRCDIR:?}/tests/lib/tap.sh"

stage=$scratch/stage
# As configured.
prefix=$(pkg-config --variable=prefix "$VADTRACE_BUILDDIR/core/vadcore.pc")

expected_files() {
	cat <<-'LIST'
		bin/vadtrace
		include/vadtrace/api.h
		include/vadtrace/core.h
		include/vadtrace/event.h
		include/vadtrace/host.h
		include/vadtrace/types.h
		lib/libvadcore.so
		lib/libvadcore.so.0
		lib/libvadcore.so.0.0.0
		lib/pkgconfig/vadcore.pc
		lib/vadtrace/libvadtrace-record.so
		lib/vadtrace/libvadtrace.so
		share/bash-completion/completions/vadtrace
	LIST
	# The pages are the sources': each command has one.
	for page in "$VADTRACE_SRCDIR"/tools/man/*.1; do
		printf 'share/man/man1/%s\n' "${page##*/}"
	done
}

installed_files() {
	(cd "$stage$prefix" 2>/dev/null && find . ! -type d | sed 's|^\./||' | LC_ALL=C sort)
}

# A make of its own, not a part of the one that runs the tests.
run_make() {
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -s -C "$VADTRACE_BUILDDIR" "$@"
}

commands() {
	"$stage$prefix/bin/vadtrace" --help | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 }
		on { print $1 }'
}

# build_with_pc SOURCE PROGRAM: as the user of an installed package does.
build_with_pc() {
	local flags

	# What is installed below a folder of the test is found through its sysroot.
	flags=$(PKG_CONFIG_PATH=$stage$prefix/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$stage \
		PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 \
		pkg-config --cflags --libs vadcore) || return
	# shellcheck disable=SC2086 # the flags are words
	"${CC:-cc}" -Wall -Werror -o "$2" "$1" $flags -Wl,-rpath,"$stage$prefix/lib"
}

ok "make install" run_make install DESTDIR="$stage"
installed_files >"$scratch/got"
expected_files | LC_ALL=C sort >"$scratch/expected"
same_files "$scratch/got" "$scratch/expected" "exactly the expected files are installed"
ok "the installed program runs" "$stage$prefix/bin/vadtrace" --version
for command in $(commands); do
	ok "there is a manual page of vadtrace $command" \
		test -e "$stage$prefix/share/man/man1/vadtrace-$command.1"
done

cat >"$scratch/user.c" <<'TEXT'
#include <stdio.h>
#include <vadtrace/core.h>

int main(void)
{
	char *block = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, 100);
	char *pages = VirtualAlloc(NULL, 8192, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

	pages[8191] = block[99] = 1;
	printf("%zu %d\n", HeapSize(GetProcessHeap(), 0, block),
	       VirtualFree(pages, 0, MEM_RELEASE));
	return 0;
}
TEXT
ok "a program is built with vadcore.pc" build_with_pc "$scratch/user.c" "$scratch/user"
is "$("$scratch/user" 2>&1)" "100 1" "and runs"
sed 's/= HeapAlloc/= (char *)HeapAlloc/; s/= Virt/= (char *)Virt/' "$scratch/user.c" \
	>"$scratch/user.cc"
CC=${CXX:-c++} ok "also a C++ program" build_with_pc "$scratch/user.cc" "$scratch/user2"
is "$("$scratch/user2" 2>&1)" "100 1" "and runs"

ok "make uninstall" run_make uninstall DESTDIR="$stage"
is "$(installed_files)" "" "nothing is left after make uninstall"
tap_done
