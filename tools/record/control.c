/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One request is one thread, joined with a time limit. After the first silence no other request is
 * made: the library's state belongs to the thread that still waits. */

#include "tools/record/control.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

/* Freed by whoever joins; left to the thread when nobody does. */
struct request {
	int (*run)(void *argument);
	void *argument;
	int result;
};

/* liblttng-ctl exports it without declaring it: no messages of its own on stderr. */
extern int lttng_opt_quiet;

static bool daemon_is_silent;

static void *serve(void *data)
{
	struct request *request = data;

	request->result = request->run(request->argument);
	return NULL;
}

static int join(pthread_t thread, struct request *request, int seconds)
{
	struct timespec until;
	int result;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += seconds;
	if (pthread_timedjoin_np(thread, NULL, &until)) {
		daemon_is_silent = true;
		pthread_detach(thread);
		return CONTROL_SILENT;
	}
	result = request->result;
	free(request);
	return result;
}

int control_request(int (*run)(void *argument), void *argument, int seconds)
{
	struct request *request;
	pthread_t thread;

	if (daemon_is_silent)
		return CONTROL_SILENT;
	lttng_opt_quiet = 1;
	request = malloc(sizeof(*request));
	if (!request)
		return CONTROL_SILENT;
	*request = (struct request){ .run = run, .argument = argument };
	if (pthread_create(&thread, NULL, serve, request)) {
		free(request);
		return CONTROL_SILENT;
	}
	return join(thread, request, seconds);
}
