/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The words about a misused block. Allocates nothing, takes no lock of its own, uses no stdio.
 *
 *   vadtrace: free(): the block was freed already: 0x7f0012345670
 *     the start of a block of 24 bytes
 *     here, by thread 4711:
 *       0x55d0c0ffee00 main+0x1c (/home/me/program)
 *     allocated by thread 4711:
 *       ...
 *
 * The lines that are indented belong to a report, the first one also says the last word. */

#include "core/heap/misuse.h"

#include <fcntl.h>

#include "core/base/hints.h"
#include "core/heap/blocks.h"
#include "core/heap/checked.h"
#include "core/heap/descriptor.h"
#include "core/heap/pool.h"
#include "core/os/os.h"

#define STDERR_FD 2

static struct misuse_host host;

void misuse_set_host(const struct misuse_host *given)
{
	host = *given;
}

void misuse_take_stack(struct misuse_stack *stack)
{
	stack->tid = os_thread_id();
	stack->count = host.take_stack ? host.take_stack(stack->frames, MISUSE_FRAMES) : 0;
}

/* --- What is wrong --------------------------------------------------------------------------- */

static uintptr_t start_of_block_at(const struct page *page, uintptr_t address)
{
	uintptr_t first = page_first_block(page);

	if (page->kind != PAGE_BLOCKS || address < first)
		return first;
	return address - (address - first) % page->block_bytes;
}

/* The block that the address lies in. */
static void describe_block(const struct page *page, struct misuse_report *report)
{
	struct block_info info;

	if (page->kind == PAGE_NONE || report->misuse == MISUSE_FOREIGN)
		return;
	report->block = start_of_block_at(page, report->address);
	report->heap = page->heap;
	report->size_bytes = page->block_bytes;
	if (report->misuse != MISUSE_DOUBLE_FREE && report->misuse != MISUSE_OVERRUN &&
	    block_read_info(page, (const void *)report->block, &info))
		report->size_bytes = info.size_bytes;
}

static enum misuse examine(const struct heap *heap, const struct page *page, const void *address)
{
	enum misuse misuse = page ? block_examine(page, address) : MISUSE_FOREIGN;
	struct block_info info;

	if (misuse != MISUSE_NONE)
		return misuse;
	if (page->heap != heap)
		return MISUSE_WRONG_HEAP;
	return block_read_info(page, address, &info) ? MISUSE_NONE : MISUSE_OVERRUN;
}

void misuse_examine(const struct heap *heap, const void *address, struct misuse_report *report)
{
	const struct page *page = page_of(address);

	*report = (struct misuse_report){ .address = (uintptr_t)address, .heap = heap };
	if (heap != heap_native() && !heap_is_valid(heap)) {
		report->misuse = MISUSE_NO_HEAP;
		return;
	}
	if (checked_examine(heap, address, report))
		return;
	report->misuse = examine(heap, page, address);
	if (page)
		describe_block(page, report);
}

/* --- Its words ------------------------------------------------------------------------------- */

/* A line in the making, on its way to a file; what does not fit is cut off. Small, because it may
 * be made on the stack of a signal's handler. */
struct text {
	char bytes[384];
	size_t length;
	int fd;
};

static void add_text(struct text *text, const char *added)
{
	while (*added && text->length < sizeof(text->bytes) - 1)
		text->bytes[text->length++] = *added++;
}

static void end_line(struct text *text)
{
	text->bytes[text->length++] = '\n';
	(void)os_write(text->fd, text->bytes, text->length);
	text->length = 0;
}

static void add_number(struct text *text, uintptr_t value, unsigned base)
{
	char digits[24];
	size_t position = sizeof(digits) - 1;

	digits[position] = '\0';
	do {
		digits[--position] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	if (base == 16)
		add_text(text, "0x");
	add_text(text, digits + position);
}

static const char *const descriptions[MISUSES] = {
	[MISUSE_NONE] = "no misuse of ",
	[MISUSE_FOREIGN] = "no block starts at ",
	[MISUSE_INTERIOR] = "inside a block, not at its start: ",
	[MISUSE_DOUBLE_FREE] = "the block was freed already: ",
	[MISUSE_OVERRUN] = "the program wrote past the end of the block at ",
	[MISUSE_WRONG_HEAP] = "a block of another heap: ",
	[MISUSE_NO_HEAP] = "the heap was destroyed, or is none: ",
	[MISUSE_UNDERRUN] = "the program wrote before the start of the block at ",
	[MISUSE_FREE_WRITTEN] = "the program wrote to a freed block, at ",
	[MISUSE_OUTSIDE] = "the program touched memory beside a block, at ",
	[MISUSE_FREE_TOUCHED] = "the program touched a freed block, at ",
	[MISUSE_FREE_DAMAGED] = "a block was freed twice, or written to after free: ",
};

static const char *name_of_function(enum api api)
{
#define NAME(number, name, ...) [number] = #name,
	static const char *const names[] = { API_TABLE(NAME) };
#undef NAME
	return api < sizeof(names) / sizeof(names[0]) ? names[api] : NULL;
}

static void add_first_line(struct text *text, const struct misuse_report *report)
{
	const char *function = report->api == API_NONE ? NULL : name_of_function(report->api);

	add_text(text, "vadtrace: ");
	if (function) {
		add_text(text, function);
		add_text(text, "(): ");
	}
	add_text(text, descriptions[report->misuse]);
	add_number(text,
		   report->misuse == MISUSE_NO_HEAP ? (uintptr_t)report->heap : report->address,
		   16);
	end_line(text);
}

static void add_place(struct text *text, const struct misuse_report *report)
{
	uintptr_t end = report->block + report->size_bytes;

	if (!report->block)
		return;
	add_text(text, "  ");
	if (report->address >= end && report->size_bytes) {
		add_number(text, report->address - end, 10);
		add_text(text, " bytes behind the end of");
	} else if (report->address < report->block) {
		add_number(text, report->block - report->address, 10);
		add_text(text, " bytes before the start of");
	} else if (report->address > report->block) {
		add_number(text, report->address - report->block, 10);
		add_text(text, " bytes into");
	} else {
		add_text(text, "the start of");
	}
	add_text(text, " a block of ");
	add_number(text, report->size_bytes, 10);
	add_text(text, " bytes");
	end_line(text);
}

static void add_frame(struct text *text, uint64_t frame)
{
	char name[256] = "";

	add_text(text, "    ");
	add_number(text, frame, 16);
	if (host.name_frame)
		host.name_frame(frame, name, sizeof(name));
	add_text(text, *name ? " " : "");
	add_text(text, name);
	end_line(text);
}

static void add_stack(struct text *text, const char *what, const struct misuse_stack *stack)
{
	if (!stack->tid)
		return;
	add_text(text, what);
	add_number(text, stack->tid, 10);
	add_text(text, ":");
	end_line(text);
	for (uint32_t i = 0; i < stack->count; i++)
		add_frame(text, stack->frames[i]);
}

static void write_report(const struct misuse_report *report)
{
	struct text text = { .length = 0, .fd = STDERR_FD };
	struct misuse_stack here;
	int log = -1;

	if (host.log_path)
		log = os_open(host.log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (log >= 0)
		text.fd = log;
	misuse_take_stack(&here);
	add_first_line(&text, report);
	add_place(&text, report);
	add_stack(&text, "  here, by thread ", &here);
	add_stack(&text, "  allocated by thread ", &report->allocated);
	add_stack(&text, "  freed by thread ", &report->freed);
	if (log >= 0)
		os_close(log);
}

/* --- Who is told ----------------------------------------------------------------------------- */

static struct event_trace trace_of(const struct misuse_stack *stack)
{
	return (struct event_trace){ .frames = stack->frames,
				     .count = stack->count,
				     .tid = stack->tid };
}

static void emit(const struct misuse_report *report)
{
	const struct event_error error = { .block = report->block,
					   .allocated = trace_of(&report->allocated),
					   .freed = trace_of(&report->freed) };
	const struct event event = {
		.kind = EVENT_HEAP_ERROR,
		.api = (uint16_t)report->api,
		.address = report->address,
		.size_bytes = report->size_bytes,
		.heap = report->heap == heap_native() ? 0 : (uintptr_t)report->heap,
		.type = (uint32_t)report->misuse,
		.extra = (uintptr_t)&error,
	};

	event_emit(&event);
}

void misuse_tell(const struct misuse_report *report)
{
	if (event_is_wanted())
		emit(report);
	if (checked_is_on())
		write_report(report);
}

void misuse_tell_of(enum api api, const struct heap *heap, const void *address)
{
	struct misuse_report report;

	if (likely(!event_is_wanted() && !checked_is_on()))
		return;
	misuse_examine(heap, address, &report);
	report.api = api;
	if (report.misuse != MISUSE_NONE)
		misuse_tell(&report);
}

/* The last word goes to standard error, wherever reports go: that is where glibc's goes. */
void misuse_abort(enum api api, enum misuse misuse, const void *address)
{
	struct text text = { .length = 0, .fd = STDERR_FD };
	struct misuse_report report;

	misuse_examine(heap_native(), address, &report);
	report.api = api;
	report.misuse = misuse;
	misuse_tell(&report);
	if (!checked_is_on() || host.log_path)
		add_first_line(&text, &report);
	os_abort();
}
