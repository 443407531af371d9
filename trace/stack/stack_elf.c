/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A walk by rules, one word per instruction, remembered in one table for all threads:
 *
 *   table    | pc, rule | pc, rule | 0, 0 | ...     open addressing, both words atomic
 *
 * A pc is claimed once and never changes; its rule is stored after it, and zeroed when its module
 * goes, so that the next walk asks again. A full table is replaced by a larger, empty one; readers
 * of the old one finish undisturbed, and old tables together are smaller than the newest.
 * Where the rule is CFI_COMPLEX, libunwind walks the whole stack instead (some 500 ns per frame).
 * Code without unwind information is assumed to keep frame pointers. */

#include "trace/stack/stack_elf.h"

#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "trace/bracket.h"
#include "trace/memory.h"
#include "trace/stack/cfi.h"
#include "trace/system.h"

#define PAGE 4096u
#define PROBES 16
#define FIRST_TABLE_SIZE 4096u
#define GAP_MAX (64u * PAGE)
/* libunwind needs some 8 KiB for a step; less than this may be left on a signal stack. */
#define UNWIND_STACK_MIN (32u * 1024)

struct slot {
	uintptr_t pc;
	uint64_t rule;
};

struct table {
	size_t size; /* power of two */
	size_t used;
	struct slot slots[];
};

struct registers {
	uintptr_t pc, rsp, rbp;
	bool is_exact; /* pc is not a return address */
};

static struct table *current;
static struct memory_lock grow_lock;
static uintptr_t own_start, own_end;
static uint32_t unwinding_count, fork_in_progress;

static struct table *make_table(size_t size)
{
	struct table *table = memory_map(sizeof(*table) + size * sizeof(table->slots[0]));

	if (table)
		table->size = size;
	return table;
}

void stack_start(void)
{
	struct dl_find_object object;

	current = make_table(FIRST_TABLE_SIZE);
	/* In a program that is linked with us, not preloaded, the object is the program. */
	if (_dl_find_object((void *)stack_start, &object) == 0 &&
	    object.dlfo_link_map->l_name[0] != 0) {
		own_start = (uintptr_t)object.dlfo_map_start;
		own_end = (uintptr_t)object.dlfo_map_end;
	}
}

static void grow(struct table *full)
{
	uint64_t mask = memory_lock(&grow_lock);

	if (__atomic_load_n(&current, __ATOMIC_RELAXED) == full) {
		struct table *larger = make_table(2 * full->size);

		if (larger)
			__atomic_store_n(&current, larger, __ATOMIC_RELEASE);
	}
	memory_unlock(&grow_lock, mask);
}

/* The slot of `pc`, claimed if it is new; NULL when there is no room. */
static struct slot *find_slot(struct table *table, uintptr_t pc)
{
	size_t index = (size_t)((pc * UINT64_C(0x9e3779b97f4a7c15)) >> 32);

	for (int i = 0; i < PROBES; i++) {
		struct slot *slot = &table->slots[(index + (size_t)i) & (table->size - 1)];
		uintptr_t seen = __atomic_load_n(&slot->pc, __ATOMIC_RELAXED);

		if (seen == 0 && __atomic_compare_exchange_n(&slot->pc, &seen, pc, false,
							     __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
			__atomic_fetch_add(&table->used, 1, __ATOMIC_RELAXED);
			return slot;
		}
		if (seen == pc)
			return slot;
	}
	return NULL;
}

static struct cfi_rule rule_from_word(uint64_t word)
{
	struct cfi_rule rule;

	memcpy(&rule, &word, sizeof(rule));
	return rule;
}

static __attribute__((noinline)) struct cfi_rule learn(struct table *table, struct slot *slot,
						       uintptr_t pc)
{
	struct cfi_rule rule = cfi_find(pc);
	uint64_t word;

	memcpy(&word, &rule, sizeof(word));
	/* A module can appear later where there is none now. */
	if (slot && rule.kind != CFI_NO_MODULE)
		__atomic_store_n(&slot->rule, word, __ATOMIC_RELAXED);
	if (!slot || __atomic_load_n(&table->used, __ATOMIC_RELAXED) > table->size / 4 * 3)
		grow(table);
	return rule;
}

static struct cfi_rule rule_of(uintptr_t pc)
{
	struct table *table = __atomic_load_n(&current, __ATOMIC_ACQUIRE);
	struct slot *slot = find_slot(table, pc);
	uint64_t word = slot ? __atomic_load_n(&slot->rule, __ATOMIC_RELAXED) : 0;

	return __builtin_expect(word != 0, 1) ? rule_from_word(word) : learn(table, slot, pc);
}

void stack_forget(uintptr_t start, uintptr_t end)
{
	struct table *table = __atomic_load_n(&current, __ATOMIC_ACQUIRE);

	for (size_t i = 0; table && i < table->size; i++) {
		uintptr_t pc = __atomic_load_n(&table->slots[i].pc, __ATOMIC_RELAXED);

		if (pc >= start && pc < end)
			__atomic_store_n(&table->slots[i].rule, 0, __ATOMIC_RELAXED);
	}
	unw_flush_cache(unw_local_addr_space, (unw_word_t)start, (unw_word_t)end);
}

/* Makes the bounds cover the page of `address`, if it can be read. */
static __attribute__((noinline)) bool widen(struct stack_bounds *bounds, uintptr_t address)
{
	uintptr_t page = address & ~(uintptr_t)(PAGE - 1);
	uintptr_t at = bounds->high;

	if (!system_can_read(page))
		return false;
	while (at < page && page - at < GAP_MAX && system_can_read(at))
		at += PAGE;
	if (at == page)
		bounds->high = page + PAGE;
	else if (page + PAGE == bounds->low)
		bounds->low = page;
	else
		*bounds = (struct stack_bounds){ page, page + PAGE };
	return true;
}

static inline bool load(struct stack_bounds *bounds, uintptr_t address, uintptr_t *value)
{
	if (address & 7)
		return false;
	if (address - bounds->low >= bounds->high - bounds->low && !widen(bounds, address))
		return false;
	*value = *(const uintptr_t *)address;
	return true;
}

static bool step_standard(struct registers *at, struct cfi_rule rule, struct stack_bounds *bounds)
{
	uintptr_t cfa =
		(rule.is_cfa_of_rbp ? at->rbp : at->rsp) + (uintptr_t)(int64_t)rule.cfa_offset;

	if (rule.is_cfa_loaded && !load(bounds, cfa, &cfa))
		return false;
	if (cfa <= at->rsp)
		return false;
	if (rule.rbp != CFI_RBP_KEPT) {
		uintptr_t place = rule.rbp == CFI_RBP_AT_CFA ? cfa : at->rbp;

		if (!load(bounds, place + (uintptr_t)(int64_t)rule.rbp_offset, &at->rbp))
			return false;
	}
	at->rsp = cfa;
	at->is_exact = false;
	return load(bounds, cfa - 8, &at->pc);
}

/* rsp points at the ucontext: 40 bytes of head, then r8..r15 rdi rsi rbp rbx rdx rax rcx rsp rip.
 */
static bool step_signal(struct registers *at, struct stack_bounds *bounds)
{
	uintptr_t context = at->rsp;

	_Static_assert(offsetof(ucontext_t, uc_mcontext.gregs) == 40, "the kernel's signal frame");
	at->is_exact = true;
	return load(bounds, context + 40 + 8 * REG_RBP, &at->rbp) &&
	       load(bounds, context + 40 + 8 * REG_RIP, &at->pc) &&
	       load(bounds, context + 40 + 8 * REG_RSP, &at->rsp);
}

/* Generated code: its frame pointer, if that looks like one. */
static bool step_guessed(struct registers *at, struct stack_bounds *bounds)
{
	uintptr_t frame = at->rbp;

	if (frame < at->rsp || frame - at->rsp > 64 * GAP_MAX)
		return false;
	if (!load(bounds, frame, &at->rbp) || !load(bounds, frame + 8, &at->pc))
		return false;
	at->rsp = frame + 16;
	at->is_exact = false;
	return true;
}

static bool step(struct registers *at, struct stack_bounds *bounds, bool *is_complex)
{
	struct cfi_rule rule = rule_of(at->pc - !at->is_exact);

	switch (rule.kind) {
	case CFI_STANDARD:
		return step_standard(at, rule, bounds);
	case CFI_SIGNAL:
		return step_signal(at, bounds);
	case CFI_NO_MODULE:
	case CFI_NO_INFO:
		return step_guessed(at, bounds);
	case CFI_COMPLEX:
		*is_complex = true;
	}
	return false;
}

static bool is_own(uintptr_t pc)
{
	return pc - own_start < own_end - own_start;
}

/* Whether libunwind has room: always, except on a small signal stack. */
static bool has_room(void)
{
	stack_t stack = { .ss_sp = NULL };
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	system_call4(SYS_sigaltstack, 0, (long)&stack, 0, 0);
	return !(stack.ss_flags & SS_ONSTACK) || here - (uintptr_t)stack.ss_sp > UNWIND_STACK_MIN;
}

static uint32_t unwind(uintptr_t frame, uint64_t *frames, uint32_t capacity)
{
	unw_context_t context;
	unw_cursor_t cursor;
	unw_word_t pc, rsp;
	uint32_t count = 0;

	if (unw_getcontext(&context) != 0 || unw_init_local(&cursor, &context) != 0)
		return 0;
	while (count < capacity && unw_step(&cursor) > 0) {
		if (unw_get_reg(&cursor, UNW_REG_IP, &pc) != 0 || pc == 0 ||
		    unw_get_reg(&cursor, UNW_REG_SP, &rsp) != 0)
			break;
		if (count > 0 || (rsp > frame && !is_own(pc)))
			frames[count++] = pc;
	}
	return count;
}

static uint32_t unwind_unless_forking(const struct stack_start *start, uint64_t *frames,
				      uint32_t capacity)
{
	uint32_t count = 0;

	__atomic_fetch_add(&unwinding_count, 1, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&fork_in_progress, __ATOMIC_SEQ_CST))
		count = unwind(start->frame, frames, capacity);
	__atomic_fetch_sub(&unwinding_count, 1, __ATOMIC_SEQ_CST);
	return count;
}

/* The whole walk again, with libunwind. */
static __attribute__((noinline)) uint32_t walk_complex(const struct stack_start *start,
						       uint64_t *frames, uint32_t capacity)
{
	uint32_t count = 0;
	uintptr_t before;
	uint64_t mask;

	if (!has_room())
		return 0;
	mask = system_block_signals();
	before = bracket_call_out((uintptr_t)__builtin_frame_address(0), BRACKET_TO_LIBUNWIND);
	count = unwind_unless_forking(start, frames, capacity);
	bracket_call_ended(before);
	system_restore_signals(mask);
	return count;
}

uint32_t stack_walk(const struct stack_start *start, uint64_t *frames, uint32_t capacity)
{
	const uintptr_t *frame = (const uintptr_t *)start->frame;
	struct registers at = { frame[1], start->frame + 16, frame[0], false };
	bool is_complex = false;
	uint32_t count = 0;

	if (!current)
		return 0;
	do {
		if (at.pc == 0)
			break;
		if (count > 0 || !is_own(at.pc))
			frames[count++] = at.pc;
	} while (count < capacity && step(&at, start->bounds, &is_complex));
	if (is_complex) {
		uint32_t complex_count = walk_complex(start, frames, capacity);

		/* Where both agree they have the same frames. */
		return complex_count > count ? complex_count : count;
	}
	return count;
}

void stack_fork_begin(void)
{
	__atomic_store_n(&fork_in_progress, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < 10000; i++) {
		if (__atomic_load_n(&unwinding_count, __ATOMIC_SEQ_CST) == 0)
			break;
		system_sleep_ns(10000);
	}
}

void stack_fork_end(bool is_child)
{
	if (is_child)
		__atomic_store_n(&unwinding_count, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&fork_in_progress, 0, __ATOMIC_SEQ_CST);
}
