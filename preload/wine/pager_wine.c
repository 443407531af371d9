/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The pager over NtAllocateVirtualMemory and its kin. vm_lock is held, Wine's own lock comes after
 * it: Wine's ELF half therefore never asks core for anything. */

#include "preload/wine/pager_wine.h"

#include <errno.h>

#include "core/base/status.h"
#include "core/event.h"
#include "preload/pe/hook.h"
#include "preload/pe/modules.h"
#include "preload/start.h"

#define THIS_PROCESS UINT64_MAX
#define MEMORY_BASIC_INFORMATION_CLASS 0u

/* Wine's own functions, by Windows' calling convention. The ELF half's are called as its other
 * libraries call them: the way down from ntdll.dll saves every register and changes the stack,
 * which costs more than the call. Where the ELF half does not export one, that way is taken. */
static struct {
	uint32_t(HOOK_ABI *allocate)(uint64_t, void **, uint64_t, size_t *, uint32_t, uint32_t);
	uint32_t(HOOK_ABI *free)(uint64_t, void **, size_t *, uint32_t);
	uint32_t(HOOK_ABI *protect)(uint64_t, void **, size_t *, uint32_t, uint32_t *);
	uint32_t(HOOK_ABI *query)(uint64_t, const void *, uint32_t, void *, size_t, size_t *);
} wine;

static void *find(enum api api, const char *name)
{
	void *function = pe_wine_function(name);

	return function ? function : hook_original(api);
}

#define FIND(member, name) wine.member = (__typeof__(wine.member))find(API_##name, #name)

void wine_begin(void)
{
	FIND(allocate, NtAllocateVirtualMemory);
	FIND(free, NtFreeVirtualMemory);
	FIND(protect, NtProtectVirtualMemory);
	FIND(query, NtQueryVirtualMemory);
}

NTSTATUS wine_allocate(void **base, size_t *size_bytes, uint64_t zero_bits, uint32_t type,
		       uint32_t protect)
{
	return (NTSTATUS)wine.allocate(THIS_PROCESS, base, zero_bits, size_bytes, type, protect);
}

NTSTATUS wine_free(void **base, size_t *size_bytes, uint32_t free_type)
{
	return (NTSTATUS)wine.free(THIS_PROCESS, base, size_bytes, free_type);
}

NTSTATUS wine_protect(void **base, size_t *size_bytes, uint32_t protect, uint32_t *old_protect)
{
	return (NTSTATUS)wine.protect(THIS_PROCESS, base, size_bytes, protect, old_protect);
}

NTSTATUS wine_query(const void *address, MEMORY_BASIC_INFORMATION *info)
{
	size_t size_bytes;

	return (NTSTATUS)wine.query(THIS_PROCESS, address, MEMORY_BASIC_INFORMATION_CLASS, info,
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

/* What a range is reserved with is seen in its AllocationProtect, which other processes ask Wine
 * for. */
static intptr_t get_where(void *address, size_t size_bytes, uint32_t state, uint64_t zero_bits)
{
	uint32_t kinds = state & (MEM_RESERVE | MEM_COMMIT | MEM_TOP_DOWN),
		 protect = state & ~kinds;
	NTSTATUS status;

	if (thread_has_ended)
		return -EAGAIN;
	status = wine_allocate(&address, &size_bytes, zero_bits, kinds | MEM_RESERVE,
			       protect ? protect : PAGE_NOACCESS);
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
