/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Lists that grow. There are few hooks, and few causes of differences: they are found by looking at
 * each. */

#include "tools/lib/windows.h"
#include "tools/lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

#include "core/api.h"

void windows_free(struct windows *windows)
{
	for (size_t i = 0; i < windows->hook_count; i++) {
		free(windows->hooks[i].function);
		free(windows->hooks[i].dll);
		free(windows->hooks[i].state);
		free(windows->hooks[i].reason);
	}
	for (size_t i = 0; i < windows->difference_count; i++)
		free(windows->differences[i].what);
	free(windows->hooks);
	free(windows->differences);
	free(windows->calls);
	memset(windows, 0, sizeof(*windows));
}

/* Whether the function answers an NTSTATUS. */
static bool gives_status(uint16_t api)
{
#define STATUS_CASE(id, name, family, kind) \
	case id:                            \
		return !strncmp(#name, "Nt", 2);
	switch (api) {
		API_TABLE(STATUS_CASE)
	default:
		return false;
	}
}

static bool is_failed(const struct trace_event *event)
{
	if (gives_status(event->api))
		return (int32_t)event->call->result < 0;
	return !event->call->result && event->call->error;
}

void windows_add_call(struct windows *windows, const struct trace_event *event)
{
	if (event->api >= windows->api_count) {
		size_t count = event->api + 1u;

		windows->calls = xreallocarray(windows->calls, count, sizeof(*windows->calls));
		memset(windows->calls + windows->api_count, 0,
		       (count - windows->api_count) * sizeof(*windows->calls));
		windows->api_count = count;
	}
	windows->calls[event->api].calls++;
	windows->calls[event->api].failed += is_failed(event);
}

/* A hook is told again when its state changes: the last word counts. */
static struct windows_hook *find_hook(struct windows *windows, uint16_t api)
{
	for (size_t i = 0; i < windows->hook_count; i++)
		if (windows->hooks[i].api == api)
			return &windows->hooks[i];
	windows->hooks = xgrow(windows->hooks, windows->hook_count, &windows->hook_capacity,
			       sizeof(*windows->hooks));
	struct windows_hook *hook = &windows->hooks[windows->hook_count++];
	memset(hook, 0, sizeof(*hook));
	hook->api = api;
	return hook;
}

static void set_text(char **text, const char *value)
{
	free(*text);
	*text = xstrdup(value);
}

void windows_add_hook(struct windows *windows, const struct trace_event *event)
{
	struct windows_hook *hook = find_hook(windows, event->api);

	hook->address = event->address;
	set_text(&hook->function, event->hook->function);
	set_text(&hook->dll, event->hook->dll);
	set_text(&hook->state, event->hook->state);
	set_text(&hook->reason, event->hook->reason);
}

bool windows_is_status(const char *what)
{
	return !strcmp(what, "status");
}

static bool is_same_cause(const struct windows_difference *known, const struct trace_event *event)
{
	const struct trace_difference *difference = event->difference;

	if (known->api != event->api || strcmp(known->what, difference->what))
		return false;
	return !windows_is_status(known->what) ||
	       (known->wine == difference->wine && known->core == difference->core);
}

static void add_difference(struct windows *windows, const struct trace_event *event, uint32_t site)
{
	const struct trace_difference *from = event->difference;

	windows->differences = xgrow(windows->differences, windows->difference_count,
				     &windows->difference_capacity, sizeof(*windows->differences));
	struct windows_difference *to = &windows->differences[windows->difference_count++];
	*to = (struct windows_difference){
		.api = event->api,
		.what = xstrdup(from->what),
		.wine = from->wine,
		.core = from->core,
		.count = 1,
		.site = site,
		.argument_count = from->argument_count < WINDOWS_ARGUMENTS ? from->argument_count
									   : WINDOWS_ARGUMENTS,
	};
	if (to->argument_count)
		memcpy(to->arguments, from->arguments, to->argument_count * sizeof(uint64_t));
}

void windows_add_difference(struct windows *windows, const struct trace_event *event, uint32_t site)
{
	for (size_t i = 0; i < windows->difference_count; i++)
		if (is_same_cause(&windows->differences[i], event)) {
			windows->differences[i].count++;
			return;
		}
	add_difference(windows, event, site);
}
