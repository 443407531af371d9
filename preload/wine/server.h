/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The socket on which Wine's ELF half talks to its server, at the end of the process. Wine closes
 * it and then exits; while the trace is brought to its end, threads of the program may still run
 * and use the number. */

#ifndef VADTRACE_PRELOAD_WINE_SERVER_H
#define VADTRACE_PRELOAD_WINE_SERVER_H

#include <stdbool.h>

/* Wine's ELF half sends a message on `fd`; the first is to its server. Keeps errno. */
void server_message_noticed(int fd);

/* Wine's ELF half closes `fd`. Whether that is done: the socket is closed, and its number is that
 * of a socket whose other end is closed. */
bool server_close(int fd);

#endif
