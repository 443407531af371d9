/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The value and the flags that a program keeps with a block: Global and Local memory finds the
 * handle of a moveable block by them. */

#include "core/base/status.h"
#include "core/heap/blocks.h"
#include "core/heap/checked.h"
#include "core/heap/descriptor.h"

/* What one of these calls works on, between open_block and heap_leave. */
struct opened {
	struct front *front;
	struct page *page;
	struct block_info info;
};

static NTSTATUS open_block(struct heap *heap, void *block, struct opened *opened)
{
	opened->front = heap_enter(heap);
	if (!opened->front)
		return STATUS_INVALID_HANDLE;
	opened->page = heap_page_of(heap, block);
	if (opened->page && block_read_info(opened->page, block, &opened->info))
		return STATUS_SUCCESS;
	heap_leave(opened->front);
	return STATUS_INVALID_PARAMETER;
}

static bool is_checked(const struct heap *heap)
{
	return heap_is_valid(heap) && heap->is_checked;
}

/* The same for a checked block. */
static NTSTATUS find_checked(const struct heap *heap, const void *block, struct block_info *info)
{
	return checked_read_info(heap, block, info) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/* One that has a value. */
static NTSTATUS find_valued(const struct heap *heap, const void *block, struct block_info *info)
{
	NTSTATUS status = find_checked(heap, block, info);

	return status_is_success(status) && !info->has_value ? STATUS_UNSUCCESSFUL : status;
}

static NTSTATUS use_checked_value(const struct heap *heap, const void *block, uintptr_t *value,
				  bool is_write)
{
	struct block_info info;
	NTSTATUS status = find_valued(heap, block, &info);

	if (status_is_success(status) && !checked_user_value(heap, block, value, is_write))
		status = STATUS_INVALID_PARAMETER;
	return status;
}

static NTSTATUS get_checked(const struct heap *heap, const void *block, uintptr_t *value,
			    uint32_t *flags)
{
	struct block_info info;
	NTSTATUS status = find_checked(heap, block, &info);

	if (!status_is_success(status))
		return status;
	if (info.has_value)
		status = use_checked_value(heap, block, value, /* is_write */ false);
	*flags = info.user_flags;
	return status;
}

static NTSTATUS set_checked_flags(const struct heap *heap, const void *block, uint32_t clear,
				  uint32_t set)
{
	struct block_info info;
	NTSTATUS status = find_valued(heap, block, &info);

	if (status_is_success(status) &&
	    !checked_write_flags(heap, block, (info.user_flags & ~clear) | set))
		status = STATUS_INVALID_PARAMETER;
	return status;
}

NTSTATUS heap_get_user_info(struct heap *heap, void *block, uintptr_t *value, uint32_t *flags)
{
	struct opened opened;
	NTSTATUS status;

	if (is_checked(heap))
		return get_checked(heap, block, value, flags);
	status = open_block(heap, block, &opened);
	if (!status_is_success(status))
		return status;
	if (opened.info.has_value)
		*value = *block_user_value(opened.page, block);
	*flags = opened.info.user_flags;
	heap_leave(opened.front);
	return STATUS_SUCCESS;
}

NTSTATUS heap_set_user_value(struct heap *heap, void *block, uintptr_t value)
{
	struct opened opened;
	NTSTATUS status;

	if (is_checked(heap))
		return use_checked_value(heap, block, &value, /* is_write */ true);
	status = open_block(heap, block, &opened);
	if (!status_is_success(status))
		return status;
	if (opened.info.has_value)
		*block_user_value(opened.page, block) = value;
	else
		status = STATUS_UNSUCCESSFUL;
	heap_leave(opened.front);
	return status;
}

NTSTATUS heap_set_user_flags(struct heap *heap, void *block, uint32_t clear, uint32_t set)
{
	struct opened opened;
	NTSTATUS status;

	if ((clear | set) & ~HEAP_USER_FLAGS)
		return STATUS_INVALID_PARAMETER;
	if (is_checked(heap))
		return set_checked_flags(heap, block, clear, set);
	status = open_block(heap, block, &opened);
	if (!status_is_success(status))
		return status;
	opened.info.user_flags = (opened.info.user_flags & ~clear) | set;
	if (opened.info.has_value)
		block_write_info(opened.page, block, &opened.info);
	else
		status = STATUS_UNSUCCESSFUL;
	heap_leave(opened.front);
	return status;
}
