/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Signals at any moment: handlers that allocate, that jump out, on the smallest stacks.
 *
 * With ASYNC in the environment also what glibc's allocator does not stand: a handler that
 * allocates while it interrupts an allocation, or leaves it for good. Else these parts only say
 * their line. */

#include <errno.h>
#include <fcntl.h>
#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define LARGE_BYTES ((size_t)3 << 20)

static volatile sig_atomic_t handled, bad, keeps_jumping;
static char *volatile handler_blocks[32];
static sigjmp_buf back;
static bool is_async;

static void set_handler(int signal_number, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	sigaction(signal_number, &action, NULL);
}

static void set_timer(long microseconds)
{
	struct itimerval timer = { { 0, microseconds }, { 0, microseconds } };

	setitimer(ITIMER_REAL, &timer, NULL);
}

static void allocate_in_handler(int signal_number)
{
	int slot = handled % 32, error = errno;
	char *block = handler_blocks[slot];

	(void)signal_number;
	bad |= block && block[0] != (char)slot;
	errno = 77;
	free(block);
	bad |= errno != 77;
	block = malloc((size_t)(handled % 5000) + 1);
	block[0] = (char)slot;
	handler_blocks[slot] = block;
	handled++;
	errno = error;
}

/* Allocates and frees until `wanted` signals were handled; checks what it wrote. */
static int churn_until(int wanted)
{
	static char *ring[256];
	unsigned int i;
	int wrong = 0;

	for (i = 0; handled < wanted; i++) {
		size_t size = (i * 2654435761u) % (i % 64 ? 2000 : 300000) + 1;
		char **block = &ring[i % 256];

		if (*block)
			wrong += **block != (char)(i - 256);
		if (i % 3 == 0) {
			*block = realloc(*block, size);
		} else {
			free(*block);
			*block = i % 5 ? malloc(size) : calloc(1, size);
		}
		**block = (char)i;
	}
	return wrong;
}

static void interrupted(void)
{
	int wrong;

	set_handler(SIGALRM, allocate_in_handler, SA_RESTART);
	if (is_async)
		set_timer(500);
	wrong = churn_until(is_async ? 1500 : 0);
	set_timer(0);
	raise(SIGALRM);
	raise(SIGALRM);
	printf("interrupted: %d wrong, handler %s\n", wrong, bad ? "bad" : "good");
}

static void jump(int signal_number)
{
	(void)signal_number;
	handled++;
	free(malloc(500));
	if (keeps_jumping)
		siglongjmp(back, 1);
}

static void jump_out(void)
{
	static void *volatile blocks[16];
	volatile unsigned int i = 0;

	handled = 0;
	set_handler(SIGALRM, jump, SA_NODEFER);
	keeps_jumping = is_async;
	/* No signal before there is where to jump to. */
	if (sigsetjmp(back, 1) == 0 && is_async)
		set_timer(700);
	while (is_async && handled < 500) {
		/* A block may be lost by the jump, but never freed twice. */
		void *block = blocks[i % 16];

		blocks[i % 16] = NULL;
		free(block);
		blocks[i % 16] = malloc(i % 3000);
		i++;
	}
	keeps_jumping = 0;
	set_timer(0);
	for (i = 0; i < 1000; i++)
		free(malloc(i * 10));
	printf("jumped out\n");
}

static void on_small_stack(int signal_number)
{
	void *large;

	(void)signal_number;
	free(malloc(100));
	handler_blocks[0] = realloc(handler_blocks[0], 5000);
	large = realloc(malloc(LARGE_BYTES), 3 * LARGE_BYTES);
	free(aligned_alloc((size_t)8 << 20, LARGE_BYTES));
	free(large);
	munmap(mmap(NULL, LARGE_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), LARGE_BYTES);
	handled++;
}

/* Of that size, above a page that nobody may touch. */
static void *make_stack(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *memory = mmap(NULL, page + size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED || mprotect(memory + page, size, PROT_READ | PROT_WRITE))
		abort();
	return memory + page;
}

/* The smallest stack that the system takes, and little more: ROOM in the environment, or 1 KiB. */
static void small_stacks(void)
{
	const char *room = getenv("ROOM");
	size_t size = (size_t)sysconf(_SC_MINSIGSTKSZ) + (room ? (size_t)atoi(room) : 1024);
	stack_t stack = { .ss_sp = make_stack(size), .ss_size = size };

	handled = 0;
	sigaltstack(&stack, NULL);
	set_handler(SIGUSR1, on_small_stack, SA_ONSTACK);
	for (int i = 0; i < 10; i++)
		raise(SIGUSR1);
	printf("small stack: %d\n", (int)handled);
}

/* Threads that are not the program's must not take its signals. */
static void helper_threads(void)
{
	int takers = 0;
	DIR *folder = opendir("/proc/self/task");
	struct dirent *entry;

	while ((entry = readdir(folder))) {
		char path[300], line[200];
		unsigned long long blocked = 0;
		FILE *file;

		if (entry->d_name[0] == '.' || atoi(entry->d_name) == getpid())
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/status", entry->d_name);
		file = fopen(path, "r");
		while (file && fgets(line, sizeof(line), file))
			if (sscanf(line, "SigBlk: %llx", &blocked) == 1)
				break;
		if (file)
			fclose(file);
		takers += (blocked & (1ull << (SIGTERM - 1))) == 0;
	}
	closedir(folder);
	printf("helpers that take signals: %d\n", takers);
}

static void dispositions(void)
{
	sigset_t blocked;

	sigprocmask(SIG_BLOCK, NULL, &blocked);
	for (int i = 1; i < 65; i++) {
		struct sigaction action;

		if (i == SIGALRM || i == SIGUSR1 || sigaction(i, NULL, &action) != 0)
			continue;
		if (action.sa_handler != SIG_DFL || sigismember(&blocked, i))
			printf("signal %d is touched\n", i);
	}
}

/* The mask of a thread is what it asks for. */
static void masks(void)
{
	sigset_t set, old, now;
	int error;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	error = pthread_sigmask(SIG_BLOCK, &set, &old);
	free(malloc(100));
	error |= pthread_sigmask(SIG_BLOCK, NULL, &now);
	printf("masks: %d, blocked %d, before %d, bad way %s\n", error, sigismember(&now, SIGUSR1),
	       sigismember(&old, SIGUSR1), strerror(pthread_sigmask(77, &set, NULL)));
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_sigmask(SIG_BLOCK, NULL, &now);
	printf("masks: after %d\n", sigismember(&now, SIGUSR1));
}

int main(void)
{
	is_async = getenv("ASYNC") != NULL;
	dispositions();
	helper_threads();
	interrupted();
	jump_out();
	small_stacks();
	masks();
	return 0;
}
