/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A process that serves others, and what can happen to it and to them: it closes its descriptors,
 * forks, executes, is stopped, ends; callers say nothing, say anything, are killed; strangers come;
 * many ask at once. */

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/host.h"
#include "core/os/os_process.h"
#include "core/process/text.h"
#include "tests/unit/core/process/target.h"
#include "tests/unit/core/random.h"

#define THREADS 64
#define ROUNDS 50
#define SILENT 300
#define MESSAGES 5000
#define NOBODY 65534

/* A connection to the target, as anybody can make one; -1: there is none. */
static int connect_to(pid_t target)
{
	char name[TEXT_BYTES_MAX];
	int fd = os_socket();

	text_serving_name(name, (uint32_t)target);
	if (fd >= 0 && os_socket_connect(fd, name) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* --- The target's own doings ------------------------------------------------------------------ */

static void test_start(void)
{
	pid_t nobody_there = getpid(), target = target_start();
	struct identity own, identity = target_identity(target);
	NTSTATUS status;

	identity_of_own(&own);
	ok(!target_allocate(&own, &status) && status == STATUS_NOT_SUPPORTED,
	   "process %d does not serve", (int)nobody_there);
	ok(target_serves(&identity), "a process that was told to does");
	identity.start_ticks++;
	ok(!target_allocate(&identity, &status) && status == STATUS_PROCESS_IS_TERMINATING,
	   "another process of the same number was not meant");
	target_end(target);
}

static void close_all(void)
{
	(void)close_range(0, ~0u, 0);
}

static void test_descriptors(void)
{
	pid_t target = target_start_with(close_all);
	struct identity identity = target_identity(target);

	ok(target_serves(&identity), "without a descriptor of its own it serves");
	target_end(target);
}

/* Exits with the number of its descriptors. */
static void count_and_exit(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	_exit(count);
}

static void test_no_descriptors(void)
{
	int with = 0, without = 0;
	pid_t child;

	waitpid(target_start_with(count_and_exit), &with, 0);
	fflush(stdout);
	child = fork();
	if (child == 0)
		count_and_exit();
	waitpid(child, &without, 0);
	/* The pipe that says that it is ready has two ends. */
	ok(WIFEXITED(with) && WEXITSTATUS(with) == WEXITSTATUS(without) + 2,
	   "to serve takes none of the program's descriptors");
}

static void change_user(void)
{
	(void)!setresuid(geteuid(), geteuid(), geteuid());
}

/* The C library asks every thread to change its user, by a signal. */
static void test_set_user(void)
{
	pid_t target = target_start_with(change_user);
	struct identity identity = target_identity(target);

	ok(target_serves(&identity), "it may set its user");
	target_end(target);
}

static int child_pipe[2];

static void fork_once(void)
{
	pid_t child;

	core_fork_prepare();
	child = fork();
	if (child == 0) {
		core_fork_child();
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		child = getpid();
		if (write(child_pipe[1], &child, sizeof child) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	core_fork_parent();
}

static void test_fork(void)
{
	struct identity identity, child_identity;
	pid_t target, child = 0;
	NTSTATUS status;

	if (pipe(child_pipe))
		exit(99);
	target = target_start_with(fork_once);
	identity = target_identity(target);
	if (read(child_pipe[0], &child, sizeof child) != sizeof child)
		exit(99);
	child_identity = target_identity(child);
	ok(target_serves(&identity), "a process that has forked serves");
	ok(!target_allocate(&child_identity, &status) && status == STATUS_NOT_SUPPORTED,
	   "its child does not");
	target_end(target);
	ok(connect_to(target) < 0, "nothing of it outlives the process");
	kill(child, SIGKILL);
	close(child_pipe[0]);
	close(child_pipe[1]);
}

/* The child tells that it runs by the end of its standard output. */
static void execute(void)
{
	dup2(child_pipe[1], STDOUT_FILENO);
	close(child_pipe[0]);
	close(child_pipe[1]);
	execlp("sh", "sh", "-c", "exec >/dev/null; exec sleep 1000", (char *)NULL);
	_exit(127);
}

static void test_exec(void)
{
	struct identity identity;
	NTSTATUS status;
	pid_t target;
	char byte;

	if (pipe(child_pipe))
		exit(99);
	target = target_start_with(execute);
	identity = target_identity(target);
	close(child_pipe[1]);
	(void)!read(child_pipe[0], &byte, 1);
	ok(!target_allocate(&identity, &status) && status == STATUS_NOT_SUPPORTED,
	   "another program in the same process does not serve");
	target_end(target);
	close(child_pipe[0]);
}

static void test_end(void)
{
	pid_t target = target_start();
	struct identity identity = target_identity(target);
	NTSTATUS status;

	kill(target, SIGKILL);
	waitid(P_PID, (id_t)target, NULL, WEXITED | WNOWAIT);
	ok(!target_allocate(&identity, &status) && status == STATUS_PROCESS_IS_TERMINATING,
	   "a process that has ended");
	target_end(target);
	ok(!target_allocate(&identity, &status) && status == STATUS_PROCESS_IS_TERMINATING,
	   "and has been waited for");
}

/* A stopped target answers nobody; what was asked meanwhile is never done. */
static void test_stopped(void)
{
	pid_t target = target_start();
	struct identity identity = target_identity(target);
	NTSTATUS status = STATUS_SUCCESS, first;
	void *before = target_allocate(&identity, &first), *after;

	target_release(&identity, before);
	kill(target, SIGSTOP);
	waitpid(target, NULL, WUNTRACED);
	caller_patience_ms = 100;
	ok(!target_allocate(&identity, &status) && status == STATUS_IO_TIMEOUT,
	   "a process that is stopped");
	caller_patience_ms = PROTOCOL_PATIENCE_MS;
	kill(target, SIGCONT);
	after = target_allocate(&identity, &status);
	ok(after != NULL, "goes on");
	ok(after == before, "and has not done what nobody waits for");
	target_end(target);
}

/* --- Callers ---------------------------------------------------------------------------------- */

static atomic_int failures;
static struct identity shared;

static void *call_often(void *unused)
{
	for (int round = 0; round < ROUNDS; round++)
		if (!target_serves(&shared))
			atomic_fetch_add(&failures, 1);
	return unused;
}

static void test_threads(void)
{
	pid_t target = target_start();
	pthread_t threads[THREADS];

	shared = target_identity(target);
	failures = 0;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, call_often, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ok(failures == 0, "%d threads ask %d times", THREADS, ROUNDS);
	target_end(target);
}

/* The target ends while all ask: each is told, and comes back. */
static void *call_until_end(void *unused)
{
	NTSTATUS status;
	void *base;

	do {
		base = target_allocate(&shared, &status);
		if (base)
			status = target_release(&shared, base);
	} while (status_is_success(status));
	if (status != STATUS_PROCESS_IS_TERMINATING && status != STATUS_ACCESS_DENIED &&
	    status != STATUS_NOT_SUPPORTED)
		atomic_fetch_add(&failures, 1);
	return unused;
}

static void test_end_in_calls(void)
{
	pid_t target = target_start();
	pthread_t threads[THREADS];

	shared = target_identity(target);
	failures = 0;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, call_until_end, NULL);
	usleep(20000);
	target_end(target);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ok(failures == 0, "a process ends while %d threads ask", THREADS);
}

static void test_killed_callers(void)
{
	pid_t target = target_start();
	int before = tap_failures;

	shared = target_identity(target);
	for (int i = 0; i < 40; i++) {
		pid_t caller;

		fflush(stdout);
		caller = fork();
		if (caller == 0) {
			for (;;)
				(void)target_serves(&shared);
		}
		usleep(1000 + (useconds_t)i * 100);
		target_end(caller);
	}
	ok(target_serves(&shared) && before == tap_failures,
	   "callers that are killed leave nothing");
	target_end(target);
}

static void test_silence(void)
{
	pid_t target = target_start();
	struct identity identity = target_identity(target);
	int fds[SILENT], answered = 0;

	for (int i = 0; i < SILENT; i++)
		fds[i] = connect_to(target);
	for (int i = 0; i < 10; i++)
		answered += target_serves(&identity);
	ok(answered == 10, "%d who say nothing keep nobody waiting", SILENT);
	for (int i = 0; i < SILENT; i++)
		close(fds[i]);
	target_end(target);
}

/* Bytes that cannot be a right request: the mark is never there. */
static void test_noise(void)
{
	pid_t target = target_start();
	struct identity identity = target_identity(target);
	unsigned char message[4096];
	int unanswered = 0;

	random_start();
	for (int i = 0; i < MESSAGES; i++) {
		size_t size = 1 + random_below(i % 100 ? 120 : sizeof message);
		struct protocol_reply reply = { .mark = 0 };
		struct pollfd poll_fd = { .fd = connect_to(target), .events = POLLIN };

		for (size_t byte = 0; byte < size; byte++)
			message[byte] = (unsigned char)random_next();
		message[0] = 0;
		os_socket_send(poll_fd.fd, message, size);
		(void)os_poll(&poll_fd, 1, PROTOCOL_PATIENCE_MS);
		os_socket_receive(poll_fd.fd, &reply, sizeof reply);
		unanswered += reply.mark != PROTOCOL_REPLY_MARK ||
			      reply.status != STATUS_INVALID_PARAMETER;
		close(poll_fd.fd);
	}
	ok(unanswered == 0, "%d messages of anything are refused", MESSAGES);
	ok(target_serves(&identity), "and then it serves");
	target_end(target);
}

/* --- Strangers -------------------------------------------------------------------------------- */

static int become_nobody(void)
{
	return setresuid(NOBODY, NOBODY, NOBODY);
}

static int leave_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

/* 0: the connection was closed without an answer to a right request. */
static int ask_as_stranger(pid_t target, int (*become)(void))
{
	struct protocol_request request = {
		.mark = PROTOCOL_REQUEST_MARK,
		.operation = PROTOCOL_QUERY,
		.api = API_VirtualQueryEx,
	};
	struct protocol_reply reply;
	struct pollfd poll_fd = { .events = POLLIN };

	if (become() != 0)
		return 77;
	poll_fd.fd = connect_to(target);
	if (poll_fd.fd < 0)
		return 1;
	(void)os_socket_send(poll_fd.fd, &request, sizeof request);
	if (os_poll(&poll_fd, 1, PROTOCOL_PATIENCE_MS) != 1)
		return 2;
	return os_socket_receive(poll_fd.fd, &reply, sizeof reply) > 0 ? 3 : 0;
}

static void test_strangers(void)
{
	static const struct {
		const char *name;
		int (*become)(void);
	} strangers[] = {
		{ "another user", become_nobody },
		{ "the user of another user namespace", leave_namespace },
	};
	pid_t target = target_start();

	for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
		int status = 0;
		pid_t stranger;

		fflush(stdout);
		stranger = fork();
		if (stranger == 0)
			_exit(ask_as_stranger(target, strangers[i].become));
		waitpid(stranger, &status, 0);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
			printf("ok %d - %s # SKIP the system does not let us\n", ++tap_count,
			       strangers[i].name);
		else
			ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s is turned away (%d)",
			   strangers[i].name, WEXITSTATUS(status));
	}
	target_end(target);
}

/* Somebody has the target's name: nobody asks him, and the target cannot serve. */
static void wait_for_end(void)
{
	char byte;

	while (read(child_pipe[0], &byte, 1) > 0)
		;
	_exit(agent_start() == STATUS_OBJECT_NAME_COLLISION ? 0 : 1);
}

static void test_name_taken(void)
{
	char name[TEXT_BYTES_MAX];
	struct identity identity;
	int fd = os_socket(), status = 0;
	NTSTATUS asked;
	pid_t child;

	if (pipe(child_pipe))
		exit(99);
	fflush(stdout);
	child = fork();
	if (child == 0) {
		close(child_pipe[1]);
		wait_for_end();
	}
	close(child_pipe[0]);
	identity = target_identity(child);
	text_serving_name(name, (uint32_t)child);
	ok(os_socket_bind(fd, name) == 0 && os_socket_listen(fd, 1) == 0, "a name is taken");
	ok(!target_allocate(&identity, &asked) && asked == STATUS_ACCESS_DENIED,
	   "who has it is not asked");
	close(child_pipe[1]);
	waitpid(child, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "who should have it is told");
	close(fd);
}

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	test_start();
	test_descriptors();
	test_no_descriptors();
	test_set_user();
	test_fork();
	test_exec();
	test_end();
	test_stopped();
	test_threads();
	test_end_in_calls();
	test_killed_callers();
	test_silence();
	test_noise();
	test_strangers();
	test_name_taken();
	return tap_done();
}
