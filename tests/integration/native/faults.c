/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A program's own SIGSEGV handlers beside core's: set before or after the first guard page, of
 * every shape, they see what the kernel would tell them and where. Each case runs in a child. */

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/status.h"
#include "core/core.h"
#include "tests/lib/tap.h"

#define PAGE 0x1000
#define STACK_BYTES 65536

/* What the handler was told last, and how often. */
static struct {
	volatile int calls;
	volatile int code;
	char *volatile address;
	char *volatile frame;
	volatile int is_blocked; /* SIGSEGV, while the handler runs */
} seen;
static sigjmp_buf way_out;
static char handlers_stack[STACK_BYTES];
static char *guarded, *forbidden;

static void note(void)
{
	sigset_t mask;

	seen.calls++;
	seen.frame = __builtin_frame_address(0);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	seen.is_blocked = sigismember(&mask, SIGSEGV) + 2 * sigismember(&mask, SIGUSR1);
}

static void on_signal(int signal)
{
	(void)signal;
	note();
}

static void on_siginfo(int signal, siginfo_t *info, void *context)
{
	(void)context;
	note();
	seen.code = info->si_code;
	seen.address = info->si_addr;
	(void)signal;
}

static void leave(int signal)
{
	on_signal(signal);
	siglongjmp(way_out, 1);
}

/* Touches what it may not touch, from inside a handler. */
static void touch_again(int signal)
{
	on_signal(signal);
	if (seen.calls == 1)
		*(volatile char *)forbidden = 1;
	siglongjmp(way_out, 1);
}

static void set_action(void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_flags = flags };

	action.sa_handler = handler;
	sigaddset(&action.sa_mask, SIGUSR1);
	sigaction(SIGSEGV, &action, NULL);
}

static void make_guard(void)
{
	guarded =
		VirtualAlloc(NULL, 4 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD);
}

static void write_to(char *address)
{
	*(volatile char *)address = 1;
}

/* The cases: each answers whether all was right, or dies. */

static int handles_guard(void)
{
	write_to(guarded);
	write_to(guarded + 1);
	return seen.calls == 1 && *guarded == 1;
}

static int handles_guard_told(void)
{
	return handles_guard() && seen.code == SEGV_ACCERR && seen.address == guarded;
}

static int handles_unmapped(void)
{
	if (!sigsetjmp(way_out, 1))
		write_to(forbidden);
	if (!sigsetjmp(way_out, 1))
		write_to(forbidden);
	return seen.calls == 2;
}

static int masks_itself(void)
{
	return handles_guard() && seen.is_blocked == 3;
}

static int masks_others(void)
{
	return handles_guard() && seen.is_blocked == 2;
}

static int is_on_its_stack(void)
{
	stack_t stack = { .ss_sp = handlers_stack, .ss_size = STACK_BYTES };

	sigaltstack(&stack, NULL);
	return handles_guard() && seen.frame > handlers_stack &&
	       seen.frame < handlers_stack + STACK_BYTES;
}

static int is_on_the_stack(void)
{
	stack_t stack = { .ss_sp = handlers_stack, .ss_size = STACK_BYTES };

	sigaltstack(&stack, NULL);
	return handles_guard() &&
	       (seen.frame < handlers_stack || seen.frame > handlers_stack + STACK_BYTES);
}

static int nests(void)
{
	if (!sigsetjmp(way_out, 1))
		write_to(guarded);
	return seen.calls == 2;
}

/* What somebody sends is no fault. */
static int hears_kill(void)
{
	kill(getpid(), SIGSEGV);
	return seen.calls == 1 && seen.code == SI_USER;
}

static int hears_nothing(void)
{
	kill(getpid(), SIGSEGV);
	return seen.calls == 0;
}

static int is_told_its_own(void)
{
	struct sigaction action, old;

	sigaction(SIGSEGV, NULL, &old);
	memset(&action, 0, sizeof action);
	action.sa_handler = on_signal;
	if (old.sa_sigaction != on_siginfo || old.sa_flags != (SA_SIGINFO | SA_RESTART) ||
	    !sigismember(&old.sa_mask, SIGUSR1) || sigismember(&old.sa_mask, SIGUSR2))
		return 0;
	sigaction(SIGSEGV, &action, &old);
	return old.sa_sigaction == on_siginfo && signal(SIGSEGV, SIG_DFL) == on_signal &&
	       signal(SIGSEGV, SIG_IGN) == SIG_DFL;
}

static int in_forked_child(void)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(handles_guard() ? 0 : 1);
	return waitpid(child, &status, 0) == child && status == 0 && handles_guard();
}

/* The handler was on its stack, which is free again. */
__attribute__((noinline)) static int leaves_once(char *address, int calls)
{
	stack_t now;

	if (!sigsetjmp(way_out, 1))
		write_to(address);
	sigaltstack(NULL, &now);
	return seen.calls == calls && seen.frame > handlers_stack &&
	       seen.frame < handlers_stack + STACK_BYTES && !(now.ss_flags & SS_ONSTACK);
}

static int leaves_its_stack(void)
{
	stack_t stack = { .ss_sp = handlers_stack, .ss_size = STACK_BYTES };

	sigaltstack(&stack, NULL);
	return leaves_once(guarded, 1) && leaves_once(forbidden, 2) &&
	       leaves_once(guarded + PAGE, 3);
}

static int once_on_its_stack(void)
{
	return is_on_its_stack() && seen.is_blocked == 2 && signal(SIGSEGV, SIG_IGN) == SIG_DFL;
}

/* This program once more: a handler is gone there, and nothing of core's is in its place. */
static int executes(void)
{
	pid_t child;
	int status;

	if (!handles_guard())
		return 0;
	child = fork();
	if (child == 0) {
		execl("/proc/self/exe", "faults", "executed", (char *)NULL);
		_exit(127);
	}
	return waitpid(child, &status, 0) == child && status == 0;
}

static int check_executed(void)
{
	struct sigaction action;
	sigset_t mask;

	sigaction(SIGSEGV, NULL, &action);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	return action.sa_handler == SIG_DFL && !sigismember(&mask, SIGSEGV) ? 0 : 1;
}

#define OWN_STACKS 4

static __thread char *own_stack;
static __thread int own_calls, is_on_own_stack;

static void on_own_stack(int signal)
{
	const char *frame = __builtin_frame_address(0);

	(void)signal;
	own_calls++;
	is_on_own_stack = frame > own_stack && frame < own_stack + STACK_BYTES;
}

/* Each thread meets guards of its own, with a stack for handlers of its own. */
static void *meet_guards(void *wrong)
{
	stack_t stack = { .ss_sp = malloc(STACK_BYTES), .ss_size = STACK_BYTES };
	char *page = VirtualAlloc(NULL, PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	DWORD old;

	own_stack = stack.ss_sp;
	sigaltstack(&stack, NULL);
	for (int i = 1; i <= 200; i++) {
		is_on_own_stack = 0;
		VirtualProtect(page, PAGE, PAGE_READWRITE | PAGE_GUARD, &old);
		write_to(page);
		if (own_calls != i || !is_on_own_stack)
			__atomic_store_n((int *)wrong, 1, __ATOMIC_RELAXED);
	}
	stack.ss_flags = SS_DISABLE;
	sigaltstack(&stack, NULL);
	free(own_stack);
	return NULL;
}

static int threads_have_stacks(void)
{
	pthread_t threads[OWN_STACKS];
	int wrong = 0;

	set_action(on_own_stack, SA_ONSTACK);
	for (int i = 0; i < OWN_STACKS; i++)
		pthread_create(&threads[i], NULL, meet_guards, &wrong);
	for (int i = 0; i < OWN_STACKS; i++)
		pthread_join(threads[i], NULL);
	return !wrong;
}

static int second_ends(void)
{
	write_to(guarded);
	if (seen.calls == 1)
		write_to(guarded + PAGE);
	return 1;
}

#define SIGNALLED 1000
#define NONE ((void (*)(int)) - 2)

static void set_by_signal(void)
{
	signal(SIGSEGV, on_signal);
}

static void set_by_sysv_signal(void)
{
	sysv_signal(SIGSEGV, on_signal);
}

static void set_by_sigset(void)
{
	sigset(SIGSEGV, on_signal);
}

static void set_after_hold(void)
{
	sigset(SIGSEGV, SIG_HOLD);
	sigset(SIGSEGV, on_signal);
}

static void set_by_sigignore(void)
{
	sigignore(SIGSEGV);
}

static void set_siginfo(int flags)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO | flags };

	action.sa_sigaction = on_siginfo;
	sigaddset(&action.sa_mask, SIGUSR1);
	sigaction(SIGSEGV, &action, NULL);
}

static void set_told(void)
{
	set_siginfo(0);
}

static void set_told_restarting(void)
{
	set_siginfo(SA_RESTART);
}

static const struct {
	const char *name;
	void (*handler)(int); /* NONE: `set` sets it */
	int flags;
	int (*run)(void);
	int expected; /* 1, or SIGNALLED when SIGSEGV is the end */
	void (*set)(void);
} cases[] = {
	{ "a plain handler", on_signal, 0, handles_guard, 1, NULL },
	{ "a handler that is told", NONE, 0, handles_guard_told, 1, set_told },
	{ "a handler that leaves", leave, 0, handles_unmapped, 1, NULL },
	{ "its masks", on_signal, 0, masks_itself, 1, NULL },
	{ "its masks, SA_NODEFER", on_signal, SA_NODEFER, masks_others, 1, NULL },
	{ "SA_ONSTACK", on_signal, SA_ONSTACK, is_on_its_stack, 1, NULL },
	{ "no SA_ONSTACK", on_signal, 0, is_on_the_stack, 1, NULL },
	{ "a fault in the handler, SA_NODEFER", touch_again, SA_NODEFER, nests, 1, NULL },
	{ "a fault in the handler", touch_again, 0, nests, SIGNALLED, NULL },
	{ "SA_RESETHAND, once", on_signal, (int)SA_RESETHAND, handles_guard, 1, NULL },
	{ "SA_RESETHAND, twice", on_signal, (int)SA_RESETHAND, second_ends, SIGNALLED, NULL },
	{ "SIG_DFL", SIG_DFL, 0, handles_guard, SIGNALLED, NULL },
	{ "SIG_IGN", SIG_IGN, 0, handles_guard, SIGNALLED, NULL },
	{ "a kill", NONE, 0, hears_kill, 1, set_told },
	{ "a kill, SIG_IGN", SIG_IGN, 0, hears_nothing, 1, NULL },
	{ "a kill, SIG_DFL", SIG_DFL, 0, hears_nothing, SIGNALLED, NULL },
	{ "what sigaction tells", NONE, 0, is_told_its_own, 1, set_told_restarting },
	{ "SA_ONSTACK, a handler that leaves", leave, SA_ONSTACK, leaves_its_stack, 1, NULL },
	{ "SA_ONSTACK, SA_NODEFER, SA_RESETHAND", on_signal,
	  SA_ONSTACK | SA_NODEFER | (int)SA_RESETHAND, once_on_its_stack, 1, NULL },
	{ "SA_ONSTACK, threads", on_signal, SA_ONSTACK, threads_have_stacks, 1, NULL },
	{ "a forked child", on_signal, 0, in_forked_child, 1, NULL },
	{ "another program", on_signal, 0, executes, 1, NULL },
	{ "signal", NONE, 0, handles_guard, 1, set_by_signal },
	{ "signal, twice", NONE, 0, second_ends, 1, set_by_signal },
	{ "sysv_signal, twice", NONE, 0, second_ends, SIGNALLED, set_by_sysv_signal },
	{ "sigset, twice", NONE, 0, second_ends, 1, set_by_sigset },
	{ "sigset, held before", NONE, 0, handles_guard, 1, set_after_hold },
	{ "sigignore", NONE, 0, hears_nothing, 1, set_by_sigignore },
};

/* The program's mask and handler do not tell when core's came. */
static int run_case(size_t row, int is_before)
{
	if (!is_before)
		make_guard();
	if (cases[row].handler == NONE)
		cases[row].set();
	else
		set_action(cases[row].handler, cases[row].flags);
	if (is_before)
		make_guard();
	return cases[row].run();
}

static int in_child(size_t row, int is_before)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(run_case(row, is_before));
	if (waitpid(child, &status, 0) != child)
		return -1;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV ? SIGNALLED : WEXITSTATUS(status);
}

/* --- Vectored handlers ----------------------------------------------------------------------- */

static volatile int violations, order[4], orders;

static LONG count_violation(EXCEPTION_POINTERS *pointers)
{
	if (pointers->ExceptionRecord->ExceptionCode != (DWORD)STATUS_GUARD_PAGE_VIOLATION)
		return EXCEPTION_CONTINUE_SEARCH;
	__atomic_fetch_add(&violations, 1, __ATOMIC_RELAXED);
	return EXCEPTION_CONTINUE_EXECUTION;
}

static LONG first(EXCEPTION_POINTERS *pointers)
{
	(void)pointers;
	order[orders++] = 1;
	errno = EDOM;
	return EXCEPTION_CONTINUE_SEARCH;
}

static LONG second(EXCEPTION_POINTERS *pointers)
{
	(void)pointers;
	order[orders++] = 2;
	return EXCEPTION_CONTINUE_SEARCH;
}

static LONG third(EXCEPTION_POINTERS *pointers)
{
	(void)pointers;
	order[orders++] = 3;
	return EXCEPTION_CONTINUE_EXECUTION;
}

static void test_order(void)
{
	PVOID handlers[] = { AddVectoredExceptionHandler(0, second),
			     AddVectoredExceptionHandler(1, first),
			     AddVectoredExceptionHandler(0, third) };

	make_guard();
	errno = EAGAIN;
	write_to(guarded);
	ok(errno == EAGAIN, "errno stays");
	ok(orders == 3 && order[0] == 1 && order[1] == 2 && order[2] == 3, "their order");
	ok(RemoveVectoredExceptionHandler(handlers[0]) != 0, "one is removed");
	ok(RemoveVectoredExceptionHandler(handlers[0]) == 0, "but not once more");
	orders = 0;
	write_to(guarded + PAGE);
	ok(orders == 2 && order[1] == 3, "the others are called");
	RemoveVectoredExceptionHandler(handlers[2]);
	set_told();
	write_to(guarded + 2 * PAGE);
	ok(seen.calls == 1 && seen.address == guarded + 2 * PAGE,
	   "when none goes on, the program's handler does");
	RemoveVectoredExceptionHandler(handlers[1]);
}

#define THREADS 4
#define ROUNDS 300

static pthread_barrier_t barrier;

/* All touch the same page at once. */
static void *touch(void *unused)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&barrier);
		__atomic_fetch_add(guarded + 16, 1, __ATOMIC_RELAXED);
		pthread_barrier_wait(&barrier);
	}
	return unused;
}

static void test_threads(void)
{
	PVOID handler = AddVectoredExceptionHandler(1, count_violation);
	pthread_t threads[THREADS];
	int wrong = 0;
	DWORD old;

	make_guard();
	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, touch, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		VirtualProtect(guarded, PAGE, PAGE_READWRITE | PAGE_GUARD, &old);
		violations = 0;
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
		wrong += violations != 1;
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ok(wrong == 0, "one of %d threads sees the violation, each time", THREADS);
	ok_equal((unsigned char)guarded[16], (unsigned char)(THREADS * ROUNDS),
		 "all touches count");
	RemoveVectoredExceptionHandler(handler);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "executed") == 0)
		return check_executed();
	forbidden = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		ok_equal(in_child(i, /* is_before */ 1), cases[i].expected, "before: %s",
			 cases[i].name);
		ok_equal(in_child(i, /* is_before */ 0), cases[i].expected, "after: %s",
			 cases[i].name);
	}
	test_order();
	test_threads();
	return tap_done();
}
