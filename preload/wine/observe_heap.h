/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Calls on heaps that Wine serves: told as core tells its own, before or after Wine has answered.
 * All leave the call to Wine. */

#ifndef VADTRACE_PRELOAD_WINE_OBSERVE_HEAP_H
#define VADTRACE_PRELOAD_WINE_OBSERVE_HEAP_H

#include <stdbool.h>

#include "core/event.h"
#include "preload/pe/call.h"

bool observe_allocate(struct hook_call *call, enum api api);
bool observe_reallocate(struct hook_call *call, enum api api);
bool observe_free(struct hook_call *call, enum api api);
bool observe_size(struct hook_call *call, enum api api);
bool observe_create(struct hook_call *call, enum api api);
bool observe_destroy(struct hook_call *call, enum api api);
bool observe_lock(struct hook_call *call, enum api api);
bool observe_unlock(struct hook_call *call, enum api api);
bool observe_validate(struct hook_call *call, enum api api);
bool observe_set_user_value(struct hook_call *call, enum api api);
bool observe_set_user_flags(struct hook_call *call, enum api api);
bool observe_set_information(struct hook_call *call, enum api api);

#endif
