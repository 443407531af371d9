/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Preloaded into real programs by compare.sh: at each malloc our walk, the same without a memory,
 * and libunwind's must give the same frames. Prints its counts at exit to the file that
 * COMPARE_OUTPUT names.
 *
 * Beyond a frame of generated code, or of code that says nothing of itself, libunwind guesses and
 * may follow its guess to where there is no memory. It is not asked to go on from there: such a
 * stack counts as partial, and is compared up to that frame. unw_backtrace also remembers
 * instructions that are gone, and cannot be told so: with COMPARE_STEPS it is unw_step that is
 * asked, which is slower. */

#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace/bracket.h"
#include "trace/stack/rules.h"
#include "trace/stack/stack_elf.h"

#define FRAMES_MAX 100
/* compare, spoil_rbp and malloc: our walk leaves them out. */
#define OWN_FRAMES 3

extern void *__libc_malloc(size_t size);
void *malloc(size_t size);

static __thread bool is_inside;
static __thread struct history history, empty;
static unsigned compared, different, misremembered, partial, unwinder_calls;
static bool is_started, asks_steps;

uintptr_t bracket_call_out(uintptr_t frame, enum bracket_callee callee)
{
	__atomic_fetch_add(&unwinder_calls, 1, __ATOMIC_RELAXED);
	return 0;
}

void bracket_call_ended(uintptr_t before)
{
}

static void count(unsigned *counter, bool is_so)
{
	if (is_so)
		__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static bool is_equal(const struct stack_trace *one, const struct stack_trace *other)
{
	return one->count == other->count && one->hash == other->hash &&
	       memcmp(one->frames, other->frames, one->count * sizeof(*one->frames)) == 0;
}

/* How many frames can be found without a guess. */
static uint32_t count_certain(const struct stack_trace *ours)
{
	for (uint32_t i = 0; i < ours->count; i++) {
		struct cfi_rule rule = rules_find(ours->frames[i] - 1, /* is_exact */ false);

		if (rule.kind == CFI_NO_MODULE || rule.kind == CFI_NO_INFO)
			return i + 1;
	}
	return ours->count;
}

/* Whether libunwind's frames, without ours, are these. */
static bool is_same(const struct stack_trace *ours, uint32_t certain, void *const *theirs,
		    int their_count)
{
	while (their_count > 0 && !theirs[their_count - 1])
		their_count--;
	if (their_count != OWN_FRAMES + (int)certain)
		return false;
	for (uint32_t i = 0; i < certain; i++)
		if ((uintptr_t)theirs[OWN_FRAMES + i] != ours->frames[i])
			return false;
	return true;
}

/* In its caller's frame, as unw_backtrace. */
static inline __attribute__((always_inline)) int step_out(void **frames, int capacity)
{
	unw_context_t context;
	unw_cursor_t cursor;
	unw_word_t pc;
	int found = 0;

	if (unw_getcontext(&context) != 0 || unw_init_local(&cursor, &context) != 0)
		return 0;
	do {
		if (found == capacity || unw_get_reg(&cursor, UNW_REG_IP, &pc) != 0)
			break;
		frames[found++] = (void *)pc;
	} while (unw_step(&cursor) > 0);
	return found;
}

static __attribute__((noinline)) void compare(void)
{
	struct stack_start start = { .frame = (uintptr_t)__builtin_frame_address(0),
				     .history = &history };
	struct stack_start anew = { .frame = start.frame, .history = &empty };
	void *theirs[OWN_FRAMES + FRAMES_MAX];
	struct stack_trace ours = stack_walk(&start, FRAMES_MAX), other;
	uint32_t certain = count_certain(&ours);
	bool is_partial = certain < ours.count;
	int capacity = OWN_FRAMES + (int)(is_partial ? certain : FRAMES_MAX);
	int their_count = asks_steps ? step_out(theirs, capacity) : unw_backtrace(theirs, capacity);

	history_clear(&empty);
	other = stack_walk(&anew, FRAMES_MAX);
	count(&compared, true);
	count(&partial, is_partial);
	count(&misremembered, !is_equal(&ours, &other));
	count(&different, !is_same(&ours, certain, theirs, their_count));
}

/* The program's rbp is to be found on the stack. */
static __attribute__((noinline)) void spoil_rbp(void)
{
	__asm__ volatile("xorl %%ebp, %%ebp" : : : "rbp");
	compare();
	__asm__ volatile("");
}

void *malloc(size_t size)
{
	void *block = __libc_malloc(size);

	if (is_started && !is_inside) {
		is_inside = true;
		spoil_rbp();
		is_inside = false;
	}
	__asm__ volatile("");
	return block;
}

/* As the host does it: other code may be there soon. */
int dlclose(void *handle)
{
	static int (*next)(void *);
	int result;

	if (!next)
		next = (int (*)(void *))dlsym(RTLD_NEXT, "dlclose");
	result = next(handle);
	stack_forget(0, UINTPTR_MAX);
	return result;
}

__attribute__((constructor)) static void begin(void)
{
	stack_start(NULL);
	asks_steps = getenv("COMPARE_STEPS") != NULL;
	is_started = true;
}

__attribute__((destructor)) static void finish(void)
{
	const char *path = getenv("COMPARE_OUTPUT");
	int file = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
	char line[100];
	int length;

	is_started = false;
	length = snprintf(line, sizeof(line), "%u %u %u %u %u\n", compared, different,
			  misremembered, partial, unwinder_calls);
	if (file < 0 || write(file, line, (size_t)length) != length)
		abort();
	close(file);
}
