/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* vadtrace compress: makes a finished trace smaller, or again what it was. */

#include "tools/commands.h"
#include "tools/lib/cli.h"
#include "tools/lib/compress.h"

#include <getopt.h>
#include <stdio.h>

static const char help[] =
	"usage: vadtrace compress [options] TRACE\n\n"
	"Makes a finished trace several times smaller. All commands read it as before.\n\n"
	"  -d, --decompress   make it again what it was, to the byte\n"
	"  -q, --quiet        print errors and warnings only\n"
	"  -h, --help         print this help\n\n"
	"The exit status is 0; 1 when it could not be done: the trace is as good as before;\n"
	"2 for wrong words.\n";

static void print_result(const char *folder, const struct compress *compress)
{
	char before[16], after[16];

	if (compress->is_done_already)
		printf("%s is %s already\n", folder,
		       compress->is_decompressing ? "decompressed" : "compressed");
	else
		printf("%s -> %s (%.1f %%)\n", cli_format_bytes(compress->before_bytes, before),
		       cli_format_bytes(compress->after_bytes, after),
		       compress->before_bytes ? 100.0 * (double)compress->after_bytes /
							(double)compress->before_bytes
					      : 100.0);
}

static int fail_usage(void)
{
	cli_hint("vadtrace compress --help shows what can be given");
	return CLI_EXIT_USAGE;
}

int cmd_compress(int argc, char **argv)
{
	static const struct option words[] = { { "decompress", no_argument, NULL, 'd' },
					       { "quiet", no_argument, NULL, 'q' },
					       { "help", no_argument, NULL, 'h' },
					       { NULL, 0, NULL, 0 } };
	struct compress compress = { 0 };
	bool is_quiet = false;
	int key;

	optind = 0;
	while ((key = getopt_long(argc, argv, "dqh", words, NULL)) >= 0) {
		compress.is_decompressing |= key == 'd';
		is_quiet |= key == 'q';
		if (key == 'h')
			fputs(help, stdout);
		if (key == 'h' || key == '?')
			return key == 'h' ? CLI_EXIT_OK : fail_usage();
	}
	if (optind + 1 != argc) {
		cli_error(optind == argc ? "which trace?" : "one trace at a time");
		return fail_usage();
	}
	int status = compress_trace(argv[optind], &compress);
	if (status == CLI_EXIT_OK && !is_quiet)
		print_result(argv[optind], &compress);
	return status;
}
