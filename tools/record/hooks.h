/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What `vadtrace doctor --wine` tells: which functions of an installed Wine can be hooked. The
 * preload decides by the same rules (preload/pe/plan). */

#ifndef VADTRACE_TOOLS_RECORD_HOOKS_H
#define VADTRACE_TOOLS_RECORD_HOOKS_H

#include <stdbool.h>

#include "preload/pe/plan/plan.h"

/* - plans[i] is that of hook_at(i);
 * - left_routed counts functions that core answers and that cannot be hooked. */
struct hooks {
	struct plan plans[HOOK_COUNT];
	unsigned int hooked, left, absent, left_routed;
};

/* Plans for the DLLs in a folder. False after a message. */
bool hooks_plan(struct hooks *hooks, const char *folder);

/* "hooked", "passed on" or "not present". */
const char *hooks_state_text(enum hook_state state);

#endif
