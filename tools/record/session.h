/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The LTTng session of a recording: a user-space channel with our events, written to a folder or to
 * a relay; and with options->snapshot a second one, the window, whose buffers keep the newest. */

#ifndef VADTRACE_TOOLS_RECORD_SESSION_H
#define VADTRACE_TOOLS_RECORD_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct record_options;

enum { SESSION_NAME_MAX = 64 };

/* How the requests to LTTng went. */
enum session_result {
	SESSION_OK,
	SESSION_REFUSED, /* a message said why */
	SESSION_SILENT,  /* the daemon does not answer; a message said so */
};

/* What LTTng says it did not write; see struct manifest_loss. */
struct session_loss {
	uint64_t events_discarded;
	uint64_t packets_lost;
	bool known;
};

/* The channel of the window: its streams are named after it. */
#define SESSION_WINDOW_CHANNEL "window"

/* The one session of this process, and that of the window. */
const char *session_name(void);
const char *session_window_name(void);

/* Creates and fills them: nothing is recorded yet. `folder` is absolute; only `pid` and nothing
 * else is recorded unless options->with_children. After failure the session does not exist. */
enum session_result session_create(const struct record_options *options, const char *folder,
				   pid_t pid);

enum session_result session_start(void);

/* The process that empties the buffers of the session that was started; 0: unknown. */
pid_t session_consumer(void);

/* What was lost so far, as far as LTTng has emptied its buffers. False: it does not say. */
bool session_look_at_loss(struct session_loss *loss);

/* Writes what the window holds to the new folder `to`, which is absolute. Recording goes on. */
enum session_result session_snapshot(const char *to);

/* Completes what was written so far: the session's folder holds it in archives/, and goes on with
 * files of a new folder. */
enum session_result session_rotate(void);

/* Stops, waits until the data is written, and reads the losses. The session exists until
 * session_destroy. is_interrupted may cut the wait short. */
enum session_result session_stop(struct session_loss *loss, bool (*is_interrupted)(void));

/* Also after failure of any other call; does nothing when there is no session. */
void session_destroy(void);

#endif
