/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The C library counts threads, and LTTng's listeners count. So we count for ourselves, in the
 * system's list: a thread whose name ends in "-ust" is a helper, and so are those that serve other
 * processes; all others are the program's, but for the main thread that is ending and the watcher.
 * The watcher exists in such processes only. */

#include "preload/linger.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/os/os.h"
#include "core/process/agent.h"

#define HELPER_SUFFIX "-ust"
#define POLL_MICROSECONDS 5000

/* The name is followed by a newline. */
static bool is_helpers_name(const char *name, ssize_t length)
{
	const ssize_t suffix = strlen(HELPER_SUFFIX), agent = strlen(AGENT_THREAD_NAME);

	if (length == agent + 1 && memcmp(name, AGENT_THREAD_NAME, (size_t)agent) == 0)
		return true;
	return length > suffix &&
	       memcmp(name + length - 1 - suffix, HELPER_SUFFIX, (size_t)suffix) == 0;
}

/* Whether `thread` of this process is a helper, or gone. */
static bool is_helper(const char *thread)
{
	char path[300], name[32];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%s/comm", thread);
	fd = os_open(path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return true;
	length = os_read(fd, name, sizeof(name));
	(void)os_close(fd);
	return is_helpers_name(name, length);
}

/* Whether threads of the program live beside the main thread. When in doubt they do. */
static bool has_program_threads(void)
{
	DIR *threads = opendir("/proc/self/task");
	const struct dirent *entry;
	bool found = threads == NULL;

	while (!found && (entry = readdir(threads)))
		found = entry->d_name[0] != '.' && atoi(entry->d_name) != (int)os_process_id() &&
			!is_helper(entry->d_name);
	if (threads)
		closedir(threads);
	return found;
}

static void *watch(void *unused)
{
	(void)prctl(PR_SET_NAME, "vadtrace" HELPER_SUFFIX);
	while (has_program_threads())
		usleep(POLL_MICROSECONDS);
	exit(0);
	return unused;
}

static void start_watcher(void)
{
	pthread_t watcher;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&watcher, NULL, watch, NULL) == 0)
		pthread_detach(watcher);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void linger_main_ends(void)
{
	if (!has_program_threads())
		exit(0);
	start_watcher();
}
