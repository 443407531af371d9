/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* vadtrace snapshot: asks a recording that keeps a window of the newest events to write it.
 *
 * The request is a file in the recording's folder: who may write there may ask. The recorder looks
 * for it ten times a second, and removes it when the snapshot is there or has failed. */

#include "tools/commands.h"

#include "tools/lib/cli.h"
#include "tools/lib/manifest.h"
#include "tools/lib/snapshots.h"
#include "tools/record/daemon.h"
#include "trace/schema/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TICK_MS = 10 };

static const char help[] =
	"usage: vadtrace snapshot [options] PID|TRACE\n\n"
	"Has a running 'vadtrace record --snapshot' write the newest events, and prints the\n"
	"folder that they are in. It is named by its folder or by the recorded process.\n\n"
	"  -q, --quiet        print errors only\n"
	"  -h, --help         print this help\n\n"
	"Exit status: 0; 1 there is no such recording, or it could not write; 2 wrong call.\n";

static int fail_usage(void)
{
	cli_hint("vadtrace snapshot --help shows what can be given");
	return CLI_EXIT_USAGE;
}

/* The value of a variable in the environment that the process began with. */
static bool read_variable(long pid, const char *name, char value[PATH_MAX])
{
	char path[64], *word = NULL;
	size_t size = 0, length = strlen(name);
	bool is_found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/environ", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!is_found && getdelim(&word, &size, '\0', file) > 0) {
		is_found = !strncmp(word, name, length) && word[length] == '=' &&
			   strlen(word + length + 1) < PATH_MAX;
		if (is_found)
			strcpy(value, word + length + 1);
	}
	free(word);
	fclose(file);
	return is_found;
}

/* The recording's folder is the one above that of the processes' buffers. */
static bool find_by_pid(const char *text, char folder[PATH_MAX])
{
	char *end;
	long pid = strtol(text, &end, 10);
	char *slash;

	if (*end || pid <= 0 || !read_variable(pid, VADTRACE_ENV_LIVE, folder))
		return false;
	slash = strrchr(folder, '/');
	if (slash)
		*slash = '\0';
	return slash != NULL;
}

static bool find_folder(const char *text, char folder[PATH_MAX])
{
	if (access(text, F_OK) || strlen(text) >= PATH_MAX)
		return find_by_pid(text, folder);
	strcpy(folder, text);
	return true;
}

/* The recorder's process id stands in the name of its session. */
static bool is_recording(const struct manifest *manifest)
{
	long pid = 0;

	return !manifest->complete &&
	       sscanf(manifest->session, DAEMON_SESSION_PREFIX "%ld-", &pid) == 1 && pid > 0 &&
	       daemon_is_alive((pid_t)pid);
}

/* False after a message. */
static bool check(const char *folder)
{
	struct manifest manifest;
	bool keeps_window, is_running;

	if (manifest_read(folder, &manifest)) {
		cli_error("%s: no recording", folder);
		return false;
	}
	keeps_window = manifest.options.snapshot_bytes && !manifest.snapshot.number;
	is_running = is_recording(&manifest);
	manifest_free(&manifest);
	if (!keeps_window) {
		cli_error("%s is not recorded with --snapshot", folder);
		cli_hint("vadtrace record --snapshot keeps the newest events until asked");
	} else if (!is_running) {
		cli_error("%s: the recording has ended", folder);
		cli_hint("its snapshots are in %s/" SNAPSHOTS_PREFIX "*", folder);
	}
	return keeps_window && is_running;
}

static bool is_running(const char *folder)
{
	struct manifest manifest;
	bool is_alive;

	if (manifest_read(folder, &manifest))
		return false;
	is_alive = is_recording(&manifest);
	manifest_free(&manifest);
	return is_alive;
}

/* Somebody else's request that is there already will do, too. False: it cannot be made. */
static bool make_request(const char *path)
{
	int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (file >= 0)
		close(file);
	return file >= 0 || errno == EEXIST;
}

/* Until the recorder has answered, or is no more. */
static void wait_for_answer(const char *folder, const char *path)
{
	struct timespec tick = { .tv_nsec = TICK_MS * 1000000L };

	while (!access(path, F_OK)) {
		if (!is_running(folder)) {
			unlink(path);
			return;
		}
		nanosleep(&tick, NULL);
	}
}

static int ask(const char *folder, bool is_quiet)
{
	char path[PATH_MAX + sizeof(SNAPSHOTS_REQUEST) + 1];
	uint32_t before = snapshots_newest(folder), newest;

	snprintf(path, sizeof(path), "%s/" SNAPSHOTS_REQUEST, folder);
	if (!make_request(path)) {
		cli_error("%s: %s", folder, strerror(errno));
		return CLI_EXIT_FAILURE;
	}
	wait_for_answer(folder, path);
	newest = snapshots_newest(folder);
	if (newest == before) {
		cli_error("%s: the recorder has written no snapshot", folder);
		cli_hint("its own messages say why");
		return CLI_EXIT_FAILURE;
	}
	if (!is_quiet)
		printf("%s/" SNAPSHOTS_PREFIX "%" PRIu32 "\n", folder, newest);
	return CLI_EXIT_OK;
}

static int run(const char *text, bool is_quiet)
{
	char folder[PATH_MAX];

	if (!find_folder(text, folder)) {
		cli_error("%s is neither a trace nor a process that is recorded", text);
		cli_hint("name the folder that vadtrace record --snapshot -o was given");
		return CLI_EXIT_FAILURE;
	}
	return check(folder) ? ask(folder, is_quiet) : CLI_EXIT_FAILURE;
}

int cmd_snapshot(int argc, char **argv)
{
	static const struct option words[] = { { "quiet", no_argument, NULL, 'q' },
					       { "help", no_argument, NULL, 'h' },
					       { NULL, 0, NULL, 0 } };
	bool is_quiet = false;
	int key;

	optind = 0;
	while ((key = getopt_long(argc, argv, "qh", words, NULL)) >= 0) {
		is_quiet |= key == 'q';
		if (key == 'h')
			fputs(help, stdout);
		if (key == 'h' || key == '?')
			return key == 'h' ? CLI_EXIT_OK : fail_usage();
	}
	if (optind + 1 != argc) {
		cli_error(optind == argc ? "of which recording?" : "one recording at a time");
		return fail_usage();
	}
	return run(argv[optind], is_quiet);
}
