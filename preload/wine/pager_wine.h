/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Pages of core's regions in a Windows process, from Wine's own calls: Wine keeps a table of all
 * memory, and looks into it whenever it writes to a buffer of the program. */

#ifndef VADTRACE_PRELOAD_WINE_PAGER_WINE_H
#define VADTRACE_PRELOAD_WINE_PAGER_WINE_H

#include "core/os/pager.h"
#include "core/types.h"

/* Called on threads of the program only. */
extern const struct pager pager_wine;

/* Finds what follows, on a thread of the program, before any of it is called. */
void wine_begin(void);

/* Wine's own functions, not their hooks, on this process. */
NTSTATUS wine_allocate(void **base, size_t *size_bytes, uint64_t zero_bits, uint32_t type,
		       uint32_t protect);
NTSTATUS wine_free(void **base, size_t *size_bytes, uint32_t free_type);
NTSTATUS wine_protect(void **base, size_t *size_bytes, uint32_t protect, uint32_t *old_protect);
NTSTATUS wine_query(const void *address, MEMORY_BASIC_INFORMATION *info);

#endif
