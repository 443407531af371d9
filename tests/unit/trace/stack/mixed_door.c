/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Preloaded into Wine: the walker, without a tracer around it, at the service of mixed.exe. */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/unit/trace/stack/mixed.h"
#include "trace/bracket.h"
#include "trace/functions_pe.h"
#include "trace/modules.h"
#include "trace/modules_pe.h"
#include "trace/provider/provider.h"
#include "trace/stack/stack_elf.h"
#include "trace/stack/stack_mixed.h"
#include "trace/system.h"

#define WALKS 200000

static struct history history;
static struct mixed_stack last;

void provider_module(const struct provider_module *module)
{
}

void provider_pe_module(const struct provider_pe_module *module)
{
}

void provider_module_gone(uint32_t module)
{
}

void provider_stack(uint32_t stack, const uint64_t *frames, uint32_t count)
{
}

uintptr_t bracket_call_out(uintptr_t frame, enum bracket_callee callee)
{
	return 0;
}

void bracket_call_ended(uintptr_t before)
{
}

static void keep(struct mixed_stack *stack, struct stack_trace trace)
{
	stack->count = trace.count;
	memcpy(stack->frames, trace.frames, trace.count * sizeof(trace.frames[0]));
}

static struct stack_start start_at(const struct mixed_caller *caller)
{
	_Static_assert(sizeof(*caller) == sizeof(struct trace_caller), "the same fields");
	return (struct stack_start){ .history = &history, .caller = (const void *)caller };
}

static MIXED_ABI void walk(const struct mixed_caller *caller, struct mixed_stack *stack)
{
	struct stack_start start = start_at(caller);

	keep(stack, stack_walk(&start, MIXED_FRAMES));
}

static MIXED_ABI uint32_t last_mapping(struct mixed_stack *stack)
{
	uint32_t elf_count = 0;

	*stack = last;
	while (elf_count < last.count) {
		const struct module *module = modules_find(last.frames[elf_count]);

		if (module && module->pe)
			break;
		elf_count++;
	}
	return elf_count;
}

static MIXED_ABI uint64_t time_walks(const struct mixed_caller *caller)
{
	struct stack_start start = start_at(caller);
	uint64_t begin_ns = system_now_ns();

	for (int i = 0; i < WALKS; i++)
		stack_walk(&start, MIXED_FRAMES);
	return (system_now_ns() - begin_ns) / WALKS;
}

static MIXED_ABI void release(uint64_t start, uint64_t end)
{
	functions_pe_forget(start, end);
}

static MIXED_ABI void name_of(uint64_t address, char text[64])
{
	const struct module *module = modules_find(address);
	const char *name = !module ? "" : module->pe ? module->pe->name : module->path;
	const char *slash = strrchr(name, '/');

	memset(text, 0, 64);
	strncpy(text, slash ? slash + 1 : name, 63);
}

static __attribute__((noinline)) void walk_mapping(void)
{
	struct stack_start start = { .frame = (uintptr_t)__builtin_frame_address(0),
				     .history = &history };

	keep(&last, stack_walk(&start, MIXED_FRAMES));
	modules_learn(last.frames, last.count);
}

void *mmap(void *address, size_t size_bytes, int prot, int flags, int fd, off_t offset)
{
	long result =
		system_call6(SYS_mmap, (long)address, (long)size_bytes, prot, flags, fd, offset);

	if (size_bytes == MIXED_SIZE)
		walk_mapping();
	if (result >= 0 || result <= -4096)
		return (void *)result;
	errno = (int)-result;
	return MAP_FAILED;
}

static __attribute__((constructor)) void set_up(void)
{
	long address = system_call6(SYS_mmap, (long)MIXED_TABLE, 4096, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (address != (long)MIXED_TABLE)
		return;
	*(struct mixed_table *)address = (struct mixed_table){ MIXED_MAGIC, walk,    last_mapping,
							       time_walks,  release, name_of };
	stack_start(NULL);
	modules_start();
	mixed_start_windows(modules_pe_find, functions_pe_version);
}
