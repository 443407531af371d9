/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Free addresses, as the system's own list shows them. Called with vm_lock held. */

#ifndef VADTRACE_CORE_VM_GAPS_H
#define VADTRACE_CORE_VM_GAPS_H

#include <stddef.h>
#include <stdint.h>

/* The highest multiple of `alignment_bytes` (a power of two) in [lowest, limit) from which on
 * `size_bytes` are free and below the limit, and not what the stack grows into; 0: there is none,
 * or the list cannot be read. */
uintptr_t gaps_find(size_t size_bytes, size_t alignment_bytes, uintptr_t lowest, uintptr_t limit);

#endif
