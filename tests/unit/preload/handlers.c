/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* sigaction once handlers are held: what it answers, what runs when, with what. A lock of core's
 * stands for core at work. */

#include "preload/native/handlers.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "core/base/lock.h"
#include "preload/check.h"
#include "preload/native/real.h"
#include "preload/process.h"
#include "preload/recorder.h"

#include "tests/lib/tap.h"

/* Nothing is resolved: the system serves. */
struct real real;

static struct lock core = LOCK_INITIALIZER(LOCK_RANK_VM);
static volatile sig_atomic_t plain_count, info_count;
static volatile int value_seen, code_seen;
static void *page;
static unsigned int raised_count;

/* Stands for the checking of blocks. */
void check_fault(int signal, const siginfo_t *info)
{
	raised_count += signal == SIGSEGV && info->si_addr == page;
}

static void plain(int number)
{
	(void)number;
	plain_count++;
}

static void with_info(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	info_count++;
	value_seen = info->si_value.sival_int;
	code_seen = info->si_code;
}

static void make_accessible(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	info_count++;
	code_seen = info->si_code;
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

/* --- The tracer and the process, as the handlers know them ------------------------------------ */

static volatile bool is_tracer_busy;
/* The kernel's mask has 64 signals; the C library's has room for more. */
static union {
	uint64_t bits;
	sigset_t set;
} mask_before;

static bool hold_signal_back(uint64_t *mask)
{
	if (!is_tracer_busy)
		return false;
	mask_before.bits = *mask;
	*mask = ~UINT64_C(0);
	return true;
}

static const struct trace_functions busy_tracer = { .hold_signal_back = hold_signal_back };
const struct trace_functions *tracer = &busy_tracer;
static pid_t own_pid;

bool process_is_same(void)
{
	return getpid() == own_pid;
}

static void end_tracing(void)
{
	is_tracer_busy = false;
	sigprocmask(SIG_SETMASK, &mask_before.set, NULL);
}

static bool is_blocked(int number)
{
	sigset_t mask;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	return sigismember(&mask, number) == 1;
}

/* Each row is set, read back, and gets one signal in core and one out of it. */
static const struct {
	const char *name;
	int flags;
	int masked; /* a signal in its mask; 0: none */
	bool is_reset;
} rows[] = {
	{ "plain", 0, 0, false },
	{ "restarting", SA_RESTART, SIGTERM, false },
	{ "with information", SA_SIGINFO, 0, false },
	{ "with information, on its stack", SA_SIGINFO | SA_ONSTACK, SIGHUP, false },
	{ "that may interrupt itself", SA_NODEFER, 0, false },
	{ "that may interrupt itself, with information", SA_NODEFER | SA_SIGINFO, 0, false },
	{ "once", (int)SA_RESETHAND, 0, true },
	{ "once, with information", (int)SA_RESETHAND | SA_SIGINFO, SIGTERM, true },
};

static struct sigaction action_of(size_t row)
{
	struct sigaction action = { .sa_flags = rows[row].flags };

	if (rows[row].flags & SA_SIGINFO)
		action.sa_sigaction = with_info;
	else
		action.sa_handler = plain;
	if (rows[row].masked)
		sigaddset(&action.sa_mask, rows[row].masked);
	return action;
}

static bool is_as_set(size_t row, const struct sigaction *found)
{
	struct sigaction action = action_of(row);
	int flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK | SA_RESTART | (int)SA_RESETHAND;

	return found->sa_sigaction == action.sa_sigaction &&
	       (found->sa_flags & flags) == action.sa_flags &&
	       memcmp(&found->sa_mask, &action.sa_mask, sizeof(uint64_t)) == 0;
}

static int count(void)
{
	return plain_count + info_count;
}

static void test_row(size_t row)
{
	struct sigaction action = action_of(row), found;

	plain_count = info_count = 0;
	ok_equal(handlers_action(SIGUSR2, &action, NULL), 0, "%s: is set", rows[row].name);
	handlers_action(SIGUSR2, NULL, &found);
	ok(is_as_set(row, &found), "%s: reads back as it was set", rows[row].name);
	lock_acquire(&core);
	raise(SIGUSR2);
	ok_equal(count(), 0, "%s: does not run in core", rows[row].name);
	ok(is_blocked(SIGUSR2) && is_blocked(SIGTERM), "%s: all are blocked", rows[row].name);
	lock_release(&core);
	usleep(1);
	ok_equal(count(), 1, "%s: runs when core is done", rows[row].name);
	ok(!is_blocked(SIGUSR2) && !is_blocked(SIGTERM), "%s: none is blocked", rows[row].name);
	handlers_action(SIGUSR2, NULL, &found);
	if (rows[row].is_reset) {
		ok(found.sa_handler == SIG_DFL, "%s: is set no more", rows[row].name);
		return;
	}
	raise(SIGUSR2);
	usleep(1);
	ok_equal(count(), 2, "%s: runs at once out of core", rows[row].name);
	ok(is_as_set(row, &found), "%s: is still set", rows[row].name);
}

/* What came with the signal is there when it comes again. */
static void test_value(void)
{
	struct sigaction action = { .sa_sigaction = with_info, .sa_flags = SA_SIGINFO };

	handlers_action(SIGUSR2, &action, NULL);
	lock_acquire(&core);
	sigqueue(getpid(), SIGUSR2, (union sigval){ .sival_int = 42 });
	lock_release(&core);
	usleep(1);
	ok_equal(value_seen, 42, "a queued value comes again with its signal");
	ok_equal(code_seen, SI_QUEUE, "and so does who sent it");
}

/* Two that come while core is at work both come again, one after the other. */
static void test_two(void)
{
	struct sigaction action = { .sa_handler = plain };

	plain_count = 0;
	handlers_action(SIGUSR1, &action, NULL);
	handlers_action(SIGUSR2, &action, NULL);
	lock_acquire(&core);
	raise(SIGUSR1);
	raise(SIGUSR2);
	ok_equal(plain_count, 0, "two signals: neither runs in core");
	lock_release(&core);
	usleep(1);
	ok_equal(plain_count, 2, "two signals: both run when core is done");
}

static void test_fault(void)
{
	struct sigaction action = { .sa_sigaction = make_accessible, .sa_flags = SA_SIGINFO };

	page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	info_count = 0;
	handlers_action(SIGSEGV, &action, NULL);
	lock_acquire(&core);
	*(volatile char *)page = 1;
	lock_release(&core);
	ok_equal(info_count, 1, "what an instruction raises does not wait for core");
	ok_equal(code_seen, SEGV_ACCERR, "and says why");
	ok_equal(raised_count, 1, "the checking of blocks has seen it");
	plain_count = info_count = 0;
	lock_acquire(&core);
	raise(SIGSEGV);
	ok_equal(info_count, 0, "the same signal, sent, does wait");
	lock_release(&core);
	usleep(1);
	ok_equal(info_count, 1, "and comes then");
	ok_equal(raised_count, 1, "what is sent is no block's fault");
	signal(SIGSEGV, SIG_DFL);
}

/* In a child of its own: whether it ends by the signal, once the tracer lets it. */
static void test_end(int number, const char *name)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		own_pid = getpid();
		is_tracer_busy = true;
		raise(number);
		/* Here it would have ended before. */
		if (!is_blocked(number))
			_exit(1);
		end_tracing();
		_exit(2);
	}
	waitpid(child, &status, 0);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == number, "%s ends the process", name);
}

static void test_ends(void)
{
	const struct sigaction by_default = { .sa_handler = SIG_DFL };
	struct sigaction found;

	test_end(SIGTERM, "a signal without handler");
	test_end(SIGRTMIN + 1, "a real-time one");
	handlers_action(SIGUSR2, &by_default, NULL);
	handlers_action(SIGUSR2, NULL, &found);
	ok(found.sa_handler == SIG_DFL && !(found.sa_flags & SA_SIGINFO),
	   "no handler reads back as none");
	test_end(SIGUSR2, "a signal that had a handler");
}

/* A child of vfork has our memory: what it sets is not ours. */
static void test_vfork(void)
{
	static const struct sigaction by_default = { .sa_handler = SIG_DFL };
	struct sigaction action = { .sa_handler = plain };
	pid_t child;

	handlers_action(SIGUSR2, &action, NULL);
	child = vfork();
	if (child == 0) {
		handlers_action(SIGUSR2, &by_default, NULL);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	plain_count = 0;
	raise(SIGUSR2);
	ok_equal(plain_count, 1, "what a child of vfork sets changes nothing for its parent");
	plain_count = 0;
}

/* Before core relies on it. */
static void test_taken(void)
{
	struct sigaction action = { .sa_handler = plain };

	handlers_action(SIGUSR2, &action, NULL);
	is_tracer_busy = true;
	raise(SIGUSR2);
	ok_equal(plain_count, 0, "a handler waits for the tracer");
	ok(is_blocked(SIGUSR2) && is_blocked(SIGTERM), "all are blocked");
	end_tracing();
	ok_equal(plain_count, 1, "it runs when the tracer is done");
	ok(!handlers_are_held(), "core still blocks signals by itself");
	plain_count = 0;
}

static void test_no_handler(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, found;

	handlers_action(SIGUSR2, &ignore, &found);
	ok(found.sa_handler == plain, "what was set is given back");
	lock_acquire(&core);
	raise(SIGUSR2);
	ok(!is_blocked(SIGTERM), "one that is ignored interrupts nothing");
	lock_release(&core);
	handlers_action(SIGUSR2, NULL, &found);
	ok(found.sa_handler == SIG_IGN, "ignored reads back as ignored");
	ok_equal(handlers_action(SIGKILL, &found, NULL), -1, "SIGKILL cannot be handled");
	ok_equal(handlers_action(NSIG + 1, &found, NULL), -1, "nor what is no signal");
	ok_equal(handlers_action(0, NULL, &found), -1, "nor is there a signal 0");
}

int main(void)
{
	struct sigaction action = { .sa_handler = plain }, found;

	own_pid = getpid();
	handlers_action(SIGHUP, &action, NULL);
	handlers_take();
	test_taken();
	test_ends();
	test_vfork();
	handlers_hold();
	handlers_action(SIGHUP, NULL, &found);
	ok(found.sa_handler == plain && !(found.sa_flags & SA_SIGINFO),
	   "a handler from before reads back as it was set");
	lock_acquire(&core);
	raise(SIGHUP);
	ok_equal(plain_count, 0, "it does not run in core");
	lock_release(&core);
	usleep(1);
	ok_equal(plain_count, 1, "it runs when core is done");
	for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++)
		test_row(row);
	test_value();
	test_two();
	test_fault();
	test_no_handler();
	return tap_done();
}
