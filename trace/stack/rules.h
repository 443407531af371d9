/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The unwinding rules of the instructions that were met, for all threads. */

#ifndef VADTRACE_TRACE_STACK_RULES_H
#define VADTRACE_TRACE_STACK_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "trace/stack/cfi.h"

/* False: there is no memory. */
bool rules_start(void);

/* As mixed_find. No lock, unless a new pc makes the table grow. */
struct cfi_rule rules_find(uintptr_t pc, bool is_exact);

/* One instruction. pc is 0, or claimed once and for all; rule is 0, or struct cfi_rule in a word.
 */
struct rules_slot {
	uintptr_t pc;
	uint64_t rule;
};

struct rules_table {
	size_t size; /* power of two */
	size_t used;
	struct rules_slot slots[];
};

extern struct rules_table *rules_current;

static inline size_t rules_index(uintptr_t pc)
{
	return (size_t)((pc * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

static inline struct cfi_rule rules_from_word(uint64_t word)
{
	struct cfi_rule rule;

	memcpy(&rule, &word, sizeof(rule));
	return rule;
}

/* The rule if it is where it is looked for first; else CFI_UNKNOWN: ask rules_find. After
 * rules_start. */
static inline struct cfi_rule rules_look(uintptr_t pc)
{
	struct rules_table *table = __atomic_load_n(&rules_current, __ATOMIC_ACQUIRE);
	size_t index = rules_index(pc);

	for (size_t i = 0; i < 3; i++) {
		struct rules_slot *slot = &table->slots[(index + i) & (table->size - 1)];

		if (__builtin_expect(__atomic_load_n(&slot->pc, __ATOMIC_RELAXED) == pc, 1))
			return rules_from_word(__atomic_load_n(&slot->rule, __ATOMIC_RELAXED));
	}
	return rules_from_word(0);
}

/* The code in [start, end) is gone. */
void rules_forget(uintptr_t start, uintptr_t end);

extern uint64_t rules_current_epoch;

/* Changes when rules are forgotten. What was derived from rules is right as long as the number that
 * was read before them stays. */
static inline uint64_t rules_epoch(void)
{
	return __atomic_load_n(&rules_current_epoch, __ATOMIC_ACQUIRE);
}

/* In a fork's child: no other thread is at work here. */
void rules_fork_child(void);

#endif
