/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The names of trace/schema/schema.h as a table. */

#include "tools/lib/decode.h"

#include <stdbool.h>
#include <string.h>

#include "core/event.h"
#include "trace/schema/schema.h"

static const struct decode_row rows[] = {
	{ "vadtrace_heap:batch", DECODE_BATCH, 0, { "tid", "begin_ns", "words" } },
	{ "vadtrace_heap:settled", DECODE_SETTLED, 0, { "until_ns" } },
	{ "vadtrace_heap:record", DECODE_RECORD, 0, { "tid", "time_ns", "words", "heap" } },
#define BLOCK_FIELDS                                                                    \
	{                                                                               \
		"time_ns", "address", "size_bytes", "alignment", "heap", "api", "stack" \
	}
	{ "vadtrace_heap:allocate", DECODE_BLOCK, EVENT_ALLOCATE, BLOCK_FIELDS },
	{ "vadtrace_heap:free", DECODE_BLOCK, EVENT_FREE, BLOCK_FIELDS },
	{ "vadtrace_heap:realloc_begin", DECODE_BLOCK, EVENT_REALLOC_BEGIN, BLOCK_FIELDS },
	{ "vadtrace_heap:realloc_end", DECODE_BLOCK, EVENT_REALLOC_END, BLOCK_FIELDS },
	{ "vadtrace_heap:realloc_failed", DECODE_BLOCK, EVENT_REALLOC_FAILED, BLOCK_FIELDS },
	{ "vadtrace_heap:allocate_failed", DECODE_BLOCK, EVENT_ALLOCATE_FAILED, BLOCK_FIELDS },
#define HEAP_FIELDS                                              \
	{                                                        \
		"heap", "api", "stack", "flags", "maximum_bytes" \
	}
	{ "vadtrace_heap:create", DECODE_HEAP, EVENT_HEAP_CREATE, HEAP_FIELDS },
	{ "vadtrace_heap:destroy", DECODE_HEAP, EVENT_HEAP_DESTROY, HEAP_FIELDS },
	{ "vadtrace_heap:error",
	  DECODE_ERROR,
	  EVENT_HEAP_ERROR,
	  { "address", "size_bytes", "heap", "misuse", "api", "stack", "block", "allocated_stack",
	    "freed_stack" } },
#define VAD_FIELDS                                                                           \
	{                                                                                    \
		"address", "size_bytes", "type", "protect", "extra", "owner", "api", "stack" \
	}
	{ "vadtrace_vm:reserve", DECODE_VAD, EVENT_VAD_RESERVE, VAD_FIELDS },
	{ "vadtrace_vm:commit", DECODE_VAD, EVENT_VAD_COMMIT, VAD_FIELDS },
	{ "vadtrace_vm:decommit", DECODE_VAD, EVENT_VAD_DECOMMIT, VAD_FIELDS },
	{ "vadtrace_vm:protect", DECODE_VAD, EVENT_VAD_PROTECT, VAD_FIELDS },
	{ "vadtrace_vm:release", DECODE_VAD, EVENT_VAD_RELEASE, VAD_FIELDS },
	{ "vadtrace_vm:reset", DECODE_VAD, EVENT_VAD_RESET, VAD_FIELDS },
	{ "vadtrace_vm:map", DECODE_VAD, EVENT_VAD_MAP, VAD_FIELDS },
	{ "vadtrace_vm:unmap", DECODE_VAD, EVENT_VAD_UNMAP, VAD_FIELDS },
	{ "vadtrace_vm:offer", DECODE_VAD, EVENT_VAD_OFFER, VAD_FIELDS },
	{ "vadtrace_vm:reclaim", DECODE_VAD, EVENT_VAD_RECLAIM, VAD_FIELDS },
	{ "vadtrace_meta:process",
	  DECODE_PROCESS,
	  0,
	  { "session", "schema_version", "mode", "parent_pid", "exe", "command_line", "comm",
	    "page_size", "stack_depth", "min_size", "reason", "fork_ns", "wine", "commit_limit" } },
	{ "vadtrace_meta:fork", DECODE_FORK, 0, { "fork_ns" } },
	{ "vadtrace_meta:exit", DECODE_EXIT, 0, { NULL } },
	{ "vadtrace_meta:thread", DECODE_THREAD, 0, { "tid", "name" } },
	{ "vadtrace_meta:module",
	  DECODE_MODULE,
	  0,
	  { "module", "base", "start", "end", "path", "build_id" } },
	{ "vadtrace_meta:pe_module",
	  DECODE_PE_MODULE,
	  0,
	  { "module", "base", "start", "end", "path", "timestamp", "image_size" } },
	{ "vadtrace_win:call", DECODE_CALL, 0, { "api", "result", "error", "stack", "arguments" } },
	{ "vadtrace_win:hook",
	  DECODE_HOOK,
	  0,
	  { "api", "function", "dll", "state", "reason", "address" } },
	{ "vadtrace_win:difference",
	  DECODE_DIFFERENCE,
	  0,
	  { "api", "what", "wine", "core", "stack", "arguments" } },
	{ "vadtrace_meta:module_gone", DECODE_MODULE_GONE, 0, { "module" } },
	{ "vadtrace_meta:stack", DECODE_STACK, 0, { "stack", "frames" } },
	{ "vadtrace_meta:stacks", DECODE_STACKS, 0, { "compared", "partial", "different" } },
	{ "vadtrace_meta:lost", DECODE_LOST, 0, { "count" } },
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

/* A plain recording has each call as LTTng's wrapper of malloc tells it, and LTTng's list of the
 * modules. */
static bool is_again(const char *name)
{
	static const char libc[] = VADTRACE_PROVIDER_LIBC ":", modules[] = VADTRACE_STATEDUMP ":";

	return !strncmp(name, libc, sizeof(libc) - 1) ||
	       !strncmp(name, modules, sizeof(modules) - 1);
}

const struct decode_row *decode_find_row(const char *name)
{
	static const struct decode_row again = { .name = "", .what = DECODE_AGAIN };

	for (int i = 0; name && i < ROW_COUNT; i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	return name && is_again(name) ? &again : NULL;
}

unsigned decode_find_field(const struct decode_row *row, const char *name)
{
	unsigned field = 0;

	while (field < DECODE_FIELDS && !(row->fields[field] && !strcmp(row->fields[field], name)))
		field++;
	return field;
}

void decode_clear(struct decoded *event, const struct decode_row *row)
{
	memset(event, 0, sizeof(*event));
	event->what = row->what;
	event->kind = row->kind;
	for (int i = 0; i < DECODE_FIELDS; i++)
		event->texts[i] = "";
}
