/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Each call is put to core's engine with a pager that only repeats Wine's answer. Where the two
 * agree, that is all. Else the model is read anew from Wine: it always says what Wine says. */

#include "preload/wine/model.h"

#include <stdbool.h>

#include "core/base/status.h"
#include "core/os/pager_model.h"
#include "core/vm/virtual.h"
#include "preload/wine/difference.h"
#include "preload/wine/pager_wine.h"
#include "preload/wine/serve.h"

static struct vm_request request_of(enum api api)
{
	return (struct vm_request){ .api = (uint16_t)api, .pager = &pager_model };
}

void model_take_in(enum api api, const void *base, size_t size_bytes)
{
	const struct vm_request request = request_of(api);

	(void)vm_take_in(base, size_bytes, wine_query, &request);
}

/* Free ranges are skipped: Wine's ELF half lies there, of which Wine's table knows nothing. */
void model_begin(void)
{
	MEMORY_BASIC_INFORMATION info = { .BaseAddress = NULL };
	char *at = NULL;

	while (wine_query(at, &info) == STATUS_SUCCESS) {
		if (info.State != MEM_FREE && info.AllocationBase == info.BaseAddress)
			model_take_in(API_NONE, info.BaseAddress, info.RegionSize);
		at = (char *)info.BaseAddress + info.RegionSize;
	}
}

/* Wine has a status that is no error by its number, and yet nothing was done. */
static bool is_done(NTSTATUS status)
{
	return status == STATUS_SUCCESS;
}

/* What core says to a call that Wine agreed to, or refused. */
static void answer(NTSTATUS status, const void *address)
{
	const struct model_answer model = {
		.verdict = is_done(status) ? MODEL_DONE : MODEL_REFUSED,
		.address = (uintptr_t)address,
	};

	pager_model_answer(&model);
}

/* The engine itself has no objection, and was only held back. */
static NTSTATUS own_status(NTSTATUS status)
{
	return status == STATUS_CANCELLED ? STATUS_SUCCESS : status;
}

static bool is_verifying(void)
{
	return serve_mode() == CONFIG_VERIFY;
}

static void differ(const struct operation *asked, const char *what, uint64_t wine, uint64_t core)
{
	difference_in(asked->call, what, wine, core);
}

/* Compares the answers of a call that changes memory. True: the model followed. */
static bool compare(const struct operation *asked, const struct operation *wine, NTSTATUS status,
		    const struct operation *core, NTSTATUS core_status)
{
	bool is_same_range = wine->base == core->base && wine->size_bytes == core->size_bytes;
	bool is_success = is_done(status);

	differ(asked, "status", (uint32_t)status, (uint32_t)own_status(core_status));
	if (!is_success || !status_is_success(core_status))
		return is_success == status_is_success(core_status);
	differ(asked, "address", (uintptr_t)wine->base, (uintptr_t)core->base);
	differ(asked, "size", wine->size_bytes, core->size_bytes);
	differ(asked, "old protection", wine->old_protect, core->old_protect);
	return is_same_range && wine->old_protect == core->old_protect;
}

/* A range that came to be in Wine's ELF half, a stack say, or an image: the model learns of it now,
 * and core has no opinion. */
static bool is_news(const struct operation *asked, const struct operation *done, NTSTATUS status)
{
	bool is_reserving = asked->type & MEM_RESERVE || (!asked->base && asked->type);

	if (is_reserving || !is_done(status) || vm_knows(asked->base))
		return false;
	model_take_in(asked->api, done->base, done->size_bytes);
	return true;
}

/* Wine was asked for something in a region of core's: the region is Wine's from now on. */
static bool is_taken_from_core(const struct operation *asked, const struct operation *done,
			       NTSTATUS status)
{
	if (!vm_owns(asked->base))
		return false;
	if (is_done(status))
		model_take_in(asked->api, done->base, done->size_bytes);
	return true;
}

static NTSTATUS allocate(struct operation *core, const struct vm_request *request)
{
	return vm_allocate(&core->base, &core->size_bytes, core->type, core->protect, request);
}

static NTSTATUS protect(struct operation *core, const struct vm_request *request)
{
	return vm_protect(&core->base, &core->size_bytes, core->protect, &core->old_protect,
			  request);
}

/* The engine repeats what Wine has done; where it does not come to the same, Wine is asked. */
static void repeat(NTSTATUS (*engine)(struct operation *core, const struct vm_request *request),
		   const struct operation *asked, const struct operation *done, NTSTATUS status)
{
	const struct vm_request request = request_of(asked->api);
	struct operation core = *asked;
	NTSTATUS core_status;

	if (is_taken_from_core(asked, done, status) || is_news(asked, done, status) ||
	    (!is_done(status) && !is_verifying()))
		return;
	answer(status, done->base);
	core_status = engine(&core, &request);
	if (!compare(asked, done, status, &core, core_status) && is_done(status))
		model_take_in(asked->api, done->base, done->size_bytes);
}

void model_allocated(const struct operation *asked, const struct operation *done, NTSTATUS status)
{
	repeat(allocate, asked, done, status);
}

void model_protected(const struct operation *asked, const struct operation *done, NTSTATUS status)
{
	repeat(protect, asked, done, status);
}

NTSTATUS model_free(const struct operation *asked)
{
	const struct vm_request request = request_of(asked->api);
	struct operation core = *asked;

	answer(STATUS_SUCCESS, asked->base);
	return vm_free(&core.base, &core.size_bytes, core.type, &request);
}

/* Page ranges as the engine rounds them: of a call that Wine has not rounded, because it failed. */
static void take_in_asked(const struct operation *asked)
{
	model_take_in(asked->api, asked->base, asked->size_bytes ? asked->size_bytes : 1);
}

void model_freed(const struct operation *asked, NTSTATUS model_status, const struct operation *done,
		 NTSTATUS status)
{
	if (vm_knows(asked->base) || status_is_success(model_status))
		differ(asked, "status", (uint32_t)status, (uint32_t)model_status);
	if (is_done(status) == status_is_success(model_status))
		return;
	if (is_done(status))
		model_take_in(asked->api, done->base, done->size_bytes);
	else
		take_in_asked(asked);
}

/* A guard page that was touched is none any more, and nobody has told the model. */
void model_forget_touched(enum api api, const void *address)
{
	MEMORY_BASIC_INFORMATION core, wine;

	if (vm_knows(address) && vm_query(address, &core) == STATUS_SUCCESS &&
	    core.Protect & PAGE_GUARD && wine_query(address, &wine) == STATUS_SUCCESS &&
	    !(wine.Protect & PAGE_GUARD))
		model_take_in(api, address, 1);
}

void model_queried(const struct hook_call *call, enum api api, const void *address,
		   const MEMORY_BASIC_INFORMATION *info, NTSTATUS status)
{
	MEMORY_BASIC_INFORMATION core;
	NTSTATUS core_status;

	if (!is_verifying() || !vm_knows(address))
		return;
	model_forget_touched(api, address);
	core_status = vm_query(address, &core);
	difference_in(call, "status", (uint32_t)status, (uint32_t)core_status);
	if (!is_done(status) || !status_is_success(core_status))
		return;
	difference_in(call, "BaseAddress", (uintptr_t)info->BaseAddress,
		      (uintptr_t)core.BaseAddress);
	difference_in(call, "AllocationBase", (uintptr_t)info->AllocationBase,
		      (uintptr_t)core.AllocationBase);
	difference_in(call, "AllocationProtect", info->AllocationProtect, core.AllocationProtect);
	difference_in(call, "RegionSize", info->RegionSize, core.RegionSize);
	difference_in(call, "State", info->State, core.State);
	difference_in(call, "Protect", info->Protect, core.Protect);
	difference_in(call, "Type", info->Type, core.Type);
}
