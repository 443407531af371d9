/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The folder with what is known of modules from earlier reports: which it is, what may be in it,
 * and how large it gets. */

#ifndef VADTRACE_TOOLS_LIB_SYMBOL_CACHE_H
#define VADTRACE_TOOLS_LIB_SYMBOL_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#define SYMBOL_CACHE_BYTES (UINT64_C(256) << 20)

/* $XDG_CACHE_HOME/vadtrace/symbols, or ~/.cache for the first part; the caller frees it. NULL: the
 * user has neither. */
char *symbol_cache_folder(void);
/* Makes the folder and those above it. 0 or -errno. */
int symbol_cache_make(const char *folder);
/* Removes the files that were of no use for the longest time, until at most limit_bytes are left;
 * and what writers that were killed have left. */
void symbol_cache_trim(const char *folder, uint64_t limit_bytes);

/* Whether debug information lies beside the module now, or where distributions put it. */
bool symbol_cache_has_debug_file(const char *path, const char *build_id);

#endif
