/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What the recorder asks of us. Values that make no sense count as absent: the recorder checks what
 * its user writes, and we have no voice in somebody else's process. */

#ifndef VADTRACE_PRELOAD_CONFIG_H
#define VADTRACE_PRELOAD_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

/* Fixed after config_read. The strings are copies of our own, never NULL. */
struct config {
	bool observe;            /* else route */
	bool children;           /* programs started by exec are traced too */
	const char *session;     /* "": none */
	const char *live_folder; /* "": none */
	uint32_t stack_depth;
	uint64_t min_size_bytes;
};

/* Callable before the C library is ready. */
void config_read(void);
const struct config *config_get(void);

#endif
