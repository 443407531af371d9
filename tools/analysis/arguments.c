/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One table of long options for all three commands; each command accepts a part of it. */

#include "tools/analysis/arguments.h"
#include "tools/lib/cli.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	KEY_TOP = 1,
	KEY_SORT,
	KEY_THREAD,
	KEY_FROM,
	KEY_TO,
	KEY_UNIX,
	KEY_PID,
	KEY_SUPPRESSIONS,
	KEY_METADATA,
	KEY_READER,
	KEY_JOBS,
	KEY_JSON,
	KEY_WIDTH,
	KEY_NO_COLOR,
	KEY_NO_CACHE,
	KEY_VERBOSE,
	KEY_MODULES,
	KEY_ERRORS,
	KEY_EXITCODE,
	KEY_HELP,
};

static const struct option words[] = {
	{ "top", required_argument, NULL, KEY_TOP },
	{ "sort", required_argument, NULL, KEY_SORT },
	{ "thread", required_argument, NULL, KEY_THREAD },
	{ "from", required_argument, NULL, KEY_FROM },
	{ "to", required_argument, NULL, KEY_TO },
	{ "unix", no_argument, NULL, KEY_UNIX },
	{ "pid", required_argument, NULL, KEY_PID },
	{ "suppressions", required_argument, NULL, KEY_SUPPRESSIONS },
	{ "metadata", required_argument, NULL, KEY_METADATA },
	{ "reader", required_argument, NULL, KEY_READER },
	{ "jobs", required_argument, NULL, KEY_JOBS },
	{ "json", no_argument, NULL, KEY_JSON },
	{ "width", required_argument, NULL, KEY_WIDTH },
	{ "no-color", no_argument, NULL, KEY_NO_COLOR },
	{ "no-cache", no_argument, NULL, KEY_NO_CACHE },
	{ "verbose", no_argument, NULL, KEY_VERBOSE },
	{ "modules", no_argument, NULL, KEY_MODULES },
	{ "errors", no_argument, NULL, KEY_ERRORS },
	{ "error-exitcode", required_argument, NULL, KEY_EXITCODE },
	{ "help", no_argument, NULL, KEY_HELP },
	{ NULL, 0, NULL, 0 },
};

/* Which bit a key needs; 0: every command takes it. */
static unsigned need_of(int key)
{
	switch (key) {
	case KEY_TOP:
		return OPTION_TOP;
	case KEY_SORT:
		return OPTION_SORT;
	case KEY_THREAD:
	case KEY_FROM:
	case KEY_TO:
	case KEY_UNIX:
	case KEY_SUPPRESSIONS:
		return OPTION_FILTER;
	case KEY_MODULES:
		return OPTION_MODULES;
	case KEY_ERRORS:
		return OPTION_ERRORS;
	case KEY_EXITCODE:
		return OPTION_EXITCODE;
	default:
		return 0;
	}
}

static bool parse_number(const char *text, uint64_t maximum, uint64_t *number)
{
	char *end;

	errno = 0;
	if (*text < '0' || *text > '9')
		return false;
	uint64_t value = strtoull(text, &end, 10);
	if (*end || errno || value > maximum)
		return false;
	*number = value;
	return true;
}

static bool parse_seconds(const char *text, uint64_t *ns)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !isfinite(seconds) || seconds < 0 || seconds > 1e9)
		return false;
	*ns = (uint64_t)llround(seconds * 1e9);
	return true;
}

/* PID, or PID:N for the N-th program that the process ran. */
static bool parse_pid(const char *text, struct arguments *options)
{
	char pid[24];
	const char *colon = strchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : strlen(text);

	if (length >= sizeof(pid))
		return false;
	memcpy(pid, text, length);
	pid[length] = '\0';
	if (!parse_number(pid, UINT32_MAX, &options->pid) || !options->pid)
		return false;
	return !colon || (parse_number(colon + 1, UINT32_MAX, &options->image) && options->image);
}

static bool parse_top(const char *text, struct arguments *options)
{
	if (!strcmp(text, "all")) {
		options->top = UINT64_MAX;
		return true;
	}
	return parse_number(text, UINT64_MAX, &options->top);
}

static bool parse_reader(const char *text, struct arguments *options)
{
	static const char *const names[] = {
		[READER_AUTO] = "auto", [READER_OWN] = "own", [READER_BABELTRACE] = "babeltrace"
	};

	for (int i = READER_AUTO; i <= READER_BABELTRACE; i++)
		if (!strcmp(names[i], text)) {
			options->reader = (enum reader_decoder)i;
			return true;
		}
	return false;
}

static bool parse_value(int key, const char *value, struct arguments *options)
{
	uint64_t number = 0;
	bool is_good = true;

	switch (key) {
	case KEY_TOP:
		return parse_top(value, options);
	case KEY_SORT:
		options->sort = tree_find_metric(value);
		return options->sort != NULL;
	case KEY_THREAD:
		options->thread = value;
		break;
	case KEY_FROM:
		return parse_seconds(value, &options->from_ns);
	case KEY_TO:
		return parse_seconds(value, &options->to_ns) && options->to_ns;
	case KEY_PID:
		return parse_pid(value, options);
	case KEY_SUPPRESSIONS:
		options->suppressions = value;
		break;
	case KEY_METADATA:
		options->lender = value;
		break;
	case KEY_READER:
		return parse_reader(value, options);
	case KEY_JOBS:
		is_good = parse_number(value, UINT16_MAX, &number) && number;
		options->jobs = (unsigned)number;
		break;
	case KEY_JSON:
		options->is_json = true;
		break;
	case KEY_WIDTH:
		is_good = parse_number(value, 10000, &number);
		options->width = (unsigned)number;
		break;
	case KEY_UNIX:
		options->counts_unix = true;
		break;
	case KEY_NO_COLOR:
		options->has_color = false;
		break;
	case KEY_NO_CACHE:
		options->uses_cache = false;
		break;
	case KEY_VERBOSE:
		options->is_verbose = true;
		break;
	case KEY_MODULES:
		options->shows_modules = true;
		break;
	case KEY_ERRORS:
		options->shows_errors = true;
		break;
	default:
		is_good = parse_number(value, 255, &number);
		options->error_exitcode = (int)number;
		break;
	}
	return is_good;
}

static unsigned terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return 0;
	return size.ws_col;
}

/* Those that this process may run on. */
static unsigned processor_count(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) ? 1 : (unsigned)CPU_COUNT(&set);
}

static void set_defaults(const struct arguments_command *command, struct arguments *options)
{
	const char *no_color = getenv("NO_COLOR");

	memset(options, 0, sizeof(*options));
	options->top = command->top;
	options->jobs = processor_count();
	options->uses_cache = true;
	options->width = terminal_width();
	options->has_color = isatty(STDOUT_FILENO) && !(no_color && *no_color);
}

static bool fail(const char *name, int *status)
{
	cli_hint("vadtrace %s --help shows what can be given", name);
	*status = CLI_EXIT_USAGE;
	return false;
}

static bool take_option(const struct arguments_command *command, const char *name, int key,
			struct arguments *options, int *status)
{
	const char *word = "";

	for (const struct option *option = words; option->name; option++)
		if (option->val == key)
			word = option->name;
	if (key == KEY_HELP) {
		fputs(command->usage, stdout);
		*status = CLI_EXIT_OK;
		return false;
	}
	if (key == '?' || key == ':')
		return fail(name, status);
	if (need_of(key) & ~command->accepted) {
		cli_error("--%s is no option of %s", word, name);
		return fail(name, status);
	}
	if (parse_value(key, optarg, options))
		return true;
	cli_error("--%s: '%s' is no good value", word, optarg ? optarg : "");
	return fail(name, status);
}

bool arguments_parse(const struct arguments_command *command, int argc, char **argv,
		     struct arguments *options, int *status)
{
	const char *name = argv[0];
	int key;

	set_defaults(command, options);
	optind = 0;
	while ((key = getopt_long(argc, argv, "v", words, NULL)) >= 0)
		if (!take_option(command, name, key == 'v' ? KEY_VERBOSE : key, options, status))
			return false;
	if (optind + 1 != argc) {
		cli_error(optind == argc ? "which trace?" : "one trace at a time");
		return fail(name, status);
	}
	if (options->to_ns && options->to_ns < options->from_ns) {
		cli_error("--to lies before --from");
		return fail(name, status);
	}
	options->folder = argv[optind];
	return true;
}
