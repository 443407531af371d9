/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The clock: by itself, with made-up moments of a kernel's clock and a counter, and as it runs. */

#include "trace/clock.h"

#include <pthread.h>
#include <stdint.h>

#include "tests/lib/tap.h"
#include "trace/system.h"

#define STEPS 100000u
#define READERS 4
#define READINGS 200000u

/* A machine: `pace` nanoseconds pass in 1000000 ticks. */
struct machine {
	const char *name;
	uint64_t pace;
	uint64_t step_ticks;       /* from one reading to the next */
	uint32_t slew_ppm;         /* the pace changes by so much, up and down, each 1000 steps */
	uint32_t error_ns;         /* of a look at both clocks */
	uint32_t sleep_each;       /* steps; 0: never */
	uint64_t sleep_ticks;      /* the counter goes on, time stands still */
	bool starts_anew;          /* sleep lets the counter begin at 0 */
	uint64_t apart_ns_at_most; /* from the kernel's clock */
};

/* After a sleep, all that was left of the stretch has passed for us. */
static const struct machine machines[] = {
	{ "steady", 434783, 7000, 0, 0, 0, 0, false, 20 },
	{ "inexact looks", 434783, 7000, 0, 15, 0, 0, false, 60 },
	{ "slow counter", 13888889, 300, 0, 15, 0, 0, false, 200 },
	{ "fast counter", 62500, 90000, 0, 15, 0, 0, false, 60 },
	{ "slewed", 434783, 7000, 500, 15, 0, 0, false, 200 },
	{ "slewed much", 434783, 7000, 100000, 15, 0, 0, false, 25000 },
	{ "mostly idle", 434783, 50000000, 0, 15, 0, 0, false, 60 },
	{ "sleeps", 434783, 7000, 0, 15, 5000, UINT64_C(20000000000), false, CLOCK_STRETCH_NS },
	{ "sleeps briefly", 434783, 7000, 0, 15, 5000, 5000000, false, CLOCK_STRETCH_NS },
	{ "wakes with a new counter", 434783, 7000, 0, 15, 9000, 1, true, CLOCK_STRETCH_NS },
};

/* What a machine's clocks show. The kernel's is kept to a millionth of a nanosecond. */
struct shown {
	uint64_t ticks;
	unsigned __int128 kernel_parts;
};

static uint64_t kernel_ns(const struct shown *shown)
{
	return (uint64_t)(shown->kernel_parts / 1000000);
}

static void pass(const struct machine *machine, struct shown *shown, uint32_t step)
{
	uint64_t pace = machine->pace;

	if (step / 1000 % 2)
		pace += pace * machine->slew_ppm / 1000000;
	shown->ticks += machine->step_ticks;
	shown->kernel_parts += (unsigned __int128)machine->step_ticks * pace;
	if (machine->sleep_each && step % machine->sleep_each == machine->sleep_each - 1)
		shown->ticks = machine->starts_anew ? 0 : shown->ticks + machine->sleep_ticks;
}

static uint64_t look(struct clock_state *clock, const struct machine *machine,
		     const struct shown *shown, uint32_t step)
{
	const struct clock_stretch *stretch = &clock->stretch;
	uint64_t since = shown->ticks - stretch->begin_ticks;
	struct clock_moment now = { shown->ticks, kernel_ns(shown) };

	if (since < stretch->length_ticks)
		return stretch->begin_ns + (since * stretch->rate >> 32);
	now.ns += machine->error_ns ? step * 7919u % (2 * machine->error_ns) : 0;
	now.ns -= machine->error_ns;
	return clock_advance(clock, &now);
}

static void test_machine(const struct machine *machine)
{
	struct shown shown = { 1000000, (unsigned __int128)1000000000 * 1000000 };
	struct clock_state clock = { 0 };
	uint64_t last_ns = 0, apart_ns, most_ns = 0;
	uint32_t back = 0, counted = 0;

	for (uint32_t step = 0; step < STEPS; step++) {
		uint64_t now_ns = look(&clock, machine, &shown, step);

		apart_ns = now_ns > kernel_ns(&shown) ? now_ns - kernel_ns(&shown)
						      : kernel_ns(&shown) - now_ns;
		most_ns = apart_ns > most_ns ? apart_ns : most_ns;
		back += now_ns < last_ns;
		counted += clock.stretch.length_ticks != 0;
		last_ns = now_ns;
		pass(machine, &shown, step);
	}
	ok(back == 0, "%s: time never goes back", machine->name);
	ok(most_ns <= machine->apart_ns_at_most, "%s: at most %u ns from the kernel's clock (%u)",
	   machine->name, (unsigned)machine->apart_ns_at_most, (unsigned)most_ns);
	ok(counted > STEPS / 10, "%s: ticks are counted", machine->name);
}

static void test_machines(void)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		test_machine(&machines[i]);
}

/* --- As it runs ---------------------------------------------------------------------------------
 */

static uint64_t newest_ns;
static uint32_t wrong_count, far_count;

/* Like a block that goes from thread to thread: who has seen another's time has a later one. */
static void hand_over(uint64_t time_ns)
{
	uint64_t newest = __atomic_load_n(&newest_ns, __ATOMIC_RELAXED);

	while (newest < time_ns && !__atomic_compare_exchange_n(&newest_ns, &newest, time_ns, false,
								__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		;
}

static uint64_t read_shared(void)
{
	uint64_t mask = system_block_signals(), time_ns = clock_now();

	system_restore_signals(mask);
	return time_ns;
}

static void *read_often(void *unused)
{
	struct clock_stretch stretch = { 0 };
	uint32_t wrong = 0;

	for (uint32_t i = 0; i < READINGS; i++) {
		uint64_t before_ns = __atomic_load_n(&newest_ns, __ATOMIC_ACQUIRE), time_ns;

		time_ns = i % 64 ? clock_read(&stretch, /* is_fenced */ true) : read_shared();
		wrong += time_ns < before_ns;
		hand_over(time_ns);
	}
	__atomic_fetch_add(&wrong_count, wrong, __ATOMIC_RELAXED);
	return unused;
}

static void test_order(const char *how)
{
	pthread_t threads[READERS];

	newest_ns = 0;
	wrong_count = 0;
	for (int i = 0; i < READERS; i++)
		pthread_create(&threads[i], NULL, read_often, NULL);
	for (int i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	ok(wrong_count == 0, "%s: what was seen to be before is before (%u)", how, wrong_count);
}

/* A look at the kernel's clock that is disturbed eight times in a row would be far. */
static void test_nearness(const char *how)
{
	struct clock_stretch stretch = { 0 };

	far_count = 0;
	for (uint32_t i = 0; i < READINGS; i++) {
		uint64_t before_ns = system_now_ns();
		uint64_t time_ns = clock_read(&stretch, /* is_fenced */ true);

		far_count += time_ns + 10000 < before_ns || time_ns > system_now_ns() + 10000;
	}
	ok(far_count == 0, "%s: near the kernel's clock (%u)", how, far_count);
}

static void test_running(const char *how)
{
	test_order(how);
	test_nearness(how);
}

int main(void)
{
	test_machines();
	test_running("the kernel's clock");
	clock_start(/* may_count */ true);
	test_running("ticks, where the machine has them");
	clock_fork_child();
	test_running("in a fork's child");
	return tap_done();
}
