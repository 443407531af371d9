/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The life of checked blocks.
 *
 *   take:    record, memory, paint ............................... -> table: live
 *   return:  table: going -> look at the surroundings -> retire -> table: quarantine
 *   later:   out of the quarantine -> look at all of it -> memory and record go back
 *
 * What is wrong is answered by a status, and told by who called (misuse_tell_of); what turns up
 * in a look at many blocks, or without a call that is to blame, is told here, once for each. */

#include "core/heap/checked.h"

#include <errno.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/status.h"
#include "core/heap/checked_block.h"
#include "core/heap/descriptor.h"
#include "core/heap/stock.h"
#include "core/vm/fault.h"

enum checked_mode checked_mode;

static void on_fault(const struct fault *fault)
{
	checked_tell_fault(fault->address);
}

void checked_start(enum checked_mode mode, size_t quarantine_bytes)
{
	checked_mode = mode;
	checked_table_set_limit(quarantine_bytes);
	heap_native()->is_checked = mode != CHECKED_NOT;
	if (mode == CHECKED_PAGE)
		__atomic_store_n(&fault_watch, on_fault, __ATOMIC_RELEASE);
}

/* --- Words about it -------------------------------------------------------------------------- */

static void describe(const struct checked_block *block, struct misuse_report *report)
{
	report->heap = block->heap;
	report->block = block->address;
	report->size_bytes = block->info.size_bytes;
	report->allocated = block->allocated;
	report->freed = block->freed;
}

/* The caller keeps the block from changing. */
static void tell_once(enum api api, struct checked_block *block, enum misuse misuse,
		      uintptr_t where)
{
	struct misuse_report report = { .misuse = misuse, .api = api, .address = where };

	if (misuse == MISUSE_NONE || __atomic_exchange_n(&block->is_told, true, __ATOMIC_RELAXED))
		return;
	describe(block, &report);
	misuse_tell(&report);
}

struct examination {
	const struct heap *heap;
	struct misuse_report *report;
	bool is_live;
};

static bool examine_locked(struct checked_block *block, void *context)
{
	struct examination *examination = context;
	struct misuse_report *report = examination->report;

	examination->is_live = block->state == CHECKED_LIVE;
	describe(block, report);
	if (report->address != block->address)
		report->misuse = MISUSE_INTERIOR;
	else if (!examination->is_live)
		report->misuse = MISUSE_DOUBLE_FREE;
	else if (block->heap != examination->heap)
		report->misuse = MISUSE_WRONG_HEAP;
	return true;
}

/* Of a block that seems right: whether something lies beside it that should not. */
static void examine_surroundings(const struct heap *heap, struct misuse_report *report)
{
	struct checked_block *block = checked_table_hold(heap, report->address, &report->misuse);

	if (!block)
		return;
	report->misuse = checked_memory_look(block, &report->address);
	if (report->misuse != MISUSE_NONE)
		__atomic_store_n(&block->is_told, true, __ATOMIC_RELAXED);
	checked_table_let_go(block);
}

bool checked_examine(const struct heap *heap, const void *address, struct misuse_report *report)
{
	struct examination examination = { .heap = heap, .report = report };

	if (!heap->is_checked && !checked_is_on())
		return false;
	if (!checked_table_visit((uintptr_t)address, examine_locked, &examination))
		return false;
	if (report->misuse == MISUSE_NONE)
		examine_surroundings(heap, report);
	return true;
}

static bool examine_fault_locked(struct checked_block *block, void *context)
{
	struct misuse_report *report = context;
	bool is_live = block->state == CHECKED_LIVE;

	/* What the program itself has protected is not misused. */
	if (!block->is_page || (is_live && report->address - block->room < block->room_bytes))
		return false;
	describe(block, report);
	report->misuse = is_live ? MISUSE_OUTSIDE : MISUSE_FREE_TOUCHED;
	return true;
}

void checked_tell_fault(uintptr_t address)
{
	struct misuse_report report = { .address = address };

	if (checked_mode == CHECKED_PAGE &&
	    checked_table_visit(address, examine_fault_locked, &report))
		misuse_tell(&report);
}

/* --- Taken ----------------------------------------------------------------------------------- */

static struct checked_block *make(const struct checked_request *request)
{
	struct checked_block *block = arena_allocate(sizeof(*block));

	if (!block)
		return NULL;
	block->heap = request->heap;
	block->info = request->info;
	block->is_malloc = request->is_malloc;
	block->has_code = request->heap->flags & HEAP_CREATE_ENABLE_EXECUTE;
	if (checked_is_on())
		misuse_take_stack(&block->allocated);
	if (checked_memory_take(block, request->alignment_bytes))
		return block;
	arena_free(block, sizeof(*block));
	return NULL;
}

/* - old: the block that this one takes the place of, or NULL. */
static bool charge(struct checked_block *block, struct checked_block *old)
{
	struct heap *heap = (struct heap *)block->heap;
	size_t old_bytes = old ? old->charged_bytes : 0;

	if (!heap->maximum_bytes)
		return true;
	if (!heap_charge(heap, &block->info, old_bytes))
		return false;
	block->charged_bytes = heap_charge_for(&block->info);
	if (old && old_bytes > block->charged_bytes)
		old->charged_bytes -= block->charged_bytes;
	else if (old)
		old->charged_bytes = 0;
	return true;
}

static void uncharge(const struct checked_block *block)
{
	struct heap *heap = (struct heap *)block->heap;

	if (block->charged_bytes)
		atomic_fetch_sub(&heap->taken_bytes, block->charged_bytes);
}

static void discard(struct checked_block *block)
{
	checked_memory_give(block);
	arena_free(block, sizeof(*block));
}

static struct checked_block *take(const struct checked_request *request, struct checked_block *old)
{
	struct checked_block *block;

	if (request->info.size_bytes > BLOCK_BYTES_LIMIT)
		return NULL;
	block = make(request);
	if (!block)
		return NULL;
	if (!charge(block, old)) {
		discard(block);
		return NULL;
	}
	checked_memory_paint(block, request->is_zero);
	checked_table_add(block);
	return block;
}

void *checked_take(const struct checked_request *request)
{
	int saved_errno = errno;
	struct checked_block *block = take(request, NULL);

	errno = saved_errno;
	return block ? (void *)block->address : NULL;
}

/* --- Returned -------------------------------------------------------------------------------- */

static void leave_quarantine(struct checked_block *block)
{
	while (block) {
		struct checked_block *next = block->next;
		uintptr_t where = 0;

		tell_once(API_NONE, block, checked_memory_look(block, &where), where);
		discard(block);
		block = next;
	}
}

/* A seized block is freed. */
static void retire(struct checked_block *block)
{
	if (checked_is_on())
		misuse_take_stack(&block->freed);
	uncharge(block);
	checked_memory_retire(block);
	leave_quarantine(checked_table_retire(block));
}

/* Seizes a block with whole surroundings. */
static struct checked_block *seize_whole(const struct heap *heap, const void *address,
					 enum misuse *misuse)
{
	struct checked_block *block = checked_table_seize(heap, (uintptr_t)address, misuse);
	uintptr_t where;

	if (!block)
		return NULL;
	*misuse = checked_memory_look(block, &where);
	if (*misuse == MISUSE_NONE)
		return block;
	checked_table_restore(block);
	return NULL;
}

enum misuse checked_return(const struct heap *heap, const void *address)
{
	int saved_errno = errno;
	enum misuse misuse;
	struct checked_block *block = seize_whole(heap, address, &misuse);

	if (block)
		retire(block);
	errno = saved_errno;
	return misuse;
}

void checked_destroy(enum api api, const struct heap *heap)
{
	struct checked_block *block;
	uintptr_t after = 0, where = 0;

	while ((block = checked_table_seize_next(heap, after))) {
		after = block->address;
		tell_once(api, block, checked_memory_look(block, &where), where);
		block->charged_bytes = 0;
		retire(block);
	}
}

/* --- Resized --------------------------------------------------------------------------------- */

static struct checked_block *move(struct checked_block *old, size_t size_bytes, bool is_zero)
{
	struct checked_request request = {
		.heap = (struct heap *)old->heap,
		.info = old->info,
		.alignment_bytes = BLOCK_BYTES_MIN,
		.is_zero = is_zero,
		.is_malloc = old->is_malloc,
	};
	struct checked_block *block;

	request.info.size_bytes = size_bytes;
	block = take(&request, old);
	if (!block)
		return NULL;
	memcpy((void *)block->address, (const void *)old->address,
	       old->info.size_bytes < size_bytes ? old->info.size_bytes : size_bytes);
	block->user_value = old->user_value;
	return block;
}

/* Of a seized block: it stays, or is freed. */
static void *resize(struct checked_block *block, uint32_t flags, size_t size_bytes)
{
	struct checked_block *moved = NULL;

	if (flags & HEAP_REALLOC_IN_PLACE_ONLY && size_bytes <= block->info.size_bytes) {
		block->info.size_bytes = size_bytes;
		checked_memory_paint_rest(block);
		checked_table_restore(block);
		return (void *)block->address;
	}
	if (!(flags & HEAP_REALLOC_IN_PLACE_ONLY))
		moved = move(block, size_bytes, flags & HEAP_ZERO_MEMORY);
	if (moved)
		retire(block);
	else
		checked_table_restore(block);
	return moved ? (void *)moved->address : NULL;
}

void *checked_resize(struct heap *heap, uint32_t flags, void *address, size_t size_bytes,
		     NTSTATUS *status)
{
	int saved_errno = errno;
	enum misuse misuse;
	struct checked_block *block = seize_whole(heap, address, &misuse);
	void *resized = block ? resize(block, flags, size_bytes) : NULL;

	if (status && !block)
		*status = STATUS_INVALID_PARAMETER;
	else if (status)
		*status = resized ? STATUS_SUCCESS : STATUS_NO_MEMORY;
	errno = saved_errno;
	return resized;
}

/* --- Looked at ------------------------------------------------------------------------------- */

static bool is_any(struct checked_block *block, void *context)
{
	(void)block;
	(void)context;
	return true;
}

bool checked_owns(const void *address)
{
	return checked_is_on() && checked_table_visit((uintptr_t)address, is_any, NULL);
}

/* What a short look at a live block wants. */
struct look {
	const struct heap *heap;
	uintptr_t address;
	struct block_info *info;
	uintptr_t *value;
	const uint32_t *flags;
	bool writes_value;
};

static bool look_locked(struct checked_block *block, void *context)
{
	const struct look *look = context;

	if (block->state != CHECKED_LIVE || block->heap != look->heap ||
	    block->address != look->address)
		return false;
	if (look->flags)
		block->info.user_flags = *look->flags;
	if (look->info)
		*look->info = block->info;
	if (look->value && look->writes_value)
		block->user_value = *look->value;
	else if (look->value)
		*look->value = block->user_value;
	return true;
}

static bool look_at(struct look *look, const void *address)
{
	look->address = (uintptr_t)address;
	return checked_table_visit(look->address, look_locked, look);
}

bool checked_read_info(const struct heap *heap, const void *address, struct block_info *info)
{
	return look_at(&(struct look){ .heap = heap, .info = info }, address);
}

bool checked_write_flags(const struct heap *heap, const void *address, uint32_t user_flags)
{
	return look_at(&(struct look){ .heap = heap, .flags = &user_flags }, address);
}

bool checked_user_value(const struct heap *heap, const void *address, uintptr_t *value,
			bool is_write)
{
	return look_at(&(struct look){ .heap = heap, .value = value, .writes_value = is_write },
		       address);
}

bool checked_validate_all(enum api api, const struct heap *heap)
{
	struct checked_block *block;
	uintptr_t after = 0, where = 0;
	bool is_whole = true;

	while ((block = checked_table_hold_next(heap, after))) {
		enum misuse misuse = MISUSE_NONE;

		if (checked_memory_is_readable(block))
			misuse = checked_memory_look(block, &where);
		after = block->address;
		is_whole &= misuse == MISUSE_NONE;
		tell_once(api, block, misuse, where);
		checked_table_let_go(block);
	}
	return is_whole;
}

bool checked_validate(const struct heap *heap, const void *address)
{
	struct checked_block *block;
	enum misuse misuse;
	uintptr_t where;

	block = checked_table_hold(heap, (uintptr_t)address, &misuse);
	if (!block)
		return false;
	misuse = checked_memory_look(block, &where);
	checked_table_let_go(block);
	return misuse == MISUSE_NONE;
}

void checked_finish(void)
{
	if (checked_is_on())
		(void)checked_validate_all(API_NONE, NULL);
}

static bool show_locked(struct checked_block *block, void *context)
{
	struct rtl_heap_entry *entry = context;

	*entry = (struct rtl_heap_entry){
		.lpData = (void *)block->address,
		.cbData = block->info.size_bytes,
		.iRegionIndex = entry->iRegionIndex,
		.wFlags = RTL_HEAP_ENTRY_BUSY | RTL_HEAP_ENTRY_BLOCK |
			  (WORD)(block->info.user_flags >> 4),
	};
	return true;
}

struct adding {
	struct heap_summary *sum;
	uintptr_t after;
};

static bool add_locked(struct checked_block *block, void *context)
{
	struct adding *adding = context;

	adding->after = block->address;
	adding->sum->allocated_bytes += block->info.size_bytes;
	adding->sum->committed_bytes += block->room_bytes;
	adding->sum->reserved_bytes += block->region_bytes;
	return true;
}

void checked_summarize(const struct heap *heap, struct heap_summary *sum)
{
	struct adding adding = { .sum = sum };

	while (checked_table_visit_next(heap, adding.after, add_locked, &adding))
		continue;
}

NTSTATUS checked_walk(const struct heap *heap, struct rtl_heap_entry *entry)
{
	uintptr_t after = (uintptr_t)entry->lpData;
	struct block_info info;

	if (stock_has(heap, entry->lpData))
		after = 0;
	else if (!checked_read_info(heap, entry->lpData, &info))
		return STATUS_INVALID_PARAMETER;
	return checked_table_visit_next(heap, after, show_locked, entry) ? STATUS_SUCCESS
									 : STATUS_NO_MORE_ENTRIES;
}
