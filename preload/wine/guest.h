/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Reading and writing where a pointer of the program says. It may say anything: what a hooked
 * function would answer with STATUS_ACCESS_VIOLATION must not fault in us.
 *
 * False: not all of it can be accessed as it is now. The caller then leaves the call to Wine, which
 * knows what a guard page or a watched page needs. */

#ifndef VADTRACE_PRELOAD_WINE_GUEST_H
#define VADTRACE_PRELOAD_WINE_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool guest_read(void *to, uint64_t from, size_t size_bytes);
bool guest_write(uint64_t to, const void *from, size_t size_bytes);

/* Memory is about to be freed, unmapped or protected: pages that could be written are forgotten. */
void guest_forget(void);

#endif
