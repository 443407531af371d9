/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Regions of large pages are those that pager_large has the pages of. */

#include "core/vm/large.h"

#include <errno.h>

#include "core/base/status.h"
#include "core/os/pager_large.h"
#include "core/vm/machine.h"
#include "core/vm/virtual.h"

NTSTATUS large_check(const void *base, size_t size_bytes)
{
	size_t large_bytes = machine_large_page_bytes();

	if (large_bytes == 0)
		return STATUS_NOT_SUPPORTED;
	return ((uintptr_t)base | size_bytes) % large_bytes ? STATUS_INVALID_PARAMETER
							    : STATUS_SUCCESS;
}

size_t large_alignment(size_t alignment_bytes)
{
	size_t large_bytes = machine_large_page_bytes();

	return alignment_bytes > large_bytes ? alignment_bytes : large_bytes;
}

NTSTATUS large_error(int error)
{
	switch (error) {
	case -ENOMEM:
		return STATUS_INSUFFICIENT_RESOURCES;
	case -EPERM:
	case -EACCES:
		return STATUS_PRIVILEGE_NOT_HELD;
	case -ENODEV:
	case -EOPNOTSUPP:
		return STATUS_NOT_SUPPORTED;
	default:
		return status_from_os(error);
	}
}

bool large_is_at(uintptr_t page_base)
{
	return vm_pager_at((const void *)page_base) == &pager_large;
}
