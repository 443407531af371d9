/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Threads that reserve, commit, write, protect, query, map and free at once, while the process
 * forks: nobody sees another one's bytes, and the records are right at the end. */

#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/status.h"
#include "core/core.h"
#include "core/host.h"
#include "core/vm/posix.h"
#include "core/vm/virtual.h"
#include "tests/lib/core_fork.h"
#include "tests/lib/tap.h"

#define THREADS 6
#define ROUNDS 3000
#define FORKS 40
#define PAGE 0x1000
#define REGION 0x40000

struct worker {
	pthread_t thread;
	unsigned seed;
	int failures;
};

static unsigned next(struct worker *worker)
{
	worker->seed = worker->seed * 1103515245u + 12345u;
	return worker->seed >> 8;
}

/* Fills each page with the thread's mark and finds it again. */
static int write_and_read(const struct worker *worker, char *base, size_t size_bytes)
{
	int wrong = 0;

	for (size_t at = 0; at < size_bytes; at += PAGE) {
		wrong += base[at] != 0;
		base[at] = (char)worker->seed;
	}
	for (size_t at = 0; at < size_bytes; at += PAGE)
		wrong += base[at] != (char)worker->seed;
	return wrong;
}

static int use_virtual(struct worker *worker)
{
	size_t part = (1 + next(worker) % 16) * PAGE;
	char *base = VirtualAlloc(NULL, REGION, MEM_RESERVE, PAGE_READWRITE);
	MEMORY_BASIC_INFORMATION info;
	DWORD old = 0;
	int wrong = base == NULL;

	wrong += VirtualAlloc(base + PAGE, part, MEM_COMMIT, PAGE_READWRITE) != base + PAGE;
	wrong += write_and_read(worker, base + PAGE, part);
	wrong += !VirtualProtect(base + PAGE, PAGE, PAGE_READONLY, &old) || old != PAGE_READWRITE;
	wrong += !VirtualQuery(base + PAGE, &info, sizeof info) || info.AllocationBase != base ||
		 info.RegionSize != (part > PAGE ? PAGE : part);
	wrong += !VirtualFree(base + PAGE, part, MEM_DECOMMIT);
	wrong += !VirtualFree(base, 0, MEM_RELEASE);
	return wrong;
}

static int use_segment(struct worker *worker)
{
	const struct vm_request request = { .alignment_bytes = 4 << 20, .owner = EVENT_OWNER_HEAP };
	size_t size_bytes = 4 << 20, whole = 0;
	void *base = NULL;
	int wrong = 0;

	wrong += vm_allocate(&base, &size_bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE,
			     &request) < 0;
	wrong += (uintptr_t)base % size_bytes != 0;
	wrong += write_and_read(worker, base, 16 * PAGE);
	wrong += vm_resize(base, size_bytes, 2 * size_bytes, &base, &request) < 0;
	wrong += *(char *)base != (char)worker->seed;
	wrong += vm_free(&base, &whole, MEM_RELEASE, &request) < 0;
	return wrong;
}

static int use_posix(struct worker *worker)
{
	size_t size_bytes = (4 + next(worker) % 16) * PAGE;
	char *base = (char *)posix_mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, /* fd */ -1, /* offset */ 0,
					API_mmap);
	int wrong = (intptr_t)base < 0;

	wrong += write_and_read(worker, base, size_bytes);
	wrong += posix_munmap(base + PAGE, PAGE, API_munmap) < 0;
	wrong += posix_mprotect(base, PAGE, PROT_NONE, API_mprotect) < 0;
	wrong += posix_munmap(base, size_bytes, API_munmap) < 0;
	return wrong;
}

static void *work(void *pointer)
{
	struct worker *worker = pointer;

	for (int i = 0; i < ROUNDS; i++) {
		switch (next(worker) % 3) {
		case 0:
			worker->failures += use_virtual(worker);
			break;
		case 1:
			worker->failures += use_segment(worker);
			break;
		default:
			worker->failures += use_posix(worker);
		}
	}
	return NULL;
}

/* A child of a process whose threads are in the middle of everything. */
static int fork_once(void)
{
	struct worker own = { .seed = 99 };
	int status = -1;
	pid_t child = core_fork();

	if (child == 0) {
		vm_check();
		_exit(use_virtual(&own) + use_segment(&own) + use_posix(&own) != 0);
	}
	waitpid(child, &status, 0);
	return status != 0;
}

int main(void)
{
	static struct worker workers[THREADS];
	int failures = 0;

	for (unsigned i = 0; i < THREADS; i++) {
		workers[i].seed = i + 1;
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	}
	for (int i = 0; i < FORKS; i++)
		failures += fork_once();
	ok_equal(failures, 0, "%d children work", FORKS);
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		ok_equal(workers[i].failures, 0, "thread %u: no call failed, no byte was wrong", i);
	}
	vm_check();
	ok_equal(posix_take_in_maps(), 0, "the records compare with the system's");
	vm_check();
	return tap_done();
}
