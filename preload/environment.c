/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Names and values on the process's first stack.
 *
 * The C library learns of the environment in its own constructor, which may run after our first
 * call; until then the pointers are found where the kernel left them:
 *
 *   __libc_stack_end -> argc, argv[0] ... NULL, envp[0] ... NULL, auxiliary vector
 *
 * Withdrawing shifts pointers inside environ's array and cuts bytes inside LD_PRELOAD's string.
 * The order of what stays is kept. */

#include "preload/environment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "trace/schema/schema.h"

extern void *__libc_stack_end;

char **environment_arguments(void)
{
	uintptr_t *words = __libc_stack_end;

	return (char **)(words + 1);
}

static char **variables(void)
{
	uintptr_t *words = __libc_stack_end;

	return environ ? environ : (char **)(words + words[0] + 2);
}

char *environment_match(char *variable, const char *name, size_t length)
{
	return strncmp(variable, name, length) == 0 && variable[length] == '='
		       ? variable + length + 1
		       : NULL;
}

static char *find(const char *name)
{
	size_t length = strlen(name);
	char *value = NULL;

	for (char **variable = variables(); *variable && !value; variable++)
		value = environment_match(*variable, name, length);
	return value;
}

const char *environment_get(const char *name)
{
	return getauxval(AT_SECURE) ? NULL : find(name);
}

/* Whether `variable` is named in `list`, names separated by commas. */
static bool is_listed(char *variable, const char *list)
{
	while (list && *list) {
		size_t length = strcspn(list, ",");

		if (length > 0 && environment_match(variable, list, length))
			return true;
		list += length + (list[length] == ',');
	}
	return false;
}

size_t environment_entry(const char *list, const char *path, bool *is_path)
{
	size_t length = strlen(path);

	*is_path = strncmp(list, path, length) == 0 && strchr(": ", list[length]) != NULL;
	return *is_path ? length : strcspn(list, ": ");
}

/* Cuts each entry `path` out of a list separated by colons or spaces. */
static void cut_entry(char *list, const char *path)
{
	while (*list) {
		bool is_path;
		size_t length = environment_entry(list, path, &is_path);
		size_t separator = list[length] != '\0';

		if (is_path)
			memmove(list, list + length + separator,
				strlen(list + length + separator) + 1);
		else
			list += length + separator;
	}
}

/* After a last entry was cut, its separator is left over. */
static void cut_last_separator(char *list)
{
	size_t length = strlen(list);

	if (length > 0 && strchr(": ", list[length - 1]))
		list[length - 1] = '\0';
}

bool environment_is_ours(char *variable, const char *unset)
{
	static const char *const names[] = {
		VADTRACE_ENV_MODE,        VADTRACE_ENV_SESSION,    VADTRACE_ENV_LIVE,
		VADTRACE_ENV_STACK_DEPTH, VADTRACE_ENV_MIN_SIZE,   VADTRACE_ENV_CHILDREN,
		VADTRACE_ENV_PRELOAD,     VADTRACE_ENV_UNSET,      VADTRACE_ENV_WINE,
		VADTRACE_ENV_CHECK,       VADTRACE_ENV_QUARANTINE, VADTRACE_ENV_COMMIT_LIMIT,
		VADTRACE_ENV_PLAIN,
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (environment_match(variable, names[i], strlen(names[i])))
			return true;
	return is_listed(variable, unset);
}

/* Whether `variable` goes as a whole. */
static bool is_withdrawn(char *variable, const char *unset, const char *path)
{
	char *preload = environment_match(variable, "LD_PRELOAD", strlen("LD_PRELOAD"));

	if (!preload)
		return environment_is_ours(variable, unset);
	cut_entry(preload, path);
	cut_last_separator(preload);
	return *preload == '\0';
}

void environment_withdraw(void)
{
	const char *path = environment_get(VADTRACE_ENV_PRELOAD);
	const char *unset = environment_get(VADTRACE_ENV_UNSET);
	char **kept = environ;

	if (!path || !*path || !environ)
		return;
	for (char **variable = environ; *variable; variable++)
		if (!is_withdrawn(*variable, unset, path))
			*kept++ = *variable;
	*kept = NULL;
}
