/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Which Wine would run a Windows program, and where its parts are. Nothing of it is run. */

#ifndef VADTRACE_TOOLS_RECORD_WINE_H
#define VADTRACE_TOOLS_RECORD_WINE_H

#include <limits.h>
#include <stdbool.h>

enum { WINE_VERSION_MAX = 128 };

/*  - loader is an ELF file for x86-64; dlls holds its ntdll.dll, unix_libraries its ntdll.so;
 *  - version is empty when ntdll.so does not say. */
struct wine {
	char loader[PATH_MAX];
	char dlls[PATH_MAX];
	char unix_libraries[PATH_MAX];
	char prefix[PATH_MAX];
	char version[WINE_VERSION_MAX];
	bool prefix_exists;
	bool prefix_is_32_bit; /* made for 32-bit programs only */
};

/* `place` is a loader, a script that starts it, a folder that Wine is installed in, or a prefix;
 * NULL: as the environment says (WINELOADER, WINEPREFIX, PATH), else where distributions put it.
 * False after a message. */
bool wine_find(struct wine *wine, const char *place);

#endif
