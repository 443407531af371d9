/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What the recorder asks of us. Values that make no sense count as absent: the recorder checks what
 * its user writes, and we have no voice in somebody else's process. */

#ifndef VADTRACE_PRELOAD_CONFIG_H
#define VADTRACE_PRELOAD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/host.h"

enum config_mode {
	CONFIG_ROUTE,   /* core serves */
	CONFIG_OBSERVE, /* the system serves, core keeps its model */
	CONFIG_VERIFY, /* the same, and where core would answer otherwise is told; natively: observe
			*/
};

/* Fixed after config_read. The strings are copies of our own, never NULL. */
struct config {
	enum config_mode mode;
	const char *mode_name;
	bool observe;            /* of malloc and mmap: the system serves */
	bool children;           /* programs started by exec are traced too */
	bool remote;             /* other processes are served */
	const char *session;     /* "": none */
	const char *live_folder; /* "": none */
	bool compares_stacks;
	bool is_plain; /* each block's happening is an event of LTTng's */
	uint32_t stack_depth;
	uint64_t min_size_bytes;
	uint64_t commit_limit_bytes; /* 0: none, also where core does not serve */
	enum checked_mode check;     /* CHECKED_NOT where core does not serve */
	size_t quarantine_bytes;
	const char *log_path; /* "": standard error */
};

/* Callable before the C library is ready. `is_native`: the process is none of Wine's. There core
 * leaves malloc and mmap to the system: Wine's own calls may hold locks that core's pager needs. */
void config_read(bool is_native);
const struct config *config_get(void);

#endif
