/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Core's model of memory that Wine serves. It follows what Wine does and tells it as VAD events; in
 * verify mode core answers each question as well, and where it would have answered otherwise, that
 * is told.
 *
 * `asked` is the call as it came, `done` as Wine left it. */

#ifndef VADTRACE_PRELOAD_WINE_MODEL_H
#define VADTRACE_PRELOAD_WINE_MODEL_H

#include "core/types.h"
#include "preload/wine/operation.h"

/* Takes in what Wine has mapped before any hook stood. */
void model_begin(void);

void model_allocated(const struct operation *asked, const struct operation *done, NTSTATUS status);
void model_protected(const struct operation *asked, const struct operation *done, NTSTATUS status);
/* Before Wine frees, because somebody else may get the addresses at once: gives core's status. */
NTSTATUS model_free(const struct operation *asked);
void model_freed(const struct operation *asked, NTSTATUS model_status, const struct operation *done,
		 NTSTATUS status);
/* Before a call that answers with the protection that a page had. */
void model_forget_touched(enum api api, const void *address);
/* After Wine has answered a query. */
void model_queried(const struct hook_call *call, enum api api, const void *address,
		   const MEMORY_BASIC_INFORMATION *info, NTSTATUS status);
/* Wine has changed this range in ways that are its own. */
void model_take_in(enum api api, const void *base, size_t size_bytes);

#endif
