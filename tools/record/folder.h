/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The folder that a recording is written to: made, tidied, measured, and taken back after failure.
 *
 *   DIR/vadtrace.json   DIR/ust/ (LTTng's)   DIR/live/ (the traced processes')
 *
 * With snapshots LTTng's folder is DIR/base, and goes at the end, as DIR/live does: each snapshot
 * has what it needs of both. */

#ifndef VADTRACE_TOOLS_RECORD_FOLDER_H
#define VADTRACE_TOOLS_RECORD_FOLDER_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/* - path is absolute, and the folder is ours to remove until folder_keep;
 * - replaced is where the older trace of that name waits, empty when there was none. */
struct folder {
	char path[PATH_MAX];
	char session[PATH_MAX]; /* what LTTng is told to write to */
	char ust[PATH_MAX];     /* where all is that it writes; it makes it */
	char live[PATH_MAX];
	char shown[PATH_MAX]; /* as the user would type it */
	char replaced[PATH_MAX];
	bool is_users; /* it was there before us, and empty */
};

/* Makes the folder `name`, or takes it when it is there and empty. A NULL name means
 * vadtrace.PROGRAM.PID.trace, with a number when that exists. An older trace of the name is put
 * aside when is_forced. False after a message, errno says why; nothing is left then. */
bool folder_create(struct folder *folder, const char *name, const char *program, int64_t pid,
		   bool is_forced);

/* The recording will have snapshots. Call before the session is made. */
void folder_expect_snapshots(struct folder *folder);

/* The recording stands: the older trace goes. */
void folder_keep(struct folder *folder);

/* Nothing was recorded: the folder goes, the older trace comes back. */
void folder_take_back(struct folder *folder);

/* Processes that have thread buffers: those that run, and those that did not end in order. */
unsigned folder_count_live(const struct folder *folder);

/* Removes thread buffers that hold nothing, and the folder of theirs when it is empty then. */
void folder_tidy_live(const struct folder *folder);

/* The recording is over: what its snapshots were made of goes. */
void folder_drop_base(const struct folder *folder);

/* Removes a folder with all that is in it. */
void folder_remove_tree(const char *path);

/* All bytes in the folder's files. */
uint64_t folder_size_bytes(const char *path);

/* What an ordinary user may still write on the file system of `path`; UINT64_MAX when unknown. */
uint64_t folder_free_bytes(const char *path);

#endif
