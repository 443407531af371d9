/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

#include "preload/wine/difference.h"

#include "preload/wine/serve.h"
#include "trace/trace.h"

static _Thread_local const struct hook_call *current;

void difference_of(const struct hook_call *call)
{
	current = call;
}

void difference_in(enum api api, const char *what, uint64_t wine, uint64_t core)
{
	uint64_t arguments[HOOK_ARGUMENTS_MAX];
	struct trace_difference difference = {
		.api = (uint16_t)api,
		.what = what,
		.wine = wine,
		.core = core,
		.arguments = arguments,
	};

	if (serve_mode() != CONFIG_VERIFY || wine == core || !trace_is_wanted())
		return;
	for (unsigned int i = 0; current && i < current->hook->arguments; i++)
		arguments[difference.argument_count++] = hook_argument(current, i);
	trace_difference(&difference);
}
