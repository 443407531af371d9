/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Finds, starts and stops lttng-sessiond.
 *
 * One daemon serves a user, so recordings that overlap share it. Whoever leaves last stops it, if
 * any vadtrace started it (its environment has DAEMON_MARK) and nobody's session is left. A lock on
 * the folder above the daemon's own orders coming and going, and leaves no file behind.
 *
 * A recording that was killed leaves its session; the next one removes it. */

#include "tools/record/daemon.h"

#include "tools/lib/cli.h"
#include "tools/record/control.h"
#include "tools/record/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <lttng/lttng.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	ANSWER_SECONDS = 10,
	START_SECONDS = 30,
	STOP_SECONDS = 15,
	LOCK_SECONDS = 30,
	TICK_MS = 20,
	TICKS_A_SECOND = 1000 / TICK_MS,
	REASON_BYTES_MAX = 400,
};

static void sleep_tick(void)
{
	struct timespec tick = { .tv_nsec = TICK_MS * 1000000L };

	nanosleep(&tick, NULL);
}

/* Places. */

static const char *home(void)
{
	const char *folder = getenv("LTTNG_HOME");

	return folder && *folder ? folder : getenv("HOME");
}

static bool join(char path[PATH_MAX], const char *folder, const char *name)
{
	return (size_t)snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX;
}

#define ROOT_RUN_FOLDER "/run/lttng"

/* Where the daemon that serves us keeps its sockets. As liblttng-ctl: root's, if we may. */
static bool find_run_folder(char path[PATH_MAX])
{
	if (getuid() == 0 || access(ROOT_RUN_FOLDER "/client-lttng-sessiond", W_OK) == 0)
		return snprintf(path, PATH_MAX, ROOT_RUN_FOLDER) > 0;
	return home() && join(path, home(), ".lttng");
}

bool daemon_find_program(char path[PATH_MAX])
{
	const char *chosen = getenv("LTTNG_SESSIOND_PATH");
	const char *folder = getenv("PATH");

	if (chosen && *chosen)
		return (size_t)snprintf(path, PATH_MAX, "%s", chosen) < PATH_MAX &&
		       access(path, X_OK) == 0;
	for (folder = folder ? folder : "/usr/bin:/bin"; *folder;) {
		size_t length = strcspn(folder, ":");

		snprintf(path, PATH_MAX, "%.*s/lttng-sessiond", (int)length, folder);
		if (length && access(path, X_OK) == 0)
			return true;
		folder += length + (folder[length] == ':');
	}
	return false;
}

/* Which process. */

static pid_t read_pid(void)
{
	char folder[PATH_MAX], path[PATH_MAX], text[32];
	FILE *file;
	long pid = 0;

	if (!find_run_folder(folder) || !join(path, folder, "lttng-sessiond.pid"))
		return 0;
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fgets(text, sizeof(text), file))
		pid = strtol(text, NULL, 10);
	fclose(file);
	return pid > 1 ? (pid_t)pid : 0;
}

/* The name, state and parent of a process, from "PID (NAME) STATE PPID ...".
 *  - a name that holds ')' is cut there: not one of those we look for. */
struct process {
	char name[32];
	char state;
	int parent;
};

static bool read_process(struct process *process, pid_t pid)
{
	char path[64];
	FILE *file;
	int count;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	count = fscanf(file, "%*d (%31[^)]) %c %d", process->name, &process->state,
		       &process->parent);
	fclose(file);
	return count == 3;
}

/* The file may be older than the process of that number. */
static bool is_session_daemon(pid_t pid)
{
	struct process process;

	return read_process(&process, pid) && !strchr("ZX", process.state) &&
	       !strncmp(process.name, "lttng-sessiond", 14);
}

pid_t daemon_pid(void)
{
	pid_t pid = read_pid();

	return pid && is_session_daemon(pid) ? pid : 0;
}

static bool has_mark(pid_t pid)
{
	char path[64], *word = NULL;
	size_t size = 0;
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && getdelim(&word, &size, '\0', file) > 0)
		found = !strncmp(word, DAEMON_MARK "=", sizeof(DAEMON_MARK));
	free(word);
	fclose(file);
	return found;
}

static bool is_consumer_of(pid_t pid, pid_t parent)
{
	struct process process;

	return read_process(&process, pid) && process.parent == parent &&
	       !strncmp(process.name, "lttng-consumerd", 15);
}

bool daemon_is_alive(pid_t pid)
{
	struct process process;

	return !pid || (read_process(&process, pid) && !strchr("ZX", process.state));
}

pid_t daemon_consumer_pid(void)
{
	pid_t daemon = daemon_pid(), consumer = 0;
	DIR *stream = daemon ? opendir("/proc") : NULL;
	struct dirent *entry;

	while (stream && !consumer && (entry = readdir(stream))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid > 0 && is_consumer_of(pid, daemon))
			consumer = pid;
	}
	if (stream)
		closedir(stream);
	return consumer;
}

static bool is_ours(void)
{
	pid_t pid = daemon_pid();

	return pid && has_mark(pid);
}

/* Questions. */

/* The last list of sessions.
 *  - count is a number of rows or an error code of LTTng's (negative);
 *  - static, since a request that never ends may still write to it. */
static struct {
	struct lttng_session *rows;
	int count;
} sessions;

static int request_list(void *unused)
{
	(void)unused;
	sessions.count = lttng_list_sessions(&sessions.rows);
	return sessions.count;
}

static int list_sessions(void)
{
	free(sessions.rows);
	sessions.rows = NULL;
	return control_request(request_list, NULL, ANSWER_SECONDS);
}

enum daemon_state daemon_probe(void)
{
	int count = list_sessions();

	if (count >= 0)
		return DAEMON_ANSWERS;
	if (count == CONTROL_SILENT)
		return DAEMON_SILENT;
	return count == -LTTNG_ERR_NO_SESSIOND ? DAEMON_ABSENT : DAEMON_REFUSES;
}

/* The lock. */

int daemon_lock(void)
{
	const char *place = getuid() == 0 ? "/run" : home();
	int lock = place ? open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (lock < 0)
		return -1;
	for (int tick = 0; tick < LOCK_SECONDS * TICKS_A_SECOND; tick++) {
		if (flock(lock, LOCK_EX | LOCK_NB) == 0)
			return lock;
		sleep_tick();
	}
	close(lock);
	return -1;
}

void daemon_unlock(int lock)
{
	if (lock >= 0)
		close(lock);
}

/* Starting. */

/* The user's limits are meant for his program: the daemon goes as far as it may. */
static void raise_limits(void)
{
	static const int limits[] = { RLIMIT_NOFILE, RLIMIT_FSIZE, RLIMIT_AS, RLIMIT_DATA,
				      RLIMIT_CPU };

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rlimit limit;

		if (getrlimit(limits[i], &limit))
			continue;
		limit.rlim_cur = limit.rlim_max;
		setrlimit(limits[i], &limit);
	}
}

/* A session of its own, so that no terminal's signals reach it. Nothing is preloaded: a daemon that
 * is itself traced waits for itself. */
_Noreturn static void run_daemon(const char *program, int messages)
{
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	raise_limits();
	dup2(null, STDIN_FILENO);
	dup2(messages, STDOUT_FILENO);
	dup2(messages, STDERR_FILENO);
	unsetenv("LD_PRELOAD");
	setenv(DAEMON_MARK, "1", /* overwrite */ 1);
	execl(program, "lttng-sessiond", "--daemonize", "--no-kernel", (char *)NULL);
	_exit(127);
}

/* The status of waitpid, or -1 when it took too long. */
static int wait_for(pid_t pid)
{
	int status;

	for (int tick = 0; tick < START_SECONDS * TICKS_A_SECOND; tick++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		sleep_tick();
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

static void fail_start(int messages)
{
	char reason[REASON_BYTES_MAX] = "";
	ssize_t length = pread(messages, reason, sizeof(reason) - 1, 0);

	while (length > 0 && reason[length - 1] == '\n')
		reason[--length] = '\0';
	if (length > 0)
		cli_error("the session daemon cannot be started: %s", reason);
	else
		cli_error("the session daemon cannot be started");
	if (getuid() != 0 && (!home() || access(home(), W_OK) != 0))
		cli_hint("set LTTNG_HOME to a folder that you may write to: LTTng keeps its "
			 "sockets there");
	else
		cli_hint("try it by hand: lttng-sessiond --no-kernel; vadtrace doctor looks at the "
			 "rest");
}

static bool start(void)
{
	char program[PATH_MAX];
	int messages, status;
	pid_t pid;

	if (!daemon_find_program(program)) {
		cli_error("no session daemon runs and lttng-sessiond is not installed");
		cli_hint("on Debian: apt-get install lttng-tools");
		return false;
	}
	messages = memfd_create("lttng-sessiond", MFD_CLOEXEC);
	pid = fork();
	if (pid == 0)
		run_daemon(program, messages);
	status = pid > 0 ? wait_for(pid) : -1;
	if (status)
		fail_start(messages);
	close(messages);
	return status == 0;
}

/* A process id may serve another program by now. */
static bool is_recorder_gone(pid_t pid)
{
	struct process process;

	return !read_process(&process, pid) || !strstr(process.name, "vadtrace");
}

/* Whether the name is of a recording that was killed. */
static bool is_stale(const char *session)
{
	long pid = 0;

	return sscanf(session, DAEMON_SESSION_PREFIX "%ld-", &pid) == 1 && pid > 0 &&
	       is_recorder_gone((pid_t)pid);
}

/* Sessions of recordings that were killed, and their buffers. */
static int request_remove_stale(void *unused)
{
	(void)unused;
	for (int i = 0; i < sessions.count; i++)
		if (is_stale(sessions.rows[i].name))
			lttng_destroy_session_no_wait(sessions.rows[i].name);
	memory_remove_stale(is_stale);
	return 0;
}

static bool fail_state(enum daemon_state state)
{
	pid_t pid = daemon_pid();

	if (state == DAEMON_SILENT) {
		cli_error("the session daemon does not answer (process %d)", (int)pid);
		cli_hint("it may be stopped or hang: end it (kill %d) and try again", (int)pid);
	} else {
		cli_error("the session daemon refuses: %s", lttng_strerror(sessions.count));
		cli_hint("members of the group 'tracing' may use root's daemon");
	}
	return false;
}

bool daemon_ensure(bool *is_started)
{
	enum daemon_state state = daemon_probe();

	*is_started = state == DAEMON_ABSENT;
	if (state == DAEMON_ABSENT) {
		if (!start())
			return false;
		state = daemon_probe();
	}
	if (state != DAEMON_ANSWERS)
		return fail_state(state);
	/* A daemon that others started may serve processes that we do not see. */
	if (is_ours())
		control_request(request_remove_stale, NULL, ANSWER_SECONDS);
	return true;
}

/* Stopping. */

static bool has_ended(pid_t pid)
{
	for (int tick = 0; tick < STOP_SECONDS * TICKS_A_SECOND; tick++) {
		if (!daemon_is_alive(pid))
			return true;
		sleep_tick();
	}
	return false;
}

/* It began a process group of its own, which its consumers are in. */
static void stop(pid_t pid)
{
	kill(pid, SIGTERM);
	if (has_ended(pid))
		return;
	if (getpgid(pid) == pid)
		kill(-pid, SIGKILL);
	else
		kill(pid, SIGKILL);
	has_ended(pid);
}

/* A silent daemon may have sessions of others: it stays, and the user was told. */
void daemon_release(void)
{
	pid_t pid = daemon_pid();
	int count;

	if (!pid || !has_mark(pid))
		return;
	count = list_sessions();
	if (count > 0) {
		control_request(request_remove_stale, NULL, ANSWER_SECONDS);
		count = list_sessions();
	}
	if (count == 0)
		stop(pid);
}
