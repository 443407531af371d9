/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The constructor. It is linked last, so that the tracepoint providers of this object are
 * registered by then; libraries that we need have run theirs before. */

#include "preload/config.h"
#include "preload/environment.h"
#include "preload/process.h"
#include "preload/start.h"

__attribute__((constructor)) static void start(void)
{
	if (serve_now() == SERVE_NONE)
		return;
	process_trace();
	if (!config_get()->children)
		environment_withdraw();
}
