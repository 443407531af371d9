/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Regions of large pages (MEM_LARGE_PAGES). Reserved and committed in one step, released in one;
 * never paged out, never decommitted. */

#ifndef VADTRACE_CORE_VM_LARGE_H
#define VADTRACE_CORE_VM_LARGE_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the page lies in one. */
bool large_is_at(uintptr_t page_base);

#endif
