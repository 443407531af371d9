/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The rows of core/api.spec that name a hook. */

#include "preload/pe/plan/hooks.h"

#include <assert.h>
#include <string.h>

#define HOOK_HOW_route true
#define HOOK_HOW_pass false
#define HOOK_ROW(id, name, dll, export, arguments, how) \
	{ #dll, #export, id, arguments, HOOK_HOW_##how, #name },

static const struct hook hooks[] = { API_HOOKS(HOOK_ROW) };
static_assert(sizeof(hooks) / sizeof(hooks[0]) == HOOK_COUNT, "a row for each");

const struct hook *hook_at(size_t index)
{
	return &hooks[index];
}

static char lower(char character)
{
	return character >= 'A' && character <= 'Z' ? (char)(character + 'a' - 'A') : character;
}

bool hook_is_in(const char *dll, const char *file_name)
{
	const char *rest = ".dll";

	while (*dll && *dll == lower(*file_name))
		dll++, file_name++;
	if (*dll)
		return false;
	while (*rest && *rest == lower(*file_name))
		rest++, file_name++;
	return !*rest && !*file_name;
}

/* All of 8.0: its corrections change no layout. */
bool hook_knows_wine(const char *version)
{
	static const char known[] = "8.0";
	const char *rest;

	if (strncmp(version, "wine-", 5) == 0)
		version += 5;
	if (strncmp(version, known, sizeof(known) - 1) != 0)
		return false;
	rest = version + sizeof(known) - 1;
	return !*rest || *rest == ' ' || *rest == '.';
}
