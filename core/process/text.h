/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Names of files and sockets, and numbers in what /proc says. */

#ifndef VADTRACE_CORE_PROCESS_TEXT_H
#define VADTRACE_CORE_PROCESS_TEXT_H

#include <stdint.h>

/* Room for every text that is made here. */
#define TEXT_BYTES_MAX 80

/* "/proc/ID/NAME"; `name` is short. */
void text_path(char *text, uint32_t id, const char *name);
/* The name under which process `id` of our view of processes serves; empty when /proc does not say
 * which view that is. */
void text_serving_name(char *text, uint32_t id);
/* Leaves out blanks, reads digits, and goes on behind them; 0 when there are none. */
uint64_t text_read_number(const char **text);

#endif
