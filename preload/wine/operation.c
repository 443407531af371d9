/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Who answers: core for its own regions and for new ones, Wine for all others, which core's model
 * follows (model.h). What core does not have - guard pages, write watch, large and physical pages -
 * is Wine's, too: a region that gets such a page is Wine's from then on. */

#include "preload/wine/operation.h"

#include "core/base/status.h"
#include "core/vm/virtual.h"
#include "preload/wine/guest.h"
#include "preload/wine/model.h"
#include "preload/wine/pager_wine.h"
#include "preload/wine/serve.h"

/* Wine's name for the memory of DOS programs, as an address. */
#define DOS_MEMORY ((void *)1)
/* One past the last address that Windows gives to programs. */
#define PROGRAM_END ((uintptr_t)0x7fffffff0000)

static bool is_reserving(const struct operation *operation)
{
	return operation->type & MEM_RESERVE || !operation->base;
}

/* Whether a number of zero bits, or a mask, is one that Windows takes. */
static bool is_zero_bits(uint64_t zero_bits)
{
	return zero_bits <= 21 || zero_bits == 32 || zero_bits >= 0xffff;
}

/* The end of the addresses that zero bits allow; 0: of all. A count is of the lower 32 bits. */
static uintptr_t limit_of(uint64_t zero_bits)
{
	if (zero_bits == 0)
		return 0;
	if (zero_bits < 32)
		return UINT64_C(1) << (32 - zero_bits);
	return UINT64_C(1) << (64 - __builtin_clzl(zero_bits));
}

/* Of memory that is nobody's there is nothing to ask Wine. */
static bool is_free(const void *address)
{
	MEMORY_BASIC_INFORMATION info;

	return wine_query(address, &info) == STATUS_SUCCESS && info.State == MEM_FREE;
}

/* Whether a call on what exists at an address is core's to answer. */
static bool is_answered_by_core(const void *address)
{
	return serve_mode() == CONFIG_ROUTE && (vm_owns(address) || is_free(address));
}

bool operation_is_allocated_by_core(const struct operation *operation)
{
	if (serve_mode() != CONFIG_ROUTE || operation->protect & PAGE_GUARD ||
	    operation->base == DOS_MEMORY)
		return false;
	if (!is_reserving(operation))
		return is_answered_by_core(operation->base);
	return !(operation->type & (MEM_WRITE_WATCH | MEM_PHYSICAL | MEM_LARGE_PAGES)) &&
	       is_zero_bits(operation->zero_bits);
}

static NTSTATUS allocate_by_core(struct operation *operation)
{
	struct vm_request request = operation->bounds;

	request.api = (uint16_t)operation->api;
	request.pager = &pager_wine;
	if (!operation->base && !request.limit)
		request.limit = limit_of(operation->zero_bits);
	if (request.lowest && !request.limit)
		request.limit = PROGRAM_END;
	return vm_allocate(&operation->base, &operation->size_bytes, operation->type,
			   operation->protect, &request);
}

NTSTATUS operation_allocate(struct operation *operation)
{
	struct operation asked = *operation;
	NTSTATUS status;

	if (operation_is_allocated_by_core(operation))
		return allocate_by_core(operation);
	status = wine_allocate(&operation->base, &operation->size_bytes, operation->zero_bits,
			       operation->type, operation->protect);
	model_allocated(&asked, operation, status);
	return status;
}

NTSTATUS operation_free(struct operation *operation)
{
	const struct vm_request request = { .api = (uint16_t)operation->api };
	struct operation asked = *operation;
	NTSTATUS status, model_status;

	guest_forget();
	if (is_answered_by_core(operation->base))
		return vm_free(&operation->base, &operation->size_bytes, operation->type, &request);
	model_status = model_free(&asked);
	status = wine_free(&operation->base, &operation->size_bytes, operation->type);
	model_freed(&asked, model_status, operation, status);
	return status;
}

NTSTATUS operation_protect(struct operation *operation)
{
	const struct vm_request request = { .api = (uint16_t)operation->api };
	struct operation asked = *operation;
	NTSTATUS status;

	guest_forget();
	if (!(operation->protect & PAGE_GUARD) && is_answered_by_core(operation->base))
		return vm_protect(&operation->base, &operation->size_bytes, operation->protect,
				  &operation->old_protect, &request);
	if (serve_mode() == CONFIG_VERIFY)
		model_forget_touched(operation->api, operation->base);
	status = wine_protect(&operation->base, &operation->size_bytes, operation->protect,
			      &operation->old_protect);
	model_protected(&asked, operation, status);
	return status;
}
