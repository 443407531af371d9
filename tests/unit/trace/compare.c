/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Preloaded into real programs by compare.sh: at each seventh malloc our walk and libunwind's must
 * give the same frames. Prints its verdict at exit to the file that COMPARE_OUTPUT names. */

#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "trace/bracket.h"
#include "trace/stack/stack_elf.h"

#define FRAMES_MAX 100

extern void *__libc_malloc(size_t size);
void *malloc(size_t size);

static __thread bool is_inside;
static __thread struct history history;
static unsigned calls, compared, different, unwinder_calls;
static bool is_started;

uintptr_t bracket_call_out(uintptr_t frame, enum bracket_callee callee)
{
	__atomic_fetch_add(&unwinder_calls, 1, __ATOMIC_RELAXED);
	return 0;
}

void bracket_call_ended(uintptr_t before)
{
}

/* Whether libunwind's frames from our first one on are ours. */
static bool is_same(const uint64_t *ours, uint32_t our_count, void *const *theirs, int their_count)
{
	int first = 0, count;

	while (first < their_count && (uintptr_t)theirs[first] != ours[0])
		first++;
	while (their_count > first && !theirs[their_count - 1])
		their_count--;
	count = their_count - first < FRAMES_MAX ? their_count - first : FRAMES_MAX;
	for (int i = 0; i < count && i < (int)our_count; i++)
		if ((uintptr_t)theirs[first + i] != ours[i])
			return false;
	return count == (int)our_count;
}

static __attribute__((noinline)) void compare(void)
{
	struct stack_start start = { .frame = (uintptr_t)__builtin_frame_address(0),
				     .history = &history };
	void *theirs[FRAMES_MAX + 20];
	struct stack_trace ours = stack_walk(&start, FRAMES_MAX);
	int their_count = unw_backtrace(theirs, FRAMES_MAX + 20);

	__atomic_fetch_add(&compared, 1, __ATOMIC_RELAXED);
	if (!is_same(ours.frames, ours.count, theirs, their_count))
		__atomic_fetch_add(&different, 1, __ATOMIC_RELAXED);
}

void *malloc(size_t size)
{
	void *block = __libc_malloc(size);

	if (is_started && !is_inside && __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) % 7 == 0) {
		is_inside = true;
		compare();
		is_inside = false;
	}
	__asm__ volatile("");
	return block;
}

__attribute__((constructor)) static void begin(void)
{
	stack_start();
	is_started = true;
}

__attribute__((destructor)) static void finish(void)
{
	const char *path = getenv("COMPARE_OUTPUT");
	int file = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
	char line[100];
	int length;

	is_started = false;
	length = snprintf(line, sizeof(line), "%u %u %u\n", compared, different, unwinder_calls);
	if (file < 0 || write(file, line, (size_t)length) != length)
		abort();
	close(file);
}
