/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Objects of json-c. Times are nanoseconds since the first process started, sizes bytes, addresses
 * hexadecimal text. */

#include "tools/analysis/json.h"
#include "tools/lib/xalloc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_number(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

static void put_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, text ? json_object_new_string(text) : NULL);
}

static void put_bool(struct json_object *object, const char *key, bool value)
{
	json_object_object_add(object, key, json_object_new_boolean(value));
}

static void put_address(struct json_object *object, const char *key, uint64_t address)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	put_text(object, key, text);
}

static void put_counts(struct json_object *object, const struct replay_counts *counts)
{
	put_number(object, "calls", counts->calls);
	put_number(object, "bytes", counts->bytes);
	put_number(object, "temporary", counts->temporary);
	put_number(object, "live_blocks", counts->live_blocks);
	put_number(object, "live_bytes", counts->live_bytes);
}

static void put_frame(struct json_object *object, const struct symbol_frame *frame)
{
	put_text(object, "function", frame->function);
	if (frame->file) {
		put_text(object, "file", frame->file);
		put_number(object, "line", (uint64_t)frame->line);
	}
	put_text(object, "module", frame->module);
	put_bool(object, "inlined", frame->is_inlined);
}

static struct json_object *json_lost(const struct analysis *analysis)
{
	const struct reader_summary *summary = &analysis->summary;
	struct json_object *object = json_object_new_object();

	put_number(object, "discarded_events", summary->discarded_events);
	put_number(object, "discarded_packets", summary->discarded_packets);
	put_number(object, "blocked_buffers", analysis_blocked_buffers(analysis));
	put_number(object, "lost_records", summary->lost_records);
	put_number(object, "late_records", summary->late_records);
	put_number(object, "cut_streams", summary->cut_streams);
	put_number(object, "cut_bytes", summary->cut_bytes);
	put_number(object, "unreadable_folders", summary->lost_folders);
	put_number(object, "lent_metadata", summary->lent_folders);
	put_number(object, "damaged_slots", summary->damaged_slots);
	put_text(object, "damage", summary->damage);
	return object;
}

static uint64_t since_start(const struct analysis *analysis, uint64_t time_ns)
{
	return time_ns > analysis->replay.start_ns ? time_ns - analysis->replay.start_ns : 0;
}

static struct json_object *json_snapshot(const struct analysis *analysis)
{
	const struct manifest_snapshot *snapshot = &analysis->manifest.snapshot;
	struct json_object *object = json_object_new_object();

	put_number(object, "number", snapshot->number);
	put_text(object, "reason", snapshot->reason);
	put_number(object, "begin_ns", since_start(analysis, snapshot->begin_ns));
	put_number(object, "end_ns", since_start(analysis, snapshot->end_ns));
	return object;
}

struct json_object *json_trace(const struct analysis *analysis)
{
	const struct reader_summary *summary = &analysis->summary;
	struct json_object *object = json_object_new_object();

	put_text(object, "folder", analysis->options.folder);
	put_number(object, "size_bytes", summary->size_bytes);
	put_number(object, "events", analysis_event_count(analysis));
	put_number(object, "lttng_events", summary->lttng_events);
	put_number(object, "foreign_events", summary->foreign_events);
	put_number(object, "repeated_events", summary->repeated_events);
	put_number(object, "batches", summary->batches);
	put_number(object, "live_records", summary->live_records);
	put_number(object, "processes", analysis->replay.process_count);
	if (analysis->has_manifest)
		put_bool(object, "complete", analysis->manifest.complete);
	if (analysis->manifest.clock.resolution_ns)
		json_object_object_add(object, "clock",
				       manifest_clock_json(&analysis->manifest.clock));
	if (analysis->manifest.snapshot.number)
		json_object_object_add(object, "snapshot", json_snapshot(analysis));
	put_bool(object, "damaged", analysis->is_damaged);
	put_bool(object, "lower_bounds", analysis->is_lossy);
	json_object_object_add(object, "lost", json_lost(analysis));
	return object;
}

struct json_object *json_process(const struct analysis *analysis,
				 const struct replay_process *process)
{
	struct json_object *object = json_object_new_object();

	put_number(object, "image", process->number);
	put_number(object, "pid", process->pid);
	put_number(object, "parent_pid", process->parent_pid);
	put_text(object, "begun_by", analysis_reason_name(process->reason));
	put_text(object, "executable", process->exe);
	put_text(object, "command_line", process->command_line);
	put_text(object, "name", process->comm);
	put_text(object, "mode", process->mode);
	put_text(object, "wine", process->wine);
	put_text(object, "session", process->session);
	put_number(object, "schema_version", process->schema_version);
	put_number(object, "page_size", process->page_size);
	put_number(object, "stack_depth", process->stack_depth);
	put_number(object, "min_size_bytes", process->min_size_bytes);
	put_number(object, "start_ns", since_start(analysis, process->start_ns));
	put_number(object, "end_ns", since_start(analysis, process->end_ns));
	put_bool(object, "exited", process->has_exited);
	return object;
}

struct json_object *json_totals(const struct replay_process *process)
{
	const struct replay_totals *totals = &process->totals;
	struct json_object *object = json_object_new_object();

	put_counts(object, &totals->counts);
	put_number(object, "allocate_calls", totals->allocate_calls);
	put_number(object, "realloc_calls", totals->realloc_calls);
	put_number(object, "free_calls", totals->free_calls);
	put_number(object, "failed_calls", totals->failed_calls);
	put_number(object, "unknown_frees", totals->unknown_frees);
	put_number(object, "older_frees", totals->older_frees);
	put_number(object, "inherited_blocks", totals->inherited_blocks);
	put_number(object, "inherited_bytes", totals->inherited_bytes);
	put_number(object, "inherited_frees", totals->inherited_frees);
	put_number(object, "tracer_calls", totals->tracer_calls);
	put_number(object, "tracer_bytes", totals->tracer_bytes);
	put_number(object, "wine_calls", totals->wine_calls);
	put_number(object, "wine_bytes", totals->wine_bytes);
	put_number(object, "destroyed_blocks", totals->destroyed_blocks);
	put_number(object, "double_live", totals->double_live);
	put_number(object, "peak_bytes", totals->peak_bytes);
	put_number(object, "peak_blocks", totals->peak_blocks);
	put_number(object, "peak_ns",
		   totals->peak_ns > process->start_ns ? totals->peak_ns - process->start_ns : 0);
	return object;
}

struct json_object *json_threads(const struct replay_process *process)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < process->thread_count; i++) {
		struct json_object *object = json_object_new_object();

		put_number(object, "tid", process->threads[i].tid);
		put_text(object, "name", process->threads[i].name);
		put_counts(object, &process->threads[i].counts);
		put_number(object, "free_calls", process->threads[i].free_calls);
		json_object_array_add(array, object);
	}
	return array;
}

struct json_object *json_sizes(const struct replay_process *process)
{
	struct json_object *array = json_object_new_array();

	for (unsigned class = 0; class < REPLAY_SIZE_CLASSES; class ++) {
		struct json_object *object;

		if (!process->sizes[class].calls)
			continue;
		object = json_object_new_object();
		put_number(object, "from_bytes", replay_class_floor(class));
		put_number(object, "to_bytes", class ? replay_class_floor(class + 1) - 1 : 0);
		put_counts(object, &process->sizes[class]);
		json_object_array_add(array, object);
	}
	return array;
}

struct json_object *json_functions(const struct replay_process *process)
{
	struct json_object *array = json_object_new_array();
	char buffer[16];

	for (size_t i = 0; i < analysis_function_count(process); i++) {
		struct analysis_function function = analysis_function(process, (uint16_t)i);
		struct json_object *object;

		if (!function.calls && !function.failed)
			continue;
		object = json_object_new_object();
		put_text(object, "function", analysis_api_name((uint16_t)i, buffer));
		put_number(object, "calls", function.calls);
		put_number(object, "bytes", function.bytes);
		put_number(object, "failed_calls", function.failed);
		json_object_array_add(array, object);
	}
	return array;
}

struct json_object *json_heaps(const struct replay_process *process)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < process->heap_count; i++) {
		const struct replay_heap *heap = &process->heaps[i];
		struct json_object *object = json_object_new_object();

		put_address(object, "heap", heap->handle);
		put_number(object, "maximum_bytes", heap->maximum_bytes);
		put_bool(object, "destroyed", heap->destroy_ns != 0);
		put_counts(object, &heap->counts);
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *json_usage(const struct space_usage *usage, const char *owner)
{
	struct json_object *object = json_object_new_object();

	put_text(object, "owner", owner);
	put_number(object, "reserved_bytes", usage->reserved_bytes);
	put_number(object, "peak_reserved_bytes", usage->peak_reserved_bytes);
	put_number(object, "committed_bytes", usage->committed_bytes);
	put_number(object, "peak_committed_bytes", usage->peak_committed_bytes);
	put_number(object, "offered_bytes", usage->offered_bytes);
	put_number(object, "peak_offered_bytes", usage->peak_offered_bytes);
	put_number(object, "reserve_calls", usage->reserve_calls);
	put_number(object, "release_calls", usage->release_calls);
	return object;
}

struct json_object *json_space(const struct replay_process *process)
{
	const struct space *space = &process->space;
	struct json_object *object = json_object_new_object();
	struct json_object *owners = json_object_new_array();

	for (unsigned owner = 0; owner < SPACE_OWNERS; owner++)
		json_object_array_add(
			owners, json_usage(&space->owners[owner], analysis_owner_name(owner)));
	json_object_object_add(object, "total", json_usage(&space->total, "total"));
	json_object_object_add(object, "owners", owners);
	put_number(object, "commit_calls", space->commit_calls);
	put_number(object, "decommit_calls", space->decommit_calls);
	put_number(object, "protect_calls", space->protect_calls);
	put_number(object, "reset_calls", space->reset_calls);
	put_number(object, "offer_calls", space->offer_calls);
	put_number(object, "reclaim_calls", space->reclaim_calls);
	put_number(object, "lost_reclaim_calls", space->lost_calls);
	return object;
}

static struct json_object *json_protection(const struct analysis *analysis, int bit,
					   const struct space_figure *figure)
{
	struct json_object *object = json_object_new_object();
	char name[64];

	put_text(object, "protection", analysis_protect_name(1u << bit, name));
	put_text(object, "system", analysis_system_protection(1u << bit));
	put_number(object, "committed_bytes", figure->bytes);
	put_number(object, "peak_committed_bytes", figure->peak_bytes);
	put_number(object, "peak_ns", since_start(analysis, figure->peak_ns));
	return object;
}

struct json_object *json_memory(const struct analysis *analysis,
				const struct replay_process *process)
{
	const struct space *space = &process->space;
	struct json_object *object = json_object_new_object();
	struct json_object *protections = json_object_new_array();

	put_number(object, "reserved_bytes", space->total.reserved_bytes);
	put_number(object, "peak_reserved_bytes", space->total.peak_reserved_bytes);
	put_number(object, "committed_bytes", space->total.committed_bytes);
	put_number(object, "peak_committed_bytes", space->total.peak_committed_bytes);
	put_number(object, "commit_charge_bytes", space->charge.bytes);
	put_number(object, "peak_commit_charge_bytes", space->charge.peak_bytes);
	put_number(object, "peak_commit_charge_ns", since_start(analysis, space->charge.peak_ns));
	put_number(object, "commit_limit_bytes", process->commit_limit_bytes);
	for (int bit = 0; bit < SPACE_PROTECTIONS; bit++)
		json_object_array_add(protections,
				      json_protection(analysis, bit, &space->protections[bit]));
	json_object_object_add(object, "protections", protections);
	return object;
}

/* Innermost frame first. */
static struct json_object *json_stack(const struct analysis *analysis, uint32_t node)
{
	const struct stacks *stacks = &analysis->replay.stacks;
	struct json_object *array = json_object_new_array();

	for (; node; node = stacks->nodes[node].parent) {
		const struct symbol *symbol =
			symbols_find(analysis->symbols, stacks->nodes[node].location);

		for (size_t i = 0; i < symbol->count; i++) {
			struct json_object *frame = json_object_new_object();

			put_frame(frame, &symbol->frames[i]);
			json_object_array_add(array, frame);
		}
	}
	return array;
}

static struct json_object *json_arguments(const struct windows_difference *difference)
{
	struct json_object *array = json_object_new_array();
	char text[24];

	for (size_t i = 0; i < difference->argument_count; i++) {
		snprintf(text, sizeof(text), "0x%" PRIx64, difference->arguments[i]);
		json_object_array_add(array, json_object_new_string(text));
	}
	return array;
}

struct json_object *json_differences(const struct analysis *analysis,
				     struct windows_difference *const *differences, size_t count)
{
	struct json_object *array = json_object_new_array();
	char buffer[16];

	for (size_t i = 0; i < count; i++) {
		const struct windows_difference *difference = differences[i];
		struct json_object *object = json_object_new_object();

		put_text(object, "function", analysis_api_name(difference->api, buffer));
		put_text(object, "what", difference->what);
		put_number(object, "count", difference->count);
		put_address(object, "wine", difference->wine);
		put_address(object, "core", difference->core);
		json_object_object_add(object, "arguments", json_arguments(difference));
		json_object_object_add(
			object, "stack",
			json_stack(analysis, analysis->target->sites[difference->site].node));
		json_object_array_add(array, object);
	}
	return array;
}

struct json_object *json_regions(struct analysis *analysis)
{
	struct json_object *array = json_object_new_array();
	size_t count;
	struct space_region *regions = analysis_regions(analysis->target, &count);
	char protect[64];

	for (size_t i = 0; i < count && i < analysis->options.top; i++) {
		struct json_object *object = json_object_new_object();

		put_address(object, "allocation_base", regions[i].base);
		put_number(object, "reserved_bytes", regions[i].reserved_bytes);
		put_number(object, "committed_bytes", regions[i].committed_bytes);
		put_text(object, "owner", analysis_owner_name(regions[i].owner));
		put_text(object, "protection", analysis_protect_name(regions[i].protect, protect));
		json_object_object_add(
			object, "stack",
			json_stack(analysis, analysis->target->sites[regions[i].site].node));
		json_object_array_add(array, object);
	}
	free(regions);
	return array;
}

static void put_stack(struct json_object *object, const char *key, const struct analysis *analysis,
		      uint32_t site)
{
	json_object_object_add(object, key,
			       json_stack(analysis, analysis->target->sites[site].node));
}

struct json_object *json_errors(const struct analysis *analysis)
{
	const struct errors *errors = &analysis->target->errors;
	struct json_object *array = json_object_new_array();
	char buffer[16];

	for (size_t i = 0; i < errors->count; i++) {
		const struct error *error = &errors->list[i];
		struct json_object *object = json_object_new_object();

		put_text(object, "function",
			 error->api ? analysis_api_name(error->api, buffer) : NULL);
		put_text(object, "misuse", errors_name(error->misuse));
		put_number(object, "count", error->count);
		put_number(object, "tid", error->tid);
		put_address(object, "address", error->address);
		put_address(object, "block", error->block);
		put_number(object, "size_bytes", error->size_bytes);
		put_address(object, "heap", error->heap);
		put_stack(object, "stack", analysis, error->site);
		put_stack(object, "allocated_by", analysis, error->allocated_site);
		put_stack(object, "freed_by", analysis, error->freed_site);
		json_object_array_add(array, object);
	}
	return array;
}

struct json_object *json_comparison(const struct replay_process *process)
{
	struct json_object *object = json_object_new_object();

	put_number(object, "compared", process->comparison.compared);
	put_number(object, "partial", process->comparison.partial);
	put_number(object, "different", process->comparison.different);
	return object;
}

struct json_object *json_hooks(const struct replay_process *process)
{
	struct json_object *array = json_object_new_array();
	char buffer[16];

	for (size_t i = 0; i < process->windows.hook_count; i++) {
		const struct windows_hook *hook = &process->windows.hooks[i];
		struct json_object *object = json_object_new_object();

		put_text(object, "function", analysis_api_name(hook->api, buffer));
		put_text(object, "dll", hook->dll);
		put_text(object, "export", hook->function);
		put_text(object, "state", hook->state);
		put_text(object, "reason", hook->reason);
		put_address(object, "address", hook->address);
		json_object_array_add(array, object);
	}
	return array;
}

struct json_object *json_modules(const struct analysis *analysis,
				 const struct replay_process *process)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < process->modules.count; i++) {
		const struct stacks_module *module = &process->modules.list[i];
		const struct stacks_file *file = &analysis->replay.stacks.files[module->file];
		struct json_object *object = json_object_new_object();

		put_text(object, "path", file->path);
		put_text(object, "build_id", file->build_id);
		put_address(object, "base", module->base);
		put_address(object, "start", module->start);
		put_address(object, "end", module->end);
		put_number(object, "load_ns", since_start(analysis, module->load_ns));
		if (module->gone_ns)
			put_number(object, "gone_ns", since_start(analysis, module->gone_ns));
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *json_node(const struct tree_metric *metric, const struct tree_node *node)
{
	struct json_object *object = json_object_new_object();
	struct json_object *callers;

	put_frame(object, &node->frame);
	put_number(object, metric->first_name, node->first);
	put_number(object, metric->second_name, node->second);
	if (!node->caller_count)
		return object;
	callers = json_object_new_array();
	for (size_t i = 0; i < node->caller_count; i++)
		json_object_array_add(callers, json_node(metric, node->callers[i]));
	json_object_object_add(object, "callers", callers);
	return object;
}

static struct json_object *json_figures(const struct tree_metric *metric, uint64_t first,
					uint64_t second)
{
	struct json_object *object = json_object_new_object();

	put_number(object, metric->first_name, first);
	put_number(object, metric->second_name, second);
	return object;
}

struct json_object *json_tree(const struct tree *tree)
{
	struct json_object *object = json_object_new_object();
	struct json_object *sites = json_object_new_array();

	for (size_t i = 0; i < tree->site_count; i++)
		json_object_array_add(sites, json_node(tree->metric, tree->sites[i]));
	json_object_object_add(object, "total",
			       json_figures(tree->metric, tree->total_first, tree->total_second));
	json_object_object_add(
		object, "suppressed",
		json_figures(tree->metric, tree->suppressed_first, tree->suppressed_second));
	json_object_object_add(object, "hidden",
			       json_figures(tree->metric, tree->hidden_first, tree->hidden_second));
	put_number(object, "hidden_sites", tree->hidden_count);
	json_object_object_add(object, "sites", sites);
	return object;
}

struct json_object *json_suppressions(const struct analysis *analysis)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < analysis->suppressions.count; i++) {
		const struct suppression *suppression = &analysis->suppressions.list[i];
		struct json_object *object = json_object_new_object();

		put_text(object, "pattern", suppression->pattern);
		put_number(object, "blocks", suppression->blocks);
		put_number(object, "bytes", suppression->bytes);
		json_object_array_add(array, object);
	}
	return array;
}

struct json_object *json_event_counts(const struct analysis *analysis)
{
	struct json_object *object = json_object_new_object();

	for (unsigned kind = 0; kind < READER_KINDS; kind++)
		if (analysis->summary.kinds[kind])
			put_number(object, analysis_kind_name(kind), analysis->summary.kinds[kind]);
	put_number(object, "definitions", analysis->summary.definitions);
	return object;
}

void json_print(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
							    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}
