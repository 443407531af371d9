/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Blocks as LTTng's own wrapper of malloc tells them. */

#ifndef VADTRACE_TRACE_PROVIDER_LIBC_H
#define VADTRACE_TRACE_PROVIDER_LIBC_H

#include "trace/provider/provider.h"

/* Fires the event of lttng_ust_libc that the block's happening is, if it is one. Called by way of
 * outside_call. */
void libc_fire(const struct provider_block *block);

#endif
