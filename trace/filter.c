/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One limit, set once before the first event. */

#include "trace/filter.h"

uint64_t filter_limit_bytes;

void filter_start(uint64_t min_size_bytes)
{
	filter_limit_bytes = min_size_bytes;
}
