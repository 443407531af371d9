/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The command lines of report, leaks and info. */

#ifndef VADTRACE_TOOLS_ANALYSIS_ARGUMENTS_H
#define VADTRACE_TOOLS_ANALYSIS_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/analysis/tree.h"
#include "tools/lib/reader.h"

/* Whether a trace had to be read in part is told by this exit status (cli.h has the others). */
enum { ANALYSIS_EXIT_DAMAGED = 3 };

struct arguments {
	const char *folder;
	uint64_t top;                   /* sites in each section; UINT64_MAX: all */
	const struct tree_metric *sort; /* NULL: every section */
	const char *thread;
	uint64_t from_ns, to_ns;
	uint64_t pid;   /* 0: the one that was recorded first */
	uint64_t image; /* which program of that pid, counted from 1; 0: the last */
	const char *suppressions;
	const char *lender; /* of --metadata */
	enum reader_decoder reader;
	unsigned jobs;   /* threads at most */
	bool uses_cache; /* of symbols */
	bool is_verbose;
	bool is_json, has_color, shows_modules;
	bool shows_errors; /* nothing else */
	bool counts_unix;  /* Wine's Unix half too */
	unsigned width;    /* 0: lines are not cut */
	int error_exitcode;
};

/* What a command takes. Bits of `accepted`. */
enum {
	OPTION_TOP = 1 << 0,
	OPTION_SORT = 1 << 1,
	OPTION_FILTER = 1 << 2, /* --thread, --from, --to, --unix, --suppressions */
	OPTION_MODULES = 1 << 3,
	OPTION_EXITCODE = 1 << 4,
	OPTION_ERRORS = 1 << 5,
};

struct arguments_command {
	const char *usage; /* all of --help */
	unsigned accepted;
	uint64_t top;
};

/* Fills *options. True: go on. False: the command ends with *status (after --help, or an error). */
bool arguments_parse(const struct arguments_command *command, int argc, char **argv,
		     struct arguments *options, int *status);

#endif
