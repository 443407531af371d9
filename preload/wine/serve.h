/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The handlers: one per row of core/api.spec that says "route". Each answers the call (true), or
 * leaves it to Wine's own function (false), which the stub then calls. */

#ifndef VADTRACE_PRELOAD_WINE_SERVE_H
#define VADTRACE_PRELOAD_WINE_SERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/event.h"
#include "core/types.h"
#include "preload/config.h"
#include "preload/pe/call.h"

/* `api`: what the events of this call are told as, the outermost function that the program called.
 */
typedef bool (*serve_function)(struct hook_call *call, enum api api);
/* After Wine's own function has answered. */
typedef void (*serve_after)(struct hook_call *call, enum api api);

#define SERVE_DECLARE(name) bool serve_##name(struct hook_call *call, enum api api);
#define SERVE_DECLARE_ROW(id, name, dll, export, arguments, how) SERVE_DECLARE_##how(name)
#define SERVE_DECLARE_route(name) SERVE_DECLARE(name)
#define SERVE_DECLARE_pass(name)
API_HOOKS(SERVE_DECLARE_ROW)

/* How the calls are served: what was asked for, or observe where not all hooks could be set. */
enum config_mode serve_mode(void);

/* A handler that leaves a call to Wine may want to hear of its end. */
static inline bool serve_pass(struct hook_call *call, serve_after after)
{
	call->after = (uintptr_t)after;
	return false;
}

/* Not 0 while Wine works on a call that has been told as a whole: what that calls in turn is no
 * call of the program's. One for all calls inside the outermost one. */
uint32_t *serve_silence(struct hook_call *call);

static inline bool serve_answer(struct hook_call *call, uint64_t result)
{
	call->result = result;
	return true;
}

/* Stores a failure where GetLastError and RtlGetLastNtStatus find it. Gives whether it is none. */
bool serve_set_last_error(NTSTATUS status);

#endif
