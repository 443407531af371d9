/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The checking of blocks, where the recorder or the user asks for it: what core does not know. */

#ifndef VADTRACE_PRELOAD_CHECK_H
#define VADTRACE_PRELOAD_CHECK_H

#include <signal.h>

/* Before core has given a block. Called once, where core serves. */
void check_start(void);

/* In a handler: an instruction has raised the signal. Core has none of its own in a Wine process.
 */
void check_fault(int signal, const siginfo_t *info);

#endif
