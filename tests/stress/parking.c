/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* 64 threads that allocate small regions, write to them and release them, while handlers do the
 * same in between at any instruction, others take the addresses of what was released, and the
 * process forks: nobody sees another one's bytes, and in the end nothing is left. */

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/status.h"
#include "core/core.h"
#include "core/host.h"
#include "core/vm/charge.h"
#include "core/vm/parking.h"
#include "core/vm/posix.h"
#include "core/vm/virtual.h"
#include "tests/lib/core_fork.h"
#include "tests/lib/tap.h"

#define THREADS 64
#define ROUNDS 2000
#define FORKS 20
#define HELD_MAX 6
#define PAGE ((size_t)0x1000)

struct worker {
	pthread_t thread;
	unsigned seed, handled_seed;
	int failures;
	int handled; /* signals */
	char *held[HELD_MAX];
	size_t held_bytes[HELD_MAX];
};

static struct worker workers[THREADS];
static _Thread_local struct worker *own;
static int ended;

static unsigned next(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 8;
}

/* Few sizes, so that they are met again; the last one is too large to be parked. */
static size_t random_size(unsigned *seed)
{
	static const size_t pages[] = { 1, 16, 16, 16, 17, 64, 200, 300 };

	return pages[next(seed) % 8] * PAGE;
}

static char *take(size_t size_bytes, char mark, int *failures)
{
	char *base = VirtualAlloc(NULL, size_bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	char *last = base + size_bytes - 1;

	if (!base) {
		(*failures)++;
		return NULL;
	}
	*failures += *base != 0 || *last != 0;
	*base = *last = mark;
	return base;
}

static void give(char *base, size_t size_bytes, char mark, int *failures)
{
	if (!base)
		return;
	*failures += *base != mark || base[size_bytes - 1] != mark;
	*failures += !VirtualFree(base, 0, MEM_RELEASE);
}

static void handle(int signal)
{
	size_t size_bytes = random_size(&own->handled_seed);
	int failures = 0;

	(void)signal;
	give(take(size_bytes, 'h', &failures), size_bytes, 'h', &failures);
	__atomic_add_fetch(&own->failures, failures, __ATOMIC_RELAXED);
	own->handled++;
}

/* Takes the addresses of a region that was released, in another way; who comes too late finds them
 * taken. */
static void take_addresses(char *base, size_t size_bytes, unsigned *seed)
{
	MEMORY_BASIC_INFORMATION info;
	intptr_t got;

	switch (next(seed) % 4) {
	case 0:
		if (VirtualAlloc(base, size_bytes, MEM_RESERVE, PAGE_NOACCESS))
			VirtualFree(base, 0, MEM_RELEASE);
		break;
	case 1:
		got = posix_mmap(base, size_bytes, PROT_NONE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, /* fd */ -1,
				 /* offset */ 0, API_mmap);
		if (got >= 0)
			posix_munmap((void *)got, size_bytes, API_munmap);
		break;
	case 2:
		VirtualQuery(base, &info, sizeof info);
		break;
	default:
		VirtualProtect(base, PAGE, PAGE_READWRITE, &(DWORD){ 0 });
	}
}

static void change_one(struct worker *worker, int *failures)
{
	unsigned place = next(&worker->seed) % HELD_MAX;
	char mark = (char)('a' + place);
	DWORD old;

	if (!worker->held[place]) {
		worker->held_bytes[place] = random_size(&worker->seed);
		worker->held[place] = take(worker->held_bytes[place], mark, failures);
		if (next(&worker->seed) % 8 == 0)
			*failures +=
				!VirtualProtect(worker->held[place], PAGE, PAGE_READWRITE, &old);
		return;
	}
	give(worker->held[place], worker->held_bytes[place], mark, failures);
	if (next(&worker->seed) % 16 == 0)
		take_addresses(worker->held[place], worker->held_bytes[place], &worker->seed);
	worker->held[place] = NULL;
}

static void block_signal(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(how, &set, NULL);
}

static void *work(void *pointer)
{
	struct worker *worker = pointer;
	int failures = 0;

	own = worker;
	block_signal(SIG_UNBLOCK);
	for (int i = 0; i < ROUNDS; i++) {
		change_one(worker, &failures);
		if (i % 64 == 0)
			pthread_kill(pthread_self(), SIGUSR1);
	}
	for (unsigned place = 0; place < HELD_MAX; place++)
		give(worker->held[place], worker->held_bytes[place], (char)('a' + place),
		     &failures);
	__atomic_add_fetch(&worker->failures, failures, __ATOMIC_RELAXED);
	core_thread_exit();
	__atomic_add_fetch(&ended, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* A child of a process whose threads are in the middle of everything. */
static int fork_once(void)
{
	int status = -1, failures = 0;
	pid_t child = core_fork();

	if (child == 0) {
		vm_check();
		for (int i = 0; i < 20; i++)
			give(take(16 * PAGE, 'c', &failures), 16 * PAGE, 'c', &failures);
		_exit(failures != 0 || parking_bytes() > 16 * PAGE);
	}
	waitpid(child, &status, 0);
	return status != 0;
}

/* Signals at any instruction of any thread, until all have ended. */
static int disturb(void)
{
	int failures = 0;

	for (int i = 0; __atomic_load_n(&ended, __ATOMIC_ACQUIRE) < THREADS; i++) {
		pthread_kill(workers[i % THREADS].thread, SIGUSR1);
		if (i % 500 == 0 && i / 500 < FORKS)
			failures += fork_once();
		if (i % 100 == 0)
			vm_check();
		sched_yield();
	}
	return failures;
}

int main(void)
{
	struct charge before, after;
	int failures = 0, handled = 0;

	VirtualFree(VirtualAlloc(NULL, PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE), 0,
		    MEM_RELEASE);
	core_thread_exit();
	signal(SIGUSR1, handle);
	block_signal(SIG_BLOCK);
	charge_read(&before);
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i].seed = workers[i].handled_seed = i + 1;
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	}
	ok_equal(disturb(), 0, "children work");
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		failures += workers[i].failures;
		handled += workers[i].handled;
	}
	ok_equal(failures, 0, "no call failed, no byte was wrong");
	ok(handled >= THREADS, "%d signals came", handled);
	vm_check();
	lock_acquire(&vm_lock);
	parking_clear_all();
	lock_release(&vm_lock);
	charge_read(&after);
	ok_equal(after.committed_bytes, before.committed_bytes, "nothing is left");
	ok_equal(parking_bytes(), 0, "nor parked");
	ok_equal(posix_take_in_maps(), 0, "the records compare with the system's");
	vm_check();
	return tap_done();
}
