/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Manifest, reader, replay and symbols put together, and the choice of the process to report. */

#include "tools/analysis/analysis.h"
#include "tools/lib/cli.h"
#include "tools/lib/snapshots.h"
#include "tools/lib/symbol_cache.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/api.h"
#include "core/types.h"

/* A trace without a manifest is read too: somebody else's recording of our events. */
static bool read_manifest(struct analysis *analysis)
{
	int error = manifest_read(analysis->options.folder, &analysis->manifest);

	analysis->has_manifest = !error;
	if (error == -ENOTSUP) {
		cli_error("%s was recorded by a newer vadtrace (format %" PRIu32 ")",
			  analysis->options.folder, analysis->manifest.format_version);
		cli_hint("read it with that version");
		return false;
	}
	if (error == -EBADMSG)
		cli_warn("%s/vadtrace.json is damaged and not used", analysis->options.folder);
	return true;
}

static struct replay_filter make_filter(const struct analysis *analysis)
{
	const struct arguments *options = &analysis->options;

	return (struct replay_filter){
		.detail_pid = options->pid,
		.from_ns = options->from_ns,
		.to_ns = options->to_ns,
		.thread = options->thread,
		.counts_wine = options->counts_unix,
		.is_childless = analysis->has_manifest && !analysis->manifest.options.children,
		.begin_ns = analysis->manifest.snapshot.begin_ns,
	};
}

/* The n-th image of the pid that the user asked for, or its last. */
static const struct replay_process *choose(const struct replay *replay,
					   const struct arguments *options)
{
	const struct replay_process *chosen = NULL;
	uint64_t number = 0;

	for (size_t i = 0; i < replay->process_count; i++) {
		const struct replay_process *process = replay->processes[i];

		if (process->pid != replay->filter.detail_pid)
			continue;
		if (!options->image || ++number == options->image)
			chosen = process;
	}
	return chosen;
}

/* Without a wish, a trace that does not know the recorded pid is about its first process. */
static int choose_target(struct analysis *analysis)
{
	const struct arguments *options = &analysis->options;
	struct replay *replay = &analysis->replay;

	analysis->target = choose(replay, options);
	if (analysis->target)
		return 0;
	if (options->pid) {
		cli_error("no process %" PRIu64 " in this trace", options->pid);
		cli_hint("vadtrace info %s lists the processes", options->folder);
		return CLI_EXIT_FAILURE;
	}
	if (!replay->process_count) {
		cli_error("%s: no process in this trace", options->folder);
		return CLI_EXIT_FAILURE;
	}
	analysis->target = replay->processes[0];
	return 0;
}

static int check_thread(const struct analysis *analysis)
{
	const char *wanted = analysis->options.thread;

	for (size_t i = 0; wanted && i < analysis->target->thread_count; i++)
		if (analysis->target->threads[i].is_wanted)
			return 0;
	if (!wanted)
		return 0;
	cli_error("process %" PRIu32 " has no thread '%s'", analysis->target->pid, wanted);
	cli_hint("vadtrace info %s lists the threads", analysis->options.folder);
	return CLI_EXIT_FAILURE;
}

/* Why the trace may lack its end, and what to do about it. */
static void explain_end(const struct manifest *manifest, struct reader_input *input)
{
	static char cause[128], advice[512];

	if (!manifest->complete)
		snprintf(cause, sizeof(cause), "the recording was not finished");
	else if (*manifest->stopped)
		snprintf(cause, sizeof(cause), "the recording broke off (%s)", manifest->stopped);
	else
		return;
	if (!manifest->complete)
		snprintf(advice, sizeof(advice),
			 "wait until vadtrace record has ended; if it was killed and its session "
			 "daemon still runs, 'lttng destroy %s' completes the trace",
			 manifest->session);
	else
		snprintf(advice, sizeof(advice),
			 "what reached the disk can be read with another trace's: 'vadtrace record "
			 "-o "
			 "other -- true', then add '--metadata other'; 'journalctl -k' tells "
			 "whether "
			 "the kernel killed LTTng's daemon for want of memory");
	input->cause = cause;
	input->advice = advice;
}

static bool has_several_processes(const struct replay *replay)
{
	for (size_t i = 1; i < replay->process_count; i++)
		if (replay->processes[i]->pid != replay->processes[0]->pid)
			return true;
	return false;
}

uint64_t analysis_blocked_buffers(const struct analysis *analysis)
{
	return has_several_processes(&analysis->replay) ? analysis->manifest.loss.blocked_buffers
							: 0;
}

/* Whether the recording itself knows that something is missing. */
static bool is_recorder_lossy(const struct analysis *analysis)
{
	const struct manifest_loss *loss = &analysis->manifest.loss;

	return analysis->has_manifest && analysis->manifest.complete && loss->known &&
	       (loss->events_discarded || loss->packets_lost || analysis_blocked_buffers(analysis));
}

static int read_trace(struct analysis *analysis)
{
	struct replay_filter filter = make_filter(analysis);
	const struct manifest *manifest = &analysis->manifest;
	struct reader_input input = {
		.folder = analysis->options.folder,
		.lender = analysis->options.lender,
		.decoder = analysis->options.reader,
		.records = replay_apply_records,
		.jobs = analysis->options.jobs,
		.begin_ns = manifest->snapshot.begin_ns,
		.end_ns = manifest->snapshot.end_ns,
	};

	if (analysis->has_manifest && *manifest->session) {
		input.session = manifest->session;
		input.pid = (uint32_t)manifest->pid;
	}
	if (analysis->has_manifest)
		explain_end(manifest, &input);
	replay_init(&analysis->replay, &filter);
	enum reader_status status =
		reader_run(&input, replay_apply, &analysis->replay, &analysis->summary);
	if (status == READER_NO_TRACE)
		return CLI_EXIT_FAILURE;
	replay_finish(&analysis->replay);
	analysis->is_damaged = status == READER_DAMAGED;
	analysis->is_lossy = reader_is_lossy(&analysis->summary) || is_recorder_lossy(analysis);
	int error = choose_target(analysis);
	return error ? error : check_thread(analysis);
}

/* Another version may have other events, or number them in another order. */
static bool check_lender(const struct analysis *analysis)
{
	const char *lender = analysis->options.lender;
	const struct manifest *own = &analysis->manifest;
	struct manifest manifest;
	bool is_same;

	if (!lender)
		return true;
	if (!analysis->has_manifest || manifest_read(lender, &manifest)) {
		cli_error("%s: no vadtrace.json that could be read",
			  analysis->has_manifest ? lender : analysis->options.folder);
		cli_hint("--metadata is for two folders that vadtrace record wrote");
		return false;
	}
	is_same = !strcmp(manifest.vadtrace_version, own->vadtrace_version) &&
		  manifest.schema_version == own->schema_version;
	manifest_free(&manifest);
	if (is_same)
		return true;
	cli_error("%s is of another version of vadtrace than %s", lender, analysis->options.folder);
	cli_hint("record the one that lends its metadata with vadtrace %s", own->vadtrace_version);
	return false;
}

static void open_symbols(struct analysis *analysis)
{
	char *folder = analysis->options.uses_cache ? symbol_cache_folder() : NULL;

	analysis->symbols = symbols_create(&analysis->replay.stacks);
	if (folder)
		symbols_use_cache(analysis->symbols, folder);
	free(folder);
}

/* Whether symbols can be kept decides about nothing but the next report's speed. */
static void close_symbols(struct analysis *analysis)
{
	struct symbols_recall recall = symbols_save_cache(analysis->symbols);

	if (analysis->options.is_verbose) {
		fprintf(stderr, "vadtrace: symbols: %zu locations from the cache, %zu new\n",
			recall.found, recall.added);
		if (recall.error)
			cli_warn("the cache of symbols cannot be written: %s",
				 strerror(-recall.error));
	}
	symbols_destroy(analysis->symbols);
}

int analysis_open(struct analysis *analysis, const struct arguments *options)
{
	struct stat status;

	memset(analysis, 0, sizeof(*analysis));
	analysis->options = *options;
	if (stat(options->folder, &status)) {
		cli_error("%s: %s", options->folder, strerror(errno));
		cli_hint("name the folder that vadtrace record has made");
		return CLI_EXIT_FAILURE;
	}
	if (!S_ISDIR(status.st_mode)) {
		cli_error("%s is no folder; a trace is one", options->folder);
		cli_hint("name the folder that vadtrace record has made");
		return CLI_EXIT_FAILURE;
	}
	if (options->suppressions &&
	    !suppressions_read(&analysis->suppressions, options->suppressions))
		return CLI_EXIT_FAILURE;
	analysis->folder = snapshots_resolve(options->folder);
	if (!analysis->folder)
		return CLI_EXIT_FAILURE;
	analysis->options.folder = analysis->folder;
	if (!read_manifest(analysis) || !check_lender(analysis))
		return CLI_EXIT_FAILURE;
	int error = read_trace(analysis);
	if (!error)
		open_symbols(analysis);
	return error;
}

void analysis_close(struct analysis *analysis)
{
	if (analysis->symbols)
		close_symbols(analysis);
	if (analysis->replay.stacks.files)
		replay_free(&analysis->replay);
	if (analysis->has_manifest)
		manifest_free(&analysis->manifest);
	suppressions_free(&analysis->suppressions);
	reader_summary_free(&analysis->summary);
	free(analysis->folder);
}

int analysis_status(const struct analysis *analysis)
{
	if (fflush(stdout) || ferror(stdout)) {
		cli_error("the output cannot be written: %s", strerror(errno));
		return CLI_EXIT_FAILURE;
	}
	return analysis->is_damaged ? ANALYSIS_EXIT_DAMAGED : CLI_EXIT_OK;
}

struct tree *analysis_tree(struct analysis *analysis, const struct tree_metric *metric)
{
	return tree_create(&analysis->replay, analysis->target, analysis->symbols,
			   &analysis->suppressions, metric, analysis->options.top);
}

bool analysis_shows(const struct analysis *analysis, const struct tree_metric *metric)
{
	return analysis->options.sort ? analysis->options.sort == metric : !metric->is_extra;
}

uint64_t analysis_event_count(const struct analysis *analysis)
{
	uint64_t count = 0;

	for (int i = 0; i < READER_KINDS; i++)
		count += analysis->summary.kinds[i];
	return count;
}

double analysis_bytes_per_event(const struct analysis *analysis)
{
	uint64_t count = analysis_event_count(analysis);

	return count ? (double)analysis->summary.size_bytes / (double)count : 0;
}

/* A function like GlobalAlloc is told as a call, and its block as one of a heap: it is one call. */
struct analysis_function analysis_function(const struct replay_process *process, uint16_t api)
{
	struct analysis_function function = { 0 };

	if (api < process->api_count)
		function = (struct analysis_function){ process->apis[api].calls,
						       process->apis[api].bytes,
						       process->apis[api].failed };
	if (api < process->windows.api_count && process->windows.calls[api].calls) {
		function.calls = process->windows.calls[api].calls;
		function.failed = process->windows.calls[api].failed;
	}
	return function;
}

size_t analysis_function_count(const struct replay_process *process)
{
	return process->api_count > process->windows.api_count ? process->api_count
							       : process->windows.api_count;
}

int analysis_run(const struct arguments_command *command, int argc, char **argv,
		 int (*print)(struct analysis *analysis))
{
	struct analysis analysis;
	struct arguments options;
	int status;

	if (!arguments_parse(command, argc, argv, &options, &status))
		return status;
	status = analysis_open(&analysis, &options);
	if (!status)
		status = print(&analysis);
	analysis_close(&analysis);
	return status;
}

const char *analysis_api_name(uint16_t api, char buffer[16])
{
#define API_CASE(id, name, family, kind) \
	case id:                         \
		return #name;
	switch (api) {
		API_TABLE(API_CASE)
	default:
		snprintf(buffer, 16, "? %u", api);
		return buffer;
	}
}

const char *analysis_kind_name(unsigned kind)
{
	static const char *const names[READER_KINDS] = {
		[EVENT_ALLOCATE] = "allocate",
		[EVENT_FREE] = "free",
		[EVENT_REALLOC_BEGIN] = "realloc_begin",
		[EVENT_REALLOC_END] = "realloc_end",
		[EVENT_REALLOC_FAILED] = "realloc_failed",
		[EVENT_ALLOCATE_FAILED] = "allocate_failed",
		[EVENT_HEAP_CREATE] = "heap_create",
		[EVENT_HEAP_DESTROY] = "heap_destroy",
		[EVENT_HEAP_ERROR] = "heap_error",
		[EVENT_VAD_RESERVE] = "reserve",
		[EVENT_VAD_COMMIT] = "commit",
		[EVENT_VAD_DECOMMIT] = "decommit",
		[EVENT_VAD_PROTECT] = "protect",
		[EVENT_VAD_RELEASE] = "release",
		[EVENT_VAD_RESET] = "reset",
		[EVENT_VAD_MAP] = "map",
		[EVENT_VAD_UNMAP] = "unmap",
		[EVENT_VAD_OFFER] = "offer",
		[EVENT_VAD_RECLAIM] = "reclaim",
	};

	return kind < READER_KINDS && names[kind] ? names[kind] : "?";
}

const char *analysis_reason_name(uint32_t reason)
{
	static const char *const names[] = {
		[TRACE_REASON_START] = "start",
		[TRACE_REASON_EXEC] = "exec",
		[TRACE_REASON_FORK] = "fork",
	};

	return reason <= TRACE_REASON_FORK ? names[reason] : "?";
}

const char *analysis_owner_name(unsigned owner)
{
	static const char *const names[SPACE_OWNERS] = {
		[SPACE_PRIVATE] = "private",
		[SPACE_MAPPED] = "mapped",
		[SPACE_HEAP] = "heap",
		[SPACE_OUTSIDE] = "outside",
	};

	return owner < SPACE_OWNERS ? names[owner] : "total";
}

const char *analysis_system_protection(uint32_t protect)
{
	switch (protect) {
	case PAGE_READONLY:
		return "r--";
	case PAGE_READWRITE:
	case PAGE_WRITECOPY:
		return "rw-";
	case PAGE_EXECUTE:
	case PAGE_EXECUTE_READ:
		return "r-x";
	case PAGE_EXECUTE_READWRITE:
	case PAGE_EXECUTE_WRITECOPY:
		return "rwx";
	default:
		return "---";
	}
}

const char *analysis_protect_name(uint32_t protect, char buffer[64])
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
		{ PAGE_NOACCESS, "NOACCESS" },
		{ PAGE_READONLY, "READONLY" },
		{ PAGE_READWRITE, "READWRITE" },
		{ PAGE_WRITECOPY, "WRITECOPY" },
		{ PAGE_EXECUTE, "EXECUTE" },
		{ PAGE_EXECUTE_READ, "EXECUTE_READ" },
		{ PAGE_EXECUTE_READWRITE, "EXECUTE_READWRITE" },
		{ PAGE_EXECUTE_WRITECOPY, "EXECUTE_WRITECOPY" },
		{ PAGE_GUARD, "GUARD" },
		{ PAGE_NOCACHE, "NOCACHE" },
		{ PAGE_WRITECOMBINE, "WRITECOMBINE" },
	};
	size_t used = 0;

	buffer[0] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((protect & names[i].bit) && used < 64)
			used += (size_t)snprintf(buffer + used, 64 - used, "%s%s", used ? "|" : "",
						 names[i].name);
	return buffer;
}

static int compare_regions(const void *left, const void *right)
{
	const struct space_region *a = left, *b = right;

	if (a->committed_bytes != b->committed_bytes)
		return a->committed_bytes > b->committed_bytes ? -1 : 1;
	if (a->reserved_bytes != b->reserved_bytes)
		return a->reserved_bytes > b->reserved_bytes ? -1 : 1;
	return a->base < b->base ? -1 : a->base > b->base;
}

struct space_region *analysis_regions(const struct replay_process *process, size_t *count)
{
	struct space_region *regions = space_regions(&process->space, count);
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++)
		if (process->sites[regions[i].site].sort != REPLAY_SITE_FOUND)
			regions[kept++] = regions[i];
	*count = kept;
	if (*count)
		qsort(regions, *count, sizeof(*regions), compare_regions);
	return regions;
}

const char *analysis_site_name(struct analysis *analysis, uint32_t site)
{
	return tree_site_name(&analysis->replay, analysis->symbols, &analysis->target->sites[site]);
}
