/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The constructor and the destructor. The recorder's object, with LTTng behind it, is loaded in the
 * one; its destructors run after the other, or end in process_leave, too (record/record.c). */

#include "core/host.h"
#include "core/process/agent.h"
#include "preload/config.h"
#include "preload/environment.h"
#include "preload/follow.h"
#include "preload/native/handlers.h"
#include "preload/process.h"
#include "preload/recorder.h"
#include "preload/start.h"
#include "preload/wine/dispatch.h"
#include "preload/wine/program.h"
#include "preload/wine/suspend.h"

static void start_native(void)
{
	if (recorder_is_wanted()) {
		process_handle_forks();
		if (recorder_load() && config_get()->is_plain)
			handlers_take();
	}
	process_trace(config_get()->mode_name, /* wine */ NULL);
	if (config_get()->remote)
		(void)agent_start();
	if (config_get()->children)
		follow_remember();
	else
		environment_withdraw();
}

/* The loader makes the Windows program's environment of its own: there nothing is left of us, and
 * exec puts it in again for those that are to be traced. */
static void start_wine(void)
{
	process_handle_forks();
	if (program_kind() != PROGRAM_OF_WINE)
		follow_remember();
	environment_withdraw();
	if (program_kind() != PROGRAM_WINDOWS || !recorder_load())
		return;
	handlers_hold();
	suspend_start();
	dispatch_start();
}

__attribute__((constructor)) static void start(void)
{
	if (serve_now() == SERVE_NONE)
		return;
	if (program_kind() == PROGRAM_NATIVE)
		start_native();
	else
		start_wine();
}

/* Frees nothing: other libraries' destructors still allocate and free. The thread that ends the
 * process ends: what it has in FLS is given to the callbacks. */
__attribute__((destructor)) static void finish(void)
{
	core_thread_ends();
	process_leave();
}
