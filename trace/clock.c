/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One clock for the process, behind a lock that a busy thread takes once in each stretch. It knows
 * nothing of records.
 *
 * The kernel's clock is looked at between two readings of the counter that are as near to each
 * other as can be. */

#include "trace/clock.h"

#include <string.h>

#include "trace/memory.h"
#include "trace/system.h"

#define SOURCE_FILE "/sys/devices/system/clocksource/clocksource0/current_clocksource"
#define TRIES 8
#define NEAR_TICKS 250u              /* two readings with the kernel's clock between, undisturbed */
#define RATE_MIN (UINT64_C(1) << 28) /* counters of 16 GHz to 64 MHz */
#define RATE_MAX (UINT64_C(1) << 36)

static struct clock_state process_clock;
static struct memory_lock clock_lock;
static bool is_counting;

static uint64_t later(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns > b_ns ? a_ns : b_ns;
}

/* 0: it cannot be, as when the machine has slept in between. */
static uint64_t rate_between(const struct clock_moment *from, const struct clock_moment *to)
{
	uint64_t ticks = to->ticks - from->ticks, ns = to->ns - from->ns;
	unsigned __int128 rate = ticks ? ((unsigned __int128)ns << 32) / ticks : 0;

	return rate >= RATE_MIN && rate <= RATE_MAX ? (uint64_t)rate : 0;
}

static bool is_near(uint64_t rate, uint64_t to)
{
	return rate >= to - to / 8 && rate <= to + to / 8;
}

/* A rate that is far from the last one is none: it is measured again before it is believed. */
static void learn_rate(struct clock_state *clock, const struct clock_moment *now)
{
	uint64_t rate;

	if (clock->anchor.ns != 0 && now->ns - clock->anchor.ns < CLOCK_MEASURE_NS)
		return;
	if (clock->anchor.ns != 0) {
		rate = rate_between(&clock->anchor, now);
		clock->rate = !clock->rate || is_near(rate, clock->rate) ? rate : 0;
	}
	clock->anchor = *now;
}

/* A clock that is ahead goes slower, so that the kernel's has come up at the end. */
static uint64_t slowed(uint64_t rate, uint64_t ahead_ns)
{
	if (ahead_ns > CLOCK_STRETCH_NS / 2)
		ahead_ns = CLOCK_STRETCH_NS / 2;
	return rate - rate / CLOCK_STRETCH_NS * ahead_ns;
}

uint64_t clock_advance(struct clock_state *clock, const struct clock_moment *now)
{
	uint64_t begin_ns = later(now->ns, clock->latest_ns);

	learn_rate(clock, now);
	clock->stretch = (struct clock_stretch){ .begin_ticks = now->ticks, .begin_ns = begin_ns };
	clock->latest_ns = begin_ns;
	if (clock->rate) {
		struct clock_stretch *stretch = &clock->stretch;

		stretch->length_ticks = (CLOCK_STRETCH_NS << 32) / clock->rate;
		stretch->rate = slowed(clock->rate, begin_ns - now->ns);
		clock->latest_ns += stretch->length_ticks * stretch->rate >> 32;
	}
	return begin_ns;
}

static uint64_t fenced_ticks(void)
{
	clock_fence();
	return clock_ticks();
}

static struct clock_moment look(void)
{
	struct clock_moment moment = { 0 };
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < TRIES && least > NEAR_TICKS; i++) {
		uint64_t before = fenced_ticks(), ns = system_now_ns();
		uint64_t apart = fenced_ticks() - before;

		if (apart >= least)
			continue;
		least = apart;
		moment = (struct clock_moment){ before + apart / 2, ns };
	}
	return moment;
}

static uint64_t now_locked(void)
{
	const struct clock_stretch *stretch = &process_clock.stretch;
	uint64_t since = fenced_ticks() - stretch->begin_ticks;
	struct clock_moment now;

	if (since < stretch->length_ticks)
		return stretch->begin_ns + (since * stretch->rate >> 32);
	now = look();
	return clock_advance(&process_clock, &now);
}

uint64_t clock_now(void)
{
	uint64_t now_ns;

	if (!is_counting)
		return system_now_ns();
	memory_enter(&clock_lock);
	now_ns = now_locked();
	memory_leave(&clock_lock);
	return now_ns;
}

uint64_t clock_renew(struct clock_stretch *stretch)
{
	uint64_t mask, now_ns;

	if (!is_counting)
		return system_now_ns();
	mask = memory_lock(&clock_lock);
	now_ns = now_locked();
	*stretch = process_clock.stretch;
	memory_unlock(&clock_lock, mask);
	return now_ns;
}

/* Whether the kernel's clock is made of the counter. Unknown where there is no /sys. */
static bool has_counter(void)
{
	char source[64];

	system_read_file(SOURCE_FILE, source, sizeof(source));
	return strcmp(source, "tsc\n") == 0;
}

void clock_start(bool may_count)
{
	is_counting = may_count && has_counter();
	if (is_counting)
		process_clock.anchor = look();
}

/* Another thread may have been at work on it. Each word of it is whole. */
void clock_fork_child(void)
{
	clock_lock.word = 0;
	process_clock.stretch.length_ticks = 0;
	process_clock.anchor.ns = 0;
}
