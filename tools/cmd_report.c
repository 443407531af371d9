/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* vadtrace report: totals, sites and tables of one process of a trace. */

#include "tools/commands.h"
#include "tools/analysis/json.h"
#include "tools/analysis/text.h"
#include "tools/lib/cli.h"

#include <stdio.h>
#include <string.h>

static const struct arguments_command command = {
	.usage = "usage: vadtrace report [options] TRACE\n\n"
		 "  --top N                 sites in each section, or 'all' (10)\n"
		 "  --sort KEY              only one section; of blocks:\n"
		 "                          peak: live at the peak\n"
		 "                          leaked: live at the end\n"
		 "                          calls: most allocations\n"
		 "                          temporary: most that were freed at once\n"
		 "                          bytes: most bytes allocated\n"
		 "                          or of the address space:\n"
		 "                          committed: held at the peak of commit\n"
		 "                          reserved: held at the end\n"
		 "                          ranges: most calls\n"
		 "                          heap-committed: the heap's segments then\n"
		 "                          heap-reserved: the heap's segments at the end\n"
		 "                          heap-ranges: most calls for the heap's segments\n"
		 "  --thread TID|NAME       count only what this thread allocated\n"
		 "  --from SECONDS          count only what was allocated after ...\n"
		 "  --to SECONDS            ... and look no further than this\n"
		 "  --unix                  of a Windows program: what Wine's Unix half allocates "
		 "too\n"
		 "  --pid PID[:N]           another process; its N-th program after exec\n"
		 "  --suppressions FILE     leave out leaks, in LeakSanitizer's form\n"
		 "  --modules               list the modules\n"
		 "  --errors                only misused blocks and heaps\n"
		 "  --error-exitcode N      exit status when there are any (0)\n"
		 "  --metadata TRACE        read with another trace's metadata\n"
		 "  --reader NAME           who decodes the trace:\n"
		 "                          auto: own, else babeltrace (default)\n"
		 "                          own: vadtrace, fast, LTTng-UST's streams\n"
		 "                          babeltrace: libbabeltrace2, any CTF\n"
		 "  --jobs N                threads at most (as many as processors)\n"
		 "  --json                  for programs; see vadtrace-report(1)\n"
		 "  --width N               cut lines at N characters (terminal's width)\n"
		 "  --no-color              no bold headings\n"
		 "  --no-cache              look all symbols up anew\n"
		 "  --verbose, -v           say on stderr what became of the cache\n"
		 "  --help                  this text\n\n"
		 "Exit status: 0; N of --error-exitcode; 1 nothing could be read; 2 wrong call; 3 "
		 "the\n"
		 "trace is damaged and the report is about what could be read.\n",
	.accepted = OPTION_TOP | OPTION_SORT | OPTION_FILTER | OPTION_MODULES | OPTION_EXITCODE |
		    OPTION_ERRORS,
	.top = 10,
};

static void print_sites(struct analysis *analysis)
{
	for (size_t i = 0; i < tree_metric_count; i++) {
		struct tree *tree;

		if (!analysis_shows(analysis, &tree_metrics[i]))
			continue;
		tree = analysis_tree(analysis, &tree_metrics[i]);
		text_tree(analysis, tree);
		tree_destroy(tree);
	}
}

static void print_errors(const struct analysis *analysis)
{
	if (!analysis->target->errors.count)
		puts("\nNo block or heap was seen misused.");
	text_errors(analysis);
}

static void print_parts(struct analysis *analysis)
{
	text_totals(analysis);
	text_errors(analysis);
	print_sites(analysis);
	if (!analysis->options.sort) {
		text_threads(analysis);
		text_sizes(analysis);
		text_apis(analysis);
		text_heaps(analysis);
		text_space(analysis);
		if (text_has_memory(analysis->target)) {
			text_heading(analysis, "Virtual memory");
			text_memory(analysis, analysis->target);
		}
		text_regions(analysis);
		text_suppressions(analysis);
		text_others(analysis);
	}
	if (analysis->options.shows_modules) {
		text_heading(analysis, "Modules");
		text_modules(analysis, analysis->target);
	}
	text_hints(analysis);
}

static void print_text(struct analysis *analysis)
{
	text_loss(analysis);
	text_header(analysis);
	if (analysis->options.shows_errors)
		print_errors(analysis);
	else
		print_parts(analysis);
}

/* Keys have no '-'. */
static void add_section(struct json_object *sites, const struct tree *tree)
{
	char key[32];

	snprintf(key, sizeof(key), "%s", tree->metric->name);
	for (char *dash = key; (dash = strchr(dash, '-'));)
		*dash = '_';
	json_object_object_add(sites, key, json_tree(tree));
}

static struct json_object *make_sites(struct analysis *analysis)
{
	struct json_object *sites = json_object_new_object();

	for (size_t i = 0; i < tree_metric_count; i++) {
		struct tree *tree;

		if (analysis->options.sort && analysis->options.sort != &tree_metrics[i])
			continue;
		tree = analysis_tree(analysis, &tree_metrics[i]);
		add_section(sites, tree);
		tree_destroy(tree);
	}
	return sites;
}

static struct json_object *make_others(const struct analysis *analysis)
{
	struct json_object *others = json_object_new_array();

	for (size_t i = 0; i < analysis->replay.process_count; i++) {
		const struct replay_process *process = analysis->replay.processes[i];
		struct json_object *object;

		if (process == analysis->target)
			continue;
		object = json_process(analysis, process);
		json_object_object_add(object, "totals", json_totals(process));
		json_object_array_add(others, object);
	}
	return others;
}

static void print_json(struct analysis *analysis)
{
	struct json_object *report = json_object_new_object();
	const struct replay_process *target = analysis->target;

	json_object_object_add(report, "format", json_object_new_int(1));
	json_object_object_add(report, "trace", json_trace(analysis));
	json_object_object_add(report, "process", json_process(analysis, target));
	json_object_object_add(report, "totals", json_totals(target));
	json_object_object_add(report, "sites", make_sites(analysis));
	json_object_object_add(report, "threads", json_threads(target));
	json_object_object_add(report, "sizes", json_sizes(target));
	json_object_object_add(report, "functions", json_functions(target));
	json_object_object_add(report, "heaps", json_heaps(target));
	json_object_object_add(report, "address_space", json_space(target));
	json_object_object_add(report, "virtual_memory", json_memory(analysis, target));
	json_object_object_add(report, "regions", json_regions(analysis));
	json_object_object_add(report, "errors", json_errors(analysis));
	json_object_object_add(report, "modules", json_modules(analysis, target));
	json_object_object_add(report, "suppressions", json_suppressions(analysis));
	json_object_object_add(report, "other_processes", make_others(analysis));
	json_print(report);
}

static int print(struct analysis *analysis)
{
	int status;

	if (analysis->options.is_json)
		print_json(analysis);
	else
		print_text(analysis);
	status = analysis_status(analysis);
	if (analysis->target->errors.count && analysis->options.error_exitcode &&
	    status != CLI_EXIT_FAILURE)
		status = analysis->options.error_exitcode;
	return status;
}

int cmd_report(int argc, char **argv)
{
	return analysis_run(&command, argc, argv, print);
}
