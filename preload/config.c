/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Reads the environment once, early. Knows names and limits of the schema, nothing of their use. */

#include "preload/config.h"

#include <limits.h>
#include <stddef.h>

#include "preload/environment.h"
#include "trace/schema/schema.h"

static char session[NAME_MAX + 1], live_folder[PATH_MAX], log_path[PATH_MAX];
static struct config config = {
	.session = session,
	.live_folder = live_folder,
	.log_path = log_path,
	.stack_depth = VADTRACE_STACK_DEPTH_DEFAULT,
};

static bool is_equal(const char *text, const char *expected)
{
	while (*text && *text == *expected)
		text++, expected++;
	return *text == *expected;
}

/* Copies what fits whole; else leaves `copy` empty. Without a text it is not touched. */
static void copy_text(char *copy, size_t size_bytes, const char *text)
{
	size_t i;

	if (!text)
		return;
	for (i = 0; text[i] && i + 1 < size_bytes; i++)
		copy[i] = text[i];
	copy[text[i] ? 0 : i] = '\0';
}

/* A decimal number up to `maximum`; else `fallback`. */
static uint64_t read_number(const char *name, uint64_t maximum, uint64_t fallback)
{
	const char *text = environment_get(name);
	uint64_t number = 0;

	if (!text || !*text)
		return fallback;
	for (; *text; text++) {
		unsigned int digit = (unsigned int)(*text - '0');

		if (digit > 9 || number > (maximum - digit) / 10)
			return fallback;
		number = number * 10 + digit;
	}
	return number;
}

static bool is_set_to(const char *name, const char *value)
{
	const char *text = environment_get(name);

	return text && is_equal(text, value);
}

static void read_mode(bool is_native)
{
	static const char *const names[] = {
		[CONFIG_ROUTE] = "route",
		[CONFIG_OBSERVE] = "observe",
		[CONFIG_VERIFY] = "verify",
	};

	for (enum config_mode mode = CONFIG_OBSERVE; mode <= CONFIG_VERIFY; mode++)
		if (is_set_to(VADTRACE_ENV_MODE, names[mode]))
			config.mode = mode;
	if (is_native && config.mode == CONFIG_VERIFY)
		config.mode = CONFIG_OBSERVE;
	config.mode_name = names[config.mode];
	config.observe = !is_native || config.mode != CONFIG_ROUTE;
}

static void copy_path(char path[PATH_MAX], const char *name)
{
	copy_text(path, PATH_MAX, environment_get(name));
	if (path[0] && path[0] != '/')
		path[0] = '\0';
}

static void read_check(void)
{
	if (config.mode != CONFIG_ROUTE)
		return;
	if (is_set_to(VADTRACE_ENV_CHECK, "pattern"))
		config.check = CHECKED_PATTERN;
	else if (is_set_to(VADTRACE_ENV_CHECK, "page"))
		config.check = CHECKED_PAGE;
	config.quarantine_bytes =
		read_number(VADTRACE_ENV_QUARANTINE, INT64_MAX, CHECKED_QUARANTINE_BYTES);
	copy_path(log_path, VADTRACE_ENV_LOG);
}

void config_read(bool is_native)
{
	read_mode(is_native);
	config.children = is_set_to(VADTRACE_ENV_CHILDREN, "1");
	config.remote = is_native && is_set_to(VADTRACE_ENV_REMOTE, "1");
	copy_text(session, sizeof(session), environment_get(VADTRACE_ENV_SESSION));
	copy_path(live_folder, VADTRACE_ENV_LIVE);
	read_check();
	config.stack_depth = (uint32_t)read_number(
		VADTRACE_ENV_STACK_DEPTH, VADTRACE_STACK_DEPTH_MAX, VADTRACE_STACK_DEPTH_DEFAULT);
	config.compares_stacks = is_set_to(VADTRACE_ENV_STACKS, "check");
	config.is_plain = is_set_to(VADTRACE_ENV_PLAIN, "1");
	config.min_size_bytes = read_number(VADTRACE_ENV_MIN_SIZE, INT64_MAX, 0);
	if (config.mode == CONFIG_ROUTE)
		config.commit_limit_bytes = read_number(VADTRACE_ENV_COMMIT_LIMIT, INT64_MAX, 0);
}

const struct config *config_get(void)
{
	return &config;
}
