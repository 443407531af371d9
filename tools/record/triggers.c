/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The words of --snapshot-on, and a look at the program from outside: its resident set is the
 * kernel's, its commit charge is what the traced process wrote into its file of buffers
 * (trace/schema/live.h). */

#include "tools/record/triggers.h"

#include "tools/lib/cli.h"
#include "trace/schema/live.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORD_BYTES_MAX = 64 };

static const struct {
	const char *name;
	int number;
} signals[] = { { "HUP", SIGHUP }, { "USR1", SIGUSR1 }, { "USR2", SIGUSR2 } };

static bool parse_signal(struct triggers *triggers, const char *name)
{
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (!strcmp(name, signals[i].name)) {
			triggers->signal = signals[i].number;
			return true;
		}
	cli_error("--snapshot-on signal takes HUP, USR1 or USR2, not '%s'", name);
	return false;
}

static bool parse_limit(uint64_t *limit, const char *word, const char *value)
{
	if (cli_parse_size(value, limit) && *limit)
		return true;
	cli_error("--snapshot-on takes a size such as 64M in '%s'", word);
	return false;
}

static bool parse_word(struct triggers *triggers, const char *word)
{
	if (!strcmp(word, "signal"))
		return parse_signal(triggers, "USR2");
	if (!strncmp(word, "signal=", 7))
		return parse_signal(triggers, word + 7);
	if (!strncmp(word, "commit=", 7))
		return parse_limit(&triggers->commit_bytes, word, word + 7);
	if (!strncmp(word, "rss=", 4))
		return parse_limit(&triggers->rss_bytes, word, word + 4);
	if (!strcmp(word, "exit"))
		return triggers->at_exit = true;
	if (!strcmp(word, "crash"))
		return triggers->at_crash = true;
	cli_error("--snapshot-on takes exit, crash, signal, commit=SIZE and rss=SIZE, not '%s'",
		  word);
	return false;
}

bool triggers_parse(struct triggers *triggers, const char *text)
{
	for (;;) {
		size_t length = strcspn(text, ",");
		char word[WORD_BYTES_MAX];

		snprintf(word, sizeof(word), "%.*s", (int)length, text);
		if (!parse_word(triggers, word))
			return false;
		if (!text[length])
			return true;
		text += length + 1;
	}
}

static uint64_t read_rss(pid_t pid)
{
	char path[64];
	uint64_t pages = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%*u %" SCNu64, &pages) != 1)
		pages = 0;
	fclose(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t read_commit_of(int folder, const char *name)
{
	int file = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct live_process process = { 0 };

	if (file < 0)
		return 0;
	if (pread(file, &process, sizeof(process), 0) != (ssize_t)sizeof(process) ||
	    process.header.magic != LIVE_MAGIC || process.header.tid)
		process.commit_bytes = 0;
	close(file);
	return process.commit_bytes;
}

/* Of the process that commits most: each has a file of its own. */
static uint64_t read_commit(const char *live)
{
	DIR *list = opendir(live);
	struct dirent *entry;
	uint64_t most = 0;

	while (list && (entry = readdir(list))) {
		uint64_t bytes =
			entry->d_name[0] == '.' ? 0 : read_commit_of(dirfd(list), entry->d_name);

		if (bytes > most)
			most = bytes;
	}
	if (list)
		closedir(list);
	return most;
}

/* A value that stays near the limit passes it once: it must fall by a tenth first. */
static bool passes(uint64_t value, uint64_t limit, bool *is_over)
{
	bool was_over = *is_over;

	if (value > limit)
		*is_over = true;
	else if (value < limit - limit / 10)
		*is_over = false;
	return *is_over && !was_over;
}

const char *triggers_look(const struct triggers *triggers, struct trigger_watch *watch, pid_t pid,
			  const char *live)
{
	if (triggers->rss_bytes && passes(read_rss(pid), triggers->rss_bytes, &watch->is_over_rss))
		return "rss";
	if (triggers->commit_bytes &&
	    passes(read_commit(live), triggers->commit_bytes, &watch->is_over_commit))
		return "commit";
	return NULL;
}

const char *triggers_at_end(const struct triggers *triggers, int wait_status)
{
	if (WIFSIGNALED(wait_status) && triggers->at_crash)
		return "crash";
	return triggers->at_exit ? "exit" : NULL;
}
