/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One word per instruction, in one table for all threads:
 *
 *   table    | pc, rule | pc, rule | 0, 0 | ...     open addressing, both words atomic
 *
 *            | pc and code | 0 | ...          the same of most rules, shorter: see rules.h
 *
 * A pc is claimed once and never changes; its rule is stored after it, and zeroed when its module
 * goes, so that the next walk asks again. A full table is replaced by a larger copy; readers of the
 * old one finish undisturbed, and old tables together are smaller than the newest. */

#include "trace/stack/rules.h"

#include <stddef.h>
#include <string.h>

#include "trace/memory.h"
#include "trace/stack/stack_mixed.h"

#define PROBES 16
#define FIRST_TABLE_SIZE 4096u

struct rules_table *rules_current;
static struct memory_lock grow_lock;
uint64_t rules_current_epoch = 1;

static struct rules_table *make_table(size_t size)
{
	struct rules_table *table =
		memory_map(sizeof(*table) + size * (sizeof(table->slots[0]) + sizeof(uint64_t)));

	if (table)
		table->size = size;
	return table;
}

bool rules_start(void)
{
	rules_current = make_table(FIRST_TABLE_SIZE);
	return rules_current != NULL;
}

void rules_fork_child(void)
{
	grow_lock.word = 0;
}

/* The slot of `pc`, claimed if it is new; NULL when there is no room. */
static struct rules_slot *find_slot(struct rules_table *table, uintptr_t pc)
{
	size_t index = rules_index(pc);

	for (int i = 0; i < PROBES; i++) {
		struct rules_slot *slot = &table->slots[(index + (size_t)i) & (table->size - 1)];
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

/* Two threads may put the same. */
static void put_quick(struct rules_table *table, uintptr_t pc, struct cfi_rule rule)
{
	uint64_t word = pc << 16 | rules_quick_code(rule);
	size_t index = rules_index(pc);

	for (size_t i = 0; (uint16_t)word != 0 && i < RULES_QUICK_PROBES; i++) {
		uint64_t seen = 0;

		if (__atomic_compare_exchange_n(rules_quick(table, index + i), &seen, word, false,
						__ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return;
	}
}

/* The rules of `old`, into a table that nobody else has yet. */
static void copy_rules(struct rules_table *table, struct rules_table *old)
{
	for (size_t i = 0; i < old->size; i++) {
		uint64_t rule = __atomic_load_n(&old->slots[i].rule, __ATOMIC_RELAXED);
		struct rules_slot *slot = rule ? find_slot(table, old->slots[i].pc) : NULL;

		if (slot) {
			slot->rule = rule;
			put_quick(table, slot->pc, rules_from_word(rule));
		}
	}
}

static void grow(struct rules_table *full)
{
	uint64_t mask = memory_lock(&grow_lock);

	if (__atomic_load_n(&rules_current, __ATOMIC_RELAXED) == full) {
		struct rules_table *larger = make_table(2 * full->size);

		if (larger) {
			copy_rules(larger, full);
			__atomic_store_n(&rules_current, larger, __ATOMIC_RELEASE);
		}
	}
	memory_unlock(&grow_lock, mask);
}

static __attribute__((noinline)) struct cfi_rule learn(struct rules_table *table,
						       struct rules_slot *slot, uintptr_t pc,
						       bool is_exact)
{
	struct cfi_rule rule = mixed_find(pc, is_exact);
	uint64_t word;

	memcpy(&word, &rule, sizeof(word));
	/* A module can appear later where there is none now. Windows' loader cannot be asked as
	 * cheaply as ELF's: its answer holds for a while. */
	if (slot && (rule.kind != CFI_NO_MODULE || mixed_has_windows())) {
		__atomic_store_n(&slot->rule, word, __ATOMIC_RELAXED);
		put_quick(table, pc, rule);
	}
	if (!slot || __atomic_load_n(&table->used, __ATOMIC_RELAXED) > table->size / 2)
		grow(table);
	return rule;
}

struct cfi_rule rules_find(uintptr_t pc, bool is_exact)
{
	struct rules_table *table = __atomic_load_n(&rules_current, __ATOMIC_ACQUIRE);
	struct rules_slot *slot = find_slot(table, pc);
	uint64_t word = slot ? __atomic_load_n(&slot->rule, __ATOMIC_RELAXED) : 0;
	struct cfi_rule rule = rules_from_word(word);

	if (__builtin_expect(word == 0, 0) ||
	    __builtin_expect(rule.kind == CFI_NO_MODULE && mixed_is_old(rule), 0))
		return learn(table, slot, pc, is_exact);
	return rule;
}

void rules_forget(uintptr_t start, uintptr_t end)
{
	uint64_t mask = memory_lock(&grow_lock);
	struct rules_table *table = __atomic_load_n(&rules_current, __ATOMIC_ACQUIRE);

	for (size_t i = 0; table && i < table->size; i++) {
		uintptr_t pc = __atomic_load_n(&table->slots[i].pc, __ATOMIC_RELAXED);

		if (pc >= start && pc < end)
			__atomic_store_n(&table->slots[i].rule, 0, __ATOMIC_RELAXED);
		pc = __atomic_load_n(rules_quick(table, i), __ATOMIC_RELAXED) >> 16;
		if (pc >= start && pc < end)
			__atomic_store_n(rules_quick(table, i), 0, __ATOMIC_RELAXED);
	}
	/* Who reads the new number finds no old rule. */
	__atomic_fetch_add(&rules_current_epoch, 1, __ATOMIC_RELEASE);
	memory_unlock(&grow_lock, mask);
}
