/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Tables and lines on stdout. Bold and cut lines only for a terminal, as the options say. */

#include "tools/analysis/text.h"
#include "tools/lib/cli.h"
#include "tools/lib/table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char indent[] = "  ";

void text_heading(const struct analysis *analysis, const char *format, ...)
{
	va_list arguments;

	fputs(analysis->options.has_color ? "\n\033[1m" : "\n", stdout);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	puts(analysis->options.has_color ? "\033[0m" : "");
}

const char *text_count(const struct analysis *analysis, uint64_t count, char buffer[40])
{
	char digits[32];

	snprintf(buffer, 40, "%s%s", analysis->is_lossy ? ">= " : "",
		 table_format_count(count, digits));
	return buffer;
}

const char *text_bytes(const struct analysis *analysis, uint64_t bytes, char buffer[40])
{
	char size[16];

	snprintf(buffer, 40, "%s%s", analysis->is_lossy ? ">= " : "",
		 cli_format_bytes(bytes, size));
	return buffer;
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0.0;
}

static double seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

static double since_start(const struct analysis *analysis, uint64_t time_ns)
{
	uint64_t start_ns = analysis->replay.start_ns;

	return time_ns > start_ns ? seconds(time_ns - start_ns) : 0.0;
}

static void loss_line(uint64_t count, const char *what)
{
	char digits[32];

	if (count)
		printf("%s%s %s\n", indent, table_format_count(count, digits), what);
}

/* A snapshot that holds less than the whole run. */
static void tell_window(const struct analysis *analysis)
{
	const struct manifest_snapshot *snapshot = &analysis->manifest.snapshot;

	if (!snapshot->begin_ns)
		return;
	printf("This snapshot (%s) begins in the middle: it has the blocks of the last %.3f s.\n"
	       "Those that were there before are in no figure; their releases are 'older frees'.\n"
	       "Address space is told of from the program's start.\n\n",
	       snapshot->reason, (double)(snapshot->end_ns - snapshot->begin_ns) / 1e9);
}

void text_loss(const struct analysis *analysis)
{
	const struct reader_summary *summary = &analysis->summary;

	if (analysis->has_manifest && !analysis->manifest.complete)
		puts("The recording was not finished: what follows is what reached the disk.");
	else if (analysis->has_manifest && *analysis->manifest.stopped)
		printf("The recording broke off (%s): what follows is what reached the disk.\n",
		       analysis->manifest.stopped);
	tell_window(analysis);
	if (!analysis->is_lossy)
		return;
	puts("Events are missing from this trace:");
	loss_line(summary->discarded_events, "events that LTTng discarded for want of buffers");
	loss_line(summary->discarded_packets, "whole packets that LTTng overwrote or dropped");
	loss_line(
		analysis_blocked_buffers(analysis),
		"CPUs' buffers that a killed process blocked: others' later events are not there");
	loss_line(summary->lost_records, "records that the recorder could not write");
	loss_line(summary->cut_streams, "files that were cut short");
	loss_line(summary->cut_bytes, "bytes behind the last whole packet of those files");
	loss_line(summary->lost_folders, "folders that could not be read");
	loss_line(summary->lent_folders, "folders read with another trace's metadata");
	loss_line(summary->damaged_slots, "damaged pages of thread buffers");
	if (summary->damage)
		printf("%sreading stopped early: %s\n", indent, summary->damage);
	puts("Figures with '>=' are lower bounds. What is live may be more or less: releases can "
	     "be\n"
	     "among the missing.\n");
}

static void header_row(struct table *table, const char *name, const char *text)
{
	if (!text || !*text)
		return;
	table_add(table, name);
	table_add(table, text);
}

static void header_process(const struct analysis *analysis, struct table *table)
{
	const struct replay_process *target = analysis->target;
	const struct manifest *manifest = &analysis->manifest;
	char end[64] = "";

	if (analysis->has_manifest && manifest->end.known && manifest->pid == target->pid) {
		if (manifest->end.signal)
			snprintf(end, sizeof(end), ", killed by signal %d (%s)",
				 manifest->end.signal, strsignal(manifest->end.signal));
		else
			snprintf(end, sizeof(end), ", exit status %d", manifest->end.exit_status);
	} else if (!target->has_exited) {
		snprintf(end, sizeof(end), ", no orderly exit seen");
	}
	table_add(table, "process");
	table_addf(table, "%" PRIu32 ", %zu thread%s%s%s, %.3f s%s", target->pid,
		   target->thread_count, target->thread_count == 1 ? "" : "s",
		   *target->mode ? ", mode " : "", target->mode,
		   seconds(target->end_ns - target->start_ns), end);
}

void text_header(const struct analysis *analysis)
{
	const struct replay_process *target = analysis->target;
	const struct arguments *options = &analysis->options;
	struct table *table = table_create("ll");
	char size[16], digits[32];

	header_row(table, "program", target->exe);
	header_row(table, "command", target->command_line);
	header_process(analysis, table);
	if (*analysis->target->wine)
		header_row(table, "Wine", analysis->target->wine);
	table_add(table, "trace");
	table_addf(table, "%s: %s, %s events, %.1f bytes each", options->folder,
		   cli_format_bytes(analysis->summary.size_bytes, size),
		   table_format_count(analysis_event_count(analysis), digits),
		   analysis_bytes_per_event(analysis));
	if (options->thread)
		header_row(table, "only thread", options->thread);
	if (options->from_ns || options->to_ns) {
		table_add(table, "only from");
		table_addf(table, "%.3f s", seconds(options->from_ns));
		if (options->to_ns)
			table_addf(table, "to"),
				table_addf(table, "%.3f s", seconds(options->to_ns));
	}
	table_print(table, stdout, "", options->width);
	table_destroy(table);
}

static void total_row(struct table *table, const char *name, const char *figure, const char *note)
{
	table_add(table, name);
	table_add(table, figure);
	table_add(table, note);
}

/* Whether the figures are of a moment before the program's end. */
static bool ends_early(const struct analysis *analysis)
{
	const struct manifest *manifest = &analysis->manifest;

	return analysis->options.to_ns || (manifest->snapshot.number && !manifest->end.known);
}

static void total_live(const struct analysis *analysis, struct table *table)
{
	const struct replay_totals *totals = &analysis->target->totals;
	char text[64], size[16], digits[32], note[64];

	snprintf(text, sizeof(text), "%s%s", analysis->is_lossy ? "~ " : "",
		 cli_format_bytes(totals->counts.live_bytes, size));
	snprintf(note, sizeof(note), "in %s blocks",
		 table_format_count(totals->counts.live_blocks, digits));
	total_row(table, ends_early(analysis) ? "live then" : "live at exit", text, note);
}

static void total_peak(const struct analysis *analysis, struct table *table)
{
	const struct replay_totals *totals = &analysis->target->totals;
	char text[40], digits[32], note[80];

	snprintf(note, sizeof(note), "in %s blocks, after %.3f s",
		 table_format_count(totals->peak_blocks, digits),
		 since_start(analysis, totals->peak_ns));
	total_row(table, "peak", text_bytes(analysis, totals->peak_bytes, text), note);
}

static void total_optional(const struct analysis *analysis, struct table *table, const char *name,
			   uint64_t count, const char *note)
{
	char text[40];

	if (count)
		total_row(table, name, text_count(analysis, count, text), note);
}

void text_totals(const struct analysis *analysis)
{
	const struct replay_totals *totals = &analysis->target->totals;
	struct table *table = table_create("lrl");
	char text[40], note[64], digits[32];

	text_heading(analysis, "Heap");
	snprintf(note, sizeof(note), "of them %s reallocations",
		 table_format_count(totals->realloc_calls, digits));
	total_row(table, "allocations", text_count(analysis, totals->counts.calls, text),
		  totals->realloc_calls ? note : "");
	total_row(table, "allocated", text_bytes(analysis, totals->counts.bytes, text), "");
	total_row(table, "frees", text_count(analysis, totals->free_calls, text), "");
	total_peak(analysis, table);
	total_live(analysis, table);
	snprintf(note, sizeof(note), "%.1f %%, released by the thread's next heap call",
		 percent(totals->counts.temporary, totals->counts.calls));
	total_row(table, "temporary", text_count(analysis, totals->counts.temporary, text), note);
	total_optional(analysis, table, "refused", totals->failed_calls,
		       "calls that got no memory");
	total_optional(analysis, table, "destroyed", totals->destroyed_blocks,
		       "blocks that went with their heap");
	total_optional(analysis, table, "inherited", totals->inherited_blocks,
		       "blocks of the parent, in no other figure");
	total_optional(analysis, table, "tracer's", totals->tracer_calls,
		       "allocations of LTTng's library, in no other figure");
	total_optional(analysis, table, "Wine's", totals->wine_calls,
		       "allocations of Wine's Unix half, in no other figure (--unix)");
	total_optional(analysis, table, "older frees", totals->older_frees,
		       "of blocks from before the window");
	total_optional(analysis, table, "unknown frees", totals->unknown_frees,
		       "of blocks that are not in the trace");
	total_optional(analysis, table, "given twice", totals->double_live,
		       "addresses given out while live: a fault of the recorder");
	table_print(table, stdout, indent, analysis->options.width);
	table_destroy(table);
}

static void count_cells(const struct replay_counts *counts, struct table *table)
{
	char text[32], size[16];

	table_add(table, table_format_count(counts->calls, text));
	table_add(table, cli_format_bytes(counts->bytes, size));
	table_add(table, table_format_count(counts->temporary, text));
	table_add(table, table_format_count(counts->live_blocks, text));
	table_add(table, cli_format_bytes(counts->live_bytes, size));
}

static void count_heads(struct table *table)
{
	static const char *const heads[] = { "calls", "allocated", "temporary", "live blocks",
					     "live" };

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		table_add(table, heads[i]);
}

static int compare_threads(const void *left, const void *right)
{
	const struct replay_thread *a = *(struct replay_thread *const *)left;
	const struct replay_thread *b = *(struct replay_thread *const *)right;

	if (a->counts.bytes != b->counts.bytes)
		return a->counts.bytes > b->counts.bytes ? -1 : 1;
	return a->tid < b->tid ? -1 : a->tid > b->tid;
}

static void thread_row(const struct replay_thread *thread, struct table *table)
{
	char digits[32];

	table_addf(table, "%" PRIu32, thread->tid);
	table_add(table, thread->name);
	count_cells(&thread->counts, table);
	table_add(table, table_format_count(thread->free_calls, digits));
}

void text_threads(const struct analysis *analysis)
{
	const struct replay_process *target = analysis->target;
	size_t count = target->thread_count;
	struct replay_thread **order = calloc(count ? count : 1, sizeof(struct replay_thread *));
	struct table *table = table_create("rlrrrrrr");

	for (size_t i = 0; order && i < count; i++)
		order[i] = &target->threads[i];
	if (order && count)
		qsort(order, count, sizeof(struct replay_thread *), compare_threads);
	text_heading(analysis, "Threads");
	table_add(table, "tid");
	table_add(table, "name");
	count_heads(table);
	table_add(table, "frees");
	for (size_t i = 0; order && i < count && i < analysis->options.top; i++)
		thread_row(order[i], table);
	table_print(table, stdout, indent, analysis->options.width);
	if (count > analysis->options.top)
		printf("%sand %zu more\n", indent, count - (size_t)analysis->options.top);
	table_destroy(table);
	free(order);
}

static void size_label(unsigned class, struct table *table)
{
	char low[16], high[16];

	if (class < 2)
		table_addf(table, "%u B", class);
	else
		table_addf(table, "%s - %s", cli_format_bytes(replay_class_floor(class), low),
			   cli_format_bytes(replay_class_floor(class + 1) - 1, high));
}

void text_sizes(const struct analysis *analysis)
{
	struct table *table = table_create("rrrrrr");

	text_heading(analysis, "Sizes");
	table_add(table, "size");
	count_heads(table);
	for (unsigned class = 0; class < REPLAY_SIZE_CLASSES; class ++) {
		if (!analysis->target->sizes[class].calls)
			continue;
		size_label(class, table);
		count_cells(&analysis->target->sizes[class], table);
	}
	table_print(table, stdout, indent, analysis->options.width);
	table_destroy(table);
}

void text_apis(const struct analysis *analysis)
{
	const struct replay_process *target = analysis->target;
	struct table *table = table_create("lrrr");
	char buffer[16], text[32], size[16];

	text_heading(analysis, "Functions");
	table_add(table, "function");
	table_add(table, "calls");
	table_add(table, "allocated");
	table_add(table, "failed");
	for (size_t i = 0; i < analysis_function_count(target); i++) {
		struct analysis_function function = analysis_function(target, (uint16_t)i);

		if (!function.calls && !function.failed)
			continue;
		table_add(table, analysis_api_name((uint16_t)i, buffer));
		table_add(table, table_format_count(function.calls, text));
		table_add(table, function.bytes ? cli_format_bytes(function.bytes, size) : "");
		table_add(table, table_format_count(function.failed, text));
	}
	table_print(table, stdout, indent, analysis->options.width);
	table_destroy(table);
}

/* The first heap that a Windows process makes; number 0 is the C library's. */
static bool is_process_heap(const struct analysis *analysis, const struct replay_heap *heap)
{
	return *analysis->target->wine && heap == &analysis->target->heaps[1];
}

static void heap_row(const struct analysis *analysis, const struct replay_heap *heap,
		     struct table *table)
{
	if (!heap->handle)
		table_add(table,
			  *analysis->target->wine ? "C library (Unix half)" : "process heap");
	else
		table_addf(table, "0x%" PRIx64 "%s", heap->handle,
			   is_process_heap(analysis, heap) ? " (process heap)" : "");
	if (heap->create_ns)
		table_addf(table, "%.3f s", since_start(analysis, heap->create_ns));
	else
		table_add(table, "");
	if (heap->destroy_ns)
		table_addf(table, "%.3f s", since_start(analysis, heap->destroy_ns));
	else
		table_add(table, "");
	count_cells(&heap->counts, table);
}

void text_heaps(const struct analysis *analysis)
{
	const struct replay_process *target = analysis->target;
	struct table *table = table_create("lrrrrrrr");

	if (target->heap_count < 2) {
		table_destroy(table);
		return;
	}
	text_heading(analysis, "Heaps");
	table_add(table, "heap");
	table_add(table, "created");
	table_add(table, "destroyed");
	count_heads(table);
	for (size_t i = 0; i < target->heap_count && i < analysis->options.top; i++)
		if (i || !target->leaves_wine_out)
			heap_row(analysis, &target->heaps[i], table);
	table_print(table, stdout, indent, analysis->options.width);
	if (target->heap_count > analysis->options.top)
		printf("%sand %zu more\n", indent,
		       target->heap_count - (size_t)analysis->options.top);
	table_destroy(table);
}

static void space_row(const struct space_usage *usage, const char *name, struct table *table)
{
	char size[16], text[32];

	table_add(table, name);
	table_add(table, cli_format_bytes(usage->reserved_bytes, size));
	table_add(table, cli_format_bytes(usage->peak_reserved_bytes, size));
	table_add(table, cli_format_bytes(usage->committed_bytes, size));
	table_add(table, cli_format_bytes(usage->peak_committed_bytes, size));
	table_add(table, table_format_count(usage->reserve_calls, text));
	table_add(table, table_format_count(usage->release_calls, text));
}

static void print_offers(const struct space *space)
{
	char size[16], peak[16];

	if (!space->offer_calls && !space->total.peak_offered_bytes)
		return;
	printf("%soffered to the system: %s of the committed bytes, %s at most; %" PRIu64
	       " offers, %" PRIu64 " reclaims, %" PRIu64 " of them of what it had taken\n",
	       indent, cli_format_bytes(space->total.offered_bytes, size),
	       cli_format_bytes(space->total.peak_offered_bytes, peak), space->offer_calls,
	       space->reclaim_calls, space->lost_calls);
}

void text_space(const struct analysis *analysis)
{
	static const char *const heads[] = { "owner", "reserved", "peak",    "committed",
					     "peak",  "reserves", "releases" };
	const struct space *space = &analysis->target->space;
	struct table *table = table_create("lrrrrrr");

	if (!space->total.reserve_calls && !space->total.peak_reserved_bytes) {
		table_destroy(table);
		return;
	}
	text_heading(analysis, "Address space");
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		table_add(table, heads[i]);
	for (unsigned owner = 0; owner < SPACE_OWNERS; owner++)
		if (owner != SPACE_OUTSIDE || space->owners[owner].reserve_calls)
			space_row(&space->owners[owner], analysis_owner_name(owner), table);
	space_row(&space->total, "total", table);
	table_print(table, stdout, indent, analysis->options.width);
	table_destroy(table);
	print_offers(space);
}

void text_regions(struct analysis *analysis)
{
	size_t count, top;
	struct space_region *regions = analysis_regions(analysis->target, &count);
	struct table *table = table_create("rrrlll");
	char size[16], protect[64];

	top = count < analysis->options.top ? count : (size_t)analysis->options.top;
	if (count)
		text_heading(analysis, "Regions at the end");
	table_add_row(table, (const char *const[]){ "allocation base", "reserved", "committed",
						    "owner", "protection", "reserved by", NULL });
	for (size_t i = 0; i < top; i++) {
		table_addf(table, "0x%" PRIx64, regions[i].base);
		table_add(table, cli_format_bytes(regions[i].reserved_bytes, size));
		table_add(table, cli_format_bytes(regions[i].committed_bytes, size));
		table_add(table, analysis_owner_name(regions[i].owner));
		table_add(table, analysis_protect_name(regions[i].protect, protect));
		table_add(table, analysis_site_name(analysis, regions[i].site));
	}
	if (count)
		table_print(table, stdout, indent, analysis->options.width);
	if (count > top)
		printf("%sand %zu more\n", indent, count - top);
	table_destroy(table);
	free(regions);
}

void text_hooks(const struct analysis *analysis, const struct replay_process *process)
{
	const struct windows *windows = &process->windows;
	struct table *table = table_create("lllrl");
	char buffer[16];

	for (size_t i = 0; i < windows->hook_count; i++) {
		const struct windows_hook *hook = &windows->hooks[i];

		table_add(table, analysis_api_name(hook->api, buffer));
		table_addf(table, "%s!%s", hook->dll, hook->function);
		table_add(table, hook->state);
		if (hook->address)
			table_addf(table, "0x%" PRIx64, hook->address);
		else
			table_add(table, "");
		table_add(table, hook->reason);
	}
	table_print(table, stdout, indent, analysis->options.width);
	table_destroy(table);
}

void text_modules(const struct analysis *analysis, const struct replay_process *process)
{
	struct table *table = table_create("rrrrll");
	static const char *const heads[] = { "start",    "end",      "loaded",
					     "unloaded", "build-id", "file" };

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		table_add(table, heads[i]);
	for (size_t i = 0; i < process->modules.count; i++) {
		const struct stacks_module *module = &process->modules.list[i];
		const struct stacks_file *file = &analysis->replay.stacks.files[module->file];

		table_addf(table, "%" PRIx64, module->start);
		table_addf(table, "%" PRIx64, module->end);
		table_addf(table, "%.3f s", since_start(analysis, module->load_ns));
		if (module->gone_ns)
			table_addf(table, "%.3f s", since_start(analysis, module->gone_ns));
		else
			table_add(table, "");
		table_add(table, file->build_id);
		table_add(table, file->path);
	}
	table_print(table, stdout, indent, analysis->options.width);
	table_destroy(table);
}

void text_others(const struct analysis *analysis)
{
	const struct replay *replay = &analysis->replay;
	struct table *table = table_create("rlrrrl");
	static const char *const heads[] = { "pid",       "begun by", "calls",
					     "allocated", "peak",     "command" };
	char text[32], size[16];

	if (replay->process_count < 2) {
		table_destroy(table);
		return;
	}
	text_heading(analysis, "Other processes (--pid PID reports one)");
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		table_add(table, heads[i]);
	size_t shown = 0;
	for (size_t i = 0; i < replay->process_count; i++) {
		const struct replay_process *process = replay->processes[i];

		if (process == analysis->target || shown++ >= analysis->options.top)
			continue;
		table_addf(table, "%" PRIu32, process->pid);
		table_add(table, analysis_reason_name(process->reason));
		table_add(table, table_format_count(process->totals.counts.calls, text));
		table_add(table, cli_format_bytes(process->totals.counts.bytes, size));
		table_add(table, cli_format_bytes(process->totals.peak_bytes, size));
		table_add(table, *process->command_line ? process->command_line : process->exe);
	}
	table_print(table, stdout, indent, analysis->options.width);
	if (shown > analysis->options.top)
		printf("%sand %zu more\n", indent, shown - (size_t)analysis->options.top);
	table_destroy(table);
}

void text_suppressions(const struct analysis *analysis)
{
	const struct suppressions *suppressions = &analysis->suppressions;
	struct table *table = table_create("rrl");
	char text[32], size[16];

	if (!suppressions->count) {
		table_destroy(table);
		return;
	}
	text_heading(analysis, "Suppressions");
	table_add(table, "blocks");
	table_add(table, "bytes");
	table_add(table, "pattern");
	for (size_t i = 0; i < suppressions->count; i++) {
		const struct suppression *suppression = &suppressions->list[i];

		table_add(table, table_format_count(suppression->blocks, text));
		table_add(table, cli_format_bytes(suppression->bytes, size));
		table_add(table, suppression->pattern);
	}
	table_print(table, stdout, indent, analysis->options.width);
	table_destroy(table);
}

void text_hints(const struct analysis *analysis)
{
	const struct replay_totals *totals = &analysis->target->totals;
	size_t missing = symbols_missing_count(analysis->symbols);

	if (missing)
		printf("\nhint: %zu module%s cannot be symbolised: the file is gone or of another "
		       "build\n",
		       missing, missing == 1 ? "" : "s");
	if (totals->unknown_frees && analysis->target->min_size_bytes)
		printf("\nhint: blocks below %" PRIu64 " bytes were not recorded; their releases "
		       "count as unknown frees\n",
		       analysis->target->min_size_bytes);
	if (totals->double_live)
		puts("\nhint: an address given out twice is a fault of vadtrace: please report it");
}
