/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

#include "preload/wine/difference.h"

#include "preload/wine/serve.h"
#include "preload/recorder.h"

void difference_in(const struct hook_call *call, const char *what, uint64_t wine, uint64_t core)
{
	uint64_t arguments[HOOK_ARGUMENTS_MAX];
	const struct trace_difference difference = {
		.api = call->hook->api,
		.what = what,
		.wine = wine,
		.core = core,
		.argument_count = call->hook->arguments,
		.arguments = arguments,
	};

	if (serve_mode() != CONFIG_VERIFY || wine == core || !tracer->is_wanted())
		return;
	for (unsigned int i = 0; i < call->hook->arguments; i++)
		arguments[i] = hook_argument(call, i);
	tracer->difference(&difference);
}
