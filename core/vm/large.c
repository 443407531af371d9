/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Regions of large pages are those that pager_large has the pages of. */

#include "core/vm/large.h"

#include "core/os/pager_large.h"
#include "core/vm/virtual.h"

bool large_is_at(uintptr_t page_base)
{
	return vm_pager_at((const void *)page_base) == &pager_large;
}
