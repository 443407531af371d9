/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* vadtrace info: what a trace contains, before anything is made of it. */

#include "tools/commands.h"
#include "tools/analysis/json.h"
#include "tools/analysis/text.h"
#include "tools/lib/cli.h"
#include "tools/lib/table.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

static const struct arguments_command command = {
	.usage = "usage: vadtrace info [options] TRACE\n\n"
		 "  --metadata TRACE        read with another trace's metadata\n"
		 "  --reader NAME           who decodes the trace:\n"
		 "                          auto: own, else babeltrace (default)\n"
		 "                          own: vadtrace, fast, LTTng-UST's streams\n"
		 "                          babeltrace: libbabeltrace2, any CTF\n"
		 "  --jobs N                threads at most (as many as processors)\n"
		 "  --json                  for programs; see vadtrace-info(1)\n"
		 "  --width N               cut lines at N characters (terminal's width)\n"
		 "  --no-color              no bold headings\n"
		 "  --no-cache              look all symbols up anew\n"
		 "  --verbose, -v           say on stderr what became of the cache\n"
		 "  --help                  this text\n\n"
		 "Exit status: 0; 1 nothing could be read; 2 wrong call; 3 the trace is damaged.\n",
	.top = UINT64_MAX,
};

static void row(struct table *table, const char *name, const char *text)
{
	if (!text || !*text)
		return;
	table_add(table, name);
	table_add(table, text);
}

static void print_start(const struct manifest *manifest, struct table *table)
{
	time_t start = (time_t)(manifest->start_realtime_ns / 1000000000u);
	struct tm when;
	char text[64];

	if (!start || !localtime_r(&start, &when))
		return;
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z", &when);
	row(table, "started", text);
}

static void print_command(const struct manifest *manifest, struct table *table)
{
	char text[1024] = "";

	for (char **word = manifest->command; word && *word; word++) {
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used, "%s%s", used ? " " : "", *word);
	}
	row(table, "command", text);
}

static void print_snapshot(const struct manifest *manifest, struct table *table)
{
	const struct manifest_snapshot *snapshot = &manifest->snapshot;
	uint64_t begin_ns = snapshot->begin_ns ? snapshot->begin_ns : manifest->start_monotonic_ns;

	if (!snapshot->number)
		return;
	table_add(table, "snapshot");
	table_addf(table, "%" PRIu32 " (%s): blocks of the last %.3f s", snapshot->number,
		   snapshot->reason, (double)(snapshot->end_ns - begin_ns) / 1e9);
}

static void print_clock(const struct manifest *manifest, struct table *table)
{
	const struct manifest_clock *clock = &manifest->clock;

	if (!clock->resolution_ns)
		return;
	table_add(table, "clock");
	table_addf(table,
		   "CLOCK_MONOTONIC%s%s, steps of %" PRIu64 " ns, %" PRIu64
		   " ns a reading; CLOCK_REALTIME is ahead by %" PRIu64 ".%09" PRIu64
		   " s within %" PRIu64 " ns",
		   *clock->source ? " of " : "", clock->source, clock->resolution_ns,
		   clock->reading_ns, clock->realtime_offset_ns / 1000000000u,
		   clock->realtime_offset_ns % 1000000000u, clock->uncertainty_ns);
}

static void print_manifest(const struct analysis *analysis)
{
	const struct manifest *manifest = &analysis->manifest;
	struct table *table = table_create("ll");
	char size[16];

	row(table, "recorded by", manifest->vadtrace_version);
	row(table, "session", manifest->session);
	row(table, "mode", manifest->mode);
	print_snapshot(manifest, table);
	if (manifest->options.commit_limit_bytes)
		row(table, "commit limit",
		    cli_format_bytes(manifest->options.commit_limit_bytes, size));
	print_command(manifest, table);
	row(table, "executable", manifest->executable);
	row(table, "folder", manifest->cwd);
	table_add(table, "machine");
	table_addf(table, "%s: %s %s %s", manifest->host.node, manifest->host.system,
		   manifest->host.release, manifest->host.machine);
	print_start(manifest, table);
	print_clock(manifest, table);
	table_add(table, "duration");
	table_addf(table, "%.3f s%s", (double)manifest->duration_ns / 1e9,
		   manifest->complete ? "" : " (not finished)");
	table_print(table, stdout, "  ", analysis->options.width);
	table_destroy(table);
}

static void print_trace(const struct analysis *analysis)
{
	const struct reader_summary *summary = &analysis->summary;
	struct table *table = table_create("lr");
	char size[16], text[32];

	row(table, "size", cli_format_bytes(summary->size_bytes, size));
	row(table, "events", table_format_count(analysis_event_count(analysis), text));
	table_add(table, "bytes per event");
	table_addf(table, "%.1f", analysis_bytes_per_event(analysis));
	row(table, "LTTng events", table_format_count(summary->lttng_events, text));
	row(table, "of them batches", table_format_count(summary->batches, text));
	if (summary->repeated_events)
		row(table, "also in LTTng's form",
		    table_format_count(summary->repeated_events, text));
	row(table, "others' events", table_format_count(summary->foreign_events, text));
	row(table, "from killed processes", table_format_count(summary->live_records, text));
	if (summary->late_records)
		row(table, "out of order", table_format_count(summary->late_records, text));
	for (unsigned kind = 0; kind < READER_KINDS; kind++)
		if (summary->kinds[kind])
			row(table, analysis_kind_name(kind),
			    table_format_count(summary->kinds[kind], text));
	table_print(table, stdout, "  ", analysis->options.width);
	table_destroy(table);
}

/* How deep an image is below the first of its family. */
static int depth_of(const struct replay *replay, const struct replay_process *process)
{
	int depth = 0;

	while (process->parent < process->number && depth < 32) {
		process = replay->processes[process->parent];
		depth++;
	}
	return depth;
}

/* Negative before the first process event: records of a process that LTTng never heard of. */
static double seconds_since(uint64_t time_ns, uint64_t start_ns)
{
	return (double)(int64_t)(time_ns - start_ns) / 1e9;
}

static void print_family(const struct analysis *analysis, struct table *table, size_t number)
{
	const struct replay_process *process = analysis->replay.processes[number];
	int depth = depth_of(&analysis->replay, process);
	uint64_t start_ns = analysis->replay.start_ns;
	char text[32];

	table_addf(table, "%*s%" PRIu32, 2 * depth, "", process->pid);
	table_add(table, analysis_reason_name(process->reason));
	table_addf(table, "%.3f s", seconds_since(process->start_ns, start_ns));
	table_addf(table, "%.3f s", seconds_since(process->end_ns, start_ns));
	table_addf(table, "%zu", process->thread_count);
	table_add(table, table_format_count(process->totals.counts.calls, text));
	table_add(table, process->has_exited ? "exit" : "");
	table_add(table, *process->command_line ? process->command_line : process->exe);
	for (size_t i = number + 1; i < analysis->replay.process_count; i++)
		if (analysis->replay.processes[i]->parent == number)
			print_family(analysis, table, i);
}

static void print_processes(const struct analysis *analysis)
{
	static const char *const heads[] = { "pid",     "begun by", "from", "to",
					     "threads", "calls",    "end",  "command" };
	struct table *table = table_create("llrrrrll");

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		table_add(table, heads[i]);
	for (size_t i = 0; i < analysis->replay.process_count; i++)
		if (analysis->replay.processes[i]->parent == TRACE_NO_PROCESS)
			print_family(analysis, table, i);
	table_print(table, stdout, "  ", analysis->options.width);
	table_destroy(table);
}

static void print_threads(const struct analysis *analysis)
{
	struct table *table = table_create("rrlr");
	char text[32];

	table_add(table, "pid");
	table_add(table, "tid");
	table_add(table, "name");
	table_add(table, "calls");
	for (size_t i = 0; i < analysis->replay.process_count; i++) {
		const struct replay_process *process = analysis->replay.processes[i];

		for (size_t n = 0; n < process->thread_count; n++) {
			table_addf(table, "%" PRIu32, process->pid);
			table_addf(table, "%" PRIu32, process->threads[n].tid);
			table_add(table, process->threads[n].name);
			table_add(table,
				  table_format_count(process->threads[n].counts.calls, text));
		}
	}
	table_print(table, stdout, "  ", analysis->options.width);
	table_destroy(table);
}

/* Of a process whose stacks were compared. */
static void print_comparison(const struct analysis *analysis,
			     const struct trace_comparison *comparison)
{
	struct table *table = table_create("lr");
	char text[32];

	row(table, "compared", table_format_count(comparison->compared, text));
	row(table, "of them in part", table_format_count(comparison->partial, text));
	row(table, "different", table_format_count(comparison->different, text));
	table_print(table, stdout, "  ", analysis->options.width);
	table_destroy(table);
}

static void print_text(const struct analysis *analysis)
{
	text_loss(analysis);
	if (analysis->has_manifest) {
		text_heading(analysis, "Recording");
		print_manifest(analysis);
	}
	text_heading(analysis, "Trace");
	print_trace(analysis);
	text_heading(analysis, "Processes");
	print_processes(analysis);
	text_heading(analysis, "Threads");
	print_threads(analysis);
	for (size_t i = 0; i < analysis->replay.process_count; i++) {
		const struct replay_process *process = analysis->replay.processes[i];

		if (text_has_memory(process)) {
			text_heading(analysis, "Virtual memory of %" PRIu32, process->pid);
			text_memory(analysis, process);
		}
		if (process->windows.hook_count) {
			text_heading(analysis, "Hooks in %" PRIu32, process->pid);
			text_hooks(analysis, process);
		}
		if (process->comparison.compared) {
			text_heading(analysis, "Stacks of %" PRIu32 ", walked twice", process->pid);
			print_comparison(analysis, &process->comparison);
		}
		text_heading(analysis, "Modules of %" PRIu32, process->pid);
		text_modules(analysis, process);
	}
}

static void print_json(const struct analysis *analysis)
{
	struct json_object *info = json_object_new_object();
	struct json_object *processes = json_object_new_array();

	json_object_object_add(info, "format", json_object_new_int(1));
	json_object_object_add(info, "trace", json_trace(analysis));
	json_object_object_add(info, "event_counts", json_event_counts(analysis));
	for (size_t i = 0; i < analysis->replay.process_count; i++) {
		const struct replay_process *process = analysis->replay.processes[i];
		struct json_object *object = json_process(analysis, process);

		json_object_object_add(object, "threads", json_threads(process));
		json_object_object_add(object, "virtual_memory", json_memory(analysis, process));
		json_object_object_add(object, "hooks", json_hooks(process));
		json_object_object_add(object, "stack_comparison", json_comparison(process));
		json_object_object_add(object, "modules", json_modules(analysis, process));
		json_object_array_add(processes, object);
	}
	json_object_object_add(info, "processes", processes);
	json_print(info);
}

static int print(struct analysis *analysis)
{
	if (analysis->options.is_json)
		print_json(analysis);
	else
		print_text(analysis);
	return analysis_status(analysis);
}

int cmd_info(int argc, char **argv)
{
	return analysis_run(&command, argc, argv, print);
}
