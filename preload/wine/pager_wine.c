/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The pager over NtAllocateVirtualMemory and its kin. vm_lock is held, Wine's own lock comes after
 * it: Wine's ELF half therefore never asks core for anything. */

#include "preload/wine/pager_wine.h"

#include <errno.h>

#include "core/base/status.h"
#include "core/event.h"
#include "preload/pe/hook.h"
#include "preload/start.h"

#define THIS_PROCESS UINT64_MAX
#define MEMORY_BASIC_INFORMATION_CLASS 0u

typedef uint32_t(HOOK_ABI *nt_allocate)(uint64_t, void **, uint64_t, size_t *, uint32_t, uint32_t);
typedef uint32_t(HOOK_ABI *nt_free)(uint64_t, void **, size_t *, uint32_t);
typedef uint32_t(HOOK_ABI *nt_protect)(uint64_t, void **, size_t *, uint32_t, uint32_t *);
typedef uint32_t(HOOK_ABI *nt_query)(uint64_t, const void *, uint32_t, void *, size_t, size_t *);

NTSTATUS wine_allocate(void **base, size_t *size_bytes, uint64_t zero_bits, uint32_t type,
		       uint32_t protect)
{
	nt_allocate original = (nt_allocate)hook_original(API_NtAllocateVirtualMemory);

	return (NTSTATUS)original(THIS_PROCESS, base, zero_bits, size_bytes, type, protect);
}

NTSTATUS wine_free(void **base, size_t *size_bytes, uint32_t free_type)
{
	nt_free original = (nt_free)hook_original(API_NtFreeVirtualMemory);

	return (NTSTATUS)original(THIS_PROCESS, base, size_bytes, free_type);
}

NTSTATUS wine_protect(void **base, size_t *size_bytes, uint32_t protect, uint32_t *old_protect)
{
	nt_protect original = (nt_protect)hook_original(API_NtProtectVirtualMemory);

	return (NTSTATUS)original(THIS_PROCESS, base, size_bytes, protect, old_protect);
}

NTSTATUS wine_query(const void *address, MEMORY_BASIC_INFORMATION *info)
{
	nt_query original = (nt_query)hook_original(API_NtQueryVirtualMemory);
	size_t size_bytes;

	return (NTSTATUS)original(THIS_PROCESS, address, MEMORY_BASIC_INFORMATION_CLASS, info,
				  sizeof(*info), &size_bytes);
}

static int error_of(NTSTATUS status)
{
	switch (status) {
	case STATUS_SUCCESS:
		return 0;
	case STATUS_CONFLICTING_ADDRESSES:
		return -EEXIST;
	case STATUS_NO_MEMORY:
	case STATUS_COMMITMENT_LIMIT:
		return -ENOMEM;
	default:
		return -EINVAL;
	}
}

/* A thread that ends has no way into Wine's ELF half. What its heaps would give back stays, for the
 * next thread. */
static int ask(void)
{
	return thread_has_ended ? -EAGAIN : 0;
}

static intptr_t get_where(void *address, size_t size_bytes, uint32_t state, uint64_t zero_bits)
{
	uint32_t protect =
		state & MEM_COMMIT ? state & ~(MEM_COMMIT | MEM_TOP_DOWN) : PAGE_NOACCESS;
	uint32_t type = MEM_RESERVE | (state & (MEM_COMMIT | MEM_TOP_DOWN));
	NTSTATUS status;

	if (thread_has_ended)
		return -EAGAIN;
	status = wine_allocate(&address, &size_bytes, zero_bits, type, protect);
	return status == STATUS_SUCCESS ? (intptr_t)address : error_of(status);
}

static intptr_t get(void *address, size_t size_bytes, uint32_t state)
{
	return get_where(address, size_bytes, state, 0);
}

/* Wine takes a limit as a mask of the bits that may be set. */
static intptr_t get_below(uintptr_t limit, size_t size_bytes, uint32_t state)
{
	uint64_t mask = limit - 1;

	return get_where(NULL, size_bytes, state, mask);
}

static int put(void *address, size_t size_bytes)
{
	size_t whole = 0;

	return error_of(wine_free(&address, &whole, MEM_RELEASE));
}

static int drop(void *address, size_t size_bytes)
{
	return error_of(wine_free(&address, &size_bytes, MEM_DECOMMIT));
}

/* A commit gives committed pages their protection as well. */
static int set(void *address, size_t size_bytes, uint32_t state)
{
	return error_of(wine_allocate(&address, &size_bytes, 0, MEM_COMMIT, state & ~MEM_COMMIT));
}

const struct pager pager_wine = {
	.get = get,
	.get_below = get_below,
	.put = put,
	.set = set,
	.drop = drop,
	.ask = ask,
};
