/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Stretches without handlers, by a host's handler as the preload has it, and by the kernel. */

#include "trace/hold.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/lib/tap.h"
#include "trace/trace.h"

#define ROUNDS 2000

static volatile sig_atomic_t handled, asked, is_inside, bad;

/* Stands for the preload's. */
static void come(int number, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;

	asked++;
	if (trace_hold_signal_back((uint64_t *)&interrupted->uc_sigmask)) {
		system_block_signals();
		system_call4(SYS_rt_tgsigqueueinfo, getpid(), system_tid(), number, (long)info);
		return;
	}
	bad |= is_inside;
	handled++;
}

static bool is_blocked(int number)
{
	sigset_t mask;

	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	return sigismember(&mask, number) == 1;
}

static void reset(bool is_by_host)
{
	hold_start(is_by_host);
	handled = asked = 0;
}

static void test_stretch(bool is_by_host, const char *way)
{
	uint64_t mask;

	reset(is_by_host);
	raise(SIGUSR1);
	ok_equal(handled, 1, "%s: outside, a handler runs at once", way);
	mask = hold_begin();
	raise(SIGUSR1);
	raise(SIGUSR2);
	ok_equal(handled, 1, "%s: inside, none runs", way);
	hold_end(mask);
	ok_equal(handled, 3, "%s: at its end, both do", way);
	ok(!is_blocked(SIGUSR1) && !is_blocked(SIGTERM), "%s: none is blocked after it", way);
}

static void test_nested(bool is_by_host, const char *way)
{
	uint64_t outer, inner;

	reset(is_by_host);
	outer = hold_begin();
	inner = hold_begin();
	raise(SIGUSR1);
	hold_end(inner);
	ok_equal(handled, 0, "%s: the end of an inner stretch lets nothing in", way);
	hold_end(outer);
	ok_equal(handled, 1, "%s: the outer one's does", way);
}

/* What the program has blocked stays blocked. */
static void test_mask(void)
{
	sigset_t own;
	uint64_t mask;

	reset(true);
	sigemptyset(&own);
	sigaddset(&own, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &own, NULL);
	mask = hold_begin();
	raise(SIGUSR1);
	raise(SIGUSR2);
	hold_end(mask);
	ok_equal(handled, 1, "the program's own mask is back after a stretch");
	ok(is_blocked(SIGUSR2) && !is_blocked(SIGUSR1), "as it was");
	pthread_sigmask(SIG_UNBLOCK, &own, NULL);
	ok_equal(handled, 2, "and lets in what came");
}

static void test_child(void)
{
	reset(true);
	hold_begin();
	raise(SIGUSR1);
	hold_fork_child();
	ok(hold_own.depth == 0 && !hold_own.is_blocking, "a fork's child begins in no stretch");
	system_restore_signals(0);
	ok_equal(handled, 1, "and is asked anew");
}

/* Signals at any instruction of a stretch. */
static void test_any_moment(void)
{
	struct itimerval timer = { { 0, 50 }, { 0, 50 } };
	uint64_t mask;

	reset(true);
	setitimer(ITIMER_REAL, &timer, NULL);
	while (handled < ROUNDS) {
		mask = hold_begin();
		is_inside = 1;
		for (volatile int i = 0; i < 100; i++)
			;
		is_inside = 0;
		hold_end(mask);
	}
	timer = (struct itimerval){ { 0, 0 }, { 0, 0 } };
	setitimer(ITIMER_REAL, &timer, NULL);
	ok(!bad, "no handler was inside a stretch");
	ok(asked >= handled, "%d handled, %d asked", (int)handled, (int)asked);
}

int main(void)
{
	static const int numbers[] = { SIGUSR1, SIGUSR2, SIGALRM };
	struct sigaction action = { .sa_sigaction = come, .sa_flags = SA_SIGINFO };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &action, NULL);
	test_stretch(true, "by the host");
	test_stretch(false, "by the kernel");
	test_nested(true, "by the host");
	test_nested(false, "by the kernel");
	test_mask();
	test_child();
	test_any_moment();
	return tap_done();
}
