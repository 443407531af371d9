/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* newborn FORKS: forks that many times while new threads, one after the other, map a range in their
 * first call and end. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PARENTS = 3, NEWBORN = 4, SIZE = 65536 };

static _Atomic bool is_over;

static void *map_once(void *unused)
{
	void *range = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (range == MAP_FAILED || munmap(range, SIZE))
		abort();
	return unused;
}

static void *bear(void *unused)
{
	pthread_t threads[NEWBORN];

	while (!atomic_load(&is_over)) {
		for (int i = 0; i < NEWBORN; i++)
			if (pthread_create(&threads[i], NULL, map_once, NULL))
				abort();
		for (int i = 0; i < NEWBORN; i++)
			pthread_join(threads[i], NULL);
	}
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t parents[PARENTS];

	for (int i = 0; i < PARENTS; i++)
		if (pthread_create(&parents[i], NULL, bear, NULL))
			abort();
	for (int i = argc > 1 ? atoi(argv[1]) : 0; i > 0; i--) {
		pid_t child = fork();

		if (!child)
			_exit(0);
		if (child < 0 || waitpid(child, NULL, 0) != child)
			abort();
	}
	atomic_store(&is_over, true);
	for (int i = 0; i < PARENTS; i++)
		pthread_join(parents[i], NULL);
	return 0;
}
