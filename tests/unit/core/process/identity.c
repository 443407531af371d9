/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Which process a number names: living ones, ended ones, threads, other users', strange names. */

#include "core/process/identity.h"

#include <pthread.h>
#include <sched.h>

#include "core/os/os.h"
#include "tests/unit/core/process/target.h"

#define NOBODY 65534

static void test_living(void)
{
	struct identity own, same, other;
	pid_t child = target_fork(NULL, /* then */ NULL);

	identity_of_own(&own);
	ok(own.id == os_process_id() && own.start_ticks > 0, "the own process");
	ok(identity_find(own.id, &same) == STATUS_SUCCESS && same.start_ticks == own.start_ticks,
	   "is found, too");
	ok(identity_find((uint32_t)child, &other) == STATUS_SUCCESS && identity_is_alive(&other),
	   "a child");
	ok(!identity_has_ended(&own) && !identity_has_ended(&other), "neither has ended");
	own.start_ticks++;
	ok(!identity_is_alive(&own), "another process had the number before");
	ok(identity_has_ended(&own), "that one has ended");
	kill(child, SIGKILL);
	waitid(P_PID, (id_t)child, NULL, WEXITED | WNOWAIT);
	ok(!identity_is_alive(&other), "it has ended, and waits for its parent");
	ok(identity_has_ended(&other), "that is an end");
	ok(identity_find((uint32_t)child, &other) == STATUS_INVALID_CID, "and is not found");
	target_end(child);
	ok(!identity_is_alive(&other) && identity_has_ended(&other), "it has gone");
}

static void *live_on(void *unused)
{
	for (;;)
		pause();
	return unused;
}

/* Another thread, which outlives the first. */
static int start_thread(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, live_on, NULL);
}

static void test_first_thread_gone(void)
{
	int meeting_pipe[2];
	struct identity identity;
	pid_t child;
	char byte;

	if (pipe(meeting_pipe))
		exit(99);
	fflush(stdout);
	child = fork();
	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (start_thread() || read(meeting_pipe[0], &byte, 1) != 1)
			_exit(1);
		pthread_exit(NULL);
	}
	ok(identity_find((uint32_t)child, &identity) == STATUS_SUCCESS, "a child of two threads");
	if (write(meeting_pipe[1], "x", 1) != 1)
		exit(99);
	while (identity_is_alive(&identity))
		usleep(1000);
	ok(!identity_has_ended(&identity), "whose first thread has ended: it has not");
	target_end(child);
	ok(identity_has_ended(&identity), "until all of them have");
	close(meeting_pipe[0]);
	close(meeting_pipe[1]);
}

static void test_none(void)
{
	static const uint32_t numbers[] = { 0, 0x7fffffff, 0x80000000, UINT32_MAX };
	struct identity identity;

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		ok(identity_find(numbers[i], &identity) == STATUS_INVALID_CID,
		   "row %zu: there is no process %u", i, numbers[i]);
}

static uint32_t thread_id;
static pthread_barrier_t meeting;

static void *be_thread(void *unused)
{
	thread_id = os_thread_id();
	pthread_barrier_wait(&meeting);
	pthread_barrier_wait(&meeting);
	return unused;
}

static void test_thread(void)
{
	struct identity identity;
	pthread_t thread;

	pthread_barrier_init(&meeting, NULL, 2);
	pthread_create(&thread, NULL, be_thread, NULL);
	pthread_barrier_wait(&meeting);
	ok(identity_find(thread_id, &identity) == STATUS_INVALID_CID, "a thread is no process");
	pthread_barrier_wait(&meeting);
	pthread_join(thread, NULL);
}

static int take_strange_name(void)
{
	return prctl(PR_SET_NAME, ") Z 1 (2) 3");
}

static void test_name(void)
{
	pid_t child = target_fork(take_strange_name, /* then */ NULL);
	struct identity identity;

	ok(identity_find((uint32_t)child, &identity) == STATUS_SUCCESS &&
		   identity_is_alive(&identity),
	   "a name like a line of /proc");
	target_end(child);
}

/* Root may do everything, and yet is another user. */
static int become_nobody(void)
{
	return setresuid(NOBODY, NOBODY, NOBODY);
}

static int become_half_nobody(void)
{
	return setresuid(NOBODY, (uid_t)-1, (uid_t)-1);
}

static int leave_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static int hide(void)
{
	return prctl(PR_SET_DUMPABLE, 0);
}

static const struct {
	const char *name;
	int (*become)(void);
	bool is_mutual; /* nor does it find us */
} strangers[] = {
	{ "another user's", become_nobody, true },
	{ "one that acts for two users", become_half_nobody, false },
	{ "one in another user namespace", leave_namespace, true },
};

static void test_strangers(void)
{
	for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
		pid_t child = target_fork(strangers[i].become, /* then */ NULL);
		struct identity identity;

		if (child < 0) {
			printf("ok %d - %s # SKIP the system does not let us\n", ++tap_count,
			       strangers[i].name);
			continue;
		}
		ok(identity_find((uint32_t)child, &identity) == STATUS_ACCESS_DENIED, "%s",
		   strangers[i].name);
		target_end(child);
	}
}

/* From there, this process is not to be reached. */
static void test_from_there(void)
{
	pid_t parent = getpid();

	for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
		int status = 0;
		pid_t child;

		if (!strangers[i].is_mutual)
			continue;
		fflush(stdout);
		child = fork();
		if (child == 0) {
			struct identity identity;

			if (strangers[i].become() != 0)
				_exit(77);
			_exit(identity_find((uint32_t)parent, &identity) == STATUS_ACCESS_DENIED
				      ? 0
				      : 1);
		}
		waitpid(child, &status, 0);
		ok(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77),
		   "for %s this is none of its own", strangers[i].name);
	}
}

/* Only for whom the system makes an exception. */
static void test_hidden(void)
{
	pid_t child = target_fork(hide, /* then */ NULL);
	struct identity identity;
	NTSTATUS status = identity_find((uint32_t)child, &identity);

	ok(status == (geteuid() == 0 ? STATUS_SUCCESS : STATUS_ACCESS_DENIED),
	   "one that nobody may trace");
	target_end(child);
}

int main(void)
{
	test_living();
	test_first_thread_gone();
	test_none();
	test_thread();
	test_name();
	test_strangers();
	test_from_there();
	test_hidden();
	return tap_done();
}
