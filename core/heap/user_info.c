/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The value and the flags that a program keeps with a block: Global and Local memory finds the
 * handle of a moveable block by them. */

#include "core/base/status.h"
#include "core/heap/blocks.h"
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

NTSTATUS heap_get_user_info(struct heap *heap, void *block, uintptr_t *value, uint32_t *flags)
{
	struct opened opened;
	NTSTATUS status = open_block(heap, block, &opened);

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
	NTSTATUS status = open_block(heap, block, &opened);

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
