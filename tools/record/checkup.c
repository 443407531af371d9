/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One function for each row of the table; each looks, and changes nothing. Limits are those that
 * recording itself applies (room.h, target.h). */

#include "tools/record/checkup.h"

#include "tools/lib/cli.h"
#include "tools/record/clock.h"
#include "tools/record/daemon.h"
#include "tools/record/environment.h"
#include "tools/record/folder.h"
#include "tools/record/guard_markers.h"
#include "tools/record/room.h"
#include "tools/record/write_watch.h"

#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

/* Below these a program with many threads may meet the limit because of us. */
enum { FILES_MIN = 256, MAPS_MIN = 65530 };

__attribute__((format(printf, 5, 6))) static void add(struct checkup *checkup, const char *name,
						      enum checkup_level level, const char *advice,
						      const char *format, ...)
{
	struct checkup_row *row = &checkup->rows[checkup->count];
	va_list arguments;

	if (checkup->count == CHECKUP_ROWS_MAX)
		return;
	checkup->count++;
	row->name = name;
	row->level = level;
	snprintf(row->advice, sizeof(row->advice), "%s", advice);
	va_start(arguments, format);
	vsnprintf(row->text, sizeof(row->text), format, arguments);
	va_end(arguments);
}

/* The machine. */

static void check_kernel(struct checkup *checkup)
{
	struct utsname machine;
	bool is_supported;

	uname(&machine);
	is_supported = !strcmp(machine.sysname, "Linux") && !strcmp(machine.machine, "x86_64");
	add(checkup, "kernel", is_supported ? CHECKUP_OK : CHECKUP_FAIL,
	    is_supported ? "" : "vadtrace runs on 64-bit Linux on x86-64 processors", "%s %s %s",
	    machine.sysname, machine.release, machine.machine);
}

static void check_daemon_program(struct checkup *checkup)
{
	char path[PATH_MAX];

	if (daemon_find_program(path))
		add(checkup, "lttng-sessiond", CHECKUP_OK, "", "%s", path);
	else
		add(checkup, "lttng-sessiond", CHECKUP_FAIL,
		    "install it; on Debian: apt-get install lttng-tools", "not installed");
}

static void check_daemon(struct checkup *checkup)
{
	static const char name[] = "session daemon";
	int pid;

	switch (daemon_probe()) {
	case DAEMON_ABSENT:
		add(checkup, name, CHECKUP_OK, "", "none runs; recording starts and stops its own");
		break;
	case DAEMON_ANSWERS:
		add(checkup, name, CHECKUP_OK, "", "runs and answers (process %d)",
		    (int)daemon_pid());
		break;
	case DAEMON_SILENT:
		pid = (int)daemon_pid();
		add(checkup, name, CHECKUP_FAIL,
		    "it may be stopped or hang: end it with kill, and recording starts its own",
		    "runs but does not answer (process %d)", pid);
		break;
	case DAEMON_REFUSES:
		add(checkup, name, CHECKUP_FAIL, "join the group 'tracing', or end the daemon",
		    "refuses to serve us");
		break;
	}
}

static bool is_member(gid_t wanted)
{
	gid_t groups[1024];
	int count = getgroups(1024, groups);

	for (int i = 0; i < count; i++)
		if (groups[i] == wanted)
			return true;
	return getegid() == wanted;
}

/* Members use root's daemon; all others have one of their own, which is as good for us. */
static void check_group(struct checkup *checkup)
{
	const struct group *group = getgrnam("tracing");

	if (getuid() == 0)
		add(checkup, "user", CHECKUP_OK, "", "root");
	else if (group && is_member(group->gr_gid))
		add(checkup, "user", CHECKUP_OK, "", "member of the group 'tracing'");
	else
		add(checkup, "user", CHECKUP_OK, "",
		    "not in the group 'tracing': uses a session daemon of its own");
}

static void check_home(struct checkup *checkup)
{
	const char *home = getenv("LTTNG_HOME");

	if (getuid() == 0)
		return;
	if (!home || !*home)
		home = getenv("HOME");
	if (home && access(home, W_OK) == 0)
		add(checkup, "home folder", CHECKUP_OK, "", "%s", home);
	else
		add(checkup, "home folder", CHECKUP_FAIL,
		    "set LTTNG_HOME to a folder that you may write to: LTTng keeps its sockets "
		    "there",
		    "%s cannot be written", home ? home : "(none)");
}

/* Runs this program's --version with the object preloaded, since the loader says what it lacks. */
_Noreturn static void run_preloaded(const char *library, int messages)
{
	dup2(messages, STDOUT_FILENO);
	dup2(messages, STDERR_FILENO);
	setenv("LD_PRELOAD", library, /* overwrite */ 1);
	execl("/proc/self/exe", "vadtrace", "--version", (char *)NULL);
	_exit(127);
}

/* True when the first word out of it was ours and it ended well. */
static bool is_loadable(const char *library, char message[TARGET_TEXT_MAX])
{
	int messages = memfd_create("doctor", MFD_CLOEXEC), status = -1;
	ssize_t length;
	pid_t pid = fork();

	if (pid == 0)
		run_preloaded(library, messages);
	if (pid > 0)
		waitpid(pid, &status, 0);
	length = pread(messages, message, TARGET_TEXT_MAX - 1, 0);
	close(messages);
	message[length > 0 ? length : 0] = '\0';
	message[strcspn(message, "\n")] = '\0';
	return status == 0 && !strncmp(message, "vadtrace ", 9);
}

static void check_object(struct checkup *checkup, const char *name, const char *path)
{
	char message[TARGET_TEXT_MAX];

	if (is_loadable(path, message))
		add(checkup, name, CHECKUP_OK, "", "%s loads", path);
	else
		add(checkup, name, CHECKUP_FAIL, "rebuild or reinstall it",
		    "%s cannot be loaded: %.1000s", path, message);
}

/* What the library loads to record. Preloaded itself, it does nothing but show that it can be. */
static void check_recorder(struct checkup *checkup, const char *library)
{
	char path[PATH_MAX];

	if (environment_find_recorder(path, library))
		check_object(checkup, "libvadtrace-record.so", path);
	else
		add(checkup, "libvadtrace-record.so", CHECKUP_FAIL,
		    "run make install: it belongs beside libvadtrace.so", "%s cannot be read",
		    path);
}

static void check_library(struct checkup *checkup)
{
	char path[PATH_MAX];

	if (!environment_search_library(path, NULL)) {
		add(checkup, "libvadtrace.so", CHECKUP_FAIL,
		    "run make install, or set VADTRACE_LIBRARY to its path", "not found");
	} else if (strpbrk(path, " :$")) {
		add(checkup, "libvadtrace.so", CHECKUP_FAIL,
		    "install or link it elsewhere and set VADTRACE_LIBRARY",
		    "%s: LD_PRELOAD takes no spaces, colons or dollars", path);
	} else {
		check_object(checkup, "libvadtrace.so", path);
		check_recorder(checkup, path);
	}
}

static void check_shared_memory(struct checkup *checkup)
{
	uint64_t free_bytes = folder_free_bytes(ROOM_SHARED_MEMORY);
	uint64_t wanted = room_buffers_bytes(OPTIONS_BUFFER_BYTES_DEFAULT) / 8 * 9;
	uint64_t least = room_buffers_bytes(OPTIONS_BUFFER_BYTES_MIN) / 8 * 9;
	char available[16], needed[16];
	enum checkup_level level = free_bytes >= wanted  ? CHECKUP_OK
				   : free_bytes >= least ? CHECKUP_WARN
							 : CHECKUP_FAIL;

	add(checkup, ROOM_SHARED_MEMORY, level,
	    level ? "make it larger: mount -o remount,size=1G " ROOM_SHARED_MEMORY
		    ", or docker run --shm-size=1g"
		  : "",
	    "%s free; the buffers take %s%s", cli_format_bytes(free_bytes, available),
	    cli_format_bytes(wanted, needed), level == CHECKUP_WARN ? " and will be smaller" : "");
}

static void check_disk(struct checkup *checkup)
{
	uint64_t free_bytes = folder_free_bytes(".");
	bool is_writable = access(".", W_OK) == 0;
	bool is_enough = free_bytes >= ROOM_DISK_BYTES_MIN;
	char available[16];

	cli_format_bytes(free_bytes, available);
	if (!is_writable)
		add(checkup, "this folder", CHECKUP_WARN, "name another one with -o",
		    "cannot be written");
	else
		add(checkup, "this folder", is_enough ? CHECKUP_OK : CHECKUP_FAIL,
		    is_enough ? "" : "free some space, or name a folder on another disk with -o",
		    "%s free", available);
}

static void check_limit(struct checkup *checkup, const char *name, int which, rlim_t least,
			const char *advice)
{
	struct rlimit limit;

	if (getrlimit(which, &limit) < 0)
		return;
	if (limit.rlim_cur == RLIM_INFINITY)
		add(checkup, name, CHECKUP_OK, "", "unlimited");
	else
		add(checkup, name, limit.rlim_cur >= least ? CHECKUP_OK : CHECKUP_WARN,
		    limit.rlim_cur >= least ? "" : advice, "%" PRIu64, (uint64_t)limit.rlim_cur);
}

static void check_limits(struct checkup *checkup)
{
	check_limit(checkup, "open files", RLIMIT_NOFILE, FILES_MIN, "ulimit -n 1024");
	check_limit(checkup, "address space", RLIMIT_AS, RLIM_INFINITY,
		    "the buffers and the tracer's own memory count, too: ulimit -v unlimited");
	check_limit(checkup, "file size", RLIMIT_FSIZE, RLIM_INFINITY,
		    "a trace may grow beyond it: ulimit -f unlimited");
}

/* Each event is stamped. */
static void check_clock(struct checkup *checkup)
{
	struct manifest_clock clock;
	bool is_slow;

	clock_calibrate(&clock);
	is_slow = clock_is_slow(&clock);
	add(checkup, "clock", is_slow ? CHECKUP_WARN : CHECKUP_OK,
	    is_slow ? "each event pays for it: boot with clocksource=tsc if the machine has one "
		      "that can be trusted"
		    : "",
	    "%s%s%" PRIu64 " ns a reading", clock.source, *clock.source ? ", " : "",
	    clock.reading_ns);
}

static void check_maps(struct checkup *checkup)
{
	FILE *file = fopen("/proc/sys/vm/max_map_count", "re");
	int count = 0;

	if (!file)
		return;
	if (fscanf(file, "%d", &count) != 1)
		count = 0;
	fclose(file);
	add(checkup, "vm.max_map_count", count >= MAPS_MIN ? CHECKUP_OK : CHECKUP_WARN,
	    count >= MAPS_MIN ? ""
			      : "programs with much memory may meet it: sysctl -w "
				"vm.max_map_count=262144",
	    "%d", count);
}

/* For native programs that link libvadcore: nothing that recording needs. */
static void check_write_watch(struct checkup *checkup)
{
	add(checkup, "write watch", CHECKUP_OK, "",
	    write_watch_is_by_kernel() ? "by the kernel's account of written pages"
				       : "by page protection (the kernel has no account of written "
					 "pages, or keeps it to itself); ioctl, io_uring and bare "
					 "system calls answer EFAULT for pages not written yet");
}

/* The same: for programs that link libvadcore. */
static void check_guard_markers(struct checkup *checkup)
{
	add(checkup, "small regions", CHECKUP_OK, "",
	    guard_markers_work()
		    ? "parked without a lock when released, behind the kernel's guard markers"
		    : "parked without a lock when released, by page protection (the kernel has no "
		      "guard markers)");
}

void checkup_machine(struct checkup *checkup)
{
	check_kernel(checkup);
	check_library(checkup);
	check_daemon_program(checkup);
	check_daemon(checkup);
	check_group(checkup);
	check_home(checkup);
	check_shared_memory(checkup);
	check_disk(checkup);
	check_limits(checkup);
	check_clock(checkup);
	check_maps(checkup);
	check_write_watch(checkup);
	check_guard_markers(checkup);
}

/* The program. */

static void check_note(struct checkup *checkup, const struct target *target, enum target_note note)
{
	bool is_harmless = note & TARGET_NOTES_HARMLESS;

	add(checkup, "note", is_harmless ? CHECKUP_OK : CHECKUP_WARN, "", "'%s' %s",
	    is_harmless ? target->path : target->image, target_note_text(note));
}

static void check_notes(struct checkup *checkup, const struct target *target)
{
	for (unsigned note = 1; note <= target->notes; note <<= 1)
		if (target->notes & note)
			check_note(checkup, target, note);
}

void checkup_program(struct checkup *checkup, const char *command)
{
	static struct target target;
	char problem[TARGET_TEXT_MAX], advice[TARGET_TEXT_MAX];

	target_examine(&target, command);
	target_explain(&target, problem, advice);
	add(checkup, "program", target.problem ? CHECKUP_FAIL : CHECKUP_OK, advice, "%s", problem);
	if (*target.loader && !target.problem)
		add(checkup, "loader", CHECKUP_OK, "", "%s", target.loader);
	check_notes(checkup, &target);
}

enum checkup_level checkup_worst(const struct checkup *checkup)
{
	enum checkup_level worst = CHECKUP_OK;

	for (int i = 0; i < checkup->count; i++)
		if (checkup->rows[i].level > worst)
			worst = checkup->rows[i].level;
	return worst;
}
