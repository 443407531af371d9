/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/*   ours     | f0 | f1 | f2 | g | ... |        g: generated code, or code without unwind
 * information slow     | f0 | f1 | f2 | g |
 *             `--- certain ----'
 *
 * libunwind guesses from g on, and may follow its guess to where there is no memory: it is not
 * asked to. Through PE code the slow walk keeps all registers; it ends where ELF code begins, or
 * where a system call has called back. No lock; counts are atomic. */

#include "trace/stack/compare.h"

#include <string.h>

#include "trace/modules.h"
#include "trace/provider/provider.h"
#include "trace/stack/cfi.h"
#include "trace/stack/depot.h"
#include "trace/stack/rules.h"

#define TOLD_MAX 100u

/* What the slow walk is asked for, and what it gave. */
struct slow_walk {
	uint64_t frames[VADTRACE_STACK_DEPTH_MAX];
	uint32_t count;   /* 0: it could not be made */
	uint32_t certain; /* frames of ours that can be compared */
};

bool compare_is_on;
static struct compare_counts counts;

void compare_start(bool is_wanted)
{
	compare_is_on = is_wanted;
}

/* Whether a walk cannot go on from here without a guess. */
static bool is_guess(uint64_t pc, bool is_pe)
{
	struct cfi_rule rule = is_pe ? rules_find(pc - 1, /* is_exact */ false) : cfi_find(pc - 1);

	return rule.kind == CFI_NO_MODULE || rule.kind == CFI_NO_INFO || rule.kind == CFI_CALLBACK;
}

static uint32_t count_certain(const struct stack_trace *ours, bool is_pe)
{
	uint32_t certain = 0;

	while (certain < ours->count && !is_guess(ours->frames[certain], is_pe))
		certain++;
	return certain < ours->count ? certain + 1 : certain;
}

/* Where all of ours is certain, the slow walk may go further: that is a difference. */
static void walk_slowly(struct slow_walk *slow, const struct stack_start *start, uint32_t capacity,
			const struct stack_trace *ours)
{
	/* libunwind asks the tracer which modules there are. */
	modules_learn(ours->frames, ours->count);
	slow->certain = count_certain(ours, start->caller != NULL);
	if (slow->certain < ours->count)
		capacity = slow->certain;
	slow->count = stack_unwind(start, slow->frames, capacity);
}

static bool is_same(const struct slow_walk *slow, const struct stack_trace *ours, bool is_pe)
{
	if (slow->count > slow->certain || (slow->count < slow->certain && !is_pe))
		return false;
	return memcmp(slow->frames, ours->frames, slow->count * sizeof(*slow->frames)) == 0;
}

static struct compare_counts read_counts(void)
{
	return (struct compare_counts){
		.compared = __atomic_load_n(&counts.compared, __ATOMIC_RELAXED),
		.partial = __atomic_load_n(&counts.partial, __ATOMIC_RELAXED),
		.different = __atomic_load_n(&counts.different, __ATOMIC_RELAXED),
	};
}

static void tell_difference(const struct slow_walk *slow, const struct stack_trace *ours)
{
	const struct stack_trace theirs = { .frames = slow->frames,
					    .count = slow->count,
					    .hash = stack_hash(slow->frames, slow->count) };
	const struct compare_counts now = read_counts();

	provider_stacks(&now, depot_intern(ours), depot_intern(&theirs));
}

void compare_stack(const struct stack_start *start, uint32_t capacity,
		   const struct stack_trace *ours)
{
	struct slow_walk slow;

	walk_slowly(&slow, start, capacity, ours);
	if (slow.count == 0)
		return;
	__atomic_fetch_add(&counts.compared, 1, __ATOMIC_RELAXED);
	if (slow.count < ours->count)
		__atomic_fetch_add(&counts.partial, 1, __ATOMIC_RELAXED);
	if (!is_same(&slow, ours, start->caller != NULL) &&
	    __atomic_fetch_add(&counts.different, 1, __ATOMIC_RELAXED) < TOLD_MAX)
		tell_difference(&slow, ours);
}

void compare_tell(void)
{
	const struct compare_counts now = read_counts();

	if (compare_is_on)
		provider_stacks(&now, 0, 0);
}

void compare_fork_child(void)
{
	counts = (struct compare_counts){ 0 };
}
