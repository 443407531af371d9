/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The command table. A first word that is no command but a trace's folder means `report`. */

#include "tools/commands.h"
#include "tools/lib/cli.h"

#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{ "record", cmd_record, "run a program and record its memory" },
	{ "snapshot", cmd_snapshot, "have a running recording write its newest events" },
	{ "report", cmd_report, "totals and call trees of a trace" },
	{ "leaks", cmd_leaks, "what was never freed, by call stack" },
	{ "info", cmd_info, "what a trace contains" },
	{ "verify", cmd_verify, "where Wine's answers and the documented ones differ" },
	{ "compress", cmd_compress, "make a finished trace smaller; it stays readable" },
	{ "export", cmd_export, "a trace in the form that other programs read" },
	{ "doctor", cmd_doctor, "can this machine, or this program, be traced?" },
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static void print_usage(FILE *stream)
{
	fputs("usage: vadtrace record [options] -- command [arguments]\n"
	      "       vadtrace [report] TRACE\n"
	      "       vadtrace COMMAND --help\n\n"
	      "Commands:\n",
	      stream);
	for (int i = 0; i < COMMAND_COUNT; i++)
		fprintf(stream, "  %-9s %s\n", commands[i].name, commands[i].summary);
	fputs("\nSee vadtrace(1), and vadtrace-COMMAND(1) for each command.\n", stream);
}

static const struct command *find_command(const char *name)
{
	for (int i = 0; i < COMMAND_COUNT; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int run_word(int argc, char **argv)
{
	const struct command *command = find_command(argv[1]);
	struct stat status;

	if (command)
		return command->run(argc - 1, argv + 1);
	if (stat(argv[1], &status) == 0 && S_ISDIR(status.st_mode))
		return cmd_report(argc, argv);
	cli_error("'%s' is neither a command nor a trace", argv[1]);
	cli_hint("vadtrace --help lists the commands");
	return CLI_EXIT_USAGE;
}

/* `help COMMAND` is `COMMAND --help`. */
static int help(int argc, char **argv)
{
	const struct command *command = argc > 2 ? find_command(argv[2]) : NULL;
	char option[] = "--help", *words[] = { argv[argc - 1], option, NULL };

	if (command && argc == 3)
		return command->run(2, words);
	print_usage(stdout);
	return CLI_EXIT_OK;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_usage(stderr);
		return CLI_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return help(argc, argv);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("vadtrace " PACKAGE_VERSION);
		return CLI_EXIT_OK;
	}
	return run_word(argc, argv);
}
