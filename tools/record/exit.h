/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The exit statuses of `vadtrace record` that are not the program's own. vadtrace-record(1) lists
 * them; scripts rely on the numbers. */

#ifndef VADTRACE_TOOLS_RECORD_EXIT_H
#define VADTRACE_TOOLS_RECORD_EXIT_H

enum record_exit {
	RECORD_EXIT_USAGE = 113,
	RECORD_EXIT_FOLDER = 114, /* exists already, or cannot be written */
	RECORD_EXIT_DAEMON = 115, /* no session daemon, none can be started, or it is silent */
	RECORD_EXIT_DISK = 116,   /* not enough room, before or while recording */
	RECORD_EXIT_STATIC = 117,
	RECORD_EXIT_PRIVILEGED = 118, /* set-uid, set-gid or file capabilities */
	RECORD_EXIT_MACHINE = 119,    /* 32 bits or another processor */
	RECORD_EXIT_LIBC = 120,       /* not glibc */
	RECORD_EXIT_LIBRARY = 121,    /* libvadtrace.so is missing or cannot be preloaded */
	RECORD_EXIT_LTTNG = 122,      /* the session was refused, or broke while recording */
	RECORD_EXIT_FAILURE = 125,
	RECORD_EXIT_NOT_EXECUTABLE = 126,
	RECORD_EXIT_NOT_FOUND = 127,
	RECORD_EXIT_SIGNAL = 128, /* plus the signal that ended the program */
};

#endif
