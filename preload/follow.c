/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Copies of our variables in one mapping, made by the constructor and never changed:
 *
 *   kept[0] -> "LD_PRELOAD=/usr/lib/vadtrace/libvadtrace.so"
 *   kept[1] -> "VADTRACE_MODE=route"       kept[n] -> NULL
 *
 * An extended environment in the room that the caller gives:
 *
 *   [ envp[0] .. envp[m-1] | what is missing | NULL | "LD_PRELOAD=ours:theirs" ] */

#include "preload/follow.h"

#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/os/os.h"
#include "preload/environment.h"
#include "trace/schema/schema.h"

#define KEPT_MAX 24
#define PRELOAD "LD_PRELOAD"
#define PRELOAD_LENGTH (sizeof(PRELOAD) - 1)

static char *kept[KEPT_MAX + 1];
static const char *own_path;

static size_t name_length(const char *variable)
{
	return strcspn(variable, "=");
}

/* Room for all copies: what is ours now, with LD_PRELOAD's name and our path. */
static size_t measure_copies(const char *path, const char *unset)
{
	size_t bytes = sizeof(PRELOAD "=") + strlen(path);

	for (char **variable = environ; *variable; variable++)
		if (environment_is_ours(*variable, unset))
			bytes += strlen(*variable) + 1;
	return bytes;
}

void follow_remember(void)
{
	const char *path = environment_get(VADTRACE_ENV_PRELOAD);
	const char *unset = environment_get(VADTRACE_ENV_UNSET);
	size_t count = 0;
	intptr_t copies;
	char *at;

	if (!path || !*path || !environ)
		return;
	copies = os_map(NULL, measure_copies(path, unset), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (copies < 0)
		return;
	at = stpcpy((char *)copies, PRELOAD "=");
	own_path = at;
	kept[count++] = (char *)copies;
	at = stpcpy(at, path) + 1;
	for (char **variable = environ; *variable && count < KEPT_MAX; variable++) {
		if (!environment_is_ours(*variable, unset))
			continue;
		kept[count++] = at;
		at = stpcpy(at, *variable) + 1;
	}
}

/* The variable of `envp` that has the name of `wanted`; NULL when there is none. */
static char *find(char *const envp[], const char *wanted)
{
	size_t length = name_length(wanted);

	for (; envp && *envp; envp++)
		if (environment_match(*envp, wanted, length))
			return *envp;
	return NULL;
}

/* Whether our path is an entry of the list in the variable LD_PRELOAD. */
static bool has_own_path(const char *preload)
{
	const char *list = preload + PRELOAD_LENGTH + 1;
	bool is_own = false;

	while (*list && !is_own) {
		size_t length = environment_entry(list, own_path, &is_own);

		list += length + (list[length] != '\0');
	}
	return is_own;
}

static size_t count_variables(char *const envp[])
{
	size_t count = 0;

	while (envp && envp[count])
		count++;
	return count;
}

size_t follow_measure(char *const envp[])
{
	char *preload = find(envp, PRELOAD "=");
	bool is_preload_short = own_path && preload && !has_own_path(preload);
	size_t missing = 0;

	for (char **variable = kept; *variable; variable++)
		missing += find(envp, *variable) == NULL;
	if (missing == 0 && !is_preload_short)
		return 0;
	return (count_variables(envp) + missing + 1) * sizeof(char *) +
	       (is_preload_short ? strlen(kept[0]) + 1 + strlen(preload) : 0);
}

char *const *follow_extend(char *const envp[], void *room)
{
	char *preload = find(envp, PRELOAD "=");
	char **extended = room;
	char **at = extended;

	for (; envp && *envp; envp++)
		*at++ = *envp;
	*at = NULL;
	for (char **variable = kept; *variable; variable++) {
		if (find(extended, *variable))
			continue;
		*at++ = *variable;
		*at = NULL;
	}
	if (preload && !has_own_path(preload)) {
		char *joined = (char *)(at + 1);

		for (char **variable = extended; *variable; variable++)
			if (*variable == preload)
				*variable = joined;
		joined = stpcpy(stpcpy(joined, kept[0]), ":");
		strcpy(joined, preload + PRELOAD_LENGTH + 1);
	}
	return extended;
}
