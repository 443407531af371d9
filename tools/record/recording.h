/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One recording from the first step to the last line. */

#ifndef VADTRACE_TOOLS_RECORD_RECORDING_H
#define VADTRACE_TOOLS_RECORD_RECORDING_H

#include "tools/record/options.h"
#include "tools/record/target.h"

/* Records options->command, which `target` describes and allows. The exit status: the program's, or
 * one of enum record_exit. Nothing of a recording that failed before the program ran is left. */
int recording_run(struct record_options *options, const struct target *target);

#endif
