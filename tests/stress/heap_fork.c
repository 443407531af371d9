/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* fork while other threads are anywhere in the allocator: the child must be able to use and free
 * everything, and its records must be whole. */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/lock.h"
#include "core/heap/heap.h"
#include "core/host.h"
#include "tests/lib/tap.h"

#define THREADS 3
#define FORKS 200
#define SLOTS 200

static _Atomic(bool) is_over;
static _Atomic(int) started;
static _Atomic(void *) shared[SLOTS];

/* Blocks move between threads, so that fork also meets remote frees. */
static void *work(void *argument)
{
	unsigned random_state = (unsigned)(uintptr_t)argument;

	started++;
	while (!is_over) {
		size_t size_bytes;
		void *block;

		random_state = random_state * 1103515245 + 12345;
		size_bytes =
			random_state % 50 ? random_state / 65536 % 2000 : random_state / 65536 * 20;
		block = heap_malloc(size_bytes);
		block = atomic_exchange(&shared[random_state / 65536 % SLOTS], block);
		heap_free(block);
	}
	heap_thread_exit();
	return NULL;
}

static void use_everything(void)
{
	void *blocks[500];

	for (size_t i = 0; i < 500; i++) {
		blocks[i] = heap_malloc(i * i % 5000);
		memset(blocks[i], 1, i * i % 5000);
	}
	for (size_t i = 0; i < 500; i++)
		heap_free(blocks[i]);
	for (size_t i = 0; i < SLOTS; i++)
		heap_free(atomic_exchange(&shared[i], NULL));
	heap_free(heap_malloc(5000000));
	heap_trim();
	heap_check();
}

static void *use_in_thread(void *argument)
{
	use_everything();
	heap_thread_exit();
	return argument;
}

/* The child's other threads must work as well: they adopt what the parent's left behind. */
static void be_child(struct heap *heap)
{
	pthread_t thread;

	use_everything();
	if (pthread_create(&thread, NULL, use_in_thread, NULL) != 0)
		_exit(2);
	pthread_join(thread, NULL);
	if (!heap_allocate(heap, 0, 100, NULL) || !heap_destroy(API_HeapDestroy, heap, NULL))
		_exit(3);
	_exit(0);
}

static pid_t fork_heap(struct heap *heap)
{
	void *block;
	pid_t child;

	core_fork_prepare();
	/* Between these the forking thread may still allocate. */
	block = heap_malloc(1000);
	child = fork();
	if (child == 0)
		core_fork_child();
	else
		core_fork_parent();
	heap_free(block);
	if (child == 0)
		be_child(heap);
	return child;
}

static int count_failed_forks(struct heap *heap)
{
	int failed = 0;

	for (int i = 0; i < FORKS; i++) {
		int status = -1;
		pid_t child = fork_heap(heap);

		if (waitpid(child, &status, 0) != child || status != 0) {
			printf("# fork %d: status 0x%x\n", i, (unsigned)status);
			failed++;
		}
	}
	return failed;
}

int main(void)
{
	struct heap *heap = heap_create(0, 0, 0, NULL);
	pthread_t threads[THREADS];

#ifdef __SANITIZE_THREAD__
	tap_skip_all("the thread sanitizer allows no threads after fork");
#endif
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, (void *)(i + 1));
	/* A thread that begins holds locks of the address sanitizer: a child would inherit them. */
	while (started < THREADS)
		sched_yield();
	ok_equal(count_failed_forks(heap), 0, "%d children can use the heap", FORKS);
	is_over = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	use_everything();
	ok(heap_destroy(API_HeapDestroy, heap, NULL), "the parent's heap is still there");
	return tap_done();
}
