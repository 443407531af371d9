/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The time of records: CLOCK_MONOTONIC, for half the price of asking for it.
 *
 * Where the kernel makes its clock from the processor's counter of ticks, so do we:
 *
 *   stretch   begin_ticks ........... begin_ticks + length_ticks     some 200 us
 *   time      begin_ns + (ticks - begin_ticks) * rate / 2^32
 *
 * A stretch begins where the kernel's clock is; the next one begins after its end, and never before
 * the time at its end. At each moment one stretch is right for all threads, so their order by time
 * is that of their readings of the counter, as exactly as with the kernel's clock; from that one
 * the time differs by some 10 ns, and by 100 ns when it has just begun to be slewed. (When the
 * machine has slept, it is ahead by what was left of the stretch, and waits for the kernel's.)
 *
 * The processor may read the counter before it is done with what comes earlier in the program
 * (Intel's manual, volume 2, RDTSC), but not before a fence (LFENCE), and never later than a later
 * store can be seen. So a release, which is stamped before the block is given back, is never late.
 * Readings without a fence can be early: by less than the processor holds instructions at once, and
 * the caller sees to it that they are not earlier than the thread's last. That is enough where no
 * other thread has to do with the block: see `is_own` in core/event.h. */

#ifndef VADTRACE_TRACE_CLOCK_H
#define VADTRACE_TRACE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* The clock between two looks at the kernel's. All zero: none, ask clock_renew. */
struct clock_stretch {
	uint64_t begin_ticks, length_ticks;
	uint64_t begin_ns;
	uint64_t rate; /* nanoseconds per tick, times 2^32 */
};

/* One moment on both clocks. */
struct clock_moment {
	uint64_t ticks, ns;
};

/* The clock of a process.
 *  - no time later than latest_ns has been given;
 *  - rate is 0 while it is not known: then each time is the kernel's;
 *  - anchor is where the measurement of the rate began; its ns is 0: nowhere. */
struct clock_state {
	struct clock_stretch stretch;
	struct clock_moment anchor;
	uint64_t latest_ns;
	uint64_t rate;
};

#define CLOCK_STRETCH_NS UINT64_C(200000)
/* A rate is measured for so long, and again. */
#define CLOCK_MEASURE_NS UINT64_C(4000000)

/* The next stretch begins now, later than the end of the last one; or, while the rate is not known,
 * none does. Returns the time. For one caller at a time. */
uint64_t clock_advance(struct clock_state *clock, const struct clock_moment *now);

/* Before the first reading. `may_count` false: the kernel's clock is read each time. */
void clock_start(bool may_count);

/* In a fork's child: no stretch of before is used any more. */
void clock_fork_child(void);

/* The time now, for who has no stretch of its own. The caller has all signals blocked. */
uint64_t clock_now(void);

/* The time now. `stretch` is the caller's and is over: it gets the one that is right now. */
uint64_t clock_renew(struct clock_stretch *stretch);

static inline uint64_t clock_ticks(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

/* All that comes before it in the program is done when what follows begins. */
static inline void clock_fence(void)
{
	__asm__ volatile("lfence" ::: "memory");
}

/* The time now. */
static inline uint64_t clock_read(struct clock_stretch *stretch, bool is_fenced)
{
	uint64_t since;

	if (is_fenced)
		clock_fence();
	since = clock_ticks() - stretch->begin_ticks;
	if (__builtin_expect(since >= stretch->length_ticks, 0))
		return clock_renew(stretch);
	return stretch->begin_ns + (since * stretch->rate >> 32);
}

#endif
