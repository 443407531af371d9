/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* vadtrace leaks: the blocks that the program never released, by call stack. */

#include "tools/commands.h"
#include "tools/analysis/json.h"
#include "tools/analysis/text.h"
#include "tools/lib/cli.h"

static const struct arguments_command command = {
	.usage = "usage: vadtrace leaks [options] TRACE\n\n"
		 "  --top N                 sites at most, or 'all' (all)\n"
		 "  --suppressions FILE     leave out leaks, in LeakSanitizer's form\n"
		 "  --error-exitcode N      exit status when blocks are left (0)\n"
		 "  --thread TID|NAME       count only what this thread allocated\n"
		 "  --from SECONDS          count only what was allocated after ...\n"
		 "  --to SECONDS            ... and is live then\n"
		 "  --unix                  of a Windows program: what Wine's Unix half allocates "
		 "too\n"
		 "  --pid PID[:N]           another process; its N-th program after exec\n"
		 "  --metadata TRACE        read with another trace's metadata\n"
		 "  --reader NAME           who decodes the trace:\n"
		 "                          auto: own, else babeltrace (default)\n"
		 "                          own: vadtrace, fast, LTTng-UST's streams\n"
		 "                          babeltrace: libbabeltrace2, any CTF\n"
		 "  --jobs N                threads at most (as many as processors)\n"
		 "  --json                  for programs; see vadtrace-leaks(1)\n"
		 "  --width N               cut lines at N characters (terminal's width)\n"
		 "  --no-color              no bold headings\n"
		 "  --no-cache              look all symbols up anew\n"
		 "  --verbose, -v           say on stderr what became of the cache\n"
		 "  --help                  this text\n\n"
		 "Exit status: 0; N of --error-exitcode; 1 nothing could be read; 2 wrong call; 3 "
		 "the\n"
		 "trace is damaged and the list is about what could be read.\n",
	.accepted = OPTION_TOP | OPTION_FILTER | OPTION_EXITCODE,
	.top = UINT64_MAX,
};

static void print_text(const struct analysis *analysis, const struct tree *tree)
{
	const struct replay_totals *totals = &analysis->target->totals;

	text_loss(analysis);
	text_header(analysis);
	if (!totals->counts.live_blocks)
		puts("\nEvery block was released.");
	text_tree(analysis, tree);
	text_suppressions(analysis);
	if (totals->counts.live_blocks)
		puts("\nA block that the program could still reach when it ended is in this list "
		     "too:"
		     "\nthe trace knows releases, not pointers.");
	text_hints(analysis);
}

static void print_json(const struct analysis *analysis, const struct tree *tree)
{
	struct json_object *report = json_object_new_object();

	json_object_object_add(report, "format", json_object_new_int(1));
	json_object_object_add(report, "trace", json_trace(analysis));
	json_object_object_add(report, "process", json_process(analysis, analysis->target));
	json_object_object_add(report, "leaked", json_tree(tree));
	json_object_object_add(report, "suppressions", json_suppressions(analysis));
	json_print(report);
}

static bool has_leaks(const struct tree *tree)
{
	return tree->total_second > tree->suppressed_second;
}

static int print(struct analysis *analysis)
{
	struct tree *tree = analysis_tree(analysis, tree_find_metric("leaked"));

	if (analysis->options.is_json)
		print_json(analysis, tree);
	else
		print_text(analysis, tree);
	int status = analysis_status(analysis);
	if (has_leaks(tree) && analysis->options.error_exitcode && status != CLI_EXIT_FAILURE)
		status = analysis->options.error_exitcode;
	tree_destroy(tree);
	return status;
}

int cmd_leaks(int argc, char **argv)
{
	return analysis_run(&command, argc, argv, print);
}
