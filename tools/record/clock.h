/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The clock of the events, CLOCK_MONOTONIC, calibrated: what the kernel makes it of, what a reading
 * of it costs, and how it stands to the time of day. */

#ifndef VADTRACE_TOOLS_RECORD_CLOCK_H
#define VADTRACE_TOOLS_RECORD_CLOCK_H

#include "tools/lib/manifest.h"

/* Takes about a millisecond. clock->source is a static text. */
void clock_calibrate(struct manifest_clock *clock);

/* Whether a reading is a system call, or asks a device: each event would pay for it. */
bool clock_is_slow(const struct manifest_clock *clock);

#endif
