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

/* After the slots come as many words, for the rules that most walks need, each of them whole:
 *
 *   | pc, 48 bits | CFA's offset / 8, 12 bits | where rbp is, 3 bits | is_cfa_of_rbp | or 0
 *
 * A quarter of the cache lines hold them then: reading rules is waiting for memory. */
struct rules_table {
	size_t size; /* power of two */
	size_t used;
	struct rules_slot slots[];
};

#define RULES_QUICK_PROBES 4

static inline uint64_t *rules_quick(struct rules_table *table, size_t index)
{
	return (uint64_t *)&table->slots[table->size] + (index & (table->size - 1));
}

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

/* The low 16 bits of the word for a rule; 0: there is none. The caller's rbp is at CFA - 8 - 8 * (1
 * to 7), or still in rbp: 0. */
static inline uint32_t rules_quick_code(struct cfi_rule rule)
{
	int64_t saved = rule.rbp == CFI_RBP_AT_CFA ? -rule.rbp_offset / 8 - 1 : 0;

	if (rule.kind != CFI_STANDARD || rule.is_cfa_loaded || rule.rbp == CFI_RBP_AT_RBP ||
	    rule.cfa_offset <= 0 || rule.cfa_offset >= 8 << 12 || rule.cfa_offset % 8 != 0 ||
	    (rule.rbp == CFI_RBP_AT_CFA && (saved < 1 || saved > 7 || rule.rbp_offset % 8 != 0)))
		return 0;
	return (uint32_t)rule.cfa_offset << 1 | (uint32_t)saved << 1 | rule.is_cfa_of_rbp;
}

static inline uintptr_t rules_quick_cfa(uint32_t code, uintptr_t rsp, uintptr_t rbp)
{
	return (code & 1 ? rbp : rsp) + (code >> 4) * 8;
}

static inline uintptr_t rules_quick_saved(uint32_t code)
{
	return code >> 1 & 7;
}

/* The code of a rule that has one and is where it is looked for first; else 0: ask rules_find.
 * After rules_start. */
static inline uint32_t rules_look(uintptr_t pc)
{
	struct rules_table *table = __atomic_load_n(&rules_current, __ATOMIC_ACQUIRE);
	size_t index = rules_index(pc);

	for (size_t i = 0; i < RULES_QUICK_PROBES; i++) {
		uint64_t word = __atomic_load_n(rules_quick(table, index + i), __ATOMIC_RELAXED);

		if (__builtin_expect(word >> 16 == pc, 1))
			return (uint16_t)word;
	}
	return 0;
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
