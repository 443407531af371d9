/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Reads the options of `vadtrace record`; the first word that is no option begins the command. */

#include "tools/record/options.h"

#include "tools/lib/cli.h"
#include "tools/record/exit.h"
#include "trace/schema/schema.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum option_code {
	OPTION_MODE = 256,
	OPTION_CHILDREN,
	OPTION_CHECK,
	OPTION_QUARANTINE,
	OPTION_STACK_DEPTH,
	OPTION_MIN_SIZE,
	OPTION_COMMIT_LIMIT,
	OPTION_DISCARD,
	OPTION_MAX_BLOCK,
	OPTION_BUFFER_SIZE,
	OPTION_RELAY,
	OPTION_SNAPSHOT,
	OPTION_SNAPSHOT_ON,
	OPTION_LIBRARY,
	OPTION_PLAIN,
	OPTION_COMPRESS,
};

static const struct option long_options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "force", no_argument, NULL, 'f' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "mode", required_argument, NULL, OPTION_MODE },
	{ "check", optional_argument, NULL, OPTION_CHECK },
	{ "quarantine", required_argument, NULL, OPTION_QUARANTINE },
	{ "children", no_argument, NULL, OPTION_CHILDREN },
	{ "stack-depth", required_argument, NULL, OPTION_STACK_DEPTH },
	{ "min-size", required_argument, NULL, OPTION_MIN_SIZE },
	{ "commit-limit", required_argument, NULL, OPTION_COMMIT_LIMIT },
	{ "discard", no_argument, NULL, OPTION_DISCARD },
	{ "max-block", required_argument, NULL, OPTION_MAX_BLOCK },
	{ "buffer-size", required_argument, NULL, OPTION_BUFFER_SIZE },
	{ "relay", required_argument, NULL, OPTION_RELAY },
	{ "snapshot", optional_argument, NULL, OPTION_SNAPSHOT },
	{ "snapshot-on", required_argument, NULL, OPTION_SNAPSHOT_ON },
	{ "plain", optional_argument, NULL, OPTION_PLAIN },
	{ "compress", no_argument, NULL, OPTION_COMPRESS },
	{ "library", required_argument, NULL, OPTION_LIBRARY },
	{ NULL, 0, NULL, 0 },
};

static const char help[] =
	"usage: vadtrace record [options] [--] command [arguments]\n\n"
	"Runs a program and records all of its memory: every allocation with its call stack.\n\n"
	"  -o, --output DIR      write the trace to DIR (default vadtrace.PROGRAM.PID.trace)\n"
	"  -f, --force           replace an older trace in DIR\n"
	"      --mode MODE       route: memory is served by vadtrace (default)\n"
	"                        observe: by the C library or Wine, as without vadtrace\n"
	"                        verify: by Wine, whose answers are compared with vadtrace's\n"
	"      --check[=HOW]     look after blocks and report misuse, on standard error too\n"
	"                        pattern: bytes around blocks, and in freed ones (default)\n"
	"                        page: a guard page behind each block\n"
	"      --quarantine SIZE what freed blocks may keep with --check (default 64M)\n"
	"      --children        record the programs that it starts, too\n"
	"      --stack-depth N   at most N frames of each call stack, 0 to 256 (default 64)\n"
	"      --min-size SIZE   leave out blocks smaller than SIZE (default 0)\n"
	"      --commit-limit SIZE  memory that the program may commit (default: all there is)\n"
	"      --discard         lose events rather than hold the program up\n"
	"      --max-block TIME  hold it up for TIME at most before losing an event, such as\n"
	"                        500ms or 2s (default 60s); forever: no event is lost\n"
	"      --buffer-size SIZE  of each of the 8 buffers on each CPU, 64K to 64M (default 4M)\n"
	"      --snapshot[=SIZE] keep the newest events in memory, SIZE on each CPU (default\n"
	"                        32M), and write them to DIR/snapshot-N when asked to\n"
	"      --snapshot-on LIST  when to: of exit (default), crash, signal[=NAME],\n"
	"                        commit=SIZE, rss=SIZE; and on 'vadtrace snapshot'\n"
	"      --relay URL       stream to an lttng-relayd, for example net://host\n"
	"      --plain[=frames]  each call is an event of LTTng's, for babeltrace2 and Trace\n"
	"                        Compass: slower, and larger; frames: not for Trace Compass\n"
	"      --compress        compress the trace when the program has ended, as 'vadtrace\n"
	"                        compress' does\n"
	"      --library FILE    preload this libvadtrace.so\n"
	"  -q, --quiet           print errors and warnings only\n"
	"  -v, --verbose         print each step\n"
	"  -h, --help            print this help\n\n"
	"The exit status is the program's, or 113 to 127 when vadtrace itself failed; see\n"
	"vadtrace-record(1).\n";

static bool fail(const char *message, const char *value)
{
	cli_error(message, value);
	return false;
}

static bool parse_depth(uint32_t *depth, const char *text)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *text < '0' || *text > '9' || *end || value > VADTRACE_STACK_DEPTH_MAX)
		return fail("--stack-depth takes a number from 0 to 256, not '%s'", text);
	*depth = (uint32_t)value;
	return true;
}

/* LTTng wants a power of two: rounds up. False when it is not between two such. */
static bool parse_power(uint64_t *bytes, const char *text, uint64_t min, uint64_t max)
{
	uint64_t wanted;

	if (!cli_parse_size(text, &wanted) || wanted < min || wanted > max)
		return false;
	for (*bytes = min; *bytes < wanted; *bytes *= 2)
		continue;
	return true;
}

static bool parse_buffer(struct record_options *options, const char *text)
{
	if (!parse_power(&options->buffer_bytes, text, OPTIONS_BUFFER_BYTES_MIN,
			 OPTIONS_BUFFER_BYTES_MAX))
		return fail("--buffer-size takes a size from 64K to 64M, not '%s'", text);
	options->buffer_is_given = true;
	return true;
}

static bool parse_snapshot(struct record_options *options, const char *text)
{
	options->snapshot.bytes = OPTIONS_WINDOW_BYTES_DEFAULT;
	if (!text || parse_power(&options->snapshot.bytes, text, OPTIONS_WINDOW_BYTES_MIN,
				 OPTIONS_WINDOW_BYTES_MAX))
		return true;
	return fail("--snapshot takes a size from 256K to 1G, not '%s'", text);
}

static bool parse_snapshot_on(struct record_options *options, const char *text)
{
	options->snapshot.has_triggers = true;
	return triggers_parse(&options->snapshot.triggers, text);
}

/* A number of microseconds, milliseconds or seconds, up to half an hour, or "forever". */
static bool parse_block(struct record_options *options, const char *text)
{
	static const struct {
		const char *name;
		uint32_t microseconds;
	} units[] = { { "us", 1 }, { "ms", 1000 }, { "s", 1000000 } };
	char *end;
	unsigned long value;

	if (!strcmp(text, "forever")) {
		options->block_us = OPTIONS_BLOCK_FOR_EVER;
		return true;
	}
	errno = 0;
	value = strtoul(text, &end, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!errno && *text >= '0' && *text <= '9' && !strcmp(end, units[i].name) &&
		    value <= OPTIONS_BLOCK_US_MAX / units[i].microseconds) {
			options->block_us = (int32_t)(value * units[i].microseconds);
			return true;
		}
	return fail("--max-block takes forever or a time such as 500ms or 2s, up to 1800s, not "
		    "'%s'",
		    text);
}

static bool parse_mode(struct record_options *options, const char *text)
{
	if (strcmp(text, "route") && strcmp(text, "observe") && strcmp(text, "verify"))
		return fail("--mode takes route, observe or verify, not '%s'", text);
	options->mode = text;
	return true;
}

static bool parse_check(struct record_options *options, const char *text)
{
	options->check = text ? text : "pattern";
	if (strcmp(options->check, "pattern") && strcmp(options->check, "page"))
		return fail("--check takes pattern or page, not '%s'", text);
	return true;
}

static bool parse_plain(struct record_options *options, const char *text)
{
	options->is_plain = true;
	options->is_frames_only = text != NULL;
	if (text && strcmp(text, "frames"))
		return fail("--plain takes frames or nothing, not '%s'", text);
	return true;
}

static bool parse_quarantine(struct record_options *options, const char *text)
{
	if (!cli_parse_size(text, &options->quarantine_bytes))
		return fail("--quarantine takes a size such as 1M, not '%s'", text);
	return true;
}

static bool parse_min_size(struct record_options *options, const char *text)
{
	if (!cli_parse_size(text, &options->min_size_bytes))
		return fail("--min-size takes a size such as 4096 or 64K, not '%s'", text);
	return true;
}

static bool parse_commit_limit(struct record_options *options, const char *text)
{
	if (!cli_parse_size(text, &options->commit_limit_bytes) || !options->commit_limit_bytes)
		return fail("--commit-limit takes a size such as 64M, not '%s'", text);
	return true;
}

static bool parse_folder(struct record_options *options, const char *text)
{
	if (!*text)
		return fail("-o needs the name of a folder%s", text);
	if (!strcmp(text, "--"))
		return fail("-o needs the name of a folder before '%s'", text);
	options->folder = text;
	return true;
}

static bool parse_one(struct record_options *options, int code)
{
	switch (code) {
	case 'o':
		return parse_folder(options, optarg);
	case 'f':
		options->is_forced = true;
		return true;
	case 'q':
		options->is_quiet = true;
		return true;
	case 'v':
		options->is_verbose = true;
		return true;
	case OPTION_MODE:
		return parse_mode(options, optarg);
	case OPTION_CHECK:
		return parse_check(options, optarg);
	case OPTION_QUARANTINE:
		return parse_quarantine(options, optarg);
	case OPTION_CHILDREN:
		options->with_children = true;
		return true;
	case OPTION_STACK_DEPTH:
		return parse_depth(&options->stack_depth, optarg);
	case OPTION_MIN_SIZE:
		return parse_min_size(options, optarg);
	case OPTION_COMMIT_LIMIT:
		return parse_commit_limit(options, optarg);
	case OPTION_DISCARD:
		options->block_us = 0;
		return true;
	case OPTION_MAX_BLOCK:
		return parse_block(options, optarg);
	case OPTION_BUFFER_SIZE:
		return parse_buffer(options, optarg);
	case OPTION_SNAPSHOT:
		return parse_snapshot(options, optarg);
	case OPTION_SNAPSHOT_ON:
		return parse_snapshot_on(options, optarg);
	case OPTION_PLAIN:
		return parse_plain(options, optarg);
	case OPTION_COMPRESS:
		options->is_to_be_compressed = true;
		return true;
	case OPTION_RELAY:
		options->relay_url = optarg;
		return true;
	case OPTION_LIBRARY:
		options->library = optarg;
		return true;
	}
	return false;
}

static bool fail_usage(int *exit_status)
{
	cli_hint("vadtrace record --help lists the options");
	*exit_status = RECORD_EXIT_USAGE;
	return false;
}

/* getopt_long names the program by argv[0]. */
static bool parse_all(struct record_options *options, int argc, char **argv, int *exit_status)
{
	static char name[] = "vadtrace record";
	int code;

	argv[0] = name;
	optind = 0;
	while ((code = getopt_long(argc, argv, "+o:fqvh", long_options, NULL)) != -1) {
		if (code == 'h') {
			fputs(help, stdout);
			*exit_status = 0;
			return false;
		}
		if (!parse_one(options, code))
			return fail_usage(exit_status);
	}
	return true;
}

#define WRAPPER_NAME "liblttng-ust-libc-wrapper"

/* With LTTng's wrapper of malloc in the program too, each event would come twice. */
static bool has_wrapper(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload && strstr(preload, WRAPPER_NAME);
}

/* Only core's own blocks can be checked, and only what core commits can be refused. */
static bool check_combination(const struct record_options *options)
{
	if (options->check && strcmp(options->mode, "route"))
		return fail("--check needs --mode route, not '%s'", options->mode);
	if (options->commit_limit_bytes && strcmp(options->mode, "route"))
		return fail("--commit-limit needs --mode route, not '%s'", options->mode);
	if (options->snapshot.has_triggers && !options->snapshot.bytes)
		return fail("--snapshot-on needs %s", "--snapshot");
	if (options->snapshot.bytes && options->is_plain)
		return fail("%s cannot be combined with --plain", "--snapshot");
	if (options->is_plain && has_wrapper())
		return fail("--plain: LD_PRELOAD has %s, whose events are the same", WRAPPER_NAME);
	if (options->snapshot.bytes && options->relay_url)
		return fail("--snapshot writes to this machine, not to '%s'", options->relay_url);
	if (options->is_to_be_compressed && options->relay_url)
		return fail("--compress cannot reach what '%s' has written", options->relay_url);
	return true;
}

/* What is written at once beside a window is little. */
static void set_snapshot_defaults(struct record_options *options)
{
	if (!options->snapshot.bytes)
		return;
	if (!options->snapshot.has_triggers)
		options->snapshot.triggers.at_exit = true;
	if (!options->buffer_is_given)
		options->buffer_bytes = OPTIONS_BUFFER_BYTES_WINDOW;
}

bool options_parse(struct record_options *options, int argc, char **argv, int *exit_status)
{
	*options = (struct record_options){
		.mode = "route",
		.stack_depth = VADTRACE_STACK_DEPTH_DEFAULT,
		.buffer_bytes = OPTIONS_BUFFER_BYTES_DEFAULT,
		.quarantine_bytes = OPTIONS_QUARANTINE_DEFAULT,
		.block_us = OPTIONS_BLOCK_US_DEFAULT,
	};
	if (!parse_all(options, argc, argv, exit_status))
		return false;
	options->command = argv + optind;
	if (!check_combination(options))
		return fail_usage(exit_status);
	set_snapshot_defaults(options);
	if (optind < argc)
		return true;
	cli_error("which program? usage: vadtrace record [options] -- command [arguments]");
	return fail_usage(exit_status);
}
