/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A child that serves others until it is killed.
 *
 *   pid_t target = target_start();
 *   ... caller_ask ...
 *   target_end(target);
 */

#ifndef VADTRACE_TESTS_UNIT_CORE_PROCESS_TARGET_H
#define VADTRACE_TESTS_UNIT_CORE_PROCESS_TARGET_H

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/status.h"
#include "core/event.h"
#include "core/process/agent.h"
#include "core/process/caller.h"
#include "tests/lib/tap.h"

#define PAGE ((size_t)4096)

/* A child that does `first`, and answers whether that was 0; then `then`; then waits to be killed.
 * Both may be NULL. -1: it was not. */
static pid_t target_fork(int (*first)(void), void (*then)(void))
{
	int ready[2];
	char answer = 'n';
	pid_t child;

	if (pipe(ready))
		exit(99);
	fflush(stdout);
	child = fork();
	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		answer = !first || first() == 0 ? 'y' : 'n';
		if (write(ready[1], &answer, 1) != 1)
			_exit(1);
		if (then && answer == 'y')
			then();
		for (;;)
			pause();
	}
	close(ready[1]);
	while (read(ready[0], &answer, 1) < 0 && errno == EINTR)
		;
	close(ready[0]);
	if (answer == 'y')
		return child;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return -1;
}

static inline int target_serve(void)
{
	return agent_start() == STATUS_SUCCESS ? 0 : -1;
}

/* What the child does once it serves. */
__attribute__((unused)) static pid_t target_start_with(void (*then)(void))
{
	return target_fork(target_serve, then);
}

__attribute__((unused)) static pid_t target_start(void)
{
	return target_start_with(NULL);
}

__attribute__((unused)) static void target_end(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

__attribute__((unused)) static struct identity target_identity(pid_t child)
{
	struct identity identity = { .id = 0 };

	(void)identity_find((uint32_t)child, &identity);
	return identity;
}

/* One page more in the target; its address, or NULL. */
__attribute__((unused)) static void *target_allocate(const struct identity *identity,
						     NTSTATUS *status)
{
	struct protocol_request request = {
		.operation = PROTOCOL_ALLOCATE,
		.api = API_VirtualAllocEx,
		.size_bytes = PAGE,
		.type = MEM_RESERVE | MEM_COMMIT,
		.protect = PAGE_READWRITE,
	};
	struct protocol_reply reply;

	*status = caller_ask(identity, &request, &reply);
	return status_is_success(*status) ? (void *)reply.base : NULL;
}

__attribute__((unused)) static NTSTATUS target_release(const struct identity *identity, void *base)
{
	struct protocol_request request = {
		.operation = PROTOCOL_FREE,
		.api = API_VirtualFreeEx,
		.base = (uint64_t)base,
		.type = MEM_RELEASE,
	};
	struct protocol_reply reply;

	return caller_ask(identity, &request, &reply);
}

/* Whether the target serves: a page comes and goes. */
__attribute__((unused)) static bool target_serves(const struct identity *identity)
{
	NTSTATUS status;
	void *base = target_allocate(identity, &status);

	return base && target_release(identity, base) == STATUS_SUCCESS;
}

#endif
