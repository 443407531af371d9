/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Gives each live block a number, so that the replay finds it without a search: the half of its
 * work that needs nothing but addresses, for another thread to do.
 *
 *   process 0:  address -> 1, 2, 3 ...        a released block's number is the next one's
 *
 * Knows only what blocks' records tell. What else changes a process's blocks (a fork, a heap's end)
 * is the end of its numbers: from then on its records have none, and the replay searches. */

#ifndef VADTRACE_TOOLS_LIB_NUMBERS_H
#define VADTRACE_TOOLS_LIB_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

#include "tools/lib/trace_event.h"

struct numbers;

struct numbers *numbers_create(void);
void numbers_destroy(struct numbers *numbers);

/* Copies a process's records, which come in the order of time, and fills in the copies' `number`.
 */
void numbers_give(struct numbers *numbers, uint32_t process, const struct trace_record *records,
		  size_t count, struct trace_record *copies);
/* Any other event, in its place between the records. */
void numbers_note_event(struct numbers *numbers, const struct trace_event *event);

#endif
