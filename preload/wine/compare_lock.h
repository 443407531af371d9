/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Verify mode: who has locked which of Wine's heaps. Wine unlocks what nobody has locked, and says
 * that all is well. */

#ifndef VADTRACE_PRELOAD_WINE_COMPARE_LOCK_H
#define VADTRACE_PRELOAD_WINE_COMPARE_LOCK_H

#include "preload/pe/call.h"

/* After RtlLockHeap. */
void compare_locked(const struct hook_call *call);
/* Before RtlUnlockHeap; what core would answer is kept in call->before. After it. */
void compare_unlocking(struct hook_call *call);
void compare_unlocked(const struct hook_call *call);

#endif
