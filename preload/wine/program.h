/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Which part of Wine this process is, if any, and which of its children are the program's. */

#ifndef VADTRACE_PRELOAD_WINE_PROGRAM_H
#define VADTRACE_PRELOAD_WINE_PROGRAM_H

#include <stdbool.h>

enum program {
	PROGRAM_NATIVE,  /* none of Wine's */
	PROGRAM_SCRIPT,  /* the shell that runs Wine's script, and becomes the loader by exec */
	PROGRAM_WINDOWS, /* Wine's loader: runs a Windows program, or executes itself to do so */
	PROGRAM_OF_WINE, /* Wine's server, or a Windows program of Wine's own that Wine started */
};

/* Finds out; called once, before program_kind. Callable before the C library is ready. */
void program_find(void);
enum program program_kind(void);

/* Whether this is start.exe, which Wine runs in place of a program that it does not find by itself,
 * and which starts that in a child. On a thread of the program, before program_is_launcher. */
void program_find_launcher(void);
bool program_is_launcher(void);

/* Whether exec of `path` with these arguments, by a child of a Windows program, starts a Windows
 * program that is not one of Wine's own. */
bool program_is_windows(const char *path, char *const argv[]);

#endif
