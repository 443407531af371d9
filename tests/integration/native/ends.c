/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One way to end per call: ends WAY. The status is the test. */

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char *volatile block;
static volatile int *volatile nowhere;

static void speak(void)
{
	free(block);
	block = malloc(100);
	printf("handler\n");
}

static void *leave_from_thread(void *argument)
{
	exit(21);
	return argument;
}

static void *exec_from_thread(void *argument)
{
	execl("/bin/sh", "sh", "-c", "echo in the shell; exit 22", (char *)NULL);
	return argument;
}

static void in_thread(void *(*routine)(void *))
{
	pthread_t thread;

	pthread_create(&thread, NULL, routine, NULL);
	pthread_join(thread, NULL);
}

static void *outlive_main(void *argument)
{
	usleep(20000);
	free(malloc(1000));
	return argument;
}

/* The process lives until its last thread does. */
static void leave_main(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, outlive_main, NULL);
	pthread_exit(NULL);
}

static void execute(const char *name)
{
	char sh[] = "sh", option[] = "-c", script[] = "echo in the shell $WORD; exit 23";
	char word[] = "WORD=word", path[] = "PATH=/usr/bin:/bin";
	char *arguments[] = { sh, option, script, NULL };
	char *variables[] = { word, path, NULL };

	if (strcmp(name, "execve") == 0)
		execve("/bin/sh", arguments, variables);
	else if (strcmp(name, "execv") == 0)
		execv("/bin/sh", arguments);
	else if (strcmp(name, "execvp") == 0)
		execvp("sh", arguments);
	else if (strcmp(name, "execvpe") == 0)
		execvpe("sh", arguments, variables);
	else if (strcmp(name, "execlp") == 0)
		execlp("sh", "sh", "-c", "echo in the shell; exit 23", (char *)NULL);
	else if (strcmp(name, "execle") == 0)
		execle("/bin/sh", "sh", "-c", "echo in the shell $WORD; exit 23", (char *)NULL,
		       variables);
}

static void leave(const char *way)
{
	if (strcmp(way, "return") == 0)
		return;
	if (strcmp(way, "exit") == 0)
		exit(20);
	if (strcmp(way, "exit-thread") == 0)
		in_thread(leave_from_thread);
	if (strcmp(way, "exec-thread") == 0)
		in_thread(exec_from_thread);
	if (strcmp(way, "main-thread") == 0)
		leave_main();
	if (strcmp(way, "_exit") == 0)
		_exit(24);
	if (strcmp(way, "_Exit") == 0)
		_Exit(25);
	if (strcmp(way, "quick_exit") == 0)
		quick_exit(26);
	if (strcmp(way, "exit_group") == 0)
		syscall(SYS_exit_group, 27);
	if (strcmp(way, "abort") == 0)
		abort();
	if (strcmp(way, "kill") == 0)
		kill(getpid(), SIGKILL);
	if (strcmp(way, "segv") == 0)
		*nowhere = 1;
	execute(way);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	atexit(speak);
	at_quick_exit(speak);
	block = malloc(5000);
	if (argc > 1)
		leave(argv[1]);
	return 0;
}
