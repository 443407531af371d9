/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* vadtrace verify: where Wine's answers and the documented ones, which core gives, differ. */

#include "tools/commands.h"
#include "tools/analysis/json.h"
#include "tools/analysis/status.h"
#include "tools/analysis/text.h"
#include "tools/lib/cli.h"
#include "tools/lib/table.h"
#include "tools/lib/xalloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct arguments_command command = {
	.usage = "usage: vadtrace verify [options] TRACE\n\n"
		 "  --top N                 causes of each function, or 'all' (10)\n"
		 "  --pid PID[:N]           another process; its N-th program after exec\n"
		 "  --error-exitcode N      exit status when there are differences (0)\n"
		 "  --jobs N                threads at most (as many as processors)\n"
		 "  --json                  for programs; see vadtrace-verify(1)\n"
		 "  --width N               cut lines at N characters (terminal's width)\n"
		 "  --no-color              no bold headings\n"
		 "  --no-cache              look all symbols up anew\n"
		 "  --verbose, -v           say on stderr what became of the cache\n"
		 "  --help                  this text\n\n"
		 "The trace must have been recorded with --mode verify.\n\n"
		 "Exit status: 0; 1 nothing could be read; 2 wrong call; 3 the trace is damaged.\n",
	.accepted = OPTION_TOP | OPTION_EXITCODE,
	.top = 10,
};

static int compare(const void *left, const void *right)
{
	const struct windows_difference *a = *(struct windows_difference *const *)left;
	const struct windows_difference *b = *(struct windows_difference *const *)right;

	if (a->api != b->api)
		return a->api < b->api ? -1 : 1;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return strcmp(a->what, b->what);
}

/* All differences, by function, the most frequent cause first. The caller frees the array. */
static struct windows_difference **sort(const struct windows *windows)
{
	size_t count = windows->difference_count;
	struct windows_difference **order = xcalloc(count + 1, sizeof(*order));

	for (size_t i = 0; i < count; i++)
		order[i] = &windows->differences[i];
	if (count)
		qsort(order, count, sizeof(struct windows_difference *), compare);
	return order;
}

static void print_answer(const struct windows_difference *difference, const char *who,
			 uint64_t answer)
{
	if (windows_is_status(difference->what))
		printf("    %s  0x%08" PRIx32 " %s\n", who, (uint32_t)answer,
		       status_name((uint32_t)answer));
	else
		printf("    %s  0x%" PRIx64 "\n", who, answer);
}

/* The first call of this cause, as it was made. */
static void print_call(const struct windows_difference *difference)
{
	char buffer[16];

	printf("    first %s(", analysis_api_name(difference->api, buffer));
	for (size_t i = 0; i < difference->argument_count; i++)
		printf("%s0x%" PRIx64, i ? ", " : "", difference->arguments[i]);
	puts(")");
}

static void print_cause(struct analysis *analysis, const struct windows_difference *difference)
{
	char digits[32];

	printf("  %s differs, %s time%s\n", difference->what,
	       table_format_count(difference->count, digits), difference->count == 1 ? "" : "s");
	print_answer(difference, "Wine ", difference->wine);
	print_answer(difference, "core ", difference->core);
	print_call(difference);
	text_stack(analysis, analysis->target->sites[difference->site].node, 6);
}

static void print_text(struct analysis *analysis)
{
	const struct windows *windows = &analysis->target->windows;
	struct windows_difference **order = sort(windows);
	uint64_t shown = 0;
	char buffer[16];

	text_loss(analysis);
	text_header(analysis);
	if (!windows->difference_count)
		puts("\nEvery answer that was compared is the same.");
	for (size_t i = 0; i < windows->difference_count; i++) {
		if (!i || order[i]->api != order[i - 1]->api) {
			text_heading(analysis, "%s", analysis_api_name(order[i]->api, buffer));
			shown = 0;
		}
		if (shown++ < analysis->options.top)
			print_cause(analysis, order[i]);
		else if (shown == analysis->options.top + 1)
			puts("  and more: --top all");
	}
	free(order);
}

static void print_json(struct analysis *analysis)
{
	struct windows_difference **order = sort(&analysis->target->windows);
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "format", json_object_new_int(1));
	json_object_object_add(object, "trace", json_trace(analysis));
	json_object_object_add(object, "process", json_process(analysis, analysis->target));
	json_object_object_add(
		object, "differences",
		json_differences(analysis, order, analysis->target->windows.difference_count));
	json_print(object);
	free(order);
}

static int print(struct analysis *analysis)
{
	if (strcmp(analysis->target->mode, "verify")) {
		cli_error("process %" PRIu32 " was recorded in mode %s: nothing was compared",
			  analysis->target->pid, analysis->target->mode);
		cli_hint("record a Windows program with: vadtrace record --mode verify -- ...");
		return CLI_EXIT_FAILURE;
	}
	if (analysis->options.is_json)
		print_json(analysis);
	else
		print_text(analysis);
	int status = analysis_status(analysis);
	if (!status && analysis->target->windows.difference_count)
		status = analysis->options.error_exitcode;
	return status;
}

int cmd_verify(int argc, char **argv)
{
	return analysis_run(&command, argc, argv, print);
}
