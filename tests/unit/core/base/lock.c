/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Mutual exclusion, signals blocked while a lock is held, fork, and (with --enable-checks) ranks.
 */

#include "core/base/lock.h"

#include "core/base/check.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/lib/tap.h"

#define THREADS 4
#define ROUNDS 50000

static struct lock low = LOCK_INITIALIZER(LOCK_RANK_HEAP);
static struct lock high = LOCK_INITIALIZER(LOCK_RANK_VM);
static long counter; /* guarded by: low */
static volatile sig_atomic_t signals_seen;

static void *count(void *unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		lock_acquire(&low);
		counter++;
		lock_release(&low);
	}
	return unused;
}

static void test_exclusion(void)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, count, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ok_equal(counter, (long)THREADS * ROUNDS, "no increment is lost");
	ok(!lock_is_mine(&low), "a free lock is nobody's");
}

static void test_holding(void)
{
	ok(!lock_is_any_held(), "at first a thread holds none");
	lock_acquire(&low);
	lock_acquire(&high);
	lock_release(&high);
	ok(lock_is_any_held(), "then it does");
	lock_fork_begin();
	ok(!lock_is_any_held(), "those of a fork are not counted");
	lock_fork_end();
	lock_release(&low);
	ok(!lock_is_any_held(), "at last it holds none");
}

static void on_signal(int number)
{
	signals_seen++;
	lock_acquire(&low);
	lock_release(&low);
}

static void test_signals(void)
{
	sigset_t before, after;

	signal(SIGUSR1, on_signal);
	sigprocmask(SIG_SETMASK, NULL, &before);
	lock_acquire(&low);
	lock_acquire(&high);
	ok(lock_is_mine(&low) && lock_is_mine(&high), "both locks are mine");
	raise(SIGUSR1);
	lock_release(&low);
	ok_equal(signals_seen, 0, "no signal while a lock is held");
	lock_release(&high);
	/* A thread sanitizer delivers signals at the next call that can wait. */
	usleep(1);
	ok_equal(signals_seen, 1, "it comes when the last one is given back");
	sigprocmask(SIG_SETMASK, NULL, &after);
	ok(sigismember(&after, SIGUSR1) == sigismember(&before, SIGUSR1) &&
		   !sigismember(&after, SIGTERM),
	   "the mask is as before");
	signal(SIGUSR1, SIG_DFL);
}

/* The host's handler: of a signal while a lock is held, core keeps the mask. */
static void hold_back(int number, siginfo_t *info, void *context)
{
	uint64_t *mask = (uint64_t *)&((ucontext_t *)context)->uc_sigmask;
	sigset_t all;

	(void)info;
	if (!lock_hold_signal_back(mask)) {
		signals_seen++;
		return;
	}
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	raise(number);
}

/* In a child: the host's choice is for good. Gives what went wrong, a bit for each. */
static int hold_signals_back(void)
{
	struct sigaction action = { .sa_sigaction = hold_back, .sa_flags = SA_SIGINFO };
	sigset_t mask;
	int wrong = 0;

	signals_seen = 0;
	sigaction(SIGUSR1, &action, NULL);
	lock_leave_signals_to_host();
	lock_acquire(&low);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	wrong |= sigismember(&mask, SIGUSR1) ? 1 : 0;
	lock_acquire(&high);
	raise(SIGUSR1);
	lock_release(&high);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	wrong |= signals_seen != 0 || !sigismember(&mask, SIGTERM) ? 2 : 0;
	lock_release(&low);
	usleep(1);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	wrong |= signals_seen != 1 || sigismember(&mask, SIGTERM) ? 4 : 0;
	raise(SIGUSR1);
	usleep(1);
	return wrong | (signals_seen != 2 ? 8 : 0);
}

static void test_holding_back(void)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0)
		_exit(hold_signals_back());
	waitpid(child, &status, 0);
	ok_equal(status, 0,
		 "a host that holds signals back: none is blocked before one comes, it "
		 "comes when the last lock is given back, the mask is as before");
}

static void *hold_often(void *is_over)
{
	while (!__atomic_load_n((int *)is_over, __ATOMIC_RELAXED)) {
		lock_acquire(&low);
		lock_acquire(&high);
		lock_release(&high);
		lock_release(&low);
	}
	return NULL;
}

/* The child gives back what the parent's thread took, and can use the locks. */
static int fork_once(void)
{
	int status = -1;
	pid_t child;

	lock_acquire(&low);
	lock_acquire(&high);
	lock_fork_begin();
	lock_acquire(&low);
	lock_release(&low);
	child = fork();
	lock_fork_end();
	if (child == 0) {
		lock_fork_adopt(&high);
		lock_fork_adopt(&low);
	}
	lock_release(&high);
	lock_release(&low);
	if (child == 0) {
		lock_acquire(&low);
		lock_release(&low);
		_exit(lock_is_mine(&low) || lock_is_mine(&high));
	}
	waitpid(child, &status, 0);
	return status;
}

static void test_fork(void)
{
	int is_over = 0, failures = 0;
	pthread_t thread;

	pthread_create(&thread, NULL, hold_often, &is_over);
	for (int i = 0; i < 100; i++)
		failures += fork_once() != 0;
	__atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	ok_equal(failures, 0, "100 children of a process whose other thread uses the locks");
}

#ifdef VADTRACE_CHECKS
static void take_in_falling_order(void)
{
	lock_acquire(&high);
	lock_acquire(&low);
}

static void take_twice(void)
{
	lock_acquire(&low);
	lock_acquire(&low);
}

static void give_back_unheld(void)
{
	lock_release(&low);
}

static void test_ranks(void)
{
	static void (*const crimes[])(void) = { take_in_falling_order, take_twice,
						give_back_unheld };

	for (size_t i = 0; i < sizeof crimes / sizeof crimes[0]; i++) {
		int status = 0;
		pid_t child = fork();

		if (child == 0) {
			close(2);
			crimes[i]();
			_exit(0);
		}
		waitpid(child, &status, 0);
		ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "row %zu: aborts", i);
	}
}
#else
static void test_ranks(void)
{
}
#endif

int main(void)
{
	test_exclusion();
	test_holding();
	test_signals();
	test_holding_back();
	test_fork();
	test_ranks();
	return tap_done();
}
