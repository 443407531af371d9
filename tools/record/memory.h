/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The files of a session's buffers, and what a killed writer left unfinished in them. */

#ifndef VADTRACE_TOOLS_RECORD_MEMORY_H
#define VADTRACE_TOOLS_RECORD_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

enum { MEMORY_PATH_MAX = 96 };

/* Where the buffers of the session of this name are. */
void memory_path(const char *session, char path[MEMORY_PATH_MAX]);

/* Whether something lies in the buffers that LTTng does not write. To be asked when it has stopped,
 * and has written what it can. */
bool memory_has_rest(const char *session);

/* How many buffers are full behind such a thing: LTTng drops what is written to them, uncounted.
 * To be asked as memory_has_rest. */
uint64_t memory_count_blocked(const char *session);

/* How many bytes LTTng has taken out of the buffers so far. */
uint64_t memory_count_consumed(const char *session);

/* How many packets the stream of this name has begun so far, counted from the session's start. */
uint64_t memory_count_packets(const char *session, const char *stream);

/* Writes that to a trace of its own, the new folder `to`. False: lttng-crash fails. */
bool memory_rescue(const char *session, const char *to);

/* Lets LTTng pass over it: else it keeps the buffers, and its daemon does not end. */
void memory_pass(const char *session);

/* The session is gone, or its daemon. */
void memory_remove(const char *session);

/* The same for all sessions whose recorder is gone. */
void memory_remove_stale(bool (*is_gone)(const char *session));

#endif
