/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Starts the program, waits for it, passes signals on.
 *
 *   parent                         child
 *   fork ------------------------> reads the go pipe
 *   makes the session for its pid  .
 *   writes a word ---------------> executes; the report pipe closes itself, or carries errno
 *
 * When the parent dies first, the go pipe ends and the child leaves. All signals that matter are
 * blocked here and taken by sigtimedwait: no handler, no race. The child stays in our process
 * group, so a terminal's signals reach it without us. */

#include "tools/record/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const int passed_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };

enum { PASSED_COUNT = sizeof(passed_signals) / sizeof(passed_signals[0]) };

static sigset_t original_mask;
static int kept_signal; /* is not passed on */
static bool is_called;

static void fill_signals(sigset_t *signals)
{
	sigemptyset(signals);
	for (int i = 0; i < PASSED_COUNT; i++)
		sigaddset(signals, passed_signals[i]);
}

void launch_fill_descriptors(void)
{
	for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++)
		if (fcntl(file, F_GETFD) < 0)
			open("/dev/null", O_RDWR | O_CLOEXEC);
}

/* What a write of ours may raise would end us before the session is removed: then the write fails
 * instead. An ignored SIGCHLD would reap the child and lose its status. */
void launch_block_signals(void)
{
	sigset_t signals;

	signal(SIGCHLD, SIG_DFL);
	fill_signals(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGPIPE);
	sigaddset(&signals, SIGTTOU);
	sigaddset(&signals, SIGXFSZ);
	sigprocmask(SIG_BLOCK, &signals, &original_mask);
}

/* The child. */

static ssize_t read_retry(int file, void *data, size_t size)
{
	ssize_t length;

	do
		length = read(file, data, size);
	while (length < 0 && errno == EINTR);
	return length;
}

_Noreturn static void run_child(int go, int report, launch_execute *execute, void *context)
{
	char word[PATH_MAX];
	ssize_t length = read_retry(go, word, sizeof(word));
	int error;

	if (length <= 0)
		_exit(0);
	sigprocmask(SIG_SETMASK, &original_mask, NULL);
	error = execute(word, context);
	while (write(report, &error, sizeof(error)) < 0 && errno == EINTR)
		continue;
	_exit(0);
}

/* The parent. */

static void close_both(const int ends[2])
{
	close(ends[0]);
	close(ends[1]);
}

static int fork_child(struct launch *launch, const int go[2], const int report[2],
		      launch_execute *execute, void *context)
{
	launch->pid = fork();
	if (launch->pid < 0)
		return -errno;
	if (launch->pid == 0) {
		close(go[1]);
		close(report[0]);
		run_child(go[0], report[1], execute, context);
	}
	close(go[0]);
	close(report[1]);
	launch->go = go[1];
	launch->report = report[0];
	return 0;
}

int launch_hold(struct launch *launch, launch_execute *execute, void *context)
{
	int go[2], report[2], status;

	if (pipe2(go, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(report, O_CLOEXEC) < 0) {
		status = -errno;
		close_both(go);
		return status;
	}
	status = fork_child(launch, go, report, execute, context);
	if (status) {
		close_both(go);
		close_both(report);
	}
	return status;
}

static void reap(struct launch *launch)
{
	while (waitpid(launch->pid, &launch->wait_status, 0) < 0 && errno == EINTR)
		continue;
}

int launch_release(struct launch *launch, const char *word)
{
	int error = 0;

	if (write(launch->go, word, strlen(word) + 1) < 0)
		error = errno;
	close(launch->go);
	launch->go = -1;
	if (!error && read_retry(launch->report, &error, sizeof(error)) != sizeof(error))
		error = 0;
	close(launch->report);
	if (error)
		reap(launch);
	return error;
}

void launch_cancel(struct launch *launch)
{
	close(launch->go);
	close(launch->report);
	launch->go = -1;
	reap(launch);
}

void launch_keep_signal(int signal_number)
{
	kept_signal = signal_number;
}

bool launch_is_called(void)
{
	bool was_called = is_called;

	is_called = false;
	return was_called;
}

/* What the kernel sent, the terminal sent to the whole group. */
static void pass_on(const struct launch *launch, const siginfo_t *info)
{
	if (info->si_signo == kept_signal)
		is_called = true;
	else if (info->si_code != SI_KERNEL)
		kill(launch->pid, info->si_signo);
}

static void take_signals(const struct launch *launch, const struct timespec *wait)
{
	static const struct timespec no_wait;
	sigset_t signals;
	siginfo_t info;

	fill_signals(&signals);
	sigaddset(&signals, SIGCHLD);
	while (sigtimedwait(&signals, &info, wait) > 0) {
		if (info.si_signo != SIGCHLD)
			pass_on(launch, &info);
		wait = &no_wait;
	}
}

/* The filters of system calls that a process has made or inherited; 0 where nobody says. */
static int count_filters(pid_t pid)
{
	char path[32], line[128];
	int count = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file) && !sscanf(line, "Seccomp_filters: %d", &count))
		continue;
	fclose(file);
	return count;
}

/* What came together with the end is dealt with: only later signals ask us to hurry. */
static bool has_ended(struct launch *launch)
{
	siginfo_t info = { .si_pid = 0 };

	if (waitid(P_PID, (id_t)launch->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	    !info.si_pid)
		return false;
	launch->has_filter = count_filters(launch->pid) > count_filters(getpid());
	reap(launch);
	while (launch_is_interrupted())
		continue;
	return true;
}

bool launch_step(struct launch *launch, int milliseconds)
{
	struct timespec wait = { .tv_sec = milliseconds / 1000,
				 .tv_nsec = milliseconds % 1000 * 1000000L };

	if (has_ended(launch))
		return true;
	take_signals(launch, &wait);
	return has_ended(launch);
}

bool launch_is_interrupted(void)
{
	static const struct timespec no_wait;
	sigset_t signals;

	fill_signals(&signals);
	return sigtimedwait(&signals, NULL, &no_wait) > 0;
}
