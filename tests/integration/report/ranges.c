/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* ranges THREADS: does things with its address space that it knows exactly, and prints what a
 * report must say of each function that called:
 *
 *   function peak_committed peak_reserved end_reserved end_committed calls call_bytes
 *
 * The peak of commit is when all threads hold everything, at the barrier. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { THREADS_MAX = 16, MEGABYTE = 1 << 20, TRANSIENT = 30 };

static pthread_barrier_t barrier;
static unsigned long thread_count;

static char *map(size_t size, int protection)
{
	char *range = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (range == MAP_FAILED)
		abort();
	return range;
}

/* Accessible, and kept. */
__attribute__((noinline)) static char *do_map(void)
{
	char *range = map(8 * MEGABYTE, PROT_READ | PROT_WRITE);

	__asm__ volatile("" : : "r"(range) : "memory");
	return range;
}

/* Reserved; a quarter is committed by somebody else. */
__attribute__((noinline)) static char *do_reserve(void)
{
	char *range = map(16 * MEGABYTE, PROT_NONE);

	__asm__ volatile("" : : "r"(range) : "memory");
	return range;
}

__attribute__((noinline)) static void do_commit(char *range)
{
	if (mprotect(range, 4 * MEGABYTE, PROT_READ | PROT_WRITE))
		abort();
}

/* Gone before the peak. */
__attribute__((noinline)) static void do_transient(void)
{
	for (int i = 0; i < TRANSIENT; i++)
		if (munmap(map(MEGABYTE, PROT_READ | PROT_WRITE), MEGABYTE))
			abort();
}

__attribute__((noinline)) static void do_release(char *range)
{
	if (munmap(range, 2 * MEGABYTE))
		abort();
}

static void *work(void *unused)
{
	char *mapped, *reserved;

	do_transient();
	mapped = do_map();
	reserved = do_reserve();
	do_commit(reserved);
	pthread_barrier_wait(&barrier);
	do_release(mapped);
	return unused;
}

static void print_line(const char *function, const unsigned long megabytes[4], unsigned long calls,
		       unsigned long call_megabytes)
{
	char line[300];
	int length = snprintf(line, sizeof(line), "%s", function);

	for (int i = 0; i < 4; i++)
		length += snprintf(line + length, sizeof(line) - (size_t)length, " %lu",
				   megabytes[i] * MEGABYTE * thread_count);
	length += snprintf(line + length, sizeof(line) - (size_t)length, " %lu %lu\n",
			   calls * thread_count, call_megabytes * MEGABYTE * thread_count);
	if (write(STDOUT_FILENO, line, (size_t)length) != length)
		abort();
}

static void print_truth(void)
{
	print_line("do_map", (const unsigned long[]){ 8, 8, 6, 6 }, 1, 8);
	print_line("do_reserve", (const unsigned long[]){ 4, 16, 16, 4 }, 1, 16);
	print_line("do_commit", (const unsigned long[]){ 0, 0, 0, 0 }, 1, 0);
	print_line("do_transient", (const unsigned long[]){ 0, 0, 0, 0 }, 2 * TRANSIENT, TRANSIENT);
	print_line("do_release", (const unsigned long[]){ 0, 0, 0, 0 }, 1, 0);
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS_MAX];

	thread_count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	if (thread_count < 1 || thread_count > THREADS_MAX)
		return 2;
	pthread_barrier_init(&barrier, NULL, (unsigned)thread_count);
	for (unsigned long i = 1; i < thread_count; i++)
		if (pthread_create(&threads[i], NULL, work, NULL))
			abort();
	work(NULL);
	for (unsigned long i = 1; i < thread_count; i++)
		pthread_join(threads[i], NULL);
	print_truth();
	return 0;
}
