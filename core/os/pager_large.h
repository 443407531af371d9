/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Large pages from Linux (hugetlb), of the system's default size, from the pool that the
 * administrator has filled (vm.nr_hugepages). They are there from the first moment on, stay in
 * memory, and come and go by whole regions. -ENOMEM: the pool has not so many. */

#ifndef VADTRACE_CORE_OS_PAGER_LARGE_H
#define VADTRACE_CORE_OS_PAGER_LARGE_H

#include "core/os/pager.h"

extern const struct pager pager_large;

#endif
