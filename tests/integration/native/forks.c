/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Forks while other threads allocate; handlers that allocate; children that no handler sees. The
 * argument: how many forks among threads. */

#include <errno.h>
#include <linux/sched.h>
#include <pthread.h>
#include <pty.h>
#include <stdbool.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static atomic_bool ends, rests;
static atomic_uint steps;
static char *kept[1000];

static void *churn(void *argument)
{
	char *ring[64] = { NULL };

	for (unsigned int i = 0; !ends; i++) {
		while (rests && !ends)
			usleep(500);
		free(ring[i % 64]);
		ring[i % 64] = malloc((size_t)(i * 7919) % (i % 100 ? 900 : 400000));
		steps++;
	}
	for (int i = 0; i < 64; i++)
		free(ring[i]);
	return argument;
}

static int handled;

static void handle(void)
{
	char *block = malloc(1234);

	memset(block, 5, 1234);
	block = realloc(block, 12345);
	free(block);
	handled++;
}

/* Before main, as libraries do; a preloaded object may have been here already. */
__attribute__((constructor)) static void register_early(void)
{
	pthread_atfork(handle, handle, handle);
}

/* Work of a child: its parent's blocks and blocks of its own, large and small. */
static int use_memory(void)
{
	int wrong = 0;

	for (int i = 0; i < 1000; i++) {
		wrong += kept[i][0] != (char)i;
		kept[i] = realloc(kept[i], (size_t)i * 3 + 1);
		wrong += kept[i][0] != (char)i;
		free(kept[i]);
		kept[i] = calloc(1, (size_t)i * 50 + 1);
		wrong += kept[i][i] != 0;
	}
	free(malloc(10 << 20));
	return wrong != 0;
}

static int status_of(pid_t child)
{
	int status = -1;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + status;
}

/* Returns when the threads are among their allocations. */
static void await_churn(void)
{
	unsigned int before = steps;

	while (steps - before < 1000)
		sched_yield();
}

static void fork_among_threads(int forks)
{
	pthread_t threads[4], child_thread;
	int failures = 0;

	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, churn, NULL);
	for (int i = 0; i < forks; i++) {
		pid_t child;

		rests = false;
		await_churn();
		child = fork();
		rests = child != 0;
		if (child == 0) {
			ends = i % 10 != 0;
			if (!ends) {
				pthread_create(&child_thread, NULL, churn, NULL);
				usleep(1000);
				ends = true;
				pthread_join(child_thread, NULL);
			}
			if (i % 3)
				_exit(use_memory());
			exit(use_memory());
		}
		failures += status_of(child) != 0;
	}
	ends = true;
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	printf("fork among threads: %d failures\n", failures);
}

static void grandchildren(void)
{
	pid_t child = fork();

	if (child == 0) {
		pid_t grandchild = fork();

		if (grandchild == 0)
			_exit(use_memory());
		_exit(status_of(grandchild) + use_memory());
	}
	printf("grandchild: %d\n", status_of(child));
}

/* The C library's own forks. */
static void library_children(void)
{
	int master, way[2], answer = -1;
	pid_t child = forkpty(&master, NULL, NULL, NULL);

	if (child == 0)
		_exit(use_memory());
	printf("forkpty: %d\n", status_of(child));
	close(master);
	if (pipe(way) != 0)
		return;
	child = fork();
	if (child == 0) {
		answer = daemon(1, 1) == 0 ? use_memory() : 99;
		_exit(write(way[1], &answer, sizeof(answer)) != sizeof(answer));
	}
	close(way[1]);
	printf("before the daemon: %d\n", status_of(child));
	printf("its answer: %d bytes, ", (int)read(way[0], &answer, sizeof(answer)));
	printf("%d\n", answer);
	close(way[0]);
}

/* A child by a bare system call: no handler runs, the C library does not know. */
static void bare_children(void)
{
	pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (child == 0)
		syscall(SYS_exit_group, use_memory());
	printf("bare clone: %d\n", status_of(child));
	child = _Fork();
	if (child == 0)
		_exit(use_memory());
	printf("_Fork: %d\n", status_of(child));
}

static int in_shared_memory(void *argument)
{
	char *block = malloc(100000);

	memset(block, 3, 100000);
	*(char **)argument = block;
	_exit(7);
}

static void shared_children(void)
{
	static char stack[262144] __attribute__((aligned(64)));
	char name[] = "true";
	char *arguments[] = { name, NULL }, *block = NULL;
	volatile int failures = 0;
	pid_t child;

	for (volatile int i = 0; i < 50; i++) {
		child = vfork();
		if (child == 0) {
			if (i % 2)
				_exit(3);
			execvp("true", arguments);
			_exit(127);
		}
		failures += status_of(child) != (i % 2 ? 3 : 0);
	}
	printf("vfork: %d failures\n", failures);
	child = vfork();
	if (child == 0) {
		execl("/no/such/program", "program", (char *)NULL);
		_exit(99);
	}
	printf("vfork, failed exec: %d\n", status_of(child));
	child = clone(in_shared_memory, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD,
		      &block);
	printf("clone: %d, its block holds %d\n", status_of(child), block[99999]);
	free(block);
	for (int i = 0; i < 50; i++) {
		failures += posix_spawnp(&child, "true", NULL, NULL, arguments, environ) != 0;
		failures += status_of(child) != 0;
	}
	printf("posix_spawn: %d failures\n", failures);
	printf("system: %d\n", system("exit 5"));
}

/* A bare clone3, as container runtimes do: the child runs `routine` on its own stack. */
static pid_t bare_clone3(struct clone_args *settings, int (*routine)(void *), void *argument)
{
	long result = SYS_clone3;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "mov %[argument], %%rdi\n\t"
			 "call *%[routine]\n\t"
			 "ud2\n"
			 "1:"
			 : "+a"(result)
			 : "D"(settings),
			   "S"(sizeof(*settings)), [routine] "r"(routine), [argument] "r"(argument)
			 : "rcx", "r11", "memory", "cc");
	return (pid_t)result;
}

static int run_true(void *argument)
{
	char name[] = "true";
	char *arguments[] = { name, NULL };

	free(malloc(300000));
	execvp("true", arguments);
	_exit(*(char **)argument != NULL);
}

static int use_and_exit(void *argument)
{
	(void)argument;
	_exit(use_memory());
}

static void clone3_children(void)
{
	static char stack[262144] __attribute__((aligned(64)));
	struct clone_args settings = {
		.flags = CLONE_VM | CLONE_VFORK,
		.exit_signal = SIGCHLD,
		.stack = (uintptr_t)stack,
		.stack_size = sizeof(stack),
	};
	char *block = NULL;
	int failures = 0;

	for (int i = 0; i < 20; i++) {
		free(block);
		block = NULL;
		failures += status_of(bare_clone3(&settings, in_shared_memory, &block)) != 7;
		failures += block[99999] != 3;
		failures += status_of(bare_clone3(&settings, run_true, &block)) != 0;
	}
	free(block);
	printf("clone3, shared memory: %d failures\n", failures);
	settings.flags = 0;
	printf("clone3: %d\n", status_of(bare_clone3(&settings, use_and_exit, NULL)));
}

int main(int argc, char **argv)
{
	pthread_atfork(handle, handle, handle);
	for (int i = 0; i < 1000; i++) {
		kept[i] = malloc((size_t)i + 1);
		kept[i][0] = (char)i;
	}
	fork_among_threads(argc > 1 ? atoi(argv[1]) : 60);
	grandchildren();
	library_children();
	bare_children();
	shared_children();
	clone3_children();
	printf("handlers: %d\n", handled);
	printf("own blocks: %d\n", use_memory());
	return 0;
}
