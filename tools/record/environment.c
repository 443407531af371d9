/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The program's environment: ours, and the variables of trace/schema/schema.h. What LTTng needs
 * is named in VADTRACE_UNSET, so that the preloaded object can take it away again from programs
 * that are not followed; a value that the user had set is his and stays. */

#include "tools/record/environment.h"

#include "tools/lib/cli.h"
#include "trace/schema/schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY_VARIABLE "VADTRACE_LIBRARY"
#define LIBRARY_NAME "libvadtrace.so"
#define RECORDER_NAME "libvadtrace-record.so"

enum { VALUE_MAX = 4096, ADDED_MAX = 20 };

extern char **environ;

/* The library. */

static bool join(char path[PATH_MAX], const char *folder, const char *name)
{
	return (size_t)snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX;
}

static bool use(char path[PATH_MAX], const char *candidate)
{
	return access(candidate, R_OK) == 0 && realpath(candidate, path);
}

/* The folder of this program's file. */
static bool find_own_folder(char path[PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;

	if (length <= 0)
		return false;
	path[length] = '\0';
	slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
	return slash != NULL;
}

static bool search(char path[PATH_MAX])
{
	static const char *const places[] = {
		"../preload/.libs/" LIBRARY_NAME,    /* TREE/tools/vadtrace */
		"../../preload/.libs/" LIBRARY_NAME, /* TREE/tools/.libs/vadtrace */
		"../lib/vadtrace/" LIBRARY_NAME,     /* a moved installation */
	};
	char folder[PATH_MAX], candidate[PATH_MAX];

	if (find_own_folder(folder))
		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
			if (join(candidate, folder, places[i]) && use(path, candidate))
				return true;
	return use(path, PKGVADLIBDIR "/" LIBRARY_NAME);
}

/* The loader splits LD_PRELOAD at spaces and colons and expands dollars. */
static bool check_name(const char *path)
{
	if (!strpbrk(path, " :$"))
		return true;
	cli_error("'%s' cannot be preloaded: its path has a space, a colon or a dollar", path);
	cli_hint("install or link it elsewhere and name it with --library");
	return false;
}

bool environment_find_recorder(char path[PATH_MAX], const char *library)
{
	const char *name = strrchr(library, '/');
	int folder_length = name ? (int)(name - library) : 0;

	return (size_t)snprintf(path, PATH_MAX, "%.*s/" RECORDER_NAME, folder_length, library) <
		       PATH_MAX &&
	       access(path, R_OK) == 0;
}

/* An installation is whole. A library that the user chose may be another, which records nothing. */
static bool check_recorder(const char *library)
{
	char path[PATH_MAX];

	if (environment_find_recorder(path, library))
		return true;
	cli_error("'%s' cannot be read", path);
	cli_hint("run make install: it belongs beside '%s'", library);
	return false;
}

bool environment_search_library(char path[PATH_MAX], const char *chosen)
{
	if (!chosen)
		chosen = getenv(LIBRARY_VARIABLE);
	return chosen && *chosen ? use(path, chosen) : search(path);
}

bool environment_find_library(char path[PATH_MAX], const char *chosen)
{
	if (!chosen)
		chosen = getenv(LIBRARY_VARIABLE);
	if (chosen && !*chosen)
		chosen = NULL;
	if (environment_search_library(path, chosen))
		return check_name(path) && (chosen || check_recorder(path));
	if (chosen) {
		cli_error("the library '%s' cannot be read", chosen);
		cli_hint("correct --library or " LIBRARY_VARIABLE);
	} else {
		cli_error(LIBRARY_NAME " was not found");
		cli_hint("run make install, or name it with --library or " LIBRARY_VARIABLE);
	}
	return false;
}

/* The variables. */

/* - variables[0, count) are "NAME=value" and have room for ADDED_MAX more and the NULL;
 * - is_complete goes to false when memory runs out. */
struct environment {
	char **variables;
	size_t count;
	bool is_complete;
};

static size_t find(const struct environment *environment, const char *name)
{
	size_t length = strlen(name), i;

	for (i = 0; i < environment->count; i++)
		if (!strncmp(environment->variables[i], name, length) &&
		    environment->variables[i][length] == '=')
			break;
	return i;
}

static void set(struct environment *environment, const char *name, const char *value)
{
	size_t at = find(environment, name);
	char *variable;

	if (asprintf(&variable, "%s=%s", name, value) < 0) {
		environment->is_complete = false;
		return;
	}
	environment->variables[at] = variable;
	if (at == environment->count)
		environment->count++;
}

static void unset(struct environment *environment, const char *name)
{
	size_t at = find(environment, name);

	if (at < environment->count)
		environment->variables[at] = environment->variables[--environment->count];
}

static void set_number(struct environment *environment, const char *name, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	set(environment, name, text);
}

/* The library, and its recorder if it has one, in front of what the user preloads. */
static void set_preload(struct environment *environment, const char *library)
{
	const char *users = getenv("LD_PRELOAD");
	char recorder[PATH_MAX], ours[2 * PATH_MAX];
	char *joined;

	if (environment_find_recorder(recorder, library))
		snprintf(ours, sizeof(ours), "%s:%s", library, recorder);
	else
		snprintf(ours, sizeof(ours), "%s", library);
	set(environment, VADTRACE_ENV_PRELOAD, ours);
	if (!users || !*users) {
		set(environment, "LD_PRELOAD", ours);
		return;
	}
	if (asprintf(&joined, "%s:%s", ours, users) < 0) {
		environment->is_complete = false;
		return;
	}
	set(environment, "LD_PRELOAD", joined);
	free(joined);
}

/* main waits until LTTng listens; unless --discard, writers wait for room in the buffers. */
static void set_lttng(struct environment *environment, bool may_block)
{
	static const struct {
		const char *name;
		const char *value;
		bool is_for_blocking;
	} rows[] = {
		{ "LTTNG_UST_REGISTER_TIMEOUT", "-1", false },
		{ "LTTNG_UST_ALLOW_BLOCKING", "1", true },
	};
	char added[128] = "";

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (getenv(rows[i].name) || (rows[i].is_for_blocking && !may_block))
			continue;
		set(environment, rows[i].name, rows[i].value);
		snprintf(added + strlen(added), sizeof(added) - strlen(added), "%s%s",
			 *added ? "," : "", rows[i].name);
	}
	set(environment, VADTRACE_ENV_UNSET, added);
}

static void set_ours(struct environment *environment, const struct record_options *options,
		     const char *session, const char *live)
{
	set(environment, VADTRACE_ENV_MODE, options->mode);
	set(environment, VADTRACE_ENV_SESSION, session);
	set(environment, VADTRACE_ENV_LIVE, live);
	set_number(environment, VADTRACE_ENV_STACK_DEPTH, options->stack_depth);
	set_number(environment, VADTRACE_ENV_MIN_SIZE, options->min_size_bytes);
	if (options->commit_limit_bytes)
		set_number(environment, VADTRACE_ENV_COMMIT_LIMIT, options->commit_limit_bytes);
	else
		unset(environment, VADTRACE_ENV_COMMIT_LIMIT);
	unset(environment, VADTRACE_ENV_CHECK);
	unset(environment, VADTRACE_ENV_QUARANTINE);
	if (options->check) {
		set(environment, VADTRACE_ENV_CHECK, options->check);
		set_number(environment, VADTRACE_ENV_QUARANTINE, options->quarantine_bytes);
	}
	if (options->with_children)
		set(environment, VADTRACE_ENV_CHILDREN, "1");
	else
		unset(environment, VADTRACE_ENV_CHILDREN);
	if (options->is_plain)
		set(environment, VADTRACE_ENV_PLAIN, "1");
	else
		unset(environment, VADTRACE_ENV_PLAIN);
	if (options->is_wine_script)
		set(environment, VADTRACE_ENV_WINE, "1");
	else
		unset(environment, VADTRACE_ENV_WINE);
}

char **environment_build(const struct record_options *options, const char *library,
			 const char *session, const char *live)
{
	struct environment environment = { .is_complete = true };

	while (environ[environment.count])
		environment.count++;
	environment.variables = calloc(environment.count + ADDED_MAX + 1, sizeof(char *));
	if (!environment.variables)
		return NULL;
	memcpy(environment.variables, environ, environment.count * sizeof(char *));
	set_ours(&environment, options, session, live);
	set_preload(&environment, library);
	set_lttng(&environment, options->block_us != 0);
	environment.variables[environment.count] = NULL;
	return environment.is_complete ? environment.variables : NULL;
}
