/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* vadtrace export: a trace in the form that other programs read. */

#include "tools/commands.h"
#include "tools/export/ctf_text.h"
#include "tools/export/plain.h"
#include "tools/lib/cli.h"
#include "tools/lib/manifest.h"
#include "tools/lib/reader.h"
#include "tools/lib/snapshots.h"
#include "tools/lib/xalloc.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

static const char help[] =
	"usage: vadtrace export --format FORMAT -o DIR TRACE\n\n"
	"Writes a trace in the form that other programs read.\n\n"
	"      --format FORMAT\n"
	"                     ctf: one LTTng event for each call, for babeltrace2 and\n"
	"                     Trace Compass, as LTTng's own wrapper of malloc records them\n"
	"  -o, --output DIR   the folder to be made\n"
	"  -q, --quiet        print errors and warnings only\n"
	"  -h, --help         print this help\n\n"
	"Exit status: 0; 1 nothing could be written; 2 wrong call; 3 the trace is damaged and\n"
	"what could be read was written.\n";

enum { EXIT_DAMAGED = 3 };

struct arguments {
	const char *format, *output, *trace;
	bool is_quiet;
};

static int fail_usage(void)
{
	cli_hint("vadtrace export --help shows what can be given");
	return CLI_EXIT_USAGE;
}

static bool make_uuid(unsigned char uuid[16])
{
	if (getrandom(uuid, 16, 0) != 16)
		return false;
	uuid[6] = (unsigned char)((uuid[6] & 0x0f) | 0x40);
	uuid[8] = (unsigned char)((uuid[8] & 0x3f) | 0x80);
	return true;
}

static int fail_output(const char *output, int error)
{
	cli_progress_end();
	cli_error("%s: %s", output, strerror(-error));
	cli_hint(error == -EEXIST
			 ? "choose a folder that is not there yet with -o"
			 : "choose a folder with -o that you may write to, on a disk with room");
	return CLI_EXIT_FAILURE;
}

static int write_metadata(const struct arguments *arguments, const struct manifest *manifest,
			  const unsigned char uuid[16])
{
	char *path = xasprintf("%s/metadata", arguments->output);
	struct ctf_origin origin = { .uuid = uuid, .hostname = "" };
	int error;

	if (manifest) {
		origin.hostname = manifest->host.node;
		origin.offset_ns = manifest->start_realtime_ns - manifest->start_monotonic_ns;
	}
	error = ctf_text_write(path, &origin);
	free(path);
	return error;
}

static void print_result(const struct arguments *arguments, const struct reader_summary *summary,
			 uint64_t count)
{
	if (reader_is_lossy(summary))
		cli_warn("events are missing in %s; vadtrace info says which", arguments->trace);
	if (!arguments->is_quiet)
		printf("%" PRIu64 " events in %s\n", count, arguments->output);
}

static int export_trace(const struct arguments *arguments, const struct manifest *manifest,
			const unsigned char uuid[16])
{
	struct reader_input input = { .folder = arguments->trace };
	struct plain *plain = plain_create(arguments->output, uuid);
	struct reader_summary summary;
	enum reader_status status;
	uint64_t count;
	int error;

	if (manifest && *manifest->session) {
		input.session = manifest->session;
		input.pid = (uint32_t)manifest->pid;
	}
	if (manifest) {
		input.begin_ns = manifest->snapshot.begin_ns;
		input.end_ns = manifest->snapshot.end_ns;
	}
	status = reader_run(&input, plain_apply, plain, &summary);
	error = plain_finish(plain, &count);
	if (!error && status != READER_NO_TRACE)
		print_result(arguments, &summary, count);
	reader_summary_free(&summary);
	if (status == READER_NO_TRACE)
		return CLI_EXIT_FAILURE;
	if (error)
		return fail_output(arguments->output, error);
	return status == READER_DAMAGED ? EXIT_DAMAGED : CLI_EXIT_OK;
}

/* An older folder is not written into. */
static int run(const struct arguments *arguments)
{
	struct manifest manifest;
	bool has_manifest = manifest_read(arguments->trace, &manifest) == 0;
	const struct manifest *known = has_manifest ? &manifest : NULL;
	unsigned char uuid[16];
	int error = 0, status;

	if (!make_uuid(uuid))
		error = -EIO;
	else if (mkdir(arguments->output, 0777))
		error = -errno;
	else
		error = write_metadata(arguments, known, uuid);
	status = error ? fail_output(arguments->output, error)
		       : export_trace(arguments, known, uuid);
	if (has_manifest)
		manifest_free(&manifest);
	return status;
}

/* Of a recording with snapshots, the newest. */
static int resolve_and_run(const struct arguments *arguments)
{
	struct arguments resolved = *arguments;
	char *folder = snapshots_resolve(arguments->trace);
	int status = CLI_EXIT_FAILURE;

	resolved.trace = folder;
	if (folder)
		status = run(&resolved);
	free(folder);
	return status;
}

static int check(const struct arguments *arguments)
{
	struct stat status;

	if (!arguments->format) {
		cli_error("which format?");
		return fail_usage();
	}
	if (strcmp(arguments->format, "ctf")) {
		cli_error("--format: '%s' is no good value", arguments->format);
		return fail_usage();
	}
	if (!arguments->output) {
		cli_error("where to? -o names the folder");
		return fail_usage();
	}
	if (!stat(arguments->trace, &status) && S_ISDIR(status.st_mode))
		return resolve_and_run(arguments);
	cli_error("%s: no trace", arguments->trace);
	return CLI_EXIT_FAILURE;
}

/* False: the command ends with *status. */
static bool take_option(int key, struct arguments *arguments, int *status)
{
	switch (key) {
	case 'f':
		arguments->format = optarg;
		return true;
	case 'o':
		arguments->output = optarg;
		return true;
	case 'q':
		arguments->is_quiet = true;
		return true;
	case 'h':
		fputs(help, stdout);
		*status = CLI_EXIT_OK;
		return false;
	default:
		*status = fail_usage();
		return false;
	}
}

int cmd_export(int argc, char **argv)
{
	static const struct option words[] = { { "format", required_argument, NULL, 'f' },
					       { "output", required_argument, NULL, 'o' },
					       { "quiet", no_argument, NULL, 'q' },
					       { "help", no_argument, NULL, 'h' },
					       { NULL, 0, NULL, 0 } };
	struct arguments arguments = { 0 };
	int key, status;

	optind = 0;
	while ((key = getopt_long(argc, argv, "o:qh", words, NULL)) >= 0)
		if (!take_option(key, &arguments, &status))
			return status;
	if (optind + 1 != argc) {
		cli_error(optind == argc ? "which trace?" : "one trace at a time");
		return fail_usage();
	}
	arguments.trace = argv[optind];
	return check(&arguments);
}
