/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Names of NTSTATUS values that memory functions answer. Source: Microsoft's MS-ERREF. */

#ifndef VADTRACE_TOOLS_ANALYSIS_STATUS_H
#define VADTRACE_TOOLS_ANALYSIS_STATUS_H

#include <stdint.h>

/* "" for a value without a name here. */
const char *status_name(uint32_t status);

#endif
